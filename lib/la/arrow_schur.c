/* SPDX-License-Identifier: Apache-2.0 */
/* What components leave on the links that all members of a group share: columns of L that know nearly the same links are a
 * panel, whose lanes side by side are nothing but more columns.  So their sum is a product of dense matrices, which runs on registers
 * instead of on rows in memory; and lanes without a component cost nothing. */
#include "la/arrow.h"
#include "la/lanes.h"
#include "la/supernodal.h"

enum { WIDTH = 4 };        /* columns of a product */
enum { PIECE = 8 };        /* columns of L that are multiplied at once */
enum { WORTH_PANELS = 8 }; /* links below which vectors would be filled with nothing */

static size_t padded(uint32_t rows)
{
    return ((size_t)rows + LANES - 1) / LANES * LANES;
}

/* The panel of column j: its parent's in the tree, which knows all of its links, if it knows few others; one of the same links;
 * or a new one.  head, next: panels by their first link. */
static uint32_t panel_of(arrow_group *g, uint32_t j, const uint32_t *of, uint32_t *head, uint32_t *next)
{
    const uint32_t *row = g->row + g->split[j];
    uint32_t rows = g->start[j + 1] - g->split[j], *first = &head[row[0] - g->size], p = *first;

    if (g->start[j] < g->split[j] && g->panel[of[g->row[g->start[j]]]].rows <= rows + rows / 4 + LANES / 2)
        return of[g->row[g->start[j]]];
    for (; p != UINT32_MAX; p = next[p]) {
        const arrow_panel *panel = &g->panel[p];

        if (panel->rows == rows && memcmp(g->row + panel->row, row, rows * sizeof *row) == 0) return p;
    }
    p = g->panels++;
    g->panel[p] = (arrow_panel){.row = g->split[j], .rows = rows};
    next[p] = *first;
    *first = p;
    return p;
}

mgc_status mgc__arrow_panels(mgc_ctx *ctx, arrow_group *g)
{
    uint32_t *work, *head, *next, *of, at = 0;

    if (!g->uniform || g->border < WORTH_PANELS) return MGC_OK;
    work = mgc__alloc(ctx, 2 * (size_t)g->size + g->border, sizeof *work);
    g->panel = mgc__alloc(ctx, g->size, sizeof *g->panel);
    g->panel_column = mgc__alloc(ctx, g->size, sizeof *g->panel_column);
    if (!work || !g->panel || !g->panel_column) {
        mgc__free(ctx, work);
        return mgc__no_memory(ctx, "a factorisation");
    }
    next = work;
    of = next + g->size;
    head = of + g->size;
    memset(head, 0xff, g->border * sizeof *head);
    for (uint32_t j = g->size; j-- > 0;) {
        if (g->split[j] == g->start[j + 1]) continue;
        of[j] = panel_of(g, j, of, head, next);
        g->panel[of[j]].columns++;
    }
    for (uint32_t p = 0; p < g->panels; p++) {
        arrow_panel *panel = &g->panel[p];
        size_t need = padded(panel->rows) * (WIDTH + 2 * PIECE * LANES);

        panel->first = at;
        at += panel->columns;
        panel->columns = 0;
        g->panel_work = need > g->panel_work ? need : g->panel_work;
    }
    for (uint32_t j = 0; j < g->size; j++) {
        arrow_panel *panel = &g->panel[of[j]];

        if (g->split[j] < g->start[j + 1]) g->panel_column[panel->first + panel->columns++] = j;
    }
    mgc__free(ctx, work);
    return MGC_OK;
}

/* Columns of a panel as a matrix by columns, one for each column and lane; and the same times their pivots, by WIDTH rows as
 * products want it. */
static void take_piece(const arrow_group *g, const arrow_batch *batch, const uint32_t *column, uint32_t count,
                       const arrow_panel *panel, const double *l, const double *d, double *a, double *w)
{
    uint32_t width = batch->width, used = batch->lanes, depth = count * used;
    const uint32_t *row = g->row + panel->row;
    size_t lda = padded(panel->rows);

    for (uint32_t k = 0; k < count; k++) {
        uint32_t q = g->split[column[k]], end = g->start[column[k] + 1];
        const double *pivot = d + (size_t)column[k] * width;
        double *to = a + k * used * lda, *scaled = w + (size_t)k * used * WIDTH;

        for (uint32_t i = 0; i < lda; i++, to++) {
            double *block = scaled + (size_t)(i / WIDTH) * depth * WIDTH + i % WIDTH;
            const double *from = l + (size_t)q * width;

            if (i < panel->rows && q < end && g->row[q] == row[i]) {
                for (uint32_t lane = 0; lane < used; lane++) {
                    to[lane * lda] = from[lane];
                    block[lane * WIDTH] = from[lane] * pivot[lane];
                }
                q++;
            } else {
                for (uint32_t lane = 0; lane < used; lane++) to[lane * lda] = block[lane * WIDTH] = 0.0;
            }
        }
    }
}

/* to[link[i]] -= from[i - top]; links come in runs. */
static void subtract_runs(const kernels *kernel, const uint32_t *link, const uint32_t *end, uint32_t i, uint32_t rows,
                          uint32_t top, const double *from, double *to)
{
    while (i < rows) {
        double *y = to + link[i];
        const double *c = from + (i - top);
        uint32_t n = end[i] - i;

        if (n >= LANES) kernel->subtract(n, c, y);
        else
            for (uint32_t k = 0; k < n; k++) y[k] -= c[k];
        i += n;
    }
}

/* schur -= A W', lower triangle, WIDTH columns at a time. */
static void subtract_product(const arrow_target *target, const uint32_t *link, const uint32_t *end, uint32_t rows,
                             uint32_t depth, const double *a, const double *w, double *c)
{
    const kernels *kernel = mgc__supernodal_kernels();
    size_t lda = padded(rows);

    for (uint32_t b = 0; b < rows; b += WIDTH, w += (size_t)depth * WIDTH) {
        uint32_t top = b / LANES * LANES;

        kernel->multiply((uint32_t)lda - top, depth, a + top, lda, w, c, lda);
        for (uint32_t q = 0; q < WIDTH && b + q < rows; q++)
            subtract_runs(kernel, link, end, b + q, rows, top, c + q * lda,
                          target->schur + arrow_packed(target->links, link[b + q]));
    }
}

void mgc__arrow_schur(const arrow_group *g, const arrow_batch *batch, const arrow_target *target, const double *l,
                      const double *d, uint32_t *link, double *work)
{
    uint32_t *end = link + g->border;

    for (uint32_t p = 0; p < g->panels; p++) {
        const arrow_panel *panel = &g->panel[p];
        uint32_t rows = panel->rows;
        double *c = work, *a = c + WIDTH * padded(rows), *w = a + padded(rows) * PIECE * LANES;

        for (uint32_t i = 0; i < rows; i++) link[i] = g->link[g->row[panel->row + i] - g->size];
        for (uint32_t i = rows; i-- > 0;) end[i] = i + 1 < rows && link[i + 1] == link[i] + 1 ? end[i + 1] : i + 1;
        for (uint32_t k = 0; k < panel->columns; k += PIECE) {
            uint32_t count = panel->columns - k < PIECE ? panel->columns - k : PIECE;

            take_piece(g, batch, g->panel_column + panel->first + k, count, panel, l, d, a, w);
            subtract_product(target, link, end, rows, count * batch->lanes, a, w, c);
        }
    }
}
