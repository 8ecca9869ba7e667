/* SPDX-License-Identifier: Apache-2.0 */
/* An ambiguity set of one's own.  The library plans for the worst probabilities of a set; it knows norm balls,
 * Wasserstein, KL, chi-square and conditional value at risk.  Any other convex set is given by its oracle: "of these
 * scenario costs, what are your worst probabilities?"
 *
 *   cc own_ambiguity.c $(pkg-config --cflags --libs mgchain) -o own_ambiguity && ./own_ambiguity
 *
 * Here: contamination (Huber 1964).  One day in five is like nothing we have seen, and then anything may happen:
 * P = { 0.8 p0 + 0.2 q : q any distribution }.  The worst q puts all its mass on the dearest scenario.
 *
 * The program: buy b kWh today at 0.10; tomorrow each of five demands may come, what is short costs 0.30, what is
 * left over is sold for 0.02. */
#include <math.h>
#include <mgchain/robust.h>
#include <stdio.h>

enum { SCENARIOS = 5 };

#define TRY(call)                                                                                                    \
    do {                                                                                                             \
        mgc_status try_status = (call);                                                                              \
        if (try_status != MGC_OK) return try_status;                                                                 \
    } while (0)

static const double demand[SCENARIOS] = {60, 80, 100, 120, 200}, nominal[SCENARIOS] = {0.2, 0.3, 0.3, 0.15, 0.05};

struct contamination {
    double share;
    const double *nominal;
    unsigned asked; /* how often: to see the method at work */
};

/* The oracle: deterministic, and of equally bad answers always the same one, so that a run repeats.  It is called on
 * the thread that solves and must not use the program.  0 is not an answer: a forgotten return would not pass for
 * one. */
static int32_t worst_of_contamination(void *user, const double *cost, double *worst, uint32_t scenarios)
{
    struct contamination *set = user;
    uint32_t dearest = 0;

    for (uint32_t k = 1; k < scenarios; k++)
        if (cost[k] > cost[dearest]) dearest = k;
    for (uint32_t k = 0; k < scenarios; k++) worst[k] = (1 - set->share) * set->nominal[k];
    worst[dearest] += set->share;
    set->asked++;
    return MGC_CB_DONE;
}

/* Rows of scenario k: b + short - left = demand. */
static mgc_status build(mgc_ctx *ctx, mgc_twostage **out)
{
    mgc_twostage *ts;
    uint32_t b, shortage, left;

    TRY(mgc_twostage_create(ctx, SCENARIOS, nominal, out));
    ts = *out;
    TRY(mgc_twostage_add_column(ts, MGC_FIRST_STAGE, 0.10, 0, INFINITY, &b));
    for (uint32_t k = 0; k < SCENARIOS; k++) {
        TRY(mgc_twostage_add_column(ts, MGC_SCENARIO(k), 0.30, 0, INFINITY, &shortage));
        TRY(mgc_twostage_add_column(ts, MGC_SCENARIO(k), -0.02, 0, INFINITY, &left));
        TRY(mgc_twostage_add_row(ts, MGC_SCENARIO(k), demand[k], demand[k], (uint32_t[]){b, shortage, left},
                                 (double[]){1, 1, -1}, 3, NULL));
    }
    return MGC_OK;
}

static mgc_status solve_and_print(mgc_twostage *ts, const char *name)
{
    mgc_twostage_info info = {.struct_size = sizeof info};
    double x[1 + 2 * SCENARIOS], p[SCENARIOS];

    TRY(mgc_twostage_solve(ts, NULL, &info));
    TRY(mgc_twostage_get_x(ts, x, sizeof x / sizeof *x));
    TRY(mgc_twostage_get_probability(ts, p, SCENARIOS));
    printf("%-14s %s: buy %.2f, cost %.4f (at least %.4f), worst probabilities", name, mgc_outcome_name(info.outcome),
           x[0], info.objective, info.bound);
    for (int k = 0; k < SCENARIOS; k++) printf(" %.3f", p[k]);
    printf("\n");
    return MGC_OK;
}

int main(void)
{
    struct contamination set = {.share = 0.2, .nominal = nominal};
    mgc_ctx *ctx = NULL;
    mgc_twostage *ts = NULL;

    mgc_status st = mgc_ctx_create(NULL, &ctx);
    if (st == MGC_OK) st = build(ctx, &ts);
    if (st == MGC_OK) st = solve_and_print(ts, "nominal");
    if (st == MGC_OK)
        st = mgc_twostage_set_oracle(ts, worst_of_contamination, &set); /* set: borrowed until taken away */
    if (st == MGC_OK) st = solve_and_print(ts, "contamination");
    if (st == MGC_OK) printf("the oracle was asked %u times\n", set.asked);
    if (st != MGC_OK) fprintf(stderr, "%s: %s\n", mgc_status_name(st), mgc_ctx_error(ctx));
    mgc_twostage_destroy(ts);
    mgc_ctx_destroy(ctx);
    return st == MGC_OK ? 0 : 1;
}
