/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's commands. */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include <mgchain/verify.h>

#include "sim.h"

/* A node over a stored ledger, to read only. */
typedef struct reader {
    sim *s;
    mgc_storage_ops storage;
    void *storage_user;
    mgc_node *node;
    bool damaged; /* there was more, behind damage */
} reader;

/* Is there a journal?  Where not, says so, and where there may be one. */
bool ledger_is_here(sim *s, const mgc_storage_ops *storage, void *user, const char *folder);
int reader_open(reader *r, sim *s, const char *folder); /* an exit code; what failed was said */
int ledger_failed(sim *s, mgc_status st, const char *folder); /* says why; an exit code */
int reader_close(reader *r, int code); /* the code; where there was damage, success is EXIT_VERIFY */

int ledger_mend(sim *s);
int ledger_query(sim *s);
int ledger_export(sim *s);
int ledger_proof(sim *s);
int ledger_verify_proof(sim *s); /* verify FILE: a proof, without its ledger */

#endif
