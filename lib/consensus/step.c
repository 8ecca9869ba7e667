/* SPDX-License-Identifier: Apache-2.0 */
/* One event: which rule of the protocol it calls upon. */
#include "consensus/raft.h"

/* --- time --- */

static void leader_tick(mgc_raft *r)
{
    if (r->transfer_to != 0 && ++r->transfer_ticks >= r->opts.election_ticks) {
        r->transfer_to = 0; /* it did not take it; go on leading (thesis 3.10) */
        mgc__note(r, MGC_RAFT_NOTE_TRANSFER, 0, r->last);
    }
    if (++r->check_ticks >= r->opts.election_ticks) mgc__check_quorum(r);
    if (r->role == MGC_RAFT_LEADER && ++r->heartbeat_ticks >= r->opts.heartbeat_ticks) mgc__broadcast_heartbeat(r);
}

void mgc__tick(mgc_raft *r)
{
    if (r->quiet_ticks > 0) r->quiet_ticks--;
    mgc__fault_tick(r);
    mgc__read_tick(r);
    if (r->role == MGC_RAFT_LEADER) {
        leader_tick(r);
        return;
    }
    if (r->since_leader < MGC__TICKS_MAX) r->since_leader++;
    if (++r->election_ticks >= r->deadline) mgc__election_timeout(r);
}

/* --- messages --- */

static bool comes_from_leader(uint32_t kind)
{
    return kind == MGC_RAFT_APPEND_REQ || kind == MGC_RAFT_HEARTBEAT_REQ || kind == MGC_RAFT_SNAPSHOT_REQ;
}

/* Someone is behind: it is told the term, so that it steps down or catches up (refusals always carry the term).  No index:
 * it may lead this term by now, and take it for a word on its log. */
static void answer_old_term(mgc_raft *r, const mgc_raft_msg *m)
{
    mgc_raft_msg *answer;

    if (!comes_from_leader(m->kind)) return;
    answer = mgc__send(r, m->from, MGC_RAFT_APPEND_RESP);
    answer->flags = MGC_RAFT_REJECT;
    answer->after = mgc__hard_after(r);
}

/* Which terms are judged by their own rules: those of campaigns, and questions that have nothing to do with terms. */
static bool term_is_its_own(const mgc_raft_msg *m)
{
    switch (m->kind) {
    case MGC_RAFT_VOTE_REQ:
    case MGC_RAFT_PREVOTE_REQ:
    case MGC_RAFT_READ_REQ:
    case MGC_RAFT_FETCH_REQ:
    case MGC_RAFT_FETCH_RESP:
        return true;
    case MGC_RAFT_PREVOTE_RESP:
        return (m->flags & MGC_RAFT_REJECT) == 0;
    default:
        return false;
    }
}

static void dispatch_rest(mgc_raft *r, const mgc_raft_msg *m)
{
    switch (m->kind) {
    case MGC_RAFT_SNAPSHOT_REQ: mgc__recv_snapshot(r, m); break;
    case MGC_RAFT_SNAPSHOT_RESP: mgc__recv_snapshot_resp(r, m); break;
    case MGC_RAFT_READ_REQ: mgc__recv_read_req(r, m); break;
    case MGC_RAFT_READ_RESP: mgc__recv_read_resp(r, m); break;
    case MGC_RAFT_TIMEOUT_NOW: mgc__recv_timeout_now(r, m); break;
    case MGC_RAFT_FETCH_REQ: mgc__recv_fetch_req(r, m); break;
    case MGC_RAFT_FETCH_RESP: mgc__recv_fetch_resp(r, m); break;
    default: break;
    }
}

static void dispatch(mgc_raft *r, const mgc_raft_msg *m, uint64_t refuse_from)
{
    switch (m->kind) {
    case MGC_RAFT_VOTE_REQ: mgc__recv_vote_req(r, m); break;
    case MGC_RAFT_VOTE_RESP: mgc__recv_vote_resp(r, m); break;
    case MGC_RAFT_PREVOTE_REQ: mgc__recv_prevote_req(r, m); break;
    case MGC_RAFT_PREVOTE_RESP: mgc__recv_prevote_resp(r, m); break;
    case MGC_RAFT_APPEND_REQ: mgc__recv_append(r, m, refuse_from); break;
    case MGC_RAFT_APPEND_RESP: mgc__recv_append_resp(r, m); break;
    case MGC_RAFT_HEARTBEAT_REQ: mgc__recv_heartbeat(r, m); break;
    case MGC_RAFT_HEARTBEAT_RESP: mgc__recv_heartbeat_resp(r, m); break;
    default: dispatch_rest(r, m); break;
    }
}

/* What a peer sends can be wrong, but must not be harmful: numbers that no honest member sends are dropped here. */
static bool plausible(const mgc_raft *r, const mgc_raft_msg *m)
{
    if (m->to != r->opts.id || m->from == 0 || m->kind == 0 || m->kind >= MGC_RAFT_KIND_END) return false;
    if (m->from == r->opts.id && m->kind != MGC_RAFT_VOTE_RESP) return false;
    if (m->index >= UINT64_MAX / 2 || m->term >= UINT64_MAX / 2) return false;
    return m->n_entries == 0 || m->entries != NULL;
}

static uint32_t receive(mgc_raft *r, const mgc_raft_msg *m, uint64_t refuse_from)
{
    if (!plausible(r, m)) return MGC_RAFT_IGNORED;
    if (!term_is_its_own(m)) {
        if (m->term < r->term) {
            answer_old_term(r, m);
            return MGC_RAFT_IGNORED;
        }
        if (m->term > r->term) mgc__become_follower(r, m->term, comes_from_leader(m->kind) ? m->from : 0);
    }
    dispatch(r, m, refuse_from);
    return MGC_RAFT_ACCEPTED;
}

/* --- events --- */

static uint32_t applied(mgc_raft *r, const mgc_raft_event *e)
{
    if (e->credit != NULL) mgc__credit_view(r, e->credit, e->n_credit);
    if (e->upto > r->applied) r->applied = e->upto;
    return MGC_RAFT_ACCEPTED;
}

static uint32_t compact(mgc_raft *r, uint64_t upto)
{
    if (upto > r->applied || upto > r->snap.index) return MGC_RAFT_IGNORED;
    mgc__log_compact(r, upto);
    return MGC_RAFT_ACCEPTED;
}

static uint32_t hard_stored(mgc_raft *r, uint64_t token)
{
    if (token > r->next_token || token <= r->done_token) return MGC_RAFT_IGNORED;
    r->done_token = token;
    return MGC_RAFT_ACCEPTED;
}

static void storage_event(mgc_raft *r, const mgc_raft_event *e)
{
    switch (e->kind) {
    case MGC_RAFT_STORED: mgc__stored(r, e); break;
    case MGC_RAFT_HARD_STORED: r->out->answer = hard_stored(r, e->token); break;
    case MGC_RAFT_SNAP_SAVED: mgc__snap_saved(r, e->snap); break;
    case MGC_RAFT_SNAP_SENT: mgc__snap_sent(r, e->member, e->upto); break;
    case MGC_RAFT_SNAP_CHUNK: mgc__snap_chunk(r, e); break;
    case MGC_RAFT_APPLIED: r->out->answer = applied(r, e); break;
    case MGC_RAFT_STORAGE_FAULT: mgc__fault(r, e->first, e->upto); break;
    case MGC_RAFT_PEER_UNREACHABLE: mgc__peer_unreachable(r, e->member); break;
    case MGC_RAFT_COMPACT: r->out->answer = compact(r, e->upto); break;
    default: break;
    }
}

static void handle(mgc_raft *r, const mgc_raft_event *e)
{
    switch (e->kind) {
    case MGC_RAFT_TICK: mgc__tick(r); break;
    case MGC_RAFT_RECV: r->out->answer = receive(r, e->msg, e->refuse_from); break;
    case MGC_RAFT_PROPOSE: r->out->answer = mgc__propose(r, e); break;
    case MGC_RAFT_CONF: r->out->answer = mgc__propose_config(r, e); break;
    case MGC_RAFT_READ: r->out->answer = mgc__read_ask(r, e->tag, 0); break;
    case MGC_RAFT_TRANSFER: r->out->answer = mgc__transfer(r, e->member); break;
    default: storage_event(r, e); break;
    }
}

static mgc_status check_event(const mgc_raft *r, const mgc_raft_event *e)
{
    const char *what = NULL;

    if (e->kind < MGC_RAFT_TICK || e->kind > MGC_RAFT_COMPACT)
        return mgc__fail(r->ctx, MGC_E_INVALID_ARG, "consensus: unknown kind of event; found %u; allowed 1..%u", e->kind,
                         (unsigned)MGC_RAFT_COMPACT);
    if (e->kind == MGC_RAFT_RECV && e->msg == NULL) what = "RECV without msg";
    if (e->kind == MGC_RAFT_PROPOSE && (e->entries == NULL || e->n_entries == 0)) what = "PROPOSE without entries";
    if (e->kind == MGC_RAFT_CONF && e->n_changes > 0 && e->changes == NULL) what = "CONF without changes";
    if (e->kind == MGC_RAFT_SNAP_SAVED && e->snap == NULL) what = "SNAP_SAVED without snap";
    if (e->kind == MGC_RAFT_APPLIED && e->upto > r->commit) what = "APPLIED beyond what is committed";
    if (e->kind == MGC_RAFT_APPLIED && e->n_credit > 0 && e->credit == NULL) what = "APPLIED with credit members but no view";
    if (what != NULL) return mgc__fail(r->ctx, MGC_E_INVALID_ARG, "consensus: %s", what);
    if (e->n_changes > MGC_RAFT_CHANGES_MAX || (e->kind == MGC_RAFT_APPLIED && e->n_credit > MGC_RAFT_MEMBERS_MAX))
        return mgc__fail(r->ctx, MGC_E_LIMIT, "consensus: too many changes or credits; found %u and %u; allowed %u",
                         e->n_changes, e->n_credit, (unsigned)MGC_RAFT_MEMBERS_MAX);
    return MGC_OK;
}

static mgc_raft_trace snapshot_of(const mgc_raft *r, uint32_t event)
{
    return (mgc_raft_trace){.term = r->term, .commit = r->commit, .last = r->last, .stored = r->stored,
                            .applied = r->applied, .event = event, .role = r->role, .vote = r->vote, .leader = r->leader};
}

void mgc__begin(mgc_raft *r, uint32_t event, mgc_raft_output *out)
{
    *out = (mgc_raft_output){.msgs = r->msgs, .reads = r->reads_out, .snaps = r->snaps, .notes = r->notes,
                             .leader = r->leader, .apply_first = 1};
    out->before = snapshot_of(r, event);
    r->out = out;
}

/* What may be applied: committed, durable here, and readable. */
static void emit_apply(mgc_raft *r)
{
    uint64_t upto = r->commit < r->stored ? r->commit : r->stored;

    if (mgc__recovering(r) && upto >= r->fault_first) upto = r->fault_first - 1;
    if (upto <= r->apply_sent) return;
    r->out->apply_first = r->apply_sent + 1;
    r->out->apply_last = r->apply_sent = upto;
}

void mgc__finish(mgc_raft *r)
{
    mgc_raft_output *out = r->out;

    if (out->hard.token != 0) {
        out->hard.term = r->term;
        out->hard.vote = r->vote;
        out->hard.leader = r->term_leader;
        out->hard.commit = r->commit < r->stored ? r->commit : r->stored;
        out->hard.incarnation = r->incarnation;
    }
    emit_apply(r);
    out->leader = r->leader;
    out->after = snapshot_of(r, out->before.event);
    mgc__check_invariants(r);
    r->out = NULL;
}

void mgc__check_invariants(const mgc_raft *r)
{
    const mgc_raft_trace *before = &r->out->before;

    assert(r->term >= before->term && r->commit >= before->commit && r->applied >= before->applied);
    assert(r->term > before->term || before->vote == 0 || r->vote == before->vote); /* one vote a term, never taken back */
    assert(r->base <= r->applied && r->applied <= r->commit && r->commit <= r->last);
    assert(r->stored <= r->last && r->apply_sent <= r->last && r->last - r->base <= r->opts.log_max);
    assert(mgc__log_term(r, r->last) <= r->term);
    assert((r->role == MGC_RAFT_LEADER) == (r->leader == r->opts.id));
    assert(r->n_configs > 0 && r->configs[r->n_configs - 1].index <= r->last);
    assert(r->done_token <= r->next_token);
    (void)before;
}

mgc_status mgc_raft_step(mgc_raft *r, const mgc_raft_event *event, mgc_raft_output *out)
{
    mgc_status status;

    if (r == NULL || event == NULL || out == NULL) return MGC_E_INVALID_ARG;
    memset(out, 0, sizeof *out);
    status = check_event(r, event);
    if (status != MGC_OK) return status;
    mgc__begin(r, event->kind, out);
    if (event->now > r->now) r->now = event->now;
    handle(r, event);
    mgc__finish(r);
    return MGC_OK;
}

/* --- for the scenario language --- */

void mgc__raft_fire(mgc_raft *r, uint32_t what, mgc_raft_output *out)
{
    mgc__begin(r, MGC_RAFT_TICK, out);
    if (what == MGC__FIRE_ELECTION) mgc__election_timeout(r);
    if (what == MGC__FIRE_HEARTBEAT && r->role == MGC_RAFT_LEADER) mgc__broadcast_heartbeat(r);
    if (what == MGC__FIRE_CHECK_QUORUM) mgc__check_quorum(r);
    if (what == MGC__FIRE_ELAPSE && r->role != MGC_RAFT_LEADER) r->since_leader += r->opts.election_ticks;
    mgc__finish(r);
}

void mgc__raft_test_mode(mgc_raft *r, uint32_t flags)
{
    r->test_flags = flags;
}
