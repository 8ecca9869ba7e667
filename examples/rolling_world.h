/* SPDX-License-Identifier: Apache-2.0 */
/* The world that rolling.c lives in: one site, its prices, what comes, and what is known of it when.  Put your own here. */
#ifndef EXAMPLES_ROLLING_WORLD_H
#define EXAMPLES_ROLLING_WORLD_H

#include <mgchain/mgchain.h>

enum { PERIODS = 96 }; /* quarter hours */

/* Leave the function with the status where a call fails. */
#define TRY(call)                                                                                                    \
    do {                                                                                                             \
        mgc_status try_status = (call);                                                                              \
        if (try_status != MGC_OK) return try_status;                                                                 \
    } while (0)

/* A microgrid "site": a load, a heat load, sun, an engine, a boiler, a battery. */
mgc_status build_site(mgc_ctx *ctx, mgc_model **model);

enum { THE_DAY_BEFORE = -1 };

/* Forecasts as they stand in period `now`, into a model that begins there; noise: how wrong they are, 0: not at all. */
mgc_status tell_forecast(mgc_model *model, int now, double noise);
/* The day as it comes. */
mgc_status tell_truth(mgc_model *model, double noise);

#endif
