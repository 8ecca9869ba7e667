/* SPDX-License-Identifier: Apache-2.0 */
/* Walking through a model, reading values as they stand, copying. */
#include <stdio.h>

#include "dispatch/model.h"

/* --- walking ----------------------------------------------------------------------------------------------------- */

uint32_t mgc_model_periods(const mgc_model *model)
{
    return model != NULL ? model->periods : 0;
}

double mgc_model_hours(const mgc_model *model)
{
    return model != NULL ? model->hours : 0;
}

uint32_t mgc_model_microgrids(const mgc_model *model)
{
    return model != NULL ? (uint32_t)model->n_sites : 0;
}

const char *mgc_model_microgrid_id(const mgc_model *model, uint32_t index)
{
    return model != NULL && index < model->n_sites ? model->sites[index]->id : NULL;
}

mgc_microgrid *mgc_model_microgrid(const mgc_model *model, const char *id)
{
    for (size_t i = 0; model != NULL && id != NULL && i < model->n_sites; i++)
        if (strcmp(model->sites[i]->id, id) == 0) return model->sites[i];
    return NULL;
}

uint32_t mgc_microgrid_scenarios(const mgc_microgrid *site)
{
    return site != NULL ? site->scenarios : 0;
}

uint32_t mgc_microgrid_devices(const mgc_microgrid *site)
{
    return site != NULL ? (uint32_t)site->n_devices : 0;
}

const char *mgc_microgrid_device_id(const mgc_microgrid *site, uint32_t index)
{
    return site != NULL && index < site->n_devices ? site->devices[index]->id : NULL;
}

const char *mgc_microgrid_device_type(const mgc_microgrid *site, uint32_t index)
{
    return site != NULL && index < site->n_devices ? mgc__device_scopes[site->devices[index]->type].name : NULL;
}

mgc_device *mgc_microgrid_device(const mgc_microgrid *site, const char *id)
{
    for (size_t i = 0; site != NULL && id != NULL && i < site->n_devices; i++)
        if (strcmp(site->devices[i]->id, id) == 0) return site->devices[i];
    return NULL;
}

mgc_status mgc_microgrid_get_probability(const mgc_microgrid *site, double *probability, size_t n)
{
    if (site == NULL || probability == NULL) return MGC_E_INVALID_ARG;
    if (n != site->scenarios)
        return mgc__fail(site->model->ctx, MGC_E_WRONG_LENGTH, "dispatch: %s has %u probabilities; %zu asked for", site->id,
                         site->scenarios, n);
    for (size_t k = 0; k < n; k++) probability[k] = site->probability != NULL ? site->probability[k] : 1.0 / (double)n;
    return MGC_OK;
}

uint32_t mgc_model_links(const mgc_model *model)
{
    return model != NULL ? (uint32_t)model->n_links : 0;
}

mgc_link *mgc_model_link_at(const mgc_model *model, uint32_t index)
{
    return model != NULL && index < model->n_links ? model->links[index] : NULL;
}

mgc_status mgc_model_link(const mgc_model *model, uint32_t index, const char **first, const char **second, const char **carrier)
{
    const mgc_link *link = mgc_model_link_at(model, index);

    if (model == NULL) return MGC_E_INVALID_ARG;
    if (link == NULL)
        return mgc__fail(model->ctx, MGC_E_NOT_FOUND, "dispatch: link %u; there are %zu", index, model->n_links);
    if (first != NULL) *first = link->first;
    if (second != NULL) *second = link->second;
    if (carrier != NULL) *carrier = link->carrier == CARRIER_HEAT ? "heat" : "electricity";
    return MGC_OK;
}

/* --- values with their defaults ---------------------------------------------------------------------------------- */

/* A microgrid's own value, else the model's; defaults that depend on others as the table says. */
double mgc__market_at(const mgc_microgrid *site, uint32_t param, uint32_t scenario, uint32_t period)
{
    bool own = site->market.slot[param].set;
    double value = mgc__bag_at(own ? &site->market : &site->model->market, param, own ? scenario : 0, period);

    if (own || site->model->market.slot[param].set) return value;
    switch (param) {
    case MARKET_RT_BUY: return mgc__market_at(site, MARKET_BUY, scenario, period);
    case MARKET_RT_SELL: return mgc__market_at(site, MARKET_SELL, scenario, period);
    case MARKET_GAS:
    case MARKET_HEAT: return 0;
    default: return value;
    }
}

double mgc__carbon_at(const mgc_microgrid *site, uint32_t param)
{
    return mgc__bag_at(site->carbon.slot[param].set ? &site->carbon : &site->model->carbon, param, 0, 0);
}

double mgc__grid_at(const mgc_microgrid *site, uint32_t param, uint32_t period)
{
    return mgc__bag_at(&site->grid, param, 0, period);
}

double mgc__device_at(const mgc_device *device, uint32_t param, uint32_t scenario, uint32_t period)
{
    const mgc__bag *bag = &device->bag;

    if (bag->slot[param].set) return mgc__bag_at(bag, param, scenario, period);
    if (device->type == TYPE_LOAD && param == LOAD_UNSERVED)
        return mgc__market_at(device->site,
                              bag->slot[LOAD_CARRIER].number == CARRIER_HEAT ? MARKET_UNSERVED_H : MARKET_UNSERVED_E, scenario,
                              period);
    if (device->type == TYPE_CHP && param == CHP_INITIAL)
        return bag->slot[CHP_ON].number != 0 ? bag->slot[CHP_MIN].number : 0;
    if (device->type == TYPE_STORAGE && param == STO_FINAL) return bag->slot[STO_INITIAL].number;
    return bag->slot[param].number;
}

bool mgc__bag_is_zero(const mgc__bag *bag, uint32_t param)
{
    const mgc__slot *slot = &bag->slot[param];

    if (slot->series == NULL) return slot->number == 0;
    for (size_t i = 0; i < (size_t)slot->rows * bag->periods; i++)
        if (slot->series[i] != 0) return false;
    return true;
}

bool mgc__device_burns_gas(const mgc_device *device)
{
    if (device->type == TYPE_CHP || device->type == TYPE_GAS_BOILER) return true;
    for (size_t i = 0; i < device->n_variables; i++)
        if (!mgc__bag_is_zero(&device->variables[i].bag, VAR_GAS)) return true;
    return false;
}

static mgc_status check_place(mgc_ctx *ctx, const char *who, uint32_t scenario, uint32_t scenarios, uint32_t period,
                              uint32_t periods)
{
    if (scenario < scenarios && period < periods) return MGC_OK;
    return mgc__fail(ctx, MGC_E_RANGE, "dispatch: %s: scenario %u, period %u; there are %u and %u", who, scenario, period,
                     scenarios, periods);
}

mgc_status mgc_device_get(const mgc_device *device, const char *key, uint32_t scenario, uint32_t period, double *value)
{
    if (device == NULL || key == NULL || value == NULL) return MGC_E_INVALID_ARG;
    const mgc_microgrid *site = device->site;
    const mgc__scope *scope = device->bag.scope;
    uint32_t param = mgc__param_find(scope, key);

    if (param == UINT32_MAX) return mgc__unknown_key(site->model->ctx, device->id, key, &scope, 1);
    mgc_status st = check_place(site->model->ctx, device->id, scenario, site->scenarios, period, site->model->periods);
    if (st == MGC_OK) *value = mgc__device_at(device, param, scenario, period);
    return st;
}

const char *mgc_device_get_text(const mgc_device *device, const char *key)
{
    static const char *const carriers[] = {"electricity", "heat"}; /* the only words so far */

    if (device == NULL || key == NULL) return NULL;
    uint32_t param = mgc__param_find(device->bag.scope, key);
    if (param == UINT32_MAX || device->bag.scope->params[param].kind != MGC_PARAM_TEXT) return NULL;
    return carriers[device->bag.slot[param].number == CARRIER_HEAT];
}

mgc_status mgc_microgrid_get(const mgc_microgrid *site, const char *key, uint32_t scenario, uint32_t period, double *value)
{
    static const mgc__scope *const scopes[] = {&mgc__microgrid_scope, &mgc__market_scope, &mgc__carbon_scope};
    uint32_t param;

    if (site == NULL || key == NULL || value == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_place(site->model->ctx, site->id, scenario, site->scenarios, period, site->model->periods);
    if (st != MGC_OK) return st;
    if ((param = mgc__param_find(&mgc__microgrid_scope, key)) != UINT32_MAX) *value = mgc__grid_at(site, param, period);
    else if ((param = mgc__param_find(&mgc__market_scope, key)) != UINT32_MAX)
        *value = mgc__market_at(site, param, scenario, period);
    else if ((param = mgc__param_find(&mgc__carbon_scope, strncmp(key, "carbon.", 7) == 0 ? key + 7 : key)) != UINT32_MAX)
        *value = mgc__carbon_at(site, param);
    else return mgc__unknown_key(site->model->ctx, site->id, key, scopes, MGC__COUNT(scopes));
    return MGC_OK;
}

mgc_status mgc_link_get(const mgc_link *link, const char *key, uint32_t period, double *value)
{
    static const mgc__scope *const scope = &mgc__link_scope;

    if (link == NULL || key == NULL || value == NULL) return MGC_E_INVALID_ARG;
    uint32_t param = mgc__param_find(scope, key);
    if (param == UINT32_MAX) return mgc__unknown_key(link->model->ctx, "link", key, &scope, 1);
    mgc_status st = check_place(link->model->ctx, "link", 0, 1, period, link->model->periods);
    if (st == MGC_OK) *value = mgc__bag_at(&link->bag, param, 0, period);
    return st;
}

/* --- copying ----------------------------------------------------------------------------------------------------- */

static mgc_status copy_linear(mgc_device *to, const mgc_device *from, uint32_t first)
{
    mgc_ctx *ctx = to->site->model->ctx;
    mgc_status st = MGC_OK;

    for (size_t i = 0; st == MGC_OK && i < from->n_variables; i++) {
        st = mgc_device_add_variable(to, from->variables[i].name);
        if (st == MGC_OK) st = mgc__bag_copy(ctx, &to->variables[i].bag, &from->variables[i].bag, first);
    }
    for (size_t i = 0; st == MGC_OK && i < from->n_constraints; i++)
        st = mgc_device_add_constraint(to, from->constraints[i].lower, from->constraints[i].upper, NULL);
    for (size_t i = 0; st == MGC_OK && i < from->n_terms; i++) {
        const mgc__term *term = &from->terms[i];
        st = mgc_device_add_term(to, term->constraint, from->variables[term->variable].name, term->coefficient, term->previous);
    }
    return st;
}

static mgc_status copy_microgrid(mgc_model *model, const mgc_microgrid *from, uint32_t first)
{
    mgc_microgrid *to;
    mgc_device *device;
    mgc_ctx *ctx = model->ctx;
    mgc_status st = mgc_model_add_microgrid(model, from->id, from->scenarios, &to);

    if (st == MGC_OK) st = mgc__bag_copy(ctx, &to->grid, &from->grid, first);
    if (st == MGC_OK) st = mgc__bag_copy(ctx, &to->market, &from->market, first);
    if (st == MGC_OK) st = mgc__bag_copy(ctx, &to->carbon, &from->carbon, first);
    if (st == MGC_OK && from->probability != NULL) st = mgc_microgrid_set_probability(to, from->probability, from->scenarios);
    if (st != MGC_OK) return st;
    memcpy(to->ball, from->ball, sizeof to->ball);
    for (size_t i = 0; st == MGC_OK && i < from->n_devices; i++) {
        const mgc_device *source = from->devices[i];
        st = mgc_microgrid_add_device(to, mgc__device_scopes[source->type].name, source->id, &device);
        if (st == MGC_OK) st = mgc__bag_copy(ctx, &device->bag, &source->bag, first);
        if (st == MGC_OK) st = copy_linear(device, source, first);
    }
    return st;
}

static mgc_status copy_link(mgc_model *model, const mgc_link *from, uint32_t first)
{
    mgc_link *link;
    mgc_status st = mgc_model_add_link(model, from->first, from->second, from->carrier == CARRIER_HEAT ? "heat" : "electricity", &link);

    return st == MGC_OK ? mgc__bag_copy(model->ctx, &link->bag, &from->bag, first) : st;
}

/* What of a model is copied: all (id and keep NULL), one microgrid with the links that touch it, or those kept with the links
 * between them; the periods first .. first + periods - 1. */
typedef struct model_part {
    const char *id;
    const bool *keep; /* one a microgrid */
    uint32_t first, periods;
} model_part;

static bool has_site(const mgc_model *model, const model_part *part, size_t i)
{
    if (part->keep != NULL) return part->keep[i];
    return part->id == NULL || strcmp(part->id, model->sites[i]->id) == 0;
}

static bool keeps(const mgc_model *model, const model_part *part, const char *id)
{
    for (size_t i = 0; i < model->n_sites; i++)
        if (strcmp(model->sites[i]->id, id) == 0) return part->keep[i];
    return false;
}

static bool has_link(const mgc_model *model, const model_part *part, const mgc_link *link)
{
    if (part->keep != NULL) return keeps(model, part, link->first) && keeps(model, part, link->second);
    return part->id == NULL || strcmp(part->id, link->first) == 0 || strcmp(part->id, link->second) == 0;
}

static mgc_status copy_part(mgc_ctx *ctx, const mgc_model *model, const model_part *part, mgc_model **out)
{
    mgc_model *copy;

    *out = NULL;
    mgc_status st = mgc_model_create(ctx, part->periods, model->hours, &copy);
    if (st != MGC_OK) return st;
    st = mgc__bag_copy(ctx, &copy->market, &model->market, part->first);
    if (st == MGC_OK) st = mgc__bag_copy(ctx, &copy->carbon, &model->carbon, part->first);
    for (size_t i = 0; st == MGC_OK && i < model->n_sites; i++)
        if (has_site(model, part, i)) st = copy_microgrid(copy, model->sites[i], part->first);
    for (size_t i = 0; st == MGC_OK && i < model->n_links; i++)
        if (has_link(model, part, model->links[i])) st = copy_link(copy, model->links[i], part->first);
    if (st != MGC_OK) mgc_model_destroy(copy);
    else *out = copy;
    return st;
}

mgc_status mgc__model_copy(mgc_ctx *ctx, const mgc_model *model, const char *id, mgc_model **out)
{
    return copy_part(ctx, model, &(model_part){.id = id, .periods = model->periods}, out);
}

mgc_status mgc_model_window(const mgc_model *model, uint32_t first, uint32_t periods, mgc_model **out)
{
    if (out != NULL) *out = NULL;
    if (model == NULL || out == NULL) return MGC_E_INVALID_ARG;
    if (periods < 1 || first >= model->periods || periods > model->periods - first)
        return mgc__fail(model->ctx, MGC_E_RANGE, "dispatch: %u periods from period %u; the model has %u", periods, first,
                         model->periods);
    return copy_part(model->ctx, model, &(model_part){.first = first, .periods = periods}, out);
}

mgc_status mgc__model_copy_some(mgc_ctx *ctx, const mgc_model *model, const bool keep[], mgc_model **out)
{
    return copy_part(ctx, model, &(model_part){.keep = keep, .periods = model->periods}, out);
}

/* --- expectation ------------------------------------------------------------------------------------------------- */

/* A bag for one scenario: rows of scenarios become their mean. */
static mgc_status average(mgc_ctx *ctx, mgc__bag *bag, const double *probability)
{
    for (uint32_t i = 0; i < bag->scope->n; i++) {
        mgc__slot *slot = &bag->slot[i];
        if (slot->series == NULL || slot->rows == 1) continue;
        double *mean = mgc__alloc(ctx, bag->periods, sizeof *mean);
        if (mean == NULL) return mgc__no_memory(ctx, "dispatch: an expectation");
        for (uint32_t k = 0; k < slot->rows; k++)
            for (uint32_t t = 0; t < bag->periods; t++) mean[t] += probability[k] * slot->series[(size_t)k * bag->periods + t];
        mgc__free(ctx, slot->series);
        slot->series = mean;
        slot->rows = 1;
    }
    bag->scenarios = 1;
    return MGC_OK;
}

static mgc_status average_site(mgc_ctx *ctx, mgc_microgrid *site)
{
    double *probability = mgc__alloc(ctx, site->scenarios, sizeof *probability);
    mgc_status st = probability == NULL ? mgc__no_memory(ctx, "dispatch: an expectation")
                                        : mgc_microgrid_get_probability(site, probability, site->scenarios);

    if (st == MGC_OK) st = average(ctx, &site->grid, probability);
    if (st == MGC_OK) st = average(ctx, &site->market, probability);
    if (st == MGC_OK) st = average(ctx, &site->carbon, probability);
    for (size_t i = 0; st == MGC_OK && i < site->n_devices; i++) {
        mgc_device *device = site->devices[i];
        st = average(ctx, &device->bag, probability);
        for (size_t j = 0; st == MGC_OK && j < device->n_variables; j++) st = average(ctx, &device->variables[j].bag, probability);
    }
    mgc__free(ctx, probability);
    if (st != MGC_OK) return st;
    site->scenarios = 1;
    mgc__free(ctx, site->probability);
    site->probability = NULL;
    return mgc_microgrid_clear_ambiguity(site);
}

mgc_status mgc_model_expected(const mgc_model *model, mgc_model **out)
{
    mgc_model *mean;

    if (out != NULL) *out = NULL;
    if (model == NULL || out == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = mgc__model_copy(model->ctx, model, NULL, &mean);
    for (size_t i = 0; st == MGC_OK && i < mean->n_sites; i++) st = average_site(model->ctx, mean->sites[i]);
    if (st == MGC_OK) *out = mean;
    else mgc_model_destroy(mean);
    return st;
}
