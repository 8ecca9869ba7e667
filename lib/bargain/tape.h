/* SPDX-License-Identifier: Apache-2.0 */
/* One run on several processes: each solves the programs of its own members and hears of the others' what they found.
 *
 * Everything else of a run (agents, their messages, prices, cases) is small, and every process does it for all members alike.  So a
 * member's program is solved once, where it lives, and its answers are put on a tape; where it does not live the same questions
 * are asked in the same order, and answered from the tape.  Nothing that follows can tell the difference: one process or many,
 * the same bits. */
#ifndef BARGAIN_TAPE_H
#define BARGAIN_TAPE_H

#include "mgchain/robust.h"
#include "base/base.h"

/* Of one member, between two exchanges. */
typedef struct mgc__tape {
    bool plays;          /* the member lives elsewhere */
    mgc__buf buf;        /* recorded */
    const uint8_t *at;   /* playing: what is left */
    size_t left;
} mgc__tape;

/* After a solve of the member's program; of its columns the first `some` are told, or, complete, all and the rows' multipliers. */
mgc_status mgc__tape_record(mgc__tape *tape, mgc_twostage *ts, mgc_status solved, const mgc_twostage_info *info, bool complete,
                            size_t some);
/* Instead of one; what was found is then read from ts as ever. */
mgc_status mgc__tape_play(mgc_ctx *ctx, mgc__tape *tape, mgc_twostage *ts, mgc_twostage_info *info);

#endif
