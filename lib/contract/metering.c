/* SPDX-License-Identifier: Apache-2.0 */
/* Meters' readings, of contract 3, scheduling: what was delivered stands beside what was to be.
 *
 * Records (doc/contracts.md):
 *   R meter slot    a meter's registers at the end of a slot
 *
 * A meter has two registers that only grow: energy into the microgrid, energy out of it.  It stands at the connection
 * to the grid (link 0) or at the microgrid's end of a link.  Where settlement is final a reading no longer changes. */
#include "contract/contract.h"

enum { MEASURED = 0, ESTIMATED = 1 };

static mgc__key reading_key(int64_t meter, int64_t slot)
{
    return mgc__key_u64(mgc__key_u32(mgc__key_of('R'), (uint32_t)meter), (uint64_t)slot);
}

/* Exchanges of one meter are few, and the earlier ones come first. */
mgc_status mgc__meter_in(mgc_env *env, int64_t id, int64_t slot, mgc__rec *meter, int64_t *until)
{
    mgc__key prefix = mgc__key_u32(mgc__key_of('U'), (uint32_t)id);
    mgc__walk w;
    mgc_status st = mgc__party(env, 'T', "meter", id, meter);

    if (until != NULL) *until = INT64_MAX;
    if (st != MGC_OK || slot >= meter->v[METER_FROM]) return st;
    mgc__walk_begin(&w, MGC_CONTRACT_INFORMATION, &prefix);
    while (mgc__walk_next(env, &w)) {
        int64_t end = (int64_t)mgc__key_read(w.key, 5, 8);
        if (slot >= end) continue;
        *meter = w.rec;
        if (until != NULL) *until = end;
        break;
    }
    return env->broken;
}

static int64_t modulus(const mgc__rec *meter)
{
    int64_t power = 1;

    for (int64_t i = 0; i < meter->v[METER_DIGITS]; i++) power *= 10;
    return power;
}

mgc_status mgc__registers_at(mgc_env *env, int64_t id, const mgc__rec *meter, int64_t slot, int64_t registers[2])
{
    mgc__key key = reading_key(id, slot);
    mgc__rec rec;
    mgc_status st;

    if (slot + 1 == meter->v[METER_FROM]) {
        registers[0] = meter->v[METER_IN];
        registers[1] = meter->v[METER_OUT];
        return MGC_OK;
    }
    st = mgc__rec_get(env, MGC_CONTRACT_SCHEDULING, &key, &rec);
    registers[0] = rec.v[READING_IN];
    registers[1] = rec.v[READING_OUT];
    return st;
}

mgc_status mgc__register_step(mgc_env *env, int64_t id, const mgc__rec *meter, int64_t slot, int64_t before, int64_t after,
                       int64_t *moved)
{
    *moved = after >= before ? after - before : after + (modulus(meter) - before);
    if (*moved <= meter->v[METER_MAX]) return MGC_OK;
    if (after < before)
        return mgc_env_refuse(env, MGC_E_REGISTER_DECREASED,
                              "meter %" PRId64 ", slot %" PRId64 ": register went from %" PRId64 " to %" PRId64, id,
                              slot, before, after);
    return mgc_env_refuse(env, MGC_E_RANGE,
                          "meter %" PRId64 ", slot %" PRId64 ": %" PRId64 " Wh in a slot; it can measure %" PRId64,
                          id, slot, *moved, meter->v[METER_MAX]);
}

/* A reading must fit the ones before and after it, of the same device. */
static mgc_status fits(mgc_env *env, int64_t id, const mgc__rec *meter, int64_t until, const int64_t *row)
{
    int64_t near[2], moved;
    mgc_status st = mgc__registers_at(env, id, meter, row[0] - 1, near);

    for (uint32_t i = 0; i < 2 && st == MGC_OK; i++) st = mgc__register_step(env, id, meter, row[0], near[i], row[1 + i], &moved);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (row[0] + 1 == until) return MGC_OK;
    st = mgc__registers_at(env, id, meter, row[0] + 1, near);
    for (uint32_t i = 0; i < 2 && st == MGC_OK; i++)
        st = mgc__register_step(env, id, meter, row[0] + 1, row[1 + i], near[i], &moved);
    return st == MGC_E_NOT_FOUND ? MGC_OK : st;
}

/* The registers at a slot's end belong to it and to the next one: neither may be final. */
static mgc_status not_final(mgc_env *env, int64_t slot, int64_t microgrid)
{
    for (int64_t s = slot; s <= slot + 1; s++) {
        mgc__key key = mgc__key_u32(mgc__key_u64(mgc__key_of('M'), (uint64_t)s), (uint32_t)microgrid);
        mgc__rec rec;
        mgc_status st = mgc__rec_get(env, MGC_CONTRACT_SETTLEMENT, &key, &rec);

        if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
        if (rec.v[SETTLED_STATE] == STATE_FINAL)
            return mgc_env_refuse(env, MGC_E_WINDOW, "slot %" PRId64 " of microgrid %" PRId64 " is final", s,
                                  microgrid);
    }
    return MGC_OK;
}

/* What was read changes as long as results are awaited or stand in their first window; what follows from it has a window of
 * its own (settlement.c). */
static mgc_status in_window(mgc_env *env, const mgc__market *market, int64_t slot, int64_t microgrid)
{
    for (int64_t s = slot; s <= slot + 1; s++) {
        mgc__key key = mgc__key_u32(mgc__key_u64(mgc__key_of('M'), (uint64_t)s), (uint32_t)microgrid);
        mgc__rec rec;
        mgc_status st = mgc__rec_get(env, MGC_CONTRACT_SETTLEMENT, &key, &rec);

        if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
        if (rec.v[SETTLED_STATE] == STATE_PROVISIONAL && env->time_ms >= (uint64_t)rec.v[SETTLED_TIME] + market->window_ms)
            return mgc_env_refuse(env, MGC_E_WINDOW, "the window of slot %" PRId64 " ended at %" PRIu64 " ms", s,
                                  (uint64_t)rec.v[SETTLED_TIME] + market->window_ms);
        if (rec.v[SETTLED_STATE] == STATE_PROVISIONAL && rec.v[SETTLED_STANDING] == STANDING_REVISED)
            return mgc_env_refuse(env, MGC_E_WINDOW, "slot %" PRId64 " of microgrid %" PRId64 " was revised; it waits for a dispute or its end",
                                  s, microgrid);
    }
    return MGC_OK;
}

static mgc_status reading_row(mgc_env *env, const mgc__market *market, int64_t id, const mgc__rec *meter, int64_t until,
                              const int64_t *row)
{
    mgc_status st = mgc__slot_known(env, market, row[0]);

    if (st != MGC_OK) return st;
    if (row[0] < meter->v[METER_FROM])
        return mgc_env_refuse(env, MGC_E_SLOT, "meter %" PRId64 " measures from slot %" PRId64 " on, not in %" PRId64,
                              id, meter->v[METER_FROM], row[0]);
    if (mgc_slot_begin_ms((uint64_t)row[0] + 1, market->slot_ms) > env->time_ms)
        return mgc_env_refuse(env, MGC_E_EARLY, "slot %" PRId64 " ends at %" PRIu64 " ms; it is %" PRIu64 " ms",
                              row[0], mgc_slot_begin_ms((uint64_t)row[0] + 1, market->slot_ms), env->time_ms);
    if (row[1] < 0 || row[2] < 0 || row[1] >= modulus(meter) || row[2] >= modulus(meter) || row[3] < MEASURED ||
        row[3] > ESTIMATED)
        return mgc_env_refuse(env, MGC_E_RANGE,
                              "meter %" PRId64 ", slot %" PRId64 ": %" PRId64 ", %" PRId64 ", quality %" PRId64
                              " is no reading",
                              id, row[0], row[1], row[2], row[3]);
    st = not_final(env, row[0], meter->v[METER_MICROGRID]);
    return st != MGC_OK ? st : fits(env, id, meter, until, row);
}

static mgc_status put_reading(mgc_env *env, int64_t id, const int64_t *row)
{
    mgc__key key = reading_key(id, row[0]);

    return mgc__rec_put_ints(env, &key, (int64_t[]){row[1], row[2], row[3], (int64_t)env->height}, READING_INTS);
}

/* The same again is known already; a measurement takes an estimate's place; anything else is a second story. */
static mgc_status known_reading(mgc_env *env, int64_t id, const int64_t *row, bool *known, bool *replaces)
{
    mgc__key key = reading_key(id, row[0]);
    mgc__rec old;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &old);

    *known = *replaces = false;
    if (st == MGC_E_NOT_FOUND) return MGC_OK;
    if (st != MGC_OK) return st;
    *known = old.v[READING_IN] == row[1] && old.v[READING_OUT] == row[2] && old.v[READING_QUALITY] == row[3];
    *replaces = old.v[READING_QUALITY] == ESTIMATED && row[3] == MEASURED;
    if (*known || *replaces) return MGC_OK;
    return mgc_env_refuse(env, MGC_E_DOUBLE_REPORT,
                          "meter %" PRId64 ", slot %" PRId64 ": %" PRId64 ", %" PRId64 " was read before", id, row[0],
                          old.v[READING_IN], old.v[READING_OUT]);
}

/* Who reads the device of that slot. */
static mgc_status read_by(mgc_env *env, int64_t id, const mgc__rec *meter)
{
    if (mgc_env_signed(env, (uint32_t)meter->v[METER_MEMBER], MGC_ROLE_METER)) return MGC_OK;
    return mgc_env_refuse(env, MGC_E_FORBIDDEN, "meter %" PRId64 " is read by member %" PRId64 ", who did not sign", id,
                          meter->v[METER_MEMBER]);
}

mgc_status mgc__meter_read(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    int64_t id = values->at[0].number, until, row[COLUMNS_MAX];
    mgc__market market;
    mgc__row_reader rows;
    mgc__rec meter;
    bool fresh = false, known, replaces;
    mgc_status st = mgc__market_get(env, &market);

    if (st != MGC_OK) return st;
    mgc__row_begin(&rows, method, values, 1);
    while (st == MGC_OK && mgc__row_next(&rows, row)) {
        st = mgc__meter_in(env, id, row[0], &meter, &until);
        if (st == MGC_OK) st = read_by(env, id, &meter);
        if (st == MGC_OK) st = known_reading(env, id, row, &known, &replaces);
        if (st != MGC_OK || known) continue;
        fresh = true;
        st = reading_row(env, &market, id, &meter, until, row);
        if (st == MGC_OK && replaces) st = in_window(env, &market, row[0], meter.v[METER_MICROGRID]);
        if (st == MGC_OK) st = put_reading(env, id, row);
    }
    if (st == MGC_OK && !fresh)
        return mgc_env_refuse(env, MGC_E_EXISTS, "meter %" PRId64 ": these readings are known", id);
    return st;
}

mgc_status mgc__meter_correct(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    int64_t id = values->at[0].number, until, row[COLUMNS_MAX];
    mgc__market market;
    mgc__row_reader rows;
    mgc__rec meter;
    mgc_status st = mgc__role_signed(env, MGC_ROLE_MARKET_OPERATOR, "market operator");

    if (st == MGC_OK) st = mgc__market_get(env, &market);
    mgc__row_begin(&rows, method, values, 1);
    while (st == MGC_OK && mgc__row_next(&rows, row)) {
        st = mgc__meter_in(env, id, row[0], &meter, &until);
        if (st == MGC_OK) st = reading_row(env, &market, id, &meter, until, row);
        if (st == MGC_OK) st = in_window(env, &market, row[0], meter.v[METER_MICROGRID]);
        if (st == MGC_OK) st = put_reading(env, id, row);
    }
    return st != MGC_OK ? st : mgc_env_emit(env, "corrected", values->at[2].bytes, values->at[2].len);
}

mgc_status mgc__query_readings(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('R');
    uint64_t id = UINT64_MAX;
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "slot meter microgrid in_wh out_wh quality height");

    if (st == MGC_OK) st = mgc__query_number(env, filter->query, "meter", &id);
    if (st != MGC_OK) return st;
    if (id != UINT64_MAX) {
        mgc__key meter_key = mgc__key_u32(mgc__key_of('T'), id > UINT32_MAX ? 0 : (uint32_t)id);
        mgc__rec meter;

        /* Of another's meter and of none nothing is read, so that the time tells no more than the answer. */
        st = mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &meter_key, &meter);
        if (st == MGC_E_NOT_FOUND ||
            (st == MGC_OK && !mgc__filter_passes(env, filter, meter.v[METER_MICROGRID], 0, meter.v[METER_CARRIER])))
            return MGC_OK;
        prefix = mgc__key_u32(prefix, (uint32_t)id);
        if (filter->slot != UINT64_MAX) prefix = mgc__key_u64(prefix, filter->slot);
    }
    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        int64_t meter_id = (int64_t)mgc__key_read(w.key, 1, 4);
        uint64_t slot = mgc__key_read(w.key, 5, 8);
        mgc__rec meter;

        st = mgc__party(env, 'T', "meter", meter_id, &meter);
        if (st != MGC_OK) return st;
        if (!mgc__filter_passes(env, filter, meter.v[METER_MICROGRID], 0, meter.v[METER_CARRIER]) ||
            (filter->slot != UINT64_MAX && filter->slot != slot))
            continue;
        st = mgc__rows_put_ints(rows, (int64_t[]){(int64_t)slot, meter_id}, 2);
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, meter.v[METER_MICROGRID]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, READING_INTS);
    }
    return st;
}
