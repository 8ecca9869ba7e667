/* SPDX-License-Identifier: Apache-2.0 */
/* Every ambiguity set: its oracle against HiGHS and high precision (expected_sets.py), its members by definition, its laws,
 * and both ways to solve with it. */
#include "suites.h"

enum { N = 6, WORLDS = 12 };
enum { WASSERSTEIN, KL, CHI2, CVAR, BALL_AND_NORMS, BALL_AND_CVAR, CVAR_AND_NORM, SETS };

static const char *const set_names[SETS] = {"wasserstein", "kl", "chi2", "cvar", "wasserstein and norms",
                                            "wasserstein and cvar", "cvar and norm 1"};

/* By expected_sets.py. */
static const double expected[WORLDS][SETS] = {
    {14.5837681207, 13.5526757941, 14.2177584739, 13.9544147699, 12.2065816073, 13.9421570281, 12.2806734476},
    {18.7516833918, 18.0764735974, 18.5342485688, 18.1563154843, 17.1464110582, 17.819980378, 17.126883677},
    {17.5787469457, 13.8525069458, 14.8615862292, 15.7497939232, 11.089764777, 15.610693469, 11.2651767765},
    {10.959132213, 10.0558145112, 10.8706273176, 10.973451849, 8.35817822564, 9.578474732, 8.47587763117},
    {15.8914371608, 13.8119542516, 14.7753122715, 13.8761073969, 11.7887372315, 13.8761073969, 11.7163960814},
    {13.9462939369, 13.1788805398, 13.843510689, 13.9188993691, 11.8002045589, 13.8445588291, 11.8129785954},
    {17.5167024248, 12.5917838617, 13.5590009567, 12.0623631357, 9.25982241299, 11.9932410729, 9.10941114339},
    {15.7090793836, 12.6850789008, 14.0893698634, 15.2800378414, 9.61788817073, 12.6410135606, 9.5650968902},
    {15.9384039141, 13.9748874133, 14.587328334, 14.0929299509, 12.3407002222, 13.4914960589, 12.2560225973},
    {14.0492570046, 13.1920348225, 13.6132932866, 13.5620903069, 11.957799293, 13.3808710332, 12.1508912278},
    {16.6961413461, 15.61435781, 16.0503420121, 15.4455842102, 14.6360693682, 15.4348535681, 14.6391622631},
    {19.274108983, 17.2774962077, 18.4220449478, 17.944679737, 14.9254040626, 16.4397411329, 15.1481205041},
};

typedef struct stream {
    uint64_t seed, count;
} stream;

static double draw(stream *s)
{
    s->count++;
    uint64_t x = (s->seed * 1000003 + s->count * 7919) % 104729;
    return (double)(x * x % 104729 % 1000) / 1000;
}

typedef struct world {
    mgc_twostage *ts;
    double cost[N], size;
} world;

/* order: which scenario stands at each place; NULL: as drawn. */
static world make_world(uint32_t seed, const uint32_t *order)
{
    stream u = {.seed = seed};
    double weight[N], cost[N], place[N][2], p0[N], vectors[N][2], sum = 0;
    world w = {.ts = NULL};

    for (int k = 0; k < N; k++) weight[k] = 1 + 9 * draw(&u);
    if (seed % 3 == 0) weight[1] = 0;
    for (int k = 0; k < N; k++) sum += weight[k];
    for (int k = 0; k < N; k++) cost[k] = 20 * draw(&u);
    for (int k = 0; k < N; k++)
        for (int d = 0; d < 2; d++) place[k][d] = draw(&u);
    w.size = 0.05 + 0.3 * draw(&u);
    for (uint32_t k = 0; k < N; k++) {
        uint32_t from = order != NULL ? order[k] : k;
        p0[k] = weight[from] / sum;
        w.cost[k] = cost[from];
        memcpy(vectors[k], place[from], sizeof vectors[k]);
    }
    OK(mgc_twostage_create(test_ctx, N, p0, &w.ts));
    OK(mgc_twostage_set_vectors(w.ts, &vectors[0][0], 2, NULL));
    return w;
}

static void use_set(mgc_twostage *ts, int set, double size)
{
    OK(mgc_twostage_set_wasserstein(ts, set == WASSERSTEIN || set == BALL_AND_NORMS ? size : set == BALL_AND_CVAR ? size / 2 : -1));
    OK(mgc_twostage_set_kl(ts, set == KL ? size : -1));
    OK(mgc_twostage_set_chi2(ts, set == CHI2 ? 3 * size : -1));
    OK(mgc_twostage_set_cvar(ts, set == CVAR || set == BALL_AND_CVAR ? fmin(2 * size, 0.999999) : set == CVAR_AND_NORM ? fmin(size, 0.999999) : -1));
    OK(mgc_twostage_set_norm1(ts, set == BALL_AND_NORMS || set == CVAR_AND_NORM ? size : -1));
    OK(mgc_twostage_set_norm_inf(ts, set == BALL_AND_NORMS ? size / 3 : -1));
}

/* By the definitions of the sets, with none of the library's transfers, hulls or multipliers; slack: rounding. */
static void check_member(const mgc_twostage *ts, const double *p, double slack)
{
    double sum = 0, one = 0, most = 0, kl = 0, chi2 = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++) {
        double q = ts->p0[k];
        ck_assert_double_ge(p[k], 0);
        sum += p[k];
        one += fabs(p[k] - q);
        most = fmax(most, fabs(p[k] - q));
        if ((ts->kl >= 0 || ts->chi2 >= 0) && q == 0) ck_assert_double_eq(p[k], 0);
        if (q > 0) kl += p[k] > 0 ? p[k] * log(p[k] / q) : 0;
        if (q > 0) chi2 += (p[k] - q) * (p[k] - q) / q;
        if (ts->cvar >= 0) ck_assert_double_le(p[k], q / (1 - ts->cvar) + slack);
    }
    ck_assert_double_eq_tol(sum, 1, 1e-13);
    if (ts->norm1 >= 0) ck_assert_double_le(one, ts->norm1 + slack);
    if (ts->norm_inf >= 0) ck_assert_double_le(most, ts->norm_inf + slack);
    if (ts->kl >= 0) ck_assert_double_le(kl, ts->kl * (1 + slack) + slack);
    if (ts->chi2 >= 0) ck_assert_double_le(chi2, ts->chi2 * (1 + slack) + slack);
}

/* Kantorovich: the transport cost of p0 to p, by a linear program of the solver. */
static double transport_by_program(const mgc_twostage *ts, const double *p)
{
    uint32_t n = ts->scenarios, columns[64];
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program *lp = NULL;
    double ones[64];

    ck_assert_uint_le(n, 64);
    for (uint32_t k = 0; k < 64; k++) ones[k] = 1;
    OK(mgc_program_create(test_ctx, &lp));
    for (uint32_t e = 0; e < n * n; e++) OK(mgc_program_add_column(lp, ts->distance[e], 0, INFINITY, NULL));
    for (uint32_t k = 0; k < n; k++) {
        for (uint32_t l = 0; l < n; l++) columns[l] = k * n + l;
        OK(mgc_program_add_row(lp, ts->p0[k], ts->p0[k], columns, ones, n, NULL));
    }
    for (uint32_t l = 0; l + 1 < n; l++) {
        for (uint32_t k = 0; k < n; k++) columns[k] = k * n + l;
        OK(mgc_program_add_row(lp, p[l], p[l], columns, ones, n, NULL));
    }
    OK(mgc_program_solve(lp, NULL, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    mgc_program_destroy(lp);
    return info.objective;
}

/* _i is the world. */
START_TEST(oracles_agree_with_independent_answers)
{
    world w = make_world((uint32_t)_i, NULL);
    double p[N], again[N];

    for (int set = 0; set < SETS; set++) {
        use_set(w.ts, set, w.size);
        OK(mgc_twostage_worst(w.ts, w.cost, p));
        OK(mgc_twostage_worst(w.ts, w.cost, again));
        ck_assert_int_eq(memcmp(p, again, sizeof p), 0);
        double value = mgc__ts_expected(w.ts, p, w.cost), want = expected[_i][set];
        ck_assert_msg(fabs(value - want) <= 2e-8 * want, "world %d, %s: %.12g, independently %.12g", _i, set_names[set],
                      value, want);
        check_member(w.ts, p, 1e-12);
        if (w.ts->wasserstein >= 0) ck_assert_double_le(transport_by_program(w.ts, p), w.ts->wasserstein + 1e-7);
    }
    mgc_twostage_destroy(w.ts);
}
END_TEST

/* --- a fine grid over three scenarios: nothing of the set is worse, and something is nearly as bad ------------------- */

enum { STEPS = 400 };

static bool on_grid_in_set(const mgc_twostage *ts, const double *p)
{
    double one = 0, most = 0, divergence = 0;

    for (int k = 0; k < 3; k++) {
        double q = ts->p0[k], by = p[k] - q;
        one += fabs(by);
        most = fmax(most, fabs(by));
        if (ts->kl >= 0) divergence += p[k] > 0 ? p[k] * log(p[k] / q) : 0;
        if (ts->chi2 >= 0) divergence += by * by / q;
        if (ts->cvar >= 0 && p[k] > q / (1 - ts->cvar)) return false;
    }
    if (ts->norm1 >= 0 && one > ts->norm1) return false;
    if (ts->norm_inf >= 0 && most > ts->norm_inf) return false;
    if (ts->wasserstein >= 0) {
        /* On a line at 0, 1 and 3 the transport is the area between the distribution functions. */
        double first = fabs(p[0] - ts->p0[0]), second = fabs(p[0] + p[1] - ts->p0[0] - ts->p0[1]);
        if (first + 2 * second > ts->wasserstein) return false;
    }
    return divergence <= fmax(ts->kl, ts->chi2) || (ts->kl < 0 && ts->chi2 < 0);
}

START_TEST(no_point_of_a_fine_grid_is_worse)
{
    static const double p0[] = {0.5, 0.3, 0.2}, line[] = {0, 1, 3};
    static const double costs[][3] = {{1, 4, 9}, {9, 4, 1}, {3, 8, 2}, {5, 5, 7}, {7, 5, 5}, {-2, 0, -9}};
    mgc_twostage *ts = NULL;

    OK(mgc_twostage_create(test_ctx, 3, p0, &ts));
    OK(mgc_twostage_set_vectors(ts, line, 1, NULL));
    for (int set = 0; set < SETS; set++)
        for (size_t c = 0; c < MGC__COUNT(costs); c++) {
            double p[3], q[3], best = -INFINITY;
            use_set(ts, set, 0.17);
            OK(mgc_twostage_worst(ts, costs[c], p));
            double value = mgc__ts_expected(ts, p, costs[c]);
            for (int a = 0; a <= STEPS; a++)
                for (int b = 0; a + b <= STEPS; b++) {
                    q[0] = a / (double)STEPS;
                    q[1] = b / (double)STEPS;
                    q[2] = (STEPS - a - b) / (double)STEPS;
                    if (on_grid_in_set(ts, q)) best = fmax(best, mgc__ts_expected(ts, q, costs[c]));
                }
            ck_assert_msg(best <= value + 1e-7 && best >= value - 0.06, "%s, costs %zu: oracle %.9g, grid %.9g",
                          set_names[set], c, value, best);
        }
    mgc_twostage_destroy(ts);
}
END_TEST

/* --- laws ------------------------------------------------------------------------------------------------------------- */

START_TEST(from_the_nominal_to_the_worst_case_without_a_step_back)
{
    for (uint32_t seed = 0; seed < WORLDS; seed++) {
        world w = make_world(seed, NULL);
        double p[N], nominal = mgc__ts_expected(w.ts, w.ts->p0, w.cost), most = -INFINITY, possible = -INFINITY;
        for (int k = 0; k < N; k++) {
            most = fmax(most, w.cost[k]);
            if (w.ts->p0[k] > 0) possible = fmax(possible, w.cost[k]);
        }
        for (int set = 0; set < SETS; set++) {
            double before = nominal;
            for (int i = 0; i <= 40; i++) {
                double size = i == 40 ? 1e3 : 0.005 * i * i;
                use_set(w.ts, set, size);
                OK(mgc_twostage_worst(w.ts, w.cost, p));
                double value = mgc__ts_expected(w.ts, p, w.cost);
                if (i == 0) ck_assert_double_eq_tol(value, nominal, 1e-7);
                ck_assert_msg(value >= before - 1e-6, "world %u, %s, size %g: %.9g after %.9g", seed, set_names[set], size,
                              value, before);
                before = value;
            }
            bool stays = set == KL || set == CHI2 || set == CVAR || set == BALL_AND_CVAR || set == CVAR_AND_NORM;
            ck_assert_double_eq_tol(before, stays ? possible : most, 1e-4);
        }
        OK(mgc_twostage_set_wasserstein(w.ts, -1));
        use_set(w.ts, -1, 0);
        OK(mgc_twostage_set_worst_case(w.ts, 1));
        OK(mgc_twostage_worst(w.ts, w.cost, p));
        ck_assert_double_eq_tol(mgc__ts_expected(w.ts, p, w.cost), most, 1e-12);
        mgc_twostage_destroy(w.ts);
    }
}
END_TEST

START_TEST(numbers_of_scenarios_do_not_matter)
{
    static const uint32_t order[N] = {3, 0, 5, 1, 4, 2};

    for (uint32_t seed = 0; seed < WORLDS; seed++) {
        world a = make_world(seed, NULL), b = make_world(seed, order);
        for (int set = 0; set < SETS; set++) {
            double p[N], q[N];
            use_set(a.ts, set, a.size);
            use_set(b.ts, set, b.size);
            OK(mgc_twostage_worst(a.ts, a.cost, p));
            OK(mgc_twostage_worst(b.ts, b.cost, q));
            for (uint32_t k = 0; k < N; k++)
                ck_assert_msg(fabs(q[k] - p[order[k]]) < 1e-6, "world %u, %s: scenario %u has %.9g and %.9g", seed,
                              set_names[set], order[k], p[order[k]], q[k]);
        }
        mgc_twostage_destroy(a.ts);
        mgc_twostage_destroy(b.ts);
    }
}
END_TEST

/* Costs that are equal, huge, tiny or far apart, and radii at both ends: an answer in the set, and one as bad as p0. */
START_TEST(divergences_survive_extreme_numbers)
{
    static const double radii[] = {1e-300, 1e-17, 1e-12, 1e-6, 1, 1e6, INFINITY}, scales[] = {1e-200, 1e-9, 1, 1e12, 1e150};
    mgc__rng rng;

    mgc__rng_seed(&rng, 4);
    for (int round = 0; round < 400; round++) {
        double p0[8], cost[8], p[8], sum = 0;
        mgc_twostage *ts = NULL;
        for (int k = 0; k < 8; k++) sum += p0[k] = mgc__rng_below(&rng, 5) == 0 ? 0 : pow(10, -9 * mgc__rng_unit(&rng));
        if (sum == 0) sum = p0[0] = 1;
        for (int k = 0; k < 8; k++) p0[k] /= sum;
        double scale = scales[mgc__rng_below(&rng, MGC__COUNT(scales))];
        for (int k = 0; k < 8; k++) cost[k] = scale * ((double)mgc__rng_below(&rng, 4) - 1 + (round % 2) * 1e-9 * mgc__rng_unit(&rng));
        OK(mgc_twostage_create(test_ctx, 8, p0, &ts));
        for (size_t r = 0; r < MGC__COUNT(radii); r++)
            for (int chi2 = 0; chi2 < 2; chi2++) {
                OK(mgc_twostage_set_kl(ts, chi2 ? -1 : radii[r]));
                OK(mgc_twostage_set_chi2(ts, chi2 ? radii[r] : -1));
                OK(mgc_twostage_worst(ts, cost, p));
                check_member(ts, p, 1e-14);
                ck_assert_double_ge(mgc__ts_expected(ts, p, cost), mgc__ts_expected(ts, ts->p0, cost) - 1e-13 * scale);
            }
        mgc_twostage_destroy(ts);
    }
}
END_TEST

/* The transport behind distances of distributions against the solver's. */
START_TEST(transport_is_the_least_cost_of_moving)
{
    enum { M = 9 };
    double work[M * (M + MGC__TRANSPORT_WORK)];
    uint32_t index_work[MGC__TRANSPORT_INDEX * M];
    mgc__rng rng;

    mgc__rng_seed(&rng, 21);
    for (int round = 0; round < 60; round++) {
        double p[M], q[M], distance[M * M], sums[2] = {0, 0};
        mgc_twostage *ts = NULL;
        for (int k = 0; k < M; k++) {
            sums[0] += p[k] = mgc__rng_below(&rng, 3) == 0 ? 0 : mgc__rng_unit(&rng);
            sums[1] += q[k] = mgc__rng_below(&rng, 3) == 0 ? 0 : mgc__rng_unit(&rng);
            for (int l = 0; l < M; l++) distance[k * M + l] = k == l ? 0 : mgc__rng_unit(&rng); /* no metric */
        }
        for (int k = 0; k < M; k++) {
            p[k] /= sums[0];
            q[k] /= sums[1];
        }
        OK(mgc_twostage_create(test_ctx, M, p, &ts));
        OK(mgc_twostage_set_distances(ts, distance));
        double got = mgc__transport(M, distance, p, q, work, index_work), want = transport_by_program(ts, q);
        ck_assert_msg(fabs(got - want) < 1e-7, "round %d: %.12g, by the solver %.12g", round, got, want);
        mgc_twostage_destroy(ts);
    }
}
END_TEST

/* --- the door --------------------------------------------------------------------------------------------------------- */

START_TEST(sets_are_checked_at_the_door)
{
    static const double good[] = {0, 1, 2, 0}, off[] = {0, 1, 2, 1}, below[] = {0, -1, 1, 0};
    double d[4];
    mgc_twostage *ts = NULL;

    OK(mgc_twostage_create(test_ctx, 2, NULL, &ts));
    ck_assert_int_eq(mgc_twostage_set_wasserstein(ts, 0.1), MGC_E_STATE);
    ck_assert_int_eq(mgc_twostage_get_distances(ts, d, 4), MGC_E_STATE);
    ck_assert_int_eq(mgc_twostage_set_distances(ts, off), MGC_E_INVALID_ARG);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(test_ctx), "distance of scenarios 1 and 1 is 1; must be 0"));
    ck_assert_int_eq(mgc_twostage_set_distances(ts, below), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_set_vectors(ts, (double[]){1, NAN}, 1, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_set_vectors(ts, (double[]){1, 2}, 1, &(double){-1}), MGC_E_INVALID_ARG);
    OK(mgc_twostage_set_distances(ts, good));
    OK(mgc_twostage_set_wasserstein(ts, 0.1));
    OK(mgc_twostage_get_distances(ts, d, 4));
    ck_assert_double_eq(d[2], 2);
    ck_assert_int_eq(mgc_twostage_set_cvar(ts, 1), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_set_kl(ts, NAN), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_set_worst_case(ts, 2), MGC_E_INVALID_ARG);
    mgc_twostage_destroy(ts);
}
END_TEST

START_TEST(intersections_without_an_exact_oracle_are_refused_by_name)
{
    static const struct { double norm1, wasserstein, kl, chi2; const char *says; } cases[] = {
        {-1, 0.1, 0.1, -1, "the Kullback-Leibler ball cannot be intersected"},
        {0.1, -1, -1, 0.1, "the chi-square ball cannot be intersected"},
        {-1, -1, 0.1, 0.1, "the Kullback-Leibler ball cannot be intersected"},
    };
    double p[2];
    mgc_twostage *ts = NULL;
    mgc_program *program = NULL;

    OK(mgc_twostage_create(test_ctx, 2, NULL, &ts));
    OK(mgc_twostage_set_vectors(ts, (double[]){1, 2}, 1, NULL));
    for (size_t c = 0; c < MGC__COUNT(cases); c++) {
        OK(mgc_twostage_set_norm1(ts, cases[c].norm1));
        OK(mgc_twostage_set_wasserstein(ts, cases[c].wasserstein));
        OK(mgc_twostage_set_kl(ts, cases[c].kl));
        OK(mgc_twostage_set_chi2(ts, cases[c].chi2));
        ck_assert_int_eq(mgc_twostage_worst(ts, (double[]){1, 2}, p), MGC_E_UNSUPPORTED);
        ck_assert_msg(strstr(mgc_ctx_error(test_ctx), cases[c].says) != NULL, "%s", mgc_ctx_error(test_ctx));
        ck_assert_int_eq(mgc_twostage_solve(ts, NULL, NULL), MGC_E_UNSUPPORTED);
        ck_assert_int_eq(mgc_twostage_extensive(ts, &program), MGC_E_UNSUPPORTED);
    }
    OK(mgc_twostage_set_kl(ts, -1)); /* chi-square alone: solved, but not as one program */
    OK(mgc_twostage_set_chi2(ts, 0.1));
    OK(mgc_twostage_solve(ts, NULL, NULL));
    ck_assert_int_eq(mgc_twostage_extensive(ts, &program), MGC_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(test_ctx), "chi-square ball is not polyhedral"));
    mgc_twostage_destroy(ts);
}
END_TEST

/* --- solving: order two goods now, buy what lacks and throw away what is left tomorrow --------------------------------- */

static mgc_twostage *two_goods(mgc_ctx *ctx, uint32_t scenarios, uint64_t seed, mgc_status *st)
{
    stream u = {.seed = seed};
    double *demand = calloc(scenarios, 2 * sizeof *demand);
    uint32_t x[2], lacks, left;
    mgc_twostage *ts = NULL;

    *st = demand == NULL ? MGC_E_NO_MEMORY : mgc_twostage_create(ctx, scenarios, NULL, &ts);
    for (int g = 0; g < 2 && *st == MGC_OK; g++) *st = mgc_twostage_add_column(ts, MGC_FIRST_STAGE, 2 + g, 0, 30, &x[g]);
    for (uint32_t k = 0; k < scenarios && *st == MGC_OK; k++)
        for (int g = 0; g < 2 && *st == MGC_OK; g++) {
            double d = demand[2 * k + (uint32_t)g] = 5 + 20 * draw(&u);
            *st = mgc_twostage_add_column(ts, MGC_SCENARIO(k), 7 + 2 * draw(&u), 0, INFINITY, &lacks);
            if (*st == MGC_OK) *st = mgc_twostage_add_column(ts, MGC_SCENARIO(k), 0.5, 0, INFINITY, &left);
            if (*st == MGC_OK)
                *st = mgc_twostage_add_row(ts, MGC_SCENARIO(k), d, d, (uint32_t[]){x[g], lacks, left}, (double[]){1, 1, -1}, 3,
                                           NULL);
        }
    if (*st == MGC_OK) *st = mgc_twostage_set_vectors(ts, demand, 2, NULL);
    free(demand);
    return ts;
}

typedef struct bounds {
    double upper, lower;
    uint32_t calls;
} bounds;

static int32_t keep_bounds(void *user, uint32_t iteration, double upper, double lower)
{
    bounds *b = user;

    (void)iteration;
    ck_assert_double_ge(upper, lower - 1e-6 * fabs(upper));
    ck_assert_double_le(upper, b->upper);
    ck_assert_double_ge(lower, b->lower);
    *b = (bounds){upper, lower, b->calls + 1};
    return MGC_CB_DONE;
}

/* Generation closes the gap by its own bounds; where there is a direct form it must agree to 1e-6. */
START_TEST(both_ways_agree_with_every_set)
{
    static const uint32_t sizes[] = {3, 20, 60};
    mgc_status st;

    for (size_t n = 0; n < MGC__COUNT(sizes); n++) {
        mgc_twostage *ts = two_goods(test_ctx, sizes[n], 40 + n, &st);
        ck_assert_int_eq(st, MGC_OK);
        for (int set = 0; set < SETS; set++) {
            mgc_twostage_info info[2] = {{.struct_size = sizeof info[0]}, {.struct_size = sizeof info[0]}};
            bool direct = set != KL && set != CHI2;
            double p[60], cost[60];
            if (sizes[n] == 60 && (set == BALL_AND_NORMS || set == BALL_AND_CVAR)) continue; /* 3600 columns an oracle */
            use_set(ts, set, set == WASSERSTEIN ? 2 : 0.2);
            for (uint32_t way = direct ? 0 : 1; way < 2; way++) {
                bounds b = {.upper = INFINITY, .lower = -INFINITY};
                mgc_twostage_opts o;
                mgc_twostage_opts_init(&o, sizeof o);
                o.method = way == 0 ? MGC_METHOD_DIRECT : MGC_METHOD_CCG;
                o.progress = way == 1 ? keep_bounds : NULL;
                o.user = &b;
                OK(mgc_twostage_solve(ts, &o, &info[way]));
                ck_assert_msg(info[way].outcome == MGC_OUTCOME_OPTIMAL, "%u scenarios, %s, way %u: %s, gap %g", sizes[n],
                              set_names[set], way, mgc_outcome_name(info[way].outcome), info[way].gap);
                OK(mgc_twostage_get_probability(ts, p, sizes[n]));
                OK(mgc_twostage_get_cost(ts, cost, sizes[n]));
                check_member(ts, p, 1e-11);
                ck_assert_double_eq_tol(info[way].first_stage_cost + mgc__ts_expected(ts, p, cost), info[way].objective,
                                        2e-6 * info[way].objective);
                if (way == 1) ck_assert_msg(info[1].iterations <= 60, "%s takes %u rounds", set_names[set], info[1].iterations);
                if (way == 1 && !direct)
                    ck_assert_msg(info[1].iterations <= 10, "%u scenarios, %s takes %u rounds", sizes[n], set_names[set],
                                  info[1].iterations);
            }
            if (direct)
                ck_assert_msg(fabs(info[0].objective - info[1].objective) <= 1e-6 * info[0].objective,
                              "%u scenarios, %s: direct %.10g, generated %.10g", sizes[n], set_names[set], info[0].objective,
                              info[1].objective);
        }
        mgc_twostage_destroy(ts);
    }
}
END_TEST

/* Whole numbers too: cuts of a divergence are gathered on the relaxation. */
START_TEST(divergences_work_with_integers)
{
    mgc_status st;

    for (int set = KL; set <= CHI2; set++) {
        mgc_twostage *ts = two_goods(test_ctx, 12, 7, &st);
        mgc_twostage_info relaxed = {.struct_size = sizeof relaxed}, whole = relaxed, least = relaxed;
        mgc_twostage_opts o;
        double x[50];
        ck_assert_int_eq(st, MGC_OK);
        use_set(ts, set, 0.3);
        OK(mgc_twostage_solve(ts, NULL, &relaxed));
        for (uint32_t g = 0; g < 2; g++) OK(mgc_twostage_set_integer(ts, g, 1));
        mgc_twostage_opts_init(&o, sizeof o);
        o.gap = 1e-7;
        OK(mgc_twostage_solve(ts, &o, &whole));
        ck_assert_uint_eq(whole.outcome, MGC_OUTCOME_OPTIMAL);
        ck_assert_double_ge(whole.objective, relaxed.objective * (1 - 1e-7));
        OK(mgc_twostage_get_x(ts, x, ts->n));
        /* Enumerate the neighbours: none is better. */
        least.objective = INFINITY;
        for (int a = -2; a <= 2; a++)
            for (int b = -2; b <= 2; b++) {
                mgc_twostage_info info = {.struct_size = sizeof info};
                OK(mgc_twostage_set_bounds(ts, 0, round(x[0]) + a, round(x[0]) + a));
                OK(mgc_twostage_set_bounds(ts, 1, round(x[1]) + b, round(x[1]) + b));
                OK(mgc_twostage_solve(ts, &o, &info));
                if (info.objective < least.objective) least = info;
            }
        ck_assert_double_eq_tol(whole.objective, least.objective, 2e-6 * least.objective);
        mgc_twostage_destroy(ts);
    }
}
END_TEST

START_TEST(threads_and_repetition_leave_the_same_bytes)
{
    mgc_status st;
    double x[2][90], p[2][20];

    for (int set = 0; set < SETS; set++) {
        for (uint32_t run = 0; run < 2; run++) {
            mgc_twostage *ts = two_goods(test_ctx, 20, 3, &st);
            mgc_twostage_opts o;
            ck_assert_int_eq(st, MGC_OK);
            use_set(ts, set, 0.6);
            mgc_twostage_opts_init(&o, sizeof o);
            o.method = MGC_METHOD_CCG;
            o.threads = 1 + 2 * run;
            OK(mgc_twostage_solve(ts, &o, NULL));
            OK(mgc_twostage_get_x(ts, x[run], ts->n));
            OK(mgc_twostage_get_probability(ts, p[run], 20));
            mgc_twostage_destroy(ts);
        }
        ck_assert_msg(memcmp(x[0], x[1], 82 * sizeof(double)) == 0 && memcmp(p[0], p[1], sizeof p[0]) == 0, "%s",
                      set_names[set]);
    }
}
END_TEST

/* --- allocation sweep --------------------------------------------------------------------------------------------------- */

static mgc_status run_set(mgc_ctx *ctx, uint32_t variant)
{
    mgc_status st;
    mgc_twostage *ts = two_goods(ctx, 3, 5, &st);

    if (st == MGC_OK && variant != KL) st = mgc_twostage_set_wasserstein(ts, 2);
    if (st == MGC_OK && variant == KL) st = mgc_twostage_set_kl(ts, 0.2);
    if (st == MGC_OK && variant == BALL_AND_NORMS) st = mgc_twostage_set_norm1(ts, 0.3);
    if (st == MGC_OK) st = mgc_twostage_solve(ts, NULL, NULL);
    mgc_twostage_destroy(ts);
    return st;
}

START_TEST(sets_survive_every_failed_allocation)
{
    sweep_allocations(run_set, WASSERSTEIN);
    sweep_allocations(run_set, KL);
    sweep_allocations(run_set, BALL_AND_NORMS);
}
END_TEST

TCase *ambiguity_case(void)
{
    TCase *tc = tcase_create("ambiguity");

    tcase_add_loop_test(tc, oracles_agree_with_independent_answers, 0, WORLDS);
    tcase_add_test(tc, no_point_of_a_fine_grid_is_worse);
    tcase_add_test(tc, from_the_nominal_to_the_worst_case_without_a_step_back);
    tcase_add_test(tc, numbers_of_scenarios_do_not_matter);
    tcase_add_test(tc, divergences_survive_extreme_numbers);
    tcase_add_test(tc, transport_is_the_least_cost_of_moving);
    tcase_add_test(tc, sets_are_checked_at_the_door);
    tcase_add_test(tc, intersections_without_an_exact_oracle_are_refused_by_name);
    tcase_add_test(tc, both_ways_agree_with_every_set);
    tcase_add_test(tc, divergences_work_with_integers);
    tcase_add_test(tc, threads_and_repetition_leave_the_same_bytes);
    tcase_add_test(tc, sets_survive_every_failed_allocation);
    return tc;
}
