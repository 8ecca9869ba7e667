/* SPDX-License-Identifier: Apache-2.0 */
/* The bargain and the realised day become whole numbers, from handles or from arrays. */
#include <math.h>

#include "settle/settle.h"

#define SLACK_KW 1e-3 /* a solver's tolerance beyond a limit: taken as the limit */

/* kw no further than a limit in Wh; beyond the slack it is a mistake. */
static mgc_status clamp(const mgc_day *day, const double *kw, const uint64_t *limit_wh, size_t limits,
                        const char *what, double *clamped)
{
    for (uint32_t t = 0; t < day->periods; t++) {
        double limit = (double)limit_wh[limits == 1 ? 0 : t] / (day->hours * 1000);

        if (!isfinite(kw[t]) || kw[t] < -SLACK_KW || kw[t] > limit + SLACK_KW)
            return mgc__fail(day->ctx, MGC_E_RANGE, "settle: %s in period %" PRIu32 " is %g kW; must be 0..%g", what,
                             t, kw[t], limit);
        clamped[t] = kw[t] < 0 ? 0 : kw[t] > limit ? limit : kw[t];
    }
    return MGC_OK;
}

static mgc_status energy(mgc_day *day, const double *kw, const uint64_t *limit_wh, size_t limits, const char *what,
                         uint64_t *wh)
{
    double *clamped = mgc__alloc(day->ctx, day->periods, sizeof *clamped);
    mgc_status st = clamped == NULL ? mgc__no_memory(day->ctx, "settle: powers")
                                    : clamp(day, kw, limit_wh, limits, what, clamped);

    if (st == MGC_OK) st = mgc_energy_wh(day->ctx, clamped, day->hours, day->periods, wh);
    mgc__free(day->ctx, clamped);
    return st;
}

/* --- by arrays ------------------------------------------------------------------------------------- */

static mgc_status carrier_of(const mgc_day *day, uint32_t index, uint32_t carrier, uint32_t last)
{
    if (index >= day->n || carrier < 1 || carrier > last)
        return mgc__fail(day->ctx, MGC_E_INVALID_ARG,
                         "settle: microgrid %" PRIu32 ", carrier %" PRIu32 "; must be below %" PRIu32
                         " and 1..%" PRIu32,
                         index, carrier, day->n, last);
    return MGC_OK;
}

mgc_status mgc_day_set_grid(mgc_day *day, uint32_t index, uint32_t carrier, const double *buy_kw,
                            const double *sell_kw)
{
    microgrid *m;
    mgc_status st;

    if (day == NULL) return MGC_E_INVALID_ARG;
    st = carrier_of(day, index, carrier, 2);
    if (st != MGC_OK) return st;
    if (buy_kw == NULL || sell_kw == NULL)
        return mgc__fail(day->ctx, MGC_E_INVALID_ARG, "settle: buy_kw or sell_kw is NULL");
    m = &day->microgrids[index];
    if (m->grid_set[carrier - 1] || day->phase >= MGC_DAY_DEPOSIT)
        return mgc__fail(day->ctx, MGC_E_STATE, "settle: what \"%s\" buys and sells is set already", m->name);
    st = energy(day, buy_kw, &m->limits[carrier - 1][0], 1, "a purchase", m->buy[carrier - 1]);
    if (st == MGC_OK) st = energy(day, sell_kw, &m->limits[carrier - 1][1], 1, "a sale", m->sell[carrier - 1]);
    if (st != MGC_OK) return st;
    for (uint32_t t = 0; t < day->periods; t++) m->net_kw[carrier - 1][t] = buy_kw[t] - sell_kw[t];
    m->grid_set[carrier - 1] = day->bargained = true;
    return MGC_OK;
}

static mgc_status direction_of(const mgc_day *day, uint32_t link, uint32_t direction)
{
    if (link >= day->links || direction >= DIRECTIONS)
        return mgc__fail(day->ctx, MGC_E_INVALID_ARG,
                         "settle: link %" PRIu32 ", direction %" PRIu32 "; must be below %" PRIu32 " and 2", link,
                         direction, day->links);
    return MGC_OK;
}

/* What is taken out of a pool is paid where it arrives, at the member's meter: less energy at a higher price. */
static mgc_status set_taken_out(mgc_day *day, uint32_t link, const double *sent_kw, const double *price_per_kwh)
{
    line *l = &day->lines[link];
    double *arrives = mgc__alloc(day->ctx, day->periods, sizeof *arrives);
    mgc_status st = arrives == NULL ? mgc__no_memory(day->ctx, "settle: powers") : MGC_OK;

    for (uint32_t t = 0; st == MGC_OK && t < day->periods; t++) {
        arrives[t] = sent_kw[t] * (1 - l->pool_loss);
        l->price[1][t] = l->pool_loss < 1 ? llround(fmin(fmax(price_per_kwh[t] / (1 - l->pool_loss), -PRICE_LIMIT), PRICE_LIMIT) * 1e6) : 0;
    }
    if (st == MGC_OK) st = energy(day, arrives, l->capacity, day->periods, "a trade", l->sent[1]);
    mgc__free(day->ctx, arrives);
    if (st == MGC_OK) l->set[1] = day->bargained = true;
    return st;
}

mgc_status mgc_day_set_trade(mgc_day *day, uint32_t link, uint32_t direction, const double *sent_kw,
                             const double *price_per_kwh)
{
    line *l;
    mgc_status st;

    if (day == NULL) return MGC_E_INVALID_ARG;
    st = direction_of(day, link, direction);
    if (st != MGC_OK) return st;
    if (sent_kw == NULL || price_per_kwh == NULL)
        return mgc__fail(day->ctx, MGC_E_INVALID_ARG, "settle: sent_kw or price_per_kwh is NULL");
    l = &day->lines[link];
    if (l->set[direction] || day->phase >= MGC_DAY_DEPOSIT)
        return mgc__fail(day->ctx, MGC_E_STATE, "settle: the trade over link %" PRIu32 " is set already", link);
    for (uint32_t t = 0; t < day->periods; t++) {
        if (!(fabs(price_per_kwh[t]) <= PRICE_LIMIT))
            return mgc__fail(day->ctx, MGC_E_RANGE,
                             "settle: the price over link %" PRIu32 " in period %" PRIu32
                             " is %g; must be at most %g",
                             link, t, price_per_kwh[t], PRICE_LIMIT);
        l->price[direction][t] = llround(price_per_kwh[t] * 1e6);
    }
    if (l->pool_loss > 0 && direction == 1) return set_taken_out(day, link, sent_kw, price_per_kwh);
    st = energy(day, sent_kw, l->capacity, day->periods, "a trade", l->sent[direction]);
    if (st == MGC_OK) l->set[direction] = day->bargained = true;
    return st;
}

mgc_status mgc_day_set_payment(mgc_day *day, uint32_t first, uint32_t second, double amount)
{
    int64_t micro;
    void *block;

    if (day == NULL) return MGC_E_INVALID_ARG;
    if (first >= day->n || second >= day->n || first == second)
        return mgc__fail(day->ctx, MGC_E_INVALID_ARG,
                         "settle: a payment between %" PRIu32 " and %" PRIu32 "; must be two of %" PRIu32, first,
                         second, day->n);
    if (!isfinite(amount) || !mgc__whole(amount * 1e6, &micro))
        return mgc__fail(day->ctx, MGC_E_RANGE, "settle: the payment between %" PRIu32 " and %" PRIu32 " is %g",
                         first, second, amount);
    if (day->phase >= MGC_DAY_DEPOSIT)
        return mgc__fail(day->ctx, MGC_E_STATE, "settle: the agreements are handed out already");
    for (size_t i = 0; i < day->n_payments; i++)
        if ((day->payments[i].first == first && day->payments[i].second == second) ||
            (day->payments[i].first == second && day->payments[i].second == first))
            return mgc__fail(day->ctx, MGC_E_STATE,
                             "settle: the payment between %" PRIu32 " and %" PRIu32 " is set already", first, second);
    block = day->payments;
    if (!mgc__grow(day->ctx, &block, &day->payments_cap, day->n_payments + 1, sizeof *day->payments))
        return mgc__no_memory(day->ctx, "settle: payments");
    day->payments = block;
    day->payments[day->n_payments++] = (payment){.first = first, .second = second, .micro = micro};
    day->bargained = true;
    return MGC_OK;
}

mgc_status mgc_day_set_metered(mgc_day *day, uint32_t index, uint32_t carrier, const double *net_kw)
{
    double *exact;
    microgrid *m;
    mgc_status st;

    if (day == NULL) return MGC_E_INVALID_ARG;
    st = carrier_of(day, index, carrier, CARRIERS);
    if (st != MGC_OK) return st;
    m = &day->microgrids[index];
    if (net_kw == NULL) return mgc__fail(day->ctx, MGC_E_INVALID_ARG, "settle: net_kw is NULL");
    if (m->metered_set[carrier - 1] || day->phase >= MGC_DAY_READ)
        return mgc__fail(day->ctx, MGC_E_STATE, "settle: what \"%s\" took is set already", m->name);
    exact = mgc__alloc(day->ctx, day->periods, sizeof *exact);
    if (exact == NULL) return mgc__no_memory(day->ctx, "settle: deviations");
    for (uint32_t t = 0; t < day->periods; t++)
        exact[t] = (net_kw[t] - (carrier == MGC_CARRIER_GAS ? 0 : m->net_kw[carrier - 1][t])) * day->hours * 1000;
    st = mgc__round_all(day->ctx, exact, day->periods, "deviation", m->deviation[carrier - 1]);
    mgc__free(day->ctx, exact);
    if (st == MGC_OK) m->metered_set[carrier - 1] = day->realised = true;
    return st;
}

mgc_status mgc_day_set_delivered(mgc_day *day, uint32_t link, uint32_t direction, const double *sent_kw)
{
    uint64_t *wh;
    line *l;
    mgc_status st;

    if (day == NULL) return MGC_E_INVALID_ARG;
    st = direction_of(day, link, direction);
    if (st != MGC_OK) return st;
    l = &day->lines[link];
    if (sent_kw == NULL) return mgc__fail(day->ctx, MGC_E_INVALID_ARG, "settle: sent_kw is NULL");
    if (l->delivered[direction] != NULL || day->phase >= MGC_DAY_READ)
        return mgc__fail(day->ctx, MGC_E_STATE, "settle: what went over link %" PRIu32 " is set already", link);
    wh = mgc__alloc(day->ctx, day->periods, sizeof *wh);
    if (wh == NULL) return mgc__no_memory(day->ctx, "settle: deliveries");
    st = mgc_energy_wh(day->ctx, sent_kw, day->hours * (direction == 1 ? 1 - l->pool_loss : 1), day->periods, wh);
    if (st != MGC_OK) {
        mgc__free(day->ctx, wh);
        return st;
    }
    l->delivered[direction] = wh;
    day->realised = true;
    return MGC_OK;
}

/* --- by handles ---------------------------------------------------------------------------------------- */

static bool index_of(const mgc_day *day, const char *name, uint32_t *index)
{
    for (uint32_t i = 0; i < day->n; i++)
        if (strcmp(day->microgrids[i].name, name) == 0) {
            *index = i;
            return true;
        }
    return false;
}

static mgc_status take_trades(mgc_day *day, const mgc_alliance *alliance, const mgc_alliance_info *info)
{
    for (uint32_t i = 0; i < info->trades; i++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        mgc_status st = mgc_alliance_get_trade(alliance, i, &trade);

        if (st == MGC_OK && trade.periods != day->periods)
            return mgc__fail(day->ctx, MGC_E_INVALID_ARG,
                             "settle: the bargain has %" PRIu32 " periods, the day %" PRIu32, trade.periods,
                             day->periods);
        if (st == MGC_OK)
            st = mgc_day_set_trade(day, trade.link, trade.direction, trade.sent_kw, trade.price_per_kwh);
        if (st != MGC_OK) return st;
    }
    for (uint32_t i = 0; i < info->pairs; i++) {
        mgc_pair pair = {.struct_size = sizeof pair};
        uint32_t first = 0, second = 0;
        mgc_status st = mgc_alliance_get_pair(alliance, i, &pair);

        if (st == MGC_OK && (!index_of(day, pair.first, &first) || !index_of(day, pair.second, &second)))
            return mgc__fail(day->ctx, MGC_E_INVALID_ARG,
                             "settle: the bargain names \"%s\" or \"%s\", the day does not", pair.first, pair.second);
        if (st == MGC_OK) st = mgc_day_set_payment(day, first, second, pair.payment);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

static mgc_status take_plan(mgc_day *day, const mgc_plan *plan, double *one, double *two)
{
    for (uint32_t i = 0; i + day->pool < day->n; i++) {
        const char *id = day->microgrids[i].name;
        mgc_status st = mgc_plan_get_series(plan, id, "", "buy_kw", 0, one, day->periods);

        if (st == MGC_OK) st = mgc_plan_get_series(plan, id, "", "sell_kw", 0, two, day->periods);
        if (st == MGC_OK) st = mgc_day_set_grid(day, i, MGC_CARRIER_ELECTRICITY, one, two);
        if (st == MGC_OK) st = mgc_plan_get_series(plan, id, "", "heat_buy_kw", 0, one, day->periods);
        for (uint32_t t = 0; t < day->periods; t++) two[t] = 0;
        if (st == MGC_OK) st = mgc_day_set_grid(day, i, MGC_CARRIER_HEAT, one, two);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

mgc_status mgc_day_set_alliance(mgc_day *day, const mgc_alliance *alliance)
{
    mgc_alliance_info info = {.struct_size = sizeof info};
    const mgc_plan *plan = NULL;
    double *series;
    mgc_status st;

    if (day == NULL) return MGC_E_INVALID_ARG;
    if (alliance == NULL) return mgc__fail(day->ctx, MGC_E_INVALID_ARG, "settle: alliance is NULL");
    if (day->bargained) return mgc__fail(day->ctx, MGC_E_STATE, "settle: the bargain is set already");
    st = mgc_alliance_get_info(alliance, &info);
    if (st == MGC_OK) st = mgc_alliance_get_plan(alliance, MGC_DISPATCH_ALLIANCE, &plan);
    if (st == MGC_OK) st = take_trades(day, alliance, &info);
    if (st != MGC_OK) return st;
    series = mgc__alloc(day->ctx, 2 * (size_t)day->periods, sizeof *series);
    if (series == NULL) return mgc__no_memory(day->ctx, "settle: series");
    st = take_plan(day, plan, series, series + day->periods);
    mgc__free(day->ctx, series);
    if (st == MGC_OK) day->bargained = true;
    return st;
}

/* Sum of quantities of the connection to the grid, each with its sign. */
static mgc_status net_of(const mgc_day *day, const mgc_plan *plan, const char *id, double *net, double *one)
{
    static const struct {
        const char *quantity;
        double sign;
    } flows[] = {{"buy_kw", 1}, {"sell_kw", -1}, {"realtime_buy_kw", 1}, {"realtime_sell_kw", -1}};

    for (uint32_t t = 0; t < day->periods; t++) net[t] = 0;
    for (size_t f = 0; f < MGC__COUNT(flows); f++) {
        mgc_status st = mgc_plan_get_series(plan, id, "", flows[f].quantity, 0, one, day->periods);
        if (st != MGC_OK) return st;
        for (uint32_t t = 0; t < day->periods; t++) net[t] += flows[f].sign * one[t];
    }
    return MGC_OK;
}

/* All gas that its devices burn. */
static mgc_status gas_of(const mgc_day *day, const mgc_plan *plan, const microgrid *m, double *net, double *one)
{
    for (uint32_t t = 0; t < day->periods; t++) net[t] = 0;
    for (uint32_t d = 0; d < m->n_gas; d++) {
        mgc_status st = mgc_plan_get_series(plan, m->name, m->gas_devices[d], "gas_kw", 0, one, day->periods);

        if (st != MGC_OK) return st;
        for (uint32_t t = 0; t < day->periods; t++) net[t] += one[t];
    }
    return MGC_OK;
}

static mgc_status take_realised(mgc_day *day, const mgc_plan *plan, double *net, double *one)
{
    for (uint32_t i = 0; i + day->pool < day->n; i++) {
        const char *id = day->microgrids[i].name;
        mgc_status st = net_of(day, plan, id, net, one);

        if (st == MGC_OK) st = mgc_day_set_metered(day, i, MGC_CARRIER_ELECTRICITY, net);
        if (st == MGC_OK) st = mgc_plan_get_series(plan, id, "", "heat_buy_kw", 0, net, day->periods);
        if (st == MGC_OK) st = mgc_day_set_metered(day, i, MGC_CARRIER_HEAT, net);
        if (st == MGC_OK) st = gas_of(day, plan, &day->microgrids[i], net, one);
        if (st == MGC_OK) st = mgc_day_set_metered(day, i, MGC_CARRIER_GAS, net);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

mgc_status mgc_day_set_realised(mgc_day *day, const mgc_plan *plan)
{
    double *series;
    mgc_status st;

    if (day == NULL) return MGC_E_INVALID_ARG;
    if (plan == NULL) return mgc__fail(day->ctx, MGC_E_INVALID_ARG, "settle: plan is NULL");
    if (!day->bargained) return mgc__fail(day->ctx, MGC_E_STATE, "settle: the realised day comes after the bargain");
    if (day->realised) return mgc__fail(day->ctx, MGC_E_STATE, "settle: the realised day is set already");
    series = mgc__alloc(day->ctx, 2 * (size_t)day->periods, sizeof *series);
    if (series == NULL) return mgc__no_memory(day->ctx, "settle: series");
    st = take_realised(day, plan, series, series + day->periods);
    mgc__free(day->ctx, series);
    return st;
}
