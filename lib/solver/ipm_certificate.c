/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, checked on the original data each time: one multiplication shows them. */
#include "solver/ipm_private.h"

/* A ray is believed only where it excludes every point whose columns without the needed bound stay below this many
 * times their present size; and where the margin is this part of the terms it is the difference of. */
#define EXCLUDED_SIZE 1e6
#define CLEAR_MARGIN 1e-7
#define FEASIBLE 1e-8

/* Farkas: y'Ax >= sum of y+ row_lower - y- row_upper for every feasible x, yet no x within the bounds reaches it. */
bool mgc__ipm_proves_infeasible(mgc__ipm *ipm, const double *y)
{
    const mgc__qp *qp = &ipm->qp;
    double *ray = ipm->ray_out, *g = ipm->work, size = 0.0, need = 0.0, reach = 0.0, terms = 0.0, loose = 0.0;

    for (uint32_t i = 0; i < qp->m; i++) {
        ray[i] = y[i] * ipm->scale[ipm->n + i];
        if (!isfinite(ray[i]) || !isfinite(ray[i] > 0.0 ? qp->row_lower[i] : qp->row_upper[i])) ray[i] = 0.0;
        size = fmax(size, fabs(ray[i]));
    }
    if (!(size > 0.0)) return false;
    for (uint32_t i = 0; i < qp->m; i++) {
        ray[i] /= size;
        if (ray[i] == 0.0) continue;
        need += ray[i] * (ray[i] > 0.0 ? qp->row_lower[i] : qp->row_upper[i]);
        terms += fabs(ray[i] * (ray[i] > 0.0 ? qp->row_lower[i] : qp->row_upper[i]));
    }
    memset(g, 0, qp->n * sizeof *g);
    mgc__csc_tmul(qp->a, 1.0, ray, g);
    for (uint32_t j = 0; j < qp->n; j++) {
        double bound = g[j] > 0.0 ? qp->upper[j] : qp->lower[j];

        if (g[j] == 0.0) continue;
        if (isfinite(bound)) {
            reach += g[j] * bound;
            terms += fabs(g[j] * bound);
        } else {
            loose += fabs(g[j]) * (1.0 + fabs(ipm->w[j] * ipm->scale[j]));
        }
    }
    return need - reach > CLEAR_MARGIN * terms && need - reach > EXCLUDED_SIZE * loose;
}

/* Distance of `d` from the directions in which [lo, up] has no end. */
static double outside(double d, double lo, double up)
{
    return (d < 0.0 && isfinite(lo)) || (d > 0.0 && isfinite(up)) ? fabs(d) : 0.0;
}

/* x + a d stays feasible for every a > 0 and the objective falls: Qd = 0, c'd < 0. */
bool mgc__ipm_proves_unbounded(mgc__ipm *ipm, const double *x)
{
    const mgc__qp *qp = &ipm->qp;
    double *ray = ipm->ray_out, *image = ipm->work, fall = 0.0, off = 0.0;

    for (uint32_t j = 0; j < qp->n; j++) {
        ray[j] = isfinite(x[j]) ? x[j] * ipm->scale[j] : 0.0;
        if (outside(ray[j], qp->lower[j], qp->upper[j]) > 0.0) ray[j] = 0.0;
        fall -= qp->c[j] * ray[j];
    }
    if (!(fall > 0.0)) return false;
    for (uint32_t j = 0; j < qp->n; j++) ray[j] /= fall;
    memset(image, 0, ipm->count * sizeof *image);
    if (ipm->has_q) mgc__csc_symmul(qp->q, 1.0, ray, image);
    mgc__csc_mul(qp->a, 1.0, ray, image + qp->n);
    for (uint32_t j = 0; j < qp->n; j++) off += fabs(image[j]) * (1.0 + fabs(ipm->w[j] * ipm->scale[j]));
    for (uint32_t i = 0; i < qp->m; i++) {
        double y = ipm->y[ipm->n + i] * ipm->scale[ipm->n + i] / ipm->cost_scale;

        off += outside(image[ipm->n + i], qp->row_lower[i], qp->row_upper[i]) * (1.0 + fabs(y));
    }
    return EXCLUDED_SIZE * off < 1.0;
}

/* Is the present point of the elastic program feasible without its elasticity? */
bool mgc__ipm_feasible(const mgc__ipm *ipm)
{
    for (uint32_t i = ipm->n; i < ipm->count; i++) {
        double unscale = 1.0 / ipm->scale[i], size = fmax(fabs(ipm->lo[i]), fabs(ipm->up[i]));

        if (unscale * fabs(ipm->elastic * ipm->y[i]) > FEASIBLE * (1.0 + unscale * size)) return false;
    }
    return ipm->now.primal <= FEASIBLE;
}
