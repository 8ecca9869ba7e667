/* SPDX-License-Identifier: Apache-2.0 */
/* Several chains over one order: reading another chain at its pinned height, locks and credits between chains. */
#include "world.h"

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

/* --- a market of two chains ---------------------------------------------------------------------- */

/* The toy, and "peek" with a record's key: copies the record of chain "a" under the same key, with that chain's height
 * before it. */
static mgc_status peek_execute(void *user, mgc__exec *x, const mgc__tx *tx)
{
    const mgc__state *other;
    const uint8_t *value;
    uint64_t height, time_ms;
    size_t len;
    uint8_t copy[64];
    mgc_status status;

    if (!mgc__tx_method_is(tx, "peek")) return toy.execute(user, x, tx);
    status = mgc__exec_other(x, "a", &other, &height, &time_ms);
    if (status == MGC_OK) status = mgc__record_get(other, tx->contract, tx->arguments, 1, &value, &len);
    if (status != MGC_OK) return mgc__exec_refuse(x, status, "nothing to see");
    ck_assert_uint_gt(time_ms, 0);
    ck_assert_uint_le(len, 32);
    mgc__put_be64(copy, height);
    memcpy(copy + 8, value, len);
    return mgc__record_put(x, tx->contract, tx->arguments, 1, copy, 8 + len);
}

static const mgc__executor peek = {.execute = peek_execute};

static void attach_peek(void *user, mgc_chain *chain)
{
    (void)user;
    mgc__chain_set_executor(chain, &peek);
}

enum { MEMBERS = 3 };

/* One member's store with chains "a" and "b"; several of them make an alliance. */
struct store {
    struct disk disk;
    mgc_ledger *ledger;
    mgc_chain *a, *b;
};

static mgc_key *keys[MEMBERS];
static mgc_key *alice;

static void make_keys(void)
{
    for (uint8_t i = 0; i <= MEMBERS; i++) {
        uint8_t seed[32] = {(uint8_t)(70 + i)};
        ck_assert_int_eq(mgc_key_from_seed(ctx, seed, i == MEMBERS ? &alice : &keys[i]), MGC_OK);
    }
}

static void drop_keys(void)
{
    for (int i = 0; i < MEMBERS; i++) mgc_key_destroy(keys[i]);
    mgc_key_destroy(alice);
}

static mgc_chain *chain_of(mgc_ledger *ledger, const char *name, uint32_t n_members, uint32_t quorum)
{
    mgc_member members[MEMBERS] = {{.id = 1}, {.id = 2}, {.id = 3}};
    mgc_genesis g = {.struct_size = sizeof g,
                     .name = name,
                     .time_ms = 1000,
                     .members = members,
                     .n_members = n_members,
                     .quorum = quorum};
    mgc_chain *chain;

    if (mgc_ledger_chain(ledger, name, &chain) != MGC_OK) {
        for (int i = 0; i < MEMBERS; i++) memcpy(members[i].public_key, mgc__key_public(keys[i]), 32);
        ck_assert_int_eq(mgc_ledger_add_chain(ledger, &g, &chain), MGC_OK);
    }
    mgc__chain_set_executor(chain, &peek);
    return chain;
}

static void store_open(struct store *s, uint32_t n_members, uint32_t quorum)
{
    mgc_ledger_opts opts;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &s->disk;
    ck_assert_msg(mgc_ledger_open(ctx, &opts, &s->ledger) == MGC_OK, "%s", mgc_ctx_error(ctx));
    s->a = chain_of(s->ledger, "a", n_members, quorum);
    s->b = chain_of(s->ledger, "b", n_members, quorum);
}

static void store_close(struct store *s)
{
    mgc_ledger_close(s->ledger);
    s->ledger = NULL;
}

static mgc_status call(mgc_chain *chain, const char *method, const void *arguments, size_t len, int32_t *result)
{
    static uint8_t bytes[MGC_TX_BYTES_MAX];
    struct world w = {.ctx = ctx, .chain = chain, .alice = alice};
    size_t tx_len;

    memcpy(w.chain_id, chain->id, 32);
    tx_len = make_tx(&w, method, arguments, len, bytes);
    ck_assert_uint_gt(tx_len, 0);
    return mgc_chain_add(chain, bytes, tx_len, result);
}

static void begin(mgc_chain *chain)
{
    ck_assert_msg(mgc_chain_begin(chain, chain->time_ms + 10) == MGC_OK, "%s", mgc_ctx_error(ctx));
}

static void commit(mgc_chain *chain)
{
    ck_assert_msg(mgc_chain_commit(chain, keys[0]) == MGC_OK, "%s", mgc_ctx_error(ctx));
}

static void must(mgc_chain *chain, const char *method, const void *arguments, size_t len, int32_t want)
{
    int32_t result;

    ck_assert_msg(call(chain, method, arguments, len, &result) == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_msg(result == want, "%s: %s", method, mgc_status_name(result));
}

/* What b copied: the height of a that it saw, and the value. */
static void check_copy(const struct store *s, uint64_t height, const char *value)
{
    const uint8_t *copy;
    size_t len;

    ck_assert_int_eq(mgc__record_get(&s->b->state, 5, (const uint8_t *)"k", 1, &copy, &len), MGC_OK);
    ck_assert_uint_eq(mgc__get_be64(copy), height);
    ck_assert_uint_eq(len, 8 + strlen(value));
    ck_assert_mem_eq(copy + 8, value, strlen(value));
}

static mgc_status verify_store(struct disk *disk, mgc_verify_info *info)
{
    mgc_ledger_opts opts;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = disk;
    *info = (mgc_verify_info){.struct_size = sizeof *info};
    return mgc__ledger_verify(ctx, &opts, attach_peek, NULL, info);
}

/* --- reading ------------------------------------------------------------------------------------- */

START_TEST(a_chain_reads_another_at_the_pinned_height)
{
    struct store s = {0};
    mgc_verify_info info;
    mgc_block *block;
    const mgc__state *state;

    disk_init(&s.disk);
    store_open(&s, 1, 1);
    begin(s.b);
    must(s.b, "peek", "k", 1, MGC_E_NOT_FOUND); /* a has no block */
    commit(s.b);
    begin(s.a);
    must(s.a, "put", "kone", 4, MGC_OK);
    commit(s.a);
    begin(s.b);
    must(s.b, "peek", "k", 1, MGC_OK);
    commit(s.b);
    check_copy(&s, 1, "one");

    begin(s.a);
    must(s.a, "put", "ktwo", 4, MGC_OK);
    ck_assert_int_eq(mgc_chain_begin(s.b, 5000), MGC_E_STATE); /* a's block is under way: nobody may see it */
    mgc_chain_abort(s.a);
    begin(s.b);
    must(s.b, "peek", "k", 1, MGC_OK);
    commit(s.b);
    check_copy(&s, 1, "one"); /* what was aborted never was */
    for (int i = 0; i < 3; i++) {
        begin(s.a);
        must(s.a, "put", "ktwo", 4, MGC_OK);
        commit(s.a);
    }
    begin(s.b);
    must(s.b, "peek", "k", 1, MGC_OK);
    commit(s.b);
    check_copy(&s, 4, "two");

    ck_assert_int_eq(mgc_chain_read_block(s.b, 4, &block), MGC_OK);
    mgc_block_destroy(block);
    ck_assert_int_eq(mgc__chain_other(s.a, "nobody", &state, NULL, NULL), MGC_E_NOT_FOUND);
    ck_assert_ptr_null(state);
    ck_assert_int_eq(mgc__chain_other(s.a, "a", &state, NULL, NULL), MGC_OK);
    ck_assert_ptr_eq(state, &s.a->state);
    store_close(&s);

    ck_assert_msg(verify_store(&s.disk, &info) == MGC_OK, "%s", mgc_ctx_error(ctx)); /* in the journal's order */
    ck_assert_uint_eq(info.executed, 1);
    ck_assert_uint_eq(info.blocks, 8);
    store_open(&s, 1, 1);
    check_copy(&s, 4, "two");
    store_close(&s);
    disk_free(&s.disk);
}
END_TEST

/* --- the common order among members --------------------------------------------------------------- */

struct sent {
    uint8_t *bytes;
    size_t len;
};

/* The leader's block at a height, as another member takes it. */
static struct sent take(mgc_chain *chain, uint64_t height)
{
    struct sent s;
    const uint8_t *bytes;
    mgc_block *block;

    ck_assert_int_eq(mgc_chain_read_block(chain, height, &block), MGC_OK);
    ck_assert_int_eq(mgc_block_get_bytes(block, &bytes, &s.len), MGC_OK);
    s.bytes = malloc(s.len);
    memcpy(s.bytes, bytes, s.len);
    mgc_block_destroy(block);
    return s;
}

static mgc_status certify(mgc_chain *chain, uint64_t height)
{
    mgc_vote votes[2] = {{.member = 1}, {.member = 2}};

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(mgc_chain_vote(chain, height, keys[i], votes[i].signature), MGC_OK);
    return mgc_chain_certify(chain, height, votes, 2);
}

START_TEST(blocks_of_all_chains_have_one_order)
{
    struct store s[2] = {0};
    struct sent a1, b1, a2;
    mgc_verify_info info;

    for (int i = 0; i < 2; i++) {
        disk_init(&s[i].disk);
        store_open(&s[i], 3, 2);
    }
    begin(s[0].a);
    must(s[0].a, "put", "kone", 4, MGC_OK);
    ck_assert_int_eq(mgc_chain_seal(s[0].a, 1), MGC_OK);
    begin(s[0].b); /* reads a block that is not final yet, and so waits for it */
    must(s[0].b, "peek", "k", 1, MGC_OK);
    ck_assert_int_eq(mgc_chain_seal(s[0].b, 1), MGC_OK);
    begin(s[0].a);
    must(s[0].a, "put", "ktwo", 4, MGC_OK);
    ck_assert_int_eq(mgc_chain_seal(s[0].a, 1), MGC_OK);
    ck_assert_int_eq(certify(s[0].b, 1), MGC_E_NOT_FINAL);
    ck_assert_int_eq(certify(s[0].a, 1), MGC_OK);
    ck_assert_int_eq(certify(s[0].a, 2), MGC_E_NOT_FINAL); /* it rests upon b's first */
    ck_assert_int_eq(certify(s[0].b, 1), MGC_OK);
    ck_assert_int_eq(certify(s[0].a, 2), MGC_OK);
    ck_assert_int_eq(mgc_ledger_sync(s[0].ledger), MGC_OK);

    a1 = take(s[0].a, 1);
    b1 = take(s[0].b, 1);
    a2 = take(s[0].a, 2);
    ck_assert_int_eq(mgc_chain_apply(s[1].b, b1.bytes, b1.len, 9999, 0), MGC_E_HEIGHT); /* a1 comes first */
    ck_assert_int_eq(mgc_chain_apply(s[1].a, a1.bytes, a1.len, 9999, 0), MGC_OK);
    ck_assert_int_eq(mgc_chain_apply(s[1].a, a2.bytes, a2.len, 9999, 0), MGC_E_HEIGHT); /* then b1 */
    ck_assert_int_eq(mgc_chain_apply(s[1].b, b1.bytes, b1.len, 9999, 0), MGC_OK);
    ck_assert_int_eq(mgc_chain_apply(s[1].a, a2.bytes, a2.len, 9999, 0), MGC_OK);
    ck_assert_mem_eq(s[0].a->hash, s[1].a->hash, 32);
    ck_assert_mem_eq(s[0].b->state_digest, s[1].b->state_digest, 32);
    check_copy(&s[1], 1, "one");
    free(a1.bytes);
    free(b1.bytes);
    free(a2.bytes);
    for (int i = 0; i < 2; i++) store_close(&s[i]);
    ck_assert_msg(verify_store(&s[0].disk, &info) == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_uint_eq(info.blocks, 3);
    for (int i = 0; i < 2; i++) disk_free(&s[i].disk);
}
END_TEST

/* A store whose chain a has another first block: what rests upon it does not fit here. */
START_TEST(a_block_that_rests_upon_another_history_is_refused)
{
    struct store s[2] = {0};
    struct sent b1;

    for (int i = 0; i < 2; i++) {
        disk_init(&s[i].disk);
        store_open(&s[i], 3, 2);
        begin(s[i].a);
        must(s[i].a, "put", i == 0 ? "kone" : "kuno", 4, MGC_OK);
        ck_assert_int_eq(mgc_chain_seal(s[i].a, 1), MGC_OK);
    }
    begin(s[0].b);
    must(s[0].b, "put", "x", 1, MGC_OK); /* though it does not read a at all */
    ck_assert_int_eq(mgc_chain_seal(s[0].b, 1), MGC_OK);
    b1 = take(s[0].b, 1);
    ck_assert_int_eq(mgc_chain_apply(s[1].b, b1.bytes, b1.len, 9999, 0), MGC_E_BAD_PARENT);
    free(b1.bytes);
    for (int i = 0; i < 2; i++) {
        store_close(&s[i]);
        disk_free(&s[i].disk);
    }
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("chains");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_checked_fixture(tcase, make_keys, drop_keys);
    tcase_add_test(tcase, a_chain_reads_another_at_the_pinned_height);
    tcase_add_test(tcase, blocks_of_all_chains_have_one_order);
    tcase_add_test(tcase, a_block_that_rests_upon_another_history_is_refused);
    return run_suite("ledger-chains", tcase);
}
