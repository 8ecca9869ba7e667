/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

Suite *model_suite(void);
Suite *plan_suite(void);
Suite *devices_suite(void);
Suite *state_suite(void);

int main(void)
{
    SRunner *runner = srunner_create(model_suite());
    srunner_add_suite(runner, plan_suite());
    srunner_add_suite(runner, devices_suite());
    srunner_add_suite(runner, state_suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
