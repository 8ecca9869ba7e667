/* SPDX-License-Identifier: Apache-2.0 */
/* The double auction: clearing against all that could have been done in small worlds; its phases through a node. */
#include "../node/market.h"
#include "contract/auction.h"

enum {
    TRADE = MGC_CONTRACT_TRADING,
    REVEAL = 600000,
    SLOT = FIRST_SLOT
};

static struct market m;

/* --- clearing, against brute force -------------------------------------------------------------------------- */

enum { SIDE = 3 };

/* The largest surplus of any choice of whole watt hours, and the largest volume that reaches it. */
static void best_of_all(const mgc__auction_order *o, size_t n, size_t at, int64_t bought, int64_t sold,
                        int64_t surplus, int64_t *best, int64_t *volume)
{
    if (at == n) {
        if (bought == sold && (surplus > *best || (surplus == *best && bought > *volume))) {
            *best = surplus;
            *volume = bought;
        }
        return;
    }
    for (int64_t wh = 0; wh <= (int64_t)o[at].wh; wh++)
        best_of_all(o, n, at + 1, bought + (o[at].sells ? 0 : wh), sold + (o[at].sells ? wh : 0),
                    surplus + (o[at].sells ? -wh : wh) * o[at].price, best, volume);
}

static void check_world(const mgc__auction_order *world, size_t n)
{
    mgc__auction_order o[2 * SIDE];
    int64_t price, best = 0, most = 0, surplus = 0, bought = 0, sold = 0;
    uint64_t volume;

    memcpy(o, world, n * sizeof *o);
    mgc__auction_clear(o, n, &price, &volume);
    best_of_all(world, n, 0, 0, 0, 0, &best, &most);
    for (size_t i = 0; i < n; i++) {
        int64_t filled = (int64_t)o[i].filled;

        ck_assert_uint_le(o[i].filled, o[i].wh);
        surplus += (o[i].sells ? -filled : filled) * o[i].price;
        *(o[i].sells ? &sold : &bought) += filled;
        if (volume == 0) continue;
        if (o[i].filled > 0) ck_assert(o[i].sells ? o[i].price <= price : o[i].price >= price); /* nobody is forced */
        if (o[i].filled < o[i].wh)                                                        /* nobody is left out */
            ck_assert(o[i].sells ? o[i].price >= price : o[i].price <= price);
        if (i > 0 && o[i].sells == o[i - 1].sells && o[i].price == o[i - 1].price) { /* fault 59 */
            ck_assert_uint_gt(o[i].place, o[i - 1].place);
            ck_assert(o[i].filled == 0 || o[i - 1].filled == o[i - 1].wh);
        }
    }
    ck_assert_int_eq(bought, sold); /* and all at one price: what buyers pay, sellers get */
    ck_assert_int_eq((int64_t)volume, bought);
    ck_assert_int_eq(surplus, best);
    ck_assert_int_eq(bought, most);
}

/* Every world of two purchases and two sales of 1..2 Wh at 0..3; then random ones of three and three, prices below
 * zero among them. */
START_TEST(clearing_is_the_best_there_is) /* faults 59 */
{
    mgc__rng rng;

    for (uint32_t code = 0; code < 8 * 8 * 8 * 8; code++) {
        mgc__auction_order world[4];
        uint32_t rest = code;

        for (uint32_t i = 0; i < 4; i++, rest /= 8)
            world[i] = (mgc__auction_order){
                .place = 3 - i, .price = rest % 4, .wh = 1 + rest / 4 % 2, .sells = i >= 2};
        for (size_t n = 0; n <= 4; n++) check_world(world, n);
    }
    mgc__rng_seed(&rng, 59);
    for (int k = 0; k < 20000; k++) {
        mgc__auction_order world[2 * SIDE];
        size_t n = mgc__rng_below(&rng, 2 * SIDE + 1);

        for (size_t i = 0; i < n; i++)
            world[i] = (mgc__auction_order){.place = 100 - i,
                                            .price = (int64_t)mgc__rng_below(&rng, 9) - 4,
                                            .wh = 1 + mgc__rng_below(&rng, 3),
                                            .sells = mgc__rng_below(&rng, 2) == 1};
        check_world(world, n);
    }
}
END_TEST

START_TEST(the_price_is_the_middle)
{
    int64_t price;
    uint64_t volume;
    mgc__auction_order two[] = {{.price = 10, .wh = 5}, {.price = 4, .wh = 5, .sells = true}};
    mgc__auction_order left[] = {{.place = 1, .price = 10, .wh = 5}, {.place = 2, .price = 4, .wh = 3, .sells = true}};
    mgc__auction_order below[] = {{.price = -3, .wh = 1}, {.price = -8, .wh = 1, .sells = true}};

    mgc__auction_clear(two, 2, &price, &volume);
    ck_assert_int_eq(price, 7);
    mgc__auction_clear(left, 2, &price, &volume); /* the purchase is left in part: it sets the price */
    ck_assert_int_eq(price, 10);
    ck_assert_uint_eq(volume, 3);
    mgc__auction_clear(below, 2, &price, &volume);
    ck_assert_int_eq(price, -6); /* rounded down */
}
END_TEST

/* --- through a node ------------------------------------------------------------------------------------------ */

#define expect(status, method, ...) market_expectf(&m, status, TRADE, method, __VA_ARGS__)

static void bid(mgc_status status, uint32_t microgrid, uint64_t slot, int sells, uint64_t wh, int64_t price,
                int64_t deposit)
{
    uint8_t hash[32];
    char signer[16];

    snprintf(signer, sizeof signer, "%u:2", MANAGER + microgrid);
    market_bid_hash(microgrid, slot, 1, sells, wh, price, hash);
    expect(status, "bid", signer, "microgrid=%u slot=%" PRIu64 " carrier=1 hash=%s deposit_micro=%" PRId64, microgrid, slot,
           market_hex(hash, 32), deposit);
}

static void reveal(mgc_status status, uint32_t microgrid, int number, int sells, uint64_t wh, int64_t price)
{
    char signer[16];

    snprintf(signer, sizeof signer, "%u:2", MANAGER + microgrid);
    expect(status, "reveal", signer, "slot=%d carrier=1 bid=%d salt=#%u sells=%d wh=%" PRIu64 " price=%" PRId64, SLOT,
           number, microgrid, sells, wh, price);
}

static int64_t cell(const char *what, const char *arguments, const char *column)
{
    return market_cell(&m, REGULATOR, what, arguments, column);
}

static size_t count(const char *what, const char *arguments)
{
    return market_count(&m, REGULATOR, what, arguments);
}

static void open_market(void)
{
    m.pending_blocks = 0;
    market_open(&m);
    market_until(&m, STEP_NOMINATE);
}

START_TEST(sealed_revealed_cleared_settled) /* faults 34, 37, 58, 59, 60 */
{
    int64_t money[GRIDS + 1];

    open_market();
    for (uint32_t g = 1; g <= GRIDS; g++) money[g] = market_balance(&m, MGC_ACCOUNT_MONEY, g);
    bid(MGC_E_RANGE, 1, SLOT, 1, 300000, 50000, 99999); /* fault 58: no bid without a deposit */
    bid(MGC_OK, 1, SLOT, 1, 300000, 50000, 100000);     /* 1: A sells */
    bid(MGC_OK, 2, SLOT, 0, 200000, 90000, 100000);     /* 2: B buys */
    bid(MGC_OK, 3, SLOT, 0, 50000, 70000, 100000);      /* 3: C buys */
    bid(MGC_OK, 3, SLOT, 0, 70000, 70000, 100000);      /* 4: C buys, at the same price, later */
    bid(MGC_OK, 2, SLOT, 0, 1, 1, 250000);              /* 5: never revealed */
    bid(MGC_OK, 1, SLOT, 0, 10, 80000, 100000);         /* 6: A on the other side */
    ck_assert_uint_eq(market_pending(&m), 750000);
    ck_assert_int_eq(cell("bids", "microgrid=A", "wh"), 0); /* sealed: nobody sees */
    reveal(MGC_E_EARLY, 1, 1, 1, 300000, 50000);
    expect(MGC_E_EARLY, "clear", "2:5", "slot=%d carrier=1", SLOT);
    market_at(&m, GATE - 2 * REVEAL);
    bid(MGC_E_GATE_CLOSED, 1, SLOT, 1, 5, 5, 100000);
    reveal(MGC_E_COMMITMENT, 1, 1, 1, 300000, 50001);
    reveal(MGC_E_MISSING_SIGNER, 3, 1, 1, 300000, 50000);
    reveal(MGC_OK, 1, 1, 1, 300000, 50000);
    reveal(MGC_E_EXISTS, 1, 1, 1, 300000, 50000);
    reveal(MGC_E_SELF_TRADE, 1, 6, 0, 10, 80000); /* fault 34 */
    reveal(MGC_OK, 2, 2, 0, 200000, 90000);
    reveal(MGC_OK, 3, 4, 0, 70000, 70000); /* revealed first, but bid later */
    reveal(MGC_OK, 3, 3, 0, 50000, 70000);
    /* fault 37: the connection carries 500 000 out: what is sold is not free for the grid */
    expect(MGC_E_RANGE, "nominate", "11:2", "microgrid=1 carrier=1 rows=%d,0,200001", SLOT);
    expect(MGC_OK, "nominate", "11:2", "microgrid=1 carrier=1 rows=%d,0,200000", SLOT);
    market_at(&m, GATE - REVEAL);
    reveal(MGC_E_GATE_CLOSED, 2, 5, 0, 1, 1);
    expect(MGC_E_NOT_FOUND, "clear", "2:5", "slot=%d carrier=2", SLOT);
    expect(MGC_OK, "clear", "13:2", "slot=%d carrier=1", SLOT); /* anybody may */
    expect(MGC_E_ALREADY_SETTLED, "clear", "2:5", "slot=%d carrier=1", SLOT);
    /* 300 000 are for sale: B takes 200 000, then C's earlier bid 50 000, its later one 50 000 of 70 000: that is the
     * margin, and its price the price */
    ck_assert_int_eq(cell("auctions", NULL, "price"), 70000);
    ck_assert_int_eq(cell("auctions", NULL, "volume_wh"), 300000);
    ck_assert_uint_eq(count("trades", ""), 3);
    ck_assert_uint_eq(count("trades", "microgrid=C"), 2);
    ck_assert_int_eq(cell("bids", "microgrid=C", "filled_wh"), 50000); /* fault 59: the first of the two, by when it was bid */
    ck_assert_int_eq(cell("trades", "microgrid=B", "wh"), 200000);
    ck_assert_int_eq(cell("trades", "microgrid=B", "link"), 0);
    ck_assert_int_eq(cell("trades", "microgrid=B", "worth_micro"), 14000000);
    /* fault 60: the deposits of 5 and 6 are lost, the others are free again */
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_CLEARING, 0), 350000);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 2), money[2] - 250000);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), money[1] - 100000);
    /* held: worth, a tenth of each side's own price's worth in proportion, and the energy */
    int64_t worth = 14000000 + 3500000 + 3500000;
    int64_t collateral = 1500000 + 1800000 + 350000 + 350000;
    ck_assert_int_eq((int64_t)market_pending(&m), worth + collateral + 300000);

    market_at(&m, GATE);
    expect(MGC_OK, "deposit", "2:5", "microgrid=1 amount_micro=1 reference=x"); /* the gate closes */
    ck_assert_int_eq(cell("schedule", "microgrid=A", "sent_wh"), 300000);
    ck_assert_int_eq(cell("schedule", "microgrid=B", "received_wh"), 200000);
    ck_assert_uint_eq(count("flows", ""), 0);
    market_close(&m);
}
END_TEST

/* Nobody clears: at the gate all comes back but what was never revealed. */
START_TEST(an_auction_nobody_cleared) /* faults 60 */
{
    int64_t money;

    open_market();
    money = market_balance(&m, MGC_ACCOUNT_MONEY, 1);
    bid(MGC_OK, 1, SLOT, 1, 300000, 50000, 100000);
    bid(MGC_OK, 2, SLOT, 0, 200000, 90000, 130000);
    market_at(&m, GATE - 2 * REVEAL);
    reveal(MGC_OK, 1, 1, 1, 300000, 50000);
    market_at(&m, GATE);
    expect(MGC_OK, "deposit", "2:5", "microgrid=3 amount_micro=1 reference=x");
    expect(MGC_E_ALREADY_SETTLED, "clear", "2:5", "slot=%d carrier=1", SLOT);
    ck_assert_uint_eq(market_pending(&m), 0);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_MONEY, 1), money);
    ck_assert_int_eq(market_balance(&m, MGC_ACCOUNT_CLEARING, 0), 130000);
    ck_assert_uint_eq(count("trades", ""), 0);
    market_close(&m);
}
END_TEST

/* One by one and summed, with nominations, and with agreements over links for what may be sold. */
START_TEST(bids_stay_within_the_connection) /* faults 37 */
{
    open_market();
    bid(MGC_OK, 1, SLOT, 1, 500001, 50000, 100000);
    bid(MGC_OK, 1, SLOT, 1, 300000, 50000, 100000);
    bid(MGC_OK, 1, SLOT, 1, 200001, 50000, 100000);
    bid(MGC_OK, 2, SLOT, 0, 600001, 1000, 100000);
    bid(MGC_OK, 1, SLOT, 1, 1, 50000, 100000);
    expect(MGC_OK, "nominate", "12:2", "microgrid=2 carrier=1 rows=%d,400000,0", SLOT); /* of 1 000 000 */
    market_at(&m, GATE - 2 * REVEAL);
    reveal(MGC_E_OVERSOLD, 1, 1, 1, 500001, 50000);
    reveal(MGC_OK, 1, 2, 1, 300000, 50000);
    reveal(MGC_E_OVERSOLD, 1, 3, 1, 200001, 50000);
    reveal(MGC_E_OVERSOLD, 2, 4, 0, 600001, 1000);
    expect(MGC_E_OVERSOLD, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,300001,1000", SLOT); /* of 600 000 for sale */
    expect(MGC_OK, "agree", "11:2 12:2", "seller=1 buyer=2 link=1 rows=%d,300000,1000", SLOT);
    reveal(MGC_E_OVERSOLD, 1, 5, 1, 1, 50000);
    market_close(&m);
}
END_TEST

START_TEST(bids_are_counted) /* faults 58 */
{
    open_market();
    for (int i = 0; i < 16; i++) bid(MGC_OK, 1, SLOT, 1, 1, 1 + i, 100000);
    bid(MGC_E_RATE, 1, SLOT, 1, 1, 99, 100000);
    bid(MGC_OK, 2, SLOT, 1, 1, 99, 100000);
    bid(MGC_OK, 1, SLOT + 1, 1, 1, 99, 100000);
    bid(MGC_E_EXCEEDS_CREDIT, 1, SLOT + 2, 1, 1, 99, 1000000000000); /* money that is not there */
    market_at(&m, GATE - 2 * REVEAL);
    reveal(MGC_OK, 1, 1, 1, 1, 1);
    market_close(&m);
}
END_TEST

/* The margin for rounding: many small matches, each rounded up, never cost more than was held. */
START_TEST(rounding_is_covered) /* faults 56 */
{
    open_market();
    for (int i = 0; i < 16; i++) bid(MGC_OK, 1, SLOT, 1, 1, 500 + i, 100000); /* half a micro-currency each */
    for (int i = 0; i < 15; i++) bid(MGC_OK, 3, SLOT, 1, 1, 500 + i, 100000);
    bid(MGC_OK, 2, SLOT, 0, 31, 600, 100000);
    market_at(&m, GATE - 2 * REVEAL);
    for (int i = 0; i < 16; i++) reveal(MGC_OK, 1, 1 + i, 1, 1, 500 + i);
    for (int i = 0; i < 15; i++) reveal(MGC_OK, 3, 17 + i, 1, 1, 500 + i);
    reveal(MGC_OK, 2, 32, 0, 31, 600);
    market_at(&m, GATE - REVEAL);
    expect(MGC_OK, "clear", "2:5", "slot=%d carrier=1", SLOT);
    ck_assert_uint_eq(count("trades", ""), 31);
    ck_assert_int_eq(cell("trades", "", "worth_micro"), 1);
    market_close(&m);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, sealed_revealed_cleared_settled);
    tcase_add_test(t, an_auction_nobody_cleared);
    tcase_add_test(t, bids_stay_within_the_connection);
    tcase_add_test(t, bids_are_counted);
    tcase_add_test(t, rounding_is_covered);
}

int main(void)
{
    Suite *s = suite_create("contract-auction");
    TCase *t = market_case(s, "clearing", 1);

    tcase_add_test(t, clearing_is_the_best_there_is);
    tcase_add_test(t, the_price_is_the_middle);
    add_tests(market_case(s, "one chain", 1));
    add_tests(market_case(s, "three chains", 3));
    return market_run(s);
}
