/* SPDX-License-Identifier: Apache-2.0 */
/* Every role asks every question: it gets the rows that its role may read, no more and no less; and what it may not read
 * answers byte for byte as what does not exist. */
#include "../node/market.h"

enum {
    INFO = MGC_CONTRACT_INFORMATION,
    TRADE = MGC_CONTRACT_TRADING,
    SETTLE = MGC_CONTRACT_SETTLEMENT,
    CREDIT = MGC_CONTRACT_CREDIT,
    USER_OF_A = 20,
    USER_OF_B,
    AUDITOR,
    PLAIN_VALIDATOR,
    PLAIN_REGULATOR,
    NOTHING,
    REVEAL = 600000,
    TEXT = 1 << 18
};

static struct market m;

/* --- who --------------------------------------------------------------------------------------------------------- */

enum { SEES_NOTHING, SEES_SCHEDULES, SEES_MARKET, SEES_ALL };

static const struct asker {
    const char *name, *own; /* microgrids */
    uint32_t member, sees;
} askers[] = {{"the public", "", 0, SEES_NOTHING},
              {"somebody unknown", "", STRANGER, SEES_NOTHING},
              {"a member without roles", "", NOTHING, SEES_NOTHING},
              {"the manager of A", "A", MANAGER + 1, SEES_NOTHING},
              {"the manager of C", "C", MANAGER + 3, SEES_NOTHING},
              {"a user of A", "A", USER_OF_A, SEES_NOTHING},
              {"a user of B", "B", USER_OF_B, SEES_NOTHING},
              {"a meter of A", "", METER + 1, SEES_NOTHING},
              {"a validator", "", PLAIN_VALIDATOR, SEES_NOTHING},
              {"the administrator", "", ADMIN, SEES_NOTHING},
              {"the dispatcher", "", DISPATCHER, SEES_SCHEDULES},
              {"the market operator", "", OPERATOR, SEES_MARKET},
              {"a regulator", "", PLAIN_REGULATOR, SEES_ALL},
              {"an auditor", "", AUDITOR, SEES_ALL}};

/* --- what -------------------------------------------------------------------------------------------------------- */

enum { PUBLIC = -1 };

static const struct question {
    const char *what;
    int least;              /* who sees what belongs to others; PUBLIC: everybody all of it */
    const char *columns[2]; /* one of them names the microgrid whose the row is */
} questions[] = {{"parameters", PUBLIC, {0}},
                 {"members", PUBLIC, {0}},
                 {"microgrids", PUBLIC, {0}},
                 {"links", PUBLIC, {0}},
                 {"commitments", PUBLIC, {0}},
                 {"terms", PUBLIC, {0}},
                 {"tariffs", PUBLIC, {0}},
                 {"totals", PUBLIC, {0}},
                 {"contracts", PUBLIC, {0}},
                 {"blocks", PUBLIC, {0}},
                 {"acts", PUBLIC, {0}},
                 {"rules", PUBLIC, {0}},
                 {"frozen", PUBLIC, {0}},
                 {"audits", PUBLIC, {0}},
                 {"validators", PUBLIC, {0}},
                 {"epochs", PUBLIC, {0}},
                 {"schedule", SEES_SCHEDULES, {"microgrid"}},
                 {"meters", SEES_SCHEDULES, {"microgrid"}},
                 {"accounts", SEES_MARKET, {"microgrid"}},
                 {"nominations", SEES_MARKET, {"microgrid"}},
                 {"trades", SEES_MARKET, {"seller", "buyer"}},
                 {"payments", SEES_MARKET, {"payer", "payee"}},
                 {"bids", SEES_MARKET, {"microgrid"}},
                 {"readings", SEES_MARKET, {"microgrid"}},
                 {"settlement", SEES_MARKET, {"microgrid"}},
                 {"certificates", SEES_MARKET, {"owner"}},
                 {"surrendered", SEES_MARKET, {"microgrid"}}};

static char *render(uint32_t caller, const char *what, const char *arguments, const char *own, const char *const columns[2])
{
    static char texts[3][TEXT];
    static unsigned turn;
    char *to = texts[turn++ % 3];
    size_t at = 0;
    mgc_rows *rows;
    const mgc_row *row;
    mgc_status st = mgc_node_query(m.node, caller, what, arguments, &rows);

    ck_assert_msg(st == MGC_OK, "%s?%s: %s", what, arguments, mgc_ctx_error(m.ctx));
    for (uint32_t c = 0; mgc_rows_column(rows, c) != NULL; c++) at += (size_t)snprintf(to + at, TEXT - at, "%s ", mgc_rows_column(rows, c));
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        bool mine = own == NULL;

        for (int i = 0; !mine && i < 2 && columns[i] != NULL; i++)
            mine = own[0] != '\0' && strcmp(mgc_row_text(row, columns[i]), own) == 0;
        if (!mine) continue;
        for (uint32_t c = 0; mgc_rows_column(rows, c) != NULL; c++)
            at += (size_t)snprintf(to + at, TEXT - at, "%s%s", c == 0 ? "\n" : " ", mgc_row_text(row, mgc_rows_column(rows, c)));
        ck_assert_uint_lt(at, TEXT - 1000);
    }
    snprintf(to + at, TEXT - at, "\n%s", own == NULL ? mgc_rows_cursor(rows) : "");
    mgc_rows_destroy(rows);
    return to;
}

/* --- the world ---------------------------------------------------------------------------------------------------- */

static void bid(uint32_t microgrid, int number, int sells, uint64_t wh, int64_t price, bool open)
{
    uint8_t hash[32];
    char signer[16];

    snprintf(signer, sizeof signer, "%u:2", MANAGER + microgrid);
    market_bid_hash(microgrid, FIRST_SLOT, 1, sells, wh, price, hash);
    if (!open)
        market_expectf(&m, MGC_OK, TRADE, "bid", signer, "microgrid=%u slot=%d carrier=1 hash=%s deposit_micro=100000", microgrid,
                       FIRST_SLOT, market_hex(hash, 32));
    else
        market_expectf(&m, MGC_OK, TRADE, "reveal", signer, "slot=%d carrier=1 bid=%d salt=#%u sells=%d wh=%" PRIu64 " price=%" PRId64,
                       FIRST_SLOT, number, microgrid, sells, wh, price);
}

static void enrol(int id, int organisation, int roles)
{
    market_expectf(&m, MGC_OK, INFO, "member", "1:9", "id=%d organisation=%d name=x%d roles=%d key=@%d from_height=0", id, organisation, id,
                   roles, id);
}

static void whole_day(void)
{
    market_open(&m);
    market_until(&m, STEP_AGREE);
    enrol(USER_OF_A, 2, 1 << MGC_ROLE_USER);
    enrol(USER_OF_B, 3, 1 << MGC_ROLE_USER);
    enrol(AUDITOR, 1, 1 << MGC_ROLE_AUDITOR);
    enrol(PLAIN_VALIDATOR, 1, 1 << MGC_ROLE_VALIDATOR);
    enrol(PLAIN_REGULATOR, 1, 1 << MGC_ROLE_REGULATOR);
    enrol(NOTHING, 2, 0);
    market_expectf(&m, MGC_OK, INFO, "device", "12:2", "id=1 microgrid=2 type=pv name=roof capacity_w=40000");
    market_expectf(&m, MGC_OK, INFO, "commit", "11:2", "kind=1 slot=%d hash=!9", FIRST_SLOT);
    bid(1, 0, 1, 1000, 50000, false);
    bid(2, 0, 0, 900, 90000, false);
    market_step(&m, STEP_AGREE);
    market_at(&m, GATE - 2 * REVEAL);
    bid(1, 1, 1, 1000, 50000, true);
    bid(2, 2, 0, 900, 90000, true);
    market_at(&m, GATE - REVEAL);
    market_expectf(&m, MGC_OK, TRADE, "clear", "13:2", "slot=%d carrier=1", FIRST_SLOT);
    for (int step = STEP_ACKNOWLEDGE; step < STEPS; step++) market_step(&m, step);
    market_expectf(&m, MGC_OK, CREDIT, "epoch", "2:5", "number=1 last_slot=%d", FIRST_SLOT + SLOTS - 1);
    market_expectf(&m, MGC_OK, SETTLE, "issue", "2:5", "device=1 slot=%d wh=3000", FIRST_SLOT);
    market_expectf(&m, MGC_OK, SETTLE, "surrender", "2:5", "microgrid=3 last_slot=%d", FIRST_SLOT + SLOTS - 1);
    market_expectf(&m, MGC_OK, MGC_CONTRACT_SUPERVISION, "read", "4:6", "what=trades arguments=slot reason=case-17");
    market_expectf(&m, MGC_E_EXCEEDS_CREDIT, TRADE, "withdraw", "2:5 11:2", "microgrid=1 amount_micro=99999999999 reference=x");
}

/* --- the table ----------------------------------------------------------------------------------------------------- */

/* What others have answers like what nobody has. */
static void denied_is_absent(const struct asker *a, const struct question *q)
{
    static const char *const grids[] = {"A", "B", "C"};
    char question[100], nowhere[100];
    bool filtered = strcmp(q->what, "certificates") == 0 || q->columns[0] != NULL;

    for (size_t g = 0; filtered && g < MGC__COUNT(grids); g++)
        for (int limit = 0; limit < 2; limit++) {
            if (strcmp(grids[g], a->own) == 0) continue;
            snprintf(question, sizeof question, "microgrid=%s%s", grids[g], limit ? "&limit=1" : "");
            snprintf(nowhere, sizeof nowhere, "microgrid=nowhere%s", limit ? "&limit=1" : "");
            if (a->own[0] != '\0' && strcmp(q->columns[0], "microgrid") != 0 && strcmp(q->columns[0], "owner") != 0)
                continue; /* a trade of both is one's own */
            const char *denied = render(a->member, q->what, question, NULL, q->columns);
            const char *absent = render(a->member, q->what, nowhere, NULL, q->columns);
            ck_assert_msg(strcmp(denied, absent) == 0, "%s asks %s?%s:\n%s\nand of what is not there:\n%s", a->name, q->what, question,
                          denied, absent);
        }
}

START_TEST(each_role_gets_what_is_its_own) /* faults 71 */
{
    size_t some = 0;

    whole_day();
    for (size_t i = 0; i < MGC__COUNT(questions); i++)
        for (size_t k = 0; k < MGC__COUNT(askers); k++) {
            const struct question *q = &questions[i];
            const struct asker *a = &askers[k];
            bool all = q->least == PUBLIC || (int)a->sees >= q->least;
            const char *want = render(REGULATOR, q->what, NULL, all ? NULL : a->own, q->columns);
            const char *got = render(a->member, q->what, NULL, NULL, q->columns);

            ck_assert_msg(strcmp(want, got) == 0, "%s asks %s and gets\n%s\nhis is\n%s", a->name, q->what, got, want);
            some += strchr(got, '\n') != strrchr(got, '\n');
            if (!all) denied_is_absent(a, q);
            if (k == 0) ck_assert_msg(strchr(render(REGULATOR, q->what, NULL, NULL, q->columns), '\n')[1] != '\0' ||
                                          strcmp(q->what, "terms") == 0 || strcmp(q->what, "totals") == 0 || strcmp(q->what, "acts") == 0 || strcmp(q->what, "frozen") == 0 ||
                                          strcmp(q->what, "validators") == 0,
                                      "nothing to see in %s", q->what);
        }
    ck_assert_uint_gt(some, 200);
    market_close(&m);
}
END_TEST

/* A full page goes on for who sees his own alone, whether or not others have more. */
START_TEST(a_cursor_tells_nothing_of_others)
{
    static const char *const whats[] = {"trades", "nominations", "readings", "accounts", "settlement", "bids"};
    static const uint32_t managers[] = {MANAGER + 1, MANAGER + 2, MANAGER + 3};

    whole_day();
    for (size_t i = 0; i < MGC__COUNT(whats); i++)
        for (size_t k = 0; k < MGC__COUNT(managers); k++) {
            size_t own = market_count(&m, managers[k], whats[i], NULL);
            char limit[40];
            mgc_rows *rows;

            if (own == 0) continue;
            snprintf(limit, sizeof limit, "limit=%zu", own);
            ck_assert_int_eq(mgc_node_query(m.node, managers[k], whats[i], limit, &rows), MGC_OK);
            ck_assert_uint_eq(mgc_rows_count(rows), own);
            ck_assert_msg(mgc_rows_cursor(rows)[0] != '\0', "%s of %u", whats[i], managers[k]);
            mgc_rows_destroy(rows);
        }
    market_close(&m);
}
END_TEST

/* --- those with a rule of their own ---------------------------------------------------------------------------------- */

static void account_hex(uint32_t kind, uint32_t microgrid, char text[50])
{
    uint8_t id[16];

    mgc_account_id(kind, microgrid, id);
    snprintf(text, 50, "account=%s", market_hex(id, 16) + 1);
}

START_TEST(accounts_events_and_rules)
{
    char own[50], others[50], absent[50];
    const char *none[2] = {NULL, NULL};

    whole_day();
    account_hex(MGC_ACCOUNT_MONEY, 1, own);
    account_hex(MGC_ACCOUNT_MONEY, 2, others);
    account_hex(MGC_ACCOUNT_MONEY, 77, absent);
    for (size_t k = 0; k < MGC__COUNT(askers); k++) {
        const struct asker *a = &askers[k];
        bool of_a = strcmp(a->own, "A") == 0;

        ck_assert_int_eq(market_count(&m, a->member, "transfers", own) > 0, of_a || a->sees >= SEES_MARKET);
        if (a->sees < SEES_MARKET && strcmp(a->own, "B") != 0)
            ck_assert_str_eq(render(a->member, "transfers", others, NULL, none), render(a->member, "transfers", absent, NULL, none));
        ck_assert_int_eq(market_count(&m, a->member, "credit", "member=12") > 0, a->sees == SEES_ALL);
        if (a->sees < SEES_ALL)
            ck_assert_str_eq(render(a->member, "credit", "member=12", NULL, none), render(a->member, "credit", "member=999", NULL, none));
        ck_assert_int_eq(market_cell(&m, a->member, "events", "name=epoch", "height") > 0,
                         a->sees == SEES_ALL || a->member == OPERATOR); /* who signed it */
        ck_assert_int_eq(market_count(&m, a->member, "history", "contract=1&key=50") > 0, a->sees == SEES_ALL);
        mgc_rows *rows;
        const mgc_row *row;
        ck_assert_int_eq(mgc_node_query(m.node, a->member, "transactions", "status=MGC_E_EXCEEDS_CREDIT", &rows), MGC_OK);
        ck_assert_int_eq(mgc_rows_next(rows, &row), MGC_ROW); /* that it stands is everybody's, why is not */
        ck_assert_int_eq(mgc_row_text(row, "rule")[0] != '\0', a->sees == SEES_ALL || a->member == OPERATOR || a->member == MANAGER + 1);
        mgc_rows_destroy(rows);
    }
    ck_assert_uint_eq(market_count(&m, MANAGER + 1, "credit", NULL), 1);
    mgc_rows *rows;
    const mgc_row *row;
    ck_assert_int_eq(mgc_node_query(m.node, REGULATOR, "credit", "member=12", &rows), MGC_OK);
    ck_assert_int_eq(mgc_rows_next(rows, &row), MGC_ROW);
    ck_assert_str_eq(mgc_row_text(row, "name"), "m2"); /* as it was enrolled, on another chain */
    mgc_rows_destroy(rows);
    market_close(&m);
}
END_TEST

/* What three did is public, what two did is theirs. */
START_TEST(totals_are_of_three)
{
    mgc_rows *rows;
    const mgc_row *row;

    whole_day();
    /* A and B alone met in the auction: its price is public, its volume is not */
    ck_assert_int_gt(market_cell(&m, 0, "auctions", NULL, "price"), 0);
    ck_assert_int_eq(market_cell(&m, 0, "auctions", NULL, "volume_wh"), 0);
    ck_assert_int_eq(market_cell(&m, OPERATOR, "auctions", NULL, "volume_wh"), 900);
    /* no carrier had three organisations in a slot of the day; in the next one it has */
    ck_assert_uint_eq(market_count(&m, 0, "totals", NULL), 0);
    for (int t = 0; t < 3; t++) {
        market_expectf(&m, MGC_OK, INFO, "link", "1:9", "id=%d first=%d second=3 carrier=1 capacity_wh=500000 loss_ppm=0 fee_micro_per_kwh=0", 10 + t,
                       1 + t % 2);
        market_expectf(&m, MGC_OK, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT + 40 + t);
        if (t > 0)
            market_expectf(&m, MGC_OK, TRADE, "agree", t % 2 == 0 ? "11:2 13:2" : "12:2 13:2", "seller=%d buyer=3 link=%d rows=%d,3000,50000",
                           1 + t % 2, 10 + t, FIRST_SLOT + 40 + t);
    }
    ck_assert_int_eq(mgc_node_query(m.node, 0, "totals", "carrier=electricity", &rows), MGC_OK);
    ck_assert_uint_eq(mgc_rows_count(rows), 2);
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        ck_assert_int_eq(mgc_row_int(row, "wh"), 4000);
        ck_assert_int_eq(mgc_row_int(row, "mean_price"), 60000);
    }
    mgc_rows_destroy(rows);
    ck_assert_uint_eq(market_count(&m, 0, "totals", "carrier=heat"), 0);
    ck_assert_uint_eq(market_count(&m, 0, "totals", "slot=434041"), 1);
    ck_assert_uint_eq(market_count(&m, 0, "totals", "slot=434040"), 0);
    char cursor[500];
    ck_assert_int_eq(mgc_node_query(m.node, 0, "totals", "limit=1", &rows), MGC_OK);
    snprintf(cursor, sizeof cursor, "limit=1&cursor=%s", mgc_rows_cursor(rows));
    mgc_rows_destroy(rows);
    ck_assert_int_eq(market_cell(&m, 0, "totals", cursor, "slot"), FIRST_SLOT + 42);
    market_close(&m);
}
END_TEST

/* Each change of a record, in pages too; the market's record of credit as the example. */
START_TEST(history_of_a_record)
{
    mgc_rows *rows;
    const mgc_row *row;
    char first[300] = "", question[1000];

    whole_day();
    market_expectf(&m, MGC_OK, CREDIT, "epoch", "2:5", "number=2 last_slot=%d", FIRST_SLOT + SLOTS - 1);
    market_expectf(&m, MGC_OK, CREDIT, "epoch", "2:5", "number=3 last_slot=%d", FIRST_SLOT + SLOTS - 1);
    ck_assert_int_eq(mgc_node_query(m.node, AUDITOR, "history", "contract=6&key=4b", &rows), MGC_OK);
    ck_assert_uint_eq(mgc_rows_count(rows), 3);
    int64_t height = 0;
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        ck_assert_int_gt(mgc_row_int(row, "height"), height);
        height = mgc_row_int(row, "height");
        ck_assert_int_eq(mgc_row_int(row, "removed"), 0);
        ck_assert_str_ne(mgc_row_text(row, "value"), first);
        snprintf(first, sizeof first, "%s", mgc_row_text(row, "value"));
    }
    mgc_rows_destroy(rows);
    ck_assert_int_eq(mgc_node_query(m.node, AUDITOR, "history", "contract=6&key=4b&limit=2", &rows), MGC_OK);
    ck_assert_uint_eq(mgc_rows_count(rows), 2);
    snprintf(question, sizeof question, "contract=6&key=4b&limit=2&cursor=%s", mgc_rows_cursor(rows));
    mgc_rows_destroy(rows);
    ck_assert_int_eq(market_cell(&m, AUDITOR, "history", question, "height"), height);
    static const char *const bad[] = {"", "contract=6", "key=4b", "contract=6&key=4", "contract=6&key=xy", "contract=0&key=4b"};
    for (size_t i = 0; i < MGC__COUNT(bad); i++)
        for (int who = 0; who < 2; who++)
            ck_assert_int_eq(mgc_node_query(m.node, who == 0 ? 0 : AUDITOR, "history", bad[i], &rows), MGC_E_INVALID_ARG);
    market_close(&m);
}
END_TEST

START_TEST(carriers_trades_and_senders)
{
    mgc_rows *rows;

    whole_day();
    size_t all = market_count(&m, REGULATOR, "trades", NULL), heat = market_count(&m, REGULATOR, "trades", "carrier=heat");
    ck_assert_uint_gt(heat, 0);
    ck_assert_uint_eq(heat, market_count(&m, REGULATOR, "trades", "carrier=2"));
    ck_assert_uint_eq(heat + market_count(&m, REGULATOR, "trades", "carrier=electricity"), all);
    ck_assert_uint_eq(market_count(&m, REGULATOR, "trades", "id=2"), 1);
    ck_assert_int_eq(market_cell(&m, REGULATOR, "trades", "id=2", "id"), 2);
    ck_assert_uint_eq(market_count(&m, REGULATOR, "trades", "id=99999"), 0);
    ck_assert_int_eq(mgc_node_query(m.node, REGULATOR, "trades", "carrier=steam", &rows), MGC_E_INVALID_ARG);
    ck_assert_uint_eq(market_count(&m, REGULATOR, "readings", "carrier=gas"), SLOTS);
    ck_assert_uint_eq(market_count(&m, 0, "transactions", "member=113"), 0);
    ck_assert_uint_eq(market_count(&m, 0, "transactions", "member=101"), SLOTS); /* meter 1's readings */
    market_close(&m);
}
END_TEST

/* What is on record of the regulators' questions: auditors read all of it, each of them its own, others nothing. */
START_TEST(reads_of_regulators_are_read)
{
    mgc_rows *rows;
    const mgc_row *row;
    char question[500];

    whole_day();
    ck_assert_uint_eq(market_count(&m, MANAGER + 1, "reads", NULL), 0); /* nobody asked yet */
    (void)market_count(&m, PLAIN_REGULATOR, "trades", "slot=434000");
    (void)market_count(&m, REGULATOR, "credit", NULL); /* who is both */
    (void)market_count(&m, PLAIN_REGULATOR, "readings", "microgrid=B");
    ck_assert_uint_eq(market_count(&m, PLAIN_REGULATOR, "reads", NULL), 3); /* this question is on record, too */
    ck_assert_int_eq(mgc_node_query(m.node, AUDITOR, "reads", NULL, &rows), MGC_OK);
    ck_assert_uint_eq(mgc_rows_count(rows), 5);
    ck_assert_int_eq(mgc_rows_next(rows, &row), MGC_ROW);
    ck_assert_int_eq(mgc_row_int(row, "number"), 1);
    ck_assert_int_eq(mgc_row_int(row, "member"), PLAIN_REGULATOR);
    ck_assert_int_eq(mgc_row_int(row, "roles"), 1 << MGC_ROLE_REGULATOR);
    ck_assert_int_gt(mgc_row_int(row, "time_ms"), 0);
    ck_assert_str_eq(mgc_row_text(row, "what"), "trades");
    ck_assert_str_eq(mgc_row_text(row, "arguments"), "slot=434000");
    mgc_rows_destroy(rows);
    snprintf(question, sizeof question, "member=%d", REGULATOR);
    ck_assert_uint_eq(market_count(&m, AUDITOR, "reads", question), 1);
    ck_assert_int_eq(mgc_node_query(m.node, AUDITOR, "reads", "limit=2", &rows), MGC_OK);
    snprintf(question, sizeof question, "limit=2&cursor=%s", mgc_rows_cursor(rows));
    mgc_rows_destroy(rows);
    ck_assert_int_eq(market_cell(&m, AUDITOR, "reads", question, "number"), 3);
    for (size_t k = 0; k < MGC__COUNT(askers); k++)
        if (askers[k].sees < SEES_ALL) ck_assert_uint_eq(market_count(&m, askers[k].member, "reads", NULL), 0);
    disk_find(&m.disk, "audit-reads.log")->bytes[20] ^= 1;
    ck_assert_int_eq(mgc_node_query(m.node, AUDITOR, "reads", NULL, &rows), MGC_E_CORRUPT);
    market_close(&m);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, each_role_gets_what_is_its_own);
    tcase_add_test(t, a_cursor_tells_nothing_of_others);
    tcase_add_test(t, accounts_events_and_rules);
    tcase_add_test(t, totals_are_of_three);
    tcase_add_test(t, history_of_a_record);
    tcase_add_test(t, carriers_trades_and_senders);
    tcase_add_test(t, reads_of_regulators_are_read);
}

int main(void)
{
    Suite *s = suite_create("contract-roles");

    add_tests(market_case(s, "one chain", 1));
    add_tests(market_case(s, "three chains", 3));
    return market_run(s);
}
