/* SPDX-License-Identifier: Apache-2.0 */
/* Eight components of one kind side by side: the scalar method of uplooking.c's books, left-looking by columns
 * (George and Liu 1981), with a vector in place of each number.  One body, compiled for the registers that machines
 * have. */
#include "la/arrow.h"
#include "la/lanes.h"

#include <float.h>
#include <math.h>

static_assert((int)ARROW_LANES == (int)LANES, "a batch fills a vector");

ALWAYS_INLINE double sum_of(const double *p)
{
    return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
}

/* --- factorisation --------------------------------------------------------------------------------------------- */

/* w -= sum of `width` columns of L from an entry on, each times its t. */
ALWAYS_INLINE void update_body(const uint32_t *row, uint32_t length, uint32_t width, const double *const l[4],
                               const lanes t[4],
                               double *w)
{
    switch (width) {
    case 1:
        for (uint32_t q = 0; q < length; q++) {
            size_t o = (size_t)q * LANES;

            STORE(w + (size_t)row[q] * LANES) -= LOAD(l[0] + o) * t[0];
        }
        break;
    case 2:
        for (uint32_t q = 0; q < length; q++) {
            size_t o = (size_t)q * LANES;
            lanes s = LOAD(w + (size_t)row[q] * LANES) - LOAD(l[0] + o) * t[0];

            STORE(w + (size_t)row[q] * LANES) = s - LOAD(l[1] + o) * t[1];
        }
        break;
    case 3:
        for (uint32_t q = 0; q < length; q++) {
            size_t o = (size_t)q * LANES;
            lanes s = LOAD(w + (size_t)row[q] * LANES) - LOAD(l[0] + o) * t[0];

            s -= LOAD(l[1] + o) * t[1];
            STORE(w + (size_t)row[q] * LANES) = s - LOAD(l[2] + o) * t[2];
        }
        break;
    default:
        for (uint32_t q = 0; q < length; q++) {
            size_t o = (size_t)q * LANES;
            lanes s = LOAD(w + (size_t)row[q] * LANES) - LOAD(l[0] + o) * t[0];

            s -= LOAD(l[1] + o) * t[1];
            s -= LOAD(l[2] + o) * t[2];
            STORE(w + (size_t)row[q] * LANES) = s - LOAD(l[3] + o) * t[3];
        }
    }
}

/* Everything that earlier columns subtract from column i; size: the magnitudes of what its diagonal lost. */
ALWAYS_INLINE void gather_updates(const arrow_group *g, uint32_t i, const double *l, const double *d, double *w,
                                  lanes *sum)
{
    lanes size = {0};

    for (uint32_t u = g->update_start[i], width; u < g->update_start[i + 1]; u += width) {
        const arrow_update *up = &g->update[u];
        const double *column[4] = {0};
        lanes t[4];

        width = up->width;
        for (uint32_t k = 0; k < width; k++) {
            lanes term;

            column[k] = l + (size_t)up[k].at * LANES;
            t[k] = LOAD(column[k]) * LOAD(d + (size_t)up[k].from * LANES);
            term = LOAD(column[k]) * t[k];
            size = g->sign[up[k].from] > 0 ? size + term : size - term;
        }
        update_body(g->row + up->at, g->start[up->from + 1] - up->at, width, column, t, w);
    }
    *sum = size;
}

/* As ldl_pivot(), in every lane. */
ALWAYS_INLINE bool choose_pivots(lanes *pivot, const lanes *sizes, double sign, uint32_t *corrected)
{
    lanes d = *pivot, size = *sizes, toward = d * sign;
    lane_mask good = (toward > size * LDL_PIVOT_TINY) & (toward > 0.0) & (toward <= DBL_MAX);
    int64_t all = ((good[0] & good[1]) & (good[2] & good[3])) & ((good[4] & good[5]) & (good[6] & good[7]));

    if (all) return true;
    for (uint32_t k = 0; k < LANES; k++) {
        if (!isfinite(d[k])) return false;
        if (good[k]) continue;
        d[k] = sign * (size[k] > 1.0 ? size[k] : 1.0) * 1e-13;
        ++*corrected;
    }
    *pivot = d;
    return true;
}

ALWAYS_INLINE bool factorise_body(const arrow_group *g, const arrow_target *target, const double *value,
                                  const double *shift, double *l, double *d, double *d_inverse, double *w)
{
    const double *entry = value + (size_t)g->size * LANES;
    const lanes zero = {0};

    for (uint32_t j = 0; j < g->size; j++) {
        double sign = g->sign[j];
        lanes diagonal = LOAD(value + (size_t)j * LANES), pivot, size, inverse;

        STORE(w + (size_t)j * LANES) = diagonal;
        for (uint32_t q = g->start[j]; q < g->start[j + 1]; q++) STORE(w + (size_t)g->row[q] * LANES) = zero;
        for (uint32_t e = g->k_start[j]; e < g->k_start[j + 1]; e++)
            STORE(w + (size_t)g->k_row[e] * LANES) = LOAD(entry + (size_t)e * LANES);
        gather_updates(g, j, l, d, w, &size);
        size += diagonal * sign;
        pivot = LOAD(w + (size_t)j * LANES) + LOAD(shift + (size_t)j * LANES);
        if (!choose_pivots(&pivot, &size, sign, target->corrected)) return false;
        inverse = 1.0 / pivot;
        STORE(d + (size_t)j * LANES) = pivot;
        STORE(d_inverse + (size_t)j * LANES) = inverse;
        for (uint32_t q = g->start[j]; q < g->start[j + 1]; q++)
            STORE(l + (size_t)q * LANES) = LOAD(w + (size_t)g->row[q] * LANES) * inverse;
    }
    return true;
}

/* What the batch adds to the links' matrix: column after column of the border. */
ALWAYS_INLINE void schur_body(const arrow_group *g, const arrow_target *target, const double *l, const double *d,
                              double *w)
{
    const lanes zero = {0};

    for (uint32_t b = 0; b < g->border; b++) {
        lanes size;

        for (uint32_t i = g->size + b; i < g->size + g->border; i++) STORE(w + (size_t)i * LANES) = zero;
        gather_updates(g, g->size + b, l, d, w, &size);
        for (uint32_t k = 0; k < (g->uniform ? 1 : target->lanes); k++) {
            const uint32_t *link = target->link + (size_t)k * g->border;
            double *to = target->schur + arrow_packed(target->links, link[b]);

            if (g->uniform) {
                const lanes *s = &size;

                target->size[link[b]] += sum_of((const double *)s);
                for (uint32_t i = b; i < g->border; i++) to[link[i]] += sum_of(w + ((size_t)g->size + i) * LANES);
            } else {
                target->size[link[b]] += size[k];
                for (uint32_t i = b; i < g->border; i++) to[link[i]] += w[((size_t)g->size + i) * LANES + k];
            }
        }
    }
}

/* --- solving --------------------------------------------------------------------------------------------------- */

ALWAYS_INLINE void forward_body(const arrow_group *g, const double *l, double *x, double *border)
{
    double *beyond = border - (size_t)g->size * LANES;

    for (uint32_t j = 0; j < g->size; j++) {
        lanes t = LOAD(x + (size_t)j * LANES);
        uint32_t q = g->start[j];

        for (; q < g->split[j]; q++) STORE(x + (size_t)g->row[q] * LANES) -= LOAD(l + (size_t)q * LANES) * t;
        for (; q < g->start[j + 1]; q++) STORE(beyond + (size_t)g->row[q] * LANES) -= LOAD(l + (size_t)q * LANES) * t;
    }
}

ALWAYS_INLINE void backward_body(const arrow_group *g, const double *l, const double *d_inverse, double *x,
                                 const double *border)
{
    const double *beyond = border - (size_t)g->size * LANES;

    for (uint32_t j = g->size; j-- > 0;) {
        lanes t = LOAD(x + (size_t)j * LANES) * LOAD(d_inverse + (size_t)j * LANES);
        uint32_t q = g->start[j];

        for (; q < g->split[j]; q++) t -= LOAD(l + (size_t)q * LANES) * LOAD(x + (size_t)g->row[q] * LANES);
        for (; q < g->start[j + 1]; q++) t -= LOAD(l + (size_t)q * LANES) * LOAD(beyond + (size_t)g->row[q] * LANES);
        STORE(x + (size_t)j * LANES) = t;
    }
}

/* r -= K x for the rows of the components, border_r -= for those of the links; K between links is not looked at. */
ALWAYS_INLINE void residual_body(const arrow_group *g, const double *value, const double *x, const double *border,
                                 double *r,
                                 double *border_r)
{
    const double *entry = value + (size_t)g->size * LANES;

    for (uint32_t j = 0; j < g->size; j++) {
        lanes own = LOAD(x + (size_t)j * LANES), sum = LOAD(r + (size_t)j * LANES) - LOAD(value + (size_t)j * LANES) * own;

        for (uint32_t e = g->k_start[j]; e < g->k_start[j + 1]; e++) {
            size_t i = g->k_row[e];
            lanes v = LOAD(entry + (size_t)e * LANES);

            if (i < g->size) {
                sum -= v * LOAD(x + i * LANES);
                STORE(r + i * LANES) -= v * own;
            } else {
                sum -= v * LOAD(border + (i - g->size) * LANES);
                STORE(border_r + (i - g->size) * LANES) -= v * own;
            }
        }
        STORE(r + (size_t)j * LANES) = sum;
    }
}

/* --- for every width of registers ------------------------------------------------------------------------------ */

#define KERNELS(name, attribute)                                                                                     \
    attribute static bool factorise_##name(const arrow_group *g, const arrow_target *target, const double *value,    \
                                           const double *shift, double *l, double *d, double *d_inverse, double *w) \
    {                                                                                                                \
        if (!factorise_body(g, target, value, shift, l, d, d_inverse, w)) return false;                           \
        schur_body(g, target, l, d, w);                                                                              \
        return true;                                                                                                 \
    }                                                                                                                \
    attribute static void forward_##name(const arrow_group *g, const double *l, double *x, double *border)           \
    {                                                                                                                \
        forward_body(g, l, x, border);                                                                               \
    }                                                                                                                \
    attribute static void backward_##name(const arrow_group *g, const double *l, const double *d_inverse, double *x, \
                                          const double *border)                                                      \
    {                                                                                                                \
        backward_body(g, l, d_inverse, x, border);                                                                   \
    }                                                                                                                \
    attribute static void residual_##name(const arrow_group *g, const double *value, const double *x, const double *border, \
                                          double *r, double *border_r)                                               \
    {                                                                                                                \
        residual_body(g, value, x, border, r, border_r);                                                             \
    }                                                                                                                \
    static const arrow_kernels name = {factorise_##name, forward_##name, backward_##name, residual_##name};

KERNELS(plain, )
#if defined(__x86_64__)
KERNELS(avx2, __attribute__((target("avx2"))))
KERNELS(avx512, __attribute__((target("avx512f"))))

const arrow_kernels *mgc__arrow_kernels(void)
{
    if (__builtin_cpu_supports("avx512f")) return &avx512;
    return __builtin_cpu_supports("avx2") ? &avx2 : &plain;
}
#else
const arrow_kernels *mgc__arrow_kernels(void)
{
    return &plain;
}
#endif
