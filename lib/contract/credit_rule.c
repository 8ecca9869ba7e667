/* SPDX-License-Identifier: Apache-2.0 */
/* The formulas of the two credit values.  Integers only; intermediates of 128 bits; every division rounds towards
 * zero. */
#include "contract/credit.h"

__extension__ typedef unsigned __int128 u128;

static u128 score_of(const mgc__deals *d)
{
    return (u128)d->score_high << 64 | d->score_low;
}

void mgc__deals_add(mgc__deals *deals, uint64_t wh, uint64_t cap_wh, uint32_t score)
{
    uint64_t weight = wh < cap_wh ? wh : cap_wh;
    u128 sum = score_of(deals) + (u128)weight * score;

    assert(score <= CREDIT_MAX && cap_wh <= UINT64_C(1) << 32); /* so that no sum of an epoch can overflow */
    deals->weight += weight;
    deals->score_low = (uint64_t)sum;
    deals->score_high = (uint64_t)(sum >> 64);
}

uint32_t mgc__credit_delivery(uint64_t wh, uint64_t deviation, uint32_t tolerance_bp)
{
    u128 missed = (u128)deviation * 10000, free_ = (u128)wh * tolerance_bp, cut;

    assert(wh > 0 && tolerance_bp <= 10000);
    if (missed <= free_) return CREDIT_MAX;
    cut = 4 * (missed - free_) / wh; /* in ten-thousandths of a quarter of wh */
    return cut >= CREDIT_MAX ? 0 : CREDIT_MAX - (uint32_t)cut;
}

bool mgc__credit_performance(const mgc__deals *deals, size_t n, uint32_t trade, uint32_t *performance)
{
    u128 all = 0, counted = 0, score = 0;

    for (size_t i = 0; i < n; i++) all += deals[i].weight;
    if (all == 0) return false;
    for (size_t i = 0; i < n; i++) {
        u128 weight = deals[i].weight, part = weight < all / 5 ? weight : all / 5;

        if (part == 0) continue;
        score += part * score_of(&deals[i]) / weight;
        counted += part;
    }
    score += (all - counted) * trade; /* the rest says nothing new */
    *performance = (uint32_t)(score / all);
    assert(*performance <= CREDIT_MAX);
    return true;
}

uint32_t mgc__credit_trade_step(uint32_t trade, bool traded, uint32_t performance, bool defaulted)
{
    uint32_t next = trade;

    assert(trade <= CREDIT_MAX && performance <= CREDIT_MAX);
    if (!traded) /* idle: drifts to neutral */
        next = trade < CREDIT_START ? trade + (CREDIT_START - trade) / 64 : trade - (trade - CREDIT_START) / 64;
    else if (performance >= trade)
        next = trade + (performance - trade) / 16;
    else
        next = trade - (trade - performance) / 4;
    if (defaulted) next = next < CREDIT_DEFAULT_COST ? 0 : next - CREDIT_DEFAULT_COST;
    assert(next <= CREDIT_MAX && (next >= trade || trade - next <= CREDIT_FALL_MAX)); /* I8 */
    return next;
}

uint32_t mgc__credit_node_step(uint32_t node, uint64_t signed_, uint64_t certificates, uint64_t led, uint32_t *bonus)
{
    uint32_t part, next = node;

    assert(node <= CREDIT_MAX && signed_ <= certificates && *bonus <= CREDIT_BONUS_MAX);
    if (certificates == 0) return node; /* nothing was certified: nobody is to blame */
    part = (uint32_t)((u128)CREDIT_MAX * signed_ / certificates);
    next = part >= node ? node + (part - node) / 32 : node - (node - part) / 8;
    if (led == 0) *bonus = 0;
    if (led > 0 && *bonus < CREDIT_BONUS_MAX) {
        *bonus += CREDIT_BONUS;
        next += CREDIT_BONUS;
    }
    return next > CREDIT_MAX ? CREDIT_MAX : next;
}

uint32_t mgc__credit_limit_bp(uint32_t trade, uint32_t threshold)
{
    if (trade < threshold) return 0;
    return trade < 5000 ? 5000 : trade < 7000 ? 10000 : trade < 8500 ? 20000 : 40000;
}

uint32_t mgc__credit_collateral_bp(uint32_t trade, uint32_t market_bp)
{
    uint32_t rate = trade < 5000 ? 2 * market_bp : trade < 7000 ? market_bp : trade < 8500 ? market_bp / 4 * 3
                                                                                          : market_bp / 2;

    return rate > 10000 ? 10000 : rate;
}

void mgc__credit_count_low(int64_t *v, int64_t certificates, int64_t leader, bool several)
{
    if (certificates == 0) return;
    if (v[NODE_SIGNED] * CREDIT_MAX / certificates >= CREDIT_DEMOTE_BELOW) {
        v[NODE_LOW_EPOCHS] = v[NODE_LOW_LEADER] = v[NODE_LOW_LEADERS] = 0;
        return;
    }
    if (several || (v[NODE_LOW_EPOCHS] > 0 && v[NODE_LOW_LEADER] != leader)) v[NODE_LOW_LEADERS] = 1;
    if (v[NODE_LOW_EPOCHS] == 0) v[NODE_LOW_LEADER] = leader;
    if (v[NODE_LOW_EPOCHS] < CREDIT_DEMOTE_EPOCHS) v[NODE_LOW_EPOCHS]++;
}

bool mgc__credit_to_demote(const int64_t *v)
{
    return v[NODE_CREDIT] < CREDIT_DEMOTE_BELOW && v[NODE_LOW_EPOCHS] >= CREDIT_DEMOTE_EPOCHS &&
           v[NODE_LOW_LEADERS] != 0;
}
