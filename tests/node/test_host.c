/* SPDX-License-Identifier: Apache-2.0 */
/* A host's own contract: what it can do, and that it can do nothing else. */
#include "market.h"

enum { OWN = MGC_CONTRACT_HOST + 3, INFO = MGC_CONTRACT_INFORMATION, TRADE = MGC_CONTRACT_TRADING };

static struct market m;
static uint64_t slots_told, last_slot;

static void own_id(uint32_t contract, uint8_t last, uint8_t id[16])
{
    memset(id, 0, 16);
    id[2] = (uint8_t)(contract >> 8);
    id[3] = (uint8_t)contract;
    id[15] = last;
}

/* Takes a fee of 100 from microgrid 1's money into an account of its own. */
static mgc_status take_fee(mgc_env *env, uint32_t account_contract, uint32_t transfer_contract, uint8_t number)
{
    mgc_account_info account = {.struct_size = sizeof account, .unit = MGC_UNIT_MICRO_CURRENCY, .code = 7};
    mgc_transfer_info transfer = {
        .struct_size = sizeof transfer, .unit = MGC_UNIT_MICRO_CURRENCY, .code = 9, .amount = 100};

    own_id(account_contract, 1, account.id);
    mgc_status st = mgc_env_open_account(env, &account);
    if (st != MGC_OK) return st;
    own_id(transfer_contract, number, transfer.id);
    mgc_account_id(MGC_ACCOUNT_MONEY, 1, transfer.debit_account);
    memcpy(transfer.credit_account, account.id, 16);
    return mgc_env_transfer(env, &transfer);
}

static bool is(const mgc_call *call, const char *method)
{
    return call->method_len == strlen(method) && memcmp(call->method, method, call->method_len) == 0;
}

static int32_t act(mgc_env *env, const mgc_call *call)
{
    const uint8_t *value;
    size_t len;

    if (is(call, "count")) { /* a counter of its own */
        uint8_t n = mgc_env_get(env, (const uint8_t *)"n", 1, &value, &len) == MGC_OK ? value[0] : 0;
        n++;
        return mgc_env_put(env, (const uint8_t *)"n", 1, &n, 1);
    }
    if (is(call, "fee")) return take_fee(env, OWN, OWN, 1);
    if (is(call, "others-account")) return take_fee(env, INFO, OWN, 2);
    if (is(call, "others-transfer")) return take_fee(env, OWN, TRADE, 3);
    if (is(call, "endless"))
        for (;;) {
            mgc_status st = mgc_env_put(env, (const uint8_t *)"x", 1, (const uint8_t *)"y", 1);
            if (st != MGC_OK) return st;
        }
    if (is(call, "swallow")) { /* goes over the limit and claims success */
        for (int i = 0; i < 2 * MGC_CALLS_MAX; i++)
            if (mgc_env_put(env, (const uint8_t *)"n", 1, (const uint8_t *)"\x63", 1) != MGC_OK) break;
        return MGC_OK;
    }
    if (is(call, "long-key")) {
        static const uint8_t key[MGC_RECORD_KEY_MAX + 1];
        return mgc_env_put(env, key, sizeof key, key, 1);
    }
    return mgc_env_refuse(env, MGC_E_SCHEMA, "no such method");
}

static int32_t execute(void *user, mgc_env *env, const mgc_call *call)
{
    ck_assert_ptr_eq(user, &slots_told);
    if (is(call, "zero")) return 0;
    if (is(call, "seven")) return 7;
    if (is(call, "internal")) return MGC_E_INTERNAL;
    mgc_status st = act(env, call);
    return st == MGC_OK ? MGC_CB_DONE : st;
}

/* Refuses every second slot. */
static int32_t on_slot(void *user, mgc_env *env, uint64_t slot)
{
    uint8_t key[9] = {'s'};

    (void)user;
    slots_told++;
    last_slot = slot;
    key[8] = (uint8_t)slot;
    mgc_status st = mgc_env_put(env, key, sizeof key, key, sizeof key);
    if (st != MGC_OK) return st;
    return slot % 2 == 0 ? MGC_CB_DONE : mgc_env_refuse(env, MGC_E_RANGE, "odd");
}

static int32_t query(void *user, mgc_env *env, const mgc_query *q, mgc_rows *rows)
{
    const uint8_t *value, *key = NULL;
    size_t len, key_len = 0;
    uint8_t after[16];
    size_t after_len = 0;

    (void)user;
    if (strcmp(q->what, "own") != 0) return MGC_E_NOT_FOUND;
    mgc_status st = mgc_rows_begin(rows, "key value");
    while (st == MGC_OK && mgc_env_next(env, NULL, 0, after, after_len, &key, &key_len, &value, &len) == MGC_OK) {
        st = mgc_rows_put_hex(rows, key, key_len);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, value[0]);
        memcpy(after, key, key_len);
        after_len = key_len;
    }
    /* a question changes nothing */
    ck_assert_int_eq(mgc_env_put(env, (const uint8_t *)"q", 1, (const uint8_t *)"q", 1), MGC_E_STATE);
    return st == MGC_OK ? MGC_CB_DONE : st;
}

static void open_market(uint32_t version)
{
    m.hosts[0] = (mgc_contract){.struct_size = sizeof(mgc_contract),
                            .version = 1,
                            .id = OWN,
                            .code_version = version,
                            .name = "own",
                            .execute = execute,
                            .on_slot = on_slot,
                            .query = query};
    memset(m.hosts[0].code_hash, 8, 32);
    m.host_users[0] = &slots_told;
    m.n_hosts = 1;
    slots_told = 0;
}

/* A transaction to the contract: no table of methods, no arguments. */
static void call(mgc_status status, const char *method, const char *signer)
{
    market_call(&m, status, OWN, method, NULL, 0, signer);
}

static void deploy(void)
{
    char text[200];

    snprintf(text, sizeof text, "id=%d version=1 code_hash=#8 activation_height=%" PRIu64 " name=own", OWN,
             market_height(&m, INFO) + 3);
    market_expect(&m, MGC_OK, INFO, "deploy", text, "1:9");
    call(MGC_E_NOT_FOUND, "count", "11:2"); /* not active yet */
}

static int64_t counter(void)
{
    mgc_rows *rows;
    const mgc_row *row;
    int64_t n = 0;

    ck_assert_int_eq(mgc_node_query(m.node, 0, "own", NULL, &rows), MGC_OK);
    while (mgc_rows_next(rows, &row) == MGC_ROW)
        if (strcmp(mgc_row_text(row, "key"), "6e") == 0) n = mgc_row_int(row, "value");
    mgc_rows_destroy(rows);
    return n;
}

START_TEST(does_what_it_may_and_nothing_else) /* faults 93 */
{
    open_market(1);
    market_open(&m);
    market_until(&m, STEP_NOMINATE);
    deploy();
    call(MGC_OK, "count", "11:2");
    call(MGC_OK, "count", "12:2");
    ck_assert_int_eq(counter(), 2);
    call(MGC_E_FORBIDDEN, "fee", "12:2"); /* whose money it is did not sign */
    call(MGC_OK, "fee", "11:2");
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), 300000000 - 100);
    call(MGC_E_FORBIDDEN, "others-account", "11:2");
    call(MGC_E_FORBIDDEN, "others-transfer", "11:2");
    call(MGC_E_CONTRACT, "endless", "11:2");
    call(MGC_E_CONTRACT, "swallow", "11:2");
    call(MGC_E_CONTRACT, "long-key", "11:2");
    call(MGC_E_CONTRACT, "zero", "11:2");
    call(MGC_E_CONTRACT, "seven", "11:2");
    call(MGC_E_CONTRACT, "internal", "11:2"); /* it cannot stop the node */
    call(MGC_E_SCHEMA, "unknown", "11:2");
    call(MGC_E_FORBIDDEN, "count", "11:5"); /* a role that the member has not */
    ck_assert_int_eq(counter(), 2);         /* all undone */
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), 300000000 - 100);
    market_close(&m);
}
END_TEST

START_TEST(is_told_every_slot_once)
{
    open_market(1);
    market_open(&m);
    market_until(&m, STEP_NOMINATE);
    deploy();
    call(MGC_OK, "count", "11:2");
    ck_assert_uint_eq(slots_told, 0);
    market_step(&m, STEP_ACKNOWLEDGE - 2); /* nominations */
    market_at(&m, GATE);
    call(MGC_OK, "count", "11:2");
    ck_assert_uint_eq(slots_told, SLOTS);
    ck_assert_uint_eq(last_slot, FIRST_SLOT + SLOTS - 1);
    market_at(&m, GATE + SLOTS * (uint64_t)HOUR);
    call(MGC_OK, "count", "11:2");
    ck_assert_uint_eq(slots_told, 2 * SLOTS);
    mgc_rows *rows;
    ck_assert_int_eq(mgc_node_query(m.node, 0, "own", NULL, &rows), MGC_OK);
    ck_assert_uint_eq(mgc_rows_count(rows), 1 + SLOTS); /* of the odd ones nothing is left */
    mgc_rows_destroy(rows);
    market_close(&m);
}
END_TEST

START_TEST(a_node_without_its_code_stops) /* faults 69 */
{
    mgc_ledger_opts opts;
    mgc_verify_info info = {.struct_size = sizeof info};
    mgc_node_opts node_opts;

    open_market(1);
    market_open(&m);
    market_until(&m, STEP_NOMINATE);
    deploy();
    call(MGC_OK, "count", "11:2");
    market_stop(&m);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &m.disk;
    void *user = &slots_told;
    ck_assert_int_eq(mgc_contract_verify(m.ctx, &opts, &m.hosts[0], &user, 1, &info), MGC_OK);
    ck_assert_int_eq(mgc_contract_verify(m.ctx, &opts, NULL, NULL, 0, &info), MGC_E_UNSUPPORTED);
    for (int with = 0; with < 2; with++) { /* without code; with another version */
        mgc_node_opts_init(&node_opts, sizeof node_opts);
        node_opts.id = 1;
        node_opts.key = m.key;
        ck_assert_int_eq(mgc_node_create(m.ctx, &node_opts, &m.node), MGC_OK);
        ck_assert_int_eq(mgc_node_set_storage(m.node, &disk_ops, &m.disk), MGC_OK);
        m.hosts[0].code_version = 2;
        if (with) ck_assert_int_eq(mgc_node_add_contract(m.node, &m.hosts[0], user), MGC_OK);
        ck_assert_int_eq(mgc_node_start(m.node), MGC_E_UNSUPPORTED);
        market_stop(&m);
    }
    m.hosts[0].code_version = 1;
    market_start(&m);
    call(MGC_OK, "count", "11:2");
    char text[100];
    snprintf(text, sizeof text, "id=%d height=100000", OWN);
    market_expect(&m, MGC_OK, INFO, "retire", text, "1:9");
    market_close(&m);
}
END_TEST

START_TEST(registration_is_checked)
{
    mgc_contract c;
    mgc_node *node;
    mgc_node_opts opts;

    open_market(1);
    m.n_hosts = 0;
    market_open(&m);
    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.key = m.key;
    ck_assert_int_eq(mgc_node_create(m.ctx, &opts, &node), MGC_OK);
    c = m.hosts[0];
    c.id = MGC_CONTRACT_TRADING;
    ck_assert_int_eq(mgc_node_add_contract(node, &c, NULL), MGC_E_RANGE);
    c = m.hosts[0];
    c.execute = NULL;
    ck_assert_int_eq(mgc_node_add_contract(node, &c, NULL), MGC_E_INVALID_ARG);
    c = m.hosts[0];
    c.version = 2;
    ck_assert_int_eq(mgc_node_add_contract(node, &c, NULL), MGC_E_VERSION);
    c = m.hosts[0];
    c.struct_size = 8;
    ck_assert_int_eq(mgc_node_add_contract(node, &c, NULL), MGC_E_ABI_SIZE);
    ck_assert_int_eq(mgc_node_add_contract(node, &m.hosts[0], NULL), MGC_OK);
    ck_assert_int_eq(mgc_node_add_contract(node, &m.hosts[0], NULL), MGC_E_EXISTS);
    ck_assert_int_eq(mgc_node_start(node), MGC_E_STATE); /* no storage */
    ck_assert_int_eq(mgc_node_step(node, 1, NULL), MGC_E_STATE);
    mgc_node_destroy(node);
    ck_assert_int_eq(mgc_node_add_contract(m.node, &m.hosts[0], NULL), MGC_E_STATE); /* started */
    market_close(&m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("node-host");
    TCase *t = market_case(s, "host", 1);

    tcase_add_test(t, does_what_it_may_and_nothing_else);
    tcase_add_test(t, is_told_every_slot_once);
    tcase_add_test(t, a_node_without_its_code_stops);
    tcase_add_test(t, registration_is_checked);
    return market_run(s);
}
