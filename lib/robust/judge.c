/* SPDX-License-Identifier: Apache-2.0 */
/* The judge of what either way to solve found: the point and the certificate against the caller's own data, by code that
 * shares nothing with the programs that were solved. */
#include <math.h>

#include "robust/robust.h"

/* A point that misses a row or bound by more than this and ten tolerances is not called optimal. */
static const double residual_ceiling = 1e-6;

static double violation(double value, double lower, double upper)
{
    if (value < lower) return (lower - value) / (1 + fabs(lower));
    if (value > upper) return (value - upper) / (1 + fabs(upper));
    return isnan(value) ? INFINITY : 0;
}

static double residual(const mgc_twostage *ts, const double *x)
{
    double worst = 0;

    for (uint32_t j = 0; j < ts->n; j++)
        worst = fmax(worst, violation(x[j], ts->columns[j].lower, ts->columns[j].upper));
    for (uint32_t i = 0; i < ts->m; i++) {
        const mgc__ts_row *r = &ts->rows[i];
        double sum = 0;
        for (size_t e = r->start; e < r->start + r->n; e++) sum += ts->entry_value[e] * x[ts->entry_column[e]];
        worst = fmax(worst, violation(sum, r->lower, r->upper));
    }
    return worst;
}

double mgc__ts_costs(const mgc_twostage *ts, const double *x, double *cost)
{
    double first = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++) cost[k] = 0;
    for (uint32_t j = 0; j < ts->n; j++) {
        double part = ts->columns[j].cost * x[j];
        if (ts->columns[j].stage == MGC_FIRST_STAGE)
            first += part;
        else
            cost[ts->columns[j].stage - 1] += part;
    }
    for (size_t q = 0; q < ts->n_quads; q++) {
        const mgc__ts_quad *e = &ts->quads[q];
        first += (e->i == e->j ? 0.5 : 1) * e->value * x[e->i] * x[e->j];
    }
    return first + ts->offset;
}

double mgc__ts_expected(const mgc_twostage *ts, const double *p, const double *cost)
{
    double sum = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++) sum += p[k] * cost[k];
    return sum;
}

/* Does the ray over the rows of ts prove that no point satisfies them?  With y >= 0 on lower sides, <= 0 on upper sides,
 * every point has  sum_i y_i bound_i <= y'Ax <= sum_j max over bounds of (A'y)_j x_j; a ray that turns this round proves. */
static bool ray_proves(const mgc_twostage *ts, const double *ray, double *work)
{
    double margin = 0, size = 0;

    memset(work, 0, ts->n * sizeof *work);
    for (uint32_t i = 0; i < ts->m; i++) size = fmax(size, fabs(ray[i]));
    if (!(size > 0) || !isfinite(size)) return false;
    for (uint32_t i = 0; i < ts->m; i++) {
        const mgc__ts_row *r = &ts->rows[i];
        double y = ray[i] / size, bound = y > 0 ? r->lower : r->upper;
        if (fabs(y) <= 1e-12) continue; /* rounding on a side that has no bound is no claim */
        if (isinf(bound)) {
            if (fabs(y) > 1e-9) return false;
            continue;
        }
        margin += y * bound;
        for (size_t e = r->start; e < r->start + r->n; e++) work[ts->entry_column[e]] += y * ts->entry_value[e];
    }
    for (uint32_t j = 0; j < ts->n; j++) {
        double bound = work[j] > 0 ? ts->columns[j].upper : ts->columns[j].lower;
        if (isinf(bound)) {
            if (fabs(work[j]) > 1e-7) return false;
            continue;
        }
        margin -= work[j] * bound;
    }
    return margin > 0;
}

/* Take the worst probabilities that the multipliers tell, brought into the set, where they are as bad as the oracle's
 * for the costs found: only they agree with the multipliers.  Else the oracle's. */
static void choose_probability(const mgc_twostage *ts, const double *told, const double *oracle, const double *cost,
                               double slack, double *p)
{
    memcpy(p, told != NULL ? told : oracle, ts->scenarios * sizeof *p);
    if (told == NULL) return;
    if (mgc__ts_expected(ts, p, cost) < mgc__ts_expected(ts, oracle, cost) - slack)
        memcpy(p, oracle, ts->scenarios * sizeof *p);
}

mgc_status mgc__ts_judge(mgc_twostage *ts, const mgc_twostage_opts *o, const double *told)
{
    mgc__ts_result *r = &ts->result;
    double gap = mgc__ts_gap(ts, o);
    double *oracle = mgc__alloc(ts->ctx, ts->scenarios, sizeof *oracle);

    if (oracle == NULL) return mgc__no_memory(ts->ctx, "the worst probabilities");
    r->info.first_stage_cost = mgc__ts_costs(ts, r->x, r->cost);
    mgc_status st = mgc_twostage_worst(ts, r->cost, oracle);
    if (st == MGC_OK) {
        r->info.objective = r->info.first_stage_cost + mgc__ts_expected(ts, oracle, r->cost);
        double scale = fmax(1, fabs(r->info.objective));
        choose_probability(ts, told, oracle, r->cost, gap * scale, r->p);
        r->has_p = true;
        r->info.gap = fmax(0, (r->info.objective - r->info.bound) / scale);
        r->info.primal_residual = residual(ts, r->x);
        bool proven = r->info.gap <= gap && r->info.primal_residual <= fmax(residual_ceiling, 10 * o->tolerance);
        if (r->info.outcome == MGC_OUTCOME_OPTIMAL && !proven) {
            mgc__log(ts->ctx, MGC_LOG_WARN,
                     "robust: the point has gap %g and residual %g by its own costs; not called optimal", r->info.gap,
                     r->info.primal_residual);
            r->info.outcome = MGC_OUTCOME_NUMERICAL;
        }
    }
    mgc__free(ts->ctx, oracle);
    return st;
}

mgc_status mgc__ts_take_ray(mgc_twostage *ts, const mgc_program *program)
{
    mgc__ts_result *r = &ts->result;
    uint32_t rows = mgc_program_rows(program);
    double *ray = mgc__alloc(ts->ctx, rows, sizeof *ray), *work = mgc__alloc(ts->ctx, ts->n, sizeof *work);
    mgc_status st = MGC_OK;

    if (ray == NULL || work == NULL) {
        st = mgc__no_memory(ts->ctx, "a certificate");
    } else if (mgc_program_get_ray(program, ray, rows) == MGC_OK && ray_proves(ts, ray, work)) {
        /* The rows of the worst case can always be met by a large alpha or q_k: they have no part in a proof. */
        memcpy(r->ray, ray, ts->m * sizeof *ray);
        r->has_ray = true;
    }
    mgc__free(ts->ctx, ray);
    mgc__free(ts->ctx, work);
    return st;
}
