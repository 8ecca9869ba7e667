/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that change on the disk, put back from another member's.  faults.md 77, 78, 84, 86, 91, 92. */
#include "mgchain/verify.h"
#include "power.h"

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

/* --- an alliance of three ------------------------------------------------------------------------ */

enum { MEMBERS = 3, ROUNDS = 8, DAY = 86400000, PROOF_MAX = 1 << 20 };

/* One member's store with two chains; world.chain is the one that is spoken to. */
struct store {
    struct world w;
    mgc_chain *chains[2];
};

static mgc_key *keys[MEMBERS];

static void make_keys(void)
{
    for (uint8_t i = 0; i < MEMBERS; i++) {
        uint8_t seed[32] = {(uint8_t)(40 + i)};
        ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &keys[i]), MGC_OK);
    }
}

static void drop_keys(void)
{
    for (int i = 0; i < MEMBERS; i++) mgc_key_destroy(keys[i]);
}

static mgc_ledger_opts options(const mgc_storage_ops *ops, void *disk, uint64_t salt)
{
    mgc_ledger_opts opts;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = ops;
    opts.storage_user = disk;
    opts.salt = salt;
    opts.segment_bytes = 6000;
    return opts;
}

static mgc_chain *chain_of(mgc_ledger *ledger, const char *name, uint8_t nonce)
{
    mgc_member members[MEMBERS] = {{.id = 1}, {.id = 2}, {.id = 3}};
    mgc_genesis g = {.struct_size = sizeof g, .name = name, .time_ms = 1000, .members = members, .n_members = MEMBERS, .quorum = 2, .nonce = {nonce}};
    mgc_chain *chain;

    if (mgc_ledger_chain(ledger, name, &chain) != MGC_OK) {
        for (int i = 0; i < MEMBERS; i++) memcpy(members[i].public_key, mgc__key_public(keys[i]), 32);
        ck_assert_int_eq(mgc_ledger_add_chain(ledger, &g, &chain), MGC_OK);
    }
    mgc__chain_set_executor(chain, &toy);
    return chain;
}

static mgc_status open_store(struct store *s, const mgc_ledger_opts *opts, uint8_t nonce)
{
    uint8_t alice[32] = {50};
    mgc_status status;

    *s = (struct store){.w = {.ctx = ctx}};
    status = mgc_ledger_open(ctx, opts, &s->w.ledger);
    if (status != MGC_OK) return status;
    s->chains[0] = chain_of(s->w.ledger, "first", nonce);
    s->chains[1] = chain_of(s->w.ledger, "second", nonce);
    return mgc_key_from_seed(ctx, alice, &s->w.alice);
}

static void close_store(struct store *s)
{
    mgc_ledger_close(s->w.ledger);
    mgc_key_destroy(s->w.alice);
    *s = (struct store){0};
}

static void speak_to(struct store *s, int chain)
{
    s->w.chain = s->chains[chain];
    memcpy(s->w.chain_id, s->w.chain->id, 32);
}

static void seal(struct store *s, int chain, uint64_t time_ms, const char *value)
{
    speak_to(s, chain);
    ck_assert_msg(mgc_chain_begin(s->w.chain, time_ms) == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_int_eq(add_put(&s->w, (uint8_t)(time_ms % 5), value, NULL), MGC_OK);
    ck_assert_msg(mgc_chain_seal(s->w.chain, 1) == MGC_OK, "%s", mgc_ctx_error(ctx));
}

/* By those whose bit is set. */
static void certify(struct store *s, int chain, uint64_t height, uint32_t voters)
{
    mgc_vote votes[MEMBERS];
    size_t n = 0;

    for (uint32_t i = 0; i < MEMBERS; i++) {
        if ((voters >> i & 1) == 0) continue;
        votes[n] = (mgc_vote){.member = i + 1};
        ck_assert_int_eq(mgc_chain_vote(s->chains[chain], height, keys[i], votes[n++].signature), MGC_OK);
    }
    ck_assert_msg(mgc_chain_certify(s->chains[chain], height, votes, n) == MGC_OK, "%s", mgc_ctx_error(ctx));
}

/* Rounds as a member lives them: blocks on both chains, a sync before the votes leave, certificates later, sometimes when the
 * next round is stored already. */
static void live(struct store *s, uint64_t from, uint64_t to, uint32_t voters)
{
    char value[300];

    for (uint64_t round = from; round < to; round++) {
        bool late = round % 3 == 1 && round + 1 < to;
        for (int c = 0; c < 2; c++) {
            memset(value, 'a' + (int)(round % 20), sizeof value);
            value[(round * 37 + 5) % 280] = '\0';
            seal(s, c, round * (DAY / 4) + 2000 + 10 * (uint64_t)c, value);
        }
        ck_assert_int_eq(mgc_ledger_sync(s->w.ledger), MGC_OK);
        while (!late && s->chains[1]->final_height < s->chains[1]->height)
            for (int c = 0; c < 2; c++) certify(s, c, s->chains[c]->final_height + 1, voters);
        if (!late) ck_assert_int_eq(mgc_ledger_sync(s->w.ledger), MGC_OK);
    }
}

static void build(struct disk *d, uint64_t salt, uint32_t voters, uint8_t nonce)
{
    mgc_ledger_opts opts = options(&disk_ops, d, salt);
    struct store s;

    disk_init(d);
    ck_assert_int_eq(open_store(&s, &opts, nonce), MGC_OK);
    live(&s, 0, ROUNDS, voters);
    close_store(&s);
}

/* Everything of both chains that members agree on, or the status of opening. */
static mgc_status fingerprint(const mgc_ledger_opts *opts, uint8_t hash[32])
{
    mgc_ledger *ledger;
    mgc__sha256 sum;
    mgc_status status = mgc_ledger_open(ctx, opts, &ledger);

    if (status != MGC_OK) return status;
    mgc__sha256_init(&sum);
    for (uint32_t i = 0; i < ledger->n_chains; i++) {
        mgc_chain *chain = ledger->chains[i];
        for (uint64_t h = 1; h <= chain->final_height && status == MGC_OK; h++) {
            mgc_block *block;
            status = mgc_chain_read_block(chain, h, &block);
            if (status == MGC_E_NOT_FOUND) status = MGC_OK; /* pruned */
            else mgc_block_destroy(block);
        }
        mgc__sha256_put(&sum, chain->hash, 32);
        mgc__sha256_put(&sum, chain->state_digest, 32);
        mgc__sha256_put(&sum, &chain->final_height, 8);
    }
    mgc__sha256_end(&sum, hash);
    mgc_ledger_close(ledger);
    return status;
}

/* --- mending ------------------------------------------------------------------------------------- */

/* What the peer has of it, or nothing. */
static size_t fetch(struct store *peer, const mgc_damage *d, uint8_t *proof)
{
    size_t len = 0;

    for (int c = 0; c < 2; c++)
        if (memcmp(peer->chains[c]->id, d->chain_id, 32) == 0 && mgc_chain_prove_stored(peer->chains[c], d->height, proof, PROOF_MAX, &len) == MGC_OK)
            return len;
    return 0;
}

static mgc_status mend(const mgc_ledger_opts *opts, struct store *peer, mgc_damage *d, uint32_t *n)
{
    static uint8_t proof[PROOF_MAX];
    size_t len = 0;
    mgc_status status;

    *n = 0;
    for (int asks = 0; asks < 200; asks++) {
        *d = (mgc_damage){.struct_size = sizeof *d};
        status = mgc_ledger_mend(ctx, opts, len > 0 ? proof : NULL, len, d);
        *n += d->n_mended;
        if (status != MGC_OK || d->kind != MGC_DAMAGE_WANTS) return status;
        len = fetch(peer, d, proof);
        if (len == 0) return MGC_OK;
    }
    ck_abort_msg("asked for ever");
    return MGC_E_INTERNAL;
}

/* --- two members of one alliance ------------------------------------------------------------------- */

/* One that will be damaged, and another that has it all. */
static struct disk ours, theirs;
static struct store peer;
static mgc_ledger_opts opts, peer_opts;
static uint8_t want[32], got[32]; /* what ours is, and must be again */

static void open_peer(void)
{
    peer_opts = options(&disk_ops, &theirs, 8);
    ck_assert_int_eq(open_store(&peer, &peer_opts, 0), MGC_OK);
    opts = options(&disk_ops, &ours, 7);
    ck_assert_int_eq(fingerprint(&opts, want), MGC_OK);
}

/* Another salt, and other votes than those of ours. */
static void open_two(uint32_t voters)
{
    make_keys();
    build(&ours, 7, voters, 0);
    build(&theirs, 8, 6, 0);
    open_peer();
}

static void close_two(void)
{
    close_store(&peer);
    disk_free(&ours);
    disk_free(&theirs);
    drop_keys();
}

/* Nothing is damaged any more, and it is what it was. */
static void check_whole(const mgc_damage *d)
{
    ck_assert_uint_eq(d->kind, MGC_DAMAGE_NONE);
    ck_assert_msg(fingerprint(&opts, got) == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_mem_eq(got, want, 32);
}

/* What kind of record a byte belongs to. */
static uint32_t type_at(const struct disk_file *f, size_t at, size_t *begin)
{
    size_t offset = 0, next;

    for (;; offset = next) {
        next = offset + MGC__RECORD_HEADER + (f->bytes[offset + 4] | (size_t)f->bytes[offset + 5] << 8 | (size_t)f->bytes[offset + 6] << 16);
        if (at < next) break;
    }
    *begin = offset;
    return f->bytes[offset + 32];
}

START_TEST(a_byte_that_rots_is_put_back) /* faults 77 */
{
    mgc_damage d;
    uint32_t n, tried[9] = {0}, healed[9] = {0};

    open_two(3);
    ck_assert_uint_gt(ours.n, 3);
    for (size_t f = 0; f < ours.n; f++)
        for (size_t i = (size_t)_i; i < ours.files[f].size; i += 13) {
            struct disk rotten;
            size_t begin;
            uint32_t type = type_at(&ours.files[f], i, &begin);
            mgc_status status;

            disk_copy(&rotten, &ours);
            rotten.files[f].bytes[i] ^= (uint8_t)(1 + (i * 89) % 255);
            opts.storage_user = &rotten;
            status = fingerprint(&opts, got);
            if (status == MGC_OK) { /* the last mark, which nothing proves */
                ck_assert_uint_eq(type, MGC__RECORD_MARK);
                disk_free(&rotten);
                continue;
            }
            ck_assert_int_eq(status, MGC_E_CORRUPT);
            status = mend(&opts, &peer, &d, &n);
            tried[type]++;
            if (status == MGC_OK) {
                healed[type]++;
                check_whole(&d);
                ck_assert_uint_ge(n, 1);
                /* All but certificates are byte by byte what they were. */
                if (type != MGC__RECORD_CERTIFICATE || i < begin + MGC__RECORD_HEADER)
                    for (size_t k = 0; k < ours.n; k++) {
                        const struct disk_file *now = disk_find(&rotten, ours.files[k].name);
                        ck_assert_uint_eq(now->size, ours.files[k].size);
                        ck_assert_mem_eq(now->bytes, ours.files[k].bytes, now->size);
                    }
            } else {
                ck_assert_int_eq(status, MGC_E_CORRUPT);
                ck_assert_uint_eq(d.kind, MGC_DAMAGE_LOST);
                ck_assert_str_eq(d.file, ours.files[f].name);
                ck_assert_msg(type == MGC__RECORD_GENESIS, "%s: type %u, byte %zu of the record at %zu of %s", mgc_ctx_error(ctx), type, i - begin,
                              begin, d.file);
                ck_assert_uint_ge(i - begin, MGC__RECORD_HEADER);
            }
            disk_free(&rotten);
        }
    for (int t = MGC__RECORD_SEGMENT; t <= MGC__RECORD_MARK; t++)
        ck_assert_msg(tried[t] > 0 && (t == MGC__RECORD_GENESIS || healed[t] == tried[t]), "type %d: %u of %u", t, healed[t], tried[t]);
    close_two();
}
END_TEST

/* Sectors that come back as zeros or as rubbish, over several records. */
START_TEST(a_lost_sector_is_put_back) /* faults 77 */
{
    mgc_damage d;
    mgc__rng rng;
    uint32_t n, tried = 0, whole = 0;

    mgc__rng_seed(&rng, 900 + (uint64_t)_i);
    open_two(7);
    for (int run = 0; run < 120; run++) {
        struct disk rotten;
        struct disk_file *f;
        size_t from, len = 32 + (size_t)mgc__rng_below(&rng, 1500);
        mgc_status status;

        disk_copy(&rotten, &ours);
        f = &rotten.files[mgc__rng_below(&rng, rotten.n)];
        from = (size_t)mgc__rng_below(&rng, f->size);
        for (size_t i = from; i < f->size && i < from + len; i++)
            f->bytes[i] = run % 2 == 0 ? 0 : (uint8_t)mgc__rng_below(&rng, 256);
        opts.storage_user = &rotten;
        if (fingerprint(&opts, got) == MGC_OK) { /* at the end, where it is what a crash leaves */
            disk_free(&rotten);
            continue;
        }
        tried++;
        status = mend(&opts, &peer, &d, &n);
        if (status == MGC_OK) {
            check_whole(&d);
            whole++;
        } else {
            ck_assert_msg(status == MGC_E_CORRUPT, "%s", mgc_ctx_error(ctx));
            ck_assert_uint_eq(d.kind, MGC_DAMAGE_LOST);
        }
        disk_free(&rotten);
    }
    printf("# %u of %u lost sectors put back\n", whole, tried);
    ck_assert_uint_gt(10 * whole, 5 * tried); /* the others: a genesis, a file's end with nothing behind it */
    close_two();
}
END_TEST

/* The same store on a disk that can lose power: every file whole and durable. */
static void onto_power(struct power *p, const struct disk *d, uint64_t seed)
{
    power_init(p, seed);
    for (size_t i = 0; i < d->n; i++) {
        ck_assert_int_eq(power_ops.append(p, d->files[i].name, d->files[i].bytes, d->files[i].size), MGC_CB_DONE);
        ck_assert_int_eq(power_ops.sync(p, d->files[i].name), MGC_CB_DONE);
    }
    ck_assert_int_eq(power_ops.sync_names(p), MGC_CB_DONE);
    p->calls = 0;
}

START_TEST(power_loss_while_mending) /* faults 84-86 */
{
    mgc_damage d;
    uint32_t n, cuts = 0;
    bool done = false;

    open_two(7);
    /* A certificate in each file, the last record of the first file among them, a file's head, and a sector. */
    for (size_t f = 0; f < 3; f++) ours.files[f].bytes[ours.files[f].size - 60 - 400 * f] ^= 0x10;
    ours.files[1].bytes[60] ^= 1;
    memset(ours.files[2].bytes + 1000, 0, 512);
    for (long dies_at = 0; !done; dies_at++) {
        struct power p;

        onto_power(&p, &ours, 100 + (uint64_t)dies_at);
        opts = options(&power_ops, &p, 7);
        p.dies_at = dies_at;
        done = mend(&opts, &peer, &d, &n) == MGC_OK && !p.dead;
        if (!done) power_cut(&p);
        cuts += !done;
        p.dies_at = -1;
        ck_assert_msg(mend(&opts, &peer, &d, &n) == MGC_OK, "%ld: %s", dies_at, mgc_ctx_error(ctx));
        check_whole(&d);
        power_free(&p);
    }
    ck_assert_uint_gt(cuts, 100);
    close_two();
}
END_TEST

START_TEST(a_lying_peer_is_refused) /* faults 77 */
{
    static uint8_t proof[PROOF_MAX], lie[PROOF_MAX];
    struct disk others, as_it_is;
    mgc_damage d = {.struct_size = sizeof d};
    size_t len, at = 0;
    mgc_status status;
    uint32_t refused = 0;

    open_two(3);
    build(&others, 9, 6, 1); /* another alliance of the same members */
    for (size_t i = 700; type_at(&ours.files[1], i, &at) != (_i == 1 ? MGC__RECORD_CERTIFICATE : MGC__RECORD_BLOCK);) i++;
    ours.files[1].bytes[at + 100] ^= 4;
    if (_i == 2) memset(ours.files[1].bytes + at, 0, MGC__RECORD_HEADER); /* nothing left says how it was but the chain */
    disk_copy(&as_it_is, &ours);
    ck_assert_int_eq(mgc_ledger_mend(ctx, &opts, NULL, 0, &d), MGC_OK);
    ck_assert_uint_eq(d.kind, MGC_DAMAGE_WANTS);
    ck_assert_uint_eq(d.offset, at);
    ck_assert_str_eq(d.file, ours.files[1].name);
    len = fetch(&peer, &d, proof);
    ck_assert_uint_gt(len, 500);
    for (size_t i = 0; i < len; i += 7) { /* any byte */
        memcpy(lie, proof, len);
        lie[i] ^= (uint8_t)(1 + i % 255);
        status = mgc_ledger_mend(ctx, &opts, lie, len, &d);
        ck_assert_msg(status != MGC_OK || d.kind == MGC_DAMAGE_WANTS, "byte %zu of %zu", i, len);
        refused += status != MGC_OK;
    }
    ck_assert_uint_gt(refused, (uint32_t)(len / 7 / 2));
    for (size_t cut = 0; cut < len; cut += 31) { /* any end */
        status = mgc_ledger_mend(ctx, &opts, proof, cut, &d);
        ck_assert(status != MGC_OK || d.kind == MGC_DAMAGE_WANTS);
    }
    for (uint64_t h = 1; h <= ROUNDS; h++) /* true, and not what is wanted */
        for (int c = 0; c < 2; c++) {
            size_t other_len;
            if (mgc_chain_prove_stored(peer.chains[c], h, lie, sizeof lie, &other_len) != MGC_OK || (other_len == len && memcmp(lie, proof, len) == 0))
                continue;
            ck_assert_int_eq(mgc_ledger_mend(ctx, &opts, lie, other_len, &d), MGC_OK);
            ck_assert_uint_eq(d.kind, MGC_DAMAGE_WANTS);
        }
    close_store(&peer);
    peer_opts = options(&disk_ops, &others, 9);
    ck_assert_int_eq(open_store(&peer, &peer_opts, 1), MGC_OK);
    ck_assert_int_eq(mgc_chain_prove_stored(peer.chains[0], d.height, lie, sizeof lie, &at), MGC_OK);
    ck_assert_int_eq(mgc_ledger_mend(ctx, &opts, lie, at, &d), MGC_OK);
    ck_assert_uint_eq(d.kind, MGC_DAMAGE_WANTS);
    for (size_t i = 0; i < ours.n; i++) ck_assert_mem_eq(ours.files[i].bytes, as_it_is.files[i].bytes, ours.files[i].size);
    ck_assert_int_eq(mgc_ledger_mend(ctx, &opts, proof, len, &d), MGC_OK);
    check_whole(&d);
    ck_assert_uint_eq(d.n_mended, 1);
    disk_free(&as_it_is);
    close_two(); /* the peer is one of the others */
    disk_free(&others);
}
END_TEST

/* Every storage call and every allocation fails once: an error, nothing leaked, and the next try mends. */
START_TEST(every_call_fails_once_while_mending) /* faults 91, 92 */
{
    struct heap heap = {.until_fault = -1};
    mgc_allocator allocator = heap_allocator(&heap);
    mgc_ctx *plain = ctx;
    mgc_damage d;
    uint32_t n, failed = 0;
    bool done = false;
    static uint8_t proof[PROOF_MAX];
    size_t len;

    open_two(7);
    ours.files[1].bytes[60] ^= 1;
    ours.files[2].bytes[1000] ^= 1;
    ours.files[2].bytes[2000] ^= 1;
    for (long at = 0; !done; at++) {
        struct disk rotten;
        mgc_status status;

        disk_copy(&rotten, &ours);
        opts = options(&disk_ops, &rotten, 7);
        d = (mgc_damage){.struct_size = sizeof d};
        ck_assert_int_eq(mgc_ledger_mend(ctx, &opts, NULL, 0, &d), MGC_OK);
        len = d.kind == MGC_DAMAGE_WANTS ? fetch(&peer, &d, proof) : 0;
        if (_i == 0) {
            rotten.calls = 0;
            rotten.fault_at = at;
            rotten.fault = MGC_E_IO;
        } else {
            mgc_ctx_opts own;
            mgc_ctx_opts_init(&own, sizeof own);
            own.allocator = &allocator;
            ck_assert_int_eq(mgc_ctx_create(&own, &ctx), MGC_OK);
            heap.until_fault = at;
        }
        status = mgc_ledger_mend(ctx, &opts, proof, len, &d);
        done = _i == 0 ? rotten.calls <= at : heap.until_fault >= 0;
        rotten.fault_at = -1;
        heap.until_fault = -1;
        if (_i == 1) mgc_ctx_destroy(ctx);
        ctx = plain;
        ck_assert_int_eq(heap.live, 0);
        ck_assert_int_eq(rotten.locked, false);
        failed += status != MGC_OK;
        if (done) ck_assert_int_eq(status, MGC_OK);
        ck_assert_msg(mend(&opts, &peer, &d, &n) == MGC_OK, "%ld: %s", at, mgc_ctx_error(ctx));
        check_whole(&d);
        disk_free(&rotten);
    }
    ck_assert_uint_gt(failed, _i == 0 ? 10 : 50); /* what was not read the first time is read again */
    close_two();
}
END_TEST

/* Blocks before the snapshots that a start reads from, where the journal's beginning is pruned. */
START_TEST(old_blocks_are_read_and_mended_too) /* faults 77 */
{
    struct store s;
    mgc_damage d;
    uint32_t n, removed = 0, mended = 0;

    make_keys();
    disk_init(&ours);
    opts = options(&disk_ops, &ours, 7);
    ck_assert_int_eq(open_store(&s, &opts, 0), MGC_OK);
    for (uint64_t day = 0; day < 5; day++) {
        live(&s, 4 * day, 4 * day + 4, 3);
        ck_assert_int_eq(mgc_ledger_snapshot(s.w.ledger), MGC_OK);
    }
    ck_assert_int_eq(mgc_ledger_prune(s.w.ledger, &removed), MGC_OK);
    ck_assert_uint_gt(removed, 0);
    close_store(&s);
    disk_init(&theirs);
    open_peer();
    for (uint64_t day = 0; day < 5; day++) live(&peer, 4 * day, 4 * day + 4, 6);
    for (size_t f = 0; f < ours.n; f++)
        for (size_t i = 90 + 5 * (size_t)f; i < ours.files[f].size; i += 61) {
            struct disk rotten;

            if (strncmp(ours.files[f].name, "journal-", 8) != 0) continue;
            disk_copy(&rotten, &ours);
            rotten.files[f].bytes[i] ^= 0x20;
            opts.storage_user = &rotten;
            opts.read_only = 1; /* looking does not touch */
            d = (mgc_damage){.struct_size = sizeof d};
            if (mgc_ledger_mend(ctx, &opts, NULL, 0, &d) == MGC_OK && d.kind == MGC_DAMAGE_NONE) { /* the last mark */
                disk_free(&rotten);
                opts.read_only = 0;
                continue;
            }
            ck_assert(d.kind == MGC_DAMAGE_WANTS || d.kind == MGC_DAMAGE_OWN);
            ck_assert_int_eq(rotten.files[f].bytes[i], ours.files[f].bytes[i] ^ 0x20);
            opts.read_only = 0;
            ck_assert_msg(mend(&opts, &peer, &d, &n) == MGC_OK, "%s at %zu: %s", ours.files[f].name, i, mgc_ctx_error(ctx));
            check_whole(&d);
            mended++;
            disk_free(&rotten);
        }
    ck_assert_uint_gt(mended, 100);
    close_two();
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("mend");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, a_byte_that_rots_is_put_back, 0, 2);
    tcase_add_loop_test(tcase, a_lost_sector_is_put_back, 0, 2);
    tcase_add_test(tcase, power_loss_while_mending);
    tcase_add_loop_test(tcase, a_lying_peer_is_refused, 0, 3);
    tcase_add_loop_test(tcase, every_call_fails_once_while_mending, 0, 2);
    tcase_add_test(tcase, old_blocks_are_read_and_mended_too);
    return run_suite("ledger-mend", tcase);
}
