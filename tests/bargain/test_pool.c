/* SPDX-License-Identifier: Apache-2.0 */
/* Bargaining with a pool: sums over a tree, masks, prices, payments, and what can go wrong on the way. */
#include <stdlib.h>

#include "codec/cbor.h"
#include "crowd.h"

/* What a crowd's transport does to messages. */
typedef struct way {
    bus b; /* its letters, delays, losses */
    size_t victim;      /* crashes at `crash` and comes back from its checkpoint; SIZE_MAX: none */
    uint64_t crash;
    void (*inspect)(void *user, size_t from, size_t to, const uint8_t *bytes, size_t len);
    void *user;
} way;

static void way_init(way *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    bus_init(&w->b, seed);
    w->victim = SIZE_MAX;
}

static void crash_one(crowd *c, way *w)
{
    const uint8_t *bytes;
    size_t len, i = w->victim;
    uint8_t *kept;

    ck_assert_int_eq(mgc_agent_save(c->agent[i], &bytes, &len), MGC_OK);
    kept = malloc(len);
    memcpy(kept, bytes, len);
    mgc_agent_destroy(c->agent[i]);
    crowd_agent(c, i);
    mgc_status st = mgc__checkpoint_replay(c->agent[i], kept, len);
    ck_assert_msg(st == MGC_OK, "%s", mgc_ctx_error(c->ctx));
    free(kept);
}

static bool crowd_run(crowd *c, way *w, uint64_t until_ms)
{
    bus *b = &w->b;

    for (; b->now < until_ms; b->now++) {
        bool running = false;
        for (size_t i = 0; i < c->n; i++) {
            mgc_agent_output *out = &c->last[i];
            ck_assert_int_eq(mgc_agent_poll(c->agent[i], b->now, out), MGC_OK);
            running |= out->state == MGC_AGENT_RUNNING;
            if (i == w->victim && b->now == w->crash) { /* what it had to say goes down with it */
                crash_one(c, w);
                running = true;
                continue;
            }
            for (size_t k = 0; k < out->n_messages; k++) {
                size_t to = crowd_index(c, out->messages[k].to);
                if (w->inspect != NULL) w->inspect(w->user, i, to, out->messages[k].bytes, out->messages[k].len);
                bus_send(b, i, to, out->messages[k].bytes, out->messages[k].len);
            }
        }
        if (!running) return true;
        for (size_t i = 0; i < b->n;) {
            letter l = b->letters[i];
            if (l.at > b->now) {
                i++;
                continue;
            }
            ck_assert_int_eq(mgc_agent_receive(c->agent[l.to], b->now, c->id[l.from], l.bytes, l.len), MGC_OK);
            free(l.bytes);
            b->letters[i] = b->letters[--b->n];
        }
    }
    return false;
}

static mgc_agreement deal_of(const crowd *c, size_t i)
{
    mgc_agreement a = {.struct_size = sizeof a};

    ck_assert_msg(c->last[i].state == MGC_AGENT_AGREED, "%s: %s", c->id[i], c->last[i].reason);
    ck_assert_int_eq(mgc_agent_agreement(c->agent[i], &a), MGC_OK);
    return a;
}

/* Sent and taken out are the same to the mW, payments sum to zero to the micro-currency, each gains its Nash share. */
static void check_deal(const crowd *c)
{
    double cost = 0, alone = 0, pays = 0, powers = 0;

    for (size_t t = 0; t < TOY_PERIODS; t++) {
        int64_t sum = 0;
        for (size_t i = 0; i < c->n; i++) sum += c->agent[i]->ends[0].agreed[t];
        ck_assert_int_eq(sum, 0);
    }
    for (size_t i = 0; i < c->n; i++) {
        mgc_agreement a = deal_of(c, i);
        cost += a.cost;
        alone += a.standalone_cost;
        pays += a.payment;
        powers += c->agent[i]->weight;
    }
    ck_assert_msg(fabs(pays) < 1e-9 * (double)c->n, "payments sum to %g", pays);
    ck_assert_msg(fabs(cost - toy_least_cost(c->member, c->n)) < 1e-6 * fabs(alone) + 1e-6, "cost %.9f, least %.9f", cost, toy_least_cost(c->member, c->n));
    for (size_t i = 0; i < c->n; i++) {
        mgc_agreement a = deal_of(c, i);
        double share = c->agent[i]->weight / powers * (alone - cost);
        ck_assert_msg(fabs(a.standalone_cost - a.final_cost - share) < 3e-6, "%s gains %.9f of %.9f", c->id[i],
                      a.standalone_cost - a.final_cost, share);
    }
}

static const size_t sizes[] = {2, 3, 7, 20, 40};

START_TEST(a_pool_finds_the_least_cost_and_nash_payments)
{
    for (uint32_t children = 1; children <= 9; children += 4) {
        static crowd c;
        way w;

        crowd_init(&c, sizes[_i], 11 + (uint64_t)_i);
        c.children = children;
        crowd_agents(&c);
        way_init(&w, 1);
        ck_assert_msg(crowd_run(&c, &w, 1000000), "%s", c.last[0].reason);
        check_deal(&c);
        bus_free(&w.b);
        crowd_free(&c);
    }
}
END_TEST

START_TEST(weights_decide_the_shares)
{
    static crowd c;
    way w;

    crowd_init(&c, 7, 5);
    c.opts.weights = _i == 0 ? MGC_WEIGHTS_GIVEN : MGC_WEIGHTS_CONTRIBUTION;
    for (size_t i = 0; i < c.n; i++) c.weight[i] = 1e4 * (double)i;
    crowd_agents(&c);
    way_init(&w, 1);
    ck_assert(crowd_run(&c, &w, 1000000));
    check_deal(&c);
    if (_i == 0) ck_assert_double_eq_tol(deal_of(&c, 0).final_cost, deal_of(&c, 0).standalone_cost, 2e-6);
    bus_free(&w.b);
    crowd_free(&c);
}
END_TEST

static uint64_t deal_hash(const crowd *c)
{
    uint64_t h = MGC__HASH_START;

    for (size_t i = 0; i < c->n; i++) h = toy_hash_deal(h, deal_of(c, i));
    return h;
}

/* Neither the tree's shape, nor masks, nor a transport that delays, repeats, reorders, loses and spoils changes one byte. */
START_TEST(neither_tree_nor_masks_nor_transport_change_the_deal)
{
    uint64_t want = 0;

    for (int k = 0; k < 6; k++) {
        static crowd c;
        way w;

        crowd_init(&c, 12, 3);
        c.children = k == 1 ? 1 : k == 2 ? 100 : 2;
        c.masks = k != 3;
        c.opts.deadline_ms = 1000000;
        crowd_agents(&c);
        way_init(&w, (uint64_t)k);
        if (k >= 4) {
            w.b.delay_ms = 7;
            w.b.repeat = 20;
            w.b.lose = 10;
            w.b.spoil = k == 5 ? 10 : 0;
        }
        ck_assert_msg(crowd_run(&c, &w, 1000000), "way %d: %s", k, c.last[0].reason);
        if (k == 0) want = deal_hash(&c);
        ck_assert_msg(deal_hash(&c) == want, "way %d: another deal", k);
        bus_free(&w.b);
        crowd_free(&c);
    }
}
END_TEST

START_TEST(a_crash_leaves_no_trace)
{
    uint64_t want = 0;

    for (int k = 0; k < 12; k++) {
        static crowd c;
        way w;

        crowd_init(&c, 9, 8);
        crowd_agents(&c);
        way_init(&w, 1);
        if (k > 0) {
            w.victim = (size_t)(k * 5) % 9;
            w.crash = (uint64_t)(1 + (k - 1) * 40);
        }
        ck_assert_msg(crowd_run(&c, &w, 1000000), "crash of %d: %s", k, c.last[0].reason);
        if (k == 0) want = deal_hash(&c);
        ck_assert_msg(deal_hash(&c) == want, "crash %d: another deal", k);
        bus_free(&w.b);
        crowd_free(&c);
    }
}
END_TEST

/* Everyone ends, and everyone names the one that is silent, not whoever waits for it. */
START_TEST(a_silent_member_is_named_by_all)
{
    static crowd c;
    way w;
    size_t who = (size_t)_i;

    crowd_init(&c, 9, 8);
    crowd_agents(&c);
    way_init(&w, 1);
    w.b.silent = who;
    w.b.silent_from_ms = 60;
    ck_assert(crowd_run(&c, &w, 30000));
    for (size_t i = 0; i < c.n; i++) {
        if (i == who) continue;
        ck_assert_uint_eq(c.last[i].state, MGC_AGENT_SILENT);
        ck_assert_msg(strstr(c.last[i].reason, c.id[who]) == c.last[i].reason, "%s: %s; silent was %s", c.id[i], c.last[i].reason, c.id[who]);
    }
    ck_assert_uint_lt(w.b.now, 60 + 4 * c.opts.deadline_ms);
    bus_free(&w.b);
    crowd_free(&c);
}
END_TEST

START_TEST(other_terms_are_named)
{
    static crowd c;
    way w;

    crowd_init(&c, 9, 8);
    c.fee[_i] = 0.01;
    crowd_agents(&c);
    way_init(&w, 1);
    ck_assert(crowd_run(&c, &w, 30000));
    for (size_t i = 0; i < c.n; i++) ck_assert_msg(c.last[i].state == MGC_AGENT_DISAGREED, "%s: %s", c.id[i], c.last[i].reason);
    bus_free(&w.b);
    crowd_free(&c);
}
END_TEST

START_TEST(no_plan_alone_ends_the_run_for_all)
{
    static crowd c;
    way w;

    crowd_init(&c, 5, 8);
    c.member[3].impossible = true;
    crowd_agents(&c);
    way_init(&w, 1);
    ck_assert(crowd_run(&c, &w, 30000));
    for (size_t i = 0; i < c.n; i++) ck_assert_uint_eq(c.last[i].state, MGC_AGENT_INFEASIBLE);
    bus_free(&w.b);
    crowd_free(&c);
}
END_TEST

/* Who cannot plan with its share makes all trade less, in steps, and the sums stay exact. */
START_TEST(impossible_shares_shrink)
{
    static crowd c;
    way w;
    int64_t sum = 0;

    crowd_init(&c, 5, 8);
    crowd_agents(&c);
    way_init(&w, 1);
    ck_assert(crowd_run(&c, &w, 1000000));
    double most = 0;
    for (size_t t = 0; t < TOY_PERIODS; t++) {
        double x = (double)c.agent[2]->ends[0].agreed[t] / MGC__KW;
        most = fmax(most, fabs(c.member[2].demand[t] + x));
    }
    bus_free(&w.b);
    crowd_free(&c);
    crowd_init(&c, 5, 8);
    c.member[2].narrow = fmax(0.995 * most, 401);
    crowd_agents(&c);
    way_init(&w, 1);
    ck_assert(crowd_run(&c, &w, 1000000));
    for (size_t i = 0; i < c.n; i++) {
        mgc_agreement a = deal_of(&c, i);
        ck_assert(a.final_cost <= a.standalone_cost + 3e-6);
        for (size_t t = 0; t < TOY_PERIODS; t++) sum += c.agent[i]->ends[0].agreed[t];
    }
    ck_assert_int_eq(sum, 0);
    bus_free(&w.b);
    crowd_free(&c);
}
END_TEST

/* A member that says other numbers than it means: nobody else is worse off than alone. */
START_TEST(a_liar_gains_nothing_from_others)
{
    static crowd c;
    way w;

    crowd_init(&c, 7, 8);
    c.masks = false;
    c.opts.round_limit = 60;
    crowd_agents(&c);
    way_init(&w, 9);
    w.b.liar = 3;
    w.b.liar_way = (uint32_t)_i;
    crowd_run(&c, &w, 20000);
    for (size_t i = 0; i < c.n; i++) {
        if (i == 3 || c.last[i].state != MGC_AGENT_AGREED) continue;
        mgc_agreement a = deal_of(&c, i);
        ck_assert_msg(a.final_cost <= a.standalone_cost + 3e-6, "way %d: %s loses %g", _i, c.id[i], a.final_cost - a.standalone_cost);
    }
    bus_free(&w.b);
    crowd_free(&c);
}
END_TEST

START_TEST(tomorrow_starts_where_today_ended)
{
    static crowd c;
    way w;
    mgc__buf kept;
    size_t cold, warm;

    crowd_init(&c, 10, 8);
    c.opts.tolerance = 1e-6;
    crowd_agents(&c);
    way_init(&w, 1);
    ck_assert(crowd_run(&c, &w, 1000000));
    cold = c.agent[0]->turn.count;
    mgc__buf_init(&kept, c.ctx, SIZE_MAX);
    mgc__pool_start_write(c.agent, c.n, &kept);
    ck_assert_int_eq(kept.status, MGC_OK);
    uint8_t *bytes = malloc(kept.len);
    size_t len = kept.len;
    memcpy(bytes, kept.bytes, len);
    mgc__buf_free(&kept);
    bus_free(&w.b);
    crowd_free(&c);
    crowd_init(&c, 10, 8);
    c.opts.tolerance = 1e-6;
    for (size_t i = 0; i < c.n; i++) c.member[i].demand[0] *= 1.02;
    c.start = bytes;
    c.start_len = len;
    crowd_agents(&c);
    way_init(&w, 1);
    ck_assert(crowd_run(&c, &w, 1000000));
    warm = c.agent[0]->turn.count;
    ck_assert_msg(3 * warm <= 2 * cold, "%zu rounds, then %zu", cold, warm);
    check_deal(&c);
    bus_free(&w.b);
    crowd_free(&c);
    crowd_init(&c, 10, 8); /* one that lost it: all start cold, and agree */
    c.opts.tolerance = 1e-6;
    for (size_t i = 0; i < c.n; i++) {
        c.start = i == 4 ? NULL : bytes;
        c.start_len = len;
        crowd_agent(&c, i);
    }
    way_init(&w, 1);
    ck_assert(crowd_run(&c, &w, 1000000));
    ck_assert_uint_eq(c.agent[0]->turn.count, cold);
    bus_free(&w.b);
    for (size_t cut = 0; cut < len; cut += 7) ck_assert_int_ne(mgc__pool_start_read(c.agent[0], bytes, cut), MGC_OK);
    crowd_free(&c);
    free(bytes);
}
END_TEST

/* --- what a message gives away ------------------------------------------------------------------------------------------------- */

typedef struct ear {
    const crowd *c;
    size_t messages, ups;
    int64_t word[8];
    uint64_t up[POOL_MOST];  /* hash of what each said upwards, in order */
    double high[POOL_MOST];  /* how far from zero the masked numbers were */
    bool tell;
} ear;

/* Every byte is accounted for: the message is exactly the note that it decodes to, which holds sender, receiver, round, four
 * common numbers, and values as many as the stage has sums. */
static void listen_in(void *user, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    ear *e = user;
    int64_t values[200];
    mgc__note note;
    mgc__buf again;
    size_t markets = 1, periods = TOY_PERIODS, want;

    e->messages++;
    ck_assert_int_eq(mgc__note_read(bytes, len, &note, values, MGC__COUNT(values)), MGC_OK);
    mgc__buf_init(&again, e->c->ctx, 100000);
    mgc__note_write(&note, &again);
    ck_assert_uint_eq(again.len, len);
    ck_assert_mem_eq(again.bytes, bytes, len);
    mgc__buf_free(&again);
    ck_assert_uint_eq(note.carrier, MGC__POOL_LINK);
    ck_assert_uint_eq(note.calm, 0);
    ck_assert_uint_eq(note.last, 0);
    ck_assert(!note.again);
    switch (note.stage) {
    case MGC__STAGE_HELLO: want = 13; break;
    case MGC__STAGE_RELAXED: want = 1 + markets * (periods + 4); break;
    case MGC__STAGE_SHARE: want = 3 * markets * periods; break;
    case MGC__STAGE_SETTLE: want = 3; break;
    default: want = 1;
    }
    if (note.ordinal == MGC__POOL_UP || note.ordinal == MGC__POOL_DOWN) ck_assert_uint_eq(note.n, want);
    else if (note.ordinal == MGC__POOL_SEED_WORD) ck_assert_uint_eq(note.n, 8);
    else ck_assert_uint_eq(note.n, 0);
    if (note.ordinal == MGC__POOL_SEED_WORD) ck_assert_str_ne(e->c->id[from], e->c->id[to]);
    if (note.ordinal != MGC__POOL_UP) return;
    e->ups++;
    if (note.stage != MGC__STAGE_HELLO) e->up[from] = mgc__hash_bytes(e->up[from], values, note.n * sizeof *values);
    for (size_t i = 0; i < note.n; i++) e->high[from] = fmax(e->high[from], fabs((double)values[i]));
    /* With masks no number sent upwards is one of the sender's own. */
    for (size_t t = 0; note.stage == MGC__STAGE_RELAXED && t < TOY_PERIODS; t++)
        ck_assert(e->c->masks == false || values[1 + t] != e->c->agent[from]->ends[0].mine[t]);
}

/* A leaf's load changes by 64 kW and its price so that it wants the same trades and saves the same: after HELLO, whose sum of
 * costs is masked, everyone's words stay the same, to the byte.  With another secret its own words differ in every number, and nobody's deal does. */
START_TEST(private_numbers_are_in_no_byte)
{
    uint64_t words[3][POOL_MOST], deals[3];
    size_t messages[3];
    double alone[3];

    for (int k = 0; k < 3; k++) {
        static crowd c;
        way w;
        ear e = {.c = &c};

        crowd_init(&c, 9, 4);
        if (k == 1)
            for (size_t t = 0; t < TOY_PERIODS; t++) {
                c.member[8].demand[t] += 64;
                c.member[8].b[t] -= c.member[8].a[t] * 64;
            }
        if (k == 2) memset(c.secret[8], 99, sizeof c.secret[8]);
        crowd_agents(&c);
        way_init(&w, 1);
        w.inspect = listen_in;
        w.user = &e;
        ck_assert(crowd_run(&c, &w, 1000000));
        memcpy(words[k], e.up, sizeof e.up);
        messages[k] = e.messages;
        alone[k] = deal_of(&c, 8).standalone_cost;
        deals[k] = MGC__HASH_START;
        for (size_t i = 0; i < c.n; i++)
            deals[k] = mgc__hash_bytes(deals[k], c.agent[i]->ends[0].agreed, TOY_PERIODS * sizeof(int64_t));
        for (size_t i = 0; i < c.n; i++) /* masked numbers look like any of 2^62 */
            if (e.high[i] > 0) ck_assert_double_gt(e.high[i], 1e18);
        ck_assert_uint_gt(e.ups, 100);
        bus_free(&w.b);
        crowd_free(&c);
    }
    ck_assert_double_gt(fabs(alone[0] - alone[1]), 0.1);
    ck_assert_uint_eq(messages[0], messages[1]);
    ck_assert_uint_eq(deals[0], deals[1]);
    ck_assert_uint_eq(deals[0], deals[2]);
    for (size_t i = 0; i < 9; i++) ck_assert_uint_eq(words[0][i], words[1][i]);
    ck_assert(words[0][8] != words[2][8]);
}
END_TEST

/* Whoever forwards a leaf's word and takes off the one seed it may know still sees a number of 62 bits; a seed of its own for
 * every run. */
START_TEST(every_pair_and_run_has_a_seed_of_its_own)
{
    uint8_t seeds[2][7][MGC__POOL_SEED];

    for (int k = 0; k < 2; k++) {
        static crowd c;
        way w;
        crowd_init(&c, 7, 4);
        c.opts.run += (uint64_t)k;
        crowd_agents(&c);
        way_init(&w, 1);
        ck_assert(crowd_run(&c, &w, 1000000));
        for (size_t i = 0; i < c.n; i++) memcpy(seeds[k][i], c.agent[i]->pool->seed_out, MGC__POOL_SEED);
        for (size_t i = 0; i < c.n; i++) {
            bool heard = false;
            for (size_t j = 0; j < c.n; j++) heard |= i != j && memcmp(c.agent[i]->pool->seed_in, seeds[k][j], MGC__POOL_SEED) == 0;
            ck_assert(heard);
        }
        bus_free(&w.b);
        crowd_free(&c);
    }
    for (size_t i = 0; i < 14; i++)
        for (size_t j = 0; j < i; j++) ck_assert(memcmp(seeds[i / 7][i % 7], seeds[j / 7][j % 7], MGC__POOL_SEED) != 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_pool");
    TCase *tc = tcase_create("pool");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, a_pool_finds_the_least_cost_and_nash_payments, 0, (int)MGC__COUNT(sizes));
    tcase_add_loop_test(tc, weights_decide_the_shares, 0, 2);
    tcase_add_test(tc, neither_tree_nor_masks_nor_transport_change_the_deal);
    tcase_add_test(tc, a_crash_leaves_no_trace);
    tcase_add_loop_test(tc, a_silent_member_is_named_by_all, 0, 9);
    tcase_add_loop_test(tc, other_terms_are_named, 0, 9);
    tcase_add_test(tc, no_plan_alone_ends_the_run_for_all);
    tcase_add_test(tc, impossible_shares_shrink);
    tcase_add_loop_test(tc, a_liar_gains_nothing_from_others, 0, 8);
    tcase_add_test(tc, tomorrow_starts_where_today_ended);
    tcase_add_test(tc, private_numbers_are_in_no_byte);
    tcase_add_test(tc, every_pair_and_run_has_a_seed_of_its_own);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
