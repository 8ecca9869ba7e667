/* SPDX-License-Identifier: Apache-2.0 */
/* What each member pays, and why; how the gain is shared; what carbon costs. */
#include <math.h>
#include <string.h>

#include "io/view.h"

/* --- one sentence a member ------------------------------------------------------------------------------------ */

/* Energy and money of one member's trades: [carrier][0: receives, 1: sends]. */
typedef struct dealings {
    double kwh[2][2], money[2][2];
} dealings;

static dealings dealings_of(const mgc_io__view *v, const char *id)
{
    dealings d = {0};

    for (uint32_t i = 0; i < v->result.trades; i++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        if (mgc_alliance_get_trade(v->report->alliance, i, &trade) != MGC_OK) continue;
        size_t heat = trade.carrier == MGC_CARRIER_HEAT, sends = strcmp(trade.from, id) == 0;
        if (!sends && strcmp(trade.to, id) != 0) continue;
        d.kwh[heat][sends] += trade.sent_kwh;
        d.money[heat][sends] += trade.money;
    }
    return d;
}

/* "it sells 10 626 kWh of electricity for 1 598.76 EUR and 433 kWh of heat for 57.60 EUR to members", where there is any. */
static void deal(mgc_io__view *v, const dealings *d, size_t sends)
{
    static const char *const carrier[2] = {"electricity", "heat"};
    size_t said = 0;

    for (size_t heat = 0; heat < 2; heat++) {
        if (!(d->kwh[heat][sends] > 0.5)) continue;
        mgc__text_add(&v->t, said++ > 0 ? " and " : sends != 0 ? "; it sells " : "; it buys ");
        mgc__text_fixed(&v->t, d->kwh[heat][sends], 0, true);
        mgc__text_printf(&v->t, " kWh of %s for ", carrier[heat]);
        mgc_io__view_money(v, d->money[heat][sends]);
    }
    if (said > 0) mgc__text_add(&v->t, sends != 0 ? " to members" : " from members");
}

static void sentence(mgc_io__view *v, const mgc_member_info *m)
{
    dealings d = dealings_of(v, m->id);
    double saving = m->standalone_cost - m->final_cost;
    double traded = d.money[0][0] + d.money[1][0] - d.money[0][1] - d.money[1][1], rest = m->payment - traded;

    mgc__text_add(&v->t, "<li><b>");
    mgc__text_escaped(&v->t, m->id);
    mgc__text_add(&v->t, m->final_cost < 0 ? "</b> earns <b>" : "</b> pays <b>");
    mgc_io__view_money(v, fabs(m->final_cost));
    if (m->payment == 0 && d.kwh[0][0] + d.kwh[1][0] + d.kwh[0][1] + d.kwh[1][1] <= 0.5) {
        mgc__text_add(&v->t, "</b> for the day, as it would alone: it trades with nobody.</li>");
        return;
    }
    mgc__text_add(&v->t, "</b> for the day, ");
    mgc_io__view_money(v, fabs(saving));
    mgc__text_add(&v->t, saving >= 0 ? " better than alone: its own bills come to " : " worse than alone: its own bills come to ");
    mgc_io__view_money(v, m->cost);
    mgc__text_add(&v->t, " instead of ");
    mgc_io__view_money(v, m->standalone_cost);
    deal(v, &d, 0);
    deal(v, &d, 1);
    mgc__text_add(&v->t, rest >= 0 ? "; and it pays " : "; and it receives ");
    mgc_io__view_money(v, fabs(rest));
    mgc__text_add(&v->t, rest >= 0 ? " more, so that the gain is shared as bargained.</li>" : " besides, so that the gain is shared as bargained.</li>");
}

enum { SENTENCES_MAX = 60 };

void mgc_io__report_sentences(mgc_io__view *v)
{
    uint32_t n = v->result.members < SENTENCES_MAX ? v->result.members : SENTENCES_MAX;

    mgc__text_add(&v->t, "<h2 id=\"pay\">What do I pay, and why?</h2><p class=\"soft\">Amounts are expected under each member's worst-case probabilities; own bills "
                         "are grid, fuel, upkeep, network fees and carbon.</p><ul class=\"plain\">");
    for (uint32_t i = 0; i < n; i++) {
        mgc_member_info m = {.struct_size = sizeof m};
        if (mgc_alliance_get_member(v->report->alliance, i, &m) == MGC_OK) sentence(v, &m);
    }
    mgc__text_add(&v->t, "</ul>");
    if (n < v->result.members)
        mgc__text_printf(&v->t, "<p class=\"soft\">The other %u members are in the table.</p>", v->result.members - n);
}

/* --- the table ------------------------------------------------------------------------------------------------ */

void mgc_io__report_members(mgc_io__view *v)
{
    double sum[8] = {0};

    mgc__text_printf(&v->t, "<h2 id=\"members\">What each member gains</h2><div class=\"scroll\"><table><tr><th>member<th class=\"r\">alone<br>%s<th class=\"r\">together<br>%s"
                          "<th class=\"r\">pays (+)<br>receives (−)<th class=\"r\">final<br>%s<th class=\"r\">saving<br>%s<th class=\"r\">CO₂ kg<br>alone"
                          "<th class=\"r\">CO₂ kg<br>together<th class=\"r\">renewable<br>kWh alone<th class=\"r\">renewable<br>kWh together</tr>",
                   v->info.currency, v->info.currency, v->info.currency, v->info.currency);
    for (uint32_t i = 0; i < v->result.members; i++) {
        mgc_member_info m = {.struct_size = sizeof m};
        if (mgc_alliance_get_member(v->report->alliance, i, &m) != MGC_OK) continue;
        const double value[9] = {m.standalone_cost, m.cost, m.payment, m.final_cost, m.standalone_cost - m.final_cost,
                                 mgc_io__view_number(v->alone, m.id, "emission_kg"), mgc_io__view_number(v->together, m.id, "emission_kg"),
                                 mgc_io__view_number(v->alone, m.id, "renewable_used_kwh"), mgc_io__view_number(v->together, m.id, "renewable_used_kwh")};
        static const unsigned decimals[9] = {2, 2, 2, 2, 2, 0, 0, 0, 0};
        mgc__text_add(&v->t, "<tr><td>");
        mgc__text_escaped(&v->t, m.id);
        mgc__text_add(&v->t, "</td>");
        for (size_t k = 0; k < 9; k++) {
            mgc_io__view_number_cell(v, value[k], decimals[k]);
            if (k < 5) sum[k] += value[k];
        }
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "<tr class=\"sum\"><td>all</td>");
    for (size_t k = 0; k < 5; k++) mgc_io__view_number_cell(v, sum[k], 2);
    mgc_io__view_number_cell(v, mgc_io__view_total(v, v->alone, "emission_kg"), 0);
    mgc_io__view_number_cell(v, mgc_io__view_total(v, v->together, "emission_kg"), 0);
    mgc_io__view_number_cell(v, mgc_io__view_total(v, v->alone, "renewable_used_kwh"), 0);
    mgc_io__view_number_cell(v, mgc_io__view_total(v, v->together, "renewable_used_kwh"), 0);
    mgc__text_add(&v->t, "</tr></table></div>");
}

static void bars_of_members(mgc_io__view *v)
{
    const char *names[MGC_IO__MEMBERS_DRAWN_MAX];
    double cost[MGC_IO__MEMBERS_DRAWN_MAX * 3], carbon[MGC_IO__MEMBERS_DRAWN_MAX * 2], green[MGC_IO__MEMBERS_DRAWN_MAX * 2];
    size_t n = v->result.members < MGC_IO__MEMBERS_DRAWN_MAX ? v->result.members : MGC_IO__MEMBERS_DRAWN_MAX;
    static const mgc_io__series costs[] = {{"alone", "#8594a6", NULL, false}, {"together, before payments", "#8fd1bc", NULL, false},
                                           {"together, after payments", "#009e73", NULL, false}};
    static const mgc_io__series pairs[] = {{"alone", "#8594a6", NULL, false}, {"together", "#009e73", NULL, false}};

    for (size_t i = 0; i < n; i++) {
        mgc_member_info m = {.struct_size = sizeof m};
        if (mgc_alliance_get_member(v->report->alliance, (uint32_t)i, &m) != MGC_OK) return;
        names[i] = m.id;
        cost[3 * i] = m.standalone_cost;
        cost[3 * i + 1] = m.cost;
        cost[3 * i + 2] = m.final_cost;
        carbon[2 * i] = mgc_io__view_number(v->alone, m.id, "emission_kg");
        carbon[2 * i + 1] = mgc_io__view_number(v->together, m.id, "emission_kg");
        green[2 * i] = mgc_io__view_number(v->alone, m.id, "renewable_used_kwh");
        green[2 * i + 1] = mgc_io__view_number(v->together, m.id, "renewable_used_kwh");
    }
    mgc_io__chart_bars(&v->t, "Cost of the day", v->info.currency, names, n, costs, 3, cost);
    mgc_io__chart_bars(&v->t, "Emissions", "kg CO₂, expected in the worst case", names, n, pairs, 2, carbon);
    mgc_io__chart_bars(&v->t, "Renewable energy used", "kWh, expected in the worst case", names, n, pairs, 2, green);
}

/* --- Nash split --------------------------------------------------------------------------------------------------- */

static void split_chart(mgc_io__view *v)
{
    const char *names[MGC_IO__MEMBERS_DRAWN_MAX];
    double share[2 * MGC_IO__MEMBERS_DRAWN_MAX], sum = 0;
    size_t n = v->result.members;
    static const mgc_io__series series[] = {{"bargaining power", "#8594a6", NULL, false}, {"share of the gain", "#009e73", NULL, false}};

    if (n > MGC_IO__MEMBERS_DRAWN_MAX || !(v->result.surplus > 0)) return;
    for (size_t i = 0; i < n; i++) {
        mgc_member_info m = {.struct_size = sizeof m};
        if (mgc_alliance_get_member(v->report->alliance, (uint32_t)i, &m) != MGC_OK) return;
        names[i] = m.id;
        sum += m.weight;
        share[2 * i] = 100 * m.weight;
        share[2 * i + 1] = 100 * (m.standalone_cost - m.final_cost) / v->result.surplus;
    }
    if (!(sum > 0)) return;
    for (size_t i = 0; i < n; i++) share[2 * i] /= sum;
    mgc_io__chart_bars(&v->t, "How the gain is split", "%: asymmetric Nash bargaining gives each its power's share", names, n, series, 2, share);
}

/* --- the carbon ladder: doc/math/dispatch.md, equation (9) ------------------------------------------------------------- */

/* Emission that is free: the member's quota, and that of its devices' expected output. */
static double free_emission(mgc_io__view *v, const mgc_plan *plan, const char *id)
{
    const mgc_microgrid *site = mgc_model_microgrid(v->model, id);
    double quota = 0, one;

    if (mgc_microgrid_get(site, "carbon_quota_kg", 0, 0, &quota) != MGC_OK) quota = 0;
    for (uint32_t d = 0; d < mgc_microgrid_devices(site); d++) {
        const char *name = mgc_microgrid_device_id(site, d), *type = mgc_microgrid_device_type(site, d);
        if (mgc_device_get(mgc_microgrid_device(site, name), "quota_kg_per_kwh", 0, 0, &one) != MGC_OK) continue;
        const double *kw = mgc_io__view_expected(v, plan, id, name, strcmp(type, "gas_boiler") == 0 ? "heat_kw" : "power_kw");
        for (uint32_t t = 0; t < v->n; t++)
            if (mgc_device_get(mgc_microgrid_device(site, name), "quota_kg_per_kwh", 0, t, &one) == MGC_OK) quota += one * kw[t] * v->hours;
        mgc_io__view_done(v);
    }
    return quota;
}

static double carbon_number(const mgc_microgrid *site, const char *key)
{
    double value;

    return mgc_microgrid_get(site, key, 0, 0, &value) == MGC_OK ? value : 0;
}

enum { TIERS_DRAWN_MAX = 16 };

/* Where each step begins, what a kilogram costs on it, and where the member stands. */
static void ladder_numbers(mgc_io__view *v, const mgc_io__ladder *l)
{
    mgc__text_add(&v->t, "<details><summary>numbers</summary><div class=\"scroll\"><table><tr><th class=\"r\">kg above the free quota, from<th class=\"r\">a kg costs</tr>");
    for (size_t k = 0; k < l->steps; k++) {
        mgc__text_add(&v->t, "<tr>");
        if (k == 0) mgc__text_add(&v->t, "<td class=\"r\">what is left of the quota</td>");
        else mgc_io__view_number_cell(v, l->edge[k - 1], 0);
        mgc_io__view_number_cell(v, l->price[k], 4);
        mgc__text_add(&v->t, "</tr>");
    }
    for (size_t k = 0; k < l->marks; k++) {
        mgc__text_printf(&v->t, "<tr class=\"sum\"><td class=\"r\">%s</td>", l->mark_name[k]);
        mgc_io__view_number_cell(v, l->mark[k], 1);
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "</table></div></details>");
}

static void ladder_chart(mgc_io__view *v, const char *id)
{
    const mgc_microgrid *site = mgc_model_microgrid(v->model, id);
    double price = carbon_number(site, "carbon.price_per_kg"), width = carbon_number(site, "carbon.tier_width_kg");
    double growth = carbon_number(site, "carbon.tier_growth"), tiers = carbon_number(site, "carbon.tiers");
    double edge[TIERS_DRAWN_MAX + 1] = {0}, step[TIERS_DRAWN_MAX + 2];
    mgc__text unit = {.ctx = v->ctx};

    if (!(price > 0) || !(tiers >= 1)) return;
    size_t n = tiers < TIERS_DRAWN_MAX ? (size_t)tiers : TIERS_DRAWN_MAX;
    step[0] = carbon_number(site, "carbon.reward_price_per_kg");
    for (size_t j = 1; j <= n; j++) {
        step[j] = price * (1 + ((double)j - 1) * growth);
        edge[j] = (double)j * width;
    }
    mgc__text_printf(&unit, "%s/kg, over kg above the free quota", v->info.currency);
    mgc_io__ladder l = {.title = id, .unit = unit.failed ? "" : unit.bytes, .edge = edge, .price = step, .steps = n + 1, .marks = 2,
                        .mark = {mgc_io__view_number(v->alone, id, "emission_kg") - free_emission(v, v->alone, id),
                                 mgc_io__view_number(v->together, id, "emission_kg") - free_emission(v, v->together, id)},
                        .mark_name = {"alone", "together"}};
    mgc__text_add(&v->t, "<div>");
    mgc_io__chart_ladder(&v->t, &l);
    ladder_numbers(v, &l);
    mgc__text_add(&v->t, "</div>");
    mgc__text_free(&unit);
}

static bool anyone_pays_for_carbon(const mgc_io__view *v)
{
    for (uint32_t i = 0; i < v->info.microgrids; i++)
        if (carbon_number(mgc_model_microgrid(v->model, mgc_model_microgrid_id(v->model, i)), "carbon.price_per_kg") > 0) return true;
    return false;
}

void mgc_io__report_money(mgc_io__view *v)
{
    mgc__text_add(&v->t, "<h2 id=\"money\">Money and carbon</h2><div class=\"charts\">");
    bars_of_members(v);
    split_chart(v);
    mgc__text_add(&v->t, "</div>");
    if (v->info.microgrids > MGC_IO__MEMBERS_DRAWN_MAX || !anyone_pays_for_carbon(v)) return;
    mgc__text_add(&v->t, "<h3>The carbon ladder</h3><p class=\"soft\">The price of one more kilogram rises with every step; left of 0 what is left of the free quota is rewarded. Emissions are "
                         "expected under the worst case.</p><div class=\"charts\">");
    for (uint32_t i = 0; i < v->info.microgrids; i++) ladder_chart(v, mgc_model_microgrid_id(v->model, i));
    mgc__text_add(&v->t, "</div>");
}
