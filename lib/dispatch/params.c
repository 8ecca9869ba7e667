/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "dispatch/params.h"

/* --- the table --------------------------------------------------------------------------------------------------- */

#define ROW(symbol, key, kind, unit, flags, value, lower, upper, note, text) \
    {key, unit, note, text, MGC_PARAM_##kind, flags, value, lower, upper},
static const mgc__param market_params[] = {MGC__MARKET_PARAMS(ROW)};
static const mgc__param carbon_params[] = {MGC__CARBON_PARAMS(ROW)};
static const mgc__param microgrid_params[] = {MGC__MICROGRID_PARAMS(ROW)};
static const mgc__param link_params[] = {MGC__LINK_PARAMS(ROW)};
static const mgc__param variable_params[] = {MGC__VARIABLE_PARAMS(ROW)};
static const mgc__param load_params[] = {MGC__LOAD_PARAMS(ROW)};
static const mgc__param renewable_params[] = {MGC__RENEWABLE_PARAMS(ROW)};
static const mgc__param chp_params[] = {MGC__CHP_PARAMS(ROW)};
static const mgc__param boiler_params[] = {MGC__BOILER_PARAMS(ROW)};
static const mgc__param electric_boiler_params[] = {MGC__ELECTRIC_BOILER_PARAMS(ROW)};
static const mgc__param heat_pump_params[] = {MGC__HEAT_PUMP_PARAMS(ROW)};
static const mgc__param storage_params[] = {MGC__STORAGE_PARAMS(ROW)};
#undef ROW

const mgc__scope mgc__market_scope = {"market", market_params, MARKET_COUNT};
const mgc__scope mgc__carbon_scope = {"carbon", carbon_params, CARBON_COUNT};
const mgc__scope mgc__microgrid_scope = {"microgrid", microgrid_params, GRID_COUNT};
const mgc__scope mgc__link_scope = {"link", link_params, LINK_COUNT};
const mgc__scope mgc__variable_scope = {"variable", variable_params, VAR_COUNT};
const mgc__scope mgc__device_scopes[TYPE_COUNT] = {
    [TYPE_LOAD] = {"load", load_params, LOAD_COUNT},
    [TYPE_PV] = {"pv", renewable_params, REN_COUNT},
    [TYPE_WIND] = {"wind", renewable_params, REN_COUNT},
    [TYPE_RENEWABLE] = {"renewable", renewable_params, REN_COUNT},
    [TYPE_CHP] = {"chp", chp_params, CHP_COUNT},
    [TYPE_GAS_BOILER] = {"gas_boiler", boiler_params, BOILER_COUNT},
    [TYPE_ELECTRIC_BOILER] = {"electric_boiler", electric_boiler_params, EHEAT_COUNT},
    [TYPE_HEAT_PUMP] = {"heat_pump", heat_pump_params, PUMP_COUNT},
    [TYPE_STORAGE] = {"storage", storage_params, STO_COUNT},
    [TYPE_LINEAR] = {"linear", NULL, 0},
};

const char *mgc_device_type(uint32_t index)
{
    return index < TYPE_COUNT ? mgc__device_scopes[index].name : NULL;
}

static const mgc__scope *find_scope(const char *name)
{
    static const mgc__scope *const plain[] = {&mgc__market_scope, &mgc__carbon_scope, &mgc__microgrid_scope,
                                              &mgc__link_scope, &mgc__variable_scope};

    for (size_t i = 0; i < MGC__COUNT(plain); i++)
        if (strcmp(plain[i]->name, name) == 0) return plain[i];
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (strcmp(mgc__device_scopes[i].name, name) == 0) return &mgc__device_scopes[i];
    return NULL;
}

mgc_status mgc_param_describe(const char *scope, uint32_t index, mgc_param_info *info)
{
    if (scope == NULL || info == NULL) return MGC_E_INVALID_ARG;

    const mgc__scope *s = find_scope(scope);
    if (s == NULL) return MGC_E_UNKNOWN_KEY;
    if (index >= s->n) return MGC_E_NOT_FOUND;

    const mgc__param *p = &s->params[index];
    bool text = p->kind == MGC_PARAM_TEXT;
    mgc_param_info full = {
        .struct_size = sizeof full, .key = p->key, .unit = p->unit, .text = p->text, .words = text ? p->note : "",
        .kind = p->kind, .required = (p->flags & P_REQUIRED) != 0, .default_value = p->default_value,
        .lower = p->lower, .upper = p->upper, .lower_open = (p->flags & P_OPEN) != 0,
        .nullable = (p->flags & P_NULL) != 0, .default_text = text ? "" : p->note,
        .upper_open = (p->flags & P_OPEN_UPPER) != 0, .integer = (p->flags & P_INTEGER) != 0};
    return mgc__info_write(info, &full, sizeof full, MGC__FIRST_SIZE(mgc_param_info, integer));
}

uint32_t mgc__param_find(const mgc__scope *scope, const char *key)
{
    for (uint32_t i = 0; i < scope->n; i++)
        if (strcmp(scope->params[i].key, key) == 0) return i;
    return UINT32_MAX;
}

mgc_status mgc__unknown_key(mgc_ctx *ctx, const char *who, const char *key, const mgc__scope *const scopes[], size_t n)
{
    const char *near, *keys[64] = {NULL};
    size_t count = 0;

    for (size_t s = 0; s < n; s++)
        for (uint32_t i = 0; i < scopes[s]->n && count < MGC__COUNT(keys); i++) keys[count++] = scopes[s]->params[i].key;
    near = mgc__nearest(key, keys, count);
    if (near != NULL)
        return mgc__fail(ctx, MGC_E_UNKNOWN_KEY, "dispatch: %s has no parameter \"%.64s\"; did you mean \"%s\"?", who, key,
                         near);
    return mgc__fail(ctx, MGC_E_UNKNOWN_KEY, "dispatch: %s has no parameter \"%.64s\"; %s keys begin with \"%s\"", who, key,
                     scopes[0]->name, count > 0 ? keys[0] : "");
}

/* --- values ------------------------------------------------------------------------------------------------------ */

mgc_status mgc__bag_init(mgc_ctx *ctx, mgc__bag *bag, const mgc__scope *scope, uint32_t periods, uint32_t scenarios)
{
    *bag = (mgc__bag){.scope = scope, .periods = periods, .scenarios = scenarios};
    bag->slot = mgc__alloc(ctx, scope->n, sizeof *bag->slot);
    if (bag->slot == NULL) return mgc__no_memory(ctx, "dispatch: parameters");
    for (uint32_t i = 0; i < scope->n; i++) bag->slot[i].number = scope->params[i].default_value;
    return MGC_OK;
}

void mgc__bag_free(mgc_ctx *ctx, mgc__bag *bag)
{
    if (bag->slot != NULL)
        for (uint32_t i = 0; i < bag->scope->n; i++) mgc__free(ctx, bag->slot[i].series);
    mgc__free(ctx, bag->slot);
    bag->slot = NULL;
}

mgc_status mgc__bag_copy(mgc_ctx *ctx, mgc__bag *to, const mgc__bag *from, uint32_t first)
{
    for (uint32_t i = 0; i < from->scope->n; i++) {
        const mgc__slot *source = &from->slot[i];
        mgc__slot *slot = &to->slot[i];
        size_t n = (size_t)source->rows * to->periods;

        slot->number = source->number;
        slot->set = source->set;
        if (source->series == NULL) continue;
        slot->series = mgc__alloc(ctx, n, sizeof(double));
        if (slot->series == NULL) return mgc__no_memory(ctx, "dispatch: a copied series");
        for (size_t k = 0; k < source->rows; k++)
            memcpy(slot->series + k * to->periods, source->series + k * from->periods + first, to->periods * sizeof(double));
        slot->rows = source->rows;
    }
    return MGC_OK;
}

static bool in_range(const mgc__param *p, double x)
{
    if (isinf(x)) return (p->flags & P_NULL) != 0 && (x > 0 || p->lower < 0);
    if ((p->flags & P_INTEGER) != 0 && x != floor(x)) return false;
    if (p->kind == MGC_PARAM_FLAG && x != 0 && x != 1) return false;
    if (x < p->lower || (x == p->lower && (p->flags & P_OPEN) != 0)) return false;
    return !(x > p->upper || (x == p->upper && (p->flags & P_OPEN_UPPER) != 0));
}

/* "in [0, 1)", "0 or 1", "a whole number in [1, 64]" */
static void describe_range(const mgc__param *p, char *text, size_t size)
{
    char lower[MGC__DOUBLE_TEXT], upper[MGC__DOUBLE_TEXT];

    if (p->kind == MGC_PARAM_FLAG) {
        snprintf(text, size, "must be 0 or 1");
        return;
    }
    mgc__format_double(p->lower, lower);
    mgc__format_double(p->upper, upper);
    snprintf(text, size, "must be %sin %s%s, %s%s%s", (p->flags & P_INTEGER) != 0 ? "a whole number " : "",
             (p->flags & P_OPEN) != 0 ? "(" : "[", lower, upper, (p->flags & P_OPEN_UPPER) != 0 ? ")" : "]",
             (p->flags & P_NULL) != 0 ? ", or infinite for no limit" : "");
}

/* where: "" or " in period 3 of scenario 2" */
static mgc_status check_value(mgc_ctx *ctx, const mgc__param *p, const char *who, const char *where, double x)
{
    char range[160], text[MGC__DOUBLE_TEXT];

    if (!isnan(x) && in_range(p, x)) return MGC_OK;
    describe_range(p, range, sizeof range);
    if (!isfinite(x))
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: %s %s%s is %s; %s", who, p->key, where,
                         isnan(x) ? "not a number" : x > 0 ? "infinite" : "minus infinite", range);
    mgc__format_double(x, text);
    return mgc__fail(ctx, MGC_E_RANGE, "dispatch: %s %s%s is %s %s; %s", who, p->key, where, text, p->unit, range);
}

mgc_status mgc__bag_set_number(mgc_ctx *ctx, mgc__bag *bag, const char *who, uint32_t param, double value)
{
    const mgc__param *p = &bag->scope->params[param];
    mgc__slot *slot = &bag->slot[param];

    if (p->kind == MGC_PARAM_TEXT)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: %s %s takes a word; one of %s", who, p->key, p->note);
    mgc_status st = check_value(ctx, p, who, "", value);
    if (st != MGC_OK) return st;
    mgc__free(ctx, slot->series);
    *slot = (mgc__slot){.number = value, .set = true};
    return MGC_OK;
}

static mgc_status check_series(mgc_ctx *ctx, const mgc__bag *bag, const mgc__param *p, const char *who,
                               const uint32_t *scenario, const double *values, size_t n)
{
    char where[64];

    if (p->kind != MGC_PARAM_SERIES && p->kind != MGC_PARAM_UNCERTAIN)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: %s %s is one value, not a series", who, p->key);
    if (values == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: %s %s: values is NULL", who, p->key);
    if (n != bag->periods)
        return mgc__fail(ctx, MGC_E_WRONG_LENGTH, "dispatch: %s %s has %zu values; must be %u, one a period", who, p->key, n,
                         bag->periods);
    for (uint32_t t = 0; t < n; t++) {
        if (isfinite(values[t]) && in_range(p, values[t])) continue;
        if (scenario != NULL) snprintf(where, sizeof where, " in scenario %u, period %u", *scenario, t);
        else snprintf(where, sizeof where, " in period %u", t);
        mgc_status st = check_value(ctx, p, who, where, values[t]);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

mgc_status mgc__bag_set_series(mgc_ctx *ctx, mgc__bag *bag, const char *who, uint32_t param, const double *values, size_t n)
{
    mgc__slot *slot = &bag->slot[param];
    mgc_status st = check_series(ctx, bag, &bag->scope->params[param], who, NULL, values, n);
    if (st != MGC_OK) return st;

    double *series = mgc__alloc(ctx, n, sizeof *series);
    if (series == NULL) return mgc__no_memory(ctx, "dispatch: a series");
    memcpy(series, values, n * sizeof *series);
    mgc__free(ctx, slot->series);
    *slot = (mgc__slot){.series = series, .rows = 1, .set = true};
    return MGC_OK;
}

/* Make the slot hold a row a scenario; rows not given are what stood there, or NAN. */
static mgc_status widen(mgc_ctx *ctx, const mgc__bag *bag, mgc__slot *slot)
{
    size_t periods = bag->periods;

    if (slot->series != NULL && slot->rows == bag->scenarios) return MGC_OK;
    double *series = mgc__alloc(ctx, periods * bag->scenarios, sizeof *series);
    if (series == NULL) return mgc__no_memory(ctx, "dispatch: a series for each scenario");
    for (size_t k = 0; k < bag->scenarios; k++)
        for (size_t t = 0; t < periods; t++)
            series[k * periods + t] = slot->series != NULL ? slot->series[t] : slot->set ? slot->number : (double)NAN;
    mgc__free(ctx, slot->series);
    *slot = (mgc__slot){.series = series, .rows = bag->scenarios, .set = true};
    return MGC_OK;
}

mgc_status mgc__bag_set_scenario(mgc_ctx *ctx, mgc__bag *bag, const char *who, uint32_t param, uint32_t scenario,
                                 const double *values, size_t n)
{
    const mgc__param *p = &bag->scope->params[param];
    mgc_status st;

    if (p->kind != MGC_PARAM_UNCERTAIN)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: %s %s cannot differ between scenarios", who, p->key);
    if (scenario >= bag->scenarios)
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: %s %s: scenario %u; must be below %u", who, p->key, scenario,
                         bag->scenarios);
    st = check_series(ctx, bag, p, who, &scenario, values, n);
    if (st == MGC_OK) st = widen(ctx, bag, &bag->slot[param]);
    if (st != MGC_OK) return st;
    memcpy(bag->slot[param].series + (size_t)scenario * n, values, n * sizeof *values);
    return MGC_OK;
}

mgc_status mgc__bag_set_text(mgc_ctx *ctx, mgc__bag *bag, const char *who, uint32_t param, const char *word)
{
    const mgc__param *p = &bag->scope->params[param];
    size_t length;
    uint32_t index = 0;

    if (word == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: %s %s: word is NULL", who, p->key);
    if (p->kind != MGC_PARAM_TEXT)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: %s %s takes a number, not a word", who, p->key);
    for (const char *at = p->note; at != NULL; index++) {
        length = strcspn(at, "|");
        if (strlen(word) == length && memcmp(at, word, length) == 0) {
            bag->slot[param].number = index;
            bag->slot[param].set = true;
            return MGC_OK;
        }
        at = at[length] == '|' ? at + length + 1 : NULL;
    }
    return mgc__fail(ctx, MGC_E_RANGE, "dispatch: %s %s is \"%.64s\"; must be one of %s", who, p->key, word, p->note);
}

double mgc__bag_at(const mgc__bag *bag, uint32_t param, uint32_t scenario, uint32_t period)
{
    const mgc__slot *slot = &bag->slot[param];

    if (slot->series == NULL) return slot->number;
    return slot->series[(slot->rows > 1 ? (size_t)scenario * bag->periods : 0) + period];
}
