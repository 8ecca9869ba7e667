/* SPDX-License-Identifier: Apache-2.0 */
/* The Wasserstein ball of first order on the finite support, doc/math/robust.md (3):
 *
 *     p_l = sum_k plan_kl,   sum_l plan_kl = p0_k,   plan >= 0,   sum_kl distance_kl plan_kl <= radius
 *
 * and the least cost of moving one distribution to another, which measures distances of distributions. */
#include <math.h>

#include "robust/robust.h"

/* --- the oracle -------------------------------------------------------------------------------------------------- */

/* One stretch of a scenario's gain from moving: from point `from` to point `to` of its hull. */
typedef struct stretch {
    double slope; /* gain of cost for each unit of distance */
    uint32_t source, order, from, to;
} stretch;

typedef struct point {
    double distance, cost;
    uint32_t to;
} point;

/* Nearest first, of equals the dearest, of equals the first. */
static int nearer(const void *a, const void *b)
{
    const point *x = a, *y = b;

    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    if (x->cost != y->cost) return x->cost > y->cost ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

/* Steepest first; equal slopes by source, one source's in their order. */
static int steeper(const void *a, const void *b)
{
    const stretch *x = a, *y = b;

    if (x->slope != y->slope) return x->slope > y->slope ? -1 : 1;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Upper concave hull of what source k can reach: (distance, cost), from the best at distance 0.  points is sorted and
 * shortened to the hull's corners; returns how many. */
static size_t hull_of(const mgc_twostage *ts, uint32_t k, const double *cost, point *points)
{
    uint32_t n = ts->scenarios;
    size_t corners = 0;

    for (uint32_t l = 0; l < n; l++)
        points[l] = (point){.distance = ts->distance[k * (size_t)n + l], .cost = cost[l], .to = l};
    qsort(points, n, sizeof *points, nearer);
    for (uint32_t i = 0; i < n; i++) {
        point p = points[i];
        if (corners > 0 && p.cost <= points[corners - 1].cost) continue; /* no dearer, no nearer */
        while (corners > 1) {
            const point *a = &points[corners - 2], *b = &points[corners - 1];
            if ((b->cost - a->cost) * (p.distance - a->distance) > (p.cost - a->cost) * (b->distance - a->distance))
                break;
            corners--;
        }
        points[corners++] = p;
    }
    return corners;
}

/* Each unit of nominal mass k is spent along its hull; the ball's budget goes to the steepest stretches of all (the linear
 * relaxation of a multiple-choice knapsack, Sinha and Zoltners 1979), the last one in part.  O(K^2 log K). */
static size_t all_stretches(const mgc_twostage *ts, const double *cost, point *points, stretch *list, uint32_t *at)
{
    size_t count = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++) {
        size_t corners = ts->p0[k] > 0 ? hull_of(ts, k, cost, points) : 0;
        at[k] = corners > 0 ? points[0].to : k; /* where distance 0 leads is free */
        for (size_t c = 1; c < corners; c++)
            list[count++] = (stretch){.slope = (points[c].cost - points[c - 1].cost) /
                                               (points[c].distance - points[c - 1].distance),
                                      .source = k, .order = (uint32_t)c, .from = points[c - 1].to, .to = points[c].to};
    }
    return count;
}

static void spend(const mgc_twostage *ts, const stretch *list, size_t count, uint32_t *at, double *worst)
{
    uint32_t n = ts->scenarios;
    double left = ts->wasserstein;

    for (uint32_t k = 0; k < n; k++) worst[k] = 0;
    for (size_t s = 0; s < count && left > 0; s++) {
        uint32_t k = list[s].source;
        double further = ts->distance[k * (size_t)n + list[s].to] - ts->distance[k * (size_t)n + list[s].from];
        if (further * ts->p0[k] <= left) {
            left -= further * ts->p0[k];
            at[k] = list[s].to;
            continue;
        }
        /* The part that the budget pays for moves on; it is entered here, and what stays with the others below. */
        double moved = left / further;
        worst[list[s].to] += moved;
        worst[list[s].from] -= moved;
        left = 0;
    }
    for (uint32_t k = 0; k < n; k++) worst[at[k]] += ts->p0[k];
    for (uint32_t k = 0; k < n; k++) worst[k] = fmax(worst[k], 0); /* -1e-17 where a whole scenario's mass left */
}

mgc_status mgc__wasserstein_worst(const mgc_twostage *ts, const double *cost, double *worst)
{
    size_t n = ts->scenarios;
    point *points = mgc__alloc(ts->ctx, n, sizeof *points);
    stretch *list = mgc__alloc(ts->ctx, n * n, sizeof *list);
    uint32_t *at = mgc__alloc(ts->ctx, n, sizeof *at);
    mgc_status st = MGC_OK;

    if (points == NULL || list == NULL || at == NULL) {
        st = mgc__no_memory(ts->ctx, "the oracle of a Wasserstein ball");
    } else {
        size_t count = all_stretches(ts, cost, points, list, at);
        qsort(list, count, sizeof *list, steeper);
        spend(ts, list, count, at, worst);
    }
    mgc__free(ts->ctx, points);
    mgc__free(ts->ctx, list);
    mgc__free(ts->ctx, at);
    return st;
}

/* --- plans ------------------------------------------------------------------------------------------------------- */

void mgc__wasserstein_take_plan(const mgc_twostage *ts, double *plan, double *p)
{
    size_t n = ts->scenarios;
    double spent = 0;

    for (size_t k = 0; k < n; k++) {
        double sum = 0;
        for (size_t l = 0; l < n; l++) {
            plan[k * n + l] = fmax(plan[k * n + l], 0);
            sum += plan[k * n + l];
        }
        for (size_t l = 0; l < n; l++)
            plan[k * n + l] = sum > 0 ? plan[k * n + l] * (ts->p0[k] / sum) : l == k ? ts->p0[k] : 0;
        for (size_t l = 0; l < n; l++) spent += plan[k * n + l] * ts->distance[k * n + l];
    }
    double share = spent > ts->wasserstein ? ts->wasserstein / spent : 1; /* the rest stays at home */
    for (size_t l = 0; l < n; l++) p[l] = (1 - share) * ts->p0[l];
    for (size_t k = 0; k < n; k++)
        for (size_t l = 0; l < n; l++) p[l] += share * plan[k * n + l];
}

/* --- the intersection with transfers ----------------------------------------------------------------------------- */

/* maximise cost'p over plans within the radius and transfers within theirs: columns plan (k K + l), then up, then down. */
static mgc_status add_mixed_columns(const mgc_twostage *ts, const mgc__transfer *t, const double *cost, mgc_program *lp)
{
    uint32_t n = ts->scenarios;
    mgc_status st = MGC_OK;

    for (uint32_t e = 0; e < n * n && st == MGC_OK; e++)
        st = mgc_program_add_column(lp, -cost[e % n], 0, INFINITY, NULL);
    for (uint32_t k = 0; k < n && st == MGC_OK; k++) st = mgc_program_add_column(lp, 0, 0, t->nominal ? 0 : t->up[k], NULL);
    for (uint32_t k = 0; k < n && st == MGC_OK; k++) st = mgc_program_add_column(lp, 0, 0, t->nominal ? 0 : t->down[k], NULL);
    return st;
}

static mgc_status add_mixed_rows(const mgc_twostage *ts, const mgc__transfer *t, uint32_t *columns, double *values,
                                 mgc_program *lp)
{
    uint32_t n = ts->scenarios, up = n * n, down = n * n + n;
    mgc_status st = MGC_OK;

    for (uint32_t k = 0; k < n && st == MGC_OK; k++) { /* sum_l plan_kl = p0_k */
        for (uint32_t l = 0; l < n; l++) {
            columns[l] = k * n + l;
            values[l] = 1;
        }
        st = mgc_program_add_row(lp, ts->p0[k], ts->p0[k], columns, values, n, NULL);
    }
    for (uint32_t l = 0; l < n && st == MGC_OK; l++) { /* sum_k plan_kl - up_l + down_l = p0_l */
        for (uint32_t k = 0; k < n; k++) columns[k] = k * n + l;
        columns[n] = up + l;
        values[n] = -1;
        columns[n + 1] = down + l;
        values[n + 1] = 1;
        st = mgc_program_add_row(lp, ts->p0[l], ts->p0[l], columns, values, n + 2, NULL);
    }
    for (uint32_t e = 0; e < n * n; e++) columns[e] = e;
    if (st == MGC_OK) st = mgc_program_add_row(lp, -INFINITY, ts->wasserstein, columns, ts->distance, (size_t)n * n, NULL);
    for (uint32_t k = 0; k < n; k++) columns[k] = up + k;
    for (uint32_t k = 0; k < n; k++) values[k] = 1;
    if (st == MGC_OK && t->budget < INFINITY) st = mgc_program_add_row(lp, -INFINITY, t->budget, columns, values, n, NULL);
    return st;
}

static mgc_status build_mixed(const mgc_twostage *ts, const double *cost, mgc_program *lp)
{
    size_t room = (size_t)ts->scenarios * ts->scenarios + 2;
    uint32_t *columns = mgc__alloc(ts->ctx, room, sizeof *columns);
    double *values = mgc__alloc(ts->ctx, room, sizeof *values);
    mgc__transfer t;
    mgc_status st = columns == NULL || values == NULL ? mgc__no_memory(ts->ctx, "the oracle of two sets") : MGC_OK;

    mgc__ts_transfer(ts, &t);
    if (st == MGC_OK) st = add_mixed_columns(ts, &t, cost, lp);
    if (st == MGC_OK) st = add_mixed_rows(ts, &t, columns, values, lp);
    mgc__free(ts->ctx, columns);
    mgc__free(ts->ctx, values);
    return st;
}

/* Caps that are missed by rounding: what comes in beyond one goes home again, where distance is 0.  Caps may be 0, so that
 * drawing p towards p0 alone could undo everything. */
static void send_home(const mgc_twostage *ts, double *plan)
{
    size_t n = ts->scenarios;
    mgc__transfer t;

    mgc__ts_transfer(ts, &t);
    for (size_t l = 0; l < n && t.capped && !t.nominal; l++) {
        double coming = 0, over = plan[l * n + l] - ts->p0[l] - t.up[l];
        for (size_t k = 0; k < n; k++) coming += k != l ? fmax(plan[k * n + l], 0) : 0;
        over += coming;
        if (!(over > 0) || !(coming > 0)) continue;
        for (size_t k = 0; k < n; k++) {
            double back = k != l ? fmin(over / coming, 1) * fmax(plan[k * n + l], 0) : 0;
            plan[k * n + l] -= back;
            plan[k * n + k] += back;
        }
    }
}

/* No greedy order serves both budgets: a linear program over the plan, its answer drawn into the set. */
mgc_status mgc__mixed_worst(const mgc_twostage *ts, const double *cost, double *worst)
{
    size_t n = ts->scenarios, columns = n * n + 2 * n;
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program_opts o;
    mgc_program *lp = NULL;
    double *x = mgc__alloc(ts->ctx, columns, sizeof *x), most = 0;
    double *scaled = mgc__alloc(ts->ctx, n, sizeof *scaled);
    mgc_status st = x == NULL || scaled == NULL ? mgc__no_memory(ts->ctx, "the oracle of two sets")
                                                : mgc_program_create(ts->ctx, &lp);

    for (size_t k = 0; k < n; k++) most = fmax(most, fabs(cost[k]));
    for (size_t k = 0; k < n && st == MGC_OK; k++) scaled[k] = most > 0 ? cost[k] / most : 0;
    if (st == MGC_OK) st = build_mixed(ts, scaled, lp);
    mgc_program_opts_init(&o, sizeof o);
    o.tolerance = 1e-10;
    if (st == MGC_OK) st = mgc_program_solve(lp, &o, &info);
    if (st == MGC_OK && mgc_program_get_x(lp, x, columns) != MGC_OK)
        st = mgc__fail(ts->ctx, MGC_E_NUMERIC, "robust: the oracle of the intersected sets ended as %s",
                       mgc_outcome_name(info.outcome));
    if (st == MGC_OK) {
        for (int pass = 0; pass < 3; pass++) send_home(ts, x);
        mgc__wasserstein_take_plan(ts, x, worst);
        double step = mgc__ts_transfer_step(ts, worst);
        for (size_t k = 0; k < n; k++) worst[k] = fmax(ts->p0[k] + step * (worst[k] - ts->p0[k]), 0);
    }
    mgc_program_destroy(lp);
    mgc__free(ts->ctx, x);
    mgc__free(ts->ctx, scaled);
    return st;
}

/* --- moving one distribution to another -------------------------------------------------------------------------- */

typedef struct transport {
    uint32_t n;
    const double *distance;
    double *flow;                 /* n x n */
    double *supply, *demand;      /* n: what is left */
    double *u, *v;                /* n: potentials, distance_kl - u_k + v_l >= 0, 0 where there is flow */
    double *from_k, *to_l;        /* n: reduced length of the shortest path to source k, to sink l */
    uint32_t *before_k, *before_l; /* n: the sink before source k, the source before sink l; UINT32_MAX: a start */
    uint32_t *done;               /* n: bit 1 source, bit 2 sink */
} transport;

/* Dijkstra over the dense bipartite graph from all sources with supply; the nearest sink with demand, or n. */
static uint32_t nearest_demand(transport *t)
{
    uint32_t n = t->n;

    for (uint32_t k = 0; k < n; k++) {
        t->from_k[k] = t->supply[k] > 0 ? 0 : INFINITY;
        t->to_l[k] = INFINITY;
        t->before_k[k] = t->before_l[k] = UINT32_MAX;
        t->done[k] = 0;
    }
    for (;;) {
        uint32_t best = UINT32_MAX;
        bool sink = false;
        double least = INFINITY;
        for (uint32_t k = 0; k < n; k++) {
            bool source_nearer = !(t->done[k] & 1) && t->from_k[k] < least;
            if (source_nearer) least = t->from_k[k];
            bool sink_nearer = !(t->done[k] & 2) && t->to_l[k] < least;
            if (sink_nearer) least = t->to_l[k];
            if (source_nearer || sink_nearer) best = k;
            if (source_nearer || sink_nearer) sink = sink_nearer;
        }
        if (best == UINT32_MAX) return n;
        t->done[best] |= sink ? 2 : 1;
        if (sink && t->demand[best] > 0) return best;
        for (uint32_t o = 0; o < n; o++) {
            double length = sink ? 0 : fmax(t->distance[best * (size_t)n + o] - t->u[best] + t->v[o], 0);
            if (sink && t->flow[o * (size_t)n + best] > 0 && least < t->from_k[o]) {
                t->from_k[o] = least;
                t->before_k[o] = best;
            } else if (!sink && least + length < t->to_l[o]) {
                t->to_l[o] = least + length;
                t->before_l[o] = best;
            }
        }
    }
}

/* Send along the path to sink what it can take; potentials move by the lengths, which keeps all reduced costs >= 0. */
static void send(transport *t, uint32_t sink)
{
    double reach = t->to_l[sink], amount = t->demand[sink];
    uint32_t n = t->n, l = sink;

    for (;;) {
        uint32_t k = t->before_l[l];
        if (t->before_k[k] == UINT32_MAX) {
            amount = fmin(amount, t->supply[k]);
            break;
        }
        l = t->before_k[k];
        amount = fmin(amount, t->flow[k * (size_t)n + l]);
    }
    for (l = sink;;) {
        uint32_t k = t->before_l[l];
        t->flow[k * (size_t)n + l] += amount;
        if (t->before_k[k] == UINT32_MAX) {
            t->supply[k] -= amount;
            break;
        }
        l = t->before_k[k];
        t->flow[k * (size_t)n + l] -= amount;
    }
    t->demand[sink] -= amount;
    for (uint32_t k = 0; k < n; k++) {
        t->u[k] -= fmin(t->from_k[k], reach);
        t->v[k] -= fmin(t->to_l[k], reach);
    }
}

double mgc__transport(uint32_t n, const double *distance, const double *p, const double *q, double *work,
                      uint32_t *index_work)
{
    transport t = {.n = n, .distance = distance, .flow = work, .before_k = index_work, .before_l = index_work + n,
                   .done = index_work + 2 * (size_t)n};
    double *at = work + (size_t)n * n, cost = 0;

    t.supply = at;
    t.demand = at + n;
    t.u = at + 2 * (size_t)n;
    t.v = at + 3 * (size_t)n;
    t.from_k = at + 4 * (size_t)n;
    t.to_l = at + 5 * (size_t)n;
    memset(t.flow, 0, (size_t)n * n * sizeof *t.flow);
    for (uint32_t k = 0; k < n; k++) {
        t.supply[k] = p[k];
        t.demand[k] = q[k];
        t.u[k] = t.v[k] = 0;
    }
    /* Each path ends a supply, a demand or a flow; sums that differ by rounding end the search. */
    for (uint64_t paths = 0; paths < 8 * (uint64_t)n * n + 8; paths++) {
        uint32_t sink = nearest_demand(&t);
        if (sink == n) break;
        send(&t, sink);
    }
    for (size_t e = 0; e < (size_t)n * n; e++) cost += t.flow[e] * distance[e];
    return cost;
}
