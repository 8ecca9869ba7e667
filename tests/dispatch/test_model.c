/* SPDX-License-Identifier: Apache-2.0 */
/* The table of parameters, setters, getters and the check of a whole model (rows O1, O2 of the faults). */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "case_json.h"

enum { T = 4 };

static mgc_ctx *ctx;
static mgc_model *model;
static mgc_microgrid *site;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    ck_assert_int_eq(mgc_model_create(ctx, T, 1.0, &model), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "buy_price_per_kwh", 0.2), MGC_OK);
    ck_assert_int_eq(mgc_model_add_microgrid(model, "hospital", 2, &site), MGC_OK);
}

static void teardown(void)
{
    mgc_model_destroy(model);
    mgc_ctx_destroy(ctx);
}

static mgc_device *device(const char *type, const char *id)
{
    mgc_device *d;
    ck_assert_int_eq(mgc_microgrid_add_device(site, type, id, &d), MGC_OK);
    return d;
}

static void number(mgc_device *d, const char *key, double value)
{
    mgc_status st = mgc_device_set_number(d, key, value);
    ck_assert_msg(st == MGC_OK, "%s: %s", key, mgc_ctx_error(ctx));
}

static void says(const char *part)
{
    ck_assert_msg(strstr(mgc_ctx_error(ctx), part) != NULL, "\"%s\" lacks \"%s\"", mgc_ctx_error(ctx), part);
}

/* Every row of the table makes sense by itself, and its default can be set. */
START_TEST(table_is_sound)
{
    static const char *const scopes[] = {"market", "carbon", "microgrid", "link", "variable", "load", "pv", "wind", "renewable",
                                         "chp", "gas_boiler", "electric_boiler", "heat_pump", "storage", "linear"};
    uint32_t types = 0;
    mgc_param_info p = {.struct_size = sizeof p};

    while (mgc_device_type(types) != NULL) types++;
    ck_assert_uint_eq(types, 10);
    for (size_t s = 0; s < MGC__COUNT(scopes); s++)
        for (uint32_t i = 0;; i++) {
            mgc_status st = mgc_param_describe(scopes[s], i, &p);
            if (st == MGC_E_NOT_FOUND) break;
            ck_assert_int_eq(st, MGC_OK);
            ck_assert_msg(strlen(p.key) > 0 && strlen(p.unit) > 0 && strlen(p.text) > 5, "%s %u", scopes[s], i);
            ck_assert_msg(p.kind >= MGC_PARAM_NUMBER && p.kind <= MGC_PARAM_UNCERTAIN, "%s", p.key);
            if (p.kind == MGC_PARAM_TEXT) ck_assert_msg(strchr(p.words, '|') != NULL, "%s", p.key);
            else if (p.required || isnan(p.default_value)) continue;
            else if (isinf(p.default_value)) ck_assert_msg(p.nullable, "%s", p.key);
            else
                ck_assert_msg(p.default_value >= p.lower && p.default_value <= p.upper, "%s %s: default %g", scopes[s], p.key,
                              p.default_value);
        }
    ck_assert_int_eq(mgc_param_describe("battery", 0, &p), MGC_E_UNKNOWN_KEY);
}
END_TEST

START_TEST(unknown_key_names_the_nearest) /* faults O1 */
{
    mgc_device *d = device("chp", "unit-1");

    ck_assert_int_eq(mgc_device_set_number(d, "max_powr_kw", 1), MGC_E_UNKNOWN_KEY);
    says("max_power_kw");
    says("hospital/unit-1");
    ck_assert_int_eq(mgc_model_set_number(model, "gas_price", 1), MGC_E_UNKNOWN_KEY);
    says("gas_price_per_kwh");
    ck_assert_int_eq(mgc_microgrid_set_number(site, "buy_limit_kwh", 1), MGC_E_UNKNOWN_KEY);
    says("buy_limit_kw");
    ck_assert_int_eq(mgc_microgrid_add_device(site, "heatpump", "x", &d), MGC_E_UNKNOWN_KEY);
    says("heat_pump");
    ck_assert_ptr_null(d);
}
END_TEST

START_TEST(bad_values_are_refused_and_change_nothing) /* faults O1 */
{
    mgc_device *d = device("storage", "battery"), *l = device("load", "wards");
    double v[T] = {1, 2, (double)NAN, 4}, x = 0;

    number(d, "charge_efficiency", 0.9);
    ck_assert_int_eq(mgc_device_set_number(d, "charge_efficiency", 1.1), MGC_E_RANGE);
    says("(0, 1]");
    ck_assert_int_eq(mgc_device_set_number(d, "charge_efficiency", 0), MGC_E_RANGE);
    ck_assert_int_eq(mgc_device_set_number(d, "charge_efficiency", (double)NAN), MGC_E_RANGE);
    ck_assert_int_eq(mgc_device_get(d, "charge_efficiency", 0, 0, &x), MGC_OK);
    ck_assert_double_eq(x, 0.9);
    ck_assert_int_eq(mgc_device_set_series(l, "demand_kw", v, T), MGC_E_RANGE);
    says("period 2");
    ck_assert_int_eq(mgc_device_set_series(l, "demand_kw", v, T - 1), MGC_E_WRONG_LENGTH);
    ck_assert_int_eq(mgc_device_set_scenario(l, "demand_kw", 2, v, T), MGC_E_RANGE);
    ck_assert_int_eq(mgc_device_set_series(d, "charge_efficiency", v, T), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_device_set_text(l, "carrier", "steam"), MGC_E_RANGE);
    says("electricity|heat");
    ck_assert_int_eq(mgc_microgrid_set_number(site, "heat_venting", 0.5), MGC_E_RANGE);
    ck_assert_int_eq(mgc_microgrid_set_number(site, "buy_limit_kw", (double)INFINITY), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "tiers", 1.5), MGC_E_RANGE);
}
END_TEST

START_TEST(defaults_follow_other_values)
{
    mgc_device *chp = device("chp", "unit"), *sto = device("storage", "tank"), *load = device("load", "wards");
    double v[T] = {0.1, 0.2, 0.3, 0.4}, x;

    number(chp, "min_power_kw", 300);
    ck_assert_int_eq(mgc_device_get(chp, "initial_power_kw", 0, 0, &x), MGC_OK);
    ck_assert_double_eq(x, 0);
    number(chp, "initially_on", 1);
    ck_assert_int_eq(mgc_device_get(chp, "initial_power_kw", 0, 0, &x), MGC_OK);
    ck_assert_double_eq(x, 300);
    number(sto, "initial_energy_kwh", 70);
    ck_assert_int_eq(mgc_device_get(sto, "final_energy_kwh", 0, 0, &x), MGC_OK);
    ck_assert_double_eq(x, 70);
    ck_assert_int_eq(mgc_model_set_series(model, "buy_price_per_kwh", v, T), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_get(site, "realtime_buy_price_per_kwh", 1, 2, &x), MGC_OK);
    ck_assert_double_eq(x, 0.3);
    ck_assert_int_eq(mgc_microgrid_set_number(site, "realtime_buy_price_per_kwh", 0.5), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_get(site, "realtime_buy_price_per_kwh", 1, 2, &x), MGC_OK);
    ck_assert_double_eq(x, 0.5);
    ck_assert_int_eq(mgc_device_get(load, "unserved_price_per_kwh", 0, 0, &x), MGC_OK);
    ck_assert_double_eq(x, 10);
    ck_assert_int_eq(mgc_device_set_text(load, "carrier", "heat"), MGC_OK);
    ck_assert_int_eq(mgc_device_get(load, "unserved_price_per_kwh", 0, 0, &x), MGC_OK);
    ck_assert_double_eq(x, 5);
    ck_assert_int_eq(mgc_model_set_number(model, "carbon.price_per_kg", 0.08), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_get(site, "price_per_kg", 0, 0, &x), MGC_OK);
    ck_assert_double_eq(x, 0.08);
}
END_TEST

START_TEST(ids_repeat_or_are_odd)
{
    mgc_device *d;
    mgc_microgrid *m;
    mgc_link *l;

    device("pv", "roof");
    ck_assert_int_eq(mgc_microgrid_add_device(site, "wind", "roof", &d), MGC_E_EXISTS);
    ck_assert_int_eq(mgc_model_add_microgrid(model, "hospital", 1, &m), MGC_E_EXISTS);
    ck_assert_int_eq(mgc_model_add_microgrid(model, "a b", 1, &m), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_model_add_microgrid(model, "", 1, &m), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_model_add_link(model, "hospital", "hospital", "heat", &l), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_model_add_link(model, "hospital", "campus", "steam", &l), MGC_E_INVALID_ARG);
    ck_assert_ptr_null(l);
}
END_TEST

START_TEST(probabilities_are_checked)
{
    ck_assert_int_eq(mgc_microgrid_set_probability(site, (double[]){0.5, 0.6}, 2), MGC_E_PROBABILITY);
    ck_assert_int_eq(mgc_microgrid_set_probability(site, (double[]){1.5, -0.5}, 2), MGC_E_PROBABILITY);
    ck_assert_int_eq(mgc_microgrid_set_probability(site, (double[]){1}, 1), MGC_E_WRONG_LENGTH);
    ck_assert_int_eq(mgc_microgrid_set_probability(site, (double[]){0.3, 0.7}, 2), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "norm2", "radius", 1, 0, NULL), MGC_E_UNKNOWN_KEY);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), "did you mean \"norm1\"?"));
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "sphere", "radius", 1, 0, NULL), MGC_E_UNKNOWN_KEY);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), "wasserstein, kl"));
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "norm1", "confidence", 1, 10, NULL), MGC_E_RANGE);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "norm1", "confidence", 0.9, 10, "hoeffding"), MGC_E_UNKNOWN_KEY);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "norm1", "confidence", 0.9, 10, NULL), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "norm1", "confidence", 0.9, 10, "bootstrap"), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "cvar", "level", 1, 0, NULL), MGC_E_RANGE);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "cvar", "radius", 0.5, 0, NULL), MGC_E_UNKNOWN_KEY);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "cvar", "level", 0.5, 0, NULL), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "kl", "radius", 0.1, 0, NULL), MGC_E_UNSUPPORTED); /* not with norm1 */
    ck_assert_int_eq(mgc_microgrid_clear_ambiguity(site), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "kl", "radius", 0.1, 0, NULL), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "kl", "confidence", 0.9, 10, "weissman"), MGC_E_UNKNOWN_KEY);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "kl", "confidence", 0.9, 10, NULL), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_set_ambiguity(site, "worst_case", "", 0, 0, NULL), MGC_E_UNSUPPORTED);
    ck_assert_int_eq(mgc_microgrid_is_ambiguous(site), 1);
}
END_TEST

struct told {
    int n;
    mgc_status status[32];
    char where[32][160], text[32][300];
};

static void hear(void *user, mgc_status status, const char *where, const char *text)
{
    struct told *told = user;
    if (told->n == 32) return;
    told->status[told->n] = status;
    snprintf(told->where[told->n], 160, "%s", where);
    snprintf(told->text[told->n++], 300, "%s", text);
}

/* One fault planted at a time; the check must name it and nothing else. */
static void expect_fault(mgc_status status, const char *where, const char *text)
{
    struct told told = {0};
    mgc_status st = mgc_model_check(model, hear, &told);

    ck_assert_msg(st == status, "%s: %s", mgc_status_name(st), mgc_ctx_error(ctx));
    ck_assert_msg(told.n == 1, "%d faults, second: %s", told.n, told.text[1]);
    ck_assert_str_eq(told.where[0], where);
    ck_assert_msg(strstr(told.text[0], text) != NULL, "%s", told.text[0]);
}

static void expect_sound(void)
{
    struct told told = {0};
    mgc_status st = mgc_model_check(model, hear, &told);
    ck_assert_msg(st == MGC_OK, "%s", told.text[0]);
}

START_TEST(free_money_is_refused) /* faults O2 */
{
    double v[T] = {0.1, 0.1, 0.3, 0.3};

    expect_sound();
    ck_assert_int_eq(mgc_model_set_series(model, "sell_price_per_kwh", v, T), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_set_number(site, "buy_limit_kw", 10), MGC_OK);
    ck_assert_int_eq(mgc_microgrid_set_number(site, "sell_limit_kw", 10), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "realtime_sell_price_per_kwh", 0), MGC_OK);
    expect_fault(MGC_E_FREE_MONEY, "microgrids/hospital/sell_price_per_kwh", "period 2");
    ck_assert_int_eq(mgc_model_set_number(model, "sell_price_per_kwh", 0.1), MGC_OK);
    expect_sound();
    ck_assert_int_eq(mgc_model_set_series(model, "realtime_sell_price_per_kwh", v, T), MGC_OK);
    expect_fault(MGC_E_FREE_MONEY, "microgrids/hospital/realtime_sell_price_per_kwh", "period 2");
    ck_assert_int_eq(mgc_model_set_number(model, "realtime_buy_price_per_kwh", 0.4), MGC_OK);
    expect_sound(); /* bounded by the grid connection: a market to be used */
    ck_assert_int_eq(mgc_microgrid_set_number(site, "buy_limit_kw", (double)INFINITY), MGC_OK);
    expect_fault(MGC_E_FREE_MONEY, "microgrids/hospital/realtime_sell_price_per_kwh", "buy_limit_kw");
    ck_assert_int_eq(mgc_microgrid_set_number(site, "buy_limit_kw", 10), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "reward_price_per_kg", 0.1), MGC_OK);
    expect_fault(MGC_E_FREE_MONEY, "microgrids/hospital/market/carbon/reward_price_per_kg", "price_per_kg");
}
END_TEST

START_TEST(crossed_devices_are_refused)
{
    mgc_device *sto = device("storage", "tank");

    number(sto, "energy_capacity_kwh", 100);
    number(sto, "max_charge_kw", 10);
    number(sto, "max_discharge_kw", 10);
    expect_fault(MGC_E_NOT_FOUND, "microgrids/hospital/devices/tank/initial_energy_kwh", "not given");
    number(sto, "initial_energy_kwh", 120);
    number(sto, "final_energy_kwh", 50);
    expect_fault(MGC_E_RANGE, "microgrids/hospital/devices/tank/initial_energy_kwh", "energy_capacity_kwh");
    number(sto, "initial_energy_kwh", 20);
    number(sto, "min_energy_kwh", 30);
    expect_fault(MGC_E_RANGE, "microgrids/hospital/devices/tank/min_energy_kwh", "initial_energy_kwh");
    number(sto, "min_energy_kwh", 0);
    number(sto, "final_energy_kwh", 150);
    expect_fault(MGC_E_RANGE, "microgrids/hospital/devices/tank/final_energy_kwh", "energy_capacity_kwh");
    number(sto, "final_energy_kwh", 50);
    expect_sound();

    mgc_device *chp = device("chp", "unit");
    number(chp, "max_power_kw", 100);
    number(chp, "electric_efficiency", 0.4);
    expect_fault(MGC_E_NOT_FOUND, "microgrids/hospital/market/gas_price_per_kwh", "unit");
    ck_assert_int_eq(mgc_model_set_number(model, "gas_price_per_kwh", 0.05), MGC_OK);
    number(chp, "min_power_kw", 120);
    expect_fault(MGC_E_RANGE, "microgrids/hospital/devices/unit/min_power_kw", "max_power_kw");
    number(chp, "min_power_kw", 20);
    number(chp, "initial_power_kw", 20);
    expect_fault(MGC_E_RANGE, "microgrids/hospital/devices/unit/initial_power_kw", "off");
    number(chp, "initially_on", 1);
    expect_sound();

    mgc_device *load = device("load", "wards");
    ck_assert_int_eq(mgc_device_set_scenario(load, "demand_kw", 0, (double[]){1, 2, 3, 4}, T), MGC_OK);
    expect_fault(MGC_E_NOT_FOUND, "microgrids/hospital/devices/wards/demand_kw", "scenario 1");
    number(load, "demand_kw", 5);
    number(load, "shiftable_share", 0.6);
    number(load, "curtailable_share", 0.6);
    expect_fault(MGC_E_RANGE, "microgrids/hospital/devices/wards/curtailable_share", "1.2");
    number(load, "curtailable_share", 0);

    mgc_device *lin = device("linear", "p2g");
    ck_assert_int_eq(mgc_device_add_variable(lin, "p"), MGC_OK);
    ck_assert_int_eq(mgc_device_set_variable(lin, "p", "upper", -1), MGC_OK);
    expect_fault(MGC_E_RANGE, "microgrids/hospital/devices/p2g/p", "lower");
    ck_assert_int_eq(mgc_device_set_variable(lin, "p", "lower", (double)INFINITY), MGC_OK); /* null: none */
    expect_sound();
    uint32_t row;
    ck_assert_int_eq(mgc_device_add_constraint(lin, 0, 0, &row), MGC_OK);
    expect_fault(MGC_E_NOT_FOUND, "microgrids/hospital/devices/p2g/constraints", "no terms");
    ck_assert_int_eq(mgc_device_add_term(lin, row, "g", 1, 0), MGC_E_UNKNOWN_KEY);
    ck_assert_int_eq(mgc_device_add_term(lin, row, "p", 1, 1), MGC_OK);
    expect_sound();
}
END_TEST

START_TEST(a_link_may_lead_elsewhere_but_not_nowhere)
{
    mgc_link *link;

    ck_assert_int_eq(mgc_model_add_link(model, "hospital", "campus", "heat", &link), MGC_OK);
    expect_fault(MGC_E_NOT_FOUND, "links/0/capacity_kw", "not given");
    ck_assert_int_eq(mgc_link_set_number(link, "capacity_kw", 5), MGC_OK);
    expect_sound();
    ck_assert_int_eq(mgc_model_add_link(model, "moon", "mars", "heat", &link), MGC_OK);
    ck_assert_int_eq(mgc_link_set_number(link, "capacity_kw", 5), MGC_OK);
    expect_fault(MGC_E_NOT_FOUND, "links/1/between", "moon");
}
END_TEST

START_TEST(reference_cases_are_sound)
{
    static const char *const names[] = {"one_scenario", "nominal", "robust_both_norms", "robust_norm1_no_units"};

    for (size_t i = 0; i < MGC__COUNT(names); i++) {
        mgc_model *m = case_model(ctx, names[i]);
        mgc_status st = mgc_model_check(m, NULL, NULL);
        ck_assert_msg(st == MGC_OK, "%s: %s", names[i], mgc_ctx_error(ctx));
        ck_assert_uint_eq(mgc_model_microgrids(m), 3);
        ck_assert_uint_eq(mgc_model_links(m), 4);
        mgc_model_destroy(m);
    }
}
END_TEST

Suite *model_suite(void);

Suite *model_suite(void)
{
    Suite *suite = suite_create("dispatch model");
    TCase *tc = tcase_create("model");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, table_is_sound);
    tcase_add_test(tc, unknown_key_names_the_nearest);
    tcase_add_test(tc, bad_values_are_refused_and_change_nothing);
    tcase_add_test(tc, defaults_follow_other_values);
    tcase_add_test(tc, ids_repeat_or_are_odd);
    tcase_add_test(tc, probabilities_are_checked);
    tcase_add_test(tc, free_money_is_refused);
    tcase_add_test(tc, crossed_devices_are_refused);
    tcase_add_test(tc, a_link_may_lead_elsewhere_but_not_nowhere);
    tcase_add_test(tc, reference_cases_are_sound);
    suite_add_tcase(suite, tc);
    return suite;
}
