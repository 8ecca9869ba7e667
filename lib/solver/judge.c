/* SPDX-License-Identifier: Apache-2.0 */
#include "solver/judge.h"

#include <math.h>

/* Rays are judged up to dust: what rounding leaves of a sum that is zero in exact arithmetic, relative to the
 * largest term.  Chosen; rays of programs that have one come out below 1e-12, of programs that have none above 1e-6.
 */
#define DUST 1e-9

/* How far an unbounded column may go before dust in a ray counts against it: this many times the largest bound.
 * Chosen so that a ray that excludes only points within the bounds' own order of magnitude is no proof. */
#define REACH 1e3

/* fmax(), but not a call for each entry; what is not a number is never larger. */
static inline double larger(double most, double x)
{
    return x > most ? x : most;
}

/* --- products -------------------------------------------------------------------------------- */

/* row = A x; size (may be NULL): largest |a_ij x_j| of each row. */
static void times(const mgc__csc *a, const double *x, double *row, double *size)
{
    for (uint32_t i = 0; i < a->rows; i++) row[i] = 0.0;
    if (size != NULL)
        for (uint32_t i = 0; i < a->rows; i++) size[i] = 0.0;
    for (uint32_t j = 0; j < a->cols; j++)
        for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) {
            double term = a->value[k] * x[j];
            row[a->row[k]] += term;
            if (size != NULL) size[a->row[k]] = larger(size[a->row[k]], fabs(term));
        }
}

/* out += Q x for the upper triangle; returns x'Qx. */
static double add_quadratic(const mgc__csc *q, const double *x, double *out)
{
    double sum = 0.0;

    if (q == NULL) return 0.0;
    for (uint32_t j = 0; j < q->cols; j++)
        for (uint32_t k = q->start[j]; k < q->start[j + 1]; k++) {
            uint32_t i = q->row[k];
            double v = q->value[k];
            sum += (i == j ? v : 2.0 * v) * x[i] * x[j];
            if (out == NULL) continue;
            out[i] += v * x[j];
            if (i != j) out[j] += v * x[i];
        }
    return sum;
}

/* --- points ------------------------------------------------------------------------------------------------------
 */

static double excess(double value, double lower, double upper)
{
    return larger(larger(0.0, lower - value), value - upper);
}

static double magnitude(double lower, double upper)
{
    return larger(isfinite(lower) ? fabs(lower) : 0.0, isfinite(upper) ? fabs(upper) : 0.0);
}

void mgc__judge_point(const mgc__qp *qp, const double *x, double *work, mgc__point_report *report)
{
    double *activity = work, *size = work + qp->m, objective = 0.5 * add_quadratic(qp->q, x, NULL), worst = 0.0;

    times(qp->a, x, activity, size);
    for (uint32_t j = 0; j < qp->n; j++) {
        objective += qp->c[j] * x[j];
        worst = larger(worst, excess(x[j], qp->lower[j], qp->upper[j]) / (1.0 + magnitude(qp->lower[j], qp->upper[j])));
        if (!isfinite(x[j])) worst = INFINITY;
    }
    for (uint32_t i = 0; i < qp->m; i++) {
        double scale = 1.0 + larger(magnitude(qp->row_lower[i], qp->row_upper[i]), size[i]);
        worst = larger(worst, excess(activity[i], qp->row_lower[i], qp->row_upper[i]) / scale);
    }
    *report = (mgc__point_report){.objective = objective, .residual = isfinite(objective) ? worst : INFINITY};
}

/* --- multipliers ----------------------------------------------------------------------------- */

/* A multiplier leans on the side that its sign names; without that side it is worth nothing. */
static double clean(double y, double lower, double upper)
{
    if (y > 0.0 && !isfinite(lower)) return 0.0;
    if (y < 0.0 && !isfinite(upper)) return 0.0;
    return isfinite(y) ? y : 0.0;
}

static double lean(double y, double lower, double upper)
{
    return y == 0.0 ? 0.0 : y * (y > 0.0 ? lower : upper);
}

/* Convexity: 1/2 x'Qx >= (Qv)'x - 1/2 v'Qv for every v.  So with z = c + Qv - A'y
 *   objective(x) >= -1/2 v'Qv + min { y'r : r within the row bounds } + min { z'x : x within the bounds }
 * whatever y and v are; both minima are taken term by term (Boyd and Vandenberghe 2004, section 5.1.3). */
void mgc__judge_dual(const mgc__qp *qp, const double *x, double *y, double *z, mgc__dual_report *report)
{
    double largest = 0.0, worst = 0.0, objective, loss = 0.0;
    const mgc__csc *a = qp->a;

    for (uint32_t j = 0; j < qp->n; j++) z[j] = qp->c[j];
    objective = -0.5 * add_quadratic(qp->q, x, z);
    for (uint32_t j = 0; j < qp->n; j++) largest = larger(largest, larger(fabs(qp->c[j]), fabs(z[j] - qp->c[j])));
    for (uint32_t i = 0; i < qp->m; i++) {
        y[i] = clean(y[i], qp->row_lower[i], qp->row_upper[i]);
        objective += lean(y[i], qp->row_lower[i], qp->row_upper[i]);
    }
    for (uint32_t j = 0; j < qp->n; j++) {
        for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) z[j] -= a->value[k] * y[a->row[k]];
        double at = lean(z[j], qp->lower[j], qp->upper[j]);
        if (isfinite(at)) {
            objective += at;
        } else {
            worst = larger(worst, fabs(z[j]));
            loss = INFINITY;
        }
    }
    *report =
        (mgc__dual_report){.objective = objective, .bound = objective - loss, .residual = worst / (1.0 + largest)};
    if (!isfinite(objective))
        *report = (mgc__dual_report){.objective = -INFINITY, .bound = -INFINITY, .residual = INFINITY};
}

/* --- rays ------------------------------------------------------------------------------------ */

static double largest_bound(const mgc__qp *qp)
{
    double largest = 1.0;

    for (uint32_t j = 0; j < qp->n; j++) largest = fmax(largest, magnitude(qp->lower[j], qp->upper[j]));
    for (uint32_t i = 0; i < qp->m; i++) largest = fmax(largest, magnitude(qp->row_lower[i], qp->row_upper[i]));
    return largest;
}

/* Farkas: y'(Ax) is at least `side` for every x that satisfies the rows, and at most `top` for every x within the
 * bounds.  side > top leaves no x.  Where a bound is missing the column of y'A must be zero, up to dust; what dust
 * there is counts as if the column went as far as REACH times the largest bound. */
double mgc__judge_infeasible(const mgc__qp *qp, const double *y, double *work)
{
    const mgc__csc *a = qp->a;
    double side = 0.0, top = 0.0, total = 0.0, reach = REACH * largest_bound(qp);

    for (uint32_t i = 0; i < qp->m; i++) {
        double v = clean(y[i], qp->row_lower[i], qp->row_upper[i]), s = lean(v, qp->row_lower[i], qp->row_upper[i]);
        work[i] = v;
        side += s;
        total += fabs(s);
    }
    for (uint32_t j = 0; j < qp->n; j++) {
        double sum = 0.0, size = 0.0;
        for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) {
            double term = a->value[k] * work[a->row[k]];
            sum += term;
            size = fmax(size, fabs(term));
        }
        double at = lean(sum, qp->upper[j], qp->lower[j]); /* the largest value of sum x_j */
        if (!isfinite(at)) {
            if (fabs(sum) > DUST * size) return -fabs(sum) / size;
            at = fabs(sum) * reach;
        }
        top += at;
        total += fabs(at);
    }
    if (!(total > 0.0) || !isfinite(total)) return 0.0;
    return (side - top) / total - DUST;
}

/* How far v points against the bounds it would run into. */
static double against(double v, double lower, double upper)
{
    if (v > 0.0 && isfinite(upper)) return v;
    if (v < 0.0 && isfinite(lower)) return -v;
    return 0.0;
}

/* A direction that no bound stops, along which the objective falls: c'x < 0, Qx = 0. */
double mgc__judge_unbounded(const mgc__qp *qp, const double *x, double *work)
{
    double *activity = work, *size = work + qp->m, *curve = work + 2 * (size_t)qp->m;
    double fall = 0.0, total = 0.0, worst = 0.0, length = 0.0, q_size = 0.0;

    for (uint32_t j = 0; j < qp->n; j++) {
        if (!isfinite(x[j])) return -INFINITY;
        length = fmax(length, fabs(x[j]));
        fall -= qp->c[j] * x[j];
        total += fabs(qp->c[j] * x[j]);
        curve[j] = 0.0;
    }
    if (!(total > 0.0) || !isfinite(total)) return 0.0;
    for (uint32_t j = 0; j < qp->n; j++) worst = fmax(worst, against(x[j], qp->lower[j], qp->upper[j]) / length);
    times(qp->a, x, activity, size);
    for (uint32_t i = 0; i < qp->m; i++)
        if (size[i] > 0.0) worst = fmax(worst, against(activity[i], qp->row_lower[i], qp->row_upper[i]) / size[i]);
    add_quadratic(qp->q, x, curve);
    if (qp->q != NULL)
        for (uint32_t k = 0; k < qp->q->start[qp->n]; k++) q_size = fmax(q_size, fabs(qp->q->value[k]) * length);
    for (uint32_t j = 0; j < qp->n; j++)
        if (q_size > 0.0) worst = fmax(worst, fabs(curve[j]) / q_size);
    return worst > DUST ? -worst : fall / total - DUST;
}
