/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent can tell once it has agreed: trades with prices, payments, bytes. */
#include <math.h>

#include "bargain/pool.h"
#include "codec/cbor.h"

static size_t row(const mgc_agent *agent, size_t end, uint32_t direction)
{
    return (2 * end + direction) * agent->periods;
}

/* Quantity sent in one direction and its price: minus the sender's multiplier, per kWh sent. */
static void read_end(mgc_agent *agent, size_t e)
{
    const mgc__end *end = &agent->ends[e];

    for (uint32_t d = 0; d < 2; d++)
        for (uint32_t t = 0; t < end->terms.periods; t++) {
            size_t i = end->terms.dims == 2 ? (size_t)d * end->terms.periods + t : t;
            int64_t sent = end->terms.dims == 1 && d == 1 ? -end->agreed[i] : end->agreed[i];
            double price = (end->terms.dims == 2 && d == 1 ? end->mu[i] : -end->mu[i]) / end->terms.hours;

            agent->sent_kw[row(agent, e, d) + t] = sent > 0 ? (double)sent / MGC__KW : 0;
            agent->price[row(agent, e, d) + t] = price;
        }
}

/* One record per neighbour: [smaller id, larger id, payment in micro-currency, [[carrier, ordinal, trades in mW], ...]].
 * No prices: they are doubles, and equal at both ends only on machines that compute alike. */
static void put_pair(mgc_agent *agent, size_t p, mgc__cbor_writer *w)
{
    const mgc__peer *peer = &agent->peers[p];
    const char *low = peer->first ? agent->id : peer->id, *high = peer->first ? peer->id : agent->id;
    size_t links = 0;

    for (size_t e = 0; e < agent->n_ends; e++) links += agent->ends[e].pair == p;
    mgc__cbor_put_array(w, 4);
    mgc__cbor_put_text(w, low, strlen(low));
    mgc__cbor_put_text(w, high, strlen(high));
    mgc__cbor_put_int(w, peer->micro);
    mgc__cbor_put_array(w, links);
    for (uint32_t carrier = 0; carrier < 2; carrier++)
        for (uint32_t ordinal = 0; ordinal <= MGC__ORDINAL_MAX; ordinal++)
            for (size_t e = 0; e < agent->n_ends; e++) {
                const mgc__end *end = &agent->ends[e];
                if (end->pair != p || end->terms.carrier != carrier || end->terms.ordinal != ordinal) continue;
                mgc__cbor_put_array(w, 3);
                mgc__cbor_put_uint(w, carrier);
                mgc__cbor_put_uint(w, ordinal);
                mgc__cbor_put_array(w, end->count);
                for (size_t i = 0; i < end->count; i++) mgc__cbor_put_int(w, end->agreed[i]);
            }
}

mgc_status mgc__agent_close(mgc_agent *agent)
{
    mgc__cbor_writer w;

    for (size_t e = 0; e < agent->n_ends; e++) read_end(agent, e);
    mgc__buf_free(&agent->bytes);
    mgc__buf_init(&agent->bytes, agent->ctx, SIZE_MAX);
    mgc__cbor_to_buf(&w, &agent->bytes);
    mgc__cbor_put_array(&w, agent->n_peers);
    for (size_t p = 0; p < agent->n_peers; p++) put_pair(agent, p, &w);
    mgc__buf_free(&agent->start);
    mgc__buf_init(&agent->start, agent->ctx, SIZE_MAX);
    if (agent->pool != NULL) {
        mgc__pool_start_write(&agent, 1, &agent->start);
    } else {
        mgc__start_head(mgc__start_count(agent, false), &agent->start);
        mgc__start_write(agent, false, &agent->start);
    }
    if (agent->bytes.status != MGC_OK || w.status != MGC_OK || agent->start.status != MGC_OK)
        return mgc__no_memory(agent->ctx, "bargain: bytes of an agreement");
    return MGC_OK;
}

static mgc_status bound_at(mgc_agent *agent, const double *price, double *bound, double *gap)
{
    double valued = agent->cost;
    mgc_status st;

    *bound = -INFINITY;
    if (agent->prove.solved && !agent->ops->has_integers(agent->local) && price == agent->price_bound) {
        *bound = agent->prove.bound; /* at the same prices, for the proof */
        st = MGC_OK;
    } else {
        st = agent->ops->bound(agent->local, price, bound);
    }
    for (size_t e = 0; e < agent->n_ends; e++)
        for (size_t i = 0; i < agent->ends[e].count; i++)
            valued += price[agent->ends[e].offset + i] * (double)agent->ends[e].agreed[i] / MGC__KW;
    *gap = valued - *bound;
    return st;
}

mgc_status mgc__agent_bound(mgc_agent *agent)
{
    return bound_at(agent, agent->price_bound, &agent->bound, &agent->own_gap);
}

mgc_status mgc__agent_bound_relaxed(mgc_agent *agent, double *bound, double *gap)
{
    return bound_at(agent, agent->price_relaxed, bound, gap);
}

mgc_status mgc__agent_bound_committed(mgc_agent *agent, double *bound)
{
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__end *end = &agent->ends[e];
        for (size_t i = 0; i < end->count; i++) agent->linear[end->offset + i] = end->terms.first ? end->mu[i] : -end->mu[i];
    }
    return agent->ops->bound_committed(agent->local, agent->linear, bound);
}

/* --- telling ---------------------------------------------------------------------------------------------------------------- */

static bool sends(const mgc_agent *agent, size_t e, uint32_t d)
{
    for (size_t t = 0; t < agent->periods; t++)
        if (agent->sent_kw[row(agent, e, d) + t] > 0) return true;
    return false;
}

static void read_trade(const mgc_agent *agent, size_t e, uint32_t d, mgc_trade *trade)
{
    const mgc__terms *t = &agent->ends[e].terms;
    bool out = t->first == (d == 0);

    *trade = (mgc_trade){.struct_size = sizeof *trade, .from = out ? agent->id : t->neighbour, .to = out ? t->neighbour : agent->id,
                         .link = t->link, .carrier = MGC_CARRIER_ELECTRICITY + t->carrier, .direction = d, .periods = t->periods,
                         .sent_kw = agent->sent_kw + row(agent, e, d), .price_per_kwh = agent->price + row(agent, e, d)};
    for (uint32_t i = 0; i < t->periods; i++) {
        trade->sent_kwh += trade->sent_kw[i] * t->hours;
        trade->money += trade->sent_kw[i] * t->hours * trade->price_per_kwh[i];
    }
}

static uint32_t count_trades(const mgc_agent *agent)
{
    uint32_t n = 0;

    for (size_t e = 0; e < agent->n_ends; e++) n += (uint32_t)sends(agent, e, 0) + (uint32_t)sends(agent, e, 1);
    return n;
}

static mgc_status must_have_agreed(const mgc_agent *agent)
{
    if (agent->state == MGC_AGENT_AGREED) return MGC_OK;
    return mgc__fail(agent->ctx, MGC_E_STATE, "bargain: %s has no agreement: %s", agent->id,
                     agent->state == MGC_AGENT_RUNNING ? "the run goes on" : agent->reason);
}

static double paid(const mgc_agent *agent)
{
    int64_t total = 0;

    for (size_t i = 0; i < agent->n_peers; i++) total += agent->peers[i].first ? agent->peers[i].micro : -agent->peers[i].micro;
    return (double)total / MGC__MICRO;
}

mgc_status mgc_agent_agreement(const mgc_agent *agent, mgc_agreement *agreement)
{
    mgc_agreement a = {.struct_size = sizeof a};
    mgc_status st;

    if (agent == NULL || agreement == NULL) return MGC_E_INVALID_ARG;
    if ((st = must_have_agreed(agent)) != MGC_OK) return st;
    a.trades = count_trades(agent);
    for (size_t i = 0; i < agent->n_peers; i++) a.pairs += agent->peers[i].pays;
    a.rounds = (uint32_t)agent->turn.count;
    a.no_trade = agent->no_trade;
    a.standalone_cost = agent->alone_cost;
    a.standalone_bound = agent->alone_bound;
    a.cost = agent->cost;
    a.payment = paid(agent);
    a.final_cost = a.cost + a.payment;
    a.lower_bound = agent->bound;
    a.primal = agent->turn.primal;
    a.dual = agent->turn.dual;
    a.bytes = agent->bytes.bytes;
    a.len = agent->bytes.len;
    return mgc__info_write(agreement, &a, sizeof a, MGC__FIRST_SIZE(mgc_agreement, len));
}

mgc_status mgc_agent_relaxed_bound(mgc_agent *agent, double *bound)
{
    double gap;
    mgc_status st;

    if (agent == NULL || bound == NULL) return MGC_E_INVALID_ARG;
    *bound = -INFINITY;
    if ((st = must_have_agreed(agent)) != MGC_OK) return st;
    return mgc__agent_bound_relaxed(agent, bound, &gap);
}

mgc_status mgc_agent_get_trade(const mgc_agent *agent, uint32_t index, mgc_trade *trade)
{
    mgc_trade t;
    mgc_status st;

    if (agent == NULL || trade == NULL) return MGC_E_INVALID_ARG;
    if ((st = must_have_agreed(agent)) != MGC_OK) return st;
    for (size_t e = 0, seen = 0; e < agent->n_ends; e++)
        for (uint32_t d = 0; d < 2; d++) {
            if (!sends(agent, e, d) || seen++ != index) continue;
            read_trade(agent, e, d, &t);
            return mgc__info_write(trade, &t, sizeof t, MGC__FIRST_SIZE(mgc_trade, money));
        }
    return mgc__fail(agent->ctx, MGC_E_RANGE, "bargain: trade %u; there are %u", index, count_trades(agent));
}

static double paid_for_trades(const mgc_agent *agent, size_t p)
{
    double total = 0;
    mgc_trade t;

    for (size_t e = 0; e < agent->n_ends; e++)
        for (uint32_t d = 0; agent->ends[e].pair == p && d < 2; d++) {
            read_trade(agent, e, d, &t);
            total += t.to == agent->id ? t.money : -t.money;
        }
    return total;
}

mgc_status mgc_agent_get_pair(const mgc_agent *agent, uint32_t index, mgc_pair *pair)
{
    mgc_pair out = {.struct_size = sizeof out};
    mgc_status st;

    if (agent == NULL || pair == NULL) return MGC_E_INVALID_ARG;
    if ((st = must_have_agreed(agent)) != MGC_OK) return st;
    for (size_t p = 0, seen = 0; p < agent->n_peers; p++) {
        if (!agent->peers[p].pays || seen++ != index) continue;
        out.first = agent->id;
        out.second = agent->peers[p].id;
        out.payment = (double)(agent->peers[p].first ? agent->peers[p].micro : -agent->peers[p].micro) / MGC__MICRO;
        out.trades = paid_for_trades(agent, p);
        out.transfer = out.payment - out.trades;
        return mgc__info_write(pair, &out, sizeof out, MGC__FIRST_SIZE(mgc_pair, transfer));
    }
    return mgc__fail(agent->ctx, MGC_E_RANGE, "bargain: no pair %u", index);
}

mgc_status mgc_agent_get_plan(const mgc_agent *agent, const mgc_plan **plan)
{
    mgc_status st;

    if (agent == NULL || plan == NULL) return MGC_E_INVALID_ARG;
    *plan = NULL;
    if ((st = must_have_agreed(agent)) != MGC_OK) return st;
    *plan = agent->plan;
    return MGC_OK;
}

mgc_status mgc_agent_get_state(const mgc_agent *agent, const uint8_t **bytes, size_t *len)
{
    mgc_status st;

    if (agent == NULL || bytes == NULL || len == NULL) return MGC_E_INVALID_ARG;
    *bytes = NULL;
    *len = 0;
    if ((st = must_have_agreed(agent)) != MGC_OK) return st;
    *bytes = agent->start.bytes;
    *len = agent->start.len;
    return MGC_OK;
}
