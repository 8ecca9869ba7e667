/* SPDX-License-Identifier: Apache-2.0 */
/* How the agents agreed, what caution costs, and where the scenarios come from. */
#include <math.h>
#include <string.h>

#include "io/view.h"

static void convergence(mgc_io__view *v)
{
    size_t n = v->result.rounds;
    double *primal = mgc__io_alloc(v->ctx, 3 * (n + 1), sizeof *primal), *dual, *gap;

    if (primal == NULL || n == 0) {
        if (primal == NULL) v->status = MGC_E_NO_MEMORY;
        mgc_ctx_release(v->ctx, primal);
        return;
    }
    dual = primal + n;
    gap = dual + n;
    for (size_t i = 0; i < n; i++) {
        mgc_round round = {.struct_size = sizeof round};
        if (mgc_alliance_get_round(v->report->alliance, (uint32_t)i, &round) != MGC_OK) continue;
        primal[i] = round.primal;
        dual[i] = round.dual;
        gap[i] = round.disagreement_kw;
    }
    const mgc_io__series residuals[] = {{"disagreement (primal residual)", "#0072b2", primal, false}, {"movement (dual residual)", "#d55e00", dual, false}};
    const mgc_io__series kilowatts[] = {{mgc_io__view_pool(v) ? "largest sum of what is sent less what is taken out" : "largest difference between two ends", "#0072b2", gap, false}};
    mgc__text_printf(&v->t, "<h2 id=\"agree\">How the agents agreed</h2><p>%zu rounds of proposals. %s; no loads, devices, costs or scenarios. The plan costs at most ", n,
                     mgc_io__view_pool(v) ? "What the agents told each other are sums of all members' offers to the pool"
                                          : "Each agent told its neighbours only the trades that it would like");
    mgc__text_fixed(&v->t, 100 * v->result.gap, 4, false);
    mgc__text_add(&v->t, " % of the cost alone more than the best plan there can be: that is proven by the lower bound at the final prices.</p>"
                        "<div class=\"charts\">");
    mgc__text_add(&v->t, "<div>");
    mgc_io__chart_log(&v->t, "Residuals", "relative, by round", residuals, 2, n);
    mgc_io__view_points(v, "round", NULL, residuals, 2, n, 6);
    mgc__text_add(&v->t, "</div><div>");
    mgc_io__chart_log(&v->t, "Difference of proposals", "kW, by round", kilowatts, 1, n);
    mgc_io__view_points(v, "round", NULL, kilowatts, 1, n, 4);
    mgc__text_add(&v->t, "</div></div>");
    mgc_ctx_release(v->ctx, primal);
}

static void probabilities(mgc_io__view *v)
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
        mgc_io__view_number_cell(v, (double)members / v->info.history_days, 3);
        for (uint32_t i = 0; i < v->info.microgrids; i++)
            mgc_io__view_number_cell(v, mgc_plan_get_probability(v->together, mgc_model_microgrid_id(v->model, i), p, scenarios) == MGC_OK ? p[k] : NAN, 3);
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "</table></div>");
}

/* --- caution ------------------------------------------------------------------------------------------------------ */

enum { CAUTIONS_MAX = 8 };

static void caution_bars(mgc_io__view *v)
{
    static const mgc_io__series series[] = {{"expected, as often as in the past", "#8594a6", NULL, false},
                                            {"promised: expected, as bad as it fears", "#009e73", NULL, false},
                                            {"the worst scenario", "#d55e00", NULL, false}};
    const char *names[CAUTIONS_MAX];
    double value[3 * CAUTIONS_MAX];
    size_t n = v->report->cautions < CAUTIONS_MAX ? v->report->cautions : CAUTIONS_MAX;

    for (size_t i = 0; i < n; i++) {
        const mgc_report_caution *c = &v->report->caution[i];
        names[i] = c->name;
        value[3 * i] = c->nominal;
        value[3 * i + 1] = c->promised;
        value[3 * i + 2] = c->worst_scenario;
    }
    if (n > 0) mgc_io__chart_bars(&v->t, "The price of robustness", v->info.currency, names, n, series, 3, value);
}

static void bounds_chart(mgc_io__view *v)
{
    const mgc_io__series series[] = {{"upper bound", "#d55e00", v->report->upper, false}, {"lower bound", "#0072b2", v->report->lower, false}};
    mgc__text title = {.ctx = v->ctx};

    if (v->report->bounds == 0 || v->report->upper == NULL || v->report->lower == NULL) return;
    mgc__text_printf(&title, "%s, by iteration", v->info.currency);
    mgc__text_add(&v->t, "<div>");
    mgc_io__chart_lines(&v->t, "Column-and-constraint generation", title.failed ? "" : title.bytes, NULL, series, 2, v->report->bounds);
    mgc_io__view_points(v, "iteration", NULL, series, 2, v->report->bounds, 4);
    mgc__text_add(&v->t, "</div>");
    mgc__text_free(&title);
}

/* What reduction did to the joint distribution. */
static void moments(mgc_io__view *v)
{
    if (v->info.history_series == 0) return;
    mgc__text_printf(&v->t, "<details><summary>What the reduction from %u days to %u scenarios kept</summary><div class=\"scroll\"><table><tr><th>series<th class=\"r\">"
                     "mean,<br>days<th class=\"r\">mean,<br>scenarios<th class=\"r\">deviation,<br>days<th class=\"r\">deviation,<br>scenarios<th class=\"r\">"
                     "correlation with the<br>next period, days<th class=\"r\">the same,<br>scenarios<th class=\"r\">largest change of its<br>correlation with another</tr>",
                     v->info.history_days, v->info.scenarios);
    for (uint32_t i = 0; i < v->info.history_series; i++) {
        mgc_case_moments m = {.struct_size = sizeof m};
        if (mgc_case_series_moments(v->report->kase, i, &m) != MGC_OK) continue;
        mgc__text_add(&v->t, "<tr>");
        mgc_io__view_text_cell(v, m.name);
        for (size_t k = 0; k < 2; k++) mgc_io__view_number_cell(v, m.mean[k], 2);
        for (size_t k = 0; k < 2; k++) mgc_io__view_number_cell(v, m.deviation[k], 2);
        for (size_t k = 0; k < 2; k++) mgc_io__view_number_cell(v, m.autocorrelation[k], 3);
        mgc_io__view_number_cell(v, m.correlation_change, 3);
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "</table></div></details>");
}

void mgc_io__report_caution(mgc_io__view *v)
{
    if (v->info.scenarios < 2 && v->report->cautions == 0) return;
    mgc__text_add(&v->t, "<h2 id=\"caution\">What caution costs</h2>");
    if (v->report->cautions > 0)
        mgc__text_add(&v->t, "<p class=\"soft\">Each member for itself, on/off decisions relaxed: what a plan costs depends on what it was afraid of and on what "
                             "comes. The more a plan fears, the more it pays on average and the less at worst.</p><div class=\"charts\">");
    else
        mgc__text_add(&v->t, "<div class=\"charts\">");
    caution_bars(v);
    bounds_chart(v);
    mgc__text_add(&v->t, "</div>");
    probabilities(v);
    moments(v);
}

void mgc_io__report_agreement(mgc_io__view *v)
{
    if (v->result.rounds > 0) convergence(v);
}
