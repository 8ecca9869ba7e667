/* SPDX-License-Identifier: Apache-2.0 */
/* Towns of four periods and three scenarios: demand, a battery in the south, sun in the north and the west that no one knows
 * beforehand. */
#ifndef TESTS_BARGAIN_TOWNS_H
#define TESTS_BARGAIN_TOWNS_H

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mgchain/bargain.h"

enum { PERIODS = 4, SCENARIOS = 3, TOWNS = 4, TURNS_MOST = 20000 };

static const char *const ids[TOWNS] = {"north", "south", "east", "west"};
static mgc_ctx *ctx;

static inline void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static inline void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

#define OK(call) ck_assert_msg((call) == MGC_OK, "%s", mgc_ctx_error(ctx))

static void storage(mgc_microgrid *site)
{
    mgc_device *device;

    OK(mgc_microgrid_add_device(site, "storage", "battery", &device));
    OK(mgc_device_set_text(device, "carrier", "electricity"));
    OK(mgc_device_set_number(device, "energy_capacity_kwh", 200));
    OK(mgc_device_set_number(device, "initial_energy_kwh", 50));
    OK(mgc_device_set_number(device, "max_charge_kw", 60));
    OK(mgc_device_set_number(device, "max_discharge_kw", 60));
    OK(mgc_device_set_number(device, "charge_efficiency", 0.95));
    OK(mgc_device_set_number(device, "discharge_efficiency", 0.95));
}

static mgc_model *market(void)
{
    static const double price[PERIODS] = {0.22, 0.28, 0.25, 0.36};
    mgc_model *m;

    OK(mgc_model_create(ctx, PERIODS, 1.0, &m));
    OK(mgc_model_set_series(m, "buy_price_per_kwh", price, PERIODS));
    OK(mgc_model_set_number(m, "sell_price_per_kwh", 0.08));
    OK(mgc_model_set_number(m, "realtime_buy_price_per_kwh", 0.45));
    OK(mgc_model_set_number(m, "realtime_sell_price_per_kwh", 0.03));
    return m;
}

static mgc_microgrid *town_as(mgc_model *m, int i, const char *name)
{
    static const double sun[SCENARIOS][PERIODS] = {{0, 150, 300, 60}, {0, 260, 420, 120}, {0, 60, 140, 20}};
    static const double demand[TOWNS][PERIODS] = {{80, 90, 70, 120}, {100, 60, 110, 160}, {40, 80, 90, 70}, {60, 50, 70, 80}};
    mgc_microgrid *site;
    mgc_device *device;

    OK(mgc_model_add_microgrid(m, name, SCENARIOS, &site));
    OK(mgc_microgrid_add_device(site, "load", "town", &device));
    OK(mgc_device_set_text(device, "carrier", "electricity"));
    for (uint32_t k = 0; k < SCENARIOS; k++) {
        double d[PERIODS];
        for (int t = 0; t < PERIODS; t++) d[t] = demand[i][t] * (1 + 0.1 * ((int)k - 1) * (i + 1));
        OK(mgc_device_set_scenario(device, "demand_kw", k, d, PERIODS));
    }
    if (i == 1) storage(site);
    if (i % 3 != 0) return site;
    OK(mgc_microgrid_add_device(site, "pv", "roof", &device));
    for (uint32_t k = 0; k < SCENARIOS; k++) OK(mgc_device_set_scenario(device, "available_kw", k, sun[k], PERIODS));
    return site;
}

static inline mgc_microgrid *town(mgc_model *m, int i)
{
    return town_as(m, i, ids[i]);
}

static inline size_t index_of(const char *id)
{
    size_t i = 0;

    while (strcmp(ids[i], id) != 0) i++;
    return i;
}

/* What an agent said, to whom it said it. */
static inline void pass_on(mgc_agent *const *agents, size_t from, const mgc_agent_output *out, uint64_t now)
{
    for (size_t k = 0; k < out->n_messages; k++) {
        const mgc_message *msg = &out->messages[k];
        OK(mgc_agent_receive(agents[index_of(msg->to)], now, ids[from], msg->bytes, msg->len));
    }
}

#endif
