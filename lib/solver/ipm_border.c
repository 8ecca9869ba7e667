/* SPDX-License-Identifier: Apache-2.0 */
/* The Newton system of an active set, by the core's factorisation: its pattern is that of (8), its diagonal says what
 * takes part.  A component that changes afterwards borders it (Gill, Murray, Saunders and Wright 1990):
 *
 *     [ K0  U ] [ s ]   [ r   ]                     one that leaves: u = e_i, own 0, r_i 0: s_i = 0
 *     [ U'  C ] [ t ] = [ r_u ]                     one that joins:  u = its column of K, C: own diagonal; t is its s_i
 *
 * with K0^-1 U kept.  What takes no part has so large a diagonal in K0 that its s_i is nought but for rounding. */
#define REGISTER 2 /* memory takes the time: wider ones gain nothing */
#include "solver/ipm_follow.h"

/* Proximal regularisation, in units where costs and points are near one: what nothing determines stays where it is.  A
 * thousandth of the least curvature of a single column at most, for it holds back what that alone determines: with 1e-8
 * and less curvature agents' quantities followed their prices so slowly that they never agreed. */
#define PROXIMAL 1e-10
#define PROXIMAL_LEAST 1e-13
#define OF_CURVATURE 1e-3
/* On the diagonal of what takes no part. */
#define PINNED 1e12
#define LEAST_SHIFT 1e-14

static double own_diagonal(const mgc__ipm *ipm, uint32_t i)
{
    return i < ipm->n ? ipm->q_diagonal_value[i] + ipm->follow->proximal : -PROXIMAL;
}

/* Fixed columns and free rows are rows of the identity (mgc__ipm_kkt_load()). */
static double diagonal_of(const mgc__ipm *ipm, uint32_t i, uint8_t state)
{
    bool column = i < ipm->n;

    if (column ? ipm->kind[i] == KIND_FIXED : ipm->kind[i] == KIND_FREE) return column ? 1.0 : -1.0;
    return stands_in(ipm, i, state) ? own_diagonal(ipm, i) : column ? PINNED : -PINNED;
}

static double proximal_of(const mgc__ipm *ipm)
{
    double least = INFINITY;

    for (uint32_t j = 0; j < ipm->n; j++)
        if (ipm->q_diagonal_value[j] > 0.0) least = fmin(least, ipm->q_diagonal_value[j]);
    return fmin(PROXIMAL, fmax(PROXIMAL_LEAST, OF_CURVATURE * least));
}

mgc_status mgc__border_factorise(mgc__ipm *ipm)
{
    follow *f = ipm->follow;
    mgc_status st;

    memcpy(f->base, f->state, ipm->count);
    memcpy(f->kind, ipm->kind, ipm->count);
    f->count = 0;
    f->proximal = proximal_of(ipm);
    ipm->regular_least = false;
    for (uint32_t i = 0; i < ipm->count; i++) {
        f->stood[i] = f->stands[i];
        ipm->k.value[ipm->k_diagonal[i]] = diagonal_of(ipm, i, f->base[i]);
        ipm->regular[i] = i < ipm->n ? LEAST_SHIFT : -LEAST_SHIFT;
    }
    st = mgc__ldl_factorise_shifted(ipm->ldl, ipm->k.value, ipm->steady ? ipm->k_diagonal : NULL, ipm->regular);
    ipm->steady = st == MGC_OK;
    f->factored = st == MGC_OK;
    return st;
}

static bool joined(const mgc__ipm *ipm, uint32_t i)
{
    return !stands_in(ipm, i, ipm->follow->base[i]);
}

/* Column i of [Q A'; A 0] without its diagonal: its product with x; added to `to` where that is not NULL. */
static double couple(const mgc__ipm *ipm, uint32_t i, const double *x, double *to)
{
    uint32_t n = ipm->n, line = i < n ? i : i - n, shift = i < n ? n : 0;
    const mgc__csc *of = i < n ? &ipm->a : &ipm->at, *q = &ipm->q;
    double sum = 0.0;

    for (uint32_t e = of->start[line]; e < of->start[line + 1]; e++) {
        sum += of->value[e] * x[of->row[e] + shift];
        if (to) to[of->row[e] + shift] += of->value[e];
    }
    if (i >= n || !ipm->has_q || ipm->q_diagonal) return sum;
    for (uint32_t j = i; j < n; j++) /* the upper triangle is stored */
        for (uint32_t e = q->start[j]; e < q->start[j + 1]; e++) {
            uint32_t other = j == i ? q->row[e] : j;

            if ((j != i && q->row[e] != i) || other == i) continue;
            sum += q->value[e] * x[other];
            if (to) to[other] += q->value[e];
        }
    return sum;
}

/* U's column k times x. */
static double border_times(const mgc__ipm *ipm, uint32_t k, const double *x)
{
    uint32_t i = ipm->follow->member[k];

    return joined(ipm, i) ? couple(ipm, i, x, NULL) : x[i];
}

static void add(mgc__ipm *ipm, uint32_t i)
{
    follow *f = ipm->follow;
    uint32_t k = f->count++;
    double *answer = f->answer + k * f->stride, *row = f->corner + (size_t)k * BORDER, own = 0.0;
    bool joins = joined(ipm, i);

    f->member[k] = i;
    memset(f->rhs, 0, ipm->count * sizeof *f->rhs);
    if (joins) couple(ipm, i, f->rhs, f->rhs);
    else f->rhs[i] = 1.0;
    if (joins) own = own_diagonal(ipm, i);
    for (uint32_t j = 0; j < k; j++) row[j] = joins && joined(ipm, f->member[j]) ? f->rhs[f->member[j]] : 0.0;
    row[k] = own;
    for (size_t j = 0; j < f->stride; j += REGISTER) STORE(f->rhs + j) = LOAD(f->rhs + j) * LOAD(f->stood + j);
    mgc__ldl_apply(ipm->ldl, f->rhs, answer);
    for (uint32_t j = 0; j <= k; j++) f->corner[(size_t)j * BORDER + k] = row[j] -= border_times(ipm, j, answer);
}

static void drop(mgc__ipm *ipm, uint32_t k)
{
    follow *f = ipm->follow;
    uint32_t last = --f->count;

    if (k == last) return;
    f->member[k] = f->member[last];
    memcpy(f->answer + k * f->stride, f->answer + last * f->stride, ipm->count * sizeof *f->answer);
    for (uint32_t j = 0; j <= last; j++) f->corner[k * BORDER + j] = f->corner[last * BORDER + j];
    for (uint32_t j = 0; j <= last; j++) f->corner[j * BORDER + k] = f->corner[j * BORDER + last];
}

void mgc__border_change(mgc__ipm *ipm, uint32_t i)
{
    follow *f = ipm->follow;

    for (uint32_t k = 0; k < f->count; k++)
        if (f->member[k] == i) {
            drop(ipm, k);
            return;
        }
    add(ipm, i);
}

static void swap_rows(double *a, double *b, uint32_t r, uint32_t s, uint32_t n)
{
    double t = b[r];

    b[r] = b[s];
    b[s] = t;
    for (uint32_t k = 0; k < n; k++) {
        t = a[r * BORDER + k];
        a[r * BORDER + k] = a[s * BORDER + k];
        a[s * BORDER + k] = t;
    }
}

/* weight: the corner's solution for what it holds, by elimination with row pivots; false: singular. */
static bool solve_corner(follow *f)
{
    double a[BORDER * BORDER], *b = f->weight;
    uint32_t n = f->count;

    memcpy(a, f->corner, sizeof a);
    for (uint32_t c = 0; c < n; c++) {
        uint32_t p = c;

        for (uint32_t r = c + 1; r < n; r++)
            if (fabs(a[r * BORDER + c]) > fabs(a[p * BORDER + c])) p = r;
        if (!(fabs(a[p * BORDER + c]) > 0.0)) return false;
        swap_rows(a, b, p, c, n);
        for (uint32_t r = c + 1; r < n; r++) {
            double factor = a[r * BORDER + c] / a[c * BORDER + c];

            for (uint32_t k = c + 1; k < n; k++) a[r * BORDER + k] -= factor * a[c * BORDER + k];
            b[r] -= factor * b[c];
        }
    }
    for (uint32_t c = n; c-- > 0;) {
        for (uint32_t k = c + 1; k < n; k++) b[c] -= a[c * BORDER + k] * b[k];
        b[c] /= a[c * BORDER + c];
    }
    return true;
}

void mgc__border_begin(mgc__ipm *ipm)
{
    follow *f = ipm->follow;

    for (uint32_t i = 0; i < ipm->count; i++) f->rhs[i] = f->stood[i] * (i < ipm->n ? -f->drift[i] : f->drift[i]);
    mgc__ldl_apply(ipm->ldl, f->rhs, f->plain);
}

/* step = what takes part of plain - sum of weights times answers, four at a time: it is memory that takes the time. */
static void subtract_answers(follow *f)
{
    const double *from = f->plain;

    for (uint32_t k = 0; k == 0 || k < f->count; k += 4) {
        const double *v[4];
        double w[4];

        for (uint32_t j = 0; j < 4; j++) {
            v[j] = f->answer + (k + j < f->count ? k + j : 0) * f->stride;
            w[j] = k + j < f->count ? f->weight[k + j] : 0.0;
        }
        if (f->count == 0) v[0] = v[1] = v[2] = v[3] = from;
        for (size_t i = 0; i < f->stride; i += REGISTER) {
            piece sum = (LOAD(v[0] + i) * w[0] + LOAD(v[1] + i) * w[1]) + (LOAD(v[2] + i) * w[2] + LOAD(v[3] + i) * w[3]);

            STORE(f->step + i) = LOAD(f->stands + i) * (LOAD(from + i) - sum);
        }
        from = f->step;
    }
}

bool mgc__border_solve(mgc__ipm *ipm)
{
    follow *f = ipm->follow;

    for (uint32_t k = 0; k < f->count; k++) {
        uint32_t i = f->member[k];
        double r = i < ipm->n ? -f->drift[i] : f->drift[i];

        f->weight[k] = (joined(ipm, i) ? r : 0.0) - border_times(ipm, k, f->plain);
    }
    if (!solve_corner(f)) return false;
    subtract_answers(f);
    for (uint32_t k = 0; k < f->count; k++)
        if (joined(ipm, f->member[k])) f->step[f->member[k]] = f->weight[k];
    return true;
}
