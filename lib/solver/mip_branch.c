/* SPDX-License-Identifier: Apache-2.0 */
/* Where to branch: doc/math/mixed-integer.md, section "Where to branch". */
#include "solver/mip_search.h"

enum { SHORTLIST = 48 }; /* columns that are looked at by propagation */

/* --- choosing a column ----------------------------------------------------------------------- */

/* FNV-1a over the integers' bounds: equal domains have equal prints. */
static uint64_t print_of(const mgc__search *q)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (uint32_t i = 0; i < q->mip->n_int; i++) {
        double bounds[2] = {q->d.lower[q->mip->ints[i]], q->d.upper[q->mip->ints[i]]};
        uint64_t bits[2];
        memcpy(bits, bounds, sizeof bits);
        h = (h ^ bits[0]) * UINT64_C(1099511628211);
        h = (h ^ (bits[1] >> 32) ^ bits[1]) * UINT64_C(1099511628211);
        h ^= h >> 29;
    }
    return h;
}

/* The node's integers, each moved into the domain if it is outside.  Returns how far they moved together. */
static double move_inside(mgc__search *q, const struct mgc__node *node)
{
    const mgc__domain *d = &q->d;
    double sum = 0.0;

    for (uint32_t i = 0; i < q->mip->n_int; i++) {
        uint32_t j = q->mip->ints[i];
        q->moved[j] = fmin(fmax(node->x[i], d->lower[j]), d->upper[j]);
        sum += fabs(q->moved[j] - node->x[i]);
    }
    return sum;
}

/* What the node's solution must change, and pay, if the candidate goes down (side 0) or up (side 1).  now: what the
 * followers cost in the node. */
static void look_at_child(mgc__search *q, const struct mgc__node *node, struct mgc__candidate *c, int side,
                          double now)
{
    mgc__domain *d = &q->d;
    uint32_t j = q->mip->ints[c->k];
    size_t mark = d->n_trail;
    double cut = floor(fmin(fmax(node->x[c->k], d->lower[j]), d->upper[j] - 1e-9));

    c->possible[side] =
        (side == 0 ? mgc__domain_set(d, j, -INFINITY, cut) : mgc__domain_set(d, j, cut + 1.0, INFINITY)) &&
        mgc__domain_propagate(d);
    if (c->possible[side]) {
        c->distance[side] = move_inside(q, node);
        c->cost[side] = fmax(mgc__followers_cost(&q->followers, q->mip, q->moved) - now, 0.0);
        c->print[side] = print_of(q);
    }
    mgc__domain_undo(d, mark);
}

static double expected_gain(const mgc__search *q, const struct mgc__candidate *c, int side)
{
    const struct mgc__gain *g = &q->gain[c->k];
    double rate = g->count[side] > 0 ? g->sum[side] / g->count[side]
                  : q->all_count > 0 ? q->all_gain / q->all_count
                                     : 1.0;

    return fmax(rate, 1e-9) * fmax(c->distance[side], 1e-6) + c->cost[side];
}

/* The product rule (Achterberg, Koch and Martin 2005). */
static double product(double down, double up)
{
    return fmax(down, 1e-12) * fmax(up, 1e-12);
}

/* Columns by fractionality times weight, most first, at most SHORTLIST: without the weight, columns that cost nothing
 * and that an interior solution leaves in the middle would crowd out the others.  Free ones that happen to be
 * integral only if none is fractional. */
static size_t shortlist(const mgc__search *q, const struct mgc__node *node, uint32_t list[SHORTLIST])
{
    const mgc__mip *mip = q->mip;
    double key[SHORTLIST];
    size_t n = 0;

    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        double lower = q->d.lower[j], upper = q->d.upper[j], x = fmin(fmax(node->x[k], lower), upper);
        if (lower == upper) continue;
        double f = fmin(x - floor(x), ceil(x) - x);
        f = f < MIP_INTEGRAL ? 0.0 : f * node->weight[k];
        if (n == SHORTLIST && f <= key[n - 1]) continue;
        size_t at = n < SHORTLIST ? n++ : n - 1;
        while (at > 0 && key[at - 1] < f) {
            key[at] = key[at - 1];
            list[at] = list[at - 1];
            at--;
        }
        key[at] = f;
        list[at] = k;
    }
    size_t fractional = 0;
    while (fractional < n && key[fractional] > 0.0) fractional++;
    return fractional > 0 ? fractional : n;
}

/* The `most` best columns to branch on.  *tightened: propagation alone excluded a side of some column, which is now
 * part of the domain; *dead: of both. */
size_t mgc__choose(mgc__search *q, const struct mgc__node *node, size_t most,
                   struct mgc__candidate best[CANDIDATES_MAX], bool *tightened, bool *dead)
{
    uint32_t list[SHORTLIST];
    size_t count = shortlist(q, node, list), n = 0;

    move_inside(q, node);
    double now = mgc__followers_cost(&q->followers, q->mip, q->moved);
    *tightened = *dead = false;
    for (size_t i = 0; i < count; i++) {
        struct mgc__candidate c = {.k = list[i]};
        uint32_t j = q->mip->ints[c.k];
        if (q->d.lower[j] == q->d.upper[j]) continue;
        for (int side = 0; side < 2; side++) look_at_child(q, node, &c, side, now);
        if (!c.possible[0] || !c.possible[1]) {
            double cut = floor(fmin(fmax(node->x[c.k], q->d.lower[j]), q->d.upper[j] - 1e-9));
            *tightened = true;
            *dead = !c.possible[0] && !c.possible[1];
            if (*dead) return 0;
            *dead = !((c.possible[0] ? mgc__domain_set(&q->d, j, -INFINITY, cut)
                                     : mgc__domain_set(&q->d, j, cut + 1.0, INFINITY)) &&
                      mgc__domain_propagate(&q->d));
            if (*dead) return 0;
            continue;
        }
        c.score = product(expected_gain(q, &c, 0), expected_gain(q, &c, 1));
        bool same = false; /* columns that imply each other branch alike */
        for (size_t b = 0; b < n; b++)
            same |= (best[b].print[0] == c.print[0] && best[b].print[1] == c.print[1]) ||
                    (best[b].print[0] == c.print[1] && best[b].print[1] == c.print[0]);
        if (same || (n == most && c.score <= best[n - 1].score)) continue;
        size_t at = n < most ? n++ : n - 1;
        while (at > 0 && best[at - 1].score < c.score) best[at] = best[at - 1], at--;
        best[at] = c;
    }
    return n;
}

/* --- what branching brought ------------------------------------------------------------------ */

void mgc__learn(mgc__search *q, const struct mgc__candidate *c, const mgc__relaxation pair[2], double bound)
{
    for (int side = 0; side < 2; side++) {
        if (!isfinite(pair[side].bound) || !(c->distance[side] > 1e-6)) continue;
        double rate = fmax(pair[side].bound - bound, 0.0) / c->distance[side];
        q->gain[c->k].sum[side] += rate;
        q->gain[c->k].count[side]++;
        q->all_gain += rate;
        q->all_count++;
    }
}

/* Of several candidates: one with a closed side first (the other side is all that is left), else the best product. */
size_t mgc__pick(const mgc__search *q, size_t n, double bound)
{
    size_t best = 0;
    double best_score = -1.0;

    for (size_t i = 0; i < n; i++) {
        const mgc__relaxation *r = &q->r[2 * i];
        double down = fmax(r[0].bound, bound) - bound, up = fmax(r[1].bound, bound) - bound;
        double big = 1e6 * (1.0 + fabs(bound));
        double score =
            product(fmin(mgc__search_closed(q->mip, &r[0]) ? big : down, big),
                    fmin(mgc__search_closed(q->mip, &r[1]) ? big : up, big));
        if (score > best_score) {
            best_score = score;
            best = i;
        }
    }
    return best;
}
