/* SPDX-License-Identifier: Apache-2.0 */
/* Building a model: microgrids, devices, links and their parameters. */
#include <stdio.h>

#include "dispatch/model.h"

enum { WHO_MAX = 2 * MODEL_ID_MAX + 32 };

/* --- making and freeing ------------------------------------------------------------------------------------------ */

mgc_status mgc_model_create(mgc_ctx *ctx, uint32_t periods, double hours, mgc_model **out)
{
    mgc_status st;

    if (out != NULL) *out = NULL;
    if (ctx == NULL || out == NULL) return MGC_E_INVALID_ARG;
    if (periods < 1 || periods > MODEL_PERIODS_MAX)
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: periods is %u; must be 1..%d", periods, MODEL_PERIODS_MAX);
    if (!(hours > 0) || !(hours <= MODEL_PERIODS_MAX))
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: hours of a period is %g; must be in (0, %d]", hours, MODEL_PERIODS_MAX);

    mgc_model *model = mgc__alloc(ctx, 1, sizeof *model);
    if (model == NULL) return mgc__no_memory(ctx, "dispatch: a model");
    model->ctx = ctx;
    model->periods = periods;
    model->hours = hours;
    st = mgc__bag_init(ctx, &model->market, &mgc__market_scope, periods, 1);
    if (st == MGC_OK) st = mgc__bag_init(ctx, &model->carbon, &mgc__carbon_scope, periods, 1);
    if (st != MGC_OK) {
        mgc_model_destroy(model);
        return st;
    }
    *out = model;
    return MGC_OK;
}

static void destroy_device(mgc_ctx *ctx, mgc_device *device)
{
    if (device == NULL) return;
    for (size_t i = 0; i < device->n_variables; i++) {
        mgc__free(ctx, device->variables[i].name);
        mgc__bag_free(ctx, &device->variables[i].bag);
    }
    mgc__bag_free(ctx, &device->bag);
    mgc__free(ctx, device->variables);
    mgc__free(ctx, device->constraints);
    mgc__free(ctx, device->terms);
    mgc__free(ctx, device->id);
    mgc__free(ctx, device);
}

void mgc__model_keep_device(mgc_microgrid *site, size_t index)
{
    mgc_device *kept = site->devices[index];

    for (size_t i = 0; i < site->n_devices; i++)
        if (i != index) destroy_device(site->model->ctx, site->devices[i]);
    site->devices[0] = kept;
    site->n_devices = 1;
}

static void destroy_microgrid(mgc_ctx *ctx, mgc_microgrid *site)
{
    if (site == NULL) return;
    for (size_t i = 0; i < site->n_devices; i++) destroy_device(ctx, site->devices[i]);
    mgc__bag_free(ctx, &site->grid);
    mgc__bag_free(ctx, &site->market);
    mgc__bag_free(ctx, &site->carbon);
    mgc__free(ctx, site->devices);
    mgc__free(ctx, site->probability);
    mgc__free(ctx, site->id);
    mgc__free(ctx, site);
}

static void destroy_link(mgc_ctx *ctx, mgc_link *link)
{
    if (link == NULL) return;
    mgc__bag_free(ctx, &link->bag);
    mgc__free(ctx, link->first);
    mgc__free(ctx, link->second);
    mgc__free(ctx, link);
}

void mgc__model_drop_links(mgc_model *model)
{
    for (size_t i = 0; i < model->n_links; i++) destroy_link(model->ctx, model->links[i]);
    model->n_links = 0;
}

void mgc__model_swap_links(mgc_model *a, mgc_model *b)
{
    mgc_link **links = a->links;
    size_t n = a->n_links, cap = a->links_cap;

    a->links = b->links;
    a->n_links = b->n_links;
    a->links_cap = b->links_cap;
    b->links = links;
    b->n_links = n;
    b->links_cap = cap;
    for (size_t i = 0; i < a->n_links; i++) a->links[i]->model = a;
    for (size_t i = 0; i < b->n_links; i++) b->links[i]->model = b;
}

void mgc_model_destroy(mgc_model *model)
{
    if (model == NULL) return;
    mgc_ctx *ctx = model->ctx;

    for (size_t i = 0; i < model->n_sites; i++) destroy_microgrid(ctx, model->sites[i]);
    for (size_t i = 0; i < model->n_links; i++) destroy_link(ctx, model->links[i]);
    mgc__bag_free(ctx, &model->market);
    mgc__bag_free(ctx, &model->carbon);
    mgc__free(ctx, model->sites);
    mgc__free(ctx, model->links);
    mgc__free(ctx, model);
}

/* --- adding ------------------------------------------------------------------------------------------------------ */

/* Ids go into file names, messages and ledger records, so they are plain words. */
static mgc_status check_id(mgc_ctx *ctx, const char *what, const char *id)
{
    size_t length;

    if (id == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: the id of a %s is NULL", what);
    length = strlen(id);
    if (length < 1 || length > MODEL_ID_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: the id \"%.64s\" of a %s has %zu bytes; must have 1..%d", id, what,
                         length, MODEL_ID_MAX);
    for (size_t i = 0; i < length; i++) {
        char c = id[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '_' && c != '.' && c != '-')
            return mgc__fail(ctx, MGC_E_INVALID_ARG,
                             "dispatch: byte %zu of the id \"%s\" of a %s is 0x%02x; allowed are A-Z a-z 0-9 _ . -", i, id, what,
                             (unsigned)(unsigned char)c);
    }
    return MGC_OK;
}

/* Room for one more pointer in a list that has a limit. */
static mgc_status make_room(mgc_ctx *ctx, const char *what, void **list, size_t *cap, size_t n, size_t max, size_t size)
{
    if (n >= max) return mgc__fail(ctx, MGC_E_LIMIT, "dispatch: too many %s; at most %zu", what, max);
    if (!mgc__grow(ctx, list, cap, n + 1, size)) return mgc__no_memory(ctx, what);
    return MGC_OK;
}

static mgc_status new_microgrid(mgc_model *model, const char *id, uint32_t scenarios, mgc_microgrid **out)
{
    mgc_ctx *ctx = model->ctx;
    mgc_microgrid *site = mgc__alloc(ctx, 1, sizeof *site);
    mgc_status st;

    if (site == NULL) return mgc__no_memory(ctx, "dispatch: a microgrid");
    site->model = model;
    site->scenarios = scenarios;
    for (size_t i = 0; i < BALL_COUNT; i++) site->ball[i].radius = site->ball[i].confidence = NAN;
    site->id = mgc__strdup(ctx, id);
    st = site->id == NULL ? mgc__no_memory(ctx, "dispatch: an id") : MGC_OK;
    if (st == MGC_OK) st = mgc__bag_init(ctx, &site->grid, &mgc__microgrid_scope, model->periods, scenarios);
    if (st == MGC_OK) st = mgc__bag_init(ctx, &site->market, &mgc__market_scope, model->periods, scenarios);
    if (st == MGC_OK) st = mgc__bag_init(ctx, &site->carbon, &mgc__carbon_scope, model->periods, scenarios);
    if (st != MGC_OK) destroy_microgrid(ctx, site);
    else *out = site;
    return st;
}

mgc_status mgc_model_add_microgrid(mgc_model *model, const char *id, uint32_t scenarios, mgc_microgrid **site)
{
    mgc_microgrid *fresh = NULL;
    mgc_status st;

    if (site != NULL) *site = NULL;
    if (model == NULL || site == NULL) return MGC_E_INVALID_ARG;
    st = check_id(model->ctx, "microgrid", id);
    if (st != MGC_OK) return st;
    if (mgc_model_microgrid(model, id) != NULL)
        return mgc__fail(model->ctx, MGC_E_EXISTS, "dispatch: there are two microgrids \"%s\"; ids must differ", id);
    if (scenarios < 1 || scenarios > MODEL_SCENARIOS_MAX)
        return mgc__fail(model->ctx, MGC_E_RANGE, "dispatch: %s has %u scenarios; must have 1..%d", id, scenarios,
                         MODEL_SCENARIOS_MAX);
    st = make_room(model->ctx, "microgrids", (void **)&model->sites, &model->sites_cap, model->n_sites, MODEL_MICROGRIDS_MAX,
                   sizeof(mgc_microgrid *));
    if (st == MGC_OK) st = new_microgrid(model, id, scenarios, &fresh);
    if (st != MGC_OK) return st;
    model->sites[model->n_sites++] = fresh;
    *site = fresh;
    return MGC_OK;
}

static mgc_status find_type(mgc_ctx *ctx, const char *type, mgc__type *out)
{
    const char *names[TYPE_COUNT];

    if (type == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: the type of a device is NULL");
    for (int i = 0; i < TYPE_COUNT; i++) {
        names[i] = mgc__device_scopes[i].name;
        if (strcmp(names[i], type) != 0) continue;
        *out = (mgc__type)i;
        return MGC_OK;
    }
    const char *near = mgc__nearest(type, names, TYPE_COUNT);
    return mgc__fail(ctx, MGC_E_UNKNOWN_KEY, "dispatch: no device type \"%.64s\"%s%s%s", type,
                     near != NULL ? "; did you mean \"" : "; types are load, pv, wind, renewable, chp, gas_boiler, "
                                                          "electric_boiler, heat_pump, storage, linear",
                     near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static mgc_status new_device(mgc_microgrid *site, mgc__type type, const char *id, mgc_device **out)
{
    mgc_ctx *ctx = site->model->ctx;
    mgc_device *device = mgc__alloc(ctx, 1, sizeof *device);
    mgc_status st;

    if (device == NULL) return mgc__no_memory(ctx, "dispatch: a device");
    device->site = site;
    device->type = type;
    device->id = mgc__strdup(ctx, id);
    st = device->id == NULL ? mgc__no_memory(ctx, "dispatch: an id") : MGC_OK;
    if (st == MGC_OK)
        st = mgc__bag_init(ctx, &device->bag, &mgc__device_scopes[type], site->model->periods, site->scenarios);
    if (st != MGC_OK) destroy_device(ctx, device);
    else *out = device;
    return st;
}

mgc_status mgc_microgrid_add_device(mgc_microgrid *site, const char *type, const char *id, mgc_device **device)
{
    mgc_device *fresh = NULL;
    mgc__type kind = TYPE_LOAD;
    mgc_status st;

    if (device != NULL) *device = NULL;
    if (site == NULL || device == NULL) return MGC_E_INVALID_ARG;
    mgc_ctx *ctx = site->model->ctx;
    st = find_type(ctx, type, &kind);
    if (st == MGC_OK) st = check_id(ctx, "device", id);
    if (st != MGC_OK) return st;
    if (mgc_microgrid_device(site, id) != NULL)
        return mgc__fail(ctx, MGC_E_EXISTS, "dispatch: %s has two devices \"%s\"; ids must differ", site->id, id);
    st = make_room(ctx, "devices", (void **)&site->devices, &site->devices_cap, site->n_devices, MODEL_DEVICES_MAX,
                   sizeof(mgc_device *));
    if (st == MGC_OK) st = new_device(site, kind, id, &fresh);
    if (st != MGC_OK) return st;
    site->devices[site->n_devices++] = fresh;
    *device = fresh;
    return MGC_OK;
}

static mgc_status find_carrier(mgc_ctx *ctx, const char *carrier, uint32_t *out)
{
    if (carrier != NULL && strcmp(carrier, "electricity") == 0) *out = CARRIER_ELECTRICITY;
    else if (carrier != NULL && strcmp(carrier, "heat") == 0) *out = CARRIER_HEAT;
    else
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: carrier of a link is \"%.64s\"; must be electricity or heat",
                         carrier != NULL ? carrier : "NULL");
    return MGC_OK;
}

static mgc_status new_link(mgc_model *model, const char *first, const char *second, uint32_t carrier, mgc_link **out)
{
    mgc_ctx *ctx = model->ctx;
    mgc_link *link = mgc__alloc(ctx, 1, sizeof *link);
    mgc_status st;

    if (link == NULL) return mgc__no_memory(ctx, "dispatch: a link");
    link->model = model;
    link->carrier = carrier;
    link->first = mgc__strdup(ctx, first);
    link->second = mgc__strdup(ctx, second);
    st = link->first == NULL || link->second == NULL ? mgc__no_memory(ctx, "dispatch: an id") : MGC_OK;
    if (st == MGC_OK) st = mgc__bag_init(ctx, &link->bag, &mgc__link_scope, model->periods, 1);
    if (st != MGC_OK) destroy_link(ctx, link);
    else *out = link;
    return st;
}

mgc_status mgc_model_add_link(mgc_model *model, const char *first, const char *second, const char *carrier, mgc_link **link)
{
    mgc_link *fresh = NULL;
    uint32_t kind = 0;
    mgc_status st;

    if (link != NULL) *link = NULL;
    if (model == NULL || link == NULL) return MGC_E_INVALID_ARG;
    st = check_id(model->ctx, "link's first member", first);
    if (st == MGC_OK) st = check_id(model->ctx, "link's second member", second);
    if (st == MGC_OK) st = find_carrier(model->ctx, carrier, &kind);
    if (st != MGC_OK) return st;
    if (strcmp(first, second) == 0)
        return mgc__fail(model->ctx, MGC_E_INVALID_ARG, "dispatch: a link joins %s with itself; members must differ", first);
    st = make_room(model->ctx, "links", (void **)&model->links, &model->links_cap, model->n_links, MODEL_LINKS_MAX,
                   sizeof(mgc_link *));
    if (st == MGC_OK) st = new_link(model, first, second, kind, &fresh);
    if (st != MGC_OK) return st;
    model->links[model->n_links++] = fresh;
    *link = fresh;
    return MGC_OK;
}

/* --- finding a parameter by its key ------------------------------------------------------------------------------ */

/* Where a key leads: one of up to three bags of an object. */
struct target {
    mgc_ctx *ctx;
    mgc__bag *bag;
    uint32_t param;
    char who[WHO_MAX];
};

/* A key of "carbon" may carry that word in front, as a path. */
static const char *strip_carbon(const char *key, const mgc__scope *scope)
{
    if (scope == &mgc__carbon_scope && strncmp(key, "carbon.", 7) == 0) return key + 7;
    return key;
}

static mgc_status aim(struct target *target, mgc_ctx *ctx, mgc__bag *const bags[], size_t n, const char *key)
{
    const mgc__scope *scopes[3];

    if (key == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: %s: key is NULL", target->who);
    target->ctx = ctx;
    for (size_t i = 0; i < n; i++) {
        scopes[i] = bags[i]->scope;
        target->bag = bags[i];
        target->param = mgc__param_find(scopes[i], strip_carbon(key, scopes[i]));
        if (target->param != UINT32_MAX) return MGC_OK;
    }
    return mgc__unknown_key(ctx, target->who, key, scopes, n);
}

static mgc_status aim_model(struct target *target, mgc_model *model, const char *key)
{
    if (model == NULL) return MGC_E_INVALID_ARG;
    snprintf(target->who, sizeof target->who, "market");
    return aim(target, model->ctx, (mgc__bag *const[]){&model->market, &model->carbon}, 2, key);
}

static mgc_status aim_microgrid(struct target *target, mgc_microgrid *site, const char *key)
{
    if (site == NULL) return MGC_E_INVALID_ARG;
    snprintf(target->who, sizeof target->who, "%s", site->id);
    return aim(target, site->model->ctx, (mgc__bag *const[]){&site->grid, &site->market, &site->carbon}, 3, key);
}

static mgc_status aim_device(struct target *target, mgc_device *device, const char *key)
{
    if (device == NULL) return MGC_E_INVALID_ARG;
    snprintf(target->who, sizeof target->who, "%s/%s", device->site->id, device->id);
    return aim(target, device->site->model->ctx, (mgc__bag *const[]){&device->bag}, 1, key);
}

static mgc_status aim_link(struct target *target, mgc_link *link, const char *key)
{
    if (link == NULL) return MGC_E_INVALID_ARG;
    snprintf(target->who, sizeof target->who, "link %s-%s", link->first, link->second);
    return aim(target, link->model->ctx, (mgc__bag *const[]){&link->bag}, 1, key);
}

static mgc__variable *find_variable(const mgc_device *device, const char *name)
{
    for (size_t i = 0; name != NULL && i < device->n_variables; i++)
        if (strcmp(device->variables[i].name, name) == 0) return &device->variables[i];
    return NULL;
}

static mgc_status no_variable(const mgc_device *device, const char *name)
{
    return mgc__fail(device->site->model->ctx, MGC_E_UNKNOWN_KEY, "dispatch: %s/%s has no variable \"%.64s\"; add it first",
                     device->site->id, device->id, name != NULL ? name : "NULL");
}

static mgc_status aim_variable(struct target *target, mgc_device *device, const char *name, const char *key)
{
    if (device == NULL) return MGC_E_INVALID_ARG;
    mgc__variable *variable = find_variable(device, name);
    if (variable == NULL) return no_variable(device, name);
    snprintf(target->who, sizeof target->who, "%s/%s variable %.*s", device->site->id, device->id, 16, name);
    return aim(target, device->site->model->ctx, (mgc__bag *const[]){&variable->bag}, 1, key);
}

/* --- setting ----------------------------------------------------------------------------------------------------- */

static mgc_status put_number(mgc_status found, struct target *target, double value)
{
    return found != MGC_OK ? found : mgc__bag_set_number(target->ctx, target->bag, target->who, target->param, value);
}

static mgc_status put_series(mgc_status found, struct target *target, const double *values, size_t n)
{
    return found != MGC_OK ? found : mgc__bag_set_series(target->ctx, target->bag, target->who, target->param, values, n);
}

mgc_status mgc_model_set_number(mgc_model *model, const char *key, double value)
{
    struct target target;
    return put_number(aim_model(&target, model, key), &target, value);
}

mgc_status mgc_model_set_series(mgc_model *model, const char *key, const double *values, size_t n)
{
    struct target target;
    return put_series(aim_model(&target, model, key), &target, values, n);
}

mgc_status mgc_microgrid_set_number(mgc_microgrid *site, const char *key, double value)
{
    struct target target;
    return put_number(aim_microgrid(&target, site, key), &target, value);
}

mgc_status mgc_microgrid_set_series(mgc_microgrid *site, const char *key, const double *values, size_t n)
{
    struct target target;
    return put_series(aim_microgrid(&target, site, key), &target, values, n);
}

mgc_status mgc_microgrid_set_scenario(mgc_microgrid *site, const char *key, uint32_t scenario, const double *values, size_t n)
{
    struct target target;
    mgc_status st = aim_microgrid(&target, site, key);
    return st != MGC_OK ? st
                        : mgc__bag_set_scenario(target.ctx, target.bag, target.who, target.param, scenario, values, n);
}

mgc_status mgc_device_set_number(mgc_device *device, const char *key, double value)
{
    struct target target;
    return put_number(aim_device(&target, device, key), &target, value);
}

mgc_status mgc_device_set_text(mgc_device *device, const char *key, const char *word)
{
    struct target target;
    mgc_status st = aim_device(&target, device, key);
    return st != MGC_OK ? st : mgc__bag_set_text(target.ctx, target.bag, target.who, target.param, word);
}

mgc_status mgc_device_set_series(mgc_device *device, const char *key, const double *values, size_t n)
{
    struct target target;
    return put_series(aim_device(&target, device, key), &target, values, n);
}

mgc_status mgc_device_set_scenario(mgc_device *device, const char *key, uint32_t scenario, const double *values, size_t n)
{
    struct target target;
    mgc_status st = aim_device(&target, device, key);
    return st != MGC_OK ? st
                        : mgc__bag_set_scenario(target.ctx, target.bag, target.who, target.param, scenario, values, n);
}

mgc_status mgc_link_set_number(mgc_link *link, const char *key, double value)
{
    struct target target;
    return put_number(aim_link(&target, link, key), &target, value);
}

mgc_status mgc_link_set_series(mgc_link *link, const char *key, const double *values, size_t n)
{
    struct target target;
    return put_series(aim_link(&target, link, key), &target, values, n);
}

mgc_status mgc_microgrid_set_probability(mgc_microgrid *site, const double *probability, size_t scenarios)
{
    double sum = 0;

    if (site == NULL || probability == NULL) return MGC_E_INVALID_ARG;
    mgc_ctx *ctx = site->model->ctx;
    if (scenarios != site->scenarios)
        return mgc__fail(ctx, MGC_E_WRONG_LENGTH, "dispatch: %s has %zu probabilities; must be %u, one a scenario", site->id,
                         scenarios, site->scenarios);
    for (size_t k = 0; k < scenarios; k++) {
        if (!(probability[k] >= 0) || !(probability[k] <= 1))
            return mgc__fail(ctx, MGC_E_PROBABILITY, "dispatch: probability %zu of %s is %g; must be in [0, 1]", k, site->id,
                             probability[k]);
        sum += probability[k];
    }
    if (fabs(sum - 1) > 1e-6)
        return mgc__fail(ctx, MGC_E_PROBABILITY, "dispatch: the probabilities of %s sum to %.9g; must sum to 1", site->id, sum);
    double *copy = mgc__alloc(ctx, scenarios, sizeof *copy);
    if (copy == NULL) return mgc__no_memory(ctx, "dispatch: probabilities");
    memcpy(copy, probability, scenarios * sizeof *copy);
    mgc__free(ctx, site->probability);
    site->probability = copy;
    return MGC_OK;
}

/* --- ambiguity --------------------------------------------------------------------------------------------------- */

const char *const mgc__ball_names[BALL_COUNT] = {"norm1", "norm_inf", "wasserstein", "kl", "chi2", "cvar", "worst_case"};

/* Rules by which a confidence becomes a radius; the first is the default.  "" ends a list. */
static const char *const ball_rules[BALL_COUNT][3] = {{"weissman", "zhao_guan", "bootstrap"},
                                                      {"hoeffding", "zhao_guan", "bootstrap"},
                                                      {"weissman", "zhao_guan", "bootstrap"},
                                                      {"bootstrap", "", ""},
                                                      {"bootstrap", "", ""},
                                                      {"", "", ""},
                                                      {"", "", ""}};

static mgc_status find_ball(mgc_microgrid *site, const char *set, uint32_t *ball)
{
    for (*ball = 0; *ball < BALL_COUNT; ++*ball)
        if (strcmp(set, mgc__ball_names[*ball]) == 0) return MGC_OK;
    const char *near = mgc__nearest(set, mgc__ball_names, BALL_COUNT);
    return mgc__fail(site->model->ctx, MGC_E_UNKNOWN_KEY, "dispatch: %s: no ambiguity set \"%.64s\"; %s%s%s", site->id, set,
                     near != NULL ? "did you mean \"" : "norm1, norm_inf, wasserstein, kl, chi2, cvar and worst_case are known",
                     near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static mgc_status check_rule(mgc_microgrid *site, uint32_t ball, const char *rule)
{
    const char *const *rules = ball_rules[ball];

    for (size_t i = 0; i < MGC__COUNT(ball_rules[0]); i++)
        if (rule == NULL || (rules[i][0] != '\0' && strcmp(rule, rules[i]) == 0)) return MGC_OK;
    return mgc__fail(site->model->ctx, MGC_E_UNKNOWN_KEY, "dispatch: %s %s: rule is \"%.64s\"; must be %s%s%s%s%s", site->id,
                     mgc__ball_names[ball], rule, rules[0][0] != '\0' ? rules[0] : "left out", rules[1][0] != '\0' ? ", " : "",
                     rules[1], rules[2][0] != '\0' ? " or " : "", rules[2]);
}

static bool is_given(const mgc__ball *ball)
{
    return !isnan(ball->radius) || !isnan(ball->confidence);
}

/* What robust cannot intersect is refused when it is set, where the line of the case file is known. */
static mgc_status check_alone(const mgc_microgrid *site, uint32_t ball)
{
    for (uint32_t i = 0; i < BALL_COUNT; i++) {
        bool divergence = ball == BALL_KL || ball == BALL_CHI2 || i == BALL_KL || i == BALL_CHI2;
        if (i == ball || !divergence || !is_given(&site->ball[i])) continue;
        return mgc__fail(site->model->ctx, MGC_E_UNSUPPORTED, "dispatch: %s: the ambiguity sets %s and %s cannot be intersected; "
                         "a divergence stands alone", site->id, mgc__ball_names[i], mgc__ball_names[ball]);
    }
    return MGC_OK;
}

static mgc_status set_size(mgc_microgrid *site, uint32_t ball, double value)
{
    double upper = ball == BALL_CVAR ? 1 : INFINITY;

    if (!(value >= 0) || !(value < upper))
        return mgc__fail(site->model->ctx, MGC_E_RANGE, "dispatch: %s %s: %s is %g; must be finite and >= 0%s", site->id,
                         mgc__ball_names[ball], ball == BALL_CVAR ? "level" : "radius", value,
                         ball == BALL_CVAR ? ", below 1" : "");
    site->ball[ball].radius = value;
    return MGC_OK;
}

static mgc_status set_confidence(mgc_microgrid *site, uint32_t ball, double value, uint32_t samples, const char *rule)
{
    mgc_ctx *ctx = site->model->ctx;
    const char *set = mgc__ball_names[ball];

    if (!(value > 0) || !(value < 1))
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: %s %s: confidence is %g; must be in (0, 1)", site->id, set, value);
    if (samples < 1)
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: %s %s: a confidence needs samples; must be at least 1", site->id, set);
    site->ball[ball].confidence = value;
    site->ball[ball].samples = samples;
    snprintf(site->ball[ball].rule, sizeof site->ball[ball].rule, "%s", rule != NULL ? rule : ball_rules[ball][0]);
    return MGC_OK;
}

mgc_status mgc_microgrid_set_ambiguity(mgc_microgrid *site, const char *set, const char *what, double value, uint32_t samples,
                                       const char *rule)
{
    uint32_t ball = 0;

    if (site == NULL) return MGC_E_INVALID_ARG;
    mgc_ctx *ctx = site->model->ctx;
    if (set == NULL || what == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: %s: ambiguity set is NULL", site->id);
    mgc_status st = find_ball(site, set, &ball);
    if (st == MGC_OK) st = check_rule(site, ball, rule);
    if (st == MGC_OK) st = check_alone(site, ball);
    if (st != MGC_OK) return st;
    if (ball == BALL_WORST_CASE) return set_size(site, ball, 1);
    if (strcmp(what, ball == BALL_CVAR ? "level" : "radius") == 0) return set_size(site, ball, value);
    if (ball != BALL_CVAR && strcmp(what, "confidence") == 0) return set_confidence(site, ball, value, samples, rule);
    return mgc__fail(ctx, MGC_E_UNKNOWN_KEY, "dispatch: %s %s is given by \"%.64s\"; must be %s", site->id, set, what,
                     ball == BALL_CVAR ? "level" : "radius or confidence");
}

mgc_status mgc_microgrid_clear_ambiguity(mgc_microgrid *site)
{
    if (site == NULL) return MGC_E_INVALID_ARG;
    for (size_t i = 0; i < BALL_COUNT; i++) site->ball[i] = (mgc__ball){.radius = NAN, .confidence = NAN};
    return MGC_OK;
}

int32_t mgc_microgrid_is_ambiguous(const mgc_microgrid *site)
{
    for (size_t i = 0; site != NULL && i < BALL_COUNT; i++)
        if (is_given(&site->ball[i])) return 1;
    return 0;
}

/* --- the device "linear" ----------------------------------------------------------------------------------------- */

static mgc_status must_be_linear(const mgc_device *device)
{
    if (device == NULL) return MGC_E_INVALID_ARG;
    if (device->type == TYPE_LINEAR) return MGC_OK;
    return mgc__fail(device->site->model->ctx, MGC_E_STATE, "dispatch: %s/%s is a %s; only linear devices have variables",
                     device->site->id, device->id, mgc__device_scopes[device->type].name);
}

mgc_status mgc_device_add_variable(mgc_device *device, const char *name)
{
    mgc_status st = must_be_linear(device);
    if (st != MGC_OK) return st;
    mgc_ctx *ctx = device->site->model->ctx;
    mgc__variable variable = {0};

    st = check_id(ctx, "variable", name);
    if (st != MGC_OK) return st;
    if (find_variable(device, name) != NULL)
        return mgc__fail(ctx, MGC_E_EXISTS, "dispatch: %s/%s has two variables \"%s\"; names must differ", device->site->id,
                         device->id, name);
    st = make_room(ctx, "variables", (void **)&device->variables, &device->variables_cap, device->n_variables,
                   MODEL_VARIABLES_MAX, sizeof variable);
    if (st == MGC_OK)
        st = mgc__bag_init(ctx, &variable.bag, &mgc__variable_scope, device->site->model->periods, device->site->scenarios);
    if (st != MGC_OK) return st;
    variable.name = mgc__strdup(ctx, name);
    if (variable.name == NULL) {
        mgc__bag_free(ctx, &variable.bag);
        return mgc__no_memory(ctx, "dispatch: a variable");
    }
    device->variables[device->n_variables++] = variable;
    return MGC_OK;
}

/* null as a lower bound reads as "none", whichever sign it came with. */
static bool is_open_lower(const char *key, double value)
{
    return key != NULL && strcmp(key, "lower") == 0 && isinf(value);
}

mgc_status mgc_device_set_variable(mgc_device *device, const char *name, const char *key, double value)
{
    struct target target;
    mgc_status st = aim_variable(&target, device, name, key);
    return put_number(st, &target, is_open_lower(key, value) ? -(double)INFINITY : value);
}

mgc_status mgc_device_set_variable_series(mgc_device *device, const char *name, const char *key, const double *values, size_t n)
{
    struct target target;
    return put_series(aim_variable(&target, device, name, key), &target, values, n);
}

mgc_status mgc_device_add_constraint(mgc_device *device, double lower, double upper, uint32_t *constraint)
{
    mgc_status st = must_be_linear(device);
    if (st != MGC_OK) return st;
    mgc_ctx *ctx = device->site->model->ctx;

    if (!(lower <= upper) || lower == (double)INFINITY || upper == -(double)INFINITY)
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: constraint %zu of %s/%s: bounds are %g and %g; lower must be at most upper",
                         device->n_constraints, device->site->id, device->id, lower, upper);
    st = make_room(ctx, "constraints", (void **)&device->constraints, &device->constraints_cap, device->n_constraints,
                   MODEL_CONSTRAINTS_MAX, sizeof *device->constraints);
    if (st != MGC_OK) return st;
    if (constraint != NULL) *constraint = (uint32_t)device->n_constraints;
    device->constraints[device->n_constraints++] = (mgc__constraint){lower, upper};
    return MGC_OK;
}

mgc_status mgc_device_add_term(mgc_device *device, uint32_t constraint, const char *variable, double coefficient,
                               int32_t previous)
{
    mgc_status st = must_be_linear(device);
    if (st != MGC_OK) return st;
    mgc_ctx *ctx = device->site->model->ctx;
    const mgc__variable *found = find_variable(device, variable);

    if (found == NULL) return no_variable(device, variable);
    if (constraint >= device->n_constraints)
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: constraint %u of %s/%s; must be below %zu", constraint, device->site->id,
                         device->id, device->n_constraints);
    if (!isfinite(coefficient) || fabs(coefficient) > 1e9)
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: constraint %u of %s/%s: coefficient of %s is %g; must be in [-1e9, 1e9]",
                         constraint, device->site->id, device->id, variable, coefficient);
    st = make_room(ctx, "terms", (void **)&device->terms, &device->terms_cap, device->n_terms, MODEL_TERMS_MAX,
                   sizeof *device->terms);
    if (st != MGC_OK) return st;
    device->terms[device->n_terms++] =
        (mgc__term){constraint, (uint32_t)(found - device->variables), coefficient, previous != 0};
    return MGC_OK;
}
