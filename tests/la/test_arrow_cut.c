/* SPDX-License-Identifier: Apache-2.0 */
/* Arrows of few scenarios over a long day, whose components are cut in time and whose links' matrix is sparse: held
 * against CHOLMOD, and the sums on the links against L and D number by number. */
#include <check.h>
#include <math.h>

#include "la/arrow.h"

enum { PERIODS = 72, LINKS = 2 * PERIODS, SIZE = 4 * PERIODS + 2, SCENARIOS = 24 };
enum { CUT_MOST = 13 }; /* scenarios; of more, components are most of the work and stay whole */
enum { ORDER_MOST = LINKS + PERIODS + SCENARIOS * SIZE, ENTRIES_MOST = ORDER_MOST + PERIODS * (5 + 11 * SCENARIOS) };

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

typedef struct day {
    uint32_t n, diagonal[ORDER_MOST], block[ORDER_MOST], i[ENTRIES_MOST], j[ENTRIES_MOST], entries;
    double v[ENTRIES_MOST], b[ORDER_MOST];
    int8_t sign[ORDER_MOST];
    mgc__csc k;
    mgc__rng rng;
} day;

static double some(day *d)
{
    return 2.0 * mgc__rng_unit(&d->rng) - 1.0;
}

static void put(day *d, uint32_t row, uint32_t column, double value)
{
    ck_assert_uint_lt(d->entries, ENTRIES_MOST);
    d->i[d->entries] = row < column ? row : column;
    d->j[d->entries] = row < column ? column : row;
    d->v[d->entries++] = value;
}

/* A period's purchase and its commitment are links; rows of the first stage tie commitments of three periods.  A scenario
 * has an output and a stock in each period, a row that binds the output to the links and one that carries the stock
 * over; and the sum of its outputs over the day, with one link and a column of its own. */
static void make(uint32_t scenarios, uint64_t seed, day *d)
{
    mgc__rng_seed(&d->rng, seed);
    d->entries = 0;
    d->n = LINKS + PERIODS + scenarios * SIZE;
    for (uint32_t p = 0; p < d->n; p++) {
        uint32_t at = p < LINKS + PERIODS ? 0 : (p - LINKS - PERIODS) % SIZE;

        d->sign[p] = p < LINKS ? 1 : p < LINKS + PERIODS ? -1 : at <= 2 * PERIODS ? 1 : -1;
        d->block[p] = p < LINKS + PERIODS ? 0 : 1 + (p - LINKS - PERIODS) / SIZE;
        d->b[p] = some(d);
        put(d, p, p, d->sign[p] * pow(10.0, some(d)));
    }
    for (uint32_t t = 0; t < PERIODS; t++)
        for (uint32_t q = 0; q < 3 && t + q < PERIODS; q++) put(d, LINKS + t, PERIODS + t + q, some(d));
    for (uint32_t s = 0; s < scenarios; s++) {
        uint32_t output = LINKS + PERIODS + s * SIZE, stock = output + PERIODS, own = stock + PERIODS;
        uint32_t bind = own + 1, carry = bind + PERIODS, sum = carry + PERIODS;

        put(d, sum, own, some(d));
        put(d, sum, 0, some(d));
        for (uint32_t t = 0; t < PERIODS; t++) {
            put(d, bind + t, output + t, some(d));
            put(d, bind + t, t, some(d));
            put(d, bind + t, PERIODS + t, some(d));
            put(d, carry + t, output + t, some(d));
            put(d, carry + t, stock + t, some(d));
            if (t > 0) put(d, carry + t, stock + t - 1, some(d));
            put(d, sum, output + t, some(d));
        }
    }
    ck_assert_int_eq(mgc__csc_from_triplets(ctx, d->n, d->n, d->entries, d->i, d->j, d->v, &d->k), MGC_OK);
    for (uint32_t p = 0; p < d->n; p++) d->diagonal[p] = d->k.start[p + 1] - 1;
}

static mgc__ldl *engine(const day *d, uint32_t which)
{
    mgc__ldl *ldl;
    mgc__ldl_info info;

    ck_assert_int_eq(mgc__ldl_create_blocks(ctx, &d->k, d->sign, which, d->block, NULL, &ldl), MGC_OK);
    mgc__ldl_read_info(ldl, &info);
    ck_assert_uint_eq(info.method, which);
    return ldl;
}

/* Links of the caller's, and what was cut out of each scenario: its sum, and stocks or what binds them at some periods. */
static void check_cut(const arrow *a, uint32_t scenarios)
{
    uint32_t of[SCENARIOS] = {0}, members = 0;

    ck_assert_ptr_nonnull(a->top.ldl);
    for (uint32_t r = 0; r < a->links; r++) {
        uint32_t v = a->origin[a->link_x + r];

        if (v >= LINKS + PERIODS) of[(v - LINKS - PERIODS) / SIZE]++;
    }
    for (uint32_t s = 0; s < scenarios; s++) {
        ck_assert_uint_ge(of[s], 3);
        ck_assert_uint_eq(of[s], of[0]);
    }
    for (uint32_t k = 0; k < a->groups; k++) {
        ck_assert_uint_lt(a->group[k].size, SIZE / 2);
        members += a->group[k].members == scenarios;
    }
    ck_assert_uint_ge(members, 3);
    ck_assert_uint_lt(a->top.entries, (size_t)a->links * (a->links + 1) / 4);
}

/* Magnitudes that links' pivots are judged by: K's entry, and what L and D take from it. */
static void check_sizes(const mgc__ldl *ldl)
{
    static double size[ORDER_MOST];
    const arrow *a = ldl->state;

    for (uint32_t r = 0; r < a->links; r++) size[r] = fabs(ldl->value[a->link_value + r]);
    for (uint32_t b = 0; b < a->batches; b++) {
        const arrow_batch *batch = &a->batch[b];
        const arrow_group *g = &a->group[batch->group];

        for (uint32_t lane = 0; lane < batch->lanes; lane++)
            for (uint32_t j = 0; j < g->size; j++)
                for (uint32_t q = g->split[j]; q < g->start[j + 1]; q++) {
                    double x = a->l[batch->l + (size_t)q * batch->width + lane];

                    size[g->link[(size_t)(batch->first + lane) * g->border + g->row[q] - g->size]] +=
                        x * x * fabs(a->d[batch->x + (size_t)j * batch->width + lane]);
                }
    }
    for (uint32_t r = 0; r < a->links; r++)
        ck_assert_double_eq_tol(a->top.ldl->lost[a->top.ldl->where[a->links - 1 - r]], size[r], 1e-12 * size[r]);
}

static void check_equal(const day *d, const double *x, const double *expected)
{
    for (uint32_t p = 0; p < d->n; p++) ck_assert_double_le(fabs(x[p] - expected[p]), 1e-9 * (1.0 + fabs(expected[p])));
}

/* The factor alone, without and with shifts; refinement that must make up for them; another diagonal; and with two
 * threads the same bits. */
START_TEST(a_long_day_solves_as_cholmod_does)
{
    static day d;
    static double x[ORDER_MOST], again[ORDER_MOST], expected[ORDER_MOST];
    static const double shift[ORDER_MOST];
    uint32_t scenarios = 4 + (uint32_t)_i;
    mgc__ldl *ldl, *other;
    mgc__pool *pool;

    make(scenarios, (uint64_t)_i + 1, &d);
    other = engine(&d, MGC__LDL_CHOLMOD);
    ldl = engine(&d, MGC__LDL_ARROW);
    check_cut(ldl->state, scenarios);
    for (uint32_t pass = 0; pass < 2; pass++) {
        ck_assert_int_eq(mgc__ldl_factorise(other, d.k.value, 0.0, 0.0), MGC_OK);
        ck_assert_double_le(mgc__ldl_solve(other, d.b, expected, 5, 1e-14), 1e-12);
        ck_assert_int_eq(pass == 0 ? mgc__ldl_factorise(ldl, d.k.value, 0.0, 0.0)
                                   : mgc__ldl_factorise_shifted(ldl, d.k.value, d.diagonal, shift), MGC_OK);
        check_sizes(ldl);
        mgc__ldl_apply(ldl, d.b, x);
        check_equal(&d, x, expected);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, d.k.value, 0.5, 0.25), MGC_OK);
        ck_assert_int_eq(mgc__ldl_factorise(other, d.k.value, 0.5, 0.25), MGC_OK);
        mgc__ldl_apply(ldl, d.b, x);
        mgc__ldl_apply(other, d.b, again);
        check_equal(&d, x, again);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, d.k.value, 1e-5, 1e-5), MGC_OK);
        ck_assert_double_le(mgc__ldl_solve(ldl, d.b, x, 9, 1e-13), 1e-12);
        check_equal(&d, x, expected);
        for (uint32_t p = 0; p < d.n; p++) d.k.value[d.diagonal[p]] *= 1.0 + mgc__rng_unit(&d.rng);
    }
    ck_assert_int_eq(mgc__ldl_factorise(ldl, d.k.value, 0.0, 0.0), MGC_OK);
    mgc__ldl_apply(ldl, d.b, x);
    ck_assert_int_eq(mgc__pool_create(ctx, 2, &pool), MGC_OK);
    mgc__ldl_set_pool(ldl, pool);
    ldl->worth_sharing = 0.0;
    ck_assert_int_eq(mgc__ldl_factorise(ldl, d.k.value, 0.0, 0.0), MGC_OK);
    mgc__ldl_apply(ldl, d.b, again);
    ck_assert_mem_eq(x, again, d.n * sizeof *x);
    mgc__ldl_set_pool(ldl, NULL);
    mgc__pool_destroy(pool);
    mgc__ldl_destroy(ldl);
    mgc__ldl_destroy(other);
    mgc__csc_free(ctx, &d.k);
}
END_TEST

START_TEST(of_many_scenarios_components_stay_whole)
{
    static day d;
    mgc__ldl *ldl;

    make(SCENARIOS, 5, &d);
    ldl = engine(&d, MGC__LDL_ARROW);
    ck_assert_ptr_null(((const arrow *)ldl->state)->top.ldl);
    ck_assert_uint_eq(((const arrow *)ldl->state)->links, LINKS);
    mgc__ldl_destroy(ldl);
    mgc__csc_free(ctx, &d.k);
}
END_TEST

/* Row v of K without neighbours, its diagonal x: the pivot is x in every order. */
static void isolate(day *d, uint32_t v, double x)
{
    for (uint32_t j = 0; j < d->n; j++)
        for (uint32_t e = d->k.start[j]; e < d->k.start[j + 1]; e++)
            if (j == v || d->k.row[e] == v) d->k.value[e] = j == d->k.row[e] ? x : 0.0;
}

START_TEST(pivots_of_links_and_of_what_was_cut_out_are_looked_at)
{
    static day d;
    static double value[ENTRIES_MOST];
    mgc__ldl *ldl;
    mgc__ldl_info info;

    make(6, 3, &d);
    memcpy(value, d.k.value, d.k.start[d.n] * sizeof *value);
    ldl = engine(&d, MGC__LDL_ARROW);
    const arrow *a = ldl->state;
    for (uint32_t r = 0; r < a->links; r += 5) {
        uint32_t v = a->origin[a->link_x + r];

        isolate(&d, v, -d.sign[v]);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, d.k.value, 0.0, 0.0), MGC_OK);
        mgc__ldl_read_info(ldl, &info);
        ck_assert_uint_eq(info.corrected, 1);
        isolate(&d, v, NAN);
        ck_assert_int_eq(mgc__ldl_factorise(ldl, d.k.value, 0.0, 0.0), MGC_E_NUMERIC);
        memcpy(d.k.value, value, d.k.start[d.n] * sizeof *value);
    }
    ck_assert_int_eq(mgc__ldl_factorise(ldl, d.k.value, 0.0, 0.0), MGC_OK);
    mgc__ldl_read_info(ldl, &info);
    ck_assert_uint_eq(info.corrected, 0);
    mgc_ctx_cancel(ctx);
    ck_assert_int_eq(mgc__ldl_factorise(ldl, d.k.value, 0.0, 0.0), MGC_E_STOPPED);
    mgc__ldl_destroy(ldl);
    mgc__csc_free(ctx, &d.k);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arrow_cut");
    TCase *tc = tcase_create("arrow_cut");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_long_day_solves_as_cholmod_does, 0, CUT_MOST - 3);
    tcase_add_test(tc, of_many_scenarios_components_stay_whole);
    tcase_add_test(tc, pivots_of_links_and_of_what_was_cut_out_are_looked_at);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
