/* SPDX-License-Identifier: Apache-2.0 */
/* The agents' part of seeds.c: their test world shares names with the ledger's. */
#include "fuzz.h"
#include "seeds.h"

#pragma GCC diagnostic ignored "-Wunused-function"
#include "../bargain/toy.h"

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
