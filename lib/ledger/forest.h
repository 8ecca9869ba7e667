/* SPDX-License-Identifier: Apache-2.0 */
/* An append-only Merkle tree of RFC 6962 that answers every proof, also for earlier sizes, in logarithmic time.
 *
 * The roots of all complete subtrees of 16 leaves and more are kept, 4 bytes a leaf; below that the leaves are hashed
 * again, from what leaf() gives. */
#ifndef LEDGER_FOREST_H
#define LEDGER_FOREST_H

#include "crypto/crypto.h"

enum { MGC__FOREST_LEVEL = 4, MGC__FOREST_LEVELS = 44 }; /* kept levels: up to 2^47 leaves */

typedef struct mgc__forest {
    mgc_ctx *ctx;
    mgc__leaf_fn leaf;
    void *user;
    mgc__merkle edge;
    struct mgc__forest_level {
        uint8_t (*nodes)[32];
        size_t n, cap;
    } levels[MGC__FOREST_LEVELS];
} mgc__forest;

void mgc__forest_init(mgc__forest *f, mgc_ctx *ctx, mgc__leaf_fn leaf, void *user);
void mgc__forest_free(mgc__forest *f);
/* Make room for one more leaf; false on lack of memory.  After it push() cannot fail. */
bool mgc__forest_reserve(mgc__forest *f);
void mgc__forest_push(mgc__forest *f, const uint8_t leaf_hash[32]);

/* Of the tree of the first n leaves, n at most what was pushed. */
void mgc__forest_root(const mgc__forest *f, uint64_t n, uint8_t root[32]);
/* MGC_OK, MGC_E_RANGE. */
mgc_status mgc__forest_inclusion(const mgc__forest *f, uint64_t n, uint64_t index, mgc__proof *proof);
mgc_status mgc__forest_consistency(const mgc__forest *f, uint64_t m, uint64_t n, mgc__proof *proof);

#endif
