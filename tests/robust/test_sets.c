/* SPDX-License-Identifier: Apache-2.0 */
/* The builder's door, the ambiguity sets and their radii. */
#include "suites.h"

/* --- the door ---------------------------------------------------------------------------------------------------- */

START_TEST(probabilities_are_checked)
{
    static const double short_of_one[] = {0.5, 0.4}, negative[] = {1.5, -0.5}, not_a_number[] = {NAN, 1},
                        nearly[] = {0.5, 0.5000004};
    mgc_twostage *ts = NULL;

    ck_assert_int_eq(mgc_twostage_create(test_ctx, 2, short_of_one, &ts), MGC_E_PROBABILITY);
    ck_assert_ptr_null(ts);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(test_ctx), "0.9"));
    ck_assert_int_eq(mgc_twostage_create(test_ctx, 2, negative, &ts), MGC_E_PROBABILITY);
    ck_assert_int_eq(mgc_twostage_create(test_ctx, 2, not_a_number, &ts), MGC_E_PROBABILITY);
    ck_assert_int_eq(mgc_twostage_create(test_ctx, 0, NULL, &ts), MGC_E_INVALID_ARG);
    OK(mgc_twostage_create(test_ctx, 2, nearly, &ts));
    ck_assert_double_eq_tol(ts->p0[0] + ts->p0[1], 1, 1e-15);
    mgc_twostage_destroy(ts);
}
END_TEST

START_TEST(a_row_holds_its_own_stage_and_the_first)
{
    mgc_twostage *ts = NULL;
    uint32_t x, y0, y1;
    double one[] = {1, 1};

    OK(mgc_twostage_create(test_ctx, 2, NULL, &ts));
    OK(mgc_twostage_add_column(ts, MGC_FIRST_STAGE, 1, 0, 1, &x));
    OK(mgc_twostage_add_column(ts, MGC_SCENARIO(0), 1, 0, 1, &y0));
    OK(mgc_twostage_add_column(ts, MGC_SCENARIO(1), 1, 0, 1, &y1));
    OK(mgc_twostage_add_row(ts, MGC_SCENARIO(1), 0, 1, (uint32_t[]){x, y1}, one, 2, NULL));
    ck_assert_int_eq(mgc_twostage_add_row(ts, MGC_SCENARIO(1), 0, 1, (uint32_t[]){x, y0}, one, 2, NULL),
                     MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_add_row(ts, MGC_FIRST_STAGE, 0, 1, (uint32_t[]){x, y0}, one, 2, NULL),
                     MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_add_row(ts, MGC_SCENARIO(2), 0, 1, (uint32_t[]){x}, one, 1, NULL),
                     MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_add_row(ts, MGC_SCENARIO(0), 0, 1, (uint32_t[]){9}, one, 1, NULL),
                     MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_add_row(ts, MGC_SCENARIO(0), 2, 1, (uint32_t[]){x}, one, 1, NULL),
                     MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_add_row(ts, MGC_SCENARIO(0), 0, 1, (uint32_t[]){x}, &(double){NAN}, 1, NULL),
                     MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_set_integer(ts, y0, 1), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_set_quadratic(ts, x, y0, 1), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_set_quadratic(ts, x, x, -1), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_set_cost(ts, x, INFINITY), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_set_bounds(ts, x, INFINITY, INFINITY), MGC_E_INVALID_ARG);
    ck_assert_uint_eq(mgc_twostage_rows(ts), 1);
    ck_assert_uint_eq(mgc_twostage_columns(ts), 3);
    mgc_twostage_destroy(ts);
}
END_TEST

/* What a set lacks is left out of the reformulation; the program's own numbers stay. */
START_TEST(the_reformulation_is_small_and_keeps_numbers)
{
    static const struct { double norm1, norm_inf; uint32_t columns, rows; } cases[] = {
        {-1, -1, 0, 0}, {0, 0.1, 0, 0}, {0.1, -1, 2 + 3, 2 * 3}, {-1, 0.1, 1 + 3, 3}, {0.3, 0.2, 2 + 2 * 3, 2 * 3},
        {2, -1, 1, 3}, {-1, 1, 1, 3}, {2, 0.1, 1 + 3, 3}, {0.1, 1, 2 + 3, 2 * 3},
    };

    for (size_t c = 0; c < MGC__COUNT(cases); c++) {
        mgc_twostage *ts = NULL;
        mgc_program *program = NULL;
        uint32_t x, y;
        OK(mgc_twostage_create(test_ctx, 3, NULL, &ts));
        for (uint32_t k = 0; k < 3; k++) OK(mgc_twostage_add_column(ts, MGC_SCENARIO(k), k + 1, 0, 9, &y));
        OK(mgc_twostage_add_column(ts, MGC_FIRST_STAGE, 5, 0, 1, &x));
        OK(mgc_twostage_set_column_name(ts, x, "build"));
        OK(mgc_twostage_add_row(ts, MGC_SCENARIO(2), 1, INFINITY, (uint32_t[]){x, y}, (double[]){1, 1}, 2, NULL));
        OK(mgc_twostage_set_norm1(ts, cases[c].norm1));
        OK(mgc_twostage_set_norm_inf(ts, cases[c].norm_inf));
        OK(mgc_twostage_extensive(ts, &program));
        ck_assert_str_eq(mgc_program_column_name(program, x), "build");
        ck_assert_msg(mgc_program_columns(program) == 4 + cases[c].columns, "case %zu: %u columns", c,
                      mgc_program_columns(program));
        ck_assert_msg(mgc_program_rows(program) == 1 + cases[c].rows, "case %zu: %u rows", c,
                      mgc_program_rows(program));
        mgc_program_destroy(program);
        mgc_twostage_destroy(ts);
    }
}
END_TEST

/* --- the sets ---------------------------------------------------------------------------------------------------- */

static void random_probability(mgc__rng *rng, uint32_t n, double *p)
{
    double sum = 0;

    for (uint32_t k = 0; k < n; k++) {
        p[k] = mgc__rng_below(rng, 6) == 0 ? 0 : mgc__rng_unit(rng); /* some scenarios have none */
        sum += p[k];
    }
    if (sum == 0) p[0] = sum = 1;
    for (uint32_t k = 0; k < n; k++) p[k] /= sum;
}

static double norm1(uint32_t n, const double *a, const double *b)
{
    double sum = 0;
    for (uint32_t k = 0; k < n; k++) sum += fabs(a[k] - b[k]);
    return sum;
}

static double norm_inf(uint32_t n, const double *a, const double *b)
{
    double most = 0;
    for (uint32_t k = 0; k < n; k++) most = fmax(most, fabs(a[k] - b[k]));
    return most;
}

static void check_in_set(const mgc_twostage *ts, const double *p)
{
    double sum = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++) {
        ck_assert_double_ge(p[k], 0);
        sum += p[k];
    }
    ck_assert_double_eq_tol(sum, 1, 1e-14);
    if (ts->norm1 >= 0) ck_assert_double_le(norm1(ts->scenarios, p, ts->p0), ts->norm1 + 1e-14);
    if (ts->norm_inf >= 0) ck_assert_double_le(norm_inf(ts->scenarios, p, ts->p0), ts->norm_inf + 1e-14);
}

enum { WORLD_MAX = 8 };

static mgc_twostage *random_set(mgc__rng *rng, uint32_t n)
{
    double p0[WORLD_MAX];
    mgc_twostage *ts = NULL;

    random_probability(rng, n, p0);
    OK(mgc_twostage_create(test_ctx, n, p0, &ts));
    if (mgc__rng_below(rng, 3) != 0)
        OK(mgc_twostage_set_norm1(ts, mgc__rng_below(rng, 10) == 0 ? 2 : mgc__rng_unit(rng)));
    if (mgc__rng_below(rng, 3) != 0)
        OK(mgc_twostage_set_norm_inf(ts, mgc__rng_below(rng, 10) == 0 ? 1 : 0.4 * mgc__rng_unit(rng)));
    return ts;
}

/* Exchanges of ever smaller amounts between any two scenarios as long as one pays: no sorting, no caps, no budget, only
 * the definition of the norms.  Exact up to the last step. */
static double slow_worst(const mgc_twostage *ts, const double *cost)
{
    uint32_t n = ts->scenarios;
    double p[WORLD_MAX], q[WORLD_MAX], sum = 0;

    memcpy(p, ts->p0, n * sizeof *p);
    for (double step = ts->norm1 < 0 && ts->norm_inf < 0 ? 0 : 0.25; step > 1e-8; step /= 2)
        for (bool better = true; better;) {
            better = false;
            for (uint32_t a = 0; a < n; a++)
                for (uint32_t b = 0; b < n; b++) {
                    memcpy(q, p, n * sizeof *q);
                    q[a] += step;
                    q[b] -= step;
                    if (!(cost[a] > cost[b]) || q[b] < 0 || (ts->norm1 >= 0 && norm1(n, q, ts->p0) > ts->norm1) ||
                        (ts->norm_inf >= 0 && norm_inf(n, q, ts->p0) > ts->norm_inf))
                        continue;
                    memcpy(p, q, n * sizeof *p);
                    better = true;
                }
        }
    for (uint32_t k = 0; k < n; k++) sum += p[k] * cost[k];
    return sum;
}

START_TEST(the_oracle_is_as_bad_as_a_slow_search)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, 11);
    for (int world = 0; world < 400; world++) {
        uint32_t n = 1 + (uint32_t)mgc__rng_below(&rng, WORLD_MAX);
        double cost[WORLD_MAX], worst[WORLD_MAX], value = 0;
        mgc_twostage *ts = random_set(&rng, n);
        for (uint32_t k = 0; k < n; k++) cost[k] = (double)mgc__rng_below(&rng, 5) - 2; /* ties, and both signs */
        OK(mgc_twostage_worst(ts, cost, worst));
        check_in_set(ts, worst);
        for (uint32_t k = 0; k < n; k++) value += worst[k] * cost[k];
        double slow = slow_worst(ts, cost);
        ck_assert_msg(fabs(value - slow) < 1e-6, "world %d: %.12g by the oracle, %.12g by search", world, value,
                      slow);
        mgc_twostage_destroy(ts);
    }
}
END_TEST

/* By hand: 0.1 of mass may move, no scenario may change by more than 0.06. */
START_TEST(the_oracle_of_both_norms_by_hand)
{
    static const double p0[] = {0.4, 0.3, 0.25, 0.05}, cost[] = {10, 40, 30, 20};
    static const double want[] = {0.34, 0.36, 0.29, 0.01};
    double worst[4];
    mgc_twostage *ts = NULL;

    OK(mgc_twostage_create(test_ctx, 4, p0, &ts));
    OK(mgc_twostage_set_norm1(ts, 0.2));
    OK(mgc_twostage_set_norm_inf(ts, 0.06));
    OK(mgc_twostage_worst(ts, cost, worst));
    for (int k = 0; k < 4; k++) ck_assert_double_eq_tol(worst[k], want[k], 1e-15);
    ck_assert_int_eq(mgc_twostage_worst(ts, (double[]){1, 2, NAN, 4}, worst), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_twostage_set_norm1(ts, NAN), MGC_E_INVALID_ARG);
    mgc_twostage_destroy(ts);
}
END_TEST

START_TEST(cleaning_reaches_the_set_from_anywhere)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, 12);
    for (int world = 0; world < 500; world++) {
        uint32_t n = 1 + (uint32_t)mgc__rng_below(&rng, WORLD_MAX);
        double cost[WORLD_MAX], p[WORLD_MAX], q[WORLD_MAX];
        mgc_twostage *ts = random_set(&rng, n);
        for (uint32_t k = 0; k < n; k++) cost[k] = mgc__rng_unit(&rng);
        OK(mgc_twostage_worst(ts, cost, p));
        for (uint32_t k = 0; k < n; k++) q[k] = p[k] + 1e-6 * (mgc__rng_unit(&rng) - 0.5);
        mgc__ts_clean(ts, q);
        check_in_set(ts, q);
        ck_assert_double_le(norm1(n, p, q), 4e-5); /* what is near stays near */
        for (uint32_t k = 0; k < n; k++) q[k] = 3 * (mgc__rng_unit(&rng) - 0.5);
        mgc__ts_clean(ts, q);
        check_in_set(ts, q);
        mgc_twostage_destroy(ts);
    }
}
END_TEST

/* --- a host's oracle --------------------------------------------------------------------------------------------- */

static int32_t answer(void *user, const double *cost, double *worst, uint32_t scenarios)
{
    const double *given = user;

    (void)cost;
    for (uint32_t k = 0; k < scenarios; k++) worst[k] = given[k];
    return (int32_t)given[scenarios];
}

START_TEST(a_hosts_oracle_is_not_believed_blindly)
{
    static struct { double say[4]; mgc_status want; } cases[] = {
        {{0.5, 0.25, 0.25, MGC_CB_DONE}, MGC_OK},
        {{0.5, 0.25, 0.2, MGC_CB_DONE}, MGC_E_PROBABILITY},
        {{1.5, -0.5, 0, MGC_CB_DONE}, MGC_E_PROBABILITY},
        {{NAN, 0.5, 0.5, MGC_CB_DONE}, MGC_E_PROBABILITY},
        {{0.5, 0.25, 0.25, 0}, MGC_E_CALLBACK},
        {{0.5, 0.25, 0.25, MGC_E_IO}, MGC_E_IO},
    };
    double cost[] = {1, 2, 3}, worst[3];
    mgc_program *program = NULL;
    mgc_twostage *ts = NULL;

    OK(mgc_twostage_create(test_ctx, 3, NULL, &ts));
    for (size_t c = 0; c < MGC__COUNT(cases); c++) {
        OK(mgc_twostage_set_oracle(ts, answer, cases[c].say));
        ck_assert_int_eq(mgc_twostage_worst(ts, cost, worst), cases[c].want);
    }
    ck_assert_int_eq(mgc_twostage_extensive(ts, &program), MGC_E_UNSUPPORTED);
    ck_assert_ptr_null(program);
    OK(mgc_twostage_set_norm1(ts, 0.1));
    ck_assert_int_eq(mgc_twostage_worst(ts, cost, worst), MGC_E_UNSUPPORTED);
    OK(mgc_twostage_set_oracle(ts, NULL, NULL));
    OK(mgc_twostage_worst(ts, cost, worst));
    mgc_twostage_destroy(ts);
}
END_TEST

/* --- radii ------------------------------------------------------------------------------------------------------- */

/* Values by Python's math module, with 2^K as an integer, from the formulas of doc/math/robust.md. */
START_TEST(radii_follow_their_rules)
{
    static const struct {
        uint32_t k, m;
        double confidence, weissman, zhao_guan1, hoeffding, zhao_guan_inf;
    } cases[] = {
        {5, 91, 0.95, 0.3749558114687663, 0.1455581694106603, 0.1706213171972719, 0.029111633882132063},
        {10, 365, 0.95, 0.2332057595134255, 0.08207485680969837, 0.09059517471129373, 0.008207485680969837},
        {1, 10, 0.9, 0, 0.14978661367769958, 0.38702275602049496, 0.14978661367769958},
        {2000, 100, 0.5, 5.266853915385258, 89.87196820661973, 0.2119810937402434, 0.044935984103309866},
    };
    double r;

    for (size_t c = 0; c < MGC__COUNT(cases); c++) {
        OK(mgc_radius_norm1(test_ctx, NULL, cases[c].k, cases[c].m, cases[c].confidence, &r));
        ck_assert_double_eq_tol(r, cases[c].weissman, 1e-13 * (1 + r));
        OK(mgc_radius_norm1(test_ctx, "zhao_guan", cases[c].k, cases[c].m, cases[c].confidence, &r));
        ck_assert_double_eq_tol(r, cases[c].zhao_guan1, 1e-13 * (1 + r));
        OK(mgc_radius_norm_inf(test_ctx, "hoeffding", cases[c].k, cases[c].m, cases[c].confidence, &r));
        ck_assert_double_eq_tol(r, cases[c].hoeffding, 1e-13 * (1 + r));
        OK(mgc_radius_norm_inf(test_ctx, "zhao_guan", cases[c].k, cases[c].m, cases[c].confidence, &r));
        ck_assert_double_eq_tol(r, cases[c].zhao_guan_inf, 1e-13 * (1 + r));
    }
    ck_assert_int_eq(mgc_radius_norm1(test_ctx, "hoeffding", 5, 91, 0.95, &r), MGC_E_INVALID_ARG);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(test_ctx), "weissman"));
    ck_assert_int_eq(mgc_radius_norm1(test_ctx, NULL, 5, 91, 1, &r), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_radius_norm_inf(test_ctx, NULL, 5, 91, NAN, &r), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_radius_norm_inf(test_ctx, NULL, 5, 0, 0.5, &r), MGC_E_INVALID_ARG);
}
END_TEST

/* Two draws of a fair coin: frequencies are exact in half of the cases, off by 1 in norm 1 in the others.  And the claim about
 * the radii of most papers: of the promised 95 % they keep 7 % and 0 % at K = 10, M = 365 (equal probabilities). */
START_TEST(coverage_is_what_counting_finds)
{
    static const double coin[] = {0.5, 0.5}, wrong[] = {0.5, 0.4};
    double even[10], covered, radius;

    OK(mgc_radius_coverage(test_ctx, 1, 0.9, coin, 2, 2, 100000, 1, &covered));
    ck_assert_double_eq_tol(covered, 0.5, 0.006);
    OK(mgc_radius_coverage(test_ctx, 0, 0.5, coin, 2, 2, 1000, 1, &covered));
    ck_assert_double_eq(covered, 1);
    for (size_t k = 0; k < 10; k++) even[k] = 0.1;
    OK(mgc_radius_norm1(test_ctx, "weissman", 10, 365, 0.95, &radius));
    OK(mgc_radius_coverage(test_ctx, 1, radius, even, 10, 365, 4000, 2, &covered));
    ck_assert_double_ge(covered, 0.95);
    OK(mgc_radius_norm1(test_ctx, "zhao_guan", 10, 365, 0.95, &radius));
    OK(mgc_radius_coverage(test_ctx, 1, radius, even, 10, 365, 4000, 2, &covered));
    ck_assert_double_eq_tol(covered, 0.07, 0.02);
    OK(mgc_radius_norm_inf(test_ctx, "zhao_guan", 10, 365, 0.95, &radius));
    OK(mgc_radius_coverage(test_ctx, 0, radius, even, 10, 365, 4000, 2, &covered));
    ck_assert_double_le(covered, 0.001);
    ck_assert_int_eq(mgc_radius_coverage(test_ctx, 1, 1, wrong, 2, 2, 10, 1, &covered), MGC_E_PROBABILITY);
    ck_assert_int_eq(mgc_radius_coverage(test_ctx, 2, 1, coin, 2, 2, 10, 1, &covered), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_radius_coverage(test_ctx, 1, -1, coin, 2, 2, 10, 1, &covered), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_radius_coverage(test_ctx, 1, 1, coin, 2, 0, 10, 1, &covered), MGC_E_INVALID_ARG);
}
END_TEST

/* A radius is right if the ball around the frequencies holds the truth as often as it says: known truths, drawn from. */
START_TEST(the_bootstrap_covers_what_it_claims)
{
    enum { K = 4, M = 120, WORLDS = 400 };
    static const double truth[K] = {0.4, 0.3, 0.2, 0.1}, place[K] = {0, 1, 2, 5};
    static const char *const sets[] = {"norm1", "norm_inf", "wasserstein", "kl", "chi2"};
    double distance[K * K], work[K * (K + MGC__TRANSPORT_WORK)];
    uint32_t within[5] = {0}, index_work[MGC__TRANSPORT_INDEX * K];
    mgc__rng rng;

    OK(mgc_scenario_distances(test_ctx, place, K, 1, NULL, distance));
    mgc__rng_seed(&rng, 17);
    for (int w = 0; w < WORLDS; w++) {
        double p[K] = {0}, one = 0, most = 0, kl = 0, chi2 = 0, radius;
        for (int m = 0; m < M; m++) {
            double u = mgc__rng_unit(&rng);
            p[u < 0.4 ? 0 : u < 0.7 ? 1 : u < 0.9 ? 2 : 3] += 1.0 / M;
        }
        for (int k = 0; k < K; k++) {
            one += fabs(truth[k] - p[k]);
            most = fmax(most, fabs(truth[k] - p[k]));
            kl += truth[k] * log(truth[k] / p[k]);
            chi2 += (truth[k] - p[k]) * (truth[k] - p[k]) / p[k];
        }
        double apart[] = {one, most, mgc__transport(K, distance, p, truth, work, index_work), kl, chi2};
        for (int s = 0; s < 5; s++) {
            OK(mgc_radius_bootstrap(test_ctx, sets[s], p, K, distance, M, 0.9, 199, (uint64_t)w, &radius));
            within[s] += apart[s] <= radius;
        }
    }
    for (int s = 0; s < 5; s++) { /* 0.9 within three standard errors and the bootstrap's own error at 120 samples */
        double covered = within[s] / (double)WORLDS;
        ck_assert_msg(covered > 0.83 && covered < 0.96, "%s: %g", sets[s], covered);
    }
}
END_TEST

START_TEST(the_bootstrap_is_seeded_and_checked)
{
    static const double p[] = {0.5, 0.3, 0.2}, bad[] = {0.5, 0.3, 0.1};
    double a, b, c;

    OK(mgc_radius_bootstrap(test_ctx, "norm1", p, 3, NULL, 50, 0.9, 0, 1, &a));
    OK(mgc_radius_bootstrap(test_ctx, "norm1", p, 3, NULL, 50, 0.9, 999, 1, &b));
    OK(mgc_radius_bootstrap(test_ctx, "norm1", p, 3, NULL, 50, 0.99, 999, 1, &c));
    ck_assert_double_eq(a, b);
    ck_assert_double_gt(c, b);
    OK(mgc_radius_norm1(test_ctx, NULL, 3, 50, 0.9, &c));
    ck_assert_double_lt(b, c); /* what must hold for every distribution is wider */
    ck_assert_int_eq(mgc_radius_bootstrap(test_ctx, "norm2", p, 3, NULL, 50, 0.9, 0, 1, &a), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_radius_bootstrap(test_ctx, "wasserstein", p, 3, NULL, 50, 0.9, 0, 1, &a), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_radius_bootstrap(test_ctx, "kl", bad, 3, NULL, 50, 0.9, 0, 1, &a), MGC_E_PROBABILITY);
    ck_assert_int_eq(mgc_radius_bootstrap(test_ctx, "kl", p, 3, NULL, 50, 1, 0, 1, &a), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_radius_bootstrap(test_ctx, "kl", p, 3, NULL, 0, 0.5, 0, 1, &a), MGC_E_INVALID_ARG);
    OK(mgc_radius_wasserstein(test_ctx, NULL, 3, 10, 50, 0.9, &a));
    ck_assert_double_eq_tol(a, 10 * c / 2, 1e-12);
    OK(mgc_radius_wasserstein(test_ctx, "zhao_guan", 3, 10, 50, 0.9, &a));
    ck_assert_double_eq_tol(a, 10 * sqrt(2 * log(10) / 50), 1e-12);
    ck_assert_int_eq(mgc_radius_wasserstein(test_ctx, NULL, 3, INFINITY, 50, 0.9, &a), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_radius_wasserstein(test_ctx, "hoeffding", 3, 1, 50, 0.9, &a), MGC_E_INVALID_ARG);
}
END_TEST

static mgc_status run_bootstrap(mgc_ctx *ctx, uint32_t variant)
{
    static const double p[] = {0.5, 0.5}, distance[] = {0, 1, 1, 0};
    double radius;

    return mgc_radius_bootstrap(ctx, variant == 0 ? "norm1" : "wasserstein", p, 2, distance, 5, 0.9, 9, 1, &radius);
}

START_TEST(the_bootstrap_survives_every_failed_allocation)
{
    sweep_allocations(run_bootstrap, 0);
    sweep_allocations(run_bootstrap, 1);
}
END_TEST

TCase *sets_case(void)
{
    TCase *tc = tcase_create("sets");

    tcase_add_test(tc, probabilities_are_checked);
    tcase_add_test(tc, a_row_holds_its_own_stage_and_the_first);
    tcase_add_test(tc, the_reformulation_is_small_and_keeps_numbers);
    tcase_add_test(tc, the_oracle_is_as_bad_as_a_slow_search);
    tcase_add_test(tc, the_oracle_of_both_norms_by_hand);
    tcase_add_test(tc, cleaning_reaches_the_set_from_anywhere);
    tcase_add_test(tc, a_hosts_oracle_is_not_believed_blindly);
    tcase_add_test(tc, radii_follow_their_rules);
    tcase_add_test(tc, coverage_is_what_counting_finds);
    tcase_add_test(tc, the_bootstrap_covers_what_it_claims);
    tcase_add_test(tc, the_bootstrap_is_seeded_and_checked);
    tcase_add_test(tc, the_bootstrap_survives_every_failed_allocation);
    return tc;
}
