/* SPDX-License-Identifier: Apache-2.0 */
/* One microgrid as a two-stage program: where everything stands (shape), and the program itself (site). */
#include <stdio.h>

#include "dispatch/build.h"

/* --- making columns and rows ------------------------------------------------------------------------------------- */

enum { NAME_MAX_BYTES = 256 };

static void make_name(const mgc__builder *b, const char *what, const char *quantity, uint32_t period, char *name)
{
    char place[24] = "", scenario[24] = "";

    if (period != PLACE_NONE) snprintf(place, sizeof place, "[%u]", period);
    if (b->stage != MGC_FIRST_STAGE) snprintf(scenario, sizeof scenario, "@k%u", b->scenario);
    snprintf(name, NAME_MAX_BYTES, "%s.%s.%s%s%s", b->shape->site->id, what, quantity, place, scenario);
}

uint32_t mgc__build_column(mgc__builder *b, double cost, double lower, double upper, const char *what, const char *quantity,
                           uint32_t period)
{
    char name[NAME_MAX_BYTES];
    uint32_t column = b->columns++;

    if (b->ts == NULL || b->status != MGC_OK) return column;
    b->cost[column] = cost;
    b->period[column] = period;
    b->lower[column] = lower;
    b->upper[column] = upper;
    b->status = mgc_twostage_add_column(b->ts, b->stage, cost, lower, upper, &column);
    assert(b->status != MGC_OK || column + 1 == b->columns);
    if (b->status == MGC_OK && b->named) {
        make_name(b, what, quantity, period, name);
        b->status = mgc_twostage_set_column_name(b->ts, column, name);
    }
    return column;
}

void mgc__build_term(mgc__builder *b, uint32_t column, double value)
{
    if (b->ts == NULL || b->status != MGC_OK || value == 0) return;
    if (!mgc__grow(b->ctx, (void **)&b->term_column, &b->column_cap, b->terms + 1, sizeof *b->term_column) ||
        !mgc__grow(b->ctx, (void **)&b->term_value, &b->value_cap, b->terms + 1, sizeof *b->term_value)) {
        b->status = mgc__no_memory(b->ctx, "dispatch: a row");
        return;
    }
    b->term_column[b->terms] = column;
    b->term_value[b->terms++] = value;
}

void mgc__build_row(mgc__builder *b, double lower, double upper, const char *what, const char *quantity, uint32_t period)
{
    char name[NAME_MAX_BYTES];
    uint32_t row = b->rows++;

    if (b->ts == NULL || b->status != MGC_OK) return;
    b->status = mgc_twostage_add_row(b->ts, b->stage, lower, upper, b->term_column, b->term_value, b->terms, &row);
    assert(b->status != MGC_OK || row + 1 == b->rows);
    b->terms = 0;
    if (b->status == MGC_OK && b->named) {
        make_name(b, what, quantity, period, name);
        b->status = mgc_twostage_set_row_name(b->ts, row, name);
    }
}

static void begin_stage(mgc__builder *b, uint32_t stage, uint32_t scenario)
{
    b->stage = stage;
    b->scenario = scenario;
    b->stage_column = b->columns;
    b->stage_row = b->rows;
}

/* All columns before all rows, so that a row finds its columns. */
static void build_all(mgc__builder *b)
{
    uint32_t scenarios = b->shape->scenarios;

    begin_stage(b, MGC_FIRST_STAGE, 0);
    mgc__build_columns(b);
    for (uint32_t k = 0; k < scenarios; k++) {
        begin_stage(b, MGC_SCENARIO(k), k);
        mgc__build_columns(b);
    }
    begin_stage(b, MGC_FIRST_STAGE, 0);
    mgc__build_rows(b);
    for (uint32_t k = 0; k < scenarios; k++) {
        begin_stage(b, MGC_SCENARIO(k), k);
        mgc__build_rows(b);
    }
}

/* Count one stage and one scenario, recording the places; every other scenario is alike. */
static void lay_out(mgc__shape *s)
{
    mgc__builder b = {.ctx = s->ctx, .shape = s, .status = MGC_OK};

    begin_stage(&b, MGC_FIRST_STAGE, 0);
    mgc__build_columns(&b);
    s->first_columns = b.columns;
    begin_stage(&b, MGC_SCENARIO(0), 0);
    mgc__build_columns(&b);
    s->scenario_columns = b.columns - s->first_columns;
    begin_stage(&b, MGC_FIRST_STAGE, 0);
    mgc__build_rows(&b);
    s->first_rows = b.rows;
    begin_stage(&b, MGC_SCENARIO(0), 0);
    mgc__build_rows(&b);
    s->scenario_rows = b.rows - s->first_rows;
}

/* --- the shape --------------------------------------------------------------------------------------------------- */

static bool uses_heat(const mgc_device *d)
{
    switch (d->type) {
    case TYPE_LOAD: return d->bag.slot[LOAD_CARRIER].number == CARRIER_HEAT;
    case TYPE_STORAGE: return d->bag.slot[STO_CARRIER].number == CARRIER_HEAT;
    case TYPE_CHP: return mgc__device_number(d, CHP_HEAT) > 0;
    case TYPE_GAS_BOILER:
    case TYPE_ELECTRIC_BOILER:
    case TYPE_HEAT_PUMP: return true;
    case TYPE_LINEAR:
        for (size_t i = 0; i < d->n_variables; i++)
            if (!mgc__bag_is_zero(&d->variables[i].bag, VAR_HEAT)) return true;
        return false;
    default: return false;
    }
}

static mgc_status make_trades(mgc__shape *s, const mgc_model *whole)
{
    size_t n = s->trade ? s->model->n_links : 0, kept = 0;

    s->trades = mgc__alloc(s->ctx, n, sizeof *s->trades);
    s->trade_columns = mgc__alloc(s->ctx, 2 * n * s->periods, sizeof *s->trade_columns);
    s->trade_capacity = mgc__alloc(s->ctx, n * s->periods, sizeof *s->trade_capacity);
    if (s->trades == NULL || s->trade_columns == NULL || s->trade_capacity == NULL)
        return mgc__no_memory(s->ctx, "dispatch: trades");
    for (size_t l = 0; l < whole->n_links && kept < n; l++) {
        const mgc_link *link = s->model->links[kept];
        bool first = strcmp(whole->links[l]->first, s->site->id) == 0;
        if (!first && strcmp(whole->links[l]->second, s->site->id) != 0) continue;
        double *capacity = s->trade_capacity + kept * s->periods;
        for (uint32_t t = 0; t < s->periods; t++) capacity[t] = mgc__bag_at(&link->bag, LINK_CAPACITY, 0, t);
        s->trades[kept] = (mgc__trade){.link = (uint32_t)l, .neighbour = first ? link->second : link->first,
                                       .carrier = link->carrier, .first = first,
                                       .loss = mgc__bag_at(&link->bag, LINK_LOSS, 0, 0), .capacity_kw = capacity,
                                       .out = s->trade_columns + 2 * kept * s->periods,
                                       .in = s->trade_columns + (2 * kept + 1) * s->periods};
        kept++;
    }
    s->n_trades = kept;
    return MGC_OK;
}

/* What a device can take from and give to the electricity balance at t, in any scenario. */
static void add_reach(const mgc_device *d, uint32_t scenarios, uint32_t t, double *take, double *give)
{
    double most = 0;

    switch (d->type) {
    case TYPE_LOAD:
        if (d->bag.slot[LOAD_CARRIER].number != CARRIER_ELECTRICITY) return;
        for (uint32_t k = 0; k < scenarios; k++) most = fmax(most, mgc__device_at(d, LOAD_DEMAND, k, t));
        *take += most * (1 + mgc__device_at(d, LOAD_SHIFTABLE, 0, t));
        *give += most * (mgc__device_at(d, LOAD_SHIFTABLE, 0, t) + mgc__device_at(d, LOAD_CURTAILABLE, 0, t));
        return;
    case TYPE_PV:
    case TYPE_WIND:
    case TYPE_RENEWABLE:
        for (uint32_t k = 0; k < scenarios; k++) most = fmax(most, mgc__device_at(d, REN_AVAILABLE, k, t));
        *give += most;
        return;
    case TYPE_CHP: *give += mgc__device_number(d, CHP_MAX); return;
    case TYPE_ELECTRIC_BOILER:
    case TYPE_HEAT_PUMP: *take += mgc__device_number(d, EHEAT_MAX); return;
    case TYPE_STORAGE:
        if (d->bag.slot[STO_CARRIER].number != CARRIER_ELECTRICITY) return;
        *take += mgc__device_number(d, STO_CHARGE);
        *give += mgc__device_number(d, STO_DISCHARGE);
        return;
    case TYPE_LINEAR:
        for (size_t i = 0; i < d->n_variables; i++) {
            double c = mgc__bag_at(&d->variables[i].bag, VAR_ELECTRICITY, 0, t);
            if (c == 0) continue;
            double a = c * mgc__bag_at(&d->variables[i].bag, VAR_LOWER, 0, t);
            double b = c * mgc__bag_at(&d->variables[i].bag, VAR_UPPER, 0, t);
            *give += fmax(0, fmax(a, b));
            *take += fmax(0, -fmin(a, b));
        }
        return;
    default: return;
    }
}

/* Where the grid has no limit, what the devices and links can exchange is one: to buy more than can be taken and sell it in
 * real time earns nothing (the check refuses such prices), nor does the reverse. */
static mgc_status limit_exchange(mgc__shape *s)
{
    s->import_max = mgc__alloc(s->ctx, s->periods, sizeof(double));
    s->export_max = mgc__alloc(s->ctx, s->periods, sizeof(double));
    if (s->import_max == NULL || s->export_max == NULL) return mgc__no_memory(s->ctx, "dispatch: limits");
    for (uint32_t t = 0; t < s->periods; t++) {
        double take = 0, give = 0;
        for (size_t i = 0; i < s->site->n_devices; i++) add_reach(s->site->devices[i], s->scenarios, t, &take, &give);
        for (size_t i = 0; i < s->n_trades; i++) {
            if (s->trades[i].carrier != CARRIER_ELECTRICITY) continue;
            take += s->trades[i].capacity_kw[t];
            give += (1 - s->trades[i].loss) * s->trades[i].capacity_kw[t];
        }
        double buy = mgc__grid_at(s->site, GRID_BUY_LIMIT, t), sell = mgc__grid_at(s->site, GRID_SELL_LIMIT, t);
        s->import_max[t] = isinf(buy) ? take : buy;
        s->export_max[t] = isinf(sell) ? give : sell;
    }
    return MGC_OK;
}

static mgc_status fill_shape(mgc__shape *s, const mgc_model *model)
{
    s->periods = model->periods;
    s->hours = model->hours;
    s->scenarios = s->site->scenarios;
    s->carbon = mgc__carbon_at(s->site, CARBON_PRICE) > 0 || mgc__carbon_at(s->site, CARBON_REWARD) > 0;
    s->device = mgc__alloc(s->ctx, s->site->n_devices, sizeof *s->device);
    if (s->device == NULL) return mgc__no_memory(s->ctx, "dispatch: devices");
    mgc_status st = make_trades(s, model);
    if (st != MGC_OK) return st;
    st = limit_exchange(s);
    if (st != MGC_OK) return st;
    for (size_t i = 0; i < s->site->n_devices; i++) s->heat |= uses_heat(s->site->devices[i]);
    for (size_t i = 0; i < s->n_trades; i++) s->heat |= s->trades[i].carrier == CARRIER_HEAT;
    lay_out(s);
    s->integers = mgc__alloc(s->ctx, s->n_integers, sizeof *s->integers);
    return s->integers == NULL ? mgc__no_memory(s->ctx, "dispatch: integers") : MGC_OK;
}

mgc_status mgc__shape_create(mgc_ctx *ctx, const mgc_model *model, const char *id, bool trade, mgc__shape **out)
{
    *out = NULL;
    if (mgc_model_microgrid(model, id) == NULL)
        return mgc__fail(ctx, MGC_E_NOT_FOUND, "dispatch: no microgrid \"%.64s\"", id != NULL ? id : "NULL");
    mgc__shape *s = mgc__alloc(ctx, 1, sizeof *s);
    if (s == NULL) return mgc__no_memory(ctx, "dispatch: a shape");
    s->ctx = ctx;
    s->trade = trade;
    mgc_status st = mgc__model_copy(ctx, model, id, &s->model);
    if (st == MGC_OK) {
        s->site = s->model->sites[0];
        st = fill_shape(s, model);
    }
    if (st != MGC_OK) mgc__shape_destroy(s);
    else *out = s;
    return st;
}

void mgc__shape_destroy(mgc__shape *s)
{
    if (s == NULL) return;
    mgc__free(s->ctx, s->import_max);
    mgc__free(s->ctx, s->export_max);
    mgc__free(s->ctx, s->device);
    mgc__free(s->ctx, s->trades);
    mgc__free(s->ctx, s->trade_columns);
    mgc__free(s->ctx, s->trade_capacity);
    mgc__free(s->ctx, s->integers);
    mgc_model_destroy(s->model);
    mgc__free(s->ctx, s);
}

/* --- the site ---------------------------------------------------------------------------------------------------- */

/* --- ambiguity --------------------------------------------------------------------------------------------------- */

/* Draws of the bootstrap come from this seed, so that a case has one radius. */
enum { BOOTSTRAP_SEED = 1 };

/* The uncertain series of one bag of parameters, each over all its values' nominal sum, side by side: scenario k's begin at
 * vectors + k dimension.  With vectors NULL they are only counted. */
static void gather_bag(const mgc_microgrid *m, const mgc__bag *bag, const double *p, double *vectors, size_t dimension,
                       size_t *series)
{
    uint32_t periods = m->model->periods;

    for (uint32_t i = 0; bag->scope != NULL && i < bag->scope->n; i++) {
        const mgc__slot *slot = &bag->slot[i];
        double sum = 0;
        if (!slot->set || slot->series == NULL || slot->rows != m->scenarios || m->scenarios < 2) continue;
        for (uint32_t k = 0; k < m->scenarios; k++)
            for (uint32_t t = 0; t < periods; t++) sum += p[k] * slot->series[k * (size_t)periods + t];
        if (!(fabs(sum) > 0)) continue;
        for (uint32_t k = 0; k < m->scenarios && vectors != NULL; k++)
            for (uint32_t t = 0; t < periods; t++)
                vectors[k * dimension + *series * periods + t] = slot->series[k * (size_t)periods + t] / fabs(sum);
        ++*series;
    }
}

static size_t gather(const mgc_microgrid *m, const double *p, double *vectors, size_t dimension)
{
    size_t series = 0;

    gather_bag(m, &m->grid, p, vectors, dimension, &series);
    gather_bag(m, &m->market, p, vectors, dimension, &series);
    gather_bag(m, &m->carbon, p, vectors, dimension, &series);
    for (size_t d = 0; d < m->n_devices; d++) gather_bag(m, &m->devices[d]->bag, p, vectors, dimension, &series);
    return series;
}

/* The distance of scenarios: doc/case-files.md, ambiguity. */
static mgc_status give_vectors(mgc__site *site, const double *p)
{
    const mgc_microgrid *m = site->shape->site;
    size_t series = gather(m, p, NULL, 0), dimension = series * m->model->periods;
    double *vectors = mgc__alloc(site->ctx, dimension * m->scenarios, sizeof *vectors);

    if (vectors == NULL) return mgc__no_memory(site->ctx, "dispatch: the scenarios' distances");
    gather(m, p, vectors, dimension);
    for (size_t e = 0; e < dimension * m->scenarios; e++) vectors[e] /= (double)series;
    mgc_status st = mgc_twostage_set_vectors(site->ts, vectors, dimension, NULL);
    mgc__free(site->ctx, vectors);
    return st;
}

static double largest(const double *values, size_t n)
{
    double most = 0;

    for (size_t i = 0; i < n; i++) most = fmax(most, values[i]);
    return most;
}

static mgc_status radius_of(mgc__site *site, uint32_t which, const double *p, const double *distance, double *radius)
{
    const mgc_microgrid *m = site->shape->site;
    const mgc__ball *ball = &m->ball[which];
    uint32_t k = m->scenarios;

    *radius = ball->radius;
    if (!isnan(*radius)) return MGC_OK;
    if (strcmp(ball->rule, "bootstrap") == 0)
        return mgc_radius_bootstrap(site->ctx, mgc__ball_names[which], p, k, distance, ball->samples, ball->confidence, 0,
                                    BOOTSTRAP_SEED, radius);
    if (which == BALL_NORM1) return mgc_radius_norm1(site->ctx, ball->rule, k, ball->samples, ball->confidence, radius);
    if (which == BALL_NORM_INF) return mgc_radius_norm_inf(site->ctx, ball->rule, k, ball->samples, ball->confidence, radius);
    return mgc_radius_wasserstein(site->ctx, ball->rule, k, largest(distance, (size_t)k * k), ball->samples, ball->confidence,
                                  radius);
}

static mgc_status give_set(mgc__site *site, uint32_t which, double size)
{
    mgc_twostage *ts = site->ts;

    switch (which) {
    case BALL_NORM1: return mgc_twostage_set_norm1(ts, size);
    case BALL_NORM_INF: return mgc_twostage_set_norm_inf(ts, size);
    case BALL_WASSERSTEIN: return mgc_twostage_set_wasserstein(ts, size);
    case BALL_KL: return mgc_twostage_set_kl(ts, size);
    case BALL_CHI2: return mgc_twostage_set_chi2(ts, size);
    case BALL_CVAR: return mgc_twostage_set_cvar(ts, size);
    default: return mgc_twostage_set_worst_case(ts, 1);
    }
}

static mgc_status give_sets(mgc__site *site, const double *p, double *distance)
{
    const mgc_microgrid *m = site->shape->site;
    mgc_status st = MGC_OK;

    if (distance != NULL) {
        st = give_vectors(site, p);
        if (st == MGC_OK) st = mgc_twostage_get_distances(site->ts, distance, (size_t)m->scenarios * m->scenarios);
    }
    for (uint32_t i = 0; i < BALL_COUNT && st == MGC_OK; i++) {
        double size = 0;
        if (isnan(m->ball[i].radius) && isnan(m->ball[i].confidence)) continue;
        st = radius_of(site, i, p, distance, &size);
        if (st == MGC_OK) st = give_set(site, i, size);
    }
    return st;
}

/* With one scenario every set is the same point, and no rule is asked. */
static mgc_status set_ambiguity(mgc__site *site)
{
    const mgc_microgrid *m = site->shape->site;
    const mgc__ball *ball = &m->ball[BALL_WASSERSTEIN];
    size_t k = m->scenarios;
    bool measured = !isnan(ball->radius) || !isnan(ball->confidence);

    if (k == 1) return MGC_OK;
    double *p = mgc__alloc(site->ctx, k, sizeof *p), *distance = measured ? mgc__alloc(site->ctx, k * k, sizeof *distance) : NULL;
    mgc_status st = p == NULL || (measured && distance == NULL) ? mgc__no_memory(site->ctx, "dispatch: an ambiguity set") : MGC_OK;
    for (size_t i = 0; i < k && st == MGC_OK; i++) p[i] = m->probability != NULL ? m->probability[i] : 1 / (double)k;
    if (st == MGC_OK) st = give_sets(site, p, distance);
    mgc__free(site->ctx, p);
    mgc__free(site->ctx, distance);
    return st;
}

/* --- building ---------------------------------------------------------------------------------------------------- */

static mgc_status build_program(mgc__site *site, bool named)
{
    mgc__shape *s = site->shape;
    mgc__builder b = {.ctx = site->ctx, .shape = s, .cost = site->cost, .period = site->period, .named = named, .status = MGC_OK};

    b.lower = mgc__alloc(site->ctx, mgc__shape_columns(s), sizeof *b.lower);
    b.upper = mgc__alloc(site->ctx, mgc__shape_columns(s), sizeof *b.upper);
    b.status = b.lower == NULL || b.upper == NULL ? mgc__no_memory(site->ctx, "dispatch: bounds")
                                                  : mgc_twostage_create(site->ctx, s->scenarios, s->site->probability, &site->ts);
    if (b.status == MGC_OK) {
        b.ts = site->ts;
        s->n_integers = 0; /* counted when it was laid out; filled now */
        build_all(&b);
    }
    mgc__free(site->ctx, b.lower);
    mgc__free(site->ctx, b.upper);
    mgc__free(site->ctx, b.term_column);
    mgc__free(site->ctx, b.term_value);
    assert(b.status != MGC_OK || b.columns == mgc__shape_columns(s));
    assert(b.status != MGC_OK || b.rows == mgc__shape_rows(s));
    return b.status;
}

mgc_status mgc__site_build(mgc_ctx *ctx, const mgc_model *model, const char *id, bool trade, bool named, bool ambiguity,
                           mgc__site **out)
{
    *out = NULL;
    mgc__site *site = mgc__alloc(ctx, 1, sizeof *site);
    if (site == NULL) return mgc__no_memory(ctx, "dispatch: a site");
    site->ctx = ctx;
    mgc_status st = mgc__shape_create(ctx, model, id, trade, &site->shape);
    if (st == MGC_OK) {
        site->cost = mgc__alloc(ctx, mgc__shape_columns(site->shape), sizeof *site->cost);
        site->period = mgc__alloc(ctx, mgc__shape_columns(site->shape), sizeof *site->period);
        st = site->cost == NULL || site->period == NULL ? mgc__no_memory(ctx, "dispatch: costs") : build_program(site, named);
    }
    if (st == MGC_OK && ambiguity) st = set_ambiguity(site);
    if (st != MGC_OK) mgc__site_destroy(site);
    else *out = site;
    return st;
}

mgc_status mgc__site_create(mgc_ctx *ctx, const mgc_model *model, const char *id, bool trade, mgc__site **out)
{
    return mgc__site_build(ctx, model, id, trade, false, true, out);
}

void mgc__site_destroy(mgc__site *site)
{
    if (site == NULL) return;
    mgc_twostage_destroy(site->ts);
    mgc__shape_destroy(site->shape);
    mgc__free(site->ctx, site->cost);
    mgc__free(site->ctx, site->period);
    mgc__free(site->ctx, site);
}

mgc_twostage *mgc__site_twostage(mgc__site *site)
{
    return site->ts;
}

size_t mgc__site_trades(const mgc__site *site, const mgc__trade **trades)
{
    *trades = site->shape->trades;
    return site->shape->n_trades;
}

double mgc__site_hours(const mgc__site *site)
{
    return site->shape->hours;
}

uint32_t mgc__site_periods(const mgc__site *site)
{
    return site->shape->periods;
}

size_t mgc__site_integers(const mgc__site *site, const uint32_t **columns)
{
    *columns = site->shape->integers;
    return site->shape->n_integers;
}
