/* SPDX-License-Identifier: Apache-2.0 */
/* Agents of real microgrids: every ambiguity set, and a crash in the middle of a bargaining. */
#include <math.h>
#include <stdio.h>

#include "towns.h"

enum { N = 3 };

static const struct {
    const char *set, *what;
    double value;
    double most; /* of the certified gap: generation stops at its own gap */
} sets[] = {
    {"none", NULL, 0, 2e-4},           {"norm1", "radius", 0.5, 2e-4},     {"norm_inf", "radius", 0.2, 2e-4},
    {"wasserstein", "radius", 60, 2e-4}, {"kl", "radius", 0.1, 2e-4},      {"chi2", "radius", 0.2, 2e-4},
    {"cvar", "level", 0.4, 2e-4},      {"worst_case", "radius", 1, 2e-4},
};

/* In a ring. */
static mgc_model *model_with(size_t set)
{
    mgc_model *m = market();
    mgc_link *link;

    for (int i = 0; i < N; i++) {
        mgc_microgrid *site = town(m, i);
        if (sets[set].what != NULL) OK(mgc_microgrid_set_ambiguity(site, sets[set].set, sets[set].what, sets[set].value, 0, NULL));
    }
    for (int i = 0; i < N; i++) {
        OK(mgc_model_add_link(m, ids[i], ids[(i + 1) % N], "electricity", &link));
        OK(mgc_link_set_number(link, "capacity_kw", 80 + 20 * i));
        OK(mgc_link_set_number(link, "fee_per_kwh", 0.004));
        if (i == 2) OK(mgc_link_set_number(link, "loss", 0.03));
    }
    return m;
}

/* Over every set: a plan for all, nobody loses, and what is still to be gained is proven to be next to nothing; where the
 * whole alliance can be written as one program, that says the same. */
START_TEST(agents_agree_with_every_ambiguity_set)
{
    mgc_model *m = model_with((size_t)_i);
    mgc_alliance_opts o;
    mgc_alliance *agents, *central;
    mgc_alliance_info a = {.struct_size = sizeof a}, c = {.struct_size = sizeof c};
    mgc_certificate cert = {.struct_size = sizeof cert};

    mgc_alliance_opts_init(&o, sizeof o);
    OK(mgc_alliance_solve(m, &o, &agents));
    OK(mgc_alliance_get_info(agents, &a));
    OK(mgc_alliance_certificate(agents, &cert));
    ck_assert_msg(a.outcome == MGC_OUTCOME_OPTIMAL, "%s: %s", sets[_i].set, mgc_alliance_reason(agents));
    ck_assert_uint_eq(cert.ok, 1);
    ck_assert_uint_gt(a.trades, 0);
    ck_assert_double_gt(a.surplus, 1);
    ck_assert_msg(a.gap < sets[_i].most, "%s: gap %.2e", sets[_i].set, a.gap);
    o.method = MGC_ALLIANCE_CENTRAL;
    mgc_status st = mgc_alliance_solve(m, &o, &central);
    ck_assert_msg(st == MGC_OK || (st == MGC_E_UNSUPPORTED && (_i == 4 || _i == 5)), "%s: %s", sets[_i].set, mgc_ctx_error(ctx));
    if (st == MGC_OK) {
        OK(mgc_alliance_get_info(central, &c));
        ck_assert_msg(fabs(a.cost - c.cost) < 2e-4 * fabs(a.standalone_total), "%s: agents %.6f, one program %.6f", sets[_i].set, a.cost, c.cost);
        mgc_alliance_destroy(central);
    }
    mgc_alliance_destroy(agents);
    mgc_model_destroy(m);
}
END_TEST

/* --- contracts in force --------------------------------------------------------------------------------------------------------- */

enum { BOUND_PERIODS = 2 };

/* Half of what was traded in the first two periods stands as a contract, on a link with loss and two without. */
static void put_contracts(mgc_model *m, const mgc_alliance *a, uint32_t trades, double share, uint32_t periods, double kw[N][2][PERIODS])
{
    for (int l = 0; l < N; l++)
        for (int d = 0; d < 2; d++)
            for (uint32_t t = 0; t < PERIODS; t++) kw[l][d][t] = t < periods ? 0 : INFINITY;
    for (uint32_t i = 0; i < trades; i++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        OK(mgc_alliance_get_trade(a, i, &trade));
        for (uint32_t t = 0; t < periods; t++) kw[trade.link][trade.direction][t] = floor(share * trade.sent_kw[t]);
    }
    for (uint32_t l = 0; l < N; l++) {
        OK(mgc_link_set_series(mgc_model_link_at(m, l), "agreed_kw", kw[l][0], PERIODS));
        OK(mgc_link_set_series(mgc_model_link_at(m, l), "agreed_back_kw", kw[l][1], PERIODS));
    }
}

static mgc_alliance *solve_model(const mgc_model *m, uint32_t method, mgc_alliance_info *info)
{
    mgc_alliance_opts o;
    mgc_alliance *a;

    mgc_alliance_opts_init(&o, sizeof o);
    o.method = method;
    o.tolerance = 1e-5;
    o.round_limit = 400;
    OK(mgc_alliance_solve(m, &o, &a));
    *info = (mgc_alliance_info){.struct_size = sizeof *info};
    OK(mgc_alliance_get_info(a, info));
    return a;
}

/* Members who have contracts bargain for the rest: what is agreed stands to the mW, agents and one program find the same cost
 * for the rest, alone is with the contracts and nothing else, and nobody is worse off than that. */
START_TEST(contracts_in_force_stand_and_the_rest_is_bargained_for)
{
    mgc_model *m = model_with(_i == 0 ? 0 : 1), *bound = model_with(_i == 0 ? 0 : 1);
    mgc_alliance_info free_info, agents_info, central_info, all_info;
    mgc_alliance *before = solve_model(m, MGC_ALLIANCE_CENTRAL, &free_info), *agents, *central, *all;
    mgc_certificate cert = {.struct_size = sizeof cert};
    double kw[N][2][PERIODS], most = 0, sent[N][2][PERIODS] = {{{0}}};

    put_contracts(m, before, free_info.trades, 0.5, BOUND_PERIODS, kw);
    agents = solve_model(m, MGC_ALLIANCE_ADMM, &agents_info);
    central = solve_model(m, MGC_ALLIANCE_CENTRAL, &central_info);
    for (uint32_t i = 0; i < agents_info.trades; i++) {
        mgc_trade t = {.struct_size = sizeof t};
        OK(mgc_alliance_get_trade(agents, i, &t));
        memcpy(sent[t.link][t.direction], t.sent_kw, sizeof sent[0][0]);
    }
    for (int l = 0; l < N; l++)
        for (int d = 0; d < 2; d++)
            for (uint32_t t = 0; t < BOUND_PERIODS; t++) {
                ck_assert_msg(fabs(sent[l][d][t] - kw[l][d][t]) < 1e-9, "link %d, way %d, period %u: %.9f, agreed %.9f", l, d, t, sent[l][d][t], kw[l][d][t]);
                most = fmax(most, kw[l][d][t]);
            }
    ck_assert_double_gt(most, 3);
    ck_assert_msg(fabs(agents_info.cost - central_info.cost) < 1e-4 * central_info.standalone_total, "agents %.6f, one program %.6f",
                  agents_info.cost, central_info.cost);
    ck_assert_double_eq_tol(agents_info.standalone_total, central_info.standalone_total, 1e-4);
    ck_assert_double_gt(agents_info.cost, free_info.cost + 1e-3); /* the contracts cost something */
    ck_assert_double_gt(agents_info.surplus, 1);
    OK(mgc_alliance_certificate(agents, &cert));
    ck_assert_uint_eq(cert.ok, 1);
    put_contracts(bound, before, free_info.trades, 0.5, BOUND_PERIODS, kw); /* and nothing else: that is "alone" */
    for (uint32_t l = 0; l < N; l++)
        for (int d = 0; d < 2; d++) {
            for (uint32_t t = BOUND_PERIODS; t < PERIODS; t++) kw[l][d][t] = 0;
            OK(mgc_link_set_series(mgc_model_link_at(bound, l), d == 0 ? "agreed_kw" : "agreed_back_kw", kw[l][d], PERIODS));
        }
    all = solve_model(bound, MGC_ALLIANCE_CENTRAL, &all_info);
    ck_assert_double_eq_tol(all_info.cost, agents_info.standalone_total, 1e-4 * agents_info.standalone_total);
    mgc_alliance_destroy(before);
    mgc_alliance_destroy(agents);
    mgc_alliance_destroy(central);
    mgc_alliance_destroy(all);
    mgc_model_destroy(m);
    mgc_model_destroy(bound);
}
END_TEST

/* The rolling day: after two periods of a plan, its state with contracts in force leaves nothing to decide of the trades of the
 * rest: agents keep them all and pay nothing. */
START_TEST(a_state_with_contracts_leaves_agents_nothing_to_trade)
{
    mgc_model *m = model_with(0), *rest;
    mgc_alliance_info info;
    mgc_alliance *today = solve_model(m, MGC_ALLIANCE_ADMM, &info), *later;
    const mgc_plan *plan;
    mgc_state *state;
    double paid = 0;

    OK(mgc_alliance_get_plan(today, MGC_DISPATCH_ALLIANCE, &plan));
    OK(mgc_plan_state(plan, 2, 0, 1, &state));
    OK(mgc_model_window(m, 2, 2, &rest));
    OK(mgc_state_apply(state, rest));
    later = solve_model(rest, MGC_ALLIANCE_ADMM, &info);
    ck_assert_double_lt(fabs(info.surplus), 1e-3);
    for (uint32_t i = 0; i < N; i++) {
        mgc_member_info who = {.struct_size = sizeof who};
        OK(mgc_alliance_get_member(later, i, &who));
        paid = fmax(paid, fabs(who.payment));
    }
    ck_assert_double_lt(paid, 1e-3);
    ck_assert_uint_gt(info.trades, 0);
    mgc_state_destroy(state);
    mgc_alliance_destroy(today);
    mgc_alliance_destroy(later);
    mgc_model_destroy(m);
    mgc_model_destroy(rest);
}
END_TEST

/* --- a crash ---------------------------------------------------------------------------------------------------------------- */

typedef struct crew {
    mgc_agent *agent[N];
    mgc_agent_output out[N];
    uint8_t *saved; /* of the victim, before its last messages went out */
    size_t saved_len;
    unsigned turns, phase; /* phase: of the victim when it was restored */
} crew;

static void opts_of(mgc_agent_opts *o)
{
    mgc_agent_opts_init(o, sizeof *o);
    o->run = 7;
    o->tolerance = 1e-3;
    o->resend_ms = 3;
    o->keep_log = 1;
}

/* At turn `crash` the victim is lost with what it was about to send, and comes back from its checkpoint. */
static void bargain(crew *c, const mgc_model *m, size_t victim, unsigned crash)
{
    mgc_agent_opts o;
    bool running = true;

    opts_of(&o);
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < N; i++) OK(mgc_agent_create(ctx, m, ids[i], &o, &c->agent[i]));
    for (c->turns = 0; running && c->turns < TURNS_MOST; c->turns++) {
        running = false;
        for (size_t i = 0; i < N; i++) {
            OK(mgc_agent_poll(c->agent[i], c->turns, &c->out[i]));
            running |= c->out[i].state == MGC_AGENT_RUNNING;
            if (i == victim && c->turns == crash) {
                const uint8_t *bytes;
                size_t len;
                OK(mgc_agent_save(c->agent[i], &bytes, &len));
                c->saved = malloc(len);
                ck_assert_ptr_nonnull(c->saved);
                memcpy(c->saved, bytes, len);
                c->saved_len = len;
                c->phase = c->out[i].phase;
                mgc_agent_destroy(c->agent[i]);
                OK(mgc_agent_restore(ctx, m, ids[i], &o, c->saved, c->saved_len, &c->agent[i]));
                running = true;
                continue; /* what it had to say went down with it */
            }
            pass_on(c->agent, i, &c->out[i], c->turns);
        }
    }
    ck_assert_msg(!running, "no end: %s", c->out[0].reason);
}

static void let_go(crew *c)
{
    for (size_t i = 0; i < N; i++) mgc_agent_destroy(c->agent[i]);
    free(c->saved);
}

START_TEST(a_real_agent_goes_on_after_a_crash)
{
    size_t set = _i % 2 == 0 ? 1 : 4; /* norm-1, and Kullback-Leibler by generation */
    mgc_model *m = model_with(set);
    crew whole, torn;

    bargain(&whole, m, N, 0);
    uint32_t trades = 0;
    unsigned crash = whole.turns * (unsigned)(2 + _i) / 8;
    bargain(&torn, m, (size_t)_i % N, crash);
    for (size_t i = 0; i < N; i++) {
        mgc_agreement a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};
        ck_assert_msg(torn.out[i].state == MGC_AGENT_AGREED, "%s", torn.out[i].reason);
        OK(mgc_agent_agreement(whole.agent[i], &a));
        OK(mgc_agent_agreement(torn.agent[i], &b));
        trades += a.trades;
        ck_assert_uint_eq(a.len, b.len);
        ck_assert_mem_eq(a.bytes, b.bytes, a.len);
        ck_assert_double_eq(a.final_cost, b.final_cost);
        ck_assert_double_eq(a.lower_bound, b.lower_bound);
        ck_assert_uint_eq(a.rounds, b.rounds);
    }
    ck_assert_uint_gt(trades, 0);
    ck_assert_uint_ge(torn.phase, MGC_PHASE_RELAXED); /* in the middle, not before it began */
    let_go(&whole);
    let_go(&torn);
    mgc_model_destroy(m);
}
END_TEST

/* --- members that can neither vent nor go cold -------------------------------------------------------------------------------- */

static void heat_load(mgc_microgrid *site, int i)
{
    static const double heat[2][SCENARIOS][PERIODS] = {{{90, 70, 60, 80}, {80, 60, 60, 80}, {70, 60, 40, 60}},
                                                       {{75, 47, 81, 63}, {58, 31, 78, 119}, {94, 101, 112, 90}}};
    mgc_device *device;

    OK(mgc_microgrid_add_device(site, "load", "heat", &device));
    OK(mgc_device_set_text(device, "carrier", "heat"));
    for (uint32_t k = 0; k < SCENARIOS; k++) OK(mgc_device_set_scenario(device, "demand_kw", k, heat[i][k], PERIODS));
}

/* The south takes all the heat that its mildest scenario needs and not a mW more: it may not vent, and has no other source.  The
 * average of two offers is more than that for ever; the smaller of both is a plan of its own, proves the gap and ends the rounds. */
START_TEST(a_member_that_cannot_vent_gets_what_it_offered)
{
    mgc_model *m = market();
    mgc_microgrid *north = town(m, 0), *south = town(m, 1);
    mgc_device *boiler;
    mgc_link *link;
    mgc_alliance_info a, c;

    OK(mgc_model_set_number(m, "gas_price_per_kwh", 0.05));
    OK(mgc_model_set_number(m, "unserved_heat_price_per_kwh", 4));
    heat_load(north, 0);
    heat_load(south, 1);
    OK(mgc_microgrid_add_device(north, "gas_boiler", "boiler", &boiler));
    OK(mgc_device_set_number(boiler, "max_heat_kw", 160));
    OK(mgc_device_set_number(boiler, "efficiency", 0.9));
    OK(mgc_microgrid_set_number(south, "heat_venting", 0));
    OK(mgc_microgrid_set_number(south, "heat_buy_limit_kw", 0));
    for (int carrier = 0; carrier < 2; carrier++) {
        OK(mgc_model_add_link(m, ids[0], ids[1], carrier == 0 ? "electricity" : "heat", &link));
        OK(mgc_link_set_number(link, "capacity_kw", 140));
        OK(mgc_link_set_number(link, "fee_per_kwh", 0.004));
    }
    mgc_alliance *agents = solve_model(m, MGC_ALLIANCE_ADMM, &a), *central = solve_model(m, MGC_ALLIANCE_CENTRAL, &c);
    ck_assert_uint_eq(a.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_gt(a.surplus, 1);
    ck_assert_msg(a.gap < 2e-5, "gap %.2e after %u rounds: %s", a.gap, a.rounds, mgc_alliance_reason(agents));
    ck_assert_msg(fabs(a.cost - c.cost) < 2e-5 * c.standalone_total, "agents %.6f, one program %.6f", a.cost, c.cost);
    mgc_alliance_destroy(agents);
    mgc_alliance_destroy(central);
    mgc_model_destroy(m);
}
END_TEST

/* --- trades that cost the same -------------------------------------------------------------------------------------------------- */

/* Four towns in a ring, where whoever is opposite is reached by two ways of one fee; kind 1: a chord with loss as
 * well.  turn: members in another order, links the other way round. */
static mgc_model *four_towns(int kind, int turn)
{
    mgc_model *m = market();
    mgc_link *link;

    for (int i = 0; i < TOWNS; i++) town(m, (i + turn) % TOWNS);
    for (int l = 0; l < TOWNS; l++) {
        int a = (l + turn) % TOWNS, b = (a + 1) % TOWNS;
        OK(mgc_model_add_link(m, ids[turn > 0 ? b : a], ids[turn > 0 ? a : b], "electricity", &link));
        OK(mgc_link_set_number(link, "capacity_kw", 100));
        OK(mgc_link_set_number(link, "fee_per_kwh", 0.004));
    }
    if (kind == 0) return m;
    OK(mgc_model_add_link(m, ids[0], ids[2], "electricity", &link));
    OK(mgc_link_set_number(link, "capacity_kw", 10));
    OK(mgc_link_set_number(link, "fee_per_kwh", 0.008));
    OK(mgc_link_set_number(link, "loss", 0.02));
    return m;
}

typedef struct told {
    double weight[TOWNS], final_cost[TOWNS];
} told;

static told solve_towns(int kind, int turn, uint32_t method)
{
    mgc_model *m = four_towns(kind, turn);
    mgc_certificate cert = {.struct_size = sizeof cert};
    mgc_alliance_opts o;
    mgc_alliance *a;
    told t;

    mgc_alliance_opts_init(&o, sizeof o);
    o.method = method;
    o.weights = MGC_WEIGHTS_CONTRIBUTION;
    o.tolerance = 1e-7;
    o.round_limit = 2000;
    OK(mgc_alliance_solve(m, &o, &a));
    OK(mgc_alliance_certificate(a, &cert));
    ck_assert_msg(cert.ok == 1, "imbalance %g loss %g nash %g gap %g", cert.imbalance_kw, cert.worst_loss, cert.nash, cert.gap);
    for (uint32_t i = 0; i < TOWNS; i++) {
        mgc_member_info member = {.struct_size = sizeof member};
        OK(mgc_alliance_get_member(a, i, &member));
        size_t at = index_of(member.id);
        t.weight[at] = member.weight;
        t.final_cost[at] = member.final_cost;
    }
    mgc_alliance_destroy(a);
    mgc_model_destroy(m);
    return t;
}

START_TEST(every_route_finds_the_same_weights)
{
    told want = solve_towns(_i, 0, MGC_ALLIANCE_CENTRAL);

    for (int turn = 0; turn < 3; turn++)
        for (uint32_t method = 0; method < 2; method++) {
            told got = solve_towns(_i, turn, method);
            for (int i = 0; i < TOWNS; i++) {
                ck_assert_msg(fabs(got.weight[i] - want.weight[i]) < 1e-4, "%s weighs %.7f, not %.7f", ids[i], got.weight[i], want.weight[i]);
                ck_assert_msg(fabs(got.final_cost[i] - want.final_cost[i]) < 1e-3, "%s ends at %.6f, not %.6f", ids[i], got.final_cost[i], want.final_cost[i]);
            }
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_real");
    TCase *tc = tcase_create("real");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, agents_agree_with_every_ambiguity_set, 0, (int)(sizeof sets / sizeof *sets));
    tcase_add_loop_test(tc, contracts_in_force_stand_and_the_rest_is_bargained_for, 0, 2);
    tcase_add_test(tc, a_state_with_contracts_leaves_agents_nothing_to_trade);
    tcase_add_test(tc, a_member_that_cannot_vent_gets_what_it_offered);
    tcase_add_loop_test(tc, a_real_agent_goes_on_after_a_crash, 0, 6);
    tcase_add_loop_test(tc, every_route_finds_the_same_weights, 0, 2);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
