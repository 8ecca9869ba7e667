/* SPDX-License-Identifier: Apache-2.0 */
/* What the solver says is so: outcomes known by construction, certificates multiplied out here, faults O1, O4, O5, O6 and
 * O8, and what a host may count on: memory, repetition, threads. */
#include "solver_test.h"

#include <threads.h>

enum { MOST = 12 };

typedef struct dense {
    uint32_t n, m;
    double c[MOST], lower[MOST], upper[MOST], row_lower[MOST], row_upper[MOST], a[MOST][MOST], v[MOST];
    bool curved; /* the objective has 1/2 (v'x)^2 */
} dense;

static double dot(uint32_t n, const double *a, const double *b)
{
    double sum = 0.0;

    for (uint32_t j = 0; j < n; j++) sum += a[j] * b[j];
    return sum;
}

static mgc_status build(mgc_ctx *c, const dense *d, mgc_program **out)
{
    uint32_t cols[MOST];
    mgc_status st = mgc_program_create(c, out);

    for (uint32_t j = 0; st == MGC_OK && j < d->n; j++) {
        cols[j] = j;
        st = mgc_program_add_column(*out, d->c[j], d->lower[j], d->upper[j], NULL);
    }
    for (uint32_t i = 0; st == MGC_OK && i < d->m; i++)
        st = mgc_program_add_row(*out, d->row_lower[i], d->row_upper[i], cols, d->a[i], d->n, NULL);
    for (uint32_t i = 0; d->curved && i < d->n; i++)
        for (uint32_t j = i; st == MGC_OK && j < d->n; j++)
            if (d->v[i] * d->v[j] != 0.0) st = mgc_program_set_quadratic(*out, i, j, d->v[i] * d->v[j]);
    return st;
}

static double small_integer(mgc__rng *rng, int most)
{
    return (double)mgc__rng_below(rng, (uint64_t)(2 * most + 1)) - most;
}

/* Columns of every kind, rows with holes, empty and doubled ones; no bounds on rows yet. */
static void awkward(mgc__rng *rng, dense *d)
{
    *d = (dense){.n = 1 + (uint32_t)mgc__rng_below(rng, 8), .m = (uint32_t)mgc__rng_below(rng, 8)};
    for (uint32_t j = 0; j < d->n; j++) {
        double lower = small_integer(rng, 4), kind = mgc__rng_unit(rng);

        d->c[j] = small_integer(rng, 5);
        d->lower[j] = kind < 0.3 ? -INFINITY : lower;
        d->upper[j] = kind < 0.5 ? INFINITY : kind < 0.6 ? lower : lower + 1 + (double)mgc__rng_below(rng, 6);
    }
    for (uint32_t i = 0; i < d->m; i++) {
        bool doubled = i > 0 && mgc__rng_unit(rng) < 0.15;

        for (uint32_t j = 0; j < d->n; j++)
            d->a[i][j] = doubled ? 2 * d->a[i - 1][j] : mgc__rng_unit(rng) < 0.5 ? small_integer(rng, 4) : 0.0;
        d->row_lower[i] = -INFINITY;
        d->row_upper[i] = INFINITY;
    }
}

static void inside(mgc__rng *rng, const dense *d, double *x)
{
    for (uint32_t j = 0; j < d->n; j++) {
        double low = isfinite(d->lower[j]) ? d->lower[j] : -5, up = isfinite(d->upper[j]) ? d->upper[j] : low + 9;

        x[j] = low + floor((up - low + 1) * mgc__rng_unit(rng) * 0.999);
    }
}

/* Rows that x satisfies, often just so. */
static void bound_rows(mgc__rng *rng, dense *d, const double *x)
{
    for (uint32_t i = 0; i < d->m; i++) {
        double r = dot(d->n, d->a[i], x), kind = mgc__rng_unit(rng);

        if (kind < 0.7) d->row_lower[i] = r - (kind < 0.3 ? 0 : 3);
        if (kind > 0.4) d->row_upper[i] = r + (kind > 0.7 ? 0 : 2);
        if (kind < 0.2) d->row_upper[i] = d->row_lower[i];
    }
}

/* Units between 2^-most and 2^most for every row and column. */
static void change_units(mgc__rng *rng, dense *d, int most)
{
    for (uint32_t j = 0; j < d->n; j++) {
        double s = ldexp(1.0, (int)small_integer(rng, most));

        d->c[j] *= s;
        d->v[j] *= s;
        d->lower[j] /= s;
        d->upper[j] /= s;
        for (uint32_t i = 0; i < d->m; i++) d->a[i][j] *= s;
    }
    for (uint32_t i = 0; i < d->m; i++) {
        double s = ldexp(1.0, (int)small_integer(rng, most));

        for (uint32_t j = 0; j < d->n; j++) d->a[i][j] *= s;
        d->row_lower[i] *= s;
        d->row_upper[i] *= s;
    }
}

/* A feasible program that falls for ever along a known direction. */
static void unbounded(mgc__rng *rng, dense *d)
{
    double x[MOST], along[MOST];

    do {
        awkward(rng, d);
        for (uint32_t j = 0; j < d->n; j++) {
            along[j] = mgc__rng_unit(rng) < 0.6 ? small_integer(rng, 3) : 0;
            if (along[j] < 0 && isfinite(d->lower[j])) along[j] = 0;
            if (along[j] > 0 && isfinite(d->upper[j])) along[j] = 0;
        }
    } while (dot(d->n, d->c, along) >= 0.0);
    inside(rng, d, x);
    bound_rows(rng, d, x);
    for (uint32_t i = 0; i < d->m; i++) {
        double r = dot(d->n, d->a[i], along);

        if (r > 0) d->row_upper[i] = INFINITY;
        if (r < 0) d->row_lower[i] = -INFINITY;
    }
    d->curved = d->n >= 2 && mgc__rng_unit(rng) < 0.4;
    if (d->curved) { /* v is at right angles to the direction */
        d->v[0] = along[1];
        d->v[1] = -along[0];
    }
}

/* Rows that contradict each other by one, after adding up with known multipliers. */
static void infeasible(mgc__rng *rng, dense *d)
{
    double x[MOST], need = 0.0, reach = 0.0;
    uint32_t last;

    do {
        awkward(rng, d);
    } while (d->m < 2);
    inside(rng, d, x);
    bound_rows(rng, d, x);
    last = d->m++;
    memset(d->a[last], 0, sizeof d->a[last]);
    for (uint32_t i = 0; i < last; i++) {
        double y = (double)mgc__rng_below(rng, 4);

        if (!isfinite(d->row_lower[i])) y = -y;
        if (y == 0 || !isfinite(y > 0 ? d->row_lower[i] : d->row_upper[i])) continue;
        need += y * (y > 0 ? d->row_lower[i] : d->row_upper[i]);
        for (uint32_t j = 0; j < d->n; j++) d->a[last][j] += y * d->a[i][j];
    }
    for (uint32_t j = 0; j < d->n; j++) { /* what a bound can answer for need not cancel */
        double t = small_integer(rng, 2), bound = t > 0 ? d->upper[j] : d->lower[j];

        if (t == 0 || !isfinite(bound)) continue;
        reach += t * bound;
        d->a[last][j] -= t;
    }
    /* sum y a x >= need and (last) x = (sum y a - t) x >= need - reach: ask for one less at most */
    d->row_lower[last] = -INFINITY;
    d->row_upper[last] = need - reach - 1;
    d->curved = mgc__rng_unit(rng) < 0.3;
    if (d->curved) d->v[0] = 1;
}

/* --- certificates, multiplied out -------------------------------------------------------------------------- */

static void check_falls(const dense *d, const double *x, int k)
{
    double length = 0.0, fall = dot(d->n, d->c, x), terms = 0.0, dust = 1e-8;

    for (uint32_t j = 0; j < d->n; j++) {
        length = fmax(length, fabs(x[j]));
        terms += fabs(d->c[j] * x[j]);
        ck_assert_msg(!(x[j] < 0 && isfinite(d->lower[j])) && !(x[j] > 0 && isfinite(d->upper[j])), "case %d", k);
    }
    ck_assert_msg(fall < -dust * terms, "case %d: falls by %g of %g", k, fall, terms);
    for (uint32_t i = 0; i < d->m; i++) {
        double r = dot(d->n, d->a[i], x), size = 0.0;

        for (uint32_t j = 0; j < d->n; j++) size = fmax(size, fabs(d->a[i][j] * x[j]));
        ck_assert_msg(!(r < -dust * size && isfinite(d->row_lower[i])) && !(r > dust * size && isfinite(d->row_upper[i])),
                      "case %d: row %u goes %g of %g against its bounds", k, i, r, size);
    }
    if (d->curved) {
        double size = 0.0;

        for (uint32_t j = 0; j < d->n; j++) size = fmax(size, fabs(d->v[j])) ;
        ck_assert_msg(fabs(dot(d->n, d->v, x)) <= dust * size * length, "case %d: curved along the ray", k);
    }
}

static void check_farkas(const dense *d, const double *y, int k)
{
    double side = 0.0, terms = 0.0;

    for (uint32_t i = 0; i < d->m; i++) {
        double s = y[i] == 0 ? 0 : y[i] * (y[i] > 0 ? d->row_lower[i] : d->row_upper[i]);

        ck_assert_msg(isfinite(s), "case %d: multiplier %u leans on a missing side", k, i);
        side += s;
        terms += fabs(s);
    }
    for (uint32_t j = 0; j < d->n; j++) {
        double sum = 0.0, size = 0.0, most;

        for (uint32_t i = 0; i < d->m; i++) {
            sum += d->a[i][j] * y[i];
            size = fmax(size, fabs(d->a[i][j] * y[i]));
        }
        most = sum == 0 ? 0 : sum * (sum > 0 ? d->upper[j] : d->lower[j]);
        if (!isfinite(most)) {
            ck_assert_msg(fabs(sum) <= 1e-9 * size, "case %d: column %u is left %g of %g", k, j, sum, size);
            continue;
        }
        side -= most;
        terms += fabs(most);
    }
    ck_assert_msg(side > 1e-9 * terms, "case %d: excludes by %g of %g", k, side, terms);
}

static void check_case(const dense *d, uint32_t want, int k)
{
    mgc_program_info info = {.struct_size = sizeof info};
    double ray[MOST], margin;
    mgc_program *p;
    uint32_t length = want == MGC_OUTCOME_UNBOUNDED ? d->n : d->m;

    ck_assert_int_eq(build(ctx, d, &p), MGC_OK);
    ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
    ck_assert_msg(info.outcome == want, "case %d: %s, not %s", k, mgc_outcome_name(info.outcome), mgc_outcome_name(want));
    ck_assert_int_eq(mgc_program_get_ray(p, ray, length), MGC_OK);
    ck_assert_int_eq(mgc_program_check_ray(p, want, ray, length, &margin), MGC_OK);
    ck_assert_double_gt(margin, 0);
    if (want == MGC_OUTCOME_UNBOUNDED) check_falls(d, ray, k);
    else check_farkas(d, ray, k);
    mgc_program_destroy(p);
}

/* faults.md O5 */
START_TEST(o5_unbounded_programs_answer_with_a_direction) /* faults O5 */
{
    mgc__rng rng;
    dense d;

    mgc__rng_seed(&rng, (uint64_t)_i + 1);
    for (int k = 0; k < 500; k++) {
        unbounded(&rng, &d);
        if (k % 3 == 2) change_units(&rng, &d, 12);
        check_case(&d, MGC_OUTCOME_UNBOUNDED, k);
    }
}
END_TEST

START_TEST(o5_infeasible_programs_answer_with_multipliers) /* faults O5 */
{
    mgc__rng rng;
    dense d;

    mgc__rng_seed(&rng, (uint64_t)_i + 1);
    for (int k = 0; k < 500; k++) {
        infeasible(&rng, &d);
        if (k % 3 == 2) change_units(&rng, &d, 12);
        check_case(&d, MGC_OUTCOME_INFEASIBLE, k);
    }
}
END_TEST

/* --- optimal only where it is -------------------------------------------------------------------------------- */

/* Feasible to the tolerance, and no better value exists: weak duality, put together from the answer here. */
static void check_optimal(const dense *d, mgc_program *p, const mgc_program_info *info, int k)
{
    double x[MOST], y[MOST], value, bound, vx, size;

    ck_assert_int_eq(mgc_program_get_x(p, x, d->n), MGC_OK);
    ck_assert_int_eq(mgc_program_get_y(p, y, d->m), MGC_OK);
    vx = d->curved ? dot(d->n, d->v, x) : 0;
    value = dot(d->n, d->c, x) + 0.5 * vx * vx;
    bound = -0.5 * vx * vx;
    size = fabs(bound);
    for (uint32_t i = 0; i < d->m; i++) {
        double r = dot(d->n, d->a[i], x), terms = 1 + fabs(isfinite(d->row_lower[i]) ? d->row_lower[i] : d->row_upper[i]);

        for (uint32_t j = 0; j < d->n; j++) terms += fabs(d->a[i][j] * x[j]);
        ck_assert_msg(!(r < d->row_lower[i] - 1e-7 * terms) && !(r > d->row_upper[i] + 1e-7 * terms), "case %d: row %u", k, i);
        if (y[i] != 0) bound += y[i] * (y[i] > 0 ? d->row_lower[i] : d->row_upper[i]);
    }
    for (uint32_t j = 0; j < d->n; j++) {
        double z = d->c[j] + (d->curved ? d->v[j] * vx : 0), most;

        for (uint32_t i = 0; i < d->m; i++) z -= d->a[i][j] * y[i];
        ck_assert_msg(x[j] >= d->lower[j] && x[j] <= d->upper[j], "case %d: column %u", k, j);
        most = z == 0 ? 0 : z * (z > 0 ? d->lower[j] : d->upper[j]);
        size += fabs(d->c[j] * x[j]);
        if (isfinite(most)) bound += most;
        else bound -= fabs(z) * fabs(x[j]);
    }
    ck_assert_double_eq_tol(value, info->objective, 1e-9 * (1 + size));
    ck_assert_msg(value - bound <= 1e-6 * (1 + size), "case %d: %.12g, yet only %.12g is proven", k, value, bound);
}

/* faults.md O6: numbers of 1e-9 to 1e9 in one program, doubled, empty, fixed, free, rank-deficient: the answer is right or
 * there is none. */
START_TEST(o6_awkward_programs_are_never_called_optimal_wrongly) /* faults O6 */
{
    mgc_program_info info = {.struct_size = sizeof info};
    int unsolved = 0;
    mgc__rng rng;
    dense d;

    mgc__rng_seed(&rng, (uint64_t)_i + 1);
    for (int k = 0; k < 500; k++) {
        double x[MOST];
        mgc_program *p;

        awkward(&rng, &d);
        inside(&rng, &d, x);
        bound_rows(&rng, &d, x);
        for (uint32_t j = 0; j < d.n; j++) { /* a minimum exists */
            if (!isfinite(d.lower[j]) && d.c[j] > 0) d.lower[j] = -20;
            if (!isfinite(d.upper[j]) && d.c[j] < 0) d.upper[j] = 20;
        }
        d.curved = k % 2 == 1;
        for (uint32_t j = 0; j < d.n; j++) d.v[j] = small_integer(&rng, 2);
        if (k % 3 != 0) change_units(&rng, &d, k % 3 == 1 ? 8 : 15);
        ck_assert_int_eq(build(ctx, &d, &p), MGC_OK);
        ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
        if (info.outcome == MGC_OUTCOME_OPTIMAL) check_optimal(&d, p, &info, k);
        else ck_assert_msg(info.outcome == MGC_OUTCOME_NUMERICAL, "case %d: %s", k, mgc_outcome_name(info.outcome));
        unsolved += info.outcome == MGC_OUTCOME_NUMERICAL;
        mgc_program_destroy(p);
    }
    ck_assert_int_le(unsolved, 5);
}
END_TEST

/* faults.md O1: each door, each kind of number, by index and value; the program stays what it was. */
START_TEST(o1_numbers_that_are_none_are_refused_at_every_door) /* faults O1 */
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    const uint32_t cols[] = {0};
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program *p;

    ck_assert_int_eq(mgc_program_create(ctx, &p), MGC_OK);
    ck_assert_int_eq(mgc_program_add_column(p, 1, 2, 3, NULL), MGC_OK);
    ck_assert_int_eq(mgc_program_add_row(p, 0, 9, cols, (double[]){1}, 1, NULL), MGC_OK);
    for (size_t k = 0; k < MGC__COUNT(bad); k++) {
        double b = bad[k];

        ck_assert_int_eq(mgc_program_add_column(p, b, 0, 1, NULL), MGC_E_INVALID_ARG);
        ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), "column 1"));
        ck_assert_int_eq(mgc_program_set_cost(p, 0, b), MGC_E_INVALID_ARG);
        ck_assert_int_eq(mgc_program_set_coefficient(p, 0, 0, b), MGC_E_INVALID_ARG);
        ck_assert_int_eq(mgc_program_set_quadratic(p, 0, 0, b), MGC_E_INVALID_ARG);
        ck_assert_int_eq(mgc_program_set_offset(p, b), MGC_E_INVALID_ARG);
        ck_assert_int_eq(mgc_program_add_row(p, 0, 1, cols, &b, 1, NULL), MGC_E_INVALID_ARG);
    }
    ck_assert_int_eq(mgc_program_set_bounds(p, 0, NAN, 3), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_set_bounds(p, 0, 4, 3), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_set_row_bounds(p, 0, 0, NAN), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_double_eq_tol(info.objective, 2, 1e-7);
    mgc_program_destroy(p);
}
END_TEST

/* --- what a host may count on -------------------------------------------------------------------------------- */

/* A member of moderate size: T periods of storage and purchase. */
static mgc_status make_storage(mgc_ctx *c, uint32_t periods, mgc_program **out)
{
    mgc_status st = mgc_program_create(c, out);

    for (uint32_t t = 0; st == MGC_OK && t < periods; t++) {
        const uint32_t at = 3 * t, cols[] = {at, at + 1, at + 2, at - 1};
        const double level[] = {0.95, -1.05, -1, 1};

        st = mgc_program_add_column(*out, 0.2 + 0.1 * sin(t), 0, 30, NULL);               /* bought and stored */
        if (st == MGC_OK) st = mgc_program_add_column(*out, -0.15 - 0.1 * sin(0.7 * t), 0, 20, NULL); /* sold */
        if (st == MGC_OK) st = mgc_program_add_column(*out, 0, 0, 100, NULL);             /* level */
        if (st == MGC_OK) st = mgc_program_add_row(*out, 0, 0, cols, level, t > 0 ? 4 : 3, NULL);
        if (st == MGC_OK) st = mgc_program_set_quadratic(*out, at, at, 0.001);
    }
    return st;
}

struct counter {
    size_t calls, live, most;
};

typedef union header {
    size_t size;
    max_align_t align;
} header;

static void *count_alloc(void *user, size_t size)
{
    struct counter *c = user;
    header *h = malloc(sizeof *h + size);

    if (h == NULL) return NULL;
    h->size = size;
    c->calls++;
    c->live += size;
    if (c->live > c->most) c->most = c->live;
    return h + 1;
}

static void count_release(void *user, void *block)
{
    header *h = block;

    if (h == NULL) return;
    h--;
    ((struct counter *)user)->live -= h->size;
    free(h);
}

static void *count_resize(void *user, void *block, size_t size)
{
    void *p = count_alloc(user, size);

    if (p != NULL && block != NULL) {
        size_t old = ((header *)block - 1)->size;

        memcpy(p, block, old < size ? old : size);
        count_release(user, block);
    }
    return p;
}

static mgc_ctx *counting_context(struct counter *c)
{
    mgc_allocator mem = {.alloc = count_alloc, .resize = count_resize, .release = count_release, .user = c};
    mgc_ctx_opts o;
    mgc_ctx *own;

    mgc_ctx_opts_init(&o, sizeof o);
    o.allocator = &mem;
    ck_assert_int_eq(mgc_ctx_create(&o, &own), MGC_OK);
    return own;
}

struct watch {
    struct counter *counter;
    size_t first, last, seen;
};

static int32_t look(void *user, uint32_t iteration, double primal, double bound)
{
    struct watch *w = user;

    (void)iteration, (void)primal, (void)bound;
    if (w->seen++ == 0) w->first = w->counter->calls;
    w->last = w->counter->calls;
    return MGC_CB_DONE;
}

START_TEST(iterations_allocate_nothing)
{
    struct counter counter = {0};
    mgc_ctx *own = counting_context(&counter);
    struct watch watch = {.counter = &counter};
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program_opts o;
    mgc_program *p;

    ck_assert_int_eq(make_storage(own, 48, &p), MGC_OK);
    mgc_program_opts_init(&o, sizeof o);
    o.progress = look;
    o.user = &watch;
    ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    ck_assert_uint_gt(watch.seen, 4);
    ck_assert_uint_eq(watch.first, watch.last);
    mgc_program_destroy(p);
    mgc_ctx_destroy(own);
    ck_assert_uint_eq(counter.live, 0);
}
END_TEST

START_TEST(a_hundred_solves_of_one_handle_do_not_grow)
{
    struct counter counter = {0};
    mgc_ctx *own = counting_context(&counter);
    size_t live = 0, most = 0;
    mgc_program_opts o;
    mgc_program *p;

    ck_assert_int_eq(make_storage(own, 24, &p), MGC_OK);
    mgc_program_opts_init(&o, sizeof o);
    for (uint32_t k = 0; k < 100; k++) {
        ck_assert_int_eq(mgc_program_set_cost(p, k % 72, 0.01 * k), MGC_OK);
        o.warm_start = k % 3 == 0;
        o.presolve = k % 2;
        ck_assert_int_eq(mgc_program_solve(p, &o, NULL), MGC_OK);
        if (k == 9) {
            live = counter.live;
            most = counter.most;
        }
        if (k > 9) ck_assert_uint_le(counter.live, live + 4096);
    }
    ck_assert_uint_le(counter.most, most + 4096);
    mgc_program_destroy(p);
    mgc_ctx_destroy(own);
    ck_assert_uint_eq(counter.live, 0);
}
END_TEST

enum { PERIODS = 60 };

struct job {
    double x[3 * PERIODS], y[PERIODS];
    mgc_status st;
};

static int solve_alone(void *user)
{
    struct job *job = user;
    mgc_ctx *own = NULL;
    mgc_program *p = NULL;

    job->st = mgc_ctx_create(NULL, &own);
    if (job->st == MGC_OK) job->st = make_storage(own, PERIODS, &p);
    for (int again = 0; job->st == MGC_OK && again < 5; again++) job->st = mgc_program_solve(p, NULL, NULL);
    if (job->st == MGC_OK) job->st = mgc_program_get_x(p, job->x, MGC__COUNT(job->x));
    if (job->st == MGC_OK) job->st = mgc_program_get_y(p, job->y, MGC__COUNT(job->y));
    mgc_program_destroy(p);
    mgc_ctx_destroy(own);
    return 0;
}

START_TEST(two_handles_on_two_threads_give_the_bytes_of_one)
{
    static struct job alone, pair[2];
    thrd_t thread[2];

    solve_alone(&alone);
    ck_assert_int_eq(alone.st, MGC_OK);
    for (int k = 0; k < 2; k++) ck_assert_int_eq(thrd_create(&thread[k], solve_alone, &pair[k]), thrd_success);
    for (int k = 0; k < 2; k++) {
        thrd_join(thread[k], NULL);
        ck_assert_mem_eq(&pair[k], &alone, sizeof alone);
    }
}
END_TEST

/* --- limits and failures --------------------------------------------------------------------------------------- */

static int32_t stop_at_third(void *user, uint32_t iteration, double primal, double bound)
{
    (void)user, (void)primal, (void)bound;
    return iteration >= 3 ? MGC_CB_STOP : MGC_CB_DONE;
}

static int32_t cancel_at_third(void *user, uint32_t iteration, double primal, double bound)
{
    (void)primal, (void)bound;
    if (iteration >= 3) mgc_ctx_cancel(user);
    return MGC_CB_DONE;
}

/* faults.md O4: the best point so far stays readable, the outcome says which limit it was. */
START_TEST(o4_limits_and_cancel_leave_the_best_so_far) /* faults O4 */
{
    mgc_program_info info = {.struct_size = sizeof info};
    double x[3 * PERIODS], objective, residual;
    mgc_program_opts o;
    mgc_program *p;

    ck_assert_int_eq(make_storage(ctx, PERIODS, &p), MGC_OK);
    for (int way = 0; way < 3; way++) {
        mgc_program_opts_init(&o, sizeof o);
        if (way == 0) o.iteration_limit = 3;
        if (way == 1) o.progress = stop_at_third;
        if (way == 2) o.progress = cancel_at_third;
        o.user = ctx;
        ck_assert_int_eq(mgc_program_solve(p, &o, &info), MGC_OK);
        mgc_ctx_cancel_reset(ctx);
        ck_assert_uint_eq(info.outcome, way == 0 ? MGC_OUTCOME_LIMIT : MGC_OUTCOME_CANCELLED);
        ck_assert_uint_le(info.iterations, 4);
        ck_assert_int_eq(mgc_program_get_x(p, x, MGC__COUNT(x)), MGC_OK);
        ck_assert_int_eq(mgc_program_check_x(p, x, MGC__COUNT(x), &objective, &residual), MGC_OK);
        ck_assert_double_eq(objective, info.objective);
        ck_assert_double_eq(residual, info.primal_residual);
    }
    ck_assert_int_eq(mgc_program_solve(p, NULL, &info), MGC_OK);
    ck_assert_uint_eq(info.outcome, MGC_OUTCOME_OPTIMAL);
    mgc_program_destroy(p);
}
END_TEST

static int32_t fail_at_second(void *user, uint32_t iteration, double primal, double bound)
{
    (void)user, (void)primal, (void)bound;
    return iteration >= 2 ? MGC_E_IO : MGC_CB_DONE;
}

START_TEST(o8_a_callback_that_fails_is_heard_and_leaves_no_result) /* faults O8 */
{
    double x[3 * PERIODS];
    mgc_program_opts o;
    mgc_program *p;

    ck_assert_int_eq(make_storage(ctx, PERIODS, &p), MGC_OK);
    mgc_program_opts_init(&o, sizeof o);
    o.progress = fail_at_second;
    ck_assert_int_eq(mgc_program_solve(p, &o, NULL), MGC_E_IO);
    ck_assert_int_eq(mgc_program_get_x(p, x, MGC__COUNT(x)), MGC_E_STATE);
    ck_assert_int_eq(mgc_program_solve(p, NULL, NULL), MGC_OK);
    mgc_program_destroy(p);
}
END_TEST

/* An optimum, a contradiction and a curved direction of endless fall: every path that allocates. */
static mgc_status all_outcomes(mgc_allocator mem)
{
    dense d = {.n = 2, .m = 1, .c = {-1, -1}, .upper = {INFINITY, INFINITY}, .a = {{1, -1}}, .v = {1, -1}, .curved = true};
    mgc_ctx *own = NULL;
    mgc_ctx_opts o;
    mgc_status st;

    mgc_ctx_opts_init(&o, sizeof o);
    o.allocator = &mem;
    st = mgc_ctx_create(&o, &own);
    d.row_upper[0] = 1;
    for (int which = 0; st == MGC_OK && which < 3; which++) {
        mgc_program *p = NULL;

        if (which == 1) d.upper[0] = d.upper[1] = 3;
        if (which == 2) d.row_lower[0] = d.row_upper[0] = 9;
        st = build(own, &d, &p);
        if (st == MGC_OK) st = mgc_program_solve(p, NULL, NULL);
        mgc_program_destroy(p);
    }
    mgc_ctx_destroy(own);
    return st;
}

/* faults.md O8 */
START_TEST(o8_every_allocation_may_fail) /* faults O8 */
{
    check_every_allocation(all_outcomes, 60);
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("all");

    tcase_add_checked_fixture(c, test_setup, test_teardown);
    tcase_set_timeout(c, 200);
    tcase_add_loop_test(c, o5_unbounded_programs_answer_with_a_direction, 0, getenv("MGC_TEST_LONG") ? 60 : 3);
    tcase_add_loop_test(c, o5_infeasible_programs_answer_with_multipliers, 0, getenv("MGC_TEST_LONG") ? 60 : 3);
    tcase_add_loop_test(c, o6_awkward_programs_are_never_called_optimal_wrongly, 0, getenv("MGC_TEST_LONG") ? 60 : 3);
    tcase_add_test(c, o1_numbers_that_are_none_are_refused_at_every_door);
    tcase_add_test(c, iterations_allocate_nothing);
    tcase_add_test(c, a_hundred_solves_of_one_handle_do_not_grow);
    tcase_add_test(c, two_handles_on_two_threads_give_the_bytes_of_one);
    tcase_add_test(c, o4_limits_and_cancel_leave_the_best_so_far);
    tcase_add_test(c, o8_a_callback_that_fails_is_heard_and_leaves_no_result);
    tcase_add_test(c, o8_every_allocation_may_fail);
    return run_suite("certainty", c);
}
