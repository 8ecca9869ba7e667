/* SPDX-License-Identifier: Apache-2.0 */
/* Where microgrids stand between two periods: from a plan into entries, from entries into a model. */
#include "dispatch/plan.h"

enum { STATE_ENTRIES_MAX = 10000000 }; /* more than the largest model has parameters that a state sets */

struct entry {
    char *microgrid, *device, *variable, *key;
    double *values;
    uint32_t n, link;
};

struct mgc_state {
    mgc_ctx *ctx;
    struct entry *entry;
    size_t n, cap;
};

/* --- the list ---------------------------------------------------------------------------------------------------- */

mgc_status mgc_state_create(mgc_ctx *ctx, mgc_state **out)
{
    if (out != NULL) *out = NULL;
    if (ctx == NULL || out == NULL) return MGC_E_INVALID_ARG;
    mgc_state *state = mgc__alloc(ctx, 1, sizeof *state);
    if (state == NULL) return mgc__no_memory(ctx, "dispatch: a state");
    state->ctx = ctx;
    *out = state;
    return MGC_OK;
}

static void free_entry(mgc_ctx *ctx, struct entry *e)
{
    mgc__free(ctx, e->microgrid);
    mgc__free(ctx, e->device);
    mgc__free(ctx, e->variable);
    mgc__free(ctx, e->key);
    mgc__free(ctx, e->values);
}

void mgc_state_destroy(mgc_state *state)
{
    if (state == NULL) return;
    for (size_t i = 0; i < state->n; i++) free_entry(state->ctx, &state->entry[i]);
    mgc__free(state->ctx, state->entry);
    mgc__free(state->ctx, state);
}

static mgc_status append(mgc_state *state, const mgc_state_entry *e)
{
    mgc_ctx *ctx = state->ctx;

    if (state->n >= STATE_ENTRIES_MAX)
        return mgc__fail(ctx, MGC_E_LIMIT, "dispatch: a state of more than %d entries", STATE_ENTRIES_MAX);
    if (!mgc__grow(ctx, (void **)&state->entry, &state->cap, state->n + 1, sizeof *state->entry))
        return mgc__no_memory(ctx, "dispatch: a state");
    struct entry own = {mgc__strdup(ctx, e->microgrid), mgc__strdup(ctx, e->device), mgc__strdup(ctx, e->variable),
                        mgc__strdup(ctx, e->key), mgc__alloc(ctx, e->n, sizeof(double)), e->n, e->link};
    if (own.microgrid == NULL || own.device == NULL || own.variable == NULL || own.key == NULL || own.values == NULL) {
        free_entry(ctx, &own);
        return mgc__no_memory(ctx, "dispatch: a state");
    }
    memcpy(own.values, e->values, e->n * sizeof(double));
    state->entry[state->n++] = own;
    return MGC_OK;
}

mgc_status mgc_state_add(mgc_state *state, const mgc_state_entry *entry)
{
    mgc_state_entry e = {.struct_size = sizeof e};

    if (state == NULL || entry == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = mgc__opts_read(&e, sizeof e, MGC__FIRST_SIZE(mgc_state_entry, link), entry);
    if (st != MGC_OK) return mgc__fail(state->ctx, st, "dispatch: entry.struct_size is not one that this library knows");
    if (e.microgrid == NULL || e.device == NULL || e.variable == NULL || e.key == NULL || e.values == NULL || e.n == 0)
        return mgc__fail(state->ctx, MGC_E_INVALID_ARG, "dispatch: entry %zu of a state lacks a text or its values", state->n);
    return append(state, &e);
}

uint32_t mgc_state_entries(const mgc_state *state)
{
    return state != NULL ? (uint32_t)state->n : 0;
}

mgc_status mgc_state_get(const mgc_state *state, uint32_t index, mgc_state_entry *entry)
{
    if (state == NULL || entry == NULL) return MGC_E_INVALID_ARG;
    if (index >= state->n)
        return mgc__fail(state->ctx, MGC_E_RANGE, "dispatch: entry %u of a state; there are %zu", index, state->n);
    const struct entry *e = &state->entry[index];
    mgc_state_entry full = {.struct_size = sizeof full, .microgrid = e->microgrid, .device = e->device, .variable = e->variable,
                            .key = e->key, .values = e->values, .n = e->n, .link = e->link};
    return mgc__info_write(entry, &full, sizeof full, MGC__FIRST_SIZE(mgc_state_entry, link));
}

/* --- from a plan ------------------------------------------------------------------------------------------------- */

/* What is being written: the state of one site after `periods` periods of scenario k. */
typedef struct writer {
    mgc_state *state;
    const mgc__plan_site *s;
    uint32_t periods, k;
    double *rest; /* [periods that are left] scratch */
    mgc_status status;
} writer;

static bool over(const writer *w)
{
    return w->periods == w->s->shape->periods;
}

static void put(writer *w, const char *device, const char *variable, const char *key, const double *values, uint32_t n)
{
    mgc_state_entry e = {.microgrid = w->s->shape->site->id, .device = device, .variable = variable, .key = key, .values = values,
                         .n = n, .link = UINT32_MAX};
    if (w->status == MGC_OK) w->status = append(w->state, &e);
}

static void put_number(writer *w, const char *device, const char *key, double value)
{
    put(w, device, "", key, &value, 1);
}

/* First-stage columns of the periods that are left, decisions as such. */
static const double *rest_of(writer *w, uint32_t place, bool decision)
{
    for (uint32_t t = w->periods; t < w->s->shape->periods; t++) {
        double x = fmax(0, mgc__plan_first(w->s, place, t));
        w->rest[t - w->periods] = decision ? (x > 0.5 ? 1 : 0) : x;
    }
    return w->rest;
}

static void put_rest(writer *w, const char *device, const char *key, uint32_t place, bool decision)
{
    if (place != PLACE_NONE) put(w, device, "", key, rest_of(w, place, decision), w->s->shape->periods - w->periods);
}

static double clamp(double x, double lower, double upper)
{
    return fmax(lower, fmin(x, upper));
}

static void put_load(writer *w, const mgc_device *d, const mgc__device_shape *shape)
{
    double shifted = mgc__device_number(d, LOAD_SHIFTED);

    if (over(w) || shape->scenario[SHIFT_IN] == PLACE_NONE) return;
    for (uint32_t t = 0; t < w->periods; t++)
        shifted += w->s->shape->hours * (mgc__plan_value(w->s, w->k, shape->scenario[SHIFT_IN], t) -
                                         mgc__plan_value(w->s, w->k, shape->scenario[SHIFT_OUT], t));
    put_number(w, d->id, "initial_shifted_kwh", shifted);
}

static bool unit_on(const writer *w, const mgc__device_shape *shape, uint32_t t)
{
    return mgc__plan_first(w->s, shape->first[ON], t) > 0.5;
}

static void put_chp(writer *w, const mgc_device *d, const mgc__device_shape *shape)
{
    uint32_t last = w->periods - 1, since = 0;
    bool on = unit_on(w, shape, last);
    double power = mgc__plan_value(w->s, w->k, shape->scenario[POWER], last), before = 0;

    while (since < w->periods && unit_on(w, shape, last - since) == on) since++;
    if (since == w->periods && on == (mgc__device_number(d, CHP_ON) != 0)) before = mgc__device_number(d, CHP_SINCE);
    put_number(w, d->id, "initially_on", on);
    put_number(w, d->id, "initial_power_kw",
               on ? clamp(power, mgc__device_number(d, CHP_MIN), mgc__device_number(d, CHP_MAX)) : 0);
    put_number(w, d->id, "initial_periods", since + before);
}

static void put_storage(writer *w, const mgc_device *d, const mgc__device_shape *shape)
{
    double energy = mgc__plan_value(w->s, w->k, shape->scenario[ENERGY], w->periods - 1);

    if (!over(w)) put_number(w, d->id, "final_energy_kwh", mgc__device_number(d, STO_FINAL));
    put_number(w, d->id, "initial_energy_kwh", clamp(energy, mgc__device_number(d, STO_MIN), mgc__device_number(d, STO_CAPACITY)));
}

static void put_linear(writer *w, const mgc_device *d, const mgc__device_shape *shape)
{
    for (size_t i = 0; i < d->n_variables; i++) {
        uint32_t place = shape->scenario[VARIABLES] + (uint32_t)i * w->s->shape->periods;
        double value = mgc__plan_value(w->s, w->k, place, w->periods - 1);
        put(w, d->id, d->variables[i].name, "initial", &value, 1);
    }
}

static void put_device(writer *w, const mgc_device *d, const mgc__device_shape *shape)
{
    switch (d->type) {
    case TYPE_LOAD: put_load(w, d, shape); break;
    case TYPE_CHP: put_chp(w, d, shape); break;
    case TYPE_STORAGE: put_storage(w, d, shape); break;
    case TYPE_LINEAR: put_linear(w, d, shape); break;
    default: break;
    }
}

/* Free emission of a device's output [kg/h]: the quotas of doc/math/dispatch.md, equation (9). */
static double free_emission(const writer *w, const mgc_device *d, const mgc__device_shape *shape, uint32_t t)
{
    double sum = 0;

    switch (d->type) {
    case TYPE_PV:
    case TYPE_WIND:
    case TYPE_RENEWABLE: return mgc__device_number(d, REN_QUOTA) * mgc__plan_value(w->s, w->k, shape->scenario[POWER], t);
    case TYPE_CHP: return mgc__device_number(d, CHP_QUOTA) * mgc__plan_value(w->s, w->k, shape->scenario[POWER], t);
    case TYPE_GAS_BOILER:
        return mgc__device_number(d, BOILER_QUOTA) * mgc__plan_value(w->s, w->k, shape->scenario[BOILER_HEAT], t);
    case TYPE_LINEAR:
        for (size_t i = 0; i < d->n_variables; i++)
            sum += mgc__bag_at(&d->variables[i].bag, VAR_QUOTA, 0, t) *
                   mgc__plan_value(w->s, w->k, shape->scenario[VARIABLES] + (uint32_t)i * w->s->shape->periods, t);
        return sum;
    default: return 0;
    }
}

/* The ladder counts what was emitted: (9) holds on with that much less quota. */
static void put_carbon(writer *w)
{
    const mgc__shape *shape = w->s->shape;
    double quota = mgc__bag_at(&shape->site->grid, GRID_QUOTA, 0, 0);

    if (over(w)) return;
    for (uint32_t t = 0; t < w->periods; t++) {
        quota -= mgc__plan_emission_at(w->s, w->k, t);
        for (size_t i = 0; i < shape->site->n_devices; i++)
            quota += shape->hours * free_emission(w, shape->site->devices[i], &shape->device[i], t);
    }
    put_number(w, "", "carbon_quota_kg", quota);
}

/* Day-ahead decisions for the periods that are left. */
static void put_contracts(writer *w)
{
    const mgc__shape *shape = w->s->shape;

    if (over(w)) return;
    put_rest(w, "", "agreed_buy_kw", shape->buy, false);
    put_rest(w, "", "agreed_sell_kw", shape->sell, false);
    put_rest(w, "", "agreed_heat_buy_kw", shape->district, false);
    for (size_t i = 0; i < shape->site->n_devices; i++) {
        const mgc_device *d = shape->site->devices[i];
        if (d->type == TYPE_CHP) put_rest(w, d->id, "agreed_on", shape->device[i].first[ON], true);
        if (d->type == TYPE_STORAGE) put_rest(w, d->id, "agreed_mode", shape->device[i].first[MODE], true);
    }
}

/* Trades in force, told once for each link, by its first member. */
static void put_trades(writer *w)
{
    const mgc__shape *shape = w->s->shape;
    uint32_t left = shape->periods - w->periods;

    for (size_t i = 0; i < shape->n_trades && left > 0; i++) {
        const mgc__trade *trade = &shape->trades[i];
        for (int way = 0; way < 2 && trade->first != 0; way++) {
            const uint32_t *column = way == 0 ? trade->out : trade->in;
            for (uint32_t t = 0; t < left; t++) w->rest[t] = fmax(0, w->s->x[column[w->periods + t]]);
            mgc_state_entry e = {.microgrid = "", .device = "", .variable = "", .key = way == 0 ? "agreed_kw" : "agreed_back_kw",
                                 .values = w->rest, .n = left, .link = trade->link};
            if (w->status == MGC_OK) w->status = append(w->state, &e);
        }
    }
}

static mgc_status write_site(mgc_state *state, const mgc__plan_site *s, uint32_t periods, uint32_t k, bool contracts)
{
    const mgc__shape *shape = s->shape;
    writer w = {.state = state, .s = s, .periods = periods, .k = k,
                .rest = mgc__alloc(state->ctx, shape->periods, sizeof(double)), .status = MGC_OK};

    if (w.rest == NULL) return mgc__no_memory(state->ctx, "dispatch: a state");
    if (periods > 0) put_carbon(&w);
    for (size_t i = 0; i < shape->site->n_devices && periods > 0; i++) put_device(&w, shape->site->devices[i], &shape->device[i]);
    if (contracts) put_contracts(&w);
    if (contracts) put_trades(&w);
    mgc__free(state->ctx, w.rest);
    return w.status;
}

mgc_status mgc_plan_state(const mgc_plan *plan, uint32_t periods, uint32_t scenario, uint32_t contracts, mgc_state **out)
{
    mgc_state *state;

    if (out != NULL) *out = NULL;
    if (plan == NULL || out == NULL) return MGC_E_INVALID_ARG;
    mgc_ctx *ctx = plan->ctx;
    if (periods > plan->model->periods || (periods == 0 && contracts == 0)) /* before the day there are but contracts */
        return mgc__fail(ctx, MGC_E_RANGE, "dispatch: a state after %u periods; the plan has %u", periods, plan->model->periods);
    if (contracts > 1) return mgc__fail(ctx, MGC_E_RANGE, "dispatch: contracts is %u; must be 0 or 1", contracts);
    mgc_status st = mgc_state_create(ctx, &state);
    for (size_t i = 0; st == MGC_OK && i < plan->n; i++) {
        const mgc__plan_site *s = &plan->site[i];
        if (!s->solved) st = mgc__fail(ctx, MGC_E_STATE, "dispatch: the plan of %s has no solution", s->shape->site->id);
        else if (scenario >= s->shape->scenarios)
            st = mgc__fail(ctx, MGC_E_RANGE, "dispatch: scenario %u of %s; there are %u", scenario, s->shape->site->id,
                           s->shape->scenarios);
        else st = write_site(state, s, periods, scenario, contracts != 0);
    }
    if (st == MGC_OK) *out = state;
    else mgc_state_destroy(state);
    return st;
}

/* --- into a model ------------------------------------------------------------------------------------------------ */

static mgc_status apply_to_link(const mgc_state *state, const struct entry *e, mgc_model *model)
{
    mgc_link *link = mgc_model_link_at(model, e->link);

    if (link == NULL)
        return mgc__fail(state->ctx, MGC_E_NOT_FOUND, "dispatch: the state speaks of link %u; the model has %zu", e->link,
                         model->n_links);
    return e->n == 1 ? mgc_link_set_number(link, e->key, e->values[0]) : mgc_link_set_series(link, e->key, e->values, e->n);
}

static mgc_status apply_to_device(const struct entry *e, mgc_device *device)
{
    if (e->variable[0] != '\0')
        return e->n == 1 ? mgc_device_set_variable(device, e->variable, e->key, e->values[0])
                         : mgc_device_set_variable_series(device, e->variable, e->key, e->values, e->n);
    return e->n == 1 ? mgc_device_set_number(device, e->key, e->values[0])
                     : mgc_device_set_series(device, e->key, e->values, e->n);
}

static mgc_status apply_entry(const mgc_state *state, const struct entry *e, mgc_model *model)
{
    if (e->microgrid[0] == '\0') return apply_to_link(state, e, model);
    mgc_microgrid *site = mgc_model_microgrid(model, e->microgrid);
    if (site == NULL)
        return mgc__fail(state->ctx, MGC_E_NOT_FOUND, "dispatch: the state speaks of microgrid \"%.64s\"; the model has none",
                         e->microgrid);
    if (e->device[0] == '\0')
        return e->n == 1 ? mgc_microgrid_set_number(site, e->key, e->values[0])
                         : mgc_microgrid_set_series(site, e->key, e->values, e->n);
    mgc_device *device = mgc_microgrid_device(site, e->device);
    if (device == NULL)
        return mgc__fail(state->ctx, MGC_E_NOT_FOUND, "dispatch: the state speaks of device \"%.64s\" of %s; there is none", e->device,
                         e->microgrid);
    return apply_to_device(e, device);
}

mgc_status mgc_state_apply(const mgc_state *state, mgc_model *model)
{
    mgc_status st = MGC_OK;

    if (state == NULL || model == NULL) return MGC_E_INVALID_ARG;
    for (size_t i = 0; st == MGC_OK && i < state->n; i++) {
        st = apply_entry(state, &state->entry[i], model);
        if (st != MGC_OK && model->ctx != state->ctx) st = mgc__fail(state->ctx, st, "%s", mgc_ctx_error(model->ctx));
    }
    return st;
}
