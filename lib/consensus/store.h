/* SPDX-License-Identifier: Apache-2.0 */
/* The consensus log on disk: entries, term and vote, snapshots, over the host's storage calls.
 *
 * It is a store of its own beside the ledger's journal: its names begin with a prefix, so that both may live in one
 * folder.  The journal keeps blocks for ever and only grows; this log keeps what members have not all applied yet, is
 * cut back when a leader changes, and is compacted as soon as the ledger has the blocks.
 *
 * Files
 *   <prefix>log-00000000.mgl   segments: zeroed when made, records from the front, a second copy of each record's
 *                              header from the back (the ring)
 *   <prefix>hard.mgl           term, vote and incarnation: two slots used in turn, each written twice
 *   <prefix>snap-...mgl        snapshots, two kept
 *
 * Writing a group of records
 *   1. append() and truncate() gather records; the group begins at a new sector, so that no torn write of it can touch
 *      what was durable before.
 *   2. sync() writes the records and, from the next block of 4 KiB on, the second headers of all that the ring does not
 *      have yet: one piece of the disk, for a disk is asked twice as long for two.  Each header tells the group's length
 *      and the record's place in it.
 *   3. Once these are more than a block holds they go into the ring, in the same sync.  Until then no group
 *      is put where they are, for a torn write would take with it what is needed for entries that are lost already.
 *   4. Only after sync() returned MGC_OK may an acknowledgement leave.  A leader may begin_sync() before it sends its
 *      entries to the others, and sync() afterwards.
 *
 * What can go wrong, and what open() makes of it
 *   both headers of a record gone, nothing durable behind     torn: dropped, with what follows of its group
 *   one header gone, body good                                repaired
 *   a header good, body bad                                   FAULTY: it may have been acknowledged.  The member may not
 *                                                             vote, campaign or acknowledge until it has got exactly this
 *                                                             (index, term, hash) again, or a leader truncated it
 *   ... and its second header is gone too, or a record of     damage in two places: the group was never synced, hence
 *   the same last group lost both headers                     never acknowledged; dropped from there
 *   both headers gone, a later group behind                   FAULTY, known by its successor's link
 *   a good record with a wrong link                           MGC_E_CORRUPT: no disk does that
 *   both slots of term and vote bad, an empty store, a log    readmit: the member comes back as a learner with a new
 *   that knows a later term than the slots                    incarnation, for it cannot know whom it promised what
 *   sync fails                                                the handle has failed; nothing is retried
 *
 * A single damaged place on a medium never loses a record silently: two copies of a header lie in different blocks of
 * 4 KiB, and so do the two of term and vote. */
#ifndef CONSENSUS_STORE_H
#define CONSENSUS_STORE_H

#include "base/base.h"
#include "mgchain/storage.h"

enum {
    MGC__RAFTLOG_BODY_MAX = 1 << 25,    /* a block of the greatest size with its envelope fits twice */
    MGC__RAFTLOG_SEGMENT_MIN = 1 << 14, /* room for a few records in tests; 64 MiB is usual */
    MGC__RAFTLOG_TYPE_MAX = 127         /* entry types of the core */
};

typedef struct mgc__raftlog mgc__raftlog;

/* Hash of an entry: the core's rule, needed where a damaged header took it away. */
typedef void (*mgc__raftlog_hash)(const uint8_t prev[32], uint64_t index, uint64_t term, uint32_t type,
                                  const uint8_t *body, size_t len, uint8_t hash[32]);

typedef struct mgc__raftlog_opts {
    mgc_storage_ops ops;
    void *user;
    const char *prefix; /* of every name; at most 16 characters of [a-z0-9.-]; copied */
    uint64_t segment_bytes;
    uint64_t salt;      /* of a store that is begun now: random, so that no one can forge a record inside a body */
    uint32_t member;    /* whose log it is: another member's is refused */
    bool lock;          /* hold ops.lock: not where the ledger of the same store does */
    bool bootstrap;     /* an empty store is that of a new member; otherwise it is one that was lost */
    uint64_t genesis_index, genesis_term; /* the entry that the log begins after; 0: the first has index 1 */
    uint8_t genesis_hash[32];
    mgc__raftlog_hash hash;
} mgc__raftlog_opts;

typedef struct mgc__raftlog_hard {
    uint64_t term;
    uint32_t vote, incarnation; /* vote 0: none */
    uint32_t leader; /* of that term, once it was followed; 0 */
    uint64_t commit; /* entries up to here are known to be committed: a hint that never falls; 0: the one before stands */
} mgc__raftlog_hard;

typedef struct mgc__raftlog_entry {
    uint64_t index, term;
    uint32_t type;
    uint32_t len;
    uint8_t prev[32], hash[32];
    const uint8_t *body;
} mgc__raftlog_entry;

enum { MGC__RAFTLOG_STORED = 1, MGC__RAFTLOG_FAULTY = 2 };

/* What is known of an entry without reading it. */
typedef struct mgc__raftlog_meta {
    uint64_t term;            /* 0: unknown (FAULTY, both headers gone) */
    uint64_t offset;          /* of its record */
    uint32_t segment, origin; /* where it is; where it was first written */
    uint32_t len;
    uint8_t type, state;
    bool has_hash; /* always, where STORED */
    uint8_t hash[32];
} mgc__raftlog_meta;

typedef struct mgc__raftlog_snapshot {
    uint64_t index, term; /* index 0: none */
    uint64_t size;
    uint8_t hash[32]; /* of the entry at index */
} mgc__raftlog_snapshot;

typedef struct mgc__raftlog_info {
    mgc__raftlog_hard hard;
    mgc__raftlog_snapshot snapshot;
    uint64_t first, last; /* entries there, faulty ones included; last = first - 1: none */
    uint64_t last_term;
    uint64_t n_faulty, first_faulty;
    uint64_t torn, repaired; /* by the last open: records dropped, headers written again */
    uint32_t n_segments;
    bool readmit;       /* see above */
    bool snapshot_lost; /* the log begins after an index that no snapshot covers */
    bool failed;
} mgc__raftlog_info;

/* MGC_OK, MGC_E_CORRUPT (no crash explains it; text names file and byte), MGC_E_VERSION, MGC_E_WRONG_CHAIN (another
 * member's), MGC_E_UNSUPPORTED (no reserve or write), MGC_E_LOCKED, MGC_E_NO_MEMORY, storage. */
mgc_status mgc__raftlog_open(mgc_ctx *ctx, const mgc__raftlog_opts *opts, mgc__raftlog **out);
void mgc__raftlog_close(mgc__raftlog *log); /* what was not synced is dropped; NULL is fine */
void mgc__raftlog_get_info(const mgc__raftlog *log, mgc__raftlog_info *info);

/* Durable when it returns MGC_OK. */
mgc_status mgc__raftlog_set_hard(mgc__raftlog *log, const mgc__raftlog_hard *hard);

/* Remember, before anything of it is cut away, that what was acknowledged here may be lost: info.readmit is set from now on,
 * also after a restart, until set_hard() is given a higher incarnation. */
mgc_status mgc__raftlog_mark_lost(mgc__raftlog *log);

/* Gather.  The entry must follow the last one (index, prev).  MGC_E_FAILED after a failure. */
mgc_status mgc__raftlog_append(mgc__raftlog *log, const mgc__raftlog_entry *entry);
/* Drop entries from..last by a record that says so; nothing where from > last. */
mgc_status mgc__raftlog_truncate(mgc__raftlog *log, uint64_t from, uint64_t term);
/* Put back exactly what was lost; MGC_E_INVALID_ARG where index, term or hash differ from what is known, MGC_E_STATE
 * where nothing is known (then only a leader's truncation helps). */
mgc_status mgc__raftlog_repair(mgc__raftlog *log, const mgc__raftlog_entry *entry);
/* Begin what sync() does, where the storage can (begin_write), and go on: a leader sends to the others meanwhile.  Nothing counts as
 * durable before sync() returned MGC_OK; whoever gathers more before waits for it. */
mgc_status mgc__raftlog_begin_sync(mgc__raftlog *log);
/* Write the group and make it durable.  MGC_E_FAILED for ever after a failure. */
mgc_status mgc__raftlog_sync(mgc__raftlog *log);
/* In quiet times: have the next segment ready, so that no append waits for it. */
mgc_status mgc__raftlog_prepare(mgc__raftlog *log);
/* Before a planned end: what the next open would have to write is written now. */
mgc_status mgc__raftlog_finish(mgc__raftlog *log);

/* NULL: not in the log.  Borrowed until the next change. */
const mgc__raftlog_meta *mgc__raftlog_meta_of(const mgc__raftlog *log, uint64_t index);
/* Hash and term of the entry before the first (the snapshot's). */
void mgc__raftlog_base(const mgc__raftlog *log, uint64_t *term, uint8_t hash[32]);
/* Read and check; body is filled (its len is reset) and entry->body points into it.  MGC_E_CORRUPT: the entry is FAULTY
 * from now on. */
mgc_status mgc__raftlog_read(mgc__raftlog *log, uint64_t index, mgc__buf *body, mgc__raftlog_entry *entry);

/* A snapshot: written aside in pieces, each at its offset (a repeated piece is fine, a gap is MGC_E_INVALID_ARG), then
 * published: synced, renamed, names synced.  Publishing one that the log does not contain empties the log. */
mgc_status mgc__raftlog_snap_begin(mgc__raftlog *log, uint64_t index, uint64_t term, const uint8_t hash[32]);
mgc_status mgc__raftlog_snap_write(mgc__raftlog *log, uint64_t offset, const uint8_t *bytes, size_t len);
mgc_status mgc__raftlog_snap_publish(mgc__raftlog *log);
mgc_status mgc__raftlog_snap_read(mgc__raftlog *log, uint64_t offset, uint8_t *bytes, size_t len);
/* Forget every entry and go on after index: for a member that is readmitted because what its log begins after was lost. */
mgc_status mgc__raftlog_restart(mgc__raftlog *log, uint64_t index, uint64_t term, const uint8_t hash[32]);
/* Forget entries up to an index that the snapshot covers, and remove the files that hold nothing else. */
mgc_status mgc__raftlog_compact(mgc__raftlog *log, uint64_t upto);

#endif
