/* SPDX-License-Identifier: Apache-2.0 */
/* Credit in consensus: the only file that reads the credit view, and the two places where it acts.
 *
 *   the election deadline        better rank, shorter timeout; below the threshold not before the window is over
 *   refusing a pre-vote          of a member below the threshold, inside the window
 *
 * The window is G ticks since a leader was last heard, by the own count (since_leader), which neither votes nor terms
 * reset (NuRaft#30).  After it, credit is ignored: plain Raft.  Real votes, majorities and commits never see it.  So
 * credit can only take steps away from Raft, and none of those that its safety needs (doc/consensus.md). */
#include "consensus/raft.h"

static const mgc_raft_credit *credit_of(const mgc_raft *r, uint32_t id)
{
    for (uint32_t i = 0; i < r->n_credit; i++)
        if (r->credit[i].id == id) return &r->credit[i];
    return NULL;
}

void mgc__credit_view(mgc_raft *r, const mgc_raft_credit *credit, uint32_t n)
{
    assert(n <= MGC_RAFT_MEMBERS_MAX);
    r->n_credit = n;
    if (n > 0) memcpy(r->credit, credit, n * sizeof *credit);
}

static bool window_open(const mgc_raft *r)
{
    return r->n_credit > 0 && r->since_leader < r->opts.credit_window_ticks;
}

/* delta: (n - 1) delta is half an ET, rounded up, so that the last in rank still fires before 2 ET + delta. */
static uint32_t rank_ticks(const mgc_raft *r)
{
    uint32_t twice = 2 * (r->n_credit > 1 ? r->n_credit - 1 : 1), widest = (r->opts.election_ticks + twice - 1) / twice;

    return r->opts.rank_ticks != 0 && r->opts.rank_ticks < widest ? r->opts.rank_ticks : widest;
}

uint32_t mgc__credit_deadline(mgc_raft *r)
{
    uint32_t et = r->opts.election_ticks, delta, rank, ticks;
    const mgc_raft_credit *own = window_open(r) ? credit_of(r, r->opts.id) : NULL;

    if (own == NULL) return et + (uint32_t)mgc__rng_below(&r->rng, et);
    delta = rank_ticks(r);
    rank = own->rank < r->n_credit ? own->rank : r->n_credit - 1;
    ticks = et + rank * delta + (uint32_t)mgc__rng_below(&r->rng, delta);
    /* Several may wait for the end of the window: steps twice as wide keep them from splitting the vote. */
    if (own->may_campaign_early == 0 && r->since_leader + ticks < r->opts.credit_window_ticks)
        ticks = r->opts.credit_window_ticks - r->since_leader + 2 * rank * delta +
                (uint32_t)mgc__rng_below(&r->rng, delta);
    return ticks;
}

bool mgc__credit_holds_back(const mgc_raft *r)
{
    const mgc_raft_credit *own = window_open(r) ? credit_of(r, r->opts.id) : NULL;

    return own != NULL && own->may_campaign_early == 0;
}

bool mgc__credit_refuses_prevote(const mgc_raft *r, uint32_t candidate)
{
    const mgc_raft_credit *other = window_open(r) ? credit_of(r, candidate) : NULL;

    return other != NULL && other->may_campaign_early == 0;
}

/* A question of the host, outside of every step: a leader of low credit may want to hand over. */
uint32_t mgc_raft_caretaker_target(const mgc_raft *r)
{
    const mgc_raft_credit *own, *best = NULL;

    if (r == NULL || r->role != MGC_RAFT_LEADER) return 0;
    own = credit_of(r, r->opts.id);
    if (own == NULL || own->may_campaign_early != 0) return 0;
    for (uint32_t i = 0; i < r->n_peers; i++) {
        const mgc__peer *p = &r->peers[i];
        const mgc_raft_credit *c = credit_of(r, p->id);

        if (i == r->self || c == NULL || c->may_campaign_early == 0 || c->rank >= own->rank) continue;
        if (p->match != r->last || !p->active || p->wiped || !mgc__config_voter(&r->configs[r->n_configs - 1], p->id))
            continue;
        if (best == NULL || c->rank < best->rank) best = c;
    }
    return best == NULL ? 0 : best->id;
}
