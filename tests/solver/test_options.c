/* SPDX-License-Identifier: Apache-2.0 */
/* Every option of a solve is honoured: by linear, quadratic and mixed-integer programs, on a day of a microgrid. */
#include <pthread.h>

#include "../bench/family.h"
#include "solver/ipm.h"
#include "solver/program_impl.h"
#include "solver_test.h"

enum kind { LP, QP, MIP, KINDS };
static const char *const kind_name[KINDS] = {"linear", "quadratic", "mixed-integer"};

static double cpu_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static family member(enum kind kind, uint32_t scenarios)
{
    family f;

    ck_assert_msg(family_create(ctx, 24, scenarios, 1, &f) == MGC_OK, "%s", mgc_ctx_error(ctx));
    if (kind == QP) ck_assert_int_eq(family_admm_begin(&f), MGC_OK);
    return f;
}

static mgc_program_opts options(enum kind kind)
{
    mgc_program_opts o;

    mgc_program_opts_init(&o, sizeof o);
    o.relax = kind != MIP;
    return o;
}

static mgc_program_info solved(mgc_program *p, const mgc_program_opts *o)
{
    mgc_program_info info = {.struct_size = sizeof info};

    ck_assert_msg(mgc_program_solve(p, o, &info) == MGC_OK, "%s", mgc_ctx_error(ctx));
    return info;
}

/* A result that was cut short says no more than it knows: a point, if it has one, is what its numbers say. */
static void check_partial(const mgc_program *p, const mgc_program_info *info, enum kind kind)
{
    uint32_t n = mgc_program_columns(p);
    double objective, residual, *x = malloc(n * sizeof *x);

    ck_assert_msg(!(info->bound > info->objective + 1e-6 * (1 + fabs(info->objective))), "%s: bound %g above %g", kind_name[kind],
                  info->bound, info->objective);
    mgc_status st = mgc_program_get_x(p, x, n);
    if (st == MGC_OK) {
        ck_assert_int_eq(mgc_program_check_x(p, x, n, &objective, &residual), MGC_OK);
        ck_assert_double_eq_tol(objective, info->objective, 1e-9 * (1 + fabs(objective)));
    } else {
        ck_assert_int_eq(st, MGC_E_STATE);
    }
    free(x);
}

/* --- tolerance, limits ----------------------------------------------------------------------- */

START_TEST(a_looser_tolerance_is_met_with_less_work)
{
    uint32_t iterations[2];

    for (int k = 0; k < 2; k++) {
        family f = member((enum kind)_i, 4);
        mgc_program_opts o = options((enum kind)_i);
        o.tolerance = k == 0 ? 1e-9 : 1e-3;
        mgc_program_info info = solved(f.program, &o);
        ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
        ck_assert_double_le(info.primal_residual, o.tolerance);
        ck_assert_double_le(info.dual_residual, o.tolerance);
        ck_assert_double_le(info.gap, o.tolerance);
        iterations[k] = info.iterations;
        family_destroy(&f);
    }
    ck_assert_uint_lt(iterations[1], iterations[0]);
}
END_TEST

START_TEST(the_iteration_limit_ends_a_solve)
{
    family f = member((enum kind)_i, 4);
    mgc_program_opts o = options((enum kind)_i);

    o.presolve = 1;
    o.iteration_limit = 3;
    mgc_program_info info = solved(f.program, &o);
    ck_assert_msg(info.outcome == MGC_OUTCOME_LIMIT, "%s: %s", kind_name[_i], mgc_outcome_name(info.outcome));
    if (_i != MIP) ck_assert_uint_le(info.iterations, 3);
    check_partial(f.program, &info, (enum kind)_i);
    family_destroy(&f);
}
END_TEST

START_TEST(the_node_limit_ends_a_search)
{
    family f = member(MIP, 4);
    mgc_program_opts o = options(MIP);

    o.gap = 0;
    o.node_limit = 1;
    mgc_program_info info = solved(f.program, &o);
    ck_assert_msg(info.outcome == MGC_OUTCOME_LIMIT || info.gap <= 1e-9, "%s after %u nodes", mgc_outcome_name(info.outcome),
                  info.nodes);
    ck_assert_uint_le(info.nodes, 1 + 32); /* the children that strong branching tries are solved together */
    check_partial(f.program, &info, MIP);
    family_destroy(&f);
}
END_TEST

START_TEST(the_time_limit_ends_a_solve)
{
    family f = member((enum kind)_i, 40);
    mgc_program_opts o = options((enum kind)_i);

    o.time_limit_s = 0.01;
    double begin = cpu_seconds();
    mgc_program_info info = solved(f.program, &o);
    double used = cpu_seconds() - begin;
    printf("# %s: a limit of 10 ms took %.0f ms\n", kind_name[_i], 1e3 * used);
    ck_assert_msg(info.outcome == MGC_OUTCOME_LIMIT || (info.outcome == MGC_OUTCOME_OPTIMAL && used < 0.5), "%s: %s", kind_name[_i],
                  mgc_outcome_name(info.outcome));
    check_partial(f.program, &info, (enum kind)_i);
    family_destroy(&f);
}
END_TEST

/* --- cancelled ------------------------------------------------------------------------------- */

struct canceller {
    mgc_ctx *ctx;
    double told; /* processor seconds at the request */
};

static void *cancel_soon(void *user)
{
    struct canceller *c = user;

    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    c->told = cpu_seconds();
    mgc_ctx_cancel(c->ctx);
    return NULL;
}

START_TEST(another_thread_cancels) /* faults O4 */
{
    family f = member((enum kind)_i, 40);
    mgc_program_opts o = options((enum kind)_i);
    struct canceller c = {.ctx = ctx};
    pthread_t thread;

    o.tolerance = 1e-12; /* long enough to be cancelled */
    o.gap = 0;
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, &c), 0);
    mgc_program_info info = solved(f.program, &o);
    double ended = cpu_seconds();
    pthread_join(thread, NULL);
    if (info.outcome == MGC_OUTCOME_CANCELLED) printf("# %s: cancelled, ended %.1f ms of processor time later\n", kind_name[_i], 1e3 * (ended - c.told));
    else printf("# %s: ended before it was cancelled\n", kind_name[_i]);
    ck_assert_msg(info.outcome == MGC_OUTCOME_CANCELLED || c.told == 0 || ended < c.told + 0.2, "%s: %s", kind_name[_i],
                  mgc_outcome_name(info.outcome));
    if (info.outcome == MGC_OUTCOME_CANCELLED) ck_assert_double_lt(ended - c.told, 1.0);
    check_partial(f.program, &info, (enum kind)_i);
    family_destroy(&f);
    mgc_ctx_cancel_reset(ctx);
}
END_TEST

START_TEST(a_request_taken_back_leaves_no_trace)
{
    family f = member((enum kind)_i, 1), fresh = member((enum kind)_i, 1);
    mgc_program_opts o = options((enum kind)_i);

    mgc_ctx_cancel(ctx);
    ck_assert_int_eq(mgc_ctx_cancelled(ctx), 1);
    mgc_program_info info = solved(f.program, &o);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_CANCELLED);
    mgc_ctx_cancel_reset(ctx);
    info = solved(f.program, &o);
    mgc_program_info want = solved(fresh.program, &o);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq(info.objective, want.objective);
    family_destroy(&f);
    family_destroy(&fresh);
}
END_TEST

/* --- progress -------------------------------------------------------------------------------- */

struct listener {
    pthread_t thread;
    uint32_t calls, answer_at;
    int32_t answer;
    bool elsewhere;
};

static int32_t listen(void *user, uint32_t iteration, double primal, double bound)
{
    struct listener *l = user;

    (void)iteration;
    l->elsewhere |= !pthread_equal(pthread_self(), l->thread) || isnan(primal) || isnan(bound);
    return ++l->calls == l->answer_at ? l->answer : MGC_CB_DONE;
}

static mgc_status told(mgc_program *p, enum kind kind, struct listener *l, uint32_t threads, mgc_program_info *info)
{
    mgc_program_opts o = options(kind);

    *info = (mgc_program_info){.struct_size = sizeof *info};
    l->thread = pthread_self();
    o.progress = listen;
    o.user = l;
    o.threads = threads;
    return mgc_program_solve(p, &o, info);
}

START_TEST(progress_is_told_on_the_callers_thread)
{
    for (uint32_t threads = 1; threads <= 2; threads++) {
        family f = member((enum kind)_i, 2);
        struct listener l = {.answer_at = 0};
        mgc_program_info info;
        ck_assert_int_eq(told(f.program, (enum kind)_i, &l, threads, &info), MGC_OK);
        ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
        ck_assert_uint_ge(l.calls, 1);
        ck_assert(!l.elsewhere);
        family_destroy(&f);
    }
}
END_TEST

START_TEST(the_callback_stops_or_fails_a_solve)
{
    static const struct { int32_t answer; mgc_status status; } answers[] = {
        {MGC_CB_STOP, MGC_OK}, {MGC_E_IO, MGC_E_IO}, {0, MGC_E_CALLBACK}, {7, MGC_E_CALLBACK}};

    for (size_t k = 0; k < MGC__COUNT(answers); k++) {
        family f = member((enum kind)_i, 1);
        struct listener l = {.answer_at = 2, .answer = answers[k].answer};
        mgc_program_info info;
        mgc_status st = told(f.program, (enum kind)_i, &l, 1, &info);
        if (l.calls < 2) { /* it ended before the second call */
            ck_assert_int_eq(st, MGC_OK);
        } else {
            ck_assert_msg(st == answers[k].status, "%s, answer %d: %s", kind_name[_i], answers[k].answer, mgc_status_name(st));
            if (st == MGC_OK) {
                ck_assert_uint_eq(info.outcome, MGC_OUTCOME_CANCELLED);
                check_partial(f.program, &info, (enum kind)_i);
            }
            l.answer_at = 0;
            ck_assert_int_eq(told(f.program, (enum kind)_i, &l, 1, &info), MGC_OK);
            ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
        }
        family_destroy(&f);
    }
}
END_TEST

/* --- threads, presolve, warm start ----------------------------------------------------------- */

static double *solution(mgc_program *p)
{
    uint32_t n = mgc_program_columns(p);
    double *x = malloc(n * sizeof *x);

    ck_assert_int_eq(mgc_program_get_x(p, x, n), MGC_OK);
    return x;
}

START_TEST(threads_change_no_bit)
{
    double *x[2];
    uint32_t n = 0, scenarios = _i == MIP ? 1 : 20;

    for (uint32_t k = 0; k < 2; k++) {
        family f = member((enum kind)_i, scenarios);
        mgc_program_opts o = options((enum kind)_i);
        o.threads = k + 1;
        ck_assert_uint_eq(solved(f.program, &o).outcome, MGC_OUTCOME_OPTIMAL);
        x[k] = solution(f.program);
        n = mgc_program_columns(f.program);
        family_destroy(&f);
    }
    ck_assert_int_eq(memcmp(x[0], x[1], n * sizeof(double)), 0);
    free(x[0]);
    free(x[1]);
}
END_TEST

struct own_world {
    enum kind kind;
    double *x;
    mgc_status status;
};

static void *solve_in_own_context(void *user)
{
    struct own_world *w = user;
    mgc_ctx *own;
    family f;
    mgc_program_opts o = options(w->kind);

    w->status = mgc_ctx_create(NULL, &own);
    if (w->status != MGC_OK) return NULL;
    w->status = family_create(own, 24, w->kind == MIP ? 1 : 4, 1, &f);
    if (w->status == MGC_OK && w->kind == QP) w->status = family_admm_begin(&f);
    if (w->status == MGC_OK) w->status = mgc_program_solve(f.program, &o, NULL);
    if (w->status == MGC_OK) w->x = solution(f.program);
    family_destroy(&f);
    mgc_ctx_destroy(own);
    return NULL;
}

START_TEST(two_handles_on_two_threads_give_the_bytes_of_one)
{
    struct own_world w[2] = {{.kind = (enum kind)_i}, {.kind = (enum kind)_i}};
    pthread_t thread[2];
    family f = member((enum kind)_i, _i == MIP ? 1 : 4);
    mgc_program_opts o = options((enum kind)_i);

    for (int k = 0; k < 2; k++) ck_assert_int_eq(pthread_create(&thread[k], NULL, solve_in_own_context, &w[k]), 0);
    for (int k = 0; k < 2; k++) pthread_join(thread[k], NULL);
    solved(f.program, &o);
    double *x = solution(f.program);
    for (int k = 0; k < 2; k++) {
        ck_assert_int_eq(w[k].status, MGC_OK);
        ck_assert_int_eq(memcmp(x, w[k].x, mgc_program_columns(f.program) * sizeof *x), 0);
        free(w[k].x);
    }
    free(x);
    family_destroy(&f);
}
END_TEST

START_TEST(presolve_changes_no_optimum)
{
    double objective[3];

    for (uint32_t k = 0; k < 3; k++) {
        family f = member((enum kind)_i, _i == MIP ? 1 : 3);
        mgc_program_opts o = options((enum kind)_i);
        o.presolve = k;
        mgc_program_info info = solved(f.program, &o);
        ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
        objective[k] = info.objective;
        family_destroy(&f);
    }
    for (int k = 1; k < 3; k++)
        ck_assert_double_eq_tol(objective[0], objective[k], (_i == MIP ? 2e-4 : 2e-7) * fabs(objective[0]));
}
END_TEST

START_TEST(a_warm_start_saves_iterations_in_an_alliance)
{
    family f = member(QP, 4);
    mgc_program_opts o = options(QP);
    uint32_t first = 0, later = 0;

    o.tolerance = 1e-7;
    for (int k = 0; k < 12; k++) {
        o.warm_start = k > 0;
        mgc_program_info info = solved(f.program, &o);
        double *x = solution(f.program);
        ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
        if (k == 0) first = info.iterations;
        else later += info.iterations;
        ck_assert_int_eq(family_admm_step(&f, x, NULL), MGC_OK);
        free(x);
    }
    ck_assert_double_lt(later / 11.0, 0.75 * first);
    family_destroy(&f);
}
END_TEST

/* A copy of f's program, solved; start (may be NULL) is handed in before. */
static mgc_program_info solved_copy(const family *f, const uint8_t *start, size_t size)
{
    mgc_program *copy;
    mgc_program_opts o = options(QP);

    ck_assert_int_eq(mgc_program_clone(f->program, &copy), MGC_OK);
    o.warm_start = start != NULL;
    o.presolve = 1;
    if (start != NULL) ck_assert_int_eq(mgc_program_set_start(copy, start, size), MGC_OK);
    mgc_program_info info = solved(copy, &o);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    mgc_program_destroy(copy);
    return info;
}

static uint8_t *start_of(const mgc_program *p, size_t *size)
{
    ck_assert_int_eq(mgc_program_get_start(p, NULL, 0, size), MGC_OK);
    uint8_t *bytes = malloc(*size);
    ck_assert_int_eq(mgc_program_get_start(p, bytes, *size - 1, size), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_get_start(p, bytes, *size, size), MGC_OK);
    return bytes;
}

START_TEST(a_start_travels_to_another_program)
{
    family f = member(QP, 4), other = member(QP, 3);
    mgc_program_opts o = options(QP);
    size_t size;

    o.presolve = 1;
    ck_assert_int_eq(mgc_program_get_start(f.program, NULL, 0, &size), MGC_E_STATE); /* nothing solved yet */
    mgc_program_info first = solved(f.program, &o);
    uint8_t *start = start_of(f.program, &size);
    double *x = solution(f.program);
    ck_assert_int_eq(family_admm_step(&f, x, NULL), MGC_OK);
    mgc_program_info cold = solved_copy(&f, NULL, 0), warm = solved_copy(&f, start, size);
    ck_assert_uint_gt(first.iterations, 0);
    ck_assert_uint_lt(warm.iterations, cold.iterations);
    ck_assert_double_eq_tol(warm.objective, cold.objective, 2e-7 * fabs(cold.objective));

    ck_assert_int_eq(mgc_program_set_start(other.program, start, size), MGC_E_WRONG_LENGTH);
    ck_assert_int_eq(mgc_program_set_start(f.program, start, size - 8), MGC_E_CORRUPT);
    ck_assert_int_eq(mgc_program_set_start(f.program, start, 5), MGC_E_TRUNCATED);
    start[size / 2] ^= 1;
    ck_assert_int_eq(mgc_program_set_start(f.program, start, size), MGC_E_CORRUPT);
    start[size / 2] ^= 1;
    start[8] ^= 64; /* the version */
    ck_assert_int_eq(mgc_program_set_start(f.program, start, size), MGC_E_VERSION);
    free(x);
    free(start);
    family_destroy(&f);
    family_destroy(&other);
}
END_TEST

/* The start is of the same shape, the matrix is not the same: it may cost time, nothing else. */
START_TEST(a_foreign_start_costs_time_alone)
{
    family f = member(QP, 4);
    mgc_program_opts o = options(QP);
    size_t size;

    o.presolve = 1;
    (void)solved(f.program, &o);
    uint8_t *start = start_of(f.program, &size);
    for (uint32_t j = 0; j < mgc_program_columns(f.program); j++) {
        double cost, value;
        ck_assert_int_eq(mgc_program_get_column(f.program, j, &cost, NULL, NULL, NULL), MGC_OK);
        ck_assert_int_eq(mgc_program_set_cost(f.program, j, -3.0 * cost + 0.5), MGC_OK);
        for (uint32_t i = 0; j % 7 == 0 && i < 40; i++) {
            ck_assert_int_eq(mgc_program_get_coefficient(f.program, i, j, &value), MGC_OK);
            if (value != 0.0) ck_assert_int_eq(mgc_program_set_coefficient(f.program, i, j, 100.0 * value), MGC_OK);
        }
    }
    mgc_program *copy;
    mgc_program_info info[2];
    for (uint32_t k = 0; k < 2; k++) {
        ck_assert_int_eq(mgc_program_clone(f.program, &copy), MGC_OK);
        o.warm_start = k;
        if (k == 1) ck_assert_int_eq(mgc_program_set_start(copy, start, size), MGC_OK);
        info[k] = solved(copy, &o);
        mgc_program_destroy(copy);
    }
    ck_assert_uint_eq(info[0].outcome, info[1].outcome);
    if (info[0].outcome == MGC_OUTCOME_OPTIMAL)
        ck_assert_double_eq_tol(info[0].objective, info[1].objective, 2e-7 * fmax(1.0, fabs(info[0].objective)));
    free(start);
    family_destroy(&f);
}
END_TEST

/* --- scenarios ------------------------------------------------------------------------------- */

/* Dispatch programs tell their scenarios: from three on they are factored side by side, of a short day from four on. */
START_TEST(few_scenarios_that_are_told_are_batched)
{
    static const struct { uint32_t periods, scenarios; bool batched; } days[] = {{8, 3, false}, {8, 4, true}, {24, 3, true}, {24, 5, true}, {24, 2, false}};

    for (size_t k = 0; k < MGC__COUNT(days); k++) {
        family f;
        mgc_program_opts o = options(LP);

        ck_assert_int_eq(family_create(ctx, days[k].periods, days[k].scenarios, 1, &f), MGC_OK);
        ck_assert_uint_eq(solved(f.program, &o).outcome, MGC_OUTCOME_OPTIMAL);
        ck_assert_msg(mgc__ipm_has_scenarios(f.program->ipm) == days[k].batched, "%u periods, %u scenarios", days[k].periods, days[k].scenarios);
        family_destroy(&f);
    }
}
END_TEST

/* --- memory ---------------------------------------------------------------------------------- */

struct ledger {
    long live, calls;
};

static void *count_alloc(void *user, size_t size)
{
    struct ledger *l = user;

    l->live++;
    l->calls++;
    return malloc(size);
}

static void *count_resize(void *user, void *block, size_t size)
{
    struct ledger *l = user;

    l->live += block == NULL;
    l->calls++;
    return realloc(block, size);
}

static void count_release(void *user, void *block)
{
    ((struct ledger *)user)->live--;
    free(block);
}

/* A hundred solves of one handle hold what two hold, and ask for no more memory the more they iterate. */
START_TEST(solving_again_takes_no_more_memory)
{
    struct ledger l = {0};
    mgc_allocator memory = {.alloc = count_alloc, .resize = count_resize, .release = count_release, .user = &l};
    mgc_ctx_opts co;
    mgc_ctx *own;
    family f;
    mgc_program_opts o = options((enum kind)_i);
    long live = 0, few = 0, many = 0;

    mgc_ctx_opts_init(&co, sizeof co);
    co.allocator = &memory;
    ck_assert_int_eq(mgc_ctx_create(&co, &own), MGC_OK);
    ck_assert_int_eq(family_create(own, 24, 1, 1, &f), MGC_OK);
    if (_i == QP) ck_assert_int_eq(family_admm_begin(&f), MGC_OK);
    for (int k = 0; k < (_i == MIP ? 5 : 100); k++) {
        o.warm_start = k % 2 == 1;
        ck_assert_int_eq(mgc_program_set_cost(f.program, 0, 0.1 + 0.001 * (k % 7)), MGC_OK);
        ck_assert_int_eq(mgc_program_solve(f.program, &o, NULL), MGC_OK);
        if (k == 3) live = l.live;
        if (k > 3) ck_assert_msg(l.live == live, "solve %d holds %ld blocks, the fourth held %ld", k, l.live, live);
    }
    for (int k = 0; k < 2 && _i != MIP; k++) {
        long before = l.calls;
        o.warm_start = 0;
        o.iteration_limit = k == 0 ? 4 : 12;
        ck_assert_int_eq(mgc_program_solve(f.program, &o, NULL), MGC_OK);
        *(k == 0 ? &few : &many) = l.calls - before;
    }
    ck_assert_int_eq(few, many);
    family_destroy(&f);
    mgc_ctx_destroy(own);
    ck_assert_int_eq(l.live, 0);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, test_setup, test_teardown);
    tcase_set_timeout(c, 120);
    tcase_add_test(c, few_scenarios_that_are_told_are_batched);
    tcase_add_loop_test(c, a_looser_tolerance_is_met_with_less_work, LP, MIP);
    tcase_add_loop_test(c, the_iteration_limit_ends_a_solve, LP, MIP);
    tcase_add_test(c, the_node_limit_ends_a_search);
    tcase_add_loop_test(c, the_time_limit_ends_a_solve, LP, KINDS);
    tcase_add_loop_test(c, another_thread_cancels, LP, KINDS);
    tcase_add_loop_test(c, a_request_taken_back_leaves_no_trace, LP, KINDS);
    tcase_add_loop_test(c, progress_is_told_on_the_callers_thread, LP, KINDS);
    tcase_add_loop_test(c, the_callback_stops_or_fails_a_solve, LP, KINDS);
    tcase_add_loop_test(c, threads_change_no_bit, LP, KINDS);
    tcase_add_loop_test(c, two_handles_on_two_threads_give_the_bytes_of_one, LP, KINDS);
    tcase_add_loop_test(c, presolve_changes_no_optimum, LP, KINDS);
    tcase_add_test(c, a_warm_start_saves_iterations_in_an_alliance);
    tcase_add_test(c, a_start_travels_to_another_program);
    tcase_add_test(c, a_foreign_start_costs_time_alone);
    tcase_add_loop_test(c, solving_again_takes_no_more_memory, LP, KINDS);
    return run_suite("options", c);
}
