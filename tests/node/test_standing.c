/* SPDX-License-Identifier: Apache-2.0 */
/* Who votes by credit, and what of that a snapshot may say. */
#include "alliance.h"

/* --- by credit ------------------------------------------------------------------------------------ */

static uint32_t other_voter(uint32_t than, uint32_t nor)
{
    for (uint32_t i = 1; i <= n_nodes; i++)
        if (i != than && i != nor && members[i].node != NULL && info_of(i).standing == MGC_STANDING_VOTER) return i;
    return 0;
}

/* Eight epochs away, under two leaders: a learner.  Back, and of credit again: a voter.  And every member says that this follows. */
START_TEST(absence_costs_the_vote_and_presence_brings_it_back)
{
    uint64_t epoch = 0;
    uint32_t away, epochs = 0;

    open_all(4, 0, 0);
    found_market();
    away = leader() == 4 ? 3 : 4;
    stop(away);
    for (; epochs < 16 && member_of(leader(), away).standing == MGC_STANDING_VOTER; epochs++) {
        epoch_passes();
        if (epochs == 4) {
            OK(mgc_node_hand_over(members[leader()].node, other_voter(leader(), away)));
            run(1500);
        }
        if (epochs == 6) ck_assert_uint_eq(member_of(leader(), away).standing, MGC_STANDING_VOTER); /* not yet */
        run(600);
    }
    run(2000);
    ck_assert_uint_eq(member_of(leader(), away).standing, MGC_STANDING_LEARNER);
    ck_assert_uint_ge(epochs, 8);
    for (uint32_t i = 1; i <= 4; i++) {
        if (i == away) continue;
        const mgc_raft_config *config = mgc_raft_config_now(members[i].node->cluster->raft);
        ck_assert_uint_eq(info_of(i).n_voters, 3);
        ck_assert_uint_gt(config->epoch, 0); /* with its reason */
        ck_assert(memcmp(config->justification, members[i].node->cluster->roster.table.hash, 32) == 0);
        ck_assert_uint_eq(members[i].node->cluster->refused_configs, 0);
        epoch = config->epoch;
    }
    /* A restart of all: the reason is remembered. */
    for (uint32_t i = 1; i <= 4; i++)
        if (i != away) stop(i);
    for (uint32_t i = 1; i <= 4; i++) start(i);
    run(3000);
    ck_assert_uint_eq(member_of(leader(), away).standing, MGC_STANDING_LEARNER);
    for (epochs = 0; epochs < 40 && member_of(leader(), away).standing == MGC_STANDING_LEARNER; epochs++) epoch_passes();
    run(2000);
    ck_assert_uint_eq(member_of(leader(), away).standing, MGC_STANDING_VOTER);
    ck_assert_uint_ge(member_of(leader(), away).node_credit, 5000);
    ck_assert_uint_ge(mgc_raft_config_now(members[leader()].node->cluster->raft)->epoch, epoch + 4); /* dwell */
    ck_assert_uint_eq(info_of(leader()).n_voters, 4);
    check_alike();
    close_all();
}
END_TEST

/* Whom operators made a learner, credit does not make a voter. */
START_TEST(what_operators_decided_credit_leaves_alone)
{
    uint32_t chosen;

    open_all(4, 0, 0);
    found_market();
    chosen = leader() == 4 ? 3 : 4;
    approve(MGC_CHANGE_LEARNER, chosen, 3);
    run(3000);
    ck_assert_uint_eq(member_of(leader(), chosen).standing, MGC_STANDING_LEARNER);
    for (int i = 0; i < 8; i++) epoch_passes();
    ck_assert_uint_ge(member_of(leader(), chosen).node_credit, 5000);
    ck_assert_uint_eq(member_of(leader(), chosen).standing, MGC_STANDING_LEARNER);
    check_alike();
    close_all();
}
END_TEST

/* A leader that invents a configuration: nobody takes it; the next leader goes on without it. */
START_TEST(a_configuration_without_a_reason_is_not_taken)
{
    const uint8_t reason[32] = {1, 2, 3};

    for (int way = 0; way < 3; way++) {
        mgc_raft_change change = {.op = way == 2 ? MGC_RAFT_ADD_LEARNER : MGC_RAFT_REMOVE};
        mgc_raft_event event = {.kind = MGC_RAFT_CONF, .changes = &change, .n_changes = 1, .epoch = way == 1 ? 7 : 0,
                                .justification = way == 1 ? reason : NULL};
        uint64_t refused = 0;
        uint32_t old, victim;

        open_all(4, 0, 0);
        ck_assert(goes_through(1, 500));
        old = leader();
        victim = old == 4 ? 3 : 4;
        change.id = way == 2 ? 9 : victim; /* a voter goes, with or without an invented reason; a stranger comes */
        change.incarnation = 1;
        OK(mgc__cluster_event(members[old].node->cluster, &event));
        run(1000);
        for (uint32_t i = 1; i <= 4; i++)
            if (i != old) {
                refused += members[i].node->cluster->refused_configs;
                ck_assert_uint_eq(info_of(i).n_voters, 4);
                ck_assert_uint_eq(info_of(i).n_learners, 0);
                ck_assert_uint_eq(info_of(i).changing, 0);
            }
        ck_assert_uint_gt(refused, 0);
        stop(old);
        run(3000);
        ck_assert_uint_ne(leader(), 0);
        ck_assert(goes_through(leader(), 2000));
        start(old); /* it drops what nobody else has */
        run(3000);
        ck_assert_uint_eq(info_of(old).n_voters, 4);
        ck_assert(goes_through(leader(), 2000));
        check_alike();
        close_all();
    }
}
END_TEST

/* Who takes part is believed what majorities signed: any byte of it changed, and the snapshot is none. */
START_TEST(a_roster_in_a_snapshot_is_checked)
{
    struct mgc__cluster *c;
    mgc__raftlog_info info;
    static standing s;
    uint8_t *bytes;
    mgc__buf deeds;
    bool good;
    uint32_t refused = 0, read = 0;

    open_all(3, 0, 1);
    approve(MGC_CHANGE_LEARNER, 4, 2);
    for (int i = 0; i < 300; i++) {
        submit(1, ++nonce);
        run(40);
    }
    run(3000);
    c = members[1].node->cluster;
    mgc__raftlog_get_info(c->log, &info);
    ck_assert_uint_gt(info.snapshot.index, 0);
    ck_assert_uint_eq(c->roster.changes, 1);
    bytes = malloc((size_t)info.snapshot.size);
    OK(mgc__raftlog_snap_read(c->log, 0, bytes, (size_t)info.snapshot.size));
    mgc__buf_init(&deeds, ctx, 1 << 21);
    OK(mgc__standing_read(c, bytes, (size_t)info.snapshot.size, &s, &deeds, &good));
    ck_assert(good && s.roster.n == 4 && s.roster.changes == 1);
    ck_assert(memcmp(s.roster.list[3].public_key, people[3].public_key, 32) == 0);
    for (size_t at = (size_t)info.snapshot.size - c->deeds.len; at < info.snapshot.size; at++) {
        bytes[at] ^= 1;
        OK(mgc__standing_read(c, bytes, (size_t)info.snapshot.size, &s, &deeds, &good));
        refused += !good;
        read++;
        bytes[at] ^= 1;
    }
    ck_assert_uint_eq(refused, read);
    ck_assert_uint_gt(read, 200);
    mgc__buf_free(&deeds);
    free(bytes);
    close_all();
}
END_TEST

/* So is the configuration: the blocks say it, which quorums signed. */
START_TEST(a_configuration_in_a_snapshot_is_proved)
{
    mgc_raft_config other;
    struct mgc__cluster *c;

    open_all(3, 0, 1);
    for (int i = 0; i < 400; i++) {
        submit(1, ++nonce);
        run(40);
    }
    misconfigured = 0;
    for (uint32_t i = 1; i <= 3; i++) members[i].other_config = true;
    approve(MGC_CHANGE_VOTER, 4, 2);
    run(12000);
    ck_assert_uint_gt(misconfigured, 2);
    ck_assert_uint_eq(member_of(1, 4).aim, MGC_STANDING_VOTER);
    ck_assert_uint_eq(info_of(4).ordered, 1); /* it has the blocks, and takes no such order */
    ck_assert_uint_eq(info_of(4).standing, MGC_STANDING_STRANGER);
    for (uint32_t i = 1; i <= 3; i++) members[i].other_config = false;
    run(20000);
    ck_assert_uint_eq(info_of(4).standing, MGC_STANDING_VOTER);
    ck_assert(goes_through(4, 1500));
    check_alike();
    c = members[4].node->cluster;
    ck_assert(mgc__order_said(c, &c->config));
    for (int what = 0; what < 5; what++) {
        other = c->config;
        if (what == 0) other.index++;
        if (what == 1) other.members[1].incarnation++;
        if (what == 2) other.members[3].roles = MGC_RAFT_LEARNER;
        if (what == 3) other.n_members--;
        if (what == 4) other.epoch++;
        ck_assert(!mgc__order_said(c, &other));
    }
    close_all();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_configuration_in_a_snapshot_is_proved);
    tcase_add_test(tc, absence_costs_the_vote_and_presence_brings_it_back);
    tcase_add_test(tc, what_operators_decided_credit_leaves_alone);
    tcase_add_test(tc, a_configuration_without_a_reason_is_not_taken);
    tcase_add_test(tc, a_roster_in_a_snapshot_is_checked);
}

int main(void)
{
    return alliance_run("node-standing", cases);
}
