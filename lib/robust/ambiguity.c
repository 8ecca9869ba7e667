/* SPDX-License-Identifier: Apache-2.0 */
/* Ambiguity sets: the worst probabilities for given costs.
 *
 * The norms, the conditional value at risk, the whole simplex and all their intersections are one thing, mass that moves
 * (doc/math/robust.md (2)):
 *
 *     p = p0 + u - w,   0 <= u <= up,   0 <= w <= down,   sum u = sum w <= budget                              (T)
 *
 * with down_k = min(theta_inf, p0_k), up_k = min(theta_inf, p0_k level / (1 - level)), budget = theta_1 / 2: a transfer
 * of t changes the norm by 2 t, and mass that comes and goes at the same scenario only lowers it. */
#include <math.h>

#include "robust/robust.h"

/* How far a host's probabilities may miss their sum and sign before they are refused rather than normalised. */
static const double oracle_slack = 1e-6;

bool mgc__ts_has_transfer(const mgc_twostage *ts)
{
    return ts->norm1 >= 0 || ts->norm_inf >= 0 || ts->cvar >= 0 || ts->worst_case;
}

void mgc__ts_transfer(const mgc_twostage *ts, mgc__transfer *t)
{
    uint32_t n = ts->scenarios;
    double cap = ts->norm_inf >= 0 ? ts->norm_inf : INFINITY, movable = 0;
    double more = ts->cvar >= 0 ? ts->cvar / (1 - ts->cvar) : INFINITY;

    *t = (mgc__transfer){.low = ts->work, .down = ts->work + n, .up = ts->work + 2 * (size_t)n};
    t->capped = cap < 1 || ts->cvar >= 0;
    for (uint32_t k = 0; k < n; k++) {
        t->down[k] = cap < ts->p0[k] ? cap : ts->p0[k];
        t->low[k] = ts->p0[k] - t->down[k];
        t->up[k] = t->capped ? fmax(fmin(cap, 1 - ts->p0[k]), 0) : INFINITY;
        if (ts->cvar >= 0) t->up[k] = fmin(t->up[k], ts->p0[k] * more);
        movable += t->down[k];
    }
    t->budget = ts->norm1 >= 0 && ts->norm1 / 2 < movable ? ts->norm1 / 2 : INFINITY;
    t->nominal = !mgc__ts_has_transfer(ts) || t->budget <= 0 || cap <= 0 || more <= 0 || n == 1;
}

/* Dearest first; equal costs by number, so that the answer does not depend on the sorting algorithm. */
static int dearer(const void *a, const void *b)
{
    const mgc__rank *x = a, *y = b;

    if (x->cost != y->cost) return x->cost > y->cost ? -1 : 1;
    return x->scenario < y->scenario ? -1 : x->scenario > y->scenario;
}

void mgc__ts_sort(const mgc_twostage *ts, const double *cost)
{
    for (uint32_t k = 0; k < ts->scenarios; k++) ts->rank[k] = (mgc__rank){.cost = cost[k], .scenario = k};
    qsort(ts->rank, ts->scenarios, sizeof *ts->rank, dearer);
}

/* argmax p'cost over (T).  For a given amount t moved, the best receivers are the dearest scenarios, each up to its
 * cap: the gain R(t) is concave, its slope the cost of the scenario that receives the last bit.  The best givers are the
 * cheapest: the loss D(t) is convex, its slope likewise.  So R - D is concave, and it is at its maximum over
 * [0, budget] where the next receiver is no dearer than the next giver, or the budget ends.  As long as the receiver is
 * strictly dearer the two differ, so no scenario both receives and gives.  O(K log K). */
static void worst_of_transfers(const mgc_twostage *ts, const mgc__transfer *t, const double *cost, double *worst)
{
    uint32_t n = ts->scenarios, to = 0, from = n - 1;
    double left = t->budget, room, stock;

    memcpy(worst, ts->p0, n * sizeof *worst);
    if (t->nominal) return;
    mgc__ts_sort(ts, cost);
    room = t->up[ts->rank[to].scenario];
    stock = t->down[ts->rank[from].scenario];
    while (left > 0 && to < from && ts->rank[to].cost > ts->rank[from].cost) {
        uint32_t up = ts->rank[to].scenario, down = ts->rank[from].scenario;
        double amount = fmin(left, fmin(room, stock));
        worst[up] += amount;
        worst[down] -= amount;
        left -= amount;
        room -= amount;
        stock -= amount;
        if (room <= 0) room = t->up[ts->rank[++to].scenario];
        if (stock <= 0) {
            worst[down] = t->low[down]; /* exactly, not by differences */
            stock = t->down[ts->rank[--from].scenario];
        }
    }
}

static mgc_status worst_of_host(const mgc_twostage *ts, const double *cost, double *worst)
{
    double sum = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++) worst[k] = NAN; /* an entry that the host forgets is found */
    mgc_status st = mgc__verdict(ts->oracle(ts->oracle_user, cost, worst, ts->scenarios));
    if (st != MGC_OK) return mgc__fail(ts->ctx, st, "robust: the host's oracle answered %s", mgc_status_name(st));
    for (uint32_t k = 0; k < ts->scenarios; k++) {
        if (!isfinite(worst[k]) || worst[k] < -oracle_slack)
            return mgc__fail(ts->ctx, MGC_E_PROBABILITY,
                             "robust: the host's oracle gave scenario %u probability %g; must be >= 0", k, worst[k]);
        if (worst[k] < 0) worst[k] = 0;
        sum += worst[k];
    }
    if (!(fabs(sum - 1) <= oracle_slack))
        return mgc__fail(ts->ctx, MGC_E_PROBABILITY,
                         "robust: the host's oracle gave probabilities that sum to %.9g; must be 1", sum);
    for (uint32_t k = 0; k < ts->scenarios; k++) worst[k] /= sum;
    return MGC_OK;
}

mgc_status mgc_twostage_worst(const mgc_twostage *ts, const double *cost, double *worst)
{
    mgc__transfer t;
    uint32_t family;

    if (ts == NULL || cost == NULL || worst == NULL) return MGC_E_INVALID_ARG;
    for (uint32_t k = 0; k < ts->scenarios; k++)
        if (!isfinite(cost[k]))
            return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: cost of scenario %u is %g; must be finite", k,
                             cost[k]);
    mgc_status st = mgc__ts_family(ts, &family);
    if (st != MGC_OK) return st;
    switch (family) {
    case MGC__SET_HOST: return worst_of_host(ts, cost, worst);
    case MGC__SET_WASSERSTEIN: return mgc__wasserstein_worst(ts, cost, worst);
    case MGC__SET_MIXED: return mgc__mixed_worst(ts, cost, worst);
    case MGC__SET_DIVERGENCE: return mgc__divergence_worst(ts, cost, worst);
    default: break;
    }
    mgc__ts_transfer(ts, &t);
    worst_of_transfers(ts, &t, cost, worst);
    return MGC_OK;
}

/* Into the box, then to sum 1 in proportion to what room there is, then towards p0 until the transfer fits: each step
 * keeps what the earlier ones reached, because p0 itself satisfies all. */
void mgc__ts_clean(const mgc_twostage *ts, double *p)
{
    mgc__transfer t;
    double sum = 0, room = 0, moved = 0;

    mgc__ts_transfer(ts, &t);
    for (uint32_t k = 0; k < ts->scenarios; k++) {
        double high = t.capped ? ts->p0[k] + t.up[k] : 1;
        p[k] = t.nominal ? ts->p0[k] : fmin(fmax(p[k], t.low[k]), high);
        sum += p[k];
    }
    for (uint32_t k = 0; k < ts->scenarios; k++)
        room += sum < 1 ? (t.capped ? ts->p0[k] + t.up[k] : 1) - p[k] : p[k] - t.low[k];
    if (room > 0) {
        double share = (1 - sum) / room; /* |share| <= 1: the box holds a point of sum 1 */
        for (uint32_t k = 0; k < ts->scenarios; k++)
            p[k] += sum < 1 ? share * ((t.capped ? ts->p0[k] + t.up[k] : 1) - p[k]) : share * (p[k] - t.low[k]);
    }
    for (uint32_t k = 0; k < ts->scenarios; k++) moved += fmax(p[k] - ts->p0[k], 0);
    if (moved > t.budget)
        for (uint32_t k = 0; k < ts->scenarios; k++) p[k] = ts->p0[k] + t.budget / moved * (p[k] - ts->p0[k]);
}

double mgc__ts_transfer_step(const mgc_twostage *ts, const double *p)
{
    mgc__transfer t;
    double step = 1, moved = 0;

    mgc__ts_transfer(ts, &t);
    if (t.nominal) return 0;
    for (uint32_t k = 0; k < ts->scenarios; k++) {
        double by = p[k] - ts->p0[k];
        if (by > t.up[k]) step = fmin(step, t.up[k] / by);
        if (-by > t.down[k]) step = fmin(step, t.down[k] / -by);
        moved += fmax(by, 0);
    }
    return moved > t.budget ? fmin(step, t.budget / moved) : step;
}
