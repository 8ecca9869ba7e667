/* SPDX-License-Identifier: Apache-2.0 */
/* The lower bound by better prices and by cases (lib/bargain/dual.c), on alliances small enough for branch and bound over the
 * whole: valid always, higher by cases than by prices alone, and as sturdy as everything else. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "mgchain/bargain.h"

#define TRY(call) do { if ((st = (call)) != MGC_OK) return st; } while (0)

enum { PERIODS = 2, MEMBERS_MAX = 3 };

/* Each member: a demand, and a unit whose fixed cost makes one unit at full load cheaper than two at half load. */
typedef struct world {
    size_t members;
    double demand[MEMBERS_MAX][PERIODS], least[MEMBERS_MAX], most[MEMBERS_MAX], no_load[MEMBERS_MAX];
    double capacity, buy;
} world;

static mgc_status add_member(mgc_model *m, const world *w, size_t i)
{
    static const char *const ids[MEMBERS_MAX] = {"east", "north", "west"};
    mgc_microgrid *site;
    mgc_device *device;
    mgc_status st;

    TRY(mgc_model_add_microgrid(m, ids[i], 1, &site));
    TRY(mgc_microgrid_add_device(site, "load", "town", &device));
    TRY(mgc_device_set_text(device, "carrier", "electricity"));
    TRY(mgc_device_set_series(device, "demand_kw", w->demand[i], PERIODS));
    TRY(mgc_microgrid_add_device(site, "chp", "unit", &device));
    TRY(mgc_device_set_number(device, "min_power_kw", w->least[i]));
    TRY(mgc_device_set_number(device, "max_power_kw", w->most[i]));
    TRY(mgc_device_set_number(device, "electric_efficiency", 0.4));
    TRY(mgc_device_set_number(device, "no_load_fuel_kw", w->no_load[i]));
    return mgc_device_set_number(device, "startup_cost", 2);
}

static mgc_status make_model(mgc_ctx *ctx, const world *w, mgc_model **model)
{
    static const char *const pairs[MEMBERS_MAX][2] = {{"east", "north"}, {"north", "west"}, {"east", "west"}};
    mgc_link *link;
    mgc_status st;

    *model = NULL;
    TRY(mgc_model_create(ctx, PERIODS, 1.0, model));
    TRY(mgc_model_set_number(*model, "buy_price_per_kwh", w->buy));
    TRY(mgc_model_set_number(*model, "sell_price_per_kwh", 0.01));
    TRY(mgc_model_set_number(*model, "gas_price_per_kwh", 0.05));
    for (size_t i = 0; i < w->members; i++) TRY(add_member(*model, w, i));
    for (size_t i = 0; i < (w->members > 2 ? 3 : 1); i++) {
        TRY(mgc_model_add_link(*model, pairs[i][0], pairs[i][1], "electricity", &link));
        TRY(mgc_link_set_number(link, "capacity_kw", w->capacity));
    }
    return MGC_OK;
}

typedef struct found {
    double cost, bound, prices; /* prices: bound of the members at one set of prices */
} found;

static mgc_status solve(const mgc_model *model, uint32_t method, uint32_t threads, found *f)
{
    mgc_alliance_opts o;
    mgc_alliance_info info = {.struct_size = sizeof info};
    mgc_alliance *a = NULL;
    mgc_status st;

    mgc_alliance_opts_init(&o, sizeof o);
    o.method = method;
    o.gap = 1e-6;
    o.threads = threads;
    st = mgc_alliance_solve(model, &o, &a);
    if (st == MGC_OK) st = mgc_alliance_get_info(a, &info);
    f->cost = info.cost;
    f->bound = info.lower_bound;
    f->prices = 0;
    for (uint32_t i = 0; st == MGC_OK && i < info.members; i++) {
        mgc_member_info member = {.struct_size = sizeof member};
        st = mgc_alliance_get_member(a, i, &member);
        f->prices += member.lower_bound;
    }
    mgc_alliance_destroy(a);
    return st;
}

/* One unit at 100 of its 120 kW serves both; at any price a unit would run at 120 kW or not at all, so that the best mixture is
 * 5/6 of one at full load: prices alone cannot say more than that. */
static const world two = {
    .members = 2, .demand = {{50, 50}, {50, 50}}, .least = {40, 40}, .most = {120, 120}, .no_load = {60, 60}, .capacity = 80, .buy = 0.4};

static mgc_ctx *ctx;

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

START_TEST(cases_prove_what_prices_cannot)
{
    mgc_model *model;
    found agents = {0}, whole = {0};

    ck_assert_int_eq(make_model(ctx, &two, &model), MGC_OK);
    ck_assert_int_eq(solve(model, MGC_ALLIANCE_CENTRAL, 1, &whole), MGC_OK);
    ck_assert_int_eq(solve(model, MGC_ALLIANCE_ADMM, 1, &agents), MGC_OK);
    /* by hand: 100 kW / 0.4 x 0.05 + 60 x 0.05, twice, and a start */
    ck_assert_double_eq_tol(whole.cost, 2 * (12.5 + 3) + 2, 1e-4);
    ck_assert_msg(agents.prices < whole.cost - 0.5, "prices prove %.6f of %.6f: this case has nothing to split", agents.prices, whole.cost);
    ck_assert_msg(agents.bound <= whole.cost + 1e-6 && agents.bound >= 0.5 * (whole.cost + agents.prices), "cases prove %.6f of %.6f", agents.bound, whole.cost);
    mgc_model_destroy(model);
}
END_TEST

static double draw(mgc__rng *rng, double low, double high)
{
    return low + (high - low) * mgc__rng_unit(rng);
}

static world random_world(mgc__rng *rng)
{
    world w = {.members = 2 + (size_t)(mgc__rng_unit(rng) * 1.999), .capacity = draw(rng, 20, 90), .buy = draw(rng, 0.15, 0.5)};

    for (size_t i = 0; i < w.members; i++) {
        w.most[i] = draw(rng, 60, 150);
        w.least[i] = draw(rng, 0.2, 0.7) * w.most[i];
        w.no_load[i] = draw(rng, 10, 90);
        for (size_t t = 0; t < PERIODS; t++) w.demand[i][t] = draw(rng, 10, 90);
    }
    return w;
}

/* No bound is above the optimum of one program, no plan below its bound; and the bound of all cases never says less than prices. */
START_TEST(no_bound_is_too_high)
{
    mgc__rng rng;
    int closed = 0, split = 0;
    enum { WORLDS = 25 };

    mgc__rng_seed(&rng, 20240521);
    for (int k = 0; k < WORLDS; k++) {
        world w = random_world(&rng);
        mgc_model *model;
        found agents = {0}, whole = {0};
        ck_assert_int_eq(make_model(ctx, &w, &model), MGC_OK);
        ck_assert_int_eq(solve(model, MGC_ALLIANCE_CENTRAL, 1, &whole), MGC_OK);
        ck_assert_int_eq(solve(model, MGC_ALLIANCE_ADMM, 1, &agents), MGC_OK);
        ck_assert_msg(agents.bound <= whole.cost + 1e-5, "world %d: bound %.8f above the optimum %.8f", k, agents.bound, whole.cost);
        ck_assert_msg(agents.prices <= whole.cost + 1e-5, "world %d: prices prove %.8f of %.8f", k, agents.prices, whole.cost);
        ck_assert_msg(agents.cost >= whole.bound - 1e-5, "world %d: plan %.8f below the bound %.8f", k, agents.cost, whole.bound);
        ck_assert_msg(agents.bound >= agents.prices - 1e-9, "world %d: cases prove %.8f, prices %.8f", k, agents.bound, agents.prices);
        closed += whole.cost - agents.bound <= 5e-3 * fabs(whole.cost);
        split += agents.bound > agents.prices + 1e-6;
        mgc_model_destroy(model);
    }
    ck_assert_msg(closed >= WORLDS / 2, "only %d of %d bounds within 0.5 %% of the optimum", closed, WORLDS);
    ck_assert_msg(split >= WORLDS / 10, "cases served in %d of %d only", split, WORLDS);
}
END_TEST

START_TEST(threads_prove_the_same)
{
    mgc_model *model;
    found one = {0}, many = {0};

    ck_assert_int_eq(make_model(ctx, &two, &model), MGC_OK);
    ck_assert_int_eq(solve(model, MGC_ALLIANCE_ADMM, 1, &one), MGC_OK);
    for (uint32_t threads = 2; threads <= 4; threads++) {
        ck_assert_int_eq(solve(model, MGC_ALLIANCE_ADMM, threads, &many), MGC_OK);
        ck_assert(memcmp(&one, &many, sizeof one) == 0);
    }
    mgc_model_destroy(model);
}
END_TEST

/* --- every allocation fails once ---------------------------------------------------------------------------------------------- */

typedef struct heap {
    long live, calls, fault_at;
} heap;

static void *heap_alloc(void *user, size_t size)
{
    heap *h = user;
    void *block = h->calls++ == h->fault_at ? NULL : malloc(size);

    h->live += block != NULL;
    return block;
}

static void *heap_resize(void *user, void *old, size_t size)
{
    heap *h = user;
    void *block = h->calls++ == h->fault_at ? NULL : realloc(old, size);

    h->live += block != NULL && old == NULL;
    return block;
}

static void heap_release(void *user, void *block)
{
    ((heap *)user)->live--;
    free(block);
}

typedef struct mark {
    heap *h;
    long begin; /* calls when the bounds began */
} mark;

static int32_t note_bounds(void *user, const mgc_alliance_progress *p)
{
    mark *m = user;

    if (p->phase == MGC_PHASE_BOUND && m->begin < 0) m->begin = m->h->calls;
    return MGC_CB_DONE;
}

static mgc_status bound_under(heap *h, mark *m)
{
    const mgc_allocator memory = {heap_alloc, heap_resize, heap_release, h};
    mgc_ctx_opts co;
    mgc_alliance_opts o;
    mgc_alliance *a = NULL;
    mgc_model *model = NULL;
    mgc_ctx *own = NULL;

    *m = (mark){h, -1};
    mgc_ctx_opts_init(&co, sizeof co);
    co.allocator = &memory;
    mgc_alliance_opts_init(&o, sizeof o);
    o.gap = 1e-6;
    o.progress = note_bounds;
    o.user = m;
    mgc_status st = mgc_ctx_create(&co, &own);
    if (st == MGC_OK) st = make_model(own, &two, &model);
    if (st == MGC_OK) st = mgc_alliance_solve(model, &o, &a);
    mgc_alliance_destroy(a);
    mgc_model_destroy(model);
    mgc_ctx_destroy(own);
    return st;
}

/* All that the bounds ask for, which is the end of the run: a failure of each, clean and without a leak. */
START_TEST(bounds_survive_every_failed_allocation) /* faults O8 */
{
    heap h = {.fault_at = -1};
    mark m;
    long refused = 0, step = 1;

    ck_assert_int_eq(bound_under(&h, &m), MGC_OK);
    ck_assert_int_eq(h.live, 0);
    ck_assert_int_gt(m.begin, 0);
    long begin = m.begin, end = h.calls;
    ck_assert_int_gt(end - begin, 1000);
    for (long k = begin; k < end; k += step) {
        h = (heap){.fault_at = k};
        mgc_status st = bound_under(&h, &m);
        ck_assert_msg(h.live == 0, "allocation %ld: %ld blocks leaked", k, h.live);
        ck_assert_msg(st == MGC_E_NO_MEMORY || st == MGC_OK, "allocation %ld: %s", k, mgc_status_name(st));
        refused += st == MGC_E_NO_MEMORY;
        step = 1 + (k - begin) / 40; /* what comes later repeats what came before */
    }
    ck_assert_int_gt(refused, 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_dual");
    TCase *tc = tcase_create("dual");
    SRunner *runner = srunner_create(suite);

    tcase_set_timeout(tc, 300);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, cases_prove_what_prices_cannot);
    tcase_add_test(tc, no_bound_is_too_high);
    tcase_add_test(tc, threads_prove_the_same);
    tcase_add_test(tc, bounds_survive_every_failed_allocation);
    suite_add_tcase(suite, tc);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
