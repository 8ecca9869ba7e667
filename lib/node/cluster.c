/* SPDX-License-Identifier: Apache-2.0 */
/* The host of the consensus core: it gives it time and messages, makes durable what it says, and sends what it sends.
 *
 * One event at a time, each carried out in this order: gather what is to be written; send what may leave at once; write
 * and sync; send the rest; report what is durable, which is an event in itself; when the outermost event is done so far,
 * execute what all of them committed, in order. */
#include "node/cluster.h"

/* Of consensus/raft.h, whose other names meet those of contract.h. */
void mgc__entry_hash(const uint8_t previous[32], uint64_t index, uint64_t term, uint32_t type, const uint8_t root[32],
                     uint8_t hash[32]);
uint32_t mgc__config_encode(const mgc_raft_config *c, uint8_t *bytes);
bool mgc__config_decode(const uint8_t *bytes, size_t len, mgc_raft_config *c);

static const char prefix[] = "order-";

/* --- start -------------------------------------------------------------------------------------- */

static void entry_hash(const uint8_t prev[32], uint64_t index, uint64_t term, uint32_t type, const uint8_t *body, size_t len,
                       uint8_t hash[32])
{
    uint8_t root[32] = {0};
    mgc_status st = mgc_raft_payload_root(body, len, root);

    assert(st == MGC_OK);
    (void)st;
    mgc__entry_hash(prev, index, term, type, root, hash);
}

static mgc_status genesis_of(mgc__cluster *c, mgc_raft_snap_meta *genesis)
{
    mgc_raft_member members[CLUSTER_MEMBERS_MAX];

    for (uint32_t i = 0; i < c->n_members; i++)
        members[i] = (mgc_raft_member){.id = c->members[i].id, .roles = MGC_RAFT_VOTER, .incarnation = 1};
    return mgc_raft_genesis(c->node->ctx, members, c->n_members, genesis);
}

static mgc_status open_log(mgc__cluster *c, const mgc_raft_snap_meta *genesis)
{
    const mgc_node_opts *o = &c->node->opts;
    mgc__raftlog_opts opts = {.ops = c->node->storage, .user = c->node->storage_user, .prefix = prefix,
                              .segment_bytes = o->segment_bytes != 0 && o->segment_bytes < (1u << 26) ? o->segment_bytes / 512 * 512
                                                                                                       : 1u << 26,
                              .salt = o->salt, .member = o->id, .bootstrap = o->lost_store == 0,
                              .genesis_index = genesis->index, .genesis_term = genesis->term, .hash = entry_hash};

    if (opts.segment_bytes < MGC__RAFTLOG_SEGMENT_MIN) opts.segment_bytes = MGC__RAFTLOG_SEGMENT_MIN;
    memcpy(opts.genesis_hash, genesis->hash, 32);
    return mgc__raftlog_open(c->node->ctx, &opts, &c->log);
}

/* --- snapshots: where the chains stand ------------------------------------------------------------ */

enum { STANDING_VERSION = 1, STANDING_MAX = MGC_RAFT_CONFIG_BYTES_MAX + 256 };

static void put_standing(mgc__buf *b, const standing *s)
{
    uint8_t config[MGC_RAFT_CONFIG_BYTES_MAX];
    uint32_t len = mgc__config_encode(&s->meta.config, config);

    cluster_put32(b, STANDING_VERSION);
    cluster_put64(b, s->meta.index);
    cluster_put64(b, s->meta.term);
    mgc__buf_put(b, s->meta.hash, 32);
    cluster_put64(b, s->meta.config.index);
    cluster_put32(b, len);
    mgc__buf_put(b, config, len);
    cluster_put32(b, s->n);
    for (uint32_t i = 0; i < s->n; i++) {
        cluster_put64(b, s->heights[i]);
        mgc__buf_put(b, s->hashes[i], 32);
    }
}

static bool get_standing(const uint8_t *bytes, size_t len, standing *s)
{
    cluster_reader r = {.at = bytes, .end = bytes + len};
    const uint8_t *hash, *config;
    uint32_t config_len;
    uint64_t config_index;

    memset(s, 0, sizeof *s);
    if (cluster_uint(&r, 4) != STANDING_VERSION) return false;
    s->meta.index = cluster_uint(&r, 8);
    s->meta.term = cluster_uint(&r, 8);
    hash = cluster_get(&r, 32);
    config_index = cluster_uint(&r, 8);
    config_len = (uint32_t)cluster_uint(&r, 4);
    config = cluster_get(&r, config_len);
    s->n = (uint32_t)cluster_uint(&r, 4);
    if (r.bad || s->n > HOMES || !mgc__config_decode(config, config_len, &s->meta.config)) return false;
    memcpy(s->meta.hash, hash, 32);
    s->meta.config.index = config_index;
    for (uint32_t i = 0; i < s->n; i++) {
        s->heights[i] = cluster_uint(&r, 8);
        hash = cluster_get(&r, 32);
        if (hash != NULL) memcpy(s->hashes[i], hash, 32);
    }
    s->set = !r.bad && r.at == r.end;
    return s->set;
}

mgc_status mgc__cluster_publish(mgc__cluster *c, const standing *s)
{
    mgc_status st;

    c->wire.len = 0;
    put_standing(&c->wire, s);
    if (c->wire.status != MGC_OK) return mgc__no_memory(c->node->ctx, "node: a snapshot");
    st = mgc__raftlog_snap_begin(c->log, s->meta.index, s->meta.term, s->meta.hash);
    if (st == MGC_OK) st = mgc__raftlog_snap_write(c->log, 0, c->wire.bytes, c->wire.len);
    return st == MGC_OK ? mgc__raftlog_snap_publish(c->log) : st;
}

/* Once every block up to a noted standing is acknowledged, the entries before it are not needed any more. */
static mgc_status maybe_compact(mgc__cluster *c)
{
    mgc_raft_event saved = {.kind = MGC_RAFT_SNAP_SAVED, .snap = &c->coming.meta};
    mgc_raft_event compact = {.kind = MGC_RAFT_COMPACT, .upto = c->coming.meta.index};
    mgc_status st = MGC_OK;

    if (!c->coming.set) return MGC_OK;
    for (uint32_t i = 0; i < c->coming.n; i++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        st = mgc_chain_get_info(c->node->chains[i], &info);
        if (st != MGC_OK || info.acked_height < c->coming.heights[i]) return st;
    }
    c->coming.set = false;
    st = mgc__cluster_publish(c, &c->coming);
    if (st == MGC_OK) st = mgc__cluster_event(c, &saved);
    if (st == MGC_OK) st = mgc__cluster_event(c, &compact);
    return st == MGC_OK ? mgc__raftlog_compact(c->log, c->coming.meta.index) : st;
}

static mgc_status note_standing(mgc__cluster *c)
{
    mgc_raft_info info = {.struct_size = sizeof info};

    if (c->coming.set || mgc_raft_get_info(c->raft, &info) != MGC_OK || c->ordered + 1 < info.first + CLUSTER_COMPACT) return MGC_OK;
    if (mgc_raft_snap_meta_at(c->raft, c->ordered, &c->coming.meta) != MGC_OK) return MGC_OK;
    c->coming.set = true;
    return mgc__round_standing(c, &c->coming);
}

/* --- start, continued --------------------------------------------------------------------------- */

struct boot_entries {
    mgc_raft_entry *entries;
    mgc__buf *bodies; /* of configurations, which the core wants to read */
    size_t n;
};

static void free_boot(mgc__cluster *c, struct boot_entries *b)
{
    for (size_t i = 0; i < b->n; i++) mgc__buf_free(&b->bodies[i]);
    mgc__free(c->node->ctx, b->entries);
    mgc__free(c->node->ctx, b->bodies);
}

static mgc_status load_entry(mgc__cluster *c, uint64_t index, struct boot_entries *b, mgc_raft_boot *boot, bool *usable)
{
    const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(c->log, index);
    mgc_raft_entry *e = &b->entries[b->n];
    mgc__raftlog_entry stored;
    mgc_status st = mgc__raftlog_read(c->log, index, &c->body, &stored);

    *usable = true;
    if (st == MGC_E_CORRUPT && (meta->term == 0 || !meta->has_hash || meta->type == MGC_RAFT_CONFIG)) {
        *usable = false; /* nothing can be asked for: the disk is one that forgot */
        boot->amnesia = 1;
        return MGC_OK;
    }
    if (st != MGC_OK && st != MGC_E_CORRUPT) return st;
    *e = (mgc_raft_entry){.index = index, .term = meta->term, .len = meta->len, .type = meta->type};
    memcpy(e->hash, meta->hash, 32);
    mgc__buf_init(&b->bodies[b->n], c->node->ctx, MGC__RAFTLOG_BODY_MAX);
    if (st == MGC_OK && meta->type == MGC_RAFT_CONFIG) {
        mgc__buf_put(&b->bodies[b->n], stored.body, stored.len);
        e->bytes = b->bodies[b->n].bytes;
    }
    if (st == MGC_E_CORRUPT) {
        if (boot->fault_first == 0) boot->fault_first = index;
        boot->fault_last = index;
    }
    b->n++;
    return MGC_OK;
}

static mgc_status load_entries(mgc__cluster *c, const mgc__raftlog_info *info, struct boot_entries *b, mgc_raft_boot *boot)
{
    size_t n = info->last >= info->first ? (size_t)(info->last - info->first + 1) : 0;
    bool usable = true;
    mgc_status st = MGC_OK;

    b->entries = mgc__alloc(c->node->ctx, n, sizeof *b->entries);
    b->bodies = mgc__alloc(c->node->ctx, n, sizeof *b->bodies);
    if (b->entries == NULL || b->bodies == NULL) return mgc__no_memory(c->node->ctx, "node: the order's log");
    for (uint64_t i = info->first; i <= info->last && st == MGC_OK; i++) {
        st = load_entry(c, i, b, boot, &usable);
        if (usable || st != MGC_OK) continue;
        st = mgc__raftlog_mark_lost(c->log);
        if (st == MGC_OK) st = mgc__raftlog_truncate(c->log, i, info->hard.term);
        return st == MGC_OK ? mgc__raftlog_sync(c->log) : st;
    }
    return st;
}

static mgc_status load_base(mgc__cluster *c, const mgc__raftlog_info *info, mgc_raft_boot *boot)
{
    standing s;
    mgc_status st;

    if (info->snapshot.index == 0 || info->snapshot.size > STANDING_MAX) return MGC_OK;
    c->body.len = 0;
    if (!mgc__grow(c->node->ctx, (void **)&c->body.bytes, &c->body.cap, (size_t)info->snapshot.size, 1))
        return mgc__no_memory(c->node->ctx, "node: a snapshot");
    st = mgc__raftlog_snap_read(c->log, 0, c->body.bytes, (size_t)info->snapshot.size);
    if (st != MGC_OK) return st;
    if (!get_standing(c->body.bytes, (size_t)info->snapshot.size, &s))
        return mgc__fail(c->node->ctx, MGC_E_CORRUPT, "node: the snapshot of the order at %" PRIu64 " is not one", info->snapshot.index);
    boot->base = s.meta;
    return MGC_OK;
}

static mgc_status start_core(mgc__cluster *c, mgc_raft_boot *boot, size_t n)
{
    const mgc_node_opts *o = &c->node->opts;
    mgc_raft_opts opts;
    size_t size;
    mgc_status st;

    mgc_raft_opts_init(&opts, sizeof opts);
    opts.id = o->id;
    opts.seed = o->seed;
    opts.election_ticks = o->election_ticks;
    opts.members_max = CLUSTER_MEMBERS_MAX;
    opts.log_max = CLUSTER_LOG_MAX;
    while (opts.log_max < n + 64) opts.log_max *= 2;
    opts.batch_bytes = CLUSTER_ROUND_BYTES;
    st = mgc_raft_size(c->node->ctx, &opts, &size);
    if (st != MGC_OK) return st;
    c->memory = mgc__alloc(c->node->ctx, size, 1);
    if (c->memory == NULL) return mgc__no_memory(c->node->ctx, "node: the consensus");
    return mgc_raft_init(c->node->ctx, &opts, boot, c->memory, size, &c->raft);
}

static mgc_status start_order(mgc__cluster *c)
{
    struct boot_entries b = {0};
    mgc__raftlog_info info;
    mgc_raft_boot boot = {0};
    mgc_status st = genesis_of(c, &boot.base);

    if (st == MGC_OK) st = open_log(c, &boot.base);
    if (st != MGC_OK) return st;
    mgc__raftlog_get_info(c->log, &info);
    boot.hard = (mgc_raft_hard){.term = info.hard.term, .vote = info.hard.vote, .incarnation = info.hard.incarnation};
    boot.amnesia = info.readmit;
    st = load_base(c, &info, &boot);
    if (st == MGC_OK && info.first != boot.base.index + 1) {
        boot.amnesia = 1;
        st = mgc__raftlog_restart(c->log, boot.base.index, boot.base.term, boot.base.hash);
        mgc__raftlog_get_info(c->log, &info);
    }
    if (st == MGC_OK) st = load_entries(c, &info, &b, &boot);
    boot.entries = b.entries;
    boot.n_entries = b.n;
    if (st == MGC_OK) st = start_core(c, &boot, b.n);
    free_boot(c, &b);
    c->ordered = boot.base.index;
    return st;
}

mgc_status mgc__cluster_start(mgc_node *node)
{
    mgc__cluster *c = mgc__alloc(node->ctx, 1, sizeof *c);
    mgc_status st;

    if (c == NULL) return mgc__no_memory(node->ctx, "node: the consensus");
    node->cluster = c;
    c->node = node;
    c->n_members = (uint32_t)node->n_members;
    memcpy(c->members, node->members, node->n_members * sizeof *c->members);
    mgc__buf_init(&c->wire, node->ctx, MGC_MESSAGE_BYTES_MAX);
    mgc__buf_init(&c->body, node->ctx, 2 * (size_t)MGC__RAFTLOG_BODY_MAX);
    mgc__buf_init(&c->round, node->ctx, 2 * (size_t)CLUSTER_ROUND_BYTES);
    st = start_order(c);
    if (st != MGC_OK) mgc__cluster_stop(node);
    return st;
}

void mgc__cluster_stop(mgc_node *node)
{
    mgc__cluster *c = node->cluster;

    if (c == NULL) return;
    mgc__raftlog_close(c->log);
    mgc__free(node->ctx, c->memory);
    mgc__buf_free(&c->wire);
    mgc__buf_free(&c->body);
    mgc__buf_free(&c->round);
    mgc__free(node->ctx, c);
    node->cluster = NULL;
}

/* --- sending ------------------------------------------------------------------------------------ */

void mgc__cluster_send(mgc__cluster *c, uint32_t to, const mgc__buf *bytes)
{
    if (bytes->status != MGC_OK || c->node->transport.send == NULL) return;
    for (uint32_t i = 0; i < c->n_members; i++) {
        uint32_t id = c->members[i].id;
        if (id == c->node->opts.id || (to != 0 && id != to)) continue;
        (void)c->node->transport.send(c->node->transport_user, id, bytes->bytes, bytes->len);
    }
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

/* A message that cannot be built is a message lost; the protocol bears that. */
static void send_msg(mgc__cluster *c, const mgc_raft_msg *msg)
{
    mgc_raft_entry entries[64];
    mgc_raft_msg m = *msg;
    mgc__raftlog_info info;
    size_t len = 0;
    uint8_t kind = ENVELOPE_RAFT;

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
    if (mgc_raft_encode(&m, entries, NULL, 0, &len) != MGC_OK && len == 0) return;
    c->wire.len = 0;
    mgc__buf_put(&c->wire, &kind, 1);
    if (!mgc__grow(c->node->ctx, (void **)&c->wire.bytes, &c->wire.cap, len + 1, 1)) return;
    if (mgc_raft_encode(&m, entries, c->wire.bytes + 1, len, &len) != MGC_OK) return;
    c->wire.len = len + 1;
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

static mgc_status gather_appends(mgc__cluster *c, const mgc_raft_output *out)
{
    const mgc__raftlog_meta *meta;
    mgc__raftlog_entry e;
    mgc__raftlog_info info;
    mgc_status st = MGC_OK;

    mgc__raftlog_get_info(c->log, &info);
    if (out->hard.token != 0) { /* first of all, for no entry may be of a later term */
        mgc__raftlog_hard hard = {.term = out->hard.term, .vote = out->hard.vote, .incarnation = out->hard.incarnation};
        st = mgc__raftlog_set_hard(c->log, &hard);
    }
    if (st == MGC_OK && out->append.truncate_from != 0 && out->append.truncate_from <= info.last)
        st = mgc__raftlog_truncate(c->log, out->append.truncate_from, out->append.term != 0 ? out->append.term : out->after.term);
    for (uint64_t i = out->append.first; out->append.token != 0 && i <= out->append.last && st == MGC_OK; i++) {
        st = stored_entry(c, i, &e);
        if (st == MGC_OK) st = mgc__raftlog_append(c->log, &e);
    }
    if (st != MGC_OK || out->repair.token == 0) return st;
    meta = mgc__raftlog_meta_of(c->log, out->repair.first);
    if (meta == NULL || meta->state == MGC__RAFTLOG_STORED) return MGC_OK;
    st = stored_entry(c, out->repair.first, &e);
    return st == MGC_OK ? mgc__raftlog_repair(c->log, &e) : st;
}

static mgc_status execute(mgc__cluster *c, uint64_t first, uint64_t last)
{
    mgc_raft_event applied = {.kind = MGC_RAFT_APPLIED, .upto = last};
    mgc__buf body;
    mgc_status st = MGC_OK;

    mgc__buf_init(&body, c->node->ctx, MGC__RAFTLOG_BODY_MAX);
    for (uint64_t i = first; i <= last && st == MGC_OK; i++) {
        mgc__raftlog_entry e;
        st = mgc__raftlog_read(c->log, i, &body, &e);
        if (st == MGC_OK && e.type == MGC_RAFT_DATA) st = mgc__round_execute(c, e.body, e.len);
        if (st == MGC_OK) c->ordered = i;
        if (i >= c->proposed) c->proposed = 0;
    }
    mgc__buf_free(&body);
    if (st == MGC_OK) st = mgc__cluster_event(c, &applied);
    return st == MGC_OK ? note_standing(c) : st;
}

static mgc_status snapshot_came(mgc__cluster *c, const mgc_raft_snap *snap)
{
    mgc_status st = MGC_OK;

    if (snap->op != MGC_RAFT_SNAP_INSTALL || !get_standing(snap->bytes, snap->len, &c->target) ||
        c->target.meta.index != snap->meta.index || c->target.n != c->node->n_chains) {
        c->target.set = false;
        c->dropped++;
        return MGC_OK;
    }
    c->target.meta = snap->meta;
    c->target_from = snap->from;
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

mgc_status mgc__cluster_event(mgc__cluster *c, const mgc_raft_event *event)
{
    const mgc_raft_event *outer = c->event;
    mgc_raft_output out;
    mgc_raft_msg own_vote = {0};
    mgc_raft_snap snap = {0};
    mgc_status st = mgc_raft_step(c->raft, event, &out);

    if (st != MGC_OK) return st;
    c->depth++;
    c->event = event;
    c->leader = out.leader;
    if (event->kind == MGC_RAFT_PROPOSE && out.answer == MGC_RAFT_ACCEPTED) c->proposed = out.index;
    c->role = out.after.role;
    if (c->role != MGC_RAFT_LEADER) c->proposed = 0;
    st = gather_appends(c, &out);
    for (size_t i = 0; i < out.n_msgs && st == MGC_OK; i++)
        if (out.msgs[i].after == 0 && out.msgs[i].to != c->node->opts.id) send_msg(c, &out.msgs[i]);
    if (st == MGC_OK) st = mgc__raftlog_sync(c->log);
    for (size_t i = 0; i < out.n_msgs && st == MGC_OK; i++) {
        if (out.msgs[i].to == c->node->opts.id) own_vote = out.msgs[i];
        else if (out.msgs[i].after != 0) send_msg(c, &out.msgs[i]);
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

/* --- what the host calls -------------------------------------------------------------------------- */

static mgc_status tick(mgc__cluster *c)
{
    mgc_raft_event event = {.kind = MGC_RAFT_TICK};
    mgc_status st = mgc__cluster_event(c, &event);

    if (st == MGC_OK && c->ticks_since_ask + 1 >= CLUSTER_AGAIN_TICKS)
        for (size_t i = 0; i < c->node->pool_n; i++) mgc__cluster_forward(c->node, c->node->pool[i].bytes, c->node->pool[i].len);
    if (st == MGC_OK) st = mgc__final_tick(c);
    return st == MGC_OK ? maybe_compact(c) : st;
}

mgc_status mgc__cluster_step(mgc_node *node, uint64_t now_ms, uint64_t *wake_ms)
{
    mgc__cluster *c = node->cluster;
    uint64_t length = node->opts.tick_ms, ticks;
    mgc_status st = MGC_OK;

    if (!c->ticking || now_ms + 1 < c->tick_at - length) c->tick_at = now_ms + length; /* the first step, or a clock set back */
    c->ticking = true;
    c->now_ms = now_ms;
    /* A process that stood still must not live through all that time at once: its peers did not wait for it. */
    ticks = now_ms < c->tick_at ? 0 : 1 + (now_ms - c->tick_at) / length;
    c->tick_at += ticks * length;
    if (ticks > node->opts.election_ticks) ticks = node->opts.election_ticks;
    while (ticks-- > 0 && st == MGC_OK) st = tick(c);
    if (st == MGC_OK && c->role == MGC_RAFT_LEADER) st = mgc__round_propose(c);
    if (wake_ms != NULL) *wake_ms = c->tick_at;
    return st;
}

static mgc_status receive_raft(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len)
{
    mgc_raft_entry entries[64];
    mgc_raft_config config;
    mgc_raft_msg msg;
    mgc_raft_event event = {.kind = MGC_RAFT_RECV, .msg = &msg};

    if (mgc_raft_decode(bytes, len, &msg, entries, 64, &config) != MGC_OK || msg.from != from || msg.to != c->node->opts.id) {
        c->dropped++;
        return MGC_OK;
    }
    return mgc__cluster_event(c, &event);
}

mgc_status mgc__cluster_receive(mgc_node *node, uint32_t from, const uint8_t *bytes, size_t len)
{
    mgc__cluster *c = node->cluster;

    if (bytes == NULL || len == 0 || len > MGC_MESSAGE_BYTES_MAX) {
        c->dropped++;
        return MGC_OK;
    }
    switch (bytes[0]) {
    case ENVELOPE_RAFT: return receive_raft(c, from, bytes + 1, len - 1);
    case ENVELOPE_TX: return mgc__node_take(node, bytes + 1, len - 1);
    case ENVELOPE_VOTE: return mgc__final_vote(c, from, bytes + 1, len - 1);
    case ENVELOPE_WANT: return mgc__final_want(c, from, bytes + 1, len - 1);
    case ENVELOPE_BLOCK: return mgc__final_block(c, from, bytes + 1, len - 1);
    default: c->dropped++; return MGC_OK;
    }
}
