/* SPDX-License-Identifier: Apache-2.0 */
/* Linear and quadratic programs through the public solve; every answer is judged again here. */
#include "solver_test.h"

/* --- published optima ------------------------------------------------------------------------ */

static const char *const LINEAR[] = {"afiro",  "adlittle", "blend", "sc50a",  "sc50b",   "sc105",
                                     "sc205",  "share2b",  "kb2",   "recipe", "vtpbase", "scorpion",
                                     "israel", "e226",     "capri", "scagr7"};
static const char *const QUADRATIC[] = {"HS21",     "HS35",     "HS51",   "HS53",     "GENHS28",
                                        "LOTSCHD",  "QPTEST",   "QAFIRO", "DUALC1",   "DUAL1",
                                        "PRIMALC1", "CVXQP2_S", "QSC205", "QSHARE2B", "QPCBOEI1"};

static void check_published(const char *kind, const char *name, const char *suffix)
{
    struct text t = text_published(kind, name, suffix);
    double want = published_optimum(kind, name), objective, residual;
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program *p;

    if (t.s == NULL || isnan(want)) { /* not in this half of the collection */
        free(t.s);
        return;
    }
    ck_assert_int_eq(mgc_program_read_mps(ctx, t.s, t.n, name, &p), MGC_OK);
    free(t.s);
    ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
    ck_assert_msg(info.outcome == MGC_OUTCOME_OPTIMAL, "%s: %s, residuals %.1e %.1e, gap %.1e", name,
                  mgc_outcome_name(info.outcome), info.primal_residual, info.dual_residual, info.gap);
    ck_assert_msg(fabs(info.objective - want) <= 1e-6 * fmax(1.0, fabs(want)), "%s: %.12g, published %.12g", name,
                  info.objective, want);
    ck_assert_msg(info.bound <= info.objective + 1e-8 * fmax(1.0, fabs(want)), "%s: bound %.12g above %.12g", name,
                  info.bound, info.objective);
    double *x = malloc(mgc_program_columns(p) * sizeof *x);
    ck_assert_int_eq(mgc_program_get_x(p, x, mgc_program_columns(p)), MGC_OK);
    ck_assert_int_eq(mgc_program_check_x(p, x, mgc_program_columns(p), &objective, &residual), MGC_OK);
    ck_assert_double_eq(objective, info.objective);
    ck_assert_double_le(residual, 1e-8);
    free(x);
    mgc_program_destroy(p);
}

START_TEST(published_linear_optima)
{
    check_published("lp", LINEAR[_i], "mps");
}
END_TEST

START_TEST(published_quadratic_optima)
{
    check_published("qp", QUADRATIC[_i], "qps");
}
END_TEST

/* --- small programs, completely -------------------------------------------------------------- */

/* Optimum over x in [0, 4]^2 with up to three rows a x + b y <= r: try every meeting of two lines. */
static double by_vertices(const double c[2], double row[][3], int rows)
{
    double line[8][3], best = INFINITY;
    int n = 0;

    for (int i = 0; i < rows; i++, n++) memcpy(line[n], row[i], sizeof line[n]);
    memcpy(line[n++], (double[]){1, 0, 4}, sizeof line[0]);
    memcpy(line[n++], (double[]){0, 1, 4}, sizeof line[0]);
    memcpy(line[n++], (double[]){-1, 0, 0}, sizeof line[0]);
    memcpy(line[n++], (double[]){0, -1, 0}, sizeof line[0]);
    for (int a = 0; a < n; a++)
        for (int b = 0; b < a; b++) {
            double det = line[a][0] * line[b][1] - line[a][1] * line[b][0];
            if (det == 0) continue;
            double x = (line[a][2] * line[b][1] - line[a][1] * line[b][2]) / det,
                   y = (line[a][0] * line[b][2] - line[a][2] * line[b][0]) / det;
            bool inside = true;
            for (int k = 0; k < n; k++) inside &= line[k][0] * x + line[k][1] * y <= line[k][2] + 1e-12;
            if (inside) best = fmin(best, c[0] * x + c[1] * y);
        }
    return best;
}

START_TEST(small_linear_programs_agree_with_their_vertices)
{
    mgc__rng rng;
    int infeasible = 0;

    mgc__rng_seed(&rng, 5);
    for (int k = 0; k < 3000; k++) {
        double c[2], row[3][3];
        mgc_program *p;
        mgc_program_info info = {.struct_size = sizeof info};
        const uint32_t cols[] = {0, 1};
        ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
        for (int j = 0; j < 2; j++) {
            c[j] = (double)mgc__rng_below(&rng, 7) - 3;
            ck_assert_int_eq(mgc_program_add_column(p, c[j], 0, 4, NULL), MGC_OK);
        }
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) row[i][j] = (double)mgc__rng_below(&rng, 7) - 3;
            ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, row[i][2], cols, row[i], 2, NULL), MGC_OK);
        }
        double want = by_vertices(c, row, 3);
        ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
        if (want == INFINITY) {
            double ray[3], margin;
            infeasible++;
            ck_assert_msg(info.outcome == MGC_OUTCOME_INFEASIBLE, "case %d is infeasible, not %s", k,
                          mgc_outcome_name(info.outcome));
            ck_assert_int_eq(mgc_program_get_ray(p, ray, 3), MGC_OK);
            ck_assert_int_eq(mgc_program_check_ray(p, MGC_OUTCOME_INFEASIBLE, ray, 3, &margin), MGC_OK);
            ck_assert_double_gt(margin, 0);
            double none[2];
            ck_assert_int_eq(mgc_program_get_x(p, none, 2), MGC_E_STATE);
        } else {
            ck_assert_msg(info.outcome == MGC_OUTCOME_OPTIMAL && fabs(info.objective - want) < 1e-6,
                          "case %d: %s %.9g, by hand %.9g", k, mgc_outcome_name(info.outcome), info.objective, want);
        }
        mgc_program_destroy(p);
    }
    ck_assert_int_gt(infeasible, 50);
}
END_TEST

/* y is the derivative of the optimum by the right-hand side, in sign and size: differences tell. */
START_TEST(multipliers_are_derivatives)
{
    const uint32_t cols[] = {0, 1};
    const double one[] = {1, 2}, two[] = {3, 1};
    double y[2], z[2], base, step = 1e-3;
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program *p;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(p, -1, 0, INFINITY, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(p, -1.5, 0, INFINITY, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, 4, cols, one, 2, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, 6, cols, two, 2, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_set_quadratic(p, 0, 0, 0.1), MGC_OK);
    ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
    base = info.objective;
    ck_assert_int_eq(mgc_program_get_y(p, y, 2), MGC_OK);
    ck_assert_int_eq(mgc_program_get_z(p, z, 2), MGC_OK);
    ck_assert_double_lt(y[0], -0.1);
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_int_eq(mgc_program_set_row_bounds(p, i, -INFINITY, (i == 0 ? 4 : 6) + step), MGC_OK);
        ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
        ck_assert_double_eq_tol((info.objective - base) / step, y[i], 1e-3);
        ck_assert_int_eq(mgc_program_set_row_bounds(p, i, -INFINITY, i == 0 ? 4 : 6), MGC_OK);
    }
    mgc_program_destroy(p);
}
END_TEST

static uint32_t solve_two(double cost, double lower, double upper, double row_lower, double row_upper,
                          double margin[1])
{
    const uint32_t cols[] = {0, 1};
    const double one[] = {1, -1};
    double ray[2];
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program *p;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(p, cost, lower, upper, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(p, cost, lower, upper, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, row_lower, row_upper, cols, one, 2, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
    if (info.outcome == MGC_OUTCOME_UNBOUNDED) {
        ck_assert_int_eq(mgc_program_get_ray(p, ray, 2), MGC_OK);
        ck_assert_int_eq(mgc_program_check_ray(p, info.outcome, ray, 2, margin), MGC_OK);
    }
    mgc_program_destroy(p);
    return info.outcome;
}

START_TEST(unbounded_is_said_with_a_ray_and_a_point)
{
    double margin = 0;

    ck_assert_uint_eq(solve_two(-1, 0, INFINITY, 0, 1, &margin), MGC_OUTCOME_UNBOUNDED);
    ck_assert_double_gt(margin, 0);
    /* The objective would fall for ever, but there is no point to fall from. */
    ck_assert_uint_eq(solve_two(-1, -INFINITY, INFINITY, 0, 1, &margin), MGC_OUTCOME_UNBOUNDED);
    ck_assert_uint_eq(solve_two(1, 0, INFINITY, 0, 1, &margin), MGC_OUTCOME_OPTIMAL);
}
END_TEST

START_TEST(empty_programs_have_answers)
{
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program *p;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    ck_assert_int_eq(mgc_program_set_offset(p, 3), MGC_OK);
    ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq(info.objective, 3);
    ck_assert_int_eq(mgc_program_add_column(p, 2, 5, 7, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(info.objective, 13, 1e-6);
    ck_assert_int_eq(mgc_program_add_row(p, 1, 2, NULL, NULL, 0, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_INFEASIBLE);
    mgc_program_destroy(p);
}
END_TEST

START_TEST(a_saddle_is_refused)
{
    mgc_program *p;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (int j = 0; j < 2; j++) ck_assert_int_eq(mgc_program_add_column(p, 0, -1, 1, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_set_quadratic(p, 0, 1, 1.0), MGC_OK);
    ck_assert_int_eq(mgc_program_solve(p, NULL, NULL), MGC_E_NOT_CONVEX);
    ck_assert_int_eq(mgc_program_solve(p, NULL, NULL), MGC_E_NOT_CONVEX); /* nothing is remembered that would let it pass */
    mgc_program_destroy(p);
}
END_TEST

/* Two goods turn into each other, and a round trip loses `leak` of them: the only cheap way to be rid of one that nobody
 * wants is to send it round 1 / leak times.  Columns grow that large, along directions in which A all but vanishes. */
static void add_cycle(mgc_program *p, uint32_t k, double leak)
{
    double factor = 1.4146;
    uint32_t sold, wasted, there, back, row[2];

    ck_assert_int_eq(mgc_program_add_column(p, -3 - 0.25 * k, 0, 10, &sold), MGC_OK); /* makes one of the unwanted good */
    ck_assert_int_eq(mgc_program_add_column(p, 4 + 0.01 * k, 0, INFINITY, &wasted), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(p, 0, 0, INFINITY, &there), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(p, 0, 0, INFINITY, &back), MGC_OK);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(mgc_program_add_row(p, 0, 0, NULL, NULL, 0, &row[i]), MGC_OK);
    ck_assert_int_eq(mgc_program_set_coefficient(p, 0, sold, 1), MGC_OK);
    ck_assert_int_eq(mgc_program_set_coefficient(p, row[0], sold, 1), MGC_OK);
    ck_assert_int_eq(mgc_program_set_coefficient(p, row[0], wasted, -1), MGC_OK);
    ck_assert_int_eq(mgc_program_set_coefficient(p, row[0], there, -1), MGC_OK);
    ck_assert_int_eq(mgc_program_set_coefficient(p, row[1], there, factor), MGC_OK);
    ck_assert_int_eq(mgc_program_set_coefficient(p, row[0], back, (1 - leak) / factor), MGC_OK);
    ck_assert_int_eq(mgc_program_set_coefficient(p, row[1], back, -1), MGC_OK);
}

enum { MOST_CYCLES = 30 };

/* The dearest cycles run in full and the cheapest one at half: sum of 10 (3 + k/4), less 5 * 3. */
START_TEST(what_leaks_in_a_circle_runs_as_often_as_it_takes)
{
    static const double leaks[] = {1e-3, 1e-4};
    uint32_t cycles = 1 + (uint32_t)_i % MOST_CYCLES;
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program_opts o;
    mgc_program *p;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, 10.0 * cycles - 5, NULL, NULL, 0, NULL), MGC_OK);
    for (uint32_t k = 0; k < cycles; k++) add_cycle(p, k, leaks[_i / MOST_CYCLES]);
    mgc_program_opts_init(&o, sizeof o);
    for (o.presolve = 0; o.presolve < 2; o.presolve++) {
        double want = 15 - 30.0 * cycles - 1.25 * cycles * (cycles - 1);
        ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
        ck_assert_msg(info.outcome == MGC_OUTCOME_OPTIMAL && fabs(info.objective - want) <= 3e-8 * fabs(want),
                      "%u cycles: %s, %.10g; want %.10g", cycles, mgc_outcome_name(info.outcome), info.objective, want);
        ck_assert_uint_le(info.iterations, 150); /* of up to three starts */
    }
    mgc_program_destroy(p);
}
END_TEST

/* Rows of a few columns, and the same with rows and columns in units from 2^-20 to 2^20; *iterations: of either. */
static void solve_in_units(mgc__rng *rng, uint32_t iterations[2])
{
    enum { N = 60, M = 40, OF_ROW = 6 };
    mgc_program_info plain = {.struct_size = sizeof plain}, other = plain;
    mgc_program *p[2];
    double unit[N];

    for (int k = 0; k < 2; k++) ck_assert_int_eq(mgc_program_create(ctx, &p[k]), MGC_OK);
    for (int j = 0; j < N; j++) {
        double cost = 1 + 9 * mgc__rng_unit(rng);
        unit[j] = ldexp(1.0, (int)mgc__rng_below(rng, 41) - 20);
        ck_assert_int_eq(mgc_program_add_column(p[0], cost, 0, j % 3 ? INFINITY : 4, NULL), MGC_OK);
        ck_assert_int_eq(mgc_program_add_column(p[1], cost * unit[j], 0, j % 3 ? INFINITY : 4 / unit[j], NULL), MGC_OK);
    }
    for (uint32_t i = 0; i < M; i++) {
        double value[OF_ROW], scaled[OF_ROW], side = 0, row = ldexp(1.0, (int)mgc__rng_below(rng, 41) - 20);
        uint32_t cols[OF_ROW], first = (uint32_t)mgc__rng_below(rng, N);
        bool equal = i % 4 == 0;

        for (uint32_t k = 0; k < OF_ROW; k++) {
            cols[k] = (first + k * (1 + i % 9)) % N;
            value[k] = exp2(6 * mgc__rng_unit(rng) - 3) * (mgc__rng_below(rng, 3) ? 1 : -1);
            scaled[k] = value[k] * row * unit[cols[k]];
            side += value[k] * (cols[k] % 2 ? 2 : 0);
        }
        ck_assert_int_eq(mgc_program_add_row(p[0], side, equal ? side : INFINITY, cols, value, OF_ROW, NULL), MGC_OK);
        ck_assert_int_eq(mgc_program_add_row(p[1], side * row, equal ? side * row : INFINITY, cols, scaled, OF_ROW, NULL), MGC_OK);
    }
    ck_assert_int_eq(mgc_program_solve(p[0], NULL, &plain), MGC_OK);
    ck_assert_int_eq(mgc_program_solve(p[1], NULL, &other), MGC_OK);
    ck_assert_uint_eq(plain.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_uint_eq(other.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(other.objective, plain.objective, 1e-6 * fabs(plain.objective));
    iterations[0] += plain.iterations;
    iterations[1] += other.iterations;
    for (int k = 0; k < 2; k++) mgc_program_destroy(p[k]);
}

START_TEST(units_of_rows_and_columns_hardly_count)
{
    uint32_t iterations[2] = {0};
    mgc__rng rng;

    mgc__rng_seed(&rng, 9);
    for (int k = 0; k < 20; k++) solve_in_units(&rng, iterations);
    ck_assert_msg(iterations[1] <= 1.3 * iterations[0], "%u iterations, %u in other units", iterations[0], iterations[1]);
}
END_TEST

/* --- options -------------------------------------------------------------------------------------------------------
 */

/* Rows whose terms, of 1e7, all but cancel: their residuals are rounding from 1e-13 on.  An offset that leaves a ten thousandth of
 * the objective asks for a gap below that, not for such residuals: the price is a few iterations. */
START_TEST(an_offset_that_cancels_the_objective_asks_for_the_gap_alone)
{
    enum { N = 30, M = 20, OF_ROW = 5 };
    double at[N], cost[N], total = 0.0;
    mgc_program_info plain = {.struct_size = sizeof plain}, left = plain;
    mgc_program *p;
    mgc__rng rng;

    mgc__rng_seed(&rng, (uint64_t)_i);
    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (int j = 0; j < N; j++) {
        at[j] = 3e7 * (0.5 + mgc__rng_unit(&rng));
        cost[j] = mgc__rng_unit(&rng);
        total += cost[j] * at[j];
    }
    for (int j = 0; j < N; j++)
        ck_assert_int_eq(mgc_program_add_column(p, 3e5 * cost[j] / total, 1.5e7, INFINITY, NULL), MGC_OK);
    for (int i = 0; i < M; i++) {
        double value[OF_ROW], side = mgc__rng_unit(&rng), sum = 0.0;
        uint32_t cols[OF_ROW], first = (uint32_t)mgc__rng_below(&rng, N - OF_ROW);

        for (uint32_t k = 0; k < OF_ROW; k++) {
            cols[k] = (first + k * (1 + (uint32_t)i % 7)) % N;
            value[k] = k + 1 < OF_ROW ? 2.0 * mgc__rng_unit(&rng) - 1.0 : (side - sum) / at[cols[k]];
            sum += value[k] * at[cols[k]];
        }
        ck_assert_int_eq(mgc_program_add_row(p, side, side, cols, value, OF_ROW, NULL), MGC_OK);
    }
    ck_assert_int_eq(mgc_program_solve(p, NULL, &plain), MGC_OK);
    ck_assert_uint_eq(plain.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_int_eq(mgc_program_set_offset(p, -plain.objective * (1.0 - 1e-4)), MGC_OK);
    ck_assert_int_eq(mgc_program_solve(p, NULL, &left), MGC_OK);
    ck_assert_uint_eq(left.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_le(left.gap, 1e-8);
    ck_assert_double_le(fabs(left.objective - 1e-4 * plain.objective), 1e-7 * plain.objective);
    ck_assert_uint_le(left.iterations, plain.iterations + 10);
    mgc_program_destroy(p);
}
END_TEST

START_TEST(options_are_checked)
{
    mgc_program_opts o;
    mgc_program *p;
    mgc_ctx *no_clock;

    ck_assert_int_eq(mgc_ctx_create(NULL, &no_clock), MGC_OK);
    ck_assert_int_eq(mgc_program_create(no_clock, &p), MGC_OK);
    static const double bad[] = {0, -1, 1, NAN, INFINITY};
    for (size_t i = 0; i < MGC__COUNT(bad); i++) {
        mgc_program_opts_init(&o, sizeof o);
        o.tolerance = bad[i];
        ck_assert_int_eq(mgc_program_solve(p, &o, NULL), MGC_E_INVALID_ARG);
    }
    mgc_program_opts_init(&o, sizeof o);
    o.gap = NAN;
    ck_assert_int_eq(mgc_program_solve(p, &o, NULL), MGC_E_INVALID_ARG);
    mgc_program_opts_init(&o, sizeof o);
    o.threads = 0;
    ck_assert_int_eq(mgc_program_solve(p, &o, NULL), MGC_E_INVALID_ARG);
    mgc_program_opts_init(&o, sizeof o);
    o.time_limit_s = 1;
    ck_assert_int_eq(mgc_program_solve(p, &o, NULL), MGC_E_INVALID_ARG);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(no_clock), "clock"));
    mgc_program_destroy(p);
    mgc_ctx_destroy(no_clock);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, test_setup, test_teardown);
    tcase_set_timeout(c, 100);
    tcase_add_test(c, small_linear_programs_agree_with_their_vertices);
    tcase_add_test(c, multipliers_are_derivatives);
    tcase_add_test(c, unbounded_is_said_with_a_ray_and_a_point);
    tcase_add_test(c, empty_programs_have_answers);
    tcase_add_test(c, a_saddle_is_refused);
    tcase_add_loop_test(c, what_leaks_in_a_circle_runs_as_often_as_it_takes, 0, 2 * MOST_CYCLES);
    tcase_add_test(c, units_of_rows_and_columns_hardly_count);
    tcase_add_loop_test(c, an_offset_that_cancels_the_objective_asks_for_the_gap_alone, 1, 7);
    tcase_add_test(c, options_are_checked);
    if (getenv("MGC_TEST_PUBLISHED") != NULL) {
        tcase_add_loop_test(c, published_linear_optima, 0, MGC__COUNT(LINEAR));
        tcase_add_loop_test(c, published_quadratic_optima, 0, MGC__COUNT(QUADRATIC));
    } else {
        puts("# SKIP published optima: MGC_TEST_PUBLISHED is not set");
    }
    return run_suite("solve", c);
}
