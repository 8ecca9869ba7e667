/* SPDX-License-Identifier: Apache-2.0 */
/* The protocol, on members with closed forms: the right trades and payments on every graph, and the same ones whatever the
 * transport does to the messages (faults.md, O7). */
#include "toy.h"

static const uint32_t triangle[2][3] = {{0, 1, 0}, {1, 2, 2}};
static const uint32_t path[2][5] = {{0, 1, 2, 3, 4}, {1, 2, 3, 4, 5}};
static const uint32_t star[2][4] = {{0, 2, 0, 4}, {1, 0, 3, 0}};
static const uint32_t ring[2][5] = {{0, 1, 2, 3, 4}, {1, 2, 3, 4, 0}};
static const uint32_t twins[2][3] = {{0, 0, 1}, {1, 1, 0}}; /* three parallel links */
static const uint32_t apart[2][3] = {{0, 2, 3}, {1, 3, 4}}; /* two groups, and member 5 alone */

static const struct {
    const char *name;
    size_t n, links;
    const uint32_t *first, *second;
} graphs[] = {
    {"triangle", 3, 3, triangle[0], triangle[1]}, {"path", 6, 5, path[0], path[1]},    {"star", 5, 4, star[0], star[1]},
    {"ring", 5, 5, ring[0], ring[1]},             {"twins", 2, 3, twins[0], twins[1]}, {"apart", 6, 3, apart[0], apart[1]},
};

/* Optimum of the group of members that links connect with member i. */
static void group_optimum(const world *w, size_t i, double *cost, double *alone, size_t *members)
{
    uint32_t group[TOY_MEMBERS];

    mgc__groups(w->n, w->first, w->second, w->links, group);
    *cost = *alone = 0;
    *members = 0;
    for (size_t j = 0; j < w->n; j++) {
        *members += group[j] == group[i];
        *alone += group[j] == group[i] ? toy_cost(&w->member[j], NULL) : 0;
    }
    for (size_t t = 0; t < TOY_PERIODS; t++) {
        double need = 0, soft = 0, price;
        for (size_t j = 0; j < w->n; j++) {
            if (group[j] != group[i]) continue;
            need += w->member[j].demand[t] + w->member[j].b[t] / w->member[j].a[t];
            soft += 1 / w->member[j].a[t];
        }
        price = need / soft;
        for (size_t j = 0; j < w->n; j++) {
            const toy *m = &w->member[j];
            double net = (price - m->b[t]) / m->a[t];
            if (group[j] == group[i]) *cost += 0.5 * m->a[t] * net * net + m->b[t] * net;
        }
    }
}

static mgc_agreement agreement_of(const world *w, size_t i)
{
    mgc_agreement a = {.struct_size = sizeof a};

    ck_assert_int_eq(mgc_agent_agreement(w->agent[i], &a), MGC_OK);
    return a;
}

static double group_cost(const world *w, size_t i)
{
    uint32_t group[TOY_MEMBERS];
    double total = 0;

    mgc__groups(w->n, w->first, w->second, w->links, group);
    for (size_t j = 0; j < w->n; j++) total += group[j] == group[i] ? agreement_of(w, j).cost : 0;
    return total;
}

START_TEST(every_graph_finds_trades_and_nash_payments)
{
    for (uint64_t seed = 0; seed < 5; seed++) {
        world w;
        bus b;
        int64_t sum = 0;

        world_init(&w, graphs[_i].n, graphs[_i].links, graphs[_i].first, graphs[_i].second, seed);
        world_agents(&w);
        bus_init(&b, seed);
        ck_assert_msg(bus_run(&b, &w, 100000), "%s, seed %d: %s", graphs[_i].name, (int)seed, w.last[0].reason);
        for (size_t i = 0; i < w.n; i++) {
            mgc_agreement a;
            double best, alone;
            size_t members;

            ck_assert_msg(w.last[i].state == MGC_AGENT_AGREED, "%s: %s", graphs[_i].name, w.last[i].reason);
            a = agreement_of(&w, i);
            group_optimum(&w, i, &best, &alone, &members);
            ck_assert_msg(fabs(group_cost(&w, i) - best) < 1e-5 * fabs(alone), "%s: cost %.9g, optimum %.9g after %u rounds",
                          graphs[_i].name, group_cost(&w, i), best, a.rounds);
            ck_assert_msg(fabs(a.final_cost - (a.standalone_cost - (alone - group_cost(&w, i)) / (double)members)) < 1e-5,
                          "%s: member %zu ends at %.9g", graphs[_i].name, i, a.final_cost);
            sum += llround(a.payment * 1e6);
        }
        ck_assert_int_eq(sum, 0);
        bus_free(&b);
        world_free(&w);
    }
}
END_TEST

static uint64_t fingerprint(const world *w)
{
    uint64_t h = MGC__HASH_START;

    for (size_t i = 0; i < w->n; i++) h = toy_hash_deal(h, agreement_of(w, i));
    return h;
}

/* Delay, reordering, repetition, loss, spoilt copies: 40 seeds, the same bytes as on a perfect bus. */
START_TEST(no_transport_changes_the_agreement) /* faults O7 */
{
    uint64_t want = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        world w;
        bus b;

        world_init(&w, 5, 5, ring[0], ring[1], 4);
        w.opts.round_limit = 40;
        w.opts.resend_ms = 30;
        world_agents(&w);
        bus_init(&b, seed);
        if (seed > 0) {
            b.delay_ms = (uint32_t)(seed % 25);
            b.repeat = 30;
            b.lose = seed % 3 == 0 ? 15 : 0;
            b.spoil = seed % 4 == 0 ? 10 : 0;
        }
        ck_assert_msg(bus_run(&b, &w, 1000000), "seed %d hangs: %s", (int)seed, w.last[0].reason);
        for (size_t i = 0; i < w.n; i++) ck_assert_msg(w.last[i].state == MGC_AGENT_AGREED, "seed %d: %s", (int)seed, w.last[i].reason);
        if (seed == 0) want = fingerprint(&w);
        ck_assert_msg(fingerprint(&w) == want, "seed %d: another agreement", (int)seed);
        bus_free(&b);
        world_free(&w);
    }
}
END_TEST

/* Whoever falls silent is named by its neighbours, with the phase, within the deadline. */
START_TEST(a_silent_member_is_named) /* faults O7 */
{
    world w;
    bus b;

    world_init(&w, 3, 3, triangle[0], triangle[1], 4);
    w.opts.deadline_ms = 500;
    w.opts.resend_ms = 50;
    world_agents(&w);
    bus_init(&b, 1);
    b.delay_ms = 3;
    b.silent = 1;
    b.silent_from_ms = (uint64_t)_i * 20;
    bus_run(&b, &w, 100000);
    for (size_t i = 0; i < 3; i++) {
        if (i == 1 || w.last[i].state == MGC_AGENT_AGREED) continue;
        ck_assert_msg(w.last[i].state == MGC_AGENT_SILENT, "member %zu: %u %s", i, w.last[i].state, w.last[i].reason);
        ck_assert_msg(strstr(w.last[i].reason, "is silent") != NULL && strstr(w.last[i].reason, "in phase") != NULL, "%s",
                      w.last[i].reason);
    }
    if (w.last[0].state != MGC_AGENT_AGREED) ck_assert_msg(strstr(w.last[0].reason, "m1") != NULL || strstr(w.last[2].reason, "m1") != NULL, "%s / %s", w.last[0].reason,
                  w.last[2].reason);
    ck_assert_uint_le(b.now, 20 * (uint64_t)_i + 3 * 500 + 100);
    bus_free(&b);
    world_free(&w);
}
END_TEST

/* Random mutations of every message of a run: never a crash, never accepted as another member's or another run's word. */
START_TEST(rubbish_is_refused_and_counted) /* faults O7 */
{
    mgc__rng rng;
    world w;
    uint64_t handed = 0;
    mgc_agent_counts c = {.struct_size = sizeof c};

    mgc__rng_seed(&rng, 99);
    world_init(&w, 2, 1, triangle[0], triangle[1], 1);
    world_agents(&w);
    for (int turn = 0; turn < 60; turn++) {
        mgc_agent_output out;
        ck_assert_int_eq(mgc_agent_poll(w.agent[0], 0, &out), MGC_OK);
        if (out.n_messages == 0) break;
        for (int k = 0; k < 300; k++) {
            uint8_t bytes[600];
            size_t len = out.messages[0].len;
            ck_assert_uint_lt(len, sizeof bytes);
            memcpy(bytes, out.messages[0].bytes, len);
            if (k % 3 == 0) len = mgc__rng_below(&rng, len);
            for (uint64_t j = 0; j <= mgc__rng_below(&rng, 4) && len > 0; j++)
                bytes[mgc__rng_below(&rng, len)] = (uint8_t)mgc__rng_next(&rng);
            if (k == 1) memset(bytes, 0xff, sizeof bytes), len = sizeof bytes;
            if (len == out.messages[0].len && memcmp(bytes, out.messages[0].bytes, len) == 0) bytes[0] ^= 1;
            ck_assert_int_eq(mgc_agent_receive(w.agent[1], 0, "m0", bytes, len), MGC_OK);
            ck_assert_int_eq(mgc_agent_receive(w.agent[1], 0, "stranger", out.messages[0].bytes, out.messages[0].len), MGC_OK);
            handed += 2;
        }
        for (size_t i = 0; i < out.n_messages; i++)
            ck_assert_int_eq(mgc_agent_receive(w.agent[1], 0, "m0", out.messages[i].bytes, out.messages[i].len), MGC_OK);
        ck_assert_int_eq(mgc_agent_poll(w.agent[1], 0, &out), MGC_OK);
        for (size_t i = 0; i < out.n_messages; i++)
            ck_assert_int_eq(mgc_agent_receive(w.agent[0], 0, "m1", out.messages[i].bytes, out.messages[i].len), MGC_OK);
    }
    ck_assert_int_eq(mgc_agent_get_counts(w.agent[1], &c), MGC_OK);
    ck_assert_uint_eq(c.malformed + c.foreign, handed);
    ck_assert_uint_gt(c.malformed, 1000);
    ck_assert_uint_gt(c.foreign, 1000);
    world_free(&w);
}
END_TEST

/* Mutations under the true sender's name: the run may end by naming it, but nothing worse. */
START_TEST(a_lying_neighbour_is_survived) /* faults O7 */
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        world w;
        bus b;

        world_init(&w, 3, 3, triangle[0], triangle[1], seed);
        w.opts.deadline_ms = 2000;
        w.opts.resend_ms = 20;
        world_agents(&w);
        bus_init(&b, seed);
        b.delay_ms = 3;
        b.repeat = 20;
        b.lie = 1 + (uint32_t)seed % 10;
        bus_run(&b, &w, 100000);
        for (size_t i = 0; i < w.n; i++) {
            ck_assert_msg(w.last[i].state != MGC_AGENT_RUNNING, "seed %d: member %zu hangs", (int)seed, i);
            if (w.last[i].state != MGC_AGENT_AGREED) continue;
            ck_assert_msg(agreement_of(&w, i).final_cost <= agreement_of(&w, i).standalone_cost + 1e-5, "seed %d: member %zu loses",
                          (int)seed, i);
        }
        bus_free(&b);
        world_free(&w);
    }
}
END_TEST

/* A member that lies for its own good, in eight ways: nobody else ends worse than alone, nobody pays more than its own last
 * word, the books of honest pairs agree; or the run ends without an agreement. */
START_TEST(a_liar_gains_nothing_from_others)
{
    for (uint64_t seed = 0; seed < 5; seed++) {
        world w;
        bus b;

        world_init(&w, 3, 3, triangle[0], triangle[1], seed);
        w.opts.deadline_ms = 2000;
        world_agents(&w);
        bus_init(&b, seed);
        b.liar = seed % 3;
        b.liar_way = (uint32_t)_i;
        bus_run(&b, &w, 100000);
        for (size_t i = 0; i < w.n; i++) {
            double own_word = 0;
            if (i == b.liar || w.last[i].state != MGC_AGENT_AGREED) continue;
            mgc_agreement a = agreement_of(&w, i);
            ck_assert_msg(a.final_cost <= a.standalone_cost + 1e-5, "way %d, seed %d: member %zu ends at %.6f, alone %.6f", _i, (int)seed,
                          i, a.final_cost, a.standalone_cost);
            for (size_t p = 0; p < w.agent[i]->n_peers; p++) {
                const mgc__peer *peer = &w.agent[i]->peers[p];
                if (!a.no_trade) own_word += (peer->first ? 1 : -1) * (double)peer->mine / MGC__NANO;
            }
            ck_assert_msg(a.payment <= own_word + 1e-5, "way %d, seed %d: member %zu pays %.6f, its own word was %.6f", _i, (int)seed, i,
                          a.payment, own_word);
        }
        bus_free(&b);
        world_free(&w);
    }
}
END_TEST

START_TEST(different_terms_are_named)
{
    world w;
    bus b;

    world_init(&w, 3, 3, triangle[0], triangle[1], 4);
    world_agents(&w);
    w.agent[2]->ends[0].terms.digest ^= 1; /* its link with m1 */
    bus_init(&b, 1);
    bus_run(&b, &w, 1000);
    ck_assert_uint_eq(w.last[1].state, MGC_AGENT_DISAGREED);
    ck_assert_msg(strstr(w.last[1].reason, "m2 holds other terms of link 1") != NULL, "%s", w.last[1].reason);
    bus_free(&b);
    world_free(&w);
}
END_TEST

/* A member that cannot realise the trades agreed: all shrink together until it can, at worst to none. */
START_TEST(impossible_trades_shrink)
{
    for (int k = 0; k < 2; k++) {
        world w;
        bus b;
        double total = 0;

        world_init(&w, 5, 5, ring[0], ring[1], 2);
        w.member[3].narrow = 0;
        for (size_t t = 0; t < TOY_PERIODS; t++) w.member[3].narrow = fmax(w.member[3].narrow, fabs(w.member[3].demand[t]));
        w.member[3].narrow += k == 0 ? 1e-9 : 60;
        world_agents(&w);
        bus_init(&b, 1);
        ck_assert(bus_run(&b, &w, 100000));
        for (size_t i = 0; i < w.n; i++) {
            mgc_agreement a = agreement_of(&w, i);
            ck_assert_uint_eq(a.no_trade, agreement_of(&w, 0).no_trade);
            ck_assert_msg(a.final_cost <= a.standalone_cost + 1e-5, "member %zu loses", i);
            total += a.payment;
        }
        ck_assert_double_eq_tol(total, 0, 1e-9);
        bus_free(&b);
        world_free(&w);
    }
}
END_TEST

START_TEST(no_plan_alone_ends_the_run_for_all)
{
    world w;
    bus b;

    world_init(&w, 6, 5, path[0], path[1], 2);
    w.member[5].impossible = true;
    world_agents(&w);
    bus_init(&b, 1);
    ck_assert(bus_run(&b, &w, 1000));
    for (size_t i = 0; i < w.n; i++) ck_assert_uint_eq(w.last[i].state, MGC_AGENT_INFEASIBLE);
    ck_assert_msg(strstr(w.last[5].reason, "m5 has no plan") != NULL, "%s", w.last[5].reason);
    bus_free(&b);
    world_free(&w);
}
END_TEST

/* Given weights, one of them 0, and weights of very different size: shares of the surplus are the weights. */
START_TEST(weights_decide_the_shares)
{
    static const double sets[3][3] = {{1, 2, 5}, {1, 0, 3}, {1e-6, 3e-6, 0}};
    world w;
    bus b;
    double surplus = 0, sum = sets[_i][0] + sets[_i][1] + sets[_i][2];

    world_init(&w, 3, 3, triangle[0], triangle[1], 6);
    w.opts.weights = MGC_WEIGHTS_GIVEN;
    memcpy(w.weight, sets[_i], sizeof sets[_i]);
    world_agents(&w);
    bus_init(&b, 1);
    ck_assert(bus_run(&b, &w, 100000));
    for (size_t i = 0; i < 3; i++) surplus += agreement_of(&w, i).standalone_cost - agreement_of(&w, i).cost;
    ck_assert_double_gt(surplus, 1);
    for (size_t i = 0; i < 3; i++) {
        mgc_agreement a = agreement_of(&w, i);
        ck_assert_double_eq_tol(a.standalone_cost - a.final_cost, sets[_i][i] / sum * surplus, 1e-5);
    }
    bus_free(&b);
    world_free(&w);
}
END_TEST

/* The payments that the agents find pairwise are the least-norm ones of the closed form. */
START_TEST(agents_pay_what_the_closed_form_pays)
{
    world w;
    bus b;
    double standalone[5], cost[5], pay[5], pair[5];

    world_init(&w, 5, 5, ring[0], ring[1], 8);
    world_agents(&w);
    bus_init(&b, 1);
    ck_assert(bus_run(&b, &w, 100000));
    for (size_t i = 0; i < 5; i++) {
        standalone[i] = agreement_of(&w, i).standalone_cost;
        cost[i] = agreement_of(&w, i).cost;
    }
    ck_assert_int_eq(mgc_nash_payments(w.ctx, standalone, cost, NULL, 5, pay), MGC_OK);
    ck_assert_int_eq(mgc_pair_payments(w.ctx, pay, 5, ring[0], ring[1], 5, pair), MGC_OK);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_double_eq_tol(agreement_of(&w, i).payment, pay[i], 3e-6);
        for (uint32_t k = 0; k < 2; k++) {
            mgc_pair p = {.struct_size = sizeof p};
            ck_assert_int_eq(mgc_agent_get_pair(w.agent[i], k, &p), MGC_OK);
            ck_assert_double_eq_tol(p.payment, p.trades + p.transfer, 1e-9);
            for (size_t l = 0; l < 5; l++) {
                if (strcmp(w.id[ring[0][l]], p.first) == 0 && strcmp(w.id[ring[1][l]], p.second) == 0)
                    ck_assert_double_eq_tol(p.payment, pair[l], 1e-5);
                if (strcmp(w.id[ring[1][l]], p.first) == 0 && strcmp(w.id[ring[0][l]], p.second) == 0)
                    ck_assert_double_eq_tol(p.payment, -pair[l], 1e-5);
            }
        }
    }
    bus_free(&b);
    world_free(&w);
}
END_TEST

/* What a message may hold: the schema, its bounds, and nothing else.  Two members with other private numbers that propose
 * the same send the same bytes. */
START_TEST(messages_hold_proposals_and_flags_only)
{
    world w[2];
    mgc_agent_output out[2];

    for (int k = 0; k < 2; k++) {
        world_init(&w[k], 2, 1, triangle[0], triangle[1], 1);
        for (size_t t = 0; t < TOY_PERIODS; t++) {
            /* cost and demand differ, the answer x = -(linear + g)/quad in the first round does not: g = (a demand + b)/(1 + a/q) */
            w[k].member[0].a[t] = 1e-4;
            w[k].member[0].demand[t] = k == 0 ? 100 : 300;
            w[k].member[0].b[t] = k == 0 ? 0.03 : 0.01;
        }
        world_agents(&w[k]);
        for (int turn = 0; turn < 6; turn++)
            for (size_t i = 0; i < 2; i++) {
                ck_assert_int_eq(mgc_agent_poll(w[k].agent[i], 0, &out[k]), MGC_OK);
                for (size_t m = 0; m < out[k].n_messages; m++)
                    ck_assert_int_eq(mgc_agent_receive(w[k].agent[1 - i], 0, w[k].id[i], out[k].messages[m].bytes, out[k].messages[m].len), MGC_OK);
            }
    }
    for (uint64_t s = 1; s <= 5; s++) {
        const mgc__buf *a = &w[0].agent[0]->ends[0].sent[s % MGC__SENT_KEPT].bytes, *b = &w[1].agent[0]->ends[0].sent[s % MGC__SENT_KEPT].bytes;
        ck_assert_uint_eq(a->len, b->len);
        if (w[0].agent[0]->ends[0].sent[s % MGC__SENT_KEPT].step <= 5) ck_assert_mem_eq(a->bytes, b->bytes, a->len);
    }
    world_free(&w[0]);
    world_free(&w[1]);
}
END_TEST

static size_t copy_state(const mgc_agent *agent, uint8_t *into, size_t cap)
{
    const uint8_t *bytes;
    size_t len;

    ck_assert_int_eq(mgc_agent_get_state(agent, &bytes, &len), MGC_OK);
    ck_assert_uint_le(len, cap);
    memcpy(into, bytes, len);
    return len;
}

/* Tomorrow differs a little: from yesterday's state it takes fewer rounds, whatever the accuracy (smooth costs keep their penalty); where
 * one end lost or changed its state, the link starts cold at both, and the run agrees all the same. */
START_TEST(tomorrow_starts_where_today_ended)
{
    static uint8_t state[5][8000];
    size_t len[5] = {0};
    uint32_t rounds[4];

    for (int day = 0; day < 4; day++) {
        world w;
        bus b;

        world_init(&w, 5, 5, ring[0], ring[1], 4);
        for (size_t i = 0; day > 0 && i < 5; i++) w.member[i].demand[1] *= 1.01;
        for (size_t i = 0; i < 5; i++) {
            w.start[i] = day > 1 ? state[i] : NULL;
            w.start_len[i] = day > 1 ? len[i] : 0;
        }
        if (day == 3) w.start[2] = NULL;
        w.opts.tolerance = pow(10, -_i);
        world_agents(&w);
        bus_init(&b, 1);
        ck_assert(bus_run(&b, &w, 100000));
        for (size_t i = 0; i < 5; i++) ck_assert_uint_eq(w.last[i].state, MGC_AGENT_AGREED);
        rounds[day] = agreement_of(&w, 0).rounds;
        for (size_t i = 0; day == 0 && i < 5; i++) len[i] = copy_state(w.agent[i], state[i], sizeof state[i]);
        bus_free(&b);
        world_free(&w);
    }
    ck_assert_msg(rounds[2] + 10 <= rounds[1], "%u rounds warm, %u cold", rounds[2], rounds[1]);
    ck_assert_msg(rounds[3] >= rounds[2] && rounds[3] <= rounds[1] + 5, "%u rounds partly warm, %u warm, %u cold", rounds[3], rounds[2], rounds[1]);
}
END_TEST

/* State is bytes from outside: every truncation and every flipped byte is refused or read, never believed beyond its limits. */
static mgc_agent *make_toy_agent(world *w, uint32_t i)
{
    mgc__terms terms[TOY_LINKS];
    double capacity[TOY_PERIODS], fee[TOY_PERIODS];
    size_t n = 0;
    mgc_agent *agent;

    for (size_t l = 0; l < w->links; l++)
        if (w->first[l] == i || w->second[l] == i) world_terms(w, l, w->first[l] != i, capacity, fee, &terms[n++]);
    ck_assert_int_eq(mgc__agent_make(w->ctx, w->id[i], terms, n, &toy_ops, &w->member[i], &w->opts, &agent), MGC_OK);
    return agent;
}

/* Members crash at any time and come back from their checkpoints: the agreement is the same to the byte. */
START_TEST(a_crash_leaves_no_trace) /* faults O7 */
{
    uint64_t want = 0;

    for (uint64_t seed = 0; seed < 12; seed++) {
        world w;
        bus b;
        mgc__rng rng;
        bool over = false;

        mgc__rng_seed(&rng, seed);
        world_init(&w, 5, 5, ring[0], ring[1], 4);
        w.opts.round_limit = 40;
        w.opts.resend_ms = 10;
        w.opts.keep_log = 1;
        world_agents(&w);
        bus_init(&b, seed);
        b.delay_ms = (uint32_t)seed % 4;
        for (uint64_t until = 10; !over && until < 100000; until += 10) {
            over = bus_run(&b, &w, until);
            uint32_t who = (uint32_t)mgc__rng_below(&rng, 5);
            const uint8_t *bytes;
            uint8_t *copy;
            size_t len;

            if (seed == 0 || mgc__rng_below(&rng, 3) != 0) continue;
            ck_assert_int_eq(mgc_agent_save(w.agent[who], &bytes, &len), MGC_OK);
            copy = malloc(len);
            ck_assert_ptr_nonnull(copy);
            memcpy(copy, bytes, len);
            mgc_agent_destroy(w.agent[who]);
            w.agent[who] = make_toy_agent(&w, who);
            ck_assert_msg(mgc__checkpoint_replay(w.agent[who], copy, len) == MGC_OK, "%s", mgc_ctx_error(w.ctx));
            free(copy);
        }
        ck_assert(over);
        for (size_t i = 0; i < w.n; i++) ck_assert_msg(w.last[i].state == MGC_AGENT_AGREED, "seed %d: %s", (int)seed, w.last[i].reason);
        if (seed == 0) want = fingerprint(&w);
        ck_assert_msg(fingerprint(&w) == want, "seed %d: another agreement", (int)seed);
        bus_free(&b);
        world_free(&w);
    }
}
END_TEST

/* A checkpoint is bytes from outside: cut off or changed anywhere it is refused, or says what it said before. */
START_TEST(a_spoilt_checkpoint_is_refused)
{
    world w;
    bus b;
    const uint8_t *bytes;
    uint8_t *bad;
    size_t len, refused = 0;

    world_init(&w, 2, 1, triangle[0], triangle[1], 1);
    w.opts.keep_log = 1;
    world_agents(&w);
    bus_init(&b, 1);
    bus_run(&b, &w, 12);
    ck_assert_int_eq(mgc_agent_save(w.agent[0], &bytes, &len), MGC_OK);
    bad = malloc(len);
    ck_assert_ptr_nonnull(bad);
    for (size_t i = 0; i < 2 * len; i++) {
        mgc_agent *agent = make_toy_agent(&w, i == 0 ? 1 : 0);
        memcpy(bad, bytes, len);
        if (i > 0 && i < len) bad[i] ^= (uint8_t)(1 + i % 255);
        mgc_status st = mgc__checkpoint_replay(agent, bad, i < len ? len : i - len);
        refused += st != MGC_OK;
        ck_assert_msg(st != MGC_OK || (i > 0 && i < len), "accepted: %zu", i);
        mgc_agent_destroy(agent);
    }
    ck_assert_uint_gt(refused, len + len / 2);
    free(bad);
    bus_free(&b);
    world_free(&w);
}
END_TEST

START_TEST(a_spoilt_state_is_refused)
{
    static uint8_t state[8000], bad[8000];
    world w;
    bus b;
    size_t len, refused = 0;

    world_init(&w, 2, 1, triangle[0], triangle[1], 1);
    world_agents(&w);
    bus_init(&b, 1);
    ck_assert(bus_run(&b, &w, 100000));
    len = copy_state(w.agent[0], state, sizeof state);
    for (size_t i = 0; i < len; i++) {
        mgc_agent *agent;
        mgc__terms terms;
        double capacity[TOY_PERIODS], fee[TOY_PERIODS];
        mgc_agent_opts opts = w.opts;
        mgc_status st;

        world_terms(&w, 0, 0, capacity, fee, &terms);
        opts.start = state;
        opts.start_len = i;
        ck_assert_int_ne(mgc__agent_make(w.ctx, "m0", &terms, 1, &toy_ops, &w.member[0], &opts, &agent), MGC_OK);
        memcpy(bad, state, len);
        bad[i] ^= 0x41;
        opts.start = bad;
        opts.start_len = len;
        st = mgc__agent_make(w.ctx, "m0", &terms, 1, &toy_ops, &w.member[0], &opts, &agent);
        refused += st != MGC_OK;
        for (size_t k = 0; st == MGC_OK && k < agent->ends[0].count; k++) ck_assert(isfinite(agent->ends[0].z[k]));
        if (st == MGC_OK) mgc_agent_destroy(agent);
    }
    ck_assert_uint_gt(refused, 10);
    bus_free(&b);
    world_free(&w);
}
END_TEST

static bool heard_choice;

/* The schema, number by number: what a stage may say, and within which bounds. */
static void inspect(const uint8_t *bytes, size_t len)
{
    int64_t values[100];
    mgc__note note;
    size_t want[] = {[MGC__STAGE_RELAXED] = TOY_PERIODS, [MGC__STAGE_FIXED] = TOY_PERIODS, [MGC__STAGE_SETTLE] = 1, [MGC__STAGE_DONE] = 0,
                     [MGC__STAGE_PROVE] = 1 + MGC__PROVE_SUMS, [MGC__STAGE_CHOOSE] = 1 + MGC__CHOOSE_SUMS, [MGC__STAGE_TIES] = TOY_PERIODS};

    ck_assert_int_eq(mgc__note_read(bytes, len, &note, values, 100), MGC_OK); /* exactly its eleven keys, canonical */
    ck_assert(note.from_len == 2 && note.from[0] == 'm' && note.to_len == 2 && note.to[0] == 'm');
    ck_assert(mgc__stage_talks(note.stage) && note.carrier == 0 && note.ordinal == 0);
    ck_assert_uint_le(note.calm, note.round);
    if (note.stage == MGC__STAGE_HELLO) ck_assert(note.n >= MGC__HELLO_VALUES && note.n <= MGC__HELLO_VALUES + TOY_MEMBERS);
    else if (note.stage == MGC__STAGE_TIES && note.n < TOY_PERIODS) ck_assert(note.n == 0 || (note.n == 1 && (values[0] == 0 || values[0] == 1)));
    else if (note.stage != MGC__STAGE_PAY) ck_assert_uint_eq(note.n, want[note.stage]);
    else ck_assert_uint_le(note.n, 1);
    for (size_t i = 0; i < note.n && want[note.stage] == TOY_PERIODS && note.stage != MGC__STAGE_PROVE; i++) ck_assert_int_le(llabs(values[i]), INT64_C(5000000000));
    if (note.stage == MGC__STAGE_RELAXED || note.stage == MGC__STAGE_PAY || note.stage == MGC__STAGE_SETTLE)
        for (size_t i = note.stage == MGC__STAGE_RELAXED; i < MGC__FLOODS; i++) ck_assert_int_eq(note.flood[i], 0);
    if (note.stage == MGC__STAGE_RELAXED) ck_assert(note.flood[0] == 0 || note.flood[0] == 1); /* "you are my parent" */
    if (note.stage == MGC__STAGE_TIES) /* exponents and a yes, nothing finer */
        ck_assert(llabs(note.flood[0]) <= 5000 && llabs(note.flood[1]) <= 5000 && (note.flood[2] == 0 || note.flood[2] == 1) && note.flood[3] == 0);
    if (note.stage == MGC__STAGE_PROVE || note.stage == MGC__STAGE_CHOOSE) {
        ck_assert(values[0] >= 0 && values[0] <= 2);
        for (size_t i = 1; values[0] == 0 && i < note.n; i++) ck_assert_int_eq(values[i], 0);
        heard_choice |= note.stage == MGC__STAGE_CHOOSE && values[0] == 2;
    }
}

/* Every byte of a whole run.  Cost a/2 net^2 + b net with demand + d and b - a d is another load and another cost of the same
 * willingness to trade: whoever hears all can tell no difference.  A load that changes the proposals is heard, of course. */
START_TEST(private_numbers_are_in_no_byte)
{
    uint64_t said[3], letters[3];
    double alone[3];

    for (int k = 0; k < 3; k++) {
        world w;
        bus b;

        world_init(&w, 5, 5, ring[0], ring[1], 4);
        for (size_t t = 0; t < TOY_PERIODS; t++) {
            w.member[2].demand[t] += k == 0 ? 0 : 64;
            if (k == 1) w.member[2].b[t] -= w.member[2].a[t] * 64;
        }
        w.opts.weights = _i != 1 ? MGC_WEIGHTS_EQUAL : MGC_WEIGHTS_CONTRIBUTION;
        if (_i == 2) w.opts.round_limit = 20; /* and the best of the last rounds' trades is looked for */
        heard_choice = false;
        world_agents(&w);
        bus_init(&b, 1);
        b.inspect = inspect;
        ck_assert(bus_run(&b, &w, 100000));
        said[k] = b.said;
        letters[k] = b.letters_said;
        alone[k] = agreement_of(&w, 2).standalone_cost;
        bus_free(&b);
        world_free(&w);
    }
    ck_assert(heard_choice == (_i == 2));
    ck_assert(fabs(alone[0] - alone[1]) > 0.1);
    ck_assert_uint_eq(letters[0], letters[1]);
    ck_assert_uint_eq(said[0], said[1]);
    ck_assert(said[0] != said[2]);
}
END_TEST

/* Members in another order, under other names, with links the other way round: everyone ends where it ended before. */
START_TEST(other_names_and_orders_change_nothing)
{
    static const uint32_t order[5] = {3, 0, 4, 2, 1};
    double want[5] = {0}, trades[5] = {0};

    for (int k = 0; k < 2; k++) {
        world w, from;
        bus b;
        uint32_t first[5], second[5];

        world_init(&from, 5, 5, ring[0], ring[1], 4);
        for (size_t l = 0; l < 5; l++) {
            first[l] = k == 0 ? ring[0][l] : order[ring[1][l]];
            second[l] = k == 0 ? ring[1][l] : order[ring[0][l]];
        }
        world_init(&w, 5, 5, first, second, 4);
        for (size_t i = 0; i < 5; i++) {
            toy *m = &w.member[k == 0 ? i : order[i]];
            memcpy(m->a, from.member[i].a, sizeof m->a);
            memcpy(m->b, from.member[i].b, sizeof m->b);
            memcpy(m->demand, from.member[i].demand, sizeof m->demand);
        }
        w.opts.weights = MGC_WEIGHTS_CONTRIBUTION;
        w.opts.tolerance = 1e-8;
        world_agents(&w);
        bus_init(&b, 1);
        ck_assert(bus_run(&b, &w, 200000));
        for (size_t i = 0; i < 5; i++) {
            mgc_agreement a = agreement_of(&w, k == 0 ? i : order[i]);
            if (k == 1) ck_assert_msg(fabs(a.final_cost - want[i]) < 1e-3, "member %zu: %.6f, then %.6f", i, want[i], a.final_cost);
            if (k == 1) ck_assert_double_eq_tol(a.cost, trades[i], 1e-2);
            want[i] = a.final_cost;
            trades[i] = a.cost;
        }
        bus_free(&b);
        world_free(&w);
        mgc_ctx_destroy(from.ctx);
    }
}
END_TEST

START_TEST(a_message_survives_the_way_there_and_back)
{
    mgc_ctx *ctx;
    mgc__buf buf;
    const int64_t values[3] = {0, -5, MGC__VALUE_MAX};
    int64_t read[3];
    mgc__note note = {.run = 7, .step = 300, .stage = MGC__STAGE_PAY, .round = 12, .from = "north", .to = "south", .from_len = 5, .to_len = 5,
                      .carrier = 1, .ordinal = 3, .again = true, .calm = 2, .last = 9, .flood = {1, -2, 3, 4}, .values = values, .n = 3};
    mgc__note back;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    mgc__buf_init(&buf, ctx, 1000);
    mgc__note_write(&note, &buf);
    ck_assert_int_eq(buf.status, MGC_OK);
    ck_assert_int_eq(mgc__note_read(buf.bytes, buf.len, &back, read, 3), MGC_OK);
    ck_assert_uint_eq(back.step, 300);
    ck_assert_uint_eq(back.carrier, 1);
    ck_assert(back.again && back.from_len == 5 && memcmp(back.from, "north", 5) == 0);
    ck_assert_mem_eq(read, values, sizeof values);
    ck_assert_mem_eq(back.flood, note.flood, sizeof note.flood);
    ck_assert_int_ne(mgc__note_read(buf.bytes, buf.len, &back, read, 2), MGC_OK);
    for (size_t len = 0; len < buf.len; len++) ck_assert_int_ne(mgc__note_read(buf.bytes, len, &back, read, 3), MGC_OK);
    mgc__buf_put(&buf, "", 1);
    ck_assert_int_ne(mgc__note_read(buf.bytes, buf.len, &back, read, 3), MGC_OK);
    mgc__buf_free(&buf);
    mgc_ctx_destroy(ctx);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_agent");
    TCase *tc = tcase_create("agent");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, every_graph_finds_trades_and_nash_payments, 0, (int)MGC__COUNT(graphs));
    tcase_add_test(tc, no_transport_changes_the_agreement);
    tcase_add_loop_test(tc, a_silent_member_is_named, 0, 12);
    tcase_add_test(tc, rubbish_is_refused_and_counted);
    tcase_add_test(tc, a_lying_neighbour_is_survived);
    tcase_add_loop_test(tc, a_liar_gains_nothing_from_others, 0, 8);
    tcase_add_test(tc, different_terms_are_named);
    tcase_add_test(tc, impossible_trades_shrink);
    tcase_add_test(tc, no_plan_alone_ends_the_run_for_all);
    tcase_add_loop_test(tc, weights_decide_the_shares, 0, 3);
    tcase_add_test(tc, agents_pay_what_the_closed_form_pays);
    tcase_add_test(tc, messages_hold_proposals_and_flags_only);
    tcase_add_loop_test(tc, tomorrow_starts_where_today_ended, 2, 9); /* digits */
    tcase_add_test(tc, a_crash_leaves_no_trace);
    tcase_add_test(tc, a_spoilt_checkpoint_is_refused);
    tcase_add_test(tc, a_spoilt_state_is_refused);
    tcase_add_loop_test(tc, private_numbers_are_in_no_byte, 0, 3);
    tcase_add_test(tc, other_names_and_orders_change_nothing);
    tcase_add_test(tc, a_message_survives_the_way_there_and_back);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
