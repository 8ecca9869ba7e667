/* SPDX-License-Identifier: Apache-2.0 */
/* The interior-point core on programs whose answers are known by hand or by optimality conditions. */
#include <check.h>
#include <math.h>

#include "solver/ipm_private.h"

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
    mgc__qp qp = {p->n, p->m, p->q_entries > 0 ? &q : NULL, &a, p->c, p->lower, p->upper, p->row_lower, p->row_upper, NULL};
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

/* A random program around a known point, feasible and bounded: boxes, half lines, ranges, equalities, duplicates. */
static void random_program(mgc__rng *rng, small *p, bool curved)
{
    uint32_t n = 2 + (uint32_t)mgc__rng_below(rng, 20), m = 1 + (uint32_t)mgc__rng_below(rng, 14);

    *p = (small){0};
    for (uint32_t j = 0; j < n; j++) {
        double lower = floor(4.0 * mgc__rng_unit(rng)) - 2.0, kind = mgc__rng_unit(rng);

        column(p, floor(9.0 * mgc__rng_unit(rng)) - 3.0, lower, kind < 0.1 ? lower : lower + 1.0 + floor(5.0 * mgc__rng_unit(rng)));
        if (curved) quadratic(p, j, j, floor(3.0 * mgc__rng_unit(rng)));
    }
    for (uint32_t i = 0; i < m; i++) {
        double activity = 0.0, kind = mgc__rng_unit(rng);
        uint32_t entries = (uint32_t)mgc__rng_below(rng, 6);

        row(p, 0.0, 0.0);
        for (uint32_t k = 0; k < entries; k++) {
            uint32_t j = (uint32_t)mgc__rng_below(rng, n);
            double v = floor(7.0 * mgc__rng_unit(rng)) - 3.0;

            entry(p, j, v);
            activity += v * 0.5 * (p->lower[j] + p->upper[j]);
        }
        p->row_lower[i] = kind < 0.3 ? -INFINITY : activity - (kind < 0.6 ? 0.0 : 1.0);
        p->row_upper[i] = kind > 0.8 ? INFINITY : activity + (kind < 0.5 ? 0.0 : 2.0);
    }
}

/* Optimality shown from the result alone: weak duality closes. */
START_TEST(random_programs_prove_their_own_optimum)
{
    mgc__rng rng;
    small p;

    mgc__rng_seed(&rng, (uint64_t)_i + 100);
    for (int again = 0; again < 10; again++) {
        random_program(&rng, &p, _i % 2 == 1);
        mgc__ipm_result r = solve(&p);
        double bound = 0.0, value = 0.0;

        ck_assert_uint_eq(r.outcome, MGC_OUTCOME_OPTIMAL);
        for (uint32_t i = 0; i < p.m; i++)
            if (r.y[i] != 0.0) bound += r.y[i] * (r.y[i] > 0.0 ? p.row_lower[i] : p.row_upper[i]);
        for (uint32_t j = 0; j < p.n; j++) {
            double q_jj = p.q_entries > 0 ? p.qv[j] : 0.0;

            ck_assert(p.lower[j] <= r.x[j] && r.x[j] <= p.upper[j]);
            value += p.c[j] * r.x[j] + 0.5 * q_jj * r.x[j] * r.x[j];
            bound += r.z[j] * (r.z[j] > 0.0 ? p.lower[j] : p.upper[j]) - 0.5 * q_jj * r.x[j] * r.x[j];
        }
        ck_assert_double_eq_tol(value, r.objective, 1e-9 * (1.0 + fabs(value)));
        ck_assert_double_le(fabs(value - bound), 1e-6 * (1.0 + fabs(value)));
    }
}
END_TEST

START_TEST(a_warm_start_finds_the_same_optimum_in_fewer_iterations)
{
    mgc__ipm_opts opts = options();
    mgc__rng rng;
    small p;
    uint32_t warm = 0, cold = 0;

    mgc__rng_seed(&rng, 5);
    for (int program = 0; program < 10; program++) {
        random_program(&rng, &p, true);
        solve(&p);
        for (int again = 0; again < 5; again++) {
            mgc__ipm_result r;

            for (uint32_t j = 0; j < p.n; j++) p.c[j] += 0.01 * (mgc__rng_unit(&rng) - 0.5);
            if (again == 3) p.upper[0] = p.lower[0]; /* a branch */
            opts.warm = true;
            ck_assert_int_eq(solve_with(&p, &opts, &r), MGC_OK);
            ck_assert_uint_eq(r.outcome == MGC_OUTCOME_OPTIMAL || r.outcome == MGC_OUTCOME_INFEASIBLE, 1);
            double found = r.objective;
            uint32_t outcome = r.outcome;

            warm += r.iterations;
            mgc__ipm *mine = ipm;
            ck_assert_int_eq(mgc__ipm_create(ctx, &ipm), MGC_OK);
            r = solve(&p);
            cold += r.iterations;
            ck_assert_uint_eq(r.outcome, outcome);
            if (outcome == MGC_OUTCOME_OPTIMAL) ck_assert_double_eq_tol(found, r.objective, 1e-7 * (1.0 + fabs(found)));
            mgc__ipm_destroy(ipm);
            ipm = mine;
        }
    }
    ck_assert_uint_lt(warm, cold);
}
END_TEST

START_TEST(a_solve_does_not_depend_on_what_was_solved_before)
{
    mgc__rng rng;
    small first, second;
    double x[MOST];

    mgc__rng_seed(&rng, 11);
    random_program(&rng, &first, true);
    second = first;
    for (uint32_t j = 0; j < second.n; j++) second.c[j] *= 1e4;
    mgc__ipm_result r = solve(&first);
    memcpy(x, r.x, first.n * sizeof *x);
    solve(&second);
    r = solve(&first);
    ck_assert_mem_eq(x, r.x, first.n * sizeof *x);
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

enum { SHARERS = 10, PERIODS = 100, BLOCK = PERIODS + 1 };

/* One purchase for all, what each of ten scenarios adds to it in a period, and the sum of that over the day. */
static mgc_status solve_day(mgc__ipm_result *r)
{
    static double c[PERIODS + SHARERS * BLOCK], lower[PERIODS + SHARERS * BLOCK], upper[PERIODS + SHARERS * BLOCK];
    static double low[SHARERS * BLOCK], high[SHARERS * BLOCK], v[SHARERS * (3 * PERIODS + 1)];
    static uint32_t i[SHARERS * (3 * PERIODS + 1)], j[SHARERS * (3 * PERIODS + 1)];
    mgc__qp qp = {PERIODS + SHARERS * BLOCK, SHARERS * BLOCK, NULL, &a, c, lower, upper, low, high, NULL};
    size_t at = 0;
    mgc_status st;

    for (uint32_t k = 0; k < qp.n; k++) {
        bool sum = k >= PERIODS && (k - PERIODS) % BLOCK == PERIODS;

        c[k] = k < PERIODS ? 1.0 : sum ? 0.5 : 0.25;
        upper[k] = sum ? 90.0 : 3.0;
    }
    for (uint32_t row = 0; row < qp.m; row++) {
        uint32_t s = row / BLOCK, t = row % BLOCK, first = PERIODS + s * BLOCK;

        low[row] = t < PERIODS ? 1.0 + 0.1 * ((7 * s + 3 * t) % 11) : 0.0;
        high[row] = t < PERIODS ? INFINITY : 0.0;
        for (uint32_t k = 0; k < (t < PERIODS ? 2 : BLOCK); k++, at++) {
            i[at] = row;
            j[at] = t == PERIODS ? first + k : k == 0 ? t : first + t;
            v[at] = t == PERIODS && k == PERIODS ? -1.0 : 1.0;
        }
    }
    ck_assert_uint_eq(at, MGC__COUNT(v));
    ck_assert_int_eq(mgc__csc_from_triplets(ctx, qp.m, qp.n, at, i, j, v, &a), MGC_OK);
    mgc__ipm_opts opts = options();
    st = mgc__ipm_solve(ipm, &qp, &opts, r);
    mgc__csc_free(ctx, &a);
    return st;
}

START_TEST(what_sums_over_a_scenarios_day_weighs_more_than_what_a_period_decides)
{
    mgc__ipm_result r;

    ck_assert_int_eq(solve_day(&r), MGC_OK);
    ck_assert_uint_eq(r.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(r.bound, r.objective, 1e-6 * fabs(r.objective));
    const double plain = 6.0 * (3 * PERIODS + 1) / BLOCK; /* entries of a mean row, six times */
    for (uint32_t k = 0; k < PERIODS + SHARERS * BLOCK; k++) {
        bool shared = k < PERIODS, sum = !shared && (k - PERIODS) % BLOCK == PERIODS;

        ck_assert_double_eq_tol(ipm->omega[k], shared ? 1.0 : sqrt(0.1) * (sum ? BLOCK / plain : 1.0), 1e-12);
    }
}
END_TEST

START_TEST(over_scenarios_a_multiplier_that_grows_wild_is_met_with_more_regularisation_once)
{
    mgc__ipm_result r;

    ck_assert_int_eq(solve_day(&r), MGC_OK);
    mgc__ipm_kkt_begin(ipm);
    const double little = ipm->shift, large = 1.0 + fabs(ipm->y[ipm->n + 5]);
    memset(ipm->dy, 0, ipm->count * sizeof *ipm->dy);
    ipm->dy[ipm->n + 5] = large;
    ck_assert(!mgc__ipm_kkt_doubts_direction(ipm));
    ck_assert_double_eq(ipm->shift, little);
    ipm->dy[ipm->n + 5] = -1e9 * large;
    ck_assert(mgc__ipm_kkt_doubts_direction(ipm));
    ck_assert_double_ge(ipm->shift, 1e4 * little);
    ck_assert(!mgc__ipm_kkt_doubts_direction(ipm)); /* what is regularised so may grow */
    mgc__ipm_kkt_begin(ipm);
    ck_assert_double_eq(ipm->shift, little);
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
    tcase_add_loop_test(tc, random_programs_prove_their_own_optimum, 0, 20);
    tcase_add_test(tc, a_warm_start_finds_the_same_optimum_in_fewer_iterations);
    tcase_add_test(tc, a_solve_does_not_depend_on_what_was_solved_before);
    tcase_add_test(tc, no_rows_and_no_columns_are_programs_too);
    tcase_add_test(tc, what_sums_over_a_scenarios_day_weighs_more_than_what_a_period_decides);
    tcase_add_test(tc, over_scenarios_a_multiplier_that_grows_wild_is_met_with_more_regularisation_once);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
