/* SPDX-License-Identifier: Apache-2.0 */
/* The follower's side of replication (paper figure 2, AppendEntries).
 *
 *   1. The entry before the first must be here, same index, term and hash; else refuse and say where to try.
 *   2. Skip what is here already; at the first conflict cut, then append the rest.
 *   3. commit = min(leader's commit, last entry of this message); acknowledge the end of this message, once durable.
 *
 * What can go wrong, and what is done:
 *   an older, shorter message comes late        it is all here: nothing is cut (figure 2 step 3 says "if conflicts")
 *   a longer old suffix stands behind it        it is neither committed nor acknowledged: only what was compared is
 *   it reaches below the compacted part         that is committed, so it needs no comparing
 *   it would cut what is committed              someone lies: nothing is done, and that is noted
 *   two leaders of one term                     someone lies: the first one that was heard is followed, also after a crash:
 *                                               whom it follows is durable before anything is acknowledged to it
 *   the host does not vouch for an entry        taken up to it, acknowledged up to it
 *   the ring is full                            taken as far as it goes, and the leader is told */
#include "consensus/raft.h"

void mgc__ack(mgc_raft *r, uint32_t to, uint64_t index)
{
    mgc_raft_msg *m = mgc__send(r, to, MGC_RAFT_APPEND_RESP);

    if (mgc__recovering(r) && index >= r->fault_first) index = r->fault_first - 1;
    if (index < r->base) index = r->base;
    if (mgc__config_at(r, index) != NULL) m->cfg = mgc__config_at(r, index)->index; /* the same on every member */
    m->index = index;
    m->log_term = mgc__log_term(r, index);
    memcpy(m->hash, mgc__log_hash(r, index), 32);
    m->after = mgc__log_after(r, index);
}

/* Refused: the leader should try at the highest index where our term is not above its own there. */
static void refuse_append(mgc_raft *r, const mgc_raft_msg *m)
{
    mgc_raft_msg *answer = mgc__send(r, m->from, MGC_RAFT_APPEND_RESP);
    uint64_t at = m->index < r->last ? m->index : r->last;

    while (at > r->commit && at > r->base && mgc__log_term(r, at) > m->log_term) at--;
    answer->flags = MGC_RAFT_REJECT;
    answer->index = m->index;
    answer->hint = at;
    answer->log_term = mgc__log_term(r, at);
    answer->after = mgc__hard_after(r);
}

/* The message comes from the leader of this term; false where the term has another one: someone voted twice.  Who
 * followed both might acknowledge two truths, and be convicted for the liar. */
bool mgc__follow_leader(mgc_raft *r, const mgc_raft_msg *m)
{
    if (r->term_leader != 0 && r->term_leader != m->from) {
        mgc__note(r, MGC_RAFT_NOTE_DIVERGED, m->from, m->index);
        return false;
    }
    if (r->term_leader == 0) {
        r->term_leader = m->from;
        mgc__hard_changed(r);
    }
    if (r->role != MGC_RAFT_FOLLOWER || r->leader != m->from) mgc__become_follower(r, r->term, m->from);
    mgc__heard_leader(r);
    return true;
}

/* May entry e, which would be at index, be taken? */
static bool acceptable(mgc_raft *r, const mgc_raft_msg *m, const mgc_raft_entry *e, uint64_t index, uint64_t refuse_from)
{
    mgc_raft_config c;
    uint64_t before = mgc__log_term(r, index - 1);

    if (refuse_from != 0 && index >= refuse_from) {
        mgc__note(r, MGC_RAFT_NOTE_REFUSED, m->from, index);
        return false;
    }
    if (e->term > r->term || e->term < before || e->type < MGC_RAFT_NOOP || e->type > MGC_RAFT_CONFIG) return false;
    return e->type != MGC_RAFT_CONFIG ||
           (mgc__config_decode(e->bytes, e->len, &c) && c.n_members <= r->opts.members_max);
}

static void take_entry(mgc_raft *r, const mgc_raft_entry *e)
{
    mgc_raft_config c;

    mgc__log_push(r, e);
    if (e->type != MGC_RAFT_CONFIG || !mgc__config_decode(e->bytes, e->len, &c)) return;
    c.index = r->last;
    if (!mgc__config_push(r, &c)) assert(false && "a full table of configurations");
}

/* Is the entry at index the one in the message?  Terms decide; the hash catches who signed two truths. */
static bool same_entry(mgc_raft *r, const mgc_raft_msg *m, const mgc_raft_entry *e, uint64_t index, bool *diverged)
{
    uint8_t hash[32];

    if (mgc__log_term(r, index) != e->term) return false;
    if (index == r->base) return true;
    mgc__entry_hash(mgc__log_hash(r, index - 1), index, e->term, e->type, e->root, hash);
    if (memcmp(hash, mgc__log_hash(r, index), 32) != 0) {
        mgc__note(r, MGC_RAFT_NOTE_DIVERGED, m->from, index);
        *diverged = true;
    }
    return true;
}

/* Steps 2 and 3 of the paper.  Returns how many of the message's entries are here afterwards. */
static uint32_t take_entries(mgc_raft *r, const mgc_raft_msg *m, uint64_t refuse_from)
{
    uint64_t first_new = 0;
    uint32_t i;
    bool diverged = false;

    for (i = 0; i < m->n_entries; i++) {
        uint64_t index = m->index + 1 + i;

        if (index <= r->base) continue;
        if (index <= r->last && same_entry(r, m, &m->entries[i], index, &diverged)) {
            if (diverged) break;
            continue;
        }
        /* It would cut what is committed, or what the leader of this very term has given: there are two of them. */
        if (index <= r->commit || (index <= r->last && mgc__log_term(r, r->last) == r->term)) {
            mgc__note(r, MGC_RAFT_NOTE_DIVERGED, m->from, index);
            break;
        }
        if (!acceptable(r, m, &m->entries[i], index, refuse_from)) break;
        if (index <= r->last) mgc__log_truncate(r, index);
        if (mgc__log_space(r) == 0) break;
        if (first_new == 0) first_new = index;
        take_entry(r, &m->entries[i]);
        /* What is compared may be committed at once: it makes room for the next configuration. */
        if (m->entries[i].type == MGC_RAFT_CONFIG) mgc__log_commit_to(r, m->commit < index ? m->commit : index);
    }
    if (first_new != 0) mgc__log_write(r, first_new);
    return i;
}

/* Entries that the disk had lost and that came again are written again in their place. */
static void repair_from(mgc_raft *r, const mgc_raft_msg *m, uint32_t taken);

void mgc__recv_append(mgc_raft *r, const mgc_raft_msg *m, uint64_t refuse_from)
{
    uint64_t end;
    uint32_t taken;

    if (!mgc__follow_leader(r, m)) return;
    if (m->index > r->last || (m->index >= r->base && mgc__log_term(r, m->index) != m->log_term)) {
        refuse_append(r, m);
        return;
    }
    if (m->index >= r->base && memcmp(m->hash, mgc__log_hash(r, m->index), 32) != 0) {
        mgc__note(r, MGC_RAFT_NOTE_DIVERGED, m->from, m->index);
        return;
    }
    taken = take_entries(r, m, refuse_from);
    end = m->index + taken;
    repair_from(r, m, taken);
    if (end <= r->last) mgc__log_commit_to(r, m->commit < end ? m->commit : end);
    if (m->n_entries == 0 && m->hint != 0) return; /* the leader has our answer for all of it */
    mgc__ack(r, m->from, end < r->commit ? r->commit : end); /* the leader has what is committed */
    if (taken < m->n_entries) r->msgs[r->out->n_msgs - 1].hint = 1;
}

static void repair_from(mgc_raft *r, const mgc_raft_msg *m, uint32_t taken)
{
    mgc_raft_append *a = &r->out->repair;
    uint64_t at = r->fault_first;

    if (!mgc__recovering(r) || a->token != 0 || at <= m->index || at > m->index + taken) return;
    *a = (mgc_raft_append){.token = ++r->next_token, .first = at, .last = at, .term = mgc__log_term(r, at), .repair = 1};
    mgc__log_slot(r, at)->handle = m->entries[at - m->index - 1].handle;
    r->repair_token = a->token;
}

void mgc__recv_heartbeat(mgc_raft *r, const mgc_raft_msg *m)
{
    mgc_raft_msg *answer;

    if (!mgc__follow_leader(r, m)) return;
    mgc__log_commit_to(r, m->commit < r->last ? m->commit : r->last);
    answer = mgc__send(r, m->from, MGC_RAFT_HEARTBEAT_RESP);
    answer->context = m->context;
    answer->after = mgc__hard_after(r);
}
