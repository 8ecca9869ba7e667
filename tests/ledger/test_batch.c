/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures verified ahead, on any number of threads: the same answers as one by one, and nothing else is believed. */
#include "world.h"

enum { MANY = 300 };

static mgc_ctx *ctx;
static struct disk disk;
static struct world w;
static uint8_t txs[MANY][1024];
static const uint8_t *list[MANY];
static size_t lens[MANY];

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    disk_init(&disk);
    ck_assert_int_eq(world_open(&w, ctx, &disk, 1 << 20), MGC_OK);
    for (size_t i = 0; i < MANY; i++) {
        char value[8];
        snprintf(value, sizeof value, "%c%03u", 'a' + (int)(i % 20), (unsigned)i);
        lens[i] = make_tx_full(&w, w.alice, "put", value, 4, i + 1, 100, txs[i]);
        ck_assert(lens[i] > 0 && lens[i] <= sizeof txs[i]);
        list[i] = txs[i];
    }
}

static void teardown(void)
{
    world_close(&w);
    disk_free(&disk);
    mgc_ctx_destroy(ctx);
}

static void forget(void)
{
    memset(w.ledger->seen, 0, MGC__SEEN * sizeof *w.ledger->seen);
}

static bool remembered(size_t i)
{
    uint8_t hash[32];
    mgc__tx tx;

    if (mgc__tx_decode(ctx, txs[i], lens[i], &tx) != MGC_OK) return false;
    mgc__seen_hash(&tx, hash);
    return memcmp(mgc__seen_slot(w.ledger, hash), hash, 32) == 0;
}

START_TEST(threads_give_the_answers_of_one) /* faults 7, 29, 30 */
{
    static uint8_t too_long[MGC_TX_BYTES_MAX + 1];
    int32_t results[MANY];

    for (size_t i = 0; i < MANY; i += 7) txs[i][lens[i] - 1 - i % 64] ^= 1; /* in the signature */
    txs[2][5] ^= 0x40;
    lens[9] = 0;
    list[11] = too_long;
    lens[11] = sizeof too_long;
    txs[13][lens[13] - 70] ^= 1; /* in the signer's key or role */
    for (uint32_t threads = 0; threads <= 8; threads += threads < 2 ? 1 : 3) {
        size_t good = 0, kept = 0;

        forget();
        ck_assert_int_eq(mgc_chain_verify_txs(w.chain, list, lens, MANY, threads, results), MGC_OK);
        for (size_t i = 0; i < MANY; i++) {
            mgc__tx tx;
            mgc_status want = mgc__tx_decode(ctx, list[i], lens[i], &tx);
            if (want == MGC_OK) want = mgc__tx_verify(ctx, &tx);
            ck_assert_msg(results[i] == want, "%zu on %u threads: %s, should %s", i, threads, mgc_status_name(results[i]),
                          mgc_status_name(want));
            if (want == MGC_OK) good++;
            if (i == 11 || !remembered(i)) continue;
            ck_assert_msg(want == MGC_OK, "%zu remembered", i);
            kept++;
        }
        ck_assert_uint_ge(kept, good - good / 20); /* two may share a place */
        ck_assert_int_eq(results[0], MGC_E_BAD_SIGNATURE);
        ck_assert_int_eq(results[9], MGC_E_TRUNCATED);
        ck_assert_int_eq(results[11], MGC_E_TOO_LARGE);
        ck_assert_int_ne(results[13], MGC_OK);
        ck_assert_int_eq(results[1], MGC_OK);
    }
    ck_assert_int_eq(mgc_chain_verify_txs(w.chain, list, lens, MANY, 257, results), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_chain_verify_txs(w.chain, NULL, lens, 1, 1, results), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_chain_verify_txs(w.chain, NULL, NULL, 0, 1, NULL), MGC_OK);
    list[11] = txs[11];
}
END_TEST

/* What was verified ahead still must meet every other rule, and a block made so verifies. */
START_TEST(verified_ahead_is_not_admitted)
{
    mgc_verify_info info = {.struct_size = sizeof info};
    mgc_ledger_opts opts;

    ck_assert_int_eq(mgc_chain_verify_txs(w.chain, list, lens, MANY, 2, NULL), MGC_OK);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(mgc_chain_add(w.chain, txs[1], lens[1], NULL), MGC_E_NONCE_GAP);
    for (size_t i = 0; i < MANY; i++) ck_assert_int_eq(mgc_chain_add(w.chain, txs[i], lens[i], NULL), MGC_OK);
    ck_assert_int_eq(mgc_chain_add(w.chain, txs[5], lens[5], NULL), MGC_E_DUPLICATE_TXID);
    txs[0][lens[0] - 1] ^= 1; /* one bit beside what is remembered */
    ck_assert_int_ne(mgc_chain_check_tx(w.chain, txs[0], lens[0]), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &disk;
    ck_assert_int_eq(mgc_ledger_verify(ctx, &opts, &info), MGC_OK);
    ck_assert_uint_eq(info.transactions, MANY);
}
END_TEST

/* The block with the last byte of its last transaction's signature changed, and all that a proposer can make fit. */
static void forge_signature(const uint8_t *bytes, size_t len, uint8_t *forged)
{
    uint8_t header[MGC__HEADER_BYTES_MAX], *copy = malloc(len);
    mgc__stored_block b;
    mgc__cbor_writer out;
    size_t header_len;

    memcpy(copy, bytes, len);
    copy[len - 1] ^= 1;
    ck_assert_int_eq(mgc__block_read(ctx, copy, len, &b), MGC_OK);
    mgc__list_root(&b.txs, b.header.tx_root);
    mgc__cbor_to_fixed(&out, header, sizeof header);
    mgc__header_write(&out, &b.header);
    header_len = out.len;
    mgc__cbor_to_fixed(&out, forged, len);
    mgc__block_write(&out, header, header_len, &b.txs);
    ck_assert_uint_eq(out.len, len);
    free(copy);
}

/* A block from another member, on one thread and on three; a forged signature in it is found either way. */
START_TEST(blocks_of_others_are_verified_by_threads) /* faults 7 */
{
    mgc_block *block;
    const uint8_t *bytes;
    uint8_t *spoilt;
    size_t len;

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    for (size_t i = 0; i < MANY; i++) ck_assert_int_eq(mgc_chain_add(w.chain, txs[i], lens[i], NULL), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    ck_assert_int_eq(mgc_chain_read_block(w.chain, 1, &block), MGC_OK);
    ck_assert_int_eq(mgc_block_get_bytes(block, &bytes, &len), MGC_OK);
    spoilt = malloc(len);
    for (uint32_t threads = 0; threads <= 3; threads += 3)
        for (int bad = 1; bad >= 0; bad--) {
            mgc_ledger_opts opts;
            struct world other;
            struct disk d;

            disk_init(&d);
            mgc_ledger_opts_init(&opts, sizeof opts);
            opts.storage = &disk_ops;
            opts.storage_user = &d;
            opts.threads = threads;
            ck_assert_int_eq(world_open_with(&other, ctx, &opts), MGC_OK);
            if (bad) forge_signature(bytes, len, spoilt);
            else memcpy(spoilt, bytes, len);
            mgc_status got = mgc_chain_apply(other.chain, spoilt, len, 2000, 0);
            ck_assert_msg(got == (bad ? MGC_E_BAD_SIGNATURE : MGC_OK), "%s", mgc_status_name(got));
            ck_assert_uint_eq(other.chain->height, bad ? 0 : 1);
            if (!bad) ck_assert_mem_eq(other.chain->hash, w.chain->hash, 32);
            world_close(&other);
            disk_free(&d);
        }
    free(spoilt);
    mgc_block_destroy(block);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("batch");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, threads_give_the_answers_of_one);
    tcase_add_test(tcase, verified_ahead_is_not_admitted);
    tcase_add_test(tcase, blocks_of_others_are_verified_by_threads);
    return run_suite("ledger-batch", tcase);
}
