/* SPDX-License-Identifier: Apache-2.0 */
/* Counting majorities: the whole of what decides an election or a commit.  This header and quorum.c include nothing of
 * the room, on purpose: whoever counts sees only who is counted, not how reliable, rich or quick anyone is. */
#ifndef CONSENSUS_QUORUM_H
#define CONSENSUS_QUORUM_H

#include <stdbool.h>
#include <stdint.h>

/* Who counts: bit i stands for place i of the arrays below.  old is 0 unless the configuration is joint. */
typedef struct mgc__electorate {
    uint32_t now, old;
} mgc__electorate;

enum { MGC__VOTE_NONE = 0, MGC__VOTE_YES = 1, MGC__VOTE_NO = 2 };
enum { MGC__PENDING = 0, MGC__WON = 1, MGC__LOST = 2 };

/* Highest index that a majority of each half has; 2^64 - 1 where nobody counts. */
uint64_t mgc__quorum_index(mgc__electorate who, const uint64_t *match);
/* MGC__WON, MGC__LOST or MGC__PENDING. */
uint32_t mgc__quorum_votes(mgc__electorate who, const uint8_t *votes);
/* Do these places hold a majority of each half? */
bool mgc__quorum_reached(mgc__electorate who, uint32_t places);

#endif
