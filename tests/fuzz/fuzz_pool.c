/* SPDX-License-Identifier: Apache-2.0 */
/* What a member of a pool hears; the first byte says which: messages out of nothing, honest messages with bytes or numbers of
 * them changed on the way, a checkpoint, what an earlier run left. */
#include "fuzz.h"

#pragma GCC diagnostic ignored "-Wunused-function"
#include "../bargain/crowd.h"

enum { MEMBERS = 5, TURNS_MOST = 400, WORDS_MOST = 64 };

/* Bytes to decide by; none left: zeros, and everyone is honest. */
typedef struct tape {
    const uint8_t *at;
    size_t left;
} tape;

static uint8_t next(tape *t)
{
    if (t->left == 0) return 0;
    t->left--;
    return *t->at++;
}

static uint64_t next_number(tape *t)
{
    uint64_t x = 0;
    unsigned bytes = next(t) % 9u;

    for (unsigned i = 0; i < bytes; i++) x = x << 8 | next(t);
    return x;
}

static void poll(crowd *c, size_t i, uint64_t now)
{
    must(mgc_agent_poll(c->agent[i], now, &c->last[i]) == MGC_OK, "polling");
}

static void hand(crowd *c, uint64_t now, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    must(mgc_agent_receive(c->agent[to], now, c->id[from], bytes, len) == MGC_OK, "a message is fatal");
}

/* Bytes that nobody said, from any member to any other. */
static void strangers(crowd *c, tape *t)
{
    for (unsigned turn = next(t) % 40u; turn > 0; turn--)
        for (size_t i = 0; i < c->n; i++) {
            poll(c, i, 1);
            for (size_t k = 0; k < c->last[i].n_messages; k++) {
                const mgc_message *m = &c->last[i].messages[k];
                hand(c, 1, i, crowd_index(c, m->to), m->bytes, m->len);
            }
        }
    while (t->left > 3) {
        uint8_t who = next(t);
        size_t n = next(t), to = who % MEMBERS, from = who / MEMBERS % MEMBERS;
        n |= (size_t)next(t) << 8;
        if (n > t->left) n = t->left;
        hand(c, 2, from, to, t->at, n);
        poll(c, to, 2);
        t->at += n;
        t->left -= n;
    }
}

/* A number of the message, well formed, is another. */
static size_t rewritten(crowd *c, tape *t, const mgc_message *m, uint8_t *into, size_t room)
{
    static int64_t values[256];
    mgc__note note;
    mgc__buf buf;
    size_t len;

    must(mgc__note_read(m->bytes, m->len, &note, values, MGC__COUNT(values)) == MGC_OK, "an honest message cannot be read");
    uint8_t what = next(t);
    uint64_t x = next_number(t);
    switch (what % 8) {
    case 0: note.step = x; break;
    case 1: note.stage = (uint32_t)(x % (MGC__STAGE_LAST + 1)); break;
    case 2: note.round = (uint32_t)(x % MGC__ROUND_MAX); break;
    case 3: note.ordinal = (uint32_t)(x % (MGC__ORDINAL_MAX + 1)); break;
    case 4: note.flood[what / 8 % MGC__FLOODS] = (int64_t)(x % (uint64_t)MGC__VALUE_MAX); break;
    case 5: note.n = x % (MGC__COUNT(values) + 1); break;
    default: if (note.n > 0) values[what / 8u % note.n] = (int64_t)(x % (uint64_t)MGC__VALUE_MAX) * (what % 2 ? 1 : -1);
    }
    mgc__buf_init(&buf, c->ctx, room);
    mgc__note_write(&note, &buf);
    len = buf.status == MGC_OK ? buf.len : 0;
    memcpy(into, buf.bytes, len);
    mgc__buf_free(&buf);
    return len;
}

static void on_the_way(crowd *c, tape *t, uint64_t now, size_t from, const mgc_message *m)
{
    static uint8_t copy[1 << 16];
    size_t to = crowd_index(c, m->to), len = m->len < sizeof copy ? m->len : sizeof copy;
    uint8_t what = next(t);

    memcpy(copy, m->bytes, len);
    switch (what % 16) {
    case 1: return; /* lost */
    case 2: hand(c, now, from, to, m->bytes, m->len); break; /* and once more */
    case 3: copy[next_number(t) % len] ^= (uint8_t)(1u << next(t) % 8u); break;
    case 4: len = next_number(t) % (len + 1); break;
    case 5: to = (to + 1) % c->n; break;
    case 6:
    case 7: len = rewritten(c, t, m, copy, sizeof copy); break;
    default: break;
    }
    hand(c, now, from, to, copy, len);
}

/* What is agreed holds, whoever lied: nobody agreed to lose by its own plan. */
static void judge(const crowd *c)
{
    for (size_t i = 0; i < c->n; i++) {
        mgc_agreement a = {.struct_size = sizeof a};
        if (c->last[i].state != MGC_AGENT_AGREED) continue;
        must(mgc_agent_agreement(c->agent[i], &a) == MGC_OK, "agreed, and no agreement");
        must(a.final_cost <= a.standalone_cost + 1e-6 * (1 + fabs(a.standalone_cost)), "somebody agreed to lose");
    }
}

static void liars(crowd *c, tape *t)
{
    bool running = true;

    for (uint64_t now = 1; running && now < TURNS_MOST; now++) {
        running = false;
        for (size_t i = 0; i < c->n; i++) {
            poll(c, i, now);
            running |= c->last[i].state == MGC_AGENT_RUNNING;
            for (size_t k = 0; k < c->last[i].n_messages; k++) on_the_way(c, t, now, i, &c->last[i].messages[k]);
        }
    }
    judge(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static crowd c;

    if (size < 2) return 0;
    tape t = {data + 1, size - 1};
    crowd_init(&c, MEMBERS, 1 + data[0] / 8u);
    c.opts.keep_log = data[0] % 4 == 2;
    c.opts.tolerance = 1e-4;
    c.opts.round_limit = 40;
    c.masks = data[0] / 4 % 2 != 0;
    crowd_agents(&c);
    switch (data[0] % 4) {
    case 0: strangers(&c, &t); break;
    case 1: liars(&c, &t); break;
    case 2: (void)!mgc__checkpoint_replay(c.agent[0], t.at, t.left); break;
    default: (void)!mgc__pool_start_read(c.agent[0], t.at, t.left);
    }
    crowd_free(&c);
    return 0;
}
