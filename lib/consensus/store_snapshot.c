/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots and compaction.
 *
 * A snapshot's file is its bytes and a trailer that names them; it is written under another name, synced, renamed, and
 * the names are synced.  The one before is kept until the next is published.
 *
 * What can go wrong
 *   crash before the rename           the part file is removed at the next open
 *   crash between publish and compact the log still has entries that the snapshot covers: they are dropped at open
 *   snapshot beyond the log's end     the log is emptied by a record that says so, at publish or at the next open
 *   snapshot that the log contradicts the same: the leader's snapshot is committed, the log's entry was not */
#include "consensus/store_private.h"

#include <stdio.h>

static const uint32_t magic = 0x534e474du; /* "MGNS" */
enum { TRAILER = 80 };

static void snapshot_name(const mgc__raftlog *log, uint64_t index, log_name name)
{
    snprintf(name, sizeof(log_name), "%ssnap-%016" PRIx64 ".mgl", log->prefix, index);
}

bool mgc__raftlog_snapshot_of_name(const mgc__raftlog *log, const char *name, mgc__raftlog_snapshot *snapshot)
{
    size_t skip = strlen(log->prefix);
    log_name again;

    *snapshot = (mgc__raftlog_snapshot){0};
    if (strncmp(name, log->prefix, skip) != 0 || sscanf(name + skip, "snap-%16" SCNx64 ".mgl", &snapshot->index) != 1)
        return false;
    snapshot_name(log, snapshot->index, again);
    return strcmp(name, again) == 0;
}

static void put_trailer(const mgc__raftlog *log, const mgc__raftlog_snapshot *s, uint32_t body_crc, uint8_t bytes[TRAILER])
{
    log_put32(bytes, magic);
    log_put32(bytes + 4, LOG_SNAPSHOT_FORMAT);
    log_put64(bytes + 8, s->index);
    log_put64(bytes + 16, s->term);
    log_put64(bytes + 24, s->size);
    memcpy(bytes + 32, s->hash, 32);
    log_put32(bytes + 64, body_crc);
    log_put32(bytes + 68, 0);
    log_put32(bytes + 72, log->opts.member);
    log_put32(bytes + 76, mgc__crc32c(0, bytes, 76));
}

static mgc_status body_crc(mgc__raftlog *log, const char *name, uint64_t size, uint32_t *crc)
{
    uint8_t *burst = mgc__alloc(log->ctx, LOG_BURST, 1);
    mgc_status st = MGC_OK;

    if (burst == NULL) return mgc__no_memory(log->ctx, "consensus: a snapshot");
    *crc = 0;
    for (uint64_t at = 0; at < size && st == MGC_OK;) {
        size_t len = size - at < LOG_BURST ? (size_t)(size - at) : LOG_BURST;
        st = mgc__verdict(log->opts.ops.read(log->opts.user, name, at, burst, len));
        if (st == MGC_OK) *crc = mgc__crc32c(*crc, burst, len);
        at += len;
    }
    mgc__free(log->ctx, burst);
    return st;
}

/* snapshot: index from its name and size of the file; filled from the trailer. */
mgc_status mgc__raftlog_read_snapshot(mgc__raftlog *log, mgc__raftlog_snapshot *s, bool *good)
{
    uint8_t bytes[TRAILER];
    uint32_t crc = 0;
    log_name name;
    mgc_status st;

    *good = false;
    if (s->size < TRAILER) return MGC_OK;
    snapshot_name(log, s->index, name);
    st = mgc__verdict(log->opts.ops.read(log->opts.user, name, s->size - TRAILER, bytes, sizeof bytes));
    if (st != MGC_OK) return st;
    if (log_get32(bytes) != magic || log_get32(bytes + 4) != LOG_SNAPSHOT_FORMAT || log_get64(bytes + 8) != s->index ||
        log_get64(bytes + 24) != s->size - TRAILER || log_get32(bytes + 76) != mgc__crc32c(0, bytes, 76))
        return MGC_OK;
    s->term = log_get64(bytes + 16);
    s->size -= TRAILER;
    memcpy(s->hash, bytes + 32, 32);
    st = body_crc(log, name, s->size, &crc);
    *good = st == MGC_OK && crc == log_get32(bytes + 64);
    return st;
}

/* --- the log against a snapshot ----------------------------------------------------------------- */

static mgc_status begin_after(mgc__raftlog *log, const mgc__raftlog_snapshot *s)
{
    mgc_status st = mgc__raftlog_mark(log, LOG_RESET, s->index, s->term, s->hash);

    if (st != MGC_OK) return st;
    mgc__raftlog_empty(log, s->index, s->term, s->hash);
    return mgc__raftlog_sync(log);
}

mgc_status mgc__raftlog_meet_snapshot(mgc__raftlog *log)
{
    const mgc__raftlog_snapshot *s = &log->snapshot;
    const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(log, s->index);

    log->snapshot_lost = false;
    if (s->index == 0) {
        log->snapshot_lost = log->first != log->opts.genesis_index + 1;
        return MGC_OK;
    }
    /* The hash says it all; the term of a damaged entry may not be known. */
    if (meta != NULL && meta->has_hash && (meta->term == s->term || meta->term == 0) && memcmp(meta->hash, s->hash, 32) == 0) {
        mgc__raftlog_drop_upto(log, s->index);
        log->base_term = s->term;
        return MGC_OK;
    }
    if (meta == NULL && log->n_metas > 0 && log->first > s->index + 1) {
        log->snapshot_lost = true;
        return MGC_OK;
    }
    if (log->first == s->index + 1 && memcmp(log->base_hash, s->hash, 32) == 0) {
        log->base_term = s->term;
        return MGC_OK;
    }
    if (log->n_metas == 0 && log->first <= s->index + 1 && log->segment_lo > 0) { /* what told so is in a file that is gone */
        mgc__raftlog_empty(log, s->index, s->term, s->hash);
        return MGC_OK;
    }
    if (meta != NULL && !meta->has_hash && s->index + 1 < log->first + log->n_metas) {
        mgc_status st = mgc__raftlog_mark_lost(log); /* what is behind it may be good, and cannot be told from what is not */
        if (st != MGC_OK) return st;
    }
    return begin_after(log, s);
}

/* --- writing one -------------------------------------------------------------------------------- */

static mgc_status usable(mgc__raftlog *log)
{
    return log->failed ? mgc__fail(log->ctx, MGC_E_FAILED, "consensus: the log failed earlier; open it again") : MGC_OK;
}

mgc_status mgc__raftlog_snap_begin(mgc__raftlog *log, uint64_t index, uint64_t term, const uint8_t hash[32])
{
    log_name name;
    mgc_status st = usable(log);

    if (st != MGC_OK) return st;
    log->snapshot_coming = false;
    mgc__raftlog_file_name(log, "part", name);
    st = mgc__verdict(log->opts.ops.truncate(log->opts.user, name, 0));
    if (st != MGC_OK) return st;
    log->coming = (mgc__raftlog_snapshot){.index = index, .term = term};
    memcpy(log->coming.hash, hash, 32);
    log->snapshot_crc = 0;
    log->snapshot_coming = true;
    return MGC_OK;
}

mgc_status mgc__raftlog_snap_write(mgc__raftlog *log, uint64_t offset, const uint8_t *bytes, size_t len)
{
    log_name name;
    uint64_t skip;
    mgc_status st = usable(log);

    if (st != MGC_OK) return st;
    if (!log->snapshot_coming) return mgc__fail(log->ctx, MGC_E_STATE, "consensus: no snapshot is being written");
    if (offset > log->coming.size)
        return mgc__fail(log->ctx, MGC_E_INVALID_ARG, "consensus: a piece of a snapshot at byte %" PRIu64 "; %" PRIu64 " are there",
                         offset, log->coming.size);
    skip = log->coming.size - offset;
    if (skip >= len) return MGC_OK; /* repeated */
    mgc__raftlog_file_name(log, "part", name);
    st = mgc__verdict(log->opts.ops.append(log->opts.user, name, bytes + skip, len - (size_t)skip));
    if (st != MGC_OK) { /* what stands there now is unknown: begin anew */
        log->snapshot_coming = false;
        return st;
    }
    log->snapshot_crc = mgc__crc32c(log->snapshot_crc, bytes + skip, len - (size_t)skip);
    log->coming.size += len - skip;
    return MGC_OK;
}

static mgc_status put_in_place(mgc__raftlog *log, const char *part, const char *name)
{
    mgc_status st = mgc__verdict(log->opts.ops.sync(log->opts.user, part));

    if (st == MGC_OK) st = mgc__verdict(log->opts.ops.rename(log->opts.user, part, name));
    if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync_names(log->opts.user));
    return st == MGC_OK ? MGC_OK : mgc__raftlog_fail(log, st, "publishing a snapshot");
}

mgc_status mgc__raftlog_snap_publish(mgc__raftlog *log)
{
    uint8_t bytes[TRAILER];
    log_name part, name, old;
    const mgc__raftlog_meta *meta;
    mgc_status st = usable(log);

    if (st != MGC_OK) return st;
    if (!log->snapshot_coming || log->coming.index < log->snapshot.index)
        return mgc__fail(log->ctx, MGC_E_STATE, "consensus: no snapshot is being written, or an older one than is there");
    log->snapshot_coming = false;
    mgc__raftlog_file_name(log, "part", part);
    snapshot_name(log, log->coming.index, name);
    put_trailer(log, &log->coming, log->snapshot_crc, bytes);
    st = mgc__verdict(log->opts.ops.append(log->opts.user, part, bytes, sizeof bytes));
    if (st != MGC_OK) return st;
    st = put_in_place(log, part, name);
    if (st != MGC_OK) return st;
    if (log->older.index != 0 && log->older.index != log->coming.index && log->snapshot.index != log->coming.index) {
        snapshot_name(log, log->older.index, old);
        (void)log->opts.ops.remove(log->opts.user, old); /* one too many does no harm */
    }
    if (log->snapshot.index != log->coming.index) log->older = log->snapshot;
    log->snapshot = log->coming;
    log->snapshot_lost = false;
    meta = mgc__raftlog_meta_of(log, log->snapshot.index);
    if (meta != NULL && meta->has_hash && memcmp(meta->hash, log->snapshot.hash, 32) == 0) return MGC_OK;
    if (log->first == log->snapshot.index + 1 && memcmp(log->base_hash, log->snapshot.hash, 32) == 0) return MGC_OK;
    return begin_after(log, &log->snapshot);
}

mgc_status mgc__raftlog_snap_read(mgc__raftlog *log, uint64_t offset, uint8_t *bytes, size_t len)
{
    log_name name;

    if (log->snapshot.index == 0) return mgc__fail(log->ctx, MGC_E_NOT_FOUND, "consensus: there is no snapshot");
    if (offset > log->snapshot.size || len > log->snapshot.size - offset)
        return mgc__fail(log->ctx, MGC_E_RANGE, "consensus: bytes %" PRIu64 " and %zu more of a snapshot of %" PRIu64, offset, len,
                         log->snapshot.size);
    snapshot_name(log, log->snapshot.index, name);
    return mgc__verdict(log->opts.ops.read(log->opts.user, name, offset, bytes, len));
}

mgc_status mgc__raftlog_restart(mgc__raftlog *log, uint64_t index, uint64_t term, const uint8_t hash[32])
{
    mgc__raftlog_snapshot after = {.index = index, .term = term};
    mgc_status st = usable(log);

    memcpy(after.hash, hash, 32);
    if (st == MGC_OK) st = mgc__raftlog_mark_lost(log); /* first: a crash in between must not make it look whole */
    if (st == MGC_OK) st = begin_after(log, &after);
    if (st == MGC_OK) log->snapshot_lost = false;
    return st;
}

/* --- compaction --------------------------------------------------------------------------------- */

mgc_status mgc__raftlog_compact(mgc__raftlog *log, uint64_t upto)
{
    uint32_t keep;
    mgc_status st = usable(log);

    if (st == MGC_OK) st = mgc__raftlog_sync(log);
    if (st != MGC_OK) return st;
    if (upto > log->snapshot.index)
        return mgc__fail(log->ctx, MGC_E_INVALID_ARG, "consensus: compaction up to %" PRIu64 "; the snapshot covers %" PRIu64, upto,
                         log->snapshot.index);
    mgc__raftlog_drop_upto(log, upto);
    keep = log->n_metas > 0 ? log->metas[0].origin : log->segment_hi;
    /* Upwards and each for good before the next, so that what a crash leaves has no gap. */
    while (log->has_segment && log->segment_lo < keep && st == MGC_OK) {
        log_name name;
        mgc__raftlog_segment_name(log, log->segment_lo, name);
        st = mgc__verdict(log->opts.ops.remove(log->opts.user, name));
        if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync_names(log->opts.user));
        if (st == MGC_OK) log->segment_lo++;
    }
    return st;
}
