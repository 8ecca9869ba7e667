/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations in the log (thesis chapter 4; Ongaro on raft-dev, 2015-07-10).
 *
 *   1. The leader, with nothing of this kind pending and an entry of its own term committed, appends the joint
 *      configuration.  It is in force on every member from the moment it is in its log.
 *   2. Once it is committed, by a majority of each half, the leader appends the new half alone.
 *   3. Once that is committed, whoever is not in it is out; a leader that is out steps down.
 *
 * What can go wrong, and what is done:
 *   the entry is truncated                    the configuration before it is in force again
 *   the leader dies between 1 and 2           the next one goes on with 2 after its own no-op is committed
 *   two leaders, each with a change           the own-term barrier: the second first commits its no-op in the old one
 *   a voter missed its promotion              it votes when it is asked: the asker counts by its own configuration */
#include "consensus/raft.h"

mgc_raft_config *mgc__config_now(mgc_raft *r)
{
    assert(r->n_configs > 0);
    return &r->configs[r->n_configs - 1];
}

const mgc_raft_config *mgc__config_at(const mgc_raft *r, uint64_t index)
{
    for (uint32_t i = r->n_configs; i-- > 0;)
        if (r->configs[i].index <= index) return &r->configs[i];
    return NULL;
}

static bool move_peer(mgc_raft *r, uint32_t to, const mgc_raft_member *m)
{
    for (uint32_t i = to; i < r->n_peers; i++) {
        mgc__peer kept = r->peers[i];

        if (kept.id != m->id || kept.incarnation != m->incarnation) continue;
        r->peers[i] = r->peers[to];
        r->peers[to] = kept;
        return true;
    }
    return false;
}

/* Peers stand in the order of the configuration; progress of those that stay moves along, newcomers start at the end
 * of the log.  In-flight rings are swapped, never copied: there is one for each place. */
void mgc__config_activate(mgc_raft *r)
{
    const mgc_raft_config *c = mgc__config_now(r);

    r->who = mgc__config_electorate(c);
    r->self = c->n_members;
    for (uint32_t i = 0; i < c->n_members; i++) {
        const mgc_raft_member *m = &c->members[i];

        if (!move_peer(r, i, m)) {
            if (i < r->n_peers && r->n_peers < r->opts.members_max) { /* keep the one that stands here */
                mgc__peer spare = r->peers[r->n_peers];

                r->peers[r->n_peers++] = r->peers[i];
                r->peers[i] = spare;
            }
            if (i >= r->n_peers) r->n_peers = i + 1;
            r->peers[i].id = m->id;
            r->peers[i].incarnation = m->incarnation;
            mgc__peer_reset(r, &r->peers[i], r->last + 1);
        }
        if (m->id == r->opts.id) r->self = i;
    }
    r->n_peers = c->n_members;
    memset(r->votes, MGC__VOTE_NONE, sizeof r->votes); /* a campaign under way starts its count again */
}

/* Drop what is older than the configuration in force at the base or, if room is short, at the commit index. */
static void forget_old(mgc_raft *r, uint64_t before)
{
    uint32_t n = 0;

    while (n + 1 < r->n_configs && r->configs[n + 1].index <= before) n++;
    r->n_configs -= n;
    memmove(r->configs, r->configs + n, r->n_configs * sizeof r->configs[0]);
}

bool mgc__config_push(mgc_raft *r, const mgc_raft_config *c)
{
    if (c->n_members > r->opts.members_max) return false;
    if (r->n_configs == MGC__CONFIGS_MAX) forget_old(r, r->base);
    if (r->n_configs == MGC__CONFIGS_MAX) forget_old(r, r->commit);
    /* Known to be committed or not, the oldest is: the next one was not proposed before.  After a restart the commit
     * index is low, and the log may hold many. */
    if (r->n_configs == MGC__CONFIGS_MAX) forget_old(r, r->configs[1].index);
    r->configs[r->n_configs++] = *c;
    mgc__config_activate(r);
    mgc__note(r, MGC_RAFT_NOTE_CONFIG, 0, c->index);
    return true;
}

void mgc__config_drop_from(mgc_raft *r, uint64_t index)
{
    bool dropped = false;

    while (r->n_configs > 1 && mgc__config_now(r)->index >= index) {
        r->n_configs--;
        dropped = true;
    }
    if (!dropped) return;
    mgc__config_activate(r);
    mgc__note(r, MGC_RAFT_NOTE_CONFIG_BACK, 0, mgc__config_now(r)->index);
}

/* Who is not in the next configuration is told so, as the last thing that it hears: a member that does not know that it
 * is out might still be asked to campaign. */
static void tell_those_who_leave(mgc_raft *r, const mgc_raft_config *next)
{
    for (uint32_t i = 0; i < r->n_peers; i++)
        if (mgc__config_member(next, r->peers[i].id) == NULL) mgc__send_append(r, &r->peers[i], true);
}

static bool append_config(mgc_raft *r, mgc_raft_config *c)
{
    mgc_raft_entry entry = {.term = r->term, .type = MGC_RAFT_CONFIG};

    if (mgc__log_space(r) == 0 || c->n_members > r->opts.members_max) return false;
    c->index = r->config_bytes_index = r->last + 1;
    entry.len = mgc__config_encode(c, r->config_bytes);
    if (mgc_raft_payload_root(r->config_bytes, entry.len, entry.root) != MGC_OK) return false;
    mgc__log_push(r, &entry);
    r->uncommitted_bytes += entry.len;
    mgc__log_write(r, r->last);
    tell_those_who_leave(r, c);
    return mgc__config_push(r, c);
}

uint32_t mgc__propose_config(mgc_raft *r, const mgc_raft_event *event)
{
    const mgc_raft_config *now = mgc__config_now(r);
    mgc_raft_config next;
    bool leave = event->n_changes == 0;

    if (r->role != MGC_RAFT_LEADER) return MGC_RAFT_NOT_LEADER;
    if (r->transfer_to != 0) return MGC_RAFT_TRANSFERRING;
    if (r->commit < r->term_start) return MGC_RAFT_TERM_BARRIER;
    if (now->index > r->commit || (!leave && mgc__config_joint(now))) return MGC_RAFT_CONFIG_PENDING;
    if (mgc__log_space(r) == 0) return MGC_RAFT_LOG_FULL;
    if ((leave ? mgc__config_leave(now, &next)
               : mgc__config_enter(now, event->changes, event->n_changes, true, &next)) != NULL)
        return MGC_RAFT_BAD_CHANGE;
    if (!leave) {
        mgc_raft_config end;

        if (mgc__config_leave(&next, &end) != NULL || mgc__config_same_members(&end, now)) return MGC_RAFT_BAD_CHANGE;
    }
    if (event->epoch != 0 || event->justification != NULL) next.epoch = event->epoch; /* else the last one stands */
    memset(next.justification, 0, 32);
    if (event->justification != NULL) memcpy(next.justification, event->justification, 32);
    r->out->index = r->last + 1;
    if (!append_config(r, &next)) return MGC_RAFT_BAD_CHANGE;
    mgc__broadcast(r);
    return MGC_RAFT_ACCEPTED;
}

/* Step 2, and the end of step 3. */
static void leader_goes_on(mgc_raft *r)
{
    const mgc_raft_config *now = mgc__config_now(r);
    mgc_raft_config next;

    if (now->index > r->commit || r->commit < r->term_start) return;
    if (mgc__config_joint(now)) {
        if (now->auto_leave != 0 && mgc__config_leave(now, &next) == NULL && append_config(r, &next)) mgc__broadcast(r);
        return;
    }
    if (mgc__config_voter(now, r->opts.id)) return;
    for (uint32_t i = 0; i < r->n_peers; i++) mgc__send_append(r, &r->peers[i], true); /* the last that it says */
    mgc__become_follower(r, r->term, 0);
}

/* The commit index moved, or a term began: does a configuration follow from it? */
void mgc__config_committed(mgc_raft *r)
{
    const mgc_raft_config *c = mgc__config_at(r, r->commit);
    const mgc_raft_member *own = c == NULL ? NULL : mgc__config_member(c, r->opts.id);

    if (c != NULL && c->index > r->config_noted) {
        r->config_noted = c->index;
        mgc__note(r, MGC_RAFT_NOTE_CONFIG_COMMIT, 0, c->index);
        if (own == NULL) mgc__note(r, MGC_RAFT_NOTE_REMOVED, 0, c->index);
    }
    /* A member with a new disk votes again once the others have committed that they know of it. */
    if (r->amnesia && own != NULL && own->incarnation == r->incarnation) r->amnesia = false;
}

void mgc__config_go_on(mgc_raft *r)
{
    if (r->role == MGC_RAFT_LEADER) leader_goes_on(r);
}
