/* SPDX-License-Identifier: Apache-2.0 */
/* Solving the Newton system itself with the factor of the shifted one, doc/math/solver.md, section 4.
 *
 * Refinement contracts an error by shift / (lambda + shift) for each eigenvalue lambda of the Schur complement: fast
 * where all are large, endless where few are small.  Those few are what a Krylov method resolves: restarted never, kept
 * short (GMRES, Saad and Schultz 1986, preconditioned from the right by the factor). */
#include "solver/ipm_private.h"

/* Plain steps before the Krylov method takes over. */
enum { PLAIN_STEPS = 4 };
/* A block (columns, rows) of the right-hand side counts as at least this part of the other: what is nearly nought
 * needs no relative accuracy of its own. */
#define SMALL_BLOCK 1e-3
/* The factor is believed where it solves its own, shifted system to this accuracy. */
#define FACTOR_SOUND 1e-4

/* The larger of both; a NaN stays. */
static double larger(double most, double t)
{
    return t <= most || isnan(most) ? most : t;
}

static double weighted_largest(const mgc__ipm *ipm, const double *r)
{
    double most = 0.0;

    for (uint32_t i = 0; i < ipm->count; i++) most = larger(most, fabs(r[i]) * ipm->weight[i]);
    return most;
}

/* Rows of the system are compared after division by the root of their diagonal, and each block relative to its own
 * part of the right-hand side: else a small primal residual drowns in large gradients.  false: nothing to solve. */
static bool set_weights(mgc__ipm *ipm)
{
    double size[2] = {0.0, 0.0}, total;

    for (uint32_t i = 0; i < ipm->count; i++) {
        uint32_t block = i < ipm->n ? 0 : 1;

        ipm->weight[i] = 1.0 / sqrt(fmax(1.0, fabs(ipm->k.value[ipm->k_diagonal[i]])));
        size[block] = fmax(size[block], fabs(ipm->rhs[i]) * ipm->weight[i]); /* a NaN shows in the residual */
    }
    total = fmax(size[0], size[1]);
    if (!(total > 0.0)) return false;
    for (uint32_t block = 0; block < 2; block++) size[block] = fmax(size[block], SMALL_BLOCK * total);
    for (uint32_t i = 0; i < ipm->count; i++) ipm->weight[i] /= size[i < ipm->n ? 0 : 1];
    return true;
}

/* r = b - K x */
static double residual(mgc__ipm *ipm, double *r)
{
    memcpy(r, ipm->rhs, ipm->count * sizeof *r);
    mgc__csc_symmul(&ipm->k, -1.0, ipm->sol, r);
    return weighted_largest(ipm, r);
}

/* How well the factor solves the system that it was made of. */
static double unsoundness(mgc__ipm *ipm)
{
    double *x = ipm->krylov, *r = x + ipm->count, most = 0.0;

    mgc__ldl_apply(ipm->ldl, ipm->rhs, x);
    memcpy(r, ipm->rhs, ipm->count * sizeof *r);
    mgc__csc_symmul(&ipm->k, -1.0, x, r);
    for (uint32_t i = 0; i < ipm->count; i++) most = larger(most, fabs(r[i] - ipm->regular[i] * x[i]) * ipm->weight[i]);
    return most;
}

static double dot(uint32_t count, const double *a, const double *b)
{
    double sum = 0.0;

    for (uint32_t i = 0; i < count; i++) sum += a[i] * b[i];
    return sum;
}

/* One step of Arnoldi: basis vector k + 1 from W K M^-1 W^-1 times vector k; h: its coefficients (modified
 * Gram-Schmidt).  false: the space is exhausted. */
static bool extend_basis(mgc__ipm *ipm, uint32_t k, double *h)
{
    uint32_t count = ipm->count;
    double *v = ipm->krylov + (size_t)k * count, *next = v + count, *u = ipm->krylov + (size_t)(KRYLOV + 1) * count;

    for (uint32_t i = 0; i < count; i++) u[i] = v[i] / ipm->weight[i];
    mgc__ldl_apply(ipm->ldl, u, u);
    memset(next, 0, count * sizeof *next);
    mgc__csc_symmul(&ipm->k, 1.0, u, next);
    for (uint32_t i = 0; i < count; i++) next[i] *= ipm->weight[i];
    for (uint32_t j = 0; j <= k; j++) {
        const double *q = ipm->krylov + (size_t)j * count;

        h[j] = dot(count, q, next);
        for (uint32_t i = 0; i < count; i++) next[i] -= h[j] * q[i];
    }
    h[k + 1] = sqrt(dot(count, next, next));
    if (!(h[k + 1] > 0.0) || !isfinite(h[k + 1])) return false;
    for (uint32_t i = 0; i < count; i++) next[i] /= h[k + 1];
    return true;
}

/* Givens rotations kept in cs, sn turn column k of the Hessenberg matrix triangular; g is the rotated right-hand side. */
static void rotate(uint32_t k, double *h, double *cs, double *sn, double *g)
{
    double length;

    for (uint32_t j = 0; j < k; j++) {
        double t = cs[j] * h[j] + sn[j] * h[j + 1];

        h[j + 1] = cs[j] * h[j + 1] - sn[j] * h[j];
        h[j] = t;
    }
    length = hypot(h[k], h[k + 1]);
    cs[k] = h[k] / length;
    sn[k] = h[k + 1] / length;
    h[k] = length;
    g[k + 1] = -sn[k] * g[k];
    g[k] *= cs[k];
}

/* sol += M^-1 W^-1 V y, y from the triangular system of `steps` rows. */
static void add_combination(mgc__ipm *ipm, uint32_t steps, double h[][KRYLOV + 1], const double *g)
{
    double y[KRYLOV], *u = ipm->krylov + (size_t)(KRYLOV + 1) * ipm->count;

    for (uint32_t k = steps; k-- > 0;) {
        y[k] = g[k];
        for (uint32_t j = k + 1; j < steps; j++) y[k] -= h[j][k] * y[j];
        y[k] /= h[k][k];
    }
    memset(u, 0, ipm->count * sizeof *u);
    for (uint32_t k = 0; k < steps; k++) {
        const double *v = ipm->krylov + (size_t)k * ipm->count;

        for (uint32_t i = 0; i < ipm->count; i++) u[i] += y[k] * v[i];
    }
    for (uint32_t i = 0; i < ipm->count; i++) u[i] /= ipm->weight[i];
    mgc__ldl_apply(ipm->ldl, u, u);
    for (uint32_t i = 0; i < ipm->count; i++) ipm->sol[i] += u[i];
}

/* GMRES from sol, whose residual is r; keeps what it had where that was better. */
static double refine_by_krylov(mgc__ipm *ipm, double *r, double error, double target)
{
    uint32_t count = ipm->count, steps = 0;
    double h[KRYLOV][KRYLOV + 1], cs[KRYLOV], sn[KRYLOV], g[KRYLOV + 1], after, size;

    for (uint32_t i = 0; i < count; i++) ipm->krylov[i] = r[i] * ipm->weight[i];
    size = g[0] = sqrt(dot(count, ipm->krylov, ipm->krylov));
    if (!(size > 0.0) || !isfinite(size)) return error;
    for (uint32_t i = 0; i < count; i++) ipm->krylov[i] /= size;
    while (steps < KRYLOV && fabs(g[steps]) * error > target * size) {
        if (!extend_basis(ipm, steps, h[steps])) break;
        rotate(steps, h[steps], cs, sn, g);
        steps++;
    }
    if (steps == 0) return error;
    memcpy(r, ipm->sol, count * sizeof *r);
    add_combination(ipm, steps, h, g);
    memcpy(ipm->krylov, r, count * sizeof *r); /* what sol was */
    after = residual(ipm, r);
    if (after < error) return after;
    memcpy(ipm->sol, ipm->krylov, count * sizeof *r);
    return error;
}

/* K sol = rhs; returns the largest weighted residual, relative to the right-hand side's blocks.  *sound: the factor
 * answers its own system; *hard: plain refinement fell short of the target. */
double mgc__ipm_refine(mgc__ipm *ipm, double target, bool *sound, bool *hard)
{
    double *r = ipm->refine_work, error;

    *sound = true;
    *hard = false;
    error = mgc__ldl_solve(ipm->ldl, ipm->rhs, ipm->sol, PLAIN_STEPS, target); /* by blocks, as here */
    if (error <= target || !set_weights(ipm)) return error;
    *hard = true;
    error = residual(ipm, r);
    if (isfinite(error)) error = refine_by_krylov(ipm, r, error, target);
    if (!(error <= target)) *sound = unsoundness(ipm) <= FACTOR_SOUND;
    return isfinite(error) ? error : INFINITY;
}
