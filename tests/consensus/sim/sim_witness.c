/* SPDX-License-Identifier: Apache-2.0 */
/* What members keep of leaders (lib/consensus/witness.c), as their hosts do it: certificates come with a leader's messages, what is
 * cut is remembered, and no vote leaves that could be held against an acknowledgement without its answer.  In every run, so that
 * liveness is judged with it; what it is for is judged by the auditor. */
#include "sim.h"

static struct won *won_by(struct sim *s, uint64_t term, uint32_t id)
{
    for (size_t i = s->n_won; i-- > 0;)
        if (s->won[i].term == term && s->won[i].id == id) return &s->won[i];
    return NULL;
}

/* Its log when it was elected ends before the first entry of its term. */
void witness_elected(struct sim *s, struct node *n)
{
    const mgc_raft *r = n->raft;
    bool fresh;

    if (s->n_won == SIM_ELECTED || won_by(s, r->term, n->id) != NULL) return;
    s->won[s->n_won++] = (struct won){.term = r->term, .log_term = mgc__log_term(r, r->term_start - 1), .index = r->term_start - 1, .id = n->id};
    (void)mgc__witness_led(&n->witness, r->term, n->id, s->won[s->n_won - 1].log_term, r->term_start - 1, &fresh);
}

/* A leader's message brings what that leader kept when it led. */
static void learn(struct sim *s, struct node *n, const mgc_raft_msg *m)
{
    const mgc__witness *w = &s->nodes[m->from].witness;
    bool fresh;

    if (mgc__witness_knows(&n->witness, m->term, m->from) || won_by(s, m->term, m->from) == NULL) return;
    for (uint32_t i = 0; i < w->n_led; i++)
        if (w->led[i].term <= m->term)
            (void)mgc__witness_led(&n->witness, w->led[i].term, w->led[i].candidate, w->led[i].log_term, w->led[i].index, &fresh);
}

/* Before a message is taken; false: it is one that asks for a vote that is not given. */
bool witness_message(struct sim *s, struct node *n, const mgc_raft_msg *m)
{
    bool own = m->kind == MGC_RAFT_VOTE_RESP && m->from == n->id, leans;

    if (m->kind == MGC_RAFT_APPEND_REQ || m->kind == MGC_RAFT_SNAPSHOT_REQ) learn(s, n, m);
    if ((m->kind != MGC_RAFT_VOTE_REQ && !own) || n->id == s->liar) return true;
    if (mgc__witness_may_vote(&n->witness, m->term, m->log_term, m->index, &leans)) return true;
    s->marks[MARK_NO_VOTE]++;
    return false;
}

/* An own vote that will not be counted is not signed either. */
bool witness_signs(const struct sim *s, const struct node *n, const mgc_raft_msg *m)
{
    mgc__witness w;
    bool leans;

    if (m->kind != MGC_RAFT_VOTE_RESP || m->to != n->id || n->id == s->liar) return true;
    w = n->witness;
    return mgc__witness_may_vote(&w, m->term, m->log_term, m->index, &leans);
}

/* What the step cut: of the disk, and of what is still owed to it. */
void witness_cut(struct node *n, uint64_t from)
{
    mgc__raftlog_info info;

    mgc__raftlog_get_info(n->log, &info);
    for (uint64_t i = from > info.first ? from : info.first; i <= info.last; i++)
        if (mgc__raftlog_meta_of(n->log, i) != NULL) mgc__witness_cut(&n->witness, mgc__raftlog_meta_of(n->log, i)->term, i);
    for (size_t i = 0; i < n->n_debt_entries; i++)
        if (n->debt_entries[i].index >= from) mgc__witness_cut(&n->witness, n->debt_entries[i].term, n->debt_entries[i].index);
}

/* Who signed both can show an earlier leader that lacked the entry, too. */
bool witness_clears(const struct node *n, const struct said *block, uint64_t term)
{
    return mgc__witness_earliest(&n->witness, block->term, block->index, term) != NULL;
}
