/* SPDX-License-Identifier: Apache-2.0 */
/* The master of column-and-constraint generation, doc/math/robust.md (8):
 *
 *     minimise  c'x + eta   s.t.  first-stage and scenario rows,  d_k'y_k <= q_k,  eta >= sum_k p_ck q_k for each cut c
 *
 * On a finite support the recourse does not depend on p: its columns are there from the start, and an iteration adds one
 * row.  As long as no cut weighs scenario k its cost row is free and q_k is fixed, or q_k and y_k could rise for nothing
 * and the set of optima would be unbounded, which interior-point methods suffer from.
 *
 * For a divergence the sum over the scenarios is taken apart, (9):
 *
 *     minimise  c'x + alpha + rho lambda + sum_k p0_k v_k   s.t.  the rows,  d_k'y_k <= q_k,  lambda >= 0,
 *               v_k >= r (q_k - alpha) - phi(r) lambda  for each ratio r = p_k / p0_k that the oracle answered for k
 *
 * so that the cuts of different scenarios combine: few rounds are needed where whole p's would need many. */
#include <math.h>

#include "robust/robust.h"
#include "solver/program_impl.h"

void mgc__master_drop(mgc_twostage *ts)
{
    mgc_program_destroy(ts->master.program);
    mgc__free(ts->ctx, ts->master.cuts);
    mgc__free(ts->ctx, ts->master.cut_of);
    mgc__free(ts->ctx, ts->master.weighed);
    mgc__free(ts->ctx, ts->master.columns);
    mgc__free(ts->ctx, ts->master.values);
    ts->master = (mgc__master){.program = NULL};
}

/* d_k'y_k - q_k <= 0, still free */
static mgc_status add_cost_rows(const mgc_twostage *ts, mgc__master *m)
{
    size_t *start = NULL;
    uint32_t *list = NULL;
    mgc_status st = mgc__ts_costed(ts, &start, &list);

    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK; k++) {
        size_t n = start[k + 1] - start[k];
        for (size_t e = 0; e < n; e++) {
            m->columns[e] = list[start[k] + e];
            m->values[e] = ts->columns[m->columns[e]].cost;
        }
        m->columns[n] = m->share + k;
        m->values[n] = -1;
        st = mgc_program_add_row(m->program, -INFINITY, INFINITY, m->columns, m->values, n + 1, NULL);
    }
    mgc__free(ts->ctx, start);
    mgc__free(ts->ctx, list);
    return st;
}

static mgc_status weigh(mgc__master *m, uint32_t k)
{
    if (m->weighed[k]) return MGC_OK;
    m->weighed[k] = 1;
    mgc_status st = mgc_program_set_bounds(m->program, m->share + k, -INFINITY, INFINITY);
    return st == MGC_OK ? mgc_program_set_row_bounds(m->program, m->cost_row + k, -INFINITY, 0) : st;
}

/* --- cuts of a divergence ---------------------------------------------------------------------------------------- */

static mgc_status add_divergence_columns(const mgc_twostage *ts, mgc__master *m)
{
    mgc_status st = mgc_program_add_column(m->program, ts->chi2 >= 0 ? ts->chi2 : ts->kl, 0, INFINITY, NULL);

    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK; k++) {
        bool none = !(ts->p0[k] > 0);
        st = mgc_program_add_column(m->program, ts->p0[k], none ? 0 : -INFINITY, none ? 0 : INFINITY, NULL);
    }
    return st;
}

/* Ratios that near each other give rows that differ by less than the solver sees: phi is flat to second order. */
static const double ratio_apart = 1e-6;

static bool has_ratio(const mgc__master *m, uint32_t k, double ratio)
{
    for (size_t c = 0; c < m->n_cuts; c++)
        if (m->cut_of[c] == k && fabs(m->cuts[c] - ratio) <= ratio_apart * (1 + ratio)) return true;
    return false;
}

/* v_k - r q_k + r alpha + phi(r) lambda >= 0 */
static mgc_status add_ratio(const mgc_twostage *ts, mgc__master *m, uint32_t k, double ratio)
{
    double values[] = {1, -ratio, ratio, mgc__divergence_phi(ts, ratio)};
    uint32_t columns[] = {m->excess + k, m->share + k, m->eta, m->eta + 1};

    if (has_ratio(m, k, ratio)) return MGC_OK;
    if (!mgc__grow(ts->ctx, (void **)&m->cuts, &m->cap_cuts, m->n_cuts + 1, sizeof *m->cuts) ||
        !mgc__grow(ts->ctx, (void **)&m->cut_of, &m->cap_cut_of, m->n_cuts + 1, sizeof *m->cut_of))
        return mgc__no_memory(ts->ctx, "a cut");
    m->cuts[m->n_cuts] = ratio;
    m->cut_of[m->n_cuts++] = k;
    return mgc_program_add_row(m->program, 0, INFINITY, columns, values, MGC__COUNT(columns), NULL);
}

/* 0, 1 and the largest ratio keep the master bounded; those between save two rounds of ten (measured; not critical). */
static mgc_status add_first_ratios(const mgc_twostage *ts, mgc__master *m)
{
    static const double less[] = {0, 0.4, 0.7, 0.9}, more[] = {0, 0.1, 0.25, 0.5, 1};
    mgc_status st = MGC_OK;

    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK; k++) {
        if (!(ts->p0[k] > 0)) continue;
        st = weigh(m, k);
        double most = mgc__divergence_reach(ts, k);
        for (size_t i = 0; i < MGC__COUNT(less) && st == MGC_OK; i++) st = add_ratio(ts, m, k, less[i]);
        for (size_t i = 0; i < MGC__COUNT(more) && st == MGC_OK; i++) st = add_ratio(ts, m, k, 1 + more[i] * (most - 1));
    }
    return st;
}

/* --- building ---------------------------------------------------------------------------------------------------- */

static mgc_status fill_master(const mgc_twostage *ts, mgc__master *m)
{
    double *nothing = mgc__alloc(ts->ctx, ts->scenarios, sizeof *nothing);
    mgc_status st =
        nothing == NULL ? mgc__no_memory(ts->ctx, "the master program") : mgc__ts_copy(ts, nothing, m->program);

    m->share = ts->n;
    m->eta = ts->n + ts->scenarios;
    m->excess = m->eta + 2;
    m->cost_row = ts->m;
    m->cut_row = ts->m + ts->scenarios;
    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK; k++)
        st = mgc_program_add_column(m->program, 0, 0, 0, NULL);
    if (st == MGC_OK) st = mgc_program_add_column(m->program, 1, -INFINITY, INFINITY, NULL);
    if (st == MGC_OK && m->separable) st = add_divergence_columns(ts, m);
    if (st == MGC_OK) st = add_cost_rows(ts, m);
    if (st == MGC_OK && m->separable) st = add_first_ratios(ts, m);
    if (st == MGC_OK)
        st = mgc__ts_tell_blocks(ts, (uint32_t[]){m->share, m->separable ? m->excess : UINT32_MAX}, 2, m->program);
    mgc__free(ts->ctx, nothing);
    return st;
}

mgc_status mgc__master_build(mgc_twostage *ts)
{
    mgc__master *m = &ts->master;

    uint32_t family;

    mgc__master_drop(ts);
    mgc_status st = mgc__ts_family(ts, &family);
    if (st != MGC_OK) return st;
    m->separable = family == MGC__SET_DIVERGENCE;
    m->weighed = mgc__alloc(ts->ctx, ts->scenarios, sizeof *m->weighed);
    m->columns = mgc__alloc(ts->ctx, (size_t)ts->n + ts->scenarios + 1, sizeof *m->columns);
    m->values = mgc__alloc(ts->ctx, (size_t)ts->n + ts->scenarios + 1, sizeof *m->values);
    if (m->weighed == NULL || m->columns == NULL || m->values == NULL)
        st = mgc__no_memory(ts->ctx, "the master program");
    if (st == MGC_OK) st = mgc_program_create(ts->ctx, &m->program);
    if (st == MGC_OK) mgc__program_keep_inside(m->program);
    if (st == MGC_OK) st = fill_master(ts, m);
    if (st != MGC_OK) mgc__master_drop(ts);
    return st;
}

static mgc_status add_ratios(mgc_twostage *ts, const double *p)
{
    mgc_status st = MGC_OK;

    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK; k++)
        if (ts->p0[k] > 0) st = add_ratio(ts, &ts->master, k, p[k] / ts->p0[k]);
    return st;
}

mgc_status mgc__master_add_cut(mgc_twostage *ts, const double *p)
{
    mgc__master *m = &ts->master;
    size_t n = 0;

    if (m->separable) return add_ratios(ts, p);
    if (!mgc__grow(ts->ctx, (void **)&m->cuts, &m->cap_cuts, (m->n_cuts + 1) * ts->scenarios, sizeof *m->cuts))
        return mgc__no_memory(ts->ctx, "a cut");
    mgc_status st = MGC_OK;
    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK; k++) {
        if (p[k] <= 0) continue;
        st = weigh(m, k);
        m->columns[n] = m->share + k;
        m->values[n++] = -p[k];
    }
    m->columns[n] = m->eta;
    m->values[n++] = 1;
    if (st == MGC_OK) st = mgc_program_add_row(m->program, 0, INFINITY, m->columns, m->values, n, NULL);
    if (st != MGC_OK) return st;
    memcpy(m->cuts + m->n_cuts * ts->scenarios, p, ts->scenarios * sizeof *p);
    m->n_cuts++;
    return MGC_OK;
}

bool mgc__master_has_cut(const mgc_twostage *ts, const double *p)
{
    const mgc__master *m = &ts->master;

    if (m->separable) {
        for (uint32_t k = 0; k < ts->scenarios; k++)
            if (ts->p0[k] > 0 && !has_ratio(m, k, p[k] / ts->p0[k])) return false;
        return true;
    }
    for (size_t c = 0; c < m->n_cuts; c++) {
        double most = 0;
        for (uint32_t k = 0; k < ts->scenarios; k++) most = fmax(most, fabs(m->cuts[c * ts->scenarios + k] - p[k]));
        if (most <= 1e-13) return true; /* what rounding of sums of p leaves */
    }
    return false;
}

/* The multipliers of the cuts, >= 0, mix their p's to the worst one: within the set, for the set is convex.  Those of the
 * eta column sum to 1; of a divergence scenario k's sum to p0_k and its p_k is the sum of their ratios. */
bool mgc__master_tell(const mgc_twostage *ts, const double *y, double *p)
{
    const mgc__master *m = &ts->master;
    uint32_t n = ts->scenarios;
    double sum = 0;

    for (uint32_t k = 0; k < n; k++) p[k] = 0;
    for (size_t c = 0; c < m->n_cuts; c++) {
        double share = fmax(y[m->cut_row + c], 0);
        if (m->separable)
            p[m->cut_of[c]] += share * m->cuts[c];
        else
            for (uint32_t k = 0; k < n; k++) p[k] += share * m->cuts[c * n + k];
    }
    for (uint32_t k = 0; k < n; k++) sum += p[k];
    if (!(fabs(sum - 1) < 1e-3)) return false; /* no multipliers worth the name */
    for (uint32_t k = 0; k < n; k++) p[k] /= sum;
    if (m->separable)
        mgc__divergence_clean(ts, p);
    else if (ts->oracle == NULL && ts->wasserstein < 0)
        mgc__ts_clean(ts, p);
    return true;
}

void mgc__master_push_cost(mgc_twostage *ts, uint32_t column)
{
    const mgc__ts_column *c = &ts->columns[column];
    mgc__master *m = &ts->master;

    if (m->program == NULL) return;
    if (mgc_program_set_coefficient(m->program, m->cost_row + c->stage - 1, column, c->cost) != MGC_OK)
        mgc__master_drop(ts);
}
