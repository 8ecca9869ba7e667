/* SPDX-License-Identifier: Apache-2.0 */
/* Contract 4, settlement: tariffs, deviations, provisional and final amounts, carbon.
 *
 * Records (doc/contracts.md):
 *   T microgrid carrier slot    a tariff; microgrid 0: for all that have none of their own
 *   M slot microgrid            where a microgrid stands: provisional, disputed, final
 *   D slot microgrid carrier    its results
 *   S slot                      agreements and payments of the slot are paid out
 *
 * What a meter measures.  A meter has two registers that only grow: energy into the microgrid, energy out of it.  It
 * stands at the connection to the grid (link 0) or at the microgrid's end of a link.  In a slot, for one microgrid
 * and carrier,
 *
 *   metered   = sum over its meters of (in - out)             what it took from outside
 *   position  = bought - sold + received - sent               what its schedule says,
 *               - taken less + given less                     curtailed by the dispatcher since
 *   deviation = metered - position                            netted before any trade is judged
 *
 * Energy that was agreed over a link and came over the grid instead leaves the deviation as it is.  The deviation is
 * bought from (> 0) or sold to (< 0) the utility at the tariff's prices for it; trades are paid as agreed.  What was
 * curtailed is no deviation: it goes back to the utility at the prices of the day before.  Every amount moves between
 * two accounts, so a slot sums to zero by itself.
 *
 * Happy path of a slot: read ... read, settle (provisional), window, finalise.
 *   a reading is missing  settle leaves that microgrid out and names the meter; the others go on; settle again later
 *   an estimate was read        its meter may replace it inside the window
 *   a reading was wrong         the operator corrects it inside the window
 *   the results are others then finalise stores them and opens another window, for disputes alone: nothing becomes final
 *                               that nobody could dispute
 *   a microgrid disagrees       it disputes inside the window, the same results once; only a new settle opens a new window
 *   escrow has expired          what is owed is charged at once; what is not there becomes a debt */
#include "contract/carbon.h"
#include "contract/contract.h"
#include "contract/supervision.h"

enum { CARRIERS = 3 };
/* Parts of transfers' ids of a microgrid in a slot: microgrid * 256 + carrier * 16 + one of these. */
enum { STEP_BUY = 1, STEP_SELL, STEP_IMBALANCE, STEP_FEE, STEP_CARBON, STEP_ENERGY, STEP_CURTAILED };

/* --- tariffs ---------------------------------------------------------------------------------------- */

static mgc__key tariff_key(int64_t microgrid, int64_t carrier, int64_t slot)
{
    return mgc__key_u64(mgc__key_u8(mgc__key_u32(mgc__key_of('T'), (uint32_t)microgrid), (uint32_t)carrier),
                        (uint64_t)slot);
}

/* MGC_E_NOT_FOUND: there is none, neither its own nor the general one. */
static mgc_status tariff_of(mgc_env *env, int64_t microgrid, int64_t carrier, int64_t slot, mgc__rec *rec)
{
    mgc__key own = tariff_key(microgrid, carrier, slot), general = tariff_key(0, carrier, slot);
    mgc_status st = mgc__rec_get(env, env->contract, &own, rec);

    return st == MGC_E_NOT_FOUND ? mgc__rec_get(env, env->contract, &general, rec) : st;
}

/* From the gate on what was traded by stands, be it the general tariff: one of its own may not take its place either. */
static mgc_status tariff_row(mgc_env *env, const mgc__market *market, const struct mgc__value *a, const int64_t *row)
{
    mgc__key key = tariff_key(a[0].number, a[1].number, row[0]);
    const int64_t *v = row + 1;
    mgc__rec old;
    mgc_status st = mgc__slot_known(env, market, row[0]);

    if (st != MGC_OK) return st;
    for (uint32_t i = 0; i < TARIFF_INTS; i++)
        if (v[i] < (i == TARIFF_EMISSION ? 0 : -PRICE_MAX) || v[i] > PRICE_MAX)
            return mgc_env_refuse(env, MGC_E_RANGE, "slot %" PRId64 ": %" PRId64 " is no price or emission factor",
                                  row[0], v[i]);
    if (v[TARIFF_SELL] > v[TARIFF_BUY] || v[TARIFF_LONG] > v[TARIFF_SHORT])
        return mgc_env_refuse(env, MGC_E_RANGE, "slot %" PRId64 ": selling at more than buying is free money",
                              row[0]);
    st = tariff_of(env, a[0].number, a[1].number, row[0], &old);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (st == MGC_OK && memcmp(old.v, v, TARIFF_INTS * sizeof *v) != 0 &&
        mgc__gate_ms(market, (uint64_t)row[0]) <= env->time_ms)
        return mgc_env_refuse(env, MGC_E_GATE_CLOSED, "the tariff of slot %" PRId64 " stands since its gate closed",
                              row[0]);
    return mgc__rec_put_ints(env, &key, v, TARIFF_INTS);
}

static mgc_status tariff(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    mgc__market market;
    mgc__row_reader rows;
    int64_t row[COLUMNS_MAX];
    mgc__rec grid;
    mgc_status st = mgc__role_signed(env, MGC_ROLE_MARKET_OPERATOR, "market operator");

    if (st == MGC_OK) st = mgc__market_get(env, &market);
    if (st == MGC_OK && values->at[0].number != 0)
        st = mgc__party(env, 'G', "microgrid", values->at[0].number, &grid);
    mgc__row_begin(&rows, method, values, 2);
    while (st == MGC_OK && mgc__row_next(&rows, row)) st = tariff_row(env, &market, values->at, row);
    return st;
}

/* --- states --------------------------------------------------------------------------------------------- */

static mgc__key state_key(int64_t slot, int64_t microgrid)
{
    return mgc__key_u32(mgc__key_u64(mgc__key_of('M'), (uint64_t)slot), (uint32_t)microgrid);
}

/* --- results of one microgrid in one slot ------------------------------------------------------------------ */

typedef struct result {
    bool used, metered_here;
    int64_t metered, into_grid_meter, out_of_grid_meter; /* [Wh] */
    int64_t schedule[SCHEDULE_INTS];
    int64_t position;
    uint64_t carbon_g;
    int64_t buy_micro, sell_micro, imbalance_micro, fee_micro, curtailed_micro; /* paid by the microgrid: > 0 */
} result;

/* Sum without overflow; amounts are at most 2^62 each. */
static mgc_status add(mgc_env *env, int64_t *sum, int64_t amount)
{
    if (__builtin_add_overflow(*sum, amount, sum) || *sum > (int64_t)MGC_AMOUNT_MAX ||
        *sum < -(int64_t)MGC_AMOUNT_MAX)
        return mgc_env_refuse(env, MGC_E_OVERFLOW, "a slot's sum is over 2^62");
    return MGC_OK;
}

/* MGC_E_EARLY where a meter has not been read. */
static mgc_status add_meter(mgc_env *env, int64_t id, int64_t slot, result results[CARRIERS])
{
    int64_t before[2], after[2], in, out;
    result *r;
    mgc__rec meter;
    mgc_status st = mgc__meter_in(env, id, slot, &meter, NULL);

    if (st != MGC_OK) return st;
    if (slot < meter.v[METER_FROM]) return MGC_OK;
    st = mgc__registers_at(env, id, &meter, slot - 1, before);
    if (st == MGC_OK) st = mgc__registers_at(env, id, &meter, slot, after);
    if (st == MGC_E_NOT_FOUND)
        return mgc_env_refuse(env, MGC_E_EARLY, "slot %" PRId64 " waits for meter %" PRId64, slot, id);
    if (st == MGC_OK) st = mgc__register_step(env, id, &meter, slot, before[0], after[0], &in);
    if (st == MGC_OK) st = mgc__register_step(env, id, &meter, slot, before[1], after[1], &out);
    if (st != MGC_OK) return st;
    assert(meter.v[METER_CARRIER] >= 1 && meter.v[METER_CARRIER] <= CARRIERS);
    r = &results[meter.v[METER_CARRIER] - 1];
    r->used = r->metered_here = true;
    if (meter.v[METER_LINK] == 0) st = add(env, &r->into_grid_meter, in);
    if (meter.v[METER_LINK] == 0 && st == MGC_OK) st = add(env, &r->out_of_grid_meter, out);
    if (st == MGC_OK) st = add(env, &r->metered, in);
    return st != MGC_OK ? st : add(env, &r->metered, -out);
}

static mgc_status add_schedule(mgc_env *env, int64_t slot, int64_t microgrid, uint32_t carrier, result *r)
{
    static const int64_t sign[SCHEDULE_ACKNOWLEDGED] = {1, -1, 1, -1};
    mgc__key key =
        mgc__key_u8(mgc__key_u32(mgc__key_u64(mgc__key_of('S'), (uint64_t)slot), (uint32_t)microgrid), carrier);
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_SCHEDULING, &key, &rec);

    if (st == MGC_E_NOT_FOUND) return MGC_OK;
    if (st != MGC_OK) return st;
    r->used = true;
    memcpy(r->schedule, rec.v, sizeof r->schedule);
    r->fee_micro = rec.v[SCHEDULE_FEE];
    for (uint32_t i = 0; i < SCHEDULE_ACKNOWLEDGED && st == MGC_OK; i++)
        st = add(env, &r->position, sign[i] * rec.v[i]);
    if (st == MGC_OK) st = add(env, &r->position, rec.v[SCHEDULE_GIVE_LESS]);
    return st != MGC_OK ? st : add(env, &r->position, -rec.v[SCHEDULE_TAKE_LESS]);
}

/* What need not be taken is given back at what buying it costs, what may not be given costs no more than selling it would
 * have brought: nobody is worse off than if it had not been nominated or agreed. */
static mgc_status price_curtailed(const mgc__rec *tariff, result *r)
{
    int64_t paid = 0, refunded = 0;
    mgc_status st = mgc_worth((uint64_t)r->schedule[SCHEDULE_GIVE_LESS], tariff->v[TARIFF_SELL], &paid);

    if (st == MGC_OK) st = mgc_worth((uint64_t)r->schedule[SCHEDULE_TAKE_LESS], tariff->v[TARIFF_BUY], &refunded);
    r->curtailed_micro = paid - refunded; /* each within 2^62 */
    return st;
}

/* MGC_E_EARLY where there is no tariff yet. */
static mgc_status price(mgc_env *env, int64_t slot, int64_t microgrid, uint32_t carrier, result *r)
{
    int64_t deviation = r->metered - r->position;
    mgc__rec t;
    mgc_status st = tariff_of(env, microgrid, carrier, slot, &t);

    if (st == MGC_E_NOT_FOUND)
        return mgc_env_refuse(env, MGC_E_EARLY, "slot %" PRId64 " waits for a tariff of %s", slot,
                              mgc__carrier_name(carrier));
    if (st == MGC_OK) st = mgc_emission((uint64_t)r->into_grid_meter, (uint64_t)t.v[TARIFF_EMISSION], &r->carbon_g);
    if (st == MGC_OK && carrier == MGC_CARRIER_GAS) return st;
    if (st == MGC_OK) st = mgc_worth((uint64_t)r->schedule[SCHEDULE_BUY], t.v[TARIFF_BUY], &r->buy_micro);
    if (st == MGC_OK) st = mgc_worth((uint64_t)r->schedule[SCHEDULE_SELL], t.v[TARIFF_SELL], &r->sell_micro);
    if (st == MGC_OK && deviation >= 0) st = mgc_worth((uint64_t)deviation, t.v[TARIFF_SHORT], &r->imbalance_micro);
    if (st == MGC_OK && deviation < 0) st = mgc_worth((uint64_t)-deviation, t.v[TARIFF_LONG], &r->imbalance_micro);
    if (st == MGC_OK) st = price_curtailed(&t, r);
    r->sell_micro = -r->sell_micro;
    if (deviation < 0) r->imbalance_micro = -r->imbalance_micro;
    return st == MGC_E_OVERFLOW ? mgc_env_refuse(env, st, "slot %" PRId64 ": an amount is over 2^62", slot) : st;
}

/* MGC_E_NOT_FOUND: the microgrid has no meter; MGC_E_EARLY: something is not known yet, or MGC_E_OVERFLOW: what is known cannot be
 * right; the rule says what. */
static mgc_status compute(mgc_env *env, int64_t slot, int64_t microgrid, result results[CARRIERS])
{
    mgc__key prefix = mgc__key_u32(mgc__key_of('H'), (uint32_t)microgrid);
    bool any = false, forced = false;
    mgc__walk w;
    mgc_status st = MGC_OK;

    memset(results, 0, CARRIERS * sizeof *results);
    mgc__walk_begin(&w, MGC_CONTRACT_INFORMATION, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w))
        st = add_meter(env, (int64_t)mgc__key_read(w.key, 5, 4), slot, results);
    if (st == MGC_OK) st = env->broken;
    if (st == MGC_E_EARLY) {
        mgc_status asked = mgc__settle_forced(env, slot, microgrid, &forced);
        st = asked != MGC_OK ? asked : forced ? MGC_OK : st;
    }
    if (forced) { /* an act of supervision: what was not read counts as scheduled */
        memset(results, 0, CARRIERS * sizeof *results);
        any = true;
    }
    for (uint32_t c = 0; c < CARRIERS && st == MGC_OK; c++) {
        st = add_schedule(env, slot, microgrid, c + 1, &results[c]);
        if (forced) results[c].metered = results[c].position;
        any = any || results[c].metered_here;
    }
    if (st == MGC_OK && !any) return MGC_E_NOT_FOUND;
    for (uint32_t c = 0; c < CARRIERS && st == MGC_OK; c++)
        if (results[c].used) st = price(env, slot, microgrid, c + 1, &results[c]);
    return st;
}

/* Store one carrier's result where another one stood, or none; one that is no more goes. */
static mgc_status put_result(mgc_env *env, const mgc__key *key, const result *r, bool *changed)
{
    const int64_t v[RESULT_INTS] = {r->metered, r->position, r->buy_micro + r->sell_micro, r->imbalance_micro, r->fee_micro,
                                    (int64_t)r->carbon_g, r->out_of_grid_meter, r->curtailed_micro};
    bool curtailed = r->schedule[SCHEDULE_TAKE_LESS] > 0 || r->schedule[SCHEDULE_GIVE_LESS] > 0;
    mgc__rec old;
    mgc_status st = mgc__rec_get(env, env->contract, key, &old);
    bool stood = st == MGC_OK;

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (stood == r->used && (!stood || memcmp(old.v, v, sizeof v) == 0)) return MGC_OK;
    *changed = true;
    if (!r->used) return mgc_env_remove(env, key->bytes, key->len);
    return mgc__rec_put_ints(env, key, v, curtailed ? RESULT_INTS : RESULT_USUAL);
}

/* changed: were there others, or none? */
static mgc_status put_results(mgc_env *env, int64_t slot, int64_t microgrid, const result results[CARRIERS], bool *changed)
{
    mgc__key prefix = mgc__key_u32(mgc__key_u64(mgc__key_of('D'), (uint64_t)slot), (uint32_t)microgrid);
    mgc_status st = MGC_OK;

    *changed = false;
    for (uint32_t c = 0; c < CARRIERS && st == MGC_OK; c++) {
        mgc__key key = mgc__key_u8(prefix, c + 1);

        st = put_result(env, &key, &results[c], changed);
    }
    return st;
}

/* --- provisional ---------------------------------------------------------------------------------------------- */

/* What a pass over all microgrids found. */
typedef struct tally {
    uint32_t fresh, before, waiting, held, disputed; /* held: the rule names the last thing that is missing */
    uint64_t window_ends;
} tally;

static mgc_status put_state(mgc_env *env, int64_t slot, int64_t microgrid, int64_t state, int64_t standing)
{
    mgc__key key = state_key(slot, microgrid);

    return mgc__rec_put_ints(env, &key, (int64_t[]){state, (int64_t)env->time_ms, standing},
                             standing == STANDING_OPEN ? SETTLED_USUAL : SETTLED_INTS);
}

/* It concerns one microgrid: the others go on. */
static bool holds_its_own(mgc_status st)
{
    return st == MGC_E_EARLY || st == MGC_E_OVERFLOW;
}

static mgc_status settle_one(mgc_env *env, const mgc__market *market, int64_t slot, int64_t microgrid, tally *t)
{
    mgc__key key = state_key(slot, microgrid);
    result results[CARRIERS];
    bool changed;
    mgc__rec state;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &state);

    (void)market; /* its window is finalising's */
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (state.v[SETTLED_STATE] == STATE_PROVISIONAL || state.v[SETTLED_STATE] == STATE_FINAL) {
        t->before++;
        return MGC_OK;
    }
    st = compute(env, slot, microgrid, results);
    if (st == MGC_E_NOT_FOUND) return MGC_OK;
    if (holds_its_own(st)) {
        t->held++;
        return MGC_OK;
    }
    t->fresh++;
    if (st == MGC_OK) st = put_results(env, slot, microgrid, results, &changed);
    if (st != MGC_OK) return st;
    return put_state(env, slot, microgrid, STATE_PROVISIONAL,
                     state.v[SETTLED_STATE] == STATE_DISPUTED && !changed ? STANDING_CONFIRMED : STANDING_OPEN);
}

static mgc_status slot_over(mgc_env *env, int64_t slot, mgc__market *market)
{
    mgc_status st = mgc__market_get(env, market);

    if (st == MGC_OK) st = mgc__slot_known(env, market, slot);
    if (st != MGC_OK) return st;
    if (mgc_slot_begin_ms((uint64_t)slot + 1, market->slot_ms) > env->time_ms)
        return mgc_env_refuse(env, MGC_E_EARLY, "slot %" PRId64 " ends at %" PRIu64 " ms; it is %" PRIu64 " ms", slot,
                              mgc_slot_begin_ms((uint64_t)slot + 1, market->slot_ms), env->time_ms);
    if (!mgc__scheduled(env, market, slot))
        return mgc_env_refuse(env, MGC_E_EARLY, "slot %" PRId64 " has no schedule yet", slot);
    return MGC_OK;
}

/* The market operator does it for each microgrid in turn, in a slot that is over.  Where they are too many for one transaction the
 * next one does the rest: a slot that many have filled has an end, too. */
static mgc_status each_microgrid(mgc_env *env, int64_t slot,
                                 mgc_status (*one)(mgc_env *env, const mgc__market *market, int64_t slot, int64_t microgrid, tally *t),
                                 tally *t)
{
    mgc__key prefix = mgc__key_of('G');
    mgc__market market;
    mgc__walk w;
    mgc_status st = mgc__role_signed(env, MGC_ROLE_MARKET_OPERATOR, "market operator");

    if (st == MGC_OK) st = slot_over(env, slot, &market);
    mgc__walk_begin(&w, MGC_CONTRACT_INFORMATION, &prefix);
    while (st == MGC_OK && (t->fresh == 0 || !mgc__env_half_spent(env)) && mgc__walk_next(env, &w))
        st = one(env, &market, slot, (int64_t)mgc__key_read(w.key, 1, 4), t);
    return st != MGC_OK ? st : env->broken;
}

static mgc_status settle(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    int64_t slot = values->at[0].number;
    tally t = {0};
    mgc_status st = each_microgrid(env, slot, settle_one, &t);

    (void)method;
    if (st != MGC_OK || t.fresh > 0) return st;
    if (t.held > 0) return MGC_E_EARLY;
    return mgc_env_refuse(env, MGC_E_ALREADY_SETTLED, "slot %" PRId64 " is settled already", slot);
}

static mgc_status dispute(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    int64_t slot = values->at[0].number, microgrid = values->at[1].number;
    mgc__key key = state_key(slot, microgrid);
    bool forced = false;
    mgc__market market;
    mgc__rec grid, state;
    mgc_status st = mgc__market_get(env, &market);

    (void)method;
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", microgrid, &grid);
    if (st == MGC_OK) st = mgc__manager_signed(env, microgrid, &grid);
    if (st != MGC_OK) return st;
    st = mgc__rec_get(env, env->contract, &key, &state);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (state.v[SETTLED_STATE] == 0 || state.v[SETTLED_STATE] == STATE_DISPUTED)
        return mgc_env_refuse(env, MGC_E_STATE, "slot %" PRId64 " of microgrid %" PRId64 " is not provisional", slot,
                              microgrid);
    if (state.v[SETTLED_STATE] == STATE_FINAL || env->time_ms >= (uint64_t)state.v[SETTLED_TIME] + market.window_ms)
        return mgc_env_refuse(env, MGC_E_WINDOW, "the window of slot %" PRId64 " ended at %" PRIu64 " ms", slot,
                              (uint64_t)state.v[SETTLED_TIME] + market.window_ms);
    st = mgc__settle_forced(env, slot, microgrid, &forced);
    if (st == MGC_OK && forced) /* or nothing would end the disputes of one who owes */
        return mgc_env_refuse(env, MGC_E_STATE, "slot %" PRId64 " of microgrid %" PRId64 " is settled by an act of supervision", slot,
                              microgrid);
    if (st == MGC_OK && state.v[SETTLED_STANDING] == STANDING_CONFIRMED) /* or it would end when the microgrid likes */
        return mgc_env_refuse(env, MGC_E_STATE, "slot %" PRId64 " of microgrid %" PRId64 " was disputed before, with the same results", slot,
                              microgrid);
    if (st == MGC_OK) st = put_state(env, slot, microgrid, STATE_DISPUTED, STANDING_OPEN);
    return st != MGC_OK ? st : mgc_env_emit(env, "disputed", values->at[2].bytes, values->at[2].len);
}

/* --- final ------------------------------------------------------------------------------------ */

/* End a pending transfer of trading: post it, or where it expired, make the same move at once. */
static mgc_status pay_out(mgc_env *env, uint64_t number, uint32_t part, mgc__move again)
{
    uint32_t state;
    uint64_t amount;
    mgc_status st = mgc__pending_state(env, number, part, &state, &amount);

    if (st != MGC_OK || state == 0) return st;
    if (state == MGC_PENDING_OPEN) return mgc__pending_end(env, number, part, again.code, MGC_TRANSFER_POST);
    if (state != MGC_PENDING_EXPIRED)
        return mgc_env_refuse(env, MGC_E_PENDING_POSTED, "part %" PRIu32 " of agreement %" PRIu64 " has ended before",
                              part, number);
    again.number = number;
    again.part = part + PART_SECOND_PHASE;
    again.amount = amount;
    return again.from_kind == MGC_ACCOUNT_MONEY ? mgc__charge(env, &again) : mgc__move_make(env, &again);
}

static mgc_status give_back(mgc_env *env, uint64_t number, uint32_t part)
{
    uint32_t state;
    uint64_t amount;
    mgc_status st = mgc__pending_state(env, number, part, &state, &amount);

    if (st != MGC_OK || state != MGC_PENDING_OPEN) return st;
    return mgc__pending_end(env, number, part, CODE_COLLATERAL, MGC_TRANSFER_VOID);
}

static mgc_status pay_agreement(mgc_env *env, uint64_t id, const int64_t *v)
{
    bool back = v[TRADE_WORTH] < 0, heat = v[TRADE_CARRIER] == MGC_CARRIER_HEAT;
    uint32_t energy = heat ? MGC_ACCOUNT_HEAT : MGC_ACCOUNT_ELECTRICITY,
             unit = heat ? MGC_UNIT_WH_HEAT : MGC_UNIT_WH_ELECTRICITY;
    mgc__move money = {.code = CODE_TRADE,
                       .unit = MGC_UNIT_MICRO_CURRENCY,
                       .from_kind = MGC_ACCOUNT_MONEY,
                       .to_kind = MGC_ACCOUNT_MONEY,
                       .from = (uint32_t)v[back ? TRADE_SELLER : TRADE_BUYER],
                       .to = (uint32_t)v[back ? TRADE_BUYER : TRADE_SELLER]};
    mgc__move delivery = {.code = CODE_DELIVERY,
                          .unit = unit,
                          .from_kind = energy,
                          .from = (uint32_t)v[TRADE_SELLER],
                          .to_kind = energy,
                          .to = (uint32_t)v[TRADE_BUYER]};
    mgc__move loss = {.code = CODE_LOSS,
                      .unit = unit,
                      .from_kind = energy,
                      .from = (uint32_t)v[TRADE_SELLER],
                      .to_kind = heat ? MGC_ACCOUNT_LOSS_HEAT : MGC_ACCOUNT_LOSS_ELECTRICITY};
    mgc_status st = give_back(env, id, PART_COLLATERAL_SELLER);

    if (st == MGC_OK) st = give_back(env, id, PART_COLLATERAL_BUYER);
    if (st == MGC_OK) st = pay_out(env, id, PART_TRADE, money);
    if (st == MGC_OK) st = pay_out(env, id, PART_DELIVERY, delivery);
    return st != MGC_OK ? st : pay_out(env, id, PART_LOSS, loss);
}

/* All agreements of the slot and all payments that wait for it, once. */
static mgc_status pay_slot(mgc_env *env, int64_t slot)
{
    mgc__key done = mgc__key_u64(mgc__key_of('S'), (uint64_t)slot),
             prefix = mgc__key_u64(mgc__key_of('A'), (uint64_t)slot);
    mgc__rec rec;
    mgc__walk w;
    mgc_status st = mgc__rec_get(env, env->contract, &done, &rec);

    if (st != MGC_E_NOT_FOUND) return st;
    st = mgc__rec_put_ints(env, &done, (int64_t[]){(int64_t)env->height}, 1);
    mgc__walk_begin(&w, MGC_CONTRACT_TRADING, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) st = pay_agreement(env, mgc__key_read(w.key, 9, 8), w.rec.v);
    prefix = mgc__key_u64(mgc__key_of('B'), (uint64_t)slot);
    mgc__walk_begin(&w, MGC_CONTRACT_TRADING, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        mgc__move move = {.code = CODE_PAYMENT,
                          .unit = MGC_UNIT_MICRO_CURRENCY,
                          .from_kind = MGC_ACCOUNT_MONEY,
                          .to_kind = MGC_ACCOUNT_MONEY,
                          .from = (uint32_t)w.rec.v[PAYMENT_PAYER],
                          .to = (uint32_t)w.rec.v[PAYMENT_PAYEE]};
        st = pay_out(env, mgc__key_read(w.key, 9, 8), PART_PAYMENT, move);
    }
    return st != MGC_OK ? st : env->broken;
}

/* A signed amount from a microgrid's money (> 0) to the utility, or back. */
static mgc_status pay_utility(mgc_env *env, int64_t slot, int64_t microgrid, uint32_t carrier, uint32_t step_,
                              uint32_t code, int64_t amount)
{
    mgc__move move = {.code = code,
                      .unit = MGC_UNIT_MICRO_CURRENCY,
                      .number = (uint64_t)slot,
                      .part = (uint32_t)microgrid << 8 | carrier << 4 | step_,
                      .from_kind = MGC_ACCOUNT_MONEY,
                      .from = (uint32_t)microgrid,
                      .to_kind = code == CODE_FEE ? MGC_ACCOUNT_NETWORK : MGC_ACCOUNT_UTILITY,
                      .amount = (uint64_t)(amount < 0 ? -amount : amount)};

    if (amount >= 0) return mgc__charge(env, &move);
    move.from_kind = move.to_kind;
    move.from = 0;
    move.to_kind = MGC_ACCOUNT_MONEY;
    move.to = (uint32_t)microgrid;
    return mgc__move_make(env, &move);
}

/* What crossed the connection to the grid: metered, less what agreements already booked. */
static mgc_status book_energy(mgc_env *env, int64_t slot, int64_t microgrid, uint32_t carrier, const result *r)
{
    bool heat = carrier == MGC_CARRIER_HEAT;
    int64_t wh = r->metered - r->schedule[SCHEDULE_RECEIVED] + r->schedule[SCHEDULE_SENT];
    mgc__move move = {.code = CODE_GRID_ENERGY,
                      .unit = heat ? MGC_UNIT_WH_HEAT : MGC_UNIT_WH_ELECTRICITY,
                      .number = (uint64_t)slot,
                      .part = (uint32_t)microgrid << 8 | carrier << 4 | STEP_ENERGY,
                      .from_kind = heat ? MGC_ACCOUNT_GRID_HEAT : MGC_ACCOUNT_GRID_ELECTRICITY,
                      .to_kind = heat ? MGC_ACCOUNT_HEAT : MGC_ACCOUNT_ELECTRICITY,
                      .to = (uint32_t)microgrid,
                      .amount = (uint64_t)(wh < 0 ? -wh : wh)};

    if (wh < 0) {
        uint32_t kind = move.from_kind;
        move.from_kind = move.to_kind;
        move.from = move.to;
        move.to_kind = kind;
        move.to = 0;
    }
    return mgc__move_make(env, &move);
}

static mgc_status book(mgc_env *env, int64_t slot, int64_t microgrid, const result results[CARRIERS])
{
    mgc_status st = MGC_OK;

    for (uint32_t c = 1; c <= CARRIERS && st == MGC_OK; c++) {
        const result *r = &results[c - 1];
        mgc__move carbon = {.code = CODE_CARBON,
                            .unit = MGC_UNIT_G_CO2E,
                            .number = (uint64_t)slot,
                            .part = (uint32_t)microgrid << 8 | c << 4 | STEP_CARBON,
                            .from_kind = MGC_ACCOUNT_CARBON_SOURCE,
                            .to_kind = MGC_ACCOUNT_CARBON,
                            .to = (uint32_t)microgrid,
                            .amount = r->carbon_g};

        st = mgc__move_make(env, &carbon);
        if (c == MGC_CARRIER_GAS || st != MGC_OK) continue;
        st = book_energy(env, slot, microgrid, c, r);
        /* What it receives first, so that it can pay. */
        if (st == MGC_OK) st = pay_utility(env, slot, microgrid, c, STEP_SELL, CODE_GRID_SELL, r->sell_micro);
        if (st == MGC_OK) st = pay_utility(env, slot, microgrid, c, STEP_CURTAILED, CODE_CURTAILED, r->curtailed_micro);
        if (st == MGC_OK) st = pay_utility(env, slot, microgrid, c, STEP_BUY, CODE_GRID_BUY, r->buy_micro);
        if (st == MGC_OK)
            st = pay_utility(env, slot, microgrid, c, STEP_IMBALANCE, CODE_IMBALANCE, r->imbalance_micro);
        if (st == MGC_OK) st = pay_utility(env, slot, microgrid, c, STEP_FEE, CODE_FEE, r->fee_micro);
    }
    return st;
}

/* The window is over and readings have changed in it: what follows can be disputed in another one. */
static mgc_status revise(mgc_env *env, int64_t slot, int64_t microgrid)
{
    mgc__key key = state_key(slot, microgrid);
    mgc_status st = put_state(env, slot, microgrid, STATE_PROVISIONAL, STANDING_REVISED);

    return st != MGC_OK ? st : mgc_env_emit(env, "revised", key.bytes + 1, key.len - 1);
}

static mgc_status finalise_one(mgc_env *env, const mgc__market *market, int64_t slot, int64_t microgrid, tally *t)
{
    mgc__key key = state_key(slot, microgrid);
    result results[CARRIERS];
    bool changed;
    mgc__rec state;
    uint64_t ends;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &state);

    if (st != MGC_OK) return st == MGC_E_NOT_FOUND ? MGC_OK : st;
    ends = (uint64_t)state.v[SETTLED_TIME] + market->window_ms;
    if (state.v[SETTLED_STATE] == STATE_FINAL) {
        t->before++;
        return MGC_OK;
    }
    if (state.v[SETTLED_STATE] == STATE_DISPUTED) {
        t->disputed++;
        return MGC_OK;
    }
    if (ends > env->time_ms) {
        t->waiting++;
        t->window_ends = ends;
        return MGC_OK;
    }
    st = compute(env, slot, microgrid, results);
    if (holds_its_own(st)) {
        t->held++;
        return MGC_OK;
    }
    t->fresh++;
    if (st == MGC_OK) st = put_results(env, slot, microgrid, results, &changed);
    if (st == MGC_OK && changed) return revise(env, slot, microgrid);
    if (st == MGC_OK) st = pay_slot(env, slot);
    if (st == MGC_OK) st = book(env, slot, microgrid, results);
    return st != MGC_OK ? st : put_state(env, slot, microgrid, STATE_FINAL, STANDING_OPEN);
}

static mgc_status finalise(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    int64_t slot = values->at[0].number;
    tally t = {0};
    mgc_status st = each_microgrid(env, slot, finalise_one, &t);

    (void)method;
    if (st != MGC_OK || t.fresh > 0) return st;
    if (t.waiting > 0)
        return mgc_env_refuse(env, MGC_E_EARLY,
                              "the window of slot %" PRId64 " ends at %" PRIu64 " ms; it is %" PRIu64 " ms", slot,
                              t.window_ends, env->time_ms);
    if (t.held > 0) return MGC_E_EARLY;
    if (t.disputed > 0)
        return mgc_env_refuse(env, MGC_E_STATE, "slot %" PRId64 " is disputed; settle it again", slot);
    if (t.before > 0) return mgc_env_refuse(env, MGC_E_ALREADY_SETTLED, "slot %" PRId64 " is final already", slot);
    return mgc_env_refuse(env, MGC_E_STATE, "slot %" PRId64 " is not settled yet", slot);
}

static const mgc__rule rules[] = {
    {"tariff", tariff},           {"settle", settle},    {"dispute", dispute},     {"finalise", finalise},
    {"surrender", mgc__surrender}, {"issue", mgc__origin_issue}, {"assign", mgc__origin_assign}, {"cancel", mgc__origin_cancel}};

/* --- queries ---------------------------------------------------------------------------------- */

static mgc_status put_word(mgc_env *env, mgc_rows *rows, int64_t slot, int64_t microgrid)
{
    static const char *const words[] = {"open", "provisional", "final", "disputed"};
    mgc__key key = state_key(slot, microgrid);
    mgc__rec state;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &state);

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    return mgc_rows_put_text(rows, words[state.v[SETTLED_STATE] & 3], strlen(words[state.v[SETTLED_STATE] & 3]));
}

static mgc_status query_settlement(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('D');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(
        rows, "slot microgrid carrier state metered_wh position_wh deviation_wh grid_micro imbalance_micro "
              "fee_micro carbon_g curtailed_micro");

    if (filter->slot != UINT64_MAX) prefix = mgc__key_u64(prefix, filter->slot);
    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        int64_t slot = (int64_t)mgc__key_read(w.key, 1, 8), microgrid = (int64_t)mgc__key_read(w.key, 9, 4);

        if (!mgc__filter_passes(env, filter, microgrid, 0, w.key[13])) continue;
        st = mgc_rows_put_int(rows, slot);
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, microgrid);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.key[13]);
        if (st == MGC_OK) st = put_word(env, rows, slot, microgrid);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, 2);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.rec.v[RESULT_METERED] - w.rec.v[RESULT_POSITION]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v + RESULT_GRID, RESULT_CARBON + 1 - RESULT_GRID);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.rec.v[RESULT_CURTAILED]);
    }
    return st;
}

/* Public: prices are. */
static mgc_status query_tariffs(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('T');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(
        rows, "slot microgrid carrier buy_price sell_price short_price long_price emission_mg_per_kwh");

    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        if (filter->slot != UINT64_MAX && filter->slot != mgc__key_read(w.key, 6, 8)) continue;
        if (!mgc__filter_carrier(filter, w.key[5])) continue;
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 6, 8));
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, (int64_t)mgc__key_read(w.key, 1, 4));
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.key[5]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, TARIFF_INTS);
    }
    return st;
}

static const mgc__answer answers[] = {
    {"settlement", "microgrid|slot|carrier", query_settlement},
    {"tariffs", "slot|carrier", query_tariffs},
    {"certificates", "microgrid", mgc__query_origins},
    {"surrendered", "microgrid", mgc__query_periods},
};

const mgc__built_in mgc__settlement = {
    .id = MGC_CONTRACT_SETTLEMENT,
    .code_version = 1,
    .name = "settlement",
    .rules = rules,
    .n_rules = MGC__COUNT(rules),
    .answers = answers,
    .n_answers = MGC__COUNT(answers),
};
