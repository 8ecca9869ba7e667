/* SPDX-License-Identifier: Apache-2.0 */
/* Epochs of credit: what was agreed is judged once both its sides are final, and both values take one step.
 *
 * An epoch is a transaction: it pays regard to nothing that stands elsewhere than in the state.  A slot that never becomes
 * final is given up after MGC_ROWS_MAX slots: what cannot be attributed is not punished.
 *
 *   delivery   the seller's deviation of the slot, netted over all it did, falls on its deals in proportion to all
 *              that it had scheduled
 *   payment    in full from escrow or money: 10000; a debt that was paid within the grace: 5000; else 0 and a default
 *
 * Records: E epoch (last slot, height, certificates; hash of the table), D slot trade (judged; forgotten with its slot). */
#include "contract/credit.h"

#include "contract/supervision.h"
#include "crypto/crypto.h"

/* --- the table ---------------------------------------------------------------------------- */

/* RFC 6962 root over the table's records, members then validators: leaves are key || value. */
static mgc_status table_root(mgc_env *env, uint8_t root[32])
{
    uint8_t leaf[KEY_BYTES + 512], hash[32];
    mgc__merkle tree;

    mgc__merkle_init(&tree);
    for (const char *kind = "MN"; *kind != '\0'; kind++) {
        mgc__key prefix = mgc__key_of(*kind);
        mgc__walk w;

        mgc__walk_begin(&w, env->contract, &prefix);
        while (mgc__walk_next(env, &w)) {
            assert(w.cursor.key_len + w.cursor.value_len <= sizeof leaf);
            memcpy(leaf, w.cursor.key, w.cursor.key_len);
            memcpy(leaf + w.cursor.key_len, w.cursor.value, w.cursor.value_len);
            mgc__merkle_leaf(leaf, w.cursor.key_len + w.cursor.value_len, hash);
            mgc__merkle_push(&tree, hash);
        }
    }
    mgc__merkle_root(&tree, root);
    return env->broken;
}

/* --- what was done in an epoch ---------------------------------------------------------------------------- */

/* One member with one counterparty's organisation; 0: what concerns the member alone. */
typedef struct pair {
    uint32_t member, counterparty;
    bool defaulted;
    mgc__deals deals;
} pair;

typedef struct epoch {
    pair *pairs; /* ascending by member, then counterparty */
    size_t n, cap;
    int64_t tolerance, cap_wh, grace_ms, threshold;
} epoch;

static size_t pair_place(const epoch *e, uint32_t member, uint32_t counterparty)
{
    size_t low = 0, high = e->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const pair *p = &e->pairs[middle];

        if (p->member < member || (p->member == member && p->counterparty < counterparty))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* NULL: no memory. */
static pair *pair_of(mgc_env *env, epoch *e, int64_t member, int64_t counterparty)
{
    size_t at = pair_place(e, (uint32_t)member, (uint32_t)counterparty);
    void *block = e->pairs;

    if (at < e->n && e->pairs[at].member == member && e->pairs[at].counterparty == counterparty) return &e->pairs[at];
    if (!mgc__grow(env->ctx, &block, &e->cap, e->n + 1, sizeof *e->pairs)) return NULL;
    e->pairs = block;
    memmove(e->pairs + at + 1, e->pairs + at, (e->n - at) * sizeof *e->pairs);
    e->n++;
    e->pairs[at] = (pair){.member = (uint32_t)member, .counterparty = (uint32_t)counterparty};
    return &e->pairs[at];
}

/* One side's view of a deal.  Between two of one owner it weighs nothing; a default is one all the same. */
static mgc_status add_deal(mgc_env *env, epoch *e, const mgc__rec *own, const mgc__rec *other, int64_t wh,
                           uint32_t score, bool defaulted)
{
    pair *p = pair_of(env, e, own->v[GRID_MANAGER], 0);

    if (p == NULL) return mgc__env_keep(env, MGC_E_NO_MEMORY);
    p->defaulted = p->defaulted || defaulted;
    if (own->v[GRID_ORGANISATION] == other->v[GRID_ORGANISATION]) return MGC_OK;
    p = pair_of(env, e, own->v[GRID_MANAGER], other->v[GRID_ORGANISATION]);
    if (p == NULL) return mgc__env_keep(env, MGC_E_NO_MEMORY);
    mgc__deals_add(&p->deals, (uint64_t)wh, (uint64_t)e->cap_wh, score);
    return MGC_OK;
}

/* --- judging one agreement ---------------------------------------------------------------------------- */

/* When the slot became final for a microgrid; 0: not yet. */
static mgc_status final_since(mgc_env *env, int64_t slot, int64_t microgrid, int64_t *time_ms)
{
    mgc__key key = mgc__key_u32(mgc__key_u64(mgc__key_of('M'), (uint64_t)slot), (uint32_t)microgrid);
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_SETTLEMENT, &key, &rec);

    *time_ms = rec.v[SETTLED_STATE] == STATE_FINAL ? rec.v[SETTLED_TIME] : 0;
    return st == MGC_E_NOT_FOUND ? MGC_OK : st;
}

/* All that a microgrid had scheduled in a slot, either way: nominated, sold, bought. */
static mgc_status gross_volume(mgc_env *env, int64_t slot, int64_t microgrid, int64_t carrier, uint64_t *wh)
{
    *wh = 0;
    for (const char *kind = "NVU"; *kind != '\0'; kind++) {
        mgc__key key = mgc__key_u8(mgc__key_u32(mgc__key_u64(mgc__key_of(*kind), (uint64_t)slot),
                                                (uint32_t)microgrid),
                                   (uint32_t)carrier);
        mgc__rec rec;
        mgc_status st = mgc__rec_get(env, MGC_CONTRACT_TRADING, &key, &rec);

        if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
        *wh += (uint64_t)rec.v[0] + (uint64_t)(*kind == 'N' ? rec.v[NOMINATION_SELL] : 0); /* < 2^64: four of 2^62 */
    }
    return MGC_OK;
}

/* How much of an agreement the seller missed; over: it gave too much, which is no default. */
static mgc_status deviation_of(mgc_env *env, int64_t slot, const int64_t *v, uint64_t *missed, bool *over)
{
    mgc__key key = mgc__key_u8(mgc__key_u32(mgc__key_u64(mgc__key_of('D'), (uint64_t)slot),
                                            (uint32_t)v[TRADE_SELLER]),
                               (uint32_t)v[TRADE_CARRIER]);
    mgc__rec result;
    uint64_t gross = 0, size;
    int64_t deviation;
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_SETTLEMENT, &key, &result);

    if (st == MGC_E_NOT_FOUND) st = MGC_OK; /* settled without this carrier: nothing was measured amiss */
    if (st == MGC_OK) st = gross_volume(env, slot, v[TRADE_SELLER], v[TRADE_CARRIER], &gross);
    if (st != MGC_OK) return st;
    deviation = result.v[RESULT_METERED] - result.v[RESULT_POSITION]; /* > 0: took more or gave less */
    size = (uint64_t)(deviation < 0 ? -deviation : deviation);
    *over = deviation < 0;
    if (gross < (uint64_t)v[TRADE_WH]) gross = (uint64_t)v[TRADE_WH];
    __extension__ typedef unsigned __int128 u128;
    *missed = (uint64_t)((u128)size * (uint64_t)v[TRADE_WH] / gross);
    return MGC_OK;
}

/* Was the part that money did not cover paid since?  *score: 10000, 5000, 0; UINT32_MAX: the grace is not over. */
static mgc_status payment_of(mgc_env *env, const epoch *e, uint64_t id, int64_t payer, int64_t since, uint32_t *score)
{
    mgc_transfer_info t = {.struct_size = sizeof t};
    uint8_t owed[16];
    uint64_t debt;
    mgc_status st = mgc__env_meter(env, sizeof t);

    *score = CREDIT_MAX;
    if (st != MGC_OK) return st;
    mgc__transfer_id(MGC_CONTRACT_SETTLEMENT, id, PART_TRADE + PART_SECOND_PHASE + PART_DUE, owed);
    st = mgc__env_keep(env, mgc__transfer_get(env->state, owed, &t));
    if (st != MGC_OK) return st == MGC_E_NOT_FOUND ? MGC_OK : st;
    st = mgc__debt(env, payer, &debt);
    if (st != MGC_OK) return st;
    if (debt == 0)
        *score = CREDIT_MAX / 2;
    else
        *score = env->time_ms < (uint64_t)since + (uint64_t)e->grace_ms ? UINT32_MAX : 0;
    return MGC_OK;
}

/* *open: it cannot be judged yet. */
static mgc_status judge(mgc_env *env, epoch *e, int64_t slot, uint64_t id, const int64_t *v, bool *open)
{
    bool over, seller_pays = v[TRADE_WORTH] < 0;
    int64_t seller_since = 0, buyer_since = 0;
    uint64_t missed;
    uint32_t paid, delivered;
    mgc__rec seller, buyer;
    mgc_status st = final_since(env, slot, v[TRADE_SELLER], &seller_since);

    if (st == MGC_OK) st = final_since(env, slot, v[TRADE_BUYER], &buyer_since);
    *open = seller_since == 0 || buyer_since == 0;
    if (st != MGC_OK || *open) return st;
    st = payment_of(env, e, id, v[seller_pays ? TRADE_SELLER : TRADE_BUYER],
                    seller_since > buyer_since ? seller_since : buyer_since, &paid);
    *open = paid == UINT32_MAX;
    if (st != MGC_OK || *open) return st;
    st = deviation_of(env, slot, v, &missed, &over);
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", v[TRADE_SELLER], &seller);
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", v[TRADE_BUYER], &buyer);
    if (st != MGC_OK) return st;
    delivered = mgc__credit_delivery((uint64_t)v[TRADE_WH], missed, (uint32_t)e->tolerance);
    if (seller_pays && paid < delivered) delivered = paid;
    st = add_deal(env, e, &seller, &buyer, v[TRADE_WH], delivered,
                  (!over && missed > (uint64_t)v[TRADE_WH] / 2) || (seller_pays && paid == 0));
    if (st != MGC_OK) return st;
    return add_deal(env, e, &buyer, &seller, v[TRADE_WH], seller_pays ? CREDIT_MAX : paid, !seller_pays && paid == 0);
}

/* All agreements of a slot behind one that were not judged before; *whole: none is left.  *until: the one behind which the next
 * epoch goes on, since there are too many for this one; < 0: none. */
static mgc_status judge_slot(mgc_env *env, epoch *e, int64_t slot, int64_t after, bool *whole, int64_t *until)
{
    mgc__key prefix = mgc__key_u64(mgc__key_of('A'), (uint64_t)slot), from = mgc__key_u64(prefix, (uint64_t)after);
    mgc__walk w;
    mgc_status st = MGC_OK;

    *whole = after == 0;
    *until = -1;
    mgc__walk_begin(&w, MGC_CONTRACT_TRADING, &prefix);
    mgc__record_after(&w.cursor, MGC_CONTRACT_TRADING, prefix.bytes, prefix.len, from.bytes, from.len); /* they count from 1 */
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        uint64_t id = mgc__key_read(w.key, 9, 8);
        mgc__key mark = mgc__key_u64(mgc__key_u64(mgc__key_of('D'), (uint64_t)slot), id);
        mgc__rec rec;
        bool open = false;

        if (mgc__env_half_spent(env)) {
            *until = (int64_t)id - 1;
            *whole = false;
            break;
        }
        st = mgc__rec_get(env, env->contract, &mark, &rec);
        if (st != MGC_E_NOT_FOUND) continue;
        st = judge(env, e, slot, id, w.rec.v, &open);
        if (st == MGC_OK && !open) st = mgc__rec_put_ints(env, &mark, (int64_t[]){(int64_t)env->height}, 1);
        if (open) *whole = false;
    }
    return st != MGC_OK ? st : env->broken;
}

static mgc_status forget(mgc_env *env, const mgc__key *prefix)
{
    mgc__walk w;
    mgc_status st = MGC_OK;

    mgc__walk_begin(&w, env->contract, prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) st = mgc_env_remove(env, w.key, w.key_len);
    return st != MGC_OK ? st : env->broken;
}

/* From the first slot that is not wholly judged to the last: judge; move the first one on.  Where that is too much for one
 * execution the next epoch goes on behind it, and only then at the first again: what waits for somebody's meter holds up nobody. */
static mgc_status judge_slots(mgc_env *env, epoch *e, int64_t next[NEXT_INTS], int64_t last)
{
    bool on = next[NEXT_ON_SLOT] >= next[NEXT_SLOT], moving = !on;
    int64_t slot = on ? next[NEXT_ON_SLOT] : next[NEXT_SLOT], after = on ? next[NEXT_ON_TRADE] : 0;
    mgc_status st = MGC_OK;

    next[NEXT_ON_SLOT] = next[NEXT_ON_TRADE] = 0;
    for (; slot <= last && st == MGC_OK; slot++, after = 0) {
        mgc__key marks = mgc__key_u64(mgc__key_of('D'), (uint64_t)slot);
        bool whole = false;
        int64_t until;

        st = judge_slot(env, e, slot, after, &whole, &until);
        moving = moving && whole;
        if (st == MGC_OK && moving) st = forget(env, &marks);
        if (moving) next[NEXT_SLOT] = slot + 1;
        if (until < 0) continue;
        next[NEXT_ON_SLOT] = slot;
        next[NEXT_ON_TRADE] = until;
        break;
    }
    return st;
}

/* --- applying ---------------------------------------------------------------------------- */

static mgc_status debt_of(mgc_env *env, int64_t member, uint64_t *debt)
{
    mgc__key prefix = mgc__key_of('G');
    mgc__walk w;
    mgc_status st = MGC_OK;

    *debt = 0;
    mgc__walk_begin(&w, MGC_CONTRACT_INFORMATION, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        uint64_t one;

        if (w.rec.v[GRID_MANAGER] != member) continue;
        st = mgc__debt(env, (int64_t)mgc__key_read(w.key, 1, 4), &one);
        if (*debt < one) *debt = one; /* any is enough */
    }
    return st != MGC_OK ? st : env->broken;
}

static mgc_status step_member(mgc_env *env, const epoch *e, int64_t member, mgc__rec *rec)
{
    size_t first = pair_place(e, (uint32_t)member, 0), n = 0;
    mgc__deals deals[64], *all = deals;
    bool defaulted = first < e->n && e->pairs[first].member == member && e->pairs[first].defaulted, traded;
    uint32_t trade = (uint32_t)rec->v[CREDIT_TRADE], performance = trade;
    uint64_t debt = 0;
    mgc_status st = MGC_OK;

    while (first + n < e->n && e->pairs[first + n].member == member) n++;
    if (n > MGC__COUNT(deals)) all = mgc__alloc(env->ctx, n, sizeof *all);
    if (all == NULL) return mgc__env_keep(env, MGC_E_NO_MEMORY);
    for (size_t i = 0; i < n; i++) all[i] = e->pairs[first + i].deals;
    traded = mgc__credit_performance(all, n, trade, &performance);
    if (all != deals) mgc__free(env->ctx, all);
    trade = mgc__credit_trade_step(trade, traded, performance, defaulted);
    rec->v[CREDIT_TRADE] = rec->v[CREDIT_BEGAN] = trade;
    if (defaulted && rec->v[CREDIT_SUSPENDED] == 0) st = mgc__credit_alert(env, "suspended", member);
    if (defaulted) rec->v[CREDIT_SUSPENDED] = 1;
    if (st == MGC_OK && rec->v[CREDIT_SUSPENDED] != 0 && !defaulted && trade >= e->threshold + CREDIT_CLEAR_MARGIN) {
        st = debt_of(env, member, &debt);
        if (st == MGC_OK && debt == 0) rec->v[CREDIT_SUSPENDED] = 0;
    }
    return st != MGC_OK ? st : mgc__credit_put_member(env, member, rec);
}

static mgc_status step_members(mgc_env *env, const epoch *e)
{
    mgc__key prefix = mgc__key_of('M');
    mgc__walk w;
    mgc__rec rec;
    mgc_status st = MGC_OK;

    for (size_t i = 0; i < e->n && st == MGC_OK; i++) { /* who traded has a record from now on */
        if (i > 0 && e->pairs[i].member == e->pairs[i - 1].member) continue;
        st = mgc__credit_of(env, e->pairs[i].member, &rec);
        if (st == MGC_OK) st = mgc__credit_put_member(env, e->pairs[i].member, &rec);
    }
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        rec = w.rec;
        st = step_member(env, e, (int64_t)mgc__key_read(w.key, 1, 4), &rec);
    }
    return st != MGC_OK ? st : env->broken;
}

static mgc_status step_node(mgc_env *env, int64_t validator, int64_t certificates, int64_t leader, bool several)
{
    mgc__rec rec;
    bool before;
    uint32_t bonus;
    mgc_status st = mgc__credit_node(env, validator, &rec);

    if (st != MGC_OK) return st;
    before = mgc__credit_to_demote(rec.v);
    bonus = (uint32_t)rec.v[NODE_BONUS];
    if (rec.v[NODE_SIGNED] > certificates) rec.v[NODE_SIGNED] = certificates; /* late ones of blocks of the epoch before */
    if (rec.v[NODE_CONVICTED] == 0) {
        rec.v[NODE_CREDIT] = mgc__credit_node_step((uint32_t)rec.v[NODE_CREDIT], (uint64_t)rec.v[NODE_SIGNED],
                                                   (uint64_t)certificates, (uint64_t)rec.v[NODE_LED], &bonus);
        rec.v[NODE_BONUS] = bonus;
        mgc__credit_count_low(rec.v, certificates, leader, several);
    }
    rec.v[NODE_SIGNED] = rec.v[NODE_LED] = 0;
    if (!before && mgc__credit_to_demote(rec.v)) st = mgc__credit_alert(env, "demote", validator);
    return st != MGC_OK ? st : mgc__credit_put_node(env, validator, &rec);
}

static mgc_status step_nodes(mgc_env *env, int64_t certificates)
{
    uint32_t n, leaders = 0;
    int64_t leader = 0;
    const mgc_member *members = mgc__chain_members(mgc__exec_chain(env->exec), &n);
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < n && st == MGC_OK; i++) {
        mgc__rec rec;

        st = mgc__credit_node(env, members[i].id, &rec);
        if (rec.v[NODE_LED] > 0) {
            leader = members[i].id;
            leaders++;
        }
    }
    for (uint32_t i = 0; i < n && st == MGC_OK; i++)
        st = step_node(env, members[i].id, certificates, leader, leaders > 1);
    return st;
}

/* --- epoch ---------------------------------------------------------------------------- */

static mgc_status epoch_terms(mgc_env *env, epoch *e)
{
    mgc_status st = mgc__parameter(env, PARAMETER_TOLERANCE, &e->tolerance);

    if (st == MGC_OK) st = mgc__parameter(env, PARAMETER_VOLUME_CAP, &e->cap_wh);
    if (st == MGC_OK) st = mgc__parameter(env, PARAMETER_GRACE, &e->grace_ms);
    return st != MGC_OK ? st : mgc__parameter(env, PARAMETER_CREDIT_THRESHOLD, &e->threshold);
}

static mgc_status close_epoch(mgc_env *env, mgc__rec *next, int64_t last_slot)
{
    mgc__key next_key = mgc__key_of('K'), key = mgc__key_u64(mgc__key_of('E'), (uint64_t)next->v[NEXT_EPOCH]);
    mgc__rec done = {.n = 3, .v = {last_slot, (int64_t)env->height, next->v[NEXT_CERTIFICATES]}};
    uint8_t root[32];
    mgc_status st = table_root(env, root);

    if (st != MGC_OK) return st;
    done.data = root;
    done.data_len = sizeof root;
    next->n = NEXT_INTS;
    next->data = root;
    next->data_len = sizeof root;
    next->name_len = 0;
    next->v[NEXT_EPOCH]++;
    next->v[NEXT_CERTIFICATES] = 0;
    st = mgc__rec_put(env, &key, &done);
    if (st == MGC_OK) st = mgc__rec_put(env, &next_key, next);
    return st != MGC_OK ? st : mgc_env_emit(env, "epoch", root, sizeof root);
}

mgc_status mgc__credit_epoch(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    int64_t number = values->at[0].number, last = values->at[1].number;
    mgc__market market;
    mgc__rec next;
    epoch e = {0};
    mgc_status st = mgc__market_get(env, &market);

    (void)method;
    if (st != MGC_OK) return st;
    if (mgc__env_signed_as(env, MGC_ROLE_VALIDATOR) == 0 && mgc__env_signed_as(env, MGC_ROLE_MARKET_OPERATOR) == 0 &&
        mgc__env_validator(env, env->signers[0].key) == NULL)
        return mgc_env_refuse(env, MGC_E_FORBIDDEN, "no validator and no market operator signed");
    st = mgc__credit_next(env, &market, &next);
    if (st != MGC_OK) return st;
    if (number != next.v[NEXT_EPOCH])
        return mgc_env_refuse(env, number < next.v[NEXT_EPOCH] ? MGC_E_EXISTS : MGC_E_STATE,
                              "epoch %" PRId64 " is the next one, not %" PRId64, next.v[NEXT_EPOCH], number);
    if (mgc_slot_begin_ms((uint64_t)last + 1, market.slot_ms) > env->time_ms)
        return mgc_env_refuse(env, MGC_E_EARLY, "slot %" PRId64 " has not ended", last);
    if (last - next.v[NEXT_SLOT] >= MGC_ROWS_MAX) next.v[NEXT_SLOT] = last - MGC_ROWS_MAX + 1; /* given up */
    st = epoch_terms(env, &e);
    if (st == MGC_OK) st = judge_slots(env, &e, next.v, last);
    if (st == MGC_OK) st = step_members(env, &e);
    if (st == MGC_OK) st = step_nodes(env, next.v[NEXT_CERTIFICATES]);
    if (st == MGC_OK) st = mgc__credit_judge(env, number);
    mgc__free(env->ctx, e.pairs);
    return st != MGC_OK ? st : close_epoch(env, &next, last);
}
