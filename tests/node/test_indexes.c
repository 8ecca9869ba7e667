/* SPDX-License-Identifier: Apache-2.0 */
/* Questions with conditions are answered from indexes, which follow the chains: whenever they are asked, they answer what
 * a look at every row answers, whole and page by page. */
#include "market.h"

static struct market m;

enum { ROWS = 600, TEXT = 400 };

struct rows {
    size_t n;
    char line[ROWS][TEXT], value[2][ROWS][TEXT]; /* what the conditions look at */
};

/* Conditions on a column, or on either of two of them. */
static const struct {
    const char *what, *key, *column[2];
} asked[] = {
    {"transactions", "contract", {"contract", NULL}}, {"transactions", "status", {"status", NULL}},
    {"transactions", "height", {"height", NULL}},     {"events", "contract", {"contract", NULL}},
    {"events", "name", {"name", NULL}},               {"accounts", "microgrid", {"microgrid", NULL}},
    {"commitments", "member", {"member", NULL}},      {"nominations", "microgrid", {"microgrid", NULL}},
    {"nominations", "slot", {"slot", NULL}},          {"nominations", "carrier", {"carrier", NULL}},
    {"trades", "id", {"id", NULL}},                   {"trades", "microgrid", {"seller", "buyer"}},
    {"trades", "carrier", {"carrier", NULL}},         {"trades", "slot", {"slot", NULL}},
    {"payments", "microgrid", {"payer", "payee"}},    {"schedule", "microgrid", {"microgrid", NULL}},
    {"schedule", "carrier", {"carrier", NULL}},       {"flows", "slot", {"slot", NULL}},
    {"readings", "microgrid", {"microgrid", NULL}},   {"readings", "slot", {"slot", NULL}},
    {"readings", "meter", {"meter", NULL}},           {"settlement", "microgrid", {"microgrid", NULL}},
    {"settlement", "carrier", {"carrier", NULL}},     {"tariffs", "slot", {"slot", NULL}},
    {"tariffs", "carrier", {"carrier", NULL}},        {"credit", "member", {"member", NULL}},
};

static void put_line(const mgc_rows *rows, const mgc_row *row, char line[TEXT])
{
    size_t at = 0;

    for (uint32_t c = 0; mgc_rows_column(rows, c) != NULL; c++) {
        at += (size_t)snprintf(line + at, TEXT - at, "%s|", mgc_row_text(row, mgc_rows_column(rows, c)));
        if (at >= TEXT) at = TEXT - 1; /* the end of a long one */
    }
}

/* limit 0: at once.  The cursor is followed to the end. */
static void ask(uint32_t caller, const char *what, const char *key, const char *value, unsigned limit,
                const char *const column[2], struct rows *out)
{
    char question[1200], cursor[MGC_CURSOR_MAX + 1] = "";

    out->n = 0;
    do {
        size_t at = (size_t)snprintf(question, sizeof question, "%s%s%s", key == NULL ? "" : key, key == NULL ? "" : "=",
                                     key == NULL ? "" : value);
        const mgc_row *row;
        mgc_rows *rows;

        if (limit > 0) at += (size_t)snprintf(question + at, sizeof question - at, "%slimit=%u", at > 0 ? "&" : "", limit);
        if (cursor[0] != '\0') (void)snprintf(question + at, sizeof question - at, "&cursor=%s", cursor);
        ck_assert_msg(mgc_node_query(m.node, caller, what, question, &rows) == MGC_OK, "%s?%s: %s", what, question,
                      mgc_ctx_error(m.ctx));
        while (mgc_rows_next(rows, &row) == MGC_ROW) {
            ck_assert_uint_lt(out->n, ROWS);
            put_line(rows, row, out->line[out->n]);
            for (int i = 0; i < 2; i++)
                (void)snprintf(out->value[i][out->n], TEXT, "%s", column[i] == NULL ? "" : mgc_row_text(row, column[i]));
            out->n++;
        }
        (void)snprintf(cursor, sizeof cursor, "%s", mgc_rows_cursor(rows));
        mgc_rows_destroy(rows);
    } while (cursor[0] != '\0');
}

static size_t conditions_of(uint32_t caller, size_t q)
{
    static struct rows all, some;
    size_t found = 0;

    ask(caller, asked[q].what, NULL, NULL, 0, asked[q].column, &all);
    for (size_t i = 0; i < all.n; i++)
        for (int side = 0; side < 2 && asked[q].column[side] != NULL; side++)
            for (unsigned limit = 0; limit <= 2; limit += 2) {
                const char *value = all.value[side][i];
                size_t at = 0;
                bool before = false;

                for (size_t k = 0; k < i && !before; k++)
                    before = strcmp(all.value[0][k], value) == 0 || strcmp(all.value[1][k], value) == 0;
                if (before || value[0] == '\0' || strcmp(value, "0") == 0) continue;
                ask(caller, asked[q].what, asked[q].key, value, limit, asked[q].column, &some);
                for (size_t k = 0; k < all.n; k++) {
                    if (strcmp(all.value[0][k], value) != 0 && strcmp(all.value[1][k], value) != 0) continue;
                    ck_assert_msg(at < some.n && strcmp(some.line[at], all.line[k]) == 0, "%u asks %s?%s=%s: %s\nnot %s", caller,
                                  asked[q].what, asked[q].key, value, at < some.n ? some.line[at] : "nothing", all.line[k]);
                    at++;
                }
                ck_assert_msg(at == some.n, "%u asks %s?%s=%s: %zu rows, not %zu", caller, asked[q].what, asked[q].key, value,
                              some.n, at);
                found += some.n;
            }
    return found;
}

/* Of the first chain's transactions, by whose key sent them. */
static size_t by_member(void)
{
    static struct rows all, some;
    static const char *const column[2] = {"sender", NULL};
    size_t found = 0;

    ask(REGULATOR, "transactions", NULL, NULL, 0, column, &all);
    for (size_t who = 0; who < m.n_keys; who++) {
        const char *key = market_hex(mgc__key_public(m.keys[who].key), 32);
        char member[20];
        size_t at = 0;

        (void)snprintf(member, sizeof member, "%u", m.keys[who].member);
        if (m.keys[who].member == STRANGER) continue;
        ask(REGULATOR, "transactions", "member", member, 3, column, &some);
        for (size_t k = 0; k < all.n; k++) {
            if (strcmp(all.value[0][k], key) != 0) continue;
            ck_assert_uint_lt(at, some.n);
            ck_assert_str_eq(some.line[at], all.line[k]);
            at++;
        }
        found += some.n;
    }
    return found;
}

START_TEST(indexes_follow_the_chains) /* faults 74, 94 */
{
    static const uint32_t callers[] = {REGULATOR, MANAGER + 1, OPERATOR, 0};
    size_t found = 0, sent = 0;

    market_open(&m);
    for (int step = 0; step < STEPS; step++) {
        market_step(&m, step);
        if (step == STEP_AGREE) {
            char bad[60];

            (void)snprintf(bad, sizeof bad, "kind=1 slot=%d hash=#1", FIRST_SLOT);
            market_expect(&m, MGC_OK, MGC_CONTRACT_INFORMATION, "commit", bad, "11:2");
            market_expect(&m, MGC_E_EXISTS, MGC_CONTRACT_INFORMATION, "organisation", "id=2 name=again", "1:9");
        }
        if (step == STEP_READ_1) { /* a new handle begins without any */
            market_stop(&m);
            market_start(&m);
        }
        if (step % 3 != 1 && step < STEP_FINALISE) continue; /* several blocks between two looks */
        for (size_t q = 0; q < MGC__COUNT(asked); q++)
            for (size_t c = 0; c < MGC__COUNT(callers); c++) found += conditions_of(callers[c], q);
        sent += by_member();
    }
    ck_assert_uint_gt(found, 5000);
    ck_assert_uint_gt(sent, 100);
    market_close(&m);
}
END_TEST

/* A member that was given another key is still asked for by its number. */
START_TEST(a_member_of_two_keys_is_one)
{
    market_open(&m);
    market_until(&m, STEP_DEPOSIT);
    market_step(&m, STEP_DEPOSIT);
    size_t before = market_count(&m, REGULATOR, "transactions", "member=11");
    char text[60];
    (void)snprintf(text, sizeof text, "kind=1 slot=%d hash=#1", FIRST_SLOT);
    market_expect(&m, MGC_OK, MGC_CONTRACT_INFORMATION, "commit", text, "11:2");
    ck_assert_uint_eq(market_count(&m, REGULATOR, "transactions", "member=11"), before + 1);
    market_expect(&m, MGC_OK, MGC_CONTRACT_INFORMATION, "rotate", "member=11 key=@900", "11:2 900:2");
    ck_assert_uint_eq(market_count(&m, REGULATOR, "transactions", "member=11"), before + 2);
    size_t events = market_count(&m, MANAGER + 1, "events", "");
    (void)snprintf(text, sizeof text, "kind=2 slot=%d hash=#2", FIRST_SLOT);
    market_expect(&m, MGC_OK, MGC_CONTRACT_INFORMATION, "commit", text, "900:2");
    ck_assert_uint_eq(market_count(&m, REGULATOR, "transactions", "member=11"), before + 3);
    ck_assert_uint_ge(market_count(&m, MANAGER + 1, "events", ""), events);
    market_close(&m);
}
END_TEST

static int32_t speak(void *user, mgc_env *env, const mgc_call *call)
{
    (void)user;
    for (uint8_t i = 0; i < call->method_len; i++) {
        mgc_status st = mgc_env_emit(env, "said", &i, 1);
        if (st != MGC_OK) return st;
    }
    return MGC_CB_DONE;
}

/* Who signed sees all events of a transaction, however the pages lie, and none of others'. */
START_TEST(events_of_who_signed)
{
    enum { OWN = MGC_CONTRACT_HOST + 3 };
    static struct rows all, own, paged;
    static const char *const column[2] = {"contract", "index"};
    char text[200];
    size_t at = 0;

    m.hosts[0] = (mgc_contract){.struct_size = sizeof(mgc_contract), .version = 1, .id = OWN, .code_version = 1, .name = "speaker",
                                .execute = speak};
    m.n_hosts = 1;
    market_open(&m);
    market_until(&m, STEP_NOMINATE);
    (void)snprintf(text, sizeof text, "id=%d version=1 code_hash=#0 activation_height=%" PRIu64 " name=speaker", OWN,
                   market_height(&m, MGC_CONTRACT_INFORMATION) + 2);
    market_expect(&m, MGC_OK, MGC_CONTRACT_INFORMATION, "deploy", text, "1:9");
    for (int i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "kind=%d slot=%d hash=#1", i + 1, FIRST_SLOT);
        market_expect(&m, MGC_OK, MGC_CONTRACT_INFORMATION, "commit", text, "13:2");
    }
    for (int i = 0; i < 3; i++) {
        market_call(&m, MGC_OK, OWN, i == 1 ? "ab" : "abcd", NULL, 0, "11:2");
        market_call(&m, MGC_OK, OWN, "xyz", NULL, 0, "12:2");
    }
    market_call(&m, MGC_OK, OWN, "both", NULL, 0, "12:2 11:2");
    ask(REGULATOR, "events", "name", "said", 0, column, &all);
    ck_assert_uint_eq(all.n, 4 + 2 + 4 + 3 * 3 + 4);
    ask(MANAGER + 1, "events", "name", "said", 0, column, &own);
    ck_assert_uint_eq(own.n, 4 + 2 + 4 + 4);
    for (size_t i = 0; i < all.n; i++) { /* a call of three is another's */
        bool mine = !(i >= 4 && i < 7) && !(i >= 9 && i < 12) && !(i >= 16 && i < 19);
        if (mine) ck_assert_str_eq(own.line[at++], all.line[i]);
    }
    for (unsigned limit = 1; limit <= 5; limit++) {
        ask(MANAGER + 1, "events", "name", "said", limit, column, &paged);
        ck_assert_uint_eq(paged.n, own.n);
        for (size_t i = 0; i < own.n; i++) ck_assert_str_eq(paged.line[i], own.line[i]);
    }
    ask(0, "events", NULL, NULL, 0, column, &own);
    ck_assert_uint_eq(own.n, 0);
    market_close(&m);
    m.n_hosts = 0;
}
END_TEST

START_TEST(numbers_that_are_none_are_refused)
{
    static const char *const wrong[][2] = {{"trades", "id=x"}, {"trades", "id=-1"}, {"readings", "meter=x"}, {"commitments", "member="},
                                           {"credit", "member=1x"}, {"trades", "slot=99999999999999999999"}};
    mgc_rows *rows;

    market_open(&m);
    market_until(&m, STEPS);
    for (size_t i = 0; i < MGC__COUNT(wrong); i++) {
        ck_assert_int_eq(mgc_node_query(m.node, REGULATOR, wrong[i][0], wrong[i][1], &rows), MGC_E_INVALID_ARG);
        ck_assert_ptr_null(rows);
    }
    ck_assert_uint_eq(market_count(&m, REGULATOR, "trades", "id=9223372036854775807"), 0);
    ck_assert_uint_eq(market_count(&m, MANAGER + 1, "trades", "id=9223372036854775807"), 0);
    ck_assert_uint_eq(market_count(&m, REGULATOR, "readings", "meter=4294967297"), 0);
    market_close(&m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("node-indexes");

    for (uint32_t chains = 1; chains <= 3; chains += 2) {
        TCase *t = market_case(s, chains == 1 ? "one chain" : "three chains", chains);

        tcase_add_test(t, indexes_follow_the_chains);
        tcase_add_test(t, a_member_of_two_keys_is_one);
        tcase_add_test(t, events_of_who_signed);
        tcase_add_test(t, numbers_that_are_none_are_refused);
    }
    return market_run(s);
}
