/* SPDX-License-Identifier: Apache-2.0 */
/* The two credit values: the formulas alone (credit_rule.c), what the files of the contract share, and what other contracts and
 * the node ask.
 *
 * All in ten-thousandths ("basis points"), 0..10000, integers, rounded towards zero; doc/contracts.md has the same in
 * words. */
#ifndef CONTRACT_CREDIT_H
#define CONTRACT_CREDIT_H

#include "contract/contract.h"

enum {
    CREDIT_MAX = 10000,
    CREDIT_START = 5000,
    CREDIT_DEFAULT_COST = 2000,
    CREDIT_CONVICTION_COST = 5000,
    CREDIT_FALL_MAX = 7500,  /* of trading credit in one epoch, evidence included: invariant I8 */
    CREDIT_CLEAR_MARGIN = 500, /* a suspension ends so far above the threshold */
    CREDIT_BONUS = 50,
    CREDIT_BONUS_MAX = 200,
    CREDIT_DEMOTE_BELOW = 2000, /* of consensus credit, and of participation in each of the epochs */
    CREDIT_DEMOTE_EPOCHS = 8
};

/* What a member did with one counterparty in an epoch: sums over their deals. */
typedef struct mgc__deals {
    uint64_t weight; /* [Wh] sum of min(amount, cap) */
    uint64_t score_low, score_high; /* sum of weight times score, 128 bits */
} mgc__deals;

void mgc__deals_add(mgc__deals *deals, uint64_t wh, uint64_t cap_wh, uint32_t score);

/* 10000 - min(10000, 10000 max(0, deviation - tolerance wh) / (wh / 4)) */
uint32_t mgc__credit_delivery(uint64_t wh, uint64_t deviation, uint32_t tolerance_bp);
/* P of an epoch: no counterparty counts for more than a fifth of the weight; what is over counts as the value at
 * hand.  false: there was no trade. */
bool mgc__credit_performance(const mgc__deals *deals, size_t n, uint32_t trade, uint32_t *performance);
/* One epoch of trading credit. */
uint32_t mgc__credit_trade_step(uint32_t trade, bool traded, uint32_t performance, bool defaulted);
/* One epoch of consensus credit: of `certificates` in the epoch `signed_` have the member, `led` blocks are its own.
 * bonus: given in the present run of epochs led. */
uint32_t mgc__credit_node_step(uint32_t node, uint64_t signed_, uint64_t certificates, uint64_t led, uint32_t *bonus);
/* What T allows: of the base limit, in ten-thousandths; and the rate of collateral, of the market's own. */
uint32_t mgc__credit_limit_bp(uint32_t trade, uint32_t threshold);
uint32_t mgc__credit_collateral_bp(uint32_t trade, uint32_t market_bp);

/* --- records (credit_record.c) --------------------------------------------------------------------- */

/* Trading credit of a member. */
enum { CREDIT_TRADE, CREDIT_SUSPENDED, CREDIT_BEGAN, CREDIT_INTS };
/* Consensus credit of a validator, by its number in the chain's genesis. */
enum {
    NODE_CREDIT,
    NODE_CONVICTED,
    NODE_BONUS,
    NODE_LOW_EPOCHS,
    NODE_LOW_LEADER,
    NODE_LOW_LEADERS,
    NODE_SIGNED,
    NODE_LED,
    NODE_INTS
};

/* Low participation in one epoch, of so many certificates; who led it, and whether several did.  It tells of the member
 * only where two leaders agree: one may have left its signatures out.  v: NODE_INTS numbers. */
void mgc__credit_count_low(int64_t *v, int64_t certificates, int64_t leader, bool several);
bool mgc__credit_to_demote(const int64_t *v);

/* Of the contract's own count: the next epoch, the first slot not wholly judged, the certificates of the epoch at hand; slot and
 * agreement behind which judging goes on, 0: at the first slot. */
enum { NEXT_EPOCH, NEXT_SLOT, NEXT_CERTIFICATES, NEXT_ON_SLOT, NEXT_ON_TRADE, NEXT_INTS };

mgc__key mgc__credit_member_key(int64_t member);
mgc__key mgc__credit_node_key(int64_t validator);
/* The record of a member, or that of one who never traded; of a validator, or that of one of whom nothing is known. */
mgc_status mgc__credit_of(mgc_env *env, int64_t member, mgc__rec *rec);
mgc_status mgc__credit_node(mgc_env *env, int64_t validator, mgc__rec *rec);
mgc_status mgc__credit_put_member(mgc_env *env, int64_t member, const mgc__rec *rec);
mgc_status mgc__credit_put_node(mgc_env *env, int64_t validator, const mgc__rec *rec);
/* The count, or that of before the first epoch. */
mgc_status mgc__credit_next(mgc_env *env, const mgc__market *market, mgc__rec *next);
/* An event with a number. */
mgc_status mgc__credit_alert(mgc_env *env, const char *what, int64_t number);

/* --- methods (credit_epoch.c, credit_vote.c) --------------------------------------------------------- */

mgc_status mgc__credit_epoch(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__credit_certify(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__credit_evidence(mgc_env *env, const mgc__method *method, const mgc__values *values);
/* One signature, metered; a refusal where it does not verify. */
mgc_status mgc__credit_check_signed(mgc_env *env, const mgc_member *member, const char *tag, const struct mgc__value *body,
                                    const uint8_t *signature);
mgc_status mgc__credit_convict(mgc_env *env, const mgc_member *validator);

/* --- entries that were final and that a later leader lacked (credit_lost.c) ---------------------------- */

mgc_status mgc__credit_lost(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__credit_followed(mgc_env *env, const mgc__method *method, const mgc__values *values);
mgc_status mgc__credit_judge(mgc_env *env, int64_t epoch);
mgc_status mgc__credit_query_lost(mgc_env *env, const mgc__filter *filter, mgc_rows *rows);

typedef struct mgc__credit_case {
    uint8_t hash[32];
    uint64_t term, index, leader_term; /* of the entry; of the earliest leader that was shown */
} mgc__credit_case;

/* For members, who may know an earlier leader. */
size_t mgc__credit_open_cases(const mgc__state *trading, mgc__credit_case *cases, size_t cap);
/* By what was signed of the entry: cfg, term, index and hash. */
bool mgc__credit_case_known(const mgc__state *trading, const uint8_t *acknowledgement, size_t len);

/* --- for others (credit.c) ---------------------------------------------------------------------------- */

typedef struct mgc__credit_entry {
    uint32_t validator, node, trade;
    bool convicted, demote;
} mgc__credit_entry;

/* For the consensus room: the table of a chain's state by rank, best first: not convicted, 3 N + T, number.  entries:
 * cap of them; *n how many.  root: the table's hash, 32 bytes.  MGC_E_TOO_LARGE beyond cap. */
mgc_status mgc__credit_table(const mgc__state *trading, const mgc__state *information, const mgc_chain *chain,
                             mgc__credit_entry *entries, size_t cap, size_t *n, uint8_t root[32]);
/* Of one who signs or signed, whatever became of him; false: nobody of that number did. */
bool mgc__credit_validator(const mgc__state *trading, const mgc__state *information, const mgc_chain *chain, uint32_t id,
                           mgc__credit_entry *entry);
/* For the leader.  Is an epoch due at a block of that time, once a slot has ended since the last one's? */
bool mgc__credit_epoch_due(const mgc__state *trading, const mgc__state *information, uint64_t time_ms, int64_t *number,
                           int64_t *last_slot);
/* Whose signatures on a block are counted: bits by place among the chain's members.  false: the market is not founded. */
bool mgc__credit_counted(const mgc__state *trading, const mgc__state *information, uint64_t height, uint64_t *members);

#endif
