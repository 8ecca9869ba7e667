/* SPDX-License-Identifier: Apache-2.0 */
/* The life of contracts: who may found a market; a host's contract deployed, upgraded at a height, retired; what a
 * version is.  The host's contract here is the example of one: a notice board with a price for each notice. */
#include "../node/market.h"

enum { BOARD = MGC_CONTRACT_HOST + 7, INFO = MGC_CONTRACT_INFORMATION, NOTICE_PRICE = 250 };

static struct market m;

/* --- the notice board ----------------------------------------------------------------------------------
 *
 * Version 1: "post" keeps the arguments as the next notice and takes NOTICE_PRICE from microgrid 1, whose manager must
 * sign.  Version 2 knows "withdraw" too: the last notice goes, its price stays.  Records: "n" how many; "p" number, a
 * notice.  Account: contract's number, 1. */

static bool is(const mgc_call *call, const char *method)
{
    return call->method_len == strlen(method) && memcmp(call->method, method, call->method_len) == 0;
}

static uint8_t notices(mgc_env *env)
{
    const uint8_t *value;
    size_t len;

    return mgc_env_get(env, (const uint8_t *)"n", 1, &value, &len) == MGC_OK ? value[0] : 0;
}

static mgc_status take_price(mgc_env *env, uint8_t number)
{
    mgc_account_info account = {.struct_size = sizeof account, .unit = MGC_UNIT_MICRO_CURRENCY, .code = 1};
    mgc_transfer_info t = {
        .struct_size = sizeof t, .unit = MGC_UNIT_MICRO_CURRENCY, .code = 1, .amount = NOTICE_PRICE};
    mgc_status st;

    account.id[3] = t.id[3] = BOARD;
    account.id[15] = 1;
    t.id[15] = number;
    st = mgc_env_open_account(env, &account);
    mgc_account_id(MGC_ACCOUNT_MONEY, 1, t.debit_account);
    memcpy(t.credit_account, account.id, 16);
    return st != MGC_OK ? st : mgc_env_transfer(env, &t);
}

static mgc_status post(mgc_env *env, const mgc_call *call)
{
    uint8_t n = (uint8_t)(notices(env) + 1), key[2] = {'p', n};
    mgc_status st = take_price(env, n);

    if (st == MGC_OK) st = mgc_env_put(env, key, 2, call->arguments, call->arguments_len);
    return st != MGC_OK ? st : mgc_env_put(env, (const uint8_t *)"n", 1, &n, 1);
}

static mgc_status withdraw(mgc_env *env)
{
    uint8_t n = notices(env), key[2] = {'p', n};
    mgc_status st;

    if (n == 0) return mgc_env_refuse(env, MGC_E_NOT_FOUND, "the board is empty");
    st = mgc_env_remove(env, key, 2);
    n--;
    return st != MGC_OK ? st : mgc_env_put(env, (const uint8_t *)"n", 1, &n, 1);
}

static int32_t board(void *user, mgc_env *env, const mgc_call *call)
{
    const int *version = user;
    mgc_status st;

    if (is(call, "post"))
        st = post(env, call);
    else if (is(call, "withdraw") && *version == 2)
        st = withdraw(env);
    else if (is(call, "endless"))
        for (st = MGC_OK; st == MGC_OK;) st = mgc_env_put(env, (const uint8_t *)"n", 1, (const uint8_t *)"x", 1);
    else if (is(call, "again")) /* row 93, recursion: nothing of the node can be called from inside */
        st = mgc_node_flush(m.node, m.now + 1000) == MGC_OK ? MGC_OK : MGC_E_STATE;
    else
        st = mgc_env_refuse(env, MGC_E_SCHEMA, "the board knows no such act");
    return st == MGC_OK ? MGC_CB_DONE : st;
}

static int32_t ask(void *user, mgc_env *env, const mgc_query *query, mgc_rows *rows)
{
    mgc_status st;

    if (strcmp(query->what, "board") != 0) return MGC_E_NOT_FOUND;
    st = mgc_rows_begin(rows, "version notices");
    if (st == MGC_OK) st = mgc_rows_put_int(rows, *(const int *)user);
    if (st == MGC_OK) st = mgc_rows_put_int(rows, notices(env));
    return st == MGC_OK ? MGC_CB_DONE : st;
}

static uint64_t told[3];

static int32_t on_slot(void *user, mgc_env *env, uint64_t slot)
{
    (void)env;
    (void)slot;
    told[*(const int *)user]++;
    return MGC_CB_DONE;
}

static int one = 1, two = 2;

static mgc_contract board_of(uint32_t version)
{
    mgc_contract c = {.struct_size = sizeof c,
                      .version = 1,
                      .id = BOARD,
                      .code_version = version,
                      .name = "board",
                      .execute = board,
                      .on_slot = on_slot,
                      .query = ask};

    memset(c.code_hash, (int)(20 + version), 32);
    return c;
}

/* --- help ------------------------------------------------------------------------------------------------- */

static uint64_t height(void)
{
    return market_height(&m, INFO);
}

/* A transaction of microgrid 1's manager to the board. */
static void call(mgc_status status, const char *method)
{
    market_call(&m, status, BOARD, method, "a notice  ", 10, "11:2");
}

static int64_t asked(const char *what, const char *column)
{
    mgc_rows *rows;
    const mgc_row *row;
    int64_t value = -1;

    if (mgc_node_query(m.node, 0, what, NULL, &rows) != MGC_OK) return -1;
    if (mgc_rows_next(rows, &row) == MGC_ROW) value = mgc_row_int(row, column);
    mgc_rows_destroy(rows);
    return value;
}

static void deploy(mgc_status status, int version, uint64_t from)
{
    char text[200];

    snprintf(text, sizeof text, "id=%d version=%d code_hash=#%d activation_height=%" PRIu64 " name=board", BOARD,
             version, 20 + version, from);
    market_expect(&m, status, INFO, "deploy", text, "1:9");
}

static void retire(mgc_status status, uint64_t at)
{
    char text[100];

    snprintf(text, sizeof text, "id=%d height=%" PRIu64, BOARD, at);
    market_expect(&m, status, INFO, "retire", text, "1:9");
}

/* Start the node on the disk as it is, with these versions of the board. */
static mgc_status start(bool with_one, bool with_two)
{
    mgc_contract first = board_of(1), second = board_of(2);
    mgc_node_opts opts;

    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.key = m.key;
    opts.genesis_time_ms = MORNING - 1000;
    opts.block_interval_ms = 0;
    opts.segment_bytes = 65536;
    ck_assert_int_eq(mgc_node_create(m.ctx, &opts, &m.node), MGC_OK);
    ck_assert_int_eq(mgc_node_set_storage(m.node, &disk_ops, &m.disk), MGC_OK);
    if (with_two) ck_assert_int_eq(mgc_node_add_contract(m.node, &second, &two), MGC_OK); /* in any order */
    if (with_one) ck_assert_int_eq(mgc_node_add_contract(m.node, &first, &one), MGC_OK);
    if (with_one) ck_assert_int_eq(mgc_node_add_contract(m.node, &first, &one), MGC_E_EXISTS);
    return mgc_node_start(m.node);
}

static void empty_blocks(int n)
{
    for (int i = 0; i < n; i++)
        market_expect(&m, MGC_OK, MGC_CONTRACT_TRADING, "deposit", "microgrid=1 amount_micro=1 reference=x", "2:5");
}

/* --- tests -------------------------------------------------------------------------------------------------- */

START_TEST(only_a_validator_of_the_genesis_founds)
{
    const char *arguments = "name=x currency=EUR slot_ms=3600000 gate_ms=0 gate_slots=1 window_ms=0 collateral_bp=0 "
                            "pending_blocks=1 first_slot=1 administrator=@1";

    market_open(&m);
    market_expect(&m, MGC_E_MISSING_SIGNER, INFO, "found", arguments, "1:9");      /* came first, is nobody */
    market_expect(&m, MGC_E_MISSING_SIGNER, INFO, "found", arguments, "1:9 77:8"); /* a self-made validator */
    market_expect(&m, MGC_E_MISSING_SIGNER, INFO, "found", arguments, "5:8");      /* not the administrator */
    market_expect(&m, MGC_E_MISSING_SIGNER, INFO, "found", arguments, "1:9 5:1");  /* in another role */
    market_expect(&m, MGC_E_MISSING_SIGNER, INFO, "found", arguments, "1:9 5:8 77:1");
    market_expect(&m, MGC_OK, INFO, "found", arguments, "1:9 5:8");
    market_expect(&m, MGC_E_EXISTS, INFO, "found", arguments, "1:9 5:8");
    market_close(&m);
}
END_TEST

START_TEST(deployed_upgraded_retired) /* faults 69, 93 */
{
    uint64_t h;

    market_open(&m);
    market_until(&m, STEP_NOMINATE);
    deploy(MGC_E_HEIGHT, 1, height() + 1); /* not in its own block */
    market_stop(&m);
    ck_assert_int_eq(start(true, true), MGC_OK);
    h = height();
    deploy(MGC_OK, 1, h + 3);
    call(MGC_E_NOT_FOUND, "post");
    ck_assert_uint_eq(height(), h + 2);
    call(MGC_OK, "post");
    call(MGC_E_SCHEMA, "withdraw");
    ck_assert_int_eq(asked("board", "version"), 1);
    deploy(MGC_E_EXISTS, 1, height() + 10); /* a version counts up */
    h = height();
    deploy(MGC_OK, 2, h + 4);
    deploy(MGC_E_STATE, 3, h + 20); /* one upgrade at a time */
    call(MGC_OK, "post");           /* the version at hand works until the other is active */
    ck_assert_int_eq(asked("board", "version"), 1);
    ck_assert_uint_eq(height(), h + 3);
    call(MGC_OK, "withdraw"); /* and from that height on the other */
    ck_assert_int_eq(asked("board", "version"), 2);
    ck_assert_int_eq(asked("board", "notices"), 1);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), 300000000 - 2 * NOTICE_PRICE);
    call(MGC_E_STATE, "again"); /* the block is open: the node refuses to be called from inside */
    call(MGC_OK, "post");
    memset(told, 0, sizeof told);
    market_at(&m, GATE);
    empty_blocks(1);
    ck_assert_uint_eq(told[1], 0);
    ck_assert_uint_eq(told[2], SLOTS); /* only the active version is told */
    h = height();
    retire(MGC_E_HEIGHT, h + 1);
    retire(MGC_OK, h + 5);
    retire(MGC_E_EXISTS, h + 6);
    deploy(MGC_E_STATE, 3, h + 10);
    ck_assert_uint_eq(height(), h + 4);
    call(MGC_E_NOT_FOUND, "post");
    ck_assert_int_eq(asked("board", "version"), -1);
    deploy(MGC_OK, 3, height() + 100); /* begun anew later, after its retirement */
    market_stop(&m);

    m.hosts[0] = board_of(1);
    m.hosts[1] = board_of(2);
    m.host_users[0] = &one;
    m.host_users[1] = &two;
    m.n_hosts = 2;
    ck_assert_int_eq(market_verify(&m), MGC_OK);
    m.n_hosts = 1;
    ck_assert_int_eq(market_verify(&m), MGC_E_UNSUPPORTED);
    m.n_hosts = 0;
    market_close(&m);
}
END_TEST

START_TEST(a_node_without_the_upgrade_stops_before_it) /* faults 69 */
{
    uint64_t h, ticket;
    mgc_node_info info = {.struct_size = sizeof info};

    market_open(&m);
    market_until(&m, STEP_NOMINATE);
    market_stop(&m);
    ck_assert_int_eq(start(true, false), MGC_OK);
    h = height();
    deploy(MGC_OK, 1, h + 2);
    call(MGC_OK, "post");
    h = height();
    deploy(MGC_OK, 2, h + 4);
    empty_blocks(2);
    ck_assert_uint_eq(height(), h + 3);
    ticket = market_send(&m, MGC_CONTRACT_TRADING, "deposit", "microgrid=1 amount_micro=1 reference=x", "2:5");
    ck_assert_int_eq(mgc_node_flush(m.node, m.now), MGC_E_UNSUPPORTED); /* not one block further */
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(m.ctx), "version 2"));
    ck_assert_int_eq(mgc_node_get_info(m.node, &info), MGC_OK);
    ck_assert_uint_eq(info.height, h + 3);
    ck_assert_uint_eq(info.waiting, 1); /* and nothing is lost */
    (void)ticket;
    market_stop(&m);
    ck_assert_int_eq(start(true, false), MGC_E_UNSUPPORTED);
    market_stop(&m);
    ck_assert_int_eq(start(false, true), MGC_OK); /* the old code is not needed any more */
    call(MGC_OK, "withdraw");
    market_close(&m);
}
END_TEST

/* Over the limit: nothing of it is left, but the fee is taken; the block and all others in it stand. */
START_TEST(the_fee_is_kept) /* faults 93 */
{
    int64_t money, network;
    uint64_t h;

    market_open(&m);
    market_until(&m, STEP_NOMINATE);
    market_stop(&m);
    ck_assert_int_eq(start(true, false), MGC_OK);
    market_expect(&m, MGC_OK, INFO, "member", "id=6 organisation=1 name=r2 roles=64 key=@6 from_height=0", "1:9");
    market_expect(&m, MGC_OK, MGC_CONTRACT_SUPERVISION, "act", "kind=1 subject=11 value=7 reason=fees", "4:6 6:6");
    h = height();
    deploy(MGC_OK, 1, h + 2);
    money = market_balance(&m, MGC_ACCOUNT_MONEY, 1);
    network = market_balance(&m, MGC_ACCOUNT_NETWORK, 0);
    call(MGC_OK, "post");
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), money - NOTICE_PRICE - 7);
    call(MGC_E_CONTRACT, "endless");
    ck_assert_int_eq(asked("board", "notices"), 1);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), money - NOTICE_PRICE - 7 - 7 * (MGC_CALLS_MAX / 1000 + 1));
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_NETWORK, 0), network + 14 + 7 * (MGC_CALLS_MAX / 1000));
    market_stop(&m);
    m.hosts[0] = board_of(1);
    m.host_users[0] = &one;
    m.n_hosts = 1;
    ck_assert_int_eq(market_verify(&m), MGC_OK);
    m.n_hosts = 0;
    market_close(&m);
}
END_TEST

START_TEST(built_in_contracts_have_a_hash)
{
    mgc_rows *rows;
    const mgc_row *row;
    char seen[16][65];
    size_t n = 0;
    uint8_t a[32], b[32];

    market_open(&m);
    ck_assert_int_eq(mgc_node_query(m.node, 0, "contracts", NULL, &rows), MGC_OK);
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        snprintf(seen[n], sizeof seen[n], "%s", mgc_row_text(row, "code_hash"));
        ck_assert_uint_eq(strlen(seen[n]), 64);
        ck_assert_uint_ne(strspn(seen[n], "0"), 64);
        for (size_t i = 0; i < n; i++) ck_assert_str_ne(seen[i], seen[n]);
        n++;
    }
    ck_assert_uint_ge(n, 4);
    mgc_rows_destroy(rows);
    mgc__code_hash(MGC_CONTRACT_TRADING, 1, "trading", a); /* a version is part of it */
    mgc__code_hash(MGC_CONTRACT_TRADING, 2, "trading", b);
    ck_assert_int_ne(memcmp(a, b, 32), 0);
    market_close(&m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("contract-life");
    TCase *t = market_case(s, "life", 1);

    tcase_add_test(t, only_a_validator_of_the_genesis_founds);
    tcase_add_test(t, deployed_upgraded_retired);
    tcase_add_test(t, a_node_without_the_upgrade_stops_before_it);
    tcase_add_test(t, the_fee_is_kept);
    tcase_add_test(t, built_in_contracts_have_a_hash);
    return market_run(s);
}
