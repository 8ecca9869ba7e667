/* SPDX-License-Identifier: Apache-2.0 */
/* Curtailment: the dispatcher changes a set point after the gate, and nobody pays a penalty for it. */
#include "../node/market.h"

enum { TRADE = MGC_CONTRACT_TRADING, PLAN = MGC_CONTRACT_SCHEDULING, SETTLE = MGC_CONTRACT_SETTLEMENT, CREDIT = MGC_CONTRACT_CREDIT };

static struct market m;

static int64_t cell_of(const char *what, int slot, const char *microgrid, int carrier, const char *column)
{
    char question[80];

    snprintf(question, sizeof question, "slot=%d&microgrid=%s&carrier=%d", FIRST_SLOT + slot, microgrid, carrier);
    return market_cell(&m, REGULATOR, what, question, column);
}

static void curtail(mgc_status status, const char *signers, int microgrid, int carrier, int slot, int64_t take_less, int64_t give_less)
{
    market_expectf(&m, status, PLAN, "curtail", signers, "microgrid=%d carrier=%d rows=%d,%" PRId64 ",%" PRId64 " reason=transformer", microgrid,
                   carrier, FIRST_SLOT + slot, take_less, give_less);
}

START_TEST(who_may_curtail_what_and_when)
{
    int64_t takes, gives;

    market_open(&m);
    market_until(&m, STEP_ACKNOWLEDGE);
    curtail(MGC_E_EARLY, "3:4", 1, 1, 0, 0, 0); /* there is no schedule yet: nominations and terms are the way */
    market_step(&m, STEP_ACKNOWLEDGE);
    takes = cell_of("schedule", 0, "B", 1, "buy_wh") + cell_of("schedule", 0, "B", 1, "received_wh");
    gives = cell_of("schedule", 0, "B", 1, "sell_wh") + cell_of("schedule", 0, "B", 1, "sent_wh");
    ck_assert_int_gt(takes, 0);
    ck_assert_int_gt(gives, 0);
    curtail(MGC_E_FORBIDDEN, "2:5", 2, 1, 0, 1, 0);
    curtail(MGC_E_FORBIDDEN, "12:2", 2, 1, 0, 1, 0);
    curtail(MGC_E_NOT_FOUND, "3:4", 9, 1, 0, 1, 0);
    curtail(MGC_E_RANGE, "3:4", 2, 1, 0, takes + 1, 0);
    curtail(MGC_E_RANGE, "3:4", 2, 1, 0, 0, gives + 1);
    curtail(MGC_E_RANGE, "3:4", 2, 1, 0, -1, 0);
    curtail(MGC_E_SLOT, "3:4", 2, 1, -1, 0, 0);
    curtail(MGC_E_EARLY, "3:4", 2, 1, 50, 0, 0);
    ck_assert_int_gt(cell_of("schedule", 0, "B", 1, "acknowledged_height"), 0);
    curtail(MGC_OK, "3:4", 2, 1, 0, takes, gives);
    ck_assert_int_eq(cell_of("schedule", 0, "B", 1, "position_wh"), 0);
    ck_assert_int_eq(cell_of("schedule", 0, "B", 1, "acknowledged_height"), 0); /* another set point, to be acknowledged anew */
    market_expectf(&m, MGC_OK, PLAN, "acknowledge", "12:2", "microgrid=2 first_slot=%d last_slot=%d", FIRST_SLOT, FIRST_SLOT);
    ck_assert_int_gt(cell_of("schedule", 0, "B", 1, "acknowledged_height"), 0);
    ck_assert_int_eq(cell_of("schedule", 0, "B", 1, "take_less_wh"), takes);
    curtail(MGC_OK, "3:4", 2, 1, 0, 1, 0); /* takes the place of the one before it */
    ck_assert_int_eq(cell_of("schedule", 0, "B", 1, "position_wh"), takes - gives - 1);
    ck_assert_int_eq(market_cell(&m, MANAGER + 2, "schedule", "carrier=1", "take_less_wh"), 1); /* whom it concerns */
    market_at(&m, START + HOUR - 1);
    curtail(MGC_OK, "3:4", 2, 1, 0, 0, 0); /* while the slot lasts */
    ck_assert_int_eq(cell_of("schedule", 0, "B", 1, "position_wh"), takes - gives);
    market_at(&m, START + HOUR);
    curtail(MGC_E_SLOT, "3:4", 2, 1, 0, 1, 0); /* it is over: what was, was */
    ck_assert_int_eq(cell_of("schedule", 1, "B", 1, "take_less_wh"), 0);
    ck_assert_int_eq(market_verify(&m), MGC_OK);
    market_close(&m);
}
END_TEST

/* What a microgrid has in the end, all its accounts of money. */
static int64_t wealth(uint32_t microgrid)
{
    return market_balance(&m, MGC_ACCOUNT_MONEY, microgrid) + market_balance(&m, MGC_ACCOUNT_DUE, microgrid);
}

static int64_t worth(int64_t wh, int64_t price)
{
    int64_t micro;

    ck_assert_int_eq(mgc_worth((uint64_t)(wh < 0 ? -wh : wh), price, &micro), MGC_OK);
    return wh < 0 ? -micro : micro;
}

/* Somebody's order in a slot; in the world's own day A gives 10 000 Wh less than agreed in slot 0, B takes 20 000 Wh less than
 * nominated in slot 1. */
static const struct order {
    int microgrid, slot;
    const char *name;
} orders[] = {{1, 0, "A"}, {2, 1, "B"}};

struct outcome {
    int64_t wealth[GRIDS + 1], utility, credit[GRIDS + 1];
    int64_t imbalance, grid, deviation, position;
};

/* The day, in which a microgrid is curtailed by so much in a slot, and everybody does what the meters always said. */
static struct outcome a_day(const struct order *w, int64_t take_less, int64_t give_less)
{
    const int64_t *prices = market_prices[0][w->slot];
    struct outcome o = {0};

    market_open(&m);
    market_until(&m, STEP_READ_0);
    market_expectf(&m, MGC_OK, MGC_CONTRACT_SUPERVISION, "act", "4:6 11:2", "kind=1 subject=4 value=0 reason=exactly"); /* no tolerance */
    if (take_less != 0 || give_less != 0) curtail(MGC_OK, "3:4", w->microgrid, 1, w->slot, take_less, give_less);
    for (int step = STEP_READ_0; step < STEPS; step++) market_step(&m, step);
    market_expectf(&m, MGC_OK, CREDIT, "epoch", "2:5", "number=1 last_slot=%d", FIRST_SLOT + SLOTS - 1);
    for (uint32_t g = 1; g <= GRIDS; g++) {
        char question[24];
        snprintf(question, sizeof question, "member=%u", MANAGER + g);
        o.wealth[g] = wealth(g);
        o.credit[g] = market_cell(&m, REGULATOR, "credit", question, "trade");
    }
    o.utility = market_balance(&m, MGC_ACCOUNT_UTILITY, 0);
    o.imbalance = cell_of("settlement", w->slot, w->name, 1, "imbalance_micro");
    o.grid = cell_of("settlement", w->slot, w->name, 1, "grid_micro");
    o.deviation = cell_of("settlement", w->slot, w->name, 1, "deviation_wh");
    o.position = cell_of("settlement", w->slot, w->name, 1, "position_wh");
    ck_assert_int_eq(cell_of("settlement", w->slot, w->name, 1, "curtailed_micro"),
                     (give_less * prices[1] + 500) / 1000 - (take_less * prices[0] + 500) / 1000);
    market_check_sums(&m);
    ck_assert_int_eq(market_verify(&m), MGC_OK);
    market_close(&m);
    return o;
}

/* In one day somebody deviates; in the other he is ordered to do just that.  All that differs is the price of those Wh: instead
 * of the imbalance price the nominations', and no credit is lost.  Nobody else notices. */
START_TEST(what_is_ordered_is_no_deviation)
{
    for (size_t i = 0; i < MGC__COUNT(orders); i++) {
        const struct order *w = &orders[i];
        const int64_t *prices = market_prices[0][w->slot];
        struct outcome free_day = a_day(w, 0, 0), ordered;
        int64_t d = free_day.deviation, pays = worth(d, prices[d > 0 ? 1 : 0]);

        ck_assert_int_ne(d, 0);
        ordered = a_day(w, d < 0 ? -d : 0, d > 0 ? d : 0);
        ck_assert_int_eq(ordered.position, free_day.position + d);
        ck_assert_int_eq(ordered.deviation, 0);
        ck_assert_int_eq(ordered.imbalance, 0);
        ck_assert_int_eq(ordered.grid, free_day.grid);
        ck_assert_int_eq(free_day.imbalance, worth(d, prices[d > 0 ? 2 : 3]));
        ck_assert_int_gt(free_day.imbalance, pays);
        for (int g = 1; g <= GRIDS; g++) {
            ck_assert_int_eq(ordered.wealth[g] - free_day.wealth[g], g == w->microgrid ? free_day.imbalance - pays : 0);
            if (g != w->microgrid) ck_assert_int_eq(ordered.credit[g], free_day.credit[g]);
        }
        ck_assert_int_eq(ordered.utility - free_day.utility, pays - free_day.imbalance);
        if (d > 0) ck_assert_int_gt(ordered.credit[w->microgrid], free_day.credit[w->microgrid]); /* it had sold what it did not give */
        else ck_assert_int_ge(ordered.credit[w->microgrid], free_day.credit[w->microgrid]);
    }
}
END_TEST

/* Ordered to, and did not: the deviation is from what was ordered. */
START_TEST(who_does_not_follow_deviates)
{
    static const struct order w = {2, 0, "B"};
    const int64_t *prices = market_prices[0][0];
    struct outcome free_day = a_day(&w, 0, 0), deaf = a_day(&w, 0, 20000);

    ck_assert_int_eq(free_day.deviation, 0);
    ck_assert_int_eq(deaf.position, 20000 + free_day.position);
    ck_assert_int_eq(deaf.deviation, -20000);
    ck_assert_int_eq(deaf.wealth[2], free_day.wealth[2] + worth(20000, prices[3]) - worth(20000, prices[1]));
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, who_may_curtail_what_and_when);
    tcase_add_test(t, what_is_ordered_is_no_deviation);
    tcase_add_test(t, who_does_not_follow_deviates);
}

int main(void)
{
    Suite *s = suite_create("contract-curtail");

    add_tests(market_case(s, "one chain", 1));
    add_tests(market_case(s, "three chains", 3));
    return market_run(s);
}
