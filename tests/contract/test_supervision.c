/* SPDX-License-Identifier: Apache-2.0 */
/* Supervision: acts by quorum, their mandates, what the other contracts make of them, reads under audit. */
#include "../node/market.h"
#include "contract/supervision.h"

enum {
    INFO = MGC_CONTRACT_INFORMATION,
    TRADE = MGC_CONTRACT_TRADING,
    SETTLE = MGC_CONTRACT_SETTLEMENT,
    WATCH = MGC_CONTRACT_SUPERVISION,
    SECOND = 6 /* another regulator */
};

static struct market m;

static int64_t rule(const char *name)
{
    mgc_rows *rows;
    const mgc_row *row;
    int64_t value = -1;

    ck_assert_int_eq(mgc_node_query(m.node, 0, "rules", NULL, &rows), MGC_OK);
    while (mgc_rows_next(rows, &row) == MGC_ROW)
        if (strcmp(mgc_row_text(row, "name"), name) == 0) value = mgc_row_int(row, "value");
    mgc_rows_destroy(rows);
    return value;
}

static void open_market(int step)
{
    m.pending_blocks = 0;
    market_open(&m);
    market_until(&m, step);
    market_expectf(&m, MGC_OK, INFO, "member", "1:9", "id=6 organisation=1 name=r2 roles=64 key=@6 from_height=0");
}

START_TEST(an_act_needs_its_quorum)
{
    open_market(STEP_DEPOSIT);
    ck_assert_int_eq(rule("quorum"), 2);
    /* all at once: one signature where two are needed; two of one member; two without a regulator */
    market_expectf(&m, MGC_E_MISSING_SIGNER, WATCH, "act", "4:6", "kind=1 subject=2 value=3500 reason=x");
    market_expectf(&m, MGC_E_MISSING_SIGNER, WATCH, "act", "6:6", "kind=1 subject=2 value=3500 reason=x");
    market_expectf(&m, MGC_E_MISSING_SIGNER, WATCH, "act", "11:2 12:2", "kind=1 subject=2 value=3500 reason=x");
    market_expectf(&m, MGC_E_FORBIDDEN, WATCH, "act", "2:5 3:4", "kind=1 subject=2 value=3500 reason=x");
    ck_assert_int_eq(rule("credit_threshold"), 3000);
    market_expectf(&m, MGC_OK, WATCH, "act", "4:6 11:2", "kind=1 subject=2 value=3500 reason=x");
    ck_assert_int_eq(rule("credit_threshold"), 3500);
    /* one after the other */
    market_expectf(&m, MGC_OK, WATCH, "propose", "11:2", "kind=1 subject=2 value=3600 reason=x");
    market_expectf(&m, MGC_E_EXISTS, WATCH, "approve", "11:2", "number=2");
    market_expectf(&m, MGC_E_FORBIDDEN, WATCH, "approve", "2:5", "number=2");
    market_expectf(&m, MGC_OK, WATCH, "approve", "12:2", "number=2");
    ck_assert_int_eq(rule("credit_threshold"), 3500); /* two managers are no regulator */
    market_expectf(&m, MGC_OK, WATCH, "approve", "4:6", "number=2");
    ck_assert_int_eq(rule("credit_threshold"), 3600);
    market_expectf(&m, MGC_E_STATE, WATCH, "approve", "6:6", "number=2");
    market_expectf(&m, MGC_E_NOT_FOUND, WATCH, "approve", "6:6", "number=9");
    /* a larger quorum */
    market_expectf(&m, MGC_OK, WATCH, "act", "4:6 6:6", "kind=1 subject=1 value=3 reason=more");
    market_expectf(&m, MGC_E_MISSING_SIGNER, WATCH, "act", "4:6 6:6", "kind=1 subject=2 value=3000 reason=x");
    market_expectf(&m, MGC_OK, WATCH, "act", "4:6 6:6 13:2", "kind=1 subject=2 value=3000 reason=x");
    ck_assert_uint_eq(market_count(&m, 0, "acts", NULL), 4);
    market_close(&m);
}
END_TEST

START_TEST(mandates_end_somewhere)
{
    open_market(STEP_DEPOSIT);
    market_expectf(&m, MGC_E_FORBIDDEN, WATCH, "act", "4:6 6:6", "kind=1 subject=12 value=1 reason=x"); /* no such parameter */
    market_expectf(&m, MGC_E_RANGE, WATCH, "act", "4:6 6:6", "kind=1 subject=1 value=1 reason=x");
    market_expectf(&m, MGC_E_RANGE, WATCH, "act", "4:6 6:6", "kind=1 subject=2 value=9501 reason=x");
    market_expectf(&m, MGC_E_FORBIDDEN, WATCH, "act", "4:6 6:6", "kind=6 subject=1 value=0 reason=administrator");
    market_expectf(&m, MGC_E_FORBIDDEN, WATCH, "act", "4:6 6:6", "kind=4 subject=1 value=0 reason=administrator");
    market_expectf(&m, MGC_E_NOT_FOUND, WATCH, "act", "4:6 6:6", "kind=2 subject=77 value=0 reason=nobody");
    market_expectf(&m, MGC_E_MISSING_SIGNER, WATCH, "act", "4:6 11:2", "kind=2 subject=1 value=0 reason=x"); /* managers freeze not */
    market_expectf(&m, MGC_E_FORBIDDEN, WATCH, "propose", "11:2", "kind=6 subject=12 value=0 reason=x");
    market_expectf(&m, MGC_E_SLOT, WATCH, "act", "4:6 6:6", "kind=7 subject=1 value=1 reason=x");
    market_expectf(&m, MGC_E_STATE, WATCH, "act", "4:6 6:6", "kind=3 subject=1 value=0 reason=x");
    ck_assert_uint_eq(market_count(&m, 0, "acts", NULL), 0);
    market_close(&m);
}
END_TEST

START_TEST(freezing_and_revoking)
{
    open_market(STEP_NOMINATE);
    market_expectf(&m, MGC_OK, WATCH, "act", "4:6 6:6", "kind=2 subject=2 value=0 reason=x");
    market_expectf(&m, MGC_E_EXISTS, WATCH, "act", "4:6 6:6", "kind=2 subject=2 value=0 reason=x");
    market_expectf(&m, MGC_E_FORBIDDEN, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT);
    ck_assert_ptr_nonnull(strstr(m.rule, "frozen"));
    market_expectf(&m, MGC_E_FORBIDDEN, TRADE, "pay", "11:2 12:2",
           "payer=2 payee=1 amount_micro=5 first_slot=%d last_slot=%d run_hash=#1", FIRST_SLOT, FIRST_SLOT);
    market_expectf(&m, MGC_OK, TRADE, "nominate", "12:2", "microgrid=2 carrier=1 rows=%d,1,0", FIRST_SLOT); /* it may still live */
    ck_assert_uint_eq(market_count(&m, 0, "frozen", NULL), 1);
    market_expectf(&m, MGC_OK, WATCH, "act", "4:6 6:6", "kind=3 subject=2 value=0 reason=x");
    market_expectf(&m, MGC_OK, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT);
    market_expectf(&m, MGC_OK, WATCH, "act", "4:6 6:6", "kind=4 subject=11 value=0 reason=x");
    market_expectf(&m, MGC_E_FORBIDDEN, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT);
    market_expectf(&m, MGC_OK, WATCH, "act", "4:6 6:6", "kind=5 subject=11 value=0 reason=x");
    market_expectf(&m, MGC_OK, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT);
    market_expectf(&m, MGC_OK, WATCH, "act", "4:6 6:6", "kind=6 subject=12 value=0 reason=stolen");
    market_expectf(&m, MGC_E_KEY_REVOKED, TRADE, "nominate", "12:2", "microgrid=2 carrier=1 rows=%d,2,0", FIRST_SLOT);
    market_expectf(&m, MGC_E_KEY_REVOKED, WATCH, "act", "4:6 6:6", "kind=6 subject=12 value=0 reason=again");
    market_close(&m);
}
END_TEST

START_TEST(reads_leave_a_record)
{
    mgc_rows *rows;
    const mgc_row *row;

    open_market(STEP_DEPOSIT);
    market_expectf(&m, MGC_E_FORBIDDEN, WATCH, "read", "11:2", "what=trades arguments=microgrid reason=curious");
    market_expectf(&m, MGC_OK, WATCH, "read", "4:7", "what=trades arguments=slot reason=case-17");
    ck_assert_int_eq(mgc_node_query(m.node, MANAGER + 1, "audits", NULL, &rows), MGC_OK); /* who is read may know it */
    ck_assert_int_eq(mgc_rows_next(rows, &row), MGC_ROW);
    ck_assert_int_eq(mgc_row_int(row, "member"), REGULATOR);
    ck_assert_int_eq(mgc_row_int(row, "role"), MGC_ROLE_AUDITOR);
    ck_assert_str_eq(mgc_row_text(row, "read"), "trades\nslot\ncase-17");
    mgc_rows_destroy(rows);
    market_close(&m);
}
END_TEST

/* A dead meter holds its microgrid's slot until the regulator says go on. */
START_TEST(a_slot_may_be_forced) /* faults 52 */
{
    open_market(STEP_NOMINATE);
    market_step(&m, STEP_NOMINATE);
    market_step(&m, STEP_AGREE);
    market_at(&m, START + HOUR);
    market_expectf(&m, MGC_E_EARLY, SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT);
    market_expectf(&m, MGC_E_MISSING_SIGNER, WATCH, "act", "2:5", "kind=7 subject=3 value=%d reason=dead-meter", FIRST_SLOT);
    market_expectf(&m, MGC_OK, WATCH, "act", "2:5 4:6", "kind=7 subject=3 value=%d reason=dead-meter", FIRST_SLOT);
    market_expectf(&m, MGC_OK, SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT); /* C alone */
    market_expectf(&m, MGC_E_EARLY, SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT);
    market_at(&m, START + 3 * (uint64_t)HOUR);
    market_expectf(&m, MGC_OK, SETTLE, "finalise", "2:5", "slot=%d", FIRST_SLOT);
    mgc_rows *rows;
    const mgc_row *row;
    ck_assert_int_eq(mgc_node_query(m.node, REGULATOR, "settlement", "microgrid=C", &rows), MGC_OK);
    ck_assert_uint_ge(mgc_rows_count(rows), 2);
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        ck_assert_int_eq(mgc_row_int(row, "deviation_wh"), 0); /* what is not measured is no deviation */
        ck_assert_str_eq(mgc_row_text(row, "state"), "final");
    }
    mgc_rows_destroy(rows);
    market_close(&m);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, an_act_needs_its_quorum);
    tcase_add_test(t, mandates_end_somewhere);
    tcase_add_test(t, freezing_and_revoking);
    tcase_add_test(t, reads_leave_a_record);
    tcase_add_test(t, a_slot_may_be_forced);
}

int main(void)
{
    Suite *s = suite_create("contract-supervision");

    add_tests(market_case(s, "one chain", 1));
    add_tests(market_case(s, "three chains", 3));
    return market_run(s);
}
