/* SPDX-License-Identifier: Apache-2.0 */
/* The alliance by agents in one process: the very agents that run over a transport, on a bus that is an array.
 *
 * All agents poll side by side (each on its own context), then their messages are handed over in the order of members: the
 * agents share nothing between two polls, so the result does not depend on the number of threads. */
#include <math.h>
#include <stdio.h>

#include "bargain/alliance.h"
#include "bargain/pool.h"
#include "bargain/reopen.h"
#include "dispatch/site.h"

enum { CREW_FEW = 4 }; /* members for each thread */

typedef struct place {
    const char *id;
    size_t index;
} place;

typedef struct crew {
    mgc__run *run;
    size_t n;
    mgc_ctx **ctx;
    mgc_agent **agent;
    mgc_agent_output *out;
    mgc_status *status;
    double *committed_bound; /* [2n] */
    place *places; /* [n] by id */
    const char **roster; /* [n] */
    size_t turns; /* rounds of trades recorded */
    bool pool;
} crew;

static int by_id(const void *a, const void *b)
{
    return strcmp(((const place *)a)->id, ((const place *)b)->id);
}

/* --- creating ---------------------------------------------------------------------------------------------------------------- */

static void free_crew(crew *c)
{
    mgc_ctx *ctx = c->run->ctx;

    for (size_t i = 0; i < c->n; i++) {
        if (c->agent != NULL) mgc_agent_destroy(c->agent[i]);
        if (c->ctx != NULL) mgc_ctx_destroy(c->ctx[i]);
    }
    mgc__free(ctx, c->ctx);
    mgc__free(ctx, c->agent);
    mgc__free(ctx, c->out);
    mgc__free(ctx, c->status);
    mgc__free(ctx, c->committed_bound);
    mgc__free(ctx, c->places);
    mgc__free(ctx, c->roster);
    mgc__run_free_tapes(c->run);
}

static mgc_status hire(crew *c, size_t i)
{
    mgc__run *run = c->run;
    mgc_agent_opts o;
    mgc_status st = mgc__ctx_child(run->ctx, &c->ctx[i]);

    if (st != MGC_OK) return st;
    mgc_agent_opts_init(&o, sizeof o);
    o.members = (uint32_t)run->a->n;
    o.relax = run->opts.relax;
    o.weights = run->opts.weights;
    o.weight = run->opts.weights == MGC_WEIGHTS_GIVEN ? run->opts.weight[i] : 1;
    o.tolerance = run->opts.tolerance;
    o.gap = run->opts.gap;
    o.round_limit = run->opts.round_limit;
    o.start = run->opts.start;
    o.start_len = run->opts.start_len;
    o.children = MGC__POOL_MEMBERS_MAX; /* no masks and no way to save: everyone tells the first one of the roster */
    if (c->pool) {
        o.roster = c->roster;
        o.roster_n = c->n;
    }
    st = mgc__agent_drive(c->ctx[i], run->model, run->a->member[i].id, &o, &c->agent[i]);
    if (st != MGC_OK) return mgc__fail(run->ctx, st, "%s", mgc_ctx_error(c->ctx[i]));
    mgc__local_site_deadline(c->agent[i]->local, run->deadline_ms);
    if (run->tape != NULL) mgc__local_site_tape(c->agent[i]->local, &run->tape[i]);
    /* Of few members one with many on/off decisions takes longer than the others together: it may use the cores that they leave. */
    if (run->a->n <= CREW_FEW * (size_t)run->opts.threads) mgc__local_site_threads(c->agent[i]->local, run->opts.threads);
    return MGC_OK;
}

static mgc_status make_crew(crew *c)
{
    mgc_ctx *ctx = c->run->ctx;
    mgc_status st = MGC_OK;

    c->n = c->run->a->n;
    c->ctx = mgc__alloc(ctx, c->n, sizeof(mgc_ctx *));
    c->agent = mgc__alloc(ctx, c->n, sizeof(mgc_agent *));
    c->out = mgc__alloc(ctx, c->n, sizeof *c->out);
    c->status = mgc__alloc(ctx, c->n, sizeof *c->status);
    c->committed_bound = mgc__alloc(ctx, 2 * c->n, sizeof *c->committed_bound);
    c->places = mgc__alloc(ctx, c->n, sizeof *c->places);
    c->roster = mgc__alloc(ctx, c->n, sizeof *c->roster);
    c->pool = mgc__model_has_pool(c->run->model);
    if (c->ctx == NULL || c->agent == NULL || c->out == NULL || c->status == NULL || c->committed_bound == NULL || c->places == NULL ||
        c->roster == NULL)
        return mgc__no_memory(ctx, "bargain: agents");
    for (size_t i = 0; i < c->n; i++) c->places[i] = (place){c->run->a->member[i].id, i};
    for (size_t i = 0; i < c->n; i++) c->roster[i] = c->run->a->member[i].id;
    qsort(c->places, c->n, sizeof *c->places, by_id);
    st = mgc__run_make_tapes(c->run, c->n);
    for (size_t i = 0; st == MGC_OK && i < c->n; i++) st = hire(c, i);
    return st;
}

/* --- one turn ------------------------------------------------------------------------------------------------------------------- */

static void poll_one(void *user, size_t i)
{
    crew *c = user;

    c->status[i] = mgc_agent_poll(c->agent[i], 0, &c->out[i]); /* time stands still: nobody is silent in one process */
}

static void bound_one(void *user, size_t i)
{
    crew *c = user;

    c->status[i] = mgc__agent_bound(c->agent[i]);
}

static void bound_relaxed_one(void *user, size_t i)
{
    crew *c = user;

    c->status[i] = mgc__agent_bound_relaxed(c->agent[i], &c->committed_bound[2 * i], &c->committed_bound[2 * i + 1]);
}

static mgc_status everyone(crew *c, void (*task)(void *user, size_t i))
{
    mgc_status st = mgc__run_everyone(c->run, c->n, task, c);

    if (st != MGC_OK) return st;
    for (size_t i = 0; i < c->n; i++)
        if (c->status[i] != MGC_OK)
            return mgc__fail(c->run->ctx, c->status[i], "%s (member %s)", mgc_ctx_error(c->ctx[i]), c->run->a->member[i].id);
    return MGC_OK;
}

static size_t index_of(const crew *c, const char *id)
{
    const place key = {.id = id}, *found = bsearch(&key, c->places, c->n, sizeof key, by_id);

    assert(found != NULL); /* links join members of the model: checked when the result was made */
    return found->index;
}

static mgc_status deliver(crew *c, size_t *delivered)
{
    mgc_status st = MGC_OK;

    *delivered = 0;
    for (size_t i = 0; i < c->n; i++)
        for (size_t k = 0; st == MGC_OK && k < c->out[i].n_messages; k++) {
            const mgc_message *m = &c->out[i].messages[k];
            st = mgc_agent_receive(c->agent[index_of(c, m->to)], 0, c->run->a->member[i].id, m->bytes, m->len);
            ++*delivered;
        }
    return st;
}

/* A new round of trades somewhere: one line of the history.  Groups that have no link between them count rounds side by side. */
static mgc_status record(crew *c)
{
    mgc_alliance *a = c->run->a;
    mgc_round r = {.struct_size = sizeof r};
    size_t turns = 0;

    for (size_t i = 0; i < c->n; i++)
        if (c->agent[i]->turn.count > turns) turns = c->agent[i]->turn.count;
    if (turns == c->turns) return MGC_OK;
    c->turns = turns;
    for (size_t i = 0; i < c->n; i++) {
        const mgc__turn *t = &c->agent[i]->turn;
        if (t->count == turns) {
            r.phase = mgc__stage_phase(t->stage);
            r.round = t->round;
        }
        r.primal = fmax(r.primal, t->primal);
        r.dual = fmax(r.dual, t->dual);
        r.disagreement_kw = fmax(r.disagreement_kw, t->apart_kw);
        r.traded_kwh += t->traded_kwh;
    }
    if (!mgc__grow(a->ctx, (void **)&a->round, &a->rounds_cap, a->rounds + 1, sizeof *a->round))
        return mgc__no_memory(a->ctx, "bargain: history of rounds");
    a->round[a->rounds++] = r;
    a->info.primal_residual = r.primal;
    a->info.dual_residual = r.dual;
    return mgc__run_tell(c->run, r.phase, r.round, r.primal, r.dual);
}

static bool running(const crew *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->out[i].state == MGC_AGENT_RUNNING) return true;
    return false;
}

static bool any(const crew *c, uint32_t state)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->out[i].state == state) return true;
    return false;
}

static void hurry_if_late(crew *c)
{
    mgc__run *run = c->run;

    mgc__run_late(run);
    for (size_t i = 0; (run->late || run->stopped) && i < c->n; i++) mgc__agent_hurry(c->agent[i]);
}

/* --- the run ---------------------------------------------------------------------------------------------------------------------- */

static mgc_status snapshot(crew *c, mgc_plan **plan)
{
    mgc__site **sites = mgc__alloc(c->run->ctx, c->n, sizeof(mgc__site *));
    mgc_status st;

    if (sites == NULL) return mgc__no_memory(c->run->ctx, "bargain: a plan");
    for (size_t i = 0; i < c->n; i++) sites[i] = mgc__local_site(c->agent[i]->local);
    st = mgc__plan_from_sites(c->run->ctx, c->run->model, sites, c->n, plan);
    mgc__free(c->run->ctx, sites);
    return st;
}

/* The first poll plans every member alone. */
static mgc_status alone(crew *c)
{
    mgc_alliance *a = c->run->a;
    mgc_status st;
    bool all = true;

    if ((st = mgc__run_tell(c->run, MGC_PHASE_ALONE, 0, 0, 0)) != MGC_OK) return st;
    if ((st = everyone(c, poll_one)) != MGC_OK) return st;
    a->info.seconds_alone = mgc__run_seconds(c->run);
    for (size_t i = 0; i < c->n; i++) {
        a->member[i].standalone = a->member[i].cost = c->agent[i]->alone_cost;
        a->member[i].standalone_bound = c->agent[i]->alone_bound;
        all &= isfinite(c->agent[i]->alone_cost);
    }
    return all ? snapshot(c, &a->alone) : MGC_OK;
}

static mgc_status trade(crew *c)
{
    uint32_t phase = MGC_PHASE_ALONE;
    mgc_status st = MGC_OK;
    double begin = mgc__run_seconds(c->run);

    while (st == MGC_OK && running(c)) {
        size_t delivered;
        st = deliver(c, &delivered);
        if (st == MGC_OK && delivered == 0 && any(c, MGC_AGENT_CANCELLED)) break; /* the others wait for who was cancelled */
        if (st == MGC_OK && delivered == 0)
            return mgc__fail(c->run->ctx, MGC_E_INTERNAL, "bargain: the agents wait for each other in phase %s",
                             mgc_phase_name(c->out[0].phase));
        hurry_if_late(c);
        if (st == MGC_OK) st = everyone(c, poll_one);
        if (st == MGC_OK) st = record(c);
        if (st != MGC_OK || c->out[0].phase == phase) continue;
        phase = c->out[0].phase;
        if (phase == MGC_PHASE_PAY) {
            c->run->a->info.seconds_trade += mgc__run_seconds(c->run) - begin;
            begin = mgc__run_seconds(c->run);
        }
        if (phase != MGC_PHASE_RELAXED && phase != MGC_PHASE_FIXED) st = mgc__run_tell(c->run, phase, 0, 0, 0);
    }
    c->run->a->info.seconds_pay += mgc__run_seconds(c->run) - begin;
    return st;
}

static void take_trades(crew *c)
{
    mgc_alliance *a = c->run->a;

    for (size_t k = 0; k < a->joints; k++) {
        mgc__joint *j = &a->joint[k];
        const mgc_agent *agent = c->agent[j->first];
        for (size_t e = 0; e < agent->n_ends; e++) {
            if (agent->ends[e].terms.link != j->link) continue;
            memcpy(j->sent_kw, agent->sent_kw + 2 * e * a->periods, 2 * a->periods * sizeof(double));
            memcpy(j->price, agent->price + 2 * e * a->periods, 2 * a->periods * sizeof(double));
        }
    }
    mgc__alliance_energies(a);
}

/* For tomorrow: every link once, in the order of members. */
static mgc_status keep_state(crew *c)
{
    mgc_alliance *a = c->run->a;
    size_t entries = 0;

    a->state.len = 0;
    if (c->pool) {
        mgc__pool_start_write(c->agent, c->n, &a->state);
        return a->state.status == MGC_OK ? MGC_OK : mgc__no_memory(a->ctx, "bargain: state for the next run");
    }
    for (size_t i = 0; i < c->n; i++) entries += mgc__start_count(c->agent[i], true);
    mgc__start_head(entries, &a->state);
    for (size_t i = 0; i < c->n; i++) mgc__start_write(c->agent[i], true, &a->state);
    return a->state.status == MGC_OK ? MGC_OK : mgc__no_memory(a->ctx, "bargain: state for the next run");
}

static void take_payments(crew *c)
{
    mgc_alliance *a = c->run->a;

    a->pairs = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        const mgc_agent *agent = c->agent[i];
        int64_t total = 0;
        for (size_t p = 0; p < agent->n_peers; p++) {
            uint32_t other = c->pool ? MGC__POOL_MEMBER : (uint32_t)index_of(c, agent->peers[p].id);
            int64_t pays = agent->peers[p].first ? agent->peers[p].micro : -agent->peers[p].micro;
            total += pays;
            if (!agent->peers[p].pays || agent->no_trade || other < i) continue;
            a->pair[a->pairs++] = (mgc__money){.first = i, .second = other, .payment = (double)pays / MGC__MICRO};
        }
        a->member[i].cost = agent->cost;
        a->member[i].payment = (double)total / MGC__MICRO;
        a->member[i].weight = agent->no_trade || agent->n_ends == 0 ? agent->opts.weight : agent->weight;
        if (agent->pay_rounds > a->info.pay_rounds) a->info.pay_rounds = agent->pay_rounds;
    }
}

/* What the gap asked for is a share of: the stand-alone total, for a bound that is tight in parts of it is so in parts of the sum of
 * |stand-alone costs|, too.  Where some earn and some pay so that next to nothing is left, the total is no measure. */
static double size_of_costs(const crew *c)
{
    static const double least_share = 0.1;
    double total = 0, size = 0;

    for (size_t i = 0; i < c->n; i++) {
        total += c->agent[i]->alone_cost;
        size += fabs(c->agent[i]->alone_cost);
    }
    return fmax(1, fmax(fabs(total), least_share * size));
}

/* With on/off decisions the last prices may prove less than those of the relaxation: where that is worth a try, both are asked. */
static mgc_status better_bounds(crew *c)
{
    double cost = 0, last = 0, relaxed = 0;
    mgc_status st;

    for (size_t i = 0; i < c->n; i++) {
        cost += c->agent[i]->cost;
        last += c->agent[i]->bound;
    }
    if (c->run->opts.relax || cost - last <= c->run->opts.gap * size_of_costs(c)) return MGC_OK;
    if ((st = everyone(c, bound_relaxed_one)) != MGC_OK) return st;
    for (size_t i = 0; i < c->n; i++) relaxed += c->committed_bound[2 * i];
    for (size_t i = 0; relaxed > last && i < c->n; i++) {
        c->agent[i]->bound = c->committed_bound[2 * i];
        c->agent[i]->own_gap = c->committed_bound[2 * i + 1];
        memcpy(c->agent[i]->price_bound, c->agent[i]->price_relaxed, c->agent[i]->coordinates * sizeof(double));
    }
    return MGC_OK;
}

static double cost_of_all(const crew *c)
{
    double cost = 0;

    for (size_t i = 0; i < c->n; i++) cost += c->agent[i]->cost;
    return cost;
}

/* All that the agents agreed on, into the result. */
static mgc_status take_agreement(crew *c)
{
    mgc_alliance *a = c->run->a;
    bool none = true;
    mgc_status st;

    take_trades(c);
    take_payments(c);
    for (size_t i = 0; i < c->n; i++) none &= c->agent[i]->no_trade;
    a->info.no_trade = none;
    if ((st = keep_state(c)) != MGC_OK) return st;
    mgc_plan_destroy(a->together);
    a->together = NULL;
    return snapshot(c, &a->together);
}

static bool all_agreed(const crew *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->out[i].state != MGC_AGENT_AGREED) return false;
    return true;
}

/* From what is held: decision NULL: back to it. */
static mgc_status once_more(crew *c, const mgc__held *held, const int8_t *decision, const size_t *first)
{
    uint64_t step = 0;
    mgc_status st;

    for (size_t i = 0; i < c->n; i++)
        if (c->agent[i]->step > step) step = c->agent[i]->step;
    for (size_t i = 0; i < c->n; i++)
        if (c->agent[i]->n_ends > 0) mgc__agent_reopen(c->agent[i], &held[i], decision == NULL ? NULL : decision + first[i], step + 2);
    st = everyone(c, poll_one);
    return st == MGC_OK ? trade(c) : st;
}

/* Other decisions may make a better plan: the agents bargain once more with them.  If it is not better, all is as it was. */
static mgc_status replan(void *user, const int8_t *decision, const size_t *first, double *cost)
{
    crew *c = user;
    mgc__held *held = mgc__alloc(c->run->ctx, c->n, sizeof *held);
    bool trading = !c->run->stopped && !c->run->late;
    mgc_status st = held == NULL ? mgc__no_memory(c->run->ctx, "bargain: an agreement to come back to") : MGC_OK;

    for (size_t i = 0; st == MGC_OK && i < c->n; i++) {
        trading &= !c->agent[i]->no_trade || c->agent[i]->n_ends == 0; /* else its decisions are those of its plan alone */
        st = mgc__agent_hold(c->agent[i], &held[i]);
    }
    if (st == MGC_OK && trading) {
        st = once_more(c, held, decision, first);
        if (st == MGC_OK && (!all_agreed(c) || !(cost_of_all(c) < *cost))) st = once_more(c, held, NULL, NULL);
        if (st == MGC_OK && all_agreed(c)) st = take_agreement(c);
        *cost = cost_of_all(c);
    }
    for (size_t i = 0; held != NULL && i < c->n; i++) mgc__held_free(c->agent[i]->ctx, &held[i]);
    mgc__free(c->run->ctx, held);
    return st;
}

/* What is left of the gap: better prices and a few cases (dual.c). */
static mgc_status best_bound(crew *c)
{
    double cost = 0, bound = 0;
    mgc_status st;

    for (size_t i = 0; i < c->n; i++) {
        cost += c->agent[i]->cost;
        bound += c->agent[i]->bound;
    }
    if (c->run->opts.relax || cost - bound <= c->run->opts.gap * size_of_costs(c)) return MGC_OK;
    if (c->pool) return MGC_OK; /* dual.c knows two ends of a link */
    st = mgc__run_dual(c->run, c->agent, c->n, cost, 0.95 * c->run->opts.gap * size_of_costs(c), replan, c, &bound);
    if (st == MGC_OK && bound > c->run->a->info.lower_bound) c->run->a->info.lower_bound = bound;
    return st;
}

static mgc_status bounds(crew *c)
{
    mgc_alliance *a = c->run->a;
    double begin = mgc__run_seconds(c->run);
    mgc_status st = mgc__run_tell(c->run, MGC_PHASE_BOUND, 0, 0, 0);

    if (st == MGC_OK && !c->run->stopped) st = everyone(c, bound_one);
    if (st == MGC_OK && !c->run->stopped) st = better_bounds(c);
    if (st == MGC_OK && !c->run->stopped) st = best_bound(c);
    for (size_t i = 0; i < c->n; i++) {
        a->member[i].bound = c->agent[i]->bound;
        if (isfinite(c->agent[i]->bound)) a->member[i].own_gap = c->agent[i]->own_gap;
    }
    a->info.seconds_bound = mgc__run_seconds(c->run) - begin;
    return st;
}

static void bound_committed_one(void *user, size_t i)
{
    crew *c = user;

    c->status[i] = mgc__agent_bound_committed(c->agent[i], &c->committed_bound[i]);
}

/* At the round limit the residuals have not told that the trades are good enough; weak duality may still prove it: no trades at
 * all, with the same on/off decisions, cost less than the bound at the last prices. */
static mgc_status proven(crew *c, bool *is_proven)
{
    double cost = 0, bound = 0, size = 0;
    mgc_status st = everyone(c, bound_committed_one);

    for (size_t i = 0; i < c->n; i++) {
        cost += c->run->a->member[i].cost;
        bound += c->committed_bound[i];
        size += fabs(c->run->a->member[i].standalone);
    }
    *is_proven = st == MGC_OK && cost - bound <= c->run->opts.tolerance * fmax(1, size);
    return st;
}

static void blame(crew *c)
{
    const mgc__end *worst = NULL;
    const char *who = "";

    for (size_t i = 0; i < c->n; i++)
        for (size_t e = 0; e < c->agent[i]->n_ends; e++) {
            const mgc__end *end = &c->agent[i]->ends[e];
            if (worst != NULL && fmax(end->primal, end->dual) <= fmax(worst->primal, worst->dual)) continue;
            worst = end;
            who = c->run->a->member[i].id;
        }
    if (worst != NULL)
        mgc__run_reason(c->run, "%s; least agreed: link %u (%s and %s), primal residual %.2g, dual residual %.2g",
                        c->run->stopped ? "stopped by the host" : c->run->late ? "time limit" : "round limit", worst->terms.link, who,
                        worst->terms.neighbour, worst->primal, worst->dual);
}

static mgc_status agreed(crew *c)
{
    mgc_alliance *a = c->run->a;
    bool limit = false;
    mgc_status st;

    if ((st = take_agreement(c)) != MGC_OK) return st;
    if ((st = bounds(c)) != MGC_OK) return st;
    for (size_t i = 0; i < c->n; i++) limit |= c->agent[i]->at_limit;
    if (limit && !c->run->stopped && !c->run->late) {
        bool is_proven;
        if ((st = proven(c, &is_proven)) != MGC_OK) return st;
        limit = !is_proven;
    }
    a->info.outcome = c->run->stopped ? MGC_OUTCOME_CANCELLED : limit || c->run->late ? MGC_OUTCOME_LIMIT : MGC_OUTCOME_OPTIMAL;
    mgc__alliance_totals(a);
    if (a->info.outcome == MGC_OUTCOME_OPTIMAL && a->info.no_trade == 0 && a->info.gap > fmax(c->run->opts.gap, c->run->opts.tolerance))
        mgc__run_reason(c->run, "agreed; no better than within %.2g of the optimum is proven", a->info.gap);
    else if (a->info.outcome == MGC_OUTCOME_OPTIMAL)
        mgc__run_reason(c->run, "%s", a->info.no_trade != 0 ? "no trade: cooperation does not pay" : "agreed");
    else
        blame(c);
    return MGC_OK;
}

/* Not everyone agreed: the stand-alone plans are the best result there is. */
static mgc_status apart(crew *c)
{
    mgc_alliance *a = c->run->a;
    mgc_dispatch_opts o;

    for (size_t i = 0; i < c->n; i++)
        if (c->out[i].state != MGC_AGENT_AGREED && c->out[i].state != MGC_AGENT_RUNNING) mgc__run_reason(c->run, "%s", c->out[i].reason);
    mgc__alliance_apart(a);
    a->info.outcome = any(c, MGC_AGENT_INFEASIBLE) ? MGC_OUTCOME_INFEASIBLE : any(c, MGC_AGENT_CANCELLED) ? MGC_OUTCOME_CANCELLED
                    : MGC_OUTCOME_NUMERICAL;
    if (a->info.outcome != MGC_OUTCOME_INFEASIBLE) return MGC_OK;
    mgc_dispatch_opts_init(&o, sizeof o); /* once more, for the explanation */
    o.relax = c->run->opts.relax;
    o.threads = c->run->opts.threads;
    mgc_plan_destroy(a->alone);
    a->alone = NULL;
    return mgc_dispatch_solve(c->run->model, &o, &a->alone);
}

/* Whose cost falls without end has no price for anything: there is nothing to bargain about, and the model is wrong. */
static bool unbounded(crew *c)
{
    size_t i = 0;

    while (i < c->n && c->agent[i]->alone_outcome != MGC_OUTCOME_UNBOUNDED) i++;
    if (i == c->n) return false;
    c->run->a->info.outcome = MGC_OUTCOME_UNBOUNDED;
    mgc__run_reason(c->run, "the cost of %s falls without end: something there has neither a limit nor a cost",
                    c->run->a->member[i].id);
    return true;
}

/* Whose search for a plan alone ended before there was one has nothing to compare trade with: there is no result, and nothing is
 * wrong with the model either. */
static bool unfinished(crew *c)
{
    size_t late = c->n;

    for (size_t i = 0; i < c->n; i++) {
        uint32_t outcome = c->agent[i]->alone_outcome;
        if (outcome == MGC_OUTCOME_INFEASIBLE || outcome == MGC_OUTCOME_CANCELLED) return false;
        if (!isfinite(c->agent[i]->alone_cost) && late == c->n) late = i;
    }
    if (late == c->n) return false;
    c->run->a->info.outcome = c->agent[late]->alone_outcome;
    mgc__run_reason(c->run, "no plan of %s without trade was found %s", c->run->a->member[late].id,
                    c->run->a->info.outcome == MGC_OUTCOME_LIMIT ? "within the time limit" : "for numerical reasons");
    return true;
}

mgc_status mgc__run_agents(mgc__run *run)
{
    crew c = {.run = run};
    mgc_status st = make_crew(&c);

    if (st == MGC_OK) st = alone(&c);
    if (st == MGC_OK && (unbounded(&c) || unfinished(&c))) {
        st = mgc__run_tell(run, MGC_PHASE_DONE, 0, 0, 0);
        free_crew(&c);
        return st;
    }
    if (st == MGC_OK) st = trade(&c);
    if (st == MGC_OK) {
        st = all_agreed(&c) ? agreed(&c) : apart(&c);
    }
    if (st == MGC_OK) st = mgc__run_tell(run, MGC_PHASE_DONE, 0, 0, 0);
    free_crew(&c);
    return st;
}
