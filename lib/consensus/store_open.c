/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the consensus log: which files there are, and what they make of each other. */
#include "consensus/store_private.h"

#include <stdio.h>

enum { FOUND_SNAPSHOTS = 8 };

struct listing {
    mgc__raftlog *log;
    struct file {
        uint64_t size;
        uint32_t segment;
    } *files;
    size_t n, cap;
    mgc__raftlog_snapshot snapshots[FOUND_SNAPSHOTS]; /* newest first */
    size_t n_snapshots;
    uint64_t hard_size;
    bool part, spare;
};

static void found_snapshot(struct listing *l, const mgc__raftlog_snapshot *s)
{
    size_t i = l->n_snapshots < FOUND_SNAPSHOTS ? l->n_snapshots++ : FOUND_SNAPSHOTS - 1;

    while (i > 0 && l->snapshots[i - 1].index < s->index) {
        l->snapshots[i] = l->snapshots[i - 1];
        i--;
    }
    l->snapshots[i] = *s;
}

static int32_t found(void *user, const char *name, uint64_t size)
{
    struct listing *l = user;
    mgc__raftlog_snapshot snapshot;
    uint32_t segment;
    log_name known;

    if (mgc__raftlog_segment_number(l->log, name, &segment)) {
        if (!mgc__grow(l->log->ctx, (void **)&l->files, &l->cap, l->n + 1, sizeof *l->files)) return MGC_E_NO_MEMORY;
        l->files[l->n++] = (struct file){.size = size, .segment = segment};
    } else if (mgc__raftlog_snapshot_of_name(l->log, name, &snapshot)) {
        snapshot.size = size;
        found_snapshot(l, &snapshot);
    }
    mgc__raftlog_file_name(l->log, "hard", known);
    if (strcmp(name, known) == 0) l->hard_size = size;
    mgc__raftlog_file_name(l->log, "part", known);
    l->part = l->part || strcmp(name, known) == 0;
    mgc__raftlog_file_name(l->log, "spare", known);
    l->spare = l->spare || strcmp(name, known) == 0;
    return MGC_CB_DONE;
}

static int by_segment(const void *a, const void *b)
{
    const struct file *x = a, *y = b;

    return (x->segment > y->segment) - (x->segment < y->segment);
}

static mgc_status order(mgc__raftlog *log, struct listing *l, uint64_t **sizes)
{
    *sizes = mgc__alloc(log->ctx, l->n, sizeof **sizes);
    if (*sizes == NULL) return mgc__no_memory(log->ctx, "consensus: the log");
    if (l->n == 0) return MGC_OK;
    qsort(l->files, l->n, sizeof *l->files, by_segment);
    log->segment_lo = l->files[0].segment;
    log->segment_hi = l->files[l->n - 1].segment;
    log->has_segment = true;
    for (size_t i = 0; i < l->n; i++) {
        if (l->files[i].segment != log->segment_lo + i)
            return mgc__fail(log->ctx, MGC_E_CORRUPT, "consensus: segment %zu of the log is missing", log->segment_lo + i);
        (*sizes)[i] = l->files[i].size;
    }
    return MGC_OK;
}

static mgc_status remove_left_over(mgc__raftlog *log, const char *what)
{
    log_name name;

    mgc__raftlog_file_name(log, what, name);
    return mgc__verdict(log->opts.ops.remove(log->opts.user, name));
}

static mgc_status read_snapshots(mgc__raftlog *log, struct listing *l)
{
    mgc_status st = MGC_OK;
    bool good = false;

    for (size_t i = 0; i < l->n_snapshots && st == MGC_OK && log->older.index == 0; i++) {
        mgc__raftlog_snapshot s = l->snapshots[i];
        st = mgc__raftlog_read_snapshot(log, &s, &good);
        if (st == MGC_OK && !good && log->damaged_snapshot < l->snapshots[i].index) log->damaged_snapshot = l->snapshots[i].index;
        if (st != MGC_OK || !good) continue;
        if (log->snapshot.index == 0) log->snapshot = s;
        else log->older = s;
    }
    return st;
}

/* A member that cannot know what it promised comes back as a learner. */
static void judge_memory(mgc__raftlog *log)
{
    bool empty = log->next == 0 && log->snapshot.index == 0 && !log->hard_traces;
    /* A snapshot got its name once it was whole and durable: a damaged one beyond the log's end was acknowledged, perhaps. */
    bool beyond = log->damaged_snapshot > log->snapshot.index && log->damaged_snapshot >= log->first + log->n_metas;
    uint64_t last_term = log->n_metas > 0 ? log->metas[log->n_metas - 1].term : log->base_term;

    if (!log->has_hard) log->readmit = !(empty && log->opts.bootstrap);
    else log->readmit = log->lost || !log->has_segment || last_term > log->hard.term || log->snapshot_lost || beyond;
}

static mgc_status recover(mgc__raftlog *log, struct listing *l)
{
    uint64_t *sizes = NULL;
    mgc_status st = order(log, l, &sizes);

    if (st == MGC_OK && l->part) st = remove_left_over(log, "part");
    if (st == MGC_OK && l->spare) st = remove_left_over(log, "spare");
    if (st == MGC_OK) st = mgc__raftlog_recover(log, sizes);
    mgc__free(log->ctx, sizes);
    if (st == MGC_OK) st = read_snapshots(log, l);
    if (st == MGC_OK) st = mgc__raftlog_read_hard(log, l->hard_size);
    if (st == MGC_OK && log->snapshot.index == 0 && log->next == 0)
        mgc__raftlog_empty(log, log->opts.genesis_index, log->opts.genesis_term, log->opts.genesis_hash);
    if (st == MGC_OK && log->has_segment) st = mgc__raftlog_meet_snapshot(log);
    if (st == MGC_OK) judge_memory(log);
    if (st == MGC_OK && !log->has_segment) {
        if (log->has_hard || log->snapshot.index != 0) log->readmit = true;
        st = mgc__raftlog_begin_segment(log, 0);
        if (st == MGC_OK) st = mgc__raftlog_meet_snapshot(log);
    }
    return st;
}

static mgc_status check_opts(mgc_ctx *ctx, const mgc__raftlog_opts *o)
{
    const mgc_storage_ops *ops = &o->ops;

    if (ops->reserve == NULL || ops->write == NULL)
        return mgc__fail(ctx, MGC_E_UNSUPPORTED, "consensus: the storage lacks reserve or write, which the log needs");
    if (ops->list == NULL || ops->read == NULL || ops->append == NULL || ops->sync == NULL || ops->truncate == NULL ||
        ops->rename == NULL || ops->remove == NULL || ops->sync_names == NULL)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "consensus: the storage lacks a call that is not optional");
    if (o->segment_bytes < MGC__RAFTLOG_SEGMENT_MIN || o->segment_bytes % LOG_SECTOR != 0 || o->hash == NULL ||
        o->member == 0 || o->prefix == NULL || strlen(o->prefix) > LOG_PREFIX_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG,
                         "consensus: the log needs a member, a hash, a prefix of at most %d characters, and segments of a multiple "
                         "of %d bytes from %d",
                         LOG_PREFIX_MAX, LOG_SECTOR, MGC__RAFTLOG_SEGMENT_MIN);
    return MGC_OK;
}

mgc_status mgc__raftlog_open(mgc_ctx *ctx, const mgc__raftlog_opts *opts, mgc__raftlog **out)
{
    struct listing l = {0};
    mgc__raftlog *log;
    mgc_status st;

    *out = NULL;
    st = check_opts(ctx, opts);
    if (st != MGC_OK) return st;
    log = mgc__alloc(ctx, 1, sizeof *log);
    if (log == NULL) return mgc__no_memory(ctx, "consensus: the log");
    log->ctx = ctx;
    log->opts = *opts;
    log->salt = opts->salt;
    memcpy(log->prefix, opts->prefix, strlen(opts->prefix));
    log->opts.prefix = log->prefix;
    mgc__buf_init(&log->group, ctx, 2 * (size_t)MGC__RAFTLOG_BODY_MAX);
    for (int i = 0; i < 2; i++) mgc__buf_init(&log->written[i].bytes, ctx, LOG_WRITTEN_MAX);
    mgc__raftlog_empty(log, opts->genesis_index, opts->genesis_term, opts->genesis_hash);
    l.log = log;
    if (opts->lock && opts->ops.lock != NULL) st = mgc__verdict(opts->ops.lock(opts->user));
    log->locked = st == MGC_OK && opts->lock;
    if (st == MGC_OK) st = mgc__verdict(opts->ops.list(opts->user, found, &l));
    if (st == MGC_OK) st = recover(log, &l);
    mgc__free(ctx, l.files);
    if (st != MGC_OK) {
        mgc__raftlog_close(log);
        return st;
    }
    *out = log;
    return MGC_OK;
}

void mgc__raftlog_close(mgc__raftlog *log)
{
    if (log == NULL) return;
    mgc__raftlog_give_back(log);
    if (log->locked && log->opts.ops.unlock != NULL) (void)log->opts.ops.unlock(log->opts.user);
    mgc__buf_free(&log->group);
    for (int i = 0; i < 2; i++) mgc__buf_free(&log->written[i].bytes);
    mgc__free(log->ctx, log->metas);
    mgc__free(log->ctx, log->heads);
    mgc__free(log->ctx, log->hashes);
    mgc__free(log->ctx, log->ring);
    mgc__free(log->ctx, log->recent);
    mgc__free(log->ctx, log);
}
