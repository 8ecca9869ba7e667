/* SPDX-License-Identifier: Apache-2.0 */
/* Budget uncertainty: the published program, every corner written out as one large program, and what cannot be solved. */
#include "robust/budget.h"
#include "suites.h"

typedef struct stream {
    uint64_t seed, count;
} stream;

static double draw(stream *s)
{
    s->count++;
    uint64_t x = (s->seed * 1000003 + s->count * 7919) % 104729;
    return (double)(x * x % 104729 % 1000) / 1000;
}

static mgc_budget_opts defaults(void)
{
    mgc_budget_opts o;

    mgc_budget_opts_init(&o, sizeof o);
    return o;
}

/* --- Zeng and Zhao (2013), section 4 ------------------------------------------------------------------------------------ */

static mgc_budget *zeng_zhao(void)
{
    static const double fixed[] = {400, 414, 326}, unit[] = {18, 25, 20}, demand[] = {206, 274, 220};
    static const double carry[3][3] = {{22, 33, 24}, {33, 23, 30}, {20, 25, 27}};
    uint32_t open, capacity[3], carried[3][3], row;
    double ones[] = {1, 1, 1};
    mgc_budget *b = NULL;

    OK(mgc_budget_create(test_ctx, 3, &b));
    for (int i = 0; i < 3; i++) {
        OK(mgc_budget_add_column(b, MGC_FIRST_STAGE, fixed[i], 0, 1, "open", &open));
        OK(mgc_budget_set_integer(b, open, 1));
        OK(mgc_budget_add_column(b, MGC_FIRST_STAGE, unit[i], 0, INFINITY, NULL, &capacity[i]));
        OK(mgc_budget_add_row(b, MGC_FIRST_STAGE, -INFINITY, 0, (uint32_t[]){capacity[i], open}, (double[]){1, -800}, 2, NULL,
                              NULL));
    }
    OK(mgc_budget_add_row(b, MGC_FIRST_STAGE, 772, INFINITY, capacity, ones, 3, NULL, NULL));
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            OK(mgc_budget_add_column(b, MGC_RECOURSE, carry[i][j], 0, INFINITY, NULL, &carried[i][j]));
    for (int i = 0; i < 3; i++)
        OK(mgc_budget_add_row(b, MGC_RECOURSE, 0, INFINITY, (uint32_t[]){capacity[i], carried[i][0], carried[i][1], carried[i][2]},
                              (double[]){1, -1, -1, -1}, 4, NULL, NULL));
    for (uint32_t j = 0; j < 3; j++) {
        OK(mgc_budget_add_row(b, MGC_RECOURSE, demand[j], INFINITY, (uint32_t[]){carried[0][j], carried[1][j], carried[2][j]},
                              ones, 3, "demand", &row));
        OK(mgc_budget_set_shift(b, row, j, 40));
    }
    OK(mgc_budget_add_limit(b, -INFINITY, 1.8, (uint32_t[]){0, 1, 2}, ones, 3));
    OK(mgc_budget_add_limit(b, -INFINITY, 1.2, (uint32_t[]){0, 1}, ones, 2));
    return b;
}

typedef struct seen {
    uint32_t rounds;
    double first_upper, first_lower, upper, lower;
    uint32_t stop_after;
    int32_t word;
} seen;

static int32_t see(void *user, uint32_t round, double upper, double lower)
{
    seen *s = user;

    if (s->rounds++ == 0) {
        s->first_upper = upper;
        s->first_lower = lower;
        s->upper = INFINITY;
        s->lower = -INFINITY;
    }
    ck_assert_uint_ge(round, s->rounds);
    ck_assert_double_le(upper, s->upper);
    ck_assert_double_ge(lower, s->lower);
    s->upper = upper;
    s->lower = lower;
    return s->rounds == s->stop_after ? s->word : MGC_CB_DONE;
}

START_TEST(the_published_optimum_and_first_bounds)
{
    mgc_budget *b = zeng_zhao();
    mgc_budget_opts o = defaults();
    mgc_budget_info info = {.struct_size = sizeof info};
    double x[15], z[3], cost;
    seen s = {.rounds = 0};

    o.progress = see;
    o.user = &s;
    OK(mgc_budget_solve(b, &o, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(info.objective, 33680, 0.02);
    ck_assert_double_eq_tol(info.bound, 33680, 0.02);
    ck_assert_double_eq_tol(s.first_lower, 14296, 0.5);
    ck_assert_double_eq_tol(s.first_upper, 35238, 0.5);
    OK(mgc_budget_get_x(b, x, 15));
    OK(mgc_budget_get_worst(b, z, 3));
    ck_assert_double_le(z[0] + z[1], 1.2 + 1e-9);
    ck_assert_double_le(z[0] + z[1] + z[2], 1.8 + 1e-9);
    OK(mgc_budget_worst(b, &o, x, 15, z, &cost));
    ck_assert_double_eq_tol(info.first_stage_cost + cost, info.objective, 1e-3);
    /* Capacity in all is just what the worst demand takes, so that multipliers have no bound: said, not guessed. */
    o.vertex_limit = 0;
    o.progress = NULL;
    OK(mgc_budget_solve(b, &o, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_LIMIT);
    ck_assert_ptr_nonnull(strstr(mgc_budget_explain(b), "row 7 (demand) has no bound"));
    ck_assert_int_eq(mgc_budget_worst(b, &o, x, 15, z, &cost), MGC_E_UNSUPPORTED);
    mgc_budget_destroy(b);
}
END_TEST

/* --- corners ------------------------------------------------------------------------------------------------------------- */

static uint32_t count_corners(mgc_budget *b, uint32_t limit, bool *all)
{
    mgc__corners c;

    OK(mgc__budget_corners(b, limit, &c));
    for (uint32_t i = 0; i < c.n; i++)
        for (size_t l = 0; l < b->n_limits; l++) {
            double sum = 0;
            for (size_t e = b->limits[l].start; e < b->limits[l].start + b->limits[l].n; e++)
                sum += b->limit_value[e] * c.z[i * b->parameters + b->limit_parameter[e]];
            ck_assert_double_le(sum, b->limits[l].upper + 1e-9);
            ck_assert_double_ge(sum, b->limits[l].lower - 1e-9);
        }
    *all = c.all;
    mgc__free(test_ctx, c.z);
    return c.n;
}

/* A cube has 2^n; a budget that is a whole number keeps the corners of the cube within it; one that is not has for each of
 * those on its edge n - g with one more part.  An octahedron has 2 n, its equality's slice too. */
START_TEST(corners_of_known_polytopes)
{
    double ones[] = {1, 1, 1, 1, 1, 1};
    uint32_t all_of[] = {0, 1, 2, 3, 4, 5};
    mgc_budget *b = NULL;
    bool all;

    OK(mgc_budget_create(test_ctx, 6, &b));
    ck_assert_uint_eq(count_corners(b, 4096, &all), 64);
    ck_assert_uint_eq(count_corners(b, 20, &all), 0);
    ck_assert(!all);
    OK(mgc_budget_add_limit(b, -INFINITY, 2, all_of, ones, 6));
    ck_assert_uint_eq(count_corners(b, 4096, &all), 1 + 6 + 15);
    OK(mgc_budget_add_limit(b, 2, INFINITY, all_of, ones, 6));
    ck_assert_uint_eq(count_corners(b, 4096, &all), 15);
    OK(mgc_budget_set_range(b, 3, 0.5, 0.5)); /* one fixed: two whole and a half of the other five, or one and a half */
    ck_assert_uint_eq(count_corners(b, 4096, &all), 5 * 4);
    OK(mgc_budget_add_limit(b, -INFINITY, 1, all_of, ones, 6));
    ck_assert_uint_eq(count_corners(b, 4096, &all), 0);
    ck_assert(all);
    mgc_budget_destroy(b);

    OK(mgc_budget_create(test_ctx, 4, &b));
    OK(mgc_budget_add_limit(b, -INFINITY, 1.5, all_of, ones, 4));
    ck_assert_uint_eq(count_corners(b, 4096, &all), 1 + 4 + 4 * 3);
    mgc_budget_destroy(b);

    OK(mgc_budget_create(test_ctx, 3, &b));
    for (uint32_t i = 0; i < 3; i++) OK(mgc_budget_set_range(b, i, -1, 1));
    for (int s = 0; s < 8; s++)
        OK(mgc_budget_add_limit(b, -INFINITY, 1, all_of, (double[]){s & 1 ? 1 : -1, s & 2 ? 1 : -1, s & 4 ? 1 : -1}, 3));
    ck_assert_uint_eq(count_corners(b, 4096, &all), 6);
    mgc_budget_destroy(b);
}
END_TEST

/* --- small worlds: build at three sites; what lacks at n places, whose demand is uncertain, is bought dearly --------------- */

enum { SITES = 3, PLACES_MAX = 5 };

typedef struct world {
    double build[SITES], most[SITES], carry[SITES][PLACES_MAX], demand[PLACES_MAX], more[PLACES_MAX], lack[PLACES_MAX], budget;
    uint32_t places, integer;
} world;

static world make_world(uint32_t seed)
{
    stream u = {.seed = seed};
    world w = {.places = 2 + seed % (PLACES_MAX - 1), .integer = seed % 2};

    for (int i = 0; i < SITES; i++) {
        w.build[i] = 1 + 9 * draw(&u);
        w.most[i] = 5 + floor(10 * draw(&u));
        for (uint32_t j = 0; j < w.places; j++) w.carry[i][j] = 0.5 + 4 * draw(&u);
    }
    for (uint32_t j = 0; j < w.places; j++) {
        w.demand[j] = 2 + 5 * draw(&u);
        w.more[j] = 1 + 5 * draw(&u);
        w.lack[j] = 20 + 20 * draw(&u);
    }
    w.budget = seed % 3 == 0 ? 1 + floor(2 * draw(&u)) : 0.5 + 2 * draw(&u);
    return w;
}

static mgc_budget *build_world(mgc_ctx *ctx, const world *w, mgc_status *st)
{
    uint32_t x[SITES], carried[SITES][PLACES_MAX], lacking, row, columns[PLACES_MAX + SITES + 1];
    double values[] = {1, -1, -1, -1, -1, -1, -1}, ones[] = {1, 1, 1, 1, 1, 1, 1};
    mgc_budget *b = NULL;

    *st = mgc_budget_create(ctx, w->places, &b);
    for (int i = 0; i < SITES && *st == MGC_OK; i++) {
        *st = mgc_budget_add_column(b, MGC_FIRST_STAGE, w->build[i], 0, w->most[i], "site", &x[i]);
        if (*st == MGC_OK) *st = mgc_budget_set_integer(b, x[i], (int32_t)w->integer);
        for (uint32_t j = 0; j < w->places && *st == MGC_OK; j++)
            *st = mgc_budget_add_column(b, MGC_RECOURSE, w->carry[i][j], 0, INFINITY, NULL, &carried[i][j]);
    }
    for (int i = 0; i < SITES && *st == MGC_OK; i++) {
        columns[0] = x[i];
        for (uint32_t j = 0; j < w->places; j++) columns[1 + j] = carried[i][j];
        *st = mgc_budget_add_row(b, MGC_RECOURSE, 0, INFINITY, columns, values, 1 + w->places, NULL, NULL);
    }
    for (uint32_t j = 0; j < w->places && *st == MGC_OK; j++) {
        *st = mgc_budget_add_column(b, MGC_RECOURSE, w->lack[j], 0, INFINITY, NULL, &lacking);
        for (int i = 0; i < SITES; i++) columns[i] = carried[i][j];
        columns[SITES] = lacking;
        if (*st == MGC_OK)
            *st = mgc_budget_add_row(b, MGC_RECOURSE, w->demand[j], INFINITY, columns, ones, SITES + 1, "demand", &row);
        if (*st == MGC_OK) *st = mgc_budget_set_shift(b, row, j, w->more[j]);
    }
    uint32_t all_of[] = {0, 1, 2, 3, 4};
    if (*st == MGC_OK) *st = mgc_budget_add_limit(b, -INFINITY, w->budget, all_of, ones, w->places);
    return b;
}

/* Every corner of the budget set, by choosing who deviates fully and who takes the rest; written out as one program. */
static double by_enumeration(const world *w)
{
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program_opts o;
    mgc_program *p = NULL;
    uint32_t x[SITES], eta, y, columns[32];
    double values[32];
    uint32_t whole = (uint32_t)floor(w->budget);

    OK(mgc_program_create(test_ctx, &p));
    for (int i = 0; i < SITES; i++) {
        OK(mgc_program_add_column(p, w->build[i], 0, w->most[i], &x[i]));
        OK(mgc_program_set_integer(p, x[i], (int32_t)w->integer));
    }
    OK(mgc_program_add_column(p, 1, 0, INFINITY, &eta));
    for (uint32_t mask = 0; mask < 1u << w->places; mask++)
        for (uint32_t part = 0; part < w->places; part++) {
            double z[PLACES_MAX];
            uint32_t count = (uint32_t)__builtin_popcount(mask), n = 0;
            bool rest = count == whole && whole < w->places; /* someone takes what is left of the budget */
            if (count > whole || (!rest && part > 0) || (rest && mask >> part & 1)) continue;
            for (uint32_t j = 0; j < w->places; j++) z[j] = mask >> j & 1;
            if (rest) z[part] = w->budget - whole;
            OK(mgc_program_add_column(p, 0, 0, INFINITY, &y));
            for (uint32_t j = 0; j < 4 * w->places - 1; j++) OK(mgc_program_add_column(p, 0, 0, INFINITY, NULL));
            columns[n] = eta;
            values[n++] = 1;
            for (uint32_t j = 0; j < w->places; j++)
                for (uint32_t i = 0; i < SITES + 1; i++) {
                    columns[n] = y + 4 * j + i;
                    values[n++] = -(i < SITES ? w->carry[i][j] : w->lack[j]);
                }
            OK(mgc_program_add_row(p, 0, INFINITY, columns, values, n, NULL));
            for (uint32_t i = 0; i < SITES; i++) {
                columns[0] = x[i];
                values[0] = 1;
                for (uint32_t j = 0; j < w->places; j++) {
                    columns[1 + j] = y + 4 * j + i;
                    values[1 + j] = -1;
                }
                OK(mgc_program_add_row(p, 0, INFINITY, columns, values, 1 + w->places, NULL));
            }
            for (uint32_t j = 0; j < w->places; j++)
                OK(mgc_program_add_row(p, w->demand[j] + w->more[j] * z[j], INFINITY,
                                       (uint32_t[]){y + 4 * j, y + 4 * j + 1, y + 4 * j + 2, y + 4 * j + 3},
                                       (double[]){1, 1, 1, 1}, 4, NULL));
        }
    mgc_program_opts_init(&o, sizeof o);
    o.gap = 1e-8;
    OK(mgc_program_solve(p, &o, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    mgc_program_destroy(p);
    return info.objective;
}

/* _i is the world.  Listing the corners and branch and bound must both find what enumeration finds. */
START_TEST(both_searches_agree_with_enumeration)
{
    world w = make_world((uint32_t)_i);
    double want = by_enumeration(&w);
    mgc_status st;

    for (int way = 0; way < 2; way++) {
        mgc_budget *b = build_world(test_ctx, &w, &st);
        mgc_budget_opts o = defaults();
        mgc_budget_info info = {.struct_size = sizeof info};
        ck_assert_int_eq(st, MGC_OK);
        if (way == 1) o.vertex_limit = 0;
        OK(mgc_budget_solve(b, &o, &info));
        ck_assert_msg(info.outcome == MGC_OUTCOME_OPTIMAL, "world %d, way %d: %s: %s", _i, way, mgc_outcome_name(info.outcome),
                      mgc_budget_explain(b));
        ck_assert_msg(fabs(info.objective - want) <= 2e-6 * want && fabs(info.bound - want) <= 2e-6 * want,
                      "world %d, way %d: %.9g..%.9g, by enumeration %.9g", _i, way, info.bound, info.objective, want);
        mgc_budget_destroy(b);
    }
}
END_TEST

START_TEST(threads_leave_the_same_bytes)
{
    world w = make_world(6);
    double x[2][40], z[2][PLACES_MAX];
    mgc_status st;

    for (uint32_t run = 0; run < 2; run++) {
        mgc_budget *b = build_world(test_ctx, &w, &st);
        mgc_budget_opts o = defaults();
        ck_assert_int_eq(st, MGC_OK);
        o.threads = 1 + 3 * run;
        OK(mgc_budget_solve(b, &o, NULL));
        OK(mgc_budget_get_x(b, x[run], b->n));
        OK(mgc_budget_get_worst(b, z[run], w.places));
        ck_assert_int_eq(mgc_budget_get_worst(b, z[run], w.places + 1), MGC_E_INVALID_ARG);
        if (run == 1) ck_assert_int_eq(memcmp(x[0], x[1], b->n * sizeof(double)), 0);
        if (run == 1) ck_assert_int_eq(memcmp(z[0], z[1], w.places * sizeof(double)), 0);
        mgc_budget_destroy(b);
    }
}
END_TEST

/* --- what has no answer ----------------------------------------------------------------------------------------------------- */

/* One plant x <= most, demand 5 + 3 z, nothing else. */
static mgc_budget *one_plant(double most, double recourse_cost, double recourse_lower, uint32_t *row)
{
    mgc_budget *b = NULL;
    uint32_t x, y;

    OK(mgc_budget_create(test_ctx, 1, &b));
    OK(mgc_budget_add_column(b, MGC_FIRST_STAGE, 1, 0, most, "plant", &x));
    OK(mgc_budget_add_column(b, MGC_RECOURSE, recourse_cost, recourse_lower, INFINITY, "made", &y));
    OK(mgc_budget_add_row(b, MGC_RECOURSE, 0, INFINITY, (uint32_t[]){x, y}, (double[]){1, -1}, 2, "no more than built", NULL));
    OK(mgc_budget_add_row(b, MGC_RECOURSE, 5, INFINITY, &y, (double[]){1}, 1, "demand", row));
    OK(mgc_budget_set_shift(b, *row, 0, 3));
    return b;
}

START_TEST(recourse_that_fails_is_met_and_explained)
{
    mgc_budget_info info = {.struct_size = sizeof info};
    double x[2], z, cost;
    uint32_t row;
    mgc_budget *b = one_plant(20, 2, 0, &row); /* recourse is not relatively complete, and the optimum has it all the same */

    OK(mgc_budget_solve(b, NULL, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(info.objective, 8 + 16, 1e-4);
    ck_assert_uint_ge(info.unserved, 1);
    ck_assert_ptr_nonnull(strstr(mgc_budget_explain(b), "recourse has no point where z0 = 1"));
    ck_assert_ptr_nonnull(strstr(mgc_budget_explain(b), "row 1 (demand)"));
    OK(mgc_budget_worst(b, NULL, (double[]){6, 0}, 2, &z, &cost));
    ck_assert(cost == INFINITY);
    ck_assert_double_eq(z, 1);
    mgc_budget_destroy(b);

    b = one_plant(7, 2, 0, &row);
    OK(mgc_budget_solve(b, NULL, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_INFEASIBLE);
    ck_assert_ptr_nonnull(strstr(mgc_budget_explain(b), "no first stage serves the worst cases found"));
    ck_assert_ptr_nonnull(strstr(mgc_budget_explain(b), "(demand)"));
    ck_assert_ptr_nonnull(strstr(mgc_budget_explain(b), "z0 = 1"));
    ck_assert_int_eq(mgc_budget_get_x(b, x, 2), MGC_E_STATE);
    mgc_budget_destroy(b);
}
END_TEST

START_TEST(unbounded_is_said_only_where_there_is_a_point)
{
    mgc_budget_info info = {.struct_size = sizeof info};
    uint32_t row, more;

    for (int lacks = 0; lacks < 2; lacks++) {
        mgc_budget *b = one_plant(lacks ? 7 : 20, 2, 0, &row);
        OK(mgc_budget_add_column(b, MGC_RECOURSE, -1, 0, INFINITY, "given away", &more)); /* earns for ever */
        OK(mgc_budget_solve(b, NULL, &info));
        ck_assert_msg(info.outcome == (lacks ? MGC_OUTCOME_INFEASIBLE : MGC_OUTCOME_UNBOUNDED), "%s", mgc_outcome_name(info.outcome));
        if (!lacks) ck_assert_msg(strstr(mgc_budget_explain(b), "falls without end") != NULL, "%s", mgc_budget_explain(b));
        mgc_budget_destroy(b);

        b = one_plant(lacks ? 7 : 20, 2, 0, &row);
        OK(mgc_budget_add_column(b, MGC_FIRST_STAGE, -1, 0, INFINITY, NULL, &more));
        OK(mgc_budget_solve(b, NULL, &info));
        ck_assert_msg(info.outcome == (lacks ? MGC_OUTCOME_INFEASIBLE : MGC_OUTCOME_UNBOUNDED), "%s", mgc_outcome_name(info.outcome));
        mgc_budget_destroy(b);
    }
}
END_TEST

/* Deviations to both sides, and a recourse whose cost has no bound of its own: a case is needed before the first master. */
START_TEST(deviations_to_both_sides)
{
    mgc_budget_info info = {.struct_size = sizeof info};
    uint32_t x, y, row;
    double z;
    mgc_budget *b = NULL;

    for (int way = 0; way < 2; way++) {
        mgc_budget_opts o = defaults();
        if (way == 1) o.vertex_limit = 0;
        OK(mgc_budget_create(test_ctx, 1, &b));
        OK(mgc_budget_set_range(b, 0, -1, 1));
        OK(mgc_budget_add_column(b, MGC_FIRST_STAGE, 0, -10, 10, NULL, &x));
        OK(mgc_budget_add_column(b, MGC_RECOURSE, 1, -INFINITY, INFINITY, NULL, &y));
        /* y >= |x - 4 - 2 z|: the best x is 4, the worst z either end, the cost 2 */
        OK(mgc_budget_add_row(b, MGC_RECOURSE, -4, INFINITY, (uint32_t[]){x, y}, (double[]){-1, 1}, 2, NULL, &row));
        OK(mgc_budget_set_shift(b, row, 0, -2));
        OK(mgc_budget_add_row(b, MGC_RECOURSE, 4, INFINITY, (uint32_t[]){x, y}, (double[]){1, 1}, 2, NULL, &row));
        OK(mgc_budget_set_shift(b, row, 0, 2));
        OK(mgc_budget_solve(b, &o, &info));
        ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
        ck_assert_double_eq_tol(info.objective, 2, 1e-5);
        OK(mgc_budget_get_worst(b, &z, 1));
        ck_assert_double_eq_tol(fabs(z), 1, 1e-4);
        mgc_budget_destroy(b);
    }
}
END_TEST

/* --- a day of 24 hours of which 6 at most are bad: 134,596 corners of full budget --------------------------------------------- */

enum { HOURS = 24, BAD = 6 };

static double price_of(int t)
{
    return 5 + (t * 7 % 11);
}

static double demand_of(int t)
{
    return 40 + (t * 13 % 29);
}

static double rise_of(int t)
{
    return 10 + (t * 5 % 17);
}

/* What is bought ahead at 1 a unit is short where demand rises. */
static mgc_budget *bad_hours(void)
{
    uint32_t bought[HOURS], parameter[HOURS], late, row;
    double ones[HOURS];
    mgc_budget *b = NULL;

    OK(mgc_budget_create(test_ctx, HOURS, &b));
    for (int t = 0; t < HOURS; t++) OK(mgc_budget_add_column(b, MGC_FIRST_STAGE, 2, 0, 200, NULL, &bought[t]));
    for (uint32_t t = 0; t < HOURS; t++) {
        parameter[t] = t;
        ones[t] = 1;
        OK(mgc_budget_add_column(b, MGC_RECOURSE, price_of((int)t), 0, INFINITY, NULL, &late));
        OK(mgc_budget_add_row(b, MGC_RECOURSE, demand_of((int)t), INFINITY, (uint32_t[]){bought[t], late}, (double[]){1, 1}, 2, NULL, &row));
        OK(mgc_budget_set_shift(b, row, t, rise_of((int)t)));
    }
    OK(mgc_budget_add_limit(b, -INFINITY, BAD, parameter, ones, HOURS));
    return b;
}

/* Bertsimas and Sim (2004): the sum of the 6 largest rises in cost is the least 6 l + sum of what each is above l. */
static double bad_hours_by_duality(void)
{
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program *p = NULL;
    uint32_t level, x, good, bad, over, row;

    mgc_program_opts_init(&o, sizeof o);
    OK(mgc_program_create(test_ctx, &p));
    OK(mgc_program_add_column(p, BAD, 0, INFINITY, &level));
    for (int t = 0; t < HOURS; t++) {
        OK(mgc_program_add_column(p, 2, 0, 200, &x));
        OK(mgc_program_add_column(p, price_of(t), 0, INFINITY, &good));
        OK(mgc_program_add_column(p, 0, 0, INFINITY, &bad));
        OK(mgc_program_add_column(p, 1, 0, INFINITY, &over));
        OK(mgc_program_add_row(p, demand_of(t), INFINITY, (uint32_t[]){x, good}, (double[]){1, 1}, 2, &row));
        OK(mgc_program_add_row(p, demand_of(t) + rise_of(t), INFINITY, (uint32_t[]){x, bad}, (double[]){1, 1}, 2, &row));
        OK(mgc_program_add_row(p, 0, INFINITY, (uint32_t[]){level, over, good, bad}, (double[]){1, 1, price_of(t), -price_of(t)}, 4, &row));
    }
    OK(mgc_program_solve(p, &o, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    mgc_program_destroy(p);
    return info.objective;
}

START_TEST(a_day_with_six_bad_hours)
{
    mgc_budget *b = bad_hours();
    mgc_budget_opts o = defaults();
    mgc_budget_info info = {.struct_size = sizeof info};
    double want = bad_hours_by_duality(), z[HOURS], used = 0;

    OK(mgc_budget_solve(b, &o, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(info.objective, want, 1e-4 * want);
    ck_assert_double_le(info.bound, want + 1e-6 * want);
    OK(mgc_budget_get_worst(b, z, HOURS));
    for (int t = 0; t < HOURS; t++) used += z[t];
    ck_assert_double_le(used, BAD + 1e-6);
    mgc_budget_destroy(b);
}
END_TEST

START_TEST(the_door_is_watched)
{
    mgc_budget *b = NULL;
    mgc_budget_opts good = defaults(), o;
    uint32_t x, y, row;
    double one = 1;

    ck_assert_int_eq(mgc_budget_create(test_ctx, 0, &b), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_budget_create(test_ctx, 257, &b), MGC_E_INVALID_ARG);
    OK(mgc_budget_create(test_ctx, 2, &b));
    OK(mgc_budget_add_column(b, MGC_FIRST_STAGE, 1, 0, 1, NULL, &x));
    OK(mgc_budget_add_column(b, MGC_RECOURSE, 1, 0, 1, NULL, &y));
    OK(mgc_budget_add_row(b, MGC_FIRST_STAGE, 0, 1, &x, &one, 1, NULL, &row));
    ck_assert_int_eq(mgc_budget_set_shift(b, row, 0, 1), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_budget_set_shift(b, 9, 0, 1), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_budget_set_shift(b, row, 2, 1), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_budget_add_row(b, MGC_FIRST_STAGE, 0, 1, &y, &one, 1, NULL, &row), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_budget_add_row(b, 2, 0, 1, &y, &one, 1, NULL, &row), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_budget_add_row(b, MGC_RECOURSE, 2, 1, &y, &one, 1, NULL, &row), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_budget_set_integer(b, y, 1), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_budget_set_range(b, 0, 0, INFINITY), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_budget_set_range(b, 0, 1, 0), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_budget_add_limit(b, 0, 1, (uint32_t[]){2}, &one, 1), MGC_E_INVALID_ARG);
#define REFUSED(field, value)                                                       \
    do {                                                                            \
        o = good;                                                                   \
        o.field = (value);                                                          \
        ck_assert_int_eq(mgc_budget_solve(b, &o, NULL), MGC_E_INVALID_ARG);         \
    } while (0)
    REFUSED(tolerance, 0);
    REFUSED(gap, 0);
    REFUSED(gap, NAN);
    REFUSED(time_limit_s, 1);
    REFUSED(threads, 0);
    REFUSED(round_limit, 0);
    REFUSED(vertex_limit, 4097);
    REFUSED(reserved0, 1);
#undef REFUSED
    OK(mgc_budget_add_limit(b, 3, INFINITY, (uint32_t[]){0, 1}, (double[]){1, 1}, 2)); /* 0..1 each: nothing is left */
    for (uint32_t way = 0; way < 2; way++) {
        o = good;
        if (way == 1) o.vertex_limit = 0;
        ck_assert_int_eq(mgc_budget_solve(b, &o, NULL), MGC_E_INVALID_ARG);
        ck_assert_ptr_nonnull(strstr(mgc_ctx_error(test_ctx), "no z at all"));
    }
    mgc_budget_destroy(b);
}
END_TEST

START_TEST(generation_stops_when_asked)
{
    static const struct {
        int32_t word;
        mgc_status status;
    } cases[] = {{MGC_CB_STOP, MGC_OK}, {0, MGC_E_CALLBACK}, {MGC_E_IO, MGC_E_IO}};
    mgc_budget_info info = {.struct_size = sizeof info};
    mgc_budget_opts o = defaults();
    mgc_budget *b = zeng_zhao();
    double x[15];

    o.progress = see;
    for (size_t c = 0; c < MGC__COUNT(cases); c++) {
        seen s = {.stop_after = 1, .word = cases[c].word};
        o.user = &s;
        ck_assert_int_eq(mgc_budget_solve(b, &o, &info), cases[c].status);
        ck_assert_int_eq(mgc_budget_get_x(b, x, 15), cases[c].status == MGC_OK ? MGC_OK : MGC_E_STATE);
        if (cases[c].status == MGC_OK) ck_assert_uint_eq(info.outcome, MGC_OUTCOME_CANCELLED);
    }
    o.progress = NULL;
    o.round_limit = 1;
    OK(mgc_budget_solve(b, &o, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_LIMIT);
    ck_assert_double_gt(info.objective, info.bound);
    mgc_ctx_cancel(test_ctx);
    OK(mgc_budget_solve(b, &o, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_CANCELLED);
    mgc_budget_destroy(b);
}
END_TEST

/* --- allocation sweep ---------------------------------------------------------------------------------------------------------- */

static mgc_status run_world(mgc_ctx *ctx, uint32_t variant)
{
    world w = make_world(0);
    mgc_budget_opts o = defaults();
    mgc_status st;
    mgc_budget *b = build_world(ctx, &w, &st);

    if (variant == 1) o.vertex_limit = 0;
    if (st == MGC_OK) st = mgc_budget_solve(b, &o, NULL);
    mgc_budget_destroy(b);
    return st;
}

START_TEST(budgets_survive_every_failed_allocation)
{
    sweep_allocations(run_world, 0);
    sweep_allocations(run_world, 1);
}
END_TEST

TCase *budget_case(void)
{
    TCase *tc = tcase_create("budget");

    tcase_add_test(tc, the_published_optimum_and_first_bounds);
    tcase_add_test(tc, corners_of_known_polytopes);
    tcase_add_loop_test(tc, both_searches_agree_with_enumeration, 0, 16);
    tcase_add_test(tc, threads_leave_the_same_bytes);
    tcase_add_test(tc, recourse_that_fails_is_met_and_explained);
    tcase_add_test(tc, unbounded_is_said_only_where_there_is_a_point);
    tcase_add_test(tc, deviations_to_both_sides);
    tcase_add_test(tc, a_day_with_six_bad_hours);
    tcase_add_test(tc, the_door_is_watched);
    tcase_add_test(tc, generation_stops_when_asked);
    tcase_add_test(tc, budgets_survive_every_failed_allocation);
    return tc;
}
