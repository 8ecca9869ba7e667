/* SPDX-License-Identifier: Apache-2.0 */
/* Series of a plan by name. */
#include <stdio.h>

#include "dispatch/plan.h"

/* One quantity at one period and scenario. */
typedef double (*quantity_fn)(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t);

typedef struct quantity {
    const char *name;
    quantity_fn at;
} quantity;

/* --- the connection to the grid ---------------------------------------------------------------------------------- */

#define FIRST(function, place)                                                                        \
    static double function(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)            \
    {                                                                                                 \
        (void)device;                                                                                 \
        (void)k;                                                                                      \
        return mgc__plan_first(s, s->shape->place, t);                                                \
    }
#define RECOURSE(function, place)                                                                     \
    static double function(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)            \
    {                                                                                                 \
        (void)device;                                                                                 \
        return mgc__plan_value(s, k, s->shape->place, t);                                             \
    }
#define DEVICE(function, family)                                                                      \
    static double function(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)            \
    {                                                                                                 \
        return mgc__plan_value(s, k, s->shape->device[device].scenario[family], t);                   \
    }
FIRST(buy, buy)
FIRST(sell, sell)
FIRST(heat_buy, district)
RECOURSE(realtime_buy, realtime_buy)
RECOURSE(realtime_sell, realtime_sell)

static double import_(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    (void)device;
    return fmax(0, mgc__plan_exchange(s, k, t));
}

static double export_(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    (void)device;
    return fmax(0, -mgc__plan_exchange(s, k, t));
}

/* A scenario row's multiplier holds its worst-case probability: their sum is the expected marginal price. */
static double marginal_price(const mgc__plan_site *s, uint32_t row, uint32_t t)
{
    double sum = 0;

    if (row == PLACE_NONE || !s->priced) return 0;
    for (uint32_t k = 0; k < s->shape->scenarios; k++) sum += s->y[mgc__row(s->shape, k, row, t)];
    return sum / s->shape->hours;
}

static double price(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    (void)device;
    (void)k;
    return marginal_price(s, s->shape->row_electricity, t);
}

static double heat_price(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    (void)device;
    (void)k;
    return marginal_price(s, s->shape->row_heat, t);
}

static double cost(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    (void)device;
    return s->dated[(size_t)k * s->shape->periods + t];
}

/* --- devices ----------------------------------------------------------------------------------------------------- */

DEVICE(shift_in, SHIFT_IN)
DEVICE(shift_out, SHIFT_OUT)
DEVICE(curtailed, CURTAILED)
DEVICE(unserved, UNSERVED)
DEVICE(power, POWER)
DEVICE(boiler_heat, BOILER_HEAT)
DEVICE(charge, CHARGE)
DEVICE(discharge, DISCHARGE)
DEVICE(energy, ENERGY)

static const mgc_device *device_of(const mgc__plan_site *s, size_t device)
{
    return s->shape->site->devices[device];
}

static double demand(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    return mgc__device_at(device_of(s, device), LOAD_DEMAND, k, t);
}

static double served(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    return demand(s, device, k, t) + shift_in(s, device, k, t) - shift_out(s, device, k, t) - curtailed(s, device, k, t) -
           unserved(s, device, k, t);
}

static double available(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    return mgc__device_at(device_of(s, device), REN_AVAILABLE, k, t);
}

/* On/off decisions as such, where the solver's last digits do not matter; of a relaxed plan what they are. */
static double decision(double x)
{
    return fabs(x - round(x)) < 1e-5 ? round(x) : x;
}

static double on(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    (void)k;
    return decision(mgc__plan_first(s, s->shape->device[device].first[ON], t));
}

static double start(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    (void)k;
    return decision(mgc__plan_first(s, s->shape->device[device].first[START], t));
}

static double mode(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    (void)k;
    return decision(mgc__plan_first(s, s->shape->device[device].first[MODE], t));
}

static double chp_heat(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    const mgc_device *d = device_of(s, device);

    if (mgc__device_number(d, CHP_HEAT_FIXED) != 0) return mgc__device_number(d, CHP_HEAT) * power(s, device, k, t);
    return mgc__plan_value(s, k, s->shape->device[device].scenario[HEAT], t);
}

static double electric_heat(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    return mgc__device_at(device_of(s, device), EHEAT_COP, 0, t) * power(s, device, k, t);
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static const quantity grid_quantities[] = {
    {"buy_kw", buy}, {"sell_kw", sell}, {"heat_buy_kw", heat_buy}, {"realtime_buy_kw", realtime_buy},
    {"realtime_sell_kw", realtime_sell}, {"import_kw", import_}, {"export_kw", export_}, {"price_per_kwh", price},
    {"heat_price_per_kwh", heat_price}, {"cost", cost}, {NULL, NULL}};
static const quantity load_quantities[] = {
    {"demand_kw", demand}, {"shift_in_kw", shift_in}, {"shift_out_kw", shift_out}, {"curtailed_kw", curtailed},
    {"unserved_kw", unserved}, {"served_kw", served}, {NULL, NULL}};
static const quantity renewable_quantities[] = {{"power_kw", power}, {"available_kw", available}, {NULL, NULL}};
static const quantity chp_quantities[] = {
    {"on", on}, {"start", start}, {"power_kw", power}, {"heat_kw", chp_heat}, {"gas_kw", mgc__plan_gas}, {NULL, NULL}};
static const quantity boiler_quantities[] = {{"heat_kw", boiler_heat}, {"gas_kw", mgc__plan_gas}, {NULL, NULL}};
static const quantity electric_heat_quantities[] = {{"power_kw", power}, {"heat_kw", electric_heat}, {NULL, NULL}};
static const quantity storage_quantities[] = {
    {"charge_kw", charge}, {"discharge_kw", discharge}, {"energy_kwh", energy}, {"mode", mode}, {NULL, NULL}};
static const quantity linear_quantities[] = {{"gas_kw", mgc__plan_gas}, {NULL, NULL}};

static const quantity *const device_quantities[TYPE_COUNT] = {
    [TYPE_LOAD] = load_quantities, [TYPE_PV] = renewable_quantities, [TYPE_WIND] = renewable_quantities,
    [TYPE_RENEWABLE] = renewable_quantities, [TYPE_CHP] = chp_quantities, [TYPE_GAS_BOILER] = boiler_quantities,
    [TYPE_ELECTRIC_BOILER] = electric_heat_quantities, [TYPE_HEAT_PUMP] = electric_heat_quantities,
    [TYPE_STORAGE] = storage_quantities, [TYPE_LINEAR] = linear_quantities};

static quantity_fn find_quantity(const quantity *list, const char *name)
{
    for (; list->name != NULL; list++)
        if (strcmp(list->name, name) == 0) return list->at;
    return NULL;
}

static mgc_status no_quantity(const mgc_plan *plan, const char *who, const quantity *list, const char *name)
{
    const char *names[16];
    size_t n = 0;

    for (; list->name != NULL && n < MGC__COUNT(names); list++) names[n++] = list->name;
    const char *near = mgc__nearest(name, names, n);
    return mgc__fail(plan->ctx, MGC_E_UNKNOWN_KEY, "dispatch: %s has no series \"%.64s\"; did you mean \"%s\"?", who, name,
                     near != NULL ? near : names[0]);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* "LINK:n" */
static mgc_status link_series(const mgc_plan *plan, const char *device, const char *quantity_name, double *values)
{
    const char *digits = device + 5;
    size_t index = 0;
    bool back = strcmp(quantity_name, "sent_back_kw") == 0;

    for (size_t i = 0; digits[i] >= '0' && digits[i] <= '9' && i < 8; i++) index = 10 * index + (size_t)(digits[i] - '0');
    if (digits[0] == '\0' || strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > 8 ||
        index >= plan->model->n_links)
        return mgc__fail(plan->ctx, MGC_E_UNKNOWN_KEY, "dispatch: \"%.64s\" is no link; there are LINK:0 to LINK:%zu", device,
                         plan->model->n_links - 1);
    if (!back && strcmp(quantity_name, "sent_kw") != 0)
        return mgc__fail(plan->ctx, MGC_E_UNKNOWN_KEY, "dispatch: a link has no series \"%.64s\"; sent_kw and sent_back_kw are",
                         quantity_name);
    memset(values, 0, plan->model->periods * sizeof *values);
    for (size_t i = 0; i < plan->n; i++) {
        const mgc__plan_site *s = &plan->site[i];
        for (size_t j = 0; j < s->shape->n_trades; j++) {
            const mgc__trade *trade = &s->shape->trades[j];
            if (trade->link != index) continue;
            if (!s->solved)
                return mgc__fail(plan->ctx, MGC_E_STATE, "dispatch: the plan of %s has no solution", s->shape->site->id);
            const uint32_t *column = (trade->first != 0) != back ? trade->out : trade->in;
            for (uint32_t t = 0; t < plan->model->periods; t++) values[t] = s->x[column[t]];
            return MGC_OK;
        }
    }
    return MGC_OK; /* alone: links are unused */
}

static mgc_status fill(const mgc_plan *plan, const mgc__plan_site *s, size_t device, quantity_fn at, uint32_t scenario,
                       double *values)
{
    if (scenario >= s->shape->scenarios)
        return mgc__fail(plan->ctx, MGC_E_RANGE, "dispatch: scenario %u of %s; there are %u", scenario, s->shape->site->id,
                         s->shape->scenarios);
    for (uint32_t t = 0; t < s->shape->periods; t++) values[t] = at(s, device, scenario, t);
    return MGC_OK;
}

static bool has_variable(const mgc_device *d, const char *name)
{
    for (size_t i = 0; i < d->n_variables; i++)
        if (strcmp(d->variables[i].name, name) == 0) return true;
    return false;
}

static mgc_status variable_series(const mgc_plan *plan, const mgc__plan_site *s, size_t device, const char *name,
                                  uint32_t scenario, double *values)
{
    const mgc_device *d = s->shape->site->devices[device];

    for (size_t i = 0; i < d->n_variables; i++) {
        if (strcmp(d->variables[i].name, name) != 0) continue;
        if (scenario >= s->shape->scenarios)
            return mgc__fail(plan->ctx, MGC_E_RANGE, "dispatch: scenario %u of %s; there are %u", scenario, s->shape->site->id,
                             s->shape->scenarios);
        for (uint32_t t = 0; t < s->shape->periods; t++)
            values[t] = mgc__plan_value(s, scenario, s->shape->device[device].scenario[VARIABLES] + (uint32_t)i * s->shape->periods,
                                        t);
        return MGC_OK;
    }
    return mgc__fail(plan->ctx, MGC_E_UNKNOWN_KEY, "dispatch: %s has no variable \"%.64s\"", d->id, name);
}

mgc_status mgc_plan_get_series(const mgc_plan *plan, const char *microgrid, const char *device, const char *name,
                               uint32_t scenario, double *values, size_t n)
{
    const mgc__plan_site *s;
    quantity_fn at;

    if (plan == NULL || device == NULL || name == NULL || values == NULL) return MGC_E_INVALID_ARG;
    if (n != plan->model->periods)
        return mgc__fail(plan->ctx, MGC_E_WRONG_LENGTH, "dispatch: %zu values asked for; the plan has %u periods", n,
                         plan->model->periods);
    if (strncmp(device, "LINK:", 5) == 0) return link_series(plan, device, name, values);
    mgc_status st = mgc__plan_find(plan, microgrid, &s);
    if (st != MGC_OK) return st;
    if (device[0] == '\0') {
        at = find_quantity(grid_quantities, name);
        return at != NULL ? fill(plan, s, 0, at, scenario, values) : no_quantity(plan, microgrid, grid_quantities, name);
    }
    for (size_t i = 0; i < s->shape->site->n_devices; i++) {
        const mgc_device *d = s->shape->site->devices[i];
        if (strcmp(d->id, device) != 0) continue;
        at = find_quantity(device_quantities[d->type], name);
        if (d->type == TYPE_LINEAR && (at == NULL || has_variable(d, name)))
            return variable_series(plan, s, i, name, scenario, values);
        if (at != NULL) return fill(plan, s, i, at, scenario, values);
        return no_quantity(plan, d->id, device_quantities[d->type], name);
    }
    return mgc__fail(plan->ctx, MGC_E_UNKNOWN_KEY, "dispatch: %s has no device \"%.64s\"", microgrid, device);
}
