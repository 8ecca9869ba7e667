/* SPDX-License-Identifier: Apache-2.0 */
/* Power loss, flipped bits, full disks, missing memory. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

/* One day in the life of a ledger: `blocks` blocks with a bit of everything.  *acked: highest height that commit
 * answered for. */
static mgc_status live(struct world *w, uint64_t blocks, uint64_t *acked)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_status status = mgc_chain_get_info(w->chain, &info);

    while (status == MGC_OK && info.height < blocks) {
        uint64_t h = info.height + 1;
        status = mgc_chain_begin(w->chain, 1000 + 10 * h);
        if (status == MGC_OK && h == 1) {
            status = add_account(w, 1, 1, 0, NULL);
            if (status == MGC_OK)
                status = add_account(w, 2, 1, MGC_ACCOUNT_DEBITS_BOUNDED | MGC_ACCOUNT_HISTORY, NULL);
        } else if (status == MGC_OK) {
            status =
                add_move(w, 100 + h, 1, 2, h, h % 3 == 0 ? MGC_TRANSFER_PENDING : 0, h % 3 == 0 ? 2 : 0, 0, NULL);
            if (status == MGC_OK) status = add_put(w, (uint8_t)(h % 4), "value", NULL);
        }
        if (status == MGC_OK) status = mgc_chain_commit(w->chain, w->member);
        if (status == MGC_OK) *acked = h;
        if (status == MGC_OK) status = mgc_chain_get_info(w->chain, &info);
    }
    mgc_chain_abort(w->chain);
    return status;
}

static void attach_toy(void *user, mgc_chain *chain)
{
    (void)user;
    mgc__chain_set_executor(chain, &toy);
}

static mgc_status verify(struct disk *d, bool execute, mgc_verify_info *info)
{
    mgc_ledger_opts opts;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = d;
    *info = (mgc_verify_info){.struct_size = sizeof *info};
    return mgc__ledger_verify(ctx, &opts, execute ? attach_toy : NULL, NULL, info);
}

/* Build a store of some blocks. */
static void build(struct disk *d, uint64_t blocks, uint64_t segment_bytes, uint8_t head[32])
{
    struct world w;
    uint64_t acked = 0;
    mgc_chain_info info = {.struct_size = sizeof info};

    ck_assert_int_eq(world_open(&w, ctx, d, segment_bytes), MGC_OK);
    ck_assert_msg(live(&w, blocks, &acked) == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_uint_eq(acked, blocks);
    ck_assert_int_eq(mgc_chain_get_info(w.chain, &info), MGC_OK);
    ck_assert_uint_eq(info.acked_height, blocks);
    if (head != NULL) memcpy(head, info.block_hash, 32);
    world_close(&w);
}

START_TEST(the_same_acts_give_the_same_bytes)
{
    struct disk a, b;
    mgc_verify_info info;

    disk_init(&a);
    disk_init(&b);
    build(&a, 12, 4096, NULL);
    build(&b, 12, 4096, NULL);
    ck_assert_uint_eq(a.n, b.n);
    ck_assert_uint_gt(a.n, 2); /* several files */
    for (size_t i = 0; i < a.n; i++) {
        ck_assert_str_eq(a.files[i].name, b.files[i].name);
        ck_assert_uint_eq(a.files[i].size, b.files[i].size);
        ck_assert_mem_eq(a.files[i].bytes, b.files[i].bytes, a.files[i].size);
    }
    ck_assert_msg(verify(&a, true, &info) == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_uint_eq(info.executed, 1);
    ck_assert_uint_eq(info.blocks, 12);
    ck_assert_uint_eq(info.transactions, 24);
    ck_assert_uint_eq(info.signatures, 36);
    ck_assert_uint_eq(info.bytes, disk_bytes(&a));
    ck_assert_msg(verify(&a, false, &info) == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_uint_eq(info.executed, 0);
    disk_free(&a);
    disk_free(&b);
}
END_TEST

START_TEST(what_was_stored_is_there_again) /* faults 94 */
{
    struct disk d;
    struct world w;
    uint8_t head[32], root[32], again[32], id[16];
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_account_info account = {.struct_size = sizeof account};
    mgc_balance_info balance = {.struct_size = sizeof balance};
    mgc_transfer_info transfer = {.struct_size = sizeof transfer};
    uint64_t acked = 0, sum = 0, height = 0;
    uint32_t index = 0, n = 0;

    disk_init(&d);
    ck_assert_int_eq(world_open(&w, ctx, &d, 1 << 20), MGC_OK);
    ck_assert_int_eq(live(&w, 10, &acked), MGC_OK);
    ck_assert_int_eq(mgc_chain_get_info(w.chain, &info), MGC_OK);
    memcpy(head, info.block_hash, 32);
    ck_assert_int_eq(mgc_chain_state_root(w.chain, root), MGC_OK);
    world_close(&w);

    ck_assert_int_eq(world_open(&w, ctx, &d, 1 << 20), MGC_OK);
    ck_assert_int_eq(mgc_chain_get_info(w.chain, &info), MGC_OK);
    ck_assert_mem_eq(head, info.block_hash, 32);
    ck_assert_uint_eq(info.acked_height, 10);
    ck_assert_int_eq(mgc_chain_state_root(w.chain, again), MGC_OK);
    ck_assert_mem_eq(root, again, 32);

    /* transfers of heights 2..10; those of 3, 6, 9 pending for 2 blocks: 3 and 6 are expired by 10 */
    id_of(id, 2);
    ck_assert_int_eq(mgc_chain_get_account(w.chain, id, &account), MGC_OK);
    ck_assert_uint_eq(account.credits_posted, 2 + 4 + 5 + 7 + 8 + 10);
    ck_assert_uint_eq(account.credits_pending, 9);
    while (mgc_chain_next_transfer_of(w.chain, id, height, index, &transfer) == MGC_OK) {
        ck_assert(transfer.height > height || transfer.index > index);
        height = transfer.height;
        index = transfer.index;
        sum += transfer.amount;
        n++;
    }
    ck_assert_uint_eq(n, 9);
    ck_assert_uint_eq(sum, 54);
    for (n = 0, height = 0, index = 0; mgc_chain_next_balance(w.chain, id, height, index, &balance) == MGC_OK; n++) {
        height = balance.height;
        index = balance.index;
    }
    ck_assert_uint_eq(n, 9 + 2); /* and two releases */
    ck_assert_uint_eq(balance.credits_posted, account.credits_posted);
    id_of(id, 103);
    ck_assert_int_eq(mgc_chain_get_transfer(w.chain, id, &transfer), MGC_OK);
    ck_assert_uint_eq(transfer.state, MGC_PENDING_EXPIRED);
    world_close(&w);
    disk_free(&d);
}
END_TEST

/* Every single bit of every file.  It must be found, with file and offset in the message. */
START_TEST(every_flipped_bit_is_found) /* faults 77 */
{
    struct disk d;
    mgc_verify_info info;
    mgc_ledger_opts opts;
    size_t flips = 0;

    disk_init(&d);
    build(&d, 3, 4096, NULL);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &d;
    for (size_t f = 0; f < d.n; f++)
        for (size_t i = 0; i < d.files[f].size; i++)
            for (int bit = 0; bit < 8; bit += i % 16 == 0 ? 1 : 7) {
                mgc_ledger *ledger;
                d.files[f].bytes[i] ^= (uint8_t)(1 << bit);
                mgc_status status = verify(&d, false, &info);
                ck_assert_msg(status == MGC_E_CORRUPT || status == MGC_E_VERSION, "%s byte %zu bit %d: %s",
                              d.files[f].name, i, bit, mgc_status_name(status));
                if (status == MGC_E_CORRUPT)
                    ck_assert_msg(strstr(mgc_ctx_error(ctx), d.files[f].name) != NULL, "%s", mgc_ctx_error(ctx));
                /* reading: all but the last record, the mark, was durable and is refused */
                if (flips % 4 == 0) {
                    bool last = f + 1 == d.n && i + MGC__RECORD_HEADER >= d.files[f].size;
                    opts.read_only = 1;
                    status = mgc_ledger_open(ctx, &opts, &ledger);
                    ck_assert_msg((status == MGC_OK) == last, "%s byte %zu bit %d: %s", d.files[f].name, i, bit,
                                  mgc_status_name(status));
                    mgc_ledger_close(ledger);
                }
                d.files[f].bytes[i] ^= (uint8_t)(1 << bit);
                flips++;
            }
    ck_assert_int_eq(verify(&d, true, &info), MGC_OK);
    ck_assert_uint_gt(flips, 1500);
    disk_free(&d);
}
END_TEST

/* Who asks for it is told what stood before the damage, and that there was more. */
START_TEST(what_stands_before_damage_can_be_read) /* faults 77 */
{
    enum { BLOCKS = 4 };
    uint8_t hashes[BLOCKS + 1][32];
    struct disk d;
    mgc_ledger_opts opts;
    mgc_ledger *ledger;
    mgc_chain *chain;
    mgc_ledger_info info = {.struct_size = sizeof info};
    mgc_chain_info c = {.struct_size = sizeof c};
    size_t whole = 0, parts[BLOCKS + 1] = {0}, nothing = 0;

    disk_init(&d);
    build(&d, BLOCKS, 4096, NULL);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &d;
    opts.read_only = 2;
    ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &ledger), MGC_OK);
    ck_assert_int_eq(mgc_ledger_get_info(ledger, &info), MGC_OK);
    ck_assert_uint_eq(info.damaged, 0);
    chain = ledger->chains[0];
    ck_assert_uint_eq(chain->height, BLOCKS);
    for (uint64_t h = 1; h <= BLOCKS; h++) memcpy(hashes[h], chain->blocks[h - 1].hash, 32);
    mgc_ledger_close(ledger);
    for (size_t f = 0; f < d.n; f++)
        for (size_t i = 0; i < d.files[f].size; i += 3) {
            d.files[f].bytes[i] ^= 4;
            mgc_status status = mgc_ledger_open(ctx, &opts, &ledger);
            if (status != MGC_OK) {
                ck_assert_msg(status == MGC_E_CORRUPT || status == MGC_E_VERSION, "%s", mgc_status_name(status));
                nothing++;
            } else {
                ck_assert_int_eq(mgc_ledger_get_info(ledger, &info), MGC_OK);
                ck_assert_int_eq(mgc_chain_get_info(ledger->chains[0], &c), MGC_OK);
                if (info.damaged) ck_assert_msg(strstr(mgc_ctx_error(ctx), d.files[f].name) != NULL, "%s", mgc_ctx_error(ctx));
                ck_assert(info.damaged == 1 || c.height == BLOCKS); /* the last mark may be torn */
                if (c.height > 0) ck_assert_mem_eq(c.block_hash, hashes[c.height], 32);
                ck_assert_int_eq(mgc_chain_begin(ledger->chains[0], 1 << 20), MGC_E_STATE);
                parts[c.height]++;
                whole += info.damaged == 0;
            }
            mgc_ledger_close(ledger);
            opts.read_only = 0; /* nobody writes behind damage */
            if (i % 60 == 0 && status == MGC_OK && info.damaged) ck_assert_int_ne(mgc_ledger_open(ctx, &opts, &ledger), MGC_OK);
            opts.read_only = 2;
            d.files[f].bytes[i] ^= 4;
        }
    for (int h = 1; h <= BLOCKS; h++) ck_assert_uint_gt(parts[h], 0);
    ck_assert_uint_gt(nothing, 0);
    ck_assert_uint_lt(whole, 40);
    disk_free(&d);
}
END_TEST

/* The journal cut at every byte of its last records, and cut and torn. */
START_TEST(a_torn_tail_is_cut_at_every_byte) /* faults 76 */
{
    struct disk whole, d;
    size_t after_two;
    struct world w;
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_verify_info verified;
    uint64_t acked = 0;

    disk_init(&whole);
    build(&whole, 2, 1 << 20, NULL);
    after_two = whole.files[0].size;
    ck_assert_int_eq(world_open(&w, ctx, &whole, 1 << 20), MGC_OK);
    ck_assert_int_eq(live(&w, 3, &acked), MGC_OK);
    world_close(&w);
    for (size_t size = after_two; size <= whole.files[0].size; size++) {
        disk_copy(&d, &whole);
        d.files[0].size = size;
        ck_assert_msg(verify(&d, true, &verified) == MGC_OK, "cut at %zu: %s", size, mgc_ctx_error(ctx));
        ck_assert_uint_ge(verified.blocks, 2);
        ck_assert_msg(world_open(&w, ctx, &d, 1 << 20) == MGC_OK, "cut at %zu: %s", size, mgc_ctx_error(ctx));
        ck_assert_int_eq(mgc_chain_get_info(w.chain, &info), MGC_OK);
        ck_assert_uint_eq(info.height, verified.blocks);
        if (size % 8 != 0 && size != whole.files[0].size) { /* and, for some, life goes on */
            world_close(&w);
            disk_free(&d);
            continue;
        }
        ck_assert_int_eq(live(&w, 4, &acked), MGC_OK);
        world_close(&w);
        ck_assert_int_eq(verify(&d, true, &verified), MGC_OK);
        ck_assert_uint_eq(verified.blocks, 4);
        ck_assert_uint_eq(verified.torn_bytes, 0);
        disk_free(&d);
    }
    disk_free(&whole);
}
END_TEST

/* One run with a fault at a storage call, then power loss, then opening again. */
static void run_one(uint64_t seed, long fault_at, bool die)
{
    struct disk d;
    struct world w;
    mgc__rng rng;
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_verify_info verified;
    uint64_t acked = 0;

    mgc__rng_seed(&rng, seed);
    disk_init(&d);
    d.fault_at = fault_at;
    d.fault = MGC_E_IO;
    d.die = die;
    d.short_write = mgc__rng_below(&rng, 2) == 0;
    if (world_open(&w, ctx, &d, 4096) == MGC_OK) (void)live(&w, 9, &acked);
    world_close(&w);
    disk_crash(&d, &rng);
    for (int again = 0; again < 2; again++) { /* a crash while repairing is repaired too */
        d.calls = 0;
        d.fault_at = again == 0 ? (long)mgc__rng_below(&rng, 12) : -1;
        d.die = true;
        mgc_status status = world_open(&w, ctx, &d, 4096);
        if (again == 1)
            ck_assert_msg(status == MGC_OK, "seed %" PRIu64 " fault %ld: %s", seed, fault_at, mgc_ctx_error(ctx));
        if (status == MGC_OK) {
            ck_assert_int_eq(mgc_chain_get_info(w.chain, &info), MGC_OK);
            ck_assert_msg(info.height >= acked,
                          "seed %" PRIu64 " fault %ld: %" PRIu64 " acknowledged, %" PRIu64 " there", seed, fault_at,
                          acked, info.height);
        }
        if (again == 1)
            ck_assert_msg(live(&w, 9, &acked) == MGC_OK, "seed %" PRIu64 " fault %ld: %s", seed, fault_at,
                          mgc_ctx_error(ctx));
        world_close(&w);
        if (again == 0) disk_crash(&d, &rng);
    }
    ck_assert_msg(verify(&d, true, &verified) == MGC_OK, "seed %" PRIu64 " fault %ld: %s", seed, fault_at,
                  mgc_ctx_error(ctx));
    ck_assert_uint_eq(verified.blocks, 9);
    disk_free(&d);
}

static long calls_of_a_run(void)
{
    struct disk d;
    long calls;

    disk_init(&d);
    build(&d, 9, 4096, NULL);
    calls = d.calls;
    disk_free(&d);
    return calls;
}

START_TEST(power_loss_at_every_storage_call) /* faults 84-86 */
{
    long calls = calls_of_a_run();

    ck_assert_int_gt(calls, 50);
    for (long k = 0; k <= calls; k++)
        for (uint64_t seed = 1; seed <= 3; seed++) run_one(seed + 100 * (uint64_t)k, k, true);
}
END_TEST

START_TEST(every_storage_call_fails_once) /* faults 81, 92 */
{
    long calls = calls_of_a_run();

    for (long k = 0; k <= calls; k++)
        for (uint64_t seed = 1; seed <= 1; seed++) run_one(seed, k, false);
}
END_TEST

/* Nothing is acknowledged, nothing is left behind, and with room again it goes on. */
START_TEST(a_full_disk_can_be_emptied) /* faults 79 */
{
    for (uint64_t room = 0; room < 1500; room += 13) {
        struct disk d;
        struct world w;
        mgc_verify_info verified;
        uint64_t acked = 0, before;

        disk_init(&d);
        ck_assert_int_eq(world_open(&w, ctx, &d, 1 << 20), MGC_OK);
        ck_assert_int_eq(live(&w, 2, &acked), MGC_OK);
        before = d.files[0].size;
        d.room = room;
        mgc_status status = live(&w, 3, &acked);
        if (status != MGC_OK) {
            ck_assert_int_eq(status, MGC_E_IO);
            ck_assert_uint_eq(acked, 2);
            ck_assert_uint_eq(d.files[0].size, before);
        }
        d.room = UINT64_MAX;
        ck_assert_int_eq(live(&w, 5, &acked), MGC_OK);
        world_close(&w);
        ck_assert_int_eq(verify(&d, true, &verified), MGC_OK);
        ck_assert_uint_eq(verified.blocks, 5);
        disk_free(&d);
    }
}
END_TEST

START_TEST(a_failed_sync_is_final) /* faults 82 */
{
    struct disk d;
    struct world w;
    mgc_ledger_info info = {.struct_size = sizeof info};
    uint64_t acked = 0;

    disk_init(&d);
    ck_assert_int_eq(world_open(&w, ctx, &d, 1 << 20), MGC_OK);
    ck_assert_int_eq(live(&w, 2, &acked), MGC_OK);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 5000), MGC_OK);
    ck_assert_int_eq(add_put(&w, 1, "x", NULL), MGC_OK);
    d.fault = MGC_E_IO;
    d.fault_at = d.calls + 4; /* append block, read twice, append certificate, sync */
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_E_FAILED);
    ck_assert_int_eq(mgc_ledger_get_info(w.ledger, &info), MGC_OK);
    ck_assert_uint_eq(info.failed, 1);
    d.fault_at = -1;
    ck_assert_int_eq(mgc_ledger_sync(w.ledger), MGC_E_FAILED);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 6000), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_E_FAILED);
    world_close(&w);
    ck_assert_int_eq(world_open(&w, ctx, &d, 1 << 20), MGC_OK);
    world_close(&w);
    disk_free(&d);
}
END_TEST

START_TEST(files_missing_swapped_or_foreign_are_refused) /* faults 78 */
{
    struct disk whole, d;
    mgc_verify_info info;

    disk_init(&whole);
    build(&whole, 12, 4096, NULL);
    ck_assert_uint_ge(whole.n, 3);
    for (size_t i = 0; i + 1 < whole.n; i++) { /* without the last one it is a shorter ledger: the header says so */
        disk_copy(&d, &whole);
        free(d.files[i].bytes);
        d.files[i] = d.files[--d.n];
        ck_assert_int_eq(verify(&d, false, &info), MGC_E_CORRUPT);
        disk_free(&d);
    }
    disk_copy(&d, &whole);
    snprintf(d.files[0].name, sizeof d.files[0].name, "%s", whole.files[1].name);
    snprintf(d.files[1].name, sizeof d.files[1].name, "%s", whole.files[0].name);
    ck_assert_int_eq(verify(&d, false, &info), MGC_E_CORRUPT);
    disk_free(&d);
    for (size_t size = 0; size < whole.files[1].size; size += 7) { /* cut in the middle */
        disk_copy(&d, &whole);
        d.files[1].size = size;
        ck_assert_int_eq(verify(&d, false, &info), MGC_E_CORRUPT);
        disk_free(&d);
    }
    disk_init(&d);
    ck_assert_int_eq(verify(&d, false, &info), MGC_E_NOT_FOUND);
    disk_free(&whole);
}
END_TEST

/* With the real files; short store, verified, and torn with a real truncate. */
START_TEST(the_embedded_files_hold_a_ledger) /* faults 88 */
{
    char folder[] = "/tmp/mgc-ledger-XXXXXX", path[128];
    mgc_storage_ops ops;
    mgc_ledger_opts opts;
    mgc_ledger *ledger, *second;
    mgc_chain *chain;
    mgc_verify_info info = {.struct_size = sizeof info};
    mgc_ledger_info store = {.struct_size = sizeof store};
    void *user, *other;
    struct world w = {.ctx = ctx};
    mgc_member member = {.id = 4};
    mgc_genesis g = {
        .struct_size = sizeof g, .name = "a", .time_ms = 1, .members = &member, .n_members = 1, .quorum = 1};

    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(mgc_key_from_seed(ctx, g.nonce, &w.member), MGC_OK);
    ck_assert_int_eq(mgc_key_public(w.member, member.public_key), MGC_OK);
    ck_assert_int_eq(mgc_storage_files(ctx, folder, 1, &ops, &user), MGC_OK);
    ck_assert_int_eq(mgc_storage_files(ctx, "/nonexistent/place", 0, &ops, &other), MGC_E_IO);
    ck_assert_ptr_null(other);
    ck_assert_int_eq(mgc_storage_files(ctx, folder, 0, &ops, &other), MGC_OK);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &ops;
    opts.storage_user = user;
    ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &ledger), MGC_OK);
    opts.storage_user = other;
    ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &second), MGC_E_LOCKED);
    ck_assert_int_eq(mgc_ledger_add_chain(ledger, &g, &chain), MGC_OK);
    mgc__chain_set_executor(chain, &toy);
    for (uint64_t t = 2; t < 20; t++) {
        ck_assert_int_eq(mgc_chain_begin(chain, t), MGC_OK);
        ck_assert_int_eq(mgc_chain_commit(chain, w.member), MGC_OK);
    }
    ck_assert_int_eq(mgc_ledger_verify(ctx, &opts, &info), MGC_OK); /* while it is being written */
    ck_assert_uint_eq(info.blocks, 18);
    ck_assert_int_eq(mgc_ledger_get_info(ledger, &store), MGC_OK);
    ck_assert_uint_eq(store.bytes, info.bytes);
    mgc_ledger_close(ledger);
    ck_assert_int_eq(ops.truncate(other, "journal-00000000.mgj", store.bytes - 60), MGC_CB_DONE);
    ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &ledger), MGC_OK);
    ck_assert_int_eq(mgc_ledger_get_info(ledger, &store), MGC_OK);
    ck_assert_uint_gt(store.truncated_bytes, 0);
    mgc_ledger_close(ledger);
    mgc_storage_files_destroy(user);
    mgc_storage_files_destroy(other);
    mgc_key_destroy(w.member);
    snprintf(path, sizeof path, "%s/journal-00000000.mgj", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/lock", folder);
    unlink(path);
    rmdir(folder);
}
END_TEST

/* A process that is killed while it writes: what it leaves verifies and goes on.  The same folder, again and again. */
static void write_until_killed(const char *folder)
{
    mgc_member member = {.id = 4};
    mgc_genesis g = {.struct_size = sizeof g, .name = "a", .time_ms = 1, .members = &member, .n_members = 1, .quorum = 1};
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_storage_ops ops;
    mgc_ledger_opts opts;
    mgc_ledger *ledger;
    mgc_chain *chain;
    mgc_key *key;
    void *user;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &ops;
    opts.segment_bytes = 1 << 16;
    if (mgc_key_from_seed(ctx, g.nonce, &key) != MGC_OK || mgc_key_public(key, member.public_key) != MGC_OK) _exit(10);
    if (mgc_storage_files(ctx, folder, 1, &ops, &user) != MGC_OK) _exit(11);
    opts.storage_user = user;
    if (mgc_ledger_open(ctx, &opts, &ledger) != MGC_OK) _exit(12);
    if (mgc_ledger_chain(ledger, "a", &chain) != MGC_OK && mgc_ledger_add_chain(ledger, &g, &chain) != MGC_OK) _exit(13);
    mgc__chain_set_executor(chain, &toy);
    for (;;)
        if (mgc_chain_get_info(chain, &info) != MGC_OK || mgc_chain_begin(chain, info.time_ms + 1) != MGC_OK ||
            mgc_chain_commit(chain, key) != MGC_OK)
            _exit(14);
}

START_TEST(a_killed_process_leaves_a_whole_ledger) /* faults 85 */
{
    char folder[] = "/tmp/mgc-killed-XXXXXX", path[128];
    mgc_ledger_opts opts;
    mgc_storage_ops ops;
    void *user;
    uint64_t blocks = 0;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(mgc_storage_files(ctx, folder, 1, &ops, &user), MGC_OK);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &ops;
    opts.storage_user = user;
    for (int round = 0; round < 12; round++) {
        struct timespec nap = {.tv_nsec = 5000000 + 3700000 * round};
        mgc_verify_info info = {.struct_size = sizeof info};
        int how;
        pid_t child = fork();

        ck_assert_int_ge(child, 0);
        if (child == 0) write_until_killed(folder);
        nanosleep(&nap, NULL);
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, &how, 0), child);
        ck_assert_msg(WIFSIGNALED(how), "round %d: the writer ended with %d", round, WEXITSTATUS(how));
        mgc_status status = mgc_ledger_verify(ctx, &opts, &info);
        if (round > 3 || status != MGC_E_NOT_FOUND) /* at first it may not have come to write anything */
            ck_assert_msg(status == MGC_OK, "round %d: %s", round, mgc_ctx_error(ctx));
        ck_assert_uint_ge(info.blocks, blocks);
        blocks = info.blocks;
    }
    ck_assert_uint_gt(blocks, 0);
    mgc_storage_files_destroy(user);
    for (uint32_t i = 0; i < 100; i++) {
        snprintf(path, sizeof path, "%s/journal-%08" PRIx32 ".mgj", folder, i);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/lock", folder);
    unlink(path);
    rmdir(folder);
}
END_TEST

/* Every allocation fails once; nothing leaks, nothing half-done stays. */
static mgc_status whole_life(mgc_allocator memory)
{
    mgc_ctx_opts opts;
    mgc_ctx *own;
    struct disk d;
    struct world w = {0};
    uint64_t acked = 0;
    mgc_block *block = NULL;
    mgc_status status;

    mgc_ctx_opts_init(&opts, sizeof opts);
    opts.allocator = &memory;
    status = mgc_ctx_create(&opts, &own);
    if (status != MGC_OK) return status;
    disk_init(&d);
    status = world_open(&w, own, &d, 4096);
    if (status == MGC_OK) {
        status = live(&w, 3, &acked);
        /* the fault is over: the same ledger goes on as if nothing had happened */
        if (status == MGC_E_NO_MEMORY) ck_assert_msg(live(&w, 3, &acked) == MGC_OK, "%s", mgc_ctx_error(own));
    }
    if (status == MGC_OK) status = mgc_chain_read_block(w.chain, 3, &block);
    mgc_block_destroy(block);
    world_close(&w);
    d.locked = false;
    if (status == MGC_OK) status = world_open(&w, own, &d, 4096);
    if (status == MGC_OK) status = live(&w, 4, &acked);
    world_close(&w);
    mgc_ctx_destroy(own);
    if (d.n > 0 && disk_bytes(&d) > 0) { /* whatever was stored is a whole ledger */
        mgc_verify_info info;
        mgc_status found = verify(&d, true, &info);
        ck_assert_msg(found == MGC_OK, "%s", mgc_ctx_error(ctx));
        ck_assert_uint_ge(info.blocks, acked);
    }
    disk_free(&d);
    return status;
}

START_TEST(every_allocation_fails_once) /* faults 91 */
{
    for (long k = 0;; k++) {
        struct heap heap = {.until_fault = k};
        mgc_status status = whole_life(heap_allocator(&heap));

        ck_assert_msg(heap.live == 0, "fault %ld: %ld blocks leaked", k, heap.live);
        if (heap.faults == 0) {
            ck_assert_int_eq(status, MGC_OK);
            ck_assert_msg(k > 200, "only %ld allocations", k);
            return;
        }
        ck_assert_msg(status == MGC_E_NO_MEMORY, "fault %ld: %s", k, mgc_status_name(status));
    }
}
END_TEST

/* What was taken back leaves no trace in the head of the next file. */
static mgc_status visit_nothing(void *user, const mgc__record *record)
{
    (void)record;
    ++*(int *)user;
    return MGC_OK;
}

START_TEST(going_back_is_complete)
{
    static uint8_t body[5000];
    struct disk d;
    mgc__journal_opts opts = {.ops = disk_ops, .user = &d, .segment_bytes = 4096, .salt = 3};
    mgc__journal *j;
    mgc__journal_point here;
    mgc__place place;
    int n = 0;

    for (int into = 0; into < 2; into++) { /* taken back: within a file, and when a file was begun for it */
        disk_init(&d);
        n = 0;
        ck_assert_int_eq(mgc__journal_open(ctx, &opts, visit_nothing, &n, &j), MGC_OK);
        ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, 1, body, 3000, &place), MGC_OK);
        here = mgc__journal_here(j);
        ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, 2, body, into ? 3000 : 20, &place), MGC_OK);
        ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_CERTIFICATE, 0, 2, body, 10, &place), MGC_OK);
        ck_assert_int_eq(mgc__journal_go_back(j, &here), MGC_OK);
        ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, 2, body, 5000, &place), MGC_OK);
        ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, 3, body, 5000, &place), MGC_OK);
        ck_assert_int_eq(mgc__journal_sync(j), MGC_OK);
        mgc__journal_close(j);
        ck_assert_int_eq(n, 0);
        ck_assert_msg(mgc__journal_open(ctx, &opts, visit_nothing, &n, &j) == MGC_OK, "%s", mgc_ctx_error(ctx));
        ck_assert_int_eq(n, 3);
        mgc__journal_close(j);
        disk_free(&d);
    }
}
END_TEST

/* A loss of power may keep a later record and lose an earlier one of the same group: neither was durable. */
START_TEST(what_was_not_synced_may_be_lost_in_any_order) /* faults 84 */
{
    static uint8_t body[100];

    for (int synced = 0; synced < 2; synced++) {
        struct disk d;
        mgc__journal_opts opts = {.ops = disk_ops, .user = &d, .segment_bytes = 1 << 20, .salt = 3};
        mgc__place place, other;
        mgc__journal *j;
        int n = 0;

        disk_init(&d);
        ck_assert_int_eq(mgc__journal_open(ctx, &opts, visit_nothing, &n, &j), MGC_OK);
        ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, 1, body, 100, &other), MGC_OK);
        ck_assert_int_eq(mgc__journal_sync(j), MGC_OK);
        ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, 2, body, 100, &place), MGC_OK);
        ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_CERTIFICATE, 0, 2, body, 100, &other), MGC_OK);
        if (synced) ck_assert_int_eq(mgc__journal_sync(j), MGC_OK);
        mgc__journal_close(j);
        d.files[0].bytes[place.offset + 60] ^= 1;
        ck_assert_int_eq(mgc__journal_open(ctx, &opts, visit_nothing, &n, &j), synced ? MGC_E_CORRUPT : MGC_OK);
        ck_assert_int_eq(n, 1);
        mgc__journal_close(j);
        disk_free(&d);
    }
}
END_TEST

/* A record forged inside a transaction: it looks whole, but whoever only sends transactions does not know the salt. */
START_TEST(a_forged_record_in_a_torn_one_is_not_believed)
{
    static uint8_t forged[400], *inner = forged + 100;
    struct disk d, other;
    mgc__journal_opts opts = {.ops = disk_ops, .user = &d, .segment_bytes = 1 << 20, .salt = 0xfeedbeef};
    mgc__journal *j;
    mgc__place place;
    int n = 0;

    for (int knows = 0; knows < 2; knows++) {
        disk_init(&d);
        disk_init(&other);
        /* the forger's own journal, with many syncs before: its record says that all before it was durable */
        opts.user = &other;
        opts.salt = knows ? 0xfeedbeef : 0;
        ck_assert_int_eq(mgc__journal_open(ctx, &opts, visit_nothing, &n, &j), MGC_OK);
        for (int i = 0; i < 5; i++) {
            ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, 1, forged, 30, &place), MGC_OK);
            ck_assert_int_eq(mgc__journal_sync(j), MGC_OK);
        }
        mgc__journal_close(j);
        memcpy(inner, other.files[0].bytes + place.offset, MGC__RECORD_HEADER + 30);

        opts.user = &d;
        opts.salt = 0xfeedbeef;
        ck_assert_int_eq(mgc__journal_open(ctx, &opts, visit_nothing, &n, &j), MGC_OK);
        ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, 1, forged, sizeof forged, &place), MGC_OK);
        mgc__journal_close(j);
        d.files[0].bytes[place.offset + 3] ^= 1; /* power lost: its head is torn, its body is there */
        mgc_status status = mgc__journal_open(ctx, &opts, visit_nothing, &n, &j);
        ck_assert_int_eq(status, knows ? MGC_E_CORRUPT : MGC_OK);
        mgc__journal_close(j);
        disk_free(&d);
        disk_free(&other);
    }
}
END_TEST

/* --- someone who can write the files, and knows the salt ---------------------------------------- */

static uint32_t le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (8 * i));
}

/* Give a record checksums that fit what it now holds. */
static void fix_checksums(uint8_t *record, uint64_t salt)
{
    uint8_t le[8];

    put_le32(le, (uint32_t)salt);
    put_le32(le + 4, (uint32_t)(salt >> 32));
    put_le32(record + 40, mgc__crc32c(0, record + MGC__RECORD_HEADER, le32(record + 4)));
    put_le32(record + 44, mgc__crc32c(mgc__crc32c(0, le, 8), record, 44));
}

static mgc_status begins_later(void *user, bool *pruned)
{
    (void)user;
    *pruned = true;
    return MGC_OK;
}

/* The journal of a store that has written 2^32 - 3 records and keeps the last file of them. */
START_TEST(records_are_counted_beyond_32_bits) /* faults 97 */
{
    const uint64_t first = (UINT64_C(1) << 32) - 3;
    static uint8_t head[MGC__RECORD_HEADER + MGC__SEGMENT_BODY], body[300];
    struct disk d;
    mgc__journal_opts opts = {.ops = disk_ops, .user = &d, .segment_bytes = 1200, .salt = 3, .prepare = begins_later};
    mgc__place places[12];
    mgc__journal_info info;
    mgc__journal *j;
    mgc__buf got;
    int n = 0;

    disk_init(&d);
    memcpy(head, "MGJ1", 4);
    put_le32(head + 4, MGC__SEGMENT_BODY);
    for (size_t at = 8; at <= 16; at += 8) put_le32(head + at, (uint32_t)first); /* its number; what was synced */
    head[32] = MGC__RECORD_SEGMENT;
    put_le32(head + 48, 1);
    put_le32(head + 52, 7); /* the file's number */
    put_le32(head + 56, 3); /* the salt */
    put_le32(head + 64, (uint32_t)first);
    fix_checksums(head, 0);
    ck_assert_int_eq(disk_ops.append(&d, "journal-00000007.mgj", head, sizeof head), MGC_CB_DONE);
    ck_assert_msg(mgc__journal_open(ctx, &opts, visit_nothing, &n, &j) == MGC_OK, "%s", mgc_ctx_error(ctx));
    for (int i = 0; i < 12; i++) {
        body[0] = (uint8_t)i;
        ck_assert_int_eq(mgc__journal_append(j, MGC__RECORD_BLOCK, 0, 1 + (uint64_t)i, body, sizeof body, &places[i]), MGC_OK);
    }
    ck_assert_int_eq(mgc__journal_sync(j), MGC_OK);
    ck_assert_uint_gt(places[11].sequence, (UINT64_C(1) << 32) + 4);
    mgc__journal_close(j);
    n = 0;
    ck_assert_msg(mgc__journal_open(ctx, &opts, visit_nothing, &n, &j) == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_int_eq(n, 12);
    mgc__journal_get_info(j, &info);
    ck_assert_uint_gt(info.records, places[11].sequence);
    ck_assert_uint_gt(info.n_segments, 3);
    mgc__buf_init(&got, ctx, MGC__RECORD_MAX);
    for (int i = 0; i < 12; i++) {
        ck_assert_int_eq(mgc__journal_read(j, &places[i], MGC__RECORD_BLOCK, &got), MGC_OK);
        ck_assert_uint_eq(got.bytes[0], (uint8_t)i);
    }
    mgc__buf_free(&got);
    mgc__journal_close(j);
    disk_free(&d);
}
END_TEST

/* Every byte of every block and certificate is bound by a hash, a root, a digest or a signature. */
START_TEST(forged_bytes_with_right_checksums_are_found) /* faults 61, 62, 67 */
{
    struct disk d;
    mgc_verify_info info;
    mgc_ledger_opts opts;
    size_t last_certificate = 0, tried = 0;

    disk_init(&d);
    build(&d, 3, 1 << 20, NULL);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &d;
    opts.read_only = 1;
    uint8_t *bytes = d.files[0].bytes;
    for (size_t at = 0; at < d.files[0].size; at += MGC__RECORD_HEADER + le32(bytes + at + 4))
        if (bytes[at + 32] == MGC__RECORD_CERTIFICATE) last_certificate = at;
    for (size_t at = 0; at < d.files[0].size; at += MGC__RECORD_HEADER + le32(bytes + at + 4)) {
        uint32_t type = bytes[at + 32], len = le32(bytes + at + 4);
        bool vouched = type == MGC__RECORD_BLOCK || type == MGC__RECORD_GENESIS || at == last_certificate;

        for (uint32_t i = 0; type != MGC__RECORD_SEGMENT && i < len; i += 3) {
            uint8_t *byte = bytes + at + MGC__RECORD_HEADER + i;
            mgc_ledger *ledger;

            *byte ^= 0x10;
            fix_checksums(bytes + at, 77);
            ck_assert_msg(verify(&d, false, &info) != MGC_OK, "type %" PRIu32 " byte %" PRIu32, type, i);
            /* opening checks the last certificate, which vouches for all blocks before it */
            mgc_status status = mgc_ledger_open(ctx, &opts, &ledger);
            mgc_ledger_close(ledger);
            if (vouched) ck_assert_msg(status != MGC_OK, "opened: type %" PRIu32 " byte %" PRIu32, type, i);
            *byte ^= 0x10;
            fix_checksums(bytes + at, 77);
            tried++;
        }
        for (size_t field = 8; type != MGC__RECORD_SEGMENT && field < 40;
             field++) {                              /* number, height, type, chain, 0 */
            if (field >= 16 && field < 24) continue; /* what was durable when: believed, and harmless */
            bytes[at + field] ^= 1;
            fix_checksums(bytes + at, 77);
            ck_assert_msg(verify(&d, false, &info) != MGC_OK, "type %" PRIu32 " field at %zu", type, field);
            bytes[at + field] ^= 1;
            fix_checksums(bytes + at, 77);
        }
    }
    ck_assert_int_eq(verify(&d, true, &info), MGC_OK);
    ck_assert_uint_gt(tried, 500);
    disk_free(&d);
}
END_TEST

/* The member itself puts something into a block that nobody signed: its own roots and signature are right. */
START_TEST(a_member_cannot_invent_a_transaction)
{
    static uint8_t bytes[MGC_TX_BYTES_MAX];
    struct disk d;
    struct world w;
    mgc_verify_info info;
    mgc__tx tx;

    disk_init(&d);
    ck_assert_int_eq(world_open(&w, ctx, &d, 1 << 20), MGC_OK);
    size_t len = make_tx(&w, "put", "kv", 2, bytes);
    bytes[len - 1] ^= 1;
    ck_assert_int_eq(mgc__tx_decode(ctx, bytes, len, &tx), MGC_OK);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(mgc__exec_add(w.chain, &tx, NULL), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    world_close(&w);
    ck_assert_int_eq(verify(&d, false, &info), MGC_E_BAD_SIGNATURE);
    ck_assert_int_eq(verify(&d, true, &info), MGC_E_BAD_SIGNATURE);
    disk_free(&d);
}
END_TEST

/* Nor let one count twice, in one block, in a later one, or in one behind a snapshot. */
START_TEST(a_member_cannot_repeat_a_transaction)
{
    static uint8_t bytes[MGC_TX_BYTES_MAX];
    struct disk d;
    struct world w;
    mgc_verify_info info;
    mgc__tx tx;

    disk_init(&d);
    ck_assert_int_eq(world_open(&w, ctx, &d, 1 << 20), MGC_OK);
    for (int i = 0; i < 3; i++) { /* others, so that there is something to sort */
        ck_assert_int_eq(mgc_chain_begin(w.chain, 1500 + (uint64_t)i), MGC_OK);
        ck_assert_int_eq(add_put(&w, 'k', "v", NULL), MGC_OK);
        ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    }
    size_t len = make_tx(&w, "put", "kw", 2, bytes);
    ck_assert_int_eq(mgc__tx_decode(ctx, bytes, len, &tx), MGC_OK);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(mgc__exec_add(w.chain, &tx, NULL), MGC_OK);
    for (int where = 0; where < 3; where++) {
        if (where > 0) ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
        if (_i == 2 && where == 1) ck_assert_int_eq(mgc_ledger_sync(w.ledger), MGC_OK);
        if (_i == 2 && where == 2) ck_assert_int_eq(mgc_ledger_snapshot(w.ledger), MGC_OK);
        if (where > 0) ck_assert_int_eq(mgc_chain_begin(w.chain, (uint64_t)where * 86400000), MGC_OK);
        if (where != _i) continue;
        mgc__free(ctx, mgc__tree_remove(&w.chain->txs, tx.id, 32)); /* it forgets what it knows */
        if (where == 0) { /* the open block's own, too: its item is gone */
            w.chain->n_open_txs = 0;
            ck_assert_int_eq(mgc__exec_add(w.chain, &tx, NULL), MGC_OK);
            w.chain->n_open_txs = 2;
            w.chain->open_items[1] = w.chain->open_items[0];
        } else {
            ck_assert_int_eq(mgc__exec_add(w.chain, &tx, NULL), MGC_OK);
        }
    }
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    world_close(&w);
    ck_assert_int_eq(verify(&d, false, &info), MGC_E_DUPLICATE_TXID);
    ck_assert_int_eq(verify(&d, true, &info), MGC_E_DUPLICATE_TXID);
    ck_assert_int_eq(world_open(&w, ctx, &d, 1 << 20), MGC_E_DUPLICATE_TXID);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), _i == 0 ? "transaction 1 of block 4" : _i == 1 ? "of block 5" : "of block 6"));
    world_close(&w);
    disk_free(&d);
}
END_TEST

/* Nor an effect: only executing again finds that. */
static mgc_status lying_execute(void *user, mgc__exec *x, const mgc__tx *tx)
{
    mgc_status status = toy.execute(user, x, tx);

    return status != MGC_OK ? status : mgc__record_put(x, 5, (const uint8_t *)"loot", 4, (const uint8_t *)"1", 1);
}

START_TEST(a_member_cannot_invent_an_effect)
{
    mgc__executor liar = {.execute = lying_execute, .end_block = toy.end_block};
    struct disk d;
    struct world w;
    mgc_verify_info info;

    disk_init(&d);
    ck_assert_int_eq(world_open(&w, ctx, &d, 1 << 20), MGC_OK);
    mgc__chain_set_executor(w.chain, &liar);
    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(add_put(&w, 'k', "v", NULL), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    world_close(&w);
    ck_assert_int_eq(verify(&d, false, &info), MGC_OK);
    ck_assert_int_eq(verify(&d, true, &info), MGC_E_STATE_MISMATCH);
    disk_free(&d);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("storage");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_same_acts_give_the_same_bytes);
    tcase_add_test(tcase, what_was_stored_is_there_again);
    tcase_add_test(tcase, every_flipped_bit_is_found);
    tcase_add_test(tcase, what_stands_before_damage_can_be_read);
    tcase_add_test(tcase, a_torn_tail_is_cut_at_every_byte);
    tcase_add_test(tcase, power_loss_at_every_storage_call);
    tcase_add_test(tcase, every_storage_call_fails_once);
    tcase_add_test(tcase, a_full_disk_can_be_emptied);
    tcase_add_test(tcase, a_failed_sync_is_final);
    tcase_add_test(tcase, files_missing_swapped_or_foreign_are_refused);
    tcase_add_test(tcase, the_embedded_files_hold_a_ledger);
    tcase_add_test(tcase, going_back_is_complete);
    tcase_add_test(tcase, a_killed_process_leaves_a_whole_ledger);
    tcase_add_test(tcase, what_was_not_synced_may_be_lost_in_any_order);
    tcase_add_test(tcase, a_forged_record_in_a_torn_one_is_not_believed);
    tcase_add_test(tcase, records_are_counted_beyond_32_bits);
    tcase_add_test(tcase, forged_bytes_with_right_checksums_are_found);
    tcase_add_test(tcase, a_member_cannot_invent_a_transaction);
    tcase_add_loop_test(tcase, a_member_cannot_repeat_a_transaction, 0, 3);
    tcase_add_test(tcase, a_member_cannot_invent_an_effect);
    tcase_add_test(tcase, every_allocation_fails_once);
    return run_suite("ledger-storage", tcase);
}
