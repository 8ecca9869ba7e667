/* SPDX-License-Identifier: Apache-2.0 */
/* Each phase of a day as drafts of transactions. */
#include <math.h>

#include "settle/settle.h"

/* Blocks of a batch follow each other by a millisecond; the window counts from the last. */
enum { SETTLE_MARGIN_MS = 60000 };

/* One draft under construction; a failure is kept, so that a phase reads straight down. */
typedef struct maker {
    mgc_day *day;
    draft *at;
    uint32_t phase;
    uint64_t due_ms;
    mgc_status st;
} maker;

static void begin(maker *m, uint32_t contract, const char *method, uint32_t member, uint32_t role)
{
    mgc_day *day = m->day;
    void *block = day->drafts;

    m->at = NULL;
    if (m->st != MGC_OK) return;
    if (!mgc__grow(day->ctx, &block, &day->drafts_cap, day->n_drafts + 1, sizeof *day->drafts)) {
        m->st = mgc__no_memory(day->ctx, "settle: drafts");
        return;
    }
    day->drafts = block;
    m->at = &day->drafts[day->n_drafts];
    *m->at = (draft){.phase = m->phase, .contract = contract, .method = method, .due_ms = m->due_ms, .n_signers = 1};
    m->at->signers[0].member = member;
    m->at->signers[0].role = role;
    m->st = mgc_args_create(day->ctx, contract, method, &m->at->args);
    if (m->st == MGC_OK) day->n_drafts++;
}

static void co_sign(maker *m, uint32_t member, uint32_t role)
{
    if (m->st != MGC_OK) return;
    m->at->signers[1].member = member;
    m->at->signers[1].role = role;
    m->at->n_signers = 2;
}

static void put_int(maker *m, const char *field, int64_t value)
{
    if (m->st == MGC_OK) m->st = mgc_args_set_int(m->at->args, field, value);
}

static void put_amount(maker *m, const char *field, uint64_t value)
{
    put_int(m, field, value > MGC_AMOUNT_MAX ? (int64_t)MGC_AMOUNT_MAX : (int64_t)value);
}

static void put_text(maker *m, const char *field, const char *text)
{
    if (m->st == MGC_OK) m->st = mgc_args_set_text(m->at->args, field, text);
}

static void put_bytes(maker *m, const char *field, const uint8_t *bytes, size_t len)
{
    if (m->st == MGC_OK) m->st = mgc_args_set_bytes(m->at->args, field, bytes, len);
}

static void put_row(maker *m, const char *field, const int64_t *row, size_t n)
{
    if (m->st == MGC_OK) m->st = mgc_args_add_row(m->at->args, field, row, n);
}

/* Drop a draft that turned out to have nothing to say. */
static void take_back(maker *m)
{
    if (m->st != MGC_OK) return;
    mgc_args_destroy(m->at->args);
    m->day->n_drafts--;
}

static void put_public_key(maker *m, const char *field, uint32_t member)
{
    const mgc_key *key = m->st == MGC_OK ? m->day->opts.key(m->day->opts.user, member) : NULL;
    uint8_t public_key[32];

    if (m->st != MGC_OK) return;
    if (key == NULL) {
        m->st =
            mgc__fail(m->day->ctx, MGC_E_MISSING_SIGNER, "settle: the host gave no key for member %" PRIu32, member);
        return;
    }
    m->st = mgc_key_public(key, public_key);
    put_bytes(m, field, public_key, sizeof public_key);
}

static int64_t slot_of(const mgc_day *day, uint32_t period)
{
    return (int64_t)(day->first_slot + period);
}

static uint32_t manager(uint32_t index)
{
    return MGC_DAY_MANAGER + index + 1;
}

/* --- founding ------------------------------------------------------------------------------------- */

static void found_market(maker *m)
{
    mgc_day *day = m->day;

    begin(m, MGC_CONTRACT_INFORMATION, "found", MGC_DAY_ADMINISTRATOR, MGC_ROLE_ADMINISTRATOR);
    put_text(m, "name", day->name);
    put_text(m, "currency", day->currency);
    put_amount(m, "slot_ms", day->slot_ms);
    put_amount(m, "gate_ms", day->opts.gate_ms);
    put_int(m, "gate_slots", day->periods);
    put_amount(m, "window_ms", day->opts.window_ms);
    put_int(m, "collateral_bp", day->opts.collateral_bp);
    put_int(m, "pending_blocks", day->opts.pending_blocks);
    put_int(m, "first_slot", slot_of(day, 0));
    put_public_key(m, "administrator", MGC_DAY_ADMINISTRATOR);
    co_sign(m, MGC_DAY_VALIDATOR, MGC_ROLE_VALIDATOR);
}

static void enrol(maker *m, uint32_t id, uint32_t organisation, const char *name, uint32_t roles)
{
    begin(m, MGC_CONTRACT_INFORMATION, "member", MGC_DAY_ADMINISTRATOR, MGC_ROLE_ADMINISTRATOR);
    put_int(m, "id", id);
    put_int(m, "organisation", organisation);
    put_text(m, "name", name);
    put_int(m, "roles", roles);
    put_public_key(m, "key", id);
    put_int(m, "from_height", 0);
}

static void found_microgrid(maker *m, uint32_t index)
{
    const microgrid *g = &m->day->microgrids[index];

    begin(m, MGC_CONTRACT_INFORMATION, "organisation", MGC_DAY_ADMINISTRATOR, MGC_ROLE_ADMINISTRATOR);
    put_int(m, "id", index + 2);
    put_text(m, "name", g->name);
    enrol(m, manager(index), index + 2, g->name, 1u << MGC_ROLE_MANAGER);
    begin(m, MGC_CONTRACT_INFORMATION, "microgrid", MGC_DAY_ADMINISTRATOR, MGC_ROLE_ADMINISTRATOR);
    put_int(m, "id", index + 1);
    put_int(m, "organisation", index + 2);
    put_int(m, "manager", manager(index));
    put_text(m, "name", g->name);
    for (uint32_t c = 0; c < 2; c++) {
        int64_t row[4] = {c + 1, (int64_t)g->limits[c][0], (int64_t)g->limits[c][1], (int64_t)g->limits[c][2]};
        put_row(m, "limits", row, 4);
    }
}

static uint64_t largest_capacity(const mgc_day *day, const line *l)
{
    uint64_t most = 0;

    for (uint32_t t = 0; t < day->periods; t++)
        if (l->capacity[t] > most) most = l->capacity[t];
    return most;
}

static void found_link(maker *m, uint32_t index)
{
    const line *l = &m->day->lines[index];

    begin(m, MGC_CONTRACT_INFORMATION, "link", MGC_DAY_ADMINISTRATOR, MGC_ROLE_ADMINISTRATOR);
    put_int(m, "id", index + 1);
    put_int(m, "first", l->first + 1);
    put_int(m, "second", l->second + 1);
    put_int(m, "carrier", l->carrier);
    put_amount(m, "capacity_wh", largest_capacity(m->day, l));
    put_int(m, "loss_ppm", l->loss_ppm);
    put_int(m, "fee_micro_per_kwh", l->fee[0]);
}

static void found_meter(maker *m, const meter *at)
{
    static const char *const names[] = {"electricity meter", "heat meter", "gas meter"};
    uint32_t number = mgc__day_meter_number(m->day, at);

    enrol(m, MGC_DAY_METER + number, at->microgrid + 2, names[at->carrier - 1], 1u << MGC_ROLE_METER);
    begin(m, MGC_CONTRACT_INFORMATION, "meter", MGC_DAY_ADMINISTRATOR, MGC_ROLE_ADMINISTRATOR);
    put_int(m, "id", number);
    put_int(m, "microgrid", at->microgrid + 1);
    put_int(m, "carrier", at->carrier);
    put_int(m, "link", at->link);
    put_int(m, "member", MGC_DAY_METER + number);
    put_int(m, "from_slot", slot_of(m->day, 0));
    put_int(m, "digits", 15);
    put_int(m, "max_wh", INT64_C(1000000000000));
    put_amount(m, "in_wh", at->in);
    put_amount(m, "out_wh", at->out);
}

static void found(maker *m)
{
    if (m->day->continues) return;
    found_market(m);
    enrol(m, MGC_DAY_MARKET_OPERATOR, 1, "market operator", 1u << MGC_ROLE_MARKET_OPERATOR);
    enrol(m, MGC_DAY_DISPATCHER, 1, "dispatcher", 1u << MGC_ROLE_DISPATCHER);
    enrol(m, MGC_DAY_REGULATOR, 1, "regulator", 1u << MGC_ROLE_REGULATOR | 1u << MGC_ROLE_AUDITOR);
    for (uint32_t i = 0; i < m->day->n; i++) found_microgrid(m, i);
    for (uint32_t l = 0; l < m->day->links; l++) found_link(m, l);
    for (uint32_t i = 0; i < m->day->n_meters; i++) found_meter(m, &m->day->meters[i]);
}

/* --- tariffs and terms --------------------------------------------------------------------------------- */

static void tariffs(maker *m)
{
    const mgc_day *day = m->day;

    for (uint32_t i = 0; i < day->n; i++)
        for (uint32_t c = 0; c < CARRIERS; c++) {
            if (!day->microgrids[i].connected[c]) continue;
            begin(m, MGC_CONTRACT_SETTLEMENT, "tariff", MGC_DAY_MARKET_OPERATOR, MGC_ROLE_MARKET_OPERATOR);
            put_int(m, "microgrid", i + 1);
            put_int(m, "carrier", c + 1);
            for (uint32_t t = 0; t < day->periods; t++) {
                const tariff *at = &day->microgrids[i].tariffs[c][t];
                put_row(m, "rows",
                        (int64_t[]){slot_of(day, t), at->buy, at->sell, at->shortage, at->surplus, at->emission}, 6);
            }
        }
}

/* Slots in which a link is not as it was enrolled; a later day says it of all. */
static void terms(maker *m)
{
    const mgc_day *day = m->day;

    for (uint32_t i = 0; i < day->links; i++) {
        const line *l = &day->lines[i];
        uint64_t most = largest_capacity(day, l);
        bool any = false;

        begin(m, MGC_CONTRACT_SCHEDULING, "terms", MGC_DAY_DISPATCHER, MGC_ROLE_DISPATCHER);
        put_int(m, "link", i + 1);
        for (uint32_t t = 0; t < day->periods; t++) {
            if (!day->continues && l->capacity[t] == most && l->fee[t] == l->fee[0]) continue;
            put_row(m, "rows", (int64_t[]){slot_of(day, t), (int64_t)l->capacity[t], l->fee[t]}, 3);
            any = true;
        }
        if (!any) take_back(m);
    }
}

/* --- deposits -------------------------------------------------------------------------------------------- */

/* What the ledger takes of the pool for a link: its member makes it up. */
static mgc_status pool_fee(const mgc_day *day, const line *l, uint32_t direction, uint32_t period, int64_t *pool)
{
    int64_t fee = 0;
    mgc_status st = day->pool ? mgc_worth(l->sent[direction][period], l->fee[period], &fee) : MGC_OK;

    *pool = direction == 0 ? fee - fee / 2 : fee / 2; /* the buyer pays the odd micro-currency */
    return st;
}

mgc_status mgc__day_transfer(const mgc_day *day, const payment *p, int64_t *micro)
{
    *micro = p->micro;
    for (uint32_t i = 0; i < day->links; i++) {
        const line *l = &day->lines[i];

        if (!((l->first == p->first && l->second == p->second) || (l->first == p->second && l->second == p->first)))
            continue;
        for (uint32_t d = 0; d < DIRECTIONS; d++)
            for (uint32_t t = 0; t < day->periods; t++) {
                uint32_t seller = d == 0 ? l->first : l->second;
                int64_t worth, fee;
                mgc_status st = mgc_worth(l->sent[d][t], l->price[d][t], &worth);

                if (st == MGC_OK) st = pool_fee(day, l, d, t, &fee);
                if (st != MGC_OK) return st;
                *micro += seller == p->first ? worth : -worth; /* first pays less by what it is paid for energy */
                *micro += p->first == l->first ? fee : -fee;
            }
    }
    return MGC_OK;
}

/* All that the day may take from each member's money by plan: what it pays, and what is reserved besides. */
static mgc_status outgoings(mgc_day *day)
{
    memset(day->deposit, 0, day->n * sizeof *day->deposit);
    for (uint32_t i = 0; i < day->links; i++)
        for (uint32_t d = 0; d < DIRECTIONS; d++)
            for (uint32_t t = 0; t < day->periods; t++) {
                const line *l = &day->lines[i];
                uint32_t seller = d == 0 ? l->first : l->second, buyer = d == 0 ? l->second : l->first;
                int64_t worth, fee, size;
                mgc_status st = mgc_worth(l->sent[d][t], l->price[d][t], &worth);

                if (st == MGC_OK) st = mgc_worth(l->sent[d][t], l->fee[t], &fee);
                if (st != MGC_OK) return st;
                size = worth < 0 ? -worth : worth;
                day->deposit[worth < 0 ? seller : buyer] += size;
                day->deposit[seller] += size / 10000 * day->opts.collateral_bp + day->opts.collateral_bp + fee;
                day->deposit[buyer] += size / 10000 * day->opts.collateral_bp + day->opts.collateral_bp + fee;
            }
    for (size_t i = 0; i < day->n_payments; i++) {
        int64_t micro;
        mgc_status st = mgc__day_transfer(day, &day->payments[i], &micro);
        if (st != MGC_OK) return st;
        day->deposit[micro > 0 ? day->payments[i].first : day->payments[i].second] += micro > 0 ? micro : -micro;
    }
    return MGC_OK;
}

static mgc_status grid_outgoings(mgc_day *day)
{
    for (uint32_t i = 0; i < day->n; i++)
        for (uint32_t c = 0; c < 2; c++)
            for (uint32_t t = 0; t < day->periods; t++) {
                int64_t buy, sell;
                mgc_status st = mgc_worth(day->microgrids[i].buy[c][t], day->microgrids[i].tariffs[c][t].buy, &buy);

                if (st == MGC_OK)
                    st = mgc_worth(day->microgrids[i].sell[c][t], day->microgrids[i].tariffs[c][t].sell, &sell);
                if (st != MGC_OK) return st;
                day->deposit[i] += (buy > 0 ? buy : 0) + (sell < 0 ? -sell : 0);
            }
    return MGC_OK;
}

static void deposits(maker *m)
{
    mgc_day *day = m->day;

    if (m->st == MGC_OK) m->st = outgoings(day);
    if (m->st == MGC_OK) m->st = grid_outgoings(day);
    for (uint32_t i = 0; i < day->n && m->st == MGC_OK; i++) {
        if (!mgc__whole(ceil((double)day->deposit[i] * (1 + day->opts.deposit_margin)), &day->deposit[i]))
            m->st = mgc__fail(day->ctx, MGC_E_OVERFLOW, "settle: the deposit of \"%s\" is over 2^53",
                              day->microgrids[i].name);
        if (m->st != MGC_OK || day->deposit[i] == 0) continue;
        begin(m, MGC_CONTRACT_TRADING, "deposit", MGC_DAY_MARKET_OPERATOR, MGC_ROLE_MARKET_OPERATOR);
        put_int(m, "microgrid", i + 1);
        put_int(m, "amount_micro", day->deposit[i]);
        put_text(m, "reference", "");
    }
}

/* --- commitments -------------------------------------------------------------------------------------------- */

mgc_status mgc__day_bargain(const mgc_day *day, mgc__buf *bytes, uint8_t hash[32])
{
    static const char tag[] = "mgchain/bargain/1";
    mgc__cbor_writer w;

    mgc__buf_put(bytes, tag, sizeof tag); /* with its NUL, as every hash of the library */
    mgc__cbor_to_buf(&w, bytes);
    mgc__cbor_put_map(&w, 5);
    mgc__cbor_put_bytes_at(&w, 1, day->chains[HOME_TRADING].id, 32);
    mgc__cbor_put_uint_at(&w, 2, day->first_slot);
    mgc__cbor_put_uint_at(&w, 3, day->periods);
    mgc__cbor_put_uint(&w, 4);
    mgc__cbor_put_array(&w, (uint64_t)day->links * DIRECTIONS);
    for (uint32_t i = 0; i < day->links * DIRECTIONS; i++) {
        const line *l = &day->lines[i / DIRECTIONS];
        mgc__cbor_put_array(&w, 2 * (uint64_t)day->periods);
        for (uint32_t t = 0; t < day->periods; t++) {
            mgc__cbor_put_uint(&w, l->sent[i % DIRECTIONS][t]);
            mgc__cbor_put_int(&w, l->price[i % DIRECTIONS][t]);
        }
    }
    mgc__cbor_put_uint(&w, 5);
    mgc__cbor_put_array(&w, day->n_payments);
    for (size_t i = 0; i < day->n_payments; i++) {
        mgc__cbor_put_array(&w, 3);
        mgc__cbor_put_uint(&w, day->payments[i].first + 1);
        mgc__cbor_put_uint(&w, day->payments[i].second + 1);
        mgc__cbor_put_int(&w, day->payments[i].micro);
    }
    if (w.status != MGC_OK) return mgc__fail(day->ctx, w.status, "settle: the bargain could not be encoded");
    return mgc_sha256(bytes->bytes, bytes->len, hash);
}

static mgc_status bargain_hash(const mgc_day *day, uint8_t hash[32])
{
    mgc__buf buf;
    mgc_status st;

    if (day->opts.record_hash != NULL) {
        memcpy(hash, day->record_hash, 32);
        return MGC_OK;
    }
    mgc__buf_init(&buf, day->ctx, SIZE_MAX / 2);
    st = mgc__day_bargain(day, &buf, hash);
    mgc__buf_free(&buf);
    return st;
}

static void commit(maker *m, uint32_t kind, const uint8_t hash[32])
{
    begin(m, MGC_CONTRACT_INFORMATION, "commit", MGC_DAY_MARKET_OPERATOR, MGC_ROLE_MARKET_OPERATOR);
    put_int(m, "kind", kind);
    put_int(m, "slot", slot_of(m->day, 0));
    put_bytes(m, "hash", hash, 32);
}

static void commitments(maker *m)
{
    uint8_t hash[32];

    if (m->day->opts.inputs_hash != NULL) commit(m, 2, m->day->inputs_hash);
    if (m->st == MGC_OK) m->st = bargain_hash(m->day, hash);
    if (m->st == MGC_OK) commit(m, 3, hash);
}

/* --- nominations, agreements, payments ------------------------------------------------------------------------ */

static void nominations(maker *m)
{
    const mgc_day *day = m->day;

    for (uint32_t i = 0; i < day->n; i++)
        for (uint32_t c = 0; c < 2; c++) {
            const microgrid *g = &day->microgrids[i];
            bool any = false;

            if (!g->connected[c]) continue;
            begin(m, MGC_CONTRACT_TRADING, "nominate", manager(i), MGC_ROLE_MANAGER);
            put_int(m, "microgrid", i + 1);
            put_int(m, "carrier", c + 1);
            for (uint32_t t = 0; t < day->periods; t++) {
                if (g->buy[c][t] == 0 && g->sell[c][t] == 0) continue;
                put_row(m, "rows", (int64_t[]){slot_of(day, t), (int64_t)g->buy[c][t], (int64_t)g->sell[c][t]}, 3);
                any = true;
            }
            if (!any) take_back(m);
        }
}

static void agreement(maker *m, uint32_t index, uint32_t direction)
{
    const line *l = &m->day->lines[index];
    uint32_t seller = direction == 0 ? l->first : l->second, buyer = direction == 0 ? l->second : l->first;
    bool any = false;

    begin(m, MGC_CONTRACT_TRADING, "agree", manager(seller), MGC_ROLE_MANAGER);
    co_sign(m, manager(buyer), MGC_ROLE_MANAGER);
    put_int(m, "seller", seller + 1);
    put_int(m, "buyer", buyer + 1);
    put_int(m, "link", index + 1);
    for (uint32_t t = 0; t < m->day->periods; t++) {
        if (l->sent[direction][t] == 0) continue;
        put_row(m, "rows", (int64_t[]){slot_of(m->day, t), (int64_t)l->sent[direction][t], l->price[direction][t]},
                3);
        any = true;
    }
    if (!any) take_back(m);
}

static void pay(maker *m, const payment *p, const uint8_t hash[32])
{
    int64_t micro = 0;
    uint32_t payer, payee;

    if (m->st == MGC_OK) m->st = mgc__day_transfer(m->day, p, &micro);
    if (m->st != MGC_OK || micro == 0) return;
    payer = micro > 0 ? p->first : p->second;
    payee = micro > 0 ? p->second : p->first;
    begin(m, MGC_CONTRACT_TRADING, "pay", manager(payer), MGC_ROLE_MANAGER);
    co_sign(m, manager(payee), MGC_ROLE_MANAGER);
    put_int(m, "payer", payer + 1);
    put_int(m, "payee", payee + 1);
    put_int(m, "amount_micro", micro > 0 ? micro : -micro);
    put_int(m, "first_slot", slot_of(m->day, 0));
    put_int(m, "last_slot", slot_of(m->day, m->day->periods - 1));
    put_bytes(m, "run_hash", hash, 32);
}

static void agreements(maker *m)
{
    uint8_t hash[32] = {0};

    for (uint32_t i = 0; i < m->day->links; i++)
        for (uint32_t d = 0; d < DIRECTIONS; d++) agreement(m, i, d);
    if (m->st == MGC_OK) m->st = bargain_hash(m->day, hash);
    for (size_t i = 0; i < m->day->n_payments; i++) pay(m, &m->day->payments[i], hash);
}

/* --- delivery --------------------------------------------------------------------------------- */

/* Has the microgrid anything in its schedule? */
static bool scheduled(const mgc_day *day, uint32_t index)
{
    const microgrid *g = &day->microgrids[index];

    for (uint32_t t = 0; t < day->periods; t++) {
        for (uint32_t c = 0; c < 2; c++)
            if (g->connected[c] && (g->buy[c][t] != 0 || g->sell[c][t] != 0)) return true;
        for (uint32_t l = 0; l < day->links; l++)
            if ((day->lines[l].first == index || day->lines[l].second == index) &&
                (day->lines[l].sent[0][t] != 0 || day->lines[l].sent[1][t] != 0))
                return true;
    }
    return false;
}

static void acknowledgements(maker *m)
{
    m->due_ms = m->day->opts.start_ms > m->day->opts.gate_ms ? m->day->opts.start_ms - m->day->opts.gate_ms : 0;
    for (uint32_t i = 0; i < m->day->n; i++) {
        if (!scheduled(m->day, i)) continue;
        begin(m, MGC_CONTRACT_SCHEDULING, "acknowledge", manager(i), MGC_ROLE_MANAGER);
        put_int(m, "microgrid", i + 1);
        put_int(m, "first_slot", slot_of(m->day, 0));
        put_int(m, "last_slot", slot_of(m->day, m->day->periods - 1));
    }
}

static void read_meter(maker *m, const meter *at, uint32_t period, uint64_t registers[2])
{
    uint32_t number = mgc__day_meter_number(m->day, at);
    uint64_t in, out;

    mgc__day_moved(m->day, at, period, &in, &out);
    registers[0] += in;
    registers[1] += out;
    begin(m, MGC_CONTRACT_SCHEDULING, "read", MGC_DAY_METER + number, MGC_ROLE_METER);
    put_int(m, "meter", number);
    put_row(m, "rows", (int64_t[]){slot_of(m->day, period), (int64_t)registers[0], (int64_t)registers[1], 0}, 4);
}

static void readings(maker *m)
{
    const mgc_day *day = m->day;
    uint64_t(*registers)[2] = mgc__alloc(day->ctx, day->n_meters, sizeof *registers);

    if (registers == NULL) {
        m->st = mgc__no_memory(day->ctx, "settle: registers");
        return;
    }
    for (uint32_t i = 0; i < day->n_meters; i++) {
        registers[i][0] = day->meters[i].in;
        registers[i][1] = day->meters[i].out;
    }
    for (uint32_t t = 0; t < day->periods; t++) {
        m->due_ms = day->opts.start_ms + (uint64_t)(t + 1) * day->slot_ms;
        for (uint32_t i = 0; i < day->n_meters; i++) read_meter(m, &day->meters[i], t, registers[i]);
    }
    mgc__free(day->ctx, registers);
}

static void by_slot(maker *m, const char *method, uint64_t after_ms)
{
    m->due_ms = m->day->opts.start_ms + m->day->periods * m->day->slot_ms + after_ms;
    for (uint32_t t = 0; t < m->day->periods; t++) {
        begin(m, MGC_CONTRACT_SETTLEMENT, method, MGC_DAY_MARKET_OPERATOR, MGC_ROLE_MARKET_OPERATOR);
        put_int(m, "slot", slot_of(m->day, t));
    }
}

/* --- phases ----------------------------------------------------------------------------------- */

void mgc__day_drop_drafts(mgc_day *day)
{
    for (size_t i = 0; i < day->n_drafts; i++) mgc_args_destroy(day->drafts[i].args);
    day->n_drafts = day->next_draft = 0;
}

mgc_status mgc__day_draft(mgc_day *day, uint32_t phase)
{
    maker m = {.day = day, .phase = phase, .due_ms = day->opts.now_ms};

    mgc__day_drop_drafts(day);
    if (phase >= MGC_DAY_DEPOSIT && !day->bargained)
        return mgc__fail(day->ctx, MGC_E_STATE, "settle: no bargain is set yet");
    if (phase >= MGC_DAY_READ && !day->realised)
        return mgc__fail(day->ctx, MGC_E_STATE, "settle: the realised day is not set yet");
    switch (phase) {
    case MGC_DAY_FOUND: found(&m); break;
    case MGC_DAY_TARIFF:
        tariffs(&m);
        terms(&m);
        break;
    case MGC_DAY_DEPOSIT: deposits(&m); break;
    case MGC_DAY_COMMIT: commitments(&m); break;
    case MGC_DAY_NOMINATE: nominations(&m); break;
    case MGC_DAY_AGREE: agreements(&m); break;
    case MGC_DAY_ACKNOWLEDGE: acknowledgements(&m); break;
    case MGC_DAY_READ: readings(&m); break;
    case MGC_DAY_SETTLE: by_slot(&m, "settle", 0); break;
    case MGC_DAY_FINALISE: by_slot(&m, "finalise", day->opts.window_ms + SETTLE_MARGIN_MS); break;
    default: break;
    }
    if (m.st != MGC_OK) mgc__day_drop_drafts(day);
    return m.st;
}
