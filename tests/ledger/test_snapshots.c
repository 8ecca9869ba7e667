/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots at a day's close, opening from them, pruning below them.  faults.md 79, 83, 94, 95. */
#include "mgchain/verify.h"
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

/* --- two chains that live day by day ------------------------------------------------------------- */

enum { DAY = 86400000, SEGMENT = 4096 };

struct twin {
    struct world w; /* its chain is the first */
    mgc_chain *second;
};

static mgc_status twin_open(struct twin *t, struct disk *d, uint64_t segment_bytes)
{
    mgc_member member = {.id = 1};
    mgc_genesis g = {.struct_size = sizeof g,
                     .name = "second",
                     .time_ms = 500,
                     .members = &member,
                     .n_members = 1,
                     .quorum = 1};
    mgc_status status = world_open(&t->w, ctx, d, segment_bytes);

    if (status != MGC_OK) return status;
    memcpy(member.public_key, mgc__key_public(t->w.member), 32);
    status = mgc_ledger_chain(t->w.ledger, "second", &t->second);
    if (status == MGC_E_NOT_FOUND) status = mgc_ledger_add_chain(t->w.ledger, &g, &t->second);
    if (status == MGC_OK) mgc__chain_set_executor(t->second, &toy);
    return status;
}

/* One transaction on a chain, by hand: the world's helpers speak to its own. */
static mgc_status put_on(struct twin *t, mgc_chain *chain, uint8_t key, const char *value)
{
    mgc_chain *own = t->w.chain;
    uint8_t id[32];
    mgc_status status;

    memcpy(id, t->w.chain_id, 32);
    t->w.chain = chain;
    memcpy(t->w.chain_id, chain->id, 32);
    status = add_put(&t->w, key, value, NULL);
    t->w.chain = own;
    memcpy(t->w.chain_id, id, 32);
    return status;
}

/* Three blocks on each chain, in turns.  *acked: heights of both added up, whenever both were acknowledged. */
static mgc_status live_day(struct twin *t, uint64_t day, uint64_t *acked)
{
    mgc_status status = MGC_OK;

    for (uint64_t b = 0; b < 6 && status == MGC_OK; b++) {
        mgc_chain *chain = b % 2 == 0 ? t->w.chain : t->second;
        uint64_t time_ms = day * DAY + 2000 * (b + 1);
        char value[32];

        if (time_ms <= chain->time_ms) continue; /* done before a crash */
        snprintf(value, sizeof value, "%" PRIu64 ".%" PRIu64, day, b);
        status = mgc_chain_begin(chain, time_ms);
        if (status == MGC_OK) status = put_on(t, chain, (uint8_t)(day % 5 + b), value);
        if (status == MGC_OK && b == 0 && day == 0) {
            status = add_account(&t->w, 1, 1, 0, NULL);
            if (status == MGC_OK) status = add_account(&t->w, 2, 1, MGC_ACCOUNT_HISTORY, NULL);
        } else if (status == MGC_OK && b == 2) {
            status = add_move(&t->w, 100 + day, 1, 2, day + 1, 0, 0, 0, NULL);
        }
        if (status == MGC_OK) status = mgc_chain_commit(chain, t->w.member);
        if (status == MGC_OK) *acked = t->w.chain->acked_height + t->second->acked_height;
    }
    mgc_chain_abort(t->w.chain);
    mgc_chain_abort(t->second);
    return status;
}

static void must_live(struct twin *t, uint64_t from, uint64_t to, bool snapshots)
{
    uint64_t acked;

    for (uint64_t day = from; day < to; day++) {
        ck_assert_msg(live_day(t, day, &acked) == MGC_OK, "%s", mgc_ctx_error(ctx));
        if (snapshots) ck_assert_msg(mgc_ledger_snapshot(t->w.ledger) == MGC_OK, "%s", mgc_ctx_error(ctx));
    }
}

/* Everything that can be asked of both chains, in one hash. */
static void fingerprint(const struct twin *t, uint8_t hash[32])
{
    uint8_t id[16];
    mgc__sha256 s;

    mgc__sha256_init(&s);
    for (int c = 0; c < 2; c++) {
        mgc_chain *chain = c == 0 ? t->w.chain : t->second;
        mgc_chain_info info;
        mgc_transfer_info transfer = {.struct_size = sizeof transfer};
        uint8_t root[32];
        memset(&info, 0, sizeof info);
        info.struct_size = sizeof info;
        ck_assert_int_eq(mgc_chain_get_info(chain, &info), MGC_OK);
        info.name = NULL;
        mgc__sha256_put(&s, &info, sizeof info);
        ck_assert_int_eq(mgc_chain_state_root(chain, root), MGC_OK);
        mgc__sha256_put(&s, root, 32);
        for (const mgc__item *item = mgc__tree_after(&chain->txs, NULL, 0, true); item != NULL;
             item = mgc__tree_after(&chain->txs, item->bytes, item->key_len, false))
            mgc__sha256_put(&s, item->bytes, item->key_len + item->value_len);
        id_of(id, 2);
        for (uint64_t h = 0, i = 0; mgc_chain_next_transfer_of(chain, id, h, (uint32_t)i, &transfer) == MGC_OK;
             h = transfer.height, i = transfer.index)
            mgc__sha256_put(&s, transfer.id, 16);
    }
    mgc__sha256_end(&s, hash);
}

static mgc_status verify(struct disk *d, mgc_verify_info *info)
{
    mgc_ledger_opts opts;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = d;
    *info = (mgc_verify_info){.struct_size = sizeof *info};
    return mgc_ledger_verify(ctx, &opts, info);
}

static struct disk_file *snapshot_of(struct disk *d, uint32_t chain, uint64_t day_block)
{
    char name[MGC_STORAGE_NAME_MAX + 1];

    snprintf(name, sizeof name, "snapshot-%02" PRIx32 "-%016" PRIx64 ".mgs", chain, day_block);
    return disk_find(d, name);
}

static size_t count_files(const struct disk *d, const char *prefix)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) n += strncmp(d->files[i].name, prefix, strlen(prefix)) == 0;
    return n;
}

/* --- the same on all, and the same again --------------------------------------------------------- */

START_TEST(snapshots_are_the_same_on_all_members_and_open_to_the_same)
{
    struct disk a, b;
    struct twin t;
    uint8_t want[32], got[32];
    mgc_verify_info info;

    disk_init(&a);
    disk_init(&b);
    ck_assert_int_eq(twin_open(&t, &a, SEGMENT), MGC_OK);
    must_live(&t, 0, 6, true);
    fingerprint(&t, want);
    world_close(&t.w);
    ck_assert_int_eq(twin_open(&t, &b, 1 << 20), MGC_OK); /* another member: other files, another order of calls */
    must_live(&t, 0, 5, false);
    ck_assert_int_eq(mgc_ledger_snapshot(t.w.ledger), MGC_OK);
    must_live(&t, 5, 6, true);
    fingerprint(&t, got);
    ck_assert_mem_eq(want, got, 32);
    ck_assert_int_eq(mgc_ledger_snapshot(t.w.ledger), MGC_OK); /* nothing is new */
    world_close(&t.w);
    ck_assert_uint_eq(count_files(&a, "snapshot-"), 4); /* two of each chain */
    ck_assert_uint_eq(count_files(&b, "snapshot-"), 4);
    for (uint32_t c = 0; c < 2; c++)
        for (uint64_t day_block = 13; day_block <= 16; day_block += 3) {
            struct disk_file *x = snapshot_of(&a, c, day_block), *y = snapshot_of(&b, c, day_block);
            ck_assert_ptr_nonnull(x);
            ck_assert_ptr_nonnull(y);
            ck_assert_uint_eq(x->size, y->size);
            ck_assert_mem_eq(x->bytes, y->bytes, x->size);
        }
    for (int round = 0; round < 3; round++) { /* from snapshots, as long as life goes on */
        ck_assert_msg(twin_open(&t, &a, SEGMENT) == MGC_OK, "%s", mgc_ctx_error(ctx));
        ck_assert_uint_gt(t.w.chain->resume_height, 0);
        fingerprint(&t, got);
        ck_assert_mem_eq(want, got, 32);
        must_live(&t, 6 + (uint64_t)round, 7 + (uint64_t)round, round != 1);
        fingerprint(&t, want);
        world_close(&t.w);
    }
    ck_assert_msg(verify(&a, &info) == MGC_OK, "%s", mgc_ctx_error(ctx)); /* from the first block on */
    ck_assert_uint_eq(info.blocks, 54);
    mgc_ledger_opts opts;
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &a;
    opts.full = 1;
    ck_assert_int_eq(mgc_ledger_open(ctx, &opts, &t.w.ledger), MGC_OK);
    ck_assert_int_eq(mgc_ledger_chain(t.w.ledger, "trading", &t.w.chain), MGC_OK);
    ck_assert_int_eq(mgc_ledger_chain(t.w.ledger, "second", &t.second), MGC_OK);
    ck_assert_uint_eq(t.w.chain->resume_height, 0);
    fingerprint(&t, got);
    ck_assert_mem_eq(want, got, 32);
    mgc_ledger_close(t.w.ledger);
    disk_free(&a);
    disk_free(&b);
}
END_TEST

/* --- bad snapshots ------------------------------------------------------------------------------- */

static void crc_again(struct disk_file *f)
{
    mgc__put_be32(f->bytes + f->size - 4, mgc__crc32c(0, f->bytes, f->size - 4));
}

START_TEST(a_forged_or_damaged_snapshot_is_refused) /* faults 95 */
{
    struct disk whole, d;
    struct disk_file *f;
    struct twin t;
    uint8_t want[32], got[32];
    size_t refused = 0;

    disk_init(&whole);
    ck_assert_int_eq(twin_open(&t, &whole, SEGMENT), MGC_OK);
    must_live(&t, 0, 4, true);
    fingerprint(&t, want);
    world_close(&t.w);
    size_t size = snapshot_of(&whole, 0, 10)->size;
    for (size_t i = 0; i < size; i += 11) { /* damaged: the one before it is read */
        disk_copy(&d, &whole);
        snapshot_of(&d, 0, 10)->bytes[i] ^= 0x10;
        ck_assert_msg(twin_open(&t, &d, SEGMENT) == MGC_OK, "byte %zu: %s", i, mgc_ctx_error(ctx));
        ck_assert_uint_eq(t.w.chain->resume_height, 6);
        fingerprint(&t, got);
        ck_assert_mem_eq(want, got, 32);
        world_close(&t.w);
        disk_free(&d);
    }
    for (size_t i = 8; i < size - 4; i += 5) { /* forged, with the right checksum: never another state */
        disk_copy(&d, &whole);
        f = snapshot_of(&d, 0, 10);
        f->bytes[i] ^= 1;
        crc_again(f);
        if (twin_open(&t, &d, SEGMENT) == MGC_OK) {
            uint8_t root[32], true_root[32];
            struct twin good;
            struct disk copy;
            ck_assert_int_eq(mgc_chain_state_root(t.w.chain, root), MGC_OK);
            disk_copy(&copy, &whole);
            ck_assert_int_eq(twin_open(&good, &copy, SEGMENT), MGC_OK);
            ck_assert_int_eq(mgc_chain_state_root(good.w.chain, true_root), MGC_OK);
            ck_assert_mem_eq(root, true_root, 32);
            ck_assert_mem_eq(t.w.chain->hash, good.w.chain->hash, 32);
            world_close(&good.w);
            disk_free(&copy);
        } else {
            refused++;
        }
        world_close(&t.w);
        disk_free(&d);
    }
    ck_assert_uint_gt(refused, size / 20);
    disk_copy(&d, &whole); /* of another height */
    f = snapshot_of(&d, 0, 10);
    snprintf(f->name, sizeof f->name, "snapshot-00-%016x.mgs", 11);
    ck_assert_int_eq(twin_open(&t, &d, SEGMENT), MGC_OK); /* not what its name says: passed over */
    ck_assert_uint_eq(t.w.chain->resume_height, 6);
    world_close(&t.w);
    disk_free(&d);
    disk_copy(&d, &whole); /* of another chain */
    f = snapshot_of(&d, 0, 10);
    memcpy(f->bytes = realloc(f->bytes, snapshot_of(&d, 1, 10)->size + 1), snapshot_of(&d, 1, 10)->bytes,
           snapshot_of(&d, 1, 10)->size);
    f->size = snapshot_of(&d, 1, 10)->size;
    ck_assert_int_ne(twin_open(&t, &d, SEGMENT), MGC_OK);
    world_close(&t.w);
    disk_free(&d);
    disk_free(&whole);
}
END_TEST

/* --- pruning ------------------------------------------------------------------------------------- */

/* An index made before finds nothing that is pruned; what it finds can be read. */
static void prune_and_find(struct twin *t, uint32_t *removed)
{
    const uint8_t *sender = mgc__key_public(t->w.alice);
    mgc_cursor cursor = {{0}};
    mgc_found found[100];
    size_t before, after;
    mgc_block *block;

    ck_assert_int_eq(mgc_chain_find_transactions(t->w.chain, sender, &cursor, found, 100, &before), MGC_OK);
    ck_assert_int_eq(mgc_ledger_prune(t->w.ledger, removed), MGC_OK);
    ck_assert_uint_gt(*removed, 1);
    memset(&cursor, 0, sizeof cursor);
    ck_assert_int_eq(mgc_chain_find_transactions(t->w.chain, sender, &cursor, found, 100, &after), MGC_OK);
    ck_assert_uint_lt(after, before);
    ck_assert_uint_gt(after, 0);
    for (size_t i = 0; i < after; i++) {
        ck_assert_int_eq(mgc_chain_read_block(t->w.chain, found[i].height, &block), MGC_OK);
        mgc_block_destroy(block);
    }
}

START_TEST(what_is_pruned_is_proved_to_have_been_committed)
{
    static uint8_t proof[1 << 16];
    struct disk d, copy;
    struct twin t;
    uint8_t want[32], got[32], hashes[30][32];
    uint32_t removed;
    size_t len;
    mgc_verify_info info;
    mgc_verifier v;
    mgc_verified what = {.struct_size = sizeof what};
    mgc_block *block;

    disk_init(&d);
    ck_assert_int_eq(twin_open(&t, &d, SEGMENT), MGC_OK);
    must_live(&t, 0, 2, true);
    ck_assert_int_eq(mgc_ledger_prune(t.w.ledger, &removed), MGC_E_STATE); /* one snapshot each is not enough */
    must_live(&t, 2, 8, true);
    for (int h = 0; h < 24; h++) memcpy(hashes[h], t.w.chain->blocks[h].hash, 32);
    size_t files = count_files(&d, "journal-");
    prune_and_find(&t, &removed);
    ck_assert_uint_eq(count_files(&d, "journal-"), files - removed);
    ck_assert_ptr_null(disk_find(&d, "journal-00000000.mgj"));
    fingerprint(&t, want);
    for (int again = 0; again < 2; again++) {
        ck_assert_int_eq(mgc_chain_read_block(t.w.chain, 2, &block), MGC_E_NOT_FOUND);
        ck_assert_ptr_null(block);
        ck_assert_int_eq(mgc_verifier_init(&v, sizeof v, t.w.chain->id), MGC_OK);
        for (uint64_t h = 1; h < 24; h++) {
            ck_assert_int_eq(mgc_chain_prove_ancestor(t.w.chain, h, 24, proof, sizeof proof, &len), MGC_OK);
            ck_assert_int_eq(mgc_verify_ancestor(&v, proof, len, &what), MGC_OK);
            ck_assert_mem_eq(what.item_hash, hashes[h - 1], 32);
            ck_assert_uint_eq(what.index, h);
            ck_assert(h > 6 || what.item == NULL);
            ck_assert(h < 21 || what.item != NULL);
        }
        ck_assert_int_eq(mgc_chain_prove_consistency(t.w.chain, 2, 24, proof, sizeof proof, &len), MGC_OK);
        world_close(&t.w);
        ck_assert_msg(twin_open(&t, &d, SEGMENT) == MGC_OK, "%s", mgc_ctx_error(ctx));
        fingerprint(&t, got);
        ck_assert_mem_eq(want, got, 32);
    }
    must_live(&t, 8, 10, true);
    ck_assert_int_eq(mgc_ledger_prune(t.w.ledger, &removed), MGC_OK);
    world_close(&t.w);
    ck_assert_msg(verify(&d, &info) == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_uint_eq(info.executed, 0);

    disk_copy(&copy, &d); /* the later snapshots are lost: the older ones are enough */
    snapshot_of(&copy, 0, 28)->bytes[40] ^= 1;
    snapshot_of(&copy, 1, 28)->bytes[40] ^= 1;
    ck_assert_msg(twin_open(&t, &copy, SEGMENT) == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_uint_eq(t.w.chain->height, 30);
    world_close(&t.w);
    snapshot_of(&copy, 0, 25)->bytes[40] ^= 1; /* and those too: what is pruned is gone */
    ck_assert_int_eq(twin_open(&t, &copy, SEGMENT), MGC_E_CORRUPT);
    world_close(&t.w);
    disk_free(&copy);
    disk_copy(&copy, &d); /* a file more is missing */
    struct disk_file *first = NULL;
    for (size_t i = 0; i < copy.n; i++)
        if (strncmp(copy.files[i].name, "journal-", 8) == 0 &&
            (first == NULL || strcmp(copy.files[i].name, first->name) < 0))
            first = &copy.files[i];
    free(first->bytes);
    *first = copy.files[--copy.n];
    mgc_status status = twin_open(&t, &copy, SEGMENT);
    if (status == MGC_OK) ck_assert_uint_eq(t.w.chain->height, 30); /* it held nothing that the later snapshot needs */
    world_close(&t.w);
    disk_free(&copy);
    disk_free(&d);
}
END_TEST

/* --- faults while writing ------------------------------------------------------------------------ */

START_TEST(a_full_disk_costs_a_snapshot_not_the_ledger) /* faults 79 */
{
    for (uint64_t room = 0; room < 4000; room += 37) {
        struct disk d;
        struct twin t;
        uint8_t want[32], got[32];
        uint64_t acked;

        disk_init(&d);
        ck_assert_int_eq(twin_open(&t, &d, 1 << 20), MGC_OK);
        must_live(&t, 0, 3, false);
        d.room = room;
        mgc_status status = mgc_ledger_snapshot(t.w.ledger);
        ck_assert(status == MGC_OK || status == MGC_E_IO);
        d.room = UINT64_MAX;
        ck_assert_int_eq(live_day(&t, 3, &acked), MGC_OK); /* life goes on */
        ck_assert_int_eq(mgc_ledger_snapshot(t.w.ledger), MGC_OK);
        fingerprint(&t, want);
        world_close(&t.w);
        ck_assert_msg(twin_open(&t, &d, 1 << 20) == MGC_OK, "%s", mgc_ctx_error(ctx));
        ck_assert_uint_eq(t.w.chain->resume_height, 9);
        fingerprint(&t, got);
        ck_assert_mem_eq(want, got, 32);
        world_close(&t.w);
        disk_free(&d);
    }
}
END_TEST

static mgc_status snapshot_life(struct twin *t, uint64_t days, uint64_t *acked)
{
    mgc_status status = MGC_OK;

    for (uint64_t day = t->w.chain->time_ms / DAY; day < days && status == MGC_OK; day++) {
        status = live_day(t, day, acked);
        if (status == MGC_OK) status = mgc_ledger_snapshot(t->w.ledger);
        if (status == MGC_OK && day > 3) status = mgc_ledger_prune(t->w.ledger, NULL);
    }
    return status;
}

START_TEST(power_loss_at_every_call_around_snapshots) /* faults 83, 85 */
{
    long calls = 1;

    for (long k = 0; k < calls; k++) {
        struct disk d;
        struct twin t;
        mgc__rng rng;
        mgc_verify_info info;
        uint64_t acked = 0;

        mgc__rng_seed(&rng, 900 + (uint64_t)k);
        disk_init(&d);
        d.fault_at = k;
        d.fault = MGC_E_IO;
        d.die = true;
        d.short_write = k % 2 == 0;
        if (twin_open(&t, &d, SEGMENT) == MGC_OK) (void)snapshot_life(&t, 6, &acked);
        world_close(&t.w);
        if (d.calls > calls && !d.dead) calls = d.calls; /* one whole life counts them */
        if (k == 0) {
            struct disk whole;
            disk_init(&whole);
            ck_assert_int_eq(twin_open(&t, &whole, SEGMENT), MGC_OK);
            ck_assert_int_eq(snapshot_life(&t, 6, &acked), MGC_OK);
            world_close(&t.w);
            calls = whole.calls;
            disk_free(&whole);
            acked = 0;
        }
        disk_crash(&d, &rng);
        ck_assert_msg(twin_open(&t, &d, SEGMENT) == MGC_OK, "call %ld: %s", k, mgc_ctx_error(ctx));
        ck_assert_uint_ge(t.w.chain->height + t.second->height, acked);
        ck_assert_msg(snapshot_life(&t, 7, &acked) == MGC_OK, "call %ld: %s", k, mgc_ctx_error(ctx));
        ck_assert_uint_eq(t.w.chain->height + t.second->height, 42);
        world_close(&t.w);
        ck_assert_msg(verify(&d, &info) == MGC_OK, "call %ld: %s", k, mgc_ctx_error(ctx));
        disk_free(&d);
    }
    ck_assert_int_gt(calls, 150);
}
END_TEST

START_TEST(every_allocation_around_snapshots_fails_once)
{
    long allocations = 1;

    for (long k = 0; k < allocations; k += 1 + k / 60) {
        struct heap heap = {.until_fault = -1};
        mgc_allocator allocator = heap_allocator(&heap);
        mgc_ctx_opts opts;
        mgc_ctx *own = ctx;
        struct disk d;
        struct twin t;
        uint64_t acked = 0;
        mgc_status status;

        mgc_ctx_opts_init(&opts, sizeof opts);
        opts.allocator = &allocator;
        disk_init(&d);
        ck_assert_int_eq(mgc_ctx_create(&opts, &ctx), MGC_OK);
        ck_assert_int_eq(twin_open(&t, &d, SEGMENT), MGC_OK);
        ck_assert_int_eq(snapshot_life(&t, 4, &acked), MGC_OK);
        ck_assert_int_eq(live_day(&t, 4, &acked), MGC_OK);
        heap.until_fault = k == 0 ? 1 << 28 : k;
        status = mgc_ledger_snapshot(t.w.ledger);
        world_close(&t.w);
        if (status == MGC_OK) status = twin_open(&t, &d, SEGMENT);
        if (k == 0) allocations = (1 << 28) - heap.until_fault;
        ck_assert_msg(status == (k == 0 ? MGC_OK : status) && (status == MGC_OK || status == MGC_E_NO_MEMORY), "%s",
                      mgc_status_name(status));
        world_close(&t.w);
        heap.until_fault = -1;
        ck_assert_int_eq(twin_open(&t, &d, SEGMENT), MGC_OK);
        ck_assert_uint_eq(t.w.chain->height, 15);
        world_close(&t.w);
        mgc_ctx_destroy(ctx);
        ck_assert_int_eq(heap.live, 0);
        ctx = own;
        disk_free(&d);
    }
    ck_assert_int_gt(allocations, 100);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("snapshots");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, snapshots_are_the_same_on_all_members_and_open_to_the_same);
    tcase_add_test(tcase, a_forged_or_damaged_snapshot_is_refused);
    tcase_add_test(tcase, what_is_pruned_is_proved_to_have_been_committed);
    tcase_add_test(tcase, a_full_disk_costs_a_snapshot_not_the_ledger);
    tcase_add_test(tcase, power_loss_at_every_call_around_snapshots);
    tcase_add_test(tcase, every_allocation_around_snapshots_fails_once);
    return run_suite("ledger-snapshots", tcase);
}
