/* SPDX-License-Identifier: Apache-2.0 */
/* Contract 3, scheduling: when a slot's gate closes, what was nominated and agreed becomes each microgrid's schedule.
 *
 * Records (doc/contracts.md):
 *   S slot microgrid carrier    set points: bought, sold, received, sent; height of the acknowledgement; links' fees;
 *                               what the dispatcher curtailed since: to be taken less, to be given less
 *   L link slot                 the dispatcher's terms of a link for a slot: capacity, fee
 *   F slot link                 flow forward and backward, capacity
 *   R meter slot                a meter's registers (metering.c)
 *
 * A microgrid's position is bought - sold + received - sent - taken less + given less: what settlement compares its meters
 * with. */
#include "contract/contract.h"

enum { FLOW_FORWARD, FLOW_BACKWARD, FLOW_CAPACITY, FLOW_INTS };

static mgc__key schedule_key(uint64_t slot, int64_t microgrid, int64_t carrier)
{
    return mgc__key_u8(mgc__key_u32(mgc__key_u64(mgc__key_of('S'), slot), (uint32_t)microgrid), (uint32_t)carrier);
}

/* Add to a place of a record that may not exist yet. */
static mgc_status add_to(mgc_env *env, const mgc__key *key, uint32_t place, int64_t amount)
{
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, env->contract, key, &rec);

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (amount > (int64_t)MGC_AMOUNT_MAX - rec.v[place])
        return mgc_env_refuse(env, MGC_E_OVERFLOW, "a schedule's sum is over 2^62 Wh");
    rec.v[place] += amount;
    return mgc__rec_put_ints(env, key, rec.v, SCHEDULE_MADE);
}

static mgc_status add_nominations(mgc_env *env, uint64_t slot)
{
    mgc__key prefix = mgc__key_u64(mgc__key_of('N'), slot);
    mgc__walk w;
    mgc_status st = MGC_OK;

    mgc__walk_begin(&w, MGC_CONTRACT_TRADING, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        mgc__key key = schedule_key(slot, (int64_t)mgc__key_read(w.key, 9, 4), w.key[13]);
        st = add_to(env, &key, SCHEDULE_BUY, w.rec.v[NOMINATION_BUY]);
        if (st == MGC_OK) st = add_to(env, &key, SCHEDULE_SELL, w.rec.v[NOMINATION_SELL]);
    }
    return st != MGC_OK ? st : env->broken;
}

/* Each end pays half of a link's fee, the buyer the odd micro-currency. */
static mgc_status add_fee(mgc_env *env, const mgc__rec *trade, const mgc__rec *link, const mgc__key *seller,
                          const mgc__key *buyer)
{
    int64_t fee;
    mgc_status st = mgc_worth((uint64_t)trade->v[TRADE_WH], link->v[LINK_FEE], &fee);

    if (st != MGC_OK) return mgc_env_refuse(env, st, "the fee of a link is over 2^62");
    st = add_to(env, seller, SCHEDULE_FEE, fee / 2);
    return st != MGC_OK ? st : add_to(env, buyer, SCHEDULE_FEE, fee - fee / 2);
}

/* The link's flow; trading and terms() keep to the capacity, this looks again. */
static mgc_status add_flow(mgc_env *env, uint64_t slot, const mgc__rec *trade, const mgc__rec *link)
{
    mgc__key key = mgc__key_u32(mgc__key_u64(mgc__key_of('F'), slot), (uint32_t)trade->v[TRADE_LINK]);
    mgc__rec flow;
    uint32_t place;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &flow);

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    place = link->v[LINK_FIRST] == trade->v[TRADE_SELLER] ? FLOW_FORWARD : FLOW_BACKWARD;
    if (trade->v[TRADE_WH] > link->v[LINK_CAPACITY] - flow.v[place])
        return mgc_env_refuse(env, MGC_E_OVERSOLD,
                              "slot %" PRIu64 ": agreements send more than the capacity of link %" PRId64, slot,
                              trade->v[TRADE_LINK]);
    flow.v[place] += trade->v[TRADE_WH];
    flow.v[FLOW_CAPACITY] = link->v[LINK_CAPACITY];
    return mgc__rec_put_ints(env, &key, flow.v, FLOW_INTS);
}

static mgc_status add_agreements(mgc_env *env, uint64_t slot)
{
    mgc__key prefix = mgc__key_u64(mgc__key_of('A'), slot);
    mgc__walk w;
    mgc_status st = MGC_OK;

    mgc__walk_begin(&w, MGC_CONTRACT_TRADING, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        mgc__key seller = schedule_key(slot, w.rec.v[TRADE_SELLER], w.rec.v[TRADE_CARRIER]);
        mgc__key buyer = schedule_key(slot, w.rec.v[TRADE_BUYER], w.rec.v[TRADE_CARRIER]);
        mgc__rec link;

        if (w.rec.v[TRADE_LINK] != 0) { /* of an auction: over the connections to the public grid */
            st = mgc__link_in_slot(env, w.rec.v[TRADE_LINK], (int64_t)slot, &link);
            if (st == MGC_OK) st = add_flow(env, slot, &w.rec, &link);
            if (st == MGC_OK) st = add_fee(env, &w.rec, &link, &seller, &buyer);
        }
        if (st == MGC_OK) st = add_to(env, &seller, SCHEDULE_SENT, w.rec.v[TRADE_WH]);
        if (st == MGC_OK) st = add_to(env, &buyer, SCHEDULE_RECEIVED, w.rec.v[TRADE_DELIVERED]);
    }
    return st != MGC_OK ? st : env->broken;
}

static int32_t on_slot(void *user, mgc_env *env, uint64_t slot)
{
    mgc_status st = add_nominations(env, slot);

    (void)user;
    if (st == MGC_OK) st = add_agreements(env, slot);
    return st == MGC_OK ? MGC_CB_DONE : st;
}

/* --- terms ------------------------------------------------------------------------------------------------ */

/* A capacity is not cut below what is agreed already. */
static mgc_status terms_row(mgc_env *env, const mgc__market *market, int64_t link, const int64_t *row)
{
    mgc__key key = mgc__key_u64(mgc__key_u32(mgc__key_of('L'), (uint32_t)link), (uint64_t)row[0]);
    mgc_status st = mgc__slot_open(env, market, row[0]);

    if (st != MGC_OK) return st;
    if (row[1] < 0 || row[1] > (int64_t)MGC_AMOUNT_MAX || row[2] < 0 || row[2] > PRICE_MAX)
        return mgc_env_refuse(env, MGC_E_RANGE,
                              "slot %" PRId64 ": capacity %" PRId64 " Wh, fee %" PRId64 " are no terms", row[0],
                              row[1], row[2]);
    for (uint32_t direction = 0; direction < 2; direction++) {
        mgc__key sum_key =
            mgc__key_u8(mgc__key_u32(mgc__key_u64(mgc__key_of('S'), (uint64_t)row[0]), (uint32_t)link), direction);
        mgc__rec sum;

        st = mgc__rec_get(env, MGC_CONTRACT_TRADING, &sum_key, &sum);
        if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
        if (sum.v[0] > row[1])
            return mgc_env_refuse(env, MGC_E_OVERSOLD,
                                  "slot %" PRId64 ": %" PRId64 " Wh are agreed over link %" PRId64
                                  "; capacity %" PRId64 " is less",
                                  row[0], sum.v[0], link, row[1]);
    }
    return mgc__rec_put_ints(env, &key, row + 1, TERMS_INTS);
}

static mgc_status terms(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    mgc__market market;
    mgc__row_reader rows;
    int64_t row[COLUMNS_MAX];
    mgc__rec link;
    mgc_status st = mgc__role_signed(env, MGC_ROLE_DISPATCHER, "dispatcher");

    if (st == MGC_OK) st = mgc__market_get(env, &market);
    if (st == MGC_OK) st = mgc__party(env, 'L', "link", values->at[0].number, &link);
    mgc__row_begin(&rows, method, values, 1);
    while (st == MGC_OK && mgc__row_next(&rows, row)) st = terms_row(env, &market, values->at[0].number, row);
    return st;
}

/* --- curtailment ------------------------------------------------------------------------------------------ */

/* After the gate there is a set point to change; after its end a slot is as it was. */
static mgc_status curtailable(mgc_env *env, const mgc__market *market, int64_t slot)
{
    mgc_status st = mgc__slot_known(env, market, slot);

    if (st != MGC_OK) return st;
    if (!mgc__scheduled(env, market, slot))
        return mgc_env_refuse(env, MGC_E_EARLY, "slot %" PRId64 " has no schedule yet", slot);
    if (mgc_slot_begin_ms((uint64_t)slot + 1, market->slot_ms) <= env->time_ms)
        return mgc_env_refuse(env, MGC_E_SLOT, "slot %" PRId64 " ended at %" PRIu64 " ms; it is %" PRIu64 " ms", slot,
                              mgc_slot_begin_ms((uint64_t)slot + 1, market->slot_ms), env->time_ms);
    return MGC_OK;
}

/* An order takes the place of the one before it; the new set point is to be acknowledged anew. */
static mgc_status curtail_row(mgc_env *env, const mgc__market *market, int64_t microgrid, int64_t carrier, const int64_t *row)
{
    mgc__key key = schedule_key((uint64_t)row[0], microgrid, carrier);
    mgc__rec rec;
    int64_t takes, gives;
    mgc_status st = curtailable(env, market, row[0]);

    if (st == MGC_OK) st = mgc__rec_get(env, env->contract, &key, &rec);
    if (st == MGC_E_NOT_FOUND)
        return mgc_env_refuse(env, MGC_E_SLOT, "microgrid %" PRId64 " has no schedule of %s in slot %" PRId64, microgrid,
                              mgc__carrier_name(carrier), row[0]);
    if (st != MGC_OK) return st;
    takes = rec.v[SCHEDULE_BUY] + rec.v[SCHEDULE_RECEIVED]; /* each at most 2^62 */
    gives = rec.v[SCHEDULE_SELL] + rec.v[SCHEDULE_SENT];
    if (row[1] < 0 || row[2] < 0 || row[1] > takes || row[2] > gives)
        return mgc_env_refuse(env, MGC_E_RANGE,
                              "slot %" PRId64 ": %" PRId64 " Wh taken less and %" PRId64 " given less; it is to take %" PRId64
                              " and to give %" PRId64,
                              row[0], row[1], row[2], takes, gives);
    rec.v[SCHEDULE_TAKE_LESS] = row[1];
    rec.v[SCHEDULE_GIVE_LESS] = row[2];
    rec.v[SCHEDULE_ACKNOWLEDGED] = 0;
    return mgc__rec_put_ints(env, &key, rec.v, SCHEDULE_INTS);
}

static mgc_status curtail(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__market market;
    mgc__row_reader rows;
    int64_t row[COLUMNS_MAX];
    mgc__rec grid;
    mgc_status st = mgc__role_signed(env, MGC_ROLE_DISPATCHER, "dispatcher");

    if (st == MGC_OK) st = mgc__market_get(env, &market);
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", a[0].number, &grid);
    mgc__row_begin(&rows, method, values, 2);
    while (st == MGC_OK && mgc__row_next(&rows, row)) st = curtail_row(env, &market, a[0].number, a[1].number, row);
    return st != MGC_OK ? st : mgc_env_emit(env, "curtailed", a[3].bytes, a[3].len);
}

/* --- acknowledgements ------------------------------------------------------------------------------------- */

static mgc_status acknowledge_slot(mgc_env *env, int64_t microgrid, uint64_t slot, bool *found, bool *fresh)
{
    for (uint32_t carrier = 1; carrier <= 2; carrier++) {
        mgc__key key = schedule_key(slot, microgrid, carrier);
        mgc__rec rec;
        mgc_status st = mgc__rec_get(env, env->contract, &key, &rec);

        if (st == MGC_E_NOT_FOUND) continue;
        if (st != MGC_OK) return st;
        *found = true;
        if (rec.v[SCHEDULE_ACKNOWLEDGED] != 0) continue;
        *fresh = true;
        rec.v[SCHEDULE_ACKNOWLEDGED] = (int64_t)env->height;
        st = mgc__rec_put_ints(env, &key, rec.v, rec.n);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

static mgc_status acknowledge(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    bool found = false, fresh = false;
    mgc__rec grid;
    mgc_status st = mgc__party(env, 'G', "microgrid", a[0].number, &grid);

    (void)method;
    if (st == MGC_OK) st = mgc__manager_signed(env, a[0].number, &grid);
    if (st != MGC_OK) return st;
    if (a[2].number < a[1].number || a[2].number - a[1].number >= MGC_ROWS_MAX)
        return mgc_env_refuse(env, MGC_E_RANGE, "slots %" PRId64 "..%" PRId64 " are not 1..%d slots", a[1].number,
                              a[2].number, MGC_ROWS_MAX);
    for (int64_t slot = a[1].number; st == MGC_OK && slot <= a[2].number; slot++)
        st = acknowledge_slot(env, a[0].number, (uint64_t)slot, &found, &fresh);
    if (st != MGC_OK) return st;
    if (!found)
        return mgc_env_refuse(env, MGC_E_SLOT, "microgrid %" PRId64 " has no schedule in slots %" PRId64 "..%" PRId64,
                              a[0].number, a[1].number, a[2].number);
    if (!fresh)
        return mgc_env_refuse(env, MGC_E_EXISTS, "microgrid %" PRId64 " acknowledged these slots already",
                              a[0].number);
    return MGC_OK;
}

static const mgc__rule rules[] = {{"terms", terms},
                                  {"curtail", curtail},
                                  {"acknowledge", acknowledge},
                                  {"read", mgc__meter_read},
                                  {"correct", mgc__meter_correct}};

/* --- queries ------------------------------------------------------------------------------------------------ */

static mgc_status query_schedule(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__slot_prefix('S', filter);
    mgc__walk w;
    mgc_status st = mgc_rows_begin(
        rows, "slot microgrid carrier buy_wh sell_wh received_wh sent_wh position_wh acknowledged_height take_less_wh "
              "give_less_wh");

    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        const int64_t *v = w.rec.v;
        int64_t microgrid = (int64_t)mgc__key_read(w.key, 9, 4);

        if (!mgc__filter_passes(env, filter, microgrid, 0, w.key[13])) continue;
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 8));
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, microgrid);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.key[13]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, v, SCHEDULE_ACKNOWLEDGED);
        if (st == MGC_OK)
            st = mgc_rows_put_int(rows, v[SCHEDULE_BUY] - v[SCHEDULE_SELL] + v[SCHEDULE_RECEIVED] - v[SCHEDULE_SENT] -
                                            v[SCHEDULE_TAKE_LESS] + v[SCHEDULE_GIVE_LESS]);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, v[SCHEDULE_ACKNOWLEDGED]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, v + SCHEDULE_TAKE_LESS, 2);
    }
    return st;
}

/* A link's flow is its two ends' business, and of those who see all. */
static mgc_status query_flows(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__slot_prefix('F', filter);
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "slot link forward_wh backward_wh capacity_wh");

    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        mgc__rec link;

        st = mgc__party(env, 'L', "link", (int64_t)mgc__key_read(w.key, 9, 4), &link);
        if (st != MGC_OK) return st;
        if (!mgc__filter_passes(env, filter, link.v[LINK_FIRST], link.v[LINK_SECOND], link.v[LINK_CARRIER])) continue;
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 8));
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 9, 4));
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, FLOW_INTS);
    }
    return st;
}

/* Public: what a link can carry and costs. */
static mgc_status query_terms(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('L');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "slot link capacity_wh fee");

    mgc__walk_of(env, &w, &prefix, filter);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        uint64_t slot = mgc__key_read(w.key, 5, 8);

        if (filter->slot != UINT64_MAX && filter->slot != slot) continue;
        st = mgc__rows_put_ints(rows, (int64_t[]){(int64_t)slot, (int64_t)mgc__key_read(w.key, 1, 4)}, 2);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, TERMS_INTS);
    }
    return st;
}

static const mgc__answer answers[] = {
    {"schedule", "microgrid|slot|carrier", query_schedule},
    {"flows", "slot|carrier", query_flows},
    {"terms", "slot", query_terms},
    {"readings", "meter|microgrid|slot|carrier", mgc__query_readings},
};

const mgc__built_in mgc__scheduling = {
    .id = MGC_CONTRACT_SCHEDULING,
    .code_version = 1,
    .name = "scheduling",
    .rules = rules,
    .n_rules = MGC__COUNT(rules),
    .answers = answers,
    .n_answers = MGC__COUNT(answers),
    .on_slot = on_slot,
};
