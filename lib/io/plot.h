/* SPDX-License-Identifier: Apache-2.0 */
/* What every chart is made of: scales, axes, labels, the figure around it and its legend. */
#ifndef IO_PLOT_H
#define IO_PLOT_H

#include "io/chart.h"

/* Sizes in SVG units; a chart fills its column, so on a phone one unit is about 0.75 px. */
enum { PLOT_WIDTH = 480, PLOT_HEIGHT = 250, PLOT_LEFT = 52, PLOT_RIGHT = 18, PLOT_RIGHT_SCALE = 46, PLOT_TOP = 12, PLOT_BOTTOM = 24 };

typedef struct mgc_io__scale {
    double lower, upper, step; /* in data */
    double from, to;           /* in SVG units: lower lies at from */
} mgc_io__scale;

double mgc_io__plot_place(const mgc_io__scale *s, double x);
/* Ends and ticks at 1, 2 or 5 times a power of ten. */
mgc_io__scale mgc_io__plot_nice(double lower, double upper, double from, double to);
unsigned mgc_io__plot_decimals(double step);
void mgc_io__plot_number(mgc__text *t, double x); /* one decimal: a coordinate */
void mgc_io__plot_attribute(mgc__text *t, const char *name, double x);
void mgc_io__plot_line(mgc__text *t, const char *class, double x1, double y1, double x2, double y2);
void mgc_io__plot_label(mgc__text *t, const char *anchor, double x, double y, double value, unsigned decimals);
void mgc_io__plot_word(mgc__text *t, const char *anchor, double x, double y, const char *word);
/* <figure> up to the open <svg>; the caller ends with </svg>, its legend and </figure>. */
void mgc_io__plot_begin(mgc__text *t, const char *title, const char *unit, const char *right_unit, unsigned height);
/* class: "box", "rule" or "dash". */
void mgc_io__plot_legend(mgc__text *t, const mgc_io__series *s, const char *class);
void mgc_io__plot_legends(mgc__text *t, const mgc_io__series *s, size_t n, const char *class); /* all of them, and </figure> */
void mgc_io__plot_values(mgc__text *t, const mgc_io__scale *s, double left, double right, bool grid);
/* Times of day below a chart whose x is hours since the first period. */
void mgc_io__plot_clock(mgc__text *t, const mgc_io__scale *x, double y, size_t n, double hours, double start_hour);

#endif
