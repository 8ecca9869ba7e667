/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as the files of this room share it: the members' solved programs in the model's order. */
#ifndef DISPATCH_PLAN_H
#define DISPATCH_PLAN_H

#include "dispatch/build.h"

typedef struct mgc__plan_site {
    mgc__shape *shape;
    bool solved, priced;    /* x, q, p hold a point; y holds multipliers */
    double *x, *y;          /* columns, rows of the shape */
    double *q, *p;          /* scenarios: Q_k as doc/math/dispatch.md has it, worst-case probabilities */
    double *dated;          /* scenarios x periods: what falls in each period, see doc of mgc_plan_get_series(), "cost" */
    double *raw;            /* scenarios: Q_k of the program, where gas at no load is first-stage cost */
    uint32_t outcome, iterations, nodes;
    double cost, bound, first_stage;
} mgc__plan_site;

struct mgc_plan {
    mgc_ctx *ctx;
    mgc_model *model;       /* own copy */
    bool together;
    mgc__plan_site *site;   /* one a microgrid of the model */
    size_t n;
    uint32_t outcome, iterations, nodes;
    double cost, bound, seconds;
    char *why;              /* INFEASIBLE: the explanation */
    double *pool_price;     /* of one program over a pool: [carrier][period] what one more kWh sent costs; else NULL */
};

/* A plan without results: copies of the model and one empty place a microgrid. */
mgc_status mgc__plan_create(mgc_ctx *ctx, const mgc_model *model, bool together, mgc_plan **out);

/* Take over a point of a site's program (x: columns, y: rows or NULL), and evaluate it.  worst: worst-case probabilities,
 * scenarios, or NULL to ask the ambiguity set. */
mgc_status mgc__plan_take(mgc__plan_site *to, const mgc__site *from, const double *x, const double *y, const double *worst);

/* The solved place of a microgrid; MGC_E_UNKNOWN_KEY, MGC_E_STATE. */
mgc_status mgc__plan_find(const mgc_plan *plan, const char *id, const mgc__plan_site **out);

/* Physical results of a scenario. */
double mgc__plan_exchange(const mgc__plan_site *s, uint32_t scenario, uint32_t period);          /* b - s + r+ - r- [kW] */
double mgc__plan_gas(const mgc__plan_site *s, size_t device, uint32_t scenario, uint32_t period); /* [kW] */
double mgc__plan_emission(const mgc__plan_site *s, uint32_t scenario);                            /* [kg] */
double mgc__plan_emission_at(const mgc__plan_site *s, uint32_t scenario, uint32_t period);        /* [kg] */
double mgc__plan_renewable(const mgc__plan_site *s, uint32_t scenario, bool used);                /* [kWh] */
double mgc__plan_unserved(const mgc__plan_site *s, uint32_t scenario);                            /* [kWh] */

/* Value of a family at a period, 0 where the program does without it. */
double mgc__plan_value(const mgc__plan_site *s, uint32_t scenario, uint32_t place, uint32_t period);
double mgc__plan_first(const mgc__plan_site *s, uint32_t place, uint32_t period);

/* The members' extensive forms side by side, with the columns of a link shared by its two ends. */
typedef struct mgc__alliance {
    mgc_ctx *ctx;
    mgc_program *program;
    size_t n;
    uint32_t **column; /* of each site, its extensive form's columns */
    uint32_t *row;     /* of each site, its first row; the others follow in order */
    uint32_t pool_row[2]; /* by carrier: balance of the pool, one row a period; PLACE_NONE: none is connected with it */
} mgc__alliance;

mgc_status mgc__alliance_create(mgc_ctx *ctx, const mgc_model *model, mgc__site *const sites[], size_t n, bool named,
                                mgc__alliance *out);
/* Every microgrid's site with its trades; the caller destroys what stands in sites[], also after a failure. */
mgc_status mgc__alliance_sites(mgc_ctx *ctx, const mgc_model *model, bool named, bool ambiguity, mgc__site **sites);
void mgc__alliance_free(mgc__alliance *alliance);

/* Fix the first-stage columns of a site where the plan has them; decisions rounded where they are decisions. */
mgc_status mgc__fix_first_stage(mgc__site *site, const mgc__plan_site *planned);

/* Why the plan is infeasible; the text is the plan's.  relax: it was solved without integrality; fixed: it is a realised day
 * whose first stage stands as in that plan, else NULL. */
mgc_status mgc__explain(mgc_plan *plan, bool relax, const mgc_plan *fixed);

#endif
