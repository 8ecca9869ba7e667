/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping as one: the sum of what is left, along a tree of links, ends the rounds as soon as it proves enough. */
#include "toy.h"

static const uint32_t path[2][7] = {{0, 1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6, 7}};

/* Proven: the tangent of the cost where it is as steep as the prices are on average, and trades as far as capacity lets them. */
static mgc_status bound_of(void *self, const double *linear, double *bound)
{
    const toy *m = self;

    *bound = 0;
    for (size_t t = 0; t < TOY_PERIODS; t++) {
        double slope = 0, net;
        for (size_t e = 0; e < m->ends; e++) slope -= m->sign[e] * linear[e * TOY_PERIODS + t] / (double)m->ends;
        net = (slope - m->b[t]) / m->a[t];
        *bound += 0.5 * m->a[t] * net * net + m->b[t] * net + slope * (m->demand[t] - net);
        for (size_t e = 0; e < m->ends; e++) *bound -= 5000 * fabs(slope * m->sign[e] + linear[e * TOY_PERIODS + t]);
    }
    return MGC_OK;
}

static mgc_status no_bound(void *self, const double *linear, double *bound)
{
    (void)self, (void)linear;
    *bound = -INFINITY;
    return MGC_OK;
}

typedef struct outcome {
    uint32_t rounds;
    double off, size; /* cost less optimum; sum of |stand-alone costs| */
    double floor;     /* what votes proved of that sum */
    uint64_t said;
    bool proven;
} outcome;

static int giant; /* 1: member 2 costs a thousand times what the others do */

/* `poor`: this member can prove nothing; members: none. */
static outcome run(size_t n, double tolerance, size_t poor, uint64_t seed, uint32_t delay)
{
    static mgc__local_ops rich, mute;
    outcome out = {.rounds = 0};
    world w;
    bus b;

    rich = mute = toy_ops;
    rich.bound = rich.bound_committed = bound_of;
    mute.bound = mute.bound_committed = no_bound;
    world_init(&w, n, n - 1, path[0], path[1], seed);
    w.opts.tolerance = tolerance;
    for (size_t t = 0; giant && t < TOY_PERIODS; t++) w.member[2].a[t] *= 1000, w.member[2].b[t] *= 1000;
    world_agents(&w);
    for (size_t i = 0; i < n; i++) w.agent[i]->ops = i == poor ? &mute : &rich;
    bus_init(&b, seed);
    b.delay_ms = delay;
    b.repeat = b.lose = delay > 0 ? 10 : 0;
    ck_assert(bus_run(&b, &w, 1000000));
    for (size_t i = 0; i < n; i++) {
        mgc_agreement a = {.struct_size = sizeof a};
        ck_assert_msg(mgc_agent_agreement(w.agent[i], &a) == MGC_OK, "%s: %s", w.id[i], w.last[i].reason);
        if (i == 0) out.rounds = a.rounds;
        ck_assert_uint_eq(a.rounds, out.rounds);
        ck_assert(!w.agent[i]->at_limit);
        out.proven = w.agent[i]->prove.gap >= 0 && !w.agent[i]->prove.confirm;
        out.off += a.cost;
        out.size += fabs(a.standalone_cost);
        out.floor = w.agent[i]->prove.floor;
    }
    ck_assert_msg(out.floor <= out.size, "votes prove %g of %g", out.floor, out.size);
    out.off -= toy_least_cost(w.member, w.n);
    out.said = b.said;
    bus_free(&b);
    world_free(&w);
    return out;
}

/* A path is slow, and its worst link the slowest: the sum is small long before. */
START_TEST(a_proof_ends_the_rounds)
{
    uint32_t rounds[2] = {0, 0}, proven = 0;

    for (uint64_t seed = 1; seed <= 4; seed++) {
        outcome with = run(8, 1e-6, 8, seed, 0), without = run(8, 1e-6, 3, seed, 0);
        ck_assert_msg(with.off >= -1e-6 && with.off <= 1e-6 * with.size, "off by %g of %g", with.off, with.size);
        ck_assert_msg(with.rounds <= without.rounds, "%u rounds with proofs, %u without", with.rounds, without.rounds);
        ck_assert(!without.proven);
        proven += with.proven;
        rounds[0] += with.rounds;
        rounds[1] += without.rounds;
    }
    ck_assert_msg(rounds[0] < rounds[1] && proven >= 3, "%u rounds with proofs, %u without", rounds[0], rounds[1]);
}
END_TEST

/* Members of one size, and one of a thousand times the others': what votes prove is no more than there is (see run()), and enough to stop. */
START_TEST(votes_prove_what_there_is)
{
    giant = _i;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        outcome o = run(8, 1e-6, 8, seed, 0);
        ck_assert_msg(o.proven && o.floor > 0, "nothing was proven with seed %u", (unsigned)seed);
    }
    giant = 0;
}
END_TEST

/* Messages that are late, lost or repeated change nothing. */
START_TEST(the_transport_does_not_matter)
{
    outcome still = run(8, 1e-4, 8, 4, 0), wild = run(8, 1e-4, 8, 4, 300);

    ck_assert_uint_eq(still.rounds, wild.rounds);
    ck_assert_double_eq(still.off, wild.off);
}
END_TEST

/* Everyone's parent is one link nearer to the member of least label, and children are whose parent one is. */
START_TEST(the_tree_is_one)
{
    world w;
    bus b;
    size_t roots = 0, children = 0;

    world_init(&w, 8, 7, path[0], path[1], 2);
    world_agents(&w);
    bus_init(&b, 2);
    ck_assert(bus_run(&b, &w, 1000000));
    for (size_t i = 0; i < 8; i++) {
        const mgc_agent *a = w.agent[i];
        roots += a->parent == SIZE_MAX;
        ck_assert((a->parent == SIZE_MAX) == (a->root == w.agent[i]->heard[0] && a->root == mgc__hash_value(mgc__hash_bytes(MGC__HASH_START, a->id, strlen(a->id)))));
        for (size_t e = 0; e < a->n_ends; e++) children += a->ends[e].child;
    }
    ck_assert_uint_eq(roots, 1);
    ck_assert_uint_eq(children, 7);
    bus_free(&b);
    world_free(&w);
}
END_TEST

static double planned[8][4]; /* what the first four plans with trades cost each member: with the last ones, then with the three means */
static uint32_t plans[8], dear; /* for one member the first `dear` of them cost much more than they do */
static size_t cannot;           /* this member has no plan with the last of them */

static mgc_status watched_settle(void *self, const double *x, double *cost, uint32_t *answer)
{
    toy *m = self;
    size_t i = (size_t)m->demand[0] - 1000; /* who it is: see below */
    mgc_status st = toy_ops.settle(self, x, cost, answer);

    if (plans[i] < 4) planned[i][plans[i]] = *cost;
    if (i == 2 && plans[i] < dear) *cost += 1000;
    if (i == cannot && plans[i] == 3) *answer = MGC_OUTCOME_INFEASIBLE;
    plans[i]++;
    return st;
}

/* At the limit: of the last round's trades and the means of the last eighth, quarter and half the cheapest for all together; what somebody
 * cannot realise is left out. */
START_TEST(the_best_of_the_last_trades_is_agreed)
{
    mgc__local_ops watched = toy_ops;

    watched.settle = watched_settle;
    for (uint64_t seed = 0; seed < 8; seed++) {
        double total[4] = {0}, cost = 0, least = INFINITY;
        world w;
        bus b;

        cannot = seed < 4 ? 8 : 5;
        dear = (uint32_t)seed % 4;
        memset(plans, 0, sizeof plans);
        world_init(&w, 8, 7, path[0], path[1], seed + 1);
        w.opts.tolerance = 1e-9;
        w.opts.round_limit = 16 + (uint32_t)seed;
        for (size_t i = 0; i < 8; i++) w.member[i].demand[0] = 1000 + (double)i;
        world_agents(&w);
        for (size_t i = 0; i < 8; i++) w.agent[i]->ops = &watched;
        bus_init(&b, seed);
        ck_assert(bus_run(&b, &w, 1000000));
        for (size_t i = 0; i < 8; i++) {
            mgc_agreement a = {.struct_size = sizeof a};
            ck_assert_int_eq(mgc_agent_agreement(w.agent[i], &a), MGC_OK);
            cost += a.cost;
            for (size_t k = 0; k < 4; k++) total[k] += planned[i][k];
        }
        for (size_t k = dear; k < (cannot < 8 ? 3 : 4); k++) least = fmin(least, total[k]);
        if (dear == 3 && cannot < 8) least = fmin(total[0], fmin(total[1], total[2])); /* as dear all three */
        ck_assert_msg(fabs(cost - least) < 1e-4, "seed %u: %.6f agreed, %.6f is the least", (unsigned)seed, cost, least);
        bus_free(&b);
        world_free(&w);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_prove");
    TCase *tc = tcase_create("prove");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_proof_ends_the_rounds);
    tcase_add_loop_test(tc, votes_prove_what_there_is, 0, 2);
    tcase_add_test(tc, the_transport_does_not_matter);
    tcase_add_test(tc, the_tree_is_one);
    tcase_add_test(tc, the_best_of_the_last_trades_is_agreed);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
