/* SPDX-License-Identifier: Apache-2.0 */
/* Presolve: every kind of reduction is seen to happen and undone on random small programs, each answer judged on the
 * original program and compared with the answer without presolve. */
#include "solver/judge.h"
#include "solver/presolve.h"
#include "solver/program_impl.h"
#include "solver_test.h"

enum { N_MAX = 40, M_MAX = 40, NNZ_MAX = N_MAX * M_MAX };

/* A small program, dense while it is made. */
struct small {
    mgc__qp qp;
    mgc__csc a, q;
    uint32_t a_start[N_MAX + 1], a_row[NNZ_MAX], q_start[N_MAX + 1], q_row[N_MAX * N_MAX];
    double a_value[NNZ_MAX], q_value[N_MAX * N_MAX];
    double dense[M_MAX][N_MAX], quad[N_MAX][N_MAX];
    double c[N_MAX], lower[N_MAX], upper[N_MAX], row_lower[M_MAX], row_upper[M_MAX];
    uint8_t integer[N_MAX];
    uint32_t block[N_MAX];
};

static mgc__rng rng;

static int pick(int low, int high)
{
    return low + (int)mgc__rng_below(&rng, (uint64_t)(high - low + 1));
}

static bool chance(int percent)
{
    return pick(1, 100) <= percent;
}

static void compress(struct small *s)
{
    uint32_t at = 0, q_at = 0;

    for (uint32_t j = 0; j < s->qp.n; j++) {
        s->a_start[j] = at;
        s->q_start[j] = q_at;
        for (uint32_t i = 0; i < s->qp.m; i++)
            if (s->dense[i][j] != 0) {
                s->a_row[at] = i;
                s->a_value[at++] = s->dense[i][j];
            }
        for (uint32_t i = 0; i <= j; i++)
            if (s->quad[i][j] != 0) {
                s->q_row[q_at] = i;
                s->q_value[q_at++] = s->quad[i][j];
            }
    }
    s->a_start[s->qp.n] = at;
    s->q_start[s->qp.n] = q_at;
    s->a = (mgc__csc){.rows = s->qp.m, .cols = s->qp.n, .start = s->a_start, .row = s->a_row, .value = s->a_value};
    s->q = (mgc__csc){.rows = s->qp.n, .cols = s->qp.n, .start = s->q_start, .row = s->q_row, .value = s->q_value};
    s->qp.a = &s->a;
    s->qp.q = q_at > 0 ? &s->q : NULL;
    s->qp.c = s->c;
    s->qp.lower = s->lower;
    s->qp.upper = s->upper;
    s->qp.row_lower = s->row_lower;
    s->qp.row_upper = s->row_upper;
    for (uint32_t j = 0; j < s->qp.n; j++) s->block[j] = 1 + j % 3;
    s->qp.block = s->block;
}

/* Bounds about a value, most of them infinite on one side. */
static void random_column(struct small *s, uint32_t j, double at)
{
    int kind = pick(0, 19);

    s->lower[j] = kind <= 16 ? at - pick(0, 2) : -INFINITY;
    s->upper[j] = kind >= 8 && kind <= 18 ? at + pick(0, 3) : INFINITY;
    s->c[j] = chance(30) ? 0 : kind < 8 ? pick(-1, 4) : pick(-4, 4);
}

static void random_row(struct small *s, uint32_t i, const double *x, int density)
{
    double activity = 0;
    int kind = pick(0, 9);

    for (uint32_t j = 0; j < s->qp.n; j++) {
        s->dense[i][j] = chance(density) ? pick(-3, 3) : 0;
        activity += s->dense[i][j] * x[j];
    }
    s->row_lower[i] = kind <= 6 ? activity - (kind <= 3 ? 0 : pick(0, 2)) : -INFINITY;
    s->row_upper[i] = kind <= 3 ? activity : kind >= 6 && kind <= 8 ? activity + pick(0, 2) : INFINITY;
}

/* A copy of another row, or column, times a number. */
static void random_parallels(struct small *s)
{
    static const double times[] = {1, -1, 2, -0.5};
    uint32_t from = (uint32_t)pick(0, (int)s->qp.m - 1), to = (uint32_t)pick(0, (int)s->qp.m - 1);
    double by = times[pick(0, 3)];

    if (chance(30) && from != to) {
        for (uint32_t j = 0; j < s->qp.n; j++) s->dense[to][j] = by * s->dense[from][j];
        double one = by * s->row_lower[from] - (chance(50) ? pick(-1, 2) : 0);
        double two = by * s->row_upper[from] + pick(0, 1);
        s->row_lower[to] = fmin(one, two);
        s->row_upper[to] = fmax(one, two);
    }
    from = (uint32_t)pick(0, (int)s->qp.n - 1);
    to = (uint32_t)pick(0, (int)s->qp.n - 1);
    if (chance(30) && from != to) {
        for (uint32_t i = 0; i < s->qp.m; i++) s->dense[i][to] = by * s->dense[i][from];
        if (chance(70)) s->c[to] = by * s->c[from];
    }
}

/* Q = sum of v v' over a few sparse v: convex, of low rank. */
static void random_quadratic(struct small *s)
{
    for (int k = pick(1, 3); k > 0; k--) {
        double v[N_MAX];
        for (uint32_t j = 0; j < s->qp.n; j++) v[j] = chance(25) ? pick(-2, 2) : 0;
        for (uint32_t j = 0; j < s->qp.n; j++)
            for (uint32_t i = 0; i <= j; i++) s->quad[i][j] += v[i] * v[j];
    }
}

static void random_program(struct small *s, bool quadratic)
{
    double x[N_MAX];
    bool larger = chance(40);
    int density = larger ? pick(8, 25) : pick(15, 60);

    memset(s, 0, sizeof *s);
    s->qp.n = (uint32_t)(larger ? pick(10, 30) : pick(1, 9));
    s->qp.m = (uint32_t)(larger ? pick(5, 25) : pick(1, 9));
    for (uint32_t j = 0; j < s->qp.n; j++) {
        x[j] = pick(-3, 3);
        random_column(s, j, x[j]);
    }
    for (uint32_t i = 0; i < s->qp.m; i++) random_row(s, i, x, density);
    random_parallels(s);
    if (chance(15)) s->row_lower[0] = s->row_upper[0] = pick(-9, 9); /* perhaps no point is left */
    if (quadratic) random_quadratic(s);
    compress(s);
}

/* --- one program ----------------------------------------------------------------------------- */

static struct {
    uint64_t count[PRESOLVE_KINDS];
    int optimal, infeasible, unbounded, undecided, by_presolve;
} seen;

static mgc__ipm_result plain_solve(mgc__ipm *ipm, const mgc__qp *qp, double tolerance)
{
    mgc__ipm_opts o = {.tolerance = tolerance, .cutoff = INFINITY, .iteration_limit = 200};
    mgc__ipm_result found;

    ck_assert_int_eq(mgc__ipm_solve(ipm, qp, &o, &found), MGC_OK);
    return found;
}

static double margin_of(const mgc__qp *qp, uint32_t outcome, const double *ray)
{
    double work[2 * (N_MAX + M_MAX)];

    if (ray == NULL) return -INFINITY;
    return outcome == MGC_OUTCOME_INFEASIBLE ? mgc__judge_infeasible(qp, ray, work)
                                             : mgc__judge_unbounded(qp, ray, work);
}

/* The core is judged before it is believed. */
static bool good_point(const mgc__qp *qp, const mgc__ipm_result *found)
{
    double work[2 * (N_MAX + M_MAX)], y[M_MAX], z[N_MAX];
    mgc__point_report point;
    mgc__dual_report dual;

    if (found->x == NULL || found->y == NULL) return false;
    memcpy(y, found->y, qp->m * sizeof *y);
    mgc__judge_point(qp, found->x, work, &point);
    mgc__judge_dual(qp, found->x, y, z, &dual);
    return point.residual <= 1e-9 && dual.residual <= 1e-8 &&
           fabs(point.objective - dual.objective) <= 1e-8 * fmax(1, fabs(point.objective));
}

/* The reduced program's answer, restored.  What does not hold for the reduced program cannot for the original. */
static mgc__ipm_result reduced_solve(mgc__ipm *ipm, mgc__presolve *ps)
{
    mgc__ipm_result found = {.outcome = mgc__presolve_outcome(ps), .ray = mgc__presolve_ray(ps)};

    if (found.outcome != MGC_OUTCOME_NONE) {
        seen.by_presolve++;
        return found;
    }
    found = plain_solve(ipm, mgc__presolve_qp(ps), 1e-10);
    if ((found.outcome == MGC_OUTCOME_INFEASIBLE || found.outcome == MGC_OUTCOME_UNBOUNDED) &&
        !(margin_of(mgc__presolve_qp(ps), found.outcome, found.ray) > 1e-6))
        found.outcome = MGC_OUTCOME_NUMERICAL;
    if (found.outcome == MGC_OUTCOME_OPTIMAL && !good_point(mgc__presolve_qp(ps), &found))
        found.outcome = MGC_OUTCOME_NUMERICAL;
    mgc__presolve_restore(ps, &found, &found);
    return found;
}

/* Point, multipliers and gap on the original program. */
static void check_optimal(const struct small *s, const mgc__ipm_result *found, int k)
{
    double work[2 * (N_MAX + M_MAX)], y[M_MAX], z[N_MAX], x[N_MAX];
    mgc__point_report point;
    mgc__dual_report dual;

    memcpy(x, found->x, s->qp.n * sizeof *x);
    memcpy(y, found->y, s->qp.m * sizeof *y);
    mgc__judge_point(&s->qp, x, work, &point);
    mgc__judge_dual(&s->qp, x, y, z, &dual);
    ck_assert_msg(point.residual <= 1e-8, "case %d: restored point violates by %g", k, point.residual);
    ck_assert_msg(dual.residual <= 1e-7, "case %d: restored multipliers violate by %g", k, dual.residual);
    ck_assert_msg(fabs(point.objective - dual.objective) <= 2e-8 * fmax(1, fabs(point.objective)),
                  "case %d: gap %g of %g", k, point.objective - dual.objective, point.objective);
    ck_assert_msg(fabs(point.objective - found->objective) <= 1e-7 * fmax(1, fabs(point.objective)),
                  "case %d: objective is %.12g, the offset makes it %.12g", k, point.objective, found->objective);
    for (uint32_t j = 0; j < s->qp.n; j++)
        ck_assert_msg(fabs(z[j] - found->z[j]) <= 1e-7 * (1 + fabs(z[j])), "case %d: z[%u] is %.9g, restored %.9g", k,
                      j, z[j], found->z[j]);
}

static void check_ray(const struct small *s, const mgc__ipm_result *found, int k)
{
    double margin = margin_of(&s->qp, found->outcome, found->ray);

    ck_assert_msg(margin > 0, "case %d: %s, but the ray's margin is %g", k, mgc_outcome_name(found->outcome), margin);
}

/* Presolve with some kinds, solve, restore, judge; and the same outcome and objective as without presolve. */
static void check_program(struct small *s, mgc__ipm *ipm, mgc__ipm *other, uint32_t without, int k)
{
    mgc__presolve_opts o = {.without = without};
    mgc__presolve *ps;
    mgc__presolve_info info;

    ck_assert_int_eq(mgc__presolve_run(ctx, &s->qp, &o, &ps), MGC_OK);
    mgc__presolve_read_info(ps, &info);
    for (uint32_t i = 0; i < PRESOLVE_KINDS; i++) {
        ck_assert_msg(info.count[i] == 0 || (without >> i & 1u) == 0, "%s was left out", mgc__presolve_kind_name(i));
        seen.count[i] += info.count[i];
    }
    mgc__ipm_result found = reduced_solve(ipm, ps), plain = plain_solve(other, &s->qp, 1e-10);
    if (plain.outcome == MGC_OUTCOME_OPTIMAL && !good_point(&s->qp, &plain)) plain.outcome = MGC_OUTCOME_NUMERICAL;
    if (found.outcome == MGC_OUTCOME_OPTIMAL) {
        seen.optimal++;
        check_optimal(s, &found, k);
        if (plain.outcome == MGC_OUTCOME_OPTIMAL)
            ck_assert_msg(fabs(plain.objective - found.objective) <= 1e-6 * fmax(1, fabs(plain.objective)),
                          "case %d: %.9g with presolve, %.9g without", k, found.objective, plain.objective);
        ck_assert_msg(plain.outcome != MGC_OUTCOME_INFEASIBLE && plain.outcome != MGC_OUTCOME_UNBOUNDED,
                      "case %d: optimal with presolve, %s without", k, mgc_outcome_name(plain.outcome));
    } else if (found.outcome == MGC_OUTCOME_INFEASIBLE || found.outcome == MGC_OUTCOME_UNBOUNDED) {
        if (found.outcome == MGC_OUTCOME_INFEASIBLE) seen.infeasible++;
        else seen.unbounded++;
        check_ray(s, &found, k);
        ck_assert_msg(plain.outcome != MGC_OUTCOME_OPTIMAL, "case %d: %s with presolve, optimal without", k,
                      mgc_outcome_name(found.outcome));
    } else {
        seen.undecided++;
    }
    mgc__presolve_destroy(ps);
}

static void check_many(int programs, uint64_t seed, bool quadratic, uint32_t without)
{
    static struct small s;
    mgc__ipm *ipm, *other;

    mgc__rng_seed(&rng, seed);
    ck_assert_int_eq(mgc__ipm_create(ctx, &ipm), MGC_OK);
    ck_assert_int_eq(mgc__ipm_create(ctx, &other), MGC_OK);
    for (int k = 0; k < programs; k++) {
        random_program(&s, quadratic);
        check_program(&s, ipm, other, without, k);
    }
    mgc__ipm_destroy(ipm);
    mgc__ipm_destroy(other);
}

static int programs(int n)
{
    return getenv("MGC_TEST_LONG") != NULL ? 50 * n : n;
}

/* --- tests ----------------------------------------------------------------------------------- */

START_TEST(restored_answers_of_linear_programs_are_optimal)
{
    memset(&seen, 0, sizeof seen);
    check_many(programs(2500), 11, false, 0);
    for (uint32_t i = 0; i < PRESOLVE_KINDS; i++) {
        printf("# %s: %llu\n", mgc__presolve_kind_name(i), (unsigned long long)seen.count[i]);
        ck_assert_msg(seen.count[i] >= 10, "%s: only %d", mgc__presolve_kind_name(i), (int)seen.count[i]);
    }
    printf("# %d optimal, %d infeasible, %d unbounded, %d by presolve alone, %d undecided\n", seen.optimal,
           seen.infeasible, seen.unbounded, seen.by_presolve, seen.undecided);
    ck_assert_int_gt(seen.infeasible, 100);
    ck_assert_int_gt(seen.unbounded, 100);
    ck_assert_int_lt(seen.undecided, programs(2500) / 100);
}
END_TEST

START_TEST(restored_answers_of_quadratic_programs_are_optimal)
{
    memset(&seen, 0, sizeof seen);
    check_many(programs(1500), 12, true, 0);
    ck_assert_int_lt(seen.undecided, programs(1500) / 50);
    for (uint32_t i = 0; i < PRESOLVE_KINDS; i++)
        ck_assert_msg(seen.count[i] >= 3, "%s: only %d", mgc__presolve_kind_name(i), (int)seen.count[i]);
}
END_TEST

/* One kind of reduction at a time, so that none hides behind another. */
START_TEST(each_kind_alone_is_undone)
{
    uint32_t kind = (uint32_t)_i;

    memset(&seen, 0, sizeof seen);
    check_many(programs(400), 100 + kind, false, ~(1u << kind));
    check_many(programs(200), 200 + kind, true, ~(1u << kind));
    ck_assert_msg(seen.count[kind] >= 5, "%s: only %d", mgc__presolve_kind_name(kind), (int)seen.count[kind]);
}
END_TEST

/* --- with integers ---------------------------------------------------------------------------- */

static mgc_program *program_of(const mgc__qp *qp, const uint8_t *integer)
{
    mgc_program *p;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (uint32_t j = 0; j < qp->n; j++) {
        ck_assert_int_eq(mgc_program_add_column(p, qp->c[j], qp->lower[j], qp->upper[j], NULL), MGC_OK);
        ck_assert_int_eq(mgc_program_set_integer(p, j, integer[j]), MGC_OK);
    }
    for (uint32_t i = 0; i < qp->m; i++)
        ck_assert_int_eq(mgc_program_add_row(p, qp->row_lower[i], qp->row_upper[i], NULL, NULL, 0, NULL), MGC_OK);
    for (uint32_t j = 0; j < qp->n; j++)
        for (uint32_t k = qp->a->start[j]; k < qp->a->start[j + 1]; k++)
            ck_assert_int_eq(mgc_program_set_coefficient(p, qp->a->row[k], j, qp->a->value[k]), MGC_OK);
    return p;
}

static mgc_program_info solve_mixed(mgc_program *p)
{
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};

    mgc_program_opts_init(&o, sizeof o);
    o.gap = 1e-9;
    o.presolve = 1;
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
    return info;
}

/* The reduced program's optimum, restored, is a feasible point of the original with its optimum. */
static void check_mixed(struct small *s, int k)
{
    mgc__presolve_opts o = {.integer = s->integer};
    double x[N_MAX], work[2 * (N_MAX + M_MAX)];
    mgc__presolve *ps;
    mgc__point_report point;
    mgc_program *whole = program_of(&s->qp, s->integer);
    mgc_program_info want = solve_mixed(whole);

    ck_assert_int_eq(mgc__presolve_run(ctx, &s->qp, &o, &ps), MGC_OK);
    if (mgc__presolve_outcome(ps) != MGC_OUTCOME_NONE) {
        ck_assert_msg(want.outcome == mgc__presolve_outcome(ps), "case %d: %s, presolve says %s", k,
                      mgc_outcome_name(want.outcome), mgc_outcome_name(mgc__presolve_outcome(ps)));
    } else {
        const mgc__qp *reduced = mgc__presolve_qp(ps);
        for (uint32_t j = 0; mgc__presolve_changed(ps) && j < reduced->n; j++)
            ck_assert_uint_eq(reduced->block[j], s->block[mgc__presolve_columns(ps)[j]]);
        mgc_program *rest = program_of(reduced, mgc__presolve_integer(ps));
        mgc_program_info got = solve_mixed(rest);
        ck_assert_msg(want.outcome == got.outcome, "case %d: %s, with presolve %s", k, mgc_outcome_name(want.outcome),
                      mgc_outcome_name(got.outcome));
        if (got.outcome == MGC_OUTCOME_OPTIMAL) {
            mgc__ipm_result found = {.outcome = got.outcome, .x = x, .objective = got.objective};
            seen.optimal++;
            ck_assert_int_eq(mgc_program_get_x(rest, x, reduced->n), MGC_OK);
            mgc__presolve_restore(ps, &found, &found);
            mgc__judge_point(&s->qp, found.x, work, &point);
            ck_assert_double_le(point.residual, 1e-6);
            ck_assert_msg(fabs(point.objective - want.objective) <= 1e-5 * fmax(1, fabs(want.objective)),
                          "case %d: %.9g, with presolve %.9g", k, want.objective, point.objective);
            for (uint32_t j = 0; j < s->qp.n; j++)
                if (s->integer[j]) ck_assert_double_eq_tol(found.x[j], nearbyint(found.x[j]), 1e-6);
        }
        mgc_program_destroy(rest);
    }
    mgc__presolve_destroy(ps);
    mgc_program_destroy(whole);
}

START_TEST(an_integer_optimum_is_kept)
{
    static struct small s;

    memset(&seen, 0, sizeof seen);
    mgc__rng_seed(&rng, 31);
    for (int k = 0; k < programs(300); k++) {
        random_program(&s, false);
        if (s.qp.n > 12) continue;
        for (uint32_t j = 0; j < s.qp.n; j++) {
            s.integer[j] = chance(50);
            s.lower[j] = fmax(s.lower[j], -5) - (s.integer[j] && chance(20) ? 0.5 : 0);
            s.upper[j] = fmin(s.upper[j], 6);
        }
        check_mixed(&s, k);
    }
    ck_assert_int_gt(seen.optimal, 80);
}
END_TEST

/* --- from outside ---------------------------------------------------------------------------- */

/* A program that presolve decides alone: x0 = 2 by a row, x1 by an equation, x2 by its cost. */
static mgc_program *decided(mgc_ctx *c)
{
    mgc_program *p = NULL;
    const uint32_t cols[] = {0, 1, 2};
    const double one[] = {2, 1, 1};

    if (mgc_program_create(c, &p) != MGC_OK) return NULL;
    bool ok = mgc_program_add_column(p, 1, 0, 9, NULL) == MGC_OK &&
              mgc_program_add_column(p, 1, -9, 9, NULL) == MGC_OK &&
              mgc_program_add_column(p, 3, -1, 1, NULL) == MGC_OK &&
              mgc_program_add_row(p, 4, 4, cols, one, 1, NULL) == MGC_OK &&
              mgc_program_add_row(p, 5, 5, cols, one, 2, NULL) == MGC_OK &&
              mgc_program_add_row(p, -8, INFINITY, cols, one, 3, NULL) == MGC_OK;
    if (ok) return p;
    mgc_program_destroy(p);
    return NULL;
}

static mgc_program_info solved(mgc_program *p, uint32_t presolve)
{
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};

    mgc_program_opts_init(&o, sizeof o);
    o.presolve = presolve;
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
    return info;
}

START_TEST(the_option_is_obeyed)
{
    mgc_program *p = decided(ctx);
    mgc_program_opts o;
    double x[3], y[3], z[3];

    ck_assert_ptr_nonnull(p);
    mgc_program_info never = solved(p, 1), always = solved(p, 2), automatic = solved(p, 0);
    ck_assert_uint_gt(never.iterations, 0);
    ck_assert_uint_eq(always.iterations, 0);
    ck_assert_uint_eq(automatic.iterations, 0);
    ck_assert_uint_eq(always.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(always.objective, never.objective, 1e-6);
    ck_assert_double_eq(always.objective, 0); /* 2 + 1 - 3 */
    ck_assert_int_eq(mgc_program_get_x(p, x, 3), MGC_OK);
    ck_assert_double_eq(x[0], 2);
    ck_assert_double_eq(x[1], 1);
    ck_assert_double_eq(x[2], -1);
    /* c = A'y + z: row 1 pays for x1, row 0 for what is left of x0. */
    ck_assert_int_eq(mgc_program_get_y(p, y, 3), MGC_OK);
    ck_assert_int_eq(mgc_program_get_z(p, z, 3), MGC_OK);
    ck_assert_double_eq(y[1], 1);
    ck_assert_double_eq(y[0], -0.5);
    ck_assert_double_eq(y[2], 0);
    ck_assert_double_eq(z[2], 3);
    mgc_program_opts_init(&o, sizeof o);
    o.presolve = 3;
    ck_assert_int_eq(mgc_program_solve(p, &o, NULL), MGC_E_INVALID_ARG);
    mgc_program_destroy(p);
}
END_TEST

static mgc_status solve_with(mgc_allocator mem)
{
    mgc_ctx_opts o;
    mgc_ctx *c;
    mgc_program_opts po;

    mgc_ctx_opts_init(&o, sizeof o);
    o.allocator = &mem;
    mgc_status st = mgc_ctx_create(&o, &c);
    if (st != MGC_OK) return st;
    mgc_program *p = decided(c);
    st = MGC_E_NO_MEMORY;
    mgc_program_opts_init(&po, sizeof po);
    po.presolve = 2;
    if (p != NULL) st = mgc_program_solve(p, &po, NULL);
    mgc_program_destroy(p);
    mgc_ctx_destroy(c);
    return st;
}

START_TEST(every_allocation_may_fail)
{
    check_every_allocation(solve_with, 60);
}
END_TEST

/* Equal scenarios stay equal: a program that repeats itself keeps its shape where little is to gain. */
START_TEST(programs_that_repeat_themselves_keep_their_shape)
{
    enum { BLOCKS = 60 };
    mgc_program *p;
    mgc__presolve *ps;
    mgc__presolve_opts o = {.worth = 0.15};
    mgc__qp qp;

    for (int repeats = 0; repeats < 2; repeats++) {
        ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
        for (uint32_t b = 0; b < BLOCKS; b++) {
            uint32_t cols[12];
            double ones[12] = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2};
            for (uint32_t k = 0; k < 12; k++) /* one column of twelve is fixed in every other block */
                ck_assert_int_eq(
                    mgc_program_add_column(p, -1 - (double)k, 0, k == 0 && b % 2 == 0 ? 0 : 4 + k, &cols[k]), MGC_OK);
            uint32_t some = repeats ? 12 : 2 + b % 11;
            for (uint32_t i = 0; i < 3; i++) {
                ck_assert_int_eq(mgc_program_add_row(p, -INFINITY, 9, cols, ones, some, NULL), MGC_OK);
                ones[i] = 5;
                ones[i + 4] = 3;
            }
        }
        ck_assert_int_eq(mgc__program_compile(p), MGC_OK);
        mgc__program_qp(p, &qp);
        ck_assert_int_eq(mgc__presolve_run(ctx, &qp, &o, &ps), MGC_OK);
        ck_assert_int_eq(mgc__presolve_changed(ps), !repeats);
        mgc__presolve_destroy(ps);
        mgc_program_destroy(p);
    }
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, test_setup, test_teardown);
    tcase_set_timeout(c, 600);
    tcase_add_test(c, restored_answers_of_linear_programs_are_optimal);
    tcase_add_test(c, restored_answers_of_quadratic_programs_are_optimal);
    tcase_add_loop_test(c, each_kind_alone_is_undone, 0, PRESOLVE_KINDS);
    tcase_add_test(c, an_integer_optimum_is_kept);
    tcase_add_test(c, the_option_is_obeyed);
    tcase_add_test(c, every_allocation_may_fail);
    tcase_add_test(c, programs_that_repeat_themselves_keep_their_shape);
    return run_suite("presolve", c);
}
