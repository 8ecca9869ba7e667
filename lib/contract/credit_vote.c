/* SPDX-License-Identifier: Apache-2.0 */
/* What validators signed: certificates of blocks, counted once for each height, and evidence against who signed twice.
 *
 * Records: H height (whose signatures are counted), V validator hash (evidence). */
#include "contract/credit.h"

#include "crypto/crypto.h"
#include "ledger/signers.h"

enum { LATE_BLOCKS = 8 };       /* signatures that come so late still count */
enum { VERIFY_COST = 1 << 16 }; /* [bytes] what a signature's verification counts for */

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

mgc_status mgc__credit_check_signed(mgc_env *env, const mgc_member *member, const char *tag, const struct mgc__value *body,
                                    const uint8_t *signature)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_status st = mgc_chain_get_info(mgc__exec_chain(env->exec), &info);

    return st != MGC_OK ? mgc__env_keep(env, st) : check_vote(env, member, info.chain_id, tag, MGC_ROLE_NONE, body, signature);
}

static const mgc_member *find_validator(mgc_env *env, int64_t id)
{
    uint32_t n;
    const mgc_member *members = mgc__chain_members(mgc__exec_chain(env->exec), &n);

    for (uint32_t i = 0; i < n; i++)
        if (members[i].id == id) return &members[i];
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
    st = mgc__credit_node(env, validator, &rec);
    rec.v[NODE_SIGNED]++;
    return st != MGC_OK ? st : mgc__credit_put_node(env, validator, &rec);
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
    if (st != MGC_OK || find_validator(env, header->proposer) == NULL) return st;
    st = mgc__credit_node(env, header->proposer, &rec);
    rec.v[NODE_LED]++;
    return st != MGC_OK ? st : mgc__credit_put_node(env, header->proposer, &rec);
}

/* Signed by its key, or, while it changes that, by the one before. */
static mgc_status check_voter(mgc_env *env, const mgc__signers *signers, const uint8_t chain_id[32], uint32_t id,
                              const struct mgc__value *header, const uint8_t *signature)
{
    const mgc_member *now = mgc__signers_find(signers, id, false), *old = mgc__signers_find(signers, id, true);
    const mgc_member *member = mgc__signers_any(signers, id);
    mgc__tally tally = {.ctx = env->ctx};

    if (member == NULL) return mgc_env_refuse(env, MGC_E_BAD_CERT, "voter %" PRIu32 " is no validator", id);
    if (now != NULL && old != NULL && memcmp(now->public_key, old->public_key, 32) != 0 &&
        mgc__tally_vote(&tally, signers, chain_id, header->bytes, header->len, id, signature) == MGC_OK && tally.now == 0)
        member = old;
    return check_vote(env, member, chain_id, vote_tag, MGC_ROLE_VALIDATOR, header, signature);
}

static mgc_status count_certificate(mgc_env *env, const mgc__header *header, const mgc__signers *signers,
                                    const mgc__certificate *c, const struct mgc__value *bytes)
{
    mgc__key key = mgc__key_u64(mgc__key_of('H'), header->height);
    mgc__half all;
    mgc__rec counted;
    int64_t before[2];
    mgc_status st = mgc__rec_get(env, env->contract, &key, &counted);

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    memcpy(before, counted.v, sizeof before);
    mgc__signers_all(signers, &all);
    st = MGC_OK;
    for (uint32_t i = 0; i < c->n && st == MGC_OK; i++) {
        uint32_t index = 0;

        st = check_voter(env, signers, header->chain_id, c->votes[i].member, bytes, c->votes[i].signature);
        while (st == MGC_OK && all.list[index].id != c->votes[i].member) index++;
        if (st == MGC_OK) st = count_vote(env, c->votes[i].member, index, &counted);
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

mgc_status mgc__credit_certify(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    const mgc__signers *signers;
    mgc__signers room;
    bool first;
    mgc__certificate c;
    mgc__header header;
    uint8_t hash[32];
    mgc__market market;
    mgc__rec next, counted;
    mgc__key key;
    mgc_status st = read_header(env, &a[0], &header);

    (void)method;
    if (st == MGC_OK && (memcmp(header.chain_id, env->homes.chain_id, 32) != 0 || header.height >= env->height))
        return mgc_env_refuse(env, MGC_E_WRONG_CHAIN, "the header is not of an earlier block of this chain");
    if (st == MGC_OK && header.height + LATE_BLOCKS < env->height)
        return mgc_env_refuse(env, MGC_E_WINDOW, "signatures of height %" PRIu64 " came over %d blocks late",
                              header.height, LATE_BLOCKS);
    if (st == MGC_OK && mgc__certificate_read(NULL, a[1].bytes, a[1].len, &c) != MGC_OK)
        return mgc_env_refuse(env, MGC_E_BAD_CERT, "the certificate is malformed");
    if (st != MGC_OK) return st;
    mgc__header_hash(a[0].bytes, a[0].len, hash);
    signers = mgc__chain_signers_of(mgc__exec_chain(env->exec), &header, &room);
    if (signers == NULL) return mgc_env_refuse(env, MGC_E_BAD_CERT, "the header names members who never signed here");
    if (memcmp(hash, c.block_hash, 32) != 0 || !mgc__signers_enough(signers, &c))
        return mgc_env_refuse(env, MGC_E_BAD_CERT,
                              "the certificate is of another block, or has %" PRIu32 " votes of %" PRIu32, c.n,
                              signers->now.quorum);
    st = mgc__market_get(env, &market);
    if (st == MGC_OK) st = forget_heights(env);
    key = mgc__key_u64(mgc__key_of('H'), header.height);
    if (st == MGC_OK) st = mgc__rec_get(env, env->contract, &key, &counted);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    first = st == MGC_E_NOT_FOUND;
    st = count_certificate(env, &header, signers, &c, &a[0]);
    if (st == MGC_OK && first) st = mgc__credit_next(env, &market, &next);
    return st != MGC_OK || !first ? st : count_block(env, &header, &next);
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
    return mgc__credit_put_member(env, held.v[PUBKEY_MEMBER], &rec);
}

mgc_status mgc__credit_convict(mgc_env *env, const mgc_member *validator)
{
    mgc__rec rec;
    mgc_status st = mgc__credit_node(env, validator->id, &rec);

    if (st != MGC_OK || rec.v[NODE_CONVICTED] != 0) return st;
    rec.v[NODE_CREDIT] = 0;
    rec.v[NODE_CONVICTED] = (int64_t)env->height;
    st = mgc__credit_put_node(env, validator->id, &rec);
    if (st == MGC_OK) st = punish_member(env, validator);
    return st != MGC_OK ? st : mgc__credit_alert(env, "convicted", validator->id);
}

mgc_status mgc__credit_evidence(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    bool blocks = a[0].number == EVIDENCE_BLOCKS;
    const char *tag = blocks ? vote_tag : statements[a[0].number].tag;
    uint32_t role = blocks ? MGC_ROLE_VALIDATOR : MGC_ROLE_NONE;
    const mgc_member *validator = mgc__chain_member_ever(mgc__exec_chain(env->exec), (uint32_t)a[1].number); /* also who left since */
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
    return st != MGC_OK ? st : mgc__credit_convict(env, validator);
}
