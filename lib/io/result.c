/* SPDX-License-Identifier: Apache-2.0 */
/* results.json: doc/results.md, keys in the order of that page. */
#include <math.h>

#include "io/memory.h"

static const mgc_result result_defaults = {
    .struct_size = sizeof(mgc_result),
    .status = "none",
    .alliance_cost = NAN,
    .lower_bound = NAN,
    .gap = NAN,
    .surplus = NAN,
    .primal_residual = NAN,
    .dual_residual = NAN,
    .seconds_alone = NAN,
    .seconds_cooperate = NAN,
    .seconds_pay = NAN,
    .seconds_ledger = NAN,
};

void mgc_result_init(mgc_result *result, size_t size)
{
    if (result == NULL || size < sizeof size || size > 4096) return;
    memset(result, 0, size);
    memcpy(result, &result_defaults, size < sizeof result_defaults ? size : sizeof result_defaults);
    result->struct_size = size;
}

static void write_by_member(mgc_json *json, const char *key, const mgc_result *r, const double *values)
{
    if (values == NULL) return;
    mgc_json_object(json, key);
    for (uint32_t i = 0; i < r->members; i++) mgc_json_number(json, r->id[i], values[i]);
    mgc_json_end(json);
}

static void write_alone_together(mgc_json *json, const char *key, const mgc_result *r, const double *alone,
                                 const double *together)
{
    if (alone == NULL && together == NULL) return;
    mgc_json_object(json, key);
    write_by_member(json, "alone", r, alone);
    write_by_member(json, "together", r, together);
    mgc_json_end(json);
}

static void write_head(mgc_json *json, const mgc_result *r)
{
    mgc_json_string(json, "format", "mgchain-result-1");
    mgc_json_string(json, "status", r->status);
    if (r->name != NULL) mgc_json_string(json, "name", r->name);
    if (r->currency != NULL) mgc_json_string(json, "currency", r->currency);
    if (r->start != NULL) mgc_json_string(json, "start", r->start);
    if (r->period_minutes != 0) mgc_json_integer(json, "period_minutes", r->period_minutes);
    if (r->period_minutes != 0) mgc_json_integer(json, "periods", r->periods);
}

static void write_members(mgc_json *json, const mgc_result *r)
{
    write_by_member(json, "standalone_cost", r, r->standalone_cost);
    mgc_json_number(json, "alliance_cost", r->alliance_cost);
    mgc_json_number(json, "lower_bound", r->lower_bound);
    mgc_json_number(json, "gap", r->gap);
    mgc_json_number(json, "surplus", r->surplus);
    write_by_member(json, "payment", r, r->payment);
    write_by_member(json, "final_cost", r, r->final_cost);
    write_alone_together(json, "emission_kg", r, r->emission_alone, r->emission_together);
    write_alone_together(json, "renewable_used_kwh", r, r->renewable_alone, r->renewable_together);
    if (r->probability == NULL) return;
    mgc_json_object(json, "worst_case_probability");
    for (uint32_t i = 0; i < r->members; i++) mgc_json_numbers(json, r->id[i], r->probability[i], r->scenarios[i]);
    mgc_json_end(json);
}

static void write_trades(mgc_json *json, const mgc_result *r)
{
    mgc_json_array(json, "trades");
    for (uint32_t i = 0; i < r->trades; i++) {
        const mgc_result_trade *trade = &r->trade[i];
        mgc_json_object(json, NULL);
        mgc_json_string(json, "from", trade->from);
        mgc_json_string(json, "to", trade->to);
        mgc_json_string(json, "carrier", trade->carrier);
        mgc_json_numbers(json, "sent_kw", trade->sent_kw, r->periods);
        if (trade->price_per_kwh != NULL) mgc_json_numbers(json, "price_per_kwh", trade->price_per_kwh, r->periods);
        mgc_json_end(json);
    }
    mgc_json_end(json);
}

static void write_run(mgc_json *json, const mgc_result *r)
{
    mgc_json_object(json, "admm");
    mgc_json_integer(json, "iterations", r->admm_iterations);
    mgc_json_number(json, "primal_residual", r->primal_residual);
    mgc_json_number(json, "dual_residual", r->dual_residual);
    mgc_json_end(json);
    mgc_json_object(json, "seconds");
    mgc_json_number(json, "alone", r->seconds_alone);
    mgc_json_number(json, "cooperate", r->seconds_cooperate);
    mgc_json_number(json, "pay", r->seconds_pay);
    mgc_json_number(json, "ledger", r->seconds_ledger);
    mgc_json_end(json);
}

mgc_status mgc_result_write(mgc_json *json, const mgc_result *result)
{
    mgc_result r = result_defaults;

    if (json == NULL || result == NULL) return MGC_E_INVALID_ARG;
    mgc_status status = mgc_struct_read(&r, sizeof r, MGC__FIRST_SIZE(mgc_result, seconds_ledger), result);
    if (status != MGC_OK) return status;
    if ((r.members > 0 && r.id == NULL) || (r.trades > 0 && r.trade == NULL) ||
        (r.probability != NULL && r.scenarios == NULL) || r.reserved0 != 0)
        return MGC_E_INVALID_ARG;
    write_head(json, &r);
    write_members(json, &r);
    write_trades(json, &r);
    write_run(json, &r);
    return MGC_OK;
}
