/* SPDX-License-Identifier: Apache-2.0 */
/* What multipliers prove of schedules, against every schedule of small programs. */
#include "solver/mip_schedule.h"
#include "solver_test.h"

static double some(mgc__rng *rng, double from, double to)
{
    return from + (to - from) * mgc__rng_unit(rng);
}

static void row(mgc_program *p, double lower, double upper, uint32_t n, const uint32_t *column, const double *value)
{
    ck_assert_int_eq(mgc_program_add_row(p, lower, upper, column, value, n, NULL), MGC_OK);
}

/* --- one unit's day ---------------------------------------------------------------------------- */

/* Columns: u, v (starts), output in two scenarios, what is bought in either. */
enum { T = 9, SCENARIOS = 2, U = 0, V = T, P = 2 * T, BUY = P + SCENARIOS * T, DAY_COLUMNS = BUY + SCENARIOS };

struct day {
    uint32_t up, down; /* periods at least */
    bool on_before;
    double cost[DAY_COLUMNS], least, most, weight[T], demand[SCENARIOS];
};

static struct day some_day(mgc__rng *rng)
{
    struct day d = {.up = 1 + (uint32_t)mgc__rng_below(rng, 4), .down = 1 + (uint32_t)mgc__rng_below(rng, 3),
                    .on_before = mgc__rng_below(rng, 2), .least = some(rng, 1, 3), .most = some(rng, 4, 6)};

    for (int j = 0; j < DAY_COLUMNS; j++) d.cost[j] = some(rng, j < V ? -2 : j < P ? 0 : j < BUY ? -1 : 1, 3);
    for (int t = 0; t < T; t++) d.weight[t] = some(rng, 0.5, 1.5);
    for (int s = 0; s < SCENARIOS; s++) d.demand[s] = some(rng, 5, 25);
    return d;
}

/* Turn-on inequalities of Rajan and Takriti (2005) as the dispatch writes them. */
static void add_logic(mgc_program *p, const struct day *d)
{
    for (uint32_t t = 0; t < T; t++) {
        uint32_t column[T + 1] = {V + t, U + t, U + t - 1}, n = 0;
        double one[T + 1] = {1, -1, 1};
        row(p, t == 0 ? -(double)d->on_before : 0, INFINITY, t == 0 ? 2 : 3, column, one);
        for (uint32_t k = t + 1 < d->up ? 0 : t + 1 - d->up; k <= t; k++) column[n] = V + k, one[n++] = 1;
        column[n] = U + t, one[n++] = -1;
        row(p, -INFINITY, 0, n, column, one);
        if (t > 0) row(p, -INFINITY, 1, 2, (uint32_t[]){V + t, U + t - 1}, (double[]){1, 1});
        if (d->on_before && t < d->down) continue; /* no starts then: their bounds say it */
        n = 0;
        for (uint32_t k = t + 1 < d->down ? 0 : t + 1 - d->down; k <= t; k++) column[n] = V + k, one[n++] = 1;
        if (t >= d->down) column[n] = U + t - d->down, one[n++] = 1;
        row(p, -INFINITY, 1, n, column, one);
    }
}

static mgc_program *program_of(const struct day *d)
{
    mgc_program *p;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (uint32_t j = 0; j < DAY_COLUMNS; j++) {
        bool never = d->on_before && j >= V && j < V + d->down;
        ck_assert_int_eq(mgc_program_add_column(p, d->cost[j], 0, never ? 0 : j < P ? 1 : j < BUY ? 10 : 50, NULL), MGC_OK);
        if (j < V) ck_assert_int_eq(mgc_program_set_integer(p, j, 1), MGC_OK);
    }
    add_logic(p, d);
    for (uint32_t s = 0; s < SCENARIOS; s++) {
        uint32_t column[T + 1];
        double value[T + 1];
        for (uint32_t t = 0; t < T; t++) {
            const uint32_t tie[2] = {P + s * T + t, U + t};
            row(p, -INFINITY, 0, 2, tie, (double[]){1, -d->most});
            row(p, 0, INFINITY, 2, tie, (double[]){1, -d->least});
            column[t] = tie[0];
            value[t] = d->weight[t];
        }
        column[T] = BUY + s, value[T] = 1;
        row(p, d->demand[s], INFINITY, T + 1, column, value);
    }
    return p;
}

/* Starts are where the unit was off; false: it does not stay on, or off, for long enough. */
static bool starts_of(const struct day *d, unsigned on, unsigned *starts)
{
    *starts = 0;
    for (uint32_t t = 0; t < T; t++) {
        bool now = on >> t & 1, before = t == 0 ? d->on_before : on >> (t - 1) & 1;
        if (now && !before) *starts |= 1u << t;
    }
    for (uint32_t t = 0; t < T; t++) {
        uint32_t recent = 0;
        for (uint32_t k = t + 1 < d->up ? 0 : t + 1 - d->up; k <= t; k++) recent += *starts >> k & 1;
        if (recent > (on >> t & 1)) return false;
        recent = 0;
        for (uint32_t k = t + 1 < d->down ? 0 : t + 1 - d->down; k <= t; k++) recent += *starts >> k & 1;
        bool was_on = t >= d->down ? on >> (t - d->down) & 1 : d->on_before;
        if (recent + was_on > 1) return false;
    }
    return true;
}

/* What the schedule costs with the demand rows priced at y, everything else at its best. */
static double lagrangian(const struct day *d, unsigned on, unsigned starts, const double y[SCENARIOS])
{
    double sum = 0;

    for (uint32_t t = 0; t < T; t++) sum += (on >> t & 1) * d->cost[U + t] + (starts >> t & 1) * d->cost[V + t];
    for (uint32_t s = 0; s < SCENARIOS; s++) {
        sum += y[s] * d->demand[s] + fmin(0, 50 * (d->cost[BUY + s] - y[s]));
        for (uint32_t t = 0; t < T; t++) {
            double net = d->cost[P + s * T + t] - y[s] * d->weight[t];
            if (on >> t & 1) sum += net * (net > 0 ? d->least : d->most);
        }
    }
    return sum;
}

static void expect(const struct day *d, const double y[SCENARIOS], double *best, double at[2 * T])
{
    unsigned starts;

    *best = INFINITY;
    for (int k = 0; k < 2 * T; k++) at[k] = INFINITY;
    for (unsigned on = 0; on < 1u << T; on++) {
        if (!starts_of(d, on, &starts)) continue;
        double value = lagrangian(d, on, starts, y);
        *best = fmin(*best, value);
        for (uint32_t t = 0; t < T; t++) at[2 * t + (on >> t & 1)] = fmin(at[2 * t + (on >> t & 1)], value);
    }
}

struct priced {
    mgc__solve s;
    mgc__mip mip;
    mgc__schedules *schedules;
    mgc__qp qp;
    double *y, *z, *work, *at, bound, plain;
};

/* Bounds from multipliers: `random` ones of the right sign, the last ones as given. */
static void price(struct priced *q, mgc_program *p, mgc__rng *rng, const double *last, uint32_t n_last)
{
    mgc__dual_report dual;

    *q = (struct priced){.s = {.p = p}};
    mgc_program_opts_init(&q->s.opts, sizeof q->s.opts);
    ck_assert_int_eq(mgc__program_compile(p), MGC_OK);
    ck_assert_int_eq(mgc__mip_setup(&q->mip, &q->s), MGC_OK);
    ck_assert_int_eq(mgc__schedules_create(&q->mip, &q->schedules), MGC_OK);
    q->qp = (mgc__qp){.n = q->mip.n, .m = q->mip.m, .q = q->mip.q, .a = &q->mip.a, .c = q->mip.c, .lower = q->mip.lower,
                      .upper = q->mip.upper, .row_lower = q->mip.row_lower, .row_upper = q->mip.row_upper};
    double *x = calloc(q->mip.n, sizeof *x);
    q->y = calloc(q->mip.m, sizeof *q->y);
    q->z = calloc(q->mip.n, sizeof *q->z);
    q->at = calloc(2 * (size_t)q->mip.n_int, sizeof *q->at);
    q->work = calloc(mgc__schedules_room(q->schedules) + 1, sizeof *q->work);
    for (uint32_t i = 0; i < q->mip.m; i++) {
        double y = some(rng, 0, 2);
        q->y[i] = i + n_last >= q->mip.m ? last[i + n_last - q->mip.m] : isfinite(q->mip.row_lower[i]) ? y : -y;
    }
    mgc__judge_dual(&q->qp, x, q->y, q->z, &dual);
    q->plain = dual.bound;
    q->bound = mgc__schedules_price(q->schedules, &q->qp, q->y, q->z, dual.bound, q->work, q->at);
    free(x);
}

static void priced_free(struct priced *q)
{
    mgc__schedules_destroy(q->schedules);
    mgc__mip_free(&q->mip);
    free(q->y);
    free(q->z);
    free(q->at);
    free(q->work);
}

START_TEST(a_day_is_priced_as_all_its_schedules_are)
{
    mgc__rng rng;
    int sharper = 0;

    mgc__rng_seed(&rng, 3);
    for (int k = 0; k < 200; k++) {
        struct day d = some_day(&rng);
        struct priced q;
        double y[SCENARIOS * (2 * T + 1)] = {0}, at[2 * T], best, prices[SCENARIOS];
        for (int i = 0; i < SCENARIOS * (2 * T + 1); i++) /* of ties: any of the right sign; of demand: prices */
            y[i] = i % (2 * T + 1) == 2 * T ? (prices[i / (2 * T + 1)] = some(&rng, 0, 3))
                   : i % (2 * T + 1) % 2 == 0 ? -some(&rng, 0, 1) : some(&rng, 0, 1);
        mgc_program *p = program_of(&d);
        price(&q, p, &rng, y, SCENARIOS * (2 * T + 1));
        expect(&d, prices, &best, at);
        ck_assert_uint_eq(q.schedules->n_chains, 1);
        ck_assert_double_eq_tol(q.bound, best, 1e-9 * (1 + fabs(best)));
        for (int i = 0; i < 2 * T; i++)
            ck_assert_msg(at[i] == q.at[i] || fabs(at[i] - q.at[i]) <= 1e-9 * (1 + fabs(best)),
                          "day %d, period %d at %d: %.12g, the schedules say %.12g", k, i / 2, i % 2, q.at[i], at[i]);
        ck_assert_double_ge(q.bound, q.plain - 1e-9);
        sharper += q.bound > q.plain + 1e-3;
        priced_free(&q);
        mgc_program_destroy(p);
    }
    ck_assert_int_gt(sharper, 100);
}
END_TEST

/* --- any rows ------------------------------------------------------------------------------------ */

enum { INTS = 6, CONT = 4, COLUMNS = INTS + CONT };

static mgc_program *some_program(mgc__rng *rng)
{
    mgc_program *p;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (uint32_t j = 0; j < COLUMNS; j++) {
        double low = j < INTS || mgc__rng_below(rng, 2) ? 0 : -3;
        bool whole = j < INTS && mgc__rng_below(rng, 8) == 0; /* some are fixed, some are no binaries */
        ck_assert_int_eq(mgc_program_add_column(p, some(rng, -2, 3), whole && j % 2 ? 1 : low,
                                                j >= INTS ? 5 : whole && j % 2 == 0 ? 2 : 1, NULL), MGC_OK);
        if (j < INTS) ck_assert_int_eq(mgc_program_set_integer(p, j, 1), MGC_OK);
    }
    for (uint32_t i = 3 + (uint32_t)mgc__rng_below(rng, 9); i > 0; i--) {
        uint32_t column[COLUMNS], n = 0;
        double value[COLUMNS], middle = 0;
        for (uint32_t j = 0; j < COLUMNS; j++) {
            if (mgc__rng_below(rng, j < INTS ? 3 : 5) != 0) continue;
            column[n] = j;
            value[n] = nearbyint(some(rng, -4, 4));
            middle += value[n++] * some(rng, 0, 1);
        }
        double slack = some(rng, 0, 2);
        bool above = mgc__rng_below(rng, 2), both = mgc__rng_below(rng, 4) == 0;
        row(p, above || both ? middle - slack : -INFINITY, above && !both ? INFINITY : middle + slack, n, column, value);
    }
    return p;
}

/* The program's optimum with every integer as in `at`; INFINITY: there is no point. */
static double optimum(mgc_program *p, const double *at)
{
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};

    mgc_program_opts_init(&o, sizeof o);
    o.relax = 1;
    for (uint32_t j = 0; j < INTS; j++) ck_assert_int_eq(mgc_program_set_bounds(p, j, at[j], at[j]), MGC_OK);
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
    return info.outcome == MGC_OUTCOME_OPTIMAL ? info.objective : INFINITY;
}

START_TEST(no_point_is_better_than_what_is_proven_of_its_integers)
{
    mgc__rng rng;
    int chains = 0, told = 0;

    mgc__rng_seed(&rng, 4);
    for (int k = 0; k < 60; k++) {
        mgc_program *p = some_program(&rng);
        struct priced q;
        double low[INTS], high[INTS], at[INTS];
        price(&q, p, &rng, NULL, 0);
        for (uint32_t j = 0; j < INTS; j++) {
            low[j] = at[j] = q.mip.lower[j];
            high[j] = q.mip.upper[j];
        }
        for (bool more = true; more;) {
            double value = optimum(p, at);
            bool point = isfinite(value);
            ck_assert(!point || value >= q.bound - 1e-6 * (1 + fabs(value)));
            for (uint32_t j = 0; j < INTS; j++) {
                bool known = q.schedules->chain_of[j] != NOWHERE;
                if (known && point)
                    ck_assert_msg(value >= q.at[2 * j + (at[j] > 0.5)] - 1e-6 * (1 + fabs(value)),
                                  "program %d, integer %u at %g: a point of %.9g, none better than %.9g said", k, j, at[j],
                                  value, q.at[2 * j + (at[j] > 0.5)]);
                told += known && point;
            }
            more = false;
            for (uint32_t j = 0; j < INTS && !more; j++) {
                more = ++at[j] <= high[j];
                if (!more) at[j] = low[j];
            }
        }
        chains += q.schedules->n_chains > 0;
        priced_free(&q);
        mgc_program_destroy(p);
    }
    ck_assert_int_gt(chains, 40);
    ck_assert_int_gt(told, 1000);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, test_setup, test_teardown);
    tcase_set_timeout(c, 200);
    tcase_add_test(c, a_day_is_priced_as_all_its_schedules_are);
    tcase_add_test(c, no_point_is_better_than_what_is_proven_of_its_integers);
    return run_suite("schedule", c);
}
