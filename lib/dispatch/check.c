/* SPDX-License-Identifier: Apache-2.0 */
/* What no single setter can see: parameters missing, crossed, or allowing free money (doc/math/dispatch.md, "Costs"). */
#include <stdio.h>

#include "dispatch/model.h"

enum { WHERE_MAX = 4 * MODEL_ID_MAX, TEXT_MAX = 400 };

/* The check as it runs: who is looked at, who is told. */
struct check {
    const mgc_model *model;
    mgc_fault_fn fault;
    void *user;
    mgc_status first;
    char first_text[TEXT_MAX];
    char who[WHERE_MAX];  /* "hospital/unit-1" */
    char path[WHERE_MAX]; /* "microgrids/hospital/devices/unit-1" */
};

static void tell(struct check *c, mgc_status status, const char *key, const char *format, ...) MGC_PRINTF(4, 5);

static void tell(struct check *c, mgc_status status, const char *key, const char *format, ...)
{
    char where[2 * WHERE_MAX], text[TEXT_MAX];
    va_list args;
    int used = snprintf(text, sizeof text, "dispatch: %s ", c->who);

    va_start(args, format);
    mgc__vformat(text + used, sizeof text - (size_t)used, format, args);
    va_end(args);
    snprintf(where, sizeof where, "%s/%s", c->path, key);
    if (c->first == MGC_OK) {
        c->first = status;
        memcpy(c->first_text, text, sizeof text);
    }
    if (c->fault != NULL) c->fault(c->user, status, where, text);
}

/* --- what the table alone can say -------------------------------------------------------------------------------- */

/* Required parameters are there, and scenario series are complete. */
static void check_given(struct check *c, const mgc__bag *bag)
{
    for (uint32_t i = 0; i < bag->scope->n; i++) {
        const mgc__param *p = &bag->scope->params[i];
        const mgc__slot *slot = &bag->slot[i];

        if ((p->flags & P_REQUIRED) != 0 && !slot->set)
            tell(c, MGC_E_NOT_FOUND, p->key, "%s is not given; it has no default: %s", p->key, p->text);
        for (uint32_t k = 0; slot->series != NULL && slot->rows > 1 && k < slot->rows; k++)
            if (isnan(slot->series[(size_t)k * bag->periods])) {
                tell(c, MGC_E_NOT_FOUND, p->key, "%s is not given for scenario %u of %u", p->key, k, slot->rows);
                break;
            }
    }
}

static bool complete(const mgc__bag *bag)
{
    for (uint32_t i = 0; i < bag->scope->n; i++) {
        const mgc__slot *slot = &bag->slot[i];
        if ((bag->scope->params[i].flags & P_REQUIRED) != 0 && !slot->set) return false;
        for (uint32_t k = 0; slot->series != NULL && k < slot->rows; k++)
            if (isnan(slot->series[(size_t)k * bag->periods])) return false;
    }
    return true;
}

/* --- devices ----------------------------------------------------------------------------------------------------- */

/* A value lies within its neighbours up to rounding: states handed over from a solved day end at their bounds. */
static bool above(double value, double limit)
{
    return value > limit + 1e-6 * (1 + fabs(limit));
}

static void check_at_most(struct check *c, const mgc_device *device, uint32_t low, uint32_t high)
{
    double x = mgc__device_number(device, low), y = mgc__device_number(device, high);
    const mgc__param *p = device->bag.scope->params;

    if (above(x, y))
        tell(c, MGC_E_RANGE, p[low].key, "%s is %g %s; must be at most %s, which is %g", p[low].key, x, p[low].unit, p[high].key,
             y);
}

static void check_load(struct check *c, const mgc_device *device)
{
    for (uint32_t t = 0; t < c->model->periods; t++) {
        double share = mgc__device_at(device, LOAD_SHIFTABLE, 0, t) + mgc__device_at(device, LOAD_CURTAILABLE, 0, t);
        if (share <= 1 + 1e-9) continue;
        tell(c, MGC_E_RANGE, "curtailable_share",
             "shiftable_share + curtailable_share is %g in period %u; more than the whole demand cannot go", share, t);
        return;
    }
}

static void check_chp(struct check *c, const mgc_device *device)
{
    double start = mgc__device_number(device, CHP_INITIAL);

    check_at_most(c, device, CHP_MIN, CHP_MAX);
    if (mgc__device_number(device, CHP_ON) != 0) {
        check_at_most(c, device, CHP_INITIAL, CHP_MAX);
        check_at_most(c, device, CHP_MIN, CHP_INITIAL);
    } else if (above(start, 0))
        tell(c, MGC_E_RANGE, "initial_power_kw", "initial_power_kw is %g kW while initially_on is 0; a unit that is off gives 0",
             start);
}

static void check_storage(struct check *c, const mgc_device *device)
{
    check_at_most(c, device, STO_MIN, STO_CAPACITY);
    check_at_most(c, device, STO_INITIAL, STO_CAPACITY);
    check_at_most(c, device, STO_MIN, STO_INITIAL);
    check_at_most(c, device, STO_FINAL, STO_CAPACITY);
}

static void check_linear(struct check *c, const mgc_device *device)
{
    for (size_t i = 0; i < device->n_variables; i++) {
        const mgc__variable *v = &device->variables[i];
        for (uint32_t t = 0; t < c->model->periods; t++) {
            double lower = mgc__bag_at(&v->bag, VAR_LOWER, 0, t), upper = mgc__bag_at(&v->bag, VAR_UPPER, 0, t);
            if (lower <= upper && lower < (double)INFINITY) continue;
            tell(c, MGC_E_RANGE, v->name, "variable %s: lower is %g, upper %g in period %u; lower must be at most upper", v->name,
                 lower, upper, t);
            break;
        }
    }
    for (size_t i = 0; i < device->n_constraints; i++) {
        bool used = false;
        for (size_t j = 0; j < device->n_terms; j++) used |= device->terms[j].constraint == i;
        if (!used) tell(c, MGC_E_NOT_FOUND, "constraints", "constraint %zu has no terms", i);
    }
}

static void check_device(struct check *c, const mgc_device *device)
{
    snprintf(c->who, sizeof c->who, "%s/%s", device->site->id, device->id);
    snprintf(c->path, sizeof c->path, "microgrids/%s/devices/%s", device->site->id, device->id);
    check_given(c, &device->bag);
    if (!complete(&device->bag)) return;
    switch (device->type) {
    case TYPE_LOAD: check_load(c, device); break;
    case TYPE_CHP: check_chp(c, device); break;
    case TYPE_STORAGE: check_storage(c, device); break;
    case TYPE_LINEAR: check_linear(c, device); break;
    default: break;
    }
}

/* --- prices ------------------------------------------------------------------------------------------------------ */

/* Tell once that one price is above another: the first place and how many there are. */
static void check_order(struct check *c, const mgc_microgrid *site, uint32_t low, uint32_t high, const char *why)
{
    const char *low_key = mgc__market_scope.params[low].key, *high_key = mgc__market_scope.params[high].key;
    uint32_t count = 0, at_t = 0, at_k = 0;

    for (uint32_t k = 0; k < site->scenarios; k++)
        for (uint32_t t = 0; t < c->model->periods; t++)
            if (mgc__market_at(site, low, k, t) > mgc__market_at(site, high, k, t) && count++ == 0) {
                at_t = t;
                at_k = k;
            }
    if (count > 0)
        tell(c, MGC_E_FREE_MONEY, low_key, "%s is %g in period %u while %s is %g: free money%s; must be at most that", low_key,
             mgc__market_at(site, low, at_k, at_t), at_t, high_key, mgc__market_at(site, high, at_k, at_t), why);
}

static bool unlimited(const mgc_microgrid *site, uint32_t param)
{
    for (uint32_t t = 0; t < site->model->periods; t++)
        if (isinf(mgc__grid_at(site, param, t))) return true;
    return false;
}

static bool market_given(const mgc_microgrid *site, uint32_t param)
{
    return site->market.slot[param].set || site->model->market.slot[param].set;
}

static void check_needed_prices(struct check *c, const mgc_microgrid *site)
{
    const mgc_device *burner = NULL;

    for (size_t i = 0; i < site->n_devices && burner == NULL; i++)
        if (mgc__device_burns_gas(site->devices[i])) burner = site->devices[i];
    if (burner != NULL && !market_given(site, MARKET_GAS))
        tell(c, MGC_E_NOT_FOUND, "market/gas_price_per_kwh", "burns gas in %s, and gas_price_per_kwh is not given", burner->id);
    if (!mgc__bag_is_zero(&site->grid, GRID_HEAT_LIMIT) && !market_given(site, MARKET_HEAT))
        tell(c, MGC_E_NOT_FOUND, "market/heat_price_per_kwh", "may buy heat, and heat_price_per_kwh is not given");
}

/* Price orders that give free money; where a limit is missing, also those that a limit would have bounded. */
static void check_prices(struct check *c, const mgc_microgrid *site)
{
    double price = mgc__carbon_at(site, CARBON_PRICE), reward = mgc__carbon_at(site, CARBON_REWARD);

    if (!market_given(site, MARKET_BUY)) {
        tell(c, MGC_E_NOT_FOUND, "market/buy_price_per_kwh", "buy_price_per_kwh is not given; it has no default");
        return;
    }
    check_order(c, site, MARKET_SELL, MARKET_BUY, "");
    check_order(c, site, MARKET_RT_SELL, MARKET_RT_BUY, "");
    if (unlimited(site, GRID_BUY_LIMIT)) check_order(c, site, MARKET_RT_SELL, MARKET_BUY, " without buy_limit_kw");
    if (unlimited(site, GRID_SELL_LIMIT)) check_order(c, site, MARKET_SELL, MARKET_RT_BUY, " without sell_limit_kw");
    if (reward > price)
        tell(c, MGC_E_FREE_MONEY, "market/carbon/reward_price_per_kg",
             "reward_price_per_kg is %g while price_per_kg is %g: free money; must be at most that", reward, price);
    for (uint32_t t = 0; t < c->model->periods; t++)
        if (isinf(mgc__grid_at(site, GRID_HEAT_LIMIT, t)) && mgc__market_at(site, MARKET_HEAT, 0, t) < 0) {
            tell(c, MGC_E_FREE_MONEY, "market/heat_price_per_kwh",
                 "heat_price_per_kwh is %g in period %u: free money without heat_buy_limit_kw", mgc__market_at(site, MARKET_HEAT, 0, t),
                 t);
            break;
        }
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static void check_microgrid(struct check *c, const mgc_microgrid *site)
{
    snprintf(c->who, sizeof c->who, "%s", site->id);
    snprintf(c->path, sizeof c->path, "microgrids/%s", site->id);
    check_given(c, &site->grid);
    if (complete(&site->grid)) {
        mgc__bag market = site->market; /* overrides: nothing is required of them, but scenarios must be complete */
        for (uint32_t i = 0; i < market.scope->n; i++)
            for (uint32_t k = 0; market.slot[i].series != NULL && k < market.slot[i].rows; k++)
                if (isnan(market.slot[i].series[(size_t)k * market.periods])) {
                    tell(c, MGC_E_NOT_FOUND, market.scope->params[i].key, "%s is not given for scenario %u",
                         market.scope->params[i].key, k);
                    break;
                }
        check_prices(c, site);
        check_needed_prices(c, site);
    }
    for (size_t i = 0; i < site->n_devices; i++) check_device(c, site->devices[i]);
}

static void check_links(struct check *c)
{
    for (size_t i = 0; i < c->model->n_links; i++) {
        const mgc_link *link = c->model->links[i];

        snprintf(c->who, sizeof c->who, "link %zu", i);
        snprintf(c->path, sizeof c->path, "links/%zu", i);
        check_given(c, &link->bag);
        if (mgc_model_microgrid(c->model, link->first) == NULL && mgc_model_microgrid(c->model, link->second) == NULL)
            tell(c, MGC_E_NOT_FOUND, "between", "joins %s and %s; the model holds neither", link->first, link->second);
    }
}

mgc_status mgc_model_check(const mgc_model *model, mgc_fault_fn fault, void *user)
{
    if (model == NULL) return MGC_E_INVALID_ARG;
    struct check c = {.model = model, .fault = fault, .user = user, .who = "model", .path = "microgrids"};

    if (model->n_sites == 0) tell(&c, MGC_E_NOT_FOUND, "", "has no microgrid");
    for (size_t i = 0; i < model->n_sites; i++) check_microgrid(&c, model->sites[i]);
    check_links(&c);
    if (c.first != MGC_OK) return mgc__fail(model->ctx, c.first, "%s", c.first_text);
    return MGC_OK;
}
