/* SPDX-License-Identifier: Apache-2.0 */
/* The host's own figures: what the ledger holds. */
#include <math.h>

#include "io/view.h"

enum { SERIES_MAX = 8, ROWS_MAX = 60, POINTS_MAX = 4096 };

static const char *const colors[SERIES_MAX] = {"#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#b8a60a", "#8594a6"};

static void states(mgc_io__view *v, const mgc_report_figure *f)
{
    mgc_io__series classes[SERIES_MAX];

    for (size_t k = 0; k < f->words; k++) classes[k] = (mgc_io__series){f->word[k], colors[k], NULL, false};
    mgc_io__chart_grid(&v->t, f->title, f->unit, f->name, f->series, f->value, f->points, f->label, classes, f->words);
}

static bool whole(const mgc_report_figure *f)
{
    for (size_t i = 0; i < f->series * f->points; i++)
        if (isfinite(f->value[i]) && f->value[i] != floor(f->value[i])) return false;
    return true;
}

static void over_points(mgc_io__view *v, const mgc_report_figure *f)
{
    mgc_io__series series[SERIES_MAX];

    for (size_t k = 0; k < f->series; k++) series[k] = (mgc_io__series){f->name[k], colors[k], f->value + k * f->points, false};
    mgc__text_add(&v->t, "<div>");
    if (f->kind == MGC_FIGURE_LINES) mgc_io__chart_lines(&v->t, f->title, f->unit, f->label, series, f->series, f->points);
    else mgc_io__chart_columns(&v->t, f->title, f->unit, f->label, f->points, series, f->series, f->kind == MGC_FIGURE_STACKS);
    mgc_io__view_points(v, "", f->label, series, f->series, f->points, whole(f) ? 0 : 3);
    mgc__text_add(&v->t, "</div>");
}

static bool can_be_drawn(const mgc_report_figure *f)
{
    size_t most = f->kind == MGC_FIGURE_STATES ? ROWS_MAX : SERIES_MAX;

    return f->title != NULL && f->unit != NULL && f->name != NULL && f->value != NULL && f->series >= 1 && f->series <= most && f->points >= 1 &&
           f->points <= POINTS_MAX && f->kind >= MGC_FIGURE_LINES && f->kind <= MGC_FIGURE_STATES &&
           (f->kind != MGC_FIGURE_STATES || (f->word != NULL && f->words >= 1 && f->words <= SERIES_MAX));
}

void mgc_io__report_figures(mgc_io__view *v)
{
    if (v->report->figures == 0) return;
    mgc__text_add(&v->t, "<h2 id=\"ledger\">On the ledger</h2><div class=\"charts\">");
    for (size_t i = 0; i < v->report->figures && v->status == MGC_OK; i++) {
        const mgc_report_figure *f = &v->report->figure[i];
        if (!can_be_drawn(f))
            v->status = mgc_ctx_fail(v->ctx, MGC_E_INVALID_ARG, "report: a figure lacks a text or values, or has more series, points or words than can be drawn");
        else if (f->kind == MGC_FIGURE_STATES)
            states(v, f);
        else
            over_points(v, f);
    }
    mgc__text_add(&v->t, "</div>");
}
