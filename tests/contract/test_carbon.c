/* SPDX-License-Identifier: Apache-2.0 */
/* Carbon surrendered by period; certificates of origin: issued once, never for more than went out, cancelled once. */
#include "../node/market.h"

enum { INFO = MGC_CONTRACT_INFORMATION, SETTLE = MGC_CONTRACT_SETTLEMENT, LAST = FIRST_SLOT + SLOTS - 1 };

static struct market m;

static void expect(mgc_status status, uint32_t contract, const char *method, const char *signers, const char *format,
                   ...) MGC_PRINTF(5, 6);
static void expect(mgc_status status, uint32_t contract, const char *method, const char *signers, const char *format,
                   ...)
{
    char text[1000];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    market_expect(&m, status, contract, method, text, signers);
}

static int64_t cell(uint32_t caller, const char *what, const char *arguments, const char *column)
{
    mgc_rows *rows;
    const mgc_row *row;
    int64_t value = -1;

    ck_assert_int_eq(mgc_node_query(m.node, caller, what, arguments, &rows), MGC_OK);
    if (mgc_rows_next(rows, &row) == MGC_ROW) value = mgc_row_int(row, column);
    mgc_rows_destroy(rows);
    return value;
}

static void open_market(int step)
{
    m.has_host = false;
    m.pending_blocks = 0;
    market_open(&m);
    market_until(&m, step);
}

START_TEST(a_period_is_surrendered_once)
{
    int64_t carbon;

    open_market(STEP_FINALISE);
    expect(MGC_E_EARLY, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", LAST);
    market_step(&m, STEP_FINALISE);
    carbon = market_balance(&m, MGC_ACCOUNT_CARBON, 3);
    ck_assert_int_gt(carbon, 0);
    expect(MGC_E_FORBIDDEN, SETTLE, "surrender", "13:2", "microgrid=3 last_slot=%d", LAST);
    expect(MGC_E_EARLY, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", LAST + 1);
    expect(MGC_E_RANGE, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", FIRST_SLOT + MGC_ROWS_MAX);
    expect(MGC_OK, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", FIRST_SLOT + 1);
    expect(MGC_E_ALREADY_SETTLED, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", FIRST_SLOT + 1);
    expect(MGC_OK, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", LAST);
    expect(MGC_E_ALREADY_SETTLED, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", LAST);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_CARBON, 3), 0); /* all of it, and nothing twice */
    int64_t first = cell(REGULATOR, "surrendered", "microgrid=C", "carbon_g");
    ck_assert_int_gt(first, 0);
    ck_assert_int_lt(first, carbon);
    ck_assert_int_eq(cell(MANAGER + 1, "surrendered", "microgrid=C", "carbon_g"), -1); /* a neighbour's */
    market_close(&m);
}
END_TEST

START_TEST(certificates_of_origin) /* faults 54, 55 */
{
    /* B's meter 2 gave 50 000 Wh to the grid in the first slot */
    open_market(STEP_DEPOSIT);
    expect(MGC_OK, INFO, "device", "12:2", "id=1 microgrid=2 type=pv name=roof capacity_w=40000");
    expect(MGC_OK, INFO, "device", "12:2", "id=2 microgrid=2 type=wt name=mill capacity_w=90000");
    expect(MGC_OK, INFO, "device", "13:2", "id=3 microgrid=3 type=pv name=roof capacity_w=90000");
    for (int step = STEP_DEPOSIT; step < STEP_FINALISE; step++) market_step(&m, step);
    expect(MGC_E_EARLY, SETTLE, "issue", "2:5", "device=1 slot=%d wh=30000", FIRST_SLOT);
    market_step(&m, STEP_FINALISE);
    expect(MGC_E_FORBIDDEN, SETTLE, "issue", "12:2", "device=1 slot=%d wh=30000", FIRST_SLOT);
    expect(MGC_E_RANGE, SETTLE, "issue", "2:5", "device=1 slot=%d wh=40001", FIRST_SLOT); /* an hour at 40 kW */
    expect(MGC_OK, SETTLE, "issue", "2:5", "device=1 slot=%d wh=30000", FIRST_SLOT);
    expect(MGC_E_DOUBLE_CREDIT, SETTLE, "issue", "2:5", "device=1 slot=%d wh=1", FIRST_SLOT); /* 54: again */
    expect(MGC_E_DOUBLE_CREDIT, SETTLE, "issue", "2:5", "device=2 slot=%d wh=20001", FIRST_SLOT); /* 54: over export */
    expect(MGC_OK, SETTLE, "issue", "2:5", "device=2 slot=%d wh=20000", FIRST_SLOT);
    expect(MGC_E_DOUBLE_CREDIT, SETTLE, "issue", "2:5", "device=3 slot=%d wh=1", FIRST_SLOT); /* nothing went out */
    expect(MGC_E_NOT_FOUND, SETTLE, "issue", "2:5", "device=9 slot=%d wh=1", FIRST_SLOT);

    expect(MGC_E_MISSING_SIGNER, SETTLE, "cancel", "13:2", "device=1 slot=%d reason=claimed", FIRST_SLOT);
    expect(MGC_OK, SETTLE, "assign", "12:2", "device=1 slot=%d microgrid=3", FIRST_SLOT);
    expect(MGC_E_MISSING_SIGNER, SETTLE, "cancel", "12:2", "device=1 slot=%d reason=claimed", FIRST_SLOT);
    expect(MGC_OK, SETTLE, "cancel", "13:2", "device=1 slot=%d reason=claimed", FIRST_SLOT);
    expect(MGC_E_ALREADY_CANCELLED, SETTLE, "cancel", "13:2", "device=1 slot=%d reason=again", FIRST_SLOT); /* 55 */
    expect(MGC_E_ALREADY_CANCELLED, SETTLE, "assign", "13:2", "device=1 slot=%d microgrid=2", FIRST_SLOT);
    expect(MGC_E_NOT_FOUND, SETTLE, "cancel", "13:2", "device=1 slot=%d reason=x", FIRST_SLOT + 1);
    ck_assert_int_eq(cell(MANAGER + 3, "certificates", "", "wh"), 30000);
    ck_assert_int_gt(cell(MANAGER + 3, "certificates", "", "cancelled_height"), 0);
    ck_assert_int_eq(cell(MANAGER + 1, "certificates", "", "wh"), -1);
    market_close(&m);
}
END_TEST

static void one_chain(void)
{
    market_three_chains = false;
}

static void three_chains(void)
{
    market_three_chains = true;
}

static TCase *make_case(const char *name, void (*setup)(void))
{
    TCase *t = tcase_create(name);

    tcase_set_timeout(t, 0);
    tcase_add_checked_fixture(t, setup, one_chain);
    tcase_add_test(t, a_period_is_surrendered_once);
    tcase_add_test(t, certificates_of_origin);
    return t;
}

int main(void)
{
    Suite *s = suite_create("contract-carbon");

    suite_add_tcase(s, make_case("one chain", one_chain));
    suite_add_tcase(s, make_case("three chains", three_chains));
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
