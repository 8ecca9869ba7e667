/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes part: learners, newcomers, who goes, who lost its store; and who forges or signs two truths. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../consensus/sim/sim_disk.h"
#include "crypto/crypto.h"
#include "mgchain/consensus.h"
#include "mgchain/node.h"
#include "mgchain/verify.h"
#include "node/cluster.h"

enum { NODES = 6, TICK = 20, INFO = MGC_CONTRACT_INFORMATION };

struct message {
    uint64_t at;
    uint32_t from, to;
    uint8_t *bytes;
    size_t len;
};

struct member {
    uint32_t id, lost_store;
    struct sim_disk disk;
    mgc_node *node; /* NULL: down */
    mgc_key *key;
    bool lies, flips, forges; /* acknowledges twice; breaks a bit of every message; breaks every signature */
    bool two_heads;           /* says of a batch, to half of the others, that it ends in another hash */
    bool other_config;        /* sends snapshots with another configuration than the order's */
    bool may_fail;            /* a call that fails takes it down, as its host would */
    mgc_ctx *own_ctx;         /* NULL: that of all */
    uint32_t snapshots;
};

static mgc_ctx *ctx;
static mgc__rng rng;
static struct member members[NODES + 1];
static mgc_member people[NODES];
static uint32_t n_voters, n_learners, n_nodes;
static uint32_t sign_all, misconfigured;
static struct message net[8192];
static size_t n_net;
static uint64_t now, nonce;
static mgc_key *user;

#define OK(call)                                                                                  \
    do {                                                                                          \
        mgc_status status_ = (call);                                                              \
        ck_assert_msg(status_ == MGC_OK, "%s: %s", mgc_status_name(status_), mgc_ctx_error(ctx)); \
    } while (0)

/* --- links -------------------------------------------------------------------------------------- */

static void post(uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    struct message *x;

    if (n_net == MGC__COUNT(net)) return;
    x = &net[n_net++];
    *x = (struct message){.at = now + 1 + mgc__rng_below(&rng, 8), .from = from, .to = to, .bytes = malloc(len), .len = len};
    memcpy(x->bytes, bytes, len);
}

/* The same acknowledgement with another hash, signed as well as the first. */
static void lie(const struct member *m, uint32_t to, const uint8_t *bytes, size_t len)
{
    uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX], second[1 + MGC_RAFT_MSG_BYTES] = {1};
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_raft_config config;
    mgc_raft_msg msg;
    const char *tag;
    size_t body_len;

    if (bytes[0] != 1 || mgc_raft_decode(bytes + 1, len - 1, &msg, NULL, 0, &config) != MGC_OK || msg.kind != MGC_RAFT_APPEND_RESP ||
        (msg.flags & MGC_RAFT_REJECT) != 0)
        return;
    msg.hash[7] ^= 4;
    OK(mgc_raft_signed_body(&msg, body, &body_len, &tag));
    OK(mgc_chain_get_info(mgc_node_chain(m->node, MGC_CONTRACT_CREDIT), &chain));
    OK(mgc__sign_tagged(ctx, m->key, tag, chain.chain_id, 0, body, body_len, msg.signature));
    OK(mgc_raft_encode(&msg, NULL, second + 1, sizeof second - 1, &body_len));
    post(m->id, to, second, 1 + body_len);
}

/* The head of a batch with another hash: what follows it is what it was. */
static void two_heads(const struct member *m, uint32_t to, const uint8_t *bytes, size_t len)
{
    static uint8_t second[1 << 20];
    uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX];
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_raft_entry entries[64];
    mgc_raft_config config;
    mgc_raft_msg msg;
    const char *tag;
    size_t body_len;

    if (bytes[0] != 1 || len > sizeof second || mgc_raft_decode(bytes + 1, len - 1, &msg, entries, 64, &config) != MGC_OK ||
        msg.kind != MGC_RAFT_APPEND_REQ || msg.n_entries == 0)
        return;
    msg.head[7] ^= 4;
    OK(mgc_raft_signed_body(&msg, body, &body_len, &tag));
    OK(mgc_chain_get_info(mgc_node_chain(m->node, MGC_CONTRACT_CREDIT), &chain));
    OK(mgc__sign_tagged(ctx, m->key, tag, chain.chain_id, 0, body, body_len, msg.signature));
    second[0] = 1;
    OK(mgc_raft_encode(&msg, entries, second + 1, sizeof second - 1, &body_len));
    post(m->id, to, second, 1 + body_len);
}

/* Whole in form, but the signature is another's. */
static void forge(uint8_t *bytes, size_t len)
{
    mgc_raft_config config;
    mgc_raft_msg msg;

    if (bytes[0] != 1 || mgc_raft_decode(bytes + 1, len - 1, &msg, NULL, 0, &config) != MGC_OK || (msg.flags & MGC_RAFT_SIGNED) == 0) return;
    msg.signature[mgc__rng_below(&rng, 64)] ^= 2;
    OK(mgc_raft_encode(&msg, NULL, bytes + 1, len - 1, &len));
}

/* The leader's word for a configuration that nobody decided. */
static void misconfigure(uint8_t *bytes, size_t len)
{
    mgc_raft_config config;
    mgc_raft_msg msg;

    if (bytes[0] != 1 || mgc_raft_decode(bytes + 1, len - 1, &msg, NULL, 0, &config) != MGC_OK || msg.kind != MGC_RAFT_SNAPSHOT_REQ) return;
    config.members[0].incarnation++;
    OK(mgc_raft_encode(&msg, NULL, bytes + 1, len - 1, &len));
    misconfigured++;
}

static int32_t send(void *user_, uint32_t to, const uint8_t *bytes, size_t len)
{
    struct member *m = user_;

    post(m->id, to, bytes, len);
    if (m->lies) lie(m, to, bytes, len);
    if (m->two_heads) two_heads(m, to, bytes, len);
    if (m->other_config) misconfigure(net[n_net - 1].bytes, len);
    if (m->forges) forge(net[n_net - 1].bytes, len);
    if (m->flips) net[n_net - 1].bytes[mgc__rng_below(&rng, len)] ^= (uint8_t)(1u << mgc__rng_below(&rng, 8));
    return MGC_CB_DONE;
}

static void start(uint32_t id)
{
    const mgc_transport_ops transport = {.struct_size = sizeof transport, .version = 1, .send = send};
    struct member *m = &members[id];
    mgc_node_opts o;
    mgc_status st;

    mgc_node_opts_init(&o, sizeof o);
    o.id = id;
    o.key = m->key;
    o.chain = NULL;
    o.members = n_nodes > 1 ? people : NULL;
    o.n_members = n_nodes > 1 ? n_voters : 0;
    o.learners = n_learners > 0 ? people + n_voters : NULL;
    o.n_learners = n_learners;
    o.join = id > n_voters + n_learners;
    o.sign_messages = sign_all;
    o.lost_store = m->lost_store;
    o.tick_ms = TICK;
    o.block_interval_ms = 10;
    o.genesis_time_ms = 1000;
    o.segment_bytes = 1 << 16;
    o.seed = 11;
    o.snapshots = m->snapshots;
    st = mgc_node_create(m->own_ctx != NULL ? m->own_ctx : ctx, &o, &m->node);
    if (st == MGC_OK) st = mgc_node_set_storage(m->node, &sim_disk_ops, &m->disk);
    if (st == MGC_OK) st = mgc_node_set_transport(m->node, &transport, m);
    if (st == MGC_OK) st = mgc_node_start(m->node);
    if (!m->may_fail) OK(st);
    if (st == MGC_OK) return;
    mgc_node_destroy(m->node);
    m->node = NULL;
}

static void stop(uint32_t id)
{
    mgc_node_destroy(members[id].node);
    members[id].node = NULL;
    sim_disk_crash(&members[id].disk);
}

static uint32_t n_down; /* of those who may fail */

/* What a call on a node answered: whatever it is but MGC_OK, the host destroys the node. */
static void answered(struct member *m, mgc_status st)
{
    if (!m->may_fail) OK(st);
    if (st == MGC_OK) return;
    mgc_node_destroy(m->node);
    m->node = NULL;
    n_down++;
}

static void run(uint64_t ms)
{
    for (uint64_t end = now + ms; now < end; now += 4) {
        for (size_t i = 0; i < n_net;) {
            struct message x = net[i];
            if (x.at > now) {
                i++;
                continue;
            }
            net[i] = net[--n_net];
            if (x.to <= n_nodes && members[x.to].node != NULL)
                answered(&members[x.to], mgc_node_receive(members[x.to].node, x.from, x.bytes, x.len));
            free(x.bytes);
        }
        for (uint32_t i = 1; i <= n_nodes; i++)
            if (members[i].node != NULL) answered(&members[i], mgc_node_step(members[i].node, now, NULL));
    }
}

static void open_all(uint32_t voters, uint32_t learners, uint32_t newcomers)
{
    const uint8_t seed[32] = {77};

    mgc__rng_seed(&rng, 5);
    now = 5000;
    nonce = 0;
    n_voters = voters;
    n_learners = learners;
    n_nodes = voters + learners + newcomers;
    OK(mgc_key_from_seed(ctx, seed, &user));
    for (uint32_t i = 1; i <= n_nodes; i++) {
        const uint8_t key[32] = {(uint8_t)i};
        members[i] = (struct member){.id = i};
        sim_disk_init(&members[i].disk, &rng);
        OK(mgc_key_from_seed(ctx, key, &members[i].key));
        people[i - 1] = (mgc_member){.id = i};
        OK(mgc_key_public(members[i].key, people[i - 1].public_key));
    }
    for (uint32_t i = 1; i <= n_nodes; i++) start(i);
    run(2000);
}

static void close_all(void)
{
    for (uint32_t i = 1; i <= n_nodes; i++) {
        mgc_node_destroy(members[i].node);
        sim_disk_free(&members[i].disk);
        mgc_key_destroy(members[i].key);
    }
    mgc_key_destroy(user);
    while (n_net > 0) free(net[--n_net].bytes);
    sign_all = 0;
}

/* --- looking -------------------------------------------------------------------------------------- */

static mgc_node_info info_of(uint32_t id)
{
    mgc_node_info info = {.struct_size = sizeof info};

    OK(mgc_node_get_info(members[id].node, &info));
    return info;
}

static uint32_t leader(void)
{
    for (uint32_t i = 1; i <= n_nodes; i++)
        if (members[i].node != NULL && info_of(i).role == MGC_RAFT_LEADER && info_of(i).leader == i) return i;
    return 0;
}

static mgc_node_member_info member_of(uint32_t asked, uint32_t id)
{
    for (uint32_t i = 0;; i++) {
        mgc_node_member_info info = {.struct_size = sizeof info};
        if (mgc_node_get_member(members[asked].node, i, &info) != MGC_OK) return (mgc_node_member_info){0};
        if (info.id == id) return info;
    }
}

static uint64_t submit(uint32_t to, uint64_t at_nonce)
{
    static uint8_t encoded[MGC_TX_BYTES_MAX], bytes[MGC_TX_BYTES_MAX];
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_tx_body body = {.struct_size = sizeof body, .sender = mgc__key_public(user), .contract = INFO, .method = "nothing",
                        .arguments = (const uint8_t *)"\xa0", .arguments_len = 1, .nonce = at_nonce};
    mgc_tx_signature signature;
    uint64_t number;
    size_t len, tx_len;

    OK(mgc_chain_get_info(mgc_node_chain(members[to].node, INFO), &chain));
    body.chain_id = chain.chain_id;
    body.valid_until = chain.height + 900;
    OK(mgc_tx_encode_body(&body, encoded, sizeof encoded, &len));
    OK(mgc_tx_sign(encoded, len, user, MGC_ROLE_USER, &signature));
    OK(mgc_tx_assemble(encoded, len, &signature, 1, bytes, sizeof bytes, &tx_len));
    OK(mgc_node_submit(members[to].node, bytes, tx_len, &number));
    return number;
}

/* It stands in a final block: refused there, for nobody knows the sender. */
static bool goes_through(uint32_t at, uint64_t ms)
{
    mgc_ticket_info info = {.struct_size = sizeof info};
    uint64_t number = submit(at, ++nonce);

    run(ms);
    OK(mgc_ticket_state(members[at].node, number, &info));
    return info.state != MGC_TICKET_OPEN && info.height > 0;
}

static void check_alike(void)
{
    mgc_node_info first = {0};

    for (uint32_t i = 1; i <= n_nodes; i++) {
        mgc_node_info info;
        if (members[i].node == NULL || info_of(i).standing < MGC_STANDING_LEARNER || info_of(i).standing > MGC_STANDING_VOTER) continue;
        info = info_of(i);
        if (first.height == 0) first = info;
        ck_assert_msg(info.height == first.height && info.final_height == info.height && memcmp(info.block_hash, first.block_hash, 32) == 0,
                      "member %" PRIu32 " has height %" PRIu64 ", final %" PRIu64 "; the first %" PRIu64, i, info.height, info.final_height,
                      first.height);
    }
    ck_assert_uint_gt(first.height, 0);
}

static void approve(uint32_t change, uint32_t whom, uint32_t how_many)
{
    for (uint32_t i = 1; i <= n_nodes && how_many > 0; i++) {
        if (members[i].node == NULL || info_of(i).standing != MGC_STANDING_VOTER) continue;
        OK(mgc_node_change_member(members[i].node, change, &people[whom - 1]));
        how_many--;
    }
}

/* --- learners ------------------------------------------------------------------------------------- */

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

static void found_market(void)
{
    static uint8_t body[MGC_TX_BYTES_MAX], tx[MGC_TX_BYTES_MAX];
    static const char *const fields[] = {"slot_ms", "gate_ms", "gate_slots", "window_ms", "collateral_bp", "pending_blocks", "first_slot"};
    static const int64_t values[] = {3600000, 3600000, 1, 3600000, 5000, 1000, 2};
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_tx_body b = {.struct_size = sizeof b, .contract = INFO, .method = "found", .nonce = 1, .valid_until = 500,
                     .sender = mgc__key_public(user)};
    mgc_tx_signature signatures[2];
    mgc_ticket_info info = {.struct_size = sizeof info};
    uint64_t number;
    mgc_args *args;
    size_t len;

    OK(mgc_args_create(ctx, INFO, "found", &args));
    OK(mgc_args_set_text(args, "name", "m"));
    OK(mgc_args_set_text(args, "currency", "EUR"));
    OK(mgc_args_set_bytes(args, "administrator", b.sender, 32));
    for (int i = 0; i < 7; i++) OK(mgc_args_set_int(args, fields[i], values[i]));
    OK(mgc_args_encode(args, &b.arguments, &b.arguments_len));
    OK(mgc_chain_get_info(mgc_node_chain(members[1].node, INFO), &chain));
    b.chain_id = chain.chain_id;
    OK(mgc_tx_encode_body(&b, body, sizeof body, &len));
    OK(mgc_tx_sign(body, len, user, MGC_ROLE_ADMINISTRATOR, &signatures[0]));
    OK(mgc_tx_sign(body, len, members[1].key, MGC_ROLE_VALIDATOR, &signatures[1]));
    OK(mgc_tx_assemble(body, len, signatures, 2, tx, sizeof tx, &len));
    OK(mgc_node_submit(members[1].node, tx, len, &number));
    mgc_args_destroy(args);
    nonce = 1;
    run(1500);
    OK(mgc_ticket_state(members[1].node, number, &info));
    ck_assert_int_eq(info.state, MGC_TICKET_COMMITTED);
}

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

/* --- by credit ------------------------------------------------------------------------------------ */

/* An epoch with some blocks on the trading chain, so that there are certificates to count. */
static void epoch_passes(void)
{
    static uint8_t encoded[MGC_TX_BYTES_MAX], bytes[MGC_TX_BYTES_MAX];
    uint32_t at = leader();

    now += 3600000;
    for (int i = 0; i < 4 && at != 0; i++) {
        mgc_chain_info chain = {.struct_size = sizeof chain};
        mgc_tx_body body = {.struct_size = sizeof body, .sender = mgc__key_public(user), .contract = MGC_CONTRACT_TRADING, .method = "nothing",
                            .arguments = (const uint8_t *)"\xa0", .arguments_len = 1};
        mgc_tx_signature signature;
        uint64_t number;
        size_t len, tx_len;

        OK(mgc_chain_get_info(mgc_node_chain(members[at].node, MGC_CONTRACT_TRADING), &chain));
        OK(mgc_node_next_nonce(members[at].node, body.sender, MGC_CONTRACT_TRADING, &body.nonce));
        body.chain_id = chain.chain_id;
        body.valid_until = chain.height + 900;
        OK(mgc_tx_encode_body(&body, encoded, sizeof encoded, &len));
        OK(mgc_tx_sign(encoded, len, user, MGC_ROLE_USER, &signature));
        OK(mgc_tx_assemble(encoded, len, &signature, 1, bytes, sizeof bytes, &tx_len));
        OK(mgc_node_submit(members[at].node, bytes, tx_len, &number));
        run(240);
    }
}

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

/* --- failing hosts -------------------------------------------------------------------------------- */

/* A storage call fails: the call on the node in which it does says so, or, where it was only the note that a sync had ended, the
 * next one that writes; the host takes the node down, and started again it has everything that it acknowledged. */
START_TEST(a_storage_call_that_fails_is_told)
{
    uint32_t hit = 0;

    open_all(3, 0, 0);
    ck_assert(goes_through(1, 500));
    for (long k = 0; k < 24; k++) {
        uint32_t victim = 1 + (uint32_t)k % 3, before = n_down;

        members[victim].may_fail = true;
        members[victim].disk.calls = 0;
        members[victim].disk.fault_at = k / 3;
        members[victim].disk.die = true;
        for (int i = 0; i < 800 && members[victim].node != NULL; i++) {
            if (i % 25 == 0) submit(victim == 1 ? 2 : 1, ++nonce);
            run(4);
        }
        ck_assert_msg(members[victim].disk.dead == (members[victim].node == NULL), "call %ld: the disk is %s, the node is %s", k / 3,
                      members[victim].disk.dead ? "dead" : "well", members[victim].node == NULL ? "down" : "up");
        hit += members[victim].disk.dead;
        ck_assert_uint_eq(n_down, before + (members[victim].node == NULL));
        members[victim].may_fail = false;
        if (members[victim].node != NULL) {
            members[victim].disk.fault_at = -1;
            continue;
        }
        sim_disk_crash(&members[victim].disk);
        start(victim);
        run(2500);
    }
    ck_assert_uint_gt(hit, 15);
    nonce = 0;
    run(4000);
    check_alike();
    close_all();
}
END_TEST

/* One member orders alone: the same, and what a step that answered OK acknowledged is there after the loss of power. */
START_TEST(alone_a_storage_call_that_fails_is_told)
{
    uint32_t hit = 0, late = 0;

    for (long k = 0; k < 12; k++) {
        mgc_status st = MGC_OK;

        open_all(1, 0, 0);
        nonce = 0;
        submit(1, ++nonce);
        members[1].disk.calls = 0;
        members[1].disk.fault_at = k;
        members[1].disk.die = true;
        for (int i = 0; i < 300 && st == MGC_OK && !members[1].disk.dead; i++) st = mgc_node_step(members[1].node, now += 4, NULL);
        hit += members[1].disk.dead;
        ck_assert_msg((st != MGC_OK) == members[1].disk.dead, "call %ld: %s", k, mgc_status_name(st)); /* in the step itself */
        if (members[1].disk.dead) {
            mgc_chain_info chain = {.struct_size = sizeof chain};
            uint64_t acknowledged;

            OK(mgc_chain_get_info(mgc_node_chain(members[1].node, INFO), &chain));
            acknowledged = chain.acked_height;
            late += st == MGC_E_FAILED && acknowledged > 0; /* only the note of the sync */
            ck_assert_int_ne(mgc_node_step(members[1].node, now += 4, NULL), MGC_OK);
            stop(1);
            start(1);
            ck_assert_uint_ge(info_of(1).height, acknowledged);
        }
        close_all();
    }
    ck_assert_uint_gt(hit, late);
    ck_assert_uint_gt(late, 0);
}
END_TEST

struct heap {
    long until_fault, faults, live; /* until_fault -1: none */
};

static bool heap_fails(struct heap *h)
{
    if (h->until_fault < 0 || h->until_fault-- != 0) return false;
    h->faults++;
    return true;
}

static void *heap_alloc(void *u, size_t size)
{
    struct heap *h = u;

    if (heap_fails(h)) return NULL;
    h->live++;
    return malloc(size);
}

static void *heap_resize(void *u, void *block, size_t size)
{
    struct heap *h = u;

    if (heap_fails(h)) return NULL;
    h->live += block == NULL;
    return realloc(block, size);
}

static void heap_release(void *u, void *block)
{
    ((struct heap *)u)->live--;
    free(block);
}

/* One member's every allocation fails once, at its start and under load: the call says so or the thing is dropped as a lost
 * message would be; started again it has what the others have, and nothing leaked. */
START_TEST(allocations_of_a_member_fail)
{
    struct heap heap = {.until_fault = -1};
    mgc_allocator allocator = {heap_alloc, heap_resize, heap_release, &heap};
    mgc_ctx_opts o;
    uint32_t down = 0;

    mgc_ctx_opts_init(&o, sizeof o);
    o.allocator = &allocator;
    open_all(3, 0, 0);
    ck_assert(goes_through(1, 500));
    stop(3);
    for (long k = 0; k < 1400; k += 1 + k / 12) {
        uint32_t before = n_down;

        OK(mgc_ctx_create(&o, &members[3].own_ctx));
        members[3].may_fail = true;
        heap.until_fault = k;
        start(3);
        submit(1, ++nonce);
        run(600);
        heap.until_fault = -1;
        down += n_down > before || members[3].node == NULL;
        if (members[3].node == NULL) {
            sim_disk_crash(&members[3].disk);
            start(3);
        }
        members[3].may_fail = false;
        ck_assert_ptr_nonnull(members[3].node);
        run(1500);
        mgc_node_destroy(members[3].node);
        members[3].node = NULL;
        mgc_ctx_destroy(members[3].own_ctx);
        members[3].own_ctx = NULL;
        ck_assert_msg(heap.live == 0, "allocation %ld: %ld blocks leaked", k, heap.live);
    }
    ck_assert_int_gt(heap.faults, 30);
    ck_assert_uint_gt(down, 10);
    start(3);
    run(5000);
    check_alike();
    close_all();
}
END_TEST

/* Snapshots of the state at each day's close, with and without pruning: after a restart and a loss of power the members are alike. */
START_TEST(members_with_daily_snapshots)
{
    for (uint32_t way = 1; way <= 2; way++) {
        open_all(3, 0, 0);
        for (uint32_t i = 1; i <= 3; i++) {
            stop(i);
            members[i].snapshots = i == 1 ? 0 : way; /* one keeps everything */
            start(i);
        }
        run(2500);
        found_market();
        for (int d = 0; d < 4; d++) {
            now += 86400000;
            for (int i = 0; i < 3; i++) ck_assert(goes_through(leader(), 700));
            stop(2 + (uint32_t)d % 2);
            start(2 + (uint32_t)d % 2);
            run(2500);
        }
        run(2000);
        check_alike();
        for (uint32_t i = 1; i <= 3; i++) stop(i);
        for (uint32_t i = 1; i <= 3; i++) start(i);
        run(3000);
        ck_assert(goes_through(leader(), 1500));
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

int main(void)
{
    Suite *suite = suite_create("node-members");
    TCase *tc = tcase_create("all");
    SRunner *runner;
    int failed;

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 1;
    tcase_set_timeout(tc, 200);
    tcase_add_test(tc, a_learner_has_everything_and_counts_nowhere);
    tcase_add_test(tc, a_newcomer_learns_then_votes);
    tcase_add_test(tc, a_newcomer_comes_late);
    tcase_add_test(tc, nobody_of_the_genesis_is_left);
    tcase_add_test(tc, a_configuration_in_a_snapshot_is_proved);
    tcase_add_test(tc, a_member_goes_even_if_it_leads);
    tcase_add_test(tc, changes_that_cannot_be_are_refused);
    tcase_add_test(tc, who_lost_its_store_comes_back_as_another);
    tcase_add_loop_test(tc, what_is_not_signed_decides_nothing, 0, 2);
    tcase_add_test(tc, a_forged_acknowledgement_commits_nothing);
    tcase_add_test(tc, a_change_without_a_majority_changes_nothing);
    tcase_add_test(tc, X1_who_signs_two_truths_is_convicted_and_goes);
    tcase_add_test(tc, a_leader_with_two_heads_is_convicted_and_goes);
    tcase_add_test(tc, three_voters_stay_three);
    tcase_add_test(tc, a_gap_in_nonces_makes_no_rounds);
    tcase_add_test(tc, absence_costs_the_vote_and_presence_brings_it_back);
    tcase_add_test(tc, what_operators_decided_credit_leaves_alone);
    tcase_add_test(tc, a_configuration_without_a_reason_is_not_taken);
    tcase_add_test(tc, a_roster_in_a_snapshot_is_checked);
    tcase_add_test(tc, a_crash_in_the_middle_of_a_change);
    tcase_add_test(tc, a_storage_call_that_fails_is_told);
    tcase_add_test(tc, alone_a_storage_call_that_fails_is_told);
    tcase_add_test(tc, allocations_of_a_member_fail);
    tcase_add_test(tc, members_with_daily_snapshots);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    mgc_ctx_destroy(ctx);
    return failed != 0;
}
