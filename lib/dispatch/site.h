/* SPDX-License-Identifier: Apache-2.0 */
/* One microgrid as a two-stage program, for the room bargain: the trade columns are its only open door. */
#ifndef DISPATCH_SITE_H
#define DISPATCH_SITE_H

#include "base/base.h"
#include "mgchain/dispatch.h"
#include "mgchain/robust.h"

typedef struct mgc__site mgc__site;

/* The other end of a connection with the pool, unless the model holds a microgrid of that name. */
#define MGC__POOL_ID "pool"
/* Largest relative residual of a plan; more, and a program that was stopped has none yet.  The ceiling of whatever is called
 * optimal (robust/judge.c). */
#define MGC__PLAN_RESIDUAL 1e-6

/* One end of one link, seen from the site.  Trade columns: q[t] sent by this site, r[t] sent by the other end (the
 * site receives (1 - loss) r[t]); bounds 0..capacity; each with half the link's fee as cost. */
typedef struct mgc__trade {
    uint32_t link;         /* index in the model */
    const char *neighbour; /* id; borrowed from the site */
    uint32_t carrier;      /* 0 electricity, 1 heat */
    uint32_t first;        /* 1: the site is the link's first member, so q is direction 0 */
    double loss;
    const double *capacity_kw; /* [t] */
    const uint32_t *out;   /* [t] columns of q */
    const uint32_t *in;    /* [t] columns of r */
} mgc__trade;

/* Build the program of one microgrid of the model with its trade columns (trade false: links left out). */
mgc_status mgc__site_create(mgc_ctx *ctx, const mgc_model *model, const char *id, bool trade, mgc__site **out);
void mgc__site_destroy(mgc__site *site);
mgc_twostage *mgc__site_twostage(mgc__site *site);
size_t mgc__site_trades(const mgc__site *site, const mgc__trade **trades);
double mgc__site_hours(const mgc__site *site);
uint32_t mgc__site_periods(const mgc__site *site);
/* First-stage integer columns (on, start, storage mode) with bounds 0..1; borrowed from the site.  bargain fixes them by
 * mgc_twostage_set_bounds() and takes that back before it lets go of the site. */
size_t mgc__site_integers(const mgc__site *site, const uint32_t **columns);

/* Of one program over a pool: [carrier][period] what one more kWh sent to it costs; NULL otherwise. */
const double *mgc__plan_pool_price(const mgc_plan *plan);
/* What is sent over a link, [2 * periods] by direction, in the plans of both its ends; what they take all together must be as it was. */
void mgc__plan_reroute(mgc_plan *plan, uint32_t link, const double *sent_kw);
/* A plan made of solved sites, in the model's order: the alliance as its members see it. */
mgc_status mgc__plan_from_sites(mgc_ctx *ctx, const mgc_model *model, mgc__site *const sites[], size_t n, mgc_plan **out);

#endif
