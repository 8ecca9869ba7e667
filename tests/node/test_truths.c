/* SPDX-License-Identifier: Apache-2.0 */
/* Who forges, and who signs two truths. */
#include "alliance.h"

#include "ledger/block.h"

/* --- forged and contradicting --------------------------------------------------------------------- */

/* One member's messages arrive with a bit broken: none of them decides anything, and the others go on. */
START_TEST(what_is_not_signed_decides_nothing)
{
    uint32_t liar;

    sign_all = (uint32_t)_i;
    open_all(3, 0, 0);
    ck_assert(goes_through(1, 500));
    liar = leader() == 3 ? 2 : 3;
    members[liar].flips = true;
    for (int i = 0; i < 5; i++) ck_assert(goes_through(leader(), 500));
    members[liar].flips = false;
    ck_assert_uint_gt(info_of(leader()).forged + info_of(leader()).dropped, 0);
    if (sign_all != 0) ck_assert_uint_gt(info_of(leader()).forged, 0);
    run(3000);
    check_alike();
    /* A message in another's name. */
    if (sign_all != 0) {
        uint64_t before = info_of(1).forged + info_of(1).dropped;
        uint8_t tick[80] = {7, 2, 0, 0, 0, 1, 0, 0, 0, 1};
        OK(mgc_node_receive(members[1].node, 2, tick, sizeof tick));
        OK(mgc_node_receive(members[1].node, 3, tick, sizeof tick));
        ck_assert_uint_eq(info_of(1).forged + info_of(1).dropped, before + 2);
    }
    close_all();
}
END_TEST

/* Whom the others know by another key does not start in that name. */
START_TEST(another_key_is_another_member)
{
    mgc_key *own;

    open_all(3, 0, 0);
    ck_assert(goes_through(1, 500));
    stop(3);
    own = members[3].key;
    members[3].key = members[1].key;
    members[3].may_fail = true;
    start(3);
    ck_assert_ptr_null(members[3].node);
    ck_assert_msg(strstr(mgc_ctx_error(ctx), "by another key") != NULL, "%s", mgc_ctx_error(ctx));
    members[3].key = own;
    members[3].may_fail = false;
    start(3);
    run(1500);
    ck_assert(goes_through(3, 1000));
    check_alike();
    close_all();
}
END_TEST

/* A leader and a follower whose signatures are wrong are no majority of three. */
START_TEST(a_forged_acknowledgement_commits_nothing)
{
    uint32_t first, other;

    open_all(3, 0, 0);
    ck_assert(goes_through(1, 500));
    first = leader();
    other = first == 3 ? 2 : 3;
    stop(6 - first - other);
    members[other].forges = true;
    ck_assert(!goes_through(first, 3000));
    ck_assert_uint_gt(info_of(first).forged, 0);
    members[other].forges = false;
    run(3000);
    ck_assert(goes_through(leader(), 2000));
    check_alike();
    close_all();
}
END_TEST

/* What a leader orders without a majority's approvals, or with one signature twice, changes nothing at whoever executes it. */
START_TEST(a_change_without_a_majority_changes_nothing)
{
    uint8_t entry[4 + 88 + 4 + 3 * 68] = {CHANGE_VERSION}, body[88] = {0};
    struct mgc__cluster *c;
    uint8_t signature[64];

    open_all(3, 0, 1);
    c = members[1].node->cluster;
    entry[4] = body[0] = MGC_CHANGE_VOTER;
    entry[8] = body[4] = 4;
    memcpy(entry + 20, people[3].public_key, 32);
    memcpy(body + 16, people[3].public_key, 32);
    OK(mgc__sign_bytes(c, "mgchain/member/1", body, sizeof body, signature));
    for (uint32_t n = 0; n <= 3; n++) {
        entry[92] = (uint8_t)n;
        for (uint32_t k = 0; k < n; k++) { /* its own, then in others' names, then its own again */
            entry[96 + 68 * k] = n == 3 ? 1 : (uint8_t)(1 + k);
            memcpy(entry + 100 + 68 * k, signature, 64);
        }
        OK(mgc__change_execute(c, entry, 96 + 68 * n));
        ck_assert_uint_eq(c->roster.n, 3);
        ck_assert_uint_eq(c->roster.changes, 0);
    }
    close_all();
}
END_TEST

START_TEST(X1_who_signs_two_truths_is_convicted_and_goes)
{
    uint32_t liar;

    open_all(4, 0, 0);
    found_market();
    liar = leader() == 4 ? 3 : 4;
    members[liar].lies = true;
    (void)goes_through(leader(), 1500);
    members[liar].lies = false;
    for (uint32_t i = 1; i <= 4; i++) {
        if (i == liar) continue;
        ck_assert_uint_eq(member_of(i, liar).convicted, 1);
        ck_assert_uint_eq(member_of(i, liar).node_credit, 0);
        ck_assert_uint_eq(member_of(i, liar).early, 0);
        for (uint32_t k = 1; k <= 4; k++)
            if (k != liar) ck_assert_uint_eq(member_of(i, k).convicted, 0);
    }
    run(4000); /* the three others vote without it */
    ck_assert_uint_eq(member_of(leader(), liar).standing, MGC_STANDING_REMOVED);
    ck_assert_uint_eq(info_of(leader()).n_voters, 3);
    ck_assert(goes_through(leader(), 1500));
    check_alike();
    close_all();
}
END_TEST

/* Kind 4 of evidence: a leader that says of one batch two things. */
START_TEST(a_leader_with_two_heads_is_convicted_and_goes)
{
    uint32_t liar;

    open_all(4, 0, 0);
    found_market();
    liar = leader();
    members[liar].two_heads = true;
    (void)goes_through(liar, 1500);
    members[liar].two_heads = false;
    run(6000);
    ck_assert_uint_ne(leader(), 0);
    ck_assert_uint_ne(leader(), liar);
    ck_assert_uint_eq(member_of(leader(), liar).convicted, 1);
    for (uint32_t k = 1; k <= 4; k++)
        if (k != liar) ck_assert_uint_eq(member_of(leader(), k).convicted, 0);
    ck_assert_uint_eq(member_of(leader(), liar).standing, MGC_STANDING_REMOVED);
    ck_assert(goes_through(leader(), 1500));
    check_alike();
    close_all();
}
END_TEST

static bool leader_is(uint32_t id)
{
    open_all(4, 0, 0);
    found_market();
    return leader() == id;
}

/* Kind 1: a member that fell out of step has another block, and the liar's signature on it; it sees the others' certificate. */
START_TEST(who_signed_two_blocks_of_a_height_is_convicted)
{
    const uint32_t odd = leader_is(4) ? 3 : 4, liar = odd == 4 ? 3 : 4;
    mgc_chain_info info = {.struct_size = sizeof info};
    uint8_t vote[12 + 64] = {0};
    const uint8_t *bytes;
    mgc__stored_block b;
    mgc_block *block;
    mgc_chain *chain;
    size_t len;

    members[odd].apart = true;
    ck_assert(goes_through(leader(), 800));
    chain = mgc_node_chain(members[odd].node, INFO);
    OK(mgc_chain_get_info(chain, &info));
    OK(mgc_chain_begin(chain, info.time_ms + 1));
    OK(mgc_chain_seal(chain, odd));
    OK(mgc_chain_read_block(chain, info.height + 1, &block));
    OK(mgc_block_get_bytes(block, &bytes, &len));
    OK(mgc__block_read(ctx, bytes, len, &b));
    while (members[odd].node->chains[vote[0]] != chain) vote[0]++;
    for (int i = 0; i < 8; i++) vote[4 + i] = (uint8_t)((info.height + 1) >> 8 * i);
    OK(mgc__sign_tagged(ctx, members[liar].key, "mgchain/vote/1", info.chain_id, MGC_ROLE_VALIDATOR, b.header_bytes, b.header_len, vote + 12));
    mgc_block_destroy(block);
    OK(mgc__final_vote(members[odd].node->cluster, liar, vote, sizeof vote));
    ck_assert_uint_eq(member_of(leader(), liar).convicted, 0);
    members[odd].apart = false;
    run(4000);
    for (uint32_t i = 1; i <= 4; i++)
        if (i != odd) ck_assert_uint_eq(member_of(i, liar).convicted, 1);
    ck_assert_uint_eq(member_of(leader(), odd).convicted, 0);
    close_all();
}
END_TEST

/* An alliance of three keeps three voters: conviction costs credit and rank, not the vote (V_min). */
START_TEST(three_voters_stay_three)
{
    uint32_t liar;

    open_all(3, 0, 0);
    found_market();
    liar = leader() == 3 ? 2 : 3;
    members[liar].lies = true;
    (void)goes_through(leader(), 1500);
    members[liar].lies = false;
    run(3000);
    ck_assert_uint_eq(member_of(leader(), liar).convicted, 1);
    ck_assert_uint_eq(member_of(leader(), liar).standing, MGC_STANDING_VOTER);
    /* Given the lead it passes it on: the caretaker's rule. */
    uint32_t old = leader();
    OK(mgc_node_hand_over(members[old].node, liar));
    run(2500);
    ck_assert_uint_ne(leader(), liar);
    ck_assert_uint_gt(info_of(old).term, 1);
    check_alike();
    close_all();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, who_signed_two_blocks_of_a_height_is_convicted);
    tcase_add_loop_test(tc, what_is_not_signed_decides_nothing, 0, 2);
    tcase_add_test(tc, another_key_is_another_member);
    tcase_add_test(tc, a_forged_acknowledgement_commits_nothing);
    tcase_add_test(tc, a_change_without_a_majority_changes_nothing);
    tcase_add_test(tc, X1_who_signs_two_truths_is_convicted_and_goes);
    tcase_add_test(tc, a_leader_with_two_heads_is_convicted_and_goes);
    tcase_add_test(tc, three_voters_stay_three);
}

int main(void)
{
    return alliance_run("node-truths", cases);
}
