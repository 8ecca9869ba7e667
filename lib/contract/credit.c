/* SPDX-License-Identifier: Apache-2.0 */
/* Contract 6, credit: trading credit of members, consensus credit of validators, from committed facts only.
 *
 *   credit_rule.c     the formulas, without a ledger
 *   credit_record.c   the records of both values
 *   credit_epoch.c    agreements judged, both values stepped
 *   credit_vote.c     certificates counted, evidence
 *   credit_lost.c     evidence of final entries that a later leader lacked
 *   credit.c          the contract; what the consensus room reads; queries */
#include "contract/credit.h"

#include "contract/supervision.h"

static const mgc__rule rules[] = {{"epoch", mgc__credit_epoch}, {"certify", mgc__credit_certify}, {"evidence", mgc__credit_evidence},
                                   {"lost", mgc__credit_lost}, {"followed", mgc__credit_followed}};

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
    mgc__key key = mgc__credit_node_key(member->id);
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
    key = mgc__credit_member_key(rec.v[PUBKEY_MEMBER]);
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

bool mgc__credit_validator(const mgc__state *trading, const mgc__state *information, const mgc_chain *chain, uint32_t id,
                           mgc__credit_entry *entry)
{
    const mgc_member *member = mgc__chain_member_ever(chain, id);

    if (member == NULL) return false;
    *entry = entry_of(trading, information, member);
    return true;
}

mgc_status mgc__credit_table(const mgc__state *trading, const mgc__state *information, const mgc_chain *chain,
                             mgc__credit_entry *entries, size_t cap, size_t *n, uint8_t root[32])
{
    uint32_t members;
    const mgc_member *member = mgc__chain_members(chain, &members);
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

/* As it was enrolled; nothing where that chain does not say. */
static mgc_status put_member_name(mgc_env *env, mgc_rows *rows, int64_t member)
{
    mgc__key key = mgc__key_u32(mgc__key_of('M'), (uint32_t)member);
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &key, &rec);

    if (st == MGC_E_NOT_FOUND) return mgc_rows_put_text(rows, "", 0);
    return st == MGC_OK ? mgc_rows_put_text(rows, rec.name, rec.name_len) : st;
}

/* A member sees its own, whoever oversees the market sees all. */
static mgc_status query_credit(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('M');
    uint64_t id = UINT64_MAX;
    int64_t threshold;
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "member trade suspended limit_bp name");

    if (st == MGC_OK) st = mgc__parameter(env, PARAMETER_CREDIT_THRESHOLD, &threshold);
    if (st == MGC_OK) st = mgc__query_number(env, filter->query, "member", &id);
    if (filter->query->sees_all == 0) prefix = mgc__key_u32(prefix, filter->query->caller);
    else if (id != UINT64_MAX) prefix = mgc__key_u32(prefix, id > UINT32_MAX ? 0 : (uint32_t)id);
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        uint64_t member = mgc__key_read(w.key, 1, 4);
        uint32_t limit = mgc__credit_limit_bp((uint32_t)w.rec.v[CREDIT_TRADE], (uint32_t)threshold);

        if (id != UINT64_MAX && member != id) continue;
        st = mgc_rows_put_int(rows, (int64_t)member);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, 2);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.rec.v[CREDIT_SUSPENDED] != 0 ? 0 : limit);
        if (st == MGC_OK) st = put_member_name(env, rows, (int64_t)member);
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
    {"credit", "member", query_credit}, {"validators", "", query_validators}, {"epochs", "", query_epochs}, {"lost", "", mgc__credit_query_lost}};

const mgc__built_in mgc__credit = {
    .id = MGC_CONTRACT_CREDIT,
    .code_version = 1,
    .name = "credit",
    .rules = rules,
    .n_rules = MGC__COUNT(rules),
    .answers = answers,
    .n_answers = MGC__COUNT(answers),
};
