/* SPDX-License-Identifier: Apache-2.0 */
/* What scenarios keep of their samples: moments, dependence, and the distance of the two distributions. */
#include <math.h>

#include "robust/robust.h"

typedef struct field {
    const double *samples, *p;
    size_t n, series, periods;
    double *mean; /* series x periods: of each value */
} field;

static double at(const field *f, size_t sample, size_t s, size_t t)
{
    return f->samples[(sample * f->series + s) * f->periods + t] - f->mean[s * f->periods + t];
}

/* Sum over the periods t of the covariance of series a at t and series b at t + lag. */
static double covariance(const field *f, size_t a, size_t b, size_t lag)
{
    double sum = 0;

    for (size_t i = 0; i < f->n; i++)
        for (size_t t = 0; t + lag < f->periods; t++) sum += f->p[i] * at(f, i, a, t) * at(f, i, b, t + lag);
    return sum;
}

/* Sum of the variances of series s over periods from..to. */
static double variance(const field *f, size_t s, size_t from, size_t to)
{
    double sum = 0;

    for (size_t i = 0; i < f->n; i++)
        for (size_t t = from; t < to; t++) sum += f->p[i] * at(f, i, s, t) * at(f, i, s, t);
    return sum;
}

static double over_root(double covariance, double a, double b)
{
    return a > 0 && b > 0 ? fmin(fmax(covariance / sqrt(a * b), -1), 1) : 0;
}

static mgc_status check_field(mgc_ctx *ctx, const double *samples, size_t n, size_t dimension, const double *p)
{
    double sum = 0;

    for (size_t e = 0; e < n * dimension; e++)
        if (!isfinite(samples[e]))
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: sample %zu is %g in dimension %zu; must be finite",
                             e / dimension, samples[e], e % dimension);
    for (size_t i = 0; i < n && p != NULL; i++) {
        if (!(p[i] >= 0) || !isfinite(p[i]))
            return mgc__fail(ctx, MGC_E_PROBABILITY, "robust: probability of sample %zu is %g; must be >= 0", i, p[i]);
        sum += p[i];
    }
    if (n == 0 || dimension == 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: %zu samples of %zu values; both must be at least 1", n, dimension);
    return p == NULL || fabs(sum - 1) <= 1e-6
               ? MGC_OK
               : mgc__fail(ctx, MGC_E_PROBABILITY, "robust: probabilities sum to %.9g; must be 1", sum);
}

static void fill_moments(const field *f, double *mean, double *deviation, double *autocorrelation, double *correlation)
{
    double periods = (double)f->periods;

    for (size_t s = 0; s < f->series; s++) {
        double whole = variance(f, s, 0, f->periods), sum = 0;
        for (size_t t = 0; t < f->periods; t++) sum += f->mean[s * f->periods + t];
        if (mean != NULL) mean[s] = sum / periods;
        if (deviation != NULL) deviation[s] = sqrt(whole / periods);
        if (autocorrelation != NULL)
            autocorrelation[s] = over_root(covariance(f, s, s, 1), variance(f, s, 0, f->periods - 1),
                                           variance(f, s, 1, f->periods));
        for (size_t o = 0; correlation != NULL && o < f->series; o++)
            correlation[s * f->series + o] =
                over_root(covariance(f, s, o, 0), whole, variance(f, o, 0, f->periods));
    }
}

mgc_status mgc_scenarios_moments(mgc_ctx *ctx, const double *samples, size_t n_samples, size_t series, size_t periods,
                                 const double *probability, double *mean, double *deviation, double *autocorrelation,
                                 double *correlation)
{
    size_t dimension = series * periods;

    if (ctx == NULL || samples == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_field(ctx, samples, n_samples, dimension, probability);
    if (st != MGC_OK) return st;
    double *p = mgc__alloc(ctx, n_samples, sizeof *p), *centre = mgc__alloc(ctx, dimension, sizeof *centre);
    if (p == NULL || centre == NULL) {
        st = mgc__no_memory(ctx, "moments");
    } else {
        for (size_t i = 0; i < n_samples; i++) {
            p[i] = probability != NULL ? probability[i] : 1 / (double)n_samples;
            for (size_t d = 0; d < dimension; d++) centre[d] += p[i] * samples[i * dimension + d];
        }
        field f = {.samples = samples, .p = p, .n = n_samples, .series = series, .periods = periods, .mean = centre};
        fill_moments(&f, mean, deviation, autocorrelation, correlation);
    }
    mgc__free(ctx, p);
    mgc__free(ctx, centre);
    return st;
}

mgc_status mgc_scenarios_distance(mgc_ctx *ctx, const double *samples, size_t n_samples, size_t dimension,
                                  const double *weight, const uint32_t *medoid, uint32_t n_scenarios, double *distance)
{
    double sum = 0;

    if (ctx == NULL || samples == NULL || medoid == NULL || distance == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_field(ctx, samples, n_samples, dimension, NULL);
    for (uint32_t k = 0; k < n_scenarios && st == MGC_OK; k++)
        if (medoid[k] >= n_samples)
            st = mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: scenario %u is sample %u; there are %zu", k, medoid[k], n_samples);
    if (st == MGC_OK && n_scenarios == 0) st = mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: no scenarios to measure");
    if (st != MGC_OK) return st;
    for (size_t i = 0; i < n_samples; i++) {
        double least = INFINITY;
        for (uint32_t k = 0; k < n_scenarios; k++) {
            const double *a = samples + i * dimension, *b = samples + medoid[k] * dimension;
            double apart = 0;
            for (size_t d = 0; d < dimension; d++) apart += (weight != NULL ? weight[d] : 1) * fabs(a[d] - b[d]);
            least = fmin(least, apart);
        }
        sum += least;
    }
    *distance = sum / (double)n_samples;
    return MGC_OK;
}
