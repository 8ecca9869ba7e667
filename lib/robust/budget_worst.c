/* SPDX-License-Identifier: Apache-2.0 */
/* The worst case of one first stage, exactly.  The recourse cost is convex in z, as a maximum over its dual's corners of what is
 * linear in z, so that the worst z is a corner of Z: where Z has few, all are tried; where it has many, branch and bound
 * over z (budget_branch.c), which needs bounds on the multipliers of the rows that move.  They are derived here, by two
 * linear programs for each over the dual's points, and never guessed. */
#include <math.h>
#include <stdio.h>

#include "robust/budget.h"

/* Corners are dealt out in this many parts whatever the number of threads, so that each part's programs are the same. */
enum { PARTS = 16 };
/* Inner programs are asked for more than the search needs: one that ends with less is good enough with such residuals and a
 * quarter of the gap. */
static const double residual_ceiling = 1e-7;

bool mgc__search_opts(const mgc__search *s, mgc_program_opts *o)
{
    mgc_program_opts_init(o, sizeof *o);
    o->tolerance = s->opts->tolerance;
    if (s->opts->time_limit_s > 0) {
        o->time_limit_s = s->opts->time_limit_s - 1e-3 * (double)(mgc__now_ms(s->budget->ctx) - s->begun_ms);
        return o->time_limit_s > 0;
    }
    return true;
}

/* Some z of Z, and whether there is any: the mean of its corners, or a linear program. */
static mgc_status some_z(mgc__search *s)
{
    mgc_budget *b = s->budget;
    mgc_program_info pi = {.struct_size = sizeof pi};
    mgc_program *lp = NULL;
    uint32_t first;

    for (uint32_t c = 0; c < s->corners.n; c++)
        for (uint32_t i = 0; i < b->parameters; i++) s->z[i] += s->corners.z[c * (size_t)b->parameters + i] / s->corners.n;
    if (s->corners.n > 0) return MGC_OK;
    if (s->corners.all) return mgc__fail(b->ctx, MGC_E_INVALID_ARG, "robust: the limits leave no z at all");
    mgc_status st = mgc_program_create(b->ctx, &lp);
    if (st == MGC_OK) st = mgc__budget_add_set(b, NULL, b->z_lower, b->z_upper, lp, &first);
    if (st == MGC_OK) st = mgc_program_solve(lp, NULL, &pi);
    if (st == MGC_OK && pi.outcome == MGC_OUTCOME_INFEASIBLE)
        st = mgc__fail(b->ctx, MGC_E_INVALID_ARG, "robust: the limits leave no z at all");
    if (st == MGC_OK) st = mgc_program_get_x(lp, s->z, b->parameters);
    mgc_program_destroy(lp);
    return st;
}

mgc_status mgc__search_begin(mgc__search *s)
{
    mgc_budget *b = s->budget;

    s->z = mgc__alloc(b->ctx, b->parameters, sizeof *s->z);
    s->y = mgc__alloc(b->ctx, b->n_second, sizeof *s->y);
    if (s->z == NULL || s->y == NULL) return mgc__no_memory(b->ctx, "the search for the worst case");
    mgc_status st = mgc__budget_corners(b, s->opts->vertex_limit, &s->corners);
    return st == MGC_OK ? some_z(s) : st;
}

void mgc__search_free(mgc__search *s)
{
    mgc_ctx *ctx = s->budget->ctx;

    mgc__free(ctx, s->z);
    mgc__free(ctx, s->y);
    mgc__free(ctx, s->corners.z);
    mgc__free(ctx, s->multiplier_lower);
    mgc__free(ctx, s->multiplier_upper);
}

/* --- one recourse problem ---------------------------------------------------------------------------------------- */

bool mgc__search_usable(const mgc__search *s, const mgc_program_info *pi)
{
    if (pi->outcome == MGC_OUTCOME_OPTIMAL) return true;
    return pi->outcome == MGC_OUTCOME_NUMERICAL && pi->primal_residual <= residual_ceiling && pi->gap <= s->opts->gap / 4;
}

static double cost_of(const mgc__search *s, const mgc_program_info *pi)
{
    if (mgc__search_usable(s, pi)) return pi->objective;
    switch (pi->outcome) {
    case MGC_OUTCOME_INFEASIBLE: return INFINITY;
    case MGC_OUTCOME_UNBOUNDED: return -INFINITY;
    default: return NAN;
    }
}

mgc_status mgc__search_at(mgc__search *s, mgc_program *recourse, const double *z, double *y, double *multiplier, double *cost)
{
    mgc_program_info pi = {.struct_size = sizeof pi};
    mgc_budget *b = s->budget;
    mgc_program_opts o;

    *cost = NAN;
    if (!mgc__search_opts(s, &o)) {
        s->outcome = MGC_OUTCOME_LIMIT;
        return MGC_OK;
    }
    mgc_status st = mgc__recourse_set(b, s->x, z, recourse);
    if (st == MGC_OK) st = mgc_program_solve(recourse, &o, &pi);
    if (st != MGC_OK) return st;
    s->solves++;
    *cost = cost_of(s, &pi);
    if (isnan(*cost)) s->outcome = pi.outcome;
    if (isfinite(*cost)) st = mgc_program_get_x(recourse, y, b->n_second);
    if (isfinite(*cost) && st == MGC_OK) st = mgc_program_get_y(recourse, multiplier, b->m_second);
    if (isinf(*cost)) mgc__budget_blame(b, recourse, pi.outcome, z);
    return st;
}

/* --- all corners ------------------------------------------------------------------------------------------------- */

typedef struct corner_run {
    const mgc__search *search;
    mgc_ctx *child[PARTS];
    double *cost;           /* of each corner */
    mgc_status status[PARTS];
    uint32_t outcome[PARTS];
} corner_run;

static mgc_status try_corner(corner_run *run, size_t part, mgc_program *recourse, uint32_t c)
{
    mgc_program_info pi = {.struct_size = sizeof pi};
    const mgc__search *s = run->search;
    mgc_program_opts o;

    run->cost[c] = NAN;
    if (!mgc__search_opts(s, &o)) {
        run->outcome[part] = MGC_OUTCOME_LIMIT;
        return MGC_OK;
    }
    mgc_status st = mgc__recourse_set(s->budget, s->x, s->corners.z + c * (size_t)s->budget->parameters, recourse);
    if (st == MGC_OK) st = mgc_program_solve(recourse, &o, &pi);
    if (st != MGC_OK) return st;
    run->cost[c] = cost_of(s, &pi);
    if (isnan(run->cost[c])) run->outcome[part] = pi.outcome;
    return MGC_OK;
}

static void try_part(void *user, size_t part)
{
    corner_run *run = user;
    const mgc__search *s = run->search;
    mgc_program *recourse = NULL;
    uint32_t from = (uint32_t)(s->corners.n * part / PARTS), to = (uint32_t)(s->corners.n * (part + 1) / PARTS);

    if (from == to) return;
    mgc_status st = mgc__recourse_build(s->budget, run->child[part], s->plain, &recourse);
    for (uint32_t c = from; c < to && st == MGC_OK && run->outcome[part] == MGC_OUTCOME_OPTIMAL; c++)
        st = try_corner(run, part, recourse, c);
    mgc_program_destroy(recourse);
    run->status[part] = st;
}

/* The first of the dearest; a corner without recourse is dearer than any, one of unbounded recourse settles all. */
static uint32_t dearest(const corner_run *run, uint32_t n)
{
    uint32_t best = 0;

    for (uint32_t c = 0; c < n; c++) {
        if (run->cost[c] == -INFINITY) return c;
        if (run->cost[c] > run->cost[best]) best = c;
    }
    return best;
}

/* Once more at the corner that was found, for its recourse and, where it has none, for who is to blame. */
static mgc_status take_corner(mgc__search *s, uint32_t corner)
{
    mgc_budget *b = s->budget;
    double *multiplier = mgc__alloc(b->ctx, b->m_second, sizeof *multiplier);
    mgc_program *recourse = NULL;
    mgc_status st = multiplier == NULL ? mgc__no_memory(b->ctx, "multipliers")
                                       : mgc__recourse_build(b, b->ctx, s->plain, &recourse);

    memcpy(s->z, s->corners.z + corner * (size_t)b->parameters, b->parameters * sizeof *s->z);
    if (st == MGC_OK) st = mgc__search_at(s, recourse, s->z, s->y, multiplier, &s->cost);
    s->upper = s->cost;
    mgc_program_destroy(recourse);
    mgc__free(b->ctx, multiplier);
    return st;
}

static mgc_status try_all_corners(mgc__search *s)
{
    mgc_ctx *ctx = s->budget->ctx;
    corner_run run = {.search = s};
    mgc_status st = MGC_OK;

    run.cost = mgc__alloc(ctx, s->corners.n, sizeof *run.cost);
    if (run.cost == NULL) return mgc__no_memory(ctx, "the corners' costs");
    for (size_t part = 0; part < PARTS && st == MGC_OK; part++) {
        run.outcome[part] = MGC_OUTCOME_OPTIMAL;
        st = mgc__ctx_child(ctx, &run.child[part]);
    }
    if (st == MGC_OK) mgc__parallel(s->opts->threads, PARTS, try_part, &run);
    for (size_t part = 0; part < PARTS; part++) {
        if (st == MGC_OK && run.status[part] != MGC_OK)
            st = mgc__fail(ctx, run.status[part], "%s", mgc_ctx_error(run.child[part]));
        if (s->outcome == MGC_OUTCOME_OPTIMAL) s->outcome = run.outcome[part];
        mgc_ctx_destroy(run.child[part]);
    }
    s->solves += s->corners.n;
    if (st == MGC_OK && s->outcome == MGC_OUTCOME_OPTIMAL) st = take_corner(s, dearest(&run, s->corners.n));
    mgc__free(ctx, run.cost);
    return st;
}

/* --- bounds of multipliers --------------------------------------------------------------------------------------- */

static bool moves(const mgc_budget *b, uint32_t row)
{
    for (size_t e = 0; e < b->n_shifts; e++)
        if (b->shifts[e].row == row) return true;
    return false;
}

/* The largest value of sign (plus - minus) over the dual's points; INFINITY where there is none. */
static mgc_status extreme(mgc__search *s, mgc_program *dual, uint32_t plus, uint32_t minus, double sign, double *value)
{
    mgc_program_info pi = {.struct_size = sizeof pi};
    mgc_program_opts o;
    mgc_status st = MGC_OK;

    *value = INFINITY;
    if (!mgc__search_opts(s, &o)) {
        s->outcome = MGC_OUTCOME_LIMIT;
        return MGC_OK;
    }
    if (plus != UINT32_MAX) st = mgc_program_set_cost(dual, plus, -sign);
    if (minus != UINT32_MAX && st == MGC_OK) st = mgc_program_set_cost(dual, minus, sign);
    if (st == MGC_OK) st = mgc_program_solve(dual, &o, &pi);
    if (st == MGC_OK && mgc__search_usable(s, &pi)) *value = -pi.bound; /* proven: no multiplier is beyond */
    s->solves++;
    if (plus != UINT32_MAX && st == MGC_OK) st = mgc_program_set_cost(dual, plus, 0);
    return minus != UINT32_MAX && st == MGC_OK ? mgc_program_set_cost(dual, minus, 0) : st;
}

static mgc_status bound_row(mgc__search *s, mgc_program *dual, uint32_t row, const uint32_t *plus, const uint32_t *minus)
{
    mgc_budget *b = s->budget;
    uint32_t i = b->rows[row].local;
    double most = 0, least = 0;
    mgc_status st = extreme(s, dual, plus[i], minus[i], 1, &most);

    if (st == MGC_OK) st = extreme(s, dual, plus[i], minus[i], -1, &least);
    s->multiplier_upper[i] = most;
    s->multiplier_lower[i] = -least;
    if (st == MGC_OK && s->outcome == MGC_OUTCOME_OPTIMAL && (isinf(most) || isinf(least))) {
        snprintf(b->explanation, sizeof b->explanation,
                 "the set has more than %u corners, and the multiplier of row %u%s%.60s%s has no bound, so that no exact search "
                 "is possible: give the row a way out at a price, or raise vertex_limit", s->opts->vertex_limit, row,
                 b->rows[row].name != NULL ? " (" : "", b->rows[row].name != NULL ? b->rows[row].name : "",
                 b->rows[row].name != NULL ? ")" : "");
        s->outcome = MGC_OUTCOME_LIMIT;
    }
    return st;
}

mgc_status mgc__search_bounds(mgc__search *s)
{
    mgc_budget *b = s->budget;
    uint32_t *plus = mgc__alloc(b->ctx, (size_t)b->m_second * 2, sizeof *plus);
    mgc_program *dual = NULL;

    s->multiplier_lower = mgc__alloc(b->ctx, b->m_second, sizeof *s->multiplier_lower);
    s->multiplier_upper = mgc__alloc(b->ctx, b->m_second, sizeof *s->multiplier_upper);
    mgc_status st = plus == NULL || s->multiplier_lower == NULL || s->multiplier_upper == NULL
                        ? mgc__no_memory(b->ctx, "bounds of multipliers")
                        : mgc_program_create(b->ctx, &dual);
    if (st == MGC_OK) st = mgc__dual_build(b, NULL, s->plain, plus, plus + b->m_second, dual);
    for (uint32_t j = 0; st == MGC_OK && j < mgc_program_columns(dual); j++) st = mgc_program_set_cost(dual, j, 0);
    for (uint32_t i = 0; i < b->m && st == MGC_OK && s->outcome == MGC_OUTCOME_OPTIMAL; i++)
        if (b->rows[i].stage == MGC_RECOURSE && moves(b, i)) st = bound_row(s, dual, i, plus, plus + b->m_second);
    mgc_program_destroy(dual);
    mgc__free(b->ctx, plus);
    return st;
}

/* --- the search -------------------------------------------------------------------------------------------------- */

mgc_status mgc__search_worst(mgc__search *s)
{
    mgc_status st = MGC_OK;

    s->outcome = MGC_OUTCOME_OPTIMAL;
    s->cost = -INFINITY;
    s->upper = INFINITY;
    if (s->corners.all) return try_all_corners(s);
    if (s->multiplier_lower == NULL) st = mgc__search_bounds(s);
    return st == MGC_OK && s->outcome == MGC_OUTCOME_OPTIMAL ? mgc__search_branch(s) : st;
}
