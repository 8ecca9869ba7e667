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
