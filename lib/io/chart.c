/* SPDX-License-Identifier: Apache-2.0 */
#include "io/chart.h"

#include <math.h>
#include <string.h>

#include "io/plot.h"

/* What is less than a hundredth of the unit all along cannot be seen. */
bool mgc_io__chart_empty(const mgc_io__series *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fabs(s->values[i]) > 0.01) return false;
    return true;
}

/* Series of one name (a device that appears above and below) are named once. */
static bool named_before(const mgc_io__series *list, size_t count, const mgc_io__series *s, size_t n)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, s->name) == 0 && strcmp(list[i].color, s->color) == 0 && !mgc_io__chart_empty(&list[i], n)) return true;
    return false;
}

static void legend(mgc__text *t, const mgc_io__chart *c)
{
    mgc__text_add(t, "<div class=\"legend\">");
    for (size_t i = 0; i < c->n_up; i++)
        if (!mgc_io__chart_empty(&c->up[i], c->n)) mgc_io__plot_legend(t, &c->up[i], "box");
    for (size_t i = 0; i < c->n_down; i++)
        if (!mgc_io__chart_empty(&c->down[i], c->n) && !named_before(c->up, c->n_up, &c->down[i], c->n)) mgc_io__plot_legend(t, &c->down[i], "box");
    for (size_t i = 0; i < c->n_line; i++)
        if (i == 0 || strcmp(c->line[i].name, c->line[i - 1].name) != 0) mgc_io__plot_legend(t, &c->line[i], c->line[i].dashed ? "dash" : "rule");
    for (size_t i = 0; i < c->n_right; i++) mgc_io__plot_legend(t, &c->right[i], c->right[i].dashed ? "dash" : "rule");
    mgc__text_add(t, "</div></figure>\n");
}

static void include_series(const mgc_io__series *s, size_t n, double *lower, double *upper)
{
    for (size_t i = 0; i < n; i++) {
        *lower = fmin(*lower, s->values[i]);
        *upper = fmax(*upper, s->values[i]);
    }
}

static void stack_range(const mgc_io__chart *c, double *lower, double *upper)
{
    for (size_t i = 0; i < c->n; i++) {
        double high = 0, low = 0;
        for (size_t k = 0; k < c->n_up; k++) high += c->up[k].values[i];
        for (size_t k = 0; k < c->n_down; k++) low -= c->down[k].values[i];
        *upper = fmax(*upper, high);
        *lower = fmin(*lower, low);
    }
    for (size_t k = 0; k < c->n_line; k++) include_series(&c->line[k], c->n, lower, upper);
}

static void bars(mgc__text *t, const mgc_io__chart *c, const mgc_io__scale *x, const mgc_io__scale *y, const mgc_io__series *series, size_t count,
                 double sign, double *base)
{
    for (size_t i = 0; i < c->n; i++) base[i] = 0;
    for (size_t k = 0; k < count; k++) {
        if (mgc_io__chart_empty(&series[k], c->n)) continue;
        mgc__text_printf(t, "<g fill=\"%s\">", series[k].color);
        for (size_t i = 0; i < c->n; i++) {
            double value = series[k].values[i];
            if (value <= 1e-9) continue;
            double a = mgc_io__plot_place(y, sign * base[i]), b = mgc_io__plot_place(y, sign * (base[i] + value));
            double left = mgc_io__plot_place(x, (double)i * c->hours), right = mgc_io__plot_place(x, (double)(i + 1) * c->hours);
            base[i] += value;
            mgc__text_add(t, "<rect");
            mgc_io__plot_attribute(t, "x", left + 0.5);
            mgc_io__plot_attribute(t, "width", fmax(right - left - 1, 0.5));
            mgc_io__plot_attribute(t, "y", fmin(a, b));
            mgc_io__plot_attribute(t, "height", fabs(a - b));
            mgc__text_add(t, "><title>");
            mgc__text_escaped(t, series[k].name);
            mgc__text_add(t, " ");
            mgc__text_fixed(t, value, 1, true);
            mgc__text_add(t, "</title></rect>");
        }
        mgc__text_add(t, "</g>");
    }
}

/* A step line: the value holds for the whole period. */
static void step_line(mgc__text *t, const mgc_io__chart *c, const mgc_io__scale *x, const mgc_io__scale *y, const mgc_io__series *s)
{
    mgc__text_printf(t, "<path class=\"%s\" stroke=\"%s\" d=\"", s->dashed ? "dashed" : "curve", s->color);
    for (size_t i = 0; i < c->n; i++) {
        mgc__text_add(t, i == 0 ? "M" : "L");
        mgc_io__plot_number(t, mgc_io__plot_place(x, (double)i * c->hours));
        mgc__text_add(t, " ");
        mgc_io__plot_number(t, mgc_io__plot_place(y, s->values[i]));
        mgc__text_add(t, "H");
        mgc_io__plot_number(t, mgc_io__plot_place(x, (double)(i + 1) * c->hours));
    }
    mgc__text_add(t, "\"/>");
}

/* A second scale on the grid of the first one: its ticks on the same lines, its 0 at the same height. */
static mgc_io__scale beside(const mgc_io__scale *y, double low, double high)
{
    double above = round(y->upper / y->step), below = round(-y->lower / y->step);
    if (above < 1 || (low < 0 && below < 1)) return mgc_io__plot_nice(low, high, y->from, y->to);
    double need = fmax(high / above, below > 0 ? -low / below : 0), power = pow(10, floor(log10(need > 0 ? need : 1)));
    static const double nice[] = {1, 2, 3, 4, 5, 6, 8, 10};
    size_t k = 0;
    while (k + 1 < sizeof nice / sizeof nice[0] && nice[k] * power < need * (1 - 1e-9)) k++;
    double step = nice[k] * power;
    return (mgc_io__scale){-below * step, above * step, step, y->from, y->to};
}

enum { PERIODS_DRAWN_MAX = 1024 };

void mgc_io__chart_time(mgc__text *t, const mgc_io__chart *chart)
{
    double lower = 0, upper = 0, base[PERIODS_DRAWN_MAX];
    double right = PLOT_WIDTH - (chart->n_right > 0 ? PLOT_RIGHT_SCALE : PLOT_RIGHT);

    if (chart->n == 0 || chart->n > PERIODS_DRAWN_MAX) return;
    stack_range(chart, &lower, &upper);
    mgc_io__scale y = mgc_io__plot_nice(lower, upper, PLOT_HEIGHT - PLOT_BOTTOM, PLOT_TOP);
    mgc_io__scale x = {0, (double)chart->n * chart->hours, 0, PLOT_LEFT, right};
    mgc_io__plot_begin(t, chart->title, chart->unit, chart->n_right > 0 ? chart->right_unit : NULL, PLOT_HEIGHT);
    mgc_io__plot_values(t, &y, PLOT_LEFT, right, true);
    bars(t, chart, &x, &y, chart->up, chart->n_up, 1, base);
    bars(t, chart, &x, &y, chart->down, chart->n_down, -1, base);
    if (lower < 0) mgc_io__plot_line(t, "axis", PLOT_LEFT, mgc_io__plot_place(&y, 0), right, mgc_io__plot_place(&y, 0));
    for (size_t k = 0; k < chart->n_line; k++) step_line(t, chart, &x, &y, &chart->line[k]);
    if (chart->n_right > 0) {
        double low = INFINITY, high = -INFINITY;
        for (size_t k = 0; k < chart->n_right; k++) include_series(&chart->right[k], chart->n, &low, &high);
        mgc_io__scale z = beside(&y, fmin(low, 0), fmax(high, 0));
        mgc_io__plot_values(t, &z, PLOT_LEFT, right, false);
        for (size_t k = 0; k < chart->n_right; k++) step_line(t, chart, &x, &z, &chart->right[k]);
    }
    mgc_io__plot_clock(t, &x, PLOT_HEIGHT - 7, chart->n, chart->hours, chart->start_hour);
    mgc__text_add(t, "</svg>");
    legend(t, chart);
}

static void log_line(mgc__text *t, const mgc_io__series *s, size_t n, const mgc_io__scale *x, const mgc_io__scale *y)
{
    bool pen_down = false;

    mgc__text_printf(t, "<path class=\"%s\" stroke=\"%s\" d=\"", s->dashed ? "dashed" : "curve", s->color);
    for (size_t i = 0; i < n; i++) {
        if (!(s->values[i] > 0)) {
            pen_down = false;
            continue;
        }
        mgc__text_add(t, pen_down ? "L" : "M");
        mgc_io__plot_number(t, mgc_io__plot_place(x, (double)(i + 1)));
        mgc__text_add(t, " ");
        mgc_io__plot_number(t, mgc_io__plot_place(y, log10(s->values[i])));
        pen_down = true;
    }
    mgc__text_add(t, "\"/>");
}

void mgc_io__chart_log(mgc__text *t, const char *title, const char *x_name, const mgc_io__series *series, size_t n_series, size_t n)
{
    double low = INFINITY, high = -INFINITY;

    for (size_t k = 0; k < n_series; k++)
        for (size_t i = 0; i < n; i++)
            if (series[k].values[i] > 0) {
                low = fmin(low, log10(series[k].values[i]));
                high = fmax(high, log10(series[k].values[i]));
            }
    if (!(low <= high)) return;
    mgc_io__scale y = {floor(low), fmax(ceil(high), floor(low) + 1), 1, PLOT_HEIGHT - PLOT_BOTTOM, PLOT_TOP};
    mgc_io__scale x = {1, (double)(n > 1 ? n : 2), 0, PLOT_LEFT, PLOT_WIDTH - PLOT_RIGHT};
    mgc_io__plot_begin(t, title, x_name, NULL, PLOT_HEIGHT);
    for (double tick = y.lower; tick <= y.upper + 0.5; tick += ceil((y.upper - y.lower) / 8)) {
        mgc_io__plot_line(t, "grid", PLOT_LEFT, mgc_io__plot_place(&y, tick), PLOT_WIDTH - PLOT_RIGHT, mgc_io__plot_place(&y, tick));
        mgc__text_add(t, "<text text-anchor=\"end\"");
        mgc_io__plot_attribute(t, "x", PLOT_LEFT - 5);
        mgc_io__plot_attribute(t, "y", mgc_io__plot_place(&y, tick) + 4);
        mgc__text_printf(t, ">10<tspan dy=\"-4\" font-size=\"8\">%d</tspan></text>", (int)tick);
    }
    mgc_io__scale ticks = mgc_io__plot_nice(0, (double)n, PLOT_LEFT, PLOT_WIDTH - PLOT_RIGHT);
    for (double round = ticks.step; round <= (double)n; round += ticks.step) mgc_io__plot_label(t, "middle", mgc_io__plot_place(&x, round), PLOT_HEIGHT - 7, round, 0);
    for (size_t k = 0; k < n_series; k++) log_line(t, &series[k], n, &x, &y);
    mgc__text_add(t, "</svg>");
    mgc_io__plot_legends(t, series, n_series, "rule");
}

enum { BAR = 15, GROUP_GAP = 12, NAME_WIDTH = 96, LETTER_WIDTH = 6, VALUE_WIDTH = 62 };

static void bar(mgc__text *t, const mgc_io__scale *x, double top, double value, const char *color, unsigned decimals)
{
    double a = mgc_io__plot_place(x, 0), b = mgc_io__plot_place(x, value);

    mgc__text_printf(t, "<rect fill=\"%s\"", color);
    mgc_io__plot_attribute(t, "x", fmin(a, b));
    mgc_io__plot_attribute(t, "width", fmax(fabs(a - b), 0.5));
    mgc_io__plot_attribute(t, "y", top);
    mgc_io__plot_attribute(t, "height", BAR - 2);
    mgc__text_add(t, "/>");
    mgc_io__plot_label(t, value < 0 ? "end" : "start", b + (value < 0 ? -4 : 4), top + BAR - 4, value, decimals);
}

void mgc_io__chart_bars(mgc__text *t, const char *title, const char *unit, const char *const *groups, size_t n_groups,
                        const mgc_io__series *series, size_t n_series, const double *value)
{
    double low = 0, high = 0, names = NAME_WIDTH;
    double group_height = (double)(n_series * BAR + GROUP_GAP);

    for (size_t g = 0; g < n_groups; g++) names = fmax(names, LETTER_WIDTH * (double)strlen(groups[g]) + 12);
    names = fmin(names, PLOT_WIDTH / 2);
    for (size_t i = 0; i < n_groups * n_series; i++) {
        low = fmin(low, value[i]);
        high = fmax(high, value[i]);
    }
    double room = low < 0 ? VALUE_WIDTH : 0;
    mgc_io__scale x = {low, high > low ? high : low + 1, 0, names + room, PLOT_WIDTH - VALUE_WIDTH};
    unsigned decimals = fmax(high, -low) >= 100 ? 0 : 2;
    mgc_io__plot_begin(t, title, unit, NULL, (unsigned)(group_height * (double)n_groups + GROUP_GAP));
    for (size_t g = 0; g < n_groups; g++) {
        double top = GROUP_GAP + group_height * (double)g;
        mgc__text_add(t, "<text text-anchor=\"end\"");
        mgc_io__plot_attribute(t, "x", names - 8);
        mgc_io__plot_attribute(t, "y", top + (double)(n_series * BAR) / 2 + 4);
        mgc__text_add(t, ">");
        mgc__text_escaped(t, groups[g]);
        mgc__text_add(t, "</text>");
        for (size_t s = 0; s < n_series; s++)
            bar(t, &x, top + (double)(s * BAR), value[g * n_series + s], series[s].color, decimals);
    }
    mgc_io__plot_line(t, "axis", mgc_io__plot_place(&x, 0), GROUP_GAP / 2, mgc_io__plot_place(&x, 0), group_height * (double)n_groups + GROUP_GAP / 2);
    mgc__text_add(t, "</svg>");
    mgc_io__plot_legends(t, series, n_series, "box");
}
