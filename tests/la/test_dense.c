/* SPDX-License-Identifier: Apache-2.0 */
/* Dense factors of one block of columns, of several and of what is left over, held against LAPACK. */
#include <check.h>
#include <lapacke.h>
#include <math.h>

#include "la/ldl_private.h"

enum { MOST = 3 * MGC__DENSE_BLOCK + 5 };

static const uint32_t sizes[] = {1, 2, 5, MGC__DENSE_BLOCK - 1, MGC__DENSE_BLOCK, MGC__DENSE_BLOCK + 1, 2 * MGC__DENSE_BLOCK + 3,
                                 MOST};

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

typedef struct system {
    uint32_t n;
    double full[MOST * MOST], a[MOST * MOST], b[MOST], x[MOST], shift[MOST], size[MOST], d[MOST], inverse[MOST];
    int8_t sign[MOST];
} system_of;

/* Quasi-definite: within the rows of one sign the diagonal outweighs the rest, between them anything goes. */
static void make(system_of *s, uint32_t n)
{
    mgc__rng rng;

    memset(s, 0, sizeof *s);
    mgc__rng_seed(&rng, n);
    s->n = n;
    for (uint32_t j = 0; j < n; j++) {
        s->sign[j] = j % 3 == 1 ? -1 : 1;
        s->b[j] = s->x[j] = 2.0 * mgc__rng_unit(&rng) - 1.0;
        s->shift[j] = s->sign[j] * 0.25;
        for (uint32_t i = 0; i <= j; i++)
            s->full[j * n + i] = s->full[i * n + j] = i == j ? s->sign[j] * (double)n : 2.0 * mgc__rng_unit(&rng) - 1.0;
        s->size[j] = (double)n;
    }
    memcpy(s->a, s->full, sizeof s->a);
}

static mgc_status factorise(system_of *s, mgc__ldl *ldl)
{
    double *work = mgc__alloc(ctx, MGC__DENSE_WORK(s->n), sizeof *work);
    mgc_status st;

    ck_assert_ptr_nonnull(work);
    st = mgc__dense_ldl(ldl, s->n, s->a, s->sign, s->shift, s->size, s->d, s->inverse, work);
    mgc__free(ctx, work);
    return st;
}

START_TEST(answers_are_those_of_lapack)
{
    static system_of s, shared;
    static lapack_int pivot[MOST];
    uint32_t n = sizes[_i];
    mgc__ldl ldl = {.ctx = ctx}, two = {.ctx = ctx};

    make(&s, n);
    make(&shared, n);
    ck_assert_int_eq(factorise(&s, &ldl), MGC_OK);
    ck_assert_uint_eq(ldl.info.corrected, 0);
    mgc__dense_ldl_solve(n, s.a, s.inverse, s.x);
    for (uint32_t j = 0; j < n; j++) {
        ck_assert_double_gt(s.d[j] * s.sign[j], 0.0);
        s.full[j * n + j] += s.shift[j];
    }
    ck_assert_int_eq(LAPACKE_dgesv(LAPACK_COL_MAJOR, (lapack_int)n, 1, s.full, (lapack_int)n, pivot, s.b, (lapack_int)n), 0);
    for (uint32_t j = 0; j < n; j++) ck_assert_double_le(fabs(s.x[j] - s.b[j]), 1e-12);

    ck_assert_int_eq(mgc__pool_create(ctx, 2, &two.pool), MGC_OK);
    ck_assert_int_eq(factorise(&shared, &two), MGC_OK);
    mgc__pool_destroy(two.pool);
    ck_assert_mem_eq(shared.a, s.a, sizeof s.a);
    ck_assert_mem_eq(shared.d, s.d, sizeof s.d);
}
END_TEST

/* One pivot of the wrong sign and one that is no number, in the last block. */
START_TEST(pivots_are_looked_at_in_every_block)
{
    static system_of s;
    mgc__ldl ldl = {.ctx = ctx};

    make(&s, MOST);
    for (uint32_t i = 0; i < MOST; i++) s.a[(MOST - 3) * MOST + i] = s.a[i * MOST + MOST - 3] = 0.0;
    s.a[(MOST - 3) * MOST + MOST - 3] = -2.0 * s.sign[MOST - 3];
    ck_assert_int_eq(factorise(&s, &ldl), MGC_OK);
    ck_assert_uint_eq(ldl.info.corrected, 1);
    ck_assert_double_gt(s.d[MOST - 3] * s.sign[MOST - 3], 0.0);
    make(&s, MOST);
    s.a[MOST * MOST - 1] = NAN;
    ck_assert_int_eq(factorise(&s, &ldl), MGC_E_NUMERIC);
}
END_TEST

START_TEST(a_cancel_is_heard)
{
    static system_of s;
    mgc__ldl ldl = {.ctx = ctx};

    make(&s, MOST);
    mgc_ctx_cancel(ctx);
    ck_assert_int_eq(factorise(&s, &ldl), MGC_E_STOPPED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dense");
    TCase *tc = tcase_create("dense");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, answers_are_those_of_lapack, 0, (int)MGC__COUNT(sizes));
    tcase_add_test(tc, pivots_are_looked_at_in_every_block);
    tcase_add_test(tc, a_cancel_is_heard);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
