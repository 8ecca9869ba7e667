/* SPDX-License-Identifier: Apache-2.0 */
/* What a bargaining agent reads from outside; the first byte says which: a message, a checkpoint, messages of a neighbour
 * in the middle of a run, a record of an agreement. */
#include "fuzz.h"

#pragma GCC diagnostic ignored "-Wunused-function"
#include "../bargain/toy.h"

static void message(mgc_ctx *ctx, const uint8_t *bytes, size_t len)
{
    static int64_t values[4096];
    mgc__note note;
    mgc__buf out;

    if (mgc__note_read(bytes, len, &note, values, MGC__COUNT(values)) != MGC_OK) return;
    mgc__buf_init(&out, ctx, 1 << 20);
    mgc__note_write(&note, &out);
    must(out.status == MGC_OK && out.len == len && memcmp(out.bytes, bytes, len) == 0, "accepted, and written differently");
    mgc__buf_free(&out);
}

static void record(mgc_ctx *ctx, const uint8_t *bytes, size_t len)
{
    mgc_record *r;
    const uint8_t *back;
    size_t back_len;

    if (mgc_record_read(ctx, bytes, len, &r) == MGC_OK)
        must(mgc_record_bytes(r, &back, &back_len) == MGC_OK && back_len == len && memcmp(back, bytes, len) == 0,
             "accepted, and written differently");
    mgc_record_destroy(r);
}

/* Some honest rounds, then the neighbour's bytes: length in two bytes before each message. */
static void neighbour(world *w, const uint8_t *bytes, size_t len)
{
    mgc_agent_output out;

    for (int turn = 0; turn < 2 * (bytes[0] % 24); turn++) {
        size_t at = (size_t)turn % 2;
        must(mgc_agent_poll(w->agent[at], 0, &out) == MGC_OK, "polling");
        for (size_t i = 0; i < out.n_messages; i++)
            must(mgc_agent_receive(w->agent[1 - at], 0, w->id[at], out.messages[i].bytes, out.messages[i].len) == MGC_OK,
                 "an honest message");
    }
    bytes++;
    len--;
    while (len >= 2) {
        size_t n = (size_t)bytes[0] | (size_t)bytes[1] << 8;
        bytes += 2;
        len -= 2;
        if (n > len) n = len;
        must(mgc_agent_receive(w->agent[1], 0, "m0", bytes, n) == MGC_OK, "a message is fatal");
        must(mgc_agent_poll(w->agent[1], 0, &out) == MGC_OK, "polling after it");
        bytes += n;
        len -= n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t first[1] = {0}, second[1] = {1};
    static world w;

    if (size < 2) return 0;
    world_init(&w, 2, 1, first, second, 1);
    w.opts.keep_log = data[0] % 4 == 1;
    world_agents(&w);
    switch (data[0] % 4) {
    case 0: message(w.ctx, data + 1, size - 1); break;
    case 1: (void)!mgc__checkpoint_replay(w.agent[0], data + 1, size - 1); break;
    case 2: neighbour(&w, data + 1, size - 1); break;
    default: record(w.ctx, data + 1, size - 1);
    }
    world_free(&w);
    return 0;
}
