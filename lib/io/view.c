/* SPDX-License-Identifier: Apache-2.0 */
#include "io/view.h"

#include <math.h>
#include <string.h>

double *mgc_io__view_series(mgc_io__view *v)
{
    if (v->pooled == MGC_IO__POOL_SERIES) {
        v->status = MGC_E_LIMIT;
        v->pooled = 0;
    }
    double *series = v->pool + v->n * v->pooled++;
    memset(series, 0, v->n * sizeof *series);
    return series;
}

void mgc_io__view_done(mgc_io__view *v)
{
    v->pooled = 0;
}

double *mgc_io__view_expected(mgc_io__view *v, const mgc_plan *plan, const char *site, const char *device, const char *quantity)
{
    double one[MGC_IO__PERIODS_MAX], p[MGC_IO__SCENARIOS_MAX], *sum = mgc_io__view_series(v);
    uint32_t scenarios = mgc_microgrid_scenarios(mgc_model_microgrid(v->model, site));

    if (scenarios > MGC_IO__SCENARIOS_MAX || mgc_plan_get_probability(plan, site, p, scenarios) != MGC_OK) return sum;
    for (uint32_t k = 0; k < scenarios; k++) {
        if (mgc_plan_get_series(plan, site, device, quantity, k, one, v->n) != MGC_OK) return sum;
        for (size_t i = 0; i < v->n; i++) sum[i] += p[k] * one[i];
    }
    return sum;
}

double *mgc_io__view_first_stage(mgc_io__view *v, const mgc_plan *plan, const char *site, const char *device, const char *quantity)
{
    double *series = mgc_io__view_series(v);

    if (mgc_plan_get_series(plan, site, device, quantity, 0, series, v->n) != MGC_OK) memset(series, 0, v->n * sizeof *series);
    return series;
}

double mgc_io__view_number(const mgc_plan *plan, const char *site, const char *what)
{
    double value;

    return mgc_plan_get_number(plan, site, what, &value) == MGC_OK ? value : NAN;
}

double mgc_io__view_total(const mgc_io__view *v, const mgc_plan *plan, const char *what)
{
    double sum = 0, one;

    for (uint32_t i = 0; i < v->info.microgrids; i++)
        if (mgc_plan_get_number(plan, mgc_model_microgrid_id(v->model, i), what, &one) == MGC_OK) sum += one;
    return sum;
}

mgc_io__chart mgc_io__view_chart(const mgc_io__view *v, const char *title, const char *unit)
{
    return (mgc_io__chart){.title = title, .unit = unit, .n = v->n, .hours = v->hours, .start_hour = v->start_hour};
}

void mgc_io__view_add(mgc_io__series *list, size_t *count, const char *name, const char *color, const double *values)
{
    if (*count < MGC_IO__CHART_SERIES_MAX) list[(*count)++] = (mgc_io__series){name, color, values, false};
}

void mgc_io__view_number_cell(mgc_io__view *v, double value, unsigned decimals)
{
    mgc__text_add(&v->t, "<td class=\"r\">");
    mgc__text_fixed(&v->t, value, decimals, true);
    mgc__text_add(&v->t, "</td>");
}

void mgc_io__view_text_cell(mgc_io__view *v, const char *text)
{
    mgc__text_add(&v->t, "<td>");
    mgc__text_escaped(&v->t, text);
    mgc__text_add(&v->t, "</td>");
}

void mgc_io__view_money(mgc_io__view *v, double value)
{
    mgc__text_fixed(&v->t, value, 2, true);
    mgc__text_add(&v->t, " ");
    mgc__text_escaped(&v->t, v->info.currency);
}

/* --- the numbers behind a chart ---------------------------------------------------------------------------- */

static void column_names(mgc_io__view *v, const mgc_io__series *list, size_t count, const char *mark)
{
    for (size_t i = 0; i < count; i++) {
        mgc__text_add(&v->t, "<th class=\"r\">");
        mgc__text_escaped(&v->t, list[i].name);
        mgc__text_add(&v->t, mark);
    }
}

static void columns_at(mgc_io__view *v, const mgc_io__series *list, size_t count, size_t period, double sign, unsigned decimals)
{
    for (size_t i = 0; i < count; i++) mgc_io__view_number_cell(v, sign * list[i].values[period], decimals);
}

void mgc_io__view_numbers(mgc_io__view *v, const mgc_io__chart *c)
{
    mgc__text_add(&v->t, "<details><summary>numbers</summary><div class=\"scroll\"><table><tr><th>from");
    column_names(v, c->up, c->n_up, "");
    column_names(v, c->down, c->n_down, " (−)");
    column_names(v, c->line, c->n_line, "");
    column_names(v, c->right, c->n_right, "");
    mgc__text_add(&v->t, "</tr>");
    for (size_t i = 0; i < c->n; i++) {
        double clock = fmod(c->start_hour + (double)i * c->hours, 24);
        mgc__text_printf(&v->t, "<tr><td>%02d:%02d</td>", (int)clock, (int)(fmod(clock, 1) * 60 + 0.5));
        columns_at(v, c->up, c->n_up, i, 1, 1);
        columns_at(v, c->down, c->n_down, i, -1, 1);
        columns_at(v, c->line, c->n_line, i, 1, 1);
        columns_at(v, c->right, c->n_right, i, 1, 4);
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "</table></div></details>");
}

void mgc_io__view_points(mgc_io__view *v, const char *point, const char *const *labels, const mgc_io__series *series, size_t n_series, size_t n,
                         unsigned decimals)
{
    mgc__text_printf(&v->t, "<details><summary>numbers</summary><div class=\"scroll tall\"><table><thead><tr><th>%s", point);
    column_names(v, series, n_series, "");
    mgc__text_add(&v->t, "</tr></thead>");
    for (size_t i = 0; i < n; i++) {
        mgc__text_add(&v->t, "<tr>");
        if (labels != NULL) mgc_io__view_text_cell(v, labels[i]);
        else mgc__text_printf(&v->t, "<td>%zu</td>", i + 1);
        columns_at(v, series, n_series, i, 1, decimals);
        mgc__text_add(&v->t, "</tr>");
    }
    mgc__text_add(&v->t, "</table></div></details>");
}

static void keep_drawn(mgc_io__series *list, size_t *count, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < *count; i++)
        if (!mgc_io__chart_empty(&list[i], n)) list[kept++] = list[i];
    *count = kept;
}

void mgc_io__view_draw(mgc_io__view *v, const mgc_io__chart *chart)
{
    mgc_io__chart c = *chart;

    keep_drawn(c.up, &c.n_up, c.n);
    keep_drawn(c.down, &c.n_down, c.n);
    mgc__text_add(&v->t, "<div>");
    mgc_io__chart_time(&v->t, &c);
    mgc_io__view_numbers(v, &c);
    mgc__text_add(&v->t, "</div>");
}
