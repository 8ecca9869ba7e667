/* SPDX-License-Identifier: Apache-2.0 */
/* How fast and how exact: one line of JSON for each case file given.
 *
 *     bench_alliance [--central] [--relax] [--rounds N] [--tolerance X] [--threads N] [--trace] [--keep] [--fit] [--pool] CASE|builtin ...
 *
 * --pool: what follows trades with a pool instead of over links (--links: over links again).
 * --keep: what follows starts from what the case before it left, as tomorrow's run does.
 * --fit: at the end the exponents of growth with the number of members, by least squares on logarithms over the cases given;
 *        in the order of size, since memory is the process' peak. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "mgchain/bargain.h"
#include "mgchain/io.h"

static uint64_t now_ms(void *user)
{
    struct timespec t;

    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int32_t trace(void *user, const mgc_alliance_progress *p)
{
    (void)user;
    fprintf(stderr, "%7.2f s %-8s %4u  primal %.2e  dual %.2e\n", p->seconds, mgc_phase_name(p->phase), p->round, p->primal, p->dual);
    return MGC_CB_DONE;
}

static void print_rounds(const mgc_alliance *a, const mgc_alliance_info *info)
{
    uint32_t relaxed = 0;
    mgc_round r = {.struct_size = sizeof r};

    for (uint32_t i = 0; i < info->rounds; i++)
        if (mgc_alliance_get_round(a, i, &r) == MGC_OK) relaxed += r.phase == MGC_PHASE_RELAXED;
    printf("\"rounds\": %u, \"rounds_relaxed\": %u, ", info->rounds, relaxed);
}

enum { POINTS_MAX = 64 };

/* What one case took. */
typedef struct point {
    double members, rounds, cpu_s, memory_mb;
} point;

typedef struct state {
    bool keep;
    uint8_t *bytes;
    size_t len;
    point point[POINTS_MAX];
    size_t points;
} state;

static double cpu_seconds(struct rusage *u)
{
    getrusage(RUSAGE_SELF, u);
    return (double)u->ru_utime.tv_sec + (double)u->ru_stime.tv_sec + 1e-6 * ((double)u->ru_utime.tv_usec + (double)u->ru_stime.tv_usec);
}

/* Slope of log y over log x. */
static double exponent(const point *p, size_t n, double (*y)(const point *p))
{
    double sx = 0, sy = 0, sxx = 0, sxy = 0, m = (double)n;

    for (size_t i = 0; i < n; i++) {
        double a = log(p[i].members), b = log(y(&p[i]));
        sx += a;
        sy += b;
        sxx += a * a;
        sxy += a * b;
    }
    return (m * sxy - sx * sy) / (m * sxx - sx * sx);
}

static double time_of(const point *p)
{
    return p->cpu_s;
}

static double round_of(const point *p)
{
    return p->cpu_s / fmax(1, p->rounds);
}

static double memory_of(const point *p)
{
    return p->memory_mb;
}

static void print_fit(const state *s)
{
    if (s->points < 2) return;
    for (size_t i = 0; i < s->points; i++)
        printf("{\"members\": %.0f, \"rounds\": %.0f, \"cpu_s\": %.2f, \"peak_mb\": %.0f}\n", s->point[i].members, s->point[i].rounds,
               s->point[i].cpu_s, s->point[i].memory_mb);
    printf("{\"fit\": {\"cases\": %zu, \"cpu\": %.3f, \"cpu_per_round\": %.3f, \"peak_memory\": %.3f}}\n", s->points,
           exponent(s->point, s->points, time_of), exponent(s->point, s->points, round_of), exponent(s->point, s->points, memory_of));
}

static int run(mgc_ctx *ctx, const char *file, mgc_alliance_opts *opts, state *kept)
{
    const uint8_t *bytes;
    size_t len;

    struct rusage usage;
    double begin = cpu_seconds(&usage);
    mgc_case *kase;
    mgc_alliance *a;
    mgc_alliance_info info = {.struct_size = sizeof info};
    mgc_certificate cert = {.struct_size = sizeof cert};
    mgc_status st = strcmp(file, "builtin") == 0 ? mgc_case_builtin(ctx, NULL, &kase) : mgc_case_load_file(ctx, file, NULL, &kase);

    opts->start = kept->keep ? kept->bytes : NULL;
    opts->start_len = kept->len;
    if (st != MGC_OK || (st = mgc_alliance_solve(mgc_case_model(kase), opts, &a)) != MGC_OK) {
        fprintf(stderr, "%s: %s\n", mgc_status_name(st), mgc_ctx_error(ctx));
        return 1;
    }
    if (mgc_alliance_get_info(a, &info) != MGC_OK || mgc_alliance_certificate(a, &cert) != MGC_OK) return 1;
    printf("{\"case\": \"%s\", \"outcome\": \"%s\", \"standalone\": %.6f, \"cost\": %.6f, \"bound\": %.6f, \"gap\": %.2e, ", file,
           mgc_outcome_name(info.outcome), info.standalone_total, info.cost, info.lower_bound, info.gap);
    print_rounds(a, &info);
    printf("\"pay_rounds\": %u, \"primal\": %.1e, \"dual\": %.1e, \"alone_s\": %.2f, \"trade_s\": %.2f, \"pay_s\": %.2f, \"bound_s\": %.2f, "
           "\"certificate\": %u, \"imbalance_kw\": %.1e, \"loss\": %.1e, \"nash\": %.1e, \"reason\": \"%s\"}\n",
           info.pay_rounds, info.primal_residual, info.dual_residual, info.seconds_alone, info.seconds_trade, info.seconds_pay,
           info.seconds_bound, cert.ok, cert.imbalance_kw, cert.worst_loss, cert.nash, mgc_alliance_reason(a));
    fflush(stdout);
    double took = cpu_seconds(&usage) - begin;
    if (kept->points < POINTS_MAX)
        kept->point[kept->points++] = (point){info.members, info.rounds, took, (double)usage.ru_maxrss / 1024};
    if (mgc_alliance_get_state(a, &bytes, &len) == MGC_OK && kept->keep) {
        free(kept->bytes);
        kept->bytes = malloc(len);
        if (kept->bytes == NULL) return 1;
        memcpy(kept->bytes, bytes, len);
        kept->len = len;
    }
    mgc_alliance_destroy(a);
    mgc_case_destroy(kase);
    return 0;
}

int main(int argc, char **argv)
{
    mgc_ctx_opts co;
    mgc_alliance_opts o;
    mgc_ctx *ctx;
    static state kept;
    bool fit = false;
    int failed = 0;

    mgc_ctx_opts_init(&co, sizeof co);
    co.now_ms = now_ms;
    mgc_alliance_opts_init(&o, sizeof o);
    if (mgc_ctx_create(&co, &ctx) != MGC_OK) return 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--central") == 0) o.method = MGC_ALLIANCE_CENTRAL;
        else if (strcmp(argv[i], "--relax") == 0) o.relax = 1;
        else if (strcmp(argv[i], "--trace") == 0) o.progress = trace;
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) o.round_limit = (uint32_t)atoi(argv[++i]);
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc) o.threads = (uint32_t)atoi(argv[++i]);
        else if (strcmp(argv[i], "--tolerance") == 0 && i + 1 < argc) o.tolerance = atof(argv[++i]);
        else if (strcmp(argv[i], "--gap") == 0 && i + 1 < argc) o.gap = atof(argv[++i]);
        else if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc) o.time_limit_s = atof(argv[++i]);
        else if (strcmp(argv[i], "--keep") == 0) kept.keep = true;
        else if (strcmp(argv[i], "--fit") == 0) fit = true;
        else if (strcmp(argv[i], "--pool") == 0) o.pool = 1;
        else if (strcmp(argv[i], "--links") == 0) o.pool = 0;
        else if (strcmp(argv[i], "--cold") == 0) kept.keep = false;
        else failed |= run(ctx, argv[i], &o, &kept);
    }
    if (fit) print_fit(&kept);
    free(kept.bytes);
    mgc_ctx_destroy(ctx);
    return failed;
}
