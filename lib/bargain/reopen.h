/* SPDX-License-Identifier: Apache-2.0 */
/* An agreement taken up again (reopen.c). */
#ifndef BARGAIN_REOPEN_H
#define BARGAIN_REOPEN_H

#include "bargain/agent.h"

/* What an agent needs to come back to an agreement. */
typedef struct mgc__held {
    int8_t *decision;   /* [integers] */
    double *point;      /* [coordinates] z, mu, and where proposals met; [ends] rho */
    int64_t *proposals; /* [coordinates] own, [coordinates] the neighbours' */
} mgc__held;

mgc_status mgc__agent_hold(const mgc_agent *agent, mgc__held *held); /* freed by mgc__held_free() */
void mgc__held_free(mgc_ctx *ctx, mgc__held *held);
/* Rounds again, from what is held, with these decisions; NULL: what is held is settled and paid for again.  step: the same at all
 * agents of a group, later than any so far. */
void mgc__agent_reopen(mgc_agent *agent, const mgc__held *held, const int8_t *decision, uint64_t step);

#endif
