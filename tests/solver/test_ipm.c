/* SPDX-License-Identifier: Apache-2.0 */
/* The interior-point core on programs whose answers are known by hand or by optimality conditions. */
#include <check.h>
#include <math.h>

#include "solver/ipm.h"

enum { MOST = 64 };

/* A small program under construction. */
typedef struct small {
    uint32_t n, m, entries, q_entries;
    double c[MOST], lower[MOST], upper[MOST], row_lower[MOST], row_upper[MOST];
    uint32_t i[MOST * 8], j[MOST * 8], qi[MOST * 8], qj[MOST * 8];
    double v[MOST * 8], qv[MOST * 8];
} small;

static mgc_ctx *ctx;
static mgc__ipm *ipm;
static mgc__csc a, q;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    ck_assert_int_eq(mgc__ipm_create(ctx, &ipm), MGC_OK);
}

static void teardown(void)
{
    mgc__ipm_destroy(ipm);
    mgc_ctx_destroy(ctx);
}

static void column(small *p, double c, double lower, double upper)
{
    p->c[p->n] = c;
    p->lower[p->n] = lower;
    p->upper[p->n++] = upper;
}

static void row(small *p, double lower, double upper)
{
    p->row_lower[p->m] = lower;
    p->row_upper[p->m++] = upper;
}

/* Into the last row. */
static void entry(small *p, uint32_t j, double v)
{
    p->i[p->entries] = p->m - 1;
    p->j[p->entries] = j;
    p->v[p->entries++] = v;
}

static void quadratic(small *p, uint32_t i, uint32_t j, double v)
{
    p->qi[p->q_entries] = i;
    p->qj[p->q_entries] = j;
    p->qv[p->q_entries++] = v;
}

static mgc__ipm_opts options(void)
{
    return (mgc__ipm_opts){.tolerance = 1e-9, .cutoff = INFINITY, .iteration_limit = 100};
}

/* Result vectors stay valid until the next solve; the program's own arrays must outlive the call only. */
static mgc_status solve_with(const small *p, const mgc__ipm_opts *opts, mgc__ipm_result *r)
{
    mgc__qp qp = {p->n, p->m, p->q_entries > 0 ? &q : NULL, &a, p->c, p->lower, p->upper, p->row_lower, p->row_upper};
    mgc_status st;

    ck_assert_int_eq(mgc__csc_from_triplets(ctx, p->m, p->n, p->entries, p->i, p->j, p->v, &a), MGC_OK);
    ck_assert_int_eq(mgc__csc_from_triplets(ctx, p->n, p->n, p->q_entries, p->qi, p->qj, p->qv, &q), MGC_OK);
    st = mgc__ipm_solve(ipm, &qp, opts, r);
    mgc__csc_free(ctx, &a);
    mgc__csc_free(ctx, &q);
    return st;
}

static mgc__ipm_result solve(const small *p)
{
    mgc__ipm_opts opts = options();
    mgc__ipm_result r;

    ck_assert_int_eq(solve_with(p, &opts, &r), MGC_OK);
    return r;
}

START_TEST(a_vertex_is_found_with_its_multipliers)
{
    small p = {0}; /* max 3x + 2y: x + y <= 4, x + 3y <= 6, 0 <= x <= 3: (3, 1) */

    column(&p, -3.0, 0.0, 3.0);
    column(&p, -2.0, 0.0, INFINITY);
    row(&p, -INFINITY, 4.0);
    entry(&p, 0, 1.0);
    entry(&p, 1, 1.0);
    row(&p, -INFINITY, 6.0);
    entry(&p, 0, 1.0);
    entry(&p, 1, 3.0);
    mgc__ipm_result r = solve(&p);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(r.objective, -11.0, 1e-7);
    ck_assert_double_eq_tol(r.x[0], 3.0, 1e-6);
    ck_assert_double_eq_tol(r.y[0] + r.y[1], -2.0 - 2.0 * r.y[1], 1e-6); /* stationarity of y */
    ck_assert_double_le(r.bound, -11.0 + 1e-7);
    ck_assert_double_ge(r.bound, -11.0 - 1e-6);
}
END_TEST

START_TEST(kinds_of_columns_and_rows_meet_in_one_program)
{
    small p = {0}; /* min 1/2 x0^2 - 2.5 x0 + x1 - x2, x0 free, x1 fixed 2, x2 <= 5; x0 + x2 = 7; empty row; ranged row on x0 */

    column(&p, -2.5, -INFINITY, INFINITY);
    column(&p, 1.0, 2.0, 2.0);
    column(&p, -1.0, -INFINITY, 5.0);
    quadratic(&p, 0, 0, 1.0);
    row(&p, 7.0, 7.0);
    entry(&p, 0, 1.0);
    entry(&p, 2, 1.0);
    row(&p, -INFINITY, INFINITY);
    row(&p, -1.0, 2.5);
    entry(&p, 0, 1.0);
    mgc__ipm_result r = solve(&p);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(r.x[0], 2.0, 1e-6);
    ck_assert_double_eq(r.x[1], 2.0);
    ck_assert_double_eq_tol(r.x[2], 5.0, 1e-6);
    ck_assert_double_eq_tol(r.y[0], -0.5, 1e-5);
    ck_assert_double_eq_tol(r.objective, 0.5 * 4.0 - 5.0 + 2.0 - 5.0, 1e-7);
}
END_TEST

START_TEST(an_empty_interior_gives_a_ray_that_shows_it)
{
    small p = {0}; /* x + y >= 3, x + 2y <= 1, x, y >= 0 */
    double g0, g1;

    column(&p, 1.0, 0.0, INFINITY);
    column(&p, 1.0, 0.0, INFINITY);
    row(&p, 3.0, INFINITY);
    entry(&p, 0, 1.0);
    entry(&p, 1, 1.0);
    row(&p, -INFINITY, 1.0);
    entry(&p, 0, 1.0);
    entry(&p, 1, 2.0);
    mgc__ipm_result r = solve(&p);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_INFEASIBLE);
    ck_assert_ptr_nonnull(r.ray);
    g0 = r.ray[0] + r.ray[1];
    g1 = r.ray[0] + 2.0 * r.ray[1];
    ck_assert(r.ray[0] > 0.0 && r.ray[1] < 0.0);
    ck_assert_double_le(fmax(g0, g1), 1e-9);
    ck_assert_double_gt(3.0 * r.ray[0] + r.ray[1], 0.1);
}
END_TEST

START_TEST(a_direction_of_endless_fall_is_told_only_where_a_point_exists)
{
    small p = {0};

    column(&p, -1.0, 0.0, INFINITY);
    column(&p, 1.0, 0.0, INFINITY);
    row(&p, -INFINITY, 1.0);
    entry(&p, 0, 1.0);
    entry(&p, 1, -1.0);
    p.c[1] = 0.5;
    mgc__ipm_result r = solve(&p);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_UNBOUNDED);
    ck_assert(r.ray[0] > 0.0 && r.ray[1] >= r.ray[0] - 1e-6 && 0.5 * r.ray[1] - r.ray[0] < 0.0);
    row(&p, -INFINITY, -1.0); /* x0 + x1 <= -1: nothing is feasible now */
    entry(&p, 0, 1.0);
    entry(&p, 1, 1.0);
    r = solve(&p);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_INFEASIBLE);
}
END_TEST

START_TEST(a_concave_objective_is_refused)
{
    mgc__ipm_opts opts = options();
    mgc__ipm_result r;
    small p = {0};

    column(&p, 1.0, -1.0, 1.0);
    column(&p, 1.0, -1.0, 1.0);
    quadratic(&p, 0, 0, 1.0);
    quadratic(&p, 1, 1, 1.0);
    quadratic(&p, 0, 1, 2.0);
    ck_assert_int_eq(solve_with(&p, &opts, &r), MGC_E_NOT_CONVEX);
    p.qv[2] = 1.0; /* singular, still convex */
    ck_assert_int_eq(solve_with(&p, &opts, &r), MGC_OK);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(r.objective, -0.5, 1e-7);
}
END_TEST

START_TEST(the_bound_stops_the_solve_at_the_cutoff)
{
    mgc__ipm_opts opts = options();
    mgc__ipm_result r;
    small p = {0};

    for (uint32_t j = 0; j < 5; j++) column(&p, 1.0 + j, 0.0, 10.0);
    row(&p, 20.0, INFINITY);
    for (uint32_t j = 0; j < 5; j++) entry(&p, j, 1.0);
    opts.cutoff = 25.0; /* the optimum is 30 */
    ck_assert_int_eq(solve_with(&p, &opts, &r), MGC_OK);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_LIMIT);
    ck_assert_double_gt(r.bound, 25.0);
    ck_assert_double_le(r.bound, 30.0 + 1e-9);
    opts.cutoff = 30.1;
    ck_assert_int_eq(solve_with(&p, &opts, &r), MGC_OK);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(r.objective, 30.0, 1e-6);
}
END_TEST

START_TEST(a_cancelled_context_stops_at_once)
{
    mgc__ipm_opts opts = options();
    mgc__ipm_result r;
    small p = {0};

    column(&p, 1.0, 0.0, 10.0);
    row(&p, 2.0, INFINITY);
    entry(&p, 0, 1.0);
    mgc_ctx_cancel(ctx);
    ck_assert_int_eq(solve_with(&p, &opts, &r), MGC_OK);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_CANCELLED);
    ck_assert_uint_eq(r.iterations, 0);
    mgc_ctx_cancel_reset(ctx);
    ck_assert_int_eq(solve_with(&p, &opts, &r), MGC_OK);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_OPTIMAL);
}
END_TEST

START_TEST(no_rows_and_no_columns_are_programs_too)
{
    small p = {0};
    mgc__ipm_result r = solve(&p);

    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_OPTIMAL);
    column(&p, 2.0, -1.0, 4.0);
    column(&p, -2.0, -1.0, 4.0);
    column(&p, 0.0, -INFINITY, INFINITY);
    r = solve(&p);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(r.objective, -10.0, 1e-6);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ipm");
    TCase *tc = tcase_create("ipm");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_vertex_is_found_with_its_multipliers);
    tcase_add_test(tc, kinds_of_columns_and_rows_meet_in_one_program);
    tcase_add_test(tc, an_empty_interior_gives_a_ray_that_shows_it);
    tcase_add_test(tc, a_direction_of_endless_fall_is_told_only_where_a_point_exists);
    tcase_add_test(tc, a_concave_objective_is_refused);
    tcase_add_test(tc, the_bound_stops_the_solve_at_the_cutoff);
    tcase_add_test(tc, a_cancelled_context_stops_at_once);
    tcase_add_test(tc, no_rows_and_no_columns_are_programs_too);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
