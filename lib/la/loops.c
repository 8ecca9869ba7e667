/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise loops over vectors, eight entries at a time. */
#include "la/ldl_private.h"
#include "la/lanes.h"

#include <math.h>

#define CHOOSE(mask, a, b) ((piece)(((piece_mask)(a) & (mask)) | ((piece_mask)(b) & ~(mask))))

/* The larger of each side of a pair, to which a vector's lanes and single entries add; a NaN stays. */
ALWAYS_INLINE void keep_largest(ldl_pair *pair, double t)
{
    *pair = ldl_larger(*pair, (ldl_pair){t, -t});
}

#define REGISTER 2
#include "la/loops_bodies.h"
#undef REGISTER
#define REGISTER 4
#include "la/loops_bodies.h"
#undef REGISTER
#define REGISTER 8
#include "la/loops_bodies.h"
#undef REGISTER

#define LOOPS(name, width, attribute)                                                                                 \
    attribute static ldl_pair largest_##name(size_t n, const double *x, const double *weight)                         \
    {                                                                                                                 \
        return largest_body_##width(n, x, NULL, weight);                                                              \
    }                                                                                                                 \
    attribute static ldl_pair largest_product_##name(size_t n, const double *x, const double *s, const double *weight) \
    {                                                                                                                 \
        return largest_body_##width(n, x, s, weight);                                                                 \
    }                                                                                                                 \
    attribute static void weigh_##name(size_t n, const double *diagonal, const double *side, double *weight)          \
    {                                                                                                                 \
        weigh_body_##width(n, diagonal, side, weight);                                                                \
    }                                                                                                                 \
    static const ldl_loops name = {largest_##name, largest_product_##name, weigh_##name};

LOOPS(plain, 2, )
#if defined(__x86_64__)
LOOPS(avx2, 4, __attribute__((target("avx2"))))
LOOPS(avx512, 8, __attribute__((target("avx512f"))))
#endif

const ldl_loops *mgc__ldl_loops(void)
{
    return WIDEST(&plain, &avx2, &avx512);
}
