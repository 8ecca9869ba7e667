/* SPDX-License-Identifier: Apache-2.0 */
/* One iteration: residuals, Mehrotra's predictor and corrector, Gondzio's correctors, the step. */
#include "solver/ipm_private.h"

/* Chosen, not critical: published programs need the same iterations within 5 % from 0.99 to 0.999. */
#define TO_BOUNDARY 0.995
#define REACH 0.3 /* how much longer a step a corrector asks for: from 0.1 to 0.3 the iterations fall by a fifth, above not */
enum { CORRECTORS = 2 }; /* Gondzio 1996: more pay only where factorising is far dearer than solving */

/* w of the rows, residuals rl, ru, rd, d, qx and mu of the present iterate; doc/math/solver.md (5). */
void mgc__ipm_residuals(mgc__ipm *ipm)
{
    uint32_t n = ipm->n, count = ipm->count;
    double *y = ipm->y + n, sum = 0.0;

    memset(ipm->w + n, 0, ipm->m * sizeof *ipm->w);
    mgc__csc_mul(&ipm->a, 1.0, ipm->w, ipm->w + n);
    memset(ipm->qx, 0, n * sizeof *ipm->qx);
    if (ipm->has_q) mgc__csc_symmul(&ipm->q, 1.0, ipm->w, ipm->qx);
    for (uint32_t i = n; i < count; i++)
        if (ipm->kind[i] != KIND_FIXED) ipm->y[i] = ipm->zl[i] - ipm->zu[i];
    for (uint32_t i = n; i < count && ipm->elastic > 0.0; i++) ipm->w[i] += ipm->elastic * ipm->y[i];
    for (uint32_t j = 0; j < n; j++) ipm->d[j] = ipm->c[j] + ipm->qx[j];
    mgc__csc_tmul(&ipm->a, -1.0, y, ipm->d);
    for (uint32_t i = 0; i < count; i++) {
        ipm->rl[i] = ipm->hl[i] * (ipm->lo[i] - ipm->w[i] + ipm->vl[i]);
        ipm->ru[i] = ipm->hu[i] * (ipm->up[i] - ipm->w[i] - ipm->vu[i]);
        sum += ipm->hl[i] * ipm->vl[i] * ipm->zl[i] + ipm->hu[i] * ipm->vu[i] * ipm->zu[i];
    }
    for (uint32_t j = 0; j < n; j++) ipm->rd[j] = ipm->kind[j] == KIND_FIXED ? 0.0 : ipm->zl[j] - ipm->zu[j] - ipm->d[j];
    for (uint32_t i = n; i < count; i++) ipm->rd[i] = ipm->kind[i] == KIND_FIXED ? ipm->lo[i] - ipm->w[i] : 0.0;
    ipm->mu = ipm->complementarities > 0 ? sum / ipm->complementarities : 0.0;
}

/* The lower bound c'x over the box that column j adds to the dual objective, for reduced cost d; an absent bound that
 * would be needed is charged as if the column reached a hundred times its present size (doc/math/solver.md, 6). */
static double box_minimum(const mgc__ipm *ipm, uint32_t j, double d)
{
    bool at_lower = d > 0.0, exists = ipm->kind[j] == KIND_FIXED || (at_lower ? ipm->hl[j] : ipm->hu[j]) > 0.0;

    if (d == 0.0) return 0.0;
    if (exists) return d * (at_lower ? ipm->lo[j] : ipm->up[j]);
    return -fabs(d) * 100.0 * (1.0 + fabs(ipm->w[j]));
}

/* Violation of stationarity that no finite bound excuses. */
static double dual_violation(const mgc__ipm *ipm, uint32_t j)
{
    if (ipm->kind[j] == KIND_FIXED || (ipm->d[j] > 0.0 ? ipm->hl[j] : ipm->hu[j]) > 0.0) return 0.0;
    return fabs(ipm->d[j]);
}

static double primal_violation(const mgc__ipm *ipm, uint32_t i)
{
    double w = ipm->w[i], unscale = i < ipm->n ? ipm->scale[i] : 1.0 / ipm->scale[i];

    if (ipm->kind[i] == KIND_FREE) return 0.0;
    if (ipm->kind[i] == KIND_FIXED) return unscale * fabs(w - ipm->lo[i]) / (1.0 + unscale * fabs(ipm->lo[i]));
    if (ipm->hl[i] > 0.0 && w < ipm->lo[i]) return unscale * (ipm->lo[i] - w) / (1.0 + unscale * fabs(ipm->lo[i]));
    if (ipm->hu[i] > 0.0 && w > ipm->up[i]) return unscale * (w - ipm->up[i]) / (1.0 + unscale * fabs(ipm->up[i]));
    return 0.0;
}

void mgc__ipm_measure(mgc__ipm *ipm, measure *out)
{
    uint32_t n = ipm->n;
    double cx = 0.0, xqx = 0.0, rows = 0.0, box = 0.0, plain = 0.0, unexcused = 0.0, strict = 0.0, plain_gap, gap;

    *out = (measure){.mu = ipm->mu};
    for (uint32_t j = 0; j < n; j++) {
        double unit = 1.0 / (ipm->scale[j] * ipm->cost_scale);

        cx += ipm->c[j] * ipm->w[j];
        xqx += ipm->qx[j] * ipm->w[j];
        box += box_minimum(ipm, j, ipm->d[j]);
        plain += ipm->kind[j] == KIND_FIXED ? ipm->d[j] * ipm->lo[j] : ipm->zl[j] * ipm->lo[j] - ipm->zu[j] * ipm->up[j];
        unexcused = fmax(unexcused, unit * dual_violation(ipm, j));
        strict = fmax(strict, unit * fabs(ipm->rd[j]));
    }
    for (uint32_t i = n; i < ipm->count; i++)
        rows += ipm->kind[i] == KIND_FREE ? 0.0 : ipm->y[i] * (ipm->y[i] > 0.0 ? ipm->lo[i] : ipm->up[i]);
    for (uint32_t i = n; i < ipm->count && ipm->elastic > 0.0; i++) xqx += ipm->elastic * ipm->y[i] * ipm->y[i];
    for (uint32_t i = 0; i < ipm->count; i++) out->primal = fmax(out->primal, primal_violation(ipm, i));
    out->primal_objective = (cx + 0.5 * xqx) / ipm->cost_scale;
    out->bound = (rows + box - 0.5 * xqx) / ipm->cost_scale;
    gap = fabs(out->primal_objective - out->bound) / fmax(1.0, fabs(out->primal_objective));
    plain_gap = fabs(out->primal_objective - (rows + plain - 0.5 * xqx) / ipm->cost_scale) /
                fmax(1.0, fabs(out->primal_objective));
    /* Two ways to be good enough: the proven bound, or every residual small and the plain gap. */
    unexcused /= ipm->cost_norm;
    strict /= ipm->cost_norm;
    if (fmax(unexcused, gap) <= fmax(strict, plain_gap)) {
        out->dual = unexcused;
        out->gap = gap;
    } else {
        out->dual = strict;
        out->gap = plain_gap;
    }
    if (!(unexcused <= 1e-9)) out->bound = -INFINITY;
    out->merit = fmax(out->primal, fmax(out->dual, out->gap));
    /* fmax() drops a not-a-number: the sums keep it */
    if (!isfinite(out->merit) || !isfinite(cx + xqx + rows + plain)) out->merit = INFINITY;
}

/* g, and the right-hand side of the Newton system, for the targets cl, cu; doc/math/solver.md (9). */
static void assemble(mgc__ipm *ipm)
{
    for (uint32_t i = 0; i < ipm->count; i++)
        ipm->g[i] = (ipm->cl[i] + ipm->zl[i] * ipm->rl[i]) / ipm->vl[i] - (ipm->cu[i] - ipm->zu[i] * ipm->ru[i]) / ipm->vu[i];
    for (uint32_t j = 0; j < ipm->n; j++) ipm->rhs[j] = ipm->kind[j] == KIND_FIXED ? 0.0 : ipm->rd[j] + ipm->g[j];
    for (uint32_t i = ipm->n; i < ipm->count; i++)
        ipm->rhs[i] = ipm->kind[i] == KIND_BOUNDED ? ipm->g[i] / ipm->theta[i] : ipm->rd[i];
}

/* The whole direction from the solution (dx, -dy) of the Newton system.  Of a row's dw = A dx and dy, the one that is
 * found with small relative error depends on Theta: the other follows from it. */
static void recover(mgc__ipm *ipm)
{
    uint32_t n = ipm->n;

    memcpy(ipm->dw, ipm->sol, n * sizeof *ipm->dw);
    memset(ipm->dw + n, 0, ipm->m * sizeof *ipm->dw);
    mgc__csc_mul(&ipm->a, 1.0, ipm->dw, ipm->dw + n);
    for (uint32_t i = n; i < ipm->count; i++) {
        ipm->dy[i] = -ipm->sol[i];
        ipm->dw[i] += ipm->elastic * ipm->dy[i];
        if (ipm->kind[i] == KIND_BOUNDED && ipm->theta[i] > 1.0) ipm->dw[i] = (ipm->g[i] - ipm->dy[i]) / ipm->theta[i];
    }
    for (uint32_t i = 0; i < ipm->count; i++) {
        ipm->dvl[i] = ipm->hl[i] * (ipm->dw[i] - ipm->rl[i]);
        ipm->dvu[i] = ipm->hu[i] * (ipm->ru[i] - ipm->dw[i]);
        ipm->dzl[i] = (ipm->cl[i] - ipm->zl[i] * ipm->dvl[i]) / ipm->vl[i];
        ipm->dzu[i] = (ipm->cu[i] - ipm->zu[i] * ipm->dvu[i]) / ipm->vu[i];
    }
}

static double solve_for_targets(mgc__ipm *ipm)
{
    double error;

    assemble(ipm);
    error = mgc__ipm_kkt_solve(ipm);
    recover(ipm);
    return error;
}

/* Largest a <= limit with v + a dv >= 0 for both slacks, or multipliers. */
static double ratio(uint32_t count, const double *p, const double *dp, const double *q, const double *dq, double limit)
{
    double worst = 1.0 / limit; /* largest -dp/p: one division a component, no branch */

    for (uint32_t i = 0; i < count; i++) {
        double a = -dp[i] / p[i], b = -dq[i] / q[i];

        worst = a > worst ? a : worst;
        worst = b > worst ? b : worst;
    }
    return 1.0 / worst;
}

static void step_lengths(mgc__ipm *ipm)
{
    ipm->step_primal = ratio(ipm->count, ipm->vl, ipm->dvl, ipm->vu, ipm->dvu, 1.0);
    ipm->step_dual = 1.0;
    for (uint32_t i = 0; i < ipm->count; i++) { /* absent bounds have z = 0 and dz = 0 */
        if (ipm->dzl[i] < 0.0) ipm->step_dual = fmin(ipm->step_dual, -ipm->zl[i] / ipm->dzl[i]);
        if (ipm->dzu[i] < 0.0) ipm->step_dual = fmin(ipm->step_dual, -ipm->zu[i] / ipm->dzu[i]);
    }
    if (ipm->has_q) ipm->step_primal = ipm->step_dual = fmin(ipm->step_primal, ipm->step_dual);
}

static double mu_after(const mgc__ipm *ipm, double primal, double dual)
{
    double sum = 0.0;

    for (uint32_t i = 0; i < ipm->count; i++) {
        sum += ipm->hl[i] * (ipm->vl[i] + primal * ipm->dvl[i]) * (ipm->zl[i] + dual * ipm->dzl[i]);
        sum += ipm->hu[i] * (ipm->vu[i] + primal * ipm->dvu[i]) * (ipm->zu[i] + dual * ipm->dzu[i]);
    }
    return sum / ipm->complementarities;
}

/* Affine scaling direction; returns the centring target sigma mu (Mehrotra 1992, section 3). */
static double predict(mgc__ipm *ipm)
{
    double after, sigma;

    for (uint32_t i = 0; i < ipm->count; i++) {
        ipm->cl[i] = -ipm->hl[i] * ipm->vl[i] * ipm->zl[i];
        ipm->cu[i] = -ipm->hu[i] * ipm->vu[i] * ipm->zu[i];
    }
    solve_for_targets(ipm);
    step_lengths(ipm);
    if (ipm->complementarities == 0) return 0.0;
    after = mu_after(ipm, ipm->step_primal, ipm->step_dual);
    sigma = after / ipm->mu;
    sigma = sigma * sigma * sigma;
    return fmax(fmin(1.0, fmax(sigma, 1e-6)) * ipm->mu, ipm->mu_least);
}

/* Second order term of the affine direction, in full: weights below one (Colombo and Gondzio 2008) cost a quarter more
 * iterations on planning programs and a tenth on published ones. */
static double correct(mgc__ipm *ipm, double target)
{
    for (uint32_t i = 0; i < ipm->count; i++) {
        ipm->cl[i] += ipm->hl[i] * (target - ipm->dvl[i] * ipm->dzl[i]);
        ipm->cu[i] += ipm->hu[i] * (target - ipm->dvu[i] * ipm->dzu[i]);
    }
    return solve_for_targets(ipm);
}

/* What to add so that the product p of a trial point comes back into [0.1, 10] target (Gondzio 1996, eq. (11)). */
static double outlier(double product, double target)
{
    double want = product < 0.1 * target ? 0.1 * target - product : product > 10.0 * target ? 10.0 * target - product : 0.0;

    return fmax(want, -10.0 * target);
}

/* One corrector: aim at longer steps.  false, with the old direction back in place, where they did not come. */
static bool correct_centrality(mgc__ipm *ipm, double target)
{
    double primal = ipm->step_primal, dual = ipm->step_dual;
    double p = fmin(1.0, primal + REACH), d = fmin(1.0, dual + REACH);
    size_t bytes = ipm->count * sizeof(double);

    memcpy(ipm->save, ipm->sol, bytes);
    memcpy(ipm->save_cl, ipm->cl, bytes);
    memcpy(ipm->save_cu, ipm->cu, bytes);
    for (uint32_t i = 0; i < ipm->count; i++) {
        ipm->cl[i] += ipm->hl[i] * outlier((ipm->vl[i] + p * ipm->dvl[i]) * (ipm->zl[i] + d * ipm->dzl[i]), target);
        ipm->cu[i] += ipm->hu[i] * outlier((ipm->vu[i] + p * ipm->dvu[i]) * (ipm->zu[i] + d * ipm->dzu[i]), target);
    }
    solve_for_targets(ipm);
    step_lengths(ipm);
    if (ipm->step_primal >= primal + 0.01 * p && ipm->step_dual >= dual) return true;
    if (ipm->step_dual >= dual + 0.01 * d && ipm->step_primal >= primal) return true;
    if (ipm->step_primal + ipm->step_dual >= primal + dual + 0.05) return true;
    memcpy(ipm->sol, ipm->save, bytes);
    memcpy(ipm->cl, ipm->save_cl, bytes);
    memcpy(ipm->cu, ipm->save_cu, bytes);
    assemble(ipm);
    recover(ipm);
    ipm->step_primal = primal;
    ipm->step_dual = dual;
    return false;
}

mgc_status mgc__ipm_direction(mgc__ipm *ipm)
{
    mgc_status st = mgc__ipm_kkt_factorise(ipm);
    double target;

    if (st != MGC_OK) return st;
    target = predict(ipm);
    if (ipm->complementarities == 0) return MGC_OK;
    correct(ipm, target);
    step_lengths(ipm);
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
    for (uint32_t i = 0; i < ipm->count; i++) {
        ipm->w[i] += p * ipm->dw[i];
        ipm->vl[i] += p * ipm->dvl[i];
        ipm->vu[i] += p * ipm->dvu[i];
        ipm->zl[i] += d * ipm->dzl[i];
        ipm->zu[i] += d * ipm->dzu[i];
    }
    for (uint32_t i = ipm->n; i < ipm->count; i++)
        if (ipm->kind[i] == KIND_FIXED) ipm->y[i] += d * ipm->dy[i];
}
