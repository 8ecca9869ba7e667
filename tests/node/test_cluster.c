/* SPDX-License-Identifier: Apache-2.0 */
/* Several members over disks that lose power and links that lose messages: what was acknowledged stays, and all have the
 * same blocks. */
#include "alliance.h"

enum { N = 3, USERS = 4, TXS_MAX = 4096 };

static mgc_key *users[USERS];
static uint64_t nonces[USERS];

static struct sent {
    uint8_t tx_id[32];
    uint64_t ticket, starts;
    uint32_t member;
    bool told;
} sent[TXS_MAX];
static size_t n_sent;

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

/* --- transactions ------------------------------------------------------------------------------- */

/* Nobody knows the sender, so that its contract refuses it: it stands in a block with the reason, its nonce is spent. */
static const uint8_t *make_tx(uint32_t at, uint32_t by, size_t *tx_len)
{
    static uint8_t encoded[MGC_TX_BYTES_MAX], bytes[MGC_TX_BYTES_MAX];
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_tx_body body = {.struct_size = sizeof body, .sender = mgc__key_public(users[by]), .contract = MGC_CONTRACT_INFORMATION,
                        .method = "nothing", .arguments = (const uint8_t *)"\xa0", .arguments_len = 1,
                        .nonce = nonces[by] + 1};
    mgc_tx_signature signature;
    size_t len;

    OK(mgc_chain_get_info(mgc_node_chain(members[at].node, 0), &chain));
    body.chain_id = chain.chain_id;
    body.valid_until = chain.height + 900;
    OK(mgc_tx_encode_body(&body, encoded, sizeof encoded, &len));
    OK(mgc_tx_sign(encoded, len, users[by], MGC_ROLE_USER, &signature));
    OK(mgc_tx_assemble(encoded, len, &signature, 1, bytes, sizeof bytes, tx_len));
    nonces[by]++;
    return bytes;
}

static void send_tx(uint32_t to, uint32_t by)
{
    struct member *m = &members[to];
    mgc_tx_info info = {.struct_size = sizeof info};
    const uint8_t *bytes;
    size_t len;

    if (m->node == NULL || n_sent == TXS_MAX) return;
    bytes = make_tx(to, by, &len);
    OK(mgc_tx_decode(bytes, len, &info));
    memcpy(sent[n_sent].tx_id, info.tx_id, 32);
    sent[n_sent].member = to;
    sent[n_sent].starts = m->starts;
    sent[n_sent].told = false;
    OK(mgc_node_submit(m->node, bytes, len, &sent[n_sent].ticket));
    n_sent++;
}

static void open_three(uint64_t seed)
{
    world_seed = seed;
    n_sent = 0;
    for (uint32_t i = 0; i < USERS; i++) {
        uint8_t key[32] = {(uint8_t)(50 + i)};
        OK(mgc_key_from_seed(ctx, key, &users[i]));
        nonces[i] = 0;
    }
    open_all(N, 0, 0);
    before_steps = look_at_tickets;
}

static void close_three(void)
{
    close_all();
    for (uint32_t i = 0; i < USERS; i++) mgc_key_destroy(users[i]);
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
    open_three(1);
    ck_assert_uint_ne(leader(), 0);
    for (int i = 0; i < 40; i++) {
        send_tx(1 + (uint32_t)i % N, (uint32_t)i % USERS);
        run(50);
    }
    run(2000);
    for (size_t i = 0; i < n_sent; i++) ck_assert_msg(sent[i].told, "transaction %zu was never told", i);
    check_same();
    close_three();
}
END_TEST

/* Who waits for a transaction waits for the log and for block and certificate, and for no third sync. */
START_TEST(a_block_costs_a_member_two_syncs)
{
    enum { TXS = 10 };
    uint64_t before[N + 1];

    open_three(4);
    run(2000);
    for (uint32_t i = 1; i <= N; i++) before[i] = members[i].disk.syncs;
    for (int i = 0; i < TXS; i++) {
        send_tx(leader(), 0);
        run(200);
        ck_assert(sent[i].told);
    }
    for (uint32_t i = 1; i <= N; i++) ck_assert_uint_eq(members[i].disk.syncs - before[i], 2 * TXS);
    check_same();
    close_three();
}
END_TEST

/* Power fails at all of them between the signatures and the sync: what was not told comes anew from the log, the same. */
START_TEST(a_block_that_was_signed_and_not_synced_comes_again)
{
    uint64_t heights[N + 1];
    uint8_t hashes[N + 1][32];

    for (uint64_t ms = 0; ms < 60; ms += 4) {
        open_three(20 + ms);
        run(1000);
        send_tx(leader(), 0);
        run(ms);
        for (uint32_t i = 1; i <= N; i++) {
            mgc_chain_info info = {.struct_size = sizeof info};
            OK(mgc_chain_get_info(mgc_node_chain(members[i].node, 0), &info));
            heights[i] = info.height;
            memcpy(hashes[i], info.block_hash, 32);
        }
        for (uint32_t i = 1; i <= N; i++) stop(i);
        for (uint32_t i = 1; i <= N; i++) start(i);
        run(3000);
        check_same();
        for (uint32_t i = 1; i <= N; i++) {
            mgc_block_info info = {.struct_size = sizeof info};
            mgc_block *block;
            if (heights[i] == 0) continue;
            OK(mgc_chain_read_block(mgc_node_chain(members[1].node, 0), heights[i], &block));
            OK(mgc_block_get_info(block, &info));
            ck_assert_mem_eq(info.hash, hashes[i], 32);
            mgc_block_destroy(block);
        }
        close_three();
    }
}
END_TEST

/* --- limits --------------------------------------------------------------------------------------- */

START_TEST(a_round_takes_no_more_transactions_than_allowed)
{
    enum { TXS = 11, ALLOWED = 4 };
    mgc_chain_info chain = {.struct_size = sizeof chain};
    uint32_t n_full = 0;

    open_three(5);
    run(1000);
    for (uint32_t i = 1; i <= N; i++) members[i].node->opts.block_txs_max = ALLOWED;
    for (int i = 0; i < TXS; i++) send_tx(leader(), 0);
    run(2000);
    for (int i = 0; i < TXS; i++) ck_assert(sent[i].told);
    OK(mgc_chain_get_info(mgc_node_chain(members[1].node, 0), &chain));
    for (uint64_t h = 1; h <= chain.height; h++) {
        mgc_block_info info = {.struct_size = sizeof info};
        mgc_block *block;
        OK(mgc_chain_read_block(mgc_node_chain(members[1].node, 0), h, &block));
        OK(mgc_block_get_info(block, &info));
        ck_assert_uint_le(info.n_txs, ALLOWED);
        n_full += info.n_txs == ALLOWED;
        mgc_block_destroy(block);
    }
    ck_assert_uint_ge(n_full, TXS / ALLOWED);
    check_same();
    close_three();
}
END_TEST

/* A round with one transaction, then so many of no bytes, as a leader might invent it. */
static void execute_round(uint32_t n_txs, const uint8_t *tx, size_t tx_len)
{
    mgc__buf b;

    for (uint32_t i = 1; i <= N; i++) {
        mgc__cluster *c = members[i].node->cluster;
        mgc__buf_init(&b, ctx, 1 << 20);
        cluster_put32(&b, 3);
        cluster_put64(&b, (c->last_time > now ? c->last_time : now) + 1);
        cluster_put32(&b, 1);
        cluster_put32(&b, c->node->n_chains);
        cluster_put32(&b, 0); /* no certificate */
        for (uint32_t k = 0; k < c->node->n_chains; k++) {
            uint32_t n = k == 0 ? n_txs : 0;
            mgc__buf_put(&b, "", 1);
            cluster_put32(&b, n);
            if (n > 0) cluster_put32(&b, (uint32_t)tx_len);
            if (n > 0) mgc__buf_put(&b, tx, tx_len);
            for (uint32_t t = 1; t < n; t++) cluster_put32(&b, 0);
        }
        ck_assert_int_eq(b.status, MGC_OK);
        OK(mgc__round_execute(c, b.bytes, b.len));
        mgc__buf_free(&b);
    }
    run(500);
}

START_TEST(a_round_of_too_many_transactions_is_no_round)
{
    uint64_t before;
    const uint8_t *tx;
    size_t len;

    open_three(6);
    run(1000);
    before = info_of(1).height;
    tx = make_tx(1, 0, &len);
    execute_round(MGC_BLOCK_TXS_MAX + 1, tx, len);
    for (uint32_t i = 1; i <= N; i++) ck_assert_uint_eq(info_of(i).height, before);
    execute_round(MGC_BLOCK_TXS_MAX, tx, len);
    for (uint32_t i = 1; i <= N; i++) ck_assert_uint_eq(info_of(i).final_height, before + 1);
    send_tx(leader(), 1);
    run(500);
    ck_assert(sent[0].told);
    check_same();
    close_three();
}
END_TEST

/* Signatures of a block to come: so many are said to be there, and one of one member stands there so often. */
static uint32_t votes_taken(uint32_t said, uint32_t n)
{
    mgc__cluster *c = members[1].node->cluster;
    uint64_t height = info_of(1).final_height + 1;
    static const uint8_t signature[64] = {1};
    uint8_t kind = ENVELOPE_BLOCK;
    mgc__buf b;

    mgc__buf_init(&b, ctx, 1 << 16);
    mgc__buf_put(&b, &kind, 1);
    cluster_put32(&b, 0);
    cluster_put64(&b, height);
    cluster_put32(&b, said);
    for (uint32_t i = 0; i < n; i++) {
        cluster_put32(&b, 2);
        mgc__buf_put(&b, signature, 64);
    }
    cluster_put32(&b, 0);
    ck_assert_int_eq(b.status, MGC_OK);
    OK(mgc_node_receive(members[1].node, 2, b.bytes, b.len));
    mgc__buf_free(&b);
    return c->votes[0][height % CLUSTER_PENDING].height == height ? c->votes[0][height % CLUSTER_PENDING].n : 0;
}

START_TEST(a_certificate_of_too_many_votes_is_not_read)
{
    open_three(7);
    run(1000);
    ck_assert_uint_eq(votes_taken(CLUSTER_KNOWN_MAX + 1, CLUSTER_KNOWN_MAX + 1), 0);
    ck_assert_uint_eq(votes_taken(UINT32_MAX, CLUSTER_KNOWN_MAX), 0);
    ck_assert_uint_eq(votes_taken(CLUSTER_KNOWN_MAX, CLUSTER_KNOWN_MAX), 1);
    send_tx(leader(), 0);
    run(500);
    ck_assert(sent[0].told);
    check_same();
    close_three();
}
END_TEST

START_TEST(a_leader_that_dies_is_replaced_and_catches_up)
{
    uint32_t old;

    open_three(2);
    for (int i = 0; i < 10; i++) send_tx(1 + (uint32_t)i % N, 0);
    run(1500);
    old = leader();
    ck_assert_uint_ne(old, 0);
    stop(old);
    run(2000);
    ck_assert_uint_ne(leader(), 0);
    ck_assert_uint_ne(leader(), old);
    for (int i = 0; i < 10; i++) send_tx(leader(), 1);
    run(1500);
    for (size_t i = 10; i < n_sent; i++) ck_assert_msg(sent[i].told, "transaction %zu was never told", i);
    start(old);
    run(2500);
    check_same();
    close_three();
}
END_TEST

/* Longer away than the log of the order reaches: blocks come with their certificates. */
START_TEST(a_member_that_was_long_away_fetches_blocks)
{
    open_three(3);
    send_tx(1, 0);
    run(500);
    stop(3);
    for (int i = 0; i < 700; i++) {
        send_tx(leader() == 0 ? 1 : leader(), (uint32_t)i % USERS);
        run(40);
    }
    run(1000);
    start(3);
    run(30000);
    check_same();
    close_three();
}
END_TEST

/* The leader that brought a snapshot dies while the blocks up to it are being fetched: the others are a majority, and go on. */
START_TEST(who_brought_a_snapshot_may_die_before_it_is_in_force)
{
    uint32_t away, from;

    open_three(6);
    from = leader();
    away = from % N + 1;
    stop(away);
    for (int i = 0; i < 700; i++) {
        send_tx(from, 0);
        run(40);
    }
    ck_assert_uint_eq(leader(), from);
    start(away);
    for (int i = 0; i < 1000 && (members[away].node == NULL || !members[away].node->cluster->target.set); i++) run(4);
    ck_assert(members[away].node->cluster->target.set);
    stop(from);
    run(4000);
    ck_assert_uint_ne(leader(), 0);
    n_sent = 0;
    send_tx(6 - from - away, 1);
    run(20000);
    ck_assert_uint_eq(n_sent, 1);
    ck_assert_msg(sent[0].told, "two of three are there and nothing is committed");
    start(from);
    run(3000);
    check_same();
    close_three();
}
END_TEST

/* The leader's clock jumps a month ahead, or says the last moment that there is: no block has that time, and the others go on. */
START_TEST(a_leader_with_a_wrong_clock_is_not_followed) /* faults 90 */
{
    mgc_chain_info chain = {.struct_size = sizeof chain};
    uint32_t wrong;

    open_three(7);
    wrong = leader();
    members[wrong].ahead = _i == 0 ? UINT64_C(30) * 86400000 : UINT64_MAX - 100000;
    send_tx(wrong, 0);
    run(3000);
    for (uint32_t i = 0; i < 4; i++) send_tx(wrong % N + 1, 1 + i % 2);
    run(12000);
    for (size_t i = 1; i < n_sent; i++) ck_assert_msg(sent[i].told, "transaction %zu was never told", i);
    for (uint32_t i = 1; i <= N; i++) {
        OK(mgc_chain_get_info(mgc_node_chain(members[i].node, MGC_CONTRACT_INFORMATION), &chain));
        ck_assert_uint_gt(chain.height, 0);
        ck_assert_uint_le(chain.time_ms, now + 86400000);
    }
    members[wrong].ahead = 0;
    run(3000);
    check_same();
    close_three();
}
END_TEST

/* A member's clock that stands at the beginning is its own affair: it takes part as before. */
START_TEST(a_member_without_a_clock_takes_part)
{
    open_three(8);
    send_tx(1, 0);
    run(1000);
    for (uint32_t i = 1; i <= N; i++) members[i].ahead = UINT64_C(400) * 86400000;
    send_tx(1, 0);
    run(2000);
    stop(leader() % N + 1);
    for (uint32_t i = 1; i <= N; i++)
        if (members[i].node != NULL && i != leader()) members[i].ahead = 0;
    send_tx(leader(), 1);
    run(3000);
    for (size_t i = 0; i < n_sent; i++) ck_assert_msg(sent[i].told, "transaction %zu was never told", i);
    close_three();
}
END_TEST

/* A host that sleeps until it is told to wake serves a block when it is due, not at the next tick. */
START_TEST(the_leader_wakes_for_a_block)
{
    mgc__cluster *c;
    uint64_t wake;

    open_three(9);
    c = members[leader()].node->cluster;
    while (c->tick_at < now + 16) run(4);
    send_tx(leader(), 0);
    OK(mgc_node_step(c->node, now, &wake));
    ck_assert_uint_eq(wake, now + 10);
    OK(mgc_node_step(members[leader() % N + 1].node, now, &wake));
    ck_assert_uint_gt(wake, now);
    run(1000);
    ck_assert(sent[0].told);
    close_three();
}
END_TEST

/* Transactions whose nonce never comes fill no round: whoever hands in a thousand of them stops nobody else. */
START_TEST(what_waits_for_a_nonce_keeps_nobody_waiting)
{
    uint32_t at;

    open_three(10);
    at = leader();
    for (uint64_t k = 0; k < 1100; k++) (void)submit(at, 1000 + k);
    run(2000);
    send_tx(at, 0);
    send_tx(at % N + 1, 1);
    run(3000);
    for (size_t i = 0; i < n_sent; i++) ck_assert_msg(sent[i].told, "transaction %zu was never told", i);
    close_three();
}
END_TEST

/* A pool full of such. */
static void fill_pool(mgc_node *node)
{
    void *pool = node->pool, *by_id = node->by_id;

    ck_assert_uint_eq(node->pool_n, 1);
    ck_assert(node->pool[0].held);
    ck_assert(mgc__grow(ctx, &pool, &node->pool_cap, MGC_POOL_MAX, sizeof *node->pool));
    ck_assert(mgc__grow(ctx, &by_id, &node->by_id_cap, MGC_POOL_MAX, sizeof *node->by_id));
    node->pool = pool;
    node->by_id = by_id;
    memset(node->pool[0].tx_id, 0, 32);
    for (uint32_t i = 0; i < MGC_POOL_MAX; i++) {
        waiting *w = &node->pool[i];
        node->by_id[i] = i;
        if (i == 0) continue;
        *w = node->pool[0];
        w->bytes = mgc__alloc(ctx, w->len, 1);
        ck_assert_ptr_nonnull(w->bytes);
        memcpy(w->bytes, node->pool[0].bytes, w->len);
        for (int k = 0; k < 4; k++) w->tx_id[k] = (uint8_t)(i >> (24 - 8 * k));
    }
    node->pool_n = MGC_POOL_MAX;
}

START_TEST(a_full_pool_makes_room)
{
    uint64_t first;
    mgc_ticket_info info = {.struct_size = sizeof info};
    uint32_t at;

    open_three(11);
    at = leader();
    first = submit(at, 1000);
    run(500);
    fill_pool(members[at].node);
    send_tx(at % N + 1, 0);
    run(40);
    send_tx(at, 1);
    run(3000);
    for (size_t i = 0; i < n_sent; i++) ck_assert_msg(sent[i].told, "transaction %zu was never told", i);
    OK(mgc_ticket_state(members[at].node, first, &info));
    ck_assert_uint_eq(info.state, MGC_TICKET_REFUSED);
    ck_assert_int_eq(info.status, MGC_E_RATE);
    close_three();
}
END_TEST

/* Members are killed at random, messages are lost, transactions go on: _i is the seed. */
START_TEST(no_acknowledged_transaction_is_lost)
{
    open_three(100 + (uint64_t)_i);
    loss = 30;
    for (int step = 0; step < 60; step++) {
        struct member *m = &members[1 + mgc__rng_below(&rng, N)];
        if (m->node == NULL) start(m->id);
        else if (mgc__rng_below(&rng, 3) == 0) stop(m->id);
        for (int k = 0; k < 3; k++) {
            uint32_t to = 1 + (uint32_t)mgc__rng_below(&rng, N); /* one order of evaluation with every compiler */
            send_tx(to, (uint32_t)mgc__rng_below(&rng, USERS));
        }
        run(100 + mgc__rng_below(&rng, 600));
    }
    loss = 0;
    for (uint32_t i = 1; i <= N; i++)
        if (members[i].node == NULL) start(i);
    run(8000);
    check_same();
    close_three();
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, members_agree_and_blocks_are_final);
    tcase_add_test(tc, a_block_costs_a_member_two_syncs);
    tcase_add_test(tc, a_block_that_was_signed_and_not_synced_comes_again);
    tcase_add_test(tc, a_round_takes_no_more_transactions_than_allowed);
    tcase_add_test(tc, a_round_of_too_many_transactions_is_no_round);
    tcase_add_test(tc, a_certificate_of_too_many_votes_is_not_read);
    tcase_add_test(tc, a_leader_that_dies_is_replaced_and_catches_up);
    tcase_add_test(tc, a_member_that_was_long_away_fetches_blocks);
    tcase_add_test(tc, who_brought_a_snapshot_may_die_before_it_is_in_force);
    tcase_add_loop_test(tc, a_leader_with_a_wrong_clock_is_not_followed, 0, 2);
    tcase_add_test(tc, a_member_without_a_clock_takes_part);
    tcase_add_test(tc, the_leader_wakes_for_a_block);
    tcase_add_test(tc, what_waits_for_a_nonce_keeps_nobody_waiting);
    tcase_add_test(tc, a_full_pool_makes_room);
    tcase_add_loop_test(tc, no_acknowledged_transaction_is_lost, 0, 6);
}

int main(void)
{
    return alliance_run("node-cluster", cases);
}
