/* SPDX-License-Identifier: Apache-2.0 */
/* An energy management system: buys day-ahead by a forecast, then every quarter hour reads meters, plans what is left
 * of the day again, writes the battery's set point - and settles the day on a ledger.
 *
 *   cc ems.c plant.c settle_day.c ../toy_key.c $(pkg-config --cflags --libs mgchain libmodbus) -lm -o ems
 *   cc test_site.c $(pkg-config --cflags --libs libmodbus) -lm -o test_site
 *   ./test_site site.csv &      (prints its port)
 *   ./ems 127.0.0.1 PORT FOLDER */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../toy_key.h"
#include "plant.h"
#include "settle_day.h"

enum { PERIODS = 96, BATTERY_KW = 60, FINAL_KWH = 100 };
static const uint64_t start_ms = UINT64_C(1718064000000); /* 2024-06-11T00:00:00Z */

struct day {
    double price[PERIODS], load[PERIODS], sun[PERIODS], bought[PERIODS], sold[PERIODS], metered[PERIODS];
};

/* What was known the day before. */
static void forecast(struct day *d)
{
    for (int t = 0; t < PERIODS; t++) {
        double x = t / (double)PERIODS;
        d->price[t] = 0.22 - 0.06 * cos(12.566 * (x - 0.08)) + 0.04 * sin(6.283 * (x - 0.4));
        d->load[t] = 45 + 20 * sin(6.28 * (x - 0.35));
        d->sun[t] = x > 0.25 && x < 0.75 ? 85 * sin(6.28318 * (x - 0.25)) : 0;
    }
}

static mgc_status build(mgc_ctx *ctx, const struct day *d, mgc_model **model)
{
    mgc_microgrid *site;
    mgc_device *device;

    TRY(mgc_model_create(ctx, PERIODS, 0.25, model));
    TRY(mgc_model_set_series(*model, "buy_price_per_kwh", d->price, PERIODS));
    TRY(mgc_model_set_number(*model, "sell_price_per_kwh", 0.06));
    TRY(mgc_model_set_number(*model, "realtime_buy_price_per_kwh", 0.45)); /* what a deviation costs */
    TRY(mgc_model_set_number(*model, "realtime_sell_price_per_kwh", 0.02));
    TRY(mgc_model_add_microgrid(*model, "site", 1, &site));
    TRY(mgc_microgrid_add_device(site, "load", "load", &device));
    TRY(mgc_device_set_text(device, "carrier", "electricity"));
    TRY(mgc_device_set_series(device, "demand_kw", d->load, PERIODS));
    TRY(mgc_microgrid_add_device(site, "pv", "sun", &device));
    TRY(mgc_device_set_series(device, "available_kw", d->sun, PERIODS));
    TRY(mgc_microgrid_add_device(site, "storage", "battery", &device));
    TRY(mgc_device_set_text(device, "carrier", "electricity"));
    TRY(mgc_device_set_number(device, "energy_capacity_kwh", 200));
    TRY(mgc_device_set_number(device, "initial_energy_kwh", FINAL_KWH));
    TRY(mgc_device_set_number(device, "max_charge_kw", BATTERY_KW));
    return mgc_device_set_number(device, "max_discharge_kw", BATTERY_KW);
}

/* Solve; anything but a plan within the tolerances is not acted upon. */
static mgc_status solve(const mgc_model *model, mgc_plan **plan)
{
    mgc_plan_info info = {.struct_size = sizeof info};

    TRY(mgc_dispatch_solve(model, NULL, plan));
    TRY(mgc_plan_get_info(*plan, &info));
    if (info.outcome == MGC_OUTCOME_OPTIMAL) return MGC_OK;
    fprintf(stderr, "no plan: %s; %s\n", mgc_outcome_name(info.outcome), mgc_plan_explain(*plan));
    return MGC_E_STATE;
}

/* The rest of the day: what was bought and sold stands, the battery is where the meter says, the next hour is like
 * now.  (Where units have ramps and minimum times too, mgc_plan_state() carries all of it over: examples/rolling.c.)
 */
static mgc_status plan_rest(const mgc_model *model, struct day *d, uint32_t t, const plant_reading *now,
                            double *discharge_kw)
{
    mgc_model *rest = NULL;
    mgc_plan *plan = NULL;
    uint32_t left = PERIODS - t;
    double discharge[PERIODS], charge[PERIODS];

    for (uint32_t k = t; k < PERIODS; k++) { /* the error that is seen now fades within an hour or two */
        double trust = pow(0.7, k - t);
        d->load[k] = trust * now->load_kw + (1 - trust) * d->load[k];
        d->sun[k] = trust * now->sun_kw + (1 - trust) * d->sun[k];
    }
    mgc_status st = mgc_model_window(model, t, left, &rest);
    mgc_microgrid *site = st == MGC_OK ? mgc_model_microgrid(rest, "site") : NULL;
    if (st == MGC_OK) st = mgc_microgrid_set_series(site, "agreed_buy_kw", d->bought + t, left);
    if (st == MGC_OK) st = mgc_microgrid_set_series(site, "agreed_sell_kw", d->sold + t, left);
    if (st == MGC_OK) st = mgc_device_set_series(mgc_microgrid_device(site, "load"), "demand_kw", d->load + t, left);
    if (st == MGC_OK) st = mgc_device_set_series(mgc_microgrid_device(site, "sun"), "available_kw", d->sun + t, left);
    mgc_device *battery = mgc_microgrid_device(site, "battery");
    if (st == MGC_OK) st = mgc_device_set_number(battery, "initial_energy_kwh", now->battery_kwh);
    if (st == MGC_OK) st = mgc_device_set_number(battery, "final_energy_kwh", FINAL_KWH); /* else: as much as now */
    if (st == MGC_OK) st = solve(rest, &plan);
    if (st == MGC_OK) st = mgc_plan_get_series(plan, "site", "battery", "discharge_kw", 0, discharge, left);
    if (st == MGC_OK) st = mgc_plan_get_series(plan, "site", "battery", "charge_kw", 0, charge, left);
    if (st == MGC_OK) *discharge_kw = discharge[0] - charge[0];
    mgc_plan_destroy(plan);
    mgc_model_destroy(rest);
    return st;
}

/* A quarter hour after the other.  A plan that cannot be had is no reason to stop: the battery rests and the loop
 * goes on. */
static mgc_status operate(const mgc_model *model, struct day *d, plant *site)
{
    plant_reading now, later;

    for (uint32_t t = 0; t < PERIODS; t++) {
        double discharge_kw = 0;
        if (plant_read(site, &now) != 0) return MGC_E_IO;
        if (plan_rest(model, d, t, &now, &discharge_kw) != MGC_OK)
            fprintf(stderr, "period %u: the battery rests\n", (unsigned)t);
        if (plant_set_battery(site, discharge_kw) != 0 || plant_pass_time(site, (int)t + 1) != 0) return MGC_E_IO;
        if (plant_read(site, &later) != 0) return MGC_E_IO;
        d->metered[t] = (double)(later.import_wh - now.import_wh - (later.export_wh - now.export_wh)) / 1000 / 0.25;
        printf("%02u:%02u bought %7.3f metered %7.3f kW, battery %6.1f kWh\n", (unsigned)t / 4, (unsigned)t % 4 * 15,
               d->bought[t] - d->sold[t], d->metered[t], later.battery_kwh);
    }
    return MGC_OK;
}

int main(int argc, char **argv)
{
    static struct day d;
    mgc_ctx *ctx = NULL;
    mgc_model *model = NULL;
    mgc_plan *plan = NULL;
    double cost = 0;

    if (argc != 4) return fprintf(stderr, "usage: ems HOST PORT FOLDER\n"), 2;
    plant *site = plant_connect(argv[1], atoi(argv[2]));
    forecast(&d);
    mgc_status st = site == NULL ? MGC_E_IO : mgc_ctx_create(NULL, &ctx);
    if (st == MGC_OK) st = build(ctx, &d, &model);
    if (st == MGC_OK) st = solve(model, &plan);
    if (st == MGC_OK) st = mgc_plan_get_series(plan, "site", "", "buy_kw", 0, d.bought, PERIODS);
    if (st == MGC_OK) st = mgc_plan_get_series(plan, "site", "", "sell_kw", 0, d.sold, PERIODS);
    if (st == MGC_OK) st = operate(model, &d, site);
    if (st == MGC_OK) st = settle_day(ctx, argv[3], model, start_ms, d.bought, d.sold, d.metered, &cost);
    if (st == MGC_OK) printf("the day costs %.6f by the books\n", cost);
    else fprintf(stderr, "%s: %s\n", mgc_status_name(st), ctx != NULL ? mgc_ctx_error(ctx) : "");
    plant_close(site);
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
    mgc_ctx_destroy(ctx);
    return st == MGC_OK ? 0 : 1;
}
