/* SPDX-License-Identifier: Apache-2.0 */
/* Who votes, by credit: the rule by itself, and what others make of a proposal. */
#include <check.h>
#include <stdio.h>

#include "cluster.h"

static const uint8_t some_hash[32] = {1, 2, 3}, other_hash[32] = {9};

typedef struct world {
    mgc_raft_config now;
    mgc_raft_standing members[MGC_RAFT_MEMBERS_MAX];
    uint32_t n;
} world;

/* n members of the neutral credit, the first of them voters. */
static world make_world(uint32_t n, uint32_t voters)
{
    world w = {.n = n, .now = {.index = 1}};

    for (uint32_t i = 0; i < n; i++) {
        mgc_raft_member *m = &w.now.members[w.now.n_members++];

        *m = (mgc_raft_member){.id = i + 1, .roles = i < voters ? MGC_RAFT_VOTER : MGC_RAFT_LEARNER, .incarnation = 1};
        w.members[i] = (mgc_raft_standing){.id = i + 1, .node_credit = 4000, .trade_credit = 5000};
    }
    return w;
}

static mgc_raft_change decide(const world *w, uint64_t epoch, const mgc_raft_policy *policy)
{
    mgc_raft_table table = {.epoch = epoch, .hash = some_hash, .members = w->members, .n_members = w->n};
    mgc_raft_change change;

    ck_assert_int_eq(mgc_raft_policy_decide(NULL, policy, &w->now, &table, &change), MGC_OK);
    return change;
}

/* Through the joint configuration to the one behind it, as the log does. */
static void carry_out(world *w, uint64_t epoch, const mgc_raft_change *change)
{
    mgc_raft_config joint;

    ck_assert_ptr_null(mgc__config_enter(&w->now, change, 1, true, &joint));
    joint.epoch = epoch;
    ck_assert_ptr_null(mgc__config_leave(&joint, &w->now));
}

static uint32_t voters_of(const world *w)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->now.n_members; i++) n += (w->now.members[i].roles & MGC_RAFT_VOTER) != 0;
    return n;
}

START_TEST(C5_V_min)
{
    world w = make_world(3, 3);

    for (uint32_t i = 0; i < 3; i++) w.members[i] = (mgc_raft_standing){.id = i + 1, .node_credit = 1999, .flags = MGC_RAFT_ABSENT};
    for (uint64_t epoch = 1; epoch <= 50; epoch++) ck_assert_uint_eq(decide(&w, epoch, NULL).op, 0);
    for (uint32_t i = 0; i < 3; i++) w.members[i].flags |= MGC_RAFT_CONVICTED;
    for (uint64_t epoch = 1; epoch <= 50; epoch++) ck_assert_uint_eq(decide(&w, epoch, NULL).op, 0);
    w = make_world(5, 5); /* five of no credit: two may go, one after the other, the worst first */
    for (uint32_t i = 0; i < 5; i++)
        w.members[i] = (mgc_raft_standing){.id = i + 1, .node_credit = 1900 - 100 * i, .flags = MGC_RAFT_ABSENT};
    for (uint64_t epoch = 1; epoch <= 50; epoch++) {
        mgc_raft_change change = decide(&w, epoch, NULL);

        if (change.op != 0) carry_out(&w, epoch, &change);
        ck_assert_uint_ge(voters_of(&w), 3);
    }
    ck_assert_uint_eq(voters_of(&w), 3);
    ck_assert(!mgc__config_voter(&w.now, 5) && !mgc__config_voter(&w.now, 4));
}
END_TEST

/* Credit that jumps across both bounds in every epoch: four epochs lie between two changes all the same. */
START_TEST(C6_flapping)
{
    for (uint32_t period = 1; period <= 4; period++) {
        world w = make_world(5, 5);
        uint32_t changes = 0;
        uint64_t last = 0;

        for (uint64_t epoch = 1; epoch <= 100; epoch++) {
            bool low = epoch / period % 2 == 0;
            mgc_raft_change change;

            w.members[3].node_credit = low ? 1999 : 5000;
            w.members[3].flags = low ? MGC_RAFT_ABSENT : 0;
            w.members[4] = w.members[3];
            w.members[4].id = 5;
            change = decide(&w, epoch, NULL);
            if (change.op == 0) continue;
            ck_assert(last == 0 || epoch - last >= 4);
            carry_out(&w, epoch, &change);
            last = epoch;
            changes++;
        }
        ck_assert_uint_ge(changes, 5); /* it is not asleep either */
        ck_assert_uint_le(changes, 25);
    }
}
END_TEST

/* Credit alone does not take a vote away: a leader may leave out signatures.  Who reckons the table says ABSENT only
 * where two leaders agree (tests/contract, C10); without that, no credit is too low. */
START_TEST(C10_low_credit_alone_keeps_its_vote)
{
    world w = make_world(4, 4);

    w.members[2].node_credit = 0;
    for (uint64_t epoch = 1; epoch <= 50; epoch++) ck_assert_uint_eq(decide(&w, epoch, NULL).op, 0);
    w.members[2].flags = MGC_RAFT_ABSENT;
    ck_assert_uint_eq(decide(&w, 51, NULL).op, MGC_RAFT_ADD_LEARNER);
    ck_assert_uint_eq(decide(&w, 51, NULL).id, 3);
    w.members[2].node_credit = 2000; /* regained */
    ck_assert_uint_eq(decide(&w, 51, NULL).op, 0);
}
END_TEST

START_TEST(bounds_and_order)
{
    world w = make_world(7, 5);
    mgc_raft_policy policy;
    mgc_raft_table table = {.epoch = 9, .hash = some_hash, .members = w.members, .n_members = 7};
    mgc_raft_change change;

    w.members[5].node_credit = 4999;
    ck_assert_uint_eq(decide(&w, 9, NULL).op, 0);
    w.members[5].node_credit = 5000;
    ck_assert_uint_eq(decide(&w, 9, NULL).id, 6);
    w.members[6].node_credit = 5001; /* the best first */
    ck_assert_uint_eq(decide(&w, 9, NULL).id, 7);
    w.members[1] = (mgc_raft_standing){.id = 2, .node_credit = 1999, .flags = MGC_RAFT_ABSENT}; /* before that, who must go */
    ck_assert_uint_eq(decide(&w, 9, NULL).id, 2);
    w.members[0].flags = MGC_RAFT_CONVICTED; /* and before that, who lied */
    ck_assert_uint_eq(decide(&w, 9, NULL).id, 1);
    ck_assert_uint_eq(decide(&w, 9, NULL).op, MGC_RAFT_REMOVE);
    w.now.epoch = 8; /* within the dwell only that */
    ck_assert_uint_eq(decide(&w, 9, NULL).id, 1);
    w.now.epoch = 9;
    ck_assert_uint_eq(decide(&w, 9, NULL).op, 0);
    w.now.epoch = 6;
    w.members[0].flags = 0;
    ck_assert_uint_eq(decide(&w, 9, NULL).op, 0);
    ck_assert_uint_eq(decide(&w, 10, NULL).id, 2);
    w.now.members[4].roles = MGC_RAFT_VOTER | MGC_RAFT_VOTER_OLD; /* joint */
    ck_assert_uint_eq(decide(&w, 10, NULL).op, 0);
    w.now.members[4].roles = MGC_RAFT_VOTER;
    w.n = 1; /* members without a standing, regulators, are let alone */
    ck_assert_uint_eq(decide(&w, 10, NULL).op, 0);

    mgc_raft_policy_init(&policy, sizeof policy);
    policy.leave = 5000;
    ck_assert_int_eq(mgc_raft_policy_decide(NULL, &policy, &w.now, &table, &change), MGC_E_RANGE);
    policy.leave = 2000;
    policy.voters_min = 0;
    ck_assert_int_eq(mgc_raft_policy_decide(NULL, &policy, &w.now, &table, &change), MGC_E_RANGE);
    policy.voters_min = 3;
    w.members[0].node_credit = 10001;
    ck_assert_int_eq(mgc_raft_policy_decide(NULL, &policy, &w.now, &table, &change), MGC_E_RANGE);
    table.hash = NULL;
    ck_assert_int_eq(mgc_raft_policy_decide(NULL, NULL, &w.now, &table, &change), MGC_E_INVALID_ARG);
}
END_TEST

/* --- vouching --- */

typedef struct follower {
    cluster *c;
    mgc_raft_standing members[4];
    mgc_raft_table table;
    uint8_t bytes[MGC_RAFT_CONFIG_BYTES_MAX];
    mgc_raft_entry entry;
    mgc_raft_msg msg;
} follower;

static follower make_follower(void)
{
    follower f = {.c = cluster_new(4, 0, 0)};

    for (uint32_t i = 1; i <= 4; i++) {
        node_start(f.c, i);
        f.members[i - 1] = (mgc_raft_standing){.id = i, .node_credit = i == 3 ? 100 : 6000, .flags = i == 3 ? MGC_RAFT_ABSENT : 0};
    }
    f.table = (mgc_raft_table){.epoch = 5, .hash = some_hash, .n_members = 4};
    return f;
}

/* What member 2 says to an append of `from` with that change. */
static uint64_t vouch(follower *f, const mgc_raft_change *change, uint64_t epoch, const uint8_t *hash, uint32_t from, uint64_t commit)
{
    mgc_raft_config next;
    uint64_t refuse_from = 99;

    f->table.members = f->members;
    ck_assert_ptr_null(mgc__config_enter(mgc_raft_config_now(f->c->nodes[2].raft), change, 1, true, &next));
    next.epoch = epoch;
    memcpy(next.justification, hash, 32);
    f->entry = (mgc_raft_entry){.index = 2, .term = 2, .type = MGC_RAFT_CONFIG, .bytes = f->bytes,
                                .len = mgc__config_encode(&next, f->bytes)};
    f->msg = (mgc_raft_msg){.kind = MGC_RAFT_APPEND_REQ, .from = from, .to = 2, .term = 2, .index = 1, .log_term = 1, .n_entries = 1,
                            .commit = commit, .entries = &f->entry};
    ck_assert_int_eq(mgc_raft_policy_vouch(NULL, f->c->nodes[2].raft, NULL, &f->msg, &f->table, 1, &refuse_from), MGC_OK);
    return refuse_from;
}

START_TEST(C4_only_what_is_justified_is_acknowledged)
{
    static const uint8_t none[32];
    follower f = make_follower();
    const mgc_raft_change right = {.op = MGC_RAFT_ADD_LEARNER, .id = 3}, wrong = {.op = MGC_RAFT_ADD_LEARNER, .id = 4},
                          harder = {.op = MGC_RAFT_REMOVE, .id = 3};

    ck_assert_uint_eq(vouch(&f, &right, 5, some_hash, 1, 1), 0);
    ck_assert_uint_eq(vouch(&f, &wrong, 5, some_hash, 1, 1), 2);
    ck_assert_uint_eq(vouch(&f, &harder, 5, some_hash, 1, 1), 2);
    ck_assert_uint_eq(vouch(&f, &right, 5, other_hash, 1, 1), 2); /* another table */
    ck_assert_uint_eq(vouch(&f, &right, 6, some_hash, 1, 1), 2);  /* not there yet */
    ck_assert_uint_eq(vouch(&f, &right, 4, some_hash, 1, 1), 2);  /* long ago, and not decided */
    ck_assert_uint_eq(vouch(&f, &right, 4, some_hash, 1, 2), 0);
    ck_assert_uint_eq(vouch(&f, &right, 5, some_hash, 3, 1), 2);  /* a leader dismisses itself after handing over */
    ck_assert_uint_eq(vouch(&f, &wrong, 0, none, 1, 1), 0);       /* an operator's */
    f.members[2].flags = 0;
    ck_assert_uint_eq(vouch(&f, &right, 5, some_hash, 1, 1), 2);
    cluster_free(f.c);
}
END_TEST

/* Leader 1 demotes 3 by credit and dies when one other has it: who comes next commits it or cuts it, and at equal
 * applied indices all have the same voters.  Every place where it can die is tried. */
START_TEST(C4_demotion_race)
{
    const mgc_raft_change change = {.op = MGC_RAFT_ADD_LEARNER, .id = 3};
    const mgc_raft_event demote = {.kind = MGC_RAFT_CONF, .changes = &change, .n_changes = 1, .epoch = 5, .justification = some_hash};
    uint32_t kept = 0, lost = 0;

    for (uint32_t place = 0; place < 24; place++) {
        cluster *c = cluster_new(4, 0, 0);
        const mgc_raft_config *first = NULL;
        uint32_t next = 2 + place % 3;

        for (uint32_t i = 1; i <= 4; i++) node_start(c, i);
        node_fire(c, 1, MGC__FIRE_ELECTION);
        ck_assert(settle(c, ~0u));
        node_event(c, 1, &demote);
        for (uint32_t k = 0; k < place; k++) flow(c, k % 2 == 0 ? 1 : 2 + k / 2 % 3, k % 2 == 0 ? 2 + k / 2 % 3 : 1, 0);
        node_crash(c, 1);
        for (uint32_t i = 2; i <= 4; i++) c->channels[1][i].cut = true;
        for (uint32_t k = 0; k < 9; k++) { /* whoever can: the first may have the shortest log */
            bool led = false;

            for (uint32_t i = 2; i <= 4; i++) led = led || node_info(c, i).role == MGC_RAFT_LEADER;
            if (!led) node_fire(c, 2 + (next - 2 + k / 3) % 3, MGC__FIRE_ELECTION);
            settle(c, ~0u);
        }
        for (uint32_t i = 2; i <= 4; i++) c->channels[1][i].cut = false;
        node_start(c, 1);
        for (uint32_t k = 0; k < 4; k++) {
            for (uint32_t i = 1; i <= 4; i++)
                if (node_info(c, i).role == MGC_RAFT_LEADER) node_fire(c, i, MGC__FIRE_HEARTBEAT);
            settle(c, ~0u);
        }
        check_invariants(c);
        ck_assert_str_eq(c->fault, "");
        for (uint32_t i = 1; i <= 4; i++) {
            const mgc_raft_config *now = mgc__config_at(c->nodes[i].raft, node_info(c, i).applied);

            if (node_info(c, i).applied != node_info(c, 2).applied) continue;
            if (first == NULL) first = now;
            ck_assert(first->index == now->index && mgc__config_same_members(first, now));
        }
        ck_assert(!mgc__config_joint(first));
        kept += !mgc__config_voter(first, 3);
        lost += mgc__config_voter(first, 3);
        cluster_free(c);
    }
    ck_assert_uint_ge(kept, 1);
    ck_assert_uint_ge(lost, 1);
}
END_TEST

/* U6: who was elected because nobody else could hands over to the best-ranked voter that has the whole log. */
START_TEST(U6_caretaker_hands_over)
{
    static const mgc_raft_credit view[3] = {{1, 2, 0, 0}, {2, 1, 1, 0}, {3, 0, 1, 0}};
    cluster *c = cluster_new(3, 0, 0);
    mgc_raft_event transfer = {.kind = MGC_RAFT_TRANSFER};

    for (uint32_t i = 1; i <= 3; i++) {
        c->nodes[i].credit = view;
        c->nodes[i].n_credit = 3;
        node_start(c, i);
        c->nodes[i].n_credit = 3;
    }
    ck_assert_uint_eq(mgc_raft_caretaker_target(c->nodes[1].raft), 0); /* no leader */
    node_fire(c, 1, MGC__FIRE_ELECTION);
    c->channels[1][3].cut = true;
    settle(c, ~0u);
    node_propose(c, 1, "a");
    settle(c, ~0u);
    ck_assert_uint_eq(node_info(c, 1).role, MGC_RAFT_LEADER);
    ck_assert_uint_eq(node_info(c, 1).commit, 3);                      /* it commits as any other */
    ck_assert_uint_eq(mgc_raft_caretaker_target(c->nodes[1].raft), 2); /* 3 ranks higher and lacks the log */
    c->channels[1][3].cut = false;
    for (uint32_t i = 0; i < 3; i++) {
        node_fire(c, 1, MGC__FIRE_HEARTBEAT);
        settle(c, ~0u);
    }
    transfer.member = mgc_raft_caretaker_target(c->nodes[1].raft);
    ck_assert_uint_eq(transfer.member, 3);
    node_event(c, 1, &transfer);
    settle(c, ~0u);
    ck_assert_uint_eq(node_info(c, 3).role, MGC_RAFT_LEADER);
    ck_assert_uint_eq(mgc_raft_caretaker_target(c->nodes[3].raft), 0); /* it need not */
    check_invariants(c);
    ck_assert_str_eq(c->fault, "");
    cluster_free(c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");
    TCase *tcase = tcase_create("credit and membership");
    SRunner *runner;
    int failed;

    tcase_add_test(tcase, C5_V_min);
    tcase_add_test(tcase, C6_flapping);
    tcase_add_test(tcase, C10_low_credit_alone_keeps_its_vote);
    tcase_add_test(tcase, bounds_and_order);
    tcase_add_test(tcase, C4_only_what_is_justified_is_acknowledged);
    tcase_add_test(tcase, C4_demotion_race);
    tcase_add_test(tcase, U6_caretaker_hands_over);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
