/* SPDX-License-Identifier: Apache-2.0 */
/* Warm start: never from the solution, whose slacks are too small to move, but from the iterate of the last solve that
 * stands as far from the boundary as the change of the data calls for (Gondzio 1998; Gondzio and Grothey 2008). */
#include "solver/ipm_private.h"

/* Products v z far below what is central, mu times the barrier's weight, block the first step: they are raised to this part of
 * it. */
#define LEAST_CENTRAL 0.1

/* Absorbing the change may raise mu by this factor: new linear terms of planning programs take 14, 11, 10 and 11 iterations
 * for 1.1, 1.5, 3 and 10 at ten scenarios, 21, 17, 16 and 17 at fifty. */
#define RISE 3.0

/* Further out a cold start is as near: of 150 re-solves of planning programs, whose mu ends near 1e-9, one began above 1e-3. */
#define SNAPSHOT_MOST 1e-2
/* An iterate takes the place of one of its decade where its mu is at most this part of that one's. */
#define SNAPSHOT_NEW 0.5

enum { SNAPSHOT_VECTORS = 6 }; /* w, y, vl, vu, zl, zu */

size_t mgc__ipm_snapshot_size(size_t count)
{
    return SNAPSHOT_VECTORS * count;
}

void mgc__ipm_forget(mgc__ipm *ipm)
{
    for (uint32_t k = 0; k < SNAPSHOTS; k++) ipm->snapshot_mu[k] = 0.0;
    mgc__ipm_follow_forget(ipm);
}

/* What the residuals would cost in complementarity: each times the multiplier or slack that has to give way. */
static void misfit_of(mgc__ipm *ipm, mgc__ipm_part *part)
{
    uint32_t begin, end;
    double sum = 0.0;

    ipm->loops->misfit(ipm, part);
    part_columns(ipm, part, &begin, &end);
    for (uint32_t j = begin; j < end; j++) {
        double l = ipm->hl[j] > 0.0 ? ipm->vl[j] : INFINITY, u = ipm->hu[j] > 0.0 ? ipm->vu[j] : INFINITY;

        if (ipm->rd[j] == 0.0 || ipm->kind[j] == KIND_FIXED) continue;
        sum += fabs(ipm->rd[j]) * (ipm->kind[j] == KIND_FREE ? fabs(ipm->w[j]) : l < u ? l : u);
    }
    part_rows(ipm, part, &begin, &end);
    for (uint32_t i = begin; i < end; i++) sum += fabs(ipm->rd[i] * ipm->y[i]);
    part->misfit += sum;
}

static double residual_size(mgc__ipm *ipm)
{
    double sum = 0.0;

    mgc__ipm_over(ipm, misfit_of);
    for (uint32_t k = 0; k < ipm->parts; k++) sum += ipm->part[k].misfit;
    return ipm->complementarities > 0 ? sum / ipm->barrier : sum;
}

static void copy_snapshot(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const double *from[SNAPSHOT_VECTORS] = {ipm->w, ipm->y, ipm->vl, ipm->vu, ipm->zl, ipm->zu};
    size_t begin = part->begin, end = part->end < ipm->count ? part->end : ipm->count;
    double *to = ipm->snapshots + (size_t)ipm->slot * SNAPSHOT_VECTORS * ipm->count;

    for (uint32_t k = 0; k < SNAPSHOT_VECTORS; k++)
        memcpy(to + k * (size_t)ipm->count + begin, from[k] + begin, (end - begin) * sizeof *to);
}

/* Keep the present iterate for its decade of mu, if it is balanced enough to be worth starting from, and new: copies are a
 * twentieth of a cold solve where every iterate is kept. */
void mgc__ipm_snapshot(mgc__ipm *ipm)
{
    double decade, last;

    if (ipm->mode != AS_GIVEN || !(ipm->mu > 0.0) || ipm->mu > SNAPSHOT_MOST) return;
    decade = floor(-log10(ipm->mu)) + 2.0;
    ipm->slot = decade < 0.0 ? 0 : decade >= SNAPSHOTS ? SNAPSHOTS - 1 : (uint32_t)decade;
    last = ipm->iteration > 0 ? ipm->snapshot_mu[ipm->slot] : 0.0;
    if (ipm->mu <= last && ipm->mu > SNAPSHOT_NEW * last) return;
    if (residual_size(ipm) > IPM_RESIDUAL_PER_MU * ipm->mu) return;
    ipm->snapshot_mu[ipm->slot] = ipm->mu;
    mgc__ipm_over(ipm, copy_snapshot);
}

/* A bound that the snapshot knew keeps its slack and multiplier; a new one gets both from mu, its central product. */
static void adopt(double has, double mu, double gap, double *v, double *z)
{
    if (has == 0.0) {
        *v = 1.0;
        *z = 0.0;
        return;
    }
    if (*z == 0.0) *v = fmax(gap, sqrt(mu));
    if (*v * *z < LEAST_CENTRAL * mu) *z = LEAST_CENTRAL * mu / *v;
}

static void restore(mgc__ipm *ipm, uint32_t slot)
{
    size_t bytes = ipm->count * sizeof(double);
    const double *from = ipm->snapshots + (size_t)slot * SNAPSHOT_VECTORS * ipm->count;
    double mu = ipm->snapshot_mu[slot];

    memcpy(ipm->w, from, bytes);
    memcpy(ipm->y, from + ipm->count, bytes);
    memcpy(ipm->vl, from + 2 * (size_t)ipm->count, bytes);
    memcpy(ipm->vu, from + 3 * (size_t)ipm->count, bytes);
    memcpy(ipm->zl, from + 4 * (size_t)ipm->count, bytes);
    memcpy(ipm->zu, from + 5 * (size_t)ipm->count, bytes);
    for (uint32_t i = 0; i < ipm->count; i++) {
        if (ipm->kind[i] == KIND_FIXED && i < ipm->n) ipm->w[i] = ipm->lo[i];
        if (ipm->kind[i] == KIND_FREE && i >= ipm->n) ipm->y[i] = 0.0;
        adopt(ipm->hl[i], mu * ipm->omega[i], ipm->w[i] - ipm->lo[i], &ipm->vl[i], &ipm->zl[i]);
        adopt(ipm->hu[i], mu * ipm->omega[i], ipm->up[i] - ipm->w[i], &ipm->vu[i], &ipm->zu[i]);
    }
}

/* Dual residuals become multipliers, where there is a bound to carry them: products off centre, for which the first
 * steps make up, are better than residuals that block them. */
static void absorb(mgc__ipm *ipm)
{
    for (uint32_t j = 0; j < ipm->n; j++) {
        if (ipm->rd[j] < 0.0 && ipm->hl[j] > 0.0) ipm->zl[j] -= ipm->rd[j];
        if (ipm->rd[j] > 0.0 && ipm->hu[j] > 0.0) ipm->zu[j] += ipm->rd[j];
    }
    mgc__ipm_residuals(ipm, NULL);
}

/* From the level nearest to the solution that the change allows: its residuals count at most per_mu times mu; false: none
 * does.  absorbed: the change is one of costs. */
bool mgc__ipm_start_warm(mgc__ipm *ipm, double per_mu, bool absorbed)
{
    for (uint32_t slot = SNAPSHOTS; slot-- > 0;) {
        if (!(ipm->snapshot_mu[slot] > 0.0)) continue;
        restore(ipm, slot);
        mgc__ipm_residuals(ipm, NULL);
        if (absorbed) absorb(ipm);
        if (residual_size(ipm) <= per_mu * ipm->mu && ipm->mu <= RISE * ipm->snapshot_mu[slot]) return true;
    }
    return false;
}
