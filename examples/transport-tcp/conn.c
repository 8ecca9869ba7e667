/* SPDX-License-Identifier: Apache-2.0 */
/* One connection: connecting, TLS, then bytes both ways.
 *
 * Nothing here waits: each call does what the socket allows and says by wants_write what it waits for.  A connection that
 * failed is only marked; tcp.c frees it when no call is inside it. */
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdarg.h>
#include <unistd.h>

#include "tcp_private.h"

bool conn_begin(conn *c, tcp *t, int fd, bool dialled)
{
    int one = 1;

    *c = (conn){.t = t, .fd = fd, .dialled = dialled, .state = dialled ? CONN_CONNECTING : CONN_HANDSHAKE};
    c->begun_ms = c->heard_ms = c->moved_ms = t->now_ms;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* only slower where it fails */
    c->ssl = SSL_new(t->tls);
    if (c->ssl == NULL || SSL_set_fd(c->ssl, fd) != 1) {
        conn_end(c);
        return false;
    }
    if (dialled) SSL_set_connect_state(c->ssl);
    else SSL_set_accept_state(c->ssl);
    return true;
}

void conn_end(conn *c)
{
    if (c->state == CONN_FREE) return;
    if (c->ssl != NULL && c->state >= CONN_HELLO && !c->dead) (void)SSL_shutdown(c->ssl); /* a farewell, not awaited */
    SSL_free(c->ssl);
    (void)close(c->fd);
    free(c->in);
    free(c->out);
    *c = (conn){.state = CONN_FREE};
}

/* A fault that lasts is told once, then every SAY_AGAIN_MS; those of strangers together. */
void conn_fault(conn *c, const char *format, ...)
{
    peer *p = tcp_find(c->t, c->peer);
    uint64_t *said = p != NULL ? &p->said_ms : &c->t->strangers_said_ms;
    uint32_t *faults = p != NULL ? &p->faults : &c->t->strangers;
    char text[400];
    va_list args;

    if (c->dead) return;
    c->dead = true;
    if (!c->dialled) c->t->refused++;
    if ((*faults)++ > 0 && c->t->now_ms < *said + SAY_AGAIN_MS) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    *said = c->t->now_ms;
    if (p != NULL)
        tcp_say(c->t, SAY_WARNING, "connection %s member %" PRIu32 " (%s): %s", c->dialled ? "to" : "from", p->id, p->address, text);
    else tcp_say(c->t, SAY_WARNING, "a connection from outside was refused: %s", text);
}

/* What an SSL call that did not succeed means; true: later. */
static bool later(conn *c, int result, const char *doing)
{
    int system = errno, error = SSL_get_error(c->ssl, result);
    char why[200];

    c->wants_write = error == SSL_ERROR_WANT_WRITE;
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return true;
    if (error == SSL_ERROR_ZERO_RETURN) conn_fault(c, "it closed the connection");
    else if (error == SSL_ERROR_SYSCALL) conn_fault(c, "%s: %s", doing, system != 0 ? strerror(system) : "the connection was cut");
    else conn_fault(c, "%s: %s", doing, tls_why(why, sizeof why, "TLS failed"));
    return false;
}

static void connected(conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
    if (error != 0) conn_fault(c, "connecting: %s", strerror(error));
    else c->state = CONN_HANDSHAKE;
}

static void shake_hands(conn *c)
{
    char why[300];
    uint32_t id;
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_do_handshake(c->ssl);
    if (result != 1) {
        (void)later(c, result, "TLS handshake");
        return;
    }
    c->wants_write = false;
    if (!tls_who(c, &id, why, sizeof why)) {
        conn_fault(c, "%s", why);
        return;
    }
    c->peer = id;
    c->state = CONN_HELLO;
    c->heard_ms = c->pinged_ms = c->t->now_ms;
    if (c->dialled) frame_hello(c);
}

/* --- bytes out -------------------------------------------------------------------------------------- */

static bool grow(uint8_t **bytes, size_t *cap, size_t need)
{
    size_t more = *cap == 0 ? 4096 : *cap;
    uint8_t *larger;

    if (need <= *cap) return true;
    while (more < need) more *= 2;
    larger = realloc(*bytes, more);
    if (larger == NULL) return false;
    *bytes = larger;
    *cap = more;
    return true;
}

uint8_t *conn_room(conn *c, size_t n)
{
    uint8_t *room;

    if (c->out_at > 0 && c->out_at >= c->out_len / 2) {
        memmove(c->out, c->out + c->out_at, c->out_len - c->out_at);
        c->out_len -= c->out_at;
        c->out_at = 0;
    }
    if (!grow(&c->out, &c->out_cap, c->out_len + n)) return NULL;
    if (c->out_at == c->out_len) c->moved_ms = c->t->now_ms;
    room = c->out + c->out_len;
    c->out_len += n;
    return room;
}

void conn_flush(conn *c)
{
    if (c->state < CONN_HELLO) return;
    while (!c->dead && c->out_at < c->out_len) {
        size_t done = 0;
        int result;

        ERR_clear_error();
        errno = 0;
        result = SSL_write_ex(c->ssl, c->out + c->out_at, c->out_len - c->out_at, &done);
        if (result != 1) {
            (void)later(c, result, "sending");
            return;
        }
        c->out_at += done;
        c->moved_ms = c->t->now_ms;
    }
    c->wants_write = false;
}

/* --- bytes in --------------------------------------------------------------------------------------- */

/* The buffer grows as bytes arrive, not as a header promises. */
static void read_some(conn *c)
{
    size_t total = 0;

    while (!c->dead && total < READ_AT_ONCE) {
        size_t wants = frame_wants(c), got = 0;
        size_t room = wants < 16384 ? 16384 : wants > 2 * c->in_len + 16384 ? 2 * c->in_len + 16384 : wants;
        int result;

        if (!grow(&c->in, &c->in_cap, c->in_len + room)) {
            conn_fault(c, "no memory for its message");
            return;
        }
        ERR_clear_error();
        errno = 0;
        result = SSL_read_ex(c->ssl, c->in + c->in_len, c->in_cap - c->in_len, &got);
        if (result != 1) {
            (void)later(c, result, "receiving");
            break;
        }
        c->in_len += got;
        total += got;
        frame_take(c);
    }
    if (c->in_len == 0 && c->in_cap > 1 << 20) { /* a large message must not hold its memory for ever */
        free(c->in);
        c->in = NULL;
        c->in_cap = 0;
    }
}

void conn_ready(conn *c, short events)
{
    if (c->dead || c->state == CONN_FREE) return;
    if (c->state == CONN_CONNECTING && (events & (POLLOUT | POLLERR | POLLHUP)) != 0) connected(c);
    if (!c->dead && c->state == CONN_HANDSHAKE) shake_hands(c);
    if (!c->dead && c->state >= CONN_HELLO) read_some(c);
    conn_flush(c);
}

/* --- time ------------------------------------------------------------------------------------------- */

void conn_tick(conn *c)
{
    uint64_t now;

    if (c->dead || c->state == CONN_FREE) return;
    now = c->t->now_ms;
    if (c->state < CONN_OPEN) {
        if (now >= c->begun_ms + HANDSHAKE_MS) conn_fault(c, "no member showed itself within %d s", HANDSHAKE_MS / 1000);
        return;
    }
    if (now >= c->heard_ms + SILENCE_MS) conn_fault(c, "nothing was heard for %d s", SILENCE_MS / 1000);
    else if (c->out_at < c->out_len && now >= c->moved_ms + SILENCE_MS) conn_fault(c, "it takes nothing since %d s", SILENCE_MS / 1000);
    if (c->dead || !c->dialled || now < c->pinged_ms + PING_MS) return;
    c->pinged_ms = now;
    (void)frame_put(c, FRAME_PING, NULL, 0);
    conn_flush(c);
}
