/* SPDX-License-Identifier: Apache-2.0 */
#include "suites.h"

mgc_ctx *test_ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &test_ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(test_ctx);
}

int main(void)
{
    Suite *suite = suite_create("robust");
    TCase *cases[] = {sets_case(), ambiguity_case(), reduce_case(), solve_case(), smps_case(), budget_case()};

    for (size_t i = 0; i < MGC__COUNT(cases); i++) {
        tcase_add_checked_fixture(cases[i], setup, teardown);
        tcase_set_timeout(cases[i], 120);
        suite_add_tcase(suite, cases[i]);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
