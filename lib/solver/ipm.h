/* SPDX-License-Identifier: Apache-2.0 */
/* The interior-point core on plain arrays.  program.c and branch and bound stand above it. */
#ifndef SOLVER_IPM_H
#define SOLVER_IPM_H

#include "base/base.h"
#include "la/la.h"

/* Relative to 1 + its side: an empty row that misses 0 by less counts as met, as in presolve. */
#define MGC__EMPTY_ROW_MET 1e-9

/* minimise 1/2 x'Qx + c'x  subject to  row_lower <= Ax <= row_upper, lower <= x <= upper.
 * Everything borrowed for the call.  Q: upper triangle with diagonal.  Infinite bounds are +-INFINITY. */
typedef struct mgc__qp {
    uint32_t n, m;
    const mgc__csc *q; /* n x n upper triangle, or NULL for a linear program */
    const mgc__csc *a; /* m x n by columns */
    const double *c, *lower, *upper;      /* n */
    const double *row_lower, *row_upper;  /* m */
    const uint32_t *block; /* n: block of each column (a scenario's), from 1; 0: joins blocks.  A hint; NULL: none */
} mgc__qp;

typedef struct mgc__ipm mgc__ipm;
typedef struct mgc__ipm_anchor mgc__ipm_anchor;

typedef struct mgc__ipm_opts {
    double tolerance;          /* relative residuals and gap, on the unscaled data */
    double gap;                /* where the gap must be smaller than that; 0: need not */
    double cutoff;             /* stop with LIMIT as soon as the proven bound exceeds it; INFINITY: never */
    uint32_t iteration_limit;
    double decided;            /* > 0: stop with OPTIMAL where the gap is this part of what the objective is below the
                                * cutoff, for the solution then is not going to exceed it */
    const mgc__ipm_anchor *anchor; /* start from there, where it fits; NULL: as warm says */
    bool warm;                 /* start from what the last solve left, where its shape still fits */
    bool series;               /* warm, and one of many whose solutions may share their active set */
    uint32_t threads;          /* that factorise and solve; 0 and 1: the caller's alone.  No bit depends on it */
    uint64_t deadline_ms;      /* by the context's clock; 0: none */
    int32_t (*progress)(void *user, uint32_t iteration, double primal_objective, double bound);
    void *user;
} mgc__ipm_opts;

typedef struct mgc__ipm_result {
    uint32_t outcome;          /* MGC_OUTCOME_...; the caller's judge still checks it against the original data */
    uint32_t iterations;
    double objective, bound;   /* of x; dual objective that holds rigorously for the bounds given, or -INFINITY */
    const double *x, *y, *z;   /* n, m, n; borrowed until the next solve; y, z signed as in program.h */
    const double *ray;         /* INFEASIBLE: m, UNBOUNDED: n, else NULL */
} mgc__ipm_result;

/* One core serves any number of solves; the symbolic analysis is kept while the patterns of Q and A stay the
 * same (bounds, costs and values may change: branch and bound and ADMM rely on it). */
mgc_status mgc__ipm_create(mgc_ctx *ctx, mgc__ipm **out);
void mgc__ipm_destroy(mgc__ipm *ipm);
/* Whether the last solve's system was factorised as an arrow of alike components. */
bool mgc__ipm_has_scenarios(const mgc__ipm *ipm);
/* Keep what the last solve, a cold one, leaves to start from.  *out may be half-built on failure: destroy it. */
mgc_status mgc__ipm_anchor_create(mgc_ctx *ctx, const mgc__ipm *ipm, mgc__ipm_anchor **out);
void mgc__ipm_anchor_destroy(mgc__ipm_anchor *anchor);
/* The same as bytes, for another program or process.  size: 0 where nothing is kept. */
bool mgc__ipm_start_fits(const mgc__ipm *ipm, uint32_t n, uint32_t m);
size_t mgc__ipm_start_size(const mgc__ipm *ipm);
void mgc__ipm_start_write(const mgc__ipm *ipm, uint8_t *bytes);
/* MGC_OK; MGC_E_TRUNCATED, MGC_E_VERSION, MGC_E_WRONG_LENGTH, MGC_E_CORRUPT, MGC_E_NO_MEMORY; *out as above. */
mgc_status mgc__ipm_anchor_read(mgc_ctx *ctx, uint32_t n, uint32_t m, const uint8_t *bytes, size_t size,
                                mgc__ipm_anchor **out);

mgc_status mgc__ipm_solve(mgc__ipm *ipm, const mgc__qp *qp, const mgc__ipm_opts *opts, mgc__ipm_result *result);

#endif
