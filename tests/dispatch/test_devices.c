/* SPDX-License-Identifier: Apache-2.0 */
/* Devices one by one on random small days, brute force over commitments, explanations that cure, failing allocations. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "case_json.h"
#include "verify_plan.h"

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

#define DONE(call)                                                                                              \
    do {                                                                                                        \
        mgc_status st_ = (call);                                                                                \
        ck_assert_msg(st_ == MGC_OK, "%s: %s: %s", #call, mgc_status_name(st_), mgc_ctx_error(ctx));            \
    } while (0)

/* --- a small world ----------------------------------------------------------------------------------------------- */

enum { T = 6 };

static mgc_model *world(uint32_t scenarios, mgc_microgrid **site)
{
    mgc_model *model;

    DONE(mgc_model_create(ctx, T, 0.5, &model));
    DONE(mgc_model_set_series(model, "buy_price_per_kwh", (double[]){.20, .18, .25, .40, .35, .22}, T));
    DONE(mgc_model_set_number(model, "sell_price_per_kwh", 0.05));
    DONE(mgc_model_set_number(model, "realtime_buy_price_per_kwh", 0.50));
    DONE(mgc_model_set_number(model, "realtime_sell_price_per_kwh", 0.02));
    DONE(mgc_model_set_number(model, "gas_price_per_kwh", 0.045));
    DONE(mgc_model_set_number(model, "gas_emission_kg_per_kwh", 0.202));
    DONE(mgc_model_set_number(model, "grid_emission_kg_per_kwh", 0.4));
    DONE(mgc_model_add_microgrid(model, "site", scenarios, site));
    DONE(mgc_microgrid_set_number(*site, "buy_limit_kw", 400));
    DONE(mgc_microgrid_set_number(*site, "sell_limit_kw", 200));
    return model;
}

static mgc_device *device(mgc_microgrid *site, const char *type, const char *id)
{
    mgc_device *d;
    DONE(mgc_microgrid_add_device(site, type, id, &d));
    return d;
}

/* "key", value, ... NULL */
static void numbers(mgc_device *d, ...)
{
    va_list args;

    va_start(args, d);
    for (const char *key; (key = va_arg(args, const char *)) != NULL;) DONE(mgc_device_set_number(d, key, va_arg(args, double)));
    va_end(args);
}

static void load(mgc_microgrid *site, const char *id, const char *carrier, double around, mgc__rng *rng)
{
    mgc_device *d = device(site, "load", id);
    double v[T];

    DONE(mgc_device_set_text(d, "carrier", carrier));
    for (uint32_t k = 0; k < mgc_microgrid_scenarios(site); k++) {
        for (int t = 0; t < T; t++) v[t] = around * (0.5 + mgc__rng_unit(rng));
        DONE(mgc_device_set_scenario(d, "demand_kw", k, v, T));
    }
}

static mgc_plan *solve(const mgc_model *model, uint32_t relax, double *cost)
{
    mgc_dispatch_opts opts;
    mgc_plan_info info = {.struct_size = sizeof info};
    mgc_plan *plan;

    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.relax = relax;
    opts.gap = 1e-7;
    DONE(mgc_dispatch_solve(model, &opts, &plan));
    DONE(mgc_plan_get_info(plan, &info));
    ck_assert_msg(info.outcome == MGC_OUTCOME_OPTIMAL, "%s %s", mgc_outcome_name(info.outcome), mgc_plan_explain(plan));
    if (cost != NULL) *cost = info.cost;
    return plan;
}

/* Every device at once on random days, two scenarios, carbon ladder, both kinds of storage, exclusive modes. */
START_TEST(every_device_keeps_its_equations)
{
    mgc__rng rng;
    mgc_microgrid *site;
    double v[T];

    mgc__rng_seed(&rng, (uint64_t)_i);
    mgc_model *model = world(2, &site);
    DONE(mgc_model_set_number(model, "price_per_kg", 0.08));
    DONE(mgc_model_set_number(model, "reward_price_per_kg", 0.05));
    DONE(mgc_model_set_number(model, "tier_width_kg", 40));
    DONE(mgc_model_set_number(model, "tier_growth", 0.5));
    DONE(mgc_model_set_number(model, "tiers", 3));
    DONE(mgc_microgrid_set_number(site, "carbon_quota_kg", 100 * mgc__rng_unit(&rng)));
    DONE(mgc_microgrid_set_number(site, "heat_venting", _i % 2));
    DONE(mgc_microgrid_set_probability(site, (double[]){0.3, 0.7}, 2));
    DONE(mgc_microgrid_set_ambiguity(site, "norm1", "radius", 0.3, 0, NULL));
    load(site, "town", "electricity", 200, &rng);
    load(site, "warm", "heat", 150, &rng);
    numbers(mgc_microgrid_device(site, "town"), "shiftable_share", 0.2, "shift_cost_per_kwh", 0.01, "curtailable_share", 0.1,
            "curtail_cost_per_kwh", 0.3, NULL);
    mgc_device *pv = device(site, "pv", "roof");
    for (uint32_t k = 0; k < 2; k++) {
        for (int t = 0; t < T; t++) v[t] = 300 * mgc__rng_unit(&rng);
        DONE(mgc_device_set_scenario(pv, "available_kw", k, v, T));
    }
    numbers(pv, "curtailment_cost_per_kwh", 0.02, "om_cost_per_kwh", 0.003, "quota_kg_per_kwh", 0.01, NULL);
    numbers(device(site, "chp", "unit"), "min_power_kw", 40.0, "max_power_kw", 120.0, "electric_efficiency", 0.38, "heat_to_power",
            1.1, "heat_fixed", (double)(_i % 3 == 0), "ramp_kw_per_period", 45.0, "startup_cost", 5.0, "no_load_fuel_kw", 12.0,
            "min_up_periods", 2.0, "min_down_periods", 2.0, "initially_on", (double)(_i % 2), "emission_kg_per_kwh", 0.01, NULL);
    numbers(device(site, "gas_boiler", "boiler"), "max_heat_kw", 120.0, "efficiency", 0.9, "om_cost_per_kwh", 0.001, NULL);
    numbers(device(site, "electric_boiler", "rod"), "max_power_kw", 30.0, "coefficient_of_performance", 0.98, NULL);
    numbers(device(site, "heat_pump", "pump"), "max_power_kw", 25.0, "coefficient_of_performance", 3.0, "om_cost_per_kwh", 0.001,
            NULL);
    numbers(device(site, "storage", "battery"), "energy_capacity_kwh", 100.0, "min_energy_kwh", 10.0, "initial_energy_kwh", 50.0,
            "max_charge_kw", 60.0, "max_discharge_kw", 60.0, "charge_efficiency", 0.95, "discharge_efficiency", 0.94,
            "wear_cost_per_kwh", 0.01, "exclusive", 1.0, NULL);
    mgc_device *tank = device(site, "storage", "tank");
    DONE(mgc_device_set_text(tank, "carrier", "heat"));
    numbers(tank, "energy_capacity_kwh", 80.0, "initial_energy_kwh", 20.0, "final_energy_kwh", 10.0, "max_charge_kw", 50.0,
            "max_discharge_kw", 50.0, "self_discharge_per_period", 0.02, NULL);
    ck_assert_int_eq(mgc_model_check(model, NULL, NULL), MGC_OK);
    mgc_plan *plan = solve(model, 0, NULL);
    verify_plan(model, plan, false, false);
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
}
END_TEST

/* --- brute force over commitments -------------------------------------------------------------------------------- */

/* A unit and its day, drawn at random so that starts and stops pay. */
struct unit {
    double demand[T], price[T], min, max, ramp, startup, no_load, initial;
    unsigned up, down;
    bool on;
};

static struct unit draw_unit(uint64_t seed)
{
    mgc__rng rng;
    struct unit u = {.min = 40, .max = 120, .no_load = 20, .startup = 1};

    mgc__rng_seed(&rng, seed);
    for (int t = 0; t < T; t++) {
        u.demand[t] = 150 * mgc__rng_unit(&rng);
        u.price[t] = mgc__rng_below(&rng, 2) == 0 ? 0.06 : 0.5;
    }
    u.up = 1 + (unsigned)mgc__rng_below(&rng, 3);
    u.down = 1 + (unsigned)mgc__rng_below(&rng, 3);
    u.ramp = 15 + 50 * mgc__rng_unit(&rng);
    u.on = mgc__rng_below(&rng, 2) == 0;
    u.initial = u.on ? 40 + 40 * mgc__rng_unit(&rng) : 0;
    return u;
}

static mgc_model *day_of(const struct unit *u, mgc_microgrid **site)
{
    mgc_model *model = world(1, site);

    DONE(mgc_model_set_series(model, "buy_price_per_kwh", u->price, T));
    DONE(mgc_model_set_number(model, "realtime_buy_price_per_kwh", 0.9));
    DONE(mgc_device_set_series(device(*site, "load", "town"), "demand_kw", u->demand, T));
    return model;
}

/* Least cost of running the unit by a fixed pattern, rules of commitment checked here by hand: the output is a linear device's
 * variable within the pattern's bounds; `jump` frees the ramp where the pattern starts or stops.  NAN: not allowed. */
static double cost_of_pattern(const struct unit *u, unsigned pattern)
{
    double low[T], high[T], jump[T], fixed = 0, cost, step = fmax(u->ramp, u->min), far = 1000;
    bool was = u->on;
    unsigned since = 100;
    uint32_t row;
    mgc_microgrid *site;

    for (int t = 0; t < T; t++) {
        bool now = (pattern >> t & 1) != 0;
        if (now && !was && t < (int)u->down && u->on) return (double)NAN; /* (8): no start in the first W periods */
        if (now != was && since < (was ? u->up : u->down)) return (double)NAN;
        if (now != was) since = 0;
        since++;
        fixed += now ? 0.5 * 0.045 * u->no_load + (was ? 0 : u->startup) : 0;
        low[t] = now ? u->min : 0;
        high[t] = now ? (was ? u->max : fmin(u->max, step)) : 0;
        jump[t] = now != was ? far : 0;
        if (!now && was && t > 0) high[t - 1] = fmin(high[t - 1], step);
        if (!now && was && t == 0 && u->initial > step) return (double)NAN;
        if (t == 0 && now && was) {
            low[t] = fmax(low[t], u->initial - u->ramp);
            high[t] = fmin(high[t], u->initial + u->ramp);
        }
        was = now;
    }
    for (int t = 0; t < T; t++)
        if (low[t] > high[t]) return (double)NAN;
    mgc_model *model = day_of(u, &site);
    mgc_device *d = device(site, "linear", "unit");
    DONE(mgc_device_add_variable(d, "p"));
    DONE(mgc_device_set_variable_series(d, "p", "upper", high, T));
    DONE(mgc_device_set_variable_series(d, "p", "lower", low, T));
    DONE(mgc_device_set_variable(d, "p", "electricity", 1));
    DONE(mgc_device_set_variable(d, "p", "gas", 1 / 0.38));
    DONE(mgc_device_add_variable(d, "rise"));
    DONE(mgc_device_set_variable_series(d, "rise", "upper", jump, T));
    DONE(mgc_device_add_variable(d, "fall"));
    DONE(mgc_device_set_variable_series(d, "fall", "upper", jump, T));
    DONE(mgc_device_add_constraint(d, -u->ramp, u->ramp, &row));
    DONE(mgc_device_add_term(d, row, "p", 1, 0));
    DONE(mgc_device_add_term(d, row, "p", -1, 1));
    DONE(mgc_device_add_term(d, row, "rise", -1, 0));
    DONE(mgc_device_add_term(d, row, "fall", 1, 0));
    mgc_plan *plan;
    mgc_plan_info info = {.struct_size = sizeof info};
    DONE(mgc_dispatch_solve(model, NULL, &plan));
    DONE(mgc_plan_get_info(plan, &info));
    cost = info.outcome == MGC_OUTCOME_OPTIMAL ? info.cost : (double)NAN;
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
    return cost + fixed;
}

/* All 64 commitments of six periods: the best allowed one costs what the plan does. */
START_TEST(commitment_is_the_best_of_all)
{
    struct unit u = draw_unit(100 + (uint64_t)_i);
    double best = (double)INFINITY, cost;
    mgc_microgrid *site;

    for (unsigned pattern = 0; pattern < 1u << T; pattern++) {
        double x = cost_of_pattern(&u, pattern);
        if (!isnan(x)) best = fmin(best, x);
    }
    mgc_model *model = day_of(&u, &site);
    numbers(device(site, "chp", "unit"), "min_power_kw", u.min, "max_power_kw", u.max, "electric_efficiency", 0.38, "startup_cost",
            u.startup, "no_load_fuel_kw", u.no_load, "min_up_periods", (double)u.up, "min_down_periods", (double)u.down,
            "ramp_kw_per_period", u.ramp, "initially_on", (double)u.on, "initial_power_kw", u.initial, NULL);
    mgc_plan *plan = solve(model, 0, &cost);
    verify_plan(model, plan, false, false);
    ck_assert_msg(fabs(cost - best) < 1e-5 * (1 + fabs(best)), "unit %d: %.9g, best of all %.9g", _i, cost, best);
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
}
END_TEST

/* Power-to-gas by hand: p makes 0.6 p of gas, the ramp is 20 a period, power is cheap in period 1 only. */
START_TEST(linear_devices_do_what_their_rows_say)
{
    mgc_microgrid *site;
    double p[T], g[T];
    uint32_t row;
    mgc_model *model = world(1, &site);

    DONE(mgc_model_set_series(model, "buy_price_per_kwh", (double[]){.06, .01, .06, .06, .06, .06}, T));
    DONE(mgc_model_set_number(model, "gas_price_per_kwh", 0.05));
    DONE(mgc_model_set_number(model, "sell_price_per_kwh", 0));
    DONE(mgc_model_set_number(model, "realtime_sell_price_per_kwh", 0));
    mgc_device *d = device(site, "linear", "p2g");
    DONE(mgc_device_add_variable(d, "p"));
    DONE(mgc_device_set_variable(d, "p", "upper", 100));
    DONE(mgc_device_set_variable(d, "p", "electricity", -1));
    DONE(mgc_device_add_variable(d, "gas_kw")); /* the name of a series too: the variable wins */
    DONE(mgc_device_set_variable(d, "gas_kw", "gas", -1));
    DONE(mgc_device_add_constraint(d, 0, 0, &row));
    DONE(mgc_device_add_term(d, row, "gas_kw", 1, 0));
    DONE(mgc_device_add_term(d, row, "p", -0.6, 0));
    DONE(mgc_device_add_constraint(d, -20, 20, &row));
    DONE(mgc_device_add_term(d, row, "p", 1, 0));
    DONE(mgc_device_add_term(d, row, "p", -1, 1));
    mgc_plan *plan = solve(model, 0, NULL);
    DONE(mgc_plan_get_series(plan, "site", "p2g", "p", 0, p, T));
    DONE(mgc_plan_get_series(plan, "site", "p2g", "gas_kw", 0, g, T));
    for (int t = 0; t < T; t++) ck_assert_double_eq_tol(g[t], 0.6 * p[t], 1e-5);
    for (int t = 1; t < T; t++) ck_assert_double_le(fabs(p[t] - p[t - 1]), 20 + 1e-5);
    /* gas made is worth 0.03 a kWh of power: -0.03 in every other period, +0.02 in period 1; so p there is
     * the largest that ramps allow at a loss that pays: 20 up costs 0.03, gains 0.02 */
    ck_assert_double_eq_tol(p[1], 20, 1e-4);
    ck_assert_double_eq_tol(p[3], 0, 1e-4);
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
}
END_TEST

/* --- explanations (row O3 of the faults) ------------------------------------------------------------------------- */

static mgc_plan *infeasible(const mgc_model *model, const char *const *parts)
{
    mgc_dispatch_opts opts;
    mgc_plan_info info = {.struct_size = sizeof info};
    mgc_plan *plan;

    mgc_dispatch_opts_init(&opts, sizeof opts);
    DONE(mgc_dispatch_solve(model, &opts, &plan));
    DONE(mgc_plan_get_info(plan, &info));
    ck_assert_msg(info.outcome == MGC_OUTCOME_INFEASIBLE, "%s", mgc_outcome_name(info.outcome));
    for (; *parts != NULL; parts++)
        ck_assert_msg(strstr(mgc_plan_explain(plan), *parts) != NULL, "\"%s\" lacks \"%s\"", mgc_plan_explain(plan), *parts);
    return plan;
}

START_TEST(a_short_connection_is_named_with_its_cure) /* faults O3 */
{
    static const char *const parts[] = {"site: electricity is short by up to 120 kW in 01:30-02:30 (periods 3-4); 110 kWh",
                                        "Smallest single change that cures it: raise buy_limit_kw of site by 120 kW in "
                                        "01:30-02:30 (periods 3-4)", "unserved_price_per_kwh of site/wards (120 kW)", NULL};
    mgc_microgrid *site;
    mgc_model *model = world(1, &site);
    mgc_device *d = device(site, "load", "wards");
    double v;

    DONE(mgc_device_set_series(d, "demand_kw", (double[]){100, 200, 400, 520, 500, 300}, T));
    DONE(mgc_device_set_number(d, "unserved_price_per_kwh", (double)INFINITY));
    mgc_plan *plan = infeasible(model, parts);
    ck_assert_int_eq(mgc_plan_get_number(plan, "site", "cost", &v), MGC_E_STATE);
    mgc_plan_destroy(plan);
    DONE(mgc_microgrid_set_number(site, "buy_limit_kw", 520)); /* what it said */
    mgc_plan_destroy(solve(model, 0, NULL));
    DONE(mgc_microgrid_set_number(site, "buy_limit_kw", 519));
    static const char *const still[] = {"raise buy_limit_kw of site by 1 kW in 01:30-02:00 (period 3)", NULL};
    mgc_plan_destroy(infeasible(model, still));
    mgc_model_destroy(model);
}
END_TEST

START_TEST(heat_that_cannot_go_anywhere_is_named) /* faults O3 */
{
    static const char *const parts[] = {"site: heat is in surplus", "heat_venting of site", NULL};
    mgc_microgrid *site;
    mgc_model *model = world(1, &site);
    mgc_device *d = device(site, "load", "warm");

    DONE(mgc_device_set_text(d, "carrier", "heat"));
    numbers(d, "demand_kw", 10.0, NULL);
    DONE(mgc_microgrid_set_number(site, "heat_venting", 0));
    numbers(device(site, "chp", "unit"), "min_power_kw", 40.0, "max_power_kw", 120.0, "electric_efficiency", 0.38, "heat_to_power",
            1.0, "heat_fixed", 1.0, "initially_on", 1.0, "initial_power_kw", 100.0, "ramp_kw_per_period", 30.0, NULL);
    mgc_plan_destroy(infeasible(model, parts));
    DONE(mgc_microgrid_set_number(site, "heat_venting", 1));
    mgc_plan_destroy(solve(model, 0, NULL));
    mgc_model_destroy(model);
}
END_TEST

START_TEST(a_device_that_contradicts_itself_is_named)
{
    static const char *const parts[] = {"site/battery cannot keep its own limits", "of site/battery by ", NULL};
    mgc_microgrid *site;
    mgc_model *model = world(2, &site);

    numbers(device(site, "load", "town"), "demand_kw", 50.0, NULL);
    numbers(device(site, "storage", "battery"), "energy_capacity_kwh", 100.0, "initial_energy_kwh", 10.0, "final_energy_kwh", 90.0,
            "max_charge_kw", 20.0, "max_discharge_kw", 20.0, NULL);
    mgc_plan *plan = infeasible(model, parts);
    ck_assert_ptr_nonnull(strstr(mgc_plan_explain(plan), "raise max_charge_kw of site/battery by 6.667 kW"));
    mgc_plan_destroy(plan);
    DONE(mgc_device_set_number(mgc_microgrid_device(site, "battery"), "max_charge_kw", 26.667));
    mgc_plan_destroy(solve(model, 0, NULL));
    mgc_model_destroy(model);
}
END_TEST

/* The link would help, were it larger. */
START_TEST(an_alliance_that_cannot_help_enough_is_told_by_how_much)
{
    static const char *const names[] = {"poor", "rich"};
    mgc_microgrid *site[2], *unused;
    mgc_link *link;
    mgc_dispatch_opts opts;
    mgc_plan *plan;
    mgc_plan_info info = {.struct_size = sizeof info};
    mgc_model *model = world(1, &unused);

    for (size_t i = 0; i < 2; i++) {
        DONE(mgc_model_add_microgrid(model, names[i], 1, &site[i]));
        DONE(mgc_microgrid_set_number(site[i], "buy_limit_kw", i == 0 ? 20 : 1000));
        numbers(device(site[i], "load", "town"), "demand_kw", 100.0, "unserved_price_per_kwh", (double)INFINITY, NULL);
    }
    DONE(mgc_model_add_link(model, "poor", "rich", "electricity", &link));
    DONE(mgc_link_set_number(link, "capacity_kw", 50));
    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.together = MGC_DISPATCH_ALLIANCE;
    DONE(mgc_dispatch_solve(model, &opts, &plan));
    DONE(mgc_plan_get_info(plan, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_INFEASIBLE);
    ck_assert_msg(strstr(mgc_plan_explain(plan), "poor: electricity is short by up to 30 kW in 00:00-03:00") != NULL, "%s",
                  mgc_plan_explain(plan));
    ck_assert_msg(strstr(mgc_plan_explain(plan), "by 30 kW in 00:00-03:00 (periods 0-5)") != NULL, "%s", mgc_plan_explain(plan));
    mgc_plan_destroy(plan);
    DONE(mgc_link_set_number(link, "capacity_kw", 80));
    DONE(mgc_dispatch_solve(model, &opts, &plan));
    DONE(mgc_plan_get_info(plan, &info));
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    verify_plan(model, plan, true, false);
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
}
END_TEST

/* Heat comes by the link alone: only the link can give way. */
START_TEST(a_link_that_is_too_narrow_is_named_by_its_ends)
{
    static const char *const parts[] = {"cold: heat is short by up to 10 kW",
                                        "raise capacity_kw of the heat link cold-warm by 10 kW in 00:00-03:00 (periods 0-5)", NULL};
    mgc_microgrid *site[2], *unused;
    mgc_link *link;
    mgc_dispatch_opts opts;
    mgc_plan *plan;
    mgc_model *model = world(1, &unused);

    for (size_t i = 0; i < 2; i++) DONE(mgc_model_add_microgrid(model, i == 0 ? "cold" : "warm", 1, &site[i]));
    mgc_device *town = device(site[0], "load", "town");
    DONE(mgc_device_set_text(town, "carrier", "heat"));
    numbers(town, "demand_kw", 60.0, "unserved_price_per_kwh", (double)INFINITY, NULL);
    numbers(device(site[1], "gas_boiler", "boiler"), "max_heat_kw", 200.0, "efficiency", 0.9, NULL);
    DONE(mgc_model_add_link(model, "cold", "warm", "heat", &link));
    DONE(mgc_link_set_number(link, "capacity_kw", 50));
    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.together = MGC_DISPATCH_ALLIANCE;
    DONE(mgc_dispatch_solve(model, &opts, &plan));
    for (const char *const *part = parts; *part != NULL; part++)
        ck_assert_msg(strstr(mgc_plan_explain(plan), *part) != NULL, "\"%s\" lacks \"%s\"", mgc_plan_explain(plan), *part);
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
}
END_TEST

/* --- failing allocations (row O8) -------------------------------------------------------------------------------- */

struct heap {
    long until_fault, live, faults;
};

static bool fails(struct heap *heap)
{
    if (heap->until_fault-- > 0) return false;
    heap->faults++;
    return true;
}

static void *heap_alloc(void *user, size_t size)
{
    struct heap *heap = user;
    if (fails(heap)) return NULL;
    heap->live++;
    return malloc(size);
}

static void *heap_resize(void *user, void *block, size_t size)
{
    struct heap *heap = user;
    if (fails(heap)) return NULL;
    if (block == NULL) heap->live++;
    return realloc(block, size);
}

static void heap_release(void *user, void *block)
{
    ((struct heap *)user)->live--;
    free(block);
}

static mgc_status roll_on(const mgc_model *model, const mgc_plan *plan)
{
    mgc_state *state = NULL;
    mgc_model *rest = NULL;
    mgc_status st = mgc_plan_state(plan, 1, 1, 1, &state);

    ck_assert(st == MGC_OK || state == NULL);
    if (st == MGC_OK) st = mgc_model_window(model, 1, 1, &rest);
    if (st == MGC_OK) st = mgc_state_apply(state, rest);
    mgc_state_destroy(state);
    mgc_model_destroy(rest);
    return st;
}

/* Build and plan a day; any failure ends it. */
static mgc_status scenario(mgc_ctx *c, uint32_t together)
{
    mgc_model *model = NULL;
    mgc_microgrid *site;
    mgc_device *d;
    mgc_link *link;
    mgc_plan *plan = NULL;
    mgc_dispatch_opts opts;
    mgc_status st = mgc_model_create(c, 2, 1, &model);

    if (st == MGC_OK) st = mgc_model_set_number(model, "buy_price_per_kwh", 0.2);
    for (int i = 0; st == MGC_OK && i < 2; i++) {
        st = mgc_model_add_microgrid(model, i == 0 ? "a" : "b", 2, &site);
        if (st == MGC_OK) st = mgc_microgrid_set_number(site, "buy_limit_kw", i == 0 ? 5 : 50);
        if (st == MGC_OK) st = mgc_microgrid_set_probability(site, (double[]){0.5, 0.5}, 2);
        if (st == MGC_OK) st = mgc_microgrid_add_device(site, "load", "town", &d);
        for (uint32_t k = 0; st == MGC_OK && k < 2; k++) st = mgc_device_set_scenario(d, "demand_kw", k, (double[]){9, 8}, 2);
        if (st == MGC_OK) st = mgc_device_set_number(d, "unserved_price_per_kwh", (double)INFINITY);
        if (st == MGC_OK) st = mgc_microgrid_add_device(site, "linear", "lin", &d);
        if (st == MGC_OK) st = mgc_device_add_variable(d, "x");
    }
    if (st == MGC_OK) st = mgc_model_add_link(model, "a", "b", "electricity", &link);
    if (st == MGC_OK) st = mgc_link_set_number(link, "capacity_kw", 20);
    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.together = together; /* alone, a is short: the explanation is swept too */
    if (st == MGC_OK) st = mgc_dispatch_solve(model, &opts, &plan);
    ck_assert(st == MGC_OK || plan == NULL);
    if (st == MGC_OK && together == MGC_DISPATCH_ALLIANCE) st = roll_on(model, plan);
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
    return st;
}

START_TEST(every_allocation_fails_once) /* faults O8 */
{
    long stride = 1;

    for (long k = 0;; k += stride) {
        struct heap heap = {.until_fault = k};
        mgc_allocator memory = {heap_alloc, heap_resize, heap_release, &heap};
        mgc_ctx_opts opts;
        mgc_ctx *c = NULL;

        mgc_ctx_opts_init(&opts, sizeof opts);
        opts.allocator = &memory;
        mgc_status st = mgc_ctx_create(&opts, &c);
        if (st == MGC_OK) st = scenario(c, (uint32_t)_i);
        mgc_ctx_destroy(c);
        ck_assert_msg(heap.live == 0, "fault %ld: %ld blocks leaked", k, heap.live);
        if (heap.faults == 0) {
            ck_assert_int_eq(st, MGC_OK);
            ck_assert_int_gt(k, 50);
            return;
        }
        ck_assert_msg(st == MGC_E_NO_MEMORY, "fault %ld: status %s", k, mgc_status_name(st));
        if (k > 400) stride = 17; /* the solver's own sweep is its room's */
    }
}
END_TEST

Suite *devices_suite(void);

Suite *devices_suite(void)
{
    Suite *suite = suite_create("dispatch devices");
    TCase *tc = tcase_create("devices");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, every_device_keeps_its_equations, 0, 6);
    tcase_add_loop_test(tc, commitment_is_the_best_of_all, 0, 40);
    tcase_add_test(tc, linear_devices_do_what_their_rows_say);
    tcase_add_test(tc, a_short_connection_is_named_with_its_cure);
    tcase_add_test(tc, heat_that_cannot_go_anywhere_is_named);
    tcase_add_test(tc, a_device_that_contradicts_itself_is_named);
    tcase_add_test(tc, an_alliance_that_cannot_help_enough_is_told_by_how_much);
    tcase_add_test(tc, a_link_that_is_too_narrow_is_named_by_its_ends);
    tcase_add_loop_test(tc, every_allocation_fails_once, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
