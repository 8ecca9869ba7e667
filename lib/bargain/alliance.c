/* SPDX-License-Identifier: Apache-2.0 */
/* mgc_alliance_solve(): the frame around the two methods, and what both need. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "bargain/alliance.h"
#include "bargain/pool.h"
#include "dispatch/model.h"

static const mgc_alliance_opts alliance_defaults = {
    .struct_size = sizeof(mgc_alliance_opts), .threads = 1, .tolerance = 1e-4, .gap = 1e-4, .round_limit = 150,
};

void mgc_alliance_opts_init(mgc_alliance_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &alliance_defaults, sizeof alliance_defaults);
}

/* --- the frame ------------------------------------------------------------------------------------------------------------- */

static mgc_status check_weights(mgc_ctx *ctx, const mgc_alliance_opts *o, size_t members)
{
    double total = 0;

    if (o->weights > MGC_WEIGHTS_CONTRIBUTION)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: weights is %u; must be one of MGC_WEIGHTS_...", o->weights);
    if (o->weights != MGC_WEIGHTS_GIVEN) return MGC_OK;
    if (o->weight == NULL || o->weights_n != members)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: %zu weights are given for %zu members", o->weight == NULL ? 0 : o->weights_n,
                         members);
    for (size_t i = 0; i < members; i++) {
        if (!isfinite(o->weight[i]) || o->weight[i] < 0)
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: weight %zu is %g; must be finite, >= 0", i, o->weight[i]);
        total += o->weight[i];
    }
    if (total > 0) return MGC_OK;
    return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: all weights are 0; at least one must be > 0");
}

static mgc_status check_opts(mgc_ctx *ctx, const mgc_alliance_opts *o, size_t members)
{
    if (o->method > MGC_ALLIANCE_CENTRAL)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: method is %u; must be one of MGC_ALLIANCE_...", o->method);
    if (!(o->tolerance > 0 && o->tolerance < 1))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: tolerance is %g; must be in (0, 1)", o->tolerance);
    if (!(o->gap >= 0 && o->gap < 1)) return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: gap is %g; must be in [0, 1)", o->gap);
    if (!(o->time_limit_s >= 0) || o->time_limit_s > 1e9)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: time_limit_s is %g; must be 0..1e9", o->time_limit_s);
    if (o->time_limit_s > 0 && !mgc__has_clock(ctx))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: time_limit_s needs a context with a clock");
    if (o->round_limit == 0 || o->round_limit > MGC__ROUND_MAX / 10)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: round_limit is %u; must be 1..%d", o->round_limit, MGC__ROUND_MAX / 10);
    if (o->reserved0 != 0 || o->reserved1 != 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: reserved0 is %u, reserved1 %u; must be 0", o->reserved0, o->reserved1);
    if (o->processes > 1 && (o->exchange == NULL || o->process >= o->processes))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: process is %u of %u and exchange is %s; must be 0..%u and there", o->process,
                         o->processes, o->exchange == NULL ? "NULL" : "there", o->processes - 1);
    if (o->pool > 1) return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: pool is %u; must be 0 or 1", o->pool);
    return check_weights(ctx, o, members);
}

const char *mgc__alliance_id(const mgc_alliance *a, uint32_t member)
{
    return member == MGC__POOL_MEMBER ? MGC__POOL_ID : a->member[member].id;
}

static uint32_t find_member(const mgc_alliance *a, const char *id)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (strcmp(a->member[i].id, id) == 0) return i;
    return UINT32_MAX;
}

static mgc_status read_joint(mgc_alliance *a, const mgc_model *model, uint32_t link)
{
    const mgc_link *l = mgc_model_link_at(model, link);
    const char *first, *second, *carrier;
    mgc__joint *j = &a->joint[a->joints];
    mgc_status st = mgc_model_link(model, link, &first, &second, &carrier);

    if (st != MGC_OK) return st;
    *j = (mgc__joint){.link = link, .first = find_member(a, first), .second = find_member(a, second),
                      .carrier = strcmp(carrier, "heat") == 0};
    if (j->first == UINT32_MAX || (j->second == MGC__POOL_MEMBER && strcmp(second, MGC__POOL_ID) != 0))
        return mgc__fail(a->ctx, MGC_E_INVALID_ARG, "bargain: link %u joins %s and %s; both must be in the model", link, first, second);
    a->joints++;
    j->capacity_kw = mgc__alloc(a->ctx, a->periods, sizeof(double));
    j->sent_kw = mgc__alloc(a->ctx, 2 * (size_t)a->periods, sizeof(double));
    j->price = mgc__alloc(a->ctx, 2 * (size_t)a->periods, sizeof(double));
    if (j->capacity_kw == NULL || j->sent_kw == NULL || j->price == NULL) return mgc__no_memory(a->ctx, "bargain: links");
    if ((st = mgc_link_get(l, "loss", 0, &j->loss)) != MGC_OK) return st;
    for (uint32_t t = 0; st == MGC_OK && t < a->periods; t++) st = mgc_link_get(l, "capacity_kw", t, &j->capacity_kw[t]);
    return st;
}

static mgc_status set_groups(mgc_alliance *a)
{
    uint32_t *first = mgc__alloc(a->ctx, a->joints, sizeof *first), *second = mgc__alloc(a->ctx, a->joints, sizeof *second);
    uint32_t *group = mgc__alloc(a->ctx, a->n, sizeof *group);
    mgc_status st = MGC_OK;

    if (first == NULL || second == NULL || group == NULL) {
        st = mgc__no_memory(a->ctx, "bargain: groups of members");
    } else {
        for (size_t k = 0; k < a->joints; k++) {
            first[k] = a->joint[k].first; /* whoever is connected with a pool is with the first one who is */
            second[k] = a->joint[k].second == MGC__POOL_MEMBER ? a->joint[0].first : a->joint[k].second;
        }
        mgc__groups(a->n, first, second, a->joints, group);
        for (size_t i = 0; i < a->n; i++) a->member[i].group = group[i];
    }
    mgc__free(a->ctx, first);
    mgc__free(a->ctx, second);
    mgc__free(a->ctx, group);
    return st;
}

static mgc_status make_result(mgc_alliance *a, const mgc_model *model)
{
    uint32_t links = mgc_model_links(model);
    mgc_status st = MGC_OK;

    a->periods = mgc_model_periods(model);
    a->hours = mgc_model_hours(model);
    a->info = (mgc_alliance_info){.struct_size = sizeof a->info, .lower_bound = -INFINITY};
    a->n = mgc_model_microgrids(model);
    a->member = mgc__alloc(a->ctx, a->n, sizeof *a->member);
    a->joint = mgc__alloc(a->ctx, links, sizeof *a->joint);
    a->pair = mgc__alloc(a->ctx, links, sizeof *a->pair);
    if (a->member == NULL || a->joint == NULL || a->pair == NULL) return mgc__no_memory(a->ctx, "bargain: a result");
    for (uint32_t i = 0; i < a->n; i++) {
        a->member[i].id = mgc__strdup(a->ctx, mgc_model_microgrid_id(model, i));
        a->member[i].bound = a->member[i].standalone_bound = -INFINITY;
        a->member[i].weight = 1;
        a->member[i].own_gap = NAN;
        if (a->member[i].id == NULL) return mgc__no_memory(a->ctx, "bargain: a result");
    }
    for (uint32_t i = 0; st == MGC_OK && i < links; i++) st = read_joint(a, model, i);
    return st == MGC_OK ? set_groups(a) : st;
}

mgc_status mgc_alliance_solve(const mgc_model *model, const mgc_alliance_opts *opts, mgc_alliance **out)
{
    mgc__run run = {.model = model, .opts = alliance_defaults};
    mgc_status st;

    if (model == NULL || out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    run.ctx = model->ctx;
    st = mgc__opts_read(&run.opts, sizeof run.opts, MGC__FIRST_SIZE(mgc_alliance_opts, exchange_user), opts);
    if (st != MGC_OK) return mgc__fail(run.ctx, st, "bargain: opts.struct_size is not one this library knows");
    if ((st = check_opts(run.ctx, &run.opts, mgc_model_microgrids(model))) != MGC_OK) return st;
    if ((st = mgc_model_check(model, NULL, NULL)) != MGC_OK) return st;
    if (run.opts.pool != 0) {
        if ((st = mgc__pool_model(model, &run.pool)) != MGC_OK) return st;
        run.model = run.pool;
    }
    run.start_ms = mgc__now_ms(run.ctx);
    if (run.opts.time_limit_s > 0) run.deadline_ms = run.start_ms + (uint64_t)ceil(run.opts.time_limit_s * 1e3);
    run.a = mgc__alloc(run.ctx, 1, sizeof *run.a);
    if (run.a == NULL) {
        mgc_model_destroy(run.pool);
        return mgc__no_memory(run.ctx, "bargain: a result");
    }
    run.a->ctx = run.ctx;
    mgc__buf_init(&run.a->state, run.ctx, SIZE_MAX);
    st = make_result(run.a, run.model);
    if (st == MGC_OK) st = run.opts.method == MGC_ALLIANCE_CENTRAL ? mgc__run_central(&run) : mgc__run_agents(&run);
    if (st == MGC_OK) {
        run.a->info.method = run.opts.method;
        mgc__alliance_totals(run.a);
        *out = run.a;
    } else {
        mgc_alliance_destroy(run.a);
    }
    mgc_model_destroy(run.pool);
    return st;
}

void mgc_alliance_destroy(mgc_alliance *a)
{
    if (a == NULL) return;
    for (size_t i = 0; a->member != NULL && i < a->n; i++) mgc__free(a->ctx, a->member[i].id);
    for (size_t k = 0; k < a->joints; k++) {
        mgc__free(a->ctx, a->joint[k].capacity_kw);
        mgc__free(a->ctx, a->joint[k].sent_kw);
        mgc__free(a->ctx, a->joint[k].price);
    }
    mgc__free(a->ctx, a->member);
    mgc__free(a->ctx, a->joint);
    mgc__free(a->ctx, a->pair);
    mgc__free(a->ctx, a->round);
    mgc__buf_free(&a->state);
    mgc_plan_destroy(a->alone);
    mgc_plan_destroy(a->together);
    mgc__free(a->ctx, a);
}

double mgc__run_seconds(const mgc__run *run)
{
    return (double)(mgc__now_ms(run->ctx) - run->start_ms) / 1e3;
}

mgc_status mgc__run_tell(mgc__run *run, uint32_t phase, uint32_t round, double primal, double dual)
{
    mgc_alliance_progress p = {.struct_size = sizeof p, .phase = phase, .round = round, .primal = primal, .dual = dual,
                               .seconds = mgc__run_seconds(run)};
    mgc_status st;

    if (run->opts.progress == NULL || run->stopped) return MGC_OK;
    st = mgc__verdict(run->opts.progress(run->opts.user, &p));
    if (st == MGC_E_STOPPED && mgc__run_shared(run)) run->wants_stop = true;
    else if (st == MGC_E_STOPPED) run->stopped = true;
    if (st == MGC_OK || st == MGC_E_STOPPED) return MGC_OK;
    return mgc__fail(run->ctx, st, "bargain: the progress callback answered %s in phase %s", mgc_status_name(st), mgc_phase_name(phase));
}

void mgc__run_reason(mgc__run *run, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    mgc__vformat(run->a->reason, sizeof run->a->reason, format, args);
    va_end(args);
}

/* --- money --------------------------------------------------------------------------------------------------------------------- */

bool mgc__joint_trades(const mgc_alliance *a, const mgc__joint *joint, uint32_t direction)
{
    for (uint32_t t = 0; t < a->periods; t++)
        if (joint->sent_kw[direction * a->periods + t] > 0) return true;
    return false;
}

void mgc__alliance_energies(mgc_alliance *a)
{
    for (size_t i = 0; i < a->n; i++) a->member[i].supplied_kwh = a->member[i].received_kwh = 0;
    for (size_t k = 0; k < a->joints; k++)
        for (uint32_t i = 0; i < 2 * a->periods; i++) {
            const mgc__joint *j = &a->joint[k];
            double sent = j->sent_kw[i] * a->hours;
            uint32_t from = i < a->periods ? j->first : j->second, to = i < a->periods ? j->second : j->first;
            if (from != MGC__POOL_MEMBER) a->member[from].supplied_kwh += sent;
            if (to != MGC__POOL_MEMBER) a->member[to].received_kwh += sent * (1 - j->loss);
        }
}

static void set_weights(mgc__run *run, uint32_t group)
{
    mgc_alliance *a = run->a;
    double supplied = 0, received = 0;

    for (size_t i = 0; i < a->n; i++) {
        if (a->member[i].group != group) continue;
        supplied = fmax(supplied, a->member[i].supplied_kwh);
        received = fmax(received, a->member[i].received_kwh);
    }
    for (size_t i = 0; i < a->n; i++) {
        mgc__member *m = &a->member[i];
        if (m->group != group) continue;
        m->weight = 1;
        if (run->opts.weights == MGC_WEIGHTS_GIVEN) m->weight = run->opts.weight[i];
        if (run->opts.weights == MGC_WEIGHTS_CONTRIBUTION && supplied > 0)
            m->weight = mgc__contribution(m->supplied_kwh, supplied, m->received_kwh, received);
    }
}

/* The pairs of a group that pay: those that trade, where they connect the whole group; else all that links join. */
static mgc_status add_pairs(mgc_alliance *a, uint32_t group, bool all)
{
    for (size_t k = 0; k < a->joints; k++) {
        const mgc__joint *j = &a->joint[k];
        uint32_t low = j->first < j->second ? j->first : j->second, high = j->first < j->second ? j->second : j->first;
        size_t p = 0;

        if (a->member[low].group != group || (!all && !mgc__joint_trades(a, j, 0) && !mgc__joint_trades(a, j, 1))) continue;
        while (p < a->pairs && (a->pair[p].first != low || a->pair[p].second != high)) p++;
        if (p == a->pairs) a->pair[a->pairs++] = (mgc__money){.first = low, .second = high};
    }
    return MGC_OK;
}

typedef struct lists {
    uint32_t *first, *second, *group;
    double *standalone, *cost, *weight, *payment, *pair;
} lists;

static bool make_lists(mgc_ctx *ctx, size_t n, size_t joints, lists *l)
{
    l->first = mgc__alloc(ctx, joints, sizeof *l->first);
    l->second = mgc__alloc(ctx, joints, sizeof *l->second);
    l->group = mgc__alloc(ctx, n + 1, sizeof *l->group); /* the pool, if there is one, is number n */
    l->standalone = mgc__alloc(ctx, n, sizeof *l->standalone);
    l->cost = mgc__alloc(ctx, n, sizeof *l->cost);
    l->weight = mgc__alloc(ctx, n, sizeof *l->weight);
    l->payment = mgc__alloc(ctx, n + 1, sizeof *l->payment);
    l->pair = mgc__alloc(ctx, joints, sizeof *l->pair);
    return l->first != NULL && l->second != NULL && l->group != NULL && l->standalone != NULL && l->cost != NULL && l->weight != NULL &&
           l->payment != NULL && l->pair != NULL;
}

static void free_lists(mgc_ctx *ctx, lists *l)
{
    mgc__free(ctx, l->first);
    mgc__free(ctx, l->second);
    mgc__free(ctx, l->group);
    mgc__free(ctx, l->standalone);
    mgc__free(ctx, l->cost);
    mgc__free(ctx, l->weight);
    mgc__free(ctx, l->payment);
    mgc__free(ctx, l->pair);
}

static uint32_t node(const mgc_alliance *a, uint32_t member)
{
    return member == MGC__POOL_MEMBER ? (uint32_t)a->n : member;
}

static bool trade_connects(mgc_alliance *a, uint32_t group, lists *l)
{
    size_t pairs = 0;

    for (size_t k = 0; k < a->joints; k++) {
        if (!mgc__joint_trades(a, &a->joint[k], 0) && !mgc__joint_trades(a, &a->joint[k], 1)) continue;
        l->first[pairs] = a->joint[k].first;
        l->second[pairs++] = node(a, a->joint[k].second);
    }
    mgc__groups(a->n + 1, l->first, l->second, pairs, l->group);
    for (size_t i = 0; i < a->n; i++)
        if (a->member[i].group == group && l->group[i] != group) return false;
    return true;
}

static mgc_status pay_group(mgc__run *run, uint32_t group, lists *l)
{
    mgc_alliance *a = run->a;
    size_t n = 0;
    mgc_status st;

    set_weights(run, group);
    for (size_t i = 0; i < a->n; i++) {
        if (a->member[i].group != group) continue;
        l->standalone[n] = a->member[i].standalone;
        l->cost[n] = a->member[i].cost;
        l->weight[n++] = a->member[i].weight;
    }
    if ((st = mgc_nash_payments(a->ctx, l->standalone, l->cost, l->weight, n, l->payment)) != MGC_OK) return st;
    n = 0;
    for (size_t i = 0; i < a->n; i++)
        if (a->member[i].group == group) a->member[i].payment = l->payment[n++];
    return add_pairs(a, group, !trade_connects(a, group, l));
}

/* Closed form, group by group. */
mgc_status mgc__alliance_pay(mgc__run *run)
{
    mgc_alliance *a = run->a;
    lists l;
    mgc_status st = make_lists(a->ctx, a->n, a->joints, &l) ? MGC_OK : mgc__no_memory(a->ctx, "bargain: payments");

    a->pairs = 0;
    for (uint32_t g = 0; st == MGC_OK && g < a->n; g++)
        if (a->member[g].group == g) st = pay_group(run, g, &l);
    if (st == MGC_OK) {
        for (size_t i = 0; i < a->n; i++) l.payment[i] = a->member[i].payment;
        for (size_t p = 0; p < a->pairs; p++) {
            l.first[p] = a->pair[p].first;
            l.second[p] = node(a, a->pair[p].second);
        }
        l.payment[a->n] = 0; /* a pool keeps nothing */
        st = mgc_pair_payments(a->ctx, l.payment, a->n + 1, l.first, l.second, a->pairs, l.pair);
    }
    for (size_t p = 0; st == MGC_OK && p < a->pairs; p++) a->pair[p].payment = l.pair[p];
    free_lists(a->ctx, &l);
    return st;
}

void mgc__alliance_apart(mgc_alliance *a)
{
    for (size_t i = 0; i < a->n; i++) {
        a->member[i].cost = a->member[i].standalone;
        a->member[i].payment = 0;
    }
    for (size_t k = 0; k < a->joints; k++) memset(a->joint[k].sent_kw, 0, 2 * a->periods * sizeof(double));
    a->pairs = 0;
    a->info.no_trade = 1;
    mgc__alliance_energies(a);
}

void mgc__alliance_totals(mgc_alliance *a)
{
    mgc_alliance_info *info = &a->info;
    double size = 0, bound = 0;

    info->members = (uint32_t)a->n;
    info->pairs = (uint32_t)a->pairs;
    info->rounds = (uint32_t)a->rounds;
    info->trades = 0;
    info->standalone_total = info->cost = 0;
    for (size_t k = 0; k < a->joints; k++)
        info->trades += (uint32_t)mgc__joint_trades(a, &a->joint[k], 0) + (uint32_t)mgc__joint_trades(a, &a->joint[k], 1);
    for (size_t i = 0; i < a->n; i++) {
        info->standalone_total += a->member[i].standalone;
        info->cost += a->member[i].cost;
        bound += a->member[i].bound;
        size += fabs(a->member[i].standalone);
    }
    if (bound > info->lower_bound) info->lower_bound = bound;
    info->surplus = info->standalone_total - info->cost;
    info->gap = (info->cost - info->lower_bound) / fmax(1, size);
}
