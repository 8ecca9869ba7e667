/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments by the table of methods, the arithmetic of worth, rows and questions. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "contract/contract.h"

static mgc_ctx *ctx;
static const uint32_t contracts[] = {MGC_CONTRACT_INFORMATION, MGC_CONTRACT_TRADING, MGC_CONTRACT_SCHEDULING,
                                     MGC_CONTRACT_SETTLEMENT, MGC_CONTRACT_SUPERVISION, MGC_CONTRACT_CREDIT};

/* --- arguments ------------------------------------------------------------------------------------------ */

/* Fill every field: variant 0 with its smallest, 1 with its largest allowed value. */
static void fill(mgc_args *args, uint32_t contract, const char *method, int variant)
{
    mgc_field_info f = {.struct_size = sizeof f};
    static uint8_t bytes[16384];

    for (uint32_t i = 0; mgc_field_describe(contract, method, i, &f) == MGC_OK; i++) {
        int64_t value = variant == 0 ? f.lower : f.upper, row[6] = {INT64_MIN, INT64_MAX, 0, -1, 23, 24};
        char text[256];

        switch (f.kind) {
        case MGC_FIELD_UINT:
        case MGC_FIELD_INT: ck_assert_int_eq(mgc_args_set_int(args, f.name, value), MGC_OK); break;
        case MGC_FIELD_TEXT:
            memset(text, 'x', (size_t)value);
            text[value] = '\0';
            ck_assert_int_eq(mgc_args_set_text(args, f.name, text), MGC_OK);
            break;
        case MGC_FIELD_BYTES: ck_assert_int_eq(mgc_args_set_bytes(args, f.name, bytes, (size_t)value), MGC_OK); break;
        default: {
            size_t columns = 1;
            for (const char *c = f.columns; *c != '\0'; c++) columns += *c == ' ';
            for (int r = 0; r < (variant == 0 ? 1 : 300); r++)
                ck_assert_int_eq(mgc_args_add_row(args, f.name, row, columns), MGC_OK);
        }
        }
    }
}

/* Write what was read; the law says that these are the same bytes. */
static size_t encode_again(const mgc__method *method, const mgc__values *v, uint8_t *bytes, size_t cap)
{
    mgc__cbor_writer w;
    uint32_t n = mgc__method_fields(method);

    mgc__cbor_to_fixed(&w, bytes, cap);
    mgc__cbor_put_map(&w, n);
    for (uint32_t i = 0; i < n; i++) {
        mgc__row_reader rows;
        int64_t row[COLUMNS_MAX];

        mgc__cbor_put_uint(&w, i + 1);
        switch (method->fields[i].kind) {
        case MGC_FIELD_TEXT: mgc__cbor_put_text(&w, (const char *)v->at[i].bytes, v->at[i].len); break;
        case MGC_FIELD_BYTES: mgc__cbor_put_bytes(&w, v->at[i].bytes, v->at[i].len); break;
        case MGC_FIELD_ROWS:
            mgc__cbor_put_array(&w, v->at[i].rows);
            for (mgc__row_begin(&rows, method, v, i); mgc__row_next(&rows, row);) {
                mgc__cbor_put_array(&w, rows.columns);
                for (uint32_t c = 0; c < rows.columns; c++) mgc__cbor_put_int(&w, row[c]);
            }
            break;
        default: mgc__cbor_put_int(&w, v->at[i].number);
        }
    }
    ck_assert_int_eq(w.status, MGC_OK);
    return w.len;
}

/* Every method, smallest and largest arguments: what is written is read, and written back to the same bytes; and so
 * is, or is refused, whatever comes of cutting it anywhere or changing any one bit. */
START_TEST(arguments_come_back)
{
    static uint8_t again[MGC_TX_BYTES_MAX], mutant[MGC_TX_BYTES_MAX];
    uint32_t methods = 0;

    for (size_t c = 0; c < MGC__COUNT(contracts); c++) {
        const char *name;
        for (uint32_t i = 0; (name = mgc_method_name(contracts[c], i)) != NULL; i++, methods++)
            for (int variant = 0; variant < 2; variant++) {
                const mgc__method *method = mgc__method_find(contracts[c], name, strlen(name));
                const uint8_t *bytes;
                mgc__values v;
                mgc_args *args;
                size_t len;

                ck_assert_int_eq(mgc_args_create(ctx, contracts[c], name, &args), MGC_OK);
                fill(args, contracts[c], name, variant);
                ck_assert_int_eq(mgc_args_encode(args, &bytes, &len), MGC_OK);
                ck_assert_msg(mgc__values_decode(method, bytes, len, &v) == MGC_OK, "%s: %s", name, v.what);
                ck_assert_uint_eq(encode_again(method, &v, again, sizeof again), len);
                ck_assert_int_eq(memcmp(again, bytes, len), 0);
                for (size_t at = 0; at < len && at < 600; at++) {
                    ck_assert_int_ne(mgc__values_decode(method, bytes, at, &v), MGC_OK);
                    for (int bit = 0; bit < 8; bit++) {
                        memcpy(mutant, bytes, len);
                        mutant[at] ^= (uint8_t)(1 << bit);
                        if (mgc__values_decode(method, mutant, len, &v) != MGC_OK) continue;
                        ck_assert_uint_eq(encode_again(method, &v, again, sizeof again), len);
                        ck_assert_int_eq(memcmp(again, mutant, len), 0);
                    }
                }
                mgc_args_destroy(args);
            }
    }
    ck_assert_uint_eq(methods, 13 + 8 + 5 + 8 + 4 + 5);
}
END_TEST

/* doc/contracts.md has every method with its fields, as the table has them. */
START_TEST(the_page_says_what_the_table_says)
{
    const char *path = getenv("MGC_TEST_CONTRACTS_PAGE");
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    static char page[131072];
    const char *name;

    ck_assert_msg(file != NULL, "MGC_TEST_CONTRACTS_PAGE does not name doc/contracts.md");
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    for (size_t c = 0; c < MGC__COUNT(contracts); c++)
        for (uint32_t i = 0; (name = mgc_method_name(contracts[c], i)) != NULL; i++) {
            mgc_field_info f = {.struct_size = sizeof f};
            char line[600];
            int at = snprintf(line, sizeof line, "| `%s` | `{", name);

            for (uint32_t k = 0; mgc_field_describe(contracts[c], name, k, &f) == MGC_OK; k++)
                at += snprintf(line + at, sizeof line - (size_t)at, "%s%u: %s%s%s%s", k > 0 ? ", " : "", f.key,
                               f.name, f.columns[0] != '\0' ? " [" : "", f.columns, f.columns[0] != '\0' ? "]" : "");
            snprintf(line + at, sizeof line - (size_t)at, "}` |");
            ck_assert_msg(strstr(page, line) != NULL, "%s is missing", line);
        }
}
END_TEST

START_TEST(arguments_are_checked_when_set)
{
    mgc_args *args;
    const uint8_t *bytes;
    size_t len;
    int64_t row[3] = {1, 2, 3};

    ck_assert_int_eq(mgc_args_create(ctx, MGC_CONTRACT_TRADING, "agreee", &args), MGC_E_NOT_FOUND);
    ck_assert_ptr_null(args);
    ck_assert_int_eq(mgc_args_create(ctx, MGC_CONTRACT_TRADING, "agree", &args), MGC_OK);
    ck_assert_int_eq(mgc_args_set_int(args, "sellr", 1), MGC_E_UNKNOWN_KEY);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), "\"seller\""));
    ck_assert_int_eq(mgc_args_set_int(args, "seller", 0), MGC_E_RANGE);
    ck_assert_int_eq(mgc_args_set_int(args, "seller", MGC_PARTY_MAX + 1), MGC_E_RANGE);
    ck_assert_int_eq(mgc_args_set_text(args, "seller", "A"), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_args_add_row(args, "rows", row, 2), MGC_E_INVALID_ARG);
    for (int i = 0; i < MGC_ROWS_MAX; i++) ck_assert_int_eq(mgc_args_add_row(args, "rows", row, 3), MGC_OK);
    ck_assert_int_eq(mgc_args_add_row(args, "rows", row, 3), MGC_E_RANGE);
    ck_assert_int_eq(mgc_args_encode(args, &bytes, &len), MGC_E_SCHEMA);
    ck_assert_ptr_nonnull(strstr(mgc_ctx_error(ctx), "\"seller\""));
    mgc_args_destroy(args);
    ck_assert_int_eq(mgc_args_create(ctx, MGC_CONTRACT_TRADING, "deposit", &args), MGC_OK);
    ck_assert_int_eq(mgc_args_set_text(args, "reference", "\xff"), MGC_E_INVALID_ARG);
    ck_assert_int_eq(
        mgc_args_set_text(args, "reference", "0123456789012345678901234567890123456789012345678901234567890123"),
        MGC_E_RANGE);
    mgc_args_destroy(args);
}
END_TEST

static void set_by_words(uint32_t contract, const char *method, const char *words, mgc_status status, const char *said)
{
    mgc_args *args;

    ck_assert_int_eq(mgc_args_create(ctx, contract, method, &args), MGC_OK);
    mgc_status st = mgc_args_parse(args, words);
    ck_assert_msg(st == status, "%s: %s, %s", words, mgc_status_name(st), mgc_ctx_error(ctx));
    if (status != MGC_OK) ck_assert_msg(strstr(mgc_ctx_error(ctx), said) != NULL, "%s: %s", words, mgc_ctx_error(ctx));
    mgc_args_destroy(args);
}

/* Words are the fields set one by one, in any order; every kind of field, with the ends of its range. */
START_TEST(words_are_the_fields_set_one_by_one)
{
    const uint8_t *one = NULL, *two = NULL;
    const int64_t rows[2][3] = {{434000, 1, -5}, {434001, 18, INT64_MIN / 1000000}};
    uint8_t key[32];
    size_t one_len = 0, two_len = 0;
    mgc_args *a, *b;

    for (int i = 0; i < 32; i++) key[i] = (uint8_t)(i * 8 + 3);
    ck_assert_int_eq(mgc_args_create(ctx, MGC_CONTRACT_INFORMATION, "member", &a), MGC_OK);
    ck_assert_int_eq(mgc_args_create(ctx, MGC_CONTRACT_INFORMATION, "member", &b), MGC_OK);
    ck_assert_int_eq(mgc_args_set_int(a, "id", 5), MGC_OK);
    ck_assert_int_eq(mgc_args_set_int(a, "organisation", 1), MGC_OK);
    ck_assert_int_eq(mgc_args_set_text(a, "name", "Ada = Söhne; 1,2"), MGC_OK);
    ck_assert_int_eq(mgc_args_set_int(a, "roles", 4), MGC_OK);
    ck_assert_int_eq(mgc_args_set_bytes(a, "key", key, 32), MGC_OK);
    ck_assert_int_eq(mgc_args_set_int(a, "from_height", 0), MGC_OK);
    ck_assert_int_eq(mgc_args_encode(a, &one, &one_len), MGC_OK);
    ck_assert_int_eq(mgc_args_parse(b, "key=030B131b232b333b434b535b636b737b838b939ba3abb3bbc3cbd3dbe3ebf3fb&id=5"), MGC_OK);
    ck_assert_int_eq(mgc_args_encode(b, &two, &two_len), MGC_E_SCHEMA); /* the others are not set */
    ck_assert_int_eq(mgc_args_parse(b, ""), MGC_OK);
    ck_assert_int_eq(mgc_args_parse(b, "organisation=1&name=Ada = Söhne; 1,2&roles=4&from_height=0"), MGC_OK);
    ck_assert_int_eq(mgc_args_encode(b, &two, &two_len), MGC_OK);
    ck_assert_uint_eq(one_len, two_len);
    ck_assert_mem_eq(one, two, one_len);
    mgc_args_destroy(a);
    mgc_args_destroy(b);

    ck_assert_int_eq(mgc_args_create(ctx, MGC_CONTRACT_TRADING, "agree", &a), MGC_OK);
    ck_assert_int_eq(mgc_args_create(ctx, MGC_CONTRACT_TRADING, "agree", &b), MGC_OK);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(mgc_args_add_row(a, "rows", rows[i], 3), MGC_OK);
    ck_assert_int_eq(mgc_args_parse(b, "rows=434000,1,-5;434001,18,-9223372036854"), MGC_OK);
    for (int i = 0; i < 2; i++) {
        mgc_args *x = i == 0 ? a : b;
        mgc_field_info info = {.struct_size = sizeof info};
        for (uint32_t k = 0; mgc_field_describe(MGC_CONTRACT_TRADING, "agree", k, &info) == MGC_OK; k++)
            if (info.kind == MGC_FIELD_UINT) ck_assert_int_eq(mgc_args_set_int(x, info.name, info.lower), MGC_OK);
    }
    ck_assert_int_eq(mgc_args_encode(a, &one, &one_len), MGC_OK);
    ck_assert_int_eq(mgc_args_encode(b, &two, &two_len), MGC_OK);
    ck_assert_uint_eq(one_len, two_len);
    ck_assert_mem_eq(one, two, one_len);
    mgc_args_destroy(a);
    mgc_args_destroy(b);
}
END_TEST

START_TEST(words_that_do_not_follow_their_grammar)
{
    enum { INFO = MGC_CONTRACT_INFORMATION, TRADE = MGC_CONTRACT_TRADING };
    static const struct {
        uint32_t contract;
        const char *method, *words;
        mgc_status status;
        const char *said;
    } wrong[] = {
        {INFO, "member", "id", MGC_E_SYNTAX, "must be field=value"},
        {INFO, "member", "=5", MGC_E_SYNTAX, "must be field=value"},
        {INFO, "member", "id=5&", MGC_E_SYNTAX, "must be field=value"},
        {INFO, "member", "&id=5", MGC_E_SYNTAX, "must be field=value"},
        {INFO, "member", "id=5&id=5", MGC_E_SYNTAX, "id stands twice"},
        {INFO, "member", "id=", MGC_E_SYNTAX, "must be a whole number"},
        {INFO, "member", "id=-", MGC_E_SYNTAX, "must be a whole number"},
        {INFO, "member", "id=+5", MGC_E_SYNTAX, "must be a whole number"},
        {INFO, "member", "id= 5", MGC_E_SYNTAX, "must be a whole number"},
        {INFO, "member", "id=0x5", MGC_E_SYNTAX, "must be a whole number"},
        {INFO, "member", "id=5.0", MGC_E_SYNTAX, "must be a whole number"},
        {INFO, "member", "id=9223372036854775808", MGC_E_SYNTAX, "must be a whole number"},
        {INFO, "member", "id=-9223372036854775809", MGC_E_SYNTAX, "must be a whole number"},
        {INFO, "member", "id=99999999999999999999999999", MGC_E_SYNTAX, "must be a whole number"},
        {INFO, "member", "id=9223372036854775807", MGC_E_RANGE, "9223372036854775807"},
        {INFO, "member", "id=-9223372036854775808", MGC_E_RANGE, "-9223372036854775808"},
        {INFO, "member", "key=0", MGC_E_SYNTAX, "pairs of hexadecimal digits"},
        {INFO, "member", "key=0g", MGC_E_SYNTAX, "pairs of hexadecimal digits"},
        {INFO, "member", "key=00", MGC_E_RANGE, "1 bytes"},
        {INFO, "member", "name=\xff", MGC_E_INVALID_ARG, "UTF-8"},
        {INFO, "member", "nme=x", MGC_E_UNKNOWN_KEY, "did you mean \"name\""},
        {TRADE, "agree", "rows=", MGC_E_SYNTAX, "rows of agree"},
        {TRADE, "agree", "rows=1,2", MGC_E_SYNTAX, "rows of agree"},
        {TRADE, "agree", "rows=1,2,3,", MGC_E_SYNTAX, "rows of agree"},
        {TRADE, "agree", "rows=1,2,3,4", MGC_E_SYNTAX, "rows of agree"},
        {TRADE, "agree", "rows=1,2,3,4,5,6,7,8", MGC_E_SYNTAX, "rows of agree"},
        {MGC_CONTRACT_SETTLEMENT, "tariff", "rows=1,2,3,4,5,6,7", MGC_E_SYNTAX, "rows of tariff"},
        {TRADE, "agree", "rows=1,2,3;", MGC_E_SYNTAX, "rows of agree"},
        {TRADE, "agree", "rows=1,,3", MGC_E_SYNTAX, "rows of agree"},
        {TRADE, "agree", "rows=1,2,x", MGC_E_SYNTAX, "rows of agree"},
    };
    mgc_args *args;

    for (size_t i = 0; i < MGC__COUNT(wrong); i++)
        set_by_words(wrong[i].contract, wrong[i].method, wrong[i].words, wrong[i].status, wrong[i].said);
    ck_assert_int_eq(mgc_args_create(ctx, INFO, "member", &args), MGC_OK);
    ck_assert_int_eq(mgc_args_parse(args, NULL), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_args_parse(NULL, "id=5"), MGC_E_INVALID_ARG);
    mgc_args_destroy(args);
}
END_TEST

/* --- arithmetic ------------------------------------------------------------------------------------------- */

/* Against long division by repeated subtraction's cousin: the nearest n with |1000 n - wh * price| smallest, away
 * from zero on a tie. */
START_TEST(worth_is_the_nearest)
{
    for (int64_t wh = 0; wh <= 60; wh++)
        for (int64_t price = -130; price <= 130; price++) {
            int64_t worth, exact = wh * price, best = 0;

            for (int64_t n = -8; n <= 8; n++) {
                int64_t here = llabs(1000 * n - exact), there = llabs(1000 * best - exact);
                if (here < there || (here == there && llabs(n) > llabs(best))) best = n;
            }
            ck_assert_int_eq(mgc_worth((uint64_t)wh, price, &worth), MGC_OK);
            ck_assert_msg(worth == best, "%d Wh at %d", (int)wh, (int)price);
        }
}
END_TEST

START_TEST(worth_at_the_edges) /* faults 32 */
{
    int64_t worth;
    uint64_t grams;

    ck_assert_int_eq(mgc_worth(MGC_AMOUNT_MAX, 1000, &worth), MGC_OK);
    ck_assert_int_eq(worth, (int64_t)MGC_AMOUNT_MAX);
    ck_assert_int_eq(mgc_worth(MGC_AMOUNT_MAX, -1000, &worth), MGC_OK);
    ck_assert_int_eq(worth, -(int64_t)MGC_AMOUNT_MAX);
    ck_assert_int_eq(mgc_worth(MGC_AMOUNT_MAX, 1001, &worth), MGC_E_OVERFLOW);
    ck_assert_int_eq(mgc_worth(UINT64_MAX, INT64_MIN, &worth), MGC_E_OVERFLOW);
    ck_assert_int_eq(mgc_worth(UINT64_MAX, INT64_MAX, &worth), MGC_E_OVERFLOW);
    ck_assert_int_eq(mgc_worth(0, INT64_MIN, &worth), MGC_OK);
    ck_assert_int_eq(worth, 0);
    ck_assert_int_eq(mgc_emission(1000000, 400, &grams), MGC_OK);
    ck_assert_uint_eq(grams, 400);
    ck_assert_int_eq(mgc_emission(499999, 1, &grams), MGC_OK);
    ck_assert_uint_eq(grams, 0);
    ck_assert_int_eq(mgc_emission(500000, 1, &grams), MGC_OK);
    ck_assert_uint_eq(grams, 1);
    ck_assert_int_eq(mgc_emission(UINT64_MAX, UINT64_MAX, &grams), MGC_E_OVERFLOW);
    for (uint64_t sent = 0; sent < 300; sent++)
        for (uint32_t loss = 0; loss <= 1000000; loss += 12345)
            ck_assert_uint_le(mgc_link_delivered(sent, loss), sent);
    ck_assert_uint_eq(mgc_link_delivered(100, 30000), 97);
    ck_assert_uint_eq(mgc_link_delivered(100, 30001), 96);
    ck_assert_uint_eq(mgc_link_delivered(MGC_AMOUNT_MAX, 0), MGC_AMOUNT_MAX);
    ck_assert_uint_eq(mgc_link_delivered(MGC_AMOUNT_MAX, 1000000), 0);
}
END_TEST

/* Row 57: the local days on which clocks change in central Europe in 2019 have 92 and 100 quarter hours; each is one
 * slot. */
START_TEST(days_with_an_hour_less_or_more) /* faults 57 */
{
    static const struct {
        uint64_t from_ms, to_ms, slots;
    } days[] = {{UINT64_C(1553986800000), UINT64_C(1554069600000), 92},
                {UINT64_C(1572127200000), UINT64_C(1572217200000), 100},
                {UINT64_C(1563228000000), UINT64_C(1563314400000), 96}};

    for (size_t d = 0; d < MGC__COUNT(days); d++) {
        uint64_t first = mgc_slot_at(days[d].from_ms, 900000), last = mgc_slot_at(days[d].to_ms - 1, 900000);
        ck_assert_uint_eq(last - first + 1, days[d].slots);
        ck_assert_uint_eq(mgc_slot_begin_ms(first, 900000), days[d].from_ms);
        ck_assert_uint_eq(mgc_slot_begin_ms(last + 1, 900000), days[d].to_ms);
    }
}
END_TEST

START_TEST(gates_are_shared)
{
    mgc__market market = {.slot_ms = 3600000, .gate_ms = 7200000, .gate_slots = 24, .first_slot = 1000};

    for (uint64_t slot = 1000; slot < 1024; slot++)
        ck_assert_uint_eq(mgc__gate_ms(&market, slot), 998 * UINT64_C(3600000));
    ck_assert_uint_eq(mgc__gate_ms(&market, 1024), 1022 * UINT64_C(3600000));
    market.gate_slots = 1;
    ck_assert_uint_eq(mgc__gate_ms(&market, 1001), 999 * UINT64_C(3600000));
    market.first_slot = 0;
    ck_assert_uint_eq(mgc__gate_ms(&market, 1), 0);
}
END_TEST

/* --- rows and questions ---------------------------------------------------------------------------------------- */

START_TEST(rows_hold_what_was_put)
{
    mgc_rows *rows;
    const mgc_row *row;

    ck_assert_int_eq(mgc__rows_create(ctx, &rows), MGC_OK);
    ck_assert_int_eq(mgc_rows_put_int(rows, 1), MGC_E_INVALID_ARG); /* no columns yet */
    ck_assert_int_eq(mgc_rows_begin(rows, "n name hash"), MGC_OK);
    ck_assert_int_eq(mgc_rows_begin(rows, "again"), MGC_E_STATE);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(mgc_rows_put_int(rows, i == 7 ? INT64_MIN : i), MGC_OK);
        ck_assert_int_eq(mgc_rows_put_text(rows, "abc", (size_t)(i % 4)), MGC_OK);
        ck_assert_int_eq(mgc_rows_put_hex(rows, (const uint8_t *)"\x0f\xa0", 2), MGC_OK);
    }
    ck_assert_uint_eq(mgc_rows_count(rows), 1000);
    ck_assert_str_eq(mgc_rows_column(rows, 2), "hash");
    ck_assert_ptr_null(mgc_rows_column(rows, 3));
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(mgc_rows_next(rows, &row), MGC_ROW);
        ck_assert_int_eq(mgc_row_int(row, "n"), i == 7 ? INT64_MIN : i);
        ck_assert_uint_eq(strlen(mgc_row_text(row, "name")), (size_t)(i % 4));
        ck_assert_str_eq(mgc_row_text(row, "hash"), "0fa0");
        if (i == 7) ck_assert_str_eq(mgc_row_text(row, "n"), "-9223372036854775808");
        ck_assert_ptr_null(mgc_row_text(row, "other"));
        ck_assert_int_eq(mgc_row_int(row, "name"), 0);
    }
    ck_assert_int_eq(mgc_rows_next(rows, &row), MGC_ROWS_END);
    ck_assert_ptr_null(row);
    mgc_rows_destroy(rows);
}
END_TEST

START_TEST(questions_are_read_strictly) /* faults 72 */
{
    static const struct {
        const char *arguments;
        int32_t there;
        uint64_t value;
    } cases[] = {{"slot=5", 1, 5},
                 {"a=1&slot=7&b=2", 1, 7},
                 {"slot=", 0, 0},
                 {"slot=-1", 0, 0},
                 {"slot=+1", 0, 0},
                 {"slot=1x", 0, 0},
                 {"slots=5", 0, 0},
                 {"xslot=5", 0, 0},
                 {"", 0, 0},
                 {"slot=9223372036854775807", 1, INT64_MAX},
                 {"slot=9223372036854775808", 0, 0},
                 {"slot=18446744073709551617", 0, 0},
                 {"&&slot=3&", 1, 3}};

    for (size_t i = 0; i < MGC__COUNT(cases); i++) {
        mgc_query q = {.struct_size = sizeof q, .what = "trades", .arguments = cases[i].arguments};
        uint64_t value = 0;
        ck_assert_msg(mgc_query_uint(&q, "slot", &value) == cases[i].there, "%s", cases[i].arguments);
        if (cases[i].there) ck_assert_uint_eq(value, cases[i].value);
    }
    mgc_query q = {.struct_size = sizeof q, .what = "trades", .arguments = "microgrid=hospital&slot=1"};
    char text[8], wide[9];
    ck_assert_int_eq(mgc_query_text(&q, "microgrid", text, sizeof text), 0);
    ck_assert_int_eq(mgc_query_text(&q, "microgrid", wide, sizeof wide), 1);
    ck_assert_str_eq(wide, "hospital");
    ck_assert_int_eq(mgc__query_keys(ctx, &q, "microgrid|slot"), MGC_OK);
    ck_assert_int_eq(mgc__query_keys(ctx, &q, "microgrid|slots"), MGC_E_INVALID_ARG);
}
END_TEST

START_TEST(records_may_grow)
{
    /* a record of an older version has fewer integers: the rest reads as 0 */
    uint8_t bytes[64];
    mgc__cbor_writer w;
    mgc__rec rec;

    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__cbor_put_array(&w, 4);
    mgc__cbor_put_int(&w, -5);
    mgc__cbor_put_int(&w, 6);
    mgc__cbor_put_bytes(&w, "d", 1);
    mgc__cbor_put_text(&w, "name", 4);
    ck_assert_int_eq(mgc__rec_decode(bytes, w.len, &rec), MGC_OK);
    ck_assert_uint_eq(rec.n, 2);
    ck_assert_int_eq(rec.v[0], -5);
    ck_assert_int_eq(rec.v[2], 0);
    ck_assert_uint_eq(rec.name_len, 4);
    for (size_t len = 0; len < w.len; len++) ck_assert_int_ne(mgc__rec_decode(bytes, len, &rec), MGC_OK);
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
    Suite *s = suite_create("contract");
    TCase *t = tcase_create("contract");

    tcase_set_timeout(t, 0);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, arguments_come_back);
    tcase_add_test(t, the_page_says_what_the_table_says);
    tcase_add_test(t, arguments_are_checked_when_set);
    tcase_add_test(t, words_are_the_fields_set_one_by_one);
    tcase_add_test(t, words_that_do_not_follow_their_grammar);
    tcase_add_test(t, worth_is_the_nearest);
    tcase_add_test(t, worth_at_the_edges);
    tcase_add_test(t, days_with_an_hour_less_or_more);
    tcase_add_test(t, gates_are_shared);
    tcase_add_test(t, rows_hold_what_was_put);
    tcase_add_test(t, questions_are_read_strictly);
    tcase_add_test(t, records_may_grow);
    suite_add_tcase(s, t);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
