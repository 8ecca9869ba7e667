/* SPDX-License-Identifier: Apache-2.0 */
/* Planning: each microgrid for itself, all as one program, or the realised day after the first stage is fixed. */
#include <pthread.h>

#include "dispatch/plan.h"
#include "solver/program_impl.h"

enum { THREADS_LIMIT = 256 }; /* more than any machine that plans a microgrid has */

static const mgc_dispatch_opts dispatch_defaults = {.struct_size = sizeof(mgc_dispatch_opts), .tolerance = 1e-8, .gap = 1e-4,
                                                    .threads = 1};

void mgc_dispatch_opts_init(mgc_dispatch_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &dispatch_defaults, sizeof dispatch_defaults);
}

static mgc_status read_opts(mgc_ctx *ctx, const mgc_dispatch_opts *opts, mgc_dispatch_opts *o)
{
    *o = dispatch_defaults;
    mgc_status st = mgc__opts_read(o, sizeof *o, MGC__FIRST_SIZE(mgc_dispatch_opts, user), opts);

    if (st != MGC_OK) return mgc__fail(ctx, st, "dispatch: opts.struct_size is not one that this library knows");
    if (!(o->tolerance > 0) || !(o->tolerance <= 1e-2))
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: opts.tolerance is %g; must be in (0, 0.01]", o->tolerance);
    if (!(o->gap >= 0) || !(o->gap <= 1)) return mgc__fail(ctx, MGC_E_RANGE, "dispatch: opts.gap is %g; must be in [0, 1]", o->gap);
    if (!(o->time_limit_s >= 0) || isinf(o->time_limit_s))
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: opts.time_limit_s is %g; must be finite and >= 0", o->time_limit_s);
    if (o->time_limit_s > 0 && !mgc__has_clock(ctx))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: opts.time_limit_s needs the context's clock, now_ms");
    if (o->together > MGC_DISPATCH_ALLIANCE || o->method > MGC_METHOD_CCG || o->relax > 1)
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: opts.together, method, relax are %u, %u, %u; must be at most 1, 2, 1", o->together,
                         o->method, o->relax);
    if (o->threads < 1 || o->threads > THREADS_LIMIT)
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: opts.threads is %u; must be 1..%d", o->threads, THREADS_LIMIT);
    return MGC_OK;
}

/* --- what several solves share ----------------------------------------------------------------------------------- */

/* Of two outcomes the one that a sum of both has. */
static uint32_t worse(uint32_t a, uint32_t b)
{
    static const uint8_t rank[] = {[MGC_OUTCOME_NONE] = 0, [MGC_OUTCOME_OPTIMAL] = 1, [MGC_OUTCOME_LIMIT] = 2,
                                   [MGC_OUTCOME_CANCELLED] = 3, [MGC_OUTCOME_NUMERICAL] = 4, [MGC_OUTCOME_UNBOUNDED] = 5,
                                   [MGC_OUTCOME_INFEASIBLE] = 6};
    return rank[a] >= rank[b] ? a : b;
}

/* The day as it runs: time left, and the host's progress callback, one call at a time whatever the threads. */
struct run {
    mgc_plan *plan;
    const mgc_dispatch_opts *o;
    uint64_t begun_ms;
    pthread_mutex_t lock;
    uint32_t calls;
    bool stopped;          /* the host said stop: everyone stops */
    const mgc_plan *fixed; /* realised day: whose first stage is kept; else NULL */
    const mgc_model *model;
    mgc_ctx **child;       /* one a microgrid */
    mgc_status *status;
};

static int32_t told(void *user, uint32_t iteration, double upper, double lower)
{
    struct run *run = user;
    int32_t answer;

    (void)iteration;
    pthread_mutex_lock(&run->lock);
    answer = run->stopped ? MGC_CB_STOP : run->o->progress(run->o->user, run->calls++, upper, lower);
    if (answer == MGC_CB_STOP) run->stopped = true;
    pthread_mutex_unlock(&run->lock);
    return answer;
}

/* Inner work that the host need not see can still be stopped. */
static int32_t told_nothing(void *user, uint32_t iteration, double upper, double lower)
{
    (void)upper;
    (void)lower;
    return told(user, iteration, (double)INFINITY, -(double)INFINITY);
}

static double time_left(const struct run *run)
{
    if (run->o->time_limit_s == 0) return 0;
    double left = run->o->time_limit_s - 1e-3 * (double)(mgc__now_ms(run->plan->ctx) - run->begun_ms);
    return fmax(left, 1e-3); /* 0 would mean no limit */
}

/* --- one microgrid ----------------------------------------------------------------------------------------------- */

/* A program that was stopped may hold a point that is no plan yet: an interior-point iterate on its way. */
static bool is_plan(uint32_t outcome, double residual)
{
    return (outcome != MGC_OUTCOME_LIMIT && outcome != MGC_OUTCOME_CANCELLED) || residual <= MGC__PLAN_RESIDUAL;
}

static mgc_status take_result(mgc__plan_site *s, const mgc__site *site, const mgc_twostage_info *info)
{
    mgc_ctx *ctx = site->ctx;
    uint32_t columns = mgc__shape_columns(s->shape), rows = mgc__shape_rows(s->shape);
    double *x = mgc__alloc(ctx, columns, sizeof *x), *y = mgc__alloc(ctx, rows, sizeof *y);
    double *p = mgc__alloc(ctx, s->shape->scenarios, sizeof *p);
    mgc_status st = x == NULL || y == NULL || p == NULL ? mgc__no_memory(ctx, "dispatch: a plan") : MGC_OK;

    s->outcome = info->outcome;
    s->iterations = info->inner_iterations;
    s->nodes = info->nodes;
    s->bound = info->bound;
    if (st == MGC_OK && is_plan(info->outcome, info->primal_residual) && mgc_twostage_get_x(site->ts, x, columns) == MGC_OK) {
        bool priced = mgc_twostage_get_y(site->ts, y, rows) == MGC_OK;
        bool worst = mgc_twostage_get_probability(site->ts, p, s->shape->scenarios) == MGC_OK;
        st = mgc__plan_take(s, site, x, priced ? y : NULL, worst ? p : NULL);
    }
    mgc__free(ctx, x);
    mgc__free(ctx, y);
    mgc__free(ctx, p);
    return st;
}

/* The realised day: first-stage columns stand where the plan put them, decisions rounded where they are decisions. */
mgc_status mgc__fix_first_stage(mgc__site *site, const mgc__plan_site *planned)
{
    const mgc__shape *s = site->shape;
    mgc_status st = MGC_OK;

    for (size_t i = 0; st == MGC_OK && i < s->n_integers; i++) st = mgc_twostage_set_integer(site->ts, s->integers[i], 0);
    for (uint32_t j = 0; st == MGC_OK && j < s->first_columns; j++) {
        double x = fmax(0, planned->x[j]); /* no first-stage quantity is negative */
        st = mgc_twostage_set_bounds(site->ts, j, x, x);
    }
    for (uint32_t i = 0; st == MGC_OK && i < s->first_rows; i++) /* kept by the plan, up to its solver's last digits */
        st = mgc_twostage_set_row_bounds(site->ts, i, -(double)INFINITY, (double)INFINITY);
    for (uint32_t k = 0; k < s->scenarios; k++) /* the grid may allow less than was planned: real time makes it up */
        for (uint32_t t = 0; st == MGC_OK && t < s->periods; t++) {
            st = mgc_twostage_set_bounds(site->ts, mgc__column(s, k, s->realtime_buy, t), 0, (double)INFINITY);
            if (st == MGC_OK) st = mgc_twostage_set_bounds(site->ts, mgc__column(s, k, s->realtime_sell, t), 0, (double)INFINITY);
        }
    for (size_t i = 0; i < s->site->n_devices; i++) {
        const mgc_device *d = s->site->devices[i];
        uint32_t families = d->type == TYPE_CHP ? 2 : d->type == TYPE_STORAGE && s->device[i].first[MODE] != PLACE_NONE ? 1 : 0;
        for (uint32_t f = 0; f < families; f++)
            for (uint32_t t = 0; st == MGC_OK && t < s->periods; t++) {
                double x = planned->x[s->device[i].first[f] + t];
                if (fabs(x - round(x)) > 1e-4) continue;
                st = mgc_twostage_set_bounds(site->ts, s->device[i].first[f] + t, fabs(round(x)), fabs(round(x)));
            }
    }
    return st;
}

static mgc_status solve_site(struct run *run, size_t i)
{
    mgc__plan_site *s = &run->plan->site[i];
    mgc_twostage_info info = {.struct_size = sizeof info};
    mgc_twostage_opts o;
    mgc__site *site = NULL;
    mgc_status st = mgc__site_build(run->child[i], run->model, s->shape->site->id, run->plan->together, false,
                                    run->fixed == NULL, &site);

    if (st == MGC_OK && run->fixed != NULL) st = mgc__fix_first_stage(site, &run->fixed->site[i]);
    mgc_twostage_opts_init(&o, sizeof o);
    o.tolerance = run->o->tolerance;
    o.gap = run->o->relax || s->shape->n_integers == 0 ? 0 : run->o->gap;
    o.time_limit_s = time_left(run);
    o.method = run->o->method;
    o.relax = run->o->relax;
    o.threads = run->plan->n < run->o->threads ? run->o->threads / (uint32_t)run->plan->n : 1;
    o.progress = run->o->progress != NULL ? told : NULL;
    o.user = run;
    if (st == MGC_OK) st = mgc_twostage_solve(site->ts, &o, &info);
    if (st == MGC_OK) st = take_result(s, site, &info);
    mgc__site_destroy(site);
    return st;
}

static void solve_task(void *user, size_t i)
{
    struct run *run = user;
    run->status[i] = solve_site(run, i);
}

/* Totals of the members' own results. */
static void sum_up(mgc_plan *plan)
{
    plan->cost = plan->bound = 0;
    for (size_t i = 0; i < plan->n; i++) {
        plan->cost += plan->site[i].cost;
        plan->bound += plan->site[i].bound;
        plan->iterations += plan->site[i].iterations;
        plan->nodes += plan->site[i].nodes;
        plan->outcome = worse(plan->outcome, plan->site[i].outcome);
    }
}

/* Each in a context of its own, so that they share no error text; results do not depend on the thread. */
static mgc_status solve_each(struct run *run)
{
    mgc_plan *plan = run->plan;
    mgc_ctx *ctx = plan->ctx;
    mgc_status st = MGC_OK;

    run->child = mgc__alloc(ctx, plan->n, sizeof(mgc_ctx *));
    run->status = mgc__alloc(ctx, plan->n, sizeof *run->status);
    if (run->child == NULL || run->status == NULL) st = mgc__no_memory(ctx, "dispatch: a plan");
    for (size_t i = 0; st == MGC_OK && i < plan->n; i++) st = mgc__ctx_child(ctx, &run->child[i]);
    if (st == MGC_OK) {
        mgc__parallel(run->o->threads, plan->n, solve_task, run);
        for (size_t i = 0; st == MGC_OK && i < plan->n; i++)
            if (run->status[i] != MGC_OK) st = mgc__fail(ctx, run->status[i], "%s", mgc_ctx_error(run->child[i]));
        sum_up(plan);
    }
    for (size_t i = 0; run->child != NULL && i < plan->n; i++) mgc_ctx_destroy(run->child[i]);
    mgc__free(ctx, run->child);
    mgc__free(ctx, run->status);
    return st;
}

/* --- the alliance ------------------------------------------------------------------------------------------------ */

/* Hand every member its part of the joint solution. */
static mgc_status share_out(mgc_plan *plan, mgc__site *const sites[], const mgc__alliance *a, const double *x, const double *y)
{
    mgc_status st = MGC_OK;

    for (size_t i = 0; st == MGC_OK && i < plan->n; i++) {
        uint32_t columns = mgc__shape_columns(plan->site[i].shape);
        double *own = mgc__alloc(plan->ctx, columns, sizeof *own);
        if (own == NULL) return mgc__no_memory(plan->ctx, "dispatch: a plan");
        for (uint32_t j = 0; j < columns; j++) own[j] = x[a->column[i][j]];
        st = mgc__plan_take(&plan->site[i], sites[i], own, y != NULL ? y + a->row[i] : NULL, NULL);
        plan->site[i].outcome = plan->outcome;
        mgc__free(plan->ctx, own);
    }
    return st;
}

static mgc_status take_pool_prices(mgc_plan *plan, const mgc__alliance *a, const double *y)
{
    const mgc_model *m = plan->model;

    if (a->pool_row[0] == PLACE_NONE && a->pool_row[1] == PLACE_NONE) return MGC_OK;
    plan->pool_price = mgc__alloc(plan->ctx, 2 * (size_t)m->periods, sizeof *plan->pool_price);
    if (plan->pool_price == NULL) return mgc__no_memory(plan->ctx, "dispatch: a plan");
    for (uint32_t c = 0; c < 2; c++)
        for (uint32_t t = 0; a->pool_row[c] != PLACE_NONE && t < m->periods; t++)
            plan->pool_price[c * m->periods + t] = y[a->pool_row[c] + t] / m->hours;
    return MGC_OK;
}

static mgc_status take_alliance(mgc_plan *plan, mgc__site *const sites[], const mgc__alliance *a, const mgc_program_info *info)
{
    uint32_t columns = mgc_program_columns(a->program), rows = mgc_program_rows(a->program);
    double *x = mgc__alloc(plan->ctx, columns, sizeof *x), *y = mgc__alloc(plan->ctx, rows, sizeof *y);
    mgc_status st = x == NULL || y == NULL ? mgc__no_memory(plan->ctx, "dispatch: a plan") : MGC_OK;

    plan->outcome = info->outcome;
    plan->iterations = info->iterations;
    plan->nodes = info->nodes;
    plan->bound = info->bound;
    for (size_t i = 0; i < plan->n; i++) plan->site[i].outcome = info->outcome;
    if (st == MGC_OK && is_plan(info->outcome, info->primal_residual) && mgc_program_get_x(a->program, x, columns) == MGC_OK) {
        bool priced = mgc_program_get_y(a->program, y, rows) == MGC_OK;
        st = share_out(plan, sites, a, x, priced ? y : NULL);
        if (st == MGC_OK && priced) st = take_pool_prices(plan, a, y);
        plan->cost = 0;
        for (size_t i = 0; i < plan->n; i++) plan->cost += plan->site[i].cost;
    }
    mgc__free(plan->ctx, x);
    mgc__free(plan->ctx, y);
    return st;
}

static mgc_status solve_program(struct run *run, mgc_program *program, bool relax, mgc_program_info *info)
{
    mgc_program_opts o;

    mgc_program_opts_init(&o, sizeof o);
    o.tolerance = run->o->tolerance;
    o.gap = run->o->gap;
    o.time_limit_s = time_left(run);
    o.relax = relax;
    o.threads = run->o->threads;
    o.progress = run->o->progress == NULL ? NULL : relax == (run->o->relax != 0) ? told : told_nothing;
    o.user = run;
    return mgc_program_solve(program, &o, info);
}

/* One member's on/off decisions with its trades fixed where the relaxed alliance has them; into start, by the joint
 * program's columns (map).  x: the relaxed joint solution.  A member that cannot decide so leaves its part unknown. */
static mgc_status decide_alone(struct run *run, mgc__site *site, const mgc_program *joint, const uint32_t *map, const double *x,
                               double *start)
{
    const mgc__shape *s = site->shape;
    uint32_t columns = mgc__shape_columns(s);
    mgc_twostage_info info = {.struct_size = sizeof info};
    mgc_twostage_opts o;
    mgc_status st = MGC_OK;

    for (size_t i = 0; st == MGC_OK && i < 2 * s->n_trades * s->periods; i++) {
        double q = fmax(0, x[map[s->trade_columns[i]]]);
        st = mgc_twostage_set_bounds(site->ts, s->trade_columns[i], q, q);
    }
    mgc_twostage_opts_init(&o, sizeof o);
    o.gap = fmax(run->o->gap, 1e-6);
    o.time_limit_s = time_left(run) / 8; /* a start is worth a part of the time, not all of it */
    o.progress = run->o->progress != NULL ? told_nothing : NULL;
    o.user = run;
    double *own = st == MGC_OK ? mgc__alloc(site->ctx, columns, sizeof *own) : NULL;
    if (st == MGC_OK && own == NULL) st = mgc__no_memory(site->ctx, "dispatch: a start");
    if (st == MGC_OK) st = mgc_twostage_solve(site->ts, &o, &info);
    if (st == MGC_OK && mgc_twostage_get_x(site->ts, own, columns) == MGC_OK)
        for (size_t i = 0; i < s->n_integers; i++) start[map[s->integers[i]]] = own[s->integers[i]];
    mgc__free(site->ctx, own);
    for (size_t i = 0; st == MGC_OK && i < 2 * s->n_trades * s->periods; i++) { /* as they were */
        double lower, upper;
        st = mgc_program_get_column(joint, map[s->trade_columns[i]], NULL, &lower, &upper, NULL);
        if (st == MGC_OK) st = mgc_twostage_set_bounds(site->ts, s->trade_columns[i], lower, upper);
    }
    return st;
}

/* A start for branch and bound: the relaxed alliance says what is traded, each member decides for itself given that.  The joint
 * program is many times a member's; so it gets an incumbent near the optimum for the price of a few small programs. */
static mgc_status find_start(struct run *run, mgc__site *const sites[], mgc__alliance *a)
{
    mgc_ctx *ctx = run->plan->ctx;
    mgc_program_info info = {.struct_size = sizeof info};
    uint32_t n = mgc_program_columns(a->program);
    double *x = mgc__alloc(ctx, n, sizeof *x), *start = mgc__alloc(ctx, n, sizeof *start);
    mgc_status st = x == NULL || start == NULL ? mgc__no_memory(ctx, "dispatch: a start") : MGC_OK;

    if (st == MGC_OK) st = solve_program(run, a->program, true, &info);
    if (st == MGC_OK && info.outcome == MGC_OUTCOME_OPTIMAL && mgc_program_get_x(a->program, x, n) == MGC_OK) {
        for (uint32_t j = 0; j < n; j++) start[j] = (double)NAN;
        for (size_t i = 0; st == MGC_OK && i < a->n; i++)
            if (sites[i]->shape->n_integers > 0) st = decide_alone(run, sites[i], a->program, a->column[i], x, start);
        if (st == MGC_OK) st = mgc__program_set_start(a->program, start, n);
    }
    mgc__free(ctx, x);
    mgc__free(ctx, start);
    return st;
}

static mgc_status solve_together(struct run *run)
{
    mgc_plan *plan = run->plan;
    mgc_program_info info = {.struct_size = sizeof info};
    mgc__alliance alliance = {.ctx = NULL};
    mgc__site **sites = mgc__alloc(plan->ctx, plan->n, sizeof *sites);

    if (sites == NULL) return mgc__no_memory(plan->ctx, "dispatch: the alliance");
    mgc_status st = mgc__alliance_sites(plan->ctx, plan->model, false, true, sites);
    if (st == MGC_OK) st = mgc__alliance_create(plan->ctx, plan->model, sites, plan->n, false, &alliance);
    if (st == MGC_OK && run->o->relax == 0 && mgc_program_integers(alliance.program) > 0) st = find_start(run, sites, &alliance);
    if (st == MGC_OK) st = solve_program(run, alliance.program, run->o->relax != 0, &info);
    if (st == MGC_OK) st = take_alliance(plan, sites, &alliance, &info);
    for (size_t i = 0; i < plan->n; i++) mgc__site_destroy(sites[i]);
    mgc__free(plan->ctx, sites);
    if (alliance.ctx != NULL) mgc__alliance_free(&alliance);
    return st;
}

/* --- the public calls -------------------------------------------------------------------------------------------- */

/* Solve an empty plan; on failure it is destroyed. */
static mgc_status run_plan(const mgc_model *model, const mgc_dispatch_opts *o, const mgc_plan *fixed, mgc_plan *plan,
                           mgc_plan **out)
{
    struct run run = {.plan = plan, .o = o, .begun_ms = mgc__now_ms(plan->ctx), .fixed = fixed, .model = model};
    mgc_status st = pthread_mutex_init(&run.lock, NULL) == 0 ? MGC_OK : mgc__no_memory(plan->ctx, "dispatch: a lock");

    if (st == MGC_OK) {
        st = plan->together && fixed == NULL ? solve_together(&run) : solve_each(&run);
        pthread_mutex_destroy(&run.lock);
    }
    if (st == MGC_OK && plan->outcome == MGC_OUTCOME_INFEASIBLE) st = mgc__explain(plan, o->relax != 0, fixed);
    plan->seconds = 1e-3 * (double)(mgc__now_ms(plan->ctx) - run.begun_ms);
    if (st != MGC_OK) mgc_plan_destroy(plan);
    else *out = plan;
    return st;
}

mgc_status mgc_dispatch_solve(const mgc_model *model, const mgc_dispatch_opts *opts, mgc_plan **out)
{
    mgc_dispatch_opts o;
    mgc_plan *plan = NULL;

    if (out != NULL) *out = NULL;
    if (model == NULL || out == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = read_opts(model->ctx, opts, &o);
    if (st == MGC_OK) st = mgc_model_check(model, NULL, NULL);
    if (st == MGC_OK) st = mgc__plan_create(model->ctx, model, o.together == MGC_DISPATCH_ALLIANCE, &plan);
    return st == MGC_OK ? run_plan(model, &o, NULL, plan, out) : st;
}

/* The realised microgrid must have the planned one's devices and links, for the first stage to mean the same. */
static mgc_status same_first_stage(mgc_ctx *ctx, const mgc__shape *planned, const mgc__shape *real)
{
    const mgc_microgrid *a = planned->site, *b = real->site;

    if (b->scenarios != 1)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: the realised %s has %u scenarios; a day that was has one", b->id,
                         b->scenarios);
    if (planned->periods != real->periods || planned->hours != real->hours)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: the realised day has %u periods of %g h; the plan %u of %g h",
                         real->periods, real->hours, planned->periods, planned->hours);
    for (size_t i = 0; i < a->n_devices || i < b->n_devices; i++) {
        if (i < a->n_devices && i < b->n_devices && strcmp(a->devices[i]->id, b->devices[i]->id) == 0 &&
            a->devices[i]->type == b->devices[i]->type)
            continue;
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: device %zu of %s is %s in the plan and %s in the realised day", i, a->id,
                         i < a->n_devices ? a->devices[i]->id : "missing", i < b->n_devices ? b->devices[i]->id : "missing");
    }
    for (size_t i = 0; i < planned->n_trades || i < real->n_trades; i++)
        if (i >= planned->n_trades || i >= real->n_trades || planned->trades[i].link != real->trades[i].link ||
            planned->trades[i].carrier != real->trades[i].carrier ||
            strcmp(planned->trades[i].neighbour, real->trades[i].neighbour) != 0)
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: link %zu of %s differs between plan and realised day", i, a->id);
    if (planned->first_columns != real->first_columns)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: %s decides %u quantities day-ahead in the plan and %u in the realised "
                         "day", a->id, planned->first_columns, real->first_columns);
    return MGC_OK;
}

mgc_status mgc_plan_realise(const mgc_plan *plan, const mgc_model *realised, const mgc_dispatch_opts *opts, mgc_plan **out)
{
    mgc_dispatch_opts o;
    mgc_plan *day = NULL;

    if (out != NULL) *out = NULL;
    if (plan == NULL || realised == NULL || out == NULL) return MGC_E_INVALID_ARG;
    mgc_ctx *ctx = realised->ctx;
    mgc_status st = read_opts(ctx, opts, &o);
    if (st == MGC_OK) st = mgc_model_check(realised, NULL, NULL);
    if (st == MGC_OK && realised->n_sites != plan->n)
        st = mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: the realised day has %zu microgrids; the plan %zu", realised->n_sites,
                       plan->n);
    if (st == MGC_OK) st = mgc__plan_create(ctx, realised, plan->together, &day);
    for (size_t i = 0; st == MGC_OK && i < plan->n; i++) {
        const mgc__shape *planned = plan->site[i].shape;
        if (!plan->site[i].solved)
            st = mgc__fail(ctx, MGC_E_STATE, "dispatch: the plan of %s has no solution to keep", planned->site->id);
        else if (strcmp(planned->site->id, realised->sites[i]->id) != 0)
            st = mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: microgrid %zu is %s in the plan and %s in the realised day", i,
                           planned->site->id, realised->sites[i]->id);
        else st = same_first_stage(ctx, planned, day->site[i].shape);
    }
    if (st != MGC_OK) {
        mgc_plan_destroy(day);
        return st;
    }
    return run_plan(realised, &o, plan, day, out);
}
