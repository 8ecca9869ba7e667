/* SPDX-License-Identifier: Apache-2.0 */
/* Arrows of every number of scenarios: full batches, what is left over in vectors of half the width, and the sums on the
 * links by panels, by bodies over alike links and by bodies over each scenario's own.  Held against CHOLMOD and LAPACK. */
#include <check.h>
#include <lapacke.h>
#include <math.h>

#include "la/arrow.h"

enum { COLUMNS = 14, ROWS = 12, SIZE = COLUMNS + ROWS, SCENARIOS = 17, LINKS_MOST = 26 };
enum { ORDER_MOST = LINKS_MOST + SCENARIOS * SIZE, ENTRIES_MOST = ORDER_MOST + SCENARIOS * ROWS * 25 };

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

typedef struct kind {
    uint32_t reach; /* links that one scenario knows */
    uint32_t spare; /* those that it does not, beginning with that of its own number */
    bool panels;
} kind;

static const kind kinds[] = {
    {24, 0, true},  /* all know the same */
    {6, 0, false},  /* too few for panels */
    {24, 2, false}, /* each others */
};

/* An arrow [K_0 B'; B K_s] as a caller builds it: links first, then scenario after scenario, columns before rows. */
typedef struct arrow_case {
    uint32_t links, scenarios, diagonal[ORDER_MOST], block[ORDER_MOST];
    int8_t sign[ORDER_MOST];
    mgc__csc k;
    double b[ORDER_MOST];
} arrow_case;

static double symmetric_unit(mgc__rng *rng)
{
    return 2.0 * mgc__rng_unit(rng) - 1.0;
}

static uint32_t put(uint32_t *i, uint32_t *j, double *v, uint32_t k, uint32_t row, uint32_t column, double value)
{
    ck_assert_uint_lt(k, ENTRIES_MOST);
    ck_assert_uint_le(column, row);
    i[k] = column;
    j[k] = row;
    v[k] = value;
    return k + 1;
}

static void make(const kind *of, uint32_t scenarios, uint64_t seed, arrow_case *c)
{
    static uint32_t i[ENTRIES_MOST], j[ENTRIES_MOST];
    static double v[ENTRIES_MOST];
    uint32_t k = 0, n;
    mgc__rng rng;

    mgc__rng_seed(&rng, seed);
    c->links = of->reach + of->spare;
    c->scenarios = scenarios;
    n = c->links + scenarios * SIZE;
    for (uint32_t p = 0; p < n; p++) {
        uint32_t in = p < c->links ? 0 : (p - c->links) % SIZE;

        c->sign[p] = in < COLUMNS ? 1 : -1;
        c->block[p] = p < c->links ? 0 : 1 + (p - c->links) / SIZE;
        c->b[p] = symmetric_unit(&rng);
        k = put(i, j, v, k, p, p, c->sign[p] * pow(10.0, symmetric_unit(&rng)));
    }
    for (uint32_t s = 0; s < scenarios; s++)
        for (uint32_t r = 0, first = c->links + s * SIZE; r < ROWS; r++) {
            uint32_t row = first + COLUMNS + r;

            for (uint32_t q = 0; q < 3; q++) k = put(i, j, v, k, row, first + (r + q * q) % COLUMNS, symmetric_unit(&rng));
            for (uint32_t q = 0; q < (r < 6 ? 8 : 22); q++) { /* some know a third, some nearly all */
                uint32_t link = ((r < 6 ? 8 : 1) * (r % 3) + q) % of->reach;

                k = put(i, j, v, k, row, link < s % of->reach ? link : link + of->spare, symmetric_unit(&rng));
            }
        }
    ck_assert_int_eq(mgc__csc_from_triplets(ctx, n, n, k, i, j, v, &c->k), MGC_OK);
    for (uint32_t p = 0; p < n; p++) c->diagonal[p] = c->k.start[p + 1] - 1;
}

static mgc__ldl *engine(const arrow_case *c, uint32_t which)
{
    mgc__ldl *ldl;
    mgc__ldl_info info;

    ck_assert_int_eq(mgc__ldl_create_blocks(ctx, &c->k, c->sign, which, c->block, NULL, &ldl), MGC_OK);
    mgc__ldl_read_info(ldl, &info);
    ck_assert_uint_eq(info.method, which);
    return ldl;
}

/* Eight at a time; up to four that are left over in half of the width. */
static void check_batches(const arrow *a, const kind *of, uint32_t scenarios)
{
    const arrow_group *g = a->group;
    uint32_t left = scenarios % 8;

    ck_assert_uint_eq(a->groups, 1);
    ck_assert_uint_eq(g->members, scenarios);
    ck_assert_uint_eq(g->size, SIZE);
    ck_assert_uint_eq(g->border, of->reach);
    ck_assert_uint_eq(a->batches, scenarios / 8 + (left > 0));
    for (uint32_t b = 0; b < a->batches; b++) {
        bool last = b == scenarios / 8;

        ck_assert_uint_eq(a->batch[b].lanes, last ? left : 8);
        ck_assert_uint_eq(a->batch[b].width, last && left <= 4 ? 4 : 8);
    }
    ck_assert_int_eq(g->uniform, of->spare == 0);
    ck_assert_int_eq(g->panels > 0, of->panels);
}

/* Panels of more columns than are multiplied at once, and of columns that know fewer links than their panel does: what the
 * cases must contain to say anything. */
static void check_panels(const arrow_group *g)
{
    uint32_t most = 0, shorter = 0;

    ck_assert_uint_gt(g->panels, 1);
    for (uint32_t p = 0; p < g->panels; p++) {
        const arrow_panel *panel = &g->panel[p];

        most = panel->columns > most ? panel->columns : most;
        for (uint32_t k = panel->first; k < panel->first + panel->columns; k++)
            shorter += g->start[g->panel_column[k] + 1] - g->split[g->panel_column[k]] < panel->rows;
    }
    ck_assert_uint_gt(most, 8);
    ck_assert_uint_gt(shorter, 0);
}

/* -sum_s B_s K_s^-1 B_s', dense, scenario after scenario. */
static void dense_schur(const arrow_case *c, double *schur)
{
    static double k[SIZE * SIZE], rhs[SIZE * LINKS_MOST], border[SIZE * LINKS_MOST];
    lapack_int pivot[SIZE];
    uint32_t n = c->links;

    memset(schur, 0, (size_t)n * n * sizeof *schur);
    for (uint32_t s = 0; s < c->scenarios; s++) {
        uint32_t first = n + s * SIZE;

        memset(k, 0, sizeof k);
        memset(border, 0, sizeof border);
        for (uint32_t j = 0; j < SIZE; j++)
            for (uint32_t e = c->k.start[first + j]; e < c->k.start[first + j + 1]; e++) {
                uint32_t i = c->k.row[e];

                if (i < n) border[i * SIZE + j] = c->k.value[e];
                else k[j * SIZE + (i - first)] = k[(i - first) * SIZE + j] = c->k.value[e];
            }
        memcpy(rhs, border, sizeof rhs);
        ck_assert_int_eq(LAPACKE_dgesv(LAPACK_COL_MAJOR, SIZE, (lapack_int)n, k, SIZE, pivot, rhs, SIZE), 0);
        for (uint32_t q = 0; q < n; q++)
            for (uint32_t r = 0; r < n; r++)
                for (uint32_t j = 0; j < SIZE; j++) schur[q * n + r] -= border[r * SIZE + j] * rhs[q * SIZE + j];
    }
}

/* Magnitudes of what links lose on their diagonal, from L and D number by number. */
static void plain_sizes(const arrow *a, double *size)
{
    const arrow_group *g = a->group;

    memset(size, 0, a->links * sizeof *size);
    for (uint32_t b = 0; b < a->batches; b++)
        for (uint32_t lane = 0; lane < a->batch[b].lanes; lane++) {
            const arrow_batch *batch = &a->batch[b];
            const uint32_t *link = g->link + (size_t)(batch->first + lane) * g->border;

            for (uint32_t j = 0; j < g->size; j++)
                for (uint32_t q = g->split[j]; q < g->start[j + 1]; q++) {
                    double x = a->l[batch->l + (size_t)q * batch->width + lane];

                    size[link[g->row[q] - g->size]] += x * x * fabs(a->d[batch->x + (size_t)j * batch->width + lane]);
                }
        }
}

/* What factorised batches left on the links, before K_0 is added. */
static void check_sums(const arrow *a, const arrow_case *c)
{
    static double schur[LINKS_MOST * LINKS_MOST], size[LINKS_MOST];

    dense_schur(c, schur);
    plain_sizes(a, size);
    ck_assert_uint_eq(a->links, c->links);
    for (uint32_t q = 0; q < a->links; q++) {
        uint32_t column = a->origin[a->link_x + q];
        double total = 0.0;

        for (uint32_t k = 0; k < a->chunks; k++) total += a->chunk[k].size[q];
        ck_assert_double_le(fabs(total - size[q]), 1e-12 * (1.0 + size[q]));
        for (uint32_t r = q; r < a->links; r++) {
            double sum = 0.0, expected = schur[column * a->links + a->origin[a->link_x + r]];

            for (uint32_t k = 0; k < a->chunks; k++) sum += a->chunk[k].schur[arrow_packed(a->links, q) + r];
            ck_assert_double_le(fabs(sum - expected), 1e-10 * (1.0 + fabs(expected)));
        }
    }
}

static void check_equal(const arrow_case *c, const double *x, const double *expected, double tolerance)
{
    for (uint32_t p = 0; p < c->k.cols; p++) ck_assert_double_le(fabs(x[p] - expected[p]), tolerance * (1.0 + fabs(expected[p])));
}

/* The factor alone, and refinement that must make up for a shift, which takes residuals. */
static void check_solve(mgc__ldl *ldl, mgc__ldl *other, const arrow_case *c)
{
    static double x[ORDER_MOST], expected[ORDER_MOST];

    ck_assert_int_eq(mgc__ldl_factorise(other, c->k.value, 0.0, 0.0), MGC_OK);
    ck_assert_double_le(mgc__ldl_solve(other, c->b, expected, 5, 1e-14), 1e-12);
    ck_assert_int_eq(mgc__ldl_factorise(ldl, c->k.value, 0.0, 0.0), MGC_OK);
    mgc__ldl_apply(ldl, c->b, x);
    check_equal(c, x, expected, 1e-9);
    ck_assert_int_eq(mgc__ldl_factorise(ldl, c->k.value, 1e-5, 1e-5), MGC_OK);
    ck_assert_double_le(mgc__ldl_solve(ldl, c->b, x, 9, 1e-13), 1e-12);
    check_equal(c, x, expected, 1e-9);
}

/* Then only the diagonal changes, by another factor in each row. */
static void check_diagonal(mgc__ldl *ldl, mgc__ldl *other, const arrow_case *c, mgc__rng *rng)
{
    static double x[ORDER_MOST], expected[ORDER_MOST];
    static const double shift[ORDER_MOST];

    for (uint32_t p = 0; p < c->k.cols; p++) c->k.value[c->diagonal[p]] *= 1.0 + mgc__rng_unit(rng);
    ck_assert_int_eq(mgc__ldl_factorise(other, c->k.value, 0.0, 0.0), MGC_OK);
    ck_assert_double_le(mgc__ldl_solve(other, c->b, expected, 5, 1e-14), 1e-12);
    ck_assert_int_eq(mgc__ldl_factorise_shifted(ldl, c->k.value, c->diagonal, shift), MGC_OK);
    check_sums(ldl->state, c);
    mgc__ldl_apply(ldl, c->b, x);
    check_equal(c, x, expected, 1e-9);
}

START_TEST(every_number_of_scenarios_solves_as_cholmod_does)
{
    static arrow_case c;
    const kind *of = &kinds[_i / SCENARIOS];
    uint32_t scenarios = 1 + (uint32_t)_i % SCENARIOS;
    mgc__ldl *ldl, *other;
    mgc__rng rng;

    mgc__rng_seed(&rng, 7);
    make(of, scenarios, (uint64_t)_i + 1, &c);
    other = engine(&c, MGC__LDL_CHOLMOD);
    ldl = engine(&c, scenarios < 4 ? MGC__LDL_SUPERNODAL : MGC__LDL_ARROW); /* fewer than four are no arrow */
    if (scenarios >= 4) {
        check_batches(ldl->state, of, scenarios);
        if (of->panels) check_panels(((const arrow *)ldl->state)->group);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, c.k.value, 0.0, 0.0), MGC_OK);
        check_sums(ldl->state, &c);
        check_diagonal(ldl, other, &c, &rng);
    }
    check_solve(ldl, other, &c);
    mgc__ldl_destroy(ldl);
    mgc__ldl_destroy(other);
    mgc__csc_free(ctx, &c.k);
}
END_TEST

/* Row v of K without neighbours, its diagonal d: the pivot is d in every order. */
static void isolate(const mgc__csc *k, uint32_t v, double d)
{
    for (uint32_t j = 0; j < k->cols; j++)
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++)
            if (j == v || k->row[e] == v) k->value[e] = j == k->row[e] ? d : 0.0;
}

/* A pivot of each lane of the last batch, full, narrow or with lanes to spare: replaced and counted once, or told. */
START_TEST(a_pivot_of_every_lane_is_looked_at)
{
    static arrow_case c;
    static double value[ENTRIES_MOST];
    uint32_t scenarios = 4 + (uint32_t)_i;
    size_t bytes;
    mgc__ldl *ldl;
    mgc__ldl_info info;

    make(&kinds[0], scenarios, 3, &c);
    bytes = c.k.start[c.k.cols] * sizeof *value;
    memcpy(value, c.k.value, bytes);
    ldl = engine(&c, MGC__LDL_ARROW);
    for (uint32_t s = (scenarios - 1) / 8 * 8; s < scenarios; s++) {
        uint32_t v = c.links + s * SIZE + 5;

        isolate(&c.k, v, -c.sign[v]);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, c.k.value, 0.0, 0.0), MGC_OK);
        mgc__ldl_read_info(ldl, &info);
        ck_assert_uint_eq(info.corrected, 1);
        isolate(&c.k, v, NAN);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, c.k.value, 0.0, 0.0), MGC_E_NUMERIC);
        memcpy(c.k.value, value, bytes);
    }
    ck_assert_int_eq(mgc__ldl_factorise(ldl, c.k.value, 0.0, 0.0), MGC_OK);
    mgc__ldl_read_info(ldl, &info);
    ck_assert_uint_eq(info.corrected, 0);
    mgc__ldl_destroy(ldl);
    mgc__csc_free(ctx, &c.k);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arrow");
    TCase *tc = tcase_create("arrow");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, every_number_of_scenarios_solves_as_cholmod_does, 0, SCENARIOS * (int)MGC__COUNT(kinds));
    tcase_add_loop_test(tc, a_pivot_of_every_lane_is_looked_at, 0, SCENARIOS - 3);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
