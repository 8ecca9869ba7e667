/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 6962, section 2.1: a leaf is H(0x00 data), a node H(0x01 left right), a tree of n leaves splits at the largest
 * power of two below n.  Verification follows RFC 9162, sections 2.1.3.2 and 2.1.4.2. */
#include "crypto/crypto.h"

void mgc__merkle_leaf(const void *bytes, size_t len, uint8_t hash[32])
{
    mgc__sha256 s;

    mgc__sha256_init(&s);
    mgc__sha256_put(&s, "\x00", 1);
    mgc__sha256_put(&s, bytes, len);
    mgc__sha256_end(&s, hash);
}

void mgc__merkle_node(const uint8_t left[32], const uint8_t right[32], uint8_t hash[32])
{
    mgc__sha256 s;

    mgc__sha256_init(&s);
    mgc__sha256_put(&s, "\x01", 1);
    mgc__sha256_put(&s, left, 32);
    mgc__sha256_put(&s, right, 32);
    mgc__sha256_end(&s, hash);
}

void mgc__merkle_init(mgc__merkle *m)
{
    m->n = 0;
}

/* Like adding one to a binary number: each carry joins two complete subtrees of one size. */
void mgc__merkle_push(mgc__merkle *m, const uint8_t leaf_hash[32])
{
    uint8_t node[32];
    uint32_t k = 0;

    memcpy(node, leaf_hash, 32);
    for (; m->n >> k & 1; k++) mgc__merkle_node(m->edge[k], node, node);
    memcpy(m->edge[k], node, 32);
    m->n++;
}

void mgc__merkle_root(const mgc__merkle *m, uint8_t root[32])
{
    bool begun = false;

    for (uint32_t k = 0; k < 64; k++) {
        if (!(m->n >> k & 1)) continue;
        if (begun) mgc__merkle_node(m->edge[k], root, root);
        else memcpy(root, m->edge[k], 32);
        begun = true;
    }
    if (!begun) (void)!mgc_sha256(NULL, 0, root);
}

static void subtree_root(mgc__leaf_fn leaf, void *user, uint64_t first, uint64_t n, uint8_t root[32])
{
    mgc__merkle m;
    uint8_t hash[32];

    mgc__merkle_init(&m);
    for (uint64_t i = 0; i < n; i++) {
        leaf(user, first + i, hash);
        mgc__merkle_push(&m, hash);
    }
    mgc__merkle_root(&m, root);
}

/* Largest power of two below n, n > 1. */
static uint64_t split(uint64_t n)
{
    uint64_t k = 1;

    while (k < n - k) k <<= 1;
    return k;
}

static void reverse(mgc__proof *proof)
{
    for (uint32_t i = 0, j = proof->n; i + 1 < j; i++) {
        uint8_t hash[32];
        j--;
        memcpy(hash, proof->path[i], 32);
        memcpy(proof->path[i], proof->path[j], 32);
        memcpy(proof->path[j], hash, 32);
    }
}

/* PATH(m, D[n]), walked from the root down: each step puts the root of the side not taken. */
mgc_status mgc__merkle_inclusion(mgc__leaf_fn leaf, void *user, uint64_t n, uint64_t index, mgc__proof *proof)
{
    uint64_t first = 0;

    proof->n = 0;
    if (index >= n) return MGC_E_RANGE;
    while (n > 1) {
        uint64_t k = split(n);
        if (index - first < k) {
            subtree_root(leaf, user, first + k, n - k, proof->path[proof->n++]);
            n = k;
        } else {
            subtree_root(leaf, user, first, k, proof->path[proof->n++]);
            first += k;
            n -= k;
        }
    }
    reverse(proof);
    return MGC_OK;
}

/* PROOF(m, D[n]) = SUBPROOF(m, D[n], true), walked from the root down. */
mgc_status mgc__merkle_consistency(mgc__leaf_fn leaf, void *user, uint64_t m, uint64_t n, mgc__proof *proof)
{
    uint64_t first = 0;
    bool whole = true; /* is the old tree a subtree whose root the verifier has? */

    proof->n = 0;
    if (m == 0 || m > n) return MGC_E_RANGE;
    while (m < n) {
        uint64_t k = split(n);
        if (m <= k) {
            subtree_root(leaf, user, first + k, n - k, proof->path[proof->n++]);
            n = k;
        } else {
            subtree_root(leaf, user, first, k, proof->path[proof->n++]);
            first += k;
            m -= k;
            n -= k;
            whole = false;
        }
    }
    if (!whole) subtree_root(leaf, user, first, m, proof->path[proof->n++]);
    reverse(proof);
    return MGC_OK;
}

mgc_status mgc__merkle_verify_inclusion(uint64_t index, uint64_t n, const uint8_t leaf_hash[32], const uint8_t *path,
                                        size_t path_len, const uint8_t root[32])
{
    uint64_t fn = index, sn = n - 1;
    uint8_t r[32];

    if (index >= n) return MGC_E_BAD_PROOF;
    memcpy(r, leaf_hash, 32);
    for (size_t i = 0; i < path_len; i++) {
        if (sn == 0) return MGC_E_BAD_PROOF;
        if ((fn & 1) || fn == sn) {
            mgc__merkle_node(path + 32 * i, r, r);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            mgc__merkle_node(r, path + 32 * i, r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(r, root, 32) == 0 ? MGC_OK : MGC_E_BAD_PROOF;
}

mgc_status mgc__merkle_verify_consistency(uint64_t m, uint64_t n, const uint8_t *path, size_t path_len,
                                          const uint8_t old_root[32], const uint8_t new_root[32])
{
    uint64_t fn = m - 1, sn = n - 1;
    uint8_t fr[32], sr[32];
    size_t i = 0;

    if (m == 0 || m > n) return MGC_E_BAD_PROOF;
    if (m == n) return path_len == 0 && memcmp(old_root, new_root, 32) == 0 ? MGC_OK : MGC_E_BAD_PROOF;
    if (path_len == 0) return MGC_E_BAD_PROOF;
    while (fn & 1) {
        fn >>= 1;
        sn >>= 1;
    }
    /* Where m is a power of two the old root is the first node and is not sent. */
    memcpy(fr, (m & (m - 1)) == 0 ? old_root : path + 32 * i++, 32);
    memcpy(sr, fr, 32);
    for (; i < path_len; i++) {
        if (sn == 0) return MGC_E_BAD_PROOF;
        if ((fn & 1) || fn == sn) {
            mgc__merkle_node(path + 32 * i, fr, fr);
            mgc__merkle_node(path + 32 * i, sr, sr);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            mgc__merkle_node(sr, path + 32 * i, sr);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(fr, old_root, 32) == 0 && memcmp(sr, new_root, 32) == 0 ? MGC_OK : MGC_E_BAD_PROOF;
}
