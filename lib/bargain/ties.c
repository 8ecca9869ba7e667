/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the trades that cost the same?  Those of least sum of squares (doc/math/bargain.md, section 2, "Ties").
 *
 * Bargaining powers by contribution count what a member supplies and receives, and that is not settled by least cost: energy may
 * run in a circle, or take either of two ways of one fee.  So every member keeps what it takes in all together in each period (its
 * own plan then stays as it is), and the ways are found that cost least in fees, and of these the ones of least sum of squares:
 *
 *     minimise  sum over links  fee |q| + eps/2 q^2     subject to  what each member takes, capacities, contracts in force
 *
 * eps is so small that fees come first (exact regularisation: Mangasarian and Meyer 1979, Friedlander and Tseng 2007).  It is P1
 * again with everything but the ways frozen, so where there are fees its prices are where these begin, and the same rounds solve
 * it: a formula instead of a program at each member, the same words on each link, between the same two.
 *
 *   rounds 1 .. span          a link whose flow nothing can change (the last one left at one of its ends) is told so
 *   rounds span+1 .. 2 span   is any link left?  largest flow and least fee, of which eps is made, have spread meanwhile
 *   from there on             proposals, as in RELAXED */
#include <math.h>
#include <stdlib.h>

#include "bargain/agent.h"

enum { ROUNDS = 2000 };    /* then the trades stay as they were; measured: 20 to 60 on small graphs without fees, 60 to 600 with */
enum { FINE = 4 };         /* powers of two that eps q stays below the least fee */
enum { STIFF = 3 };        /* powers of two that the penalty is above eps where there are fees: prices must travel by these */
enum { BISECTIONS = 80 };
static const double over_relaxation = 1.6;
static const double near_kw = 1e-4; /* proposals this near have agreed; a tenth of what is rubble */

double mgc__ties_weight(int fee, int flow)
{
    if (flow <= MGC__TIES_NONE) return 1;
    return ldexp(1, fee <= MGC__TIES_NONE ? -flow : fee - 1 - FINE - flow);
}

static double *tie_z(const mgc__end *end)
{
    return end->past;
}

static double *tie_mu(const mgc__end *end)
{
    return end->past + end->count;
}

/* [mW] Offers of P1, first own ones, to come back to. */
static double *before(const mgc__end *end)
{
    return end->past + 2 * end->count;
}

bool mgc__ties_due(const mgc_agent *agent)
{
    return agent->opts.weights == MGC_WEIGHTS_CONTRIBUTION && agent->n_ends > 0 && !agent->hurry;
}

static int fee_exponent(const mgc__end *end)
{
    int least = -MGC__TIES_NONE;

    for (uint32_t t = 0; t < end->terms.periods; t++) {
        int exponent;
        if (!(end->terms.fee[t] > 0)) continue;
        frexp(end->terms.hours * end->terms.fee[t], &exponent);
        if (exponent < least) least = exponent;
    }
    return least;
}

static int flow_exponent(const mgc__end *end)
{
    int64_t most = 0;
    int exponent;

    for (size_t i = 0; i < end->count; i++)
        if (llabs(end->agreed[i]) > most) most = llabs(end->agreed[i]);
    if (most == 0) return MGC__TIES_NONE;
    frexp((double)most / MGC__KW, &exponent);
    return exponent;
}

void mgc__ties_enter(mgc_agent *agent)
{
    mgc__stage_take_agreed(agent);
    mgc__stage_enter(agent, MGC__STAGE_TIES);
    agent->ties = (mgc__ties){.eps = 0};
    agent->flood[0] = agent->flood[1] = MGC__TIES_NONE;
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];

        end->still = false;
        for (size_t i = 0; i < end->count; i++) {
            tie_z(end)[i] = (double)end->agreed[i] / MGC__KW;
            tie_mu(end)[i] = end->mu[i];
            before(end)[i] = (double)end->mine[i];
            before(end)[end->count + i] = (double)end->theirs[i];
        }
        if (-fee_exponent(end) > agent->flood[0]) agent->flood[0] = -fee_exponent(end);
        if (flow_exponent(end) > agent->flood[1]) agent->flood[1] = flow_exponent(end);
    }
}

/* --- what is still ------------------------------------------------------------------------------------------------------------ */

/* All other links of the carrier are: what goes over this one follows from what the member takes. */
static bool is_last(const mgc_agent *agent, const mgc__end *end)
{
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__end *other = &agent->ends[e];
        if (other != end && other->terms.carrier == end->terms.carrier && !other->still) return false;
    }
    return true;
}

static void hear_still(mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        end->hushed = end->still || is_last(agent, end) || agent->ends[e].inbox[agent->step & 1].values[0] != 0;
    }
    for (size_t e = 0; e < agent->n_ends; e++) agent->ends[e].still = agent->ends[e].hushed;
}

static bool any_left(const mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++)
        if (!agent->ends[e].still) return true;
    return false;
}

/* --- one member's ways -------------------------------------------------------------------------------------------------------- */

/* What one kW of the coordinate brings to the member, or takes from it. */
static double gain(const mgc__end *end, size_t i)
{
    bool own = end->terms.first == (i < end->terms.periods);

    if (end->terms.dims == 1) return end->terms.first ? -1 : 1;
    return own ? -1 : 1 - end->terms.loss;
}

/* Least point of  fee/2 |x| + eps/4 x^2 + s mu x + rho/2 (x - z)^2 - price gain x. */
static double best(const mgc_agent *agent, const mgc__end *end, size_t i, double price)
{
    const mgc__terms *t = &end->terms;
    uint32_t period = (uint32_t)(i % t->periods);
    mgc__span span = mgc__terms_span(t, i), ahead, back;
    double half = 0.5 * t->hours * t->fee[period], stiff = agent->ties.rho + 0.5 * agent->ties.eps, x;
    double pull = agent->ties.rho * tie_z(end)[i] + price * gain(end, i) + (t->first ? -tie_mu(end)[i] : tie_mu(end)[i]);

    mgc__terms_both(t, period, &ahead, &back);
    if (t->dims == 2 || !(back.high > back.low)) x = pull - half;
    else if (!(ahead.high > ahead.low)) x = pull + half;
    else x = pull > half ? pull - half : pull < -half ? pull + half : 0;
    return fmax(span.low, fmin(span.high, x / stiff));
}

/* What the member takes over the links of the carrier that are not still. */
static double taken(const mgc_agent *agent, uint32_t carrier, uint32_t period, double price)
{
    double sum = 0;

    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__end *end = &agent->ends[e];
        if (end->terms.carrier != carrier || end->still) continue;
        for (size_t i = period; i < end->count; i += end->terms.periods) sum += gain(end, i) * best(agent, end, i, price);
    }
    return sum;
}

/* A price at which every flow is at its bound; *wanted: what the member takes by the trades agreed. */
static double bracket(const mgc_agent *agent, uint32_t carrier, uint32_t period, double *wanted)
{
    double most = 0;

    *wanted = 0;
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__end *end = &agent->ends[e];
        if (end->terms.carrier != carrier || end->still) continue;
        for (size_t i = period; i < end->count; i += end->terms.periods) {
            mgc__span span = mgc__terms_span(&end->terms, i);
            double stiff = agent->ties.rho + 0.5 * agent->ties.eps, reach = fmax(fabs(span.low), fabs(span.high));
            double need = stiff * reach + agent->ties.rho * fabs(tie_z(end)[i]) + fabs(tie_mu(end)[i]) + end->terms.hours * end->terms.fee[period];
            *wanted += gain(end, i) * (double)end->agreed[i] / MGC__KW;
            most = fmax(most, need / fabs(gain(end, i)));
        }
    }
    return most;
}

/* What is taken rises with the price: bisection. */
static void propose(mgc_agent *agent, uint32_t carrier, uint32_t period)
{
    double wanted, high = bracket(agent, carrier, period, &wanted), low = -high;

    for (int k = 0; k < BISECTIONS && low < high; k++) {
        double middle = 0.5 * (low + high);
        if (!(middle > low && middle < high)) break;
        if (taken(agent, carrier, period, middle) > wanted) high = middle;
        else low = middle;
    }
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        if (end->terms.carrier != carrier || end->still) continue;
        for (size_t i = period; i < end->count; i += end->terms.periods)
            end->mine[i] = (int64_t)llround(best(agent, end, i, low) * MGC__KW);
    }
}

/* Both ends: as in admm.c. */
static double update(const mgc_agent *agent, mgc__end *end)
{
    const int64_t *first = end->terms.first ? end->mine : end->theirs, *second = end->terms.first ? end->theirs : end->mine;
    double worst = 0;

    for (size_t i = 0; i < end->count; i++) {
        double a = (double)first[i] / MGC__KW, b = (double)second[i] / MGC__KW;
        double z = over_relaxation * 0.5 * (a + b) + (1 - over_relaxation) * tie_z(end)[i];

        worst = fmax(worst, fmax(fabs(a - b), fabs(z - tie_z(end)[i])));
        tie_mu(end)[i] += agent->ties.rho * over_relaxation * 0.5 * (a - b);
        tie_z(end)[i] = z;
    }
    return worst;
}

/* --- the stage ---------------------------------------------------------------------------------------------------------------- */

static bool in_rounds(const mgc_agent *agent, uint32_t round)
{
    return round > 2 * agent->span;
}

size_t mgc__ties_values(const mgc_agent *agent, const mgc__end *end, uint32_t round)
{
    if (in_rounds(agent, round)) return end->still ? 0 : end->count;
    return round <= agent->span;
}

void mgc__ties_prepare(mgc_agent *agent)
{
    for (uint32_t carrier = 0; in_rounds(agent, agent->round) && carrier < 2; carrier++)
        for (uint32_t t = 0; t < agent->periods; t++) propose(agent, carrier, t);
}

void mgc__ties_speak(const mgc_agent *agent, const mgc__end *end, int64_t *values)
{
    if (!in_rounds(agent, agent->round)) values[0] = agent->round <= agent->span && is_last(agent, end);
    else if (!end->still) memcpy(values, end->mine, end->count * sizeof *values);
}

static void leave(mgc_agent *agent, bool found)
{
    for (size_t e = 0; !found && in_rounds(agent, agent->round) && e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        for (size_t i = 0; i < end->count; i++) {
            end->mine[i] = (int64_t)before(end)[i];
            end->theirs[i] = (int64_t)before(end)[end->count + i];
        }
    }
    for (size_t e = 0; found && e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        for (size_t i = 0; !end->still && i < end->count; i++) end->middle[i] = 0.5 * ((double)end->mine[i] + (double)end->theirs[i]);
    }
    agent->ties.moved = found;
    agent->ties.rounds = in_rounds(agent, agent->round) ? agent->round - 2 * (uint32_t)agent->span : 0;
    mgc__stage_enter(agent, MGC__STAGE_SETTLE);
}

/* Prices of P1 carry over where there are fees; without any nothing but the squares counts. */
static void begin_rounds(mgc_agent *agent)
{
    bool fees = agent->flood[0] > MGC__TIES_NONE;

    agent->ties.eps = mgc__ties_weight(fees ? -(int)agent->flood[0] : MGC__TIES_NONE, (int)agent->flood[1]);
    agent->ties.rho = ldexp(agent->ties.eps, fees ? STIFF : 0);
    for (size_t e = 0; !fees && e < agent->n_ends; e++) memset(tie_mu(&agent->ends[e]), 0, agent->ends[e].count * sizeof(double));
}

static void look_around(mgc_agent *agent)
{
    mgc__stage_hear_floods(agent);
    if (agent->round <= agent->span) hear_still(agent);
    if (agent->round == agent->span && any_left(agent)) agent->flood[2] = 1;
    if (agent->round == 2 * agent->span && agent->flood[2] == 0) {
        leave(agent, false);
        return;
    }
    if (agent->round++ == 2 * agent->span) begin_rounds(agent);
}

void mgc__ties_listen(mgc_agent *agent)
{
    double worst = 0;

    if (!in_rounds(agent, agent->round)) {
        look_around(agent);
        return;
    }
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        if (end->still) continue;
        memcpy(end->theirs, end->inbox[agent->step & 1].values, end->count * sizeof *end->theirs);
        worst = fmax(worst, update(agent, end));
    }
    if (mgc__stage_hear_calm(agent, worst <= near_kw, agent->hurry ? agent->round : ROUNDS))
        leave(agent, agent->last != 0 && agent->round >= agent->last);
    else
        agent->round++;
}
