/* SPDX-License-Identifier: Apache-2.0 */
/* What other contracts ask supervision: parameters, who is frozen, which key is barred, which slot is forced. */
#ifndef CONTRACT_SUPERVISION_H
#define CONTRACT_SUPERVISION_H

#include "contract/contract.h"

/* What may be asked of the regulator's records; the numbers are stored. */
enum {
    PARAMETER_QUORUM = 1,
    PARAMETER_CREDIT_THRESHOLD,
    PARAMETER_CREDIT_BASE,
    PARAMETER_TOLERANCE,
    PARAMETER_VOLUME_CAP,
    PARAMETER_GRACE,
    PARAMETER_ORDERS,
    PARAMETER_BIDS,
    PARAMETER_DEPOSIT,
    PARAMETER_REVEAL,
    PARAMETER_CALL_FEE,
    PARAMETERS
};

/* As an act set it, or its default. */
mgc_status mgc__parameter(mgc_env *env, uint32_t parameter, int64_t *value);
/* Refuses with MGC_E_FORBIDDEN where the microgrid or the member who manages it is frozen. */
mgc_status mgc__not_frozen(mgc_env *env, int64_t microgrid, const mgc__rec *grid);
/* Was the key revoked by an act?  state: of the chain that is home to supervision. */
bool mgc__key_barred(const mgc__state *state, const uint8_t public_key[32]);
/* May this microgrid be settled in this slot without its meters? */
mgc_status mgc__settle_forced(mgc_env *env, int64_t slot, int64_t microgrid, bool *forced);

#endif
