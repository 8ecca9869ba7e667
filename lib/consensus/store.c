/* SPDX-License-Identifier: Apache-2.0 */
/* The consensus log: gathering records, writing a group, reading.  store.h has the steps and what can go wrong. */
#include "consensus/store_private.h"

#include <stdio.h>

/* --- metas -------------------------------------------------------------------------------------- */

static uint64_t last_of(const mgc__raftlog *log)
{
    return log->first + log->n_metas - 1;
}

mgc__raftlog_meta *mgc__raftlog_at(const mgc__raftlog *log, uint64_t index)
{
    return index < log->first || index > last_of(log) ? NULL : &log->metas[index - log->first];
}

const mgc__raftlog_meta *mgc__raftlog_meta_of(const mgc__raftlog *log, uint64_t index)
{
    return mgc__raftlog_at(log, index);
}

void mgc__raftlog_base(const mgc__raftlog *log, uint64_t *term, uint8_t hash[32])
{
    *term = log->base_term;
    memcpy(hash, log->base_hash, 32);
}

mgc_status mgc__raftlog_push_meta(mgc__raftlog *log, const mgc__raftlog_meta *meta)
{
    if (!mgc__grow(log->ctx, (void **)&log->metas, &log->cap_metas, log->n_metas + 1, sizeof *log->metas))
        return mgc__no_memory(log->ctx, "consensus: the log");
    log->n_faulty += meta->state == MGC__RAFTLOG_FAULTY;
    log->metas[log->n_metas++] = *meta;
    return MGC_OK;
}

void mgc__raftlog_drop_from(mgc__raftlog *log, uint64_t from)
{
    while (log->n_metas > 0 && last_of(log) >= from)
        log->n_faulty -= log->metas[--log->n_metas].state == MGC__RAFTLOG_FAULTY;
}

void mgc__raftlog_drop_upto(mgc__raftlog *log, uint64_t upto)
{
    size_t n = upto < log->first ? 0 : upto >= last_of(log) ? log->n_metas : (size_t)(upto - log->first + 1);

    if (n == 0) return;
    for (size_t i = 0; i < n; i++) log->n_faulty -= log->metas[i].state == MGC__RAFTLOG_FAULTY;
    log->base_term = log->metas[n - 1].term;
    memcpy(log->base_hash, log->metas[n - 1].hash, 32);
    memmove(log->metas, log->metas + n, (log->n_metas - n) * sizeof *log->metas);
    log->n_metas -= n;
    log->first += n;
}

void mgc__raftlog_empty(mgc__raftlog *log, uint64_t index, uint64_t term, const uint8_t hash[32])
{
    log->n_metas = 0;
    log->n_faulty = 0;
    log->first = index + 1;
    log->base_term = term;
    memcpy(log->base_hash, hash, 32);
}

void mgc__raftlog_set_faulty(mgc__raftlog *log, mgc__raftlog_meta *meta, const uint8_t *hash)
{
    if (meta->state != MGC__RAFTLOG_FAULTY) log->n_faulty++;
    meta->state = MGC__RAFTLOG_FAULTY;
    meta->has_hash = hash != NULL;
    if (hash != NULL && hash != meta->hash) memcpy(meta->hash, hash, 32);
}

/* Hash of the last entry, or NULL where it is not known. */
static const uint8_t *last_hash(const mgc__raftlog *log)
{
    if (log->n_metas == 0) return log->base_hash;
    return log->metas[log->n_metas - 1].has_hash ? log->metas[log->n_metas - 1].hash : NULL;
}

void mgc__raftlog_get_info(const mgc__raftlog *log, mgc__raftlog_info *info)
{
    *info = (mgc__raftlog_info){.hard = log->hard,
                                .snapshot = log->snapshot,
                                .first = log->first,
                                .last = last_of(log),
                                .last_term = log->n_metas == 0 ? log->base_term : log->metas[log->n_metas - 1].term,
                                .n_faulty = log->n_faulty,
                                .torn = log->torn,
                                .repaired = log->repaired,
                                .n_segments = log->has_segment ? log->segment_hi - log->segment_lo + 1 : 0,
                                .readmit = log->readmit,
                                .snapshot_lost = log->snapshot_lost,
                                .failed = log->failed};
    for (size_t i = 0; i < log->n_metas && log->n_faulty > 0 && info->first_faulty == 0; i++)
        if (log->metas[i].state == MGC__RAFTLOG_FAULTY) info->first_faulty = log->first + i;
}

/* --- the group ---------------------------------------------------------------------------------- */

static mgc_status usable(mgc__raftlog *log)
{
    return log->failed ? mgc__fail(log->ctx, MGC_E_FAILED, "consensus: the log failed earlier; open it again") : MGC_OK;
}

/* Would the group run into the second headers of what was acknowledged?  Torn there, it would take them along. */
static bool meets_tail(const mgc__raftlog *log, size_t len)
{
    return log->n_heads > 0 && log->group_at < log->tail_at && log->group_at + log->group.len + LOG_HEADER + len + LOG_ALIGN > log->tail_at;
}

/* Make room in the group and in the segment for a record of len bytes. */
static mgc_status make_room(mgc__raftlog *log, size_t len)
{
    mgc_status st = MGC_OK;

    if (log->begun || log->n_heads == LOG_GROUP_MAX || (log->n_heads > 0 && log->group.len + len > LOG_GROUP_BYTES) ||
        meets_tail(log, len) || !mgc__raftlog_has_room(log, len))
        st = mgc__raftlog_sync(log);
    if (st == MGC_OK && !mgc__raftlog_has_room(log, len)) st = mgc__raftlog_begin_segment(log, len);
    if (st != MGC_OK) return st;
    if (!mgc__grow(log->ctx, (void **)&log->heads, &log->cap_heads, log->n_heads + 1, sizeof *log->heads) ||
        !mgc__grow(log->ctx, (void **)&log->hashes, &log->cap_hashes, log->n_heads + 1, sizeof *log->hashes))
        return mgc__no_memory(log->ctx, "consensus: a group of records");
    if (log->n_heads == 0) {
        log->group_at = mgc__raftlog_place(log, len);
        log->group.len = 0;
    }
    return MGC_OK;
}

/* Gather one record; link is the hash before it, hash its own.  What is where is told in *meta. */
static mgc_status gather(mgc__raftlog *log, const log_header *record, const uint8_t hash[32], const uint8_t *body,
                         mgc__raftlog_meta *meta)
{
    static const uint8_t zeros[LOG_HEADER] = {0};
    mgc_status st = make_room(log, record->len);
    size_t before;
    log_header h;

    if (st != MGC_OK) return st;
    before = log->group.len;
    h = *record;
    h.sequence = log->next;
    h.offset = log->group_at + before;
    h.body_crc = mgc__crc32c(0, body, record->len);
    mgc__buf_put(&log->group, zeros, LOG_HEADER);
    mgc__buf_put(&log->group, body, record->len);
    mgc__buf_put(&log->group, zeros, (size_t)(log_up(log->group.len, LOG_ALIGN) - log->group.len));
    if (log->group.status != MGC_OK) {
        log->group.len = before;
        log->group.status = MGC_OK;
        return mgc__no_memory(log->ctx, "consensus: a group of records");
    }
    log->heads[log->n_heads] = h;
    memcpy(log->hashes[log->n_heads], hash, 32);
    log->n_heads++;
    log->next++;
    *meta = (mgc__raftlog_meta){.term = h.term, .offset = h.offset, .segment = log->segment_hi,
                                .origin = log->segment_hi, .len = h.len, .type = (uint8_t)h.type,
                                .state = MGC__RAFTLOG_STORED, .has_hash = true};
    memcpy(meta->hash, hash, 32);
    return MGC_OK;
}

mgc_status mgc__raftlog_mark(mgc__raftlog *log, uint32_t type, uint64_t index, uint64_t term, const uint8_t link[32])
{
    log_header h = {.index = index, .term = term, .type = type};
    mgc__raftlog_meta unused;

    memcpy(h.link, link, 32);
    return gather(log, &h, link, (const uint8_t *)"", &unused);
}

static mgc_status check_entry(mgc__raftlog *log, const mgc__raftlog_entry *e)
{
    if (e->type > MGC__RAFTLOG_TYPE_MAX || e->len > MGC__RAFTLOG_BODY_MAX || e->term == 0)
        return mgc__fail(log->ctx, MGC_E_INVALID_ARG,
                         "consensus: entry %" PRIu64 " has term %" PRIu64 ", type %" PRIu32 " and %" PRIu32
                         " bytes; allowed are terms from 1, types to %d and %d bytes",
                         e->index, e->term, e->type, e->len, MGC__RAFTLOG_TYPE_MAX, MGC__RAFTLOG_BODY_MAX);
    return MGC_OK;
}

mgc_status mgc__raftlog_append(mgc__raftlog *log, const mgc__raftlog_entry *e)
{
    const uint8_t *before = last_hash(log);
    log_header h = {.index = e->index, .term = e->term, .len = e->len, .type = e->type};
    mgc__raftlog_meta meta;
    mgc_status st = usable(log);

    if (st == MGC_OK) st = check_entry(log, e);
    if (st != MGC_OK) return st;
    if (e->index != last_of(log) + 1 || (before != NULL && memcmp(before, e->prev, 32) != 0))
        return mgc__fail(log->ctx, MGC_E_INVALID_ARG, "consensus: entry %" PRIu64 " does not follow the last one, %" PRIu64 "%s",
                         e->index, last_of(log), e->index == last_of(log) + 1 ? ": it links to another" : "");
    memcpy(h.link, e->prev, 32);
    st = gather(log, &h, e->hash, e->body, &meta);
    return st == MGC_OK ? mgc__raftlog_push_meta(log, &meta) : st;
}

mgc_status mgc__raftlog_truncate(mgc__raftlog *log, uint64_t from, uint64_t term)
{
    static const uint8_t none[32] = {0};
    mgc_status st = usable(log);

    if (st != MGC_OK) return st;
    if (from < log->first)
        return mgc__fail(log->ctx, MGC_E_INVALID_ARG,
                         "consensus: truncation from %" PRIu64 "; the log begins at %" PRIu64 " and what is before is committed",
                         from, log->first);
    if (from > last_of(log)) return MGC_OK;
    st = mgc__raftlog_mark(log, LOG_TRUNCATE, from, term, none);
    if (st == MGC_OK) mgc__raftlog_drop_from(log, from);
    return st;
}

mgc_status mgc__raftlog_repair(mgc__raftlog *log, const mgc__raftlog_entry *e)
{
    log_header h = {.index = e->index, .term = e->term, .len = e->len, .type = e->type, .flags = LOG_FLAG_REPAIR};
    mgc__raftlog_meta *meta = mgc__raftlog_at(log, e->index), *before, there;
    mgc_status st = usable(log);

    if (st == MGC_OK) st = check_entry(log, e);
    if (st != MGC_OK) return st;
    if (meta == NULL || meta->state != MGC__RAFTLOG_FAULTY || !meta->has_hash)
        return mgc__fail(log->ctx, MGC_E_STATE, "consensus: entry %" PRIu64 " is not one whose content is known and lost", e->index);
    if (memcmp(meta->hash, e->hash, 32) != 0 || (meta->term != 0 && meta->term != e->term))
        return mgc__fail(log->ctx, MGC_E_INVALID_ARG, "consensus: entry %" PRIu64 " of term %" PRIu64 " is not the one that was lost",
                         e->index, e->term);
    memcpy(h.link, e->prev, 32);
    st = gather(log, &h, e->hash, e->body, &there);
    if (st != MGC_OK) return st;
    there.origin = meta->origin;
    *meta = there;
    log->n_faulty--;
    /* Its link tells what the entry before must be. */
    before = mgc__raftlog_at(log, e->index - 1);
    if (before != NULL && (!before->has_hash || memcmp(before->hash, e->prev, 32) != 0)) {
        if (before->has_hash) before->term = 0;
        mgc__raftlog_set_faulty(log, before, e->prev);
    }
    return MGC_OK;
}

/* --- making it durable -------------------------------------------------------------------------- */

mgc_status mgc__raftlog_write_ring(mgc__raftlog *log)
{
    size_t n = log->n_recent, bytes = n * LOG_HEADER;
    uint64_t at = mgc__raftlog_ring_at(log->size, log->next - 1 - log->base);
    log_name name;
    mgc_status st;

    if (n == 0) return MGC_OK;
    if (!mgc__grow(log->ctx, (void **)&log->ring, &log->cap_ring, bytes, 1))
        return mgc__no_memory(log->ctx, "consensus: a group of records");
    for (size_t i = 0; i < n; i++) memcpy(log->ring + bytes - (i + 1) * LOG_HEADER, log->recent[i], LOG_HEADER);
    mgc__raftlog_segment_name(log, log->segment_hi, name);
    st = mgc__verdict(log->opts.ops.write(log->opts.user, name, at, log->ring, bytes));
    if (st == MGC_OK) log->n_recent = 0;
    return st;
}

/* Both headers of each record of the group, the first in its place. */
static mgc_status put_headers(mgc__raftlog *log)
{
    size_t n = log->n_heads;

    if (!mgc__grow(log->ctx, (void **)&log->recent, &log->cap_recent, log->n_recent + n, sizeof *log->recent))
        return mgc__no_memory(log->ctx, "consensus: a group of records");
    for (size_t i = 0; i < n; i++) {
        log_header h = log->heads[i];
        h.group_at = (uint32_t)i;
        h.group_n = (uint32_t)n;
        mgc__raftlog_put_header(log, LOG_INLINE, &h, log->group.bytes + (h.offset - log->group_at));
        memcpy(h.link, log->hashes[i], 32);
        mgc__raftlog_put_header(log, LOG_RING, &h, log->recent[log->n_recent++]);
    }
    return MGC_OK;
}

static void pad(mgc__raftlog *log, uint64_t to)
{
    static const uint8_t zeros[LOG_BLOCK] = {0};

    mgc__buf_put(&log->group, zeros, (size_t)(to - log->group_at) - log->group.len);
}

/* What is written at once: the group; where there is room (0: there is none), recent second headers from the next block on; and zeros up to
 * the end of the sector, where nothing is that is needed.  Whole sectors are what a disk is quickest with. */
static mgc_status put_rest(mgc__raftlog *log, uint64_t behind)
{
    if (behind != 0) {
        pad(log, behind);
        mgc__buf_put(&log->group, log->recent, log->n_recent * sizeof *log->recent);
    }
    pad(log, log_up(log->group_at + log->group.len, LOG_SECTOR));
    return log->group.status == MGC_OK ? MGC_OK : mgc__no_memory(log->ctx, "consensus: a group of records");
}

/* What was written last stays in memory: it is about to be executed, or sent to a member that lags a little, and may have been
 * written past the system's cache.  Where there is no memory it is read from the disk. */
static void remember(mgc__raftlog *log)
{
    log_written *now = &log->written[0];
    bool goes_on = now->segment == log->segment_hi && now->at + now->bytes.len == log->at; /* nothing was written in between */
    size_t gap = goes_on ? (size_t)(log->group_at - log->at) : 0, len = log->group.len;

    if (len > LOG_WRITTEN_MAX / 4) return;
    if (!goes_on || now->bytes.len + gap + len > LOG_WRITTEN_MAX) {
        log_written old = log->written[1];
        log->written[1] = *now;
        *now = old;
        now->bytes.len = 0;
        now->at = log->group_at;
        now->segment = log->segment_hi;
        gap = 0;
    }
    if (mgc__grow(log->ctx, (void **)&now->bytes.bytes, &now->bytes.cap, now->bytes.len + gap + len, 1)) {
        memset(now->bytes.bytes + now->bytes.len, 0, gap);
        now->bytes.len += gap;
        memcpy(now->bytes.bytes + now->bytes.len, log->group.bytes, len);
        now->bytes.len += len;
    }
}

/* The first byte behind the group where second headers may be. */
static uint64_t behind_group(const mgc__raftlog *log)
{
    return log_up(log->group_at + log->group.len, LOG_BLOCK);
}

/* Does the group take the second headers into the ring: are there too many, or is no room behind it? */
static bool ring_is_due(const mgc__raftlog *log)
{
    size_t n = log->n_recent + log->n_heads;

    return n > LOG_RECENT_MAX ||
           log_up(behind_group(log) + n * LOG_HEADER, LOG_SECTOR) > mgc__raftlog_ring_at(log->size, log->next - 1 - log->base);
}

typedef int32_t (*write_call)(void *user, const char *name, uint64_t offset, const uint8_t *bytes, size_t len);

/* By write() or begin_write(); a sync must follow. */
static mgc_status write_group(mgc__raftlog *log, write_call write)
{
    uint64_t behind = behind_group(log);
    size_t len = log->group.len;
    bool ring = ring_is_due(log);
    log_name name;
    mgc_status st = put_headers(log);

    if (st == MGC_OK) st = put_rest(log, ring ? 0 : behind);
    mgc__raftlog_segment_name(log, log->segment_hi, name);
    if (st == MGC_OK && ring) st = mgc__raftlog_write_ring(log);
    if (st == MGC_OK) st = mgc__verdict(write(log->opts.user, name, log->group_at, log->group.bytes, log->group.len));
    log->group.len = len;
    log->tail_at = ring ? 0 : behind;
    log->tail_end = ring ? 0 : behind + log->n_recent * LOG_HEADER;
    return st == MGC_OK ? MGC_OK : mgc__raftlog_fail(log, st, "writing a group of records");
}

mgc_status mgc__raftlog_begin_sync(mgc__raftlog *log)
{
    mgc_status st = usable(log);

    if (st != MGC_OK || log->begun || log->n_heads == 0 || log->opts.ops.begin_write == NULL || ring_is_due(log)) return st;
    st = write_group(log, log->opts.ops.begin_write);
    log->begun = st == MGC_OK;
    return st;
}

static mgc_status sync_group(mgc__raftlog *log)
{
    log_name name;
    mgc_status st;

    mgc__raftlog_segment_name(log, log->segment_hi, name);
    log->begun = false;
    st = mgc__verdict(log->opts.ops.sync(log->opts.user, name));
    return st == MGC_OK ? MGC_OK : mgc__raftlog_fail(log, st, "writing a group of records");
}

mgc_status mgc__raftlog_sync(mgc__raftlog *log)
{
    mgc_status st = usable(log);

    if (st != MGC_OK || log->n_heads == 0) return st;
    if (!log->begun) st = write_group(log, log->opts.ops.write);
    if (st == MGC_OK) st = sync_group(log);
    if (st != MGC_OK) return st;
    remember(log);
    log->at = log->group_at + log->group.len;
    log->n_heads = 0;
    log->group.len = 0;
    return MGC_OK;
}

void mgc__raftlog_give_back(mgc__raftlog *log)
{
    if (log->begun) (void)sync_group(log);
}

/* --- reading ------------------------------------------------------------------------------------ */

/* The record in memory: gathered, or written lately.  NULL: it is in a file only. */
static const uint8_t *at_hand(const mgc__raftlog *log, const mgc__raftlog_meta *meta)
{
    if (log->n_heads > 0 && meta->segment == log->segment_hi && meta->offset >= log->group_at)
        return log->group.bytes + (meta->offset - log->group_at);
    for (int i = 0; i < 2; i++) {
        const log_written *w = &log->written[i];
        if (meta->segment == w->segment && meta->offset >= w->at && meta->offset < w->at + w->bytes.len)
            return w->bytes.bytes + (meta->offset - w->at);
    }
    return NULL;
}

/* The record's bytes from where they are now. */
static mgc_status fetch(mgc__raftlog *log, const mgc__raftlog_meta *meta, mgc__buf *bytes)
{
    const uint8_t *here = at_hand(log, meta);
    log_name name;

    bytes->len = 0;
    if (here != NULL) {
        mgc__buf_put(bytes, here, LOG_HEADER + (size_t)meta->len);
        return bytes->status;
    }
    if (!mgc__grow(log->ctx, (void **)&bytes->bytes, &bytes->cap, LOG_HEADER + (size_t)meta->len, 1)) return MGC_E_NO_MEMORY;
    mgc__raftlog_segment_name(log, meta->segment, name);
    bytes->len = LOG_HEADER + (size_t)meta->len;
    return mgc__verdict(log->opts.ops.read(log->opts.user, name, meta->offset, bytes->bytes, bytes->len));
}

static bool as_written(const mgc__raftlog *log, const mgc__raftlog_meta *meta, uint64_t index, const mgc__buf *bytes,
                       log_header *h)
{
    if (log->n_heads > 0 && meta->segment == log->segment_hi && meta->offset >= log->group_at) {
        size_t i = 0;
        while (log->heads[i].offset != meta->offset) i++;
        *h = log->heads[i];
        return true;
    }
    return mgc__raftlog_get_header(log, LOG_INLINE, bytes->bytes, h) && h->index == index && h->term == meta->term &&
           h->len == meta->len && h->offset == meta->offset &&
           h->body_crc == mgc__crc32c(0, bytes->bytes + LOG_HEADER, meta->len);
}

mgc_status mgc__raftlog_read(mgc__raftlog *log, uint64_t index, mgc__buf *body, mgc__raftlog_entry *entry)
{
    mgc__raftlog_meta *meta = mgc__raftlog_at(log, index);
    log_header h;
    mgc_status st;

    if (meta == NULL)
        return mgc__fail(log->ctx, MGC_E_NOT_FOUND, "consensus: entry %" PRIu64 " is not in the log, %" PRIu64 "..%" PRIu64,
                         index, log->first, last_of(log));
    st = meta->state == MGC__RAFTLOG_FAULTY ? MGC_E_CORRUPT : fetch(log, meta, body);
    if (st == MGC_E_NO_MEMORY) return mgc__no_memory(log->ctx, "consensus: an entry");
    if (st == MGC_OK && !as_written(log, meta, index, body, &h)) {
        mgc__raftlog_set_faulty(log, meta, meta->hash);
        st = MGC_E_CORRUPT;
    }
    if (st == MGC_E_CORRUPT)
        return mgc__fail(log->ctx, st, "consensus: entry %" PRIu64 " in segment %" PRIu32 " at byte %" PRIu64 " is damaged", index,
                         meta->segment, meta->offset);
    if (st != MGC_OK) return st;
    *entry = (mgc__raftlog_entry){.index = index, .term = meta->term, .type = meta->type, .len = meta->len,
                                  .body = body->bytes + LOG_HEADER};
    memcpy(entry->prev, h.link, 32);
    memcpy(entry->hash, meta->hash, 32);
    return MGC_OK;
}
