/* SPDX-License-Identifier: Apache-2.0 */
/* Each allocation, each storage call, each signature and each call of a host's contract fails once, in a day that uses
 * supervision, a key given anew by administrators, a meter's exchange, the auction, credit, carbon accounts, certificates of origin and a host's contract.
 *
 * The day is recorded once, a transaction a block, and done again from a stored beginning.  Of every call of the node the first
 * thing that can fail fails, then the second, until the call is through without: what failed left nothing behind, and the chain
 * ends in the very bytes that were recorded. */
#include "../node/market.h"
#include "ledger/block.h"

enum {
    INFO = MGC_CONTRACT_INFORMATION,
    TRADE = MGC_CONTRACT_TRADING,
    SETTLE = MGC_CONTRACT_SETTLEMENT,
    WATCH = MGC_CONTRACT_SUPERVISION,
    CREDIT = MGC_CONTRACT_CREDIT,
    OWN = MGC_CONTRACT_HOST + 1,
    REVEAL = 600000,
    LAST = FIRST_SLOT + SLOTS - 1
};

static struct market m;

/* --- a host's contract that fails when it is told to --------------------------------------------------------------- */

static long host_calls, host_fault = -1;

static int32_t host_answer(void)
{
    return host_calls++ == host_fault ? MGC_E_NO_MEMORY : MGC_CB_DONE;
}

static int32_t host_check(void *user, mgc_env *env, const mgc_call *call)
{
    (void)user;
    (void)env;
    (void)call;
    return host_answer();
}

/* Fails, if at all, after it has written. */
static int32_t host_execute(void *user, mgc_env *env, const mgc_call *call)
{
    (void)user;
    mgc_status st = mgc_env_put(env, (const uint8_t *)"m", 1, (const uint8_t *)call->method, call->method_len);
    if (st == MGC_OK) st = mgc_env_emit(env, "called", (const uint8_t *)call->method, call->method_len);
    return st != MGC_OK ? st : host_answer();
}

static int32_t host_on_slot(void *user, mgc_env *env, uint64_t slot)
{
    uint8_t key[9] = {'s'};

    (void)user;
    mgc__put_be64(key + 1, slot);
    mgc_status st = mgc_env_put(env, key, sizeof key, key, sizeof key);
    return st != MGC_OK ? st : host_answer();
}

static int32_t host_query(void *user, mgc_env *env, const mgc_query *query, mgc_rows *rows)
{
    const uint8_t *value;
    size_t len = 0;

    (void)user;
    if (strcmp(query->what, "own") != 0) return MGC_E_NOT_FOUND;
    mgc_status st = mgc_rows_begin(rows, "method");
    if (st == MGC_OK && mgc_env_get(env, (const uint8_t *)"m", 1, &value, &len) == MGC_OK)
        st = mgc_rows_put_text(rows, (const char *)value, len);
    return st != MGC_OK ? st : host_answer();
}

static mgc_contract host(void)
{
    mgc_contract c = {.struct_size = sizeof c,
                      .version = 1,
                      .id = OWN,
                      .code_version = 1,
                      .name = "own",
                      .check = host_check,
                      .execute = host_execute,
                      .on_slot = host_on_slot,
                      .query = host_query};
    memset(c.code_hash, 9, 32);
    return c;
}

/* --- the day ---------------------------------------------------------------------------------------------------- */

#define must(contract, method, signers, ...) market_expectf(&m, MGC_OK, contract, method, signers, __VA_ARGS__)

static void bid(uint32_t microgrid, int sells, uint64_t wh, int64_t price)
{
    uint8_t hash[32];
    char signer[16];

    snprintf(signer, sizeof signer, "%u:2", MANAGER + microgrid);
    market_bid_hash(microgrid, FIRST_SLOT, 1, sells, wh, price, hash);
    must(TRADE, "bid", signer, "microgrid=%u slot=%d carrier=1 hash=%s deposit_micro=100000", microgrid, FIRST_SLOT,
         market_hex(hash, 32));
}

static void reveal(uint32_t microgrid, int number, int sells, uint64_t wh, int64_t price)
{
    char signer[16];

    snprintf(signer, sizeof signer, "%u:2", MANAGER + microgrid);
    must(TRADE, "reveal", signer, "slot=%d carrier=1 bid=%d salt=#%u sells=%d wh=%" PRIu64 " price=%" PRId64, FIRST_SLOT,
         number, microgrid, sells, wh, price);
}

static void supervise(void)
{
    must(INFO, "member", "1:9", "id=6 organisation=1 name=r2 roles=64 key=@6 from_height=0");
    must(WATCH, "act", "4:6 6:6", "kind=1 subject=3 value=1000000000 reason=limit");
    must(WATCH, "propose", "11:2", "kind=1 subject=2 value=3600 reason=x");
    must(WATCH, "approve", "4:6", "number=2");
    must(WATCH, "act", "4:6 6:6", "kind=2 subject=2 value=0 reason=x");
    must(WATCH, "act", "4:6 6:6", "kind=3 subject=2 value=0 reason=x");
    must(WATCH, "read", "4:7", "what=trades arguments=slot reason=case-17");
    market_expectf(&m, MGC_E_MISSING_SIGNER, WATCH, "act", "4:6", "kind=2 subject=2 value=0 reason=alone");
}

/* A lost key, and a meter that breaks: its successor begins where it will have ended. */
static void replace(void)
{
    must(INFO, "member", "1:9", "id=7 organisation=1 name=a2 roles=512 key=@7 from_height=0");
    must(INFO, "member", "1:9", "id=8 organisation=1 name=lost roles=32 key=@8 from_height=0");
    must(INFO, "rotate", "1:9 7:9", "member=8 key=@9");
    must(INFO, "meter", "1:9",
         "id=9 microgrid=3 carrier=3 link=0 member=109 from_slot=%d digits=8 max_wh=2000001 in_wh=123456 out_wh=0",
         FIRST_SLOT + 1);
}

static void auction(void)
{
    bid(1, 1, 200000, 50000);
    bid(2, 0, 100000, 90000);
    bid(3, 0, 50000, 70000);
    bid(2, 0, 1, 1);
    market_at(&m, GATE - 2 * REVEAL);
    reveal(1, 1, 1, 200000, 50000);
    reveal(2, 2, 0, 100000, 90000);
    reveal(3, 3, 0, 50000, 70000);
    market_at(&m, GATE - REVEAL);
    must(TRADE, "clear", "13:2", "slot=%d carrier=1", FIRST_SLOT);
}

static void certify(void)
{
    uint8_t header[1000], bytes[2000], signature[64], hash[32];
    mgc__certificate c = {.n = 1, .block_hash = hash};
    mgc__cbor_writer w;
    size_t len = market_header(&m, CREDIT, market_height(&m, CREDIT), 0, header, sizeof header);

    mgc__header_hash(header, len, hash);
    market_vote(&m, CREDIT, header, len, m.key, signature);
    c.votes[0].member = 1;
    c.votes[0].signature = signature;
    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__certificate_write(&w, &c);
    must(CREDIT, "certify", "2:5", "header=%s certificate=%s", market_hex(header, len), market_hex(bytes, w.len));
}

static void convict(void)
{
    uint8_t a[1000], b[1000], sa[64], sb[64];
    uint64_t height = market_height(&m, CREDIT);
    size_t a_len = market_header(&m, CREDIT, height, 0, a, sizeof a), b_len = market_header(&m, CREDIT, height, 1, b, sizeof b);

    market_vote(&m, CREDIT, a, a_len, m.key, sa);
    market_vote(&m, CREDIT, b, b_len, m.key, sb);
    must(CREDIT, "evidence", "2:5", "kind=1 validator=1 first=%s first_signature=%s second=%s second_signature=%s",
         market_hex(a, a_len), market_hex(sa, 64), market_hex(b, b_len), market_hex(sb, 64));
}

static void whole_day(void)
{
    must(INFO, "deploy", "1:9", "id=%d version=1 code_hash=#9 activation_height=%" PRIu64 " name=own", OWN,
         market_height(&m, INFO) + 2);
    must(INFO, "device", "12:2", "id=1 microgrid=2 type=pv name=roof capacity_w=40000");
    market_call(&m, MGC_OK, OWN, "first", "abc", 3, "11:2");
    supervise();
    replace();
    auction();
    must(CREDIT, "epoch", "2:5", "number=1 last_slot=%d", FIRST_SLOT - 30);
    for (int step = STEP_ACKNOWLEDGE; step < STEP_FINALISE; step++) market_step(&m, step);
    must(SETTLE, "dispute", "12:2", "slot=%d microgrid=2 reason=meter", FIRST_SLOT);
    must(SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT);
    market_step(&m, STEP_FINALISE);
    certify();
    must(CREDIT, "epoch", "2:5", "number=2 last_slot=%d", LAST);
    convict();
    must(SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", LAST);
    must(SETTLE, "issue", "2:5", "device=1 slot=%d wh=3000", FIRST_SLOT);
    must(SETTLE, "assign", "12:2", "device=1 slot=%d microgrid=3", FIRST_SLOT);
    must(SETTLE, "cancel", "13:2", "device=1 slot=%d reason=claimed", FIRST_SLOT);
    market_call(&m, MGC_OK, OWN, "last", "abc", 3, "11:2");
}

/* --- recorded ----------------------------------------------------------------------------------------------------- */

static struct market_day recorded;
static struct disk beginning;
static uint8_t expected[32];

static void record_day(void)
{
    mgc_node_info info = {.struct_size = sizeof info};
    uint64_t first;

    m.hosts[0] = host();
    m.n_hosts = 1;
    market_open(&m);
    market_until(&m, STEP_AGREE);
    market_stop(&m);
    disk_copy(&beginning, &m.disk);
    beginning.locked = false;
    market_start(&m);
    first = market_height(&m, INFO) + 1;
    whole_day();
    ck_assert_int_eq(mgc_node_get_info(m.node, &info), MGC_OK);
    for (uint64_t h = first; h <= info.height; h++) market_record(&m, h, &recorded);
    memcpy(expected, info.block_hash, 32);
    market_close(&m);
}

static void forget_day(void)
{
    market_forget(&recorded);
    disk_free(&beginning);
}

/* --- done again, with faults ---------------------------------------------------------------------------------------- */

enum { ALLOCATION, STORAGE, SIGNATURE, HOST };

static struct heap heap;
static mgc_key *inner;
static long signatures, signature_fault = -1, faults, restarts, done_without;

static int32_t sign(void *user, const uint8_t *message, size_t len, uint8_t *signature)
{
    (void)user;
    if (signatures++ == signature_fault) return MGC_E_CRYPTO;
    return mgc_key_sign(inner, message, len, signature) == MGC_OK ? MGC_CB_DONE : MGC_E_CRYPTO;
}

/* The k-th thing of a kind from now on fails. */
static void fail_at(uint32_t kind, long k)
{
    if (kind == ALLOCATION) heap.until_fault = k;
    if (kind == STORAGE) m.disk.fault_at = m.disk.calls + k;
    if (kind == SIGNATURE) signature_fault = signatures + k;
    if (kind == HOST) host_fault = host_calls + k;
}

/* Nothing more fails.  Did it? */
static bool failed(uint32_t kind)
{
    bool hit = (kind == ALLOCATION && heap.until_fault < 0) || (kind == STORAGE && m.disk.calls > m.disk.fault_at) ||
               (kind == SIGNATURE && signatures > signature_fault) || (kind == HOST && host_calls > host_fault);

    heap.until_fault = m.disk.fault_at = signature_fault = host_fault = -1;
    faults += hit;
    return hit;
}

static mgc_status step_start(size_t i)
{
    (void)i;
    return market_node(&m);
}

static mgc_status step_submit(size_t i)
{
    return mgc_node_submit(m.node, recorded.txs[i].bytes, recorded.txs[i].len, NULL);
}

static mgc_status step_flush(size_t i)
{
    return mgc_node_flush(m.node, recorded.txs[i].time_ms);
}

static const char *const questions[] = {"credit",       "validators",  "epochs", "lost",   "acts",   "rules", "frozen", "audits",
                                        "auctions",     "bids",        "trades",   "events", "own",   "blocks", "accounts",
                                        "certificates", "surrendered", "settlement",
                                        /* conditions, which make indexes */
                                        "trades&microgrid=1", "trades&id=1", "readings&slot=434000", "transactions&member=11",
                                        "transactions&status=MGC_OK", "events&contract=trading", "accounts&microgrid=2"};

static mgc_status step_ask(size_t i)
{
    mgc_rows *rows;
    const char *conditions = strchr(questions[i], '&');
    char what[40], arguments[60];
    mgc_status st;

    (void)snprintf(what, sizeof what, "%.*s", (int)strcspn(questions[i], "&"), questions[i]);
    (void)snprintf(arguments, sizeof arguments, "limit=5%s", conditions == NULL ? "" : conditions);
    st = mgc_node_query(m.node, REGULATOR, what, arguments, &rows);

    ck_assert((st == MGC_OK) == (rows != NULL));
    mgc_rows_destroy(rows);
    return st;
}

/* After a storage failure a node is started again, and gets again what it had not acknowledged. */
static void recover(mgc_status (*step)(size_t), size_t i)
{
    if (step == step_ask && step(i) == MGC_OK) return; /* a read that failed is over; a record that was not durable is not */
    mgc_node_destroy(m.node);
    m.node = NULL;
    restarts++;
    if (step == step_start) return;
    ck_assert_msg(market_node(&m) == MGC_OK, "%s", mgc_ctx_error(m.ctx));
    if (step == step_flush) ck_assert_int_eq(step_submit(i), MGC_OK); /* refused where it was committed after all */
}

/* One call of the m.node: the first thing fails, then the second ...; it ends when nothing of it is left to fail. */
static void sweep_step(uint32_t kind, mgc_status (*step)(size_t), size_t i)
{
    for (long k = 0;; k++) {
        bool hit;
        mgc_status st;

        fail_at(kind, k);
        st = step(i);
        hit = failed(kind);
        if (st == MGC_OK && !hit) return;
        if (st == MGC_OK && step != step_ask) { /* it could do without */
            done_without++;
            return;
        }
        ck_assert_msg(hit, "without a fault: %s %s", mgc_status_name(st), mgc_ctx_error(m.ctx));
        if (kind == ALLOCATION || kind == HOST)
            ck_assert_msg(st == MGC_E_NO_MEMORY || st == MGC_OK, "transaction %zu, fault %ld: %s %s", i, k, mgc_status_name(st),
                          mgc_ctx_error(m.ctx));
        if (kind == STORAGE) recover(step, i);
    }
}

static void sweep(uint32_t kind)
{
    static const uint8_t seed[32] = {200};
    mgc_allocator allocator = heap_allocator(&heap);
    mgc_node_info info = {.struct_size = sizeof info};
    mgc_ctx_opts opts;
    uint8_t public_key[32];

    record_day();
    heap = (struct heap){.until_fault = -1};
    mgc_ctx_opts_init(&opts, sizeof opts);
    opts.allocator = &allocator;
    ck_assert_int_eq(mgc_ctx_create(&opts, &m.ctx), MGC_OK);
    ck_assert_int_eq(mgc_key_from_seed(m.ctx, seed, &inner), MGC_OK);
    ck_assert_int_eq(mgc_key_public(inner, public_key), MGC_OK);
    ck_assert_int_eq(mgc_key_from_callback(m.ctx, public_key, sign, NULL, &m.key), MGC_OK);
    disk_copy(&m.disk, &beginning);
    m.disk.fault = MGC_E_IO;
    faults = restarts = done_without = 0;
    sweep_step(kind, step_start, 0);
    for (size_t i = 0; i < recorded.n; i++) {
        sweep_step(kind, step_submit, i);
        sweep_step(kind, step_flush, i);
    }
    for (size_t i = 0; i < MGC__COUNT(questions); i++) sweep_step(kind, step_ask, i);
    ck_assert_int_eq(mgc_node_get_info(m.node, &info), MGC_OK);
    ck_assert_mem_eq(info.block_hash, expected, 32);
    ck_assert_uint_eq(info.waiting, 0);
    mgc_node_destroy(m.node);
    mgc_key_destroy(m.key);
    mgc_key_destroy(inner);
    mgc_ctx_destroy(m.ctx);
    ck_assert_int_eq(heap.live, 0);
    printf("# %zu transactions, %ld faults, %ld of them done without, %ld starts\n", recorded.n, faults, done_without, restarts);
    disk_free(&m.disk);
    forget_day();
}

START_TEST(every_allocation_fails_once) /* faults 91 */
{
    sweep(ALLOCATION);
    ck_assert_int_gt(faults, 1000);
}
END_TEST

START_TEST(every_storage_call_fails_once) /* faults 81, 92 */
{
    sweep(STORAGE);
    ck_assert_int_gt(faults, 200);
}
END_TEST

START_TEST(every_signature_fails_once) /* faults 92 */
{
    sweep(SIGNATURE);
    ck_assert_int_gt(faults, (long)recorded.n);
}
END_TEST

START_TEST(every_call_of_a_host_fails_once) /* faults 92 */
{
    sweep(HOST);
    ck_assert_int_eq(faults, 2 * 2 + 2 * SLOTS + 1); /* check and execute twice, the slots of two gates, a question */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("contract-sweeps");
    TCase *t = market_case(s, "sweeps", 1);

    tcase_add_test(t, every_allocation_fails_once);
    tcase_add_test(t, every_storage_call_fails_once);
    tcase_add_test(t, every_signature_fails_once);
    tcase_add_test(t, every_call_of_a_host_fails_once);
    return market_run(s);
}
