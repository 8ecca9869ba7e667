/* SPDX-License-Identifier: Apache-2.0 */
#include "rolling_world.h"

#include <math.h>

enum { QUANTITIES = 3 };

/* --- what is uncertain, and what is known of it ----------------------------------------- */

static const struct {
    const char *device, *key;
} uncertain[QUANTITIES] = {{"load", "demand_kw"}, {"heat", "demand_kw"}, {"sun", "available_kw"}};

static double normal_day(int what, uint32_t t)
{
    double x = (t + 0.5) / PERIODS;

    if (what == 0) return 120 + 50 * sin(6.2832 * (x - 0.35));
    if (what == 1) return 80 + 40 * cos(6.2832 * x);
    return x > 0.25 && x < 0.75 ? 150 * sin(6.2832 * (x - 0.25)) : 0;
}

/* The day as it comes: a slow swing and a fast one around the normal day. */
static double actual(int what, uint32_t t, double noise)
{
    double swing = 0.7 * sin(0.19 * t + 2.1 * what + 1) + 0.3 * sin(2.3 * t + what);

    return fmax(0, normal_day(what, t) * (1 + noise * swing));
}

/* What is expected in period `now` of period t: the deviation that is seen now fades. */
static double forecast(int what, uint32_t now, uint32_t t, double noise)
{
    double seen = normal_day(what, now) > 0 ? actual(what, now, noise) / normal_day(what, now) - 1 : 0;

    return fmax(0, normal_day(what, t) * (1 + seen * pow(0.9, t - now)));
}

/* --- the site ------------------------------------------------------------------------------------- */

static mgc_status add(mgc_microgrid *site, const char *type, const char *id, const char *carrier,
                      const char *const *keys, const double *values, size_t n)
{
    mgc_device *device;

    TRY(mgc_microgrid_add_device(site, type, id, &device));
    if (carrier != NULL) TRY(mgc_device_set_text(device, "carrier", carrier));
    for (size_t i = 0; i < n; i++) TRY(mgc_device_set_number(device, keys[i], values[i]));
    return MGC_OK;
}

static double price(uint32_t t)
{
    return 0.20 - 0.07 * cos(4 * 3.1416 * (t - 10.0) / PERIODS);
}

mgc_status build_site(mgc_ctx *ctx, mgc_model **model)
{
    static const char *const engine[] = {"min_power_kw",       "max_power_kw", "electric_efficiency", "heat_to_power",
                                         "ramp_kw_per_period", "startup_cost", "min_up_periods"};
    static const char *const boiler[] = {"max_heat_kw", "efficiency"};
    static const char *const store[] = {"energy_capacity_kwh", "initial_energy_kwh", "max_charge_kw",
                                        "max_discharge_kw",    "charge_efficiency",  "wear_cost_per_kwh"};
    static const char *const any[] = {"demand_kw"}, *const sun[] = {"available_kw"};
    mgc_microgrid *site;
    double prices[PERIODS];

    for (uint32_t t = 0; t < PERIODS; t++) prices[t] = price(t);
    TRY(mgc_model_create(ctx, PERIODS, 0.25, model));
    TRY(mgc_model_set_series(*model, "buy_price_per_kwh", prices, PERIODS));
    TRY(mgc_model_set_number(*model, "sell_price_per_kwh", 0.05));
    TRY(mgc_model_set_number(*model, "realtime_buy_price_per_kwh", 0.40));
    TRY(mgc_model_set_number(*model, "realtime_sell_price_per_kwh", 0.01));
    TRY(mgc_model_set_number(*model, "gas_price_per_kwh", 0.05));
    TRY(mgc_model_add_microgrid(*model, "site", 1, &site));
    TRY(add(site, "load", "load", "electricity", any, (double[]){0}, 1));
    TRY(add(site, "load", "heat", "heat", any, (double[]){0}, 1));
    TRY(add(site, "pv", "sun", NULL, sun, (double[]){0}, 1));
    TRY(add(site, "chp", "engine", NULL, engine, (double[]){30, 90, 0.38, 1.2, 20, 4, 8}, 7));
    TRY(add(site, "gas_boiler", "boiler", NULL, boiler, (double[]){200, 0.9}, 2));
    return add(site, "storage", "battery", "electricity", store, (double[]){250, 100, 80, 80, 0.95, 0.005}, 6);
}

/* --- into a model --------------------------------------------------------------------------------- */

mgc_status tell_forecast(mgc_model *model, int now, double noise)
{
    mgc_microgrid *site = mgc_model_microgrid(model, "site");
    uint32_t n = mgc_model_periods(model), first = now == THE_DAY_BEFORE ? 0 : (uint32_t)now;

    for (int what = 0; what < QUANTITIES; what++) {
        double values[PERIODS];
        for (uint32_t k = 0; k < n; k++)
            values[k] = noise == 0               ? actual(what, first + k, noise)
                        : now == THE_DAY_BEFORE ? normal_day(what, k)
                                                : forecast(what, first, first + k, noise);
        TRY(mgc_device_set_series(mgc_microgrid_device(site, uncertain[what].device), uncertain[what].key, values, n));
    }
    return MGC_OK;
}

mgc_status tell_truth(mgc_model *model, double noise)
{
    mgc_microgrid *site = mgc_model_microgrid(model, "site");

    for (int what = 0; what < QUANTITIES; what++) {
        double values[PERIODS];
        for (uint32_t t = 0; t < PERIODS; t++) values[t] = actual(what, t, noise);
        TRY(mgc_device_set_series(mgc_microgrid_device(site, uncertain[what].device), uncertain[what].key, values,
                                  PERIODS));
    }
    return MGC_OK;
}
