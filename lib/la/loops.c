/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise loops over vectors, eight entries at a time. */
#include "la/ldl_private.h"
#include "la/lanes.h"

#include <math.h>

#define CHOOSE(mask, a, b) ((lanes)(((lane_mask)(a) & (mask)) | ((lane_mask)(b) & ~(mask))))

/* most = the larger of each lane, least = the smaller; a NaN in t stays in both. */
ALWAYS_INLINE void keep_extremes(lanes *most, lanes *least, const lanes *t)
{
    *most = CHOOSE(*t <= *most, *most, *t);
    *least = CHOOSE(*t >= *least, *least, *t);
}

/* The same of a pair that a vector's lanes, or a single entry, add to. */
ALWAYS_INLINE void keep_largest(ldl_pair *pair, double t)
{
    pair->plus = t <= pair->plus ? pair->plus : t;
    pair->minus = -t <= pair->minus ? pair->minus : -t;
}

ALWAYS_INLINE ldl_pair largest_body(size_t n, const double *x, const double *s, const double *weight)
{
    lanes most = {0}, least = {0};
    ldl_pair result = {0.0, 0.0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        lanes y = LOAD(x + i), t;

        if (s) y *= LOAD(s + i);
        t = y * y * LOAD(weight + i);
        keep_extremes(&most, &least, &t);
    }
    for (uint32_t k = 0; k < LANES; k++) {
        keep_largest(&result, most[k]);
        keep_largest(&result, least[k]);
    }
    for (; i < n; i++) {
        double y = s ? x[i] * s[i] : x[i];

        keep_largest(&result, y * y * weight[i]);
    }
    return result;
}

ALWAYS_INLINE void weigh_body(size_t n, const double *diagonal, const double *side, double *weight)
{
    const lanes one = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        lanes d = LOAD(diagonal + i) * LOAD(side + i); /* its magnitude, where the sign is what it should be */

        STORE(weight + i) = LOAD(side + i) / CHOOSE(d > one, d, one);
    }
    for (; i < n; i++) weight[i] = side[i] / (diagonal[i] * side[i] > 1.0 ? diagonal[i] * side[i] : 1.0);
}

/* y -= a x */
ALWAYS_INLINE void subtract_multiple(uint32_t n, const double *a, double x, double *y)
{
    uint32_t i = 0;

    for (; i + LANES <= n; i += LANES) STORE(y + i) = LOAD(y + i) - LOAD(a + i) * x;
    for (; i < n; i++) y[i] -= a[i] * x;
}

ALWAYS_INLINE double product(uint32_t n, const double *a, const double *x)
{
    lanes sum = {0};
    double s;
    uint32_t i = 0;

    for (; i + LANES <= n; i += LANES) sum += LOAD(a + i) * LOAD(x + i);
    s = ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
    for (; i < n; i++) s += a[i] * x[i];
    return s;
}

ALWAYS_INLINE void dense_solve_body(uint32_t n, const double *l, const double *d_inverse, double *x)
{
    for (uint32_t c = 0; c < n; c++) subtract_multiple(n - c - 1, l + (size_t)c * n + c + 1, x[c], x + c + 1);
    for (uint32_t c = n; c-- > 0;)
        x[c] = x[c] * d_inverse[c] - product(n - c - 1, l + (size_t)c * n + c + 1, x + c + 1);
}

#define LOOPS(name, attribute)                                                                                       \
    attribute static ldl_pair largest_##name(size_t n, const double *x, const double *weight)                        \
    {                                                                                                                \
        return largest_body(n, x, NULL, weight);                                                                     \
    }                                                                                                                \
    attribute static ldl_pair largest_product_##name(size_t n, const double *x, const double *s, const double *weight)  \
    {                                                                                                                \
        return largest_body(n, x, s, weight);                                                                        \
    }                                                                                                                \
    attribute static void weigh_##name(size_t n, const double *diagonal, const double *side, double *weight)         \
    {                                                                                                                \
        weigh_body(n, diagonal, side, weight);                                                                       \
    }                                                                                                                \
    attribute static void dense_solve_##name(uint32_t n, const double *l, const double *d_inverse, double *x)        \
    {                                                                                                                \
        dense_solve_body(n, l, d_inverse, x);                                                                        \
    }                                                                                                                \
    static const ldl_loops name = {largest_##name, largest_product_##name, weigh_##name, dense_solve_##name};

LOOPS(plain, )
#if defined(__x86_64__)
LOOPS(avx2, __attribute__((target("avx2"))))
LOOPS(avx512, __attribute__((target("avx512f"))))

const ldl_loops *mgc__ldl_loops(void)
{
    if (__builtin_cpu_supports("avx512f")) return &avx512;
    return __builtin_cpu_supports("avx2") ? &avx2 : &plain;
}
#else
const ldl_loops *mgc__ldl_loops(void)
{
    return &plain;
}
#endif
