/* SPDX-License-Identifier: Apache-2.0 */
/* Is the alliance as a whole close enough?  (doc/math/bargain.md, section 2, "Or when it is proven")
 *
 * A member that looks at its own links only has to stop for its own share of the tolerance; the worst of a thousand shares is met
 * long after the sum is.  So now and then the rounds pause and the members add up, along a tree, what is still to be gained.
 *
 *   STAKE   sum of what is at stake on the links, which both ends of each know: a rough bound, and it costs no solve
 *   VOTE    does one's own |stand-alone cost| reach c?  V times yes prove that the costs sum to at least c V, and show of nobody's
 *           cost more than this bit.  c is such that half of the members suffice; only where that fails, that all do (V' times yes
 *           to c' prove c V + c' (V' - V)); else that one does
 *   GAP     own cost at the trades, priced, less the least that it could be at these prices: weak duality makes the sum of these
 *           a bound of what the alliance may still gain, whatever the rounds did.  Two solves, which SETTLE and BOUND then spare
 *
 * Rounds may swing about the optimum for long.  Then the means of the last rounds, of trades and of prices, are much nearer to it, and are
 * asked about and agreed instead.
 *
 * Residuals that are small are no bound either: where they end the rounds, GAP is asked too; a gap that is too large sends the
 * members on, and from then on only a proof ends the rounds. */
#include <math.h>

#include "bargain/agent.h"

enum { FIRST_ROUND = 40, EVERY = 5 }; /* small alliances have agreed by then: measured, 20 to 38 rounds on the reference cases */
#define OWN_MAX INT64_C(140737488355328)     /* 2^47 micro-currency: sums of all members fit */
/* Measured on communities of 10 to 1000 members: a tenth of what is at stake, or less, is the gap (a third before round 25). */
static const double worth_a_proof = 10;
/* Where decisions will still move the trades, what is at stake need not be less than a few times the accuracy asked for. */
static const double coarse = 5;
static const double with_decisions = 0.5; /* share of the accuracy that is left for trades where there are decisions */

static int64_t to_micro(double x)
{
    return x >= 0 && x * MGC__MICRO < (double)OWN_MAX ? (int64_t)ceil(x * MGC__MICRO) : MGC__REFUSED; /* not a number, too */
}

static double accuracy(const mgc_agent *agent)
{
    return agent->integers && !agent->prove.confirm ? with_decisions * agent->opts.tolerance : agent->opts.tolerance;
}

/* How much may be at stake, in parts of the sum of |stand-alone costs|, for the answer to be worth a proof. */
static double stake_goal(const mgc_agent *agent)
{
    return mgc__stage_on_the_way(agent) ? coarse * fmax(agent->opts.tolerance, 1e-4) : worth_a_proof * accuracy(agent);
}

static void ask(mgc_agent *agent, uint32_t question, int64_t own, int64_t of_means)
{
    mgc__sum_begin(agent, MGC__PROVE_SUMS, 0);
    agent->sum.part[0] = own;
    agent->sum.part[1] = of_means;
    agent->prove.question = question;
    agent->prove.solved = false;
}

/* --- the questions ------------------------------------------------------------------------------------------------------------ */

static void exchange_means(mgc_agent *agent)
{
    for (size_t e = 0; e < agent->n_ends; e++) mgc__admm_exchange_means(&agent->ends[e]);
}

static void resume(mgc_agent *agent)
{
    agent->stage = agent->prove.stage;
    agent->round = agent->prove.round + 1;
    if (agent->prove.confirm) agent->calm = agent->last = 0;
}

static void stop(mgc_agent *agent)
{
    if (agent->prove.of_means && !mgc__stage_on_the_way(agent)) exchange_means(agent);
    agent->stage = agent->prove.stage;
    agent->last = agent->round = agent->prove.round;
    mgc__stage_leave_trades(agent);
}

/* Do `need` members cost enough for all?  `least` is what makes the money in question the share that it may be. */
static void vote_again(mgc_agent *agent, int64_t need)
{
    mgc__prove *p = &agent->prove;

    p->need = need;
    ask(agent, MGC__PROVE_VOTE, fabs(agent->alone_cost) * (double)need >= p->least, 0);
}

static int64_t half(const mgc_agent *agent)
{
    return (int64_t)(agent->n_heard + 1) / 2;
}

static void vote(mgc_agent *agent, double money, double goal)
{
    agent->prove.least = money / goal;
    vote_again(agent, half(agent));
}

/* Half of the members, all, one; 0: all has been asked. */
static int64_t next_need(const mgc_agent *agent)
{
    int64_t need = agent->prove.need, all = (int64_t)agent->n_heard;

    return need == half(agent) && need < all ? all : need == all && half(agent) > 1 ? 1 : 0;
}

static void stake_is_small(mgc_agent *agent)
{
    if (mgc__stage_on_the_way(agent)) stop(agent);
    else ask(agent, MGC__PROVE_GAP, MGC__REFUSED, 0);
}

/* Of the last round or, where they clearly leave less, of the means: rounds that swing are told from such that come nearer. */
static void weigh_stake(mgc_agent *agent, double last, double means)
{
    mgc__prove *p = &agent->prove;

    p->of_means = 3 * means < 2 * last;
    p->stake = p->of_means ? means : last;
    p->gap = -1;
    if (p->confirm) ask(agent, MGC__PROVE_GAP, MGC__REFUSED, 0);
    else if (p->stake > p->stake_limit && p->round < p->again) resume(agent);
    else if (p->stake <= stake_goal(agent) * p->floor) stake_is_small(agent);
    else vote(agent, p->stake, stake_goal(agent));
}

static void weigh_gap(mgc_agent *agent, double gap)
{
    mgc__prove *p = &agent->prove;

    p->gap = gap;
    if (gap <= accuracy(agent) * p->floor) stop(agent);
    else vote(agent, gap, accuracy(agent));
}

/* A proof that failed costs as much as a dozen rounds: none before the stake has fallen as the gap must, or half as many rounds more
 * have passed, since the gap may fall where the stake does not. */
static void count_votes(mgc_agent *agent, int64_t votes)
{
    mgc__prove *p = &agent->prove;
    double c = p->least / (double)p->need;
    bool enough;

    if (p->need == half(agent)) p->dear = (double)votes * c, p->dear_votes = votes;
    p->floor = fmax(p->floor, p->need > half(agent) ? p->dear + (double)(votes - p->dear_votes) * c : (double)votes * c);
    enough = votes >= p->need || p->least <= p->floor;
    if (!enough && next_need(agent) > 0) {
        vote_again(agent, next_need(agent));
    } else if (p->gap < 0 && enough) {
        stake_is_small(agent);
    } else if (enough) {
        stop(agent);
    } else {
        if (p->gap >= 0 && !p->confirm) {
            p->again = p->round + p->round / 2;
            p->stake_limit = p->stake * fmax(0.125, 0.8 * accuracy(agent) * p->floor / p->gap);
        }
        p->doubted |= p->confirm;
        resume(agent);
    }
}

static void answer(mgc_agent *agent)
{
    mgc__prove *p = &agent->prove;
    int64_t total = agent->sum.total[0];

    if (total < 0 && p->question == MGC__PROVE_GAP && agent->shrink == 0) {
        agent->shrink = 1;
        ask(agent, MGC__PROVE_GAP, MGC__REFUSED, 0);
        return;
    }
    if (total < 0) {
        agent->shrink = 0;
        p->solved = false;
        p->stake_limit = -1; /* somebody cannot tell, and will not be able to in this stage */
        if (p->confirm) stop(agent); /* then residuals have to do */
        else resume(agent);
        return;
    }
    switch (p->question) {
    case MGC__PROVE_STAKE: weigh_stake(agent, (double)total / MGC__MICRO, (double)agent->sum.total[1] / MGC__MICRO); break;
    case MGC__PROVE_VOTE: count_votes(agent, total); break;
    default: weigh_gap(agent, (double)total / MGC__MICRO); break;
    }
}

/* The bound first: the site's plan shall be that of the trades. */
static mgc_status own_gap(mgc_agent *agent)
{
    mgc__prove *p = &agent->prove;
    uint32_t outcome = MGC_OUTCOME_NONE;
    double bound = -INFINITY, valued;
    mgc_status st = mgc__agent_bound_committed(agent, &bound);

    if (st != MGC_OK) return st;
    mgc__stage_take_agreed(agent);
    if (isfinite(bound)) st = agent->ops->settle(agent->local, agent->x, &agent->cost, &outcome);
    if (st != MGC_OK) return st;
    if (outcome == MGC_OUTCOME_CANCELLED) {
        mgc__agent_end(agent, MGC_AGENT_CANCELLED, "cancelled while proving how good the trades are");
        return MGC_OK;
    }
    p->solved = outcome == MGC_OUTCOME_OPTIMAL || outcome == MGC_OUTCOME_LIMIT;
    p->bound = bound;
    valued = agent->cost;
    for (size_t i = 0; i < agent->coordinates; i++) valued += agent->linear[i] * agent->x[i];
    agent->sum.part[0] = p->solved ? to_micro(fmax(valued - bound, 0)) : MGC__REFUSED;
    return MGC_OK;
}

/* --- the stage ---------------------------------------------------------------------------------------------------------------- */

bool mgc__prove_confirms(const mgc_agent *agent)
{
    return agent->last != 0 && agent->round >= agent->last && agent->round < agent->opts.round_limit && agent->prove.stake_limit > 0 &&
           !agent->hurry && !mgc__stage_on_the_way(agent);
}

/* Known to all alike: rounds, and totals of earlier questions. */
bool mgc__prove_due(const mgc_agent *agent)
{
    return agent->round >= FIRST_ROUND && agent->round % EVERY == 0 && agent->prove.stake_limit > 0 && !agent->hurry;
}

/* confirm: residuals say that it is enough.  They are no bound. */
void mgc__prove_enter(mgc_agent *agent, bool confirm)
{
    agent->prove.stage = agent->stage;
    agent->prove.round = agent->round;
    agent->prove.confirm = confirm;
    agent->prove.gap = -1;
    agent->stage = MGC__STAGE_PROVE;
    agent->round = 1;
    ask(agent, MGC__PROVE_STAKE, to_micro(agent->turn.at_stake), to_micro(agent->turn.mean_at_stake));
}

mgc_status mgc__prove_prepare(mgc_agent *agent)
{
    const mgc__prove *p = &agent->prove;
    mgc_status st;

    if (p->question != MGC__PROVE_GAP || agent->round != agent->sum.begin || agent->hurry) return MGC_OK;
    if (p->of_means) exchange_means(agent);
    st = own_gap(agent);
    if (p->of_means) exchange_means(agent);
    return st;
}

mgc_status mgc__prove_listen(mgc_agent *agent)
{
    if (mgc__sum_listen(agent)) answer(agent);
    return MGC_OK;
}
