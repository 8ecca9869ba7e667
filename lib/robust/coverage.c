/* SPDX-License-Identifier: Apache-2.0 */
/* Measured coverage of a radius: what a rule promises, held against draws. */
#include <math.h>

#include "base/base.h"
#include "mgchain/robust.h"

enum { DRAWS_MAX = 10000000 }; /* a standard error of 2e-4; more would only take time */

static mgc_status check(mgc_ctx *ctx, uint32_t norm, double radius, const double *p, uint32_t scenarios, uint32_t samples, uint32_t draws)
{
    double sum = 0;

    if (norm > 1 || !(radius >= 0))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: coverage of norm %u, radius %g; norm must be 0 or 1, the radius >= 0", norm,
                         radius);
    if (scenarios < 1 || samples < 1 || draws < 1 || draws > DRAWS_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: coverage by %u draws of %u samples of %u scenarios; each must be at least 1, "
                         "draws at most %d", draws, samples, scenarios, DRAWS_MAX);
    for (uint32_t k = 0; k < scenarios; k++) {
        if (!(p[k] >= 0)) return mgc__fail(ctx, MGC_E_PROBABILITY, "robust: probability %u is %g; must be >= 0", k, p[k]);
        sum += p[k];
    }
    if (fabs(sum - 1) > 1e-6) return mgc__fail(ctx, MGC_E_PROBABILITY, "robust: the probabilities sum to %.9g; must sum to 1", sum);
    return MGC_OK;
}

/* The scenario that a uniform number falls to; cumulative ends at 1. */
static uint32_t scenario_of(const double *cumulative, uint32_t n, double u)
{
    uint32_t low = 0, high = n - 1;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (u < cumulative[middle]) high = middle;
        else low = middle + 1;
    }
    return low;
}

static double distance(uint32_t norm, const double *p, const uint32_t *count, uint32_t n, uint32_t samples)
{
    double sum = 0, most = 0;

    for (uint32_t k = 0; k < n; k++) {
        double apart = fabs(count[k] / (double)samples - p[k]);
        sum += apart;
        most = fmax(most, apart);
    }
    return norm == 1 ? sum : most;
}

mgc_status mgc_radius_coverage(mgc_ctx *ctx, uint32_t norm, double radius, const double *probability, uint32_t scenarios,
                               uint32_t samples, uint32_t draws, uint64_t seed, double *covered)
{
    uint32_t within = 0;
    mgc__rng rng;

    if (ctx == NULL || probability == NULL || covered == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check(ctx, norm, radius, probability, scenarios, samples, draws);
    if (st != MGC_OK) return st;
    double *cumulative = mgc__alloc(ctx, scenarios, sizeof *cumulative);
    uint32_t *count = mgc__alloc(ctx, scenarios, sizeof *count);
    if (cumulative == NULL || count == NULL) st = mgc__no_memory(ctx, "robust: a coverage");
    for (uint32_t k = 0; st == MGC_OK && k < scenarios; k++) cumulative[k] = probability[k] + (k > 0 ? cumulative[k - 1] : 0);
    mgc__rng_seed(&rng, seed);
    for (uint32_t i = 0; st == MGC_OK && i < draws; i++) {
        memset(count, 0, scenarios * sizeof *count);
        for (uint32_t m = 0; m < samples; m++) count[scenario_of(cumulative, scenarios, mgc__rng_unit(&rng))]++;
        within += distance(norm, probability, count, scenarios, samples) <= radius;
    }
    if (st == MGC_OK) *covered = within / (double)draws;
    mgc__free(ctx, cumulative);
    mgc__free(ctx, count);
    return st;
}
