/* SPDX-License-Identifier: Apache-2.0 */
/* Who trades what with whom: chords, hours, links, payments. */
#include <stdio.h>
#include <string.h>

#include "io/view.h"

enum { MAP_ROWS_MAX = 60, MAP_NAME_BYTES = 160, LINKS_DRAWN_MAX = 40 };

/* Members of the chord: those that trade, in the order of the model. */
typedef struct flows {
    const char *name[MGC_IO__MEMBERS_DRAWN_MAX], *color[MGC_IO__MEMBERS_DRAWN_MAX];
    double kwh[MGC_IO__MEMBERS_DRAWN_MAX * MGC_IO__MEMBERS_DRAWN_MAX];
    size_t n;
} flows;

static size_t index_of(const flows *f, const char *id)
{
    size_t i = 0;

    while (i < f->n && strcmp(f->name[i], id) != 0) i++;
    return i;
}

static void chord(mgc_io__view *v, uint32_t carrier, const char *title)
{
    static const char *const colors[] = {"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8594a6"};
    flows f = {.n = v->info.microgrids};

    for (uint32_t i = 0; i < f.n; i++) {
        f.name[i] = mgc_model_microgrid_id(v->model, i);
        f.color[i] = colors[i % (sizeof colors / sizeof colors[0])];
    }
    for (uint32_t k = 0; k < v->result.trades; k++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        if (mgc_alliance_get_trade(v->report->alliance, k, &trade) != MGC_OK || trade.carrier != carrier) continue;
        size_t from = index_of(&f, trade.from), to = index_of(&f, trade.to);
        if (from < f.n && to < f.n) f.kwh[from * f.n + to] += trade.sent_kwh;
    }
    mgc_io__chart_chord(&v->t, title, "kWh of the day, in the sender's colour; a ribbon stops short where it is received", f.name, f.color, f.n, f.kwh);
}

/* Every direction of every link that is used, hour by hour. */
static void heat_map(mgc_io__view *v, uint32_t carrier, const char *title)
{
    static const char unit[] = "kW sent in each period; right: the largest";
    char(*name)[MAP_NAME_BYTES] = mgc__io_alloc(v->ctx, MAP_ROWS_MAX, sizeof *name);
    double *value = mgc__io_alloc(v->ctx, MAP_ROWS_MAX * v->n, sizeof *value);
    const char *names[MAP_ROWS_MAX];
    size_t rows = 0;

    if (name == NULL || value == NULL) v->status = MGC_E_NO_MEMORY;
    for (uint32_t k = 0; v->status == MGC_OK && k < v->result.trades && rows < MAP_ROWS_MAX; k++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        if (mgc_alliance_get_trade(v->report->alliance, k, &trade) != MGC_OK || trade.carrier != carrier) continue;
        snprintf(name[rows], MAP_NAME_BYTES, "%s → %s", trade.from, trade.to);
        names[rows] = name[rows];
        memcpy(value + rows++ * v->n, trade.sent_kw, v->n * sizeof *value);
    }
    if (rows > 0) mgc_io__chart_heat(&v->t, title, unit, names, rows, value, v->n, v->hours, v->start_hour);
    mgc_ctx_release(v->ctx, name);
    mgc_ctx_release(v->ctx, value);
}

/* One link: the index-th trade upwards, its opposite direction (later in the list, if used) downwards. */
static void trade_chart(mgc_io__view *v, uint32_t index, const mgc_trade *trade)
{
    mgc__text title = {.ctx = v->ctx}, there = {.ctx = v->ctx}, back = {.ctx = v->ctx}, right = {.ctx = v->ctx};

    mgc__text_printf(&title, "%s: %s – %s", trade->carrier == MGC_CARRIER_HEAT ? "Heat" : "Electricity", trade->from, trade->to);
    mgc__text_printf(&there, "%s → %s", trade->from, trade->to);
    mgc__text_printf(&back, "%s → %s", trade->to, trade->from);
    mgc__text_printf(&right, "%s/kWh", v->info.currency);
    if (title.failed || there.failed || back.failed || right.failed) {
        v->status = MGC_E_NO_MEMORY;
    } else {
        mgc_io__chart c = mgc_io__view_chart(v, title.bytes, "kW sent");
        c.right_unit = right.bytes;
        mgc_io__view_add(c.up, &c.n_up, there.bytes, "#009e73", trade->sent_kw);
        for (uint32_t k = index + 1; k < v->result.trades; k++) {
            mgc_trade other = {.struct_size = sizeof other};
            if (mgc_alliance_get_trade(v->report->alliance, k, &other) == MGC_OK && other.link == trade->link)
                mgc_io__view_add(c.down, &c.n_down, back.bytes, "#0072b2", other.sent_kw);
        }
        mgc_io__view_add(c.right, &c.n_right, "price", "var(--price)", trade->price_per_kwh);
        mgc_io__view_draw(v, &c);
    }
    mgc__text_free(&title);
    mgc__text_free(&there);
    mgc__text_free(&back);
    mgc__text_free(&right);
}

static void link_charts(mgc_io__view *v)
{
    mgc__text_add(&v->t, "<h3>Link by link</h3><p class=\"soft\">Sent one way above, the other way below. The price is what one kWh more over the link would be "
                         "worth to both ends, also where nothing is sent.</p><div class=\"charts\">");
    for (uint32_t i = 0; i < v->result.trades; i++) {
        mgc_trade trade = {.struct_size = sizeof trade}, other = {.struct_size = sizeof other};
        if (mgc_alliance_get_trade(v->report->alliance, i, &trade) != MGC_OK) continue;
        bool shown = false; /* with its opposite direction, earlier in the list */
        for (uint32_t k = 0; k < i && !shown; k++)
            shown = mgc_alliance_get_trade(v->report->alliance, k, &other) == MGC_OK && other.link == trade.link;
        if (!shown) trade_chart(v, i, &trade);
    }
    mgc__text_add(&v->t, "</div>");
}

/* Hour by hour, from whom to whom, how much, at what price. */
static void trade_table(mgc_io__view *v)
{
    mgc__text_printf(&v->t, "<div class=\"scroll\"><table><tr><th>from<th>to<th>carrier<th class=\"r\">kWh<th class=\"r\">periods"
                     "<th class=\"r\">mean price, %s/kWh<th class=\"r\">worth, %s</tr>", v->info.currency, v->info.currency);
    for (uint32_t i = 0; i < v->result.trades; i++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        unsigned periods = 0;
        if (mgc_alliance_get_trade(v->report->alliance, i, &trade) != MGC_OK) continue;
        for (uint32_t k = 0; k < trade.periods; k++) periods += trade.sent_kw[k] > 1e-6;
        mgc__text_add(&v->t, "<tr><td>");
        mgc__text_escaped(&v->t, trade.from);
        mgc__text_add(&v->t, "</td><td>");
        mgc__text_escaped(&v->t, trade.to);
        mgc__text_printf(&v->t, "</td><td>%s</td>", trade.carrier == MGC_CARRIER_HEAT ? "heat" : "electricity");
        mgc_io__view_number_cell(v, trade.sent_kwh, 1);
        mgc_io__view_number_cell(v, periods, 0);
        mgc_io__view_number_cell(v, trade.sent_kwh > 0 ? trade.money / trade.sent_kwh : 0, 4);
        mgc_io__view_number_cell(v, trade.money, 2);
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "</table></div>");
}

static void pair_table(mgc_io__view *v)
{
    mgc__text_printf(&v->t, "<h3>Payments between members</h3><div class=\"scroll\"><table><tr><th>pays<th>to<th class=\"r\">for energy, %s<th class=\"r\">"
                          "one transfer, %s<th class=\"r\">in all, %s</tr>", v->info.currency, v->info.currency, v->info.currency);
    for (uint32_t i = 0; i < v->result.pairs; i++) {
        mgc_pair pair = {.struct_size = sizeof pair};
        if (mgc_alliance_get_pair(v->report->alliance, i, &pair) != MGC_OK) continue;
        double sign = pair.payment < 0 ? -1 : 1;
        mgc__text_add(&v->t, "<tr><td>");
        mgc__text_escaped(&v->t, sign < 0 ? pair.second : pair.first);
        mgc__text_add(&v->t, "</td><td>");
        mgc__text_escaped(&v->t, sign < 0 ? pair.first : pair.second);
        mgc__text_add(&v->t, "</td>");
        mgc_io__view_number_cell(v, sign * pair.trades, 2);
        mgc_io__view_number_cell(v, sign * pair.transfer, 2);
        mgc_io__view_number_cell(v, sign * pair.payment, 2);
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "</table></div>");
}

void mgc_io__report_trades(mgc_io__view *v)
{
    mgc__text_add(&v->t, "<h2 id=\"trades\">Who trades what with whom</h2>");
    if (v->result.trades == 0) {
        mgc__text_add(&v->t, "<p>No trade pays: each member does best by itself.</p>");
        return;
    }
    bool pool = mgc_io__view_pool(v);
    if (pool) mgc_io__report_pool(v);
    mgc__text_add(&v->t, "<div class=\"charts\">");
    if (!pool && v->info.microgrids <= MGC_IO__MEMBERS_DRAWN_MAX) {
        chord(v, MGC_CARRIER_ELECTRICITY, "Electricity");
        chord(v, MGC_CARRIER_HEAT, "Heat");
    }
    heat_map(v, MGC_CARRIER_ELECTRICITY, "Electricity, hour by hour");
    heat_map(v, MGC_CARRIER_HEAT, "Heat, hour by hour");
    mgc__text_add(&v->t, "</div>");
    trade_table(v);
    if (!pool && v->result.trades <= LINKS_DRAWN_MAX) link_charts(v);
    pair_table(v);
}
