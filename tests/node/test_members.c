/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes part: learners, newcomers, who goes, who lost its store. */
#include "alliance.h"

/* --- learners ------------------------------------------------------------------------------------- */

static mgc_status ask(uint32_t at, uint32_t caller, const char *what)
{
    mgc_rows *rows;
    mgc_status st = mgc_node_query(members[at].node, caller, what, NULL, &rows);

    ck_assert((st == MGC_OK) == (rows != NULL));
    mgc_rows_destroy(rows);
    return st;
}

/* Into the founded market's first organisation, by its administrator. */
static void enrol(uint32_t id, uint32_t roles)
{
    const mgc_signer administrator = {.key = user, .role = MGC_ROLE_ADMINISTRATOR};
    mgc_node_call_opts call;
    mgc_ticket_info info = {.struct_size = sizeof info};
    uint64_t number;
    char words[200];
    int at = snprintf(words, sizeof words, "id=%" PRIu32 "&organisation=1&name=r&roles=%" PRIu32 "&from_height=0&key=", id, roles);

    for (int i = 0; i < 32; i++) at += snprintf(words + at, sizeof words - (size_t)at, "%02x", people[id - 1].public_key[i]);
    mgc_node_call_opts_init(&call, sizeof call);
    call.contract = INFO;
    call.method = "member";
    call.words = words;
    call.signers = &administrator;
    call.n_signers = 1;
    OK(mgc_node_call(members[1].node, &call, &number, NULL));
    nonce++;
    run(1500);
    OK(mgc_ticket_state(members[1].node, number, &info));
    ck_assert_msg(info.state == MGC_TICKET_COMMITTED, "%s", mgc_status_name(info.status));
}

START_TEST(a_learner_has_everything_and_counts_nowhere)
{
    mgc_verifier v;
    mgc_verified what = {.struct_size = sizeof what};
    mgc_chain_info chain = {.struct_size = sizeof chain};
    static uint8_t proof[1 << 16];
    size_t len;

    open_all(3, 1, 0);
    for (int i = 0; i < 5; i++) ck_assert(goes_through(1, 400));
    check_alike();
    ck_assert_uint_eq(info_of(4).standing, MGC_STANDING_LEARNER);
    ck_assert_uint_eq(info_of(4).n_voters, 3);
    ck_assert_uint_eq(info_of(4).n_learners, 1);
    /* Whoever has nothing but the chain's id believes the learner by its certificate. */
    OK(mgc_chain_get_info(mgc_node_chain(members[4].node, INFO), &chain));
    OK(mgc_chain_prove_transaction(mgc_node_chain(members[4].node, INFO), chain.final_height, 0, proof, sizeof proof, &len));
    OK(mgc_verifier_init(&v, sizeof v, chain.chain_id));
    OK(mgc_verify_transaction(&v, proof, len, &what));
    ck_assert_uint_eq(what.height, chain.final_height);
    ck_assert_uint_ge(what.n_votes, 2);
    proof[len / 2] ^= 1;
    ck_assert_int_ne(mgc_verify_transaction(&v, proof, len, &what), MGC_OK);
    /* Two of three voters gone: the learner does not make up for one. */
    stop(leader() == 1 ? 2 : 1);
    stop(3);
    ck_assert(!goes_through(leader() == 2 || members[1].node == NULL ? 2 : 1, 3000));
    ck_assert_uint_ne(leader(), 4);
    close_all();
}
END_TEST

/* A regulator's own node keeps the record of what the regulator asks it: durable first, and no answer where that fails. */
START_TEST(a_learner_keeps_the_record_of_its_regulator) /* faults 75 */
{
    enum { REGULATOR = 4 };
    struct sim_disk *disk;
    uint64_t n;

    open_all(3, 1, 0);
    found_market();
    enrol(REGULATOR, 1u << MGC_ROLE_REGULATOR);
    disk = &members[4].disk;
    ck_assert_uint_eq(info_of(4).standing, MGC_STANDING_LEARNER);
    ck_assert_int_eq(ask(4, 0, "blocks"), MGC_OK);
    ck_assert_ptr_null(sim_disk_find(disk, "audit-reads.log")); /* everybody may ask that */
    ck_assert_int_eq(ask(4, REGULATOR, "blocks"), MGC_OK);
    ck_assert_int_eq(ask(4, REGULATOR, "trades"), MGC_OK);
    OK(mgc_node_verify_audits(ctx, &sim_disk_ops, disk, &n));
    ck_assert_uint_eq(n, 2);
    for (uint32_t i = 1; i <= 3; i++) ck_assert_ptr_null(sim_disk_find(&members[i].disk, "audit-reads.log")); /* a node's own */
    disk->fault_at = disk->calls; /* the append */
    ck_assert_int_eq(ask(4, REGULATOR, "trades"), MGC_E_IO);
    disk->fail_sync = true;
    ck_assert_int_eq(ask(4, REGULATOR, "trades"), MGC_E_IO);
    ck_assert_int_eq(ask(4, REGULATOR, "trades"), MGC_E_FAILED); /* what a failed sync left behind is not believed */
    ck_assert_int_eq(ask(4, 0, "blocks"), MGC_OK);               /* the others are served */
    stop(4);
    start(4);
    ck_assert_int_eq(ask(4, REGULATOR, "trades"), MGC_OK);
    OK(mgc_node_verify_audits(ctx, &sim_disk_ops, disk, &n));
    ck_assert_uint_eq(n, 3);
    close_all();
}
END_TEST

/* --- joining and leaving -------------------------------------------------------------------------- */

START_TEST(a_newcomer_learns_then_votes)
{
    open_all(3, 0, 1);
    ck_assert(goes_through(1, 500));
    ck_assert_uint_eq(info_of(4).standing, MGC_STANDING_STRANGER);
    uint64_t ordered = info_of(1).ordered;
    approve(MGC_CHANGE_VOTER, 4, 1);
    run(2000);
    ck_assert_uint_eq(info_of(4).standing, MGC_STANDING_STRANGER); /* one of three is no majority */
    ck_assert_uint_eq(info_of(1).ordered, ordered);
    approve(MGC_CHANGE_VOTER, 4, 2);
    run(4000);
    ck_assert_uint_eq(info_of(4).standing, MGC_STANDING_VOTER);
    ck_assert_uint_eq(member_of(1, 4).aim, MGC_STANDING_VOTER);
    for (uint32_t i = 1; i <= 4; i++) ck_assert_uint_eq(info_of(i).n_voters, 4);
    check_alike();
    ck_assert(goes_through(4, 1000)); /* handed in at the newcomer */
    stop(leader());                   /* three of four go on */
    run(2000);
    ck_assert_uint_ne(leader(), 0);
    ck_assert(goes_through(leader(), 2000));
    close_all();
}
END_TEST

/* The order was compacted long before: the newcomer gets blocks with their certificates, then the rest of the log. */
START_TEST(a_newcomer_comes_late)
{
    open_all(3, 0, 1);
    for (int i = 0; i < 700; i++) {
        submit(1, ++nonce);
        run(40);
    }
    approve(MGC_CHANGE_LEARNER, 4, 2);
    run(30000);
    ck_assert_uint_eq(info_of(4).standing, MGC_STANDING_LEARNER);
    ck_assert(goes_through(1, 1000));
    check_alike();
    stop(4); /* and what it knows survives */
    start(4);
    run(2000);
    ck_assert_uint_eq(info_of(4).standing, MGC_STANDING_LEARNER);
    ck_assert(goes_through(1, 1000));
    check_alike();
    close_all();
}
END_TEST

/* Proofs of what stands at that member, by the chain's id alone; who signed the last block: bits by number. */
static uint32_t signers_of_last(uint32_t at, mgc_verifier *kept)
{
    static uint8_t proof[1 << 17];
    mgc_chain *chain = mgc_node_chain(members[at].node, INFO);
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_verified what = {.struct_size = sizeof what};
    mgc_verifier fresh;
    mgc_block *block;
    uint32_t bits = 0;
    size_t len;

    OK(mgc_chain_get_info(chain, &info));
    OK(mgc_chain_prove_transaction(chain, info.final_height, 0, proof, sizeof proof, &len));
    OK(mgc_verifier_init(&fresh, sizeof fresh, info.chain_id));
    OK(mgc_verify_transaction(&fresh, proof, len, &what));
    ck_assert_uint_eq(what.height, info.final_height);
    OK(mgc_verify_transaction(kept, proof, len, &what));
    OK(mgc_chain_read_block(chain, info.final_height, &block));
    for (uint32_t i = 0; i < what.n_votes; i++) {
        mgc_vote vote;
        OK(mgc_block_get_vote(block, i, &vote));
        bits |= 1u << vote.member;
    }
    mgc_block_destroy(block);
    return bits;
}

/* All whom the genesis names are gone; blocks are signed by those who came, and a light client follows. */
START_TEST(nobody_of_the_genesis_is_left)
{
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_verifier kept;
    uint32_t signed_by;

    open_all(3, 0, 3);
    ck_assert(goes_through(1, 500));
    OK(mgc_chain_get_info(mgc_node_chain(members[1].node, INFO), &chain));
    OK(mgc_verifier_init(&kept, sizeof kept, chain.chain_id));
    ck_assert_uint_eq(signers_of_last(1, &kept) & ~(1u << 1 | 1u << 2 | 1u << 3), 0);
    for (uint32_t i = 4; i <= 6; i++) {
        approve(MGC_CHANGE_VOTER, i, i - 1);
        run(4000);
        ck_assert_uint_eq(info_of(i).standing, MGC_STANDING_VOTER);
        ck_assert(goes_through(leader(), 1000));
        ck_assert_uint_ne(signers_of_last(leader(), &kept), 0);
    }
    for (uint32_t i = 1; i <= 3; i++) {
        approve(MGC_CHANGE_REMOVE, i, 6);
        run(5000);
        ck_assert_uint_eq(member_of(4, i).standing, MGC_STANDING_REMOVED);
        stop(i);
        run(2000);
        ck_assert(goes_through(leader(), 2000));
        ck_assert_uint_ne(signers_of_last(leader(), &kept), 0);
    }
    OK(mgc_chain_get_info(mgc_node_chain(members[4].node, INFO), &chain));
    ck_assert_uint_eq(chain.n_members, 3);
    ck_assert_uint_eq(chain.changing, 0);
    signed_by = signers_of_last(4, &kept);
    ck_assert_uint_eq(signed_by & (1u << 1 | 1u << 2 | 1u << 3), 0);
    ck_assert_uint_eq(kept.members_height, chain.config_height);
    for (uint32_t i = 4; i <= 6; i++) {
        stop(i);
        start(i);
    }
    run(3000);
    ck_assert(goes_through(leader(), 2000));
    ck_assert_uint_eq(signers_of_last(leader(), &kept) & (1u << 1 | 1u << 2 | 1u << 3), 0);
    /* A quorum of those who are now there is enough, one is not. */
    stop(leader() == 4 ? 5 : 4);
    run(3000);
    ck_assert(goes_through(leader(), 2000));
    check_alike();
    close_all();
}
END_TEST

START_TEST(a_member_goes_even_if_it_leads)
{
    uint32_t old;

    open_all(4, 0, 0);
    ck_assert(goes_through(1, 500));
    old = leader();
    approve(MGC_CHANGE_REMOVE, old, 3);
    run(5000);
    ck_assert_uint_ne(leader(), old);
    ck_assert_uint_ne(leader(), 0);
    ck_assert_uint_eq(info_of(old).standing, MGC_STANDING_REMOVED);
    ck_assert_uint_eq(info_of(leader()).n_voters, 3);
    ck_assert(goes_through(leader(), 1000));
    /* It disturbs nobody, and counts for nothing. */
    uint64_t term = info_of(leader()).term, ordered = info_of(old).ordered;
    run(3000);
    ck_assert(goes_through(leader(), 1000));
    ck_assert_uint_eq(info_of(leader()).term, term);
    ck_assert_uint_eq(info_of(old).ordered, ordered);
    check_alike();
    ck_assert_int_eq(mgc_node_change_member(members[old].node, MGC_CHANGE_VOTER, &people[old - 1]), MGC_E_STATE);
    close_all();
}
END_TEST

START_TEST(changes_that_cannot_be_are_refused)
{
    mgc_member other = {.id = 2}, stranger = {.id = 99}, nobody = {.id = 0};

    open_all(2, 1, 0);
    memcpy(other.public_key, people[0].public_key, 32);
    memcpy(stranger.public_key, people[0].public_key, 32);
    ck_assert_int_eq(mgc_node_change_member(members[1].node, MGC_CHANGE_VOTER, &other), MGC_E_EXISTS_DIFFERENT);
    ck_assert_int_eq(mgc_node_change_member(members[1].node, MGC_CHANGE_REMOVE, &stranger), MGC_E_NOT_FOUND);
    ck_assert_int_eq(mgc_node_change_member(members[1].node, 9, &stranger), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_node_change_member(members[1].node, MGC_CHANGE_VOTER, &nobody), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_node_change_member(members[1].node, MGC_CHANGE_VOTER, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_node_change_member(members[3].node, MGC_CHANGE_VOTER, &people[2]), MGC_E_STATE);
    ck_assert_int_eq(mgc_node_hand_over(members[leader() == 1 ? 2 : 1].node, 1), MGC_E_STATE);
    ck_assert_int_eq(mgc_node_hand_over(members[leader()].node, 3), MGC_E_NOT_FOUND);
    close_all();
}
END_TEST

/* --- a store is lost ------------------------------------------------------------------------------ */

START_TEST(who_lost_its_store_comes_back_as_another)
{
    open_all(3, 0, 0);
    for (int i = 0; i < 5; i++) ck_assert(goes_through(1, 300));
    for (uint32_t times = 1; times <= 2; times++) {
        stop(2);
        sim_disk_free(&members[2].disk);
        sim_disk_init(&members[2].disk, &rng);
        members[2].lost_store = times;
        start(2);
        run(6000);
        ck_assert_uint_eq(member_of(1, 2).incarnation, 1 + times);
        ck_assert_uint_eq(member_of(1, 2).standing, MGC_STANDING_VOTER);
        check_alike();
    }
    stop(leader() == 3 ? 3 : 1); /* its vote counts again */
    run(2500);
    ck_assert_uint_ne(leader(), 0);
    ck_assert(goes_through(leader(), 2000));
    stop(2); /* and it knows who it is when it starts again */
    start(2);
    run(2500);
    ck_assert_uint_eq(member_of(2, 2).incarnation, 3);
    ck_assert(goes_through(leader(), 2000));
    close_all();
}
END_TEST

/* The leader dies while a change is under way, at every stage of it: the next one ends it. */
START_TEST(a_crash_in_the_middle_of_a_change)
{
    for (uint64_t ms = 4; ms <= 84; ms += 8) {
        uint32_t old;

        open_all(3, 0, 1);
        ck_assert(goes_through(1, 500));
        old = leader();
        approve(MGC_CHANGE_VOTER, 4, 2);
        run(ms);
        stop(old);
        run(1500 + ms);
        start(old);
        for (int i = 0; i < 20 && (leader() == 0 || info_of(leader()).n_voters != 4 || info_of(leader()).changing != 0); i++) run(500);
        ck_assert_msg(leader() != 0 && info_of(leader()).n_voters == 4, "crash after %" PRIu64 " ms", ms);
        ck_assert_uint_eq(info_of(4).standing, MGC_STANDING_VOTER);
        ck_assert(goes_through(leader(), 2000));
        run(1000);
        check_alike();
        close_all();
    }
}
END_TEST

/* --- rounds --------------------------------------------------------------------------------------- */

/* A transaction whose nonce comes too early makes one round to find that out, not one a tick. */
START_TEST(a_gap_in_nonces_makes_no_rounds)
{
    mgc_ticket_info info = {.struct_size = sizeof info};
    uint64_t ordered, early;

    open_all(3, 0, 0);
    ck_assert(goes_through(1, 500));
    early = submit(1, nonce + 2);
    run(1000);
    ordered = info_of(1).ordered;
    run(5000);
    ck_assert_uint_le(info_of(1).ordered, ordered + 1);
    ck_assert(goes_through(1, 1000)); /* the one before it */
    OK(mgc_ticket_state(members[1].node, early, &info));
    ck_assert_uint_gt(info.height, 0);
    close_all();
}
END_TEST

/* From a change of who votes on, whenever nothing is under way: entries of the order that are no rounds and change nothing.  So no round is
 * agreed on, and the chains never say who votes. */
static uint32_t unprovable; /* a snapshot was taken that others would refuse */
static void other_entries(void)
{
    const uint8_t nothing[4] = {99};
    uint32_t at = leader();
    uint64_t index;

    if (at == 0) return;
    if (members[at].node->cluster->unsaid) unprovable = 1;
    if (members[at].node->cluster->proposed != 0) return;
    if (mgc__order_said(members[at].node->cluster, &members[at].node->cluster->config)) return;
    for (int i = 0; i < 16; i++) OK(mgc__cluster_propose(members[at].node->cluster, nothing, sizeof nothing, &index));
}

static mgc__raftlog_info log_of(uint32_t id)
{
    mgc__raftlog_info info;

    mgc__raftlog_get_info(members[id].node->cluster->log, &info);
    return info;
}

/* No snapshot of the order that others could verify can be taken, but its log must not fill up: from seven eighths on it is compacted all
 * the same, and once rounds are agreed on again a snapshot follows that newcomers take. */
START_TEST(a_full_log_is_compacted_though_nobody_can_prove_it)
{
    const uint64_t mark = CLUSTER_LOG_MAX - CLUSTER_LOG_MAX / 8;
    uint64_t before, first;

    open_all(3, 1, 1);
    ck_assert(goes_through(1, 500));
    before = info_of(leader()).ordered;
    first = log_of(leader()).first;
    unprovable = 0;
    before_steps = other_entries;
    approve(MGC_CHANGE_LEARNER, 3, 2);
    while (info_of(leader()).ordered + 64 < mark) {
        run(20);
        ck_assert_uint_ne(leader(), 0);
        ck_assert_uint_lt(now, 200000);
    }
    ck_assert_uint_gt(info_of(leader()).ordered, before + 2 * CLUSTER_COMPACT);
    for (uint32_t i = 1; i <= 4; i++) {
        const mgc__cluster *c = members[i].node->cluster;

        ck_assert_uint_eq(member_of(i, 3).aim, MGC_STANDING_LEARNER);
        ck_assert(!mgc__order_said(c, &c->config));
        ck_assert_uint_eq(log_of(i).first, first); /* the number of entries alone compacts nothing */
    }
    run(4000); /* there is room: a round is agreed on, and the chains say who votes */
    ck_assert_uint_eq(unprovable, 1);
    ck_assert_uint_gt(info_of(leader()).ordered, mark + CLUSTER_LOG_MAX / 2);
    for (uint32_t i = 1; i <= 4; i++) {
        const mgc__cluster *c = members[i].node->cluster;

        ck_assert(mgc__order_said(c, &c->config) && !c->unsaid);
        ck_assert_uint_ge(log_of(i).snapshot.index, mark);
    }
    approve(MGC_CHANGE_LEARNER, 5, 2);
    run(6000);
    ck_assert_uint_eq(info_of(5).standing, MGC_STANDING_LEARNER);
    ck_assert(goes_through(leader(), 1000));
    check_alike();
    close_all();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_learner_has_everything_and_counts_nowhere);
    tcase_add_test(tc, a_learner_keeps_the_record_of_its_regulator);
    tcase_add_test(tc, a_newcomer_learns_then_votes);
    tcase_add_test(tc, a_newcomer_comes_late);
    tcase_add_test(tc, nobody_of_the_genesis_is_left);
    tcase_add_test(tc, a_member_goes_even_if_it_leads);
    tcase_add_test(tc, changes_that_cannot_be_are_refused);
    tcase_add_test(tc, who_lost_its_store_comes_back_as_another);
    tcase_add_test(tc, a_gap_in_nonces_makes_no_rounds);
    tcase_add_test(tc, a_full_log_is_compacted_though_nobody_can_prove_it);
    tcase_add_test(tc, a_crash_in_the_middle_of_a_change);
}

int main(void)
{
    return alliance_run("node-members", cases);
}
