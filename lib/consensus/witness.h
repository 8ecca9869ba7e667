/* SPDX-License-Identifier: Apache-2.0 */
/* What a member keeps so that it can always show why it voted for a log that lacks what it once acknowledged. */
#ifndef CONSENSUS_WITNESS_H
#define CONSENSUS_WITNESS_H

#include "base/base.h"

enum {
    MGC__LED_MAX = 64,  /* leaders' certificates: elections are rare, and only those since a cut may be needed */
    MGC__CUTS_MAX = 64  /* terms of entries that were cut since the last snapshot */
};

/* A leader whose certificate is kept: its term, and where its log ended when it was elected. */
typedef struct mgc__led {
    uint64_t term, log_term, index;
    uint32_t candidate;
    uint32_t used; /* a vote rests on it: never forgotten */
} mgc__led;

/* Entries of a term, the last of them at index, were here, may have been acknowledged, and were cut. */
typedef struct mgc__cut {
    uint64_t term, index;
} mgc__cut;

typedef struct mgc__witness {
    uint32_t n_led, n_cuts;
    mgc__led led[MGC__LED_MAX];
    mgc__cut cuts[MGC__CUTS_MAX]; /* ascending terms */
    mgc__cut floor; /* no vote below it, whatever can be shown */
} mgc__witness;

/* A certificate that is good: its place; MGC__LED_MAX: there is no room.  *fresh: it is kept, and was not before. */
uint32_t mgc__witness_led(mgc__witness *w, uint64_t term, uint32_t candidate, uint64_t log_term, uint64_t index, bool *fresh);
bool mgc__witness_knows(const mgc__witness *w, uint64_t term, uint32_t candidate);
/* Before an entry of that term at that index is taken away. */
void mgc__witness_cut(mgc__witness *w, uint64_t term, uint64_t index);
/* The log begins after an entry of that term: what is older than it need not be remembered. */
void mgc__witness_forget(mgc__witness *w, uint64_t base_term);
/* May it vote, in term, for a log that ends in (log_term, index)?  Then whatever it rests on is kept.  *leans: on one that none
 * rested on before, which is to be durable before the vote leaves. */
bool mgc__witness_may_vote(mgc__witness *w, uint64_t term, uint64_t log_term, uint64_t index, bool *leans);
/* The earliest leader between (exclusive) two terms whose log lacks the entry (term, index); NULL: none is known. */
const mgc__led *mgc__witness_earliest(const mgc__witness *w, uint64_t term, uint64_t index, uint64_t before);

#endif
