/* SPDX-License-Identifier: Apache-2.0 */
/* The double auction of trading: clearing by itself, and its rules. */
#ifndef CONTRACT_AUCTION_H
#define CONTRACT_AUCTION_H

#include "contract/contract.h"

typedef struct mgc__auction_order {
    uint64_t place; /* in the order of (height, index) */
    int64_t price;
    uint64_t wh, filled; /* filled: by clearing */
    uint32_t who;        /* the caller's */
    bool sells;
} mgc__auction_order;

/* Sort (purchases first, best price first, then place) and fill.  *price: uniform; *volume 0: nobody met. */
void mgc__auction_clear(mgc__auction_order *orders, size_t n, int64_t *price, uint64_t *volume);

mgc_status mgc__bid(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__reveal(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__clear(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__query_auctions(mgc_env *env, const mgc__filter *filter, mgc_rows *rows);
mgc_status mgc__query_bids(mgc_env *env, const mgc__filter *filter, mgc_rows *rows);
/* What a microgrid would buy and sell by bids that are revealed and not cleared yet, of the order's slot and carrier. */
mgc_status mgc__auction_open(mgc_env *env, const mgc__order *order, int64_t unfilled[2]);
/* At the gate: what was never revealed is lost, what was never cleared is given back. */
mgc_status mgc__auction_end(mgc_env *env, uint64_t slot);

/* trading.c: an agreement over the connections to the public grid, of orders that were admitted before. */
typedef struct mgc__match {
    int64_t slot, carrier, seller, buyer, wh, price, collateral_seller, collateral_buyer;
} mgc__match;
mgc_status mgc__match_agree(mgc_env *env, const mgc__market *market, const mgc__match *match);
mgc_status mgc__next_number(mgc_env *env, uint32_t which, uint64_t *number);
enum { NUMBER_BID = 3 };
/* What goes over a microgrid's connection by auctions: bought, sold. */
mgc__key mgc__connection_key(int64_t slot, int64_t microgrid, int64_t carrier);
mgc_status mgc__limits_of(mgc_env *env, int64_t microgrid, int64_t carrier, mgc__rec *limit);

#endif
