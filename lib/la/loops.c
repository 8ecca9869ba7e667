/* SPDX-License-Identifier: Apache-2.0 */
/* Elementwise loops over vectors, eight entries at a time. */
#include "la/ldl_private.h"
#include "la/lanes.h"

#include <math.h>

/* The larger of each lane; a NaN in t stays. */
#define KEEP_LARGER(most, t)                                                                                            \
    do {                                                                                                                \
        lane_mask keep_ = (t) <= (most);                                                                                \
        (most) = (lanes)(((lane_mask)(most) & keep_) | ((lane_mask)(t) & ~keep_));                                      \
    } while (0)

ALWAYS_INLINE double largest_lane(const lanes *v)
{
    double most = 0.0;

    for (uint32_t k = 0; k < LANES; k++) most = (*v)[k] <= most ? most : (*v)[k];
    return most;
}

ALWAYS_INLINE double largest_body(size_t n, const double *x, const double *weight)
{
    lanes most = {0};
    size_t i = 0;
    double result;

    for (; i + LANES <= n; i += LANES) {
        lanes t = LOAD(x + i) * LOAD(x + i) * LOAD(weight + i);

        KEEP_LARGER(most, t);
    }
    result = largest_lane(&most);
    for (; i < n; i++) {
        double t = x[i] * x[i] * weight[i];

        result = t <= result ? result : t;
    }
    return result;
}

ALWAYS_INLINE double largest_product_body(size_t n, const double *x, const double *s, const double *weight)
{
    lanes most = {0};
    size_t i = 0;
    double result;

    for (; i + LANES <= n; i += LANES) {
        lanes y = LOAD(x + i) * LOAD(s + i), t = y * y * LOAD(weight + i);

        KEEP_LARGER(most, t);
    }
    result = largest_lane(&most);
    for (; i < n; i++) {
        double y = x[i] * s[i], t = y * y * weight[i];

        result = t <= result ? result : t;
    }
    return result;
}

ALWAYS_INLINE void weigh_body(size_t n, const double *diagonal, double *weight)
{
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        lanes d = LOAD(diagonal + i), one = {1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}, zero = {0};
        lane_mask negative = d < zero, small;

        d = (lanes)(((lane_mask)-d & negative) | ((lane_mask)d & ~negative));
        small = d < one;
        STORE(weight + i) = one / (lanes)(((lane_mask)one & small) | ((lane_mask)d & ~small));
    }
    for (; i < n; i++) weight[i] = 1.0 / fmax(1.0, fabs(diagonal[i]));
}

#define LOOPS(name, attribute)                                                                                          \
    attribute static double largest_##name(size_t n, const double *x, const double *weight)                             \
    {                                                                                                                   \
        return largest_body(n, x, weight);                                                                              \
    }                                                                                                                   \
    attribute static double largest_product_##name(size_t n, const double *x, const double *s, const double *weight)    \
    {                                                                                                                   \
        return largest_product_body(n, x, s, weight);                                                                   \
    }                                                                                                                   \
    attribute static void weigh_##name(size_t n, const double *diagonal, double *weight)                                \
    {                                                                                                                   \
        weigh_body(n, diagonal, weight);                                                                                \
    }                                                                                                                   \
    static const ldl_loops name = {largest_##name, largest_product_##name, weigh_##name};

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
