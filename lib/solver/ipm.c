/* SPDX-License-Identifier: Apache-2.0 */
/* Primal-dual interior-point method for convex quadratic programs; method and sources in doc/math/solver.md. */
#include "solver/ipm_private.h"

#include <float.h>

/* Iterations without a better iterate before the solve is given up as numerically difficult. */
enum { PATIENCE = 30 };
/* Rounding of the gradient up to this part of the largest cost passes for an answer. */
#define BELIEVABLE 1e-5
/* The least target for complementarity closes the gap to this part of the tolerance. */
#define GAP_ROOM 0.01
/* A relaxation whose fate is decided is solved to this much at least: branching needs its point. */
#define DECIDED_PRIMAL 1e-4
#define DECIDED_GAP 1e-2
/* Short steps in a row that end a warm start: the level was chosen too near the boundary. */
enum { WARM_BAD_STEPS = 3 };
/* To this the active set of an answer is known. */
#define SHARP 1e-9
/* Threads are started, in some 50 microseconds, for programs of so many rows and columns: an iteration then takes
 * milliseconds. */
enum { WORTH_POOL = 12000 };
/* A violation that an iteration takes below this part of itself is on its way out: no ray is looked for. */
#define LINGERS 0.8
/* How far inside the boundary cold starts begin, one after another: programs whose multipliers or points are huge need
 * it, others need more iterations for it. */
static const double START_SIZES[] = {1.0, 1e4, 10.0, 1e6};

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

static bool has_snapshots(const mgc__ipm *ipm)
{
    for (uint32_t k = 0; k < SNAPSHOTS; k++)
        if (ipm->snapshot_mu[k] > 0.0) return true;
    return false;
}

static void copy_best(mgc__ipm *ipm, mgc__ipm_part *part)
{
    size_t bytes = (part->end - part->begin) * sizeof(double);

    memcpy(ipm->best_w + part->begin, ipm->w + part->begin, bytes);
    memcpy(ipm->best_y + part->begin, ipm->y + part->begin, bytes);
}

static void keep_best(mgc__ipm *ipm)
{
    if (ipm->now.bound > ipm->bound) ipm->bound = ipm->now.bound;
    if (ipm->iteration > 0 && !(ipm->now.merit < ipm->best.merit)) return;
    ipm->best = ipm->now;
    mgc__ipm_over(ipm, copy_best);
}

/* Best iterate in the caller's units: x within its bounds, z recomputed from the caller's data. */
static void write_result(mgc__ipm *ipm, uint32_t outcome, mgc__ipm_result *result)
{
    const mgc__qp *qp = &ipm->qp;
    double *x = ipm->x_out, *y = ipm->y_out, *z = ipm->z_out, value = 0.0;

    for (uint32_t j = 0; j < qp->n; j++) {
        double v = ipm->best_w[j] * ipm->scale[j];

        v = v >= qp->lower[j] ? v : qp->lower[j];
        x[j] = v <= qp->upper[j] ? v : qp->upper[j];
    }
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
        .ray = NULL};
}

/* Of several runs that all fell short, the best point is the answer. */
static void keep_result(mgc__ipm *ipm, uint32_t outcome)
{
    if (ipm->best.merit >= ipm->kept_merit) return;
    ipm->kept_merit = ipm->best.merit;
    write_result(ipm, outcome, &ipm->result);
}

static void finish(mgc__ipm *ipm, uint32_t outcome, mgc__ipm_result *result)
{
    *result = ipm->result;
    result->outcome = outcome;
    result->iterations = ipm->spent + ipm->iteration;
    if (outcome == MGC_OUTCOME_INFEASIBLE || outcome == MGC_OUTCOME_UNBOUNDED) result->ray = ipm->ray_out;
    if (outcome == MGC_OUTCOME_INFEASIBLE) result->bound = INFINITY;
}

/* Will the solution stay below the cutoff?  Its objective is between bound and that of a nearly feasible point. */
static bool is_decided(const mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    const measure *now = &ipm->now;
    double gap = now->primal_objective - now->bound, room = opts->cutoff - now->primal_objective;

    if (!(opts->decided > 0.0) || now->primal > DECIDED_PRIMAL) return false;
    return gap <= fmin(opts->decided * room, DECIDED_GAP * fmax(1.0, fabs(now->primal_objective)));
}

/* Far out, the terms of Qx cancel and leave nothing but rounding: the gradient there is nobody's. */
static bool is_believable(const mgc__ipm *ipm, double tolerance)
{
    double *error = ipm->work;

    if (!ipm->has_q || ipm->mode != AS_GIVEN) return true;
    memset(error, 0, ipm->n * sizeof *error);
    for (uint32_t j = 0; j < ipm->n; j++)
        for (uint32_t e = ipm->q.start[j]; e < ipm->q.start[j + 1]; e++) {
            uint32_t i = ipm->q.row[e];

            error[i] = fmax(error[i], fabs(ipm->q.value[e] * ipm->w[j]));
            error[j] = fmax(error[j], fabs(ipm->q.value[e] * ipm->w[i]));
        }
    for (uint32_t j = 0; j < ipm->n; j++) {
        double unit = 1.0 / (ipm->scale[j] * ipm->cost_scale * ipm->cost_norm);

        if (unit * error[j] * DBL_EPSILON > fmax(tolerance, BELIEVABLE)) return false;
    }
    return true;
}

/* What stops the loop before another direction is computed; NONE: go on. */
static uint32_t outcome_so_far(mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    bool good = ipm->now.merit <= opts->tolerance, believable = !good || is_believable(ipm, opts->tolerance);

    if (good && believable) return MGC_OUTCOME_OPTIMAL;
    if (ipm->mode == ELASTIC && mgc__ipm_feasible(ipm)) return MGC_OUTCOME_OPTIMAL;
    if (ipm->bound > opts->cutoff) return MGC_OUTCOME_LIMIT;
    if (is_decided(ipm, opts)) return MGC_OUTCOME_OPTIMAL;
    if (ipm->iteration > 0 && ipm->now.primal > opts->tolerance && ipm->now.primal > LINGERS * ipm->primal_before) {
        if (mgc__ipm_proves_infeasible(ipm, ipm->y + ipm->n) || mgc__ipm_proves_infeasible(ipm, ipm->dy + ipm->n))
            return MGC_OUTCOME_INFEASIBLE;
    }
    if (ipm->iteration > 0 && (ipm->now.dual > opts->tolerance || !believable) && ipm->mode == AS_GIVEN) {
        if (mgc__ipm_proves_unbounded(ipm, ipm->w) || mgc__ipm_proves_unbounded(ipm, ipm->dw)) return MGC_OUTCOME_UNBOUNDED;
    }
    if (ipm->spent + ipm->iteration >= opts->iteration_limit) return MGC_OUTCOME_LIMIT;
    if (mgc_ctx_cancelled(ipm->ctx)) return MGC_OUTCOME_CANCELLED;
    if (opts->deadline_ms > 0 && mgc__now_ms(ipm->ctx) >= opts->deadline_ms) return MGC_OUTCOME_LIMIT;
    return MGC_OUTCOME_NONE;
}

static mgc_status report(const mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    if (!opts->progress) return MGC_OK;
    return mgc__verdict(opts->progress(opts->user, ipm->iteration, ipm->now.primal_objective, ipm->bound));
}

/* A gap well within the tolerance is enough: complementarity that falls on while residuals linger only ruins the
 * condition of the Newton system. */
static double least_target(const mgc__ipm *ipm, double tolerance)
{
    double objective = fmax(1.0, fabs(ipm->now.primal_objective)) * ipm->cost_scale;

    return ipm->complementarities == 0 ? 0.0 : GAP_ROOM * tolerance / ipm->gap_weight * objective / ipm->barrier;
}

/* The method's main loop.  MGC_OK and *outcome, or a status that the caller must hand on. */
static mgc_status run(mgc__ipm *ipm, const mgc__ipm_opts *opts, uint32_t *outcome)
{
    uint32_t best_at = 0, bad_steps = 0;
    mgc_status st;

    for (ipm->iteration = 0;; ipm->iteration++) {
        ipm->primal_before = ipm->now.primal;
        mgc__ipm_residuals(ipm, &ipm->now);
        if (ipm->iteration == 0 || ipm->now.merit < 0.9 * ipm->best.merit) best_at = ipm->iteration;
        keep_best(ipm);
        mgc__ipm_snapshot(ipm);
        *outcome = outcome_so_far(ipm, opts);
        if (*outcome != MGC_OUTCOME_NONE) return MGC_OK;
        st = report(ipm, opts);
        if (st == MGC_E_STOPPED) *outcome = MGC_OUTCOME_CANCELLED;
        if (st != MGC_OK) return st == MGC_E_STOPPED ? MGC_OK : st;
        *outcome = MGC_OUTCOME_NUMERICAL;
        if (ipm->iteration - best_at > PATIENCE || !isfinite(ipm->now.mu)) return MGC_OK;
        ipm->mu_least = least_target(ipm, opts->tolerance);
        st = mgc__ipm_direction(ipm);
        if (st == MGC_OK && mgc__ipm_kkt_doubts_direction(ipm)) st = mgc__ipm_direction(ipm);
        if (st == MGC_E_STOPPED) *outcome = MGC_OUTCOME_CANCELLED; /* the factor is not there */
        if (st == MGC_E_STOPPED) return MGC_OK;
        if (st != MGC_OK) return st == MGC_E_NUMERIC ? MGC_OK : st;
        if (ipm->warm && (bad_steps = fmin(ipm->step_primal, ipm->step_dual) < 0.1 ? bad_steps + 1 : 0) >= WARM_BAD_STEPS)
            return MGC_OK; /* NUMERICAL sends the caller to a cold start */
        mgc__ipm_kkt_heed_steps(ipm);
        mgc__ipm_advance(ipm);
    }
}

/* Cancelled before there was a first factor: the point nearest to nought within the bounds is all there is. */
static void stand_still(mgc__ipm *ipm)
{
    ipm->iteration = 0;
    for (uint32_t i = 0; i < ipm->count; i++) {
        double w = 0.0;

        if (i < ipm->n && (ipm->hl[i] > 0.0 || ipm->kind[i] == KIND_FIXED)) w = fmax(w, ipm->lo[i]);
        if (i < ipm->n && (ipm->hu[i] > 0.0 || ipm->kind[i] == KIND_FIXED)) w = fmin(w, ipm->up[i]);
        ipm->w[i] = w;
        ipm->y[i] = ipm->zl[i] = ipm->zu[i] = 0.0;
        ipm->vl[i] = ipm->vu[i] = 1.0;
    }
    mgc__ipm_residuals(ipm, &ipm->now);
    keep_best(ipm);
}

static mgc_status begin_and_run(mgc__ipm *ipm, const mgc__ipm_opts *opts, uint32_t *outcome)
{
    mgc_status st = mgc__ipm_start_cold(ipm);

    if (st == MGC_OK) return run(ipm, opts, outcome);
    if (st != MGC_E_STOPPED) return st;
    stand_still(ipm);
    *outcome = MGC_OUTCOME_CANCELLED;
    return MGC_OK;
}

/* Is there a feasible point?  OPTIMAL: yes; INFEASIBLE: no, with a ray; else unknown.  First the program without its
 * objective.  Then, if that stays open, the least violation: minimise |e|^2 / 2 with Ax + e within the row bounds.  That
 * always has a solution, and its multipliers y = e are a Farkas ray where e is not nought: slower, and surer. */
static mgc_status seek_feasible(mgc__ipm *ipm, const mgc__ipm_opts *opts, uint32_t *outcome)
{
    mgc__ipm_opts inner = *opts;
    uint32_t spent = ipm->iteration;
    mgc_status st = MGC_OK;

    inner.cutoff = INFINITY;
    inner.progress = NULL;
    *outcome = MGC_OUTCOME_NUMERICAL;
    for (uint32_t elastic = 0; elastic < 2 && st == MGC_OK && *outcome == MGC_OUTCOME_NUMERICAL; elastic++) {
        inner.tolerance = elastic ? 0.0 : opts->tolerance; /* to the ray, or until nothing improves */
        mgc__ipm_load(ipm, elastic ? ELASTIC : NO_OBJECTIVE, false);
        mgc__ipm_forget(ipm); /* their scaling is gone */
        st = begin_and_run(ipm, &inner, outcome);
        spent += ipm->iteration;
    }
    ipm->iteration = spent;
    if (st == MGC_E_NUMERIC) *outcome = MGC_OUTCOME_NUMERICAL;
    return st == MGC_E_NUMERIC ? MGC_OK : st;
}

/* An unbounded ray is an outcome only where a feasible point exists. */
static mgc_status confirm_unbounded(mgc__ipm *ipm, const mgc__ipm_opts *opts, uint32_t *outcome)
{
    mgc_status st;

    ipm->bound = -INFINITY;
    write_result(ipm, *outcome, &ipm->result);
    if (ipm->now.primal <= opts->tolerance) return MGC_OK;
    memcpy(ipm->ray_kept, ipm->ray_out, ipm->n * sizeof *ipm->ray_kept);
    st = seek_feasible(ipm, opts, outcome);
    if (st == MGC_OK && *outcome == MGC_OUTCOME_OPTIMAL) {
        *outcome = MGC_OUTCOME_UNBOUNDED;
        write_result(ipm, *outcome, &ipm->result);
        ipm->result.bound = -INFINITY;
        memcpy(ipm->ray_out, ipm->ray_kept, ipm->n * sizeof *ipm->ray_kept);
    }
    return st;
}

/* The loop gave up: perhaps because there is nothing to find.  Its best point stands where that is not shown. */
static mgc_status explain_breakdown(mgc__ipm *ipm, const mgc__ipm_opts *opts, uint32_t *outcome)
{
    mgc_status st;

    keep_result(ipm, *outcome);
    if (ipm->best.primal <= opts->tolerance) return MGC_OK;
    st = seek_feasible(ipm, opts, outcome);
    if (*outcome == MGC_OUTCOME_OPTIMAL) *outcome = MGC_OUTCOME_NUMERICAL;
    return st;
}

static mgc_status start_and_run(mgc__ipm *ipm, enum ipm_mode mode, const mgc__ipm_opts *opts, uint32_t *outcome)
{
    mgc__ipm_load(ipm, mode, false);
    mgc__ipm_forget(ipm);
    return begin_and_run(ipm, opts, outcome);
}

static bool start_near(mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    if (opts->anchor) return mgc__ipm_start_anchored(ipm, opts->anchor);
    if (!opts->warm || !has_snapshots(ipm)) return false;
    mgc__ipm_load(ipm, AS_GIVEN, true);
    return mgc__ipm_start_warm(ipm, IPM_RESIDUAL_PER_MU, true);
}

/* Of linear terms that settle the next solution is looked for from this one's active set, which an answer this sharp
 * tells: one or two iterations more.  A run that ends elsewhere leaves an answer none the worse. */
static mgc_status sharpen(mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    mgc__ipm_opts sharp = *opts;
    uint32_t outcome = MGC_OUTCOME_NONE;
    mgc_status st;

    sharp.tolerance = fmin(SHARP, opts->tolerance);
    ipm->spent = ipm->iteration;
    st = run(ipm, &sharp, &outcome);
    if (st == MGC_OK && outcome == MGC_OUTCOME_OPTIMAL) mgc__ipm_follow_adopt(ipm);
    return st;
}

/* From the active set that the last solve left, where its answer comes within reach. */
static bool follow_last(mgc__ipm *ipm, const mgc__ipm_opts *opts)
{
    if (!mgc__ipm_follow_solution(ipm, opts) || !is_believable(ipm, opts->tolerance)) return false;
    keep_best(ipm);
    return true;
}

/* Warm where that is asked for and the last solve left something near; cold otherwise, and after a warm start that
 * came to nothing. */
static mgc_status minimise(mgc__ipm *ipm, const mgc__ipm_opts *opts, uint32_t *outcome)
{
    bool series = opts->series && !opts->anchor;
    mgc_status st = series ? mgc__ipm_follow_create(ipm) : MGC_OK;

    if (st != MGC_OK) return st;
    ipm->spent = 0;
    *outcome = MGC_OUTCOME_OPTIMAL;
    if (series && follow_last(ipm, opts)) return MGC_OK;
    mgc__ipm_follow_forget(ipm);
    if (start_near(ipm, opts)) {
        ipm->warm = true;
        st = run(ipm, opts, outcome);
        ipm->warm = false;
        bool found = st == MGC_OK && *outcome == MGC_OUTCOME_OPTIMAL;
        if (found && series && mgc__ipm_follow_is_near(ipm)) return sharpen(ipm, opts);
        if (st != MGC_OK || *outcome != MGC_OUTCOME_NUMERICAL) return st;
        ipm->spent = ipm->iteration;
    }
    for (uint32_t attempt = 0; attempt < MGC__COUNT(START_SIZES); attempt++) {
        ipm->start_size = START_SIZES[attempt];
        st = start_and_run(ipm, AS_GIVEN, opts, outcome);
        if (st != MGC_OK || *outcome != MGC_OUTCOME_NUMERICAL || attempt + 1 == MGC__COUNT(START_SIZES)) break;
        ipm->spent += ipm->iteration;
        keep_result(ipm, *outcome);
    }
    ipm->start_size = 1.0;
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

static bool is_empty_row(const mgc__ipm *ipm, uint32_t i)
{
    for (uint32_t e = ipm->at.start[i]; e < ipm->at.start[i + 1]; e++)
        if (ipm->a_raw[ipm->a_of_at[e]] != 0.0) return false;
    return true;
}

/* An empty row that misses 0 clearly is its own proof, multiplied by 1 or -1, whatever tolerance was asked for.  Iterates
 * would come as near to it as they can and break down where no step gains anything. */
static bool empty_row_contradicts(mgc__ipm *ipm, const mgc__qp *qp)
{
    for (uint32_t i = 0; i < qp->m; i++) {
        double miss = fmax(qp->row_lower[i], -qp->row_upper[i]);

        if (!(miss > MGC__EMPTY_ROW_MET * (1.0 + miss)) || !is_empty_row(ipm, i)) continue;
        ipm->ray_out[i] = qp->row_lower[i] > 0.0 ? 1.0 : -1.0;
        return true;
    }
    return false;
}

/* Whether the program contradicts itself before any step; the ray is then in place.  Crossed bounds are their own
 * certificate: the ray says nothing. */
static bool contradicts(mgc__ipm *ipm, const mgc__qp *qp)
{
    memset(ipm->ray_out, 0, ipm->count * sizeof *ipm->ray_out);
    return bounds_cross(qp) || empty_row_contradicts(ipm, qp);
}

static mgc_status solve_prepared(mgc__ipm *ipm, const mgc__qp *qp, const mgc__ipm_opts *opts, mgc__ipm_result *result)
{
    uint32_t outcome = MGC_OUTCOME_INFEASIBLE;
    mgc_status st;

    ipm->bound = -INFINITY;
    ipm->kept_merit = NAN;
    ipm->gap_weight = opts->gap > 0.0 ? fmax(1.0, opts->tolerance / opts->gap) : 1.0;
    ipm->iteration = 0;
    if (contradicts(ipm, qp)) {
        memset(ipm->best_w, 0, ipm->count * sizeof *ipm->best_w);
        memset(ipm->best_y, 0, ipm->count * sizeof *ipm->best_y);
        write_result(ipm, outcome, &ipm->result);
        finish(ipm, outcome, result);
        return MGC_OK;
    }
    st = minimise(ipm, opts, &outcome);
    if (st == MGC_OK && outcome == MGC_OUTCOME_UNBOUNDED) {
        st = confirm_unbounded(ipm, opts, &outcome);
    } else if (st == MGC_OK && outcome == MGC_OUTCOME_NUMERICAL) {
        st = explain_breakdown(ipm, opts, &outcome);
    } else if (st == MGC_OK && outcome == MGC_OUTCOME_OPTIMAL) {
        write_result(ipm, outcome, &ipm->result);
    } else if (st == MGC_OK) {
        keep_result(ipm, outcome);
    }
    if (st != MGC_OK) return st;
    finish(ipm, outcome, result);
    return MGC_OK;
}

mgc_status mgc__ipm_solve(mgc__ipm *ipm, const mgc__qp *qp, const mgc__ipm_opts *opts, mgc__ipm_result *result)
{
    uint64_t count = (uint64_t)qp->n + qp->m;
    mgc_status st = MGC_OK;

    *result = (mgc__ipm_result){.objective = INFINITY, .bound = -INFINITY};
    if (count >= WORTH_POOL) st = mgc__pool_create(ipm->ctx, opts->threads, &ipm->pool);
    if (st == MGC_OK) st = mgc__ipm_prepare(ipm, qp, opts->warm);
    if (st == MGC_OK) {
        mgc__ldl_set_pool(ipm->ldl, ipm->pool);
        st = solve_prepared(ipm, qp, opts, result);
        mgc__ldl_set_pool(ipm->ldl, NULL);
    }
    mgc__pool_destroy(ipm->pool);
    ipm->pool = NULL;
    return st;
}
