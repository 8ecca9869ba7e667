/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of loops.c, for registers of REGISTER doubles: included once for each. */

/* most = the larger of each lane, least = the smaller; a NaN, which neither would keep, stays in the sum. */
ALWAYS_INLINE void OF_REGISTER(keep_extremes)(piece *most, piece *least, piece *sum, const piece *t)
{
    *most = CHOOSE(*t > *most, *t, *most);
    *least = CHOOSE(*t < *least, *t, *least);
    *sum += *t;
}

ALWAYS_INLINE ldl_pair OF_REGISTER(largest_body)(size_t n, const double *x, const double *s, const double *weight)
{
    piece most[PIECES] = {{0}}, least[PIECES] = {{0}}, sum[PIECES] = {{0}};
    ldl_pair result = {0.0, 0.0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        UNROLLED
        for (int h = 0; h < PIECES; h++) {
            size_t at = i + (size_t)h * REGISTER;
            piece y = LOAD(x + at), t;

            if (s) y *= LOAD(s + at);
            t = y * y * LOAD(weight + at);
            OF_REGISTER(keep_extremes)(&most[h], &least[h], &sum[h], &t);
        }
    }
    for (int h = 0; h < PIECES; h++)
        for (int k = 0; k < REGISTER; k++) {
            keep_largest(&result, most[h][k]);
            keep_largest(&result, least[h][k]);
            if (isnan(sum[h][k])) keep_largest(&result, sum[h][k]);
        }
    for (; i < n; i++) {
        double y = s ? x[i] * s[i] : x[i];

        keep_largest(&result, y * y * weight[i]);
    }
    return result;
}

ALWAYS_INLINE void OF_REGISTER(weigh_body)(size_t n, const double *diagonal, const double *side, double *weight)
{
    size_t i = 0;

    for (; i + REGISTER <= n; i += REGISTER) {
        const piece one = (piece){0} + 1.0;
        piece d = LOAD(diagonal + i) * LOAD(side + i); /* its magnitude, where the sign is what it should be */

        STORE(weight + i) = LOAD(side + i) / CHOOSE(d > one, d, one);
    }
    for (; i < n; i++) weight[i] = side[i] / (diagonal[i] * side[i] > 1.0 ? diagonal[i] * side[i] : 1.0);
}
