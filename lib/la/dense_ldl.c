/* SPDX-License-Identifier: Apache-2.0 */
/* Dense L D L' of a quasi-definite matrix, four columns at a time: what components leave on the links of an arrow.
 * LAPACK factors definite matrices without a word about single pivots; here each has its sign and its floor. */
#include "la/ldl_private.h"
#include "la/supernodal.h"

#include <math.h>

enum { WIDTH = 4 };

/* Columns b .. b + width: everything that columns before b subtract, by one product. */
static void apply_left(const kernels *kernel, uint32_t n, uint32_t b, uint32_t width, double *a, const double *d,
                       double *w, double *c)
{
    for (uint32_t k = 0; k < b; k++)
        for (uint32_t q = 0; q < WIDTH; q++) w[k * WIDTH + q] = q < width ? d[k] * a[(size_t)k * n + b + q] : 0.0;
    kernel->multiply(n - b, b, a + b, n, w, c, n);
    for (uint32_t q = 0; q < width; q++) kernel->subtract(n - b - q, c + (size_t)q * n + q,
                                                          a + (size_t)(b + q) * n + b + q);
}

mgc_status mgc__dense_ldl(mgc__ldl *ldl, uint32_t n, double *a, const int8_t *sign, const double *shift, double *size,
                          double *d, double *d_inverse, double *work)
{
    const kernels *kernel = mgc__supernodal_kernels();
    double *w = work, *product = work + WIDTH * (size_t)n;

    for (uint32_t b = 0; b < n; b += WIDTH) {
        uint32_t width = n - b < WIDTH ? n - b : WIDTH;

        if (mgc_ctx_cancelled(ldl->ctx)) return MGC_E_STOPPED;
        if (b > 0) apply_left(kernel, n, b, width, a, d, w, product);
        for (uint32_t c = b; c < b + width; c++) {
            double *y = a + (size_t)c * n, v[WIDTH], t = y[c];

            for (uint32_t k = b; k < c; k++) {
                v[k - b] = d[k] * a[(size_t)k * n + c];
                t -= a[(size_t)k * n + c] * v[k - b];
            }
            if (!isfinite(t)) return mgc__fail(ldl->ctx, MGC_E_NUMERIC,
                                               "la: pivot %u of %u links is not a finite number", c, n);
            d[c] = ldl_pivot(ldl, t + shift[c], size[c], sign[c]);
            d_inverse[c] = 1.0 / d[c];
            kernel->eliminate(n - c - 1, c - b, a + (size_t)b * n + c + 1, n, v, d_inverse[c], y + c + 1);
            for (uint32_t r = c + 1; r < n; r++) size[r] += y[r] * y[r] * fabs(d[c]);
        }
    }
    return MGC_OK;
}
