/* SPDX-License-Identifier: Apache-2.0 */
/* Charts as inline SVG: no script, readable on paper, on a phone and by a screen reader. */
#ifndef IO_CHART_H
#define IO_CHART_H

#include "io/text.h"

typedef struct mgc_io__series {
    const char *name, *color;
    const double *values; /* n */
    bool dashed;          /* lines only */
} mgc_io__series;

enum { MGC_IO__CHART_SERIES_MAX = 24 };

/* Bars stacked upwards and downwards over time, lines above them, and lines on a second scale. */
typedef struct mgc_io__chart {
    const char *title, *unit, *right_unit;
    size_t n;
    double hours;      /* of one period */
    double start_hour; /* of the day at the first period */
    mgc_io__series up[MGC_IO__CHART_SERIES_MAX], down[MGC_IO__CHART_SERIES_MAX];
    mgc_io__series line[MGC_IO__CHART_SERIES_MAX], right[MGC_IO__CHART_SERIES_MAX];
    size_t n_up, n_down, n_line, n_right;
} mgc_io__chart;

void mgc_io__chart_time(mgc__text *t, const mgc_io__chart *chart);
/* What is less than a hundredth of the unit all along cannot be seen: such a series is not drawn. */
bool mgc_io__chart_empty(const mgc_io__series *s, size_t n);

/* Lines over rounds 1..n on a logarithmic scale; values <= 0 are left out. */
void mgc_io__chart_log(mgc__text *t, const char *title, const char *x_name, const mgc_io__series *series, size_t n_series, size_t n);

/* Groups of horizontal bars: value[group * n_series + series]. */
void mgc_io__chart_bars(mgc__text *t, const char *title, const char *unit, const char *const *groups, size_t n_groups,
                        const mgc_io__series *series, size_t n_series, const double *value);

/* --- shapes.c ------------------------------------------------------------------------------------------------- */

/* Bands of a distribution over time, widest first, lines above them.  Bands: low and high in turn. */
typedef struct mgc_io__fan {
    const char *title, *unit;
    size_t n, bands, lines;
    double hours, start_hour;
    const double *band[8];
    const char *band_name[4];
    mgc_io__series line[4];
} mgc_io__fan;

void mgc_io__chart_fan(mgc__text *t, const mgc_io__fan *fan);

/* Lines over points 1..n on a linear scale that holds the values, not zero. */
void mgc_io__chart_lines(mgc__text *t, const char *title, const char *unit, const char *const *labels, const mgc_io__series *series,
                         size_t n_series, size_t n);
/* Groups of upright bars, or one stack a group: series[k].values[group]. */
void mgc_io__chart_columns(mgc__text *t, const char *title, const char *unit, const char *const *labels, size_t n,
                           const mgc_io__series *series, size_t n_series, bool stacked);
/* Who sends how much to whom: flow[from * n + to].  Ribbons leave in the sender's colour. */
void mgc_io__chart_chord(mgc__text *t, const char *title, const char *unit, const char *const *names, const char *const *colors, size_t n,
                         const double *flow);
/* Rows of cells, the darker the larger; above: the row's largest value. */
void mgc_io__chart_heat(mgc__text *t, const char *title, const char *unit, const char *const *names, size_t rows, const double *value,
                        size_t n, double hours, double start_hour);
/* Rows of cells of a class each (0..classes-1; negative: none). */
void mgc_io__chart_grid(mgc__text *t, const char *title, const char *unit, const char *const *names, size_t rows, const double *value,
                        size_t n, const char *const *labels, const mgc_io__series *classes, size_t n_classes);
/* A price that rises in steps over a quantity, and where members stand on it. */
typedef struct mgc_io__ladder {
    const char *title, *unit;
    const double *edge;   /* steps - 1: where the price changes */
    const double *price;  /* steps */
    size_t steps, marks;
    double mark[2];
    const char *mark_name[2];
} mgc_io__ladder;
void mgc_io__chart_ladder(mgc__text *t, const mgc_io__ladder *ladder);

#endif
