/* SPDX-License-Identifier: Apache-2.0 */
/* What caution costs and what it saves: plans of several kinds held against the days that came. */
#include "mgchain/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/chart.h"
#include "io/page.h"

enum { KINDS_MAX = 8, CELL_BYTES = 32, COLUMNS = 8 };

/* Okabe and Ito's colours, apart for every eye. */
static const char *const colors[KINDS_MAX] = {"#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#000000"};

typedef struct page {
    const mgc_evaluation *e;
    mgc_ctx *ctx;
    mgc__text t;
    double *number; /* sorted regrets: kinds x days; then 4 x kinds of means */
    mgc_status status;
} page;

static double mean(const double *x, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum / (double)n;
}

static const double *of_kind(const page *p, const double *values, size_t kind)
{
    return values + kind * p->e->days;
}

/* --- regret over the days ---------------------------------------------------------------------------------------- */

static void sort(double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double key = x[i];
        size_t j = i;
        for (; j > 0 && x[j - 1] > key; j--) x[j] = x[j - 1];
        x[j] = key;
    }
}

/* Cost above hindsight, the days of each kind from its best to its worst. */
static void regret_chart(page *p)
{
    mgc_io__series series[KINDS_MAX];
    char unit[80];

    for (size_t k = 0; k < p->e->kinds; k++) {
        double *regret = p->number + k * p->e->days;
        for (size_t d = 0; d < p->e->days; d++) regret[d] = of_kind(p, p->e->cost, k)[d] - p->e->hindsight[d];
        sort(regret, p->e->days);
        series[k] = (mgc_io__series){.name = p->e->kind[k], .color = colors[k], .values = regret, .dashed = false};
    }
    snprintf(unit, sizeof unit, "%.8s; each plan's days from its best to its worst", p->e->currency);
    mgc_io__chart_log(&p->t, "Cost above hindsight", unit, series, p->e->kinds, p->e->days);
}

/* --- means ------------------------------------------------------------------------------------------------------- */

static void bar_chart(page *p, const char *title, const char *unit, const double *values, const double *less)
{
    const mgc_io__series one = {.name = "mean of the days", .color = colors[0]};
    double *bar = p->number + p->e->kinds * p->e->days;

    for (size_t k = 0; k < p->e->kinds; k++) {
        bar[k] = mean(of_kind(p, values, k), p->e->days) - (less != NULL ? mean(less, p->e->days) : 0);
        if (fabs(bar[k]) < 0.005) bar[k] = 0; /* shown as 0.00: no bar either */
    }
    mgc_io__chart_bars(&p->t, title, unit, p->e->kind, p->e->kinds, &one, 1, bar);
}

static void coverage_chart(page *p)
{
    const mgc_io__series both[] = {{.name = "promised", .color = colors[1]}, {.name = "measured", .color = colors[0]}};
    double *bar = mgc__io_alloc(p->ctx, 2 * p->e->rules, sizeof *bar);

    if (bar == NULL) {
        p->status = MGC_E_NO_MEMORY;
        return;
    }
    for (size_t i = 0; i < p->e->rules; i++) {
        bar[2 * i] = 100 * p->e->nominal[i];
        bar[2 * i + 1] = 100 * p->e->covered[i];
    }
    mgc_io__chart_bars(&p->t, "Coverage of the radius rules", "% of draws", p->e->rule, p->e->rules, both, 2, bar);
    mgc_ctx_release(p->ctx, bar);
}

/* --- tables ------------------------------------------------------------------------------------------------------ */

static void number(page *p, char *cell, double x, unsigned decimals)
{
    mgc__text t = {.ctx = p->ctx};

    mgc__text_fixed(&t, x, decimals, false);
    if (t.failed || t.len >= CELL_BYTES) p->status = t.failed ? MGC_E_NO_MEMORY : p->status;
    else memcpy(cell, t.bytes, t.len);
    mgc__text_free(&t);
}

static void kind_row(page *p, size_t k, char (*cell)[CELL_BYTES])
{
    const mgc_evaluation *e = p->e;
    const double *cost = of_kind(p, e->cost, k), *promise = of_kind(p, e->promise, k);
    double worst = 0, kept = 0;

    for (size_t d = 0; d < e->days; d++) {
        worst = fmax(worst, cost[d] - e->hindsight[d]);
        kept += cost[d] <= promise[d] + 1e-6 * fabs(promise[d]);
    }
    number(p, cell[1], mean(cost, e->days), 1);
    number(p, cell[2], mean(cost, e->days) - mean(e->hindsight, e->days), 1);
    number(p, cell[3], worst, 1);
    number(p, cell[4], mean(promise, e->days), 1);
    number(p, cell[5], 100 * kept / (double)e->days, 0);
    number(p, cell[6], mean(of_kind(p, e->unserved_kwh, k), e->days), 2);
    number(p, cell[7], mean(of_kind(p, e->emission_kg, k), e->days), 0);
}

static void kind_table(page *p)
{
    static const char *const header[COLUMNS] = {"plan", "mean cost>", "above hindsight>", "worst day above hindsight>",
                                                "mean promise>", "days within promise, %>", "unserved kWh>", "kg CO₂>"};
    char cell[KINDS_MAX][COLUMNS][CELL_BYTES] = {{{0}}};
    const char *text[KINDS_MAX * COLUMNS];

    for (size_t k = 0; k < p->e->kinds; k++) {
        kind_row(p, k, cell[k]);
        text[k * COLUMNS] = p->e->kind[k];
        for (size_t c = 1; c < COLUMNS; c++) text[k * COLUMNS + c] = cell[k][c];
    }
    mgc_io__page_table(&p->t, &(mgc_report_table){
        .title = "Kinds of plan", .note = "Promise: the cost that a plan expected, in the worst case that it allowed for.",
        .header = header, .cell = text, .columns = COLUMNS, .rows = p->e->kinds});
}

static void days_table(page *p)
{
    const mgc_evaluation *e = p->e;
    size_t columns = e->kinds + 2;
    char(*cell)[CELL_BYTES] = mgc__io_alloc(p->ctx, e->days * columns, sizeof *cell);
    const char **text = mgc__io_alloc(p->ctx, e->days * columns, sizeof *text), *header[KINDS_MAX + 2] = {"day", "hindsight>"};
    char name[KINDS_MAX][CELL_BYTES] = {{0}};

    if (cell == NULL || text == NULL) p->status = MGC_E_NO_MEMORY;
    for (size_t k = 0; k < e->kinds; k++) {
        strncpy(name[k], e->kind[k], CELL_BYTES - 2);
        name[k][strlen(name[k])] = '>';
        header[k + 2] = name[k];
    }
    for (size_t d = 0; p->status == MGC_OK && d < e->days; d++) {
        text[d * columns] = e->day[d];
        for (size_t k = 0; k <= e->kinds; k++) {
            text[d * columns + k + 1] = cell[d * columns + k + 1];
            number(p, cell[d * columns + k + 1], k == 0 ? e->hindsight[d] : of_kind(p, e->cost, k - 1)[d], 1);
        }
    }
    if (p->status == MGC_OK)
        mgc_io__page_table(&p->t, &(mgc_report_table){.title = "Every day's cost", .header = header, .cell = text, .columns = columns,
                                                      .rows = e->days});
    mgc_ctx_release(p->ctx, cell);
    mgc_ctx_release(p->ctx, text);
}

static void rules_table(page *p)
{
    static const char *const header[] = {"rule", "radius>", "promised>", "measured>"};
    const mgc_evaluation *e = p->e;
    char(*cell)[CELL_BYTES] = mgc__io_alloc(p->ctx, 4 * e->rules, sizeof *cell);
    const char **text = mgc__io_alloc(p->ctx, 4 * e->rules, sizeof *text);

    if (cell == NULL || text == NULL) p->status = MGC_E_NO_MEMORY;
    for (size_t i = 0; p->status == MGC_OK && i < e->rules; i++) {
        text[4 * i] = e->rule[i];
        for (size_t c = 1; c < 4; c++) text[4 * i + c] = cell[4 * i + c];
        number(p, cell[4 * i + 1], e->radius[i], 4);
        number(p, cell[4 * i + 2], e->nominal[i], 3);
        number(p, cell[4 * i + 3], e->covered[i], 3);
    }
    if (p->status == MGC_OK)
        mgc_io__page_table(&p->t, &(mgc_report_table){
            .title = "Radius rules",
            .note = "Samples are drawn from the nominal probabilities; measured: how often their frequencies lie within the radius.",
            .header = header, .cell = text, .columns = 4, .rows = e->rules});
    mgc_ctx_release(p->ctx, cell);
    mgc_ctx_release(p->ctx, text);
}

static void write_page(page *p)
{
    const mgc_evaluation *e = p->e;

    mgc_io__page_head(&p->t, e->name, e->name);
    mgc__text_printf(&p->t, "<p class=\"soft\">%zu days from %s to %s, each planned from the days before it, each microgrid for itself, "
                     "and then lived through as it came.</p><div class=\"charts\">", e->days, e->day[0], e->day[e->days - 1]);
    regret_chart(p);
    bar_chart(p, "Mean cost above hindsight", e->currency, e->cost, e->hindsight);
    bar_chart(p, "Energy not served", "kWh a day", e->unserved_kwh, NULL);
    bar_chart(p, "Emissions", "kg CO₂ a day", e->emission_kg, NULL);
    if (e->rules > 0) coverage_chart(p);
    mgc__text_add(&p->t, "</div>");
    kind_table(p);
    if (e->rules > 0) rules_table(p);
    days_table(p);
    mgc_io__page_foot(&p->t, e->made_by);
}

mgc_status mgc_evaluation_write(mgc_ctx *ctx, const char *path, const mgc_evaluation *evaluation)
{
    if (ctx == NULL || path == NULL || evaluation == NULL) return MGC_E_INVALID_ARG;
    mgc_evaluation own = {.struct_size = sizeof own}, *e = &own;
    mgc_status read = mgc_struct_read(&own, sizeof own, MGC__FIRST_SIZE(mgc_evaluation, made_by), evaluation);
    if (read != MGC_OK) return mgc_ctx_fail(ctx, read, "report: evaluation.struct_size is not one that this library knows");
    if (e->name == NULL || e->currency == NULL || e->kinds < 1 || e->kinds > KINDS_MAX || e->days < 1 || e->kind == NULL ||
        e->day == NULL || e->cost == NULL || e->promise == NULL || e->unserved_kwh == NULL || e->emission_kg == NULL ||
        e->hindsight == NULL || (e->rules > 0 && (e->rule == NULL || e->radius == NULL || e->nominal == NULL || e->covered == NULL)))
        return mgc_ctx_fail(ctx, MGC_E_INVALID_ARG, "report: an evaluation lacks a text or an array, has no days, or not 1..8 kinds");
    page p = {.e = e, .ctx = ctx, .t = {.ctx = ctx}, .number = mgc__io_alloc(ctx, e->kinds * (e->days + 1), sizeof(double))};
    if (p.number == NULL) return MGC_E_NO_MEMORY;
    write_page(&p);
    if (p.t.failed) p.status = MGC_E_NO_MEMORY;
    if (p.status == MGC_OK) p.status = mgc_file_write(ctx, path, p.t.bytes, p.t.len);
    mgc__text_free(&p.t);
    mgc_ctx_release(ctx, p.number);
    return p.status;
}
