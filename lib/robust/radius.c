/* SPDX-License-Identifier: Apache-2.0 */
/* Radii that data justify, doc/math/robust.md section 9. */
#include <math.h>

#include "robust/robust.h"

static mgc_status check_radius(mgc_ctx *ctx, uint32_t scenarios, uint32_t samples, double confidence, double *radius)
{
    if (ctx == NULL || radius == NULL) return MGC_E_INVALID_ARG;
    if (scenarios == 0 || samples == 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: %u scenarios and %u samples; both must be at least 1",
                         scenarios, samples);
    if (!(confidence > 0 && confidence < 1))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: confidence is %g; must be between 0 and 1", confidence);
    return MGC_OK;
}

static mgc_status unknown_rule(mgc_ctx *ctx, const char *norm, const char *rule, const char *first,
                               const char *second)
{
    return mgc__fail(ctx, MGC_E_INVALID_ARG,
                     "robust: rule for the radius of %s is \"%s\"; known are \"%s\" and \"%s\"", norm, rule, first,
                     second);
}

mgc_status mgc_radius_norm1(mgc_ctx *ctx, const char *rule, uint32_t scenarios, uint32_t samples, double confidence,
                            double *radius)
{
    mgc_status st = check_radius(ctx, scenarios, samples, confidence, radius);
    double k = scenarios, m = samples;

    if (st != MGC_OK) return st;
    if (rule == NULL || strcmp(rule, "weissman") == 0) {
        /* ln(2^K - 2) = K ln 2 + ln(1 - 2^(1-K)), which no K overflows; one scenario leaves nothing to doubt. */
        double events = k * log(2) + log1p(-exp2(1 - k));
        *radius = scenarios == 1 ? 0 : sqrt(2 / m * (events - log1p(-confidence)));
    } else if (strcmp(rule, "zhao_guan") == 0) {
        *radius = k / (2 * m) * (log(2 * k) - log1p(-confidence));
    } else {
        return unknown_rule(ctx, "norm 1", rule, "weissman", "zhao_guan");
    }
    return MGC_OK;
}

mgc_status mgc_radius_norm_inf(mgc_ctx *ctx, const char *rule, uint32_t scenarios, uint32_t samples,
                               double confidence, double *radius)
{
    mgc_status st = check_radius(ctx, scenarios, samples, confidence, radius);
    double m = samples, deviations = log(2 * (double)scenarios) - log1p(-confidence);

    if (st != MGC_OK) return st;
    if (rule == NULL || strcmp(rule, "hoeffding") == 0)
        *radius = sqrt(deviations / (2 * m));
    else if (strcmp(rule, "zhao_guan") == 0)
        *radius = deviations / (2 * m);
    else
        return unknown_rule(ctx, "norm infinity", rule, "hoeffding", "zhao_guan");
    return MGC_OK;
}

mgc_status mgc_radius_wasserstein(mgc_ctx *ctx, const char *rule, uint32_t scenarios, double diameter, uint32_t samples,
                                  double confidence, double *radius)
{
    mgc_status st = check_radius(ctx, scenarios, samples, confidence, radius);

    if (st != MGC_OK) return st;
    if (!(diameter >= 0) || !isfinite(diameter))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: diameter is %g; must be finite and >= 0", diameter);
    if (rule == NULL || strcmp(rule, "weissman") == 0) {
        /* Nothing moves further than the diameter, and half the norm is all that moves. */
        st = mgc_radius_norm1(ctx, NULL, scenarios, samples, confidence, radius);
        if (st == MGC_OK) *radius = diameter * fmin(*radius / 2, 1);
    } else if (strcmp(rule, "zhao_guan") == 0) {
        *radius = diameter * sqrt(-2 * log1p(-confidence) / samples);
    } else {
        return unknown_rule(ctx, "the Wasserstein ball", rule, "weissman", "zhao_guan");
    }
    return st;
}

/* --- bootstrap --------------------------------------------------------------------------------------------------- */

enum { RESAMPLES_DEFAULT = 999, RESAMPLES_MAX = 1000000 };
enum { SET_NORM1, SET_NORM_INF, SET_WASSERSTEIN, SET_KL, SET_CHI2, SET_COUNT };

typedef struct bootstrap {
    const double *p0, *distance;
    uint32_t set, n, samples;
    double *cumulative, *p, *found, *work;
    uint32_t *count, *index_work;
} bootstrap;

static mgc_status check_bootstrap(mgc_ctx *ctx, const char *set, const double *p0, uint32_t n, const double *distance,
                                  uint32_t resamples, uint32_t *which)
{
    static const char *const names[SET_COUNT] = {"norm1", "norm_inf", "wasserstein", "kl", "chi2"};
    double sum = 0;

    for (*which = 0; *which < SET_COUNT && strcmp(set, names[*which]) != 0;) ++*which;
    if (*which == SET_COUNT)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: bootstrap of the set \"%.40s\"; known are norm1, norm_inf, "
                                                 "wasserstein, kl and chi2", set);
    if (*which == SET_WASSERSTEIN && distance == NULL)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: the bootstrap of a Wasserstein ball needs distances");
    if (n > MGC__WASSERSTEIN_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: bootstrap over %u scenarios; at most %u", n, MGC__WASSERSTEIN_MAX);
    if (resamples > RESAMPLES_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: %u resamples; at most %d", resamples, RESAMPLES_MAX);
    for (uint32_t k = 0; k < n; k++) {
        if (!(p0[k] >= 0) || !isfinite(p0[k]))
            return mgc__fail(ctx, MGC_E_PROBABILITY, "robust: probability of scenario %u is %g; must be >= 0", k, p0[k]);
        sum += p0[k];
    }
    for (size_t e = 0; *which == SET_WASSERSTEIN && e < (size_t)n * n; e++)
        if (!(distance[e] >= 0) || !isfinite(distance[e]))
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: distance of scenarios %zu and %zu is %g; must be finite and >= 0",
                             e / n, e % n, distance[e]);
    return fabs(sum - 1) <= 1e-6 ? MGC_OK
                                 : mgc__fail(ctx, MGC_E_PROBABILITY, "robust: probabilities sum to %.9g; must be 1", sum);
}

/* Frequencies of as many draws as there were samples. */
static void resample(bootstrap *b, mgc__rng *rng)
{
    memset(b->count, 0, b->n * sizeof *b->count);
    for (uint32_t m = 0; m < b->samples; m++) {
        double u = mgc__rng_unit(rng) * b->cumulative[b->n - 1];
        uint32_t low = 0, high = b->n - 1;
        while (low < high) {
            uint32_t mid = low + (high - low) / 2;
            if (u < b->cumulative[mid])
                high = mid;
            else
                low = mid + 1;
        }
        b->count[low]++;
    }
    for (uint32_t k = 0; k < b->n; k++) b->p[k] = b->count[k] / (double)b->samples;
}

static double distance_of(const bootstrap *b)
{
    double sum = 0, most = 0, kl = 0, chi2 = 0;

    if (b->set == SET_WASSERSTEIN) return mgc__transport(b->n, b->distance, b->p0, b->p, b->work, b->index_work);
    for (uint32_t k = 0; k < b->n; k++) {
        double by = b->p[k] - b->p0[k];
        sum += fabs(by);
        most = fmax(most, fabs(by));
        if (b->p0[k] > 0) chi2 += by * by / b->p0[k];
        if (b->p[k] > 0) kl += b->p[k] * log(b->p[k] / b->p0[k]);
    }
    return b->set == SET_NORM1 ? sum : b->set == SET_NORM_INF ? most : b->set == SET_KL ? fmax(kl, 0) : chi2;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void free_bootstrap(mgc_ctx *ctx, bootstrap *b)
{
    mgc__free(ctx, b->cumulative);
    mgc__free(ctx, b->p);
    mgc__free(ctx, b->found);
    mgc__free(ctx, b->work);
    mgc__free(ctx, b->count);
    mgc__free(ctx, b->index_work);
}

static mgc_status alloc_bootstrap(mgc_ctx *ctx, uint32_t resamples, bootstrap *b)
{
    size_t n = b->n, pairs = b->set == SET_WASSERSTEIN ? n * n : 0;

    b->cumulative = mgc__alloc(ctx, n, sizeof *b->cumulative);
    b->p = mgc__alloc(ctx, n, sizeof *b->p);
    b->found = mgc__alloc(ctx, resamples, sizeof *b->found);
    b->work = mgc__alloc(ctx, pairs + MGC__TRANSPORT_WORK * n, sizeof *b->work);
    b->count = mgc__alloc(ctx, n, sizeof *b->count);
    b->index_work = mgc__alloc(ctx, MGC__TRANSPORT_INDEX * n, sizeof *b->index_work);
    if (b->cumulative == NULL || b->p == NULL || b->found == NULL || b->work == NULL || b->count == NULL ||
        b->index_work == NULL)
        return mgc__no_memory(ctx, "a bootstrap");
    for (size_t k = 0; k < n; k++) b->cumulative[k] = b->p0[k] + (k > 0 ? b->cumulative[k - 1] : 0);
    return MGC_OK;
}

/* Efron (1979); the quantile is the order statistic ceil(c (B + 1)), which does not understate. */
mgc_status mgc_radius_bootstrap(mgc_ctx *ctx, const char *set, const double *probability, uint32_t scenarios,
                                const double *distance, uint32_t samples, double confidence, uint32_t resamples, uint64_t seed,
                                double *radius)
{
    mgc_status st = check_radius(ctx, scenarios, samples, confidence, radius);
    bootstrap b = {.p0 = probability, .distance = distance, .n = scenarios, .samples = samples};
    mgc__rng rng;

    if (st != MGC_OK) return st;
    if (set == NULL || probability == NULL) return MGC_E_INVALID_ARG;
    if (resamples == 0) resamples = RESAMPLES_DEFAULT;
    st = check_bootstrap(ctx, set, probability, scenarios, distance, resamples, &b.set);
    if (st != MGC_OK) return st;
    st = alloc_bootstrap(ctx, resamples, &b);
    mgc__rng_seed(&rng, seed);
    for (uint32_t i = 0; i < resamples && st == MGC_OK; i++) {
        resample(&b, &rng);
        b.found[i] = distance_of(&b);
    }
    if (st == MGC_OK) {
        qsort(b.found, resamples, sizeof *b.found, ascending);
        double rank = ceil(confidence * (resamples + 1.0));
        *radius = b.found[rank > resamples ? resamples - 1 : (uint32_t)rank - 1];
    }
    free_bootstrap(ctx, &b);
    return st;
}
