/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance suite over an array in this process and over the kernel's sockets, where what was sent as one message comes
 * back as a stream of bytes. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport.h"

/* --- an array ----------------------------------------------------------------------------------------------------------------- */

typedef struct parcel {
    size_t from, to, len;
    uint8_t *bytes;
} parcel;

typedef struct shelf {
    parcel *parcel;
    size_t n, at, cap;
    uint8_t *last; /* handed out */
} shelf;

static void *shelf_open(size_t n)
{
    (void)n;
    return calloc(1, sizeof(shelf));
}

static void shelf_close(void *self)
{
    shelf *s = self;

    for (size_t k = s->at; k < s->n; k++) free(s->parcel[k].bytes);
    free(s->parcel);
    free(s->last);
    free(s);
}

static bool always_mine(void *self, size_t member)
{
    (void)self, (void)member;
    return true;
}

static bool shelf_send(void *self, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    shelf *s = self;
    parcel *p;

    if (s->n == s->cap) {
        s->cap = 2 * s->cap + 64;
        s->parcel = realloc(s->parcel, s->cap * sizeof *s->parcel);
        ck_assert_ptr_nonnull(s->parcel);
    }
    p = &s->parcel[s->n++];
    *p = (parcel){from, to, len, malloc(len + 1)};
    ck_assert_ptr_nonnull(p->bytes);
    memcpy(p->bytes, bytes, len);
    return true;
}

static bool shelf_next(void *self, size_t *from, size_t *to, const uint8_t **bytes, size_t *len)
{
    shelf *s = self;

    free(s->last);
    s->last = NULL;
    if (s->at == s->n) {
        s->at = s->n = 0;
        return false;
    }
    *from = s->parcel[s->at].from;
    *to = s->parcel[s->at].to;
    *len = s->parcel[s->at].len;
    *bytes = s->last = s->parcel[s->at++].bytes;
    return true;
}

static bool own_word(void *self, bool yes)
{
    (void)self;
    return yes;
}

/* --- sockets ------------------------------------------------------------------------------------------------------------------ */

enum { HEAD = 3, PIECE = 1500 };

/* One stream for all members: what the kernel does not take yet waits here. */
typedef struct wire {
    int end[2];
    uint8_t *out, *in;
    size_t out_at, out_len, out_cap, in_at, in_len, in_cap;
} wire;

static void *wire_open(size_t n)
{
    wire *w = calloc(1, sizeof *w);

    (void)n;
    if (w == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, w->end) != 0) {
        free(w);
        return NULL;
    }
    for (int k = 0; k < 2; k++) ck_assert_int_ge(fcntl(w->end[k], F_SETFL, O_NONBLOCK), 0);
    return w;
}

static void wire_close(void *self)
{
    wire *w = self;

    close(w->end[0]);
    close(w->end[1]);
    free(w->out);
    free(w->in);
    free(w);
}

static void append(uint8_t **buffer, size_t *len, size_t *cap, const void *bytes, size_t more)
{
    if (*len + more > *cap) {
        *cap = 2 * (*len + more) + 4096;
        *buffer = realloc(*buffer, *cap);
        ck_assert_ptr_nonnull(*buffer);
    }
    if (more > 0) memcpy(*buffer + *len, bytes, more);
    *len += more;
}

static bool wire_send(void *self, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    wire *w = self;
    uint32_t head[HEAD] = {(uint32_t)from, (uint32_t)to, (uint32_t)len};

    append(&w->out, &w->out_len, &w->out_cap, head, sizeof head);
    append(&w->out, &w->out_len, &w->out_cap, bytes, len);
    return true;
}

/* In pieces, so that messages are cut anywhere. */
static void pump(wire *w)
{
    uint8_t piece[PIECE];
    ssize_t got = 1;

    while (w->out_at < w->out_len || got > 0) {
        size_t left = w->out_len - w->out_at;
        ssize_t sent = left > 0 ? write(w->end[0], w->out + w->out_at, left < PIECE ? left : PIECE) : 0;

        if (sent > 0) w->out_at += (size_t)sent;
        got = read(w->end[1], piece, sizeof piece);
        if (got > 0) append(&w->in, &w->in_len, &w->in_cap, piece, (size_t)got);
    }
    w->out_at = w->out_len = 0;
}

static bool wire_next(void *self, size_t *from, size_t *to, const uint8_t **bytes, size_t *len)
{
    wire *w = self;
    uint32_t head[HEAD];

    pump(w);
    if (w->in_len - w->in_at < sizeof head) {
        w->in_at = w->in_len = 0;
        return false;
    }
    memcpy(head, w->in + w->in_at, sizeof head);
    ck_assert_uint_ge(w->in_len - w->in_at, sizeof head + head[2]);
    *from = head[0];
    *to = head[1];
    *len = head[2];
    *bytes = w->in + w->in_at + sizeof head;
    w->in_at += sizeof head + head[2];
    return true;
}

/* --- one that is broken, to see that the suite sees it ----------------------------------------------------------------------------- */

/* One direction of one link carries nothing. */
static bool broken_send(void *self, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    return (from == 0 && to == 1) || shelf_send(self, from, to, bytes, len);
}

static bool forger_send(void *self, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    return shelf_send(self, (from + 1) % TRANSPORT_MEMBERS == to ? (from + 2) % TRANSPORT_MEMBERS : from, to, bytes, len);
}

static bool cutter_send(void *self, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    return shelf_send(self, from, to, bytes, len > 65536 ? 65536 : len);
}

static const transport good[] = {
    {"array", shelf_open, shelf_close, always_mine, shelf_send, shelf_next, own_word},
    {"socket", wire_open, wire_close, always_mine, wire_send, wire_next, own_word},
};
static const transport bad[] = {
    {"broken", shelf_open, shelf_close, always_mine, broken_send, shelf_next, own_word},
    {"forger", shelf_open, shelf_close, always_mine, forger_send, shelf_next, own_word},
    {"cutter", shelf_open, shelf_close, always_mine, cutter_send, shelf_next, own_word},
};

START_TEST(transports_conform)
{
    const transport *t = &good[_i / TRANSPORT_CASES];
    char why[256];
    bool ok = transport_conforms(t, _i % TRANSPORT_CASES, why, sizeof why);

    ck_assert_msg(ok, "%s, %s: %s", t->name, transport_case(_i % TRANSPORT_CASES), why);
}
END_TEST

START_TEST(broken_transports_are_found)
{
    char why[256];

    ck_assert(!transport_conforms(&bad[_i], _i == 2 ? TRANSPORT_LARGE : TRANSPORT_PLAIN, why, sizeof why));
    ck_assert_str_ne(why, "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_transport");
    TCase *tc = tcase_create("transport");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, transports_conform, 0, (int)(sizeof good / sizeof *good) * TRANSPORT_CASES);
    tcase_add_loop_test(tc, broken_transports_are_found, 0, 3);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
