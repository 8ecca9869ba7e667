/* SPDX-License-Identifier: Apache-2.0 */
/* Carbon, as part of settlement: what a microgrid emitted is surrendered period by period; certificates of origin for
 * what its devices gave to the grid.
 *
 * Records (doc/contracts.md):
 *   P microgrid last-slot    a period that is closed
 *   p microgrid              the first slot of its next period
 *   O device slot            a certificate of origin
 *   o microgrid slot         certified of the slot
 *
 * A period closes over final slots only, so that nothing of it can change.  A certificate is issued once for a device
 * and slot (fault 54), never for more than the device can make or than the microgrid's meters saw go out to the grid,
 * and cancelled once (fault 55): who cancels it has used it up. */
#include "contract/carbon.h"

enum { DEVICE_MICROGRID, DEVICE_CAPACITY }; /* of the information contract's record */
enum { PERIOD_FIRST, PERIOD_GRAMS, PERIOD_HEIGHT, PERIOD_INTS };
enum { ORIGIN_WH, ORIGIN_OWNER, ORIGIN_HEIGHT, ORIGIN_CANCELLED, ORIGIN_INTS };
enum { STEP_SURRENDER = 7 }; /* part of a transfer's id, beside settlement's own */

/* --- surrender -------------------------------------------------------------------------------------- */

/* The first slot in which any of the microgrid's meters measures. */
static mgc_status first_metered(mgc_env *env, int64_t microgrid, int64_t *slot)
{
    mgc__key prefix = mgc__key_u32(mgc__key_of('H'), (uint32_t)microgrid);
    mgc__walk w;
    mgc_status st = MGC_OK;

    *slot = INT64_MAX;
    mgc__walk_begin(&w, MGC_CONTRACT_INFORMATION, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        mgc__rec meter;

        st = mgc__meter_in(env, (int64_t)mgc__key_read(w.key, 5, 4), 0, &meter, NULL);
        if (st == MGC_OK && meter.v[METER_FROM] < *slot) *slot = meter.v[METER_FROM];
    }
    if (st == MGC_OK && env->broken == MGC_OK && *slot == INT64_MAX)
        return mgc_env_refuse(env, MGC_E_NOT_FOUND, "microgrid %" PRId64 " has no meter", microgrid);
    return st != MGC_OK ? st : env->broken;
}

static mgc_status first_of_period(mgc_env *env, const mgc__market *market, int64_t microgrid, int64_t *slot)
{
    mgc__key key = mgc__key_u32(mgc__key_of('p'), (uint32_t)microgrid);
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &rec);

    *slot = rec.v[0];
    if (st != MGC_E_NOT_FOUND) return st;
    st = first_metered(env, microgrid, slot);
    if (st == MGC_OK && *slot < (int64_t)market->first_slot) *slot = (int64_t)market->first_slot;
    return st;
}

static mgc_status must_be_final(mgc_env *env, int64_t slot, int64_t microgrid)
{
    mgc__key key = mgc__key_u32(mgc__key_u64(mgc__key_of('M'), (uint64_t)slot), (uint32_t)microgrid);
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &rec);

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (rec.v[SETTLED_STATE] == STATE_FINAL) return MGC_OK;
    return mgc_env_refuse(env, MGC_E_EARLY, "slot %" PRId64 " of microgrid %" PRId64 " is not final", slot,
                          microgrid);
}

static mgc_status result_of(mgc_env *env, int64_t slot, int64_t microgrid, uint32_t carrier, mgc__rec *rec)
{
    mgc__key key = mgc__key_u8(mgc__key_u32(mgc__key_u64(mgc__key_of('D'), (uint64_t)slot), (uint32_t)microgrid),
                               carrier);
    mgc_status st = mgc__rec_get(env, env->contract, &key, rec);

    return st == MGC_E_NOT_FOUND ? MGC_OK : st;
}

static mgc_status emitted(mgc_env *env, int64_t slot, int64_t microgrid, uint64_t *grams)
{
    mgc_status st = must_be_final(env, slot, microgrid);

    for (uint32_t carrier = 1; carrier <= 3 && st == MGC_OK; carrier++) {
        mgc__rec rec;

        st = result_of(env, slot, microgrid, carrier, &rec);
        if (st == MGC_OK && (uint64_t)rec.v[RESULT_CARBON] > MGC_AMOUNT_MAX - *grams)
            return mgc_env_refuse(env, MGC_E_OVERFLOW, "a period's emission is over 2^62 g");
        *grams += (uint64_t)rec.v[RESULT_CARBON];
    }
    return st;
}

mgc_status mgc__surrender(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    int64_t microgrid = values->at[0].number, last = values->at[1].number, first;
    mgc__key key = mgc__key_u64(mgc__key_u32(mgc__key_of('P'), (uint32_t)microgrid), (uint64_t)last);
    mgc__key next_key = mgc__key_u32(mgc__key_of('p'), (uint32_t)microgrid);
    uint64_t grams = 0;
    mgc__market market;
    mgc__rec grid;
    mgc_status st = mgc__role_signed(env, MGC_ROLE_MARKET_OPERATOR, "market operator");

    (void)method;
    if (st == MGC_OK) st = mgc__market_get(env, &market);
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", microgrid, &grid);
    if (st == MGC_OK) st = first_of_period(env, &market, microgrid, &first);
    if (st != MGC_OK) return st;
    if (last < first)
        return mgc_env_refuse(env, MGC_E_ALREADY_SETTLED, "microgrid %" PRId64 " surrendered up to slot %" PRId64,
                              microgrid, first - 1);
    if (last - first >= MGC_ROWS_MAX)
        return mgc_env_refuse(env, MGC_E_RANGE, "a period of %" PRId64 " slots; at most %d", last - first + 1,
                              MGC_ROWS_MAX);
    for (int64_t slot = first; slot <= last && st == MGC_OK; slot++) st = emitted(env, slot, microgrid, &grams);
    mgc__move move = {.code = CODE_CARBON,
                      .unit = MGC_UNIT_G_CO2E,
                      .number = (uint64_t)last,
                      .part = (uint32_t)microgrid << 8 | STEP_SURRENDER,
                      .from_kind = MGC_ACCOUNT_CARBON,
                      .from = (uint32_t)microgrid,
                      .to_kind = MGC_ACCOUNT_CARBON_SOURCE,
                      .amount = grams};
    if (st == MGC_OK) st = mgc__move_make(env, &move);
    last++;
    if (st == MGC_OK) st = mgc__rec_put_ints(env, &next_key, &last, 1);
    return st != MGC_OK ? st
                        : mgc__rec_put_ints(env, &key, (int64_t[]){first, (int64_t)grams, (int64_t)env->height},
                                            PERIOD_INTS);
}

/* --- certificates of origin --------------------------------------------------------------------------- */

static mgc__key origin_key(int64_t device, int64_t slot)
{
    return mgc__key_u64(mgc__key_u32(mgc__key_of('O'), (uint32_t)device), (uint64_t)slot);
}

/* At most what the device makes in a slot at its capacity, and with what is certified already, what went out. */
static mgc_status covered(mgc_env *env, const mgc__market *market, int64_t slot, const mgc__rec *device, int64_t wh)
{
    __extension__ typedef unsigned __int128 u128;
    int64_t microgrid = device->v[DEVICE_MICROGRID];
    mgc__key key = mgc__key_u64(mgc__key_u32(mgc__key_of('o'), (uint32_t)microgrid), (uint64_t)slot);
    mgc__rec sum, result;
    mgc_status st = must_be_final(env, slot, microgrid);

    if (st == MGC_OK) st = result_of(env, slot, microgrid, MGC_CARRIER_ELECTRICITY, &result);
    if (st == MGC_OK) st = mgc__rec_get(env, env->contract, &key, &sum);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if ((u128)(uint64_t)wh * 3600000 > (u128)(uint64_t)device->v[DEVICE_CAPACITY] * market->slot_ms)
        return mgc_env_refuse(env, MGC_E_RANGE,
                              "%" PRId64 " Wh in a slot are more than a device of %" PRId64 " W makes", wh,
                              device->v[DEVICE_CAPACITY]);
    if (wh > result.v[RESULT_EXPORT] - sum.v[0])
        return mgc_env_refuse(env, MGC_E_DOUBLE_CREDIT,
                              "microgrid %" PRId64 " gave %" PRId64 " Wh to the grid in slot %" PRId64 ", %" PRId64
                              " are certified; %" PRId64 " more is too much",
                              microgrid, result.v[RESULT_EXPORT], slot, sum.v[0], wh);
    sum.v[0] += wh;
    return mgc__rec_put_ints(env, &key, sum.v, 1);
}

mgc_status mgc__origin_issue(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = origin_key(a[0].number, a[1].number);
    mgc__market market;
    mgc__rec device, rec;
    mgc_status st = mgc__role_signed(env, MGC_ROLE_MARKET_OPERATOR, "market operator");

    (void)method;
    if (st == MGC_OK) st = mgc__market_get(env, &market);
    if (st == MGC_OK) st = mgc__party(env, 'D', "device", a[0].number, &device);
    if (st != MGC_OK) return st;
    st = mgc__rec_get(env, env->contract, &key, &rec);
    if (st == MGC_OK)
        return mgc_env_refuse(env, MGC_E_DOUBLE_CREDIT,
                              "device %" PRId64 " has a certificate of slot %" PRId64 " since height %" PRId64,
                                  a[0].number,
                              a[1].number, rec.v[ORIGIN_HEIGHT]);
    if (st != MGC_E_NOT_FOUND) return st;
    int64_t microgrid = device.v[DEVICE_MICROGRID];
    st = covered(env, &market, a[1].number, &device, a[2].number);
    return st != MGC_OK ? st
                        : mgc__rec_put_ints(env, &key, (int64_t[]){a[2].number, microgrid, (int64_t)env->height, 0},
                                            ORIGIN_INTS);
}

/* A certificate that is still worth something, and whose owner signed. */
static mgc_status own_origin(mgc_env *env, const mgc__key *key, const struct mgc__value *a, mgc__rec *rec)
{
    mgc__rec grid;
    mgc_status st = mgc__rec_get(env, env->contract, key, rec);

    if (st == MGC_E_NOT_FOUND)
        return mgc_env_refuse(env, st, "device %" PRId64 " has no certificate of slot %" PRId64, a[0].number,
                              a[1].number);
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", rec->v[ORIGIN_OWNER], &grid);
    if (st == MGC_OK) st = mgc__manager_signed(env, rec->v[ORIGIN_OWNER], &grid);
    if (st == MGC_OK && rec->v[ORIGIN_CANCELLED] != 0)
        return mgc_env_refuse(env, MGC_E_ALREADY_CANCELLED, "the certificate was cancelled at height %" PRId64,
                              rec->v[ORIGIN_CANCELLED]);
    return st;
}

mgc_status mgc__origin_assign(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = origin_key(a[0].number, a[1].number);
    mgc__rec rec, grid;
    mgc_status st = own_origin(env, &key, a, &rec);

    (void)method;
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", a[2].number, &grid);
    rec.v[ORIGIN_OWNER] = a[2].number;
    return st != MGC_OK ? st : mgc__rec_put_ints(env, &key, rec.v, ORIGIN_INTS);
}

mgc_status mgc__origin_cancel(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = origin_key(a[0].number, a[1].number);
    mgc__rec rec;
    mgc_status st = own_origin(env, &key, a, &rec);

    (void)method;
    rec.v[ORIGIN_CANCELLED] = (int64_t)env->height;
    if (st == MGC_OK) st = mgc__rec_put_ints(env, &key, rec.v, ORIGIN_INTS);
    return st != MGC_OK ? st : mgc_env_emit(env, "cancelled", a[2].bytes, a[2].len);
}

/* --- queries -------------------------------------------------------------------------------------------- */

mgc_status mgc__query_origins(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('O');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "device slot wh owner issued_height cancelled_height");

    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        if (!mgc__filter_passes(env, filter, w.rec.v[ORIGIN_OWNER], 0, 0)) continue;
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 4));
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 5, 8));
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.rec.v[ORIGIN_WH]);
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, w.rec.v[ORIGIN_OWNER]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v + ORIGIN_HEIGHT, 2);
    }
    return st;
}

mgc_status mgc__query_periods(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('P');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "microgrid first_slot last_slot carbon_g height");

    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        int64_t microgrid = (int64_t)mgc__key_read(w.key, 1, 4);

        if (!mgc__filter_passes(env, filter, microgrid, 0, 0)) continue;
        st = mgc__rows_put_microgrid(env, rows, microgrid);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.rec.v[PERIOD_FIRST]);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 5, 8));
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v + PERIOD_GRAMS, 2);
    }
    return st;
}
