/* SPDX-License-Identifier: Apache-2.0 */
/* Solving: options, the direct way, results. */
#include <math.h>

#include "robust/robust.h"
#include "solver/program_impl.h"

enum { THREADS_MAX = 1024 };
/* Scenarios up to which the pairs of a Wasserstein ball are written out.  Measured: generation is faster above. */
enum { DIRECT_PAIRS_MAX = 64 };

static const mgc_twostage_opts opts_defaults = {
    .struct_size = sizeof(mgc_twostage_opts), .tolerance = 1e-8, .threads = 1, .complete = 1};

void mgc_twostage_opts_init(mgc_twostage_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &opts_defaults, sizeof opts_defaults);
}

/* --- options ----------------------------------------------------------------------------------------------------- */

static mgc_status check_flag(mgc_ctx *ctx, const char *what, uint32_t value)
{
    return value <= 1 ? MGC_OK
                      : mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: option %s is %u; must be 0 or 1", what, value);
}

static mgc_status check_opts(const mgc_twostage *ts, const mgc_twostage_opts *o)
{
    if (!(o->tolerance >= 1e-12 && o->tolerance <= 1e-2))
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: tolerance is %g; must be 1e-12..1e-2", o->tolerance);
    if (!(o->gap >= 0 && o->gap < INFINITY))
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: gap is %g; must be >= 0", o->gap);
    if (!(o->time_limit_s >= 0 && o->time_limit_s <= 1e9))
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: time limit is %g s; must be 0..1e9", o->time_limit_s);
    if (o->time_limit_s > 0 && !mgc__has_clock(ts->ctx))
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: a time limit of %g s needs a clock in the context",
                         o->time_limit_s);
    if (o->method > MGC_METHOD_CCG)
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: method is %u; must be one of MGC_METHOD_...",
                         o->method);
    if (o->threads == 0 || o->threads > THREADS_MAX)
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: threads is %u; must be 1..%d", o->threads, THREADS_MAX);
    if (o->presolve > 2)
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: presolve is %u; must be 0, 1 or 2", o->presolve);
    mgc_status st = check_flag(ts->ctx, "relax", o->relax);
    if (st == MGC_OK) st = check_flag(ts->ctx, "warm_start", o->warm_start);
    if (st == MGC_OK) st = check_flag(ts->ctx, "complete", o->complete);
    return st;
}

bool mgc__ts_integers(const mgc_twostage *ts)
{
    for (uint32_t j = 0; j < ts->n; j++)
        if (ts->columns[j].integer) return true;
    return false;
}

double mgc__ts_gap(const mgc_twostage *ts, const mgc_twostage_opts *o)
{
    if (o->gap > 0) return o->gap;
    return !o->relax && mgc__ts_integers(ts) ? 1e-4 : fmax(1e-7, 10 * o->tolerance);
}

bool mgc__ts_program_opts(const mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms, mgc_program_opts *p)
{
    mgc_program_opts_init(p, sizeof *p);
    p->tolerance = o->tolerance;
    p->gap = mgc__ts_gap(ts, o);
    p->relax = o->relax;
    p->threads = o->threads;
    p->warm_start = o->warm_start;
    p->presolve = o->presolve;
    if (o->time_limit_s > 0) {
        p->time_limit_s = o->time_limit_s - 1e-3 * (double)(mgc__now_ms(ts->ctx) - begun_ms);
        return p->time_limit_s > 0;
    }
    return true;
}

/* --- results ----------------------------------------------------------------------------------------------------- */

static mgc_status prepare(mgc_twostage *ts)
{
    mgc__ts_result *r = &ts->result;

    r->has_x = r->has_y = r->has_p = r->has_ray = false;
    r->info = (mgc_twostage_info){.struct_size = sizeof r->info,
                                  .objective = INFINITY,
                                  .bound = -INFINITY,
                                  .gap = INFINITY,
                                  .primal_residual = INFINITY};
    if (r->x != NULL && r->y != NULL && r->ray != NULL && r->n == ts->n && r->m == ts->m) return MGC_OK;
    mgc__free(ts->ctx, r->x);
    mgc__free(ts->ctx, r->y);
    mgc__free(ts->ctx, r->ray);
    r->n = ts->n;
    r->m = ts->m;
    r->x = mgc__alloc(ts->ctx, ts->n, sizeof *r->x);
    r->y = mgc__alloc(ts->ctx, ts->m, sizeof *r->y);
    r->ray = mgc__alloc(ts->ctx, ts->m, sizeof *r->ray);
    if (r->x == NULL || r->y == NULL || r->ray == NULL)
        return mgc__no_memory(ts->ctx, "the results of a two-stage program");
    return MGC_OK;
}

mgc_status mgc__ts_answer(mgc_twostage *ts, const mgc_twostage_info *info)
{
    mgc_status st = prepare(ts);

    if (st == MGC_OK) ts->result.info = *info;
    return st;
}

/* --- is there any point at all? ---------------------------------------------------------------------------------- */

/* The program without a word about cost; whatever excludes its points is a proof over the rows of ts alone. */
static mgc_status plain_program(const mgc_twostage *ts, mgc_program **out)
{
    double *nothing = mgc__alloc(ts->ctx, ts->scenarios, sizeof *nothing);
    mgc_status st =
        nothing == NULL ? mgc__no_memory(ts->ctx, "a program without costs") : mgc_program_create(ts->ctx, out);

    if (st == MGC_OK) st = mgc__ts_copy(ts, nothing, *out);
    for (uint32_t j = 0; j < ts->n && st == MGC_OK; j++) st = mgc_program_set_cost(*out, j, 0);
    for (size_t q = 0; q < ts->n_quads && st == MGC_OK; q++)
        st = mgc_program_set_quadratic(*out, ts->quads[q].i, ts->quads[q].j, 0);
    mgc__free(ts->ctx, nothing);
    return st;
}

mgc_status mgc__ts_ask_feasible(mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms)
{
    mgc_program_info pi = {.struct_size = sizeof pi};
    mgc_program *plain = NULL;
    mgc_program_opts po;

    if (!mgc__ts_program_opts(ts, o, begun_ms, &po)) return MGC_OK;
    po.relax = 1;
    po.warm_start = 0;
    mgc_status st = plain_program(ts, &plain);
    if (st == MGC_OK) st = mgc_program_solve(plain, &po, &pi);
    if (st == MGC_OK && pi.outcome == MGC_OUTCOME_INFEASIBLE) {
        st = mgc__ts_take_ray(ts, plain);
        if (ts->result.has_ray) {
            ts->result.info.outcome = MGC_OUTCOME_INFEASIBLE;
            ts->result.has_x = ts->result.has_y = ts->result.has_p = false;
        }
    }
    ts->result.info.inner_iterations += pi.iterations;
    mgc_program_destroy(plain);
    return st;
}

/* --- the direct way ---------------------------------------------------------------------------------------------- */

/* The plan of a Wasserstein ball from the multipliers of its rows, and the probabilities that it leads to. */
static mgc_status tell_by_plan(const mgc_twostage *ts, const double *y, double *told)
{
    size_t n = ts->scenarios, row = ts->direct.plan_row;
    double *plan = mgc__alloc(ts->ctx, n * n, sizeof *plan);

    if (plan == NULL) return mgc__no_memory(ts->ctx, "a plan");
    for (size_t k = 0; k < n; k++)
        for (size_t l = 0; l < n && ts->p0[k] > 0; l++) plan[k * n + l] = -y[row++];
    mgc__wasserstein_take_plan(ts, plan, told);
    mgc__free(ts->ctx, plan);
    if (!mgc__ts_has_transfer(ts)) return MGC_OK;
    double step = mgc__ts_transfer_step(ts, told);
    for (size_t k = 0; k < n; k++) told[k] = fmax(ts->p0[k] + step * (told[k] - ts->p0[k]), 0);
    return MGC_OK;
}

/* Multipliers, and the probabilities they tell: p_k = low_k - y of scenario k's cost row. */
static mgc_status take_multipliers(mgc_twostage *ts, double *told, bool *there)
{
    mgc__direct *d = &ts->direct;
    uint32_t rows = mgc_program_rows(d->program);
    double *y = mgc__alloc(ts->ctx, rows, sizeof *y);
    mgc__transfer t;

    mgc_status st = MGC_OK;

    *there = false;
    if (y == NULL) return mgc__no_memory(ts->ctx, "multipliers");
    if (mgc_program_get_y(d->program, y, rows) == MGC_OK) {
        mgc__ts_transfer(ts, &t);
        memcpy(ts->result.y, y, ts->m * sizeof *y);
        ts->result.has_y = true;
        for (uint32_t k = 0; k < ts->scenarios; k++) told[k] = d->robust ? t.low[k] - y[d->cost_row + k] : ts->p0[k];
        if (d->transported)
            st = tell_by_plan(ts, y, told);
        else
            mgc__ts_clean(ts, told);
        *there = true;
    }
    mgc__free(ts->ctx, y);
    return st;
}

static mgc_status take_direct(mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms)
{
    mgc__ts_result *r = &ts->result;
    uint32_t columns = mgc_program_columns(ts->direct.program);
    double *x = mgc__alloc(ts->ctx, columns, sizeof *x), *told = mgc__alloc(ts->ctx, ts->scenarios, sizeof *told);
    bool there = false;
    mgc_status st = x == NULL || told == NULL ? mgc__no_memory(ts->ctx, "the result of the direct form") : MGC_OK;

    if (st == MGC_OK && mgc_program_get_x(ts->direct.program, x, columns) == MGC_OK) {
        memcpy(r->x, x, ts->n * sizeof *x);
        r->has_x = true;
        st = take_multipliers(ts, told, &there);
        if (st == MGC_OK && there && r->info.outcome == MGC_OUTCOME_OPTIMAL)
            st = mgc__ts_complete(ts, o, begun_ms, told, r->x);
        if (st == MGC_OK) st = mgc__ts_judge(ts, o, there ? told : NULL);
    }
    mgc__free(ts->ctx, x);
    mgc__free(ts->ctx, told);
    return st;
}

static mgc_status solve_direct(mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms)
{
    mgc_program_info pi = {.struct_size = sizeof pi};
    mgc__ts_result *r = &ts->result;
    mgc_program_opts po;
    mgc_status st = MGC_OK;

    if (!mgc__ts_program_opts(ts, o, begun_ms, &po)) {
        r->info.outcome = MGC_OUTCOME_LIMIT;
        return MGC_OK;
    }
    po.progress = o->progress;
    po.user = o->user;
    if (ts->direct.program == NULL) st = mgc__direct_build(ts, &ts->direct);
    if (st == MGC_OK) mgc__program_keep_inside(ts->direct.program);
    if (st == MGC_OK) st = mgc_program_solve(ts->direct.program, &po, &pi);
    if (st != MGC_OK) return st;
    r->info.outcome = pi.outcome;
    r->info.iterations = 1;
    r->info.inner_iterations = pi.iterations;
    r->info.nodes = pi.nodes;
    r->info.bound = pi.bound;
    if (pi.outcome == MGC_OUTCOME_INFEASIBLE) return mgc__ts_take_ray(ts, ts->direct.program);
    if (pi.outcome == MGC_OUTCOME_UNBOUNDED) return MGC_OK;
    if (pi.outcome == MGC_OUTCOME_NUMERICAL) st = mgc__ts_ask_feasible(ts, o, begun_ms);
    if (st != MGC_OK || r->has_ray) return st;
    return take_direct(ts, o, begun_ms);
}

/* Generation where there is no direct form, and where the pairs of a Wasserstein ball would make it large. */
static mgc_status choose_method(const mgc_twostage *ts, uint32_t *method)
{
    uint32_t family;
    mgc_status st = mgc__ts_family(ts, &family);

    if (st != MGC_OK || *method != MGC_METHOD_AUTO) return st;
    bool large = family == MGC__SET_WASSERSTEIN && ts->scenarios > DIRECT_PAIRS_MAX;
    *method = family == MGC__SET_HOST || family == MGC__SET_DIVERGENCE || large ? MGC_METHOD_CCG : MGC_METHOD_DIRECT;
    return MGC_OK;
}

/* --- the call and its results ------------------------------------------------------------------------------------ */

mgc_status mgc_twostage_solve(mgc_twostage *ts, const mgc_twostage_opts *opts, mgc_twostage_info *info)
{
    mgc_twostage_opts o = opts_defaults;
    uint64_t begun_ms;

    if (ts == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = mgc__opts_read(&o, sizeof o, MGC__FIRST_SIZE(mgc_twostage_opts, presolve), opts);
    if (st != MGC_OK) return mgc__fail(ts->ctx, st, "robust: opts.struct_size is not one this library knows");
    st = check_opts(ts, &o);
    if (st != MGC_OK) return st;
    begun_ms = mgc__now_ms(ts->ctx);
    st = prepare(ts);
    if (st == MGC_OK) st = choose_method(ts, &o.method);
    if (st == MGC_OK)
        st = o.method == MGC_METHOD_CCG ? mgc__ccg_solve(ts, &o, begun_ms) : solve_direct(ts, &o, begun_ms);
    if (st != MGC_OK) {
        ts->result.has_x = ts->result.has_y = ts->result.has_p = ts->result.has_ray = false;
        return st;
    }
    ts->result.info.seconds = 1e-3 * (double)(mgc__now_ms(ts->ctx) - begun_ms);
    st = mgc__info_write(info, &ts->result.info,
                         sizeof ts->result.info, MGC__FIRST_SIZE(mgc_twostage_info, primal_residual));
    return st == MGC_OK ? MGC_OK : mgc__fail(ts->ctx, st, "robust: info.struct_size is not one this library knows");
}

static mgc_status get(const mgc_twostage *ts, const char *what, bool has, const double *from, size_t length,
                      double *to, size_t n)
{
    if (to == NULL) return MGC_E_INVALID_ARG;
    if (!has) return mgc__fail(ts->ctx, MGC_E_STATE, "robust: the last solve left no %s", what);
    if (n != length)
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: length of %s is given as %zu; it is %zu", what, n,
                         length);
    memcpy(to, from, n * sizeof *to);
    return MGC_OK;
}

mgc_status mgc_twostage_get_x(const mgc_twostage *ts, double *x, size_t n)
{
    return ts == NULL ? MGC_E_INVALID_ARG : get(ts, "point", ts->result.has_x, ts->result.x, ts->result.n, x, n);
}

mgc_status mgc_twostage_get_y(const mgc_twostage *ts, double *y, size_t n)
{
    return ts == NULL ? MGC_E_INVALID_ARG
                      : get(ts, "multipliers", ts->result.has_y, ts->result.y, ts->result.m, y, n);
}

mgc_status mgc_twostage_get_cost(const mgc_twostage *ts, double *cost, size_t n)
{
    return ts == NULL ? MGC_E_INVALID_ARG
                      : get(ts, "scenario costs", ts->result.has_x, ts->result.cost, ts->scenarios, cost, n);
}

mgc_status mgc_twostage_get_probability(const mgc_twostage *ts, double *p, size_t n)
{
    return ts == NULL ? MGC_E_INVALID_ARG
                      : get(ts, "worst probabilities", ts->result.has_p, ts->result.p, ts->scenarios, p, n);
}

mgc_status mgc_twostage_get_ray(const mgc_twostage *ts, double *ray, size_t n)
{
    return ts == NULL ? MGC_E_INVALID_ARG
                      : get(ts, "certificate", ts->result.has_ray, ts->result.ray, ts->result.m, ray, n);
}
