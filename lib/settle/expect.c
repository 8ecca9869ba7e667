/* SPDX-License-Identifier: Apache-2.0 */
/* What the ledger must show at the end of the day: from the day's whole numbers, by other code than the
 * contracts'. */
#include "settle/settle.h"

/* Sums that cannot overflow in 64 bits: a day's amounts are below 2^53 each, a few thousand of them. */
static mgc_status add_trade(uint32_t index, const line *l, uint32_t d, uint32_t t, mgc_day_expectation *e)
{
    uint32_t seller = d == 0 ? l->first : l->second, buyer = d == 0 ? l->second : l->first;
    int64_t worth, fee;
    mgc_status st;

    if (seller != index && buyer != index) return MGC_OK;
    st = mgc_worth(l->sent[d][t], l->price[d][t], &worth);
    if (st == MGC_OK) st = mgc_worth(l->sent[d][t], l->fee[t], &fee);
    if (st != MGC_OK) return st;
    e->trades_micro += seller == index ? worth : -worth;
    e->fee_micro -= seller == index ? fee / 2 : fee - fee / 2;
    return MGC_OK;
}

static mgc_status add_meter(const mgc_day *day, const meter *m, uint32_t t, mgc_day_expectation *e,
                            int64_t net[CARRIERS])
{
    const tariff *rate = &day->microgrids[m->microgrid].tariffs[m->carrier - 1][t];
    uint64_t in, out, grams;
    mgc_status st;

    mgc__day_moved(day, m, t, &in, &out);
    net[m->carrier - 1] += (int64_t)in - (int64_t)out;
    if (m->link != 0) return MGC_OK;
    st = mgc_emission(in, (uint64_t)rate->emission, &grams);
    if (st == MGC_OK) e->carbon_g += (int64_t)grams;
    return st;
}

/* [Wh] bought less sold, received less sent: what was agreed for one carrier in one period. */
static int64_t position(const mgc_day *day, uint32_t index, uint32_t carrier, uint32_t t)
{
    const microgrid *g = &day->microgrids[index];
    int64_t wh = (int64_t)g->buy[carrier - 1][t] - (int64_t)g->sell[carrier - 1][t];

    for (uint32_t i = 0; i < day->links; i++) {
        const line *l = &day->lines[i];
        if (l->carrier != carrier) continue;
        for (uint32_t d = 0; d < DIRECTIONS; d++) {
            if ((d == 0 ? l->first : l->second) == index) wh -= (int64_t)l->sent[d][t];
            if ((d == 0 ? l->second : l->first) == index) wh += (int64_t)mgc__day_arrived(l, l->sent[d][t]);
        }
    }
    return wh;
}

static mgc_status add_grid(const mgc_day *day, uint32_t index, uint32_t carrier, uint32_t t, int64_t net,
                           mgc_day_expectation *e)
{
    const microgrid *g = &day->microgrids[index];
    const tariff *rate = &g->tariffs[carrier - 1][t];
    int64_t deviation = net - position(day, index, carrier, t), buy, sell, charge;
    mgc_status st = mgc_worth(g->buy[carrier - 1][t], rate->buy, &buy);

    if (st == MGC_OK) st = mgc_worth(g->sell[carrier - 1][t], rate->sell, &sell);
    if (st == MGC_OK)
        st = mgc_worth((uint64_t)(deviation < 0 ? -deviation : deviation),
                       deviation < 0 ? rate->surplus : rate->shortage, &charge);
    if (st != MGC_OK) return st;
    e->grid_micro += sell - buy;
    e->imbalance_micro += deviation < 0 ? charge : -charge;
    if (carrier == MGC_CARRIER_HEAT)
        e->heat_wh += net;
    else
        e->electricity_wh += net;
    return MGC_OK;
}

static mgc_status expect_period(const mgc_day *day, uint32_t index, uint32_t t, mgc_day_expectation *e)
{
    int64_t net[CARRIERS] = {0};
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < day->links; i++)
        for (uint32_t d = 0; d < DIRECTIONS && st == MGC_OK; d++) st = add_trade(index, &day->lines[i], d, t, e);
    for (uint32_t i = 0; i < day->n_meters && st == MGC_OK; i++)
        if (day->meters[i].microgrid == index) st = add_meter(day, &day->meters[i], t, e, net);
    for (uint32_t c = 1; c <= 2 && st == MGC_OK; c++)
        if (day->microgrids[index].connected[c - 1]) st = add_grid(day, index, c, t, net[c - 1], e);
    return st;
}

mgc_status mgc_day_expect(mgc_day *day, uint32_t index, mgc_day_expectation *expectation)
{
    mgc_day_expectation e = {.struct_size = sizeof e};

    if (day == NULL) return MGC_E_INVALID_ARG;
    if (index >= day->n)
        return mgc__fail(day->ctx, MGC_E_RANGE, "settle: microgrid %" PRIu32 "; there are %" PRIu32, index, day->n);
    if (!day->bargained || !day->realised)
        return mgc__fail(day->ctx, MGC_E_STATE, "settle: the bargain or the realised day is not set yet");
    e.deposit_micro = day->deposit[index];
    for (uint32_t t = 0; t < day->periods; t++) {
        mgc_status st = expect_period(day, index, t, &e);
        if (st != MGC_OK) return st;
    }
    for (size_t i = 0; i < day->n_payments; i++) {
        int64_t micro;
        mgc_status st = mgc__day_transfer(day, &day->payments[i], &micro);

        if (st != MGC_OK) return st;
        if (day->payments[i].first == index) e.transfer_micro -= micro;
        if (day->payments[i].second == index) e.transfer_micro += micro;
    }
    return mgc__info_write(expectation, &e, sizeof e, MGC__FIRST_SIZE(mgc_day_expectation, carbon_g));
}
