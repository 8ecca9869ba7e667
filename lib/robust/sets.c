/* SPDX-License-Identifier: Apache-2.0 */
/* The ambiguity set's door: radii, levels, distances, and which sets may be intersected. */
#include <math.h>

#include "robust/robust.h"

/* The oracle of a Wasserstein ball with other sets is a linear program over all pairs. */
enum { MIXED_MAX = 256 };

static mgc_status set_radius(mgc_twostage *ts, double *slot, const char *what, double radius)
{
    if (isnan(radius)) return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: radius of %s is not a number", what);
    *slot = radius < 0 ? -1 : radius;
    mgc__ts_reshape(ts);
    return MGC_OK;
}

mgc_status mgc_twostage_set_norm1(mgc_twostage *ts, double radius)
{
    return ts == NULL ? MGC_E_INVALID_ARG : set_radius(ts, &ts->norm1, "norm 1", radius);
}

mgc_status mgc_twostage_set_norm_inf(mgc_twostage *ts, double radius)
{
    return ts == NULL ? MGC_E_INVALID_ARG : set_radius(ts, &ts->norm_inf, "norm infinity", radius);
}

mgc_status mgc_twostage_set_kl(mgc_twostage *ts, double radius)
{
    return ts == NULL ? MGC_E_INVALID_ARG : set_radius(ts, &ts->kl, "the Kullback-Leibler ball", radius);
}

mgc_status mgc_twostage_set_chi2(mgc_twostage *ts, double radius)
{
    return ts == NULL ? MGC_E_INVALID_ARG : set_radius(ts, &ts->chi2, "the chi-square ball", radius);
}

mgc_status mgc_twostage_set_cvar(mgc_twostage *ts, double level)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    if (!(level < 1))
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG,
                         "robust: level of the conditional value at risk is %g; must be below 1", level);
    return set_radius(ts, &ts->cvar, "the conditional value at risk", level);
}

mgc_status mgc_twostage_set_worst_case(mgc_twostage *ts, int32_t on)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    if (on != 0 && on != 1)
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: worst case is %d; must be 0 or 1", (int)on);
    ts->worst_case = (uint32_t)on;
    mgc__ts_reshape(ts);
    return MGC_OK;
}

mgc_status mgc_twostage_set_oracle(mgc_twostage *ts, mgc_oracle_fn oracle, void *user)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    ts->oracle = oracle;
    ts->oracle_user = oracle != NULL ? user : NULL;
    mgc__ts_reshape(ts);
    return MGC_OK;
}

/* --- distances --------------------------------------------------------------------------------------------------- */

void mgc__ts_free_sets(mgc_twostage *ts)
{
    mgc__free(ts->ctx, ts->vectors);
    mgc__free(ts->ctx, ts->vector_weight);
    mgc__free(ts->ctx, ts->distance);
    ts->vectors = ts->vector_weight = ts->distance = NULL;
    ts->dimension = 0;
}

mgc_status mgc_scenario_distances(mgc_ctx *ctx, const double *vectors, uint32_t scenarios, size_t dimension,
                                  const double *weight, double *distance)
{
    if (ctx == NULL || vectors == NULL || distance == NULL) return MGC_E_INVALID_ARG;
    for (uint32_t a = 0; a < scenarios; a++)
        for (uint32_t b = 0; b <= a; b++) {
            const double *x = vectors + a * dimension, *y = vectors + b * dimension;
            double sum = 0;
            for (size_t t = 0; t < dimension; t++) sum += (weight != NULL ? weight[t] : 1) * fabs(x[t] - y[t]);
            if (!isfinite(sum) || sum < 0)
                return mgc__fail(ctx, MGC_E_INVALID_ARG,
                                 "robust: the distance of scenarios %u and %u is %g; vectors and weights must be "
                                 "finite, weights >= 0", b, a, sum);
            distance[a * (size_t)scenarios + b] = distance[b * (size_t)scenarios + a] = sum;
        }
    return MGC_OK;
}

static mgc_status room_for_distances(const mgc_twostage *ts, double **distance)
{
    *distance = NULL;
    if (ts->scenarios > MGC__WASSERSTEIN_MAX)
        return mgc__fail(ts->ctx, MGC_E_LIMIT, "robust: distances of %u scenarios; at most %u", ts->scenarios,
                         MGC__WASSERSTEIN_MAX);
    *distance = mgc__alloc(ts->ctx, (size_t)ts->scenarios * ts->scenarios, sizeof **distance);
    return *distance != NULL ? MGC_OK : mgc__no_memory(ts->ctx, "the distances of scenarios");
}

static mgc_status measure(mgc_twostage *ts)
{
    double *distance;

    if (ts->vectors == NULL)
        return mgc__fail(ts->ctx, MGC_E_STATE,
                         "robust: a Wasserstein ball needs the distances of the scenarios, or their vectors");
    mgc_status st = room_for_distances(ts, &distance);
    if (st == MGC_OK)
        st = mgc_scenario_distances(ts->ctx, ts->vectors, ts->scenarios, ts->dimension, ts->vector_weight, distance);
    if (st != MGC_OK) {
        mgc__free(ts->ctx, distance);
        return st;
    }
    ts->distance = distance;
    return MGC_OK;
}

mgc_status mgc_twostage_set_distances(mgc_twostage *ts, const double *distance)
{
    double *copy;

    if (ts == NULL || distance == NULL) return MGC_E_INVALID_ARG;
    size_t n = ts->scenarios;
    mgc_status st = room_for_distances(ts, &copy);
    for (size_t e = 0; e < n * n && st == MGC_OK; e++) {
        bool own = e / n == e % n;
        if (!(distance[e] >= 0) || !isfinite(distance[e]) || (own && distance[e] != 0))
            st = mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: distance of scenarios %zu and %zu is %g; must be %s",
                           e / n, e % n, distance[e], own ? "0" : "finite and >= 0");
        copy[e] = distance[e];
    }
    if (st != MGC_OK) {
        mgc__free(ts->ctx, copy);
        return st;
    }
    mgc__ts_free_sets(ts);
    ts->distance = copy;
    mgc__ts_reshape(ts);
    return MGC_OK;
}

static mgc_status check_vectors(const mgc_twostage *ts, const double *vectors, size_t dimension, const double *weight)
{
    for (size_t t = 0; t < dimension && weight != NULL; t++)
        if (!(weight[t] >= 0) || !isfinite(weight[t]))
            return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: weight of entry %zu is %g; must be finite and >= 0", t,
                             weight[t]);
    for (size_t e = 0; e < ts->scenarios * dimension; e++)
        if (!isfinite(vectors[e]))
            return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: entry %zu of scenario %zu is %g; must be finite",
                             e % dimension, e / dimension, vectors[e]);
    return MGC_OK;
}

mgc_status mgc_twostage_set_vectors(mgc_twostage *ts, const double *vectors, size_t dimension, const double *weight)
{
    if (ts == NULL || (vectors == NULL && dimension > 0)) return MGC_E_INVALID_ARG;
    mgc_status st = check_vectors(ts, vectors, dimension, weight);
    if (st != MGC_OK) return st;
    double *copy = mgc__alloc(ts->ctx, ts->scenarios * dimension, sizeof *copy);
    double *weights = mgc__alloc(ts->ctx, dimension, sizeof *weights);
    if (copy == NULL || weights == NULL) {
        mgc__free(ts->ctx, copy);
        mgc__free(ts->ctx, weights);
        return mgc__no_memory(ts->ctx, "the vectors of scenarios");
    }
    for (size_t e = 0; e < ts->scenarios * dimension; e++) copy[e] = vectors[e];
    for (size_t t = 0; t < dimension; t++) weights[t] = weight != NULL ? weight[t] : 1;
    mgc__ts_free_sets(ts);
    ts->vectors = copy;
    ts->vector_weight = weights;
    ts->dimension = dimension;
    mgc__ts_reshape(ts);
    return ts->wasserstein >= 0 ? measure(ts) : MGC_OK;
}

mgc_status mgc_twostage_set_wasserstein(mgc_twostage *ts, double radius)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    if (radius >= 0 && ts->distance == NULL) {
        mgc_status st = measure(ts);
        if (st != MGC_OK) return st;
    }
    return set_radius(ts, &ts->wasserstein, "the Wasserstein ball", radius);
}

mgc_status mgc_twostage_get_distances(const mgc_twostage *ts, double *distance, size_t n)
{
    if (ts == NULL || distance == NULL) return MGC_E_INVALID_ARG;
    if (n != (size_t)ts->scenarios * ts->scenarios)
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: %zu distances asked of %u scenarios; there are their square",
                         n, ts->scenarios);
    if (ts->distance == NULL && ts->vectors == NULL)
        return mgc__fail(ts->ctx, MGC_E_STATE, "robust: neither distances nor vectors of the scenarios were given");
    if (ts->distance == NULL)
        return mgc_scenario_distances(ts->ctx, ts->vectors, ts->scenarios, ts->dimension, ts->vector_weight, distance);
    memcpy(distance, ts->distance, n * sizeof *distance);
    return MGC_OK;
}

/* --- which set it is --------------------------------------------------------------------------------------------- */

static mgc_status no_intersection(const mgc_twostage *ts, const char *what, const char *why)
{
    return mgc__fail(ts->ctx, MGC_E_UNSUPPORTED, "robust: %s cannot be intersected with another set: %s; take one away",
                     what, why);
}

mgc_status mgc__ts_family(const mgc_twostage *ts, uint32_t *family)
{
    bool transfer = mgc__ts_has_transfer(ts), ball = ts->wasserstein >= 0, kl = ts->kl >= 0, chi2 = ts->chi2 >= 0;

    if (ts->oracle != NULL) {
        *family = MGC__SET_HOST;
        return transfer || ball || kl || chi2
                   ? no_intersection(ts, "a host's oracle", "its answer says nothing about the rest of its set")
                   : MGC_OK;
    }
    if (kl || chi2) {
        *family = MGC__SET_DIVERGENCE;
        return transfer || ball || (kl && chi2)
                   ? no_intersection(ts, kl ? "the Kullback-Leibler ball" : "the chi-square ball",
                                     "its worst probabilities are those of one multiplier, and another set brings more")
                   : MGC_OK;
    }
    *family = ball && transfer ? MGC__SET_MIXED : ball ? MGC__SET_WASSERSTEIN : MGC__SET_TRANSFER;
    if (*family == MGC__SET_MIXED && ts->scenarios > MIXED_MAX)
        return mgc__fail(ts->ctx, MGC_E_LIMIT,
                         "robust: a Wasserstein ball intersected with other sets over %u scenarios; at most %d",
                         ts->scenarios, MIXED_MAX);
    return MGC_OK;
}
