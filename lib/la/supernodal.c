/* SPDX-License-Identifier: Apache-2.0 */
/* Left-looking L D L' by supernodes: neighbouring columns of L with (nearly) one pattern are a dense panel, so that
 * all work beyond the leaves runs on contiguous vectors (Ng and Peyton 1993).  Written for quasi-definite matrices:
 * every pivot is 1 x 1 in the given order and has a known sign. */
#include "la/supernodal.h"

#include <math.h>

enum { WIDTH = SUPERNODAL_WIDTH };
enum { LEAST_VECTOR = 8 }; /* rows below which a product is not worth gathering its vector */

static void destroy(mgc__ldl *ldl)
{
    supernodal *s = ldl->state;
    mgc_ctx *ctx = ldl->ctx;

    if (!s) return;
    mgc__free(ctx, s->first);
    mgc__free(ctx, s->of);
    mgc__free(ctx, s->row_start);
    mgc__free(ctx, s->row);
    mgc__free(ctx, s->value_start);
    mgc__free(ctx, s->value);
    mgc__free(ctx, s->update_start);
    mgc__free(ctx, s->update);
    mgc__free(ctx, s->relative);
    mgc__free(ctx, s->entry);
    mgc__free(ctx, s->d);
    mgc__free(ctx, s->panel_work);
    mgc__free(ctx, s);
    ldl->state = NULL;
}

/* --- factorisation --------------------------------------------------------------------------------------------- */

/* Panel of J -= what descendant u->from contributes to its columns. */
static void apply_update(supernodal *s, uint32_t j, const supernode_update *u)
{
    uint32_t from = u->from, depth = s->first[from + 1] - s->first[from], below = s->row_start[from + 1] - s->row_start[from];
    size_t lda = (size_t)depth + below, ldj = s->first[j + 1] - s->first[j] + s->row_start[j + 1] - s->row_start[j];
    uint32_t rows = below - u->at, cols = u->end - u->at, base_column = s->first[j];
    const double *l = s->value + s->value_start[from] + depth + u->at, *d = s->d + s->first[from];
    const uint32_t *relative = s->relative + u->relative, *target = s->row + s->row_start[from] + u->at;
    double *panel = s->value + s->value_start[j], *c = s->panel_work, *w = s->w;

    if (depth == 1) {
        for (uint32_t k = 0; k < cols; k++) {
            double *y = panel + (size_t)(target[k] - base_column) * ldj, t = l[k] * d[0];

            for (uint32_t r = k; r < rows; r++) y[relative[r]] -= l[r] * t;
        }
        return;
    }
    for (uint32_t k0 = 0; k0 < cols; k0 += WIDTH) {
        uint32_t width = cols - k0 < WIDTH ? cols - k0 : WIDTH;

        for (uint32_t k = 0; k < depth; k++)
            for (uint32_t q = 0; q < WIDTH; q++) w[k * WIDTH + q] = q < width ? d[k] * l[k * lda + k0 + q] : 0.0;
        s->kernel->multiply(rows - k0, depth, l + k0, lda, w, c, s->ldc);
        for (uint32_t q = 0; q < width; q++) {
            double *y = panel + (size_t)(target[k0 + q] - base_column) * ldj;
            const double *x = c + q * s->ldc;

            for (uint32_t r = q; r < rows - k0; r++) y[relative[k0 + r]] -= x[r];
        }
    }
}

/* The pivot of column c of a panel and what made it: the magnitudes of its terms, for ldl_pivot(). */
static double choose_pivot(mgc__ldl *ldl, supernodal *s, uint32_t column, double d)
{
    const mgc__csc *k = &ldl->k;

    return ldl_pivot(ldl, d + ldl->shift[column], s->size[column] + fabs(k->value[k->start[column + 1] - 1]),
                     ldl->sign[column]);
}

/* Dense L D L' of a panel whose updates from the left are done; WIDTH columns at a time, and a look at the cancel flag. */
static mgc_status factorise_panel(mgc__ldl *ldl, supernodal *s, uint32_t j)
{
    uint32_t first = s->first[j], cols = s->first[j + 1] - first, ld = cols + s->row_start[j + 1] - s->row_start[j];
    double *panel = s->value + s->value_start[j], *d = s->d + first, *w = s->w;

    for (uint32_t b = 0; b < cols; b += WIDTH) {
        uint32_t width = cols - b < WIDTH ? cols - b : WIDTH;

        if (mgc_ctx_cancelled(ldl->ctx)) return MGC_E_STOPPED;
        if (b > 0) {
            for (uint32_t k = 0; k < b; k++)
                for (uint32_t q = 0; q < WIDTH; q++)
                    w[k * WIDTH + q] = q < width ? d[k] * panel[k * (size_t)ld + b + q] : 0.0;
            s->kernel->multiply(ld - b, b, panel + b, ld, w, s->panel_work, s->ldc);
            for (uint32_t q = 0; q < width; q++)
                s->kernel->subtract(ld - b - q, s->panel_work + q * s->ldc + q, panel + (b + q) * (size_t)ld + b + q);
        }
        for (uint32_t c = b; c < b + width; c++) {
            double *y = panel + c * (size_t)ld, v[WIDTH], t = y[c];

            for (uint32_t k = b; k < c; k++) {
                v[k - b] = d[k] * panel[k * (size_t)ld + c];
                t -= panel[k * (size_t)ld + c] * v[k - b];
            }
            for (uint32_t k = 0; k < c; k++) {
                double l = panel[k * (size_t)ld + c];

                s->size[first + c] += l * l * fabs(d[k]);
            }
            d[c] = choose_pivot(ldl, s, first + c, t);
            if (!isfinite(t)) return MGC_E_NUMERIC;
            s->d_inverse[first + c] = 1.0 / d[c];
            s->kernel->eliminate(ld - c - 1, c - b, panel + b * (size_t)ld + c + 1, ld, v, 1.0 / d[c], y + c + 1);
        }
    }
    return MGC_OK;
}

/* Magnitudes that a finished panel adds to the pivots right of it. */
static void add_sizes(supernodal *s, uint32_t j)
{
    uint32_t cols = s->first[j + 1] - s->first[j], below = s->row_start[j + 1] - s->row_start[j];
    const uint32_t *row = s->row + s->row_start[j];
    const double *l = s->value + s->value_start[j] + cols, *d = s->d + s->first[j];
    double *sum = s->panel_work;

    memset(sum, 0, below * sizeof *sum);
    for (uint32_t k = 0; k < cols; k++, l += cols + below) {
        double t = fabs(d[k]);

        for (uint32_t r = 0; r < below; r++) sum[r] += l[r] * l[r] * t;
    }
    for (uint32_t r = 0; r < below; r++) s->size[row[r]] += sum[r];
}

static mgc_status factorise(mgc__ldl *ldl)
{
    supernodal *s = ldl->state;
    uint32_t nnz = ldl->k.start[ldl->n];

    memset(s->value, 0, s->value_start[s->count] * sizeof *s->value);
    if (ldl->lost) memcpy(s->size, ldl->lost, ldl->n * sizeof *s->size);
    else memset(s->size, 0, ldl->n * sizeof *s->size);
    for (uint32_t e = 0; e < nnz; e++) s->value[s->entry[e]] = ldl->k.value[e];
    for (uint32_t j = 0; j < s->count; j++) {
        for (uint32_t u = s->update_start[j]; u < s->update_start[j + 1]; u++) apply_update(s, j, &s->update[u]);
        mgc_status st = factorise_panel(ldl, s, j);
        if (st == MGC_E_STOPPED) return st;
        if (st != MGC_OK)
            return mgc__fail(ldl->ctx, MGC_E_NUMERIC, "la: a pivot of columns %u to %u of %u is not a finite number",
                             s->first[j], s->first[j + 1] - 1, ldl->n);
        add_sizes(s, j);
    }
    return MGC_OK;
}

/* --- solving --------------------------------------------------------------------------------------------------- */

static void solve_forward(const supernodal *s, uint32_t j, double *x)
{
    uint32_t first = s->first[j], cols = s->first[j + 1] - first, below = s->row_start[j + 1] - s->row_start[j];
    const uint32_t *row = s->row + s->row_start[j];
    const double *l = s->value + s->value_start[j];
    double *own = x + first, *other = s->panel_work;
    size_t ld = (size_t)cols + below;

    if (cols == 1) {
        for (uint32_t r = 0; r < below; r++) x[row[r]] -= l[1 + r] * own[0];
        return;
    }
    for (uint32_t c = 0; c + 1 < cols; c++)
        for (uint32_t r = c + 1; r < cols; r++) own[r] -= l[c * ld + r] * own[c];
    for (uint32_t r = 0; r < below; r++) other[r] = x[row[r]];
    s->kernel->subtract_product(below, cols, l + cols, ld, own, other);
    for (uint32_t r = 0; r < below; r++) x[row[r]] = other[r];
}

static void solve_backward(const supernodal *s, uint32_t j, double *x)
{
    uint32_t first = s->first[j], cols = s->first[j + 1] - first, below = s->row_start[j + 1] - s->row_start[j];
    const uint32_t *row = s->row + s->row_start[j];
    const double *l = s->value + s->value_start[j];
    double *own = x + first, *other = s->panel_work;
    size_t ld = (size_t)cols + below;

    for (uint32_t c = 0; c < cols; c++) own[c] *= s->d_inverse[first + c];
    if (below < LEAST_VECTOR) {
        for (uint32_t c = 0; c < cols; c++)
            for (uint32_t r = 0; r < below; r++) own[c] -= l[c * ld + cols + r] * x[row[r]];
    } else {
        for (uint32_t r = 0; r < below; r++) other[r] = x[row[r]];
        s->kernel->subtract_transposed(below, cols, l + cols, ld, other, own);
    }
    for (uint32_t c = cols; c-- > 0;)
        for (uint32_t r = c + 1; r < cols; r++) own[c] -= l[c * ld + r] * own[r];
}

static void solve(mgc__ldl *ldl, double *x)
{
    const supernodal *s = ldl->state;

    for (uint32_t j = 0; j < s->count; j++) solve_forward(s, j, x);
    for (uint32_t j = s->count; j-- > 0;) solve_backward(s, j, x);
}

static mgc_status analyse(mgc__ldl *ldl)
{
    supernodal *s = ldl->state = mgc__alloc(ldl->ctx, 1, sizeof *s);

    if (!s) return mgc__no_memory(ldl->ctx, "a factorisation");
    s->kernel = mgc__supernodal_kernels();
    return mgc__supernodal_analyse(ldl, s);
}

const ldl_engine mgc__ldl_supernodal = {.analyse = analyse, .factorise = factorise, .solve = solve,
                                        .destroy = destroy};
