/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a result, and checking it. */
#include <math.h>
#include <stdio.h>

#include "bargain/alliance.h"

mgc_status mgc_alliance_get_info(const mgc_alliance *alliance, mgc_alliance_info *info)
{
    if (alliance == NULL || info == NULL) return MGC_E_INVALID_ARG;
    return mgc__info_write(info, &alliance->info,
                           sizeof alliance->info, MGC__FIRST_SIZE(mgc_alliance_info, seconds_bound));
}

mgc_status mgc_alliance_get_state(const mgc_alliance *alliance, const uint8_t **bytes, size_t *len)
{
    if (alliance == NULL || bytes == NULL || len == NULL) return MGC_E_INVALID_ARG;
    *bytes = alliance->state.bytes;
    *len = alliance->state.len;
    if (*len > 0) return MGC_OK;
    return mgc__fail(alliance->ctx, MGC_E_STATE, "bargain: this run leaves nothing for the next: %s", alliance->reason);
}

const char *mgc_alliance_reason(const mgc_alliance *alliance)
{
    return alliance == NULL ? "" : alliance->reason;
}

static mgc_status past_the_last(const mgc_alliance *a, const char *what, uint32_t index, size_t n)
{
    return mgc__fail(a->ctx, MGC_E_RANGE, "bargain: %s %u; there are %zu", what, index, n);
}

mgc_status mgc_alliance_get_member(const mgc_alliance *a, uint32_t index, mgc_member_info *info)
{
    if (a == NULL || info == NULL) return MGC_E_INVALID_ARG;
    if (index >= a->n) return past_the_last(a, "member", index, a->n);
    const mgc__member *m = &a->member[index];
    mgc_member_info out = {.struct_size = sizeof out, .id = m->id, .standalone_cost = m->standalone, .standalone_bound = m->standalone_bound,
                           .cost = m->cost, .payment = m->payment, .final_cost = m->cost + m->payment, .weight = m->weight,
                           .supplied_kwh = m->supplied_kwh, .received_kwh = m->received_kwh, .lower_bound = m->bound};
    return mgc__info_write(info, &out, sizeof out, MGC__FIRST_SIZE(mgc_member_info, lower_bound));
}

static void read_trade(const mgc_alliance *a, const mgc__joint *j, uint32_t d, mgc_trade *out)
{
    *out = (mgc_trade){.struct_size = sizeof *out, .from = mgc__alliance_id(a, d == 0 ? j->first : j->second),
                       .to = mgc__alliance_id(a, d == 0 ? j->second : j->first), .link = j->link, .carrier = MGC_CARRIER_ELECTRICITY + j->carrier, .direction = d,
                       .periods = a->periods, .sent_kw = j->sent_kw + d * a->periods, .price_per_kwh = j->price + d * a->periods};
    for (uint32_t t = 0; t < a->periods; t++) {
        out->sent_kwh += out->sent_kw[t] * a->hours;
        out->money += out->sent_kw[t] * a->hours * out->price_per_kwh[t];
    }
}

mgc_status mgc_alliance_get_trade(const mgc_alliance *a, uint32_t index, mgc_trade *trade)
{
    uint32_t seen = 0;
    mgc_trade out;

    if (a == NULL || trade == NULL) return MGC_E_INVALID_ARG;
    for (size_t k = 0; k < a->joints; k++)
        for (uint32_t d = 0; d < 2; d++) {
            if (!mgc__joint_trades(a, &a->joint[k], d) || seen++ != index) continue;
            read_trade(a, &a->joint[k], d, &out);
            return mgc__info_write(trade, &out, sizeof out, MGC__FIRST_SIZE(mgc_trade, money));
        }
    return past_the_last(a, "trade", index, seen);
}

mgc_status mgc_alliance_get_pair(const mgc_alliance *a, uint32_t index, mgc_pair *pair)
{
    mgc_trade t;

    if (a == NULL || pair == NULL) return MGC_E_INVALID_ARG;
    if (index >= a->pairs) return past_the_last(a, "pair", index, a->pairs);
    const mgc__money *p = &a->pair[index];
    mgc_pair out = {.struct_size = sizeof out, .first = a->member[p->first].id, .second = mgc__alliance_id(a, p->second), .payment = p->payment};
    for (size_t k = 0; k < a->joints; k++) {
        const mgc__joint *j = &a->joint[k];
        bool along = j->first == p->first && j->second == p->second, against = j->first == p->second && j->second == p->first;
        for (uint32_t d = 0; (along || against) && d < 2; d++) {
            read_trade(a, j, d, &t);
            out.trades += t.to == out.first ? t.money : -t.money;
        }
    }
    out.transfer = out.payment - out.trades;
    return mgc__info_write(pair, &out, sizeof out, MGC__FIRST_SIZE(mgc_pair, transfer));
}

mgc_status mgc_alliance_get_round(const mgc_alliance *a, uint32_t index, mgc_round *round)
{
    if (a == NULL || round == NULL) return MGC_E_INVALID_ARG;
    if (index >= a->rounds) return past_the_last(a, "round", index, a->rounds);
    return mgc__info_write(round, &a->round[index],
                           sizeof a->round[index], MGC__FIRST_SIZE(mgc_round, disagreement_kw));
}

mgc_status mgc_alliance_get_plan(const mgc_alliance *a, uint32_t together, const mgc_plan **plan)
{
    if (a == NULL || plan == NULL || together > MGC_DISPATCH_ALLIANCE) return MGC_E_INVALID_ARG;
    *plan = together == MGC_DISPATCH_ALONE || (a->info.no_trade && a->together == NULL) ? a->alone : a->together;
    if (*plan != NULL) return MGC_OK;
    return mgc__fail(a->ctx, MGC_E_STATE, "bargain: there is no such plan: %s", a->reason);
}

/* --- the certificate ------------------------------------------------------------------------------------------------------------ */

/* Largest difference between the trades of a link and what either end's plan says of it.  Where nothing is lost, flows in both
 * directions at once may be netted. */
static mgc_status imbalance_of(const mgc_alliance *a, const mgc__joint *j, double *work, double *worst)
{
    char name[32];

    snprintf(name, sizeof name, "LINK:%u", j->link);
    for (int side = 0; side < (j->second == MGC__POOL_MEMBER ? 1 : 2); side++) {
        const char *id = a->member[side == 0 ? j->first : j->second].id;
        double *ahead = work, *back = work + a->periods;
        mgc_status st = mgc_plan_get_series(a->together, id, name, "sent_kw", 0, ahead, a->periods);
        if (st == MGC_OK) st = mgc_plan_get_series(a->together, id, name, "sent_back_kw", 0, back, a->periods);
        if (st != MGC_OK) return st;
        for (uint32_t t = 0; t < a->periods; t++) {
            double d0 = ahead[t] - j->sent_kw[t], d1 = back[t] - j->sent_kw[a->periods + t];
            bool net = j->loss == 0 || j->second == MGC__POOL_MEMBER;
            *worst = fmax(*worst, net ? fabs(d0 - d1) : fmax(fabs(d0), fabs(d1)));
        }
    }
    return MGC_OK;
}

/* What is sent to a pool is what is taken out of it. */
static void check_pool(const mgc_alliance *a, double *sum, mgc_certificate *c)
{
    for (uint32_t carrier = 0; carrier < 2; carrier++) {
        memset(sum, 0, a->periods * sizeof *sum);
        for (size_t k = 0; k < a->joints; k++)
            for (uint32_t t = 0; a->joint[k].second == MGC__POOL_MEMBER && a->joint[k].carrier == carrier && t < a->periods; t++)
                sum[t] += a->joint[k].sent_kw[t] - a->joint[k].sent_kw[a->periods + t];
        for (uint32_t t = 0; t < a->periods; t++) c->imbalance_kw = fmax(c->imbalance_kw, fabs(sum[t]));
    }
}

static mgc_status check_trades(const mgc_alliance *a, mgc_certificate *c)
{
    double *work = mgc__alloc(a->ctx, 2 * (size_t)a->periods, sizeof *work);
    mgc_status st = work == NULL ? mgc__no_memory(a->ctx, "bargain: a certificate") : MGC_OK;

    for (size_t k = 0; st == MGC_OK && k < a->joints; k++) {
        const mgc__joint *j = &a->joint[k];
        for (uint32_t i = 0; i < 2 * a->periods; i++) c->capacity_kw = fmax(c->capacity_kw, j->sent_kw[i] - j->capacity_kw[i % a->periods]);
        if (a->together != NULL && !a->info.no_trade) st = imbalance_of(a, j, work, &c->imbalance_kw);
    }
    if (st == MGC_OK) check_pool(a, work, c);
    mgc__free(a->ctx, work);
    return st;
}

static void check_payments(const mgc_alliance *a, mgc_certificate *c)
{
    double total = 0;

    for (size_t i = 0; i < a->n; i++) {
        double paid = 0, own;
        for (size_t p = 0; p < a->pairs; p++) {
            if (a->pair[p].first == i) paid += a->pair[p].payment;
            if (a->pair[p].second == i) paid -= a->pair[p].payment;
        }
        own = a->member[i].payment;
        total += own;
        c->pair_sum = fmax(c->pair_sum, fabs(own - paid));
        c->worst_loss = fmax(c->worst_loss, a->member[i].cost + own - a->member[i].standalone);
    }
    c->payment_sum = fabs(total);
}

static void check_shares(const mgc_alliance *a, mgc_certificate *c)
{
    for (size_t i = 0; i < a->n; i++) {
        const mgc__member *m = &a->member[i];
        double surplus = 0, weights = 0, members = 0, share;
        for (size_t j = 0; j < a->n; j++) {
            if (a->member[j].group != m->group) continue;
            surplus += a->member[j].standalone - a->member[j].cost;
            weights += a->member[j].weight;
            members += 1;
        }
        share = weights > 0 ? m->weight / weights : 1 / members;
        c->nash = fmax(c->nash, fabs(m->standalone - m->cost - m->payment - share * surplus));
    }
}

mgc_status mgc_alliance_certificate(const mgc_alliance *a, mgc_certificate *certificate)
{
    mgc_certificate c = {.struct_size = sizeof c};
    double members, cost = 0, bound = 0, size = 0;
    mgc_status st;

    if (a == NULL || certificate == NULL) return MGC_E_INVALID_ARG;
    members = (double)a->n;
    if ((st = check_trades(a, &c)) != MGC_OK) return st;
    check_payments(a, &c);
    check_shares(a, &c);
    for (size_t i = 0; i < a->n; i++) {
        cost += a->member[i].cost;
        bound += a->member[i].bound;
        size += fabs(a->member[i].standalone);
    }
    c.gap = (cost - fmax(bound, a->info.lower_bound)) / fmax(1, size);
    c.ok = isfinite(cost) && c.imbalance_kw <= 1e-3 && c.capacity_kw <= 1e-6 && c.payment_sum <= 1e-9 * members &&
           c.pair_sum <= 1e-9 * members && c.worst_loss <= 1e-6 * members && c.nash <= 1e-5 * members && c.gap >= -1e-6;
    return mgc__info_write(certificate, &c, sizeof c, MGC__FIRST_SIZE(mgc_certificate, gap));
}
