/* SPDX-License-Identifier: Apache-2.0 */
/*   tcp.c    life, peers, dialling, what is due when
 *   conn.c   one connection: handshake, bytes in and out
 *   frame.c  what the bytes say
 *   tls.c    certificates: ours, and whose is at the other end */
#ifndef TRANSPORT_TCP_PRIVATE_H
#define TRANSPORT_TCP_PRIVATE_H

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tcp.h"

enum {
    HANDSHAKE_MS = 10000, /* from the first byte to a known member: generous, a member's disk may hold up its only thread */
    PING_MS = 1000,
    SILENCE_MS = 10000,   /* a peer unheard for so long is gone: twenty election timeouts of the default */
    REDIAL_MS = 50,       /* doubled up to the next line after each failure */
    REDIAL_MAX_MS = 2000,
    SAY_AGAIN_MS = 30000, /* a fault that lasts is told again after so long */
    READ_AT_ONCE = 1 << 20, /* bytes from one peer before the others have their turn */
    HEADER = 8,           /* of a frame: length 4, big-endian; kind 1; zero 3 */
    HELLO = 40            /* bytes of a hello: "mgc1", sender 4, network 32 */
};

enum { FRAME_HELLO = 1, FRAME_DATA = 2, FRAME_PING = 3, FRAME_PONG = 4 };

typedef enum conn_state { CONN_FREE, CONN_CONNECTING, CONN_HANDSHAKE, CONN_HELLO, CONN_OPEN } conn_state;

typedef struct conn {
    tcp *t;
    conn_state state; /* HELLO: TLS is up; the dialler waits for the first pong, the other side for the hello */
    bool dialled, dead;
    int fd;
    SSL *ssl;
    uint32_t peer; /* 0: not known yet */
    uint64_t begun_ms, heard_ms, pinged_ms, moved_ms; /* moved: the last time that the queue got shorter or was empty */
    bool wants_write; /* TLS cannot go on before */
    uint8_t *in;
    size_t in_len, in_cap;
    uint8_t *out; /* from out_at to out_len waits */
    size_t out_at, out_len, out_cap;
} conn;

typedef struct peer {
    uint32_t id; /* 0: free */
    char address[128];
    uint8_t public_key[32];
    struct sockaddr_storage to;
    socklen_t to_len;
    conn out, in;
    uint64_t dial_ms, said_ms; /* when to dial next; when the last fault was told */
    uint32_t pause_ms, faults; /* faults: since it was told */
    uint64_t sent, received, dropped, dials;
} peer;

struct tcp {
    tcp_opts opts;
    uint8_t network[32];
    SSL_CTX *tls;
    int listener;
    uint16_t port;
    uint64_t now_ms, refused, strangers_said_ms;
    uint32_t strangers, random;
    peer peers[TCP_PEERS_MAX];
    conn newcomers[TCP_NEWCOMERS_MAX];
};

peer *tcp_find(tcp *t, uint32_t id); /* NULL: none */
void tcp_say(tcp *t, say_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- conn.c ----------------------------------------------------------------------------------------- */

bool conn_begin(conn *c, tcp *t, int fd, bool dialled);
void conn_end(conn *c);
/* Mark as ended and tell why, once per peer and while; freed when nobody is inside it. */
void conn_fault(conn *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void conn_ready(conn *c, short events);
void conn_tick(conn *c); /* time-outs and pings */
void conn_flush(conn *c);
/* Room for n more bytes at the end of the queue; NULL: no memory. */
uint8_t *conn_room(conn *c, size_t n);

/* --- frame.c ---------------------------------------------------------------------------------------- */

bool frame_put(conn *c, uint8_t kind, const uint8_t *bytes, size_t len);
void frame_hello(conn *c);
/* Take what is whole out of c->in; how many more bytes the next frame needs at least. */
void frame_take(conn *c);
size_t frame_wants(const conn *c);

/* --- tls.c ------------------------------------------------------------------------------------------ */

bool tls_open(tcp *t, char *error);
/* What OpenSSL last complained of, or otherwise. */
const char *tls_why(char *text, size_t cap, const char *otherwise);
/* Whom the certificate at the other end names; false and a sentence where it is none of our peers. */
bool tls_who(conn *c, uint32_t *id, char *why, size_t cap);

#endif
