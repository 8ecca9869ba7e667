/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a key file and as a public key. */
#include "fuzz.h"

#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t public_key[32], signature[64];
    mgc_ctx *ctx;
    mgc_key *key;

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 0;
    for (int with = 0; with < 2; with++) {
        mgc_status st = mgc_key_from_pem(ctx, (const char *)data, size, with ? "correct horse" : NULL, &key);
        must((st == MGC_OK) == (key != NULL), "status and key disagree");
        if (st == MGC_OK) {
            must(mgc_key_public(key, public_key) == MGC_OK && mgc_public_key_check(public_key, 32) == MGC_OK, "a key file with a weak key");
            must(mgc_key_sign(key, data, size, signature) == MGC_OK &&
                     mgc_signature_verify(public_key, data, size, signature, 64) == MGC_OK, "a key that does not sign");
        }
        mgc_key_destroy(key);
    }
    if (size >= 96) { /* a key and a signature on nothing */
        mgc_status good = mgc_public_key_check(data, 32);
        mgc_status st = mgc_signature_verify(data, NULL, 0, data + 32, 64);
        must(good == MGC_OK || st != MGC_OK, "a weak key verifies");
    }
    (void)!mgc_public_key_check(data, size);
    mgc_ctx_destroy(ctx);
    return 0;
}
