/* SPDX-License-Identifier: Apache-2.0 */
/* Contract 6, credit: trading credit of members, consensus credit of validators, from committed facts only.
 *
 * Records (doc/contracts.md):
 *   M member       trading credit, suspended, credit when the epoch began
 *   N validator    consensus credit, convicted, bonus, low epochs; counted in the epoch: certificates, blocks led
 *   K              next epoch, first slot not wholly judged, certificates of the epoch; hash of the table
 *   E epoch        last slot, height, certificates; hash of the table
 *   D slot trade   judged; forgotten with its slot
 *   H height       whose signatures are counted
 *   V hash         evidence
 *
 * An epoch is a transaction: it judges each agreement once both its sides are final, and pays regard to nothing that
 * stands elsewhere than in the state.  A slot that never becomes final is given up after MGC_ROWS_MAX slots: what
 * cannot be attributed is not punished.
 *
 *   delivery   the seller's deviation of the slot, netted over all it did, falls on its deals in proportion to all
 *              that it had scheduled
 *   payment    in full from escrow or money: 10000; a debt that was paid within the grace: 5000; else 0 and a default */
#include "contract/credit.h"

#include "contract/supervision.h"
#include "crypto/crypto.h"
#include "ledger/block.h"

enum { NEXT_EPOCH, NEXT_SLOT, NEXT_CERTIFICATES, NEXT_INTS };
enum { LATE_BLOCKS = 8 };         /* signatures that come so late still count */
enum { VERIFY_COST = 1 << 16 };   /* [bytes] what a signature's verification counts for */

/* --- the table ---------------------------------------------------------------------------- */

static mgc__key member_key(int64_t member)
{
    return mgc__key_u32(mgc__key_of('M'), (uint32_t)member);
}

static mgc__key node_key(int64_t validator)
{
    return mgc__key_u32(mgc__key_of('N'), (uint32_t)validator);
}

mgc_status mgc__credit_of(mgc_env *env, int64_t member, mgc__rec *rec)
{
    mgc__key key = member_key(member);
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_CREDIT, &key, rec);

    if (st != MGC_E_NOT_FOUND) return st;
    rec->v[CREDIT_TRADE] = rec->v[CREDIT_BEGAN] = CREDIT_START;
    return MGC_OK;
}

static mgc_status node_of(mgc_env *env, int64_t validator, mgc__rec *rec)
{
    mgc__key key = node_key(validator);
    mgc_status st = mgc__rec_get(env, env->contract, &key, rec);

    if (st != MGC_E_NOT_FOUND) return st;
    rec->v[NODE_CREDIT] = CREDIT_START;
    return MGC_OK;
}

static mgc_status put_node(mgc_env *env, int64_t validator, const mgc__rec *rec)
{
    mgc__key key = node_key(validator);

    assert(rec->v[NODE_CREDIT] >= 0 && rec->v[NODE_CREDIT] <= CREDIT_MAX); /* I8 */
    return mgc__rec_put_ints(env, &key, rec->v, NODE_INTS);
}

static mgc_status put_member(mgc_env *env, int64_t member, const mgc__rec *rec)
{
    mgc__key key = member_key(member);

    assert(rec->v[CREDIT_TRADE] >= 0 && rec->v[CREDIT_TRADE] <= CREDIT_MAX); /* I8 */
    return mgc__rec_put_ints(env, &key, rec->v, CREDIT_INTS);
}

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

/* All agreements of a slot that were not judged before; *whole: none is left. */
static mgc_status judge_slot(mgc_env *env, epoch *e, int64_t slot, bool *whole)
{
    mgc__key prefix = mgc__key_u64(mgc__key_of('A'), (uint64_t)slot);
    mgc__walk w;
    mgc_status st = MGC_OK;

    *whole = true;
    mgc__walk_begin(&w, MGC_CONTRACT_TRADING, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        uint64_t id = mgc__key_read(w.key, 9, 8);
        mgc__key mark = mgc__key_u64(mgc__key_u64(mgc__key_of('D'), (uint64_t)slot), id);
        mgc__rec rec;
        bool open = false;

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

/* From the first slot that is not wholly judged to the last: judge; move the first one on. */
static mgc_status judge_slots(mgc_env *env, epoch *e, int64_t *first, int64_t last)
{
    bool moving = true;
    mgc_status st = MGC_OK;

    for (int64_t slot = *first; slot <= last && st == MGC_OK; slot++) {
        mgc__key marks = mgc__key_u64(mgc__key_of('D'), (uint64_t)slot);
        bool whole = false;

        st = judge_slot(env, e, slot, &whole);
        moving = moving && whole;
        if (st == MGC_OK && moving) st = forget(env, &marks);
        if (moving) *first = slot + 1;
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

static mgc_status alert(mgc_env *env, const char *what, int64_t number)
{
    mgc__key key = mgc__key_u32(mgc__key_of('a'), (uint32_t)number);

    return mgc_env_emit(env, what, key.bytes + 1, key.len - 1);
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
    if (defaulted && rec->v[CREDIT_SUSPENDED] == 0) st = alert(env, "suspended", member);
    if (defaulted) rec->v[CREDIT_SUSPENDED] = 1;
    if (st == MGC_OK && rec->v[CREDIT_SUSPENDED] != 0 && !defaulted && trade >= e->threshold + CREDIT_CLEAR_MARGIN) {
        st = debt_of(env, member, &debt);
        if (st == MGC_OK && debt == 0) rec->v[CREDIT_SUSPENDED] = 0;
    }
    return st != MGC_OK ? st : put_member(env, member, rec);
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
        if (st == MGC_OK) st = put_member(env, e->pairs[i].member, &rec);
    }
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        rec = w.rec;
        st = step_member(env, e, (int64_t)mgc__key_read(w.key, 1, 4), &rec);
    }
    return st != MGC_OK ? st : env->broken;
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

static mgc_status step_node(mgc_env *env, int64_t validator, int64_t certificates, int64_t leader, bool several)
{
    mgc__rec rec;
    bool before;
    uint32_t bonus;
    mgc_status st = node_of(env, validator, &rec);

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
    if (!before && mgc__credit_to_demote(rec.v)) st = alert(env, "demote", validator);
    return st != MGC_OK ? st : put_node(env, validator, &rec);
}

static mgc_status step_nodes(mgc_env *env, int64_t certificates)
{
    uint32_t n, leaders = 0;
    int64_t leader = 0;
    const mgc_member *members = mgc__chain_members(mgc__exec_chain(env->exec), &n, NULL);
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < n && st == MGC_OK; i++) {
        mgc__rec rec;

        st = node_of(env, members[i].id, &rec);
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

static mgc_status next_of(mgc_env *env, const mgc__market *market, mgc__rec *next)
{
    mgc__key key = mgc__key_of('K');
    mgc_status st = mgc__rec_get(env, env->contract, &key, next);

    if (st == MGC_E_NOT_FOUND) {
        next->v[NEXT_EPOCH] = 1;
        next->v[NEXT_SLOT] = (int64_t)market->first_slot;
        st = MGC_OK;
    }
    return st;
}

static mgc_status epoch_(mgc_env *env, const mgc__method *method, const mgc__values *values)
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
    st = next_of(env, &market, &next);
    if (st != MGC_OK) return st;
    if (number != next.v[NEXT_EPOCH])
        return mgc_env_refuse(env, number < next.v[NEXT_EPOCH] ? MGC_E_EXISTS : MGC_E_STATE,
                              "epoch %" PRId64 " is the next one, not %" PRId64, next.v[NEXT_EPOCH], number);
    if (mgc_slot_begin_ms((uint64_t)last + 1, market.slot_ms) > env->time_ms)
        return mgc_env_refuse(env, MGC_E_EARLY, "slot %" PRId64 " has not ended", last);
    if (last - next.v[NEXT_SLOT] >= MGC_ROWS_MAX) next.v[NEXT_SLOT] = last - MGC_ROWS_MAX + 1; /* given up */
    st = epoch_terms(env, &e);
    if (st == MGC_OK) st = judge_slots(env, &e, &next.v[NEXT_SLOT], last);
    if (st == MGC_OK) st = step_members(env, &e);
    if (st == MGC_OK) st = step_nodes(env, next.v[NEXT_CERTIFICATES]);
    mgc__free(env->ctx, e.pairs);
    return st != MGC_OK ? st : close_epoch(env, &next, last);
}

/* --- certificates ---------------------------------------------------------------------------- */

static const char vote_tag[] = "mgchain/vote/1"; /* as the ledger signs blocks */

static mgc_status check_vote(mgc_env *env, const mgc_member *member, const uint8_t chain_id[32], const char *tag, uint32_t role,
                             const struct mgc__value *body, const uint8_t *signature)
{
    mgc_status st = mgc__env_meter(env, VERIFY_COST);

    if (st == MGC_OK)
        st = mgc__verify_tagged(env->ctx, member->public_key, tag, chain_id, role, body->bytes, body->len, signature);
    if (mgc__is_fatal(st)) return mgc__env_keep(env, st);
    return st == MGC_OK ? st
                        : mgc_env_refuse(env, st, "the signature of validator %" PRIu32 " does not verify",
                                         member->id);
}

static const mgc_member *find_validator(mgc_env *env, int64_t id, uint32_t *index)
{
    uint32_t n;
    const mgc_member *members = mgc__chain_members(mgc__exec_chain(env->exec), &n, NULL);

    for (uint32_t i = 0; i < n; i++)
        if (members[i].id == id) {
            if (index != NULL) *index = i;
            return &members[i];
        }
    return NULL;
}

/* A header of this chain, of a block before this one. */
static mgc_status read_header(mgc_env *env, const struct mgc__value *bytes, mgc__header *header)
{
    mgc_status st = mgc__header_read(NULL, bytes->bytes, bytes->len, header);

    return st == MGC_OK || mgc__is_fatal(st) ? mgc__env_keep(env, st)
                                             : mgc_env_refuse(env, st, "the header is malformed");
}

/* One voter of a certificate whose signature is good: counted once for each height. */
static mgc_status count_vote(mgc_env *env, int64_t validator, uint32_t index, mgc__rec *counted)
{
    int64_t bit = INT64_C(1) << (index % 32);
    int64_t *half = &counted->v[index / 32];
    mgc__rec rec;
    mgc_status st;

    if ((*half & bit) != 0) return MGC_OK;
    *half |= bit;
    st = node_of(env, validator, &rec);
    rec.v[NODE_SIGNED]++;
    return st != MGC_OK ? st : put_node(env, validator, &rec);
}

/* The first certificate of a height: one more in the epoch, and one more block of its leader. */
static mgc_status count_block(mgc_env *env, const mgc__header *header, mgc__rec *next)
{
    mgc__key key = mgc__key_of('K');
    uint8_t root[32];
    mgc__rec rec;
    mgc_status st;

    if (next->data_len > 0) memcpy(root, next->data, sizeof root);
    next->data = next->data_len > 0 ? root : NULL;
    next->n = NEXT_INTS;
    next->v[NEXT_CERTIFICATES]++;
    st = mgc__rec_put(env, &key, next);
    if (st != MGC_OK || find_validator(env, header->proposer, NULL) == NULL) return st;
    st = node_of(env, header->proposer, &rec);
    rec.v[NODE_LED]++;
    return st != MGC_OK ? st : put_node(env, header->proposer, &rec);
}

static mgc_status count_certificate(mgc_env *env, const mgc__header *header, const mgc__certificate *c,
                                    const struct mgc__value *bytes)
{
    mgc__key key = mgc__key_u64(mgc__key_of('H'), header->height);
    mgc__rec counted;
    int64_t before[2];
    mgc_status st = mgc__rec_get(env, env->contract, &key, &counted);

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    memcpy(before, counted.v, sizeof before);
    st = MGC_OK;
    for (uint32_t i = 0; i < c->n && st == MGC_OK; i++) {
        uint32_t index = 0;
        const mgc_member *member = find_validator(env, c->votes[i].member, &index);

        if (member == NULL)
            return mgc_env_refuse(env, MGC_E_BAD_CERT, "voter %" PRIu32 " is no validator", c->votes[i].member);
        st = check_vote(env, member, header->chain_id, vote_tag, MGC_ROLE_VALIDATOR, bytes, c->votes[i].signature);
        if (st == MGC_OK) st = count_vote(env, member->id, index, &counted);
    }
    if (st == MGC_OK && memcmp(before, counted.v, sizeof before) == 0)
        return mgc_env_refuse(env, MGC_E_EXISTS, "these signatures of height %" PRIu64 " are counted",
                              header->height);
    return st != MGC_OK ? st : mgc__rec_put_ints(env, &key, counted.v, 2);
}

static mgc_status forget_heights(mgc_env *env)
{
    mgc__key prefix = mgc__key_of('H');
    mgc__walk w;
    mgc_status st = MGC_OK;

    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        if (mgc__key_read(w.key, 1, 8) + LATE_BLOCKS >= env->height) break;
        st = mgc_env_remove(env, w.key, w.key_len);
    }
    return st != MGC_OK ? st : env->broken;
}

static mgc_status certify(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    uint32_t n, quorum;
    mgc__certificate c;
    mgc__header header;
    uint8_t hash[32];
    mgc__market market;
    mgc__rec next, counted;
    mgc__key key;
    mgc_status st = read_header(env, &a[0], &header);

    (void)method;
    (void)mgc__chain_members(mgc__exec_chain(env->exec), &n, &quorum);
    if (st == MGC_OK && (memcmp(header.chain_id, env->homes.chain_id, 32) != 0 || header.height >= env->height))
        return mgc_env_refuse(env, MGC_E_WRONG_CHAIN, "the header is not of an earlier block of this chain");
    if (st == MGC_OK && header.height + LATE_BLOCKS < env->height)
        return mgc_env_refuse(env, MGC_E_WINDOW, "signatures of height %" PRIu64 " came over %d blocks late",
                              header.height, LATE_BLOCKS);
    if (st == MGC_OK && mgc__certificate_read(NULL, a[1].bytes, a[1].len, &c) != MGC_OK)
        return mgc_env_refuse(env, MGC_E_BAD_CERT, "the certificate is malformed");
    if (st != MGC_OK) return st;
    mgc__header_hash(a[0].bytes, a[0].len, hash);
    if (memcmp(hash, c.block_hash, 32) != 0 || c.n < quorum)
        return mgc_env_refuse(env, MGC_E_BAD_CERT,
                              "the certificate is of another block, or has %" PRIu32 " votes of %" PRIu32, c.n,
                              quorum);
    st = mgc__market_get(env, &market);
    if (st == MGC_OK) st = forget_heights(env);
    key = mgc__key_u64(mgc__key_of('H'), header.height);
    if (st == MGC_OK) st = mgc__rec_get(env, env->contract, &key, &counted);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    n = st == MGC_E_NOT_FOUND;
    st = count_certificate(env, &header, &c, &a[0]);
    if (st == MGC_OK && n) st = next_of(env, &market, &next);
    return st != MGC_OK || !n ? st : count_block(env, &header, &next);
}

/* --- evidence ---------------------------------------------------------------------------- */

enum { EVIDENCE_BLOCKS = 1, EVIDENCE_VOTES = 2, EVIDENCE_ACKS = 3, EVIDENCE_HEADS = 4 };

/* What members sign in consensus, role 0: configuration (8), term (8), then a vote's candidate (4) and its last entry, or an
 * index (8) and the hash there (32).  No honest member signs two that agree in [from, same) and differ in [same, end): E2,
 * E1 and E3 of doc/consensus.md. */
static const struct {
    const char *tag, *what;
    size_t from, same, end;
} statements[] = {[EVIDENCE_VOTES] = {"mgchain/vote/1", "votes of one term for two candidates", 0, 16, 20},
                  [EVIDENCE_ACKS] = {"mgchain/ack/1", "acknowledgements of one term and index with two hashes", 0, 24, 56},
                  [EVIDENCE_HEADS] = {"mgchain/head/1", "heads of one term and index with two hashes", 8, 24, 56}};

/* Two headers of one chain and height that differ. */
static mgc_status two_blocks(mgc_env *env, const struct mgc__value *a, uint8_t chain_id[32])
{
    mgc__header one, two;
    mgc_status st = read_header(env, &a[2], &one);

    if (st == MGC_OK) st = read_header(env, &a[4], &two);
    if (st != MGC_OK) return st;
    if (memcmp(one.chain_id, two.chain_id, 32) != 0 || one.height != two.height)
        return mgc_env_refuse(env, MGC_E_RANGE,
                              "the headers are not of one chain and height: that is no equivocation");
    memcpy(chain_id, one.chain_id, 32);
    return MGC_OK;
}

static mgc_status two_statements(mgc_env *env, const struct mgc__value *a, uint8_t chain_id[32])
{
    size_t from = statements[a[0].number].from, same = statements[a[0].number].same, end = statements[a[0].number].end;

    if (a[2].len < end || a[2].len != a[4].len)
        return mgc_env_refuse(env, MGC_E_RANGE, "statements of kind %" PRId64 " have at least %zu bytes", a[0].number, end);
    if (memcmp(a[2].bytes + from, a[4].bytes + from, same - from) != 0 ||
        memcmp(a[2].bytes + same, a[4].bytes + same, end - same) == 0)
        return mgc_env_refuse(env, MGC_E_RANGE, "they are not %s: that is no equivocation", statements[a[0].number].what);
    memcpy(chain_id, env->homes.chain_id, 32);
    return MGC_OK;
}

/* The same two statements in either order are the same evidence. */
static void evidence_hash(const struct mgc__value *a, uint8_t hash[32])
{
    size_t shorter = a[2].len < a[4].len ? a[2].len : a[4].len;
    int order = memcmp(a[2].bytes, a[4].bytes, shorter);
    bool swap = order > 0 || (order == 0 && a[2].len > a[4].len);
    uint8_t one[32], two[32];

    mgc__hash_tagged("mgchain/evidence/1", a[swap ? 4 : 2].bytes, a[swap ? 4 : 2].len, one);
    mgc__hash_tagged("mgchain/evidence/1", a[swap ? 2 : 4].bytes, a[swap ? 2 : 4].len, two);
    mgc__hash_tagged2("mgchain/evidence/1", one, 32, two, 32, hash);
}

/* The member behind a validator's key loses trading credit with it, but never more in an epoch than I8 allows. */
static mgc_status punish_member(mgc_env *env, const mgc_member *validator)
{
    mgc__key key = mgc__key_bytes(mgc__key_of('K'), validator->public_key, 32);
    mgc__rec held, rec;
    int64_t lowest;
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &key, &held);

    if (st == MGC_E_NOT_FOUND) return MGC_OK; /* a validator that does not trade */
    if (st == MGC_OK) st = mgc__credit_of(env, held.v[PUBKEY_MEMBER], &rec);
    if (st != MGC_OK) return st;
    lowest = rec.v[CREDIT_BEGAN] - CREDIT_FALL_MAX;
    rec.v[CREDIT_TRADE] -= CREDIT_CONVICTION_COST;
    if (rec.v[CREDIT_TRADE] < lowest) rec.v[CREDIT_TRADE] = lowest;
    if (rec.v[CREDIT_TRADE] < 0) rec.v[CREDIT_TRADE] = 0;
    return put_member(env, held.v[PUBKEY_MEMBER], &rec);
}

static mgc_status convict(mgc_env *env, const mgc_member *validator)
{
    mgc__rec rec;
    mgc_status st = node_of(env, validator->id, &rec);

    if (st != MGC_OK || rec.v[NODE_CONVICTED] != 0) return st;
    rec.v[NODE_CREDIT] = 0;
    rec.v[NODE_CONVICTED] = (int64_t)env->height;
    st = put_node(env, validator->id, &rec);
    if (st == MGC_OK) st = punish_member(env, validator);
    return st != MGC_OK ? st : alert(env, "convicted", validator->id);
}

static mgc_status evidence(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    bool blocks = a[0].number == EVIDENCE_BLOCKS;
    const char *tag = blocks ? vote_tag : statements[a[0].number].tag;
    uint32_t role = blocks ? MGC_ROLE_VALIDATOR : MGC_ROLE_NONE;
    const mgc_member *validator = find_validator(env, a[1].number, NULL);
    uint8_t chain_id[32], hash[32];
    mgc__key key;
    mgc__rec rec;
    mgc_status st;

    (void)method;
    if (validator == NULL)
        return mgc_env_refuse(env, MGC_E_NOT_FOUND, "%" PRId64 " is no validator of this chain", a[1].number);
    if (a[2].len == a[4].len && memcmp(a[2].bytes, a[4].bytes, a[2].len) == 0)
        return mgc_env_refuse(env, MGC_E_RANGE, "the two statements are one: that is no equivocation");
    evidence_hash(a, hash);
    key = mgc__key_bytes(mgc__key_u32(mgc__key_of('V'), validator->id), hash, 32);
    st = mgc__rec_get(env, env->contract, &key, &rec);
    if (st == MGC_OK)
        return mgc_env_refuse(env, MGC_E_EXISTS, "this evidence is known since height %" PRId64, rec.v[0]);
    if (st != MGC_E_NOT_FOUND) return st;
    st = blocks ? two_blocks(env, a, chain_id) : two_statements(env, a, chain_id);
    if (st == MGC_OK) st = check_vote(env, validator, chain_id, tag, role, &a[2], a[3].bytes);
    if (st == MGC_OK) st = check_vote(env, validator, chain_id, tag, role, &a[4], a[5].bytes);
    if (st == MGC_OK) st = mgc__rec_put_ints(env, &key, (int64_t[]){(int64_t)env->height}, 1);
    return st != MGC_OK ? st : convict(env, validator);
}

static const mgc__rule rules[] = {{"epoch", epoch_}, {"certify", certify}, {"evidence", evidence}};

/* --- for the consensus room ---------------------------------------------------------------------------- */

static void read_rec(const mgc__state *state, uint32_t contract, const mgc__key *key, mgc__rec *rec)
{
    const uint8_t *bytes;
    size_t len;

    memset(rec, 0, sizeof *rec);
    if (state == NULL || mgc__record_get(state, contract, key->bytes, key->len, &bytes, &len) != MGC_OK ||
        mgc__rec_decode(bytes, len, rec) != MGC_OK)
        memset(rec, 0, sizeof *rec);
}

static mgc__credit_entry entry_of(const mgc__state *trading, const mgc__state *information, const mgc_member *member)
{
    mgc__key key = node_key(member->id);
    mgc__credit_entry e = {.validator = member->id, .node = CREDIT_START, .trade = CREDIT_START};
    mgc__rec rec;

    read_rec(trading, MGC_CONTRACT_CREDIT, &key, &rec);
    if (rec.n == NODE_INTS) {
        e.node = (uint32_t)rec.v[NODE_CREDIT];
        e.convicted = rec.v[NODE_CONVICTED] != 0;
        e.demote = mgc__credit_to_demote(rec.v);
    }
    key = mgc__key_bytes(mgc__key_of('K'), member->public_key, 32);
    read_rec(information, MGC_CONTRACT_INFORMATION, &key, &rec);
    key = member_key(rec.v[PUBKEY_MEMBER]);
    read_rec(trading, MGC_CONTRACT_CREDIT, &key, &rec);
    if (rec.n == CREDIT_INTS) e.trade = (uint32_t)rec.v[CREDIT_TRADE];
    return e;
}

/* R = (convicted, -(3 N + T), number): a total order. */
static bool before(const mgc__credit_entry *a, const mgc__credit_entry *b)
{
    uint32_t rank_a = 3 * a->node + a->trade, rank_b = 3 * b->node + b->trade;

    if (a->convicted != b->convicted) return !a->convicted;
    return rank_a != rank_b ? rank_a > rank_b : a->validator < b->validator;
}

mgc_status mgc__credit_table(const mgc__state *trading, const mgc__state *information, const mgc_chain *chain,
                             mgc__credit_entry *entries, size_t cap, size_t *n, uint8_t root[32])
{
    uint32_t members;
    const mgc_member *member = mgc__chain_members(chain, &members, NULL);
    mgc__key key = mgc__key_of('K');
    mgc__rec rec;

    *n = members;
    if (members > cap) return MGC_E_TOO_LARGE;
    for (uint32_t i = 0; i < members; i++) { /* insertion: at most MGC_MEMBERS_MAX */
        mgc__credit_entry e = entry_of(trading, information, &member[i]);
        uint32_t at = i;

        for (; at > 0 && before(&e, &entries[at - 1]); at--) entries[at] = entries[at - 1];
        entries[at] = e;
    }
    read_rec(trading, MGC_CONTRACT_CREDIT, &key, &rec);
    memset(root, 0, 32);
    if (rec.data_len == 32) memcpy(root, rec.data, 32);
    return MGC_OK;
}

bool mgc__credit_epoch_due(const mgc__state *trading, const mgc__state *information, uint64_t time_ms, int64_t *number,
                           int64_t *last_slot)
{
    mgc__key key = mgc__key_of('P');
    mgc__market market;
    mgc__rec rec;

    read_rec(information, MGC_CONTRACT_INFORMATION, &key, &rec);
    if (rec.n == 0) return false;
    mgc__market_read(&rec, &market);
    key = mgc__key_of('K');
    read_rec(trading, MGC_CONTRACT_CREDIT, &key, &rec);
    *number = rec.n == NEXT_INTS ? rec.v[NEXT_EPOCH] : 1;
    *last_slot = (int64_t)mgc_slot_at(time_ms, market.slot_ms) - 1;
    key = mgc__key_u64(mgc__key_of('E'), (uint64_t)*number - 1);
    read_rec(trading, MGC_CONTRACT_CREDIT, &key, &rec);
    return *last_slot >= (int64_t)market.first_slot && *last_slot > rec.v[0];
}

bool mgc__credit_counted(const mgc__state *trading, const mgc__state *information, uint64_t height, uint64_t *members)
{
    mgc__key market = mgc__key_of('P'), key = mgc__key_u64(mgc__key_of('H'), height);
    mgc__rec rec;

    read_rec(trading, MGC_CONTRACT_CREDIT, &key, &rec);
    *members = (uint64_t)rec.v[0] | (uint64_t)rec.v[1] << 32;
    read_rec(information, MGC_CONTRACT_INFORMATION, &market, &rec);
    return rec.n > 0;
}

/* --- queries ---------------------------------------------------------------------------- */

/* A member sees its own, whoever oversees the market sees all. */
static mgc_status query_credit(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('M');
    uint64_t id = 0;
    bool one = mgc_query_uint(filter->query, "member", &id) == 1;
    int64_t threshold;
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "member trade suspended limit_bp");

    if (st == MGC_OK) st = mgc__parameter(env, PARAMETER_CREDIT_THRESHOLD, &threshold);
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        uint64_t member = mgc__key_read(w.key, 1, 4);
        uint32_t limit = mgc__credit_limit_bp((uint32_t)w.rec.v[CREDIT_TRADE], (uint32_t)threshold);

        if ((one && member != id) || (filter->query->sees_all == 0 && member != filter->query->caller)) continue;
        st = mgc_rows_put_int(rows, (int64_t)member);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, 2);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.rec.v[CREDIT_SUSPENDED] != 0 ? 0 : limit);
    }
    return st;
}

static mgc_status query_validators(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('N');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "validator node convicted bonus low_epochs demote signed led");

    (void)filter;
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 4));
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, NODE_LOW_LEADER);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, mgc__credit_to_demote(w.rec.v));
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v + NODE_SIGNED, 2);
    }
    return st;
}

static mgc_status query_epochs(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('E');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "epoch last_slot height certificates root");

    (void)filter;
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 8));
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, 3);
        if (st == MGC_OK) st = mgc_rows_put_hex(rows, w.rec.data, w.rec.data_len);
    }
    return st;
}

static const mgc__answer answers[] = {
    {"credit", "member", query_credit}, {"validators", "", query_validators}, {"epochs", "", query_epochs}};

const mgc__built_in mgc__credit = {
    .id = MGC_CONTRACT_CREDIT,
    .code_version = 1,
    .name = "credit",
    .rules = rules,
    .n_rules = MGC__COUNT(rules),
    .answers = answers,
    .n_answers = MGC__COUNT(answers),
};
