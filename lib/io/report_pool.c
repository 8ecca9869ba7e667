/* SPDX-License-Identifier: Apache-2.0 */
/* What goes through a pool, hour by hour: who sends, who takes out, at the one price. */
#include <stdio.h>
#include <string.h>

#include "io/view.h"

enum { DRAWN_MAX = 8 }; /* colours that can be told apart; further members are drawn as one */
static const char *const colors[DRAWN_MAX] = {"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#4a5568"};
static const char rest_color[] = "#8594a6";

bool mgc_io__view_pool(const mgc_io__view *v)
{
    mgc_trade trade = {.struct_size = sizeof trade};

    if (v->result.trades == 0 || mgc_alliance_get_trade(v->report->alliance, 0, &trade) != MGC_OK) return false;
    return mgc_model_microgrid(v->model, mgc_pool_id()) == NULL &&
           (strcmp(trade.to, mgc_pool_id()) == 0 || strcmp(trade.from, mgc_pool_id()) == 0);
}

static size_t place_of(const mgc_io__view *v, const char *id)
{
    uint32_t i = 0;

    while (i < v->info.microgrids && i < DRAWN_MAX && strcmp(mgc_model_microgrid_id(v->model, i), id) != 0) i++;
    return i < DRAWN_MAX ? i : DRAWN_MAX;
}

static void pool_chart(mgc_io__view *v, uint32_t carrier)
{
    mgc__text right = {.ctx = v->ctx};
    mgc_io__chart c = mgc_io__view_chart(v, carrier == MGC_CARRIER_HEAT ? "Heat through the pool" : "Electricity through the pool",
                                         "kW; above: sent, below: taken out");
    double *flow[2][DRAWN_MAX + 1];

    for (size_t i = 0; i < 2 * (DRAWN_MAX + 1); i++) flow[i % 2][i / 2] = mgc_io__view_series(v);
    mgc__text_printf(&right, "%s/kWh", v->info.currency);
    if (right.failed) v->status = MGC_E_NO_MEMORY;
    else c.right_unit = right.bytes;
    for (uint32_t k = 0; k < v->result.trades; k++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        if (mgc_alliance_get_trade(v->report->alliance, k, &trade) != MGC_OK || trade.carrier != carrier) continue;
        bool out = strcmp(trade.to, mgc_pool_id()) == 0;
        double *sum = flow[!out][place_of(v, out ? trade.from : trade.to)];
        for (size_t t = 0; t < v->n; t++) sum[t] += trade.sent_kw[t];
        if (c.n_right == 0) mgc_io__view_add(c.right, &c.n_right, "price", "var(--price)", trade.price_per_kwh);
    }
    for (size_t i = 0; i <= DRAWN_MAX; i++) {
        const char *name = i < DRAWN_MAX ? mgc_model_microgrid_id(v->model, (uint32_t)i) : "others", *color = i < DRAWN_MAX ? colors[i] : rest_color;
        if (name == NULL) continue;
        if (!mgc_io__chart_empty(&(mgc_io__series){name, color, flow[0][i], false}, v->n)) mgc_io__view_add(c.up, &c.n_up, name, color, flow[0][i]);
        if (!mgc_io__chart_empty(&(mgc_io__series){name, color, flow[1][i], false}, v->n)) mgc_io__view_add(c.down, &c.n_down, name, color, flow[1][i]);
    }
    if (c.n_up > 0 && v->status == MGC_OK) mgc_io__view_draw(v, &c);
    mgc__text_free(&right);
    mgc_io__view_done(v);
}

void mgc_io__report_pool(mgc_io__view *v)
{
    mgc__text_add(&v->t, "<p>All trade with all: what is sent to the pool in a period is what is taken out of it, at one price for everyone, the "
                         "multiplier of that balance. On the ledger the pool is everyone's counterparty and keeps nothing.</p>");
    mgc__text_add(&v->t, "<div class=\"charts\">");
    pool_chart(v, MGC_CARRIER_ELECTRICITY);
    pool_chart(v, MGC_CARRIER_HEAT);
    mgc__text_add(&v->t, "</div>");
}
