/* SPDX-License-Identifier: Apache-2.0 */
/* Row 91: every allocation fails once.  The call says so, nothing leaks, the same call succeeds when it is made
 * again, and the chain ends in the same bytes. */
#include "market.h"

struct recorded {
    uint8_t *bytes;
    size_t len;
    uint64_t time_ms;
};

static struct recorded txs[1024];
static size_t n_txs;
static uint8_t expected[32];

/* The transactions of a whole day with the times of their blocks. */
static void record_day(void)
{
    static struct market m;
    mgc_chain_info chain = {.struct_size = sizeof chain};

    market_open(&m);
    market_until(&m, STEPS);
    ck_assert_int_eq(mgc_chain_get_info(mgc_node_chain(m.node, 0), &chain), MGC_OK);
    for (uint64_t h = 1; h <= chain.height; h++) {
        mgc_block_info info = {.struct_size = sizeof info};
        mgc_block *block;
        const uint8_t *bytes;
        size_t len;

        ck_assert_int_eq(mgc_chain_read_block(mgc_node_chain(m.node, 0), h, &block), MGC_OK);
        ck_assert_int_eq(mgc_block_get_info(block, &info), MGC_OK);
        ck_assert_int_eq(mgc_block_get_tx(block, 0, &bytes, &len, NULL), MGC_OK);
        txs[n_txs].bytes = malloc(len);
        memcpy(txs[n_txs].bytes, bytes, len);
        txs[n_txs].len = len;
        txs[n_txs++].time_ms = info.time_ms;
        mgc_block_destroy(block);
    }
    market_close(&m);
}

static mgc_status start(mgc_ctx *ctx, const mgc_key *key, struct disk *disk, mgc_node **node)
{
    mgc_node_opts opts;

    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.key = key;
    opts.genesis_time_ms = MORNING - 1000;
    mgc_status st = mgc_node_create(ctx, &opts, node);
    if (st == MGC_OK) st = mgc_node_set_storage(*node, &disk_ops, disk);
    if (st == MGC_OK) st = mgc_node_start(*node);
    if (st != MGC_OK) {
        mgc_node_destroy(*node);
        *node = NULL;
    }
    return st;
}

static mgc_status ask(mgc_node *node, const char *what)
{
    mgc_rows *rows;
    mgc_status st = mgc_node_query(node, REGULATOR, what, NULL, &rows);

    mgc_rows_destroy(rows);
    return st;
}

/* One day in blocks of eight; answers how many calls failed for lack of memory, each of which is made again. */
static int day(mgc_ctx *ctx, const mgc_key *key, uint8_t digest[32])
{
    static const char *const questions[] = {"blocks",   "transactions", "trades", "accounts",
                                            "schedule", "settlement",   "members"};
    struct disk disk;
    mgc_node *node = NULL;
    mgc_node_info info = {.struct_size = sizeof info};
    int failures = 0;
    mgc_status st;

    disk_init(&disk);
    while ((st = start(ctx, key, &disk, &node)) == MGC_E_NO_MEMORY) failures++;
    ck_assert_msg(st == MGC_OK, "start: %s %s", mgc_status_name(st), mgc_ctx_error(ctx));
    for (size_t i = 0; i < n_txs; i++) {
        while ((st = mgc_node_submit(node, txs[i].bytes, txs[i].len, NULL)) == MGC_E_NO_MEMORY) failures++;
        ck_assert_msg(st == MGC_OK, "submit %zu: %s %s", i, mgc_status_name(st), mgc_ctx_error(ctx));
        if (i % 8 != 7 && i + 1 < n_txs && txs[i + 1].time_ms - txs[i].time_ms < 1000) continue;
        while ((st = mgc_node_flush(node, txs[i].time_ms)) == MGC_E_NO_MEMORY) failures++;
        ck_assert_msg(st == MGC_OK, "flush %zu: %s %s", i, mgc_status_name(st), mgc_ctx_error(ctx));
    }
    for (size_t q = 0; q < MGC__COUNT(questions); q++) {
        while ((st = ask(node, questions[q])) == MGC_E_NO_MEMORY) failures++;
        ck_assert_msg(st == MGC_OK, "%s: %s %s", questions[q], mgc_status_name(st), mgc_ctx_error(ctx));
    }
    ck_assert_int_eq(mgc_node_get_info(node, &info), MGC_OK);
    ck_assert_uint_eq(info.transactions, n_txs);
    ck_assert_uint_eq(info.waiting, 0);
    memcpy(digest, info.block_hash, 32);
    mgc_node_destroy(node);
    disk_free(&disk);
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
    for (size_t i = 0; i < n_txs; i++) free(txs[i].bytes);
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
