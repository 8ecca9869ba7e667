/* SPDX-License-Identifier: Apache-2.0 */
/* What every rule needs: the market's parameters, parties, slots, worth, and the moves of money and energy. */
#include "contract/contract.h"

__extension__ typedef unsigned __int128 u128;

/* --- public arithmetic ------------------------------------------------------------------------------ */

uint64_t mgc_slot_at(uint64_t time_ms, uint64_t slot_ms)
{
    return slot_ms == 0 ? 0 : time_ms / slot_ms;
}

uint64_t mgc_slot_begin_ms(uint64_t slot, uint64_t slot_ms)
{
    return slot * slot_ms;
}

mgc_status mgc_worth(uint64_t wh, int64_t price, int64_t *worth)
{
    uint64_t size = price < 0 ? (uint64_t)0 - (uint64_t)price : (uint64_t)price;
    u128 thousandths = (u128)wh * size;
    u128 whole = (thousandths + 500) / 1000;

    if (worth == NULL) return MGC_E_INVALID_ARG;
    *worth = 0;
    if (whole > MGC_AMOUNT_MAX) return MGC_E_OVERFLOW;
    *worth = price < 0 ? -(int64_t)whole : (int64_t)whole;
    return MGC_OK;
}

mgc_status mgc_emission(uint64_t wh, uint64_t factor, uint64_t *grams)
{
    u128 whole = ((u128)wh * factor + 500000) / 1000000;

    if (grams == NULL) return MGC_E_INVALID_ARG;
    *grams = 0;
    if (whole > MGC_AMOUNT_MAX) return MGC_E_OVERFLOW;
    *grams = (uint64_t)whole;
    return MGC_OK;
}

uint64_t mgc_link_delivered(uint64_t sent_wh, uint32_t loss_ppm)
{
    return loss_ppm >= 1000000 ? 0 : (uint64_t)((u128)sent_wh * (1000000 - loss_ppm) / 1000000);
}

/* --- ids ---------------------------------------------------------------------------------------------- */

static void put_number(uint8_t *to, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++) to[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

void mgc_account_id(uint32_t kind, uint32_t microgrid, uint8_t *id)
{
    if (id == NULL) return;
    memset(id, 0, MGC_ID_BYTES);
    put_number(id, MGC_CONTRACT_INFORMATION, 4);
    put_number(id + 4, kind, 4);
    put_number(id + 8, microgrid, 4);
}

void mgc__transfer_id(uint32_t contract, uint64_t number, uint32_t part, uint8_t id[16])
{
    put_number(id, contract, 4);
    put_number(id + 4, number, 8);
    put_number(id + 12, part, 4);
}

/* --- parameters and parties ----------------------------------------------------------------------------- */

void mgc__market_read(const mgc__rec *rec, mgc__market *market)
{
    market->slot_ms = (uint64_t)rec->v[MARKET_SLOT_MS];
    market->gate_ms = (uint64_t)rec->v[MARKET_GATE_MS];
    market->gate_slots = (uint64_t)rec->v[MARKET_GATE_SLOTS];
    market->window_ms = (uint64_t)rec->v[MARKET_WINDOW_MS];
    market->collateral_bp = (uint32_t)rec->v[MARKET_COLLATERAL_BP];
    market->pending_blocks = (uint64_t)rec->v[MARKET_PENDING_BLOCKS];
    market->first_slot = (uint64_t)rec->v[MARKET_FIRST_SLOT];
}

mgc_status mgc__market_get(mgc_env *env, mgc__market *market)
{
    mgc__key key = mgc__key_of('P');
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &key, &rec);

    if (st == MGC_E_NOT_FOUND) return mgc_env_refuse(env, MGC_E_STATE, "the market is not founded yet");
    if (st == MGC_OK) mgc__market_read(&rec, market);
    return st;
}

mgc_status mgc__party(mgc_env *env, char kind, const char *what, int64_t id, mgc__rec *rec)
{
    mgc__key key = mgc__key_u32(mgc__key_of(kind), (uint32_t)id);
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &key, rec);

    if (st == MGC_E_NOT_FOUND) return mgc_env_refuse(env, st, "there is no %s %" PRId64, what, id);
    return st;
}

mgc_status mgc__link_in_slot(mgc_env *env, int64_t id, int64_t slot, mgc__rec *link)
{
    mgc__key key = mgc__key_u64(mgc__key_u32(mgc__key_of('L'), (uint32_t)id), (uint64_t)slot);
    mgc__rec terms;
    mgc_status st = mgc__party(env, 'L', "link", id, link);

    if (st != MGC_OK) return st;
    st = mgc__rec_get(env, MGC_CONTRACT_SCHEDULING, &key, &terms);
    if (st == MGC_OK) {
        link->v[LINK_CAPACITY] = terms.v[TERMS_CAPACITY];
        link->v[LINK_FEE] = terms.v[TERMS_FEE];
    }
    return st == MGC_E_NOT_FOUND ? MGC_OK : st;
}

mgc_status mgc__manager_signed(mgc_env *env, int64_t microgrid, const mgc__rec *grid)
{
    if (mgc_env_signed(env, (uint32_t)grid->v[GRID_MANAGER], MGC_ROLE_MANAGER)) return MGC_OK;
    return mgc_env_refuse(env, MGC_E_MISSING_SIGNER,
                          "the manager of microgrid %" PRId64 ", member %" PRId64 ", did not sign", microgrid,
                          grid->v[GRID_MANAGER]);
}

mgc_status mgc__role_signed(mgc_env *env, uint32_t role, const char *name)
{
    if (mgc__env_signed_as(env, role) != 0) return MGC_OK;
    return mgc_env_refuse(env, MGC_E_FORBIDDEN, "no %s signed", name);
}

uint64_t mgc__gate_ms(const mgc__market *market, uint64_t slot)
{
    uint64_t first = slot < market->first_slot
                         ? slot
                         : market->first_slot + (slot - market->first_slot) / market->gate_slots * market->gate_slots;
    uint64_t begin = mgc_slot_begin_ms(first, market->slot_ms);

    return begin < market->gate_ms ? 0 : begin - market->gate_ms;
}

mgc_status mgc__slot_known(mgc_env *env, const mgc__market *market, int64_t slot)
{
    uint64_t ahead = mgc_slot_at(env->time_ms + UINT64_C(366) * 86400000, market->slot_ms);

    if (slot < 0 || (uint64_t)slot < market->first_slot || (uint64_t)slot > ahead)
        return mgc_env_refuse(env, MGC_E_SLOT, "slot %" PRId64 " is not one of %" PRIu64 "..%" PRIu64, slot,
                              market->first_slot, ahead);
    return MGC_OK;
}

mgc_status mgc__slot_open(mgc_env *env, const mgc__market *market, int64_t slot)
{
    mgc_status st = mgc__slot_known(env, market, slot);

    if (st != MGC_OK) return st;
    if (mgc_slot_begin_ms((uint64_t)slot, market->slot_ms) <= env->time_ms)
        return mgc_env_refuse(env, MGC_E_SLOT, "slot %" PRId64 " began at %" PRIu64 " ms; it is %" PRIu64 " ms", slot,
                              mgc_slot_begin_ms((uint64_t)slot, market->slot_ms), env->time_ms);
    if (mgc__gate_ms(market, (uint64_t)slot) <= env->time_ms)
        return mgc_env_refuse(env, MGC_E_GATE_CLOSED,
                              "the gate of slot %" PRId64 " closed at %" PRIu64 " ms; it is %" PRIu64 " ms", slot,
                              mgc__gate_ms(market, (uint64_t)slot), env->time_ms);
    return MGC_OK;
}

int64_t mgc__next_gate(const mgc__state *state, const mgc__market *market)
{
    const uint8_t *bytes;
    size_t len;
    mgc__rec rec;

    if (state == NULL ||
        mgc__record_get(state, MGC_CONTRACT_INFORMATION, (const uint8_t *)"Z", 1, &bytes, &len) != MGC_OK ||
        mgc__rec_decode(bytes, len, &rec) != MGC_OK)
        return (int64_t)market->first_slot;
    return rec.v[0];
}

bool mgc__scheduled(const mgc_env *env, const mgc__market *market, int64_t slot)
{
    return mgc__next_gate(mgc__state_of(&env->homes, MGC_CONTRACT_SCHEDULING), market) > slot;
}

const char *mgc__carrier_name(int64_t carrier)
{
    return carrier == MGC_CARRIER_ELECTRICITY ? "electricity" : carrier == MGC_CARRIER_HEAT ? "heat" : "gas";
}

mgc_status mgc__metered(mgc_env *env, int64_t microgrid, int64_t carrier)
{
    mgc__key prefix = mgc__key_u32(mgc__key_of('H'), (uint32_t)microgrid);
    mgc__walk w;

    mgc__walk_begin(&w, MGC_CONTRACT_INFORMATION, &prefix);
    while (mgc__walk_next(env, &w))
        if (w.rec.v[0] == carrier) return MGC_OK;
    if (env->broken != MGC_OK) return env->broken;
    return mgc_env_refuse(env, MGC_E_NOT_FOUND, "microgrid %" PRId64 " has no meter for %s", microgrid,
                          mgc__carrier_name(carrier));
}

/* --- accounts ---------------------------------------------------------------------------------------------- */

static uint32_t unit_of(uint32_t kind)
{
    switch (kind) {
    case MGC_ACCOUNT_ELECTRICITY:
    case MGC_ACCOUNT_GRID_ELECTRICITY:
    case MGC_ACCOUNT_LOSS_ELECTRICITY: return MGC_UNIT_WH_ELECTRICITY;
    case MGC_ACCOUNT_HEAT:
    case MGC_ACCOUNT_GRID_HEAT:
    case MGC_ACCOUNT_LOSS_HEAT: return MGC_UNIT_WH_HEAT;
    case MGC_ACCOUNT_CARBON:
    case MGC_ACCOUNT_CARBON_SOURCE: return MGC_UNIT_G_CO2E;
    default: return MGC_UNIT_MICRO_CURRENCY;
    }
}

static mgc_status open_account(mgc_env *env, uint32_t kind, uint32_t microgrid)
{
    mgc_account_info account = {.struct_size = sizeof account,
                                .unit = unit_of(kind),
                                .code = kind,
                                .user_data_32 = microgrid,
                                .flags = kind == MGC_ACCOUNT_MONEY ? MGC_ACCOUNT_DEBITS_BOUNDED : 0};

    mgc_account_id(kind, microgrid, account.id);
    return mgc_env_open_account(env, &account);
}

mgc_status mgc__open_accounts(mgc_env *env, uint32_t microgrid)
{
    uint32_t first = microgrid == 0 ? MGC_ACCOUNT_BANK : MGC_ACCOUNT_MONEY;
    uint32_t last = microgrid == 0 ? MGC_ACCOUNT_CARBON_SOURCE : MGC_ACCOUNT_CARBON;

    for (uint32_t kind = first; kind <= last; kind++) {
        mgc_status st = open_account(env, kind, microgrid);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

/* On three chains nobody opens accounts beside enrolment, which is on another one: they are opened when first used. */
static mgc_status ensure_account(mgc_env *env, uint32_t kind, uint32_t microgrid)
{
    mgc_account_info account;
    uint8_t id[16];
    mgc_status st;

    mgc_account_id(kind, microgrid, id);
    st = mgc_env_account(env, id, &account);
    return st == MGC_E_NOT_FOUND ? mgc__open_accounts(env, microgrid) : st;
}

/* --- moves --------------------------------------------------------------------------------------------------- */

mgc_status mgc__move_make(mgc_env *env, const mgc__move *move)
{
    mgc_transfer_info t = {.struct_size = sizeof t,
                           .amount = move->amount,
                           .unit = move->unit,
                           .code = move->code,
                           .flags = move->flags,
                           .timeout = move->timeout,
                           .user_data_64 = move->number};
    mgc_status st;

    if (move->amount == 0) return MGC_OK;
    st = ensure_account(env, move->from_kind, move->from);
    if (st == MGC_OK) st = ensure_account(env, move->to_kind, move->to);
    if (st != MGC_OK) return st;
    mgc__transfer_id(env->contract, move->number, move->part, t.id);
    mgc_account_id(move->from_kind, move->from, t.debit_account);
    mgc_account_id(move->to_kind, move->to, t.credit_account);
    return mgc_env_transfer(env, &t);
}

mgc_status mgc__pending_state(mgc_env *env, uint64_t number, uint32_t part, uint32_t *state, uint64_t *amount)
{
    mgc_transfer_info t = {.struct_size = sizeof t};
    uint8_t id[16];
    mgc_status st = mgc__env_meter(env, sizeof t);

    *state = 0;
    *amount = 0;
    if (st != MGC_OK) return st;
    mgc__transfer_id(MGC_CONTRACT_TRADING, number, part, id);
    st = mgc__env_keep(env, mgc__transfer_get(mgc__state_of(&env->homes, MGC_CONTRACT_TRADING), id, &t));
    if (st == MGC_E_NOT_FOUND) return MGC_OK; /* nothing had to be reserved */
    if (st != MGC_OK) return st;
    *state = t.state;
    *amount = t.amount;
    return MGC_OK;
}

mgc_status mgc__pending_end(mgc_env *env, uint64_t number, uint32_t part, uint32_t code, uint32_t flag)
{
    mgc_transfer_info t = {.struct_size = sizeof t, .code = code, .flags = flag, .user_data_64 = number};

    assert(flag == MGC_TRANSFER_POST || flag == MGC_TRANSFER_VOID);
    if (flag == MGC_TRANSFER_POST) t.amount = MGC_AMOUNT_ALL;
    mgc__transfer_id(env->contract, number, part + PART_SECOND_PHASE, t.id);
    mgc__transfer_id(MGC_CONTRACT_TRADING, number, part, t.pending_id);
    return mgc_env_transfer(env, &t);
}

/* Money that may be spent: posted, less what is spent and reserved. */
static mgc_status available(mgc_env *env, uint32_t microgrid, uint64_t *amount)
{
    mgc_account_info account;
    uint8_t id[16];
    mgc_status st;

    mgc_account_id(MGC_ACCOUNT_MONEY, microgrid, id);
    st = mgc_env_account(env, id, &account);
    *amount = 0;
    if (st != MGC_OK) return st == MGC_E_NOT_FOUND ? MGC_OK : st;
    assert(account.credits_posted >= account.debits_posted + account.debits_pending); /* the account's flag */
    *amount = account.credits_posted - account.debits_posted - account.debits_pending;
    return MGC_OK;
}

mgc_status mgc__charge(mgc_env *env, const mgc__move *move)
{
    mgc__move paid = *move, owed = *move;
    uint64_t there;
    mgc_status st;

    assert(move->from_kind == MGC_ACCOUNT_MONEY);
    st = available(env, move->from, &there);
    if (st != MGC_OK) return st;
    paid.amount = move->amount < there ? move->amount : there;
    owed.amount = move->amount - paid.amount;
    owed.from_kind = MGC_ACCOUNT_DUE;
    owed.part += PART_DUE;
    st = mgc__move_make(env, &paid);
    return st != MGC_OK ? st : mgc__move_make(env, &owed);
}

mgc_status mgc__debt(mgc_env *env, int64_t microgrid, uint64_t *debt)
{
    mgc_account_info account;
    uint8_t id[16];
    mgc_status st;

    mgc_account_id(MGC_ACCOUNT_DUE, (uint32_t)microgrid, id);
    st = mgc_env_account(env, id, &account);
    *debt = 0;
    if (st == MGC_OK && account.debits_posted > account.credits_posted)
        *debt = account.debits_posted - account.credits_posted;
    return st == MGC_E_NOT_FOUND ? MGC_OK : st;
}

mgc_status mgc__no_debt(mgc_env *env, int64_t microgrid)
{
    uint64_t debt;
    mgc_status st = mgc__debt(env, microgrid, &debt);

    if (st != MGC_OK || debt == 0) return st;
    return mgc_env_refuse(env, MGC_E_EXCEEDS_CREDIT, "microgrid %" PRId64 " owes %" PRIu64 " micro-currency",
                          microgrid, debt);
}
