/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_plan.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { T_MAX = 96 };
#define TOL 1e-4 /* [kW, kWh] on quantities up to 1e4: what a relative 1e-8 leaves, and an on/off decision off by it */

/* One microgrid in one scenario, summed up device by device. */
typedef struct day {
    const mgc_model *model;
    const mgc_microgrid *site;
    const mgc_plan *plan;
    const char *id;
    uint32_t k, periods;
    double hours;
    bool relaxed;
    double electricity[T_MAX], heat[T_MAX]; /* supply less demand */
    double dated[T_MAX];                    /* all costs but carbon, in their periods */
    double cost, emission, ladder;          /* recourse cost before carbon; emission; emission less quotas */
} day;

static void series(const day *d, const char *device, const char *name, double *v)
{
    mgc_status st = mgc_plan_get_series(d->plan, d->id, device, name, d->k, v, d->periods);
    ck_assert_msg(st == MGC_OK, "%s/%s %s: %s", d->id, device, name, mgc_status_name(st));
}

static double of_site(const day *d, const char *key, uint32_t t)
{
    double x = (double)NAN;
    ck_assert_int_eq(mgc_microgrid_get(d->site, key, d->k, t, &x), MGC_OK);
    return x;
}

static double of(const day *d, const char *device, const char *key, uint32_t t)
{
    double x = (double)NAN;
    ck_assert_int_eq(mgc_device_get(mgc_microgrid_device(d->site, device), key, d->k, t, &x), MGC_OK);
    return x;
}

static void within(const day *d, const char *what, uint32_t t, double x, double lower, double upper)
{
    ck_assert_msg(x >= lower - TOL && x <= upper + TOL, "%s %s scenario %u period %u: %.9g outside %.9g..%.9g", d->id, what, d->k,
                  t, x, lower, upper);
}

static double *balance_of(day *d, const char *device)
{
    return strcmp(mgc_device_get_text(mgc_microgrid_device(d->site, device), "carrier"), "heat") == 0 ? d->heat : d->electricity;
}

/* Recourse cost of a period. */
static void charge(day *d, uint32_t t, double cost)
{
    d->cost += cost;
    d->dated[t] += cost;
}

/* First-stage cost of a period; it is summed up by itself. */
static double decide(day *d, uint32_t t, double cost)
{
    d->dated[t] += cost;
    return cost;
}

static void see_load(day *d, const char *id)
{
    double in[T_MAX], out[T_MAX], cut[T_MAX], lost[T_MAX], served[T_MAX], moved = 0;
    double *balance = balance_of(d, id);

    series(d, id, "shift_in_kw", in);
    series(d, id, "shift_out_kw", out);
    series(d, id, "curtailed_kw", cut);
    series(d, id, "unserved_kw", lost);
    series(d, id, "served_kw", served);
    for (uint32_t t = 0; t < d->periods; t++) {
        double demand = of(d, id, "demand_kw", t), price = of(d, id, "unserved_price_per_kwh", t);
        within(d, id, t, in[t], 0, of(d, id, "shiftable_share", t) * demand);
        within(d, id, t, out[t], 0, of(d, id, "shiftable_share", t) * demand);
        within(d, id, t, cut[t], 0, of(d, id, "curtailable_share", t) * demand);
        within(d, id, t, lost[t], 0, isinf(price) ? 0 : demand);
        within(d, id, t, served[t], demand + in[t] - out[t] - cut[t] - lost[t], demand + in[t] - out[t] - cut[t] - lost[t]);
        moved += in[t] - out[t];
        balance[t] -= served[t];
        charge(d, t, d->hours * (of(d, id, "shift_cost_per_kwh", t) * out[t] + of(d, id, "curtail_cost_per_kwh", t) * cut[t] +
                               (isinf(price) ? 0 : price * lost[t])));
    }
    within(d, id, 0, moved, 0, 0); /* (5) */
}

static void see_renewable(day *d, const char *id)
{
    double power[T_MAX];

    series(d, id, "power_kw", power);
    for (uint32_t t = 0; t < d->periods; t++) {
        double available = of(d, id, "available_kw", t);
        within(d, id, t, power[t], 0, available);
        d->electricity[t] += power[t];
        charge(d, t, d->hours * (of(d, id, "om_cost_per_kwh", t) * power[t] +
                               of(d, id, "curtailment_cost_per_kwh", t) * (available - power[t])));
        d->emission += d->hours * of(d, id, "emission_kg_per_kwh", t) * power[t];
        d->ladder -= d->hours * of(d, id, "quota_kg_per_kwh", t) * power[t];
    }
}

static void burn(day *d, double gas, uint32_t t)
{
    charge(d, t, d->hours * of_site(d, "gas_price_per_kwh", t) * gas);
    d->emission += d->hours * of_site(d, "gas_emission_kg_per_kwh", t) * gas;
}

/* (8) by brute force: runs of on and off are long enough, counted from decisions alone. */
static void see_runs(const day *d, const char *id, const double *on)
{
    uint32_t up = (uint32_t)of(d, id, "min_up_periods", 0), down = (uint32_t)of(d, id, "min_down_periods", 0);
    bool was = of(d, id, "initially_on", 0) > 0.5;
    uint32_t since = 1000000; /* the start of the day binds nothing that runs */

    for (uint32_t t = 0; t < d->periods; t++) {
        bool now = on[t] > 0.5;
        if (now != was) {
            ck_assert_msg(since >= (was ? up : down), "%s/%s changes in period %u after %u", d->id, id, t, since);
            since = 0;
        }
        since++;
        was = now;
    }
}

static void see_ramps(const day *d, const char *id, const double *on, const double *start, const double *power)
{
    double ramp = of(d, id, "ramp_kw_per_period", 0), step = fmax(ramp, of(d, id, "min_power_kw", 0));
    double u = of(d, id, "initially_on", 0), p = of(d, id, "initial_power_kw", 0);

    if (isinf(ramp)) return;
    for (uint32_t t = 0; t < d->periods; t++) { /* (7) */
        double stop = u - on[t] + start[t];
        within(d, id, t, power[t] - p, -ramp * on[t] - step * stop, ramp * u + step * start[t]);
        u = on[t];
        p = power[t];
    }
}

static void see_chp(day *d, const char *id)
{
    double on[T_MAX], start[T_MAX], power[T_MAX], heat[T_MAX], gas[T_MAX], u = of(d, id, "initially_on", 0);

    series(d, id, "on", on);
    series(d, id, "start", start);
    series(d, id, "power_kw", power);
    series(d, id, "heat_kw", heat);
    series(d, id, "gas_kw", gas);
    for (uint32_t t = 0; t < d->periods; t++) {
        double ratio = of(d, id, "heat_to_power", t);
        double want = power[t] / of(d, id, "electric_efficiency", t) + of(d, id, "no_load_fuel_kw", t) * on[t];
        within(d, id, t, power[t], of(d, id, "min_power_kw", t) * on[t], of(d, id, "max_power_kw", t) * on[t]); /* (6) */
        within(d, id, t, heat[t], of(d, id, "heat_fixed", t) > 0 ? ratio * power[t] : 0, ratio * power[t]);
        within(d, id, t, gas[t], want - 2 * TOL, want + 2 * TOL);
        within(d, id, t, start[t], fmax(0, on[t] - u), 1);
        if (!d->relaxed) {
            ck_assert_msg((on[t] == 0 || on[t] == 1) && (start[t] == 0 || start[t] == 1), "%s/%s period %u: on %.9g start %.9g",
                          d->id, id, t, on[t], start[t]);
            ck_assert_msg(start[t] == (on[t] > u), "%s/%s period %u: start %.9g", d->id, id, t, start[t]);
        }
        u = on[t];
        d->electricity[t] += power[t];
        d->heat[t] += heat[t];
        burn(d, gas[t], t);
        charge(d, t, d->hours * of(d, id, "om_cost_per_kwh", t) * power[t]);
        d->emission += d->hours * of(d, id, "emission_kg_per_kwh", t) * power[t];
        d->ladder -= d->hours * of(d, id, "quota_kg_per_kwh", t) * power[t];
    }
    if (!d->relaxed) see_runs(d, id, on);
    see_ramps(d, id, on, start, power);
}

static void see_boiler(day *d, const char *id)
{
    double heat[T_MAX];

    series(d, id, "heat_kw", heat);
    for (uint32_t t = 0; t < d->periods; t++) {
        within(d, id, t, heat[t], 0, of(d, id, "max_heat_kw", t));
        d->heat[t] += heat[t];
        burn(d, heat[t] / of(d, id, "efficiency", t), t);
        charge(d, t, d->hours * of(d, id, "om_cost_per_kwh", t) * heat[t]);
        d->emission += d->hours * of(d, id, "emission_kg_per_kwh", t) * heat[t];
        d->ladder -= d->hours * of(d, id, "quota_kg_per_kwh", t) * heat[t];
    }
}

static void see_electric_heat(day *d, const char *id)
{
    double power[T_MAX], heat[T_MAX];

    series(d, id, "power_kw", power);
    series(d, id, "heat_kw", heat);
    for (uint32_t t = 0; t < d->periods; t++) {
        double want = of(d, id, "coefficient_of_performance", t) * power[t];
        within(d, id, t, power[t], 0, of(d, id, "max_power_kw", t));
        within(d, id, t, heat[t], want, want);
        d->electricity[t] -= power[t];
        d->heat[t] += heat[t];
        charge(d, t, d->hours * of(d, id, "om_cost_per_kwh", t) * power[t]);
    }
}

/* (4), the energy rolled forward here */
static void see_storage(day *d, const char *id)
{
    double in[T_MAX], out[T_MAX], energy[T_MAX], mode[T_MAX], e = of(d, id, "initial_energy_kwh", 0);
    double *balance = balance_of(d, id);
    bool exclusive = of(d, id, "exclusive", 0) > 0;

    series(d, id, "charge_kw", in);
    series(d, id, "discharge_kw", out);
    series(d, id, "energy_kwh", energy);
    series(d, id, "mode", mode);
    for (uint32_t t = 0; t < d->periods; t++) {
        e = (1 - of(d, id, "self_discharge_per_period", t)) * e +
            d->hours * (of(d, id, "charge_efficiency", t) * in[t] - out[t] / of(d, id, "discharge_efficiency", t));
        ck_assert_msg(fabs(e - energy[t]) < 2 * TOL, "%s/%s period %u: energy %.9g, rolled %.9g", d->id, id, t, energy[t], e);
        within(d, id, t, energy[t], of(d, id, "min_energy_kwh", t), of(d, id, "energy_capacity_kwh", t));
        within(d, id, t, in[t], 0, of(d, id, "max_charge_kw", t) * (exclusive ? mode[t] : 1));
        within(d, id, t, out[t], 0, of(d, id, "max_discharge_kw", t) * (exclusive ? 1 - mode[t] : 1));
        balance[t] += out[t] - in[t];
        charge(d, t, d->hours * of(d, id, "wear_cost_per_kwh", t) * out[t]);
    }
    within(d, id, d->periods - 1, energy[d->periods - 1], of(d, id, "final_energy_kwh", 0), of(d, id, "energy_capacity_kwh", 0));
}

static void see_device(day *d, uint32_t index)
{
    const char *id = mgc_microgrid_device_id(d->site, index), *type = mgc_microgrid_device_type(d->site, index);

    if (strcmp(type, "load") == 0) see_load(d, id);
    else if (strcmp(type, "pv") == 0 || strcmp(type, "wind") == 0 || strcmp(type, "renewable") == 0) see_renewable(d, id);
    else if (strcmp(type, "chp") == 0) see_chp(d, id);
    else if (strcmp(type, "gas_boiler") == 0) see_boiler(d, id);
    else if (strcmp(type, "electric_boiler") == 0 || strcmp(type, "heat_pump") == 0) see_electric_heat(d, id);
    else if (strcmp(type, "storage") == 0) see_storage(d, id);
    else ck_assert_msg(strcmp(type, "linear") == 0, "%s", type); /* its variables have no common name: see test_devices */
}

static double see_links(day *d)
{
    double ahead[T_MAX], back[T_MAX], fees = 0;

    for (uint32_t l = 0; l < mgc_model_links(d->model); l++) {
        const char *first, *second, *carrier;
        char name[16];
        double loss, fee, capacity;
        mgc_link *link = mgc_model_link_at(d->model, l);
        ck_assert_int_eq(mgc_model_link(d->model, l, &first, &second, &carrier), MGC_OK);
        bool is_first = strcmp(first, d->id) == 0;
        if (!is_first && strcmp(second, d->id) != 0) continue;
        snprintf(name, sizeof name, "LINK:%u", l);
        series(d, name, "sent_kw", ahead);
        series(d, name, "sent_back_kw", back);
        for (uint32_t t = 0; t < d->periods; t++) {
            double out = is_first ? ahead[t] : back[t], in = is_first ? back[t] : ahead[t];
            double *balance = strcmp(carrier, "heat") == 0 ? d->heat : d->electricity;
            ck_assert_int_eq(mgc_link_get(link, "loss", t, &loss), MGC_OK);
            ck_assert_int_eq(mgc_link_get(link, "fee_per_kwh", t, &fee), MGC_OK);
            ck_assert_int_eq(mgc_link_get(link, "capacity_kw", t, &capacity), MGC_OK);
            within(d, name, t, out, 0, capacity);
            within(d, name, t, in, 0, capacity);
            balance[t] += (1 - loss) * in - out;
            fees += decide(d, t, d->hours * 0.5 * fee * (in + out));
        }
    }
    return fees;
}

static double carbon_cost(const day *d)
{
    double above = d->ladder + d->emission - of_site(d, "carbon_quota_kg", 0), price = of_site(d, "price_per_kg", 0);
    double width = of_site(d, "tier_width_kg", 0), growth = of_site(d, "tier_growth", 0), sum = 0;
    uint32_t tiers = (uint32_t)of_site(d, "tiers", 0);

    if (above <= 0) return of_site(d, "reward_price_per_kg", 0) * above;
    for (uint32_t j = 0; j < tiers && above > 0; j++) {
        double part = j + 1 < tiers ? fmin(above, width) : above;
        sum += price * (1 + j * growth) * part;
        above -= part;
    }
    return sum;
}

/* Grid, balances and cost of one scenario; returns the first-stage cost. */
static double see_scenario(day *d, double recorded, double weight)
{
    double buy[T_MAX], sell[T_MAX], heat[T_MAX], plus[T_MAX], minus[T_MAX], import[T_MAX], first = 0, start[T_MAX];

    series(d, "", "buy_kw", buy);
    series(d, "", "sell_kw", sell);
    series(d, "", "heat_buy_kw", heat);
    series(d, "", "realtime_buy_kw", plus);
    series(d, "", "realtime_sell_kw", minus);
    series(d, "", "import_kw", import);
    for (uint32_t i = 0; i < mgc_microgrid_devices(d->site); i++) see_device(d, i);
    first += see_links(d);
    for (uint32_t t = 0; t < d->periods; t++) {
        double net = buy[t] - sell[t] + plus[t] - minus[t];
        within(d, "buy", t, buy[t], 0, of_site(d, "buy_limit_kw", t));
        within(d, "sell", t, sell[t], 0, of_site(d, "sell_limit_kw", t));
        within(d, "heat buy", t, heat[t], 0, of_site(d, "heat_buy_limit_kw", t));
        within(d, "connection", t, net, -of_site(d, "sell_limit_kw", t), of_site(d, "buy_limit_kw", t)); /* (1) */
        within(d, "import", t, import[t], fmax(0, net), fmax(0, net));
        d->electricity[t] += net;
        d->heat[t] += heat[t];
        within(d, "electricity", t, d->electricity[t], 0, 0); /* (2) */
        within(d, "heat", t, d->heat[t], 0, of_site(d, "heat_venting", 0) > 0 ? (double)INFINITY : 0); /* (3) */
        first += decide(d, t, d->hours * (of_site(d, "buy_price_per_kwh", t) * buy[t] - of_site(d, "sell_price_per_kwh", t) * sell[t] +
                                          of_site(d, "heat_price_per_kwh", t) * heat[t]));
        charge(d, t, d->hours * (of_site(d, "realtime_buy_price_per_kwh", t) * plus[t] -
                               of_site(d, "realtime_sell_price_per_kwh", t) * minus[t]));
        d->emission += d->hours * of_site(d, "grid_emission_kg_per_kwh", t) * import[t];
    }
    for (uint32_t i = 0; i < mgc_microgrid_devices(d->site); i++) {
        const char *id = mgc_microgrid_device_id(d->site, i);
        if (strcmp(mgc_microgrid_device_type(d->site, i), "chp") != 0) continue;
        series(d, id, "start", start);
        for (uint32_t t = 0; t < d->periods; t++) first += decide(d, t, of(d, id, "startup_cost", t) * start[t]);
    }
    series(d, "", "cost", start);
    for (uint32_t t = 0; t < d->periods; t++)
        ck_assert_msg(fabs(start[t] - d->dated[t]) < 1e-4 * (1 + fabs(d->dated[t])), "%s scenario %u period %u: cost %.9g, told %.9g", d->id, d->k, t,
                      d->dated[t], start[t]);
    /* a scenario without weight may stand above its own least cost, never below what its plan costs */
    double cost = d->cost + carbon_cost(d);
    ck_assert_msg(cost <= recorded + 1e-4 * (1 + fabs(recorded)), "%s scenario %u: cost %.9g, told %.9g", d->id, d->k, cost, recorded);
    if (weight > 1e-6)
        ck_assert_msg(fabs(cost - recorded) < 1e-4 * (1 + fabs(recorded)), "%s scenario %u: cost %.9g, told %.9g", d->id, d->k, cost,
                      recorded);
    return first;
}

static void verify_site(const mgc_model *model, const mgc_plan *plan, const char *id, bool relaxed)
{
    const mgc_microgrid *site = mgc_model_microgrid(model, id);
    uint32_t scenarios = mgc_microgrid_scenarios(site);
    double p[64], first = 0, told_first, expected = 0, emission = 0, told, sum = 0;

    ck_assert_int_eq(mgc_plan_get_probability(plan, id, p, scenarios), MGC_OK);
    for (uint32_t k = 0; k < scenarios; k++) {
        day d = {.model = model, .site = site, .plan = plan, .id = id, .k = k, .periods = mgc_model_periods(model),
                 .hours = mgc_model_hours(model), .relaxed = relaxed};
        double q;
        ck_assert_int_eq(mgc_plan_get_scenario_number(plan, id, "cost", k, &q), MGC_OK);
        first = see_scenario(&d, q, p[k]);
        expected += p[k] * q;
        emission += p[k] * d.emission;
        sum += p[k];
        ck_assert_double_ge(p[k], -1e-9);
    }
    ck_assert_double_eq_tol(sum, 1, 1e-8);
    ck_assert_int_eq(mgc_plan_get_number(plan, id, "first_stage_cost", &told_first), MGC_OK);
    ck_assert_double_eq_tol(first, told_first, 1e-5 * (1 + fabs(first)));
    ck_assert_int_eq(mgc_plan_get_number(plan, id, "cost", &told), MGC_OK);
    ck_assert_double_eq_tol(first + expected, told, 1e-5 * (1 + fabs(told)));
    ck_assert_int_eq(mgc_plan_get_number(plan, id, "emission_kg", &told), MGC_OK);
    ck_assert_double_eq_tol(emission, told, 1e-5 * (1 + fabs(told)));
}

void verify_plan(const mgc_model *model, const mgc_plan *plan, bool together, bool relaxed)
{
    double v[T_MAX];

    ck_assert_uint_le(mgc_model_periods(model), T_MAX);
    for (uint32_t i = 0; i < mgc_model_microgrids(model); i++) verify_site(model, plan, mgc_model_microgrid_id(model, i), relaxed);
    for (uint32_t l = 0; !together && l < mgc_model_links(model); l++) {
        char name[16];
        snprintf(name, sizeof name, "LINK:%u", l);
        ck_assert_int_eq(mgc_plan_get_series(plan, "", name, "sent_kw", 0, v, mgc_model_periods(model)), MGC_OK);
        for (uint32_t t = 0; t < mgc_model_periods(model); t++) ck_assert_double_eq(v[t], 0);
    }
}
