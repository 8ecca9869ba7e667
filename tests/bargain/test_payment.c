/* SPDX-License-Identifier: Apache-2.0 */
/* Payments: laws (sum zero, nobody loses, members' order does not matter) and independent answers (search, dense algebra). */
#include <check.h>
#include <math.h>
#include <stdio.h>

#include "bargain/payment.h"

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

static int64_t micro(double x)
{
    int64_t k = (int64_t)llround(x * 1e6);
    ck_assert_msg(fabs(x * 1e6 - (double)k) < 1e-4, "%.9f is not whole micro-currency", x);
    return k;
}

enum { N = 7 };

typedef struct world {
    size_t n;
    double standalone[N], cost[N], weight[N];
} world;

static world draw(mgc__rng *rng, size_t n)
{
    world w = {.n = n};
    double surplus = 0;

    for (size_t i = 0; i < n; i++) {
        w.standalone[i] = 2000 * mgc__rng_unit(rng) - 500;
        w.cost[i] = w.standalone[i] + 400 * mgc__rng_unit(rng) - 200;
        w.weight[i] = mgc__rng_below(rng, 4) == 0 ? 0 : mgc__rng_unit(rng);
        surplus += w.standalone[i] - w.cost[i];
    }
    if (surplus < 0) w.cost[0] += surplus - 1; /* what is left is a gain of 1 */
    return w;
}

/* Sum zero in whole micro-currency, shares by weight, nobody loses: 2000 worlds. */
START_TEST(payments_share_the_surplus)
{
    mgc__rng rng;
    mgc__rng_seed(&rng, 11);
    for (int k = 0; k < 2000; k++) {
        world w = draw(&rng, 1 + mgc__rng_below(&rng, N));
        double pay[N], surplus = 0, weights = 0;
        int64_t total = 0;

        ck_assert_int_eq(mgc_nash_payments(ctx, w.standalone, w.cost, w.weight, w.n, pay), MGC_OK);
        for (size_t i = 0; i < w.n; i++) {
            surplus += w.standalone[i] - w.cost[i];
            weights += w.weight[i];
            total += micro(pay[i]);
        }
        ck_assert_int_eq(total, 0);
        for (size_t i = 0; i < w.n; i++) {
            double gain = w.standalone[i] - w.cost[i] - pay[i];
            double share = weights > 0 ? w.weight[i] / weights : 1.0 / (double)w.n;
            ck_assert_msg(fabs(gain - share * surplus) < 1.1e-6, "world %d member %zu: gain %g, share %g", k, i, gain, share * surplus);
            ck_assert_msg(gain > -1.1e-6, "world %d member %zu loses %g", k, i, -gain);
        }
    }
}
END_TEST

static double nash_product(const world *w, const double *pay)
{
    double total = 0;
    for (size_t i = 0; i < w->n; i++) {
        double gain = w->standalone[i] - w->cost[i] - pay[i];
        if (w->weight[i] > 0) total += gain > 0 ? w->weight[i] * log(gain) : -INFINITY;
    }
    return total;
}

/* No payment on a fine grid around the answer has a larger Nash product: three members, all weights positive. */
START_TEST(no_other_payment_is_better)
{
    mgc__rng rng;
    mgc__rng_seed(&rng, 5);
    for (int k = 0; k < 50; k++) {
        world w = draw(&rng, 3);
        double pay[3], best;

        for (size_t i = 0; i < 3; i++) w.weight[i] += 0.1;
        ck_assert_int_eq(mgc_nash_payments(ctx, w.standalone, w.cost, w.weight, 3, pay), MGC_OK);
        best = nash_product(&w, pay);
        for (int a = -40; a <= 40; a++)
            for (int b = -40; b <= 40; b++) {
                double other[3] = {pay[0] + a * 0.5, pay[1] + b * 0.5, pay[2] - (a + b) * 0.5};
                ck_assert_msg(nash_product(&w, other) <= best + 1e-9, "world %d: moved by %g and %g", k, a * 0.5, b * 0.5);
            }
    }
}
END_TEST

START_TEST(order_of_members_does_not_matter)
{
    mgc__rng rng;
    mgc__rng_seed(&rng, 3);
    for (int k = 0; k < 500; k++) {
        world w = draw(&rng, 5), turned = {.n = 5};
        double pay[5], turned_pay[5];

        for (size_t i = 0; i < 5; i++) {
            size_t j = (i + 2) % 5;
            turned.standalone[j] = w.standalone[i];
            turned.cost[j] = w.cost[i];
            turned.weight[j] = w.weight[i];
        }
        ck_assert_int_eq(mgc_nash_payments(ctx, w.standalone, w.cost, w.weight, 5, pay), MGC_OK);
        ck_assert_int_eq(mgc_nash_payments(ctx, turned.standalone, turned.cost, turned.weight, 5, turned_pay), MGC_OK);
        for (size_t i = 0; i < 5; i++) ck_assert_int_le(llabs(micro(pay[i]) - micro(turned_pay[(i + 2) % 5])), 1);
    }
}
END_TEST

START_TEST(edges_of_bargaining_are_defined)
{
    const double alone[3] = {10, 20, 30}, less[3] = {9, 21, 30}, more[3] = {11, 21, 31}, none[3] = {0, 0, 0}, bad[3] = {1, -1, 1};
    const double nan_cost[3] = {1, NAN, 1};
    double pay[3];

    ck_assert_int_eq(mgc_nash_payments(ctx, alone, less, NULL, 3, pay), MGC_OK); /* no surplus: everyone as alone */
    for (size_t i = 0; i < 3; i++) ck_assert_int_eq(micro(less[i] + pay[i]), micro(alone[i]));
    ck_assert_int_eq(mgc_nash_payments(ctx, alone, none, none, 3, pay), MGC_OK); /* no weights: equal */
    for (size_t i = 0; i < 3; i++) ck_assert_int_eq(micro(pay[i]), micro(alone[i] - 20));
    ck_assert_int_eq(mgc_nash_payments(ctx, alone, more, NULL, 3, pay), MGC_E_RANGE);
    ck_assert_int_eq(mgc_nash_payments(ctx, alone, less, bad, 3, pay), MGC_E_INVALID_ARG);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), "weight of member 1"));
    ck_assert_int_eq(mgc_nash_payments(ctx, alone, nan_cost, NULL, 3, pay), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_nash_payments(ctx, alone, less, NULL, 0, pay), MGC_E_INVALID_ARG);
}
END_TEST

/* Values by hand from the formula: exp(1) - exp(-0), exp(0.5) - exp(-0.5), exp(0) - exp(-1). */
START_TEST(contribution_weights_are_the_formula)
{
    const double supplied[3] = {100, 50, 0}, received[3] = {0, 30, 60}, none[3] = {0, 0, 0};
    double weight[3];

    ck_assert_int_eq(mgc_contribution_weights(ctx, supplied, received, 3, weight), MGC_OK);
    ck_assert_double_eq_tol(weight[0], 1.7182818284590451, 1e-12);
    ck_assert_double_eq_tol(weight[1], 1.0421906109874948, 1e-12);
    ck_assert_double_eq_tol(weight[2], 0.63212055882855767, 1e-12);
    ck_assert_int_eq(mgc_contribution_weights(ctx, none, none, 3, weight), MGC_OK);
    for (size_t i = 0; i < 3; i++) ck_assert_double_eq(weight[i], 0);
}
END_TEST

/* A ring of four and a chord: the least-norm flow is orthogonal to every cycle, members' sums are exact. */
START_TEST(pair_payments_are_least_squares)
{
    static const uint32_t first[5] = {0, 1, 2, 3, 0}, second[5] = {1, 2, 3, 0, 2};
    static const int cycles[2][5] = {{1, 1, 0, 0, -1}, {0, 0, 1, 1, 1}};
    mgc__rng rng;

    mgc__rng_seed(&rng, 1);
    for (int k = 0; k < 300; k++) {
        double pay[4], pair[5];
        int64_t left[4], total = 0;

        for (size_t i = 0; i < 3; i++) total += left[i] = (int64_t)mgc__rng_below(&rng, 2000000000) - 1000000000;
        left[3] = -total;
        for (size_t i = 0; i < 4; i++) pay[i] = (double)left[i] / 1e6;
        ck_assert_int_eq(mgc_pair_payments(ctx, pay, 4, first, second, 5, pair), MGC_OK);
        for (size_t p = 0; p < 5; p++) {
            left[first[p]] -= micro(pair[p]);
            left[second[p]] += micro(pair[p]);
        }
        for (size_t i = 0; i < 4; i++) ck_assert_int_eq(left[i], 0);
        for (size_t c = 0; c < 2; c++) {
            double turn = 0;
            for (size_t p = 0; p < 5; p++) turn += cycles[c][p] * pair[p];
            ck_assert_msg(fabs(turn) < 2e-5, "world %d: %g runs round cycle %zu", k, turn, c);
        }
    }
}
END_TEST

START_TEST(groups_balance_by_themselves)
{
    static const uint32_t first[2] = {0, 2}, second[2] = {1, 3};
    const double good[5] = {3, -3, -1.5, 1.5, 0}, bad[5] = {3, -2, -1.5, 0.5, 0}, lonely[5] = {3, -3, 0, -1, 1};
    double pair[2];

    ck_assert_int_eq(mgc_pair_payments(ctx, good, 5, first, second, 2, pair), MGC_OK);
    ck_assert_int_eq(micro(pair[0]), 3000000);
    ck_assert_int_eq(micro(pair[1]), -1500000);
    ck_assert_int_eq(mgc_pair_payments(ctx, bad, 5, first, second, 2, pair), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_pair_payments(ctx, lonely, 5, first, second, 2, pair), MGC_E_INVALID_ARG);
    const uint32_t self[2] = {1, 3};
    ck_assert_int_eq(mgc_pair_payments(ctx, good, 5, first, self, 2, pair), MGC_OK);
    ck_assert_int_eq(mgc_pair_payments(ctx, good, 5, self, self, 2, pair), MGC_E_INVALID_ARG);
}
END_TEST

/* --- coalitions ------------------------------------------------------------------------------------------------------- */

/* The airport game: v(S) = sum of own worth - the largest; Shapley value known in closed form (Littlechild and Owen 1973). */
START_TEST(shapley_of_the_airport_game)
{
    static const double worth[5] = {1, 2, 4, 7, 11};
    double value[32], share[5], rest = 0;

    for (size_t s = 0; s < 32; s++) {
        double most = 0;
        value[s] = 0;
        for (size_t i = 0; i < 5; i++)
            if (s >> i & 1) value[s] += worth[i], most = fmax(most, worth[i]);
        value[s] -= most;
    }
    ck_assert_int_eq(mgc_shapley(ctx, value, 5, share), MGC_OK);
    for (size_t i = 0; i < 5; i++) { /* cost share: each step of runway is shared by those that need it */
        double cost = 0;
        for (size_t k = 0; k <= i; k++) cost += (worth[k] - (k > 0 ? worth[k - 1] : 0)) / (double)(5 - k);
        ck_assert_double_eq_tol(share[i], worth[i] - cost, 1e-12);
        rest += share[i];
    }
    ck_assert_double_eq_tol(rest, value[31], 1e-12);
    double excess;
    uint32_t who;
    ck_assert_int_eq(mgc_core_excess(ctx, value, share, 5, &excess, &who), MGC_OK);
    ck_assert_double_le(excess, 1e-12); /* a convex game: the Shapley value is in the core */
}
END_TEST

/* Glove game with two left and one right glove: all of the core goes to the right one.  Majority game: the core is empty. */
START_TEST(cores_known_from_books)
{
    double glove[8] = {0, 0, 0, 0, 0, 1, 1, 1}, majority[8] = {0, 0, 0, 1, 0, 1, 1, 1}, share[3], excess;
    uint32_t who;

    ck_assert_int_eq(mgc_shapley(ctx, glove, 3, share), MGC_OK);
    ck_assert_double_eq_tol(share[2], 2.0 / 3, 1e-12);
    ck_assert_int_eq(mgc_core_excess(ctx, glove, share, 3, &excess, &who), MGC_OK);
    ck_assert_double_eq_tol(excess, 1.0 / 6, 1e-12);
    ck_assert(who == 5 || who == 6);
    ck_assert_int_eq(mgc_least_core(ctx, glove, 3, share, &excess), MGC_OK);
    ck_assert_double_eq_tol(excess, 0, 1e-7);
    ck_assert_double_eq_tol(share[2], 1, 1e-6);
    ck_assert_int_eq(mgc_least_core(ctx, majority, 3, share, &excess), MGC_OK);
    ck_assert_double_eq_tol(excess, 1.0 / 3, 1e-7);
    for (size_t i = 0; i < 3; i++) ck_assert_double_eq_tol(share[i], 1.0 / 3, 1e-6);
}
END_TEST

/* The least core of random games of up to 12 members: no other split sampled is more stable. */
START_TEST(no_split_is_more_stable_than_the_least_core)
{
    static double value[4096];
    mgc__rng rng;

    mgc__rng_seed(&rng, 5);
    for (size_t n = 2; n <= 12; n += 2) {
        double share[12], other[12], best, excess;
        for (size_t s = 1; s < (size_t)1 << n; s++) {
            double members = 0;
            for (size_t i = 0; i < n; i++) members += (double)(s >> i & 1);
            value[s] = members < 2 ? 0 : members * members * (0.5 + mgc__rng_unit(&rng));
        }
        ck_assert_int_eq(mgc_least_core(ctx, value, n, share, &best), MGC_OK);
        for (int k = 0; k < 50; k++) {
            double total = 0;
            for (size_t i = 0; i < n; i++) total += other[i] = share[i] + 2 * mgc__rng_unit(&rng) - 1;
            for (size_t i = 0; i < n; i++) other[i] += (value[((size_t)1 << n) - 1] - total) / (double)n;
            ck_assert_int_eq(mgc_core_excess(ctx, value, other, n, &excess, NULL), MGC_OK);
            ck_assert_double_ge(excess, best - 1e-6);
        }
    }
}
END_TEST

START_TEST(games_that_are_none_are_refused)
{
    double value[4] = {0, 0, 0, NAN}, share[2], excess;

    ck_assert_int_eq(mgc_shapley(ctx, value, 2, share), MGC_E_INVALID_ARG);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), "coalition 3"));
    value[3] = 1;
    ck_assert_int_eq(mgc_shapley(ctx, value, 13, share), MGC_E_LIMIT);
    ck_assert_int_eq(mgc_shapley(ctx, value, 0, share), MGC_E_INVALID_ARG);
    share[1] = INFINITY;
    share[0] = 0;
    ck_assert_int_eq(mgc_core_excess(ctx, value, share, 2, &excess, NULL), MGC_E_INVALID_ARG);
    value[0] = 1;
    ck_assert_int_eq(mgc_least_core(ctx, value, 2, share, &excess), MGC_E_INVALID_ARG);
}
END_TEST

/* Of all splits of the surplus in which nobody loses, none has a higher Nash product (weighted). */
START_TEST(no_split_has_a_higher_nash_product)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, 12);
    for (int round = 0; round < 200; round++) {
        double standalone[6], cost[6], weight[6], pay[6], surplus = 0, best = 0;
        for (size_t i = 0; i < 6; i++) {
            standalone[i] = 1000 * mgc__rng_unit(&rng);
            cost[i] = standalone[i] - 300 * mgc__rng_unit(&rng) + 100;
            weight[i] = 0.1 + mgc__rng_unit(&rng);
            surplus += standalone[i] - cost[i];
        }
        if (surplus <= 1) continue;
        ck_assert_int_eq(mgc_nash_payments(ctx, standalone, cost, weight, 6, pay), MGC_OK);
        for (size_t i = 0; i < 6; i++) best += weight[i] * log(standalone[i] - cost[i] - pay[i]);
        for (int k = 0; k < 50; k++) {
            double share[6], total = 0, product = 0;
            for (size_t i = 0; i < 6; i++) total += share[i] = 1e-3 + mgc__rng_unit(&rng);
            for (size_t i = 0; i < 6; i++) product += weight[i] * log(share[i] / total * surplus);
            ck_assert_double_le(product, best + 1e-6);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_payment");
    TCase *tc = tcase_create("payment");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, payments_share_the_surplus);
    tcase_add_test(tc, no_other_payment_is_better);
    tcase_add_test(tc, order_of_members_does_not_matter);
    tcase_add_test(tc, edges_of_bargaining_are_defined);
    tcase_add_test(tc, contribution_weights_are_the_formula);
    tcase_add_test(tc, pair_payments_are_least_squares);
    tcase_add_test(tc, groups_balance_by_themselves);
    tcase_add_test(tc, shapley_of_the_airport_game);
    tcase_add_test(tc, cores_known_from_books);
    tcase_add_test(tc, no_split_is_more_stable_than_the_least_core);
    tcase_add_test(tc, games_that_are_none_are_refused);
    tcase_add_test(tc, no_split_has_a_higher_nash_product);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
