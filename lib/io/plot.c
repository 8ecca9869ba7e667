/* SPDX-License-Identifier: Apache-2.0 */
#include "io/plot.h"

#include <math.h>
#include <string.h>

double mgc_io__plot_place(const mgc_io__scale *s, double x)
{
    return s->from + (x - s->lower) / (s->upper - s->lower) * (s->to - s->from);
}

/* Ends and ticks at 1, 2 or 5 times a power of ten (Heckbert 1990, "Nice numbers for graph labels"). */
mgc_io__scale mgc_io__plot_nice(double lower, double upper, double from, double to)
{
    if (!(upper > lower)) upper = lower + 1;
    double rough = (upper - lower) / 5, power = pow(10, floor(log10(rough))), ratio = rough / power;
    double step = power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
    return (mgc_io__scale){floor(lower / step + 1e-9) * step, ceil(upper / step - 1e-9) * step, step, from, to};
}

unsigned mgc_io__plot_decimals(double step)
{
    return step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3;
}

void mgc_io__plot_number(mgc__text *t, double x)
{
    mgc__text_fixed(t, x, 1, false);
}

void mgc_io__plot_attribute(mgc__text *t, const char *name, double x)
{
    mgc__text_printf(t, " %s=\"", name);
    mgc_io__plot_number(t, x);
    mgc__text_add(t, "\"");
}

void mgc_io__plot_line(mgc__text *t, const char *class, double x1, double y1, double x2, double y2)
{
    mgc__text_printf(t, "<line class=\"%s\"", class);
    mgc_io__plot_attribute(t, "x1", x1);
    mgc_io__plot_attribute(t, "y1", y1);
    mgc_io__plot_attribute(t, "x2", x2);
    mgc_io__plot_attribute(t, "y2", y2);
    mgc__text_add(t, "/>");
}

void mgc_io__plot_label(mgc__text *t, const char *anchor, double x, double y, double value, unsigned decimals)
{
    mgc__text_add(t, "<text");
    mgc_io__plot_attribute(t, "x", x);
    mgc_io__plot_attribute(t, "y", y);
    mgc__text_printf(t, " text-anchor=\"%s\">", anchor);
    mgc__text_fixed(t, value, decimals, true);
    mgc__text_add(t, "</text>");
}

void mgc_io__plot_word(mgc__text *t, const char *anchor, double x, double y, const char *word)
{
    mgc__text_printf(t, "<text text-anchor=\"%s\"", anchor);
    mgc_io__plot_attribute(t, "x", x);
    mgc_io__plot_attribute(t, "y", y);
    mgc__text_add(t, ">");
    mgc__text_escaped(t, word);
    mgc__text_add(t, "</text>");
}

void mgc_io__plot_begin(mgc__text *t, const char *title, const char *unit, const char *right_unit, unsigned height)
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
    mgc__text_printf(t, "</figcaption><svg viewBox=\"0 0 %d %u\" role=\"img\" aria-label=\"", PLOT_WIDTH, height);
    mgc__text_escaped(t, title);
    mgc__text_add(t, "\">");
}

void mgc_io__plot_legend(mgc__text *t, const mgc_io__series *s, const char *class)
{
    bool hatched = strncmp(s->color, "url(", 4) == 0; /* a pattern has a class of its own */

    if (hatched)
        mgc__text_add(t, "<span><i class=\"hatch\"></i>");
    else
        mgc__text_printf(t, "<span><i class=\"%s\" style=\"%s:%s\"></i>", class,
                         strcmp(class, "box") == 0 ? "background" : "border-color", s->color);
    mgc__text_escaped(t, s->name);
    mgc__text_add(t, "</span>");
}

void mgc_io__plot_legends(mgc__text *t, const mgc_io__series *s, size_t n, const char *class)
{
    mgc__text_add(t, "<div class=\"legend\">");
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(s[i].name, s[i - 1].name) != 0) mgc_io__plot_legend(t, &s[i], s[i].dashed ? "dash" : class);
    mgc__text_add(t, "</div></figure>\n");
}

void mgc_io__plot_values(mgc__text *t, const mgc_io__scale *s, double left, double right, bool grid)
{
    for (double tick = s->lower; tick <= s->upper + s->step / 2; tick += s->step) {
        double y = mgc_io__plot_place(s, tick);
        if (grid) mgc_io__plot_line(t, fabs(tick) < s->step / 2 ? "axis" : "grid", left, y, right, y);
        mgc_io__plot_label(t, grid ? "end" : "start", grid ? left - 5 : right + 5, y + 4, fabs(tick) < s->step / 2 ? 0 : tick, mgc_io__plot_decimals(s->step));
    }
}

void mgc_io__plot_clock(mgc__text *t, const mgc_io__scale *x, double y, size_t n, double hours, double start_hour)
{
    double span = (double)n * hours;
    double step = span <= 12 ? 2 : span <= 30 ? 4 : span <= 60 ? 12 : 24;

    for (double h = 0; h <= span + 1e-9; h += step) {
        double clock = fmod(start_hour + h, 24);
        mgc__text_add(t, "<text text-anchor=\"middle\"");
        mgc_io__plot_attribute(t, "x", mgc_io__plot_place(x, h));
        mgc_io__plot_attribute(t, "y", y);
        mgc__text_printf(t, ">%02d:%02d</text>", (int)clock, (int)(fmod(clock, 1) * 60 + 0.5));
    }
}
