/* SPDX-License-Identifier: Apache-2.0 */
/* One microgrid, planned robustly: a greenhouse with sun, an engine, a boiler and a battery, whose sun is uncertain.
 *
 *   cc one_microgrid.c $(pkg-config --cflags --libs mgchain) -o one_microgrid && ./one_microgrid
 *
 * What it shows: build a model by names, give scenarios and an ambiguity set, plan, read the plan, and what the
 * library says where there is no plan.  Everything that is not said has the default of `mgchain-sim keys`. */
#include <math.h>
#include <mgchain/mgchain.h>
#include <stdio.h>

enum { PERIODS = 24, SCENARIOS = 3 };

/* Leave the function with the status where a call fails; main() prints what the context says about it. */
#define TRY(call)                                                                                                    \
    do {                                                                                                             \
        mgc_status try_status = (call);                                                                              \
        if (try_status != MGC_OK) return try_status;                                                                 \
    } while (0)

static const double price[PERIODS] = {.12, .11, .10, .10, .11, .14, .20, .26, .28, .25, .22, .20,
                                      .18, .18, .20, .22, .26, .31, .33, .30, .26, .20, .16, .13};
static const double light[PERIODS] = {90, 90, 90, 90, 90, 80, 70, 60, 60, 60, 60, 60,
                                      60, 60, 60, 60, 70, 80, 90, 90, 90, 90, 90, 90};
static const double warmth[PERIODS] = {80, 85, 90, 90, 85, 80, 70, 60, 50, 40, 30, 25,
                                       20, 20, 25, 30, 40, 50, 60, 65, 70, 75, 80, 80};
static const double clear_sky[PERIODS] = {0,   0,   0,   0,  0,  5,  25, 55, 85, 110, 125, 130,
                                          128, 118, 100, 75, 45, 20, 5,  0,  0,  0,   0,   0};
static const double share_of_sky[SCENARIOS] = {1.0, 0.7, 0.3}, probability[SCENARIOS] = {0.5, 0.3, 0.2};

static mgc_status add_devices(mgc_microgrid *site)
{
    mgc_device *device; /* belongs to the model: nothing to free */

    TRY(mgc_microgrid_add_device(site, "load", "lamps", &device));
    TRY(mgc_device_set_text(device, "carrier", "electricity"));
    TRY(mgc_device_set_series(device, "demand_kw", light, PERIODS)); /* arrays are copied */
    TRY(mgc_microgrid_add_device(site, "load", "beds", &device));
    TRY(mgc_device_set_text(device, "carrier", "heat"));
    TRY(mgc_device_set_series(device, "demand_kw", warmth, PERIODS));

    TRY(mgc_microgrid_add_device(site, "pv", "roof", &device));
    for (uint32_t k = 0; k < SCENARIOS; k++) {
        double sun[PERIODS];
        for (int t = 0; t < PERIODS; t++) sun[t] = share_of_sky[k] * clear_sky[t];
        TRY(mgc_device_set_scenario(device, "available_kw", k, sun, PERIODS));
    }
    TRY(mgc_microgrid_add_device(site, "chp", "engine", &device));
    /* on: 20..60 kW; off: 0.  On and off is decided day-ahead */
    TRY(mgc_device_set_number(device, "min_power_kw", 20));
    TRY(mgc_device_set_number(device, "max_power_kw", 60));
    TRY(mgc_device_set_number(device, "electric_efficiency", 0.38));
    TRY(mgc_device_set_number(device, "heat_to_power", 1.3));
    TRY(mgc_device_set_number(device, "startup_cost", 2));
    TRY(mgc_microgrid_add_device(site, "gas_boiler", "boiler", &device));
    TRY(mgc_device_set_number(device, "max_heat_kw", 120));
    TRY(mgc_device_set_number(device, "efficiency", 0.9));
    TRY(mgc_microgrid_add_device(site, "storage", "battery", &device));
    TRY(mgc_device_set_text(device, "carrier", "electricity"));
    TRY(mgc_device_set_number(device, "energy_capacity_kwh", 200));
    /* and by default at least as much at the day's end */
    TRY(mgc_device_set_number(device, "initial_energy_kwh", 100));
    TRY(mgc_device_set_number(device, "max_charge_kw", 50));
    return mgc_device_set_number(device, "max_discharge_kw", 50);
}

static mgc_status build(mgc_ctx *ctx, mgc_model **model, mgc_microgrid **site)
{
    TRY(mgc_model_create(ctx, PERIODS, 1.0, model)); /* 24 periods of an hour */
    TRY(mgc_model_set_series(*model, "buy_price_per_kwh", price, PERIODS));
    TRY(mgc_model_set_number(*model, "realtime_buy_price_per_kwh", 0.45)); /* what was not bought the day before */
    TRY(mgc_model_set_number(*model, "gas_price_per_kwh", 0.045));
    TRY(mgc_model_add_microgrid(*model, "greenhouse", SCENARIOS, site));
    TRY(mgc_microgrid_set_number(*site, "buy_limit_kw", 90));
    TRY(mgc_microgrid_set_probability(*site, probability, SCENARIOS));
    /* The probabilities are the shares of 60 past days.  Any distribution as near to them as 60 days leave it open,
     * with 95 % confidence, may be the true one: plan for the worst of these. */
    TRY(mgc_microgrid_set_ambiguity(*site, "norm1", "confidence", 0.95, 60, NULL));
    return add_devices(*site);
}

static mgc_status plan_and_print(mgc_model *model)
{
    mgc_plan *plan = NULL;
    mgc_plan_info info = {.struct_size = sizeof info}; /* says how much of the struct this program knows */
    double engine[PERIODS], energy[PERIODS], worst[SCENARIOS];

    mgc_status st = mgc_dispatch_solve(model, NULL, &plan); /* NULL: default options */
    if (st == MGC_OK) st = mgc_plan_get_info(plan, &info);
    /* MGC_OK says that the call did its work; what it found is an outcome.  No plan is an answer, with a reason. */
    if (st == MGC_OK) printf("outcome %s\n", mgc_outcome_name(info.outcome));
    if (st == MGC_OK && info.outcome == MGC_OUTCOME_INFEASIBLE) printf("%s\n", mgc_plan_explain(plan));
    if (st == MGC_OK && info.outcome == MGC_OUTCOME_OPTIMAL) {
        st = mgc_plan_get_series(plan, "greenhouse", "engine", "on", 0, engine, PERIODS);
        if (st == MGC_OK) st = mgc_plan_get_series(plan, "greenhouse", "battery", "energy_kwh", 2, energy, PERIODS);
        if (st == MGC_OK) st = mgc_plan_get_probability(plan, "greenhouse", worst, SCENARIOS);
        if (st == MGC_OK) {
            printf("cost %.4f, at least %.4f\nworst probabilities %.4f %.4f %.4f\nengine ", info.cost, info.bound,
                   worst[0], worst[1], worst[2]);
            for (int t = 0; t < PERIODS; t++) putchar(engine[t] > 0.5 ? '#' : '.');
            printf("\nbattery in the dark scenario, at noon %.1f kWh, at midnight %.1f kWh\n", energy[11],
                   energy[PERIODS - 1]);
        }
    }
    mgc_plan_destroy(plan); /* NULL is fine */
    return st;
}

int main(void)
{
    mgc_ctx *ctx = NULL;
    mgc_model *model = NULL;
    mgc_microgrid *site = NULL;

    mgc_status st = mgc_ctx_create(NULL, &ctx); /* NULL: malloc, silent */
    if (st == MGC_OK) st = build(ctx, &model, &site);
    if (st == MGC_OK) st = plan_and_print(model);
    /* The same day behind a thinner cable, with loads that must be served: why is there no plan? */
    if (st == MGC_OK) st = mgc_microgrid_set_number(site, "buy_limit_kw", 10);
    if (st == MGC_OK) st = mgc_model_set_number(model, "unserved_electricity_price_per_kwh", HUGE_VAL);
    if (st == MGC_OK) st = plan_and_print(model);
    if (st != MGC_OK) fprintf(stderr, "%s: %s\n", mgc_status_name(st), mgc_ctx_error(ctx));
    mgc_model_destroy(model);
    mgc_ctx_destroy(ctx);
    return st == MGC_OK ? 0 : 1;
}
