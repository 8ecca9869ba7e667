/* SPDX-License-Identifier: Apache-2.0 */
/* The agents' part of seeds.c: their test world shares names with the ledger's. */
#include "fuzz.h"
#include "seeds.h"

#pragma GCC diagnostic ignored "-Wunused-function"
#include "../bargain/crowd.h"

void agent_seeds(void)
{
    static const uint32_t first[1] = {0}, second[1] = {1};
    static world w;
    static uint8_t said[4096];
    const uint8_t *bytes;
    size_t len, at = 0, notes = 0;
    char name[40];

    world_init(&w, 2, 1, first, second, 1);
    w.opts.keep_log = 1;
    world_agents(&w);
    for (int turn = 0; turn < 40; turn++) {
        size_t a = (size_t)turn % 2;
        mgc_agent_output out;
        must(mgc_agent_poll(w.agent[a], 0, &out) == MGC_OK, "polling");
        for (size_t i = 0; i < out.n_messages; i++) {
            must(mgc_agent_receive(w.agent[1 - a], 0, w.id[a], out.messages[i].bytes, out.messages[i].len) == MGC_OK, "a message");
            snprintf(name, sizeof name, "message-%d", (int)notes++);
            if (notes % 5 == 1) put("agent", name, 0, out.messages[i].bytes, out.messages[i].len);
            if (a == 0 && turn < 24 && at + out.messages[i].len + 3 < sizeof said) {
                if (at == 0) said[at++] = 0;
                said[at++] = (uint8_t)out.messages[i].len;
                said[at++] = (uint8_t)(out.messages[i].len >> 8);
                memcpy(said + at, out.messages[i].bytes, out.messages[i].len);
                at += out.messages[i].len;
            }
        }
    }
    put("agent", "run", 2, said, at);
    must(mgc_agent_save(w.agent[0], &bytes, &len) == MGC_OK, "a checkpoint");
    put("agent", "checkpoint", 1, bytes, len);
    world_free(&w);
}

/* Honest words, one by one and in a row, a member's checkpoint, and what a run leaves. */
void pool_seeds(void)
{
    static crowd c;
    static uint8_t said[8192], plain[300];
    const uint8_t *bytes;
    size_t len, at = 1, notes = 0;
    char name[40];

    crowd_init(&c, 5, 1);
    c.opts.tolerance = 1e-4;
    c.opts.round_limit = 40;
    c.masks = false;
    crowd_agents(&c);
    for (int turn = 0; turn < 400; turn++)
        for (size_t i = 0; i < c.n; i++) {
            must(mgc_agent_poll(c.agent[i], 1, &c.last[i]) == MGC_OK, "polling");
            for (size_t k = 0; k < c.last[i].n_messages; k++) {
                const mgc_message *m = &c.last[i].messages[k];
                size_t to = crowd_index(&c, m->to);
                must(mgc_agent_receive(c.agent[to], 1, c.id[i], m->bytes, m->len) == MGC_OK, "a message");
                if (at + m->len + 3 < sizeof said && notes < 40) {
                    said[at++] = (uint8_t)(to + 5 * i);
                    said[at++] = (uint8_t)m->len;
                    said[at++] = (uint8_t)(m->len >> 8);
                    memcpy(said + at, m->bytes, m->len);
                    at += m->len;
                }
                snprintf(name, sizeof name, "message-%d", (int)notes++);
                if (notes % 40 == 1) put("pool", name, 0, m->bytes, m->len);
            }
        }
    put("pool", "run", 0, said, at);
    for (unsigned way = 0; way < 8; way++) { /* nothing happens, until something does */
        memset(plain, 8, sizeof plain);
        if (way > 0) plain[40 * way % 280] = (uint8_t)way;
        snprintf(name, sizeof name, "way-%u", way);
        put("pool", name, 1, plain, sizeof plain);
    }
    must(mgc_agent_save(c.agent[0], &bytes, &len) == MGC_OK, "a checkpoint");
    put("pool", "checkpoint", 2, bytes, len);
    must(mgc_agent_get_state(c.agent[0], &bytes, &len) == MGC_OK, "a start");
    put("pool", "start", 3, bytes, len);
    crowd_free(&c);
}
