/* SPDX-License-Identifier: Apache-2.0 */
/* Solve one program and print one line of JSON with what it took.  What is timed begins with the program in memory and
 * ends with the result: analysis and every set-up of the solver included, building and reading left out.
 *
 *     measure lp PERIODS SCENARIOS        the relaxation of a member of the family
 *     measure mip PERIODS SCENARIOS       with its on/off decisions
 *     measure resolve PERIODS SCENARIOS   the relaxation with the terms of an alliance: one solve, then --steps more
 *     measure file MPS                    any program
 *     measure host                        arithmetic in registers, on one thread and on two: what the machine gives at best
 *
 * --tolerance X --gap X --threads N --time SECONDS --seed N --steps N --relax
 * --least SECONDS  solve anew, each time a program of its own, until so much processor time has gone; the medians are printed:
 *                  what takes a millisecond cannot be measured once
 * --verify  resolve: every answer is compared with a cold solve to 1e-9, which is not timed
 * --cold    resolve: no warm starts */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "family.h"

typedef struct request {
    const char *what, *word[2];
    uint64_t seed;
    uint32_t steps;
    double least; /* seconds */
    bool verify, cold;
    mgc_program_opts opts;
} request;

typedef struct stamp {
    double cpu, wall;
} stamp;

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static stamp now(void)
{
    return (stamp){.cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), .wall = seconds_of(CLOCK_MONOTONIC)};
}

static stamp since(stamp begin)
{
    stamp t = now();

    return (stamp){.cpu = t.cpu - begin.cpu, .wall = t.wall - begin.wall};
}

static uint64_t now_ms(void *user)
{
    (void)user;
    return (uint64_t)(1e3 * seconds_of(CLOCK_MONOTONIC));
}

static void print_number(const char *key, double x)
{
    if (isfinite(x)) printf(", \"%s\": %.17g", key, x);
    else printf(", \"%s\": null", key);
}

static void print_begin(const request *r, const mgc_program *p, const mgc_program_info *info)
{
    printf("{\"what\": \"%s\", \"columns\": %u, \"rows\": %u, \"nonzeros\": %llu, \"integers\": %u, \"outcome\": \"%s\"",
           r->what, mgc_program_columns(p), mgc_program_rows(p), (unsigned long long)mgc_program_nonzeros(p),
           r->opts.relax ? 0 : mgc_program_integers(p), mgc_outcome_name(info->outcome));
    print_number("objective", info->objective);
    print_number("bound", info->bound);
    print_number("primal", info->primal_residual);
    print_number("dual", info->dual_residual);
    printf(", \"iterations\": %u, \"nodes\": %u", info->iterations, info->nodes);
}

enum { REPEATS_MOST = 1000 };

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *x, size_t n)
{
    qsort(x, n, sizeof *x, ascending);
    return n % 2 == 1 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

/* Each solve is one of a clone: nothing that an earlier one left can help it. */
static mgc_status solve_repeatedly(const request *r, const mgc_program *p)
{
    static double cpu[REPEATS_MOST], wall[REPEATS_MOST];
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_status st = MGC_OK;
    double spent = 0.0;
    size_t n = 0;

    do {
        mgc_program *own;

        st = mgc_program_clone(p, &own);
        if (st != MGC_OK) break;
        stamp begin = now();
        st = mgc_program_solve(own, &r->opts, &info);
        stamp took = since(begin);
        mgc_program_destroy(own);
        cpu[n] = took.cpu;
        wall[n++] = took.wall;
        spent += took.cpu;
    } while (st == MGC_OK && spent < r->least && n < REPEATS_MOST);
    if (st != MGC_OK) return st;
    print_begin(r, p, &info);
    print_number("cpu", median(cpu, n));
    print_number("wall", median(wall, n));
    printf(", \"solves\": %zu}\n", n);
    return MGC_OK;
}

/* How much worse than the optimum of the same program the point is: relative, by a cold solve to 1e-9. */
static mgc_status compare_cold(const mgc_program *p, double objective, double *worst)
{
    mgc_program *copy;
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_status st = mgc_program_clone(p, &copy);

    if (st != MGC_OK) return st;
    mgc_program_opts_init(&o, sizeof o);
    o.relax = 1;
    o.tolerance = 1e-9;
    st = mgc_program_solve(copy, &o, &info);
    if (st == MGC_OK && info.outcome != MGC_OUTCOME_OPTIMAL) *worst = INFINITY;
    if (st == MGC_OK) *worst = fmax(*worst, fabs(objective - info.objective) / fmax(1.0, fabs(info.objective)));
    mgc_program_destroy(copy);
    return st;
}

static mgc_status solve_again(const request *r, family *f)
{
    mgc_program_opts o = r->opts;
    mgc_program_info info = {.struct_size = sizeof info};
    size_t n = mgc_program_columns(f->program);
    double *x = mgc__alloc(f->ctx, n, sizeof *x), mean = 0, slowest = 0, worst = 0, residual = 0, change = 0, first = 0;
    uint32_t iterations = 0, first_iterations = 0, failed = 0;
    mgc_status st = x == NULL ? MGC_E_NO_MEMORY : family_admm_begin(f);

    o.relax = 1;
    for (uint32_t i = 0; i <= r->steps && st == MGC_OK; i++) {
        o.warm_start = i > 0 && !r->cold;
        stamp begin = now();
        st = mgc_program_solve(f->program, &o, &info);
        stamp took = since(begin);
        if (i == 0) {
            first = took.cpu;
            first_iterations = info.iterations;
        } else {
            mean += took.cpu / r->steps;
            slowest = fmax(slowest, took.cpu);
            iterations += info.iterations;
        }
        failed += info.outcome != MGC_OUTCOME_OPTIMAL;
        residual = fmax(residual, info.primal_residual);
        if (st == MGC_OK && r->verify) st = compare_cold(f->program, info.objective, &worst);
        if (st == MGC_OK) st = mgc_program_get_x(f->program, x, n);
        if (st == MGC_OK && i < r->steps) st = family_admm_step(f, x, &change);
    }
    mgc__free(f->ctx, x);
    if (st != MGC_OK) return st;
    print_begin(r, f->program, &info);
    print_number("first", first);
    print_number("mean", mean);
    print_number("slowest", slowest);
    printf(", \"first_iterations\": %u, \"steps\": %u, \"failed\": %u", first_iterations, r->steps, failed);
    print_number("mean_iterations", (double)iterations / (r->steps > 0 ? r->steps : 1));
    print_number("worst_residual", residual);
    print_number("last_change_kw", change);
    if (r->verify) print_number("worst_error", worst);
    printf("}\n");
    return MGC_OK;
}

/* Some 25 ms of additions and multiplications that touch no memory. */
static void *reckon(void *arg)
{
    double x[4] = {1.0, 1.1, 1.2, 1.3};

    for (uint32_t i = 0; i < 10000000; i++)
        for (uint32_t k = 0; k < 4; k++) x[k] = x[k] * 0.999999 + 1e-6;
    *(double *)arg = x[0] + x[1] + x[2] + x[3];
    return NULL;
}

/* On the wall, the least of a few: one thread's work, then two threads' with the same each. */
static int run_host(void)
{
    enum { ROUNDS = 5 };
    double sum[2], one = INFINITY, two = INFINITY;
    pthread_t other;

    for (uint32_t round = 0; round < ROUNDS; round++) {
        stamp begin = now();
        reckon(&sum[0]);
        one = fmin(one, since(begin).wall);
        begin = now();
        if (pthread_create(&other, NULL, reckon, &sum[1]) != 0) return 1;
        reckon(&sum[0]);
        pthread_join(other, NULL);
        two = fmin(two, since(begin).wall);
    }
    printf("{\"what\": \"host\", \"wall\": %.9g, \"ratio\": %.4f, \"sum\": %.17g}\n", one, 2.0 * one / two, sum[0] + sum[1]);
    return 0;
}

static mgc_status run_file(mgc_ctx *ctx, const request *r)
{
    FILE *in = strcmp(r->word[0], "-") == 0 ? stdin : fopen(r->word[0], "rb");
    mgc__buf text;
    char piece[1 << 16];
    size_t n;
    mgc_program *p = NULL;

    if (in == NULL) return mgc__fail(ctx, MGC_E_IO, "bench: %s cannot be opened", r->word[0]);
    mgc__buf_init(&text, ctx, (size_t)1 << 30);
    while ((n = fread(piece, 1, sizeof piece, in)) > 0) mgc__buf_put(&text, piece, n);
    if (in != stdin) fclose(in);
    mgc_status st = text.status;
    if (st == MGC_OK) st = mgc_program_read_mps(ctx, (const char *)text.bytes, text.len, r->word[0], &p);
    mgc__buf_free(&text);
    if (st == MGC_OK) st = solve_repeatedly(r, p);
    mgc_program_destroy(p);
    return st;
}

static mgc_status run_member(mgc_ctx *ctx, request *r)
{
    family f;
    mgc_status st = family_create(ctx, (uint32_t)atoi(r->word[0]), (uint32_t)atoi(r->word[1]), r->seed, &f);

    if (st != MGC_OK) return st;
    r->opts.relax |= strcmp(r->what, "lp") == 0;
    st = strcmp(r->what, "resolve") == 0 ? solve_again(r, &f) : solve_repeatedly(r, f.program);
    family_destroy(&f);
    return st;
}

/* An option and its value, if there is one; how many words were taken. */
static int read_option(request *r, const char *option, const char *value)
{
    if (strcmp(option, "--verify") == 0) r->verify = true;
    else if (strcmp(option, "--cold") == 0) r->cold = true;
    else if (strcmp(option, "--relax") == 0) r->opts.relax = 1;
    else if (value == NULL) return 0;
    else if (strcmp(option, "--tolerance") == 0) return r->opts.tolerance = atof(value), 2;
    else if (strcmp(option, "--gap") == 0) return r->opts.gap = atof(value), 2;
    else if (strcmp(option, "--time") == 0) return r->opts.time_limit_s = atof(value), 2;
    else if (strcmp(option, "--least") == 0) return r->least = atof(value), 2;
    else if (strcmp(option, "--threads") == 0) return r->opts.threads = (uint32_t)atoi(value), 2;
    else if (strcmp(option, "--seed") == 0) return r->seed = strtoull(value, NULL, 10), 2;
    else if (strcmp(option, "--steps") == 0) return r->steps = (uint32_t)atoi(value), 2;
    else return 0;
    return 1;
}

static bool read_request(request *r, int argc, char **argv)
{
    size_t words = 0;

    mgc_program_opts_init(&r->opts, sizeof r->opts);
    r->seed = 1;
    r->steps = 49;
    r->what = argc > 1 ? argv[1] : "";
    for (int i = 2; i < argc;) {
        int taken = argv[i][0] == '-' && argv[i][1] == '-' ? read_option(r, argv[i], i + 1 < argc ? argv[i + 1] : NULL)
                    : words < 2                            ? (r->word[words++] = argv[i], 1)
                                                           : 0;
        if (taken == 0) return false;
        i += taken;
    }
    bool family_member = strcmp(r->what, "lp") == 0 || strcmp(r->what, "mip") == 0 || strcmp(r->what, "resolve") == 0;
    if (strcmp(r->what, "host") == 0) return words == 0;
    return strcmp(r->what, "file") == 0 ? words == 1 : family_member && words == 2;
}

int main(int argc, char **argv)
{
    request r = {.what = ""};
    mgc_ctx_opts co;
    mgc_ctx *ctx;

    if (!read_request(&r, argc, argv)) {
        fprintf(stderr, "usage: measure lp|mip|resolve PERIODS SCENARIOS, measure file MPS or measure host; options: see measure.c\n");
        return 2;
    }
    if (strcmp(r.what, "host") == 0) return run_host();
    mgc_ctx_opts_init(&co, sizeof co);
    co.now_ms = now_ms;
    if (mgc_ctx_create(&co, &ctx) != MGC_OK) return 1;
    mgc_status st = strcmp(r.what, "file") == 0 ? run_file(ctx, &r) : run_member(ctx, &r);
    if (st != MGC_OK) fprintf(stderr, "measure: %s: %s\n", mgc_status_name(st), mgc_ctx_error(ctx));
    mgc_ctx_destroy(ctx);
    return st == MGC_OK ? 0 : 1;
}
