/* SPDX-License-Identifier: Apache-2.0 */
/* The local socket: lines in, lines out.  Whoever may open the socket's file may ask; it is the owner's alone.  At the address,
 * if there is one, anybody may ask what anybody may know, and hand in what is signed; a member keeps places for its owner. */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node.h"

enum { WAITS_MAX = 1024, /* transactions that one client waits for */ OUT_MAX = 64 << 20 };

typedef struct wait_for_tx {
    uint64_t ticket;
    char tag[40];
} wait_for_tx;

typedef struct client {
    int fd; /* -1: free */
    bool dead, is_public;
    line in, out;
    size_t out_at, n_waits;
    wait_for_tx *waits; /* WAITS_MAX */
} client;

struct clients {
    process *p;
    int listener, public_listener; /* -1: none */
    char path[PATH_BYTES];
    client list[CLIENTS_MAX];
};

static void end(client *c)
{
    if (c->fd >= 0) (void)close(c->fd);
    free(c->in.text);
    free(c->out.text);
    free(c->waits);
    *c = (client){.fd = -1};
}

static int listen_public(const char *address)
{
    struct sockaddr_storage at;
    socklen_t len;
    char error[TCP_ERROR_MAX];
    int one = 1, fd;

    if (!tcp_look_up(address, true, &at, &len, error)) {
        say(SAY_ERROR, "%s", error);
        return -1;
    }
    fd = socket(at.ss_family, SOCK_STREAM, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 && bind(fd, (struct sockaddr *)&at, len) == 0 &&
        listen(fd, CLIENTS_MAX) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
        return fd;
    say(SAY_ERROR, "clients' address %s: %s", address, strerror(errno));
    if (fd >= 0) (void)close(fd);
    return -1;
}

clients *clients_open(process *p, const char *path, const char *address)
{
    clients *c = calloc(1, sizeof *c);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    mode_t mask;

    if (c == NULL || strlen(path) >= sizeof at.sun_path) {
        free(c);
        say(SAY_ERROR, "the client socket %s: no memory, or too long a name", path);
        return NULL;
    }
    c->p = p;
    c->public_listener = address[0] == '\0' ? -1 : listen_public(address);
    if (address[0] != '\0' && c->public_listener < 0) {
        free(c);
        return NULL;
    }
    for (size_t i = 0; i < CLIENTS_MAX; i++) c->list[i].fd = -1;
    memcpy(at.sun_path, path, strlen(path) + 1);
    snprintf(c->path, sizeof c->path, "%s", path);
    (void)unlink(path); /* of a process that was killed: the data's lock says that there is no other */
    mask = umask(0177);
    c->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (c->listener < 0 || bind(c->listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(c->listener, CLIENTS_MAX) != 0 ||
        fcntl(c->listener, F_SETFL, O_NONBLOCK) != 0 || fcntl(c->listener, F_SETFD, FD_CLOEXEC) != 0) {
        say(SAY_ERROR, "the client socket %s: %s", path, strerror(errno));
        if (c->listener >= 0) (void)close(c->listener);
        if (c->public_listener >= 0) (void)close(c->public_listener);
        free(c);
        c = NULL;
    }
    umask(mask);
    return c;
}

void clients_close(clients *c)
{
    if (c == NULL) return;
    for (size_t i = 0; i < CLIENTS_MAX; i++) end(&c->list[i]);
    (void)close(c->listener);
    if (c->public_listener >= 0) (void)close(c->public_listener);
    (void)unlink(c->path);
    free(c);
}

size_t clients_polls(clients *c, struct pollfd *fds, size_t cap)
{
    size_t n = 2;

    fds[0] = (struct pollfd){.fd = c->listener, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = c->public_listener, .events = POLLIN}; /* poll() passes over -1 */
    for (size_t i = 0; i < CLIENTS_MAX && n < cap; i++) {
        client *one = &c->list[i];
        if (one->dead) end(one);
        if (one->fd < 0) continue;
        fds[n++] = (struct pollfd){.fd = one->fd, .events = one->out_at < one->out.len ? POLLIN | POLLOUT : POLLIN};
    }
    return n;
}

static void flush(client *c)
{
    while (!c->dead && c->out_at < c->out.len) {
        ssize_t n = write(c->fd, c->out.text + c->out_at, c->out.len - c->out_at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) c->dead = true;
        else c->out_at += (size_t)n;
    }
    if (c->out_at == c->out.len) c->out_at = c->out.len = 0;
    if (c->out.len - c->out_at > OUT_MAX || c->out.failed) c->dead = true; /* it asks and does not read */
}

static void serve_line(clients *all, client *c, const char *request)
{
    line reply = {.text = NULL};
    uint64_t ticket = 0;
    char tag[40] = "";

    (void)line_get(request, "tag", tag, sizeof tag);
    if (c->n_waits == WAITS_MAX) line_add(&reply, "{\"tag\":\"%s\",\"error\":\"1024 transactions of this client wait already\"}", "");
    else answer(all->p, request, c->is_public, &reply, &ticket);
    if (ticket != 0) {
        c->waits[c->n_waits].ticket = ticket;
        memcpy(c->waits[c->n_waits++].tag, tag, sizeof tag);
    } else line_add(&c->out, "%s\n", reply.text != NULL ? reply.text : "{}");
    free(reply.text);
}

static void read_lines(clients *all, client *c)
{
    char *end_of_line;
    size_t done = 0;

    while ((end_of_line = memchr(c->in.text + done, '\n', c->in.len - done)) != NULL) {
        *end_of_line = '\0';
        if (strlen(c->in.text + done) == (size_t)(end_of_line - c->in.text) - done) serve_line(all, c, c->in.text + done);
        done = (size_t)(end_of_line - c->in.text) + 1;
    }
    memmove(c->in.text, c->in.text + done, c->in.len - done);
    c->in.len -= done;
    if (c->in.len >= LINE_MAX_BYTES) c->dead = true;
}

static void take(clients *all, client *c)
{
    char bytes[65536];
    ssize_t n = read(c->fd, bytes, sizeof bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        c->dead = true;
        return;
    }
    if (c->in.cap < c->in.len + (size_t)n + 1) {
        char *larger = realloc(c->in.text, c->in.len + (size_t)n + 1);
        if (larger == NULL) {
            c->dead = true;
            return;
        }
        c->in.text = larger;
        c->in.cap = c->in.len + (size_t)n + 1;
    }
    memcpy(c->in.text + c->in.len, bytes, (size_t)n);
    c->in.len += (size_t)n;
    read_lines(all, c);
}

static void welcome(clients *c, int listener, size_t places)
{
    for (size_t i = 0; i < places; i++) {
        client *one = &c->list[i];
        int fd;
        if (one->fd >= 0) continue;
        fd = accept(listener, NULL, NULL);
        if (fd < 0) return;
        *one = (client){.fd = fd, .is_public = listener == c->public_listener, .waits = calloc(WAITS_MAX, sizeof *one->waits)};
        if (one->waits == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) end(one);
    }
}

void clients_ready(clients *c, const struct pollfd *fds, size_t n)
{
    for (size_t i = 2; i < n; i++)
        for (size_t k = 0; k < CLIENTS_MAX && fds[i].revents != 0; k++) {
            client *one = &c->list[k];
            if (one->fd != fds[i].fd || one->dead) continue;
            if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0) take(c, one);
            flush(one);
            break;
        }
    if (n > 0 && fds[0].revents != 0) welcome(c, c->listener, CLIENTS_MAX);
    if (n > 1 && fds[1].revents != 0) welcome(c, c->public_listener, CLIENTS_PUBLIC_MAX);
}

void clients_tell(clients *c)
{
    for (size_t k = 0; k < CLIENTS_MAX; k++) {
        client *one = &c->list[k];
        size_t kept = 0;
        for (size_t i = 0; i < one->n_waits && one->fd >= 0; i++) {
            size_t before = one->out.len;
            answer_ticket(c->p, one->waits[i].ticket, one->waits[i].tag, &one->out);
            if (one->out.len == before) one->waits[kept++] = one->waits[i];
        }
        one->n_waits = kept;
        if (one->fd >= 0) flush(one);
    }
}
