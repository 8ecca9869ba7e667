/* SPDX-License-Identifier: Apache-2.0 */
/* Who signs blocks.
 *
 *   1. The genesis names the first ones and their quorum.
 *   2. A block's header may bring others (joint): the block itself, and all after it, need a quorum of those before and one of
 *      those who come.
 *   3. A later header of the same list ends that: the block itself needs both still, those after it the new quorum alone.
 *   4. A header may also bring the list that is in force anew, for another reason or with others who sign without counting.
 *   5. Every header names the height of the block that brought what is in force, so none can be left out.
 *
 * A list is bounded so that a header stays below MGC__HEADER_BYTES_MAX.  Used by the light verifier, so: no allocation, no ledger. */
#include "ledger/signers.h"

#include "crypto/crypto.h"

static const char vote_tag[] = "mgchain/vote/1";

void mgc__signers_begin(mgc__signers *s, const mgc__genesis *genesis, const mgc_member *members)
{
    memset(s, 0, sizeof *s);
    s->now.n = genesis->n_members;
    s->now.quorum = genesis->quorum;
    memcpy(s->now.list, members, genesis->n_members * sizeof *members);
}

static bool same_list(const mgc__half *half, const mgc__change *change)
{
    if (half->n != change->n || half->quorum != change->quorum) return false;
    for (uint32_t i = 0; i < half->n; i++)
        if (half->list[i].id != change->list[i].id || memcmp(half->list[i].public_key, change->list[i].public_key, 32) != 0)
            return false;
    return true;
}

static const mgc_member *find(const mgc__half *half, uint32_t id)
{
    for (uint32_t i = 0; i < half->n; i++)
        if (half->list[i].id == id) return &half->list[i];
    return NULL;
}

/* A certificate has room for so many votes, and who counts them for so many bits. */
static bool too_many(const mgc__half *now, const mgc__change *change)
{
    uint32_t n = now->n;

    for (uint32_t i = 0; i < change->n; i++) n += find(now, change->list[i].id) == NULL;
    return n + change->n_others > MGC_MEMBERS_MAX;
}

const char *mgc__signers_next(const mgc__signers *s, const mgc__header *h, mgc__signers *next)
{
    const mgc__change *change = &h->change;
    bool same = same_list(&s->now, change);

    if (change->n == 0) return "it changes nothing";
    if (change->joint && s->joint) return "a change is under way already";
    if (change->joint && same) return "the change is none";
    if (!change->joint && !same) return "others may come by a joint configuration only";
    for (uint32_t i = 0; i < change->n; i++)
        for (uint32_t k = 0; k < change->n_others; k++)
            if (change->list[i].id == change->others[k].id) return "a member counts and does not";
    if (too_many(&s->now, change)) return "too many members, old and new";
    *next = *s;
    next->height = h->height;
    next->joint = change->joint;
    memcpy(next->reason, change->reason, 32);
    next->others.n = change->n_others;
    memcpy(next->others.list, change->others, change->n_others * sizeof change->others[0]);
    if (!change->joint) {
        next->old.n = 0;
        return NULL;
    }
    next->old = s->now;
    next->now.n = change->n;
    next->now.quorum = change->quorum;
    memcpy(next->now.list, change->list, change->n * sizeof change->list[0]);
    return NULL;
}

const mgc__signers *mgc__signers_of(const mgc__signers *before, const mgc__header *h, mgc__signers *next)
{
    if (h->change.n == 0 || !h->change.joint) return before;
    return mgc__signers_next(before, h, next) == NULL ? next : before;
}

const mgc_member *mgc__signers_find(const mgc__signers *s, uint32_t id, bool old)
{
    return old && !s->joint ? NULL : find(old ? &s->old : &s->now, id);
}

const mgc_member *mgc__signers_any(const mgc__signers *s, uint32_t id)
{
    const mgc_member *m = mgc__signers_find(s, id, false);

    if (m == NULL) m = mgc__signers_find(s, id, true);
    return m != NULL ? m : find(&s->others, id);
}

bool mgc__signers_have(const mgc__signers *s, uint32_t id)
{
    return mgc__signers_any(s, id) != NULL;
}

static bool has_key(const mgc__half *half, const uint8_t key[32])
{
    for (uint32_t i = 0; i < half->n; i++)
        if (memcmp(half->list[i].public_key, key, MGC_PUBLIC_KEY_BYTES) == 0) return true;
    return false;
}

bool mgc__signers_have_key(const mgc__signers *s, const uint8_t key[32])
{
    return has_key(&s->now, key) || (s->joint && has_key(&s->old, key)) || has_key(&s->others, key);
}

static void add_missing(mgc__half *all, const mgc__half *more)
{
    for (uint32_t i = 0; i < more->n && all->n < MGC_MEMBERS_MAX; i++) {
        uint32_t at = all->n;

        if (find(all, more->list[i].id) != NULL) continue;
        for (; at > 0 && all->list[at - 1].id > more->list[i].id; at--) all->list[at] = all->list[at - 1];
        all->list[at] = more->list[i];
        all->n++;
    }
}

void mgc__signers_all(const mgc__signers *s, mgc__half *all)
{
    *all = s->now;
    if (s->joint) add_missing(all, &s->old);
    add_missing(all, &s->others);
}

/* --- counting ------------------------------------------------------------------------------------ */

static mgc_status fits(mgc_ctx *ctx, const mgc_member *member, const uint8_t chain_id[32], const uint8_t *header, size_t len,
                       const uint8_t *signature)
{
    uint8_t scratch[MGC__HEADER_BYTES_MAX + MGC__TAGGED_EXTRA];

    assert(len <= MGC__HEADER_BYTES_MAX);
    return mgc__verify_tagged_once(ctx, scratch, member->public_key, vote_tag, chain_id, MGC_ROLE_VALIDATOR, header, len, signature);
}

mgc_status mgc__tally_vote(mgc__tally *t, const mgc__signers *s, const uint8_t chain_id[32], const uint8_t *header, size_t len,
                           uint32_t member, const uint8_t *signature)
{
    const mgc_member *now = mgc__signers_find(s, member, false), *old = mgc__signers_find(s, member, true);
    bool one = now != NULL && old != NULL && memcmp(now->public_key, old->public_key, 32) == 0;
    const mgc_member *other = now == NULL && old == NULL ? find(&s->others, member) : NULL;
    mgc_status st = MGC_E_BAD_CERT;

    if (other != NULL) {
        st = fits(t->ctx, other, chain_id, header, len, signature);
        return st == MGC_OK || st == MGC_E_CRYPTO ? st : MGC_E_BAD_CERT;
    }
    st = now == NULL ? MGC_E_BAD_CERT : fits(t->ctx, now, chain_id, header, len, signature);

    if (st == MGC_OK) {
        t->now++;
        t->old += one;
        return MGC_OK;
    }
    if (st == MGC_E_CRYPTO || old == NULL || one) return st == MGC_E_CRYPTO ? st : MGC_E_BAD_CERT;
    st = fits(t->ctx, old, chain_id, header, len, signature);
    t->old += st == MGC_OK;
    return st == MGC_OK || st == MGC_E_CRYPTO ? st : MGC_E_BAD_CERT;
}

bool mgc__tally_reached(const mgc__tally *t, const mgc__signers *s)
{
    return t->now >= s->now.quorum && (!s->joint || t->old >= s->old.quorum);
}

bool mgc__signers_enough(const mgc__signers *s, const mgc__certificate *c)
{
    mgc__tally t = {0};

    for (uint32_t i = 0; i < c->n; i++) {
        t.now += mgc__signers_find(s, c->votes[i].member, false) != NULL;
        t.old += mgc__signers_find(s, c->votes[i].member, true) != NULL;
    }
    return mgc__tally_reached(&t, s);
}

mgc_status mgc__signers_check(mgc_ctx *ctx, const mgc__signers *s, const uint8_t chain_id[32], const uint8_t *header, size_t len,
                              const uint8_t hash[32], const mgc__certificate *c, uint32_t *wrong)
{
    mgc__tally t = {.ctx = ctx};
    mgc_status st = MGC_OK;

    *wrong = 0;
    if (memcmp(c->block_hash, hash, 32) != 0) return MGC_E_BAD_CERT;
    for (uint32_t i = 0; i < c->n && st == MGC_OK; i++) {
        *wrong = c->votes[i].member;
        st = mgc__tally_vote(&t, s, chain_id, header, len, c->votes[i].member, c->votes[i].signature);
    }
    if (st != MGC_OK) return st;
    *wrong = 0;
    return mgc__tally_reached(&t, s) ? MGC_OK : MGC_E_BAD_CERT;
}
