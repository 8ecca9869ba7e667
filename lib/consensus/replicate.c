/* SPDX-License-Identifier: Apache-2.0 */
/* The leader's side of replication (paper 5.3, 5.4.2; thesis 10.2.1 pipelining, 10.2.2 writing in parallel).
 *
 *   1. A proposal is appended; its write and its messages leave at the same time.
 *   2. A follower answers once it has it durable; the own disk answers by STORED.
 *   3. An index that a majority has, in the leader's own term, is committed, and all before it with it.
 *
 * What can go wrong, and what is done:
 *   an entry of an older term on a majority      never committed by counting (figure 8), only through one of this term
 *   a late refusal                               of an index that was acknowledged since: ignored; match never falls
 *   a message lost in the window                 the next heartbeat's answer shows it: an empty append finds the gap
 *   a slow follower                              the window closes; one message a heartbeat opens it again */
#include "consensus/raft.h"

static mgc_raft_msg *start_append(mgc_raft *r, const mgc__peer *p, uint64_t previous)
{
    mgc_raft_msg *m = mgc__send(r, p->id, MGC_RAFT_APPEND_REQ);

    m->index = previous;
    m->log_term = mgc__log_term(r, previous);
    memcpy(m->hash, mgc__log_hash(r, previous), 32);
    m->commit = r->commit;
    return m;
}

/* How many entries behind `previous` go into one message. */
static uint32_t batch_after(const mgc_raft *r, uint64_t previous)
{
    uint64_t bytes = 0;
    uint32_t n = 0;

    while (n < r->opts.batch_entries && previous + n < r->last) {
        bytes += mgc__log_slot(r, previous + n + 1)->len;
        if (n > 0 && bytes > r->opts.batch_bytes) break;
        n++;
    }
    return n;
}

/* One message; false where there was nothing to say or no room to say it. */
static bool send_one(mgc_raft *r, mgc__peer *p, bool even_empty)
{
    uint64_t previous = p->next - 1;
    uint32_t n;
    mgc_raft_msg *m;

    if (previous < r->base) {
        mgc__send_snapshot(r, p);
        return false;
    }
    n = batch_after(r, previous);
    if (n == 0 && !even_empty && p->state != MGC__PROBE) return false;
    m = start_append(r, p, previous);
    m->n_entries = n;
    if ((r->test_flags & MGC__AT_ONCE) == 0) /* who has answered for all need not answer the news of a commit */
        m->hint = n == 0 && p->state == MGC__REPLICATE && p->match == previous;
    if (mgc__config_at(r, previous + n) != NULL) m->cfg = mgc__config_at(r, previous + n)->index;
    memcpy(m->head, mgc__log_hash(r, previous + n), 32);
    p->commit_sent = r->commit;
    if (n > 0 || p->state == MGC__PROBE) mgc__peer_sent(r, p, previous + n);
    return n > 0;
}

void mgc__send_append(mgc_raft *r, mgc__peer *p, bool even_empty)
{
    uint32_t burst = r->test_flags & MGC__AT_ONCE ? MGC__BURST_AT_ONCE : MGC__BURST_MAX;

    if (mgc__peer_is_self(r, p) || p->state == MGC__SNAPSHOT) return;
    for (uint32_t i = 0; i < burst && mgc__peer_window_open(r, p); i++)
        if (!send_one(r, p, even_empty && i == 0)) return;
}

/* What is new to each: entries, or a commit index that it has not been told.  Who owes an answer is told that when the
 * answer comes: each message wakes a process at the other end. */
void mgc__broadcast(mgc_raft *r)
{
    for (uint32_t i = 0; i < r->n_peers; i++) {
        mgc__peer *p = &r->peers[i];
        bool owes = p->state == MGC__REPLICATE && p->in_n > 0 && (r->test_flags & MGC__AT_ONCE) == 0;

        mgc__send_append(r, p, !owes && p->commit_sent < r->commit);
    }
}

void mgc__broadcast_heartbeat(mgc_raft *r)
{
    r->heartbeat_ticks = 0;
    r->round++;
    r->round_now = r->now;
    for (uint32_t i = 0; i < r->n_peers; i++) {
        mgc__peer *p = &r->peers[i];
        mgc_raft_msg *m;

        if (mgc__peer_is_self(r, p)) continue;
        m = mgc__send(r, p->id, MGC_RAFT_HEARTBEAT_REQ);
        m->commit = p->match < r->commit ? p->match : r->commit; /* what it surely has */
        m->context = r->round;
    }
    mgc__read_round_answered(r); /* alone, it has answered itself */
}

/* Some places are kept for no-ops and configurations, without which a full log could never be emptied. */
static bool log_full(const mgc_raft *r, uint32_t n)
{
    return r->last - r->base + n > r->opts.propose_max || r->uncommitted_bytes > r->opts.uncommitted_bytes;
}

uint32_t mgc__propose(mgc_raft *r, const mgc_raft_event *event)
{
    if (r->role != MGC_RAFT_LEADER) return MGC_RAFT_NOT_LEADER;
    if (r->transfer_to != 0) return MGC_RAFT_TRANSFERRING;
    if (mgc__config_member(mgc__config_now(r), r->opts.id) == NULL) return MGC_RAFT_NOT_MEMBER; /* on its way out */
    if (log_full(r, event->n_entries)) return MGC_RAFT_LOG_FULL;
    r->out->index = r->last + 1;
    for (uint32_t i = 0; i < event->n_entries; i++) {
        mgc_raft_entry entry = event->entries[i];

        entry.term = r->term;
        entry.type = MGC_RAFT_DATA;
        mgc__log_push(r, &entry);
        r->uncommitted_bytes += entry.len;
    }
    mgc__log_write(r, r->out->index);
    mgc__broadcast(r);
    return MGC_RAFT_ACCEPTED;
}

void mgc__maybe_commit(mgc_raft *r)
{
    uint64_t match[MGC_RAFT_MEMBERS_MAX] = {0}, index;

    for (uint32_t i = 0; i < r->n_peers; i++) match[i] = r->peers[i].wiped ? 0 : r->peers[i].match;
    index = mgc__quorum_index(r->who, match);
    if (index <= r->commit || index > r->last || mgc__log_term(r, index) != r->term) return; /* 5.4.2, figure 8 */
    mgc__log_commit_to(r, index);
    mgc__read_barrier_passed(r);
    mgc__broadcast(r);
    mgc__config_go_on(r);
}

/* Where to try next after a refusal: not above what it has, and not where its terms are older than ours there. */
static uint64_t next_try(const mgc_raft *r, const mgc__peer *p, const mgc_raft_msg *m)
{
    uint64_t at = m->hint < m->index ? m->hint : m->index - 1;

    if (at > r->last) at = r->last;
    while (at > p->match && at > r->base && mgc__log_term(r, at) > m->log_term) at--;
    return at > p->match ? at + 1 : p->match + 1;
}

static void append_refused(mgc_raft *r, mgc__peer *p, const mgc_raft_msg *m)
{
    if (m->index <= p->match || p->state == MGC__SNAPSHOT) return; /* late: it was acknowledged since */
    if (p->state == MGC__PROBE && m->index != p->next - 1) return;  /* the answer to an earlier probe */
    p->next = next_try(r, p, m);
    p->state = MGC__PROBE;
    p->in_n = p->in_head = 0;
    p->paused = false;
    mgc__send_append(r, p, true);
}

/* An acknowledgement names the hash of what it acknowledges: another one at the same place is not ours. */
static bool head_fits(mgc_raft *r, const mgc_raft_msg *m)
{
    if (m->index > r->last) return false;
    if (m->index < r->base || memcmp(m->hash, mgc__log_hash(r, m->index), 32) == 0) return true;
    mgc__note(r, MGC_RAFT_NOTE_DIVERGED, m->from, m->index);
    return false;
}

static void append_acked(mgc_raft *r, mgc__peer *p, const mgc_raft_msg *m)
{
    bool partial = m->hint != 0; /* it took less than it was sent */

    if (m->index > p->match) {
        p->match = m->index;
        if (p->next <= p->match) p->next = p->match + 1;
        if (p->state == MGC__SNAPSHOT && p->match >= r->base) mgc__peer_to(p, MGC__PROBE);
        if (p->state == MGC__PROBE) {
            mgc__peer_to(p, MGC__REPLICATE);
            p->next = p->match + 1;
        }
        mgc__peer_acked(r, p, m->index);
        mgc__maybe_commit(r);
        if (r->role != MGC_RAFT_LEADER) return;
    } else if (p->state == MGC__PROBE && m->index == p->match && m->index >= p->next - 1) {
        mgc__peer_to(p, MGC__REPLICATE);
        p->next = p->match + 1;
    } else {
        mgc__peer_acked(r, p, m->index);
    }
    if (partial) {
        mgc__peer_to(p, MGC__PROBE);
        p->paused = true; /* until the next heartbeat: no hurry to be refused again */
        return;
    }
    mgc__send_append(r, p, p->commit_sent < r->commit);
    mgc__transfer_go_on(r, p);
}

/* Whose answers count: members of the configuration in force, on the disk that is enrolled. */
static mgc__peer *answering(mgc_raft *r, const mgc_raft_msg *m)
{
    mgc__peer *p = mgc__peer_find(r, m->from);

    if (r->role != MGC_RAFT_LEADER || m->term != r->term || p == NULL || mgc__peer_is_self(r, p)) return NULL;
    if (m->incarnation != p->incarnation && !p->wiped) {
        p->wiped = true;
        p->match = 0; /* what the old disk held is gone */
        mgc__peer_to(p, MGC__PROBE);
        p->next = r->last + 1;
        mgc__note(r, MGC_RAFT_NOTE_WIPED, m->from, r->last);
    }
    p->active = !p->wiped;
    return p;
}

void mgc__recv_append_resp(mgc_raft *r, const mgc_raft_msg *m)
{
    mgc__peer *p = answering(r, m);

    if (p == NULL) return;
    if (m->flags & MGC_RAFT_REJECT) {
        append_refused(r, p, m);
        return;
    }
    if (r->opts.sign != 0 && (m->flags & MGC_RAFT_SIGNED) == 0) return;
    if (head_fits(r, m)) append_acked(r, p, m);
}

void mgc__recv_heartbeat_resp(mgc_raft *r, const mgc_raft_msg *m)
{
    mgc__peer *p = answering(r, m);

    if (p == NULL) return;
    p->paused = p->snap_sent = false;
    if (m->context > p->round && m->context <= r->round && !p->wiped) {
        p->round = m->context;
        mgc__read_round_answered(r);
    }
    if (p->state == MGC__SNAPSHOT) mgc__send_snapshot(r, p);
    if (p->state == MGC__REPLICATE && p->in_n == r->opts.inflight_max) mgc__peer_acked(r, p, p->inflight[p->in_head]);
    if (p->match < r->last || p->commit_sent < r->commit) mgc__send_append(r, p, true);
    mgc__transfer_go_on(r, p);
}

void mgc__peer_unreachable(mgc_raft *r, uint32_t id)
{
    mgc__peer *p = mgc__peer_find(r, id);

    if (r->role != MGC_RAFT_LEADER || p == NULL || p->state != MGC__REPLICATE) return;
    mgc__peer_to(p, MGC__PROBE);
    p->paused = true; /* until it is heard again */
}

/* Entries up to event->upto are durable here.  See the head of log.c for what is dropped. */
void mgc__stored(mgc_raft *r, const mgc_raft_event *event)
{
    mgc__peer *self;

    if (event->token > r->next_token || event->token <= r->done_token) return;
    r->done_token = event->token;
    if (event->token == r->repair_token) {
        mgc__fault_repaired(r, event->upto);
        return;
    }
    if (event->token < r->cut_token || mgc__log_term(r, event->upto) != event->term || event->upto <= r->stored) return;
    r->stored = event->upto;
    self = mgc__peer_find(r, r->opts.id);
    if (self != NULL) self->match = r->stored;
    if (r->role == MGC_RAFT_LEADER) mgc__maybe_commit(r);
}
