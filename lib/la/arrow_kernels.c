/* SPDX-License-Identifier: Apache-2.0 */
/* Eight components of one kind side by side: the method of columns.c, left-looking (George and Liu 1981), with a vector in
 * place of each number.  One body, compiled for the registers that machines have. */
#include "la/arrow.h"
#include "la/lanes.h"

#include <float.h>
#include <math.h>

static_assert((int)ARROW_LANES == (int)LANES && ARROW_NARROW == 4, "a batch fills a vector");

#define NAMED(name) LANES_JOIN(LANES_JOIN(name, WIDTH), REGISTER)

#define WIDTH 8
#define REGISTER 2
#include "la/arrow_bodies.h"
#undef REGISTER
#define REGISTER 4
#include "la/arrow_bodies.h"
#undef REGISTER
#define REGISTER 8
#include "la/arrow_bodies.h"
#undef REGISTER
#undef WIDTH
#define WIDTH 4
#define REGISTER 2
#include "la/arrow_bodies.h"
#undef REGISTER
#define REGISTER 4
#include "la/arrow_bodies.h"
#undef REGISTER
#undef WIDTH

/* --- for every width of registers ------------------------------------------------------------------------------ */

#define KERNELS_OF(name, width, in, attribute)                                                                        \
    attribute static bool factorise_##name##_##width(const arrow_group *g, const arrow_target *target,                \
                                                     const double *value, const double *shift, double *l, double *d,  \
                                                     double *d_inverse, double *w)                                    \
    {                                                                                                                 \
        if (!factorise_body_##width##_##in(g, target, value, shift, l, d, d_inverse, w)) return false;                \
        if (g->panels > 0) sizes_body_##width##_##in(g, target, l, d, w);                                             \
        else schur_body_##width##_##in(g, target, l, d, w);                                                           \
        return true;                                                                                                  \
    }                                                                                                                 \
    attribute static void forward_##name##_##width(const arrow_group *g, const double *l, double *x, double *border)  \
    {                                                                                                                 \
        forward_body_##width##_##in(g, l, x, border);                                                                 \
    }                                                                                                                 \
    attribute static void backward_##name##_##width(const arrow_group *g, const double *l, const double *d_inverse,   \
                                                    double *x, const double *border)                                  \
    {                                                                                                                 \
        backward_body_##width##_##in(g, l, d_inverse, x, border);                                                     \
    }                                                                                                                 \
    attribute static void residual_##name##_##width(const arrow_group *g, const double *value, const double *x,       \
                                                    const double *border, double *r, double *border_r)                \
    {                                                                                                                 \
        residual_body_##width##_##in(g, value, x, border, r, border_r);                                               \
    }
#define KERNELS(name, in_8, in_4, attribute)                                                                          \
    KERNELS_OF(name, 8, in_8, attribute)                                                                              \
    KERNELS_OF(name, 4, in_4, attribute)                                                                              \
    static const arrow_kernels name[2] = {{factorise_##name##_8, forward_##name##_8, backward_##name##_8, residual_##name##_8}, \
                                          {factorise_##name##_4, forward_##name##_4, backward_##name##_4, residual_##name##_4}};

KERNELS(plain, 2, 2, )
#if defined(__x86_64__)
KERNELS(avx2, 4, 4, __attribute__((target("avx2"))))
KERNELS(avx512, 8, 4, __attribute__((target("avx512f"))))
#endif

const arrow_kernels *mgc__arrow_kernels(void)
{
    return WIDEST(plain, avx2, avx512);
}
