/* SPDX-License-Identifier: Apache-2.0 */
/* E4: an entry was final, and a later leader's log lacked it. */
#include "alliance.h"

#include "contract/credit.h"
#include "node/kept.h"

/* --- certificates made by hand ---------------------------------------------------------------------- */

static uint8_t chain_id[32];

static void read_chain_id(void)
{
    mgc_chain_info chain = {.struct_size = sizeof chain};

    OK(mgc_chain_get_info(mgc_node_chain(members[1].node, MGC_CONTRACT_CREDIT), &chain));
    memcpy(chain_id, chain.chain_id, 32);
}

static void sign(mgc__cert *cert, uint32_t id)
{
    mgc_raft_msg m = {.kind = cert->kind == MGC__CERT_LEADER ? MGC_RAFT_VOTE_RESP : MGC_RAFT_APPEND_RESP, .from = id, .to = cert->candidate,
                      .cfg = cert->cfg, .term = cert->term, .index = cert->index, .log_term = cert->log_term};
    uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX];
    const char *tag;
    size_t len;

    memcpy(m.hash, cert->hash, 32);
    OK(mgc_raft_signed_body(&m, body, &len, &tag));
    OK(mgc__sign_tagged(ctx, members[id].key, tag, chain_id, 0, body, len, m.signature));
    ck_assert(mgc__cert_add(cert, id, m.signature));
}

/* Members 3 and the other voted in that term for 3, whose log ended in (log_term, index). */
static size_t leader_of(uint64_t term, uint64_t log_term, uint64_t index, uint32_t other, uint8_t *bytes)
{
    mgc__cert cert = {.kind = MGC__CERT_LEADER, .candidate = 3, .cfg = 1, .term = term, .log_term = log_term, .index = index};

    sign(&cert, 3);
    sign(&cert, other);
    return mgc__cert_encode(&cert, bytes);
}

void mgc__entry_hash(const uint8_t previous[32], uint64_t index, uint64_t term, uint32_t type, const uint8_t root[32], uint8_t hash[32]);

/* Members 1 and 2 acknowledged in that term an entry of another, or of the same. */
static size_t entry_of(uint64_t term, uint64_t own_term, uint64_t index, uint8_t entry[KEPT_ENTRY], uint8_t *bytes)
{
    mgc__cert cert = {.kind = MGC__CERT_QUORUM, .cfg = 1, .term = term, .log_term = term, .index = index};

    memset(entry, 7, KEPT_ENTRY);
    entry[32] = MGC_RAFT_DATA;
    mgc__entry_hash(entry, index, own_term, MGC_RAFT_DATA, entry + 33, cert.hash);
    sign(&cert, 1);
    sign(&cert, 2);
    return mgc__cert_encode(&cert, bytes);
}

static struct kept *kept(uint32_t id)
{
    return members[id].node->cluster->kept;
}

static size_t open_cases(uint32_t at, mgc__credit_case *cases)
{
    return mgc__credit_open_cases(mgc__chain_state(mgc_node_chain(members[at].node, MGC_CONTRACT_CREDIT)), cases, 4);
}

/* Until nothing is left to judge. */
static void pass_epochs(void)
{
    mgc__credit_case cases[4];

    for (int i = 0; i < 8 && open_cases(leader(), cases) > 0; i++) epoch_passes();
    ck_assert_uint_eq(open_cases(leader(), cases), 0);
    run(1000);
}

/* The next one. */
static uint64_t epoch(void)
{
    return members[leader()].node->cluster->credit_epoch;
}

static uint32_t convicted(void)
{
    uint32_t bits = 0;

    for (uint32_t i = 1; i <= n_voters; i++) bits |= (uint32_t)(member_of(leader(), i).convicted != 0) << i;
    return bits;
}

/* --- what is kept ------------------------------------------------------------------------------------ */

START_TEST(rounds_and_leaders_are_certified_and_kept)
{
    mgc__cert cert;
    uint32_t old;

    open_all(3, 0, 0);
    found_market();
    for (int i = 0; i < 4; i++) ck_assert(goes_through(leader(), 400));
    old = leader();
    for (uint32_t i = 1; i <= 3; i++) {
        const kept_quorum *q = &kept(i)->quorums[0];

        ck_assert_uint_eq(kept(i)->n_quorums, 1);
        ck_assert_uint_eq(q->term, info_of(i).term);
        OK(mgc__cert_decode(q->bytes, q->len, &cert));
        ck_assert_uint_ge(cert.n, 2);
        ck_assert_uint_ge(q->index + 2, info_of(i).ordered); /* at most a round behind, which may have brought a further one */
        ck_assert_uint_eq(kept(i)->witness.n_led, 1);
        ck_assert_uint_eq(kept(i)->witness.led[0].candidate, old);
    }
    OK(mgc_node_hand_over(members[old].node, old == 3 ? 2 : 3));
    run(2000);
    ck_assert_uint_ne(leader(), old);
    ck_assert(goes_through(leader(), 1000));
    for (uint32_t i = 1; i <= 3; i++) { /* after a loss of power, too */
        ck_assert_uint_eq(kept(i)->witness.n_led, 2);
        stop(i);
        start(i);
        ck_assert_uint_eq(kept(i)->witness.n_led, 2);
        OK(mgc__cert_decode(kept(i)->certs[1], kept(i)->lens[1], &cert));
        ck_assert_uint_eq(cert.kind, MGC__CERT_LEADER);
    }
    run(3000);
    ck_assert(goes_through(leader(), 1500));
    check_alike();
    close_all();
}
END_TEST

START_TEST(a_certificate_that_is_none_is_not_kept)
{
    uint8_t bytes[MGC__CERT_BYTES_MAX];
    struct mgc__cluster *c;
    size_t len;

    open_all(3, 0, 0);
    read_chain_id();
    c = members[1].node->cluster;
    len = leader_of(52, 49, 900, 1, bytes);
    for (size_t at = 0; at < len; at += at < 80 ? 1 : 7) {
        bytes[at] ^= 1;
        OK(mgc__kept_leader(c, bytes, len));
        bytes[at] ^= 1;
    }
    mgc__cert one = {.kind = MGC__CERT_LEADER, .candidate = 3, .cfg = 1, .term = 53};
    uint8_t few[MGC__CERT_BYTES_MAX];
    sign(&one, 3);
    OK(mgc__kept_leader(c, few, mgc__cert_encode(&one, few)));
    ck_assert(!mgc__witness_knows(&kept(1)->witness, 52, 3) && !mgc__witness_knows(&kept(1)->witness, 53, 3));
    OK(mgc__kept_leader(c, bytes, len));
    ck_assert(mgc__witness_knows(&kept(1)->witness, 52, 3));
    close_all();
}
END_TEST

static bool may_vote(struct mgc__cluster *c, const mgc_raft_msg *ask)
{
    bool may;

    OK(mgc__kept_may_vote(c, ask, &may));
    return may;
}

/* What was cut is remembered; below it a vote is given only with its answer in hand. */
START_TEST(no_vote_without_its_answer)
{
    uint8_t bytes[MGC__CERT_BYTES_MAX];
    mgc_raft_msg ask = {.kind = MGC_RAFT_VOTE_REQ, .term = 54, .log_term = 1, .index = 9};
    struct mgc__cluster *c;

    open_all(3, 0, 0);
    read_chain_id();
    ck_assert(goes_through(1, 500));
    c = members[1].node->cluster;
    mgc__witness_cut(&kept(1)->witness, 50, 1000);
    OK(mgc__kept_cut(c, 2)); /* and all that is there: this also makes it durable */
    ck_assert_uint_ge(kept(1)->witness.n_cuts, 2);
    stop(1);
    start(1);
    c = members[1].node->cluster;
    ck_assert_uint_ge(kept(1)->witness.n_cuts, 2);
    ck_assert(!may_vote(c, &ask));
    OK(mgc__kept_leader(c, bytes, leader_of(54, 49, 900, 2, bytes)));  /* not before that term */
    ck_assert(!may_vote(c, &ask));
    OK(mgc__kept_leader(c, bytes, leader_of(53, 50, 2000, 2, bytes))); /* it had what was cut */
    ck_assert(!may_vote(c, &ask));
    kept(1)->witness.n_cuts = 1;
    kept(1)->witness.cuts[0] = (mgc__cut){50, 1000};
    OK(mgc__kept_leader(c, bytes, leader_of(52, 49, 900, 2, bytes)));
    ck_assert(may_vote(c, &ask));
    ck_assert_uint_ge(c->unanswered, 3);
    stop(1); /* that a vote rests on it is known after a loss of power, too */
    start(1);
    c = members[1].node->cluster;
    for (uint32_t i = 0; i < kept(1)->witness.n_led; i++)
        ck_assert_uint_eq(kept(1)->witness.led[i].used, kept(1)->witness.led[i].term == 52);
    ck_assert(mgc__witness_knows(&kept(1)->witness, 52, 3));
    ask.log_term = 50;
    ask.index = 999;
    ck_assert(may_vote(c, &ask));
    ask.term = 52; /* now that is not in between */
    ck_assert(!may_vote(c, &ask));
    ask.index = 1000;
    ck_assert(may_vote(c, &ask)); /* it has all that was cut */
    ck_assert_uint_ge(c->unanswered, 1);
    close_all();
}
END_TEST

/* --- accusing ------------------------------------------------------------------------------------------ */

/* A member acknowledges, then votes for one whose log lacks that. */
START_TEST(who_votes_for_a_leader_without_a_final_entry_is_convicted)
{
    mgc__credit_case cases[4];
    uint32_t first, liar, short_one;

    open_all(3, 0, 0);
    found_market();
    first = leader();
    liar = first == 3 ? 2 : 3;
    short_one = 6 - first - liar;
    members[short_one].apart = true;
    for (int i = 0; i < 4; i++) ck_assert(goes_through(first, 500));
    ck_assert_uint_eq(kept(first)->n_quorums, 1);
    members[short_one].apart = false;
    members[first].apart = members[liar].apart = members[liar].grants = true;
    for (int ms = 0; ms < 3000 && info_of(short_one).role != MGC_RAFT_LEADER; ms += 10) run(10);
    ck_assert_uint_eq(info_of(short_one).role, MGC_RAFT_LEADER); /* until it has to be answered */
    members[liar].grants = members[first].apart = false; /* the first one hears of it, and cuts nothing that is committed */
    run(600);
    ck_assert_uint_ge(kept(first)->witness.n_led, 2);
    ck_assert_uint_eq(open_cases(first, cases), 0);
    stop(short_one); /* operators give it the certified past */
    sim_disk_wipe(&members[short_one].disk);
    members[short_one].lost_store = 1;
    start(short_one);
    members[liar].apart = false;
    run(6000);
    ck_assert_uint_ne(leader(), 0);
    ck_assert_uint_eq(open_cases(leader(), cases), 1);
    ck_assert_uint_eq(convicted(), 0);
    pass_epochs();
    ck_assert_uint_eq(convicted(), UINT32_C(1) << liar);
    ck_assert_uint_eq(member_of(leader(), liar).node_credit, 0);
    ck_assert_uint_eq(open_cases(leader(), cases), 0);
    ck_assert(goes_through(leader(), 1500));
    check_alike();
    close_all();
}
END_TEST

/* Member 1 voted for a leader without the entry, which cut 2's log; 2 then voted for another one.  Who accuses 2 knows only that
 * last one; 2 has the certificate of the earlier one (_i 1), or nobody has. */
START_TEST(X4_who_was_truncated_by_a_wrong_leader_is_not_convicted)
{
    uint8_t bytes[MGC__CERT_BYTES_MAX], entry[KEPT_ENTRY];
    mgc__credit_case cases[4];
    uint64_t next;
    size_t len;

    open_all(3, 0, 0);
    found_market();
    read_chain_id();
    for (int i = 0; i < 6 && epoch() < 2; i++) epoch_passes();
    next = epoch();
    len = entry_of(50, 50, 1000, entry, bytes);
    OK(mgc__lost_quorum(members[3].node->cluster, bytes, len, entry));
    OK(mgc__kept_leader(members[3].node->cluster, bytes, leader_of(54, 49, 900, 2, bytes)));
    ck_assert_uint_gt(kept(3)->n_quorums, 0);
    run(600);
    ck_assert_uint_eq(open_cases(1, cases), 1);
    ck_assert_uint_eq(cases[0].leader_term, 54);
    epoch_passes(); /* a whole epoch is there to answer */
    ck_assert_uint_eq(epoch(), next + 1);
    ck_assert_uint_eq(convicted(), 0);
    ck_assert_uint_eq(open_cases(1, cases), 1);
    if (_i == 1) {
        OK(mgc__kept_leader(members[2].node->cluster, bytes, leader_of(52, 49, 900, 1, bytes)));
        run(1000);
        for (uint32_t i = 1; i <= 3; i++) {
            ck_assert_uint_eq(open_cases(i, cases), 1);
            ck_assert_uint_eq(cases[0].leader_term, 52);
        }
    }
    pass_epochs();
    ck_assert_uint_eq(convicted(), UINT32_C(1) << (_i == 1 ? 1 : 2));
    ck_assert_uint_eq(open_cases(1, cases), 0);
    check_alike();
    close_all();
}
END_TEST

/* --- what is no evidence ------------------------------------------------------------------------------- */

static uint8_t configuration[8 + MGC_RAFT_CONFIG_BYTES_MAX];
static size_t configuration_len;

uint32_t mgc__config_encode(const mgc_raft_config *c, uint8_t *bytes);

static void first_configuration(void)
{
    memset(configuration, 0, sizeof configuration);
    configuration[0] = 1;
    configuration_len = 8 + mgc__config_encode(&kept(1)->configs[0], configuration + 8);
}

static void hand_in(mgc_status status, const char *method, mgc_args *args)
{
    mgc_ticket_info info = {.struct_size = sizeof info};
    uint64_t number;

    OK(mgc__submit_own(members[1].node, MGC_CONTRACT_CREDIT, method, args));
    number = members[1].node->cluster->own_ticket;
    mgc_args_destroy(args);
    for (int i = 0; i < 100 && info.state != MGC_TICKET_REFUSED && info.state != MGC_TICKET_COMMITTED; i++) {
        run(20);
        OK(mgc_ticket_state(members[1].node, number, &info));
    }
    ck_assert_msg(info.status == status, "%s: %s (%s), state %" PRIu32, method, mgc_status_name(info.status), info.rule, info.state);
}

static void lose(mgc_status status, const uint8_t *block, size_t block_len, const uint8_t *entry, const uint8_t *led, size_t led_len)
{
    mgc_args *args;

    OK(mgc_args_create(ctx, MGC_CONTRACT_CREDIT, "lost", &args));
    OK(mgc_args_set_bytes(args, "entry_certificate", block, block_len));
    OK(mgc_args_set_bytes(args, "entry", entry, KEPT_ENTRY));
    OK(mgc_args_set_bytes(args, "leader_certificate", led, led_len));
    OK(mgc_args_set_bytes(args, "entry_configuration", configuration, configuration_len));
    OK(mgc_args_set_bytes(args, "leader_configuration", configuration, configuration_len));
    hand_in(status, "lost", args);
}

static void follow(mgc_status status, const uint8_t *hash, const uint8_t *led, size_t led_len)
{
    mgc_args *args;

    OK(mgc_args_create(ctx, MGC_CONTRACT_CREDIT, "followed", &args));
    OK(mgc_args_set_bytes(args, "case", hash, 32));
    OK(mgc_args_set_bytes(args, "leader_certificate", led, led_len));
    OK(mgc_args_set_bytes(args, "configuration", configuration, configuration_len));
    hand_in(status, "followed", args);
}

START_TEST(what_proves_nothing_opens_no_case)
{
    uint8_t block[MGC__CERT_BYTES_MAX], led[MGC__CERT_BYTES_MAX], entry[KEPT_ENTRY], hash[32] = {9};
    mgc__credit_case cases[4];
    size_t block_len, led_len;

    open_all(3, 0, 0);
    found_market();
    read_chain_id();
    first_configuration();
    led_len = leader_of(54, 49, 900, 2, led);
    block_len = entry_of(50, 49, 1000, entry, block); /* figure 8: acknowledged in a later term than its own */
    lose(MGC_E_BAD_CERT, block, block_len, entry, led, led_len);
    block_len = entry_of(50, 50, 1000, entry, block);
    block[block_len - 1] ^= 1;
    lose(MGC_E_BAD_SIGNATURE, block, block_len, entry, led, led_len);
    block[block_len - 1] ^= 1;
    lose(MGC_E_BAD_CERT, block, block_len - 68, entry, led, led_len); /* it says two signers */
    lose(MGC_E_BAD_CERT, led, led_len, entry, led, led_len);
    lose(MGC_E_RANGE, block, block_len, entry, led, leader_of(54, 50, 1000, 2, led)); /* it had the entry */
    lose(MGC_E_RANGE, block, block_len, entry, led, leader_of(50, 49, 900, 2, led));     /* no later term */
    lose(MGC_E_BAD_SIGNATURE, block, block_len, entry, led, (led_len = leader_of(54, 49, 900, 2, led), led[100] ^= 1, led_len));
    led[100] ^= 1;
    configuration[8 + 44 + 8] ^= 4; /* an incarnation: nobody's configuration 1 has other voters, so this is still the genesis' */
    configuration[0] = 2;
    lose(MGC_E_NOT_FOUND, block, block_len, entry, led, led_len);
    configuration[0] = 1;
    configuration[8 + 44 + 8] ^= 4;
    lose(MGC_OK, block, block_len, entry, led, led_len);
    lose(MGC_E_EXISTS, block, block_len, entry, led, leader_of(53, 49, 900, 2, led));
    ck_assert_uint_eq(open_cases(1, cases), 1);
    memcpy(hash, cases[0].hash, 32);
    hash[0] ^= 1;
    follow(MGC_E_NOT_FOUND, hash, led, leader_of(52, 49, 900, 1, led));
    hash[0] ^= 1;
    follow(MGC_E_RANGE, hash, led, leader_of(54, 49, 900, 1, led));
    follow(MGC_E_RANGE, hash, led, leader_of(50, 49, 900, 1, led));
    follow(MGC_E_RANGE, hash, led, leader_of(52, 50, 1000, 1, led)); /* that one had the entry */
    led_len = leader_of(52, 49, 900, 1, led);
    led[led_len - 1] ^= 1;
    follow(MGC_E_BAD_SIGNATURE, hash, led, led_len);
    mgc__cert alone = {.kind = MGC__CERT_LEADER, .candidate = 3, .cfg = 1, .term = 52};
    sign(&alone, 3);
    follow(MGC_E_BAD_CERT, hash, led, mgc__cert_encode(&alone, led));
    follow(MGC_OK, hash, led, leader_of(52, 49, 900, 1, led));
    pass_epochs();
    follow(MGC_E_STATE, hash, led, leader_of(51, 49, 900, 1, led));
    ck_assert_uint_eq(convicted(), 2);
    close_all();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, rounds_and_leaders_are_certified_and_kept);
    tcase_add_test(tc, a_certificate_that_is_none_is_not_kept);
    tcase_add_test(tc, no_vote_without_its_answer);
    tcase_add_test(tc, who_votes_for_a_leader_without_a_final_entry_is_convicted);
    tcase_add_loop_test(tc, X4_who_was_truncated_by_a_wrong_leader_is_not_convicted, 0, 2);
    tcase_add_test(tc, what_proves_nothing_opens_no_case);
}

int main(void)
{
    return alliance_run("node-lost", cases);
}
