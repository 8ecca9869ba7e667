/* SPDX-License-Identifier: Apache-2.0 */
/* TigerBeetle's tables of accounts and transfers (published, Apache-2.0), read from MGC_TEST_PUBLISHED: the rows
 * whose rule we share.
 *
 * Not ours, and skipped, each told with its reason when the test runs:
 *   whole tables   balancing transfers, imported events, closing transfers, groups of linked accounts, the filters of its
 *                  queries
 *   single rows    reserved and timestamp fields of its wire format; ids that failed once and may not be tried again (here
 *                  a failed transaction spends its nonce instead); overflow of a timeout in nanoseconds
 * Its largest amount 2^128 - 1 - n is ours 2^62 - n, its second is our block. */
#include <jansson.h>

#include "world.h"

enum { TOKENS = 32, BATCH = 64 };

struct bench {
    struct world w;
    struct disk d;
    uint64_t time_ms;
    uint32_t accounts, transfers, lookups;
};

/* Rows that are left out, by the word that says why: their result, or their kind. */
static struct {
    char word[64];
    uint32_t rows;
} left_out[64];
static size_t n_left_out;

static void leave_out(const char *word)
{
    size_t i = 0;

    while (i < n_left_out && strcmp(left_out[i].word, word) != 0) i++;
    if (i == n_left_out) {
        ck_assert_uint_lt(n_left_out, MGC__COUNT(left_out));
        snprintf(left_out[n_left_out++].word, sizeof left_out[0].word, "%s", word);
    }
    left_out[i].rows++;
}

static mgc_ctx *ctx;

/* --- words --------------------------------------------------------------------------------------- */

static size_t split(char *row, char *tokens[TOKENS])
{
    size_t n = 0;

    for (char *word = strtok(row, " \t"); word != NULL && n < TOKENS; word = strtok(NULL, " \t")) tokens[n++] = word;
    return n;
}

static bool negative(const char *word)
{
    return word[0] == '-' || (word[0] >= 'A' && word[0] <= 'Z' && word[1] == '-');
}

static uint64_t number(const char *word)
{
    while (*word != '\0' && (*word < '0' || *word > '9')) word++;
    return strtoull(word, NULL, 10);
}

static uint64_t amount(const char *word)
{
    return negative(word) ? MGC_AMOUNT_MAX - number(word) : number(word);
}

static void set_id(uint8_t id[16], const char *word)
{
    if (negative(word) && number(word) == 0) memset(id, 0xff, 16);
    else id_of(id, number(word));
}

static bool on(const char *word, const char *flag)
{
    return strcmp(word, flag) == 0;
}

/* --- results ------------------------------------------------------------------------------------- */

static const struct {
    const char *theirs;
    mgc_status ours;
} results[] = {
    {"created", MGC_OK},
    {"exists", MGC_OK},
    {"id_must_not_be_zero", MGC_E_INVALID_ARG},
    {"id_must_not_be_int_max", MGC_E_INVALID_ARG},
    {"flags_are_mutually_exclusive", MGC_E_INVALID_ARG},
    {"ledger_must_not_be_zero", MGC_E_INVALID_ARG},
    {"code_must_not_be_zero", MGC_E_INVALID_ARG},
    {"debit_account_id_must_not_be_zero", MGC_E_INVALID_ARG},
    {"debit_account_id_must_not_be_int_max", MGC_E_INVALID_ARG},
    {"credit_account_id_must_not_be_zero", MGC_E_INVALID_ARG},
    {"credit_account_id_must_not_be_int_max", MGC_E_INVALID_ARG},
    {"accounts_must_be_different", MGC_E_INVALID_ARG},
    {"pending_id_must_be_zero", MGC_E_INVALID_ARG},
    {"pending_id_must_not_be_zero", MGC_E_INVALID_ARG},
    {"pending_id_must_not_be_int_max", MGC_E_INVALID_ARG},
    {"pending_id_must_be_different", MGC_E_INVALID_ARG},
    {"timeout_reserved_for_pending_transfer", MGC_E_INVALID_ARG},
    {"debit_account_not_found", MGC_E_ACCOUNT},
    {"credit_account_not_found", MGC_E_ACCOUNT},
    {"accounts_must_have_the_same_ledger", MGC_E_LEDGER_MISMATCH},
    {"transfer_must_have_the_same_ledger_as_accounts", MGC_E_LEDGER_MISMATCH},
    {"pending_transfer_not_found", MGC_E_PENDING_NOT_FOUND},
    {"pending_transfer_not_pending", MGC_E_PENDING_NOT_FOUND},
    {"pending_transfer_has_different_debit_account_id", MGC_E_INVALID_ARG},
    {"pending_transfer_has_different_credit_account_id", MGC_E_INVALID_ARG},
    {"pending_transfer_has_different_ledger", MGC_E_INVALID_ARG},
    {"pending_transfer_has_different_code", MGC_E_INVALID_ARG},
    {"pending_transfer_has_different_amount", MGC_E_INVALID_ARG},
    {"exceeds_pending_transfer_amount", MGC_E_EXCEEDS_PENDING},
    {"pending_transfer_already_posted", MGC_E_PENDING_POSTED},
    {"pending_transfer_already_voided", MGC_E_PENDING_VOIDED},
    {"pending_transfer_expired", MGC_E_PENDING_EXPIRED},
    {"exceeds_credits", MGC_E_EXCEEDS_CREDIT},
    {"exceeds_debits", MGC_E_EXCEEDS_CREDIT},
    {"overflows_debits", MGC_E_OVERFLOW},
    {"overflows_credits", MGC_E_OVERFLOW},
    {"overflows_debits_pending", MGC_E_OVERFLOW},
    {"overflows_credits_pending", MGC_E_OVERFLOW},
    {"overflows_debits_posted", MGC_E_OVERFLOW},
    {"overflows_credits_posted", MGC_E_OVERFLOW},
    {"linked_event_failed", MGC_E_LINKED_FAILED},
    {"linked_event_chain_open", MGC_E_LINKED_OPEN},
};

/* The field that a message names, for exists_with_different_<field>. */
static const char *field_of(const char *theirs)
{
    static const char *const names[][2] = {
        {"debit_account_id", "debit_account"}, {"credit_account_id", "credit_account"}, {"ledger", "unit"}};
    const char *field = theirs + strlen("exists_with_different_");

    for (size_t i = 0; i < MGC__COUNT(names); i++)
        if (strcmp(field, names[i][0]) == 0) return names[i][1];
    return field;
}

static bool ours(const char *theirs)
{
    if (strncmp(theirs, "exists_with_different_", 22) == 0) return true;
    for (size_t i = 0; i < MGC__COUNT(results); i++)
        if (strcmp(results[i].theirs, theirs) == 0) return true;
    return false;
}

static void check(const char *theirs, mgc_status got, bool existed, const char *rule, const char *row)
{
    if (strncmp(theirs, "exists_with_different_", 22) == 0) {
        ck_assert_msg(got == MGC_E_EXISTS_DIFFERENT, "%s: %s", row, mgc_status_name(got));
        if (rule != NULL) ck_assert_msg(strstr(rule, field_of(theirs)) != NULL, "%s: %s", row, rule);
        return;
    }
    for (size_t i = 0; i < MGC__COUNT(results); i++)
        if (strcmp(results[i].theirs, theirs) == 0)
            ck_assert_msg(got == results[i].ours, "%s: %s", row, mgc_status_name(got));
    ck_assert_msg(existed == on(theirs, "exists"), "%s: existed %d", row, existed);
}

/* --- rows ---------------------------------------------------------------------------------------- */

static void run_account(struct bench *b, char *tokens[TOKENS], const char *row)
{
    mgc_account_info a = {.unit = (uint32_t)number(tokens[10]), .code = (uint32_t)number(tokens[11])};
    const char *theirs = tokens[20];
    mgc__exec *x = &b->w.chain->exec;
    bool existed;

    if (!ours(theirs)) {
        leave_out(theirs);
        return;
    }
    set_id(a.id, tokens[1]);
    id_of(a.user_data_128, number(tokens[6]));
    a.user_data_64 = number(tokens[7]);
    a.user_data_32 = (uint32_t)number(tokens[8]);
    a.flags = (on(tokens[13], "D<C") ? (uint32_t)MGC_ACCOUNT_DEBITS_BOUNDED : 0) |
              (on(tokens[14], "C<D") ? (uint32_t)MGC_ACCOUNT_CREDITS_BOUNDED : 0) |
              (on(tokens[15], "HIST") ? (uint32_t)MGC_ACCOUNT_HISTORY : 0);
    mgc_status got = mgc__account_create(x, &a, &existed);
    check(theirs, got, existed && got == MGC_OK, mgc__exec_rule(x), row);
    b->accounts++;
}

static bool read_transfer(char *tokens[TOKENS], mgc_transfer_info *t)
{
    *t = (mgc_transfer_info){.unit = (uint32_t)number(tokens[10]), .code = (uint32_t)number(tokens[11])};
    if (!ours(tokens[23])) return false;
    set_id(t->id, tokens[1]);
    set_id(t->debit_account, tokens[2]);
    set_id(t->credit_account, tokens[3]);
    set_id(t->pending_id, tokens[5]);
    id_of(t->user_data_128, number(tokens[6]));
    t->user_data_64 = number(tokens[7]);
    t->user_data_32 = (uint32_t)number(tokens[8]);
    t->timeout = number(tokens[9]);
    t->flags = (on(tokens[12], "LNK") ? (uint32_t)MGC_TRANSFER_LINKED : 0) |
               (on(tokens[13], "PEN") ? (uint32_t)MGC_TRANSFER_PENDING : 0) |
               (on(tokens[14], "POS") ? (uint32_t)MGC_TRANSFER_POST : 0) |
               (on(tokens[15], "VOI") ? (uint32_t)MGC_TRANSFER_VOID : 0);
    t->amount = amount(tokens[4]);
    if (on(tokens[14], "POS") && on(tokens[4], "-0")) t->amount = MGC_AMOUNT_ALL;
    return true;
}

/* Balances as the table wants them, without transfers. */
static void set_balances(struct bench *b, char *tokens[TOKENS])
{
    uint8_t key[17], bytes[128];
    mgc_account_info a;
    mgc__cbor_writer w;

    key[0] = MGC__AREA_ACCOUNT;
    set_id(key + 1, tokens[1]);
    ck_assert_int_eq(mgc__account_get(&b->w.chain->state, key + 1, &a), MGC_OK);
    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__cbor_put_array(&w, 11);
    mgc__cbor_put_uint(&w, a.unit);
    mgc__cbor_put_uint(&w, a.code);
    mgc__cbor_put_uint(&w, a.flags);
    mgc__cbor_put_bytes(&w, a.user_data_128, 16);
    mgc__cbor_put_uint(&w, a.user_data_64);
    mgc__cbor_put_uint(&w, a.user_data_32);
    for (int i = 2; i < 6; i++) mgc__cbor_put_uint(&w, amount(tokens[i]));
    mgc__cbor_put_uint(&w, a.height);
    ck_assert_int_eq(mgc__state_put(&b->w.chain->state, key, sizeof key, bytes, w.len), MGC_OK);
}

static void look_up_account(struct bench *b, char *tokens[TOKENS], size_t n, const char *row)
{
    mgc_account_info a;
    uint8_t id[16];

    set_id(id, tokens[1]);
    mgc_status got = mgc__account_get(&b->w.chain->state, id, &a);
    b->lookups++;
    if (n == 3) {
        ck_assert_msg(got == MGC_E_NOT_FOUND, "%s", row);
        return;
    }
    ck_assert_msg(got == MGC_OK, "%s", row);
    ck_assert_msg(a.debits_pending == amount(tokens[2]) && a.debits_posted == amount(tokens[3]) &&
                      a.credits_pending == amount(tokens[4]) && a.credits_posted == amount(tokens[5]),
                  "%s: %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, row, a.debits_pending, a.debits_posted,
                  a.credits_pending, a.credits_posted);
}

static void look_up_transfer(struct bench *b, char *tokens[TOKENS], const char *row)
{
    mgc_transfer_info t;
    uint8_t id[16];

    set_id(id, tokens[1]);
    mgc_status got = mgc__transfer_get(&b->w.chain->state, id, &t);
    b->lookups++;
    if (on(tokens[2], "exists"))
        ck_assert_msg((got == MGC_OK) == on(tokens[3], "true"), "%s: %s", row, mgc_status_name(got));
    else if (on(tokens[2], "amount"))
        ck_assert_msg(got == MGC_OK && t.amount == amount(tokens[3]), "%s: %" PRIu64, row, t.amount);
}

/* Blocks go by. */
static void tick(struct bench *b, uint64_t blocks)
{
    for (uint64_t i = 0; i < blocks; i++) {
        ck_assert_int_eq(mgc_chain_commit(b->w.chain, b->w.member), MGC_OK);
        ck_assert_int_eq(mgc_chain_begin(b->w.chain, ++b->time_ms), MGC_OK);
    }
}

struct batch {
    mgc_transfer_info transfers[BATCH];
    char theirs[BATCH][64], rows[BATCH][256];
    size_t n;
};

static void run_batch(struct bench *b, struct batch *batch)
{
    mgc__transfer_result got[BATCH];
    mgc__exec *x = &b->w.chain->exec;

    /* one by one where nothing is linked, so that the rule of each can be looked at */
    for (size_t i = 0, len; i < batch->n; i += len) {
        for (len = 1; i + len < batch->n && (batch->transfers[i + len - 1].flags & MGC_TRANSFER_LINKED); len++) {}
        (void)!mgc__transfers_create(x, batch->transfers + i, len, got);
        for (size_t k = 0; k < len; k++)
            check(batch->theirs[i + k], got[k].status, got[k].existed, len == 1 ? mgc__exec_rule(x) : NULL,
                  batch->rows[i + k]);
    }
    b->transfers += (uint32_t)batch->n;
    batch->n = 0;
}

static void run_row(struct bench *b, const char *row, struct batch *batch)
{
    char copy[256], *t[TOKENS];
    size_t n;

    snprintf(copy, sizeof copy, "%s", row);
    n = split(copy, t);
    if (n == 0) return;
    if (on(t[0], "account")) {
        run_account(b, t, row);
    } else if (on(t[0], "transfer")) {
        ck_assert_uint_lt(batch->n, BATCH);
        if (read_transfer(t, &batch->transfers[batch->n])) {
            snprintf(batch->theirs[batch->n], 64, "%s", t[23]);
            snprintf(batch->rows[batch->n++], 256, "%s", row);
        } else {
            leave_out(t[23]);
        }
    } else if (on(t[0], "setup")) {
        set_balances(b, t);
    } else if (on(t[0], "tick")) {
        if (!negative(t[1]) && strncmp(t[2], "second", 6) == 0) tick(b, number(t[1]));
    } else if (on(t[0], "lookup_account")) {
        look_up_account(b, t, n, row);
    } else if (on(t[0], "lookup_transfer")) {
        look_up_transfer(b, t, row);
    } else if (on(t[0], "commit")) {
        run_batch(b, batch);
    } else {
        leave_out(t[0]);
    }
}

/* Does a table rest on a rule that is not ours? */
static const char *foreign(const char *name, const json_t *rows)
{
    static const struct {
        const char *flag, *reason;
    } kinds[] = {{" BDR", "balancing transfers"}, {" BCR", "balancing transfers"}, {" IMP", "imported events"}};
    const json_t *row;
    size_t i;

    if (strstr(name, "closing accounts") != NULL || strstr(name, "closed accounts") != NULL)
        return "closing transfers";
    if (strncmp(name, "linked", 6) == 0) return "groups of linked accounts";
    json_array_foreach(rows, i, row) for (size_t k = 0; k < MGC__COUNT(kinds);
                                          k++) if (strstr(json_string_value(row), kinds[k].flag) != NULL)
    {
        const char *last = strrchr(json_string_value(row), ' ');
        if (on(last + 1, "created") || strstr(name, "imported") != NULL || strstr(name, "balanc") != NULL)
            return kinds[k].reason;
    }
    return NULL;
}

static const char *reason_of(const char *word)
{
    static const char *const reasons[][2] = {
        {"timestamp", "a field of its wire format, which ours has not"},
        {"reserved", "likewise"},
        {"debits_", "balances are no argument of opening an account here"},
        {"credits_", "likewise"},
        {"closing_transfer", "accounts are closed by a call, not by a transfer"},
        {"id_already_failed", "a failed transaction spends its nonce here instead"},
        {"overflows_timeout", "timeouts are blocks here, not nanoseconds"},
        {"get_account_", "its filters by time, side and direction; ours are pages of an account's transfers and balances"},
        {"query_", "its filters by user data and time; contracts answer those questions here"},
        {"get_change_events", "its stream of changes; blocks with receipts take its place"}};

    for (size_t i = 0; i < MGC__COUNT(reasons); i++)
        if (strncmp(word, reasons[i][0], strlen(reasons[i][0])) == 0) return reasons[i][1];
    ck_abort_msg("rows '%s' are left out without a reason", word);
    return NULL;
}

START_TEST(published_tables) /* faults 40-44 */
{
    const char *root = getenv("MGC_TEST_PUBLISHED");
    char path[512];
    json_t *json, *table, *row;
    uint32_t tables = 0, accounts = 0, transfers = 0, lookups = 0;
    size_t i, k;

    if (root == NULL) {
        printf("# SKIP published transfer tables: MGC_TEST_PUBLISHED is not set\n");
        return;
    }
    snprintf(path, sizeof path, "%s/vectors/ledger/tigerbeetle_state_machine_tables.json", root);
    json = json_load_file(path, 0, NULL);
    if (json == NULL) {
        printf("# SKIP published transfer tables: not there\n");
        return;
    }
    json_array_foreach(json_object_get(json, "tests"), i, table)
    {
        const char *name = json_string_value(json_object_get(table, "test"));
        const json_t *rows = json_object_get(table, "rows");
        struct bench b = {.time_ms = 2000};
        static struct batch batch;

        if (foreign(name, rows) != NULL) {
            printf("# table '%.60s' skipped: %s\n", name, foreign(name, rows));
            continue;
        }
        disk_init(&b.d);
        batch.n = 0;
        ck_assert_int_eq(world_open(&b.w, ctx, &b.d, 1 << 20), MGC_OK);
        ck_assert_int_eq(mgc_chain_begin(b.w.chain, b.time_ms), MGC_OK);
        json_array_foreach(rows, k, row) run_row(&b, json_string_value(row), &batch);
        world_close(&b.w);
        disk_free(&b.d);
        tables++;
        accounts += b.accounts;
        transfers += b.transfers;
        lookups += b.lookups;
    }
    printf("# %" PRIu32 " tables: %" PRIu32 " accounts, %" PRIu32 " transfers, %" PRIu32 " look-ups agree\n", tables,
           accounts, transfers, lookups);
    for (i = 0; i < n_left_out; i++)
        printf("# %" PRIu32 " rows '%s' left out: %s\n", left_out[i].rows, left_out[i].word, reason_of(left_out[i].word));
    ck_assert_uint_ge(tables, 15);
    ck_assert_uint_ge(transfers, 120);
    json_decref(json);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("tables");
    int failed;

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 1;
    tcase_add_test(tcase, published_tables);
    failed = run_suite("ledger-tables", tcase);
    mgc_ctx_destroy(ctx);
    return failed;
}
