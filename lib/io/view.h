/* SPDX-License-Identifier: Apache-2.0 */
/* What the sections of the report share: the plans gathered once, series to draw, cells of tables. */
#ifndef IO_VIEW_H
#define IO_VIEW_H

#include "io/chart.h"
#include "io/page.h"
#include "mgchain/report.h"

typedef struct mgc_io__view {
    const mgc_report *report;
    mgc_ctx *ctx;
    mgc__text t;
    mgc_case_info info;
    mgc_alliance_info result;
    const mgc_model *model;
    const mgc_plan *alone, *together;
    double hours, start_hour;
    size_t n;     /* periods */
    double *pool; /* series of the chart being drawn */
    size_t pooled;
    mgc_status status;
} mgc_io__view;

enum { MGC_IO__POOL_SERIES = 128, MGC_IO__PERIODS_MAX = 1024, MGC_IO__SCENARIOS_MAX = 256, MGC_IO__MEMBERS_DRAWN_MAX = 24 };

/* --- sections, in their order on the page --------------------------------------------------------------------- */

void mgc_io__report_sentences(mgc_io__view *v);
void mgc_io__report_members(mgc_io__view *v);
void mgc_io__report_trades(mgc_io__view *v);
void mgc_io__report_pool(mgc_io__view *v);
bool mgc_io__view_pool(const mgc_io__view *v); /* the trades are with a pool */
void mgc_io__report_money(mgc_io__view *v);
void mgc_io__report_sites(mgc_io__view *v);
void mgc_io__report_agreement(mgc_io__view *v);
void mgc_io__report_caution(mgc_io__view *v);
void mgc_io__report_figures(mgc_io__view *v);

/* --- what they share ------------------------------------------------------------------------------------------- */

/* n zeros, until mgc_io__view_done(). */
double *mgc_io__view_series(mgc_io__view *v);
void mgc_io__view_done(mgc_io__view *v);
/* sum_k p_k quantity_k under the worst case.  A quantity that the plan does not have stays zero. */
double *mgc_io__view_expected(mgc_io__view *v, const mgc_plan *plan, const char *site, const char *device, const char *quantity);
double *mgc_io__view_first_stage(mgc_io__view *v, const mgc_plan *plan, const char *site, const char *device, const char *quantity);
/* NAN where the plan has no such number. */
double mgc_io__view_number(const mgc_plan *plan, const char *site, const char *what);
double mgc_io__view_total(const mgc_io__view *v, const mgc_plan *plan, const char *what);
mgc_io__chart mgc_io__view_chart(const mgc_io__view *v, const char *title, const char *unit);
void mgc_io__view_add(mgc_io__series *list, size_t *count, const char *name, const char *color, const double *values);
/* The chart and, folded away below it, its numbers. */
void mgc_io__view_numbers(mgc_io__view *v, const mgc_io__chart *chart); /* without the chart */
void mgc_io__view_draw(mgc_io__view *v, const mgc_io__chart *chart);
/* The numbers of series over n points that have labels, or are counted from 1: iterations, rounds. */
void mgc_io__view_points(mgc_io__view *v, const char *point, const char *const *labels, const mgc_io__series *series, size_t n_series, size_t n,
                         unsigned decimals);
void mgc_io__view_number_cell(mgc_io__view *v, double value, unsigned decimals);
void mgc_io__view_text_cell(mgc_io__view *v, const char *text);
void mgc_io__view_money(mgc_io__view *v, double value); /* "12.34 EUR" */

#endif
