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
static mgc_status bridge_execute(mgc__exec *x, const mgc__tx *tx, bool *mine);

static mgc_status peek_execute(void *user, mgc__exec *x, const mgc__tx *tx)
{
    bool mine = true;
    const mgc__state *other;
    const uint8_t *value;
    uint64_t height, time_ms;
    size_t len;
    uint8_t copy[64];
    mgc_status status;

    status = bridge_execute(x, tx, &mine);
    if (mine) return status;
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

/* lock     id16 debit16 target32 payee16 amount8 expires8
 * credit   id16 name...       credit-proof   id16 source32 proof...
 * settle   id16               settle-proof   id16 proof... */
static mgc_status bridge_execute(mgc__exec *x, const mgc__tx *tx, bool *mine)
{
    const uint8_t *a = tx->arguments;
    char name[32] = "";

    *mine = true;
    if (mgc__tx_method_is(tx, "lock")) {
        mgc__lock lock = {.unit = 1, .code = 1};
        memcpy(lock.id, a, 16);
        memcpy(lock.debit_account, a + 16, 16);
        memcpy(lock.target_chain, a + 32, 32);
        memcpy(lock.target_account, a + 64, 16);
        lock.amount = mgc__get_be64(a + 80);
        lock.expires_ms = mgc__get_be64(a + 88);
        return mgc__lock_create(x, &lock);
    }
    if (mgc__tx_method_is(tx, "credit")) {
        memcpy(name, a + 16, tx->arguments_len - 16);
        return mgc__lock_credit(x, name, a);
    }
    if (mgc__tx_method_is(tx, "credit-proof"))
        return mgc__lock_credit_proof(x, a + 16, a, a + 48, tx->arguments_len - 48);
    if (mgc__tx_method_is(tx, "settle")) return mgc__lock_settle(x, a);
    if (mgc__tx_method_is(tx, "settle-proof"))
        return mgc__lock_settle_proof(x, a, a + 16, tx->arguments_len - 16);
    *mine = false;
    return MGC_OK;
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

/* --- locks and credits --------------------------------------------------------------------------- */

enum { PURSE = 10, PURSES = 4, START_AMOUNT = 1000 };

static void do_move(mgc_chain *chain, uint64_t id, uint64_t debit, uint64_t credit, uint64_t amount, uint8_t flags,
                    uint64_t pending, int32_t want)
{
    uint8_t a[74];

    id_of(a, id);
    id_of(a + 16, debit);
    id_of(a + 32, credit);
    mgc__put_be64(a + 48, amount);
    a[56] = flags;
    a[57] = 0;
    id_of(a + 58, pending);
    must(chain, "move", a, sizeof a, want);
}

/* Account 1 is the mint, 10.. are purses with START_AMOUNT each. */
static void fund(mgc_chain *chain)
{
    uint8_t a[18];

    begin(chain);
    for (uint64_t i = 0; i <= PURSES; i++) {
        id_of(a, i == 0 ? 1 : PURSE + i - 1);
        a[16] = 1;
        a[17] = i == 0 ? 0 : MGC_ACCOUNT_DEBITS_BOUNDED;
        must(chain, "account", a, sizeof a, MGC_OK);
        if (i > 0) do_move(chain, 100 + i, 1, PURSE + i - 1, START_AMOUNT, 0, 0, MGC_OK);
    }
    commit(chain);
}

static mgc_account_info account_of(const mgc_chain *chain, uint64_t number)
{
    mgc_account_info info = {.struct_size = sizeof info};
    uint8_t id[16];

    id_of(id, number);
    ck_assert_int_eq(mgc_chain_get_account(chain, id, &info), MGC_OK);
    return info;
}

static uint64_t free_in(const mgc_chain *chain, uint64_t number)
{
    mgc_account_info a = account_of(chain, number);

    return a.credits_posted - a.debits_posted - a.debits_pending;
}

static void lock_arguments(uint8_t a[96], uint64_t id, uint64_t from, const mgc_chain *target, uint64_t payee,
                           uint64_t amount, uint64_t expires_ms)
{
    id_of(a, id);
    id_of(a + 16, from);
    memcpy(a + 32, target->id, 32);
    id_of(a + 64, payee);
    mgc__put_be64(a + 80, amount);
    mgc__put_be64(a + 88, expires_ms);
}

static void do_lock(mgc_chain *chain, uint64_t id, uint64_t from, const mgc_chain *target, uint64_t payee,
                    uint64_t amount, uint64_t expires_ms, int32_t want)
{
    uint8_t a[96];

    lock_arguments(a, id, from, target, payee, amount, expires_ms);
    must(chain, "lock", a, sizeof a, want);
}

static void do_credit(mgc_chain *chain, uint64_t id, const mgc_chain *source, int32_t want)
{
    uint8_t a[48];

    id_of(a, id);
    memcpy(a + 16, source->name, strlen(source->name));
    must(chain, "credit", a, 16 + strlen(source->name), want);
}

static void do_settle(mgc_chain *chain, uint64_t id, int32_t want)
{
    uint8_t a[16];

    id_of(a, id);
    must(chain, "settle", a, sizeof a, want);
}

static uint32_t lock_state(const mgc_chain *chain, uint64_t id)
{
    mgc__lock lock;
    uint8_t bytes[16];

    id_of(bytes, id);
    ck_assert_int_eq(mgc__lock_get(&chain->state, bytes, &lock), MGC_OK);
    return lock.state;
}

START_TEST(a_lock_is_credited_once_or_returns) /* faults 70: replay, late */
{
    struct store s = {0};
    mgc_verify_info info;
    uint8_t bridge[16];
    mgc_account_info account = {.struct_size = sizeof account};

    disk_init(&s.disk);
    store_open(&s, 1, 1);
    fund(s.a);
    fund(s.b);
    begin(s.a);
    do_lock(s.a, 500, PURSE, s.b, PURSE + 1, 300, s.a->time_ms + 100, MGC_OK);
    do_lock(s.a, 500, PURSE, s.b, PURSE + 1, 300, s.a->time_ms + 100, MGC_OK); /* a retry moves nothing */
    do_lock(s.a, 500, PURSE, s.b, PURSE + 1, 301, s.a->time_ms + 100, MGC_E_EXISTS_DIFFERENT);
    do_lock(s.a, 500, PURSE, s.b, PURSE + 2, 300, s.a->time_ms + 100, MGC_E_EXISTS_DIFFERENT);
    do_lock(s.a, 501, PURSE, s.b, PURSE + 1, 701, s.a->time_ms + 100, MGC_E_EXCEEDS_CREDIT);
    do_lock(s.a, 501, PURSE, s.a, PURSE + 1, 1, s.a->time_ms + 100, MGC_E_INVALID_ARG);
    do_lock(s.a, 501, PURSE, s.b, PURSE + 1, 1, s.a->time_ms + 10, MGC_E_EXPIRED);
    do_lock(s.a, 501, PURSE, s.b, PURSE + 1, 1, UINT64_MAX, MGC_E_RANGE);
    do_lock(s.a, 502, PURSE, s.b, PURSE + 1, 200, s.a->time_ms + 40, MGC_OK);
    do_move(s.a, 900, 0, 0, 0, MGC_TRANSFER_VOID, 500, MGC_E_FORBIDDEN); /* not behind the ledger's back */
    do_settle(s.a, 500, MGC_E_EARLY);
    commit(s.a);
    ck_assert_uint_eq(free_in(s.a, PURSE), 500);

    begin(s.b);
    do_credit(s.b, 500, s.a, MGC_OK);
    do_credit(s.b, 500, s.a, MGC_E_ALREADY_CREDITED);
    do_credit(s.b, 501, s.a, MGC_E_NOT_FOUND);
    commit(s.b);
    begin(s.b);
    do_credit(s.b, 500, s.a, MGC_E_ALREADY_CREDITED);
    commit(s.b);
    ck_assert_uint_eq(free_in(s.b, PURSE + 1), START_AMOUNT + 300);
    ck_assert_int_eq(mgc_chain_begin(s.b, s.a->time_ms + 30), MGC_OK); /* the expiry of 502 */
    do_credit(s.b, 502, s.a, MGC_E_EXPIRED);
    commit(s.b);
    begin(s.a); /* 502 returns by itself; 500 waits for its own time, or for being asked */
    do_settle(s.a, 500, MGC_OK);
    do_settle(s.a, 500, MGC_E_STATE);
    do_settle(s.a, 502, MGC_E_STATE);
    commit(s.a);
    ck_assert_uint_eq(lock_state(s.a, 500), MGC__LOCK_CREDITED);
    ck_assert_uint_eq(lock_state(s.a, 502), MGC__LOCK_RETURNED);
    ck_assert_uint_eq(free_in(s.a, PURSE), 700);
    mgc__bridge_id(bridge, s.b->id, 1);
    ck_assert_int_eq(mgc_chain_get_account(s.a, bridge, &account), MGC_OK);
    ck_assert_uint_eq(account.credits_posted, 300);
    ck_assert_uint_eq(account.credits_pending, 0);
    begin(s.b);
    do_credit(s.b, 502, s.a, MGC_E_EXPIRED);
    commit(s.b);
    store_close(&s);
    ck_assert_msg(verify_store(&s.disk, &info) == MGC_OK, "%s", mgc_ctx_error(ctx));
    disk_free(&s.disk);
}
END_TEST

/* What purses have and what is on its way, over both chains: an open lock that was not credited counts where it was
 * locked. */
static uint64_t sum_of_all(const struct store *s, uint64_t locks, bool (*credited)[2])
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < PURSES; i++) sum += free_in(s->a, PURSE + i) + free_in(s->b, PURSE + i);
    for (uint64_t id = 1000; id < 1000 + locks; id++)
        for (int c = 0; c < 2; c++) {
            mgc__lock lock;
            uint8_t bytes[16];
            id_of(bytes, id);
            if (mgc__lock_get(c == 0 ? &s->a->state : &s->b->state, bytes, &lock) != MGC_OK) continue;
            if (lock.state == MGC__LOCK_OPEN && !credited[id - 1000][c]) sum += lock.amount;
            ck_assert(lock.state != MGC__LOCK_RETURNED || !credited[id - 1000][c]);
            ck_assert(lock.state != MGC__LOCK_CREDITED || credited[id - 1000][c]);
        }
    return sum;
}

START_TEST(sums_over_chains_are_conserved)
{
    enum { LOCKS = 120 };
    static bool credited[LOCKS][2];
    struct store s = {0};
    mgc_verify_info info;
    mgc__rng rng;
    uint64_t n = 0;

    memset(credited, 0, sizeof credited);
    mgc__rng_seed(&rng, 11);
    disk_init(&s.disk);
    store_open(&s, 1, 1);
    fund(s.a);
    fund(s.b);
    for (int step = 0; step < 300; step++) {
        int c = (int)mgc__rng_below(&rng, 2);
        mgc_chain *own = c == 0 ? s.a : s.b, *other = c == 0 ? s.b : s.a;
        uint8_t a[96];
        int32_t result;

        ck_assert_int_eq(mgc_chain_begin(own, own->time_ms + 1 + mgc__rng_below(&rng, 30)), MGC_OK);
        for (int k = 0; k < 3; k++) {
            if (mgc__rng_below(&rng, 2) == 0 && n < LOCKS) {
                lock_arguments(a, 1000 + n, PURSE + mgc__rng_below(&rng, PURSES), other,
                               PURSE + mgc__rng_below(&rng, PURSES + 1), 1 + mgc__rng_below(&rng, 400),
                               own->time_ms + 30 + mgc__rng_below(&rng, 200));
                ck_assert_int_eq(call(own, "lock", a, sizeof a, &result), MGC_OK);
                n++;
            } else if (n > 0) {
                uint64_t id = mgc__rng_below(&rng, n);
                id_of(a, 1000 + id);
                memcpy(a + 16, other->name, 1);
                bool settle = mgc__rng_below(&rng, 4) == 0;
                ck_assert_int_eq(call(own, settle ? "settle" : "credit", a, settle ? 16 : 17, &result), MGC_OK);
                if (result == MGC_OK && !settle) {
                    ck_assert(!credited[id][1 - c]);
                    credited[id][1 - c] = true;
                }
            }
        }
        if (mgc__rng_below(&rng, 10) == 0) { /* a block that never was: nor were its credits */
            bool before[LOCKS][2];
            memcpy(before, credited, sizeof before);
            for (uint64_t id = 0; id < n; id++)
                for (int d = 0; d < 2; d++)
                    if (credited[id][d]) {
                        uint8_t key[49] = {MGC__AREA_CREDIT};
                        memcpy(key + 1, (d == 0 ? s.a : s.b)->id, 32);
                        id_of(key + 33, 1000 + id);
                        mgc_chain *target = d == 0 ? s.b : s.a;
                        mgc_chain_abort(own);
                        if (mgc__state_get(&target->state, key, sizeof key) == NULL) credited[id][d] = false;
                    }
            mgc_chain_abort(own);
        } else {
            commit(own);
        }
        ck_assert_uint_eq(sum_of_all(&s, n, credited), 2 * PURSES * START_AMOUNT);
        if (step % 100 == 99) {
            store_close(&s);
            store_open(&s, 1, 1);
        }
    }
    ck_assert_uint_eq(n, LOCKS);
    for (int round = 0; round < 2; round++) /* let all of them end */
        for (int c = 0; c < 2; c++) {
            mgc_chain *own = c == 0 ? s.a : s.b;
            ck_assert_int_eq(mgc_chain_begin(own, own->time_ms + 100000), MGC_OK);
            commit(own);
        }
    uint64_t free_money = 0;
    for (uint64_t i = 0; i < PURSES; i++) free_money += free_in(s.a, PURSE + i) + free_in(s.b, PURSE + i);
    ck_assert_uint_eq(free_money, 2 * PURSES * START_AMOUNT);
    store_close(&s);
    ck_assert_msg(verify_store(&s.disk, &info) == MGC_OK, "%s", mgc_ctx_error(ctx));
    disk_free(&s.disk);
}
END_TEST

/* --- between stores ------------------------------------------------------------------------------ */

static uint8_t proof[MGC_TX_BYTES_MAX], message[MGC_TX_BYTES_MAX];
static size_t proof_len;

static void credit_by_proof(mgc_chain *target, uint64_t id, const mgc_chain *source, int32_t want)
{
    id_of(message, id);
    memcpy(message + 16, source->id, 32);
    memcpy(message + 48, proof, proof_len);
    must(target, "credit-proof", message, 48 + proof_len, want);
}

static void settle_by_proof(mgc_chain *source, uint64_t id, int32_t want)
{
    id_of(message, id);
    memcpy(message + 16, proof, proof_len);
    must(source, "settle-proof", message, 16 + proof_len, want);
}

static void prove_credit(mgc_chain *target, const mgc_chain *source, uint64_t id)
{
    uint8_t key[49] = {MGC__AREA_CREDIT};

    memcpy(key + 1, source->id, 32);
    id_of(key + 33, id);
    ck_assert_int_eq(mgc_chain_prove_key(target, key, sizeof key, proof, sizeof proof, &proof_len), MGC_OK);
}

START_TEST(a_lock_of_another_store_is_credited_by_proof) /* faults 70 */
{
    const uint64_t day = 86400000;
    struct store s[2] = {0};
    mgc_chain *source, *target;
    mgc_verify_info info;

    for (int i = 0; i < 2; i++) {
        disk_init(&s[i].disk);
        store_open(&s[i], i == 0 ? 3 : 1, i == 0 ? 2 : 1); /* other members: other chain ids */
    }
    source = s[0].a;
    target = s[1].b;
    begin(source);
    uint8_t a[18];
    id_of(a, 1);
    a[16] = 1;
    a[17] = 0;
    must(source, "account", a, sizeof a, MGC_OK);
    do_lock(source, 600, 1, target, PURSE, 50, day / 2, MGC_OK);
    do_lock(source, 601, 1, target, PURSE, 60, day / 2, MGC_OK);
    do_lock(source, 602, 1, target, PURSE, 70, day / 2, MGC_OK);
    ck_assert_int_eq(mgc_chain_seal(source, 1), MGC_OK);
    ck_assert_int_eq(mgc_chain_prove_receipt(source, 1, 1, proof, sizeof proof, &proof_len), MGC_E_NOT_FINAL);
    ck_assert_int_eq(certify(source, 1), MGC_OK);
    ck_assert_int_eq(mgc_chain_prove_receipt(source, 1, 1, proof, sizeof proof, &proof_len), MGC_OK);
    fund(target);
    begin(target);
    credit_by_proof(target, 601, source, MGC_E_BAD_PROOF); /* the receipt of another lock */
    credit_by_proof(target, 600, s[0].b, MGC_E_WRONG_CHAIN);
    proof[proof_len - 1] ^= 1; /* a forged path */
    credit_by_proof(target, 600, source, MGC_E_BAD_PROOF);
    proof[proof_len - 1] ^= 1;
    credit_by_proof(target, 600, source, MGC_OK);
    credit_by_proof(target, 600, source, MGC_E_ALREADY_CREDITED);
    commit(target);
    ck_assert_uint_eq(free_in(target, PURSE), START_AMOUNT + 50);

    /* without its certificate: a block that is not final */
    mgc__cbor_reader r;
    size_t len;
    mgc__cbor_read(&r, proof, proof_len);
    mgc__cbor_get_map(&r, 6);
    mgc__cbor_get_key(&r, 1);
    (void)mgc__cbor_get_uint(&r, 9);
    mgc__cbor_get_key(&r, 2);
    (void)mgc__cbor_get_uint(&r, 9);
    mgc__cbor_get_key(&r, 3);
    (void)mgc__cbor_get_bytes(&r, &len, sizeof proof);
    mgc__cbor_get_key(&r, 4);
    (void)mgc__cbor_get_bytes(&r, &len, sizeof proof);
    mgc__cbor_get_key(&r, 5);
    size_t before = (size_t)(r.at - proof);
    (void)mgc__cbor_get_bytes(&r, &len, sizeof proof);
    size_t after = (size_t)(r.at - proof);
    proof[before] = 0xf6;
    memmove(proof + before + 1, proof + after, proof_len - after);
    proof_len -= after - before - 1;
    begin(target);
    credit_by_proof(target, 600, source, MGC_E_NOT_FINAL);
    commit(target);

    ck_assert_int_eq(mgc_chain_begin(target, day / 2), MGC_OK); /* late */
    ck_assert_int_eq(mgc_chain_prove_receipt(source, 1, 2, proof, sizeof proof, &proof_len), MGC_OK);
    credit_by_proof(target, 601, source, MGC_E_EXPIRED);
    commit(target);
    ck_assert_int_eq(mgc_chain_begin(target, day), MGC_OK); /* the day is closed */
    commit(target);
    begin(source);
    prove_credit(target, source, 600);
    settle_by_proof(source, 601, MGC_E_BAD_PROOF); /* about another lock */
    settle_by_proof(source, 600, MGC_OK);
    settle_by_proof(source, 600, MGC_E_STATE);
    prove_credit(target, source, 601);
    settle_by_proof(source, 601, MGC_OK); /* absent, and too late to come */
    do_settle(source, 602, MGC_E_STATE);  /* its target is elsewhere */
    ck_assert_int_eq(mgc_chain_seal(source, 1), MGC_OK);
    ck_assert_int_eq(certify(source, 2), MGC_OK);
    ck_assert_uint_eq(lock_state(source, 600), MGC__LOCK_CREDITED);
    ck_assert_uint_eq(lock_state(source, 601), MGC__LOCK_RETURNED);
    ck_assert_uint_eq(lock_state(source, 602), MGC__LOCK_OPEN);
    ck_assert_uint_eq(account_of(source, 1).debits_posted, 50);
    ck_assert_uint_eq(account_of(source, 1).debits_pending, 70);
    for (int i = 0; i < 2; i++) {
        store_close(&s[i]);
        ck_assert_msg(verify_store(&s[i].disk, &info) == MGC_OK, "%s", mgc_ctx_error(ctx));
        disk_free(&s[i].disk);
    }
}
END_TEST

START_TEST(a_proof_from_before_the_expiry_returns_nothing)
{
    const uint64_t day = 86400000;
    struct store s[2] = {0};
    mgc_chain *source, *target;

    for (int i = 0; i < 2; i++) {
        disk_init(&s[i].disk);
        store_open(&s[i], i == 0 ? 3 : 1, i == 0 ? 2 : 1);
    }
    source = s[0].a;
    target = s[1].b;
    begin(source);
    uint8_t a[18];
    id_of(a, 1);
    a[16] = 1;
    a[17] = 0;
    must(source, "account", a, sizeof a, MGC_OK);
    do_lock(source, 600, 1, target, PURSE, 50, day + 5, MGC_OK);
    ck_assert_int_eq(mgc_chain_seal(source, 1), MGC_OK);
    ck_assert_int_eq(certify(source, 1), MGC_OK);
    fund(target);
    ck_assert_int_eq(mgc_chain_begin(target, day), MGC_OK);
    commit(target);
    begin(source);
    prove_credit(target, source, 600); /* absent so far, but a block at day + 1 may credit it */
    settle_by_proof(source, 600, MGC_E_EARLY);
    mgc_chain_abort(source);
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
    tcase_add_test(tcase, a_lock_is_credited_once_or_returns);
    tcase_add_test(tcase, sums_over_chains_are_conserved);
    tcase_add_test(tcase, a_lock_of_another_store_is_credited_by_proof);
    tcase_add_test(tcase, a_proof_from_before_the_expiry_returns_nothing);
    return run_suite("ledger-chains", tcase);
}
