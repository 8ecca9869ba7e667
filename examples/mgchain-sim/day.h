/* SPDX-License-Identifier: Apache-2.0 */
/* The agreed day on the ledger: founded, agreed, metered, settled, by one node in this process. */
#ifndef SIM_DAY_H
#define SIM_DAY_H

#include <mgchain/report.h>

#include "checks.h"
#include "incident.h"
#include "members.h"

enum { KEYS_MAX = 4096 };

/* A node with its store and every member's key, for one or more days. */
struct book {
    sim *s;
    mgc_storage_ops storage;
    void *storage_user;
    mgc_node *node;
    mgc_key *node_key;
    struct { uint32_t member; mgc_key *key; } keys[KEYS_MAX]; /* made when first asked for; all from the seed */
    size_t n_keys;
    mgc_day *previous;
    uint64_t now_ms; /* of the simulated world */
    uint64_t submitted, refused;
    char folder[1024];
    char first_refusal[256];
    uint32_t members;    /* microgrids of the alliance */
    uint64_t first_slot; /* of the day under way */
    bool last_day;       /* no other comes after it */
    incidents incident;
    peers peers; /* of several members; n 0: the node orders alone */
};

mgc_status book_open(book *b, sim *s, const char *folder, uint64_t genesis_ms);
void book_close(book *b);
/* A member's key as a validator; the caller's. */
mgc_status book_node_key(book *b, uint32_t id, mgc_key **out);
/* What was handed in into blocks; let time come to b->now_ms. */
mgc_status book_flush(book *b);
mgc_status book_step(book *b);
const mgc_key *book_key(book *b, uint32_t member);              /* borrowed; NULL: no memory */
uint32_t book_member(book *b, const uint8_t public_key[32]);    /* of those who have a key by now; 0: nobody */

/* Carry one day through the ledger, up to a phase (MGC_DAY_...): what it leaves is handed in with the next day, since a day's
 * last readings come after the next day's agreements. */
mgc_status book_day(book *b, const mgc_case *kase, const mgc_alliance *alliance, const mgc_plan *realised, uint32_t until);
/* The day's agreement, signed by every member's manager: what the ledger names by its hash.  destroy it. */
mgc_status book_record(book *b, const mgc_case *kase, const mgc_alliance *alliance, mgc_record **out);
/* It holds for whoever has nothing but it and the managers' keys, and it is the one that the ledger names. */
void book_check_record(book *b, checks *c, const mgc_case *kase, const mgc_alliance *alliance);
/* After the last day: the regulator's audited look, and the epoch of credit up to a slot. */
mgc_status book_end(book *b, uint64_t last_slot);
/* A transaction that should have gone through did not: kept for the self-check. */
void book_note_refusal(book *b, uint64_t ticket, const char *method);
/* What the ledger must show; ended: no day is under way. */
void book_checks(book *b, checks *c, bool ended);

/* Tables for the report; free_tables() frees what they hold. */
enum { TABLES_MAX = 12 };
typedef struct tables {
    mgc_report_table list[TABLES_MAX];
    const char **cells[TABLES_MAX];
    char *texts[TABLES_MAX];
    size_t n;
} tables;

/* Rows that belong to a slot: those of the case's day. */
mgc_status book_tables(book *b, const mgc_case *kase, tables *t);
void free_tables(tables *t);

#endif
