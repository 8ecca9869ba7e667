/* SPDX-License-Identifier: Apache-2.0 */
/* Credit: the formulas against a second implementation in another language; epochs, evidence, certificates and the
 * limits on trading through a node. */
#include "../node/market.h"
#include "contract/credit.h"
#include "ledger/block.h"

enum {
    INFO = MGC_CONTRACT_INFORMATION,
    TRADE = MGC_CONTRACT_TRADING,
    SETTLE = MGC_CONTRACT_SETTLEMENT,
    WATCH = MGC_CONTRACT_SUPERVISION,
    CREDIT = MGC_CONTRACT_CREDIT
};

static struct market m;

/* --- the formulas ------------------------------------------------------------------------------------------- */

static void write_history(FILE *out, uint64_t seed, int steps)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, seed);
    for (int i = 0; i < steps; i++) {
        uint64_t cap = 1 + mgc__rng_below(&rng, mgc__rng_below(&rng, 3) == 0 ? UINT64_C(1) << 32 : 5000);
        uint64_t wh = 1 + mgc__rng_below(&rng, mgc__rng_below(&rng, 4) == 0 ? MGC_AMOUNT_MAX : 20000);

        fprintf(out, "D %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", wh, mgc__rng_below(&rng, wh + wh / 3 + 2),
                mgc__rng_below(&rng, 3) * 250);
        fprintf(out, "T %" PRIu64 " %d %" PRIu64, mgc__rng_below(&rng, 10001), mgc__rng_below(&rng, 8) == 0, cap);
        for (uint64_t n = mgc__rng_below(&rng, 9); n > 0; n--)
            fprintf(out, " %" PRIu64 " %d %" PRIu64 " %" PRIu64, 1 + mgc__rng_below(&rng, 7),
                    mgc__rng_below(&rng, 6) == 0, 1 + mgc__rng_below(&rng, 2 * cap), mgc__rng_below(&rng, 10001));
        fprintf(out, "\n");
        uint64_t certificates = mgc__rng_below(&rng, 100);
        fprintf(out, "N %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", mgc__rng_below(&rng, 10001),
                mgc__rng_below(&rng, certificates + 1), certificates, mgc__rng_below(&rng, 3),
                50 * mgc__rng_below(&rng, 5));
    }
}

static uint64_t word(char **at)
{
    return strtoull(*at, at, 10);
}

static uint32_t ours_trade(char *line, uint32_t *before)
{
    mgc__deals deals[8] = {{0}};
    uint32_t performance = 0, trade = (uint32_t)word(&line);
    bool defaulted = word(&line) != 0, traded;
    uint64_t cap = word(&line);

    *before = trade;
    while (strspn(line, " \n") < strlen(line)) {
        uint64_t counterparty = word(&line), owner = word(&line), wh = word(&line), score = word(&line);
        if (owner == 0) mgc__deals_add(&deals[counterparty], wh, cap, (uint32_t)score);
    }
    traded = mgc__credit_performance(deals, 8, trade, &performance);
    return mgc__credit_trade_step(trade, traded, performance, defaulted);
}

static void ours(char *line, char *text, size_t size)
{
    char *at = line + 1;
    uint32_t before;

    if (line[0] == 'D') {
        uint64_t wh = word(&at), deviation = word(&at), tolerance = word(&at);
        snprintf(text, size, "%" PRIu32 "\n", mgc__credit_delivery(wh, deviation, (uint32_t)tolerance));
    } else if (line[0] == 'T') {
        uint32_t after = ours_trade(at, &before);
        ck_assert_uint_le(after, CREDIT_MAX); /* I8 */
        ck_assert(after + CREDIT_FALL_MAX >= before);
        snprintf(text, size, "%" PRIu32 "\n", after);
    } else {
        uint64_t node = word(&at), signed_ = word(&at), certificates = word(&at), led = word(&at);
        uint32_t bonus = (uint32_t)word(&at);
        uint32_t after = mgc__credit_node_step((uint32_t)node, signed_, certificates, led, &bonus);
        ck_assert_uint_le(after, CREDIT_MAX); /* I8 */
        snprintf(text, size, "%" PRIu32 " %" PRIu32 "\n", after, bonus);
    }
}

/* Random histories: a second implementation in Python, whose integers have no width, answers the same. */
START_TEST(the_formulas_twice)
{
    const char *python = getenv("MGC_TEST_PYTHON"), *script = getenv("MGC_TEST_CREDIT_PY");
    char in_name[] = "/tmp/mgc_creditXXXXXX", out_name[64], command[600], line[2000], theirs[100], mine[100];
    int n = 0, fd = mkstemp(in_name);
    FILE *in, *out;

    ck_assert_msg(python != NULL && script != NULL, "MGC_TEST_PYTHON or MGC_TEST_CREDIT_PY is not set");
    ck_assert_int_ge(fd, 0);
    in = fdopen(fd, "w");
    write_history(in, 20260722, 20000);
    fclose(in);
    snprintf(out_name, sizeof out_name, "%s.out", in_name);
    snprintf(command, sizeof command, "%s %s < %s > %s", python, script, in_name, out_name);
    ck_assert_int_eq(system(command), 0);
    in = fopen(in_name, "r");
    out = fopen(out_name, "r");
    ck_assert(in != NULL && out != NULL);
    while (fgets(line, sizeof line, in) != NULL) {
        ck_assert_ptr_nonnull(fgets(theirs, sizeof theirs, out));
        ours(line, mine, sizeof mine);
        ck_assert_msg(strcmp(mine, theirs) == 0, "%sours %stheirs %s", line, mine, theirs);
        n++;
    }
    ck_assert_int_eq(n, 60000);
    fclose(in);
    fclose(out);
    remove(in_name);
    remove(out_name);
}
END_TEST

/* C8: wash trading.  Between two of one owner it is as if nothing had been done; one pair that makes all of the
 * volume moves credit as a fifth of it would. */
START_TEST(C8_wash_trading)
{
    mgc__deals one[1] = {{0}}, five[5] = {{0}};
    uint32_t performance = 0, honest;

    ck_assert(!mgc__credit_performance(one, 0, 6000, &performance));
    ck_assert_uint_eq(mgc__credit_trade_step(6000, false, 0, false), 6000 - 1000 / 64);
    mgc__deals_add(&one[0], 1000000, 1 << 30, 10000);
    ck_assert(mgc__credit_performance(one, 1, 6000, &performance));
    ck_assert_uint_eq(performance, 6000 + 4000 / 5);
    for (int i = 0; i < 5; i++) mgc__deals_add(&five[i], 1000000, 1 << 30, 10000);
    ck_assert(mgc__credit_performance(five, 5, 6000, &honest));
    ck_assert_uint_eq(honest, 10000);
    ck_assert_uint_eq(mgc__credit_trade_step(6000, true, performance, false) - 6000, 4000 / 5 / 16);
    ck_assert_uint_eq(mgc__credit_trade_step(6000, true, honest, false) - 6000, 4000 / 16);
    for (int i = 0; i < 1000; i++) mgc__deals_add(&one[0], 1000000, 1 << 30, 10000); /* more of the same */
    ck_assert(mgc__credit_performance(one, 1, 6000, &performance));
    ck_assert_uint_eq(performance, 6000 + 4000 / 5);
    /* a cap on one deal's size: a large one is not a thousand small ones */
    mgc__deals cap = {0};
    mgc__deals_add(&cap, MGC_AMOUNT_MAX, 1000, 10000);
    ck_assert_uint_eq(cap.weight, 1000);
}
END_TEST

/* Leader 1 never lets member 3's signature into a certificate: as long as it leads alone, 3 keeps its vote, however low its
 * credit falls; under another leader it regains.  Two leaders who say the same are believed. */
START_TEST(C10_censoring_leader)
{
    int64_t v[NODE_INTS] = {[NODE_CREDIT] = CREDIT_START};
    uint32_t bonus = 0;

    for (int epoch = 0; epoch < 60; epoch++) {
        v[NODE_CREDIT] = mgc__credit_node_step((uint32_t)v[NODE_CREDIT], 0, 100, 0, &bonus);
        mgc__credit_count_low(v, 100, 1, false);
        ck_assert(!mgc__credit_to_demote(v));
    }
    ck_assert_int_lt(v[NODE_CREDIT], CREDIT_DEMOTE_BELOW);
    ck_assert_int_eq(v[NODE_LOW_EPOCHS], CREDIT_DEMOTE_EPOCHS);
    v[NODE_SIGNED] = 95; /* leader 2 lets it in */
    mgc__credit_count_low(v, 100, 2, false);
    ck_assert_int_eq(v[NODE_LOW_EPOCHS], 0);
    ck_assert(!mgc__credit_to_demote(v));
    int64_t before = v[NODE_CREDIT];
    v[NODE_CREDIT] = mgc__credit_node_step((uint32_t)before, 95, 100, 0, &bonus);
    ck_assert_int_gt(v[NODE_CREDIT], before);
    v[NODE_SIGNED] = 0;
    for (int epoch = 1; epoch <= 12; epoch++) {
        v[NODE_CREDIT] = mgc__credit_node_step((uint32_t)v[NODE_CREDIT], 0, 100, 0, &bonus);
        mgc__credit_count_low(v, 100, epoch % 2, false);
        ck_assert(mgc__credit_to_demote(v) == (epoch >= 8));
    }
}
END_TEST

START_TEST(falls_four_times_faster)
{
    uint32_t bonus = 0;

    ck_assert_uint_eq(mgc__credit_trade_step(5000, true, 10000, false), 5000 + 5000 / 16);
    ck_assert_uint_eq(mgc__credit_trade_step(5000, true, 0, false), 5000 - 5000 / 4);
    ck_assert_uint_eq(mgc__credit_trade_step(10000, true, 0, true), 10000 - 2500 - 2000);
    ck_assert_uint_eq(mgc__credit_trade_step(1500, true, 1500, true), 0);
    ck_assert_uint_eq(mgc__credit_delivery(1000, 50, 500), 10000);
    ck_assert_uint_eq(mgc__credit_delivery(1000, 175, 500), 5000);
    ck_assert_uint_eq(mgc__credit_delivery(1000, 300, 500), 0);
    uint32_t node = 5000;
    for (int i = 0; i < 10; i++) node = mgc__credit_node_step(node, 5, 10, 1, &bonus); /* the bonus ends at 200 */
    ck_assert_uint_gt(node, 5000);
    ck_assert_uint_lt(node, 5200); /* 200 once, and it wears off */
    ck_assert_uint_eq(bonus, 200);
    ck_assert_uint_eq(mgc__credit_limit_bp(2999, 3000), 0);
    ck_assert_uint_eq(mgc__credit_collateral_bp(4999, 1000), 2000);
    ck_assert_uint_eq(mgc__credit_collateral_bp(5000, 1000), 1000);
    ck_assert_uint_eq(mgc__credit_collateral_bp(9000, 1000), 500);
    ck_assert_uint_eq(mgc__credit_collateral_bp(3000, 8000), 10000);
}
END_TEST

/* --- through a node ------------------------------------------------------------------------------------------ */

#define expect(...) market_expectf(&m, __VA_ARGS__)

static int64_t trade_credit(int manager)
{
    char text[40];

    snprintf(text, sizeof text, "member=%d", manager);
    return market_cell(&m, REGULATOR, "credit", text, "trade");
}

static void open_until(int step)
{
    m.pending_blocks = 0;
    market_open(&m);
    market_until(&m, step);
}

static void enrol_second_regulator(void)
{
    expect(MGC_OK, INFO, "member", "1:9", "id=6 organisation=1 name=r2 roles=64 key=@6 from_height=0");
}

static void set_parameter(int parameter, int64_t value)
{
    expect(MGC_OK, WATCH, "act", "4:6 6:6", "kind=1 subject=%d value=%" PRId64 " reason=test", parameter, value);
}

static void all_days_steps_from(int step)
{
    for (; step < STEPS; step++) market_step(&m, step);
}

START_TEST(epochs_follow_what_was_delivered)
{
    char root[65] = "", again[65];
    mgc_rows *rows;
    const mgc_row *row;

    open_until(STEP_NOMINATE);
    expect(MGC_E_FORBIDDEN, CREDIT, "epoch", "11:2", "number=1 last_slot=%d", FIRST_SLOT - 1);
    expect(MGC_E_EARLY, CREDIT, "epoch", "2:5", "number=1 last_slot=%d", FIRST_SLOT);
    market_step(&m, STEP_NOMINATE);
    all_days_steps_from(STEP_AGREE);
    expect(MGC_E_STATE, CREDIT, "epoch", "2:5", "number=2 last_slot=%d", FIRST_SLOT);
    expect(MGC_OK, CREDIT, "epoch", "2:5", "number=1 last_slot=%d", FIRST_SLOT + SLOTS - 1);
    expect(MGC_E_EXISTS, CREDIT, "epoch", "2:5", "number=1 last_slot=%d", FIRST_SLOT + SLOTS - 1);
    /* All kept to their word, within a twentieth.  A and C dealt with B alone, which counts for a fifth: P = 6000; B
     * with both. */
    ck_assert_int_eq(trade_credit(MANAGER + 1), 5000 + 1000 / 16);
    ck_assert_int_eq(trade_credit(MANAGER + 3), 5000 + 1000 / 16);
    ck_assert_int_gt(trade_credit(MANAGER + 2), 5000 + 1000 / 16);
    ck_assert_int_eq(market_cell(&m, MANAGER + 1, "credit", "member=11", "trade"), trade_credit(MANAGER + 1)); /* its own */
    ck_assert_int_eq(market_cell(&m, MANAGER + 1, "credit", "member=12", "trade"), -1);                        /* another's */
    ck_assert_int_eq(market_cell(&m, 0, "credit", "", "trade"), -1);
    int64_t before = trade_credit(MANAGER + 3);
    expect(MGC_OK, CREDIT, "epoch", "2:5", "number=2 last_slot=%d", FIRST_SLOT + SLOTS - 1); /* nothing twice */
    ck_assert_int_eq(trade_credit(MANAGER + 3), before - (before - 5000) / 64);
    ck_assert_int_eq(mgc_node_query(m.node, 0, "epochs", NULL, &rows), MGC_OK);
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        snprintf(again, sizeof again, "%s", mgc_row_text(row, "root"));
        ck_assert_str_ne(root, again);
        memcpy(root, again, sizeof root);
    }
    ck_assert_uint_eq(mgc_rows_count(rows), 2);
    mgc_rows_destroy(rows);

    /* I2: replay from genesis gives the same table */
    market_stop(&m);
    ck_assert_int_eq(market_verify(&m), MGC_OK);
    market_close(&m);
}
END_TEST

/* A default: what was sold is not there.  Suspended, closing orders only (fault 39); time and deliveries heal it. */
START_TEST(a_default_suspends) /* faults 39 */
{
    open_until(STEP_NOMINATE);
    /* nothing is nominated: C sells heat, and takes it from the grid instead of giving any */
    expect(MGC_OK, TRADE, "agree", "12:2 13:2", "seller=3 buyer=2 link=2 rows=%d,50000,70000", FIRST_SLOT);
    expect(MGC_OK, TRADE, "agree", "12:2 13:2", "seller=2 buyer=3 link=2 rows=%d,20000,70000", FIRST_SLOT + 20);
    market_at(&m, START + HOUR);
    for (int i = 1; i <= METERS; i++) {
        char signer[16];
        snprintf(signer, sizeof signer, "%d:3", METER + i);
        int64_t in = i == 1 ? 9500000 : i == 7 ? 60000 : 0, out = 0;
        if (i == 6) in = 48500;
        expect(MGC_OK, SETTLE == 4 && mgc__method_find(SETTLE, "read", 4) != NULL ? SETTLE : MGC_CONTRACT_SCHEDULING,
               "read", signer, "meter=%d rows=%d,%" PRId64 ",%" PRId64 ",0", i, FIRST_SLOT, in, out);
    }
    expect(MGC_OK, SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT);
    expect(MGC_OK, CREDIT, "epoch", "2:5", "number=1 last_slot=%d", FIRST_SLOT); /* nothing is final yet */
    ck_assert_int_eq(trade_credit(MANAGER + 3), -1);
    market_at(&m, START + 3 * (uint64_t)HOUR);
    expect(MGC_OK, SETTLE, "finalise", "2:5", "slot=%d", FIRST_SLOT);
    expect(MGC_OK, CREDIT, "epoch", "2:5", "number=2 last_slot=%d", FIRST_SLOT);
    /* delivered 0 of 50000: score 0, a fifth of the weight: P = 4000, T = 5000 - 1000/4 - 2000 */
    ck_assert_int_eq(trade_credit(MANAGER + 3), 2750);
    ck_assert_int_eq(market_cell(&m, REGULATOR, "credit", "member=13", "suspended"), 1);
    ck_assert_int_eq(market_cell(&m, REGULATOR, "credit", "member=12", "suspended"), 0);
    expect(MGC_E_CREDIT_SCORE, TRADE, "agree", "12:2 13:2", "seller=3 buyer=2 link=2 rows=%d,1000,70000",
           FIRST_SLOT + 21);
    expect(MGC_E_CREDIT_SCORE, TRADE, "agree", "12:2 13:2", "seller=2 buyer=3 link=2 rows=%d,1000,70000",
           FIRST_SLOT + 20);
    expect(MGC_E_CREDIT_SCORE, TRADE, "agree", "12:2 13:2", "seller=3 buyer=2 link=2 rows=%d,20001,70000",
           FIRST_SLOT + 20);
    /* suspended, whatever the threshold is */
    enrol_second_regulator();
    set_parameter(2, 0);
    expect(MGC_E_CREDIT_SCORE, TRADE, "agree", "12:2 13:2", "seller=3 buyer=2 link=2 rows=%d,1000,70000", FIRST_SLOT + 21);
    set_parameter(2, 3000);
    /* it may sell back what it bought, no more */
    expect(MGC_OK, TRADE, "agree", "12:2 13:2", "seller=3 buyer=2 link=2 rows=%d,20000,70000", FIRST_SLOT + 20);
    expect(MGC_E_CREDIT_SCORE, TRADE, "agree", "12:2 13:2", "seller=3 buyer=2 link=2 rows=%d,1,70000",
           FIRST_SLOT + 20);
    for (int i = 3; market_cell(&m, REGULATOR, "credit", "member=13", "suspended") == 1; i++) {
        ck_assert_int_lt(i, 60);
        ck_assert_int_lt(trade_credit(MANAGER + 3), 3500 + 36);
        expect(MGC_OK, CREDIT, "epoch", "2:5", "number=%d last_slot=%d", i, FIRST_SLOT);
    }
    ck_assert_int_ge(trade_credit(MANAGER + 3), 3500);
    expect(MGC_OK, TRADE, "agree", "12:2 13:2", "seller=3 buyer=2 link=2 rows=%d,1000,70000", FIRST_SLOT + 22);
    set_parameter(2, 4000); /* not suspended, and below */
    expect(MGC_E_CREDIT_SCORE, TRADE, "agree", "12:2 13:2", "seller=3 buyer=2 link=2 rows=%d,1000,70000", FIRST_SLOT + 22);
    market_close(&m);
}
END_TEST

/* I9: exposure within its limit after every order, whatever is tried (fault 38); a flood is refused (fault 58). */
START_TEST(exposure_and_floods) /* faults 38, 58; I9 */
{
    mgc__rng rng;
    int64_t open = 0;
    int taken = 0, refused = 0;

    open_until(STEP_NOMINATE);
    enrol_second_regulator();
    set_parameter(3, 20000000); /* the base limit; a credit of 5000 allows all of it */
    mgc__rng_seed(&rng, 5);
    for (int i = 0; i < 150; i++) {
        int64_t wh = 1 + (int64_t)mgc__rng_below(&rng, 60000), price = 50000 + (int64_t)mgc__rng_below(&rng, 50000);
        int64_t worth = 0;
        char text[200];

        ck_assert_int_eq(mgc_worth((uint64_t)wh, price, &worth), MGC_OK);
        snprintf(text, sizeof text, "seller=1 buyer=2 link=1 rows=%d,%" PRId64 ",%" PRId64, FIRST_SLOT + i % 4, wh,
                 price);
        bool fits = open + worth <= 20000000;
        uint64_t ticket = market_send(&m, TRADE, "agree", text, "11:2 12:2");
        market_flush(&m);
        m.info.struct_size = sizeof m.info;
        ck_assert_int_eq(mgc_ticket_state(m.node, ticket, &m.info), MGC_OK);
        if (m.info.status == MGC_E_OVERSOLD) continue; /* the link's capacity comes first */
        ck_assert_msg(m.info.status == (fits ? MGC_OK : MGC_E_EXCEEDS_CREDIT), "%s", mgc_status_name(m.info.status));
        if (fits) open += worth;
        taken += fits;
        refused += !fits;
    }
    ck_assert_int_gt(taken, 5);
    ck_assert_int_gt(refused, 5);
    ck_assert_int_le(open, 20000000);
    set_parameter(7, 3); /* three orders for a slot */
    for (int i = 0; i < 3; i++)
        expect(MGC_OK, TRADE, "agree", "12:2 13:2", "seller=3 buyer=2 link=2 rows=%d,1,1", FIRST_SLOT + 30);
    expect(MGC_E_RATE, TRADE, "agree", "12:2 13:2", "seller=3 buyer=2 link=2 rows=%d,1,1", FIRST_SLOT + 30);
    expect(MGC_OK, TRADE, "agree", "12:2 13:2", "seller=3 buyer=2 link=2 rows=%d,1,1", FIRST_SLOT + 31);
    market_close(&m);
}
END_TEST

/* A header of a block with another time, or as it is. */
static size_t header_bytes(uint8_t *bytes, size_t cap, uint64_t later, uint64_t height)
{
    return market_header(&m, CREDIT, height, later, bytes, cap);
}

static void vote(const uint8_t *body, size_t len, const mgc_key *key, uint8_t signature[64])
{
    market_vote(&m, CREDIT, body, len, key, signature);
}

static uint64_t height(void)
{
    return market_height(&m, CREDIT);
}

static void give(mgc_status status, int kind, const uint8_t *a, size_t a_len, const uint8_t *sa, const uint8_t *b,
                 size_t b_len, const uint8_t *sb, int64_t validator)
{
    expect(status, CREDIT, "evidence", "2:5",
           "kind=%d validator=%" PRId64 " first=%s first_signature=%s second=%s second_signature=%s", kind, validator,
           market_hex(a, a_len), market_hex(sa, 64), market_hex(b, b_len), market_hex(sb, 64));
}

static void give_evidence(mgc_status status, const uint8_t *a, size_t a_len, const uint8_t *sa, const uint8_t *b,
                          size_t b_len, const uint8_t *sb, int64_t validator)
{
    give(status, 1, a, a_len, sa, b, b_len, sb, validator);
}

START_TEST(C7_evidence_twice) /* I8: idempotent; what was said once convicts once */
{
    uint8_t a[1000], b[1000], sa[64], sb[64], bad[64];
    size_t a_len, b_len;

    open_until(STEP_DEPOSIT);
    a_len = header_bytes(a, sizeof a, 0, height());
    b_len = header_bytes(b, sizeof b, 1, height());
    vote(a, a_len, m.key, sa);
    vote(b, b_len, m.key, sb);
    give_evidence(MGC_E_RANGE, a, a_len, sa, a, a_len, sa, 1);     /* one statement, twice */
    give_evidence(MGC_E_NOT_FOUND, a, a_len, sa, b, b_len, sb, 2); /* not a validator */
    memcpy(bad, sb, sizeof bad);
    bad[5] ^= 1;
    give_evidence(MGC_E_BAD_SIGNATURE, a, a_len, sa, b, b_len, bad, 1);
    uint8_t other[1000], so[64];
    size_t other_len = header_bytes(other, sizeof other, 0, height() - 1);
    vote(other, other_len, m.key, so);
    give_evidence(MGC_E_RANGE, a, a_len, sa, other, other_len, so, 1); /* two heights: honest */
    vote(b, b_len, market_key(&m, OPERATOR), bad);
    give_evidence(MGC_E_BAD_SIGNATURE, a, a_len, sa, b, b_len, bad, 1); /* forged by another */
    ck_assert_int_eq(market_cell(&m, 0, "validators", NULL, "node"), -1);
    give_evidence(MGC_OK, a, a_len, sa, b, b_len, sb, 1);
    ck_assert_int_eq(market_cell(&m, 0, "validators", NULL, "node"), 0);
    ck_assert_int_gt(market_cell(&m, 0, "validators", NULL, "convicted"), 0);
    int64_t convicted = market_cell(&m, 0, "validators", NULL, "convicted");
    give_evidence(MGC_E_EXISTS, a, a_len, sa, b, b_len, sb, 1);
    give_evidence(MGC_E_EXISTS, b, b_len, sb, a, a_len, sa, 1); /* the other way round is the same */
    ck_assert_int_eq(market_cell(&m, 0, "validators", NULL, "convicted"), convicted);
    b_len = header_bytes(b, sizeof b, 7, height() - 10);
    a_len = header_bytes(a, sizeof a, 0, height() - 10);
    vote(a, a_len, m.key, sa);
    vote(b, b_len, m.key, sb);
    give_evidence(MGC_OK, a, a_len, sa, b, b_len, sb, 1); /* another lie: kept, and nothing more to lose */
    ck_assert_int_eq(market_cell(&m, 0, "validators", NULL, "node"), 0);
    ck_assert_int_eq(market_cell(&m, 0, "validators", NULL, "convicted"), convicted);
    expect(MGC_OK, CREDIT, "epoch", "2:5", "number=1 last_slot=%d", 0);
    ck_assert_int_eq(market_cell(&m, 0, "validators", NULL, "node"), 0); /* and it stays there */
    market_close(&m);
}
END_TEST

/* Two votes of one term for two candidates. */
START_TEST(C7_two_votes_in_a_term)
{
    uint8_t a[64] = {0}, b[64] = {0}, sa[64], sb[64];
    mgc_chain_info chain = {.struct_size = sizeof chain};

    open_until(STEP_DEPOSIT);
    ck_assert_int_eq(mgc_chain_get_info(mgc_node_chain(m.node, CREDIT), &chain), MGC_OK);
    a[15] = b[15] = 9; /* term */
    a[19] = 2;         /* candidates */
    b[19] = 3;
    for (int term = 0; term < 2; term++) {
        b[15] = term == 0 ? 8 : 9; /* votes in two terms are no lie */
        ck_assert_int_eq(mgc__sign_tagged(m.ctx, m.key, "mgchain/vote/1", chain.chain_id, MGC_ROLE_NONE, a, 64, sa),
                         MGC_OK);
        ck_assert_int_eq(mgc__sign_tagged(m.ctx, m.key, "mgchain/vote/1", chain.chain_id, MGC_ROLE_NONE, b, 64, sb),
                         MGC_OK);
        give(term == 0 ? MGC_E_RANGE : MGC_OK, 2, a, 64, sa, b, 64, sb, 1);
    }
    ck_assert_int_eq(market_cell(&m, 0, "validators", NULL, "node"), 0);
    market_close(&m);
}
END_TEST

static void certify(mgc_status status, uint64_t at, int forge)
{
    uint8_t header[1000], bytes[2000], signature[64];
    mgc__certificate c = {.n = 1};
    mgc__cbor_writer w;
    uint8_t hash[32];
    size_t len = header_bytes(header, sizeof header, forge == 1 ? 1 : 0, at);

    mgc__header_hash(header, len, hash);
    if (forge == 2) hash[0] ^= 1;
    vote(header, len, forge == 3 ? market_key(&m, OPERATOR) : m.key, signature);
    c.block_hash = hash;
    c.votes[0].member = forge == 4 ? 2 : 1;
    c.votes[0].signature = signature;
    if (forge == 5) c.n = 0;
    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__certificate_write(&w, &c);
    expect(status, CREDIT, "certify", "2:5", "header=%s certificate=%s", market_hex(header, len), market_hex(bytes, w.len));
}

/* Consensus credit rises with signatures that stand in the chain, each counted once, late ones for eight blocks. */
START_TEST(certificates_are_counted_once)
{
    open_until(STEP_DEPOSIT);
    uint64_t h = height();
    certify(MGC_OK, h, 0);
    certify(MGC_E_EXISTS, h, 0);
    certify(MGC_E_BAD_CERT, h, 2);      /* of another block */
    certify(MGC_E_BAD_SIGNATURE, h, 3); /* X3: signed by another */
    certify(MGC_E_BAD_CERT, h, 4);      /* of nobody */
    certify(MGC_E_BAD_CERT, h, 5);      /* of too few */
    certify(MGC_OK, h + 3, 0);
    certify(MGC_OK, h + 1, 0);
    ck_assert_int_eq(market_cell(&m, 0, "validators", NULL, "signed"), 3);
    ck_assert_int_eq(market_cell(&m, 0, "validators", NULL, "led"), 3);
    while (height() < h + 10) expect(MGC_OK, TRADE, "deposit", "2:5", "microgrid=1 amount_micro=1 reference=x");
    certify(MGC_E_WINDOW, h + 2, 0); /* too late */
    expect(MGC_OK, CREDIT, "epoch", "2:5", "number=1 last_slot=0");
    ck_assert_int_eq(market_cell(&m, 0, "validators", NULL, "node"), 5000 + 5000 / 32 + 50);
    ck_assert_int_eq(market_cell(&m, 0, "validators", NULL, "signed"), 0);
    ck_assert_int_eq(market_cell(&m, 0, "epochs", NULL, "certificates"), 3);
    mgc__credit_entry table[4];
    uint8_t root[32];
    size_t n;
    const mgc__state *state = mgc__chain_state(mgc_node_chain(m.node, CREDIT));
    ck_assert_int_eq(mgc__credit_table(state, state, mgc_node_chain(m.node, CREDIT), table, 4, &n, root), MGC_OK);
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(table[0].node, 5206);
    ck_assert_uint_eq(table[0].trade, 5000);
    ck_assert(!table[0].demote && !table[0].convicted);
    market_close(&m);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, epochs_follow_what_was_delivered);
    tcase_add_test(t, a_default_suspends);
    tcase_add_test(t, exposure_and_floods);
    tcase_add_test(t, C7_evidence_twice);
    tcase_add_test(t, C7_two_votes_in_a_term);
    tcase_add_test(t, certificates_are_counted_once);
}

int main(void)
{
    Suite *s = suite_create("contract-credit");
    TCase *t = market_case(s, "formulas", 1);

    tcase_add_test(t, the_formulas_twice);
    tcase_add_test(t, C8_wash_trading);
    tcase_add_test(t, C10_censoring_leader);
    tcase_add_test(t, falls_four_times_faster);
    add_tests(market_case(s, "one chain", 1));
    add_tests(market_case(s, "three chains", 3));
    return market_run(s);
}
