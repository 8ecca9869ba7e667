/* SPDX-License-Identifier: Apache-2.0 */
/* A member: the host that carries out what its core says, as a real one does, but in virtual time.
 *
 * Writes are gathered as debts and paid when the disk's turn comes, all at once (one group commit); only then tokens are
 * reported and the messages that waited for them leave.  A crash can come before, in the middle of, and after a payment,
 * reported or not: these are the boundaries between the outputs. */
#include "sim.h"

#include "crypto/crypto.h"

enum { SEGMENT_BYTES = 1 << 14, COMPACT_AFTER = 24 };

/* --- payloads ----------------------------------------------------------------------------------- */

static void entry_hash(const uint8_t prev[32], uint64_t index, uint64_t term, uint32_t type, const uint8_t *body, size_t len,
                       uint8_t hash[32])
{
    uint8_t root[32];

    if (mgc_raft_payload_root(body, len, root) != MGC_OK) abort();
    mgc__entry_hash(prev, index, term, type, root, hash);
}

static uint64_t blob_of(struct sim *s, struct node *n, const mgc_raft_entry *e)
{
    struct own *own = &n->own[e->index % SIM_OWN];

    if (e->handle != 0) return e->handle;
    if (own->index == e->index && own->term == e->term) return own->blob;
    if (e->bytes == NULL && e->len > 0) {
        sim_fail(s, "member %" PRIu32 ": the payload of entry %" PRIu64 " is nowhere", n->id, e->index);
        return sim_blob(s, (const uint8_t *)"", 0, 0);
    }
    *own = (struct own){.index = e->index, .term = e->term, .blob = sim_blob(s, e->bytes, e->len, 0)};
    return own->blob;
}

/* --- debts to the disk -------------------------------------------------------------------------- */

static struct debt *owe(struct sim *s, struct node *n, uint32_t kind, uint64_t token)
{
    struct debt *d;

    if (n->n_debts == n->cap_debts) {
        n->cap_debts = n->cap_debts == 0 ? 16 : 2 * n->cap_debts;
        n->debts = realloc(n->debts, n->cap_debts * sizeof *n->debts);
        if (n->debts == NULL) abort();
    }
    d = &n->debts[n->n_debts++];
    *d = (struct debt){.kind = kind, .token = token, .first = n->n_debt_entries};
    if (!n->disk_busy) {
        n->disk_busy = true;
        sim_schedule(s, s->now + 1 + sim_below(s, n->disk_delay), EV_DISK, n, NULL);
    }
    return d;
}

static void owe_entry(struct sim *s, struct node *n, uint64_t index)
{
    struct debt_entry *d;
    mgc_raft_entry e;

    if (mgc_raft_entry_get(n->raft, index, &e) != MGC_OK) {
        sim_fail(s, "member %" PRIu32 " is told to write entry %" PRIu64 ", which it does not have", n->id, index);
        return;
    }
    if (n->n_debt_entries == n->cap_debt_entries) {
        n->cap_debt_entries = n->cap_debt_entries == 0 ? 64 : 2 * n->cap_debt_entries;
        n->debt_entries = realloc(n->debt_entries, n->cap_debt_entries * sizeof *n->debt_entries);
        if (n->debt_entries == NULL) abort();
    }
    d = &n->debt_entries[n->n_debt_entries++];
    *d = (struct debt_entry){.index = index, .term = e.term, .handle = blob_of(s, n, &e), .type = e.type};
    memcpy(d->hash, e.hash, 32);
    memcpy(d->prev, mgc__log_hash(n->raft, index - 1), 32);
    check_append(s, &e);
}

static mgc_status write_entry(struct sim *s, struct node *n, const struct debt_entry *d, bool repair)
{
    const struct blob *b = &s->blobs[d->handle];
    mgc__raftlog_entry e = {.index = d->index, .term = d->term, .type = d->type, .len = b->len, .body = b->bytes};
    const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(n->log, d->index);

    memcpy(e.prev, d->prev, 32);
    memcpy(e.hash, d->hash, 32);
    if (!repair) return mgc__raftlog_append(n->log, &e);
    if (meta == NULL || meta->state == MGC__RAFTLOG_STORED) return MGC_OK; /* only its neighbour was lost */
    return mgc__raftlog_repair(n->log, &e);
}

static mgc_status write_append(struct sim *s, struct node *n, const struct debt *d)
{
    mgc__raftlog_info info;
    mgc_status st = MGC_OK;

    mgc__raftlog_get_info(n->log, &info);
    if (d->truncate_from != 0 && d->truncate_from <= info.last) {
        s->marks[MARK_TRUNCATED]++;
        st = mgc__raftlog_truncate(n->log, d->truncate_from, d->term);
    }
    for (size_t i = 0; i < d->n && st == MGC_OK; i++) st = write_entry(s, n, &n->debt_entries[d->first + i], false);
    return st;
}

/* Who has vouched for a configuration must be able to do so again after a crash, or nobody might: with it, how far the
 * state stood that it was reckoned from. */
static mgc_status keep_what_justifies(struct node *n, size_t n_debts)
{
    mgc__raftlog_info info;
    mgc__raftlog_hard h;
    bool any = false;

    for (size_t i = 0; i < n_debts; i++)
        for (size_t k = 0; n->debts[i].kind == DEBT_APPEND && k < n->debts[i].n; k++)
            any = any || n->debt_entries[n->debts[i].first + k].type == MGC_RAFT_CONFIG;
    mgc__raftlog_get_info(n->log, &info);
    if (!any || info.hard.commit >= n->state.meta.index) return MGC_OK;
    h = info.hard;
    h.commit = n->state.meta.index;
    return mgc__raftlog_set_hard(n->log, &h);
}

/* Everything owed, in one group: term and vote first, for no entry may be of a later term than they. */
static mgc_status gather(struct sim *s, struct node *n, size_t n_debts)
{
    const struct debt *hard = NULL;
    mgc_status st = MGC_OK;

    for (size_t i = n->n_begun; i < n_debts; i++)
        if (n->debts[i].kind == DEBT_HARD) hard = &n->debts[i];
    if (hard != NULL) {
        mgc__raftlog_hard h = {.term = hard->hard.term, .vote = hard->hard.vote, .incarnation = hard->hard.incarnation,
                               .leader = hard->hard.leader, .commit = hard->hard.commit};
        st = mgc__raftlog_set_hard(n->log, &h);
    }
    if (st == MGC_OK) st = keep_what_justifies(n, n_debts);
    for (size_t i = n->n_begun; i < n_debts && st == MGC_OK; i++) {
        const struct debt *d = &n->debts[i];
        if (d->kind == DEBT_APPEND) st = write_append(s, n, d);
        if (d->kind == DEBT_REPAIR) st = write_entry(s, n, &n->debt_entries[d->first], true);
    }
    return st;
}

static mgc_status pay(struct sim *s, struct node *n, size_t n_debts)
{
    mgc_status st = gather(s, n, n_debts);

    n->n_begun = 0;
    return st == MGC_OK ? mgc__raftlog_sync(n->log) : st;
}

static void disk_failed(struct sim *s, struct node *n, mgc_status st)
{
    if (st != MGC_E_FAILED) {
        sim_fail(s, "member %" PRIu32 ": its log refuses: %s", n->id, mgc_ctx_error(s->ctx));
        return;
    }
    s->marks[MARK_SYNC_FAILED]++;
    node_crash(s, n, false); /* a member whose disk failed stops */
}

/* A leader's disk begins before its entries are sent; false: it failed. */
static bool begin(struct sim *s, struct node *n)
{
    mgc_status st;

    if (!s->opts.begin || n->n_begun > 0 || n->n_debts == 0 || n->n_debts > 64) return true;
    st = gather(s, n, n->n_debts);
    if (st == MGC_OK) st = mgc__raftlog_begin_sync(n->log);
    if (st != MGC_OK) disk_failed(s, n, st);
    if (st != MGC_OK) return false;
    s->marks[MARK_BEGUN]++;
    n->n_begun = n->n_debts;
    return true;
}

static void release(struct sim *s, struct node *n, uint64_t token)
{
    struct net **at = &n->waiting;

    while (*at != NULL) {
        struct net *net = *at;
        if (net->m.after > token) {
            at = &net->next;
            continue;
        }
        *at = net->next;
        check_message(s, n, net);
        sim_send(s, net);
    }
    n->waiting_end = at;
}

/* A leader signs for its own disk as the others do for theirs. */
static void own_acknowledgement(struct sim *s, struct node *n, uint64_t index)
{
    mgc_raft_msg m = {.kind = MGC_RAFT_APPEND_RESP, .from = n->id, .to = n->id, .term = n->raft->term, .index = index,
                      .log_term = mgc__log_term(n->raft, index)};
    const mgc_raft_config *c = mgc__config_at(n->raft, index);

    if (n->raft->role != MGC_RAFT_LEADER || c == NULL || m.log_term != m.term) return;
    m.cfg = c->index;
    memcpy(m.hash, mgc__log_hash(n->raft, index), 32);
    audit_hear(s, &m);
}

static void report(struct sim *s, struct node *n, const struct debt *d)
{
    mgc_raft_event e = {.kind = d->kind == DEBT_HARD ? MGC_RAFT_HARD_STORED : MGC_RAFT_STORED, .token = d->token,
                        .term = d->term, .upto = d->upto};

    release(s, n, d->token);
    if (s->liar != 0 && d->kind == DEBT_APPEND) own_acknowledgement(s, n, d->upto);
    node_step(s, n, &e);
}

/* The disk's turn. */
void node_disk(struct sim *s, struct node *n, bool tell)
{
    struct debt paid[64];
    size_t n_paid = n->n_debts < 64 ? n->n_debts : 64, entries;
    uint32_t generation = n->generation;
    mgc_status st;

    n->disk_busy = false;
    if (n_paid == 0) return;
    st = pay(s, n, n_paid);
    if (st != MGC_OK) {
        disk_failed(s, n, st);
        return;
    }
    memcpy(paid, n->debts, n_paid * sizeof *paid);
    entries = n_paid < n->n_debts ? n->debts[n_paid].first : n->n_debt_entries;
    memmove(n->debts, n->debts + n_paid, (n->n_debts - n_paid) * sizeof *paid);
    if (entries > 0) memmove(n->debt_entries, n->debt_entries + entries, (n->n_debt_entries - entries) * sizeof *n->debt_entries);
    n->n_debts -= n_paid;
    n->n_debt_entries -= entries;
    for (size_t i = 0; i < n->n_debts; i++) n->debts[i].first -= entries;
    for (size_t i = 0; i < n_paid && tell && n->up && n->generation == generation; i++) report(s, n, &paid[i]);
    if (n->up && n->generation == generation && n->n_debts > 0 && !n->disk_busy) {
        n->disk_busy = true;
        sim_schedule(s, s->now + 1 + sim_below(s, n->disk_delay), EV_DISK, n, NULL);
    }
}

/* --- messages ----------------------------------------------------------------------------------- */

static void fill_chunk(struct node *n, struct net *net)
{
    mgc_raft_msg *m = &net->m;
    uint64_t size = sizeof(struct machine), left;

    if (m->index != n->durable_state.meta.index || m->hint > size) { /* another one by now: nothing is sent */
        m->len = 0;
        return;
    }
    left = size - m->hint;
    m->len = left < SIM_CHUNK ? (size_t)left : SIM_CHUNK;
    memcpy(net->chunk, (const uint8_t *)&n->durable_state + m->hint, m->len);
    if (m->len == left) m->flags |= MGC_RAFT_LAST;
}

static void emit(struct sim *s, struct node *n, const mgc_raft_msg *m)
{
    struct net *net = sim_new_net(s);

    net->m = *m;
    if (m->n_entries > SIM_BATCH) sim_fail(s, "member %" PRIu32 " sends %" PRIu32 " entries at once", n->id, m->n_entries);
    for (uint32_t i = 0; i < m->n_entries && i < SIM_BATCH; i++) {
        mgc_raft_entry *e = &net->e[i];
        if (mgc_raft_entry_get(n->raft, m->index + 1 + i, e) != MGC_OK)
            sim_fail(s, "member %" PRIu32 " sends entry %" PRIu64 ", which it does not have", n->id, m->index + 1 + i);
        else {
            e->handle = blob_of(s, n, e);
            e->bytes = s->blobs[e->handle].bytes;
            e->len = s->blobs[e->handle].len;
            memcpy(e->root, s->blobs[e->handle].root, 32);
        }
    }
    if (m->config != NULL) net->config = *m->config;
    if (m->kind == MGC_RAFT_SNAPSHOT_REQ) {
        fill_chunk(n, net);
        if (net->m.len == 0) {
            sim_free_net(s, net);
            return;
        }
    }
    if (m->after != 0) {
        net->next = NULL;
        *n->waiting_end = net;
        n->waiting_end = &net->next;
        return;
    }
    check_message(s, n, net);
    sim_send(s, net);
}

/* --- applying ----------------------------------------------------------------------------------- */

/* A credit table that is the same function of the index everywhere, and as unfair as it can be. */
static uint32_t credit_at(struct sim *s, uint64_t index, mgc_raft_credit credit[SIM_NODES])
{
    mgc__rng r;
    uint32_t order[SIM_NODES];

    mgc__rng_seed(&r, s->opts.seed ^ (index / 16) * UINT64_C(0x9e3779b97f4a7c15));
    for (uint32_t i = 0; i < s->n; i++) order[i] = i;
    for (uint32_t i = s->n; i > 1; i--) {
        uint32_t j = (uint32_t)mgc__rng_below(&r, i), k = order[i - 1];
        order[i - 1] = order[j];
        order[j] = k;
    }
    for (uint32_t i = 0; i < s->n; i++)
        credit[i] = (mgc_raft_credit){.id = i + 1, .rank = order[i], .may_campaign_early = mgc__rng_below(&r, 3) > 0};
    return s->n;
}

static void tell_client(struct sim *s, struct node *n, uint64_t index, uint64_t handle)
{
    for (size_t i = 0; i < s->n_proposals; i++) {
        if (s->proposals[i].index != index || s->proposals[i].node != n->id) continue;
        if (s->proposals[i].handle == handle) {
            if (index > s->acked) s->acked = index;
            s->marks[MARK_ACKED]++;
        }
        s->proposals[i] = s->proposals[--s->n_proposals];
        return;
    }
}

static void apply_one(struct sim *s, struct node *n, uint64_t index)
{
    uint64_t handle;
    mgc_raft_entry e;

    if (mgc_raft_entry_get(n->raft, index, &e) != MGC_OK || index != n->state.meta.index + 1) {
        sim_fail(s, "member %" PRIu32 " is told to apply entry %" PRIu64 " after %" PRIu64, n->id, index, n->state.meta.index);
        return;
    }
    handle = blob_of(s, n, &e);
    n->state.meta.index = index;
    n->state.meta.term = e.term;
    memcpy(n->state.meta.hash, e.hash, 32);
    if (s->blobs[handle].command != 0) {
        n->state.commands++;
        n->state.digest = (n->state.digest ^ s->blobs[handle].command) * UINT64_C(0x100000001b3);
    }
    if (index > s->n_truth && e.type == MGC_RAFT_CONFIG) policy_committed(s, n, index, &s->blobs[handle]);
    check_applied(s, n, index, &e);
    tell_client(s, n, index, handle);
}

static void apply(struct sim *s, struct node *n, uint64_t first, uint64_t last)
{
    mgc_raft_credit credit[SIM_NODES];
    mgc_raft_event e = {.kind = MGC_RAFT_APPLIED, .upto = last};

    for (uint64_t i = first; i <= last && !s->result->failed; i++) apply_one(s, n, i);
    if (s->opts.credit && (s->opts.faults & FAULT_CREDIT) && first / 16 != last / 16 + (first % 16 == 0)) {
        e.n_credit = credit_at(s, last, credit);
        e.credit = credit;
    }
    node_step(s, n, &e);
}

/* --- snapshots ---------------------------------------------------------------------------------- */

static void saved(struct sim *s, struct node *n, const mgc_raft_snap_meta *meta)
{
    mgc_raft_event e = {.kind = MGC_RAFT_SNAP_SAVED, .snap = meta};
    uint32_t generation = n->generation;

    node_step(s, n, &e);
    if (!n->up || n->generation != generation) return;
    e = (mgc_raft_event){.kind = MGC_RAFT_COMPACT, .upto = meta->index};
    node_step(s, n, &e);
    if (n->up && n->generation == generation && mgc__raftlog_compact(n->log, meta->index) != MGC_OK) node_crash(s, n, false);
}

void node_snapshot(struct sim *s, struct node *n)
{
    struct machine m = n->state;
    bool pressed = n->raft->last - n->raft->base > n->raft->opts.log_max - n->raft->opts.log_max / 8; /* then each place counts */
    mgc_status st;

    if (n->state.meta.index < n->durable_state.meta.index + (pressed ? 1 : COMPACT_AFTER)) return;
    if (mgc_raft_snap_meta_at(n->raft, m.meta.index, &m.meta) != MGC_OK) return;
    while (n->up && n->n_debts > 0) node_disk(s, n, true); /* the log under the snapshot first */
    if (!n->up || mgc_raft_snap_meta_at(n->raft, m.meta.index, &m.meta) != MGC_OK) return;
    st = mgc__raftlog_snap_begin(n->log, m.meta.index, m.meta.term, m.meta.hash);
    if (st == MGC_OK) st = mgc__raftlog_snap_write(n->log, 0, (const uint8_t *)&m, sizeof m);
    if (st == MGC_OK) st = mgc__raftlog_snap_publish(n->log);
    if (st != MGC_OK) {
        node_crash(s, n, false);
        return;
    }
    s->marks[MARK_SNAPSHOT]++;
    n->durable_state = m;
    mgc__witness_forget(&n->witness, m.meta.term);
    saved(s, n, &m.meta);
}

static void install(struct sim *s, struct node *n, const mgc_raft_snap_meta *meta)
{
    struct machine *m = &n->incoming;
    mgc_status st;

    if (n->incoming_len != sizeof *m || m->meta.index != meta->index || memcmp(m->meta.hash, meta->hash, 32) != 0) {
        sim_fail(s, "member %" PRIu32 " is told to install a snapshot of which it has %" PRIu64 " bytes", n->id, n->incoming_len);
        return;
    }
    if (meta->index > s->n_truth || memcmp(s->truth[meta->index - 1].hash, meta->hash, 32) != 0) {
        if (s->liar == 0) sim_fail(s, "member %" PRIu32 " is sent a snapshot of %" PRIu64 " that was never committed", n->id, meta->index);
        else s->unsafe++;
    }
    witness_cut(n, meta->index + 1); /* what is kept of it forbids nothing while it is there */
    st = mgc__raftlog_snap_begin(n->log, meta->index, meta->term, meta->hash);
    if (st == MGC_OK) st = mgc__raftlog_snap_write(n->log, 0, (const uint8_t *)m, sizeof *m);
    if (st == MGC_OK) st = mgc__raftlog_snap_publish(n->log);
    if (st != MGC_OK) {
        node_crash(s, n, false);
        return;
    }
    s->marks[MARK_INSTALLED]++;
    mgc__witness_forget(&n->witness, meta->term);
    n->state = n->durable_state = *m;
    n->state.meta.index = meta->index;
    saved(s, n, &m->meta);
}

static void snapshot_work(struct sim *s, struct node *n, const mgc_raft_snap *snap)
{
    mgc_raft_event e = {.kind = MGC_RAFT_SNAP_CHUNK, .member = snap->from, .upto = snap->meta.index};
    mgc_raft_snap_meta meta = snap->meta;
    uint32_t op = snap->op;

    if (snap->offset == 0) n->incoming_len = 0;
    if (snap->offset != n->incoming_len || snap->offset + snap->len > sizeof n->incoming) {
        sim_fail(s, "member %" PRIu32 ": a piece of a snapshot at %" PRIu64 " behind %" PRIu64, n->id, snap->offset, n->incoming_len);
        return;
    }
    memcpy((uint8_t *)&n->incoming + snap->offset, snap->bytes, snap->len);
    n->incoming_len += snap->len;
    e.offset = n->incoming_len;
    if (op == MGC_RAFT_SNAP_WRITE) {
        node_step(s, n, &e);
        return;
    }
    while (n->up && n->n_debts > 0) node_disk(s, n, true);
    if (n->up) install(s, n, &meta);
}

/* --- a step ------------------------------------------------------------------------------------- */

static void notes(struct sim *s, struct node *n, const mgc_raft_output *out)
{
    for (size_t i = 0; i < out->n_notes; i++) {
        const mgc_raft_note *note = &out->notes[i];
        s->marks[MARK_NOTES + note->what]++;
        if (s->opts.trace)
            fprintf(stderr, "%10" PRIu64 " member %" PRIu32 " term %" PRIu64 ": note %" PRIu32 " %" PRIu32 " index %" PRIu64 "\n", s->now,
                    n->id, note->term, note->what, note->a, note->index);
        if (note->what == MGC_RAFT_NOTE_DIVERGED && s->liar == 0)
            sim_fail(s, "member %" PRIu32 " sees two truths of honest members at %" PRIu64, n->id, note->index);
    }
}

static void write_owed(struct sim *s, struct node *n, const mgc_raft_output *out)
{
    struct debt *d;

    if (out->hard.token != 0) owe(s, n, DEBT_HARD, out->hard.token)->hard = out->hard;
    if (out->append.token != 0) {
        d = owe(s, n, DEBT_APPEND, out->append.token);
        d->term = out->append.term;
        d->upto = out->append.last;
        d->truncate_from = out->append.truncate_from;
        d->n = (size_t)(out->append.last - out->append.first + 1);
        for (uint64_t i = out->append.first; i <= out->append.last; i++) owe_entry(s, n, i);
    }
    if (out->repair.token != 0) {
        d = owe(s, n, DEBT_REPAIR, out->repair.token);
        d->term = out->repair.term;
        d->upto = out->repair.first;
        d->n = 1;
        owe_entry(s, n, out->repair.first);
    }
}

void node_step(struct sim *s, struct node *n, const mgc_raft_event *event)
{
    mgc_raft_snap snaps[1] = {{0}};
    mgc_raft_output out;
    bool recovering = mgc__recovering(n->raft), amnesia = n->amnesia;
    size_t n_snaps;
    mgc_status st;

    if (s->result->failed) return;
    st = mgc_raft_step(n->raft, event, &out);
    if (st != MGC_OK) {
        sim_fail(s, "member %" PRIu32 ": step %" PRIu32 ": %s", n->id, event->kind, mgc_ctx_error(s->ctx));
        return;
    }
    shadow_step(s, n, event, &out);
    n->amnesia = n->raft->amnesia;
    if (amnesia && !n->amnesia) {
        s->marks[MARK_AMNESIA_OVER]++;
        n->forgot = false;
    }
    if (out.after.role == MGC_RAFT_LEADER && out.before.role != MGC_RAFT_LEADER) witness_elected(s, n);
    if (out.append.truncate_from != 0) witness_cut(n, out.append.truncate_from);
    check_step(s, n, &out);
    write_owed(s, n, &out);
    if (event->kind == MGC_RAFT_PROPOSE || event->kind == MGC_RAFT_CONF || event->kind == MGC_RAFT_READ) {
        s->answer = out.answer;
        s->answer_index = out.index;
    }
    if (out.after.role == MGC_RAFT_LEADER && out.append.token != 0 && !begin(s, n)) return;
    for (size_t i = 0; i < out.n_msgs; i++) emit(s, n, &out.msgs[i]);
    for (size_t i = 0; i < out.n_reads; i++) check_read(s, &out.reads[i]);
    notes(s, n, &out);
    n->leader_seen = out.leader;
    n_snaps = out.n_snaps < 1 ? out.n_snaps : 1;
    if (n_snaps > 0) snaps[0] = out.snaps[0];
    if (recovering && !mgc__recovering(n->raft)) s->marks[MARK_RECOVERED]++;
    if (out.apply_first <= out.apply_last) apply(s, n, out.apply_first, out.apply_last);
    if (n_snaps > 0 && n->up && !s->result->failed) snapshot_work(s, n, &snaps[0]);
}

/* --- start and crash ---------------------------------------------------------------------------- */

static void void_debts(struct sim *s, struct node *n)
{
    while (n->waiting != NULL) {
        struct net *next = n->waiting->next;
        sim_free_net(s, n->waiting);
        n->waiting = next;
    }
    n->waiting_end = &n->waiting;
    n->n_debts = n->n_debt_entries = n->n_begun = 0;
    n->disk_busy = false;
}

/* What the snapshot on the disk says. */
static void load_snapshot(struct sim *s, struct node *n, const mgc__raftlog_info *info)
{
    n->state = (struct machine){.meta = s->genesis};
    if (info->snapshot.index != 0 && info->snapshot.size == sizeof n->state &&
        mgc__raftlog_snap_read(n->log, 0, (uint8_t *)&n->state, sizeof n->state) != MGC_OK)
        sim_fail(s, "member %" PRIu32 ": its snapshot cannot be read", n->id);
    n->durable_state = n->state;
}

/* Entries as the core wants them; stops at the first of which nothing is known, which makes the disk one that forgot. */
static size_t load_entries(struct sim *s, struct node *n, mgc__raftlog_info *info, mgc_raft_boot *boot, mgc_raft_entry *entries,
                           bool *failed)
{
    mgc__buf body;
    size_t count = 0;

    mgc__buf_init(&body, s->ctx, 1 << 20);
    for (uint64_t i = info->first; i <= info->last; i++) {
        const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(n->log, i);
        mgc_raft_entry *e = &entries[count];
        mgc__raftlog_entry stored;
        mgc_status st = mgc__raftlog_read(n->log, i, &body, &stored); /* may find it FAULTY just now */
        if (meta->state == MGC__RAFTLOG_FAULTY && (meta->term == 0 || !meta->has_hash || meta->type == MGC_RAFT_CONFIG)) {
            boot->amnesia = 1;
            if (mgc__raftlog_mark_lost(n->log) != MGC_OK || mgc__raftlog_truncate(n->log, i, info->hard.term) != MGC_OK) *failed = true;
            break;
        }
        *e = (mgc_raft_entry){.index = i, .term = meta->term, .len = meta->len, .type = meta->type};
        memcpy(e->hash, meta->hash, 32);
        count++;
        if (st == MGC_E_CORRUPT) {
            if (boot->fault_first == 0) boot->fault_first = i;
            boot->fault_last = i;
            continue;
        }
        if (st != MGC_OK) {
            sim_fail(s, "member %" PRIu32 ": %s", n->id, mgc_ctx_error(s->ctx));
            break;
        }
        if (stored.type == MGC_RAFT_DATA && stored.len >= 8) {
            memcpy(&e->handle, stored.body, 8);
            if (e->handle >= s->n_blobs || memcmp(s->blobs[e->handle].bytes, stored.body, stored.len) != 0)
                sim_fail(s, "member %" PRIu32 ": entry %" PRIu64 " came back with another payload", n->id, i);
        } else e->handle = sim_blob(s, stored.body, stored.len, 0);
        e->bytes = s->blobs[e->handle].bytes;
    }
    mgc__buf_free(&body);
    return count;
}

static void boot_core(struct sim *s, struct node *n, mgc__raftlog_info *info)
{
    static mgc_raft_entry entries[4096];
    mgc_raft_boot boot = {.base = n->state.meta, .amnesia = info->readmit};
    mgc_raft_opts opts = s->raft_opts;
    bool lost, failed = false;

    boot.hard = (mgc_raft_hard){.term = info->hard.term, .vote = info->hard.vote, .incarnation = info->hard.incarnation,
                                .leader = info->hard.leader, .commit = info->hard.commit};
    if (info->first > boot.base.index + 1 || info->last > info->first + 4000) { /* what the log begins after was lost */
        boot.amnesia = 1;
        if (mgc__raftlog_restart(n->log, boot.base.index, boot.base.term, boot.base.hash) != MGC_OK) {
            node_crash(s, n, false);
            return;
        }
    } else boot.n_entries = load_entries(s, n, info, &boot, entries, &failed);
    if (failed) { /* the disk failed again */
        node_crash(s, n, false);
        return;
    }
    boot.entries = entries;
    lost = boot.amnesia != 0;
    if (n->forgot) boot.amnesia = 1; /* until the alliance knows the new number */
    if (lost) { /* a new disk, as far as the others are concerned; the operator gives it its number */
        n->incarnation++;
        s->wiped_once = true; /* it held once what it has not any more */
        s->marks[MARK_READMIT]++;
        boot.hard.incarnation = n->incarnation;
        if (boot.hard.term < n->state.meta.term) boot.hard.term = n->state.meta.term;
    }
    opts.id = n->id;
    opts.incarnation = n->incarnation;
    opts.propose_max = opts.log_max - opts.log_max / 8;
    while (opts.log_max < boot.n_entries) opts.log_max *= 2; /* the newest snapshot is lost: an older one, a longer log */
    opts.seed = s->opts.seed ^ n->generation * UINT64_C(0x9e3779b97f4a7c15);
    if (mgc_raft_init(s->ctx, &opts, &boot, n->memory, s->memory_size, &n->raft) != MGC_OK) {
        sim_fail(s, "member %" PRIu32 " does not start: %s", n->id, mgc_ctx_error(s->ctx));
        return;
    }
    shadow_start(s, n, &opts, &boot);
    n->amnesia = boot.amnesia != 0;
    n->up = true;
    if (lost) { /* its new number must survive, or it would be taken for the old one again */
        mgc__raftlog_hard h = {.term = n->raft->term, .vote = 0, .incarnation = n->incarnation};
        n->forgot = true;
        if (mgc__raftlog_sync(n->log) != MGC_OK || mgc__raftlog_set_hard(n->log, &h) != MGC_OK) node_crash(s, n, false);
    }
}

void node_start(struct sim *s, struct node *n)
{
    mgc__raftlog_opts o = {.ops = sim_disk_ops, .user = &n->disk, .prefix = "", .segment_bytes = SEGMENT_BYTES, .salt = s->opts.seed,
                           .member = n->id, .bootstrap = n->fresh, .genesis_index = s->genesis.index,
                           .genesis_term = s->genesis.term, .hash = entry_hash};
    mgc__raftlog_info info;
    mgc_raft_credit credit[SIM_NODES];
    mgc_raft_event e = {.kind = MGC_RAFT_APPLIED};
    mgc_status st;

    memcpy(o.genesis_hash, s->genesis.hash, 32);
    if (n->memory == NULL) n->memory = calloc(1, s->memory_size);
    n->generation++;
    void_debts(s, n);
    st = mgc__raftlog_open(s->ctx, &o, &n->log);
    if (st == MGC_E_FAILED) { /* the disk failed again: later */
        node_crash(s, n, false);
        return;
    }
    if (st == MGC_E_CORRUPT && n->id == s->victim && (s->opts.faults & (FAULT_ROT | FAULT_MISDIRECT))) {
        sim_disk_wipe(&n->disk); /* beyond what one rotten place explains: the operator gives it an empty disk */
        s->wiped_once = true;
        n->witness = (mgc__witness){0};
        sim_schedule(s, s->now + 1, EV_RESTART, n, NULL);
        return;
    }
    if (st != MGC_OK) {
        sim_fail(s, "member %" PRIu32 ": its log does not open: %s", n->id, mgc_ctx_error(s->ctx));
        return;
    }
    mgc__raftlog_get_info(n->log, &info);
    if (s->opts.trace)
        fprintf(stderr, "%10" PRIu64 " member %" PRIu32 " starts: term %" PRIu64 " log %" PRIu64 "..%" PRIu64 " snapshot %" PRIu64 " faulty %" PRIu64
                " torn %" PRIu64 " readmit %d snapshot lost %d segments %" PRIu32 "\n", s->now, n->id, info.hard.term, info.first, info.last,
                info.snapshot.index, info.n_faulty, info.torn, info.readmit, info.snapshot_lost, info.n_segments);
    s->marks[MARK_TORN] += info.torn;
    s->marks[MARK_FAULTY] += info.n_faulty;
    s->marks[MARK_REPAIRED_HEADER] += info.repaired;
    load_snapshot(s, n, &info);
    n->fresh = false;
    n->term_seen = n->commit_seen = 0;
    n->incoming_len = 0;
    boot_core(s, n, &info);
    if (!n->up || s->result->failed) return;
    sim_schedule(s, s->now + 1 + sim_below(s, n->tick_length), EV_TICK, n, NULL);
    if (!s->opts.credit || !(s->opts.faults & FAULT_CREDIT)) return;
    e.upto = n->state.meta.index;
    e.n_credit = credit_at(s, e.upto, credit);
    e.credit = credit;
    node_step(s, n, &e);
}

/* media: unsynced bytes may tear; without it they are all kept or all lost, as the generator has it. */
void node_crash(struct sim *s, struct node *n, bool media)
{
    s->marks[MARK_CRASH]++;
    n->up = false;
    n->generation++;
    s->marks[MARK_CRASH_BEGUN] += n->n_begun > 0;
    if (media && n->n_debts > 0 && n->log != NULL) {
        s->marks[MARK_CRASH_WRITING]++;
        n->disk.calls = 0;
        n->disk.fault_at = (long)sim_below(s, 7);
        n->disk.die = true;
        (void)pay(s, n, n->n_debts < 64 ? n->n_debts : 64);
    }
    n->disk.dead = true; /* what was begun is not waited for */
    mgc__raftlog_close(n->log);
    n->log = NULL;
    void_debts(s, n);
    sim_disk_crash(&n->disk);
    sim_schedule(s, s->now + sim_below(s, 3 * s->election), EV_RESTART, n, NULL);
}

void node_free(struct sim *s, struct node *n)
{
    mgc__raftlog_close(n->log);
    void_debts(s, n);
    free(n->debts);
    free(n->debt_entries);
    free(n->memory);
    free(n->shadow_memory);
    sim_disk_free(&n->disk);
}
