/* SPDX-License-Identifier: Apache-2.0 */
/* Branch and bound over z for the bilinear worst case, doc/math/robust.md (12):
 *
 *     maximise  r(x)'pi + sum_(i,k) M_ik w_ik   over the dual's points pi and z in Z,   w_ik = pi_i z_k
 *
 * In a cell l <= z <= u each product is held between its four planes (McCormick 1976), with the bounds of pi_i that were
 * derived; they meet where l_k = u_k.  The relaxation bounds the cell; its z, improved by turns (best pi for z, best z for pi,
 * Konno 1976), gives worst cases.
 *
 * The worst z is a corner of Z, and at a corner as many constraints hold with equality as there are parameters: all but one
 * for each limit are at an end of their range.  So a cell is cut in two or three: z_k = l_k, z_k = u_k, and, as long as fewer
 * parameters than limits are, z_k in between.  What has few corners left is closed by trying them.  That is finite and exact. */
#include <math.h>

#include "robust/budget.h"

/* Cells in all.  A budget over a day's hours needs some dozens (measured). */
enum { CELLS_MAX = 20000 };
/* Turns of improving one z; each ends at a corner of Z, and most need two. */
enum { TURNS_MAX = 20 };

/* A cell with this many corners is closed by trying them.  Chosen; not critical. */
enum { CORNERS_TRIED = 8 };

typedef struct cell {
    double bound;
    double *box; /* lower, upper: 2 x parameters; then 1 for what lies in between: parameters */
} cell;

typedef struct branch {
    mgc__search *s;
    mgc_program *recourse;
    cell *cells; /* open ones */
    size_t n, cap;
    uint64_t made;
    bool settled; /* some z leaves no recourse, or one without end */
    uint32_t *plus, *minus; /* recourse rows: columns of the relaxation */
    double *z, *y, *multiplier, *x, *miss, *gradient;
    size_t cap_x;
    uint32_t z_column, w_column;
} branch;

static void free_branch(branch *t)
{
    mgc_ctx *ctx = t->s->budget->ctx;

    for (size_t c = 0; c < t->n; c++) mgc__free(ctx, t->cells[c].box);
    mgc__free(ctx, t->cells);
    mgc__free(ctx, t->plus);
    mgc__free(ctx, t->minus);
    mgc__free(ctx, t->z);
    mgc__free(ctx, t->y);
    mgc__free(ctx, t->multiplier);
    mgc__free(ctx, t->x);
    mgc__free(ctx, t->miss);
    mgc__free(ctx, t->gradient);
    mgc_program_destroy(t->recourse);
}

mgc_status mgc__budget_add_set(const mgc_budget *b, const double *cost, const double *lower, const double *upper,
                               mgc_program *lp, uint32_t *first)
{
    uint32_t columns[BUDGET_PARAMETERS_MAX];
    double values[BUDGET_PARAMETERS_MAX];
    mgc_status st = MGC_OK;

    *first = mgc_program_columns(lp);
    for (uint32_t i = 0; i < b->parameters && st == MGC_OK; i++)
        st = mgc_program_add_column(lp, cost != NULL ? cost[i] : 0, lower[i], upper[i], NULL);
    for (size_t l = 0; l < b->n_limits && st == MGC_OK; l++) {
        for (uint32_t i = 0; i < b->parameters; i++) {
            columns[i] = *first + i;
            values[i] = 0;
        }
        for (size_t e = b->limits[l].start; e < b->limits[l].start + b->limits[l].n; e++)
            values[b->limit_parameter[e]] += b->limit_value[e];
        st = mgc_program_add_row(lp, b->limits[l].lower, b->limits[l].upper, columns, values, b->parameters, NULL);
    }
    return st;
}

/* --- worst cases ------------------------------------------------------------------------------------------------- */

/* The best z for the multipliers: a linear program over Z; its slope is M'pi. */
static mgc_status best_z(branch *t)
{
    const mgc_budget *b = t->s->budget;
    mgc_program_info pi = {.struct_size = sizeof pi};
    mgc_program *lp = NULL;
    mgc_program_opts o;
    uint32_t first;

    if (!mgc__search_opts(t->s, &o)) {
        t->s->outcome = MGC_OUTCOME_LIMIT;
        return MGC_OK;
    }
    for (uint32_t k = 0; k < b->parameters; k++) t->gradient[k] = 0;
    for (size_t e = 0; e < b->n_shifts; e++)
        t->gradient[b->shifts[e].parameter] -= b->shifts[e].value * t->multiplier[b->rows[b->shifts[e].row].local];
    mgc_status st = mgc_program_create(b->ctx, &lp);
    if (st == MGC_OK) st = mgc__budget_add_set(b, t->gradient, b->z_lower, b->z_upper, lp, &first);
    if (st == MGC_OK) st = mgc_program_solve(lp, &o, &pi);
    if (st == MGC_OK && mgc__search_usable(t->s, &pi)) st = mgc_program_get_x(lp, t->z, b->parameters);
    mgc_program_destroy(lp);
    t->s->solves++;
    return st;
}

static void keep_worst(branch *t, const double *z, double cost)
{
    mgc__search *s = t->s;

    t->settled = isinf(cost);
    if (!(cost > s->cost) && !t->settled) return;
    s->cost = cost;
    memcpy(s->z, z, s->budget->parameters * sizeof *s->z);
    memcpy(s->y, t->y, s->budget->n_second * sizeof *s->y);
}

/* From t->z uphill; what is found best is kept in the search. */
static mgc_status climb(branch *t)
{
    mgc__search *s = t->s;
    double before = -INFINITY, cost = 0;
    mgc_status st = MGC_OK;

    for (int turn = 0; turn < TURNS_MAX && st == MGC_OK && s->outcome == MGC_OUTCOME_OPTIMAL; turn++) {
        st = mgc__search_at(s, t->recourse, t->z, t->y, t->multiplier, &cost);
        if (st != MGC_OK || isnan(cost)) break;
        keep_worst(t, t->z, cost);
        if (t->settled || cost <= before + 1e-9 * (1 + fabs(cost))) break;
        before = cost;
        st = best_z(t);
    }
    return st;
}

/* --- the relaxation of a cell ------------------------------------------------------------------------------------ */

/* a w + (plane in pi) + (plane in z) <= side for one of the four planes:
 *   w >= p z + q pi - p q  (p, q both lower or both upper),   w <= p z + q pi - p q  (one of each) */
static mgc_status add_plane(const branch *t, uint32_t i, uint32_t w, uint32_t z, double p, double q, bool below, mgc_program *lp)
{
    double sign = below ? 1 : -1;
    uint32_t columns[4] = {w, z};
    double values[4] = {sign, -sign * p};
    size_t n = 2;

    if (t->plus[i] != UINT32_MAX) {
        columns[n] = t->plus[i];
        values[n++] = -sign * q;
    }
    if (t->minus[i] != UINT32_MAX) {
        columns[n] = t->minus[i];
        values[n++] = sign * q;
    }
    return mgc_program_add_row(lp, -sign * p * q, INFINITY, columns, values, n, NULL);
}

static mgc_status add_product(const branch *t, const mgc__budget_shift *shift, const double *box, uint32_t w, mgc_program *lp)
{
    const mgc_budget *b = t->s->budget;
    uint32_t i = b->rows[shift->row].local, z = t->z_column + shift->parameter;
    double pl = t->s->multiplier_lower[i], pu = t->s->multiplier_upper[i];
    double l = box[shift->parameter], u = box[b->parameters + shift->parameter];
    mgc_status st = add_plane(t, i, w, z, pl, l, true, lp);

    if (st == MGC_OK) st = add_plane(t, i, w, z, pu, u, true, lp);
    if (st == MGC_OK) st = add_plane(t, i, w, z, pu, l, false, lp);
    return st == MGC_OK ? add_plane(t, i, w, z, pl, u, false, lp) : st;
}

static mgc_status build_relaxation(branch *t, const double *box, mgc_program *lp)
{
    const mgc_budget *b = t->s->budget;
    mgc_status st = mgc__dual_build(b, t->s->x, t->s->plain, t->plus, t->minus, lp);

    if (st == MGC_OK) st = mgc__budget_add_set(b, NULL, box, box + b->parameters, lp, &t->z_column);
    t->w_column = mgc_program_columns(lp);
    for (size_t e = 0; e < b->n_shifts && st == MGC_OK; e++)
        st = mgc_program_add_column(lp, -b->shifts[e].value, -INFINITY, INFINITY, NULL);
    for (size_t e = 0; e < b->n_shifts && st == MGC_OK; e++)
        st = add_product(t, &b->shifts[e], box, t->w_column + (uint32_t)e, lp);
    return st;
}

/* t->z from the relaxation's point; t->miss: by how much the products of each parameter are missed. */
static void read_point(branch *t)
{
    const mgc_budget *b = t->s->budget;

    for (uint32_t k = 0; k < b->parameters; k++) {
        t->z[k] = t->x[t->z_column + k];
        t->miss[k] = 0;
    }
    for (size_t e = 0; e < b->n_shifts; e++) {
        uint32_t i = b->rows[b->shifts[e].row].local, k = b->shifts[e].parameter;
        double pi = (t->plus[i] != UINT32_MAX ? t->x[t->plus[i]] : 0) - (t->minus[i] != UINT32_MAX ? t->x[t->minus[i]] : 0);
        t->miss[k] += fabs(b->shifts[e].value * (t->x[t->w_column + e] - pi * t->z[k]));
    }
}

static mgc_status relax(branch *t, const double *box, double *bound)
{
    mgc_program_info pi = {.struct_size = sizeof pi};
    mgc__search *s = t->s;
    mgc_program *lp = NULL;
    mgc_program_opts o;

    *bound = INFINITY;
    if (!mgc__search_opts(s, &o)) {
        s->outcome = MGC_OUTCOME_LIMIT;
        return MGC_OK;
    }
    mgc_status st = mgc_program_create(s->budget->ctx, &lp);
    if (st == MGC_OK) st = build_relaxation(t, box, lp);
    if (st == MGC_OK) st = mgc_program_solve(lp, &o, &pi);
    s->solves++;
    if (st == MGC_OK && pi.outcome == MGC_OUTCOME_INFEASIBLE) {
        *bound = -INFINITY; /* no z of Z is in the cell */
    } else if (st == MGC_OK && mgc__search_usable(s, &pi)) {
        uint32_t n = mgc_program_columns(lp);
        *bound = -pi.bound;
        if (!mgc__grow(s->budget->ctx, (void **)&t->x, &t->cap_x, n, sizeof *t->x))
            st = mgc__no_memory(s->budget->ctx, "a relaxation");
        else
            st = mgc_program_get_x(lp, t->x, n);
        if (st == MGC_OK) read_point(t);
    } else if (st == MGC_OK) {
        s->outcome = pi.outcome == MGC_OUTCOME_CANCELLED || pi.outcome == MGC_OUTCOME_LIMIT ? pi.outcome : MGC_OUTCOME_NUMERICAL;
    }
    mgc_program_destroy(lp);
    return st;
}

/* --- cells ------------------------------------------------------------------------------------------------------- */

static double slack_of(const mgc__search *s)
{
    return s->opts->gap / 4 * (isfinite(s->cost) ? fmax(1, fabs(s->cost)) : 1);
}

static mgc_status open_cell(branch *t, const double *box, double bound)
{
    mgc_ctx *ctx = t->s->budget->ctx;
    size_t size = 3 * (size_t)t->s->budget->parameters;

    if (!mgc__grow(ctx, (void **)&t->cells, &t->cap, t->n + 1, sizeof *t->cells)) return mgc__no_memory(ctx, "a cell");
    double *copy = mgc__alloc(ctx, size, sizeof *copy);
    if (copy == NULL) return mgc__no_memory(ctx, "a cell");
    memcpy(copy, box, size * sizeof *copy);
    t->cells[t->n++] = (cell){.bound = bound, .box = copy};
    return MGC_OK;
}

/* The parameter whose products are missed most, of those that are neither at an end nor in between; or n. */
static uint32_t choose(const branch *t, const double *box)
{
    uint32_t n = t->s->budget->parameters, k = n;

    for (uint32_t i = 0; i < n; i++)
        if (box[i] < box[n + i] && box[2 * n + i] == 0 && (k == n || t->miss[i] > t->miss[k])) k = i;
    return k;
}

static mgc_status cut_cell(branch *t, double *box, uint32_t k, double bound)
{
    uint32_t n = t->s->budget->parameters;
    double l = box[k], u = box[n + k], between = 0;

    for (uint32_t i = 0; i < n; i++) between += box[2 * n + i];
    box[n + k] = l;
    mgc_status st = open_cell(t, box, bound);
    box[n + k] = u;
    box[k] = u;
    if (st == MGC_OK) st = open_cell(t, box, bound);
    box[k] = l;
    if (!(between < (double)t->s->budget->n_limits)) return st;
    box[2 * n + k] = 1;
    return st == MGC_OK ? open_cell(t, box, bound) : st;
}

/* Try the cell's corners where there are few, or nothing else to decide. */
static mgc_status try_corners(branch *t, double *box, uint32_t limit, bool *closed)
{
    mgc__search *s = t->s;
    mgc_budget part = *s->budget;
    mgc__corners corners;
    double cost;

    part.z_lower = box;
    part.z_upper = box + part.parameters;
    mgc_status st = mgc__budget_corners(&part, limit, &corners);
    *closed = corners.all;
    for (uint32_t c = 0; c < corners.n && st == MGC_OK && s->outcome == MGC_OUTCOME_OPTIMAL && !t->settled; c++) {
        st = mgc__search_at(s, t->recourse, corners.z + c * (size_t)part.parameters, t->y, t->multiplier, &cost);
        if (st == MGC_OK && !isnan(cost)) keep_worst(t, corners.z + c * (size_t)part.parameters, cost);
    }
    mgc__free(s->budget->ctx, corners.z);
    return st;
}

/* The open cell of the highest bound; of equals the one opened first. */
static cell take_cell(branch *t)
{
    size_t best = 0;

    for (size_t c = 1; c < t->n; c++)
        if (t->cells[c].bound > t->cells[best].bound) best = c;
    cell taken = t->cells[best];
    t->n--;
    memmove(t->cells + best, t->cells + best + 1, (t->n - best) * sizeof *t->cells);
    return taken;
}

static mgc_status look_at(branch *t, cell *c)
{
    mgc__search *s = t->s;
    double bound;
    mgc_status st = relax(t, c->box, &bound);

    if (st != MGC_OK || s->outcome != MGC_OUTCOME_OPTIMAL) return st;
    c->bound = bound = fmin(bound, c->bound);
    if (bound <= s->cost + slack_of(s)) {
        s->upper = fmax(s->upper, bound);
        return MGC_OK;
    }
    double *kept = t->gradient + s->budget->parameters; /* climbing moves z */
    memcpy(kept, t->z, s->budget->parameters * sizeof *kept);
    st = climb(t);
    memcpy(t->z, kept, s->budget->parameters * sizeof *kept);
    if (st != MGC_OK || t->settled || s->outcome != MGC_OUTCOME_OPTIMAL) return st;
    if (bound <= s->cost + slack_of(s)) {
        s->upper = fmax(s->upper, bound);
        return MGC_OK;
    }
    uint32_t k = choose(t, c->box);
    bool last = k == s->budget->parameters, closed = false;
    st = try_corners(t, c->box, last ? BUDGET_VERTICES_MAX : CORNERS_TRIED, &closed);
    if (st == MGC_OK && !closed && last) s->outcome = MGC_OUTCOME_LIMIT;
    return st != MGC_OK || closed || last ? st : cut_cell(t, c->box, k, bound);
}

static mgc_status begin_branch(branch *t)
{
    const mgc_budget *b = t->s->budget;
    size_t n = b->parameters;

    t->plus = mgc__alloc(b->ctx, b->m_second, sizeof *t->plus);
    t->minus = mgc__alloc(b->ctx, b->m_second, sizeof *t->minus);
    t->z = mgc__alloc(b->ctx, n, sizeof *t->z);
    t->y = mgc__alloc(b->ctx, b->n_second, sizeof *t->y);
    t->multiplier = mgc__alloc(b->ctx, b->m_second, sizeof *t->multiplier);
    t->miss = mgc__alloc(b->ctx, n, sizeof *t->miss);
    t->gradient = mgc__alloc(b->ctx, 2 * n, sizeof *t->gradient);
    if (t->plus == NULL || t->minus == NULL || t->z == NULL || t->y == NULL || t->multiplier == NULL || t->miss == NULL ||
        t->gradient == NULL)
        return mgc__no_memory(b->ctx, "branch and bound over the worst case");
    mgc_status st = mgc__recourse_build(b, b->ctx, t->s->plain, &t->recourse);
    double *box = mgc__alloc(b->ctx, 3 * n, sizeof *box);
    if (box == NULL) return mgc__no_memory(b->ctx, "a cell");
    memcpy(box, b->z_lower, n * sizeof *box);
    memcpy(box + n, b->z_upper, n * sizeof *box);
    if (st == MGC_OK) st = open_cell(t, box, INFINITY);
    mgc__free(b->ctx, box);
    return st;
}

/* upper ends as the highest bound of a closed cell, or of what is still open. */
mgc_status mgc__search_branch(mgc__search *s)
{
    branch t = {.s = s};
    mgc_status st = begin_branch(&t);

    s->upper = -INFINITY;
    while (st == MGC_OK && t.n > 0 && s->outcome == MGC_OUTCOME_OPTIMAL && !t.settled) {
        if (mgc_ctx_cancelled(s->budget->ctx)) {
            s->outcome = MGC_OUTCOME_CANCELLED;
            break;
        }
        if (t.made++ >= CELLS_MAX) {
            s->outcome = MGC_OUTCOME_LIMIT;
            break;
        }
        cell c = take_cell(&t);
        if (c.bound <= s->cost + slack_of(s))
            s->upper = fmax(s->upper, c.bound);
        else
            st = look_at(&t, &c);
        if (st == MGC_OK && s->outcome != MGC_OUTCOME_OPTIMAL) s->upper = fmax(s->upper, c.bound);
        mgc__free(s->budget->ctx, c.box);
    }
    for (size_t c = 0; c < t.n; c++) s->upper = fmax(s->upper, t.cells[c].bound);
    s->upper = t.settled ? s->cost : fmax(s->upper, s->cost);
    free_branch(&t);
    return st;
}
