/* SPDX-License-Identifier: Apache-2.0 */
/* A day of one site on a ledger: what was bought day-ahead, what the meter read, what is to be paid. */
#ifndef EXAMPLES_EMS_SETTLE_DAY_H
#define EXAMPLES_EMS_SETTLE_DAY_H

#include <mgchain/mgchain.h>

/* Arrays of the model's periods [kW].  cost: filled, what the day costs the first microgrid of the model by the
 * books. */
mgc_status settle_day(mgc_ctx *ctx, const char *folder, const mgc_model *model, uint64_t start_ms,
                      const double *bought_kw, const double *sold_kw, const double *metered_kw, double *cost);

#endif
