/* SPDX-License-Identifier: Apache-2.0 */
/* Row 91: every allocation fails once.  The call says so, nothing leaks, the same call succeeds when it is made
 * again, and the chain ends in the same bytes. */
#include "market.h"

static struct market_day recorded;
static uint8_t expected[32];

/* The transactions of a whole day with the times of their blocks. */
static void record_day(void)
{
    static struct market m;
    mgc_chain_info chain = {.struct_size = sizeof chain};

    market_open(&m);
    market_until(&m, STEPS);
    ck_assert_int_eq(mgc_chain_get_info(mgc_node_chain(m.node, 0), &chain), MGC_OK);
    for (uint64_t h = 1; h <= chain.height; h++) market_record(&m, h, &recorded);
    market_close(&m);
}

static mgc_status ask(mgc_node *node, const char *what)
{
    mgc_rows *rows;
    mgc_status st = mgc_node_query(node, REGULATOR, what, NULL, &rows);

    mgc_rows_destroy(rows);
    return st;
}

/* One day in blocks of eight; answers how many calls failed for lack of memory, each of which is made again. */
static int day(mgc_ctx *ctx, mgc_key *key, uint8_t digest[32])
{
    static const char *const questions[] = {"blocks",   "transactions", "trades", "accounts",
                                            "schedule", "settlement",   "members"};
    static struct market m;
    mgc_node_info info = {.struct_size = sizeof info};
    int failures = 0;
    mgc_status st;

    m = (struct market){.ctx = ctx, .key = key};
    disk_init(&m.disk);
    while ((st = market_node(&m)) == MGC_E_NO_MEMORY) failures++;
    ck_assert_msg(st == MGC_OK, "start: %s %s", mgc_status_name(st), mgc_ctx_error(ctx));
    for (size_t i = 0; i < recorded.n; i++) {
        while ((st = mgc_node_submit(m.node, recorded.txs[i].bytes, recorded.txs[i].len, NULL)) == MGC_E_NO_MEMORY) failures++;
        ck_assert_msg(st == MGC_OK, "submit %zu: %s %s", i, mgc_status_name(st), mgc_ctx_error(ctx));
        if (i % 8 != 7 && i + 1 < recorded.n && recorded.txs[i + 1].time_ms - recorded.txs[i].time_ms < 1000) continue;
        while ((st = mgc_node_flush(m.node, recorded.txs[i].time_ms)) == MGC_E_NO_MEMORY) failures++;
        ck_assert_msg(st == MGC_OK, "flush %zu: %s %s", i, mgc_status_name(st), mgc_ctx_error(ctx));
    }
    for (size_t q = 0; q < MGC__COUNT(questions); q++) {
        while ((st = ask(m.node, questions[q])) == MGC_E_NO_MEMORY) failures++;
        ck_assert_msg(st == MGC_OK, "%s: %s %s", questions[q], mgc_status_name(st), mgc_ctx_error(ctx));
    }
    ck_assert_int_eq(mgc_node_get_info(m.node, &info), MGC_OK);
    ck_assert_uint_eq(info.transactions, recorded.n);
    ck_assert_uint_eq(info.waiting, 0);
    memcpy(digest, info.block_hash, 32);
    mgc_node_destroy(m.node);
    disk_free(&m.disk);
    return failures;
}

/* @return 0 once the fault lies beyond the last allocation */
static long sweep_one(long until_fault)
{
    static const uint8_t seed[32] = {200};
    struct heap heap = {.until_fault = -1};
    mgc_allocator allocator = heap_allocator(&heap);
    mgc_ctx_opts opts;
    mgc_ctx *ctx;
    mgc_key *key;
    uint8_t digest[32];

    mgc_ctx_opts_init(&opts, sizeof opts);
    opts.allocator = &allocator;
    ck_assert_int_eq(mgc_ctx_create(&opts, &ctx), MGC_OK);
    ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &key), MGC_OK);
    heap.until_fault = until_fault;
    int failures = day(ctx, key, digest);
    if (until_fault >= 0)
        ck_assert_msg(memcmp(digest, expected, 32) == 0, "fault %ld: another chain", until_fault);
    else
        memcpy(expected, digest, 32);
    ck_assert_msg(until_fault < 0 || heap.faults == 0 || failures <= 1, "fault %ld: %d calls failed", until_fault,
                  failures);
    mgc_key_destroy(key);
    mgc_ctx_destroy(ctx);
    ck_assert_msg(heap.live == 0, "fault %ld: %ld blocks leaked", until_fault, heap.live);
    return heap.faults;
}

START_TEST(every_allocation_may_fail) /* faults 91 */
{
    long k = 0, faults = 0;

    record_day();
    (void)sweep_one(-1);
    for (; sweep_one(k) > 0; k += k < 60 ? 1 : 1 + k / 40) faults++;
    ck_assert_msg(faults > 100, "only %ld fault points: is the hook installed?", faults);
    market_forget(&recorded);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("node-memory");
    TCase *t = tcase_create("memory");

    tcase_set_timeout(t, 0);
    tcase_add_test(t, every_allocation_may_fail);
    suite_add_tcase(s, t);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
