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
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
