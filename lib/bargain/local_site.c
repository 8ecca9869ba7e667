/* SPDX-License-Identifier: Apache-2.0 */
/* A microgrid as an agent's local problem: the two-stage program of the room dispatch, whose trade columns carry the terms
 * that the agent adds.  Where nothing is lost on a link, only the net flow is coupled: (q0 - q1) has one price and one
 * quadratic, which lies in the program as the 2 x 2 block [rho, -rho; -rho, rho]. */
#include <math.h>

#include "bargain/local.h"
#include "dispatch/site.h"

/* Trade columns of one link end, in the link's orientation. */
typedef struct door {
    uint32_t dims, periods;
    size_t offset;
    const uint32_t *ahead, *back; /* [periods] columns: first to second, second to first */
    const double *capacity_kw;
    const double *fee;            /* [periods] borrowed from the terms */
    const mgc__terms *terms;
} door;

typedef struct local_site {
    mgc_ctx *ctx;
    mgc__site *site;
    mgc_twostage *ts;
    mgc__local_opts opts;
    mgc__terms *terms;
    size_t n_doors, coordinates;
    door *doors;
    double *quad;                /* [coordinates] as it lies in the program */
    const uint32_t *integers;
    size_t n_integers, n_columns;
    double *alone, *committed;   /* [n_integers] on/off decisions; committed where is_committed */
    bool has_alone, is_committed, solved;
    double *x;                   /* [n_columns] */
    uint64_t deadline_ms;
    uint32_t threads;            /* of mixed-integer programs */
    mgc__tape *tape;             /* NULL: the program is solved here and nobody else asks */
    size_t told;                 /* columns that proposals and decisions are read from come before this one */
} local_site;

/* --- program data -------------------------------------------------------------------------------------------------------- */

static double half_fee(const local_site *s, const door *d, uint32_t t)
{
    return 0.5 * d->fee[t] * mgc__site_hours(s->site);
}

static mgc_status set_quadratic(local_site *s, const door *d, size_t i, uint32_t t, double value)
{
    mgc_status st;

    if (s->quad[i] == value) return MGC_OK;
    if (d->dims == 2) {
        st = mgc_twostage_set_quadratic(s->ts, i - d->offset < d->periods ? d->ahead[t] : d->back[t],
                                        i - d->offset < d->periods ? d->ahead[t] : d->back[t], value);
    } else {
        st = mgc_twostage_set_quadratic(s->ts, d->ahead[t], d->ahead[t], value);
        if (st == MGC_OK) st = mgc_twostage_set_quadratic(s->ts, d->back[t], d->back[t], value);
        if (st == MGC_OK) st = mgc_twostage_set_quadratic(s->ts, d->ahead[t], d->back[t], -value);
    }
    if (st == MGC_OK) s->quad[i] = value;
    return st;
}

static mgc_status set_price(local_site *s, const door *d, size_t i, uint32_t t, double price)
{
    double fee = half_fee(s, d, t);
    mgc_status st;

    if (d->dims == 2) return mgc_twostage_set_cost(s->ts, i - d->offset < d->periods ? d->ahead[t] : d->back[t], fee + price);
    st = mgc_twostage_set_cost(s->ts, d->ahead[t], fee + price);
    return st == MGC_OK ? mgc_twostage_set_cost(s->ts, d->back[t], fee - price) : st;
}

/* linear, quad NULL: none. */
static mgc_status set_objective(local_site *s, const double *linear, const double *quad)
{
    mgc_status st = MGC_OK;

    for (size_t k = 0; k < s->n_doors; k++) {
        const door *d = &s->doors[k];
        for (size_t j = 0; st == MGC_OK && j < (size_t)d->dims * d->periods; j++) {
            size_t i = d->offset + j;
            uint32_t t = (uint32_t)(j % d->periods);
            st = set_price(s, d, i, t, linear != NULL ? linear[i] : 0);
            if (st == MGC_OK) st = set_quadratic(s, d, i, t, quad != NULL ? quad[i] : 0);
        }
    }
    return st;
}

static mgc_status open_doors(local_site *s)
{
    mgc_status st = MGC_OK;

    for (size_t k = 0; k < s->n_doors; k++)
        for (uint32_t t = 0; st == MGC_OK && t < s->doors[k].periods; t++) {
            const door *d = &s->doors[k];
            mgc__span ahead, back;
            mgc__terms_both(d->terms, t, &ahead, &back);
            st = mgc_twostage_set_bounds(s->ts, d->ahead[t], ahead.low, ahead.high);
            if (st == MGC_OK) st = mgc_twostage_set_bounds(s->ts, d->back[t], back.low, back.high);
        }
    return st;
}

/* x NULL: nothing is traded but what contracts in force ask for. */
static mgc_status fix_doors(local_site *s, const double *x)
{
    mgc_status st = MGC_OK;

    for (size_t k = 0; k < s->n_doors; k++)
        for (uint32_t t = 0; st == MGC_OK && t < s->doors[k].periods; t++) {
            const door *d = &s->doors[k];
            mgc__span first, second;
            double ahead, back;
            mgc__terms_both(d->terms, t, &first, &second);
            ahead = x == NULL ? first.base : x[d->offset + t];
            back = x == NULL ? second.base : d->dims == 2 ? x[d->offset + d->periods + t] : 0;
            if (d->dims == 1 && x != NULL) mgc__terms_flows(d->terms, t, x[d->offset + t], &ahead, &back);
            st = mgc_twostage_set_bounds(s->ts, d->ahead[t], ahead, ahead);
            if (st == MGC_OK) st = mgc_twostage_set_bounds(s->ts, d->back[t], back, back);
        }
    return st;
}

/* values NULL: free between 0 and 1. */
static mgc_status set_decisions(local_site *s, const double *values)
{
    mgc_status st = MGC_OK;

    for (size_t i = 0; st == MGC_OK && i < s->n_integers; i++)
        st = mgc_twostage_set_bounds(s->ts, s->integers[i], values != NULL ? values[i] : 0, values != NULL ? values[i] : 1);
    return st;
}

/* --- solving ------------------------------------------------------------------------------------------------------------------ */

/* Proposals and bounds need no recourse of scenarios that weigh nothing; whoever reads a plan or a cost does (complete). */
static mgc_status solve(local_site *s, double tolerance, bool relax, bool warm, bool complete, mgc_twostage_info *info)
{
    mgc_twostage_opts opts;

    mgc_twostage_opts_init(&opts, sizeof opts);
    opts.tolerance = tolerance;
    opts.gap = relax ? 0 : s->opts.gap;
    opts.relax = relax;
    opts.warm_start = warm && s->solved;
    opts.complete = complete;
    opts.presolve = 1; /* one analysis serves all rounds */
    if (!relax) opts.threads = s->threads;
    if (s->deadline_ms != 0) {
        uint64_t now = mgc__now_ms(s->ctx);
        opts.time_limit_s = now < s->deadline_ms ? (double)(s->deadline_ms - now) / 1e3 : 1e-3;
    }
    memset(info, 0, sizeof *info);
    info->struct_size = sizeof *info;
    s->solved = true;
    if (s->tape != NULL && s->tape->plays) return mgc__tape_play(s->ctx, s->tape, s->ts, info);
    mgc_status st = mgc_twostage_solve(s->ts, &opts, info);
    return s->tape == NULL ? st : mgc__tape_record(s->tape, s->ts, st, info, complete, s->told);
}

static bool has_point(const mgc_twostage_info *info)
{
    return (info->outcome == MGC_OUTCOME_OPTIMAL || info->outcome == MGC_OUTCOME_LIMIT || info->outcome == MGC_OUTCOME_NUMERICAL) &&
           isfinite(info->objective);
}

/* A program that a limit stopped may hold a point that is no plan yet: an interior-point iterate on its way. */
static bool is_plan(const mgc_twostage_info *info)
{
    return has_point(info) && (info->outcome != MGC_OUTCOME_LIMIT || info->primal_residual <= MGC__PLAN_RESIDUAL);
}

static mgc_status read_decisions(local_site *s, double *values)
{
    mgc_status st = mgc_twostage_get_x(s->ts, s->x, s->n_columns);

    for (size_t i = 0; st == MGC_OK && i < s->n_integers; i++) values[i] = round(s->x[s->integers[i]]);
    return st;
}

static mgc_status site_alone(void *self, double *cost, double *bound, uint32_t *outcome)
{
    local_site *s = self;
    mgc_twostage_info info;
    mgc_status st = set_objective(s, NULL, NULL);

    *cost = INFINITY;
    *bound = -INFINITY;
    s->is_committed = false;
    if (st == MGC_OK) st = fix_doors(s, NULL);
    if (st == MGC_OK) st = set_decisions(s, NULL);
    if (st == MGC_OK) st = solve(s, s->opts.tolerance, s->opts.relax, false, true, &info);
    if (st != MGC_OK) return st;
    *outcome = info.outcome;
    if (!is_plan(&info)) return MGC_OK;
    *cost = info.objective;
    *bound = info.bound;
    if (s->opts.relax || s->n_integers == 0) return MGC_OK;
    s->has_alone = true;
    return read_decisions(s, s->alone);
}

static mgc_status read_doors(local_site *s, double *x)
{
    mgc_status st = mgc_twostage_get_x(s->ts, s->x, s->n_columns);

    for (size_t k = 0; st == MGC_OK && k < s->n_doors; k++) {
        const door *d = &s->doors[k];
        for (uint32_t t = 0; t < d->periods; t++) {
            double ahead = fmin(fmax(s->x[d->ahead[t]], 0), d->capacity_kw[t]), back = fmin(fmax(s->x[d->back[t]], 0), d->capacity_kw[t]);
            x[d->offset + t] = d->dims == 1 ? ahead - back : ahead;
            if (d->dims == 2) x[d->offset + d->periods + t] = back;
        }
    }
    return st;
}

static mgc_status site_propose(void *self, const double *linear, const double *quad, double tolerance, double *x, uint32_t *outcome)
{
    local_site *s = self;
    mgc_twostage_info info;
    mgc_status st = set_objective(s, linear, quad);

    if (st == MGC_OK) st = open_doors(s);
    if (st == MGC_OK) st = set_decisions(s, s->is_committed ? s->committed : NULL);
    if (st == MGC_OK) st = solve(s, tolerance, true, true, false, &info);
    if (st != MGC_OK) return st;
    *outcome = info.outcome;
    if (!has_point(&info)) return MGC_OK;
    return read_doors(s, x);
}

static mgc_status site_commit(void *self, const double *linear, const double *quad, uint32_t *outcome)
{
    local_site *s = self;
    mgc_twostage_info info = {.outcome = MGC_OUTCOME_NONE};
    mgc_status st = MGC_OK;

    *outcome = MGC_OUTCOME_OPTIMAL;
    if (s->n_integers == 0 || s->opts.relax) return MGC_OK;
    if (linear != NULL) {
        st = set_objective(s, linear, quad);
        if (st == MGC_OK) st = open_doors(s);
        if (st == MGC_OK) st = set_decisions(s, NULL);
        if (st == MGC_OK) st = solve(s, s->opts.tolerance, false, false, false, &info);
        if (st != MGC_OK) return st;
        *outcome = info.outcome;
        if (info.outcome == MGC_OUTCOME_CANCELLED) return MGC_OK;
    }
    if (has_point(&info))
        st = read_decisions(s, s->committed);
    else if (s->is_committed && linear != NULL)
        return MGC_OK; /* what it has is better than nothing found */
    else if (s->has_alone)
        memcpy(s->committed, s->alone, s->n_integers * sizeof *s->committed);
    else
        return mgc__fail(s->ctx, MGC_E_NUMERIC, "bargain: no on/off decisions were found, not even alone");
    s->is_committed = st == MGC_OK;
    return st;
}

/* What is agreed is planned to the end, however late it is: half a plan would be none. */
static mgc_status site_settle(void *self, const double *x, double *cost, uint32_t *outcome)
{
    local_site *s = self;
    mgc_twostage_info info;
    const uint64_t deadline_ms = s->deadline_ms;
    mgc_status st = set_objective(s, NULL, NULL);

    if (st == MGC_OK) st = fix_doors(s, x);
    if (st == MGC_OK) st = set_decisions(s, s->is_committed ? s->committed : NULL);
    s->deadline_ms = 0;
    if (st == MGC_OK) st = solve(s, s->opts.tolerance, true, false, true, &info);
    s->deadline_ms = deadline_ms;
    if (st != MGC_OK) return st;
    *outcome = info.outcome == MGC_OUTCOME_LIMIT && !is_plan(&info) ? MGC_OUTCOME_NUMERICAL : info.outcome;
    if (is_plan(&info)) *cost = info.objective;
    return MGC_OK;
}

static mgc_status bound_with(local_site *s, const double *linear, const double *decisions, bool relax, double *bound)
{
    mgc_twostage_info info;
    mgc_status st = set_objective(s, linear, NULL);

    *bound = -INFINITY;
    if (st == MGC_OK) st = open_doors(s);
    if (st == MGC_OK) st = set_decisions(s, decisions);
    if (st == MGC_OK) st = solve(s, s->opts.tolerance, relax, false, false, &info);
    if (st == MGC_OK && info.outcome != MGC_OUTCOME_INFEASIBLE && info.outcome != MGC_OUTCOME_UNBOUNDED) *bound = info.bound;
    return st;
}

/* What branch and bound leaves open is lost to the certificate: a fifth of the gap of the other programs. */
static mgc_status site_bound(void *self, const double *linear, double *bound)
{
    local_site *s = self;
    double gap = s->opts.gap;
    mgc_status st;

    s->opts.gap = gap / 5;
    st = bound_with(s, linear, NULL, s->opts.relax, bound);
    s->opts.gap = gap;
    return st;
}

static mgc_status site_bound_committed(void *self, const double *linear, double *bound)
{
    local_site *s = self;

    return bound_with(s, linear, s->is_committed ? s->committed : NULL, true, bound);
}

size_t mgc__local_site_integers(const void *self)
{
    const local_site *s = self;

    return s->opts.relax ? 0 : s->n_integers;
}

void mgc__local_site_committed(const void *self, int8_t *decision)
{
    const local_site *s = self;

    for (size_t i = 0; i < mgc__local_site_integers(s); i++) decision[i] = (int8_t)(s->is_committed && s->committed[i] > 0.5);
}

void mgc__local_site_decide(void *self, const int8_t *decision)
{
    local_site *s = self;

    if (mgc__local_site_integers(s) == 0) return;
    for (size_t i = 0; i < s->n_integers; i++) s->committed[i] = decision[i];
    s->is_committed = true;
}

static mgc_status fix_decisions(local_site *s, const int8_t *fixed)
{
    mgc_status st = MGC_OK;

    for (size_t i = 0; st == MGC_OK && i < s->n_integers; i++)
        st = mgc_twostage_set_bounds(s->ts, s->integers[i], fixed[i] > 0, fixed[i] != 0);
    return st;
}

mgc_status mgc__local_site_ask(void *self, const double *linear, const int8_t *fixed, bool all_fixed, mgc__answer *answer)
{
    local_site *s = self;
    bool decides = mgc__local_site_integers(s) > 0, relax = all_fixed || !decides;
    double gap = s->opts.gap;
    mgc_twostage_info info;
    mgc_status st = set_objective(s, linear, NULL);

    answer->bound = -INFINITY;
    answer->outcome = MGC_OUTCOME_NONE;
    if (st == MGC_OK) st = open_doors(s);
    if (st == MGC_OK) st = decides ? fix_decisions(s, fixed) : set_decisions(s, NULL);
    s->opts.gap = gap / 5; /* as in site_bound() */
    if (st == MGC_OK) st = solve(s, s->opts.tolerance, relax, relax, false, &info);
    s->opts.gap = gap;
    if (st != MGC_OK) return st;
    answer->outcome = info.outcome;
    if (!has_point(&info)) return MGC_OK;
    answer->bound = info.bound;
    answer->cost = info.objective;
    if ((st = read_doors(s, answer->x)) != MGC_OK) return st;
    for (size_t i = 0; i < s->coordinates; i++) answer->cost -= linear[i] * answer->x[i];
    for (size_t i = 0; decides && i < s->n_integers; i++) answer->decision[i] = (int8_t)(s->x[s->integers[i]] > 0.5);
    return MGC_OK;
}

static bool site_has_integers(void *self)
{
    return ((local_site *)self)->n_integers > 0;
}

/* --- creating ------------------------------------------------------------------------------------------------------------------ */

static void site_destroy(void *self)
{
    local_site *s = self;

    if (s == NULL) return;
    mgc__free(s->ctx, s->doors);
    mgc__free(s->ctx, s->quad);
    mgc__free(s->ctx, s->alone);
    mgc__free(s->ctx, s->committed);
    mgc__free(s->ctx, s->x);
    mgc__terms_free(s->ctx, s->terms, s->n_doors);
    mgc__site_destroy(s->site);
    mgc__free(s->ctx, s);
}

static mgc_status open_one(local_site *s, size_t k)
{
    const mgc__trade *trades;
    size_t n = mgc__site_trades(s->site, &trades);

    for (size_t i = 0; i < n; i++) {
        if (trades[i].link != s->terms[k].link) continue;
        s->doors[k] = (door){.dims = s->terms[k].dims, .periods = s->terms[k].periods, .offset = s->coordinates,
                             .ahead = s->terms[k].first ? trades[i].out : trades[i].in,
                             .back = s->terms[k].first ? trades[i].in : trades[i].out,
                             .capacity_kw = s->terms[k].capacity_kw, .fee = s->terms[k].fee, .terms = &s->terms[k]};
        s->coordinates += (size_t)s->terms[k].dims * s->terms[k].periods;
        return MGC_OK;
    }
    return mgc__fail(s->ctx, MGC_E_INTERNAL, "bargain: link %u has no trade columns", s->terms[k].link);
}

static void find_told(local_site *s)
{
    for (size_t k = 0; k < s->n_doors; k++)
        for (uint32_t t = 0; t < s->doors[k].periods; t++) {
            if (s->doors[k].ahead[t] >= s->told) s->told = (size_t)s->doors[k].ahead[t] + 1;
            if (s->doors[k].back[t] >= s->told) s->told = (size_t)s->doors[k].back[t] + 1;
        }
    for (size_t i = 0; i < s->n_integers; i++)
        if (s->integers[i] >= s->told) s->told = (size_t)s->integers[i] + 1;
}

static mgc_status fill(local_site *s, const mgc_model *model, const char *id)
{
    mgc_status st = mgc__terms_read(s->ctx, model, id, &s->terms, &s->n_doors);

    if (st != MGC_OK) return st;
    if ((st = mgc__site_create(s->ctx, model, id, true, &s->site)) != MGC_OK) return st;
    s->ts = mgc__site_twostage(s->site);
    s->n_columns = mgc_twostage_columns(s->ts);
    s->n_integers = mgc__site_integers(s->site, &s->integers);
    s->doors = mgc__alloc(s->ctx, s->n_doors, sizeof *s->doors);
    if (s->doors == NULL) return mgc__no_memory(s->ctx, "bargain: a member's problem");
    for (size_t k = 0; k < s->n_doors; k++)
        if ((st = open_one(s, k)) != MGC_OK) return st;
    find_told(s);
    s->quad = mgc__alloc(s->ctx, s->coordinates, sizeof *s->quad);
    s->alone = mgc__alloc(s->ctx, s->n_integers, sizeof *s->alone);
    s->committed = mgc__alloc(s->ctx, s->n_integers, sizeof *s->committed);
    s->x = mgc__alloc(s->ctx, s->n_columns, sizeof *s->x);
    if (s->quad == NULL || s->alone == NULL || s->committed == NULL || s->x == NULL)
        return mgc__no_memory(s->ctx, "bargain: a member's problem");
    return MGC_OK;
}

mgc_status mgc__local_site_create(mgc_ctx *ctx, const mgc_model *model, const char *id, const mgc__local_opts *opts, void **out)
{
    local_site *s = mgc__alloc(ctx, 1, sizeof *s);
    mgc_status st;

    *out = NULL;
    if (s == NULL) return mgc__no_memory(ctx, "bargain: a member's problem");
    s->ctx = ctx;
    s->opts = *opts;
    s->threads = 1;
    st = fill(s, model, id);
    if (st == MGC_OK)
        *out = s;
    else
        site_destroy(s);
    return st;
}

mgc__site *mgc__local_site(void *self)
{
    return ((local_site *)self)->site;
}

void mgc__local_site_deadline(void *self, uint64_t deadline_ms)
{
    ((local_site *)self)->deadline_ms = deadline_ms;
}

void mgc__local_site_threads(void *self, uint32_t threads)
{
    ((local_site *)self)->threads = threads;
}

void mgc__local_site_tape(void *self, mgc__tape *tape)
{
    ((local_site *)self)->tape = tape;
}

const mgc__local_ops mgc__local_site_ops = {
    .alone = site_alone, .propose = site_propose, .commit = site_commit, .settle = site_settle, .bound = site_bound,
    .bound_committed = site_bound_committed,
    .has_integers = site_has_integers, .destroy = site_destroy,
};
