/* SPDX-License-Identifier: Apache-2.0 */
/* Credit takes steps away from Raft and adds none.  Next to each member with credit runs one that has never heard of it.
 * It is given the same events; its election timer, which in Raft may fire whenever it likes, fires when the member's
 * did.  Both must then be in the same state, owe the same writes and say the same, but for answers to pre-votes.
 * So whatever a cluster with credit commits, one without could have committed. */
#include "sim.h"

void shadow_start(struct sim *s, struct node *n, const mgc_raft_opts *opts, const mgc_raft_boot *boot)
{
    if (!s->opts.shadow) return;
    if (n->shadow_memory == NULL) n->shadow_memory = calloc(1, s->memory_size);
    if (mgc_raft_init(s->ctx, opts, boot, n->shadow_memory, s->memory_size, &n->shadow) != MGC_OK) abort();
}

/* Did the member's election timer fire, and was it not held back? */
static bool fired(const struct node *n, const mgc_raft_event *event, const mgc_raft_output *out)
{
    if (event->kind != MGC_RAFT_TICK || out->before.role == MGC_RAFT_LEADER || n->raft->election_ticks != 0) return false;
    for (size_t i = 0; i < out->n_notes; i++)
        if (out->notes[i].what == MGC_RAFT_NOTE_WINDOW_HELD) return false;
    return true;
}

static bool same_state(const mgc_raft *a, const mgc_raft *b)
{
    return a->term == b->term && a->vote == b->vote && a->role == b->role && a->leader == b->leader && a->base == b->base &&
           a->last == b->last && a->stored == b->stored && a->commit == b->commit && a->applied == b->applied &&
           a->apply_sent == b->apply_sent && a->next_token == b->next_token && a->done_token == b->done_token &&
           a->n_configs == b->n_configs && a->configs[a->n_configs - 1].index == b->configs[b->n_configs - 1].index &&
           a->fault_first == b->fault_first && a->since_leader == b->since_leader && a->transfer_to == b->transfer_to &&
           memcmp(mgc__log_hash(a, a->last), mgc__log_hash(b, b->last), 32) == 0;
}

static bool same_message(const mgc_raft_msg *a, const mgc_raft_msg *b)
{
    if (a->kind != b->kind || a->to != b->to) return false;
    if (a->kind == MGC_RAFT_PREVOTE_RESP) return true;
    return a->flags == b->flags && a->term == b->term && a->cfg == b->cfg && a->index == b->index && a->log_term == b->log_term &&
           a->commit == b->commit && a->hint == b->hint && a->context == b->context && a->after == b->after &&
           a->n_entries == b->n_entries && memcmp(a->hash, b->hash, 32) == 0;
}

static bool same_said(const mgc_raft_output *a, const mgc_raft_output *b)
{
    if (a->answer != b->answer || a->n_msgs != b->n_msgs || a->hard.token != b->hard.token || a->append.token != b->append.token ||
        a->append.truncate_from != b->append.truncate_from || a->append.last != b->append.last || a->repair.token != b->repair.token ||
        a->apply_last != b->apply_last || a->n_reads != b->n_reads || a->n_snaps != b->n_snaps)
        return false;
    for (size_t i = 0; i < a->n_msgs; i++)
        if (!same_message(&a->msgs[i], &b->msgs[i])) return false;
    return true;
}

void shadow_step(struct sim *s, struct node *n, const mgc_raft_event *event, const mgc_raft_output *out)
{
    mgc_raft_event plain = *event;
    mgc_raft_output said;

    if (n->shadow == NULL) return;
    plain.credit = NULL;
    plain.n_credit = 0;
    n->shadow->deadline = fired(n, event, out) ? 0 : UINT32_MAX;
    s->marks[MARK_SHADOW_FIRED] += n->shadow->deadline == 0;
    if (mgc_raft_step(n->shadow, &plain, &said) != MGC_OK) abort();
    s->marks[MARK_SHADOWED]++;
    if (!same_state(n->raft, n->shadow) || !same_said(out, &said))
        sim_fail(s, "member %" PRIu32 " did by event %" PRIu32 " in term %" PRIu64 " what plain Raft does not", n->id, event->kind,
                 out->after.term);
}
