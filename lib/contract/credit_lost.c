/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence E4 (doc/consensus.md): an entry of the order was final, and a later leader's log lacked it.  Whoever acknowledged the one
 * and voted for the other lied, unless an earlier leader, between the two, lacked it as well: that one may have cut honest logs.
 *
 *   1. "lost" opens a case: the acknowledgements of a majority, what shows that the entry is of the term that it was acknowledged in,
 *      the votes of a majority for the leader, and both configurations, each of which this chain's headers name by its hash.
 *   2. "followed" moves it to an earlier leader: then only who voted for that one stays accused.  Anybody may, best an accused.
 *   3. The epoch after the next convicts who is accused still: everybody had a whole epoch to answer in.
 *
 * Records: L hash of the entry's acknowledgement: LOST_... and the numbers of those who made it, 4 bytes each.
 *
 * What can go wrong
 *   a configuration was never in a header        who would accuse by it cannot; who answers need only show votes of half of any that was
 *   an entry of an older term, acknowledged in   it is not final (paper, figure 8): its hash shows its own term, and no case is opened
 *   a later one
 *   the accused held an answer and is away       any member that knows that leader answers for it */
#include "contract/credit.h"

#include "crypto/crypto.h"
#include "ledger/signers.h"

enum {
    CERT_LEADER = 1, CERT_QUORUM = 2,
    CERT_HEAD = 72, CERT_SIGNER = 68, SIGNERS_MAX = 32, /* consensus/cert.h */
    CONFIG_HEAD = 8 + 44, CONFIG_MEMBER = 12,           /* its index, then doc/consensus.md, "Bytes of a message" */
    ROLE_VOTER = 1, ROLE_VOTER_OLD = 2,
    ENTRY_PREV = 0, ENTRY_TYPE = 32, ENTRY_ROOT = 33, ENTRY_BYTES = 65
};

/* opened: the epoch in which it was; accused: bits by place among those who acknowledged. */
enum { LOST_STATE, LOST_OPENED, LOST_HEIGHT, LOST_TERM, LOST_INDEX, LOST_LEADER_TERM, LOST_ACCUSED, LOST_INTS };
enum { STATE_OPEN = 1, STATE_JUDGED = 2 };

static uint64_t get(const uint8_t *at, uint32_t n)
{
    uint64_t x = 0;

    while (n-- > 0) x = x << 8 | at[n];
    return x;
}

static void put(uint8_t *at, uint64_t x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) at[i] = (uint8_t)(x >> 8 * i);
}

/* --- certificates of the order ------------------------------------------------------------------------------ */

typedef struct cert {
    const uint8_t *bytes; /* cfg 8, term 8, index 8 and its term 8, hash 32 at 8; the candidate's 4 at 4 */
    uint32_t n;
    uint64_t cfg, term, index, log_term;
    uint32_t ids[SIGNERS_MAX];
} cert;

static mgc_status read_cert(mgc_env *env, const struct mgc__value *v, uint32_t kind, cert *c)
{
    *c = (cert){.bytes = v->bytes};
    if (v->len < CERT_HEAD || v->bytes[0] != 1 || v->bytes[1] != kind)
        return mgc_env_refuse(env, MGC_E_BAD_CERT, "a certificate of kind %" PRIu32 " is malformed", kind);
    c->n = (uint32_t)get(v->bytes + 2, 2);
    c->cfg = get(v->bytes + 8, 8);
    c->term = get(v->bytes + 16, 8);
    c->index = get(v->bytes + 24, 8);
    c->log_term = get(v->bytes + 32, 8);
    if (c->n > SIGNERS_MAX || v->len != CERT_HEAD + (size_t)c->n * CERT_SIGNER || c->term > INT64_MAX || c->index > INT64_MAX)
        return mgc_env_refuse(env, MGC_E_BAD_CERT, "a certificate of kind %" PRIu32 " is malformed", kind);
    for (uint32_t i = 0; i < c->n; i++) {
        c->ids[i] = (uint32_t)get(v->bytes + CERT_HEAD + (size_t)i * CERT_SIGNER, 4);
        if (i > 0 && c->ids[i] <= c->ids[i - 1])
            return mgc_env_refuse(env, MGC_E_BAD_CERT, "its signers do not ascend at %" PRIu32, c->ids[i]);
    }
    return MGC_OK;
}

/* What its signers signed (doc/consensus.md): of a vote with the candidate and the end of its log, of an acknowledgement without. */
static struct mgc__value statement_of(const cert *c, uint32_t kind, uint8_t body[68])
{
    bool vote = kind == CERT_LEADER;
    uint8_t *at = body + 16;

    memcpy(body, c->bytes + 8, 16);
    if (vote) {
        memcpy(at, c->bytes + 4, 4);
        put(at + 4, c->log_term, 8);
        at += 12;
    }
    put(at, c->index, 8);
    memcpy(at + 8, c->bytes + 40, 32);
    return (struct mgc__value){.bytes = body, .len = vote ? 68 : 56};
}

/* Every one of its signatures, by keys that sign or signed this chain. */
static mgc_status check_signatures(mgc_env *env, const cert *c, uint32_t kind)
{
    uint8_t body[68];
    struct mgc__value statement = statement_of(c, kind, body);
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < c->n && st == MGC_OK; i++) {
        const mgc_member *member = mgc__chain_member_ever(mgc__exec_chain(env->exec), c->ids[i]);

        if (member == NULL) return mgc_env_refuse(env, MGC_E_BAD_CERT, "signer %" PRIu32 " is no validator of this chain", c->ids[i]);
        st = mgc__credit_check_signed(env, member, kind == CERT_LEADER ? "mgchain/vote/1" : "mgchain/ack/1", &statement,
                                      c->bytes + CERT_HEAD + (size_t)i * CERT_SIGNER + 4);
    }
    return st;
}

/* --- configurations of the order ----------------------------------------------------------------------------- */

typedef struct electorate {
    uint64_t index;
    uint32_t n;
    const uint8_t *members;
} electorate;

/* The first one is in no header: its voters are those of the chain's genesis. */
static bool is_first(const mgc_chain *chain, const electorate *e)
{
    const mgc__signers *s = mgc__chain_configuration(chain, 0);
    uint32_t voters = 0;

    for (uint32_t i = 0; i < e->n; i++) {
        uint64_t roles = get(e->members + (size_t)i * CONFIG_MEMBER + 4, 4);

        if ((roles & ROLE_VOTER_OLD) != 0) return false;
        if ((roles & ROLE_VOTER) == 0) continue;
        if (mgc__signers_find(s, (uint32_t)get(e->members + (size_t)i * CONFIG_MEMBER, 4), false) == NULL) return false;
        voters++;
    }
    return e->index == 1 && voters == s->now.n;
}

/* A header of this chain names its hash: it was in force, and quorums signed that. */
static mgc_status read_electorate(mgc_env *env, const struct mgc__value *v, electorate *e)
{
    const mgc_chain *chain = mgc__exec_chain(env->exec);
    const mgc__signers *s;
    uint8_t hash[32];

    *e = (electorate){.members = v->bytes + CONFIG_HEAD};
    if (v->len < CONFIG_HEAD || v->len != CONFIG_HEAD + get(v->bytes + 10, 2) * CONFIG_MEMBER || get(v->bytes + 10, 2) > SIGNERS_MAX)
        return mgc_env_refuse(env, MGC_E_NONCANONICAL, "a configuration is malformed");
    e->index = get(v->bytes, 8);
    e->n = (uint32_t)get(v->bytes + 10, 2);
    for (uint32_t i = 1; i < e->n; i++)
        if (get(e->members + (size_t)i * CONFIG_MEMBER, 4) <= get(e->members + (size_t)(i - 1) * CONFIG_MEMBER, 4))
            return mgc_env_refuse(env, MGC_E_NONCANONICAL, "the members of a configuration do not ascend");
    mgc__hash_tagged("mgchain/config/1", v->bytes, v->len, hash);
    for (size_t i = 1; (s = mgc__chain_configuration(chain, i)) != NULL; i++)
        if (memcmp(s->reason, hash, 32) == 0) return MGC_OK;
    if (is_first(chain, e)) return MGC_OK;
    return mgc_env_refuse(env, MGC_E_NOT_FOUND, "no header of this chain names configuration %" PRIu64, e->index);
}

static bool signed_by(const cert *c, uint32_t id)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (c->ids[i] == id) return true;
    return false;
}

/* all: of each half, while joint; else of one of them */
static bool majority(const electorate *e, const cert *c, bool all)
{
    uint32_t voters[2] = {0}, held[2] = {0};
    bool now, old;

    for (uint32_t i = 0; i < e->n; i++) {
        const uint8_t *m = e->members + (size_t)i * CONFIG_MEMBER;

        for (uint32_t half = 0; half < 2; half++) {
            if ((get(m + 4, 4) & (half == 0 ? ROLE_VOTER : ROLE_VOTER_OLD)) == 0) continue;
            voters[half]++;
            held[half] += signed_by(c, (uint32_t)get(m, 4));
        }
    }
    now = 2 * held[0] > voters[0];
    old = 2 * held[1] > voters[1];
    return all ? now && (old || voters[1] == 0) : now || old;
}

/* --- opening a case ----------------------------------------------------------------------------------------- */

static bool lacks(const cert *leader, uint64_t term, uint64_t index)
{
    return leader->log_term < term || (leader->log_term == term && leader->index < index);
}

/* The entry's hash is over its own term. */
static bool is_of_its_term(const cert *block, const uint8_t *entry)
{
    uint8_t bytes[32 + 8 + 8 + 1 + 32], hash[32];

    memcpy(bytes, entry + ENTRY_PREV, 32);
    put(bytes + 32, block->term, 8);
    put(bytes + 40, block->index, 8);
    bytes[48] = entry[ENTRY_TYPE];
    memcpy(bytes + 49, entry + ENTRY_ROOT, 32);
    mgc__hash_tagged("mgchain/entry/1", bytes, sizeof bytes, hash);
    return memcmp(hash, block->bytes + 40, 32) == 0;
}

static mgc_status check_certificate(mgc_env *env, const cert *c, uint32_t kind, const struct mgc__value *configuration)
{
    electorate e;
    mgc_status st = read_electorate(env, configuration, &e);

    if (st != MGC_OK) return st;
    if (e.index != c->cfg || !majority(&e, c, true))
        return mgc_env_refuse(env, MGC_E_BAD_CERT, "its %" PRIu32 " signers are no majority of configuration %" PRIu64, c->n, c->cfg);
    return check_signatures(env, c, kind);
}

static mgc__key case_key(const uint8_t hash[32])
{
    return mgc__key_bytes(mgc__key_of('L'), hash, 32);
}

static int64_t accused_of(const uint8_t *ids, uint32_t n, const cert *leader)
{
    int64_t bits = 0;

    for (uint32_t i = 0; i < n; i++)
        if (signed_by(leader, (uint32_t)get(ids + 4 * (size_t)i, 4))) bits |= INT64_C(1) << i;
    return bits;
}

static mgc_status open_case(mgc_env *env, const mgc__key *key, const cert *block, const cert *leader)
{
    uint8_t ids[4 * SIGNERS_MAX];
    mgc__market market;
    mgc__rec next, rec = {.n = LOST_INTS, .data = ids, .data_len = 4 * (size_t)block->n};
    mgc_status st = mgc__market_get(env, &market);

    if (st == MGC_OK) st = mgc__credit_next(env, &market, &next);
    if (st != MGC_OK) return st;
    for (uint32_t i = 0; i < block->n; i++) put(ids + 4 * (size_t)i, block->ids[i], 4);
    rec.v[LOST_STATE] = STATE_OPEN;
    rec.v[LOST_OPENED] = next.v[NEXT_EPOCH];
    rec.v[LOST_HEIGHT] = (int64_t)env->height;
    rec.v[LOST_TERM] = (int64_t)block->term;
    rec.v[LOST_INDEX] = (int64_t)block->index;
    rec.v[LOST_LEADER_TERM] = (int64_t)leader->term;
    rec.v[LOST_ACCUSED] = accused_of(ids, block->n, leader);
    if (rec.v[LOST_ACCUSED] == 0) return mgc_env_refuse(env, MGC_E_RANGE, "nobody signed both: that accuses nobody");
    st = mgc__rec_put(env, key, &rec);
    return st != MGC_OK ? st : mgc_env_emit(env, "lost", key->bytes + 1, 32);
}

mgc_status mgc__credit_lost(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    uint8_t body[68], hash[32];
    struct mgc__value statement;
    cert block, leader;
    mgc__key key;
    mgc__rec rec;
    mgc_status st = read_cert(env, &a[0], CERT_QUORUM, &block);

    (void)method;
    if (st == MGC_OK) st = read_cert(env, &a[2], CERT_LEADER, &leader);
    if (st != MGC_OK) return st;
    if (!is_of_its_term(&block, a[1].bytes))
        return mgc_env_refuse(env, MGC_E_BAD_CERT, "entry %" PRIu64 " is not shown to be of term %" PRIu64, block.index, block.term);
    if (leader.term <= block.term || !lacks(&leader, block.term, block.index))
        return mgc_env_refuse(env, MGC_E_RANGE, "the leader of term %" PRIu64 " need not have had entry %" PRIu64, leader.term, block.index);
    statement = statement_of(&block, CERT_QUORUM, body);
    mgc__hash_tagged("mgchain/evidence/1", statement.bytes, statement.len, hash);
    key = case_key(hash);
    st = mgc__rec_get(env, env->contract, &key, &rec);
    if (st == MGC_OK) return mgc_env_refuse(env, MGC_E_EXISTS, "this entry has its case since height %" PRId64, rec.v[LOST_HEIGHT]);
    if (st != MGC_E_NOT_FOUND) return st;
    st = check_certificate(env, &block, CERT_QUORUM, &a[3]);
    if (st == MGC_OK) st = check_certificate(env, &leader, CERT_LEADER, &a[4]);
    return st != MGC_OK ? st : open_case(env, &key, &block, &leader);
}

/* --- answering ------------------------------------------------------------------------------------------------ */

/* Half of any configuration that was ever in force is enough here: whoever followed that leader could not know more. */
static mgc_status check_answer(mgc_env *env, const cert *leader, const struct mgc__value *configuration)
{
    electorate e;
    mgc_status st = read_electorate(env, configuration, &e);

    if (st != MGC_OK) return st;
    if (!majority(&e, leader, false))
        return mgc_env_refuse(env, MGC_E_BAD_CERT, "its %" PRIu32 " signers are no majority of configuration %" PRIu64, leader->n, e.index);
    return check_signatures(env, leader, CERT_LEADER);
}

mgc_status mgc__credit_followed(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = case_key(a[0].bytes);
    uint8_t ids[4 * SIGNERS_MAX];
    cert leader;
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &rec);

    (void)method;
    if (st == MGC_E_NOT_FOUND) return mgc_env_refuse(env, st, "there is no such case");
    if (st == MGC_OK && rec.v[LOST_STATE] != STATE_OPEN) return mgc_env_refuse(env, MGC_E_STATE, "that case is judged");
    if (st == MGC_OK) st = read_cert(env, &a[1], CERT_LEADER, &leader);
    if (st != MGC_OK) return st;
    if (leader.term <= (uint64_t)rec.v[LOST_TERM] || leader.term >= (uint64_t)rec.v[LOST_LEADER_TERM] ||
        !lacks(&leader, (uint64_t)rec.v[LOST_TERM], (uint64_t)rec.v[LOST_INDEX]))
        return mgc_env_refuse(env, MGC_E_RANGE, "the leader of term %" PRIu64 " is none between, or need not have lacked the entry", leader.term);
    st = check_answer(env, &leader, &a[2]);
    if (st != MGC_OK) return st;
    assert(rec.data_len <= sizeof ids);
    memcpy(ids, rec.data, rec.data_len);
    rec.data = ids;
    rec.v[LOST_LEADER_TERM] = (int64_t)leader.term;
    rec.v[LOST_ACCUSED] = accused_of(ids, (uint32_t)(rec.data_len / 4), &leader);
    st = mgc__rec_put(env, &key, &rec);
    return st != MGC_OK ? st : mgc_env_emit(env, "followed", key.bytes + 1, 32);
}

/* --- judging --------------------------------------------------------------------------------------------------- */

static mgc_status judge(mgc_env *env, const mgc__key *key, mgc__rec *rec)
{
    uint8_t ids[4 * SIGNERS_MAX];
    uint32_t n = (uint32_t)(rec->data_len / 4);
    int64_t accused = rec->v[LOST_ACCUSED];
    mgc_status st;

    memcpy(ids, rec->data, rec->data_len);
    rec->data = ids;
    rec->v[LOST_STATE] = STATE_JUDGED;
    st = mgc__rec_put(env, key, rec);
    for (uint32_t i = 0; i < n && st == MGC_OK; i++) {
        const mgc_member *member = mgc__chain_member_ever(mgc__exec_chain(env->exec), (uint32_t)get(ids + 4 * (size_t)i, 4));

        if ((accused >> i & 1) != 0 && member != NULL) st = mgc__credit_convict(env, member);
    }
    return st;
}

mgc_status mgc__credit_judge(mgc_env *env, int64_t epoch)
{
    mgc__key prefix = mgc__key_of('L');
    mgc__walk w;
    mgc_status st = MGC_OK;

    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        mgc__key key = {.len = w.key_len};
        mgc__rec rec = w.rec;

        if (rec.v[LOST_STATE] != STATE_OPEN || rec.v[LOST_OPENED] >= epoch) continue;
        assert(w.key_len <= sizeof key.bytes);
        memcpy(key.bytes, w.key, w.key_len);
        st = judge(env, &key, &rec);
    }
    return st != MGC_OK ? st : env->broken;
}

/* --- asking ---------------------------------------------------------------------------------------------------- */

mgc_status mgc__credit_query_lost(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('L');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "case state epoch height term entry leader_term accused");

    (void)filter;
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        int64_t accused = 0;

        for (int64_t bits = w.rec.v[LOST_ACCUSED]; bits != 0; bits &= bits - 1) accused++;
        st = mgc_rows_put_hex(rows, w.key + 1, w.key_len - 1);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, LOST_ACCUSED);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, accused);
    }
    return st;
}

size_t mgc__credit_open_cases(const mgc__state *trading, mgc__credit_case *cases, size_t cap)
{
    mgc__key prefix = mgc__key_of('L');
    mgc__record_cursor at;
    mgc__rec rec;
    size_t n = 0;

    mgc__record_first(&at, MGC_CONTRACT_CREDIT, prefix.bytes, prefix.len);
    while (n < cap && trading != NULL && mgc__record_next(trading, &at)) {
        if (at.key_len != 33 || mgc__rec_decode(at.value, at.value_len, &rec) != MGC_OK || rec.v[LOST_STATE] != STATE_OPEN) continue;
        cases[n] = (mgc__credit_case){.term = (uint64_t)rec.v[LOST_TERM], .index = (uint64_t)rec.v[LOST_INDEX],
                                      .leader_term = (uint64_t)rec.v[LOST_LEADER_TERM]};
        memcpy(cases[n++].hash, at.key + 1, 32);
    }
    return n;
}

bool mgc__credit_case_known(const mgc__state *trading, const uint8_t *acknowledgement, size_t len)
{
    const uint8_t *bytes;
    uint8_t hash[32];
    mgc__key key;
    size_t n;

    mgc__hash_tagged("mgchain/evidence/1", acknowledgement, len, hash);
    key = case_key(hash);
    return trading != NULL && mgc__record_get(trading, MGC_CONTRACT_CREDIT, key.bytes, key.len, &bytes, &n) == MGC_OK;
}
