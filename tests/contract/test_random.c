/* SPDX-License-Identifier: Apache-2.0 */
/* Random lives of a market on three chains: whatever its members send, allowed or not, in whatever order,
 *   every unit's debits are its credits, and what crossed between chains is locked here before it is there;
 *   no result becomes final that did not stand for a whole window;
 *   once every window is closed nothing is reserved any more;
 *   executed again from its genesis, the history is the same byte for byte. */
#include "../node/market.h"

enum {
    INFO = MGC_CONTRACT_INFORMATION,
    TRADE = MGC_CONTRACT_TRADING,
    PLAN = MGC_CONTRACT_SCHEDULING,
    SETTLE = MGC_CONTRACT_SETTLEMENT,
    WATCH = MGC_CONTRACT_SUPERVISION,
    CREDIT = MGC_CONTRACT_CREDIT,
    TILL = MGC_CONTRACT_HOST + 10,              /* on trading */
    VAULT = MGC_CONTRACT_HOST_SCHEDULING + 110, /* on scheduling */
    SECOND = 6,                                 /* one more regulator */
    LIVES = 12,
    ACTS = 500,
    LOCKS = 16
};

static struct market m;
static mgc__rng rng;
static bool in_order; /* nobody signs for another any more */

static int below(int n)
{
    return (int)mgc__rng_below(&rng, (uint64_t)n);
}

static bool chance(int percent)
{
    return below(100) < percent;
}

/* --- a contract on each side of the bridge ------------------------------------------------------------------ */

struct order {
    uint8_t number, microgrid, act, reserved[5]; /* act: 0 open the account, 1 lock, 2 credit, 3 settle */
    uint64_t amount, expires_ms;
};

static uint32_t sides[] = {TILL, VAULT};

static void id_with(uint32_t contract, uint8_t last, uint8_t id[16])
{
    memset(id, 0, 16);
    mgc__put_be32(id, contract);
    id[15] = last;
}

static mgc_status lock(mgc_env *env, uint32_t own, uint32_t other, const struct order *o)
{
    mgc_lock_info l = {.struct_size = sizeof l, .unit = MGC_UNIT_MICRO_CURRENCY, .code = 3, .amount = o->amount, .expires_ms = o->expires_ms};

    id_with(own, o->number, l.id);
    if (own == TILL) {
        mgc_account_id(MGC_ACCOUNT_MONEY, o->microgrid, l.debit_account);
        id_with(other, 1, l.target_account);
    } else {
        id_with(own, 1, l.debit_account);
        mgc_account_id(MGC_ACCOUNT_MONEY, o->microgrid, l.target_account);
    }
    mgc_status st = mgc_env_other_chain(env, own == TILL ? "scheduling" : "trading", l.target_chain);
    return st == MGC_OK ? mgc_env_lock(env, &l) : mgc_env_refuse(env, st, "there is no such chain");
}

static int32_t execute(void *user, mgc_env *env, const mgc_call *call)
{
    uint32_t own = *(const uint32_t *)user, other = own == TILL ? VAULT : TILL;
    mgc_account_info account = {.struct_size = sizeof account, .unit = MGC_UNIT_MICRO_CURRENCY, .code = 7, .flags = MGC_ACCOUNT_DEBITS_BOUNDED};
    struct order o;
    uint8_t id[16];
    mgc_status st;

    if (call->arguments_len != sizeof o) return MGC_E_SCHEMA;
    memcpy(&o, call->arguments, sizeof o);
    id_with(own, 1, account.id);
    id_with(o.act == 2 ? other : own, o.number, id);
    st = o.act == 0   ? mgc_env_open_account(env, &account)
         : o.act == 1 ? lock(env, own, other, &o)
         : o.act == 2 ? mgc_env_credit(env, own == TILL ? "scheduling" : "trading", id)
                      : mgc_env_settle_lock(env, id);
    return st == MGC_OK ? MGC_CB_DONE : st;
}

/* --- sending ------------------------------------------------------------------------------------------------- */

static uint32_t accepted, refused;

static void count(uint64_t ticket)
{
    mgc_ticket_info info = {.struct_size = sizeof info};

    market_flush(&m);
    ck_assert_int_eq(mgc_ticket_state(m.node, ticket, &info), MGC_OK);
    ck_assert_msg(info.status == MGC_OK || (info.rule != NULL && info.rule[0] != '\0'), "%s without a rule", mgc_status_name(info.status));
    if (info.status == MGC_OK) accepted++;
    else refused++;
}

/* As it comes: signed by who may, or now and then by somebody else. */
static void try(uint32_t contract, const char *method, const char *signers, const char *format, ...) MGC_PRINTF(4, 5);
static void try(uint32_t contract, const char *method, const char *signers, const char *format, ...)
{
    char text[400], other[32];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!in_order && chance(4)) {
        snprintf(other, sizeof other, "%d:%d", MANAGER + 1 + below(GRIDS), 1 + below(8));
        signers = other;
    }
    market_sync_nonce(&m, (uint32_t)atoi(signers), contract);
    count(market_send(&m, contract, method, text, signers));
}

static void try_order(uint32_t contract, const struct order *o)
{
    char signer[16];

    snprintf(signer, sizeof signer, "%d:2", MANAGER + o->microgrid);
    market_sync_nonce(&m, (uint32_t)atoi(signer), contract);
    count(market_send_raw(&m, contract, "act", o, sizeof *o, signer));
}

static void open_life(uint64_t seed)
{
    struct order open = {.microgrid = 1};

    mgc__rng_seed(&rng, seed);
    for (uint32_t i = 0; i < 2; i++) {
        m.hosts[i] = (mgc_contract){.struct_size = sizeof m.hosts[i], .version = 1, .id = sides[i], .code_version = 1, .name = "side", .execute = execute};
        memset(m.hosts[i].code_hash, 30 + (int)i, 32);
        m.host_users[i] = &sides[i];
    }
    m.n_hosts = 2;
    m.pending_blocks = chance(50) ? 0 : 20 + below(200); /* or escrow expires on the way */
    market_open(&m);
    market_until(&m, STEP_NOMINATE);
    m.pending_blocks = 0;
    market_expectf(&m, MGC_OK, INFO, "member", "1:9", "id=%d organisation=1 name=second roles=64 key=@%d from_height=0", SECOND, SECOND);
    market_expectf(&m, MGC_OK, INFO, "device", "12:2", "id=1 microgrid=2 type=chp name=chp capacity_w=60000");
    for (uint32_t i = 0; i < 2; i++)
        market_expectf(&m, MGC_OK, INFO, "deploy", "1:9", "id=%" PRIu32 " version=1 code_hash=#%u activation_height=%" PRIu64 " name=side%u", sides[i],
                       30 + i, market_height(&m, INFO) + 2, i);
    market_expectf(&m, MGC_OK, INFO, "organisation", "1:9", "id=50 name=later"); /* the last one's height is reached */
    for (uint32_t i = 0; i < 2; i++) try_order(sides[i], &open);
    accepted = refused = 0;
}

/* --- what somebody may do -------------------------------------------------------------------------------------- */

/* One of the day's, or one that cannot be meant. */
static int some_slot(int absurd)
{
    return chance(absurd) ? FIRST_SLOT + (chance(50) ? -1 - below(3) : 100000) : FIRST_SLOT + below(SLOTS);
}

static const char *manager(int microgrid)
{
    static char text[4][16];
    static unsigned turn;
    char *to = text[turn++ % 4];

    snprintf(to, sizeof text[0], "%d:2", MANAGER + microgrid);
    return to;
}

static const char *both(int one, int two)
{
    static char text[32];

    snprintf(text, sizeof text, "%s %s", manager(one), one == two ? "" : manager(two));
    return text;
}

static void trade(void)
{
    int one = 1 + below(GRIDS), two = chance(90) ? one % GRIDS + 1 : one, link = 1 + below(2), low = link;
    int64_t wh = 1 + below(chance(80) ? 30000 : 600000), price = chance(80) ? below(200000) : below(2000001) - 1000000;

    if (chance(80)) { /* over the link's own ends */
        one = low + below(2);
        two = 2 * low + 1 - one;
    }
    switch (below(7)) {
    case 0: try(TRADE, "deposit", "2:5", "microgrid=%d amount_micro=%d reference=x", one, 1 + below(1 << 30)); break;
    case 1:
        try(TRADE, "withdraw", chance(80) ? (char[16]){"2:5 11:2"} : "2:5", "microgrid=1 amount_micro=%d reference=x", 1 + below(1 << 28));
        break;
    case 2: try(TRADE, "nominate", manager(one), "microgrid=%d carrier=%d rows=%d,%d,%d", one, 1 + below(2), some_slot(10), below(300000), below(300000)); break;
    case 3: try(TRADE, "pay", both(one, two), "payer=%d payee=%d amount_micro=%d first_slot=%d last_slot=%d run_hash=#1", one, two, 1 + below(1 << 26), FIRST_SLOT, some_slot(10)); break;
    default:
        try(TRADE, "agree", both(one, two), "seller=%d buyer=%d link=%d rows=%d,%" PRId64 ",%" PRId64, one, two, link, some_slot(10), wh, price);
    }
}

/* Bids of one secret each: it is found again by who revealed it. */
static struct {
    int microgrid, slot, sells, wh, price;
} bids[64];
static int n_bids;

static void auction(void)
{
    int i = below(64);

    if (chance(40) && n_bids < 64) {
        uint8_t hash[32];
        bids[n_bids].microgrid = 1 + below(GRIDS);
        bids[n_bids].slot = FIRST_SLOT + below(SLOTS);
        bids[n_bids].sells = below(2);
        bids[n_bids].wh = 1 + below(40000);
        bids[n_bids].price = below(200000);
        market_bid_hash((uint32_t)bids[n_bids].microgrid, (uint64_t)bids[n_bids].slot, 1, bids[n_bids].sells, (uint64_t)bids[n_bids].wh,
                        bids[n_bids].price, hash);
        uint32_t had = accepted;
        try(TRADE, "bid", manager(bids[n_bids].microgrid), "microgrid=%d slot=%d carrier=1 hash=%s deposit_micro=%d", bids[n_bids].microgrid,
            bids[n_bids].slot, market_hex(hash, 32), 100000 + below(100000));
        n_bids += accepted > had; /* numbers count from 1 */
    } else if (chance(80) && i < n_bids) {
        try(TRADE, "reveal", manager(bids[i].microgrid), "slot=%d carrier=1 bid=%d salt=#%d sells=%d wh=%d price=%d", bids[i].slot, i + 1,
            bids[i].microgrid, bids[i].sells, bids[i].wh, bids[i].price + (chance(5) ? 1 : 0));
    } else {
        try(TRADE, "clear", "2:5", "slot=%d carrier=1", some_slot(0));
    }
}

/* Registers as they would be, estimated, or something else. */
static void meter(void)
{
    int id = 1 + below(METERS), slot = some_slot(5), t = slot - FIRST_SLOT;
    uint64_t in = id == 1 ? 9500000 : 0, out = 0;
    char signer[16];

    for (int i = 0; i <= t && i < SLOTS; i++) {
        in += market_net[id][i] > 0 ? (uint64_t)market_net[id][i] : 0;
        out += market_net[id][i] < 0 ? (uint64_t)-market_net[id][i] : 0;
    }
    if (chance(30)) in += (uint64_t)below(3000);
    snprintf(signer, sizeof signer, "%d:3", METER + id);
    if (chance(75)) try(PLAN, "read", signer, "meter=%d rows=%d,%" PRIu64 ",%" PRIu64 ",%d", id, slot, in % 10000000, out % 10000000, below(2));
    else try(PLAN, "correct", "2:5", "meter=%d rows=%d,%" PRIu64 ",%" PRIu64 ",0 reason=x", id, slot, in % 10000000, out % 10000000);
}

static void operate(void)
{
    int grid = 1 + below(GRIDS);

    switch (below(9)) {
    case 0: try(PLAN, "terms", "3:4", "link=1 rows=%d,%d,%d", some_slot(10), below(600000), below(10000)); break;
    case 1: try(PLAN, "curtail", "3:4", "microgrid=%d carrier=%d rows=%d,%d,%d reason=x", grid, 1 + below(2), some_slot(10), below(20000), below(20000)); break;
    case 2: try(PLAN, "acknowledge", manager(grid), "microgrid=%d first_slot=%d last_slot=%d", grid, FIRST_SLOT, some_slot(10)); break;
    case 3: try(WATCH, "act", "4:6 6:6", "kind=%d subject=%d value=0 reason=x", 2 + below(2), grid); break;
    case 4: if (chance(10)) try(WATCH, "act", "4:6 2:5", "kind=7 subject=%d value=%d reason=x", grid, some_slot(0)); break;
    case 5: try(CREDIT, "epoch", "2:5", "number=%d last_slot=%d", 1 + below(3), some_slot(0)); break;
    case 6: try(SETTLE, "surrender", "2:5", "microgrid=%d last_slot=%d", grid, some_slot(10)); break;
    case 7: try(SETTLE, "issue", "2:5", "device=1 slot=%d wh=%d", some_slot(10), 1 + below(60000)); break;
    default:
        if (chance(50)) try(SETTLE, "assign", manager(grid), "device=1 slot=%d microgrid=%d", some_slot(0), 1 + below(GRIDS));
        else try(SETTLE, "cancel", manager(grid), "device=1 slot=%d reason=x", some_slot(0));
    }
}

static void settle(void)
{
    int grid = 1 + below(GRIDS);

    if (chance(25)) try(SETTLE, "dispute", manager(grid), "slot=%d microgrid=%d reason=x", some_slot(0), grid);
    else try(SETTLE, chance(50) ? "settle" : "finalise", "2:5", "slot=%d", some_slot(5));
}

static void cross(void)
{
    struct order o = {.number = (uint8_t)(2 + below(LOCKS)), .microgrid = (uint8_t)(1 + below(GRIDS)), .act = (uint8_t)(1 + below(3)),
                      .amount = (uint64_t)below(5000000)};

    o.expires_ms = m.now + (uint64_t)below(HOUR);
    try_order(chance(50) ? TILL : VAULT, &o);
}

/* --- what must always be so ------------------------------------------------------------------------------------- */

static void bridge(uint32_t here, uint32_t there, mgc_account_info *account)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    uint8_t id[16];

    *account = (mgc_account_info){.struct_size = sizeof *account};
    ck_assert_int_eq(mgc_chain_get_info(mgc_node_chain(m.node, there), &info), MGC_OK);
    mgc__bridge_id(id, info.chain_id, MGC_UNIT_MICRO_CURRENCY);
    if (mgc_chain_get_account(mgc_node_chain(m.node, here), id, account) != MGC_OK) account->struct_size = 0; /* nothing crossed yet */
}

/* What was given there was taken or held here before. */
static void check_bridge(uint32_t from, uint32_t to, bool at_the_end)
{
    mgc_account_info held, given;

    bridge(from, to, &held);
    bridge(to, from, &given);
    ck_assert_uint_le(given.debits_posted, held.credits_posted + held.credits_pending);
    ck_assert_uint_le(held.credits_posted, given.debits_posted); /* posted only where it was credited */
    if (at_the_end) ck_assert_uint_eq(held.credits_pending, 0);
    if (at_the_end) ck_assert_uint_eq(given.debits_posted, held.credits_posted);
}

/* Results of a microgrid and carrier in a slot, and since when they have stood. */
static struct {
    int64_t v[6];
    uint64_t since;
    bool final;
} results[SLOTS][GRIDS][3];

static void check_results(void)
{
    static const char *const columns[] = {"metered_wh", "position_wh", "grid_micro", "imbalance_micro", "carbon_g", "curtailed_micro"};
    bool seen[SLOTS][GRIDS][3] = {0};
    const mgc_row *row;
    mgc_rows *rows;

    ck_assert_int_eq(mgc_node_query(m.node, REGULATOR, "settlement", NULL, &rows), MGC_OK);
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        int64_t t = mgc_row_int(row, "slot") - FIRST_SLOT, c = mgc_row_int(row, "carrier") - 1;
        int g = mgc_row_text(row, "microgrid")[0] - 'A';
        bool final = strcmp(mgc_row_text(row, "state"), "final") == 0, same = true;

        ck_assert(t >= 0 && t < SLOTS && g >= 0 && g < GRIDS && c >= 0 && c < 3);
        seen[t][g][c] = true;
        for (int i = 0; i < 6; i++) {
            same = same && results[t][g][c].v[i] == mgc_row_int(row, columns[i]);
            results[t][g][c].v[i] = mgc_row_int(row, columns[i]);
        }
        if (!same || results[t][g][c].since == 0) {
            ck_assert_msg(!final, "slot %d, %c: what became final was never provisional", (int)t, 'A' + g);
            results[t][g][c].since = m.now;
        }
        if (final && !results[t][g][c].final)
            ck_assert_msg(m.now - results[t][g][c].since >= HOUR, "slot %d, %c: final after %d s", (int)t, 'A' + g,
                          (int)(m.now - results[t][g][c].since) / 1000);
        results[t][g][c].final = final;
    }
    mgc_rows_destroy(rows);
    for (int t = 0; t < SLOTS; t++)
        for (int g = 0; g < GRIDS; g++)
            for (int c = 0; c < 3; c++) ck_assert(seen[t][g][c] || !results[t][g][c].final);
}

static void check(bool at_the_end)
{
    check_bridge(TILL, VAULT, at_the_end);
    check_bridge(VAULT, TILL, at_the_end);
    check_results();
}

/* --- a life ------------------------------------------------------------------------------------------------------ */

static void act(void)
{
    if (chance(15)) cross();
    else if (chance(15)) operate();
    else if (m.now < GATE || chance(5)) chance(30) ? auction() : trade();
    else if (m.now < START) operate();
    else chance(60) ? meter() : settle();
}

/* A third of it up to the gate. */
static void live(void)
{
    in_order = false;
    n_bids = 0;
    memset(results, 0, sizeof results);
    for (int i = 0; i < ACTS; i++) {
        uint64_t until = i < ACTS / 3 ? GATE : DAY_END + 3 * (uint64_t)HOUR;
        int left = i < ACTS / 3 ? ACTS / 3 - i : ACTS - i;

        if (chance(30) && until > m.now) m.now += 1 + mgc__rng_below(&rng, 1 + 6 * (until - m.now) / (uint64_t)left);
        act();
        check(false);
    }
}

/* All that is left to do is done: readings, settling, windows; whoever is silent is settled by an act. */
static void end(void)
{
    in_order = true;
    if (m.now < DAY_END) m.now = DAY_END;
    for (int g = 1; g <= GRIDS; g++)
        for (int t = 0; t < SLOTS; t++) try(WATCH, "act", "4:6 2:5", "kind=7 subject=%d value=%d reason=end", g, FIRST_SLOT + t);
    for (int round = 0; round < 4; round++) {
        for (int t = 0; t < SLOTS; t++)
            for (int i = 0; i < 2; i++) try(SETTLE, i == 0 ? "settle" : "finalise", "2:5", "slot=%d", FIRST_SLOT + t);
        m.now += HOUR + 1000;
        check(false);
    }
    for (uint32_t i = 0; i < 2; i++) { /* whose blocks end the locks */
        for (uint32_t k = 0; k < 2; k++) try_order(sides[k], &(struct order){.microgrid = 1, .act = 3, .number = 255});
        m.now += HOUR;
    }
}

static void check_end(void)
{
    uint8_t before[MARKET_DIGEST], after[MARKET_DIGEST];

    market_sync_nonce(&m, OPERATOR, SETTLE);
    check(true);
    for (int t = 0; t < SLOTS; t++) market_expectf(&m, MGC_E_ALREADY_SETTLED, SETTLE, "finalise", "2:5", "slot=%d", FIRST_SLOT + t);
    ck_assert_uint_eq(market_pending(&m), 0);
    for (int g = 1; g <= GRIDS; g++) {
        char text[64];
        snprintf(text, sizeof text, "microgrid=%d last_slot=%d", g, FIRST_SLOT + SLOTS - 1);
        count(market_send(&m, SETTLE, "surrender", text, "2:5")); /* or it was before */
        ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_CARBON, (uint32_t)g), 0);
    }
    market_digest(&m, before);
    market_stop(&m);
    ck_assert_msg(market_verify(&m) == MGC_OK, "%s", mgc_ctx_error(m.ctx));
    market_start(&m);
    market_digest(&m, after);
    ck_assert_mem_eq(before, after, sizeof before);
}

START_TEST(whatever_is_sent_the_books_hold) /* faults 51-53, 56, 70 */
{
    open_life(700 + (uint64_t)_i);
    live();
    end();
    check_end();
    printf("# life %d: %" PRIu32 " accepted, %" PRIu32 " refused\n", _i, accepted, refused);
    ck_assert_uint_gt(accepted, ACTS / 5);
    ck_assert_uint_gt(refused, ACTS / 10);
    market_close(&m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("contract-random");

    tcase_add_loop_test(market_case(s, "three chains", 3), whatever_is_sent_the_books_hold, 0, LIVES);
    return market_run(s);
}
