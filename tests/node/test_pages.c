/* SPDX-License-Identifier: Apache-2.0 */
/* Answers page by page: the pages together are the whole answer, a cursor belongs to its question, filters find what a
 * full scan finds. */
#include "market.h"

static struct market m;

enum { TEXT = 1 << 20 };

/* Rows as lines of cells. */
static size_t append(mgc_rows *rows, char *text, size_t len)
{
    const mgc_row *row;

    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        for (uint32_t c = 0; mgc_rows_column(rows, c) != NULL; c++)
            len += (size_t)snprintf(text + len, TEXT - len, "%s|", mgc_row_text(row, mgc_rows_column(rows, c)));
        len += (size_t)snprintf(text + len, TEXT - len, "\n");
        ck_assert_uint_lt(len, TEXT - 4000);
    }
    return len;
}

static mgc_status ask(uint32_t caller, const char *what, const char *arguments, mgc_rows **rows)
{
    return mgc_node_query(m.node, caller, what, arguments, rows);
}

static size_t whole(uint32_t caller, const char *what, const char *arguments, char *text)
{
    mgc_rows *rows;

    ck_assert_msg(ask(caller, what, arguments, &rows) == MGC_OK, "%s: %s", what, mgc_ctx_error(m.ctx));
    ck_assert_str_eq(mgc_rows_cursor(rows), "");
    size_t len = append(rows, text, 0), n = mgc_rows_count(rows);
    text[len] = '\0';
    mgc_rows_destroy(rows);
    return n;
}

static void by_pages(uint32_t caller, const char *what, const char *arguments, size_t n, unsigned limit, char *text)
{
    char question[1200], cursor[MGC_CURSOR_MAX + 1] = "";
    size_t len = 0, pages = 0;

    text[0] = '\0';
    do {
        mgc_rows *rows;

        snprintf(question, sizeof question, "%s%slimit=%u%s%s", arguments, arguments[0] == '\0' ? "" : "&", limit,
                 cursor[0] == '\0' ? "" : "&cursor=", cursor);
        ck_assert_msg(ask(caller, what, question, &rows) == MGC_OK, "%s %s: %s", what, question, mgc_ctx_error(m.ctx));
        ck_assert_uint_le(mgc_rows_count(rows), limit);
        len = append(rows, text, len);
        snprintf(cursor, sizeof cursor, "%s", mgc_rows_cursor(rows));
        mgc_rows_destroy(rows);
        ck_assert_uint_le(++pages, n + 2);
    } while (cursor[0] != '\0');
}

static const char *const questions[][2] = {
    {"blocks", ""}, {"blocks", "from=3&to=9"}, {"transactions", ""}, {"transactions", "contract=trading"}, {"events", ""},
    {"accounts", ""}, {"accounts", "microgrid=1"}, {"members", ""}, {"microgrids", ""}, {"links", ""}, {"meters", ""},
    {"trades", ""}, {"trades", "microgrid=2"}, {"nominations", ""}, {"payments", ""}, {"schedule", ""}, {"flows", ""},
    {"readings", ""}, {"readings", "meter=4"}, {"settlement", ""}, {"tariffs", ""}, {"commitments", ""},
};

START_TEST(pages_together_are_the_whole) /* row 74 */
{
    static char all[TEXT], pages[TEXT];
    static const unsigned limits[] = {1, 3, 7, 10000};
    static const uint32_t callers[] = {REGULATOR, MANAGER + 1, 0};

    for (size_t q = 0; q < sizeof questions / sizeof *questions; q++)
        for (size_t c = 0; c < 3; c++) {
            size_t n = whole(callers[c], questions[q][0], questions[q][1], all);

            if (c == 0) ck_assert_msg(n > 0, "%s: nothing to page", questions[q][0]);
            for (size_t l = 0; l < 4; l++) {
                by_pages(callers[c], questions[q][0], questions[q][1], n, limits[l], pages);
                ck_assert_msg(strcmp(all, pages) == 0, "%s %s, caller %u, pages of %u:\n%s\nwhole:\n%s", questions[q][0],
                              questions[q][1], callers[c], limits[l], pages, all);
            }
        }
}
END_TEST

START_TEST(a_cursor_belongs_to_its_question) /* row 72 */
{
    mgc_rows *rows;
    char cursor[MGC_CURSOR_MAX + 1], question[1200];

    ck_assert_int_eq(ask(REGULATOR, "readings", "limit=2", &rows), MGC_OK);
    snprintf(cursor, sizeof cursor, "%s", mgc_rows_cursor(rows));
    mgc_rows_destroy(rows);
    ck_assert_str_ne(cursor, "");
    snprintf(question, sizeof question, "limit=2&cursor=%s", cursor);
    ck_assert_int_eq(ask(REGULATOR, "readings", question, &rows), MGC_OK);
    mgc_rows_destroy(rows);
    ck_assert_int_eq(ask(REGULATOR, "settlement", question, &rows), MGC_E_CURSOR);   /* another question */
    ck_assert_int_eq(ask(MANAGER + 1, "readings", question, &rows), MGC_E_CURSOR);   /* another caller */
    snprintf(question, sizeof question, "meter=1&limit=2&cursor=%s", cursor);
    ck_assert_int_eq(ask(REGULATOR, "readings", question, &rows), MGC_E_CURSOR);     /* another filter */
    for (size_t i = 0; i < strlen(cursor); i++) {                                    /* forged */
        snprintf(question, sizeof question, "limit=2&cursor=%s", cursor);
        question[strlen("limit=2&cursor=") + i] = cursor[i] == '0' ? '1' : '0';
        ck_assert_int_eq(ask(REGULATOR, "readings", question, &rows), MGC_E_CURSOR);
    }
    ck_assert_int_eq(ask(REGULATOR, "readings", "cursor=", &rows), MGC_E_CURSOR);
    ck_assert_int_eq(ask(REGULATOR, "readings", "cursor=zz", &rows), MGC_E_CURSOR);
    ck_assert_int_eq(ask(REGULATOR, "readings", "limit=0", &rows), MGC_E_RANGE);
    ck_assert_int_eq(ask(REGULATOR, "readings", "limit=-1", &rows), MGC_E_RANGE);
    ck_assert_int_eq(ask(REGULATOR, "blocks", "limit=4294967296", &rows), MGC_E_RANGE);
}
END_TEST

START_TEST(filters_find_what_a_scan_finds) /* row 74 */
{
    static char all[TEXT], some[TEXT], line[4000];
    mgc_rows *rows;
    const mgc_row *row;
    size_t found = 0;

    market_expect(&m, MGC_E_EXISTS, MGC_CONTRACT_INFORMATION, "organisation", "id=2 name=again", "1:9");
    (void)whole(REGULATOR, "transactions", "contract=information&status=MGC_E_EXISTS", some);
    ck_assert_int_eq(ask(REGULATOR, "transactions", "", &rows), MGC_OK);
    all[0] = '\0';
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        if (strcmp(mgc_row_text(row, "contract"), "information") != 0 ||
            strcmp(mgc_row_text(row, "status"), "MGC_E_EXISTS") != 0)
            continue;
        found++;
        line[0] = '\0';
        for (uint32_t c = 0; mgc_rows_column(rows, c) != NULL; c++) {
            strcat(line, mgc_row_text(row, mgc_rows_column(rows, c)));
            strcat(line, "|");
        }
        strcat(all, line);
        strcat(all, "\n");
        char question[100];
        snprintf(question, sizeof question, "tx_id=%s", mgc_row_text(row, "tx_id"));
        ck_assert_uint_eq(whole(REGULATOR, "transactions", question, some + TEXT / 2), 1);
        strcat(line, "\n");
        ck_assert_str_eq(some + TEXT / 2, line);
    }
    mgc_rows_destroy(rows);
    ck_assert_uint_ge(found, 1);
    ck_assert_str_eq(all, some);
}
END_TEST

/* An account's transfers add up to its balance, and are nobody's business but its own. */
START_TEST(transfers_add_up)
{
    char question[100], text[2 * MGC_ID_BYTES + 1];
    static char seen[TEXT];
    uint8_t id[MGC_ID_BYTES];
    int64_t balance = 0;
    mgc_rows *rows;
    const mgc_row *row;

    mgc_account_id(MGC_ACCOUNT_MONEY, 1, id);
    for (int i = 0; i < MGC_ID_BYTES; i++) snprintf(text + 2 * i, 3, "%02x", id[i]);
    snprintf(question, sizeof question, "account=%s", text);
    ck_assert_int_eq(ask(MANAGER + 1, "transfers", question, &rows), MGC_OK);
    ck_assert_uint_gt(mgc_rows_count(rows), 3);
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        int64_t flags = mgc_row_int(row, "flags"), amount = mgc_row_int(row, "amount");

        if (strcmp(mgc_row_text(row, "state"), "posted") != 0 || (flags & MGC_TRANSFER_PENDING) != 0 ||
            (flags & MGC_TRANSFER_VOID) != 0)
            continue;
        balance += strcmp(mgc_row_text(row, "credit"), text) == 0 ? amount : -amount;
    }
    mgc_rows_destroy(rows);
    ck_assert_int_eq(balance, market_balance(&m, MGC_ACCOUNT_MONEY, 1));
    ck_assert_uint_eq(whole(MANAGER + 2, "transfers", question, seen), 0); /* row 71: as if it did not exist */
    ck_assert_uint_eq(whole(0, "transfers", question, seen), 0);
    ck_assert_uint_eq(whole(MANAGER + 2, "transfers", "account=00000000000000000000000000000000", seen), 0);
    ck_assert_int_eq(ask(REGULATOR, "transfers", "account=xyz", &rows), MGC_E_INVALID_ARG);
    size_t n = whole(MANAGER + 1, "transfers", question, seen);
    static char pages[TEXT];
    by_pages(MANAGER + 1, "transfers", question, n, 2, pages);
    ck_assert_str_eq(seen, pages);
}
END_TEST

static void open_market(void)
{
    market_three_chains = true;
    market_open(&m);
    market_until(&m, STEP_SETTLE);
    for (int i = 0; i < 5; i++) {
        char text[100]; /* events */
        snprintf(text, sizeof text, "meter=3 rows=%d,%" PRIu64 ",%" PRIu64 ",0 reason=again-%d", FIRST_SLOT + SLOTS - 1,
                 m.registers[3][0], m.registers[3][1], i);
        market_expect(&m, MGC_OK, MGC_CONTRACT_SCHEDULING, "correct", text, "2:5");
    }
    for (int i = 1; i <= 3; i++) {
        char text[60];
        snprintf(text, sizeof text, "kind=%d slot=%d hash=#%d", i, FIRST_SLOT, i);
        market_expect(&m, MGC_OK, MGC_CONTRACT_INFORMATION, "commit", text, "11:2");
    }
    for (int step = STEP_SETTLE; step < STEPS; step++) market_step(&m, step);
}

static void close_market(void)
{
    market_close(&m);
}

int main(void)
{
    Suite *s = suite_create("node-pages");
    TCase *t = tcase_create("pages");

    tcase_set_timeout(t, 0);
    tcase_add_checked_fixture(t, open_market, close_market);
    tcase_add_test(t, pages_together_are_the_whole);
    tcase_add_test(t, a_cursor_belongs_to_its_question);
    tcase_add_test(t, filters_find_what_a_scan_finds);
    tcase_add_test(t, transfers_add_up);
    suite_add_tcase(s, t);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
