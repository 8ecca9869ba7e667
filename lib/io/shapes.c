/* SPDX-License-Identifier: Apache-2.0 */
/* Fans, columns, ladders, chords, heat maps: what bars and lines over time cannot show. */
#include <math.h>
#include <string.h>

#include "io/plot.h"

static const double pi = 3.14159265358979323846;

static void range_of(const double *values, size_t n, double *lower, double *upper)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i])) continue;
        *lower = fmin(*lower, values[i]);
        *upper = fmax(*upper, values[i]);
    }
}

static void point(mgc__text *t, const char *pen, double x, double y)
{
    mgc__text_add(t, pen);
    mgc_io__plot_number(t, x);
    mgc__text_add(t, " ");
    mgc_io__plot_number(t, y);
}

static void rectangle(mgc__text *t, double x, double y, double width, double height)
{
    mgc__text_add(t, "<rect");
    mgc_io__plot_attribute(t, "x", x);
    mgc_io__plot_attribute(t, "y", y);
    mgc_io__plot_attribute(t, "width", width);
    mgc_io__plot_attribute(t, "height", height);
}

static void titled(mgc__text *t, const char *name, double value, unsigned decimals)
{
    mgc__text_add(t, "><title>");
    mgc__text_escaped(t, name);
    mgc__text_add(t, " ");
    mgc__text_fixed(t, value, decimals, true);
    mgc__text_add(t, "</title></rect>");
}

/* --- fans ------------------------------------------------------------------------------------------------------ */

/* One edge of a band, each value held for its period; back: from the last period to the first. */
static void edge(mgc__text *t, const mgc_io__fan *f, const mgc_io__scale *x, const mgc_io__scale *y, const double *values, bool back)
{
    for (size_t k = 0; k < f->n; k++) {
        size_t i = back ? f->n - 1 - k : k;
        double h = mgc_io__plot_place(y, values[i]);
        double left = mgc_io__plot_place(x, (double)i * f->hours), right = mgc_io__plot_place(x, (double)(i + 1) * f->hours);
        point(t, k == 0 && !back ? "M" : "L", back ? right : left, h);
        point(t, "L", back ? left : right, h);
    }
}

void mgc_io__chart_fan(mgc__text *t, const mgc_io__fan *f)
{
    static const char *const opacity[4] = {".18", ".3", ".45", ".6"};
    double lower = 0, upper = 0;
    mgc_io__series legend[8];
    size_t n_legend = 0;

    for (size_t b = 0; b < 2 * f->bands; b++) range_of(f->band[b], f->n, &lower, &upper);
    for (size_t k = 0; k < f->lines; k++) range_of(f->line[k].values, f->n, &lower, &upper);
    mgc_io__scale y = mgc_io__plot_nice(lower, upper, PLOT_HEIGHT - PLOT_BOTTOM, PLOT_TOP);
    mgc_io__scale x = {0, (double)f->n * f->hours, 0, PLOT_LEFT, PLOT_WIDTH - PLOT_RIGHT};
    mgc_io__plot_begin(t, f->title, f->unit, NULL, PLOT_HEIGHT);
    mgc_io__plot_values(t, &y, PLOT_LEFT, PLOT_WIDTH - PLOT_RIGHT, true);
    for (size_t b = 0; b < f->bands; b++) {
        mgc__text_printf(t, "<path fill=\"var(--fan)\" fill-opacity=\"%s\" d=\"", opacity[b % 4]);
        edge(t, f, &x, &y, f->band[2 * b], false);
        edge(t, f, &x, &y, f->band[2 * b + 1], true);
        mgc__text_add(t, "Z\"/>");
        legend[n_legend++] = (mgc_io__series){.name = f->band_name[b], .color = b == 0 ? "var(--fan1)" : b == 1 ? "var(--fan2)" : "var(--fan)"};
    }
    for (size_t k = 0; k < f->lines; k++) {
        mgc__text_printf(t, "<path class=\"%s\" stroke=\"%s\" d=\"", f->line[k].dashed ? "dashed" : "curve", f->line[k].color);
        edge(t, f, &x, &y, f->line[k].values, false);
        mgc__text_add(t, "\"/>");
    }
    mgc_io__plot_clock(t, &x, PLOT_HEIGHT - 7, f->n, f->hours, f->start_hour);
    mgc__text_add(t, "</svg><div class=\"legend\">");
    for (size_t b = 0; b < n_legend; b++) mgc_io__plot_legend(t, &legend[b], "box");
    for (size_t k = 0; k < f->lines; k++) mgc_io__plot_legend(t, &f->line[k], f->line[k].dashed ? "dash" : "rule");
    mgc__text_add(t, "</div></figure>\n");
}

/* --- lines and columns over points with a name --------------------------------------------------------------------- */

/* One name in so many where there is room for one in `least`: hours then stand where a clock has them. */
static size_t one_in(double least)
{
    static const size_t strides[] = {1, 2, 3, 4, 6, 12, 24, 48, 96, 168};
    size_t k = 0;

    while (k + 1 < sizeof strides / sizeof strides[0] && (double)strides[k] < least) k++;
    return (double)strides[k] >= least ? strides[k] : (size_t)ceil(least);
}

enum { LINE = 13, BELOW_MAX = 64 }; /* SVG units of a second line; bytes of a name's part */

/* The longest name, or, in two lines broken at the first space, the longest line. */
static double widest(const char *const *labels, size_t n, bool broken)
{
    size_t longest = 1;

    for (size_t i = 0; i < n; i++) {
        size_t whole = strlen(labels[i]), first = strcspn(labels[i], " ");
        size_t len = !broken || first == whole ? whole : first > whole - first - 1 ? first : whole - first - 1;
        longest = len > longest ? len : longest;
    }
    return 6.5 * (double)longest + 6;
}

/* Names that have no room beside each other have it in two lines. */
static bool in_two_lines(const char *const *labels, size_t n, double width)
{
    return labels != NULL && widest(labels, n, false) > width && widest(labels, n, true) <= width;
}

static void word_below(mgc__text *t, double x, const char *label, bool broken)
{
    size_t first = strcspn(label, " ");
    char part[BELOW_MAX] = {0};

    if (!broken || label[first] == '\0' || first >= sizeof part) {
        mgc_io__plot_word(t, "middle", x, PLOT_HEIGHT - 7, label);
        return;
    }
    memcpy(part, label, first);
    mgc_io__plot_word(t, "middle", x, PLOT_HEIGHT - 7, part);
    mgc_io__plot_word(t, "middle", x, PLOT_HEIGHT - 7 + LINE, label + first + 1);
}

/* Names below the axis: all of them, or as many as have room. */
static void words_below(mgc__text *t, const mgc_io__scale *x, const char *const *labels, size_t n, double first)
{
    double width = fabs(x->to - x->from) / (double)n;
    bool broken = in_two_lines(labels, n, width);
    size_t every = broken ? 1 : one_in(fmax(labels != NULL ? widest(labels, n, false) : 26, width) / width);

    for (size_t i = 0; i < n; i += every) {
        double middle = mgc_io__plot_place(x, first + (double)i);
        if (labels != NULL) word_below(t, middle, labels[i], broken);
        else mgc_io__plot_label(t, "middle", middle, PLOT_HEIGHT - 7, (double)(i + 1), 0);
    }
}

void mgc_io__chart_lines(mgc__text *t, const char *title, const char *unit, const char *const *labels, const mgc_io__series *series,
                         size_t n_series, size_t n)
{
    double lower = INFINITY, upper = -INFINITY;

    for (size_t k = 0; k < n_series; k++) range_of(series[k].values, n, &lower, &upper);
    if (n == 0 || !(lower <= upper)) return;
    if (upper - lower < 1e-9 * (1 + fabs(upper))) upper = lower + fmax(1, fabs(upper) * 1e-3);
    mgc_io__scale y = mgc_io__plot_nice(lower, upper, PLOT_HEIGHT - PLOT_BOTTOM, PLOT_TOP);
    mgc_io__scale x = {0, (double)(n > 1 ? n - 1 : 1), 0, PLOT_LEFT + 8, PLOT_WIDTH - PLOT_RIGHT - 8};
    mgc_io__plot_begin(t, title, unit, NULL, PLOT_HEIGHT);
    mgc_io__plot_values(t, &y, PLOT_LEFT, PLOT_WIDTH - PLOT_RIGHT, true);
    for (size_t k = 0; k < n_series; k++) {
        bool down = false;
        mgc__text_printf(t, "<path class=\"%s\" stroke=\"%s\" d=\"", series[k].dashed ? "dashed" : "curve", series[k].color);
        for (size_t i = 0; i < n; i++) {
            if (isfinite(series[k].values[i]))
                point(t, down ? "L" : "M", mgc_io__plot_place(&x, (double)i), mgc_io__plot_place(&y, series[k].values[i]));
            down = isfinite(series[k].values[i]);
        }
        mgc__text_add(t, "\"/>");
    }
    words_below(t, &x, labels, n, 0);
    mgc__text_add(t, "</svg>");
    mgc_io__plot_legends(t, series, n_series, "rule");
}

static void one_column(mgc__text *t, const mgc_io__series *s, size_t i, const mgc_io__scale *y, double left, double width, double base)
{
    double a = mgc_io__plot_place(y, base), b = mgc_io__plot_place(y, base + s->values[i]);

    mgc__text_printf(t, "<rect fill=\"%s\"", s->color);
    mgc_io__plot_attribute(t, "x", left);
    mgc_io__plot_attribute(t, "y", fmin(a, b));
    mgc_io__plot_attribute(t, "width", fmax(width, 0.5));
    mgc_io__plot_attribute(t, "height", fabs(a - b));
    titled(t, s->name, s->values[i], fabs(s->values[i]) < 10 ? 3 : 0);
}

enum { COLUMN_WIDTH_MAX = 56, COLUMN_VALUE_WIDTH = 30 }; /* one or two columns are no walls; a wide one has its value at its end */

static void column_value(mgc__text *t, const mgc_io__scale *y, double x, double value)
{
    if (isfinite(value)) mgc_io__plot_label(t, "middle", x, mgc_io__plot_place(y, value) + (value < 0 ? 11 : -4), value, fabs(value) < 10 && value != 0 ? 2 : 0);
}

void mgc_io__chart_columns(mgc__text *t, const char *title, const char *unit, const char *const *labels, size_t n,
                           const mgc_io__series *series, size_t n_series, bool stacked)
{
    double lower = 0, upper = 0;

    if (n == 0 || n_series == 0) return;
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t k = 0; k < n_series; k++) {
            sum += series[k].values[i];
            if (!stacked) range_of(&series[k].values[i], 1, &lower, &upper);
        }
        if (stacked) range_of(&sum, 1, &lower, &upper);
    }
    mgc_io__scale y = mgc_io__plot_nice(lower, upper, PLOT_HEIGHT - PLOT_BOTTOM, PLOT_TOP);
    mgc_io__scale x = {0, (double)n, 0, PLOT_LEFT, PLOT_WIDTH - PLOT_RIGHT};
    double group = (x.to - x.from) / (double)n, columns = stacked ? 1 : (double)n_series;
    double width = fmin(group * .8 / columns, COLUMN_WIDTH_MAX);
    mgc_io__plot_begin(t, title, unit, NULL, PLOT_HEIGHT + (in_two_lines(labels, n, group) ? LINE : 0));
    mgc_io__plot_values(t, &y, PLOT_LEFT, PLOT_WIDTH - PLOT_RIGHT, true);
    for (size_t i = 0; i < n; i++) {
        double left = mgc_io__plot_place(&x, (double)i + .5) - width * columns / 2, base = 0;
        for (size_t k = 0; k < n_series; k++) {
            one_column(t, &series[k], i, &y, left + (stacked ? 0 : width * (double)k), width - (group > 8), base);
            if (stacked) base += series[k].values[i];
            else if (width >= COLUMN_VALUE_WIDTH) column_value(t, &y, left + width * ((double)k + .5), series[k].values[i]);
        }
    }
    words_below(t, &x, labels, n, .5);
    mgc__text_add(t, "</svg>");
    mgc_io__plot_legends(t, series, n_series, "box");
}

/* --- chords ------------------------------------------------------------------------------------------------------ */

enum { CHORD_HEIGHT = 330, RADIUS = 112, RING = 11 };

typedef struct arc { double from, to; } arc;

static void on_circle(mgc__text *t, const char *pen, double radius, double angle)
{
    point(t, pen, PLOT_WIDTH / 2.0 + radius * sin(angle), CHORD_HEIGHT / 2.0 - radius * cos(angle));
}

static void along(mgc__text *t, double radius, double from, double to)
{
    mgc__text_printf(t, "A%.0f %.0f 0 %d %d ", radius, radius, fabs(to - from) > pi, to > from);
    on_circle(t, "", radius, to);
}

static void ring(mgc__text *t, arc a, const char *color, const char *name, double kwh)
{
    double middle = (a.from + a.to) / 2, x = PLOT_WIDTH / 2.0 + (RADIUS + RING + 8) * sin(middle);

    mgc__text_printf(t, "<path fill=\"%s\" d=\"", color);
    on_circle(t, "M", RADIUS, a.from);
    along(t, RADIUS, a.from, a.to);
    on_circle(t, "L", RADIUS + RING, a.to);
    along(t, RADIUS + RING, a.to, a.from);
    mgc__text_add(t, "Z\"><title>");
    mgc__text_escaped(t, name);
    mgc__text_add(t, " ");
    mgc__text_fixed(t, kwh, 0, true);
    mgc__text_add(t, " kWh sent and received</title></path>");
    mgc_io__plot_word(t, fabs(sin(middle)) < .25 ? "middle" : sin(middle) > 0 ? "start" : "end", x,
                      CHORD_HEIGHT / 2.0 - (RADIUS + RING + 10) * cos(middle) + 4, name);
}

static void ribbon(mgc__text *t, arc from, arc to, const char *color, const char *sender, const char *receiver, double kwh)
{
    mgc__text_printf(t, "<path class=\"ribbon\" fill=\"%s\" d=\"", color);
    on_circle(t, "M", RADIUS - 2, from.from);
    along(t, RADIUS - 2, from.from, from.to);
    mgc__text_printf(t, "Q%d %d ", PLOT_WIDTH / 2, CHORD_HEIGHT / 2);
    on_circle(t, "", RADIUS - 12, to.from); /* short of the ring: this end receives */
    along(t, RADIUS - 12, to.from, to.to);
    mgc__text_printf(t, "Q%d %d ", PLOT_WIDTH / 2, CHORD_HEIGHT / 2);
    on_circle(t, "", RADIUS - 2, from.from);
    mgc__text_add(t, "Z\"><title>");
    mgc__text_escaped(t, sender);
    mgc__text_add(t, " → ");
    mgc__text_escaped(t, receiver);
    mgc__text_add(t, " ");
    mgc__text_fixed(t, kwh, 0, true);
    mgc__text_add(t, " kWh</title></path>");
}

enum { CHORD_MEMBERS_MAX = 24 };

/* Krzywinski et al. 2009, "Circos": a share of the circle for each, a ribbon for each flow. */
void mgc_io__chart_chord(mgc__text *t, const char *title, const char *unit, const char *const *names, const char *const *colors, size_t n,
                         const double *flow)
{
    double share[CHORD_MEMBERS_MAX] = {0}, at[CHORD_MEMBERS_MAX], total = 0, angle = 0;

    if (n == 0 || n > CHORD_MEMBERS_MAX) return;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            share[i] += flow[i * n + j];
            share[j] += flow[i * n + j];
            total += 2 * flow[i * n + j];
        }
    if (!(total > 0)) return;
    double gap = n > 1 ? fmin(.09, pi / (double)n) : 0, per_kwh = (2 * pi - gap * (double)n) / total;
    mgc_io__plot_begin(t, title, unit, NULL, CHORD_HEIGHT);
    for (size_t i = 0; i < n; i++) {
        at[i] = angle;
        if (share[i] > 0) ring(t, (arc){angle, angle + share[i] * per_kwh}, colors[i], names[i], share[i]);
        angle += share[i] * per_kwh + gap;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 1; k < n; k++) {
            size_t j = (i + n - k) % n; /* so that ribbons cross little */
            double width = flow[i * n + j] * per_kwh;
            if (!(width > 0)) continue;
            ribbon(t, (arc){at[i], at[i] + width}, (arc){at[j], at[j] + width}, colors[i], names[i], names[j], flow[i * n + j]);
            at[i] += width;
            at[j] += width;
        }
    mgc__text_add(t, "</svg></figure>\n");
}

/* --- maps of cells ------------------------------------------------------------------------------------------------ */

enum { ROW_HEIGHT = 20, MAP_NAME_MAX = 190, MAP_VALUE = 58, LETTER = 7 };

static double name_width(const char *const *names, size_t rows)
{
    double width = 40;

    for (size_t r = 0; r < rows; r++) width = fmax(width, LETTER * (double)strlen(names[r]) + 12);
    return fmin(width, MAP_NAME_MAX);
}

void mgc_io__chart_heat(mgc__text *t, const char *title, const char *unit, const char *const *names, size_t rows, const double *value,
                        size_t n, double hours, double start_hour)
{
    double most = 0, least = 0, left = name_width(names, rows), height = (double)rows * ROW_HEIGHT;

    if (rows == 0 || n == 0) return;
    range_of(value, rows * n, &least, &most);
    mgc_io__scale x = {0, (double)n * hours, 0, left, PLOT_WIDTH - MAP_VALUE};
    double width = (x.to - x.from) / (double)n;
    mgc_io__plot_begin(t, title, unit, NULL, (unsigned)height + PLOT_TOP + PLOT_BOTTOM);
    for (size_t r = 0; r < rows; r++) {
        double top = PLOT_TOP + (double)r * ROW_HEIGHT, peak = 0;
        mgc_io__plot_word(t, "end", left - 6, top + 14, names[r]);
        for (size_t i = 0; i < n; i++) {
            double v = value[r * n + i];
            peak = fmax(peak, v);
            if (!(v > 0.005 * most)) continue;
            rectangle(t, left + (double)i * width, top + 1, fmax(width - .6, .4), ROW_HEIGHT - 2);
            mgc__text_printf(t, " fill=\"var(--heat)\" fill-opacity=\"%.2f\"", .12 + .88 * v / most);
            titled(t, names[r], v, 1);
        }
        mgc_io__plot_label(t, "start", PLOT_WIDTH - MAP_VALUE + 5, top + 14, peak, peak < 10);
    }
    mgc_io__plot_clock(t, &x, PLOT_TOP + height + 16, n, hours, start_hour);
    mgc__text_add(t, "</svg></figure>\n");
}

void mgc_io__chart_grid(mgc__text *t, const char *title, const char *unit, const char *const *names, size_t rows, const double *value,
                        size_t n, const char *const *labels, const mgc_io__series *classes, size_t n_classes)
{
    double left = name_width(names, rows), height = (double)rows * ROW_HEIGHT;

    if (rows == 0 || n == 0) return;
    mgc_io__scale x = {0, (double)n, 0, left, PLOT_WIDTH - PLOT_RIGHT};
    double width = (x.to - x.from) / (double)n;
    mgc_io__plot_begin(t, title, unit, NULL, (unsigned)height + PLOT_TOP + PLOT_BOTTOM);
    for (size_t r = 0; r < rows; r++) {
        double top = PLOT_TOP + (double)r * ROW_HEIGHT;
        mgc_io__plot_word(t, "end", left - 6, top + 14, names[r]);
        for (size_t i = 0; i < n; i++) {
            double v = value[r * n + i];
            if (!(v >= 0) || v >= (double)n_classes) continue;
            rectangle(t, left + (double)i * width, top + 1, fmax(width - .6, .4), ROW_HEIGHT - 2);
            mgc__text_printf(t, " fill=\"%s\"><title>", classes[(size_t)v].color);
            mgc__text_escaped(t, names[r]);
            mgc__text_add(t, ", ");
            if (labels != NULL) mgc__text_escaped(t, labels[i]);
            mgc__text_add(t, ": ");
            mgc__text_escaped(t, classes[(size_t)v].name);
            mgc__text_add(t, "</title></rect>");
        }
    }
    size_t every = one_in(44 / width);
    for (size_t i = 0; labels != NULL && i < n; i += every)
        mgc_io__plot_word(t, "middle", mgc_io__plot_place(&x, (double)i + .5), PLOT_TOP + height + 16, labels[i]);
    mgc__text_add(t, "</svg>");
    mgc_io__plot_legends(t, classes, n_classes, "box");
}

/* --- ladders ------------------------------------------------------------------------------------------------------ */

/* A mark's name stands on the side away from the other mark. */
static void mark(mgc__text *t, const mgc_io__ladder *l, size_t k, const mgc_io__scale *x)
{
    static const char *const colors[2] = {"var(--soft)", "#009e73"};
    double at = mgc_io__plot_place(x, l->mark[k]);
    bool left = l->marks > 1 && l->mark[k] < l->mark[1 - k];

    mgc__text_printf(t, "<g stroke=\"%s\" stroke-width=\"2\">", colors[k]);
    mgc_io__plot_line(t, k == 0 ? "dashed" : "curve", at, PLOT_TOP, at, PLOT_HEIGHT - PLOT_BOTTOM);
    mgc__text_add(t, "</g>");
    mgc_io__plot_word(t, left ? "end" : "start", at + (left ? -5 : 5), PLOT_HEIGHT - PLOT_BOTTOM - 8, l->mark_name[k]);
}

void mgc_io__chart_ladder(mgc__text *t, const mgc_io__ladder *l)
{
    double lower = 0, upper = 0, low_price = 0, high_price = 0;

    if (l->steps == 0) return;
    range_of(l->edge, l->steps - 1, &lower, &upper);
    range_of(l->mark, l->marks, &lower, &upper);
    range_of(l->price, l->steps, &low_price, &high_price);
    double room = .15 * fmax(upper - lower, 1);
    mgc_io__scale x = mgc_io__plot_nice(lower - room, upper + room, PLOT_LEFT, PLOT_WIDTH - PLOT_RIGHT);
    mgc_io__scale y = mgc_io__plot_nice(low_price, high_price, PLOT_HEIGHT - PLOT_BOTTOM, PLOT_TOP);
    mgc_io__plot_begin(t, l->title, l->unit, NULL, PLOT_HEIGHT);
    mgc_io__plot_values(t, &y, PLOT_LEFT, PLOT_WIDTH - PLOT_RIGHT, true);
    mgc__text_add(t, "<path class=\"curve\" stroke=\"var(--ink)\" d=\"");
    for (size_t k = 0; k < l->steps; k++) {
        double from = k == 0 ? x.lower : l->edge[k - 1], to = k + 1 == l->steps ? x.upper : l->edge[k];
        point(t, k == 0 ? "M" : "L", mgc_io__plot_place(&x, from), mgc_io__plot_place(&y, l->price[k]));
        point(t, "L", mgc_io__plot_place(&x, to), mgc_io__plot_place(&y, l->price[k]));
    }
    mgc__text_add(t, "\"/>");
    for (size_t k = 0; k < l->marks && k < 2; k++) mark(t, l, k, &x);
    for (double tick = x.lower; tick <= x.upper + x.step / 2; tick += x.step)
        mgc_io__plot_label(t, "middle", mgc_io__plot_place(&x, tick), PLOT_HEIGHT - 7, fabs(tick) < x.step / 2 ? 0 : tick, mgc_io__plot_decimals(x.step));
    mgc__text_add(t, "</svg></figure>\n");
}
