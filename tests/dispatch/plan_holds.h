/* SPDX-License-Identifier: Apache-2.0 */
/* Tests only: what can be asked of a plan that a limit cut short, which need not be the best: does it keep (4), the recurrence of
 * every storage?  And a clock by which time limits run out call by call. */
#ifndef TESTS_PLAN_HOLDS_H
#define TESTS_PLAN_HOLDS_H

#include <math.h>
#include <string.h>

#include "mgchain/dispatch.h"

/* A millisecond for each look. */
static uint64_t ticking_ms(void *user)
{
    uint64_t *ticks = user;
    return ++*ticks;
}

static double setting_of(const mgc_device *device, const char *key, double otherwise)
{
    double value;
    return mgc_device_get(device, key, 0, 0, &value) == MGC_OK && isfinite(value) ? value : otherwise;
}

static double error_of_one(const mgc_plan *plan, const char *id, const char *name, const mgc_device *store, uint32_t k, uint32_t n,
                           double hours)
{
    double c[96], d[96], e[96], worst = 0, before = setting_of(store, "initial_energy_kwh", 0);
    double keep = 1 - setting_of(store, "self_discharge_per_period", 0);
    double in = setting_of(store, "charge_efficiency", 1), out = setting_of(store, "discharge_efficiency", 1);

    if (mgc_plan_get_series(plan, id, name, "charge_kw", k, c, n) != MGC_OK ||
        mgc_plan_get_series(plan, id, name, "discharge_kw", k, d, n) != MGC_OK ||
        mgc_plan_get_series(plan, id, name, "energy_kwh", k, e, n) != MGC_OK)
        return NAN;
    for (uint32_t t = 0; t < n; t++) {
        worst = fmax(worst, fabs(keep * before + hours * (in * c[t] - d[t] / out) - e[t]));
        before = e[t];
    }
    return worst;
}

/* [kWh] of every scenario of each site; NAN where a series cannot be read. */
static double storage_error(const mgc_model *model, const mgc_plan *plan)
{
    double worst = 0;

    for (uint32_t i = 0; i < mgc_model_microgrids(model); i++) {
        const char *id = mgc_model_microgrid_id(model, i);
        const mgc_microgrid *site = mgc_model_microgrid(model, id);
        for (uint32_t j = 0; j < mgc_microgrid_devices(site); j++) {
            const char *name = mgc_microgrid_device_id(site, j);
            if (strcmp(mgc_microgrid_device_type(site, j), "storage") != 0) continue;
            for (uint32_t k = 0; k < mgc_microgrid_scenarios(site); k++) {
                double error = error_of_one(plan, id, name, mgc_microgrid_device(site, name), k, mgc_model_periods(model), mgc_model_hours(model));
                if (isnan(error)) return NAN;
                worst = fmax(worst, error);
            }
        }
    }
    return worst;
}

#endif
