/* SPDX-License-Identifier: Apache-2.0 */
/* Published vectors, from the folder in MGC_TEST_PUBLISHED: NIST CAVP SHA-256, RFC 8032, Wycheproof Ed25519, RFC 6962
 * trees, transparency-dev probes. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/crypto.h"

static char *path_of(const char *name)
{
    static char path[512];
    const char *root = getenv("MGC_TEST_PUBLISHED");

    if (root == NULL) {
        printf("# SKIP %s: MGC_TEST_PUBLISHED is not set\n", name);
        return NULL;
    }
    snprintf(path, sizeof path, "%s/vectors/%s", root, name);
    return path;
}

static json_t *load(const char *name)
{
    char *path = path_of(name);
    json_t *json = path == NULL ? NULL : json_load_file(path, 0, NULL);

    if (path != NULL && json == NULL) printf("# SKIP %s: not there\n", name);
    return json;
}

static size_t unhex(const char *text, uint8_t *bytes)
{
    size_t len = strlen(text) / 2;

    for (size_t i = 0; i < len; i++) {
        unsigned value;
        ck_assert_int_eq(sscanf(text + 2 * i, "%2x", &value), 1);
        bytes[i] = (uint8_t)value;
    }
    return len;
}

static const char *string_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* --- SHA-256 ------------------------------------------------------------------------------------- */

static void try_rsp(const char *name, size_t at_least)
{
    static char line[140000];
    static uint8_t message[70000];
    char *path = path_of(name);
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    size_t bits = 0, count = 0;
    uint8_t want[32], got[32];

    if (file == NULL) return;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (sscanf(line, "Len = %zu", &bits) == 1) continue;
        if (strncmp(line, "Msg = ", 6) == 0) unhex(line + 6, message);
        if (strncmp(line, "MD = ", 5) != 0) continue;
        unhex(line + 5, want);
        ck_assert_int_eq(mgc_sha256(message, bits / 8, got), MGC_OK);
        ck_assert_mem_eq(got, want, 32);
        mgc__sha256 s; /* and in three uneven pieces */
        size_t len = bits / 8, a = len / 3, b = len - len / 5;
        mgc__sha256_init(&s);
        mgc__sha256_put(&s, message, a);
        mgc__sha256_put(&s, message + a, b - a);
        mgc__sha256_put(&s, message + b, len - b);
        mgc__sha256_end(&s, got);
        ck_assert_mem_eq(got, want, 32);
        count++;
    }
    fclose(file);
    ck_assert_uint_ge(count, at_least);
}

START_TEST(sha256_nist)
{
    try_rsp("sha256/SHA256ShortMsg.rsp", 65);
    try_rsp("sha256/SHA256LongMsg.rsp", 64);
}
END_TEST

/* --- Ed25519 ------------------------------------------------------------------------------------- */

START_TEST(ed25519_rfc8032)
{
    json_t *json = load("ed25519/rfc8032.json"), *vector;
    static uint8_t message[4096];
    uint8_t seed[32], public_key[32], signature[64], got[64];
    size_t i;
    mgc_ctx *ctx;

    if (json == NULL) return;
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    ck_assert_uint_ge(json_array_size(json_object_get(json, "vectors")), 5);
    json_array_foreach(json_object_get(json, "vectors"), i, vector)
    {
        const char *text =
            string_at(vector, "signature") != NULL ? string_at(vector, "signature") : string_at(vector, "sig");
        mgc_key *key;
        unhex(string_at(vector, "secret"), seed);
        unhex(string_at(vector, "public"), public_key);
        size_t len = unhex(string_at(vector, "message"), message);
        ck_assert_uint_eq(unhex(text, signature), 64);

        ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &key), MGC_OK);
        ck_assert_int_eq(mgc_key_public(key, got), MGC_OK);
        ck_assert_mem_eq(got, public_key, 32);
        ck_assert_int_eq(mgc_key_sign(key, message, len, got), MGC_OK);
        ck_assert_mem_eq(got, signature, 64);
        ck_assert_int_eq(mgc_signature_verify(public_key, message, len, signature, 64), MGC_OK);
        ck_assert_int_eq(mgc_public_key_check(public_key, 32), MGC_OK);
        mgc_key_destroy(key);
    }
    mgc_ctx_destroy(ctx);
    json_decref(json);
}
END_TEST

START_TEST(ed25519_wycheproof) /* faults 8, 9 */
{
    json_t *json = load("ed25519/wycheproof_ed25519_test.json"), *group, *test;
    static uint8_t message[8192];
    uint8_t public_key[32], signature[256];
    size_t i, j, valid = 0, invalid = 0;

    if (json == NULL) return;
    json_array_foreach(json_object_get(json, "testGroups"), i, group)
    {
        unhex(string_at(json_object_get(group, "publicKey"), "pk"), public_key);
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            size_t len = unhex(string_at(test, "msg"), message),
                   signature_len = unhex(string_at(test, "sig"), signature);
            bool want = strcmp(string_at(test, "result"), "valid") == 0;
            mgc_status got = mgc_signature_verify(public_key, message, len, signature, signature_len);
            ck_assert_msg((got == MGC_OK) == want, "tcId %d (%s): %s",
                          (int)json_integer_value(json_object_get(test, "tcId")), string_at(test, "comment"),
                          mgc_status_name(got));
            if (want) valid++;
            else invalid++;
        }
    }
    ck_assert_uint_eq(valid + invalid, 151);
    ck_assert_uint_gt(invalid, 50);
    json_decref(json);
}
END_TEST

/* --- Merkle trees -------------------------------------------------------------------------------- */

static void leaf_of(void *user, uint64_t i, uint8_t hash[32])
{
    memcpy(hash, (uint8_t(*)[32])user + i, 32);
}

/* A proof as the file has it against ours, and ours verified. */
static size_t same_path(const json_t *path, const mgc__proof *proof)
{
    uint8_t want[32];

    ck_assert_uint_eq(json_array_size(path), proof->n);
    for (uint32_t k = 0; k < proof->n; k++) {
        unhex(json_string_value(json_array_get(path, k)), want);
        ck_assert_mem_eq(want, proof->path[k], 32);
    }
    return 1;
}

static uint64_t number_at(const json_t *object, const char *key)
{
    const json_t *found = json_object_get(object, key);
    ck_assert_msg(found != NULL, "no %s", key);
    return (uint64_t)json_integer_value(found);
}

START_TEST(merkle_rfc6962)
{
    json_t *json = load("merkle/rfc6962-n1to8.json"), *item;
    uint8_t leaves[8][32], roots[9][32], want[32], data[64];
    size_t i, inclusions = 0, consistencies = 0;
    mgc__merkle m;
    mgc__proof proof;

    if (json == NULL) return;
    mgc__merkle_init(&m);
    for (size_t n = 0; n <= 8; n++) {
        if (n > 0) {
            mgc__merkle_leaf(data,
                             unhex(json_string_value(json_array_get(json_object_get(json, "leaves"), n - 1)), data),
                             leaves[n - 1]);
            unhex(json_string_value(json_array_get(json_object_get(json, "leaf_hashes"), n - 1)), want);
            ck_assert_mem_eq(leaves[n - 1], want, 32);
            mgc__merkle_push(&m, leaves[n - 1]);
        }
        mgc__merkle_root(&m, roots[n]);
        unhex(json_string_value(json_array_get(json_object_get(json, "roots"), n)), want);
        ck_assert_mem_eq(roots[n], want, 32);
    }
    json_array_foreach(json_object_get(json, "inclusion"), i, item)
    {
        uint64_t n = number_at(item, "size"), index = number_at(item, "index");
        ck_assert_int_eq(mgc__merkle_inclusion(leaf_of, leaves, n, index, &proof), MGC_OK);
        inclusions += same_path(json_object_get(item, "proof"), &proof);
        ck_assert_int_eq(mgc__merkle_verify_inclusion(index, n, leaves[index], proof.path[0], proof.n, roots[n]),
                         MGC_OK);
    }
    json_array_foreach(json_object_get(json, "consistency"), i, item)
    {
        uint64_t a = number_at(item, "size1"), b = number_at(item, "size2");
        ck_assert_int_eq(mgc__merkle_consistency(leaf_of, leaves, a, b, &proof), MGC_OK);
        consistencies += same_path(json_object_get(item, "proof"), &proof);
        ck_assert_int_eq(mgc__merkle_verify_consistency(a, b, proof.path[0], proof.n, roots[a], roots[b]), MGC_OK);
    }
    ck_assert_uint_eq(inclusions, 36);
    ck_assert_uint_eq(consistencies, 36);
    json_decref(json);
}
END_TEST

static size_t unbase64(const char *text, uint8_t *bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t word = 0, bits = 0;
    size_t len = 0;

    for (; text != NULL && *text != '\0' && *text != '='; text++) {
        word = word << 6 | (uint32_t)(strchr(digits, *text) - digits);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes[len++] = (uint8_t)(word >> bits);
    }
    return len;
}

/* The path of a probe; one whose hashes are not 32 bytes cannot even be said here. */
static bool probe_path(const json_t *probe, uint8_t (*path)[32], size_t *n)
{
    const json_t *list = json_object_get(probe, "proof");
    uint8_t bytes[256];

    *n = json_array_size(list);
    ck_assert_uint_le(*n, 64);
    for (size_t i = 0; i < *n; i++) {
        if (unbase64(json_string_value(json_array_get(list, i)), bytes) != 32) return false;
        memcpy(path[i], bytes, 32);
    }
    return true;
}

/* Jansson's integers are signed and some sizes are 2^64 - 1: numbers are read as doubles, which hold all that
 * occur. */
static json_t *load_probes(const char *name)
{
    char *path = path_of(name);
    return path == NULL ? NULL : json_load_file(path, JSON_DECODE_INT_AS_REAL, NULL);
}

static uint64_t real_number(const json_t *probe, const char *key)
{
    double value = json_number_value(json_object_get(probe, key));
    return value >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)value;
}

/* Some roots say "don't care" in fewer bytes: they are filled up with zeros.  More than 32 cannot be said here. */
static bool unhash(const json_t *probe, const char *key, uint8_t hash[64])
{
    memset(hash, 0, 64);
    return unbase64(string_at(probe, key), hash) <= 32;
}

START_TEST(merkle_probes)
{
    json_t *inclusion = load_probes("merkle/transparency-dev-inclusion.json"), *probe;
    json_t *consistency = load_probes("merkle/transparency-dev-consistency.json");
    uint8_t path[64][32], a[64], b[64];
    size_t i, n, good = 0, bad = 0;

    json_array_foreach(inclusion, i, probe)
    {
        bool sizes = unbase64(string_at(probe, "root"), a) == 32 && unbase64(string_at(probe, "leafHash"), b) == 32;
        bool want = !json_is_true(json_object_get(probe, "wantErr"));
        bool got = probe_path(probe, path, &n) && sizes &&
                   mgc__merkle_verify_inclusion(real_number(probe, "leafIdx"), real_number(probe, "treeSize"), b,
                                                path[0], n, a) == MGC_OK;
        ck_assert_msg(got == want, "%s", string_at(probe, "file"));
        if (want) good++;
        else bad++;
    }
    json_array_foreach(consistency, i, probe)
    {
        bool sizes = unhash(probe, "root1", a) && unhash(probe, "root2", b);
        bool want = !json_is_true(json_object_get(probe, "wantErr"));
        bool got = probe_path(probe, path, &n) && sizes &&
                   mgc__merkle_verify_consistency(real_number(probe, "size1"), real_number(probe, "size2"), path[0],
                                                  n, a, b) == MGC_OK;
        ck_assert_msg(got == want, "%s", string_at(probe, "file"));
        if (want) good++;
        else bad++;
    }
    if (inclusion != NULL && consistency != NULL) {
        ck_assert_uint_eq(good, 12);
        ck_assert_uint_eq(bad, 184);
    }
    json_decref(inclusion);
    json_decref(consistency);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("crypto-vectors");
    TCase *tcase = tcase_create("vectors");

    tcase_set_timeout(tcase, 100);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, sha256_nist);
    tcase_add_test(tcase, ed25519_rfc8032);
    tcase_add_test(tcase, ed25519_wycheproof);
    tcase_add_test(tcase, merkle_rfc6962);
    tcase_add_test(tcase, merkle_probes);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
