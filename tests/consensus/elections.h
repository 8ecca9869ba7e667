/* SPDX-License-Identifier: Apache-2.0 */
/* The election phase alone, on the real core: a leader has just died; how long until the next one, and who is it? */
#ifndef TEST_ELECTIONS_H
#define TEST_ELECTIONS_H

#include "consensus/raft.h"

enum { ELECTION_NODES = 7, ELECTION_ET = 20, ELECTION_LIMIT = 60 * ELECTION_ET };

typedef struct election {
    uint32_t n;        /* members, the dead leader among them; it has id n */
    bool credit;       /* else plain Raft */
    uint32_t early[ELECTION_NODES + 1], rank[ELECTION_NODES + 1], log[ELECTION_NODES + 1]; /* by id */
    uint32_t speed[ELECTION_NODES + 1]; /* ticks a tick; 0: 1 */
    uint64_t seed;
    /* out */
    uint32_t leader, ticks; /* 0: none within the limit */
    uint64_t term;          /* highest one */
    uint32_t two_leaders;   /* of one term: never */
} election;

void run_election(election *e);

#endif
