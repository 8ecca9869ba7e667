/* SPDX-License-Identifier: Apache-2.0 */
/* Incumbents: round with propagation, solve for the rest, then change single integers.
 * After Berthold and Hendel (2015), "Shift-and-propagate", and Achterberg (2007), chapter 9. */
#include "solver/mip.h"

enum {
    BATCH = 4,       /* relaxations of one round of flips; a fixed number, so that threads change nothing */
    ROUNDS_MAX = 16,  /* rounds of flips from one point */
    THRESHOLDS = 5
};

/* x is rounded up from these fractions on; the middle one first, the rest in pairs around it. */
static const double THRESHOLD[THRESHOLDS] = {0.5, 0.3, 0.7, 0.1, 0.9};

mgc_status mgc__heuristic_init(mgc__heuristic *h, mgc__mip *mip, mgc__domain *d)
{
    *h = (mgc__heuristic){.mip = mip, .d = d};
    h->r = mgc__alloc(mip->ctx, THRESHOLDS, sizeof *h->r);
    h->order = mgc__alloc(mip->ctx, mip->n_int, sizeof *h->order);
    h->key = mgc__alloc(mip->ctx, mip->n_int, sizeof *h->key);
    h->wish = mgc__alloc(mip->ctx, mip->n_int, sizeof *h->wish);
    h->activity = mgc__alloc(mip->ctx, mip->m, sizeof *h->activity);
    if (h->activity == NULL || h->r == NULL || h->order == NULL || h->key == NULL || h->wish == NULL)
        return mgc__no_memory(mip->ctx, "heuristics");
    while (h->n_r < THRESHOLDS) {
        mgc_status st = mgc__relaxation_init(mip, &h->r[h->n_r++]);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

void mgc__heuristic_free(mgc__heuristic *h)
{
    if (h->mip == NULL) return;
    for (size_t i = 0; h->r != NULL && i < h->n_r; i++) mgc__relaxation_free(h->mip, &h->r[i]);
    mgc__free(h->mip->ctx, h->r);
    mgc__free(h->mip->ctx, h->order);
    mgc__free(h->mip->ctx, h->key);
    mgc__free(h->mip->ctx, h->wish);
    mgc__free(h->mip->ctx, h->activity);
}

/* --- assignments ----------------------------------------------------------------------------- */

/* Sort order[] by key[], ascending, ties by index: heap sort, for qsort() has no user pointer and no promised order.
 */
static bool comes_before(const mgc__heuristic *h, uint32_t a, uint32_t b)
{
    return h->key[a] < h->key[b] || (h->key[a] == h->key[b] && a < b);
}

static void sift(mgc__heuristic *h, size_t at, size_t n)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n) return;
        if (child + 1 < n && comes_before(h, h->order[child], h->order[child + 1])) child++;
        if (!comes_before(h, h->order[at], h->order[child])) return;
        uint32_t swap = h->order[at];
        h->order[at] = h->order[child];
        h->order[child] = swap;
        at = child;
    }
}

static void sort_order(mgc__heuristic *h)
{
    size_t n = h->mip->n_int;

    for (uint32_t k = 0; k < n; k++) h->order[k] = k;
    for (size_t at = n / 2; at-- > 0;) sift(h, at, n);
    for (size_t last = n; last-- > 1;) {
        uint32_t swap = h->order[0];
        h->order[0] = h->order[last];
        h->order[last] = swap;
        sift(h, 0, last);
    }
}

static bool fix_at(mgc__domain *d, uint32_t j, double value)
{
    return mgc__domain_set(d, j, value, value) && mgc__domain_propagate(d);
}

/* Give every integer a value as near to wish[] as propagation allows, the surest (smallest key) first.  One step back
 * is tried where a value is impossible.  false: no luck. */
static bool complete(mgc__heuristic *h)
{
    mgc__domain *d = h->d;

    sort_order(h);
    for (uint32_t k = 0; k < h->mip->n_int; k++) {
        uint32_t j = h->mip->ints[h->order[k]];
        if (d->lower[j] == d->upper[j]) continue;
        double wish = fmin(fmax(h->wish[h->order[k]], d->lower[j]), d->upper[j]);
        size_t mark = d->n_trail;
        if (fix_at(d, j, wish)) {
            if (mgc__mip_works(h->mip, 1)) return false;
            continue;
        }
        mgc__domain_undo(d, mark);
        double other = wish + 1.0 <= d->upper[j] ? wish + 1.0 : wish - 1.0;
        if (other < d->lower[j] || !fix_at(d, j, other)) return false;
    }
    return !d->no_memory;
}

/* FNV-1a over the integers' values. */
static uint64_t hash_of(const mgc__mip *mip, const double *lower)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint64_t bits;
        double value = lower[mip->ints[k]] + 0.0; /* -0 is 0 */
        memcpy(&bits, &value, sizeof bits);
        for (int b = 0; b < 8; b++) h = (h ^ ((bits >> (8 * b)) & 255)) * UINT64_C(1099511628211);
    }
    return h;
}

/* Whether the domain's assignment was solved for before; if not, it counts as such from now on. */
static bool seen_before(mgc__mip *mip, const mgc__domain *d)
{
    uint64_t hash = hash_of(mip, d->lower);
    void *tried = mip->tried;

    for (size_t i = 0; i < mip->n_tried; i++)
        if (mip->tried[i] == hash) return true;
    bool ok = mgc__grow(mip->ctx, &tried, &mip->tried_cap, mip->n_tried + 1, sizeof *mip->tried);
    mip->tried = tried;
    if (ok) mip->tried[mip->n_tried++] = hash;
    return !ok;
}

static void copy_domain(const mgc__domain *d, mgc__relaxation *r)
{
    memcpy(r->lower, d->lower, d->mip->n * sizeof(double));
    memcpy(r->upper, d->upper, d->mip->n * sizeof(double));
}

/* Keep the best of n solved assignments, the first of equals. */
static void keep_best(mgc__mip *mip, const mgc__relaxation *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!r[i].has_point || !(r[i].objective < mip->incumbent)) continue;
        mip->has_incumbent = true;
        mip->incumbent = r[i].objective;
        memcpy(mip->best, r[i].x, mip->n * sizeof(double));
        for (uint32_t k = 0; k < mip->n_int; k++) mip->best[mip->ints[k]] = r[i].lower[mip->ints[k]];
    }
}

static mgc_status solve_batch(mgc__heuristic *h, size_t n)
{
    for (size_t i = 0; i < n; i++) h->r[i].cutoff = h->mip->incumbent;
    mgc_status st = n > 0 ? mgc__mip_relax(h->mip, h->r, n) : MGC_OK;
    if (st == MGC_OK) keep_best(h->mip, h->r, n);
    return st;
}

/* --- rounding -------------------------------------------------------------------------------- */

static void wish_by_threshold(mgc__heuristic *h, const double *x, double threshold)
{
    for (uint32_t k = 0; k < h->mip->n_int; k++) {
        h->wish[k] = floor(x[k] + 1.0 - threshold);
        h->key[k] = fabs(x[k] - h->wish[k]);
    }
}

mgc_status mgc__heuristic_round(mgc__heuristic *h, const double *x, unsigned thresholds)
{
    size_t n = 0;

    for (unsigned t = 0; t < thresholds && t < THRESHOLDS; t++) {
        mgc__domain_reset(h->d);
        wish_by_threshold(h, x, THRESHOLD[t]);
        if (complete(h) && !seen_before(h->mip, h->d)) copy_domain(h->d, &h->r[n++]);
        if (h->mip->stop != MGC_OUTCOME_NONE) break;
    }
    return solve_batch(h, n);
}

/* How much the rows of column j are violated more if it moves by step, in units of the column. */
static double hurt(const mgc__heuristic *h, uint32_t j, double step)
{
    const mgc__mip *mip = h->mip;
    double sum = 0.0;

    for (uint32_t k = mip->a.start[j]; k < mip->a.start[j + 1]; k++) {
        uint32_t i = mip->a.row[k];
        double now = h->activity[i], then = now + mip->a.value[k] * step, lower = mip->row_lower[i],
               upper = mip->row_upper[i];
        double excess = fmax(fmax(lower - then, then - upper), 0.0) - fmax(fmax(lower - now, now - upper), 0.0);
        sum += fmax(excess, 0.0) / fabs(mip->a.value[k]);
    }
    return sum;
}

void mgc__heuristic_hint(mgc__heuristic *h, const double *x, double *hint)
{
    const mgc__mip *mip = h->mip;

    memset(h->activity, 0, mip->m * sizeof *h->activity);
    mgc__csc_mul(&mip->a, 1.0, x, h->activity);
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        double whole = floor(x[j]), up = hurt(h, j, whole + 1.0 - x[j]), down = hurt(h, j, whole - x[j]);
        hint[k] =
            up + down > 1e-3 && x[j] - whole > 1e-3 && whole + 1.0 - x[j] > 1e-3 ? whole + down / (up + down) : x[j];
    }
}

mgc_status mgc__heuristic_near(mgc__heuristic *h, const double *wish)
{
    mgc__domain_reset(h->d);
    for (uint32_t k = 0; k < h->mip->n_int; k++) {
        uint32_t j = h->mip->ints[k];
        bool known = isfinite(wish[k]);
        h->wish[k] = known ? nearbyint(wish[k]) : isfinite(h->d->lower[j]) ? h->d->lower[j] : 0.0;
        h->key[k] = known ? fabs(wish[k] - h->wish[k]) : 2.0;
    }
    if (!complete(h) || seen_before(h->mip, h->d)) return MGC_OK;
    copy_domain(h->d, &h->r[0]);
    return solve_batch(h, 1);
}

/* --- flips ----------------------------------------------------------------------------------- */

/* The integer columns by how much the root relaxation disagrees with the incumbent, most first; returns how many. */
static size_t rank_flips(mgc__heuristic *h, uint32_t *list)
{
    const mgc__mip *mip = h->mip;
    size_t n = 0;

    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        double off = fabs(mip->root_x[k] - mip->best[j]);
        h->key[k] = mip->box_lower[j] == mip->box_upper[j] || off < 0.02 ? 0.0 : -off;
    }
    sort_order(h);
    while (n < mip->n_int && h->key[h->order[n]] < 0.0) n++;
    memcpy(list, h->order, n * sizeof *list);
    return n;
}

/* The incumbent with integer k moved one step towards the root relaxation, the others following where they must. */
static bool flip(mgc__heuristic *h, uint32_t k)
{
    const mgc__mip *mip = h->mip;
    uint32_t j = mip->ints[k];
    double now = mip->best[j], next = mip->root_x[k] > now ? now + 1.0 : now - 1.0;

    mgc__domain_reset(h->d);
    if (next < h->d->lower[j] || next > h->d->upper[j] || !fix_at(h->d, j, next)) return false;
    for (uint32_t i = 0; i < mip->n_int; i++) {
        h->wish[i] = mip->best[mip->ints[i]];
        h->key[i] = fabs(mip->root_x[i] - h->wish[i]);
    }
    return complete(h) && !seen_before(h->mip, h->d);
}

mgc_status mgc__heuristic_flips(mgc__heuristic *h, size_t limit)
{
    mgc__mip *mip = h->mip;
    uint32_t *list = mgc__alloc(mip->ctx, mip->n_int, sizeof *list);
    mgc_status st = list != NULL ? MGC_OK : mgc__no_memory(mip->ctx, "a local search");

    unsigned idle = 0; /* batches in a row without a better point */
    for (int round = 0; st == MGC_OK && mip->has_incumbent && round < ROUNDS_MAX && limit > 0 && idle < 2; round++) {
        double before = mip->incumbent;
        size_t n = 0, count = rank_flips(h, list);
        for (size_t i = 0; i < count && n < BATCH && n < limit && mip->stop == MGC_OUTCOME_NONE; i++)
            if (flip(h, list[i])) copy_domain(h->d, &h->r[n++]);
        if (n == 0) break;
        limit -= n;
        st = solve_batch(h, n);
        idle = mip->incumbent < before ? 0 : idle + 1;
    }
    mgc__free(mip->ctx, list);
    return st;
}
