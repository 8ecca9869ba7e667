/* SPDX-License-Identifier: Apache-2.0 */
/* The whole day on one node: what the books show at its end, what is left of it after a crash, that it repeats. */
#include "market.h"

/* --- what the books must show, computed from the tables by other code ------------------------------------- */

struct books {
    int64_t money[GRIDS + 1], electricity[GRIDS + 1], heat[GRIDS + 1], carbon[GRIDS + 1];
    int64_t utility, network, loss_heat;
};

/* [thousandths] to whole, halves away from zero */
static int64_t nearest(int64_t x, int64_t unit)
{
    return x >= 0 ? (x + unit / 2) / unit : -((-x + unit / 2) / unit);
}

static void book_trade(struct books *b, const struct market_trade *x)
{
    static const int64_t fee[3] = {0, 6001, 4000};
    int64_t worth = nearest(x->wh * x->price, 1000), all = nearest(x->wh * fee[x->link], 1000);

    b->money[x->seller] += worth - all / 2;
    b->money[x->buyer] -= worth + (all - all / 2);
    b->network += all;
    if (x->carrier == MGC_CARRIER_HEAT) b->loss_heat += x->wh - x->wh * 970000 / 1000000;
}

static int64_t position(uint32_t g, uint32_t carrier, int t)
{
    int64_t wh = market_nominations[g][carrier - 1][t][0] - market_nominations[g][carrier - 1][t][1];

    for (int i = 0; i < 3; i++) {
        const struct market_trade *x = &market_trades[t][i];
        if (x->link == 0 || x->carrier != carrier) continue;
        if (x->seller == g) wh -= x->wh;
        if (x->buyer == g) wh += carrier == MGC_CARRIER_HEAT ? x->wh * 970000 / 1000000 : x->wh;
    }
    return wh;
}

static int64_t metered(uint32_t g, uint32_t carrier, int t)
{
    static const uint32_t of[GRIDS + 1][3][3] = {{{0}}, {{1, 4}, {0}, {0}}, {{2, 5}, {6, 8}, {0}}, {{3}, {7}, {9}}};
    int64_t wh = 0;

    for (int i = 0; i < 3; i++) wh += market_net[of[g][carrier - 1][i]][t];
    return wh;
}

static void compute(struct books *b)
{
    memset(b, 0, sizeof *b);
    for (int t = 0; t < SLOTS; t++) {
        for (int i = 0; i < 3 && market_trades[t][i].link != 0; i++) book_trade(b, &market_trades[t][i]);
        for (uint32_t g = 1; g <= GRIDS; g++) {
            for (uint32_t c = 1; c <= 2; c++) {
                const int64_t *p = market_prices[c - 1][t], *n = market_nominations[g][c - 1][t];
                int64_t deviation = metered(g, c, t) - position(g, c, t);
                int64_t cost = nearest(n[0] * p[0], 1000) - nearest(n[1] * p[1], 1000) +
                               nearest(deviation * (deviation > 0 ? p[2] : p[3]), 1000);

                b->money[g] -= cost;
                b->utility += cost;
                *(c == 1 ? &b->electricity[g] : &b->heat[g]) += metered(g, c, t);
            }
            if (market_net[g][t] > 0) b->carbon[g] += nearest(market_net[g][t] * market_prices[0][t][4], 1000000);
        }
        b->carbon[2] += nearest(market_net[8][t] * market_prices[1][t][4], 1000000);
        b->carbon[3] += nearest(market_net[9][t] * market_gas_factor, 1000000);
    }
    for (uint32_t g = 1; g <= GRIDS; g++) b->money[g] += 300000000;
    b->money[1] -= 1234567;
    b->money[2] += 1234568;
    b->money[3] -= 1;
}

START_TEST(books_at_the_end_of_the_day)
{
    static struct market m;
    struct books b;

    compute(&b);
    m.pending_blocks = _i == 0 ? 0 : market_three_chains ? 3 : 40; /* row 40: escrow that ended by itself before its slot was final is charged
                                          * at once */
    market_open(&m);
    market_until(&m, STEP_FINALISE);
    if (_i == 1) ck_assert_uint_eq(market_pending(&m), 0);
    market_step(&m, STEP_FINALISE);
    for (uint32_t g = 1; g <= GRIDS; g++) {
        ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, g), b.money[g]);
        ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_ELECTRICITY, g), b.electricity[g]);
        ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_HEAT, g), b.heat[g]);
        ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_CARBON, g), b.carbon[g]);
        ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_DUE, g), 0);
    }
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_UTILITY, 0), b.utility);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_NETWORK, 0), b.network);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_LOSS_HEAT, 0), b.loss_heat);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_CLEARING, 0), 0);
    ck_assert_uint_eq(market_pending(&m), 0); /* every pending transfer has ended */
    market_close(&m);
}
END_TEST

/* Reserved while the day runs: worth and collateral of what is not final yet. */
START_TEST(escrow_stands_until_a_slot_is_final)
{
    static struct market m;

    market_open(&m);
    market_until(&m, STEP_FINALISE);
    ck_assert_uint_gt(market_pending(&m), 0);
    market_step(&m, STEP_FINALISE);
    ck_assert_uint_eq(market_pending(&m), 0);
    market_close(&m);
}
END_TEST

static bool same_disks(const struct disk *a, const struct disk *b)
{
    if (a->n != b->n) return false;
    for (size_t i = 0; i < a->n; i++) {
        const struct disk_file *x = &a->files[i], *y = &b->files[i];
        if (strcmp(x->name, y->name) != 0 || x->size != y->size || memcmp(x->bytes, y->bytes, x->size) != 0)
            return false;
    }
    return true;
}

START_TEST(the_same_day_gives_the_same_bytes)
{
    static struct market one, two;

    market_open(&one);
    market_open(&two);
    market_until(&one, STEPS);
    market_until(&two, STEPS);
    ck_assert_msg(same_disks(&one.disk, &two.disk), "the stores differ");
    market_close(&one);
    market_close(&two);
}
END_TEST

START_TEST(verify_executes_every_transaction_again)
{
    static struct market m;
    mgc_ledger_opts opts;
    mgc_verify_info info = {.struct_size = sizeof info};

    market_open(&m);
    market_until(&m, STEPS);
    market_stop(&m);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &m.disk;
    mgc_status st = mgc_contract_verify(m.ctx, &opts, NULL, NULL, 0, &info);
    ck_assert_msg(st == MGC_OK, "%s: %s", mgc_status_name(st), mgc_ctx_error(m.ctx));
    ck_assert_uint_eq(info.executed, 1);
    ck_assert_uint_gt(info.transactions, 100);
    if (!market_three_chains) ck_assert_uint_eq(info.blocks, info.transactions); /* the world builds a block for each */
    ck_assert_uint_eq(info.n_chains, market_three_chains ? 3 : 1);
    market_close(&m);
}
END_TEST

/* Row 85: power is cut at a storage call in the middle of the day, again and again at other calls; the day goes on
 * and ends in the same bytes of state and block as if nothing had happened. */
START_TEST(power_cuts_leave_no_trace) /* faults 84, 86 */
{
    static struct market whole, cut;
    uint8_t expected[MARKET_DIGEST], digest[MARKET_DIGEST];

    market_open(&whole);
    market_until(&whole, STEPS);
    market_digest(&whole, expected);
    long calls = whole.disk.calls, step = calls / 24;
    ck_assert_int_gt(step, 10);
    for (long at = 5 + _i * 7; at < calls; at += step) {
        market_open(&cut);
        mgc__rng_seed(&cut.rng, (uint64_t)at);
        cut.disk.fault_at = cut.disk.calls + at;
        cut.disk.fault = MGC_E_IO;
        cut.disk.die = true;
        market_until(&cut, STEPS);
        market_digest(&cut, digest);
        ck_assert_msg(memcmp(digest, expected, sizeof digest) == 0, "power cut at call %ld", at);
        market_close(&cut);
    }
    market_close(&whole);
}
END_TEST

/* Stopped and started between any two steps of the day. */
START_TEST(a_restart_goes_on_where_it_stopped)
{
    static struct market whole, m;
    uint8_t expected[MARKET_DIGEST], digest[MARKET_DIGEST];

    market_open(&whole);
    market_until(&whole, STEPS);
    market_digest(&whole, expected);
    market_close(&whole);
    market_open(&m);
    for (int step = 0; step < STEPS; step++) {
        market_step(&m, step);
        market_stop(&m);
        market_start(&m);
    }
    market_digest(&m, digest);
    ck_assert(memcmp(digest, expected, sizeof digest) == 0);
    market_close(&m);
}
END_TEST

static void on_three_chains(void)
{
    market_three_chains = true;
}

static TCase *day(const char *name, void (*setup)(void))
{
    TCase *t = tcase_create(name);

    tcase_set_timeout(t, 0);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, books_at_the_end_of_the_day, 0, 2);
    tcase_add_test(t, escrow_stands_until_a_slot_is_final);
    tcase_add_test(t, the_same_day_gives_the_same_bytes);
    tcase_add_test(t, verify_executes_every_transaction_again);
    tcase_add_loop_test(t, power_cuts_leave_no_trace, 0, 2);
    tcase_add_test(t, a_restart_goes_on_where_it_stopped);
    return t;
}

int main(void)
{
    Suite *s = suite_create("node-day");

    suite_add_tcase(s, day("one chain", NULL));
    suite_add_tcase(s, day("three chains", on_three_chains));
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
