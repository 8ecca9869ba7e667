/* SPDX-License-Identifier: Apache-2.0 */
/* Several members over disks that lose power and links that lose messages: what was acknowledged stays, and all have the
 * same blocks. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../consensus/sim/sim_disk.h"
#include "crypto/crypto.h"
#include "mgchain/consensus.h"
#include "mgchain/node.h"

enum { N = 3, CHAINS = 3, TICK = 20, USERS = 4, TXS_MAX = 4096 };

struct message {
    uint64_t at;
    uint32_t from, to;
    uint8_t *bytes;
    size_t len;
};

struct member {
    uint32_t id;
    struct sim_disk disk;
    mgc_node *node; /* NULL: down */
    mgc_key *key;
    uint64_t starts;
};

static mgc_ctx *ctx;
static mgc__rng rng;
static struct member members[N + 1];
static mgc_member roster[N];
static struct message net[8192];
static size_t n_net;
static uint64_t now;
static uint32_t loss; /* per thousand */
static bool cut[N + 1][N + 1];
static mgc_key *users[USERS];
static uint64_t nonces[USERS];

static struct sent {
    uint8_t tx_id[32];
    uint64_t ticket, starts;
    uint32_t member;
    bool told;
} sent[TXS_MAX];
static size_t n_sent;

/* --- links -------------------------------------------------------------------------------------- */

static int32_t send(void *user, uint32_t to, const uint8_t *bytes, size_t len)
{
    struct member *m = user;
    struct message *x;

    if (cut[m->id][to] || mgc__rng_below(&rng, 1000) < loss || n_net == MGC__COUNT(net)) return MGC_CB_DONE;
    x = &net[n_net++];
    *x = (struct message){.at = now + 1 + mgc__rng_below(&rng, 12), .from = m->id, .to = to, .bytes = malloc(len), .len = len};
    memcpy(x->bytes, bytes, len);
    return MGC_CB_DONE;
}

#define OK(call)                                                                                  \
    do {                                                                                          \
        mgc_status status_ = (call);                                                              \
        ck_assert_msg(status_ == MGC_OK, "%s: %s", mgc_status_name(status_), mgc_ctx_error(ctx)); \
    } while (0)

static void start(struct member *m)
{
    mgc_transport_ops transport = {.struct_size = sizeof transport, .version = 1, .send = send};
    mgc_node_opts o;

    mgc_node_opts_init(&o, sizeof o);
    o.id = m->id;
    o.key = m->key;
    o.chain = NULL;
    o.members = roster;
    o.n_members = N;
    o.tick_ms = TICK;
    o.block_interval_ms = 10;
    o.genesis_time_ms = 1000;
    o.segment_bytes = 1 << 16;
    o.seed = 5 + m->starts;
    OK(mgc_node_create(ctx, &o, &m->node));
    OK(mgc_node_set_storage(m->node, &sim_disk_ops, &m->disk));
    OK(mgc_node_set_transport(m->node, &transport, m));
    OK(mgc_node_start(m->node));
    m->starts++;
}

static void kill(struct member *m)
{
    mgc_node_destroy(m->node);
    m->node = NULL;
    sim_disk_crash(&m->disk);
}

static void deliver(void)
{
    for (size_t i = 0; i < n_net;) {
        struct message x = net[i];
        if (x.at > now) {
            i++;
            continue;
        }
        net[i] = net[--n_net];
        if (members[x.to].node != NULL) OK(mgc_node_receive(members[x.to].node, x.from, x.bytes, x.len));
        free(x.bytes);
    }
}

/* An acknowledged transaction is in a block, for good; remember that it was told. */
static void look_at_tickets(void)
{
    for (size_t i = 0; i < n_sent; i++) {
        struct member *m = &members[sent[i].member];
        mgc_ticket_info info = {.struct_size = sizeof info};
        if (sent[i].told || m->node == NULL || m->starts != sent[i].starts) continue;
        OK(mgc_ticket_state(m->node, sent[i].ticket, &info));
        sent[i].told = info.state != MGC_TICKET_OPEN && info.height > 0;
    }
}

static void run(uint64_t ms)
{
    for (uint64_t end = now + ms; now < end; now += 5) {
        deliver();
        for (uint32_t i = 1; i <= N; i++) {
            uint64_t wake;
            if (members[i].node != NULL) OK(mgc_node_step(members[i].node, now, &wake));
        }
        look_at_tickets();
    }
}

/* --- transactions ------------------------------------------------------------------------------- */

/* Nobody knows the sender, so that its contract refuses it: it stands in a block with the reason, its nonce is spent. */
static void submit(uint32_t to, uint32_t user)
{
    static uint8_t encoded[MGC_TX_BYTES_MAX], bytes[MGC_TX_BYTES_MAX];
    mgc_chain_info chain = {.struct_size = sizeof chain};
    struct member *m = &members[to];
    mgc_tx_body body = {.struct_size = sizeof body, .sender = mgc__key_public(users[user]), .contract = MGC_CONTRACT_INFORMATION,
                        .method = "nothing", .arguments = (const uint8_t *)"\xa0", .arguments_len = 1,
                        .nonce = nonces[user] + 1};
    mgc_tx_signature signature;
    mgc_tx_info info = {.struct_size = sizeof info};
    size_t len, tx_len;

    if (m->node == NULL || n_sent == TXS_MAX) return;
    OK(mgc_chain_get_info(mgc_node_chain(m->node, 0), &chain));
    body.chain_id = chain.chain_id;
    body.valid_until = chain.height + 900;
    OK(mgc_tx_encode_body(&body, encoded, sizeof encoded, &len));
    OK(mgc_tx_sign(encoded, len, users[user], MGC_ROLE_USER, &signature));
    OK(mgc_tx_assemble(encoded, len, &signature, 1, bytes, sizeof bytes, &tx_len));
    OK(mgc_tx_decode(bytes, tx_len, &info));
    memcpy(sent[n_sent].tx_id, info.tx_id, 32);
    sent[n_sent].member = to;
    sent[n_sent].starts = m->starts;
    sent[n_sent].told = false;
    OK(mgc_node_submit(m->node, bytes, tx_len, &sent[n_sent].ticket));
    n_sent++;
    nonces[user]++;
}

static void open_all(uint64_t seed)
{
    mgc__rng_seed(&rng, seed);
    memset(cut, 0, sizeof cut);
    now = 5000;
    loss = 0;
    n_sent = 0;
    for (uint32_t i = 0; i < USERS; i++) {
        uint8_t key[32] = {(uint8_t)(50 + i)};
        OK(mgc_key_from_seed(ctx, key, &users[i]));
        nonces[i] = 0;
    }
    for (uint32_t i = 1; i <= N; i++) {
        uint8_t key[32] = {(uint8_t)i};
        members[i] = (struct member){.id = i};
        sim_disk_init(&members[i].disk, &rng);
        OK(mgc_key_from_seed(ctx, key, &members[i].key));
        roster[i - 1] = (mgc_member){.id = i};
        OK(mgc_key_public(members[i].key, roster[i - 1].public_key));
    }
    for (uint32_t i = 1; i <= N; i++) start(&members[i]);
}

static void close_all(void)
{
    for (uint32_t i = 1; i <= N; i++) {
        mgc_node_destroy(members[i].node);
        sim_disk_free(&members[i].disk);
        mgc_key_destroy(members[i].key);
    }
    for (uint32_t i = 0; i < USERS; i++) mgc_key_destroy(users[i]);
    while (n_net > 0) free(net[--n_net].bytes);
}

static uint32_t leader(void)
{
    for (uint32_t i = 1; i <= N; i++) {
        mgc_node_info info = {.struct_size = sizeof info};
        if (members[i].node == NULL) continue;
        OK(mgc_node_get_info(members[i].node, &info));
        if (info.role == MGC_RAFT_LEADER) return i;
    }
    return 0;
}

/* All have the same blocks, all final, with a quorum's signatures; no transaction that was told is missing or there twice. */
static void check_same(void)
{
    mgc_chain_info first = {.struct_size = sizeof first};
    uint64_t n_told = 0, n_there = 0;

    for (uint32_t i = 1; i <= N; i++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        OK(mgc_chain_get_info(mgc_node_chain(members[i].node, 0), &info));
        if (i == 1) first = info;
        ck_assert_msg(info.height == first.height && info.final_height == info.height,
                      "member %" PRIu32 ": height %" PRIu64 ", final %" PRIu64 "; member 1 has %" PRIu64, i, info.height, info.final_height,
                      first.height);
        ck_assert(memcmp(info.block_hash, first.block_hash, 32) == 0);
        ck_assert(memcmp(info.state_digest, first.state_digest, 32) == 0);
    }
    for (uint64_t h = 1; h <= first.height; h++) {
        mgc_block_info info = {.struct_size = sizeof info};
        mgc_block *block;
        OK(mgc_chain_read_block(mgc_node_chain(members[1].node, 0), h, &block));
        OK(mgc_block_get_info(block, &info));
        ck_assert_uint_ge(info.n_votes, N / 2 + 1);
        for (uint32_t t = 0; t < info.n_txs; t++) {
            mgc_tx_info tx = {.struct_size = sizeof tx};
            const uint8_t *bytes;
            size_t len;
            OK(mgc_block_get_tx(block, t, &bytes, &len, &tx));
            for (size_t i = 0; i < n_sent; i++)
                if (memcmp(sent[i].tx_id, tx.tx_id, 32) == 0) {
                    n_there++;
                    n_told += sent[i].told;
                }
        }
        mgc_block_destroy(block);
    }
    for (size_t i = 0; i < n_sent; i++) n_told -= sent[i].told;
    ck_assert_uint_eq(n_told, 0);
    ck_assert_uint_le(n_there, n_sent);
}

/* --- tests -------------------------------------------------------------------------------------- */

START_TEST(members_agree_and_blocks_are_final)
{
    open_all(1);
    run(1500);
    ck_assert_uint_ne(leader(), 0);
    for (int i = 0; i < 40; i++) {
        submit(1 + (uint32_t)i % N, (uint32_t)i % USERS);
        run(50);
    }
    run(2000);
    for (size_t i = 0; i < n_sent; i++) ck_assert_msg(sent[i].told, "transaction %zu was never told", i);
    check_same();
    close_all();
}
END_TEST

START_TEST(a_leader_that_dies_is_replaced_and_catches_up)
{
    uint32_t old;

    open_all(2);
    run(1500);
    for (int i = 0; i < 10; i++) submit(1 + (uint32_t)i % N, 0);
    run(1500);
    old = leader();
    ck_assert_uint_ne(old, 0);
    kill(&members[old]);
    run(2000);
    ck_assert_uint_ne(leader(), 0);
    ck_assert_uint_ne(leader(), old);
    for (int i = 0; i < 10; i++) submit(leader(), 1);
    run(1500);
    for (size_t i = 10; i < n_sent; i++) ck_assert_msg(sent[i].told, "transaction %zu was never told", i);
    start(&members[old]);
    run(2500);
    check_same();
    close_all();
}
END_TEST

/* Longer away than the log of the order reaches: blocks come with their certificates. */
START_TEST(a_member_that_was_long_away_fetches_blocks)
{
    open_all(3);
    run(1500);
    submit(1, 0);
    run(500);
    kill(&members[3]);
    for (int i = 0; i < 700; i++) {
        submit(leader() == 0 ? 1 : leader(), (uint32_t)i % USERS);
        run(40);
    }
    run(1000);
    start(&members[3]);
    run(30000);
    check_same();
    close_all();
}
END_TEST

/* Members are killed at random, messages are lost, transactions go on: _i is the seed. */
START_TEST(no_acknowledged_transaction_is_lost)
{
    open_all(100 + (uint64_t)_i);
    loss = 30;
    for (int step = 0; step < 60; step++) {
        struct member *m = &members[1 + mgc__rng_below(&rng, N)];
        if (m->node == NULL) start(m);
        else if (mgc__rng_below(&rng, 3) == 0) kill(m);
        for (int k = 0; k < 3; k++) {
            uint32_t to = 1 + (uint32_t)mgc__rng_below(&rng, N); /* one order of evaluation with every compiler */
            submit(to, (uint32_t)mgc__rng_below(&rng, USERS));
        }
        run(100 + mgc__rng_below(&rng, 600));
    }
    loss = 0;
    for (uint32_t i = 1; i <= N; i++)
        if (members[i].node == NULL) start(&members[i]);
    run(8000);
    check_same();
    close_all();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("node-cluster");
    TCase *tc = tcase_create("all");
    SRunner *runner;
    int failed;

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 1;
    tcase_set_timeout(tc, 200);
    tcase_add_test(tc, members_agree_and_blocks_are_final);
    tcase_add_test(tc, a_leader_that_dies_is_replaced_and_catches_up);
    tcase_add_test(tc, a_member_that_was_long_away_fetches_blocks);
    tcase_add_loop_test(tc, no_acknowledged_transaction_is_lost, 0, 6);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    mgc_ctx_destroy(ctx);
    return failed != 0;
}
