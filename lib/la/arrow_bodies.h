/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of arrow_kernels.c for components side by side, WIDTH of them: included once for each width. */
#define vector NAMED(vector)
#define vector_mask NAMED(vector_mask)
#define GET(p) (*(const vector *)(p))
#define SET(p) (*(vector *)(p))

typedef double vector __attribute__((vector_size(WIDTH * sizeof(double)), aligned(8), may_alias));
typedef int64_t vector_mask __attribute__((vector_size(WIDTH * sizeof(double)), aligned(8), may_alias));

ALWAYS_INLINE double NAMED(sum_of)(const double *p)
{
    double low = p[0] + p[2], high = p[1] + p[3];

#if WIDTH == 8
    low = (p[0] + p[4]) + (p[2] + p[6]);
    high = (p[1] + p[5]) + (p[3] + p[7]);
#endif
    return low + high;
}

/* --- factorisation --------------------------------------------------------------------------------------------- */

/* w -= sum of `width` columns of L from an entry on, each times its t. */
ALWAYS_INLINE void NAMED(update_body)(const uint32_t *row, uint32_t length, uint32_t width, const double *const l[4],
                               const vector t[4],
                               double *w)
{
    switch (width) {
    case 1:
        for (uint32_t q = 0; q < length; q++) {
            size_t o = (size_t)q * WIDTH;

            SET(w + (size_t)row[q] * WIDTH) -= GET(l[0] + o) * t[0];
        }
        break;
    case 2:
        for (uint32_t q = 0; q < length; q++) {
            size_t o = (size_t)q * WIDTH;
            vector s = GET(w + (size_t)row[q] * WIDTH) - GET(l[0] + o) * t[0];

            SET(w + (size_t)row[q] * WIDTH) = s - GET(l[1] + o) * t[1];
        }
        break;
    case 3:
        for (uint32_t q = 0; q < length; q++) {
            size_t o = (size_t)q * WIDTH;
            vector s = GET(w + (size_t)row[q] * WIDTH) - GET(l[0] + o) * t[0];

            s -= GET(l[1] + o) * t[1];
            SET(w + (size_t)row[q] * WIDTH) = s - GET(l[2] + o) * t[2];
        }
        break;
    default:
        for (uint32_t q = 0; q < length; q++) {
            size_t o = (size_t)q * WIDTH;
            vector s = GET(w + (size_t)row[q] * WIDTH) - GET(l[0] + o) * t[0];

            s -= GET(l[1] + o) * t[1];
            s -= GET(l[2] + o) * t[2];
            SET(w + (size_t)row[q] * WIDTH) = s - GET(l[3] + o) * t[3];
        }
    }
}

/* Everything that earlier columns subtract from column i; size: the magnitudes of what its diagonal lost. */
ALWAYS_INLINE void NAMED(gather_updates)(const arrow_group *g, uint32_t i, const double *l, const double *d, double *w,
                                  vector *sum)
{
    vector size = {0};

    for (uint32_t u = g->update_start[i], width; u < g->update_start[i + 1]; u += width) {
        const arrow_update *up = &g->update[u];
        const double *column[4] = {0};
        vector t[4];

        width = up->width;
        for (uint32_t k = 0; k < width; k++) {
            vector term;

            column[k] = l + (size_t)up[k].at * WIDTH;
            t[k] = GET(column[k]) * GET(d + (size_t)up[k].from * WIDTH);
            term = GET(column[k]) * t[k];
            size = g->sign[up[k].from] > 0 ? size + term : size - term;
        }
        NAMED(update_body)(g->row + up->at, g->start[up->from + 1] - up->at, width, column, t, w);
    }
    *sum = size;
}

/* As ldl_pivot(), in every lane. */
ALWAYS_INLINE bool NAMED(choose_pivots)(vector *pivot, const vector *sizes, double sign, uint32_t *corrected)
{
    vector d = *pivot, size = *sizes, toward = d * sign;
    vector_mask good = (toward > size * LDL_PIVOT_TINY) & (toward > 0.0) & (toward <= DBL_MAX);
    int64_t all = (good[0] & good[1]) & (good[2] & good[3]);

#if WIDTH == 8
    all &= (good[4] & good[5]) & (good[6] & good[7]);
#endif
    if (all) return true;
    for (uint32_t k = 0; k < WIDTH; k++) {
        if (!isfinite(d[k])) return false;
        if (good[k]) continue;
        d[k] = sign * (size[k] > 1.0 ? size[k] : 1.0) * 1e-13;
        ++*corrected;
    }
    *pivot = d;
    return true;
}

ALWAYS_INLINE bool NAMED(factorise_body)(const arrow_group *g, const arrow_target *target, const double *value,
                                  const double *shift, double *l, double *d, double *d_inverse, double *w)
{
    const double *entry = value + (size_t)g->size * WIDTH;
    const vector zero = {0};

    for (uint32_t j = 0; j < g->size; j++) {
        double sign = g->sign[j];
        vector diagonal = GET(value + (size_t)j * WIDTH), pivot, size, inverse;

        SET(w + (size_t)j * WIDTH) = diagonal;
        for (uint32_t q = g->start[j]; q < g->start[j + 1]; q++) SET(w + (size_t)g->row[q] * WIDTH) = zero;
        for (uint32_t e = g->k_start[j]; e < g->k_start[j + 1]; e++)
            SET(w + (size_t)g->k_row[e] * WIDTH) = GET(entry + (size_t)e * WIDTH);
        NAMED(gather_updates)(g, j, l, d, w, &size);
        size += diagonal * sign;
        pivot = GET(w + (size_t)j * WIDTH) + GET(shift + (size_t)j * WIDTH);
        if (!NAMED(choose_pivots)(&pivot, &size, sign, target->corrected)) return false;
        inverse = 1.0 / pivot;
        SET(d + (size_t)j * WIDTH) = pivot;
        SET(d_inverse + (size_t)j * WIDTH) = inverse;
        for (uint32_t q = g->start[j]; q < g->start[j + 1]; q++)
            SET(l + (size_t)q * WIDTH) = GET(w + (size_t)g->row[q] * WIDTH) * inverse;
    }
    return true;
}

/* What the batch adds to the links' matrix: column after column of the border. */
ALWAYS_INLINE void NAMED(schur_body)(const arrow_group *g, const arrow_target *target, const double *l, const double *d,
                              double *w)
{
    const vector zero = {0};

    for (uint32_t b = 0; b < g->border; b++) {
        vector size;

        for (uint32_t i = g->size + b; i < g->size + g->border; i++) SET(w + (size_t)i * WIDTH) = zero;
        NAMED(gather_updates)(g, g->size + b, l, d, w, &size);
        for (uint32_t k = 0; k < (g->uniform ? 1 : target->lanes); k++) {
            const uint32_t *link = target->link + (size_t)k * g->border;
            double *to = target->schur + arrow_packed(target->links, link[b]);

            if (g->uniform) {
                const vector *s = &size;

                target->size[link[b]] += NAMED(sum_of)((const double *)s);
                for (uint32_t i = b; i < g->border; i++) to[link[i]] += NAMED(sum_of)(w + ((size_t)g->size + i) * WIDTH);
            } else {
                target->size[link[b]] += size[k];
                for (uint32_t i = b; i < g->border; i++) to[link[i]] += w[((size_t)g->size + i) * WIDTH + k];
            }
        }
    }
}

/* Of the links' matrix the magnitudes of what its diagonal loses alone. */
ALWAYS_INLINE void NAMED(sizes_body)(const arrow_group *g, const arrow_target *target, const double *l, const double *d,
                                     double *w)
{
    const vector zero = {0};

    for (uint32_t i = g->size; i < g->size + g->border; i++) SET(w + (size_t)i * WIDTH) = zero;
    for (uint32_t j = 0; j < g->size; j++) {
        vector pivot = GET(d + (size_t)j * WIDTH) * (double)g->sign[j];

        for (uint32_t q = g->split[j]; q < g->start[j + 1]; q++) {
            vector x = GET(l + (size_t)q * WIDTH);

            SET(w + (size_t)g->row[q] * WIDTH) += x * (x * pivot);
        }
    }
    for (uint32_t b = 0; b < g->border; b++) target->size[g->link[b]] += NAMED(sum_of)(w + ((size_t)g->size + b) * WIDTH);
}

/* --- solving --------------------------------------------------------------------------------------------------- */

ALWAYS_INLINE void NAMED(forward_body)(const arrow_group *g, const double *l, double *x, double *border)
{
    double *beyond = border - (size_t)g->size * WIDTH;

    for (uint32_t j = 0; j < g->size; j++) {
        vector t = GET(x + (size_t)j * WIDTH);
        uint32_t q = g->start[j];

        for (; q < g->split[j]; q++) SET(x + (size_t)g->row[q] * WIDTH) -= GET(l + (size_t)q * WIDTH) * t;
        for (; q < g->start[j + 1]; q++) SET(beyond + (size_t)g->row[q] * WIDTH) -= GET(l + (size_t)q * WIDTH) * t;
    }
}

ALWAYS_INLINE void NAMED(backward_body)(const arrow_group *g, const double *l, const double *d_inverse, double *x,
                                 const double *border)
{
    const double *beyond = border - (size_t)g->size * WIDTH;

    for (uint32_t j = g->size; j-- > 0;) {
        vector t = GET(x + (size_t)j * WIDTH) * GET(d_inverse + (size_t)j * WIDTH);
        uint32_t q = g->start[j];

        for (; q < g->split[j]; q++) t -= GET(l + (size_t)q * WIDTH) * GET(x + (size_t)g->row[q] * WIDTH);
        for (; q < g->start[j + 1]; q++) t -= GET(l + (size_t)q * WIDTH) * GET(beyond + (size_t)g->row[q] * WIDTH);
        SET(x + (size_t)j * WIDTH) = t;
    }
}

/* r -= K x for the rows of the components, border_r -= for those of the links; K between links is not looked at. */
ALWAYS_INLINE void NAMED(residual_body)(const arrow_group *g, const double *value, const double *x, const double *border,
                                 double *r,
                                 double *border_r)
{
    const double *entry = value + (size_t)g->size * WIDTH;

    for (uint32_t j = 0; j < g->size; j++) {
        vector own = GET(x + (size_t)j * WIDTH), sum = GET(r + (size_t)j * WIDTH) - GET(value + (size_t)j * WIDTH) * own;

        for (uint32_t e = g->k_start[j]; e < g->k_start[j + 1]; e++) {
            size_t i = g->k_row[e];
            vector v = GET(entry + (size_t)e * WIDTH);

            if (i < g->size) {
                sum -= v * GET(x + i * WIDTH);
                SET(r + i * WIDTH) -= v * own;
            } else {
                sum -= v * GET(border + (i - g->size) * WIDTH);
                SET(border_r + (i - g->size) * WIDTH) -= v * own;
            }
        }
        SET(r + (size_t)j * WIDTH) = sum;
    }
}

#undef vector
#undef vector_mask
#undef GET
#undef SET
