/* SPDX-License-Identifier: Apache-2.0 */
#include "result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* Rows of result.number. */
enum { STANDALONE, PAYMENT, FINAL, CO2_ALONE, CO2_TOGETHER, GREEN_ALONE, GREEN_TOGETHER, NUMBERS };

void result_free(result *r)
{
    for (uint32_t i = 0; r->probability != NULL && i < r->file.members; i++) free(r->probability[i]);
    free(r->id);
    free(r->number);
    free(r->probability);
    free(r->scenarios);
    free(r->trade);
    memset(r, 0, sizeof *r);
}

static mgc_status prepare(const mgc_case *kase, uint32_t trades, result *r)
{
    mgc_case_info info = {.struct_size = sizeof info};

    memset(r, 0, sizeof *r);
    mgc_result_init(&r->file, sizeof r->file);
    mgc_status st = mgc_case_get_info(kase, &info);
    if (st != MGC_OK) return st;
    size_t n = info.microgrids;
    r->id = calloc(n, sizeof *r->id);
    r->number = calloc(n * NUMBERS, sizeof *r->number);
    r->probability = calloc(n, sizeof *r->probability);
    r->scenarios = calloc(n, sizeof *r->scenarios);
    r->trade = calloc(trades + 1, sizeof *r->trade);
    if (r->id == NULL || r->number == NULL || r->probability == NULL || r->scenarios == NULL || r->trade == NULL) return MGC_E_NO_MEMORY;
    for (uint32_t i = 0; i < n; i++) r->id[i] = mgc_model_microgrid_id(mgc_case_model(kase), i);
    r->file.name = info.name;
    r->file.currency = info.currency;
    r->file.start = info.start;
    r->file.period_minutes = info.period_minutes;
    r->file.periods = info.periods;
    r->file.members = (uint32_t)n;
    r->file.id = r->id;
    return MGC_OK;
}

static double *row(const result *r, int which)
{
    return r->number + (size_t)which * r->file.members;
}

static mgc_status numbers_of_plan(result *r, const mgc_plan *plan, int co2, int green)
{
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < r->file.members && st == MGC_OK; i++) {
        st = mgc_plan_get_number(plan, r->id[i], "emission_kg", &row(r, co2)[i]);
        if (st == MGC_OK) st = mgc_plan_get_number(plan, r->id[i], "renewable_used_kwh", &row(r, green)[i]);
    }
    return st;
}

static mgc_status probabilities(const mgc_case *kase, result *r, const mgc_plan *plan)
{
    for (uint32_t i = 0; i < r->file.members; i++) {
        uint32_t n = mgc_microgrid_scenarios(mgc_model_microgrid(mgc_case_model(kase), r->id[i]));
        r->scenarios[i] = n;
        r->probability[i] = calloc(n, sizeof **r->probability);
        if (r->probability[i] == NULL) return MGC_E_NO_MEMORY;
        mgc_status st = mgc_plan_get_probability(plan, r->id[i], r->probability[i], n);
        if (st != MGC_OK) return st;
    }
    r->file.probability = (const double *const *)r->probability;
    r->file.scenarios = r->scenarios;
    return MGC_OK;
}

static mgc_status members(const mgc_alliance *alliance, result *r)
{
    for (uint32_t i = 0; i < r->file.members; i++) {
        mgc_member_info m = {.struct_size = sizeof m};
        mgc_status st = mgc_alliance_get_member(alliance, i, &m);
        if (st != MGC_OK) return st;
        row(r, STANDALONE)[i] = m.standalone_cost;
        row(r, PAYMENT)[i] = m.payment;
        row(r, FINAL)[i] = m.final_cost;
    }
    r->file.standalone_cost = row(r, STANDALONE);
    r->file.payment = row(r, PAYMENT);
    r->file.final_cost = row(r, FINAL);
    return MGC_OK;
}

static mgc_status trades(const mgc_alliance *alliance, uint32_t n, result *r)
{
    for (uint32_t i = 0; i < n; i++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        mgc_status st = mgc_alliance_get_trade(alliance, i, &trade);
        if (st != MGC_OK) return st;
        r->trade[i] = (mgc_result_trade){trade.from, trade.to, trade.carrier == MGC_CARRIER_HEAT ? "heat" : "electricity", trade.sent_kw, trade.price_per_kwh};
    }
    r->file.trade = r->trade;
    r->file.trades = n;
    return MGC_OK;
}

mgc_status result_from_alliance(const mgc_case *kase, const mgc_alliance *alliance, bool timings, result *r)
{
    mgc_alliance_info info = {.struct_size = sizeof info};
    const mgc_plan *alone, *together;

    mgc_status st = mgc_alliance_get_info(alliance, &info);
    if (st == MGC_OK) st = prepare(kase, info.trades, r);
    if (st != MGC_OK) return st;
    r->file.status = mgc_outcome_name(info.outcome);
    r->file.alliance_cost = info.cost;
    r->file.lower_bound = info.lower_bound;
    r->file.gap = info.gap;
    r->file.surplus = info.surplus;
    r->file.admm_iterations = info.rounds;
    r->file.primal_residual = info.primal_residual;
    r->file.dual_residual = info.dual_residual;
    if (timings) {
        r->file.seconds_alone = info.seconds_alone;
        r->file.seconds_cooperate = info.seconds_trade + info.seconds_bound;
        r->file.seconds_pay = info.seconds_pay;
        r->file.seconds_ledger = 0;
    }
    if (!has_plan(info.outcome, info.cost) || mgc_alliance_get_plan(alliance, MGC_DISPATCH_ALONE, &alone) != MGC_OK)
        return MGC_OK; /* no numbers to show */
    st = members(alliance, r);
    if (st == MGC_OK) st = trades(alliance, info.trades, r);
    if (st == MGC_OK) st = numbers_of_plan(r, alone, CO2_ALONE, GREEN_ALONE);
    if (st != MGC_OK || mgc_alliance_get_plan(alliance, MGC_DISPATCH_ALLIANCE, &together) != MGC_OK) return st;
    st = numbers_of_plan(r, together, CO2_TOGETHER, GREEN_TOGETHER);
    if (st == MGC_OK) st = probabilities(kase, r, together);
    r->file.emission_alone = row(r, CO2_ALONE);
    r->file.emission_together = row(r, CO2_TOGETHER);
    r->file.renewable_alone = row(r, GREEN_ALONE);
    r->file.renewable_together = row(r, GREEN_TOGETHER);
    return st;
}

mgc_status result_from_alone(const mgc_case *kase, const mgc_plan *alone, result *r)
{
    mgc_plan_info info = {.struct_size = sizeof info};

    mgc_status st = mgc_plan_get_info(alone, &info);
    if (st == MGC_OK) st = prepare(kase, 0, r);
    if (st != MGC_OK) return st;
    r->file.status = mgc_outcome_name(info.outcome);
    r->file.lower_bound = info.bound;
    r->file.gap = info.gap;
    r->file.seconds_alone = info.seconds;
    for (uint32_t i = 0; i < r->file.members; i++)
        if (mgc_plan_get_number(alone, r->id[i], "cost", &row(r, STANDALONE)[i]) != MGC_OK) return MGC_OK;
    r->file.standalone_cost = row(r, STANDALONE);
    st = probabilities(kase, r, alone);
    if (st == MGC_OK) st = numbers_of_plan(r, alone, CO2_ALONE, GREEN_ALONE);
    r->file.emission_alone = row(r, CO2_ALONE);
    r->file.renewable_alone = row(r, GREEN_ALONE);
    return st;
}

void write_gap_asked(const sim *s, mgc_json *json)
{
    if (s->gap > 0) mgc_json_number(json, "gap_asked", s->gap);
}

mgc_status result_json(const sim *s, const result *r, mgc_json **json, const char **text, size_t *len)
{
    mgc_status st = mgc_json_create(s->ctx, json);

    if (st != MGC_OK) return st;
    mgc_json_object(*json, NULL);
    st = mgc_result_write(*json, &r->file);
    write_gap_asked(s, *json);
    mgc_json_end(*json);
    return st == MGC_OK ? mgc_json_text(*json, text, len) : st;
}

/* A plan that agrees is no worse for a proof that is missing: the outcome stays, and whoever asked is told. */
void say_gap_missed(const sim *s, double gap)
{
    if (!(s->gap > 0) || gap <= s->gap) return;
    if (isfinite(gap)) fprintf(stderr, "mgchain-sim: gap %.2g shown, %.2g asked\n", gap, s->gap);
    else fprintf(stderr, "mgchain-sim: no lower bound is proven, gap %.2g asked\n", s->gap);
}

static void print_row(const char *name, const double value[9])
{
    printf("%-14s %12s %12s %11s %12s %10s", name, fixed(value[0], 2), fixed(value[1], 2), fixed(value[2], 2), fixed(value[3], 2), fixed(value[4], 2));
    printf(" %9s %9s", fixed(value[5], 0), fixed(value[6], 0));
    printf(" %9s %9s\n", fixed(value[7], 0), fixed(value[8], 0));
}

void print_members(const mgc_case *kase, const mgc_alliance *alliance)
{
    result r;
    double sum[9] = {0};
    mgc_case_info info = {.struct_size = sizeof info};

    if (result_from_alliance(kase, alliance, false, &r) != MGC_OK || r.file.final_cost == NULL || r.file.emission_together == NULL ||
        mgc_case_get_info(kase, &info) != MGC_OK) {
        result_free(&r);
        return;
    }
    printf("%-14s %12s %12s %11s %12s %10s %9s %9s %9s %9s\n", info.currency, "alone", "together", "pays", "final", "saving", "CO2 kg",
           "together", "green kWh", "together");
    for (uint32_t i = 0; i < r.file.members; i++) {
        const double value[9] = {row(&r, STANDALONE)[i], row(&r, FINAL)[i] - row(&r, PAYMENT)[i], row(&r, PAYMENT)[i], row(&r, FINAL)[i],
                                 row(&r, STANDALONE)[i] - row(&r, FINAL)[i], row(&r, CO2_ALONE)[i], row(&r, CO2_TOGETHER)[i],
                                 row(&r, GREEN_ALONE)[i], row(&r, GREEN_TOGETHER)[i]};
        print_row(r.id[i], value);
        for (int k = 0; k < 9; k++) sum[k] += value[k];
    }
    print_row("all", sum);
    result_free(&r);
}
