/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: records one after the other in segment files, so that every byte of every file is checked.
 *
 * Writing
 *   1. A segment begins with a SEGMENT record, synced with its name before anything follows.
 *   2. Records are appended; each carries its number in the whole store and how many before it were durable when
 *      it was written.
 *   3. sync() makes them durable; a MARK is appended then, not synced, so that the next reader knows.
 *   4. A full segment is synced before the next one is begun.
 *
 * What can go wrong
 *   append fails               the file is cut back to where it was; if that fails too, the journal has failed
 *   sync fails                 the journal has failed: what is durable is unknown, nothing is retried
 *   power is lost              records since the last sync may be missing, torn or out of order: the first bad record
 *                              and all after it are cut off, unless a later one proves that it had been durable
 *   a durable byte changed     a later record says so (step 2): refused, naming height, file and offset
 *   a file is missing, swapped, from another store     numbers, salt and links do not fit: refused
 *   someone sends a transaction that contains a forged record     the salt in every checksum is not his to know */
#ifndef LEDGER_JOURNAL_H
#define LEDGER_JOURNAL_H

#include "base/base.h"
#include "mgchain/storage.h"

enum {
    MGC__RECORD_SEGMENT = 1,
    MGC__RECORD_GENESIS = 2,
    MGC__RECORD_BLOCK = 3,
    MGC__RECORD_CERTIFICATE = 4,
    MGC__RECORD_MARK = 5,
    MGC__RECORD_EVIDENCE = 6, /* of two final blocks of one height: the chain is halted from here on */
    MGC__RECORD_RESUME = 7,   /* an operator let it go on */
    MGC__RECORD_MEMBERS = 8   /* certificate of a block that changed who signs, which is pruned */
};

enum {
    MGC__RECORD_HEADER = 48,
    MGC__SEGMENT_BODY = 40,
    MGC__RECORD_MAX = 1 << 27 /* longest body: a full block with its receipts and writes fits */
};

typedef struct mgc__journal mgc__journal;

/* Where a record lies. */
typedef struct mgc__place {
    uint64_t offset; /* of its header */
    uint32_t segment, length; /* length of the body */
    uint64_t sequence;
} mgc__place;

typedef struct mgc__record {
    mgc__place place;
    uint64_t synced; /* records before this number were durable when it was written */
    uint64_t height;
    uint32_t type, chain;
    const uint8_t *body; /* place.length bytes, borrowed until the visit returns; NULL: not wanted, not read */
} mgc__record;

typedef struct mgc__journal_opts {
    mgc_storage_ops ops;
    void *user;
    uint64_t segment_bytes, salt;
    bool read_only;
    bool salvage; /* reading: damage ends the journal, and is told, instead of refusing it */
    bool strict; /* verifying: a tail that is damaged rather than cut short is an error */
    /* Called once the store is locked, before anything is read; may be NULL.  *pruned: may the first files be gone? */
    mgc_status (*prepare)(void *user, bool *pruned);
    /* Is a record's body needed?  NULL: all are.  What is not needed is not read and its checksum not looked at. */
    bool (*wanted)(void *user, const mgc__record *record);
} mgc__journal_opts;

typedef struct mgc__journal_info {
    uint64_t records, bytes, torn_bytes, synced;
    uint32_t n_segments; /* files that are there */
    bool failed, damaged;
} mgc__journal_info;

/* Lock the store, read every record and hand it to visit in order; then cut off a torn tail (unless read-only).
 * A status from visit ends the reading and is the answer. */
typedef mgc_status (*mgc__visit_record)(void *user, const mgc__record *record);
mgc_status mgc__journal_open(mgc_ctx *ctx, const mgc__journal_opts *opts, mgc__visit_record visit, void *user,
                             mgc__journal **out);
void mgc__journal_close(mgc__journal *j);
uint64_t mgc__journal_salt(const mgc__journal *j);

/* MGC_E_FAILED for ever after a failure that cannot be undone.  On any other failure the journal is as before. */
mgc_status mgc__journal_append(mgc__journal *j, uint32_t type, uint32_t chain, uint64_t height, const uint8_t *body,
                               size_t len, mgc__place *place);
/* Read a record again and check it; body is filled (its len is reset). */
mgc_status mgc__journal_read(mgc__journal *j, const mgc__place *place, uint32_t type, mgc__buf *body);
/* A point to go back to, as long as nothing was synced since. */
typedef struct mgc__journal_point {
    uint32_t n_segments;
    uint64_t size, next, link;
} mgc__journal_point;
mgc__journal_point mgc__journal_here(const mgc__journal *j);
mgc_status mgc__journal_go_back(mgc__journal *j, const mgc__journal_point *point);
mgc_status mgc__journal_sync(mgc__journal *j);
/* Remove the files before a segment, oldest first, so that a crash on the way leaves the rest whole. */
mgc_status mgc__journal_prune(mgc__journal *j, uint32_t before, uint32_t *removed);
void mgc__journal_get_info(const mgc__journal *j, mgc__journal_info *info);
bool mgc__journal_is_damaged(const mgc__journal *j); /* and was read up to there, with salvage */
void mgc__journal_file_name(uint32_t segment, char name[MGC_STORAGE_NAME_MAX + 1]);
bool mgc__journal_file_number(const char *name, uint32_t *segment);

/* --- for hole.c: what is damaged, and what takes its place -------------------------------------------- */

/* Read as far as the medium can: a sector that it cannot give (MGC_E_IO) is zeros, which no checksum fits. */
mgc_status mgc__journal_read_around(const mgc_storage_ops *ops, void *user, const char *name, uint64_t offset, uint8_t *bytes, size_t len);

/* Where reading stopped, with salvage. */
typedef struct mgc__journal_stop {
    uint32_t segment, first, n_segments; /* the file; the first one; the last one + 1 */
    uint64_t offset, next, synced;       /* in it; number of the record due there; durable before it */
} mgc__journal_stop;
mgc__journal_stop mgc__journal_stopped(const mgc__journal *j);
/* Does this header belong to this store and is it whole?  Its body is another question. */
bool mgc__journal_parse(const mgc__journal *j, const uint8_t *header, mgc__record *r);
void mgc__journal_build(const mgc__journal *j, uint8_t *header, const mgc__record *r);
/* The head of a file in which the next record's number is r->place.sequence. */
void mgc__journal_build_head(const mgc__journal *j, const mgc__record *r, uint8_t body[MGC__SEGMENT_BODY]);
uint32_t mgc__journal_told_sum(const uint8_t *header); /* of the body, by its header */
void mgc__journal_set_salt(mgc__journal *j, uint64_t salt); /* where the first file's head was lost */

#endif
