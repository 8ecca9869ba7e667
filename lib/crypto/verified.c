/* SPDX-License-Identifier: Apache-2.0 */
/* What was found good before.
 *
 * A vote is met when it comes, in a certificate, and again in each message and transaction that carries the certificate.
 * Verifying costs a hundred times as much as knowing it again by a hash over all that its being good depends on: key, signature
 * and message.  The context keeps the hashes of what fitted, the later in the place of the earlier; what did not fit is not
 * kept. */
#include "crypto/crypto.h"

enum { PLACES = MGC__CTX_MEMORY / 32 };

static uint8_t *place_of(mgc_ctx *ctx, const uint8_t hash[32])
{
    return ctx == NULL ? NULL : mgc__ctx_memory(ctx) + (hash[0] | hash[1] << 8) % PLACES * 32;
}

void mgc__verified_hash(const uint8_t public_key[32], const char *tag, const uint8_t chain_id[32], uint32_t role, const void *body,
                        size_t len, const uint8_t signature[64], uint8_t hash[32])
{
    static const char own_tag[] = "mgchain/verified/1";
    uint8_t role_byte = (uint8_t)role;
    mgc__sha256 s;

    mgc__sha256_init(&s);
    mgc__sha256_put(&s, own_tag, sizeof own_tag);
    mgc__sha256_put(&s, public_key, 32);
    mgc__sha256_put(&s, signature, 64);
    mgc__sha256_put(&s, tag, strlen(tag) + 1);
    mgc__sha256_put(&s, chain_id, 32);
    mgc__sha256_put(&s, &role_byte, 1);
    mgc__sha256_put(&s, body, len);
    mgc__sha256_end(&s, hash);
}

bool mgc__verified_before(mgc_ctx *ctx, const uint8_t hash[32])
{
    const uint8_t *place = place_of(ctx, hash);

    return place != NULL && memcmp(place, hash, 32) == 0;
}

void mgc__verified_now(mgc_ctx *ctx, const uint8_t hash[32])
{
    uint8_t *place = place_of(ctx, hash);

    if (place != NULL) memcpy(place, hash, 32);
}

mgc_status mgc__verify_tagged_once(mgc_ctx *ctx, uint8_t *scratch, const uint8_t public_key[32], const char *tag, const uint8_t chain_id[32],
                                   uint32_t role, const void *body, size_t len, const uint8_t signature[64])
{
    uint8_t hash[32];
    mgc_status status;

    mgc__verified_hash(public_key, tag, chain_id, role, body, len, signature, hash);
    if (mgc__verified_before(ctx, hash)) return MGC_OK;
    status = mgc__verify_tagged_in(scratch, public_key, tag, chain_id, role, body, len, signature);
    if (status == MGC_OK) mgc__verified_now(ctx, hash);
    return status;
}
