/* SPDX-License-Identifier: Apache-2.0 */
/* What everybody may know of a market: totals and mean prices of what at least three organisations did.  A total over
 * fewer would tell each of the two what the other did. */
#include "contract/contract.h"

enum { SLOTS_MAX = 4096 }; /* looked at for a page: where few are told, it ends with less than it may have */

mgc_status mgc__crowd_add(mgc_env *env, mgc__crowd *crowd, int64_t microgrid)
{
    mgc__rec grid;
    mgc_status st;

    if (crowd->n == MGC__CROWD) return MGC_OK;
    st = mgc__party(env, 'G', "microgrid", microgrid, &grid);
    if (st != MGC_OK) return st;
    for (uint32_t i = 0; i < crowd->n; i++)
        if (crowd->organisation[i] == grid.v[GRID_ORGANISATION]) return MGC_OK;
    crowd->organisation[crowd->n++] = grid.v[GRID_ORGANISATION];
    return MGC_OK;
}

/* What was agreed and auctioned in a slot, by carrier. */
typedef struct totals {
    uint64_t wh;
    __extension__ __int128 worth;
    mgc__crowd crowd;
} totals;

static mgc_status add_slot(mgc_env *env, uint64_t slot, totals sums[MGC_CARRIER_HEAT + 1])
{
    mgc__key prefix = mgc__key_u64(mgc__key_of('A'), slot);
    mgc__page *page = env->page;
    mgc__walk w;
    mgc_status st = MGC_OK;

    env->page = NULL; /* pages end between slots */
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        totals *t = &sums[w.rec.v[TRADE_CARRIER] == MGC_CARRIER_HEAT ? MGC_CARRIER_HEAT : MGC_CARRIER_ELECTRICITY];

        t->wh += (uint64_t)w.rec.v[TRADE_WH]; /* bounded by the links and connections of the slot */
        t->worth += w.rec.v[TRADE_WORTH];
        st = mgc__crowd_add(env, &t->crowd, w.rec.v[TRADE_SELLER]);
        if (st == MGC_OK) st = mgc__crowd_add(env, &t->crowd, w.rec.v[TRADE_BUYER]);
    }
    env->page = page;
    return st != MGC_OK ? st : env->broken;
}

static mgc_status put_slot(mgc_env *env, const mgc__filter *filter, uint64_t slot, mgc_rows *rows)
{
    totals sums[MGC_CARRIER_HEAT + 1] = {{0}};
    mgc_status st = add_slot(env, slot, sums);

    for (int64_t c = MGC_CARRIER_ELECTRICITY; st == MGC_OK && c <= MGC_CARRIER_HEAT; c++) {
        const totals *t = &sums[c];

        if (t->crowd.n < MGC__CROWD || !mgc__filter_carrier(filter, c)) continue;
        st = mgc__rows_put_ints(rows, (int64_t[]){(int64_t)slot, c, (int64_t)t->wh, (int64_t)(t->worth * 1000 / (int64_t)t->wh)}, 4);
    }
    return st;
}

mgc_status mgc__query_totals(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__slot_prefix('A', filter), after = {.len = 0};
    const mgc__page *page = env->page;
    const uint8_t *key;
    size_t len;
    uint32_t looked = 0;
    mgc_status st = mgc_rows_begin(rows, "slot carrier wh mean_price");

    if (page->after_len == 17) after = mgc__key_bytes(after, page->after, page->after_len);
    while (st == MGC_OK) {
        st = mgc_env_next(env, prefix.bytes, prefix.len, after.bytes, after.len, &key, &len, NULL, NULL);
        if (st != MGC_OK) return st == MGC_E_NOT_FOUND ? MGC_OK : st;
        if (mgc__page_full(page) || (page->limit != UINT64_MAX && looked++ == SLOTS_MAX)) {
            mgc__page_end(page, after.bytes, after.len);
            return MGC_OK;
        }
        after = mgc__key_u64(mgc__key_u64(mgc__key_of('A'), mgc__key_read(key, 1, 8)), UINT64_MAX); /* the slot's end */
        st = put_slot(env, filter, mgc__key_read(after.bytes, 1, 8), rows);
    }
    return st;
}
