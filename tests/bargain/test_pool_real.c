/* SPDX-License-Identifier: Apache-2.0 */
/* Pools of real microgrids: against the alliance as one program, with losses and fees, as agents, as a signed record. */
#include <math.h>
#include <stdio.h>

#include "dispatch/model.h"
#include "towns.h"

enum { N = 4 };

/* Two with heat: one has a cheap boiler, the other must buy from the district. */
static void heat(mgc_microgrid *site, int i)
{
    mgc_device *device;

    OK(mgc_microgrid_add_device(site, "load", "warmth", &device));
    OK(mgc_device_set_text(device, "carrier", "heat"));
    OK(mgc_device_set_number(device, "demand_kw", i == 0 ? 20 : 90));
    if (i > 0) return;
    OK(mgc_microgrid_add_device(site, "gas_boiler", "boiler", &device));
    OK(mgc_device_set_number(device, "max_heat_kw", 150));
    OK(mgc_device_set_number(device, "efficiency", 0.9));
}

/* Town order[i] is the i-th member; it is called name[order[i]]. */
static mgc_model *connected_as(double loss, double fee, const int order[N], const char *const name[N])
{
    mgc_model *m = market();
    mgc_link *link;

    OK(mgc_model_set_number(m, "gas_price_per_kwh", 0.05));
    OK(mgc_model_set_number(m, "heat_price_per_kwh", 0.12));
    for (int i = 0; i < N; i++) {
        mgc_microgrid *site = town_as(m, order[i], name[order[i]]);
        if (order[i] < 2) heat(site, order[i]);
    }
    for (int i = 0; i < N + 2; i++) {
        OK(mgc_model_add_link(m, name[i % N], mgc_pool_id(), i < N ? "electricity" : "heat", &link));
        OK(mgc_link_set_number(link, "capacity_kw", i < N ? 3 * 900 : 100));
        OK(mgc_link_set_number(link, "loss", i < N ? loss : 2 * loss));
        OK(mgc_link_set_number(link, "fee_per_kwh", i < N ? fee : fee / 2));
    }
    return m;
}

static mgc_model *connected(double loss, double fee)
{
    static const int order[N] = {0, 1, 2, 3};

    return connected_as(loss, fee, order, ids);
}

/* Every two joined; heat between the two that have it. */
static mgc_model *complete(double loss, double fee)
{
    mgc_model *m = connected(loss, fee);
    mgc_link *link;

    mgc__model_drop_links(m);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < i; j++) {
            OK(mgc_model_add_link(m, ids[i], ids[j], "electricity", &link));
            OK(mgc_link_set_number(link, "capacity_kw", 900));
            OK(mgc_link_set_number(link, "loss", loss));
            OK(mgc_link_set_number(link, "fee_per_kwh", fee));
        }
    OK(mgc_model_add_link(m, ids[0], ids[1], "heat", &link));
    OK(mgc_link_set_number(link, "capacity_kw", 100));
    OK(mgc_link_set_number(link, "loss", 2 * loss));
    OK(mgc_link_set_number(link, "fee_per_kwh", fee / 2));
    return m;
}

static mgc_alliance *solve(const mgc_model *m, uint32_t pool, uint32_t method, mgc_alliance_info *info)
{
    mgc_alliance_opts o;
    mgc_alliance *a;

    mgc_alliance_opts_init(&o, sizeof o);
    o.tolerance = 1e-6;
    o.round_limit = 400;
    o.pool = pool;
    o.method = method;
    OK(mgc_alliance_solve(m, &o, &a));
    *info = (mgc_alliance_info){.struct_size = sizeof *info};
    OK(mgc_alliance_get_info(a, info));
    return a;
}

/* What trades are worth; a price by itself is not unique where nobody is at the margin. */
static double worth(const mgc_alliance *a, uint32_t trades)
{
    double sum = 0;

    for (uint32_t i = 0; i < trades; i++) {
        mgc_trade t = {.struct_size = sizeof t};
        OK(mgc_alliance_get_trade(a, i, &t));
        if (strcmp(t.to, mgc_pool_id()) == 0) sum += t.money;
    }
    return sum;
}

/* Where every two are joined and nothing binds, the pool costs what the best bilateral trades cost, losses and fees included: the
 * alliance as one program, which knows nothing of pools or rounds, says so. */
START_TEST(a_pool_costs_what_a_complete_graph_costs)
{
    static const double losses[] = {0, 0, 0.04}, fees[] = {0, 0.01, 0.01};
    mgc_model *m = complete(losses[_i], fees[_i]);
    mgc_alliance_info p, c, o;
    mgc_alliance *pool = solve(m, 1, MGC_ALLIANCE_ADMM, &p), *central = solve(m, 0, MGC_ALLIANCE_CENTRAL, &c);
    mgc_alliance *one = solve(m, 1, MGC_ALLIANCE_CENTRAL, &o);
    mgc_certificate cert = {.struct_size = sizeof cert};
    double sent[2][PERIODS] = {{0}};

    ck_assert_double_gt(c.surplus, 1);
    ck_assert_msg(fabs(p.cost - c.cost) < 2e-6 * c.standalone_total, "pool %.6f, links %.6f", p.cost, c.cost);
    ck_assert_msg(fabs(o.cost - c.cost) < 1e-7 * c.standalone_total, "one program over the pool %.6f, over links %.6f", o.cost, c.cost);
    OK(mgc_alliance_certificate(one, &cert));
    ck_assert_msg(cert.ok == 1, "imbalance %g, capacity %g, pairs %g, nash %g", cert.imbalance_kw, cert.capacity_kw, cert.pair_sum, cert.nash);
    double by_agents = worth(pool, p.trades), by_program = worth(one, o.trades);
    ck_assert_msg(by_program > 1 && fabs(by_agents - by_program) < 0.1 * by_program, "trades are worth %g by agents, %g as one program",
                  by_agents, by_program);
    mgc_alliance_destroy(one);
    ck_assert_msg(p.gap < 1e-5 && p.gap > -1e-9, "gap %.2e", p.gap);
    ck_assert_uint_eq(p.pay_rounds, 2);
    OK(mgc_alliance_certificate(pool, &cert));
    ck_assert_msg(cert.ok == 1, "imbalance %g, capacity %g, payments %g, pairs %g, loss %g, nash %g", cert.imbalance_kw, cert.capacity_kw,
                  cert.payment_sum, cert.pair_sum, cert.worst_loss, cert.nash);
    for (uint32_t i = 0; i < p.trades; i++) {
        mgc_trade t = {.struct_size = sizeof t};
        OK(mgc_alliance_get_trade(pool, i, &t));
        bool out = strcmp(t.to, mgc_pool_id()) == 0;
        ck_assert(out != (strcmp(t.from, mgc_pool_id()) == 0));
        for (int k = 0; k < PERIODS; k++) sent[t.carrier == MGC_CARRIER_HEAT][k] += out ? t.sent_kw[k] : -t.sent_kw[k];
    }
    for (int i = 0; i < 2 * PERIODS; i++) ck_assert_double_lt(fabs(sent[i / PERIODS][i % PERIODS]), 1e-7);
    ck_assert_uint_eq(p.pairs, N);
    for (uint32_t i = 0; i < p.pairs; i++) {
        mgc_pair pair = {.struct_size = sizeof pair};
        mgc_member_info who = {.struct_size = sizeof who};
        OK(mgc_alliance_get_pair(pool, i, &pair));
        OK(mgc_alliance_get_member(pool, i, &who));
        ck_assert_str_eq(pair.second, mgc_pool_id());
        ck_assert_double_eq(pair.payment, who.payment);
        ck_assert_double_eq_tol(who.standalone_cost - who.final_cost, p.surplus / N, 1e-5);
    }
    mgc_alliance_destroy(pool);
    mgc_alliance_destroy(central);
    mgc_model_destroy(m);
}
END_TEST

/* Connections written as such are what is made of links. */
START_TEST(links_to_the_pool_need_no_option)
{
    mgc_model *links = complete(0.04, 0.01), *pool = connected(0.04, 0.01);
    mgc_alliance_info a, b;
    mgc_alliance *x = solve(links, 1, MGC_ALLIANCE_ADMM, &a), *y = solve(pool, 0, MGC_ALLIANCE_ADMM, &b);

    ck_assert_double_eq(a.cost, b.cost);
    ck_assert_uint_eq(a.rounds, b.rounds);
    mgc_alliance_destroy(x);
    mgc_alliance_destroy(y);
    mgc_model_destroy(links);
    mgc_model_destroy(pool);
}
END_TEST

static mgc_member_info who_is(const mgc_alliance *a, const char *id)
{
    mgc_member_info who = {.struct_size = sizeof who};

    for (uint32_t i = 0; i < N; i++) {
        OK(mgc_alliance_get_member(a, i, &who));
        if (strcmp(who.id, id) == 0) return who;
    }
    ck_abort_msg("%s is no member", id);
}

/* In whatever order members stand, each has the same numbers to the last bit; under other names, where lots fall otherwise, the
 * same up to what is drawn for. */
START_TEST(a_permutation_of_members_permutes_the_result)
{
    static const int orders[3][N] = {{0, 1, 2, 3}, {3, 1, 0, 2}, {2, 0, 3, 1}};
    static const char *const names[N] = {"z-north", "m-south", "a-east", "k-west"};
    mgc_alliance_info info, other;
    mgc_model *m = connected(0.04, 0.01);
    mgc_alliance *first = solve(m, 0, MGC_ALLIANCE_ADMM, &info);

    for (int k = 1; k < 4; k++) {
        const char *const *name = k < 3 ? ids : names;
        mgc_model *again = connected_as(0.04, 0.01, orders[k % 3], name);
        mgc_alliance *a = solve(again, 0, MGC_ALLIANCE_ADMM, &other);
        for (int i = 0; i < N; i++) {
            mgc_member_info x = who_is(first, ids[i]), y = who_is(a, name[i]);
            double most = k < 3 ? 0 : 1e-5;
            ck_assert_msg(fabs(x.cost - y.cost) <= most && fabs(x.payment - y.payment) <= most && fabs(x.received_kwh - y.received_kwh) <= 100 * most,
                          "order %d, %s: cost %.9f and %.9f, pays %.6f and %.6f", k, x.id, x.cost, y.cost, x.payment, y.payment);
        }
        mgc_alliance_destroy(a);
        mgc_model_destroy(again);
    }
    mgc_alliance_destroy(first);
    mgc_model_destroy(m);
}
END_TEST

/* No other split of what is saved that leaves everyone better off than alone has a higher product of gains, each to the power of
 * its member's weight. */
START_TEST(no_split_of_a_pool_has_a_higher_nash_product)
{
    static const double weight[N] = {1, 2.5, 0.5, 1.2};
    mgc_model *m = connected(0.02, 0.01);
    mgc_alliance_opts o;
    mgc_alliance *a;
    double gain[N], most = 0, surplus = 0;
    size_t tried = 0;

    mgc_alliance_opts_init(&o, sizeof o);
    if (_i == 1) {
        o.weights = MGC_WEIGHTS_GIVEN;
        o.weight = weight;
        o.weights_n = N;
    }
    OK(mgc_alliance_solve(m, &o, &a));
    for (uint32_t i = 0; i < N; i++) {
        mgc_member_info who = {.struct_size = sizeof who};
        OK(mgc_alliance_get_member(a, i, &who));
        gain[i] = who.standalone_cost - who.final_cost;
        ck_assert_double_gt(gain[i], 0);
        surplus += gain[i];
        most += (_i == 1 ? weight[i] : 1) * log(gain[i]);
    }
    ck_assert_double_gt(surplus, 1);
    srand(4);
    for (int k = 0; k < 20000; k++) {
        double product = 0, left = surplus, part;
        for (int i = 0; i < N; i++) { /* near the split found, too */
            double step = k % 2 == 0 ? surplus : 0.02 * surplus;
            part = i == N - 1 ? left : gain[i] + step * (2.0 * rand() / RAND_MAX - 1);
            left -= part;
            product += part > 0 ? (_i == 1 ? weight[i] : 1) * log(part) : -INFINITY;
        }
        tried += isfinite(product) ? 1 : 0;
        ck_assert_msg(product <= most + 1e-9, "a split with %.12f, found %.12f", product, most);
    }
    ck_assert_uint_gt(tried, 5000);
    mgc_alliance_destroy(a);
    mgc_model_destroy(m);
}
END_TEST

START_TEST(what_no_pool_can_be_made_of_is_refused)
{
    mgc_model *m = complete(0.02, 0.01);
    mgc_alliance_opts o;
    mgc_alliance *a;
    mgc_link *link;
    mgc_agent *agent;
    mgc_agent_opts ao;

    mgc_alliance_opts_init(&o, sizeof o);
    o.pool = 2;
    ck_assert_int_eq(mgc_alliance_solve(m, &o, &a), MGC_E_INVALID_ARG);
    o.pool = 1;
    OK(mgc_model_add_link(m, "west", "east", "electricity", &link));
    OK(mgc_link_set_number(link, "capacity_kw", 5));
    OK(mgc_link_set_number(link, "loss", 0.02));
    OK(mgc_link_set_number(link, "fee_per_kwh", 0.02));
    ck_assert_int_eq(mgc_alliance_solve(m, &o, &a), MGC_E_INVALID_ARG);
    ck_assert_msg(strstr(mgc_ctx_error(ctx), "fee_per_kwh of link 7 is 0.02 in period 0") != NULL, "%s", mgc_ctx_error(ctx));
    OK(mgc_link_set_number(link, "fee_per_kwh", 0.01));
    OK(mgc_link_set_number(link, "agreed_kw", 1));
    ck_assert_int_eq(mgc_alliance_solve(m, &o, &a), MGC_E_UNSUPPORTED);
    mgc_model_destroy(m);
    m = connected(0, 0);
    mgc_agent_opts_init(&ao, sizeof ao);
    ck_assert_int_eq(mgc_agent_create(ctx, m, "west", &ao, &agent), MGC_E_INVALID_ARG); /* without a secret */
    OK(mgc_model_add_link(m, "west", "east", "electricity", &link));
    OK(mgc_link_set_number(link, "capacity_kw", 5));
    uint8_t secret[32] = {1};
    ao.secret = secret;
    ck_assert_int_eq(mgc_agent_create(ctx, m, "west", &ao, &agent), MGC_E_UNSUPPORTED);
    mgc_model_destroy(m);
}
END_TEST

typedef struct crew {
    mgc_agent *agent[N];
    mgc_agent_output out[N];
} crew;

/* Agents with masks, each knowing its own model alone. */
static void bargain(crew *c, const mgc_model *m)
{
    bool running = true;

    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < N; i++) {
        uint8_t secret[32];
        mgc_agent_opts o;
        mgc_agent_opts_init(&o, sizeof o);
        memset(secret, (int)i + 1, sizeof secret);
        o.run = 7;
        o.tolerance = 1e-6;
        o.round_limit = 400;
        o.secret = secret;
        o.roster = ids;
        o.roster_n = N;
        o.children = 1; /* a chain */
        OK(mgc_agent_create(ctx, m, ids[i], &o, &c->agent[i]));
    }
    for (unsigned turn = 0; running && turn < TURNS_MOST; turn++) {
        running = false;
        for (size_t i = 0; i < N; i++) {
            OK(mgc_agent_poll(c->agent[i], turn, &c->out[i]));
            running |= c->out[i].state == MGC_AGENT_RUNNING;
            pass_on(c->agent, i, &c->out[i], turn);
        }
    }
    for (size_t i = 0; i < N; i++) ck_assert_msg(c->out[i].state == MGC_AGENT_AGREED, "%s: %s", ids[i], c->out[i].reason);
}

/* Masked agents along a chain agree to the last bit on what the driver in one process agrees on; what they sign verifies, and a
 * record that is bent does not. */
START_TEST(agents_sign_what_the_pool_agreed)
{
    mgc_model *m = connected(0.04, 0.01);
    mgc_alliance_info info;
    mgc_alliance *a = solve(m, 0, MGC_ALLIANCE_ADMM, &info);
    mgc_record *r, *back, *bent;
    mgc_record_report report = {.struct_size = sizeof report};
    mgc_key *key[N];
    uint8_t public_key[N][32];
    const uint8_t *keys[N], *bytes;
    size_t len;
    crew c;

    bargain(&c, m);
    OK(mgc_record_from_alliance(a, 7, &r));
    for (size_t i = 0; i < N; i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        mgc_agreement deal = {.struct_size = sizeof deal};
        mgc_member_info who = {.struct_size = sizeof who};
        OK(mgc_agent_agreement(c.agent[i], &deal));
        OK(mgc_alliance_get_member(a, (uint32_t)i, &who));
        ck_assert_double_eq(deal.cost, who.cost);
        ck_assert_double_eq(deal.payment, who.payment);
        double relaxed;
        OK(mgc_agent_relaxed_bound(c.agent[i], &relaxed));
        ck_assert_double_eq_tol(relaxed, deal.lower_bound, 1e-6); /* nobody has on/off decisions: the prices are the same */
        OK(mgc_key_from_seed(ctx, seed, &key[i]));
        OK(mgc_key_public(key[i], public_key[i]));
        keys[i] = public_key[i];
        OK(mgc_agent_sign_record(c.agent[i], r, key[i]));
    }
    OK(mgc_record_bytes(r, &bytes, &len));
    OK(mgc_record_read(ctx, bytes, len, &back));
    OK(mgc_record_verify(back, ids, keys, N, -1, &report));
    ck_assert_msg(report.ok == 1, "%s", report.reason);
    ck_assert_int_eq(report.pool_imbalance, 0);
    ck_assert_int_ge(report.gap, 0);
    ck_assert_double_le((double)report.gap, 1e6 * 1e-5 * info.standalone_total);
    mgc_record_destroy(back);
    uint8_t *copy = malloc(len);
    size_t read = 0;
    for (size_t i = 0; i < len; i++) { /* any flipped bit is seen */
        memcpy(copy, bytes, len);
        copy[i] ^= 1;
        if (mgc_record_read(ctx, copy, len, &bent) != MGC_OK) continue;
        read++;
        OK(mgc_record_verify(bent, ids, keys, N, -1, &report));
        ck_assert_msg(report.ok == 0, "byte %zu of %zu", i, len);
        mgc_record_destroy(bent);
    }
    ck_assert_uint_gt(read, 100);
    free(copy);
    mgc_record_destroy(r);
    for (size_t i = 0; i < N; i++) {
        mgc_key_destroy(key[i]);
        mgc_agent_destroy(c.agent[i]);
    }
    mgc_alliance_destroy(a);
    mgc_model_destroy(m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_pool_real");
    TCase *tc = tcase_create("pool_real");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_pool_costs_what_a_complete_graph_costs, 0, 3);
    tcase_add_test(tc, links_to_the_pool_need_no_option);
    tcase_add_test(tc, a_permutation_of_members_permutes_the_result);
    tcase_add_loop_test(tc, no_split_of_a_pool_has_a_higher_nash_product, 0, 2);
    tcase_add_test(tc, what_no_pool_can_be_made_of_is_refused);
    tcase_add_test(tc, agents_sign_what_the_pool_agreed);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
