/* SPDX-License-Identifier: Apache-2.0 */
/* Which row to eliminate when: several orders are tried and the one of fewest operations is kept. */
#include "la/ldl_private.h"

/* Below this many operations a factorisation costs less than looking for a better order. */
#define CHEAP 1e6
/* Ties in minimum degree are broken by numbering, and programs of many equal scenarios are full of ties: a few random
 * numberings gain 20 % at 24 periods and 60 % at 96. */
enum { SHUFFLES = 3 };

void mgc__etree(const mgc__csc *k, uint32_t *parent, uint32_t *work)
{
    uint32_t n = k->cols;

    for (uint32_t j = 0; j < n; j++) {
        parent[j] = work[j] = n;
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++) {
            for (uint32_t i = k->row[e]; i < j;) { /* climb to the root found so far, compress the path */
                uint32_t next = work[i];

                work[i] = j;
                if (next == n) parent[i] = j;
                i = next;
            }
        }
    }
}

void mgc__column_counts(const mgc__csc *k, const uint32_t *parent, uint32_t *count, uint32_t *work)
{
    uint32_t n = k->cols;

    for (uint32_t j = 0; j < n; j++) {
        count[j] = 0;
        work[j] = j;
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++) {
            for (uint32_t i = k->row[e]; i < j && work[i] != j; i = parent[i]) {
                count[i]++;
                work[i] = j;
            }
        }
    }
}

/* out = upper triangle of P K P'; place[]: where each entry of k went.  inverse: of the order. */
mgc_status mgc__permute_upper(mgc_ctx *ctx, const mgc__csc *k, const uint32_t *inverse, mgc__csc *out,
                              uint32_t *place)
{
    uint32_t n = k->cols, nnz = k->start[n], *origin = mgc__alloc(ctx, nnz, sizeof *origin);
    mgc__csc lower = {0};
    mgc_status st = mgc__csc_alloc(ctx, n, n, nnz, &lower);

    *out = (mgc__csc){0};
    if (st == MGC_OK && !origin) st = mgc__no_memory(ctx, "a permutation");
    if (st != MGC_OK) goto done;
    /* By rows of the upper triangle first; transposing then sorts the columns. */
    for (uint32_t j = 0; j < n; j++) {
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++) {
            uint32_t a = inverse[j], b = inverse[k->row[e]];

            lower.start[(a < b ? a : b) + 1]++;
        }
    }
    for (uint32_t j = 0; j < n; j++) lower.start[j + 1] += lower.start[j];
    for (uint32_t j = 0; j < n; j++) {
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++) {
            uint32_t a = inverse[j], b = inverse[k->row[e]], to = lower.start[a < b ? a : b]++;

            lower.row[to] = a < b ? b : a;
            place[to] = e;
        }
    }
    for (uint32_t j = n; j > 0; j--) lower.start[j] = lower.start[j - 1];
    lower.start[0] = 0;
    st = mgc__csc_transpose(ctx, &lower, out, origin);
    if (st != MGC_OK) goto done;
    for (uint32_t e = 0; e < nnz; e++) origin[e] = place[origin[e]];
    for (uint32_t e = 0; e < nnz; e++) place[origin[e]] = e;
done:
    mgc__csc_free(ctx, &lower);
    mgc__free(ctx, origin);
    return st;
}

/* Scratch of the search. */
typedef struct search {
    mgc_ctx *ctx;
    const mgc__csc *k;
    uint32_t *best, *best_parent, *best_count; /* the best so far: its order, tree and column counts */
    uint32_t *trial, *inverse, *parent, *count, *mark, *place;
    double operations;
} search;

/* Count the operations of the trial order; keep it if it is the best so far. */
static mgc_status try_order(search *s)
{
    uint32_t n = s->k->cols;
    double operations = 0.0;
    mgc__csc p;
    mgc_status st;

    for (uint32_t i = 0; i < n; i++) s->inverse[s->trial[i]] = i;
    st = mgc__permute_upper(s->ctx, s->k, s->inverse, &p, s->place);
    if (st != MGC_OK) return st;
    mgc__etree(&p, s->parent, s->mark);
    mgc__column_counts(&p, s->parent, s->count, s->mark);
    mgc__csc_free(s->ctx, &p);
    for (uint32_t j = 0; j < n; j++) operations += 0.5 * (double)s->count[j] * ((double)s->count[j] + 3.0);
    if (operations < s->operations) {
        s->operations = operations;
        memcpy(s->best, s->trial, n * sizeof *s->best);
        memcpy(s->best_parent, s->parent, n * sizeof *s->best_parent);
        memcpy(s->best_count, s->count, n * sizeof *s->best_count);
    }
    return MGC_OK;
}

/* Minimum degree on a random numbering; the seed is fixed, so the same pattern gets the same order. */
static mgc_status try_shuffled(search *s, mgc__rng *rng)
{
    uint32_t n = s->k->cols, *shuffle = s->count, *inner = s->parent;
    mgc__csc p;
    mgc_status st;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t j = (uint32_t)mgc__rng_below(rng, (uint64_t)i + 1);

        shuffle[i] = shuffle[j];
        shuffle[j] = i;
    }
    for (uint32_t i = 0; i < n; i++) s->inverse[shuffle[i]] = i;
    st = mgc__permute_upper(s->ctx, s->k, s->inverse, &p, s->place);
    if (st != MGC_OK) return st;
    st = mgc__order_amd(s->ctx, &p, inner);
    mgc__csc_free(s->ctx, &p);
    for (uint32_t i = 0; st == MGC_OK && i < n; i++) s->trial[i] = shuffle[inner[i]];
    return st == MGC_OK ? try_order(s) : st;
}

/* Arrow: what all scenarios share comes last, each scenario is cut in time; and the same with the shared part
 * inside. */
static const double dense_limits[] = {8.0, 16.0};

mgc_status mgc__order_best(mgc_ctx *ctx, const mgc__csc *k, bool thorough, uint32_t *perm, uint32_t *parent, uint32_t *count)
{
    size_t n = k->cols;
    uint32_t *block = mgc__alloc(ctx, 5 * n + k->start[n], sizeof *block);
    search s = {.ctx = ctx, .k = k, .best = perm, .best_parent = parent, .best_count = count, .operations = 1e300};
    mgc__rng rng;
    mgc_status st;

    if (!block) return mgc__no_memory(ctx, "an elimination order");
    s.trial = block;
    s.inverse = s.trial + n;
    s.parent = s.inverse + n;
    s.count = s.parent + n;
    s.mark = s.count + n;
    s.place = s.mark + n;
    st = mgc__order_amd(ctx, k, s.trial);
    if (st == MGC_OK) st = try_order(&s);
    mgc__rng_seed(&rng, 1);
    if (st == MGC_OK && thorough && s.operations > CHEAP) {
        for (size_t i = 0; i < MGC__COUNT(dense_limits) && st == MGC_OK; i++) {
            st = mgc__order_dissect(ctx, k, dense_limits[i], k->cols, s.trial);
            if (st == MGC_OK) st = try_order(&s);
        }
        for (uint32_t i = 0; i < SHUFFLES && st == MGC_OK; i++) st = try_shuffled(&s, &rng);
    }
    mgc__free(ctx, block);
    return st;
}
