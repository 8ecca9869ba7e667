/* SPDX-License-Identifier: Apache-2.0 */
/* Series of solves whose data move a little: every answer against a cold solve of a clone, and how it was found. */
#include <check.h>
#include <math.h>

#include "base/base.h"
#include "mgchain/program.h"

enum { COLUMNS = 30, ROWS = 18, SOLVES = 25 };

static mgc_ctx *ctx;
static mgc__rng rng;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

static double between(double low, double high)
{
    return low + (high - low) * mgc__rng_unit(&rng);
}

/* Coefficients from few values, so that vertices are degenerate and faces optimal; sides that leave the middle of the
 * columns' bounds feasible; equations, ranges and free rows; columns fixed and without an upper bound. */
static mgc_program *random_program(bool curved)
{
    mgc_program *p;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (uint32_t j = 0; j < COLUMNS; j++) {
        bool fixed = j % 11 == 5, open = j % 7 == 0;
        double cost = floor(between(open ? 0.0 : -3.0, 4.0)), high = fixed ? 5.0 : open ? INFINITY : 10.0;

        ck_assert_int_eq(mgc_program_add_column(p, cost, fixed ? 5.0 : 0.0, high, NULL), MGC_OK);
        if (curved && j % 3 == 0) ck_assert_int_eq(mgc_program_set_quadratic(p, j, j, 0.1), MGC_OK);
        if (curved && j % 6 == 3) ck_assert_int_eq(mgc_program_set_quadratic(p, j - 3, j, -0.05), MGC_OK);
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        uint32_t columns[5];
        double values[5], middle = 0.0, room = i % 3 == 0 ? 0.0 : 5.0;

        for (uint32_t k = 0; k < 5; k++) {
            columns[k] = (uint32_t)((i * 7 + k * 6 + mgc__rng_below(&rng, 6)) % COLUMNS); /* one of each six */
            values[k] = floor(between(1.0, 3.0)) * (mgc__rng_below(&rng, 3) == 0 ? -1.0 : 1.0);
            middle += 5.0 * values[k];
        }
        double low = i % 9 == 8 ? -INFINITY : middle - room, high = i % 3 == 2 ? INFINITY : middle + room;
        ck_assert_int_eq(mgc_program_add_row(p, low, high, columns, values, 5, NULL), MGC_OK);
    }
    return p;
}

static double cold_objective(const mgc_program *p)
{
    mgc_program *copy;
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};

    mgc_program_opts_init(&o, sizeof o);
    o.tolerance = 1e-10;
    ck_assert_int_eq(mgc_program_clone(p, &copy), MGC_OK);
    ck_assert_int_eq(mgc_program_solve(copy, &o, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    mgc_program_destroy(copy);
    return info.objective;
}

/* What an agent, and what another host, may do between two solves. */
static void change(mgc_program *p, uint32_t k, bool curved)
{
    double size = k < 8 ? 0.3 : 0.01;

    for (uint32_t j = 1; j < COLUMNS; j += 2) {
        double cost;

        ck_assert_int_eq(mgc_program_get_column(p, j, &cost, NULL, NULL, NULL), MGC_OK);
        ck_assert_int_eq(mgc_program_set_cost(p, j, fmax(j % 7 == 0 ? 0.0 : -9.0, cost + between(-size, size))), MGC_OK);
    }
    if (k % 6 == 3) ck_assert_int_eq(mgc_program_set_bounds(p, 2, 0.0, k % 12 == 3 ? 5.0 : 10.0), MGC_OK);
    if (k % 12 == 4) ck_assert_int_eq(mgc_program_set_bounds(p, 5, 0.0, 10.0), MGC_OK);
    if (k % 12 == 10) ck_assert_int_eq(mgc_program_set_bounds(p, 5, 5.0, 5.0), MGC_OK);
    if (k % 6 == 5 && curved) ck_assert_int_eq(mgc_program_set_quadratic(p, 0, 0, 0.1 + 0.01 * k), MGC_OK);
}

START_TEST(a_series_finds_what_cold_solves_find)
{
    bool curved = _i % 2 == 1;
    uint32_t followed = 0;

    mgc__rng_seed(&rng, 100 + (uint64_t)_i);
    for (uint32_t program = 0; program < 20; program++) {
        mgc_program *p = random_program(curved);

        for (uint32_t k = 0; k < SOLVES; k++) {
            mgc_program_opts o;
            mgc_program_info info = {.struct_size = sizeof info};
            double expected = cold_objective(p);

            mgc_program_opts_init(&o, sizeof o);
            o.warm_start = k > 0;
            o.presolve = 1;
            o.tolerance = program % 2 == 0 ? 1e-6 : 1e-8;
            ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
            ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
            ck_assert_msg(fabs(info.objective - expected) <= 2.0 * o.tolerance * fmax(1.0, fabs(expected)),
                          "program %u, solve %u: %.12g, cold %.12g", program, k, info.objective, expected);
            ck_assert_double_le(info.primal_residual, o.tolerance);
            ck_assert_double_le(info.dual_residual, o.tolerance);
            ck_assert_double_le(info.bound, info.objective + o.tolerance * fmax(1.0, fabs(expected)));
            followed += k > 0 && info.iterations == 0;
            change(p, k, curved);
        }
        mgc_program_destroy(p);
    }
    ck_assert_msg(followed > 100, "of 480 solves again %u came from the active set of the last", followed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("follow");
    TCase *tc = tcase_create("all");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_series_finds_what_cold_solves_find, 0, 4);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
