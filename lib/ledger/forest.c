/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/forest.h"

void mgc__forest_init(mgc__forest *f, mgc_ctx *ctx, mgc__leaf_fn leaf, void *user)
{
    *f = (mgc__forest){.ctx = ctx, .leaf = leaf, .user = user};
    mgc__merkle_init(&f->edge);
}

void mgc__forest_free(mgc__forest *f)
{
    for (size_t k = 0; k < MGC__FOREST_LEVELS; k++) {
        mgc__free(f->ctx, f->levels[k].nodes);
        f->levels[k] = (struct mgc__forest_level){0};
    }
}

/* --- growing ------------------------------------------------------------------------------------- */

bool mgc__forest_reserve(mgc__forest *f)
{
    uint64_t n = f->edge.n;

    for (uint32_t k = 0; n >> k & 1; k++) { /* the next leaf completes a subtree of 2^(k + 1) */
        struct mgc__forest_level *level;

        if (k + 1 < MGC__FOREST_LEVEL) continue;
        assert(k + 1 - MGC__FOREST_LEVEL < MGC__FOREST_LEVELS);
        level = &f->levels[k + 1 - MGC__FOREST_LEVEL];
        if (!mgc__grow(f->ctx, (void **)&level->nodes, &level->cap, level->n + 1, sizeof *level->nodes)) return false;
    }
    return true;
}

void mgc__forest_push(mgc__forest *f, const uint8_t leaf_hash[32])
{
    uint8_t node[32];
    uint32_t k = 0;

    memcpy(node, leaf_hash, 32);
    for (; f->edge.n >> k & 1; k++) {
        mgc__merkle_node(f->edge.edge[k], node, node);
        if (k + 1 >= MGC__FOREST_LEVEL) {
            struct mgc__forest_level *level = &f->levels[k + 1 - MGC__FOREST_LEVEL];
            assert(level->n < level->cap);
            memcpy(level->nodes[level->n++], node, 32);
        }
    }
    memcpy(f->edge.edge[k], node, 32);
    f->edge.n++;
}

/* --- roots of parts ------------------------------------------------------------------------------ */

static void complete(const mgc__forest *f, uint64_t first, uint32_t k, uint8_t root[32])
{
    mgc__merkle m;

    if (k >= MGC__FOREST_LEVEL) {
        const struct mgc__forest_level *level = &f->levels[k - MGC__FOREST_LEVEL];
        assert((first >> k) < level->n);
        memcpy(root, level->nodes[first >> k], 32);
        return;
    }
    mgc__merkle_init(&m);
    for (uint64_t i = 0; i < (uint64_t)1 << k; i++) {
        uint8_t hash[32];
        f->leaf(f->user, first + i, hash);
        mgc__merkle_push(&m, hash);
    }
    mgc__merkle_root(&m, root);
}

/* MTH of n leaves from first, which RFC 6962 only asks for where first is a multiple of a power of two not below n: then
 * the binary digits of n name complete subtrees, largest first. */
static void part(const mgc__forest *f, uint64_t first, uint64_t n, uint8_t root[32])
{
    mgc__merkle m;

    mgc__merkle_init(&m);
    m.n = n;
    for (uint32_t k = 64; k-- > 0;) {
        if (!(n >> k & 1)) continue;
        complete(f, first, k, m.edge[k]);
        first += (uint64_t)1 << k;
    }
    mgc__merkle_root(&m, root);
}

void mgc__forest_root(const mgc__forest *f, uint64_t n, uint8_t root[32])
{
    assert(n <= f->edge.n);
    part(f, 0, n, root);
}

/* --- proofs -------------------------------------------------------------------------------------- */

/* Largest power of two below n, n > 1. */
static uint64_t split(uint64_t n)
{
    uint64_t k = 1;

    while (k < n - k) k <<= 1;
    return k;
}

static void reverse(mgc__proof *proof)
{
    for (uint32_t i = 0; i < proof->n / 2; i++) {
        uint8_t hash[32];
        memcpy(hash, proof->path[i], 32);
        memcpy(proof->path[i], proof->path[proof->n - 1 - i], 32);
        memcpy(proof->path[proof->n - 1 - i], hash, 32);
    }
}

/* PATH(m, D[n]) of RFC 6962, 2.1.1, walked from the root down. */
mgc_status mgc__forest_inclusion(const mgc__forest *f, uint64_t n, uint64_t index, mgc__proof *proof)
{
    uint64_t first = 0;

    proof->n = 0;
    if (index >= n || n > f->edge.n) return MGC_E_RANGE;
    while (n > 1) {
        uint64_t k = split(n);
        bool left = index - first < k;
        part(f, left ? first + k : first, left ? n - k : k, proof->path[proof->n++]);
        if (!left) first += k;
        n = left ? k : n - k;
    }
    reverse(proof);
    return MGC_OK;
}

/* SUBPROOF(m, D[n], true) of RFC 6962, 2.1.2, walked from the root down. */
mgc_status mgc__forest_consistency(const mgc__forest *f, uint64_t m, uint64_t n, mgc__proof *proof)
{
    uint64_t first = 0;
    bool whole = true; /* is the old tree a subtree whose root the verifier has? */

    proof->n = 0;
    if (m == 0 || m > n || n > f->edge.n) return MGC_E_RANGE;
    while (m < n) {
        uint64_t k = split(n);
        bool left = m <= k;
        part(f, left ? first + k : first, left ? n - k : k, proof->path[proof->n++]);
        if (!left) {
            first += k;
            m -= k;
            whole = false;
        }
        n = left ? k : n - k;
    }
    if (!whole) part(f, first, m, proof->path[proof->n++]);
    reverse(proof);
    return MGC_OK;
}
