/* SPDX-License-Identifier: Apache-2.0 */
/* Rolling on: a day planned piece by piece with perfect forecasts is the day planned at once (Bellman's principle), contracts
 * stand, and each kind of state does what it says. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "case_json.h"

enum { T = 24, N = 3, LINKS = 4 };
static const char *const ids[] = {"hospital", "campus", "residential"};

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

#define DONE(call)                                                                                              \
    do {                                                                                                        \
        mgc_status st_ = (call);                                                                                \
        ck_assert_msg(st_ == MGC_OK, "%s: %s: %s", #call, mgc_status_name(st_), mgc_ctx_error(ctx));            \
    } while (0)

static mgc_plan *solve(const mgc_model *model, uint32_t together)
{
    mgc_plan_info info = {.struct_size = sizeof info};
    mgc_dispatch_opts opts;
    mgc_plan *plan;

    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.together = together;
    opts.gap = 1e-6;
    opts.threads = 2;
    DONE(mgc_dispatch_solve(model, &opts, &plan));
    DONE(mgc_plan_get_info(plan, &info));
    ck_assert_msg(info.outcome == MGC_OUTCOME_OPTIMAL, "%s: %s", mgc_outcome_name(info.outcome), mgc_plan_explain(plan));
    return plan;
}

static double cost_of(const mgc_plan *plan, const char *id)
{
    double cost = (double)NAN;
    DONE(mgc_plan_get_number(plan, id, "cost", &cost));
    return cost;
}

static void series(const mgc_plan *plan, const char *id, const char *device, const char *what, double *values, size_t n)
{
    DONE(mgc_plan_get_series(plan, id, device, what, 0, values, n));
}

/* The reference case with one more device, which looks back: a compressor that may change by 20 kW an hour. */
static mgc_model *day(void)
{
    mgc_model *model = case_model(ctx, "one_scenario");
    mgc_device *device;
    uint32_t row = 0;

    DONE(mgc_microgrid_add_device(mgc_model_microgrid(model, "hospital"), "linear", "compressor", &device));
    DONE(mgc_device_add_variable(device, "p"));
    DONE(mgc_device_set_variable(device, "p", "upper", 150));
    DONE(mgc_device_set_variable(device, "p", "electricity", -1));
    double cost[T];
    for (size_t t = 0; t < T; t++) cost[t] = t % 8 < 4 ? -0.5 : 0.1;
    DONE(mgc_device_set_variable_series(device, "p", "cost_per_kwh", cost, T));
    DONE(mgc_device_set_variable(device, "p", "quota_kg_per_kwh", 2));
    DONE(mgc_device_set_variable(device, "p", "initial", 10));
    DONE(mgc_device_add_constraint(device, -20, 20, &row));
    DONE(mgc_device_add_term(device, row, "p", 1, 0));
    DONE(mgc_device_add_term(device, row, "p", -1, 1));
    return model;
}

/* The first-stage decisions that a rolling operator took over the day. */
typedef struct decided {
    double buy[N][T], sell[N][T], heat[N][T], on[N][T], variable[T];
} decided;

static bool has_unit(size_t i)
{
    return strcmp(ids[i], "residential") != 0;
}

static void keep_first(const mgc_plan *plan, uint32_t from, uint32_t step, uint32_t left, decided *d)
{
    double x[T];

    for (size_t i = 0; i < N; i++) {
        double *const to[] = {d->buy[i], d->sell[i], d->heat[i], d->on[i]};
        static const char *const what[] = {"buy_kw", "sell_kw", "heat_buy_kw", "on"};
        for (size_t j = 0; j < (has_unit(i) ? 4 : 3); j++) {
            series(plan, ids[i], j == 3 ? "chp" : "", what[j], x, left);
            memcpy(to[j] + from, x, step * sizeof *x);
        }
    }
    series(plan, "hospital", "compressor", "p", x, left);
    memcpy(d->variable + from, x, step * sizeof *x);
}

static void roll(const mgc_model *model, uint32_t step, decided *d)
{
    mgc_state *state = NULL, *next;
    mgc_model *window;

    for (uint32_t t = 0; t < T; t += step) {
        DONE(mgc_model_window(model, t, T - t, &window));
        if (state != NULL) DONE(mgc_state_apply(state, window));
        mgc_plan *plan = solve(window, MGC_DISPATCH_ALONE);
        keep_first(plan, t, step, T - t, d);
        DONE(mgc_plan_state(plan, step, 0, 0, &next));
        mgc_state_destroy(state);
        state = next;
        mgc_plan_destroy(plan);
        mgc_model_destroy(window);
    }
    mgc_state_destroy(state);
}

/* What was decided piece by piece costs, over the whole day, what the best decisions cost: nothing of the state got lost. */
START_TEST(rolling_with_perfect_forecasts_is_the_day_at_once)
{
    mgc_model *model = day();
    mgc_plan *once = solve(model, MGC_DISPATCH_ALONE);
    decided d;

    roll(model, 4, &d);
    for (size_t i = 0; i < N; i++) {
        mgc_microgrid *site = mgc_model_microgrid(model, ids[i]);
        DONE(mgc_microgrid_set_series(site, "agreed_buy_kw", d.buy[i], T));
        DONE(mgc_microgrid_set_series(site, "agreed_sell_kw", d.sell[i], T));
        DONE(mgc_microgrid_set_series(site, "agreed_heat_buy_kw", d.heat[i], T));
        if (has_unit(i)) DONE(mgc_device_set_series(mgc_microgrid_device(site, "chp"), "agreed_on", d.on[i], T));
    }
    mgc_plan *rolled = solve(model, MGC_DISPATCH_ALONE);
    for (size_t i = 0; i < N; i++) {
        double best = cost_of(once, ids[i]), was = cost_of(rolled, ids[i]);
        ck_assert_msg(fabs(was - best) <= 5e-6 * fabs(best), "%s: %.9g rolled, %.9g at once", ids[i], was, best);
    }
    double before = 10;
    for (size_t t = 0; t < T; before = d.variable[t++]) ck_assert_double_le(fabs(d.variable[t] - before), 20 + 1e-5);
    mgc_plan_destroy(once);
    mgc_plan_destroy(rolled);
    mgc_model_destroy(model);
}
END_TEST

/* With contracts the rest of the day is bought, sold, traded and run as was decided, also when prices turn. */
START_TEST(contracts_stand)
{
    uint32_t gone = _i == 0 ? 0 : 9, left = T - gone; /* 0: the day before, with what was decided for it */
    static const char *const what[] = {"buy_kw", "sell_kw", "heat_buy_kw"};
    mgc_model *model = case_model(ctx, "one_scenario"), *rest;
    mgc_plan *plan = solve(model, MGC_DISPATCH_ALLIANCE);
    double x[T], y[T];
    mgc_state *state;

    DONE(mgc_plan_state(plan, gone, 0, 1, &state));
    DONE(mgc_model_window(model, gone, left, &rest));
    DONE(mgc_state_apply(state, rest));
    DONE(mgc_model_set_number(rest, "buy_price_per_kwh", 0.01));
    DONE(mgc_model_set_number(rest, "sell_price_per_kwh", 0.001));
    mgc_plan *later = solve(rest, MGC_DISPATCH_ALLIANCE);
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < 3; j++) {
            series(plan, ids[i], "", what[j], x, T);
            series(later, ids[i], "", what[j], y, left);
            for (size_t t = 0; t < left; t++) ck_assert_double_eq_tol(y[t], fmax(0, x[gone + t]), 1e-5);
        }
    for (uint32_t l = 0; l < LINKS; l++)
        for (int back = 0; back < 2; back++) {
            char link[16];
            snprintf(link, sizeof link, "LINK:%u", l);
            series(plan, "", link, back ? "sent_back_kw" : "sent_kw", x, T);
            series(later, "", link, back ? "sent_back_kw" : "sent_kw", y, left);
            for (size_t t = 0; t < left; t++) ck_assert_double_eq_tol(y[t], fmax(0, x[gone + t]), 1e-5);
        }
    mgc_state_destroy(state);
    mgc_plan_destroy(plan);
    mgc_plan_destroy(later);
    mgc_model_destroy(model);
    mgc_model_destroy(rest);
}
END_TEST

/* A site of one load of 100 kW and one unit too dear to run by choice. */
static mgc_device *dear_unit(mgc_model **model)
{
    mgc_microgrid *site;
    mgc_device *load, *unit;

    DONE(mgc_model_create(ctx, 6, 1, model));
    DONE(mgc_model_set_number(*model, "buy_price_per_kwh", 0.1));
    DONE(mgc_model_set_number(*model, "gas_price_per_kwh", 1));
    DONE(mgc_model_add_microgrid(*model, "site", 1, &site));
    DONE(mgc_microgrid_add_device(site, "load", "load", &load));
    DONE(mgc_device_set_number(load, "demand_kw", 100));
    DONE(mgc_microgrid_add_device(site, "chp", "unit", &unit));
    DONE(mgc_device_set_number(unit, "min_power_kw", 20));
    DONE(mgc_device_set_number(unit, "max_power_kw", 80));
    DONE(mgc_device_set_number(unit, "electric_efficiency", 0.4));
    DONE(mgc_device_set_number(unit, "min_up_periods", 4));
    DONE(mgc_device_set_number(unit, "min_down_periods", 3));
    return unit;
}

/* A unit on for one period of U = 4 stays on for three more; off for one of W = 3, it stays off for two, however cheap. */
START_TEST(units_remember_since_when)
{
    mgc_model *model;
    mgc_device *unit = dear_unit(&model);
    double on[6];

    DONE(mgc_device_set_number(unit, "initially_on", 1));
    DONE(mgc_device_set_number(unit, "initial_periods", 1));
    mgc_plan *plan = solve(model, MGC_DISPATCH_ALONE);
    series(plan, "site", "unit", "on", on, 6);
    ck_assert_mem_eq(on, ((double[]){1, 1, 1, 0, 0, 0}), sizeof on);
    mgc_plan_destroy(plan);

    DONE(mgc_device_set_number(unit, "initially_on", 0));
    DONE(mgc_model_set_number(model, "gas_price_per_kwh", 0.001));
    plan = solve(model, MGC_DISPATCH_ALONE);
    series(plan, "site", "unit", "on", on, 6);
    ck_assert_mem_eq(on, ((double[]){0, 0, 1, 1, 1, 1}), sizeof on);

    mgc_state_entry e = {.struct_size = sizeof e};
    mgc_state *state;
    bool told = false;
    DONE(mgc_plan_state(plan, 3, 0, 0, &state));
    for (uint32_t i = 0; i < mgc_state_entries(state); i++) {
        DONE(mgc_state_get(state, i, &e));
        if (strcmp(e.key, "initial_periods") == 0) {
            ck_assert_double_eq(e.values[0], 1);
            told = true;
        }
    }
    ck_assert(told);
    mgc_state_destroy(state);
    DONE(mgc_plan_state(plan, 2, 0, 0, &state)); /* off all along: the period before the plan counts too */
    for (uint32_t i = 0; i < mgc_state_entries(state); i++) {
        DONE(mgc_state_get(state, i, &e));
        if (strcmp(e.key, "initial_periods") == 0) ck_assert_double_eq(e.values[0], 3);
    }
    mgc_state_destroy(state);
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
}
END_TEST

/* 30 kWh were moved out earlier: the horizon serves 630 of its own 600. */
START_TEST(shifted_demand_comes_back)
{
    mgc_model *model;
    mgc_device *load;
    double served[6], sum = 0;

    dear_unit(&model);
    load = mgc_microgrid_device(mgc_model_microgrid(model, "site"), "load");
    DONE(mgc_device_set_number(load, "shiftable_share", 0.1));
    DONE(mgc_device_set_number(load, "initial_shifted_kwh", -30));
    mgc_plan *plan = solve(model, MGC_DISPATCH_ALONE);
    series(plan, "site", "load", "served_kw", served, 6);
    for (size_t t = 0; t < 6; t++) sum += served[t];
    ck_assert_double_eq_tol(sum, 630, 1e-4);
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
}
END_TEST

/* A trusted forecast: expectations under the nominal probabilities, one scenario, no ambiguity. */
START_TEST(expectations_take_the_uncertainty_away)
{
    mgc_model *model = case_model(ctx, "robust_both_norms"), *mean;
    mgc_microgrid *site = mgc_model_microgrid(model, "hospital"), *flat;
    uint32_t scenarios = mgc_microgrid_scenarios(site);
    double p[64], sum = 0, x = 0;

    ck_assert_int_eq(mgc_microgrid_is_ambiguous(site), 1);
    DONE(mgc_model_expected(model, &mean));
    flat = mgc_model_microgrid(mean, "hospital");
    ck_assert_uint_eq(mgc_microgrid_scenarios(flat), 1);
    ck_assert_int_eq(mgc_microgrid_is_ambiguous(flat), 0);
    DONE(mgc_microgrid_get_probability(site, p, scenarios));
    for (uint32_t k = 0; k < scenarios; k++) {
        DONE(mgc_device_get(mgc_microgrid_device(site, "electric-load"), "demand_kw", k, 7, &x));
        sum += p[k] * x;
    }
    DONE(mgc_device_get(mgc_microgrid_device(flat, "electric-load"), "demand_kw", 0, 7, &x));
    ck_assert_double_eq_tol(x, sum, 1e-9 * sum);
    mgc_plan_destroy(solve(mean, MGC_DISPATCH_ALONE));
    DONE(mgc_microgrid_clear_ambiguity(site));
    ck_assert_int_eq(mgc_microgrid_is_ambiguous(site), 0);
    mgc_model_destroy(mean);
    mgc_model_destroy(model);
}
END_TEST

/* A state can be told entry by entry; what the model does not know is refused by name. */
START_TEST(entries_are_made_read_and_refused)
{
    static const double five[] = {1, 2, 3, 4, 5};
    mgc_state_entry e = {.struct_size = sizeof e, .microgrid = "site", .device = "unit", .variable = "", .key = "initially_on",
                         .values = (const double[]){1}, .n = 1, .link = UINT32_MAX};
    mgc_state_entry read = {.struct_size = sizeof read};
    mgc_model *model, *window;
    mgc_device *unit = dear_unit(&model);
    mgc_state *state;
    double value = 0;

    DONE(mgc_state_create(ctx, &state));
    DONE(mgc_state_add(state, &e));
    DONE(mgc_state_apply(state, model));
    DONE(mgc_device_get(unit, "initially_on", 0, 0, &value));
    ck_assert_double_eq(value, 1);
    DONE(mgc_state_get(state, 0, &read));
    ck_assert_str_eq(read.device, "unit");
    ck_assert_int_eq(mgc_state_get(state, 1, &read), MGC_E_RANGE);
    mgc_state_entry bad[] = {e, e, e, e, e};
    bad[0].microgrid = "nobody";
    bad[1].device = "nothing";
    bad[2].key = "initially_off";
    bad[3].microgrid = bad[3].device = "";
    bad[3].link = 7;
    bad[4].key = "agreed_on"; /* six periods, five values */
    bad[4].values = five;
    bad[4].n = 5;
    static const mgc_status expected[] = {MGC_E_NOT_FOUND, MGC_E_NOT_FOUND, MGC_E_UNKNOWN_KEY, MGC_E_NOT_FOUND, MGC_E_WRONG_LENGTH};
    for (size_t i = 0; i < MGC__COUNT(bad); i++) {
        mgc_state *one;
        DONE(mgc_state_create(ctx, &one));
        DONE(mgc_state_add(one, &bad[i]));
        ck_assert_int_eq(mgc_state_apply(one, model), expected[i]);
        mgc_state_destroy(one);
    }
    e.key = NULL;
    ck_assert_int_eq(mgc_state_add(state, &e), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_model_window(model, 0, 7, &window), MGC_E_RANGE);
    ck_assert_ptr_null(window);
    ck_assert_int_eq(mgc_model_window(model, 6, 1, &window), MGC_E_RANGE);
    ck_assert_int_eq(mgc_model_window(model, 1, 0, &window), MGC_E_RANGE);
    mgc_plan *plan = solve(model, MGC_DISPATCH_ALONE);
    mgc_state *none;
    ck_assert_int_eq(mgc_plan_state(plan, 0, 0, 0, &none), MGC_E_RANGE);
    ck_assert_int_eq(mgc_plan_state(plan, 7, 0, 0, &none), MGC_E_RANGE);
    ck_assert_int_eq(mgc_plan_state(plan, 1, 1, 0, &none), MGC_E_RANGE);
    ck_assert_ptr_null(none);
    mgc_plan_destroy(plan);
    mgc_state_destroy(state);
    mgc_state_destroy(NULL);
    mgc_model_destroy(model);
}
END_TEST

Suite *state_suite(void);

Suite *state_suite(void)
{
    Suite *suite = suite_create("dispatch state");
    TCase *tc = tcase_create("state");

    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, rolling_with_perfect_forecasts_is_the_day_at_once);
    tcase_add_loop_test(tc, contracts_stand, 0, 2);
    tcase_add_test(tc, units_remember_since_when);
    tcase_add_test(tc, shifted_demand_comes_back);
    tcase_add_test(tc, expectations_take_the_uncertainty_away);
    tcase_add_test(tc, entries_are_made_read_and_refused);
    suite_add_tcase(suite, tc);
    return suite;
}
