/* SPDX-License-Identifier: Apache-2.0 */
/* Elections (paper 5.2, 5.4.1; thesis 9.6 pre-vote, 6.2 check-quorum, 3.10 transfer).
 *
 *   1. The timer fires; the member asks whether it would win (pre-vote), its term unchanged.
 *   2. A majority says so; term + 1 and the vote for itself become durable, then it asks for votes.
 *   3. A majority votes, its own vote among them once durable; it appends a no-op of its term.
 *
 * What can go wrong, and what is done:
 *   a member is cut off and comes back              pre-vote keeps its term low
 *   two logs, the longer one on the lower term      refusals always carry the refuser's term (etcd-io/etcd#8501)
 *   a voter crashes after its answer                the answer waits for the record to be durable
 *   a voter is asked twice in a term                the vote changes only with the term or with the grant itself
 *   a leader that can send but not hear             check-quorum: it steps down
 *   a candidate disturbs a good leader              voters that hear a leader refuse, unless the leader asked for it */
#include "consensus/raft.h"

static bool checks_quorum(const mgc_raft *r)
{
    return (r->test_flags & MGC__NO_CHECK_QUORUM) == 0;
}

/* A leader was heard less than an election timeout ago. */
bool mgc__in_lease(const mgc_raft *r)
{
    if (r->quiet_ticks > 0) return true;
    return checks_quorum(r) && r->leader != 0 && (r->role == MGC_RAFT_LEADER || r->since_leader < r->opts.election_ticks);
}

bool mgc__may_vote(const mgc_raft *r)
{
    return !r->amnesia && !mgc__recovering(r);
}

/* A voter of the configuration in force; or of the one before, while that in force is not known to be committed: whoever
 * is on its way out may hold the longest log, and only it can commit its own leaving (thesis 4.2.2). */
static bool is_needed(const mgc_raft *r)
{
    const mgc_raft_config *now = &r->configs[r->n_configs - 1];

    if (mgc__config_voter(now, r->opts.id)) return true;
    return now->index > r->commit && r->n_configs > 1 && mgc__config_voter(now - 1, r->opts.id);
}

/* With everything that it holds durable: otherwise it might win with entries that a crash takes away again. */
bool mgc__may_campaign(const mgc_raft *r)
{
    return mgc__may_vote(r) && is_needed(r) && r->stored == r->last && !r->in.whole;
}

void mgc__reset_election(mgc_raft *r)
{
    r->election_ticks = 0;
    r->deadline = mgc__credit_deadline(r);
}

void mgc__heard_leader(mgc_raft *r)
{
    r->since_leader = 0;
    mgc__reset_election(r);
}

static void set_role(mgc_raft *r, uint32_t role, uint32_t leader)
{
    if (r->role != role) mgc__note(r, MGC_RAFT_NOTE_ROLE, role, r->last);
    if (r->leader != leader) mgc__note(r, MGC_RAFT_NOTE_LEADER, leader, r->last);
    r->role = role;
    r->leader = leader;
    r->out->leader = leader;
}

/* Within a term the vote is never touched: clearing it there elects two leaders (CCF#8094). */
void mgc__become_follower(mgc_raft *r, uint64_t term, uint32_t leader)
{
    bool restart_timer = r->role != MGC_RAFT_FOLLOWER || leader != 0; /* a foreign term alone is no reason to wait */

    assert(term >= r->term);
    if (term > r->term) {
        r->term = term;
        r->vote = r->term_leader = 0;
        mgc__hard_changed(r);
    }
    mgc__read_fail_all(r);
    r->transfer_to = 0;
    r->forced = false;
    if (r->role == MGC_RAFT_LEADER) r->since_leader = 0; /* it heard itself until now */
    set_role(r, MGC_RAFT_FOLLOWER, leader);
    if (restart_timer) mgc__reset_election(r);
}

/* The first answer of each member counts. */
static void take_vote(mgc_raft *r, uint32_t id, bool yes)
{
    for (uint32_t i = 0; i < r->n_peers; i++)
        if (r->peers[i].id == id && r->votes[i] == MGC__VOTE_NONE) r->votes[i] = yes ? MGC__VOTE_YES : MGC__VOTE_NO;
}

static void ask_for_votes(mgc_raft *r, bool pre)
{
    for (uint32_t i = 0; i < r->n_peers; i++) {
        if (((r->who.now | r->who.old) >> i & 1) == 0 || i == r->self) continue;
        mgc_raft_msg *m = mgc__send(r, r->peers[i].id, pre ? MGC_RAFT_PREVOTE_REQ : MGC_RAFT_VOTE_REQ);

        m->term = pre ? r->term + 1 : r->term;
        m->index = r->last;
        m->log_term = mgc__log_term(r, r->last);
        memcpy(m->hash, mgc__log_hash(r, r->last), 32);
        m->flags = r->forced ? MGC_RAFT_FORCE : 0;
        m->after = mgc__hard_after(r);
    }
}

/* The own vote travels like any other, so that it is durable, and signed, before it counts. */
static void vote_for_self(mgc_raft *r)
{
    mgc_raft_msg *m = mgc__send(r, r->opts.id, MGC_RAFT_VOTE_RESP);

    m->index = r->last;
    m->log_term = mgc__log_term(r, r->last);
    memcpy(m->hash, mgc__log_hash(r, r->last), 32);
    m->after = mgc__hard_after(r);
}

static void count_prevotes(mgc_raft *r)
{
    uint32_t verdict = mgc__quorum_votes(r->who, r->votes);

    if (verdict == MGC__WON) mgc__campaign(r, false, false);
    if (verdict == MGC__LOST) mgc__become_follower(r, r->term, 0);
}

void mgc__campaign(mgc_raft *r, bool pre, bool forced)
{
    assert(r->role != MGC_RAFT_LEADER && mgc__may_campaign(r));
    memset(r->votes, MGC__VOTE_NONE, sizeof r->votes);
    r->forced = forced;
    mgc__read_fail_all(r);
    set_role(r, pre ? MGC_RAFT_PRE_CANDIDATE : MGC_RAFT_CANDIDATE, 0);
    mgc__reset_election(r);
    if (pre) {
        take_vote(r, r->opts.id, true);
        ask_for_votes(r, true);
        count_prevotes(r); /* alone, it goes on at once */
        return;
    }
    r->term++;
    r->term_leader = 0;
    r->vote = r->opts.id;
    mgc__hard_changed(r);
    vote_for_self(r);
    ask_for_votes(r, false);
}

void mgc__election_timeout(mgc_raft *r)
{
    if (r->role == MGC_RAFT_LEADER) return;
    r->election_ticks = 0;
    if (!mgc__may_campaign(r)) {
        r->deadline = mgc__credit_deadline(r);
        return;
    }
    if (mgc__credit_holds_back(r)) {
        mgc__note(r, MGC_RAFT_NOTE_WINDOW_HELD, 0, r->last);
        r->deadline = mgc__credit_deadline(r);
        return;
    }
    mgc__campaign(r, (r->test_flags & MGC__NO_PREVOTE) == 0, false);
}

static void append_noop(mgc_raft *r)
{
    mgc_raft_entry noop = {.term = r->term, .type = MGC_RAFT_NOOP};

    mgc__certificate_build(r);
    noop.len = r->certificate_len;
    if (mgc_raft_payload_root(r->certificate, noop.len, noop.root) != MGC_OK) return;
    mgc__log_push(r, &noop);
    r->certificate_index = r->term_start = r->last;
    mgc__log_write(r, r->last);
}

void mgc__become_leader(mgc_raft *r)
{
    assert(r->role == MGC_RAFT_CANDIDATE && r->vote == r->opts.id);
    if (mgc__log_space(r) == 0) { /* one place is kept for this; see mgc__propose */
        mgc__become_follower(r, r->term, 0);
        return;
    }
    set_role(r, MGC_RAFT_LEADER, r->opts.id);
    r->term_leader = r->opts.id;
    r->heartbeat_ticks = r->check_ticks = 0;
    r->since_leader = 0;
    r->forced = r->lease_off = false;
    r->lease_from = 0;
    r->round++; /* answers of earlier rounds answer nothing now */
    r->transfer_to = 0;
    r->uncommitted_bytes = 0;
    for (uint64_t i = r->commit + 1; i <= r->last; i++) r->uncommitted_bytes += mgc__log_slot(r, i)->len;
    for (uint32_t i = 0; i < r->n_peers; i++) mgc__peer_reset(r, &r->peers[i], r->last + 1);
    append_noop(r);
    mgc__broadcast(r);
    mgc__config_go_on(r);
}

/* Never voted in this term, nor heard its leader; or voted for this very candidate. */
static bool vote_is_free(const mgc_raft *r, uint32_t candidate)
{
    return r->vote == candidate || (r->vote == 0 && r->term_leader == 0);
}

static void answer_vote(mgc_raft *r, const mgc_raft_msg *m, bool grant)
{
    mgc_raft_msg *answer = mgc__send(r, m->from, MGC_RAFT_VOTE_RESP);

    answer->cfg = m->cfg; /* as asked, so that all votes for one candidate are signatures of the same bytes */
    answer->index = m->index;
    answer->log_term = m->log_term;
    memcpy(answer->hash, m->hash, 32);
    answer->flags = grant ? 0 : MGC_RAFT_REJECT;
    answer->after = mgc__hard_after(r);
}

void mgc__recv_vote_req(mgc_raft *r, const mgc_raft_msg *m)
{
    if (m->term > r->term && (m->flags & MGC_RAFT_FORCE) == 0 && mgc__in_lease(r)) {
        answer_vote(r, m, false);
        return;
    }
    if (m->term > r->term) mgc__become_follower(r, m->term, 0);
    if (m->term < r->term || !vote_is_free(r, m->from) || !mgc__may_vote(r) || !mgc__log_up_to_date(r, m->log_term, m->index)) {
        answer_vote(r, m, false);
        return;
    }
    if (r->vote != m->from) {
        r->vote = m->from;
        mgc__hard_changed(r);
    }
    mgc__reset_election(r); /* but not since_leader: a vote is not a sign of life of a leader (NuRaft#30) */
    answer_vote(r, m, true);
}

/* A vote of a disk that is not the enrolled one is not counted. */
static bool enrolled(mgc_raft *r, const mgc_raft_msg *m)
{
    const mgc__peer *p = mgc__peer_find(r, m->from);

    return p != NULL && p->incarnation == m->incarnation;
}

void mgc__recv_vote_resp(mgc_raft *r, const mgc_raft_msg *m)
{
    uint32_t verdict;
    mgc__peer *p = mgc__peer_find(r, m->from);
    bool yes = (m->flags & MGC_RAFT_REJECT) == 0;

    if (r->role != MGC_RAFT_CANDIDATE || m->term != r->term || !enrolled(r, m)) return;
    if (yes && r->opts.sign != 0 && (m->flags & MGC_RAFT_SIGNED) == 0) return;
    if (yes) memcpy(p->signature, m->signature, 64);
    take_vote(r, m->from, yes);
    verdict = mgc__quorum_votes(r->who, r->votes);
    if (verdict == MGC__WON) mgc__become_leader(r);
    if (verdict == MGC__LOST) mgc__become_follower(r, r->term, 0);
}

/* Granted where the vote itself would be, in the term asked for. */
void mgc__recv_prevote_req(mgc_raft *r, const mgc_raft_msg *m)
{
    bool free_to = m->term > r->term || (m->term == r->term && vote_is_free(r, m->from));
    bool grant = free_to && mgc__may_vote(r) && !mgc__in_lease(r) && mgc__log_up_to_date(r, m->log_term, m->index);
    mgc_raft_msg *answer;

    if (grant && mgc__credit_refuses_prevote(r, m->from)) {
        mgc__note(r, MGC_RAFT_NOTE_WINDOW_REFUSED, m->from, r->last);
        grant = false;
    }
    answer = mgc__send(r, m->from, MGC_RAFT_PREVOTE_RESP);
    answer->context = m->term;
    answer->term = grant ? m->term : r->term;
    answer->flags = grant ? 0 : MGC_RAFT_REJECT;
    answer->after = mgc__hard_after(r); /* it may tell a term that is not durable yet */
}

void mgc__recv_prevote_resp(mgc_raft *r, const mgc_raft_msg *m)
{
    if (r->role != MGC_RAFT_PRE_CANDIDATE || m->context != r->term + 1 || !enrolled(r, m)) return;
    if ((m->flags & MGC_RAFT_REJECT) == 0 && m->term != m->context) return;
    take_vote(r, m->from, (m->flags & MGC_RAFT_REJECT) == 0);
    count_prevotes(r);
}

/* The leader hands over: no pre-vote, and leases do not stand against it.  One that comes late, to a member that is no
 * voter any more or of another term, does nothing. */
void mgc__recv_timeout_now(mgc_raft *r, const mgc_raft_msg *m)
{
    if (m->term != r->term || r->role == MGC_RAFT_LEADER || m->from != r->leader || !mgc__may_campaign(r)) return;
    if (!mgc__config_voter(mgc__config_now(r), r->opts.id)) return;
    mgc__campaign(r, false, true);
}

void mgc__check_quorum(mgc_raft *r)
{
    uint32_t places = 0;

    if (r->role != MGC_RAFT_LEADER) return;
    r->check_ticks = 0;
    for (uint32_t i = 0; i < r->n_peers; i++) {
        if (r->peers[i].active || i == r->self) places |= 1u << i;
        r->peers[i].active = false;
    }
    if (checks_quorum(r) && !mgc__quorum_reached(r->who, places)) mgc__become_follower(r, r->term, 0);
}

/* --- handing over --- */

void mgc__transfer_go_on(mgc_raft *r, mgc__peer *p)
{
    mgc_raft_msg *m;

    if (r->transfer_to == 0 || r->transfer_to != p->id) return;
    if (p->match != r->last) {
        mgc__send_append(r, p, false);
        return;
    }
    m = mgc__send(r, p->id, MGC_RAFT_TIMEOUT_NOW);
    m->index = r->last;
    r->lease_off = true; /* it may campaign against our lease at any time from now on (etcd-io/raft#99) */
}

uint32_t mgc__transfer(mgc_raft *r, uint32_t to)
{
    mgc__peer *p = mgc__peer_find(r, to);

    if (r->role != MGC_RAFT_LEADER) return MGC_RAFT_NOT_LEADER;
    if (p == NULL || mgc__peer_is_self(r, p) || !mgc__config_voter(mgc__config_now(r), to)) return MGC_RAFT_NOT_MEMBER;
    if (r->transfer_to == to) return MGC_RAFT_TRANSFERRING;
    r->transfer_to = to;
    r->transfer_ticks = 0;
    r->lease_from = 0;
    mgc__note(r, MGC_RAFT_NOTE_TRANSFER, to, r->last);
    mgc__transfer_go_on(r, p);
    return MGC_RAFT_ACCEPTED;
}
