/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, checked on the original data each time: one multiplication shows them. */
#include "solver/ipm_private.h"
#include "solver/judge.h"

/* A ray is believed only where it excludes every point whose columns without the needed bound stay below this many
 * times their present size; and where the margin is this part of the terms it is the difference of. */
#define EXCLUDED_SIZE 1e6
#define CLEAR_MARGIN 1e-7
/* What a sum that should be nought may leave, relative to its largest term. */
#define RAY_DUST 1e-10
/* Multipliers below this part of the largest, of the scaled program, are nought. */
#define RAY_NOUGHT 1e-13
/* Up to here purifying a ray is worth a factorisation. */
#define ROUGH_DUST 1e-3
enum { PURIFY_ROUNDS = 3 };
enum ray_quality { RAY_NONE, RAY_ROUGH, RAY_PROOF };
#define FEASIBLE 1e-8

/* The ray in original units, largest entry one; entries that lean on an absent side, and what rounding left of those
 * that are nought, are cleared. */
static bool load_ray(mgc__ipm *ipm, const double *y)
{
    const mgc__qp *qp = &ipm->qp;
    double *ray = ipm->ray_out, size = 0.0, nought = RAY_NOUGHT * largest_of(y, qp->m);

    for (uint32_t i = 0; i < qp->m; i++) {
        ray[i] = fabs(y[i]) > nought ? y[i] * ipm->scale[ipm->n + i] : 0.0;
        if (!isfinite(ray[i]) || !isfinite(ray[i] > 0.0 ? qp->row_lower[i] : qp->row_upper[i])) ray[i] = 0.0;
        size = fmax(size, fabs(ray[i]));
    }
    if (!(size > 0.0)) return false;
    for (uint32_t i = 0; i < qp->m; i++) ray[i] /= size;
    return true;
}

/* The largest entry of A: no term of a ray, whose largest entry is one, exceeds it. */
static double largest_entry(mgc__ipm *ipm)
{
    if (ipm->largest_entry < 0.0) ipm->largest_entry = largest_of(ipm->a_raw, ipm->a.start[ipm->n]);
    return ipm->largest_entry;
}

/* How good is the ray?  RAY_NONE, RAY_ROUGH: worth purifying, RAY_PROOF.
 * Farkas: y'Ax >= sum of y+ row_lower - y- row_upper for every feasible x, yet no x within the bounds reaches it. */
static enum ray_quality judge_ray(mgc__ipm *ipm, const double *y)
{
    const mgc__qp *qp = &ipm->qp;
    double *ray = ipm->ray_out, need = 0.0, reach = 0.0, terms = 0.0, loose = 0.0, dust = 0.0, left = 0.0, largest = 0.0, hopeless;

    if (!load_ray(ipm, y)) return RAY_NONE;
    hopeless = ROUGH_DUST * largest_entry(ipm);
    for (uint32_t i = 0; i < qp->m; i++) {
        double side = ray[i] == 0.0 ? 0.0 : ray[i] * (ray[i] > 0.0 ? qp->row_lower[i] : qp->row_upper[i]);

        need += side;
        terms += fabs(side);
    }
    for (uint32_t j = 0; j < qp->n; j++) {
        double g = 0.0, size = 0.0, bound;

        for (uint32_t e = qp->a->start[j]; e < qp->a->start[j + 1]; e++) {
            double term = qp->a->value[e] * ray[qp->a->row[e]];

            g += term;
            size = fmax(size, fabs(term));
        }
        largest = fmax(largest, size);
        if (g == 0.0) continue;
        bound = g > 0.0 ? qp->upper[j] : qp->lower[j];
        if (isfinite(bound)) {
            reach += g * bound;
            terms += fabs(g * bound);
        } else {
            if (fabs(g) > hopeless) return RAY_NONE; /* as the sums below would say, and most iterates' first columns do */
            dust = fmax(dust, fabs(g) / size);
            left = fmax(left, fabs(g));
            loose += fabs(g) * (1.0 + fabs(ipm->w[j] * ipm->scale[j]));
        }
    }
    if (!(need - reach > CLEAR_MARGIN * terms)) return RAY_NONE;
    if (dust <= RAY_DUST && need - reach > EXCLUDED_SIZE * loose && mgc__judge_infeasible(qp, ray, ipm->krylov) > 0.0)
        return RAY_PROOF; /* the judge has the last word anyway: better to hear it while there is time to go on */
    return left <= ROUGH_DUST * largest ? RAY_ROUGH : RAY_NONE;
}

/* The diagonal of the Newton system for purifying: only the marked columns move, and rows by the square of y. */
static mgc_status factorise_for_ray(mgc__ipm *ipm, const double *y, const uint8_t *marked)
{
    for (uint32_t j = 0; j < ipm->n; j++) ipm->k.value[ipm->k_diagonal[j]] = marked[j] ? 0.0 : 1e20;
    for (uint32_t i = ipm->n; i < ipm->count; i++)
        ipm->k.value[ipm->k_diagonal[i]] = ipm->kind[i] == KIND_FREE ? -1.0 : -1.0 / fmax(y[i] * y[i], 1e-18);
    return mgc__ldl_factorise(ipm->ldl, ipm->k.value, ipm->shift, ipm->shift);
}

/* Take the dust out of a rough ray: the smallest change of y, relative to its entries, with (A'y)_j = 0 for every column
 * that lacks the bound it would need.  That may turn the sign of other small sums, so a few rounds.  Rows whose multiplier is
 * below the threshold are taken for bystanders and cleared first. */
static bool purify(mgc__ipm *ipm, const double *rough, double threshold)
{
    uint32_t n = ipm->n;
    double *y = ipm->save, *g = ipm->work, size = largest_of(rough, ipm->m);

    memset(ipm->marked, 0, n * sizeof *ipm->marked);
    memset(y, 0, ipm->count * sizeof *y);
    for (uint32_t i = 0; i < ipm->m; i++) y[n + i] = fabs(rough[i]) > threshold * size ? rough[i] / size : 0.0;
    for (uint32_t round = 0; round < PURIFY_ROUNDS; round++) {
        memset(g, 0, n * sizeof *g);
        mgc__csc_tmul(&ipm->a, 1.0, y + n, g);
        for (uint32_t j = 0; j < n; j++) {
            bool excused = ipm->kind[j] == KIND_FIXED || g[j] == 0.0 || (g[j] > 0.0 ? ipm->hu[j] : ipm->hl[j]) > 0.0;

            if (!excused) ipm->marked[j] = 1;
        }
        memset(ipm->rhs, 0, ipm->count * sizeof *ipm->rhs);
        for (uint32_t j = 0; j < n; j++) ipm->rhs[j] = ipm->marked[j] ? g[j] : 0.0;
        if (factorise_for_ray(ipm, y, ipm->marked) != MGC_OK) return false;
        mgc__ldl_solve(ipm->ldl, ipm->rhs, ipm->sol, 5, 1e-15);
        for (uint32_t i = n; i < ipm->count; i++) {
            y[i] -= ipm->sol[i];
            if (ipm->kind[i] == KIND_FREE || (ipm->kind[i] == KIND_BOUNDED && (y[i] > 0.0 ? ipm->hl[i] : ipm->hu[i]) == 0.0)) y[i] = 0.0;
        }
        if (judge_ray(ipm, y + n) == RAY_PROOF) return true;
    }
    return false;
}

bool mgc__ipm_proves_infeasible(mgc__ipm *ipm, const double *y)
{
    enum ray_quality quality = judge_ray(ipm, y);

    if (quality != RAY_ROUGH) return quality == RAY_PROOF;
    return purify(ipm, y, 1e-5) || purify(ipm, y, 1e-9);
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
