/* SPDX-License-Identifier: Apache-2.0 */
/* What multipliers prove about schedules: rows that paths obey need no multipliers, the others are priced, and the
 * cheapest path through each decision bounds every point that decides so: doc/math/mixed-integer.md, (5). */
#include "solver/mip_schedule.h"

size_t mgc__schedules_room(const mgc__schedules *s)
{
    return s == NULL ? 0 : TERM_TABLE * s->n_groups + 2 * s->most_nodes + s->most_arcs + s->mip->n_int;
}

/* Reduced cost without the rows that paths obey. */
static double loose_cost(const mgc__schedules *s, const double *y, const double *z, uint32_t j)
{
    const mgc__csc *a = &s->mip->a;
    double cost = z[j];

    for (uint32_t e = a->start[j]; e < a->start[j + 1]; e++)
        if (s->kept[a->row[e]]) cost += a->value[e] * y[a->row[e]];
    return cost;
}

static double least(double cost, double lower, double upper)
{
    return cost == 0.0 ? 0.0 : cost * (cost > 0.0 ? lower : upper);
}

/* What the terms cost at least, added up into the tables of their groups.  Returns what bound (1) counts for them. */
static double price_terms(const mgc__schedules *s, const mgc__qp *qp, const double *y, const double *z, double *table)
{
    double counted = 0.0;

    for (size_t i = 0; i < TERM_TABLE * s->n_groups; i++) table[i] = 0.0;
    for (size_t i = 0; i < s->n_terms; i++) {
        const struct mgc__term *t = &s->term[i];
        uint32_t j = t->column;
        if (s->term_of[j] == UINT32_MAX) continue;
        double cost = loose_cost(s, y, z, j), *own = table + TERM_TABLE * t->group;
        counted += least(z[j], qp->lower[j], qp->upper[j]);
        for (uint32_t bits = 0; bits < 1u << s->group[t->group].ints; bits++) {
            double low = fmax(t->low[bits], qp->lower[j]), high = fmin(t->high[bits], qp->upper[j]);
            bool none = low > high + MIP_CROSSED * (1.0 + fabs(low));
            own[bits] += none ? INFINITY : fmin(least(cost, low, high), least(cost, low, fmax(low, high)));
        }
    }
    return counted;
}

/* The cheapest paths from the start to each node and from each node to the end. */
static double shortest(const struct mgc__chain *c, const double *cost, double *from, double *to)
{
    size_t at = 0, total = 0;

    for (uint32_t p = 0; p <= c->n; p++) total += c->nodes[p];
    for (size_t i = 0; i < total; i++) from[i] = to[i] = INFINITY;
    from[0] = 0.0;
    for (uint32_t p = 0; p < c->n; at += c->nodes[p], p++)
        for (uint32_t e = c->arc_start[p]; e < c->arc_start[p + 1]; e++) {
            double *next = &from[at + c->nodes[p] + c->arc[e].to];
            *next = fmin(*next, from[at + c->arc[e].from] + cost[e]);
        }
    double best = INFINITY;
    for (uint32_t i = 0; i < c->nodes[c->n]; i++) {
        best = fmin(best, from[at + i]);
        to[at + i] = 0.0;
    }
    for (uint32_t p = c->n; p-- > 0;) {
        at -= c->nodes[p];
        for (uint32_t e = c->arc_start[p]; e < c->arc_start[p + 1]; e++) {
            double *here = &to[at + c->arc[e].from];
            *here = fmin(*here, to[at + c->nodes[p] + c->arc[e].to] + cost[e]);
        }
    }
    return best;
}

/* What each arc costs: the integer, and the terms whose last integer it decides. */
static void price_arcs(const mgc__schedules *s, const struct mgc__chain *c, const double *table, const double *own,
                       const double *lower, const double *upper, double *cost)
{
    for (uint32_t p = 0; p < c->n; p++) {
        uint32_t k = c->k[p], j = s->mip->ints[k], groups = c->group_start[p + 1] - c->group_start[p];
        size_t at = c->index_start[p]; /* a chain without groups has no index */
        for (uint32_t e = c->arc_start[p]; e < c->arc_start[p + 1]; e++, at += groups) {
            double bit = c->arc[e].bit;
            cost[e] = bit < lower[j] || bit > upper[j] ? INFINITY : bit * own[k];
            for (uint32_t g = 0; g < groups; g++)
                cost[e] += table[TERM_TABLE * c->group[c->group_start[p] + g] + c->index[at + g]];
        }
    }
}

/* Cheapest path through either decision of each integer of the chain: at, 2 of each integer. */
static void cheapest_through(const struct mgc__chain *c, const double *cost, const double *from, const double *to,
                             double *at)
{
    size_t base = 0;

    for (uint32_t p = 0; p < c->n; base += c->nodes[p], p++) {
        double *pair = at + 2 * (size_t)c->k[p];
        pair[0] = pair[1] = INFINITY;
        for (uint32_t e = c->arc_start[p]; e < c->arc_start[p + 1]; e++) {
            const struct mgc__arc *a = &c->arc[e];
            double through = from[base + a->from] + cost[e] + to[base + c->nodes[p] + a->to];
            pair[a->bit] = fmin(pair[a->bit], through);
        }
    }
}

double mgc__schedules_price(const mgc__schedules *s, const mgc__qp *qp, const double *y, const double *z,
                            double bound, double *work, double *at)
{
    double *table = work, *from = table + TERM_TABLE * s->n_groups, *to = from + s->most_nodes,
           *cost = to + s->most_nodes, *own = cost + s->most_arcs, paths = 0.0;
    const mgc__mip *mip = s->mip;

    for (uint32_t k = 0; k < 2 * mip->n_int; k++) at[k] = -INFINITY;
    bound -= price_terms(s, qp, y, z, table);
    for (uint32_t i = 0; i < mip->m; i++)
        if (s->kept[i] && y[i] != 0.0) bound -= y[i] * (y[i] > 0.0 ? qp->row_lower[i] : qp->row_upper[i]);
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        if (s->chain_of[k] == NOWHERE && qp->lower[j] < qp->upper[j]) continue;
        own[k] = loose_cost(s, y, z, j);
        bound -= least(z[j], qp->lower[j], qp->upper[j]);
        if (s->chain_of[k] == NOWHERE) bound += own[k] * qp->lower[j];
    }
    if (!isfinite(bound)) return -INFINITY;
    for (size_t i = 0; i < s->n_chains; i++) {
        const struct mgc__chain *c = &s->chain[i];
        price_arcs(s, c, table, own, qp->lower, qp->upper, cost);
        double best = shortest(c, cost, from, to);
        if (best == -INFINITY || isnan(best)) return -INFINITY;
        if (best == INFINITY) return INFINITY;
        cheapest_through(c, cost, from, to, at);
        for (uint32_t p = 0; p < c->n; p++)
            for (size_t b = 0; b < 2; b++) at[2 * (size_t)c->k[p] + b] -= best; /* what it costs more */
        paths += best;
    }
    bound += paths;
    for (uint32_t k = 0; k < mip->n_int; k++)
        for (size_t b = 0; b < 2; b++) at[2 * (size_t)k + b] += s->chain_of[k] == NOWHERE ? 0.0 : bound;
    return bound;
}
