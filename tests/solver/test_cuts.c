/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts against every integer point of small programs, and against those that can be derived by hand. */
#include "solver_test.h"
#include "solver/mip_cuts.h"

/* A program of binaries and whole numbers, and of continuous columns behind them. */
enum { INTS = 5, CONT = 8, COLS = INTS + CONT, ROWS_MOST = 24 };

struct world {
    int n_rows;
    double a[ROWS_MOST][COLS], lower[ROWS_MOST], upper[ROWS_MOST];
    double low[COLS], high[COLS], cost[COLS];
};

static double some(mgc__rng *rng, double from, double to)
{
    return from + (to - from) * mgc__rng_unit(rng);
}

static double *add_row(struct world *w, double lower, double upper)
{
    w->lower[w->n_rows] = lower;
    w->upper[w->n_rows] = upper;
    memset(w->a[w->n_rows], 0, sizeof w->a[0]);
    return w->a[w->n_rows++];
}

/* Lots with set-up, minimum size and a store: rows that bound by integers, rows that lead from period to period. */
static void lots(mgc__rng *rng, struct world *w)
{
    int periods = CONT / 2;
    double *row;

    for (int t = 0; t < periods; t++) {
        int u = t, x = INTS + t, s = INTS + periods + t;
        double most = some(rng, 4, 12), least = some(rng, 0, 3);
        row = add_row(w, -INFINITY, 0), row[x] = 1, row[u] = -most;
        row = add_row(w, 0, INFINITY), row[x] = 1, row[u] = -least;
        double demand = some(rng, 1, 6);
        row = add_row(w, demand, mgc__rng_below(rng, 2) ? demand : INFINITY);
        row[x] = 1, row[s] = -1;
        if (t > 0) row[s - 1] = some(rng, 0.9, 1.0);
        w->high[s] = some(rng, 0, 8);
        w->low[s] = mgc__rng_below(rng, 3) ? 0 : -some(rng, 0, 4);
        w->high[x] = 20;
    }
    w->high[INTS - 1] = 3;
}

static void any_rows(mgc__rng *rng, struct world *w, int count)
{
    for (int i = 0; i < count; i++) {
        double *row = add_row(w, -INFINITY, INFINITY), middle = 0;
        for (int j = 0; j < COLS; j++) {
            row[j] = mgc__rng_below(rng, 3) ? 0 : some(rng, -5, 5);
            if (mgc__rng_below(rng, 3) == 0) row[j] = nearbyint(row[j]);
            middle += row[j] * (j < INTS ? (double)mgc__rng_below(rng, 2) : some(rng, w->low[j], w->high[j]));
        }
        switch (mgc__rng_below(rng, 4)) {
        case 0: w->lower[w->n_rows - 1] = middle - some(rng, 0, 2); break;
        case 1: w->lower[w->n_rows - 1] = middle - 1, w->upper[w->n_rows - 1] = middle + 2; break;
        default: w->upper[w->n_rows - 1] = middle + some(rng, 0, 2); break;
        }
    }
}

static struct world some_world(mgc__rng *rng)
{
    struct world w = {0};

    for (int j = 0; j < COLS; j++) {
        w.high[j] = j < INTS ? 1 : some(rng, 1, 10);
        w.cost[j] = some(rng, j < INTS ? 0 : -1, 3);
    }
    if (mgc__rng_below(rng, 2)) w.low[0] = -1, w.high[0] = 2;
    if (mgc__rng_below(rng, 3)) lots(rng, &w);
    any_rows(rng, &w, (int)mgc__rng_below(rng, 6));
    return w;
}

static mgc_program *program_of(const struct world *w)
{
    mgc_program *p;
    uint32_t cols[COLS];

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (uint32_t j = 0; j < COLS; j++) {
        cols[j] = j;
        ck_assert_int_eq(mgc_program_add_column(p, w->cost[j], w->low[j], w->high[j], NULL), MGC_OK);
        if (j < INTS) ck_assert_int_eq(mgc_program_set_integer(p, j, 1), MGC_OK);
    }
    for (int i = 0; i < w->n_rows; i++)
        ck_assert_int_eq(mgc_program_add_row(p, w->lower[i], w->upper[i], cols, w->a[i], COLS, NULL), MGC_OK);
    return p;
}

static uint32_t relaxed(mgc_program *p, double *x)
{
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};

    mgc_program_opts_init(&o, sizeof o);
    o.relax = 1;
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
    if (info.outcome == MGC_OUTCOME_OPTIMAL && x != NULL)
        ck_assert_int_eq(mgc_program_get_x(p, x, COLS), MGC_OK);
    return info.outcome;
}

/* The largest value of a cut over all points of the program with these integers; -INFINITY: there is none. */
static double most_of(mgc_program *p, const mgc__cut *cut, const double *ints)
{
    double x[COLS], value = 0;

    for (uint32_t j = 0; j < COLS; j++) ck_assert_int_eq(mgc_program_set_cost(p, j, 0), MGC_OK);
    for (uint32_t e = 0; e < cut->n; e++)
        ck_assert_int_eq(mgc_program_set_cost(p, cut->column[e], -cut->value[e]), MGC_OK);
    for (uint32_t j = 0; j < INTS; j++) ck_assert_int_eq(mgc_program_set_bounds(p, j, ints[j], ints[j]), MGC_OK);
    if (relaxed(p, x) != MGC_OUTCOME_OPTIMAL) return -INFINITY;
    for (uint32_t e = 0; e < cut->n; e++) value += cut->value[e] * x[cut->column[e]];
    return value;
}

static bool next_point(const struct world *w, double *ints)
{
    for (int j = 0; j < INTS; j++) {
        if (++ints[j] <= w->high[j]) return true;
        ints[j] = w->low[j];
    }
    return false;
}

/* Cuts of two rounds: the second separates a point that the first one's costs do not know. */
static void collect(mgc_program *p, const struct world *w, mgc__rng *rng, mgc__cuts *cuts)
{
    mgc__solve s = {.p = p};
    mgc__separator *sep;
    mgc__mip mip;
    double x[COLS];

    mgc_program_opts_init(&s.opts, sizeof s.opts);
    for (int round = 0; round < 3; round++) {
        for (uint32_t j = 0; j < COLS; j++)
            ck_assert_int_eq(mgc_program_set_cost(p, j, round == 0 ? w->cost[j] : some(rng, -1, 2)), MGC_OK);
        if (relaxed(p, x) != MGC_OUTCOME_OPTIMAL) return;
        ck_assert_int_eq(mgc__mip_setup(&mip, &s), MGC_OK);
        ck_assert_int_eq(mgc__separator_create(&mip, &sep), MGC_OK);
        mgc__separator_set_point(sep, x);
        size_t before = cuts->n;
        ck_assert_int_eq(mgc__separate(sep, cuts), MGC_OK);
        for (size_t i = before; i < cuts->n; i++) { /* it does what it is for */
            double value = 0;
            for (uint32_t e = 0; e < cuts->cut[i].n; e++) value += cuts->cut[i].value[e] * x[cuts->cut[i].column[e]];
            ck_assert_double_gt(value, cuts->cut[i].upper);
            ck_assert_uint_lt(cuts->cut[i].base, (unsigned)w->n_rows);
        }
        mgc__separator_destroy(sep);
        mgc__mip_free(&mip);
    }
}

START_TEST(cuts_keep_every_integer_point)
{
    mgc__rng rng;
    int found = 0, tight = 0, worlds = 0;

    mgc__rng_seed(&rng, 5);
    for (int k = 0; k < 150; k++) {
        struct world w = some_world(&rng);
        mgc_program *p = program_of(&w);
        mgc__cuts cuts = {0};
        collect(p, &w, &rng, &cuts);
        worlds += cuts.n > 0;
        for (size_t i = 0; i < cuts.n && i < 4; i++) {
            double ints[COLS], most = -INFINITY;
            memcpy(ints, w.low, sizeof ints);
            do most = fmax(most, most_of(p, &cuts.cut[i], ints));
            while (next_point(&w, ints));
            ck_assert_msg(most <= cuts.cut[i].upper + 1e-6, "world %d, cut %d: a point has %.9g, the cut says %.9g",
                          k, (int)i, most, cuts.cut[i].upper);
            found++;
            tight += most >= cuts.cut[i].upper - 1e-5;
        }
        mgc__cuts_free(ctx, &cuts);
        mgc_program_destroy(p);
    }
    ck_assert_int_gt(worlds, 60);
    ck_assert_int_gt(found, 150);
    ck_assert_int_gt(tight, found / 4); /* and they are no weaker than they need be */
}
END_TEST

/* One period: x + b >= d, x <= U u, d < U.  What a fractional u = d / U hides: b >= d (1 - u). */
START_TEST(a_lot_gives_the_cut_of_the_textbook)
{
    const double d = 30, most = 80;
    const uint32_t ux[] = {0, 1}, xb[] = {1, 2};
    mgc__solve s;
    mgc__separator *sep;
    mgc__cuts cuts = {0};
    mgc__mip mip;

    memset(&s, 0, sizeof s);
    ck_assert_int_eq(mgc_program_create(ctx, &s.p), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(s.p, 1, 0, 1, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_set_integer(s.p, 0, 1), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(s.p, 0, 0, most, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(s.p, 9, 0, 100, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(s.p, -INFINITY, 0, ux, (double[]){-most, 1}, 2, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(s.p, d, INFINITY, xb, (double[]){1, 1}, 2, NULL), MGC_OK);
    mgc_program_opts_init(&s.opts, sizeof s.opts);
    ck_assert_int_eq(mgc__program_compile(s.p), MGC_OK);
    ck_assert_int_eq(mgc__mip_setup(&mip, &s), MGC_OK);
    ck_assert_int_eq(mgc__separator_create(&mip, &sep), MGC_OK);
    mgc__separator_set_point(sep, (const double[]){d / most, d, 0});
    ck_assert_int_eq(mgc__separate(sep, &cuts), MGC_OK);
    ck_assert_uint_gt(cuts.n, 0);
    const mgc__cut *cut = &cuts.cut[0];
    double of[3] = {0};
    for (uint32_t e = 0; e < cut->n; e++) of[cut->column[e]] = cut->value[e];
    ck_assert_double_lt(of[2], 0);
    ck_assert_double_eq_tol(of[0] / of[2], d, 1e-9); /* -b - d u <= -d */
    ck_assert_double_eq_tol(of[1] / of[2], 0, 1e-9);
    ck_assert_double_eq_tol(cut->upper / of[2], d, 1e-6);
    mgc__cuts_free(ctx, &cuts);
    mgc__separator_destroy(sep);
    mgc__mip_free(&mip);
    mgc_program_destroy(s.p);
}
END_TEST

static mgc_program_info solve(mgc_program *p, double gap)
{
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};

    mgc_program_opts_init(&o, sizeof o);
    o.gap = gap;
    ck_assert_msg(mgc_program_solve(p, &o, &info) == MGC_OK, "%s", mgc_ctx_error(ctx));
    return info;
}

START_TEST(the_search_with_cuts_agrees_with_all_points)
{
    mgc__rng rng;
    int feasible = 0;

    mgc__rng_seed(&rng, 8);
    for (int k = 0; k < 250; k++) {
        struct world w = some_world(&rng);
        mgc_program *p = program_of(&w);
        double gap = k % 2 == 0 ? 0.0 : 0.05;
        mgc_program_info info = solve(p, gap);
        double ints[COLS], best = INFINITY;
        memcpy(ints, w.low, sizeof ints);
        do {
            mgc_program_opts o;
            mgc_program_info one = {.struct_size = sizeof one};
            mgc_program_opts_init(&o, sizeof o);
            o.relax = 1;
            for (uint32_t j = 0; j < INTS; j++)
                ck_assert_int_eq(mgc_program_set_bounds(p, j, ints[j], ints[j]), MGC_OK);
            ck_assert_int_eq(mgc_program_solve(p, &o, &one), MGC_OK);
            if (one.outcome == MGC_OUTCOME_OPTIMAL) best = fmin(best, one.objective);
        } while (next_point(&w, ints));
        if (best == INFINITY) {
            ck_assert_msg(info.outcome == MGC_OUTCOME_INFEASIBLE, "world %d: %s", k, mgc_outcome_name(info.outcome));
        } else {
            feasible++;
            ck_assert_msg(info.outcome == MGC_OUTCOME_OPTIMAL, "world %d: %s", k, mgc_outcome_name(info.outcome));
            ck_assert_msg(info.objective >= best - 1e-6 * fmax(1, fabs(best)) &&
                              info.objective <= best + (1e-6 + 1.06 * gap) * fmax(1, fabs(best)),
                          "world %d: %.9g, all points %.9g", k, info.objective, best);
            /* also where the best point was given up for the gap's sake */
            ck_assert_msg(info.bound <= best + 1e-7 * fmax(1, fabs(best)), "world %d: bound %.9g above %.9g", k,
                          info.bound, best);
        }
        mgc_program_destroy(p);
    }
    ck_assert_int_gt(feasible, 100);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, test_setup, test_teardown);
    tcase_set_timeout(c, 200);
    tcase_add_test(c, cuts_keep_every_integer_point);
    tcase_add_test(c, a_lot_gives_the_cut_of_the_textbook);
    tcase_add_test(c, the_search_with_cuts_agrees_with_all_points);
    return run_suite("cuts", c);
}
