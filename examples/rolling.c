/* SPDX-License-Identifier: Apache-2.0 */
/* A rolling simulator to build upon: 96 quarter hours, planned again in each of them with what is known by then.
 *
 *   cc rolling.c rolling_world.c $(pkg-config --cflags --libs mgchain) -lm -o rolling && ./rolling 0.2 > day.csv
 *
 * The argument is how wrong forecasts are.  Your own data and devices go into rolling_world.c; the loop here stays.  At the
 * end three costs, which must stand in this order:
 *
 *   hindsight   the best that could have been done, knowing the day
 *   recourse    bought as planned the day before, the rest done best, knowing the day
 *   rolling     what this loop paid, knowing a quarter hour at a time
 *
 * With perfect forecasts (0) all three are one: that tests the loop, whatever the devices. */
#include <stdio.h>
#include <stdlib.h>

#include "rolling_world.h"

static mgc_status solve(const mgc_model *model, mgc_plan **plan)
{
    mgc_plan_info info = {.struct_size = sizeof info};
    mgc_dispatch_opts opts;

    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.gap = 1e-6;
    TRY(mgc_dispatch_solve(model, &opts, plan));
    TRY(mgc_plan_get_info(*plan, &info));
    if (info.outcome == MGC_OUTCOME_OPTIMAL) return MGC_OK;
    fprintf(stderr, "%s: %s\n", mgc_outcome_name(info.outcome), mgc_plan_explain(*plan));
    return MGC_E_STATE;
}

/* One quarter hour: plan what is left, do its first period.  state: where the site stands; replaced by where it
 * stands after. */
static mgc_status step(const mgc_model *model, uint32_t t, double noise, mgc_state **state, double *cost)
{
    static const char *const shown[][2] = {
        {"", "cost"}, {"", "buy_kw"}, {"", "realtime_buy_kw"}, {"engine", "power_kw"}, {"battery", "energy_kwh"}};
    mgc_model *rest = NULL;
    mgc_plan *plan = NULL;
    mgc_state *next = NULL;
    double values[PERIODS], togo = 0;

    mgc_status st = mgc_model_window(model, t, PERIODS - t, &rest);
    if (st == MGC_OK) st = mgc_state_apply(*state, rest);
    if (st == MGC_OK) st = tell_forecast(rest, (int)t, noise);
    if (st == MGC_OK) st = solve(rest, &plan);
    if (st == MGC_OK) st = mgc_plan_get_number(plan, "site", "cost", &togo);
    printf("%u,%.4f", (unsigned)t, togo);
    for (size_t i = 0; st == MGC_OK && i < sizeof shown / sizeof *shown; i++) {
        st = mgc_plan_get_series(plan, "site", shown[i][0], shown[i][1], 0, values, PERIODS - t);
        if (i == 0) *cost += values[0]; /* what this quarter hour is paid */
        else printf(",%.3f", values[0]);
    }
    printf("\n");
    /* Energy in store, ramps, minimum times, contracts: what the next quarter hour must know of this one. */
    if (st == MGC_OK && t + 1 < PERIODS) st = mgc_plan_state(plan, 1, 0, 1, &next);
    mgc_plan_destroy(plan);
    mgc_model_destroy(rest);
    mgc_state_destroy(*state);
    *state = next;
    return st;
}

static mgc_status simulate(mgc_ctx *ctx, double noise)
{
    mgc_model *model = NULL;
    mgc_plan *ahead = NULL, *hindsight = NULL, *recourse = NULL;
    mgc_state *state = NULL;
    double best = 0, done = 0, cost = 0;

    mgc_status st = build_site(ctx, &model);
    if (st == MGC_OK) st = tell_forecast(model, THE_DAY_BEFORE, noise);
    if (st == MGC_OK) st = solve(model, &ahead);
    if (st == MGC_OK) st = mgc_plan_state(ahead, 0, 0, 1, &state);
    printf("period,cost_to_go,buy_kw,realtime_buy_kw,engine_kw,battery_kwh\n");
    for (uint32_t t = 0; st == MGC_OK && t < PERIODS; t++) st = step(model, t, noise, &state, &cost);
    if (st == MGC_OK) st = tell_truth(model, noise);
    if (st == MGC_OK) st = solve(model, &hindsight);
    if (st == MGC_OK) st = mgc_plan_realise(ahead, model, NULL, &recourse);
    if (st == MGC_OK) st = mgc_plan_get_number(hindsight, "site", "cost", &best);
    if (st == MGC_OK) st = mgc_plan_get_number(recourse, "site", "cost", &done);
    if (st == MGC_OK) fprintf(stderr, "hindsight %.4f, recourse %.4f, rolling %.4f\n", best, done, cost);
    mgc_plan_destroy(recourse);
    mgc_plan_destroy(hindsight);
    mgc_plan_destroy(ahead);
    mgc_state_destroy(state);
    mgc_model_destroy(model);
    return st;
}

int main(int argc, char **argv)
{
    mgc_ctx *ctx = NULL;
    mgc_status st = mgc_ctx_create(NULL, &ctx);

    if (st == MGC_OK) st = simulate(ctx, argc > 1 ? atof(argv[1]) : 0.2);
    if (st != MGC_OK) fprintf(stderr, "%s: %s\n", mgc_status_name(st), ctx != NULL ? mgc_ctx_error(ctx) : "");
    mgc_ctx_destroy(ctx);
    return st == MGC_OK ? 0 : 1;
}
