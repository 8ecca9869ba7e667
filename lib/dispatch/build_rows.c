/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a microgrid's program.  Numbers in brackets: doc/math/dispatch.md, "Equations". */
#include <stdio.h>

#include "dispatch/build.h"

static void place(mgc__builder *b, uint32_t *where)
{
    *where = b->rows - b->stage_row;
}

static uint32_t at(const mgc__builder *b, uint32_t family, uint32_t t)
{
    return mgc__column(b->shape, b->scenario, family, t);
}

/* Add value * column, where the program has that family. */
static void add(mgc__builder *b, uint32_t family, uint32_t t, double value)
{
    if (family != PLACE_NONE) mgc__build_term(b, at(b, family, t), value);
}

static void add_first(mgc__builder *b, uint32_t family, uint32_t t, double value)
{
    if (family != PLACE_NONE) mgc__build_term(b, family + t, value);
}

/* --- first stage: commitment ------------------------------------------------------------------------------------- */

/* (8) v_t >= u_t - u_{t-1} */
static void start_rows(mgc__builder *b, const mgc_device *d, const mgc__device_shape *shape)
{
    double u0 = mgc__device_number(d, CHP_ON);

    for (uint32_t t = 0; t < b->shape->periods; t++) {
        add_first(b, shape->first[START], t, 1);
        add_first(b, shape->first[ON], t, -1);
        if (t > 0) add_first(b, shape->first[ON], t - 1, 1);
        mgc__build_row(b, t > 0 ? 0 : -u0, (double)INFINITY, d->id, "starts", t);
    }
}

/* (8) minimum up time U: sum of the starts in t-U+1..t <= u_t; minimum down time W: the same over W <= 1 - u_{t-W}.
 * 0 means 1: then they only say that a unit starts when it was off and is on. */
static void up_and_down_rows(mgc__builder *b, const mgc_device *d, const mgc__device_shape *shape)
{
    uint32_t up = (uint32_t)fmax(1, mgc__device_number(d, CHP_MIN_UP));
    uint32_t down = (uint32_t)fmax(1, mgc__device_number(d, CHP_MIN_DOWN));
    double u0 = mgc__device_number(d, CHP_ON);

    for (uint32_t t = 0; t < b->shape->periods; t++) {
        for (uint32_t i = t + 1 >= up ? t + 1 - up : 0; i <= t; i++) add_first(b, shape->first[START], i, 1);
        add_first(b, shape->first[ON], t, -1);
        mgc__build_row(b, -(double)INFINITY, 0, d->id, "min-up", t);
    }
    for (uint32_t t = 0; t < b->shape->periods; t++) {
        for (uint32_t i = t + 1 >= down ? t + 1 - down : 0; i <= t; i++) add_first(b, shape->first[START], i, 1);
        if (t >= down) add_first(b, shape->first[ON], t - down, 1);
        mgc__build_row(b, -(double)INFINITY, t >= down ? 1 : 1 - u0, d->id, "min-down", t);
    }
}

/* --- grid and balances ------------------------------------------------------------------------------------------- */

/* b - s + r+ - r- */
static void add_exchange(mgc__builder *b, uint32_t t, double sign)
{
    const mgc__shape *s = b->shape;

    add_first(b, s->buy, t, sign);
    add_first(b, s->sell, t, -sign);
    add(b, s->realtime_buy, t, sign);
    add(b, s->realtime_sell, t, -sign);
}

/* (1), and i >= b - s + r+ - r- */
static void connection_rows(mgc__builder *b)
{
    mgc__shape *s = b->shape;
    bool limited = false;

    for (uint32_t t = 0; t < s->periods; t++)
        limited |= isfinite(mgc__grid_at(s->site, GRID_BUY_LIMIT, t)) || isfinite(mgc__grid_at(s->site, GRID_SELL_LIMIT, t));
    s->row_grid = s->row_import = PLACE_NONE;
    if (limited) place(b, &s->row_grid);
    for (uint32_t t = 0; limited && t < s->periods; t++) {
        add_exchange(b, t, 1);
        mgc__build_row(b, -mgc__grid_at(s->site, GRID_SELL_LIMIT, t), mgc__grid_at(s->site, GRID_BUY_LIMIT, t), "grid",
                       "connection", t);
    }
    if (s->import == PLACE_NONE) return;
    place(b, &s->row_import);
    for (uint32_t t = 0; t < s->periods; t++) {
        add(b, s->import, t, 1);
        add_exchange(b, t, -1);
        mgc__build_row(b, 0, (double)INFINITY, "grid", "import", t);
    }
}

static void add_trades(mgc__builder *b, uint32_t carrier, uint32_t t)
{
    const mgc__shape *s = b->shape;

    for (size_t i = 0; i < s->n_trades; i++) {
        if (s->trades[i].carrier != carrier) continue;
        mgc__build_term(b, s->trades[i].out[t], -1);
        mgc__build_term(b, s->trades[i].in[t], 1 - s->trades[i].loss);
    }
}

/* What a load leaves to be met: its demand is on the right-hand side. */
static double add_load(mgc__builder *b, const mgc_device *d, const mgc__device_shape *shape, uint32_t t)
{
    add(b, shape->scenario[SHIFT_IN], t, -1);
    add(b, shape->scenario[SHIFT_OUT], t, 1);
    add(b, shape->scenario[CURTAILED], t, 1);
    add(b, shape->scenario[UNSERVED], t, 1);
    return mgc__device_at(d, LOAD_DEMAND, b->scenario, t);
}

static void add_storage(mgc__builder *b, const mgc__device_shape *shape, uint32_t t)
{
    add(b, shape->scenario[DISCHARGE], t, 1);
    add(b, shape->scenario[CHARGE], t, -1);
}

static void add_linear(mgc__builder *b, const mgc_device *d, const mgc__device_shape *shape, uint32_t param, uint32_t t)
{
    for (size_t i = 0; i < d->n_variables; i++)
        mgc__build_term(b, at(b, shape->scenario[VARIABLES] + (uint32_t)i * b->shape->periods, t),
                        mgc__bag_at(&d->variables[i].bag, param, 0, t));
}

/* A device's part in balance (2) at t; returns its demand. */
static double add_electricity(mgc__builder *b, const mgc_device *d, const mgc__device_shape *shape, uint32_t t)
{
    switch (d->type) {
    case TYPE_LOAD: return d->bag.slot[LOAD_CARRIER].number == CARRIER_ELECTRICITY ? add_load(b, d, shape, t) : 0;
    case TYPE_PV:
    case TYPE_WIND:
    case TYPE_RENEWABLE:
    case TYPE_CHP: add(b, shape->scenario[POWER], t, 1); break;
    case TYPE_ELECTRIC_BOILER:
    case TYPE_HEAT_PUMP: add(b, shape->scenario[POWER], t, -1); break;
    case TYPE_STORAGE:
        if (d->bag.slot[STO_CARRIER].number == CARRIER_ELECTRICITY) add_storage(b, shape, t);
        break;
    case TYPE_LINEAR: add_linear(b, d, shape, VAR_ELECTRICITY, t); break;
    default: break;
    }
    return 0;
}

/* The same in balance (3). */
static double add_heat(mgc__builder *b, const mgc_device *d, const mgc__device_shape *shape, uint32_t t)
{
    switch (d->type) {
    case TYPE_LOAD: return d->bag.slot[LOAD_CARRIER].number == CARRIER_HEAT ? add_load(b, d, shape, t) : 0;
    case TYPE_CHP:
        if (mgc__device_number(d, CHP_HEAT_FIXED) != 0) add(b, shape->scenario[POWER], t, mgc__device_number(d, CHP_HEAT));
        else add(b, shape->scenario[HEAT], t, 1);
        break;
    case TYPE_GAS_BOILER: add(b, shape->scenario[BOILER_HEAT], t, 1); break;
    case TYPE_ELECTRIC_BOILER:
    case TYPE_HEAT_PUMP: add(b, shape->scenario[POWER], t, mgc__device_at(d, EHEAT_COP, 0, t)); break;
    case TYPE_STORAGE:
        if (d->bag.slot[STO_CARRIER].number == CARRIER_HEAT) add_storage(b, shape, t);
        break;
    case TYPE_LINEAR: add_linear(b, d, shape, VAR_HEAT, t); break;
    default: break;
    }
    return 0;
}

/* (2) and (3) */
static void balance_rows(mgc__builder *b)
{
    mgc__shape *s = b->shape;
    const mgc_microgrid *site = s->site;
    bool venting = mgc__grid_at(site, GRID_VENTING, 0) != 0;

    place(b, &s->row_electricity);
    for (uint32_t t = 0; t < s->periods; t++) {
        double demand = 0;
        add_exchange(b, t, 1);
        add_trades(b, CARRIER_ELECTRICITY, t);
        for (size_t i = 0; i < site->n_devices; i++) demand += add_electricity(b, site->devices[i], &s->device[i], t);
        mgc__build_row(b, demand, demand, "balance", "electricity", t);
    }
    s->row_heat = PLACE_NONE;
    if (!s->heat) return;
    place(b, &s->row_heat);
    for (uint32_t t = 0; t < s->periods; t++) {
        double demand = 0;
        add_first(b, s->district, t, 1);
        add_trades(b, CARRIER_HEAT, t);
        for (size_t i = 0; i < site->n_devices; i++) demand += add_heat(b, site->devices[i], &s->device[i], t);
        mgc__build_row(b, demand, venting ? (double)INFINITY : demand, "balance", "heat", t);
    }
}

/* --- devices ----------------------------------------------------------------------------------------------------- */

/* (5), with what was shifted before the horizon: sum of (m+ - m-) and that come to 0 */
static void load_rows(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    shape->rows[ROW_SHIFT] = PLACE_NONE;
    if (shape->scenario[SHIFT_IN] == PLACE_NONE) return;
    place(b, &shape->rows[ROW_SHIFT]);
    for (uint32_t t = 0; t < b->shape->periods; t++) {
        add(b, shape->scenario[SHIFT_IN], t, 1);
        add(b, shape->scenario[SHIFT_OUT], t, -1);
    }
    double due = -mgc__device_number(d, LOAD_SHIFTED) / b->shape->hours;
    mgc__build_row(b, due, due, d->id, "shift", PLACE_NONE);
}

/* (6) */
static void output_rows(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    double min = mgc__device_number(d, CHP_MIN), max = mgc__device_number(d, CHP_MAX);
    uint32_t periods = b->shape->periods;

    shape->rows[ROW_MIN] = shape->rows[ROW_HEAT] = PLACE_NONE;
    if (min > 0) place(b, &shape->rows[ROW_MIN]);
    for (uint32_t t = 0; min > 0 && t < periods; t++) {
        add(b, shape->scenario[POWER], t, 1);
        add_first(b, shape->first[ON], t, -min);
        mgc__build_row(b, 0, (double)INFINITY, d->id, "min-power", t);
    }
    place(b, &shape->rows[ROW_MAX]);
    for (uint32_t t = 0; t < periods; t++) {
        add(b, shape->scenario[POWER], t, 1);
        add_first(b, shape->first[ON], t, -max);
        mgc__build_row(b, -(double)INFINITY, 0, d->id, "max-power", t);
    }
    if (shape->scenario[HEAT] == PLACE_NONE) return;
    place(b, &shape->rows[ROW_HEAT]);
    for (uint32_t t = 0; t < periods; t++) {
        add(b, shape->scenario[HEAT], t, 1);
        add(b, shape->scenario[POWER], t, -mgc__device_number(d, CHP_HEAT));
        mgc__build_row(b, -(double)INFINITY, 0, d->id, "heat-to-power", t);
    }
}

/* (7) with x_t = u_{t-1} - u_t + v_t put in.  R >= max_power_kw binds nowhere: u_{t-1} + v_t >= u_t then bounds the
 * rise by max u_t, and u_t + x_t = u_{t-1} + v_t the fall by max u_{t-1}. */
static void ramp_rows(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    double ramp = mgc__device_number(d, CHP_RAMP), step = fmax(ramp, mgc__device_number(d, CHP_MIN));
    double u0 = mgc__device_number(d, CHP_ON), p0 = mgc__device_number(d, CHP_INITIAL);
    uint32_t periods = b->shape->periods;

    shape->rows[ROW_UP] = shape->rows[ROW_DOWN] = PLACE_NONE;
    if (ramp >= mgc__device_number(d, CHP_MAX)) return;
    place(b, &shape->rows[ROW_UP]);
    for (uint32_t t = 0; t < periods; t++) { /* P_t - P_{t-1} <= R u_{t-1} + R^ v_t */
        add(b, shape->scenario[POWER], t, 1);
        if (t > 0) add(b, shape->scenario[POWER], t - 1, -1);
        if (t > 0) add_first(b, shape->first[ON], t - 1, -ramp);
        add_first(b, shape->first[START], t, -step);
        mgc__build_row(b, -(double)INFINITY, t > 0 ? 0 : ramp * u0 + p0, d->id, "ramp-up", t);
    }
    place(b, &shape->rows[ROW_DOWN]);
    for (uint32_t t = 0; t < periods; t++) { /* P_{t-1} - P_t <= R u_t + R^ (u_{t-1} - u_t + v_t) */
        add(b, shape->scenario[POWER], t, -1);
        if (t > 0) add(b, shape->scenario[POWER], t - 1, 1);
        if (t > 0) add_first(b, shape->first[ON], t - 1, -step);
        add_first(b, shape->first[ON], t, step - ramp);
        add_first(b, shape->first[START], t, -step);
        mgc__build_row(b, -(double)INFINITY, t > 0 ? 0 : step * u0 - p0, d->id, "ramp-down", t);
    }
}

/* (4) */
static void storage_rows(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    double keep = 1 - mgc__device_number(d, STO_LOSS), hours = b->shape->hours;
    uint32_t periods = b->shape->periods;

    place(b, &shape->rows[ROW_ENERGY]);
    for (uint32_t t = 0; t < periods; t++) {
        double start = t > 0 ? 0 : keep * mgc__device_number(d, STO_INITIAL);
        add(b, shape->scenario[ENERGY], t, 1);
        if (t > 0) add(b, shape->scenario[ENERGY], t - 1, -keep);
        add(b, shape->scenario[CHARGE], t, -hours * mgc__device_number(d, STO_EFF_IN));
        add(b, shape->scenario[DISCHARGE], t, hours / mgc__device_number(d, STO_EFF_OUT));
        mgc__build_row(b, start, start, d->id, "energy", t);
    }
    shape->rows[ROW_CHARGE] = shape->rows[ROW_DISCHARGE] = PLACE_NONE;
    if (shape->first[MODE] == PLACE_NONE) return;
    place(b, &shape->rows[ROW_CHARGE]);
    for (uint32_t t = 0; t < periods; t++) { /* c_t <= max o_t */
        add(b, shape->scenario[CHARGE], t, 1);
        add_first(b, shape->first[MODE], t, -mgc__device_number(d, STO_CHARGE));
        mgc__build_row(b, -(double)INFINITY, 0, d->id, "charge-mode", t);
    }
    place(b, &shape->rows[ROW_DISCHARGE]);
    for (uint32_t t = 0; t < periods; t++) { /* d_t <= max (1 - o_t) */
        add(b, shape->scenario[DISCHARGE], t, 1);
        add_first(b, shape->first[MODE], t, mgc__device_number(d, STO_DISCHARGE));
        mgc__build_row(b, -(double)INFINITY, mgc__device_number(d, STO_DISCHARGE), d->id, "discharge-mode", t);
    }
}

static double initial_of(const mgc_device *d, const mgc__term *term)
{
    return mgc__bag_at(&d->variables[term->variable].bag, VAR_INITIAL, 0, 0);
}

bool mgc__constraint_looks_back(const mgc_device *d, size_t constraint)
{
    for (size_t j = 0; j < d->n_terms; j++)
        if (d->terms[j].constraint == constraint && d->terms[j].previous && isinf(initial_of(d, &d->terms[j]))) return true;
    return false;
}

/* (10) */
static void linear_rows(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    char name[32];

    place(b, &shape->rows[ROW_CONSTRAINTS]);
    for (size_t i = 0; i < d->n_constraints; i++) {
        snprintf(name, sizeof name, "constraint-%zu", i);
        for (uint32_t t = mgc__constraint_looks_back(d, i) ? 1 : 0; t < b->shape->periods; t++) {
            double before = 0; /* the terms of period -1 */
            for (size_t j = 0; j < d->n_terms; j++) {
                const mgc__term *term = &d->terms[j];
                if (term->constraint != i) continue;
                if (term->previous && t == 0) before += term->coefficient * initial_of(d, term);
                else add(b, shape->scenario[VARIABLES] + term->variable * b->shape->periods, term->previous ? t - 1 : t,
                    term->coefficient);
            }
            mgc__build_row(b, d->constraints[i].lower - before, d->constraints[i].upper - before, d->id, name, t);
        }
    }
}

static void device_rows(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    switch (d->type) {
    case TYPE_LOAD: load_rows(b, d, shape); break;
    case TYPE_CHP:
        output_rows(b, d, shape);
        ramp_rows(b, d, shape);
        break;
    case TYPE_STORAGE: storage_rows(b, d, shape); break;
    case TYPE_LINEAR: linear_rows(b, d, shape); break;
    default: break;
    }
}

/* --- carbon ------------------------------------------------------------------------------------------------------ */

/* What each kWh of a device's families adds to the left-hand side of (9): gas and own emission less quota. */
static void add_emission(mgc__builder *b, const mgc_device *d, const mgc__device_shape *shape, uint32_t t)
{
    double gas = mgc__market_at(b->shape->site, MARKET_GAS_EMISSION, b->scenario, t), hours = b->shape->hours;

    switch (d->type) {
    case TYPE_PV:
    case TYPE_WIND:
    case TYPE_RENEWABLE:
        add(b, shape->scenario[POWER], t, hours * (mgc__device_number(d, REN_EMISSION) - mgc__device_number(d, REN_QUOTA)));
        break;
    case TYPE_CHP:
        add(b, shape->scenario[POWER], t, hours * (gas / mgc__device_number(d, CHP_EFFICIENCY) +
                                                   mgc__device_number(d, CHP_EMISSION) - mgc__device_number(d, CHP_QUOTA)));
        add_first(b, shape->first[ON], t, hours * gas * mgc__device_number(d, CHP_NO_LOAD));
        break;
    case TYPE_GAS_BOILER:
        add(b, shape->scenario[BOILER_HEAT], t, hours * (gas / mgc__device_number(d, BOILER_EFFICIENCY) +
                                                         mgc__device_number(d, BOILER_EMISSION) -
                                                         mgc__device_number(d, BOILER_QUOTA)));
        break;
    case TYPE_LINEAR:
        for (size_t i = 0; i < d->n_variables; i++) {
            const mgc__bag *v = &d->variables[i].bag;
            add(b, shape->scenario[VARIABLES] + (uint32_t)i * b->shape->periods, t,
                hours * (gas * mgc__bag_at(v, VAR_GAS, 0, t) + mgc__bag_at(v, VAR_EMISSION, 0, t) -
                         mgc__bag_at(v, VAR_QUOTA, 0, t)));
        }
        break;
    default: break;
    }
}

/* E- and the last tier need not exceed what the emission of all bounds leaves; the row collected so far is the emission.
 * The optimum stays (reward <= price), and no column is left without a bound. */
static void bound_ladder(mgc__builder *b, double quota, uint32_t tiers)
{
    mgc__shape *s = b->shape;
    double least = 0, most = 0;
    uint32_t below = at(b, s->below, 0), last = at(b, s->tier, tiers - 1);

    if (b->ts == NULL) return;
    for (size_t i = 0; i < b->terms; i++) {
        double v = b->term_value[i];
        least += v * (v > 0 ? b->lower : b->upper)[b->term_column[i]];
        most += v * (v > 0 ? b->upper : b->lower)[b->term_column[i]];
    }
    if (b->status == MGC_OK && isfinite(least)) b->status = mgc_twostage_set_bounds(b->ts, below, 0, fmax(0, quota - least));
    if (b->status == MGC_OK && isfinite(most)) b->status = mgc_twostage_set_bounds(b->ts, last, 0, fmax(0, most - quota));
}

/* (9) */
static void carbon_row(mgc__builder *b)
{
    mgc__shape *s = b->shape;
    double quota = mgc__bag_at(&s->site->grid, GRID_QUOTA, 0, 0);
    uint32_t tiers = (uint32_t)mgc__carbon_at(s->site, CARBON_TIERS);

    s->row_carbon = PLACE_NONE;
    if (!s->carbon) return;
    place(b, &s->row_carbon);
    for (uint32_t t = 0; t < s->periods; t++) {
        add(b, s->import, t, s->hours * mgc__market_at(s->site, MARKET_GRID_EMISSION, b->scenario, t));
        for (size_t i = 0; i < s->site->n_devices; i++) add_emission(b, s->site->devices[i], &s->device[i], t);
    }
    bound_ladder(b, quota, tiers);
    add(b, s->below, 0, 1);
    for (uint32_t j = 0; j < tiers; j++) add(b, s->tier, j, -1);
    mgc__build_row(b, quota, quota, "carbon", "ladder", PLACE_NONE);
}

void mgc__build_rows(mgc__builder *b)
{
    const mgc_microgrid *site = b->shape->site;

    if (b->stage == MGC_FIRST_STAGE) {
        for (size_t i = 0; i < site->n_devices; i++) {
            if (site->devices[i]->type != TYPE_CHP) continue;
            start_rows(b, site->devices[i], &b->shape->device[i]);
            up_and_down_rows(b, site->devices[i], &b->shape->device[i]);
        }
        return;
    }
    connection_rows(b);
    balance_rows(b);
    for (size_t i = 0; i < site->n_devices; i++) device_rows(b, site->devices[i], &b->shape->device[i]);
    carbon_row(b);
}
