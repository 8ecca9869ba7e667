/* SPDX-License-Identifier: Apache-2.0 */
/* A rolling simulator to build upon: 96 quarter hours, planned again in each of them with what is known by then.
 *
 *   cc rolling.c $(pkg-config --cflags --libs mgchain) -lm -o rolling && ./rolling 0.2 > day.csv
 *
 * The argument is how wrong forecasts are.  Put your own data into actual() and forecast(), your own devices into
 * build(); the loop stays.  At the end three costs, which must stand in this order:
 *
 *   hindsight   the best that could have been done, knowing the day
 *   recourse    bought as planned the day before, the rest done best, knowing the day
 *   rolling     what this loop paid, knowing a quarter hour at a time
 *
 * With perfect forecasts (0) all three are one: that tests the loop, whatever the devices. */
#include <math.h>
#include <mgchain/mgchain.h>
#include <stdio.h>
#include <stdlib.h>

enum { PERIODS = 96, QUANTITIES = 3 };
static const double hours = 0.25, sell_price = 0.05, short_price = 0.40, long_price = 0.01, gas_price = 0.05,
                    start_cost = 4, wear_cost = 0.005;

#define TRY(call)                                                                                                    \
    do {                                                                                                             \
        mgc_status try_status = (call);                                                                              \
        if (try_status != MGC_OK) return try_status;                                                                 \
    } while (0)

/* --- the world: what is uncertain, and what is known of it ----------------------------------------- */

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

static mgc_status build(mgc_ctx *ctx, mgc_model **model)
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
    TRY(mgc_model_create(ctx, PERIODS, hours, model));
    TRY(mgc_model_set_series(*model, "buy_price_per_kwh", prices, PERIODS));
    TRY(mgc_model_set_number(*model, "sell_price_per_kwh", sell_price));
    TRY(mgc_model_set_number(*model, "realtime_buy_price_per_kwh", short_price));
    TRY(mgc_model_set_number(*model, "realtime_sell_price_per_kwh", long_price));
    TRY(mgc_model_set_number(*model, "gas_price_per_kwh", gas_price));
    TRY(mgc_model_add_microgrid(*model, "site", 1, &site));
    TRY(add(site, "load", "load", "electricity", any, (double[]){0}, 1));
    TRY(add(site, "load", "heat", "heat", any, (double[]){0}, 1));
    TRY(add(site, "pv", "sun", NULL, sun, (double[]){0}, 1));
    TRY(add(site, "chp", "engine", NULL, engine, (double[]){30, 90, 0.38, 1.2, 20, start_cost, 8}, 7));
    TRY(add(site, "gas_boiler", "boiler", NULL, boiler, (double[]){200, 0.9}, 2));
    return add(site, "storage", "battery", "electricity", store, (double[]){250, 100, 80, 80, 0.95, wear_cost}, 6);
}

/* What is known in period `now`, for the periods of a model that begins there.  now < 0: the day before. */
static mgc_status tell(mgc_model *model, int now, double noise, int truth)
{
    mgc_microgrid *site = mgc_model_microgrid(model, "site");
    uint32_t n = mgc_model_periods(model), first = now < 0 ? 0 : (uint32_t)now;

    for (int what = 0; what < QUANTITIES; what++) {
        double values[PERIODS];
        for (uint32_t k = 0; k < n; k++)
            values[k] = truth || noise == 0 ? actual(what, first + k, noise)
                        : now < 0           ? normal_day(what, k)
                                            : forecast(what, first, first + k, noise);
        TRY(mgc_device_set_series(mgc_microgrid_device(site, uncertain[what].device), uncertain[what].key, values,
                                  n));
    }
    return MGC_OK;
}

static mgc_status solve(const mgc_model *model, mgc_plan **plan)
{
    mgc_plan_info info = {.struct_size = sizeof info};
    mgc_dispatch_opts opts;

    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.gap = 1e-6;
    TRY(mgc_dispatch_solve(model, &opts, plan));
    TRY(mgc_plan_get_info(*plan, &info));
    if (info.outcome == MGC_OUTCOME_OPTIMAL) return MGC_OK;
    fprintf(stderr, "%s: %s\n", mgc_outcome_name(info.outcome), mgc_plan_explain(*plan));
    return MGC_E_STATE;
}

/* The contracts of the day before, as a state before the first period.  (After some periods mgc_plan_state() makes
 * it.) */
static mgc_status contracts_of(mgc_ctx *ctx, const mgc_plan *ahead, mgc_state **state)
{
    static const struct {
        const char *device, *quantity, *key;
    } contract[] = {
        {"", "buy_kw", "agreed_buy_kw"}, {"", "sell_kw", "agreed_sell_kw"}, {"engine", "on", "agreed_on"}};

    TRY(mgc_state_create(ctx, state));
    for (size_t i = 0; i < sizeof contract / sizeof *contract; i++) {
        double values[PERIODS];
        TRY(mgc_plan_get_series(ahead, "site", contract[i].device, contract[i].quantity, 0, values, PERIODS));
        for (uint32_t t = 0; t < PERIODS; t++)
            values[t] = i == 2 ? round(values[t]) : fmax(0, values[t]); /* a solver's last digits */
        mgc_state_entry entry = {.struct_size = sizeof entry,
                                 .microgrid = "site",
                                 .device = contract[i].device,
                                 .variable = "",
                                 .key = contract[i].key,
                                 .values = values,
                                 .n = PERIODS,
                                 .link = UINT32_MAX};
        TRY(mgc_state_add(*state, &entry)); /* copied */
    }
    return MGC_OK;
}

/* What the first period of a plan costs: its terms of the objective. */
static mgc_status paid(const mgc_plan *plan, uint32_t t, double *cost)
{
    const struct {
        const char *device, *quantity;
        double price;
    } term[] = {{"", "buy_kw", price(t) * hours},
                {"", "sell_kw", -sell_price * hours},
                {"", "realtime_buy_kw", short_price * hours},
                {"", "realtime_sell_kw", -long_price * hours},
                {"engine", "gas_kw", gas_price * hours},
                {"boiler", "gas_kw", gas_price * hours},
                {"engine", "start", start_cost},
                {"battery", "discharge_kw", wear_cost * hours},
                {"load", "unserved_kw", 10 * hours},
                {"heat", "unserved_kw", 5 * hours}};
    double values[PERIODS];

    for (size_t i = 0; i < sizeof term / sizeof *term; i++) {
        TRY(mgc_plan_get_series(plan, "site", term[i].device, term[i].quantity, 0, values, PERIODS - t));
        *cost += term[i].price * values[0];
    }
    return MGC_OK;
}

/* --- the loop -------------------------------------------------------------------------------------- */

/* One quarter hour: plan what is left, do its first period.  state: where the site stands; replaced by where it
 * stands after. */
static mgc_status step(const mgc_model *model, uint32_t t, double noise, mgc_state **state, double *cost)
{
    static const char *const shown[][2] = {
        {"", "buy_kw"}, {"", "realtime_buy_kw"}, {"engine", "power_kw"}, {"battery", "energy_kwh"}};
    mgc_model *rest = NULL;
    mgc_plan *plan = NULL;
    mgc_state *next = NULL;
    double values[PERIODS], togo = 0;

    mgc_status st = mgc_model_window(model, t, PERIODS - t, &rest);
    if (st == MGC_OK) st = mgc_state_apply(*state, rest);
    if (st == MGC_OK) st = tell(rest, (int)t, noise, 0);
    if (st == MGC_OK) st = solve(rest, &plan);
    if (st == MGC_OK) st = mgc_plan_get_number(plan, "site", "cost", &togo);
    if (st == MGC_OK) st = paid(plan, t, cost);
    printf("%u,%.4f", (unsigned)t, togo);
    for (size_t i = 0; st == MGC_OK && i < sizeof shown / sizeof *shown; i++) {
        st = mgc_plan_get_series(plan, "site", shown[i][0], shown[i][1], 0, values, PERIODS - t);
        printf(",%.3f", values[0]);
    }
    printf("\n");
    /* Energy in store, ramps, minimum times, contracts: what the next quarter hour must know of this one. */
    if (st == MGC_OK && t + 1 < PERIODS) st = mgc_plan_state(plan, 1, 0, 1, &next);
    mgc_plan_destroy(plan);
    mgc_model_destroy(rest);
    mgc_state_destroy(*state);
    *state = next;
    return st;
}

static mgc_status simulate(mgc_ctx *ctx, double noise)
{
    mgc_model *model = NULL;
    mgc_plan *ahead = NULL, *hindsight = NULL, *recourse = NULL;
    mgc_state *state = NULL;
    double best = 0, done = 0, cost = 0;

    mgc_status st = build(ctx, &model);
    if (st == MGC_OK) st = tell(model, -1, noise, 0);
    if (st == MGC_OK) st = solve(model, &ahead);
    if (st == MGC_OK) st = contracts_of(ctx, ahead, &state);
    printf("period,cost_to_go,buy_kw,realtime_buy_kw,engine_kw,battery_kwh\n");
    for (uint32_t t = 0; st == MGC_OK && t < PERIODS; t++) st = step(model, t, noise, &state, &cost);
    if (st == MGC_OK) st = tell(model, 0, noise, 1); /* the truth */
    if (st == MGC_OK) st = solve(model, &hindsight);
    if (st == MGC_OK) st = mgc_plan_realise(ahead, model, NULL, &recourse);
    if (st == MGC_OK) st = mgc_plan_get_number(hindsight, "site", "cost", &best);
    if (st == MGC_OK) st = mgc_plan_get_number(recourse, "site", "cost", &done);
    if (st == MGC_OK) fprintf(stderr, "hindsight %.4f, recourse %.4f, rolling %.4f\n", best, done, cost);
    mgc_plan_destroy(recourse);
    mgc_plan_destroy(hindsight);
    mgc_plan_destroy(ahead);
    mgc_state_destroy(state);
    mgc_model_destroy(model);
    return st;
}

int main(int argc, char **argv)
{
    mgc_ctx *ctx = NULL;
    mgc_status st = mgc_ctx_create(NULL, &ctx);

    if (st == MGC_OK) st = simulate(ctx, argc > 1 ? atof(argv[1]) : 0.2);
    if (st != MGC_OK) fprintf(stderr, "%s: %s\n", mgc_status_name(st), ctx != NULL ? mgc_ctx_error(ctx) : "");
    mgc_ctx_destroy(ctx);
    return st == MGC_OK ? 0 : 1;
}
