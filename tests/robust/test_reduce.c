/* SPDX-License-Identifier: Apache-2.0 */
/* Scenario reduction against enumeration of all choices on small worlds. */
#include "suites.h"

enum { SMALL_N = 11, SMALL_D = 3 };

static double gap(const double *a, const double *b, const double *weight, size_t d)
{
    double sum = 0;
    for (size_t t = 0; t < d; t++) sum += weight[t] * fabs(a[t] - b[t]);
    return sum;
}

/* Total distance of the samples to the nearest of the chosen ones. */
static double total(double samples[][SMALL_D], const double *weight, const uint32_t *chosen, uint32_t k)
{
    double sum = 0;

    for (size_t o = 0; o < SMALL_N; o++) {
        double least = INFINITY;
        for (uint32_t i = 0; i < k; i++) least = fmin(least, gap(samples[o], samples[chosen[i]], weight, SMALL_D));
        sum += least;
    }
    return sum;
}

static double least_of_all(double samples[][SMALL_D], const double *weight, uint32_t k)
{
    double least = INFINITY;

    for (uint32_t mask = 0; mask < 1u << SMALL_N; mask++) {
        uint32_t chosen[SMALL_N], n = 0;
        for (uint32_t i = 0; i < SMALL_N; i++)
            if (mask >> i & 1) chosen[n++] = i;
        if (n == k) least = fmin(least, total(samples, weight, chosen, k));
    }
    return least;
}

START_TEST(k_medoids_finds_the_best_choice)
{
    static const double weight[SMALL_D] = {1, 0.25, 3};
    double samples[SMALL_N][SMALL_D], p[SMALL_N];
    uint32_t medoid[SMALL_N], assignment[SMALL_N];
    mgc__rng rng;

    mgc__rng_seed(&rng, 5);
    for (int world = 0; world < 60; world++) {
        uint32_t k = 1 + (uint32_t)(world % SMALL_N);
        for (size_t i = 0; i < SMALL_N; i++)
            for (size_t t = 0; t < SMALL_D; t++) samples[i][t] = mgc__rng_unit(&rng);
        OK(mgc_scenarios_reduce(test_ctx, &samples[0][0], SMALL_N, SMALL_D, weight, "k-medoids", k, 1, medoid, p,
                                assignment));
        double got = total(samples, weight, medoid, k), best = least_of_all(samples, weight, k), sum = 0;
        ck_assert_msg(got <= best * (1 + 1e-12) + 1e-15, "world %d, %u scenarios: %.12g, best %.12g", world, k, got,
                      best);
        for (uint32_t i = 0; i < k; i++) {
            uint32_t members = 0;
            for (size_t o = 0; o < SMALL_N; o++) members += assignment[o] == i;
            ck_assert_double_eq(p[i], members / (double)SMALL_N);
            ck_assert_uint_eq(assignment[medoid[i]], i);
            if (i > 0) ck_assert_uint_gt(medoid[i], medoid[i - 1]);
            sum += p[i];
        }
        ck_assert_double_eq_tol(sum, 1, 1e-14);
        for (size_t o = 0; o < SMALL_N; o++)
            for (uint32_t i = 0; i < k; i++)
                ck_assert_double_le(gap(samples[o], samples[medoid[assignment[o]]], weight, SMALL_D),
                                    gap(samples[o], samples[medoid[i]], weight, SMALL_D));
    }
}
END_TEST

/* Greedy by hand: of 0, 1, 2, 10, 11 on a line the first choice is the median 2, the second 10 (equal to 11: the first). */
START_TEST(forward_selection_is_greedy)
{
    static const double line[] = {0, 1, 2, 10, 11};
    uint32_t medoid[2], assignment[5];
    double p[2];

    OK(mgc_scenarios_reduce(test_ctx, line, 5, 1, NULL, "forward-selection", 2, 0, medoid, p, assignment));
    ck_assert_uint_eq(medoid[0], 2);
    ck_assert_uint_eq(medoid[1], 3);
    ck_assert_double_eq(p[0], 0.6);
    ck_assert_double_eq(p[1], 0.4);
    OK(mgc_scenarios_reduce(test_ctx, line, 5, 1, NULL, "k-medoids", 2, 0, medoid, p, assignment));
    ck_assert_uint_eq(medoid[0], 1);
    ck_assert_uint_eq(medoid[1], 3);
}
END_TEST

START_TEST(equal_samples_stay_scenarios_of_their_own)
{
    static const double same[] = {4, 4, 4, 4};
    uint32_t medoid[3], assignment[4];
    double p[3];

    OK(mgc_scenarios_reduce(test_ctx, same, 4, 1, NULL, NULL, 3, 7, medoid, p, assignment));
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(assignment[medoid[i]], i);
        ck_assert_double_gt(p[i], 0);
    }
}
END_TEST

START_TEST(reduction_refuses_what_it_cannot_judge)
{
    double samples[] = {1, 2, NAN, 4}, huge[] = {-1e308, 1e308}, p[4], weight[] = {1, -1};
    uint32_t medoid[4];

    ck_assert_int_eq(mgc_scenarios_reduce(test_ctx, samples, 2, 2, NULL, NULL, 1, 0, medoid, p, NULL),
                     MGC_E_INVALID_ARG);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(test_ctx), "sample 1 is nan in dimension 0"));
    samples[2] = 3;
    ck_assert_int_eq(mgc_scenarios_reduce(test_ctx, samples, 2, 2, NULL, NULL, 3, 0, medoid, p, NULL),
                     MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_scenarios_reduce(test_ctx, samples, 2, 2, NULL, NULL, 0, 0, medoid, p, NULL),
                     MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_scenarios_reduce(test_ctx, samples, 2, 2, weight, NULL, 1, 0, medoid, p, NULL),
                     MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_scenarios_reduce(test_ctx, samples, 2, 2, NULL, "k-means", 1, 0, medoid, p, NULL),
                     MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_scenarios_reduce(test_ctx, huge, 2, 1, NULL, NULL, 1, 0, medoid, p, NULL),
                     MGC_E_INVALID_ARG);
    OK(mgc_scenarios_reduce(test_ctx, samples, 2, 2, NULL, NULL, 2, 0, medoid, p, NULL));
}
END_TEST

static mgc_status reduce_once(mgc_ctx *ctx, uint32_t variant)
{
    static const double line[] = {0, 1, 2, 10, 11};
    uint32_t medoid[2];
    double p[2];

    return mgc_scenarios_reduce(ctx, line, 5, 1, NULL, variant == 0 ? "k-medoids" : "forward-selection", 2, 0, medoid,
                                p, NULL);
}

START_TEST(reduction_survives_every_failed_allocation)
{
    sweep_allocations(reduce_once, 0);
    sweep_allocations(reduce_once, 1);
}
END_TEST

/* The seed moves the random starts only: the same seed gives the same answer, and no seed a worse one than greedy. */
START_TEST(the_seed_is_all_that_is_random)
{
    enum { N = 120, D = 4, K = 7 };
    static double samples[N][D];
    uint32_t a[K], b[K], assignment[N];
    double p[K], greedy = 0;
    mgc__rng rng;

    mgc__rng_seed(&rng, 3);
    for (size_t i = 0; i < N; i++)
        for (size_t t = 0; t < D; t++) samples[i][t] = mgc__rng_unit(&rng);
    OK(mgc_scenarios_reduce(test_ctx, &samples[0][0], N, D, NULL, "forward-selection", K, 0, a, p, assignment));
    for (size_t i = 0; i < N; i++) greedy += gap(samples[i], samples[a[assignment[i]]], (double[]){1, 1, 1, 1}, D);
    for (uint64_t seed = 0; seed < 5; seed++) {
        double total_distance = 0;
        OK(mgc_scenarios_reduce(test_ctx, &samples[0][0], N, D, NULL, NULL, K, seed, a, p, assignment));
        OK(mgc_scenarios_reduce(test_ctx, &samples[0][0], N, D, NULL, NULL, K, seed, b, p, assignment));
        ck_assert_int_eq(memcmp(a, b, sizeof a), 0);
        for (size_t i = 0; i < N; i++)
            total_distance += gap(samples[i], samples[b[assignment[i]]], (double[]){1, 1, 1, 1}, D);
        ck_assert_double_le(total_distance, greedy);
    }
}
END_TEST

/* Two series over three periods, three samples, by hand: the pattern 10, 20, 30 is no spread; series 1 is twice series 0's
 * deviation with the other sign; the deviation of a sample is the same in all periods. */
START_TEST(moments_by_hand)
{
    static const double by[] = {-1, 0, 1}, p[] = {0.25, 0.5, 0.25};
    double samples[3][2][3], mean[2], deviation[2], lag[2], correlation[4];

    for (int i = 0; i < 3; i++)
        for (int t = 0; t < 3; t++) {
            samples[i][0][t] = 10 * (t + 1) + by[i];
            samples[i][1][t] = 5 - 2 * by[i];
        }
    OK(mgc_scenarios_moments(test_ctx, &samples[0][0][0], 3, 2, 3, p, mean, deviation, lag, correlation));
    ck_assert_double_eq_tol(mean[0], 20, 1e-14);
    ck_assert_double_eq_tol(mean[1], 5, 1e-14);
    ck_assert_double_eq_tol(deviation[0], sqrt(0.5), 1e-14);
    ck_assert_double_eq_tol(deviation[1], sqrt(2), 1e-14);
    ck_assert_double_eq_tol(lag[0], 1, 1e-14);
    ck_assert_double_eq_tol(correlation[1], -1, 1e-14);
    ck_assert_double_eq_tol(correlation[3], 1, 1e-14);
    OK(mgc_scenarios_moments(test_ctx, &samples[0][0][0], 3, 2, 3, NULL, NULL, deviation, NULL, NULL));
    ck_assert_double_eq_tol(deviation[0], sqrt(2.0 / 3), 1e-14);
    ck_assert_int_eq(mgc_scenarios_moments(test_ctx, &samples[0][0][0], 3, 2, 3, (double[]){20, 5, 1}, mean, NULL, NULL, NULL), MGC_E_PROBABILITY);
    samples[1][1][2] = NAN;
    ck_assert_int_eq(mgc_scenarios_moments(test_ctx, &samples[0][0][0], 3, 2, 3, NULL, mean, NULL, NULL, NULL), MGC_E_INVALID_ARG);
}
END_TEST

/* The distance told is the least transport cost between the two distributions, by code that knows nothing of nearest ones. */
START_TEST(the_distance_of_a_reduction_is_kantorovichs)
{
    enum { N_ALL = 20, D = 3, K = 4 };
    double samples[N_ALL][D], p[K], all[N_ALL], reduced[N_ALL] = {0}, distance[N_ALL * N_ALL], told;
    double work[N_ALL * (N_ALL + MGC__TRANSPORT_WORK)];
    uint32_t medoid[K], index_work[MGC__TRANSPORT_INDEX * N_ALL];
    mgc__rng rng;

    mgc__rng_seed(&rng, 8);
    for (size_t i = 0; i < N_ALL; i++) {
        all[i] = 1.0 / N_ALL;
        for (size_t d = 0; d < D; d++) samples[i][d] = mgc__rng_unit(&rng);
    }
    OK(mgc_scenarios_reduce(test_ctx, &samples[0][0], N_ALL, D, NULL, NULL, K, 1, medoid, p, NULL));
    OK(mgc_scenario_distances(test_ctx, &samples[0][0], N_ALL, D, NULL, distance));
    OK(mgc_scenarios_distance(test_ctx, &samples[0][0], N_ALL, D, NULL, medoid, K, &told));
    for (int k = 0; k < K; k++) reduced[medoid[k]] = p[k];
    ck_assert_double_eq_tol(told, mgc__transport(N_ALL, distance, all, reduced, work, index_work), 1e-12);
}
END_TEST

TCase *reduce_case(void)
{
    TCase *tc = tcase_create("reduce");

    tcase_add_test(tc, moments_by_hand);
    tcase_add_test(tc, the_distance_of_a_reduction_is_kantorovichs);
    tcase_add_test(tc, k_medoids_finds_the_best_choice);
    tcase_add_test(tc, forward_selection_is_greedy);
    tcase_add_test(tc, equal_samples_stay_scenarios_of_their_own);
    tcase_add_test(tc, reduction_survives_every_failed_allocation);
    tcase_add_test(tc, the_seed_is_all_that_is_random);
    tcase_add_test(tc, reduction_refuses_what_it_cannot_judge);
    return tc;
}
