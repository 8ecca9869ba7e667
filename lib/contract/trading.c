/* SPDX-License-Identifier: Apache-2.0 */
/* Contract 2, trading: money in and out, nominations to the grid, agreements between microgrids, the payments of a
 * bargain.
 *
 * Records (doc/contracts.md):
 *   N slot microgrid carrier    what is bought from and sold to the grid
 *   A slot id                   an agreement
 *   S slot link direction       sent over a link by all agreements
 *   V, U slot microgrid carrier sold and bought by a microgrid by all agreements and bids
 *   W member slot               a member's exposure: worth of its orders until the slot is paid out
 *   R slot microgrid            how many orders
 *   T slot                      how many agreements and payments
 *   B last-slot id              a payment of a bargain
 *   Q                           the next numbers of agreements, payments, moves of money, bids
 *   o, p, Y                     bids, auctions, what they send over connections (auction.c)
 *
 * An agreement reserves, until its slot is final: its worth from whoever pays, collateral of both sides, the energy
 * that is delivered and that is lost on the way. */
#include "contract/auction.h"
#include "contract/contract.h"
#include "contract/supervision.h"

enum { NEXT_TRADE, NEXT_PAYMENT, NEXT_MOVE, NEXT_BID, NEXT_INTS };
enum { SLOT_TRADES, SLOT_PAYMENTS, SLOT_INTS };
_Static_assert((int)NEXT_BID == (int)NUMBER_BID, "the auction's numbers");

static mgc_status take_number(mgc_env *env, uint32_t which, uint64_t *number)
{
    mgc__key key = mgc__key_of('Q');
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &rec);

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    *number = (uint64_t)++rec.v[which]; /* from 1 */
    return mgc__rec_put_ints(env, &key, rec.v, NEXT_INTS);
}

mgc_status mgc__next_number(mgc_env *env, uint32_t which, uint64_t *number)
{
    return take_number(env, which, number);
}

/* --- money -------------------------------------------------------------------------------------------- */

static mgc_status deposit(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    mgc__move move = {.code = CODE_DEPOSIT,
                      .unit = MGC_UNIT_MICRO_CURRENCY,
                      .part = PART_DEPOSIT,
                      .from_kind = MGC_ACCOUNT_BANK,
                      .to_kind = MGC_ACCOUNT_MONEY,
                      .to = (uint32_t)values->at[0].number,
                      .amount = (uint64_t)values->at[1].number};
    uint64_t debt;
    mgc__rec grid;
    mgc_status st = mgc__role_signed(env, MGC_ROLE_MARKET_OPERATOR, "market operator");

    (void)method;
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", values->at[0].number, &grid);
    if (st == MGC_OK) st = take_number(env, NEXT_MOVE, &move.number);
    if (st == MGC_OK) st = mgc__move_make(env, &move);
    if (st == MGC_OK) st = mgc__debt(env, values->at[0].number, &debt);
    if (st != MGC_OK) return st;
    move.code = CODE_DEBT; /* a debt is paid first */
    move.part = PART_DEPOSIT_DEBT;
    move.from_kind = MGC_ACCOUNT_MONEY;
    move.from = move.to;
    move.to_kind = MGC_ACCOUNT_DUE;
    if (move.amount > debt) move.amount = debt;
    return mgc__move_make(env, &move);
}

static mgc_status withdraw(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    mgc__move move = {.code = CODE_WITHDRAW,
                      .unit = MGC_UNIT_MICRO_CURRENCY,
                      .part = PART_WITHDRAW,
                      .from_kind = MGC_ACCOUNT_MONEY,
                      .from = (uint32_t)values->at[0].number,
                      .to_kind = MGC_ACCOUNT_BANK,
                      .amount = (uint64_t)values->at[1].number};
    mgc__rec grid;
    mgc_status st = mgc__role_signed(env, MGC_ROLE_MARKET_OPERATOR, "market operator");

    (void)method;
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", values->at[0].number, &grid);
    if (st == MGC_OK) st = mgc__manager_signed(env, values->at[0].number, &grid);
    if (st == MGC_OK) st = mgc__no_debt(env, values->at[0].number);
    if (st == MGC_OK) st = take_number(env, NEXT_MOVE, &move.number);
    return st != MGC_OK ? st : mgc__move_make(env, &move);
}

/* --- nominations ------------------------------------------------------------------------------------------ */

mgc__key mgc__connection_key(int64_t slot, int64_t microgrid, int64_t carrier)
{
    return mgc__key_u8(mgc__key_u32(mgc__key_u64(mgc__key_of('Y'), (uint64_t)slot), (uint32_t)microgrid),
                       (uint32_t)carrier);
}

static mgc_status nominate_row(mgc_env *env, const mgc__market *market, const struct mgc__value *a,
                               const mgc__rec *limit, const int64_t *row)
{
    mgc__key key = mgc__key_u8(mgc__key_u32(mgc__key_u64(mgc__key_of('N'), (uint64_t)row[0]), (uint32_t)a[0].number),
                               (uint32_t)a[1].number);
    mgc__key auctioned_key = mgc__connection_key(row[0], a[0].number, a[1].number);
    mgc__rec auctioned;
    mgc_status st = mgc__slot_open(env, market, row[0]);

    if (st != MGC_OK) return st;
    st = mgc__rec_get(env, env->contract, &auctioned_key, &auctioned);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    for (uint32_t i = 1; i <= NOMINATION_INTS; i++)
        if (row[i] < 0 || row[i] > (int64_t)MGC_SLOT_WH_MAX)
            return mgc_env_refuse(env, MGC_E_RANGE, "slot %" PRId64 ": %" PRId64 " Wh is not in 0..2^41", row[0], row[i]);
    if (row[1] > limit->v[LIMIT_IMPORT] - auctioned.v[0] || row[2] > limit->v[LIMIT_EXPORT] - auctioned.v[1])
        return mgc_env_refuse(
            env, MGC_E_RANGE,
            "slot %" PRId64 ": microgrid %" PRId64 " may buy %" PRId64 " Wh and sell %" PRId64 " Wh of %s", row[0],
            a[0].number, limit->v[LIMIT_IMPORT] - auctioned.v[0], limit->v[LIMIT_EXPORT] - auctioned.v[1],
            mgc__carrier_name(a[1].number));
    return mgc__rec_put_ints(env, &key, row + 1, NOMINATION_INTS);
}

/* The limits of a microgrid for a carrier. */
mgc_status mgc__limits_of(mgc_env *env, int64_t microgrid, int64_t carrier, mgc__rec *limit)
{
    mgc__key key = mgc__key_u8(mgc__key_u32(mgc__key_of('g'), (uint32_t)microgrid), (uint32_t)carrier);
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &key, limit);

    if (st == MGC_E_NOT_FOUND)
        return mgc_env_refuse(env, st, "microgrid %" PRId64 " is not connected for %s", microgrid,
                              mgc__carrier_name(carrier));
    return st;
}

/* Until the gate a later nomination replaces an earlier one. */
static mgc_status nominate(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__market market;
    mgc__rec grid, limit;
    mgc__row_reader rows;
    int64_t row[COLUMNS_MAX];
    mgc_status st = mgc__market_get(env, &market);

    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", a[0].number, &grid);
    if (st == MGC_OK) st = mgc__manager_signed(env, a[0].number, &grid);
    if (st == MGC_OK) st = mgc__metered(env, a[0].number, a[1].number);
    if (st == MGC_OK) st = mgc__limits_of(env, a[0].number, a[1].number, &limit);
    mgc__row_begin(&rows, method, values, 2);
    while (st == MGC_OK && mgc__row_next(&rows, row)) st = nominate_row(env, &market, a, &limit, row);
    return st;
}

/* --- agreements ----------------------------------------------------------------------------------------------- */

/* One row under way. */
typedef struct agreement {
    int64_t slot, seller, buyer, link, carrier, wh, price;
    uint32_t direction;
    int64_t delivered, worth, collateral[2]; /* of seller and buyer */
    uint64_t id, timeout;
} agreement;

/* amount * bp / 10000, rounded down, without an intermediate that could overflow. */
static int64_t share_bp(int64_t amount, uint32_t bp)
{
    assert(amount >= 0 && bp <= 10000);
    return amount / 10000 * bp + amount % 10000 * bp / 10000;
}

/* A slot is paid out in one transaction: it holds no more than that can. */
static mgc_status room_in_slot(mgc_env *env, int64_t slot, uint32_t which)
{
    static const int64_t most[SLOT_INTS] = {MGC_SLOT_TRADES_MAX, MGC_SLOT_PAYMENTS_MAX};
    mgc__key key = mgc__key_u64(mgc__key_of('T'), (uint64_t)slot);
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &rec);

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (rec.v[which] >= most[which])
        return mgc_env_refuse(env, MGC_E_RATE, "slot %" PRId64 " has %" PRId64 " %s already", slot, rec.v[which],
                              which == SLOT_TRADES ? "agreements" : "payments");
    rec.v[which]++;
    return mgc__rec_put_ints(env, &key, rec.v, SLOT_INTS);
}

static mgc_status refuse_oversold(mgc_env *env, const agreement *a, int64_t limit, int64_t taken, const char *what)
{
    return mgc_env_refuse(env, MGC_E_OVERSOLD,
                          "slot %" PRId64 ": %s is %" PRId64 " Wh, of which %" PRId64 " are taken; %" PRId64
                          " more is too much",
                          a->slot, what, limit, taken, a->wh);
}

/* Add to a running sum; MGC_E_OVERSOLD beyond the limit. */
static mgc_status add_up(mgc_env *env, const mgc__key *key, const agreement *a, int64_t limit, const char *what)
{
    mgc__rec sum;
    mgc_status st = mgc__rec_get(env, env->contract, key, &sum);

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (a->wh > limit - sum.v[0]) return refuse_oversold(env, a, limit, sum.v[0], what);
    sum.v[0] += a->wh;
    return mgc__rec_put_ints(env, key, sum.v, 1);
}

static mgc_status within_capacity(mgc_env *env, const agreement *a, const mgc__rec *link, const mgc__rec *limit)
{
    mgc__key key =
        mgc__key_u8(mgc__key_u32(mgc__key_u64(mgc__key_of('S'), (uint64_t)a->slot), (uint32_t)a->link), a->direction);
    mgc__rec sold;
    mgc_status st = add_up(env, &key, a, link->v[LINK_CAPACITY], "the link's capacity");

    if (st != MGC_OK) return st;
    key = mgc__key_u8(mgc__key_u32(mgc__key_u64(mgc__key_of('V'), (uint64_t)a->slot), (uint32_t)a->seller),
                      (uint32_t)a->carrier);
    st = mgc__rec_get(env, env->contract, &key, &sold);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    return a->wh <= limit->v[LIMIT_SALE] - sold.v[0]
               ? MGC_OK
               : refuse_oversold(env, a, limit->v[LIMIT_SALE], sold.v[0], "what the seller may sell");
}

/* Both sides' credit; how much collateral each gives follows from it. */
static mgc_status admit_sides(mgc_env *env, const mgc__market *market, agreement *a)
{
    mgc__order order = {.microgrid = a->seller,
                        .carrier = a->carrier,
                        .slot = a->slot,
                        .wh = a->wh,
                        .worth = a->worth < 0 ? -a->worth : a->worth,
                        .sells = true};
    mgc_status st = mgc__order_admit(env, market, &order);

    if (st != MGC_OK) return st;
    a->collateral[0] = share_bp(order.worth, order.collateral_bp);
    order.microgrid = a->buyer;
    order.sells = false;
    st = mgc__order_admit(env, market, &order);
    a->collateral[1] = share_bp(order.worth, order.collateral_bp);
    return st;
}

static mgc_status reserve(mgc_env *env, const agreement *a, mgc__move move)
{
    move.flags = MGC_TRANSFER_PENDING;
    move.number = a->id;
    move.timeout = a->timeout;
    return mgc__move_make(env, &move);
}

/* Money one way or the other: a negative price is paid by the seller. */
static mgc_status reserve_money(mgc_env *env, const agreement *a)
{
    uint32_t seller = (uint32_t)a->seller, buyer = (uint32_t)a->buyer;
    mgc__move worth = {.code = CODE_TRADE,
                       .unit = MGC_UNIT_MICRO_CURRENCY,
                       .part = PART_TRADE,
                       .from_kind = MGC_ACCOUNT_MONEY,
                       .from = a->worth < 0 ? seller : buyer,
                       .to_kind = MGC_ACCOUNT_MONEY,
                       .to = a->worth < 0 ? buyer : seller,
                       .amount = (uint64_t)(a->worth < 0 ? -a->worth : a->worth)};
    mgc__move collateral = {.code = CODE_COLLATERAL,
                            .unit = MGC_UNIT_MICRO_CURRENCY,
                            .part = PART_COLLATERAL_SELLER,
                            .from_kind = MGC_ACCOUNT_MONEY,
                            .from = seller,
                            .to_kind = MGC_ACCOUNT_CLEARING,
                            .amount = (uint64_t)a->collateral[0]};
    mgc_status st = reserve(env, a, worth);

    if (st == MGC_OK) st = reserve(env, a, collateral);
    collateral.part = PART_COLLATERAL_BUYER;
    collateral.from = buyer;
    collateral.amount = (uint64_t)a->collateral[1];
    return st != MGC_OK ? st : reserve(env, a, collateral);
}

static mgc_status reserve_energy(mgc_env *env, const agreement *a)
{
    bool heat = a->carrier == MGC_CARRIER_HEAT;
    uint32_t kind = heat ? MGC_ACCOUNT_HEAT : MGC_ACCOUNT_ELECTRICITY;
    mgc__move delivery = {.code = CODE_DELIVERY,
                          .unit = heat ? MGC_UNIT_WH_HEAT : MGC_UNIT_WH_ELECTRICITY,
                          .part = PART_DELIVERY,
                          .from_kind = kind,
                          .from = (uint32_t)a->seller,
                          .to_kind = kind,
                          .to = (uint32_t)a->buyer,
                          .amount = (uint64_t)a->delivered};
    mgc__move loss = delivery;
    mgc_status st = reserve(env, a, delivery);

    loss.code = CODE_LOSS;
    loss.part = PART_LOSS;
    loss.to_kind = heat ? MGC_ACCOUNT_LOSS_HEAT : MGC_ACCOUNT_LOSS_ELECTRICITY;
    loss.to = 0;
    loss.amount = (uint64_t)(a->wh - a->delivered);
    return st != MGC_OK ? st : reserve(env, a, loss);
}

/* Hold what it may cost and keep it: from here on both are bound. */
static mgc_status bind(mgc_env *env, const mgc__market *market, agreement *a)
{
    mgc__key key = mgc__key_u64(mgc__key_u64(mgc__key_of('A'), (uint64_t)a->slot), a->id);
    mgc_status st;

    a->timeout = market->pending_blocks;
    st = reserve_money(env, a);
    if (st == MGC_OK) st = reserve_energy(env, a);
    if (st != MGC_OK) return st;
    return mgc__rec_put_ints(env, &key,
                             (int64_t[]){a->seller, a->buyer, a->link, a->carrier, a->wh, a->delivered, a->price,
                                         a->worth, a->collateral[0], (int64_t)env->height, a->collateral[1]},
                             TRADE_INTS);
}

static mgc_status agree_row(mgc_env *env, const mgc__market *market, agreement *a, const mgc__rec *link,
                            const mgc__rec *limit)
{
    mgc_status st = mgc__slot_open(env, market, a->slot);

    if (st != MGC_OK) return st;
    if (a->wh < 1 || a->wh > (int64_t)MGC_AMOUNT_MAX || a->price < -PRICE_MAX || a->price > PRICE_MAX)
        return mgc_env_refuse(env, MGC_E_RANGE,
                              "slot %" PRId64 ": %" PRId64 " Wh at %" PRId64 "; must be 1..2^62 Wh at up to %" PRId64,
                              a->slot, a->wh, a->price, PRICE_MAX);
    st = mgc_worth((uint64_t)a->wh, a->price, &a->worth);
    if (st != MGC_OK)
        return mgc_env_refuse(env, st, "slot %" PRId64 ": %" PRId64 " Wh times %" PRId64 " is over 2^62", a->slot,
                              a->wh, a->price);
    st = within_capacity(env, a, link, limit);
    if (st == MGC_OK) st = room_in_slot(env, a->slot, SLOT_TRADES);
    if (st == MGC_OK) st = admit_sides(env, market, a);
    if (st == MGC_OK) st = take_number(env, NEXT_TRADE, &a->id);
    if (st != MGC_OK) return st;
    a->delivered = (int64_t)mgc_link_delivered((uint64_t)a->wh, (uint32_t)link->v[LINK_LOSS]);
    return bind(env, market, a);
}

mgc_status mgc__match_agree(mgc_env *env, const mgc__market *market, const mgc__match *match)
{
    agreement a = {.slot = match->slot,
                   .seller = match->seller,
                   .buyer = match->buyer,
                   .carrier = match->carrier,
                   .wh = match->wh,
                   .delivered = match->wh,
                   .price = match->price,
                   .collateral = {match->collateral_seller, match->collateral_buyer}};
    mgc_status st = mgc_worth((uint64_t)a.wh, a.price, &a.worth);

    if (st != MGC_OK) return mgc_env_refuse(env, st, "a match is worth over 2^62");
    st = take_number(env, NEXT_TRADE, &a.id);
    return st != MGC_OK ? st : bind(env, market, &a);
}

/* Two microgrids that may deal with each other: two owners, both signed, nobody in debt. */
static mgc_status two_sides(mgc_env *env, int64_t one, int64_t two)
{
    int64_t sides[2] = {one, two};
    mgc__rec grid[2];

    if (one == two) return mgc_env_refuse(env, MGC_E_SELF_TRADE, "microgrid %" PRId64 " deals with itself", one);
    for (uint32_t i = 0; i < 2; i++) {
        mgc_status st = mgc__party(env, 'G', "microgrid", sides[i], &grid[i]);
        if (st != MGC_OK) return st;
    }
    if (grid[0].v[GRID_ORGANISATION] == grid[1].v[GRID_ORGANISATION])
        return mgc_env_refuse(env, MGC_E_SELF_TRADE,
                              "microgrids %" PRId64 " and %" PRId64 " belong to one organisation", one, two);
    for (uint32_t i = 0; i < 2; i++) {
        mgc_status st = mgc__manager_signed(env, sides[i], &grid[i]);
        if (st == MGC_OK) st = mgc__not_frozen(env, sides[i], &grid[i]);
        if (st == MGC_OK) st = mgc__no_debt(env, sides[i]);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

static mgc_status agree(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    agreement a = {.seller = values->at[0].number, .buyer = values->at[1].number, .link = values->at[2].number};
    mgc__market market;
    mgc__rec link, limit;
    mgc__row_reader rows;
    int64_t row[COLUMNS_MAX];
    mgc_status st = mgc__market_get(env, &market);

    if (st == MGC_OK) st = two_sides(env, a.seller, a.buyer);
    if (st == MGC_OK) st = mgc__party(env, 'L', "link", a.link, &link);
    if (st != MGC_OK) return st;
    a.carrier = link.v[LINK_CARRIER];
    a.direction = link.v[LINK_FIRST] == a.seller ? 0 : 1;
    if (link.v[a.direction == 0 ? LINK_FIRST : LINK_SECOND] != a.seller ||
        link.v[a.direction == 0 ? LINK_SECOND : LINK_FIRST] != a.buyer)
        return mgc_env_refuse(env, MGC_E_RANGE,
                              "link %" PRId64 " does not connect microgrids %" PRId64 " and %" PRId64, a.link,
                              a.seller, a.buyer);
    st = mgc__metered(env, a.seller, a.carrier);
    if (st == MGC_OK) st = mgc__metered(env, a.buyer, a.carrier);
    if (st == MGC_OK) st = mgc__limits_of(env, a.seller, a.carrier, &limit);
    mgc__row_begin(&rows, method, values, 3);
    while (st == MGC_OK && mgc__row_next(&rows, row)) {
        a.slot = row[0];
        a.wh = row[1];
        a.price = row[2];
        st = row[0] < 0 ? mgc__slot_open(env, &market, row[0]) : mgc__link_in_slot(env, a.link, row[0], &link);
        if (st == MGC_OK) st = agree_row(env, &market, &a, &link, &limit);
    }
    return st;
}

/* --- payments of a bargain -------------------------------------------------------------------------------------- */

/* Reserved now, paid when the last slot of its day becomes final. */
static mgc_status pay(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__move move = {.code = CODE_PAYMENT,
                      .unit = MGC_UNIT_MICRO_CURRENCY,
                      .part = PART_PAYMENT,
                      .flags = MGC_TRANSFER_PENDING,
                      .from_kind = MGC_ACCOUNT_MONEY,
                      .from = (uint32_t)a[0].number,
                      .to_kind = MGC_ACCOUNT_MONEY,
                      .to = (uint32_t)a[1].number,
                      .amount = (uint64_t)a[2].number};
    mgc__rec rec = {.n = PAYMENT_INTS, .data = a[5].bytes, .data_len = a[5].len};
    mgc__market market;
    mgc__key key;
    mgc_status st = mgc__market_get(env, &market);

    (void)method;
    if (st == MGC_OK) st = two_sides(env, a[0].number, a[1].number);
    if (st == MGC_OK) st = mgc__slot_known(env, &market, a[3].number);
    if (st == MGC_OK) st = mgc__slot_open(env, &market, a[4].number);
    if (st != MGC_OK) return st;
    if (a[3].number > a[4].number)
        return mgc_env_refuse(env, MGC_E_SLOT, "the first slot, %" PRId64 ", is after the last, %" PRId64,
                              a[3].number, a[4].number);
    st = mgc__order_count(env, a[4].number, a[0].number);
    if (st == MGC_OK) st = room_in_slot(env, a[4].number, SLOT_PAYMENTS);
    if (st == MGC_OK) st = take_number(env, NEXT_PAYMENT, &move.number);
    move.timeout = market.pending_blocks;
    if (st == MGC_OK) st = mgc__move_make(env, &move);
    if (st != MGC_OK) return st;
    for (uint32_t i = 0; i < PAYMENT_HEIGHT; i++) rec.v[i] = a[i].number;
    rec.v[PAYMENT_HEIGHT] = (int64_t)env->height;
    key = mgc__key_u64(mgc__key_u64(mgc__key_of('B'), (uint64_t)a[4].number), move.number);
    return mgc__rec_put(env, &key, &rec);
}

static const mgc__rule rules[] = {
    {"deposit", deposit}, {"withdraw", withdraw}, {"nominate", nominate},   {"agree", agree},
    {"pay", pay},         {"bid", mgc__bid},      {"reveal", mgc__reveal}, {"clear", mgc__clear}};

static int32_t on_slot(void *user, mgc_env *env, uint64_t slot)
{
    mgc_status st = mgc__auction_end(env, slot);

    (void)user;
    return st == MGC_OK ? MGC_CB_DONE : st;
}

/* --- queries ---------------------------------------------------------------------------------- */

static mgc_status query_nominations(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__slot_prefix('N', filter);
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "slot microgrid carrier buy_wh sell_wh");

    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        int64_t microgrid = (int64_t)mgc__key_read(w.key, 9, 4);

        if (!mgc__filter_passes(env, filter, microgrid, 0, w.key[13])) continue;
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 8));
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, microgrid);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.key[13]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, NOMINATION_INTS);
    }
    return st;
}

static const char *pending_word(uint32_t state)
{
    static const char *const words[] = {"done", "open", "paid", "released", "expired"};

    return state < MGC__COUNT(words) ? words[state] : "?";
}

/* "open" until its slot is final, then "paid"; an agreement without worth has nothing to reserve but energy. */
static mgc_status put_state(mgc_env *env, mgc_rows *rows, uint64_t number, uint32_t part, uint32_t other_part)
{
    uint32_t state;
    uint64_t amount;
    mgc_status st = mgc__pending_state(env, number, part, &state, &amount);

    if (st == MGC_OK && state == 0) st = mgc__pending_state(env, number, other_part, &state, &amount);
    return st != MGC_OK ? st : mgc_rows_put_text(rows, pending_word(state), strlen(pending_word(state)));
}

static mgc_status query_trades(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__slot_prefix('A', filter);
    mgc__filter wanted = *filter;
    mgc__walk w;
    mgc_status st =
        mgc_rows_begin(rows, "id slot seller buyer link carrier wh delivered_wh price worth_micro state height");

    if (st == MGC_OK) st = mgc__query_number(env, filter->query, "id", &wanted.number);
    mgc__walk_of(env, &w, &prefix, &wanted);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        uint64_t id = mgc__key_read(w.key, 9, 8);

        if ((wanted.number != UINT64_MAX && id != wanted.number) ||
            !mgc__filter_passes(env, filter, w.rec.v[TRADE_SELLER], w.rec.v[TRADE_BUYER], w.rec.v[TRADE_CARRIER]))
            continue;
        st = mgc_rows_put_int(rows, (int64_t)id);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 8));
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, w.rec.v[TRADE_SELLER]);
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, w.rec.v[TRADE_BUYER]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v + TRADE_LINK, TRADE_WORTH - TRADE_LINK + 1);
        if (st == MGC_OK) st = put_state(env, rows, id, PART_TRADE, PART_DELIVERY);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.rec.v[TRADE_HEIGHT]);
    }
    return st;
}

static mgc_status query_payments(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('B');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "id payer payee amount_micro first_slot last_slot state run_hash height");

    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        uint64_t id = mgc__key_read(w.key, 9, 8);

        if (!mgc__filter_passes(env, filter, w.rec.v[PAYMENT_PAYER], w.rec.v[PAYMENT_PAYEE], 0)) continue;
        st = mgc_rows_put_int(rows, (int64_t)id);
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, w.rec.v[PAYMENT_PAYER]);
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, w.rec.v[PAYMENT_PAYEE]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v + PAYMENT_AMOUNT, 2);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 8));
        if (st == MGC_OK) st = put_state(env, rows, id, PART_PAYMENT, PART_PAYMENT);
        if (st == MGC_OK) st = mgc_rows_put_hex(rows, w.rec.data, w.rec.data_len);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.rec.v[PAYMENT_HEIGHT]);
    }
    return st;
}

static const mgc__answer answers[] = {
    {"nominations", "microgrid|slot|carrier", query_nominations},
    {"trades", "id|microgrid|slot|carrier", query_trades},
    {"totals", "slot|carrier", mgc__query_totals},
    {"payments", "microgrid", query_payments},
    {"auctions", "slot|carrier", mgc__query_auctions},
    {"bids", "microgrid|slot|carrier", mgc__query_bids},
};

const mgc__built_in mgc__trading = {
    .id = MGC_CONTRACT_TRADING,
    .code_version = 1,
    .name = "trading",
    .rules = rules,
    .n_rules = MGC__COUNT(rules),
    .answers = answers,
    .n_answers = MGC__COUNT(answers),
    .on_slot = on_slot,
};
