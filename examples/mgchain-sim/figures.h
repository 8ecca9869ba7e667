/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger holds, as figures of the report. */
#ifndef SIM_FIGURES_H
#define SIM_FIGURES_H

#include "day.h"

enum { FIGURES_MAX = 9, TERMS_DRAWN = 8, FIGURE_ROWS_MAX = 60, FIGURE_POINTS_MAX = 400, FIGURE_TEXT = 160 };

typedef struct figure_memory {
    char name[FIGURE_ROWS_MAX][FIGURE_TEXT], label[FIGURE_POINTS_MAX][24], word[8][24];
    const char *names[FIGURE_ROWS_MAX], *labels[FIGURE_POINTS_MAX], *words[8];
    double *value;
} figure_memory;

typedef struct figures {
    mgc_report_figure list[FIGURES_MAX];
    figure_memory *memory[FIGURES_MAX];
    size_t n;
} figures;

void figures_begin(figures *f);
void figures_end(figures *f);
/* As the regulator sees the case's day. */
mgc_status book_figures(book *b, const mgc_case *kase, figures *f);

#endif
