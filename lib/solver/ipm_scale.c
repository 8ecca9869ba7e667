/* SPDX-License-Identifier: Apache-2.0 */
/* Equilibration of [Q A'; A 0] (Ruiz 2001) with factors rounded to powers of two, so that scaling and unscaling are
 * exact and residuals of the scaled program are those of the original, unit by unit. */
#include "solver/ipm_private.h"

enum { RUIZ_PASSES = 12 }; /* norms are within a factor of two of one after 5 to 8 on all published programs */

static double power_of_two(double x)
{
    int exponent;

    (void)frexp(x, &exponent);
    exponent = exponent > 60 ? 60 : exponent < -60 ? -60 : exponent;
    return ldexp(1.0, exponent - 1);
}

/* norm[j], norm[n + i]: largest entries of the columns of [Q A'; A 0] as scaled so far. */
static void norms(const mgc__ipm *ipm, const double *scale, double *norm)
{
    uint32_t n = ipm->n;

    memset(norm, 0, ipm->count * sizeof *norm);
    for (uint32_t j = 0; j < n; j++) {
        double most = 0.0;

        for (uint32_t e = ipm->a.start[j]; e < ipm->a.start[j + 1]; e++) {
            uint32_t i = n + ipm->a.row[e];
            double v = fabs(ipm->a_raw[e]) * scale[j] * scale[i];

            if (v > most) most = v;
            if (v > norm[i]) norm[i] = v;
        }
        if (most > norm[j]) norm[j] = most;
        for (uint32_t e = ipm->has_q ? ipm->q.start[j] : 0; ipm->has_q && e < ipm->q.start[j + 1]; e++) {
            uint32_t i = ipm->q.row[e];
            double v = fabs(ipm->q_raw[e]) * scale[j] * scale[i];

            norm[j] = fmax(norm[j], v);
            norm[i] = fmax(norm[i], v);
        }
    }
}

static bool still_balanced(const double *norm, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (norm[i] > 1024.0 || (norm[i] > 0.0 && norm[i] < 1.0 / 1024.0)) return false;
    return true;
}

/* keep: the last factors stand where they still fit, so that the last solve's iterates keep their meaning. */
void mgc__ipm_equilibrate(mgc__ipm *ipm, bool keep)
{
    double *scale = ipm->ruiz, *norm = ipm->work;
    uint32_t n = ipm->n;

    if (keep) norms(ipm, scale, norm);
    if (!keep || !still_balanced(norm, ipm->count)) {
        mgc__ipm_forget(ipm);
        for (uint32_t i = 0; i < ipm->count; i++) scale[i] = 1.0;
        for (uint32_t pass = 0; pass < RUIZ_PASSES; pass++) {
            norms(ipm, scale, norm);
            for (uint32_t i = 0; i < ipm->count; i++)
                if (norm[i] > 0.0) scale[i] = fmin(1e15, fmax(1e-15, scale[i] / sqrt(norm[i])));
        }
        for (uint32_t i = 0; i < ipm->count; i++) scale[i] = power_of_two(scale[i] * 1.4142135623730951);
    }
    for (uint32_t j = 0; j < n; j++) {
        for (uint32_t e = ipm->a.start[j]; e < ipm->a.start[j + 1]; e++)
            ipm->a.value[e] = ipm->a_raw[e] * scale[j] * scale[n + ipm->a.row[e]];
    }
}

/* kappa makes the largest cost about one; Q follows it.  A cold start rescales further; keep: what it found stands. */
void mgc__ipm_scale_cost(mgc__ipm *ipm, bool keep)
{
    const mgc__qp *qp = &ipm->qp;
    double most = 0.0;

    if (!keep) memcpy(ipm->scale, ipm->ruiz, ipm->count * sizeof *ipm->scale);
    ipm->cost_norm = 1.0 + largest_of(qp->c, qp->n);
    for (uint32_t j = 0; j < qp->n; j++) most = fmax(most, fabs(qp->c[j]) * ipm->scale[j]);
    if (most == 0.0 && ipm->has_q) {
        for (uint32_t j = 0; j < qp->n; j++)
            for (uint32_t e = ipm->q.start[j]; e < ipm->q.start[j + 1]; e++)
                most = fmax(most, fabs(ipm->q_raw[e]) * ipm->scale[j] * ipm->scale[ipm->q.row[e]]);
    }
    if (!keep) ipm->cost_scale = most > 0.0 ? power_of_two(1.0 / most) : 1.0;
    for (uint32_t j = 0; j < qp->n; j++) ipm->c[j] = qp->c[j] * ipm->scale[j] * ipm->cost_scale;
    for (uint32_t j = 0; ipm->has_q && j < qp->n; j++)
        for (uint32_t e = ipm->q.start[j]; e < ipm->q.start[j + 1]; e++)
            ipm->q.value[e] = ipm->q_raw[e] * ipm->scale[j] * ipm->scale[ipm->q.row[e]] * ipm->cost_scale;
}

/* Divide the primal quantities by v and the dual ones by z, both rounded to powers of two. */
void mgc__ipm_rescale(mgc__ipm *ipm, double v, double z)
{
    uint32_t n = ipm->n, count = ipm->count;
    double primal = 1.0 / power_of_two(v), dual = 1.0 / power_of_two(z);

    for (uint32_t i = 0; i < count; i++) {
        double hl = ipm->hl[i] > 0.0 ? 1.0 : 0.0, hu = ipm->hu[i] > 0.0 ? 1.0 : 0.0;

        ipm->scale[i] *= i < n ? 1.0 / primal : primal;
        ipm->w[i] *= primal;
        ipm->lo[i] *= primal;
        ipm->up[i] *= primal;
        ipm->vl[i] *= hl > 0.0 ? primal : 1.0;
        ipm->vu[i] *= hu > 0.0 ? primal : 1.0;
        ipm->zl[i] *= dual;
        ipm->zu[i] *= dual;
        ipm->y[i] *= dual;
    }
    ipm->elastic *= primal / dual;
    ipm->steady = ipm->steady && !ipm->has_q;
    ipm->cost_scale *= primal * dual;
    for (uint32_t j = 0; j < n; j++) ipm->c[j] *= dual;
    for (uint32_t e = 0; ipm->has_q && e < ipm->q.start[n]; e++) ipm->q.value[e] *= dual / primal;
    for (uint32_t j = 0; j < n; j++) ipm->q_diagonal_value[j] *= dual / primal;
    for (uint32_t e = 0; ipm->has_q && e < ipm->q.start[n]; e++) ipm->k.value[ipm->k_of_q[e]] *= dual / primal;
}
