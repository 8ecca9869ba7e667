/* SPDX-License-Identifier: Apache-2.0 */
/* What agents say to each other, byte by byte.  Deterministic CBOR, one map:
 *
 *    1 version      1
 *    2 run          number of the bargaining run
 *    3 step         counts exchanges of the run from 1; both ends of a link are at most one apart
 *    4 stage        what the numbers mean (enum below)
 *    5 round        of the stage, from 1
 *    6 from         sender's id
 *    7 link         [receiver's id, carrier, ordinal among the links of that pair and carrier]; with a pool [receiver's id, 2, which
 *                   word of pool.h]
 *    8 again        true: the sender still waits for the receiver's message of this step
 *    9 control      [calm, last, flood 0..3]: when to stop, and numbers whose largest value spreads through the alliance
 *   10 values       proposals: trades in mW, payments in nano-currency
 *   11 check        62-bit hash of all bytes before this key: against accidents on the way, not against forgers
 *
 * All numbers are integers: no NaN can be sent, and both ends compute with the same ones on every machine.  Every field is
 * bounded; whatever breaks a bound is refused whole. */
#ifndef BARGAIN_MESSAGE_H
#define BARGAIN_MESSAGE_H

#include "base/base.h"
#include "mgchain/bargain.h"

/* Stages as sent.  Numbers are never reused. */
enum {
    MGC__STAGE_ALONE = 0,   /* nothing is sent */
    MGC__STAGE_HELLO = 1,   /* values: digest of terms, penalty exponent, hash of the start kept, then the members first heard of in
                               the round before; floods: longest distance so far, on/off decisions, no plan alone */
    /* 2 was a stage of its own for flood 0 of HELLO */
    MGC__STAGE_RELAXED = 3, /* values: trades proposed; flood 0: the receiver is the sender's parent in the tree of sums */
    MGC__STAGE_COMMIT = 4,  /* nothing is sent */
    MGC__STAGE_FIXED = 5,   /* values: trades proposed */
    MGC__STAGE_SETTLE = 6,  /* values: digest of the agreed trades; flood 0: a plan is impossible */
    MGC__STAGE_SURVEY = 7,  /* floods: supplied, received, weight exponent, -label */
    MGC__STAGE_SPLIT = 8,   /* flood 0: the pairs that trade do not connect everyone; flood 3: -label */
    MGC__STAGE_PAY = 9,     /* values: the payment proposed */
    MGC__STAGE_VETO = 10,   /* flood 0: the sender would lose */
    MGC__STAGE_BOUND = 11,  /* nothing is sent */
    MGC__STAGE_DONE = 12,
    MGC__STAGE_SHARE = 13,  /* with a pool: offers in whole mW that sum to zero */
    MGC__STAGE_PROVE = 14,  /* values: what the next one is, a sum over members (prove.c) */
    MGC__STAGE_TIES = 15,   /* values: nothing can change what goes over this link (0, 1); later trades proposed (ties.c); floods: -exponent
                               of the least fee, exponent of the largest flow, somebody's trades may change */
    MGC__STAGE_CHOOSE = 16, /* values: what the others are, sums over members: cost of other trades less that of the last ones, priced */
    MGC__STAGE_LAST = MGC__STAGE_CHOOSE
};

enum {
    MGC__FLOODS = 4,
    MGC__ID_MAX = 63,             /* as for microgrids in dispatch.h */
    MGC__ORDINAL_MAX = 255,       /* parallel links of one pair and carrier */
    MGC__HELLO_VALUES = 3,          /* before the hashes of members */
    MGC__VALUES_MAX = 2 * 8784 + MGC__HELLO_VALUES, /* two directions of a year of hours */
    MGC__ROUND_MAX = 1000000
};

#define MGC__VALUE_MAX INT64_C(4611686018427387904) /* 2^62: sums of two fit */

typedef struct mgc__note {
    uint64_t run, step;
    uint32_t stage, round;
    const char *from, *to; /* not terminated when read; lengths below */
    size_t from_len, to_len;
    uint32_t carrier, ordinal;
    bool again;
    uint64_t calm, last;   /* rounds for which this member and those around it have agreed; last round, 0: not known */
    int64_t flood[MGC__FLOODS];
    const int64_t *values; /* writing: the caller's; reading: the array given */
    size_t n;
} mgc__note;

/* Append the message to buf; buf->status tells a failure. */
void mgc__note_write(const mgc__note *note, mgc__buf *buf);
/* Decode; texts are borrowed from bytes, values filled.  MGC_OK, or why it is refused; nothing is said to any context. */
mgc_status mgc__note_read(const uint8_t *bytes, size_t len, mgc__note *note, int64_t *values, size_t cap);

/* FNV-1a, 62 bits: tells different terms apart; not a protection against forgery, which is the transport's. */
#define MGC__HASH_START UINT64_C(14695981039346656037)
uint64_t mgc__hash_bytes(uint64_t hash, const void *bytes, size_t len);
uint64_t mgc__hash_double(uint64_t hash, double x);
uint64_t mgc__hash_uint(uint64_t hash, uint64_t x);
int64_t mgc__hash_value(uint64_t hash);

#endif
