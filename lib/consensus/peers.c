/* SPDX-License-Identifier: Apache-2.0 */
/* What a leader knows of each member (thesis 3.5, 10.2.1). */
#include "consensus/raft.h"

mgc__peer *mgc__peer_find(mgc_raft *r, uint32_t id)
{
    for (uint32_t i = 0; i < r->n_peers; i++)
        if (r->peers[i].id == id) return &r->peers[i];
    return NULL;
}

bool mgc__peer_is_self(const mgc_raft *r, const mgc__peer *p)
{
    return p->id == r->opts.id;
}

void mgc__peer_to(mgc__peer *p, uint32_t state)
{
    p->state = state;
    p->paused = p->snap_sent = false;
    p->in_head = p->in_n = 0;
    p->snap_offset = 0;
    if (state == MGC__PROBE) p->next = p->match + 1;
}

void mgc__peer_reset(mgc_raft *r, mgc__peer *p, uint64_t next)
{
    p->match = mgc__peer_is_self(r, p) ? r->stored : 0;
    mgc__peer_to(p, MGC__PROBE);
    p->next = next;
    p->round = 0;
    p->commit_sent = 0;
    p->active = p->wiped = false;
}

bool mgc__peer_window_open(const mgc_raft *r, const mgc__peer *p)
{
    if (p->state == MGC__PROBE) return !p->paused;
    return p->state == MGC__REPLICATE && p->in_n < r->opts.inflight_max;
}

/* An append up to last has left. */
void mgc__peer_sent(mgc_raft *r, mgc__peer *p, uint64_t last)
{
    if (p->state == MGC__PROBE) {
        p->paused = true;
        return;
    }
    assert(p->in_n < r->opts.inflight_max);
    p->inflight[(p->in_head + p->in_n++) % r->opts.inflight_max] = last;
    p->next = last + 1;
}

/* Everything up to index has come back. */
void mgc__peer_acked(mgc_raft *r, mgc__peer *p, uint64_t index)
{
    while (p->in_n > 0 && p->inflight[p->in_head] <= index) {
        p->in_head = (p->in_head + 1) % r->opts.inflight_max;
        p->in_n--;
    }
}
