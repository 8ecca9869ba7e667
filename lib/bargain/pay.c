/* SPDX-License-Identifier: Apache-2.0 */
/* P2: who pays whom, found by the members alone (doc/math/bargain.md, section 3).
 *
 * The Nash product  max sum_n beta_n ln y_n,  y_n = gain_n - what n pays,  sum of payments 0,  has its optimum where
 * y_n / beta_n is the same for all: the multiplier of the one constraint.  So has  min sum_n y_n^2 / (2 beta_n),  and every other
 * sum beta_n h(y_n / beta_n) with h strictly concave.  The members run ADMM on this one: same answer, but it is defined for any
 * gains, beta 0 included, it needs no penalty to fit the size of the money, and should the sum of gains be negative, every y_n
 * comes out negative, so that everyone sees that cooperation does not pay while nobody has shown its costs.
 *
 *   member:  z_np = argmin y^2/(2 beta) + sum_p (s_p mu_p z_np + rho/2 (z_np - z_p)^2),   y = gain - sum_p s_p z_np
 *            = a_p + s_p Y,  a_p = z_p - s_p mu_p / rho,  Y = (gain - sum_p s_p a_p) / (beta rho + pairs)
 *   pair:    z_p <- average of both, over-relaxed;  mu_p <- mu_p + rho alpha (first's - second's)/2
 *
 * One rho for all and a start at zero keep z in the range of differences of potentials: the limit is the payment of least sum
 * of squares among pairs.  gain, beta and y are never sent. */
#include <math.h>

#include "bargain/agent.h"

static const double over_relaxation = 1.6;
/* For beta in (0, 1]; chosen: the fewest rounds on triangles, rings and paths of up to 12 members, flat within a factor 3. */
static const double penalty = 2;

static double sign_of(const mgc__peer *p)
{
    return p->first ? 1 : -1;
}

void mgc__pay_propose(mgc_agent *agent)
{
    double rest = agent->alone_cost - agent->cost, pairs = 0, scale;

    for (size_t i = 0; i < agent->n_peers; i++) {
        const mgc__peer *p = &agent->peers[i];
        if (!p->pays) continue;
        rest -= sign_of(p) * p->z - p->mu / penalty;
        pairs += 1;
    }
    if (pairs == 0) return;
    scale = rest / (agent->weight / agent->weight_scale * penalty + pairs);
    for (size_t i = 0; i < agent->n_peers; i++) {
        mgc__peer *p = &agent->peers[i];
        double x = p->z - sign_of(p) * p->mu / penalty + sign_of(p) * scale;
        if (p->pays) p->mine = (int64_t)llround(fmax(fmin(x, MGC__MONEY_MAX), -MGC__MONEY_MAX) * MGC__NANO);
    }
}

/* Also sets pay_primal, the largest of disagreement and movement [currency]. */
void mgc__pay_update(mgc_agent *agent)
{
    agent->pay_primal = 0;
    for (size_t i = 0; i < agent->n_peers; i++) {
        mgc__peer *p = &agent->peers[i];
        double a, b, z;

        if (!p->pays) continue;
        a = (double)(p->first ? p->mine : p->theirs) / MGC__NANO;
        b = (double)(p->first ? p->theirs : p->mine) / MGC__NANO;
        z = over_relaxation * 0.5 * (a + b) + (1 - over_relaxation) * p->z;
        agent->pay_primal = fmax(agent->pay_primal, fmax(fabs(a - b), fabs(z - p->z)));
        p->mu += penalty * over_relaxation * 0.5 * (a - b);
        p->z = z;
    }
}

/* Whole micro-currency by integers alone, so that both ends write the same: the average, halves away from zero.
 * false: a neighbour's last word is further than a micro-currency from this member's own, so that the average would be a
 * payment that this member never offered. */
bool mgc__pay_close(mgc_agent *agent)
{
    bool own_word = true;

    for (size_t i = 0; i < agent->n_peers; i++) {
        mgc__peer *p = &agent->peers[i];
        int64_t twice = p->mine / 2 + p->theirs / 2 + (p->mine % 2 + p->theirs % 2) / 2;

        p->micro = p->pays ? (twice + (twice < 0 ? -1 : 1) * (MGC__NANO_PER_MICRO / 2)) / MGC__NANO_PER_MICRO : 0;
        own_word &= !p->pays || (p->mine - p->theirs <= MGC__NANO_PER_MICRO && p->theirs - p->mine <= MGC__NANO_PER_MICRO);
    }
    return own_word;
}
