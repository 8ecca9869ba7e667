/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <locale.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/base.h"

/* _i is the caller's struct_size: every one from 0 to twice what we know. */
START_TEST(opts_of_every_size)
{
    unsigned char raw[2 * sizeof(mgc_ctx_opts)] = {0};
    size_t size = (size_t)_i;
    mgc_status want = size < sizeof(mgc_ctx_opts) ? MGC_E_ABI_SIZE : MGC_OK;
    mgc_ctx *ctx = NULL;

    mgc_ctx_opts_init((mgc_ctx_opts *)(void *)raw, sizeof(mgc_ctx_opts));
    memcpy(raw, &size, sizeof size);
    mgc_status got = mgc_ctx_create((const mgc_ctx_opts *)(const void *)raw, &ctx);
    ck_assert_msg(got == want, "struct_size %d: %s", _i, mgc_status_name(got));
    ck_assert_int_eq(got == MGC_OK, ctx != NULL);
    mgc_ctx_destroy(ctx);
}
END_TEST

START_TEST(a_future_field_is_refused)
{
    unsigned char raw[sizeof(mgc_ctx_opts) + 8] = {0};
    size_t size = sizeof raw;
    mgc_ctx *ctx = NULL;

    mgc_ctx_opts_init((mgc_ctx_opts *)(void *)raw, sizeof(mgc_ctx_opts));
    memcpy(raw, &size, sizeof size);
    raw[sizeof(mgc_ctx_opts) + 3] = 1;
    ck_assert_int_eq(mgc_ctx_create((const mgc_ctx_opts *)(const void *)raw, &ctx), MGC_E_ABI_FUTURE);
}
END_TEST

START_TEST(every_status_has_its_own_name)
{
    static const mgc_status all[] = {
#define ITEM(name, number, meaning) number,
        MGC_STATUS_LIST(ITEM)
#undef ITEM
    };
    for (size_t i = 0; i < MGC__COUNT(all); i++) {
        ck_assert_str_ne(mgc_status_name(all[i]), "MGC_E_?");
        for (size_t j = 0; j < i; j++) ck_assert_int_ne(all[i], all[j]);
    }
    ck_assert_str_eq(mgc_status_name(-99999), "MGC_E_?");
}
END_TEST

START_TEST(numbers_survive_every_locale)
{
    static const double values[] = {0.0, 1.0, -1.5, 0.1, 1.0 / 3.0, 1e-300, 1.7976931348623157e308, 5e-324, 123456789012345680.0, 2.5e-7};
    static const char *const locales[] = {"C", "de_DE.UTF-8", "C.UTF-8"};

    for (size_t l = 0; l < MGC__COUNT(locales); l++) {
        if (setlocale(LC_ALL, locales[l]) == NULL) continue;
        for (size_t i = 0; i < MGC__COUNT(values); i++) {
            char text[MGC__DOUBLE_TEXT];
            const char *end;
            mgc__format_double(values[i], text);
            ck_assert_msg(strchr(text, ',') == NULL, "%s in %s", text, locales[l]);
            ck_assert_msg(mgc__parse_double(text, &end) == values[i], "%s in %s", text, locales[l]);
            ck_assert_int_eq(*end, '\0');
        }
    }
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(parsing_stops_where_the_number_stops)
{
    static const struct { const char *text; double value; size_t used; } cases[] = {
        {"12,5", 12, 2}, {"1e", 1, 1}, {"0x10", 0, 1}, {"inf", 0, 0}, {"nan", 0, 0}, {"", 0, 0}, {"-", 0, 0},
        {"+7kW", 7, 2}, {".5", 0.5, 2}, {"1.2.3", 1.2, 3}, {"9007199254740993", 9007199254740992.0, 16}, {"3E+2x", 300, 4},
    };
    for (size_t i = 0; i < MGC__COUNT(cases); i++) {
        const char *end;
        double value = mgc__parse_double(cases[i].text, &end);
        ck_assert_msg(value == cases[i].value, "%s: %g", cases[i].text, value);
        ck_assert_msg(end == cases[i].text + cases[i].used, "%s: stopped at %s", cases[i].text, end);
    }
}
END_TEST

START_TEST(fast_and_slow_parsing_agree)
{
    mgc__rng rng;
    mgc__rng_seed(&rng, 7);
    for (int i = 0; i < 100000; i++) {
        char text[64];
        const char *end;
        double x = (double)mgc__rng_below(&rng, 1000000000) / 1000.0;
        snprintf(text, sizeof text, "%.3f", x);
        ck_assert_msg(mgc__parse_double(text, &end) == strtod(text, NULL), "%s", text);
    }
}
END_TEST

START_TEST(the_nearest_word_is_the_likely_slip)
{
    static const char *const words[] = {"buy_price_per_kwh", "sell_price_per_kwh", "devices", "links"};

    ck_assert_str_eq(mgc__nearest("buy_price", words, 4), "buy_price_per_kwh");
    ck_assert_str_eq(mgc__nearest("sell_price_per_kWh", words, 4), "sell_price_per_kwh");
    ck_assert_str_eq(mgc__nearest("lniks", words, 4), "links");
    ck_assert_ptr_null(mgc__nearest("zzz", words, 4));
}
END_TEST

/* First outputs for the state {1, 2, 3, 4}, as every implementation of the generator gives them. */
START_TEST(random_numbers_are_the_published_generator)
{
    static const uint64_t want[] = {11520, 0, 1509978240, 1215971899390074240u};
    mgc__rng rng = {{1, 2, 3, 4}};

    for (size_t i = 0; i < MGC__COUNT(want); i++) ck_assert_uint_eq(mgc__rng_next(&rng), want[i]);
    for (int i = 0; i < 1000; i++) ck_assert_uint_lt(mgc__rng_below(&rng, 7), 7);
}
END_TEST

static void count_one(void *user, size_t i)
{
    _Atomic uint32_t *counts = user;
    atomic_fetch_add(&counts[i], 1);
}

START_TEST(parallel_runs_each_item_once)
{
    static _Atomic uint32_t counts[1000];

    for (uint32_t threads = 0; threads <= 4; threads++) {
        for (size_t i = 0; i < 1000; i++) counts[i] = 0;
        mgc__parallel(threads, 1000, count_one, counts);
        for (size_t i = 0; i < 1000; i++) ck_assert_uint_eq(counts[i], 1);
    }
}
END_TEST

/* Calls of all sizes in a row, some after the threads have gone to sleep: each item once, and what a task wrote is there
 * when the call returns. */
START_TEST(a_pool_runs_each_item_once_call_after_call)
{
    static _Atomic uint32_t counts[1000];
    mgc_ctx *ctx;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    for (uint32_t threads = 0; threads <= 4; threads++) {
        mgc__pool *pool;
        uint32_t calls = 0;

        ck_assert_int_eq(mgc__pool_create(ctx, threads, &pool), MGC_OK);
        ck_assert(threads >= 2 ? pool != NULL : pool == NULL);
        for (size_t i = 0; i < 1000; i++) counts[i] = 0;
        for (size_t n = 1000; n > 0; n = n > 10 ? n / 2 : n - 1, calls++) {
            mgc__pool_run(pool, n, count_one, counts);
            for (size_t i = 0; i < n; i++) ck_assert_uint_eq(counts[i], calls + 1);
            if (n % 2 == 1) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
        for (uint32_t k = 0; k < 5000; k++) mgc__pool_run(pool, 7, count_one, counts);
        for (size_t i = 0; i < 7; i++) ck_assert_uint_eq(counts[i], 5000 + calls - i);
        mgc__pool_run(pool, 0, count_one, counts);
        mgc__pool_destroy(pool);
    }
    mgc_ctx_destroy(ctx);
}
END_TEST

START_TEST(a_child_context_hears_its_parents_cancel)
{
    mgc_ctx *parent, *child;

    ck_assert_int_eq(mgc_ctx_create(NULL, &parent), MGC_OK);
    ck_assert_int_eq(mgc__ctx_child(parent, &child), MGC_OK);
    ck_assert_int_eq(mgc_ctx_cancelled(child), 0);
    mgc_ctx_cancel(parent);
    ck_assert_int_eq(mgc_ctx_cancelled(child), 1);
    mgc_ctx_cancel_reset(parent);
    ck_assert_int_eq(mgc_ctx_cancelled(child), 0);
    mgc_ctx_destroy(child);
    mgc_ctx_destroy(parent);
}
END_TEST

START_TEST(a_callback_that_says_nothing_has_not_succeeded)
{
    ck_assert_int_eq(mgc__verdict(0), MGC_E_CALLBACK);
    ck_assert_int_eq(mgc__verdict(MGC_CB_DONE), MGC_OK);
    ck_assert_int_eq(mgc__verdict(MGC_CB_STOP), MGC_E_STOPPED);
    ck_assert_int_eq(mgc__verdict(MGC_E_IO), MGC_E_IO);
    ck_assert_int_eq(mgc__verdict(7), MGC_E_CALLBACK);
}
END_TEST

START_TEST(a_buffer_keeps_its_limit)
{
    mgc_ctx *ctx;
    mgc__buf buf;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    mgc__buf_init(&buf, ctx, 10);
    mgc__buf_printf(&buf, "%d-%s", 12, "abc");
    ck_assert_uint_eq(buf.len, 6);
    mgc__buf_put(&buf, "12345", 5);
    ck_assert_int_eq(buf.status, MGC_E_TOO_LARGE);
    mgc__buf_put(&buf, "1", 1);
    ck_assert_uint_eq(buf.len, 6);
    mgc__buf_free(&buf);
    mgc_ctx_destroy(ctx);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base");
    TCase *tc = tcase_create("base");

    tcase_add_loop_test(tc, opts_of_every_size, 0, 2 * (int)sizeof(mgc_ctx_opts));
    tcase_add_test(tc, a_future_field_is_refused);
    tcase_add_test(tc, every_status_has_its_own_name);
    tcase_add_test(tc, numbers_survive_every_locale);
    tcase_add_test(tc, parsing_stops_where_the_number_stops);
    tcase_add_test(tc, fast_and_slow_parsing_agree);
    tcase_add_test(tc, the_nearest_word_is_the_likely_slip);
    tcase_add_test(tc, random_numbers_are_the_published_generator);
    tcase_add_test(tc, parallel_runs_each_item_once);
    tcase_add_test(tc, a_pool_runs_each_item_once_call_after_call);
    tcase_add_test(tc, a_child_context_hears_its_parents_cancel);
    tcase_add_test(tc, a_callback_that_says_nothing_has_not_succeeded);
    tcase_add_test(tc, a_buffer_keeps_its_limit);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
