/* SPDX-License-Identifier: Apache-2.0 */
/* Column-and-constraint generation for budget uncertainty (Zeng and Zhao 2013, section 3), doc/math/robust.md (11):
 *
 *     repeat  master: min c'x + eta,  eta >= b'y^s and the recourse rows of z^s for each worst case z^s so far: lower bound
 *             worst case of its x: upper bound c'x + worst recourse cost
 *             stop where upper - lower is small enough
 *             add the worst case with recourse columns of its own
 *
 * A worst case that leaves x no recourse is added like any other: its rows keep later masters from such x. */
#include <math.h>
#include <stdio.h>

#include "robust/budget.h"

enum { THREADS_MAX = 1024 };

static const mgc_budget_opts opts_defaults = {.struct_size = sizeof(mgc_budget_opts), .tolerance = 1e-8, .gap = 1e-6,
                                              .threads = 1, .round_limit = 200, .vertex_limit = 512};

void mgc_budget_opts_init(mgc_budget_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &opts_defaults, sizeof opts_defaults);
}

static mgc_status read_opts(const mgc_budget *b, const mgc_budget_opts *given, mgc_budget_opts *o)
{
    mgc_ctx *ctx = b->ctx;

    *o = opts_defaults;
    mgc_status st = mgc__opts_read(o, sizeof *o, MGC__FIRST_SIZE(mgc_budget_opts, user), given);
    if (st != MGC_OK) return mgc__fail(ctx, st, "robust: opts.struct_size is not one this library knows");
    if (!(o->tolerance >= 1e-12 && o->tolerance <= 1e-2))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: tolerance is %g; must be 1e-12..1e-2", o->tolerance);
    if (!(o->gap > 0 && o->gap < INFINITY))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: gap is %g; must be > 0", o->gap);
    if (!(o->time_limit_s >= 0 && o->time_limit_s <= 1e9))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: time limit is %g s; must be 0..1e9", o->time_limit_s);
    if (o->time_limit_s > 0 && !mgc__has_clock(ctx))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: a time limit of %g s needs a clock in the context", o->time_limit_s);
    if (o->threads == 0 || o->threads > THREADS_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: threads is %u; must be 1..%d", o->threads, THREADS_MAX);
    if (o->round_limit == 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: round limit is 0; must be at least 1");
    if (o->vertex_limit > BUDGET_VERTICES_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: vertex limit is %u; must be 0..%d", o->vertex_limit,
                         BUDGET_VERTICES_MAX);
    if (o->reserved0 != 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: opts.reserved0 is %u; must be 0", o->reserved0);
    return MGC_OK;
}

/* --- the master -------------------------------------------------------------------------------------------------- */

typedef struct rounds {
    mgc_budget *b;
    mgc_budget_opts o;
    mgc__search search;
    mgc_program *master;
    double *x;              /* columns: the last master's first stage */
    double *point;
    size_t cap_point;
    double *cases;          /* worst cases so far: n_cases x parameters */
    size_t n_cases, cap_cases;
    uint32_t *columns, *first_row; /* room for a row; cases: first row of each in the master */
    size_t cap_first_row;
    double *values;
    uint32_t eta;
    bool open;              /* eta has no bound of its own: a case is needed before the first master */
    bool plain;
    double tolerance, lower, upper;
    bool warm;
} rounds;

static double cost_of(const rounds *r, const mgc__budget_column *c)
{
    return r->plain ? 0 : c->cost;
}

/* sum_j min over the bounds of b_j y_j: eta is at least that, whatever z is. */
static double least_recourse(const rounds *r)
{
    double sum = 0;

    for (uint32_t j = 0; j < r->b->n; j++) {
        const mgc__budget_column *c = &r->b->columns[j];
        double cost = cost_of(r, c);
        if (c->stage == MGC_RECOURSE && cost != 0) sum += cost * (cost > 0 ? c->lower : c->upper);
    }
    return sum;
}

static mgc_status add_first_stage(rounds *r)
{
    const mgc_budget *b = r->b;
    mgc_status st = MGC_OK;

    for (uint32_t j = 0; j < b->n && st == MGC_OK; j++) {
        const mgc__budget_column *c = &b->columns[j];
        if (c->stage == MGC_RECOURSE) continue;
        st = mgc_program_add_column(r->master, cost_of(r, c), c->lower, c->upper, NULL);
        if (st == MGC_OK && c->integer) st = mgc_program_set_integer(r->master, c->local, 1);
    }
    for (uint32_t i = 0; i < b->m && st == MGC_OK; i++) {
        const mgc__budget_row *row = &b->rows[i];
        if (row->stage == MGC_RECOURSE) continue;
        for (uint32_t e = 0; e < row->n; e++) r->columns[e] = b->columns[b->entry_column[row->start + e]].local;
        st = mgc_program_add_row(r->master, row->lower, row->upper, r->columns, b->entry_value + row->start, row->n, NULL);
    }
    double least = least_recourse(r);
    r->open = !isfinite(least);
    /* Without any case and any bound eta would fall for ever. */
    return st == MGC_OK ? mgc_program_add_column(r->master, 1, r->open ? -INFINITY : least, INFINITY, &r->eta) : st;
}

/* eta - b'y >= 0 for the new case's recourse columns, which begin at `base`. */
static mgc_status add_eta_row(rounds *r, uint32_t base)
{
    const mgc_budget *b = r->b;
    size_t n = 0;

    r->columns[n] = r->eta;
    r->values[n++] = 1;
    for (uint32_t j = 0; j < b->n; j++) {
        const mgc__budget_column *c = &b->columns[j];
        if (c->stage == MGC_FIRST_STAGE || cost_of(r, c) == 0) continue;
        r->columns[n] = base + c->local;
        r->values[n++] = -cost_of(r, c);
    }
    return mgc_program_add_row(r->master, 0, INFINITY, r->columns, r->values, n, NULL);
}

static mgc_status add_case_rows(rounds *r, const double *z, uint32_t base)
{
    const mgc_budget *b = r->b;
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < b->m && st == MGC_OK; i++) {
        const mgc__budget_row *row = &b->rows[i];
        if (row->stage == MGC_FIRST_STAGE) continue;
        double move = mgc__recourse_shift(b, i, z);
        for (uint32_t e = 0; e < row->n; e++) {
            const mgc__budget_column *c = &b->columns[b->entry_column[row->start + e]];
            r->columns[e] = c->stage == MGC_RECOURSE ? base + c->local : c->local;
        }
        st = mgc_program_add_row(r->master, row->lower + move, row->upper + move, r->columns, b->entry_value + row->start,
                                 row->n, NULL);
    }
    return st;
}

static mgc_status add_case(rounds *r, const double *z)
{
    const mgc_budget *b = r->b;
    uint32_t base = mgc_program_columns(r->master);
    mgc_status st = MGC_OK;

    if (!mgc__grow(b->ctx, (void **)&r->cases, &r->cap_cases, (r->n_cases + 1) * b->parameters, sizeof *r->cases) ||
        !mgc__grow(b->ctx, (void **)&r->first_row, &r->cap_first_row, r->n_cases + 1, sizeof *r->first_row))
        return mgc__no_memory(b->ctx, "a worst case");
    memcpy(r->cases + r->n_cases * b->parameters, z, b->parameters * sizeof *z);
    r->first_row[r->n_cases++] = mgc_program_rows(r->master);
    for (uint32_t j = 0; j < b->n && st == MGC_OK; j++) {
        const mgc__budget_column *c = &b->columns[j];
        if (c->stage == MGC_RECOURSE) st = mgc_program_add_column(r->master, 0, c->lower, c->upper, NULL);
    }
    if (st == MGC_OK) st = add_case_rows(r, z, base);
    return st == MGC_OK ? add_eta_row(r, base) : st;
}

static bool has_case(const rounds *r, const double *z)
{
    uint32_t n = r->b->parameters;

    for (size_t c = 0; c < r->n_cases; c++) {
        double most = 0;
        for (uint32_t i = 0; i < n; i++) most = fmax(most, fabs(r->cases[c * n + i] - z[i]) / (1 + fabs(z[i])));
        if (most <= 1e-9) return true; /* rounding of a corner */
    }
    return false;
}

/* --- explanations ------------------------------------------------------------------------------------------------ */

/* No first stage serves all the cases at once: the master's certificate says which of them, and which rows, clash. */
static void explain_infeasible(rounds *r)
{
    mgc_budget *b = r->b;
    uint32_t rows = mgc_program_rows(r->master), named = 0;
    double *ray = mgc__alloc(b->ctx, rows, sizeof *ray), most = 0;
    size_t at = 0, room = sizeof b->explanation;

    at += (size_t)snprintf(b->explanation, room, "no first stage serves the worst cases found");
    bool told = ray != NULL && mgc_program_get_ray(r->master, ray, rows) == MGC_OK;
    for (uint32_t i = 0; i < rows && told; i++) most = fmax(most, fabs(ray[i]));
    for (size_t c = 0; c < r->n_cases && told && at < room; c++)
        for (uint32_t i = 0; i < b->m && named < 6 && at < room; i++) {
            if (b->rows[i].stage == MGC_FIRST_STAGE || fabs(ray[r->first_row[c] + b->rows[i].local]) <= 1e-6 * most) continue;
            int n = snprintf(b->explanation + at, room - at, "%s row %u%s%.60s%s of case %zu", named == 0 ? ":" : ",", i,
                             b->rows[i].name != NULL ? " (" : "", b->rows[i].name != NULL ? b->rows[i].name : "",
                             b->rows[i].name != NULL ? ")" : "", c + 1);
            at += n > 0 ? (size_t)n : 0;
            named++;
        }
    for (size_t c = 0; c < r->n_cases && c < 4 && at < room; c++) {
        int n = snprintf(b->explanation + at, room - at, "; case %zu:", c + 1);
        at += n > 0 ? (size_t)n : 0;
        for (uint32_t i = 0, said = 0; i < b->parameters && said < 8 && at < room; i++) {
            if (r->cases[c * b->parameters + i] == 0) continue;
            n = mgc__format(b->explanation + at, room - at, " z%u = %.6g", i, r->cases[c * b->parameters + i]);
            at += n > 0 ? (size_t)n : 0;
            said++;
        }
    }
    mgc__free(b->ctx, ray);
}

/* Along which columns the master, with at least one case, has no end. */
static void explain_unbounded(rounds *r)
{
    mgc_budget *b = r->b;
    uint32_t n = mgc_program_columns(r->master), named = 0;
    double *ray = mgc__alloc(b->ctx, n, sizeof *ray), most = 0;
    size_t at = 0, room = sizeof b->explanation;

    at += (size_t)snprintf(b->explanation, room, "the cost falls without end");
    bool told = ray != NULL && mgc_program_get_ray(r->master, ray, n) == MGC_OK;
    for (uint32_t j = 0; j < n && told; j++) most = j == r->eta ? most : fmax(most, fabs(ray[j]));
    for (uint32_t j = 0; j < b->n && told && named < 6 && at < room; j++) {
        const mgc__budget_column *c = &b->columns[j];
        /* Recourse columns of the first case come after eta. */
        double along = ray[c->stage == MGC_RECOURSE ? r->eta + 1 + c->local : c->local];
        if (fabs(along) <= 1e-6 * most) continue;
        int k = snprintf(b->explanation + at, room - at, "%s column %u%s%.60s%s", named == 0 ? " along" : ",", j,
                         c->name != NULL ? " (" : "", c->name != NULL ? c->name : "", c->name != NULL ? ")" : "");
        at += k > 0 ? (size_t)k : 0;
        named++;
    }
    mgc__free(b->ctx, ray);
}

/* --- rounds ------------------------------------------------------------------------------------------------------ */

static mgc_status solve_master(rounds *r, mgc_program_info *pi)
{
    mgc_budget *b = r->b;
    mgc_program_opts o;
    size_t n = mgc_program_columns(r->master);

    *pi = (mgc_program_info){.struct_size = sizeof *pi, .outcome = MGC_OUTCOME_LIMIT, .bound = -INFINITY};
    r->search.opts = &r->o;
    if (!mgc__search_opts(&r->search, &o)) return MGC_OK;
    o.tolerance = r->tolerance;
    o.gap = r->o.gap / 4; /* the rest is left to the search and the cases */
    o.threads = r->o.threads;
    mgc_status st = mgc_program_solve(r->master, &o, pi);
    if (st != MGC_OK) return st;
    b->info.rounds++;
    r->lower = fmax(r->lower, pi->bound);
    if (!mgc__search_usable(&r->search, pi)) return MGC_OK;
    pi->outcome = MGC_OUTCOME_OPTIMAL;
    if (!mgc__grow(b->ctx, (void **)&r->point, &r->cap_point, n, sizeof *r->point))
        return mgc__no_memory(b->ctx, "the master's point");
    st = mgc_program_get_x(r->master, r->point, n);
    for (uint32_t j = 0; j < b->n; j++)
        r->x[j] = b->columns[j].stage == MGC_FIRST_STAGE ? r->point[b->columns[j].local] : 0;
    return st;
}

static double first_stage_cost(const rounds *r)
{
    double sum = 0;

    for (uint32_t j = 0; j < r->b->n; j++)
        if (r->b->columns[j].stage == MGC_FIRST_STAGE) sum += cost_of(r, &r->b->columns[j]) * r->x[j];
    return sum;
}

/* Upper bound of the last x; kept as the result where it is the best so far. */
static void take_point(rounds *r)
{
    mgc_budget *b = r->b;
    double first = first_stage_cost(r), upper = first + r->search.upper;

    if (!(upper < r->upper)) return;
    r->upper = upper;
    b->info.first_stage_cost = first;
    memcpy(b->x, r->x, b->n * sizeof *b->x);
    for (uint32_t j = 0; j < b->n; j++)
        if (b->columns[j].stage == MGC_RECOURSE) b->x[j] = r->search.y[b->columns[j].local];
    memcpy(b->z, r->search.z, b->parameters * sizeof *b->z);
    b->has_x = true;
}

static mgc_status tell(rounds *r, uint32_t *outcome)
{
    if (r->o.progress == NULL || r->plain) return MGC_OK;
    mgc_status st = mgc__verdict(r->o.progress(r->o.user, r->b->info.rounds, r->upper, r->lower));
    if (st == MGC_OK) return MGC_OK;
    if (st != MGC_E_STOPPED)
        return mgc__fail(r->b->ctx, st, "robust: the progress callback answered %s", mgc_status_name(st));
    *outcome = MGC_OUTCOME_CANCELLED;
    return MGC_OK;
}

/* Done, or one more case; a case that is there already means that the gap left is the master's inaccuracy. */
static mgc_status next_step(rounds *r, uint32_t *outcome)
{
    mgc_budget *b = r->b;

    if (isfinite(r->upper) && r->upper - r->lower <= r->o.gap * fmax(1, fabs(r->upper))) {
        *outcome = MGC_OUTCOME_OPTIMAL;
    } else if (b->info.rounds >= r->o.round_limit) {
        *outcome = MGC_OUTCOME_LIMIT;
    } else if (!has_case(r, r->search.z)) {
        b->info.scenarios++;
        b->info.unserved += r->search.cost == INFINITY;
        return add_case(r, r->search.z);
    } else if (r->tolerance > 1e-11) {
        r->tolerance = fmax(r->tolerance / 10, 1e-11);
    } else {
        *outcome = r->search.outcome != MGC_OUTCOME_OPTIMAL ? r->search.outcome : MGC_OUTCOME_NUMERICAL;
    }
    return MGC_OK;
}

static mgc_status worst_of_point(rounds *r, uint32_t *outcome)
{
    r->search.x = r->x;
    mgc_status st = mgc__search_worst(&r->search);
    r->b->info.recourse_solves = r->search.solves;
    if (st != MGC_OK) return st;
    if (r->search.outcome != MGC_OUTCOME_OPTIMAL && !isfinite(r->search.cost)) {
        *outcome = r->search.outcome;
        return MGC_OK;
    }
    if (r->search.cost == -INFINITY) { /* the dual has no point, whatever x and z are */
        *outcome = MGC_OUTCOME_UNBOUNDED;
        return MGC_OK;
    }
    take_point(r);
    return MGC_OK;
}

static mgc_status one_round(rounds *r, uint32_t *outcome)
{
    mgc_program_info pi;
    mgc_status st = solve_master(r, &pi);

    if (st != MGC_OK) return st;
    if (pi.outcome == MGC_OUTCOME_UNBOUNDED && r->n_cases == 0) return add_case(r, r->search.z);
    *outcome = pi.outcome;
    if (pi.outcome == MGC_OUTCOME_INFEASIBLE) explain_infeasible(r);
    if (pi.outcome == MGC_OUTCOME_UNBOUNDED) explain_unbounded(r);
    if (pi.outcome != MGC_OUTCOME_OPTIMAL) return MGC_OK;
    *outcome = MGC_OUTCOME_NONE;
    st = worst_of_point(r, outcome);
    if (st != MGC_OK || *outcome != MGC_OUTCOME_NONE) return st;
    st = tell(r, outcome);
    return st == MGC_OK && *outcome == MGC_OUTCOME_NONE ? next_step(r, outcome) : st;
}

static void free_rounds(rounds *r)
{
    mgc_ctx *ctx = r->b->ctx;

    mgc_program_destroy(r->master);
    mgc__search_free(&r->search);
    mgc__free(ctx, r->x);
    mgc__free(ctx, r->point);
    mgc__free(ctx, r->cases);
    mgc__free(ctx, r->columns);
    mgc__free(ctx, r->first_row);
    mgc__free(ctx, r->values);
}

static mgc_status begin_rounds(rounds *r)
{
    mgc_budget *b = r->b;

    r->x = mgc__alloc(b->ctx, b->n, sizeof *r->x);
    r->columns = mgc__alloc(b->ctx, b->n_entries + b->n + 1, sizeof *r->columns);
    r->values = mgc__alloc(b->ctx, (size_t)b->n + 1, sizeof *r->values);
    if (r->x == NULL || r->columns == NULL || r->values == NULL) return mgc__no_memory(b->ctx, "a robust program");
    mgc_status st = mgc__search_begin(&r->search);
    if (st == MGC_OK) st = mgc_program_create(b->ctx, &r->master);
    if (st == MGC_OK) st = add_first_stage(r);
    return st == MGC_OK && r->open ? add_case(r, r->search.z) : st;
}

static mgc_status run_rounds(mgc_budget *b, const mgc_budget_opts *o, uint64_t begun_ms, bool plain, uint32_t *outcome)
{
    rounds r = {.b = b, .o = *o, .plain = plain, .tolerance = o->tolerance, .lower = -INFINITY, .upper = INFINITY};

    r.search = (mgc__search){.budget = b, .opts = &r.o, .begun_ms = begun_ms, .plain = plain};
    *outcome = MGC_OUTCOME_NONE;
    mgc_status st = begin_rounds(&r);
    while (st == MGC_OK && *outcome == MGC_OUTCOME_NONE) {
        if (mgc_ctx_cancelled(b->ctx))
            *outcome = MGC_OUTCOME_CANCELLED;
        else
            st = one_round(&r, outcome);
    }
    b->info.objective = r.upper;
    b->info.bound = r.lower;
    free_rounds(&r);
    return st;
}

/* Unbounded only where there is a point that has recourse in all cases: the same rounds without costs find one, or prove that
 * there is none. */
static mgc_status confirm_unbounded(mgc_budget *b, const mgc_budget_opts *o, uint64_t begun_ms, uint32_t *outcome)
{
    char kept[sizeof b->explanation];
    uint32_t found;

    memcpy(kept, b->explanation, sizeof kept);
    mgc_status st = run_rounds(b, o, begun_ms, true, &found);
    b->has_x = false;
    b->info.objective = INFINITY;
    b->info.bound = -INFINITY;
    if (found == MGC_OUTCOME_OPTIMAL)
        memcpy(b->explanation, kept, sizeof kept);
    else
        *outcome = found;
    return st;
}

static mgc_status prepare(mgc_budget *b)
{
    b->has_x = false;
    b->explanation[0] = '\0';
    b->info = (mgc_budget_info){.struct_size = sizeof b->info, .objective = INFINITY, .bound = -INFINITY, .gap = INFINITY};
    mgc__free(b->ctx, b->x);
    b->x = mgc__alloc(b->ctx, b->n, sizeof *b->x);
    b->result_n = b->n;
    return b->x != NULL ? MGC_OK : mgc__no_memory(b->ctx, "the results of a robust program");
}

mgc_status mgc_budget_solve(mgc_budget *b, const mgc_budget_opts *opts, mgc_budget_info *info)
{
    mgc_budget_opts o;
    uint32_t outcome = MGC_OUTCOME_NONE;

    if (b == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = read_opts(b, opts, &o);
    if (st == MGC_OK) st = prepare(b);
    if (st != MGC_OK) return st;
    uint64_t begun_ms = mgc__now_ms(b->ctx);
    st = run_rounds(b, &o, begun_ms, false, &outcome);
    if (st == MGC_OK && outcome == MGC_OUTCOME_UNBOUNDED) st = confirm_unbounded(b, &o, begun_ms, &outcome);
    if (st != MGC_OK) {
        b->has_x = false;
        return st;
    }
    b->info.outcome = outcome;
    if (b->has_x) b->info.gap = fmax(0, (b->info.objective - b->info.bound) / fmax(1, fabs(b->info.objective)));
    b->info.seconds = 1e-3 * (double)(mgc__now_ms(b->ctx) - begun_ms);
    st = mgc__info_write(info, &b->info, sizeof b->info, MGC__FIRST_SIZE(mgc_budget_info, seconds));
    return st == MGC_OK ? MGC_OK : mgc__fail(b->ctx, st, "robust: info.struct_size is not one this library knows");
}

mgc_status mgc_budget_worst(mgc_budget *b, const mgc_budget_opts *opts, const double *x, size_t n, double *z, double *cost)
{
    mgc_budget_opts o;

    if (b == NULL || x == NULL || cost == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = read_opts(b, opts, &o);
    if (st != MGC_OK) return st;
    if (n != b->n)
        return mgc__fail(b->ctx, MGC_E_INVALID_ARG, "robust: length of point is given as %zu; it is %u", n, b->n);
    for (uint32_t j = 0; j < b->n; j++)
        if (b->columns[j].stage == MGC_FIRST_STAGE && !isfinite(x[j]))
            return mgc__fail(b->ctx, MGC_E_INVALID_ARG, "robust: column %u is %g; must be finite", j, x[j]);
    b->explanation[0] = '\0';
    mgc__search s = {.budget = b, .opts = &o, .begun_ms = mgc__now_ms(b->ctx), .x = x};
    st = mgc__search_begin(&s);
    if (st == MGC_OK) st = mgc__search_worst(&s);
    if (st == MGC_OK && s.outcome != MGC_OUTCOME_OPTIMAL)
        st = b->explanation[0] != '\0' ? mgc__fail(b->ctx, MGC_E_UNSUPPORTED, "robust: %s", b->explanation)
                                       : mgc__fail(b->ctx, MGC_E_STOPPED, "robust: the search for the worst case ended as %s",
                                                   mgc_outcome_name(s.outcome));
    if (st == MGC_OK) {
        *cost = s.cost;
        if (z != NULL) memcpy(z, s.z, b->parameters * sizeof *z);
    }
    mgc__search_free(&s);
    return st;
}
