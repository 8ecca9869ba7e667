/* SPDX-License-Identifier: Apache-2.0 */
/* What a step gives out. */
#include "consensus/raft.h"

mgc_raft_msg *mgc__send(mgc_raft *r, uint32_t to, uint32_t kind)
{
    /* The last place is written over when all are taken: a message lost by its sender, which the protocol bears. */
    mgc_raft_msg *m = &r->msgs[r->out->n_msgs < r->msgs_cap ? r->out->n_msgs++ : r->msgs_cap - 1];

    memset(m, 0, sizeof *m);
    m->kind = kind;
    m->from = r->opts.id;
    m->to = to;
    m->incarnation = r->incarnation;
    m->term = r->term;
    m->cfg = mgc__config_now(r)->index;
    return m;
}

void mgc__note(mgc_raft *r, uint32_t what, uint32_t a, uint64_t index)
{
    if (r->out->n_notes == MGC__NOTES_MAX) return;
    r->notes[r->out->n_notes++] = (mgc_raft_note){.what = what, .a = a, .index = index, .term = r->term};
}

/* Term and vote are one record: written apart, a crash between them forgets a vote or gives it twice. */
void mgc__hard_changed(mgc_raft *r)
{
    if (r->out->hard.token != 0) return;
    assert(r->out->append.token == 0); /* the host writes hard state first */
    r->out->hard.token = r->hard_token = ++r->next_token;
}
