/* SPDX-License-Identifier: Apache-2.0 */
/* Every allocation fails once (faults.md, O8): a clean error, nothing leaked.  And members of all kinds in small models. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "mgchain/bargain.h"

typedef struct heap {
    long live, until_fault, faults, calls;
    long until_cancel; /* of allocations; 0: never */
    mgc_ctx *cancelled;
} heap;

static bool faulty(heap *h)
{
    h->calls++;
    if (h->until_cancel > 0 && --h->until_cancel == 0) mgc_ctx_cancel(h->cancelled);
    if (h->until_fault < 0 || h->until_fault-- != 0) return false;
    h->faults++;
    return true;
}

static void *heap_alloc(void *user, size_t size)
{
    heap *h = user;
    void *block = faulty(h) ? NULL : malloc(size);

    h->live += block != NULL;
    return block;
}

static void *heap_resize(void *user, void *old, size_t size)
{
    heap *h = user;
    void *block = faulty(h) ? NULL : realloc(old, size);

    h->live += block != NULL && old == NULL;
    return block;
}

static void heap_release(void *user, void *block)
{
    heap *h = user;

    h->live--;
    free(block);
}

static mgc_status make_ctx(heap *h, mgc_ctx **ctx)
{
    const mgc_allocator memory = {heap_alloc, heap_resize, heap_release, h};
    mgc_ctx_opts opts;

    mgc_ctx_opts_init(&opts, sizeof opts);
    opts.allocator = &memory;
    return mgc_ctx_create(&opts, ctx);
}

#define TRY(call) do { if ((st = (call)) != MGC_OK) return st; } while (0)

/* North has cheap power of its own, south has none: north sells all that the line carries. */
static mgc_status fill_model(mgc_model *m, double capacity)
{
    static const char *const ids[2] = {"north", "south"};
    const double sun[2] = {300, 200};
    mgc_microgrid *site;
    mgc_device *device;
    mgc_link *link;
    mgc_status st;

    TRY(mgc_model_set_number(m, "buy_price_per_kwh", 0.3));
    TRY(mgc_model_set_number(m, "sell_price_per_kwh", 0.1));
    TRY(mgc_model_set_number(m, "realtime_buy_price_per_kwh", 0.4));
    TRY(mgc_model_set_number(m, "realtime_sell_price_per_kwh", 0.05));
    for (int i = 0; i < 2; i++) {
        TRY(mgc_model_add_microgrid(m, ids[i], 1, &site));
        TRY(mgc_microgrid_add_device(site, "load", "town", &device));
        TRY(mgc_device_set_text(device, "carrier", "electricity"));
        TRY(mgc_device_set_number(device, "demand_kw", 100));
        if (i == 1) continue;
        TRY(mgc_microgrid_add_device(site, "pv", "roof", &device));
        TRY(mgc_device_set_series(device, "available_kw", sun, 2));
    }
    TRY(mgc_model_add_link(m, "south", "north", "electricity", &link));
    TRY(mgc_link_set_number(link, "capacity_kw", capacity));
    return mgc_link_set_number(link, "fee_per_kwh", 0.01);
}

/* Alone: north earns 0.1 x 300 kWh, south pays 0.3 x 200 kWh.  Together south saves 0.2 - 0.01 for each kWh up to the capacity. */
static mgc_status scenario(mgc_ctx *ctx, uint32_t method, double *cost, double *payment)
{
    mgc_model *model = NULL;
    mgc_alliance *a = NULL;
    mgc_alliance_opts opts;
    mgc_alliance_info info = {.struct_size = sizeof info};
    mgc_member_info south = {.struct_size = sizeof south};
    mgc_status st = mgc_model_create(ctx, 2, 1.0, &model);

    mgc_alliance_opts_init(&opts, sizeof opts);
    opts.method = method;
    if (cost == NULL) opts.round_limit = 2;
    if (st == MGC_OK) st = fill_model(model, 50);
    if (st == MGC_OK) st = mgc_alliance_solve(model, &opts, &a);
    if (st == MGC_OK) st = mgc_alliance_get_info(a, &info);
    if (st == MGC_OK) st = mgc_alliance_get_member(a, 1, &south);
    if (st == MGC_OK && cost != NULL) {
        *cost = info.cost;
        *payment = south.payment;
    }
    mgc_alliance_destroy(a);
    mgc_model_destroy(model);
    return st;
}

START_TEST(two_members_by_hand)
{
    heap h = {.until_fault = -1};
    mgc_ctx *ctx;
    double cost, payment;

    ck_assert_int_eq(make_ctx(&h, &ctx), MGC_OK);
    mgc_status st = scenario(ctx, (uint32_t)_i, &cost, &payment);
    ck_assert_msg(st == MGC_OK, "%s", mgc_ctx_error(ctx));
    /* -30 + 60 alone, minus 2 x 50 kWh x 0.19 */
    ck_assert_double_eq_tol(cost, 30 - 19, 1e-4);
    /* south's own cost falls by 30 - 0.5 (half of the fee); it keeps half of the 19: pays 20 */
    ck_assert_double_eq_tol(payment, 20, 1e-3);
    mgc_ctx_destroy(ctx);
    ck_assert_int_eq(h.live, 0);
}
END_TEST

START_TEST(every_allocation_fails_once) /* faults O8 */
{
    long step = 1, refused = 0;

    for (long k = 0;; k += step) {
        heap h = {.until_fault = k};
        mgc_ctx *ctx = NULL;
        mgc_status st = make_ctx(&h, &ctx);

        if (st == MGC_OK) st = scenario(ctx, (uint32_t)_i, NULL, NULL);
        mgc_ctx_destroy(ctx);
        ck_assert_msg(h.live == 0, "fault %ld: %ld blocks leaked", k, h.live);
        if (h.faults == 0) {
            ck_assert_int_eq(st, MGC_OK);
            ck_assert_msg(refused > 100, "only %ld fault points: is the hook installed?", refused);
            return;
        }
        /* MGC_OK: what failed was a copy that could be done without */
        ck_assert_msg(st == MGC_E_NO_MEMORY || st == MGC_OK, "fault %ld: status %s", k, mgc_status_name(st));
        refused += st == MGC_E_NO_MEMORY;
        if (k > 2000) step = 7; /* solves repeat the same allocations many times */
    }
}
END_TEST

/* Cancelled at any allocation: an answer all the same, if only that everyone stays alone. */
START_TEST(cancelled_at_any_moment)
{
    long calls = 0;

    for (long k = 0; k == 0 || k < calls; k += k < 400 ? 3 : 101) {
        heap h = {.until_fault = -1};
        mgc_alliance_info info = {.struct_size = sizeof info};
        mgc_alliance *a = NULL;
        mgc_model *model;
        mgc_ctx *ctx;
        ck_assert_int_eq(make_ctx(&h, &ctx), MGC_OK);
        ck_assert_int_eq(mgc_model_create(ctx, 2, 1.0, &model), MGC_OK);
        ck_assert_int_eq(fill_model(model, 50), MGC_OK);
        h.cancelled = ctx;
        h.until_cancel = k;
        h.calls = 0;
        mgc_status st = mgc_alliance_solve(model, NULL, &a);
        ck_assert_msg(st == MGC_OK || st == MGC_E_STOPPED, "cancelled at allocation %ld: %s", k, mgc_ctx_error(ctx));
        if (st == MGC_OK) ck_assert_int_eq(mgc_alliance_get_info(a, &info), MGC_OK);
        if (k == 0) calls = h.calls;
        ck_assert_msg(st != MGC_OK || info.outcome == MGC_OUTCOME_OPTIMAL || (k > 0 && info.outcome == MGC_OUTCOME_CANCELLED), "cancelled at allocation %ld of %ld: outcome %u", k, calls, info.outcome);
        mgc_alliance_destroy(a);
        mgc_model_destroy(model);
        mgc_ctx_destroy(ctx);
        ck_assert_int_eq(h.live, 0);
    }
    ck_assert_msg(calls > 400, "only %ld allocations", calls);
}
END_TEST

/* Two agents over the API of bargain.h alone, as a host would write it; each knows its own microgrid only. */
START_TEST(agents_agree_over_the_hosts_bus)
{
    heap h = {.until_fault = -1};
    mgc_ctx *ctx;
    mgc_model *model[2];
    mgc_agent *agent[2];
    mgc_agent_output out[2] = {{.state = MGC_AGENT_RUNNING}, {.state = MGC_AGENT_RUNNING}};
    mgc_agreement deal[2] = {{.struct_size = sizeof deal[0]}, {.struct_size = sizeof deal[1]}};
    static const char *const ids[2] = {"north", "south"};

    ck_assert_int_eq(make_ctx(&h, &ctx), MGC_OK);
    for (int i = 0; i < 2; i++) {
        mgc_agent_opts opts;
        mgc_microgrid *site;
        mgc_device *device;
        mgc_link *link;
        const double sun[2] = {300, 200};

        mgc_agent_opts_init(&opts, sizeof opts);
        opts.run = 20190716;
        ck_assert_int_eq(mgc_model_create(ctx, 2, 1.0, &model[i]), MGC_OK);
        ck_assert_int_eq(mgc_model_set_number(model[i], "buy_price_per_kwh", 0.3), MGC_OK);
        ck_assert_int_eq(mgc_model_set_number(model[i], "sell_price_per_kwh", 0.1), MGC_OK);
        ck_assert_int_eq(mgc_model_set_number(model[i], "realtime_buy_price_per_kwh", 0.4), MGC_OK);
        ck_assert_int_eq(mgc_model_set_number(model[i], "realtime_sell_price_per_kwh", 0.05), MGC_OK);
        ck_assert_int_eq(mgc_model_add_microgrid(model[i], ids[i], 1, &site), MGC_OK);
        ck_assert_int_eq(mgc_microgrid_add_device(site, "load", "town", &device), MGC_OK);
        ck_assert_int_eq(mgc_device_set_text(device, "carrier", "electricity"), MGC_OK);
        ck_assert_int_eq(mgc_device_set_number(device, "demand_kw", 100), MGC_OK);
        if (i == 0) ck_assert_int_eq(mgc_microgrid_add_device(site, "pv", "roof", &device), MGC_OK);
        if (i == 0) ck_assert_int_eq(mgc_device_set_series(device, "available_kw", sun, 2), MGC_OK);
        ck_assert_int_eq(mgc_model_add_link(model[i], "south", "north", "electricity", &link), MGC_OK);
        ck_assert_int_eq(mgc_link_set_number(link, "capacity_kw", 50), MGC_OK);
        ck_assert_int_eq(mgc_link_set_number(link, "fee_per_kwh", 0.01), MGC_OK);
        mgc_status st = mgc_agent_create(ctx, model[i], ids[i], &opts, &agent[i]);
        ck_assert_msg(st == MGC_OK, "%s", mgc_ctx_error(ctx));
        mgc_model_destroy(model[i]);
        ck_assert_int_eq(mgc_agent_agreement(agent[i], &deal[i]), MGC_E_STATE);
    }
    for (uint64_t now = 0; now < 2000 && (out[0].state == MGC_AGENT_RUNNING || out[1].state == MGC_AGENT_RUNNING); now++)
        for (int i = 0; i < 2; i++) {
            ck_assert_int_eq(mgc_agent_poll(agent[i], now, &out[i]), MGC_OK);
            for (size_t k = 0; k < out[i].n_messages; k++) {
                ck_assert_str_eq(out[i].messages[k].to, ids[1 - i]);
                ck_assert_int_eq(mgc_agent_receive(agent[1 - i], now, ids[i], out[i].messages[k].bytes, out[i].messages[k].len), MGC_OK);
            }
        }
    for (int i = 0; i < 2; i++) {
        const mgc_plan *plan;
        double sent[2];
        mgc_trade trade = {.struct_size = sizeof trade};

        ck_assert_msg(out[i].state == MGC_AGENT_AGREED, "%s", out[i].reason);
        ck_assert_int_eq(mgc_agent_agreement(agent[i], &deal[i]), MGC_OK);
        ck_assert_int_eq(mgc_agent_get_trade(agent[i], 0, &trade), MGC_OK);
        ck_assert_int_eq(mgc_agent_get_trade(agent[i], 1, &trade), MGC_E_RANGE);
        ck_assert_str_eq(trade.from, "north");
        ck_assert_double_eq_tol(trade.sent_kwh, 100, 1e-2);
        ck_assert(trade.price_per_kwh[0] > 0.1 && trade.price_per_kwh[0] < 0.3);
        ck_assert_int_eq(mgc_agent_get_plan(agent[i], &plan), MGC_OK);
        ck_assert_int_eq(mgc_plan_get_series(plan, ids[i], "LINK:0", "sent_back_kw", 0, sent, 2), MGC_OK);
        ck_assert_double_eq_tol(sent[0], trade.sent_kw[0], 1e-6);
        ck_assert_double_le(deal[i].final_cost, deal[i].standalone_cost + 1e-6);
        ck_assert_double_le(deal[i].lower_bound, deal[i].cost + 20);
    }
    ck_assert_double_eq_tol(deal[0].payment + deal[1].payment, 0, 1e-9);
    ck_assert_uint_eq(deal[0].len, deal[1].len);
    ck_assert_mem_eq(deal[0].bytes, deal[1].bytes, deal[0].len);
    for (int i = 0; i < 2; i++) mgc_agent_destroy(agent[i]);
    mgc_ctx_destroy(ctx);
    ck_assert_int_eq(h.live, 0);
}
END_TEST

/* A link of no capacity: an agreement all the same, namely none to trade. */
START_TEST(nothing_to_trade_is_an_agreement)
{
    heap h = {.until_fault = -1};
    mgc_ctx *ctx;
    mgc_model *model;
    mgc_alliance *a;
    mgc_alliance_opts opts;
    mgc_alliance_info info = {.struct_size = sizeof info};
    mgc_certificate c = {.struct_size = sizeof c};

    ck_assert_int_eq(make_ctx(&h, &ctx), MGC_OK);
    ck_assert_int_eq(mgc_model_create(ctx, 2, 1.0, &model), MGC_OK);
    ck_assert_int_eq(fill_model(model, 0), MGC_OK);
    mgc_alliance_opts_init(&opts, sizeof opts);
    opts.method = (uint32_t)_i;
    mgc_status st = mgc_alliance_solve(model, &opts, &a);
    ck_assert_msg(st == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_int_eq(mgc_alliance_get_info(a, &info), MGC_OK);
    ck_assert_uint_eq(info.no_trade, 1);
    ck_assert_uint_eq(info.trades, 0);
    ck_assert_double_eq_tol(info.cost, 30, 1e-5);
    ck_assert_int_eq(mgc_alliance_certificate(a, &c), MGC_OK);
    ck_assert_uint_eq(c.ok, 1);
    mgc_alliance_destroy(a);
    mgc_model_destroy(model);
    mgc_ctx_destroy(ctx);
}
END_TEST

/* --- records, coalitions, checkpoints: faults begin when what they are made of stands ---------------------------------------- */

typedef struct scene {
    mgc_ctx *ctx;
    mgc_model *model;
    mgc_alliance *alliance;
    mgc_agent *agent[2];
    mgc_agent_opts opts;
} scene;

static const char *const two[2] = {"north", "south"};

static void scene_open(scene *s, heap *h)
{
    *s = (scene){.ctx = NULL};
    ck_assert_int_eq(make_ctx(h, &s->ctx), MGC_OK);
    ck_assert_int_eq(mgc_model_create(s->ctx, 2, 1.0, &s->model), MGC_OK);
    ck_assert_int_eq(fill_model(s->model, 50), MGC_OK);
    ck_assert_int_eq(mgc_alliance_solve(s->model, NULL, &s->alliance), MGC_OK);
    mgc_agent_opts_init(&s->opts, sizeof s->opts);
    s->opts.keep_log = 1;
    for (int i = 0; i < 2; i++) ck_assert_int_eq(mgc_agent_create(s->ctx, s->model, two[i], &s->opts, &s->agent[i]), MGC_OK);
    for (int turn = 0; turn < 14; turn++)
        for (int i = 0; i < 2; i++) {
            mgc_agent_output out;
            ck_assert_int_eq(mgc_agent_poll(s->agent[i], 0, &out), MGC_OK);
            for (size_t k = 0; k < out.n_messages; k++)
                ck_assert_int_eq(mgc_agent_receive(s->agent[1 - i], 0, two[i], out.messages[k].bytes, out.messages[k].len), MGC_OK);
        }
}

static void scene_close(scene *s)
{
    for (int i = 0; i < 2; i++) mgc_agent_destroy(s->agent[i]);
    mgc_alliance_destroy(s->alliance);
    mgc_model_destroy(s->model);
    mgc_ctx_destroy(s->ctx);
}

static mgc_status act_record(scene *s)
{
    const uint8_t seed[32] = {1, 2, 3}, *bytes, *signer = NULL;
    uint8_t public_key[32], hash[32];
    mgc_record *record = NULL, *again = NULL;
    mgc_key *key = NULL;
    mgc_record_report report = {.struct_size = sizeof report};
    size_t len = 0;
    mgc_status st = mgc_key_from_seed(s->ctx, seed, &key);

    if (st == MGC_OK) st = mgc_key_public(key, public_key);
    signer = public_key;
    if (st == MGC_OK) st = mgc_record_from_alliance(s->alliance, 9, &record);
    if (st == MGC_OK) st = mgc_record_sign(record, "north", key);
    if (st == MGC_OK) st = mgc_record_hash(record, hash);
    if (st == MGC_OK) st = mgc_record_bytes(record, &bytes, &len);
    if (st == MGC_OK) st = mgc_record_read(s->ctx, bytes, len, &again);
    if (st == MGC_OK) st = mgc_record_verify(again, two, &signer, 1, -1, &report);
    if (st == MGC_OK) ck_assert_uint_eq(report.signatures, 1);
    mgc_record_destroy(record);
    mgc_record_destroy(again);
    mgc_key_destroy(key);
    return st;
}

static mgc_status act_coalition(scene *s)
{
    double standalone[2], value[4], share[2], excess;
    mgc_status st = mgc_coalition_values(s->model, NULL, standalone, value, 2);

    if (st == MGC_OK) ck_assert_double_eq_tol(value[3], 19, 1e-4);
    if (st == MGC_OK) st = mgc_shapley(s->ctx, value, 2, share);
    if (st == MGC_OK) st = mgc_core_excess(s->ctx, value, share, 2, &excess, NULL);
    return st == MGC_OK ? mgc_least_core(s->ctx, value, 2, share, &excess) : st;
}

static mgc_status act_checkpoint(scene *s)
{
    const uint8_t *bytes;
    size_t len = 0;
    mgc_agent *back = NULL;
    mgc_status st = mgc_agent_save(s->agent[0], &bytes, &len);

    if (st == MGC_OK) st = mgc_agent_restore(s->ctx, s->model, two[0], &s->opts, bytes, len, &back);
    if (st != MGC_OK) ck_assert_ptr_null(back);
    mgc_agent_destroy(back);
    return st;
}

START_TEST(records_coalitions_and_checkpoints_survive_faults) /* faults O8 */
{
    static mgc_status (*const acts[])(scene *s) = {act_record, act_coalition, act_checkpoint};
    static const long least[] = {20, 100, 100};
    heap h = {.until_fault = -1};
    scene s;
    long refused = 0, live;

    scene_open(&s, &h);
    ck_assert_int_eq(acts[_i](&s), MGC_OK); /* whatever is kept between calls is there from now on */
    live = h.live;
    for (long k = 0;; k += k > 1500 ? 7 : 1) {
        h.until_fault = k;
        h.faults = 0;
        mgc_status st = acts[_i](&s);
        h.until_fault = -1;
        ck_assert_msg(h.live <= live + 1, "fault %ld: %ld blocks more", k, h.live - live); /* + 1: a text of an error */
        if (h.faults == 0) {
            ck_assert_int_eq(st, MGC_OK);
            break;
        }
        ck_assert_msg(st == MGC_E_NO_MEMORY || st == MGC_OK, "fault %ld: status %s", k, mgc_status_name(st));
        refused += st == MGC_E_NO_MEMORY;
    }
    ck_assert_int_eq(acts[_i](&s), MGC_OK); /* no fault has left a trace */
    scene_close(&s);
    ck_assert_int_eq(h.live, 0);
    ck_assert_msg(refused >= least[_i], "only %ld fault points", refused);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("bargain_memory");
    TCase *tc = tcase_create("memory");

    tcase_set_timeout(tc, 300);
    tcase_add_loop_test(tc, two_members_by_hand, 0, 2);
    tcase_add_test(tc, cancelled_at_any_moment);
    tcase_add_test(tc, agents_agree_over_the_hosts_bus);
    tcase_add_loop_test(tc, nothing_to_trade_is_an_agreement, 0, 2);
    tcase_add_loop_test(tc, every_allocation_fails_once, 0, 2);
    tcase_add_loop_test(tc, records_coalitions_and_checkpoints_survive_faults, 0, 3);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
