/* SPDX-License-Identifier: Apache-2.0 */
/* Polishing: from an interior answer to the point where its active bounds and rows meet.  The idea is that of
 * Stellato et al. 2020, section 5.2; equations: doc/math/solver.md, section 11. */
#include "solver/solve.h"

#include <math.h>

/* Measures up to here count as nought: no tolerance below it can be asked for (solve.c). */
#define NOUGHT 1e-13
/* A polished answer must be so many times better in one measure. */
#define CLEARLY 10.0
/* Proximal regularisation of the equilibrated system: eliminating a column by it leaves rounding of 1e-16 / PROXIMAL,
 * which it must cover. */
#define PROXIMAL 1e-8
/* Terms of a reduced cost below this part of the largest cost are rounding: their size says nothing. */
#define KNOWN 1e-6

#define NOWHERE UINT32_MAX
enum { EQUILIBRATIONS = 4, ROUNDS = 3, PASSES = 5, REFINEMENTS = 20 };

typedef struct accuracy {
    double primal, dual, gap;
} accuracy;

typedef struct polish {
    mgc_ctx *ctx;
    const mgc__qp *qp;
    double offset;
    uint32_t size;       /* of the system: free columns, then active rows */
    uint32_t *place;     /* n + m; where a free column or an active row stands in it, or NOWHERE */
    double *block;       /* what follows, in one piece */
    double *x, *y, *z;   /* n, m, n: the candidate */
    double *gradient;    /* n: size of the terms of z_j */
    double *side;        /* m: what an active row is equal to */
    double *work;        /* 2 m */
    double *scale;       /* n + m; K stands in the factor as SKS */
    double *step;        /* n + m */
    mgc__csc k;          /* upper triangle */
    mgc__ldl *ldl;
} polish;

/* --- what is active -------------------------------------------------------------------------- */

/* Sizes of the terms of Ax and of c + Qx - A'y: slacks and multipliers are small or not against these. */
static void measure(polish *p, double *row_size)
{
    const mgc__qp *qp = p->qp;
    double largest = 0.0;

    for (uint32_t j = 0; j < qp->n; j++) p->gradient[j] = 0.0;
    if (qp->q != NULL) mgc__csc_symmul(qp->q, 1.0, p->x, p->gradient);
    for (uint32_t j = 0; j < qp->n; j++) {
        p->gradient[j] = fmax(fabs(p->gradient[j]), fabs(qp->c[j]));
        largest = fmax(largest, p->gradient[j]);
    }
    for (uint32_t i = 0; i < qp->m; i++) row_size[i] = 0.0;
    for (uint32_t j = 0; j < qp->n; j++) {
        p->gradient[j] = fmax(p->gradient[j], KNOWN * (1.0 + largest));
        for (uint32_t k = qp->a->start[j]; k < qp->a->start[j + 1]; k++) {
            uint32_t i = qp->a->row[k];
            row_size[i] = fmax(row_size[i], fabs(qp->a->value[k] * p->x[j]));
            p->gradient[j] = fmax(p->gradient[j], fabs(qp->a->value[k] * p->y[i]));
        }
    }
}

/* The bound that value stands on: its slack, relative to size and bound, is small against the multiplier, which comes
 * relative to its own size and names the bound by its sign.  NAN where value is free.  What missed a bound stands on it;
 * a multiplier of the wrong sign lets go (Hintermueller, Ito and Kunisch 2003). */
static double stands_on(double value, double lower, double upper, double multiplier, double size)
{
    if (lower == upper) return lower;
    bool at_lower = (value - lower) / (1.0 + fmax(fabs(lower), size)) <= multiplier + NOUGHT;
    bool at_upper = (upper - value) / (1.0 + fmax(fabs(upper), size)) <= NOUGHT - multiplier;
    if (isfinite(lower) && at_lower && (multiplier >= 0.0 || !at_upper)) return lower;
    return isfinite(upper) && at_upper ? upper : NAN;
}

/* Active columns go to their bounds, inactive rows lose their multiplier; the others get a place in the system. */
static void guess(polish *p)
{
    const mgc__qp *qp = p->qp;
    double *activity = p->work, *row_size = p->work + qp->m, *weight = p->scale;

    measure(p, row_size);
    p->size = 0;
    for (uint32_t i = 0; i < qp->m; i++) activity[i] = weight[i] = 0.0;
    mgc__csc_mul(qp->a, 1.0, p->x, activity);
    for (uint32_t j = 0; j < qp->n; j++)
        for (uint32_t k = qp->a->start[j]; k < qp->a->start[j + 1]; k++)
            weight[qp->a->row[k]] = fmax(weight[qp->a->row[k]], fabs(qp->a->value[k]) / p->gradient[j]);
    for (uint32_t j = 0; j < qp->n; j++) {
        double bound = stands_on(p->x[j], qp->lower[j], qp->upper[j], p->z[j] / p->gradient[j], 0.0);
        p->place[j] = isnan(bound) ? p->size++ : NOWHERE;
        if (!isnan(bound)) p->x[j] = bound;
    }
    for (uint32_t i = 0; i < qp->m; i++) {
        p->side[i] = stands_on(activity[i], qp->row_lower[i], qp->row_upper[i], p->y[i] * weight[i], row_size[i]);
        p->place[qp->n + i] = isnan(p->side[i]) ? NOWHERE : p->size++;
        if (isnan(p->side[i])) p->y[i] = 0.0;
    }
}

/* --- the system ------------------------------------------------------------------------------ */

/* Entries of the upper triangle of K as triplets; NULL arrays: their number alone. */
static size_t list_entries(const polish *p, uint32_t *row, uint32_t *col, double *value)
{
    const mgc__qp *qp = p->qp;
    size_t n = 0;

    for (uint32_t i = 0; i < p->size; i++, n++)
        if (row != NULL) row[n] = col[n] = i, value[n] = 0.0;
    for (int part = 0; part < 2; part++) {
        const mgc__csc *from = part == 0 ? qp->q : qp->a;
        const uint32_t *place = p->place + (part == 0 ? 0 : qp->n);
        for (uint32_t j = 0; from != NULL && j < qp->n; j++)
            for (uint32_t k = from->start[j]; p->place[j] != NOWHERE && k < from->start[j + 1]; k++) {
                uint32_t i = place[from->row[k]];
                if (i == NOWHERE) continue;
                if (row != NULL) {
                    row[n] = part == 0 ? i : p->place[j];
                    col[n] = part == 0 ? p->place[j] : i;
                    value[n] = from->value[k];
                }
                n++;
            }
    }
    return n;
}

static mgc_status build(polish *p)
{
    size_t n = list_entries(p, NULL, NULL, NULL);
    uint32_t *place = mgc__alloc(p->ctx, 2 * n, sizeof *place);
    double *value = mgc__alloc(p->ctx, n, sizeof *value);
    mgc_status st = place != NULL && value != NULL ? MGC_OK : mgc__no_memory(p->ctx, "the system of active rows");

    if (st == MGC_OK) {
        list_entries(p, place, place + n, value);
        st = mgc__csc_from_triplets(p->ctx, p->size, p->size, n, place, place + n, value, &p->k);
    }
    mgc__free(p->ctx, value);
    mgc__free(p->ctx, place);
    return st;
}

/* K becomes SKS with rows of largest entry about one (Ruiz 2001); S of powers of two, so that nothing is rounded. */
static void equilibrate(polish *p)
{
    const mgc__csc *k = &p->k;
    double *largest = p->step;

    for (uint32_t i = 0; i < p->size; i++) p->scale[i] = 1.0;
    for (int pass = 0; pass < EQUILIBRATIONS; pass++) {
        for (uint32_t i = 0; i < p->size; i++) largest[i] = 0.0;
        for (uint32_t j = 0; j < p->size; j++)
            for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++) {
                double v = fabs(k->value[e]) * p->scale[j] * p->scale[k->row[e]];
                largest[j] = fmax(largest[j], v);
                largest[k->row[e]] = fmax(largest[k->row[e]], v);
            }
        for (uint32_t i = 0; i < p->size; i++)
            if (largest[i] > 0.0) p->scale[i] *= ldexp(1.0, -ilogb(largest[i]) / 2);
    }
    for (uint32_t j = 0; j < p->size; j++)
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++)
            k->value[e] *= p->scale[j] * p->scale[k->row[e]];
}

static mgc_status factorise(polish *p, mgc__pool *pool)
{
    int8_t *sign = mgc__alloc(p->ctx, p->size, sizeof *sign);

    if (sign == NULL) return mgc__no_memory(p->ctx, "signs of pivots");
    for (uint32_t i = 0; i < p->qp->n + p->qp->m; i++)
        if (p->place[i] != NOWHERE) sign[p->place[i]] = i < p->qp->n ? 1 : -1;
    mgc_status st = mgc__ldl_create(p->ctx, &p->k, sign, MGC__LDL_AUTO, &p->ldl);
    mgc__free(p->ctx, sign);
    if (st != MGC_OK) return st;
    mgc__ldl_set_pool(p->ldl, pool);
    return mgc__ldl_factorise(p->ldl, p->k.value, PROXIMAL, PROXIMAL);
}

/* One step of refinement from what the candidate leaves of its equations: K (dx, -dy) = (-z, side - Ax). */
static void refine(polish *p)
{
    const mgc__qp *qp = p->qp;
    double *activity = p->work, *step = p->step;

    for (uint32_t i = 0; i < qp->m; i++) activity[i] = 0.0;
    mgc__csc_mul(qp->a, 1.0, p->x, activity);
    for (uint32_t j = 0; j < qp->n; j++)
        if (p->place[j] != NOWHERE) step[p->place[j]] = -p->z[j] * p->scale[p->place[j]];
    for (uint32_t i = 0; i < qp->m; i++) {
        uint32_t k = p->place[qp->n + i];
        if (k != NOWHERE) step[k] = (p->side[i] - activity[i]) * p->scale[k];
    }
    mgc__ldl_solve(p->ldl, step, step, REFINEMENTS, 1e-15);
    for (uint32_t j = 0; j < qp->n; j++)
        if (p->place[j] != NOWHERE) p->x[j] += step[p->place[j]] * p->scale[p->place[j]];
    for (uint32_t i = 0; i < qp->m; i++) {
        uint32_t k = p->place[qp->n + i];
        if (k != NOWHERE) p->y[i] -= step[k] * p->scale[k];
    }
}

/* --- what it is worth ------------------------------------------------------------------------ */

/* The judge's word on the candidate, whose z is filled and whose x is brought within its bounds. */
static accuracy weigh(polish *p)
{
    mgc__point_report point;
    mgc__dual_report dual;

    for (uint32_t j = 0; j < p->qp->n; j++) p->x[j] = fmin(fmax(p->x[j], p->qp->lower[j]), p->qp->upper[j]);
    mgc__judge_point(p->qp, p->x, p->work, &point);
    mgc__judge_dual(p->qp, p->x, p->y, p->z, &dual);
    double gap = fabs(point.objective - dual.objective) / fmax(1.0, fabs(point.objective + p->offset));
    return (accuracy){fmax(point.residual, NOUGHT), fmax(dual.residual, NOUGHT),
                      isnan(gap) ? INFINITY : fmax(gap, NOUGHT)};
}

static double worst(accuracy a)
{
    return fmax(fmax(a.primal, a.dual), a.gap);
}

static bool clearly_better(accuracy now, accuracy was)
{
    if (now.primal > was.primal || now.dual > was.dual || now.gap > was.gap) return false;
    return CLEARLY * now.primal <= was.primal || CLEARLY * now.dual <= was.dual || CLEARLY * now.gap <= was.gap;
}

/* --- the whole ------------------------------------------------------------------------------- */

static mgc_status begin(polish *p, const mgc__result *r)
{
    size_t n = p->qp->n, m = p->qp->m;

    p->place = mgc__alloc(p->ctx, n + m, sizeof *p->place);
    p->block = mgc__alloc(p->ctx, 5 * n + 6 * m, sizeof *p->block);
    if (p->place == NULL || p->block == NULL) return mgc__no_memory(p->ctx, "a polished answer");
    p->x = p->block;
    p->z = p->x + n;
    p->gradient = p->z + n;
    p->y = p->gradient + n;
    p->side = p->y + m;
    p->work = p->side + m;
    p->scale = p->work + 2 * m;
    p->step = p->scale + n + m;
    memcpy(p->x, r->x, n * sizeof *p->x);
    memcpy(p->y, r->y, m * sizeof *p->y);
    memcpy(p->z, r->z, n * sizeof *p->z);
    return MGC_OK;
}

static void forget_system(polish *p)
{
    mgc__ldl_destroy(p->ldl);
    p->ldl = NULL;
    mgc__csc_free(p->ctx, &p->k);
}

static void end(polish *p)
{
    forget_system(p);
    mgc__free(p->ctx, p->block);
    mgc__free(p->ctx, p->place);
}

/* Guess and solve.  MGC_E_LIMIT and MGC_E_NUMERIC: there is no factor. */
static mgc_status attempt(polish *p, mgc__pool *pool, accuracy *now)
{
    guess(p);
    *now = weigh(p);
    if (p->size == 0 || worst(*now) <= NOUGHT) return MGC_OK;
    mgc_status st = build(p);
    if (st != MGC_OK) return st;
    equilibrate(p);
    st = factorise(p, pool);
    for (int pass = 0; st == MGC_OK && pass < PASSES && worst(*now) > NOUGHT; pass++) {
        double before = worst(*now);
        refine(p);
        *now = weigh(p);
        if (pass > 0 && !(worst(*now) < 0.5 * before)) break;
    }
    return st;
}

static void keep(const polish *p, mgc__result *r)
{
    memcpy(r->x, p->x, p->qp->n * sizeof *r->x);
    memcpy(r->y, p->y, p->qp->m * sizeof *r->y);
    memcpy(r->z, p->z, p->qp->n * sizeof *r->z);
}

mgc_status mgc__polish(mgc__solve *s, const mgc__qp *qp, mgc__result *r, bool *better)
{
    polish p = {.ctx = s->p->ctx, .qp = qp, .offset = s->p->offset};
    accuracy was = {fmax(s->info.primal_residual, NOUGHT), fmax(s->info.dual_residual, NOUGHT),
                    fmax(s->info.gap, NOUGHT)};
    double best = worst(was);
    mgc__pool *pool = NULL;

    *better = false;
    if (best <= NOUGHT) return MGC_OK;
    mgc_status st = mgc__pool_create(p.ctx, s->opts.threads, &pool);
    if (st == MGC_OK) st = begin(&p, r);
    for (int round = 0; st == MGC_OK && round < ROUNDS && best > NOUGHT; round++) {
        accuracy now = was;
        st = attempt(&p, pool, &now);
        if (st == MGC_OK && clearly_better(now, was) && (!*better || worst(now) < best)) {
            keep(&p, r);
            *better = true;
            best = worst(now);
        }
        forget_system(&p);
    }
    end(&p);
    mgc__pool_destroy(pool);
    return st == MGC_E_NO_MEMORY ? st : MGC_OK;
}
