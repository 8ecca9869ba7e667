/* SPDX-License-Identifier: Apache-2.0 */
/* Incidents of a simulated day: somebody does what he should not, and the ledger answers. */
#ifndef SIM_INCIDENT_H
#define SIM_INCIDENT_H

#include <mgchain/mgchain.h>
#include <stdbool.h>

typedef struct book book;

enum { INCIDENT_METER = 1, INCIDENT_DEFAULT = 2, INCIDENT_DISPUTE = 4, INCIDENT_LEADER = 8, INCIDENT_PARTITION = 16, INCIDENT_CREDIT = 32, INCIDENT_LIES = 64 };
enum { INCIDENT_LINES_MAX = 32, INCIDENT_TEXT = 200, OFFSETS_MAX = 8 };

/* What happened, line by line, for the report. */
typedef struct incident_line {
    const char *incident, *who; /* static */
    char what[INCIDENT_TEXT], answer[INCIDENT_TEXT];
    uint64_t time_ms;
    bool as_it_should;
} incident_line;

typedef struct incidents {
    uint32_t asked, done; /* INCIDENT_... */
    incident_line line[INCIDENT_LINES_MAX];
    size_t n;
    /* transactions that stand in between: later ones of the same sender and contract count on from them */
    struct { uint32_t member, contract; uint64_t by; } offset[OFFSETS_MAX];
    size_t n_offsets;
    int64_t meter, slot, in_wh, out_wh; /* of the false reading: what is true */
    int64_t settled;                    /* slot that a transaction of SETTLE or FINALISE was for last */
    uint32_t crashed;                   /* member that is down; 0: none */
    uint32_t debtor;                    /* microgrid; 0: none */
    uint32_t cut, unreliable, liar;     /* members: the leader that is cut off; who signs no blocks; who signs two truths; 0: none */
    uint64_t cut_blocks, told_blocks;   /* which the smaller side had when it was cut off; blocks when the liar began */
    uint32_t gone;                      /* member that is down because of low-credit; 0: none */
    uint32_t missing;                   /* lines of what could not be staged, the last ones */
    bool watching;
    uint8_t bytes[MGC_TX_BYTES_MAX];
    size_t len;
} incidents;

/* --incident: names with commas between; false: said on stderr. */
bool incidents_read(const char *text, uint32_t *asked);

/* A transaction of the day before it is handed in: as it is, or altered. */
mgc_status incident_alter(book *b, mgc_day *day, const mgc_day_tx *tx, const uint8_t **bytes, size_t *len);
/* The last transaction of a phase stands in a block. */
mgc_status incident_after(book *b, uint32_t phase);

/* All that was handed in stands in final blocks: does an incident among the members go on? */
mgc_status incident_settled(book *b);
/* At the day's end: those that were asked for and could not be staged, each with its reason, in the table and on stderr. */
void incidents_missing(book *b);
/* Members that the incidents need, so that a majority goes on and signs. */
uint32_t incident_members(uint32_t asked);

#endif
