/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 (RFC 8032) through libcrypto, and the checks that libcrypto leaves out. */
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/key.h"

/* --- which public keys may be used --------------------------------------------------------------- */

/* The y of the eight points whose order divides 8, little-endian; both signs of x are meant.  Under such a key one
 * signature fits many messages.  y = 1 has order 1, -1 order 2, 0 order 4; the last two have order 8, for with
 * x^2 = -y^2 doubling gives y = 0, and the curve then says d y^4 + 2 y^2 = 1, whose two roots they are. */
static const uint8_t small_order_y[5][32] = {
    {0x00},
    {0x01},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
};

/* y >= p = 2^255 - 19: a second encoding of a point that has one already. */
static bool y_not_reduced(const uint8_t y[32])
{
    if ((y[31] & 0x7f) != 0x7f || y[0] < 0xed) return false;
    for (size_t i = 1; i < 31; i++)
        if (y[i] != 0xff) return false;
    return true;
}

static bool weak_key(const uint8_t key[32])
{
    uint8_t y[32];

    if (y_not_reduced(key)) return true;
    memcpy(y, key, 32);
    y[31] &= 0x7f;
    for (size_t i = 0; i < MGC__COUNT(small_order_y); i++)
        if (memcmp(y, small_order_y[i], 32) == 0) return true;
    return false;
}

/* x^2 = (y^2 - 1) / (d y^2 + 1) has a root iff the product of the two is a square mod p (RFC 8032, 5.1.3).
 * 1: on the curve, 0: not, -1: libcrypto failed. */
static int on_curve(const uint8_t key[32])
{
    static const char p_hex[] = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
    static const char d_hex[] = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";
    uint8_t bytes[32];
    int answer = -1;
    BN_CTX *bn = BN_CTX_new();
    BIGNUM *p = NULL, *d = NULL, *yy, *u, *v;

    if (bn == NULL) return -1;
    BN_CTX_start(bn);
    yy = BN_CTX_get(bn);
    u = BN_CTX_get(bn);
    v = BN_CTX_get(bn);
    memcpy(bytes, key, 32);
    bytes[31] &= 0x7f;
    if (v != NULL && BN_hex2bn(&p, p_hex) != 0 && BN_hex2bn(&d, d_hex) != 0 && BN_lebin2bn(bytes, 32, u) != NULL &&
        BN_mod_sqr(yy, u, p, bn) && BN_mod_sub(u, yy, BN_value_one(), p, bn) && BN_mod_mul(v, d, yy, p, bn) &&
        BN_mod_add(v, v, BN_value_one(), p, bn) && BN_mod_mul(u, u, v, p, bn)) {
        int symbol = BN_kronecker(u, p, bn);
        if (symbol >= -1) answer = symbol >= 0;
    }
    BN_free(p);
    BN_free(d);
    BN_CTX_end(bn);
    BN_CTX_free(bn);
    return answer;
}

mgc_status mgc_public_key_check(const uint8_t *public_key, size_t len)
{
    int found;

    if (public_key == NULL) return MGC_E_INVALID_ARG;
    if (len != MGC_PUBLIC_KEY_BYTES || weak_key(public_key)) return MGC_E_BAD_KEY;
    found = on_curve(public_key);
    ERR_clear_error();
    return found < 0 ? MGC_E_CRYPTO : found == 0 ? MGC_E_BAD_KEY : MGC_OK;
}

/* --- signing and verifying ----------------------------------------------------------------------- */

mgc_status mgc__evp_sign(EVP_PKEY *key, const uint8_t *message, size_t len, uint8_t signature[64])
{
    size_t signature_len = MGC_SIGNATURE_BYTES;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool good = md != NULL && EVP_DigestSignInit(md, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestSign(md, signature, &signature_len, message, len) == 1 &&
                signature_len == MGC_SIGNATURE_BYTES;

    EVP_MD_CTX_free(md);
    ERR_clear_error();
    return good ? MGC_OK : MGC_E_CRYPTO;
}

/* libcrypto refuses S that is not below the group's order, and R is compared as bytes. */
mgc_status mgc_signature_verify(const uint8_t *public_key, const uint8_t *message, size_t message_len,
                                const uint8_t *signature, size_t signature_len)
{
    static const uint8_t nothing[1] = {0};
    mgc_status status = MGC_E_CRYPTO;
    EVP_PKEY *key = NULL;
    EVP_MD_CTX *md = NULL;

    if (public_key == NULL || signature == NULL || (message == NULL && message_len > 0)) return MGC_E_INVALID_ARG;
    if (signature_len != MGC_SIGNATURE_BYTES) return MGC_E_BAD_SIGNATURE;
    if (weak_key(public_key)) return MGC_E_BAD_KEY;

    key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, MGC_PUBLIC_KEY_BYTES);
    md = EVP_MD_CTX_new();
    if (key != NULL && md != NULL && EVP_DigestVerifyInit(md, NULL, NULL, NULL, key) == 1)
        status = EVP_DigestVerify(md, signature, signature_len, message_len > 0 ? message : nothing, message_len) == 1
                     ? MGC_OK
                     : MGC_E_BAD_SIGNATURE;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return status;
}

/* --- with a tag ---------------------------------------------------------------------------------- */

/* tag NUL chain_id role body: one buffer, because Ed25519 reads its message twice. */
static size_t tag_message(uint8_t *message, const char *tag, const uint8_t chain_id[32], uint32_t role, const void *body,
                          size_t len)
{
    size_t tag_len = strlen(tag) + 1;

    assert(role <= UINT8_MAX && tag_len + 33 <= MGC__TAGGED_EXTRA);
    memcpy(message, tag, tag_len);
    memcpy(message + tag_len, chain_id, 32);
    message[tag_len + 32] = (uint8_t)role;
    memcpy(message + tag_len + 33, body, len);
    return tag_len + 33 + len;
}

static uint8_t *tagged_message(mgc_ctx *ctx, const char *tag, const uint8_t chain_id[32], uint32_t role,
                               const void *body, size_t len, size_t *message_len)
{
    uint8_t *message = mgc__alloc(ctx, MGC__TAGGED_EXTRA + len, 1);

    if (message != NULL) *message_len = tag_message(message, tag, chain_id, role, body, len);
    return message;
}

mgc_status mgc__verify_tagged_in(uint8_t *scratch, const uint8_t public_key[32], const char *tag,
                                 const uint8_t chain_id[32], uint32_t role, const void *body, size_t len,
                                 const uint8_t signature[64])
{
    size_t message_len = tag_message(scratch, tag, chain_id, role, body, len);

    return mgc_signature_verify(public_key, scratch, message_len, signature, MGC_SIGNATURE_BYTES);
}

mgc_status mgc__sign_tagged(mgc_ctx *ctx, const mgc_key *key, const char *tag, const uint8_t chain_id[32],
                            uint32_t role, const void *body, size_t len, uint8_t signature[64])
{
    size_t message_len;
    uint8_t *message = tagged_message(ctx, tag, chain_id, role, body, len, &message_len);
    uint8_t hash[32];
    mgc_status status;

    if (message == NULL) return mgc__no_memory(ctx, "crypto: a message to sign");
    status = mgc_key_sign(key, message, message_len, signature);
    mgc__free(ctx, message);
    if (status != MGC_OK) return status;
    mgc__verified_hash(mgc__key_public(key), tag, chain_id, role, body, len, signature, hash);
    mgc__verified_now(ctx, hash); /* the own votes are met again, too */
    return MGC_OK;
}

mgc_status mgc__verify_tagged(mgc_ctx *ctx, const uint8_t public_key[32], const char *tag, const uint8_t chain_id[32],
                              uint32_t role, const void *body, size_t len, const uint8_t signature[64])
{
    size_t message_len;
    uint8_t *message, hash[32];
    mgc_status status;

    mgc__verified_hash(public_key, tag, chain_id, role, body, len, signature, hash);
    if (mgc__verified_before(ctx, hash)) return MGC_OK;
    message = tagged_message(ctx, tag, chain_id, role, body, len, &message_len);
    if (message == NULL) return mgc__no_memory(ctx, "crypto: a message to verify");
    status = mgc_signature_verify(public_key, message, message_len, signature, MGC_SIGNATURE_BYTES);
    mgc__free(ctx, message);
    if (status == MGC_OK) mgc__verified_now(ctx, hash);
    return status;
}
