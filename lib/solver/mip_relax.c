/* SPDX-License-Identifier: Apache-2.0 */
/* Relaxations over domains, several at a time.  Each starts from the root's iterates or cold, so that its answer
 * depends on nothing but the root and its own bounds: whatever the threads do, the search takes the same course. */
#include <stdatomic.h>

#include "solver/mip.h"

/* Where a bound is missing and a reduced cost of rounding size has the wrong sign, the column is taken to stay within
 * this many times 1 + its present size. */
#define REACH 1e4

/* Relative error of a sum of products as they occur: some hundred units in the last place. */
#define ROUNDING 1e-13

/* A node is solved until its bound is known to this part of its distance from the cutoff: what is left decides
 * neither its fate nor where to branch.  0.3 takes 3 % more iterations, 0.8 as many. */
#define DECIDED 0.5

/* What a node pays for a unit away from its fixed integers, in distances of the root's bound from the cutoff.
 * Chosen so that a fifth of an integer closes the node; from 3 to 10 nodes and iterations are alike, below 1 nodes
 * multiply. */
#define PENALTY 5.0

struct mgc__mip_worker {
    mgc_ctx *ctx;
    mgc__ipm *ipm;
    double *lower, *upper, *row_lower, *row_upper, *y, *work, *box_lower, *box_upper, *c;
    double *paths; /* work space of schedules */
    size_t paths_cap;
    atomic_flag busy;
};

/* --- workers -------------------------------------------------------------------------------------------------------
 */

static void worker_free(mgc__mip *mip, struct mgc__mip_worker *w)
{
    if (w == NULL) return;
    mgc__ipm_destroy(w->ipm);
    mgc__free(mip->ctx, w->lower);
    mgc__free(mip->ctx, w->upper);
    mgc__free(mip->ctx, w->row_lower);
    mgc__free(mip->ctx, w->row_upper);
    mgc__free(mip->ctx, w->y);
    mgc__free(mip->ctx, w->work);
    mgc__free(mip->ctx, w->box_lower);
    mgc__free(mip->ctx, w->box_upper);
    mgc__free(mip->ctx, w->c);
    mgc__free(mip->ctx, w->paths);
    mgc_ctx_destroy(w->ctx);
    mgc__free(mip->ctx, w);
}

static mgc_status worker_create(mgc__mip *mip, struct mgc__mip_worker **out)
{
    struct mgc__mip_worker *w = mgc__alloc(mip->ctx, 1, sizeof *w);

    *out = w;
    if (w == NULL) return mgc__no_memory(mip->ctx, "a worker of branch and bound");
    atomic_flag_clear(&w->busy);
    mgc_status st = mgc__ctx_child(mip->ctx, &w->ctx);
    if (st == MGC_OK) st = mgc__ipm_create(w->ctx, &w->ipm);
    w->lower = mgc__alloc(mip->ctx, mip->n, sizeof(double));
    w->upper = mgc__alloc(mip->ctx, mip->n, sizeof(double));
    w->row_lower = mgc__alloc(mip->ctx, mip->m, sizeof(double));
    w->row_upper = mgc__alloc(mip->ctx, mip->m, sizeof(double));
    w->y = mgc__alloc(mip->ctx, mip->m, sizeof(double));
    w->work = mgc__alloc(mip->ctx, 2 * ((size_t)mip->n + mip->m), sizeof(double));
    w->box_lower = mgc__alloc(mip->ctx, mip->n, sizeof(double));
    w->box_upper = mgc__alloc(mip->ctx, mip->n, sizeof(double));
    w->c = mgc__alloc(mip->ctx, mip->n, sizeof(double));
    bool ok = w->lower != NULL && w->upper != NULL && w->row_lower != NULL && w->row_upper != NULL && w->y != NULL &&
              w->work != NULL && w->box_lower != NULL && w->box_upper != NULL && w->c != NULL;
    return st == MGC_OK && ok ? MGC_OK : mgc__no_memory(mip->ctx, "a worker of branch and bound");
}

void mgc__mip_workers_free(mgc__mip *mip)
{
    for (uint32_t i = 0; i < mip->n_workers; i++) worker_free(mip, mip->workers[i]);
    mgc__free(mip->ctx, mip->workers);
    mip->workers = NULL;
    mip->n_workers = 0;
}

static mgc_status make_workers(mgc__mip *mip, size_t needed)
{
    uint32_t threads = mip->s->opts.threads;

    if (needed > threads) needed = threads;
    if (mip->workers == NULL) mip->workers = mgc__alloc(mip->ctx, threads, sizeof(struct mgc__mip_worker *));
    if (mip->workers == NULL) return mgc__no_memory(mip->ctx, "workers of branch and bound");
    while (mip->n_workers < needed) {
        mgc_status st = worker_create(mip, &mip->workers[mip->n_workers++]);
        if (st != MGC_OK) return st;
    }
    for (uint32_t i = 0; i < mip->n_workers; i++) {
        struct mgc__mip_worker *w = mip->workers[i];
        void *paths = w->paths;
        bool ok = mgc__grow(mip->ctx, &paths, &w->paths_cap, mgc__schedules_room(mip->schedules), sizeof *w->paths);
        w->paths = paths;
        if (!ok) return mgc__no_memory(mip->ctx, "schedules");
    }
    return MGC_OK;
}

/* --- one relaxation -------------------------------------------------------------------------- */

/* Elsewhere propagation knows a value only up to its margins, which would make dependent rows contradict each other. */
bool mgc__mip_met(const mgc__mip *mip, uint32_t j, double lower, double upper, double *value)
{
    double range = mip->upper[j] - mip->lower[j], margin = 1e-8 * (isfinite(range) ? range : 1.0 + fabs(lower));
    bool at_lower = upper <= mip->lower[j] + margin, at_upper = lower >= mip->upper[j] - margin;

    *value = at_lower ? mip->lower[j] : mip->upper[j];
    return isfinite(lower) && upper - lower <= margin && (at_lower || at_upper);
}

/* Continuous columns keep the bounds that were given, for tightened ones take their interior away. */
static void continuous_bounds(const mgc__mip *mip, struct mgc__mip_worker *w, const double *lower, const double *upper)
{
    double value;

    memcpy(w->lower, mip->lower, mip->n * sizeof *w->lower);
    memcpy(w->upper, mip->upper, mip->n * sizeof *w->upper);
    for (uint32_t j = 0; j < mip->n; j++)
        if (!mip->integer[j] && mgc__mip_met(mip, j, lower[j], upper[j], &value)) w->lower[j] = w->upper[j] = value;
}

/* A row without a free column has done its work. */
static void row_bounds(const mgc__mip *mip, struct mgc__mip_worker *w)
{
    for (uint32_t i = 0; i < mip->m; i++) {
        bool open = false;
        for (uint32_t k = mip->row_start[i]; k < mip->row_start[i + 1] && !open; k++)
            open = w->lower[mip->row_col[k]] < w->upper[mip->row_col[k]];
        double activity = 0.0, scale = 1.0;
        for (uint32_t k = mip->row_start[i]; k < mip->row_start[i + 1] && !open; k++) {
            activity += mip->row_val[k] * w->lower[mip->row_col[k]];
            scale += fabs(mip->row_val[k] * w->lower[mip->row_col[k]]);
        }
        bool kept =
            !open && activity >= mip->row_lower[i] - 1e-9 * scale && activity <= mip->row_upper[i] + 1e-9 * scale;
        w->row_lower[i] = kept ? -INFINITY : mip->row_lower[i];
        w->row_upper[i] = kept ? INFINITY : mip->row_upper[i];
    }
}

/* Bounds for the interior-point core: integers as the domain has them. */
static void exact_bounds(const mgc__mip *mip, struct mgc__mip_worker *w, const mgc__relaxation *r)
{
    continuous_bounds(mip, w, r->lower, r->upper);
    for (uint32_t k = 0; k < mip->n_int; k++) {
        w->lower[mip->ints[k]] = r->lower[mip->ints[k]];
        w->upper[mip->ints[k]] = r->upper[mip->ints[k]];
    }
    row_bounds(mip, w);
}

/* The root's bounds, with the node's fixed integers priced instead: every iterate of the root then satisfies rows
 * and bounds, and only costs change, which an interior-point method takes from near the solution.  Multipliers
 * prove what they prove over the node's own box, where the price is constant: *shift is what it adds there.
 * false: no price is known. */
static bool priced_bounds(const mgc__mip *mip, struct mgc__mip_worker *w, const mgc__relaxation *r, double *shift)
{
    double price = PENALTY * (r->cutoff - mip->root_bound);

    *shift = 0.0;
    if (!r->decide || mip->anchor == NULL || !isfinite(price) || price <= 0.0) return false;
    continuous_bounds(mip, w, mip->box_lower, mip->box_upper);
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        bool at_lower = r->lower[j] == mip->lower[j], at_upper = r->upper[j] == mip->upper[j];
        if (at_lower && at_upper) continue;
        if (r->lower[j] < r->upper[j] || at_lower == at_upper) { /* no end of its range, or a smaller range */
            w->lower[j] = r->lower[j];
            w->upper[j] = r->upper[j];
            continue;
        }
        w->c[j] += at_lower ? price : -price;
        *shift += (at_lower ? price : -price) * r->lower[j];
    }
    row_bounds(mip, w);
    return isfinite(*shift);
}

/* What rounding may add to the sum that a bound is: multipliers of rows that depend on each other can be huge. */
static double rounding(const mgc__qp *qp, const double *y, const double *z)
{
    double sum = 0.0;

    for (uint32_t i = 0; i < qp->m; i++)
        if (y[i] != 0.0) sum += fabs(y[i] * (y[i] > 0.0 ? qp->row_lower[i] : qp->row_upper[i]));
    for (uint32_t j = 0; j < qp->n; j++)
        if (z[j] != 0.0) sum += fabs(z[j] * (z[j] > 0.0 ? qp->lower[j] : qp->upper[j]));
    return ROUNDING * sum;
}

/* What the box alone proves: (1) without multipliers.  Where propagation has fixed nearly everything this is exact, and
 * multipliers of badly scaled rows would cost more in rounding than they bring.  A continuous column whose bounds have
 * met may be off by as much as they may have crossed. */
static double bound_of_box(const mgc__mip *mip, const mgc__relaxation *r)
{
    double sum = 0.0, size = 0.0;

    for (uint32_t j = 0; j < mip->n; j++) {
        if (mip->c[j] == 0.0) continue;
        double least = mip->c[j] * (mip->c[j] > 0.0 ? r->lower[j] : r->upper[j]);
        bool met = !mip->integer[j] && r->lower[j] == r->upper[j] && mip->lower[j] < mip->upper[j];
        sum += least - (met ? MIP_CROSSED * fabs(mip->c[j]) * (1.0 + fabs(r->lower[j])) : 0.0);
        size += fabs(least);
    }
    return mip->q == NULL && isfinite(size) ? sum - ROUNDING * size : -INFINITY;
}

/* What the multipliers prove over the domain, and reduced costs to fix by. */
static void prove(const mgc__mip *mip, struct mgc__mip_worker *w, mgc__relaxation *r, const mgc__ipm_result *found)
{
    mgc__qp qp = {.n = mip->n,
                  .m = mip->m,
                  .q = mip->q,
                  .a = &mip->a,
                  .c = mip->c,
                  .lower = w->box_lower,
                  .upper = w->box_upper,
                  .row_lower = w->row_lower,
                  .row_upper = w->row_upper};
    mgc__dual_report dual;

    for (uint32_t j = 0; j < mip->n; j++) {
        double reach = REACH * (1.0 + fabs(found->x[j]));
        w->box_lower[j] = isfinite(r->lower[j]) ? r->lower[j] : found->x[j] - reach;
        w->box_upper[j] = isfinite(r->upper[j]) ? r->upper[j] : found->x[j] + reach;
    }
    memcpy(w->y, found->y, mip->m * sizeof(double));
    mgc__judge_dual(&qp, found->x, w->y, r->z, &dual);
    double loss = rounding(&qp, w->y, r->z);
    r->dual_bound = dual.bound - loss;
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        r->weight[k] = fabs(mip->c[j]);
        for (uint32_t e = mip->a.start[j]; e < mip->a.start[j + 1]; e++)
            r->weight[k] += fabs(mip->a.value[e] * w->y[mip->a.row[e]]);
    }
    if (mip->schedules != NULL) {
        double paths = mgc__schedules_price(mip->schedules, &qp, w->y, r->z, dual.bound, w->paths, r->at);
        for (uint32_t k = 0; k < 2 * mip->n_int; k++) r->at[k] -= 3.0 * loss;
        r->bound = fmax(r->bound, paths - 3.0 * loss);
    }
    bool sound = found->outcome != MGC_OUTCOME_NUMERICAL && isfinite(found->bound);
    r->bound = fmax(fmax(r->bound, r->dual_bound), sound ? found->bound - loss : -INFINITY);
    r->bound = fmax(r->bound, bound_of_box(mip, r));
}

static void take_answer(const mgc__mip *mip, struct mgc__mip_worker *w, mgc__relaxation *r, const mgc__qp *qp,
                        const mgc__ipm_result *found, bool priced)
{
    mgc__point_report point;

    r->outcome = found->outcome;
    if (found->outcome == MGC_OUTCOME_INFEASIBLE) {
        if (found->ray != NULL && mgc__judge_infeasible(qp, found->ray, w->work) > 0.0) r->bound = INFINITY;
        else r->outcome = MGC_OUTCOME_NUMERICAL;
        return;
    }
    if (found->outcome == MGC_OUTCOME_UNBOUNDED || found->x == NULL || found->y == NULL) return;
    prove(mip, w, r, found);
    mgc__judge_point(qp, found->x, w->work, &point);
    r->has_point = point.residual < INFINITY;
    if (!priced && point.residual <= fmax(10.0 * mip->node_tolerance, 1e-6)) r->objective = point.objective;
    memcpy(r->x, found->x, mip->n * sizeof(double));
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        r->x[j] = fmin(fmax(r->x[j], r->lower[j]), r->upper[j]);
    }
}

static void solve_one(mgc__mip *mip, struct mgc__mip_worker *w, mgc__relaxation *r)
{
    mgc__solve *s = mip->s;
    mgc__qp qp = {.n = mip->n,
                  .m = mip->m,
                  .q = mip->q,
                  .a = &mip->a,
                  .c = w->c,
                  .lower = w->lower,
                  .upper = w->upper,
                  .row_lower = w->row_lower,
                   .row_upper = w->row_upper,
                   .block = s->p->block_n == mip->n ? s->p->block : NULL};
    mgc__ipm_opts o = {.tolerance = r->tolerance > 0.0 ? r->tolerance : mip->node_tolerance,
                       .cutoff = r->cutoff,
                       .iteration_limit = s->opts.iteration_limit,
                       .decided = r->decide ? DECIDED : 0.0,
                       .anchor = mip->anchor,
                       .deadline_ms = s->deadline_ms};
    mgc__ipm_result found;
    double shift;

    r->outcome = MGC_OUTCOME_NONE;
    r->bound = r->dual_bound = -INFINITY;
    r->objective = INFINITY;
    r->has_point = false;
    for (uint32_t k = 0; k < 2 * mip->n_int; k++) r->at[k] = -INFINITY;
    memcpy(w->c, mip->c, mip->n * sizeof *w->c);
    bool priced = priced_bounds(mip, w, r, &shift);
    if (priced) o.cutoff += shift;
    else exact_bounds(mip, w, r);
    r->status = mgc__ipm_solve(w->ipm, &qp, &o, &found);
    if (r->status != MGC_OK) return;
    r->iterations = found.iterations;
    if (priced) found.bound -= shift; /* all points of the node pay that much */
    take_answer(mip, w, r, &qp, &found, priced);
}

/* --- many ------------------------------------------------------------------------------------ */

struct batch {
    mgc__mip *mip;
    mgc__relaxation *r;
};

static void batch_task(void *user, size_t i)
{
    struct batch *b = user;
    mgc__mip *mip = b->mip;

    for (uint32_t k = 0; k < mip->n_workers; k++) /* as many workers as threads: one is free */
        if (!atomic_flag_test_and_set(&mip->workers[k]->busy)) {
            solve_one(mip, mip->workers[k], &b->r[i]);
            atomic_flag_clear(&mip->workers[k]->busy);
            return;
        }
    assert(false); /* see above */
}

mgc_status mgc__mip_relax(mgc__mip *mip, mgc__relaxation *r, size_t n)
{
    struct batch b = {.mip = mip, .r = r};
    mgc_status st = make_workers(mip, n);

    if (st != MGC_OK) return st;
    mgc__parallel(mip->s->opts.threads, n, batch_task, &b);
    for (size_t i = 0; i < n; i++) {
        if (r[i].status == MGC_E_NOT_CONVEX)
            return mgc__fail(mip->ctx, r[i].status, "solver: the quadratic objective is not convex");
        if (r[i].status != MGC_OK)
            return mgc__fail(mip->ctx, r[i].status, "solver: a relaxation failed; %s", mgc_status_text(r[i].status));
        mip->s->info.iterations += r[i].iterations;
    }
    return MGC_OK;
}

mgc_status mgc__mip_drop_anchor(mgc__mip *mip)
{
    assert(mip->n_workers > 0 && mip->anchor == NULL);
    return mgc__ipm_anchor_create(mip->ctx, mip->workers[0]->ipm, &mip->anchor);
}

const double *mgc__mip_multipliers(const mgc__mip *mip)
{
    assert(mip->n_workers > 0);
    return mip->workers[0]->y;
}

bool mgc__mip_has_scenarios(const mgc__mip *mip)
{
    assert(mip->n_workers > 0);
    return mgc__ipm_has_scenarios(mip->workers[0]->ipm);
}

mgc_status mgc__relaxation_init(const mgc__mip *mip, mgc__relaxation *r)
{
    *r = (mgc__relaxation){.cutoff = INFINITY};
    r->lower = mgc__alloc(mip->ctx, mip->n, sizeof(double));
    r->upper = mgc__alloc(mip->ctx, mip->n, sizeof(double));
    r->x = mgc__alloc(mip->ctx, mip->n, sizeof(double));
    r->z = mgc__alloc(mip->ctx, mip->n, sizeof(double));
    r->weight = mgc__alloc(mip->ctx, mip->n_int, sizeof(double));
    r->at = mgc__alloc(mip->ctx, 2 * (size_t)mip->n_int, sizeof(double));
    return r->at != NULL && r->lower != NULL && r->upper != NULL && r->x != NULL && r->z != NULL && r->weight != NULL
               ? MGC_OK
               : mgc__no_memory(mip->ctx, "a relaxation");
}

void mgc__relaxation_free(const mgc__mip *mip, mgc__relaxation *r)
{
    mgc__free(mip->ctx, r->lower);
    mgc__free(mip->ctx, r->upper);
    mgc__free(mip->ctx, r->x);
    mgc__free(mip->ctx, r->z);
    mgc__free(mip->ctx, r->weight);
    mgc__free(mip->ctx, r->at);
    *r = (mgc__relaxation){0};
}
