/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a run with a pool.  In each step everyone adds numbers of its own; the total decides the way, so all walk alike.
 *
 *   HELLO           who is connected, first penalty, who has on/off decisions or no plan; do all hold the same terms?
 *   RELAXED, FIXED  one round of exchange ADMM for each step
 *   SHARE           offers in whole mW that sum to exactly zero in every period
 *   SETTLE          has everyone a plan with its share?  What is saved in all; largest energies and weight
 *   PAY             round 1: sum of bargaining powers.  round 2: payments in whole micro-currency, what their rounding leaves
 *   VETO            would somebody lose?
 *
 * Exchange ADMM (Boyd et al. 2011, section 7.3.2; over-relaxed as in section 3.4.3), for every carrier with N members:
 *
 *     x_n  = argmin C_n(x) + y'x + rho/2 |x - z_n|^2                each member
 *     m    = sum x_n / N                                            one sum
 *     z_n <- alpha x_n + (1 - alpha) z_n - alpha m,   y <- y + rho alpha m
 *
 * The sum of the z_n is zero.  Residuals need three more sums, |x_n|^2, |x_n - z_n|^2, for |z_n+ - z_n|^2 summed over members is
 * alpha^2 (sum |x_n - z_n|^2 - N |m|^2).
 *
 * Nash payments need no rounds: z_n = C0_n - C_n - beta_n S / sum beta, from two sums. */
#include <math.h>
#include <stdio.h>

#include "bargain/pool.h"

#define COARSE 5e-3    /* as in stage.c: enough where on/off decisions will still move the trades */
#define FRACTION 1e12  /* a real number travels as its whole part and this many parts of one */
#define WHOLE_MAX 1e14 /* 8192 of them stay below 2^61 */
#define OFFER_MAX 2e14 /* mW, for the same reason; 200 GW */
#define SHARE UINT64_C(1099511627776) /* 2^40: unit of bargaining powers, which are at most 2 of their scale */
enum {
    CYCLES = 1,
    BALANCE_EVERY = 10, BALANCE_LIMIT = 200, /* every 5 rounds: a community of 10 takes twice as many */
    CALM = 2,             /* rounds of agreement before the last */
    SHARE_ROUNDS = 200,   /* lots drawn until the last mW has found its member; 10 to 20 are usual */
    RUBBLE = 1000,        /* mW: less is no trade */
    NO_WEIGHT = -5000,    /* below every exponent of a double */
    HELLO_VALUES = 13, HELLO_MARKET = 4, RESIDUALS = 4, SETTLE_VALUES = 3
};
static const double over_relaxation = 1.6;

/* --- numbers ------------------------------------------------------------------------------------------------------------------- */

static void put_real(int64_t *at, double x)
{
    double whole = floor(x);

    if (!(whole > -WHOLE_MAX)) whole = -WHOLE_MAX;
    if (whole > WHOLE_MAX) whole = WHOLE_MAX;
    at[0] = (int64_t)whole;
    at[1] = (int64_t)llround(fmin(fmax(x - whole, 0), 1) * FRACTION);
}

static double get_real(const int64_t *at)
{
    return (double)at[0] + (double)at[1] / FRACTION;
}

bool mgc__pool_talks(uint32_t stage)
{
    return mgc__stage_talks(stage);
}

static size_t open_markets(const mgc_agent *agent)
{
    return (size_t)(agent->pool->market[0].members > 1) + (size_t)(agent->pool->market[1].members > 1);
}

size_t mgc__pool_values(const mgc_agent *agent)
{
    switch (agent->stage) {
    case MGC__STAGE_HELLO: return HELLO_VALUES;
    case MGC__STAGE_RELAXED:
    case MGC__STAGE_FIXED: return 1 + open_markets(agent) * (agent->periods + RESIDUALS);
    case MGC__STAGE_SHARE: return open_markets(agent) * 3 * agent->periods;
    case MGC__STAGE_SETTLE: return SETTLE_VALUES;
    default: return 1;
    }
}

/* What must be alike is 0 where a member has none of it; -1: not alike. */
static int64_t alike(int64_t a, int64_t b)
{
    return a == 0 || a == b ? b : b == 0 ? a : -1;
}

static bool merge_hello(int64_t *flood, const int64_t *other)
{
    for (size_t i = 0; i < MGC__FLOODS; i++) flood[i] = alike(flood[i], other[i]);
    return flood[0] > 0 && flood[1] >= 0 && flood[2] >= 0;
}

static void own_terms(const mgc_agent *agent, int64_t *flood)
{
    flood[0] = mgc__hash_value(agent->digest);
    if (flood[0] == 0) flood[0] = 1;
    for (size_t c = 0; c < 2; c++) {
        size_t e = agent->pool->market[c].end;
        flood[1 + c] = e == SIZE_MAX ? 0 : mgc__hash_value(agent->ends[e].terms.digest) | 1;
    }
    flood[3] = (int64_t)agent->pool->start_hash;
}

bool mgc__pool_merge(const mgc_agent *agent, mgc__pool_sum *sum, const mgc__pool_sum *from)
{
    int64_t own[MGC__FLOODS];

    if (sum == NULL) { /* the total against own terms: a parent may hold others */
        if (from->stage != MGC__STAGE_HELLO) return true;
        own_terms(agent, own);
        own[3] = from->flood[3];
        return merge_hello(own, from->flood);
    }
    for (size_t i = 0; i < sum->n; i++) sum->values[i] = mgc__pool_wrap((uint64_t)sum->values[i] + (uint64_t)from->values[i]);
    if (from->stage == MGC__STAGE_HELLO) {
        if (from->flood[3] == 0 || sum->flood[3] == 0) sum->flood[3] = from->flood[3] == sum->flood[3] ? 0 : -1; /* cold, if one is */
        return merge_hello(sum->flood, from->flood);
    }
    for (size_t i = 0; i < MGC__FLOODS; i++)
        if (from->flood[i] > sum->flood[i]) sum->flood[i] = from->flood[i];
    return true;
}

static void enter(mgc_agent *agent, uint32_t stage)
{
    agent->stage = stage;
    agent->round = 1;
    agent->pool->calm = 0;
}

/* --- HELLO ------------------------------------------------------------------------------------------------------------------------- */

static void say_hello(const mgc_agent *agent, mgc__pool_sum *sum)
{
    int64_t *v = sum->values;

    v[0] = 1;
    v[1] = !agent->opts.relax && agent->ops->has_integers(agent->local);
    v[2] = agent->alone_outcome == MGC_OUTCOME_INFEASIBLE;
    put_real(v + 3, isfinite(agent->alone_cost) ? fabs(agent->alone_cost) : 0);
    for (size_t c = 0; c < 2; c++) {
        size_t e = agent->pool->market[c].end;
        double capacity = 0;
        for (size_t t = 0; e != SIZE_MAX && t < agent->periods; t++) {
            double cap = fmin(agent->ends[e].terms.capacity_kw[t], 1e5); /* "no limit" is not a size */
            capacity += cap * cap;
        }
        v[5 + HELLO_MARKET * c] = e != SIZE_MAX;
        v[6 + HELLO_MARKET * c] = e != SIZE_MAX ? (int64_t)mgc__admm_first_penalty(&agent->ends[e].terms) : 0;
        put_real(v + 7 + HELLO_MARKET * c, capacity);
    }
    own_terms(agent, sum->flood);
}

static mgc_status stay_alone(mgc_agent *agent);

static mgc_status listen_hello(mgc_agent *agent, const mgc__pool_sum *total)
{
    mgc__pool *pool = agent->pool;
    const int64_t *v = total->values;
    bool warm = pool->start_hash != 0 && total->flood[3] == (int64_t)pool->start_hash;

    agent->integers = v[1] > 0;
    pool->size = fmax(1, get_real(v + 3));
    for (size_t c = 0; c < 2; c++) {
        mgc__market *m = &pool->market[c];
        const int64_t *w = v + 5 + HELLO_MARKET * c;
        m->members = w[0] > 1 ? (uint64_t)w[0] : 0;
        m->capacity = sqrt(fmax(0, get_real(w + 2)));
        if (!warm && m->members > 0) m->rho = ldexp(1, (int)lround(fmax(-200, fmin(200, (double)w[1] / (double)m->members))));
        if (!warm) memset(m->y, 0, agent->periods * sizeof *m->y);
        if (!warm && m->end != SIZE_MAX) memset(agent->ends[m->end].z, 0, agent->periods * sizeof(double));
    }
    if (v[2] > 0)
        mgc__agent_end(agent, MGC_AGENT_INFEASIBLE, "%s has no plan without trade, so there is nothing to compare trade with",
                       agent->alone_outcome == MGC_OUTCOME_INFEASIBLE ? agent->id : "a member");
    else if (open_markets(agent) == 0)
        return stay_alone(agent);
    else
        enter(agent, MGC__STAGE_RELAXED);
    return MGC_OK;
}

/* --- RELAXED, COMMIT, FIXED --------------------------------------------------------------------------------------------------------- */

static void objective(mgc_agent *agent, double stiffness)
{
    for (size_t c = 0; c < 2; c++) {
        const mgc__market *m = &agent->pool->market[c];
        const mgc__end *end = m->end != SIZE_MAX ? &agent->ends[m->end] : NULL;
        double rho = m->rho * stiffness;
        for (size_t t = 0; end != NULL && t < agent->periods; t++) {
            agent->linear[end->offset + t] = m->members > 0 ? m->y[t] - rho * end->z[t] : 0;
            agent->quad[end->offset + t] = m->members > 0 ? rho : 1; /* a market of one: nothing is offered */
        }
    }
}

static mgc_status propose(mgc_agent *agent)
{
    uint32_t outcome = MGC_OUTCOME_NONE;
    mgc_status st;

    objective(agent, 1);
    st = agent->n_ends > 0 ? agent->ops->propose(agent->local, agent->linear, agent->quad, agent->inner_tolerance, agent->x, &outcome) : MGC_OK;
    if (st != MGC_OK) return st;
    if (outcome == MGC_OUTCOME_CANCELLED) {
        snprintf(agent->pool->culprit, sizeof agent->pool->culprit, "%s", agent->id);
        mgc__agent_end(agent, MGC_AGENT_CANCELLED, "cancelled in round %u", agent->round);
        return MGC_OK;
    }
    agent->blunders += agent->n_ends > 0 && outcome != MGC_OUTCOME_OPTIMAL && outcome != MGC_OUTCOME_LIMIT;
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        for (size_t t = 0; t < end->count; t++) {
            double most = fmin(floor(end->terms.capacity_kw[t] * MGC__KW), OFFER_MAX);
            end->mine[t] = (int64_t)llround(fmax(-most, fmin(most, agent->x[end->offset + t] * MGC__KW)));
        }
    }
    return MGC_OK;
}

static void say_offers(const mgc_agent *agent, int64_t *v)
{
    *v++ = agent->hurry;
    for (size_t c = 0; c < 2; c++) {
        const mgc__market *m = &agent->pool->market[c];
        const mgc__end *end = m->end != SIZE_MAX ? &agent->ends[m->end] : NULL;
        double size = 0, moved = 0;
        if (m->members == 0) continue;
        for (size_t t = 0; t < agent->periods; t++) {
            double x = end != NULL ? (double)end->mine[t] / MGC__KW : 0, z = end != NULL ? end->z[t] : 0;
            v[t] = end != NULL ? end->mine[t] : 0;
            size += x * x;
            moved += (x - z) * (x - z);
        }
        put_real(v + agent->periods, size);
        put_real(v + agent->periods + 2, moved);
        v += agent->periods + RESIDUALS;
    }
}

/* Ratio of the two residuals decides (Wohlberg 2017), by powers of two: as between two ends of a link (admm.c). */
static void balance_penalty(mgc__market *m)
{
    double ratio;
    int exponent;

    if (!(m->primal > 0) || !(m->dual > 0)) return;
    ratio = sqrt(m->primal / m->dual);
    if (ratio > 0.5 && ratio < 2) return;
    frexp(ratio, &exponent);
    m->rho *= ldexp(1, exponent < -3 ? -3 : exponent > 3 ? 3 : ratio > 1 ? exponent - 1 : exponent);
}

/* One market's new prices, from its total alone; own share of it. */
static void update_market(mgc_agent *agent, mgc__market *m, const int64_t *v)
{
    mgc__end *end = m->end != SIZE_MAX ? &agent->ends[m->end] : NULL;
    double n = (double)m->members, size = sqrt(fmax(0, get_real(v + agent->periods))), apart = 0, prices = 0, stake = 0, moved, largest = 0;

    for (size_t t = 0; t < agent->periods; t++) {
        double sum = (double)v[t] / MGC__KW, mean = sum / n;
        apart += n * mean * mean;
        largest = fmax(largest, fabs(sum));
        m->y[t] += m->rho * over_relaxation * mean;
        prices += n * m->y[t] * m->y[t];
        stake += fabs(m->y[t] * sum);
        if (end == NULL) continue;
        end->z[t] = over_relaxation * ((double)end->mine[t] / MGC__KW - mean) + (1 - over_relaxation) * end->z[t];
        end->mu[t] = m->y[t];
    }
    moved = over_relaxation * sqrt(fmax(0, get_real(v + agent->periods + 2) - apart));
    /* The floors keep a market without trade from dividing by nothing: 1e-3 of capacity, and the price that goes with it. */
    m->primal = sqrt(apart) / fmax(fmax(size, 1e-3 * m->capacity), 1e-6);
    m->dual = m->rho * moved / fmax(sqrt(prices), 1e-3 * m->rho * fmax(m->capacity, 1e-3));
    m->at_stake = stake + m->rho * moved * size;
    if (end != NULL) {
        end->rho = m->rho;
        end->primal = m->primal;
        end->dual = m->dual;
        end->apart_kw = largest;
    }
    if (agent->round % BALANCE_EVERY == 0 && agent->round <= BALANCE_LIMIT) balance_penalty(m);
}

/* As in stage.c, but of all markets, which everyone knows.  Shares that sum to zero are free of the error of first order, prices
 * times what is too much, which links have: the cost's error was 0.001 to 0.01 of the larger residual on the reference cases and
 * on communities of 10 to 300, so residuals may be larger here (doc/math/bargain.md, section 9). */
static bool close_enough(const mgc_agent *agent, bool on_the_way)
{
    double goal = fmax(1e-7, 15 * agent->opts.tolerance), stake = 0;
    bool agreed = true;

    if (on_the_way) goal = fmax(goal, COARSE);
    for (size_t c = 0; c < 2; c++) {
        const mgc__market *m = &agent->pool->market[c];
        if (m->members == 0) continue;
        agreed &= m->primal <= goal && m->dual <= goal;
        stake += m->at_stake;
    }
    return agreed || (!on_the_way && stake <= 0.5 * agent->opts.tolerance * agent->pool->size);
}

static void record_turn(mgc_agent *agent)
{
    mgc__turn *turn = &agent->turn;

    *turn = (mgc__turn){.stage = agent->stage, .round = agent->round, .count = turn->count + 1};
    for (size_t c = 0; c < 2; c++) {
        const mgc__market *m = &agent->pool->market[c];
        if (m->members == 0) continue;
        turn->primal = fmax(turn->primal, m->primal);
        turn->dual = fmax(turn->dual, m->dual);
        turn->at_stake += m->at_stake;
        for (size_t t = 0; m->end != SIZE_MAX && t < agent->periods; t++)
            turn->traded_kwh += fmax(0, agent->ends[m->end].z[t]) * agent->ends[m->end].terms.hours;
        if (m->end != SIZE_MAX) turn->apart_kw = fmax(turn->apart_kw, agent->ends[m->end].apart_kw);
    }
    agent->inner_tolerance = fmax(1e-9, fmin(1e-6, 1e-3 * turn->primal * turn->dual));
}

static void leave_trades(mgc_agent *agent, bool on_the_way)
{
    for (size_t e = 0; e < agent->n_ends; e++)
        for (size_t t = 0; t < agent->ends[e].count; t++) {
            size_t at = agent->ends[e].offset + t;
            agent->price_bound[at] = agent->ends[e].mu[t];
            if (agent->stage == MGC__STAGE_RELAXED) agent->price_relaxed[at] = agent->price_bound[at];
        }
    enter(agent, on_the_way ? MGC__STAGE_COMMIT : MGC__STAGE_SHARE);
}

static mgc_status listen_trades(mgc_agent *agent, const mgc__pool_sum *total)
{
    mgc__pool *pool = agent->pool;
    bool on_the_way = agent->integers && agent->cycle < CYCLES;
    const int64_t *v = total->values + 1;

    pool->hurry = total->values[0] > 0;
    for (size_t c = 0; c < 2; c++) {
        if (pool->market[c].members == 0) continue;
        update_market(agent, &pool->market[c], v);
        v += agent->periods + RESIDUALS;
    }
    record_turn(agent);
    pool->calm = close_enough(agent, on_the_way) ? pool->calm + 1 : 0;
    agent->at_limit = pool->calm < CALM;
    if (pool->calm >= CALM || pool->hurry || agent->round >= agent->opts.round_limit) leave_trades(agent, on_the_way);
    else agent->round++;
    return MGC_OK;
}

/* As stage.c decides: near what was offered, at the last prices. */
static mgc_status prepare_commit(mgc_agent *agent)
{
    uint32_t outcome = MGC_OUTCOME_OPTIMAL;
    bool hurry = agent->pool->hurry;
    mgc_status st = MGC_OK;

    objective(agent, 4);
    if (!hurry || agent->cycle == 0)
        st = agent->ops->commit(agent->local, hurry ? NULL : agent->linear, hurry ? NULL : agent->quad, &outcome);
    if (st != MGC_OK) return st;
    agent->cycle++;
    if (outcome == MGC_OUTCOME_CANCELLED) {
        snprintf(agent->pool->culprit, sizeof agent->pool->culprit, "%s", agent->id);
        mgc__agent_end(agent, MGC_AGENT_CANCELLED, "cancelled while deciding what to switch on");
    } else {
        enter(agent, hurry ? MGC__STAGE_SHARE : MGC__STAGE_FIXED);
    }
    return MGC_OK;
}

/* --- SHARE --------------------------------------------------------------------------------------------------------------------------- */

static void begin_share(mgc_agent *agent)
{
    static const int64_t per_mille[MGC__POOL_SHRINK_LEVELS] = {1000, 999, 990, 900, 500, 0};
    int64_t share = per_mille[agent->shrink];

    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        bool traded = agent->pool->market[end->terms.carrier].members > 0;
        for (size_t t = 0; t < end->count; t++) {
            int64_t base = (int64_t)llround(mgc__terms_span(&end->terms, t).base * MGC__KW), x = traded ? end->mine[t] - base : 0;
            x = x / 1000 * share + x % 1000 * share / 1000;
            end->agreed[t] = base + (x > -RUBBLE && x < RUBBLE ? 0 : x);
        }
    }
}

/* How far a share may go down (up): a seller to nothing, a buyer to its capacity (and the other way round); all beyond what
 * contracts in force ask for. */
static int64_t room_of(const mgc__end *end, size_t t, bool down)
{
    mgc__span span = mgc__terms_span(&end->terms, t);
    int64_t base = (int64_t)llround(span.base * MGC__KW), x = end->agreed[t] - base;
    int64_t most = (int64_t)fmin(floor(span.high * MGC__KW), OFFER_MAX), least = (int64_t)fmax(ceil(span.low * MGC__KW), -OFFER_MAX);

    if (x == 0) return 0; /* whoever does not trade is left in peace */
    if (down) return x > 0 ? x : end->agreed[t] - least;
    return x < 0 ? -x : most - end->agreed[t];
}

static void say_share(mgc_agent *agent, int64_t *v)
{
    size_t periods = agent->periods;

    if (agent->round == 1) begin_share(agent);
    for (size_t c = 0; c < 2; c++) {
        const mgc__market *m = &agent->pool->market[c];
        const mgc__end *end = m->end != SIZE_MAX ? &agent->ends[m->end] : NULL;
        if (m->members == 0) continue;
        for (size_t t = 0; t < periods; t++) {
            v[t] = end != NULL ? end->agreed[t] : 0;
            v[periods + t] = end != NULL && room_of(end, t, true) > 0;
            v[2 * periods + t] = end != NULL && room_of(end, t, false) > 0;
        }
        v += 3 * periods;
    }
}

/* Everyone who can takes an equal part of what is too much; what does not divide is drawn by lot, in which each wins as often
 * as needed for about that many mW.  The lot hangs on id, period and round: no one can be told apart by it, and none is drawn twice. */
static void take_part(mgc_agent *agent, mgc__end *end, size_t t, int64_t excess, int64_t members)
{
    uint64_t size = (uint64_t)(excess > 0 ? excess : -excess), n = (uint64_t)members, h = mgc__hash_uint(MGC__HASH_START, (uint64_t)agent->label);
    uint64_t part = size / n, rest = size % n;
    int64_t room = room_of(end, t, excess > 0), take;

    if (room <= 0) return;
    h = mgc__hash_uint(mgc__hash_uint(mgc__hash_uint(h, t), agent->round), end->terms.carrier);
    part += (h ^ h >> 29) % n < rest;
    take = part < (uint64_t)room ? (int64_t)part : room;
    end->agreed[t] -= excess > 0 ? take : -take;
}

static void enter_settle(mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        end->moved = false;
        for (size_t t = 0; t < end->count; t++) {
            agent->x[end->offset + t] = (double)end->agreed[t] / MGC__KW;
            end->moved |= end->agreed[t] != 0;
        }
    }
    enter(agent, MGC__STAGE_SETTLE);
}

static void listen_share(mgc_agent *agent, const mgc__pool_sum *total)
{
    const int64_t *v = total->values;
    size_t periods = agent->periods;
    bool balanced = true;

    for (size_t c = 0; c < 2; c++) {
        const mgc__market *m = &agent->pool->market[c];
        if (m->members == 0) continue;
        for (size_t t = 0; t < periods; t++) {
            int64_t members = v[t] > 0 ? v[periods + t] : v[2 * periods + t];
            balanced &= v[t] == 0;
            if (v[t] != 0 && members > 0 && m->end != SIZE_MAX) take_part(agent, &agent->ends[m->end], t, v[t], members);
        }
        v += 3 * periods;
    }
    if (balanced) {
        enter_settle(agent);
    } else if (agent->round < SHARE_ROUNDS) {
        agent->round++;
    } else { /* somebody does not add up: nothing is traded that has no taker */
        agent->shrink = MGC__POOL_SHRINK_LEVELS - 1;
        begin_share(agent);
        enter_settle(agent);
    }
}

/* --- SETTLE --------------------------------------------------------------------------------------------------------------------------- */

/* No trade is the plan alone, with its own on/off decisions. */
static mgc_status stay_alone(mgc_agent *agent)
{
    double cost;
    uint32_t outcome;
    mgc_status st = MGC_OK;

    agent->no_trade = true;
    agent->cost = agent->alone_cost;
    agent->pool->micro = 0;
    for (size_t i = 0; i < agent->n_peers; i++) agent->peers[i].micro = 0;
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        for (size_t t = 0; t < end->count; t++) {
            end->agreed[t] = (int64_t)llround(mgc__terms_span(&end->terms, t).base * MGC__KW);
            agent->x[end->offset + t] = (double)end->agreed[t] / MGC__KW;
        }
    }
    if (agent->ops->has_integers(agent->local) && !agent->opts.relax) st = agent->ops->commit(agent->local, NULL, NULL, &outcome);
    if (st == MGC_OK) st = agent->ops->settle(agent->local, agent->x, &cost, &outcome);
    if (st == MGC_OK) enter(agent, MGC__STAGE_BOUND);
    return st;
}

static void energies(mgc_agent *agent)
{
    agent->supplied_kwh = agent->received_kwh = 0;
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__end *end = &agent->ends[e];
        for (size_t t = 0; t < end->count; t++) {
            double sent = (double)end->agreed[t] / MGC__KW * end->terms.hours;
            if (sent > 0) agent->supplied_kwh += sent;
            if (sent < 0) agent->received_kwh -= sent * (1 - end->terms.loss);
        }
    }
}

static int64_t weight_exponent(const mgc_agent *agent)
{
    int exponent;

    if (agent->opts.weights != MGC_WEIGHTS_GIVEN || !(agent->opts.weight > 0)) return NO_WEIGHT;
    frexp(agent->opts.weight, &exponent);
    return exponent;
}

static mgc_status prepare_settle(mgc_agent *agent, mgc__pool_sum *sum)
{
    uint32_t outcome = MGC_OUTCOME_NONE;
    mgc_status st = agent->ops->settle(agent->local, agent->x, &agent->cost, &outcome);
    bool possible = outcome == MGC_OUTCOME_OPTIMAL || outcome == MGC_OUTCOME_LIMIT;

    if (st != MGC_OK) return st;
    if (outcome == MGC_OUTCOME_CANCELLED) {
        snprintf(agent->pool->culprit, sizeof agent->pool->culprit, "%s", agent->id);
        mgc__agent_end(agent, MGC_AGENT_CANCELLED, "cancelled while planning with the agreed trades");
        return MGC_OK;
    }
    energies(agent);
    sum->values[0] = !possible;
    put_real(sum->values + 1, possible ? agent->alone_cost - agent->cost : 0);
    sum->flood[0] = (int64_t)llround(agent->supplied_kwh * 1e3);
    sum->flood[1] = (int64_t)llround(agent->received_kwh * 1e3);
    sum->flood[2] = weight_exponent(agent) - NO_WEIGHT; /* floods start at 0 */
    return MGC_OK;
}

static void set_weight(mgc_agent *agent, const mgc__pool_sum *total)
{
    int64_t exponent = total->flood[2] + NO_WEIGHT;

    agent->weight = agent->weight_scale = 1;
    if (agent->opts.weights == MGC_WEIGHTS_CONTRIBUTION) {
        agent->weight = mgc__contribution(agent->supplied_kwh, (double)total->flood[0] / 1e3, agent->received_kwh, (double)total->flood[1] / 1e3);
        agent->weight_scale = 2; /* beta is at most e */
    } else if (agent->opts.weights == MGC_WEIGHTS_GIVEN && exponent > NO_WEIGHT) {
        agent->weight = agent->opts.weight;
        agent->weight_scale = ldexp(1, exponent > 1024 ? 1024 : exponent < -1022 ? -1022 : (int)exponent);
    }
    if (agent->n_ends == 0) agent->weight = 0; /* not connected: takes no part */
}

static mgc_status listen_settle(mgc_agent *agent, const mgc__pool_sum *total)
{
    if (total->values[0] != 0) {
        agent->shrink++;
        if (agent->shrink == MGC__POOL_SHRINK_LEVELS - 1) return stay_alone(agent);
        enter(agent, MGC__STAGE_SHARE);
        return MGC_OK;
    }
    agent->pool->surplus = get_real(total->values + 1);
    if (total->flood[0] == 0 || !(agent->pool->surplus > 0)) return stay_alone(agent);
    set_weight(agent, total);
    enter(agent, MGC__STAGE_PAY);
    return MGC_OK;
}

/* --- PAY, VETO ------------------------------------------------------------------------------------------------------------------------- */

static int64_t weight_units(const mgc_agent *agent)
{
    return (int64_t)llround(fmin(2, fmax(0, agent->weight / agent->weight_scale)) * (double)SHARE);
}

/* Round 1: the sum of powers; round 2: what rounding to whole micro-currency leaves, which the first of the roster take over. */
static void listen_pay(mgc_agent *agent, int64_t total)
{
    mgc__pool *pool = agent->pool;

    if (agent->round == 1) {
        double share = total > 0 ? (double)weight_units(agent) / (double)total : 1 / (double)pool->n;
        double pays = (agent->alone_cost - agent->cost - share * pool->surplus) * MGC__MICRO;
        pool->micro = (int64_t)llround(fmax(-WHOLE_MAX, fmin(WHOLE_MAX, pays)));
        agent->pay_rounds = 1;
        agent->round = 2;
        return;
    }
    agent->pay_rounds = 2;
    /* More than rounding can leave: somebody's numbers do not add up, and nobody pays for that. */
    if (total > (int64_t)pool->n || total < -(int64_t)pool->n) agent->no_trade = true;
    else if ((int64_t)pool->me < (total > 0 ? total : -total)) pool->micro -= total > 0 ? 1 : -1;
    enter(agent, MGC__STAGE_VETO);
}

static void say_veto(const mgc_agent *agent, int64_t *v)
{
    v[0] = agent->no_trade || agent->cost + (double)agent->pool->micro / MGC__MICRO > agent->alone_cost + 2 / MGC__MICRO;
}

static mgc_status listen_veto(mgc_agent *agent, int64_t total)
{
    if (total != 0) return stay_alone(agent);
    for (size_t i = 0; i < agent->n_peers; i++) {
        mgc__peer *peer = &agent->peers[i];
        peer->trades = peer->pays = true;
        peer->micro = peer->first ? agent->pool->micro : -agent->pool->micro;
    }
    enter(agent, MGC__STAGE_BOUND);
    return MGC_OK;
}

/* --- the way ---------------------------------------------------------------------------------------------------------------------------- */

static mgc_status prepare_alone(mgc_agent *agent)
{
    mgc_status st = agent->ops->alone(agent->local, &agent->alone_cost, &agent->alone_bound, &agent->alone_outcome);

    if (st != MGC_OK) return st;
    agent->cost = agent->alone_cost;
    if (agent->alone_outcome == MGC_OUTCOME_CANCELLED) {
        snprintf(agent->pool->culprit, sizeof agent->pool->culprit, "%s", agent->id);
        mgc__agent_end(agent, MGC_AGENT_CANCELLED, "cancelled while planning alone");
    } else {
        enter(agent, MGC__STAGE_HELLO);
    }
    return MGC_OK;
}

mgc_status mgc__pool_prepare(mgc_agent *agent, mgc__pool_sum *sum)
{
    mgc_status st = MGC_OK;

    switch (agent->stage) {
    case MGC__STAGE_ALONE: return prepare_alone(agent);
    case MGC__STAGE_COMMIT: return prepare_commit(agent);
    case MGC__STAGE_HELLO: say_hello(agent, sum); break;
    case MGC__STAGE_RELAXED:
    case MGC__STAGE_FIXED:
        st = propose(agent);
        if (st == MGC_OK) say_offers(agent, sum->values);
        break;
    case MGC__STAGE_SHARE: say_share(agent, sum->values); break;
    case MGC__STAGE_SETTLE: return prepare_settle(agent, sum);
    case MGC__STAGE_PAY: sum->values[0] = agent->round == 1 ? weight_units(agent) : agent->pool->micro; break;
    default: say_veto(agent, sum->values); break;
    }
    return st;
}

mgc_status mgc__pool_listen(mgc_agent *agent, const mgc__pool_sum *total)
{
    switch (agent->stage) {
    case MGC__STAGE_HELLO: return listen_hello(agent, total);
    case MGC__STAGE_RELAXED:
    case MGC__STAGE_FIXED: return listen_trades(agent, total);
    case MGC__STAGE_SHARE: listen_share(agent, total); return MGC_OK;
    case MGC__STAGE_SETTLE: return listen_settle(agent, total);
    case MGC__STAGE_PAY: listen_pay(agent, total->values[0]); return MGC_OK;
    default: return listen_veto(agent, total->values[0]);
    }
}
