/* SPDX-License-Identifier: Apache-2.0 */
/* Private face of crypto.  Only the .c files of this room see libcrypto. */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include "base/base.h"
#include "mgchain/crypto.h"

/* --- SHA-256 (FIPS 180-4), domain separated ------------------------------------------------------ */

typedef struct mgc__sha256 {
    uint64_t state[16]; /* the library's own, which allocates nothing and cannot fail */
} mgc__sha256;

void mgc__sha256_init(mgc__sha256 *s);
void mgc__sha256_put(mgc__sha256 *s, const void *bytes, size_t len);
void mgc__sha256_end(mgc__sha256 *s, uint8_t hash[32]);

/* H(tag NUL bytes): every hash that is not a Merkle node begins with its own text, so that no hash of one
 * kind can stand for another. */
void mgc__hash_tagged(const char *tag, const void *bytes, size_t len, uint8_t hash[32]);
/* The same of a || b. */
void mgc__hash_tagged2(const char *tag, const void *a, size_t a_len, const void *b, size_t b_len, uint8_t hash[32]);

/* --- Merkle trees of RFC 6962, section 2.1 ------------------------------------------------------- */

/* Hashes of a proof in a tree of up to 2^63 leaves; a consistency proof has one more at most. */
enum { MGC__PROOF_MAX = 64 };

void mgc__merkle_leaf(const void *bytes, size_t len, uint8_t hash[32]);               /* H(0x00 bytes) */
void mgc__merkle_node(const uint8_t left[32], const uint8_t right[32], uint8_t hash[32]); /* H(0x01 left right) */

/* The right edge of a growing tree: all that is needed to append and to know the root. */
typedef struct mgc__merkle {
    uint64_t n;
    uint8_t edge[64][32]; /* root of the complete subtree of 2^k leaves, where bit k of n is set */
} mgc__merkle;

void mgc__merkle_init(mgc__merkle *m);
void mgc__merkle_push(mgc__merkle *m, const uint8_t leaf_hash[32]);
void mgc__merkle_root(const mgc__merkle *m, uint8_t root[32]); /* of no leaves: H() */

typedef struct mgc__proof {
    uint32_t n;
    uint8_t path[MGC__PROOF_MAX + 1][32];
} mgc__proof;

/* From n leaf hashes of 32 bytes that leaf(user, i) gives.  O(n). */
typedef void (*mgc__leaf_fn)(void *user, uint64_t i, uint8_t hash[32]);
mgc_status mgc__merkle_inclusion(mgc__leaf_fn leaf, void *user, uint64_t n, uint64_t index, mgc__proof *proof);
mgc_status mgc__merkle_consistency(mgc__leaf_fn leaf, void *user, uint64_t m, uint64_t n, mgc__proof *proof);

/* MGC_OK or MGC_E_BAD_PROOF; a path that is too short or too long is refused. */
mgc_status mgc__merkle_verify_inclusion(uint64_t index, uint64_t n, const uint8_t leaf_hash[32], const uint8_t *path,
                                        size_t path_len, const uint8_t root[32]);
mgc_status mgc__merkle_verify_consistency(uint64_t m, uint64_t n, const uint8_t *path, size_t path_len,
                                          const uint8_t old_root[32], const uint8_t new_root[32]);

/* --- signatures ---------------------------------------------------------------------------------- */

/* Ed25519 over tag NUL chain_id role body; role is one byte.  All that is signed here is signed so. */
mgc_status mgc__sign_tagged(mgc_ctx *ctx, const mgc_key *key, const char *tag, const uint8_t chain_id[32],
                            uint32_t role, const void *body, size_t len, uint8_t signature[64]);
mgc_status mgc__verify_tagged(mgc_ctx *ctx, const uint8_t public_key[32], const char *tag, const uint8_t chain_id[32],
                              uint32_t role, const void *body, size_t len, const uint8_t signature[64]);

/* Hashes of what fitted before in this context (verified.c): such a signature is not verified again, in mgc__verify_tagged() nor here,
 * where scratch is as below.  ctx NULL: nothing is known. */
void mgc__verified_hash(const uint8_t public_key[32], const char *tag, const uint8_t chain_id[32], uint32_t role, const void *body,
                        size_t len, const uint8_t signature[64], uint8_t hash[32]);
bool mgc__verified_before(mgc_ctx *ctx, const uint8_t hash[32]);
void mgc__verified_now(mgc_ctx *ctx, const uint8_t hash[32]);
mgc_status mgc__verify_tagged_once(mgc_ctx *ctx, uint8_t *scratch, const uint8_t public_key[32], const char *tag, const uint8_t chain_id[32],
                                   uint32_t role, const void *body, size_t len, const uint8_t signature[64]);

/* The same without an allocation, for threads: scratch holds MGC__TAGGED_EXTRA bytes more than the body. */
enum { MGC__TAGGED_EXTRA = 64 }; /* tag with its NUL, chain id, role */
mgc_status mgc__verify_tagged_in(uint8_t *scratch, const uint8_t public_key[32], const char *tag,
                                 const uint8_t chain_id[32], uint32_t role, const void *body, size_t len,
                                 const uint8_t signature[64]);

const uint8_t *mgc__key_public(const mgc_key *key); /* 32 bytes, borrowed from the key */
mgc_ctx *mgc__key_ctx(const mgc_key *key);

/* Zero bytes that held a secret, in a way that the compiler may not drop. */
void mgc__wipe(void *bytes, size_t len);

#endif
