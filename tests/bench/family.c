/* SPDX-License-Identifier: Apache-2.0 */
#include "family.h"

#include <math.h>
#include <stdio.h>

#include "io/case.h"
#include "mgchain/io.h"

/* --- the embedded year ------------------------------------------------------------------------------------------- */

enum { HOURS = 24, DAYS = 365, TARGET_DAY = 87, WINDOW_DAYS = 60, CSV_BYTES_MAX = 16 << 20 };

enum series { ELECTRICITY, HEAT_DEMAND, SUN, WIND, WIND_FORECAST, PRICE, SERIES };

static const char *const series_column[SERIES] = {
    [ELECTRICITY] = "campus_electricity_kw", [HEAT_DEMAND] = "campus_heat_kw", [SUN] = "campus_pv_per_kwp",
    [WIND] = "campus_wind_per_kw", [WIND_FORECAST] = "campus_wind_forecast_per_kw", [PRICE] = "price_eur_per_mwh"};

typedef struct year {
    double value[SERIES][DAYS][HOURS];
} year;

static mgc_status series_text(mgc_ctx *ctx, char **text, size_t *len)
{
    const char *name;
    const uint8_t *bytes;
    size_t n;

    for (uint32_t i = 0; mgc_builtin_file(i, &name, &bytes, &n) == MGC_OK; i++)
        if (mgc__is_gzip(bytes, n)) return mgc__gunzip(ctx, bytes, n, CSV_BYTES_MAX, text, len);
    return MGC_E_NOT_FOUND;
}

/* The k-th field of a line, NULL past the last one. */
static const char *field(const char *line, uint32_t k)
{
    for (; k > 0; line++) {
        if (*line == '\0' || *line == '\n') return NULL;
        k -= *line == ',';
    }
    return line;
}

static uint32_t find_column(const char *header, const char *name)
{
    size_t len = strlen(name);
    const char *at;

    for (uint32_t k = 0; (at = field(header, k)) != NULL; k++)
        if (strncmp(at, name, len) == 0 && (at[len] == ',' || at[len] == '\n' || at[len] == '\r')) return k;
    return UINT32_MAX;
}

static mgc_status read_year(mgc_ctx *ctx, year *y)
{
    uint32_t column[SERIES];
    char *text;
    size_t len;
    mgc_status st = series_text(ctx, &text, &len);

    if (st != MGC_OK) return st;
    for (int s = 0; s < SERIES && st == MGC_OK; s++)
        if ((column[s] = find_column(text, series_column[s])) == UINT32_MAX) st = MGC_E_NOT_FOUND;
    const char *line = strchr(text, '\n');
    for (uint32_t h = 0; h < DAYS * HOURS && st == MGC_OK; h++) {
        if (line == NULL) st = MGC_E_WRONG_LENGTH;
        for (int s = 0; s < SERIES && st == MGC_OK; s++) {
            const char *end, *at = field(line + 1, column[s]);
            if (at == NULL) st = MGC_E_SYNTAX;
            else y->value[s][h / HOURS][h % HOURS] = mgc_number_parse(at, &end);
        }
        if (st == MGC_OK) line = strchr(line + 1, '\n');
    }
    mgc_ctx_release(ctx, text);
    return st;
}

/* --- scenarios --------------------------------------------------------------------------------------------------- */

/* Noise that remembers: first order, standard deviation 1, correlation rho from one period to the next. */
typedef struct noise {
    mgc__rng *rng;
    double rho, state;
} noise;

static double normal(mgc__rng *rng)
{
    double u = 1.0 - mgc__rng_unit(rng), v = mgc__rng_unit(rng);

    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

static noise noise_begin(mgc__rng *rng, double rho)
{
    return (noise){.rng = rng, .rho = rho, .state = normal(rng)};
}

static double noise_next(noise *n)
{
    double now = n->state;

    n->state = n->rho * n->state + sqrt(1.0 - n->rho * n->rho) * normal(n->rng);
    return now;
}

/* A day's hours at period t of `periods`: the line between the middles of hours. */
static double between(const double *day, uint32_t periods, uint32_t t)
{
    double at = (t + 0.5) * HOURS / periods - 0.5;

    if (at <= 0) return day[0];
    if (at >= HOURS - 1) return day[HOURS - 1];
    return day[(int)at] + (at - floor(at)) * (day[(int)at + 1] - day[(int)at]);
}

static double step_of(const double *day, uint32_t periods, uint32_t t)
{
    return day[(uint64_t)t * HOURS / periods];
}

/* What the builder sets, one row a scenario. */
typedef struct weather {
    uint32_t periods;
    double *electricity, *heat, *sun, *wind, *realtime_buy, *realtime_sell; /* scenarios x periods */
    double *buy, *sell, *worth;                                            /* periods */
    double *block;
} weather;

static bool weather_alloc(mgc_ctx *ctx, weather *w, uint32_t periods, uint32_t scenarios)
{
    size_t n = (size_t)periods * scenarios;

    w->periods = periods;
    w->block = mgc__alloc(ctx, 6 * n + 3 * (size_t)periods, sizeof(double));
    if (w->block == NULL) return false;
    w->electricity = w->block;
    w->heat = w->electricity + n;
    w->sun = w->heat + n;
    w->wind = w->sun + n;
    w->realtime_buy = w->wind + n;
    w->realtime_sell = w->realtime_buy + n;
    w->buy = w->realtime_sell + n;
    w->sell = w->buy + periods;
    w->worth = w->sell + periods;
    return true;
}

static void fill_prices(const year *y, mgc__rng *rng, weather *w)
{
    noise n = noise_begin(rng, pow(0.8, 24.0 / w->periods));

    for (uint32_t t = 0; t < w->periods; t++) {
        double price = step_of(y->value[PRICE][TARGET_DAY], w->periods, t);
        w->buy[t] = 0.0015 * price + 0.09;
        w->sell[t] = 0.0007 * price;
        w->worth[t] = w->sell[t] + (w->buy[t] - w->sell[t]) / (1.0 + exp(-noise_next(&n)));
    }
}

/* Scenario k is a past day; where the days are used up they come again with noise on top.  Between the hours, and on the
 * real-time price, there is always noise.  Wind is the forecast of the day planned with that day's forecast error. */
static void fill_scenario(const year *y, uint32_t day, bool again, mgc__rng *rng, weather *w, uint32_t k)
{
    double rho = pow(0.8, 24.0 / w->periods), rough = again ? 0.05 : w->periods > HOURS ? 0.015 : 0.0;
    noise load = noise_begin(rng, rho), heat = noise_begin(rng, rho), sun = noise_begin(rng, rho);
    noise wind = noise_begin(rng, rho), up = noise_begin(rng, rho), down = noise_begin(rng, rho);

    for (uint32_t t = 0; t < w->periods; t++) {
        size_t at = (size_t)k * w->periods + t;
        double error = between(y->value[WIND][day], w->periods, t) - between(y->value[WIND_FORECAST][day], w->periods, t);
        double blow = between(y->value[WIND_FORECAST][TARGET_DAY], w->periods, t) + error + rough * noise_next(&wind);
        w->electricity[at] = between(y->value[ELECTRICITY][day], w->periods, t) * exp(rough * noise_next(&load));
        w->heat[at] = between(y->value[HEAT_DEMAND][day], w->periods, t) * exp(rough * noise_next(&heat));
        w->sun[at] = 2000.0 * between(y->value[SUN][day], w->periods, t) * exp(2.0 * rough * noise_next(&sun));
        w->wind[at] = 600.0 * fmin(fmax(blow, 0.0), 1.0);
        w->realtime_buy[at] = w->buy[t] + 0.02 + 0.02 * fabs(noise_next(&up));
        w->realtime_sell[at] = w->sell[t] - 0.01 - 0.01 * fabs(noise_next(&down));
    }
}

static void fill_weather(const year *y, uint64_t seed, uint32_t scenarios, weather *w)
{
    uint32_t day[WINDOW_DAYS];
    mgc__rng rng;

    mgc__rng_seed(&rng, seed);
    for (uint32_t i = 0; i < WINDOW_DAYS; i++) day[i] = TARGET_DAY - WINDOW_DAYS + i;
    for (uint32_t i = WINDOW_DAYS - 1; i > 0; i--) {
        uint32_t other = (uint32_t)mgc__rng_below(&rng, i + 1), keep = day[i];
        day[i] = day[other];
        day[other] = keep;
    }
    fill_prices(y, &rng, w);
    for (uint32_t k = 0; k < scenarios; k++) fill_scenario(y, day[k % WINDOW_DAYS], k >= WINDOW_DAYS, &rng, w, k);
}

/* --- the plant --------------------------------------------------------------------------------------------------- */

typedef struct setting {
    const char *key;
    double value;
} setting;

typedef struct part {
    const char *type, *id, *carrier;
    setting set[14];
} part;

/* Power in kW, energy in kWh; what counts in periods is for hours and turned by in_periods(). */
static const part plant[] = {
    {"load", "electric-load", "electricity",
     {{"shiftable_share", 0.1}, {"shift_cost_per_kwh", 0.01}, {"unserved_price_per_kwh", INFINITY}}},
    {"load", "heat-load", "heat", {{"unserved_price_per_kwh", INFINITY}}},
    {"pv", "pv", NULL, {{"om_cost_per_kwh", 0.002}}},
    {"wind", "wind", NULL, {{"om_cost_per_kwh", 0.003}}},
    {"chp", "engine", NULL,
     {{"min_power_kw", 300}, {"max_power_kw", 600}, {"electric_efficiency", 0.38}, {"heat_to_power", 1.15},
      {"heat_fixed", 1}, {"ramp_kw_per_period", 200}, {"startup_cost", 30}, {"no_load_fuel_kw", 80},
      {"min_up_periods", 4}, {"min_down_periods", 3}, {"om_cost_per_kwh", 0.01}, {"initially_on", 1},
      {"initial_power_kw", 300}}},
    {"chp", "turbine", NULL,
     {{"min_power_kw", 200}, {"max_power_kw", 350}, {"electric_efficiency", 0.35}, {"heat_to_power", 1.4},
      {"heat_fixed", 1}, {"startup_cost", 15}, {"no_load_fuel_kw", 60}, {"min_up_periods", 3},
      {"min_down_periods", 2}, {"om_cost_per_kwh", 0.012}}},
    {"gas_boiler", "boiler", NULL, {{"max_heat_kw", 3000}, {"efficiency", 0.92}}},
    {"heat_pump", "heat-pump", NULL, {{"max_power_kw", 100}, {"coefficient_of_performance", 3.1}}},
    {"storage", "battery", "electricity",
     {{"energy_capacity_kwh", 1500}, {"min_energy_kwh", 150}, {"initial_energy_kwh", 750}, {"max_charge_kw", 500},
      {"max_discharge_kw", 500}, {"charge_efficiency", 0.95}, {"discharge_efficiency", 0.95},
      {"wear_cost_per_kwh", 0.008}}},
    {"storage", "heat-tank", "heat",
     {{"energy_capacity_kwh", 600}, {"initial_energy_kwh", 300}, {"max_charge_kw", 200}, {"max_discharge_kw", 200},
      {"charge_efficiency", 0.97}, {"discharge_efficiency", 0.97}, {"self_discharge_per_period", 0.01}}},
};

static double in_periods(const setting *s, double hours)
{
    if (strncmp(s->key, "min_up", 6) == 0 || strncmp(s->key, "min_down", 8) == 0) return ceil(s->value / hours);
    if (strcmp(s->key, "ramp_kw_per_period") == 0) return s->value * hours;
    if (strcmp(s->key, "self_discharge_per_period") == 0) return 1.0 - pow(1.0 - s->value, hours);
    return s->value;
}

static mgc_status add_plant(mgc_microgrid *site, double hours)
{
    mgc_device *d;
    mgc_status st = MGC_OK;

    for (size_t i = 0; i < MGC__COUNT(plant) && st == MGC_OK; i++) {
        const part *p = &plant[i];
        st = mgc_microgrid_add_device(site, p->type, p->id, &d);
        if (st == MGC_OK && p->carrier != NULL) st = mgc_device_set_text(d, "carrier", p->carrier);
        for (size_t k = 0; k < MGC__COUNT(p->set) && p->set[k].key != NULL && st == MGC_OK; k++)
            st = mgc_device_set_number(d, p->set[k].key, in_periods(&p->set[k], hours));
    }
    return st;
}

static mgc_status set_weather(mgc_microgrid *site, const weather *w, uint32_t scenarios)
{
    const struct { const char *device, *key; const double *values; } of[] = {
        {"electric-load", "demand_kw", w->electricity}, {"heat-load", "demand_kw", w->heat},
        {"pv", "available_kw", w->sun}, {"wind", "available_kw", w->wind},
        {NULL, "realtime_buy_price_per_kwh", w->realtime_buy}, {NULL, "realtime_sell_price_per_kwh", w->realtime_sell}};
    mgc_status st = MGC_OK;

    for (size_t i = 0; i < MGC__COUNT(of); i++)
        for (uint32_t k = 0; k < scenarios && st == MGC_OK; k++) {
            const double *row = of[i].values + (size_t)k * w->periods;
            st = of[i].device == NULL ? mgc_microgrid_set_scenario(site, of[i].key, k, row, w->periods)
                                      : mgc_device_set_scenario(mgc_microgrid_device(site, of[i].device), of[i].key, k,
                                                                row, w->periods);
        }
    return st;
}

static mgc_status set_market(mgc_model *model, const weather *w)
{
    static const setting set[] = {
        {"gas_price_per_kwh", 0.045}, {"heat_price_per_kwh", 0.07}, {"grid_emission_kg_per_kwh", 0.4},
        {"gas_emission_kg_per_kwh", 0.202}, {"carbon.price_per_kg", 0.08}, {"carbon.reward_price_per_kg", 0.06},
        {"carbon.tier_width_kg", 2000}, {"carbon.tier_growth", 0.25}, {"carbon.tiers", 3}};
    mgc_status st = mgc_model_set_series(model, "buy_price_per_kwh", w->buy, w->periods);

    if (st == MGC_OK) st = mgc_model_set_series(model, "sell_price_per_kwh", w->sell, w->periods);
    for (size_t i = 0; i < MGC__COUNT(set) && st == MGC_OK; i++)
        st = mgc_model_set_number(model, set[i].key, set[i].value);
    return st;
}

static mgc_status set_grid(mgc_microgrid *site)
{
    static const setting set[] = {
        {"buy_limit_kw", 6000}, {"sell_limit_kw", 1500}, {"heat_buy_limit_kw", 500}, {"carbon_quota_kg", 4000}};
    mgc_status st = MGC_OK;

    for (size_t i = 0; i < MGC__COUNT(set) && st == MGC_OK; i++)
        st = mgc_microgrid_set_number(site, set[i].key, set[i].value);
    return st;
}

static mgc_status add_link(mgc_model *model, const char *neighbour, const char *carrier, double capacity_kw, double loss,
                           double fee)
{
    mgc_link *link;
    mgc_status st = mgc_model_add_link(model, "campus", neighbour, carrier, &link);

    if (st == MGC_OK) st = mgc_link_set_number(link, "capacity_kw", capacity_kw);
    if (st == MGC_OK) st = mgc_link_set_number(link, "loss", loss);
    if (st == MGC_OK) st = mgc_link_set_number(link, "fee_per_kwh", fee);
    return st;
}

static mgc_status build_model(mgc_ctx *ctx, const weather *w, uint32_t scenarios, double hours, mgc_model **model)
{
    mgc_microgrid *site;
    mgc_status st = mgc_model_create(ctx, w->periods, hours, model);

    if (st == MGC_OK) st = set_market(*model, w);
    if (st == MGC_OK) st = mgc_model_add_microgrid(*model, "campus", scenarios, &site);
    if (st == MGC_OK) st = set_grid(site);
    if (st == MGC_OK) st = add_plant(site, hours);
    if (st == MGC_OK) st = set_weather(site, w, scenarios);
    if (st == MGC_OK) st = add_link(*model, "hospital", "electricity", 800, 0, 0.006);
    if (st == MGC_OK) st = add_link(*model, "residential", "heat", 300, 0.03, 0.004);
    if (st == MGC_OK) st = mgc_model_check(*model, NULL, NULL);
    return st;
}

/* --- a member ---------------------------------------------------------------------------------------------------- */

static mgc_status open_doors(family *f, const mgc__site *site, const weather *w)
{
    const mgc__trade *trade;
    size_t n = mgc__site_trades(site, &trade);

    f->door = mgc__alloc(f->ctx, 2 * n * f->periods, sizeof *f->door);
    if (f->door == NULL) return mgc__no_memory(f->ctx, "doors");
    for (size_t i = 0; i < n; i++)
        for (uint32_t t = 0; t < f->periods; t++) {
            double worth = f->hours * (trade[i].carrier == 0 ? w->worth[t] : 0.045 + 0.02 * sin(0.7 * t * f->hours));
            family_door d = {.column = {trade[i].out[t], trade[i].in[t]}, .n_columns = 2, .worth = worth,
                             .capacity_kw = trade[i].capacity_kw[t]};
            if (trade[i].loss > 0) { /* what is sent and what comes are two quantities */
                family_door in = {.column = {trade[i].in[t]}, .n_columns = 1, .worth = -1.1 * worth,
                                  .capacity_kw = d.capacity_kw};
                f->door[f->n_doors++] = in;
                d.n_columns = 1;
            }
            f->door[f->n_doors++] = d;
        }
    return MGC_OK;
}

mgc_status family_create(mgc_ctx *ctx, uint32_t periods, uint32_t scenarios, uint64_t seed, family *out)
{
    weather w = {.block = NULL};
    mgc_model *model = NULL;
    mgc__site *site = NULL;

    *out = (family){.ctx = ctx, .periods = periods, .scenarios = scenarios, .hours = 24.0 / periods,
                    .penalty = 2e-4 * 24.0 / periods};
    year *y = mgc__alloc(ctx, 1, sizeof *y);
    mgc_status st = y == NULL || !weather_alloc(ctx, &w, periods, scenarios) ? mgc__no_memory(ctx, "the embedded series")
                                                                            : read_year(ctx, y);
    if (st == MGC_OK) {
        fill_weather(y, seed, scenarios, &w);
        st = build_model(ctx, &w, scenarios, out->hours, &model);
    }
    if (st == MGC_OK) st = mgc__site_create(ctx, model, "campus", true, &site);
    if (st == MGC_OK) st = mgc_twostage_extensive(mgc__site_twostage(site), &out->program);
    if (st == MGC_OK) st = open_doors(out, site, &w);
    for (size_t i = 0; i < out->n_doors && st == MGC_OK; i++)
        for (uint32_t k = 0; k < out->door[i].n_columns && st == MGC_OK; k++)
            st = mgc_program_get_column(out->program, out->door[i].column[k], &out->door[i].own_cost[k], NULL, NULL, NULL);
    mgc__site_destroy(site);
    mgc_model_destroy(model);
    mgc__free(ctx, w.block);
    mgc__free(ctx, y);
    if (st != MGC_OK) family_destroy(out);
    return st;
}

void family_destroy(family *f)
{
    mgc_program_destroy(f->program);
    mgc__free(f->ctx, f->door);
    f->program = NULL;
    f->door = NULL;
    f->n_doors = 0;
}

/* --- ADMM -------------------------------------------------------------------------------------------------------- */

/* lambda x + penalty/2 (x - z)^2: the linear term of x is lambda - penalty z. */
static mgc_status set_terms(family *f)
{
    mgc_status st = MGC_OK;

    for (size_t i = 0; i < f->n_doors && st == MGC_OK; i++) {
        const family_door *d = &f->door[i];
        double linear = d->lambda - f->penalty * d->z;
        st = mgc_program_set_cost(f->program, d->column[0], d->own_cost[0] + linear);
        if (st == MGC_OK && d->n_columns == 2)
            st = mgc_program_set_cost(f->program, d->column[1], d->own_cost[1] - linear);
    }
    return st;
}

mgc_status family_admm_begin(family *f)
{
    mgc_status st = MGC_OK;

    for (size_t i = 0; i < f->n_doors && st == MGC_OK; i++) {
        family_door *d = &f->door[i];
        d->z = d->lambda = 0;
        st = mgc_program_set_quadratic(f->program, d->column[0], d->column[0], f->penalty);
        if (st == MGC_OK && d->n_columns == 2) {
            st = mgc_program_set_quadratic(f->program, d->column[1], d->column[1], f->penalty);
            if (st == MGC_OK) st = mgc_program_set_quadratic(f->program, d->column[0], d->column[1], -f->penalty);
        }
    }
    return st == MGC_OK ? set_terms(f) : st;
}

mgc_status family_admm_step(family *f, const double *x, double *change)
{
    double slope = 0.05 * f->penalty, largest = 0;

    for (size_t i = 0; i < f->n_doors; i++) {
        family_door *d = &f->door[i];
        double flow = x[d->column[0]] - (d->n_columns == 2 ? x[d->column[1]] : 0.0);
        double least = d->n_columns == 2 ? -d->capacity_kw : 0.0;
        /* min over z of -worth z + slope/2 z^2 - lambda z + penalty/2 (x - z)^2 */
        double z = (d->worth + d->lambda + f->penalty * flow) / (slope + f->penalty);
        d->z = fmin(fmax(z, least), d->capacity_kw);
        d->lambda += f->penalty * (flow - d->z);
        largest = fmax(largest, fabs(flow - d->z));
    }
    if (change != NULL) *change = largest;
    return set_terms(f);
}
