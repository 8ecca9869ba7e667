/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of arrow_kernels.c for WIDTH components side by side in vectors of REGISTER: included once for each. */
#define PARTS (WIDTH / REGISTER)
#define GET(p, h) LOAD((p) + (h) * REGISTER)
#define SET(p, h) STORE((p) + (h) * REGISTER)
#define EACH UNROLLED for (int h = 0; h < PARTS; h++)

/* The sum of a vector's lanes. */
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

/* w -= sum of `width` columns of L from an entry on, each times its t; width is a constant. */
ALWAYS_INLINE void NAMED(subtract_columns)(const uint32_t *row, uint32_t length, uint32_t width, const double *const l[4],
                                           piece t[4][PARTS], double *w)
{
    for (uint32_t q = 0; q < length; q++) {
        size_t o = (size_t)q * WIDTH;
        double *to = w + (size_t)row[q] * WIDTH;

        EACH {
            piece s = GET(to, h);

            UNROLLED
            for (uint32_t k = 0; k < width; k++) s -= GET(l[k] + o, h) * t[k][h];
            SET(to, h) = s;
        }
    }
}

/* Everything that earlier columns subtract from column i; size: the magnitudes of what its diagonal lost. */
ALWAYS_INLINE void NAMED(gather_updates)(const arrow_group *g, uint32_t i, const double *l, const double *d, double *w,
                                         piece size[PARTS])
{
    EACH size[h] = (piece){0};
    for (uint32_t u = g->update_start[i], width; u < g->update_start[i + 1]; u += width) {
        const arrow_update *up = &g->update[u];
        const double *column[4] = {0};
        const uint32_t *row = g->row + up->at;
        uint32_t length = g->start[up->from + 1] - up->at;
        piece t[4][PARTS];

        width = up->width;
        for (uint32_t k = 0; k < width; k++) {
            column[k] = l + (size_t)up[k].at * WIDTH;
            EACH {
                piece term;

                t[k][h] = GET(column[k], h) * GET(d + (size_t)up[k].from * WIDTH, h);
                term = GET(column[k], h) * t[k][h];
                size[h] = g->sign[up[k].from] > 0 ? size[h] + term : size[h] - term;
            }
        }
        switch (width) {
        case 1: NAMED(subtract_columns)(row, length, 1, column, t, w); break;
        case 2: NAMED(subtract_columns)(row, length, 2, column, t, w); break;
        case 3: NAMED(subtract_columns)(row, length, 3, column, t, w); break;
        default: NAMED(subtract_columns)(row, length, 4, column, t, w);
        }
    }
}

/* As ldl_pivot(), in every lane. */
ALWAYS_INLINE bool NAMED(choose_pivots)(piece pivot[PARTS], const piece sizes[PARTS], double sign, uint32_t *corrected)
{
    int64_t all = -1;

    EACH {
        piece toward = pivot[h] * sign;
        piece_mask good = (toward > sizes[h] * LDL_PIVOT_TINY) & (toward > 0.0) & (toward <= DBL_MAX);

        for (int k = 0; k < REGISTER; k++) all &= good[k];
    }
    if (all) return true;
    for (int h = 0; h < PARTS; h++)
        for (int k = 0; k < REGISTER; k++) {
            double d = pivot[h][k], size = sizes[h][k], toward = d * sign;

            if (!isfinite(d)) return false;
            if (toward > size * LDL_PIVOT_TINY && toward > 0.0) continue;
            pivot[h][k] = sign * (size > 1.0 ? size : 1.0) * 1e-13;
            ++*corrected;
        }
    return true;
}

ALWAYS_INLINE bool NAMED(factorise_body)(const arrow_group *g, const arrow_target *target, const double *value,
                                         const double *shift, double *l, double *d, double *d_inverse, double *w)
{
    const double *entry = value + (size_t)g->size * WIDTH;

    for (uint32_t j = 0; j < g->size; j++) {
        double sign = g->sign[j];
        const double *diagonal = value + (size_t)j * WIDTH;
        piece pivot[PARTS], size[PARTS], inverse[PARTS];

        EACH SET(w + (size_t)j * WIDTH, h) = GET(diagonal, h);
        for (uint32_t q = g->start[j]; q < g->start[j + 1]; q++) EACH SET(w + (size_t)g->row[q] * WIDTH, h) = (piece){0};
        for (uint32_t e = g->k_start[j]; e < g->k_start[j + 1]; e++)
            EACH SET(w + (size_t)g->k_row[e] * WIDTH, h) = GET(entry + (size_t)e * WIDTH, h);
        NAMED(gather_updates)(g, j, l, d, w, size);
        EACH {
            size[h] += GET(diagonal, h) * sign;
            pivot[h] = GET(w + (size_t)j * WIDTH, h) + GET(shift + (size_t)j * WIDTH, h);
        }
        if (!NAMED(choose_pivots)(pivot, size, sign, target->corrected)) return false;
        EACH {
            inverse[h] = 1.0 / pivot[h];
            SET(d + (size_t)j * WIDTH, h) = pivot[h];
            SET(d_inverse + (size_t)j * WIDTH, h) = inverse[h];
        }
        for (uint32_t q = g->start[j]; q < g->start[j + 1]; q++)
            EACH SET(l + (size_t)q * WIDTH, h) = GET(w + (size_t)g->row[q] * WIDTH, h) * inverse[h];
    }
    return true;
}

/* What the batch adds to the links' matrix: column after column of the border. */
ALWAYS_INLINE void NAMED(schur_body)(const arrow_group *g, const arrow_target *target, const double *l, const double *d,
                                     double *w)
{
    for (uint32_t b = 0; b < g->border; b++) {
        piece sizes[PARTS];
        double size[WIDTH];

        for (uint32_t i = g->size + b; i < g->size + g->border; i++) EACH SET(w + (size_t)i * WIDTH, h) = (piece){0};
        NAMED(gather_updates)(g, g->size + b, l, d, w, sizes);
        EACH SET(size, h) = sizes[h];
        for (uint32_t k = 0; k < (g->uniform ? 1 : target->lanes); k++) {
            const uint32_t *link = target->link + (size_t)k * g->border;
            double *to = target->schur + arrow_packed(target->links, link[b]);

            if (g->uniform) {
                target->size[link[b]] += NAMED(sum_of)(size);
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
    for (uint32_t i = g->size; i < g->size + g->border; i++) EACH SET(w + (size_t)i * WIDTH, h) = (piece){0};
    for (uint32_t j = 0; j < g->size; j++) {
        piece pivot[PARTS];

        EACH pivot[h] = GET(d + (size_t)j * WIDTH, h) * (double)g->sign[j];
        for (uint32_t q = g->split[j]; q < g->start[j + 1]; q++)
            EACH {
                piece x = GET(l + (size_t)q * WIDTH, h);

                SET(w + (size_t)g->row[q] * WIDTH, h) += x * (x * pivot[h]);
            }
    }
    for (uint32_t b = 0; b < g->border; b++) target->size[g->link[b]] += NAMED(sum_of)(w + ((size_t)g->size + b) * WIDTH);
}

/* --- solving --------------------------------------------------------------------------------------------------- */

ALWAYS_INLINE void NAMED(forward_body)(const arrow_group *g, const double *l, double *x, double *border)
{
    double *beyond = border - (size_t)g->size * WIDTH;

    for (uint32_t j = 0; j < g->size; j++) {
        uint32_t q = g->start[j];
        piece t[PARTS];

        EACH t[h] = GET(x + (size_t)j * WIDTH, h);
        for (; q < g->split[j]; q++) EACH SET(x + (size_t)g->row[q] * WIDTH, h) -= GET(l + (size_t)q * WIDTH, h) * t[h];
        for (; q < g->start[j + 1]; q++)
            EACH SET(beyond + (size_t)g->row[q] * WIDTH, h) -= GET(l + (size_t)q * WIDTH, h) * t[h];
    }
}

ALWAYS_INLINE void NAMED(backward_body)(const arrow_group *g, const double *l, const double *d_inverse, double *x,
                                        const double *border)
{
    const double *beyond = border - (size_t)g->size * WIDTH;

    for (uint32_t j = g->size; j-- > 0;) {
        uint32_t q = g->start[j];
        piece t[PARTS];

        EACH t[h] = GET(x + (size_t)j * WIDTH, h) * GET(d_inverse + (size_t)j * WIDTH, h);
        for (; q < g->split[j]; q++) EACH t[h] -= GET(l + (size_t)q * WIDTH, h) * GET(x + (size_t)g->row[q] * WIDTH, h);
        for (; q < g->start[j + 1]; q++)
            EACH t[h] -= GET(l + (size_t)q * WIDTH, h) * GET(beyond + (size_t)g->row[q] * WIDTH, h);
        EACH SET(x + (size_t)j * WIDTH, h) = t[h];
    }
}

/* r -= K x for the rows of the components, border_r -= for those of the links; K between links is not looked at. */
ALWAYS_INLINE void NAMED(residual_body)(const arrow_group *g, const double *value, const double *x, const double *border,
                                        double *r, double *border_r)
{
    const double *entry = value + (size_t)g->size * WIDTH;

    for (uint32_t j = 0; j < g->size; j++) {
        piece own[PARTS], sum[PARTS];

        EACH {
            own[h] = GET(x + (size_t)j * WIDTH, h);
            sum[h] = GET(r + (size_t)j * WIDTH, h) - GET(value + (size_t)j * WIDTH, h) * own[h];
        }
        for (uint32_t e = g->k_start[j]; e < g->k_start[j + 1]; e++) {
            size_t i = g->k_row[e];
            const double *across = i < g->size ? x + i * WIDTH : border + (i - g->size) * WIDTH;
            double *to = i < g->size ? r + i * WIDTH : border_r + (i - g->size) * WIDTH;

            EACH {
                piece v = GET(entry + (size_t)e * WIDTH, h);

                sum[h] -= v * GET(across, h);
                SET(to, h) -= v * own[h];
            }
        }
        EACH SET(r + (size_t)j * WIDTH, h) = sum[h];
    }
}

#undef PARTS
#undef GET
#undef SET
#undef EACH
