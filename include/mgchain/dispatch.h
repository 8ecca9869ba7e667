/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file dispatch.h
 * Microgrids, their devices and links; the robust day-ahead plan of one or of an alliance.  Equations:
 * doc/math/dispatch.md.
 *
 * Parameters are set by name.  One table holds every name with its unit, kind, default and range; it is what
 * mgc_param_describe() reads, what case files use as keys and what the documents are made of.
 */
#ifndef MGCHAIN_DISPATCH_H
#define MGCHAIN_DISPATCH_H

#include "mgchain/program.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mgc_model mgc_model;         /* owned by the caller */
typedef struct mgc_microgrid mgc_microgrid; /* owned by its model, like devices and links */
typedef struct mgc_device mgc_device;       /* owned by its model */
typedef struct mgc_link mgc_link;           /* owned by its model */
typedef struct mgc_plan mgc_plan;           /* owned by the caller */

/* --- the table of parameters ------------------------------------------------------------------------------------ */

/** What a parameter takes. */
enum {
    MGC_PARAM_NUMBER = 1,    /**< a number */
    MGC_PARAM_FLAG = 2,      /**< 0 or 1 */
    MGC_PARAM_TEXT = 3,      /**< a word */
    MGC_PARAM_SERIES = 4,    /**< one number a period; a number stands for all */
    MGC_PARAM_UNCERTAIN = 5  /**< a series, or one for each scenario */
};

/** A parameter. */
typedef struct mgc_param_info {
    size_t struct_size;
    const char *key;     /**< with its unit: "max_power_kw" */
    const char *unit;    /**< "kW", "EUR/kWh" as "currency/kWh", "-" */
    const char *text;    /**< one line: what it is, with its symbol */
    const char *words;   /**< TEXT: allowed words with | between, else "" */
    uint32_t kind;       /**< MGC_PARAM_... */
    uint32_t required;   /**< 1: there is no default */
    double default_value; /**< NaN: see default_text */
    double lower, upper; /**< allowed range, ends included unless lower_open */
    uint32_t lower_open; /**< 1: lower itself is not allowed */
    uint32_t nullable;   /**< 1: INFINITY means no limit (null in a case file); for "lower", -INFINITY */
    const char *default_text; /**< where default_value is NaN: how the default comes about; else "" */
    uint32_t upper_open; /**< 1: upper itself is not allowed */
    uint32_t integer;    /**< 1: a whole number */
} mgc_param_info;

/**
 * Describe the index-th parameter of a scope.  Scopes: "market" (of the model, overridden by a microgrid), "carbon"
 * (part of the market), "microgrid", "link", "variable" (of a linear device) and every device type.
 * @return MGC_OK; MGC_E_NOT_FOUND past the last one; MGC_E_UNKNOWN_KEY for an unknown scope.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_param_describe(const char *scope, uint32_t index, mgc_param_info *info);
/** Name of the index-th device type ("load", "pv", ...), NULL past the last one.  Static text.  Since 0.1 */
MGC_API const char *mgc_device_type(uint32_t index);

/* --- building ----------------------------------------------------------------------------------------------------- */

/** @param periods 1..8784  @param hours length of a period [h], > 0.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_model_create(mgc_ctx *ctx, uint32_t periods, double hours, mgc_model **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_model_destroy(mgc_model *model);

/** @param scenarios 1..10000; @param id 1..63 bytes, [A-Za-z0-9_.-], unique.  site borrowed until the model is
 *  destroyed.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_model_add_microgrid(mgc_model *model, const char *id, uint32_t scenarios,
                                                         mgc_microgrid **site);
/** @param type as mgc_device_type() names them; @param id as a microgrid's, unique within it; device borrowed until
 *  the model is destroyed.  @return MGC_OK, MGC_E_UNKNOWN_KEY (no such type; the nearest is named), MGC_E_EXISTS,
 *  MGC_E_INVALID_ARG, MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_microgrid_add_device(mgc_microgrid *site, const char *type, const char *id,
                                                          mgc_device **device);
/** A link for "electricity" or "heat" between two members; either may be a microgrid that this model does not hold
 *  (its owner is elsewhere), not both.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_model_add_link(mgc_model *model, const char *first, const char *second,
                                                    const char *carrier, mgc_link **link);

/**
 * Set a parameter by its key.  Values are copied and checked against the table: not finite, out of range, wrong length
 * or an unknown key (the nearest one is named) are refused and change nothing.  A model takes the keys of "market" and
 * "carbon"; a microgrid those of "microgrid", and those of "market" and "carbon" as its own.  The keys of carbon may be
 * written with their group in front ("carbon.price_per_kg").  An uncertain parameter may be given as a number or
 * series for all scenarios, or scenario by scenario; a scenario never given is found by mgc_model_check().
 * @return MGC_OK, MGC_E_UNKNOWN_KEY, MGC_E_RANGE, MGC_E_WRONG_LENGTH, MGC_E_INVALID_ARG, MGC_E_NO_MEMORY.  Since 0.1 @{
 */
MGC_API MGC_NODISCARD mgc_status mgc_model_set_number(mgc_model *model, const char *key, double value);
MGC_API MGC_NODISCARD mgc_status mgc_model_set_series(mgc_model *model, const char *key, const double *values, size_t n);
MGC_API MGC_NODISCARD mgc_status mgc_microgrid_set_number(mgc_microgrid *site, const char *key, double value);
MGC_API MGC_NODISCARD mgc_status mgc_microgrid_set_series(mgc_microgrid *site, const char *key,
                                                          const double *values, size_t n);
MGC_API MGC_NODISCARD mgc_status mgc_microgrid_set_scenario(mgc_microgrid *site, const char *key, uint32_t scenario,
                                                            const double *values, size_t n);
MGC_API MGC_NODISCARD mgc_status mgc_microgrid_set_probability(mgc_microgrid *site, const double *probability,
                                                               size_t scenarios);
/** set: "norm1", "norm_inf", "wasserstein", "kl", "chi2", "cvar" or "worst_case"; what: "radius", or "confidence"
 *  with the number of samples ("cvar": "level" in [0, 1); "worst_case": anything); rule NULL: the set's default rule.
 *  Several sets are intersected; "kl" and "chi2" stand alone (MGC_E_UNSUPPORTED).  The distance of scenarios for
 *  "wasserstein" is that of doc/case-files.md. */
MGC_API MGC_NODISCARD mgc_status mgc_microgrid_set_ambiguity(mgc_microgrid *site, const char *set, const char *what,
                                                             double value, uint32_t samples, const char *rule);
/** Nominal probabilities again: every ambiguity set is taken away.  @return MGC_OK, MGC_E_INVALID_ARG. */
MGC_API MGC_NODISCARD mgc_status mgc_microgrid_clear_ambiguity(mgc_microgrid *site);
/** 1 where an ambiguity set is given, else 0. */
MGC_API int32_t mgc_microgrid_is_ambiguous(const mgc_microgrid *site);
MGC_API MGC_NODISCARD mgc_status mgc_device_set_number(mgc_device *device, const char *key, double value);
MGC_API MGC_NODISCARD mgc_status mgc_device_set_text(mgc_device *device, const char *key, const char *word);
MGC_API MGC_NODISCARD mgc_status mgc_device_set_series(mgc_device *device, const char *key, const double *values,
                                                       size_t n);
MGC_API MGC_NODISCARD mgc_status mgc_device_set_scenario(mgc_device *device, const char *key, uint32_t scenario,
                                                         const double *values, size_t n);
MGC_API MGC_NODISCARD mgc_status mgc_link_set_number(mgc_link *link, const char *key, double value);
MGC_API MGC_NODISCARD mgc_status mgc_link_set_series(mgc_link *link, const char *key, const double *values, size_t n);
/** @} */

/** The open device "linear": variables (parameters: scope "variable") and constraints over them.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_device_add_variable(mgc_device *device, const char *name);
MGC_API MGC_NODISCARD mgc_status mgc_device_set_variable(mgc_device *device, const char *name, const char *key,
                                                         double value);
MGC_API MGC_NODISCARD mgc_status mgc_device_set_variable_series(mgc_device *device, const char *name,
                                                                const char *key, const double *values, size_t n);
MGC_API MGC_NODISCARD mgc_status mgc_device_add_constraint(mgc_device *device, double lower, double upper,
                                                           uint32_t *constraint);
/** previous 1: the variable's value one period before; such a constraint holds from the second period on. */
MGC_API MGC_NODISCARD mgc_status mgc_device_add_term(mgc_device *device, uint32_t constraint, const char *variable,
                                                     double coefficient, int32_t previous);
/** @} */

/** What a model holds, to walk through it.  Ids are borrowed until the model is destroyed.  Since 0.1 @{ */
MGC_API uint32_t mgc_model_periods(const mgc_model *model);
MGC_API double mgc_model_hours(const mgc_model *model);
MGC_API uint32_t mgc_model_microgrids(const mgc_model *model);
MGC_API const char *mgc_model_microgrid_id(const mgc_model *model, uint32_t index);
MGC_API mgc_microgrid *mgc_model_microgrid(const mgc_model *model, const char *id); /**< NULL: none */
MGC_API uint32_t mgc_microgrid_scenarios(const mgc_microgrid *site);
MGC_API uint32_t mgc_microgrid_devices(const mgc_microgrid *site);
MGC_API const char *mgc_microgrid_device_id(const mgc_microgrid *site, uint32_t index);
MGC_API const char *mgc_microgrid_device_type(const mgc_microgrid *site, uint32_t index);
MGC_API mgc_device *mgc_microgrid_device(const mgc_microgrid *site, const char *id);
MGC_API uint32_t mgc_model_links(const mgc_model *model);
/** first, second, carrier: borrowed.  Directions: 0 from first to second, 1 back. */
MGC_API MGC_NODISCARD mgc_status mgc_model_link(const mgc_model *model, uint32_t index, const char **first,
                                                const char **second, const char **carrier);
/** A number, or the value of a series at period (and scenario), as it stands with defaults. */
MGC_API MGC_NODISCARD mgc_status mgc_device_get(const mgc_device *device, const char *key, uint32_t scenario,
                                                uint32_t period, double *value);
/** The word of a TEXT parameter ("carrier"); NULL where the device has no such key.  Borrowed until it is set again. */
MGC_API const char *mgc_device_get_text(const mgc_device *device, const char *key);
MGC_API MGC_NODISCARD mgc_status mgc_microgrid_get(const mgc_microgrid *site, const char *key, uint32_t scenario,
                                                   uint32_t period, double *value);
/** Nominal probabilities; n = scenarios; filled. */
MGC_API MGC_NODISCARD mgc_status mgc_microgrid_get_probability(const mgc_microgrid *site, double *probability, size_t n);
MGC_API MGC_NODISCARD mgc_status mgc_link_get(const mgc_link *link, const char *key, uint32_t period, double *value);
MGC_API mgc_link *mgc_model_link_at(const mgc_model *model, uint32_t index);
/** @} */

/** Told once for each fault that a check finds.  where: "microgrids/hospital/devices/unit-1/min_power_kw";
 *  both borrowed. */
typedef void (*mgc_fault_fn)(void *user, mgc_status status, const char *where, const char *text);

/**
 * Check the whole model: required parameters, crossed bounds, price orders that give free money
 * (doc/math/dispatch.md, "Equations"), probabilities.  Every fault is told; the first one's status is returned.
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_model_check(const mgc_model *model, mgc_fault_fn fault, void *user);

/* --- planning ------------------------------------------------------------------------------------------------------ */

enum {
    MGC_DISPATCH_ALONE = 0,   /**< every microgrid for itself, links unused */
    MGC_DISPATCH_ALLIANCE = 1 /**< all together as one program: the yardstick */
};

/** Options of mgc_dispatch_solve() and mgc_plan_realise(). */
typedef struct mgc_dispatch_opts {
    size_t struct_size;
    double tolerance;    /**< [-] 1e-8 */
    double gap;          /**< [-] 1e-4 */
    double time_limit_s; /**< [s] 0: none */
    uint32_t together;   /**< MGC_DISPATCH_...; ALONE */
    uint32_t method;     /**< MGC_METHOD_... of robust.h; 0: direct */
    uint32_t relax;      /**< 1: drop integrality everywhere; 0 */
    uint32_t threads;    /**< 1 */
    /** Told once an iteration, on the caller's thread; answers as mgc_program_opts.progress; may be NULL */
    int32_t (*progress)(void *user, uint32_t iteration, double upper, double lower);
    void *user; /**< first argument of progress */
} mgc_dispatch_opts;

/** Fill with the defaults of the library that runs.  size: sizeof(mgc_dispatch_opts).  Since 0.1 */
MGC_API void mgc_dispatch_opts_init(mgc_dispatch_opts *opts, size_t size);

/** How planning ended. */
typedef struct mgc_plan_info {
    size_t struct_size;
    uint32_t outcome; /**< MGC_OUTCOME_... */
    uint32_t iterations; /**< interior-point iterations */
    uint32_t nodes; /**< branch-and-bound nodes */
    uint32_t reserved0;
    double cost;    /**< [currency] total worst-case expected cost; +INFINITY where there is no plan: none exists, or a
                         limit or a stop came before one that keeps every row and bound was found */
    double bound;   /**< [currency] proven lower bound */
    double gap; /**< [-] (cost - bound) / max(1, |cost|) */
    double seconds; /**< by the context's clock; 0 without one */
} mgc_plan_info;

/** Plan.  @return MGC_OK and info.outcome (INFEASIBLE: mgc_plan_explain() says why); what mgc_model_check() refuses;
 *  MGC_E_NO_MEMORY.  The model may change or go afterwards: the plan keeps what it needs.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_dispatch_solve(const mgc_model *model, const mgc_dispatch_opts *opts,
                                                    mgc_plan **plan);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_plan_destroy(mgc_plan *plan);
/** How planning ended, filled up to info->struct_size.  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_plan_get_info(const mgc_plan *plan, mgc_plan_info *info);

/**
 * A series of the plan: periods values, filled.
 *
 * @param microgrid its id
 * @param device    device id, or "" for the connection to the grid, or "LINK:n" for the n-th link of the model
 * @param quantity  "" : "buy_kw", "sell_kw", "heat_buy_kw" (first stage), "realtime_buy_kw", "realtime_sell_kw",
 *                       "import_kw", "price_per_kwh", "heat_price_per_kwh" (marginal prices of the balances, expected
 *                       over scenarios), "cost" [currency] (what falls in each period as the scenario goes, day-ahead
 *                       decisions and recourse; sums to "first_stage_cost" and the scenario's "cost" less what carbon
 *                       costs, which is counted over the day)
 *                  load: "demand_kw", "shift_in_kw", "shift_out_kw", "curtailed_kw", "unserved_kw", "served_kw"
 *                  pv, wind, renewable: "power_kw", "available_kw";  chp: "on", "start", "power_kw", "heat_kw", "gas_kw"
 *                  gas_boiler: "heat_kw", "gas_kw";  electric_boiler, heat_pump: "power_kw", "heat_kw"
 *                  storage: "charge_kw", "discharge_kw", "energy_kwh", "mode";  linear: each variable's name
 *                  LINK:n: "sent_kw" (direction 0), "sent_back_kw" (direction 1)
 * @param scenario  0..K-1; ignored for first-stage quantities
 * @return MGC_OK, MGC_E_UNKNOWN_KEY (nearest named), MGC_E_RANGE, MGC_E_WRONG_LENGTH, MGC_E_STATE (no solution).
 *         Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_plan_get_series(const mgc_plan *plan, const char *microgrid,
                                                     const char *device, const char *quantity, uint32_t scenario,
                                                     double *values, size_t n);
/**
 * A number of one microgrid's plan: "cost" (worst-case expected, before payments), "bound", "first_stage_cost", "gap",
 * "emission_kg" (expected under the worst case), "renewable_used_kwh" (the same), "renewable_available_kwh",
 * "unserved_kwh".
 * @return MGC_OK, MGC_E_UNKNOWN_KEY (nearest named), MGC_E_STATE (no solution), MGC_E_INVALID_ARG.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_plan_get_number(const mgc_plan *plan, const char *microgrid, const char *what,
                                                     double *value);
/** The same of one scenario: "cost" (Q_k), "emission_kg", "renewable_used_kwh", "unserved_kwh".
 *  @return as above, MGC_E_RANGE for a scenario that is not there.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_plan_get_scenario_number(const mgc_plan *plan, const char *microgrid,
                                                              const char *what, uint32_t scenario, double *value);
/** Worst-case probabilities of a microgrid; n = its scenarios, filled.  @return MGC_OK, MGC_E_UNKNOWN_KEY,
 *  MGC_E_WRONG_LENGTH, MGC_E_STATE (no solution), MGC_E_INVALID_ARG.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_plan_get_probability(const mgc_plan *plan, const char *microgrid,
                                                          double *probability, size_t n);
/** Why the plan is infeasible: who, when, how much is short, the smallest single change that cures it; "" otherwise.
 *  Borrowed until the plan is destroyed.  Since 0.1 */
MGC_API const char *mgc_plan_explain(const mgc_plan *plan);

/**
 * The realised day (doc/math/dispatch.md, "The realised day"): the first stage of plan is kept, the recourse is
 * solved again for what happened.
 * @param realised the same microgrids, devices and links with one scenario each: the day as it was
 * @param out      a plan of one scenario: what the meters read.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_plan_realise(const mgc_plan *plan, const mgc_model *realised,
                                                  const mgc_dispatch_opts *opts, mgc_plan **out);

/* --- rolling on ---------------------------------------------------------------------------------------------------- */

/**
 * Periods first .. first + periods - 1 of a model as a model of their own: what is left of a day, or a horizon that
 * moves on.  What comes before them is told by mgc_state_apply().
 *
 * @param first, periods first + periods <= those of the model, periods >= 1
 * @param out            the caller's; shares nothing with the model but its context
 * @return MGC_OK; MGC_E_INVALID_ARG, MGC_E_RANGE, MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_model_window(const mgc_model *model, uint32_t first, uint32_t periods,
                                                  mgc_model **out);

/**
 * The model without its uncertainty: one scenario, every uncertain series at its expectation under the nominal
 * probabilities, no ambiguity.  What a planner sees who trusts the forecast.
 * @return MGC_OK and out, the caller's; what mgc_model_check() refuses of the scenarios' series; MGC_E_NO_MEMORY.
 *         Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_model_expected(const mgc_model *model, mgc_model **out);

/**
 * Where microgrids stand between two periods: energy in storage, which units run, since when and at what power, variables
 * that constraints look back at, demand shifted, emission counted, and decisions that stand because they are
 * contracts.  It is a list of entries, each a value of one parameter of the model, so that a host can read, store and
 * make it.
 */
typedef struct mgc_state mgc_state; /* owned by the caller */

/** One entry: key takes values[0], or for n > 1 the series values, where it belongs. */
typedef struct mgc_state_entry {
    size_t struct_size;
    const char *microgrid; /**< id; "" for a link */
    const char *device;    /**< id; "" for the microgrid itself and for a link */
    const char *variable;  /**< of a linear device; else "" */
    const char *key;       /**< parameter, as in mgc_param_describe() */
    const double *values;  /**< [n], in the parameter's unit; INFINITY: open */
    uint32_t n;            /**< 1: a number; else one a period that remains */
    uint32_t link;         /**< index in the model; UINT32_MAX: none */
} mgc_state_entry;

/** An empty state.  Its parent ctx must outlive it.  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_state_create(mgc_ctx *ctx, mgc_state **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_state_destroy(mgc_state *state);
/** Append a copy of an entry.  Names and values are checked by mgc_state_apply(), against the model they are for.
 *  @return MGC_OK; MGC_E_INVALID_ARG (a text is NULL, no values), MGC_E_LIMIT, MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_state_add(mgc_state *state, const mgc_state_entry *entry);
/** Number of entries.  Since 0.1 */
MGC_API uint32_t mgc_state_entries(const mgc_state *state);
/** Texts and values are borrowed from the state until it is destroyed.  @return MGC_OK, MGC_E_INVALID_ARG,
 *  MGC_E_RANGE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_state_get(const mgc_state *state, uint32_t index, mgc_state_entry *entry);

/**
 * The state after the first `periods` periods of a plan, as scenario k went (0 of a realised plan).
 *
 * While periods are left, demand shifted and emission count on (load's initial_shifted_kwh, carbon_quota_kg), and
 * stores keep the day's aim (final_energy_kwh); at the end of the horizon these accounts are closed.  contracts 1:
 * what was decided day-ahead for the periods that are left stands (agreed_...: purchases, sales, heat, trades, on/off
 * and storage modes).  Decisions of a relaxed plan are rounded.  periods 0 with contracts 1: before the day, with
 * what was decided for it; then nothing else is told.
 *
 * @param periods 0 .. those of the plan
 * @return MGC_OK; MGC_E_INVALID_ARG, MGC_E_RANGE, MGC_E_STATE (no solution), MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_plan_state(const mgc_plan *plan, uint32_t periods, uint32_t scenario,
                                                uint32_t contracts, mgc_state **out);

/**
 * Set every entry in a model; the model's other data stay.  On failure the entries before the refused one are set.
 * @return MGC_OK; MGC_E_INVALID_ARG; MGC_E_NOT_FOUND (no such microgrid, device or link); as the setters.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_state_apply(const mgc_state *state, mgc_model *model);

/** The exact program of one microgrid (id) or of the whole alliance (NULL), for export;
 *  out is the caller's.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_model_program(const mgc_model *model, const char *microgrid, mgc_program **out);

#ifdef __cplusplus
}
#endif
#endif
