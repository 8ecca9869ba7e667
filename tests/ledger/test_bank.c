/* SPDX-License-Identifier: Apache-2.0 */
/* Kyle Kingsbury's bank (Jepsen), on a disk that loses power: clients move money between accounts in seeded orders, singly,
 * in two phases and in linked pairs, repeat what they are not sure of, and read; the total never changes, no account
 * goes below zero, and what was acknowledged is there after any crash, block for block and balance for balance.
 *
 * MGC_TEST_LONG=1: more than 20 000 crashes.  MGC_BANK_SEED=n: that seed alone.
 * MGC_BANK_FROM=n: seeds from n on, for others than last time. */
#include "power.h"

enum { CLIENTS = 4, ACCOUNTS = 6, START_EACH = 100, MINT = 99, HEIGHTS = 512, PENDINGS = 512, CRASHES = 8, LEGS = 2 };
enum { SINGLE = 0, PENDING = MGC_TRANSFER_PENDING, POST = MGC_TRANSFER_POST, VOID = MGC_TRANSFER_VOID };

static mgc_ctx *ctx;
static uint64_t crashes, commits, reads, retries, recoveries_cut, refused, killed, unheard;

/* --- what should be ------------------------------------------------------------------------------ */

struct leg {
    uint64_t id, pending;
    uint32_t kind, from, to; /* accounts 1..ACCOUNTS */
    uint64_t amount;
};

struct model {
    uint64_t balance[ACCOUNTS + 1], held[ACCOUNTS + 1];
    struct open {
        uint64_t id;
        uint32_t from, to, state;
        uint64_t amount;
    } open[PENDINGS];
    size_t n_open;
};

static mgc_status model_leg(struct model *m, const struct leg *l)
{
    if (l->kind == SINGLE || l->kind == PENDING) {
        if (m->balance[l->from] - m->held[l->from] < l->amount) return MGC_E_EXCEEDS_CREDIT;
        if (l->kind == PENDING) {
            m->held[l->from] += l->amount;
            ck_assert_uint_lt(m->n_open, PENDINGS);
            m->open[m->n_open++] = (struct open){l->id, l->from, l->to, MGC_PENDING_OPEN, l->amount};
        } else {
            m->balance[l->from] -= l->amount;
            m->balance[l->to] += l->amount;
        }
        return MGC_OK;
    }
    for (size_t i = 0; i < m->n_open; i++) {
        struct open *o = &m->open[i];
        if (o->id != l->pending) continue;
        if (o->state == MGC_PENDING_POSTED) return MGC_E_PENDING_POSTED;
        if (o->state == MGC_PENDING_VOIDED) return MGC_E_PENDING_VOIDED;
        m->held[o->from] -= o->amount;
        if (l->kind == POST) {
            m->balance[o->from] -= o->amount;
            m->balance[o->to] += o->amount;
        }
        o->state = l->kind == POST ? MGC_PENDING_POSTED : MGC_PENDING_VOIDED;
        return MGC_OK;
    }
    return MGC_E_PENDING_NOT_FOUND;
}

static mgc_status model_tx(struct model *m, const struct leg legs[LEGS], uint32_t n)
{
    static struct model before;
    mgc_status status = MGC_OK;

    before = *m;
    for (uint32_t i = 0; i < n && status == MGC_OK; i++) status = model_leg(m, &legs[i]);
    if (status != MGC_OK) *m = before;
    return status;
}

/* --- the bank's contract ------------------------------------------------------------------------- */

enum { LEG_BYTES = 8 + 8 + 1 + 1 + 1 + 8 };

static mgc_status open_bank(mgc__exec *x)
{
    mgc_account_info account = {.unit = 1, .code = 1};
    mgc_status status;

    id_of(account.id, MINT);
    status = mgc__account_create(x, &account, NULL);
    account.flags = MGC_ACCOUNT_DEBITS_BOUNDED;
    for (uint64_t i = 1; i <= ACCOUNTS && status == MGC_OK; i++) {
        mgc_transfer_info t = {.unit = 1, .code = 1, .amount = START_EACH};
        id_of(account.id, i);
        status = mgc__account_create(x, &account, NULL);
        id_of(t.id, i);
        id_of(t.debit_account, MINT);
        id_of(t.credit_account, i);
        if (status == MGC_OK) status = mgc__transfer_create(x, &t);
    }
    return status;
}

static mgc_status bank_execute(void *user, mgc__exec *x, const mgc__tx *tx)
{
    mgc_transfer_info t[LEGS];
    size_t n = tx->arguments_len / LEG_BYTES;

    (void)user;
    if (mgc__tx_method_is(tx, "open")) return open_bank(x);
    if (mgc__tx_method_is(tx, "note")) return mgc__record_put(x, 5, tx->arguments, 1, tx->arguments, tx->arguments_len);
    if (n == 0 || n > LEGS) return mgc__exec_refuse(x, MGC_E_SCHEMA, "legs");
    for (size_t i = 0; i < n; i++) {
        const uint8_t *a = tx->arguments + i * LEG_BYTES;
        t[i] = (mgc_transfer_info){.flags = a[16], .amount = mgc__get_be64(a + 19)};
        id_of(t[i].id, mgc__get_be64(a));
        if (t[i].flags == POST || t[i].flags == VOID) {
            id_of(t[i].pending_id, mgc__get_be64(a + 8));
            t[i].amount = t[i].flags == POST ? MGC_AMOUNT_ALL : 0;
        } else {
            id_of(t[i].debit_account, a[17]);
            id_of(t[i].credit_account, a[18]);
            t[i].unit = t[i].code = 1;
        }
        if (i + 1 < n) t[i].flags |= MGC_TRANSFER_LINKED;
    }
    return mgc__transfers_create(x, t, n, NULL);
}

static const mgc__executor bank_code = {.execute = bank_execute};

static void attach(void *user, mgc_chain *chain)
{
    (void)user;
    mgc__chain_set_executor(chain, &bank_code);
}

/* --- clients ------------------------------------------------------------------------------------- */

struct client {
    mgc_key *key;
    bool waiting; /* for its transaction to be acknowledged */
    uint8_t bytes[2048];
    size_t len;
    struct leg legs[LEGS];
    uint32_t n_legs;
    uint64_t height; /* of the block that it went into; 0: none */
    uint8_t tx_id[32];
};

enum { BANK = 0, NOTES = 1 };

struct bank {
    struct power disk;
    mgc__rng rng;
    mgc_ledger *ledger;
    mgc_chain *chains[2];
    mgc_key *member;
    struct client clients[CLIENTS];
    uint64_t next_id;
    /* by chain and height: what was certified there, and of it acknowledged */
    uint8_t hashes[2][HEIGHTS][32], digests[2][HEIGHTS][32];
    uint64_t height[2], acked[2], tried[2]; /* tried: the height whose storing failed, or nobody heard of it */
    struct model models[HEIGHTS];
    struct model at; /* with the open block's transactions */
    uint64_t seed;
};

static uint64_t below(struct bank *b, uint64_t n)
{
    return mgc__rng_below(&b->rng, n);
}

#define MUST(condition, b, ...)                                                                               \
    do {                                                                                                        \
        if (!(condition)) {                                                                                     \
            printf("# replay with MGC_BANK_SEED=%" PRIu64 ": ", (b)->seed);                                     \
            printf(__VA_ARGS__);                                                                                \
            printf(" (%s)\n", mgc_ctx_error(ctx));                                                              \
            ck_abort_msg("seed %" PRIu64 ": " #condition, (b)->seed);                                           \
        }                                                                                                       \
    } while (0)

static mgc_key *key_of(uint8_t first)
{
    uint8_t seed[32] = {first, 7};
    mgc_key *key;

    ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &key), MGC_OK);
    return key;
}

static void sign(struct bank *b, struct client *c, int chain, const char *method, const uint8_t *arguments, size_t len)
{
    static uint8_t body_bytes[2048];
    mgc_tx_body body = {.struct_size = sizeof body, .chain_id = b->chains[chain]->id, .sender = mgc__key_public(c->key),
                        .contract = 5, .method = method, .arguments = arguments, .arguments_len = len,
                        .valid_until = b->chains[chain]->height + 1000};
    mgc_tx_signature s;
    mgc_tx_info info = {.struct_size = sizeof info};
    size_t body_len;

    ck_assert_int_eq(mgc_chain_next_nonce(b->chains[chain], body.sender, 5, &body.nonce), MGC_OK);
    ck_assert_int_eq(mgc_tx_encode_body(&body, body_bytes, sizeof body_bytes, &body_len), MGC_OK);
    ck_assert_int_eq(mgc_tx_sign(body_bytes, body_len, c->key, MGC_ROLE_USER, &s), MGC_OK);
    ck_assert_int_eq(mgc_tx_assemble(body_bytes, body_len, &s, 1, c->bytes, sizeof c->bytes, &c->len), MGC_OK);
    ck_assert_int_eq(mgc_tx_decode(c->bytes, c->len, &info), MGC_OK);
    memcpy(c->tx_id, info.tx_id, 32);
}

/* What a client wants next: one or two movements of any kind. */
static void want(struct bank *b, struct client *c)
{
    uint8_t arguments[LEGS * LEG_BYTES];

    c->n_legs = 1 + (uint32_t)below(b, LEGS);
    for (uint32_t i = 0; i < c->n_legs; i++) {
        static const uint32_t kinds[] = {SINGLE, SINGLE, SINGLE, PENDING, PENDING, POST, POST, VOID};
        struct leg *l = &c->legs[i];
        uint8_t *a = arguments + i * LEG_BYTES;

        *l = (struct leg){.id = b->next_id++, .kind = kinds[below(b, 8)], .from = 1 + (uint32_t)below(b, ACCOUNTS)};
        l->to = 1 + (l->from + (uint32_t)below(b, ACCOUNTS - 1)) % ACCOUNTS;
        l->amount = 1 + below(b, 80);
        if (l->kind == POST || l->kind == VOID)
            l->pending = b->at.n_open == 0 ? 7777 : b->at.open[b->at.n_open - 1 - below(b, b->at.n_open < 6 ? b->at.n_open : 6)].id;
        mgc__put_be64(a, l->id);
        mgc__put_be64(a + 8, l->pending);
        a[16] = (uint8_t)l->kind;
        a[17] = (uint8_t)l->from;
        a[18] = (uint8_t)l->to;
        mgc__put_be64(a + 19, l->amount);
    }
    sign(b, c, BANK, "pay", arguments, c->n_legs * LEG_BYTES);
    c->waiting = true;
    c->height = 0;
}

/* --- reading ------------------------------------------------------------------------------------- */

static void check_books(struct bank *b, const struct model *m)
{
    uint64_t total = 0;

    for (uint64_t i = 1; i <= ACCOUNTS; i++) {
        mgc_account_info a = {.struct_size = sizeof a};
        uint8_t id[16];

        id_of(id, i);
        MUST(mgc_chain_get_account(b->chains[BANK], id, &a) == MGC_OK, b, "account %" PRIu64, i);
        MUST(a.credits_posted >= a.debits_posted + a.debits_pending, b, "account %" PRIu64 " is below zero", i);
        MUST(a.credits_posted - a.debits_posted == m->balance[i] && a.debits_pending == m->held[i], b,
             "account %" PRIu64 " has %" PRIu64 " and %" PRIu64 " held; should %" PRIu64 " and %" PRIu64, i,
             a.credits_posted - a.debits_posted, a.debits_pending, m->balance[i], m->held[i]);
        total += a.credits_posted - a.debits_posted;
    }
    MUST(total == ACCOUNTS * START_EACH, b, "the total is %" PRIu64, total);
    reads++;
}

/* --- blocks -------------------------------------------------------------------------------------- */

static void record(struct bank *b, int chain)
{
    mgc_chain_info info = {.struct_size = sizeof info};

    ck_assert_int_eq(mgc_chain_get_info(b->chains[chain], &info), MGC_OK);
    ck_assert_uint_lt(info.height, HEIGHTS);
    memcpy(b->hashes[chain][info.height], info.block_hash, 32);
    memcpy(b->digests[chain][info.height], info.state_digest, 32);
    b->height[chain] = info.height;
    if (chain == BANK) b->models[info.height] = b->at;
}

/* What is acknowledged now; clients whose transaction is in it are told. */
static void acknowledge(struct bank *b)
{
    for (int chain = 0; chain < 2; chain++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        ck_assert_int_eq(mgc_chain_get_info(b->chains[chain], &info), MGC_OK);
        MUST(info.acked_height <= info.final_height && info.acked_height >= b->acked[chain], b, "acknowledged %" PRIu64,
             info.acked_height);
        b->acked[chain] = info.acked_height;
    }
    for (size_t i = 0; i < CLIENTS; i++)
        if (b->clients[i].waiting && b->clients[i].height > 0 && b->clients[i].height <= b->acked[BANK])
            b->clients[i].waiting = false;
}

/* Seal and sign without a sync, or all in one step. */
static mgc_status close_block(struct bank *b, int chain)
{
    mgc_vote vote = {.member = 1};
    mgc_status status;

    /* the block may be stored whole, and nobody hear of it: what it would do is known before */
    b->tried[chain] = b->chains[chain]->height + 1;
    ck_assert_uint_lt(b->tried[chain], HEIGHTS);
    if (chain == BANK) b->models[b->tried[chain]] = b->at;
    if (below(b, 3) > 0) {
        status = mgc_chain_commit(b->chains[chain], b->member);
    } else {
        uint64_t height = b->chains[chain]->height + 1;
        status = mgc_chain_seal(b->chains[chain], 1);
        if (status == MGC_OK) status = mgc_chain_vote(b->chains[chain], height, b->member, vote.signature);
        if (status == MGC_OK) status = mgc_chain_certify(b->chains[chain], height, &vote, 1);
    }
    /* where only the sync failed the block is there, and may survive */
    if (b->chains[chain]->final_height > b->height[chain]) record(b, chain);
    return status;
}

static mgc_status bank_block(struct bank *b)
{
    mgc_chain *chain = b->chains[BANK];
    mgc_status status;
    uint64_t height = chain->height + 1;

    b->at = b->models[chain->height];
    status = mgc_chain_begin(chain, 10000 + 10 * b->chains[BANK]->height + 1);
    for (uint32_t n = (uint32_t)below(b, 5); n > 0 && status == MGC_OK; n--) {
        struct client *c = &b->clients[below(b, CLIENTS)];
        int32_t result;

        if (!c->waiting) want(b, c);
        if (c->height > 0) { /* impatient: the same again */
            status = mgc_chain_add(chain, c->bytes, c->len, &result);
            MUST(status == MGC_E_DUPLICATE_TXID, b, "a transaction twice: %s", mgc_status_name(status));
            status = MGC_OK;
            retries++;
            continue;
        }
        status = mgc_chain_add(chain, c->bytes, c->len, &result);
        if (status != MGC_OK) break;
        mgc_status expected = model_tx(&b->at, c->legs, c->n_legs);
        MUST(result == expected, b, "answered %s, should %s", mgc_status_name(result), mgc_status_name(expected));
        refused += result != MGC_OK ? 1 : 0;
        c->height = height;
        if (below(b, 4) == 0) check_books(b, &b->at);
    }
    if (status == MGC_OK && below(b, 12) == 0) { /* thought better of it */
        mgc_chain_abort(chain);
        for (size_t i = 0; i < CLIENTS; i++)
            if (b->clients[i].height == height) b->clients[i].height = 0;
        check_books(b, &b->models[chain->height]);
        return MGC_OK;
    }
    if (status == MGC_OK) status = close_block(b, BANK);
    mgc_chain_abort(chain);
    return status;
}

static mgc_status notes_block(struct bank *b)
{
    struct client c = {.key = b->clients[0].key};
    uint8_t note[40] = {0};
    mgc_status status = mgc_chain_begin(b->chains[NOTES], 10000 + b->chains[NOTES]->height + 1);

    note[0] = (uint8_t)below(b, 4);
    mgc__put_be64(note + 8, below(b, 1000000));
    if (status != MGC_OK) return status;
    sign(b, &c, NOTES, "note", note, sizeof note);
    status = mgc_chain_add(b->chains[NOTES], c.bytes, c.len, NULL);
    if (status == MGC_OK) status = close_block(b, NOTES);
    mgc_chain_abort(b->chains[NOTES]);
    return status;
}

/* --- opening ------------------------------------------------------------------------------------- */

static void close_bank(struct bank *b)
{
    mgc_ledger_close(b->ledger);
    b->ledger = NULL;
}

static mgc_status add_or_find(struct bank *b, int chain, const char *name)
{
    mgc_member member = {.id = 1};
    mgc_genesis g = {
        .struct_size = sizeof g, .name = name, .time_ms = 1000, .members = &member, .n_members = 1, .quorum = 1};
    mgc_status status = mgc_ledger_chain(b->ledger, name, &b->chains[chain]);

    memcpy(member.public_key, mgc__key_public(b->member), 32);
    if (status == MGC_E_NOT_FOUND) {
        MUST(b->acked[chain] == 0, b, "chain %s is gone", name);
        status = mgc_ledger_add_chain(b->ledger, &g, &b->chains[chain]);
    }
    if (status == MGC_OK) mgc__chain_set_executor(b->chains[chain], &bank_code);
    return status;
}

/* The recovered head is one that was certified, at or after what was acknowledged. */
static void check_recovered(struct bank *b, int chain)
{
    mgc_chain_info info = {.struct_size = sizeof info};

    ck_assert_int_eq(mgc_chain_get_info(b->chains[chain], &info), MGC_OK);
    MUST(info.height >= b->acked[chain], b, "chain %d: %" PRIu64 " acknowledged, %" PRIu64 " there", chain,
         b->acked[chain], info.height);
    if (info.height == b->height[chain] + 1 && info.height == b->tried[chain]) {
        memcpy(b->hashes[chain][info.height], info.block_hash, 32);
        memcpy(b->digests[chain][info.height], info.state_digest, 32);
        b->height[chain]++;
        unheard++;
    }
    MUST(info.height <= b->height[chain], b, "chain %d: height %" PRIu64 " out of nothing", chain, info.height);
    for (uint64_t h = 1; h <= info.height; h++)
        MUST(memcmp(b->chains[chain]->blocks[h - 1].hash, b->hashes[chain][h], 32) == 0, b,
             "chain %d: another block at height %" PRIu64, chain, h);
    if (info.height > 0)
        MUST(memcmp(info.state_digest, b->digests[chain][info.height], 32) == 0, b, "chain %d: another state", chain);
    b->height[chain] = b->acked[chain] = info.height; /* opening made it durable */
}

/* A client that was not answered looks whether its transaction went through. */
static void ask_again(struct bank *b)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        struct client *c = &b->clients[i];
        uint64_t height = 0;
        uint32_t index;

        if (!c->waiting) continue;
        mgc_status status = mgc_chain_find_tx(b->chains[BANK], c->tx_id, &height, &index);
        MUST(status == MGC_OK || status == MGC_E_NOT_FOUND, b, "looking for a transaction");
        if (status == MGC_OK) MUST(height == c->height, b, "found at %" PRIu64 ", not %" PRIu64, height, c->height);
        c->waiting = status != MGC_OK;
        c->height = 0;
    }
}

static mgc_status open_again(struct bank *b)
{
    mgc_ledger_opts opts;
    mgc_status status;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &power_ops;
    opts.storage_user = &b->disk;
    opts.segment_bytes = (uint64_t)4096 << below(b, 3);
    opts.salt = b->seed;
    status = mgc_ledger_open(ctx, &opts, &b->ledger);
    if (status == MGC_OK) status = add_or_find(b, BANK, "trading");
    if (status == MGC_OK) status = add_or_find(b, NOTES, "information");
    if (status != MGC_OK) {
        MUST(b->disk.dead, b, "opening: %s", mgc_status_name(status));
        return status;
    }
    for (int chain = 0; chain < 2; chain++) check_recovered(b, chain);
    ask_again(b);
    if (b->height[BANK] > 0) check_books(b, &b->models[b->height[BANK]]);
    return MGC_OK;
}

static mgc_status found(struct bank *b)
{
    struct client c = {.key = b->clients[0].key};
    mgc_status status = mgc_chain_begin(b->chains[BANK], 9999);

    memset(&b->at, 0, sizeof b->at);
    for (size_t i = 1; i <= ACCOUNTS; i++) b->at.balance[i] = START_EACH;
    if (status != MGC_OK) return status;
    sign(b, &c, BANK, "open", NULL, 0);
    status = mgc_chain_add(b->chains[BANK], c.bytes, c.len, NULL);
    if (status == MGC_OK) status = close_block(b, BANK);
    mgc_chain_abort(b->chains[BANK]);
    return status;
}

/* Until the power goes, or for a while. */
static void live(struct bank *b)
{
    mgc_status status = MGC_OK;

    for (uint64_t n = 1 + below(b, 12); n > 0 && status == MGC_OK; n--) {
        uint64_t what = below(b, 10);
        if (b->height[BANK] == 0) status = found(b);
        else if (what < 6) status = bank_block(b);
        else if (what < 8) status = notes_block(b);
        else if (what < 9) status = mgc_ledger_sync(b->ledger);
        else check_books(b, &b->models[b->height[BANK]]);
        if (status == MGC_OK) commits++;
        if (status == MGC_OK) acknowledge(b);
    }
    MUST(status == MGC_OK || b->disk.dead, b, "%s", mgc_status_name(status));
}

static void run_seed(uint64_t seed)
{
    static struct bank b;
    mgc_verify_info verified = {.struct_size = sizeof verified};
    mgc_ledger_opts opts;
    long crash = 0;

    memset(&b, 0, sizeof b);
    b.seed = seed;
    b.next_id = 1000;
    mgc__rng_seed(&b.rng, seed);
    power_init(&b.disk, seed ^ 0x9e3779b97f4a7c15u);
    b.member = key_of(1);
    for (uint8_t i = 0; i < CLIENTS; i++) b.clients[i].key = key_of((uint8_t)(10 + i));
    while (crash < CRASHES) {
        uint64_t how = below(&b, 8);
        /* in the middle of opening, in the middle of life, or between two calls */
        b.disk.dies_at = how == 0 ? -1 : (long)below(&b, how < 3 ? 25 : 250);
        if (open_again(&b) != MGC_OK) {
            recoveries_cut++;
        } else {
            if (how == 7) b.disk.dies_at = b.disk.calls + (long)below(&b, 10); /* soon after opening */
            live(&b);
        }
        close_bank(&b);
        if (below(&b, 4) == 0) {
            power_kill(&b.disk);
            killed++;
        } else {
            power_cut(&b.disk);
        }
        crashes++;
        crash++;
    }
    MUST(open_again(&b) == MGC_OK, &b, "the last time");
    close_bank(&b);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &power_ops;
    opts.storage_user = &b.disk;
    MUST(mgc__ledger_verify(ctx, &opts, attach, NULL, &verified) == MGC_OK, &b, "verifying");
    MUST(verified.blocks == b.height[0] + b.height[1], &b, "verified %" PRIu64 " blocks", verified.blocks);
    mgc_key_destroy(b.member);
    for (size_t i = 0; i < CLIENTS; i++) mgc_key_destroy(b.clients[i].key);
    power_free(&b.disk);
}

START_TEST(the_total_never_changes) /* faults 76, 84, 86 */
{
    const char *wanted = getenv("MGC_TEST_LONG"), *one = getenv("MGC_BANK_SEED"), *from = getenv("MGC_BANK_FROM");
    uint64_t first = from != NULL ? strtoull(from, NULL, 10) : 1;
    uint64_t seeds = wanted != NULL && strcmp(wanted, "1") == 0 ? 2600 : 60;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    if (one != NULL) run_seed(strtoull(one, NULL, 10));
    for (uint64_t seed = first; one == NULL && seed < first + seeds; seed++) run_seed(seed);
    printf("# %" PRIu64 " crashes, %" PRIu64 " of them while recovering, %" PRIu64
           " of the process alone; %" PRIu64 " acts, %" PRIu64 " blocks that survived unheard, %" PRIu64
           " whole reads, %" PRIu64 " repeated and %" PRIu64 " refused transactions\n",
           crashes, recoveries_cut, killed, commits, unheard, reads, retries, refused);
    if (one == NULL) {
        ck_assert_uint_eq(crashes, CRASHES * seeds);
        ck_assert_uint_gt(recoveries_cut, seeds);
        ck_assert_uint_gt(reads, 10 * seeds);
        ck_assert_uint_gt(refused, seeds);
    }
    mgc_ctx_destroy(ctx);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("bank");

    tcase_add_test(tcase, the_total_never_changes);
    return run_suite("ledger-bank", tcase);
}
