/* SPDX-License-Identifier: Apache-2.0 */
/* The auditor: who is to blame when a member lied?
 *
 * It hears every vote and every acknowledgement that left a member, as an auditor does who is handed the certificates
 * that members keep, and looks for E4 (doc/consensus.md):
 *
 *   1. Per term, which entries of the term's own were acknowledged by a majority of their configuration: those are final.
 *      Who acknowledged through j has acknowledged all before it, for the head is a chain of hashes.
 *   2. Who was elected by a majority of votes, in which term, with what log.
 *   3. For a final entry: the earliest later leader whose log was older.  Whoever made the one final and the other leader
 *      lied.  A later such leader accuses nobody: its voters may have had their logs cut by the earlier one (exoneration).
 *      Where a term in between had two leaders, nobody need have voted for both: they may have been elected by two
 *      configurations.  Then what honest members kept clears them, and the case is no business of cert.c's judge.
 *
 * What an honest member keeps is its answer whoever accuses it, with whichever later leader, whether the entry was final or not.
 *
 * Honest members must never be accused (soundness), and once a rule was broken somebody must be.  Where the
 * certificates are whole, the library's own judge says the same of them, with real signatures. */
#include "sim.h"

#include "consensus/cert.h"
#include "crypto/crypto.h"

enum { JUDGED_MAX = 4 }; /* signatures are dear: so many of a run go to the judge */

void audit_hear(struct sim *s, const mgc_raft_msg *m)
{
    struct said *x;

    if (s->n_said == s->cap_said) {
        s->cap_said = s->cap_said == 0 ? 1024 : 2 * s->cap_said;
        s->said = realloc(s->said, s->cap_said * sizeof *s->said);
        if (s->said == NULL) abort();
    }
    x = &s->said[s->n_said++];
    *x = (struct said){.kind = m->kind, .from = m->from, .to = m->to, .cfg = m->cfg, .term = m->term, .index = m->index,
                       .log_term = m->log_term};
    memcpy(x->hash, m->hash, 32);
}

void audit_configs(struct sim *s, const mgc_raft *r)
{
    for (uint32_t i = 0; i < r->n_configs; i++) {
        const mgc_raft_config *c = &r->configs[i];
        bool known = false;

        for (size_t k = s->n_configs; k > 0 && !known; k--)
            known = s->configs[k - 1].index == c->index && mgc__config_same_members(&s->configs[k - 1], c);
        if (known || s->n_configs == SIM_CONFIGS) continue;
        s->configs[s->n_configs++] = *c;
    }
}

/* Is it a majority, of whichever configuration had that index?  An entry may have been cut and another one put there. */
static const mgc_raft_config *majority_of(const struct sim *s, uint64_t cfg, uint32_t ids)
{
    for (size_t i = 0; i < s->n_configs; i++) {
        const mgc_raft_config *c = &s->configs[i];
        uint32_t voters[2] = {0}, held[2] = {0};

        if (c->index != cfg) continue;
        for (uint32_t k = 0; k < c->n_members; k++)
            for (uint32_t half = 0; half < 2; half++) {
                if ((c->members[k].roles & (half == 0 ? MGC_RAFT_VOTER : MGC_RAFT_VOTER_OLD)) == 0) continue;
                voters[half]++;
                held[half] += ids >> c->members[k].id & 1;
            }
        if ((voters[0] == 0 || 2 * held[0] > voters[0]) && (voters[1] == 0 || 2 * held[1] > voters[1])) return c;
    }
    return NULL;
}

/* An entry before a configuration that only its leader has yet may be committed by a majority of that one. */
static const mgc_raft_config *majority_from(const struct sim *s, uint64_t cfg, uint32_t ids)
{
    const mgc_raft_config *c = majority_of(s, cfg, ids);

    for (size_t i = 0; i < s->n_configs && c == NULL; i++)
        if (s->configs[i].index > cfg) c = majority_of(s, s->configs[i].index, ids);
    return c;
}

/* A certificate holds members only; a stranger may sign too, and a leader on its way out. */
static uint32_t members_of(const mgc_raft_config *c)
{
    uint32_t ids = 0;

    for (uint32_t i = 0; i < c->n_members; i++) ids |= UINT32_C(1) << c->members[i].id;
    return ids;
}

static bool same_vote(const struct said *a, const struct said *b)
{
    return b->kind == MGC_RAFT_VOTE_RESP && a->term == b->term && a->to == b->to && a->cfg == b->cfg && a->index == b->index &&
           a->log_term == b->log_term;
}

static bool lacks(const struct said *vote, const struct said *block)
{
    return vote->log_term < block->log_term || (vote->log_term == block->log_term && vote->index < block->index);
}

/* --- step 2 --- */

static void find_leaders(struct sim *s)
{
    for (size_t i = 0; i < s->n_said; i++) {
        const struct said *v = &s->said[i];
        struct elected *e = NULL;

        if (v->kind != MGC_RAFT_VOTE_RESP) continue;
        for (size_t k = 0; k < s->n_elected && e == NULL; k++)
            if (same_vote(&s->elected[k].vote, v)) e = &s->elected[k];
        if (e == NULL && s->n_elected == SIM_ELECTED) continue;
        if (e == NULL) {
            e = &s->elected[s->n_elected++];
            *e = (struct elected){.vote = *v};
        }
        e->ids |= UINT32_C(1) << v->from;
    }
    for (size_t k = 0; k < s->n_elected;) {
        s->elected[k].config = majority_of(s, s->elected[k].vote.cfg, s->elected[k].ids);
        if (s->elected[k].config == NULL) s->elected[k] = s->elected[--s->n_elected];
        else {
            s->elected[k].ids &= members_of(s->elected[k].config);
            k++;
        }
    }
}

/* --- step 3 --- */

static const struct elected *earliest_without(const struct sim *s, const struct said *block)
{
    const struct elected *first = NULL;

    for (size_t k = 0; k < s->n_elected; k++) {
        const struct elected *e = &s->elected[k];
        if (e->vote.term <= block->term || !lacks(&e->vote, block)) continue;
        if (first == NULL || e->vote.term < first->vote.term) first = e;
    }
    return first;
}

struct court {
    struct sim *s;
    mgc_key *keys[SIM_NODES + 1];
    uint8_t public_keys[SIM_NODES + 1][32], chain_id[32];
};

static const uint8_t *key_of(void *user, uint32_t id)
{
    struct court *c = user;

    return id >= 1 && id <= SIM_NODES ? c->public_keys[id] : NULL;
}

static const mgc_raft_config *config_of(void *user, uint64_t index)
{
    struct court *c = user;

    for (size_t i = 0; i < c->s->n_configs; i++)
        if (c->s->configs[i].index == index) return &c->s->configs[i];
    return NULL;
}

static bool one_config(const struct sim *s, uint64_t index)
{
    uint32_t n = 0;

    for (size_t i = 0; i < s->n_configs; i++) n += s->configs[i].index == index;
    return n == 1;
}

static mgc__cert certify(struct court *court, const struct said *x, uint32_t ids)
{
    mgc__cert cert = {.kind = x->kind == MGC_RAFT_VOTE_RESP ? MGC__CERT_LEADER : MGC__CERT_QUORUM, .cfg = x->cfg, .term = x->term,
                      .index = x->index, .log_term = x->log_term};

    if (cert.kind == MGC__CERT_LEADER) cert.candidate = x->to;
    memcpy(cert.hash, x->hash, 32);
    for (uint32_t id = 1; id <= SIM_NODES; id++) {
        mgc_raft_msg m = {.kind = x->kind, .from = id, .to = x->to, .cfg = x->cfg, .term = x->term, .index = x->index,
                          .log_term = x->log_term};
        uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX];
        const char *tag;
        size_t len;

        if ((ids >> id & 1) == 0) continue;
        memcpy(m.hash, x->hash, 32);
        if (mgc_raft_signed_body(&m, body, &len, &tag) != MGC_OK ||
            mgc__sign_tagged(court->s->ctx, court->keys[id], tag, court->chain_id, 0, body, len, m.signature) != MGC_OK)
            abort();
        (void)mgc__cert_add(&cert, id, m.signature);
    }
    return cert;
}

/* The same case before the library's judge: it must accuse the same members, and move on to the same leader. */
static void judge(struct sim *s, const struct said *block, uint32_t signers, const struct elected *e, const struct elected *late)
{
    struct court court = {.s = s, .chain_id = {7}};
    mgc__trust trust = {.ctx = s->ctx, .chain_id = court.chain_id, .key_of = key_of, .user = &court, .config_of = config_of};
    mgc__cert quorum, leader, between;
    uint32_t ids[MGC_RAFT_MEMBERS_MAX], n = 0, accused = 0;
    size_t moved = 0;
    mgc_status st;

    for (uint32_t id = 1; id <= SIM_NODES; id++) {
        uint8_t seed[32] = {(uint8_t)id, 1};
        if (mgc_key_from_seed(s->ctx, seed, &court.keys[id]) != MGC_OK || mgc_key_public(court.keys[id], court.public_keys[id]) != MGC_OK)
            abort();
    }
    quorum = certify(&court, block, signers);
    between = certify(&court, &e->vote, e->ids);
    leader = certify(&court, &late->vote, late->ids);
    st = mgc__evidence_lost_block(&trust, &quorum, &leader, config_of(&court, block->cfg), &between, 1, ids, &n, &moved);
    for (uint32_t i = 0; i < n; i++) accused |= UINT32_C(1) << ids[i];
    if (st != MGC_OK || accused != (signers & e->ids) || (late != e && moved != 0))
        sim_fail(s, "the judge says %s (%s) and accuses %" PRIx32 "; the auditor accuses %" PRIx32, mgc_status_name(st), mgc_ctx_error(s->ctx), accused, signers & e->ids);
    else s->marks[MARK_JUDGED]++;
    if (late != e) s->marks[MARK_EXONERATED]++;
    for (uint32_t id = 1; id <= SIM_NODES; id++) mgc_key_destroy(court.keys[id]);
}

/* Certificates need one head: who acknowledged exactly this one. */
static uint32_t signers_of(const struct sim *s, const struct said *block)
{
    uint32_t ids = 0;

    for (size_t i = 0; i < s->n_said; i++) {
        const struct said *x = &s->said[i];
        if (x->kind == MGC_RAFT_APPEND_RESP && x->term == block->term && x->index == block->index && x->cfg == block->cfg &&
            memcmp(x->hash, block->hash, 32) == 0)
            ids |= UINT32_C(1) << x->from;
    }
    return ids;
}

/* Two leaders of one term are another case (E2): their followers' logs may be cut without being older. */
static bool two_leaders(const struct sim *s, uint64_t from, uint64_t to)
{
    for (size_t k = 0; k < s->n_elected; k++)
        for (size_t i = 0; i < k; i++) {
            const struct said *a = &s->elected[k].vote, *b = &s->elected[i].vote;
            if (a->term == b->term && a->to != b->to && a->term >= from && a->term <= to) return true;
        }
    return false;
}

static void to_court(struct sim *s, const struct said *block, const struct elected *e)
{
    const struct elected *late = e;
    uint32_t signers = signers_of(s, block);
    const mgc_raft_config *c = majority_of(s, block->cfg, signers);

    if (s->judged == JUDGED_MAX || c == NULL || !one_config(s, block->cfg) ||
        !one_config(s, e->vote.cfg))
        return;
    for (size_t k = 0; k < s->n_elected; k++) {
        const struct elected *other = &s->elected[k];
        if (other->vote.term > e->vote.term && lacks(&other->vote, block) && one_config(s, other->vote.cfg) &&
            !two_leaders(s, block->term, other->vote.term))
            late = other;
    }
    s->judged++;
    judge(s, block, signers & members_of(c), e, late);
}

/* Whatever later leader is held against an honest member, it can show an earlier one. */
static void all_can_answer(struct sim *s, const struct said *block, uint32_t holders)
{
    for (size_t k = 0; k < s->n_elected && !s->wiped_once; k++) {
        const struct elected *e = &s->elected[k];

        if (e->vote.term <= block->term || !lacks(&e->vote, block)) continue;
        for (uint32_t id = 1; id <= SIM_NODES; id++) {
            if (id == s->liar || (holders & e->ids & UINT32_C(1) << id) == 0) continue;
            if (witness_clears(&s->nodes[id], block, e->vote.term)) s->marks[MARK_CLEARED]++;
            else
                sim_fail(s, "honest member %" PRIu32 " cannot answer: it acknowledged entry %" PRIu64 " of term %" PRIu64
                         " and voted in term %" PRIu64, id, block->index, block->term, e->vote.term);
        }
    }
}

static void accuse(struct sim *s, const struct said *block, uint32_t holders)
{
    const struct elected *e = earliest_without(s, block);
    uint32_t guilty = e == NULL ? 0 : holders & e->ids, liar = UINT32_C(1) << s->liar;

    if (guilty == 0) return;
    if (guilty & ~liar)
        sim_fail(s, "honest members %" PRIx32 " would be convicted: entry %" PRIu64 " of term %" PRIu64 " and the leader of %" PRIu64,
                 guilty & ~liar, block->index, block->term, e->vote.term);
    if (!s->convicted) s->marks[MARK_CONVICTED_E4]++;
    s->convicted = true;
    if (!two_leaders(s, block->term, e->vote.term)) to_court(s, block, e);
}

/* --- step 1 --- */

/* Members that acknowledged, in the block's term, an entry of that term at or behind it.  The leader of a term is one: two
 * of them are convicted by their voters, and then it does not matter whose chain is looked at. */
static uint32_t holders_of(const struct sim *s, const struct said *block)
{
    uint32_t ids = 0;

    for (size_t i = 0; i < s->n_said; i++) {
        const struct said *x = &s->said[i];
        if (x->kind == MGC_RAFT_APPEND_RESP && x->term == block->term && x->log_term == x->term && x->index >= block->index &&
            x->to == block->to)
            ids |= UINT32_C(1) << x->from;
    }
    return ids;
}

void audit(struct sim *s)
{
    uint64_t last_term = 0, last_index = 0;

    find_leaders(s);
    for (size_t i = 0; i < s->n_said && !s->result->failed; i++) {
        const struct said *x = &s->said[i];
        const mgc_raft_config *c;
        uint32_t holders;

        if (x->kind != MGC_RAFT_APPEND_RESP || x->log_term != x->term) continue;
        if (x->term == last_term && x->index == last_index) continue;
        last_term = x->term;
        last_index = x->index;
        if (earliest_without(s, x) == NULL) continue;
        holders = holders_of(s, x);
        c = majority_from(s, x->cfg, holders);
        all_can_answer(s, x, holders);
        if (c != NULL) accuse(s, x, holders & members_of(c));
    }
}
