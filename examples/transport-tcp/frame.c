/* SPDX-License-Identifier: Apache-2.0 */
/* Frames.  The dialler sends a hello, then messages and pings; the other side answers the hello and each ping by a pong. */
#include <inttypes.h>

#include "tcp_private.h"

static const uint8_t magic[4] = {'m', 'g', 'c', '1'};

static void put32(uint8_t *to, uint32_t x)
{
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(x >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool frame_put(conn *c, uint8_t kind, const uint8_t *bytes, size_t len)
{
    uint8_t *to = conn_room(c, HEADER + len);

    if (to == NULL) return false;
    put32(to, (uint32_t)len);
    memset(to + 4, 0, 4);
    to[4] = kind;
    if (len > 0) memcpy(to + HEADER, bytes, len);
    return true;
}

void frame_hello(conn *c)
{
    uint8_t hello[HELLO];

    memcpy(hello, magic, 4);
    put32(hello + 4, c->t->opts.id);
    memcpy(hello + 8, c->t->network, 32);
    if (!frame_put(c, FRAME_HELLO, hello, sizeof hello)) conn_fault(c, "no memory");
}

static void take_hello(conn *c, const uint8_t *body, size_t len)
{
    if (len != HELLO || memcmp(body, magic, 4) != 0 || c->dialled) {
        conn_fault(c, "it speaks another protocol, or another version of it");
        return;
    }
    if (get32(body + 4) != c->peer) {
        conn_fault(c, "it says it is member %" PRIu32 ", its certificate names member %" PRIu32, get32(body + 4), c->peer);
        return;
    }
    if (memcmp(body + 8, c->t->network, 32) != 0) {
        conn_fault(c, "it belongs to another alliance: its genesis differs from ours");
        return;
    }
    c->state = CONN_OPEN;
    if (!frame_put(c, FRAME_PONG, NULL, 0)) conn_fault(c, "no memory");
}

static void take_pong(conn *c)
{
    peer *p = tcp_find(c->t, c->peer);

    if (c->state == CONN_OPEN || p == NULL) return;
    c->state = CONN_OPEN;
    p->pause_ms = REDIAL_MS;
    p->faults = 0;
    tcp_say(c->t, SAY_INFO, "connected to member %" PRIu32 " at %s", p->id, p->address);
}

static void take(conn *c, uint8_t kind, const uint8_t *body, size_t len)
{
    peer *p = tcp_find(c->t, c->peer);

    if (kind == FRAME_HELLO && c->state == CONN_HELLO) take_hello(c, body, len);
    else if (kind == FRAME_PONG && c->dialled && len == 0) take_pong(c);
    else if (kind == FRAME_PING && !c->dialled && len == 0 && c->state == CONN_OPEN) (void)frame_put(c, FRAME_PONG, NULL, 0);
    else if (kind == FRAME_DATA && !c->dialled && len > 0 && c->state == CONN_OPEN && p != NULL) {
        p->received++;
        c->t->opts.received(c->t->opts.user, p->id, body, len);
    } else conn_fault(c, "a frame of kind %u with %zu bytes is none that may come now", kind, len);
}

/* 0: the header itself is not there, or not one. */
static size_t body_length(conn *c)
{
    uint32_t len = get32(c->in);
    bool data = c->in[4] == FRAME_DATA;

    if (len <= (data && c->state == CONN_OPEN ? (uint32_t)MGC_MESSAGE_BYTES_MAX : HELLO) && (c->in[5] | c->in[6] | c->in[7]) == 0)
        return len;
    conn_fault(c, "a frame of kind %u says it has %" PRIu32 " bytes; that is no frame of ours", c->in[4], len);
    return SIZE_MAX;
}

size_t frame_wants(const conn *c)
{
    size_t whole = c->in_len < HEADER ? HEADER : HEADER + (size_t)get32(c->in);

    return whole > c->in_len ? whole - c->in_len : 1;
}

void frame_take(conn *c)
{
    uint8_t *all = c->in;
    size_t at = 0, len = c->in_len;

    while (len - at >= HEADER && !c->dead) {
        c->in = all + at; /* the rest, as body_length() looks at it */
        size_t body = body_length(c);
        if (body == SIZE_MAX || len - at - HEADER < body) break;
        c->heard_ms = c->t->now_ms;
        take(c, all[at + 4], all + at + HEADER, body);
        at += HEADER + body;
    }
    c->in = all;
    if (at > 0) memmove(all, all + at, len - at);
    c->in_len = len - at;
}
