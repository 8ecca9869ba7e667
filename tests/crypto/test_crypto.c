/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/crypto.h"

static mgc_ctx *ctx;
static const uint8_t seed[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

START_TEST(a_tag_is_hashed_with_its_nul)
{
    uint8_t a[32], b[32];

    mgc__hash_tagged("ab", "c", 1, a);
    ck_assert_int_eq(mgc_sha256((const uint8_t *)"ab\0c", 4, b), MGC_OK);
    ck_assert_mem_eq(a, b, 32);
    mgc__hash_tagged("a", "bc", 2, b);
    ck_assert_mem_ne(a, b, 32);
    mgc__hash_tagged2("ab", "", 0, "c", 1, b);
    ck_assert_mem_eq(a, b, 32);
}
END_TEST

/* --- Merkle: every tree up to 40 leaves against the definition ----------------------------------- */

static uint8_t leaves[40][32];

static void leaf_of(void *user, uint64_t i, uint8_t hash[32])
{
    (void)user;
    memcpy(hash, leaves[i], 32);
}

/* MTH of RFC 6962, section 2.1, word for word. */
static void mth(size_t first, size_t n, uint8_t root[32])
{
    uint8_t left[32], right[32];
    size_t k = 1;

    if (n == 1) {
        memcpy(root, leaves[first], 32);
        return;
    }
    while (2 * k < n) k *= 2;
    mth(first, k, left);
    mth(first + k, n - k, right);
    mgc__merkle_node(left, right, root);
}

START_TEST(merkle_trees_up_to_40)
{
    uint8_t roots[41][32], bad[32];
    mgc__merkle m;
    mgc__proof proof;

    mgc__merkle_init(&m);
    for (size_t n = 1; n <= 40; n++) {
        mgc__merkle_leaf(&n, sizeof n, leaves[n - 1]);
        mgc__merkle_push(&m, leaves[n - 1]);
        mgc__merkle_root(&m, roots[n]);
        mth(0, n, bad);
        ck_assert_mem_eq(roots[n], bad, 32);
    }
    for (size_t n = 1; n <= 40; n++)
        for (size_t i = 0; i < n; i++) {
            ck_assert_int_eq(mgc__merkle_inclusion(leaf_of, NULL, n, i, &proof), MGC_OK);
            ck_assert_int_eq(mgc__merkle_verify_inclusion(i, n, leaves[i], proof.path[0], proof.n, roots[n]), MGC_OK);
            ck_assert_int_eq(mgc__merkle_verify_inclusion(i, n, leaves[i], proof.path[0], proof.n + 1, roots[n]),
                             MGC_E_BAD_PROOF);
            if (proof.n > 0)
                ck_assert_int_eq(mgc__merkle_verify_inclusion(i, n, leaves[i], proof.path[0], proof.n - 1, roots[n]),
                                 MGC_E_BAD_PROOF);
            for (size_t j = 0; j < n; j++)
                if (j != i)
                    ck_assert_int_eq(mgc__merkle_verify_inclusion(j, n, leaves[i], proof.path[0], proof.n, roots[n]),
                                     MGC_E_BAD_PROOF);

            ck_assert_int_eq(mgc__merkle_consistency(leaf_of, NULL, i + 1, n, &proof), MGC_OK);
            ck_assert_int_eq(mgc__merkle_verify_consistency(i + 1, n, proof.path[0], proof.n, roots[i + 1], roots[n]),
                             MGC_OK);
            ck_assert_int_eq(
                mgc__merkle_verify_consistency(i + 1, n, proof.path[0], proof.n + 1, roots[i + 1], roots[n]),
                MGC_E_BAD_PROOF);
            if (i + 1 == n) continue;
            ck_assert_int_eq(
                mgc__merkle_verify_consistency(i + 1, n, proof.path[0], proof.n - 1, roots[i + 1], roots[n]),
                MGC_E_BAD_PROOF);
            memcpy(bad, roots[i + 1], 32);
            bad[5] ^= 1;
            ck_assert_int_eq(mgc__merkle_verify_consistency(i + 1, n, proof.path[0], proof.n, bad, roots[n]),
                             MGC_E_BAD_PROOF);
            ck_assert_int_eq(mgc__merkle_verify_consistency(i + 1, n, proof.path[0], proof.n, roots[i + 1], bad),
                             MGC_E_BAD_PROOF);
        }
    ck_assert_int_eq(mgc__merkle_inclusion(leaf_of, NULL, 3, 3, &proof), MGC_E_RANGE);
    ck_assert_int_eq(mgc__merkle_consistency(leaf_of, NULL, 0, 3, &proof), MGC_E_RANGE);
    ck_assert_int_eq(mgc__merkle_consistency(leaf_of, NULL, 4, 3, &proof), MGC_E_RANGE);
}
END_TEST

/* --- keys ---------------------------------------------------------------------------------------- */

static const uint8_t p_minus_1[32] = {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};

START_TEST(weak_keys_are_refused) /* faults 10 */
{
    static const uint8_t order_8[2][32] = {
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
         0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
         0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}};
    uint8_t key[32] = {0};

    for (int sign = 0; sign <= 0x80; sign += 0x80) {
        for (uint8_t y = 0; y <= 1; y++) {
            memset(key, 0, 32);
            key[0] = y;
            key[31] = (uint8_t)sign;
            ck_assert_int_eq(mgc_public_key_check(key, 32), MGC_E_BAD_KEY);
        }
        for (int i = 0; i < 2; i++) {
            memcpy(key, order_8[i], 32);
            key[31] |= (uint8_t)sign;
            ck_assert_int_eq(mgc_public_key_check(key, 32), MGC_E_BAD_KEY);
        }
        for (int above = 0; above < 20; above++) { /* p - 1, and every encoding of y >= p there is */
            memcpy(key, p_minus_1, 32);
            key[0] = (uint8_t)(key[0] + above);
            key[31] |= (uint8_t)sign;
            ck_assert_int_eq(mgc_public_key_check(key, 32), MGC_E_BAD_KEY);
        }
    }
    mgc_key *good;
    ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &good), MGC_OK);
    ck_assert_int_eq(mgc_public_key_check(mgc__key_public(good), 32), MGC_OK);
    ck_assert_int_eq(mgc_public_key_check(mgc__key_public(good), 31), MGC_E_BAD_KEY);
    ck_assert_int_eq(mgc_public_key_check(mgc__key_public(good), 33), MGC_E_BAD_KEY);
    mgc_key_destroy(good);
    memset(key, 0, 32);
    key[0] = 2; /* (y^2 - 1) / (d y^2 + 1) is no square for y = 2: not on the curve (RFC 8032, 5.1.3) */
    ck_assert_int_eq(mgc_public_key_check(key, 32), MGC_E_BAD_KEY);
}
END_TEST

/* Half of all y are on the curve: the check must say so for keys that libcrypto makes, and for about half of random
 * ones. */
START_TEST(the_curve_check_agrees_with_real_keys)
{
    mgc__rng rng;
    size_t on = 0;

    mgc__rng_seed(&rng, 3);
    for (int i = 0; i < 200; i++) {
        uint8_t bytes[32];
        mgc_key *key;

        for (size_t k = 0; k < 32; k++) bytes[k] = (uint8_t)mgc__rng_next(&rng);
        ck_assert_int_eq(mgc_key_from_seed(ctx, bytes, &key), MGC_OK);
        ck_assert_int_eq(mgc_public_key_check(mgc__key_public(key), 32), MGC_OK);
        mgc_key_destroy(key);
        on += mgc_public_key_check(bytes, 32) == MGC_OK;
    }
    ck_assert_uint_gt(on, 70);
    ck_assert_uint_lt(on, 130);
}
END_TEST

START_TEST(signatures_bind_everything) /* faults 7-9 */
{
    /* the group's order 2^252 + 27742317777372353535851937790883648493, little-endian */
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                      0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    uint8_t chain[32] = {7}, other[32] = {8}, signature[64], body[3] = {1, 2, 3};
    const uint8_t *public_key;
    mgc_key *key;

    ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &key), MGC_OK);
    public_key = mgc__key_public(key);
    ck_assert_int_eq(mgc__sign_tagged(ctx, key, "mgchain/tx/1", chain, 3, body, 3, signature), MGC_OK);
    ck_assert_int_eq(mgc__verify_tagged(ctx, public_key, "mgchain/tx/1", chain, 3, body, 3, signature), MGC_OK);
    ck_assert_int_eq(mgc__verify_tagged(ctx, public_key, "mgchain/tx/2", chain, 3, body, 3, signature),
                     MGC_E_BAD_SIGNATURE);
    ck_assert_int_eq(mgc__verify_tagged(ctx, public_key, "mgchain/tx/1", other, 3, body, 3, signature),
                     MGC_E_BAD_SIGNATURE);
    ck_assert_int_eq(mgc__verify_tagged(ctx, public_key, "mgchain/tx/1", chain, 4, body, 3, signature),
                     MGC_E_BAD_SIGNATURE);
    ck_assert_int_eq(mgc__verify_tagged(ctx, public_key, "mgchain/tx/1", chain, 3, body, 2, signature),
                     MGC_E_BAD_SIGNATURE);
    ck_assert_int_eq(mgc_signature_verify(public_key, body, 3, signature, 63), MGC_E_BAD_SIGNATURE);
    ck_assert_int_eq(mgc_signature_verify(public_key, body, 3, signature, 65), MGC_E_BAD_SIGNATURE);
    ck_assert_int_eq(mgc_signature_verify(p_minus_1, body, 3, signature, 64), MGC_E_BAD_KEY);

    uint32_t carry = 0;
    for (size_t i = 0; i < 32; i++) {
        carry += (uint32_t)signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    ck_assert_int_eq(mgc__verify_tagged(ctx, public_key, "mgchain/tx/1", chain, 3, body, 3, signature),
                     MGC_E_BAD_SIGNATURE);
    mgc_key_destroy(key);
}
END_TEST

/* --- what was good before -------------------------------------------------------------------------- */

START_TEST(what_fitted_is_known_again_and_nothing_else)
{
    static const char tag[] = "mgchain/tx/1";
    uint8_t chain[32] = {7}, other_chain[32] = {8}, key[32], signature[64], hash[32], another[32], scratch[100], body[3] = {1, 2, 3};
    mgc_ctx *other;
    mgc_key *own;

    ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &own), MGC_OK);
    memcpy(key, mgc__key_public(own), 32);
    ck_assert_int_eq(mgc__sign_tagged(ctx, own, tag, chain, 3, body, 3, signature), MGC_OK);
    mgc__verified_hash(key, tag, chain, 3, body, 3, signature, hash);
    ck_assert(mgc__verified_before(ctx, hash)); /* who signed knows */

    ck_assert_int_eq(mgc_ctx_create(NULL, &other), MGC_OK);
    ck_assert(!mgc__verified_before(other, hash));
    for (int twice = 0; twice < 2; twice++) { /* what does not fit is never known */
        signature[5] ^= 1;
        mgc__verified_hash(key, tag, chain, 3, body, 3, signature, another);
        ck_assert_int_eq(mgc__verify_tagged(other, key, tag, chain, 3, body, 3, signature), MGC_E_BAD_SIGNATURE);
        ck_assert_int_eq(mgc__verify_tagged_once(other, scratch, key, tag, chain, 3, body, 3, signature), MGC_E_BAD_SIGNATURE);
        ck_assert(!mgc__verified_before(other, another));
        signature[5] ^= 1;
    }
    ck_assert_int_eq(mgc__verify_tagged_once(other, scratch, key, tag, chain, 3, body, 3, signature), MGC_OK);
    ck_assert(mgc__verified_before(other, hash));
    mgc__verified_hash(key, tag, chain, 3, body, 2, signature, another);
    ck_assert(!mgc__verified_before(other, another));
    mgc__verified_hash(key, tag, chain, 4, body, 3, signature, another);
    ck_assert(!mgc__verified_before(other, another));
    mgc__verified_hash(key, tag, other_chain, 3, body, 3, signature, another);
    ck_assert(!mgc__verified_before(other, another));
    mgc__verified_hash(key, "mgchain/tx/2", chain, 3, body, 3, signature, another);
    ck_assert(!mgc__verified_before(other, another));
    key[0] ^= 1;
    mgc__verified_hash(key, tag, chain, 3, body, 3, signature, another);
    ck_assert(!mgc__verified_before(other, another));
    key[0] ^= 1;
    mgc_ctx_destroy(other);
    mgc_key_destroy(own);
}
END_TEST

START_TEST(keys_survive_their_pem)
{
    char pem[MGC_PEM_BYTES_MAX];
    size_t len, short_len;
    uint8_t a[64], b[64];
    mgc_key *key, *again;

    ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &key), MGC_OK);
    ck_assert_int_eq(mgc_key_to_pem(key, "seven77", pem, sizeof pem, &len), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_key_to_pem(key, "a long enough phrase", pem, 64, &short_len), MGC_E_TOO_LARGE);
    ck_assert_int_eq(mgc_key_to_pem(key, "a long enough phrase", pem, sizeof pem, &len), MGC_OK);
    ck_assert_ptr_nonnull(strstr(pem, "BEGIN ENCRYPTED PRIVATE KEY"));
    ck_assert_uint_eq(strlen(pem), len);
    ck_assert_int_eq(mgc_key_from_pem(ctx, pem, len, "another phrase", &again), MGC_E_BAD_KEY);
    ck_assert_ptr_null(again);
    ck_assert_int_eq(mgc_key_from_pem(ctx, pem, len, NULL, &again), MGC_E_BAD_KEY);
    ck_assert_int_eq(mgc_key_from_pem(ctx, pem, len / 2, "a long enough phrase", &again), MGC_E_BAD_KEY);
    ck_assert_int_eq(mgc_key_from_pem(ctx, pem, len, "a long enough phrase", &again), MGC_OK);
    ck_assert_int_eq(mgc_key_sign(key, a, 0, a), MGC_OK);
    ck_assert_int_eq(mgc_key_sign(again, a, 0, b), MGC_OK);
    ck_assert_mem_eq(a, b, 64);
    mgc_key_destroy(key);
    mgc_key_destroy(again);
}
END_TEST

struct module {
    mgc_key *inner;
    int32_t answer;
    bool lie;
};

static int32_t module_sign(void *user, const uint8_t *message, size_t len, uint8_t *signature)
{
    struct module *m = user;

    if (m->answer == MGC_CB_DONE) ck_assert_int_eq(mgc_key_sign(m->inner, message, len, signature), MGC_OK);
    if (m->lie) signature[3] ^= 1;
    return m->answer;
}

START_TEST(a_module_signs_behind_a_callback)
{
    struct module module = {.answer = MGC_CB_DONE};
    uint8_t signature[64];
    char pem[100];
    size_t len;
    mgc_key *key;

    ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &module.inner), MGC_OK);
    ck_assert_int_eq(mgc_key_from_callback(ctx, p_minus_1, module_sign, &module, &key), MGC_E_BAD_KEY);
    ck_assert_int_eq(mgc_key_from_callback(ctx, mgc__key_public(module.inner), module_sign, &module, &key), MGC_OK);
    ck_assert_int_eq(mgc_key_sign(key, (const uint8_t *)"hello", 5, signature), MGC_OK);
    ck_assert_int_eq(mgc_signature_verify(mgc__key_public(key), (const uint8_t *)"hello", 5, signature, 64), MGC_OK);
    ck_assert_int_eq(mgc_key_to_pem(key, "long enough", pem, sizeof pem, &len), MGC_E_STATE);
    module.lie = true;
    ck_assert_int_eq(mgc_key_sign(key, (const uint8_t *)"hello", 5, signature), MGC_E_BAD_SIGNATURE);
    module.lie = false;
    module.answer = 0;
    ck_assert_int_eq(mgc_key_sign(key, (const uint8_t *)"hello", 5, signature), MGC_E_CALLBACK);
    module.answer = MGC_E_IO;
    ck_assert_int_eq(mgc_key_sign(key, (const uint8_t *)"hello", 5, signature), MGC_E_IO);
    mgc_key_destroy(key);
    mgc_key_destroy(module.inner);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crypto");
    TCase *tcase = tcase_create("crypto");

    tcase_set_timeout(tcase, 100);
    tcase_add_checked_fixture(tcase, setup, teardown);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, a_tag_is_hashed_with_its_nul);
    tcase_add_test(tcase, merkle_trees_up_to_40);
    tcase_add_test(tcase, weak_keys_are_refused);
    tcase_add_test(tcase, the_curve_check_agrees_with_real_keys);
    tcase_add_test(tcase, signatures_bind_everything);
    tcase_add_test(tcase, what_fitted_is_known_again_and_nothing_else);
    tcase_add_test(tcase, keys_survive_their_pem);
    tcase_add_test(tcase, a_module_signs_behind_a_callback);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
