/* SPDX-License-Identifier: Apache-2.0 */
/* Products of dense panels.  One body for every width of registers: the same bits, as nothing is contracted or
 * reordered. */
#include "la/lanes.h"
#include "la/supernodal.h"

enum { WIDTH = SUPERNODAL_WIDTH };

#define REGISTER 2
#include "la/supernodal_bodies.h"
#undef REGISTER
#define REGISTER 4
#include "la/supernodal_bodies.h"
#undef REGISTER
#define REGISTER 8
#include "la/supernodal_bodies.h"
#undef REGISTER

#define KERNELS(name, width, isa)                                                                                     \
    isa static void multiply_##name(uint32_t rows, uint32_t depth, const double *a, size_t lda, const double *w, double *c, \
                                    size_t ldc)                                                                       \
    {                                                                                                                 \
        multiply_body_##width(rows, depth, a, lda, w, c, ldc);                                                        \
    }                                                                                                                 \
    isa static void subtract_##name(uint32_t rows, const double *c, double *y)                                        \
    {                                                                                                                 \
        subtract_body_##width(rows, c, y);                                                                            \
    }                                                                                                                 \
    isa static void eliminate_##name(uint32_t rows, uint32_t depth, const double *l, size_t lda, const double *w, double scale, \
                                     double *y)                                                                       \
    {                                                                                                                 \
        eliminate_body_##width(rows, depth, l, lda, w, scale, y);                                                     \
    }                                                                                                                 \
    isa static void subtract_product_##name(uint32_t rows, uint32_t cols, const double *a, size_t lda, const double *x, double *y) \
    {                                                                                                                 \
        subtract_product_body_##width(rows, cols, a, lda, x, y);                                                      \
    }                                                                                                                 \
    isa static void subtract_transposed_##name(uint32_t rows, uint32_t cols, const double *a, size_t lda, const double *y, \
                                               double *x)                                                             \
    {                                                                                                                 \
        subtract_transposed_body_##width(rows, cols, a, lda, y, x);                                                   \
    }                                                                                                                 \
    static const kernels name = {multiply_##name, subtract_##name, eliminate_##name, subtract_product_##name,         \
                                 subtract_transposed_##name};

KERNELS(base, 2, )
#if defined(__x86_64__)
KERNELS(avx2, 4, __attribute__((target("avx2"))))
KERNELS(avx512, 8, __attribute__((target("avx512f"))))
#endif

const kernels *mgc__supernodal_kernels(void)
{
    return WIDEST(&base, &avx2, &avx512);
}
