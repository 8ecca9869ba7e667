/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of a microgrid's program with their bounds and costs.  Numbers in brackets: doc/math/dispatch.md, "Equations". */
#include "dispatch/build.h"

/* Record the place of the family that follows; it comes out the same in every scenario. */
static void place(mgc__builder *b, uint32_t *where)
{
    *where = b->columns - b->stage_column;
}

static double market(const mgc__builder *b, uint32_t param, uint32_t t)
{
    return mgc__market_at(b->shape->site, param, b->scenario, t);
}

/* --- first stage ------------------------------------------------------------------------------------------------- */

/* A first-stage quantity: open between 0 and upper, or decided already, by a contract in force. */
static uint32_t decision_column(mgc__builder *b, double cost, double upper, double agreed, const char *what, const char *quantity,
                                uint32_t t)
{
    bool open = isinf(agreed);

    return mgc__build_column(b, cost, open ? 0 : agreed, open ? upper : agreed, what, quantity, t);
}

/* b, s, w */
static void grid_columns(mgc__builder *b)
{
    mgc__shape *s = b->shape;
    const mgc_microgrid *site = s->site;

    place(b, &s->buy);
    for (uint32_t t = 0; t < s->periods; t++)
        decision_column(b, s->hours * market(b, MARKET_BUY, t), s->import_max[t], mgc__grid_at(site, GRID_AGREED_BUY, t), "grid",
                        "buy", t);
    place(b, &s->sell);
    for (uint32_t t = 0; t < s->periods; t++)
        decision_column(b, -s->hours * market(b, MARKET_SELL, t), s->export_max[t], mgc__grid_at(site, GRID_AGREED_SELL, t),
                        "grid", "sell", t);
    s->district = PLACE_NONE;
    if (!s->heat) return;
    place(b, &s->district);
    for (uint32_t t = 0; t < s->periods; t++)
        decision_column(b, s->hours * market(b, MARKET_HEAT, t), mgc__grid_at(site, GRID_HEAT_LIMIT, t),
                        mgc__grid_at(site, GRID_AGREED_HEAT, t), "grid", "heat-buy", t);
}

/* A decision that stands needs no integrality. */
static void integer(mgc__builder *b, uint32_t column, double agreed)
{
    mgc__shape *s = b->shape;

    if (!isinf(agreed)) return;
    if (b->ts == NULL) s->n_integers++;
    else if (b->status == MGC_OK) {
        s->integers[s->n_integers++] = column;
        b->status = mgc_twostage_set_integer(b->ts, column, 1);
    }
}

/* A decision on u_t that stands already: agreed, or because the unit has not been on (off) for U (W) periods yet; INFINITY
 * where it is open. */
static double standing_decision(const mgc_device *d, uint32_t t)
{
    bool on = mgc__device_number(d, CHP_ON) != 0;
    double agreed = mgc__device_at(d, CHP_AGREED, 0, t);
    double stays = mgc__device_number(d, on ? CHP_MIN_UP : CHP_MIN_DOWN) - mgc__device_number(d, CHP_SINCE);

    if (!isinf(agreed)) return agreed;
    return t < stays ? (on ? 1 : 0) : (double)INFINITY;
}

/* u and v.  v needs no integrality: by (8) with U, W >= 1, v_t > 0 only where u_t = 1 and u_{t-1} = 0, and there
 * v_t >= 1.  Gas burnt at no load costs the same in every scenario, so it stands here: sum p = 1. */
static void commitment_columns(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    double no_load = mgc__device_number(d, CHP_NO_LOAD);

    place(b, &shape->first[ON]);
    for (uint32_t t = 0; t < b->shape->periods; t++) {
        double stands = standing_decision(d, t);
        integer(b, decision_column(b, b->shape->hours * market(b, MARKET_GAS, t) * no_load, 1, stands, d->id, "on", t), stands);
    }
    place(b, &shape->first[START]);
    for (uint32_t t = 0; t < b->shape->periods; t++)
        mgc__build_column(b, mgc__device_number(d, CHP_STARTUP), 0, 1, d->id, "start", t);
}

static void mode_columns(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    shape->first[MODE] = PLACE_NONE;
    if (mgc__device_number(d, STO_EXCLUSIVE) == 0) return;
    place(b, &shape->first[MODE]);
    for (uint32_t t = 0; t < b->shape->periods; t++) {
        double agreed = mgc__device_at(d, STO_AGREED, 0, t);
        integer(b, decision_column(b, 0, 1, agreed, d->id, "mode", t), agreed);
    }
}

/* q of both directions of every link, each with half of its fee: the other end pays the other half. */
static void trade_columns(mgc__builder *b)
{
    mgc__shape *s = b->shape;

    for (size_t i = 0; i < s->n_trades; i++) {
        const mgc_link *link = s->model->links[i];
        bool heat = link->carrier == CARRIER_HEAT;
        for (uint32_t way = 0; way < 2; way++) {
            bool ahead = (s->trades[i].first != 0) == (way == 0); /* from the link's first member to its second */
            for (uint32_t t = 0; t < s->periods; t++)
                s->trade_columns[(2 * i + way) * s->periods + t] =
                    decision_column(b, s->hours * 0.5 * mgc__bag_at(&link->bag, LINK_FEE, 0, t), s->trades[i].capacity_kw[t],
                                    mgc__bag_at(&link->bag, ahead ? LINK_AGREED : LINK_AGREED_BACK, 0, t),
                                    s->trades[i].neighbour, way == 0 ? (heat ? "heat-out" : "out") : (heat ? "heat-in" : "in"), t);
        }
    }
}

static void first_stage_columns(mgc__builder *b)
{
    grid_columns(b);
    for (size_t i = 0; i < b->shape->site->n_devices; i++) {
        const mgc_device *d = b->shape->site->devices[i];
        if (d->type == TYPE_CHP) commitment_columns(b, d, &b->shape->device[i]);
        if (d->type == TYPE_STORAGE) mode_columns(b, d, &b->shape->device[i]);
    }
    trade_columns(b);
}

/* --- recourse ---------------------------------------------------------------------------------------------------- */

/* r+, r-, and i where emission has a price.  (1) with the bounds of b and s leaves |r+ - r-| <= import + export limit, and
 * r- earns at most what r+ costs, so neither need be larger; i is needed up to the import limit only.  These bounds keep
 * the optimum, and with them a proof of infeasibility has no free direction to account for. */
static void connection_columns(mgc__builder *b)
{
    mgc__shape *s = b->shape;

    place(b, &s->realtime_buy);
    for (uint32_t t = 0; t < s->periods; t++)
        mgc__build_column(b, s->hours * market(b, MARKET_RT_BUY, t), 0, s->import_max[t] + s->export_max[t], "grid", "realtime-buy",
                          t);
    place(b, &s->realtime_sell);
    for (uint32_t t = 0; t < s->periods; t++)
        mgc__build_column(b, -s->hours * market(b, MARKET_RT_SELL, t), 0, s->import_max[t] + s->export_max[t], "grid",
                          "realtime-sell", t);
    s->import = PLACE_NONE;
    if (!s->carbon) return;
    place(b, &s->import);
    for (uint32_t t = 0; t < s->periods; t++) mgc__build_column(b, 0, 0, s->import_max[t], "grid", "import", t);
}

/* A family of a load whose entries are bounded by a share of its demand and cost something. */
static void share_columns(mgc__builder *b, const mgc_device *d, uint32_t share, double (*cost)(const mgc_device *, uint32_t),
                          const char *name, uint32_t *where)
{
    *where = PLACE_NONE;
    if (mgc__bag_is_zero(&d->bag, share)) return;
    place(b, where);
    for (uint32_t t = 0; t < b->shape->periods; t++)
        mgc__build_column(b, b->shape->hours * cost(d, t), 0,
                          mgc__device_at(d, share, 0, t) * mgc__device_at(d, LOAD_DEMAND, b->scenario, t), d->id, name, t);
}

static double free_of_cost(const mgc_device *d, uint32_t t)
{
    (void)d;
    (void)t;
    return 0;
}

static double shift_cost(const mgc_device *d, uint32_t t)
{
    return mgc__device_at(d, LOAD_SHIFT_COST, 0, t);
}

static double curtail_cost(const mgc_device *d, uint32_t t)
{
    return mgc__device_at(d, LOAD_CURTAIL_COST, 0, t);
}

static bool must_be_served(const mgc__shape *s, const mgc_device *d)
{
    for (uint32_t k = 0; k < s->scenarios; k++)
        for (uint32_t t = 0; t < s->periods; t++)
            if (!isinf(mgc__device_at(d, LOAD_UNSERVED, k, t))) return false;
    return true;
}

/* m+, m-, y, z; a price of infinity forbids z. */
static void load_columns(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    uint32_t *places = shape->scenario;

    share_columns(b, d, LOAD_SHIFTABLE, free_of_cost, "shift-in", &places[SHIFT_IN]);
    share_columns(b, d, LOAD_SHIFTABLE, shift_cost, "shift-out", &places[SHIFT_OUT]);
    share_columns(b, d, LOAD_CURTAILABLE, curtail_cost, "curtailed", &places[CURTAILED]);
    places[UNSERVED] = PLACE_NONE;
    if (must_be_served(b->shape, d)) return;
    place(b, &places[UNSERVED]);
    for (uint32_t t = 0; t < b->shape->periods; t++) {
        double price = mgc__device_at(d, LOAD_UNSERVED, b->scenario, t);
        double demand = mgc__device_at(d, LOAD_DEMAND, b->scenario, t);
        mgc__build_column(b, isinf(price) ? 0 : b->shape->hours * price, 0, isinf(price) ? 0 : demand, d->id, "unserved", t);
    }
}

/* g costs om - curtailment_cost; what that leaves out is in the constant column. */
static void renewable_columns(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    double cost = mgc__device_number(d, REN_OM) - mgc__device_number(d, REN_CURTAIL_COST);

    place(b, &shape->scenario[POWER]);
    for (uint32_t t = 0; t < b->shape->periods; t++)
        mgc__build_column(b, b->shape->hours * cost, 0, mgc__device_at(d, REN_AVAILABLE, b->scenario, t), d->id, "power", t);
}

/* P and H; where H = ratio P, P stands for both. */
static void chp_columns(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    double efficiency = mgc__device_number(d, CHP_EFFICIENCY), ratio = mgc__device_number(d, CHP_HEAT);
    double max = mgc__device_number(d, CHP_MAX);

    place(b, &shape->scenario[POWER]);
    for (uint32_t t = 0; t < b->shape->periods; t++)
        mgc__build_column(b, b->shape->hours * (market(b, MARKET_GAS, t) / efficiency + mgc__device_number(d, CHP_OM)), 0, max,
                          d->id, "power", t);
    if (ratio == 0 || mgc__device_number(d, CHP_HEAT_FIXED) != 0) {
        shape->scenario[HEAT] = PLACE_NONE;
        return;
    }
    place(b, &shape->scenario[HEAT]);
    for (uint32_t t = 0; t < b->shape->periods; t++) mgc__build_column(b, 0, 0, ratio * max, d->id, "heat", t);
}

static void boiler_columns(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    double efficiency = mgc__device_number(d, BOILER_EFFICIENCY);

    place(b, &shape->scenario[BOILER_HEAT]);
    for (uint32_t t = 0; t < b->shape->periods; t++)
        mgc__build_column(b, b->shape->hours * (market(b, MARKET_GAS, t) / efficiency + mgc__device_number(d, BOILER_OM)), 0,
                          mgc__device_number(d, BOILER_MAX), d->id, "heat", t);
}

/* Electric boilers and heat pumps. */
static void electric_heat_columns(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    place(b, &shape->scenario[POWER]);
    for (uint32_t t = 0; t < b->shape->periods; t++)
        mgc__build_column(b, b->shape->hours * mgc__device_number(d, EHEAT_OM), 0, mgc__device_number(d, EHEAT_MAX), d->id, "power",
                          t);
}

/* c, d, e; the end of (4), e_T >= final, is a bound. */
static void storage_columns(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    uint32_t periods = b->shape->periods;
    double lower = mgc__device_number(d, STO_MIN), final = fmax(lower, mgc__device_number(d, STO_FINAL));
    double capacity = mgc__device_number(d, STO_CAPACITY);

    place(b, &shape->scenario[CHARGE]);
    for (uint32_t t = 0; t < periods; t++)
        mgc__build_column(b, 0, 0, mgc__device_number(d, STO_CHARGE), d->id, "charge", t);
    place(b, &shape->scenario[DISCHARGE]);
    for (uint32_t t = 0; t < periods; t++)
        mgc__build_column(b, b->shape->hours * mgc__device_number(d, STO_WEAR), 0, mgc__device_number(d, STO_DISCHARGE), d->id,
                          "discharge", t);
    place(b, &shape->scenario[ENERGY]);
    for (uint32_t t = 0; t < periods; t++)
        /* the check allows a rounding error of a state handed over, a bound does not */
        mgc__build_column(b, 0, fmin(t + 1 == periods ? final : lower, capacity), capacity, d->id, "energy", t);
}

/* (10) */
static void linear_columns(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    place(b, &shape->scenario[VARIABLES]);
    for (size_t i = 0; i < d->n_variables; i++) {
        const mgc__bag *v = &d->variables[i].bag;
        for (uint32_t t = 0; t < b->shape->periods; t++) {
            double cost = mgc__bag_at(v, VAR_COST, 0, t) + market(b, MARKET_GAS, t) * mgc__bag_at(v, VAR_GAS, 0, t);
            mgc__build_column(b, b->shape->hours * cost, mgc__bag_at(v, VAR_LOWER, 0, t), mgc__bag_at(v, VAR_UPPER, 0, t), d->id,
                              d->variables[i].name, t);
        }
    }
}

static void device_columns(mgc__builder *b, const mgc_device *d, mgc__device_shape *shape)
{
    switch (d->type) {
    case TYPE_LOAD: load_columns(b, d, shape); break;
    case TYPE_PV:
    case TYPE_WIND:
    case TYPE_RENEWABLE: renewable_columns(b, d, shape); break;
    case TYPE_CHP: chp_columns(b, d, shape); break;
    case TYPE_GAS_BOILER: boiler_columns(b, d, shape); break;
    case TYPE_ELECTRIC_BOILER:
    case TYPE_HEAT_PUMP: electric_heat_columns(b, d, shape); break;
    case TYPE_STORAGE: storage_columns(b, d, shape); break;
    case TYPE_LINEAR: linear_columns(b, d, shape); break;
    case TYPE_COUNT: assert(false); break;
    }
}

/* E- and the tiers of (9), the last without end. */
static void carbon_columns(mgc__builder *b)
{
    mgc__shape *s = b->shape;
    double price = mgc__carbon_at(s->site, CARBON_PRICE), growth = mgc__carbon_at(s->site, CARBON_GROWTH);
    uint32_t tiers = (uint32_t)mgc__carbon_at(s->site, CARBON_TIERS);

    s->below = s->tier = PLACE_NONE;
    if (!s->carbon) return;
    place(b, &s->below);
    mgc__build_column(b, -mgc__carbon_at(s->site, CARBON_REWARD), 0, (double)INFINITY, "carbon", "below", PLACE_NONE);
    place(b, &s->tier);
    for (uint32_t j = 0; j < tiers; j++) {
        uint32_t column = mgc__build_column(b, price * (1 + j * growth), 0,
                                            j + 1 < tiers ? mgc__carbon_at(s->site, CARBON_WIDTH) : (double)INFINITY, "carbon", "tier", j);
        if (b->ts != NULL) b->period[column] = PLACE_NONE; /* j counts tiers; the ladder is the day's */
    }
}

/* curtailment_cost of all that is available: Q_k's constant, a column fixed at 1. */
static void constant_column(mgc__builder *b)
{
    mgc__shape *s = b->shape;
    double sum = 0;

    s->constant = PLACE_NONE;
    for (size_t i = 0; i < s->site->n_devices; i++) {
        const mgc_device *d = s->site->devices[i];
        if (d->type != TYPE_PV && d->type != TYPE_WIND && d->type != TYPE_RENEWABLE) continue;
        if (mgc__device_number(d, REN_CURTAIL_COST) == 0) continue;
        s->constant = 0;
        for (uint32_t t = 0; t < s->periods; t++)
            sum += s->hours * mgc__device_number(d, REN_CURTAIL_COST) * mgc__device_at(d, REN_AVAILABLE, b->scenario, t);
    }
    if (s->constant == PLACE_NONE) return;
    place(b, &s->constant);
    mgc__build_column(b, sum, 1, 1, "grid", "curtailment-constant", PLACE_NONE);
}

void mgc__build_columns(mgc__builder *b)
{
    if (b->stage == MGC_FIRST_STAGE) {
        first_stage_columns(b);
        return;
    }
    connection_columns(b);
    for (size_t i = 0; i < b->shape->site->n_devices; i++)
        device_columns(b, b->shape->site->devices[i], &b->shape->device[i]);
    carbon_columns(b);
    constant_column(b);
}
