/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the consensus log share.
 *
 *   store_open.c      open and close
 *   store.c           append, truncate, repair, sync, read
 *   store_record.c    headers as bytes
 *   store_segment.c   segment files
 *   store_recover.c   reading what a crash left
 *   store_hard.c      term and vote
 *   store_snapshot.c  snapshots and compaction */
#ifndef CONSENSUS_STORE_PRIVATE_H
#define CONSENSUS_STORE_PRIVATE_H

#include <inttypes.h>

#include "consensus/store.h"

enum {
    LOG_FORMAT = 2,          /* of segments; 1 had every second header in the ring */
    LOG_HARD_FORMAT = 1,
    LOG_SNAPSHOT_FORMAT = 1,
    LOG_SECTOR = 512,        /* the least that a disk writes; a group begins at one */
    LOG_BLOCK = 4096,        /* the most that one damaged place takes along */
    LOG_HEADER = 80,
    LOG_ALIGN = 8,           /* records begin at multiples of it */
    LOG_RECENT_MAX = LOG_BLOCK / LOG_HEADER, /* second headers that wait for the ring */
    LOG_GROUP_MAX = 1 << 12, /* records of a group: its number has 16 bits, and one write stays short */
    LOG_GROUP_BYTES = 4 << 20, /* bytes of a group, unless one record is longer */
    LOG_WRITTEN_MAX = 1 << 18, /* bytes written last that stay in memory, twice */
    LOG_PREFIX_MAX = 16,
    LOG_SEGMENTS_MAX = 1 << 20,
    LOG_BURST = 1 << 20 /* bytes read at once */
};

enum { /* kinds of records; entries of the core are below MGC__RAFTLOG_TYPE_MAX */
    LOG_TRUNCATE = 0x80, /* index: the first that is gone */
    LOG_RESET = 0x81     /* index, term, link: of the snapshot after which the log goes on */
};
enum { LOG_FLAG_REPAIR = 1 };

/* A record's header.  There are two of each: before the body with the hash of the entry before (link = prev), and at the
 * end of the segment, or until then behind the last group, with its own (link = hash). */
typedef struct log_header {
    uint64_t sequence; /* of the record in the whole store */
    uint64_t index, term;
    uint64_t offset;
    uint32_t len, body_crc;
    uint32_t type, flags;
    uint32_t group_at, group_n; /* place in its group, length of the group */
    uint8_t link[32];
} log_header;

enum { LOG_INLINE = 0, LOG_RING = 1 };

/* Bytes of a segment as they were written. */
typedef struct log_written {
    mgc__buf bytes;
    uint64_t at;
    uint32_t segment;
} log_written;

struct mgc__raftlog {
    mgc_ctx *ctx;
    mgc__raftlog_opts opts;
    char prefix[LOG_PREFIX_MAX + 1];
    uint64_t salt;
    uint64_t damaged_snapshot; /* the highest index by name of one that cannot be read any more; 0: none */
    bool locked, failed, readmit, snapshot_lost, has_hard;
    bool lost;        /* it may have lost what it acknowledged; kept with term and vote */
    bool hard_traces; /* something was written into the slots once */

    mgc__raftlog_hard hard;
    uint64_t hard_generation;

    /* Entries first..last; metas[i] is that of index first + i. */
    mgc__raftlog_meta *metas;
    size_t n_metas, cap_metas;
    uint64_t first, base_term;
    uint8_t base_hash[32];
    uint64_t n_faulty, torn, repaired;

    uint32_t segment_lo, segment_hi; /* numbers of the files; hi is written */
    bool has_segment;
    uint64_t size;        /* of the file that is written */
    uint64_t base;        /* sequence of its first record */
    uint64_t at;          /* end of the last record in it */
    uint64_t next;        /* sequence of the next record, those of the group included */
    bool has_spare;

    /* The group that is gathered: records as they will be written from group_at on, headers to be filled in at sync. */
    mgc__buf group;
    log_header *heads;
    uint8_t (*hashes)[32]; /* own hash of each record, for the ring */
    size_t n_heads, cap_heads, cap_hashes;
    uint64_t group_at;
    bool begun; /* the group is on its way to the disk, and nothing of it may change before sync() */
    uint8_t (*recent)[LOG_HEADER]; /* second headers that the ring does not have, ascending; those of the group included */
    size_t n_recent, cap_recent;
    uint64_t tail_at, tail_end; /* where they are on disk; no record goes there before they are elsewhere; 0, 0: nowhere */
    log_written written[2]; /* lately, and before that */
    uint8_t *ring; /* scratch: the same in the ring's order */
    size_t cap_ring;

    mgc__raftlog_snapshot snapshot, older, coming;
    uint32_t snapshot_crc; /* of coming, as far as written */
    bool snapshot_coming;
};

/* --- bytes -------------------------------------------------------------------------------------- */

static inline void log_put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static inline void log_put64(uint8_t *at, uint64_t value)
{
    log_put32(at, (uint32_t)value);
    log_put32(at + 4, (uint32_t)(value >> 32));
}

static inline uint32_t log_get32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint64_t log_get64(const uint8_t *at)
{
    return (uint64_t)log_get32(at) | (uint64_t)log_get32(at + 4) << 32;
}

static inline uint64_t log_up(uint64_t value, uint64_t to)
{
    return (value + to - 1) / to * to;
}

/* --- store.c -------------------------------------------------------------------------------------- */

/* The bytes of a begun write are the host's until a sync(): before they are freed, whatever became of the log. */
void mgc__raftlog_give_back(mgc__raftlog *log);

/* --- store_record.c ------------------------------------------------------------------------------- */

void mgc__raftlog_put_header(const mgc__raftlog *log, int copy, const log_header *h, uint8_t bytes[LOG_HEADER]);
/* Whole, and of this store? */
bool mgc__raftlog_get_header(const mgc__raftlog *log, int copy, const uint8_t bytes[LOG_HEADER], log_header *h);

/* --- store_segment.c ------------------------------------------------------------------------------ */

typedef char log_name[MGC_STORAGE_NAME_MAX + 1];

void mgc__raftlog_segment_name(const mgc__raftlog *log, uint32_t segment, log_name name);
bool mgc__raftlog_segment_number(const mgc__raftlog *log, const char *name, uint32_t *segment);
void mgc__raftlog_file_name(const mgc__raftlog *log, const char *what, log_name name);
/* Offset of the second header of the k-th record of a segment. */
uint64_t mgc__raftlog_ring_at(uint64_t size, uint64_t k);
/* Second headers that the ring does not have are written there; a sync must follow. */
mgc_status mgc__raftlog_write_ring(mgc__raftlog *log);
/* Where a group that begins with a record of len bytes is put. */
uint64_t mgc__raftlog_place(const mgc__raftlog *log, size_t len);
/* Room for a record of len bytes after what is gathered? */
bool mgc__raftlog_has_room(const mgc__raftlog *log, size_t len);
mgc_status mgc__raftlog_begin_segment(mgc__raftlog *log, size_t len);
typedef struct log_segment_head {
    uint32_t version, segment, member;
    uint64_t salt, base, size;
} log_segment_head;
/* From either copy; false: both are bad. */
mgc_status mgc__raftlog_read_segment_head(mgc__raftlog *log, uint32_t segment, uint64_t size, log_segment_head *head,
                                          bool *good);
mgc_status mgc__raftlog_fail(mgc__raftlog *log, mgc_status status, const char *what);

/* --- store_recover.c ------------------------------------------------------------------------------ */

mgc_status mgc__raftlog_recover(mgc__raftlog *log, uint64_t *sizes);
/* Metas: all counting goes through these. */
mgc_status mgc__raftlog_push_meta(mgc__raftlog *log, const mgc__raftlog_meta *meta);
void mgc__raftlog_drop_from(mgc__raftlog *log, uint64_t from);
void mgc__raftlog_drop_upto(mgc__raftlog *log, uint64_t upto);
void mgc__raftlog_empty(mgc__raftlog *log, uint64_t index, uint64_t term, const uint8_t hash[32]);
mgc__raftlog_meta *mgc__raftlog_at(const mgc__raftlog *log, uint64_t index);
void mgc__raftlog_set_faulty(mgc__raftlog *log, mgc__raftlog_meta *meta, const uint8_t *hash);

/* --- store_hard.c, store_snapshot.c ------------------------------------------------------------------ */

mgc_status mgc__raftlog_read_hard(mgc__raftlog *log, uint64_t size);
bool mgc__raftlog_snapshot_of_name(const mgc__raftlog *log, const char *name, mgc__raftlog_snapshot *snapshot);
mgc_status mgc__raftlog_read_snapshot(mgc__raftlog *log, mgc__raftlog_snapshot *snapshot, bool *good);
/* Entries against the snapshot, after both were read. */
mgc_status mgc__raftlog_meet_snapshot(mgc__raftlog *log);
/* A record that is no entry; gathered. */
mgc_status mgc__raftlog_mark(mgc__raftlog *log, uint32_t type, uint64_t index, uint64_t term, const uint8_t link[32]);

#endif
