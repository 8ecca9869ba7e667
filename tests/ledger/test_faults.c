/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of doc/faults.md that have no better place. */
#include "world.h"

static mgc_ctx *ctx;
static struct disk disk;
static struct world w;
static uint8_t bytes[MGC_TX_BYTES_MAX + 16];

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

static void open_accounts(void)
{
    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    for (uint64_t id = 1; id <= 3; id++) ck_assert_int_eq(add_account(&w, id, 1, 0, NULL), MGC_OK);
}

static mgc_transfer_info transfer(uint64_t id, uint64_t debit, uint64_t credit, uint64_t amount, uint32_t flags)
{
    mgc_transfer_info t = {.unit = 1, .code = 1, .amount = amount, .flags = flags};

    id_of(t.id, id);
    id_of(t.debit_account, debit);
    id_of(t.credit_account, credit);
    return t;
}

static void check_balance(uint64_t account, uint64_t debits, uint64_t credits, uint64_t pending)
{
    mgc_account_info a = {.struct_size = sizeof a};
    uint8_t id[16];

    id_of(id, account);
    ck_assert_int_eq(mgc_chain_get_account(w.chain, id, &a), MGC_OK);
    ck_assert_uint_eq(a.debits_posted, debits);
    ck_assert_uint_eq(a.credits_posted, credits);
    ck_assert_uint_eq(a.debits_pending + a.credits_pending, pending);
}

START_TEST(all_is_an_amount_of_a_post_only) /* faults 32, 33 */
{
    mgc__exec *x = &w.chain->exec;
    mgc_transfer_info t;
    uint8_t post_id[16];

    open_accounts();
    t = transfer(10, 1, 2, MGC_AMOUNT_ALL, 0);
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_E_RANGE);
    t.flags = MGC_TRANSFER_PENDING;
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_E_RANGE);
    t = transfer(10, 1, 2, MGC_AMOUNT_MAX + 1, 0);
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_E_RANGE);
    t = transfer(10, 1, 2, MGC_AMOUNT_MAX, 0);
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_OK); /* the account is full now */
    t = transfer(11, 1, 3, 1, 0);
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_E_OVERFLOW);
    t = transfer(12, 3, 2, 1, MGC_TRANSFER_PENDING);
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_E_OVERFLOW);
    check_balance(1, MGC_AMOUNT_MAX, 0, 0);
    check_balance(3, 0, 0, 0);

    t = transfer(13, 2, 3, 77, MGC_TRANSFER_PENDING);
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_OK);
    t = (mgc_transfer_info){.amount = MGC_AMOUNT_ALL, .flags = MGC_TRANSFER_POST};
    id_of(t.id, 14);
    id_of(t.pending_id, 13);
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_OK);
    check_balance(3, 0, 77, 0);
    id_of(post_id, 14);
    ck_assert_int_eq(mgc__transfer_get(&w.chain->state, post_id, &t), MGC_OK);
    ck_assert_uint_eq(t.amount, 77);
}
END_TEST

/* Every group of up to four transfers with at most one bad one, linked in every way: a group stands or falls whole. */
START_TEST(linked_transfers_stand_or_fall_together) /* faults 41, 42 */
{
    mgc__exec *x = &w.chain->exec;

    open_accounts();
    for (uint32_t n = 1; n <= 4; n++)
        for (uint32_t links = 0; links < 1u << n; links++)
            for (uint32_t bad = 0; bad <= n; bad++) { /* n: none */
                mgc_transfer_info t[4];
                mgc__transfer_result got[4];
                mgc__mark before = mgc__exec_mark(x);
                uint64_t expected = 0;

                for (uint32_t i = 0; i < n; i++)
                    t[i] = transfer(100 + i, 1, i == bad ? 99 : 2, (uint64_t)1 << i,
                                    links >> i & 1 ? MGC_TRANSFER_LINKED : 0);
                (void)!mgc__transfers_create(x, t, n, got);
                for (uint32_t first = 0, last; first < n; first = last + 1) {
                    bool open, failed = false;
                    for (last = first; last < n && (links >> last & 1); last++) {}
                    open = last >= n;
                    if (open) last = n - 1;
                    for (uint32_t i = first; i <= last; i++) failed |= i == bad;
                    for (uint32_t i = first; i <= last; i++) {
                        bool alone = !open && first == last;
                        mgc_status want = open && i == last    ? MGC_E_LINKED_OPEN
                                          : i == bad           ? MGC_E_ACCOUNT
                                          : failed || open     ? MGC_E_LINKED_FAILED
                                                               : MGC_OK;
                        ck_assert_msg(got[i].status == want, "n %u links %u bad %u: %u of them %s", n, links, bad, i,
                                      mgc_status_name(got[i].status));
                        if (alone) ck_assert_int_ne(got[i].status, MGC_E_LINKED_FAILED);
                        if (want == MGC_OK) expected += (uint64_t)1 << i;
                    }
                }
                check_balance(1, expected, 0, 0);
                check_balance(2, 0, expected, 0);
                mgc__exec_undo(x, before);
                check_balance(1, 0, 0, 0);
            }
}
END_TEST

START_TEST(units_do_not_mix) /* faults 43 */
{
    mgc__exec *x = &w.chain->exec;
    mgc_transfer_info t;

    open_accounts();
    ck_assert_int_eq(add_account(&w, 4, 3, 0, NULL), MGC_OK); /* heat */
    for (uint32_t unit = 1; unit <= 3; unit++) {
        t = transfer(20, 1, 4, 5, 0);
        t.unit = unit;
        ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_E_LEDGER_MISMATCH);
    }
    t = transfer(20, 1, 2, 5, 0);
    t.unit = 2;
    ck_assert_int_eq(mgc__transfer_create(x, &t), MGC_E_LEDGER_MISMATCH);
    check_balance(1, 0, 0, 0);
    check_balance(4, 0, 0, 0);
}
END_TEST

START_TEST(a_full_block_stays_as_it_was) /* faults 65 */
{
    static uint8_t value[65000];
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_status status = MGC_OK;
    mgc_verify_info verified = {.struct_size = sizeof verified};
    mgc_ledger_opts opts;
    uint32_t n = 0;

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    while (status == MGC_OK && n < 1000) {
        value[0] = (uint8_t)n;
        size_t len = make_tx(&w, "put", value, sizeof value, bytes);
        status = mgc_chain_add(w.chain, bytes, len, NULL);
        if (status == MGC_OK) n++;
    }
    ck_assert_int_eq(status, MGC_E_TOO_LARGE);
    ck_assert_uint_gt(n, 100);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    ck_assert_int_eq(mgc_chain_get_info(w.chain, &info), MGC_OK);
    ck_assert_uint_eq(info.n_transactions, n);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 2001), MGC_OK); /* what did not fit goes into the next */
    ck_assert_int_eq(add_put(&w, 1, "next", NULL), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &disk;
    ck_assert_int_eq(mgc_ledger_verify(ctx, &opts, &verified), MGC_OK);
    ck_assert_uint_eq(verified.transactions, n + 1);
}
END_TEST

/* A block made by hand: header h with the roots of its transactions; receipts and state are not come to. */
static mgc_status apply_block(uint64_t time_ms, const uint8_t *const txs[], const size_t lens[], uint32_t n, uint64_t now_ms,
                              uint64_t drift_ms)
{
    static uint8_t list[MGC_BLOCK_BYTES_MAX + 4 * MGC_TX_BYTES_MAX], header[4096], block[sizeof list + MGC_TX_BYTES_MAX];
    mgc__header h = {.height = w.chain->height + 1, .time_ms = time_ms, .n_txs = n, .proposer = 1};
    mgc__list items = {.items = list, .n = n};
    mgc__cbor_writer writer;

    mgc__cbor_to_fixed(&writer, list, sizeof list);
    for (uint32_t i = 0; i < n; i++) mgc__cbor_put_bytes(&writer, txs[i], lens[i]);
    items.len = writer.len;
    memcpy(h.chain_id, w.chain->id, 32);
    memcpy(h.previous, w.chain->hash, 32);
    mgc__merkle_root(&w.chain->log.edge, h.log_root);
    mgc__list_root(&items, h.tx_root);
    mgc__cbor_to_fixed(&writer, header, sizeof header);
    mgc__header_write(&writer, &h);
    size_t header_len = writer.len;
    mgc__cbor_to_fixed(&writer, block, sizeof block);
    mgc__block_write(&writer, header, header_len, &items);
    return mgc_chain_apply(w.chain, block, writer.len, now_ms, drift_ms);
}

START_TEST(a_block_with_a_transaction_twice_is_refused) /* faults 66 */
{
    static uint8_t one[MGC_TX_BYTES_MAX], two[MGC_TX_BYTES_MAX];
    size_t one_len = make_tx_full(&w, w.alice, "put", "kv", 2, 1, 9, one);
    size_t two_len = make_tx_full(&w, w.alice, "put", "kw", 2, 2, 9, two);
    const uint8_t *txs[3] = {one, two, one};
    size_t lens[3] = {one_len, two_len, one_len}, size = disk.files[0].size;

    ck_assert_int_eq(apply_block(2000, txs, lens, 3, 2000, 0), MGC_E_DUPLICATE_TXID);
    ck_assert_uint_eq(w.chain->height, 0);
    ck_assert_uint_eq(w.chain->state.n_records, 0);
    ck_assert_uint_eq(disk.files[0].size, size);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK); /* once is right */
    for (int i = 0; i < 2; i++) ck_assert_int_eq(mgc_chain_add(w.chain, txs[i], lens[i], NULL), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    ck_assert_int_eq(apply_block(2001, txs, lens, 1, 2001, 0), MGC_E_DUPLICATE_TXID); /* nor in a later block */
}
END_TEST

/* What another member sends: counted before anything is looked at. */
START_TEST(a_block_beyond_the_limits_is_not_looked_at) /* faults 65 */
{
    static uint8_t large[MGC_TX_BYTES_MAX];
    enum { MANY = MGC_BLOCK_TXS_MAX + 1 };
    const uint8_t **txs = malloc(MANY * sizeof *txs);
    size_t *lens = malloc(MANY * sizeof *lens);
    uint32_t n = MGC_BLOCK_BYTES_MAX / MGC_TX_BYTES_MAX + 1;
    uint8_t small = 0xa0, root[32], again[32];

    ck_assert_int_eq(mgc_chain_state_root(w.chain, root), MGC_OK);
    for (size_t i = 0; i < MANY; i++) {
        txs[i] = &small;
        lens[i] = 1;
    }
    ck_assert_int_eq(apply_block(2000, txs, lens, MANY, 2000, 0), MGC_E_TOO_LARGE);
    for (size_t i = 0; i < n; i++) {
        txs[i] = large;
        lens[i] = sizeof large;
    }
    ck_assert_int_eq(apply_block(2000, txs, lens, n, 2000, 0), MGC_E_TOO_LARGE);
    ck_assert_int_eq(mgc_chain_state_root(w.chain, again), MGC_OK);
    ck_assert_mem_eq(root, again, 32);
    ck_assert_uint_eq(w.chain->height, 0);
    free(txs);
    free(lens);
}
END_TEST

/* The clock only decides whether a foreign block is taken yet, and what time a new one gets. */
START_TEST(a_wrong_clock_changes_no_state) /* faults 64, 90 */
{
    const uint64_t hour = 3600000, day = 24 * hour, noon = 1700000000000;
    const uint64_t clocks[] = {noon - hour, noon - day, 0, 1, noon - 1, noon};
    uint8_t root[32], again[32];

    ck_assert_int_eq(mgc_chain_begin(w.chain, noon), MGC_OK);
    ck_assert_int_eq(add_put(&w, 1, "x", NULL), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    ck_assert_int_eq(mgc_chain_state_root(w.chain, root), MGC_OK);
    for (size_t i = 0; i < MGC__COUNT(clocks); i++) { /* back, to 1970, and the leap second: the same again */
        ck_assert_int_eq(mgc_chain_begin(w.chain, clocks[i]), MGC_E_TIME);
        ck_assert_int_eq(apply_block(noon + 1, NULL, NULL, 0, clocks[i], 0), MGC_E_TIME);
        ck_assert_int_eq(apply_block(noon, NULL, NULL, 0, clocks[i], day), MGC_E_TIME);
    }
    ck_assert_int_eq(apply_block(noon + hour, NULL, NULL, 0, noon, hour - 1), MGC_E_TIME);
    ck_assert_int_eq(mgc_chain_state_root(w.chain, again), MGC_OK);
    ck_assert_mem_eq(root, again, 32);
    ck_assert_int_eq(mgc_chain_begin(w.chain, noon + day), MGC_OK); /* ahead by a day: taken, and only forward from there */
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    ck_assert_int_eq(mgc_chain_begin(w.chain, noon + 1), MGC_E_TIME);
    ck_assert_int_eq(mgc_chain_begin(w.chain, noon + day + 1), MGC_OK);
}
END_TEST

/* The version is key 1 of every map that is stored or sent. */
static mgc_status with_version(uint8_t version, mgc_status (*read)(const uint8_t *b, size_t len), const uint8_t *b,
                               size_t len)
{
    uint8_t copy[1024];

    ck_assert_uint_le(len, sizeof copy);
    memcpy(copy, b, len);
    ck_assert_uint_eq(copy[1], 1);
    ck_assert_uint_eq(copy[2], 1);
    copy[2] = version;
    return read(copy, len);
}

static mgc_status read_header(const uint8_t *b, size_t len)
{
    mgc__header h;
    return mgc__header_read(ctx, b, len, &h);
}

static mgc_status read_certificate(const uint8_t *b, size_t len)
{
    mgc__certificate c;
    return mgc__certificate_read(ctx, b, len, &c);
}

static mgc_status read_genesis(const uint8_t *b, size_t len)
{
    static mgc_member members[MGC_MEMBERS_MAX];
    mgc__genesis g;
    return mgc__genesis_read(ctx, b, len, &g, members);
}

static mgc_status read_tx_body(const uint8_t *b, size_t len)
{
    mgc_tx_signature s;
    return mgc_tx_sign(b, len, w.alice, MGC_ROLE_USER, &s);
}

START_TEST(a_newer_version_is_named) /* faults 98 */
{
    static uint8_t b[1024];
    uint8_t hash[32] = {1}, signature[64] = {0};
    mgc_member member = {.id = 1};
    mgc_genesis g = {.name = "x", .members = &member, .n_members = 1, .quorum = 1};
    mgc__certificate c = {.block_hash = hash, .n = 1, .votes = {{.member = 1, .signature = signature}}};
    mgc_tx_body body = {.struct_size = sizeof body, .chain_id = hash, .sender = hash, .method = "m", .nonce = 1};
    mgc__header h = {.height = 1};
    mgc__cbor_writer writer;
    size_t len;
    struct {
        mgc_status (*read)(const uint8_t *b, size_t len);
    } kinds[] = {{read_header}, {read_certificate}, {read_genesis}, {read_tx_body}};

    for (size_t i = 0; i < MGC__COUNT(kinds); i++) {
        mgc__cbor_to_fixed(&writer, b, sizeof b);
        if (i == 0) mgc__header_write(&writer, &h);
        if (i == 1) mgc__certificate_write(&writer, &c);
        if (i == 2) mgc__genesis_write(&writer, &g);
        len = writer.len;
        if (i == 3) ck_assert_int_eq(mgc_tx_encode_body(&body, b, sizeof b, &len), MGC_OK);
        ck_assert_int_eq(with_version(1, kinds[i].read, b, len), MGC_OK);
        ck_assert_int_eq(with_version(2, kinds[i].read, b, len), MGC_E_VERSION);
        ck_assert_int_eq(with_version(0, kinds[i].read, b, len), MGC_E_SCHEMA);
    }
}
END_TEST

/* --- a module that signs, and does not always ---------------------------------------------------- */

struct module {
    const mgc_key *real;
    long calls, fail_at;
    int32_t answer;
    bool wrong;
};

static int32_t module_sign(void *user, const uint8_t *message, size_t len, uint8_t *signature)
{
    struct module *m = user;
    int32_t answer = mgc_key_sign(m->real, message, len, signature) == MGC_OK ? MGC_CB_DONE : MGC_E_CRYPTO;

    if (m->calls++ != m->fail_at) return answer;
    if (m->wrong) signature[5] ^= 1;
    return m->answer;
}

START_TEST(a_module_that_fails_at_any_call_leaves_nothing) /* faults 92 */
{
    const int32_t answers[] = {MGC_E_IO, MGC_E_STOPPED, 0, 7, MGC_CB_DONE};

    for (size_t a = 0; a < MGC__COUNT(answers); a++)
        for (long fail_at = 0; fail_at < 4; fail_at++) {
            struct module module = {
                .real = w.member, .fail_at = fail_at, .answer = answers[a], .wrong = answers[a] == MGC_CB_DONE};
            mgc_status want = answers[a] > 0 && answers[a] != MGC_CB_DONE ? MGC_E_CALLBACK
                              : answers[a] == 0                            ? MGC_E_CALLBACK
                              : answers[a] == MGC_CB_DONE                  ? MGC_E_BAD_SIGNATURE
                                                                           : answers[a];
            uint64_t height = w.chain->height;
            size_t size = disk.files[0].size;
            mgc_key *key;

            ck_assert_int_eq(mgc_key_from_callback(ctx, mgc__key_public(w.member), module_sign, &module, &key), MGC_OK);
            for (long call = 0; call <= fail_at; call++) {
                ck_assert_int_eq(mgc_chain_begin(w.chain, w.chain->time_ms + 1), MGC_OK);
                ck_assert_int_eq(add_put(&w, (uint8_t)call, "v", NULL), MGC_OK);
                mgc_status got = mgc_chain_commit(w.chain, key);
                ck_assert_msg(got == (call == fail_at ? want : MGC_OK), "answer %d call %ld: %s", answers[a], call,
                              mgc_status_name(got));
                if (call < fail_at) height++;
                if (call < fail_at) size = disk.files[0].size;
            }
            ck_assert_uint_eq(w.chain->height, height);
            ck_assert_uint_eq(disk.files[0].size, size);
            ck_assert_int_eq(mgc_chain_begin(w.chain, w.chain->time_ms + 1), MGC_OK); /* and it goes on */
            ck_assert_int_eq(add_put(&w, 9, "v", NULL), MGC_OK);
            ck_assert_int_eq(mgc_chain_commit(w.chain, key), MGC_OK);
            mgc_key_destroy(key);
        }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("faults");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, all_is_an_amount_of_a_post_only);
    tcase_add_test(tcase, linked_transfers_stand_or_fall_together);
    tcase_add_test(tcase, units_do_not_mix);
    tcase_add_test(tcase, a_full_block_stays_as_it_was);
    tcase_add_test(tcase, a_block_beyond_the_limits_is_not_looked_at);
    tcase_add_test(tcase, a_block_with_a_transaction_twice_is_refused);
    tcase_add_test(tcase, a_wrong_clock_changes_no_state);
    tcase_add_test(tcase, a_newer_version_is_named);
    tcase_add_test(tcase, a_module_that_fails_at_any_call_leaves_nothing);
    return run_suite("ledger-faults", tcase);
}
