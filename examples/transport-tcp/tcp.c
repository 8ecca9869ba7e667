/* SPDX-License-Identifier: Apache-2.0 */
/* Life of the transport: peers, dialling with pauses that grow, newcomers, and what is due when. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <unistd.h>

#include "tcp_private.h"

void tcp_say(tcp *t, say_level level, const char *format, ...)
{
    char text[600];
    va_list args;

    if (t->opts.say == NULL) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->opts.say(t->opts.user, level, text);
}

peer *tcp_find(tcp *t, uint32_t id)
{
    for (size_t i = 0; i < TCP_PEERS_MAX && id != 0; i++)
        if (t->peers[i].id == id) return &t->peers[i];
    return NULL;
}

/* --- addresses -------------------------------------------------------------------------------------- */

/* A numeric one is never looked up. */
bool tcp_look_up(const char *address, bool passive, struct sockaddr_storage *to, socklen_t *len, char *error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0}, *found = NULL;
    const char *colon = strrchr(address, ':');
    size_t n = colon == NULL ? 0 : (size_t)(colon - address);
    char host[128];
    int result;

    if (n == 0 || n >= sizeof host || colon[1] == '\0') {
        snprintf(error, TCP_ERROR_MAX, "\"%s\" is no address; addresses look like 192.0.2.1:7101, [2001:db8::1]:7101 or name:7101", address);
        return false;
    }
    if (address[0] == '[' && address[n - 1] == ']') snprintf(host, sizeof host, "%.*s", (int)n - 2, address + 1);
    else snprintf(host, sizeof host, "%.*s", (int)n, address);
    result = getaddrinfo(host, colon + 1, &hints, &found);
    if (result != 0 || found == NULL) {
        snprintf(error, TCP_ERROR_MAX, "the address %s cannot be found: %s", address, gai_strerror(result));
        return false;
    }
    memcpy(to, found->ai_addr, found->ai_addrlen);
    *len = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static int new_socket(int family)
{
    int fd = socket(family, SOCK_STREAM, 0);

    if (fd >= 0 && (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static bool listen_at(tcp *t, char *error)
{
    struct sockaddr_storage at;
    socklen_t len;
    int one = 1;

    if (!tcp_look_up(t->opts.listen, true, &at, &len, error)) return false;
    t->listener = new_socket(at.ss_family);
    if (t->listener < 0 || setsockopt(t->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(t->listener, (struct sockaddr *)&at, len) != 0 || listen(t->listener, TCP_NEWCOMERS_MAX) != 0 ||
        getsockname(t->listener, (struct sockaddr *)&at, &len) != 0) {
        snprintf(error, TCP_ERROR_MAX, "listening at %s: %s", t->opts.listen, strerror(errno));
        return false;
    }
    t->port = ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port : ((struct sockaddr_in *)&at)->sin_port);
    return true;
}

/* --- life ------------------------------------------------------------------------------------------- */

tcp *tcp_open(const tcp_opts *opts, uint64_t now_ms, char *error)
{
    tcp *t = calloc(1, sizeof *t);

    if (t == NULL) {
        snprintf(error, TCP_ERROR_MAX, "no memory");
        return NULL;
    }
    t->opts = *opts;
    if (t->opts.queue_bytes == 0) t->opts.queue_bytes = (size_t)32 << 20;
    memcpy(t->network, opts->network, sizeof t->network);
    t->listener = -1;
    t->now_ms = now_ms;
    t->random = opts->id * 2654435761u + (uint32_t)now_ms + 1;
    if (tls_open(t, error) && listen_at(t, error)) return t;
    tcp_close(t);
    return NULL;
}

void tcp_close(tcp *t)
{
    if (t == NULL) return;
    for (size_t i = 0; i < TCP_PEERS_MAX; i++)
        if (t->peers[i].id != 0) tcp_remove_peer(t, t->peers[i].id);
    for (size_t i = 0; i < TCP_NEWCOMERS_MAX; i++) conn_end(&t->newcomers[i]);
    if (t->listener >= 0) (void)close(t->listener);
    SSL_CTX_free(t->tls);
    free(t);
}

uint16_t tcp_port(const tcp *t)
{
    return t->port;
}

bool tcp_set_peer(tcp *t, uint32_t id, const char *address, const uint8_t *public_key, uint64_t now_ms, char *error)
{
    struct sockaddr_storage to;
    socklen_t len;
    peer *p = tcp_find(t, id);

    if (!tcp_look_up(address, false, &to, &len, error)) return false;
    if (p != NULL) tcp_remove_peer(t, id);
    for (size_t i = 0; i < TCP_PEERS_MAX && p == NULL; i++)
        if (t->peers[i].id == 0) p = &t->peers[i];
    if (p == NULL || id == 0 || id == t->opts.id || strlen(address) >= sizeof p->address) {
        snprintf(error, TCP_ERROR_MAX, "member %" PRIu32 " cannot be a peer: its id or address, or already %d peers", id, TCP_PEERS_MAX);
        return false;
    }
    *p = (peer){.id = id, .to = to, .to_len = len, .dial_ms = now_ms, .pause_ms = REDIAL_MS};
    snprintf(p->address, sizeof p->address, "%s", address);
    memcpy(p->public_key, public_key, 32);
    return true;
}

void tcp_remove_peer(tcp *t, uint32_t id)
{
    peer *p = tcp_find(t, id);

    if (p == NULL) return;
    conn_end(&p->in);
    conn_end(&p->out);
    *p = (peer){.id = 0};
}

/* --- connections -------------------------------------------------------------------------------------- */

static void dial(tcp *t, peer *p)
{
    int fd = new_socket(p->to.ss_family);

    p->dials++;
    t->random = t->random * 1664525u + 1013904223u; /* members must not dial in step */
    p->dial_ms = t->now_ms + p->pause_ms / 2 + (t->random >> 8) % p->pause_ms;
    p->pause_ms = p->pause_ms * 2 > REDIAL_MAX_MS ? REDIAL_MAX_MS : p->pause_ms * 2;
    if (fd < 0 || !conn_begin(&p->out, t, fd, true)) {
        tcp_say(t, SAY_ERROR, "dialling member %" PRIu32 ": %s", p->id, fd < 0 ? strerror(errno) : "no memory");
        return;
    }
    p->out.peer = p->id;
    if (connect(fd, (struct sockaddr *)&p->to, p->to_len) == 0) p->out.state = CONN_HANDSHAKE;
    else if (errno != EINPROGRESS) conn_fault(&p->out, "connecting: %s", strerror(errno));
    if (p->out.state == CONN_HANDSHAKE) conn_ready(&p->out, POLLOUT);
}

static void welcome(tcp *t)
{
    for (int n = 0; n < TCP_NEWCOMERS_MAX; n++) {
        conn *free_one = NULL;
        int fd = accept(t->listener, NULL, NULL);

        if (fd < 0) return;
        for (size_t i = 0; i < TCP_NEWCOMERS_MAX && free_one == NULL; i++)
            if (t->newcomers[i].state == CONN_FREE) free_one = &t->newcomers[i];
        if (free_one == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
            t->refused++;
            (void)close(fd);
        } else if (!conn_begin(free_one, t, fd, false)) tcp_say(t, SAY_ERROR, "no memory for a connection");
    }
}

/* One that has shown who it is takes the place of the connection before it: its member began anew. */
static void settle_newcomers(tcp *t)
{
    for (size_t i = 0; i < TCP_NEWCOMERS_MAX; i++) {
        conn *c = &t->newcomers[i];
        peer *p;

        if (c->dead) conn_end(c);
        if (c->state != CONN_OPEN) continue;
        p = tcp_find(t, c->peer);
        if (p == NULL) {
            conn_end(c);
            continue;
        }
        conn_end(&p->in);
        p->in = *c;
        *c = (conn){.state = CONN_FREE};
    }
}

static void tick(tcp *t)
{
    for (size_t i = 0; i < TCP_PEERS_MAX; i++) {
        peer *p = &t->peers[i];
        if (p->id == 0) continue;
        conn_tick(&p->out);
        conn_tick(&p->in);
        if (p->out.dead) conn_end(&p->out);
        if (p->in.dead) conn_end(&p->in);
        if (p->out.state == CONN_FREE && t->now_ms >= p->dial_ms) dial(t, p);
    }
    for (size_t i = 0; i < TCP_NEWCOMERS_MAX; i++) conn_tick(&t->newcomers[i]);
    settle_newcomers(t);
}

/* --- polling ------------------------------------------------------------------------------------------ */

static size_t add_conn(const conn *c, struct pollfd *fds, size_t n)
{
    short events = POLLIN;

    if (c->state == CONN_FREE || c->dead) return n;
    if (c->state == CONN_CONNECTING) events = POLLOUT;
    else if (c->wants_write) events |= POLLOUT;
    fds[n] = (struct pollfd){.fd = c->fd, .events = events};
    return n + 1;
}

size_t tcp_polls(tcp *t, struct pollfd *fds, uint64_t now_ms, uint64_t *wake_ms)
{
    size_t n = 1;

    t->now_ms = now_ms;
    tick(t);
    fds[0] = (struct pollfd){.fd = t->listener, .events = POLLIN};
    for (size_t i = 0; i < TCP_PEERS_MAX; i++) {
        const peer *p = &t->peers[i];
        uint64_t due = now_ms + PING_MS / 4;
        if (p->id == 0) continue;
        n = add_conn(&p->out, fds, n);
        n = add_conn(&p->in, fds, n);
        if (p->out.state == CONN_FREE && p->dial_ms < due) due = p->dial_ms;
        if (p->out.dead) due = now_ms;
        if (due < *wake_ms) *wake_ms = due;
    }
    for (size_t i = 0; i < TCP_NEWCOMERS_MAX; i++) n = add_conn(&t->newcomers[i], fds, n);
    return n;
}

static conn *conn_of(tcp *t, int fd)
{
    for (size_t i = 0; i < TCP_PEERS_MAX; i++) {
        peer *p = &t->peers[i];
        if (p->id == 0) continue;
        if (p->out.state != CONN_FREE && p->out.fd == fd) return &p->out;
        if (p->in.state != CONN_FREE && p->in.fd == fd) return &p->in;
    }
    for (size_t i = 0; i < TCP_NEWCOMERS_MAX; i++)
        if (t->newcomers[i].state != CONN_FREE && t->newcomers[i].fd == fd) return &t->newcomers[i];
    return NULL;
}

void tcp_ready(tcp *t, const struct pollfd *fds, size_t n, uint64_t now_ms)
{
    t->now_ms = now_ms;
    for (size_t i = 1; i < n; i++) {
        conn *c = fds[i].revents != 0 ? conn_of(t, fds[i].fd) : NULL;
        if (c != NULL) conn_ready(c, fds[i].revents);
    }
    settle_newcomers(t);
    if (n > 0 && fds[0].revents != 0) welcome(t);
}

/* --- messages ----------------------------------------------------------------------------------------- */

int32_t tcp_send(void *user, uint32_t to, const uint8_t *bytes, size_t len)
{
    tcp *t = user;
    peer *p = tcp_find(t, to);
    conn *c = p == NULL ? NULL : &p->out;

    if (c == NULL || len == 0 || len > MGC_MESSAGE_BYTES_MAX) return MGC_E_INVALID_ARG;
    if (c->state != CONN_OPEN || c->dead || c->out_len - c->out_at + len + HEADER > t->opts.queue_bytes ||
        !frame_put(c, FRAME_DATA, bytes, len)) {
        p->dropped++;
        return MGC_CB_DONE; /* as a network does */
    }
    p->sent++;
    conn_flush(c); /* at once: the caller may be about to wait for its disk */
    return MGC_CB_DONE;
}

bool tcp_peer(const tcp *t, size_t index, tcp_peer_info *info)
{
    for (size_t i = 0; i < TCP_PEERS_MAX; i++) {
        const peer *p = &t->peers[i];
        if (p->id == 0 || index-- > 0) continue;
        *info = (tcp_peer_info){.id = p->id, .sends = p->out.state == CONN_OPEN, .receives = p->in.state == CONN_OPEN,
                                .sent = p->sent, .received = p->received, .dropped = p->dropped, .dials = p->dials,
                                .queued = p->out.out_len - p->out.out_at};
        return true;
    }
    return false;
}

uint64_t tcp_refused(const tcp *t)
{
    return t->refused;
}
