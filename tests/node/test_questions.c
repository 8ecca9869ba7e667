/* SPDX-License-Identifier: Apache-2.0 */
/* Questions with conditions: whatever the conditions and whoever asks, the answer is the rows of the unconditional
 * answer that meet them all, in its order. */
#include "market.h"

static struct market m;

enum { TEXT = 600, ANSWER = 400 };

struct answer {
    size_t n;
    char rows[ANSWER][TEXT];
};

struct question {
    const char *what, *columns[10];
    bool meter, microgrid, slot, carrier;
    const char *grid_columns[3]; /* one of them is the microgrid */
};

static const struct question questions[] = {
    {"trades", {"id", "slot", "seller", "buyer", "link", "carrier", "wh", "state"}, false, true, true, true, {"seller", "buyer"}},
    {"nominations", {"slot", "microgrid", "carrier", "buy_wh", "sell_wh"}, false, true, true, true, {"microgrid"}},
    {"schedule", {"slot", "microgrid", "carrier", "position_wh"}, false, true, true, true, {"microgrid"}},
    {"readings", {"slot", "meter", "microgrid", "in_wh", "out_wh", "height"}, true, true, true, false, {"microgrid"}},
    {"settlement", {"slot", "microgrid", "carrier", "state", "metered_wh"}, false, true, true, true, {"microgrid"}},
    {"tariffs", {"slot", "microgrid", "carrier", "buy_price"}, false, false, true, true, {NULL}},
    {"meters", {"id", "microgrid", "carrier", "link"}, false, true, false, true, {"microgrid"}},
};

static const char *const grids[] = {NULL, "A", "B", "C", "Z"};
static const int meters[] = {0, 1, 5, 9, 77};
static const int slots[] = {0, FIRST_SLOT, FIRST_SLOT + 3, FIRST_SLOT + 50};

struct condition {
    const char *grid;
    int meter, slot, carrier;
};

static bool meets(const struct question *q, const mgc_row *row, const struct condition *c)
{
    if (c->slot != 0 && atoi(mgc_row_text(row, "slot")) != c->slot) return false;
    if (c->carrier != 0 && atoi(mgc_row_text(row, "carrier")) != c->carrier) return false;
    if (c->meter != 0 && atoi(mgc_row_text(row, "meter")) != c->meter) return false;
    if (c->grid == NULL) return true;
    for (size_t i = 0; i < MGC__COUNT(q->grid_columns) && q->grid_columns[i] != NULL; i++)
        if (strcmp(mgc_row_text(row, q->grid_columns[i]), c->grid) == 0) return true;
    return false;
}

static void ask(const struct question *q, uint32_t caller, const char *arguments, const struct condition *filter,
                struct answer *a)
{
    mgc_rows *rows;
    const mgc_row *row;

    a->n = 0;
    mgc_status st = mgc_node_query(m.node, caller, q->what, arguments, &rows);
    ck_assert_msg(st == MGC_OK, "%s?%s: %s", q->what, arguments, mgc_ctx_error(m.ctx));
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        size_t at = 0;
        if (filter != NULL && !meets(q, row, filter)) continue;
        ck_assert_uint_lt(a->n, ANSWER);
        for (size_t c = 0; c < MGC__COUNT(q->columns) && q->columns[c] != NULL; c++)
            at += (size_t)snprintf(a->rows[a->n] + at, TEXT - at, "%s ", mgc_row_text(row, q->columns[c]));
        a->n++;
    }
    mgc_rows_destroy(rows);
}

START_TEST(conditions_are_a_full_scan) /* faults 71, 74 */
{
    static struct answer asked, scanned;
    const uint32_t callers[] = {REGULATOR, MANAGER + 1, MANAGER + 3, OPERATOR, 0};
    size_t tried = 0, with_rows = 0;

    market_open(&m);
    market_until(&m, STEPS);
    for (size_t k = 0; k < MGC__COUNT(questions); k++)
        for (size_t who = 0; who < MGC__COUNT(callers); who++)
            for (size_t g = 0; g < (questions[k].microgrid ? MGC__COUNT(grids) : 1); g++)
                for (size_t e = 0; e < (questions[k].meter ? MGC__COUNT(meters) : 1); e++)
                    for (size_t s = 0; s < (questions[k].slot ? 4 * MGC__COUNT(slots) : 4); s++) {
                        const struct question *q = &questions[k];
                        struct condition c = {.grid = grids[g], .meter = meters[e], .slot = slots[s / 4], .carrier = (int)(s % 4)};
                        char arguments[120] = "";
                        size_t at = 0;

                        if (c.grid != NULL)
                            at += (size_t)snprintf(arguments + at, sizeof arguments - at, "&microgrid=%s", c.grid);
                        if (c.slot != 0)
                            at += (size_t)snprintf(arguments + at, sizeof arguments - at, "&slot=%d", c.slot);
                        if (c.carrier != 0 && !q->carrier) continue;
                        if (c.carrier != 0)
                            at += (size_t)snprintf(arguments + at, sizeof arguments - at, "&carrier=%d", c.carrier);
                        if (c.meter != 0)
                            at += (size_t)snprintf(arguments + at, sizeof arguments - at, "&meter=%d", c.meter);
                        ask(q, callers[who], at > 0 ? arguments + 1 : "", NULL, &asked);
                        ask(q, callers[who], "", &c, &scanned);
                        ck_assert_msg(asked.n == scanned.n, "%s%s of %u: %zu rows, a scan %zu", q->what, arguments,
                                      callers[who], asked.n, scanned.n);
                        for (size_t i = 0; i < asked.n; i++) ck_assert_str_eq(asked.rows[i], scanned.rows[i]);
                        tried++;
                        with_rows += asked.n > 0 ? 1 : 0;
                    }
    ck_assert_uint_gt(tried, 500);
    ck_assert_uint_gt(with_rows, 100);
    market_close(&m);
}
END_TEST

/* Orders that nobody pays for: without a deposit they are refused, and a full pool takes no more; what is in it is served. */
START_TEST(a_flood_is_refused_and_the_rest_served) /* faults 58 */
{
    uint64_t ticket, first = 0;
    mgc_ticket_info info = {.struct_size = sizeof info};
    mgc_node_info node = {.struct_size = sizeof node};
    mgc_status st = MGC_OK;
    const char *wanted = getenv("MGC_TEST_LONG");
    bool whole = wanted != NULL && strcmp(wanted, "1") == 0; /* the pool holds 65536 signed transactions */
    uint32_t n = 0;

    market_open(&m);
    market_until(&m, STEP_DEPOSIT);
    market_step(&m, STEP_NOMINATE);
    market_expect(&m, MGC_E_EXCEEDS_CREDIT, MGC_CONTRACT_TRADING, "agree", "seller=1 buyer=2 link=1 rows=434000,1000,90000",
                  "11:2 12:2");
    while (st == MGC_OK && n < (whole ? MGC_POOL_MAX + 1 : 300)) {
        m.nonce_shift = n;
        market_make(&m, MGC_CONTRACT_TRADING, "deposit", "microgrid=1 amount_micro=1 reference=x", "2:5");
        st = mgc_node_submit(m.node, m.last, m.last_len, &ticket);
        if (st == MGC_OK && n++ == 0) first = ticket;
    }
    ck_assert_int_eq(st, whole ? MGC_E_RATE : MGC_OK);
    ck_assert_uint_eq(n, whole ? MGC_POOL_MAX : 300);
    market_flush(&m);
    ck_assert_int_eq(mgc_ticket_state(m.node, first, &info), MGC_OK);
    ck_assert_int_eq(info.state, MGC_TICKET_COMMITTED);
    ck_assert_int_eq(mgc_node_get_info(m.node, &node), MGC_OK);
    ck_assert_uint_eq(node.waiting, 0);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), n);
    ck_assert_int_eq(mgc_node_submit(m.node, m.last, m.last_len, &ticket), MGC_OK); /* there is room again */
    market_close(&m);
}
END_TEST

static mgc_status ask_as(uint32_t caller, const char *what)
{
    mgc_rows *rows;
    mgc_status st = mgc_node_query(m.node, caller, what, "slot=434000", &rows);

    ck_assert((st == MGC_OK) == (rows != NULL));
    mgc_rows_destroy(rows);
    return st;
}

static size_t recorded(void)
{
    struct disk_file *f = disk_find(&m.disk, "audit-reads.log");

    return f == NULL ? 0 : f->synced;
}

/* What a regulator asks is durable before it is answered; where that fails at whatever call, there is no answer. */
/* Every bit of what is on record is checked; an append that was cut short is none of it. */
static void every_bit_counts(void)
{
    struct disk_file *f = disk_find(&m.disk, "audit-reads.log");
    uint64_t n = 0, whole;
    size_t size = f->size;

    ck_assert_int_eq(mgc_node_verify_audits(m.ctx, &disk_ops, &m.disk, &whole), MGC_OK);
    ck_assert_uint_ge(whole, 2);
    for (size_t bit = 0; bit < 8 * size; bit += 3) {
        f->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_msg(mgc_node_verify_audits(m.ctx, &disk_ops, &m.disk, &n) == MGC_E_CORRUPT, "bit %zu", bit);
        f->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (f->size = size; f->size > 0; f->size--) {
        ck_assert_int_eq(mgc_node_verify_audits(m.ctx, &disk_ops, &m.disk, &n), MGC_OK);
        ck_assert_uint_le(n, whole);
    }
    f->size = size;
    ck_assert_int_eq(mgc_node_verify_audits(m.ctx, NULL, NULL, NULL), MGC_E_INVALID_ARG);
}

START_TEST(a_regulator_reads_on_record) /* faults 75 */
{
    size_t before, one;
    int refused = 0;

    market_open(&m);
    market_until(&m, STEP_ACKNOWLEDGE);
    ck_assert_int_eq(ask_as(OPERATOR, "trades"), MGC_OK);
    ck_assert_int_eq(ask_as(MANAGER + 1, "trades"), MGC_OK);
    ck_assert_uint_eq(recorded(), 0); /* members read what is theirs */
    ck_assert_int_eq(ask_as(REGULATOR, "trades"), MGC_OK);
    one = recorded();
    ck_assert_uint_gt(one, 16 + 28 + 6);
    struct disk_file *f = disk_find(&m.disk, "audit-reads.log");
    ck_assert_int_eq(memcmp(f->bytes, "MGR1", 4), 0);
    ck_assert_uint_eq(f->bytes[16 + 16], REGULATOR);
    ck_assert_int_eq(memcmp(f->bytes + 16 + 28, "tradesslot=434000", 17), 0);
    for (int call = 0; call < 2; call++) { /* append, sync */
        m.disk.fault_at = m.disk.calls + call;
        m.disk.fault = MGC_E_IO;
        m.disk.short_write = true;
        before = recorded();
        ck_assert_int_eq(ask_as(REGULATOR, "trades"), MGC_E_IO);
        m.disk.fault_at = -1;
        ck_assert_uint_eq(recorded(), before);
        refused += ask_as(REGULATOR, "trades") != MGC_OK;
        ck_assert_int_eq(ask_as(MANAGER + 1, "trades"), MGC_OK); /* the others are served */
    }
    ck_assert_int_eq(refused, 1); /* after a failed sync nothing is believed until the node starts again */
    market_stop(&m);
    every_bit_counts();
    f = disk_find(&m.disk, "audit-reads.log");
    f->bytes[f->size - 1] ^= 1; /* as an append that was cut short leaves it */
    market_start(&m);
    ck_assert_int_eq(ask_as(REGULATOR, "trades"), MGC_OK);
    ck_assert_uint_eq(recorded() % one, 0);
    before = recorded();
    market_stop(&m);
    market_start(&m);
    for (int i = 0; i < 100; i++) ck_assert_int_eq(ask_as(REGULATOR, "trades"), MGC_OK);
    market_stop(&m);
    disk_find(&m.disk, "audit-reads.log")->bytes[0] = 'X'; /* damage in front of what was recorded is no torn end */
    market_start(&m);
    before = recorded();
    ck_assert_int_eq(ask_as(REGULATOR, "trades"), MGC_E_CORRUPT);
    ck_assert_uint_eq(recorded(), before);
    market_close(&m);
}
END_TEST

/* A store that is opened to read only belongs to those who have the files: a regulator is answered, and nothing at all is written. */
START_TEST(who_only_reads_records_nothing) /* faults 75, 89 */
{
    struct disk_file *f;
    mgc_rows *rows;
    uint64_t bytes, n = 0;
    size_t rows_n = 0;
    const mgc_row *row;

    market_open(&m);
    market_until(&m, STEP_ACKNOWLEDGE);
    ck_assert_int_eq(ask_as(REGULATOR, "trades"), MGC_OK);
    market_stop(&m);
    bytes = disk_bytes(&m.disk);
    f = disk_find(&m.disk, "audit-reads.log");
    f->bytes[f->size - 1] ^= 1; /* where it writes, a torn end is cut off before the next question */
    m.read_only = 1;
    market_start(&m);
    for (int i = 0; i < 3; i++) ck_assert_int_eq(ask_as(REGULATOR, "trades"), MGC_OK);
    ck_assert_int_eq(mgc_node_submit(m.node, m.last, m.last_len, NULL), MGC_E_STATE);
    ck_assert_uint_eq(disk_bytes(&m.disk), bytes);
    f->bytes[f->size - 1] ^= 1;
    ck_assert_int_eq(mgc_node_query(m.node, REGULATOR, "reads", NULL, &rows), MGC_OK); /* what the writer recorded is told */
    while (mgc_rows_next(rows, &row) == MGC_ROW) rows_n++;
    mgc_rows_destroy(rows);
    ck_assert_uint_eq(rows_n, 1);
    market_stop(&m);
    ck_assert_int_eq(mgc_node_verify_audits(m.ctx, &disk_ops, &m.disk, &n), MGC_OK);
    ck_assert_uint_eq(n, 1);
    m.read_only = 0;
    market_start(&m);
    ck_assert_int_eq(ask_as(REGULATOR, "trades"), MGC_OK);
    ck_assert_int_eq(mgc_node_verify_audits(m.ctx, &disk_ops, &m.disk, &n), MGC_OK);
    ck_assert_uint_eq(n, 2);
    market_close(&m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("node-questions");
    TCase *t = tcase_create("questions");

    tcase_set_timeout(t, 0);
    tcase_add_test(t, conditions_are_a_full_scan);
    tcase_add_test(t, a_flood_is_refused_and_the_rest_served);
    tcase_add_test(t, a_regulator_reads_on_record);
    tcase_add_test(t, who_only_reads_records_nothing);
    suite_add_tcase(s, t);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
