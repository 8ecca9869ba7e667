/* SPDX-License-Identifier: Apache-2.0 */
/* In place of Ed25519 where a target makes thousands of blocks a second: a signature is a hash of the public key and of all
 * that is signed.  Who signs what in which role, and what is asked of signatures, is as with the true ones; only forging is easy,
 * which is another target's business (fuzz_key).  The linker puts these in the place of the library's (--wrap). */
#include "fuzz.h"

#include "crypto/crypto.h"

mgc_status __wrap_mgc__sign_tagged(mgc_ctx *ctx, const mgc_key *key, const char *tag, const uint8_t chain_id[32],
                                   uint32_t role, const void *body, size_t len, uint8_t signature[64]);
mgc_status __wrap_mgc__verify_tagged(mgc_ctx *ctx, const uint8_t public_key[32], const char *tag, const uint8_t chain_id[32],
                                     uint32_t role, const void *body, size_t len, const uint8_t signature[64]);
mgc_status __wrap_mgc__verify_tagged_in(uint8_t *scratch, const uint8_t public_key[32], const char *tag,
                                        const uint8_t chain_id[32], uint32_t role, const void *body, size_t len,
                                        const uint8_t signature[64]);

static void stamp(const uint8_t public_key[32], const char *tag, const uint8_t chain_id[32], uint32_t role, const void *body,
                  size_t len, uint8_t signature[64])
{
    const uint8_t role_byte = (uint8_t)role;
    mgc__sha256 s;

    mgc__sha256_init(&s);
    mgc__sha256_put(&s, public_key, 32);
    mgc__sha256_put(&s, tag, strlen(tag) + 1);
    mgc__sha256_put(&s, chain_id, 32);
    mgc__sha256_put(&s, &role_byte, 1);
    mgc__sha256_put(&s, body, len);
    mgc__sha256_end(&s, signature);
    memcpy(signature + 32, signature, 32);
}

mgc_status __wrap_mgc__sign_tagged(mgc_ctx *ctx, const mgc_key *key, const char *tag, const uint8_t chain_id[32],
                                   uint32_t role, const void *body, size_t len, uint8_t signature[64])
{
    (void)ctx;
    stamp(mgc__key_public(key), tag, chain_id, role, body, len, signature);
    return MGC_OK;
}

mgc_status __wrap_mgc__verify_tagged(mgc_ctx *ctx, const uint8_t public_key[32], const char *tag, const uint8_t chain_id[32],
                                     uint32_t role, const void *body, size_t len, const uint8_t signature[64])
{
    uint8_t expected[64];

    (void)ctx;
    stamp(public_key, tag, chain_id, role, body, len, expected);
    return memcmp(expected, signature, 64) == 0 ? MGC_OK : MGC_E_BAD_SIGNATURE;
}

mgc_status __wrap_mgc__verify_tagged_in(uint8_t *scratch, const uint8_t public_key[32], const char *tag,
                                        const uint8_t chain_id[32], uint32_t role, const void *body, size_t len,
                                        const uint8_t signature[64])
{
    (void)scratch;
    return __wrap_mgc__verify_tagged(NULL, public_key, tag, chain_id, role, body, len, signature);
}
