/* SPDX-License-Identifier: Apache-2.0 */
/* Branch and bound against complete enumeration, dynamic programming and other solvers. */
#include "solver_test.h"
#include "solver/mip.h"

static mgc_program *new_program(void)
{
    mgc_program *p;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    return p;
}

static void add_integer(mgc_program *p, double cost, double lower, double upper)
{
    uint32_t j;

    ck_assert_int_eq(mgc_program_add_column(p, cost, lower, upper, &j), MGC_OK);
    ck_assert_int_eq(mgc_program_set_integer(p, j, 1), MGC_OK);
}

static mgc_program_info solve(mgc_program *p, double gap)
{
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};

    mgc_program_opts_init(&o, sizeof o);
    o.gap = gap;
    ck_assert_msg(mgc_program_solve(p, &o, &info) == MGC_OK, "%s", mgc_ctx_error(ctx));
    return info;
}

/* --- small worlds, completely ------------------------------------------------------------------------------------
 */

enum { N = 6, M = 4 };

struct small {
    double c[N], row[M][N], lower[M], upper[M], quadratic[N];
    int low[N], high[N];
};

/* The best of all integer points. */
static double enumerate(const struct small *s)
{
    int x[N];
    double best = INFINITY;

    for (int j = 0; j < N; j++) x[j] = s->low[j];
    for (;;) {
        double value = 0;
        bool good = true;
        for (int j = 0; j < N; j++) value += s->c[j] * x[j] + 0.5 * s->quadratic[j] * x[j] * x[j];
        for (int i = 0; i < M; i++) {
            double sum = 0;
            for (int j = 0; j < N; j++) sum += s->row[i][j] * x[j];
            good &= sum >= s->lower[i] - 1e-9 && sum <= s->upper[i] + 1e-9;
        }
        if (good) best = fmin(best, value);
        int j = 0;
        while (j < N && ++x[j] > s->high[j]) {
            x[j] = s->low[j];
            j++;
        }
        if (j == N) return best;
    }
}

static struct small some_small(mgc__rng *rng, bool quadratic)
{
    struct small s;

    for (int j = 0; j < N; j++) {
        s.c[j] = (double)mgc__rng_below(rng, 21) - 10 + (mgc__rng_below(rng, 2) != 0 ? 0.37 : 0.0);
        s.quadratic[j] = quadratic ? (double)mgc__rng_below(rng, 4) : 0.0;
        s.low[j] = (int)mgc__rng_below(rng, 3) - 2;
        s.high[j] = s.low[j] + (int)mgc__rng_below(rng, 4);
    }
    for (int i = 0; i < M; i++) {
        for (int j = 0; j < N; j++)
            s.row[i][j] = mgc__rng_below(rng, 3) != 0 ? (double)mgc__rng_below(rng, 15) - 7 : 0.0;
        double b = (double)mgc__rng_below(rng, 17) - 8;
        switch (mgc__rng_below(rng, 4)) {
        case 0: s.lower[i] = b, s.upper[i] = INFINITY; break;
        case 1: s.lower[i] = b, s.upper[i] = b; break;
        default: s.lower[i] = -INFINITY, s.upper[i] = b; break;
        }
    }
    return s;
}

static mgc_program *program_of(const struct small *s)
{
    const uint32_t cols[N] = {0, 1, 2, 3, 4, 5};
    mgc_program *p = new_program();

    for (uint32_t j = 0; j < N; j++) {
        add_integer(p, s->c[j], s->low[j], s->high[j]);
        ck_assert_int_eq(mgc_program_set_quadratic(p, j, j, s->quadratic[j]), MGC_OK);
    }
    for (int i = 0; i < M; i++)
        ck_assert_int_eq(mgc_program_add_row(p, s->lower[i], s->upper[i], cols, s->row[i], N, NULL), MGC_OK);
    return p;
}

static void small_worlds(bool quadratic, int cases, uint64_t seed)
{
    mgc__rng rng;
    int infeasible = 0;

    mgc__rng_seed(&rng, seed);
    for (int k = 0; k < cases; k++) {
        struct small s = some_small(&rng, quadratic);
        double want = enumerate(&s), x[N], objective, residual;
        mgc_program *p = program_of(&s);
        mgc_program_info info = solve(p, 0.0);
        if (want == INFINITY) {
            infeasible++;
            ck_assert_msg(info.outcome == MGC_OUTCOME_INFEASIBLE, "case %d: %s", k, mgc_outcome_name(info.outcome));
            ck_assert_int_eq(mgc_program_get_x(p, x, N), MGC_E_STATE);
        } else {
            ck_assert_msg(info.outcome == MGC_OUTCOME_OPTIMAL, "case %d: %s", k, mgc_outcome_name(info.outcome));
            ck_assert_msg(fabs(info.objective - want) < 1e-6 * fmax(1.0, fabs(want)),
                          "case %d: %.9g, all points %.9g", k, info.objective, want);
            ck_assert_double_le(info.bound, info.objective);
            ck_assert_int_eq(mgc_program_get_x(p, x, N), MGC_OK);
            ck_assert_int_eq(mgc_program_check_x(p, x, N, &objective, &residual), MGC_OK);
            ck_assert_double_le(residual, 1e-9);
        }
        mgc_program_destroy(p);
    }
    ck_assert_int_gt(infeasible, cases / 50);
    ck_assert_int_lt(infeasible, cases);
}

START_TEST(small_integer_programs_agree_with_all_points)
{
    small_worlds(false, 1500, 21);
}
END_TEST

START_TEST(small_quadratic_integer_programs_agree_with_all_points)
{
    small_worlds(true, 500, 22);
}
END_TEST

/* --- knapsacks ------------------------------------------------------------------------------- */

START_TEST(knapsacks_agree_with_dynamic_programming)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, 4);
    for (int k = 0; k < 40; k++) {
        enum { ITEMS = 25, ROOM = 120 };
        double best[ROOM + 1] = {0}, weight[ITEMS];
        uint32_t cols[ITEMS];
        mgc_program *p = new_program();
        for (uint32_t j = 0; j < ITEMS; j++) {
            int w = 3 + (int)mgc__rng_below(&rng, 30);
            double worth = (double)mgc__rng_below(&rng, 30) + w;
            for (int room = ROOM; room >= w; room--) best[room] = fmax(best[room], best[room - w] + worth);
            weight[j] = w;
            cols[j] = j;
            add_integer(p, -worth, 0, 1);
        }
        ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, ROOM, cols, weight, ITEMS, NULL), MGC_OK);
        mgc_program_info info = solve(p, 0.0);
        ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
        ck_assert_msg(fabs(info.objective + best[ROOM]) < 1e-6, "case %d: %g, %g is right", k, -info.objective,
                      best[ROOM]);
        mgc_program_destroy(p);
    }
}
END_TEST

/* 12 x + 18 y + 30 z = 121 has solutions among reals, none among integers: 6 does not divide 121. */
START_TEST(an_equality_without_integer_solution_is_infeasible)
{
    const uint32_t cols[] = {0, 1, 2};
    const double a[] = {12, 18, 30};
    mgc_program *p = new_program();
    double ray[1];

    for (int j = 0; j < 3; j++) add_integer(p, 1, 0, 20);
    ck_assert_int_eq(mgc_program_add_row(p, 121, 121, cols, a, 3, NULL), MGC_OK);
    mgc_program_info info = solve(p, 1e-4);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_INFEASIBLE);
    ck_assert_int_eq(mgc_program_get_ray(p, ray, 1), MGC_E_STATE); /* the relaxation is feasible: no ray shows it */
    ck_assert_int_eq(mgc_program_set_row_bounds(p, 0, 120, 120), MGC_OK);
    info = solve(p, 0);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(info.objective, 4, 1e-7);
    mgc_program_destroy(p);
}
END_TEST

START_TEST(relaxations_give_their_certificates)
{
    const uint32_t cols[] = {0, 1};
    const double a[] = {1, 1}, b[] = {1, -1};
    double ray[2], margin;
    mgc_program *p = new_program();

    for (int j = 0; j < 2; j++) add_integer(p, -1, 0, INFINITY);
    ck_assert_int_eq(mgc_program_add_row(p, 0, 1, cols, b, 2, NULL), MGC_OK);
    mgc_program_info info = solve(p, 0);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_UNBOUNDED);
    ck_assert_int_eq(mgc_program_get_ray(p, ray, 2), MGC_OK);
    ck_assert_int_eq(mgc_program_check_ray(p, info.outcome, ray, 2, &margin), MGC_OK);
    ck_assert_double_gt(margin, 0);
    ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, -1, cols, a, 2, NULL), MGC_OK);
    info = solve(p, 0);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_INFEASIBLE);
    ck_assert_int_eq(mgc_program_get_ray(p, ray, 2), MGC_OK);
    ck_assert_int_eq(mgc_program_check_ray(p, info.outcome, ray, 2, &margin), MGC_OK);
    ck_assert_double_gt(margin, 0);
    mgc_program_destroy(p);
}
END_TEST

/* --- unit commitment ------------------------------------------------------------------------- */

enum { UNITS = 3, HOURS = 12 };

/* Units with minimum up and down times, start-up cost and ramps that meet a demand in two scenarios, with dear
 * purchases as recourse: the shape of day-ahead programs. */
static mgc_program *commitment(uint64_t seed)
{
    mgc_program *p = new_program();
    uint32_t u[UNITS][HOURS], v[UNITS][HOURS], power[2][UNITS][HOURS], buy[2][HOURS], cols[16];
    double vals[16];
    mgc__rng rng;

    mgc__rng_seed(&rng, seed);
    for (int g = 0; g < UNITS; g++)
        for (int t = 0; t < HOURS; t++) {
            u[g][t] = mgc_program_columns(p);
            add_integer(p, 8.0 + 3 * g, 0, 1);
            v[g][t] = mgc_program_columns(p);
            add_integer(p, 40.0 - 10 * g, 0, 1);
        }
    for (int k = 0; k < 2; k++)
        for (int t = 0; t < HOURS; t++) {
            for (int g = 0; g < UNITS; g++)
                ck_assert_int_eq(mgc_program_add_column(p, 0.5 * (1 + 0.3 * g), 0, INFINITY, &power[k][g][t]),
                                 MGC_OK);
            ck_assert_int_eq(mgc_program_add_column(p, 0.5 * 4, 0, INFINITY, &buy[k][t]), MGC_OK);
        }
    for (int g = 0; g < UNITS; g++)
        for (int t = 0; t < HOURS; t++) {
            int up = 2 + g, down = 2;
            uint32_t n = 0;
            cols[0] = v[g][t], vals[0] = 1;
            cols[1] = u[g][t], vals[1] = -1;
            cols[2] = u[g][t > 0 ? t - 1 : 0], vals[2] = 1;
            ck_assert_int_eq(mgc_program_add_row(p, 0, INFINITY, cols, vals, t > 0 ? 3 : 2, NULL), MGC_OK);
            for (int s = t - up + 1 > 0 ? t - up + 1 : 0; s <= t; s++, n++) cols[n] = v[g][s], vals[n] = 1;
            cols[n] = u[g][t], vals[n++] = -1;
            ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, 0, cols, vals, n, NULL), MGC_OK);
            n = 0;
            for (int s = t - down + 1 > 0 ? t - down + 1 : 0; s <= t; s++, n++) cols[n] = v[g][s], vals[n] = 1;
            if (t >= down) cols[n] = u[g][t - down], vals[n++] = 1;
            ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, 1, cols, vals, n, NULL), MGC_OK);
        }
    for (int k = 0; k < 2; k++)
        for (int t = 0; t < HOURS; t++) {
            double demand = 60 + 50 * sin(0.5 * t + k) + 30 * mgc__rng_unit(&rng);
            for (int g = 0; g < UNITS; g++) {
                double most = 60 + 20 * g, least = 25, ramp = 30;
                const uint32_t pu[] = {power[k][g][t], u[g][t]};
                ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, 0, pu, (double[]){1, -most}, 2, NULL), MGC_OK);
                ck_assert_int_eq(mgc_program_add_row(p, 0, INFINITY, pu, (double[]){1, -least}, 2, NULL), MGC_OK);
                cols[g] = power[k][g][t], vals[g] = 1;
                if (t == 0) continue;
                const uint32_t rise[] = {power[k][g][t], power[k][g][t - 1], u[g][t - 1], v[g][t]};
                ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, 0, rise, (double[]){1, -1, -ramp, -ramp}, 4, NULL),
                                 MGC_OK);
            }
            cols[UNITS] = buy[k][t], vals[UNITS] = 1;
            ck_assert_int_eq(mgc_program_add_row(p, demand, INFINITY, cols, vals, UNITS + 1, NULL), MGC_OK);
        }
    return p;
}

/* GLPK's optimum of a program; NAN where glpsol is not installed. */
static double by_glpsol(const mgc_program *p)
{
    char file[] = "/tmp/mgc_mip_XXXXXX", command[300];
    struct text t = {0};
    double value = NAN;
    int fd = mkstemp(file);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(mgc_program_write_mps(p, text_keep, &t), MGC_OK);
    FILE *f = fdopen(fd, "w");
    ck_assert_uint_eq(fwrite(t.s, 1, t.n, f), t.n);
    ck_assert_int_eq(fclose(f), 0);
    free(t.s);
    snprintf(command, sizeof command,
             "glpsol --freemps %s --tmlim 60 -o %s.sol >/dev/null 2>&1 && cat %s.sol; rm -f %s.sol", file, file, file,
             file);
    t = text_of_command(command);
    const char *at = t.s != NULL ? strstr(t.s, "Objective:") : NULL;
    if (at != NULL && (at = strchr(at, '=')) != NULL && sscanf(at + 1, "%lf", &value) != 1) value = NAN;
    free(t.s);
    remove(file);
    return value;
}

START_TEST(commitment_agrees_with_another_solver)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        mgc_program *p = commitment(seed);
        mgc_program_info info = solve(p, 1e-4);
        double other = by_glpsol(p);
        ck_assert_msg(info.outcome == MGC_OUTCOME_OPTIMAL, "seed %d: %s", (int)seed, mgc_outcome_name(info.outcome));
        if (!isnan(other)) {
            ck_assert_msg(info.objective >= other - 1e-6 * other && info.objective <= other * (1 + 1.01e-4),
                          "seed %d: %.9g, glpsol %.9g", (int)seed, info.objective, other);
            ck_assert_msg(info.bound <= other * (1 + 1e-7), "seed %d: bound %.9g above the optimum %.9g", (int)seed,
                          info.bound, other);
        }
        mgc_program_destroy(p);
    }
}
END_TEST

START_TEST(threads_change_nothing)
{
    double x[2][400];
    mgc_program_info info[2];

    for (int k = 0; k < 2; k++) {
        mgc_program *p = commitment(7);
        mgc_program_opts o;
        uint32_t n = mgc_program_columns(p);
        info[k] = (mgc_program_info){.struct_size = sizeof info[k]};
        mgc_program_opts_init(&o, sizeof o);
        o.threads = k == 0 ? 1 : 3;
        ck_assert_int_eq(mgc_program_solve(p, &o, &info[k]), MGC_OK);
        ck_assert_uint_le(n, 400);
        ck_assert_int_eq(mgc_program_get_x(p, x[k], n), MGC_OK);
        mgc_program_destroy(p);
        info[k].seconds = 0;
        if (k == 1) ck_assert_mem_eq(x[0], x[1], n * sizeof(double));
    }
    ck_assert_mem_eq(&info[0], &info[1], sizeof info[0]);
}
END_TEST

/* What makes the search independent of threads: a cold solve leaves no trace in the next one. */
START_TEST(cold_solves_know_nothing_of_each_other)
{
    mgc_program *p = commitment(6);
    uint32_t n = mgc_program_columns(p);
    double first[400], again[400];
    mgc_program_opts o;
    mgc__rng rng;

    mgc__rng_seed(&rng, 2);
    mgc_program_opts_init(&o, sizeof o);
    o.relax = 1;
    ck_assert_int_eq(mgc_program_solve(p, &o, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_get_x(p, first, n), MGC_OK);
    for (int k = 0; k < 10; k++) {
        for (int f = 0; f < 8; f++) {
            double at = (double)mgc__rng_below(&rng, 2);
            ck_assert_int_eq(mgc_program_set_bounds(p, (uint32_t)mgc__rng_below(&rng, 2 * UNITS * HOURS), at, at),
                             MGC_OK);
        }
        ck_assert_int_eq(mgc_program_solve(p, &o, NULL), MGC_OK);
        for (uint32_t j = 0; j < 2 * UNITS * HOURS; j++) ck_assert_int_eq(mgc_program_set_bounds(p, j, 0, 1), MGC_OK);
        ck_assert_int_eq(mgc_program_solve(p, &o, NULL), MGC_OK);
        ck_assert_int_eq(mgc_program_get_x(p, again, n), MGC_OK);
        ck_assert_mem_eq(first, again, n * sizeof *first);
    }
    mgc_program_destroy(p);
}
END_TEST

/* --- limits ---------------------------------------------------------------------------------- */

START_TEST(limits_leave_a_point_and_a_true_bound)
{
    mgc_program *p = commitment(3);
    mgc_program_opts o;
    mgc_program_info full = solve(p, 1e-6), info = {.struct_size = sizeof info};

    mgc_program_opts_init(&o, sizeof o);
    o.gap = 1e-6;
    o.node_limit = 1;
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_LIMIT);
    ck_assert_double_lt(info.objective, INFINITY);
    ck_assert_double_le(info.bound, full.objective * (1 + 1e-9));
    ck_assert_double_ge(info.objective, full.bound * (1 - 1e-9));
    ck_assert_double_gt(info.gap, 1e-6);
    mgc_program_destroy(p);
}
END_TEST

static int32_t stop_at_once(void *user, uint32_t iteration, double primal, double bound)
{
    ++*(int *)user;
    (void)iteration, (void)primal, (void)bound;
    return MGC_CB_STOP;
}

static int32_t break_down(void *user, uint32_t iteration, double primal, double bound)
{
    (void)user, (void)iteration, (void)primal, (void)bound;
    return MGC_E_IO;
}

START_TEST(the_callback_stops_or_fails_the_search)
{
    mgc_program *p = commitment(3);
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};
    int calls = 0;

    mgc_program_opts_init(&o, sizeof o);
    o.gap = 0;
    o.progress = stop_at_once;
    o.user = &calls;
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_CANCELLED);
    ck_assert_int_eq(calls, 1);
    ck_assert_double_lt(info.objective, INFINITY);
    o.progress = break_down;
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_E_IO);
    mgc_program_destroy(p);
}
END_TEST

START_TEST(multipliers_belong_to_the_fixed_program)
{
    mgc_program *p = commitment(2);
    uint32_t n = mgc_program_columns(p), m = mgc_program_rows(p);
    double x[400], y[400], z[400], residual;
    mgc_program_info info = solve(p, 1e-4);

    ck_assert_int_eq(mgc_program_get_x(p, x, n), MGC_OK);
    ck_assert_int_eq(mgc_program_get_y(p, y, m), MGC_OK);
    ck_assert_int_eq(mgc_program_get_z(p, z, n), MGC_OK);
    ck_assert_int_eq(mgc_program_check_x(p, x, n, NULL, &residual), MGC_OK);
    ck_assert_double_le(residual, 1e-8);
    for (uint32_t j = 0; j < n; j++) {
        int32_t integer;
        ck_assert_int_eq(mgc_program_get_column(p, j, NULL, NULL, NULL, &integer), MGC_OK);
        if (integer) ck_assert_double_eq(x[j], nearbyint(x[j]));
        else ck_assert_double_ge(z[j], -1e-7);
    }
    ck_assert_double_le(info.dual_residual, 1e-8);
    mgc_program_destroy(p);
}
END_TEST

/* A start is where the first incumbent comes from: with no nodes to search, it is the answer. */
START_TEST(a_start_is_used)
{
    mgc_program *p = commitment(5);
    mgc_program_opts o;
    mgc_program_info full = solve(p, 1e-4), info = {.struct_size = sizeof info};
    uint32_t n = mgc_program_columns(p);
    double x[400], back[400];

    ck_assert_uint_eq(full.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_int_eq(mgc_program_get_x(p, x, n), MGC_OK);
    ck_assert_int_eq(mgc__program_set_start(p, x, n + 1), MGC_E_INVALID_ARG);
    for (uint32_t j = 0; j < n; j++) { /* continuous columns need not be known */
        int32_t integer;
        ck_assert_int_eq(mgc_program_get_column(p, j, NULL, NULL, NULL, &integer), MGC_OK);
        if (!integer) x[j] = NAN;
    }
    ck_assert_int_eq(mgc__program_set_start(p, x, n), MGC_OK);
    mgc_program_opts_init(&o, sizeof o);
    o.node_limit = 1;
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
    ck_assert_int_eq(mgc_program_get_x(p, back, n), MGC_OK);
    ck_assert_double_le(info.objective, full.objective * (1 + 1e-7));
    mgc_program_destroy(p);
}
END_TEST

/* --- what only the integers decide ------------------------------------------------------------ */

/* 2 x - 2 y = right, x and y whole; z falls for ever. */
static uint32_t fall_for_ever(double right, double x_upper)
{
    static const uint32_t cols[] = {0, 1};
    const double coefficients[] = {2, -2};
    mgc_program *p = new_program();

    add_integer(p, 0.3, 0, x_upper);
    add_integer(p, 0, 0, x_upper);
    ck_assert_int_eq(mgc_program_add_column(p, -1, 0, INFINITY, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, right, right, cols, coefficients, 2, NULL), MGC_OK);
    mgc_program_info info = solve(p, 1e-6);
    mgc_program_destroy(p);
    return info.outcome;
}

START_TEST(an_unbounded_relaxation_is_not_an_unbounded_program)
{
    ck_assert_uint_eq(fall_for_ever(2, 10), MGC_OUTCOME_UNBOUNDED);
    ck_assert_uint_eq(fall_for_ever(1, 10), MGC_OUTCOME_INFEASIBLE);
}
END_TEST

/* Columns of the size 1e-9 that propagation narrows are narrow, not fixed. */
START_TEST(tiny_ranges_are_ranges)
{
    static const uint32_t cols[] = {0, 1, 2};
    static const double sum[] = {1, 1, 1e-9}, tie[] = {1, -1, 0};
    mgc_program *p = new_program();
    double x[3];

    ck_assert_int_eq(mgc_program_add_column(p, -1e9, -7e-9, 5e-9, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(p, 3e9, -6e-9, 2e-9, NULL), MGC_OK);
    add_integer(p, 1, 0, 3);
    ck_assert_int_eq(mgc_program_add_row(p, 3e-9, 4e-9, cols, sum, 3, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, 1e-9, 2e-9, cols, tie, 3, NULL), MGC_OK);
    mgc_program_info info = solve(p, 1e-6);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_int_eq(mgc_program_get_x(p, x, 3), MGC_OK);
    /* in units of 1e-9: -x + 3 y + k with x = y + 2 and 2 y + 2 + k = 3: 2 y - 2 + k = -1 whatever k is */
    ck_assert_double_eq_tol(info.objective, -1, 1e-3);
    mgc_program_destroy(p);
}
END_TEST

/* A row in units of 2^-28: what it asks of integers is less than the tolerance, and yet theirs to keep.  Without it
 * the best is 0; in units of 1 it is 1 (another solver's answer). */
START_TEST(tiny_rows_are_rows)
{
    static const uint32_t cols[] = {0, 1, 2, 3, 4};
    static const double cost[] = {-1, -1, -3, -1, 3}, low[] = {1, -5, 0, 0, 2}, high[] = {5, -3, 5, 5, 6};
    static const double first[] = {-0.0625, 0.0625, -0.311875, -0.4375, -0.04387639868530703},
                        tiny[] = {3.725290298461914e-09, 0, 2.2351741790771484e-08, -3.725290298461914e-09,
                                  2.60770320892334e-08},
                        third[] = {64, -27.84, 96, 130.56, -224};
    mgc_program *p = new_program();

    for (int j = 0; j < 5; j++) add_integer(p, cost[j], low[j], high[j]);
    ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, -2.048630594741228, cols, first, 5, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, 1.7508864402770996e-07, 1.8253922462463379e-07, cols, tiny, 5, NULL),
                     MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, -118.47930104208427, -14.09, cols, third, 5, NULL), MGC_OK);
    mgc_program_info info = solve(p, 0);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(info.objective, 1, 1e-9);
    mgc_program_destroy(p);
}
END_TEST

/* --- memory ---------------------------------------------------------------------------------- */

/* Four items, a choice of which branches. */
static mgc_status pack(mgc_allocator mem)
{
    static const double weight[] = {5, 7, 4, 3}, worth[] = {16, 22, 12, 8};
    static const uint32_t cols[] = {0, 1, 2, 3};
    mgc_ctx_opts o;
    mgc_ctx *c;
    mgc_program *p = NULL;
    mgc_program_info info = {.struct_size = sizeof info};

    mgc_ctx_opts_init(&o, sizeof o);
    o.allocator = &mem;
    mgc_status st = mgc_ctx_create(&o, &c);
    if (st != MGC_OK) return st;
    st = mgc_program_create(c, &p);
    for (uint32_t j = 0; st == MGC_OK && j < 4; j++) {
        st = mgc_program_add_column(p, -worth[j] - 0.5, 0, 1, NULL);
        if (st == MGC_OK) st = mgc_program_set_integer(p, j, 1);
    }
    if (st == MGC_OK) st = mgc_program_add_row(p, -INFINITY, 14, cols, weight, 4, NULL);
    if (st == MGC_OK) st = mgc_program_solve(p, NULL, &info);
    if (st == MGC_OK) ck_assert_double_eq_tol(info.objective, -43.5, 1e-5);
    mgc_program_destroy(p);
    mgc_ctx_destroy(c);
    return st;
}

/* Rows of 1e9 beside rows of 1e-5, as random programs have them: multipliers prove the last leaf only up to the rounding of
 * huge terms, and yet propagation has fixed all there is. */
START_TEST(a_leaf_of_badly_scaled_rows_is_closed)
{
    static const double cost[] = {0.12401526466382218, -1, 524288, 0}, high[] = {19.225204082909872, -3, 0x1.3p-13, 2},
                        low[] = {-2.814791541093219, -6, -0x1p-16, -3};
    static const uint32_t cols[] = {0, 1, 3};
    mgc_program *p = new_program();

    for (uint32_t j = 0; j < 4; j++) {
        ck_assert_int_eq(mgc_program_add_column(p, cost[j], low[j], high[j], NULL), MGC_OK);
        if (j % 2 == 1) ck_assert_int_eq(mgc_program_set_integer(p, j, 1), MGC_OK);
    }
    double r1[] = {29360128, 0, 0}, r2[] = {0, 1610612736, 360382964.9660289}, r4[] = {0, 0x1p-16, 0};
    double r3[] = {1835008, 786432, 175968.2446123188};
    ck_assert_int_eq(mgc_program_add_row(p, -22748107.299643558, -22748107.299643558, cols, r1, 3, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, -7523599838.898087, INFINITY, cols, r2, 3, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, -5095389.440064679, cols, r3, 3, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, -0x1p-14, -0x1p-16, cols, r4, 3, NULL), MGC_OK);
    mgc_program_info info = solve(p, 1e-6);
    ck_assert_msg(info.outcome == MGC_OUTCOME_OPTIMAL, "%s, objective %.9g, bound %.9g", mgc_outcome_name(info.outcome),
                  info.objective, info.bound);
    /* x = -22748107.3 / 29360128; u = -4, for R4 asks for it; the free one at its lower end: -8 */
    ck_assert_double_eq_tol(info.objective, cost[0] * (-22748107.299643558 / 29360128) + 4 - 8, 1e-6);
    mgc_program_destroy(p);
}
END_TEST

/* u0, u1 on or off; v >= u1 - u0 pays 30 for a start; 20 u1 <= P <= 100 u1 costs 2; P + b >= 50, b costs 9. */
static void starting_unit(mgc__solve *s)
{
    static const uint32_t v[] = {0, 1, 2}, pu[] = {1, 3}, pb[] = {3, 4};

    memset(s, 0, sizeof *s);
    ck_assert_int_eq(mgc_program_create(ctx, &s->p), MGC_OK);
    for (uint32_t j = 0; j < 2; j++) {
        ck_assert_int_eq(mgc_program_add_column(s->p, 1, 0, 1, NULL), MGC_OK);
        ck_assert_int_eq(mgc_program_set_integer(s->p, j, 1), MGC_OK);
    }
    ck_assert_int_eq(mgc_program_add_column(s->p, 30, 0, INFINITY, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(s->p, 2, 0, 100, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(s->p, 9, 0, 100, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(s->p, -INFINITY, 0, v, (double[]){-1, 1, -1}, 3, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(s->p, -INFINITY, 0, pu, (double[]){-100, 1}, 2, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(s->p, 0, INFINITY, pu, (double[]){-20, 1}, 2, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(s->p, 50, INFINITY, pb, (double[]){1, 1}, 2, NULL), MGC_OK);
    mgc_program_opts_init(&s->opts, sizeof s->opts);
    ck_assert_int_eq(mgc__program_compile(s->p), MGC_OK);
}

START_TEST(what_follows_integers_is_counted)
{
    mgc__solve s;
    mgc__mip mip;
    mgc__followers f;
    const double off[5] = {0}, half[5] = {0, 0.5}, on[5] = {0, 1}, stays[5] = {1, 1};

    starting_unit(&s);
    ck_assert_int_eq(mgc__mip_setup(&mip, &s), MGC_OK);
    ck_assert_int_eq(mgc__followers_init(&f, &mip), MGC_OK);
    ck_assert_uint_eq(f.n, 2);
    mgc__followers_weigh(&f, &mip, NULL); /* P costs: as low as it may be */
    ck_assert_double_eq_tol(mgc__followers_cost(&f, &mip, off), 0, 1e-12);
    ck_assert_double_eq_tol(mgc__followers_cost(&f, &mip, half), 30 * 0.5 + 2 * 10, 1e-12);
    ck_assert_double_eq_tol(mgc__followers_cost(&f, &mip, on), 30 + 2 * 20, 1e-12);
    ck_assert_double_eq_tol(mgc__followers_cost(&f, &mip, stays), 2 * 20, 1e-12);
    /* Multipliers of ties do not count, that of the demand does: P earns 7 and is as high as it may be. */
    mgc__followers_weigh(&f, &mip, (const double[]){-30, -3, 4, 9});
    ck_assert_double_eq_tol(mgc__followers_cost(&f, &mip, half), 30 * 0.5 - 7 * 50, 1e-12);
    ck_assert_double_eq_tol(mgc__followers_cost(&f, &mip, stays), -7 * 100, 1e-12);
    mgc__followers_free(ctx, &f);
    mgc__mip_free(&mip);
    mgc_program_destroy(s.p);
}
END_TEST

/* --- what fixed columns leave ------------------------------------------------------------------ */

/* P at 20 at most leaves 30 to b, and u0 and u1 whatever they are. */
START_TEST(a_row_leaves_its_columns_what_they_need)
{
    mgc__solve s;
    mgc__mip mip;
    mgc__domain d;

    starting_unit(&s);
    ck_assert_int_eq(mgc__mip_setup(&mip, &s), MGC_OK);
    ck_assert_int_eq(mgc__domain_init(&d, &mip), MGC_OK);
    mgc__domain_reset(&d);
    ck_assert(mgc__domain_set(&d, 3, 0, 20) && mgc__domain_propagate(&d));
    ck_assert_double_eq_tol(d.lower[4], 30, 1e-6);
    ck_assert_double_eq(d.upper[4], 100);
    ck_assert(mgc__domain_set(&d, 1, 0, 0) && mgc__domain_propagate(&d));
    ck_assert_double_eq_tol(d.upper[3], 0, 1e-6);
    ck_assert_double_eq_tol(d.lower[4], 50, 1e-6);
    ck_assert(d.lower[0] == 0 && d.upper[0] == 1);
    mgc__domain_free(&d);
    mgc__mip_free(&mip);
    mgc_program_destroy(s.p);
}
END_TEST

/* u1 is on: 20 <= P <= 100 and, with 1 <= v + u0 <= 6 still to be decided, P + b >= 50 are left, the first as bounds.  u0 off as
 * well: 1 <= v <= 6 are bounds too. */
START_TEST(fixed_columns_leave_bounds_and_fewer_rows)
{
    mgc__solve s;
    mgc__mip mip;
    mgc__domain d;

    starting_unit(&s);
    ck_assert_int_eq(mgc__mip_setup(&mip, &s), MGC_OK);
    mip.row_lower[0] = -5;
    for (int off = 0; off < 2; off++) {
        ck_assert_int_eq(mgc__domain_init(&d, &mip), MGC_OK);
        mgc__domain_reset(&d);
        ck_assert(mgc__domain_set(&d, 1, 1, 1));
        if (off) ck_assert(mgc__domain_set(&d, 0, 0, 0));
        ck_assert_int_eq(mgc__mip_reduce(&mip, &d), MGC_OK);
        mgc__domain_free(&d);
        ck_assert_double_eq(mip.lower[3], 20);
        ck_assert_double_eq(mip.upper[3], 100);
        ck_assert_double_eq(mip.box_lower[3], 20);
        ck_assert_double_eq(mip.lower[2], off);
        ck_assert_double_eq(mip.upper[2], off ? 6 : INFINITY);
        ck_assert_uint_eq(mip.m, off ? 1 : 2);
        ck_assert_uint_eq(mip.a.start[2] - mip.a.start[1], 0); /* u1 is in no row any more */
        ck_assert_double_eq(mip.row_lower[off ? 0 : 1], 50);
        if (!off) ck_assert(mip.row_lower[0] == -6 && mip.row_upper[0] == -1);
    }
    mgc__mip_free(&mip);
    mgc_program_destroy(s.p);
}
END_TEST

enum { LOTS = 12 };

/* Lots with set-up and a store over LOTS periods: columns set-up, lot, store.  most: of a lot.  want: demands. */
static mgc_program *lots(mgc__rng *rng, double most, double setup[LOTS], double unit[LOTS], double want[LOTS])
{
    mgc_program *p = new_program();

    for (uint32_t t = 0; t < LOTS; t++) {
        setup[t] = 20 + (double)mgc__rng_below(rng, 30);
        unit[t] = 1 + (double)mgc__rng_below(rng, 3);
        want[t] = (double)mgc__rng_below(rng, 12);
        add_integer(p, setup[t], 0, 1);
    }
    for (uint32_t t = 0; t < LOTS; t++) ck_assert_int_eq(mgc_program_add_column(p, unit[t], 0, INFINITY, NULL), MGC_OK);
    for (uint32_t t = 0; t < LOTS; t++) ck_assert_int_eq(mgc_program_add_column(p, 1, 0, INFINITY, NULL), MGC_OK);
    for (uint32_t t = 0; t < LOTS; t++) {
        const uint32_t lot[] = {t, LOTS + t}, store[] = {LOTS + t, 2 * LOTS + t, 2 * LOTS + t - 1};
        ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, 0, lot, (double[]){-most, 1}, 2, NULL), MGC_OK);
        ck_assert_int_eq(mgc_program_add_row(p, want[t], want[t], store, (double[]){1, -1, 1}, t > 0 ? 3 : 2, NULL), MGC_OK);
    }
    return p;
}

/* Wagner and Whitin 1958: a lot covers whole periods up to the next set-up; worst first, so that best[t] covers 0 .. t - 1. */
static double best_lots(const double setup[LOTS], const double unit[LOTS], const double want[LOTS])
{
    double best[LOTS + 1] = {0};

    for (int end = 1; end <= LOTS; end++) {
        best[end] = INFINITY;
        for (int begin = 0; begin < end; begin++) {
            double cost = setup[begin], all = 0;
            for (int t = begin; t < end; t++) {
                cost += unit[begin] * want[t] + (t - begin) * want[t];
                all += want[t];
            }
            best[end] = fmin(best[end], best[begin] + (all > 0 ? cost : 0));
        }
    }
    return best[LOTS];
}

START_TEST(lots_agree_with_dynamic_programming)
{
    mgc__rng rng;
    double setup[LOTS], unit[LOTS], want[LOTS];

    mgc__rng_seed(&rng, 12);
    for (int k = 0; k < 60; k++) {
        mgc_program *p = lots(&rng, 200, setup, unit, want);
        mgc_program_info info = solve(p, 1e-7);
        double best = best_lots(setup, unit, want);
        ck_assert_msg(info.outcome == MGC_OUTCOME_OPTIMAL, "case %d: %s", k, mgc_outcome_name(info.outcome));
        ck_assert_msg(fabs(info.objective - best) < 1e-6 * best, "case %d: %.9g, %.9g is right", k, info.objective, best);
        mgc_program_destroy(p);
    }
}
END_TEST

/* Some set-ups fixed, at random: what is left of the program has the relaxation of the whole. */
START_TEST(a_reduced_program_has_the_same_relaxation)
{
    mgc__rng rng;
    double setup[LOTS], unit[LOTS], want[LOTS];
    int solved = 0, fewer = 0;

    mgc__rng_seed(&rng, 13);
    for (int k = 0; k < 60; k++) {
        mgc__solve s = {.p = lots(&rng, 15, setup, unit, want)};
        mgc__mip mip;
        mgc__domain d;
        mgc__relaxation r;
        mgc_program_opts_init(&s.opts, sizeof s.opts);
        s.opts.threads = 1;
        ck_assert_int_eq(mgc__program_compile(s.p), MGC_OK);
        ck_assert_int_eq(mgc__mip_setup(&mip, &s), MGC_OK);
        ck_assert_int_eq(mgc__domain_init(&d, &mip), MGC_OK);
        ck_assert_int_eq(mgc__relaxation_init(&mip, &r), MGC_OK);
        mgc__domain_reset(&d);
        for (uint32_t t = 0; t < LOTS; t++)
            if (mgc__rng_below(&rng, 2)) ck_assert(mgc__domain_set(&d, t, t % 3 != 1, t % 3 != 1));
        bool possible = mgc__domain_propagate(&d);
        memcpy(r.lower, d.lower, mip.n * sizeof *r.lower);
        memcpy(r.upper, d.upper, mip.n * sizeof *r.upper);
        r.tolerance = 1e-8;
        ck_assert_int_eq(mgc__mip_relax(&mip, &r, 1), MGC_OK);
        uint32_t outcome = r.outcome, rows = mip.m;
        double objective = r.objective, bound = r.bound;
        ck_assert_int_eq(mgc__mip_reduce(&mip, &d), MGC_OK);
        memcpy(r.lower, mip.box_lower, mip.n * sizeof *r.lower);
        memcpy(r.upper, mip.box_upper, mip.n * sizeof *r.upper);
        ck_assert_int_eq(mgc__mip_relax(&mip, &r, 1), MGC_OK);
        if (possible) ck_assert_uint_eq(r.outcome, outcome);
        if (possible && outcome == MGC_OUTCOME_OPTIMAL) {
            ck_assert_msg(fabs(r.objective - objective) < 1e-6 * objective, "case %d: %.9g, whole %.9g", k, r.objective, objective);
            ck_assert_double_eq_tol(r.bound, bound, 1e-6 * objective);
            solved++;
            fewer += mip.m < rows;
        }
        mgc__domain_free(&d);
        mgc__relaxation_free(&mip, &r);
        mgc__mip_free(&mip);
        mgc_program_destroy(s.p);
    }
    ck_assert_int_gt(solved, 30);
    ck_assert_int_eq(fewer, solved);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    check_every_allocation(pack, 100);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, test_setup, test_teardown);
    tcase_set_timeout(c, 200);
    tcase_add_test(c, small_integer_programs_agree_with_all_points);
    tcase_add_test(c, small_quadratic_integer_programs_agree_with_all_points);
    tcase_add_test(c, knapsacks_agree_with_dynamic_programming);
    tcase_add_test(c, an_equality_without_integer_solution_is_infeasible);
    tcase_add_test(c, relaxations_give_their_certificates);
    tcase_add_test(c, commitment_agrees_with_another_solver);
    tcase_add_test(c, threads_change_nothing);
    tcase_add_test(c, limits_leave_a_point_and_a_true_bound);
    tcase_add_test(c, the_callback_stops_or_fails_the_search);
    tcase_add_test(c, multipliers_belong_to_the_fixed_program);
    tcase_add_test(c, cold_solves_know_nothing_of_each_other);
    tcase_add_test(c, a_start_is_used);
    tcase_add_test(c, an_unbounded_relaxation_is_not_an_unbounded_program);
    tcase_add_test(c, tiny_ranges_are_ranges);
    tcase_add_test(c, tiny_rows_are_rows);
    tcase_add_test(c, a_leaf_of_badly_scaled_rows_is_closed);
    tcase_add_test(c, what_follows_integers_is_counted);
    tcase_add_test(c, a_row_leaves_its_columns_what_they_need);
    tcase_add_test(c, fixed_columns_leave_bounds_and_fewer_rows);
    tcase_add_test(c, lots_agree_with_dynamic_programming);
    tcase_add_test(c, a_reduced_program_has_the_same_relaxation);
    tcase_add_test(c, every_allocation_may_fail);
    return run_suite("mip", c);
}
