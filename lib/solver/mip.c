/* SPDX-License-Identifier: Apache-2.0 */
/* Branch and bound over interior-point relaxations (Land and Doig 1960): best bound first, incumbents by rounding
 * with propagation before and during the search.  Method and sources: doc/math/mixed-integer.md. */
#include "solver/mip.h"

enum {
    CANDIDATES_MAX = 2,   /* columns whose both children are solved before one is chosen */
    SHORTLIST = 48,       /* columns that are looked at by propagation */
    ROUND_FIRST = 5,      /* thresholds while there is no incumbent */
    FLIPS = 4,            /* relaxations of the local search after each better incumbent, at most */
    ROUND_EVERY = 8,      /* nodes between two roundings, after the first few */
    PLUNGE_MAX = 40       /* steps of a plunge */
};

/* A plunge goes on while the child's bound is within this part of the way from the smallest bound to the cutoff.
 * From 0 to 0.5 days of hours need the same iterations; days of quarters need a fifth less from 0.25 on. */
#define PLUNGE_SHARE 0.25
#define NEARLY_INTEGRAL 0.1 /* a point that is worth rounding at once */

/* An open subproblem: its relaxation is solved, its children's are not. */
struct node {
    double bound;
    uint64_t order;             /* of creation, for ties */
    uint32_t depth;
    double *lower, *upper, *x;  /* n_int each; one block with hint */
    double *hint;               /* n_int; x as rows would have it rounded */
    double *weight;             /* n_int; of the relaxation, at least a small part of the largest */
};

/* What branching on a column was seen to bring, per unit of distance, downwards and upwards. */
struct gain {
    double sum[2];
    uint32_t count[2];
};

struct candidate {
    uint32_t k;          /* index into ints */
    double distance[2];  /* how far the solution must move in either child, over all integers */
    double score;
    double cost[2];      /* of what follows the integers there, beyond what it costs in the node */
    bool possible[2];
    uint64_t print[2];   /* of the integers' bounds in either child */
};

struct search {
    mgc__mip *mip;
    mgc__solve *s;
    mgc__domain d;
    mgc__heuristic h;
    mgc__relaxation r[2 * CANDIDATES_MAX];
    struct node **heap;
    size_t open, heap_cap;
    uint64_t created;
    struct gain *gain;      /* n_int */
    double all_gain;        /* of all columns, for those not tried yet */
    uint32_t all_count;
    double closed_bound;    /* smallest bound of what was closed by its bound, and of leaves */
    uint32_t stop;          /* outcome that ends the search, or NONE */
    mgc__followers followers;
    double *moved;          /* n; the node's integers, as far as a child lets them stay */
    uint32_t rounded_at;
    uint64_t newest;        /* nodes from this order on are children of the last one */
    uint32_t plunged;       /* steps of the present plunge */
    double proven;          /* bound of the root, the best so far */
};

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
static double sharpen(const mgc__mip *mip, double bound)
{
    return mip->whole_objective && isfinite(bound) ? fmax(bound, ceil(bound - 1e-6)) : bound;
}

static double global_bound(const struct search *q)
{
    double bound = fmin(q->closed_bound, q->mip->excluded);

    for (size_t i = 0; i < q->open; i++) bound = fmin(bound, q->heap[i]->bound);
    return fmin(bound, q->mip->has_incumbent ? q->mip->incumbent : INFINITY);
}

/* --- heap of open nodes, smallest bound first ------------------------------------------------ */

static bool before(const struct node *a, const struct node *b)
{
    return a->bound < b->bound || (a->bound == b->bound && a->order < b->order);
}

static void node_free(mgc_ctx *ctx, struct node *node)
{
    if (node == NULL) return;
    mgc__free(ctx, node->lower);
    mgc__free(ctx, node);
}

static mgc_status push(struct search *q, struct node *node)
{
    void *heap = q->heap;
    bool ok = mgc__grow(q->mip->ctx, &heap, &q->heap_cap, q->open + 1, sizeof *q->heap);

    q->heap = heap;
    if (!ok) {
        node_free(q->mip->ctx, node);
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
static struct node *take(struct search *q, size_t at)
{
    struct node *taken = q->heap[at], *last = q->heap[--q->open];

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

/* The next node: the better child of the last one while a plunge lasts, for incumbents are found deep down; else
 * the one of the smallest bound. */
static struct node *next_node(struct search *q)
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

/* Reduced costs z of a bound: moving x_j away from the end that z leans on costs |z_j| a unit.  Tightens bounds of
 * integers that could not pay for it (Nemhauser and Wolsey 1988, proposition II.5.2.1).  What is left out may still
 * be better than the incumbent, by half of the gap that is allowed: the bound that follows is within it. */
static void fix_by_cost(mgc__mip *mip, double bound, const double *z, double *lower, double *upper)
{
    double half = 0.5 * (mip->incumbent - mgc__mip_cutoff(mip));
    double cutoff = mip->whole_objective ? mgc__mip_cutoff(mip) : mip->incumbent - half, room = cutoff - bound;
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
    if (any) mip->excluded = fmin(mip->excluded, mip->whole_objective ? floor(cutoff - 1e-7) + 1.0 : cutoff);
}

static struct node *node_create(struct search *q, uint32_t depth, double bound)
{
    size_t n = q->mip->n_int;
    struct node *node = mgc__alloc(q->mip->ctx, 1, sizeof *node);

    if (node == NULL) return NULL;
    node->lower = mgc__alloc(q->mip->ctx, 5 * n, sizeof *node->lower);
    if (node->lower == NULL) {
        mgc__free(q->mip->ctx, node);
        return NULL;
    }
    node->upper = node->lower + n;
    node->x = node->upper + n;
    node->hint = node->x + n;
    node->weight = node->hint + n;
    node->bound = bound;
    node->depth = depth;
    node->order = q->created++;
    return node;
}

static void take_weights(const mgc__mip *mip, const mgc__relaxation *r, double *weight)
{
    double largest = 0.0;

    for (uint32_t k = 0; k < mip->n_int; k++) {
        weight[k] = r->has_point ? r->weight[k] : 1.0;
        largest = fmax(largest, weight[k]);
    }
    for (uint32_t k = 0; k < mip->n_int; k++) weight[k] = largest > 0.0 ? fmax(weight[k], 1e-4 * largest) : 1.0;
}

/* Open what a relaxation leaves to do, or close it. */
static mgc_status open_node(struct search *q, const mgc__relaxation *r, uint32_t depth, double parent_bound)
{
    mgc__mip *mip = q->mip;
    double bound = sharpen(mip, fmax(r->bound, parent_bound));

    if (bound > mgc__mip_cutoff(mip)) {
        q->closed_bound = fmin(q->closed_bound, bound);
        return MGC_OK;
    }
    struct node *node = node_create(q, depth, bound);
    if (node == NULL) return mgc__no_memory(mip->ctx, "a node");
    double *z = node->x; /* for a moment */
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        node->lower[k] = r->lower[j];
        node->upper[k] = r->upper[j];
        z[k] = r->has_point ? r->z[j] : 0.0;
    }
    if (r->has_point) fix_by_cost(mip, r->dual_bound, z, node->lower, node->upper);
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        /* Without a point: the middle, or the end that is finite. */
        double low = r->lower[j], high = r->upper[j];
        double middle = isfinite(low + high) ? 0.5 * (low + high) : isfinite(low) ? low : isfinite(high) ? high : 0.0;
        node->x[k] = node->hint[k] = r->has_point ? r->x[j] : middle;
    }
    if (r->has_point) mgc__heuristic_hint(&q->h, r->x, node->hint);
    take_weights(mip, r, node->weight);
    return push(q, node);
}

/* A relaxation whose solution is integral, or nearly, is a point to keep: solve with the integers fixed there. */
static mgc_status try_point(struct search *q, const mgc__relaxation *r)
{
    mgc__mip *mip = q->mip;

    if (!r->has_point || !(r->bound < mgc__mip_cutoff(mip))) return MGC_OK;
    for (uint32_t k = 0; k < mip->n_int; k++)
        if (fabs(r->x[mip->ints[k]] - nearbyint(r->x[mip->ints[k]])) > NEARLY_INTEGRAL) return MGC_OK;
    double *copy = mgc__alloc(mip->ctx, mip->n_int, sizeof *copy);
    if (copy == NULL) return mgc__no_memory(mip->ctx, "a point");
    for (uint32_t k = 0; k < mip->n_int; k++) copy[k] = r->x[mip->ints[k]];
    mgc_status st = mgc__heuristic_near(&q->h, copy);
    mgc__free(mip->ctx, copy);
    return st;
}

/* --- choosing a column ----------------------------------------------------------------------- */

/* FNV-1a over the integers' bounds: equal domains have equal prints. */
static uint64_t print_of(const struct search *q)
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
static double move_inside(struct search *q, const struct node *node)
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
static void look_at_child(struct search *q, const struct node *node, struct candidate *c, int side, double now)
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

static double expected_gain(const struct search *q, const struct candidate *c, int side)
{
    const struct gain *g = &q->gain[c->k];
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
static size_t shortlist(const struct search *q, const struct node *node, uint32_t list[SHORTLIST])
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
static size_t choose(struct search *q, const struct node *node, size_t most, struct candidate best[CANDIDATES_MAX],
                     bool *tightened, bool *dead)
{
    uint32_t list[SHORTLIST];
    size_t count = shortlist(q, node, list), n = 0;

    move_inside(q, node);
    double now = mgc__followers_cost(&q->followers, q->mip, q->moved);
    *tightened = *dead = false;
    for (size_t i = 0; i < count; i++) {
        struct candidate c = {.k = list[i]};
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

/* --- expanding a node ------------------------------------------------------------------------ */

static void learn(struct search *q, const struct candidate *c, const mgc__relaxation pair[2], double bound)
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

/* The domain of a node: its integer bounds, what the root's reduced costs say by now, and what follows. */
static bool enter(struct search *q, const struct node *node)
{
    mgc__mip *mip = q->mip;
    bool ok = true;

    mgc__domain_reset(&q->d);
    if (mip->root_bound > -INFINITY) {
        double *lower = q->h.key, *upper = q->h.wish; /* work space */
        for (uint32_t k = 0; k < mip->n_int; k++) {
            lower[k] = mip->lower[mip->ints[k]];
            upper[k] = mip->upper[mip->ints[k]];
        }
        fix_by_cost(mip, mip->root_bound, mip->root_z, lower, upper);
        for (uint32_t k = 0; ok && k < mip->n_int; k++) ok = mgc__domain_set(&q->d, mip->ints[k], lower[k], upper[k]);
    }
    for (uint32_t k = 0; ok && k < mip->n_int; k++)
        ok = mgc__domain_set(&q->d, mip->ints[k], node->lower[k], node->upper[k]);
    return ok && mgc__domain_propagate(&q->d);
}

/* The two children's domains of each candidate. */
static void make_children(struct search *q, const struct node *node, const struct candidate *c, size_t n)
{
    mgc__domain *d = &q->d;

    for (size_t i = 0; i < 2 * n; i++) {
        const struct candidate *one = &c[i / 2];
        uint32_t j = q->mip->ints[one->k];
        size_t mark = d->n_trail;
        double cut = floor(fmin(fmax(node->x[one->k], d->lower[j]), d->upper[j] - 1e-9));
        bool ok = i % 2 == 0 ? mgc__domain_set(d, j, -INFINITY, cut) : mgc__domain_set(d, j, cut + 1.0, INFINITY);
        ok = ok && mgc__domain_propagate(d);
        assert(ok); /* choose() tried it */
        (void)ok;
        memcpy(q->r[i].lower, d->lower, d->mip->n * sizeof(double));
        memcpy(q->r[i].upper, d->upper, d->mip->n * sizeof(double));
        q->r[i].cutoff = mgc__mip_cutoff(q->mip);
        q->r[i].decide = true;
        mgc__domain_undo(d, mark);
    }
}

/* Whether the subproblem of a relaxation is done with. */
static bool is_closed(const mgc__mip *mip, const mgc__relaxation *r)
{
    return sharpen(mip, r->bound) > mgc__mip_cutoff(mip);
}

/* A limit of time, a cancel request: the relaxations are not what they should be. */
static bool interrupted(struct search *q)
{
    mgc__solve *s = q->s;

    if (mgc_ctx_cancelled(s->p->ctx)) q->stop = MGC_OUTCOME_CANCELLED;
    else if (s->deadline_ms > 0 && mgc__now_ms(s->p->ctx) >= s->deadline_ms) q->stop = MGC_OUTCOME_LIMIT;
    else if (s->opts.node_limit > 0 && s->info.nodes >= s->opts.node_limit) q->stop = MGC_OUTCOME_LIMIT;
    return q->stop != MGC_OUTCOME_NONE;
}

/* Of several candidates: one with a closed side first (the other side is all that is left), else the best product. */
static size_t pick(const struct search *q, const struct candidate *c, size_t n, double bound)
{
    size_t best = 0;
    double best_score = -1.0;

    for (size_t i = 0; i < n; i++) {
        const mgc__relaxation *r = &q->r[2 * i];
        double down = fmax(r[0].bound, bound) - bound, up = fmax(r[1].bound, bound) - bound;
        double big = 1e6 * (1.0 + fabs(bound));
        double score =
            product(fmin(is_closed(q->mip, &r[0]) ? big : down, big), fmin(is_closed(q->mip, &r[1]) ? big : up, big));
        if (score > best_score) {
            best_score = score;
            best = i;
        }
    }
    (void)c;
    return best;
}

/* A node whose integers are all fixed: what its relaxation found is all there is. */
static mgc_status settle_leaf(struct search *q, const struct node *node)
{
    mgc__mip *mip = q->mip;

    memcpy(q->r[0].lower, q->d.lower, mip->n * sizeof(double));
    memcpy(q->r[0].upper, q->d.upper, mip->n * sizeof(double));
    q->r[0].cutoff = mgc__mip_cutoff(mip);
    q->r[0].decide = false;
    mgc_status st = mgc__mip_relax(mip, q->r, 1);
    if (st != MGC_OK) return st;
    q->s->info.nodes++;
    double objective = q->r[0].objective;
    if (q->r[0].has_point && objective < mip->incumbent) {
        mip->has_incumbent = true;
        mip->incumbent = objective;
        memcpy(mip->best, q->r[0].x, mip->n * sizeof(double));
        for (uint32_t k = 0; k < mip->n_int; k++) mip->best[mip->ints[k]] = q->d.lower[mip->ints[k]];
    }
    q->closed_bound = fmin(q->closed_bound, fmax(node->bound, q->r[0].bound));
    return MGC_OK;
}

/* Measured on day-ahead programs: the distance of choose() is so good a guide that solving both children of a second
 * candidate pays at the root only. */
static size_t candidates_at(uint32_t depth)
{
    return depth == 0 ? CANDIDATES_MAX : 1;
}

static mgc_status expand(struct search *q, struct node *node)
{
    struct candidate c[CANDIDATES_MAX];
    bool tightened, dead;
    mgc_status st;

    if (!enter(q, node)) return MGC_OK; /* no point below the cutoff is left in it */
    size_t n;
    do n = choose(q, node, candidates_at(node->depth), c, &tightened, &dead);
    while (tightened && !dead); /* what one column taught may exclude a side of another */
    if (dead) return MGC_OK;
    if (n == 0) return settle_leaf(q, node);
    make_children(q, node, c, n);
    st = mgc__mip_relax(q->mip, q->r, 2 * n);
    if (st != MGC_OK) return st;
    q->s->info.nodes += (uint32_t)(2 * n);
    for (size_t i = 0; i < n; i++) learn(q, &c[i], &q->r[2 * i], node->bound);
    for (size_t i = 0; st == MGC_OK && i < 2 * n; i++) st = try_point(q, &q->r[i]);
    size_t chosen = pick(q, c, n, node->bound);
    for (int side = 0; st == MGC_OK && side < 2; side++)
        st = open_node(q, &q->r[2 * chosen + (size_t)side], node->depth + 1, node->bound);
    return st;
}

/* --- the search ------------------------------------------------------------------------------ */

static mgc_status report(struct search *q, double bound)
{
    mgc__solve *s = q->s;

    if (s->opts.progress == NULL) return MGC_OK;
    double incumbent = q->mip->has_incumbent ? q->mip->incumbent + s->p->offset : INFINITY;
    mgc_status st =
        mgc__verdict(s->opts.progress(s->opts.user, s->info.nodes, incumbent, fmin(bound + s->p->offset, incumbent)));
    if (st != MGC_E_STOPPED)
        return st == MGC_OK
                   ? st
                   : mgc__fail(s->p->ctx, st, "solver: the progress callback failed; %s", mgc_status_text(st));
    q->stop = MGC_OUTCOME_CANCELLED;
    return MGC_OK;
}

/* Round a node's solution now and then; after a better incumbent, look around it. */
static mgc_status improve(struct search *q, const struct node *node)
{
    double before_it = q->mip->incumbent;
    mgc_status st = MGC_OK;

    if (q->s->info.nodes > 6 && q->mip->has_incumbent && q->s->info.nodes < q->rounded_at + ROUND_EVERY)
        return MGC_OK;
    q->rounded_at = q->s->info.nodes;
    st = mgc__heuristic_round(&q->h, node->x, q->mip->has_incumbent ? 1 : ROUND_FIRST);
    if (st == MGC_OK) st = mgc__heuristic_round(&q->h, node->hint, 1);
    if (st == MGC_OK && q->mip->incumbent < before_it) st = mgc__heuristic_flips(&q->h, FLIPS);
    return st;
}

static mgc_status run(struct search *q)
{
    mgc_status st = MGC_OK;

    while (st == MGC_OK && q->open > 0 && !interrupted(q)) {
        if (q->heap[0]->bound > mgc__mip_cutoff(q->mip)) { /* then all of them are */
            q->closed_bound = fmin(q->closed_bound, q->heap[0]->bound);
            while (q->open > 0) node_free(q->mip->ctx, q->heap[--q->open]);
            break;
        }
        st = report(q, global_bound(q));
        if (st != MGC_OK || q->stop != MGC_OUTCOME_NONE) break;
        struct node *node = next_node(q);
        st = improve(q, node);
        if (st == MGC_OK && sharpen(q->mip, node->bound) <= mgc__mip_cutoff(q->mip)) st = expand(q, node);
        else q->closed_bound = fmin(q->closed_bound, node->bound);
        if (mgc_ctx_cancelled(q->mip->ctx) ||
            (q->s->deadline_ms > 0 && mgc__now_ms(q->mip->ctx) >= q->s->deadline_ms))
            q->closed_bound = fmin(q->closed_bound, node->bound); /* its children may not be what they should */
        node_free(q->mip->ctx, node);
    }
    return st;
}

/* --- the root -------------------------------------------------------------------------------- */

/* Solve the root's relaxation and keep what the search asks of it.  q->stop: no search is needed. */
static mgc_status solve_root(struct search *q)
{
    mgc__mip *mip = q->mip;
    mgc__relaxation *r = &q->r[0];

    mgc__ipm_anchor_destroy(mip->anchor);
    mip->anchor = NULL;
    memcpy(r->lower, mip->box_lower, mip->n * sizeof(double));
    memcpy(r->upper, mip->box_upper, mip->n * sizeof(double));
    r->cutoff = INFINITY;
    r->decide = false;
    mgc_status st = mgc__mip_relax(mip, r, 1);
    if (st != MGC_OK) return st;
    q->s->info.nodes = 1;
    q->proven = fmax(q->proven, r->bound);
    if (r->outcome == MGC_OUTCOME_INFEASIBLE || r->outcome == MGC_OUTCOME_UNBOUNDED) {
        q->stop = mip->has_incumbent ? MGC_OUTCOME_NONE : r->outcome;
        return MGC_OK;
    }
    if (!r->has_point && interrupted(q)) return MGC_OK;
    for (uint32_t k = 0; k < mip->n_int; k++) {
        mip->root_x[k] = r->has_point ? r->x[mip->ints[k]] : mip->lower[mip->ints[k]];
        mip->root_z[k] = r->has_point ? r->z[mip->ints[k]] : 0.0;
    }
    mip->root_bound = r->has_point ? r->dual_bound : -INFINITY;
    mgc__followers_free(mip->ctx, &q->followers);
    st = mgc__followers_init(&q->followers, mip);
    if (st != MGC_OK) return st;
    mgc__followers_weigh(&q->followers, mip, r->has_point ? mgc__mip_multipliers(mip) : NULL);
    return mgc__mip_drop_anchor(mip);
}

/* A point near the caller's start, if there is one; then the relaxation's, rounded. */
static mgc_status first_incumbents(struct search *q)
{
    mgc__mip *mip = q->mip;
    mgc_status st = MGC_OK;

    if (q->s->p->start != NULL && q->s->p->start_n == mip->n) {
        double *wish = mgc__alloc(mip->ctx, mip->n_int, sizeof *wish);
        if (wish == NULL) return mgc__no_memory(mip->ctx, "a start");
        for (uint32_t k = 0; k < mip->n_int; k++) wish[k] = q->s->p->start[mip->ints[k]];
        st = mgc__heuristic_near(&q->h, wish);
        mgc__free(mip->ctx, wish);
    }
    if (st == MGC_OK) st = try_point(q, &q->r[0]);
    if (st == MGC_OK) st = mgc__heuristic_round(&q->h, mip->root_x, 1);
    return st;
}

/* What comes after each round of cuts: integers that cannot pay for leaving their bounds are fixed, the caller is
 * told.  *stop: rounds are over. */
static mgc_status after_round(void *user, const mgc__relaxation *r, bool *stop)
{
    struct search *q = user;
    mgc__mip *mip = q->mip;
    double *lower = q->h.key, *upper = q->h.wish; /* work space */

    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        lower[k] = mip->lower[j];
        upper[k] = mip->upper[j];
        mip->root_z[k] = r->z[j];
    }
    fix_by_cost(mip, r->dual_bound, mip->root_z, lower, upper);
    q->proven = fmax(q->proven, r->bound);
    *stop = r->bound > mgc__mip_cutoff(mip);
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        if (lower[k] > upper[k]) {
            *stop = true;
            continue;
        }
        mip->lower[j] = mip->box_lower[j] = lower[k];
        mip->upper[j] = mip->box_upper[j] = upper[k];
    }
    mgc_status st = report(q, q->proven);
    *stop = *stop || interrupted(q);
    return st;
}

/* Rounds of cuts; then what depends on the rows is made anew. */
static mgc_status add_cuts(struct search *q)
{
    mgc__mip *mip = q->mip;
    bool added;
    mgc_status st = mgc__mip_cut(mip, &q->r[0], after_round, q, &added);

    if (st != MGC_OK || !added) return st;
    mgc__heuristic_free(&q->h);
    mgc__domain_free(&q->d);
    q->h = (mgc__heuristic){0};
    q->d = (mgc__domain){0};
    st = mgc__domain_init(&q->d, mip);
    if (st == MGC_OK) st = mgc__heuristic_init(&q->h, mip, &q->d);
    return st == MGC_OK && q->stop == MGC_OUTCOME_NONE ? solve_root(q) : st;
}

static mgc_status open_root(struct search *q)
{
    mgc__mip *mip = q->mip;
    mgc__relaxation *r = &q->r[0];
    bool has_point = r->has_point;
    mgc_status st = MGC_OK;

    if (has_point) st = try_point(q, r);
    if (st == MGC_OK) st = mgc__heuristic_round(&q->h, mip->root_x, 1);
    if (st == MGC_OK && has_point) {
        mgc__heuristic_hint(&q->h, r->x, r->z); /* z is kept in root_z */
        st = mgc__heuristic_round(&q->h, r->z, 1);
    }
    r->has_point = false; /* z is gone: what it said is in root_z, and enter() applies it */
    if (st == MGC_OK) st = open_node(q, r, 0, q->proven);
    if (st == MGC_OK && q->open > 0) {
        memcpy(q->heap[0]->x, mip->root_x, mip->n_int * sizeof(double));
        r->has_point = has_point;
        take_weights(mip, r, q->heap[0]->weight);
    }
    return st;
}

/* Nothing more is asked: what the root proved is the bound. */
static bool root_is_done(struct search *q)
{
    const mgc__relaxation *r = &q->r[0];

    if (q->stop == MGC_OUTCOME_NONE && !(r->outcome == MGC_OUTCOME_INFEASIBLE)) return false;
    q->closed_bound = fmin(q->closed_bound, q->proven);
    return true;
}

static mgc_status root(struct search *q)
{
    mgc_status st = solve_root(q);

    if (st != MGC_OK || root_is_done(q)) return st;
    st = first_incumbents(q);
    if (st == MGC_OK) st = report(q, q->proven);
    if (st != MGC_OK || root_is_done(q)) return st;
    if (q->r[0].outcome == MGC_OUTCOME_OPTIMAL && !is_closed(q->mip, &q->r[0])) st = add_cuts(q);
    if (st != MGC_OK || root_is_done(q)) return st;
    return open_root(q);
}

static mgc_status search_init(struct search *q, mgc__mip *mip, mgc__solve *s)
{
    *q = (struct search){.mip = mip, .s = s, .closed_bound = INFINITY, .proven = -INFINITY};
    mgc_status st = mgc__domain_init(&q->d, mip);
    for (size_t i = 0; st == MGC_OK && i < MGC__COUNT(q->r); i++) st = mgc__relaxation_init(mip, &q->r[i]);
    if (st == MGC_OK) st = mgc__heuristic_init(&q->h, mip, &q->d);
    q->gain = mgc__alloc(mip->ctx, mip->n_int, sizeof *q->gain);
    q->moved = mgc__alloc(mip->ctx, mip->n, sizeof *q->moved);
    return st == MGC_OK && (q->gain == NULL || q->moved == NULL) ? mgc__no_memory(mip->ctx, "branch and bound") : st;
}

static void search_free(struct search *q)
{
    mgc_ctx *ctx = q->mip->ctx;

    while (q->open > 0) node_free(ctx, q->heap[--q->open]);
    mgc__free(ctx, q->heap);
    mgc__free(ctx, q->gain);
    mgc__free(ctx, q->moved);
    mgc__followers_free(ctx, &q->followers);
    for (size_t i = 0; i < MGC__COUNT(q->r); i++) mgc__relaxation_free(q->mip, &q->r[i]);
    mgc__heuristic_free(&q->h);
    mgc__domain_free(&q->d);
}

/* --- the answer ------------------------------------------------------------------------------ */

/* The incumbent with its integers fixed, solved to the caller's tolerance and judged against the caller's data. */
static mgc_status finish_incumbent(struct search *q, double bound)
{
    mgc__mip *mip = q->mip;
    mgc__solve *s = q->s;
    mgc__qp qp;
    double *lower = q->r[0].lower, *upper = q->r[0].upper;

    mgc__program_qp(s->p, &qp);
    memcpy(lower, qp.lower, mip->n * sizeof(double));
    memcpy(upper, qp.upper, mip->n * sizeof(double));
    for (uint32_t k = 0; k < mip->n_int; k++) lower[mip->ints[k]] = upper[mip->ints[k]] = mip->best[mip->ints[k]];
    qp.lower = lower;
    qp.upper = upper;
    uint64_t deadline = s->deadline_ms;
    int32_t (*progress)(void *, uint32_t, double, double) = s->opts.progress;
    s->deadline_ms = 0; /* one relaxation more, so that what is returned was judged */
    s->opts.progress = NULL;
    mgc_status st = mgc__solve_continuous(s, &qp, &s->p->result);
    s->deadline_ms = deadline;
    s->opts.progress = progress;
    if (st != MGC_OK) return st;
    if (!s->p->result.has_point ||
        s->info.outcome != MGC_OUTCOME_OPTIMAL) { /* the search's own point, judged as it is */
        mgc__point_report point;
        if (!s->p->result.has_point || s->info.primal_residual > s->opts.tolerance) {
            double *room = mgc__alloc(mip->ctx, 2 * (size_t)mip->m, sizeof *room);
            if (room == NULL) return mgc__no_memory(mip->ctx, "work space");
            memcpy(s->p->result.x, mip->best, mip->n * sizeof(double));
            s->p->result.has_point = true;
            s->p->result.has_multipliers = false;
            mgc__judge_point(&qp, mip->best, room, &point);
            mgc__free(mip->ctx, room);
            s->info.objective = point.objective + s->p->offset;
            s->info.primal_residual = point.residual;
        }
    }
    s->info.bound = fmin(bound + s->p->offset, s->info.objective);
    s->info.gap = (s->info.objective - s->info.bound) / fmax(1.0, fabs(s->info.objective));
    return MGC_OK;
}

static mgc_status finish(struct search *q)
{
    mgc__mip *mip = q->mip;
    mgc__solve *s = q->s;
    double bound = global_bound(q);
    mgc_status st = MGC_OK;

    if (mip->has_incumbent) {
        st = finish_incumbent(q, bound);
        if (st != MGC_OK) return st;
        /* leaves are relaxations: no gap is known better than they are solved */
        bool close = s->info.gap <= s->opts.gap + fmax(1e-9, s->opts.tolerance) &&
                     s->info.primal_residual <= s->opts.tolerance;
        if (close) s->info.outcome = MGC_OUTCOME_OPTIMAL;
        else s->info.outcome = q->stop != MGC_OUTCOME_NONE ? q->stop : MGC_OUTCOME_NUMERICAL;
    } else {
        /* Everything closed without a point: by proofs, or because relaxations failed (then their bound is finite).
         */
        bool proven = q->stop == MGC_OUTCOME_NONE && q->closed_bound == INFINITY;
        s->info.outcome = q->stop != MGC_OUTCOME_NONE ? q->stop
                          : proven                    ? MGC_OUTCOME_INFEASIBLE
                                                      : MGC_OUTCOME_NUMERICAL;
        s->info.objective = INFINITY;
        s->info.bound = proven ? INFINITY : bound + s->p->offset;
        s->info.gap = INFINITY;
    }
    s->p->result.outcome = s->info.outcome;
    return MGC_OK;
}

/* No point is asked for any more: the verdict, with the certificate of the relaxation where it has the same
 * verdict. */
static mgc_status answer_by_relaxation(mgc__solve *s, uint32_t verdict)
{
    mgc__qp qp;
    uint32_t nodes = s->info.nodes;

    mgc__program_qp(s->p, &qp);
    mgc_status st = mgc__solve_continuous(s, &qp, &s->p->result);
    if (st != MGC_OK) return st;
    s->info.nodes = nodes;
    if (s->info.outcome != verdict) {
        s->p->result.has_point = s->p->result.has_multipliers = false;
        s->info.outcome = verdict == MGC_OUTCOME_UNBOUNDED ? MGC_OUTCOME_NUMERICAL : verdict;
        mgc__free(s->p->ctx, s->p->result.ray);
        s->p->result.ray = NULL;
        s->info.objective = s->info.gap = s->info.primal_residual = s->info.dual_residual = INFINITY;
        s->info.bound = verdict == MGC_OUTCOME_INFEASIBLE ? INFINITY : -INFINITY;
    }
    s->p->result.outcome = s->info.outcome;
    return MGC_OK;
}

/* Objective out, so that any point with whole integers ends the search. */
static mgc_status drop_objective(mgc__mip *mip, double **zero)
{
    *zero = mgc__alloc(mip->ctx, mip->n, sizeof **zero);
    if (*zero == NULL) return mgc__no_memory(mip->ctx, "a cost vector");
    mip->c = *zero;
    mip->q = NULL;
    mip->whole_objective = true;
    return MGC_OK;
}

/* *verdict: NONE, and the answer is in place; or what is known of a program that is left without one: INFEASIBLE,
 * or UNBOUNDED for its relaxation.  feasibility: is there any point?  Then OPTIMAL (yes), INFEASIBLE, or why that
 * stays open. */
static mgc_status branch_and_bound(mgc__solve *s, bool feasibility, uint32_t *verdict)
{
    mgc__mip mip;
    struct search q = {.mip = &mip};
    bool infeasible = false;
    double *zero = NULL;

    *verdict = MGC_OUTCOME_NONE;
    mgc_status st = mgc__mip_setup(&mip, s);
    if (st == MGC_OK && feasibility) st = drop_objective(&mip, &zero);
    if (st == MGC_OK) st = search_init(&q, &mip, s);
    if (st == MGC_OK) st = mgc__mip_probe(&mip, &q.d, &infeasible);
    if (st == MGC_OK && !infeasible) st = root(&q);
    if (st == MGC_OK && (infeasible || q.stop == MGC_OUTCOME_INFEASIBLE || q.stop == MGC_OUTCOME_UNBOUNDED)) {
        *verdict = infeasible ? MGC_OUTCOME_INFEASIBLE : q.stop;
    } else if (st == MGC_OK) {
        st = run(&q);
        if (st == MGC_OK && !feasibility) st = finish(&q);
        if (feasibility)
            *verdict = mip.has_incumbent                ? MGC_OUTCOME_OPTIMAL
                       : q.stop != MGC_OUTCOME_NONE     ? q.stop
                       : q.closed_bound == INFINITY     ? MGC_OUTCOME_INFEASIBLE
                                                        : MGC_OUTCOME_NUMERICAL;
    }
    search_free(&q);
    mgc__free(mip.ctx, zero);
    mgc__mip_free(&mip);
    return st;
}

/* The objective falls for ever along a direction of the relaxation.  With rational data it does so over the
 * integers too, if there is one point of them (Meyer 1974); without any the program is infeasible. */
mgc_status mgc__solve_integer(mgc__solve *s)
{
    uint32_t verdict, any;
    mgc_status st = branch_and_bound(s, false, &verdict);

    if (st != MGC_OK || verdict == MGC_OUTCOME_NONE) return st;
    if (verdict == MGC_OUTCOME_UNBOUNDED) {
        st = branch_and_bound(s, true, &any);
        if (st != MGC_OK) return st;
        if (any != MGC_OUTCOME_OPTIMAL) verdict = any;
    }
    return answer_by_relaxation(s, verdict);
}
