/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded day must show what the library is for: every device runs, all pairs trade, in both carriers, and it
 * pays. */
#include "cases.h"

/* The alliance as one program takes half a minute under a sanitizer, and its memory is the dispatch tests' matter. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* The plan's series that says whether a device of this type is used. */
static const char *use_of(const char *type)
{
    static const char *const use[][2] = {
        {"load", "shift_in_kw"}, {"storage", "discharge_kw"}, {"gas_boiler", "heat_kw"}};

    for (size_t i = 0; i < sizeof use / sizeof use[0]; i++)
        if (strcmp(type, use[i][0]) == 0) return use[i][1];
    return "power_kw";
}

/* Energy over the day, the mean over scenarios. */
static double energy(const mgc_plan *plan, const char *site, const char *device, const char *quantity,
                     uint32_t scenarios)
{
    double values[24], sum = 0;

    for (uint32_t k = 0; k < scenarios; k++) {
        ck_assert_int_eq(mgc_plan_get_series(plan, site, device, quantity, k, values, 24), MGC_OK);
        for (int t = 0; t < 24; t++) sum += values[t] / scenarios;
    }
    return sum;
}

/* Every device of a plan is used.  Flexible demand is of the electric loads; a shift of 50 kWh and a use of 1 kWh are
 * far above any solver's noise. */
static void check_devices(mgc_model *model, const mgc_plan *plan)
{
    for (uint32_t i = 0; i < mgc_model_microgrids(model); i++) {
        const char *id = mgc_model_microgrid_id(model, i);
        mgc_microgrid *site = mgc_model_microgrid(model, id);
        for (uint32_t j = 0; j < mgc_microgrid_devices(site); j++) {
            const char *device = mgc_microgrid_device_id(site, j), *type = mgc_microgrid_device_type(site, j);
            if (strcmp(device, "heat-load") == 0) continue;
            double used = energy(plan, id, device, use_of(type), 10);
            ck_assert_msg(used > (strcmp(type, "load") == 0 ? 50 : 1), "%s of %s: %g kWh", device, id, used);
        }
    }
}

static void check_links(mgc_model *model, const mgc_plan *plan)
{
    for (uint32_t i = 0; i < mgc_model_links(model); i++) {
        char link[16];
        snprintf(link, sizeof link, "LINK:%u", i);
        double sent = energy(plan, "", link, "sent_kw", 1) + energy(plan, "", link, "sent_back_kw", 1);
        ck_assert_msg(sent > 50, "link %u carries %g kWh", i, sent);
    }
}

static double cost_of(const mgc_plan *plan)
{
    mgc_plan_info info = {.struct_size = sizeof info};

    ck_assert_int_eq(mgc_plan_get_info(plan, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    return info.cost;
}

START_TEST(the_embedded_day_uses_everything_and_pays)
{
    mgc_plan *alone, *together, *realised;
    mgc_dispatch_opts opts;
    mgc_case *kase;
    mgc_ctx *ctx;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    ck_assert_int_eq(mgc_case_builtin(ctx, NULL, &kase), MGC_OK);
    mgc_model *model = mgc_case_model(kase);
    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.relax = 1;
    opts.tolerance = 1e-6;
    ck_assert_int_eq(mgc_dispatch_solve(model, &opts, &alone), MGC_OK);
    check_devices(model, alone);
    ck_assert_int_eq(mgc_plan_realise(alone, mgc_case_realised(kase), &opts, &realised), MGC_OK);
    (void)cost_of(realised);
    if (!SANITIZED) {
        opts.together = MGC_DISPATCH_ALLIANCE;
        ck_assert_int_eq(mgc_dispatch_solve(model, &opts, &together), MGC_OK);
        check_devices(model, together);
        check_links(model, together);
        double saving = (cost_of(alone) - cost_of(together)) / cost_of(alone);
        printf("# alone %.2f, together %.2f, saving %.1f %%\n", cost_of(alone), cost_of(together), 100 * saving);
        ck_assert_msg(saving > 0.05, "the saving is %.1f %%", 100 * saving);
        mgc_plan_destroy(together);
    }
    mgc_plan_destroy(realised);
    mgc_plan_destroy(alone);
    mgc_case_destroy(kase);
    mgc_ctx_destroy(ctx);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("io embedded case");
    TCase *tc = tcase_create("embedded case");

    tcase_set_timeout(tc, 300);
    tcase_add_test(tc, the_embedded_day_uses_everything_and_pays);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
