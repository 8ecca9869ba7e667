/* SPDX-License-Identifier: Apache-2.0 */
/* Balls of a divergence  sum_k p0_k phi(p_k / p0_k) <= rho, doc/math/robust.md (4):
 *
 *     Kullback-Leibler  phi(r) = r ln r - r + 1      worst p_k = p0_k exp((Q_k - alpha) / lambda)
 *     chi-square        phi(r) = (r - 1)^2           worst p_k = p0_k max(0, 1 + (Q_k - alpha) / (2 lambda))
 *
 * Scenarios without nominal probability keep none: phi grows faster than r.  Source: Ben-Tal, den Hertog, De Waegenaere,
 * Melenberg and Rennen (2013), "Robust solutions of optimization problems affected by uncertain probabilities". */
#include <math.h>

#include "robust/robust.h"

/* Bisections of a bracket in the exponent: 2^-200 of it is below any rounding. */
enum { BISECTIONS = 200 };

/* --- the divergences --------------------------------------------------------------------------------------------- */

/* phi(e^s) = s e^s - (e^s - 1), which loses all its digits near s = 0: there the series sum_n (n - 1) s^n / n!. */
static double kl_of_log(double s)
{
    if (fabs(s) > 0.05) return s * exp(s) - expm1(s);
    double term = s * s / 2, sum = term;
    for (int n = 3; n < 14; n++) {
        term *= s / n;
        sum += (n - 1) * term;
    }
    return sum;
}

double mgc__divergence_phi(const mgc_twostage *ts, double ratio)
{
    if (ts->chi2 >= 0) return (ratio - 1) * (ratio - 1);
    return ratio > 0 ? kl_of_log(fabs(ratio - 1) < 0.5 ? log1p(ratio - 1) : log(ratio)) : 1;
}

double mgc__divergence_of(const mgc_twostage *ts, const double *p)
{
    double sum = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++) {
        if (ts->p0[k] > 0)
            sum += ts->p0[k] * mgc__divergence_phi(ts, p[k] / ts->p0[k]);
        else if (p[k] > 0)
            return INFINITY;
    }
    return sum;
}

static double radius_of(const mgc_twostage *ts)
{
    return ts->chi2 >= 0 ? ts->chi2 : ts->kl;
}

void mgc__divergence_clean(const mgc_twostage *ts, double *p)
{
    double low = 0, high = 1, sum = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++) {
        p[k] = ts->p0[k] > 0 ? fmax(p[k], 0) : 0;
        sum += p[k];
    }
    for (uint32_t k = 0; k < ts->scenarios; k++) p[k] = sum > 0 ? p[k] / sum : ts->p0[k];
    if (mgc__divergence_of(ts, p) <= radius_of(ts)) return;
    /* The divergence is convex along the line and 0 at p0: bisect for where it leaves the ball. */
    for (int i = 0; i < 60; i++) {
        double t = (low + high) / 2, value = 0;
        for (uint32_t k = 0; k < ts->scenarios; k++)
            if (ts->p0[k] > 0)
                value += ts->p0[k] * mgc__divergence_phi(ts, 1 + t * (p[k] - ts->p0[k]) / ts->p0[k]);
        *(value <= radius_of(ts) ? &low : &high) = t;
    }
    for (uint32_t k = 0; k < ts->scenarios; k++) p[k] = ts->p0[k] + low * (p[k] - ts->p0[k]);
}

/* --- how far one scenario goes ----------------------------------------------------------------------------------- */

/* The others keep their proportions, so that there are two points: p and 1 - p. */
static double two_points(const mgc_twostage *ts, double nominal, double p)
{
    double rest = 1 - nominal;

    return nominal * mgc__divergence_phi(ts, p / nominal) + rest * mgc__divergence_phi(ts, fmax(1 - p, 0) / rest);
}

double mgc__divergence_reach(const mgc_twostage *ts, uint32_t k)
{
    double nominal = ts->p0[k], low = nominal, high = 1;

    if (!(nominal < 1) || two_points(ts, nominal, 1) <= radius_of(ts)) return 1 / nominal;
    for (int i = 0; i < 60; i++) {
        double p = (low + high) / 2;
        *(two_points(ts, nominal, p) <= radius_of(ts) ? &low : &high) = p;
    }
    return high / nominal;
}

/* --- the oracles ------------------------------------------------------------------------------------------------- */

/* All mass on the dearest scenarios (equal costs in proportion); false: the ball does not reach so far. */
static bool reaches_dearest(const mgc_twostage *ts, double most, const double *cost, double *worst)
{
    double share = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++) share += ts->p0[k] > 0 && cost[k] == most ? ts->p0[k] : 0;
    double needed = ts->chi2 >= 0 ? (1 - share) / share : -log(share);
    if (radius_of(ts) < needed) return false;
    for (uint32_t k = 0; k < ts->scenarios; k++)
        worst[k] = ts->p0[k] > 0 && cost[k] == most ? ts->p0[k] / share : 0;
    return true;
}

/* p_k ~ p0_k e^(t a_k) with a = (cost - most) / spread in [-1, 0]; returns its divergence, a sum without cancellation. */
static double tilt(const mgc_twostage *ts, double t, const double *cost, double most, double spread, double *p)
{
    double moved = 0, total = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++)
        if (ts->p0[k] > 0) moved += ts->p0[k] * expm1(t * (cost[k] - most) / spread);
    double log_sum = log1p(moved);
    for (uint32_t k = 0; k < ts->scenarios; k++) {
        double s = t * (cost[k] - most) / spread - log_sum;
        p[k] = ts->p0[k] > 0 ? ts->p0[k] * exp(s) : 0;
        total += ts->p0[k] > 0 ? ts->p0[k] * kl_of_log(s) : 0;
    }
    return total;
}

/* The divergence rises with t from 0; t is bracketed by doubling and bisected in its logarithm, from below. */
static void worst_kl(const mgc_twostage *ts, const double *cost, double most, double spread, double *worst)
{
    double low = 0, high = 1, sum = 0;

    while (tilt(ts, high, cost, most, spread, worst) <= ts->kl && high < 1e300) {
        low = high;
        high *= 2;
    }
    if (low == 0) {
        while (tilt(ts, high / 2, cost, most, spread, worst) > ts->kl && high > 1e-300) high /= 2;
        low = high / 2;
    }
    for (int i = 0; i < BISECTIONS; i++) {
        double t = low + (high - low) / 2;
        if (t <= low || t >= high) break;
        *(tilt(ts, t, cost, most, spread, worst) <= ts->kl ? &low : &high) = t;
    }
    tilt(ts, low, cost, most, spread, worst);
    for (uint32_t k = 0; k < ts->scenarios; k++) sum += worst[k];
    for (uint32_t k = 0; k < ts->scenarios; k++) worst[k] /= sum;
}

/* Weight, mean and sum of squares around it of the i + 1 dearest scenarios, each from the one before (Welford 1962), so
 * that nothing cancels. */
static void dearest_moments(const mgc_twostage *ts, double *weight, double *mean, double *square)
{
    double w = 0, m = 0, v = 0;

    for (uint32_t i = 0; i < ts->scenarios; i++) {
        double own = ts->p0[ts->rank[i].scenario], step = ts->rank[i].cost - m;
        if (own > 0) {
            w += own;
            m += step * own / w;
            v += own * step * (ts->rank[i].cost - m);
        }
        weight[i] = w;
        mean[i] = m;
        square[i] = v;
    }
}

/* The worst p over the n dearest scenarios is p_k = p0_k (1/P + b (Q_k - mean)) with b from the radius:
 * b^2 V = rho - (1 - P)/P.  It is the worst of all where it is >= 0 at the cheapest of them; fewer are taken until so. */
static void worst_chi2(const mgc_twostage *ts, const double *cost, double *worst)
{
    double *weight = ts->work, *mean = ts->work + ts->scenarios, *square = ts->work + 2 * (size_t)ts->scenarios, b = 0;
    uint32_t n = ts->scenarios;

    mgc__ts_sort(ts, cost);
    dearest_moments(ts, weight, mean, square);
    for (; n > 0; n--) {
        double left = ts->chi2 - (1 - weight[n - 1]) / weight[n - 1];
        if (n < ts->scenarios && ts->rank[n].cost == ts->rank[n - 1].cost) continue; /* equal costs leave together */
        if (!(square[n - 1] > 0) || left < 0) continue;
        b = sqrt(left / square[n - 1]);
        if (1 / weight[n - 1] + b * (ts->rank[n - 1].cost - mean[n - 1]) >= 0) break;
    }
    for (uint32_t k = 0; k < ts->scenarios; k++) worst[k] = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = ts->rank[i].scenario;
        worst[k] = fmax(ts->p0[k] * (1 / weight[n - 1] + b * (cost[k] - mean[n - 1])), 0);
    }
}

mgc_status mgc__divergence_worst(const mgc_twostage *ts, const double *cost, double *worst)
{
    double most = -INFINITY, least = INFINITY;

    for (uint32_t k = 0; k < ts->scenarios; k++) {
        if (!(ts->p0[k] > 0)) continue;
        most = fmax(most, cost[k]);
        least = fmin(least, cost[k]);
    }
    memcpy(worst, ts->p0, ts->scenarios * sizeof *worst);
    if (!(most > least) || !(radius_of(ts) > 0)) return MGC_OK;
    if (reaches_dearest(ts, most, cost, worst)) return MGC_OK;
    if (ts->chi2 >= 0)
        worst_chi2(ts, cost, worst);
    else
        worst_kl(ts, cost, most, most - least, worst);
    mgc__divergence_clean(ts, worst);
    return MGC_OK;
}
