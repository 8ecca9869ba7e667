/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger proves and the light verifier checks share: an account's bytes without a state around them. */
#ifndef LEDGER_PROOF_H
#define LEDGER_PROOF_H

#include "mgchain/ledger.h"

mgc_status mgc__account_decode(const uint8_t id[16], const uint8_t *value, size_t len, mgc_account_info *a);

#endif
