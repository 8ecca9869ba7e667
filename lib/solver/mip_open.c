/* SPDX-License-Identifier: Apache-2.0 */
/* Open nodes: their order, and how relaxations become nodes. */
#include "solver/mip_search.h"

/* A plunge goes on while the child's bound is within this part of the way from the smallest bound to the cutoff.
 * From 0 to 0.5 days of hours need the same iterations; days of quarters need a fifth less from 0.25 on. */
#define PLUNGE_SHARE 0.25
enum { PLUNGE_MAX = 40 }; /* steps of a plunge */

/* --- objective, gap -------------------------------------------------------------------------- */

static double gap_size(const mgc__mip *mip)
{
    return mip->s->opts.gap * fmax(1.0, fabs(mip->incumbent + mip->s->p->offset));
}

double mgc__mip_cutoff(const mgc__mip *mip)
{
    if (!mip->has_incumbent) return INFINITY;
    double cutoff = mip->incumbent - fmax(gap_size(mip), 1e-9 * fmax(1.0, fabs(mip->incumbent)));
    return mip->whole_objective ? fmin(cutoff, mip->incumbent - 1.0 + 1e-6) : cutoff;
}

/* A proven bound of a subproblem, sharper where only whole values occur. */
double mgc__search_sharpen(const mgc__mip *mip, double bound)
{
    return mip->whole_objective && isfinite(bound) ? fmax(bound, ceil(bound - 1e-6)) : bound;
}

double mgc__search_bound(const mgc__search *q)
{
    double bound = fmin(q->closed_bound, q->mip->excluded);

    for (size_t i = 0; i < q->open; i++) bound = fmin(bound, q->heap[i]->bound);
    return fmin(bound, q->mip->has_incumbent ? q->mip->incumbent : INFINITY);
}

/* Whether the subproblem of a relaxation is done with. */
bool mgc__search_closed(const mgc__mip *mip, const mgc__relaxation *r)
{
    return mgc__search_sharpen(mip, r->bound) > mgc__mip_cutoff(mip);
}

/* --- heap of open nodes, smallest bound first ------------------------------------------------ */

static bool before(const struct mgc__node *a, const struct mgc__node *b)
{
    return a->bound < b->bound || (a->bound == b->bound && a->order < b->order);
}

void mgc__node_free(mgc_ctx *ctx, struct mgc__node *node)
{
    if (node == NULL) return;
    mgc__free(ctx, node->lower);
    mgc__free(ctx, node);
}

static mgc_status push(mgc__search *q, struct mgc__node *node)
{
    void *heap = q->heap;
    bool ok = mgc__grow(q->mip->ctx, &heap, &q->heap_cap, q->open + 1, sizeof *q->heap);

    q->heap = heap;
    if (!ok) {
        mgc__node_free(q->mip->ctx, node);
        return mgc__no_memory(q->mip->ctx, "open nodes");
    }
    size_t at = q->open++;
    while (at > 0 && before(node, q->heap[(at - 1) / 2])) {
        q->heap[at] = q->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    q->heap[at] = node;
    return MGC_OK;
}

/* Take a node out of the heap; what moves into its place goes up or down. */
static struct mgc__node *take(mgc__search *q, size_t at)
{
    struct mgc__node *taken = q->heap[at], *last = q->heap[--q->open];

    if (at == q->open) return taken;
    while (at > 0 && before(last, q->heap[(at - 1) / 2])) {
        q->heap[at] = q->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= q->open) break;
        if (child + 1 < q->open && before(q->heap[child + 1], q->heap[child])) child++;
        if (!before(q->heap[child], last)) break;
        q->heap[at] = q->heap[child];
        at = child;
    }
    q->heap[at] = last;
    return taken;
}

void mgc__nodes_drop(mgc__search *q)
{
    while (q->open > 0) mgc__node_free(q->mip->ctx, q->heap[--q->open]);
}

/* Parents stay before their children but for ties, which are put in order. */
void mgc__nodes_lift(mgc__search *q, double bound)
{
    for (size_t i = 0; i < q->open; i++) {
        struct mgc__node *node = q->heap[i];
        size_t at = i;
        node->bound = fmax(node->bound, bound);
        for (; at > 0 && before(node, q->heap[(at - 1) / 2]); at = (at - 1) / 2) q->heap[at] = q->heap[(at - 1) / 2];
        q->heap[at] = node;
    }
}

/* The next node: the better child of the last one while a plunge lasts, for incumbents are found deep down; else
 * the one of the smallest bound. */
struct mgc__node *mgc__node_next(mgc__search *q)
{
    double lowest = q->heap[0]->bound, cutoff = mgc__mip_cutoff(q->mip);
    double limit = isfinite(cutoff) ? lowest + PLUNGE_SHARE * (cutoff - lowest) : INFINITY;
    size_t best = q->open;

    for (size_t i = 0; q->plunged < PLUNGE_MAX && i < q->open; i++)
        if (q->heap[i]->order >= q->newest && q->heap[i]->bound <= limit &&
            (best == q->open || before(q->heap[i], q->heap[best])))
            best = i;
    q->plunged = best < q->open ? q->plunged + 1 : 0;
    q->newest = q->created;
    return take(q, best < q->open ? best : 0);
}

/* --- nodes from relaxations ------------------------------------------------------------------ */

/* Above this nothing is looked for: what is left out may still be better than the incumbent, by half of the gap that
 * is allowed.  Whoever leaves something out says so. */
static double fixing_cutoff(const mgc__mip *mip)
{
    double half = 0.5 * (mip->incumbent - mgc__mip_cutoff(mip));

    return mip->whole_objective ? mgc__mip_cutoff(mip) : mip->incumbent - half;
}

static void left_out(mgc__mip *mip)
{
    double cutoff = fixing_cutoff(mip);

    mip->excluded = fmin(mip->excluded, mip->whole_objective ? floor(cutoff - 1e-7) + 1.0 : cutoff);
}

/* Reduced costs z of a bound: moving x_j away from the end that z leans on costs |z_j| a unit.  Tightens bounds of
 * integers that could not pay for it (Nemhauser and Wolsey 1988, proposition II.5.2.1). */
void mgc__fix_by_cost(mgc__mip *mip, double bound, const double *z, double *lower, double *upper)
{
    double room = fixing_cutoff(mip) - bound;
    bool any = false;

    if (!(room >= 0.0) || !isfinite(room)) return;
    for (uint32_t k = 0; k < mip->n_int; k++) {
        double steps = fabs(z[k]) > 0.0 ? floor(room / fabs(z[k]) + 1e-6) : INFINITY;
        double high = z[k] > 0.0 && isfinite(lower[k]) ? lower[k] + steps : INFINITY;
        double low = z[k] < 0.0 && isfinite(upper[k]) ? upper[k] - steps : -INFINITY;
        any |= high < upper[k] || low > lower[k];
        upper[k] = fmin(upper[k], high);
        lower[k] = fmax(lower[k], low);
    }
    if (any) left_out(mip);
}

void mgc__fix_by_paths(mgc__mip *mip, const double *at, double *lower, double *upper)
{
    double cutoff = mip->has_incumbent ? fixing_cutoff(mip) : INFINITY;
    bool any = false;

    for (uint32_t k = 0; k < mip->n_int; k++)
        for (size_t value = 0; value < 2; value++) {
            double bound = at[2 * (size_t)k + value];
            if (!(bound > cutoff) && bound != INFINITY) continue;
            any |= bound < INFINITY && (value == 0 ? lower[k] < 1.0 : upper[k] > 0.0); /* there may be points */
            if (value == 0) lower[k] = fmax(lower[k], 1.0);
            else upper[k] = fmin(upper[k], 0.0);
        }
    if (any) left_out(mip);
}

static struct mgc__node *node_create(mgc__search *q, uint32_t depth, double bound)
{
    size_t n = q->mip->n_int;
    struct mgc__node *node = mgc__alloc(q->mip->ctx, 1, sizeof *node);

    if (node == NULL) return NULL;
    node->lower = mgc__alloc(q->mip->ctx, 7 * n, sizeof *node->lower);
    if (node->lower == NULL) {
        mgc__free(q->mip->ctx, node);
        return NULL;
    }
    node->upper = node->lower + n;
    node->x = node->upper + n;
    node->hint = node->x + n;
    node->weight = node->hint + n;
    node->at = node->weight + n;
    node->bound = bound;
    node->depth = depth;
    node->order = q->created++;
    return node;
}

void mgc__node_weights(const mgc__mip *mip, const mgc__relaxation *r, double *weight)
{
    double largest = 0.0;

    for (uint32_t k = 0; k < mip->n_int; k++) {
        weight[k] = r->has_point ? r->weight[k] : 1.0;
        largest = fmax(largest, weight[k]);
    }
    for (uint32_t k = 0; k < mip->n_int; k++) weight[k] = largest > 0.0 ? fmax(weight[k], 1e-4 * largest) : 1.0;
}

/* Open what a relaxation leaves to do, or close it. */
mgc_status mgc__node_open(mgc__search *q, const mgc__relaxation *r, uint32_t depth, double parent_bound)
{
    mgc__mip *mip = q->mip;
    double bound = mgc__search_sharpen(mip, fmax(r->bound, parent_bound));

    if (bound > mgc__mip_cutoff(mip)) {
        q->closed_bound = fmin(q->closed_bound, bound);
        return MGC_OK;
    }
    struct mgc__node *node = node_create(q, depth, bound);
    if (node == NULL) return mgc__no_memory(mip->ctx, "a node");
    double *z = node->x; /* for a moment */
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        node->lower[k] = r->lower[j];
        node->upper[k] = r->upper[j];
        z[k] = r->has_point ? r->z[j] : 0.0;
    }
    if (r->has_point) mgc__fix_by_cost(mip, r->dual_bound, z, node->lower, node->upper);
    memcpy(node->at, r->at, 2 * (size_t)mip->n_int * sizeof *node->at);
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        /* Without a point: the middle, or the end that is finite. */
        double low = r->lower[j], high = r->upper[j];
        double middle = isfinite(low + high) ? 0.5 * (low + high) : isfinite(low) ? low : isfinite(high) ? high : 0.0;
        node->x[k] = node->hint[k] = r->has_point ? r->x[j] : middle;
    }
    if (r->has_point) mgc__heuristic_hint(&q->h, r->x, node->hint);
    mgc__node_weights(mip, r, node->weight);
    return push(q, node);
}
