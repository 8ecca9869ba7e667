/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/cbor.h"

/* Read everything and write it again. */
static mgc_status recode(const uint8_t *bytes, size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
    mgc__cbor_reader r;
    mgc__cbor_writer w;
    mgc__cbor_item item;
    mgc_status status;

    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_to_fixed(&w, out, cap);
    while (mgc__cbor_next(&r, &item)) {
        switch (item.type) {
        case MGC__CBOR_UINT: mgc__cbor_put_uint(&w, item.value); break;
        case MGC__CBOR_NINT: mgc__cbor_put_nint(&w, item.value); break;
        case MGC__CBOR_BYTES: mgc__cbor_put_bytes(&w, item.bytes, item.len); break;
        case MGC__CBOR_TEXT: mgc__cbor_put_text(&w, (const char *)item.bytes, item.len); break;
        case MGC__CBOR_ARRAY: mgc__cbor_put_array(&w, item.value); break;
        case MGC__CBOR_MAP: mgc__cbor_put_map(&w, item.value); break;
        case MGC__CBOR_TRUE: mgc__cbor_put_bool(&w, true); break;
        case MGC__CBOR_FALSE: mgc__cbor_put_bool(&w, false); break;
        case MGC__CBOR_NULL: mgc__cbor_put_null(&w); break;
        default: ck_abort_msg("item type %u", item.type);
        }
    }
    status = mgc__cbor_finish(&r);
    if (status == MGC_OK) ck_assert_int_eq(w.status, MGC_OK);
    *out_len = w.len;
    return status;
}

/* A second reader in the other style, recursive descent: bytes used by one canonical item, or -1. */
static long reference_item(const uint8_t *b, long len, int depth)
{
    uint64_t n;
    long used = 1, extra;
    int major, info;

    if (len < 1) return -1;
    major = b[0] >> 5;
    info = b[0] & 31;
    if (major == 7) return info == 20 || info == 21 || info == 22 ? 1 : -1;
    if (major == 6 || info > 27) return -1;
    n = (uint64_t)info;
    if (info >= 24) {
        extra = 1L << (info - 24);
        if (len < 1 + extra) return -1;
        for (n = 0; used <= extra; used++) n = n << 8 | b[used];
        if (extra == 1 ? n < 24 : n >> (4 * extra) == 0) return -1;
    }
    if (major <= 1) return used;
    if (major <= 3) {
        if (n > (uint64_t)(len - used)) return -1;
        if (major == 3 && !mgc__utf8_valid(b + used, (size_t)n)) return -1;
        return used + (long)n;
    }
    if (depth == 8) return -1;
    long last = -1;
    for (uint64_t i = 0; i < (major == 5 ? 2 : 1) * n; i++) {
        bool key = major == 5 && i % 2 == 0;
        long step = reference_item(b + used, len - used, depth + 1);
        if (step < 0 || (key && b[used] >> 5 != 0)) return -1;
        /* shortest forms order like their bytes, a longer one after a shorter */
        if (key && last >= 0 &&
            (b[used] < b[last] || (b[used] == b[last] && memcmp(b + last, b + used, (size_t)step) >= 0)))
            return -1;
        if (key) last = used;
        used += step;
    }
    return used;
}

/* Every byte string of up to three bytes: 16.8 million inputs. */
START_TEST(all_short_inputs) /* faults 16-22 */
{
    uint8_t out[16];
    size_t out_len, accepted[4] = {0};

    for (size_t len = 0; len <= 3; len++)
        for (uint32_t code = 0; code < 1u << (8 * len); code++) {
            uint8_t in[3] = {(uint8_t)code, (uint8_t)(code >> 8), (uint8_t)(code >> 16)};
            mgc_status status = mgc__cbor_check(in, len);
            bool want = reference_item(in, (long)len, 0) == (long)len;

            if ((status == MGC_OK) != want) ck_abort_msg("%zu bytes %06x: %s", len, code, mgc_status_name(status));
            if (status != MGC_OK) continue;
            accepted[len]++;
            if (recode(in, len, out, sizeof out, &out_len) != MGC_OK || out_len != len || memcmp(in, out, len) != 0)
                ck_abort_msg("%zu bytes %06x are written differently", len, code);
        }
    /* By hand: 24 + 24 integers, two empty strings, [], {}, three simple values; and one byte more:
     * integers 24..255 twice, h'xx', 128 one-letter texts, [one of the 55]. */
    ck_assert_uint_eq(accepted[0], 0);
    ck_assert_uint_eq(accepted[1], 55);
    ck_assert_uint_eq(accepted[2], 232 + 232 + 256 + 128 + 55);
}
END_TEST

/* A random canonical item, and the same with a byte changed, cut or added. */
static void random_item(mgc__rng *rng, mgc__cbor_writer *w, uint32_t depth)
{
    static const uint64_t edges[] = {0, 23, 24, 255, 256, 65535, 65536, 4294967295u, 4294967296u, UINT64_MAX};
    uint64_t kind = mgc__rng_below(rng, depth < 4 ? 8 : 6), n = mgc__rng_below(rng, 4), key = 0;

    if (kind == 0) mgc__cbor_put_uint(w, edges[mgc__rng_below(rng, 10)]);
    if (kind == 1) mgc__cbor_put_nint(w, edges[mgc__rng_below(rng, 10)]);
    if (kind == 2) mgc__cbor_put_bytes(w, "\x00\xff\x80", (size_t)n);
    if (kind == 3) mgc__cbor_put_text(w, "zu\xc3\xa4", n == 3 ? 4 : (size_t)n);
    if (kind == 4) mgc__cbor_put_bool(w, n % 2 == 0);
    if (kind == 5) mgc__cbor_put_null(w);
    if (kind == 6) mgc__cbor_put_array(w, n);
    if (kind == 7) mgc__cbor_put_map(w, n);
    for (uint64_t i = 0; kind >= 6 && i < n; i++) {
        key += 1 + mgc__rng_below(rng, 300);
        if (kind == 7) mgc__cbor_put_uint(w, key);
        random_item(rng, w, depth + 1);
    }
}

START_TEST(random_and_mutated_inputs) /* faults 16-28 */
{
    uint8_t in[4096], out[4100];
    size_t out_len, changed_accepted = 0;
    mgc__rng rng;

    mgc__rng_seed(&rng, 20260101);
    for (int round = 0; round < 200000; round++) {
        mgc__cbor_writer w;
        size_t len;

        mgc__cbor_to_fixed(&w, in, sizeof in - 1);
        random_item(&rng, &w, 0);
        ck_assert_int_eq(w.status, MGC_OK);
        len = w.len;
        ck_assert_int_eq(mgc__cbor_check(in, len), MGC_OK);
        ck_assert_int_eq(mgc__cbor_check(in, len - 1), len == 1 ? MGC_E_TRUNCATED : mgc__cbor_check(in, len - 1));
        ck_assert_int_ne(mgc__cbor_check(in, len - 1), MGC_OK);
        in[len] = 0;
        ck_assert_int_eq(mgc__cbor_check(in, len + 1), MGC_E_NONCANONICAL);

        in[mgc__rng_below(&rng, len)] ^= (uint8_t)(1u << mgc__rng_below(&rng, 8));
        ck_assert_int_eq(mgc__cbor_check(in, len) == MGC_OK, reference_item(in, (long)len, 0) == (long)len);
        if (mgc__cbor_check(in, len) != MGC_OK) continue;
        changed_accepted++;
        ck_assert_int_eq(recode(in, len, out, sizeof out, &out_len), MGC_OK);
        ck_assert_uint_eq(out_len, len);
        ck_assert_mem_eq(in, out, len);
    }
    ck_assert_uint_gt(changed_accepted, 1000);
}
END_TEST

/* One input a rule. */
START_TEST(each_rule_has_its_code) /* faults 16-22, 26-28, 30 */
{
    static const struct {
        const char *what, *bytes;
        size_t len;
        mgc_status want;
    } cases[] = {
        {"nothing", "", 0, MGC_E_TRUNCATED},
        {"non-minimal 23", "\x18\x17", 2, MGC_E_NONCANONICAL},
        {"non-minimal 255", "\x19\x00\xff", 3, MGC_E_NONCANONICAL},
        {"non-minimal 65535", "\x1a\x00\x00\xff\xff", 5, MGC_E_NONCANONICAL},
        {"non-minimal 2^32-1", "\x1b\x00\x00\x00\x00\xff\xff\xff\xff", 9, MGC_E_NONCANONICAL},
        {"non-minimal length", "\x58\x01\x00", 3, MGC_E_NONCANONICAL},
        {"indefinite bytes", "\x5f\xff", 2, MGC_E_NONCANONICAL},
        {"indefinite array", "\x9f\xff", 2, MGC_E_NONCANONICAL},
        {"indefinite map", "\xbf\xff", 2, MGC_E_NONCANONICAL},
        {"break alone", "\xff", 1, MGC_E_NONCANONICAL},
        {"unsorted keys", "\xa2\x02\x00\x01\x00", 5, MGC_E_NONCANONICAL},
        {"duplicate key", "\xa2\x01\x00\x01\x00", 5, MGC_E_NONCANONICAL},
        {"text key", "\xa1\x61\x61\x00", 4, MGC_E_NONCANONICAL},
        {"negative key", "\xa1\x20\x00", 3, MGC_E_NONCANONICAL},
        {"half float", "\xf9\x00\x00", 3, MGC_E_NONCANONICAL},
        {"double", "\xfb\x00\x00\x00\x00\x00\x00\x00\x00", 9, MGC_E_NONCANONICAL},
        {"undefined", "\xf7", 1, MGC_E_NONCANONICAL},
        {"simple 255", "\xf8\xff", 2, MGC_E_NONCANONICAL},
        {"tag", "\xc1\x00", 2, MGC_E_NONCANONICAL},
        {"trailing", "\x00\x00", 2, MGC_E_NONCANONICAL},
        {"2^31 items in five bytes", "\x9a\x80\x00\x00\x00", 5, MGC_E_TRUNCATED},
        {"2^64-1 items", "\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 9, MGC_E_TRUNCATED},
        {"2^63 pairs", "\xbb\x80\x00\x00\x00\x00\x00\x00\x00", 9, MGC_E_TRUNCATED},
        {"long string", "\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9, MGC_E_TRUNCATED},
        {"depth 8", "\x81\x81\x81\x81\x81\x81\x81\x80", 8, MGC_OK},
        {"depth 9", "\x81\x81\x81\x81\x81\x81\x81\x81\x80", 9, MGC_E_DEPTH},
        {"overlong NUL", "\x62\xc0\x80", 3, MGC_E_UTF8},
        {"surrogate", "\x63\xed\xa0\x80", 4, MGC_E_UTF8},
        {"above U+10FFFF", "\x64\xf4\x90\x80\x80", 5, MGC_E_UTF8},
        {"cut sequence", "\x61\xc3", 2, MGC_E_UTF8},
        {"last code point", "\x64\xf4\x8f\xbf\xbf", 5, MGC_OK},
    };
    uint8_t *deep = malloc(100000);

    for (size_t i = 0; i < MGC__COUNT(cases); i++)
        ck_assert_msg(mgc__cbor_check(cases[i].bytes, cases[i].len) == cases[i].want, "%s: %s", cases[i].what,
                      mgc_status_name(mgc__cbor_check(cases[i].bytes, cases[i].len)));
    memset(deep, 0x81, 100000);
    ck_assert_int_eq(mgc__cbor_check(deep, 100000), MGC_E_DEPTH);
    free(deep);
}
END_TEST

/* {1: 7, 2: h'aabb', 3: "ok", 4: null, 5: [true, -3]} read by its schema, and every way to miss it. */
static mgc_status read_schema(mgc_ctx *ctx, const uint8_t *bytes, size_t len)
{
    mgc__cbor_reader r;
    size_t text_len;

    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, 5);
    mgc__cbor_get_key(&r, 1);
    mgc__cbor_get_uint(&r, 7);
    mgc__cbor_get_key(&r, 2);
    mgc__cbor_get_fixed(&r, 2);
    mgc__cbor_get_key(&r, 3);
    mgc__cbor_get_text(&r, &text_len, 2);
    mgc__cbor_get_key(&r, 4);
    if (!mgc__cbor_get_null(&r)) mgc__cbor_get_fixed(&r, 1);
    mgc__cbor_get_key(&r, 5);
    mgc__cbor_get_array_of(&r, 2);
    mgc__cbor_get_bool(&r);
    if (mgc__cbor_get_int(&r) != -3) mgc__cbor_refuse(&r, MGC_E_RANGE, "not minus three");
    mgc__cbor_finish(&r);
    return mgc__cbor_fail(ctx, &r, "the test");
}

START_TEST(schemas_refuse_what_they_do_not_know) /* faults 23-25 */
{
    static const char good[] = "\xa5\x01\x07\x02\x42\xaa\xbb\x03\x62ok\x04\xf6\x05\x82\xf5\x22";
    static const struct {
        const char *what, *bytes;
        size_t len;
        mgc_status want;
    } cases[] = {
        {"good", good, sizeof good - 1, MGC_OK},
        {"present instead of null", "\xa5\x01\x07\x02\x42\xaa\xbb\x03\x62ok\x04\x41\x00\x05\x82\xf5\x22", 18, MGC_OK},
        {"not a map", "\x85\x01\x07\x02\x04\x05", 6, MGC_E_SCHEMA},
        {"a key more", "\xa6\x01\x07\x02\x42\xaa\xbb\x03\x62ok\x04\xf6\x05\x82\xf5\x22\x06\x00", 19, MGC_E_SCHEMA},
        {"another key", "\xa5\x01\x07\x02\x42\xaa\xbb\x03\x62ok\x04\xf6\x06\x82\xf5\x22", 17, MGC_E_SCHEMA},
        {"8 for 7", "\xa5\x01\x08\x02\x42\xaa\xbb\x03\x62ok\x04\xf6\x05\x82\xf5\x22", 17, MGC_E_RANGE},
        {"text for number", "\xa5\x01\x60\x02\x42\xaa\xbb\x03\x62ok\x04\xf6\x05\x82\xf5\x22", 17, MGC_E_SCHEMA},
        {"text for bytes", "\xa5\x01\x07\x02\x62\x61\x62\x03\x62ok\x04\xf6\x05\x82\xf5\x22", 17, MGC_E_SCHEMA},
        {"bytes for text", "\xa5\x01\x07\x02\x42\xaa\xbb\x03\x42ok\x04\xf6\x05\x82\xf5\x22", 17, MGC_E_SCHEMA},
        {"a map for items", "\xa5\x01\x07\x02\x42\xaa\xbb\x03\x62ok\x04\xf6\x05\xa1\x00\x22", 17, MGC_E_SCHEMA},
        {"a number for true", "\xa5\x01\x07\x02\x42\xaa\xbb\x03\x62ok\x04\xf6\x05\x82\x01\x22", 17, MGC_E_SCHEMA},
        {"true for a number", "\xa5\x01\x07\x02\x42\xaa\xbb\x03\x62ok\x04\xf6\x05\x82\xf5\xf5", 17, MGC_E_SCHEMA},
        {"three bytes for two", "\xa5\x01\x07\x02\x43\xaa\xbb\xcc\x03\x62ok\x04\xf6\x05\x82\xf5\x22", 18,
         MGC_E_SCHEMA},
        {"longer text", "\xa5\x01\x07\x02\x42\xaa\xbb\x03\x63oks\x04\xf6\x05\x82\xf5\x22", 18, MGC_E_TOO_LARGE},
        {"one for two items", "\xa5\x01\x07\x02\x42\xaa\xbb\x03\x62ok\x04\xf6\x05\x81\xf5", 16, MGC_E_SCHEMA},
    };
    mgc_ctx *ctx;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    for (size_t i = 0; i < MGC__COUNT(cases); i++) {
        mgc_status got = read_schema(ctx, (const uint8_t *)cases[i].bytes, cases[i].len);
        ck_assert_msg(got == cases[i].want, "%s: %s", cases[i].what, mgc_status_name(got));
    }
    for (size_t cut = 0; cut < sizeof good - 1; cut++)
        ck_assert_int_ne(read_schema(ctx, (const uint8_t *)good, cut), MGC_OK);
    read_schema(ctx, (const uint8_t *)"\xa5\x01\x07\x02\x05", 5);
    ck_assert_str_eq(mgc_ctx_error(ctx),
                     "codec: more items are declared than bytes are left at byte 0 of the test of 5 bytes");
    mgc_ctx_destroy(ctx);
}
END_TEST

START_TEST(writers_stop_at_their_limit)
{
    uint8_t bytes[4] = {0, 0, 0, 0xee};
    mgc__cbor_writer w;
    mgc__buf buf;
    mgc_ctx *ctx;

    mgc__cbor_to_fixed(&w, bytes, 3);
    mgc__cbor_put_bytes(&w, "abc", 3);
    ck_assert_int_eq(w.status, MGC_E_TOO_LARGE);
    ck_assert_uint_eq(bytes[3], 0xee);
    mgc__cbor_to_count(&w);
    mgc__cbor_put_bytes_at(&w, 300, "abc", 3);
    ck_assert_uint_eq(w.len, 3 + 1 + 3);

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    mgc__buf_init(&buf, ctx, 3);
    mgc__cbor_to_buf(&w, &buf);
    mgc__cbor_put_int(&w, INT64_MIN);
    ck_assert_int_eq(w.status, MGC_E_TOO_LARGE);
    mgc__buf_free(&buf);
    mgc_ctx_destroy(ctx);
}
END_TEST

/* --- published vectors --------------------------------------------------------------------------- */

static const char *published(char *path, size_t cap, const char *name)
{
    const char *root = getenv("MGC_TEST_PUBLISHED");

    if (root == NULL) return NULL;
    snprintf(path, cap, "%s/vectors/cbor/%s", root, name);
    return path;
}

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text;
    size_t len;

    if (file == NULL) return NULL;
    text = calloc(1, 1 << 20);
    len = fread(text, 1, (1 << 20) - 1, file);
    text[len] = '\0';
    fclose(file);
    return text;
}

static size_t unhex(const char *at, char end, uint8_t *bytes)
{
    size_t digits = 0;

    for (; *at != end && *at != '\0'; at++) {
        const char *found = strchr("0123456789abcdef", *at);
        if (found == NULL) continue;
        uint32_t digit = (uint32_t)(found - "0123456789abcdef");
        if (digits % 2 == 0) bytes[digits / 2] = (uint8_t)(digit << 4);
        else bytes[digits / 2] = (uint8_t)(bytes[digits / 2] | digit);
        digits++;
    }
    return digits / 2;
}

/* Is any item outside our subset by design, wherever it stands: floats, tags, simple values, keys that are not
 * numbers, indefinite lengths, deep nesting?  Loosely: what the second reader refuses in canonical bytes. */
static bool ours(const uint8_t *bytes, size_t len)
{
    return reference_item(bytes, (long)len, 0) == (long)len;
}

/* Every "encoded": h'...' of a file; those marked as failing or not round-tripping must be refused. */
static void try_edn(const char *name, bool must_fail, size_t at_least)
{
    char path[512];
    char *text = published(path, sizeof path, name) == NULL ? NULL : read_text(path), *at = text;
    uint8_t bytes[4096], out[4096];
    size_t count = 0, accepted = 0, out_len;

    if (text == NULL) {
        printf("# SKIP %s: MGC_TEST_PUBLISHED is not set or lacks it\n", name);
        return;
    }
    while ((at = strstr(at, "\"description\":")) != NULL) {
        char *encoded = strstr(at, "\"encoded\": h'"), *next = strstr(at + 1, "\"description\":"), *odd;
        if (encoded == NULL) break;
        if (next != NULL && encoded > next) {
            at = next;
            continue;
        }
        odd = strstr(at, "\"roundtrip\": false");
        size_t len = unhex(encoded + strlen("\"encoded\": h'"), '\'', bytes);
        mgc_status status = mgc__cbor_check(bytes, len);
        if (must_fail || (odd != NULL && (next == NULL || odd < next)))
            ck_assert_msg(status != MGC_OK, "%s: %.60s is accepted", name, at);
        ck_assert_msg((status == MGC_OK) == ours(bytes, len), "%s: %.60s: %s", name, at, mgc_status_name(status));
        if (status == MGC_OK) {
            accepted++;
            ck_assert_int_eq(recode(bytes, len, out, sizeof out, &out_len), MGC_OK);
            ck_assert_uint_eq(out_len, len);
            ck_assert_mem_eq(out, bytes, len);
        }
        count++;
        at = encoded;
    }
    printf("# %s: %zu vectors, %zu accepted\n", name, count, accepted);
    ck_assert_msg(count >= at_least, "%s: only %zu vectors found", name, count);
    free(text);
}

START_TEST(published_edn)
{
    try_edn("bad.edn", true, 36);
    try_edn("good.edn", false, 88);
    try_edn("mt0.edn", false, 5);
    try_edn("mt1.edn", false, 3);
    try_edn("mt2.edn", false, 1);
    try_edn("mt3.edn", false, 3);
    try_edn("mt4.edn", false, 3);
    try_edn("mt5.edn", false, 2);
    try_edn("mt6.edn", true, 1);
    try_edn("mt7-float.edn", true, 5);
    try_edn("streaming.edn", true, 5);
}
END_TEST

/* {"hex": ..., "roundtrip": ...} lists.  What does not round-trip must be refused, but where the flag speaks of one
 * language's numbers only; in_subset was counted by a decoder
 * in another language. */
static void try_json(const char *name, bool by_flag, size_t at_least, size_t in_subset)
{
    char path[512];
    char *text = published(path, sizeof path, name) == NULL ? NULL : read_text(path), *at = text;
    uint8_t bytes[4096];
    size_t count = 0, accepted = 0;

    if (text == NULL) {
        printf("# SKIP %s: MGC_TEST_PUBLISHED is not set or lacks it\n", name);
        return;
    }
    while ((at = strstr(at, "\"hex\": \"")) != NULL) {
        size_t len = unhex(at + strlen("\"hex\": \""), '"', bytes);
        char *next = strstr(at + 1, "\"hex\": \""), *odd = strstr(at, "\"roundtrip\": false"),
             *error = strstr(at, "\"error\":");
        mgc_status status = mgc__cbor_check(bytes, len);

        if ((by_flag && odd != NULL && (next == NULL || odd < next)) ||
            (error != NULL && (next == NULL || error < next)))
            ck_assert_msg(status != MGC_OK, "%s: %.40s is accepted", name, at);
        ck_assert_msg((status == MGC_OK) == ours(bytes, len), "%s: %.40s: %s", name, at, mgc_status_name(status));
        accepted += status == MGC_OK;
        count++;
        at++;
    }
    printf("# %s: %zu vectors, %zu accepted\n", name, count, accepted);
    ck_assert_uint_ge(count, at_least);
    ck_assert_uint_eq(accepted, in_subset);
    free(text);
}

START_TEST(published_json)
{
    try_json("rfc7049_appendix_a.json", true, 82, 34);
    try_json("dcbor_valid.json", false, 30, 24);
    try_json("ipld_duplicate-keys.json", true, 1, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("codec");
    TCase *tcase = tcase_create("codec");

    tcase_set_timeout(tcase, 100);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, all_short_inputs);
    tcase_add_test(tcase, random_and_mutated_inputs);
    tcase_add_test(tcase, each_rule_has_its_code);
    tcase_add_test(tcase, schemas_refuse_what_they_do_not_know);
    tcase_add_test(tcase, writers_stop_at_their_limit);
    tcase_add_test(tcase, published_edn);
    tcase_add_test(tcase, published_json);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
