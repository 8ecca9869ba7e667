/* SPDX-License-Identifier: Apache-2.0 */
/* A host's contracts between chains: locked on one, credited once on another, or returned; whose lock and account it
 * must be; power cuts between the two; chains of another store by proof. */
#include "../node/market.h"

enum {
    INFO = MGC_CONTRACT_INFORMATION,
    TRADE = MGC_CONTRACT_TRADING,
    TILL = MGC_CONTRACT_HOST + 10,              /* on trading */
    VAULT = MGC_CONTRACT_HOST_SCHEDULING + 110, /* on scheduling */
    THIEF = MGC_CONTRACT_HOST_SCHEDULING + 111, /* likewise, somebody else's */
    NOTARY = MGC_CONTRACT_HOST_INFORMATION + 5, /* on information */
    PURSE = 300000000,                          /* each microgrid's money */
    PROOF_MAX = 16384
};

static struct market m;

/* --- the contract: what it is asked, it hands to its environment ------------------------------------------------ */

struct ask {
    char chain[16];      /* "": the one of this id */
    uint8_t chain_id[32];
    uint8_t id[16], debit[16], target[16];
    uint64_t amount, expires_ms;
    uint64_t proof_len; /* its bytes follow */
};

static uint32_t numbers[] = {TILL, VAULT, THIEF, NOTARY};
static uint64_t slots_told;

static void id_with(uint32_t contract, uint8_t last, uint8_t id[16])
{
    memset(id, 0, 16);
    mgc__put_be32(id, contract);
    id[15] = last;
}

static mgc_status lock(mgc_env *env, const struct ask *a)
{
    mgc_lock_info l = {.struct_size = sizeof l,
                       .unit = MGC_UNIT_MICRO_CURRENCY,
                       .code = 3,
                       .amount = a->amount,
                       .expires_ms = a->expires_ms};
    mgc_status st = MGC_OK;

    memcpy(l.id, a->id, 16);
    memcpy(l.debit_account, a->debit, 16);
    memcpy(l.target_account, a->target, 16);
    memcpy(l.target_chain, a->chain_id, 32);
    if (a->chain[0] != '\0') st = mgc_env_other_chain(env, a->chain, l.target_chain);
    return st == MGC_OK ? mgc_env_lock(env, &l) : mgc_env_refuse(env, st, "there is no such chain");
}

static mgc_status open_account(mgc_env *env, uint32_t contract)
{
    mgc_account_info account = {.struct_size = sizeof account,
                                .unit = MGC_UNIT_MICRO_CURRENCY,
                                .code = 7,
                                .flags = MGC_ACCOUNT_DEBITS_BOUNDED};

    id_with(contract, 1, account.id);
    return mgc_env_open_account(env, &account);
}

static bool is(const mgc_call *call, const char *method)
{
    return call->method_len == strlen(method) && memcmp(call->method, method, call->method_len) == 0;
}

static mgc_status act(mgc_env *env, const mgc_call *call, uint32_t contract)
{
    struct ask a = {0};
    const uint8_t *proof = call->arguments + sizeof a;

    if (is(call, "open")) return open_account(env, contract);
    if (call->arguments_len < sizeof a) return mgc_env_refuse(env, MGC_E_SCHEMA, "too short");
    memcpy(&a, call->arguments, sizeof a);
    if (is(call, "lock")) return lock(env, &a);
    if (is(call, "credit")) return mgc_env_credit(env, a.chain, a.id);
    if (is(call, "credit-anyhow")) {
        mgc_status st = mgc_env_credit(env, a.chain, a.id);
        return st == MGC_OK ? MGC_E_RANGE : MGC_OK; /* claims success where it had none */
    }
    if (is(call, "credit-proof")) return mgc_env_credit_proof(env, a.chain_id, a.id, proof, a.proof_len);
    if (is(call, "many-proofs")) {
        mgc_status st = MGC_OK;
        while (st != MGC_E_CONTRACT) st = mgc_env_credit_proof(env, a.chain_id, a.id, proof, a.proof_len);
        return MGC_OK;
    }
    if (is(call, "settle")) return mgc_env_settle_lock(env, a.id);
    if (is(call, "settle-proof")) return mgc_env_settle_lock_proof(env, a.id, proof, a.proof_len);
    return mgc_env_refuse(env, MGC_E_SCHEMA, "no such method");
}

static int32_t execute(void *user, mgc_env *env, const mgc_call *call)
{
    mgc_status st = act(env, call, *(const uint32_t *)user);

    return st == MGC_OK ? MGC_CB_DONE : st;
}

static int32_t on_slot(void *user, mgc_env *env, uint64_t slot)
{
    static const uint8_t zero[32];

    (void)user;
    (void)slot;
    if (mgc_env_chain_id(env) == NULL || memcmp(mgc_env_chain_id(env), zero, 32) == 0) return MGC_E_STATE;
    slots_told++;
    return MGC_CB_DONE;
}

/* "lock=NN": a lock as its chain's contract sees it. */
static int32_t query(void *user, mgc_env *env, const mgc_query *q, mgc_rows *rows)
{
    mgc_lock_info l = {.struct_size = sizeof l};
    uint8_t id[16], other[32];
    uint64_t last = 0;
    mgc_status st;

    if (strcmp(q->what, "lock") != 0 || *(const uint32_t *)user != TILL) return MGC_E_NOT_FOUND;
    st = mgc_rows_begin(rows, "state amount expires_ms height");
    (void)mgc_query_uint(q, "lock", &last);
    id_with(TILL, (uint8_t)last, id);
    if (st == MGC_OK && mgc_env_lock_get(env, NULL, id, &l) == MGC_OK) {
        st = mgc_rows_put_int(rows, l.state);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)l.amount);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)l.expires_ms);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)l.height);
    }
    /* a question moves nothing, and finds what is not there absent */
    ck_assert_int_eq(mgc_env_lock(env, &l), MGC_E_STATE);
    ck_assert_int_eq(mgc_env_credit(env, "trading", id), MGC_E_STATE);
    ck_assert_int_eq(mgc_env_credit_proof(env, other, id, id, 16), MGC_E_STATE);
    ck_assert_int_eq(mgc_env_settle_lock(env, id), MGC_E_STATE);
    ck_assert_int_eq(mgc_env_settle_lock_proof(env, id, id, 16), MGC_E_STATE);
    ck_assert_int_eq(mgc_env_other_chain(env, "nobody", other), MGC_E_NOT_FOUND);
    ck_assert_int_eq(mgc_env_lock_get(env, "nobody", id, &l), MGC_E_NOT_FOUND);
    return st == MGC_OK ? MGC_CB_DONE : st;
}

static void host(struct market *of, const uint32_t *which, size_t n)
{
    of->n_hosts = n;
    for (size_t i = 0; i < n; i++) {
        of->hosts[i] = (mgc_contract){.struct_size = sizeof(mgc_contract),
                                      .version = 1,
                                      .id = which[i],
                                      .code_version = 1,
                                      .name = "bridge",
                                      .execute = execute,
                                      .on_slot = on_slot,
                                      .query = query};
        memset(of->hosts[i].code_hash, (int)(30 + i), 32);
        for (size_t k = 0; k < MGC__COUNT(numbers); k++)
            if (numbers[k] == which[i]) of->host_users[i] = &numbers[k];
    }
}

static void open_market(struct market *of, const uint32_t *which, size_t n)
{
    host(of, which, n);
    market_open(of);
    market_until(of, STEP_NOMINATE);
    for (size_t i = 0; i < n; i++)
        market_expectf(of, MGC_OK, INFO, "deploy", "1:9", "id=%" PRIu32 " version=1 code_hash=#%zu activation_height=%" PRIu64 " name=b%zu",
                       which[i], 30 + i, market_height(of, INFO) + 2, i);
    market_expectf(of, MGC_OK, INFO, "organisation", "1:9", "id=50 name=later"); /* the last one's height is reached */
    for (size_t i = 0; i < n; i++) market_call(of, MGC_OK, which[i], "open", NULL, 0, "11:2");
}

/* --- asking --------------------------------------------------------------------------------------------------- */

static struct ask ask_of(const char *chain, uint32_t contract, uint8_t last)
{
    struct ask a = {0};

    snprintf(a.chain, sizeof a.chain, "%s", chain);
    id_with(contract, last, a.id);
    return a;
}

/* From microgrid 1's money on trading to the vault. */
static struct ask deposit_of(uint8_t last, uint64_t amount)
{
    struct ask a = ask_of("scheduling", TILL, last);

    mgc_account_id(MGC_ACCOUNT_MONEY, 1, a.debit);
    id_with(VAULT, 1, a.target);
    a.amount = amount;
    a.expires_ms = m.now + 10000;
    return a;
}

static void call(mgc_status status, uint32_t contract, const char *method, const struct ask *a, const char *signer)
{
    market_call(&m, status, contract, method, a, sizeof *a, signer);
}

static int64_t balance(struct market *of, uint32_t contract)
{
    mgc_account_info a = {.struct_size = sizeof a};
    uint8_t id[16];

    id_with(contract, 1, id);
    ck_assert_int_eq(mgc_chain_get_account(mgc_node_chain(of->node, contract), id, &a), MGC_OK);
    return (int64_t)a.credits_posted - (int64_t)a.debits_posted - (int64_t)a.debits_pending;
}

static int64_t state_of(uint8_t last)
{
    char text[20];

    snprintf(text, sizeof text, "lock=%d", last);
    return market_cell(&m, 0, "lock", text, "state");
}

/* --- one store -------------------------------------------------------------------------------------------------- */

START_TEST(locked_here_credited_there) /* faults 70 */
{
    static const uint32_t which[] = {TILL, VAULT, THIEF};
    struct ask a, b;

    open_market(&m, which, 3);
    a = deposit_of(1, 5000);
    call(MGC_E_FORBIDDEN, TILL, "lock", &a, "12:2"); /* whose money it is did not sign */
    b = a;
    id_with(VAULT, 1, b.id);
    call(MGC_E_FORBIDDEN, TILL, "lock", &b, "11:2"); /* another contract's number */
    b = a;
    mgc_account_id(MGC_ACCOUNT_BANK, 0, b.debit);
    call(MGC_E_FORBIDDEN, TILL, "lock", &b, "11:2"); /* the market's account */
    b = a;
    snprintf(b.chain, sizeof b.chain, "trading");
    call(MGC_E_INVALID_ARG, TILL, "lock", &b, "11:2"); /* for its own chain */
    snprintf(b.chain, sizeof b.chain, "nobody");
    call(MGC_E_NOT_FOUND, TILL, "lock", &b, "11:2");
    b = a;
    b.amount = PURSE + 1;
    call(MGC_E_EXCEEDS_CREDIT, TILL, "lock", &b, "11:2");
    b = a;
    b.expires_ms = m.now;
    call(MGC_E_EXPIRED, TILL, "lock", &b, "11:2");
    call(MGC_OK, TILL, "lock", &a, "11:2");
    call(MGC_OK, TILL, "lock", &a, "11:2"); /* once more is the same */
    ck_assert_int_eq(state_of(1), MGC_LOCK_OPEN);
    ck_assert_uint_eq(market_pending(&m), 5000);

    b = ask_of("trading", TILL, 1);
    call(MGC_E_FORBIDDEN, THIEF, "credit", &b, "13:2"); /* it is for the vault's account */
    call(MGC_OK, THIEF, "credit-anyhow", &b, "13:2");   /* and nothing of it stays */
    ck_assert_int_eq(balance(&m, VAULT), 0);
    call(MGC_OK, VAULT, "credit", &b, "13:2"); /* anybody may bring it */
    ck_assert_int_eq(balance(&m, VAULT), 5000);
    call(MGC_E_ALREADY_CREDITED, VAULT, "credit", &b, "13:2");
    market_stop(&m);
    market_start(&m);
    call(MGC_E_ALREADY_CREDITED, VAULT, "credit", &b, "13:2");
    b = ask_of("trading", TILL, 2);
    call(MGC_E_NOT_FOUND, VAULT, "credit", &b, "13:2");
    b = ask_of("nobody", TILL, 1);
    call(MGC_E_NOT_FOUND, VAULT, "credit", &b, "13:2");
    call(MGC_E_FORBIDDEN, VAULT, "settle", &a, "13:2"); /* the till's */
    call(MGC_OK, TILL, "settle", &a, "11:2");
    ck_assert_int_eq(state_of(1), MGC_LOCK_CREDITED);
    call(MGC_E_STATE, TILL, "settle", &a, "11:2");
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), PURSE - 5000);
    ck_assert_uint_eq(market_pending(&m), 0);

    a = ask_of("trading", VAULT, 9); /* and back, into another's money */
    id_with(VAULT, 1, a.debit);
    mgc_account_id(MGC_ACCOUNT_MONEY, 2, a.target);
    a.amount = 1200;
    a.expires_ms = m.now + 10000;
    call(MGC_OK, VAULT, "lock", &a, "13:2");
    b = ask_of("scheduling", VAULT, 9);
    call(MGC_OK, TILL, "credit", &b, "13:2");
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 2), PURSE + 1200);
    ck_assert_int_eq(balance(&m, VAULT), 3800);
    market_stop(&m);
    ck_assert_msg(market_verify(&m) == MGC_OK, "%s", mgc_ctx_error(m.ctx));
    market_close(&m);
}
END_TEST

/* What nobody credits before its time comes back by itself, and can be credited no more. */
START_TEST(what_is_late_returns) /* faults 70 */
{
    static const uint32_t which[] = {TILL, VAULT};
    struct ask a, b = ask_of("trading", TILL, 1);

    open_market(&m, which, 2);
    a = deposit_of(1, 7000);
    call(MGC_OK, TILL, "lock", &a, "11:2");
    call(MGC_E_EARLY, TILL, "settle", &a, "11:2"); /* it may still be credited */
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), PURSE);
    market_at(&m, a.expires_ms);
    call(MGC_E_EXPIRED, VAULT, "credit", &b, "13:2"); /* its chain has passed the time */
    market_expect(&m, MGC_OK, TRADE, "deposit", "microgrid=3 amount_micro=1 reference=x", "2:5");
    ck_assert_int_eq(state_of(1), MGC_LOCK_RETURNED);
    ck_assert_uint_eq(market_pending(&m), 0);
    call(MGC_E_EXPIRED, VAULT, "credit", &b, "13:2");
    a = deposit_of(2, PURSE); /* all of it is free again */
    call(MGC_OK, TILL, "lock", &a, "11:2");
    ck_assert_int_eq(balance(&m, VAULT), 0);
    market_stop(&m);
    ck_assert_msg(market_verify(&m) == MGC_OK, "%s", mgc_ctx_error(m.ctx));
    market_close(&m);
}
END_TEST

/* Each runs at its home, is told the slots there, and a node without the code of one stops. */
START_TEST(a_contract_runs_at_home)
{
    static const uint32_t which[] = {TILL, VAULT, NOTARY};

    open_market(&m, which, 3);
    slots_told = 0;
    market_at(&m, GATE);
    for (int i = 0; i < 2; i++) {
        market_expectf(&m, MGC_OK, INFO, "organisation", "1:9", "id=%d name=o%d", 60 + i, i);
        market_expectf(&m, MGC_OK, TRADE, "deposit", "2:5", "microgrid=1 amount_micro=1 reference=x%d", i);
        call(MGC_E_NOT_FOUND, VAULT, "settle", &(struct ask){.id = {2, 0, 0, 110}}, "11:2");
    }
    ck_assert_uint_eq(slots_told, 3 * SLOTS);
    market_stop(&m);
    m.n_hosts = 1;
    mgc_node_opts opts;
    mgc_node *node;
    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.key = m.key;
    opts.chain = NULL;
    ck_assert_int_eq(mgc_node_create(m.ctx, &opts, &node), MGC_OK);
    ck_assert_int_eq(mgc_node_set_storage(node, &disk_ops, &m.disk), MGC_OK);
    m.hosts[1].id = MGC_CONTRACT_HOST_END;
    ck_assert_int_eq(mgc_node_add_contract(node, &m.hosts[1], NULL), MGC_E_RANGE);
    ck_assert_int_eq(mgc_node_add_contract(node, &m.hosts[0], NULL), MGC_OK);
    ck_assert_int_eq(mgc_node_start(node), MGC_E_UNSUPPORTED);
    mgc_node_destroy(node);
    market_close(&m);
}
END_TEST

/* --- power cuts ------------------------------------------------------------------------------------------------- */

/* Hand in and build; where the power goes, start again and hand in what may be lost. */
static void through(uint32_t contract, const char *method, const struct ask *a, const char *signer)
{
    uint64_t ticket = market_send_raw(&m, contract, method, a, sizeof *a, signer);

    for (int tries = 0; mgc_node_flush(m.node, m.now) != MGC_OK; tries++) {
        ck_assert_msg(m.disk.dead && tries < 2, "%s", mgc_ctx_error(m.ctx));
        market_power_cut(&m);
        ck_assert_int_eq(mgc_node_submit(m.node, m.last, m.last_len, &ticket), MGC_OK);
    }
    m.info.struct_size = sizeof m.info;
    ck_assert_int_eq(mgc_ticket_state(m.node, ticket, &m.info), MGC_OK);
    ck_assert_msg(m.info.status == MGC_OK || m.info.status == MGC_E_DUPLICATE_TXID, "%s: %s", method, m.info.rule);
    market_check_sums(&m);
}

/* One is locked, credited, settled; one is locked and returns.  At every moment what is free, pending here or credited
 * there is all there ever was. */
static void story(void)
{
    struct ask one = deposit_of(1, 5000), two = deposit_of(2, 7000), b = ask_of("trading", TILL, 1);
    uint64_t expires = two.expires_ms;

    through(TILL, "lock", &one, "11:2");
    through(TILL, "lock", &two, "11:2");
    through(VAULT, "credit", &b, "13:2");
    ck_assert_int_eq(balance(&m, VAULT), 5000);
    through(TILL, "settle", &one, "11:2");
    market_at(&m, expires);
    through(VAULT, "open", &b, "13:2");
    through(TILL, "open", &b, "13:2");
    ck_assert_int_eq(state_of(1), MGC_LOCK_CREDITED);
    ck_assert_int_eq(state_of(2), MGC_LOCK_RETURNED);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), PURSE - 5000);
    ck_assert_int_eq(balance(&m, VAULT), 5000);
    ck_assert_uint_eq(market_pending(&m), 0);
}

START_TEST(power_cuts_between_lock_and_credit) /* faults 70, 84, 85 */
{
    static const uint32_t which[] = {TILL, VAULT};
    static struct market ready;
    long calls;
    uint8_t want[MARKET_DIGEST], got[MARKET_DIGEST];

    open_market(&m, which, 2);
    market_stop(&m);
    ready = m;
    disk_copy(&ready.disk, &m.disk);
    market_start(&m);
    calls = m.disk.calls;
    story();
    calls = m.disk.calls - calls;
    market_digest(&m, want);
    ck_assert_int_gt(calls, 20);
    for (long k = 0; k < calls; k++) {
        market_stop(&m);
        disk_free(&m.disk);
        m = ready; /* the keys are shared */
        disk_copy(&m.disk, &ready.disk);
        mgc__rng_seed(&m.rng, (uint64_t)k);
        market_start(&m);
        m.disk.fault_at = m.disk.calls + k;
        m.disk.fault = MGC_E_IO;
        m.disk.die = true;
        story();
        m.disk.fault_at = -1; /* where the story ended before it, or with it */
        m.disk.dead = m.disk.die = false;
        market_digest(&m, got);
        ck_assert_msg(memcmp(want, got, sizeof want) == 0, "cut at call %ld: another history", k);
    }
    disk_free(&ready.disk);
    market_stop(&m);
    ck_assert_msg(market_verify(&m) == MGC_OK, "%s", mgc_ctx_error(m.ctx));
    market_close(&m);
}
END_TEST

/* --- two stores ------------------------------------------------------------------------------------------------- */

static struct market elsewhere;

struct proved {
    struct ask ask;
    uint8_t bytes[PROOF_MAX];
};

static struct proved given;

static void with_proof(struct market *of, mgc_status status, const char *method, const char *signer)
{
    market_call(of, status, TILL, method, &given, sizeof given.ask + given.ask.proof_len, signer);
}

static void chain_id_of(struct market *of, uint8_t id[32])
{
    mgc_chain_info info = {.struct_size = sizeof info};

    ck_assert_int_eq(mgc_chain_get_info(mgc_node_chain(of->node, TILL), &info), MGC_OK);
    memcpy(id, info.chain_id, 32);
}

static void prove_lock(void)
{
    size_t len;
    mgc_status st = mgc_chain_prove_receipt(mgc_node_chain(m.node, TILL), m.info.height, m.info.index, given.bytes, PROOF_MAX, &len);

    ck_assert_msg(st == MGC_OK, "%s", mgc_ctx_error(m.ctx));
    given.ask.proof_len = len;
}

/* That the other store credited a lock of this one, or that it did not. */
static void prove_credit(uint8_t last)
{
    uint8_t key[49] = {10};
    size_t len;

    chain_id_of(&m, key + 1);
    id_with(TILL, last, key + 33);
    ck_assert_int_eq(mgc_chain_prove_key(mgc_node_chain(elsewhere.node, TILL), key, sizeof key, given.bytes, PROOF_MAX, &len), MGC_OK);
    given.ask = ask_of("", TILL, last);
    given.ask.proof_len = len;
}

static void lock_for_elsewhere(uint8_t last, uint64_t amount)
{
    struct ask a = deposit_of(last, amount);

    a.chain[0] = '\0';
    chain_id_of(&elsewhere, a.chain_id);
    id_with(TILL, 1, a.target);
    call(MGC_OK, TILL, "lock", &a, "11:2");
    given.ask = ask_of("", TILL, last);
    chain_id_of(&m, given.ask.chain_id);
    prove_lock();
}

START_TEST(another_store_credits_by_proof) /* faults 70 */
{
    static const uint32_t which[] = {TILL};
    const uint64_t day = 86400000;

    m.nonce = 1;
    elsewhere.nonce = 2;
    open_market(&m, which, 1);
    open_market(&elsewhere, which, 1);
    lock_for_elsewhere(1, 4000);
    given.bytes[given.ask.proof_len - 1] ^= 1;
    with_proof(&elsewhere, MGC_E_BAD_PROOF, "credit-proof", "13:2");
    given.bytes[given.ask.proof_len - 1] ^= 1;
    with_proof(&elsewhere, MGC_E_CONTRACT, "many-proofs", "13:2"); /* metered by what verifying costs */
    ck_assert_int_eq(balance(&elsewhere, TILL), 0);
    with_proof(&elsewhere, MGC_OK, "credit-proof", "13:2");
    ck_assert_int_eq(balance(&elsewhere, TILL), 4000);
    with_proof(&elsewhere, MGC_E_ALREADY_CREDITED, "credit-proof", "13:2");
    with_proof(&m, MGC_E_WRONG_CHAIN, "credit-proof", "13:2"); /* it is for the other one */
    call(MGC_E_STATE, TILL, "settle", &given.ask, "11:2");      /* which is not of this store */
    lock_for_elsewhere(2, 900); /* nobody brings it there */
    market_at(&elsewhere, (m.now / day + 1) * day); /* the day closes there */
    market_expect(&elsewhere, MGC_OK, TRADE, "deposit", "microgrid=3 amount_micro=1 reference=x", "2:5");
    with_proof(&elsewhere, MGC_E_EXPIRED, "credit-proof", "13:2");
    prove_credit(2);
    given.ask.id[15] = 1;
    with_proof(&m, MGC_E_BAD_PROOF, "settle-proof", "11:2"); /* about another lock */
    given.ask.id[15] = 2;
    with_proof(&m, MGC_OK, "settle-proof", "13:2"); /* returned */
    prove_credit(1);
    with_proof(&m, MGC_OK, "settle-proof", "13:2"); /* posted */
    ck_assert_int_eq(state_of(1), MGC_LOCK_CREDITED);
    ck_assert_int_eq(state_of(2), MGC_LOCK_RETURNED);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), PURSE - 4000);
    ck_assert_uint_eq(market_pending(&m), 0);
    market_stop(&m);
    market_stop(&elsewhere);
    ck_assert_msg(market_verify(&m) == MGC_OK, "%s", mgc_ctx_error(m.ctx));
    ck_assert_msg(market_verify(&elsewhere) == MGC_OK, "%s", mgc_ctx_error(elsewhere.ctx));
    market_close(&m);
    market_close(&elsewhere);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("contract-bridge");
    TCase *t = market_case(s, "one store", 3);

    tcase_add_test(t, locked_here_credited_there);
    tcase_add_test(t, what_is_late_returns);
    tcase_add_test(t, a_contract_runs_at_home);
    tcase_add_test(t, power_cuts_between_lock_and_credit);
    tcase_add_test(market_case(s, "two stores of one chain", 1), another_store_credits_by_proof);
    tcase_add_test(market_case(s, "two stores of three", 3), another_store_credits_by_proof);
    return market_run(s);
}
