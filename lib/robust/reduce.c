/* SPDX-License-Identifier: Apache-2.0 */
/* From many joint samples to few scenarios, doc/math/robust.md section 10.
 *
 * The sum of the distances of samples to their scenarios is the Wasserstein (Kantorovich) distance of first order between
 * the empirical distribution and the reduced one, whose best probabilities are the shares of nearest samples
 * (Dupacova, Groewe-Kuska, Roemisch 2003, theorem 2).  Choosing the scenarios that minimise it is the k-medoids problem.
 *   forward selection  greedy, one scenario after the other (Heitsch and Roemisch 2003, algorithm 2.4)
 *   k-medoids          exchanges one scenario for one sample as long as that helps, all K removals judged in one pass over
 *                      the samples and taken at once (Schubert and Rousseeuw 2021, FasterPAM), from the greedy choice
 *                      and from random ones; the best of all is kept. */
#include <math.h>

#include "robust/robust.h"

/* The matrix of distances of 8192 samples takes 512 MiB; years of days are well below. */
#define SAMPLES_MAX 8192u
/* Starts beside the greedy one.  Chosen; time grows in proportion. */
enum { RANDOM_STARTS = 8 };
/* A smaller gain, relative to the total, may be rounding: taking it could exchange for ever. */
static const double gain_floor = 1e-12;

typedef struct reduction {
    size_t n;
    uint32_t k;
    double *distance;            /* n x n */
    uint32_t *medoid;            /* k: sample that is scenario i */
    uint32_t *nearest, *second;  /* n: scenario */
    double *d1, *d2;             /* n: distances to them; d2 INFINITY where k is 1 */
    double *loss, *delta;        /* k */
    uint8_t *chosen;             /* n */
    uint32_t *best, *order;      /* k, n */
} reduction;

static void free_reduction(mgc_ctx *ctx, reduction *r)
{
    mgc__free(ctx, r->distance);
    mgc__free(ctx, r->medoid);
    mgc__free(ctx, r->nearest);
    mgc__free(ctx, r->second);
    mgc__free(ctx, r->d1);
    mgc__free(ctx, r->d2);
    mgc__free(ctx, r->loss);
    mgc__free(ctx, r->delta);
    mgc__free(ctx, r->chosen);
    mgc__free(ctx, r->best);
    mgc__free(ctx, r->order);
}

static mgc_status alloc_reduction(mgc_ctx *ctx, reduction *r)
{
    r->distance = mgc__alloc(ctx, r->n * r->n, sizeof *r->distance);
    r->medoid = mgc__alloc(ctx, r->k, sizeof *r->medoid);
    r->nearest = mgc__alloc(ctx, r->n, sizeof *r->nearest);
    r->second = mgc__alloc(ctx, r->n, sizeof *r->second);
    r->d1 = mgc__alloc(ctx, r->n, sizeof *r->d1);
    r->d2 = mgc__alloc(ctx, r->n, sizeof *r->d2);
    r->loss = mgc__alloc(ctx, r->k, sizeof *r->loss);
    r->delta = mgc__alloc(ctx, r->k, sizeof *r->delta);
    r->chosen = mgc__alloc(ctx, r->n, sizeof *r->chosen);
    r->best = mgc__alloc(ctx, r->k, sizeof *r->best);
    r->order = mgc__alloc(ctx, r->n, sizeof *r->order);
    bool all = r->distance != NULL && r->medoid != NULL && r->nearest != NULL && r->second != NULL && r->d1 != NULL &&
               r->d2 != NULL && r->loss != NULL && r->delta != NULL && r->chosen != NULL && r->best != NULL &&
               r->order != NULL;
    return all ? MGC_OK : mgc__fail(ctx, MGC_E_NO_MEMORY, "robust: no memory to reduce %zu samples", r->n);
}

/* sum_t weight_t |a_t - b_t| */
static double distance(const double *a, const double *b, const double *weight, size_t dimension)
{
    double sum = 0;

    for (size_t t = 0; t < dimension; t++) sum += (weight != NULL ? weight[t] : 1) * fabs(a[t] - b[t]);
    return sum;
}

static mgc_status fill_distances(mgc_ctx *ctx, reduction *r, const double *samples, size_t dimension,
                                 const double *weight)
{
    for (size_t a = 0; a < r->n; a++)
        for (size_t b = 0; b < a; b++) {
            double d = distance(samples + a * dimension, samples + b * dimension, weight, dimension);
            if (!isfinite(d))
                return mgc__fail(ctx, MGC_E_INVALID_ARG,
                                 "robust: the distance of samples %zu and %zu overflows; scale them", b, a);
            r->distance[a * r->n + b] = r->distance[b * r->n + a] = d;
        }
    return MGC_OK;
}

/* Greedy: each time the sample that lowers the total most; of equals the first. */
static void select_forward(reduction *r)
{
    size_t n = r->n;

    memset(r->chosen, 0, n);
    for (size_t o = 0; o < n; o++) r->d1[o] = INFINITY;
    for (uint32_t i = 0; i < r->k; i++) {
        double least = INFINITY;
        size_t at = n;
        for (size_t c = 0; c < n; c++) {
            double total = 0;
            if (r->chosen[c]) continue;
            for (size_t o = 0; o < n; o++) total += fmin(r->d1[o], r->distance[c * n + o]);
            if (total < least || at == n) {
                least = total;
                at = c;
            }
        }
        r->medoid[i] = (uint32_t)at;
        r->chosen[at] = 1;
        for (size_t o = 0; o < n; o++) r->d1[o] = fmin(r->d1[o], r->distance[at * n + o]);
    }
}

/* The first k of a random order. */
static void select_random(reduction *r, mgc__rng *rng)
{
    memset(r->chosen, 0, r->n);
    for (size_t o = 0; o < r->n; o++) r->order[o] = (uint32_t)o;
    for (uint32_t i = 0; i < r->k; i++) {
        size_t at = i + (size_t)mgc__rng_below(rng, r->n - i);
        uint32_t sample = r->order[at];
        r->order[at] = r->order[i];
        r->order[i] = r->medoid[i] = sample;
        r->chosen[sample] = 1;
    }
}

/* Nearest and second nearest scenario of sample o.  A scenario's own sample belongs to it, also where another scenario is
 * as near; of other equals the first. */
static void assign_one(reduction *r, size_t o)
{
    r->d1[o] = r->d2[o] = INFINITY;
    r->nearest[o] = r->second[o] = 0;
    for (uint32_t i = 0; i < r->k; i++) {
        double d = r->distance[r->medoid[i] * r->n + o];
        if (d < r->d1[o] || r->medoid[i] == o) {
            r->d2[o] = r->d1[o];
            r->second[o] = r->nearest[o];
            r->d1[o] = d;
            r->nearest[o] = i;
        } else if (d < r->d2[o]) {
            r->d2[o] = d;
            r->second[o] = i;
        }
    }
}

static double assign_all(reduction *r)
{
    double total = 0;

    for (uint32_t i = 0; i < r->k; i++) r->loss[i] = 0;
    for (size_t o = 0; o < r->n; o++) {
        assign_one(r, o);
        total += r->d1[o];
        r->loss[r->nearest[o]] += r->d2[o] - r->d1[o];
    }
    return total;
}

/* Change of the total if candidate c takes the place of the best scenario to remove; that one goes to *out. */
static double best_exchange(reduction *r, size_t c, uint32_t *out)
{
    const double *to_c = r->distance + c * r->n;
    double gain = 0;

    memcpy(r->delta, r->loss, r->k * sizeof *r->delta);
    for (size_t o = 0; o < r->n; o++) {
        if (to_c[o] < r->d1[o]) {
            gain += to_c[o] - r->d1[o];
            r->delta[r->nearest[o]] += r->d1[o] - r->d2[o];
        } else if (to_c[o] < r->d2[o]) {
            r->delta[r->nearest[o]] += to_c[o] - r->d2[o];
        }
    }
    *out = 0;
    for (uint32_t i = 1; i < r->k; i++)
        if (r->delta[i] < r->delta[*out]) *out = i;
    return gain + r->delta[*out];
}

/* Exchanges until a whole round of candidates brings none.  Each lowers the total by a share of it, so it ends. */
static double exchange(reduction *r)
{
    double total = assign_all(r);
    size_t idle = 0;

    if (r->k == 1 || r->k == r->n) return total;
    for (size_t c = 0; idle < r->n; c = c + 1 < r->n ? c + 1 : 0, idle++) {
        uint32_t out;
        if (r->chosen[c] || best_exchange(r, c, &out) >= -gain_floor * total) continue;
        r->chosen[r->medoid[out]] = 0;
        r->medoid[out] = (uint32_t)c;
        r->chosen[c] = 1;
        total = assign_all(r);
        idle = 0;
    }
    return total;
}

static void medoids(reduction *r, uint64_t seed)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, seed);
    select_forward(r);
    double least = exchange(r);
    memcpy(r->best, r->medoid, r->k * sizeof *r->best);
    for (int start = 0; start < RANDOM_STARTS && r->k > 1 && r->k < r->n; start++) {
        select_random(r, &rng);
        double total = exchange(r);
        if (total >= least * (1 - gain_floor)) continue;
        least = total;
        memcpy(r->best, r->medoid, r->k * sizeof *r->best);
    }
    memcpy(r->medoid, r->best, r->k * sizeof *r->best);
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static mgc_status check_samples(mgc_ctx *ctx, const double *samples, size_t n, size_t dimension, const double *weight,
                                uint32_t n_scenarios)
{
    if (n == 0 || n_scenarios == 0 || n_scenarios > n)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: %u scenarios asked of %zu samples; must be 1..samples",
                         n_scenarios, n);
    if (n > SAMPLES_MAX)
        return mgc__fail(ctx, MGC_E_LIMIT, "robust: %zu samples to reduce; at most %u", n, SAMPLES_MAX);
    for (size_t t = 0; t < dimension && weight != NULL; t++)
        if (!isfinite(weight[t]) || weight[t] < 0)
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: weight of dimension %zu is %g; must be >= 0", t,
                             weight[t]);
    for (size_t i = 0; i < n; i++)
        for (size_t t = 0; t < dimension; t++)
            if (!isfinite(samples[i * dimension + t]))
                return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: sample %zu is %g in dimension %zu; must be finite",
                                 i, samples[i * dimension + t], t);
    return MGC_OK;
}

static void write_reduction(reduction *r, uint32_t *medoid, double *probability, uint32_t *assignment)
{
    qsort(r->medoid, r->k, sizeof *r->medoid, ascending);
    assign_all(r);
    memcpy(medoid, r->medoid, r->k * sizeof *medoid);
    for (uint32_t i = 0; i < r->k; i++) probability[i] = 0;
    for (size_t o = 0; o < r->n; o++) {
        probability[r->nearest[o]] += 1;
        if (assignment != NULL) assignment[o] = r->nearest[o];
    }
    for (uint32_t i = 0; i < r->k; i++) probability[i] /= (double)r->n;
}

mgc_status mgc_scenarios_reduce(mgc_ctx *ctx, const double *samples, size_t n_samples, size_t dimension,
                                const double *weight, const char *method, uint32_t n_scenarios, uint64_t seed,
                                uint32_t *medoid, double *probability, uint32_t *assignment)
{
    reduction r = {.n = n_samples, .k = n_scenarios};

    if (ctx == NULL || samples == NULL || medoid == NULL || probability == NULL) return MGC_E_INVALID_ARG;
    bool forward = method != NULL && strcmp(method, "forward-selection") == 0;
    if (method != NULL && !forward && strcmp(method, "k-medoids") != 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: reduction method is \"%s\"; known are \"k-medoids\" and "
                                                 "\"forward-selection\"", method);
    mgc_status st = check_samples(ctx, samples, n_samples, dimension, weight, n_scenarios);
    if (st != MGC_OK) return st;
    st = alloc_reduction(ctx, &r);
    if (st == MGC_OK) st = fill_distances(ctx, &r, samples, dimension, weight);
    if (st == MGC_OK) {
        if (forward)
            select_forward(&r);
        else
            medoids(&r, seed);
        write_reduction(&r, medoid, probability, assignment);
    }
    free_reduction(ctx, &r);
    return st;
}
