/* SPDX-License-Identifier: Apache-2.0 */
/* What others have seen, and finding things page by page.  faults.md 63, 72, 87, 94, 96. */
#include "mgchain/verify.h"
#include "world.h"

static mgc_ctx *ctx;
static struct disk disk;
static struct world w;
static uint8_t proof[1 << 16];
static size_t proof_len;

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

static void blocks(uint64_t n, const char *value)
{
    for (uint64_t i = 0; i < n; i++) {
        ck_assert_msg(mgc_chain_begin(w.chain, w.chain->time_ms + 10) == MGC_OK, "%s", mgc_ctx_error(ctx));
        ck_assert_int_eq(add_put(&w, (uint8_t)(i % 3), value, NULL), MGC_OK);
        ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    }
}

static void prove_head(uint64_t height)
{
    ck_assert_int_eq(mgc_chain_prove_head(w.chain, height, proof, sizeof proof, &proof_len), MGC_OK);
}

static void reopen(void)
{
    world_close(&w);
    ck_assert_msg(world_open(&w, ctx, &disk, 1 << 20) == MGC_OK, "%s", mgc_ctx_error(ctx));
}

/* --- rolled back --------------------------------------------------------------------------------- */

START_TEST(a_rolled_back_store_neither_builds_nor_votes) /* faults 87 */
{
    struct disk old;
    mgc_block *block;
    const uint8_t *bytes;
    static uint8_t sent[4][4096];
    size_t len, sent_len[4];
    uint8_t signature[64];
    mgc_vote vote = {.member = 1};

    blocks(3, "one");
    disk_copy(&old, &disk); /* a backup */
    blocks(4, "two");
    prove_head(7);
    for (uint64_t h = 4; h <= 7; h++) {
        ck_assert_int_eq(mgc_chain_read_block(w.chain, h, &block), MGC_OK);
        ck_assert_int_eq(mgc_block_get_bytes(block, &bytes, &len), MGC_OK);
        memcpy(sent[h - 4], bytes, sent_len[h - 4] = len);
        mgc_block_destroy(block);
    }
    ck_assert_int_eq(mgc_chain_witness(w.chain, proof, proof_len), MGC_OK);
    world_close(&w);
    disk_free(&disk);
    disk = old; /* and it is put back: it opens, for nothing in it is wrong */
    disk.locked = false;
    ck_assert_int_eq(world_open(&w, ctx, &disk, 1 << 20), MGC_OK);
    proof[proof_len - 30] ^= 1;
    ck_assert_int_ne(mgc_chain_witness(w.chain, proof, proof_len), MGC_OK); /* not everybody is believed */
    ck_assert_int_eq(mgc_chain_begin(w.chain, 5000), MGC_OK);
    mgc_chain_abort(w.chain);
    proof[proof_len - 30] ^= 1;
    ck_assert_int_eq(mgc_chain_witness(w.chain, proof, proof_len), MGC_E_ROLLBACK);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 5000), MGC_E_ROLLBACK);
    ck_assert_int_eq(mgc_chain_vote(w.chain, 3, w.member, signature), MGC_E_ROLLBACK);
    for (int i = 0; i < 4; i++) { /* it catches up */
        ck_assert_msg(mgc_chain_apply(w.chain, sent[i], sent_len[i], 99999, 0) == MGC_OK, "%s", mgc_ctx_error(ctx));
        if (i < 3) ck_assert_int_eq(mgc_chain_vote(w.chain, 3, w.member, signature), MGC_E_ROLLBACK);
    }
    for (uint64_t h = 4; h <= 7; h++) {
        ck_assert_int_eq(mgc_chain_vote(w.chain, h, w.member, vote.signature), MGC_OK);
        ck_assert_int_eq(mgc_chain_certify(w.chain, h, &vote, 1), MGC_OK);
    }
    blocks(1, "three");
}
END_TEST

/* --- two final blocks of one height -------------------------------------------------------------- */

START_TEST(two_final_blocks_of_one_height_halt_the_chain) /* faults 63 */
{
    static uint8_t evidence[1 << 16];
    struct disk twin;
    mgc_verifier v;
    mgc_verify_info info = {.struct_size = sizeof info};
    mgc_ledger_opts opts;
    size_t len;
    uint8_t signature[64];
    mgc_vote vote = {.member = 1};

    blocks(2, "one");
    disk_copy(&twin, &disk);
    blocks(2, "here");
    prove_head(3);
    world_close(&w);
    struct disk here = disk; /* the member runs twice, from one backup */
    disk = twin;
    disk.locked = false;
    ck_assert_int_eq(world_open(&w, ctx, &disk, 1 << 20), MGC_OK);
    blocks(3, "there");
    ck_assert_int_eq(mgc_chain_evidence(w.chain, evidence, sizeof evidence, &len), MGC_E_NOT_FOUND);
    ck_assert_int_eq(mgc_chain_resume(w.chain), MGC_E_STATE);
    ck_assert_int_eq(mgc_chain_witness(w.chain, proof, proof_len), MGC_E_EQUIVOCATION);
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(mgc_chain_begin(w.chain, 9000), MGC_E_EQUIVOCATION);
        ck_assert_int_eq(mgc_chain_vote(w.chain, 5, w.member, signature), MGC_E_EQUIVOCATION);
        ck_assert_int_eq(mgc_chain_evidence(w.chain, evidence, sizeof evidence, &len), MGC_OK);
        ck_assert_int_eq(mgc_verifier_init(&v, sizeof v, w.chain_id), MGC_OK);
        ck_assert_int_eq(mgc_verify_equivocation(&v, evidence, len, NULL), MGC_OK);
        reopen();
    }
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &disk;
    ck_assert_int_eq(mgc_ledger_verify(ctx, &opts, &info), MGC_OK);
    ck_assert_int_eq(mgc_chain_resume(w.chain), MGC_OK);
    blocks(1, "on");
    reopen();
    blocks(1, "and on");
    ck_assert_int_eq(mgc_chain_evidence(w.chain, evidence, sizeof evidence, &len), MGC_OK); /* it stays */
    (void)vote;
    disk_free(&here);
}
END_TEST

START_TEST(a_block_without_a_certificate_gives_way)
{
    struct disk twin;

    blocks(2, "one");
    disk_copy(&twin, &disk);
    blocks(1, "here");
    prove_head(3);
    world_close(&w);
    disk_free(&disk);
    disk = twin;
    disk.locked = false;
    ck_assert_int_eq(world_open(&w, ctx, &disk, 1 << 20), MGC_OK);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 8000), MGC_OK);
    ck_assert_int_eq(mgc_chain_seal(w.chain, 1), MGC_OK);
    ck_assert_int_eq(mgc_chain_witness(w.chain, proof, proof_len), MGC_E_NOT_FINAL);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 9000), MGC_E_ROLLBACK);
    reopen();
    ck_assert_int_eq(mgc_chain_witness(w.chain, proof, proof_len), MGC_E_ROLLBACK);
}
END_TEST

/* --- finding ------------------------------------------------------------------------------------- */

static const uint8_t *sender_of(int who)
{
    return mgc__key_public(who == 0 ? w.alice : w.bob);
}

static void random_blocks(int n, uint64_t seed)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, seed);
    for (int b = 0; b < n; b++) {
        ck_assert_int_eq(mgc_chain_begin(w.chain, w.chain->time_ms + 10), MGC_OK);
        for (uint64_t k = mgc__rng_below(&rng, 6); k > 0; k--) {
            static uint8_t bytes[MGC_TX_BYTES_MAX];
            uint8_t a[2] = {(uint8_t)mgc__rng_below(&rng, 4), (uint8_t)('0' + mgc__rng_below(&rng, 10))};
            int who = (int)mgc__rng_below(&rng, 2);
            uint64_t nonce;
            const char *methods[] = {"put", "put", "remove", "refuse"};
            ck_assert_int_eq(mgc_chain_next_nonce(w.chain, sender_of(who), 5, &nonce), MGC_OK);
            size_t len = make_tx_full(&w, who == 0 ? w.alice : w.bob, methods[mgc__rng_below(&rng, 4)], a, 2, nonce,
                                      w.chain->height + 9, bytes);
            ck_assert_int_eq(mgc_chain_add(w.chain, bytes, len, NULL), MGC_OK);
        }
        ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    }
}

enum { FOUND_MAX = 600 };

struct list {
    mgc_found at[FOUND_MAX];
    size_t n;
};

/* Every block read and looked through: what the index must answer.  kind s, r, e; what: sender or key. */
static void full_scan(char kind, int what, struct list *l)
{
    l->n = 0;
    for (uint64_t h = 1; h <= w.chain->height; h++) {
        mgc_block *block;
        mgc_block_info info = {.struct_size = sizeof info};
        mgc_record_info record = {.struct_size = sizeof record};
        uint8_t key = (uint8_t)what;
        ck_assert_int_eq(mgc_chain_read_block(w.chain, h, &block), MGC_OK);
        ck_assert_int_eq(mgc_block_get_info(block, &info), MGC_OK);
        for (uint32_t i = 0; kind == 's' && i < info.n_txs; i++) {
            mgc_tx_info tx = {.struct_size = sizeof tx};
            ck_assert_int_eq(mgc_block_get_tx(block, i, NULL, NULL, &tx), MGC_OK);
            if (memcmp(tx.sender, sender_of(what), 32) == 0) l->at[l->n++] = (mgc_found){.height = h, .index = i};
        }
        if (kind == 'r' && mgc_block_get_change(block, 5, &key, 1, &record) == MGC_OK)
            l->at[l->n++] = (mgc_found){.height = h};
        for (uint32_t i = 0; kind == 'e' && i < info.n_receipts; i++) {
            mgc_event_info e = {.struct_size = sizeof e};
            for (uint32_t k = 0; mgc_block_get_event(block, i, k, &e) == MGC_OK; k++)
                if (e.contract == 5 && e.name_len == 3 && memcmp(e.name, "put", 3) == 0)
                    l->at[l->n++] = (mgc_found){.height = h, .index = i, .event = k};
        }
        mgc_block_destroy(block);
    }
}

static mgc_status ask(char kind, int what, mgc_cursor *c, mgc_found *found, size_t cap, size_t *n)
{
    uint8_t key = (uint8_t)what;

    if (kind == 's') return mgc_chain_find_transactions(w.chain, sender_of(what), c, found, cap, n);
    if (kind == 'r') return mgc_chain_find_changes(w.chain, 5, &key, 1, c, found, cap, n);
    return mgc_chain_find_events(w.chain, 5, "put", c, found, cap, n);
}

static void compare(char kind, int what, size_t page)
{
    static struct list want;
    mgc_found got[64];
    mgc_cursor c = {{0}};
    size_t at = 0, n;

    full_scan(kind, what, &want);
    do {
        ck_assert_int_eq(ask(kind, what, &c, got, page, &n), MGC_OK);
        for (size_t i = 0; i < n; i++, at++) {
            ck_assert_uint_lt(at, want.n);
            ck_assert_uint_eq(got[i].height, want.at[at].height);
            ck_assert_uint_eq(got[i].index, want.at[at].index);
            ck_assert_uint_eq(got[i].event, want.at[at].event);
        }
    } while (n == page);
    ck_assert_uint_eq(at, want.n);
}

START_TEST(pages_hold_what_a_full_scan_finds) /* faults 74 in the ledger, 94 */
{
    for (int round = 0; round < 3; round++) {
        random_blocks(25, 70 + (uint64_t)round);
        for (size_t page = 1; page <= 50; page += 7) {
            compare('s', 0, page);
            compare('s', 1, page);
            for (int key = 0; key < 5; key++) compare('r', key, page);
            compare('e', 0, page);
        }
        if (round == 1) reopen(); /* the index is gone; the answers are not */
    }
    ck_assert_uint_eq(w.chain->height, 75);
}
END_TEST

START_TEST(a_cursor_is_good_for_its_own_question_only) /* faults 72 */
{
    mgc_found found[10];
    mgc_cursor c = {{0}}, start;
    size_t n;

    random_blocks(20, 5);
    ck_assert_int_eq(ask('s', 0, &c, found, 0, &n), MGC_E_RANGE);
    ck_assert_int_eq(ask('s', 0, &c, found, (size_t)1 << 32, &n), MGC_E_RANGE);
    ck_assert_int_eq(ask('s', 0, &c, found, MGC_FOUND_MAX + 1, &n), MGC_E_RANGE);
    ck_assert_int_eq(ask('s', 0, &c, found, SIZE_MAX, &n), MGC_E_RANGE);
    ck_assert_int_eq(ask('s', 0, &c, found, 4, &n), MGC_OK);
    ck_assert_uint_eq(n, 4);
    start = c;
    ck_assert_int_eq(ask('s', 1, &c, found, 4, &n), MGC_E_CURSOR);
    ck_assert_int_eq(ask('e', 0, &c, found, 4, &n), MGC_E_CURSOR);
    for (size_t i = 0; i < sizeof c.bytes; i++) {
        c = start;
        c.bytes[i] ^= 1;
        ck_assert_msg(ask('s', 0, &c, found, 4, &n) == MGC_E_CURSOR, "byte %zu", i);
        ck_assert_uint_eq(n, 0);
    }
    c = start;
    ck_assert_int_eq(ask('s', 0, &c, found, 4, &n), MGC_OK);
    /* of the same question in another store, whose salt is another */
    struct disk other;
    struct world own = w;
    disk_init(&other);
    mgc_ledger_opts opts;
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &other;
    opts.salt = 78;
    ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &w.ledger), MGC_OK);
    mgc_member member = {.id = 1};
    mgc_genesis g = {
        .struct_size = sizeof g, .name = "trading", .time_ms = 1000, .members = &member, .n_members = 1, .quorum = 1};
    memcpy(member.public_key, mgc__key_public(w.member), 32);
    ck_assert_int_eq(mgc_ledger_add_chain(w.ledger, &g, &w.chain), MGC_OK);
    c = start;
    ck_assert_int_eq(ask('s', 0, &c, found, 4, &n), MGC_E_CURSOR);
    mgc_ledger_close(w.ledger);
    disk_free(&other);
    w = own;
}
END_TEST

/* --- keys that somebody chose -------------------------------------------------------------------- */

START_TEST(chosen_keys_do_not_make_the_state_slow) /* faults 96: an ordered tree has no bad keys, only a depth */
{
    for (int shape = 0; shape < 4; shape++) {
        mgc__tree tree;
        mgc__item *old;
        uint64_t deepest = 0;

        mgc__tree_init(&tree, ctx);
        for (uint32_t i = 0; i < 40000; i++) {
            uint8_t key[40] = {0};
            uint32_t n = shape == 1 ? 40000 - i : shape == 2 ? i << 16 | i >> 16 : i;
            mgc__put_be32(key + (shape == 3 ? 36 : 0), n); /* 3: all alike but for the last bytes */
            mgc__item *item = mgc__item_create(ctx, key, sizeof key, NULL, 0);
            ck_assert(mgc__tree_put(&tree, item, &old));
            ck_assert_ptr_null(old);
        }
        for (const void *node = tree.root; node != NULL; deepest++) {
            const struct {
                uint32_t n;
                uint16_t skip;
                bool leaf;
                uint64_t heads[31];
                mgc__item *items[31];
                const void *kids[];
            } *x = node;
            node = x->leaf ? NULL : x->kids[0];
        }
        ck_assert_uint_le(deepest, 4); /* log16(40000) + 1 */
        mgc__tree_free(&tree);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("guard");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_rolled_back_store_neither_builds_nor_votes);
    tcase_add_test(tcase, two_final_blocks_of_one_height_halt_the_chain);
    tcase_add_test(tcase, a_block_without_a_certificate_gives_way);
    tcase_add_test(tcase, pages_hold_what_a_full_scan_finds);
    tcase_add_test(tcase, a_cursor_is_good_for_its_own_question_only);
    tcase_add_test(tcase, chosen_keys_do_not_make_the_state_slow);
    return run_suite("ledger-guard", tcase);
}
