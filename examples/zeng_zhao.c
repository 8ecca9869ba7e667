/* SPDX-License-Identifier: Apache-2.0 */
/* Where to build, when demand is only known to lie within a budget of deviations: the location and transportation
 * problem of Zeng and Zhao (2013), "Solving two-stage robust optimization problems using a column-and-constraint
 * generation method", Operations Research Letters 41, section 4.
 *
 *   cc zeng_zhao.c $(pkg-config --cflags --libs mgchain) -lm -o zeng_zhao && ./zeng_zhao
 *
 * Prints the bounds of every round; ends with 0 where the published optimum, 33680, was found. */
#include <math.h>
#include <mgchain/robust.h>
#include <stdio.h>

enum { SITES = 3, PLACES = 3 };

static const double fixed_cost[SITES] = {400, 414, 326}, unit_cost[SITES] = {18, 25, 20};
static const double carry_cost[SITES][PLACES] = {{22, 33, 24}, {33, 23, 30}, {20, 25, 27}};
static const double demand[PLACES] = {206, 274, 220};

#define TRY(call)                                                                                                     \
    do {                                                                                                              \
        mgc_status try_status = (call);                                                                               \
        if (try_status != MGC_OK) return try_status;                                                                  \
    } while (0)

static int32_t show(void *user, uint32_t round, double upper, double lower)
{
    (void)user;
    printf("round %u: at least %.0f, at most %.0f\n", round, lower, upper);
    return MGC_CB_DONE;
}

/* Open a site (0 or 1), build capacity there: at most 800 where it is open, at least 772 in all. */
static mgc_status add_sites(mgc_budget *b, uint32_t *capacity)
{
    uint32_t open;

    for (int i = 0; i < SITES; i++) {
        TRY(mgc_budget_add_column(b, MGC_FIRST_STAGE, fixed_cost[i], 0, 1, "open", &open));
        TRY(mgc_budget_set_integer(b, open, 1));
        TRY(mgc_budget_add_column(b, MGC_FIRST_STAGE, unit_cost[i], 0, INFINITY, "capacity", &capacity[i]));
        TRY(mgc_budget_add_row(b, MGC_FIRST_STAGE, -INFINITY, 0, (uint32_t[]){capacity[i], open}, (double[]){1, -800}, 2,
                               "capacity where open", NULL));
    }
    return mgc_budget_add_row(b, MGC_FIRST_STAGE, 772, INFINITY, capacity, (double[]){1, 1, 1}, SITES,
                              "capacity in all", NULL);
}

/* Carry what is demanded: demand_j + 40 z_j, with z in 0..1, z0 + z1 + z2 <= 1.8, z0 + z1 <= 1.2. */
static mgc_status add_carrying(mgc_budget *b, const uint32_t *capacity)
{
    uint32_t carried[SITES][PLACES], row;
    double ones[] = {1, 1, 1};

    for (int i = 0; i < SITES; i++)
        for (int j = 0; j < PLACES; j++)
            TRY(mgc_budget_add_column(b, MGC_RECOURSE, carry_cost[i][j], 0, INFINITY, "carried", &carried[i][j]));
    for (int i = 0; i < SITES; i++)
        TRY(mgc_budget_add_row(b, MGC_RECOURSE, 0, INFINITY,
                               (uint32_t[]){capacity[i], carried[i][0], carried[i][1], carried[i][2]},
                               (double[]){1, -1, -1, -1}, 1 + PLACES, "no more than built", NULL));
    for (uint32_t j = 0; j < PLACES; j++) {
        TRY(mgc_budget_add_row(b, MGC_RECOURSE, demand[j], INFINITY,
                               (uint32_t[]){carried[0][j], carried[1][j], carried[2][j]}, ones, SITES, "demand", &row));
        TRY(mgc_budget_set_shift(b, row, j, 40));
    }
    TRY(mgc_budget_add_limit(b, -INFINITY, 1.8, (uint32_t[]){0, 1, 2}, ones, 3));
    return mgc_budget_add_limit(b, -INFINITY, 1.2, (uint32_t[]){0, 1}, ones, 2);
}

static mgc_status run(mgc_ctx *ctx, double *optimum)
{
    mgc_budget_info info = {.struct_size = sizeof info};
    mgc_budget_opts opts;
    mgc_budget *b = NULL;
    uint32_t capacity[SITES];

    mgc_status st = mgc_budget_create(ctx, PLACES, &b);
    if (st == MGC_OK) st = add_sites(b, capacity);
    if (st == MGC_OK) st = add_carrying(b, capacity);
    mgc_budget_opts_init(&opts, sizeof opts);
    opts.progress = show;
    if (st == MGC_OK) st = mgc_budget_solve(b, &opts, &info);
    if (st == MGC_OK)
        printf("%s: %.3f, proven at least %.3f\n", mgc_outcome_name(info.outcome), info.objective, info.bound);
    if (st == MGC_OK && mgc_budget_explain(b)[0] != '\0') printf("%s\n", mgc_budget_explain(b));
    *optimum = info.objective;
    mgc_budget_destroy(b);
    return st;
}

int main(void)
{
    mgc_ctx *ctx = NULL;
    double optimum = 0;

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 1;
    mgc_status st = run(ctx, &optimum);
    if (st != MGC_OK) fprintf(stderr, "%s: %s\n", mgc_status_name(st), mgc_ctx_error(ctx));
    mgc_ctx_destroy(ctx);
    return st == MGC_OK && fabs(optimum - 33680) <= 0.05 ? 0 : 1;
}
