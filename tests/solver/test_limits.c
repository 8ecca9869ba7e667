/* SPDX-License-Identifier: Apache-2.0 */
/* Searches hear limits wherever they are, and rounding does not look at whole rows for every column of them. */
#include "solver/mip.h"
#include "solver_test.h"

enum { PARTS = 200, COLUMNS = 60000, IN_EACH = 8 };

static struct {
    uint64_t now, polls, strikes_at; /* the clock jumps at that poll; 0: never */
} fake;

static uint64_t fake_clock(void *user)
{
    (void)user;
    if (++fake.polls == fake.strikes_at) fake.now += 1000000;
    return fake.now;
}

static uint64_t processor_clock(void *user)
{
    (void)user;
    return 1 + (uint64_t)((double)clock() * 1000.0 / CLOCKS_PER_SEC);
}

static void context_with(uint64_t (*now)(void *))
{
    mgc_ctx_opts o;

    mgc_ctx_opts_init(&o, sizeof o);
    o.now_ms = now;
    ck_assert_int_eq(mgc_ctx_create(&o, &ctx), MGC_OK);
    fake.now = 1;
    fake.polls = fake.strikes_at = 0;
}

/* Every part is in exactly one of the chosen sets: few rows, thousands of columns in each.  The first sets are a
 * solution. */
static mgc_program *partitioning(uint32_t columns)
{
    static uint32_t list[PARTS][COLUMNS];
    static double ones[COLUMNS];
    uint32_t n[PARTS] = {0};
    mgc_program *p;
    mgc__rng rng;

    mgc__rng_seed(&rng, 3);
    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    for (uint32_t j = 0; j < columns; j++) {
        uint32_t at = (uint32_t)mgc__rng_below(&rng, PARTS);
        ck_assert_int_eq(mgc_program_add_column(p, 1.0 + (double)mgc__rng_below(&rng, 1000), 0, 1, NULL), MGC_OK);
        ck_assert_int_eq(mgc_program_set_integer(p, j, 1), MGC_OK);
        for (uint32_t k = 0; k < IN_EACH; k++) {
            at = j < PARTS / IN_EACH ? j + k * (PARTS / IN_EACH)
                                     : (at + 1 + (uint32_t)mgc__rng_below(&rng, PARTS / IN_EACH)) % PARTS;
            if (n[at] == 0 || list[at][n[at] - 1] != j) list[at][n[at]++] = j;
        }
        ones[j] = 1.0;
    }
    for (uint32_t i = 0; i < PARTS; i++)
        ck_assert_int_eq(mgc_program_add_row(p, 1, 1, list[i], ones, n[i], NULL), MGC_OK);
    return p;
}

struct search {
    mgc__solve s;
    mgc__mip mip;
    mgc__domain d;
    mgc__heuristic h;
    double *x;
};

/* What a search has before it rounds its first point. */
static struct search *begin(void)
{
    struct search *q = calloc(1, sizeof *q);
    mgc__rng rng;

    q->s.p = partitioning(COLUMNS);
    q->s.opts = (mgc_program_opts){.gap = 1e-4, .tolerance = 1e-8, .threads = 1};
    q->s.deadline_ms = 1000;
    q->x = calloc(COLUMNS, sizeof *q->x);
    mgc__rng_seed(&rng, 4);
    for (uint32_t j = 0; j < COLUMNS; j++) q->x[j] = 0.4 * mgc__rng_unit(&rng);
    ck_assert_int_eq(mgc__program_compile(q->s.p), MGC_OK);
    ck_assert_int_eq(mgc__mip_setup(&q->mip, &q->s), MGC_OK);
    ck_assert_int_eq(mgc__domain_init(&q->d, &q->mip), MGC_OK);
    ck_assert_int_eq(mgc__heuristic_init(&q->h, &q->mip, &q->d), MGC_OK);
    return q;
}

static void end(struct search *q)
{
    mgc__heuristic_free(&q->h);
    mgc__domain_free(&q->d);
    mgc__mip_free(&q->mip);
    mgc_program_destroy(q->s.p);
    free(q->x);
    free(q);
}

/* Each of thousands of columns is in eight rows of thousands: what is looked at stays a few times the matrix. */
START_TEST(rounding_looks_at_the_matrix_a_few_times)
{
    context_with(fake_clock);
    struct search *q = begin();
    uint64_t entries = q->mip.a.start[COLUMNS];

    mgc_ctx_cancel_reset(ctx);
    ck_assert_int_eq(mgc__heuristic_round(&q->h, q->x, 1), MGC_OK);
    printf("# %llu entries looked at, of %llu\n", (unsigned long long)q->mip.work, (unsigned long long)entries);
    ck_assert_uint_gt(q->mip.work, entries / 2);
    ck_assert_uint_lt(q->mip.work, 20 * entries);
    end(q);
    mgc_ctx_destroy(ctx);
}
END_TEST

/* Wherever the limit strikes, or a cancel request: little is done after it. */
START_TEST(rounding_and_probing_hear_a_limit)
{
    for (uint64_t poll = 1; poll <= 4; poll++) {
        bool infeasible;
        context_with(fake_clock);
        struct search *q = begin();
        fake.strikes_at = poll;
        if (poll == 4) mgc_ctx_cancel(ctx);
        ck_assert_int_eq(mgc__mip_probe(&q->mip, &q->d, &infeasible), MGC_OK);
        ck_assert(!infeasible);
        ck_assert_uint_eq(q->mip.stop, poll == 4 ? MGC_OUTCOME_CANCELLED : MGC_OUTCOME_LIMIT);
        ck_assert_uint_eq(fake.polls, poll == 4 ? 0 : poll); /* once it struck the clock is not asked again */
        uint64_t before = q->mip.work;
        ck_assert_int_eq(mgc__heuristic_round(&q->h, q->x, 5), MGC_OK);
        ck_assert_uint_lt(q->mip.work - before, 100);
        ck_assert(!q->mip.has_incumbent);
        end(q);
        mgc_ctx_destroy(ctx);
    }
}
END_TEST

/* In the midst of rounding: the clock is asked after a million entries, not at the end of thousands of columns. */
START_TEST(rounding_asks_the_clock_on_its_way)
{
    context_with(fake_clock);
    struct search *q = begin();
    uint64_t longest = 0;

    for (uint32_t i = 0; i < PARTS; i++)
        if (q->mip.row_start[i + 1] - q->mip.row_start[i] > longest)
            longest = q->mip.row_start[i + 1] - q->mip.row_start[i];
    fake.strikes_at = 1;
    ck_assert_int_eq(mgc__heuristic_round(&q->h, q->x, 5), MGC_OK);
    ck_assert_uint_eq(q->mip.stop, MGC_OUTCOME_LIMIT);
    ck_assert_uint_le(q->mip.work, (1u << 20) + 2 * longest + 100);
    end(q);
    mgc_ctx_destroy(ctx);
}
END_TEST

/* From outside, in processor time, so that a busy machine does not count. */
START_TEST(a_partitioning_keeps_its_limit)
{
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};

    context_with(processor_clock);
    mgc_program *p = partitioning(COLUMNS / 3);
    mgc_program_opts_init(&o, sizeof o);
    o.time_limit_s = 0.5;
    o.threads = 1;
    uint64_t before = processor_clock(NULL);
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
    uint64_t took = processor_clock(NULL) - before;
    printf("# %s after %llu ms of processor time, %u nodes; allowed were 500\n", mgc_outcome_name(info.outcome),
           (unsigned long long)took, (unsigned)info.nodes);
    ck_assert(info.outcome == MGC_OUTCOME_LIMIT || info.outcome == MGC_OUTCOME_OPTIMAL);
    ck_assert_uint_lt(took, 2500);
    mgc_program_destroy(p);
    mgc_ctx_destroy(ctx);
}
END_TEST

/* 0 = side: proven where it is missed clearly, also where the tolerance is coarser; met else. */
START_TEST(an_empty_row_is_decided)
{
    static const double side[] = {4.77e-7, -4.77e-7, 2e-8, 5e-9, -5e-10, 4.77e-7};

    context_with(fake_clock);
    for (size_t k = 0; k < MGC__COUNT(side); k++)
        for (uint32_t way = 0; way < 6; way++) {
            mgc_program_opts o;
            mgc_program_info info = {.struct_size = sizeof info};
            mgc_program *p;
            double ray[2], margin;
            bool met = fabs(side[k]) < 1e-9;
            mgc_program_opts_init(&o, sizeof o);
            o.presolve = way % 3;
            if (k == 5) o.tolerance = 1e-6;
            ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
            for (uint32_t j = 0; j < 2; j++)
                ck_assert_int_eq(mgc_program_add_column(p, 1.0 + j, -3, 4, NULL), MGC_OK);
            if (way >= 3) ck_assert_int_eq(mgc_program_set_integer(p, 0, 1), MGC_OK);
            ck_assert_int_eq(mgc_program_add_row(p, -2.5, 2.5, (const uint32_t[]){0, 1}, (const double[]){1, 1}, 2, NULL),
                             MGC_OK);
            ck_assert_int_eq(mgc_program_add_row(p, side[k], side[k], NULL, NULL, 0, NULL), MGC_OK);
            ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
            ck_assert_msg(info.outcome == (met ? MGC_OUTCOME_OPTIMAL : MGC_OUTCOME_INFEASIBLE), "%zu: %g, way %u: %s", k,
                          side[k], (unsigned)way, mgc_outcome_name(info.outcome));
            if (!met) {
                ck_assert_int_eq(mgc_program_get_ray(p, ray, 2), MGC_OK);
                ck_assert_int_eq(mgc_program_check_ray(p, info.outcome, ray, 2, &margin), MGC_OK);
                ck_assert_double_gt(margin, 0.9);
            }
            mgc_program_destroy(p);
        }
    mgc_ctx_destroy(ctx);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("all");

    tcase_set_timeout(c, 200);
    tcase_add_test(c, rounding_looks_at_the_matrix_a_few_times);
    tcase_add_test(c, rounding_and_probing_hear_a_limit);
    tcase_add_test(c, rounding_asks_the_clock_on_its_way);
    tcase_add_test(c, a_partitioning_keeps_its_limit);
    tcase_add_test(c, an_empty_row_is_decided);
    return run_suite("limits", c);
}
