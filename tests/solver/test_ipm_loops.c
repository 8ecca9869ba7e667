/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of an iteration give the same bits in registers of every width: those that this machine would not choose are
 * compiled here once more. */
#include "solver/ipm_private.h"

const mgc__ipm_loops *loops_chosen(void);
#define mgc__ipm_best_loops loops_chosen
#include "../../lib/solver/ipm_loops.c" /* tables base, avx2 and avx512 */

#include <check.h>

enum { COUNT = 40 }; /* components, in whole lanes */
#define COUNT_VECTOR(name) +1
enum { VECTORS = IPM_VECTORS(COUNT_VECTOR) };

typedef struct world {
    mgc__ipm ipm;
    mgc__ipm_part part;
    double block[VECTORS * COUNT];
} world;

static bool is_mask(const double *v, const mgc__ipm *ipm)
{
    const double *masks[] = {ipm->hl, ipm->hu, ipm->bl, ipm->bu, ipm->moves, ipm->equal,
                             ipm->column, ipm->open_l, ipm->open_u};

    for (size_t k = 0; k < MGC__COUNT(masks); k++)
        if (masks[k] == v) return true;
    return false;
}

/* Slacks and multipliers positive, masks nought or one, where a bound is absent v = 1 and z = 0. */
static void make(world *w, uint64_t seed)
{
    mgc__ipm *ipm = &w->ipm;
    size_t at = 0;
    mgc__rng rng;

    memset(w, 0, sizeof *w);
    mgc__rng_seed(&rng, seed);
#define PLACE(name) ipm->name = w->block + COUNT * at++;
    IPM_VECTORS(PLACE)
    for (at = 0; at < VECTORS; at++) {
        double *v = w->block + COUNT * at;
        bool positive = v == ipm->vl || v == ipm->vu || v == ipm->zl || v == ipm->zu;

        for (size_t i = 0; i < COUNT; i++) {
            double x = mgc__rng_unit(&rng);

            v[i] = is_mask(v, ipm) ? (x < 0.3 ? 0.0 : 1.0) : positive ? 0.01 + x : 2.0 * x - 1.0;
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (ipm->hl[i] == 0.0) ipm->vl[i] = 1.0, ipm->zl[i] = ipm->il[i] = ipm->dzl[i] = ipm->cl[i] = ipm->odzl[i] = 0.0;
        if (ipm->hu[i] == 0.0) ipm->vu[i] = 1.0, ipm->zu[i] = ipm->iu[i] = ipm->dzu[i] = ipm->cu[i] = ipm->odzu[i] = 0.0;
    }
    ipm->other = (mgc__ipm_direction_set){ipm->odw, ipm->odzl, ipm->odzu, ipm->ody, ipm->ocl, ipm->ocu};
    ipm->target = 0.3;
    ipm->ahead[0] = 0.4;
    ipm->ahead[1] = 0.6;
    ipm->weight_primal = 1.0 / 3.0;
    ipm->weight_dual = 2.0 / 3.0;
    w->part = (mgc__ipm_part){.begin = 8, .end = COUNT};
}

static void run(world *w, const mgc__ipm_loops *loops)
{
    const mgc__ipm_body body[] = {loops->theta, loops->predictor, loops->corrector, loops->centrality, loops->expand,  loops->reach,
                                  loops->blend, loops->advance,   loops->residuals, loops->measure,    loops->misfit};

    for (size_t k = 0; k < MGC__COUNT(body); k++) body[k](&w->ipm, &w->part);
}

static void check_same(const mgc__ipm_loops *wide)
{
    static world a, b;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        make(&a, seed);
        make(&b, seed);
        run(&a, &base);
        run(&b, wide);
        ck_assert_mem_eq(a.block, b.block, sizeof a.block);
        ck_assert_mem_eq(&a.part, &b.part, sizeof a.part);
        ck_assert(a.part.sums.primal > 0.0 && a.part.misfit != 0.0);
        ck_assert(a.part.along[2] != 0.0 && a.part.reach_primal[1] != 0.0);
    }
}

START_TEST(every_register_gives_the_same_bits)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) check_same(&avx2);
    if (__builtin_cpu_supports("avx512f")) check_same(&avx512);
#else
    check_same(loops_chosen());
#endif
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ipm_loops");
    TCase *tc = tcase_create("registers");

    tcase_add_test(tc, every_register_gives_the_same_bits);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
