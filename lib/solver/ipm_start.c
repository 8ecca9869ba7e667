/* SPDX-License-Identifier: Apache-2.0 */
/* Starting point: least squares, then shifted inside (Mehrotra 1992, section 7), for bounds on both sides. */
#include "solver/ipm_private.h"

/* Least slack and multiplier of a start, in a scaling where costs are near one.  Each that is smaller, or negative, is raised
 * by itself; Mehrotra raises all by what the worst of them needs, which begins with huge residuals: dispatch programs take a
 * sixth more iterations then.  Of both, a third to three times as much costs them up to a tenth. */
#define LEAST_SLACK 0.1
#define LEAST_MULTIPLIER 1.0

static double clip(double x, double lo, double up, double hl, double hu)
{
    if (hl > 0.0 && x < lo) x = lo;
    if (hu > 0.0 && x > up) x = up;
    return x;
}

/* w: the point nearest to the bounds with Ax = b; y: the best multipliers of its gradient.  One factor for both. */
static mgc_status least_squares(mgc__ipm *ipm)
{
    uint32_t n = ipm->n, count = ipm->count;
    mgc_status st = mgc__ipm_kkt_factorise_unit(ipm);

    if (st != MGC_OK) return st;
    for (uint32_t i = 0; i < count; i++) {
        double x = ipm->kind[i] == KIND_FIXED ? ipm->lo[i] : clip(0.0, ipm->lo[i], ipm->up[i], ipm->hl[i], ipm->hu[i]);

        ipm->rhs[i] = ipm->kind[i] == KIND_FREE && i >= n ? 0.0 : x;
        if (ipm->has_q && i < n) ipm->rhs[i] -= ipm->c[i]; /* Q would pull x to nought: c belongs to it */
        ipm->w[i] = 0.0;
    }
    for (uint32_t j = 0; j < n; j++) { /* fixed columns move to the other side */
        double x = ipm->lo[j];

        if (ipm->kind[j] != KIND_FIXED || x == 0.0) continue;
        for (uint32_t e = ipm->a.start[j]; e < ipm->a.start[j + 1]; e++) {
            uint32_t i = n + ipm->a.row[e];

            if (ipm->kind[i] != KIND_FREE) ipm->rhs[i] -= ipm->a.value[e] * x;
        }
    }
    mgc__ipm_kkt_solve(ipm);
    memcpy(ipm->w, ipm->sol, n * sizeof *ipm->w);
    for (uint32_t j = 0; j < n; j++)
        if (ipm->kind[j] == KIND_FIXED) ipm->w[j] = ipm->lo[j];
    memset(ipm->qx, 0, n * sizeof *ipm->qx);
    if (ipm->has_q) mgc__csc_symmul(&ipm->q, 1.0, ipm->w, ipm->qx);
    for (uint32_t j = 0; j < n; j++) ipm->rhs[j] = ipm->kind[j] == KIND_FIXED ? 0.0 : -ipm->c[j] - ipm->qx[j];
    memset(ipm->rhs + n, 0, ipm->m * sizeof *ipm->rhs);
    mgc__ipm_kkt_solve(ipm);
    for (uint32_t i = n; i < count; i++) ipm->y[i] = ipm->kind[i] == KIND_FREE ? 0.0 : -ipm->sol[i];
    return MGC_OK;
}

static double line_times(const mgc__csc *a, uint32_t line, const double *x)
{
    double sum = 0.0;

    for (uint32_t e = a->start[line]; e < a->start[line + 1]; e++) sum += a->value[e] * x[a->row[e]];
    return sum;
}

/* Slack and multiplier as bounds and gradient z give them, of any sign; then each raised to the least, but no more than half
 * way between two bounds. */
static void split(mgc__ipm *ipm, uint32_t i, double z)
{
    double slack = LEAST_SLACK * ipm->start_size, multiplier = LEAST_MULTIPLIER * ipm->start_size;
    bool lower = ipm->hl[i] > 0.0, upper = ipm->hu[i] > 0.0, both = lower && upper;

    if (both) slack = fmin(slack, 0.5 * (ipm->up[i] - ipm->lo[i]));
    ipm->vl[i] = lower ? fmax(ipm->w[i] - ipm->lo[i], slack) : 1.0;
    ipm->vu[i] = upper ? fmax(ipm->up[i] - ipm->w[i], slack) : 1.0;
    ipm->zl[i] = fmax(both ? fmax(z, 0.0) : ipm->hl[i] * z, multiplier * ipm->bl[i]);
    ipm->zu[i] = fmax(both ? fmax(-z, 0.0) : -ipm->hu[i] * z, multiplier * ipm->bu[i]);
}

static void split_part(mgc__ipm *ipm, mgc__ipm_part *part)
{
    uint32_t n = ipm->n, begin, end;

    part_columns(ipm, part, &begin, &end);
    for (uint32_t j = begin; j < end; j++) {
        ipm->d[j] = ipm->c[j] + ipm->qx[j] - line_times(&ipm->a, j, ipm->y + n);
        split(ipm, j, ipm->d[j]);
    }
    part_rows(ipm, part, &begin, &end);
    for (uint32_t i = begin; i < end; i++) {
        ipm->w[i] = line_times(&ipm->at, i - n, ipm->w);
        split(ipm, i, ipm->y[i]);
    }
}

/* Slacks by ahead[0], multipliers by ahead[1]. */
static void shift_part(mgc__ipm *ipm, mgc__ipm_part *part)
{
    for (size_t i = part->begin; i < part->end; i++) {
        ipm->vl[i] += ipm->hl[i] * ipm->ahead[0];
        ipm->vu[i] += ipm->hu[i] * ipm->ahead[0];
        ipm->zl[i] += ipm->bl[i] * ipm->ahead[1];
        ipm->zu[i] += ipm->bu[i] * ipm->ahead[1];
    }
}

static void shift_inside(mgc__ipm *ipm)
{
    double product = 0.0, v = 0.0, z = 0.0;

    for (uint32_t i = 0; i < ipm->count; i++) {
        product += ipm->hl[i] * ipm->vl[i] * ipm->zl[i] + ipm->hu[i] * ipm->vu[i] * ipm->zu[i];
        v += ipm->hl[i] * ipm->vl[i] + ipm->hu[i] * ipm->vu[i];
        z += ipm->hl[i] * ipm->zl[i] + ipm->hu[i] * ipm->zu[i];
    }
    if (ipm->complementarities == 0) return;
    ipm->ahead[0] = 0.5 * product / z;
    ipm->ahead[1] = 0.5 * product / v;
    mgc__ipm_over(ipm, shift_part);
}

/* Let the mean slack and the mean multiplier be about one, by sigma (x = sigma D x') and kappa: Theta then starts near one,
 * far from both shifts.  Exact, as both are powers of two. */
static void balance(mgc__ipm *ipm)
{
    double v = 0.0, z = 0.0;

    for (uint32_t i = 0; i < ipm->count; i++) {
        v += ipm->hl[i] * ipm->vl[i] + ipm->hu[i] * ipm->vu[i];
        z += ipm->hl[i] * ipm->zl[i] + ipm->hu[i] * ipm->zu[i];
    }
    if (ipm->complementarities == 0) return;
    mgc__ipm_rescale(ipm, v / ipm->complementarities, z / ipm->complementarities);
}

mgc_status mgc__ipm_start_cold(mgc__ipm *ipm)
{
    mgc_status st;

    ipm->now = (measure){0}; /* refinement looks at it: a cold start knows nothing of the solve before */
    st = least_squares(ipm);
    if (st != MGC_OK) return st;
    mgc__ipm_over(ipm, split_part);
    shift_inside(ipm);
    balance(ipm);
    mgc__ipm_load_units(ipm);
    return MGC_OK;
}
