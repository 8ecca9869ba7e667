/* SPDX-License-Identifier: Apache-2.0 */
/* Majorities of one configuration, or of both halves of a joint one (Raft paper 5.2, 5.3; thesis 4.3). */
#include "consensus/quorum.h"

enum { PLACES = 32 };

static uint32_t count_bits(uint32_t bits)
{
    uint32_t n = 0;

    for (; bits != 0; bits &= bits - 1) n++;
    return n;
}

/* Highest index that more than half of the places in mask have.  Insertion sort: at most 32 numbers. */
static uint64_t majority_index(uint32_t mask, const uint64_t *match)
{
    uint64_t sorted[PLACES];
    uint32_t n = 0;

    for (uint32_t i = 0; i < PLACES; i++) {
        if ((mask >> i & 1) == 0) continue;
        uint32_t at = n++;

        for (; at > 0 && sorted[at - 1] < match[i]; at--) sorted[at] = sorted[at - 1];
        sorted[at] = match[i];
    }
    return n == 0 ? UINT64_MAX : sorted[n / 2]; /* descending: place n/2 is reached by n/2 + 1 of them */
}

uint64_t mgc__quorum_index(mgc__electorate who, const uint64_t *match)
{
    uint64_t now = majority_index(who.now, match), old = majority_index(who.old, match);

    return now < old ? now : old;
}

static uint32_t majority_votes(uint32_t mask, const uint8_t *votes)
{
    uint32_t n = count_bits(mask), yes = 0, no = 0;

    for (uint32_t i = 0; i < PLACES; i++) {
        if ((mask >> i & 1) == 0) continue;
        yes += votes[i] == MGC__VOTE_YES;
        no += votes[i] == MGC__VOTE_NO;
    }
    if (n == 0 || yes > n / 2) return MGC__WON;
    return n - no <= n / 2 ? MGC__LOST : MGC__PENDING;
}

uint32_t mgc__quorum_votes(mgc__electorate who, const uint8_t *votes)
{
    uint32_t now = majority_votes(who.now, votes), old = majority_votes(who.old, votes);

    if (now == MGC__LOST || old == MGC__LOST) return MGC__LOST;
    return now == MGC__WON && old == MGC__WON ? MGC__WON : MGC__PENDING;
}

static bool majority_reached(uint32_t mask, uint32_t places)
{
    return mask == 0 || count_bits(mask & places) > count_bits(mask) / 2;
}

bool mgc__quorum_reached(mgc__electorate who, uint32_t places)
{
    return majority_reached(who.now, places) && majority_reached(who.old, places);
}
