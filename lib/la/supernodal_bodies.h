/* SPDX-License-Identifier: Apache-2.0 */
/* The kernels of dense panels, for registers of REGISTER doubles: included once for each. */

/* Rows [r, r + REGISTER * count) of C = A W; count is a constant. */
ALWAYS_INLINE void OF_REGISTER(multiply_tile)(uint32_t r, uint32_t count, uint32_t depth, const double *a, size_t lda,
                                              const double *w, double *c, size_t ldc)
{
    piece sum[WIDTH][2] = {{{0}}};

    for (uint32_t k = 0; k < depth; k++) {
        UNROLLED
        for (uint32_t h = 0; h < count; h++) {
            piece x = LOAD(a + k * lda + r + h * REGISTER);

            UNROLLED
            for (uint32_t q = 0; q < WIDTH; q++) sum[q][h] += x * w[(size_t)k * WIDTH + q];
        }
    }
    UNROLLED
    for (uint32_t q = 0; q < WIDTH; q++) {
        UNROLLED
        for (uint32_t h = 0; h < count; h++) STORE(c + q * ldc + r + h * REGISTER) = sum[q][h];
    }
}

/* C (rows x 4, ldc) = A (rows x depth, lda) W, W depth x 4 by rows. */
ALWAYS_INLINE void OF_REGISTER(multiply_body)(uint32_t rows, uint32_t depth, const double *a, size_t lda, const double *w,
                                              double *c, size_t ldc)
{
    uint32_t r = 0;

    for (; r + 2 * REGISTER <= rows; r += 2 * REGISTER) OF_REGISTER(multiply_tile)(r, 2, depth, a, lda, w, c, ldc);
    for (; r + REGISTER <= rows; r += REGISTER) OF_REGISTER(multiply_tile)(r, 1, depth, a, lda, w, c, ldc);
    for (; r < rows; r++)
        for (uint32_t q = 0; q < WIDTH; q++) {
            double sum = 0.0;

            for (uint32_t k = 0; k < depth; k++) sum += a[k * lda + r] * w[(size_t)k * WIDTH + q];
            c[q * ldc + r] = sum;
        }
}

/* y -= C, for one column. */
ALWAYS_INLINE void OF_REGISTER(subtract_body)(uint32_t rows, const double *c, double *y)
{
    uint32_t r = 0;

    for (; r + REGISTER <= rows; r += REGISTER) STORE(y + r) = LOAD(y + r) - LOAD(c + r);
    for (; r < rows; r++) y[r] -= c[r];
}

/* One column of a block below its pivot: y -= sum_k l_k w_k over the `depth` columns before it, then scaled by 1/d.
 * l: those columns, lda apart. */
ALWAYS_INLINE void OF_REGISTER(eliminate_body)(uint32_t rows, uint32_t depth, const double *l, size_t lda,
                                               const double *w, double scale, double *y)
{
    uint32_t r = 0;

    for (; r + REGISTER <= rows; r += REGISTER) {
        piece t = LOAD(y + r);

        for (uint32_t k = 0; k < depth; k++) t -= LOAD(l + k * lda + r) * w[k];
        STORE(y + r) = t * scale;
    }
    for (; r < rows; r++) {
        double t = y[r];

        for (uint32_t k = 0; k < depth; k++) t -= l[k * lda + r] * w[k];
        y[r] = t * scale;
    }
}

/* Four columns a pass. */
ALWAYS_INLINE void OF_REGISTER(subtract_product_body)(uint32_t rows, uint32_t cols, const double *a, size_t lda,
                                                      const double *x, double *y)
{
    uint32_t k = 0, r;

    for (; k + 4 <= cols; k += 4, a += 4 * lda) {
        const double *a1 = a + lda, *a2 = a1 + lda, *a3 = a2 + lda;
        double x0 = x[k], x1 = x[k + 1], x2 = x[k + 2], x3 = x[k + 3];

        for (r = 0; r + REGISTER <= rows; r += REGISTER)
            STORE(y + r) =
                LOAD(y + r) - ((LOAD(a + r) * x0 + LOAD(a1 + r) * x1) + (LOAD(a2 + r) * x2 + LOAD(a3 + r) * x3));
        for (; r < rows; r++) y[r] -= (a[r] * x0 + a1[r] * x1) + (a2[r] * x2 + a3[r] * x3);
    }
    for (; k < cols; k++, a += lda) {
        for (r = 0; r + REGISTER <= rows; r += REGISTER) STORE(y + r) = LOAD(y + r) - LOAD(a + r) * x[k];
        for (; r < rows; r++) y[r] -= a[r] * x[k];
    }
}

/* x[k] -= the product of y and each of `count` columns, which share the loads of y; count is a constant. */
ALWAYS_INLINE void OF_REGISTER(subtract_products)(int count, uint32_t rows, const double *a, size_t lda, const double *y,
                                                  double *x)
{
    piece sum[2][PIECES] = {{{0}}};
    double rest[2] = {0.0, 0.0};
    uint32_t r = 0;

    for (; r + LANES <= rows; r += LANES) {
        UNROLLED
        for (int h = 0; h < PIECES; h++) {
            piece t = LOAD(y + r + h * REGISTER);

            UNROLLED
            for (int q = 0; q < count; q++) sum[q][h] += LOAD(a + (size_t)q * lda + r + h * REGISTER) * t;
        }
    }
    for (; r < rows; r++)
        for (int q = 0; q < count; q++) rest[q] += a[(size_t)q * lda + r] * y[r];
    for (int q = 0; q < count; q++) {
        double s[LANES];

        UNROLLED
        for (int h = 0; h < PIECES; h++) STORE(s + h * REGISTER) = sum[q][h];
        x[q] -= sum_of_lanes(s) + rest[q];
    }
}

ALWAYS_INLINE void OF_REGISTER(subtract_transposed_body)(uint32_t rows, uint32_t cols, const double *a, size_t lda,
                                                         const double *y, double *x)
{
    uint32_t k = 0;

    for (; k + 2 <= cols; k += 2) OF_REGISTER(subtract_products)(2, rows, a + k * lda, lda, y, x + k);
    if (k < cols) OF_REGISTER(subtract_products)(1, rows, a + k * lda, lda, y, x + k);
}
