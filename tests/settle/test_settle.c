/* SPDX-License-Identifier: Apache-2.0 */
/* The door from doubles to whole numbers, and days that go through a node. */
#include <check.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../ledger/world.h"
#include "base/base.h"
#include "mgchain/node.h"
#include "mgchain/settle.h"

static mgc_ctx *ctx;

/* --- rounding, small worlds completely ---------------------------------------------------------------- */

/* Every total up to 40, three parties, every weight up to 6: each share within one of its own, nothing lost, ties to
 * the lower index, no heavier party with less, no change by scaling. */
START_TEST(split_conserves_and_is_fair)
{
    for (uint32_t total = 0; total <= 40; total++)
        for (uint32_t code = 1; code < 7 * 7 * 7; code++) {
            double w[3] = {code % 7, code / 7 % 7, code / 49}, scaled[3] = {w[0] * 0.1, w[1] * 0.1, w[2] * 0.1};
            double sum = w[0] + w[1] + w[2];
            uint64_t s[3], again[3];

            ck_assert_int_eq(mgc_split(ctx, total, w, 3, s), MGC_OK);
            ck_assert_uint_eq(s[0] + s[1] + s[2], total);
            for (int i = 0; i < 3; i++) {
                ck_assert_msg(fabs((double)s[i] * sum - total * w[i]) < sum,
                              "total %u weights %g,%g,%g share %d = %" PRIu64, total, w[0], w[1], w[2], i, s[i]);
                for (int j = i + 1; j < 3; j++) {
                    if (w[i] == w[j]) ck_assert_uint_ge(s[i], s[j]);
                    if (w[i] > w[j]) ck_assert_uint_ge(s[i], s[j]);
                    if (w[i] < w[j]) ck_assert_uint_le(s[i], s[j]);
                }
            }
            ck_assert_int_eq(mgc_split(ctx, total, scaled, 3, again), MGC_OK);
            ck_assert_uint_eq(again[0] + again[1] + again[2], total);
        }
}
END_TEST

/* Three periods, every power in steps of 0.3 W up to 2.7 W: each within 1 Wh, the sum to the nearest, whole values
 * stay. */
START_TEST(energy_keeps_the_day)
{
    for (int code = 0; code < 1000; code++) {
        int digit[3] = {code % 10, code / 10 % 10, code / 100};
        double kw[3], sum = 0;
        uint64_t wh[3], total = 0;

        for (int i = 0; i < 3; i++) {
            kw[i] = digit[i] * 0.0003;
            sum += kw[i] * 1000;
        }
        ck_assert_int_eq(mgc_energy_wh(ctx, kw, 1, 3, wh), MGC_OK);
        for (int i = 0; i < 3; i++) {
            ck_assert_msg(fabs((double)wh[i] - kw[i] * 1000) < 1, "%d: period %d", code, i);
            total += wh[i];
            for (int j = i + 1; j < 3; j++)
                if (digit[i] == digit[j]) ck_assert_uint_ge(wh[i], wh[j]);
        }
        ck_assert_msg(fabs((double)total - sum) <= 0.5 + 1e-9, "%d: %" PRIu64 " for %g", code, total, sum);
    }
}
END_TEST

START_TEST(energy_refuses_what_is_none)
{
    double bad[3][2] = {{1, NAN}, {INFINITY, 1}, {1, -0.1}}, near_zero[2] = {-1e-9, 1}, huge[2] = {1e13, 1};
    uint64_t wh[2];

    for (int i = 0; i < 3; i++) ck_assert_int_eq(mgc_energy_wh(ctx, bad[i], 1, 2, wh), MGC_E_INVALID_ARG);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), "power 1"));
    ck_assert_int_eq(mgc_energy_wh(ctx, near_zero, 0.25, 2, wh), MGC_OK);
    ck_assert_uint_eq(wh[0], 0);
    ck_assert_uint_eq(wh[1], 250);
    ck_assert_int_eq(mgc_energy_wh(ctx, huge, 1, 2, wh), MGC_E_RANGE);
    ck_assert_int_eq(mgc_energy_wh(ctx, near_zero, 0, 2, wh), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_split(ctx, 5, (double[]){0, 0}, 2, wh), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_split(ctx, UINT64_MAX, (double[]){1, 0}, 2, wh), MGC_E_RANGE);
}
END_TEST

/* Payments that sum to zero in doubles sum to zero in millionths, whatever the remainders. */
START_TEST(money_sums_to_zero)
{
    for (int a = -7; a <= 7; a++)
        for (int b = -7; b <= 7; b++)
            for (int c = -7; c <= 7; c++) {
                double amount[4] = {a * 0.3e-6, b * 0.3e-6, c * 0.3e-6, 0};
                int64_t micro[4], sum = 0;

                amount[3] = -(amount[0] + amount[1] + amount[2]);
                ck_assert_int_eq(mgc_money_micro(ctx, amount, 4, micro), MGC_OK);
                for (int i = 0; i < 4; i++) {
                    ck_assert_msg(fabs((double)micro[i] - amount[i] * 1e6) < 1, "%d %d %d: %d", a, b, c, i);
                    sum += micro[i];
                }
                ck_assert_int_eq(sum, 0);
            }
}
END_TEST

/* --- days through a node ----------------------------------------------------------------------------------- */

enum { PERIODS = 8, HALF_HOUR = 1800000 };
#define START (UINT64_C(1563235200000))

struct alliance {
    struct disk disk;
    mgc_node *node;
    mgc_key *node_key;
    struct {
        uint32_t member;
        mgc_key *key;
    } keys[128];
    size_t n;
    mgc_model *model;
    size_t transactions;
};

static const mgc_key *key_of(void *user, uint32_t member)
{
    struct alliance *w = user;
    uint8_t seed[32] = {3};

    if (member == MGC_DAY_VALIDATOR) return w->node_key;
    for (size_t i = 0; i < w->n; i++)
        if (w->keys[i].member == member) return w->keys[i].key;
    seed[1] = (uint8_t)member;
    seed[2] = (uint8_t)(member >> 8);
    ck_assert_uint_lt(w->n, 128);
    ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &w->keys[w->n].key), MGC_OK);
    w->keys[w->n].member = member;
    return w->keys[w->n++].key;
}

/* @param first_capacity of the first period; may be less than that of the others */
static void add_link(mgc_model *model, const char *a, const char *b, const char *carrier, double first_capacity, double capacity,
                     double loss, double fee)
{
    mgc_link *link;
    double fees[PERIODS], capacities[PERIODS];

    ck_assert_int_eq(mgc_model_add_link(model, a, b, carrier, &link), MGC_OK);
    ck_assert_int_eq(mgc_link_set_number(link, "loss", loss), MGC_OK);
    for (int t = 0; t < PERIODS; t++) {
        fees[t] = fee * (1 + t % 3);
        capacities[t] = t == 0 ? first_capacity : capacity;
    }
    ck_assert_int_eq(mgc_link_set_series(link, "capacity_kw", capacities, PERIODS), MGC_OK);
    ck_assert_int_eq(mgc_link_set_series(link, "fee_per_kwh", fees, PERIODS), MGC_OK);
}

static mgc_model *make_model(bool pool)
{
    static const char *const names[3] = {"hospital", "campus", "residential"};
    double buy[PERIODS], sell[PERIODS];
    mgc_model *model;
    mgc_device *device;

    ck_assert_int_eq(mgc_model_create(ctx, PERIODS, 0.5, &model), MGC_OK);
    for (int t = 0; t < PERIODS; t++) {
        buy[t] = 0.126 + 0.0031 * t;
        sell[t] = 0.029 + 0.0007 * t;
    }
    ck_assert_int_eq(mgc_model_set_series(model, "buy_price_per_kwh", buy, PERIODS), MGC_OK);
    ck_assert_int_eq(mgc_model_set_series(model, "sell_price_per_kwh", sell, PERIODS), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "gas_price_per_kwh", 0.045), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "heat_price_per_kwh", 0.09), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "grid_emission_kg_per_kwh", 0.4123456), MGC_OK);
    ck_assert_int_eq(mgc_model_set_number(model, "gas_emission_kg_per_kwh", 0.202), MGC_OK);
    for (int i = 0; i < 3; i++) {
        mgc_microgrid *site;
        ck_assert_int_eq(mgc_model_add_microgrid(model, names[i], 1, &site), MGC_OK);
        ck_assert_int_eq(mgc_microgrid_set_number(site, "buy_limit_kw", 6000), MGC_OK);
        ck_assert_int_eq(mgc_microgrid_set_number(site, "sell_limit_kw", 3000), MGC_OK);
        if (i < 2) ck_assert_int_eq(mgc_microgrid_set_number(site, "heat_buy_limit_kw", 500), MGC_OK);
        if (i == 0) ck_assert_int_eq(mgc_microgrid_add_device(site, "gas_boiler", "boiler", &device), MGC_OK);
    }
    for (int i = 0; pool && i < 3; i++) add_link(model, names[i], mgc_pool_id(), "electricity", 800, 800, 0.02, 0.006);
    if (pool) return model;
    add_link(model, names[0], names[1], "electricity", 320, 800, 0, 0.006);
    add_link(model, names[2], names[0], "electricity", 777.7777, 777.7777, 0.0123, 0.003);
    add_link(model, names[0], names[2], "heat", 400, 400, 0.03, 0.004);
    return model;
}

static void alliance_open_at(struct alliance *w, uint64_t genesis_ms)
{
    static const uint8_t seed[32] = {9};
    mgc_node_opts opts;

    memset(w, 0, sizeof *w);
    disk_init(&w->disk);
    ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &w->node_key), MGC_OK);
    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.key = w->node_key;
    opts.genesis_time_ms = genesis_ms;
    ck_assert_int_eq(mgc_node_create(ctx, &opts, &w->node), MGC_OK);
    ck_assert_int_eq(mgc_node_set_storage(w->node, &disk_ops, &w->disk), MGC_OK);
    ck_assert_int_eq(mgc_node_start(w->node), MGC_OK);
}

static void alliance_open_with(struct alliance *w, bool pool)
{
    alliance_open_at(w, START - 3 * UINT64_C(86400000));
    w->model = make_model(pool);
}

static void alliance_open(struct alliance *w)
{
    alliance_open_with(w, false);
}

static void alliance_close(struct alliance *w)
{
    mgc_node_destroy(w->node);
    for (size_t i = 0; i < w->n; i++) mgc_key_destroy(w->keys[i].key);
    mgc_key_destroy(w->node_key);
    mgc_model_destroy(w->model);
    disk_free(&w->disk);
}

/* Arbitrary but fixed numbers in [0, 1). */
static double noise(uint32_t a, uint32_t b)
{
    return fabs(sin(12.9898 * a + 78.233 * b)) * 0.999;
}

/* @param exactly 1: the day goes as planned, up to a solver's noise */
static mgc_day *make_day(struct alliance *w, mgc_day *previous, uint32_t number, int exactly)
{
    static uint8_t inputs[32] = {1};
    mgc_node_info node = {.struct_size = sizeof node};
    mgc_day_opts opts;
    mgc_day *day;
    double a[PERIODS], b[PERIODS], net[PERIODS];

    ck_assert_int_eq(mgc_node_get_info(w->node, &node), MGC_OK);
    mgc_day_opts_init(&opts, sizeof opts);
    opts.information.id = node.chain_id;
    opts.start_ms = START + number * (uint64_t)PERIODS * HALF_HOUR;
    opts.now_ms = opts.start_ms - 2 * 3600000;
    opts.key = key_of;
    opts.user = w;
    opts.previous = previous;
    opts.information.height = node.height;
    opts.inputs_hash = inputs;
    mgc_status st = mgc_day_create(ctx, w->model, &opts, &day);
    ck_assert_msg(st == MGC_OK, "%s", mgc_ctx_error(ctx));
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t c = 1; c <= 2; c++) {
            for (uint32_t t = 0; t < PERIODS; t++) {
                a[t] = c == 2 && i == 2 ? 0 : 480 * noise(7 * i + c + number, t);
                b[t] = c == 2 ? 0 : 300 * noise(i + 31, t + number);
                net[t] = a[t] - b[t] + (exactly ? 1e-9 * (t % 3 - 1.0) : c == 2 ? 0 : 60 * (noise(i + 99, t) - 0.5));
            }
            ck_assert_int_eq(mgc_day_set_grid(day, i, c, a, b), MGC_OK);
            ck_assert_int_eq(mgc_day_set_metered(day, i, c, net), MGC_OK);
        }
    for (uint32_t t = 0; t < PERIODS; t++) net[t] = 100 * noise(5, t);
    ck_assert_int_eq(mgc_day_set_metered(day, 0, MGC_CARRIER_GAS, net), MGC_OK);
    for (uint32_t l = 0; l < 3; l++)
        for (uint32_t d = 0; d < 2; d++) {
            for (uint32_t t = 0; t < PERIODS; t++) {
                /* at the limit, too */
                a[t] = (t + l + d) % 4 == 0
                           ? 0
                           : (l == 1 ? 777.7777 : 400) * (t % 5 == 1 ? 1.0000000001 : noise(l + 50 * d, t));
                b[t] = 0.1 * noise(l, t + d) - (t == 3 ? 0.11 : 0);
            }
            ck_assert_int_eq(mgc_day_set_trade(day, l, d, a, b), MGC_OK);
        }
    ck_assert_int_eq(mgc_day_set_payment(day, 0, 1, 12.345678), MGC_OK);
    ck_assert_int_eq(mgc_day_set_payment(day, 2, 0, -3.000001), MGC_OK);
    return day;
}

static uint64_t hand_in(struct alliance *w, mgc_day *day, uint32_t until, uint64_t now)
{
    for (;;) {
        mgc_day_tx tx = {.struct_size = sizeof tx};
        mgc_ticket_info info = {.struct_size = sizeof info};
        uint64_t ticket;
        mgc_status st = mgc_day_next(day, until, &tx);

        if (st == MGC_E_NOT_FOUND) return now;
        ck_assert_msg(st == MGC_OK, "%s: %s", mgc_status_name(st), mgc_ctx_error(ctx));
        ck_assert_uint_ge(tx.due_ms, now);
        now = tx.due_ms;
        ck_assert_int_eq(mgc_node_submit(w->node, tx.bytes, tx.len, &ticket), MGC_OK);
        ck_assert_int_eq(mgc_node_flush(w->node, now), MGC_OK);
        ck_assert_int_eq(mgc_ticket_state(w->node, ticket, &info), MGC_OK);
        ck_assert_msg(info.state == MGC_TICKET_COMMITTED, "%s, phase %u: %s (%s)", tx.method, tx.phase,
                      mgc_status_name(info.status), info.rule);
        w->transactions++;
    }
}

static int64_t balance(struct alliance *w, uint32_t kind, uint32_t microgrid)
{
    mgc_account_info a = {.struct_size = sizeof a};
    uint8_t id[16];

    mgc_account_id(kind, microgrid, id);
    ck_assert_int_eq(mgc_chain_get_account(mgc_node_chain(w->node, MGC_CONTRACT_TRADING), id, &a), MGC_OK);
    ck_assert_uint_eq(a.debits_pending, 0);
    ck_assert_uint_eq(a.credits_pending, 0);
    return (int64_t)a.credits_posted - (int64_t)a.debits_posted;
}

/* The books against the expectation, which comes from other code; payments against the bargain itself. */
static void check_books(struct alliance *w, mgc_day *const days[], size_t n)
{
    int64_t transfers = 0, trades = 0;

    for (uint32_t i = 0; i < 3; i++) {
        int64_t money = 0, electricity = 0, heat = 0, carbon = 0;

        for (size_t d = 0; d < n; d++) {
            mgc_day_expectation e = {.struct_size = sizeof e};
            mgc_status st = mgc_day_expect(days[d], i, &e);
            ck_assert_msg(st == MGC_OK, "%s", mgc_ctx_error(ctx));
            money +=
                e.trades_micro + e.transfer_micro + e.grid_micro + e.imbalance_micro + e.fee_micro + e.deposit_micro;
            electricity += e.electricity_wh;
            heat += e.heat_wh;
            carbon += e.carbon_g;
            trades += e.trades_micro;
            transfers += e.transfer_micro;
            /* what each pays the others, all in all, is the agreed payment to the micro-currency */
            int64_t agreed[3] = {-12345678 - 3000001, 12345678, 3000001};
            ck_assert_int_eq(e.trades_micro + e.transfer_micro, agreed[i]);
        }
        ck_assert_int_eq(balance(w, MGC_ACCOUNT_MONEY, i + 1) + balance(w, MGC_ACCOUNT_DUE, i + 1), money);
        ck_assert_int_eq(balance(w, MGC_ACCOUNT_ELECTRICITY, i + 1), electricity);
        ck_assert_int_eq(balance(w, MGC_ACCOUNT_HEAT, i + 1), heat);
        ck_assert_int_eq(balance(w, MGC_ACCOUNT_CARBON, i + 1), carbon);
    }
    ck_assert_int_eq(trades, 0);
    ck_assert_int_eq(transfers, 0);
}

START_TEST(a_day_through_a_node)
{
    static struct alliance w;
    mgc_rows *rows;
    const mgc_row *row;
    size_t deviating = 0;

    alliance_open(&w);
    mgc_day *day = make_day(&w, NULL, 0, _i);
    hand_in(&w, day, MGC_DAY_END, 0);
    check_books(&w, (mgc_day *const[]){day}, 1);
    ck_assert_int_eq(mgc_node_query(w.node, MGC_DAY_REGULATOR, "settlement", NULL, &rows), MGC_OK);
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        ck_assert_str_eq(mgc_row_text(row, "state"), "final");
        if (mgc_row_int(row, "carrier") != MGC_CARRIER_GAS && mgc_row_int(row, "deviation_wh") != 0) deviating++;
    }
    mgc_rows_destroy(rows);
    if (_i == 1)
        ck_assert_uint_eq(deviating, 0); /* who does what it planned deviates by nothing */
    else
        ck_assert_uint_gt(deviating, 10);
    mgc_day_destroy(day);
    alliance_close(&w);
}
END_TEST

/* Three days: each agreed before the one before is over; what was left of a day is handed out in between. */
START_TEST(days_follow_each_other)
{
    static struct alliance w;
    mgc_day *days[3];
    uint64_t now = 0;

    alliance_open(&w);
    for (uint32_t d = 0; d < 3; d++) {
        days[d] = make_day(&w, d == 0 ? NULL : days[d - 1], d, 0);
        if (_i == 1 && d > 0) mgc_day_destroy(days[d - 1]); /* the new day keeps what it needs */
        now = hand_in(&w, days[d], d < 2 ? MGC_DAY_ACKNOWLEDGE : MGC_DAY_END, now);
    }
    if (_i == 0) check_books(&w, days, 3);
    ck_assert_int_eq(balance(&w, MGC_ACCOUNT_CLEARING, 0), 0);
    ck_assert_uint_gt(w.transactions, 3 * 9 * PERIODS);
    for (uint32_t d = _i == 0 ? 0 : 2; d < 3; d++) mgc_day_destroy(days[d]);
    alliance_close(&w);
}
END_TEST

/* --- local days on which clocks change ------------------------------------------------------------------- */

/* How many rows the settlement of each slot has, by state, and what it sums to. */
static void check_every_slot_settled_once(struct alliance *w, uint64_t first, uint32_t slots)
{
    uint32_t seen[100] = {0};
    const mgc_row *row;
    mgc_rows *rows;
    size_t n = 0;

    ck_assert_int_eq(mgc_node_query(w->node, MGC_DAY_REGULATOR, "settlement", NULL, &rows), MGC_OK);
    for (; mgc_rows_next(rows, &row) == MGC_ROW; n++) {
        uint64_t slot = (uint64_t)mgc_row_int(row, "slot");
        ck_assert_uint_ge(slot, first);
        ck_assert_uint_lt(slot - first, slots);
        ck_assert_str_eq(mgc_row_text(row, "state"), "final");
        seen[slot - first] += 1U << (4 * (mgc_row_int(row, "carrier") - 1));
    }
    mgc_rows_destroy(rows);
    for (uint32_t t = 0; t < slots; t++) ck_assert_uint_eq(seen[t], 0x002); /* electricity of two microgrids, once each */
    ck_assert_uint_eq(n, 2 * slots);
}

/* What settling a slot anew is answered with. */
static void refused_again(struct alliance *w, uint64_t slot, const char *method, uint64_t now)
{
    mgc_node_call_opts call;
    mgc_ticket_info info = {.struct_size = sizeof info};
    mgc_signer by = {.key = key_of(w, MGC_DAY_MARKET_OPERATOR), .role = MGC_ROLE_MARKET_OPERATOR};
    char words[40];

    snprintf(words, sizeof words, "slot=%" PRIu64, slot);
    mgc_node_call_opts_init(&call, sizeof call);
    call.contract = MGC_CONTRACT_SETTLEMENT;
    call.method = method;
    call.words = words;
    call.signers = &by;
    call.n_signers = 1;
    call.now_ms = now;
    ck_assert_int_eq(mgc_node_call(w->node, &call, NULL, &info), MGC_OK);
    ck_assert_int_eq(info.status, MGC_E_ALREADY_SETTLED);
}

/* Central Europe in 2019: from local midnight to local midnight, in quarter hours of UTC. */
START_TEST(a_day_of_92_96_or_100_slots) /* faults 57 */
{
    static const struct {
        uint64_t from_ms, to_ms;
        uint32_t slots;
    } days[] = {{UINT64_C(1553986800000), UINT64_C(1554069600000), 92},
                {UINT64_C(1572127200000), UINT64_C(1572217200000), 100},
                {UINT64_C(1563228000000), UINT64_C(1563314400000), 96}};
    static struct alliance w;
    uint32_t slots = days[_i].slots;
    uint64_t first = mgc_slot_at(days[_i].from_ms, 900000), now;
    double buy[100], sell[100], sent[100], price[100], net[100];
    mgc_node_info node = {.struct_size = sizeof node};
    mgc_microgrid *site;
    mgc_link *link;
    mgc_day_opts opts;
    mgc_day *day;

    alliance_open_at(&w, days[_i].from_ms - 3 * UINT64_C(86400000));
    ck_assert_int_eq(mgc_model_create(ctx, slots, 0.25, &w.model), MGC_OK);
    for (uint32_t t = 0; t < slots; t++) {
        buy[t] = 0.2;
        sell[t] = 0.05;
        sent[t] = 40 * noise(1, t);
        price[t] = 0.1;
        net[t] = 30 * noise(2, t);
    }
    ck_assert_int_eq(mgc_model_set_series(w.model, "buy_price_per_kwh", buy, slots), MGC_OK);
    ck_assert_int_eq(mgc_model_set_series(w.model, "sell_price_per_kwh", sell, slots), MGC_OK);
    ck_assert_int_eq(mgc_model_add_microgrid(w.model, "east", 1, &site), MGC_OK);
    ck_assert_int_eq(mgc_model_add_microgrid(w.model, "west", 1, &site), MGC_OK);
    ck_assert_int_eq(mgc_model_add_link(w.model, "east", "west", "electricity", &link), MGC_OK);
    ck_assert_int_eq(mgc_link_set_number(link, "capacity_kw", 100), MGC_OK);
    ck_assert_int_eq(mgc_node_get_info(w.node, &node), MGC_OK);
    mgc_day_opts_init(&opts, sizeof opts);
    opts.information.id = node.chain_id;
    opts.start_ms = days[_i].from_ms;
    opts.key = key_of;
    opts.user = &w;
    mgc_status st = mgc_day_create(ctx, w.model, &opts, &day);
    ck_assert_msg(st == MGC_OK, "%s", mgc_ctx_error(ctx));
    ck_assert_int_eq(mgc_day_set_trade(day, 0, 0, sent, price), MGC_OK);
    for (uint32_t i = 0; i < 2; i++) ck_assert_int_eq(mgc_day_set_metered(day, i, 1, net), MGC_OK);
    now = hand_in(&w, day, MGC_DAY_END, 0);
    check_every_slot_settled_once(&w, first, slots);
    ck_assert_uint_eq(mgc_slot_begin_ms(first + slots, 900000), days[_i].to_ms);
    refused_again(&w, first, "settle", now + 1);
    refused_again(&w, first, "finalise", now + 2);
    refused_again(&w, first + slots - 1, "settle", now + 3);
    refused_again(&w, first + slots - 1, "finalise", now + 4);
    mgc_day_destroy(day);
    alliance_close(&w);
}
END_TEST

/* Shares of a pool that sum to zero in every period: now one sends and two take out, now the other way. */
static void trade_with_pool(mgc_day *day)
{
    static const double part[3] = {1, -0.37, -0.63};
    double sent[2][PERIODS], price[PERIODS];

    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t t = 0; t < PERIODS; t++) {
            double x = part[i] * (t % 3 == 1 ? -1 : 1) * 700 * noise(3, t);
            sent[0][t] = x > 0 ? x : 0;
            sent[1][t] = x < 0 ? -x : 0;
            price[t] = 0.1 * noise(8, t) - (t == 3 ? 0.11 : 0);
        }
        for (uint32_t d = 0; d < 2; d++) ck_assert_int_eq(mgc_day_set_trade(day, i, d, sent[d], price), MGC_OK);
    }
}

/* Everyone's counterparty keeps nothing: payments sum to zero, its halves of the fees come back, to the micro-currency; of
 * what is taken out its losses are left with it, and nobody deviates. */
START_TEST(a_pool_keeps_nothing)
{
    static const double payment[3] = {-12.345678, 3.000001, 9.345677};
    static struct alliance w;
    mgc_node_info node = {.struct_size = sizeof node};
    mgc_day_opts opts;
    mgc_day *day;
    mgc_rows *rows;
    const mgc_row *row;
    int64_t fees = 0, lost = 0, pool_rows = 0;
    double zero[PERIODS] = {0};

    alliance_open_with(&w, true);
    ck_assert_int_eq(mgc_node_get_info(w.node, &node), MGC_OK);
    mgc_day_opts_init(&opts, sizeof opts);
    opts.information.id = node.chain_id;
    opts.start_ms = START;
    opts.key = key_of;
    opts.user = &w;
    ck_assert_int_eq(mgc_day_create(ctx, w.model, &opts, &day), MGC_OK);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_int_eq(mgc_day_set_grid(day, i, 1, zero, zero), MGC_OK);
        ck_assert_int_eq(mgc_day_set_metered(day, i, 1, zero), MGC_OK);
        ck_assert_int_eq(mgc_day_set_payment(day, i, 3, payment[i]), MGC_OK);
    }
    trade_with_pool(day);
    hand_in(&w, day, MGC_DAY_END, 0);
    for (uint32_t i = 0; i < 4; i++) {
        mgc_day_expectation e = {.struct_size = sizeof e};
        ck_assert_int_eq(mgc_day_expect(day, i, &e), MGC_OK);
        ck_assert_int_eq(balance(&w, MGC_ACCOUNT_MONEY, i + 1) + balance(&w, MGC_ACCOUNT_DUE, i + 1),
                         e.trades_micro + e.transfer_micro + e.fee_micro + e.deposit_micro);
        ck_assert_int_eq(e.grid_micro, 0);
        ck_assert_int_eq(e.imbalance_micro, 0);
        if (i == 3) ck_assert_int_eq(e.trades_micro + e.transfer_micro + e.fee_micro, 0);
        else ck_assert_int_lt(e.trades_micro + e.transfer_micro + e.fee_micro, -llround(1e6 * payment[i])); /* by the fees */
        fees += e.fee_micro;
        lost += e.electricity_wh;
    }
    /* half of the fee on what is sent, half on what is taken out and arrives */
    double owed = 0, gone = 0;
    for (uint32_t t = 0; t < PERIODS; t++) {
        double kwh = 0.5 * 700 * noise(3, t);
        owed += 0.5 * kwh * (1 + 0.98) * 0.006 * (1 + t % 3);
        gone += 0.02 * kwh;
    }
    ck_assert_double_eq_tol(-1e-6 * (double)fees, owed, 1e-3);
    ck_assert_msg(llabs(lost) <= 3 * PERIODS, "members, pool and network: %lld Wh", (long long)lost);
    ck_assert_int_eq(mgc_node_query(w.node, MGC_DAY_REGULATOR, "settlement", NULL, &rows), MGC_OK);
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        ck_assert_int_eq(mgc_row_int(row, "deviation_wh"), 0);
        if (strcmp(mgc_row_text(row, "microgrid"), "pool") == 0) pool_rows += mgc_row_int(row, "metered_wh");
    }
    mgc_rows_destroy(rows);
    ck_assert_double_eq_tol(1e-3 * (double)pool_rows, gone, 1e-2); /* the network's losses */
    mgc_day_destroy(day);
    alliance_close(&w);
}
END_TEST

START_TEST(days_refuse_what_does_not_fit)
{
    static struct alliance w;
    mgc_day_opts opts;
    mgc_day *day;
    mgc_day_tx tx = {.struct_size = sizeof tx};
    uint8_t chain_id[32] = {0};
    double zero[PERIODS] = {0}, much[PERIODS] = {1e6}, bad[PERIODS] = {NAN};

    alliance_open(&w);
    mgc_day_opts_init(&opts, sizeof opts);
    opts.information.id = chain_id;
    opts.key = key_of;
    opts.user = &w;
    opts.start_ms = START + 1;
    ck_assert_int_eq(mgc_day_create(ctx, w.model, &opts, &day), MGC_E_SLOT);
    ck_assert_ptr_null(day);
    opts.start_ms = START;
    opts.information.id = NULL;
    ck_assert_int_eq(mgc_day_create(ctx, w.model, &opts, &day), MGC_E_INVALID_ARG);
    opts.information.id = chain_id;
    ck_assert_int_eq(mgc_day_create(ctx, w.model, &opts, &day), MGC_OK);
    ck_assert_int_eq(mgc_day_next(day, MGC_DAY_AGREE, &tx), MGC_OK); /* founding needs no bargain */
    while (mgc_day_next(day, MGC_DAY_TARIFF, &tx) == MGC_OK) continue;
    ck_assert_int_eq(mgc_day_next(day, MGC_DAY_AGREE, &tx), MGC_E_STATE);
    ck_assert_int_eq(mgc_day_set_grid(day, 0, 1, much, zero), MGC_E_RANGE);
    ck_assert_int_eq(mgc_day_set_grid(day, 0, 1, bad, zero), MGC_E_RANGE);
    ck_assert_int_eq(mgc_day_set_grid(day, 3, 1, zero, zero), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_day_set_grid(day, 0, 3, zero, zero), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_day_set_trade(day, 0, 0, much, zero), MGC_E_RANGE);
    ck_assert_int_eq(mgc_day_set_trade(day, 0, 0, zero, bad), MGC_E_RANGE);
    ck_assert_int_eq(mgc_day_set_trade(day, 3, 0, zero, zero), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_day_set_payment(day, 1, 1, 5), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_day_set_payment(day, 0, 1, INFINITY), MGC_E_RANGE);
    ck_assert_int_eq(mgc_day_set_grid(day, 0, 1, zero, zero), MGC_OK);
    ck_assert_int_eq(mgc_day_set_grid(day, 0, 1, zero, zero), MGC_E_STATE);
    ck_assert_int_eq(mgc_day_next(day, MGC_DAY_READ, &tx), MGC_OK);
    while (mgc_day_next(day, MGC_DAY_ACKNOWLEDGE, &tx) == MGC_OK) continue;
    ck_assert_int_eq(mgc_day_next(day, MGC_DAY_READ, &tx), MGC_E_STATE); /* not realised */
    mgc_day_destroy(day);
    alliance_close(&w);
}
END_TEST

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
}

static void teardown(void)
{
    mgc_ctx_destroy(ctx);
}

int main(void)
{
    Suite *s = suite_create("settle");
    TCase *t = tcase_create("settle");

    tcase_set_timeout(t, 0);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, split_conserves_and_is_fair);
    tcase_add_test(t, energy_keeps_the_day);
    tcase_add_test(t, energy_refuses_what_is_none);
    tcase_add_test(t, money_sums_to_zero);
    tcase_add_loop_test(t, a_day_through_a_node, 0, 2);
    tcase_add_loop_test(t, days_follow_each_other, 0, 2);
    tcase_add_loop_test(t, a_day_of_92_96_or_100_slots, 0, 3);
    tcase_add_test(t, a_pool_keeps_nothing);
    tcase_add_test(t, days_refuse_what_does_not_fit);
    suite_add_tcase(s, t);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
