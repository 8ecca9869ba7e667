/* SPDX-License-Identifier: Apache-2.0 */
/* One microgrid's pictures: dispatch stacks, storage, what the day may bring, what the worst case weighs. */
#include <math.h>
#include <string.h>

#include "io/view.h"

static const char *const grid_color = "#5a6469", *const grid_late_color = "#d3dae1", *const trade_color = "#05925e";
/* What is not served is hatched, so that no eye and no printer can miss it. */
static const char *const short_color = "url(#short)", *const load_color = "var(--ink)";

/* Found by search for the largest least distance (CIE 1976) between two of them as seen with all cones and with any one kind missing
 * (Machado, Oliveira and Fernandes 2009); a test holds the report to it. */
static const char *type_color(const char *type, uint32_t nth)
{
    static const struct {
        const char *type, *color[3];
    } colors[] = {
        {"pv", {"#eac619", "#f3de7a", "#b8980a"}},           {"wind", {"#73d3fe", "#b3e6ff", "#3fa6d6"}},
        {"renewable", {"#91b25f", "#bdd39a", "#6c8a3f"}},    {"chp", {"#d95812", "#f0965a", "#a3400a"}},
        {"gas_boiler", {"#7a3a22", "#a8735e", "#55260f"}},   {"electric_boiler", {"#dd86ad", "#eebbd2", "#b65f86"}},
        {"heat_pump", {"#ca43aa", "#e08cca", "#93267a"}},    {"storage", {"#0a37a3", "#9165fe", "#5a7de0"}},
        {"linear", {"#2f2629", "#655a5e", "#8f8589"}},
    };
    for (size_t i = 0; i < sizeof colors / sizeof colors[0]; i++)
        if (strcmp(colors[i].type, type) == 0) return colors[i].color[nth % 3];
    return "#777777";
}

static void add_up(mgc_io__chart *c, const char *name, const char *color, const double *values)
{
    mgc_io__view_add(c->up, &c->n_up, name, color, values);
}

static void add_down(mgc_io__chart *c, const char *name, const char *color, const double *values)
{
    mgc_io__view_add(c->down, &c->n_down, name, color, values);
}

/* What a site sends (down) and receives (up) by trade, both less than what the plan's links carry after losses. */
static void add_trades(mgc_io__view *v, mgc_io__chart *c, const char *site, uint32_t carrier)
{
    double *received = mgc_io__view_series(v), *sent = mgc_io__view_series(v);

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
static void add_devices(mgc_io__view *v, mgc_io__chart *c, const char *id, bool heat, double *served, double *unserved)
{
    const mgc_microgrid *site = mgc_model_microgrid(v->model, id);

    for (uint32_t d = 0; d < mgc_microgrid_devices(site); d++) {
        const char *name = mgc_microgrid_device_id(site, d), *type = mgc_microgrid_device_type(site, d);
        const mgc_device *device = mgc_microgrid_device((mgc_microgrid *)(uintptr_t)site, name);
        const char *color = type_color(type, nth_of_type(site, d));
        if (strcmp(type, "load") == 0) {
            if (is_heat(device) != heat) continue;
            add_sum(served, mgc_io__view_expected(v, v->together, id, name, "served_kw"), v->n);
            add_sum(unserved, mgc_io__view_expected(v, v->together, id, name, "unserved_kw"), v->n);
        } else if (strcmp(type, "storage") == 0) {
            if (is_heat(device) != heat) continue;
            add_up(c, name, color, mgc_io__view_expected(v, v->together, id, name, "discharge_kw"));
            add_down(c, name, color, mgc_io__view_expected(v, v->together, id, name, "charge_kw"));
        } else if (strcmp(type, "heat_pump") == 0 || strcmp(type, "electric_boiler") == 0) {
            if (heat) add_up(c, name, color, mgc_io__view_expected(v, v->together, id, name, "heat_kw"));
            else add_down(c, name, color, mgc_io__view_expected(v, v->together, id, name, "power_kw"));
        } else if (strcmp(type, "linear") != 0) {
            const char *quantity = heat ? "heat_kw" : "power_kw";
            if (heat != (strcmp(type, "gas_boiler") == 0) && strcmp(type, "chp") != 0) continue;
            add_up(c, name, color, mgc_io__view_expected(v, v->together, id, name, quantity));
        }
    }
}

static void add_grid(mgc_io__view *v, mgc_io__chart *c, const char *id, bool heat)
{
    if (heat) {
        add_up(c, "district network", grid_color, mgc_io__view_first_stage(v, v->together, id, "", "heat_buy_kw"));
        return;
    }
    add_up(c, "grid, day ahead", grid_color, mgc_io__view_first_stage(v, v->together, id, "", "buy_kw"));
    add_up(c, "grid, real time", grid_late_color, mgc_io__view_expected(v, v->together, id, "", "realtime_buy_kw"));
    add_down(c, "grid, day ahead", grid_color, mgc_io__view_first_stage(v, v->together, id, "", "sell_kw"));
    add_down(c, "grid, real time", grid_late_color, mgc_io__view_expected(v, v->together, id, "", "realtime_sell_kw"));
}

static bool has_linear(const mgc_io__view *v, const char *id)
{
    const mgc_microgrid *site = mgc_model_microgrid(v->model, id);

    for (uint32_t d = 0; d < mgc_microgrid_devices(site); d++)
        if (strcmp(mgc_microgrid_device_type(site, d), "linear") == 0) return true;
    return false;
}

/* One carrier's balance: grid, devices and trades in stacks, what is short on top, demand as a line. */
static void balance_chart(mgc_io__view *v, const char *id, bool heat)
{
    static const char *const unit[2][2] = {
        {"kW, expected; above: supply, below: use beyond demand", "kW, expected; above: supply, below: use beyond demand; without linear devices"},
        {"kW, expected; above: supply, below: storing and sending", "kW, expected; above: supply, below: storing and sending; without linear devices"}};
    mgc_io__chart c = mgc_io__view_chart(v, heat ? "Heat" : "Electricity", unit[heat][has_linear(v, id)]);
    double *served = mgc_io__view_series(v), *unserved = mgc_io__view_series(v);

    add_grid(v, &c, id, heat);
    add_devices(v, &c, id, heat, served, unserved);
    add_trades(v, &c, id, heat ? MGC_CARRIER_HEAT : MGC_CARRIER_ELECTRICITY);
    add_up(&c, "not served", short_color, unserved);
    add_sum(served, unserved, v->n);
    mgc_io__view_add(c.line, &c.n_line, heat ? "demand" : "demand after shifting", load_color, served);
    mgc_io__view_draw(v, &c);
    mgc_io__view_done(v);
}

static void storage_chart(mgc_io__view *v, const char *id)
{
    const mgc_microgrid *site = mgc_model_microgrid(v->model, id);
    mgc_io__chart c = mgc_io__view_chart(v, "Storage", "kWh held at the end of each period, expected");

    for (uint32_t d = 0; d < mgc_microgrid_devices(site); d++) {
        const char *name = mgc_microgrid_device_id(site, d);
        if (strcmp(mgc_microgrid_device_type(site, d), "storage") != 0) continue;
        bool heat = is_heat(mgc_microgrid_device((mgc_microgrid *)(uintptr_t)site, name));
        mgc_io__view_add(c.line, &c.n_line, name, type_color("storage", nth_of_type(site, d)), mgc_io__view_expected(v, v->together, id, name, "energy_kwh"));
        if (c.n_line > 0) c.line[c.n_line - 1].dashed = heat; /* told apart without colours, too */
    }
    if (c.n_line > 0) mgc_io__view_draw(v, &c);
    mgc_io__view_done(v);
}

/* --- what the day may bring ------------------------------------------------------------------------------------- */

/* Sun and wind on offer in scenario k. */
static void add_offer(const mgc_io__view *v, const mgc_microgrid *from, uint32_t k, double *sum)
{
    double value;

    for (uint32_t d = 0; d < mgc_microgrid_devices(from); d++) {
        const mgc_device *device = mgc_microgrid_device(from, mgc_microgrid_device_id(from, d));
        for (uint32_t i = 0; i < v->n; i++)
            if (mgc_device_get(device, "available_kw", k, i, &value) == MGC_OK) sum[i] += value;
    }
}

/* The least value that scenarios of this much probability do not exceed. */
static double quantile(const double *value, const double *p, uint32_t n, double level)
{
    double best = NAN;

    for (uint32_t k = 0; k < n; k++) {
        double mass = 0;
        for (uint32_t j = 0; j < n; j++)
            if (value[j] <= value[k]) mass += p[j];
        if (mass >= level - 1e-9 && !(best <= value[k])) best = value[k];
    }
    return best;
}

static void fan_numbers(mgc_io__view *v, uint32_t scenarios, double *const band[5], const double *came)
{
    static const char *const names[5] = {"least", "10 %", "median", "90 %", "most"};
    mgc_io__chart c = mgc_io__view_chart(v, "", "");

    for (size_t q = 0; scenarios > 1 && q < 5; q++) mgc_io__view_add(c.line, &c.n_line, names[q], "", band[q]);
    if (scenarios == 1) mgc_io__view_add(c.line, &c.n_line, "forecast", "", band[2]);
    if (came != NULL) mgc_io__view_add(c.line, &c.n_line, "as it came", "", came);
    mgc_io__view_numbers(v, &c);
}

static void fan_chart(mgc_io__view *v, const char *id)
{
    static const double level[5] = {0, .1, .5, .9, 1};
    const mgc_microgrid *site = mgc_model_microgrid(v->model, id);
    const mgc_model *realised = mgc_case_realised(v->report->kase);
    uint32_t scenarios = mgc_microgrid_scenarios(site);
    double p[MGC_IO__SCENARIOS_MAX], at[MGC_IO__SCENARIOS_MAX], *offer, *band[5], *came = mgc_io__view_series(v);

    if (scenarios > MGC_IO__SCENARIOS_MAX || mgc_microgrid_get_probability(site, p, scenarios) != MGC_OK) return;
    offer = mgc__io_alloc(v->ctx, scenarios * v->n, sizeof *offer);
    if (offer == NULL) {
        v->status = MGC_E_NO_MEMORY;
        return;
    }
    for (uint32_t k = 0; k < scenarios; k++) add_offer(v, site, k, offer + k * v->n);
    if (realised != NULL) add_offer(v, mgc_model_microgrid(realised, id), 0, came);
    for (size_t q = 0; q < 5; q++) band[q] = mgc_io__view_series(v);
    for (size_t i = 0; i < v->n; i++) {
        for (uint32_t k = 0; k < scenarios; k++) at[k] = offer[k * v->n + i];
        for (size_t q = 0; q < 5; q++) band[q][i] = quantile(at, p, scenarios, level[q]);
    }
    mgc_ctx_release(v->ctx, offer);
    mgc_io__fan fan = {.title = "What the day may bring", .unit = "kW of sun and wind on offer, by nominal probability", .n = v->n,
                       .bands = scenarios > 1 ? 2 : 0, .hours = v->hours, .start_hour = v->start_hour,
                       .band = {band[0], band[4], band[1], band[3]}, .band_name = {"every scenario", "10 to 90 %"}};
    fan.line[fan.lines++] = (mgc_io__series){scenarios > 1 ? "median" : "forecast", "var(--fan)", band[2], false};
    if (realised != NULL) fan.line[fan.lines++] = (mgc_io__series){"as it came", "var(--ink)", came, true};
    mgc__text_add(&v->t, "<div>");
    mgc_io__chart_fan(&v->t, &fan);
    fan_numbers(v, scenarios, band, realised != NULL ? came : NULL);
    mgc__text_add(&v->t, "</div>");
    mgc_io__view_done(v);
}

static void weight_numbers(mgc_io__view *v, uint32_t scenarios, const double *nominal, const double *worst)
{
    mgc__text_add(&v->t, "<details><summary>numbers</summary><div class=\"scroll\"><table><tr><th class=\"r\">scenario<th class=\"r\">nominal"
                         "<th class=\"r\">worst case</tr>");
    for (uint32_t k = 0; k < scenarios; k++) {
        mgc__text_add(&v->t, "<tr>");
        mgc_io__view_number_cell(v, k + 1, 0);
        mgc_io__view_number_cell(v, nominal[k], 4);
        mgc_io__view_number_cell(v, worst[k], 4);
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "</table></div></details>");
}

/* How much weight nature gives each scenario at its worst, next to how often it came. */
static void weight_chart(mgc_io__view *v, const char *id)
{
    double nominal[MGC_IO__SCENARIOS_MAX], worst[MGC_IO__SCENARIOS_MAX];
    const mgc_microgrid *site = mgc_model_microgrid(v->model, id);
    uint32_t scenarios = mgc_microgrid_scenarios(site);

    if (scenarios < 2 || scenarios > MGC_IO__SCENARIOS_MAX || mgc_microgrid_get_probability(site, nominal, scenarios) != MGC_OK ||
        mgc_plan_get_probability(v->together, id, worst, scenarios) != MGC_OK)
        return;
    const mgc_io__series series[2] = {{"nominal", "#8594a6", nominal, false}, {"worst case", "#d55e00", worst, false}};
    mgc__text_add(&v->t, "<div>");
    mgc_io__chart_columns(&v->t, "Weight of the scenarios", "probability, by number of the scenario", NULL, scenarios, series, 2, false);
    weight_numbers(v, scenarios, nominal, worst);
    mgc__text_add(&v->t, "</div>");
}

void mgc_io__report_sites(mgc_io__view *v)
{
    mgc__text_add(&v->t, "<h2 id=\"plans\">The plan of each member, together</h2><p class=\"soft\">Day-ahead decisions hold for every scenario; the rest is what "
                        "members expect under their own worst-case probabilities.</p>");
    for (uint32_t i = 0; i < v->info.microgrids; i++) {
        const char *id = mgc_model_microgrid_id(v->model, i);
        mgc__text_add(&v->t, "<section><h3>");
        mgc__text_escaped(&v->t, id);
        mgc__text_add(&v->t, "</h3><div class=\"charts\">");
        balance_chart(v, id, false);
        balance_chart(v, id, true);
        storage_chart(v, id);
        fan_chart(v, id);
        weight_chart(v, id);
        mgc__text_add(&v->t, "</div></section>");
    }
}
