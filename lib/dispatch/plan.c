/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: what was found, in the words of the model. */
#include <stdio.h>

#include "dispatch/plan.h"

/* --- making and freeing ------------------------------------------------------------------------------------------ */

static mgc_status make_place(mgc_plan *plan, mgc__plan_site *s, const char *id)
{
    mgc_status st = mgc__shape_create(plan->ctx, plan->model, id, plan->together, &s->shape);
    if (st != MGC_OK) return st;
    s->x = mgc__alloc(plan->ctx, mgc__shape_columns(s->shape), sizeof *s->x);
    s->y = mgc__alloc(plan->ctx, mgc__shape_rows(s->shape), sizeof *s->y);
    s->q = mgc__alloc(plan->ctx, s->shape->scenarios, sizeof *s->q);
    s->p = mgc__alloc(plan->ctx, s->shape->scenarios, sizeof *s->p);
    s->raw = mgc__alloc(plan->ctx, s->shape->scenarios, sizeof *s->raw);
    s->dated = mgc__alloc(plan->ctx, (size_t)s->shape->scenarios * s->shape->periods, sizeof *s->dated);
    s->cost = (double)INFINITY;
    s->bound = -(double)INFINITY;
    if (s->x == NULL || s->y == NULL || s->q == NULL || s->p == NULL || s->raw == NULL ||
        s->dated == NULL)
        return mgc__no_memory(plan->ctx, "dispatch: a plan");
    return MGC_OK;
}

mgc_status mgc__plan_create(mgc_ctx *ctx, const mgc_model *model, bool together, mgc_plan **out)
{
    *out = NULL;
    mgc_plan *plan = mgc__alloc(ctx, 1, sizeof *plan);
    if (plan == NULL) return mgc__no_memory(ctx, "dispatch: a plan");
    plan->ctx = ctx;
    plan->together = together;
    plan->cost = (double)INFINITY;
    plan->bound = -(double)INFINITY;
    mgc_status st = mgc__model_copy(ctx, model, NULL, &plan->model);
    if (st == MGC_OK) {
        plan->site = mgc__alloc(ctx, model->n_sites, sizeof *plan->site);
        if (plan->site == NULL) st = mgc__no_memory(ctx, "dispatch: a plan");
        else plan->n = model->n_sites;
    }
    for (size_t i = 0; st == MGC_OK && i < plan->n; i++) st = make_place(plan, &plan->site[i], model->sites[i]->id);
    if (st != MGC_OK) mgc_plan_destroy(plan);
    else *out = plan;
    return st;
}

void mgc_plan_destroy(mgc_plan *plan)
{
    if (plan == NULL) return;
    for (size_t i = 0; i < plan->n; i++) {
        mgc__plan_site *s = &plan->site[i];
        mgc__shape_destroy(s->shape);
        mgc__free(plan->ctx, s->x);
        mgc__free(plan->ctx, s->y);
        mgc__free(plan->ctx, s->q);
        mgc__free(plan->ctx, s->p);
        mgc__free(plan->ctx, s->raw);
        mgc__free(plan->ctx, s->dated);
    }
    mgc__free(plan->ctx, plan->site);
    mgc_model_destroy(plan->model);
    mgc__free(plan->ctx, plan->why);
    mgc__free(plan->ctx, plan->pool_price);
    mgc__free(plan->ctx, plan);
}

const double *mgc__plan_pool_price(const mgc_plan *plan)
{
    return plan->pool_price;
}

/* --- evaluating a point ------------------------------------------------------------------------------------------ */

double mgc__plan_first(const mgc__plan_site *s, uint32_t place, uint32_t period)
{
    return place == PLACE_NONE ? 0 : s->x[place + period];
}

double mgc__plan_value(const mgc__plan_site *s, uint32_t scenario, uint32_t place, uint32_t period)
{
    return place == PLACE_NONE ? 0 : s->x[mgc__column(s->shape, scenario, place, period)];
}

double mgc__plan_exchange(const mgc__plan_site *s, uint32_t scenario, uint32_t period)
{
    const mgc__shape *h = s->shape;

    return mgc__plan_first(s, h->buy, period) - mgc__plan_first(s, h->sell, period) +
           mgc__plan_value(s, scenario, h->realtime_buy, period) - mgc__plan_value(s, scenario, h->realtime_sell, period);
}

static double no_load(const mgc__plan_site *s, size_t device, uint32_t period)
{
    const mgc_device *d = s->shape->site->devices[device];

    return mgc__device_number(d, CHP_NO_LOAD) * mgc__plan_first(s, s->shape->device[device].first[ON], period);
}

double mgc__plan_gas(const mgc__plan_site *s, size_t device, uint32_t scenario, uint32_t period)
{
    const mgc_device *d = s->shape->site->devices[device];
    const mgc__device_shape *shape = &s->shape->device[device];
    double gas = 0;

    switch (d->type) {
    case TYPE_CHP:
        return mgc__plan_value(s, scenario, shape->scenario[POWER], period) / mgc__device_number(d, CHP_EFFICIENCY) +
               no_load(s, device, period);
    case TYPE_GAS_BOILER:
        return mgc__plan_value(s, scenario, shape->scenario[BOILER_HEAT], period) / mgc__device_number(d, BOILER_EFFICIENCY);
    case TYPE_LINEAR:
        for (size_t i = 0; i < d->n_variables; i++)
            gas += mgc__bag_at(&d->variables[i].bag, VAR_GAS, 0, period) *
                   mgc__plan_value(s, scenario, shape->scenario[VARIABLES] + (uint32_t)i * s->shape->periods, period);
        return gas;
    default: return 0;
    }
}

/* Emission of a device besides its gas [kg/h]. */
static double own_emission(const mgc__plan_site *s, size_t device, uint32_t k, uint32_t t)
{
    const mgc_device *d = s->shape->site->devices[device];
    const mgc__device_shape *shape = &s->shape->device[device];
    double sum = 0;

    switch (d->type) {
    case TYPE_PV:
    case TYPE_WIND:
    case TYPE_RENEWABLE: return mgc__device_number(d, REN_EMISSION) * mgc__plan_value(s, k, shape->scenario[POWER], t);
    case TYPE_CHP: return mgc__device_number(d, CHP_EMISSION) * mgc__plan_value(s, k, shape->scenario[POWER], t);
    case TYPE_GAS_BOILER: return mgc__device_number(d, BOILER_EMISSION) * mgc__plan_value(s, k, shape->scenario[BOILER_HEAT], t);
    case TYPE_LINEAR:
        for (size_t i = 0; i < d->n_variables; i++)
            sum += mgc__bag_at(&d->variables[i].bag, VAR_EMISSION, 0, t) *
                   mgc__plan_value(s, k, shape->scenario[VARIABLES] + (uint32_t)i * s->shape->periods, t);
        return sum;
    default: return 0;
    }
}

/* The import is taken from the exchange: where emission is free, i may stand above it. */
double mgc__plan_emission_at(const mgc__plan_site *s, uint32_t k, uint32_t t)
{
    const mgc_microgrid *site = s->shape->site;
    double sum = mgc__market_at(site, MARKET_GRID_EMISSION, k, t) * fmax(0, mgc__plan_exchange(s, k, t));

    for (size_t i = 0; i < site->n_devices; i++)
        sum += mgc__market_at(site, MARKET_GAS_EMISSION, k, t) * mgc__plan_gas(s, i, k, t) + own_emission(s, i, k, t);
    return sum * s->shape->hours;
}

double mgc__plan_emission(const mgc__plan_site *s, uint32_t k)
{
    double sum = 0;

    for (uint32_t t = 0; t < s->shape->periods; t++) sum += mgc__plan_emission_at(s, k, t);
    return sum;
}

double mgc__plan_renewable(const mgc__plan_site *s, uint32_t k, bool used)
{
    double sum = 0;

    for (size_t i = 0; i < s->shape->site->n_devices; i++) {
        const mgc_device *d = s->shape->site->devices[i];
        if (d->type != TYPE_PV && d->type != TYPE_WIND && d->type != TYPE_RENEWABLE) continue;
        for (uint32_t t = 0; t < s->shape->periods; t++)
            sum += used ? mgc__plan_value(s, k, s->shape->device[i].scenario[POWER], t) : mgc__device_at(d, REN_AVAILABLE, k, t);
    }
    return sum * s->shape->hours;
}

double mgc__plan_unserved(const mgc__plan_site *s, uint32_t k)
{
    double sum = 0;

    for (size_t i = 0; i < s->shape->site->n_devices; i++) {
        if (s->shape->site->devices[i]->type != TYPE_LOAD) continue;
        for (uint32_t t = 0; t < s->shape->periods; t++)
            sum += mgc__plan_value(s, k, s->shape->device[i].scenario[UNSERVED], t);
    }
    return sum * s->shape->hours;
}

/* Gas at no load is first-stage cost in the program and part of Q_k in the model; the sum is the same. */
static double no_load_cost(const mgc__plan_site *s)
{
    double sum = 0;

    for (size_t i = 0; i < s->shape->site->n_devices; i++) {
        if (s->shape->site->devices[i]->type != TYPE_CHP) continue;
        for (uint32_t t = 0; t < s->shape->periods; t++)
            sum += mgc__market_at(s->shape->site, MARKET_GAS, 0, t) * no_load(s, i, t);
    }
    return sum * s->shape->hours;
}

static void add_dated(const mgc__site *from, const double *x, uint32_t first, uint32_t end, double *sum)
{
    for (uint32_t j = first; j < end; j++)
        if (from->period[j] != PLACE_NONE) sum[from->period[j]] += from->cost[j] * x[j];
}

/* What is curtailed costs: all that is available, less what is used (its column); the former has one column for the day. */
static double curtailed_at_most(const mgc__shape *s, uint32_t k, uint32_t t)
{
    double sum = 0;

    for (size_t i = 0; i < s->site->n_devices; i++) {
        const mgc_device *d = s->site->devices[i];
        if (d->type == TYPE_PV || d->type == TYPE_WIND || d->type == TYPE_RENEWABLE)
            sum += mgc__device_number(d, REN_CURTAIL_COST) * mgc__device_at(d, REN_AVAILABLE, k, t);
    }
    return s->hours * sum;
}

/* Costs by period: first stage and recourse of each scenario. */
static void date_costs(mgc__plan_site *to, const mgc__site *from, const double *x)
{
    const mgc__shape *s = to->shape;

    memset(to->dated, 0, (size_t)s->scenarios * s->periods * sizeof *to->dated);
    for (uint32_t k = 0; k < s->scenarios; k++) {
        double *sum = to->dated + (size_t)k * s->periods;
        add_dated(from, x, 0, s->first_columns, sum);
        add_dated(from, x, mgc__column(s, k, 0, 0), mgc__column(s, k, s->scenario_columns, 0), sum);
        for (uint32_t t = 0; t < s->periods; t++) sum[t] += curtailed_at_most(s, k, t);
    }
}

mgc_status mgc__plan_take(mgc__plan_site *to, const mgc__site *from, const double *x, const double *y, const double *worst)
{
    const mgc__shape *s = to->shape;
    double first = 0, expected = 0;

    memcpy(to->x, x, mgc__shape_columns(s) * sizeof *x);
    to->priced = y != NULL;
    if (y != NULL) memcpy(to->y, y, mgc__shape_rows(s) * sizeof *y);
    for (uint32_t j = 0; j < s->first_columns; j++) first += from->cost[j] * x[j];
    for (uint32_t k = 0; k < s->scenarios; k++) {
        double sum = 0;
        for (uint32_t j = mgc__column(s, k, 0, 0); j < mgc__column(s, k, s->scenario_columns, 0); j++) sum += from->cost[j] * x[j];
        to->raw[k] = sum;
    }
    if (worst != NULL) memcpy(to->p, worst, s->scenarios * sizeof *worst);
    else {
        mgc_status st = mgc_twostage_worst(from->ts, to->raw, to->p);
        if (st != MGC_OK) return st;
    }
    double moved = no_load_cost(to);
    for (uint32_t k = 0; k < s->scenarios; k++) {
        expected += to->p[k] * to->raw[k];
        to->q[k] = to->raw[k] + moved;
    }
    to->first_stage = first - moved;
    to->cost = first + expected;
    date_costs(to, from, x);
    to->solved = true;
    return MGC_OK;
}

mgc_status mgc__plan_from_sites(mgc_ctx *ctx, const mgc_model *model, mgc__site *const sites[], size_t n, mgc_plan **out)
{
    mgc_plan *plan;
    mgc_status st;

    *out = NULL;
    if (n != model->n_sites)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "dispatch: %zu solved sites for a model of %zu microgrids", n, model->n_sites);
    st = mgc__plan_create(ctx, model, n > 0 && sites[0]->shape->trade, &plan);
    if (st != MGC_OK) return st;
    plan->cost = 0;
    for (size_t i = 0; st == MGC_OK && i < n; i++) {
        mgc_twostage *ts = sites[i]->ts;
        uint32_t columns = mgc__shape_columns(sites[i]->shape), rows = mgc__shape_rows(sites[i]->shape);
        double *x = mgc__alloc(ctx, columns, sizeof *x), *y = mgc__alloc(ctx, rows, sizeof *y);

        st = x == NULL || y == NULL ? mgc__no_memory(ctx, "dispatch: a plan") : mgc_twostage_get_x(ts, x, columns);
        bool priced = st == MGC_OK && mgc_twostage_get_y(ts, y, rows) == MGC_OK;
        if (st == MGC_OK) st = mgc__plan_take(&plan->site[i], sites[i], x, priced ? y : NULL, NULL);
        mgc__free(ctx, x);
        mgc__free(ctx, y);
        plan->site[i].outcome = MGC_OUTCOME_OPTIMAL;
        plan->cost += plan->site[i].cost;
    }
    plan->outcome = MGC_OUTCOME_OPTIMAL;
    if (st != MGC_OK) mgc_plan_destroy(plan);
    else *out = plan;
    return st;
}

static void set_sent(mgc_plan *plan, mgc__plan_site *s, uint32_t column, uint32_t link, uint32_t t, double kw)
{
    double fee = 0.5 * s->shape->hours * mgc__bag_at(&plan->model->links[link]->bag, LINK_FEE, 0, t) * (kw - s->x[column]);

    s->x[column] = kw;
    s->first_stage += fee;
    s->cost += fee;
    plan->cost += fee;
    for (uint32_t k = 0; k < s->shape->scenarios; k++) s->dated[(size_t)k * s->shape->periods + t] += fee;
}

void mgc__plan_reroute(mgc_plan *plan, uint32_t link, const double *sent_kw)
{
    for (size_t i = 0; i < plan->n; i++) {
        mgc__plan_site *s = &plan->site[i];
        for (size_t k = 0; k < s->shape->n_trades; k++) {
            const mgc__trade *trade = &s->shape->trades[k];
            for (uint32_t t = 0; trade->link == link && t < s->shape->periods; t++) {
                set_sent(plan, s, trade->first != 0 ? trade->out[t] : trade->in[t], link, t, sent_kw[t]);
                set_sent(plan, s, trade->first != 0 ? trade->in[t] : trade->out[t], link, t, sent_kw[s->shape->periods + t]);
            }
        }
    }
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

mgc_status mgc_plan_get_info(const mgc_plan *plan, mgc_plan_info *info)
{
    if (plan == NULL || info == NULL) return MGC_E_INVALID_ARG;
    mgc_plan_info full = {.struct_size = sizeof full, .outcome = plan->outcome, .iterations = plan->iterations,
                          .nodes = plan->nodes, .cost = plan->cost, .bound = plan->bound, .seconds = plan->seconds,
                          .gap = isfinite(plan->cost) ? fmax(0, (plan->cost - plan->bound) / fmax(1, fabs(plan->cost)))
                                                      : (double)INFINITY};
    return mgc__info_write(info, &full, sizeof full, MGC__FIRST_SIZE(mgc_plan_info, seconds));
}

const char *mgc_plan_explain(const mgc_plan *plan)
{
    return plan != NULL && plan->why != NULL ? plan->why : "";
}

mgc_status mgc__plan_find(const mgc_plan *plan, const char *id, const mgc__plan_site **out)
{
    const char *ids[64];
    size_t n = 0;

    for (size_t i = 0; i < plan->n; i++) {
        const char *known = plan->site[i].shape->site->id;
        if (id != NULL && strcmp(known, id) == 0) {
            *out = &plan->site[i];
            if (plan->site[i].solved) return MGC_OK;
            return mgc__fail(plan->ctx, MGC_E_STATE, "dispatch: the plan of %s has no solution: %s", id,
                             mgc_outcome_name(plan->site[i].outcome));
        }
        if (n < MGC__COUNT(ids)) ids[n++] = known;
    }
    const char *near = id != NULL ? mgc__nearest(id, ids, n) : NULL;
    return mgc__fail(plan->ctx, MGC_E_UNKNOWN_KEY, "dispatch: the plan has no microgrid \"%.64s\"%s%s%s", id != NULL ? id : "NULL",
                     near != NULL ? "; did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static mgc_status check_scenario(const mgc_plan *plan, const mgc__plan_site *s, uint32_t scenario)
{
    if (scenario < s->shape->scenarios) return MGC_OK;
    return mgc__fail(plan->ctx, MGC_E_RANGE, "dispatch: scenario %u of %s; there are %u", scenario, s->shape->site->id,
                     s->shape->scenarios);
}

enum number { N_COST, N_BOUND, N_FIRST, N_GAP, N_EMISSION, N_USED, N_AVAILABLE, N_UNSERVED, N_COUNT };

static const char *const number_names[N_COUNT] = {"cost", "bound", "first_stage_cost", "gap", "emission_kg",
                                                  "renewable_used_kwh", "renewable_available_kwh", "unserved_kwh"};

static mgc_status find_number(const mgc_plan *plan, const char *what, enum number *out)
{
    for (int i = 0; what != NULL && i < N_COUNT; i++)
        if (strcmp(number_names[i], what) == 0) {
            *out = (enum number)i;
            return MGC_OK;
        }
    const char *near = what != NULL ? mgc__nearest(what, number_names, N_COUNT) : NULL;
    return mgc__fail(plan->ctx, MGC_E_UNKNOWN_KEY, "dispatch: a plan has no number \"%.64s\"; did you mean \"%s\"?",
                     what != NULL ? what : "NULL", near != NULL ? near : number_names[0]);
}

static double scenario_number(const mgc__plan_site *s, enum number what, uint32_t k)
{
    switch (what) {
    case N_COST: return s->q[k];
    case N_EMISSION: return mgc__plan_emission(s, k);
    case N_USED: return mgc__plan_renewable(s, k, true);
    case N_AVAILABLE: return mgc__plan_renewable(s, k, false);
    case N_UNSERVED: return mgc__plan_unserved(s, k);
    default: return (double)NAN;
    }
}

mgc_status mgc_plan_get_number(const mgc_plan *plan, const char *microgrid, const char *what, double *value)
{
    const mgc__plan_site *s;
    enum number number = N_COST;
    double sum = 0;

    if (plan == NULL || value == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = find_number(plan, what, &number);
    if (st == MGC_OK) st = mgc__plan_find(plan, microgrid, &s);
    if (st != MGC_OK) return st;
    switch (number) {
    case N_COST: *value = s->cost; break;
    case N_BOUND: *value = s->bound; break;
    case N_FIRST: *value = s->first_stage; break;
    case N_GAP: *value = fmax(0, (s->cost - s->bound) / fmax(1, fabs(s->cost))); break;
    default:
        for (uint32_t k = 0; k < s->shape->scenarios; k++) sum += s->p[k] * scenario_number(s, number, k);
        *value = sum;
    }
    return MGC_OK;
}

mgc_status mgc_plan_get_scenario_number(const mgc_plan *plan, const char *microgrid, const char *what, uint32_t scenario,
                                        double *value)
{
    const mgc__plan_site *s;
    enum number number = N_COST;

    if (plan == NULL || value == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = find_number(plan, what, &number);
    if (st == MGC_OK) st = mgc__plan_find(plan, microgrid, &s);
    if (st == MGC_OK) st = check_scenario(plan, s, scenario);
    if (st != MGC_OK) return st;
    if (number == N_BOUND || number == N_FIRST || number == N_GAP)
        return mgc__fail(plan->ctx, MGC_E_UNKNOWN_KEY, "dispatch: %s is of the whole plan, not of a scenario", what);
    *value = scenario_number(s, number, scenario);
    return MGC_OK;
}

mgc_status mgc_plan_get_probability(const mgc_plan *plan, const char *microgrid, double *probability, size_t n)
{
    const mgc__plan_site *s;

    if (plan == NULL || probability == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = mgc__plan_find(plan, microgrid, &s);
    if (st != MGC_OK) return st;
    if (n != s->shape->scenarios)
        return mgc__fail(plan->ctx, MGC_E_WRONG_LENGTH, "dispatch: %s has %u scenarios; %zu probabilities asked for", microgrid,
                         s->shape->scenarios, n);
    memcpy(probability, s->p, n * sizeof *probability);
    return MGC_OK;
}
