/* SPDX-License-Identifier: Apache-2.0 */
/* The engines behind the seam are held against one another and against dense LAPACK. */
#include <check.h>
#include <lapacke.h>
#include <math.h>

#include "la/ldl_private.h"

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

static double symmetric_unit(mgc__rng *rng)
{
    return 2.0 * mgc__rng_unit(rng) - 1.0;
}

/* A random quasi-definite matrix [H A'; A -G] of order n + m, upper triangle, in a random numbering. */
static mgc__csc quasi_definite(mgc__rng *rng, uint32_t n, uint32_t m, int8_t *sign)
{
    uint32_t order = n + m, name[200], i[4000], j[4000], k = 0;
    double v[4000];
    mgc__csc out;

    for (uint32_t p = 0; p < order; p++) {
        uint32_t q = (uint32_t)mgc__rng_below(rng, p + 1);

        name[p] = name[q];
        name[q] = p;
    }
    for (uint32_t p = 0; p < order; p++) {
        i[k] = j[k] = name[p];
        v[k++] = (p < n ? 1.0 : -1.0) * pow(10.0, 2.0 * symmetric_unit(rng));
        sign[name[p]] = p < n ? 1 : -1;
    }
    for (uint32_t p = 0; p < 3 * m; p++) {
        uint32_t a = name[n + mgc__rng_below(rng, m)], b = name[mgc__rng_below(rng, n)];

        i[k] = a < b ? a : b;
        j[k] = a < b ? b : a;
        v[k++] = symmetric_unit(rng);
    }
    ck_assert_int_eq(mgc__csc_from_triplets(ctx, order, order, k, i, j, v, &out), MGC_OK);
    return out;
}

START_TEST(triplets_are_summed_sorted_and_transposed)
{
    const uint32_t i[] = {2, 0, 2, 1, 0}, j[] = {1, 0, 1, 0, 2};
    const double v[] = {1.0, 2.0, 4.0, 8.0, 16.0}, x[] = {1.0, 10.0, 100.0};
    double y[3] = {0}, z[3] = {0};
    uint32_t map[4];
    mgc__csc a, t;

    ck_assert_int_eq(mgc__csc_from_triplets(ctx, 3, 3, 5, i, j, v, &a), MGC_OK);
    ck_assert_uint_eq(a.start[3], 4);
    ck_assert_uint_eq(a.row[0], 0);
    ck_assert_uint_eq(a.row[1], 1);
    ck_assert_double_eq(a.value[2], 5.0);
    mgc__csc_mul(&a, 2.0, x, y);
    ck_assert_double_eq(y[0], 2.0 * (2.0 + 1600.0));
    ck_assert_double_eq(y[2], 100.0);
    ck_assert_int_eq(mgc__csc_transpose(ctx, &a, &t, map), MGC_OK);
    mgc__csc_tmul(&t, 2.0, x, z);
    for (int k = 0; k < 3; k++) ck_assert_double_eq(y[k], z[k]);
    for (int k = 0; k < 4; k++) ck_assert_double_eq(t.value[k], a.value[map[k]]);
    mgc__csc_free(ctx, &a);
    mgc__csc_free(ctx, &t);
}
END_TEST

static void solve_dense(const mgc__csc *k, const double *b, double *x)
{
    lapack_int n = (lapack_int)k->cols, *pivot = calloc(k->cols, sizeof *pivot);
    double *a = calloc((size_t)k->cols * k->cols, sizeof *a);

    for (uint32_t j = 0; j < k->cols; j++)
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++)
            a[(size_t)j * k->cols + k->row[e]] = a[(size_t)k->row[e] * k->cols + j] = k->value[e];
    memcpy(x, b, k->cols * sizeof *x);
    ck_assert_int_eq(LAPACKE_dgesv(LAPACK_COL_MAJOR, n, 1, a, n, pivot, x, n), 0);
    free(a);
    free(pivot);
}

START_TEST(every_engine_solves_what_lapack_solves)
{
    const uint32_t engines[] = {MGC__LDL_AUTO, MGC__LDL_COLUMNS, MGC__LDL_SUPERNODAL, MGC__LDL_CHOLMOD,
                                MGC__LDL_ARROW};
    mgc__rng rng;
    int8_t sign[200];
    double b[200], x[200], expected[200];

    mgc__rng_seed(&rng, (uint64_t)_i + 1);
    uint32_t m = 1 + (uint32_t)mgc__rng_below(&rng, 60), n = m + 1 + (uint32_t)mgc__rng_below(&rng, 70);
    mgc__csc k = quasi_definite(&rng, n, m, sign);
    for (uint32_t p = 0; p < n + m; p++) b[p] = symmetric_unit(&rng);
    solve_dense(&k, b, expected);
    for (size_t engine = 0; engine < MGC__COUNT(engines); engine++) {
        mgc__ldl *ldl;
        mgc__ldl_info info;

        ck_assert_int_eq(mgc__ldl_create(ctx, &k, sign, engines[engine], &ldl), MGC_OK);
        for (int again = 0; again < 2; again++) {
            ck_assert_int_eq(mgc__ldl_factorise(ldl, k.value, 1e-9, 1e-9), MGC_OK);
            ck_assert_double_le(mgc__ldl_solve(ldl, b, x, 5, 1e-14), 1e-12);
            for (uint32_t p = 0; p < n + m; p++)
                ck_assert_double_le(fabs(x[p] - expected[p]), 1e-9 * (1.0 + fabs(expected[p])));
        }
        mgc__ldl_read_info(ldl, &info);
        ck_assert_uint_eq(info.corrected, 0);
        for (uint32_t p = 0; p < n + m; p++) { /* what is no number is never called solved */
            double was = b[p];

            b[p] = NAN;
            ck_assert(isnan(mgc__ldl_solve(ldl, b, x, 5, 1e-14)));
            b[p] = was;
        }
        ck_assert_double_le(mgc__ldl_solve(ldl, b, x, 5, 1e-14), 1e-12);
        mgc__ldl_destroy(ldl);
    }
    mgc__csc_free(ctx, &k);
}
END_TEST

/* A long chain of blocks that share a few columns: large enough that every order and wide panels are tried. */
START_TEST(engines_agree_on_an_arrow)
{
    enum { BLOCKS = 60, SIZE = 24, SHARED = 80, ORDER = BLOCKS * SIZE + SHARED };
    const uint32_t most = ORDER + BLOCKS * SIZE * 8, engines[] = {MGC__LDL_SUPERNODAL, MGC__LDL_COLUMNS,
                                                                  MGC__LDL_CHOLMOD};
    uint32_t *i = calloc(most, sizeof *i), *j = calloc(most, sizeof *j), k = 0;
    double *v = calloc(most, sizeof *v), *b = calloc(ORDER, sizeof *b), *x = calloc(3 * ORDER, sizeof *x);
    int8_t *sign = calloc(ORDER, 1);
    mgc__rng rng;
    mgc__csc a;

    mgc__rng_seed(&rng, 3);
    for (uint32_t p = 0; p < ORDER; p++) {
        sign[p] = p % 3 == 0 ? -1 : 1;
        i[k] = j[k] = p;
        v[k++] = sign[p] * (1.0 + mgc__rng_unit(&rng));
        b[p] = symmetric_unit(&rng);
    }
    for (uint32_t p = 0; p < BLOCKS * SIZE; p++) {
        for (uint32_t q = 0; q < 8; q++) {
            uint32_t to = q < 5 ? p - p % SIZE + (uint32_t)mgc__rng_below(&rng, 2 * SIZE) : ORDER - 1 - (uint32_t)mgc__rng_below(&rng, SHARED);

            if (to >= ORDER || to == p || sign[to] == sign[p]) continue; /* unlike signs: quasi-definite */
            i[k] = p < to ? p : to;
            j[k] = p < to ? to : p;
            v[k++] = symmetric_unit(&rng);
        }
    }
    ck_assert_int_eq(mgc__csc_from_triplets(ctx, ORDER, ORDER, k, i, j, v, &a), MGC_OK);
    for (size_t engine = 0; engine < 3; engine++) {
        mgc__ldl *ldl;
        mgc__ldl_info info;

        ck_assert_int_eq(mgc__ldl_create(ctx, &a, sign, engines[engine], &ldl), MGC_OK);
        mgc__ldl_read_info(ldl, &info);
        ck_assert_double_gt(info.operations, 1e6);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, a.value, 1e-9, 1e-9), MGC_OK);
        ck_assert_double_le(mgc__ldl_solve(ldl, b, x + engine * ORDER, 5, 1e-14), 1e-12);
        for (uint32_t p = 0; p < ORDER; p++) ck_assert_double_eq_tol(x[engine * ORDER + p], x[p], 1e-9);
        mgc__ldl_destroy(ldl);
    }
    mgc__csc_free(ctx, &a);
    free(i);
    free(j);
    free(v);
    free(b);
    free(x);
    free(sign);
}
END_TEST

/* --- arrows ---------------------------------------------------------------------------------------------------- */

typedef struct shape {
    uint32_t blocks, columns, rows, links; /* of one block: columns and rows; links: columns shared by all */
    uint32_t odd;                          /* blocks with a pattern of their own */
    uint32_t own;                          /* first-stage columns and as many rows that no block knows */
    bool expected;                         /* an arrow worth the name */
    uint32_t copies;                       /* of the links, the last ones: multiples of link 0 for all blocks */
} shape;

static const shape shapes[] = {
    {8, 12, 7, 6, 0, 0, true, 0},    /* one full batch */
    {13, 12, 7, 6, 0, 4, true, 0},   /* a batch with empty lanes, a first stage of its own */
    {24, 9, 5, 1, 3, 0, true, 0},    /* ragged */
    {14, 10, 6, 30, 2, 5, true, 0},  /* more links than a block has vertices */
    {6, 8, 8, 12, 0, 3, true, 0},    /* fewer blocks than lanes */
    {1, 60, 40, 6, 0, 0, false, 0},  /* one block */
    {16, 10, 6, 0, 0, 0, true, 0},   /* no link */
    {0, 0, 0, 50, 0, 20, false, 0},  /* all link */
    {40, 2, 1, 120, 0, 0, true, 0},  /* a border that outweighs everything: found, but maybe not worth it */
    {16, 12, 7, 8, 0, 3, true, 3},   /* links that only their sum matters of */
    {20, 9, 6, 20, 2, 0, true, 10},
};

typedef struct triplets {
    uint32_t n, i[20000], j[20000];
    double v[20000];
} triplets;

static void put(triplets *t, uint32_t a, uint32_t b, double v)
{
    ck_assert_uint_lt(t->n, 20000);
    t->i[t->n] = a < b ? a : b;
    t->j[t->n] = a < b ? b : a;
    t->v[t->n++] = v;
}

static void put_link(triplets *t, const shape *s, uint32_t row, uint32_t link, double v)
{
    put(t, row, link, v);
    for (uint32_t c = 0; link == 0 && c < s->copies; c++) put(t, row, s->links - 1 - c,
                                                              v * (c % 2 ? 0.3 + c : -1.0 - c));
}

/* Columns first, then rows, stage by stage, as programs are built; every block draws the same pattern, other values.
 * */
static mgc__csc random_arrow(const shape *s, uint64_t seed, int8_t *sign)
{
    static triplets t;
    uint32_t columns = s->links + s->own + s->blocks * s->columns, n = columns + s->own + s->blocks * s->rows;
    mgc__rng values;
    mgc__csc out;

    t.n = 0;
    mgc__rng_seed(&values, seed);
    for (uint32_t v = 0; v < n; v++) {
        sign[v] = v < columns ? 1 : -1;
        put(&t, v, v, sign[v] * pow(10.0, symmetric_unit(&values)));
    }
    for (uint32_t r = 0; r < s->own; r++) {
        put(&t, columns + r, s->links + r, symmetric_unit(&values));
        if (s->links > 0) put(&t, columns + r, r % s->links, symmetric_unit(&values));
    }
    for (uint32_t b = 0; b < s->blocks; b++) {
        uint32_t column = s->links + s->own + b * s->columns, row = columns + s->own + b * s->rows;
        mgc__rng pattern;

        mgc__rng_seed(&pattern, b < s->odd ? seed + 100 + b : seed + 7);
        for (uint32_t r = 0; r < s->rows; r++) {
            put(&t, row + r, column + r % s->columns, symmetric_unit(&values)); /* connected: neighbours in a chain */
            put(&t, row + r, column + (r + 1) % s->columns, symmetric_unit(&values));
            put(&t, row + r, column + (uint32_t)mgc__rng_below(&pattern, s->columns), symmetric_unit(&values));
            if (s->links > 0) put_link(&t, s, row + r, (uint32_t)mgc__rng_below(&pattern, s->links - s->copies),
                                       symmetric_unit(&values));
        }
    }
    ck_assert_int_eq(mgc__csc_from_triplets(ctx, n, n, t.n, t.i, t.j, t.v, &out), MGC_OK);
    return out;
}

START_TEST(arrows_are_found_and_solved)
{
    const shape *s = &shapes[(size_t)_i % MGC__COUNT(shapes)];
    int8_t sign[1000];
    double b[1000], x[1000], expected[1000];
    mgc__csc k = random_arrow(s, (uint64_t)_i + 1, sign);
    mgc__rng rng;
    mgc__ldl *ldl;
    mgc__pool *pool;
    mgc__ldl_info info;

    mgc__rng_seed(&rng, (uint64_t)_i + 1000);
    ck_assert_uint_le(k.cols, 1000);
    ck_assert_int_eq(mgc__ldl_create(ctx, &k, sign, MGC__LDL_ARROW, &ldl), MGC_OK);
    mgc__ldl_read_info(ldl, &info);
    if (s->links <= 30) ck_assert_uint_eq(info.method, s->expected ? MGC__LDL_ARROW : MGC__LDL_SUPERNODAL);
    for (uint32_t again = 0; again < 3; again++) {
        for (uint32_t e = 0; e < k.start[k.cols]; e++) k.value[e] *= 1.0 + 0.5 * again * mgc__rng_unit(&rng);
        for (uint32_t p = 0; p < k.cols; p++) b[p] = symmetric_unit(&rng);
        solve_dense(&k, b, expected);
        ck_assert_int_eq(mgc__pool_create(ctx, 1 + again, &pool), MGC_OK);
        mgc__ldl_set_pool(ldl, pool);
        ldl->worth_sharing = 0.0;
        ck_assert_int_eq(mgc__ldl_factorise(ldl, k.value, 1e-9, 1e-9), MGC_OK);
        ck_assert_double_le(mgc__ldl_solve(ldl, b, x, 0, 1e-14), 1e-6); /* the factor alone */
        ck_assert_double_le(mgc__ldl_solve(ldl, b, x, 5, 1e-14), 1e-11);
        for (uint32_t p = 0; p < k.cols; p++)
            ck_assert_double_le(fabs(x[p] - expected[p]), 1e-8 * (1.0 + fabs(expected[p])));
        mgc__ldl_read_info(ldl, &info);
        ck_assert_uint_eq(info.corrected, 0);
        mgc__pool_destroy(pool);
    }
    mgc__ldl_destroy(ldl);
    mgc__csc_free(ctx, &k);
}
END_TEST

/* Rows in an order that hides the arrow: told, it is found; told wrongly, answers are right all the same. */
START_TEST(told_blocks_are_used_and_checked)
{
    const shape s = {6, 14, 9, 12, 0, 0, true, 0}; /* links with few neighbours */
    uint32_t columns = s.links + s.own + s.blocks * s.columns, order[400], own[400], block[400];
    int8_t sign[400], mixed_sign[400];
    double b[400], x[400], expected[400];
    mgc__csc k = random_arrow(&s, (uint64_t)_i + 1, sign), mixed;
    static triplets t;
    mgc__rng rng;
    mgc__ldl *ldl;
    mgc__ldl_info info;

    mgc__rng_seed(&rng, (uint64_t)_i);
    for (uint32_t p = 0; p < k.cols; p++) {
        uint32_t first = p < columns ? s.links + s.own : columns + s.own, each = p < columns ? s.columns : s.rows;
        own[p] = p < first ? 0 : 1 + (p - first) / each;
        b[p] = symmetric_unit(&rng);
    }
    for (uint32_t rank = 0, at = 0; at < k.cols; rank++) /* the rank-th of every block, then the next of every block */
        for (uint32_t blk = 0; blk <= s.blocks; blk++)
            for (uint32_t p = 0, seen = 0; p < k.cols; p++) {
                if (own[p] != blk || seen++ != rank) continue;
                block[at] = blk;
                mixed_sign[at] = sign[p];
                order[p] = at++;
            }
    t.n = 0;
    for (uint32_t p = 0; p < k.cols; p++)
        for (uint32_t e = k.start[p]; e < k.start[p + 1]; e++) put(&t, order[p], order[k.row[e]], k.value[e]);
    ck_assert_int_eq(mgc__csc_from_triplets(ctx, k.cols, k.cols, t.n, t.i, t.j, t.v, &mixed), MGC_OK);
    solve_dense(&mixed, b, expected);
    ck_assert_int_eq(mgc__ldl_create(ctx, &mixed, mixed_sign, MGC__LDL_ARROW, &ldl), MGC_OK);
    mgc__ldl_read_info(ldl, &info);
    ck_assert_uint_ne(info.method, MGC__LDL_ARROW); /* untold it is not */
    mgc__ldl_destroy(ldl);
    for (uint32_t lie = 0; lie < 3; lie++) {
        for (uint32_t p = 0; p < k.cols && lie > 0; p++) block[p] = lie == 1 ? (uint32_t)mgc__rng_below(&rng, 9) : 0;
        ck_assert_int_eq(mgc__ldl_create_blocks(ctx, &mixed, mixed_sign, MGC__LDL_ARROW, block, NULL, &ldl), MGC_OK);
        mgc__ldl_read_info(ldl, &info);
        if (lie == 0) ck_assert_uint_eq(info.method, MGC__LDL_ARROW);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, mixed.value, 1e-9, 1e-9), MGC_OK);
        ck_assert_double_le(mgc__ldl_solve(ldl, b, x, 5, 1e-14), 1e-11);
        for (uint32_t p = 0; p < k.cols; p++) ck_assert_double_le(fabs(x[p] - expected[p]), 1e-8 * (1.0 + fabs(expected[p])));
        mgc__ldl_destroy(ldl);
    }
    mgc__csc_free(ctx, &k);
    mgc__csc_free(ctx, &mixed);
}
END_TEST

/* Refinement that never looks at K must reach what it says it reaches. */
START_TEST(refinement_by_the_shift_alone_is_true)
{
    const shape s = {16, 12, 7, 8, 0, 3, true, 2};
    const uint32_t engines[] = {MGC__LDL_ARROW, MGC__LDL_SUPERNODAL};
    int8_t sign[400];
    double b[400], x[400], r[400];
    mgc__csc k = random_arrow(&s, 3, sign);

    for (size_t engine = 0; engine < MGC__COUNT(engines); engine++) {
        mgc__ldl *ldl;

        ck_assert_int_eq(mgc__ldl_create(ctx, &k, sign, engines[engine], &ldl), MGC_OK);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, k.value, 1e-4, 1e-4), MGC_OK);
        for (uint32_t trial = 0; trial < 5; trial++) { /* the first looks at K */
            double largest = 0.0, said, target = trial < 3 ? 1e-10 : 1e-5;

            for (uint32_t p = 0; p < k.cols; p++) r[p] = b[p] = sin(p + 100.0 * trial);
            said = mgc__ldl_solve(ldl, b, x, 8, target);
            mgc__csc_symmul(&k, -1.0, x, r);
            for (uint32_t p = 0; p < k.cols; p++) largest = fmax(largest, fabs(r[p]));
            ck_assert_double_le(said, target);
            ck_assert_double_le(largest, 20.0 * target); /* weights divide by at most the root of 10 */
        }
        mgc__ldl_destroy(ldl);
    }
    mgc__csc_free(ctx, &k);
}
END_TEST

START_TEST(threads_do_not_change_a_bit_of_an_arrow)
{
    const shape s = {50, 12, 8, 9, 1, 5, true, 2};
    int8_t sign[1100];
    double b[1100], x[3][1100];
    mgc__csc k = random_arrow(&s, 5, sign);
    mgc__ldl *ldl;

    for (uint32_t p = 0; p < k.cols; p++) b[p] = sin(p);
    ck_assert_int_eq(mgc__ldl_create(ctx, &k, sign, MGC__LDL_ARROW, &ldl), MGC_OK);
    for (uint32_t threads = 1; threads <= 3; threads++) {
        mgc__pool *pool;

        ck_assert_int_eq(mgc__pool_create(ctx, threads, &pool), MGC_OK);
        mgc__ldl_set_pool(ldl, pool);
        ldl->worth_sharing = 0.0; /* small as they are */
        ck_assert_int_eq(mgc__ldl_factorise(ldl, k.value, 1e-9, 1e-9), MGC_OK);
        (void)mgc__ldl_solve(ldl, b, x[threads - 1], 3, 1e-14);
        ck_assert_mem_eq(x[threads - 1], x[0], k.cols * sizeof x[0][0]);
        mgc__pool_destroy(pool);
    }
    mgc__ldl_destroy(ldl);
    mgc__csc_free(ctx, &k);
}
END_TEST

/* Row v of K without neighbours, its diagonal d: the pivot is d in every order. */
static void isolate(const mgc__csc *k, uint32_t v, double d, double *value)
{
    for (uint32_t j = 0; j < k->cols; j++)
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++)
            if (j == v || k->row[e] == v) value[e] = j == k->row[e] ? d : 0.0;
}

static void check_solution(mgc__ldl *ldl, const mgc__csc *k, const double *value, uint64_t seed)
{
    mgc__csc now = *k;
    mgc__rng rng;
    double b[400], x[400], expected[400];

    ck_assert_uint_le(k->cols, 400);
    now.value = (double *)(uintptr_t)value;
    mgc__rng_seed(&rng, seed);
    for (uint32_t p = 0; p < k->cols; p++) b[p] = symmetric_unit(&rng);
    solve_dense(&now, b, expected);
    ck_assert_int_eq(mgc__ldl_factorise(ldl, value, 1e-9, 1e-9), MGC_OK);
    ck_assert_double_le(mgc__ldl_solve(ldl, b, x, 0, 1e-14), 1e-4);
    ck_assert_double_le(mgc__ldl_solve(ldl, b, x, 5, 1e-14), 1e-11);
    for (uint32_t p = 0; p < k->cols; p++)
        ck_assert_double_le(fabs(x[p] - expected[p]), 1e-8 * (1.0 + fabs(expected[p])));
    mgc__ldl_apply(ldl, b, x);
    for (uint32_t p = 0; p < k->cols; p++)
        ck_assert_double_le(fabs(x[p] - expected[p]), 1e-3 * (1.0 + fabs(expected[p])));
}

/* Links in proportion are compressed, whatever their scaling and diagonal; fixed ones (columns of zeros) stay
 * members; and when the proportion is lost, so is the compression. */
START_TEST(proportional_links_become_one)
{
    const shape copied = {16, 12, 7, 8, 0, 3, true, 3};
    int8_t sign[400];
    mgc__csc k = random_arrow(&copied, 1, sign);
    double *value = calloc(k.start[k.cols], sizeof *value);
    mgc__ldl *ldl, *reference;
    mgc__ldl_info info, uncompressed;

    ck_assert_int_eq(mgc__ldl_create(ctx, &k, sign, MGC__LDL_ARROW, &ldl), MGC_OK);
    mgc__ldl_read_info(ldl, &info);
    for (uint32_t e = 0; e < k.start[k.cols]; e++) value[e] = k.value[e];
    for (uint32_t trial = 0; trial < 6; trial++) {
        double scale[400];

        for (uint32_t p = 0; p < k.cols; p++) scale[p] = ldexp(1.0, (int)((p * 7 + trial * 5) % 9) - 4);
        for (uint32_t j = 0; j < k.cols; j++)
            for (uint32_t e = k.start[j]; e < k.start[j + 1]; e++) {
                value[e] = k.value[e] * scale[j] * scale[k.row[e]];
                if (k.row[e] == j && j < copied.links) value[e] = pow(10.0, (double)((j + trial) % 8) - 4.0);
            }
        if (trial == 4) isolate(&k, 0, 1.0, value);
        if (trial == 5) isolate(&k, copied.links - 1, 1.0, value);
        check_solution(ldl, &k, value, trial);
    }
    value[k.start[k.cols] - 5] *= 1.5; /* of the last rows: they know links */
    for (uint32_t e = 0; e < k.start[k.cols]; e++) value[e] *= 1.0 + 1e-3 * (double)(e % 7);
    check_solution(ldl, &k, value, 9);
    mgc__ldl_read_info(ldl, &uncompressed);
    ck_assert_double_lt(info.operations, uncompressed.operations);
    memset(k.value, 0, k.start[k.cols] * sizeof *k.value); /* no values at analysis: no compression */
    ck_assert_int_eq(mgc__ldl_create(ctx, &k, sign, MGC__LDL_ARROW, &reference), MGC_OK);
    mgc__ldl_read_info(reference, &info);
    ck_assert_double_eq(info.operations, uncompressed.operations);
    check_solution(reference, &k, value, 10);
    mgc__ldl_destroy(ldl);
    mgc__ldl_destroy(reference);
    mgc__csc_free(ctx, &k);
    free(value);
}
END_TEST

/* A pivot that cancels in one lane is replaced there and counted once, as by the other engines. */
START_TEST(an_arrow_replaces_what_the_others_replace)
{
    const shape s = {16, 6, 4, 5, 0, 0, true, 0};
    const uint32_t engines[] = {MGC__LDL_ARROW, MGC__LDL_COLUMNS, MGC__LDL_SUPERNODAL};
    int8_t sign[200];
    double value[2000];
    mgc__csc k = random_arrow(&s, 9, sign);
    const uint32_t spoilt[] = {s.links + 7 * s.columns + 2, 1, k.cols - 1}; /* in a block, a link, a row of the last block */

    for (size_t engine = 0; engine < MGC__COUNT(engines); engine++) {
        mgc__ldl *ldl;
        mgc__ldl_info info;

        ck_assert_int_eq(mgc__ldl_create(ctx, &k, sign, engines[engine], &ldl), MGC_OK);
        for (size_t c = 0; c < MGC__COUNT(spoilt); c++) {
            memcpy(value, k.value, k.start[k.cols] * sizeof *value);
            isolate(&k, spoilt[c], -sign[spoilt[c]], value);
            ck_assert_int_eq(mgc__ldl_factorise(ldl, value, 0.0, 0.0), MGC_OK);
            mgc__ldl_read_info(ldl, &info);
            ck_assert_uint_eq(info.corrected, 1);
            isolate(&k, spoilt[c], NAN, value);
            ck_assert_int_eq(mgc__ldl_factorise(ldl, value, 0.0, 0.0), MGC_E_NUMERIC);
            isolate(&k, spoilt[c], INFINITY, value);
            ck_assert_int_eq(mgc__ldl_factorise(ldl, value, 0.0, 0.0), MGC_E_NUMERIC);
        }
        ck_assert_int_eq(mgc__ldl_factorise(ldl, k.value, 0.0, 0.0), MGC_OK);
        mgc__ldl_read_info(ldl, &info);
        ck_assert_uint_eq(info.corrected, 0);
        mgc__ldl_destroy(ldl);
    }
    mgc__csc_free(ctx, &k);
}
END_TEST

START_TEST(a_pivot_of_the_wrong_sign_is_replaced_and_counted)
{
    const uint32_t i[] = {0, 0, 1}, j[] = {0, 1, 1};
    const double v[] = {1.0, 2.0, 1.0}; /* eigenvalues 3 and -1 */
    const int8_t sign[] = {1, 1};
    mgc__csc k;
    mgc__ldl *ldl;
    mgc__ldl_info info;

    ck_assert_int_eq(mgc__csc_from_triplets(ctx, 2, 2, 3, i, j, v, &k), MGC_OK);
    ck_assert_int_eq(mgc__ldl_create(ctx, &k, sign, MGC__LDL_AUTO, &ldl), MGC_OK);
    ck_assert_int_eq(mgc__ldl_factorise(ldl, k.value, 0.0, 0.0), MGC_OK);
    mgc__ldl_read_info(ldl, &info);
    ck_assert_uint_eq(info.corrected, 1);
    mgc__ldl_destroy(ldl);
    mgc__csc_free(ctx, &k);
}
END_TEST

START_TEST(a_pivot_that_is_no_number_is_told)
{
    const uint32_t i[] = {0, 0, 1}, j[] = {0, 1, 1};
    const double v[] = {1.0, 1e200, -1.0};
    const int8_t sign[] = {1, -1};
    mgc__csc k;

    ck_assert_int_eq(mgc__csc_from_triplets(ctx, 2, 2, 3, i, j, v, &k), MGC_OK);
    for (uint32_t engine = MGC__LDL_AUTO; engine <= MGC__LDL_ARROW; engine++) {
        mgc__ldl *ldl;

        ck_assert_int_eq(mgc__ldl_create(ctx, &k, sign, engine, &ldl), MGC_OK);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, k.value, 0.0, 0.0), MGC_E_NUMERIC);
        mgc__ldl_destroy(ldl);
    }
    mgc__csc_free(ctx, &k);
}
END_TEST

/* A host that cancels does not wait for the end of a long factorisation; what comes after a reset is what it would have been. */
START_TEST(a_cancelled_factorisation_ends)
{
    const shape s = {16, 12, 7, 8, 0, 3, true, 2};
    const uint32_t engines[] = {MGC__LDL_ARROW, MGC__LDL_SUPERNODAL};
    int8_t sign[400];
    double b[400], x[400], expected[400];
    mgc__csc k = random_arrow(&s, 3, sign);

    for (uint32_t p = 0; p < k.cols; p++) b[p] = sin(p);
    solve_dense(&k, b, expected);
    for (size_t engine = 0; engine < MGC__COUNT(engines); engine++) {
        mgc__ldl *ldl;

        ck_assert_int_eq(mgc__ldl_create(ctx, &k, sign, engines[engine], &ldl), MGC_OK);
        mgc_ctx_cancel(ctx);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, k.value, 1e-9, 1e-9), MGC_E_STOPPED);
        mgc_ctx_cancel_reset(ctx);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, k.value, 1e-9, 1e-9), MGC_OK);
        (void)mgc__ldl_solve(ldl, b, x, 5, 1e-14);
        for (uint32_t p = 0; p < k.cols; p++)
            ck_assert_double_le(fabs(x[p] - expected[p]), 1e-8 * (1.0 + fabs(expected[p])));
        mgc__ldl_destroy(ldl);
    }
    mgc__csc_free(ctx, &k);
}
END_TEST

START_TEST(dense_cholesky_solves_or_refuses)
{
    double a[] = {4.0, 2.0, 2.0, 5.0}, b[] = {10.0, 13.0}, bad[] = {1.0, 2.0, 2.0, 1.0};

    ck_assert_int_eq(mgc__dense_cholesky(ctx, 2, a, 2), MGC_OK);
    mgc__dense_cholesky_solve(2, a, 2, b);
    ck_assert_double_eq_tol(b[0], 1.5, 1e-14);
    ck_assert_double_eq_tol(b[1], 2.0, 1e-14);
    ck_assert_int_eq(mgc__dense_cholesky(ctx, 2, bad, 2), MGC_E_NUMERIC);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("la");
    TCase *tc = tcase_create("la");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, triplets_are_summed_sorted_and_transposed);
    tcase_add_loop_test(tc, every_engine_solves_what_lapack_solves, 0, 40);
    tcase_add_test(tc, engines_agree_on_an_arrow);
    tcase_add_loop_test(tc, arrows_are_found_and_solved, 0, 11 * 6);
    tcase_add_loop_test(tc, told_blocks_are_used_and_checked, 0, 5);
    tcase_add_test(tc, proportional_links_become_one);
    tcase_add_test(tc, refinement_by_the_shift_alone_is_true);
    tcase_add_test(tc, threads_do_not_change_a_bit_of_an_arrow);
    tcase_add_test(tc, an_arrow_replaces_what_the_others_replace);
    tcase_add_test(tc, a_pivot_of_the_wrong_sign_is_replaced_and_counted);
    tcase_add_test(tc, a_pivot_that_is_no_number_is_told);
    tcase_add_test(tc, a_cancelled_factorisation_ends);
    tcase_add_test(tc, dense_cholesky_solves_or_refuses);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
