/* SPDX-License-Identifier: Apache-2.0 */
/* The alliance as one program over everybody's data: the yardstick.  Same outputs as by agents. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bargain/alliance.h"
#include "dispatch/model.h"
#include "dispatch/site.h"

static int32_t tell_progress(void *user, uint32_t iteration, double upper, double lower)
{
    mgc__run *run = user;
    mgc_status st;

    (void)upper, (void)lower;
    st = mgc__run_tell(run, MGC_PHASE_RELAXED, iteration, 0, 0);
    if (st != MGC_OK) return st;
    return run->stopped ? MGC_CB_STOP : MGC_CB_DONE;
}

static mgc_status solve(mgc__run *run, uint32_t together, mgc_plan **plan, mgc_plan_info *info)
{
    mgc_dispatch_opts o;
    mgc_status st;

    mgc_dispatch_opts_init(&o, sizeof o);
    o.together = together;
    o.relax = run->opts.relax;
    o.gap = run->opts.gap;
    o.threads = run->opts.threads;
    o.user = run;
    if (run->opts.progress != NULL && together == MGC_DISPATCH_ALLIANCE) o.progress = tell_progress;
    if (run->deadline_ms != 0) {
        uint64_t now = mgc__now_ms(run->ctx);
        o.time_limit_s = now < run->deadline_ms ? (double)(run->deadline_ms - now) / 1e3 : 1e-3;
    }
    *info = (mgc_plan_info){.struct_size = sizeof *info};
    st = mgc_dispatch_solve(run->model, &o, plan);
    return st == MGC_OK ? mgc_plan_get_info(*plan, info) : st;
}

/* --- alone ---------------------------------------------------------------------------------------------------------------------- */

static bool has_contracts(const mgc_model *model)
{
    static const char *const keys[] = {"agreed_kw", "agreed_back_kw"};
    double value;

    for (uint32_t l = 0; l < mgc_model_links(model); l++)
        for (uint32_t t = 0; t < 2 * mgc_model_periods(model); t++)
            if (mgc_link_get(mgc_model_link_at(model, l), keys[t % 2], t / 2, &value) == MGC_OK && !isinf(value)) return true;
    return false;
}

/* Contracts in force bind whoever does not cooperate any further, too: as for agents. */
static mgc_status solve_with_contracts(mgc__run *run, mgc_plan **plan, mgc_plan_info *info)
{
    size_t n = run->a->n;
    void **member = mgc__alloc(run->ctx, n, sizeof *member);
    mgc__site **site = mgc__alloc(run->ctx, n, sizeof *site);
    const mgc__local_opts o = {.relax = run->opts.relax != 0, .gap = run->opts.gap, .tolerance = 1e-8};
    double cost, bound;
    uint32_t outcome;
    mgc_status st = member == NULL || site == NULL ? mgc__no_memory(run->ctx, "bargain: plans alone") : MGC_OK;

    for (size_t i = 0; st == MGC_OK && i < n; i++) {
        st = mgc__local_site_create(run->ctx, run->model, run->a->member[i].id, &o, &member[i]);
        if (st != MGC_OK) break;
        mgc__local_site_deadline(member[i], run->deadline_ms);
        site[i] = mgc__local_site(member[i]);
        st = mgc__local_site_ops.alone(member[i], &cost, &bound, &outcome);
    }
    if (st == MGC_OK) st = mgc__plan_from_sites(run->ctx, run->model, site, n, plan);
    *info = (mgc_plan_info){.struct_size = sizeof *info};
    if (st == MGC_OK) st = mgc_plan_get_info(*plan, info);
    for (size_t i = 0; member != NULL && i < n; i++)
        if (member[i] != NULL) mgc__local_site_ops.destroy(member[i]);
    mgc__free(run->ctx, member);
    mgc__free(run->ctx, site);
    return st;
}

static mgc_status read_members(mgc__run *run, bool alone)
{
    mgc_alliance *a = run->a;
    mgc_status st = MGC_OK;

    for (size_t i = 0; st == MGC_OK && i < a->n; i++) {
        mgc__member *m = &a->member[i];
        if (alone) {
            st = mgc_plan_get_number(a->alone, m->id, "cost", &m->standalone);
            if (st == MGC_OK) st = mgc_plan_get_number(a->alone, m->id, "bound", &m->standalone_bound);
            m->cost = m->standalone;
        } else {
            st = mgc_plan_get_number(a->together, m->id, "cost", &m->cost);
        }
    }
    return st;
}

/* A trade's price lies between what one more kWh costs the sender and what it saves the receiver, each with its half of the
 * fee; where capacity does not bind the two are one number, else they share the difference. */
static mgc_status read_prices(mgc__run *run, const mgc__joint *j, const char *quantity, double *work)
{
    mgc_alliance *a = run->a;
    const mgc_link *link = mgc_model_link_at(run->model, j->link);
    double *first = work, *second = work + a->periods, fee;
    mgc_status st = mgc_plan_get_series(a->together, a->member[j->first].id, "", quantity, 0, first, a->periods);

    if (st == MGC_OK) st = mgc_plan_get_series(a->together, a->member[j->second].id, "", quantity, 0, second, a->periods);
    for (uint32_t t = 0; st == MGC_OK && t < a->periods; t++) {
        st = mgc_link_get(link, "fee_per_kwh", t, &fee);
        j->price[t] = 0.5 * (first[t] + 0.5 * fee + (1 - j->loss) * second[t] - 0.5 * fee);
        j->price[a->periods + t] = 0.5 * (second[t] + 0.5 * fee + (1 - j->loss) * first[t] - 0.5 * fee);
    }
    return st;
}

/* One for all: the multiplier of the pool's balance. */
static mgc_status read_pool_prices(mgc__run *run, const mgc__joint *j)
{
    mgc_alliance *a = run->a;
    const double *price = mgc__plan_pool_price(a->together);

    for (uint32_t t = 0; price != NULL && t < a->periods; t++) j->price[t] = j->price[a->periods + t] = price[j->carrier * a->periods + t];
    return MGC_OK;
}

static mgc_status read_trades(mgc__run *run)
{
    mgc_alliance *a = run->a;
    double *work = mgc__alloc(a->ctx, 2 * (size_t)a->periods, sizeof *work);
    mgc_status st = work == NULL ? mgc__no_memory(a->ctx, "bargain: trades") : MGC_OK;

    for (size_t k = 0; st == MGC_OK && k < a->joints; k++) {
        mgc__joint *j = &a->joint[k];
        const char *id = a->member[j->first].id;
        char name[32];

        snprintf(name, sizeof name, "LINK:%u", j->link);
        st = mgc_plan_get_series(a->together, id, name, "sent_kw", 0, j->sent_kw, a->periods);
        if (st == MGC_OK) st = mgc_plan_get_series(a->together, id, name, "sent_back_kw", 0, j->sent_kw + a->periods, a->periods);
        for (uint32_t i = 0; st == MGC_OK && i < 2 * a->periods; i++) {
            if (j->sent_kw[i] < MGC__RUBBLE_KW) j->sent_kw[i] = 0;
            j->sent_kw[i] = fmin(j->sent_kw[i], j->capacity_kw[i % a->periods]);
        }
        if (st == MGC_OK && j->second == MGC__POOL_MEMBER) st = read_pool_prices(run, j);
        else if (st == MGC_OK) st = read_prices(run, j, j->carrier == 0 ? "price_per_kwh" : "heat_price_per_kwh", work);
    }
    mgc__free(a->ctx, work);
    return st;
}

bool mgc__group_trades(const mgc_alliance *a, uint32_t group)
{
    for (size_t k = 0; k < a->joints; k++)
        if (a->member[a->joint[k].first].group == group && (mgc__joint_trades(a, &a->joint[k], 0) || mgc__joint_trades(a, &a->joint[k], 1)))
            return true;
    return false;
}

/* Members whom no link joins bargain apart: one group's last digits are no reason for another not to trade.  A group that the
 * joint program makes no better than alone stays alone; *left: those that do trade; *taken_back: trades of the plan that are not to be. */
static void part(mgc_alliance *a, size_t *left, bool *taken_back)
{
    *left = 0;
    *taken_back = false;
    for (uint32_t group = 0; group < a->n; group++) {
        double gain = 0;
        bool some = mgc__group_trades(a, group);

        for (size_t i = 0; i < a->n; i++)
            if (a->member[i].group == group) gain += a->member[i].standalone - a->member[i].cost;
        if (some && gain > 0) { /* gain without trade is the solver's last digits */
            *left += 1;
            continue;
        }
        *taken_back |= some;
        for (size_t i = 0; i < a->n; i++)
            if (a->member[i].group == group) a->member[i].cost = a->member[i].standalone;
        for (size_t k = 0; some && k < a->joints; k++)
            if (a->member[a->joint[k].first].group == group) memset(a->joint[k].sent_kw, 0, 2 * a->periods * sizeof(double));
    }
}

static bool has_point(const mgc_plan_info *info)
{
    return info->outcome != MGC_OUTCOME_INFEASIBLE && info->outcome != MGC_OUTCOME_UNBOUNDED && isfinite(info->cost);
}

static mgc_status read_plan(mgc__run *run)
{
    mgc_status st = read_members(run, false);
    return st == MGC_OK ? read_trades(run) : st;
}

/* Once more without the links of groups that gain nothing, so that the plan is what is agreed. */
static mgc_status solve_without(mgc__run *run, bool *solved)
{
    const mgc_model *model = run->model;
    mgc_alliance *a = run->a;
    mgc_model *less = NULL;
    mgc_plan_info info;
    mgc_status st = mgc__model_copy(run->ctx, model, NULL, &less);

    for (size_t k = 0; st == MGC_OK && k < a->joints; k++)
        if (!mgc__group_trades(a, a->member[a->joint[k].first].group))
            st = mgc_link_set_number(mgc_model_link_at(less, a->joint[k].link), "capacity_kw", 0);
    mgc_plan_destroy(a->together);
    a->together = NULL;
    run->model = less;
    if (st == MGC_OK) st = solve(run, MGC_DISPATCH_ALLIANCE, &a->together, &info);
    *solved = st == MGC_OK && has_point(&info);
    if (*solved) st = read_plan(run);
    run->model = model;
    mgc_model_destroy(less);
    return st;
}

static mgc_status stay_apart(mgc__run *run, const char *why)
{
    mgc_plan_destroy(run->a->together);
    run->a->together = NULL;
    mgc__alliance_apart(run->a);
    mgc__run_reason(run, "no trade: %s", why);
    return MGC_OK;
}

static mgc_status pay(mgc__run *run)
{
    mgc_alliance *a = run->a;
    size_t left;
    bool taken_back, solved;
    mgc_status st;

    part(a, &left, &taken_back);
    if (left > 0 && taken_back && !has_contracts(run->model)) {
        if ((st = solve_without(run, &solved)) != MGC_OK) return st;
        if (solved) part(a, &left, &taken_back);
    }
    if (left == 0) return stay_apart(run, "cooperation does not pay");
    if (taken_back) return stay_apart(run, "within the gap asked for, some members would lose");
    if ((st = mgc__alliance_ties(run)) != MGC_OK) return st;
    mgc__alliance_energies(a);
    return mgc__alliance_pay(run);
}

static mgc_status trade(mgc__run *run)
{
    mgc_alliance *a = run->a;
    mgc_plan_info info;
    double begin = mgc__run_seconds(run);
    mgc_status st = solve(run, MGC_DISPATCH_ALLIANCE, &a->together, &info);

    if (st != MGC_OK) return st;
    a->info.outcome = run->stopped ? MGC_OUTCOME_CANCELLED : info.outcome;
    a->info.seconds_trade = mgc__run_seconds(run) - begin;
    mgc__run_reason(run, "solved as one program: %s", mgc_outcome_name(info.outcome));
    if (!has_point(&info)) {
        mgc_plan_destroy(a->together);
        a->together = NULL;
        mgc__alliance_apart(a);
        return MGC_OK;
    }
    if ((st = read_plan(run)) != MGC_OK) return st;
    a->info.lower_bound = info.bound;
    begin = mgc__run_seconds(run);
    st = mgc__run_tell(run, MGC_PHASE_PAY, 0, 0, 0);
    if (st == MGC_OK) st = pay(run);
    a->info.seconds_pay = mgc__run_seconds(run) - begin;
    return st;
}

mgc_status mgc__run_central(mgc__run *run)
{
    mgc_plan_info info;
    mgc_status st = mgc__run_tell(run, MGC_PHASE_ALONE, 0, 0, 0);

    if (st == MGC_OK)
        st = has_contracts(run->model) ? solve_with_contracts(run, &run->a->alone, &info) : solve(run, MGC_DISPATCH_ALONE, &run->a->alone, &info);
    if (st != MGC_OK) return st;
    run->a->info.seconds_alone = mgc__run_seconds(run);
    run->a->info.outcome = info.outcome;
    if (!has_point(&info)) {
        if (info.outcome == MGC_OUTCOME_UNBOUNDED)
            mgc__run_reason(run, "the cost of a member falls without end: something there has neither a limit nor a cost");
        else mgc__run_reason(run, info.outcome == MGC_OUTCOME_LIMIT ? "no plan of every member without trade was found within the time limit"
                                                                    : "a member has no plan without trade");
        for (size_t i = 0; i < run->a->n; i++) run->a->member[i].standalone = run->a->member[i].cost = INFINITY;
        return MGC_OK;
    }
    if ((st = read_members(run, true)) != MGC_OK) return st;
    if (run->stopped || info.outcome == MGC_OUTCOME_CANCELLED) {
        run->a->info.outcome = MGC_OUTCOME_CANCELLED;
        mgc__run_reason(run, "stopped before any trade");
        mgc__alliance_apart(run->a);
        return MGC_OK;
    }
    st = trade(run);
    return st == MGC_OK ? mgc__run_tell(run, MGC_PHASE_DONE, 0, 0, 0) : st;
}
