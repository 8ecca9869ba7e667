/* SPDX-License-Identifier: Apache-2.0 */
/* A device that the library does not know: an electrolyser that makes gas of electricity and may not change faster
 * than 150 kW an hour.  The open device "linear" takes whatever is convex: variables with bounds, what each kW of
 * them feeds in or takes out, and rows over them that hold in every period or link a period to the one before.
 *
 *   cc custom_device.c $(pkg-config --cflags --libs mgchain) -o custom_device && ./custom_device
 *
 * The day is small enough to be solved by hand.  A kWh of electricity makes 0.6 kWh of gas worth 0.10 each and costs
 * 0.01 of wear: at 0.02 it earns 0.03, at 0.20 it loses 0.15.  So the electrolyser stands still while power is dear,
 * and the ramp makes it slow down an hour before and speed up an hour after: 300 150 0 0 150 300 kW, which earn 0.03
 * x 900 = 27. */
#include <mgchain/mgchain.h>
#include <stdio.h>

enum { PERIODS = 6 };

#define TRY(call)                                                                                                    \
    do {                                                                                                             \
        mgc_status try_status = (call);                                                                              \
        if (try_status != MGC_OK) return try_status;                                                                 \
    } while (0)

static const double price[PERIODS] = {0.02, 0.02, 0.20, 0.20, 0.02, 0.02};

static mgc_status add_electrolyser(mgc_microgrid *site)
{
    mgc_device *device;
    uint32_t makes, ramp;

    TRY(mgc_microgrid_add_device(site, "linear", "electrolyser", &device));
    TRY(mgc_device_add_variable(device, "p")); /* electricity taken, 0..300 kW */
    TRY(mgc_device_set_variable(device, "p", "upper", 300));
    /* feeds in -1 kW for each kW: takes it out of the balance */
    TRY(mgc_device_set_variable(device, "p", "electricity", -1));
    TRY(mgc_device_set_variable(device, "p", "cost_per_kwh", 0.01));
    TRY(mgc_device_add_variable(device, "g")); /* gas made */
    /* burns -1 kW for each kW: is paid the gas price, saves its emission */
    TRY(mgc_device_set_variable(device, "g", "gas", -1));

    /* 0 <= g - 0.6 p <= 0, in every period */
    TRY(mgc_device_add_constraint(device, 0, 0, &makes));
    TRY(mgc_device_add_term(device, makes, "g", 1, 0));
    TRY(mgc_device_add_term(device, makes, "p", -0.6, 0));
    /* -150 <= p(t) - p(t-1) <= 150, from the second period on; the last argument says: one period before */
    TRY(mgc_device_add_constraint(device, -150, 150, &ramp));
    TRY(mgc_device_add_term(device, ramp, "p", 1, 0));
    return mgc_device_add_term(device, ramp, "p", -1, 1);
}

static mgc_status build(mgc_ctx *ctx, mgc_model **model)
{
    mgc_microgrid *site;

    TRY(mgc_model_create(ctx, PERIODS, 1.0, model));
    TRY(mgc_model_set_series(*model, "buy_price_per_kwh", price, PERIODS));
    TRY(mgc_model_set_number(*model, "realtime_buy_price_per_kwh", 1.0));
    TRY(mgc_model_set_number(*model, "gas_price_per_kwh", 0.10));
    TRY(mgc_model_add_microgrid(*model, "works", 1, &site));
    return add_electrolyser(site);
}

static mgc_status plan_and_print(const mgc_model *model)
{
    mgc_plan *plan = NULL;
    mgc_plan_info info = {.struct_size = sizeof info};
    double p[PERIODS], g[PERIODS];

    mgc_status st = mgc_dispatch_solve(model, NULL, &plan);
    if (st == MGC_OK) st = mgc_plan_get_info(plan, &info);
    /* a variable is read by its name, like every other quantity of a plan */
    if (st == MGC_OK) st = mgc_plan_get_series(plan, "works", "electrolyser", "p", 0, p, PERIODS);
    if (st == MGC_OK) st = mgc_plan_get_series(plan, "works", "electrolyser", "g", 0, g, PERIODS);
    if (st == MGC_OK) {
        printf("%s, earns %.3f\n", mgc_outcome_name(info.outcome), -info.cost);
        for (int t = 0; t < PERIODS; t++)
            printf("%d: price %.2f  electricity %6.1f kW  gas %6.1f kW\n", t, price[t], p[t], g[t]);
    }
    mgc_plan_destroy(plan);
    return st;
}

int main(void)
{
    mgc_ctx *ctx = NULL;
    mgc_model *model = NULL;

    mgc_status st = mgc_ctx_create(NULL, &ctx);
    if (st == MGC_OK) st = build(ctx, &model);
    if (st == MGC_OK) st = plan_and_print(model);
    if (st != MGC_OK) fprintf(stderr, "%s: %s\n", mgc_status_name(st), mgc_ctx_error(ctx));
    mgc_model_destroy(model);
    mgc_ctx_destroy(ctx);
    return st == MGC_OK ? 0 : 1;
}
