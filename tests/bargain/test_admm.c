/* SPDX-License-Identifier: Apache-2.0 */
/* One link by itself: what its two ends agree on where one cost has a corner and the other is flat, and how its penalty ends. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "bargain/agent.h"
#include "toy.h"

enum { PERIODS = 4 };
static const double corner_kw[PERIODS] = {10, 250, -40, 400}; /* of the first end's cost */
static const double slope[PERIODS] = {0.02, -0.03, 0.05, 0};  /* of the second end's, which is flat */
static const double edge = 0.08;                              /* [currency/kW] of the corner, either way */

typedef struct side {
    mgc__end end;
    double capacity[PERIODS], fee[PERIODS], z[PERIODS], mu[PERIODS], past[4 * PERIODS];
    int64_t mine[PERIODS], theirs[PERIODS], agreed[PERIODS];
    mgc__shown shown[2 * PERIODS];
    double scale[PERIODS], middle[PERIODS], mean[PERIODS], mean_mu[PERIODS], mean_left[2 * PERIODS];
    double bend; /* [currency/kW^2] of the flat cost */
} side;

static void open_side(side *s, bool first, double bend)
{
    memset(s, 0, sizeof *s);
    s->bend = bend;
    for (size_t t = 0; t < PERIODS; t++) s->capacity[t] = 500, s->scale[t] = 1;
    s->end = (mgc__end){.count = PERIODS, .rho = ldexp(1, -12), .z = s->z, .mu = s->mu, .past = s->past, .shown = s->shown,
                        .scale = s->scale, .middle = s->middle, .mean = s->mean, .mean_mu = s->mean_mu, .mean_left = s->mean_left,
                        .mine = s->mine, .theirs = s->theirs, .agreed = s->agreed};
    s->end.terms = (mgc__terms){.first = first, .dims = 1, .periods = PERIODS, .hours = 1, .capacity_kw = s->capacity, .fee = s->fee,
                                .price_scale = 0.1};
}

/* Least point of cost + s mu x + rho/2 |x - z|^2. */
static void propose(side *s)
{
    for (size_t t = 0; t < PERIODS; t++) {
        double rho = s->end.rho * s->scale[t], x, there = s->z[t] - s->mu[t] / rho;
        if (s->end.terms.first) {
            double away = there - corner_kw[t];
            x = fabs(away) <= edge / rho ? corner_kw[t] : there - copysign(edge / rho, away);
        } else {
            x = (rho * s->z[t] + s->mu[t] - slope[t]) / (rho + s->bend);
        }
        s->mine[t] = llround(fmax(-500, fmin(500, x)) * MGC__KW);
    }
}

/* The best is at the corners, for the flat end is less steep than they are. */
static double missed(const int64_t *x)
{
    double most = 0;

    for (size_t t = 0; t < PERIODS; t++) most = fmax(most, fabs((double)x[t] / MGC__KW - corner_kw[t]));
    return most;
}

static void one_round(side *a, side *b, uint32_t round, int stiffer)
{
    propose(a);
    propose(b);
    memcpy(a->theirs, b->mine, sizeof a->theirs);
    memcpy(b->theirs, a->mine, sizeof b->theirs);
    mgc__admm_update(&a->end, round, stiffer);
    mgc__admm_update(&b->end, round, stiffer);
    mgc__admm_agree(&a->end, 0);
    mgc__admm_agree(&b->end, 0);
}

/* Both ends hold the same numbers to the bit, whatever each of them calls its own. */
static void same(const side *a, const side *b)
{
    ck_assert_mem_eq(a->z, b->z, sizeof a->z);
    ck_assert_mem_eq(a->mu, b->mu, sizeof a->mu);
    ck_assert_mem_eq(a->agreed, b->agreed, sizeof a->agreed);
    ck_assert_mem_eq(a->scale, b->scale, sizeof a->scale);
    ck_assert_double_eq(a->end.rho, b->end.rho);
}

START_TEST(who_stands_at_a_corner_has_its_way)
{
    side a, b;

    open_side(&a, true, 1e-6);
    open_side(&b, false, 1e-6);
    for (uint32_t round = 1; round <= 12; round++) {
        int64_t average[PERIODS];

        one_round(&a, &b, round, -1);
        same(&a, &b);
        for (size_t t = 0; t < PERIODS; t++) average[t] = (a.mine[t] + b.mine[t]) / 2;
        ck_assert_double_le(missed(a.agreed), missed(average) + 1e-3);
        if (round >= 4 && missed(average) > 1)
            ck_assert_msg(missed(a.agreed) < 0.2 * missed(average), "round %u: %g kW from the best, the average %g kW", round,
                          missed(a.agreed), missed(average));
        for (size_t t = 0; t < PERIODS; t++) { /* nobody is asked for more than lies between the two words */
            ck_assert_int_ge(a.agreed[t], (a.mine[t] < b.mine[t] ? a.mine[t] : b.mine[t]) - 1000);
            ck_assert_int_le(a.agreed[t], (a.mine[t] < b.mine[t] ? b.mine[t] : a.mine[t]) + 1000);
        }
    }
}
END_TEST

/* Proposals of the last round, how far apart; closing: in the last four rounds the penalty rises.  So late nothing else moves it. */
static double apart_after(uint32_t rounds, bool closing)
{
    enum { LATE = 200 };
    side a, b;

    open_side(&a, true, 0);
    open_side(&b, false, 0);
    for (uint32_t round = 1; round <= rounds; round++) {
        bool last = closing && round + 4 > rounds;
        double before = a.end.rho;
        one_round(&a, &b, LATE + round, last ? 1 : -1);
        same(&a, &b);
        if (last) ck_assert_double_ge(a.end.rho, before);
        if (last && !a.end.curved) ck_assert_double_eq(a.end.rho, 2 * before);
    }
    return a.end.apart_kw;
}

START_TEST(a_stiffer_link_holds_its_trades)
{
    double closed = 0, open = 0;

    for (uint32_t rounds = 8; rounds <= 20; rounds++) {
        closed += apart_after(rounds, true);
        open += apart_after(rounds, false);
    }
    ck_assert_msg(closed < 0.6 * open, "%g kW apart, %g without", closed, open);
}
END_TEST

/* One link on which hours are unlike: in the first both costs are flat, in the others both bend, each a hundred times as much as the one
 * before.  No one penalty serves all four. */
static double missed_with(bool parted)
{
    static const double bend[2][PERIODS] = {{1e-7, 1e-5, 1e-3, 1e-1}, {2e-7, 1e-5, 2e-3, 1e-1}}, target[2][PERIODS] = {{80, 90, -40, 60}, {-60, 20, 70, -90}};
    side s[2];

    for (size_t k = 0; k < 2; k++) open_side(&s[k], k == 0, 0);
    for (uint32_t round = 1; round <= 40; round++) {
        for (size_t k = 0; k < 2; k++)
            for (size_t t = 0; t < PERIODS; t++) {
                double rho = s[k].end.rho * s[k].scale[t], mu = k == 0 ? s[k].mu[t] : -s[k].mu[t];
                s[k].mine[t] = llround((bend[k][t] * target[k][t] + rho * s[k].z[t] - mu) / (bend[k][t] + rho) * MGC__KW);
            }
        memcpy(s[0].theirs, s[1].mine, sizeof s[0].theirs);
        memcpy(s[1].theirs, s[0].mine, sizeof s[1].theirs);
        for (size_t k = 0; k < 2; k++) mgc__admm_update(&s[k].end, round, -1);
        same(&s[0], &s[1]);
        for (size_t k = 0; !parted && k < 2; k++)
            for (size_t t = 0; t < PERIODS; t++) s[k].scale[t] = 1;
    }
    double most = 0;
    for (size_t t = 0; t < PERIODS; t++) {
        double best = (bend[0][t] * target[0][t] + bend[1][t] * target[1][t]) / (bend[0][t] + bend[1][t]);
        most = fmax(most, fabs(s[0].z[t] - best));
    }
    return most;
}

START_TEST(each_hour_has_its_penalty)
{
    double parted = missed_with(true), one = missed_with(false);

    ck_assert_msg(parted < 0.5 * one, "%g kW from the best, %g with one penalty for all hours", parted, one);
}
END_TEST

static const uint32_t ring[2][5] = {{0, 1, 2, 3, 0}, {1, 2, 3, 4, 4}};

static double run_to_limit(world *w, uint32_t limit)
{
    double off = 0;
    bus b;

    w->opts.round_limit = limit;
    w->opts.tolerance = 1e-9;
    world_agents(w);
    bus_init(&b, 7);
    ck_assert(bus_run(&b, w, 1000000));
    for (size_t i = 0; i < w->n; i++) {
        mgc_agreement deal = {.struct_size = sizeof deal};
        ck_assert_msg(mgc_agent_agreement(w->agent[i], &deal) == MGC_OK, "%s: %s", w->id[i], w->last[i].reason);
        ck_assert_uint_eq(deal.rounds, limit);
        off += deal.cost;
    }
    bus_free(&b);
    return off - toy_least_cost(w->member, w->n);
}

/* What the plans of a second day cost too much, from what the first one left, where a limit ends the rounds. */
static double too_much(uint32_t limit, uint64_t seed)
{
    world today, tomorrow;
    double off;

    world_init(&today, 5, 5, ring[0], ring[1], seed);
    world_init(&tomorrow, 5, 5, ring[0], ring[1], seed);
    for (size_t i = 0; i < tomorrow.n; i++)
        for (size_t t = 0; t < TOY_PERIODS; t++) tomorrow.member[i].demand[t] *= 1 + 0.05 * (double)((i + t) % 3);
    run_to_limit(&today, 16);
    for (size_t i = 0; i < today.n; i++)
        ck_assert_int_eq(mgc_agent_get_state(today.agent[i], &tomorrow.start[i], &tomorrow.start_len[i]), MGC_OK);
    off = run_to_limit(&tomorrow, limit);
    for (size_t i = 0; i < tomorrow.n; i++)
        for (size_t e = 0; e < tomorrow.agent[i]->n_ends; e++) ck_assert(tomorrow.agent[i]->ends[e].warm);
    world_free(&tomorrow);
    world_free(&today);
    return off;
}

/* Costs that show their curvature converge with the penalty that it calls for: the last rounds must not leave that.  Measured, in
 * sum over the worlds: 0.19, 0.18 and 0.05 (of costs of hundreds); with a penalty that rises on every link 0.68, 0.33 and 0.03. */
START_TEST(a_limit_does_not_disturb_who_is_on_the_way)
{
    double off[3] = {0, 0, 0};

    for (uint64_t seed = 1; seed <= 6; seed++)
        for (uint32_t k = 0; k < 3; k++) off[k] += too_much(8 + 4 * k, seed);
    ck_assert_double_le(off[0], 0.4);
    ck_assert_double_le(off[1], 0.3);
    ck_assert_double_le(off[2], 0.1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_admm");
    TCase *tc = tcase_create("admm");

    tcase_add_test(tc, who_stands_at_a_corner_has_its_way);
    tcase_add_test(tc, a_stiffer_link_holds_its_trades);
    tcase_add_test(tc, each_hour_has_its_penalty);
    tcase_add_test(tc, a_limit_does_not_disturb_who_is_on_the_way);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
