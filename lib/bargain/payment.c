/* SPDX-License-Identifier: Apache-2.0 */
/* Payments in closed form: Nash shares, contribution weights, least-norm payments between pairs.  doc/math/bargain.md, section 3.
 *
 * Money leaves this file in whole micro-currency, so that "sums to zero" is a statement about integers. */
#include <math.h>

#include "bargain/payment.h"

enum { MEMBERS_LIMIT = 100000 }; /* dense loops over members; far above any alliance */

static mgc_status check_numbers(mgc_ctx *ctx, const char *what, const double *x, size_t n, double lower)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]) || x[i] < lower || fabs(x[i]) > MGC__MONEY_MAX)
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: %s of member %zu is %g; must be finite, %g..%g", what, i, x[i],
                             fmax(lower, -MGC__MONEY_MAX), MGC__MONEY_MAX);
    return MGC_OK;
}

static double sum(const double *x, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++) total += x[i];
    return total;
}

/* --- Nash payments ------------------------------------------------------------------------------------------------ */

typedef struct leftover {
    double fraction;
    size_t index;
} leftover;

static int larger_fraction_first(const void *a, const void *b)
{
    const leftover *x = a, *y = b;

    if (x->fraction != y->fraction) return x->fraction > y->fraction ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

/* Whole micro-currency that sums to zero: floors, then one unit more for the largest remainders, ties to the lower index. */
static void round_to_zero_sum(double *x, size_t n, leftover *order)
{
    int64_t total = 0;

    for (size_t i = 0; i < n; i++) {
        double scaled = x[i] * MGC__MICRO, below = floor(scaled);
        order[i] = (leftover){scaled - below, i};
        total += (int64_t)below;
        x[i] = below;
    }
    qsort(order, n, sizeof *order, larger_fraction_first);
    for (size_t i = 0; total != 0; i = (i + 1) % n) {
        /* total < 0 as a rule; > 0 only where the reals did not quite sum to zero: then taken back from the smallest */
        size_t who = total < 0 ? order[i].index : order[n - 1 - i].index;
        x[who] += total < 0 ? 1 : -1;
        total += total < 0 ? 1 : -1;
    }
    for (size_t i = 0; i < n; i++) x[i] /= MGC__MICRO;
}

mgc_status mgc_nash_payments(mgc_ctx *ctx, const double *standalone, const double *cost, const double *weight, size_t n,
                             double *payment)
{
    double surplus = 0, size = 0, weights = 0;
    leftover *order;
    mgc_status st;

    if (ctx == NULL || standalone == NULL || cost == NULL || payment == NULL || n == 0) return MGC_E_INVALID_ARG;
    if (n > MEMBERS_LIMIT)
        return mgc__fail(ctx, MGC_E_LIMIT, "bargain: %zu members; at most %d", n, MEMBERS_LIMIT);
    if ((st = check_numbers(ctx, "stand-alone cost", standalone, n, -INFINITY)) != MGC_OK ||
        (st = check_numbers(ctx, "cost", cost, n, -INFINITY)) != MGC_OK ||
        (weight != NULL && (st = check_numbers(ctx, "weight", weight, n, 0)) != MGC_OK))
        return st;
    for (size_t i = 0; i < n; i++) {
        surplus += standalone[i] - cost[i];
        size += fabs(standalone[i]) + fabs(cost[i]);
    }
    /* Rounding of the two sums is not a loss. */
    if (surplus < -1e-6 - 1e-9 * size)
        return mgc__fail(ctx, MGC_E_RANGE, "bargain: the surplus is %g; must be >= 0 for members to agree", surplus);
    if (weight != NULL) weights = sum(weight, n);
    order = mgc__alloc(ctx, n, sizeof *order);
    if (order == NULL) return mgc__no_memory(ctx, "bargain: payments");
    for (size_t i = 0; i < n; i++) {
        double share = weights > 0 ? weight[i] / weights : 1.0 / (double)n;
        payment[i] = standalone[i] - cost[i] - share * surplus;
    }
    round_to_zero_sum(payment, n, order);
    mgc__free(ctx, order);
    return MGC_OK;
}

mgc_status mgc_contribution_weights(mgc_ctx *ctx, const double *supplied_kwh, const double *received_kwh, size_t n, double *weight)
{
    double most_supplied = 0, most_received = 0;
    mgc_status st;

    if (ctx == NULL || supplied_kwh == NULL || received_kwh == NULL || weight == NULL) return MGC_E_INVALID_ARG;
    if ((st = check_numbers(ctx, "supplied energy", supplied_kwh, n, 0)) != MGC_OK ||
        (st = check_numbers(ctx, "received energy", received_kwh, n, 0)) != MGC_OK)
        return st;
    for (size_t i = 0; i < n; i++) {
        most_supplied = fmax(most_supplied, supplied_kwh[i]);
        most_received = fmax(most_received, received_kwh[i]);
    }
    for (size_t i = 0; i < n; i++)
        weight[i] = mgc__contribution(supplied_kwh[i], most_supplied, received_kwh[i], most_received);
    return MGC_OK;
}

double mgc__contribution(double supplied, double most_supplied, double received, double most_received)
{
    return exp(most_supplied > 0 ? supplied / most_supplied : 0) - exp(most_received > 0 ? -received / most_received : 0);
}

/* --- pairs ------------------------------------------------------------------------------------------------------------ */

/* Members and pairs as a graph; flow[p] runs from first[p] to second[p]. */
typedef struct graph {
    size_t n, pairs;
    const uint32_t *first, *second;
    uint32_t *group;  /* [n] smallest member that pairs connect it with */
    double *degree;   /* [n] */
    double *work;     /* [4 n] of the conjugate gradients */
    double *potential;/* [n] */
    int64_t *need;    /* [n] micro-currency still to be paid */
} graph;

static void graph_free(mgc_ctx *ctx, graph *g)
{
    mgc__free(ctx, g->group);
    mgc__free(ctx, g->degree);
    mgc__free(ctx, g->work);
    mgc__free(ctx, g->potential);
    mgc__free(ctx, g->need);
}

static mgc_status graph_make(mgc_ctx *ctx, graph *g)
{
    g->group = mgc__alloc(ctx, g->n, sizeof *g->group);
    g->degree = mgc__alloc(ctx, g->n, sizeof *g->degree);
    g->work = mgc__alloc(ctx, 4 * g->n, sizeof *g->work);
    g->potential = mgc__alloc(ctx, g->n, sizeof *g->potential);
    g->need = mgc__alloc(ctx, g->n, sizeof *g->need);
    if (g->group == NULL || g->degree == NULL || g->work == NULL || g->potential == NULL || g->need == NULL)
        return mgc__no_memory(ctx, "bargain: payments between pairs");
    for (size_t p = 0; p < g->pairs; p++) {
        g->degree[g->first[p]] += 1;
        g->degree[g->second[p]] += 1;
    }
    mgc__groups(g->n, g->first, g->second, g->pairs, g->group);
    return MGC_OK;
}

void mgc__groups(size_t n, const uint32_t *first, const uint32_t *second, size_t pairs, uint32_t *group)
{
    bool changed = true;

    for (size_t i = 0; i < n; i++) group[i] = (uint32_t)i;
    while (changed) { /* at most n sweeps: labels only fall */
        changed = false;
        for (size_t p = 0; p < pairs; p++) {
            uint32_t low = group[first[p]] < group[second[p]] ? group[first[p]] : group[second[p]];
            changed |= group[first[p]] != low || group[second[p]] != low;
            group[first[p]] = group[second[p]] = low;
        }
    }
}

/* out = L x, the graph's Laplacian. */
static void laplacian(const graph *g, const double *x, double *out)
{
    for (size_t i = 0; i < g->n; i++) out[i] = g->degree[i] * x[i];
    for (size_t p = 0; p < g->pairs; p++) {
        out[g->first[p]] -= x[g->second[p]];
        out[g->second[p]] -= x[g->first[p]];
    }
}

static double dot(const double *a, const double *b, size_t n)
{
    double total = 0;
    for (size_t i = 0; i < n; i++) total += a[i] * b[i];
    return total;
}

/* Potentials phi with L phi = payment: the least-norm flow is then phi_first - phi_second (normal equations of
 * min |z|^2 subject to Bz = payment).  Conjugate gradients, exact after n steps but for rounding (Hestenes and Stiefel 1952). */
static void potentials(graph *g, const double *payment)
{
    double *r = g->work, *d = r + g->n, *ld = d + g->n, old;
    double goal = 1e-30 * dot(payment, payment, g->n);

    memcpy(r, payment, g->n * sizeof *r);
    memcpy(d, payment, g->n * sizeof *d);
    old = dot(r, r, g->n);
    for (size_t step = 0; step < 4 * g->n + 20 && old > goal; step++) {
        double curvature, alpha, fresh;

        laplacian(g, d, ld);
        curvature = dot(d, ld, g->n);
        if (!(curvature > 0)) break;
        alpha = old / curvature;
        for (size_t i = 0; i < g->n; i++) {
            g->potential[i] += alpha * d[i];
            r[i] -= alpha * ld[i];
        }
        fresh = dot(r, r, g->n);
        for (size_t i = 0; i < g->n; i++) d[i] = r[i] + fresh / old * d[i];
        old = fresh;
    }
}

/* Send what rounding left over along a spanning tree of each group, leaves first, so that members' sums are exact.
 * parent[i] is the pair that leads from i towards its group's smallest member. */
static mgc_status route_remainders(mgc_ctx *ctx, graph *g, int64_t *flow)
{
    size_t *order = mgc__alloc(ctx, g->n, sizeof *order), *parent = mgc__alloc(ctx, g->n, sizeof *parent), found = 0;
    bool *seen = mgc__alloc(ctx, g->n, sizeof *seen), grown = true;
    mgc_status st = MGC_OK;

    if (order == NULL || parent == NULL || seen == NULL) {
        st = mgc__no_memory(ctx, "bargain: payments between pairs");
        goto done;
    }
    for (size_t i = 0; i < g->n; i++)
        if (g->group[i] == i) {
            seen[i] = true;
            parent[i] = SIZE_MAX;
            order[found++] = i;
        }
    while (grown) {
        grown = false;
        for (size_t p = 0; p < g->pairs; p++) {
            size_t a = g->first[p], b = g->second[p], fresh = seen[a] ? b : a;
            if (seen[a] == seen[b]) continue;
            seen[fresh] = true;
            parent[fresh] = p;
            order[found++] = fresh;
            grown = true;
        }
    }
    for (size_t k = found; k-- > 0;) {
        size_t i = order[k], p = parent[i], other;
        if (p == SIZE_MAX || g->need[i] == 0) continue;
        other = g->first[p] == i ? g->second[p] : g->first[p];
        flow[p] += g->first[p] == i ? g->need[i] : -g->need[i];
        g->need[other] += g->need[i]; /* what i pays more, the other receives and pays on */
        g->need[i] = 0;
    }
done:
    mgc__free(ctx, order);
    mgc__free(ctx, parent);
    mgc__free(ctx, seen);
    return st;
}

static mgc_status check_pairs(mgc_ctx *ctx, const uint32_t *first, const uint32_t *second, size_t pairs, size_t n)
{
    for (size_t p = 0; p < pairs; p++)
        if (first[p] >= n || second[p] >= n || first[p] == second[p])
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: pair %zu joins members %u and %u; must be two of 0..%zu", p, first[p],
                             second[p], n - 1);
    return MGC_OK;
}

/* Each group must balance by itself, since no payment crosses between groups. */
static mgc_status check_balance(mgc_ctx *ctx, graph *g, const double *payment)
{
    for (size_t i = 0; i < g->n; i++) {
        g->need[i] = (int64_t)llround(payment[i] * MGC__MICRO);
        if (g->group[i] != i) continue;
        double total = 0;
        for (size_t j = i; j < g->n; j++)
            if (g->group[j] == i) total += payment[j];
        if (fabs(total) > 1e-6 * (double)g->n)
            return mgc__fail(ctx, MGC_E_INVALID_ARG,
                             "bargain: payments of member %zu and those that pairs connect it with sum to %g; must be 0", i, total);
    }
    return MGC_OK;
}

mgc_status mgc_pair_payments(mgc_ctx *ctx, const double *payment, size_t n, const uint32_t *first, const uint32_t *second,
                             size_t pairs, double *pair_payment)
{
    graph g = {.n = n, .pairs = pairs, .first = first, .second = second};
    int64_t *flow = NULL;
    mgc_status st;

    if (ctx == NULL || payment == NULL || n == 0) return MGC_E_INVALID_ARG;
    if (pairs > 0 && (first == NULL || second == NULL || pair_payment == NULL)) return MGC_E_INVALID_ARG;
    if (n > MEMBERS_LIMIT)
        return mgc__fail(ctx, MGC_E_LIMIT, "bargain: %zu members; at most %d", n, MEMBERS_LIMIT);
    if ((st = check_numbers(ctx, "payment", payment, n, -INFINITY)) != MGC_OK) return st;
    if ((st = check_pairs(ctx, first, second, pairs, n)) != MGC_OK) return st;
    if ((st = graph_make(ctx, &g)) != MGC_OK) goto done;
    if ((st = check_balance(ctx, &g, payment)) != MGC_OK) goto done;
    flow = mgc__alloc(ctx, pairs, sizeof *flow);
    if (flow == NULL) {
        st = mgc__no_memory(ctx, "bargain: payments between pairs");
        goto done;
    }
    potentials(&g, payment);
    for (size_t p = 0; p < pairs; p++) {
        flow[p] = (int64_t)llround((g.potential[first[p]] - g.potential[second[p]]) * MGC__MICRO);
        g.need[first[p]] -= flow[p];
        g.need[second[p]] += flow[p];
    }
    if ((st = route_remainders(ctx, &g, flow)) != MGC_OK) goto done;
    for (size_t p = 0; p < pairs; p++) pair_payment[p] = (double)flow[p] / MGC__MICRO;
done:
    mgc__free(ctx, flow);
    graph_free(ctx, &g);
    return st;
}
