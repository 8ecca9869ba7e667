/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots in chunks (paper section 7, figure 13).
 *
 *   1. A peer needs what was compacted: the leader sends the newest snapshot, one chunk at a time, by offset.
 *   2. The peer keeps each chunk and answers with the offset it wants next; chunks are idempotent.
 *   3. With the last one the host puts the snapshot in force and says SNAP_SAVED; the peer acknowledges its index.
 *
 * What can go wrong, and what is done:
 *   a chunk twice, out of order, of another snapshot   answered with the offset that is wanted; nothing is kept
 *   a chunk or an answer is lost                       the next heartbeat's answer sends it again
 *   the leader changes, or the term                    the transfer begins anew
 *   the host finds it untrue or incomplete             forgotten; the next heartbeat's answer has it sent anew
 *   it is older than what is here                      acknowledged with our commit index, never put in force
 *   it names an entry that is in the log               the entry is committed, nothing is thrown away (etcd#1763) */
#include "consensus/raft.h"

static bool being_sent(const mgc_raft *r)
{
    for (uint32_t i = 0; i < r->n_peers; i++)
        if (r->peers[i].state == MGC__SNAPSHOT) return true;
    return false;
}

void mgc__send_snapshot(mgc_raft *r, mgc__peer *p)
{
    mgc_raft_msg *m;

    if (r->snap.index < r->base || r->snap.index == 0) {
        mgc__note(r, MGC_RAFT_NOTE_SNAPSHOT_WANTED, p->id, r->base);
        return;
    }
    if (!being_sent(r) || r->snap_out.index < r->base) r->snap_out = r->snap;
    if (p->state != MGC__SNAPSHOT) mgc__peer_to(p, MGC__SNAPSHOT);
    if (p->snap_sent) return;
    p->snap_sent = true;
    m = mgc__send(r, p->id, MGC_RAFT_SNAPSHOT_REQ);
    m->index = r->snap_out.index;
    m->log_term = r->snap_out.term;
    memcpy(m->hash, r->snap_out.hash, 32);
    m->config = &r->snap_out.config;
    m->context = r->snap_out.config.index;
    m->hint = p->snap_offset;
    m->commit = r->commit;
}

void mgc__recv_snapshot_resp(mgc_raft *r, const mgc_raft_msg *m)
{
    mgc__peer *p = mgc__peer_find(r, m->from);

    if (r->role != MGC_RAFT_LEADER || m->term != r->term || p == NULL || p->state != MGC__SNAPSHOT) return;
    p->active = true;
    if (m->index != r->snap_out.index) return;
    p->snap_offset = m->hint;
    p->snap_sent = false;
    mgc__send_snapshot(r, p);
}

/* The host brought it there by another way, or says that it could not. */
void mgc__snap_sent(mgc_raft *r, uint32_t id, uint64_t upto)
{
    mgc__peer *p = mgc__peer_find(r, id);

    if (r->role != MGC_RAFT_LEADER || p == NULL || p->state != MGC__SNAPSHOT) return;
    mgc__peer_to(p, MGC__PROBE);
    if (upto >= p->next) p->next = (upto < r->last ? upto : r->last) + 1;
    p->paused = true;
}

static bool same_transfer(const mgc__incoming *in, const mgc_raft_msg *m)
{
    return in->active && in->from == m->from && in->term == m->term && in->meta.index == m->index &&
           in->meta.term == m->log_term && memcmp(in->meta.hash, m->hash, 32) == 0;
}

static void want_chunk(mgc_raft *r, const mgc_raft_msg *m, uint64_t offset)
{
    mgc_raft_msg *answer = mgc__send(r, m->from, MGC_RAFT_SNAPSHOT_RESP);

    answer->index = m->index;
    answer->hint = offset;
    answer->after = mgc__hard_after(r);
}

static void take_chunk(mgc_raft *r, const mgc_raft_msg *m)
{
    mgc__incoming *in = &r->in;

    if (in->pending || in->whole) return; /* the host has not answered for the one before */
    in->whole = (m->flags & MGC_RAFT_LAST) != 0;
    in->pending = !in->whole;
    r->snaps[0] = (mgc_raft_snap){.op = in->whole ? MGC_RAFT_SNAP_INSTALL : MGC_RAFT_SNAP_WRITE,
                                  .from = m->from,
                                  .offset = m->hint,
                                  .bytes = m->bytes,
                                  .len = m->len,
                                  .meta = in->meta};
    r->out->n_snaps = 1;
}

void mgc__recv_snapshot(mgc_raft *r, const mgc_raft_msg *m)
{
    if (!mgc__follow_leader(r, m)) return;
    if (m->index <= r->commit) {
        mgc__ack(r, m->from, r->commit);
        return;
    }
    if (m->index <= r->last && mgc__log_term(r, m->index) == m->log_term && !mgc__recovering(r)) {
        mgc__log_commit_to(r, m->index);
        mgc__ack(r, m->from, m->index);
        return;
    }
    if (m->config == NULL || m->config->n_members == 0 || m->config->n_members > r->opts.members_max ||
        m->config->index > m->index)
        return;
    if (!same_transfer(&r->in, m)) {
        if (r->in.whole) return; /* one is being put in force: it must end first */
        r->in = (mgc__incoming){.active = true, .from = m->from, .term = m->term};
        r->in.meta = (mgc_raft_snap_meta){.index = m->index, .term = m->log_term, .config = *m->config};
        memcpy(r->in.meta.hash, m->hash, 32);
    }
    if (m->hint != r->in.offset) {
        if (!r->in.pending) want_chunk(r, m, r->in.offset);
        return;
    }
    take_chunk(r, m);
}

void mgc__snap_chunk(mgc_raft *r, const mgc_raft_event *event)
{
    mgc__incoming *in = &r->in;
    mgc_raft_msg asker = {.from = event->member, .index = event->upto};

    if (in->active && in->whole && event->offset == 0 && in->from == event->member && in->meta.index == event->upto) {
        *in = (mgc__incoming){.active = false};
        return;
    }
    if (!in->active || !in->pending || in->from != event->member || in->meta.index != event->upto) return;
    in->pending = false;
    in->offset = event->offset;
    want_chunk(r, &asker, in->offset);
}

/* A received snapshot is in force. */
static void install(mgc_raft *r, const mgc_raft_snap_meta *meta)
{
    uint32_t from = r->in.from;
    uint64_t term = r->in.term;

    r->in = (mgc__incoming){.active = false};
    if (meta->index > r->commit || mgc__recovering(r)) {
        mgc__log_reset(r, meta);
        if (r->n_configs == 0) {
            r->configs[0] = meta->config;
            r->n_configs = 1;
            mgc__config_activate(r);
            mgc__note(r, MGC_RAFT_NOTE_CONFIG, 0, meta->config.index);
        }
        r->snap = *meta;
        mgc__config_committed(r);
    }
    if (r->leader == from && r->term == term) mgc__ack(r, from, r->commit < r->stored ? r->commit : r->stored);
}

void mgc__snap_saved(mgc_raft *r, const mgc_raft_snap_meta *meta)
{
    if (r->in.active && r->in.whole && r->in.meta.index == meta->index) {
        install(r, meta);
        return;
    }
    if (meta->index > r->snap.index && meta->index <= r->applied) r->snap = *meta;
}
