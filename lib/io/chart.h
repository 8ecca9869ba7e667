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

/* Lines over rounds 1..n on a logarithmic scale; values <= 0 are left out. */
void mgc_io__chart_log(mgc__text *t, const char *title, const char *x_name, const mgc_io__series *series, size_t n_series, size_t n);

/* Groups of horizontal bars: value[group * n_series + series]. */
void mgc_io__chart_bars(mgc__text *t, const char *title, const char *unit, const char *const *groups, size_t n_groups,
                        const mgc_io__series *series, size_t n_series, const double *value);

#endif
