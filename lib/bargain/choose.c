/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the last rounds' trades?  (doc/math/bargain.md, section 2, "Where the limit ends the rounds")
 *
 * Rounds that end at their limit stop somewhere on a swing.  Both ends of a link know where it met in every round, so the means of the last
 * eighth, quarter and half of the rounds are trades, too.  Everyone plans with each of the four; the sums of what that costs, priced, less
 * the same of the last round say which serves all together best, and that one is agreed.  Prices swing, too: the bounds at the last ones and
 * at their mean say which prove more. */
#include <math.h>

#include "bargain/agent.h"

#define OWN_MAX INT64_C(140737488355328) /* 2^47 micro-currency: sums of all members fit */

static uint32_t window(const mgc_agent *agent, size_t mean)
{
    return agent->opts.round_limit >> (MGC__MEANS - mean);
}

/* Sums begin anew where a window begins, whatever was there. */
void mgc__choose_note(mgc_agent *agent)
{
    for (size_t m = 0; m < MGC__MEANS; m++) {
        uint32_t left = agent->opts.round_limit - agent->round, n = window(agent, m);

        if (left >= n) continue;
        for (size_t e = 0; e < agent->n_ends; e++) {
            const mgc__end *end = &agent->ends[e];
            double *sum = end->recent + m * end->count;
            for (size_t i = 0; i < end->count; i++) sum[i] = (left + 1 == n ? 0 : sum[i]) + end->middle[i];
        }
    }
}

/* Known to all alike.  Where every window is at least two rounds. */
bool mgc__choose_due(const mgc_agent *agent)
{
    return agent->at_limit && agent->round == agent->opts.round_limit && !agent->hurry && window(agent, 0) >= 2;
}

void mgc__choose_enter(mgc_agent *agent)
{
    mgc__stage_enter(agent, MGC__STAGE_CHOOSE);
    mgc__sum_begin(agent, MGC__CHOOSE_SUMS, -MGC__SUM_MAX);
}

static void take(mgc_agent *agent, size_t mean)
{
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        for (size_t i = 0; i < end->count; i++) end->middle[i] = end->recent[mean * end->count + i] / window(agent, mean);
    }
}

static void exchange_prices(mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++) mgc__admm_exchange_prices(&agent->ends[e]);
}

/* Cost at the trades as they are now, with what they are worth at the last prices: over the two ends of a link that is nothing. */
static mgc_status price(mgc_agent *agent, double *cost)
{
    uint32_t outcome = MGC_OUTCOME_NONE;
    mgc_status st;

    mgc__stage_take_agreed(agent);
    st = agent->ops->settle(agent->local, agent->x, cost, &outcome);
    if (st != MGC_OK) return st;
    if (outcome == MGC_OUTCOME_CANCELLED) mgc__agent_end(agent, MGC_AGENT_CANCELLED, "cancelled while comparing trades");
    if (outcome != MGC_OUTCOME_OPTIMAL && outcome != MGC_OUTCOME_LIMIT) *cost = NAN;
    for (size_t i = 0; i < agent->coordinates; i++) *cost += agent->price_bound[i] * agent->x[i];
    return MGC_OK;
}

static int64_t to_micro(double x)
{
    return fabs(x * MGC__MICRO) < (double)OWN_MAX ? llround(x * MGC__MICRO) : MGC__REFUSED; /* not a number, too */
}

/* Prices swing as trades do: how much less do the means of them prove than the last ones? */
static mgc_status compare_prices(mgc_agent *agent)
{
    double last, means;
    mgc_status st = mgc__agent_bound_committed(agent, &last);

    if (st != MGC_OK) return st;
    exchange_prices(agent);
    st = mgc__agent_bound_committed(agent, &means);
    exchange_prices(agent);
    agent->sum.part[MGC__MEANS] = to_micro(last - means);
    return st;
}

mgc_status mgc__choose_prepare(mgc_agent *agent)
{
    double last, mean;
    mgc_status st;

    if (agent->round != agent->sum.begin) return MGC_OK;
    for (size_t e = 0; e < agent->n_ends; e++) memcpy(agent->ends[e].past, agent->ends[e].middle, agent->ends[e].count * sizeof(double));
    st = compare_prices(agent);
    if (st == MGC_OK) st = price(agent, &last);
    for (size_t m = 0; st == MGC_OK && agent->state == MGC_AGENT_RUNNING && m < MGC__MEANS; m++) {
        take(agent, m);
        st = price(agent, &mean);
        agent->sum.part[m] = to_micro(mean - last);
    }
    for (size_t e = 0; e < agent->n_ends; e++) memcpy(agent->ends[e].middle, agent->ends[e].past, agent->ends[e].count * sizeof(double));
    return st;
}

mgc_status mgc__choose_listen(mgc_agent *agent)
{
    int64_t least = 0;
    size_t best = MGC__MEANS;

    if (!mgc__sum_listen(agent)) return MGC_OK;
    for (size_t m = 0; m < MGC__MEANS; m++) {
        if (agent->sum.total[m] == MGC__REFUSED || agent->sum.total[m] >= least) continue;
        least = agent->sum.total[m];
        best = m;
    }
    if (best < MGC__MEANS) take(agent, best);
    if (agent->sum.total[MGC__MEANS] != MGC__REFUSED && agent->sum.total[MGC__MEANS] < 0) {
        exchange_prices(agent);
        mgc__stage_take_prices(agent);
    }
    mgc__stage_settle(agent);
    return MGC_OK;
}
