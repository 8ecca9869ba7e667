/* SPDX-License-Identifier: Apache-2.0 */
/* Equilibration of [Q A'; A 0] (Ruiz 2001) with factors rounded to powers of two, so that scaling and unscaling are
 * exact and residuals of the scaled program are those of the original, unit by unit. */
#include "solver/ipm_private.h"

/* Entries of A that are farther apart come in units that were chosen row by row: geometric means come first.  With Netlib's rows and
 * columns times 2^-20 to 2^20 at random 44 of 46 programs are solved instead of 29. */
#define FAR_APART 1e9
enum { SWEEPS = 20 };
enum { RUIZ_PASSES = 12 }; /* norms are within a factor of two of one after 5 to 8 on all published programs */

static double power_of_two(double x)
{
    int exponent;

    (void)frexp(x, &exponent);
    exponent = exponent > 60 ? 60 : exponent < -60 ? -60 : exponent;
    return ldexp(1.0, exponent - 1);
}

/* The largest entry of a line, times `before`, then by what it meets, then `after`. */
static double largest_in(const mgc__csc *a, const double *value, uint32_t line, double before, const double *across, double after)
{
    double most = 0.0;

    for (uint32_t e = a->start[line]; e < a->start[line + 1]; e++) {
        double v = fabs(value[e]) * before * across[a->row[e]];

        most = v > most ? v : most;
    }
    return most * after;
}

/* norm[j], norm[n + i]: largest entries of the columns and rows of A as scaled so far.  at: its rows, as given. */
static void norms_of_part(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const double *scale = ipm->ruiz;
    double *norm = ipm->work;
    uint32_t n = ipm->n, begin, end;

    part_columns(ipm, part, &begin, &end);
    for (uint32_t j = begin; j < end; j++) norm[j] = largest_in(&ipm->a, ipm->a_raw, j, scale[j], scale + n, 1.0);
    part_rows(ipm, part, &begin, &end);
    for (uint32_t i = begin; i < end; i++) norm[i] = largest_in(&ipm->at, ipm->at.value, i - n, 1.0, scale, scale[i]);
}

static void norms(mgc__ipm *ipm)
{
    const double *scale = ipm->ruiz;
    double *norm = ipm->work;

    mgc__ipm_over(ipm, norms_of_part);
    for (uint32_t j = 0; ipm->has_q && j < ipm->n; j++)
        for (uint32_t e = ipm->q.start[j]; e < ipm->q.start[j + 1]; e++) {
            uint32_t i = ipm->q.row[e];
            double v = fabs(ipm->q_raw[e]) * scale[j] * scale[i];

            norm[j] = fmax(norm[j], v);
            norm[i] = fmax(norm[i], v);
        }
}

static void set_ones(mgc__ipm *ipm, mgc__ipm_part *part)
{
    for (size_t i = part->begin; i < part->end; i++) ipm->ruiz[i] = 1.0;
}

static void divide_by_root(mgc__ipm *ipm, mgc__ipm_part *part)
{
    double *scale = ipm->ruiz;

    for (size_t i = part->begin; i < part->end; i++) {
        double s = ipm->work[i] > 0.0 ? scale[i] / sqrt(ipm->work[i]) : scale[i];

        s = s > 1e-15 ? s : 1e-15;
        scale[i] = s < 1e15 ? s : 1e15;
    }
}

static void round_to_powers(mgc__ipm *ipm, mgc__ipm_part *part)
{
    for (size_t i = part->begin; i < part->end; i++) ipm->ruiz[i] = power_of_two(ipm->ruiz[i] * 1.4142135623730951);
}

static void take_rows(mgc__ipm *ipm, mgc__ipm_part *part)
{
    uint32_t begin, end;

    part_rows(ipm, part, &begin, &end);
    if (begin >= end) return;
    for (uint32_t e = ipm->at.start[begin - ipm->n]; e < ipm->at.start[end - ipm->n]; e++)
        ipm->at.value[e] = ipm->a_raw[ipm->a_of_at[e]];
}

/* A and its rows as scaled: exact, for all factors are powers of two. */
static void scale_entries(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const double *scale = ipm->ruiz;
    uint32_t n = ipm->n, begin, end;

    part_columns(ipm, part, &begin, &end);
    for (uint32_t j = begin; j < end; j++)
        for (uint32_t e = ipm->a.start[j]; e < ipm->a.start[j + 1]; e++)
            ipm->a.value[e] = ipm->a_raw[e] * scale[j] * scale[n + ipm->a.row[e]];
    part_rows(ipm, part, &begin, &end);
    for (uint32_t i = begin; i < end; i++)
        for (uint32_t e = ipm->at.start[i - n]; e < ipm->at.start[i - n + 1]; e++)
            ipm->at.value[e] = ipm->at.value[e] * scale[ipm->at.row[e]] * scale[i];
}

static bool still_balanced(const double *norm, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (norm[i] > 1024.0 || (norm[i] > 0.0 && norm[i] < 1.0 / 1024.0)) return false;
    return true;
}

static bool far_apart(const mgc__ipm *ipm)
{
    double least = INFINITY, most = 0.0;

    for (uint32_t e = 0; e < ipm->a.start[ipm->n]; e++) {
        double v = fabs(ipm->a_raw[e]);

        if (v > 0.0 && v < least) least = v;
        if (v > most) most = v;
    }
    return most > FAR_APART * least;
}

/* What makes the mean of a line's logarithms nought. */
static double level_of(const mgc__csc *a, const double *value, uint32_t line, const double *across)
{
    double sum = 0.0, count = 0.0;

    for (uint32_t e = a->start[line]; e < a->start[line + 1]; e++) {
        if (value[e] == 0.0) continue;
        sum += log2(fabs(value[e])) + across[a->row[e]];
        count += 1.0;
    }
    return count > 0.0 ? -sum / count : 0.0;
}

/* Least squares of log |e_i a_ij d_j| (Curtis and Reid 1972) by turns: unlike Ruiz' fixed point it is the same in whatever units
 * rows and columns came. */
static void even_out(mgc__ipm *ipm)
{
    double *level = ipm->work;
    uint32_t n = ipm->n;

    for (uint32_t i = 0; i < ipm->count; i++) level[i] = 0.0;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        for (uint32_t i = n; i < ipm->count; i++) level[i] = level_of(&ipm->at, ipm->at.value, i - n, level);
        for (uint32_t j = 0; j < n; j++) level[j] = level_of(&ipm->a, ipm->a_raw, j, level + n);
    }
    for (uint32_t i = 0; i < ipm->count; i++) ipm->ruiz[i] = exp2(fmin(fmax(level[i], -50.0), 50.0));
}

/* keep: the last factors stand where they still fit, so that the last solve's iterates keep their meaning. */
void mgc__ipm_equilibrate(mgc__ipm *ipm, bool keep)
{
    mgc__ipm_over(ipm, take_rows);
    if (keep) norms(ipm);
    if (!keep || !still_balanced(ipm->work, ipm->count)) {
        mgc__ipm_forget(ipm);
        mgc__ipm_over(ipm, set_ones);
        if (far_apart(ipm)) even_out(ipm);
        for (uint32_t pass = 0; pass < RUIZ_PASSES; pass++) {
            norms(ipm);
            mgc__ipm_over(ipm, divide_by_root);
        }
        mgc__ipm_over(ipm, round_to_powers);
    }
    mgc__ipm_over(ipm, scale_entries);
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

/* Primal quantities times ahead[0], dual ones times ahead[1]. */
static void rescale_part(mgc__ipm *ipm, mgc__ipm_part *part)
{
    double primal = ipm->ahead[0], dual = ipm->ahead[1];

    for (size_t i = part->begin; i < part->end; i++) {
        ipm->scale[i] *= i < ipm->n ? 1.0 / primal : primal;
        ipm->w[i] *= primal;
        ipm->lo[i] *= primal;
        ipm->up[i] *= primal;
        ipm->vl[i] *= ipm->hl[i] > 0.0 ? primal : 1.0;
        ipm->vu[i] *= ipm->hu[i] > 0.0 ? primal : 1.0;
        ipm->zl[i] *= dual;
        ipm->zu[i] *= dual;
        ipm->y[i] *= dual;
    }
}

/* Divide the primal quantities by v and the dual ones by z, both rounded to powers of two. */
void mgc__ipm_rescale(mgc__ipm *ipm, double v, double z)
{
    uint32_t n = ipm->n;
    double primal = 1.0 / power_of_two(v), dual = 1.0 / power_of_two(z);

    ipm->ahead[0] = primal;
    ipm->ahead[1] = dual;
    mgc__ipm_over(ipm, rescale_part);
    ipm->elastic *= primal / dual;
    ipm->steady = ipm->steady && !ipm->has_q;
    ipm->cost_scale *= primal * dual;
    for (uint32_t j = 0; j < n; j++) ipm->c[j] *= dual;
    for (uint32_t e = 0; ipm->has_q && e < ipm->q.start[n]; e++) ipm->q.value[e] *= dual / primal;
    for (uint32_t j = 0; j < n; j++) ipm->q_diagonal_value[j] *= dual / primal;
    for (uint32_t e = 0; ipm->has_q && e < ipm->q.start[n]; e++) ipm->k.value[ipm->k_of_q[e]] *= dual / primal;
}
