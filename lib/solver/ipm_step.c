/* SPDX-License-Identifier: Apache-2.0 */
/* One iteration: residuals, Mehrotra's predictor and corrector, Gondzio's correctors, the step. */
#include "solver/ipm_private.h"

/* Chosen, not critical: published programs need the same iterations within 5 % from 0.99 to 0.999. */
#define TO_BOUNDARY 0.995
#define REACH 0.3 /* how much longer a step a corrector asks for: from 0.1 to 0.3 the iterations fall by a fifth, above not */
enum { CORRECTORS = 2 }; /* Gondzio 1996: more pay only where factorising is far dearer than solving */

/* Row i of A times x. */
static double row_times(const mgc__csc *at, uint32_t i, const double *x)
{
    double sum = 0.0;

    for (uint32_t e = at->start[i]; e < at->start[i + 1]; e++) sum += at->value[e] * x[at->row[e]];
    return sum;
}

/* w of the rows, residuals rl, ru, rd, d, qx and mu of the present iterate; doc/math/solver.md (5). */
void mgc__ipm_residuals(mgc__ipm *ipm)
{
    uint32_t n = ipm->n, m = ipm->m;
    const mgc__csc *a = &ipm->a;
    double *y = ipm->y + n;

    if (ipm->has_q) {
        memset(ipm->qx, 0, n * sizeof *ipm->qx);
        mgc__csc_symmul(&ipm->q, 1.0, ipm->w, ipm->qx);
    }
    for (uint32_t i = 0; i < m; i++) {
        double *w = ipm->w + n + i;

        *w = row_times(&ipm->at, i, ipm->w);
        if (ipm->kind[n + i] != KIND_FIXED) y[i] = ipm->zl[n + i] - ipm->zu[n + i];
        *w += ipm->elastic * y[i];
    }
    for (uint32_t j = 0; j < n; j++) {
        double sum = ipm->c[j] + ipm->qx[j];

        for (uint32_t e = a->start[j]; e < a->start[j + 1]; e++) sum -= a->value[e] * y[a->row[e]];
        ipm->d[j] = sum;
    }
    ipm->loops->residuals(ipm);
}

/* What stationarity is measured against: one, the largest cost and the largest entry of Qx, in original units. */
static double gradient_norm(const mgc__ipm *ipm)
{
    double most = 0.0;

    for (uint32_t j = 0; ipm->has_q && j < ipm->n; j++) most = fmax(most, fabs(ipm->qx[j]) / ipm->scale[j]);
    return fmax(ipm->cost_norm, 1.0 + most / ipm->cost_scale);
}

void mgc__ipm_measure(mgc__ipm *ipm, measure *out)
{
    double rows = 0.0, norm = gradient_norm(ipm), plain_gap, gap, unexcused, strict;
    mgc__ipm_sums s;

    *out = (measure){.mu = ipm->mu};
    ipm->loops->measure(ipm, &s);
    for (uint32_t i = ipm->n; i < ipm->count; i++) { /* free rows have y = 0 */
        double y = ipm->y[i];

        rows += y * (y > 0.0 ? ipm->lo[i] : ipm->up[i]);
        s.xqx += ipm->elastic * y * y;
    }
    out->primal = s.primal;
    out->primal_objective = (s.cx + 0.5 * s.xqx) / ipm->cost_scale;
    out->bound = (rows + s.box - 0.5 * s.xqx) / ipm->cost_scale;
    gap = fabs(out->primal_objective - out->bound) / fmax(1.0, fabs(out->primal_objective));
    plain_gap = fabs(out->primal_objective - (rows + s.plain - 0.5 * s.xqx) / ipm->cost_scale) /
                fmax(1.0, fabs(out->primal_objective));
    /* Two ways to be good enough: the proven bound, or every residual small and the plain gap. */
    unexcused = s.unexcused / norm;
    strict = s.strict / norm;
    if (fmax(unexcused, gap) <= fmax(strict, plain_gap)) {
        out->dual = unexcused;
        out->gap = gap;
    } else {
        out->dual = strict;
        out->gap = plain_gap;
    }
    if (!(s.unexcused <= 1e-9 * ipm->cost_norm)) out->bound = -INFINITY;
    out->merit = fmax(out->primal, fmax(out->dual, out->gap));
    /* fmax() and the loop drop a not-a-number: the sums keep it */
    if (!isfinite(out->merit) || !isfinite(s.cx + s.xqx + rows + s.plain)) out->merit = INFINITY;
}

/* The whole direction from the solution (dx, -dy) of the Newton system, with its step lengths.  Of a row's dw = A dx and
 * dy, the one that is found with small relative error depends on Theta: the other follows from it. */
static void recover(mgc__ipm *ipm)
{
    uint32_t n = ipm->n, m = ipm->m;

    memcpy(ipm->dw, ipm->sol, n * sizeof *ipm->dw);
    for (uint32_t i = 0; i < m; i++) {
        double dy = -ipm->sol[n + i];

        ipm->dy[n + i] = dy;
        if (ipm->lever[n + i] > 0.0 && ipm->lever[n + i] < 1.0) ipm->dw[n + i] = (ipm->g[n + i] - dy) * ipm->lever[n + i];
        else ipm->dw[n + i] = row_times(&ipm->at, i, ipm->dw) + ipm->elastic * dy;
    }
    ipm->loops->expand(ipm);
}

static double mu_along(const mgc__ipm *ipm, double primal, double dual)
{
    return ipm->mu + (dual * ipm->along[0] + primal * ipm->along[1] + primal * dual * ipm->along[2]) / ipm->barrier;
}

/* Affine scaling direction; returns the centring target sigma mu (Mehrotra 1992, section 3). */
static double predict(mgc__ipm *ipm)
{
    double sigma;

    ipm->loops->predictor(ipm);
    mgc__ipm_kkt_solve(ipm);
    recover(ipm);
    if (ipm->complementarities == 0) return 0.0;
    sigma = mu_along(ipm, ipm->step_primal, ipm->step_dual) / ipm->mu;
    sigma = sigma * sigma * sigma;
    return fmax(fmin(1.0, fmax(sigma, 1e-6)) * ipm->mu, ipm->mu_least);
}

/* Second order term of the affine direction, in full: weights below one (Colombo and Gondzio 2008) cost a quarter more
 * iterations on planning programs and a tenth on published ones. */
static void correct(mgc__ipm *ipm, double target)
{
    ipm->loops->corrector(ipm, target);
    mgc__ipm_kkt_solve(ipm);
    recover(ipm);
}

/* The present direction and the other one change places. */
static void swap_directions(mgc__ipm *ipm)
{
    mgc__ipm_direction_set now = {ipm->dw, ipm->dvl, ipm->dvu, ipm->dzl, ipm->dzu, ipm->dy, ipm->cl, ipm->cu};
    const mgc__ipm_direction_set *o = &ipm->other;

    ipm->dw = o->dw;
    ipm->dvl = o->dvl;
    ipm->dvu = o->dvu;
    ipm->dzl = o->dzl;
    ipm->dzu = o->dzu;
    ipm->dy = o->dy;
    ipm->cl = o->cl;
    ipm->cu = o->cu;
    ipm->other = now;
}

/* One corrector: aim at longer steps.  false, with the old direction back in place, where they did not come. */
static bool correct_centrality(mgc__ipm *ipm, double target)
{
    double primal = ipm->step_primal, dual = ipm->step_dual;
    double p = fmin(1.0, primal + REACH), d = fmin(1.0, dual + REACH);

    swap_directions(ipm);
    ipm->loops->centrality(ipm, target, p, d);
    mgc__ipm_kkt_solve(ipm);
    recover(ipm);
    if (ipm->step_primal >= primal + 0.01 * p && ipm->step_dual >= dual) return true;
    if (ipm->step_dual >= dual + 0.01 * d && ipm->step_primal >= primal) return true;
    if (ipm->step_primal + ipm->step_dual >= primal + dual + 0.05) return true;
    swap_directions(ipm);
    ipm->step_primal = primal;
    ipm->step_dual = dual;
    return false;
}

mgc_status mgc__ipm_direction(mgc__ipm *ipm)
{
    mgc_status st = mgc__ipm_kkt_factorise(ipm);
    double target;

    if (st != MGC_OK) return st;
    for (uint32_t i = ipm->n; i < ipm->count; i++) ipm->lever[i] = ipm->kind[i] == KIND_BOUNDED ? 1.0 / ipm->theta[i] : 0.0;
    target = predict(ipm);
    if (ipm->complementarities == 0) return MGC_OK;
    correct(ipm, target);
    for (uint32_t k = 0; k < CORRECTORS && fmin(ipm->step_primal, ipm->step_dual) < 0.9; k++)
        if (!correct_centrality(ipm, target)) break;
    return MGC_OK;
}

void mgc__ipm_advance(mgc__ipm *ipm)
{
    double p = ipm->step_primal, d = ipm->step_dual;

    if (ipm->complementarities > 0) {
        p = fmin(1.0, TO_BOUNDARY * p);
        d = fmin(1.0, TO_BOUNDARY * d);
    }
    ipm->loops->advance(ipm, p, d);
    for (uint32_t i = ipm->n; i < ipm->count; i++)
        if (ipm->kind[i] == KIND_FIXED) ipm->y[i] += d * ipm->dy[i];
}
