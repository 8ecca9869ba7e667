/* SPDX-License-Identifier: Apache-2.0 */
/* Entries whose payload the disk has lost, though their headers stand (protocol-aware recovery, FAST 2018).
 *
 * Such an entry may have been acknowledged.  Until it is back the member neither votes nor campaigns nor acknowledges
 * it, and it never says that it does not have it: a damaged copy is not a missing one.  It asks its peers, in turn, for
 * exactly the index, term and hash that its header names; what comes is written in its place. */
#include "consensus/raft.h"

bool mgc__recovering(const mgc_raft *r)
{
    return r->fault_first != 0;
}

void mgc__fault(mgc_raft *r, uint64_t first, uint64_t last)
{
    if (first <= r->base) first = r->base + 1;
    if (last > r->last) last = r->last;
    if (first > last) return;
    if (!mgc__recovering(r) || first < r->fault_first) r->fault_first = first;
    if (last > r->fault_last) r->fault_last = last;
    r->fetch_ticks = r->opts.election_ticks; /* ask at the next tick */
    mgc__note(r, MGC_RAFT_NOTE_FAULTY, 0, first);
    if (r->role != MGC_RAFT_FOLLOWER) mgc__become_follower(r, r->term, 0);
}

static void ask_next_peer(mgc_raft *r)
{
    mgc_raft_msg *m;
    uint64_t at = r->fault_first;

    for (uint32_t i = 0; i < r->n_peers; i++) {
        r->fetch_peer = (r->fetch_peer + 1) % r->n_peers;
        if (r->fetch_peer != r->self) break;
    }
    if (r->n_peers == 0 || r->fetch_peer == r->self) return;
    m = mgc__send(r, r->peers[r->fetch_peer].id, MGC_RAFT_FETCH_REQ);
    m->index = at;
    m->log_term = mgc__log_term(r, at);
    memcpy(m->hash, mgc__log_hash(r, at), 32);
}

void mgc__fault_tick(mgc_raft *r)
{
    if (!mgc__recovering(r) || r->repair_token > r->done_token || ++r->fetch_ticks < r->opts.heartbeat_ticks) return;
    r->fetch_ticks = 0;
    ask_next_peer(r);
}

void mgc__fault_repaired_upto(mgc_raft *r, uint64_t index)
{
    if (!mgc__recovering(r) || r->fault_first > index) return;
    r->fault_first = index + 1;
    if (r->fault_first > r->fault_last) r->fault_first = r->fault_last = 0;
}

void mgc__fault_repaired(mgc_raft *r, uint64_t index)
{
    if (!mgc__recovering(r) || index != r->fault_first) return;
    mgc__note(r, MGC_RAFT_NOTE_REPAIRED, 0, index);
    mgc__fault_repaired_upto(r, index);
    if (mgc__recovering(r)) ask_next_peer(r);
}

void mgc__recv_fetch_req(mgc_raft *r, const mgc_raft_msg *m)
{
    mgc_raft_msg *answer;

    if (m->index <= r->base || m->index > r->last || mgc__log_term(r, m->index) != m->log_term) return;
    if (mgc__recovering(r) && m->index >= r->fault_first && m->index <= r->fault_last) return;
    if (memcmp(m->hash, mgc__log_hash(r, m->index), 32) != 0 || m->index > r->stored) return;
    answer = mgc__send(r, m->from, MGC_RAFT_FETCH_RESP);
    answer->index = m->index - 1;
    answer->log_term = mgc__log_term(r, m->index - 1);
    answer->n_entries = 1;
    memcpy(answer->hash, mgc__log_hash(r, m->index - 1), 32);
    memcpy(answer->head, m->hash, 32);
}

/* Only what hashes to the header that stands here is taken. */
void mgc__recv_fetch_resp(mgc_raft *r, const mgc_raft_msg *m)
{
    uint64_t at = r->fault_first;
    mgc_raft_append *a = &r->out->repair;
    const mgc_raft_entry *e = m->entries;
    uint8_t hash[32];

    if (!mgc__recovering(r) || m->index + 1 != at || m->n_entries != 1 || e == NULL) return;
    if (r->repair_token > r->done_token) return;
    mgc__entry_hash(mgc__log_hash(r, at - 1), at, e->term, e->type, e->root, hash);
    if (e->term != mgc__log_term(r, at) || memcmp(hash, mgc__log_hash(r, at), 32) != 0) return;
    *a = (mgc_raft_append){.token = ++r->next_token, .first = at, .last = at, .term = e->term, .repair = 1};
    mgc__log_slot(r, at)->handle = e->handle;
    r->repair_token = a->token;
}
