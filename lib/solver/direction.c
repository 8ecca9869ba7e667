/* SPDX-License-Identifier: Apache-2.0 */
/* Where does the objective fall for ever?  Asked as a program of its own, which has no trouble with the answer: nought
 * is feasible and everything is bounded.
 *
 *     minimise c'd   subject to   Ad and d in the recession cones of their bounds,  Qd = 0,  |d_j| <= s_j
 *
 * The program is unbounded, if it is feasible, exactly where the optimum is below nought (Frank and Wolfe 1956). */
#include "solver/solve.h"

#include <math.h>

/* What the solve may leave of an entry that is nought, in units of s_j: the boldest guess first, none last. */
static const double NOUGHT[] = {1e-7, 1e-9, 1e-11, 0.0};
#define DIRECTION_TOLERANCE 1e-13

typedef struct cone {
    mgc__csc a;
    double *block, *row_size; /* block: everything below */
    double *lower, *upper, *row_lower, *row_upper;
} cone;

static void cone_free(mgc_ctx *ctx, cone *k)
{
    mgc__csc_free(ctx, &k->a);
    mgc__free(ctx, k->block);
}

/* A over Q, both triangles of it. */
static mgc_status stack(mgc_ctx *ctx, const mgc__qp *qp, uint32_t rows, mgc__csc *out)
{
    size_t nnz = qp->a->start[qp->n], q_nnz = rows > qp->m ? qp->q->start[qp->n] : 0, at = 0, most = nnz + 2 * q_nnz;
    uint32_t *i = mgc__alloc(ctx, 2 * most, sizeof *i), *j = i != NULL ? i + most : NULL;
    double *v = mgc__alloc(ctx, most, sizeof *v);
    mgc_status st = i != NULL && v != NULL ? MGC_OK : mgc__no_memory(ctx, "the cone of directions");

    for (uint32_t c = 0; st == MGC_OK && c < qp->n; c++) {
        for (uint32_t e = qp->a->start[c]; e < qp->a->start[c + 1]; e++, at++) {
            i[at] = qp->a->row[e];
            j[at] = c;
            v[at] = qp->a->value[e];
        }
        for (uint32_t e = q_nnz > 0 ? qp->q->start[c] : 0; q_nnz > 0 && e < qp->q->start[c + 1]; e++) {
            uint32_t r = qp->q->row[e];

            i[at] = qp->m + r;
            j[at] = c;
            v[at++] = qp->q->value[e];
            if (r == c) continue;
            i[at] = qp->m + c;
            j[at] = r;
            v[at++] = qp->q->value[e];
        }
    }
    if (st == MGC_OK) st = mgc__csc_from_triplets(ctx, rows, qp->n, at, i, j, v, out);
    mgc__free(ctx, i);
    mgc__free(ctx, v);
    return st;
}

/* s_j: one over the column's largest entry, rows divided by theirs; the answer does not depend on units then. */
static void set_sizes(const mgc__qp *qp, cone *k)
{
    const mgc__csc *a = &k->a;

    for (uint32_t c = 0; c < qp->n; c++)
        for (uint32_t e = a->start[c]; e < a->start[c + 1]; e++)
            k->row_size[a->row[e]] = fmax(k->row_size[a->row[e]], fabs(a->value[e]));
    for (uint32_t c = 0; c < qp->n; c++) {
        double most = 0.0, s;

        for (uint32_t e = a->start[c]; e < a->start[c + 1]; e++)
            if (a->value[e] != 0.0) most = fmax(most, fabs(a->value[e]) / k->row_size[a->row[e]]);
        s = most > 0.0 ? 1.0 / most : 1.0;
        k->lower[c] = isfinite(qp->lower[c]) ? 0.0 : -s;
        k->upper[c] = isfinite(qp->upper[c]) ? 0.0 : s;
    }
}

static mgc_status cone_make(mgc_ctx *ctx, const mgc__qp *qp, cone *k, mgc__qp *out)
{
    bool curved = qp->q != NULL && qp->q->start[qp->n] > 0;
    uint32_t rows = qp->m + (curved ? qp->n : 0);
    mgc_status st = stack(ctx, qp, rows, &k->a);

    if (st != MGC_OK) return st;
    k->block = mgc__alloc(ctx, 2 * (size_t)qp->n + 3 * (size_t)rows, sizeof *k->block);
    if (k->block == NULL) return mgc__no_memory(ctx, "the cone of directions");
    k->lower = k->block;
    k->upper = k->lower + qp->n;
    k->row_lower = k->upper + qp->n;
    k->row_upper = k->row_lower + rows;
    k->row_size = k->row_upper + rows;
    set_sizes(qp, k);
    for (uint32_t i = 0; i < qp->m; i++) { /* the rows of Q stay at nought */
        k->row_lower[i] = isfinite(qp->row_lower[i]) ? 0.0 : -INFINITY;
        k->row_upper[i] = isfinite(qp->row_upper[i]) ? 0.0 : INFINITY;
    }
    *out = (mgc__qp){.n = qp->n, .m = rows, .a = &k->a, .c = qp->c, .lower = k->lower, .upper = k->upper,
                     .row_lower = k->row_lower, .row_upper = k->row_upper};
    return MGC_OK;
}

/* Rounded to what it is meant to be where that is as good a proof; work as for mgc__judge_unbounded(). */
static bool keep_best_direction(const mgc__qp *qp, const cone *k, const double *x, double *work, double *direction)
{
    for (size_t guess = 0; guess < MGC__COUNT(NOUGHT); guess++) {
        for (uint32_t c = 0; c < qp->n; c++) {
            double s = fmax(k->upper[c], -k->lower[c]), d = fmin(fmax(x[c], k->lower[c]), k->upper[c]);

            direction[c] = fabs(d) <= NOUGHT[guess] * s ? 0.0 : d;
        }
        if (mgc__judge_unbounded(qp, direction, work) > 0.0) return true;
    }
    return false;
}

mgc_status mgc__find_direction(mgc_ctx *ctx, const mgc__qp *qp, const mgc__ipm_opts *opts, double *work,
                               double *direction, bool *found)
{
    mgc__ipm_opts o = *opts;
    mgc__ipm_result result;
    mgc__ipm *ipm = NULL;
    cone k = {0};
    mgc__qp program;
    mgc_status st = cone_make(ctx, qp, &k, &program);

    *found = false;
    o.tolerance = DIRECTION_TOLERANCE;
    o.gap = 0.0;
    o.cutoff = INFINITY;
    o.warm = false;
    if (st == MGC_OK) st = mgc__ipm_create(ctx, &ipm);
    if (st == MGC_OK) st = mgc__ipm_solve(ipm, &program, &o, &result);
    if (st == MGC_OK && result.x != NULL) *found = keep_best_direction(qp, &k, result.x, work, direction);
    mgc__ipm_destroy(ipm);
    cone_free(ctx, &k);
    return st;
}
