/* SPDX-License-Identifier: Apache-2.0 */
/* An alliance of one node, an administrator and two managers, to try a contract on. */
#ifndef EXAMPLES_TRIAL_H
#define EXAMPLES_TRIAL_H

#include "toy_key.h"

enum { VALIDATOR, ADMINISTRATOR, ADA, BEN, KEYS }; /* the latter three are members of these numbers */

typedef struct trial {
    mgc_ctx *ctx;
    mgc_node *node;
    mgc_key *key[KEYS];
    void *store;
    uint64_t now_ms;
} trial;

/* Found the alliance in a folder, enrol its members, deploy the contract.  End it, also where this fails. */
mgc_status trial_begin(trial *t, const char *folder, const mgc_contract *contract);
void trial_end(trial *t);

/* One member's call as a manager, in a block of its own; prints what became of it, after `what`. */
mgc_status trial_call(trial *t, const char *what, uint32_t member, mgc_node_call_opts *call);

#endif
