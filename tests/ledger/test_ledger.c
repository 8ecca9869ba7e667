/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions, blocks, certificates, the tree and the
 * state. */
#include "world.h"

static mgc_ctx *ctx;
static struct disk disk;
static struct world w;
static uint8_t bytes[MGC_TX_BYTES_MAX + 1];

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    disk_init(&disk);
    ck_assert_int_eq(world_open(&w, ctx, &disk, 1 << 20), MGC_OK);
}

static void teardown(void)
{
    world_close(&w);
    disk_free(&disk);
    mgc_ctx_destroy(ctx);
}

/* --- the tree: 600 000 random acts against a sorted array ---------------------------------------- */

/* Keys in the order of k: short ones; ones that all begin alike; ones that begin alike in groups, some of them another one with
 * zeros behind. */
static size_t tree_key(int shape, uint32_t k, uint8_t key[24])
{
    uint32_t rest = shape == 2 ? k / 3 : k;
    size_t len = 0;

    memset(key, 'x', 24);
    if (shape == 1) len = 12;
    if (shape == 2) memset(key + 6, (int)(rest >> 10), 9);
    if (shape == 2) len = 15;
    key[len++] = (uint8_t)(shape == 2 ? (rest & 1023) >> 8 : rest >> 8);
    key[len++] = (uint8_t)rest;
    if (shape == 2)
        for (uint32_t i = 0; i < k % 3; i++) key[len++] = 0;
    return len;
}

START_TEST(the_tree_is_a_sorted_array) /* faults 96 */
{
    enum { KEYS = 30000 }; /* four levels of nodes */
    static bool there[KEYS];
    uint8_t key[24], value[1];
    size_t len;
    mgc__tree tree;
    mgc__rng rng;
    uint64_t n = 0;

    memset(there, 0, sizeof there);
    mgc__rng_seed(&rng, 5);
    mgc__tree_init(&tree, ctx);
    for (int round = 0; round < (_i == 0 ? 600000 : 300000); round++) {
        uint32_t k = (uint32_t)mgc__rng_below(&rng, KEYS);
        uint64_t bias = round / 100000 % 2 == 0 ? 3 : 1; /* grow for a while, then shrink */
        mgc__item *old;
        len = tree_key(_i, k, key);
        value[0] = (uint8_t)round;
        if (mgc__rng_below(&rng, 4) < bias) {
            ck_assert(mgc__tree_put(&tree, mgc__item_create(ctx, key, len, value, 1), &old));
            ck_assert_int_eq(old != NULL, there[k]);
            n += old == NULL;
            there[k] = true;
        } else {
            old = mgc__tree_remove(&tree, key, len);
            ck_assert_int_eq(old != NULL, there[k]);
            n -= old != NULL;
            there[k] = false;
        }
        mgc__free(ctx, old);
        ck_assert_uint_eq(tree.n, n);
        if (round % 20000 == 0) {
            const mgc__item *item = mgc__tree_after(&tree, NULL, 0, true);
            for (uint32_t i = 0; i < KEYS; i++) {
                len = tree_key(_i, i, key);
                ck_assert_int_eq(mgc__tree_get(&tree, key, len) != NULL, there[i]);
                if (!there[i]) continue;
                ck_assert_uint_eq(item->key_len, len);
                ck_assert_mem_eq(item->bytes, key, len);
                item = mgc__tree_after(&tree, item->bytes, item->key_len, false);
            }
            ck_assert_ptr_null(item);
        }
    }
    mgc__tree_free(&tree);
}
END_TEST

/* Random changes, some undone to a mark: the write set made from them, applied to the state before, gives the same
 * state. */
START_TEST(a_write_set_is_the_difference)
{
    mgc__state a, b;
    mgc__rng rng;
    uint8_t key[2] = {4, 0}, value[3], root_a[32], root_b[32];
    mgc__buf changes;

    mgc__rng_seed(&rng, 11);
    mgc__state_init(&a, ctx);
    mgc__state_init(&b, ctx);
    for (int block = 0; block < 300; block++) {
        size_t mark = 0;
        for (int i = 0; i < 40; i++) {
            uint64_t act = mgc__rng_below(&rng, 10);
            key[1] = (uint8_t)mgc__rng_below(&rng, 30);
            value[0] = (uint8_t)mgc__rng_below(&rng, 4);
            if (act < 6)
                ck_assert_int_eq(mgc__state_put(&a, key, 2, value, (size_t)mgc__rng_below(&rng, 3)), MGC_OK);
            else if (act < 9)
                (void)mgc__state_remove(&a, key, 2);
            else if (mgc__rng_below(&rng, 2) == 0)
                mark = a.n_undo;
            else
                mgc__state_undo(&a, mark);
        }
        mgc__buf_init(&changes, ctx, 1 << 20);
        ck_assert_int_eq(mgc__state_changes(&a, &changes), MGC_OK);
        ck_assert_int_eq(mgc__cbor_check(changes.bytes, changes.len), MGC_OK);
        mgc__state_settle(&a);
        ck_assert_int_eq(mgc__state_apply(&b, changes.bytes, changes.len), MGC_OK);
        ck_assert_int_eq(mgc__state_root(&a, root_a), MGC_OK);
        ck_assert_int_eq(mgc__state_root(&b, root_b), MGC_OK);
        ck_assert_mem_eq(root_a, root_b, 32);
        mgc__state_undo(&b, 0); /* back, and once more: undoing loses nothing */
        ck_assert_int_eq(mgc__state_apply(&b, changes.bytes, changes.len), MGC_OK);
        mgc__state_settle(&b);
        if (changes.len > 1)
            ck_assert_int_eq(mgc__state_apply(&b, changes.bytes, changes.len), MGC_E_STATE_MISMATCH); /* no change */
        mgc__state_undo(&b, 0);
        mgc__buf_free(&changes);
    }
    mgc__state_free(&a);
    mgc__state_free(&b);
}
END_TEST

START_TEST(records_can_be_walked_while_they_change)
{
    mgc__record_cursor c;
    mgc__exec *x = &w.chain->exec;
    uint32_t n = 0;

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    for (uint8_t i = 0; i < 50; i++) {
        uint8_t key[2] = {'a', i}, other[2] = {'b', i};
        ck_assert_int_eq(mgc__record_put(x, 7, key, 2, &i, 1), MGC_OK);
        ck_assert_int_eq(mgc__record_put(x, 7, other, 2, &i, 1), MGC_OK);
        ck_assert_int_eq(mgc__record_put(x, 8, key, 2, &i, 1), MGC_OK);
    }
    mgc__record_first(&c, 7, (const uint8_t *)"a", 1);
    while (mgc__record_next(mgc__exec_state(x), &c)) {
        ck_assert_uint_eq(c.key[0], 'a');
        ck_assert_uint_eq(c.value[0], c.key[1]);
        ck_assert_int_eq(mgc__record_remove(x, 7, c.key, c.key_len), MGC_OK);
        n++;
    }
    ck_assert_uint_eq(n, 50);
    mgc__record_first(&c, 7, (const uint8_t *)"a", 1);
    ck_assert(!mgc__record_next(mgc__exec_state(x), &c));
    mgc__record_after(&c, 7, (const uint8_t *)"b", 1, (const uint8_t *)"b\x2f", 2);
    for (n = 0; mgc__record_next(mgc__exec_state(x), &c); n++) {}
    ck_assert_uint_eq(n, 2);
    mgc_chain_abort(w.chain);
    ck_assert_uint_eq(w.chain->state.n_records, 0);
}
END_TEST

/* --- transactions -------------------------------------------------------------------------------- */

static mgc_status try_tx(const mgc_key *sender, uint64_t nonce, uint64_t valid_until)
{
    size_t len = make_tx_full(&w, sender, "put", "kv", 2, nonce, valid_until, bytes);
    return mgc_chain_add(w.chain, bytes, len, NULL);
}

START_TEST(a_transaction_counts_once) /* faults 1-6 */
{
    size_t len;

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(try_tx(w.alice, 2, 5), MGC_E_NONCE_GAP);
    ck_assert_int_eq(try_tx(w.alice, 1, 5), MGC_OK);
    ck_assert_int_eq(try_tx(w.alice, 1, 5), MGC_E_DUPLICATE_TXID);
    ck_assert_int_eq(try_tx(w.alice, 1, 6), MGC_E_NONCE_USED);
    ck_assert_int_eq(try_tx(w.bob, 1, 0), MGC_E_EXPIRED);
    ck_assert_int_eq(try_tx(w.bob, 1, 1 + MGC_TX_WINDOW_MAX), MGC_OK);
    ck_assert_int_eq(try_tx(w.bob, 2, 2 + MGC_TX_WINDOW_MAX), MGC_E_LIMIT);
    w.chain_id[5] ^= 1;
    ck_assert_int_eq(try_tx(w.bob, 2, 5), MGC_E_WRONG_CHAIN);
    w.chain_id[5] ^= 1;
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 2001), MGC_OK);
    ck_assert_int_eq(try_tx(w.alice, 1, 5), MGC_E_DUPLICATE_TXID);
    mgc_chain_abort(w.chain);
    world_close(&w); /* and after reopening */
    ck_assert_int_eq(world_open(&w, ctx, &disk, 1 << 20), MGC_OK);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 2001), MGC_OK);
    ck_assert_int_eq(try_tx(w.alice, 1, 5), MGC_E_DUPLICATE_TXID);
    ck_assert_int_eq(try_tx(w.alice, 2, 1), MGC_E_EXPIRED);
    len = make_tx_full(&w, w.alice, "put", "kv", 2, 2, 5, bytes);
    ck_assert_int_eq(mgc_chain_check_tx(w.chain, bytes, len), MGC_OK);
}
END_TEST

/* Every byte of a transaction is covered by its form or its signatures. */
START_TEST(every_flipped_bit_of_a_transaction_is_refused) /* faults 7, 29 */
{
    size_t len = make_tx(&w, "put", "kv", 2, bytes);

    ck_assert_int_eq(mgc_chain_check_tx(w.chain, bytes, len), MGC_OK);
    for (size_t i = 0; i < len; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1 << bit);
            ck_assert_msg(mgc_chain_check_tx(w.chain, bytes, len) != MGC_OK, "byte %zu bit %d", i, bit);
            bytes[i] ^= (uint8_t)(1 << bit);
        }
    for (size_t cut = 0; cut < len; cut++) ck_assert_int_ne(mgc_chain_check_tx(w.chain, bytes, cut), MGC_OK);
    ck_assert_int_eq(mgc_chain_check_tx(w.chain, bytes, 0), MGC_E_TRUNCATED);
    ck_assert_int_eq(mgc_chain_check_tx(w.chain, bytes, MGC_TX_BYTES_MAX + 1), MGC_E_TOO_LARGE);
    ck_assert_int_eq(mgc_chain_check_tx(w.chain, bytes, len), MGC_OK);
}
END_TEST

enum { SIGNER_BYTES = 1 + 2 + 32 + 1 + 2 + 64 }; /* [bytes32, a role below 24, bytes64] */

START_TEST(signatures_are_sorted_single_and_include_the_sender) /* faults 11, 12 */
{
    mgc_tx_body body = {.struct_size = sizeof body,
                        .chain_id = w.chain_id,
                        .sender = mgc__key_public(w.alice),
                        .contract = 5,
                        .method = "put",
                        .arguments = (const uint8_t *)"kv",
                        .arguments_len = 2,
                        .nonce = 1,
                        .valid_until = 5};
    mgc_tx_signature s[3];
    uint8_t encoded[1024], a[2048], b[2048];
    size_t body_len, len, len_b;
    mgc_tx_info info = {.struct_size = sizeof info};

    ck_assert_int_eq(mgc_tx_encode_body(&body, encoded, sizeof encoded, &body_len), MGC_OK);
    ck_assert_int_eq(mgc_tx_encode_body(&body, encoded, 40, &len), MGC_E_TOO_LARGE);
    ck_assert_int_eq(mgc_tx_sign(encoded, body_len, w.alice, MGC_ROLE_USER, &s[0]), MGC_OK);
    ck_assert_int_eq(mgc_tx_sign(encoded, body_len, w.bob, MGC_ROLE_MANAGER, &s[1]), MGC_OK);
    ck_assert_int_eq(mgc_tx_sign(encoded, body_len, w.alice, MGC_ROLE_METER, &s[2]), MGC_OK);
    ck_assert_int_eq(mgc_tx_assemble(encoded, body_len, s, 3, a, sizeof a, &len),
                     MGC_E_NONCANONICAL); /* alice twice */
    ck_assert_int_eq(mgc_tx_assemble(encoded, body_len, s, 2, a, sizeof a, &len), MGC_OK);
    ck_assert_int_eq(mgc_tx_assemble(encoded, body_len, (mgc_tx_signature[]){s[1], s[0]}, 2, b, sizeof b, &len_b),
                     MGC_OK);
    ck_assert_uint_eq(len, len_b);
    ck_assert_mem_eq(a, b, len);
    ck_assert_int_eq(mgc_chain_check_tx(w.chain, a, len), MGC_OK);
    ck_assert_int_eq(mgc_tx_decode(a, len, &info), MGC_OK);
    ck_assert_uint_eq(info.n_signatures, 2);
    /* on the wire, where no assembling stands in the way: one signer twice, the two in the wrong order */
    uint8_t *first = a + len - 2 * SIGNER_BYTES, *second = a + len - SIGNER_BYTES;
    ck_assert(memcmp(first + 3, s[0].public_key, 32) == 0 || memcmp(first + 3, s[1].public_key, 32) == 0);
    memcpy(second, first, SIGNER_BYTES);
    ck_assert_int_eq(mgc_chain_check_tx(w.chain, a, len), MGC_E_NONCANONICAL);
    memcpy(first, b + len - SIGNER_BYTES, SIGNER_BYTES);
    ck_assert_int_eq(mgc_chain_check_tx(w.chain, a, len), MGC_E_NONCANONICAL);
    memcpy(first, b + len - 2 * SIGNER_BYTES, 2 * SIGNER_BYTES);
    ck_assert_int_eq(mgc_chain_check_tx(w.chain, a, len), MGC_OK);
    ck_assert_int_eq(mgc_tx_assemble(encoded, body_len, &s[1], 1, a, sizeof a, &len), MGC_OK);
    ck_assert_int_eq(mgc_chain_check_tx(w.chain, a, len), MGC_E_MISSING_SIGNER);
    s[1].role = MGC_ROLE_REGULATOR; /* signed as manager */
    ck_assert_int_eq(mgc_tx_assemble(encoded, body_len, s, 2, a, sizeof a, &len), MGC_OK);
    ck_assert_int_eq(mgc_chain_check_tx(w.chain, a, len), MGC_E_BAD_SIGNATURE);
}
END_TEST

/* A transaction that was verified is not verified again; one with another signature is. */
START_TEST(only_what_was_verified_is_remembered)
{
    size_t len = make_tx(&w, "put", "kv", 2, bytes);

    ck_assert_int_eq(mgc_chain_check_tx(w.chain, bytes, len), MGC_OK);
    bytes[len - 1] ^= 1; /* in the signature: same id */
    ck_assert_int_eq(mgc_chain_check_tx(w.chain, bytes, len), MGC_E_BAD_SIGNATURE);
}
END_TEST

/* --- execution ----------------------------------------------------------------------------------- */

START_TEST(a_refused_transaction_leaves_its_receipt_only)
{
    mgc_block *block;
    mgc_receipt_info receipt = {.struct_size = sizeof receipt};
    mgc_event_info event = {.struct_size = sizeof event};
    mgc_record_info record = {.struct_size = sizeof record};
    uint64_t nonce;
    int32_t result;
    size_t len;

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    len = make_tx(&w, "refuse", "z", 1, bytes);
    ck_assert_int_eq(mgc_chain_add(w.chain, bytes, len, &result), MGC_OK);
    ck_assert_int_eq(result, MGC_E_RANGE);
    ck_assert_int_eq(add_put(&w, 'k', "v", &result), MGC_OK);
    ck_assert_int_eq(result, MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    ck_assert_int_eq(mgc_chain_next_nonce(w.chain, mgc__key_public(w.alice), 5, &nonce), MGC_OK);
    ck_assert_uint_eq(nonce, 3); /* the refused one is spent too */

    ck_assert_int_eq(mgc_chain_read_block(w.chain, 1, &block), MGC_OK);
    ck_assert_int_eq(mgc_block_get_receipt(block, 0, &receipt), MGC_OK);
    ck_assert_int_eq(receipt.status, MGC_E_RANGE);
    ck_assert_uint_eq(receipt.n_events, 0);
    ck_assert_uint_eq(receipt.rule_len, 7);
    ck_assert_mem_eq(receipt.rule, "because", 7);
    ck_assert_int_eq(mgc_block_get_receipt(block, 1, &receipt), MGC_OK);
    ck_assert_int_eq(receipt.status, MGC_OK);
    ck_assert_uint_eq(receipt.n_events, 1);
    ck_assert_int_eq(mgc_block_get_event(block, 1, 0, &event), MGC_OK);
    ck_assert_mem_eq(event.name, "put", 3);
    ck_assert_int_eq(mgc_block_get_event(block, 1, 1, &event), MGC_E_NOT_FOUND);
    ck_assert_int_eq(mgc_block_get_receipt(block, 2, &receipt), MGC_OK); /* the block's own */
    ck_assert_int_eq(mgc_block_get_receipt(block, 3, &receipt), MGC_E_NOT_FOUND);
    mgc_block_destroy(block);
    ck_assert_int_eq(mgc_chain_next_record(w.chain, 5, NULL, 0, &record), MGC_OK);
    ck_assert_uint_eq(record.key_len, 1);
    ck_assert_uint_eq(record.key[0], 'k');
    ck_assert_int_eq(mgc_chain_next_record(w.chain, 5, record.key, 1, &record), MGC_E_NOT_FOUND);
}
END_TEST

START_TEST(a_failing_environment_aborts_the_block) /* faults 92 */
{
    size_t len;
    int32_t result;

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(add_put(&w, 'k', "v", &result), MGC_OK);
    len = make_tx(&w, "die", NULL, 0, bytes);
    ck_assert_int_eq(mgc_chain_add(w.chain, bytes, len, &result), MGC_E_NO_MEMORY);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_E_STATE);
    ck_assert_uint_eq(w.chain->state.n_records, 0);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(add_put(&w, 'k', "v", &result), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
}
END_TEST

/* With blocks between; the tables of TigerBeetle cover the rest. */
START_TEST(a_pending_transfer_ends_once) /* faults 40, 43, 44 */
{
    mgc_account_info a = {.struct_size = sizeof a};
    mgc_transfer_info t = {.struct_size = sizeof t};
    uint8_t id[16];
    int32_t result;

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(add_account(&w, 1, 1, 0, NULL), MGC_OK);
    ck_assert_int_eq(add_account(&w, 2, 1, 0, NULL), MGC_OK);
    ck_assert_int_eq(add_account(&w, 3, 2, 0, NULL), MGC_OK);
    ck_assert_int_eq(add_move(&w, 10, 1, 2, 100, MGC_TRANSFER_PENDING, 2, 0, &result), MGC_OK);
    ck_assert_int_eq(add_move(&w, 11, 1, 2, 50, MGC_TRANSFER_PENDING, 0, 0, &result), MGC_OK);
    ck_assert_int_eq(add_move(&w, 12, 1, 3, 50, 0, 0, 0, &result), MGC_OK);
    ck_assert_int_eq(result, MGC_E_LEDGER_MISMATCH);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2001), MGC_OK);
    ck_assert_int_eq(add_move(&w, 20, 0, 0, 51, MGC_TRANSFER_POST, 0, 11, &result), MGC_OK);
    ck_assert_int_eq(result, MGC_E_EXCEEDS_PENDING); /* accounts left open are the pending one's */
    ck_assert_int_eq(add_move(&w, 21, 1, 2, 51, MGC_TRANSFER_POST, 0, 11, &result), MGC_OK);
    ck_assert_int_eq(result, MGC_E_EXCEEDS_PENDING);
    ck_assert_int_eq(add_move(&w, 22, 1, 2, 30, MGC_TRANSFER_POST, 0, 11, &result), MGC_OK);
    ck_assert_int_eq(result, MGC_OK);
    ck_assert_int_eq(add_move(&w, 22, 1, 2, 30, MGC_TRANSFER_POST, 0, 11, &result), MGC_OK);
    ck_assert_int_eq(result, MGC_OK); /* the same again: success, and nothing moves */
    ck_assert_int_eq(add_move(&w, 23, 1, 2, 20, MGC_TRANSFER_POST, 0, 11, &result), MGC_OK);
    ck_assert_int_eq(result, MGC_E_PENDING_POSTED);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2002), MGC_OK); /* height 3 = 1 + 2: the other one is released */
    ck_assert_int_eq(add_move(&w, 30, 1, 2, 100, MGC_TRANSFER_POST, 0, 10, &result), MGC_OK);
    ck_assert_int_eq(result, MGC_E_PENDING_EXPIRED);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    id_of(id, 1);
    ck_assert_int_eq(mgc_chain_get_account(w.chain, id, &a), MGC_OK);
    ck_assert_uint_eq(a.debits_posted, 30);
    ck_assert_uint_eq(a.debits_pending, 0);
    id_of(id, 10);
    ck_assert_int_eq(mgc_chain_get_transfer(w.chain, id, &t), MGC_OK);
    ck_assert_uint_eq(t.state, MGC_PENDING_EXPIRED);
    id_of(id, 11);
    ck_assert_int_eq(mgc_chain_get_transfer(w.chain, id, &t), MGC_OK);
    ck_assert_uint_eq(t.state, MGC_PENDING_POSTED);
    ck_assert_uint_eq(t.ended_by[15], 22);
}
END_TEST

/* More pending transfers than one block may release end at one height: none can be posted, all are released in
 * turn. */
START_TEST(a_flood_of_expiries_is_spread) /* faults 58 */
{
    mgc_account_info a;
    mgc_transfer_info t = {.unit = 1, .code = 1, .flags = MGC_TRANSFER_PENDING, .timeout = 1, .amount = 1};
    uint8_t id[16];

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(add_account(&w, 1, 1, 0, NULL), MGC_OK);
    ck_assert_int_eq(add_account(&w, 2, 1, 0, NULL), MGC_OK);
    id_of(t.debit_account, 1);
    id_of(t.credit_account, 2);
    for (uint64_t i = 0; i < 1500; i++) {
        id_of(t.id, 100 + i);
        ck_assert_int_eq(mgc__transfer_create(&w.chain->exec, &t), MGC_OK);
    }
    for (uint64_t h = 1; h <= 3; h++) {
        ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
        ck_assert_int_eq(mgc_chain_begin(w.chain, 2000 + h), MGC_OK);
        id_of(id, 1);
        ck_assert_int_eq(mgc__account_get(&w.chain->state, id, &a), MGC_OK);
        ck_assert_uint_eq(a.debits_pending, h == 1 ? 1500 - 1024 : 0);
        if (h != 1) continue;
        mgc_transfer_info post = {.flags = MGC_TRANSFER_POST, .amount = MGC_AMOUNT_ALL};
        id_of(post.id, 5000);
        id_of(post.pending_id, 100 + 1499);
        ck_assert_int_eq(mgc__transfer_create(&w.chain->exec, &post), MGC_E_PENDING_EXPIRED);
    }
}
END_TEST

/* What is reserved is not free to spend, on either side. */
START_TEST(what_is_pending_counts_against_the_bound) /* faults 38 */
{
    mgc__exec *x = &w.chain->exec;
    mgc_transfer_info t = {.unit = 1, .code = 1};

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(add_account(&w, 1, 1, 0, NULL), MGC_OK);
    ck_assert_int_eq(add_account(&w, 2, 1, MGC_ACCOUNT_DEBITS_BOUNDED, NULL), MGC_OK);
    ck_assert_int_eq(add_account(&w, 3, 1, MGC_ACCOUNT_CREDITS_BOUNDED, NULL), MGC_OK);
    for (int side = 0; side < 2; side++) {
        uint8_t free_account[16], bounded[16];
        uint64_t first = 100 * (uint64_t)(side + 1);
        id_of(free_account, 1);
        id_of(bounded, side == 0 ? 2 : 3);
        /* fill up to 100, reserve 60, then 41 are too many and 40 are not */
        static const struct {
            bool fill;
            uint64_t amount;
            uint32_t flags;
            mgc_status want;
        } steps[] = {{true, 100, 0, MGC_OK},
                     {false, 60, MGC_TRANSFER_PENDING, MGC_OK},
                     {false, 41, 0, MGC_E_EXCEEDS_CREDIT},
                     {false, 41, MGC_TRANSFER_PENDING, MGC_E_EXCEEDS_CREDIT},
                     {false, 40, 0, MGC_OK},
                     {false, 1, 0, MGC_E_EXCEEDS_CREDIT}};
        for (size_t i = 0; i < MGC__COUNT(steps); i++) {
            bool to_bounded = steps[i].fill == (side == 0);
            id_of(t.id, first + i);
            memcpy(t.debit_account, to_bounded ? free_account : bounded, 16);
            memcpy(t.credit_account, to_bounded ? bounded : free_account, 16);
            t.amount = steps[i].amount;
            t.flags = steps[i].flags;
            mgc_status got = mgc__transfer_create(x, &t);
            ck_assert_msg(got == steps[i].want, "side %d step %zu: %s", side, i, mgc_status_name(got));
        }
    }
}
END_TEST

/* Closing. */
START_TEST(a_closed_account_takes_nothing) /* faults 44 */
{
    mgc__exec *x = &w.chain->exec;
    mgc_transfer_info t = {.unit = 1, .code = 1, .amount = 5, .flags = MGC_TRANSFER_PENDING},
                      end = {.flags = MGC_TRANSFER_VOID};
    uint8_t id[16];

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(add_account(&w, 1, 1, 0, NULL), MGC_OK);
    ck_assert_int_eq(add_account(&w, 2, 1, 0, NULL), MGC_OK);
    id_of(t.id, 10);
    id_of(t.debit_account, 1);
    id_of(t.credit_account, 2);
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_OK);
    id_of(id, 2);
    ck_assert_int_eq(mgc__account_close(x, id), MGC_E_STATE);
    id_of(end.id, 11);
    id_of(end.pending_id, 10);
    ck_assert_int_eq(mgc__transfer_create(x, &end), MGC_OK);
    ck_assert_int_eq(mgc__account_close(x, id), MGC_OK);
    ck_assert_int_eq(mgc__account_close(x, id), MGC_E_ACCOUNT_CLOSED);
    id_of(t.id, 12);
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_E_ACCOUNT_CLOSED);
    id_of(t.debit_account, 2); /* nor does it pay */
    id_of(t.credit_account, 1);
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_E_ACCOUNT_CLOSED);
    id_of(end.id, 13);
    id_of(end.pending_id, 10);
    ck_assert_int_eq(mgc__transfer_create(x, &end), MGC_E_PENDING_VOIDED);
}
END_TEST

/* --- blocks of other members --------------------------------------------------------------------- */

struct three {
    struct disk disks[3];
    mgc_ledger *ledgers[3];
    mgc_chain *chains[3];
    mgc_key *keys[3];
};

static void three_open(struct three *t)
{
    mgc_member members[3] = {{.id = 1}, {.id = 2}, {.id = 3}};
    mgc_genesis g = {
        .struct_size = sizeof g, .name = "trading", .time_ms = 1000, .members = members, .n_members = 3, .quorum = 2};
    mgc_ledger_opts opts;

    for (uint8_t i = 0; i < 3; i++) {
        uint8_t seed[32] = {(uint8_t)(40 + i)};
        ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &t->keys[i]), MGC_OK);
        memcpy(members[i].public_key, mgc__key_public(t->keys[i]), 32);
    }
    for (int i = 0; i < 3; i++) {
        disk_init(&t->disks[i]);
        mgc_ledger_opts_init(&opts, sizeof opts);
        opts.storage = &disk_ops;
        opts.storage_user = &t->disks[i];
        ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &t->ledgers[i]), MGC_OK);
        g.quorum = 1;
        ck_assert_int_eq(mgc_ledger_add_chain(t->ledgers[i], &g, &t->chains[i]),
                         MGC_E_INVALID_ARG); /* two quorums must meet */
        g.quorum = 2;
        ck_assert_int_eq(mgc_ledger_add_chain(t->ledgers[i], &g, &t->chains[i]), MGC_OK);
        mgc__chain_set_executor(t->chains[i], &toy);
    }
}

static void three_close(struct three *t)
{
    for (int i = 0; i < 3; i++) {
        mgc_ledger_close(t->ledgers[i]);
        mgc_key_destroy(t->keys[i]);
        disk_free(&t->disks[i]);
    }
}

/* A block of member 1 with two transactions; w gives the keys and the helpers. */
static mgc_block *propose(struct three *t, uint64_t time_ms)
{
    mgc_chain *own = w.chain;
    mgc_block *block;
    mgc_chain_info info = {.struct_size = sizeof info};

    w.chain = t->chains[0];
    ck_assert_int_eq(mgc_chain_get_info(w.chain, &info), MGC_OK);
    memcpy(w.chain_id, info.chain_id, 32);
    ck_assert_int_eq(mgc_chain_begin(w.chain, time_ms), MGC_OK);
    ck_assert_int_eq(add_put(&w, 'a', "1", NULL), MGC_OK);
    ck_assert_int_eq(add_put(&w, 'b', "2", NULL), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, t->keys[0]), MGC_E_STATE); /* one signature is not enough here */
    ck_assert_int_eq(mgc_chain_seal(w.chain, 1), MGC_OK);
    ck_assert_int_eq(mgc_chain_read_block(w.chain, info.height + 1, &block), MGC_OK);
    w.chain = own;
    return block;
}

START_TEST(a_quorum_makes_a_block_final) /* faults 68 */
{
    struct three t;
    mgc_block *block;
    const uint8_t *b;
    size_t len;
    mgc_vote votes[3] = {{.member = 3}, {.member = 1}, {.member = 2}}, bad[3];
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_verify_info verified = {.struct_size = sizeof verified};
    mgc_ledger_opts opts;

    three_open(&t);
    block = propose(&t, 2000);
    ck_assert_int_eq(mgc_block_get_bytes(block, &b, &len), MGC_OK);
    for (int i = 1; i < 3; i++) ck_assert_int_eq(mgc_chain_apply(t.chains[i], b, len, 2000, 0), MGC_OK);
    for (int i = 0; i < 3; i++) ck_assert_mem_eq(t.chains[i]->hash, t.chains[0]->hash, 32);
    ck_assert_int_eq(mgc_chain_vote(t.chains[0], 1, w.alice, votes[1].signature), MGC_E_BAD_KEY);
    ck_assert_int_eq(mgc_chain_vote(t.chains[0], 2, t.keys[0], votes[1].signature), MGC_E_NOT_FOUND);
    ck_assert_int_eq(mgc_chain_vote(t.chains[0], 1, t.keys[0], votes[1].signature), MGC_OK);
    ck_assert_int_eq(mgc_chain_vote(t.chains[1], 1, t.keys[1], votes[2].signature), MGC_OK);
    ck_assert_int_eq(mgc_chain_vote(t.chains[2], 1, t.keys[2], votes[0].signature), MGC_OK);

    ck_assert_int_eq(mgc_chain_certify(t.chains[0], 1, votes, 1), MGC_E_BAD_CERT); /* too few */
    memcpy(bad, votes, sizeof bad);
    bad[1] = bad[0];
    ck_assert_int_eq(mgc_chain_certify(t.chains[0], 1, bad, 2), MGC_E_BAD_CERT); /* twice */
    memcpy(bad, votes, sizeof bad);
    bad[0].member = 9;
    ck_assert_int_eq(mgc_chain_certify(t.chains[0], 1, bad, 2), MGC_E_BAD_CERT); /* unknown */
    bad[0].member = 2;
    ck_assert_int_eq(mgc_chain_certify(t.chains[0], 1, bad, 2), MGC_E_BAD_CERT); /* another's signature */
    ck_assert_int_eq(mgc_chain_certify(t.chains[0], 2, votes, 2), MGC_E_HEIGHT);
    ck_assert_int_eq(mgc_chain_certify(t.chains[0], 1, votes, 2), MGC_OK);
    ck_assert_int_eq(mgc_chain_certify(t.chains[1], 1, votes, 3), MGC_OK);
    ck_assert_int_eq(mgc_chain_certify(t.chains[0], 1, votes, 2), MGC_E_HEIGHT);
    mgc_block_destroy(block);

    ck_assert_int_eq(mgc_chain_get_info(t.chains[0], &info), MGC_OK);
    ck_assert_uint_eq(info.final_height, 1);
    ck_assert_uint_eq(info.acked_height, 0);
    ck_assert_int_eq(mgc_ledger_sync(t.ledgers[0]), MGC_OK);
    ck_assert_int_eq(mgc_chain_get_info(t.chains[0], &info), MGC_OK);
    ck_assert_uint_eq(info.acked_height, 1);

    /* member 3 has no certificate: the block is there, not final, and forgotten when opened again */
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &t.disks[2];
    ck_assert_int_eq(mgc_ledger_verify(ctx, &opts, &verified), MGC_OK);
    ck_assert_uint_eq(verified.uncertified, 1);
    ck_assert_uint_eq(verified.blocks, 0);
    mgc_ledger_close(t.ledgers[2]);
    ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &t.ledgers[2]), MGC_OK);
    ck_assert_int_eq(mgc_ledger_chain(t.ledgers[2], "trading", &t.chains[2]), MGC_OK);
    ck_assert_int_eq(mgc_chain_get_info(t.chains[2], &info), MGC_OK);
    ck_assert_uint_eq(info.height, 0);
    three_close(&t);
}
END_TEST

/* Rewrite a field of a block's header and give it the transactions of the original. */
static mgc_status apply_changed(struct three *t, const uint8_t *bytes_in, size_t len, void (*change)(mgc__header *h))
{
    mgc__stored_block b;
    mgc__cbor_writer writer;
    static uint8_t header[4096], block[65536];
    mgc__header h;

    ck_assert_int_eq(mgc__block_read(ctx, bytes_in, len, &b), MGC_OK);
    h = b.header;
    if (change != NULL) change(&h);
    mgc__cbor_to_fixed(&writer, header, sizeof header);
    mgc__header_write(&writer, &h);
    size_t header_len = writer.len;
    mgc__cbor_to_fixed(&writer, block, sizeof block);
    mgc__block_write(&writer, header, header_len, &b.txs);
    return mgc_chain_apply(t->chains[1], block, writer.len, 2000, 500);
}

static void change_parent(mgc__header *h)
{
    h->previous[3] ^= 1;
}
static void change_height(mgc__header *h)
{
    h->height++;
}
static void change_time_back(mgc__header *h)
{
    h->time_ms = 1000;
}
static void change_time_ahead(mgc__header *h)
{
    h->time_ms = 2501;
}
static void change_tx_root(mgc__header *h)
{
    h->tx_root[0] ^= 1;
}
static void change_count(mgc__header *h)
{
    h->n_txs--;
}
static void change_receipts(mgc__header *h)
{
    h->receipt_root[0] ^= 1;
}
static void change_state(mgc__header *h)
{
    h->state_digest[0] ^= 1;
}
static void change_log(mgc__header *h)
{
    h->log_root[0] ^= 1;
}
static void change_chain(mgc__header *h)
{
    h->chain_id[0] ^= 1;
}
static void change_config(mgc__header *h)
{
    h->config_height = 1;
}

START_TEST(a_wrong_block_is_refused_and_changes_nothing) /* faults 61-64, 67 */
{
    static const struct {
        void (*change)(mgc__header *h);
        mgc_status want;
    } cases[] = {{change_parent, MGC_E_BAD_PARENT},
                 {change_height, MGC_E_HEIGHT},
                 {change_time_back, MGC_E_TIME},
                 {change_time_ahead, MGC_E_TIME},
                 {change_tx_root, MGC_E_BAD_TX_ROOT},
                 {change_count, MGC_E_BAD_TX_ROOT},
                 {change_receipts, MGC_E_STATE_MISMATCH},
                 {change_state, MGC_E_STATE_MISMATCH},
                 {change_log, MGC_E_BAD_PARENT},
                 {change_chain, MGC_E_WRONG_CHAIN},
                 {change_config, MGC_E_HEIGHT}};
    struct three t;
    mgc_block *block;
    const uint8_t *b;
    size_t len, size;

    three_open(&t);
    block = propose(&t, 2000);
    ck_assert_int_eq(mgc_block_get_bytes(block, &b, &len), MGC_OK);
    size = t.disks[1].files[0].size;
    for (size_t i = 0; i < MGC__COUNT(cases); i++) {
        mgc_status got = apply_changed(&t, b, len, cases[i].change);
        ck_assert_msg(got == cases[i].want, "case %zu: %s", i, mgc_status_name(got));
        ck_assert_uint_eq(t.chains[1]->height, 0);
        ck_assert_uint_eq(t.chains[1]->state.n_records, 0);
        ck_assert_uint_eq(t.disks[1].files[0].size, size);
    }
    for (size_t cut = 0; cut < len; cut += 5) ck_assert_int_ne(mgc_chain_apply(t.chains[1], b, cut, 2000, 0), MGC_OK);
    ck_assert_int_eq(apply_changed(&t, b, len, NULL), MGC_OK);
    ck_assert_int_eq(apply_changed(&t, b, len, NULL), MGC_E_HEIGHT);
    mgc_block_destroy(block);
    three_close(&t);
}
END_TEST

/* --- several chains in one store ----------------------------------------------------------------- */

START_TEST(chains_share_a_store_and_nothing_else) /* faults 6 */
{
    mgc_chain *trading = w.chain, *other;
    mgc_member member = {.id = 1};
    mgc_genesis g = {.struct_size = sizeof g,
                     .name = "scheduling",
                     .time_ms = 500,
                     .members = &member,
                     .n_members = 1,
                     .quorum = 1};
    mgc_verify_info verified = {.struct_size = sizeof verified};
    mgc_ledger_opts opts;
    size_t len;

    memcpy(member.public_key, mgc__key_public(w.member), 32);
    ck_assert_int_eq(mgc_ledger_add_chain(w.ledger, &g, &other), MGC_OK);
    mgc__chain_set_executor(other, &toy);
    g.name = "trading";
    mgc_chain *again;
    ck_assert_int_eq(mgc_ledger_add_chain(w.ledger, &g, &again), MGC_E_EXISTS);
    ck_assert_ptr_null(again);
    g.name = "Trading";
    ck_assert_int_eq(mgc_ledger_add_chain(w.ledger, &g, &again), MGC_E_INVALID_ARG);
    for (uint64_t i = 0; i < 5; i++) {
        ck_assert_int_eq(mgc_chain_begin(trading, 2000 + i), MGC_OK);
        ck_assert_int_eq(mgc_chain_begin(other, 600 + i), MGC_E_STATE); /* one at a time: there is one order */
        ck_assert_int_eq(add_put(&w, (uint8_t)i, "x", NULL), MGC_OK);
        ck_assert_int_eq(mgc_chain_commit(trading, w.member), MGC_OK);
        ck_assert_int_eq(mgc_chain_begin(other, 600 + i), MGC_OK);
        ck_assert_int_eq(mgc_chain_commit(other, w.member), MGC_OK);
    }
    len = make_tx(&w, "put", "kv", 2, bytes); /* for trading */
    ck_assert_int_eq(mgc_chain_check_tx(other, bytes, len), MGC_E_WRONG_CHAIN);
    ck_assert_uint_eq(other->state.n_records, 1);
    world_close(&w);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &disk;
    ck_assert_int_eq(mgc_ledger_verify(ctx, &opts, &verified), MGC_OK);
    ck_assert_uint_eq(verified.n_chains, 2);
    ck_assert_uint_eq(verified.blocks, 10);
    ck_assert_int_eq(world_open(&w, ctx, &disk, 1 << 20), MGC_OK);
}
END_TEST

/* --- options ------------------------------------------------------------------------------------- */

START_TEST(opts_of_every_size)
{
    mgc_ledger *ledger;
    unsigned char raw[2 * sizeof(mgc_ledger_opts)] = {0};
    size_t size = (size_t)_i;
    mgc_status want = size < sizeof(mgc_ledger_opts) ? MGC_E_ABI_SIZE : MGC_E_LOCKED; /* w holds the store */
    mgc_ledger_opts *opts = (mgc_ledger_opts *)(void *)raw;

    mgc_ledger_opts_init(opts, sizeof(mgc_ledger_opts));
    opts->storage = &disk_ops;
    opts->storage_user = &disk;
    memcpy(raw, &size, sizeof size);
    mgc_status got = mgc_ledger_open(ctx, opts, &ledger);
    ck_assert_msg(got == want, "struct_size %d: %s", _i, mgc_status_name(got));
    ck_assert_ptr_null(ledger);
}
END_TEST

START_TEST(misuse_is_said)
{
    mgc_ledger_opts opts;
    mgc_ledger *ledger;

    ck_assert_int_eq(mgc_chain_begin(NULL, 1), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_chain_add(w.chain, bytes, 1, NULL), MGC_E_STATE);
    ck_assert_int_eq(mgc_chain_seal(w.chain, 1), MGC_E_STATE);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 1000), MGC_E_TIME);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 1001), MGC_OK);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 1002), MGC_E_STATE);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.alice), MGC_E_BAD_KEY);
    mgc_chain_abort(w.chain);
    ck_assert_int_eq(mgc_ledger_open(ctx, NULL, &ledger), MGC_E_INVALID_ARG);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &disk;
    opts.threads = 257;
    ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &ledger), MGC_E_INVALID_ARG);
    opts.threads = 0;
    opts.full = 2;
    ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &ledger), MGC_E_INVALID_ARG);
    opts.full = 0;
    opts.read_only = 1;
    ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &ledger), MGC_OK); /* beside the writer */
    mgc_chain *chain;
    ck_assert_int_eq(mgc_ledger_chain(ledger, "trading", &chain), MGC_OK);
    mgc__chain_set_executor(chain, &toy);
    ck_assert_int_eq(mgc_chain_begin(chain, 5000), MGC_E_STATE);
    ck_assert_int_eq(mgc_ledger_sync(ledger), MGC_E_STATE);
    mgc_ledger_close(ledger);
}
END_TEST

/* CRC-32C of "123456789", as in RFC 3720's sources and every catalogue; and in two pieces. */
START_TEST(the_checksum_is_castagnolis)
{
    uint8_t zeros[32] = {0};

    ck_assert_uint_eq(mgc__crc32c(0, "123456789", 9), 0xe3069283u);
    ck_assert_uint_eq(mgc__crc32c(mgc__crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
    ck_assert_uint_eq(mgc__crc32c(0, zeros, 32), 0x8a9136aau); /* RFC 3720, B.4 */
}
END_TEST

/* Bit by bit, as the polynomial is defined. */
static uint32_t checksum_by_bits(const uint8_t *some, size_t len)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        crc ^= some[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
    }
    return ~crc;
}

/* The processor's instruction, where there is one, and the tables: every length and place up to some words. */
START_TEST(the_checksum_is_the_same_by_instruction_and_by_tables)
{
    uint8_t some[80];

    for (size_t i = 0; i < sizeof some; i++) some[i] = (uint8_t)(i * i * 37 + 11);
    for (size_t at = 0; at < 9; at++)
        for (size_t len = 0; len <= sizeof some - at; len++) {
            ck_assert_uint_eq(mgc__crc32c(0, some + at, len), checksum_by_bits(some + at, len));
            ck_assert_uint_eq(mgc__crc32c_by_tables(0, some + at, len), checksum_by_bits(some + at, len));
        }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("ledger");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, the_tree_is_a_sorted_array, 0, 3);
    tcase_add_test(tcase, a_write_set_is_the_difference);
    tcase_add_test(tcase, records_can_be_walked_while_they_change);
    tcase_add_test(tcase, a_transaction_counts_once);
    tcase_add_test(tcase, every_flipped_bit_of_a_transaction_is_refused);
    tcase_add_test(tcase, signatures_are_sorted_single_and_include_the_sender);
    tcase_add_test(tcase, only_what_was_verified_is_remembered);
    tcase_add_test(tcase, a_refused_transaction_leaves_its_receipt_only);
    tcase_add_test(tcase, a_failing_environment_aborts_the_block);
    tcase_add_test(tcase, a_pending_transfer_ends_once);
    tcase_add_test(tcase, a_flood_of_expiries_is_spread);
    tcase_add_test(tcase, what_is_pending_counts_against_the_bound);
    tcase_add_test(tcase, a_closed_account_takes_nothing);
    tcase_add_test(tcase, a_quorum_makes_a_block_final);
    tcase_add_test(tcase, a_wrong_block_is_refused_and_changes_nothing);
    tcase_add_test(tcase, chains_share_a_store_and_nothing_else);
    tcase_add_loop_test(tcase, opts_of_every_size, 0, 2 * (int)sizeof(mgc_ledger_opts));
    tcase_add_test(tcase, misuse_is_said);
    tcase_add_test(tcase, the_checksum_is_castagnolis);
    tcase_add_test(tcase, the_checksum_is_the_same_by_instruction_and_by_tables);
    return run_suite("ledger", tcase);
}
