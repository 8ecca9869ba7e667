/* SPDX-License-Identifier: Apache-2.0 */
/* A day: what is taken over from the model, in whole numbers. */
#include <math.h>

#include "settle/settle.h"

static const mgc_day_opts day_defaults = {
    .struct_size = sizeof(mgc_day_opts),
    .name = "market",
    .currency = "EUR",
    .gate_ms = 3600000,
    .window_ms = 3600000,
    .collateral_bp = 1000,
    .pending_blocks = 1000000,
    .deposit_margin = 1,
};

void mgc_day_opts_init(mgc_day_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &day_defaults, sizeof day_defaults);
}

static mgc_status check_opts(mgc_ctx *ctx, const mgc_day_opts *o, const mgc_model *model)
{
    double slot_ms = mgc_model_hours(model) * 3600000;

    if (o->information.id == NULL || o->key == NULL)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: the information chain's id and key must be given");
    if ((o->trading.id == NULL) != (o->scheduling.id == NULL))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: the ids of trading and scheduling are given both or not at all");
    if (o->name == NULL || o->currency == NULL)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: name and currency must be given");
    if (slot_ms != floor(slot_ms) || slot_ms < 60000 || slot_ms > 86400000)
        return mgc__fail(ctx, MGC_E_RANGE, "settle: a period has %g ms; must be a whole number, a minute to a day",
                         slot_ms);
    if (o->start_ms == 0 || o->start_ms % (uint64_t)slot_ms != 0)
        return mgc__fail(ctx, MGC_E_SLOT, "settle: start_ms %" PRIu64 " is not a whole number of periods of %g ms",
                         o->start_ms, slot_ms);
    if (!isfinite(o->deposit_margin) || o->deposit_margin < 0 || o->deposit_margin > 1000)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: deposit_margin is %g; must be 0..1000", o->deposit_margin);
    if (o->now_ms >= o->start_ms) return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: now_ms is not before start_ms");
    return MGC_OK;
}

/* --- from the model ------------------------------------------------------------------------------ */

/* [currency/kWh] to [micro-currency/kWh]; kg to mg is the same factor. */
static mgc_status whole_price(const mgc_day *day, double price, const char *what, uint32_t period, int64_t *micro)
{
    if (!(fabs(price) <= PRICE_LIMIT))
        return mgc__fail(day->ctx, MGC_E_RANGE, "settle: %s in period %" PRIu32 " is %g; must be at most %g", what,
                         period, price, PRICE_LIMIT);
    *micro = llround(price * 1e6);
    return MGC_OK;
}

/* A series of the market that may not be there: then it is `otherwise`. */
static mgc_status price_at(const mgc_day *day, const mgc_microgrid *site, const char *key, uint32_t period,
                           int64_t otherwise, int64_t *micro)
{
    double price;

    *micro = otherwise;
    if (mgc_microgrid_get(site, key, 0, period, &price) != MGC_OK || isnan(price)) return MGC_OK;
    return whole_price(day, price, key, period, micro);
}

static mgc_status read_tariffs(mgc_day *day, const mgc_microgrid *site, microgrid *m)
{
    for (uint32_t t = 0; t < day->periods; t++) {
        tariff *e = &m->tariffs[MGC_CARRIER_ELECTRICITY - 1][t], *h = &m->tariffs[MGC_CARRIER_HEAT - 1][t];
        tariff *g = &m->tariffs[MGC_CARRIER_GAS - 1][t];
        mgc_status st = price_at(day, site, "buy_price_per_kwh", t, 0, &e->buy);

        if (st == MGC_OK) st = price_at(day, site, "sell_price_per_kwh", t, 0, &e->sell);
        if (st == MGC_OK) st = price_at(day, site, "realtime_buy_price_per_kwh", t, e->buy, &e->shortage);
        if (st == MGC_OK) st = price_at(day, site, "realtime_sell_price_per_kwh", t, e->sell, &e->surplus);
        if (st == MGC_OK) st = price_at(day, site, "grid_emission_kg_per_kwh", t, 0, &e->emission);
        if (st == MGC_OK) st = price_at(day, site, "heat_price_per_kwh", t, 0, &h->buy);
        if (st == MGC_OK) st = price_at(day, site, "gas_price_per_kwh", t, 0, &g->buy);
        if (st == MGC_OK) st = price_at(day, site, "gas_emission_kg_per_kwh", t, 0, &g->emission);
        if (st != MGC_OK) return st;
        h->shortage = h->buy; /* heat is bought day-ahead and has no other price; nothing is paid for what is given
                               * back */
        g->shortage = g->buy;
        h->sell = h->surplus = h->buy < 0 ? h->buy : 0;
        g->sell = g->surplus = g->buy < 0 ? g->buy : 0;
    }
    return MGC_OK;
}

/* Largest value of a series of powers, in Wh a slot; no limit is 2^62. */
static uint64_t largest(const mgc_day *day, const mgc_microgrid *site, const char *key)
{
    double most = 0, kw;

    for (uint32_t t = 0; t < day->periods; t++)
        if (mgc_microgrid_get(site, key, 0, t, &kw) == MGC_OK && kw > most) most = kw;
    most *= day->hours * 1000;
    return most < WH_MAX ? (uint64_t)ceil(most) : MGC_AMOUNT_MAX;
}

static mgc_status read_gas(mgc_day *day, const mgc_microgrid *site, microgrid *m)
{
    static const char *const types[] = {"chp", "gas_boiler", "linear"};
    uint32_t n = mgc_microgrid_devices(site);

    m->gas_devices = mgc__alloc(day->ctx, n, sizeof *m->gas_devices);
    if (m->gas_devices == NULL) return mgc__no_memory(day->ctx, "settle: devices");
    for (uint32_t d = 0; d < n; d++)
        for (size_t i = 0; i < MGC__COUNT(types); i++) {
            if (strcmp(mgc_microgrid_device_type(site, d), types[i]) != 0) continue;
            m->gas_devices[m->n_gas] = mgc__strdup(day->ctx, mgc_microgrid_device_id(site, d));
            if (m->gas_devices[m->n_gas] == NULL) return mgc__no_memory(day->ctx, "settle: devices");
            m->n_gas++;
        }
    m->connected[MGC_CARRIER_GAS - 1] = m->n_gas > 0;
    return MGC_OK;
}

static mgc_status make_series(mgc_day *day, microgrid *m)
{
    for (uint32_t c = 0; c < CARRIERS; c++) {
        m->tariffs[c] = mgc__alloc(day->ctx, day->periods, sizeof *m->tariffs[c]);
        m->deviation[c] = mgc__alloc(day->ctx, day->periods, sizeof *m->deviation[c]);
        if (m->tariffs[c] == NULL || m->deviation[c] == NULL) return mgc__no_memory(day->ctx, "settle: tariffs");
    }
    for (uint32_t c = 0; c < 2; c++) {
        m->buy[c] = mgc__alloc(day->ctx, day->periods, sizeof *m->buy[c]);
        m->sell[c] = mgc__alloc(day->ctx, day->periods, sizeof *m->sell[c]);
        m->net_kw[c] = mgc__alloc(day->ctx, day->periods, sizeof *m->net_kw[c]);
        if (m->buy[c] == NULL || m->sell[c] == NULL || m->net_kw[c] == NULL)
            return mgc__no_memory(day->ctx, "settle: nominations");
    }
    return MGC_OK;
}

static mgc_status read_microgrid(mgc_day *day, const mgc_model *model, uint32_t index)
{
    microgrid *m = &day->microgrids[index];
    const char *id = mgc_model_microgrid_id(model, index);
    const mgc_microgrid *site = mgc_model_microgrid(model, id);

    mgc_status st = make_series(day, m);

    if (st != MGC_OK) return st;
    m->name = mgc__strdup(day->ctx, id);
    if (m->name == NULL) return mgc__no_memory(day->ctx, "settle: a name");
    m->limits[0][0] = largest(day, site, "buy_limit_kw");
    m->limits[0][1] = largest(day, site, "sell_limit_kw");
    m->limits[1][0] = largest(day, site, "heat_buy_limit_kw");
    m->connected[0] = true;
    m->connected[1] = m->limits[1][0] > 0;
    st = read_gas(day, site, m);
    return st != MGC_OK ? st : read_tariffs(day, site, m);
}

static mgc_status alloc_line(mgc_day *day, line *l)
{
    l->capacity = mgc__alloc(day->ctx, day->periods, sizeof *l->capacity);
    l->fee = mgc__alloc(day->ctx, day->periods, sizeof *l->fee);
    if (l->capacity == NULL || l->fee == NULL) return mgc__no_memory(day->ctx, "settle: links");
    for (uint32_t d = 0; d < DIRECTIONS; d++) {
        l->sent[d] = mgc__alloc(day->ctx, day->periods, sizeof *l->sent[d]);
        l->price[d] = mgc__alloc(day->ctx, day->periods, sizeof *l->price[d]);
        if (l->sent[d] == NULL || l->price[d] == NULL) return mgc__no_memory(day->ctx, "settle: links");
    }
    return MGC_OK;
}

static bool index_of(const mgc_day *day, const char *name, uint32_t *index)
{
    for (uint32_t i = 0; i < day->n; i++)
        if (strcmp(day->microgrids[i].name, name) == 0) {
            *index = i;
            return true;
        }
    return false;
}

/* Everyone's counterparty: it buys what is sent and sells what is taken out, and has nothing of its own. */
static mgc_status make_pool(mgc_day *day)
{
    microgrid *m = &day->microgrids[day->n - 1];

    m->name = mgc__strdup(day->ctx, mgc_pool_id());
    if (m->name == NULL) return mgc__no_memory(day->ctx, "settle: the pool");
    return make_series(day, m);
}

/* The fee of a connection with the pool is half of the pool's: sender and receiver pay it on a connection each, and the pool's
 * halves of both come with the member's payment (mgc__day_transfer()). */
static mgc_status read_line_series(mgc_day *day, const mgc_link *link, line *l)
{
    double share = day->pool ? 0.5 : 1;

    for (uint32_t t = 0; t < day->periods; t++) {
        double capacity = 0, fee = 0;
        mgc_status st = mgc_link_get(link, "capacity_kw", t, &capacity);

        if (st == MGC_OK) st = mgc_link_get(link, "fee_per_kwh", t, &fee);
        if (st == MGC_OK) st = whole_price(day, share * fee, "fee_per_kwh", t, &l->fee[t]);
        if (st != MGC_OK) return st;
        capacity *= day->hours * 1000;
        l->capacity[t] = capacity < WH_MAX ? (uint64_t)ceil(capacity) : MGC_AMOUNT_MAX;
    }
    return MGC_OK;
}

/* What a member may sell is what its links carry: each in the period in which it carries most. */
static void may_sell(mgc_day *day, const line *l, uint32_t end)
{
    uint64_t most = 0, *sale = &day->microgrids[end].limits[l->carrier - 1][2];

    for (uint32_t t = 0; t < day->periods; t++) most = l->capacity[t] > most ? l->capacity[t] : most;
    *sale = *sale > MGC_AMOUNT_MAX - most ? MGC_AMOUNT_MAX : *sale + most;
    day->microgrids[end].connected[l->carrier - 1] = true;
}

static mgc_status read_line(mgc_day *day, const mgc_model *model, uint32_t index)
{
    line *l = &day->lines[index];
    const char *first, *second, *carrier;
    double loss = 0;
    mgc_status st = alloc_line(day, l);

    if (st == MGC_OK) st = mgc_model_link(model, index, &first, &second, &carrier);
    if (st != MGC_OK) return st;
    if (!index_of(day, first, &l->first) || !index_of(day, second, &l->second))
        return mgc__fail(day->ctx, MGC_E_INVALID_ARG,
                         "settle: link %" PRIu32 " has an end, \"%s\" or \"%s\", that the model does not hold", index,
                         first, second);
    l->carrier = strcmp(carrier, "heat") == 0 ? MGC_CARRIER_HEAT : MGC_CARRIER_ELECTRICITY;
    st = mgc_link_get(mgc_model_link_at(model, index), "loss", 0, &loss);
    if (st == MGC_OK) st = read_line_series(day, mgc_model_link_at(model, index), l);
    if (st != MGC_OK) return st;
    l->loss_ppm = day->pool ? 0 : (uint32_t)lround(loss * 1e6);
    l->pool_loss = day->pool ? loss : 0;
    may_sell(day, l, l->first);
    may_sell(day, l, l->second);
    return MGC_OK;
}

/* --- meters ------------------------------------------------------------------------------------------- */

/* Connections first, then ends of links, microgrid by microgrid. */
static mgc_status make_meters(mgc_day *day)
{
    size_t most = (size_t)day->n * CARRIERS + (size_t)day->links * 2;

    day->meters = mgc__alloc(day->ctx, most, sizeof *day->meters);
    if (day->meters == NULL) return mgc__no_memory(day->ctx, "settle: meters");
    for (uint32_t i = 0; i < day->n; i++) {
        for (uint32_t c = 0; c < CARRIERS; c++)
            if (day->microgrids[i].connected[c])
                day->meters[day->n_meters++] = (meter){.microgrid = i, .carrier = c + 1};
        for (uint32_t l = 0; l < day->links; l++) {
            const line *at = &day->lines[l];
            if (at->first != i && at->second != i) continue;
            day->meters[day->n_meters++] =
                (meter){.microgrid = i, .carrier = at->carrier, .link = l + 1, .direction = at->first == i ? 0 : 1};
        }
    }
    return MGC_OK;
}

uint32_t mgc__day_meter_number(const mgc_day *day, const meter *m)
{
    return (uint32_t)(m - day->meters) + 1;
}

uint64_t mgc__day_arrived(const line *l, uint64_t sent)
{
    return mgc_link_delivered(sent, l->loss_ppm);
}

uint64_t mgc__day_metered(const line *l, uint32_t direction, uint32_t period)
{
    return l->delivered[direction] != NULL ? l->delivered[direction][period] : l->sent[direction][period];
}

void mgc__day_moved(const mgc_day *day, const meter *m, uint32_t period, uint64_t *in, uint64_t *out)
{
    const microgrid *g = &day->microgrids[m->microgrid];
    int64_t net = g->deviation[m->carrier - 1][period];

    if (m->link != 0) {
        const line *l = &day->lines[m->link - 1];
        *out = mgc__day_metered(l, m->direction, period);
        *in = mgc__day_arrived(l, mgc__day_metered(l, 1 - m->direction, period));
        return;
    }
    if (m->carrier != MGC_CARRIER_GAS)
        net += (int64_t)g->buy[m->carrier - 1][period] - (int64_t)g->sell[m->carrier - 1][period];
    *in = net > 0 ? (uint64_t)net : 0;
    *out = net < 0 ? (uint64_t)-net : 0;
}

/* --- following a day ---------------------------------------------------------------------------------------- */

static mgc_status follow(mgc_day *day, mgc_day *previous)
{
    if (previous->n != day->n || previous->links != day->links || previous->n_meters != day->n_meters ||
        previous->slot_ms != day->slot_ms)
        return mgc__fail(day->ctx, MGC_E_INVALID_ARG,
                         "settle: the day before has other microgrids, links, meters or periods");
    if (!previous->realised)
        return mgc__fail(day->ctx, MGC_E_STATE, "settle: the day before has not been realised yet");
    if (previous->first_slot + previous->periods != day->first_slot)
        return mgc__fail(day->ctx, MGC_E_SLOT,
                         "settle: the day before ends with slot %" PRIu64 ", this one begins with %" PRIu64,
                         previous->first_slot + previous->periods - 1, day->first_slot);
    day->numbers = previous->numbers;
    day->numbers->uses++;
    day->continues = true;
    day->previous = previous;
    previous->uses++;
    day->due_ms = previous->due_ms;
    for (uint32_t i = 0; i < day->n_meters; i++) {
        day->meters[i].in = previous->meters[i].in;
        day->meters[i].out = previous->meters[i].out;
        for (uint32_t t = 0; t < previous->periods; t++) {
            uint64_t in, out;
            mgc__day_moved(previous, &previous->meters[i], t, &in, &out);
            day->meters[i].in += in;
            day->meters[i].out += out;
        }
    }
    return MGC_OK;
}

static mgc_status begin_numbers(mgc_day *day)
{
    day->numbers = mgc__alloc(day->ctx, 1, sizeof *day->numbers);
    if (day->numbers == NULL) return mgc__no_memory(day->ctx, "settle: nonces");
    day->numbers->uses = 1;
    return MGC_OK;
}

static void end_numbers(mgc_day *day)
{
    if (day->numbers == NULL || --day->numbers->uses > 0) return;
    mgc__free(day->ctx, day->numbers->list);
    mgc__free(day->ctx, day->numbers);
}

/* --- create, destroy ------------------------------------------------------------------------------------------ */

static void take_chains(mgc_day *day, const mgc_day_opts *o)
{
    const mgc_day_chain *const given[HOMES] = {&o->information, &o->trading, &o->scheduling};

    for (uint32_t i = 0; i < HOMES; i++) {
        const mgc_day_chain *chain = given[i]->id != NULL ? given[i] : given[HOME_INFORMATION];

        memcpy(day->chains[i].id, chain->id, 32);
        day->chains[i].height = chain->height;
    }
}

/* Links are of one kind: the bargain refuses both in one model. */
static bool has_pool(const mgc_model *model)
{
    const char *first, *second, *carrier;

    return mgc_model_microgrid(model, mgc_pool_id()) == NULL &&
           mgc_model_link(model, 0, &first, &second, &carrier) == MGC_OK && strcmp(second, mgc_pool_id()) == 0;
}

static mgc_status take_opts(mgc_day *day, const mgc_day_opts *o, const mgc_model *model)
{
    day->opts = *o;
    day->periods = mgc_model_periods(model);
    day->hours = mgc_model_hours(model);
    day->slot_ms = (uint64_t)(day->hours * 3600000);
    day->first_slot = mgc_slot_at(o->start_ms, day->slot_ms);
    day->pool = has_pool(model);
    day->n = mgc_model_microgrids(model) + day->pool;
    day->links = mgc_model_links(model);
    day->name = mgc__strdup(day->ctx, o->name);
    day->currency = mgc__strdup(day->ctx, o->currency);
    take_chains(day, o);
    if (o->inputs_hash != NULL) memcpy(day->inputs_hash, o->inputs_hash, 32);
    if (o->record_hash != NULL) memcpy(day->record_hash, o->record_hash, 32);
    if (o->now_ms == 0) day->opts.now_ms = o->start_ms > 86400000 ? o->start_ms - 86400000 : 1;
    day->due_ms = 0;
    day->tx = mgc__alloc(day->ctx, MGC_TX_BYTES_MAX, 1);
    day->body = mgc__alloc(day->ctx, MGC_TX_BYTES_MAX, 1);
    day->microgrids = mgc__alloc(day->ctx, day->n, sizeof *day->microgrids);
    day->lines = mgc__alloc(day->ctx, day->links, sizeof *day->lines);
    day->deposit = mgc__alloc(day->ctx, day->n, sizeof *day->deposit);
    if (day->name == NULL || day->currency == NULL || day->tx == NULL || day->body == NULL ||
        day->microgrids == NULL || day->lines == NULL || day->deposit == NULL)
        return mgc__no_memory(day->ctx, "settle: a day");
    if (day->periods > 1440)
        return mgc__fail(day->ctx, MGC_E_RANGE, "settle: %" PRIu32 " periods share a gate; at most 1440 may",
                         day->periods);
    if (day->n >= MGC_DAY_METER - MGC_DAY_MANAGER)
        return mgc__fail(day->ctx, MGC_E_LIMIT,
                         "settle: %" PRIu32 " microgrids; the members' numbers are for fewer than %d", day->n,
                         MGC_DAY_METER - MGC_DAY_MANAGER);
    return MGC_OK;
}

mgc_status mgc_day_create(mgc_ctx *ctx, const mgc_model *model, const mgc_day_opts *opts, mgc_day **out)
{
    mgc_day_opts o = day_defaults;
    mgc_day *day;
    mgc_status st;

    if (ctx == NULL || out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (model == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: model is NULL");
    st = mgc__opts_read(&o, sizeof o, MGC__FIRST_SIZE(mgc_day_opts, deposit_margin), opts);
    if (st != MGC_OK) return mgc__fail(ctx, st, "settle: opts.struct_size is not one that this library knows");
    st = check_opts(ctx, &o, model);
    if (st != MGC_OK) return st;
    day = mgc__alloc(ctx, 1, sizeof *day);
    if (day == NULL) return mgc__no_memory(ctx, "settle: a day");
    day->ctx = ctx;
    day->uses = 1;
    st = take_opts(day, &o, model);
    for (uint32_t i = 0; i + day->pool < day->n && st == MGC_OK; i++) st = read_microgrid(day, model, i);
    if (st == MGC_OK && day->pool) st = make_pool(day);
    for (uint32_t l = 0; l < day->links && st == MGC_OK; l++) st = read_line(day, model, l);
    if (st == MGC_OK) st = make_meters(day);
    if (st == MGC_OK) st = o.previous != NULL ? follow(day, o.previous) : begin_numbers(day);
    if (st != MGC_OK) {
        mgc_day_destroy(day);
        return st;
    }
    *out = day;
    return MGC_OK;
}

static void free_microgrid(mgc_day *day, microgrid *m)
{
    mgc__free(day->ctx, m->name);
    for (uint32_t i = 0; i < m->n_gas; i++) mgc__free(day->ctx, m->gas_devices[i]);
    mgc__free(day->ctx, m->gas_devices);
    for (uint32_t c = 0; c < CARRIERS; c++) {
        mgc__free(day->ctx, m->tariffs[c]);
        mgc__free(day->ctx, m->deviation[c]);
    }
    for (uint32_t c = 0; c < 2; c++) {
        mgc__free(day->ctx, m->buy[c]);
        mgc__free(day->ctx, m->sell[c]);
        mgc__free(day->ctx, m->net_kw[c]);
    }
}

static void free_line(mgc_day *day, line *l)
{
    mgc__free(day->ctx, l->capacity);
    mgc__free(day->ctx, l->fee);
    for (uint32_t d = 0; d < DIRECTIONS; d++) {
        mgc__free(day->ctx, l->sent[d]);
        mgc__free(day->ctx, l->price[d]);
        mgc__free(day->ctx, l->delivered[d]);
    }
}

void mgc_day_destroy(mgc_day *day)
{
    if (day == NULL || --day->uses > 0) return;
    mgc_day_destroy(day->previous);
    mgc__day_drop_drafts(day);
    mgc__free(day->ctx, day->drafts);
    for (uint32_t i = 0; i < day->n && day->microgrids != NULL; i++) free_microgrid(day, &day->microgrids[i]);
    for (uint32_t l = 0; l < day->links && day->lines != NULL; l++) free_line(day, &day->lines[l]);
    mgc__free(day->ctx, day->microgrids);
    mgc__free(day->ctx, day->lines);
    mgc__free(day->ctx, day->meters);
    mgc__free(day->ctx, day->payments);
    mgc__free(day->ctx, day->deposit);
    end_numbers(day);
    mgc__free(day->ctx, day->name);
    mgc__free(day->ctx, day->currency);
    mgc__free(day->ctx, day->tx);
    mgc__free(day->ctx, day->body);
    mgc__free(day->ctx, day);
}
