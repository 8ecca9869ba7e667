/* SPDX-License-Identifier: Apache-2.0 */
/* The consensus log on a disk that loses power, rots and misplaces writes. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "consensus/store.h"
#include "crypto/crypto.h"
#include "sim_disk.h"

static mgc_ctx *ctx;
static mgc__rng rng;

enum { SEGMENT = 1 << 14, MODEL_MAX = 400 };

static void entry_hash(const uint8_t prev[32], uint64_t index, uint64_t term, uint32_t type, const uint8_t *body, size_t len,
                       uint8_t hash[32])
{
    uint64_t head[3] = {index, term, type};
    mgc__sha256 s;

    mgc__sha256_init(&s);
    mgc__sha256_put(&s, prev, 32);
    mgc__sha256_put(&s, head, sizeof head);
    mgc__sha256_put(&s, body, len);
    mgc__sha256_end(&s, hash);
}

static mgc_status open_log(struct sim_disk *d, bool bootstrap, mgc__raftlog **log)
{
    mgc__raftlog_opts opts = {.ops = sim_disk_ops, .user = d, .prefix = "raft-", .segment_bytes = SEGMENT, .salt = 99,
                              .member = 3, .lock = true, .bootstrap = bootstrap, .hash = entry_hash};

    return mgc__raftlog_open(ctx, &opts, log);
}

static mgc__raftlog *opened(struct sim_disk *d, bool bootstrap)
{
    mgc__raftlog *log;
    mgc_status st = open_log(d, bootstrap, &log);

    ck_assert_msg(st == MGC_OK, "%s: %s", mgc_status_name(st), mgc_ctx_error(ctx));
    return log;
}

static void make(mgc__raftlog *log, uint64_t index, uint64_t term, uint8_t *body, size_t len, mgc__raftlog_entry *e)
{
    const mgc__raftlog_meta *before = mgc__raftlog_meta_of(log, index - 1);
    uint64_t base_term;

    *e = (mgc__raftlog_entry){.index = index, .term = term, .type = 2, .len = (uint32_t)len, .body = body};
    if (before != NULL) memcpy(e->prev, before->hash, 32);
    else mgc__raftlog_base(log, &base_term, e->prev);
    for (size_t i = 0; i < len; i++) body[i] = (uint8_t)(index * 7 + term * 13 + i);
    entry_hash(e->prev, index, term, 2, body, len, e->hash);
}

static mgc_status add_sized(mgc__raftlog *log, uint64_t term, size_t len)
{
    uint8_t *body = malloc(len + 1);
    mgc__raftlog_info info;
    mgc__raftlog_entry e;
    mgc_status st;

    mgc__raftlog_get_info(log, &info);
    make(log, info.last + 1, term, body, len, &e);
    st = mgc__raftlog_append(log, &e);
    free(body);
    return st;
}

static mgc_status add(mgc__raftlog *log, uint64_t term)
{
    mgc__raftlog_info info;

    mgc__raftlog_get_info(log, &info);
    return add_sized(log, term, (size_t)((info.last + 1) * 37 % 300));
}

#define OK(call) ck_assert_msg((call) == MGC_OK, "%s", mgc_ctx_error(ctx))

static void set_hard(mgc__raftlog *log, uint64_t term, uint32_t vote)
{
    mgc__raftlog_hard hard = {.term = term, .vote = vote, .incarnation = 1};

    OK(mgc__raftlog_set_hard(log, &hard));
}

/* Every entry that is said to be stored must read back with its body. */
static void check_reads(mgc__raftlog *log)
{
    mgc__raftlog_info info;
    mgc__buf body;

    mgc__raftlog_get_info(log, &info);
    mgc__buf_init(&body, ctx, 1 << 26);
    for (uint64_t i = info.first; i <= info.last; i++) {
        const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(log, i);
        mgc__raftlog_entry e;
        uint8_t hash[32];
        if (meta->state == MGC__RAFTLOG_FAULTY) continue;
        OK(mgc__raftlog_read(log, i, &body, &e));
        entry_hash(e.prev, e.index, e.term, e.type, e.body, e.len, hash);
        ck_assert(memcmp(hash, meta->hash, 32) == 0);
    }
    mgc__buf_free(&body);
}

/* --- what is written is read -------------------------------------------------------------------- */

START_TEST(entries_and_votes_come_back)
{
    struct sim_disk d;
    mgc__raftlog *log;
    mgc__raftlog_info info;

    sim_disk_init(&d, &rng);
    log = opened(&d, true);
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.first, 1);
    ck_assert_uint_eq(info.last, 0);
    ck_assert(!info.readmit);
    set_hard(log, 1, 2);
    for (int i = 0; i < 200; i++) {
        OK(add(log, 1));
        if (i % 3 == 0) OK(mgc__raftlog_sync(log));
    }
    check_reads(log);
    OK(mgc__raftlog_sync(log));
    ck_assert_int_eq(open_log(&d, true, &(mgc__raftlog *){0}), MGC_E_LOCKED);
    mgc__raftlog_close(log);
    sim_disk_crash(&d);
    log = opened(&d, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.last, 200);
    ck_assert_uint_eq(info.hard.term, 1);
    ck_assert_uint_eq(info.hard.vote, 2);
    ck_assert_uint_gt(info.n_segments, 3);
    ck_assert_uint_eq(info.n_faulty + info.torn + info.repaired, 0);
    ck_assert(!info.readmit);
    check_reads(log);
    mgc__raftlog_close(log);
    sim_disk_free(&d);
}
END_TEST

START_TEST(an_entry_longer_than_a_segment_has_its_own)
{
    struct sim_disk d;
    mgc__raftlog *log;
    mgc__raftlog_info info;

    sim_disk_init(&d, &rng);
    log = opened(&d, true);
    set_hard(log, 1, 0);
    OK(add(log, 1));
    OK(add_sized(log, 1, 5 * SEGMENT));
    OK(add(log, 1));
    OK(mgc__raftlog_sync(log));
    mgc__raftlog_close(log);
    log = opened(&d, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.last, 3);
    check_reads(log);
    mgc__raftlog_close(log);
    sim_disk_free(&d);
}
END_TEST

START_TEST(another_members_log_is_refused)
{
    struct sim_disk d;
    mgc__raftlog_opts opts = {.ops = sim_disk_ops, .user = &d, .prefix = "raft-", .segment_bytes = SEGMENT, .salt = 5,
                              .member = 4, .bootstrap = true, .hash = entry_hash};
    mgc__raftlog *log;

    sim_disk_init(&d, &rng);
    mgc__raftlog_close(opened(&d, true));
    ck_assert_int_eq(mgc__raftlog_open(ctx, &opts, &log), MGC_E_WRONG_CHAIN);
    opts.ops.write = NULL;
    ck_assert_int_eq(mgc__raftlog_open(ctx, &opts, &log), MGC_E_UNSUPPORTED);
    sim_disk_free(&d);
}
END_TEST

/* --- loss of power at every call ---------------------------------------------------------------- */

/* What a log must hold after each operation. */
struct model {
    struct state {
        uint64_t first, last;
        uint8_t hashes[64][32];
    } states[MODEL_MAX];
    size_t n, synced;
    mgc__raftlog_hard hard, hard_next; /* durable; being written */
};

static void note(struct model *m, mgc__raftlog *log)
{
    struct state *s = &m->states[m->n++];
    mgc__raftlog_info info;

    ck_assert_uint_lt(m->n, MODEL_MAX);
    mgc__raftlog_get_info(log, &info);
    s->first = info.first;
    s->last = info.last;
    for (uint64_t i = info.first; i <= info.last && i - info.first < 64; i++)
        memcpy(s->hashes[i - info.first], mgc__raftlog_meta_of(log, i)->hash, 32);
}

static bool matches(const struct state *s, mgc__raftlog *log)
{
    mgc__raftlog_info info;

    mgc__raftlog_get_info(log, &info);
    if (info.last != s->last) return false;
    for (uint64_t i = info.first > s->first ? info.first : s->first; i <= info.last; i++) {
        const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(log, i);
        if (meta->has_hash && memcmp(meta->hash, s->hashes[i - s->first], 32) != 0) return false;
    }
    return true;
}

static mgc_status snapshot_at(mgc__raftlog *log, uint64_t index)
{
    const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(log, index);
    mgc_status st = mgc__raftlog_snap_begin(log, index, meta->term, meta->hash);

    if (st == MGC_OK) st = mgc__raftlog_snap_write(log, 0, (const uint8_t *)"state", 5);
    if (st == MGC_OK) st = mgc__raftlog_snap_publish(log);
    return st == MGC_OK ? mgc__raftlog_compact(log, index) : st;
}

/* A life of random operations until something fails; the model knows what was promised. */
static void live(mgc__raftlog *log, struct model *m, mgc__rng *r, int steps)
{
    mgc__raftlog_info info;
    mgc_status st = MGC_OK;
    uint64_t term = 1;

    mgc__raftlog_get_info(log, &info);
    if (info.hard.term > term) term = info.hard.term;
    for (int i = 0; i < steps && st == MGC_OK; i++) {
        uint64_t what = mgc__rng_below(r, 20);
        mgc__raftlog_get_info(log, &info);
        if (what < 9 && info.last + 1 - info.first < 50) st = add(log, term);
        else if (what < 15) {
            st = mgc__raftlog_sync(log);
            if (st == MGC_OK) m->synced = m->n - 1;
        } else if (what < 17 && info.last >= info.first) {
            term++;
            m->hard_next = (mgc__raftlog_hard){.term = term, .vote = (uint32_t)term % 5, .incarnation = 1};
            st = mgc__raftlog_set_hard(log, &m->hard_next);
            if (st == MGC_OK) m->hard = m->hard_next;
            if (st == MGC_OK) st = mgc__raftlog_truncate(log, info.first + mgc__rng_below(r, info.last - info.first + 1), term);
        } else if (what == 17 && m->synced == m->n - 1 && info.last > info.first + 3) {
            st = snapshot_at(log, info.first + mgc__rng_below(r, info.last - info.first));
        } else if (what > 17) st = mgc__raftlog_begin_sync(log);
        note(m, log); /* also where the call failed: then the operation may be there or not */
    }
}

static void check_after_crash(struct model *m, mgc__raftlog *log, uint64_t seed, long fault)
{
    mgc__raftlog_info info;
    bool found = false;

    mgc__raftlog_get_info(log, &info);
    for (size_t k = m->synced; k < m->n && !found; k++) found = matches(&m->states[k], log);
    ck_assert_msg(found, "seed %" PRIu64 " fault %ld: entries %" PRIu64 "..%" PRIu64 " are no state between %zu and %zu (last %" PRIu64 ")",
                  seed, fault, info.first, info.last, m->synced, m->n - 1, m->states[m->synced].last);
    ck_assert_msg(info.hard.term == m->hard.term || info.hard.term == m->hard_next.term,
                  "seed %" PRIu64 " fault %ld: term %" PRIu64 " instead of %" PRIu64, seed, fault, info.hard.term, m->hard.term);
    if (info.hard.term == m->hard.term) ck_assert_uint_eq(info.hard.vote, m->hard.vote);
    ck_assert(!info.readmit && !info.snapshot_lost);
    /* What was acknowledged is not faulty: power alone loses nothing that was synced. */
    for (uint64_t i = info.first; i <= info.last && info.n_faulty > 0; i++) {
        const struct state *s = &m->states[m->synced];
        const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(log, i);
        if (meta->state != MGC__RAFTLOG_FAULTY) continue;
        ck_assert_msg(meta->has_hash, "seed %" PRIu64 " fault %ld: an unknown entry", seed, fault);
        ck_assert(i > s->last || i < s->first || memcmp(meta->hash, s->hashes[i - s->first], 32) != 0);
    }
    check_reads(log);
}

static uint64_t faulty_seen, torn_seen;

static void crash_run(uint64_t seed, long fault_at)
{
    static struct model m;
    struct sim_disk d;
    mgc__raftlog *log;
    mgc__raftlog_info info;
    mgc__rng r;

    memset(&m, 0, sizeof m);
    mgc__rng_seed(&r, seed);
    sim_disk_init(&d, &r);
    log = opened(&d, true);
    set_hard(log, 1, 1);
    m.hard = m.hard_next = (mgc__raftlog_hard){.term = 1, .vote = 1, .incarnation = 1};
    note(&m, log);
    d.calls = 0;
    d.fault_at = fault_at;
    d.die = true;
    live(log, &m, &r, 120);
    mgc__raftlog_close(log);
    sim_disk_crash(&d);
    for (int again = 0; again < 2; again++) { /* a crash while recovering changes nothing */
        d.calls = 0;
        d.fault_at = again == 0 ? (long)mgc__rng_below(&r, 4) : -1;
        d.die = true;
        if (again == 1) log = opened(&d, false);
        else if (open_log(&d, false, &log) != MGC_OK) log = NULL;
        if (again == 1) {
            mgc__raftlog_get_info(log, &info);
            faulty_seen += info.n_faulty;
            torn_seen += info.torn;
        }
        if (log != NULL) check_after_crash(&m, log, seed, fault_at);
        if (log != NULL && again == 1) { /* and life goes on */
            OK(mgc__raftlog_truncate(log, info.n_faulty > 0 ? info.first_faulty : info.last + 1, info.hard.term));
            OK(add(log, info.hard.term));
            OK(mgc__raftlog_sync(log));
            check_reads(log);
        }
        mgc__raftlog_close(log);
        sim_disk_crash(&d);
    }
    sim_disk_free(&d);
}

START_TEST(power_loss_at_every_storage_call)
{
    for (long k = 0; k < 150; k++)
        for (uint64_t seed = 1; seed <= 12; seed++) crash_run(seed + 1000 * (uint64_t)k, k);
    printf("# %" PRIu64 " ambiguous, %" PRIu64 " torn\n", faulty_seen, torn_seen);
    ck_assert_uint_gt(faulty_seen, 10); /* the ambiguous tears happen, */
    ck_assert_uint_gt(torn_seen, 50);   /* and so do the plain ones */
}
END_TEST

/* --- a sync that was begun ----------------------------------------------------------------------- */

START_TEST(a_begun_sync_counts_once_it_has_ended)
{
    for (int torn = 0; torn < 64; torn++) {
        mgc__raftlog_info info;
        struct sim_disk d;
        mgc__raftlog *log;
        uint64_t syncs;

        sim_disk_init(&d, &rng);
        log = opened(&d, true);
        set_hard(log, 1, 1);
        OK(mgc__raftlog_begin_sync(log)); /* of nothing */
        OK(add(log, 1));
        OK(mgc__raftlog_sync(log));
        OK(add(log, 1));
        syncs = d.syncs;
        OK(mgc__raftlog_begin_sync(log));
        OK(mgc__raftlog_begin_sync(log)); /* once more is nothing more */
        ck_assert_uint_eq(d.syncs, syncs);
        check_reads(log); /* it is there to be sent, */
        set_hard(log, 2, 1);
        OK(add(log, 2)); /* and who adds to it waits for it */
        ck_assert_uint_eq(d.syncs, syncs + 2);
        OK(mgc__raftlog_begin_sync(log));
        check_reads(log);
        d.dead = true;
        mgc__raftlog_close(log);
        sim_disk_crash(&d);
        log = opened(&d, false);
        mgc__raftlog_get_info(log, &info);
        ck_assert_uint_ge(info.last, 2);
        ck_assert(info.n_faulty == 0 || info.first_faulty == 3); /* torn: it was not acknowledged, but who opens cannot know */
        mgc__raftlog_close(log);
        sim_disk_free(&d);
    }
}
END_TEST

START_TEST(a_begun_sync_that_fails_fails_the_log)
{
    for (int way = 0; way < 3; way++) {
        struct sim_disk d;
        mgc__raftlog *log;

        sim_disk_init(&d, &rng);
        log = opened(&d, true);
        set_hard(log, 1, 1);
        OK(add(log, 1));
        d.calls = 0;
        d.fault_at = way == 0 ? 0 : -1;
        ck_assert_int_eq(mgc__raftlog_begin_sync(log), way == 0 ? MGC_E_FAILED : MGC_OK);
        d.fail_sync = way > 0;
        ck_assert_int_eq(way == 2 ? add(log, 1) : mgc__raftlog_sync(log), MGC_E_FAILED);
        ck_assert_int_eq(mgc__raftlog_sync(log), MGC_E_FAILED);
        ck_assert_int_eq(mgc__raftlog_begin_sync(log), MGC_E_FAILED);
        mgc__raftlog_close(log);
        sim_disk_crash(&d);
        sim_disk_free(&d);
    }
}
END_TEST

/* A host's storage may have no such call, and then all is as it was. */
START_TEST(without_begin_write_a_sync_is_one)
{
    mgc__raftlog_opts opts = {.ops = sim_disk_ops, .prefix = "raft-", .segment_bytes = SEGMENT, .salt = 99, .member = 3, .bootstrap = true,
                              .hash = entry_hash};
    struct sim_disk d;
    mgc__raftlog *log;
    long calls;

    sim_disk_init(&d, &rng);
    opts.user = &d;
    opts.ops.begin_write = NULL;
    OK(mgc__raftlog_open(ctx, &opts, &log));
    OK(add(log, 1));
    calls = d.calls;
    OK(mgc__raftlog_begin_sync(log));
    ck_assert_int_eq(d.calls, calls);
    OK(mgc__raftlog_sync(log));
    ck_assert_int_eq(d.calls, calls + 2);
    check_reads(log);
    mgc__raftlog_close(log);
    sim_disk_free(&d);
}
END_TEST

/* --- a medium that forgets ---------------------------------------------------------------------- */

static void build(struct sim_disk *d, int n)
{
    mgc__raftlog *log = opened(d, true);

    set_hard(log, 1, 3);
    set_hard(log, 2, 1);
    for (int i = 0; i < n; i++) {
        OK(add(log, 2));
        if (i % 4 == 1) OK(mgc__raftlog_sync(log));
        if (i == n / 2) {
            OK(mgc__raftlog_truncate(log, (uint64_t)n / 2 - 2, 2));
            OK(mgc__raftlog_sync(log));
        }
    }
    OK(mgc__raftlog_sync(log));
    mgc__raftlog_close(log);
}

static struct sim_file *segment_file(struct sim_disk *d)
{
    return sim_disk_find(d, "raft-log-00000000.mgl");
}

/* One rotten place, any: no entry is lost silently, each that is lost is known by its hash, and none more than lay
 * there; given back, the log is as it was. */
static void heal(struct sim_disk *d, const struct sim_disk *whole, size_t at, uint64_t most)
{
    struct sim_disk good;
    mgc__raftlog_info info, was;
    mgc__raftlog *log = opened(d, false), *reference;
    mgc__buf body;

    sim_disk_copy(&good, whole);
    reference = opened(&good, false);
    mgc__buf_init(&body, ctx, 1 << 20);
    mgc__raftlog_get_info(log, &info);
    mgc__raftlog_get_info(reference, &was);
    ck_assert_uint_eq(info.last, was.last);
    ck_assert_uint_eq(info.hard.term, 2);
    ck_assert_uint_eq(info.hard.vote, 1);
    ck_assert_msg(info.n_faulty <= most, "place at %zu: %" PRIu64 " entries lost", at, info.n_faulty);
    for (uint64_t i = info.last; i >= info.first && i > 0; i--) {
        const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(log, i);
        mgc__raftlog_entry e;
        ck_assert_msg(meta->has_hash, "place at %zu: entry %" PRIu64 " is unknown", at, i);
        OK(mgc__raftlog_read(reference, i, &body, &e));
        ck_assert_msg(memcmp(meta->hash, e.hash, 32) == 0, "place at %zu: entry %" PRIu64, at, i);
        if (meta->state != MGC__RAFTLOG_FAULTY) continue;
        e.hash[0] ^= 1;
        ck_assert_int_eq(mgc__raftlog_repair(log, &e), MGC_E_INVALID_ARG);
        e.hash[0] ^= 1;
        OK(mgc__raftlog_repair(log, &e));
    }
    OK(mgc__raftlog_sync(log));
    mgc__raftlog_close(log);
    log = opened(d, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.n_faulty, 0);
    ck_assert_uint_eq(info.last, was.last);
    check_reads(log);
    mgc__buf_free(&body);
    mgc__raftlog_close(reference);
    mgc__raftlog_close(log);
    sim_disk_free(&good);
}

START_TEST(one_rotten_sector_anywhere_loses_nothing_silently)
{
    struct sim_disk whole, d;
    uint64_t repaired = 0;

    sim_disk_init(&whole, &rng);
    build(&whole, 90);
    for (size_t f = 0; f < whole.n; f++)
        for (size_t at = 0; at < whole.files[f].size; at += SIM_SECTOR) {
            sim_disk_copy(&d, &whole);
            sim_disk_rot(&d, &d.files[f], at);
            heal(&d, &whole, at, 4);
            sim_disk_free(&d);
            repaired++;
        }
    ck_assert_uint_gt(repaired, 60);
    sim_disk_free(&whole);
}
END_TEST

/* The same of 4 KiB, the sector of most disks; of logs of many lengths, for the last second headers wander. */
START_TEST(one_rotten_block_anywhere_loses_nothing_silently)
{
    for (int n = 8; n <= 120; n += 8) {
        struct sim_disk whole, d;

        sim_disk_init(&whole, &rng);
        build(&whole, n);
        for (size_t f = 0; f < whole.n; f++)
            for (size_t at = 0; at < whole.files[f].size; at += 4096) {
                sim_disk_copy(&d, &whole);
                for (size_t i = at; i < at + 4096 && i < whole.files[f].size; i += SIM_SECTOR) sim_disk_rot(&d, &d.files[f], i);
                heal(&d, &whole, at, 40);
                sim_disk_free(&d);
            }
        sim_disk_free(&whole);
    }
}
END_TEST

/* Groups of one entry: second headers go behind the last group, and 51 at a time into the ring; whatever the length,
 * nothing has to be repaired after a crash, and a body that rots is known by its second header. */
START_TEST(second_headers_wander_and_are_always_there)
{
    for (int n = 1; n <= 130; n++) {
        struct sim_disk d;
        mgc__raftlog *log;
        mgc__raftlog_info info;
        uint64_t rotten = 1 + mgc__rng_below(&rng, (uint64_t)n);
        const mgc__raftlog_meta *meta;

        sim_disk_init(&d, &rng);
        log = opened(&d, true);
        set_hard(log, 1, 1);
        for (int i = 0; i < n; i++) {
            OK(add_sized(log, 1, 20));
            OK(mgc__raftlog_sync(log));
        }
        if (n % 2 == 0) OK(mgc__raftlog_finish(log));
        mgc__raftlog_close(log);
        sim_disk_crash(&d);
        for (int again = 0; again < 2; again++) {
            d.calls = 0;
            log = opened(&d, false);
            if (n % 2 == 0 || again > 0) ck_assert_int_eq(d.calls, 0); /* after a planned end nothing is written */
            mgc__raftlog_get_info(log, &info);
            ck_assert_uint_eq(info.last, (uint64_t)n);
            ck_assert_uint_eq(info.n_faulty + info.torn + info.repaired, 0);
            mgc__raftlog_close(log);
        }
        log = opened(&d, false);
        meta = mgc__raftlog_meta_of(log, rotten);
        char name[32];
        snprintf(name, sizeof name, "raft-log-%08x.mgl", (unsigned)meta->segment);
        sim_disk_rot(&d, sim_disk_find(&d, name), (size_t)meta->offset);
        mgc__raftlog_close(log);
        log = opened(&d, false);
        mgc__raftlog_get_info(log, &info);
        ck_assert_uint_eq(info.last, (uint64_t)n);
        ck_assert_uint_eq(info.first_faulty, rotten);
        ck_assert(mgc__raftlog_meta_of(log, rotten)->has_hash && mgc__raftlog_meta_of(log, rotten)->term == 1);
        mgc__raftlog_close(log);
        sim_disk_free(&d);
    }
}
END_TEST

/* A record is lost and nobody knows yet; then power goes in the middle of the next group, whatever its size.  What tells of the
 * record must not have been where that group was being written, and a snapshot of it must not make the log forget the rest. */
START_TEST(a_torn_write_takes_no_second_header_along)
{
    for (int n = 2; n <= 70; n++)
        for (int k = 0; k < 6; k++) {
            struct sim_disk d;
            mgc__raftlog *log;
            mgc__raftlog_info info;
            uint64_t hole = (uint64_t)n - 1 - mgc__rng_below(&rng, (uint64_t)n < 6 ? (uint64_t)n - 1 : 5);
            const mgc__raftlog_meta *meta;

            sim_disk_init(&d, &rng);
            log = opened(&d, true);
            set_hard(log, 1, 1);
            for (int i = 0; i < n; i++) {
                OK(add_sized(log, 1, 20));
                OK(mgc__raftlog_sync(log));
            }
            meta = mgc__raftlog_meta_of(log, hole);
            if (meta->segment == 0) { /* as if its write had gone astray */
                memset(segment_file(&d)->bytes + meta->offset, 0, 100);
                memset(segment_file(&d)->safe + meta->offset, 0, 100);
            }
            if (k == 5) {
                OK(mgc__raftlog_snap_begin(log, hole, 1, meta->hash));
                OK(mgc__raftlog_snap_write(log, 0, (const uint8_t *)"s", 1));
                OK(mgc__raftlog_snap_publish(log));
            }
            OK(add_sized(log, 1, (size_t[]){20, 400, 3000, 6000, 20, 5000}[k]));
            if (k == 4) OK(add_sized(log, 1, 3900));
            d.calls = 0;
            d.fault_at = 1; /* the sync: what was written is there in part */
            d.die = true;
            ck_assert_int_eq(mgc__raftlog_sync(log), MGC_E_FAILED);
            mgc__raftlog_close(log);
            sim_disk_crash(&d);
            log = opened(&d, false);
            mgc__raftlog_get_info(log, &info);
            ck_assert_msg(info.last >= (uint64_t)n && !info.readmit, "%d entries, way %d: %" PRIu64, n, k, info.last);
            if (k < 5) {
                meta = mgc__raftlog_meta_of(log, hole);
                ck_assert_msg(meta->has_hash && meta->term == 1, "%d entries, way %d: entry %" PRIu64 " is unknown", n, k, hole);
            }
            mgc__raftlog_close(log);
            sim_disk_free(&d);
        }
}
END_TEST

START_TEST(one_misdirected_write_loses_nothing_silently)
{
    for (int k = 0; k < 60; k++) {
        struct sim_disk d;
        mgc__raftlog *log;
        mgc__raftlog_info info;

        sim_disk_init(&d, &rng);
        log = opened(&d, true);
        set_hard(log, 1, 1);
        for (int i = 0; i < 60; i++) {
            OK(add(log, 1));
            d.misdirect = i == k;
            OK(mgc__raftlog_sync(log));
        }
        mgc__raftlog_close(log);
        log = opened(&d, false);
        mgc__raftlog_get_info(log, &info);
        ck_assert_msg(info.last == 60, "write %d: %" PRIu64, k, info.last); /* also of the last one: where it went tells */
        ck_assert_uint_eq(info.hard.vote, 1);
        for (uint64_t i = 1; i <= info.last; i++) ck_assert(mgc__raftlog_meta_of(log, i)->has_hash);
        check_reads(log);
        mgc__raftlog_close(log);
        sim_disk_free(&d);
    }
}
END_TEST

/* Each of the two writes of a vote may go astray: it costs its own copy only. */
START_TEST(a_vote_survives_a_misdirected_write)
{
    for (int seed = 0; seed < 40; seed++) {
        struct sim_disk d;
        mgc__raftlog *log;
        mgc__raftlog_info info;

        sim_disk_init(&d, &rng);
        log = opened(&d, true);
        set_hard(log, 1, 1);
        OK(add(log, 1));
        OK(mgc__raftlog_sync(log));
        for (uint64_t term = 2; term <= 4; term++) {
            d.misdirect = term == 2 + (uint64_t)seed % 3;
            set_hard(log, term, 2);
        }
        mgc__raftlog_close(log);
        log = opened(&d, false);
        mgc__raftlog_get_info(log, &info);
        ck_assert_uint_eq(info.hard.term, 4);
        ck_assert_uint_eq(info.hard.vote, 2);
        ck_assert(!info.readmit);
        mgc__raftlog_close(log);
        sim_disk_free(&d);
    }
}
END_TEST

/* --- by name, as the scenarios have them ---------------------------------------------------------- */

/* Second headers of record k, from 0, wherever they are: in the ring, or behind the last group. */
static void lose_second(struct sim_disk *d, uint64_t k)
{
    struct sim_file *f = segment_file(d);
    uint32_t found = 0;

    for (size_t at = 0; at + 80 <= f->size; at += 8)
        if (f->bytes[at] == 0x52 && f->bytes[at + 1] == 0x4c && f->bytes[at + 8] == k) {
            memset(f->bytes + at, 0, 80);
            memset(f->safe + at, 0, 80);
            found++;
        }
    ck_assert_uint_gt(found, 0);
}

START_TEST(T01_torn_tail_never_acked_is_dropped)
{
    for (int way = 0; way < 4; way++) {
        struct sim_disk d;
        mgc__raftlog *log;
        mgc__raftlog_info info;

        sim_disk_init(&d, &rng);
        log = opened(&d, true);
        set_hard(log, 1, 1);
        for (int i = 0; i < 3; i++) OK(add_sized(log, 1, 40));
        OK(mgc__raftlog_sync(log));
        /* Two more, of which the second's headers never reached the disk: no sync can have ended. */
        for (int i = 0; i < 2; i++) OK(add_sized(log, 1, 600));
        OK(mgc__raftlog_sync(log));
        lose_second(&d, 4);
        memset(segment_file(&d)->bytes + mgc__raftlog_meta_of(log, 5)->offset, 0, 80);
        if (way & 1) sim_disk_flip(segment_file(&d), mgc__raftlog_meta_of(log, 4)->offset + 100);
        if (way & 2) lose_second(&d, 3);
        mgc__raftlog_close(log);
        log = opened(&d, false);
        mgc__raftlog_get_info(log, &info);
        ck_assert_uint_eq(info.last, way & 1 ? 3 : 4);
        ck_assert_uint_eq(info.n_faulty, 0);
        ck_assert_uint_gt(info.torn, 0);
        OK(add(log, 1));
        OK(mgc__raftlog_sync(log));
        mgc__raftlog_close(log);
        log = opened(&d, false);
        mgc__raftlog_get_info(log, &info);
        ck_assert_uint_eq(info.last, way & 1 ? 4 : 5);
        check_reads(log);
        mgc__raftlog_close(log);
        sim_disk_free(&d);
    }
}
END_TEST

START_TEST(T02_corrupt_acked_tail_is_faulty_not_gone)
{
    struct sim_disk d;
    mgc__raftlog *log;
    mgc__raftlog_info info;

    sim_disk_init(&d, &rng);
    log = opened(&d, true);
    set_hard(log, 1, 1);
    for (int i = 0; i < 3; i++) OK(add_sized(log, 1, 100));
    OK(mgc__raftlog_sync(log));
    sim_disk_flip(segment_file(&d), mgc__raftlog_meta_of(log, 3)->offset + 90);
    mgc__raftlog_close(log);
    log = opened(&d, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.last, 3);
    ck_assert_uint_eq(info.n_faulty, 1);
    ck_assert_uint_eq(info.first_faulty, 3);
    ck_assert(mgc__raftlog_meta_of(log, 3)->has_hash && mgc__raftlog_meta_of(log, 3)->term == 1);
    mgc__raftlog_close(log);
    sim_disk_free(&d);
}
END_TEST

/* etcd#22442: 1/1 2/1 3/1 4/1 5/1, then 3/2 4/2, then a snapshot at 4/2; the ghost 5/1 must not come back. */
START_TEST(T06_a_truncated_suffix_is_no_ghost)
{
    for (int compact = 0; compact < 3; compact++) {
        struct sim_disk d;
        mgc__raftlog *log;
        mgc__raftlog_info info;

        sim_disk_init(&d, &rng);
        log = opened(&d, true);
        set_hard(log, 1, 1);
        for (int i = 0; i < 5; i++) OK(add(log, 1));
        OK(mgc__raftlog_sync(log));
        set_hard(log, 2, 0);
        OK(mgc__raftlog_truncate(log, 3, 2));
        OK(add(log, 2));
        OK(add(log, 2));
        OK(mgc__raftlog_sync(log));
        if (compact > 0) {
            const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(log, 4);
            OK(mgc__raftlog_snap_begin(log, 4, 2, meta->hash));
            OK(mgc__raftlog_snap_write(log, 0, (const uint8_t *)"s", 1));
            OK(mgc__raftlog_snap_publish(log));
        }
        if (compact > 1) OK(mgc__raftlog_compact(log, 4));
        mgc__raftlog_close(log);
        sim_disk_crash(&d);
        log = opened(&d, false);
        mgc__raftlog_get_info(log, &info);
        ck_assert_uint_eq(info.last, 4);
        ck_assert_uint_eq(info.last_term, 2);
        mgc__raftlog_close(log);
        sim_disk_free(&d);
    }
}
END_TEST

/* A snapshot has its name once it is whole and durable, so one that cannot be read says how far this member may have acknowledged,
 * whether or not the log still does.  One that the log covers takes nothing away. */
START_TEST(T05b_a_damaged_snapshot_beyond_the_log)
{
    static const unsigned reach[] = {4, 5, 6, 7, 100};

    for (size_t i = 0; i < sizeof reach / sizeof *reach; i++) {
        struct sim_disk d;
        mgc__raftlog *log;
        mgc__raftlog_info info;
        char name[64];

        sim_disk_init(&d, &rng);
        log = opened(&d, true);
        set_hard(log, 2, 1);
        for (int k = 0; k < 5; k++) OK(add(log, 1));
        OK(mgc__raftlog_sync(log));
        mgc__raftlog_get_info(log, &info);
        mgc__raftlog_close(log);
        snprintf(name, sizeof name, "raft-snap-%016x.mgl", reach[i]);
        ck_assert_int_eq(sim_disk_ops.append(&d, name, (const uint8_t *)"rotten", 6), MGC_CB_DONE);
        ck_assert_int_eq(sim_disk_ops.sync(&d, name), MGC_CB_DONE);
        ck_assert_int_eq(sim_disk_ops.sync_names(&d), MGC_CB_DONE);
        sim_disk_crash(&d);
        log = opened(&d, false);
        ck_assert(log != NULL);
        bool beyond = reach[i] > info.last;
        mgc__raftlog_get_info(log, &info);
        ck_assert_msg(info.readmit == beyond, "snapshot %u, log to %u: readmit %d", reach[i], (unsigned)info.last, info.readmit);
        mgc__raftlog_close(log);
        sim_disk_free(&d);
    }
}
END_TEST

START_TEST(T07_metadata_slots)
{
    struct sim_disk d, e;
    mgc__raftlog *log;
    mgc__raftlog_info info;
    struct sim_file *hard;

    sim_disk_init(&d, &rng);
    log = opened(&d, true);
    set_hard(log, 4, 1);
    set_hard(log, 5, 2);
    mgc__raftlog_close(log);
    /* Slot B torn while it was written: the one before stands. */
    sim_disk_copy(&e, &d);
    hard = sim_disk_find(&e, "raft-hard.mgl");
    for (size_t i = 0; i < 2; i++) sim_disk_flip(hard, 4096 * i + 100); /* generation 2 has slot 0 */
    log = opened(&e, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.hard.term, 4);
    ck_assert_uint_eq(info.hard.vote, 1);
    ck_assert(!info.readmit);
    mgc__raftlog_close(log);
    /* One copy rotten later: nothing is forgotten. */
    for (size_t at = 0; at < 4 * 4096; at += 4096) {
        struct sim_disk f;
        sim_disk_copy(&f, &d);
        sim_disk_flip(sim_disk_find(&f, "raft-hard.mgl"), at + 33);
        log = opened(&f, false);
        mgc__raftlog_get_info(log, &info);
        ck_assert_uint_eq(info.hard.term, 5);
        ck_assert_uint_eq(info.hard.vote, 2);
        mgc__raftlog_close(log);
        sim_disk_free(&f);
    }
    /* Both slots bad: back as a learner. */
    for (size_t at = 8192; at < 16384; at += 4096) sim_disk_flip(hard, at + 33);
    log = opened(&e, true);
    mgc__raftlog_get_info(log, &info);
    ck_assert(info.readmit);
    mgc__raftlog_close(log);
    sim_disk_free(&e);
    sim_disk_free(&d);
}
END_TEST

START_TEST(what_is_committed_is_remembered_and_never_falls)
{
    struct sim_disk d;
    mgc__raftlog *log;
    mgc__raftlog_info info;
    mgc__raftlog_hard h = {.term = 1, .vote = 1, .incarnation = 1, .commit = 7};

    sim_disk_init(&d, &rng);
    log = opened(&d, true);
    OK(mgc__raftlog_set_hard(log, &h));
    h.term = 2;
    h.commit = 0; /* not told */
    OK(mgc__raftlog_set_hard(log, &h));
    mgc__raftlog_close(log);
    sim_disk_crash(&d);
    log = opened(&d, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.hard.term, 2);
    ck_assert_uint_eq(info.hard.commit, 7);
    mgc__raftlog_close(log);
    sim_disk_free(&d);
}
END_TEST

START_TEST(T08_an_empty_disk_of_a_known_member_is_readmitted)
{
    struct sim_disk d;
    mgc__raftlog *log;
    mgc__raftlog_info info;

    sim_disk_init(&d, &rng);
    log = opened(&d, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert(info.readmit);
    mgc__raftlog_close(log); /* and it does not forget that by a restart */
    log = opened(&d, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert(info.readmit);
    mgc__raftlog_close(log);
    /* The log gone, the votes there: the same. */
    sim_disk_wipe(&d);
    build(&d, 8);
    sim_disk_find(&d, "raft-log-00000000.mgl")->name[0] = '\0';
    log = opened(&d, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert(info.readmit);
    mgc__raftlog_close(log);
    sim_disk_free(&d);
}
END_TEST

/* An older image of term and vote beside a newer log. */
START_TEST(T07_a_rolled_back_vote_is_noticed)
{
    struct sim_disk d, old;
    mgc__raftlog *log;
    mgc__raftlog_info info;
    struct sim_file *now, *then;

    sim_disk_init(&d, &rng);
    log = opened(&d, true);
    set_hard(log, 1, 1);
    sim_disk_copy(&old, &d);
    set_hard(log, 7, 1);
    OK(add(log, 7));
    OK(mgc__raftlog_sync(log));
    mgc__raftlog_close(log);
    now = sim_disk_find(&d, "raft-hard.mgl");
    then = sim_disk_find(&old, "raft-hard.mgl");
    memcpy(now->bytes, then->bytes, now->size);
    log = opened(&d, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert(info.readmit);
    mgc__raftlog_close(log);
    sim_disk_free(&old);
    sim_disk_free(&d);
}
END_TEST

START_TEST(T09_snapshot_pieces_repeat_and_may_not_leave_gaps)
{
    struct sim_disk d;
    mgc__raftlog *log;
    mgc__raftlog_info info;
    uint8_t hash[32] = {9}, bytes[8];

    sim_disk_init(&d, &rng);
    log = opened(&d, true);
    set_hard(log, 3, 1);
    OK(add(log, 3));
    OK(mgc__raftlog_snap_begin(log, 50, 3, hash));
    OK(mgc__raftlog_snap_write(log, 0, (const uint8_t *)"abcd", 4));
    ck_assert_int_eq(mgc__raftlog_snap_write(log, 6, (const uint8_t *)"gh", 2), MGC_E_INVALID_ARG);
    OK(mgc__raftlog_snap_write(log, 0, (const uint8_t *)"abcd", 4));
    OK(mgc__raftlog_snap_write(log, 2, (const uint8_t *)"cdefgh", 6));
    OK(mgc__raftlog_snap_publish(log));
    ck_assert_int_eq(mgc__raftlog_snap_publish(log), MGC_E_STATE);
    OK(mgc__raftlog_snap_read(log, 0, bytes, 8));
    ck_assert(memcmp(bytes, "abcdefgh", 8) == 0);
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.first, 51); /* the log did not contain it: it begins anew */
    ck_assert_uint_eq(info.last_term, 3);
    OK(add(log, 3));
    OK(mgc__raftlog_sync(log));
    OK(mgc__raftlog_compact(log, 50));
    mgc__raftlog_close(log);
    log = opened(&d, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.snapshot.index, 50);
    ck_assert_uint_eq(info.snapshot.size, 8);
    ck_assert_uint_eq(info.last, 51);
    /* A later start of another transfer drops the pieces of the one before. */
    OK(mgc__raftlog_snap_begin(log, 60, 3, hash));
    OK(mgc__raftlog_snap_write(log, 0, (const uint8_t *)"zzzz", 4));
    OK(mgc__raftlog_snap_begin(log, 61, 3, hash));
    OK(mgc__raftlog_snap_write(log, 0, (const uint8_t *)"y", 1));
    OK(mgc__raftlog_snap_publish(log));
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.snapshot.size, 1);
    mgc__raftlog_close(log);
    sim_disk_free(&d);
}
END_TEST

/* Power goes at every call of publish and compact, and of an installed snapshot. */
START_TEST(T10_crash_between_snapshot_and_truncation)
{
    for (int installed = 0; installed < 2; installed++)
        for (long k = 0; k < 24; k++)
            for (int again = 0; again < 6; again++) {
                struct sim_disk d;
                mgc__raftlog *log;
                mgc__raftlog_info info;
                uint8_t other[32] = {4};

                sim_disk_init(&d, &rng);
                log = opened(&d, true);
                set_hard(log, 2, 1);
                for (int i = 0; i < 80; i++) OK(add_sized(log, 2, 300));
                OK(mgc__raftlog_sync(log));
                d.calls = 0;
                d.fault_at = k;
                d.die = true;
                if (installed) {
                    mgc_status st = mgc__raftlog_snap_begin(log, 120, 2, other);
                    if (st == MGC_OK) st = mgc__raftlog_snap_write(log, 0, (const uint8_t *)"x", 1);
                    if (st == MGC_OK) st = mgc__raftlog_snap_publish(log);
                    if (st == MGC_OK) st = mgc__raftlog_compact(log, 120);
                    (void)st;
                } else (void)snapshot_at(log, 60);
                mgc__raftlog_close(log);
                sim_disk_crash(&d);
                log = opened(&d, false);
                mgc__raftlog_get_info(log, &info);
                ck_assert(!info.readmit && info.n_faulty == 0);
                if (installed) ck_assert(info.last == (info.snapshot.index == 120 ? 120 : 80));
                else ck_assert(info.last == 80 && info.first == (info.snapshot.index == 60 ? 61 : 1));
                OK(add(log, 2));
                OK(mgc__raftlog_sync(log));
                check_reads(log);
                mgc__raftlog_close(log);
                log = opened(&d, false);
                mgc__raftlog_close(log);
                sim_disk_free(&d);
            }
}
END_TEST

/* faults.md 82: nothing is retried, nothing later is believed. */
START_TEST(A07_a_failed_sync_is_final)
{
    struct sim_disk d;
    mgc__raftlog *log;
    mgc__raftlog_hard hard = {.term = 9};
    mgc__raftlog_info info;

    sim_disk_init(&d, &rng);
    log = opened(&d, true);
    set_hard(log, 1, 1);
    OK(add(log, 1));
    d.fail_sync = true;
    ck_assert_int_eq(mgc__raftlog_sync(log), MGC_E_FAILED);
    ck_assert_int_eq(mgc__raftlog_sync(log), MGC_E_FAILED);
    ck_assert_int_eq(add(log, 1), MGC_E_FAILED);
    ck_assert_int_eq(mgc__raftlog_set_hard(log, &hard), MGC_E_FAILED);
    mgc__raftlog_get_info(log, &info);
    ck_assert(info.failed);
    mgc__raftlog_close(log);
    log = opened(&d, false);
    mgc__raftlog_close(log);
    sim_disk_free(&d);
}
END_TEST

START_TEST(a_hole_before_later_groups_is_faulty)
{
    struct sim_disk d;
    mgc__raftlog *log;
    mgc__raftlog_info info;

    sim_disk_init(&d, &rng);
    log = opened(&d, true);
    set_hard(log, 1, 1);
    for (int i = 0; i < 6; i++) {
        OK(add_sized(log, 1, 100));
        OK(mgc__raftlog_sync(log));
    }
    memset(segment_file(&d)->bytes + mgc__raftlog_meta_of(log, 3)->offset, 0, 512);
    lose_second(&d, 2);
    mgc__raftlog_close(log);
    log = opened(&d, false);
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.last, 6);
    ck_assert_uint_eq(info.n_faulty, 1);
    ck_assert_uint_eq(info.first_faulty, 3);
    ck_assert(mgc__raftlog_meta_of(log, 3)->has_hash); /* its successor knows it */
    ck_assert_uint_eq(mgc__raftlog_meta_of(log, 3)->term, 0);
    mgc__raftlog_close(log);
    sim_disk_free(&d);
}
END_TEST

START_TEST(the_embedded_files_hold_the_log)
{
    char folder[] = "/tmp/mgc-raftlog-XXXXXX", command[128];
    mgc__raftlog_opts opts = {.prefix = "", .segment_bytes = 1 << 16, .salt = 1, .member = 1, .lock = true, .bootstrap = true,
                              .hash = entry_hash};
    mgc__raftlog *log;
    mgc__raftlog_info info;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    OK(mgc_storage_files(ctx, folder, 1, &opts.ops, &opts.user));
    OK(mgc__raftlog_open(ctx, &opts, &log));
    set_hard(log, 1, 1);
    for (int i = 0; i < 1000; i++) {
        OK(add(log, 1));
        if (i % 50 == 0) OK(mgc__raftlog_sync(log));
    }
    OK(mgc__raftlog_sync(log));
    OK(snapshot_at(log, 700));
    OK(mgc__raftlog_prepare(log));
    check_reads(log);
    mgc__raftlog_close(log);
    OK(mgc__raftlog_open(ctx, &opts, &log));
    mgc__raftlog_get_info(log, &info);
    ck_assert_uint_eq(info.first, 701);
    ck_assert_uint_eq(info.last, 1000);
    check_reads(log);
    mgc__raftlog_close(log);
    mgc_storage_files_destroy(opts.user);
    snprintf(command, sizeof command, "rm -r %s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("consensus-store");
    TCase *tc = tcase_create("all");
    SRunner *runner;
    int failed;

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 1;
    mgc__rng_seed(&rng, 1);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, what_is_committed_is_remembered_and_never_falls);
    tcase_add_test(tc, entries_and_votes_come_back);
    tcase_add_test(tc, an_entry_longer_than_a_segment_has_its_own);
    tcase_add_test(tc, another_members_log_is_refused);
    tcase_add_test(tc, power_loss_at_every_storage_call);
    tcase_add_test(tc, a_begun_sync_counts_once_it_has_ended);
    tcase_add_test(tc, a_begun_sync_that_fails_fails_the_log);
    tcase_add_test(tc, without_begin_write_a_sync_is_one);
    tcase_add_test(tc, one_rotten_sector_anywhere_loses_nothing_silently);
    tcase_add_test(tc, one_rotten_block_anywhere_loses_nothing_silently);
    tcase_add_test(tc, second_headers_wander_and_are_always_there);
    tcase_add_test(tc, a_torn_write_takes_no_second_header_along);
    tcase_add_test(tc, one_misdirected_write_loses_nothing_silently);
    tcase_add_test(tc, a_vote_survives_a_misdirected_write);
    tcase_add_test(tc, T01_torn_tail_never_acked_is_dropped);
    tcase_add_test(tc, T02_corrupt_acked_tail_is_faulty_not_gone);
    tcase_add_test(tc, T06_a_truncated_suffix_is_no_ghost);
    tcase_add_test(tc, T05b_a_damaged_snapshot_beyond_the_log);
    tcase_add_test(tc, T07_metadata_slots);
    tcase_add_test(tc, T07_a_rolled_back_vote_is_noticed);
    tcase_add_test(tc, T08_an_empty_disk_of_a_known_member_is_readmitted);
    tcase_add_test(tc, T09_snapshot_pieces_repeat_and_may_not_leave_gaps);
    tcase_add_test(tc, T10_crash_between_snapshot_and_truncation);
    tcase_add_test(tc, A07_a_failed_sync_is_final);
    tcase_add_test(tc, a_hole_before_later_groups_is_faulty);
    tcase_add_test(tc, the_embedded_files_hold_the_log);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    mgc_ctx_destroy(ctx);
    return failed != 0;
}
