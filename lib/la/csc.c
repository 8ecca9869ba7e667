/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed sparse columns: build, transpose, multiply. */
#include "la/la.h"

mgc_status mgc__csc_alloc(mgc_ctx *ctx, uint32_t rows, uint32_t cols, size_t nnz, mgc__csc *out)
{
    *out = (mgc__csc){.rows = rows, .cols = cols};
    if (nnz > MGC__CSC_MAX || rows > MGC__CSC_MAX || cols >= MGC__CSC_MAX)
        return mgc__fail(ctx, MGC_E_LIMIT,
                         "la: sparse matrix too large; found %u x %u with %zu entries; allowed are 2^31 - 1",
                         rows, cols, nnz);
    out->start = mgc__alloc(ctx, (size_t)cols + 1, sizeof *out->start);
    out->row = mgc__alloc(ctx, nnz, sizeof *out->row);
    out->value = mgc__alloc(ctx, nnz, sizeof *out->value);
    if (!out->start || !out->row || !out->value) {
        mgc__csc_free(ctx, out);
        return mgc__no_memory(ctx, "a sparse matrix");
    }
    return MGC_OK;
}

void mgc__csc_free(mgc_ctx *ctx, mgc__csc *a)
{
    mgc__free(ctx, a->start);
    mgc__free(ctx, a->row);
    mgc__free(ctx, a->value);
    *a = (mgc__csc){0};
}

/* Turn counts in start[1..n] into positions: start[j] is where column j begins. */
static void counts_to_starts(uint32_t *start, uint32_t n)
{
    for (uint32_t j = 0; j < n; j++) start[j + 1] += start[j];
}

/* Put entry k of A at its place in A'; `next` is where each row of A continues. */
mgc_status mgc__csc_transpose(mgc_ctx *ctx, const mgc__csc *a, mgc__csc *out, uint32_t *map)
{
    uint32_t nnz = a->start[a->cols];
    mgc_status st = mgc__csc_alloc(ctx, a->cols, a->rows, nnz, out);

    if (st != MGC_OK) return st;
    for (uint32_t k = 0; k < nnz; k++) out->start[a->row[k] + 1]++;
    counts_to_starts(out->start, a->rows);
    for (uint32_t j = 0; j < a->cols; j++) {
        for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) {
            uint32_t to = out->start[a->row[k]]++; /* starts run ahead by one column, put back below */

            out->row[to] = j;
            out->value[to] = a->value[k];
            if (map) map[to] = k;
        }
    }
    for (uint32_t i = a->rows; i > 0; i--) out->start[i] = out->start[i - 1];
    out->start[0] = 0;
    return MGC_OK;
}

/* Sum neighbours of one place, in their order; columns shrink to the left. */
static void sum_duplicates(mgc__csc *a)
{
    uint32_t to = 0, from = 0;

    for (uint32_t j = 0; j < a->cols; j++) {
        uint32_t first = to, end = a->start[j + 1];

        for (; from < end; from++) {
            if (to > first && a->row[to - 1] == a->row[from]) {
                a->value[to - 1] += a->value[from];
            } else {
                a->row[to] = a->row[from];
                a->value[to++] = a->value[from];
            }
        }
        a->start[j + 1] = to;
    }
}

/* Two bucket passes: by column into A' (transposed triplets), then transposed back, which sorts the rows. */
mgc_status mgc__csc_from_triplets(mgc_ctx *ctx, uint32_t rows, uint32_t cols, size_t n, const uint32_t *i,
                                  const uint32_t *j, const double *v, mgc__csc *out)
{
    mgc__csc by_row;
    mgc_status st = mgc__csc_alloc(ctx, cols, rows, n, &by_row);

    *out = (mgc__csc){0};
    if (st != MGC_OK) return st;
    for (size_t k = 0; k < n; k++) {
        assert(i[k] < rows && j[k] < cols);
        by_row.start[i[k] + 1]++;
    }
    counts_to_starts(by_row.start, rows);
    for (size_t k = 0; k < n; k++) {
        uint32_t to = by_row.start[i[k]]++;

        by_row.row[to] = j[k];
        by_row.value[to] = v[k];
    }
    for (uint32_t r = rows; r > 0; r--) by_row.start[r] = by_row.start[r - 1];
    by_row.start[0] = 0;
    st = mgc__csc_transpose(ctx, &by_row, out, NULL);
    mgc__csc_free(ctx, &by_row);
    if (st == MGC_OK) sum_duplicates(out);
    return st;
}

void mgc__csc_mul(const mgc__csc *a, double alpha, const double *x, double *y)
{
    for (uint32_t j = 0; j < a->cols; j++) {
        double t = alpha * x[j];

        for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) y[a->row[k]] += a->value[k] * t;
    }
}

void mgc__csc_tmul(const mgc__csc *a, double alpha, const double *x, double *y)
{
    for (uint32_t j = 0; j < a->cols; j++) {
        double sum = 0.0;

        for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) sum += a->value[k] * x[a->row[k]];
        y[j] += alpha * sum;
    }
}

void mgc__csc_symmul(const mgc__csc *u, double alpha, const double *x, double *y)
{
    for (uint32_t j = 0; j < u->cols; j++) {
        uint32_t begin = u->start[j], end = u->start[j + 1];
        double sum = 0.0, t = alpha * x[j], own = 0.0;

        if (end > begin && u->row[end - 1] == j) own = u->value[--end] * x[j];
        for (uint32_t k = begin; k < end; k++) {
            uint32_t i = u->row[k];
            double v = u->value[k];

            sum += v * x[i];
            y[i] += v * t;
        }
        y[j] += alpha * (sum + own);
    }
}
