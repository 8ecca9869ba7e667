/* SPDX-License-Identifier: Apache-2.0 */
/* The same bits on every machine: kernels for wide registers against those for the narrowest.  Their files are compiled
 * here once more, so that the ones which this machine would not choose are run too. */
#include "la/arrow.h"
#include "la/supernodal.h"

const kernels *panels_chosen(void);
const ldl_loops *loops_chosen(void);
const arrow_kernels *arrow_chosen(void);

#define mgc__supernodal_kernels panels_chosen
#define mgc__ldl_loops loops_chosen
#define mgc__arrow_kernels arrow_chosen
#define base panels_base
#define avx2 panels_avx2
#define avx512 panels_avx512
#include "../../lib/la/supernodal_kernels.c"
#undef KERNELS
#undef avx2
#undef avx512
#define plain loops_base
#define avx2 loops_avx2
#define avx512 loops_avx512
#include "../../lib/la/loops.c"
#undef plain
#undef avx2
#undef avx512
#include "../../lib/la/arrow_kernels.c" /* tables plain, avx2 and avx512 */

#include <check.h>

enum { MOST = 37, DEPTH = 19, ROOM = MOST * (DEPTH + 8) };

/* What this machine can run beside the narrowest: up to two. */
typedef struct tables {
    const kernels *panels;
    const ldl_loops *loops;
    const arrow_kernels *arrow; /* two */
} tables;

static uint32_t wider(tables out[2])
{
    uint32_t n = 0;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) out[n++] = (tables){&panels_avx2, &loops_avx2, avx2};
    if (__builtin_cpu_supports("avx512f")) out[n++] = (tables){&panels_avx512, &loops_avx512, avx512};
#else
    (void)out;
#endif
    return n;
}

static void fill(mgc__rng *rng, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) x[i] = (2.0 * mgc__rng_unit(rng) - 1.0) * (i % 7 == 0 ? 1e6 : 1.0);
}

static void check_same(const double *x, const double *y, size_t n)
{
    ck_assert_mem_eq(x, y, n * sizeof *x);
}

/* Every number of rows, so that each kernel ends in whole registers, in half ones and in single numbers. */
static void check_panels(const kernels *narrow, const kernels *wide, uint32_t rows, mgc__rng *rng)
{
    double a[ROOM], w[4 * DEPTH], c[4 * MOST] = {0}, other[4 * MOST] = {0}, y[MOST], z[MOST], x[DEPTH], v[DEPTH];
    uint32_t cols = rows % DEPTH;

    fill(rng, a, ROOM);
    fill(rng, w, 4 * DEPTH);
    fill(rng, y, MOST);
    fill(rng, x, DEPTH);
    narrow->multiply(rows, DEPTH, a, MOST, w, c, MOST);
    wide->multiply(rows, DEPTH, a, MOST, w, other, MOST);
    check_same(c, other, 4 * MOST);
    for (uint32_t r = 0; r < rows; r++) { /* column 3 by hand */
        double sum = 0.0;

        for (uint32_t k = 0; k < DEPTH; k++) sum += a[k * MOST + r] * w[4 * k + 3];
        ck_assert_double_eq(sum, c[3 * MOST + r]);
    }
    memcpy(z, y, sizeof y);
    narrow->subtract(rows, c, y);
    wide->subtract(rows, c, z);
    check_same(y, z, MOST);
    narrow->eliminate(rows, 3, a, MOST, w, 0.7, y);
    wide->eliminate(rows, 3, a, MOST, w, 0.7, z);
    check_same(y, z, MOST);
    narrow->subtract_product(rows, cols, a, MOST, x, y);
    wide->subtract_product(rows, cols, a, MOST, x, z);
    check_same(y, z, MOST);
    memcpy(v, x, sizeof x);
    narrow->subtract_transposed(rows, cols, a, MOST, y, x);
    wide->subtract_transposed(rows, cols, a, MOST, y, v);
    check_same(x, v, DEPTH);
}

START_TEST(dense_panels)
{
    tables table[2];
    mgc__rng rng;

    mgc__rng_seed(&rng, 1);
    for (uint32_t k = wider(table); k-- > 0;)
        for (uint32_t rows = 0; rows <= MOST; rows++) check_panels(&panels_base, table[k].panels, rows, &rng);
}
END_TEST

START_TEST(loops)
{
    static double x[MOST], s[MOST], side[MOST], weight[MOST], other[MOST];
    tables table[2];
    mgc__rng rng;

    mgc__rng_seed(&rng, 2);
    for (uint32_t k = wider(table); k-- > 0;)
        for (uint32_t n = 0; n <= MOST; n++) {
            const ldl_loops *narrow = &loops_base, *wide = table[k].loops;
            ldl_pair p, q;

            fill(&rng, x, MOST);
            fill(&rng, s, MOST);
            for (uint32_t i = 0; i < MOST; i++) side[i] = i % 3 == 0 ? -1.0 : 1.0;
            narrow->weigh(n, x, side, weight);
            wide->weigh(n, x, side, other);
            check_same(weight, other, n);
            p = narrow->largest_product(n, x, s, weight);
            q = wide->largest_product(n, x, s, weight);
            check_same(&p.plus, &q.plus, 2);
            p = narrow->largest(n, x, weight);
            q = wide->largest(n, x, weight);
            check_same(&p.plus, &q.plus, 2);
        }
}
END_TEST

/* Wherever it stands, and whatever comes after it. */
START_TEST(a_nan_stays)
{
    static double x[MOST], s[MOST], weight[MOST];
    tables table[3];
    uint32_t tables_of = wider(table);
    mgc__rng rng;

    mgc__rng_seed(&rng, 3);
    table[tables_of++].loops = &loops_base;
    fill(&rng, x, MOST);
    fill(&rng, s, MOST);
    fill(&rng, weight, MOST);
    for (uint32_t k = 0; k < tables_of; k++)
        for (uint32_t n = 1; n <= MOST; n++)
            for (uint32_t i = 0; i < n; i++) {
                double was = x[i];

                x[i] = NAN;
                ldl_pair p = table[k].loops->largest(n, x, weight), q = table[k].loops->largest_product(n, x, s, weight);
                ck_assert(isnan(p.plus) && isnan(p.minus) && isnan(q.plus) && isnan(q.minus));
                x[i] = was;
            }
}
END_TEST

/* A component of SIZE columns of which each knows the next four and, from the third on, all links. */
enum { SIZE = 14, BORDER = 9, TOTAL = SIZE + BORDER, L_MOST = SIZE * TOTAL, U_MOST = TOTAL * SIZE };

typedef struct made {
    arrow_group group;
    int8_t sign[SIZE];
    uint32_t start[SIZE + 1], split[SIZE], row[L_MOST], k_start[SIZE + 1], k_row[L_MOST];
    uint32_t update_start[TOTAL + 1], link[BORDER];
    arrow_update update[U_MOST];
} made;

static void make_group(made *m, bool panels)
{
    uint32_t at = 0, u = 0;

    memset(m, 0, sizeof *m);
    for (uint32_t j = 0; j < SIZE; j++) {
        m->sign[j] = j % 2 == 0 ? 1 : -1;
        for (uint32_t i = j + 1; i < SIZE && i <= j + 4; i++) m->row[at++] = i;
        m->split[j] = at;
        for (uint32_t b = 0; j >= 2 && b < BORDER; b++) m->row[at++] = SIZE + b;
        m->start[j + 1] = at;
    }
    memcpy(m->k_start, m->start, sizeof m->start);
    memcpy(m->k_row, m->row, sizeof m->row);
    for (uint32_t i = 0; i < TOTAL; i++) { /* as list_updates(): runs of columns with one tail, up to four */
        for (uint32_t j = 0; j < SIZE && j < i; j++)
            for (uint32_t q = m->start[j]; q < m->start[j + 1]; q++)
                if (m->row[q] == i) m->update[u++] = (arrow_update){.from = j, .at = q, .width = 1};
        m->update_start[i + 1] = u;
        for (uint32_t first = m->update_start[i]; i >= SIZE && first < u; first += m->update[first].width)
            m->update[first].width = u - first < 4 ? u - first : 4;
    }
    for (uint32_t b = 0; b < BORDER; b++) m->link[b] = b;
    m->group = (arrow_group){.size = SIZE, .border = BORDER, .members = 8, .sign = m->sign, .start = m->start,
                             .split = m->split, .row = m->row, .k_start = m->k_start, .k_row = m->k_row, .k_entries = at, .l_entries = at,
                             .update_start = m->update_start, .update = m->update, .link = m->link, .uniform = true,
                             .panels = panels};
}

typedef struct outcome {
    double l[8 * L_MOST], d[8 * SIZE], inverse[8 * SIZE], schur[BORDER * (BORDER + 1) / 2], size[BORDER], x[8 * SIZE],
        border[8 * BORDER], back[8 * SIZE], r[8 * SIZE], border_r[8 * BORDER];
    uint32_t corrected;
} outcome;

static void run(const made *m, const arrow_kernels *k, uint32_t width, uint64_t seed, outcome *out)
{
    static double value[8 * (SIZE + L_MOST)], shift[8 * SIZE], work[8 * TOTAL], spoiled[8 * L_MOST], pivot[2][8 * SIZE];
    arrow_target target = {.links = BORDER, .lanes = width, .link = m->link, .schur = out->schur, .size = out->size,
                           .corrected = &out->corrected};
    mgc__rng rng;

    memset(out, 0, sizeof *out);
    mgc__rng_seed(&rng, seed);
    fill(&rng, value, width * (SIZE + m->group.k_entries));
    fill(&rng, out->x, 8 * SIZE);
    for (uint32_t i = 0; i < width * SIZE; i++) value[i] = m->sign[i / width] * 1e7 * (1.0 + mgc__rng_unit(&rng));
    value[3 * width + 2] *= -1e3; /* a pivot to be replaced, in one lane */
    ck_assert(k->factorise(&m->group, &target, value, shift, out->l, out->d, out->inverse, work));
    memcpy(out->r, out->x, sizeof out->r);
    k->forward(&m->group, out->l, out->x, out->border);
    memcpy(out->back, out->x, sizeof out->x);
    k->backward(&m->group, out->l, out->inverse, out->back, out->border);
    k->residual(&m->group, value, out->back, out->border, out->r, out->border_r);
    value[(SIZE - 1) * width + width - 1] = NAN;
    ck_assert(!k->factorise(&m->group, &target, value, shift, spoiled, pivot[0], pivot[1], work));
}

START_TEST(components)
{
    static made m;
    static outcome narrow, wide;
    tables table[2];

    for (uint32_t k = wider(table); k-- > 0;)
        for (uint32_t which = 0; which < 4; which++) {
            uint32_t width = which % 2 == 0 ? 8 : 4;

            make_group(&m, which >= 2);
            run(&m, &plain[which % 2], width, which, &narrow);
            run(&m, &table[k].arrow[which % 2], width, which, &wide);
            ck_assert_uint_ge(narrow.corrected, 1);
            ck_assert_mem_eq(&narrow, &wide, sizeof narrow);
        }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registers");
    TCase *tc = tcase_create("same bits");

    tcase_add_test(tc, dense_panels);
    tcase_add_test(tc, loops);
    tcase_add_test(tc, a_nan_stays);
    tcase_add_test(tc, components);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
