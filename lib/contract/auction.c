/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed double auction of trading, one for each slot and carrier, for what was not bargained.
 *
 * With g the slot's gate and R the time of revealing:
 *
 *   bid      before g - 2 R         a hash and a deposit
 *   reveal   g - 2 R .. g - R       salt, side, amount, price; the deposit comes back, what the order may cost is
 *                                   held instead
 *   clear    g - R .. g             one price for all; who met makes agreements like bargained ones
 *   gate                            deposits of what was not revealed are lost; an auction that nobody cleared gives
 *                                   back what it held
 *
 * Network: one zone without congestion.  What is auctioned goes over the connections to the public grid, not over
 * links; each microgrid's connection bounds it, together with what it nominated.  No loss, no link's fee.
 *
 * Clearing: purchases by falling price, sales by rising price, each then by (height, index) of the bid; so nothing is
 * won by bidding again.  They meet as long as the purchase offers no less than the sale asks.  The price is the middle,
 * rounded down, of all prices at which nobody who is left out, in whole or in part, would rather be in:
 *
 *   max(last sale in, first purchase left) .. min(last purchase in, first sale left)
 *
 * so the surplus is as large as can be, nobody pays more than it bid or gets less than it asked, and what buyers pay
 * is what sellers get. */
#include "contract/auction.h"

#include "contract/supervision.h"
#include "crypto/crypto.h"

__extension__ typedef unsigned __int128 u128;

enum {
    BIDS_MAX = 256, /* of an auction: one transaction clears it */
    /* [micro-currency] held beside: each of at most BIDS_MAX agreements rounds up by half of one */
    ROUNDING_MARGIN = BIDS_MAX
};
enum { AUCTION_BIDS, AUCTION_REVEAL_MS, AUCTION_ENDED, AUCTION_PRICE, AUCTION_VOLUME, AUCTION_INTS };
enum {
    BID_MICROGRID,
    BID_DEPOSIT,
    BID_HEIGHT,
    BID_INDEX,
    BID_STATE,
    BID_SELLS,
    BID_WH,
    BID_PRICE,
    BID_EXPOSED,
    BID_COLLATERAL,
    BID_FILLED,
    BID_INTS
};
enum { BID_SEALED = 1, BID_REVEALED, BID_CLEARED, BID_LOST };

/* --- clearing ---------------------------------------------------------------------------- */

static bool comes_before(const mgc__auction_order *a, const mgc__auction_order *b)
{
    if (a->sells != b->sells) return !a->sells;
    if (a->price != b->price) return a->sells ? a->price < b->price : a->price > b->price;
    return a->place < b->place;
}

static void sort_orders(mgc__auction_order *orders, size_t n)
{
    for (size_t i = 1; i < n; i++) { /* insertion: at most BIDS_MAX */
        mgc__auction_order one = orders[i];
        size_t at = i;

        for (; at > 0 && comes_before(&one, &orders[at - 1]); at--) orders[at] = orders[at - 1];
        orders[at] = one;
    }
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void mgc__auction_clear(mgc__auction_order *orders, size_t n, int64_t *price, uint64_t *volume)
{
    size_t buys = 0, b, s;
    int64_t low = 0, high = 0;

    *price = 0;
    *volume = 0;
    sort_orders(orders, n);
    for (size_t i = 0; i < n; i++) {
        orders[i].filled = 0;
        if (!orders[i].sells) buys++;
    }
    for (b = 0, s = buys; b < buys && s < n && orders[b].price >= orders[s].price;) {
        uint64_t want = orders[b].wh - orders[b].filled, have = orders[s].wh - orders[s].filled;
        uint64_t part = want < have ? want : have;

        low = orders[s].price; /* the last sale and purchase that are in */
        high = orders[b].price;
        orders[b].filled += part;
        orders[s].filled += part;
        *volume += part;
        if (part == want) b++;
        if (part == have) s++;
    }
    if (*volume == 0) return;
    if (b < buys) low = larger(low, orders[b].price);
    if (s < n) high = -larger(-high, -orders[s].price);
    assert(low <= high);
    *price = low + (high - low) / 2;
}

/* --- records ---------------------------------------------------------------------------- */

static mgc__key auction_key(int64_t slot, int64_t carrier)
{
    return mgc__key_u8(mgc__key_u64(mgc__key_of('p'), (uint64_t)slot), (uint32_t)carrier);
}

static mgc__key bids_key(int64_t slot, int64_t carrier)
{
    return mgc__key_u8(mgc__key_u64(mgc__key_of('o'), (uint64_t)slot), (uint32_t)carrier);
}

static mgc_status put_bid(mgc_env *env, const mgc__key *key, const mgc__rec *bid)
{
    mgc__rec rec = *bid;
    uint8_t hash[32];

    assert(bid->data_len == 32);
    memcpy(hash, bid->data, 32); /* borrowed from the record that is put */
    rec.data = hash;
    rec.n = BID_INTS;
    return mgc__rec_put(env, key, &rec);
}

static mgc_status auction_of(mgc_env *env, int64_t slot, int64_t carrier, mgc__rec *auction)
{
    mgc__key key = auction_key(slot, carrier);
    mgc_status st = mgc__rec_get(env, env->contract, &key, auction);

    if (st == MGC_E_NOT_FOUND)
        return mgc_env_refuse(env, st, "slot %" PRId64 " has no auction of %s", slot, mgc__carrier_name(carrier));
    return st;
}

/* Before, in or after a phase that begins `from` and ends `until` times the revealing time before the gate. */
static mgc_status in_phase(mgc_env *env, const mgc__market *market, int64_t slot, int64_t reveal_ms, uint32_t from,
                           uint32_t until, const char *what)
{
    uint64_t gate = mgc__gate_ms(market, (uint64_t)slot), r = (uint64_t)reveal_ms;
    uint64_t begin = gate > from * r ? gate - from * r : 0, end = gate > until * r ? gate - until * r : 0;
    mgc_status st = mgc__slot_known(env, market, slot);

    if (st != MGC_OK) return st;
    if (from != 0 && env->time_ms < begin)
        return mgc_env_refuse(env, MGC_E_EARLY,
                              "%s of slot %" PRId64 " begins at %" PRIu64 " ms; it is %" PRIu64 " ms",
                              what, slot, begin, env->time_ms);
    if (env->time_ms >= end)
        return mgc_env_refuse(env, MGC_E_GATE_CLOSED,
                              "%s of slot %" PRId64 " ended at %" PRIu64 " ms; it is %" PRIu64 " ms", what, slot, end,
                              env->time_ms);
    return MGC_OK;
}

/* --- bid ---------------------------------------------------------------------------- */

/* Money that is held in favour of the clearing account. */
static mgc_status hold(mgc_env *env, const mgc__market *market, uint64_t id, uint32_t part, int64_t microgrid,
                       int64_t amount)
{
    mgc__move move = {.code = part == PART_BID_DEPOSIT ? CODE_BID_DEPOSIT : CODE_BID_ESCROW,
                      .unit = MGC_UNIT_MICRO_CURRENCY,
                      .flags = MGC_TRANSFER_PENDING,
                      .number = id,
                      .part = part,
                      .from_kind = MGC_ACCOUNT_MONEY,
                      .from = (uint32_t)microgrid,
                      .to_kind = MGC_ACCOUNT_CLEARING,
                      .amount = (uint64_t)amount,
                      .timeout = market->pending_blocks};

    return mgc__move_make(env, &move);
}

/* Give it back; nothing where it ended by itself. */
static mgc_status let_go(mgc_env *env, uint64_t id, uint32_t part)
{
    uint32_t state;
    uint64_t amount;
    mgc_status st = mgc__pending_state(env, id, part, &state, &amount);

    if (st != MGC_OK || state != MGC_PENDING_OPEN) return st;
    return mgc__pending_end(env, id, part, part == PART_BID_DEPOSIT ? CODE_BID_DEPOSIT : CODE_BID_ESCROW,
                            MGC_TRANSFER_VOID);
}

/* Keep a deposit; one that was held for too long is charged instead, so that nobody bids early to withhold for nothing. */
static mgc_status lose_deposit(mgc_env *env, uint64_t id, int64_t microgrid)
{
    mgc__move move = {.code = CODE_BID_DEPOSIT,
                      .unit = MGC_UNIT_MICRO_CURRENCY,
                      .number = id,
                      .part = PART_BID_DEPOSIT + PART_SECOND_PHASE,
                      .from_kind = MGC_ACCOUNT_MONEY,
                      .from = (uint32_t)microgrid,
                      .to_kind = MGC_ACCOUNT_CLEARING};
    uint32_t state;
    mgc_status st = mgc__pending_state(env, id, PART_BID_DEPOSIT, &state, &move.amount);

    if (st != MGC_OK || state == 0) return st;
    if (state == MGC_PENDING_OPEN) return mgc__pending_end(env, id, PART_BID_DEPOSIT, CODE_BID_DEPOSIT, MGC_TRANSFER_POST);
    st = mgc__charge(env, &move);
    return st == MGC_E_OVERFLOW ? MGC_OK : st; /* more debt than an account holds: no reason to keep the gate open */
}

/* Fault 58: bids of one microgrid in one auction, and of all. */
static mgc_status room_for_bid(mgc_env *env, int64_t slot, int64_t carrier, int64_t microgrid, int64_t all)
{
    mgc__key prefix = bids_key(slot, carrier);
    int64_t allowed, n = 0;
    mgc__walk w;
    mgc_status st = mgc__parameter(env, PARAMETER_BIDS, &allowed);

    if (st != MGC_OK) return st;
    mgc__walk_begin(&w, env->contract, &prefix);
    while (mgc__walk_next(env, &w)) n += w.rec.v[BID_MICROGRID] == microgrid;
    if (env->broken != MGC_OK) return env->broken;
    if (n >= allowed || all >= BIDS_MAX)
        return mgc_env_refuse(env, MGC_E_RATE,
                              "the auction has %" PRId64 " bids, %" PRId64 " of microgrid %" PRId64, all,
                              n, microgrid);
    return MGC_OK;
}

static mgc_status may_bid(mgc_env *env, int64_t microgrid, int64_t carrier, mgc__rec *limit)
{
    mgc__rec grid;
    mgc_status st = mgc__party(env, 'G', "microgrid", microgrid, &grid);

    if (st == MGC_OK) st = mgc__manager_signed(env, microgrid, &grid);
    if (st == MGC_OK) st = mgc__not_frozen(env, microgrid, &grid);
    if (st == MGC_OK) st = mgc__metered(env, microgrid, carrier);
    return st != MGC_OK ? st : mgc__limits_of(env, microgrid, carrier, limit);
}

mgc_status mgc__bid(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = auction_key(a[1].number, a[2].number);
    int64_t least, reveal_ms;
    uint64_t id;
    mgc__market market;
    mgc__rec limit, auction, bid = {.n = BID_INTS, .data = a[3].bytes, .data_len = a[3].len};
    mgc_status st = mgc__market_get(env, &market);

    (void)method;
    if (st == MGC_OK) st = may_bid(env, a[0].number, a[2].number, &limit);
    if (st == MGC_OK) st = mgc__parameter(env, PARAMETER_DEPOSIT, &least);
    if (st == MGC_OK) st = mgc__parameter(env, PARAMETER_REVEAL, &reveal_ms);
    if (st != MGC_OK) return st;
    if (a[4].number < least)
        return mgc_env_refuse(env, MGC_E_RANGE, "a bid's deposit is %" PRId64 "; at least %" PRId64, a[4].number,
                              least);
    st = mgc__rec_get(env, env->contract, &key, &auction);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (st == MGC_E_NOT_FOUND) auction.v[AUCTION_REVEAL_MS] = reveal_ms; /* of this auction from now on */
    st = in_phase(env, &market, a[1].number, auction.v[AUCTION_REVEAL_MS], 0, 2, "bidding");
    if (st == MGC_OK) st = room_for_bid(env, a[1].number, a[2].number, a[0].number, auction.v[AUCTION_BIDS]);
    if (st == MGC_OK) st = mgc__next_number(env, NUMBER_BID, &id);
    if (st == MGC_OK) st = hold(env, &market, id, PART_BID_DEPOSIT, a[0].number, a[4].number);
    auction.v[AUCTION_BIDS]++;
    if (st == MGC_OK) st = mgc__rec_put_ints(env, &key, auction.v, AUCTION_INTS);
    if (st != MGC_OK) return st;
    bid.v[BID_MICROGRID] = a[0].number;
    bid.v[BID_DEPOSIT] = a[4].number;
    bid.v[BID_HEIGHT] = (int64_t)env->height;
    bid.v[BID_INDEX] = mgc__exec_tx_index(env->exec);
    bid.v[BID_STATE] = BID_SEALED;
    key = mgc__key_u64(bids_key(a[1].number, a[2].number), id);
    return put_bid(env, &key, &bid);
}

/* --- reveal ---------------------------------------------------------------------------- */

static void bid_hash(int64_t microgrid, const struct mgc__value *a, uint8_t hash[32])
{
    mgc__key value = mgc__key_u64(mgc__key_u32((mgc__key){.len = 0}, (uint32_t)microgrid), (uint64_t)a[0].number);

    value = mgc__key_u8(mgc__key_u8(value, (uint32_t)a[1].number), (uint32_t)a[4].number);
    value = mgc__key_u64(mgc__key_u64(value, (uint64_t)a[5].number), (uint64_t)a[6].number);
    mgc__hash_tagged2("mgchain/bid/1", a[3].bytes, a[3].len, value.bytes, value.len, hash);
}

/* Within what may be sold, and within the connection together with what is nominated (fault 37). */
static mgc_status within_connection(mgc_env *env, const mgc__order *o, const mgc__rec *limit)
{
    mgc__key key = mgc__connection_key(o->slot, o->microgrid, o->carrier), nominated_key = key, sold_key = key;
    int64_t bound = limit->v[o->sells ? LIMIT_EXPORT : LIMIT_IMPORT];
    mgc__rec sums, nominated, sold;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &sums);

    nominated_key.bytes[0] = 'N';
    sold_key.bytes[0] = 'V';
    if (st == MGC_OK || st == MGC_E_NOT_FOUND) st = mgc__rec_get(env, env->contract, &nominated_key, &nominated);
    if (st == MGC_OK || st == MGC_E_NOT_FOUND) st = mgc__rec_get(env, env->contract, &sold_key, &sold);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (o->wh > bound - nominated.v[o->sells ? NOMINATION_SELL : NOMINATION_BUY] - sums.v[o->sells] ||
        (o->sells && o->wh > limit->v[LIMIT_SALE] - sold.v[0]))
        return mgc_env_refuse(env, MGC_E_OVERSOLD,
                              "slot %" PRId64 ": %" PRId64 " Wh more are over what microgrid %" PRId64 " may %s",
                                  o->slot,
                              o->wh, o->microgrid, o->sells ? "sell" : "take in");
    sums.v[o->sells] += o->wh;
    return mgc__rec_put_ints(env, &key, sums.v, 2);
}

/* Nobody of one owner on both sides (fault 34). */
static mgc_status one_sided(mgc_env *env, int64_t slot, int64_t carrier, int64_t microgrid, int64_t sells)
{
    mgc__key prefix = bids_key(slot, carrier);
    mgc__rec own, other;
    mgc__walk w;
    mgc_status st = mgc__party(env, 'G', "microgrid", microgrid, &own);

    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        if (w.rec.v[BID_STATE] != BID_REVEALED || w.rec.v[BID_SELLS] == sells) continue;
        st = mgc__party(env, 'G', "microgrid", w.rec.v[BID_MICROGRID], &other);
        if (st == MGC_OK && own.v[GRID_ORGANISATION] == other.v[GRID_ORGANISATION])
            return mgc_env_refuse(env, MGC_E_SELF_TRADE, "organisation %" PRId64 " would sell to itself",
                                  own.v[GRID_ORGANISATION]);
    }
    return st != MGC_OK ? st : env->broken;
}

/* What the order may cost at its own price; a price below zero is paid by the seller. */
static mgc_status hold_escrow(mgc_env *env, const mgc__market *market, uint64_t id, mgc__order *o, int64_t worth,
                              int64_t *collateral)
{
    int64_t pays = (o->sells ? worth < 0 : worth > 0) ? o->worth : 0;
    mgc_status st = mgc__order_admit(env, market, o);

    if (st != MGC_OK) return st;
    *collateral = (int64_t)((u128)(uint64_t)o->worth * o->collateral_bp / 10000);
    return hold(env, market, id, PART_BID_ESCROW, o->microgrid, pays + *collateral + ROUNDING_MARGIN);
}

static mgc_status open_bid(mgc_env *env, const mgc__market *market, const struct mgc__value *a, uint64_t id,
                           const mgc__rec *limit, mgc__rec *bid)
{
    mgc__order o = {.microgrid = bid->v[BID_MICROGRID],
                    .slot = a[0].number,
                    .carrier = a[1].number,
                    .sells = a[4].number != 0,
                    .wh = a[5].number};
    int64_t worth;
    mgc_status st = mgc_worth((uint64_t)o.wh, a[6].number, &worth);

    if (st != MGC_OK)
        return mgc_env_refuse(env, st, "%" PRId64 " Wh times %" PRId64 " is over 2^62", o.wh, a[6].number);
    o.worth = worth < 0 ? -worth : worth;
    st = one_sided(env, o.slot, o.carrier, o.microgrid, o.sells);
    if (st == MGC_OK) st = within_connection(env, &o, limit);
    if (st == MGC_OK) st = let_go(env, id, PART_BID_DEPOSIT);
    if (st == MGC_OK) st = hold_escrow(env, market, id, &o, worth, &bid->v[BID_COLLATERAL]);
    bid->v[BID_STATE] = BID_REVEALED;
    bid->v[BID_SELLS] = o.sells;
    bid->v[BID_WH] = o.wh;
    bid->v[BID_PRICE] = a[6].number;
    bid->v[BID_EXPOSED] = o.exposed;
    return st;
}

mgc_status mgc__reveal(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = mgc__key_u64(bids_key(a[0].number, a[1].number), (uint64_t)a[2].number);
    uint8_t hash[32], kept[32];
    mgc__market market;
    mgc__rec auction, bid, limit;
    mgc_status st = mgc__market_get(env, &market);

    (void)method;
    if (st == MGC_OK) st = auction_of(env, a[0].number, a[1].number, &auction);
    if (st == MGC_OK) st = mgc__rec_get(env, env->contract, &key, &bid);
    if (st == MGC_E_NOT_FOUND) return mgc_env_refuse(env, st, "there is no bid %" PRId64 " in that auction",
                                                     a[2].number);
    if (st == MGC_OK) st = may_bid(env, bid.v[BID_MICROGRID], a[1].number, &limit);
    if (st == MGC_OK) st = in_phase(env, &market, a[0].number, auction.v[AUCTION_REVEAL_MS], 2, 1, "revealing");
    if (st != MGC_OK) return st;
    if (bid.v[BID_STATE] != BID_SEALED)
        return mgc_env_refuse(env, MGC_E_EXISTS, "bid %" PRId64 " is revealed already", a[2].number);
    bid_hash(bid.v[BID_MICROGRID], a, hash);
    memcpy(kept, bid.data, 32);
    bid.data = kept;
    if (memcmp(hash, kept, 32) != 0)
        return mgc_env_refuse(env, MGC_E_COMMITMENT, "this does not hash to bid %" PRId64, a[2].number);
    st = open_bid(env, &market, a, (uint64_t)a[2].number, &limit, &bid);
    return st != MGC_OK ? st : put_bid(env, &key, &bid);
}

/* --- clear ---------------------------------------------------------------------------- */

typedef struct book {
    int64_t slot, carrier;
    size_t n;
    mgc__auction_order orders[BIDS_MAX];
    uint64_t ids[BIDS_MAX];
    mgc__rec bids[BIDS_MAX]; /* as of `who` */
    uint8_t hashes[BIDS_MAX][32];
} book;

static mgc_status gather(mgc_env *env, book *b)
{
    mgc__key prefix = bids_key(b->slot, b->carrier);
    mgc__walk w;
    mgc_status st = MGC_OK;

    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w) && b->n < BIDS_MAX) {
        uint64_t id = mgc__key_read(w.key, 10, 8);
        mgc__rec bid = w.rec;
        uint32_t state;
        uint64_t held;

        if (bid.v[BID_STATE] == BID_SEALED) { /* fault 60 */
            mgc__key key = mgc__key_u64(prefix, id);

            bid.v[BID_STATE] = BID_LOST;
            st = lose_deposit(env, id, bid.v[BID_MICROGRID]);
            if (st == MGC_OK) st = put_bid(env, &key, &bid);
        } else if (bid.v[BID_STATE] == BID_REVEALED) {
            b->orders[b->n] = (mgc__auction_order){.place = id, /* ids follow (height, index) */
                                                   .price = bid.v[BID_PRICE],
                                                   .wh = (uint64_t)bid.v[BID_WH],
                                                   .who = (uint32_t)b->n,
                                                   .sells = bid.v[BID_SELLS] != 0};
            st = mgc__pending_state(env, id, PART_BID_ESCROW, &state, &held);
            if (state != MGC_PENDING_OPEN) /* its escrow has expired: it meets nobody */
                b->orders[b->n].price = b->orders[b->n].sells ? 2 * PRICE_MAX : -2 * PRICE_MAX;
            b->ids[b->n] = id;
            memcpy(b->hashes[b->n], bid.data, 32);
            b->bids[b->n] = bid;
            b->bids[b->n].data = b->hashes[b->n];
            b->n++;
        }
    }
    return st != MGC_OK ? st : env->broken;
}

/* Give back what an order held, and the part of its counts that was not filled. */
static mgc_status close_order(mgc_env *env, const book *b, const mgc__auction_order *order)
{
    mgc__rec bid = b->bids[order->who];
    mgc__order o = {.microgrid = bid.v[BID_MICROGRID],
                    .carrier = b->carrier,
                    .slot = b->slot,
                    .wh = bid.v[BID_WH],
                    .exposed = bid.v[BID_EXPOSED],
                    .sells = order->sells};
    int64_t left = (int64_t)(order->wh - order->filled);
    mgc__key key = mgc__connection_key(b->slot, o.microgrid, b->carrier);
    mgc__rec sums;
    mgc_status st = let_go(env, b->ids[order->who], PART_BID_ESCROW);

    if (st == MGC_OK)
        st = mgc__order_release(env, &o, left,
                                (int64_t)((u128)(uint64_t)o.exposed * (uint64_t)left / (uint64_t)o.wh));
    if (st == MGC_OK) st = mgc__rec_get(env, env->contract, &key, &sums);
    if (st != MGC_OK) return st;
    sums.v[o.sells] -= left;
    st = mgc__rec_put_ints(env, &key, sums.v, 2);
    bid.v[BID_STATE] = BID_CLEARED;
    bid.v[BID_FILLED] = (int64_t)order->filled;
    key = mgc__key_u64(bids_key(b->slot, b->carrier), b->ids[order->who]);
    return st != MGC_OK ? st : put_bid(env, &key, &bid);
}

/* An order's collateral in proportion to what a match fills of it; rounded down, so that their sum was held. */
static int64_t collateral_part(const book *b, const mgc__auction_order *order, uint64_t wh)
{
    return (int64_t)((u128)(uint64_t)b->bids[order->who].v[BID_COLLATERAL] * wh / order->wh);
}

/* In the order of clearing: the first purchase from the first sale, and so on. */
static mgc_status agree_all(mgc_env *env, const mgc__market *market, const book *b, int64_t price)
{
    size_t buy = 0, sale = 0;
    uint64_t bought = 0, sold = 0;
    mgc_status st = MGC_OK;

    while (sale < b->n && !b->orders[sale].sells) sale++;
    for (size_t sales = sale; st == MGC_OK && buy < sales && sale < b->n;) {
        const mgc__auction_order *to = &b->orders[buy], *from = &b->orders[sale];
        uint64_t want = to->filled - bought, have = from->filled - sold, part = want < have ? want : have;
        mgc__match match = {.slot = b->slot,
                            .carrier = b->carrier,
                            .seller = b->bids[from->who].v[BID_MICROGRID],
                            .buyer = b->bids[to->who].v[BID_MICROGRID],
                            .wh = (int64_t)part,
                            .price = price,
                            .collateral_seller = collateral_part(b, from, part),
                            .collateral_buyer = collateral_part(b, to, part)};

        if (part > 0) st = mgc__match_agree(env, market, &match);
        bought = part == want ? 0 : bought + part;
        sold = part == have ? 0 : sold + part;
        if (part == want) buy++;
        if (part == have) sale++;
    }
    return st;
}

/* @param meet false: nobody cleared it in time; all is given back */
static mgc_status end_auction(mgc_env *env, const mgc__market *market, book *b, mgc__rec *auction, bool meet)
{
    mgc__key key = auction_key(b->slot, b->carrier);
    int64_t price = 0;
    uint64_t volume = 0;
    mgc_status st = gather(env, b);

    if (st != MGC_OK) return st;
    if (meet) mgc__auction_clear(b->orders, b->n, &price, &volume);
    for (size_t i = 0; i < b->n && st == MGC_OK; i++) st = close_order(env, b, &b->orders[i]);
    if (st == MGC_OK && volume > 0) st = agree_all(env, market, b, price);
    auction->v[AUCTION_ENDED] = (int64_t)env->height;
    auction->v[AUCTION_PRICE] = price;
    auction->v[AUCTION_VOLUME] = (int64_t)volume;
    return st != MGC_OK ? st : mgc__rec_put_ints(env, &key, auction->v, AUCTION_INTS);
}

static mgc_status end_by_itself(mgc_env *env, const mgc__market *market, int64_t slot, int64_t carrier,
                                mgc__rec *auction, bool meet)
{
    book *b = mgc__alloc(env->ctx, 1, sizeof *b);
    mgc_status st;

    if (b == NULL) return mgc__env_keep(env, mgc__no_memory(env->ctx, "contract: an auction's book"));
    b->slot = slot;
    b->carrier = carrier;
    st = end_auction(env, market, b, auction, meet);
    mgc__free(env->ctx, b);
    return st;
}

mgc_status mgc__clear(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__market market;
    mgc__rec auction;
    mgc_status st = mgc__market_get(env, &market);

    (void)method;
    if (st == MGC_OK) st = auction_of(env, a[0].number, a[1].number, &auction);
    if (st != MGC_OK) return st;
    if (auction.v[AUCTION_ENDED] != 0)
        return mgc_env_refuse(env, MGC_E_ALREADY_SETTLED, "the auction ended at height %" PRId64,
                              auction.v[AUCTION_ENDED]);
    st = in_phase(env, &market, a[0].number, auction.v[AUCTION_REVEAL_MS], 1, 0, "clearing");
    return st != MGC_OK ? st : end_by_itself(env, &market, a[0].number, a[1].number, &auction, true);
}

mgc_status mgc__auction_end(mgc_env *env, uint64_t slot)
{
    mgc__market market;
    mgc_status st = mgc__market_get(env, &market);

    for (int64_t carrier = 1; carrier <= 2 && st == MGC_OK; carrier++) {
        mgc__key key = auction_key((int64_t)slot, carrier);
        mgc__rec auction;

        st = mgc__rec_get(env, env->contract, &key, &auction);
        if (st == MGC_OK && auction.v[AUCTION_ENDED] == 0)
            st = end_by_itself(env, &market, (int64_t)slot, carrier, &auction, false);
        if (st == MGC_E_NOT_FOUND) st = MGC_OK;
    }
    return st;
}

/* Its sums of bids stand beside the auction until that ends; from then on they are agreements. */
mgc_status mgc__auction_open(mgc_env *env, const mgc__order *o, int64_t unfilled[2])
{
    mgc__key key = auction_key(o->slot, o->carrier), sums_key = mgc__connection_key(o->slot, o->microgrid, o->carrier);
    mgc__rec auction, sums;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &auction);

    unfilled[0] = unfilled[1] = 0;
    if (st != MGC_OK || auction.v[AUCTION_ENDED] != 0) return st == MGC_E_NOT_FOUND ? MGC_OK : st;
    st = mgc__rec_get(env, env->contract, &sums_key, &sums);
    unfilled[0] = sums.v[0];
    unfilled[1] = sums.v[1];
    return st == MGC_E_NOT_FOUND ? MGC_OK : st;
}

/* --- queries ---------------------------------------------------------------------------- */

/* Public: the price and the volume. */
/* May everybody know what was auctioned?  Where at least three organisations took part. */
static mgc_status is_public(mgc_env *env, const uint8_t *auction_key, bool *is)
{
    mgc__key prefix = mgc__key_u8(mgc__key_u64(mgc__key_of('o'), mgc__key_read(auction_key, 1, 8)), auction_key[9]);
    mgc__crowd crowd = {.n = 0};
    mgc__walk w;
    mgc_status st = MGC_OK;

    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w))
        if (w.rec.v[BID_FILLED] > 0) st = mgc__crowd_add(env, &crowd, w.rec.v[BID_MICROGRID]);
    *is = crowd.n == MGC__CROWD;
    return st != MGC_OK ? st : env->broken;
}

mgc_status mgc__query_auctions(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__slot_prefix('p', filter);
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "slot carrier bids reveal_ms ended_height price volume_wh");

    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        bool told = filter->query->sees_all != 0;

        if (!mgc__filter_carrier(filter, w.key[9])) continue;
        if (!told) st = is_public(env, w.key, &told);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 8));
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.key[9]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, AUCTION_VOLUME);
        if (st == MGC_OK)
            st = told ? mgc_rows_put_int(rows, w.rec.v[AUCTION_VOLUME]) : mgc_rows_put_text(rows, "", 0);
    }
    return st;
}

mgc_status mgc__query_bids(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    static const char *const words[] = {"?", "sealed", "revealed", "cleared", "lost"};
    mgc__key prefix = mgc__slot_prefix('o', filter);
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows,
                                   "id slot carrier microgrid state sells wh price filled_wh deposit_micro "
                                    "height index");

    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        const int64_t *v = w.rec.v;
        const char *word = words[v[BID_STATE] < 5 ? v[BID_STATE] : 0];

        if (!mgc__filter_passes(env, filter, v[BID_MICROGRID], 0, w.key[9])) continue;
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 10, 8));
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 8));
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.key[9]);
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, v[BID_MICROGRID]);
        if (st == MGC_OK) st = mgc_rows_put_text(rows, word, strlen(word));
        if (st == MGC_OK)
            st = mgc__rows_put_ints(rows,
                                    (int64_t[]){v[BID_SELLS], v[BID_WH], v[BID_PRICE], v[BID_FILLED], v[BID_DEPOSIT],
                                                v[BID_HEIGHT], v[BID_INDEX]},
                                    7);
    }
    return st;
}
