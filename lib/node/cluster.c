/* SPDX-License-Identifier: Apache-2.0 */
/* The host of the consensus core: it gives it time and messages, makes durable what it says, and sends what it sends.
 *
 * One event at a time, each carried out in this order: gather what is to be written; send what may leave at once; write
 * and sync; send the rest; report what is durable, which is an event in itself; when the outermost event is done so far,
 * execute what all of them committed, in order. */
#include "node/kept.h"

/* --- sending ------------------------------------------------------------------------------------ */

/* The message as a whole with its signature, for a transport that does not say who sends. */
static const mgc__buf *seal(mgc__cluster *c, uint32_t to, const mgc__buf *bytes)
{
    static const char tag[] = "mgchain/envelope/1";
    uint8_t kind = ENVELOPE_SIGNED, signature[64];

    c->sealed.len = 0;
    mgc__buf_put(&c->sealed, &kind, 1);
    cluster_put32(&c->sealed, c->node->opts.id);
    cluster_put32(&c->sealed, to);
    mgc__buf_put(&c->sealed, bytes->bytes, bytes->len);
    if (c->sealed.status != MGC_OK || mgc__sign_bytes(c, tag, c->sealed.bytes, c->sealed.len, signature) != MGC_OK) return NULL;
    mgc__buf_put(&c->sealed, signature, 64);
    return c->sealed.status == MGC_OK ? &c->sealed : NULL;
}

static void send_one(mgc__cluster *c, uint32_t to, const mgc__buf *bytes)
{
    if (to == c->node->opts.id) return;
    if (c->node->opts.sign_messages != 0) bytes = seal(c, to, bytes);
    if (bytes != NULL) (void)c->node->transport.send(c->node->transport_user, to, bytes->bytes, bytes->len);
}

/* A message that cannot be built or sent is a message lost; the protocol bears that. */
void mgc__cluster_send(mgc__cluster *c, uint32_t to, const mgc__buf *bytes)
{
    const mgc_raft_config *config = mgc_raft_config_now(c->raft);

    if (bytes->status != MGC_OK || c->node->transport.send == NULL) return;
    if (to != 0) send_one(c, to, bytes);
    for (uint32_t i = 0; to == 0 && i < config->n_members; i++) send_one(c, config->members[i].id, bytes);
}

void mgc__cluster_forward(mgc_node *node, const uint8_t *bytes, size_t len)
{
    mgc__cluster *c = node->cluster;
    uint8_t kind = ENVELOPE_TX;

    if (c->leader == 0 || c->leader == node->opts.id) return;
    c->wire.len = 0;
    mgc__buf_put(&c->wire, &kind, 1);
    mgc__buf_put(&c->wire, bytes, len);
    mgc__cluster_send(c, c->leader, &c->wire);
}

/* Payloads of a message's entries, one after the other in c->body, from the log. */
static mgc_status gather_payloads(mgc__cluster *c, const mgc_raft_msg *m, mgc_raft_entry *entries)
{
    mgc__buf one;
    size_t at[64];
    mgc_status st = MGC_OK;

    mgc__buf_init(&one, c->node->ctx, MGC__RAFTLOG_BODY_MAX);
    c->body.len = 0;
    for (uint32_t i = 0; i < m->n_entries && st == MGC_OK; i++) {
        mgc__raftlog_entry stored;
        st = mgc_raft_entry_get(c->raft, m->index + 1 + i, &entries[i]);
        if (st == MGC_OK) st = mgc__raftlog_read(c->log, m->index + 1 + i, &one, &stored);
        if (st != MGC_OK) break;
        at[i] = c->body.len;
        entries[i].len = stored.len;
        mgc__buf_put(&c->body, stored.body, stored.len);
        st = c->body.status;
    }
    for (uint32_t i = 0; i < m->n_entries && st == MGC_OK; i++) entries[i].bytes = c->body.bytes + at[i];
    mgc__buf_free(&one);
    return st;
}

static void send_msg(mgc__cluster *c, const mgc_raft_msg *msg)
{
    mgc_raft_entry entries[64];
    mgc_raft_msg m = *msg;
    mgc__raftlog_info info;
    size_t len = 0;
    bool led = m.kind == MGC_RAFT_APPEND_REQ || m.kind == MGC_RAFT_SNAPSHOT_REQ;
    const heard *h = led ? mgc__heard(c, m.to) : NULL;
    uint8_t kind = h != NULL && h->led_term != m.term ? ENVELOPE_LED : ENVELOPE_RAFT;

    if (m.n_entries > 64 || (m.n_entries > 0 && gather_payloads(c, &m, entries) != MGC_OK)) return;
    if (m.kind == MGC_RAFT_SNAPSHOT_REQ) {
        mgc__raftlog_get_info(c->log, &info);
        c->body.len = 0;
        if (info.snapshot.index != m.index || info.snapshot.size > STANDING_MAX ||
            !mgc__grow(c->node->ctx, (void **)&c->body.bytes, &c->body.cap, STANDING_MAX, 1) ||
            mgc__raftlog_snap_read(c->log, 0, c->body.bytes, (size_t)info.snapshot.size) != MGC_OK || m.hint != 0)
            return;
        m.bytes = c->body.bytes;
        m.len = (size_t)info.snapshot.size;
        m.flags |= MGC_RAFT_LAST;
    }
    if (mgc__msg_sign(c, &m) != MGC_OK) return;
    if (mgc_raft_encode(&m, entries, NULL, 0, &len) != MGC_OK && len == 0) return;
    c->wire.len = 0;
    mgc__buf_put(&c->wire, &kind, 1);
    if (kind == ENVELOPE_LED) mgc__kept_put(c, m.term, &c->wire);
    if (!mgc__grow(c->node->ctx, (void **)&c->wire.bytes, &c->wire.cap, c->wire.len + len, 1)) return;
    if (mgc_raft_encode(&m, entries, c->wire.bytes + c->wire.len, len, &len) != MGC_OK) return;
    c->wire.len += len;
    mgc__cluster_send(c, m.to, &c->wire);
}

/* --- an event ----------------------------------------------------------------------------------- */

/* Where a new entry's payload comes from: the core, the proposal, or the message that brought it. */
static bool payload_of(mgc__cluster *c, const mgc_raft_entry *e, const uint8_t **bytes, size_t *len)
{
    const mgc_raft_msg *m = c->event->kind == MGC_RAFT_RECV ? c->event->msg : NULL;

    *len = e->len;
    *bytes = e->len == 0 ? (const uint8_t *)"" : e->bytes;
    if (*bytes != NULL) return true;
    if (c->event->kind == MGC_RAFT_PROPOSE) {
        *bytes = c->payload;
        *len = c->payload_len;
    } else if (m != NULL && e->index > m->index && e->index <= m->index + m->n_entries) {
        *bytes = m->entries[e->index - m->index - 1].bytes;
        *len = m->entries[e->index - m->index - 1].len;
    }
    return *bytes != NULL;
}

static mgc_status stored_entry(mgc__cluster *c, uint64_t index, mgc__raftlog_entry *stored)
{
    const mgc__raftlog_meta *before;
    mgc_raft_entry e;
    uint64_t term;
    size_t len;
    mgc_status st = mgc_raft_entry_get(c->raft, index, &e);

    if (st != MGC_OK) return st;
    *stored = (mgc__raftlog_entry){.index = index, .term = e.term, .type = e.type};
    if (!payload_of(c, &e, &stored->body, &len))
        return mgc__fail(c->node->ctx, MGC_E_INTERNAL, "node: the payload of entry %" PRIu64 " is nowhere", index);
    stored->len = (uint32_t)len;
    before = mgc__raftlog_meta_of(c->log, index - 1);
    if (before != NULL) memcpy(stored->prev, before->hash, 32);
    else mgc__raftlog_base(c->log, &term, stored->prev);
    memcpy(stored->hash, e.hash, 32);
    return MGC_OK;
}

static bool brings_config(const mgc__cluster *c, const mgc_raft_output *out)
{
    mgc_raft_entry e;

    for (uint64_t i = out->append.first; out->append.token != 0 && i <= out->append.last; i++)
        if (mgc_raft_entry_get(c->raft, i, &e) == MGC_OK && e.type == MGC_RAFT_CONFIG) return true;
    return false;
}

/* What justifies a configuration lies before it and is committed; after a crash of all somebody must still know that, or those
 * who have not executed it would refuse the configuration for ever. */
static mgc_status keep_commit(mgc__cluster *c, const mgc__raftlog_hard *before)
{
    mgc_raft_info info = {.struct_size = sizeof info};
    mgc__raftlog_hard hard = *before;
    mgc_status st = mgc_raft_get_info(c->raft, &info);

    hard.commit = info.commit < info.stored ? info.commit : info.stored;
    return st == MGC_OK && hard.commit > before->commit && hard.term != 0 ? mgc__raftlog_set_hard(c->log, &hard) : st;
}

static mgc_status gather_appends(mgc__cluster *c, const mgc_raft_output *out)
{
    const mgc__raftlog_meta *meta;
    mgc__raftlog_entry e;
    mgc__raftlog_info info;
    mgc_status st = MGC_OK;

    mgc__raftlog_get_info(c->log, &info);
    if (out->hard.token != 0) { /* first of all, for no entry may be of a later term */
        mgc__raftlog_hard hard = {.term = out->hard.term, .vote = out->hard.vote, .incarnation = out->hard.incarnation,
                                  .leader = out->hard.leader, .commit = out->hard.commit};
        st = mgc__raftlog_set_hard(c->log, &hard);
    } else if (brings_config(c, out)) st = keep_commit(c, &info.hard);
    if (st == MGC_OK && out->append.truncate_from != 0) st = mgc__kept_cut(c, out->append.truncate_from);
    if (st == MGC_OK && out->append.truncate_from != 0 && out->append.truncate_from <= info.last)
        st = mgc__raftlog_truncate(c->log, out->append.truncate_from, out->append.term != 0 ? out->append.term : out->after.term);
    for (uint64_t i = out->append.first; out->append.token != 0 && i <= out->append.last && st == MGC_OK; i++) {
        st = stored_entry(c, i, &e);
        if (st == MGC_OK && e.type == MGC_RAFT_NOOP) st = mgc__kept_entry(c, e.type, e.body, e.len); /* also where it is cut again */
        if (st == MGC_OK) st = mgc__raftlog_append(c->log, &e);
    }
    if (st != MGC_OK || out->repair.token == 0) return st;
    meta = mgc__raftlog_meta_of(c->log, out->repair.first);
    if (meta == NULL || meta->state == MGC__RAFTLOG_STORED) return MGC_OK;
    st = stored_entry(c, out->repair.first, &e);
    return st == MGC_OK ? mgc__raftlog_repair(c->log, &e) : st;
}

/* What an entry is, its first number says. */
static mgc_status execute_entry(mgc__cluster *c, const mgc__raftlog_entry *e)
{
    cluster_reader r = {.at = e->body, .end = e->body + e->len};

    if (e->type == MGC_RAFT_NOOP) return mgc__leader_check(c, e->body, e->len);
    if (e->type == MGC_RAFT_CONFIG) return mgc__order_configure(c, e);
    if (e->type != MGC_RAFT_DATA) return MGC_OK;
    return cluster_uint(&r, 4) == CHANGE_VERSION ? mgc__change_execute(c, e->body, e->len) : mgc__round_execute(c, e->body, e->len);
}

static mgc_status execute(mgc__cluster *c, uint64_t first, uint64_t last)
{
    mgc_raft_event applied = {.kind = MGC_RAFT_APPLIED, .upto = last};
    mgc__buf body;
    bool changed = false;
    mgc_status st = MGC_OK;

    mgc__buf_init(&body, c->node->ctx, MGC__RAFTLOG_BODY_MAX);
    for (uint64_t i = first; i <= last && st == MGC_OK; i++) {
        mgc__raftlog_entry e;
        st = mgc__raftlog_read(c->log, i, &body, &e);
        if (st == MGC_OK) st = mgc__kept_entry(c, e.type, e.body, e.len);
        if (st == MGC_OK) st = execute_entry(c, &e);
        if (st == MGC_OK) c->ordered = i;
        if (i >= c->proposed) c->proposed = 0;
    }
    mgc__buf_free(&body);
    if (st == MGC_OK) st = mgc__credit_look(c, &changed);
    if (changed) {
        applied.credit = c->credit;
        applied.n_credit = c->n_credit;
    }
    if (st == MGC_OK) st = mgc__cluster_event(c, &applied);
    return st == MGC_OK ? mgc__standing_note(c) : st;
}

mgc_status mgc__snapshot_refused(mgc__cluster *c, uint32_t from, uint64_t index)
{
    mgc_raft_event refused = {.kind = MGC_RAFT_SNAP_CHUNK, .member = from, .upto = index};

    c->target.set = false;
    c->dropped++;
    return mgc__cluster_event(c, &refused);
}

static mgc_status snapshot_came(mgc__cluster *c, const mgc_raft_snap *snap)
{
    bool good = false;
    mgc_status st = MGC_OK;

    if (snap->op == MGC_RAFT_SNAP_INSTALL) st = mgc__standing_read(c, snap->bytes, snap->len, &c->target, &c->target_deeds, &good);
    if (st != MGC_OK) return st;
    if (!good || c->target.meta.index != snap->meta.index || c->target.n != c->node->n_chains)
        return mgc__snapshot_refused(c, snap->from, snap->meta.index);
    c->target.meta = snap->meta;
    c->target_from = snap->from;
    c->target_waits = 0;
    c->ticks_since_ask = CLUSTER_AGAIN_TICKS; /* the next tick asks for the first blocks */
    return st;
}

/* Tokens in their order: what is durable is reported, then the own vote is counted. */
static mgc_status report(mgc__cluster *c, const mgc_raft_output *out, const mgc_raft_msg *own_vote)
{
    mgc_raft_event hard = {.kind = MGC_RAFT_HARD_STORED, .token = out->hard.token};
    mgc_raft_event stored = {.kind = MGC_RAFT_STORED, .token = out->append.token, .term = out->append.term, .upto = out->append.last};
    mgc_raft_event repaired = {.kind = MGC_RAFT_STORED, .token = out->repair.token, .term = out->repair.term, .upto = out->repair.first};
    mgc_raft_event self = {.kind = MGC_RAFT_RECV, .msg = own_vote};
    bool repair_first = out->repair.token < out->append.token;
    mgc_status st = MGC_OK;

    if (hard.token != 0) st = mgc__cluster_event(c, &hard);
    if (st == MGC_OK && repaired.token != 0 && repair_first) st = mgc__cluster_event(c, &repaired);
    if (st == MGC_OK && stored.token != 0) st = mgc__cluster_event(c, &stored);
    if (st == MGC_OK && repaired.token != 0 && !repair_first) st = mgc__cluster_event(c, &repaired);
    if (st == MGC_OK && own_vote->kind != 0) st = mgc__cluster_event(c, &self);
    return st;
}

/* Entries are executed in their order, whatever the events within events bring: each only notes what is committed, and the
 * outermost executes it. */
static void note_committed(mgc__cluster *c, const mgc_raft_output *out)
{
    if (out->apply_first > out->apply_last) return;
    if (c->apply_next >= c->apply_end) c->apply_next = out->apply_first;
    c->apply_end = out->apply_last + 1;
}

static mgc_status execute_noted(mgc__cluster *c)
{
    mgc_status st = MGC_OK;

    while (c->apply_next < c->apply_end && st == MGC_OK) {
        uint64_t first = c->apply_next, end = c->apply_end;

        c->apply_next = end;
        st = execute(c, first, end - 1);
    }
    return st;
}

static void take_notes(mgc__cluster *c, const mgc_raft_output *out)
{
    for (size_t i = 0; i < out->n_notes; i++) {
        const mgc_raft_note *note = &out->notes[i];

        if (note->what == MGC_RAFT_NOTE_REMOVED) c->removed = true;
        if (note->what == MGC_RAFT_NOTE_CONFIG && mgc__standing_of(c, c->node->opts.id) >= MGC_STANDING_LEARNER) c->removed = false;
    }
}

/* What need not wait for the own disk: a leader's entries.  The disk begins before they are signed and sent. */
static mgc_status send_ahead(mgc__cluster *c, const mgc_raft_output *out)
{
    mgc_status st = MGC_OK;

    for (size_t i = 0; i < out->n_msgs && st == MGC_OK; i++) {
        if (out->msgs[i].after != 0 || out->msgs[i].to == c->node->opts.id) continue;
        st = mgc__raftlog_begin_sync(c->log);
        if (st == MGC_OK) send_msg(c, &out->msgs[i]);
    }
    return st;
}

mgc_status mgc__cluster_event(mgc__cluster *c, const mgc_raft_event *event)
{
    const mgc_raft_event *outer = c->event;
    mgc_raft_output out;
    mgc_raft_msg own_vote = {0};
    mgc_raft_snap snap = {0};
    bool may;
    mgc_status st = mgc_raft_step(c->raft, event, &out);

    if (st != MGC_OK) return st;
    c->depth++;
    c->event = event;
    c->leader = out.leader;
    if (event->kind == MGC_RAFT_PROPOSE && out.answer == MGC_RAFT_ACCEPTED) c->proposed = out.index;
    c->role = out.after.role;
    if (c->role != MGC_RAFT_LEADER) c->proposed = 0;
    take_notes(c, &out);
    st = gather_appends(c, &out);
    if (st == MGC_OK) st = send_ahead(c, &out);
    if (st == MGC_OK) st = mgc__raftlog_sync(c->log);
    for (size_t i = 0; i < out.n_msgs && st == MGC_OK; i++) {
        if (out.msgs[i].to == c->node->opts.id) {
            st = mgc__kept_may_vote(c, &out.msgs[i], &may);
            if (st != MGC_OK || !may) continue;
            own_vote = out.msgs[i];
            st = mgc__msg_sign(c, &own_vote);
        } else if (out.msgs[i].after != 0) send_msg(c, &out.msgs[i]);
    }
    if (out.n_snaps > 0) snap = out.snaps[0];
    note_committed(c, &out);
    if (st == MGC_OK) st = report(c, &out, &own_vote);
    if (st == MGC_OK && c->depth == 1) st = execute_noted(c);
    if (st == MGC_OK && snap.op != 0) st = snapshot_came(c, &snap);
    c->event = outer;
    c->depth--;
    return st;
}

mgc_status mgc__cluster_propose(mgc__cluster *c, const uint8_t *bytes, size_t len, uint64_t *index)
{
    mgc_raft_entry entry = {.type = MGC_RAFT_DATA, .len = (uint32_t)len};
    mgc_raft_event event = {.kind = MGC_RAFT_PROPOSE, .entries = &entry, .n_entries = 1};
    mgc_status st = mgc_raft_payload_root(bytes, len, entry.root);

    c->payload = bytes;
    c->payload_len = len;
    c->proposed = 0;
    if (st == MGC_OK) st = mgc__cluster_event(c, &event);
    c->payload = NULL;
    *index = c->proposed;
    if (st == MGC_OK && *index != 0) mgc__lost_begin(c, *index, entry.root);
    return st;
}

/* --- what the host calls -------------------------------------------------------------------------- */

static mgc_status tick(mgc__cluster *c)
{
    mgc_raft_event event = {.kind = MGC_RAFT_TICK};
    mgc_status st = mgc__cluster_event(c, &event);

    if (st == MGC_OK && c->ticks_since_ask + 1 >= CLUSTER_AGAIN_TICKS)
        for (size_t i = 0; i < c->node->pool_n; i++) mgc__cluster_forward(c->node, c->node->pool[i].bytes, c->node->pool[i].len);
    if (st == MGC_OK) st = mgc__node_pool_check(c->node);
    if (st == MGC_OK) st = mgc__final_tick(c);
    if (st == MGC_OK) st = mgc__members_tick(c);
    if (st == MGC_OK) st = mgc__lost_tick(c);
    if (st == MGC_OK) st = mgc__credit_hand_over(c);
    if (st == MGC_OK) st = mgc__standing_note(c);
    return st == MGC_OK ? mgc__standing_take(c) : st;
}

/* The next tick; at a leader that is free to order, what waits may be due before it. */
static uint64_t wakes_at(const mgc__cluster *c)
{
    uint64_t round = c->role == MGC_RAFT_LEADER && c->proposed == 0 ? mgc__node_next_round(c->node) : UINT64_MAX;

    return round > c->now_ms && round < c->tick_at ? round : c->tick_at;
}

mgc_status mgc__cluster_step(mgc_node *node, uint64_t now_ms, uint64_t *wake_ms)
{
    mgc__cluster *c = node->cluster;
    uint64_t length = node->opts.tick_ms, ticks;
    mgc_status st = MGC_OK;

    if (!c->ticking || now_ms + 1 < c->tick_at - length) c->tick_at = now_ms + length; /* the first step, or a clock set back */
    c->ticking = true;
    c->now_ms = now_ms;
    /* A process that stood still must not live through all that time at once: what its peers said meanwhile waits for it. */
    ticks = now_ms < c->tick_at ? 0 : 1 + (now_ms - c->tick_at) / length;
    c->tick_at += ticks * length;
    if (2 * ticks > node->opts.election_ticks) ticks = 1;
    while (ticks-- > 0 && st == MGC_OK) st = tick(c);
    if (st == MGC_OK && c->role == MGC_RAFT_LEADER) st = mgc__round_propose(c);
    if (wake_ms != NULL) *wake_ms = wakes_at(c);
    return st;
}

static mgc_status receive_raft(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len)
{
    mgc_raft_entry entries[64];
    mgc_raft_config config;
    mgc_raft_msg msg;
    mgc_raft_event event = {.kind = MGC_RAFT_RECV, .msg = &msg};
    heard *h = mgc__heard(c, from);
    bool good = false;
    mgc_status st;

    if (h == NULL || mgc_raft_decode(bytes, len, &msg, entries, 64, &config) != MGC_OK || msg.from != from ||
        msg.to != c->node->opts.id) {
        c->dropped++;
        return MGC_OK;
    }
    st = mgc__msg_check(c, &msg, &good);
    if (st != MGC_OK || !good) return st;
    if (mgc__time_astray(c, &msg)) return MGC_OK;
    st = mgc__config_vouch(c, &msg, &event.refuse_from);
    if (st != MGC_OK) return st;
    h->incarnation = msg.incarnation;
    if (msg.kind == MGC_RAFT_VOTE_REQ) {
        st = mgc__kept_may_vote(c, &msg, &good);
        if (st != MGC_OK || !good) return st;
    }
    if (msg.kind == MGC_RAFT_APPEND_RESP) h->led_term = msg.term;
    if (msg.kind == MGC_RAFT_APPEND_RESP && (msg.flags & MGC_RAFT_REJECT) == 0) {
        h->acknowledged = msg.index;
        st = mgc__lost_acknowledged(c, &msg);
    }
    return st == MGC_OK ? mgc__cluster_event(c, &event) : st;
}

static mgc_status receive_led(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len)
{
    cluster_reader r = {.at = bytes, .end = bytes + len};
    mgc_status st = mgc__kept_get(c, &r);

    if (st == MGC_OK) return receive_raft(c, from, r.at, (size_t)(r.end - r.at));
    c->dropped += st == MGC_E_MESSAGE;
    return st == MGC_E_MESSAGE ? MGC_OK : st;
}

static mgc_status receive_open(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len)
{
    switch (len == 0 ? 0 : bytes[0]) {
    case ENVELOPE_RAFT: return receive_raft(c, from, bytes + 1, len - 1);
    case ENVELOPE_TX: return mgc__node_take(c->node, bytes + 1, len - 1);
    case ENVELOPE_VOTE: return mgc__final_vote(c, from, bytes + 1, len - 1);
    case ENVELOPE_WANT: return mgc__final_want(c, from, bytes + 1, len - 1);
    case ENVELOPE_BLOCK: return mgc__final_block(c, from, bytes + 1, len - 1);
    case ENVELOPE_LED: return receive_led(c, from, bytes + 1, len - 1);
    case ENVELOPE_LOST: mgc__mend_answer(c, from, bytes + 1, len - 1); return MGC_OK;
    case ENVELOPE_FOUND: return MGC_OK; /* late: the ledger is whole */
    case ENVELOPE_CHANGE: return mgc__change_receive(c, from, bytes + 1, len - 1);
    default: c->dropped++; return MGC_OK;
    }
}

mgc_status mgc__cluster_receive(mgc_node *node, uint32_t from, const uint8_t *bytes, size_t len)
{
    mgc__cluster *c = node->cluster;
    cluster_reader r = {.at = bytes, .end = bytes + len};
    enum { HEAD = 1 + 4 + 4, SIGNATURE = 64 };
    mgc_status st;

    if (bytes == NULL || len == 0 || len > MGC_MESSAGE_BYTES_MAX || from == node->opts.id) {
        c->dropped++;
        return MGC_OK;
    }
    if (node->opts.sign_messages == 0) return receive_open(c, from, bytes, len);
    if (len < HEAD + SIGNATURE || cluster_uint(&r, 1) != ENVELOPE_SIGNED || cluster_uint(&r, 4) != from ||
        cluster_uint(&r, 4) != node->opts.id) {
        c->dropped++;
        return MGC_OK;
    }
    st = mgc__verify_bytes(c, "mgchain/envelope/1", from, bytes, len - SIGNATURE, bytes + len - SIGNATURE);
    if (st == MGC_OK) return receive_open(c, from, bytes + HEAD, len - HEAD - SIGNATURE);
    if (mgc__is_fatal(st)) return st;
    c->forged++;
    return MGC_OK;
}
