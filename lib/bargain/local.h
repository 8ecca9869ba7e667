/* SPDX-License-Identifier: Apache-2.0 */
/* A member's own problem, as its agent sees it: a convex (or mixed-integer) cost C(x) of the coupled quantities x of all its
 * link ends.  The real one is a microgrid (local_site.c); tests use closed forms.
 *
 * Coordinates: end after end, each with its terms' dims blocks of `periods` numbers [kW] in the link's own orientation: one
 * block "first to second minus back" where nothing is lost on the way, else "first to second" and "second to first". */
#ifndef BARGAIN_LOCAL_H
#define BARGAIN_LOCAL_H

#include "base/base.h"
#include "bargain/tape.h"
#include "dispatch/site.h"
#include "mgchain/bargain.h"

/* One end of a link: what both neighbours know of it. */
typedef struct mgc__terms {
    char *neighbour;
    uint32_t link;      /* index in the owner's model */
    uint32_t carrier, ordinal;
    bool first;         /* the owner is the link's first member */
    bool pool;          /* the neighbour is the pool */
    uint32_t dims;      /* 1 without loss or with a pool, else 2 */
    uint32_t periods;
    double hours, loss;
    double *capacity_kw; /* [periods] */
    double *fee;         /* [periods] currency/kWh */
    double *agreed_kw;   /* [2 * periods] contracts in force, by direction; INFINITY: open; NULL: none at all */
    double price_scale;  /* [currency/kWh] rough price of the carrier, for the first penalty */
    uint64_t digest;     /* of everything that both ends must agree on */
} mgc__terms;

/* Answers of a local solve: MGC_OK with one of the outcomes; OPTIMAL or LIMIT come with a point. */
typedef struct mgc__local_ops {
    /* min C(x), x = 0.  Plan kept for reading until the next call. */
    mgc_status (*alone)(void *self, double *cost, double *bound, uint32_t *outcome);
    /* min C(x) + linear'x + 1/2 x'diag(quad)x, on/off decisions relaxed, or as committed.  x is left alone without a point. */
    mgc_status (*propose)(void *self, const double *linear, const double *quad, double tolerance, double *x, uint32_t *outcome);
    /* min C(x) + linear'x + 1/2 x'diag(quad)x with on/off decisions, which are kept for all that follows; linear NULL: those of
     * `alone` are kept. */
    mgc_status (*commit)(void *self, const double *linear, const double *quad, uint32_t *outcome);
    /* min C(x) at this x, on/off decisions as committed: cost of a feasible plan. */
    mgc_status (*settle)(void *self, const double *x, double *cost, uint32_t *outcome);
    /* A proven lower bound of min C(x) + linear'x over all x within capacity and all on/off decisions. */
    mgc_status (*bound)(void *self, const double *linear, double *bound);
    /* The same over all x with the on/off decisions as committed: how far the trades themselves are from their best. */
    mgc_status (*bound_committed)(void *self, const double *linear, double *bound);
    bool (*has_integers)(void *self);
    void (*destroy)(void *self);
} mgc__local_ops;

typedef struct mgc__site mgc__site;
/* The microgrid `id` of the model as a local problem; terms (n of them, arrays owned by the caller) are filled in the order
 * of its link ends.  relax: drop integrality everywhere. */
typedef struct mgc__local_opts {
    bool relax;
    double gap;            /* of mixed-integer programs */
    double tolerance;      /* of continuous ones that are reported */
} mgc__local_opts;

extern const mgc__local_ops mgc__local_site_ops;
mgc_status mgc__local_site_create(mgc_ctx *ctx, const mgc_model *model, const char *id, const mgc__local_opts *opts, void **out);
/* The site behind it, and the milliseconds of the context's clock at which its solves should give up; 0: never. */
mgc__site *mgc__local_site(void *self);
void mgc__local_site_deadline(void *self, uint64_t deadline_ms);
/* That its mixed-integer programs may use, 1 until told: no answer depends on it. */
void mgc__local_site_threads(void *self, uint32_t threads);
/* Its answers go there, or come from there (tape.h); borrowed. */
void mgc__local_site_tape(void *self, mgc__tape *tape);

/* What a member answers when it is asked at prices: what it would trade, what that costs, and that nothing is better. */
typedef struct mgc__answer {
    uint32_t outcome; /* INFEASIBLE: no plan with these decisions; anything else but OPTIMAL or LIMIT: no answer */
    double bound;     /* proven: min C(x) + linear'x */
    double cost;      /* C of the point, without the prices */
    double *x;        /* [coordinates] filled */
    int8_t *decision; /* [integers] filled: 0 or 1 */
} mgc__answer;
size_t mgc__local_site_integers(const void *self);
/* Decisions as committed (else all 0). */
void mgc__local_site_committed(const void *self, int8_t *decision);
/* Commit to these. */
void mgc__local_site_decide(void *self, const int8_t *decision);
/* fixed: [integers] 0, 1, or -1 where it is free; all_fixed: no -1 in it, so that no branching is needed. */
mgc_status mgc__local_site_ask(void *self, const double *linear, const int8_t *fixed, bool all_fixed, mgc__answer *answer);

/* Of coordinate i: what contracts in force make of it where nothing is added, and its least and largest value. */
typedef struct mgc__span {
    double base, low, high;
} mgc__span;
mgc__span mgc__terms_span(const mgc__terms *terms, size_t i);
/* Of each direction in period t. */
void mgc__terms_both(const mgc__terms *terms, uint32_t t, mgc__span *ahead, mgc__span *back);
/* The two flows of period t behind the net flow x of a coordinate of one dimension. */
void mgc__terms_flows(const mgc__terms *terms, uint32_t t, double x, double *ahead, double *back);

/* Terms of all link ends of a member, in the model's order of links.  Freed by mgc__terms_free(). */
mgc_status mgc__terms_read(mgc_ctx *ctx, const mgc_model *model, const char *id, mgc__terms **terms, size_t *n);
void mgc__terms_free(mgc_ctx *ctx, mgc__terms *terms, size_t n);
/* Copy one array of terms. */
mgc_status mgc__terms_copy(mgc_ctx *ctx, const mgc__terms *from, size_t n, mgc__terms **terms);

#endif
