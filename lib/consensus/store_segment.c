/* SPDX-License-Identifier: Apache-2.0 */
/* Segment files: made whole and zeroed, so that a later sync writes data only.
 *
 *   0 .. 511              head
 *   512 ..                records, groups at multiples of 512
 *   .. size - 512         second headers, growing towards the records
 *   size - 512 .. size    the head again
 *
 * A segment is begun in three steps, each durable before the next: reserve under another name, rename, write the head.  A
 * crash between them leaves a file without records, which open() begins again. */
#include "consensus/store_private.h"

#include <stdio.h>

static const uint32_t head_magic = 0x534c474du; /* "MGLS" */
enum { HEAD_BYTES = 44 };

void mgc__raftlog_file_name(const mgc__raftlog *log, const char *what, log_name name)
{
    snprintf(name, sizeof(log_name), "%s%s.mgl", log->prefix, what);
}

void mgc__raftlog_segment_name(const mgc__raftlog *log, uint32_t segment, log_name name)
{
    static const char digits[] = "0123456789abcdef";
    char *at = name + strlen(log->prefix); /* without printf: every commit asks for it */

    memcpy(name, log->prefix, (size_t)(at - name));
    memcpy(at, "log-00000000.mgl", sizeof "log-00000000.mgl");
    for (int i = 0; i < 8; i++) at[4 + i] = digits[segment >> (28 - 4 * i) & 15];
}

bool mgc__raftlog_segment_number(const mgc__raftlog *log, const char *name, uint32_t *segment)
{
    size_t skip = strlen(log->prefix);
    log_name again;

    if (strncmp(name, log->prefix, skip) != 0 || sscanf(name + skip, "log-%8" SCNx32 ".mgl", segment) != 1) return false;
    mgc__raftlog_segment_name(log, *segment, again);
    return strcmp(name, again) == 0;
}

uint64_t mgc__raftlog_ring_at(uint64_t size, uint64_t k)
{
    return size - LOG_SECTOR - (k + 1) * LOG_HEADER;
}

mgc_status mgc__raftlog_fail(mgc__raftlog *log, mgc_status status, const char *what)
{
    log->failed = true;
    return mgc__fail(log->ctx, MGC_E_FAILED,
                     "consensus: %s failed (%s); what is durable is unknown until the log is opened again", what,
                     mgc_status_name(status));
}

uint64_t mgc__raftlog_place(const mgc__raftlog *log, size_t len)
{
    uint64_t at = log_up(log->at, LOG_SECTOR);

    return at < log->tail_end && at + LOG_HEADER + len + LOG_ALIGN > log->tail_at ? log_up(log->tail_end, LOG_SECTOR) : at;
}

bool mgc__raftlog_has_room(const mgc__raftlog *log, size_t len)
{
    uint64_t begin = log->n_heads == 0 ? mgc__raftlog_place(log, len) : log->group_at + log->group.len;
    uint64_t slots = log->next - log->base + 1;

    /* Not into the block where its second header will be. */
    return log->has_segment && begin + LOG_HEADER + len + LOG_ALIGN <= mgc__raftlog_ring_at(log->size, slots) / LOG_BLOCK * LOG_BLOCK;
}

/* --- the head ----------------------------------------------------------------------------------- */

static void put_head(const log_segment_head *head, uint8_t bytes[LOG_SECTOR])
{
    memset(bytes, 0, LOG_SECTOR);
    log_put32(bytes, head_magic);
    log_put32(bytes + 4, head->version);
    log_put32(bytes + 8, head->segment);
    log_put32(bytes + 12, head->member);
    log_put64(bytes + 16, head->salt);
    log_put64(bytes + 24, head->base);
    log_put64(bytes + 32, head->size);
    log_put32(bytes + 40, mgc__crc32c(0, bytes, 40));
}

static bool get_head(const uint8_t *bytes, log_segment_head *head)
{
    if (log_get32(bytes) != head_magic || log_get32(bytes + 40) != mgc__crc32c(0, bytes, 40)) return false;
    head->version = log_get32(bytes + 4);
    head->segment = log_get32(bytes + 8);
    head->member = log_get32(bytes + 12);
    head->salt = log_get64(bytes + 16);
    head->base = log_get64(bytes + 24);
    head->size = log_get64(bytes + 32);
    return true;
}

/* One copy rotted: a second rotten place must not take the segment with it. */
static mgc_status write_again(mgc__raftlog *log, const char *name, const log_segment_head *head, uint64_t at)
{
    uint8_t bytes[LOG_SECTOR];
    mgc_status st;

    put_head(head, bytes);
    log->repaired++;
    st = mgc__verdict(log->opts.ops.write(log->opts.user, name, at, bytes, sizeof bytes));
    if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync(log->opts.user, name));
    return st == MGC_OK ? MGC_OK : mgc__raftlog_fail(log, st, "repairing a segment's head");
}

mgc_status mgc__raftlog_read_segment_head(mgc__raftlog *log, uint32_t segment, uint64_t size, log_segment_head *head,
                                          bool *good)
{
    uint64_t places[2] = {0, size - LOG_SECTOR};
    uint8_t bytes[HEAD_BYTES];
    bool whole[2] = {false, false};
    log_name name;

    *good = false;
    if (size < MGC__RAFTLOG_SEGMENT_MIN) return MGC_OK; /* cut short while it was made */
    mgc__raftlog_segment_name(log, segment, name);
    for (int i = 0; i < 2; i++) {
        log_segment_head one;
        mgc_status st = mgc__verdict(log->opts.ops.read(log->opts.user, name, places[i], bytes, sizeof bytes));
        if (st != MGC_OK) return st;
        whole[i] = get_head(bytes, &one);
        if (whole[i] && !*good) *head = one;
        *good = *good || whole[i];
    }
    if (*good && head->version > LOG_FORMAT)
        return mgc__fail(log->ctx, MGC_E_VERSION, "consensus: %s has version %" PRIu32 "; this library knows %d", name,
                         head->version, LOG_FORMAT);
    if (*good && head->member != log->opts.member)
        return mgc__fail(log->ctx, MGC_E_WRONG_CHAIN, "consensus: %s is member %" PRIu32 "'s log; this is member %" PRIu32,
                         name, head->member, log->opts.member);
    if (*good && (head->segment != segment || head->size != size))
        return mgc__fail(log->ctx, MGC_E_CORRUPT,
                         "consensus: %s is segment %" PRIu32 " of %" PRIu64 " bytes under another name or cut: it has %" PRIu64,
                         name, head->segment, head->size, size);
    return *good && whole[0] != whole[1] ? write_again(log, name, head, places[whole[0] ? 1 : 0]) : MGC_OK;
}

/* --- beginning one ------------------------------------------------------------------------------ */

static mgc_status reserve(mgc__raftlog *log, const char *name, uint64_t size)
{
    mgc_status st = mgc__verdict(log->opts.ops.reserve(log->opts.user, name, size));

    /* What was made so far says nothing yet, so a full disk is no failure of the log. */
    if (st != MGC_OK) return st;
    st = mgc__verdict(log->opts.ops.sync(log->opts.user, name));
    return st == MGC_OK ? MGC_OK : mgc__raftlog_fail(log, st, "syncing a new segment");
}

mgc_status mgc__raftlog_prepare(mgc__raftlog *log)
{
    log_name name;
    mgc_status st;

    if (log->failed) return MGC_E_FAILED;
    if (log->has_spare) return MGC_OK;
    mgc__raftlog_file_name(log, "spare", name);
    st = reserve(log, name, log->opts.segment_bytes);
    log->has_spare = st == MGC_OK;
    return st;
}

static mgc_status write_head(mgc__raftlog *log, const char *name, uint32_t segment, uint64_t size)
{
    log_segment_head head = {.version = LOG_FORMAT, .segment = segment, .member = log->opts.member, .salt = log->salt,
                             .base = log->next, .size = size};
    uint8_t bytes[LOG_SECTOR];
    mgc_status st;

    put_head(&head, bytes);
    st = mgc__verdict(log->opts.ops.write(log->opts.user, name, 0, bytes, sizeof bytes));
    if (st == MGC_OK)
        st = mgc__verdict(log->opts.ops.write(log->opts.user, name, size - LOG_SECTOR, bytes, sizeof bytes));
    if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync(log->opts.user, name));
    return st;
}

/* A segment that is not the last has all its second headers in the ring, and so has one that was closed. */
static mgc_status finish_ring(mgc__raftlog *log)
{
    log_name name;
    mgc_status st;

    assert(log->n_heads == 0);
    if (log->n_recent == 0) return MGC_OK;
    mgc__raftlog_segment_name(log, log->segment_hi, name);
    st = mgc__raftlog_write_ring(log);
    if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync(log->opts.user, name));
    return st == MGC_OK ? MGC_OK : mgc__raftlog_fail(log, st, "ending a segment");
}

/* Second headers that lie behind the last group are of no use once the ring has them; open() would set them to zero. */
static mgc_status clear_behind(mgc__raftlog *log)
{
    static const uint8_t zeros[2 * LOG_BLOCK] = {0};
    uint64_t ring = mgc__raftlog_ring_at(log->size, log->next - 1 - log->base), end = log_up(log->at, LOG_BLOCK) + LOG_BLOCK;
    log_name name;
    mgc_status st;

    if (end > ring) end = ring;
    if (end <= log->at) return MGC_OK;
    mgc__raftlog_segment_name(log, log->segment_hi, name);
    st = mgc__verdict(log->opts.ops.write(log->opts.user, name, log->at, zeros, (size_t)(end - log->at)));
    if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync(log->opts.user, name));
    return st == MGC_OK ? MGC_OK : mgc__raftlog_fail(log, st, "ending a segment");
}

mgc_status mgc__raftlog_finish(mgc__raftlog *log)
{
    mgc_status st;

    if (log->failed) return MGC_E_FAILED;
    if (log->n_heads > 0 || log->next == log->base) return MGC_OK; /* what was not synced is dropped */
    st = finish_ring(log);
    return st == MGC_OK ? clear_behind(log) : st;
}

mgc_status mgc__raftlog_begin_segment(mgc__raftlog *log, size_t len)
{
    uint64_t least = 2 * LOG_SECTOR + 2 * LOG_HEADER + LOG_ALIGN + log_up(len, LOG_SECTOR) + LOG_SECTOR + LOG_BLOCK;
    uint64_t size = log->opts.segment_bytes > least ? log->opts.segment_bytes : least;
    uint32_t segment = log->has_segment ? log->segment_hi + 1 : log->segment_hi;
    log_name name, spare;
    mgc_status st = MGC_OK;

    assert(log->n_heads == 0);
    if (segment >= LOG_SEGMENTS_MAX)
        return mgc__fail(log->ctx, MGC_E_LIMIT, "consensus: the log has used all %d segment numbers", LOG_SEGMENTS_MAX);
    st = finish_ring(log);
    if (st != MGC_OK) return st;
    mgc__raftlog_segment_name(log, segment, name);
    mgc__raftlog_file_name(log, "spare", spare);
    if (!log->has_spare || size != log->opts.segment_bytes) {
        log->has_spare = false;
        st = reserve(log, spare, size);
    }
    if (st != MGC_OK) return st;
    log->has_spare = false;
    st = mgc__verdict(log->opts.ops.rename(log->opts.user, spare, name));
    if (st == MGC_OK) st = mgc__verdict(log->opts.ops.sync_names(log->opts.user));
    if (st == MGC_OK) st = write_head(log, name, segment, size);
    if (st != MGC_OK) return mgc__raftlog_fail(log, st, "beginning a segment");
    log->has_segment = true;
    log->segment_hi = segment;
    log->size = size;
    log->base = log->next;
    log->at = LOG_SECTOR;
    log->tail_at = log->tail_end = 0;
    return MGC_OK;
}
