/* SPDX-License-Identifier: Apache-2.0 */
/* Dense positive definite systems, by LAPACK. */
#include "la/la.h"

#include <lapacke.h>

mgc_status mgc__dense_cholesky(mgc_ctx *ctx, size_t n, double *a, size_t lda)
{
    lapack_int info;

    assert(n <= INT32_MAX && lda <= INT32_MAX && lda >= n);
    if (n == 0) return MGC_OK;
    info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', (lapack_int)n, a, (lapack_int)lda);
    assert(info >= 0);
    if (info > 0)
        return mgc__fail(ctx, MGC_E_NUMERIC,
                         "la: dense matrix of order %zu is not positive definite; pivot %d is not positive",
                         n, (int)info - 1);
    return MGC_OK;
}

void mgc__dense_cholesky_solve(size_t n, const double *l, size_t lda, double *b)
{
    lapack_int info = 0;

    if (n > 0)
        info = LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'L', (lapack_int)n, 1, l, (lapack_int)lda, b, (lapack_int)n);
    assert(info == 0);
    (void)info;
}
