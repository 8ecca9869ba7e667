/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a bargaining run, in order.  Every member of a connected group of links walks through the same stages and
 * rounds, since whatever decides the way is common knowledge: options that were compared, or numbers that were spread.
 *
 *   1 ALONE    own plan without trade
 *   2 HELLO    compare terms; who else is there, and how far is the farthest: how many rounds news need?
 *   4 RELAXED  ADMM for trades, until all have agreed for `span` + 1 rounds, or what is left is proven to be little (prove.c: rounds
 *              pause for sums), or the limit
 *   5 COMMIT   own on/off decisions at the trades and prices found             (only where somebody has any)
 *   6 FIXED    ADMM again with these
 *     CHOOSE   of the last rounds' trades the best, by sums over all (only where the limit ended the rounds: choose.c)
 *     TIES     of trades that cost the same those of least sum of squares    (only for powers by contribution: ties.c)
 *   7 SETTLE   own plan with the agreed trades; where somebody has none, all trades shrink and are tried again
 *   8 SURVEY   largest energies (for the weights), which members trade connects
 *   9 SPLIT    does trade connect all of them?
 *  10 PAY      ADMM for payments
 *  11 VETO     would somebody lose?  then no trade
 *  12 BOUND    own part of the lower bound
 *
 * Stopping without a coordinator.  calm counts a member's rounds of agreement, but no higher than one more than its neighbours'
 * counts of the round before; calm > span therefore means that everyone had agreed.  Whoever sees it first names the last round,
 * `span` rounds ahead; the smallest number named spreads one link a round, so it has reached everyone when that round comes.
 *
 * What can go wrong: a peer is silent (agent.c: deadline), repeats or reorders (step numbers), sends rubbish (refused), has other
 * terms (HELLO names the link), contradicts itself about what was agreed (SETTLE compares digests), cannot realise the trades
 * (shrink), would lose (veto). */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "bargain/agent.h"

#define COARSE 1e-2   /* residual that is enough where on/off decisions will still move the trades */
enum { CYCLES = 1 }; /* times that on/off decisions are made: measured, a second changes nothing on the reference cases */
enum { PAY_ROUND_LIMIT = 5000 }; /* a path of 40 members needs 3000 */
static const double pay_tolerance = 2e-8; /* currency; proposals are exact to 1e-9 */
enum { WARM_SOFTER = 2 }; /* powers of two */
enum { CLOSING = 5 }; /* powers of two; measured: 4 to 7 are alike */
enum { NO_WEIGHT = -5000 }; /* below every exponent of a double */

/* --- which stage talks, and about what ------------------------------------------------------------------------------- */

bool mgc__stage_talks(uint32_t stage)
{
    return stage != MGC__STAGE_ALONE && stage != MGC__STAGE_COMMIT && stage != MGC__STAGE_BOUND && stage != MGC__STAGE_DONE;
}

uint32_t mgc__stage_phase(uint32_t stage)
{
    static const uint32_t phases[] = {MGC_PHASE_ALONE,  MGC_PHASE_HELLO, MGC_PHASE_HELLO,  MGC_PHASE_RELAXED, MGC_PHASE_COMMIT,
                                      MGC_PHASE_FIXED,  MGC_PHASE_SETTLE, MGC_PHASE_PAY,   MGC_PHASE_PAY,     MGC_PHASE_PAY,
                                      MGC_PHASE_PAY,    MGC_PHASE_BOUND, MGC_PHASE_DONE,   MGC_PHASE_SETTLE,
                                      MGC_PHASE_RELAXED, MGC_PHASE_SETTLE, MGC_PHASE_SETTLE};
    assert(stage < MGC__COUNT(phases));
    return phases[stage];
}

uint32_t mgc__agent_phase(const mgc_agent *agent)
{
    return mgc__stage_phase(agent->stage == MGC__STAGE_PROVE ? agent->prove.stage : agent->stage);
}

size_t mgc__stage_values(const mgc_agent *agent, const mgc__end *end, uint32_t stage, uint32_t round)
{
    switch (stage) {
    case MGC__STAGE_HELLO: return SIZE_MAX;
    case MGC__STAGE_RELAXED:
    case MGC__STAGE_FIXED: return end->count;
    case MGC__STAGE_SETTLE: return 1;
    case MGC__STAGE_PAY: return end->speaks_for_pair;
    case MGC__STAGE_PROVE: return 1 + MGC__PROVE_SUMS;
    case MGC__STAGE_CHOOSE: return 1 + MGC__CHOOSE_SUMS;
    case MGC__STAGE_TIES: return mgc__ties_values(agent, end, round);
    default: return 0;
    }
}

static int64_t terms_digest(const mgc_agent *agent, const mgc__end *end)
{
    return mgc__hash_value(mgc__hash_uint(end->terms.digest, agent->digest));
}

static int64_t agreed_digest(const mgc__end *end)
{
    return mgc__hash_value(mgc__hash_bytes(MGC__HASH_START, end->agreed, end->count * sizeof *end->agreed));
}

void mgc__stage_speak(const mgc_agent *agent, const mgc__end *end, mgc__note *note, int64_t *values)
{
    note->calm = agent->calm;
    note->last = agent->last;
    memcpy(note->flood, agent->flood, sizeof note->flood);
    note->n = 0;
    switch (agent->stage) {
    case MGC__STAGE_HELLO:
        values[0] = terms_digest(agent, end);
        values[1] = (int64_t)mgc__admm_first_penalty(&end->terms);
        values[2] = (int64_t)end->start_hash;
        memcpy(values + MGC__HELLO_VALUES, agent->fresh, agent->n_fresh * sizeof *values);
        note->n = MGC__HELLO_VALUES + agent->n_fresh;
        break;
    case MGC__STAGE_RELAXED:
    case MGC__STAGE_FIXED:
        note->flood[0] = agent->parent == (size_t)(end - agent->ends);
        memcpy(values, end->mine, end->count * sizeof *values);
        note->n = end->count;
        break;
    case MGC__STAGE_SETTLE:
        values[0] = agreed_digest(end);
        note->n = 1;
        break;
    case MGC__STAGE_PAY:
        if (!end->speaks_for_pair) break;
        values[0] = agent->peers[end->pair].mine;
        note->n = 1;
        break;
    case MGC__STAGE_PROVE:
    case MGC__STAGE_CHOOSE:
        note->calm = note->last = 0; /* they are of the rounds, which pause */
        mgc__sum_speak(agent, end, values);
        note->n = 1 + agent->sum.n;
        break;
    case MGC__STAGE_TIES:
        mgc__ties_speak(agent, end, values);
        note->n = mgc__ties_values(agent, end, agent->round);
        break;
    default: break;
    }
    note->values = values;
}

/* --- moving on ----------------------------------------------------------------------------------------------------------- */

void mgc__stage_enter(mgc_agent *agent, uint32_t stage)
{
    agent->stage = stage;
    agent->round = 1;
    agent->calm = agent->last = 0;
    memset(agent->flood, 0, sizeof agent->flood);
}

static void next_round(mgc_agent *agent)
{
    agent->round++;
}

void mgc__agent_end(mgc_agent *agent, uint32_t state, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    mgc__vformat(agent->reason, sizeof agent->reason, format, args);
    va_end(args);
    agent->state = state;
}

static const mgc__inbox *answer(const mgc_agent *agent, const mgc__end *end)
{
    const mgc__inbox *in = &end->inbox[agent->step & 1];

    assert(in->full && in->step == agent->step);
    return in;
}

void mgc__stage_hear_floods(mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__inbox *in = answer(agent, &agent->ends[e]);
        for (size_t i = 0; i < MGC__FLOODS; i++)
            if (in->flood[i] > agent->flood[i]) agent->flood[i] = in->flood[i];
    }
}

/* The stopping rule of the head comment.  true: this was the last round. */
bool mgc__stage_hear_calm(mgc_agent *agent, bool agreed, uint32_t limit)
{
    uint64_t calm = agent->calm;

    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__inbox *in = answer(agent, &agent->ends[e]);
        if (in->calm < calm) calm = in->calm;
        if (in->last != 0 && (agent->last == 0 || in->last < agent->last)) agent->last = in->last;
    }
    agent->calm = agreed ? calm + 1 : 0;
    if (agent->last == 0 && agent->calm > agent->span) agent->last = agent->round + agent->span;
    return (agent->last != 0 && agent->round >= agent->last) || agent->round >= limit;
}

/* --- HELLO, SPAN ------------------------------------------------------------------------------------------------------------ */

/* Ascending, by bisection: an alliance of a thousand hears a million words. */
static bool add_heard(mgc_agent *agent, int64_t hash)
{
    size_t low = 0, high = agent->n_heard;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (agent->heard[middle] < hash) low = middle + 1;
        else high = middle;
    }
    if (low < agent->n_heard && agent->heard[low] == hash) return true;
    if (agent->n_heard == agent->opts.members) return false;
    memmove(agent->heard + low + 1, agent->heard + low, (agent->n_heard - low) * sizeof *agent->heard);
    agent->heard[low] = hash;
    agent->n_heard++;
    agent->fresh[agent->n_fresh++] = hash;
    return true;
}

/* Where both ends kept the same from an earlier run they go on from there, else both start cold.  Where costs are smooth yesterday's
 * penalty is theirs.  Else it fits the small steps near an optimum, and another day begins far from its own: it is made anew, a quarter
 * of a cold one, since yesterday's prices need smaller steps than none (measured: doc/math/bargain.md, section 5). */
static void first_point(mgc__end *end, const mgc__inbox *in)
{
    int64_t exponent = (int64_t)mgc__admm_first_penalty(&end->terms);

    end->warm = end->start_hash != 0 && in->values[2] == (int64_t)end->start_hash;
    if (!end->warm) mgc__start_forget(end);
    if (end->warm && !end->softer) return;
    if (in->values[1] > exponent) exponent = in->values[1];
    if (end->warm) exponent -= WARM_SOFTER;
    if (exponent > 200) exponent = 200;
    end->rho = ldexp(1, (int)(exponent < -200 ? -200 : exponent));
}

static void enter_trades(mgc_agent *agent)
{
    agent->span = agent->flood[0] > 0 && (uint64_t)agent->flood[0] < agent->n_heard ? (uint64_t)agent->flood[0] : agent->n_heard;
    agent->integers = agent->flood[1] > 0;
    if (agent->flood[2] > 0)
        mgc__agent_end(agent, MGC_AGENT_INFEASIBLE, "%s has no plan without trade, so there is nothing to compare trade with",
                       agent->alone_outcome == MGC_OUTCOME_INFEASIBLE ? agent->id : "a member");
    else
        mgc__stage_enter(agent, MGC__STAGE_RELAXED);
    agent->prove = (mgc__prove){.stake_limit = INFINITY};
}

/* The member of least label is told of along shortest ways: whoever told of it first is the parent in the tree of sums. */
static void find_root(mgc_agent *agent, size_t e, int64_t hash)
{
    if (hash >= agent->root) return;
    agent->root = hash;
    agent->parent = e;
}

/* Each round brings news of those one link further, until all are known: the last round with news is the distance e to the
 * farthest.  The longest distance of two members is at most 2 e, which is span enough for the stopping rule; the longest e
 * spreads on the way. */
static mgc_status listen_hello(mgc_agent *agent)
{
    agent->n_fresh = 0;
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        const mgc__inbox *in = answer(agent, end);

        if (in->values[0] != terms_digest(agent, end)) {
            mgc__agent_end(agent, MGC_AGENT_DISAGREED, "%s holds other terms of link %u (capacity, loss, fee, periods) or of the run",
                           end->terms.neighbour, end->terms.link);
            return MGC_OK;
        }
        if (agent->round == 1) first_point(end, in);
        for (size_t i = MGC__HELLO_VALUES; i < in->n; i++) {
            find_root(agent, e, in->values[i]);
            if (add_heard(agent, in->values[i])) continue;
            mgc__agent_end(agent, MGC_AGENT_DISAGREED, "%s knows of more than %u members; the option members is too small",
                           end->terms.neighbour, agent->opts.members);
            return MGC_OK;
        }
    }
    mgc__stage_hear_floods(agent);
    if (agent->n_fresh > 0 && agent->flood[0] < (int64_t)agent->round) agent->flood[0] = (int64_t)agent->round;
    if (agent->n_fresh > 0) agent->span = 2 * (uint64_t)agent->round;
    if (mgc__stage_hear_calm(agent, agent->n_fresh == 0, 5 * agent->opts.members + 10))
        enter_trades(agent);
    else
        next_round(agent);
    return MGC_OK;
}

static void enter_hello(mgc_agent *agent)
{
    mgc__stage_enter(agent, MGC__STAGE_HELLO);
    agent->fresh[0] = agent->label;
    agent->n_fresh = 1;
    agent->root = agent->label;
    agent->parent = SIZE_MAX;
    agent->span = agent->n_heard;
    agent->flood[1] = !agent->opts.relax && agent->ops->has_integers(agent->local);
    agent->flood[2] = agent->alone_outcome == MGC_OUTCOME_INFEASIBLE;
}

/* --- RELAXED, COMMIT, FIXED --------------------------------------------------------------------------------------------------- */

static void objective(mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++)
        mgc__admm_objective(&agent->ends[e], agent->linear + agent->ends[e].offset, agent->quad + agent->ends[e].offset);
}

/* A proposal that cannot be found is the last one again: the method goes on, the residuals tell. */
static mgc_status prepare_trades(mgc_agent *agent)
{
    uint32_t outcome = MGC_OUTCOME_NONE;
    mgc_status st;

    objective(agent);
    agent->prove.solved = false;
    st = agent->ops->propose(agent->local, agent->linear, agent->quad, agent->inner_tolerance, agent->x, &outcome);
    if (st != MGC_OK) return st;
    if (outcome == MGC_OUTCOME_CANCELLED) {
        mgc__agent_end(agent, MGC_AGENT_CANCELLED, "cancelled in round %u", agent->round);
        return MGC_OK;
    }
    agent->blunders += outcome != MGC_OUTCOME_OPTIMAL && outcome != MGC_OUTCOME_LIMIT;
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        for (size_t i = 0; i < end->count; i++) {
            double most = end->terms.capacity_kw[i % end->terms.periods], least = end->terms.dims == 1 ? -most : 0;
            end->mine[i] = (int64_t)llround(fmax(least, fmin(most, agent->x[end->offset + i])) * MGC__KW);
        }
    }
    return MGC_OK;
}

bool mgc__stage_on_the_way(const mgc_agent *agent)
{
    return agent->integers && agent->cycle < CYCLES;
}

/* Residual that the aimed-for accuracy calls for.  The cost's error is far smaller than the residual: errors of both signs
 * cancel, and trade is a part of the cost.  Measured on the reference cases: 0.0003 to 0.006 of it (doc/math/bargain.md, section 5). */
static double residual_goal(const mgc_agent *agent)
{
    double goal = fmax(1e-7, 10 * agent->opts.tolerance);

    return mgc__stage_on_the_way(agent) ? fmax(goal, COARSE) : goal;
}

/* Close enough: own links agree to the residual, or no more money is at stake on them than half of the accuracy asked for of own
 * cost; if that holds for everyone, it holds for the sum of costs.  Half: what is at stake is measured with the trade for the
 * distance from the optimum, and some rounds hide more (measured on the reference cases: at most 0.12 of it is the cost's error). */
static bool close_enough(const mgc_agent *agent)
{
    double goal = residual_goal(agent);

    if (agent->prove.doubted) return false;
    return (agent->turn.primal <= goal && agent->turn.dual <= goal) ||
           (!mgc__stage_on_the_way(agent) && agent->turn.at_stake <= 0.5 * agent->opts.tolerance * fabs(agent->alone_cost));
}

static void record_turn(mgc_agent *agent)
{
    mgc__turn *turn = &agent->turn;

    turn->stage = agent->stage;
    turn->round = agent->round;
    turn->count++;
    turn->primal = turn->dual = turn->apart_kw = turn->traded_kwh = turn->at_stake = turn->mean_at_stake = 0;
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__end *end = &agent->ends[e];
        turn->primal = fmax(turn->primal, end->primal);
        turn->dual = fmax(turn->dual, end->dual);
        turn->apart_kw = fmax(turn->apart_kw, end->apart_kw);
        turn->at_stake += end->at_stake;
        turn->mean_at_stake += end->mean_at_stake;
        for (size_t i = 0; end->terms.first && i < end->count; i++) turn->traded_kwh += fabs(end->z[i]) * end->terms.hours;
    }
    /* Inner solves need not know more than the rounds do.  An error of the objective is a squared error of x where C is flat. */
    agent->inner_tolerance = fmax(1e-9, fmin(1e-6, 1e-3 * turn->primal * turn->dual));
}

void mgc__stage_take_prices(mgc_agent *agent)
{
    /* The bound holds at any prices.  The last ones are agreed closest; those of the relaxation maximise its Lagrangian: which
     * give more depends on the case, so they are kept for whoever can compare (by_agents.c). */
    for (size_t e = 0; e < agent->n_ends; e++)
        for (size_t i = 0; i < agent->ends[e].count; i++) {
            size_t at = agent->ends[e].offset + i;
            agent->price_bound[at] = agent->ends[e].terms.first ? agent->ends[e].mu[i] : -agent->ends[e].mu[i];
            if (agent->stage == MGC__STAGE_RELAXED) agent->price_relaxed[at] = agent->price_bound[at];
        }
}

void mgc__stage_leave_trades(mgc_agent *agent)
{
    agent->at_limit = agent->last == 0 || agent->round < agent->last;
    mgc__stage_take_prices(agent);
    agent->prove.stake_limit = INFINITY;
    agent->prove.doubted = false;
    agent->ties.moved = false;
    if (mgc__stage_on_the_way(agent)) mgc__stage_enter(agent, MGC__STAGE_COMMIT);
    else if (mgc__choose_due(agent)) mgc__choose_enter(agent);
    else mgc__stage_settle(agent);
}

void mgc__stage_settle(mgc_agent *agent)
{
    if (mgc__ties_due(agent)) mgc__ties_enter(agent);
    else mgc__stage_enter(agent, MGC__STAGE_SETTLE);
}

/* Prices come near with a penalty that lets trades move, trades with one that holds them.  Yesterday's prices are near: where the
 * rounds will end at their limit, which all share, the last quarter of them is for the trades, and the penalty rises by CLOSING
 * powers of two.  Cold, prices need all rounds (measured).  -1: not yet; else by how many after this round. */
static int stiffer(const mgc_agent *agent, const mgc__end *end)
{
    uint32_t closing = agent->opts.round_limit / 4, left = agent->opts.round_limit - agent->round;

    if (!end->warm || mgc__stage_on_the_way(agent) || left > closing || left == 0) return -1;
    return (int)((closing - left + 1) * CLOSING / closing - (closing - left) * CLOSING / closing);
}

static mgc_status listen_trades(mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        memcpy(end->theirs, answer(agent, end)->values, end->count * sizeof *end->theirs);
        end->child = answer(agent, end)->flood[0] > 0;
        mgc__admm_update(end, agent->round, stiffer(agent, end));
    }
    record_turn(agent);
    mgc__choose_note(agent);
    if (mgc__stage_hear_calm(agent, close_enough(agent), agent->hurry ? agent->round : agent->opts.round_limit)) {
        if (mgc__prove_confirms(agent)) mgc__prove_enter(agent, true);
        else mgc__stage_leave_trades(agent);
    } else if (mgc__prove_due(agent))
        mgc__prove_enter(agent, false);
    else
        next_round(agent);
    return MGC_OK;
}

/* Decisions where the trades may move, at the last prices, but not far: each kW away from what was agreed costs the first penalty,
 * which is made of what both ends know of the link and not of the way that the rounds took.  At prices alone members with like units would all switch on, or all off; with the trades as they are nothing
 * moves that one member cannot move alone.  Between them lies what pays together (doc/math/bargain.md, section 2: measured). */
static mgc_status commit_near(mgc_agent *agent, uint32_t *outcome)
{
    for (size_t e = 0; e < agent->n_ends; e++)
        mgc__admm_objective_near(&agent->ends[e], agent->linear + agent->ends[e].offset, agent->quad + agent->ends[e].offset);
    return agent->ops->commit(agent->local, agent->linear, agent->quad, outcome);
}

static mgc_status prepare_commit(mgc_agent *agent)
{
    uint32_t outcome = MGC_OUTCOME_OPTIMAL;
    mgc_status st = MGC_OK;

    if (agent->hurry) /* those of the plan alone, where there are no others yet */
        st = agent->cycle > 0 ? MGC_OK : agent->ops->commit(agent->local, NULL, NULL, &outcome);
    else
        st = commit_near(agent, &outcome);
    if (st != MGC_OK) return st;
    agent->cycle++;
    if (outcome == MGC_OUTCOME_CANCELLED)
        mgc__agent_end(agent, MGC_AGENT_CANCELLED, "cancelled while deciding what to switch on");
    else
        mgc__stage_enter(agent, agent->hurry ? MGC__STAGE_SETTLE : MGC__STAGE_FIXED);
    return MGC_OK;
}

/* --- SETTLE ------------------------------------------------------------------------------------------------------------------- */

void mgc__stage_take_agreed(mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        mgc__admm_agree(end, agent->no_trade ? MGC__SHRINK_LEVELS - 1 : agent->shrink);
        for (size_t i = 0; i < end->count; i++) agent->x[end->offset + i] = (double)end->agreed[i] / MGC__KW;
    }
}

/* No trade is the plan alone, with its own on/off decisions. */
static mgc_status stay_alone(mgc_agent *agent)
{
    double cost;
    uint32_t outcome;
    mgc_status st = MGC_OK;

    agent->no_trade = true;
    mgc__stage_take_agreed(agent);
    agent->cost = agent->alone_cost;
    for (size_t i = 0; i < agent->n_peers; i++) agent->peers[i].micro = 0;
    if (agent->ops->has_integers(agent->local) && !agent->opts.relax)
        st = agent->ops->commit(agent->local, NULL, NULL, &outcome);
    if (st == MGC_OK) st = agent->ops->settle(agent->local, agent->x, &cost, &outcome);
    return st;
}

static mgc_status prepare_settle(mgc_agent *agent)
{
    uint32_t outcome = MGC_OUTCOME_NONE;
    mgc_status st;

    if ((agent->round - 1) % agent->span != 0) return MGC_OK; /* later rounds only spread the answer */
    if (agent->shrink == MGC__SHRINK_LEVELS - 1) return stay_alone(agent);
    mgc__stage_take_agreed(agent);
    if (agent->prove.solved && !agent->ties.moved) return MGC_OK; /* planned already, for the proof */
    st = agent->ops->settle(agent->local, agent->x, &agent->cost, &outcome);
    if (st != MGC_OK) return st;
    if (outcome == MGC_OUTCOME_CANCELLED)
        mgc__agent_end(agent, MGC_AGENT_CANCELLED, "cancelled while planning with the agreed trades");
    agent->flood[0] = outcome != MGC_OUTCOME_OPTIMAL && outcome != MGC_OUTCOME_LIMIT;
    return MGC_OK;
}

static void energies(mgc_agent *agent)
{
    agent->supplied_kwh = agent->received_kwh = 0;
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__end *end = &agent->ends[e];
        for (size_t i = 0; i < end->count; i++) {
            bool back = i >= end->terms.periods;
            double sent = (double)end->agreed[i] / MGC__KW * (end->terms.first != back ? 1 : -1) * end->terms.hours;
            if (sent > 0) agent->supplied_kwh += sent;
            if (sent < 0) agent->received_kwh -= sent * (1 - end->terms.loss);
        }
        agent->peers[end->pair].trades |= end->moved;
    }
}

static int64_t weight_exponent(const mgc_agent *agent)
{
    int exponent;

    if (agent->opts.weights != MGC_WEIGHTS_GIVEN || !(agent->opts.weight > 0)) return NO_WEIGHT;
    frexp(agent->opts.weight, &exponent);
    return exponent;
}

static void enter_survey(mgc_agent *agent)
{
    for (size_t i = 0; i < agent->n_peers; i++) agent->peers[i].trades = false;
    energies(agent);
    mgc__stage_enter(agent, MGC__STAGE_SURVEY);
    agent->flood[0] = (int64_t)llround(agent->supplied_kwh * 1e3);
    agent->flood[1] = (int64_t)llround(agent->received_kwh * 1e3);
    agent->flood[2] = weight_exponent(agent);
    agent->flood[3] = -agent->label;
}

static mgc_status listen_settle(mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__end *end = &agent->ends[e];
        if (answer(agent, end)->values[0] == agreed_digest(end)) continue;
        mgc__agent_end(agent, MGC_AGENT_DISAGREED, "%s settles other trades over link %u than were agreed", end->terms.neighbour,
                       end->terms.link);
        return MGC_OK;
    }
    mgc__stage_hear_floods(agent);
    if (agent->round % agent->span != 0) {
        next_round(agent);
    } else if (agent->flood[0] > 0) {
        agent->shrink++;
        agent->prove.solved = false;
        agent->flood[0] = 0;
        next_round(agent);
    } else {
        enter_survey(agent);
    }
    return MGC_OK;
}

/* --- SURVEY, SPLIT ---------------------------------------------------------------------------------------------------------------- */

/* The smallest label spreads over pairs that trade only; the other numbers over all links.  false: nothing new. */
static bool hear_survey(mgc_agent *agent)
{
    int64_t label = agent->flood[3], before[MGC__FLOODS];

    memcpy(before, agent->flood, sizeof before);

    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__end *end = &agent->ends[e];
        int64_t theirs = answer(agent, end)->flood[3];
        if (agent->peers[end->pair].trades && theirs > label) label = theirs;
    }
    mgc__stage_hear_floods(agent);
    agent->flood[3] = label;
    return memcmp(before, agent->flood, sizeof before) != 0;
}

static void set_weight(mgc_agent *agent)
{
    int64_t exponent = agent->flood[2];

    agent->weight = agent->weight_scale = 1;
    if (agent->opts.weights == MGC_WEIGHTS_CONTRIBUTION) {
        agent->weight = mgc__contribution(agent->supplied_kwh, (double)agent->flood[0] / 1e3, agent->received_kwh,
                                          (double)agent->flood[1] / 1e3);
        agent->weight_scale = 2; /* beta is at most e */
    } else if (agent->opts.weights == MGC_WEIGHTS_GIVEN && exponent != NO_WEIGHT) {
        agent->weight = agent->opts.weight;
        agent->weight_scale = ldexp(1, exponent > 1024 ? 1024 : exponent < -1022 ? -1022 : (int)exponent);
    }
}

static mgc_status listen_survey(mgc_agent *agent)
{
    bool news = hear_survey(agent);
    mgc_status st;

    if (!mgc__stage_hear_calm(agent, !news, (uint32_t)(3 * agent->n_heard) + 10)) {
        next_round(agent);
        return MGC_OK;
    }
    if (agent->flood[0] == 0) { /* nobody sends anything to anybody */
        if (!agent->no_trade && (st = stay_alone(agent)) != MGC_OK) return st;
        mgc__stage_enter(agent, MGC__STAGE_BOUND);
        return MGC_OK;
    }
    set_weight(agent);
    agent->label = -agent->flood[3];
    mgc__stage_enter(agent, MGC__STAGE_SPLIT);
    agent->flood[3] = -agent->label;
    return MGC_OK;
}

static mgc_status listen_split(mgc_agent *agent)
{
    if (agent->round == 1) {
        for (size_t e = 0; e < agent->n_ends; e++)
            if (answer(agent, &agent->ends[e])->flood[3] != -agent->label) agent->flood[0] = 1;
        agent->flood[3] = -MGC__VALUE_MAX;
    }
    mgc__stage_hear_floods(agent);
    if (agent->round <= agent->span) {
        next_round(agent);
        return MGC_OK;
    }
    agent->split = agent->flood[0] > 0;
    for (size_t i = 0; i < agent->n_peers; i++) agent->peers[i].pays = agent->peers[i].trades || agent->split;
    mgc__stage_enter(agent, MGC__STAGE_PAY);
    return MGC_OK;
}

/* --- PAY, VETO, BOUND ------------------------------------------------------------------------------------------------------------- */

static int64_t payment_micro(const mgc_agent *agent)
{
    int64_t total = 0;

    for (size_t i = 0; i < agent->n_peers; i++) total += agent->peers[i].first ? agent->peers[i].micro : -agent->peers[i].micro;
    return total;
}

static mgc_status listen_pay(mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++)
        if (agent->ends[e].speaks_for_pair) agent->peers[agent->ends[e].pair].theirs = answer(agent, &agent->ends[e])->values[0];
    mgc__pay_update(agent);
    agent->pay_rounds = agent->round;
    if (mgc__stage_hear_calm(agent, agent->pay_primal <= pay_tolerance, PAY_ROUND_LIMIT)) {
        bool own_word = mgc__pay_close(agent);
        mgc__stage_enter(agent, MGC__STAGE_VETO);
        /* Rounding to whole micro-currency may cost half of one for each pair. */
        agent->flood[0] = !own_word || agent->cost + (double)payment_micro(agent) / MGC__MICRO >
                          agent->alone_cost + (1 + (double)agent->n_peers) / MGC__MICRO;
    } else {
        next_round(agent);
    }
    return MGC_OK;
}

static mgc_status listen_veto(mgc_agent *agent)
{
    mgc_status st = MGC_OK;

    mgc__stage_hear_floods(agent);
    if (agent->round < agent->span) {
        next_round(agent);
        return MGC_OK;
    }
    if (agent->flood[0] > 0) st = stay_alone(agent);
    if (st == MGC_OK) mgc__stage_enter(agent, MGC__STAGE_BOUND);
    return st;
}

static mgc_status prepare_alone(mgc_agent *agent)
{
    mgc_status st = agent->ops->alone(agent->local, &agent->alone_cost, &agent->alone_bound, &agent->alone_outcome);

    if (st != MGC_OK) return st;
    agent->cost = agent->alone_cost;
    if (agent->alone_outcome == MGC_OUTCOME_CANCELLED) {
        mgc__agent_end(agent, MGC_AGENT_CANCELLED, "cancelled while planning alone");
    } else if (agent->n_ends == 0 && agent->alone_outcome == MGC_OUTCOME_INFEASIBLE) {
        mgc__agent_end(agent, MGC_AGENT_INFEASIBLE, "%s has no plan", agent->id);
    } else if (agent->n_ends == 0) {
        agent->no_trade = true;
        mgc__stage_enter(agent, MGC__STAGE_BOUND);
    } else {
        enter_hello(agent);
    }
    return MGC_OK;
}

mgc_status mgc__stage_prepare(mgc_agent *agent)
{
    switch (agent->stage) {
    case MGC__STAGE_ALONE: return prepare_alone(agent);
    case MGC__STAGE_RELAXED:
    case MGC__STAGE_FIXED: return prepare_trades(agent);
    case MGC__STAGE_COMMIT: return prepare_commit(agent);
    case MGC__STAGE_SETTLE: return prepare_settle(agent);
    case MGC__STAGE_PAY: mgc__pay_propose(agent); return MGC_OK;
    case MGC__STAGE_PROVE: return mgc__prove_prepare(agent);
    case MGC__STAGE_CHOOSE: return mgc__choose_prepare(agent);
    case MGC__STAGE_TIES: mgc__ties_prepare(agent); return MGC_OK;
    default: return MGC_OK;
    }
}

mgc_status mgc__stage_listen(mgc_agent *agent)
{
    switch (agent->stage) {
    case MGC__STAGE_HELLO: return listen_hello(agent);
    case MGC__STAGE_RELAXED:
    case MGC__STAGE_FIXED: return listen_trades(agent);
    case MGC__STAGE_SETTLE: return listen_settle(agent);
    case MGC__STAGE_SURVEY: return listen_survey(agent);
    case MGC__STAGE_SPLIT: return listen_split(agent);
    case MGC__STAGE_PAY: return listen_pay(agent);
    case MGC__STAGE_VETO: return listen_veto(agent);
    case MGC__STAGE_PROVE: return mgc__prove_listen(agent);
    case MGC__STAGE_CHOOSE: return mgc__choose_listen(agent);
    case MGC__STAGE_TIES: mgc__ties_listen(agent); return MGC_OK;
    default: return MGC_E_INTERNAL; /* a stage that does not talk has no answers */
    }
}
