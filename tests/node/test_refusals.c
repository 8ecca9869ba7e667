/* SPDX-License-Identifier: Apache-2.0 */
/* What must be refused, with its code and a rule, and nothing changed by it.  Rows are those of the list of
 * faults. */
#include "market.h"

enum {
    INFO = MGC_CONTRACT_INFORMATION,
    TRADE = MGC_CONTRACT_TRADING,
    PLAN = MGC_CONTRACT_SCHEDULING,
    SETTLE = MGC_CONTRACT_SETTLEMENT
};

static struct market m;

static void refuse(mgc_status status, uint32_t contract, const char *method, const char *signers, const char *format,
                   ...) MGC_PRINTF(5, 6);
static void accept(uint32_t contract, const char *method, const char *signers, const char *format, ...)
    MGC_PRINTF(4, 5);

static void refuse(mgc_status status, uint32_t contract, const char *method, const char *signers, const char *format,
                   ...)
{
    char text[4000];
    int64_t balances[GRIDS + 1];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (uint32_t g = 1; g <= GRIDS; g++) balances[g] = market_balance(&m, MGC_ACCOUNT_MONEY, g);
    uint64_t pending = market_pending(&m);
    market_expect(&m, status, contract, method, text, signers);
    for (uint32_t g = 1; g <= GRIDS; g++) ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, g), balances[g]);
    ck_assert_uint_eq(market_pending(&m), pending);
}

static void accept(uint32_t contract, const char *method, const char *signers, const char *format, ...)
{
    char text[4000];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    market_expect(&m, MGC_OK, contract, method, text, signers);
}

static void open_until(int step)
{
    market_open(&m);
    market_until(&m, step);
}

/* --- transactions ------------------------------------------------------------------------------------ */

START_TEST(replays_and_nonces) /* faults 1-5 */
{
    static uint8_t kept[MGC_TX_BYTES_MAX], early[MGC_TX_BYTES_MAX];
    uint64_t first, second;
    mgc_ticket_info info = {.struct_size = sizeof info};

    open_until(STEP_TARIFF);
    accept(TRADE, "deposit", "2:5", "microgrid=1 amount_micro=5 reference=x");
    memcpy(kept, m.last, m.last_len);
    size_t kept_len = m.last_len;
    market_expect_bytes(&m, MGC_E_DUPLICATE_TXID, kept, kept_len); /* 1 */
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), 5);
    m.nonce_shift = -1;
    refuse(MGC_E_NONCE_USED, TRADE, "deposit", "2:5", "microgrid=1 amount_micro=6 reference=x"); /* 2 */

    /* 3: a nonce that comes too early waits; when the one before it is there, both go into one block, in order. */
    m.nonce_shift = 1;
    market_make(&m, TRADE, "deposit", "microgrid=1 amount_micro=20 reference=second", "2:5");
    memcpy(early, m.last, m.last_len);
    ck_assert_int_eq(mgc_node_submit(m.node, early, m.last_len, &second), MGC_OK);
    market_flush(&m);
    ck_assert_int_eq(mgc_ticket_state(m.node, second, &info), MGC_OK);
    ck_assert_int_eq(info.state, MGC_TICKET_OPEN);
    first = market_send(&m, TRADE, "deposit", "microgrid=1 amount_micro=10 reference=first", "2:5");
    market_flush(&m);
    ck_assert_int_eq(mgc_ticket_state(m.node, first, &info), MGC_OK);
    ck_assert_int_eq(info.state, MGC_TICKET_COMMITTED);
    uint64_t height = info.height;
    ck_assert_int_eq(mgc_ticket_state(m.node, second, &info), MGC_OK);
    ck_assert_int_eq(info.state, MGC_TICKET_COMMITTED);
    ck_assert_uint_eq(info.height, height);
    ck_assert_uint_eq(info.index, 1);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), 35);

    /* the world's counter is one behind */
    market_expect(&m, MGC_E_NONCE_USED, TRADE, "deposit", "microgrid=1 amount_micro=6 reference=x", "2:5");
    m.valid_until = 3;
    refuse(MGC_E_EXPIRED, TRADE, "deposit", "2:5", "microgrid=1 amount_micro=6 reference=x"); /* 4 */
    m.valid_until = 1000000;
    refuse(MGC_E_LIMIT, TRADE, "deposit", "2:5", "microgrid=1 amount_micro=6 reference=x"); /* 5 */
    m.valid_until = 0;
    market_close(&m);
}
END_TEST

START_TEST(a_gap_that_never_closes_expires) /* faults 3 */
{
    mgc_ticket_info info = {.struct_size = sizeof info};
    mgc_node_info node = {.struct_size = sizeof node};
    uint64_t ticket;

    open_until(STEP_TARIFF);
    ck_assert_int_eq(mgc_node_get_info(m.node, &node), MGC_OK);
    m.nonce_shift = 5;
    m.valid_until = node.height + 2;
    market_make(&m, TRADE, "deposit", "microgrid=1 amount_micro=20 reference=late", "2:5");
    m.valid_until = 0;
    ck_assert_int_eq(mgc_node_submit(m.node, m.last, m.last_len, &ticket), MGC_OK);
    for (int i = 0; i < 3; i++) accept(TRADE, "deposit", "2:5", "microgrid=1 amount_micro=1 reference=x");
    ck_assert_int_eq(mgc_ticket_state(m.node, ticket, &info), MGC_OK);
    ck_assert_int_eq(info.state, MGC_TICKET_REFUSED);
    ck_assert_int_eq(info.status, MGC_E_EXPIRED);
    ck_assert_uint_eq(info.height, 0);
    market_close(&m);
}
END_TEST

START_TEST(signatures_and_chains) /* faults 6, 7, 22, 30 */
{
    static uint8_t bytes[MGC_TX_BYTES_MAX];
    struct market other = {0};

    open_until(STEP_TARIFF);
    market_make(&m, TRADE, "deposit", "microgrid=1 amount_micro=5 reference=x", "2:5");
    memcpy(bytes, m.last, m.last_len);
    bytes[m.last_len - 1] ^= 1;
    market_expect_bytes(&m, MGC_E_BAD_SIGNATURE, bytes, m.last_len);

    /* 7: a signature in one role does not count in another */
    mgc_tx_info tx = {.struct_size = sizeof tx};
    mgc_tx_signature s;
    size_t len;
    ck_assert_int_eq(mgc_tx_decode(m.last, m.last_len, &tx), MGC_OK);
    ck_assert_int_eq(mgc_tx_sign(tx.body, tx.body_len, market_key(&m, OPERATOR), MGC_ROLE_USER, &s), MGC_OK);
    s.role = MGC_ROLE_MARKET_OPERATOR;
    ck_assert_int_eq(mgc_tx_assemble(tx.body, tx.body_len, &s, 1, bytes, sizeof bytes, &len), MGC_OK);
    market_expect_bytes(&m, MGC_E_BAD_SIGNATURE, bytes, len);

    bytes[len] = 0; /* 22 */
    market_expect_bytes(&m, MGC_E_NONCANONICAL, bytes, len + 1);
    market_expect_bytes(&m, MGC_E_TRUNCATED, bytes, 0);

    /* 6: the same market on another chain: other genesis, other chain id */
    mgc_node_opts opts;
    mgc_ctx *ctx;
    mgc_node *node;
    mgc_ticket_info info = {.struct_size = sizeof info};
    uint64_t ticket;
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    disk_init(&other.disk);
    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.key = m.key;
    opts.genesis_nonce[0] = 1;
    ck_assert_int_eq(mgc_node_create(ctx, &opts, &node), MGC_OK);
    ck_assert_int_eq(mgc_node_set_storage(node, &disk_ops, &other.disk), MGC_OK);
    ck_assert_int_eq(mgc_node_start(node), MGC_OK);
    ck_assert_int_eq(mgc_node_submit(node, m.last, m.last_len, &ticket), MGC_OK);
    ck_assert_int_eq(mgc_ticket_state(node, ticket, &info), MGC_OK);
    ck_assert_int_eq(info.status, MGC_E_WRONG_CHAIN);
    mgc_node_destroy(node);
    disk_free(&other.disk);
    mgc_ctx_destroy(ctx);
    market_close(&m);
}
END_TEST

START_TEST(keys_and_roles) /* faults 10, 13-15 */
{
    uint64_t one, two, three;
    mgc_ticket_info info = {.struct_size = sizeof info};

    open_until(STEP_TARIFF);
    /* 10: y = 0, order 4 */
    refuse(MGC_E_BAD_KEY, INFO, "member", "1:9", "id=50 organisation=1 name=weak roles=2 key=#0 from_height=0");
    /* not below the prime */
    refuse(MGC_E_BAD_KEY, INFO, "member", "1:9", "id=50 organisation=1 name=weak roles=2 key=#255 from_height=0");
    refuse(MGC_E_EXISTS, INFO, "member", "1:9", "id=50 organisation=1 name=twice roles=2 key=@2 from_height=0");
    refuse(MGC_E_EXISTS, INFO, "member", "1:9", "id=2 organisation=1 name=twice roles=2 key=@50 from_height=0");
    /* a manager is no operator */
    refuse(MGC_E_FORBIDDEN, TRADE, "deposit", "11:2", "microgrid=1 amount_micro=5 reference=x");
    /* 13: claims a role */
    refuse(MGC_E_FORBIDDEN, TRADE, "deposit", "11:5", "microgrid=1 amount_micro=5 reference=x");
    refuse(MGC_E_FORBIDDEN, TRADE, "deposit", "900:5", "microgrid=1 amount_micro=5 reference=x"); /* nobody */
    refuse(MGC_E_FORBIDDEN, INFO, "member", "2:5", "id=51 organisation=1 name=x roles=2 key=@51 from_height=0");
    refuse(MGC_E_EXISTS, INFO, "found", "1:9",
           "name=again currency=EUR slot_ms=3600000 gate_ms=0 gate_slots=1 window_ms=0 collateral_bp=0 "
           "pending_blocks=1 first_slot=1 administrator=@1");

    accept(INFO, "member", "1:9", "id=52 organisation=1 name=later roles=32 key=@52 from_height=100000");
    refuse(MGC_E_KEY_NOT_YET, TRADE, "deposit", "52:5", "microgrid=1 amount_micro=5 reference=x"); /* 15 */

    accept(INFO, "member", "1:9", "id=53 organisation=1 name=short roles=32 key=@53 from_height=0");
    one = market_send(&m, TRADE, "deposit", "microgrid=1 amount_micro=5 reference=before", "53:5");
    two = market_send(&m, INFO, "revoke", "member=53", "1:9");
    three = market_send(&m, TRADE, "deposit", "microgrid=1 amount_micro=5 reference=after", "53:5");
    market_flush(&m); /* 14: all in one block; what came before the revocation stands */
    ck_assert_int_eq(mgc_ticket_state(m.node, one, &info), MGC_OK);
    ck_assert_int_eq(info.status, MGC_OK);
    uint64_t height = info.height;
    ck_assert_int_eq(mgc_ticket_state(m.node, two, &info), MGC_OK);
    ck_assert_int_eq(info.status, MGC_OK);
    ck_assert_int_eq(mgc_ticket_state(m.node, three, &info), MGC_OK);
    ck_assert_int_eq(info.status, MGC_E_KEY_REVOKED);
    ck_assert_uint_eq(info.height, height);
    refuse(MGC_E_KEY_REVOKED, INFO, "revoke", "1:9", "member=53");

    /* a new key needs the old one and itself */
    refuse(MGC_E_MISSING_SIGNER, INFO, "rotate", "2:0", "member=2 key=@60");
    refuse(MGC_E_MISSING_SIGNER, INFO, "rotate", "60:0", "member=2 key=@60");
    accept(INFO, "rotate", "2:0 60:0", "member=2 key=@60");
    refuse(MGC_E_KEY_REVOKED, TRADE, "deposit", "2:5", "microgrid=1 amount_micro=5 reference=x");
    accept(TRADE, "deposit", "60:5", "microgrid=1 amount_micro=5 reference=x");

    /* where the old one is lost or revoked, two administrators, of the market or of its organisation */
    refuse(MGC_E_MISSING_SIGNER, INFO, "rotate", "1:9", "member=53 key=@61");
    accept(INFO, "member", "1:9", "id=54 organisation=1 name=second roles=512 key=@54 from_height=0");
    accept(INFO, "member", "1:9", "id=55 organisation=3 name=own roles=512 key=@55 from_height=0");
    refuse(MGC_E_MISSING_SIGNER, INFO, "rotate", "54:9", "member=53 key=@61");
    refuse(MGC_E_MISSING_SIGNER, INFO, "rotate", "54:9 61:0", "member=53 key=@61");
    refuse(MGC_E_MISSING_SIGNER, INFO, "rotate", "1:9 55:9", "member=53 key=@61"); /* of another's organisation */
    refuse(MGC_E_MISSING_SIGNER, INFO, "rotate", "1:9 54:9", "member=54 key=@61"); /* one of them for itself */
    accept(INFO, "rotate", "1:9 54:9", "member=53 key=@61");
    refuse(MGC_E_KEY_REVOKED, TRADE, "deposit", "53:5", "microgrid=1 amount_micro=5 reference=x");
    accept(TRADE, "deposit", "61:5", "microgrid=1 amount_micro=5 reference=y");
    accept(INFO, "rotate", "55:9 1:9", "member=12 key=@62"); /* B's manager, of the organisation of member 55 */
    refuse(MGC_E_KEY_REVOKED, TRADE, "nominate", "12:2", "microgrid=2 carrier=1 rows=434000,1,0");
    accept(TRADE, "nominate", "62:2", "microgrid=2 carrier=1 rows=434000,1,0");
    market_close(&m);
}
END_TEST

START_TEST(arguments_out_of_form) /* faults 16, 22-25, 28, 30, 31 */
{
    static uint8_t body[MGC_TX_BYTES_MAX], bytes[MGC_TX_BYTES_MAX];
    static const struct {
        uint8_t arguments[12];
        size_t len;
        mgc_status status;
    } cases[] = {
        {{0xa2, 1, 1, 2, 5}, 5, MGC_E_SCHEMA},                      /* 24: key 3 is missing */
        {{0xa4, 1, 1, 2, 5, 3, 0x60, 4, 0}, 9, MGC_E_SCHEMA},       /* 23: key 4 is unknown */
        {{0xa3, 1, 1, 2, 0x41, 5, 3, 0x60}, 8, MGC_E_SCHEMA},       /* 25: bytes for a number */
        {{0xa3, 1, 1, 2, 0x18, 5, 3, 0x60}, 8, MGC_E_NONCANONICAL}, /* 16: longer than needed */
        {{0xa3, 1, 0, 2, 5, 3, 0x60}, 7, MGC_E_RANGE},              /* 31: no such microgrid can be */
        {{0xa3, 1, 1, 2, 0, 3, 0x60}, 7, MGC_E_RANGE},              /* 31: amount 0 */
        {{0xa3, 1, 1, 2, 5, 3, 0x61, 0xff}, 8, MGC_E_UTF8},         /* 28 */
        {{0xa3, 1, 1, 2, 5, 3, 0x60, 0}, 8, MGC_E_NONCANONICAL},    /* 22 */
        {{0}, 0, MGC_E_TRUNCATED},                                  /* 30 */
    };
    mgc_node_info node = {.struct_size = sizeof node};
    uint8_t sender[32];

    open_until(STEP_TARIFF);
    ck_assert_int_eq(mgc_node_get_info(m.node, &node), MGC_OK);
    ck_assert_int_eq(mgc_key_public(market_key(&m, OPERATOR), sender), MGC_OK);
    for (size_t i = 0; i < MGC__COUNT(cases); i++) {
        mgc_tx_body tx = {.struct_size = sizeof tx,
                          .chain_id = node.chain_id,
                          .sender = sender,
                          .contract = TRADE,
                          .method = "deposit",
                          .arguments = cases[i].arguments,
                          .arguments_len = cases[i].len,
                          .nonce = i + 1,
                          .valid_until = node.height + 100};
        mgc_tx_signature s;
        size_t len;

        ck_assert_int_eq(mgc_tx_encode_body(&tx, body, sizeof body, &len), MGC_OK);
        ck_assert_int_eq(mgc_tx_sign(body, len, market_key(&m, OPERATOR), MGC_ROLE_MARKET_OPERATOR, &s), MGC_OK);
        ck_assert_int_eq(mgc_tx_assemble(body, len, &s, 1, bytes, sizeof bytes, &len), MGC_OK);
        market_expect_bytes(&m, cases[i].status, bytes, len);
    }
    market_sync_nonce(&m, OPERATOR, TRADE);
    refuse(MGC_E_NOT_FOUND, TRADE, "deposit", "2:5", "microgrid=77 amount_micro=5 reference=x");
    market_close(&m);
}
END_TEST

/* --- trading -------------------------------------------------------------------------------------------- */

START_TEST(agreements) /* faults 11, 31, 32, 34, 36-38 */
{
    open_until(STEP_NOMINATE);
    /* 11 */
    refuse(MGC_E_MISSING_SIGNER, TRADE, "agree", "11:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT);
    refuse(MGC_E_MISSING_SIGNER, TRADE, "agree", "12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT);
    refuse(MGC_E_MISSING_SIGNER, TRADE, "agree", "11:2 13:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000",
           FIRST_SLOT);
    /* 34 */
    refuse(MGC_E_SELF_TRADE, TRADE, "agree", "11:2", "seller=1 buyer=1 link=1 rows=%d,1000,90000", FIRST_SLOT);
    accept(INFO, "microgrid", "1:9", "id=4 organisation=2 manager=11 name=D limits=1,1000,1000,1000");
    /* 34: one owner */
    refuse(MGC_E_SELF_TRADE, TRADE, "agree", "11:2", "seller=1 buyer=4 link=1 rows=%d,1000,90000", FIRST_SLOT);
    /* another link's */
    refuse(MGC_E_RANGE, TRADE, "agree", "11:2 13:2", "seller=1 buyer=3 link=1 rows=%d,1000,90000", FIRST_SLOT);
    /* 31 */
    refuse(MGC_E_RANGE, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,0,90000", FIRST_SLOT);
    refuse(MGC_E_RANGE, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,-5,90000", FIRST_SLOT);
    refuse(MGC_E_RANGE, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,5,1000000001", FIRST_SLOT);
    /* 32 */
    refuse(MGC_E_OVERFLOW, TRADE, "agree", "11:2 12:2",
           "seller=1 buyer=2 link=1 rows=%d,4611686018427387904,1000000000", FIRST_SLOT);
    /* 36 */
    refuse(MGC_E_SLOT, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT - 1);
    refuse(MGC_E_SLOT, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000",
           FIRST_SLOT + 100000);
    refuse(MGC_E_SLOT, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=-1,1000,90000");
    /* 37: capacity */
    refuse(MGC_E_OVERSOLD, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,500001,90000", FIRST_SLOT);
    /* 37: each fits, their sum does not; the first row is undone with the second */
    refuse(MGC_E_OVERSOLD, TRADE, "agree", "11:2 12:2",
           "seller=1 buyer=2 link=1 rows=%d,300000,90000;%d,200001,90000", FIRST_SLOT, FIRST_SLOT);
    accept(TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,300000,90000", FIRST_SLOT);
    refuse(MGC_E_OVERSOLD, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,200001,90000", FIRST_SLOT);
    accept(TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,200000,90000", FIRST_SLOT);
    /* the other way is another capacity */
    accept(TRADE, "agree", "11:2 12:2", "seller=2 buyer=1 link=1 rows=%d,500000,90000", FIRST_SLOT);
    /* 38: 300 a member; worth 999 with collateral */
    refuse(MGC_E_EXCEEDS_CREDIT, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,500000,600000000",
           FIRST_SLOT + 1);
    refuse(MGC_E_EXCEEDS_CREDIT, TRADE, "pay", "11:2 12:2",
           "payer=1 payee=2 amount_micro=300000001 first_slot=%d last_slot=%d run_hash=#1", FIRST_SLOT,
           FIRST_SLOT + 3);
    refuse(MGC_E_MISSING_SIGNER, TRADE, "pay", "11:2",
           "payer=1 payee=2 amount_micro=1 first_slot=%d last_slot=%d run_hash=#1", FIRST_SLOT, FIRST_SLOT);
    refuse(MGC_E_SLOT, TRADE, "pay", "11:2 12:2",
           "payer=1 payee=2 amount_micro=1 first_slot=%d last_slot=%d run_hash=#1", FIRST_SLOT + 1, FIRST_SLOT);
    /* 31: the connection's limit */
    refuse(MGC_E_RANGE, TRADE, "nominate", "11:2", "microgrid=1 carrier=1 rows=%d,1000001,0", FIRST_SLOT);
    /* no heat meter */
    refuse(MGC_E_NOT_FOUND, TRADE, "nominate", "11:2", "microgrid=1 carrier=2 rows=%d,1,0", FIRST_SLOT);
    refuse(MGC_E_MISSING_SIGNER, TRADE, "nominate", "12:2", "microgrid=1 carrier=1 rows=%d,1,0", FIRST_SLOT);
    refuse(MGC_E_EXCEEDS_CREDIT, TRADE, "withdraw", "2:5 13:2", "microgrid=3 amount_micro=300000001 reference=x");
    refuse(MGC_E_MISSING_SIGNER, TRADE, "withdraw", "2:5", "microgrid=3 amount_micro=1 reference=x");
    accept(TRADE, "withdraw", "2:5 13:2", "microgrid=3 amount_micro=299999999 reference=x");
    market_close(&m);
}
END_TEST

START_TEST(the_gate) /* faults 35, 36 */
{
    open_until(STEP_NOMINATE);
    market_at(&m, GATE - 1000);
    accept(TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT);
    accept(PLAN, "terms", "3:4", "link=1 rows=%d,1000,1", FIRST_SLOT);
    refuse(MGC_E_OVERSOLD, PLAN, "terms", "3:4", "link=1 rows=%d,999,1", FIRST_SLOT); /* not below what is agreed */
    refuse(MGC_E_OVERSOLD, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1,90000", FIRST_SLOT);
    refuse(MGC_E_FORBIDDEN, PLAN, "terms", "2:5", "link=1 rows=%d,1000,1", FIRST_SLOT);
    market_at(&m, GATE + 100);
    refuse(MGC_E_GATE_CLOSED, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT);
    /* four share it */
    refuse(MGC_E_GATE_CLOSED, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000",
           FIRST_SLOT + 3);
    refuse(MGC_E_GATE_CLOSED, TRADE, "nominate", "11:2", "microgrid=1 carrier=1 rows=%d,1,0", FIRST_SLOT);
    refuse(MGC_E_GATE_CLOSED, SETTLE, "tariff", "2:5", "microgrid=0 carrier=1 rows=%d,1,0,1,0,0", FIRST_SLOT);
    refuse(MGC_E_GATE_CLOSED, PLAN, "terms", "3:4", "link=1 rows=%d,2000,1", FIRST_SLOT);
    /* the next day's */
    accept(TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT + 4);
    market_at(&m, START + 1000);
    refuse(MGC_E_SLOT, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT);
    refuse(MGC_E_SLOT, PLAN, "acknowledge", "13:2", "microgrid=3 first_slot=%d last_slot=%d", FIRST_SLOT,
           FIRST_SLOT + 3);
    accept(PLAN, "acknowledge", "11:2", "microgrid=1 first_slot=%d last_slot=%d", FIRST_SLOT, FIRST_SLOT + 3);
    refuse(MGC_E_EXISTS, PLAN, "acknowledge", "11:2", "microgrid=1 first_slot=%d last_slot=%d", FIRST_SLOT,
           FIRST_SLOT + 3);
    market_close(&m);
}
END_TEST

START_TEST(tariffs)
{
    open_until(STEP_TARIFF);
    /* free money */
    refuse(MGC_E_RANGE, SETTLE, "tariff", "2:5", "microgrid=0 carrier=1 rows=%d,100,101,200,0,0", FIRST_SLOT);
    refuse(MGC_E_RANGE, SETTLE, "tariff", "2:5", "microgrid=0 carrier=1 rows=%d,100,0,100,101,0", FIRST_SLOT);
    refuse(MGC_E_RANGE, SETTLE, "tariff", "2:5", "microgrid=0 carrier=1 rows=%d,100,0,100,0,-1", FIRST_SLOT);
    refuse(MGC_E_FORBIDDEN, SETTLE, "tariff", "11:2", "microgrid=0 carrier=1 rows=%d,100,0,100,0,0", FIRST_SLOT);
    accept(SETTLE, "tariff", "2:5", "microgrid=0 carrier=1 rows=%d,100,0,100,0,0", FIRST_SLOT);
    accept(SETTLE, "tariff", "2:5", "microgrid=0 carrier=1 rows=%d,90,0,90,0,0", FIRST_SLOT); /* until the gate */
    market_close(&m);
}
END_TEST

/* --- meters and settlement ------------------------------------------------------------------------------- */

START_TEST(readings) /* faults 45-49 */
{
    uint64_t after_0 = START + HOUR;

    open_until(STEP_READ_0);
    market_at(&m, after_0 - 1);
    refuse(MGC_E_EARLY, PLAN, "read", "102:3", "meter=2 rows=%d,100,50000,0", FIRST_SLOT); /* 49 */
    market_at(&m, after_0);
    refuse(MGC_E_FORBIDDEN, PLAN, "read", "103:3", "meter=2 rows=%d,100,50000,0", FIRST_SLOT); /* 48 */
    refuse(MGC_E_SLOT, PLAN, "read", "102:3", "meter=2 rows=%d,100,50000,0", FIRST_SLOT - 1);
    /* more than the meter can */
    refuse(MGC_E_RANGE, PLAN, "read", "102:3", "meter=2 rows=%d,2000001,0,0", FIRST_SLOT);
    /* more than its digits */
    refuse(MGC_E_RANGE, PLAN, "read", "102:3", "meter=2 rows=%d,10000000,0,0", FIRST_SLOT);
    refuse(MGC_E_RANGE, PLAN, "read", "102:3", "meter=2 rows=%d,1,0,2", FIRST_SLOT);
    accept(PLAN, "read", "102:3", "meter=2 rows=%d,100,50000,1", FIRST_SLOT); /* an estimate */
    refuse(MGC_E_DOUBLE_REPORT, PLAN, "read", "102:3", "meter=2 rows=%d,101,50000,1", FIRST_SLOT);
    /* the measurement takes its place */
    accept(PLAN, "read", "102:3", "meter=2 rows=%d,150,50000,0", FIRST_SLOT);
    refuse(MGC_E_EXISTS, PLAN, "read", "102:3", "meter=2 rows=%d,150,50000,0", FIRST_SLOT);        /* 45: same */
    refuse(MGC_E_DOUBLE_REPORT, PLAN, "read", "102:3", "meter=2 rows=%d,151,50000,0", FIRST_SLOT); /* 45: other */
    refuse(MGC_E_DOUBLE_REPORT, PLAN, "read", "102:3", "meter=2 rows=%d,150,50000,1", FIRST_SLOT);
    refuse(MGC_E_FORBIDDEN, PLAN, "correct", "102:3", "meter=2 rows=%d,151,50000,0 reason=mine", FIRST_SLOT);
    accept(PLAN, "correct", "2:5", "meter=2 rows=%d,151,50000,0 reason=misread", FIRST_SLOT);
    market_at(&m, after_0 + HOUR);
    refuse(MGC_E_REGISTER_DECREASED, PLAN, "read", "102:3", "meter=2 rows=%d,150,50000,0", FIRST_SLOT + 1); /* 46 */
    accept(PLAN, "read", "101:3", "meter=1 rows=%d,210000,0,0", FIRST_SLOT); /* 47: from 9500000 past 9999999 */
    /* the earlier one comes later, and must fit */
    accept(PLAN, "read", "103:3", "meter=3 rows=%d,700000,0,0", FIRST_SLOT + 1);
    refuse(MGC_E_REGISTER_DECREASED, PLAN, "read", "103:3", "meter=3 rows=%d,700001,0,0", FIRST_SLOT);
    accept(PLAN, "read", "103:3", "meter=3 rows=%d,700000,0,0", FIRST_SLOT);
    market_close(&m);
}
END_TEST

static void row_text(const char *what, const char *arguments, uint32_t caller, const char *column, char *text,
                     size_t size)
{
    mgc_rows *rows;
    const mgc_row *row;

    text[0] = '\0';
    mgc_status st = mgc_node_query(m.node, caller, what, arguments, &rows);
    ck_assert_msg(st == MGC_OK, "%s", mgc_ctx_error(m.ctx));
    if (mgc_rows_next(rows, &row) == MGC_ROW) snprintf(text, size, "%s", mgc_row_text(row, column));
    mgc_rows_destroy(rows);
}

/* Readings of all meters but number 2, after a slot that has ended. */
static void read_all_but_2(int t)
{
    for (int i = 1; i <= METERS; i++) {
        char signer[16];
        int64_t net = market_net[i][t];

        m.registers[i][0] = (m.registers[i][0] + (uint64_t)(net > 0 ? net : 0)) % 10000000;
        m.registers[i][1] = (m.registers[i][1] + (uint64_t)(net < 0 ? -net : 0)) % 10000000;
        snprintf(signer, sizeof signer, "%d:3", METER + i);
        if (i != 2)
            accept(PLAN, "read", signer, "meter=%d rows=%d,%" PRIu64 ",%" PRIu64 ",0", i, FIRST_SLOT + t, m.registers[i][0],
                   m.registers[i][1]);
    }
}

#define NEW_METER "carrier=1 link=0 member=160 digits=5 max_wh=50000 in_wh=99000 out_wh=7"

START_TEST(meters_are_exchanged) /* faults 46 */
{
    open_until(STEP_READ_0);
    market_at(&m, START + HOUR / 2);
    accept(INFO, "member", "1:9", "id=160 organisation=3 name=new roles=8 key=@160 from_height=0");
    refuse(MGC_E_EXISTS, INFO, "meter", "1:9", "id=2 microgrid=2 from_slot=%d " NEW_METER, FIRST_SLOT);
    refuse(MGC_E_EXISTS, INFO, "meter", "1:9", "id=2 microgrid=1 from_slot=%d " NEW_METER, FIRST_SLOT + 1);
    accept(INFO, "meter", "1:9", "id=2 microgrid=2 from_slot=%d " NEW_METER, FIRST_SLOT + 1);
    market_at(&m, START + HOUR); /* the last word of the old one */
    refuse(MGC_E_FORBIDDEN, PLAN, "read", "160:3", "meter=2 rows=%d,0,50000,0", FIRST_SLOT);
    accept(PLAN, "read", "102:3", "meter=2 rows=%d,0,50000,0", FIRST_SLOT);
    read_all_but_2(0);
    market_at(&m, START + 2 * (uint64_t)HOUR);
    refuse(MGC_E_FORBIDDEN, PLAN, "read", "102:3", "meter=2 rows=%d,10,50000,0", FIRST_SLOT + 1);
    refuse(MGC_E_RANGE, PLAN, "read", "160:3", "meter=2 rows=%d,100000,7,0", FIRST_SLOT + 1); /* over its own digits */
    accept(PLAN, "read", "160:3", "meter=2 rows=%d,10000,7,0", FIRST_SLOT + 1);              /* which wrap: 11000 Wh */
    accept(PLAN, "correct", "2:5", "meter=2 rows=%d,100,50000,0 reason=misread", FIRST_SLOT); /* the old one's */
    read_all_but_2(1);
    market_at(&m, START + 3 * (uint64_t)HOUR);
    refuse(MGC_E_REGISTER_DECREASED, PLAN, "read", "160:3", "meter=2 rows=%d,9000,7,0", FIRST_SLOT + 2);
    refuse(MGC_E_SLOT, INFO, "meter", "1:9", "id=2 microgrid=2 from_slot=%d " NEW_METER, FIRST_SLOT + 2); /* it has ended */
    accept(SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT);
    accept(SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT + 1);
    for (int t = 0; t < 2; t++) { /* at the connection and at B's end of link 1 */
        char question[60];
        snprintf(question, sizeof question, "microgrid=B&carrier=1&slot=%d", FIRST_SLOT + t);
        ck_assert_int_eq(market_cell(&m, REGULATOR, "settlement", question, "metered_wh"),
                         (t == 0 ? 100 - 50000 : 11000) + market_net[5][t]);
    }
    market_close(&m);
}
END_TEST

START_TEST(settling) /* faults 51-53 */
{
    char text[64];

    open_until(STEP_READ_0);
    refuse(MGC_E_EARLY, SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT);
    market_at(&m, START + HOUR);
    refuse(MGC_E_EARLY, SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT); /* 52: nothing is read */
    ck_assert_ptr_nonnull(strstr(m.rule, "waits for meter"));
    for (int i = 1; i <= METERS; i++) { /* 52: all but meter 9, gas of C */
        char signer[16];
        int64_t net = market_net[i][0];
        if (i == 9) continue;
        snprintf(signer, sizeof signer, "%d:3", METER + i);
        accept(PLAN, "read", signer, "meter=%d rows=%d,%" PRId64 ",%" PRId64 ",0", i, FIRST_SLOT,
               ((i == 1 ? 9500000 : 0) + (net > 0 ? net : 0)) % 10000000, net < 0 ? -net : (int64_t)0);
    }
    refuse(MGC_E_FORBIDDEN, SETTLE, "settle", "11:2", "slot=%d", FIRST_SLOT);
    refuse(MGC_E_STATE, SETTLE, "finalise", "2:5", "slot=%d", FIRST_SLOT);
    accept(SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT);              /* A and B */
    refuse(MGC_E_EARLY, SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT); /* only C is left, and still waits */
    row_text("settlement", "microgrid=A", REGULATOR, "state", text, sizeof text);
    ck_assert_str_eq(text, "provisional");
    row_text("settlement", "microgrid=C", REGULATOR, "state", text, sizeof text);
    ck_assert_str_eq(text, "");
    refuse(MGC_E_STATE, SETTLE, "dispute", "13:2", "slot=%d microgrid=3 reason=early", FIRST_SLOT);
    refuse(MGC_E_MISSING_SIGNER, SETTLE, "dispute", "11:2", "slot=%d microgrid=2 reason=not-mine", FIRST_SLOT);
    accept(SETTLE, "dispute", "12:2", "slot=%d microgrid=2 reason=meter-5", FIRST_SLOT);
    refuse(MGC_E_EARLY, SETTLE, "finalise", "2:5", "slot=%d", FIRST_SLOT); /* A's window is open */
    market_at(&m, START + 3 * (uint64_t)HOUR);
    accept(SETTLE, "finalise", "2:5", "slot=%d", FIRST_SLOT);              /* A alone: B disputes, C waits */
    refuse(MGC_E_STATE, SETTLE, "finalise", "2:5", "slot=%d", FIRST_SLOT); /* B's dispute */
    row_text("settlement", "microgrid=A", REGULATOR, "state", text, sizeof text);
    ck_assert_str_eq(text, "final");
    refuse(MGC_E_WINDOW, SETTLE, "dispute", "11:2", "slot=%d microgrid=1 reason=late", FIRST_SLOT); /* 53 */
    refuse(MGC_E_WINDOW, PLAN, "correct", "2:5", "meter=1 rows=%d,210001,0,0 reason=late", FIRST_SLOT);
    accept(PLAN, "correct", "2:5", "meter=5 rows=%d,300001,0,0 reason=disputed", FIRST_SLOT);
    accept(PLAN, "read", "109:3", "meter=9 rows=%d,123456,0,0", FIRST_SLOT);
    accept(SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT);                        /* B again, C at last */
    refuse(MGC_E_ALREADY_SETTLED, SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT); /* 51 */
    market_at(&m, START + 5 * (uint64_t)HOUR);
    accept(SETTLE, "finalise", "2:5", "slot=%d", FIRST_SLOT);
    refuse(MGC_E_ALREADY_SETTLED, SETTLE, "finalise", "2:5", "slot=%d", FIRST_SLOT); /* 51, 40 */
    refuse(MGC_E_ALREADY_SETTLED, SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT);
    row_text("settlement", "microgrid=B", REGULATOR, "deviation_wh", text, sizeof text);
    ck_assert_str_eq(text, "1"); /* the corrected watt hour */
    market_close(&m);
}
END_TEST

/* What it cannot pay becomes a debt; with a debt nobody trades; a deposit pays it first.  Nobody else is held up. */
START_TEST(debts) /* faults 38 */
{
    open_until(STEP_DEPOSIT);
    accept(TRADE, "deposit", "2:5", "microgrid=1 amount_micro=1000000 reference=little");
    accept(TRADE, "deposit", "2:5", "microgrid=2 amount_micro=900000000 reference=much");
    accept(TRADE, "deposit", "2:5", "microgrid=3 amount_micro=900000000 reference=much");
    market_step(&m, STEP_NOMINATE);
    for (int step = STEP_READ_0; step <= STEP_FINALISE; step++) market_step(&m, step);
    int64_t debt = -market_balance(&m, MGC_ACCOUNT_DUE, 1);
    ck_assert_int_gt(debt, 0);
    ck_assert_int_ge(market_balance(&m, MGC_ACCOUNT_MONEY, 1), 0);
    refuse(MGC_E_EXCEEDS_CREDIT, TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000",
           FIRST_SLOT + 20);
    int64_t before = market_balance(&m, MGC_ACCOUNT_MONEY, 1);
    accept(TRADE, "deposit", "2:5", "microgrid=1 amount_micro=%" PRId64 " reference=more", debt + 1000000);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_DUE, 1), 0);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), before + 1000000);
    accept(TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,1000,90000", FIRST_SLOT + 20);
    market_close(&m);
}
END_TEST

START_TEST(rounding_drains_nothing) /* faults 56 */
{
    char rows[4000];
    size_t at = 0;
    int64_t sum_before, sum_after;

    open_until(STEP_NOMINATE);
    sum_before = market_balance(&m, MGC_ACCOUNT_MONEY, 1) + market_balance(&m, MGC_ACCOUNT_MONEY, 2);
    for (int i = 0; i < 200; i++)
        at += (size_t)snprintf(rows + at, sizeof rows - at, "%s%d,1,499", i > 0 ? ";" : "", FIRST_SLOT);
    /* 200 times 0.499 of a millionth: nothing each */
    accept(TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%s", rows);
    at = 0;
    for (int i = 0; i < 200; i++)
        at += (size_t)snprintf(rows + at, sizeof rows - at, "%s%d,1,500", i > 0 ? ";" : "", FIRST_SLOT);
    /* and 0.5: one each, from buyer to seller */
    accept(TRADE, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%s", rows);
    for (int step = STEP_READ_0; step <= STEP_FINALISE; step++) market_step(&m, step);
    sum_after = market_balance(&m, MGC_ACCOUNT_MONEY, 1) + market_balance(&m, MGC_ACCOUNT_MONEY, 2) +
                market_balance(&m, MGC_ACCOUNT_MONEY, 3) + market_balance(&m, MGC_ACCOUNT_UTILITY, 0) +
                market_balance(&m, MGC_ACCOUNT_NETWORK, 0) - 300000000;
    ck_assert_int_eq(sum_before, sum_after);
    market_close(&m);
}
END_TEST

START_TEST(commitments) /* faults 50 */
{
    char text[80];

    open_until(STEP_TARIFF);
    accept(INFO, "commit", "11:2", "kind=1 slot=%d hash=!5", FIRST_SLOT);
    refuse(MGC_E_COMMITMENT, INFO, "open", "11:2", "number=0 salt=#5 value=#7");
    refuse(MGC_E_COMMITMENT, INFO, "open", "11:2", "number=0 salt=#6 value=#6");
    refuse(MGC_E_NOT_FOUND, INFO, "open", "12:2", "number=0 salt=#5 value=#6");
    row_text("commitments", "member=11", 0, "opened", text, sizeof text);
    ck_assert_str_eq(text, "0");
    accept(INFO, "open", "11:2", "number=0 salt=#5 value=#6");
    row_text("commitments", "member=11", 0, "opened", text, sizeof text);
    ck_assert_str_ne(text, "0");
    market_close(&m);
}
END_TEST

/* --- who may see what --------------------------------------------------------------------------------------- */

static size_t count(uint32_t caller, const char *what, const char *arguments)
{
    mgc_rows *rows;
    size_t n;

    mgc_status st = mgc_node_query(m.node, caller, what, arguments, &rows);
    ck_assert_msg(st == MGC_OK, "%s: %s", what, mgc_ctx_error(m.ctx));
    n = mgc_rows_count(rows);
    mgc_rows_destroy(rows);
    return n;
}

START_TEST(questions) /* faults 71, 73 */
{
    mgc_rows *rows;

    open_until(STEPS);
    ck_assert_uint_eq(count(REGULATOR, "trades", ""), 8);
    ck_assert_uint_eq(count(MANAGER + 1, "trades", ""), 5);
    ck_assert_uint_eq(count(MANAGER + 3, "trades", ""), 3);
    ck_assert_uint_eq(count(MANAGER + 3, "trades", "microgrid=A"), 0); /* a neighbour's: as if there were none */
    ck_assert_uint_eq(count(MANAGER + 3, "trades", "microgrid=Z"), 0); /* 71: the same answer as for nobody */
    ck_assert_uint_eq(count(0, "trades", ""), 0);
    ck_assert_uint_eq(count(REGULATOR, "readings", ""), METERS * SLOTS);
    ck_assert_uint_eq(count(MANAGER + 1, "readings", ""), 2 * SLOTS);
    ck_assert_uint_eq(count(MANAGER + 1, "readings", "meter=9"), 0);
    ck_assert_uint_eq(count(REGULATOR, "readings", "meter=9&slot=434001"), 1);
    ck_assert_uint_eq(count(MANAGER + 2, "accounts", ""), 5);
    ck_assert_uint_eq(count(REGULATOR, "accounts", ""), 5 * GRIDS + 9);
    ck_assert_uint_eq(count(REGULATOR, "settlement", "microgrid=3"), 3 * SLOTS);
    ck_assert_uint_eq(count(REGULATOR, "trades", "microgrid=A'%20or%201=1"), 0); /* 73: bytes, nothing else */
    ck_assert_uint_eq(count(0, "microgrids", NULL), 3);
    ck_assert_uint_eq(count(0, "contracts", NULL), 6);
    ck_assert_uint_gt(count(0, "blocks", "from=3&to=5"), 2);
    ck_assert_uint_eq(count(OPERATOR, "transactions", "height=1"), 1);
    ck_assert_int_eq(mgc_node_query(m.node, REGULATOR, "secrets", "", &rows), MGC_E_NOT_FOUND);
    ck_assert_ptr_null(rows);
    ck_assert_int_eq(mgc_node_query(m.node, REGULATOR, "trades", "colour=red", &rows), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_node_query(m.node, REGULATOR, "trades", "slot=-1", &rows), MGC_E_INVALID_ARG);
    ck_assert_int_eq(mgc_node_query(m.node, REGULATOR, "trades", "slot=99999999999999999999", &rows),
                     MGC_E_INVALID_ARG);
    market_close(&m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("node-refusals");
    TCase *t = tcase_create("refusals");

    tcase_set_timeout(t, 0);
    tcase_add_test(t, replays_and_nonces);
    tcase_add_test(t, a_gap_that_never_closes_expires);
    tcase_add_test(t, signatures_and_chains);
    tcase_add_test(t, keys_and_roles);
    tcase_add_test(t, arguments_out_of_form);
    tcase_add_test(t, agreements);
    tcase_add_test(t, the_gate);
    tcase_add_test(t, tariffs);
    tcase_add_test(t, readings);
    tcase_add_test(t, meters_are_exchanged);
    tcase_add_test(t, settling);
    tcase_add_test(t, debts);
    tcase_add_test(t, rounding_drains_nothing);
    tcase_add_test(t, commitments);
    tcase_add_test(t, questions);
    suite_add_tcase(s, t);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_ENV);
    int failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
