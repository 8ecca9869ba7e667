/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' worlds outside of a test runner: what a test would fail for ends the program here.  Stands in for Check's
 * header, whose assertions may be used inside a running test only. */
#ifndef TESTS_FUZZ_PLAIN_CHECK_H
#define TESTS_FUZZ_PLAIN_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ck_assert_msg(condition, ...)                                       \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                                   \
            fputc('\n', stderr);                                            \
            abort();                                                        \
        }                                                                   \
    } while (0)
#define ck_abort_msg(...) ck_assert_msg(0, __VA_ARGS__)
#define ck_assert(condition) ck_assert_msg(condition, "%s", "does not hold")
#define ck_assert_int_eq(a, b) ck_assert((a) == (b))
#define ck_assert_int_ne(a, b) ck_assert((a) != (b))
#define ck_assert_int_gt(a, b) ck_assert((a) > (b))
#define ck_assert_int_ge(a, b) ck_assert((a) >= (b))
#define ck_assert_uint_eq(a, b) ck_assert((a) == (b))
#define ck_assert_uint_lt(a, b) ck_assert((a) < (b))
#define ck_assert_uint_le(a, b) ck_assert((a) <= (b))
#define ck_assert_uint_gt(a, b) ck_assert((a) > (b))
#define ck_assert_uint_ge(a, b) ck_assert((a) >= (b))
#define ck_assert_ptr_eq(a, b) ck_assert((a) == (b))
#define ck_assert_ptr_ne(a, b) ck_assert((a) != (b))
#define ck_assert_ptr_nonnull(a) ck_assert((a) != NULL)
#define ck_assert_str_eq(a, b) ck_assert(strcmp(a, b) == 0)
#define ck_assert_mem_eq(a, b, n) ck_assert(memcmp(a, b, n) == 0)

/* Suites are made by the helpers, and never run here. */
typedef struct Suite Suite;
typedef struct SRunner SRunner;
typedef struct TCase TCase;
#define CK_ENV 0
#define suite_create(name) ((void)(name), (Suite *)NULL)
#define suite_add_tcase(suite, tcase) ((void)(suite), (void)(tcase))
#define srunner_create(suite) ((void)(suite), (SRunner *)NULL)
#define srunner_run_all(runner, mode) ((void)(runner), (void)(mode))
#define srunner_ntests_failed(runner) ((void)(runner), 1)
#define srunner_free(runner) ((void)(runner))
#define tcase_set_timeout(tcase, seconds) ((void)(tcase), (void)(seconds))

#endif
