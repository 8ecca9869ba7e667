/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody could try who is let in and keeps to the form: to stop the chain, to hold others' money, to gain by what he
 * withholds, to decide after the fact. */
#include "../node/market.h"

enum {
    INFO = MGC_CONTRACT_INFORMATION,
    TRADE = MGC_CONTRACT_TRADING,
    PLAN = MGC_CONTRACT_SCHEDULING,
    SETTLE = MGC_CONTRACT_SETTLEMENT,
    WATCH = MGC_CONTRACT_SUPERVISION,
    SECOND = 6, /* two more regulators */
    THIRD = 7,
    REVEAL = 600000,
    SLOT = FIRST_SLOT
};

static struct market m;

#define accept(...) market_expectf(&m, MGC_OK, __VA_ARGS__)
#define refuse(status, ...) market_expectf(&m, status, __VA_ARGS__)

static void open_until(int step)
{
    market_open(&m);
    market_until(&m, step);
    for (int id = SECOND; id <= THIRD; id++)
        accept(INFO, "member", "1:9", "id=%d organisation=1 name=r%d roles=64 key=@%d from_height=0", id, id, id);
}

static void set_rule(int parameter, int64_t value)
{
    accept(WATCH, "act", "4:6 6:6", "kind=1 subject=%d value=%" PRId64 " reason=x", parameter, value);
}

static int64_t cell(const char *what, const char *arguments, const char *column)
{
    return market_cell(&m, REGULATOR, what, arguments, column);
}

/* Is there a row of that word, and something in its other column? */
static bool has_word(uint32_t caller, const char *what, const char *arguments, const char *column, const char *word, const char *other)
{
    const mgc_row *row;
    mgc_rows *rows;
    bool has = false;

    ck_assert_int_eq(mgc_node_query(m.node, caller, what, arguments, &rows), MGC_OK);
    while (mgc_rows_next(rows, &row) == MGC_ROW)
        has = has || (strcmp(mgc_row_text(row, column), word) == 0 && mgc_row_int(row, other) != 0);
    mgc_rows_destroy(rows);
    return has;
}

static bool has_state(const char *microgrid, const char *state)
{
    char arguments[32];

    snprintf(arguments, sizeof arguments, "slot=%d&microgrid=%s", SLOT, microgrid);
    return has_word(REGULATOR, "settlement", arguments, "state", state, "slot");
}

/* --- the chain goes on --------------------------------------------------------------------------------- */

/* Two microgrids without a bound, as an administrator may enrol them, and a link with a fee between them. */
static void enrol_unbounded(void)
{
    for (int g = 4; g <= 5; g++) {
        accept(INFO, "member", "1:9", "id=%d organisation=%d name=m%d roles=4 key=@%d from_height=0", MANAGER + g, g - 2, g,
               MANAGER + g);
        accept(INFO, "microgrid", "1:9", "id=%d organisation=%d manager=%d name=%c limits=1,%" PRIu64 ",%" PRIu64 ",%" PRIu64, g,
               g - 2, MANAGER + g, '@' + g, MGC_AMOUNT_MAX, MGC_AMOUNT_MAX, MGC_AMOUNT_MAX);
        accept(INFO, "member", "1:9", "id=%d organisation=%d name=meter%d roles=8 key=@%d from_height=0", METER + 6 + g, g - 2, g,
               METER + 6 + g);
        accept(INFO, "meter", "1:9", "id=%d microgrid=%d carrier=1 link=0 member=%d from_slot=%d digits=7 max_wh=2000000 in_wh=0 out_wh=0",
               6 + g, g, METER + 6 + g, SLOT + SLOTS);
    }
    accept(INFO, "link", "1:9", "id=3 first=4 second=5 carrier=1 capacity_wh=%" PRIu64 " loss_ppm=0 fee_micro_per_kwh=6001", MGC_AMOUNT_MAX);
}

/* What costs nothing to agree may cost a fee beyond any amount, which nobody would see before the gate. */
START_TEST(no_agreement_stops_the_gate)
{
    open_until(STEP_NOMINATE);
    enrol_unbounded();
    refuse(MGC_E_OVERFLOW, TRADE, "agree", "14:2 15:2", "seller=4 buyer=5 link=3 rows=%d,%" PRIu64 ",0", SLOT, MGC_SLOT_WH_MAX + 1);
    accept(TRADE, "agree", "14:2 15:2", "seller=4 buyer=5 link=3 rows=%d,%" PRIu64 ",0", SLOT, MGC_SLOT_WH_MAX);
    refuse(MGC_E_OVERFLOW, TRADE, "agree", "14:2 15:2", "seller=4 buyer=5 link=3 rows=%d,1,0", SLOT); /* summed */
    accept(PLAN, "terms", "3:4", "link=3 rows=%d,%" PRIu64 ",1000000000", SLOT, MGC_AMOUNT_MAX); /* the highest fee there is */
    refuse(MGC_E_RANGE, TRADE, "nominate", "14:2", "microgrid=4 carrier=1 rows=%d,%" PRIu64 ",0", SLOT, MGC_SLOT_WH_MAX + 1);
    accept(TRADE, "nominate", "14:2", "microgrid=4 carrier=1 rows=%d,%" PRIu64 ",0", SLOT, MGC_SLOT_WH_MAX);
    market_at(&m, GATE);
    accept(TRADE, "deposit", "2:5", "microgrid=1 amount_micro=1 reference=x");
    ck_assert_int_eq(cell("schedule", "microgrid=D", "sent_wh"), (int64_t)MGC_SLOT_WH_MAX);
    market_close(&m);
}
END_TEST

/* As many as are let in can be scheduled and paid out; one more is not let in. */
START_TEST(a_full_slot_is_paid_out)
{
    enum { AT_ONCE = 256 };
    char rows[AT_ONCE * 24];
    int64_t before;

    open_until(STEP_NOMINATE);
    set_rule(7, 100000); /* orders of a slot */
    before = market_balance(&m, MGC_ACCOUNT_MONEY, 1);
    for (int n = 0; n < MGC_SLOT_TRADES_MAX; n += AT_ONCE) {
        size_t at = 0;

        for (int i = 0; i < AT_ONCE; i++)
            at += (size_t)snprintf(rows + at, sizeof rows - at, "%s%d,1,10000", i > 0 ? ";" : "", SLOT);
        accept(TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%s", rows);
    }
    refuse(MGC_E_RATE, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1,10000", SLOT);
    accept(TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1,10000", SLOT + 1);
    for (int step = STEP_READ_0; step < STEP_SETTLE; step++) market_step(&m, step);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    market_at(&m, m.now + HOUR + 1000);
    accept(SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    ck_assert(has_state("A", "final"));
    ck_assert_int_ne(market_balance(&m, MGC_ACCOUNT_MONEY, 1), before);
    market_close(&m);
}
END_TEST

/* Many more microgrids that have a meter and nothing else. */
static void enrol_many(int n)
{
    accept(INFO, "member", "1:9", "id=120 organisation=4 name=x roles=8 key=@120 from_height=0");
    for (int i = 0; i < n; i++) {
        char text[200];

        snprintf(text, sizeof text, "id=%d organisation=4 manager=13 name=x%d limits=1,1,1,1", 1000 + i, i);
        market_send(&m, INFO, "microgrid", text, "1:9");
        snprintf(text, sizeof text, "id=%d microgrid=%d carrier=1 link=0 member=120 from_slot=%d digits=7 max_wh=1 in_wh=0 out_wh=0",
                 1000 + i, 1000 + i, SLOT);
        market_send(&m, INFO, "meter", text, "1:9");
        if (i % 250 == 0) market_flush(&m);
    }
    market_flush(&m);
}

static void read_many(int n)
{
    for (int i = 0; i < n; i++) {
        char text[200];

        snprintf(text, sizeof text, "meter=%d rows=%d,0,0,0", 1000 + i, SLOT);
        market_send(&m, PLAN, "read", text, "120:3");
        if (i % 250 == 0) market_flush(&m);
    }
    market_flush(&m);
}

/* A slot at its worst, with losses on the way, escrow that has expired, as many payments, and nobody who can pay, in an alliance
 * of many: one transaction does what it can, and the next ones the rest. */
START_TEST(a_full_slot_of_many_is_paid_out_late)
{
    enum { AT_ONCE = 128, MANY = 1500 };
    char rows[AT_ONCE * 24];
    int n_finalised = 0;

    m.pending_blocks = 2;
    open_until(STEP_NOMINATE);
    m.pending_blocks = 0;
    set_rule(7, 100000); /* orders of a slot */
    enrol_many(MANY);
    for (int n = 0; n < MGC_SLOT_TRADES_MAX; n += AT_ONCE) {
        size_t at = 0;

        for (int i = 0; i < AT_ONCE; i++)
            at += (size_t)snprintf(rows + at, sizeof rows - at, "%s%d,12,10000", i > 0 ? ";" : "", SLOT);
        accept(TRADE, "agree", "12:2 13:2", "seller=2 buyer=3 link=2 rows=%s", rows);
    }
    snprintf(rows, sizeof rows, "payer=3 payee=2 amount_micro=1 first_slot=%d last_slot=%d run_hash=#1", SLOT, SLOT);
    for (int n = 1; n <= MGC_SLOT_PAYMENTS_MAX; n++) {
        market_send(&m, TRADE, "pay", rows, "12:2 13:2");
        if (n % 512 == 0) market_flush(&m);
    }
    ck_assert_uint_eq(market_count(&m, REGULATOR, "payments", "limit=10000"), MGC_SLOT_PAYMENTS_MAX);
    for (int n = 0; n < 3; n++) accept(TRADE, "deposit", "2:5", "microgrid=1 amount_micro=1 reference=x");
    ck_assert_uint_eq(market_pending(&m), 0);
    for (int g = 2; g <= 3; g++)
        accept(TRADE, "withdraw", g == 2 ? "2:5 12:2" : "2:5 13:2", "microgrid=%d amount_micro=%" PRId64 " reference=all", g,
               market_balance(&m, MGC_ACCOUNT_MONEY, (uint32_t)g));
    for (int step = STEP_READ_0; step < STEP_SETTLE; step++) market_step(&m, step);
    read_many(MANY);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    market_at(&m, m.now + HOUR + 1000);
    for (; !has_state("x1499", "final") && n_finalised < 10; n_finalised++) accept(SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    ck_assert(has_state("C", "final"));
    ck_assert_int_gt(n_finalised, 1);
    refuse(MGC_E_ALREADY_SETTLED, SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    ck_assert_int_lt(market_balance(&m, MGC_ACCOUNT_DUE, 3), 0);
    market_check_sums(&m);
    market_close(&m);
}
END_TEST

/* Agreements that wait for a silent meter, more than an epoch can look at: the others are judged all the same. */
START_TEST(what_waits_holds_no_credit_up)
{
    enum { AT_ONCE = 128, EPOCHS = 6 };
    char rows[AT_ONCE * 24], text[AT_ONCE * 24 + 64];

    open_until(STEP_NOMINATE);
    set_rule(7, 100000); /* orders of a slot */
    accept(TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,100000,50000", SLOT + 3);
    for (int n = 0; n < 6 * MGC_SLOT_TRADES_MAX; n += AT_ONCE) {
        if (n == 3 * MGC_SLOT_TRADES_MAX) n += AT_ONCE; /* one is there */
        size_t at = 0;

        for (int i = 0; i < AT_ONCE; i++)
            at += (size_t)snprintf(rows + at, sizeof rows - at, "%s%d,12,10000", i > 0 ? ";" : "", SLOT + n / MGC_SLOT_TRADES_MAX);
        snprintf(text, sizeof text, "seller=2 buyer=3 link=2 rows=%s", rows);
        market_send(&m, TRADE, "agree", text, "12:2 13:2");
        if (n / AT_ONCE % 16 == 15) market_flush(&m);
    }
    for (int step = STEP_READ_0; step < STEP_SETTLE; step++) market_step(&m, step);
    accept(INFO, "meter", "1:9", "id=20 microgrid=3 carrier=1 link=0 member=103 from_slot=%d digits=7 max_wh=1 in_wh=0 out_wh=0", SLOT);
    for (int t = 0; t < SLOTS; t++) accept(SETTLE, "settle", "2:5", "slot=%d", SLOT + t);
    market_at(&m, m.now + HOUR + 1000);
    for (int t = 0; t < SLOTS; t++)
        for (int i = 0; i < 2; i++) accept(SETTLE, "finalise", "2:5", "slot=%d", SLOT + t); /* A pays a full slot out */
    ck_assert(has_state("B", "final") && !has_state("C", "final"));
    market_at(&m, m.now + HOUR);
    for (int k = 1; k <= EPOCHS; k++) {
        accept(MGC_CONTRACT_CREDIT, "epoch", "2:5", "number=%d last_slot=%d", k, SLOT + 5);
        if (cell("credit", "member=11", "trade") > 0 && cell("credit", "member=11", "trade") != 5000) break;
    }
    ck_assert_int_ne(cell("credit", "member=11", "trade"), 5000);
    ck_assert_int_gt(cell("credit", "member=11", "trade"), 0);
    market_close(&m);
}
END_TEST

/* Payments of next to nothing, which the slot's transaction would have to make all at once. */
START_TEST(payments_are_counted) /* faults 58 */
{
    open_until(STEP_NOMINATE);
    set_rule(7, 2);
    for (int i = 0; i < 3; i++)
        refuse(i < 2 ? MGC_OK : MGC_E_RATE, TRADE, "pay", "11:2 12:2",
               "payer=1 payee=2 amount_micro=1 first_slot=%d last_slot=%d run_hash=#1", SLOT, SLOT);
    accept(TRADE, "pay", "11:2 12:2", "payer=2 payee=1 amount_micro=1 first_slot=%d last_slot=%d run_hash=#1", SLOT, SLOT);
    market_close(&m);
}
END_TEST

/* A meter that says the impossible, or one enrolled too late, holds its own microgrid alone. */
START_TEST(one_microgrid_holds_nobody_else) /* faults 52 */
{
    open_until(STEP_NOMINATE);
    accept(INFO, "member", "1:9", "id=120 organisation=4 name=x roles=8 key=@120 from_height=0");
    accept(INFO, "meter", "1:9",
           "id=20 microgrid=3 carrier=1 link=0 member=120 from_slot=%d digits=18 max_wh=500000000000000000 in_wh=0 out_wh=0", SLOT);
    for (int step = STEP_NOMINATE; step < STEP_SETTLE; step++) market_step(&m, step);
    accept(PLAN, "read", "120:3", "meter=20 rows=%d,499999999999999999,0,0", SLOT);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    ck_assert(has_state("A", "provisional") && has_state("B", "provisional") && !has_state("C", "provisional"));
    refuse(MGC_E_EARLY, SETTLE, "settle", "2:5", "slot=%d", SLOT);
    accept(PLAN, "correct", "2:5", "meter=20 rows=%d,0,0,0 reason=impossible", SLOT);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    accept(INFO, "meter", "1:9",
           "id=21 microgrid=2 carrier=1 link=0 member=102 from_slot=%d digits=7 max_wh=2000000 in_wh=0 out_wh=0", SLOT);
    market_at(&m, m.now + HOUR + 1000);
    accept(SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    ck_assert(has_state("A", "final") && has_state("B", "provisional") && has_state("C", "final"));
    refuse(MGC_E_EARLY, SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    accept(PLAN, "read", "102:3", "meter=21 rows=%d,0,0,0", SLOT);
    accept(SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    ck_assert(has_state("B", "final"));
    market_close(&m);
}
END_TEST

/* --- nobody gains by waiting ------------------------------------------------------------------------------ */

static void bid(uint32_t microgrid, int sells, uint64_t wh, int64_t price, int64_t deposit)
{
    uint8_t hash[32];
    char signer[16];

    snprintf(signer, sizeof signer, "%u:2", MANAGER + microgrid);
    market_bid_hash(microgrid, SLOT, 1, sells, wh, price, hash);
    accept(TRADE, "bid", signer, "microgrid=%u slot=%d carrier=1 hash=%s deposit_micro=%" PRId64, microgrid, SLOT,
           market_hex(hash, 32), deposit);
}

static void reveal(uint32_t microgrid, int number, int sells, uint64_t wh, int64_t price)
{
    char signer[16];

    snprintf(signer, sizeof signer, "%u:2", MANAGER + microgrid);
    accept(TRADE, "reveal", signer, "slot=%d carrier=1 bid=%d salt=#%u sells=%d wh=%" PRIu64 " price=%" PRId64, SLOT, number,
           microgrid, sells, wh, price);
}

/* A bid so early that what was held for it has come back by the time to reveal. */
START_TEST(an_early_bid_is_no_free_option) /* faults 60 */
{
    int64_t money, due;

    m.pending_blocks = 4;
    open_until(STEP_NOMINATE);
    m.pending_blocks = 0;
    money = market_balance(&m, MGC_ACCOUNT_MONEY, 1);
    bid(1, 1, 300000, 50000, 100000);
    bid(2, 0, 200000, 90000, 130000);
    for (int i = 0; i < 6; i++) accept(TRADE, "deposit", "2:5", "microgrid=3 amount_micro=1 reference=x");
    ck_assert_uint_eq(market_pending(&m), 0);
    accept(TRADE, "withdraw", "2:5 12:2", "microgrid=2 amount_micro=%" PRId64 " reference=x",
           market_balance(&m, MGC_ACCOUNT_MONEY, 2) - 30000);
    market_at(&m, GATE - 2 * REVEAL);
    reveal(1, 1, 1, 300000, 50000);
    market_at(&m, GATE);
    accept(TRADE, "deposit", "2:5", "microgrid=3 amount_micro=1 reference=x");
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), money);
    due = market_balance(&m, MGC_ACCOUNT_DUE, 2);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 2), 0);
    ck_assert_int_eq(due, -100000);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_CLEARING, 0), 130000);
    market_close(&m);
}
END_TEST

/* Sums beyond any account, each deposit of the same money: the gate closes all the same. */
START_TEST(no_lost_deposit_stops_the_gate) /* faults 60 */
{
    const uint64_t much = MGC_AMOUNT_MAX / 2 - 1000000000;

    m.pending_blocks = 4;
    open_until(STEP_NOMINATE);
    m.pending_blocks = 0;
    accept(TRADE, "deposit", "2:5", "microgrid=2 amount_micro=%" PRIu64 " reference=x", much);
    for (int n = 0; n < 3; n++) {
        bid(2, 0, 200000, 90000 + n, (int64_t)much);
        for (int i = 0; i < 6; i++) accept(TRADE, "deposit", "2:5", "microgrid=3 amount_micro=1 reference=x");
    }
    market_at(&m, GATE);
    accept(TRADE, "deposit", "2:5", "microgrid=3 amount_micro=1 reference=x");
    ck_assert_int_ge(market_balance(&m, MGC_ACCOUNT_CLEARING, 0), (int64_t)much);
    market_close(&m);
}
END_TEST

/* Bids that will meet nobody make no room beyond the limit of exposure. */
START_TEST(an_open_bid_closes_nothing) /* faults 38 */
{
    open_until(STEP_NOMINATE);
    set_rule(3, 1000000);
    bid(1, 0, 400000, 1, 100000);
    bid(2, 1, 400000, 2, 100000);
    market_at(&m, GATE - 2 * REVEAL);
    reveal(1, 1, 0, 400000, 1);
    reveal(2, 2, 1, 400000, 2);
    refuse(MGC_E_EXCEEDS_CREDIT, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,400000,90000", SLOT);
    ck_assert_ptr_nonnull(strstr(m.rule, "limit"));
    market_close(&m);
}
END_TEST

/* A debt is paid before anything is taken out, be it what came in since. */
START_TEST(who_owes_takes_nothing_out) /* faults 38 */
{
    open_until(STEP_DEPOSIT);
    accept(TRADE, "deposit", "2:5", "microgrid=1 amount_micro=1000000 reference=little");
    accept(TRADE, "deposit", "2:5", "microgrid=2 amount_micro=900000000 reference=much");
    accept(TRADE, "deposit", "2:5", "microgrid=3 amount_micro=900000000 reference=much");
    for (int step = STEP_NOMINATE; step <= STEP_FINALISE; step++)
        if (step != STEP_AGREE && step != STEP_ACKNOWLEDGE) market_step(&m, step);
    ck_assert_int_lt(market_balance(&m, MGC_ACCOUNT_DUE, 1), 0);
    ck_assert_int_gt(market_balance(&m, MGC_ACCOUNT_MONEY, 1), 0); /* of the heat that it sold last */
    refuse(MGC_E_EXCEEDS_CREDIT, TRADE, "withdraw", "2:5 11:2", "microgrid=1 amount_micro=1 reference=x");
    accept(TRADE, "withdraw", "2:5 12:2", "microgrid=2 amount_micro=1 reference=x");
    market_close(&m);
}
END_TEST

/* Disputing for ever is no way not to pay: the same results are disputed once, and a quorum ends it all. */
START_TEST(the_same_results_are_disputed_once) /* faults 53 */
{
    open_until(STEP_NOMINATE);
    for (int step = STEP_NOMINATE; step < STEP_SETTLE; step++) market_step(&m, step);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    accept(SETTLE, "dispute", "11:2", "slot=%d microgrid=1 reason=x", SLOT);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    refuse(MGC_E_STATE, SETTLE, "dispute", "11:2", "slot=%d microgrid=1 reason=x", SLOT);
    accept(SETTLE, "dispute", "12:2", "slot=%d microgrid=2 reason=x", SLOT);
    accept(PLAN, "correct", "2:5", "meter=5 rows=%d,299999,0,0 reason=misread", SLOT);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    accept(SETTLE, "dispute", "12:2", "slot=%d microgrid=2 reason=again", SLOT); /* these are others */
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    refuse(MGC_E_STATE, SETTLE, "dispute", "12:2", "slot=%d microgrid=2 reason=again", SLOT);
    market_close(&m);
}
END_TEST

START_TEST(an_act_ends_the_disputes) /* faults 53 */
{
    open_until(STEP_NOMINATE);
    for (int step = STEP_NOMINATE; step < STEP_SETTLE; step++) market_step(&m, step);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    accept(SETTLE, "dispute", "11:2", "slot=%d microgrid=1 reason=x", SLOT);
    accept(WATCH, "act", "2:5 4:6", "kind=7 subject=1 value=%d reason=enough", SLOT);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    refuse(MGC_E_STATE, SETTLE, "dispute", "11:2", "slot=%d microgrid=1 reason=x", SLOT);
    ck_assert_int_eq(cell("settlement", "slot=434000&microgrid=A&carrier=1", "metered_wh"), market_net[1][0] + market_net[4][0]);
    accept(SETTLE, "dispute", "12:2", "slot=%d microgrid=2 reason=x", SLOT);
    market_at(&m, m.now + HOUR + 1000);
    accept(SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    ck_assert(has_state("A", "final") && has_state("B", "disputed"));
    market_close(&m);
}
END_TEST

/* What an act settles without meters takes the place of what they had said: no gram is surrendered that was not booked. */
START_TEST(a_forced_slot_keeps_nothing_of_before)
{
    open_until(STEP_NOMINATE);
    for (int step = STEP_NOMINATE; step < STEP_SETTLE; step++) market_step(&m, step);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    ck_assert_int_gt(cell("settlement", "slot=434000&microgrid=C&carrier=3", "carbon_g"), 0);
    accept(INFO, "meter", "1:9", "id=20 microgrid=3 carrier=1 link=0 member=103 from_slot=%d digits=7 max_wh=1 in_wh=0 out_wh=0", SLOT);
    accept(WATCH, "act", "2:5 4:6", "kind=7 subject=3 value=%d reason=silent", SLOT);
    for (int i = 0; i < 2; i++) { /* revised, then final */
        market_at(&m, m.now + HOUR + 1000);
        accept(SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    }
    ck_assert(has_state("C", "final"));
    ck_assert_int_eq(cell("settlement", "slot=434000&microgrid=C&carrier=3", "carbon_g"), -1);
    accept(SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", SLOT);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_CARBON, 3), 0);
    market_check_sums(&m);
    market_close(&m);
}
END_TEST

/* --- nobody decides after the fact ------------------------------------------------------------------------- */

START_TEST(the_tariff_is_fixed_at_the_gate)
{
    open_until(STEP_NOMINATE);
    accept(SETTLE, "tariff", "2:5", "microgrid=1 carrier=1 rows=%d,300000,80000,400000,60000,380000", SLOT + 1);
    market_at(&m, GATE);
    refuse(MGC_E_GATE_CLOSED, SETTLE, "tariff", "2:5", "microgrid=2 carrier=1 rows=%d,1000000000,0,1000000000,0,0", SLOT);
    refuse(MGC_E_GATE_CLOSED, SETTLE, "tariff", "2:5", "microgrid=1 carrier=1 rows=%d,300001,80000,400000,60000,380000", SLOT + 1);
    accept(SETTLE, "tariff", "2:5", "microgrid=1 carrier=3 rows=%d,45000,0,45000,0,200000", SLOT); /* there was none */
    market_close(&m);
}
END_TEST

/* What is final could be disputed for a whole window: what was corrected in the first one is revised and waits for another. */
START_TEST(nothing_is_final_that_nobody_could_dispute) /* faults 45, 53 */
{
    open_until(STEP_NOMINATE);
    for (int step = STEP_NOMINATE; step < STEP_SETTLE; step++) market_step(&m, step);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    market_at(&m, m.now + HOUR - 1000);
    accept(PLAN, "correct", "2:5", "meter=5 rows=%d,299999,0,0 reason=misread", SLOT);
    market_at(&m, m.now + 2000);
    refuse(MGC_E_WINDOW, SETTLE, "dispute", "12:2", "slot=%d microgrid=2 reason=late", SLOT);
    refuse(MGC_E_WINDOW, PLAN, "correct", "2:5", "meter=5 rows=%d,299998,0,0 reason=misread", SLOT);
    accept(SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    ck_assert(has_state("A", "final") && has_state("B", "provisional"));
    ck_assert_uint_eq(market_count(&m, REGULATOR, "events", "name=revised"), 1);
    refuse(MGC_E_WINDOW, PLAN, "correct", "2:5", "meter=5 rows=%d,299998,0,0 reason=misread", SLOT);
    refuse(MGC_E_EARLY, SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    accept(SETTLE, "dispute", "12:2", "slot=%d microgrid=2 reason=in-time", SLOT);
    accept(PLAN, "correct", "2:5", "meter=5 rows=%d,299998,0,0 reason=disputed", SLOT);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    market_at(&m, m.now + HOUR + 1000);
    accept(SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    ck_assert(has_state("B", "final"));
    market_check_sums(&m);
    market_close(&m);
}
END_TEST

/* A meter that replaces its own estimates one by one, each at the end of a window, holds the end of its slot for one more. */
START_TEST(estimates_delay_the_end_once) /* faults 45, 53 */
{
    open_until(STEP_NOMINATE);
    accept(INFO, "member", "1:9", "id=120 organisation=3 name=x roles=8 key=@120 from_height=0");
    for (int id = 20; id < 23; id++)
        accept(INFO, "meter", "1:9", "id=%d microgrid=2 carrier=1 link=0 member=120 from_slot=%d digits=7 max_wh=2000000 in_wh=0 out_wh=0", id, SLOT);
    for (int step = STEP_NOMINATE; step < STEP_SETTLE; step++) market_step(&m, step);
    for (int id = 20; id < 23; id++) accept(PLAN, "read", "120:3", "meter=%d rows=%d,100,0,1", id, SLOT);
    accept(SETTLE, "settle", "2:5", "slot=%d", SLOT);
    market_at(&m, m.now + HOUR - 1000);
    accept(PLAN, "read", "120:3", "meter=20 rows=%d,200,0,0", SLOT);
    market_at(&m, m.now + 2000);
    refuse(MGC_E_WINDOW, PLAN, "read", "120:3", "meter=21 rows=%d,200,0,0", SLOT);
    accept(SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    ck_assert(has_state("A", "final") && has_state("B", "provisional"));
    refuse(MGC_E_WINDOW, PLAN, "read", "120:3", "meter=21 rows=%d,200,0,0", SLOT);
    market_at(&m, m.now + HOUR + 1000);
    refuse(MGC_E_WINDOW, PLAN, "read", "120:3", "meter=22 rows=%d,200,0,0", SLOT);
    accept(SETTLE, "finalise", "2:5", "slot=%d", SLOT);
    ck_assert(has_state("B", "final"));
    ck_assert_int_eq(cell("settlement", "slot=434000&microgrid=B&carrier=1", "metered_wh"),
                     market_net[2][0] + market_net[5][0] + 200 + 100 + 100);
    market_check_sums(&m);
    market_close(&m);
}
END_TEST

/* A register that runs backwards by a little is no wrap. */
START_TEST(a_meter_wraps_forward_only) /* faults 46 */
{
    open_until(STEP_NOMINATE);
    refuse(MGC_E_RANGE, INFO, "meter", "1:9",
           "id=20 microgrid=3 carrier=1 link=0 member=103 from_slot=%d digits=4 max_wh=5001 in_wh=5000 out_wh=0", SLOT);
    accept(INFO, "meter", "1:9",
           "id=20 microgrid=3 carrier=1 link=0 member=103 from_slot=%d digits=4 max_wh=5000 in_wh=5000 out_wh=0", SLOT);
    market_at(&m, START + HOUR);
    refuse(MGC_E_REGISTER_DECREASED, PLAN, "read", "103:3", "meter=20 rows=%d,4999,0,0", SLOT);
    accept(PLAN, "read", "103:3", "meter=20 rows=%d,0,0,0", SLOT); /* exactly as far as it can: past its last digit */
    market_close(&m);
}
END_TEST

/* Whose key was revoked has no vote left, not even one given before. */
START_TEST(a_stolen_key_makes_no_quorum)
{
    open_until(STEP_NOMINATE);
    accept(WATCH, "propose", "4:6", "kind=2 subject=1 value=0 reason=x");
    accept(WATCH, "propose", "4:6", "kind=2 subject=2 value=0 reason=x");
    accept(INFO, "revoke", "1:9", "member=4");
    accept(WATCH, "approve", "6:6", "number=1");
    ck_assert_uint_eq(market_count(&m, 0, "frozen", NULL), 0);
    accept(WATCH, "approve", "7:6", "number=1");
    ck_assert_uint_eq(market_count(&m, 0, "frozen", NULL), 1);
    /* by an act: three approvals of which one is left, a manager's */
    accept(WATCH, "act", "6:6 7:6", "kind=1 subject=1 value=3 reason=x");
    accept(WATCH, "propose", "7:6 11:2", "kind=1 subject=2 value=3500 reason=threshold");
    accept(INFO, "member", "1:9", "id=8 organisation=1 name=r8 roles=64 key=@8 from_height=0");
    accept(WATCH, "act", "6:6 7:6 8:6", "kind=6 subject=7 value=0 reason=stolen");
    accept(WATCH, "approve", "12:2", "number=4");
    accept(WATCH, "approve", "13:2", "number=4");
    ck_assert(!has_word(0, "acts", NULL, "reason", "threshold", "done_height"));
    accept(WATCH, "approve", "6:6", "number=4");
    ck_assert(has_word(0, "acts", NULL, "reason", "threshold", "done_height"));
    market_close(&m);
}
END_TEST

/* What was approved by a key that was replaced may have been a thief's word; the member says it again by the new one. */
START_TEST(a_replaced_key_takes_its_approvals_with_it)
{
    open_until(STEP_NOMINATE);
    accept(WATCH, "propose", "4:6", "kind=2 subject=1 value=0 reason=x");
    accept(INFO, "rotate", "4:0 60:0", "member=4 key=@60");
    accept(WATCH, "approve", "6:6", "number=1");
    ck_assert_uint_eq(market_count(&m, 0, "frozen", NULL), 0);
    accept(WATCH, "approve", "60:6", "number=1");
    ck_assert_uint_eq(market_count(&m, 0, "frozen", NULL), 1);
    market_close(&m);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, no_agreement_stops_the_gate);
    tcase_add_test(t, a_full_slot_is_paid_out);
    tcase_add_test(t, a_full_slot_of_many_is_paid_out_late);
    tcase_add_test(t, payments_are_counted);
    tcase_add_test(t, one_microgrid_holds_nobody_else);
    tcase_add_test(t, an_early_bid_is_no_free_option);
    tcase_add_test(t, no_lost_deposit_stops_the_gate);
    tcase_add_test(t, an_open_bid_closes_nothing);
    tcase_add_test(t, who_owes_takes_nothing_out);
    tcase_add_test(t, the_same_results_are_disputed_once);
    tcase_add_test(t, an_act_ends_the_disputes);
    tcase_add_test(t, a_forced_slot_keeps_nothing_of_before);
    tcase_add_test(t, the_tariff_is_fixed_at_the_gate);
    tcase_add_test(t, nothing_is_final_that_nobody_could_dispute);
    tcase_add_test(t, estimates_delay_the_end_once);
    tcase_add_test(t, a_meter_wraps_forward_only);
    tcase_add_test(t, a_stolen_key_makes_no_quorum);
    tcase_add_test(t, a_replaced_key_takes_its_approvals_with_it);
}

int main(void)
{
    Suite *s = suite_create("contract-attacks");

    add_tests(market_case(s, "one chain", 1));
    tcase_add_test(market_case(s, "credit", 3), what_waits_holds_no_credit_up); /* much to do: once */
    add_tests(market_case(s, "three chains", 3));
    return market_run(s);
}
