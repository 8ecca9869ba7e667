/* SPDX-License-Identifier: Apache-2.0 */
#include "io/chart.h"

#include <math.h>
#include <string.h>

/* Sizes in SVG units; a chart fills its column, so on a phone one unit is about 0.75 px. */
enum { WIDTH = 480, HEIGHT = 250, LEFT = 52, RIGHT = 18, RIGHT_SCALE = 46, TOP = 12, BOTTOM = 24 };

typedef struct scale {
    double lower, upper, step; /* in data */
    double from, to;           /* in SVG units: lower lies at from */
} scale;

static double place(const scale *s, double x)
{
    return s->from + (x - s->lower) / (s->upper - s->lower) * (s->to - s->from);
}

/* Ends and ticks at 1, 2 or 5 times a power of ten (Heckbert 1990, "Nice numbers for graph labels"). */
static scale nice_scale(double lower, double upper, double from, double to)
{
    if (!(upper > lower)) upper = lower + 1;
    double rough = (upper - lower) / 5, power = pow(10, floor(log10(rough))), ratio = rough / power;
    double step = power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
    return (scale){floor(lower / step + 1e-9) * step, ceil(upper / step - 1e-9) * step, step, from, to};
}

static unsigned decimals_of(double step)
{
    return step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3;
}

static void number(mgc__text *t, double x)
{
    mgc__text_fixed(t, x, 1, false);
}

static void attribute(mgc__text *t, const char *name, double x)
{
    mgc__text_printf(t, " %s=\"", name);
    number(t, x);
    mgc__text_add(t, "\"");
}

static void line(mgc__text *t, const char *class, double x1, double y1, double x2, double y2)
{
    mgc__text_printf(t, "<line class=\"%s\"", class);
    attribute(t, "x1", x1);
    attribute(t, "y1", y1);
    attribute(t, "x2", x2);
    attribute(t, "y2", y2);
    mgc__text_add(t, "/>");
}

static void label(mgc__text *t, const char *anchor, double x, double y, double value, unsigned decimals)
{
    mgc__text_add(t, "<text");
    attribute(t, "x", x);
    attribute(t, "y", y);
    mgc__text_printf(t, " text-anchor=\"%s\">", anchor);
    mgc__text_fixed(t, value, decimals, true);
    mgc__text_add(t, "</text>");
}

static void begin(mgc__text *t, const char *title, const char *unit, const char *right_unit, unsigned height)
{
    mgc__text_add(t, "<figure><figcaption>");
    mgc__text_escaped(t, title);
    if (unit[0] != '\0') {
        mgc__text_add(t, " <small>");
        mgc__text_escaped(t, unit);
        if (right_unit != NULL) {
            mgc__text_add(t, " · right: ");
            mgc__text_escaped(t, right_unit);
        }
        mgc__text_add(t, "</small>");
    }
    mgc__text_printf(t, "</figcaption><svg viewBox=\"0 0 %d %u\" role=\"img\" aria-label=\"", WIDTH, height);
    mgc__text_escaped(t, title);
    mgc__text_add(t, "\">");
}

static void legend_item(mgc__text *t, const mgc_io__series *s, const char *class)
{
    mgc__text_printf(t, "<span><i class=\"%s\" style=\"%s:%s\"></i>", class, strcmp(class, "box") == 0 ? "background" : "border-color",
                   s->color);
    mgc__text_escaped(t, s->name);
    mgc__text_add(t, "</span>");
}

/* What is less than a hundredth of the unit all along cannot be seen. */
static bool all_zero(const mgc_io__series *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fabs(s->values[i]) > 0.01) return false;
    return true;
}

/* Series of one name (a device that appears above and below) are named once. */
static bool named_before(const mgc_io__series *list, size_t count, const mgc_io__series *s, size_t n)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, s->name) == 0 && strcmp(list[i].color, s->color) == 0 && !all_zero(&list[i], n)) return true;
    return false;
}

static void legend(mgc__text *t, const mgc_io__chart *c)
{
    mgc__text_add(t, "<div class=\"legend\">");
    for (size_t i = 0; i < c->n_up; i++)
        if (!all_zero(&c->up[i], c->n)) legend_item(t, &c->up[i], "box");
    for (size_t i = 0; i < c->n_down; i++)
        if (!all_zero(&c->down[i], c->n) && !named_before(c->up, c->n_up, &c->down[i], c->n)) legend_item(t, &c->down[i], "box");
    for (size_t i = 0; i < c->n_line; i++)
        if (i == 0 || strcmp(c->line[i].name, c->line[i - 1].name) != 0) legend_item(t, &c->line[i], c->line[i].dashed ? "dash" : "rule");
    for (size_t i = 0; i < c->n_right; i++) legend_item(t, &c->right[i], c->right[i].dashed ? "dash" : "rule");
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

static void value_axis(mgc__text *t, const scale *s, double left, double right, bool grid)
{
    for (double tick = s->lower; tick <= s->upper + s->step / 2; tick += s->step) {
        double y = place(s, tick);
        if (grid) line(t, fabs(tick) < s->step / 2 ? "axis" : "grid", left, y, right, y);
        label(t, grid ? "end" : "start", grid ? left - 5 : right + 5, y + 4, fabs(tick) < s->step / 2 ? 0 : tick, decimals_of(s->step));
    }
}

static void time_axis(mgc__text *t, const mgc_io__chart *c, const scale *x)
{
    double span = (double)c->n * c->hours;
    double step = span <= 12 ? 2 : span <= 30 ? 4 : span <= 60 ? 12 : 24;

    for (double h = 0; h <= span + 1e-9; h += step) {
        double clock = fmod(c->start_hour + h, 24);
        mgc__text_add(t, "<text text-anchor=\"middle\"");
        attribute(t, "x", place(x, h));
        attribute(t, "y", HEIGHT - 7);
        mgc__text_printf(t, ">%02d:%02d</text>", (int)clock, (int)(fmod(clock, 1) * 60 + 0.5));
    }
}

static void bars(mgc__text *t, const mgc_io__chart *c, const scale *x, const scale *y, const mgc_io__series *series, size_t count,
                 double sign, double *base)
{
    for (size_t i = 0; i < c->n; i++) base[i] = 0;
    for (size_t k = 0; k < count; k++) {
        if (all_zero(&series[k], c->n)) continue;
        mgc__text_printf(t, "<g fill=\"%s\">", series[k].color);
        for (size_t i = 0; i < c->n; i++) {
            double value = series[k].values[i];
            if (value <= 1e-9) continue;
            double a = place(y, sign * base[i]), b = place(y, sign * (base[i] + value));
            double left = place(x, (double)i * c->hours), right = place(x, (double)(i + 1) * c->hours);
            base[i] += value;
            mgc__text_add(t, "<rect");
            attribute(t, "x", left + 0.5);
            attribute(t, "width", fmax(right - left - 1, 0.5));
            attribute(t, "y", fmin(a, b));
            attribute(t, "height", fabs(a - b));
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
static void step_line(mgc__text *t, const mgc_io__chart *c, const scale *x, const scale *y, const mgc_io__series *s)
{
    mgc__text_printf(t, "<path class=\"%s\" stroke=\"%s\" d=\"", s->dashed ? "dashed" : "curve", s->color);
    for (size_t i = 0; i < c->n; i++) {
        mgc__text_add(t, i == 0 ? "M" : "L");
        number(t, place(x, (double)i * c->hours));
        mgc__text_add(t, " ");
        number(t, place(y, s->values[i]));
        mgc__text_add(t, "H");
        number(t, place(x, (double)(i + 1) * c->hours));
    }
    mgc__text_add(t, "\"/>");
}

enum { PERIODS_DRAWN_MAX = 1024 };

void mgc_io__chart_time(mgc__text *t, const mgc_io__chart *chart)
{
    double lower = 0, upper = 0, base[PERIODS_DRAWN_MAX];
    double right = WIDTH - (chart->n_right > 0 ? RIGHT_SCALE : RIGHT);

    if (chart->n == 0 || chart->n > PERIODS_DRAWN_MAX) return;
    stack_range(chart, &lower, &upper);
    scale y = nice_scale(lower, upper, HEIGHT - BOTTOM, TOP);
    scale x = {0, (double)chart->n * chart->hours, 0, LEFT, right};
    begin(t, chart->title, chart->unit, chart->n_right > 0 ? chart->right_unit : NULL, HEIGHT);
    value_axis(t, &y, LEFT, right, true);
    bars(t, chart, &x, &y, chart->up, chart->n_up, 1, base);
    bars(t, chart, &x, &y, chart->down, chart->n_down, -1, base);
    if (lower < 0) line(t, "axis", LEFT, place(&y, 0), right, place(&y, 0));
    for (size_t k = 0; k < chart->n_line; k++) step_line(t, chart, &x, &y, &chart->line[k]);
    if (chart->n_right > 0) {
        double low = INFINITY, high = -INFINITY;
        for (size_t k = 0; k < chart->n_right; k++) include_series(&chart->right[k], chart->n, &low, &high);
        scale z = nice_scale(fmin(low, 0), high, HEIGHT - BOTTOM, TOP);
        value_axis(t, &z, LEFT, right, false);
        for (size_t k = 0; k < chart->n_right; k++) step_line(t, chart, &x, &z, &chart->right[k]);
    }
    time_axis(t, chart, &x);
    mgc__text_add(t, "</svg>");
    legend(t, chart);
}

static void log_line(mgc__text *t, const mgc_io__series *s, size_t n, const scale *x, const scale *y)
{
    bool pen_down = false;

    mgc__text_printf(t, "<path class=\"%s\" stroke=\"%s\" d=\"", s->dashed ? "dashed" : "curve", s->color);
    for (size_t i = 0; i < n; i++) {
        if (!(s->values[i] > 0)) {
            pen_down = false;
            continue;
        }
        mgc__text_add(t, pen_down ? "L" : "M");
        number(t, place(x, (double)(i + 1)));
        mgc__text_add(t, " ");
        number(t, place(y, log10(s->values[i])));
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
    scale y = {floor(low), fmax(ceil(high), floor(low) + 1), 1, HEIGHT - BOTTOM, TOP};
    scale x = {1, (double)(n > 1 ? n : 2), 0, LEFT, WIDTH - RIGHT};
    begin(t, title, x_name, NULL, HEIGHT);
    for (double tick = y.lower; tick <= y.upper + 0.5; tick += ceil((y.upper - y.lower) / 8)) {
        line(t, "grid", LEFT, place(&y, tick), WIDTH - RIGHT, place(&y, tick));
        mgc__text_add(t, "<text text-anchor=\"end\"");
        attribute(t, "x", LEFT - 5);
        attribute(t, "y", place(&y, tick) + 4);
        mgc__text_printf(t, ">10<tspan dy=\"-4\" font-size=\"8\">%d</tspan></text>", (int)tick);
    }
    scale ticks = nice_scale(0, (double)n, LEFT, WIDTH - RIGHT);
    for (double round = ticks.step; round <= (double)n; round += ticks.step) label(t, "middle", place(&x, round), HEIGHT - 7, round, 0);
    for (size_t k = 0; k < n_series; k++) log_line(t, &series[k], n, &x, &y);
    mgc__text_add(t, "</svg><div class=\"legend\">");
    for (size_t k = 0; k < n_series; k++) legend_item(t, &series[k], series[k].dashed ? "dash" : "rule");
    mgc__text_add(t, "</div></figure>\n");
}

enum { BAR = 15, GROUP_GAP = 12, NAME_WIDTH = 96, LETTER_WIDTH = 6, VALUE_WIDTH = 62 };

static void bar(mgc__text *t, const scale *x, double top, double value, const char *color, unsigned decimals)
{
    double a = place(x, 0), b = place(x, value);

    mgc__text_printf(t, "<rect fill=\"%s\"", color);
    attribute(t, "x", fmin(a, b));
    attribute(t, "width", fmax(fabs(a - b), 0.5));
    attribute(t, "y", top);
    attribute(t, "height", BAR - 2);
    mgc__text_add(t, "/>");
    label(t, value < 0 ? "end" : "start", b + (value < 0 ? -4 : 4), top + BAR - 4, value, decimals);
}

void mgc_io__chart_bars(mgc__text *t, const char *title, const char *unit, const char *const *groups, size_t n_groups,
                        const mgc_io__series *series, size_t n_series, const double *value)
{
    double low = 0, high = 0, names = NAME_WIDTH;
    double group_height = (double)(n_series * BAR + GROUP_GAP);

    for (size_t g = 0; g < n_groups; g++) names = fmax(names, LETTER_WIDTH * (double)strlen(groups[g]) + 12);
    names = fmin(names, WIDTH / 2);
    for (size_t i = 0; i < n_groups * n_series; i++) {
        low = fmin(low, value[i]);
        high = fmax(high, value[i]);
    }
    double room = low < 0 ? VALUE_WIDTH : 0;
    scale x = {low, high > low ? high : low + 1, 0, names + room, WIDTH - VALUE_WIDTH};
    unsigned decimals = fmax(high, -low) >= 100 ? 0 : 2;
    begin(t, title, unit, NULL, (unsigned)(group_height * (double)n_groups + GROUP_GAP));
    for (size_t g = 0; g < n_groups; g++) {
        double top = GROUP_GAP + group_height * (double)g;
        mgc__text_add(t, "<text text-anchor=\"end\"");
        attribute(t, "x", names - 8);
        attribute(t, "y", top + (double)(n_series * BAR) / 2 + 4);
        mgc__text_add(t, ">");
        mgc__text_escaped(t, groups[g]);
        mgc__text_add(t, "</text>");
        for (size_t s = 0; s < n_series; s++)
            bar(t, &x, top + (double)(s * BAR), value[g * n_series + s], series[s].color, decimals);
    }
    line(t, "axis", place(&x, 0), GROUP_GAP / 2, place(&x, 0), group_height * (double)n_groups + GROUP_GAP / 2);
    mgc__text_add(t, "</svg><div class=\"legend\">");
    for (size_t s = 0; s < n_series; s++) legend_item(t, &series[s], "box");
    mgc__text_add(t, "</div></figure>\n");
}
