/* SPDX-License-Identifier: Apache-2.0 */
/* The chain that fuzz_proof knows and fuzz_seeds proves things of; the same bytes each time. */
#ifndef TESTS_FUZZ_PROOF_WORLD_H
#define TESTS_FUZZ_PROOF_WORLD_H

#include "../ledger/world.h"

enum { PROOF_BLOCKS = 6, PROOF_HEAD_AT = 3, PROOF_BYTES = 1 << 15 };

struct proof_world {
    struct disk disk;
    struct world w;
    uint8_t hash[PROOF_BLOCKS + 1][32];
    uint8_t head[PROOF_BYTES];
    size_t head_len; /* of the block PROOF_HEAD_AT */
};

static inline void proof_world_open(struct proof_world *p)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_ctx *ctx;

    must(mgc_ctx_create(NULL, &ctx) == MGC_OK, "a context");
    disk_init(&p->disk);
    must(world_open(&p->w, ctx, &p->disk, 1 << 20) == MGC_OK, "a chain");
    for (uint64_t h = 1; h <= PROOF_BLOCKS; h++) {
        /* the fifth block is the first of another day: it has the root of all records */
        must(mgc_chain_begin(p->w.chain, h < 5 ? 1000 + h : 86400000 + h) == MGC_OK, "a block");
        if (h == 1) must(add_account(&p->w, 1, 1, 0, NULL) == MGC_OK && add_account(&p->w, 2, 1, 0, NULL) == MGC_OK, "accounts");
        for (uint8_t k = 0; k < 3; k++) must(add_put(&p->w, (uint8_t)(k + 3 * h), "value", NULL) == MGC_OK, "a record");
        must(mgc_chain_commit(p->w.chain, p->w.member) == MGC_OK, "a block");
        must(mgc_chain_get_info(p->w.chain, &info) == MGC_OK, "asking");
        memcpy(p->hash[h], info.block_hash, 32);
    }
    must(mgc_chain_prove_head(p->w.chain, PROOF_HEAD_AT, p->head, sizeof p->head, &p->head_len) == MGC_OK, "a head");
}

#endif
