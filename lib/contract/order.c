/* SPDX-License-Identifier: Apache-2.0 */
/* What trading asks of one side of an order: that nobody froze it, that it owes nothing, that its credit is good
 * enough, that its exposure stays within its limit, that it does not flood the market.
 *
 * Exposure of a member: the worth, either way, of the orders of all microgrids that it manages, in slots that are not
 * paid out yet; a closing order adds nothing.  Invariant I9: exposure <= limit after every order that was applied.
 *
 * Closing: it undoes, in whole or in part, what the microgrid sold or bought before in that slot and carrier.  A bid that was
 * revealed and not cleared yet may come to nothing: there is nothing in it to undo. */
#include "contract/auction.h"
#include "contract/credit.h"
#include "contract/supervision.h"

static mgc__key sum_key(char kind, const mgc__order *o)
{
    return mgc__key_u8(mgc__key_u32(mgc__key_u64(mgc__key_of(kind), (uint64_t)o->slot), (uint32_t)o->microgrid),
                       (uint32_t)o->carrier);
}

static mgc_status sum_of(mgc_env *env, const mgc__key *key, int64_t *sum)
{
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, env->contract, key, &rec);

    *sum = rec.v[0];
    return st == MGC_E_NOT_FOUND ? MGC_OK : st;
}

static mgc_status add_to(mgc_env *env, const mgc__key *key, int64_t amount, int64_t most)
{
    int64_t sum;
    mgc_status st = sum_of(env, key, &sum);

    if (st != MGC_OK) return st;
    if (amount > most - sum)
        return mgc_env_refuse(env, MGC_E_OVERFLOW, "a slot's sum of orders is over %" PRId64, most);
    sum += amount;
    assert(sum >= 0);
    return mgc__rec_put_ints(env, key, &sum, 1);
}

/* What is open; slots that were paid out are forgotten on the way. */
static mgc_status exposure_of(mgc_env *env, int64_t member, int64_t *exposure)
{
    mgc__key prefix = mgc__key_u32(mgc__key_of('W'), (uint32_t)member);
    mgc__walk w;
    mgc_status st = MGC_OK;

    *exposure = 0;
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        mgc__key paid = mgc__key_u64(mgc__key_of('S'), mgc__key_read(w.key, 5, 8));
        int64_t one = w.rec.v[0];
        mgc__rec rec;

        st = mgc__rec_get(env, MGC_CONTRACT_SETTLEMENT, &paid, &rec);
        if (st == MGC_OK) {
            st = mgc_env_remove(env, w.key, w.key_len);
        } else if (st == MGC_E_NOT_FOUND) {
            st = MGC_OK;
            if (__builtin_add_overflow(*exposure, one, exposure)) *exposure = INT64_MAX;
        }
    }
    return st != MGC_OK ? st : env->broken;
}

static mgc_status is_closing(mgc_env *env, const mgc__order *o, bool *closing)
{
    mgc__key sold_key = sum_key('V', o), bought_key = sum_key('U', o);
    int64_t sold, bought, unfilled[2];
    mgc_status st = sum_of(env, &sold_key, &sold);

    if (st == MGC_OK) st = sum_of(env, &bought_key, &bought);
    if (st == MGC_OK) st = mgc__auction_open(env, o, unfilled);
    if (st != MGC_OK) return st;
    *closing = o->wh <= (o->sells ? bought - unfilled[0] - sold : sold - unfilled[1] - bought);
    return MGC_OK;
}

/* Credit below the threshold or suspended: closing orders only (fault 39).  Exposure over the limit: likewise (38). */
static mgc_status check_credit(mgc_env *env, mgc__order *o, int64_t member, const mgc__rec *credit)
{
    int64_t threshold, base, exposure, limit;
    uint32_t trade = (uint32_t)credit->v[CREDIT_TRADE];
    __extension__ typedef unsigned __int128 u128;
    bool closing = false;
    mgc_status st = mgc__parameter(env, PARAMETER_CREDIT_THRESHOLD, &threshold);

    if (st == MGC_OK) st = mgc__parameter(env, PARAMETER_CREDIT_BASE, &base);
    if (st == MGC_OK) st = is_closing(env, o, &closing);
    o->exposed = closing ? 0 : o->worth;
    if (st != MGC_OK || closing) return st;
    if (trade < threshold || credit->v[CREDIT_SUSPENDED] != 0)
        return mgc_env_refuse(env, MGC_E_CREDIT_SCORE,
                              "member %" PRId64 " has a trading credit of %" PRIu32 "%s; %" PRId64
                              " are needed to open positions",
                              member, trade, credit->v[CREDIT_SUSPENDED] != 0 ? " and is suspended" : "", threshold);
    if (base == 0) return MGC_OK; /* no limit was set */
    st = exposure_of(env, member, &exposure);
    if (st != MGC_OK) return st;
    limit = (int64_t)((u128)(uint64_t)base * mgc__credit_limit_bp(trade, (uint32_t)threshold) / 10000);
    if (o->worth > limit - exposure)
        return mgc_env_refuse(env, MGC_E_EXCEEDS_CREDIT,
                              "member %" PRId64 " is exposed to %" PRId64 " micro-currency; %" PRId64
                              " more is over its limit of %" PRId64,
                              member, exposure, o->worth, limit);
    if (o->worth > limit - exposure - limit / 10) { /* an alert: over nine tenths */
        mgc__key key = mgc__key_u64(mgc__key_u32(mgc__key_of('a'), (uint32_t)member),
                                    (uint64_t)(exposure + o->worth));
        return mgc_env_emit(env, "exposure", key.bytes + 1, key.len - 1);
    }
    return MGC_OK;
}

/* Fault 58: an order costs nothing until it is bound, so they are counted. */
mgc_status mgc__order_count(mgc_env *env, int64_t slot, int64_t microgrid)
{
    mgc__key key = mgc__key_u32(mgc__key_u64(mgc__key_of('R'), (uint64_t)slot), (uint32_t)microgrid);
    int64_t allowed, n;
    mgc_status st = mgc__parameter(env, PARAMETER_ORDERS, &allowed);

    if (st == MGC_OK) st = sum_of(env, &key, &n);
    if (st != MGC_OK) return st;
    if (n >= allowed)
        return mgc_env_refuse(env, MGC_E_RATE,
                              "microgrid %" PRId64 " has %" PRId64 " orders in slot %" PRId64 " already",
                              microgrid, n, slot);
    n++;
    return mgc__rec_put_ints(env, &key, &n, 1);
}

mgc_status mgc__order_admit(mgc_env *env, const mgc__market *market, mgc__order *o)
{
    mgc__key sum = sum_key(o->sells ? 'V' : 'U', o), exposed;
    mgc__rec grid, credit;
    mgc_status st = mgc__party(env, 'G', "microgrid", o->microgrid, &grid);

    assert(o->wh > 0 && o->worth >= 0);
    if (st == MGC_OK) st = mgc__not_frozen(env, o->microgrid, &grid);
    if (st == MGC_OK) st = mgc__no_debt(env, o->microgrid);
    if (st == MGC_OK) st = mgc__credit_of(env, grid.v[GRID_MANAGER], &credit);
    if (st == MGC_OK) st = check_credit(env, o, grid.v[GRID_MANAGER], &credit);
    if (st == MGC_OK) st = mgc__order_count(env, o->slot, o->microgrid);
    if (st == MGC_OK) st = add_to(env, &sum, o->wh, (int64_t)MGC_SLOT_WH_MAX);
    exposed = mgc__key_u64(mgc__key_u32(mgc__key_of('W'), (uint32_t)grid.v[GRID_MANAGER]), (uint64_t)o->slot);
    if (st == MGC_OK) st = add_to(env, &exposed, o->exposed, (int64_t)MGC_AMOUNT_MAX);
    o->collateral_bp = mgc__credit_collateral_bp((uint32_t)credit.v[CREDIT_TRADE], market->collateral_bp);
    return st;
}

mgc_status mgc__order_release(mgc_env *env, const mgc__order *o, int64_t wh, int64_t exposed_less)
{
    mgc__key sum = sum_key(o->sells ? 'V' : 'U', o), exposed;
    mgc__rec grid;
    mgc_status st = mgc__party(env, 'G', "microgrid", o->microgrid, &grid);

    assert(wh <= o->wh && exposed_less <= o->exposed);
    if (st == MGC_OK) st = add_to(env, &sum, -wh, (int64_t)MGC_SLOT_WH_MAX);
    exposed = mgc__key_u64(mgc__key_u32(mgc__key_of('W'), (uint32_t)grid.v[GRID_MANAGER]), (uint64_t)o->slot);
    return st != MGC_OK ? st : add_to(env, &exposed, -exposed_less, (int64_t)MGC_AMOUNT_MAX);
}
