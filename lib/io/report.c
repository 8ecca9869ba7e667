/* SPDX-License-Identifier: Apache-2.0 */
/* The day, drawn.  Values over scenarios are expectations under each member's worst-case probabilities. */
#include "mgchain/report.h"

#include <math.h>
#include <string.h>

#include "io/view.h"

/* --- head ------------------------------------------------------------------------------------------------ */

static void card(mgc_io__view *v, double value, unsigned decimals, const char *unit, const char *text)
{
    mgc__text_add(&v->t, "<div class=\"card\"><b>");
    mgc__text_fixed(&v->t, value, decimals, true);
    mgc__text_add(&v->t, " <small>");
    mgc__text_escaped(&v->t, unit);
    mgc__text_add(&v->t, "</small></b><span>");
    mgc__text_escaped(&v->t, text);
    mgc__text_add(&v->t, "</span></div>");
}

/* What is not served is drawn hatched. */
static const char patterns[] =
    "<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\"><defs><pattern id=\"short\" width=\"4\" height=\"4\" "
    "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect width=\"4\" height=\"4\" fill=\"var(--page)\"/>"
    "<rect width=\"2\" height=\"4\" fill=\"#c62828\"/></pattern></defs></svg>";

static void head(mgc_io__view *v)
{
    mgc_io__page_head(&v->t, v->info.name, v->info.name);
    mgc__text_add(&v->t, patterns);
    mgc__text_printf(&v->t, "<p class=\"soft\">%.10s · %u members · %u periods of %u minutes, times in UTC", v->info.start, v->info.microgrids, v->info.periods,
                   v->info.period_minutes);
    if (v->info.history_days > 0)
        mgc__text_printf(&v->t, " · %u scenarios out of %u past days", v->info.scenarios, v->info.history_days);
    mgc__text_add(&v->t, "</p>");
}

static void cards(mgc_io__view *v)
{
    double traded = 0, saved = v->result.surplus, base = fabs(v->result.standalone_total);
    bool pool = mgc_io__view_pool(v);

    for (uint32_t i = 0; i < v->result.trades; i++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        if (mgc_alliance_get_trade(v->report->alliance, i, &trade) == MGC_OK && !(pool && strcmp(trade.from, mgc_pool_id()) == 0))
            traded += trade.sent_kwh; /* what goes through a pool is counted once */
    }
    mgc__text_add(&v->t, "<div class=\"cards\">");
    card(v, v->result.standalone_total, 0, v->info.currency, "cost of the day, each alone");
    card(v, v->result.cost, 0, v->info.currency, "cost of the day, together");
    card(v, saved, 0, v->info.currency, "saved, shared by Nash bargaining");
    card(v, base > 0 ? 100 * saved / base : 0, 1, "%", "of the cost alone saved");
    card(v, traded, 0, "kWh", "traded between members");
    card(v, mgc_io__view_total(v, v->together, "emission_kg") - mgc_io__view_total(v, v->alone, "emission_kg"), 0, "kg CO₂", "emissions, against each alone");
    mgc__text_add(&v->t, "</div>");
}

/* Where to find what; on paper the reader turns pages. */
static void contents(mgc_io__view *v)
{
    static const char *const links[][2] = {{"pay", "What do I pay?"}, {"members", "Gains"}, {"checks", "Self-checks"}, {"trades", "Trades"}, {"money", "Money and carbon"},
                                           {"plans", "Plans"}, {"agree", "Agreement"}, {"caution", "Caution"}, {"ledger", "Ledger"}};

    mgc__text_add(&v->t, "<nav>");
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        bool absent = (strcmp(links[i][0], "agree") == 0 && v->result.rounds == 0) || (strcmp(links[i][0], "ledger") == 0 && v->report->figures == 0) ||
                      (strcmp(links[i][0], "caution") == 0 && v->info.scenarios < 2 && v->report->cautions == 0);
        if (!absent) mgc__text_printf(&v->t, "<a href=\"#%s\">%s</a> ", links[i][0], links[i][1]);
    }
    mgc__text_add(&v->t, "</nav>");
}

/* --- checks ---------------------------------------------------------------------------------------- */

static void checks(mgc_io__view *v)
{
    mgc__text_add(&v->t, "<h2 id=\"checks\">Self-checks</h2><ul class=\"checks\">");
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

/* --- the whole ------------------------------------------------------------------------------------- */

static mgc_status gather(mgc_io__view *v)
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
    if (v->n > MGC_IO__PERIODS_MAX) return mgc_ctx_fail(v->ctx, MGC_E_LIMIT, "report: more than 1024 periods cannot be drawn");
    v->pool = mgc__io_alloc(v->ctx, v->n * MGC_IO__POOL_SERIES, sizeof *v->pool);
    return v->pool != NULL ? MGC_OK : MGC_E_NO_MEMORY;
}

mgc_status mgc_report_write(mgc_ctx *ctx, const char *path, const mgc_report *report)
{
    if (ctx == NULL || path == NULL || report == NULL) return MGC_E_INVALID_ARG;
    mgc_report own = {.struct_size = sizeof own};
    mgc_status read = mgc_struct_read(&own, sizeof own, MGC__FIRST_SIZE(mgc_report, bounds), report);
    if (read != MGC_OK) return mgc_ctx_fail(ctx, read, "report: report.struct_size is not one that this library knows");
    if (own.kase == NULL || own.alliance == NULL) return MGC_E_INVALID_ARG;
    mgc_io__view v = {.report = &own, .ctx = ctx, .t = {.ctx = ctx}};
    mgc_status st = gather(&v);
    if (st == MGC_OK) {
        head(&v);
        cards(&v);
        contents(&v);
        mgc_io__report_sentences(&v);
        mgc_io__report_members(&v);
        checks(&v);
        mgc_io__report_trades(&v);
        mgc_io__report_money(&v);
        mgc_io__report_sites(&v);
        mgc_io__report_agreement(&v);
        mgc_io__report_caution(&v);
        mgc_io__report_figures(&v);
        for (size_t i = 0; i < own.tables; i++) mgc_io__page_table(&v.t, &own.table[i]);
        mgc_io__page_foot(&v.t, own.made_by);
        st = v.t.failed ? MGC_E_NO_MEMORY : v.status;
    }
    if (st == MGC_OK) st = mgc_file_write(ctx, path, v.t.bytes, v.t.len);
    mgc__text_free(&v.t);
    mgc_ctx_release(ctx, v.pool);
    return st;
}
