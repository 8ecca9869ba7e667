/* SPDX-License-Identifier: Apache-2.0 */
/* Primal-dual interior-point method for convex quadratic programs; method and sources in doc/math/solver.md. */
#include "solver/ipm_private.h"

/* Iterations without a better iterate before the solve is given up as numerically difficult. */
enum { PATIENCE = 30 };

mgc_status mgc__ipm_create(mgc_ctx *ctx, mgc__ipm **out)
{
    *out = mgc__alloc(ctx, 1, sizeof **out);
    if (!*out) return mgc__no_memory(ctx, "an interior-point core");
    (*out)->ctx = ctx;
    return MGC_OK;
}

void mgc__ipm_destroy(mgc__ipm *ipm)
{
    mgc_ctx *ctx = ipm ? ipm->ctx : NULL;

    if (!ipm) return;
    mgc__ipm_release(ipm);
    mgc__free(ctx, ipm);
}

static void keep_best(mgc__ipm *ipm)
{
    if (ipm->now.bound > ipm->bound) ipm->bound = ipm->now.bound;
    if (ipm->iteration > 0 && !(ipm->now.merit < ipm->best.merit)) return;
    ipm->best = ipm->now;
    memcpy(ipm->best_w, ipm->w, ipm->count * sizeof *ipm->best_w);
    memcpy(ipm->best_y, ipm->y, ipm->count * sizeof *ipm->best_y);
}

/* Best iterate in the caller's units: x within its bounds, z recomputed from the caller's data. */
static void write_result(mgc__ipm *ipm, uint32_t outcome, mgc__ipm_result *result)
{
    const mgc__qp *qp = &ipm->qp;
    double *x = ipm->x_out, *y = ipm->y_out, *z = ipm->z_out, value = 0.0;

    for (uint32_t j = 0; j < qp->n; j++) x[j] = fmin(fmax(ipm->best_w[j] * ipm->scale[j], qp->lower[j]), qp->upper[j]);
    for (uint32_t i = 0; i < qp->m; i++) {
        y[i] = ipm->best_y[ipm->n + i] * ipm->scale[ipm->n + i] / ipm->cost_scale;
        if (!isfinite(y[i] > 0.0 ? qp->row_lower[i] : qp->row_upper[i])) y[i] = 0.0;
    }
    memset(z, 0, qp->n * sizeof *z);
    if (ipm->has_q) mgc__csc_symmul(qp->q, 1.0, x, z);
    for (uint32_t j = 0; j < qp->n; j++) {
        value += x[j] * (qp->c[j] + 0.5 * z[j]);
        z[j] += qp->c[j];
    }
    mgc__csc_tmul(qp->a, -1.0, y, z);
    *result = (mgc__ipm_result){
        .outcome = outcome, .iterations = ipm->iteration, .objective = value, .bound = ipm->bound, .x = x, .y = y, .z = z,
        .ray = outcome == MGC_OUTCOME_INFEASIBLE || outcome == MGC_OUTCOME_UNBOUNDED ? ipm->ray_out : NULL};
}

/* What stops the loop before another direction is computed; NONE: go on. */
static uint32_t outcome_so_far(mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    if (ipm->now.merit <= opts->tolerance) return MGC_OUTCOME_OPTIMAL;
    if (ipm->bound > opts->cutoff) return MGC_OUTCOME_LIMIT;
    if (ipm->iteration > 0) {
        if (mgc__ipm_proves_infeasible(ipm, ipm->y + ipm->n) || mgc__ipm_proves_infeasible(ipm, ipm->dy + ipm->n))
            return MGC_OUTCOME_INFEASIBLE;
        if (mgc__ipm_proves_unbounded(ipm, ipm->w) || mgc__ipm_proves_unbounded(ipm, ipm->dw)) return MGC_OUTCOME_UNBOUNDED;
    }
    if (ipm->iteration >= opts->iteration_limit) return MGC_OUTCOME_LIMIT;
    if (mgc_ctx_cancelled(ipm->ctx)) return MGC_OUTCOME_CANCELLED;
    if (opts->deadline_ms > 0 && mgc__now_ms(ipm->ctx) >= opts->deadline_ms) return MGC_OUTCOME_LIMIT;
    return MGC_OUTCOME_NONE;
}

static mgc_status report(const mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    if (!opts->progress) return MGC_OK;
    return mgc__verdict(opts->progress(opts->user, ipm->iteration, ipm->now.primal_objective, ipm->bound));
}

/* The method's main loop.  MGC_OK and *outcome, or a status that the caller must hand on. */
static mgc_status run(mgc__ipm *ipm, const mgc__ipm_opts *opts, uint32_t *outcome)
{
    uint32_t best_at = 0;
    mgc_status st;

    for (ipm->iteration = 0;; ipm->iteration++) {
        mgc__ipm_residuals(ipm);
        mgc__ipm_measure(ipm, &ipm->now);
        if (ipm->iteration == 0 || ipm->now.merit < 0.9 * ipm->best.merit) best_at = ipm->iteration;
        keep_best(ipm);
        *outcome = outcome_so_far(ipm, opts);
        if (*outcome != MGC_OUTCOME_NONE) return MGC_OK;
        st = report(ipm, opts);
        if (st == MGC_E_STOPPED) *outcome = MGC_OUTCOME_CANCELLED;
        if (st != MGC_OK) return st == MGC_E_STOPPED ? MGC_OK : st;
        *outcome = MGC_OUTCOME_NUMERICAL;
        if (ipm->iteration - best_at > PATIENCE || !isfinite(ipm->now.mu)) return MGC_OK;
        st = mgc__ipm_direction(ipm);
        if (st != MGC_OK) return st == MGC_E_NUMERIC ? MGC_OK : st;
        mgc__ipm_advance(ipm);
    }
}

/* An unbounded ray is an outcome only where a feasible point exists: the program without its objective tells. */
static mgc_status confirm_unbounded(mgc__ipm *ipm, const mgc__ipm_opts *opts, mgc__ipm_result *result)
{
    size_t n = ipm->n;
    mgc__qp feasibility = ipm->qp;
    double *block = mgc__alloc(ipm->ctx, 2 * n, sizeof *block); /* zero cost, and the ray */
    mgc_status st;

    if (!block) return mgc__no_memory(ipm->ctx, "the proof of an unbounded program");
    memcpy(block + n, ipm->ray_out, n * sizeof *block);
    feasibility.c = block;
    feasibility.q = NULL;
    st = mgc__ipm_solve(ipm, &feasibility, opts, result);
    if (st == MGC_OK && result->outcome == MGC_OUTCOME_OPTIMAL) {
        memcpy(ipm->ray_out, block + n, n * sizeof *block);
        result->outcome = MGC_OUTCOME_UNBOUNDED;
        result->ray = ipm->ray_out;
    }
    result->bound = -INFINITY;
    mgc__free(ipm->ctx, block);
    return st;
}

static bool bounds_cross(const mgc__qp *qp)
{
    for (uint32_t j = 0; j < qp->n; j++)
        if (qp->lower[j] > qp->upper[j]) return true;
    for (uint32_t i = 0; i < qp->m; i++)
        if (qp->row_lower[i] > qp->row_upper[i]) return true;
    return false;
}

mgc_status mgc__ipm_solve(mgc__ipm *ipm, const mgc__qp *qp, const mgc__ipm_opts *opts, mgc__ipm_result *result)
{
    uint32_t outcome = MGC_OUTCOME_INFEASIBLE;
    mgc_status st = mgc__ipm_prepare(ipm, qp);

    *result = (mgc__ipm_result){.objective = INFINITY, .bound = -INFINITY};
    if (st != MGC_OK) return st;
    ipm->bound = -INFINITY;
    ipm->iteration = 0;
    if (bounds_cross(qp)) { /* crossed bounds are their own certificate: the ray says nothing */
        memset(ipm->ray_out, 0, ipm->count * sizeof *ipm->ray_out);
        memset(ipm->best_w, 0, ipm->count * sizeof *ipm->best_w);
        memset(ipm->best_y, 0, ipm->count * sizeof *ipm->best_y);
        write_result(ipm, outcome, result);
        return MGC_OK;
    }
    mgc__ipm_kkt_load(ipm);
    st = mgc__ipm_start_cold(ipm);
    if (st == MGC_OK) st = run(ipm, opts, &outcome);
    if (st != MGC_OK) return st;
    write_result(ipm, outcome, result);
    if (outcome == MGC_OUTCOME_UNBOUNDED) return confirm_unbounded(ipm, opts, result);
    return MGC_OK;
}
