/* SPDX-License-Identifier: Apache-2.0 */
/* Carbon surrendered by period; certificates of origin: issued once, never for more than went out, cancelled once. */
#include "../node/market.h"

enum { INFO = MGC_CONTRACT_INFORMATION, SETTLE = MGC_CONTRACT_SETTLEMENT, LAST = FIRST_SLOT + SLOTS - 1 };

static struct market m;

static void open_market(int step)
{
    m.pending_blocks = 0;
    market_open(&m);
    market_until(&m, step);
}

START_TEST(a_period_is_surrendered_once)
{
    int64_t carbon;

    open_market(STEP_FINALISE);
    market_expectf(&m, MGC_E_EARLY, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", LAST);
    market_step(&m, STEP_FINALISE);
    carbon = market_balance(&m, MGC_ACCOUNT_CARBON, 3);
    ck_assert_int_gt(carbon, 0);
    market_expectf(&m, MGC_E_FORBIDDEN, SETTLE, "surrender", "13:2", "microgrid=3 last_slot=%d", LAST);
    market_expectf(&m, MGC_E_EARLY, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", LAST + 1);
    market_expectf(&m, MGC_E_RANGE, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", FIRST_SLOT + MGC_ROWS_MAX);
    market_expectf(&m, MGC_OK, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", FIRST_SLOT + 1);
    market_expectf(&m, MGC_E_ALREADY_SETTLED, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", FIRST_SLOT + 1);
    market_expectf(&m, MGC_OK, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", LAST);
    market_expectf(&m, MGC_E_ALREADY_SETTLED, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", LAST);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_CARBON, 3), 0); /* all of it, and nothing twice */
    int64_t first = market_cell(&m, REGULATOR, "surrendered", "microgrid=C", "carbon_g");
    ck_assert_int_gt(first, 0);
    ck_assert_int_lt(first, carbon);
    ck_assert_int_eq(market_cell(&m, MANAGER + 1, "surrendered", "microgrid=C", "carbon_g"), -1); /* a neighbour's */
    market_close(&m);
}
END_TEST

START_TEST(certificates_of_origin) /* faults 54, 55 */
{
    /* B's meter 2 gave 50 000 Wh to the grid in the first slot */
    open_market(STEP_DEPOSIT);
    market_expectf(&m, MGC_OK, INFO, "device", "12:2", "id=1 microgrid=2 type=pv name=roof capacity_w=40000");
    market_expectf(&m, MGC_OK, INFO, "device", "12:2", "id=2 microgrid=2 type=wt name=mill capacity_w=90000");
    market_expectf(&m, MGC_OK, INFO, "device", "13:2", "id=3 microgrid=3 type=pv name=roof capacity_w=90000");
    for (int step = STEP_DEPOSIT; step < STEP_FINALISE; step++) market_step(&m, step);
    market_expectf(&m, MGC_E_EARLY, SETTLE, "issue", "2:5", "device=1 slot=%d wh=30000", FIRST_SLOT);
    market_step(&m, STEP_FINALISE);
    market_expectf(&m, MGC_E_FORBIDDEN, SETTLE, "issue", "12:2", "device=1 slot=%d wh=30000", FIRST_SLOT);
    market_expectf(&m, MGC_E_RANGE, SETTLE, "issue", "2:5", "device=1 slot=%d wh=40001", FIRST_SLOT); /* an hour at 40 kW */
    market_expectf(&m, MGC_OK, SETTLE, "issue", "2:5", "device=1 slot=%d wh=30000", FIRST_SLOT);
    market_expectf(&m, MGC_E_DOUBLE_CREDIT, SETTLE, "issue", "2:5", "device=1 slot=%d wh=1", FIRST_SLOT); /* 54: again */
    market_expectf(&m, MGC_E_DOUBLE_CREDIT, SETTLE, "issue", "2:5", "device=2 slot=%d wh=20001", FIRST_SLOT); /* 54: over export */
    market_expectf(&m, MGC_OK, SETTLE, "issue", "2:5", "device=2 slot=%d wh=20000", FIRST_SLOT);
    market_expectf(&m, MGC_E_DOUBLE_CREDIT, SETTLE, "issue", "2:5", "device=3 slot=%d wh=1", FIRST_SLOT); /* nothing went out */
    market_expectf(&m, MGC_E_NOT_FOUND, SETTLE, "issue", "2:5", "device=9 slot=%d wh=1", FIRST_SLOT);

    market_expectf(&m, MGC_E_MISSING_SIGNER, SETTLE, "cancel", "13:2", "device=1 slot=%d reason=claimed", FIRST_SLOT);
    market_expectf(&m, MGC_OK, SETTLE, "assign", "12:2", "device=1 slot=%d microgrid=3", FIRST_SLOT);
    market_expectf(&m, MGC_E_MISSING_SIGNER, SETTLE, "cancel", "12:2", "device=1 slot=%d reason=claimed", FIRST_SLOT);
    market_expectf(&m, MGC_OK, SETTLE, "cancel", "13:2", "device=1 slot=%d reason=claimed", FIRST_SLOT);
    market_expectf(&m, MGC_E_ALREADY_CANCELLED, SETTLE, "cancel", "13:2", "device=1 slot=%d reason=again", FIRST_SLOT); /* 55 */
    market_expectf(&m, MGC_E_ALREADY_CANCELLED, SETTLE, "assign", "13:2", "device=1 slot=%d microgrid=2", FIRST_SLOT);
    market_expectf(&m, MGC_E_NOT_FOUND, SETTLE, "cancel", "13:2", "device=1 slot=%d reason=x", FIRST_SLOT + 1);
    ck_assert_int_eq(market_cell(&m, MANAGER + 3, "certificates", "", "wh"), 30000);
    ck_assert_int_gt(market_cell(&m, MANAGER + 3, "certificates", "", "cancelled_height"), 0);
    ck_assert_int_eq(market_cell(&m, MANAGER + 1, "certificates", "", "wh"), -1);
    market_close(&m);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, a_period_is_surrendered_once);
    tcase_add_test(t, certificates_of_origin);
}

int main(void)
{
    Suite *s = suite_create("contract-carbon");

    add_tests(market_case(s, "one chain", 1));
    add_tests(market_case(s, "three chains", 3));
    return market_run(s);
}
