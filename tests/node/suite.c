/* SPDX-License-Identifier: Apache-2.0 */
/* Cases and suites of tests on a market. */
#include "market.h"

static void one_chain(void)
{
    market_three_chains = false;
}

static void three_chains(void)
{
    market_three_chains = true;
}

TCase *market_case(Suite *s, const char *name, uint32_t chains)
{
    TCase *t = tcase_create(name);

    tcase_set_timeout(t, 0);
    tcase_add_checked_fixture(t, chains == 3 ? three_chains : one_chain, one_chain);
    suite_add_tcase(s, t);
    return t;
}

int market_run(Suite *s)
{
    SRunner *sr = srunner_create(s);

    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
