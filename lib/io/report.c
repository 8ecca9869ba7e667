/* SPDX-License-Identifier: Apache-2.0 */
/* The day, drawn.  Values over scenarios are expectations under each member's worst-case probabilities. */
#include "mgchain/report.h"

#include <math.h>
#include <string.h>

#include "io/chart.h"
#include "io/page.h"

/* Everything the pages need, gathered once. */
typedef struct view {
    const mgc_report *report;
    mgc_ctx *ctx;
    mgc__text t;
    mgc_case_info info;
    mgc_alliance_info result;
    const mgc_model *model;
    const mgc_plan *alone, *together;
    double hours, start_hour;
    size_t n;
    double *pool; /* series of the chart being drawn: POOL_SERIES of n */
    size_t pooled;
    mgc_status status;
} view;

enum { POOL_SERIES = 128, NAME_MAX_BYTES = 96, PERIODS_MAX = 1024 };

/* --- colours ---------------------------------------------------------------------------------------- */

static const char *const grid_color = "#8594a6", *const grid_late_color = "#b9c3ce", *const trade_color = "#2e9e6b";
static const char *const short_color = "#c62828", *const load_color = "#1c2733";

static const char *type_color(const char *type, uint32_t nth)
{
    static const struct {
        const char *type, *color[3];
    } colors[] = {
        {"pv", {"#f2b417", "#f7cf66", "#c98f00"}},           {"wind", {"#3f9fc4", "#7cc1dc", "#21738f"}},
        {"renewable", {"#6fb344", "#9ccd7c", "#4c8529"}},    {"chp", {"#d4652f", "#e6946c", "#a3441a"}},
        {"gas_boiler", {"#a8603f", "#c78e74", "#7c4027"}},   {"electric_boiler", {"#d6578f", "#e58db4", "#a5366a"}},
        {"heat_pump", {"#c2427a", "#dc86ab", "#8f2856"}},    {"storage", {"#7d5fc0", "#a992d8", "#583c9b"}},
        {"linear", {"#4f7f8c", "#86a9b3", "#335a65"}},
    };
    for (size_t i = 0; i < sizeof colors / sizeof colors[0]; i++)
        if (strcmp(colors[i].type, type) == 0) return colors[i].color[nth % 3];
    return "#777777";
}

/* --- reading the plan --------------------------------------------------------------------------------- */

static double *new_series(view *v)
{
    if (v->pooled == POOL_SERIES) {
        v->status = MGC_E_LIMIT;
        v->pooled = 0;
    }
    double *series = v->pool + v->n * v->pooled++;
    memset(series, 0, v->n * sizeof *series);
    return series;
}

/* sum_k p_k quantity_k.  A quantity that the plan does not have stays zero. */
static double *expected(view *v, const mgc_plan *plan, const char *site, const char *device, const char *quantity)
{
    double one[PERIODS_MAX], p[256], *sum = new_series(v);
    uint32_t scenarios = mgc_microgrid_scenarios(mgc_model_microgrid(v->model, site));

    if (scenarios > 256 || mgc_plan_get_probability(plan, site, p, scenarios) != MGC_OK) return sum;
    for (uint32_t k = 0; k < scenarios; k++) {
        if (mgc_plan_get_series(plan, site, device, quantity, k, one, v->n) != MGC_OK) return sum;
        for (size_t i = 0; i < v->n; i++) sum[i] += p[k] * one[i];
    }
    return sum;
}

static double *first_stage(view *v, const mgc_plan *plan, const char *site, const char *device, const char *quantity)
{
    double *series = new_series(v);

    if (mgc_plan_get_series(plan, site, device, quantity, 0, series, v->n) != MGC_OK) memset(series, 0, v->n * sizeof *series);
    return series;
}

static void add(mgc_io__series *list, size_t *count, const char *name, const char *color, const double *values)
{
    if (*count < MGC_IO__CHART_SERIES_MAX) list[(*count)++] = (mgc_io__series){name, color, values, false};
}

static void add_up(mgc_io__chart *c, const char *name, const char *color, const double *values)
{
    add(c->up, &c->n_up, name, color, values);
}

static void add_down(mgc_io__chart *c, const char *name, const char *color, const double *values)
{
    add(c->down, &c->n_down, name, color, values);
}

static mgc_io__chart new_chart(const view *v, const char *title, const char *unit)
{
    return (mgc_io__chart){.title = title, .unit = unit, .n = v->n, .hours = v->hours, .start_hour = v->start_hour};
}

/* What a site sends (down) and receives (up) by trade, both less than what the plan's links carry after losses. */
static void add_trades(view *v, mgc_io__chart *c, const char *site, uint32_t carrier)
{
    double *received = new_series(v), *sent = new_series(v);

    for (uint32_t i = 0; i < v->result.trades; i++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        double loss = 0;
        if (mgc_alliance_get_trade(v->report->alliance, i, &trade) != MGC_OK || trade.carrier != carrier) continue;
        if (mgc_link_get(mgc_model_link_at(v->model, trade.link), "loss", 0, &loss) != MGC_OK) loss = 0;
        for (size_t k = 0; k < v->n; k++) {
            if (strcmp(trade.from, site) == 0) sent[k] += trade.sent_kw[k];
            if (strcmp(trade.to, site) == 0) received[k] += (1 - loss) * trade.sent_kw[k];
        }
    }
    add_up(c, "from members", trade_color, received);
    add_down(c, "to members", trade_color, sent);
}

/* --- one microgrid's pictures -------------------------------------------------------------------------- */

static bool is_heat(const mgc_device *device)
{
    const char *carrier = mgc_device_get_text(device, "carrier");
    return carrier != NULL && strcmp(carrier, "heat") == 0;
}

static uint32_t nth_of_type(const mgc_microgrid *site, uint32_t index)
{
    uint32_t nth = 0;

    for (uint32_t i = 0; i < index; i++)
        nth += strcmp(mgc_microgrid_device_type(site, i), mgc_microgrid_device_type(site, index)) == 0;
    return nth;
}

static void add_sum(double *sum, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) sum[i] += values[i];
}

/* Devices of one carrier into the stacks; loads are summed into served and short. */
static void add_devices(view *v, mgc_io__chart *c, const char *id, bool heat, double *served, double *unserved)
{
    const mgc_microgrid *site = mgc_model_microgrid(v->model, id);

    for (uint32_t d = 0; d < mgc_microgrid_devices(site); d++) {
        const char *name = mgc_microgrid_device_id(site, d), *type = mgc_microgrid_device_type(site, d);
        const mgc_device *device = mgc_microgrid_device((mgc_microgrid *)(uintptr_t)site, name);
        const char *color = type_color(type, nth_of_type(site, d));
        if (strcmp(type, "load") == 0) {
            if (is_heat(device) != heat) continue;
            add_sum(served, expected(v, v->together, id, name, "served_kw"), v->n);
            add_sum(unserved, expected(v, v->together, id, name, "unserved_kw"), v->n);
        } else if (strcmp(type, "storage") == 0) {
            if (is_heat(device) != heat) continue;
            add_up(c, name, color, expected(v, v->together, id, name, "discharge_kw"));
            add_down(c, name, color, expected(v, v->together, id, name, "charge_kw"));
        } else if (strcmp(type, "heat_pump") == 0 || strcmp(type, "electric_boiler") == 0) {
            if (heat) add_up(c, name, color, expected(v, v->together, id, name, "heat_kw"));
            else add_down(c, name, color, expected(v, v->together, id, name, "power_kw"));
        } else if (strcmp(type, "linear") != 0) {
            const char *quantity = heat ? "heat_kw" : "power_kw";
            if (heat != (strcmp(type, "gas_boiler") == 0) && strcmp(type, "chp") != 0) continue;
            add_up(c, name, color, expected(v, v->together, id, name, quantity));
        }
    }
}

static void electricity_chart(view *v, const char *id)
{
    mgc_io__chart c = new_chart(v, "Electricity", "kW, expected; above: supply, below: use beyond demand");
    double *served = new_series(v), *unserved = new_series(v);

    add_up(&c, "grid, day ahead", grid_color, first_stage(v, v->together, id, "", "buy_kw"));
    add_up(&c, "grid, real time", grid_late_color, expected(v, v->together, id, "", "realtime_buy_kw"));
    add_down(&c, "grid, day ahead", grid_color, first_stage(v, v->together, id, "", "sell_kw"));
    add_down(&c, "grid, real time", grid_late_color, expected(v, v->together, id, "", "realtime_sell_kw"));
    add_devices(v, &c, id, false, served, unserved);
    add_trades(v, &c, id, MGC_CARRIER_ELECTRICITY);
    add_up(&c, "not served", short_color, unserved);
    add_sum(served, unserved, v->n);
    add(c.line, &c.n_line, "demand after shifting", load_color, served);
    mgc_io__chart_time(&v->t, &c);
    v->pooled = 0;
}

static void heat_chart(view *v, const char *id)
{
    mgc_io__chart c = new_chart(v, "Heat", "kW, expected; above: supply, below: storing and sending");
    double *served = new_series(v), *unserved = new_series(v);

    add_up(&c, "district network", grid_color, first_stage(v, v->together, id, "", "heat_buy_kw"));
    add_devices(v, &c, id, true, served, unserved);
    add_trades(v, &c, id, MGC_CARRIER_HEAT);
    add_up(&c, "not served", short_color, unserved);
    add_sum(served, unserved, v->n);
    add(c.line, &c.n_line, "demand", load_color, served);
    mgc_io__chart_time(&v->t, &c);
    v->pooled = 0;
}

static void storage_chart(view *v, const char *id)
{
    const mgc_microgrid *site = mgc_model_microgrid(v->model, id);
    mgc_io__chart c = new_chart(v, "Storage", "kWh held at the end of each period, expected");

    for (uint32_t d = 0; d < mgc_microgrid_devices(site); d++) {
        const char *name = mgc_microgrid_device_id(site, d);
        if (strcmp(mgc_microgrid_device_type(site, d), "storage") != 0) continue;
        bool heat = is_heat(mgc_microgrid_device((mgc_microgrid *)(uintptr_t)site, name));
        add(c.line, &c.n_line, name, heat ? "#d4652f" : "#7d5fc0", expected(v, v->together, id, name, "energy_kwh"));
    }
    if (c.n_line > 0) mgc_io__chart_time(&v->t, &c);
    v->pooled = 0;
}

/* Each scenario's renewable power on offer, the realised day among them. */
static void scenario_chart(view *v, const char *id)
{
    const mgc_microgrid *site = mgc_model_microgrid(v->model, id);
    const mgc_model *realised = mgc_case_realised(v->report->kase);
    mgc_io__chart c = new_chart(v, "What the day may bring", "kW of sun and wind on offer, each scenario");
    uint32_t scenarios = mgc_microgrid_scenarios(site);

    for (uint32_t k = 0; k < scenarios + (realised != NULL) && c.n_line < MGC_IO__CHART_SERIES_MAX; k++) {
        const mgc_microgrid *from = k < scenarios ? site : mgc_model_microgrid(realised, id);
        double *sum = new_series(v), value;
        for (uint32_t d = 0; d < mgc_microgrid_devices(from); d++) {
            const mgc_device *device = mgc_microgrid_device((mgc_microgrid *)(uintptr_t)from, mgc_microgrid_device_id(from, d));
            for (uint32_t i = 0; i < v->n; i++)
                if (mgc_device_get(device, "available_kw", k < scenarios ? k : 0, i, &value) == MGC_OK) sum[i] += value;
        }
        add(c.line, &c.n_line, k < scenarios ? "scenario" : "as it came", k < scenarios ? "#9db8cf" : "#c62828", sum);
    }
    mgc_io__chart_time(&v->t, &c);
    v->pooled = 0;
}

static void sites(view *v)
{
    mgc__text_add(&v->t, "<h2>The plan of each member, together</h2><p class=\"soft\">Day-ahead decisions hold for every scenario; the rest is what "
                        "members expect under their own worst-case probabilities.</p>");
    for (uint32_t i = 0; i < v->info.microgrids; i++) {
        const char *id = mgc_model_microgrid_id(v->model, i);
        mgc__text_add(&v->t, "<h3>");
        mgc__text_escaped(&v->t, id);
        mgc__text_add(&v->t, "</h3><div class=\"charts\">");
        electricity_chart(v, id);
        heat_chart(v, id);
        storage_chart(v, id);
        scenario_chart(v, id);
        mgc__text_add(&v->t, "</div>");
    }
}

/* --- head and members ------------------------------------------------------------------------------------ */

static void card(view *v, double value, unsigned decimals, const char *unit, const char *text)
{
    mgc__text_add(&v->t, "<div class=\"card\"><b>");
    mgc__text_fixed(&v->t, value, decimals, true);
    mgc__text_add(&v->t, " <small>");
    mgc__text_escaped(&v->t, unit);
    mgc__text_add(&v->t, "</small></b><span>");
    mgc__text_escaped(&v->t, text);
    mgc__text_add(&v->t, "</span></div>");
}

static double total(const view *v, const mgc_plan *plan, const char *what)
{
    double sum = 0, one;

    for (uint32_t i = 0; i < v->info.microgrids; i++)
        if (mgc_plan_get_number(plan, mgc_model_microgrid_id(v->model, i), what, &one) == MGC_OK) sum += one;
    return sum;
}

static void head(view *v)
{
    mgc_io__page_head(&v->t, v->info.name, v->info.name);
    mgc__text_printf(&v->t, "<p class=\"soft\">%.10s · %u members · %u periods of %u minutes", v->info.start, v->info.microgrids, v->info.periods,
                   v->info.period_minutes);
    if (v->info.history_days > 0)
        mgc__text_printf(&v->t, " · %u scenarios out of %u past days", v->info.scenarios, v->info.history_days);
    mgc__text_add(&v->t, "</p>");
}

static void cards(view *v)
{
    double traded = 0, saved = v->result.surplus, base = fabs(v->result.standalone_total);

    for (uint32_t i = 0; i < v->result.trades; i++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        if (mgc_alliance_get_trade(v->report->alliance, i, &trade) == MGC_OK) traded += trade.sent_kwh;
    }
    mgc__text_add(&v->t, "<div class=\"cards\">");
    card(v, v->result.standalone_total, 0, v->info.currency, "cost of the day, each alone");
    card(v, v->result.cost, 0, v->info.currency, "cost of the day, together");
    card(v, saved, 0, v->info.currency, "saved, shared by Nash bargaining");
    card(v, base > 0 ? 100 * saved / base : 0, 1, "%", "of the cost alone");
    card(v, traded, 0, "kWh", "traded between members");
    card(v, total(v, v->together, "emission_kg") - total(v, v->alone, "emission_kg"), 0, "kg CO₂", "change of emissions");
    mgc__text_add(&v->t, "</div>");
}

static void number_cell(view *v, double value, unsigned decimals)
{
    mgc__text_add(&v->t, "<td class=\"r\">");
    mgc__text_fixed(&v->t, value, decimals, true);
    mgc__text_add(&v->t, "</td>");
}

static double plan_number(const mgc_plan *plan, const char *id, const char *what)
{
    double value;
    return mgc_plan_get_number(plan, id, what, &value) == MGC_OK ? value : NAN;
}

static void member_table(view *v)
{
    double sum[8] = {0};

    mgc__text_printf(&v->t, "<h2>What each member gains</h2><div class=\"scroll\"><table><tr><th>member<th class=\"r\">alone<br>%s<th class=\"r\">together<br>%s"
                          "<th class=\"r\">pays (+)<br>receives (−)<th class=\"r\">final<br>%s<th class=\"r\">saving<br>%s<th class=\"r\">CO₂ kg<br>alone"
                          "<th class=\"r\">CO₂ kg<br>together<th class=\"r\">renewable<br>kWh alone<th class=\"r\">renewable<br>kWh together</tr>",
                   v->info.currency, v->info.currency, v->info.currency, v->info.currency);
    for (uint32_t i = 0; i < v->result.members; i++) {
        mgc_member_info m = {.struct_size = sizeof m};
        if (mgc_alliance_get_member(v->report->alliance, i, &m) != MGC_OK) continue;
        const double value[9] = {m.standalone_cost, m.cost, m.payment, m.final_cost, m.standalone_cost - m.final_cost,
                                 plan_number(v->alone, m.id, "emission_kg"), plan_number(v->together, m.id, "emission_kg"),
                                 plan_number(v->alone, m.id, "renewable_used_kwh"), plan_number(v->together, m.id, "renewable_used_kwh")};
        static const unsigned decimals[9] = {2, 2, 2, 2, 2, 0, 0, 0, 0};
        mgc__text_add(&v->t, "<tr><td>");
        mgc__text_escaped(&v->t, m.id);
        mgc__text_add(&v->t, "</td>");
        for (size_t k = 0; k < 9; k++) {
            number_cell(v, value[k], decimals[k]);
            if (k < 5) sum[k] += value[k];
        }
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "<tr class=\"sum\"><td>all</td>");
    for (size_t k = 0; k < 5; k++) number_cell(v, sum[k], 2);
    number_cell(v, total(v, v->alone, "emission_kg"), 0);
    number_cell(v, total(v, v->together, "emission_kg"), 0);
    number_cell(v, total(v, v->alone, "renewable_used_kwh"), 0);
    number_cell(v, total(v, v->together, "renewable_used_kwh"), 0);
    mgc__text_add(&v->t, "</tr></table></div>");
}

/* --- trades, money, carbon --------------------------------------------------------------------------------- */

/* One link: the index-th trade upwards, its opposite direction (later in the list, if used) downwards. */
static void trade_chart(view *v, uint32_t index, const mgc_trade *trade)
{
    mgc__text title = {.ctx = v->ctx}, there = {.ctx = v->ctx}, back = {.ctx = v->ctx}, right = {.ctx = v->ctx};

    mgc__text_printf(&title, "%s: %s – %s", trade->carrier == MGC_CARRIER_HEAT ? "Heat" : "Electricity", trade->from, trade->to);
    mgc__text_printf(&there, "%s → %s", trade->from, trade->to);
    mgc__text_printf(&back, "%s → %s", trade->to, trade->from);
    mgc__text_printf(&right, "%s/kWh", v->info.currency);
    if (title.failed || there.failed || back.failed || right.failed) {
        v->status = MGC_E_NO_MEMORY;
    } else {
        mgc_io__chart c = new_chart(v, title.bytes, "kW sent");
        c.right_unit = right.bytes;
        add_up(&c, there.bytes, "#2e9e6b", trade->sent_kw);
        for (uint32_t k = index + 1; k < v->result.trades; k++) {
            mgc_trade other = {.struct_size = sizeof other};
            if (mgc_alliance_get_trade(v->report->alliance, k, &other) == MGC_OK && other.link == trade->link)
                add_down(&c, back.bytes, "#2f6fae", other.sent_kw);
        }
        add(c.right, &c.n_right, "price", "#b3261e", trade->price_per_kwh);
        mgc_io__chart_time(&v->t, &c);
    }
    mgc__text_free(&title);
    mgc__text_free(&there);
    mgc__text_free(&back);
    mgc__text_free(&right);
}

static void trade_charts(view *v)
{
    mgc__text_add(&v->t, "<h2>Who trades what with whom</h2><p class=\"soft\">Each link: sent one way above, the other way below. The price is the "
                         "multiplier of the link's coupling constraint.</p><div class=\"charts\">");
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
static void trade_table(view *v)
{
    mgc__text_add(&v->t, "<div class=\"scroll\"><table><tr><th>from<th>to<th>carrier<th class=\"r\">kWh<th class=\"r\">periods<th class=\"r\">mean price<th class=\"r\">"
                        "worth</tr>");
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
        number_cell(v, trade.sent_kwh, 1);
        number_cell(v, periods, 0);
        number_cell(v, trade.sent_kwh > 0 ? trade.money / trade.sent_kwh : 0, 4);
        number_cell(v, trade.money, 2);
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "</table></div>");
}

static void pair_table(view *v)
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
        number_cell(v, sign * pair.trades, 2);
        number_cell(v, sign * pair.transfer, 2);
        number_cell(v, sign * pair.payment, 2);
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "</table></div>");
}

enum { MEMBERS_DRAWN_MAX = 24 };

static void bars_of_members(view *v)
{
    const char *names[MEMBERS_DRAWN_MAX];
    double cost[MEMBERS_DRAWN_MAX * 3], carbon[MEMBERS_DRAWN_MAX * 2], green[MEMBERS_DRAWN_MAX * 2];
    size_t n = v->result.members < MEMBERS_DRAWN_MAX ? v->result.members : MEMBERS_DRAWN_MAX;
    static const mgc_io__series costs[] = {{"alone", "#8594a6", NULL, false}, {"together, before payments", "#9ed0b8", NULL, false},
                                           {"together, after payments", "#2e9e6b", NULL, false}};
    static const mgc_io__series pairs[] = {{"alone", "#8594a6", NULL, false}, {"together", "#2e9e6b", NULL, false}};

    for (size_t i = 0; i < n; i++) {
        mgc_member_info m = {.struct_size = sizeof m};
        if (mgc_alliance_get_member(v->report->alliance, (uint32_t)i, &m) != MGC_OK) return;
        names[i] = m.id;
        cost[3 * i] = m.standalone_cost;
        cost[3 * i + 1] = m.cost;
        cost[3 * i + 2] = m.final_cost;
        carbon[2 * i] = plan_number(v->alone, m.id, "emission_kg");
        carbon[2 * i + 1] = plan_number(v->together, m.id, "emission_kg");
        green[2 * i] = plan_number(v->alone, m.id, "renewable_used_kwh");
        green[2 * i + 1] = plan_number(v->together, m.id, "renewable_used_kwh");
    }
    mgc__text_add(&v->t, "<h2>Money and carbon</h2><div class=\"charts\">");
    mgc_io__chart_bars(&v->t, "Cost of the day", v->info.currency, names, n, costs, 3, cost);
    mgc_io__chart_bars(&v->t, "Emissions", "kg CO₂, expected in the worst case", names, n, pairs, 2, carbon);
    mgc_io__chart_bars(&v->t, "Renewable energy used", "kWh, expected in the worst case", names, n, pairs, 2, green);
    mgc__text_add(&v->t, "</div>");
}

/* --- how the agents agreed ------------------------------------------------------------------------------------ */

static void convergence(view *v)
{
    size_t n = v->result.rounds;
    double *primal = mgc__io_alloc(v->ctx, 3 * (n + 1), sizeof *primal), *dual = primal + n, *gap = dual + n;

    if (primal == NULL || n == 0) {
        if (primal == NULL) v->status = MGC_E_NO_MEMORY;
        mgc_ctx_release(v->ctx, primal);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        mgc_round round = {.struct_size = sizeof round};
        if (mgc_alliance_get_round(v->report->alliance, (uint32_t)i, &round) != MGC_OK) continue;
        primal[i] = round.primal;
        dual[i] = round.dual;
        gap[i] = round.disagreement_kw;
    }
    const mgc_io__series residuals[] = {{"disagreement (primal residual)", "#2f6fae", primal, false}, {"movement (dual residual)", "#d4652f", dual, false}};
    const mgc_io__series kilowatts[] = {{"largest difference between two ends", "#7d5fc0", gap, false}};
    mgc__text_printf(&v->t, "<h2>How the agents agreed</h2><p>%zu rounds of proposals. Each agent told its neighbours only the trades that it would like; "
                          "no loads, devices, costs or scenarios. The plan costs at most ", n);
    mgc__text_fixed(&v->t, 100 * v->result.gap, 4, false);
    mgc__text_add(&v->t, " % of the cost alone more than the best plan there can be: that is proven by the lower bound at the final prices.</p>"
                        "<div class=\"charts\">");
    mgc_io__chart_log(&v->t, "Residuals", "relative, by round", residuals, 2, n);
    mgc_io__chart_log(&v->t, "Difference of proposals", "kW, by round", kilowatts, 1, n);
    mgc__text_add(&v->t, "</div>");
    mgc_ctx_release(v->ctx, primal);
}

static void probabilities(view *v)
{
    uint32_t scenarios = v->info.scenarios;
    double p[256];

    if (scenarios == 0 || scenarios > 256) return;
    mgc__text_add(&v->t, "<h3>Worst-case probabilities of the scenarios</h3><div class=\"scroll\"><table><tr><th>scenario<th class=\"r\">day<th class=\"r\">nominal");
    for (uint32_t i = 0; i < v->info.microgrids; i++) {
        mgc__text_add(&v->t, "<th class=\"r\">");
        mgc__text_escaped(&v->t, mgc_model_microgrid_id(v->model, i));
    }
    mgc__text_add(&v->t, "</tr>");
    for (uint32_t k = 0; k < scenarios; k++) {
        uint64_t day_ms;
        uint32_t members;
        if (mgc_case_scenario(v->report->kase, k, &day_ms, &members) != MGC_OK) continue;
        int64_t ago = ((int64_t)v->info.history_day_ms - (int64_t)day_ms) / 86400000;
        mgc__text_printf(&v->t, "<tr><td>%u</td><td class=\"r\">%lld days before</td>", k + 1, (long long)ago);
        number_cell(v, (double)members / v->info.history_days, 3);
        for (uint32_t i = 0; i < v->info.microgrids; i++)
            number_cell(v, mgc_plan_get_probability(v->together, mgc_model_microgrid_id(v->model, i), p, scenarios) == MGC_OK ? p[k] : NAN, 3);
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "</table></div>");
}

/* --- checks ---------------------------------------------------------------------------------------- */

static void checks(view *v)
{
    mgc__text_add(&v->t, "<h2>Self-checks</h2><ul class=\"checks\">");
    for (size_t i = 0; i < v->report->checks; i++) {
        const mgc_report_check *check = &v->report->check[i];
        mgc__text_printf(&v->t, "<li><span class=\"%s\">%s</span> ", check->ok ? "ok" : "no", check->ok ? "✓" : "✗");
        mgc__text_escaped(&v->t, check->name);
        mgc__text_add(&v->t, " <small>");
        mgc__text_escaped(&v->t, check->found);
        mgc__text_add(&v->t, "</small></li>");
    }
    mgc__text_add(&v->t, "</ul>");
}

static mgc_status gather(view *v)
{
    v->info.struct_size = sizeof v->info;
    v->result.struct_size = sizeof v->result;
    mgc_status st = mgc_case_get_info(v->report->kase, &v->info);
    if (st == MGC_OK) st = mgc_alliance_get_info(v->report->alliance, &v->result);
    if (st == MGC_OK) st = mgc_alliance_get_plan(v->report->alliance, MGC_DISPATCH_ALONE, &v->alone);
    if (st == MGC_OK) st = mgc_alliance_get_plan(v->report->alliance, MGC_DISPATCH_ALLIANCE, &v->together);
    if (st != MGC_OK) return st;
    v->model = mgc_case_model(v->report->kase);
    v->n = mgc_model_periods(v->model);
    v->hours = mgc_model_hours(v->model);
    v->start_hour = (double)(v->info.start_ms / 60000 % 1440) / 60;
    if (v->n > PERIODS_MAX) return mgc_ctx_fail(v->ctx, MGC_E_LIMIT, "report: more than 1024 periods cannot be drawn");
    v->pool = mgc__io_alloc(v->ctx, v->n * POOL_SERIES, sizeof *v->pool);
    return v->pool != NULL ? MGC_OK : MGC_E_NO_MEMORY;
}

mgc_status mgc_report_write(mgc_ctx *ctx, const char *path, const mgc_report *report)
{
    if (ctx == NULL || path == NULL || report == NULL || report->kase == NULL || report->alliance == NULL) return MGC_E_INVALID_ARG;
    if (report->struct_size != sizeof *report) return MGC_E_ABI_SIZE;
    view v = {.report = report, .ctx = ctx, .t = {.ctx = ctx}};
    mgc_status st = gather(&v);
    if (st == MGC_OK) {
        head(&v);
        cards(&v);
        member_table(&v);
        checks(&v);
        sites(&v);
        trade_charts(&v);
        trade_table(&v);
        pair_table(&v);
        bars_of_members(&v);
        convergence(&v);
        probabilities(&v);
        for (size_t i = 0; i < report->tables; i++) mgc_io__page_table(&v.t, &report->table[i]);
        mgc_io__page_foot(&v.t, report->made_by);
        st = v.t.failed ? MGC_E_NO_MEMORY : v.status;
    }
    if (st == MGC_OK) st = mgc_file_write(ctx, path, v.t.bytes, v.t.len);
    mgc__text_free(&v.t);
    mgc_ctx_release(ctx, v.pool);
    return st;
}
