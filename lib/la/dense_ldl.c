/* SPDX-License-Identifier: Apache-2.0 */
/* Dense L D L' of a quasi-definite matrix: what components leave on the links of an arrow.
 * LAPACK factors definite matrices without a word about single pivots; here each has its sign and its floor.
 *
 * By blocks of columns, from the left: all earlier blocks are applied to a block one after the other, each while it is in the
 * cache, WIDTH columns at a time, which threads share; then the block's own columns.  Columns that are applied one width at a
 * time to the end would be read from memory again for every four columns of the matrix. */
#include "la/ldl_private.h"
#include "la/supernodal.h"

#include <math.h>

enum { WIDTH = SUPERNODAL_WIDTH, BLOCK = MGC__DENSE_BLOCK };

/* What a block's columns are computed from. */
typedef struct dense {
    const mgc_ctx *ctx;
    const kernels *kernel;
    uint32_t n, block, end; /* columns of the block under way */
    double *a;
    const double *d;
    double *work; /* for each width of a block: WIDTH rows of BLOCK, WIDTH columns */
} dense;

/* Columns b .. b + width: what columns [from, to) subtract, by one product. */
static void apply(const dense *m, uint32_t b, uint32_t from, uint32_t to)
{
    uint32_t width = m->end - b < WIDTH ? m->end - b : WIDTH;
    size_t n = m->n;
    double *w = m->work + (b - m->block) / WIDTH * (WIDTH * (n + BLOCK)), *c = w + WIDTH * BLOCK;

    for (uint32_t k = from; k < to; k++)
        for (uint32_t q = 0; q < WIDTH; q++) w[(k - from) * WIDTH + q] = q < width ? m->d[k] * m->a[k * n + b + q] : 0.0;
    m->kernel->multiply(m->n - b, to - from, m->a + from * n + b, n, w, c, n);
    for (uint32_t q = 0; q < width; q++) m->kernel->subtract(m->n - b - q, c + q * n + q, m->a + (b + q) * n + b + q);
}

/* All blocks before the present one, for one width of its columns. */
static void apply_blocks(void *user, size_t index)
{
    const dense *m = user;

    for (uint32_t from = 0; from < m->block && !mgc_ctx_cancelled(m->ctx); from += BLOCK)
        apply(m, m->block + (uint32_t)index * WIDTH, from, from + BLOCK);
}

/* Column c, of which all but columns b .. c is subtracted already. */
static mgc_status eliminate(mgc__ldl *ldl, const dense *m, uint32_t b, uint32_t c, double sign, double shift, double *size,
                            double *d, double *d_inverse)
{
    size_t n = m->n;
    double *a = m->a, *y = a + c * n, v[WIDTH], t = y[c];

    for (uint32_t k = b; k < c; k++) {
        v[k - b] = d[k] * a[k * n + c];
        t -= a[k * n + c] * v[k - b];
    }
    if (!isfinite(t)) return mgc__fail(ldl->ctx, MGC_E_NUMERIC, "la: pivot %u of %u links is not a finite number", c, m->n);
    d[c] = ldl_pivot(ldl, t + shift, size[c], sign);
    d_inverse[c] = 1.0 / d[c];
    m->kernel->eliminate(m->n - c - 1, c - b, a + b * n + c + 1, n, v, d_inverse[c], y + c + 1);
    for (uint32_t r = c + 1; r < m->n; r++) size[r] += y[r] * y[r] * fabs(d[c]);
    return MGC_OK;
}

mgc_status mgc__dense_ldl(mgc__ldl *ldl, uint32_t n, double *a, const int8_t *sign, const double *shift, double *size,
                          double *d, double *d_inverse, double *work)
{
    dense m = {.ctx = ldl->ctx, .kernel = mgc__supernodal_kernels(), .n = n, .a = a, .d = d, .work = work};
    mgc_status st = MGC_OK;

    for (m.block = 0; m.block < n; m.block += BLOCK) {
        double operations = (double)BLOCK * m.block * (n - m.block);

        m.end = n - m.block < BLOCK ? n : m.block + BLOCK;
        if (m.block > 0)
            mgc__pool_run(operations < ldl->worth_sharing ? NULL : ldl->pool, (m.end - m.block + WIDTH - 1) / WIDTH,
                          apply_blocks, &m);
        if (mgc_ctx_cancelled(ldl->ctx)) return MGC_E_STOPPED;
        for (uint32_t b = m.block; b < m.end; b += WIDTH) {
            if (b > m.block) apply(&m, b, m.block, b);
            for (uint32_t c = b; c < m.end && c < b + WIDTH && st == MGC_OK; c++)
                st = eliminate(ldl, &m, b, c, sign[c], shift[c], size, d, d_inverse);
            if (st != MGC_OK) return st;
        }
    }
    return MGC_OK;
}

/* Blocks of a solve: a triangle that is walked column by column, and below it a rectangle. */
enum { TRIANGLE = 16 };

void mgc__dense_ldl_solve(uint32_t order, const double *a, const double *d_inverse, double *x)
{
    const kernels *kernel = mgc__supernodal_kernels();
    size_t n = order;

    for (uint32_t b = 0; b < order; b += TRIANGLE) {
        uint32_t end = order - b < TRIANGLE ? order : b + TRIANGLE;

        for (uint32_t c = b; c < end; c++)
            for (uint32_t r = c + 1; r < end; r++) x[r] -= a[c * n + r] * x[c];
        kernel->subtract_product(order - end, end - b, a + b * n + end, n, x + b, x + end);
    }
    for (uint32_t end = order, b; end > 0; end = b) {
        b = (end - 1) / TRIANGLE * TRIANGLE;
        for (uint32_t c = b; c < end; c++) x[c] *= d_inverse[c];
        kernel->subtract_transposed(order - end, end - b, a + b * n + end, n, x + end, x + b);
        for (uint32_t c = end; c-- > b;)
            for (uint32_t r = c + 1; r < end; r++) x[c] -= a[c * n + r] * x[r];
    }
}
