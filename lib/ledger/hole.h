/* SPDX-License-Identifier: Apache-2.0 */
/* A hole in the journal: records that were durable and are damaged, and how others take their place. */
#ifndef LEDGER_HOLE_H
#define LEDGER_HOLE_H

#include "ledger/journal.h"
#include "mgchain/ledger.h"

typedef struct mgc__hole {
    uint32_t segment;
    uint64_t size;        /* of the file */
    uint64_t offset, end; /* from the first damaged record to the next one that is whole, or the file's end */
    uint64_t first, n;    /* numbers of the records lost */
    uint64_t synced, synced_after; /* what was durable, by the records before and after */
    bool head;            /* the file's own head */
    bool known;           /* the first one's header is whole, and says: */
    mgc__record record;
    uint32_t sum; /* of its body as it was written */
} mgc__hole;

/* Storage with a journal that was read until it stopped at damage. */
typedef struct mgc__holed {
    mgc_ctx *ctx;
    const mgc_storage_ops *ops;
    void *user;
    mgc__journal *journal;
    uint64_t salt; /* that the host gives; the first file tells it too, unless it is damaged */
} mgc__holed;

/* What is lost where reading stopped.  MGC_E_CORRUPT: no record, or not to be told. */
mgc_status mgc__hole_find(const mgc__holed *s, mgc__hole *hole);
/* A file's head follows from what is known.  One byte of a record's header follows from its two checksums:
 * *body is filled where that is all, and hole->known. */
mgc_status mgc__hole_fill_head(const mgc__holed *s, const mgc__hole *hole);
mgc_status mgc__hole_heal(const mgc__holed *s, mgc__hole *hole, mgc__buf *body);
/* Put the first n of the lost records in their place; if there are more, a hole stays behind them.  The file is written aside,
 * synced and renamed: after a crash it is as before or as it should be.  Numbers and places of records are filled in. */
mgc_status mgc__hole_fill(const mgc__holed *s, const mgc__hole *hole, const mgc__record *records, size_t n);

/* What follows a hole, of each chain: headers alone are read, up to the next one that is damaged. */
typedef struct mgc__hole_after {
    struct {
        uint64_t block, certificate, last_certificate; /* height of the first one, and of the last; 0: none */
    } chains[MGC_CHAINS_MAX];
    mgc__record block; /* the first of all; length 0: none */
    bool resume; /* an operator's word whose reason is not among what follows */
} mgc__hole_after;
mgc_status mgc__hole_look_after(const mgc__holed *s, const mgc__hole *hole, mgc__hole_after *after);

#endif
