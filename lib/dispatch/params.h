/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of parameters: what case files, setters, checks, documents and the builder call things. */
#ifndef DISPATCH_PARAMS_H
#define DISPATCH_PARAMS_H

#include <math.h>

#include "base/base.h"
#include "mgchain/dispatch.h"

/* Flags of a parameter. */
enum {
    P_REQUIRED = 1u,   /* no default */
    P_OPEN = 2u,       /* the lower end itself is not allowed */
    P_OPEN_UPPER = 4u, /* the upper end itself is not allowed */
    P_NULL = 8u,       /* INFINITY is allowed: no limit */
    P_INTEGER = 16u    /* a whole number */
};

/*
 * X(symbol, key, kind, unit, flags, default, lower, upper, words or words for the default, text)
 * The order of a list is the order of its symbols and of mgc_param_describe().  A default of NAN is explained
 * by the ninth field; for MGC_PARAM_TEXT that field holds the allowed words, the first being the default.
 */
#define MGC__MARKET_PARAMS(X)                                                                                          \
    X(MARKET_BUY, "buy_price_per_kwh", SERIES, "currency/kWh", P_REQUIRED, 0, -1e6, 1e6, "",                           \
      "price of day-ahead purchases b from the grid")                                                                  \
    X(MARKET_SELL, "sell_price_per_kwh", SERIES, "currency/kWh", 0, 0, -1e6, 1e6, "",                                  \
      "price of day-ahead sales s to the grid; at most the purchase price")                                            \
    X(MARKET_RT_BUY, "realtime_buy_price_per_kwh", UNCERTAIN, "currency/kWh", 0, NAN, -1e6, 1e6, "buy_price_per_kwh",  \
      "price of real-time purchases r+")                                                                               \
    X(MARKET_RT_SELL, "realtime_sell_price_per_kwh", UNCERTAIN, "currency/kWh", 0, NAN, -1e6, 1e6,                     \
      "sell_price_per_kwh", "price of real-time sales r-; at most the real-time purchase price")                       \
    X(MARKET_GAS, "gas_price_per_kwh", SERIES, "currency/kWh", 0, NAN, -1e6, 1e6,                                   \
      "none where a device burns gas, else 0", "price of gas, on the heating value that the efficiencies refer to")    \
    X(MARKET_HEAT, "heat_price_per_kwh", SERIES, "currency/kWh", 0, NAN, -1e6, 1e6,                                    \
      "none where heat_buy_limit_kw is not 0, else 0", "price of heat w bought from the district network")             \
    X(MARKET_UNSERVED_E, "unserved_electricity_price_per_kwh", UNCERTAIN, "currency/kWh", P_NULL, 10, 0, 1e9, "",      \
      "cost of electricity demand not served, z; null: demand must be served")                                         \
    X(MARKET_UNSERVED_H, "unserved_heat_price_per_kwh", UNCERTAIN, "currency/kWh", P_NULL, 5, 0, 1e9, "",              \
      "cost of heat demand not served, z; null: demand must be served")                                                \
    X(MARKET_GRID_EMISSION, "grid_emission_kg_per_kwh", UNCERTAIN, "kgCO2/kWh", 0, 0, 0, 1e3, "",                      \
      "emission of the electricity imported, i")                                                                       \
    X(MARKET_GAS_EMISSION, "gas_emission_kg_per_kwh", SERIES, "kgCO2/kWh", 0, 0, 0, 1e3, "", "emission of gas burnt")

#define MGC__CARBON_PARAMS(X)                                                                                          \
    X(CARBON_PRICE, "price_per_kg", NUMBER, "currency/kg", 0, 0, 0, 1e6, "",                                           \
      "price of emission above the quota, first tier")                                                                 \
    X(CARBON_REWARD, "reward_price_per_kg", NUMBER, "currency/kg", 0, 0, 0, 1e6, "",                                   \
      "what is paid for emission below the quota, E-; at most price_per_kg")                                           \
    X(CARBON_WIDTH, "tier_width_kg", NUMBER, "kg", P_OPEN | P_NULL, INFINITY, 0, 1e12, "",                             \
      "width of every tier E_j but the last, which has no end")                                                        \
    X(CARBON_GROWTH, "tier_growth", NUMBER, "-", 0, 0, 0, 1e3, "",                                                     \
      "tier j costs price_per_kg (1 + (j - 1) tier_growth)")                                                           \
    X(CARBON_TIERS, "tiers", NUMBER, "-", P_INTEGER, 1, 1, 64, "", "number of tiers of the ladder")

#define MGC__MICROGRID_PARAMS(X)                                                                                       \
    X(GRID_BUY_LIMIT, "buy_limit_kw", SERIES, "kW", P_NULL, INFINITY, 0, 1e9, "",                                      \
      "largest import of the grid connection and largest b; null: no limit")                                           \
    X(GRID_SELL_LIMIT, "sell_limit_kw", SERIES, "kW", P_NULL, INFINITY, 0, 1e9, "",                                    \
      "largest export of the grid connection and largest s; null: no limit")                                           \
    X(GRID_HEAT_LIMIT, "heat_buy_limit_kw", SERIES, "kW", P_NULL, 0, 0, 1e9, "",                                       \
      "largest heat purchase w; 0: no district network; null: no limit")                                               \
    X(GRID_QUOTA, "carbon_quota_kg", NUMBER, "kg", 0, 0, -1e12, 1e12, "", "free emission of the horizon")              \
    X(GRID_AGREED_BUY, "agreed_buy_kw", SERIES, "kW", P_NULL, INFINITY, 0, 1e9, "",                                    \
      "purchase b that is contracted already; null: still to be decided")                                              \
    X(GRID_AGREED_SELL, "agreed_sell_kw", SERIES, "kW", P_NULL, INFINITY, 0, 1e9, "",                                  \
      "sale s that is contracted already; null: still to be decided")                                                  \
    X(GRID_AGREED_HEAT, "agreed_heat_buy_kw", SERIES, "kW", P_NULL, INFINITY, 0, 1e9, "",                              \
      "heat purchase w that is contracted already; null: still to be decided")                                         \
    X(GRID_VENTING, "heat_venting", FLAG, "-", 0, 1, 0, 1, "", "surplus heat may be vented; 0: heat must balance exactly")

#define MGC__LINK_PARAMS(X)                                                                                            \
    X(LINK_CAPACITY, "capacity_kw", SERIES, "kW", P_REQUIRED, 0, 0, 1e9, "", "largest q sent in each direction")        \
    X(LINK_LOSS, "loss", NUMBER, "-", P_OPEN_UPPER, 0, 0, 1, "", "share of what is sent that does not arrive")         \
    X(LINK_FEE, "fee_per_kwh", SERIES, "currency/kWh", 0, 0, 0, 1e6, "",                                               \
      "network fee on what is sent; each end pays half")                                                               \
    X(LINK_AGREED, "agreed_kw", SERIES, "kW", P_NULL, INFINITY, 0, 1e9, "",                                            \
      "sent from the first to the second member by a trade in force; null: still to be decided")                       \
    X(LINK_AGREED_BACK, "agreed_back_kw", SERIES, "kW", P_NULL, INFINITY, 0, 1e9, "", "the same from the second to the first")

#define MGC__VARIABLE_PARAMS(X)                                                                                        \
    X(VAR_LOWER, "lower", SERIES, "kW", P_NULL, 0, -1e9, 1e9, "", "lower bound; null: none")                           \
    X(VAR_UPPER, "upper", SERIES, "kW", P_NULL, INFINITY, -1e9, 1e9, "", "upper bound; null: none")                    \
    X(VAR_INITIAL, "initial", NUMBER, "kW", P_NULL, INFINITY, -1e9, 1e9, "",                                           \
      "value before the first period; null: constraints on it with `previous` begin in the second period")             \
    X(VAR_ELECTRICITY, "electricity", SERIES, "kW/kW", 0, 0, -1e6, 1e6, "",                                            \
      "electricity fed in by each kW of the variable; negative: taken out")                                            \
    X(VAR_HEAT, "heat", SERIES, "kW/kW", 0, 0, -1e6, 1e6, "", "heat fed in by each kW; negative: taken out")           \
    X(VAR_GAS, "gas", SERIES, "kW/kW", 0, 0, -1e6, 1e6, "", "gas burnt by each kW; negative: made")                    \
    X(VAR_COST, "cost_per_kwh", SERIES, "currency/kWh", 0, 0, -1e6, 1e6, "", "cost of the variable")                   \
    X(VAR_EMISSION, "emission_kg_per_kwh", NUMBER, "kgCO2/kWh", 0, 0, -1e3, 1e3, "", "emission of the variable")       \
    X(VAR_QUOTA, "quota_kg_per_kwh", NUMBER, "kgCO2/kWh", 0, 0, -1e3, 1e3, "", "free emission for each kWh")

#define MGC__LOAD_PARAMS(X)                                                                                            \
    X(LOAD_CARRIER, "carrier", TEXT, "-", 0, 0, 0, 0, "electricity|heat", "what is demanded")                          \
    X(LOAD_DEMAND, "demand_kw", UNCERTAIN, "kW", P_REQUIRED, 0, 0, 1e9, "", "demand D")                                \
    X(LOAD_SHIFTABLE, "shiftable_share", SERIES, "-", 0, 0, 0, 1, "",                                                  \
      "share of D that may be moved out of a period, and into it, m- and m+")                                          \
    X(LOAD_SHIFT_COST, "shift_cost_per_kwh", SERIES, "currency/kWh", 0, 0, 0, 1e9, "", "cost of demand moved, m-")     \
    X(LOAD_CURTAILABLE, "curtailable_share", SERIES, "-", 0, 0, 0, 1, "",                                              \
      "share of D that may be curtailed for compensation, y")                                                          \
    X(LOAD_CURTAIL_COST, "curtail_cost_per_kwh", SERIES, "currency/kWh", 0, 0, 0, 1e9, "",                             \
      "compensation for demand curtailed, y")                                                                          \
    X(LOAD_UNSERVED, "unserved_price_per_kwh", SERIES, "currency/kWh", P_NULL, NAN, 0, 1e9,                            \
      "the market's unserved price of the carrier",                                                                    \
      "cost of this load's demand not served, z; null: it must be served")                                             \
    X(LOAD_SHIFTED, "initial_shifted_kwh", NUMBER, "kWh", 0, 0, -1e12, 1e12, "",                                       \
      "demand moved into periods before the first, less what was moved out of them; the horizon makes up for it")

#define MGC__RENEWABLE_PARAMS(X)                                                                                       \
    X(REN_AVAILABLE, "available_kw", UNCERTAIN, "kW", P_REQUIRED, 0, 0, 1e9, "", "power available; g of it is used")    \
    X(REN_OM, "om_cost_per_kwh", NUMBER, "currency/kWh", 0, 0, -1e6, 1e6, "", "operation and maintenance, on g")       \
    X(REN_CURTAIL_COST, "curtailment_cost_per_kwh", NUMBER, "currency/kWh", 0, 0, -1e6, 1e6, "",                       \
      "cost of available power not used")                                                                              \
    X(REN_EMISSION, "emission_kg_per_kwh", NUMBER, "kgCO2/kWh", 0, 0, -1e3, 1e3, "", "emission, on g")                 \
    X(REN_QUOTA, "quota_kg_per_kwh", NUMBER, "kgCO2/kWh", 0, 0, -1e3, 1e3, "", "free emission, on g")

#define MGC__CHP_PARAMS(X)                                                                                             \
    X(CHP_MIN, "min_power_kw", NUMBER, "kW", 0, 0, 0, 1e9, "", "smallest electric output P while on")                  \
    X(CHP_MAX, "max_power_kw", NUMBER, "kW", P_REQUIRED, 0, 0, 1e9, "", "largest electric output P")                   \
    X(CHP_EFFICIENCY, "electric_efficiency", NUMBER, "-", P_REQUIRED | P_OPEN, 0, 0, 1, "",                            \
      "electricity for each kWh of gas above no_load_fuel_kw")                                                         \
    X(CHP_HEAT, "heat_to_power", NUMBER, "-", 0, 0, 0, 100, "", "most heat for each kWh of electricity, H <= ratio P") \
    X(CHP_HEAT_FIXED, "heat_fixed", FLAG, "-", 0, 0, 0, 1, "", "1: H = heat_to_power P")                               \
    X(CHP_RAMP, "ramp_kw_per_period", NUMBER, "kW", P_NULL, INFINITY, 0, 1e9, "",                                      \
      "largest change of P from one period to the next while on, R; null: no limit")                                   \
    X(CHP_STARTUP, "startup_cost", NUMBER, "currency", 0, 0, 0, 1e9, "", "cost of a start, v")                         \
    X(CHP_NO_LOAD, "no_load_fuel_kw", NUMBER, "kW", 0, 0, 0, 1e9, "", "gas burnt while on, whatever P")                \
    X(CHP_MIN_UP, "min_up_periods", NUMBER, "-", P_INTEGER, 1, 0, 8784, "",                                            \
      "periods that a started unit stays on, U; 0 means 1")                                                            \
    X(CHP_MIN_DOWN, "min_down_periods", NUMBER, "-", P_INTEGER, 1, 0, 8784, "",                                        \
      "periods that a stopped unit stays off, W; 0 means 1")                                                           \
    X(CHP_OM, "om_cost_per_kwh", NUMBER, "currency/kWh", 0, 0, -1e6, 1e6, "", "operation and maintenance, on P")       \
    X(CHP_ON, "initially_on", FLAG, "-", 0, 0, 0, 1, "", "the unit is on before the first period, u_0")                \
    X(CHP_INITIAL, "initial_power_kw", NUMBER, "kW", 0, NAN, 0, 1e9, "min_power_kw if initially_on, else 0",           \
      "electric output before the first period, P_0")                                                                  \
    X(CHP_SINCE, "initial_periods", NUMBER, "-", P_INTEGER | P_NULL, INFINITY, 0, 1e9, "",                             \
      "periods since the unit last started or stopped; null: long enough for U and W")                                 \
    X(CHP_AGREED, "agreed_on", SERIES, "-", P_INTEGER | P_NULL, INFINITY, 0, 1, "",                                    \
      "on/off decision u that stands already; null: still to be decided")                                              \
    X(CHP_EMISSION, "emission_kg_per_kwh", NUMBER, "kgCO2/kWh", 0, 0, -1e3, 1e3, "", "emission besides the gas's, on P") \
    X(CHP_QUOTA, "quota_kg_per_kwh", NUMBER, "kgCO2/kWh", 0, 0, -1e3, 1e3, "", "free emission, on P")

#define MGC__BOILER_PARAMS(X)                                                                                          \
    X(BOILER_MAX, "max_heat_kw", NUMBER, "kW", P_REQUIRED, 0, 0, 1e9, "", "largest heat output H")                     \
    X(BOILER_EFFICIENCY, "efficiency", NUMBER, "-", P_REQUIRED | P_OPEN, 0, 0, 1, "", "heat for each kWh of gas")       \
    X(BOILER_OM, "om_cost_per_kwh", NUMBER, "currency/kWh", 0, 0, -1e6, 1e6, "", "operation and maintenance, on H")    \
    X(BOILER_EMISSION, "emission_kg_per_kwh", NUMBER, "kgCO2/kWh", 0, 0, -1e3, 1e3, "", "emission besides the gas's, on H") \
    X(BOILER_QUOTA, "quota_kg_per_kwh", NUMBER, "kgCO2/kWh", 0, 0, -1e3, 1e3, "", "free emission, on H")

#define MGC__ELECTRIC_BOILER_PARAMS(X)                                                                                 \
    X(EHEAT_MAX, "max_power_kw", NUMBER, "kW", P_REQUIRED, 0, 0, 1e9, "", "largest electric input P")                  \
    X(EHEAT_COP, "coefficient_of_performance", SERIES, "-", P_OPEN, 1, 0, 1, "", "heat for each kWh of electricity")   \
    X(EHEAT_OM, "om_cost_per_kwh", NUMBER, "currency/kWh", 0, 0, -1e6, 1e6, "", "operation and maintenance, on P")

#define MGC__HEAT_PUMP_PARAMS(X)                                                                                       \
    X(PUMP_MAX, "max_power_kw", NUMBER, "kW", P_REQUIRED, 0, 0, 1e9, "", "largest electric input P")                   \
    X(PUMP_COP, "coefficient_of_performance", SERIES, "-", P_REQUIRED | P_OPEN, 0, 0, 20, "",                          \
      "heat for each kWh of electricity")                                                                              \
    X(PUMP_OM, "om_cost_per_kwh", NUMBER, "currency/kWh", 0, 0, -1e6, 1e6, "", "operation and maintenance, on P")

#define MGC__STORAGE_PARAMS(X)                                                                                         \
    X(STO_CARRIER, "carrier", TEXT, "-", 0, 0, 0, 0, "electricity|heat", "what is stored")                             \
    X(STO_CAPACITY, "energy_capacity_kwh", NUMBER, "kWh", P_REQUIRED, 0, 0, 1e12, "", "largest energy e")              \
    X(STO_MIN, "min_energy_kwh", NUMBER, "kWh", 0, 0, 0, 1e12, "", "smallest energy e")                                \
    X(STO_INITIAL, "initial_energy_kwh", NUMBER, "kWh", P_REQUIRED, 0, 0, 1e12, "", "energy before the first period, e_0") \
    X(STO_FINAL, "final_energy_kwh", NUMBER, "kWh", 0, NAN, 0, 1e12, "initial_energy_kwh",                             \
      "least energy at the end of the last period")                                                                    \
    X(STO_CHARGE, "max_charge_kw", NUMBER, "kW", P_REQUIRED, 0, 0, 1e9, "", "largest charge c")                        \
    X(STO_DISCHARGE, "max_discharge_kw", NUMBER, "kW", P_REQUIRED, 0, 0, 1e9, "", "largest discharge d")               \
    X(STO_EFF_IN, "charge_efficiency", NUMBER, "-", P_OPEN, 1, 0, 1, "", "energy stored for each kWh charged")         \
    X(STO_EFF_OUT, "discharge_efficiency", NUMBER, "-", P_OPEN, 1, 0, 1, "", "energy given for each kWh taken out")    \
    X(STO_LOSS, "self_discharge_per_period", NUMBER, "-", P_OPEN_UPPER, 0, 0, 1, "",                                   \
      "share of the energy lost from one period to the next")                                                          \
    X(STO_WEAR, "wear_cost_per_kwh", NUMBER, "currency/kWh", 0, 0, 0, 1e6, "", "wear, on discharge d")                 \
    X(STO_EXCLUSIVE, "exclusive", FLAG, "-", 0, 0, 0, 1, "",                                                           \
      "1: a day-ahead binary o forbids charging and discharging in one period")                                        \
    X(STO_AGREED, "agreed_mode", SERIES, "-", P_INTEGER | P_NULL, INFINITY, 0, 1, "",                                  \
      "decision o that stands already where exclusive is 1; null: still to be decided")

#define MGC__PARAM_SYMBOL(symbol, ...) symbol,
enum { MGC__MARKET_PARAMS(MGC__PARAM_SYMBOL) MARKET_COUNT };
enum { MGC__CARBON_PARAMS(MGC__PARAM_SYMBOL) CARBON_COUNT };
enum { MGC__MICROGRID_PARAMS(MGC__PARAM_SYMBOL) GRID_COUNT };
enum { MGC__LINK_PARAMS(MGC__PARAM_SYMBOL) LINK_COUNT };
enum { MGC__VARIABLE_PARAMS(MGC__PARAM_SYMBOL) VAR_COUNT };
enum { MGC__LOAD_PARAMS(MGC__PARAM_SYMBOL) LOAD_COUNT };
enum { MGC__RENEWABLE_PARAMS(MGC__PARAM_SYMBOL) REN_COUNT };
enum { MGC__CHP_PARAMS(MGC__PARAM_SYMBOL) CHP_COUNT };
enum { MGC__BOILER_PARAMS(MGC__PARAM_SYMBOL) BOILER_COUNT };
enum { MGC__ELECTRIC_BOILER_PARAMS(MGC__PARAM_SYMBOL) EHEAT_COUNT };
enum { MGC__HEAT_PUMP_PARAMS(MGC__PARAM_SYMBOL) PUMP_COUNT };
enum { MGC__STORAGE_PARAMS(MGC__PARAM_SYMBOL) STO_COUNT };
#undef MGC__PARAM_SYMBOL
_Static_assert((int)EHEAT_MAX == (int)PUMP_MAX && (int)EHEAT_COP == (int)PUMP_COP && (int)EHEAT_OM == (int)PUMP_OM,
               "electric boilers and heat pumps are built by the same code");

typedef struct mgc__param {
    const char *key, *unit, *note, *text; /* note: words, or how the default comes about */
    uint32_t kind, flags;
    double default_value, lower, upper;
} mgc__param;

typedef struct mgc__scope {
    const char *name;
    const mgc__param *params;
    uint32_t n;
} mgc__scope;

/* Types of devices; the order is that of mgc_device_type(). */
typedef enum mgc__type {
    TYPE_LOAD, TYPE_PV, TYPE_WIND, TYPE_RENEWABLE, TYPE_CHP, TYPE_GAS_BOILER, TYPE_ELECTRIC_BOILER, TYPE_HEAT_PUMP,
    TYPE_STORAGE, TYPE_LINEAR, TYPE_COUNT
} mgc__type;

extern const mgc__scope mgc__market_scope, mgc__carbon_scope, mgc__microgrid_scope, mgc__link_scope, mgc__variable_scope;
extern const mgc__scope mgc__device_scopes[TYPE_COUNT];

/* Values of one scope's parameters.  A slot holds a number, or a series of rows x periods (rows 1, or one a
 * scenario; entries of scenarios not given yet are NAN). */
typedef struct mgc__slot {
    double number; /* for MGC_PARAM_TEXT the index of the word */
    double *series;
    uint32_t rows;
    bool set;
} mgc__slot;

typedef struct mgc__bag {
    const mgc__scope *scope;
    mgc__slot *slot;
    uint32_t periods, scenarios;
} mgc__bag;

mgc_status mgc__bag_init(mgc_ctx *ctx, mgc__bag *bag, const mgc__scope *scope, uint32_t periods, uint32_t scenarios);
void mgc__bag_free(mgc_ctx *ctx, mgc__bag *bag);
/* to: fresh, of the same scope and scenarios; its periods are from's, beginning with `first`. */
mgc_status mgc__bag_copy(mgc_ctx *ctx, mgc__bag *to, const mgc__bag *from, uint32_t first);

/* Index of a key, or UINT32_MAX. */
uint32_t mgc__param_find(const mgc__scope *scope, const char *key);

/* Setters and getter; `who` begins every message ("hospital/unit-1"). */
mgc_status mgc__bag_set_number(mgc_ctx *ctx, mgc__bag *bag, const char *who, uint32_t param, double value);
mgc_status mgc__bag_set_series(mgc_ctx *ctx, mgc__bag *bag, const char *who, uint32_t param, const double *values, size_t n);
mgc_status mgc__bag_set_scenario(mgc_ctx *ctx, mgc__bag *bag, const char *who, uint32_t param, uint32_t scenario,
                                 const double *values, size_t n);
mgc_status mgc__bag_set_text(mgc_ctx *ctx, mgc__bag *bag, const char *who, uint32_t param, const char *word);

/* The value as it stands, with the table's default; NAN where that has to be made up by the caller. */
double mgc__bag_at(const mgc__bag *bag, uint32_t param, uint32_t scenario, uint32_t period);

/* "buy_prize" is no parameter of market; did you mean ...?  Looks in n scopes. */
mgc_status mgc__unknown_key(mgc_ctx *ctx, const char *who, const char *key, const mgc__scope *const scopes[], size_t n);

#endif
