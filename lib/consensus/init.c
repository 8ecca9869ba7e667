/* SPDX-License-Identifier: Apache-2.0 */
/* Options, memory, and what a member looks like when it starts. */
#include "consensus/raft.h"

static const mgc_raft_opts defaults = {
    .struct_size = sizeof(mgc_raft_opts),
    .incarnation = 1,
    .election_ticks = 10,
    .heartbeat_ticks = 1,
    .members_max = 7,
    .log_max = 512,
    .batch_entries = 64,
    .batch_bytes = 1u << 20,
    .inflight_max = 16,
    .reads_max = 64,
    .uncommitted_bytes = 64u << 20,
};

enum { LOG_MAX_LEAST = 16, LOG_MAX_MOST = 1 << 24, READS_MOST = 65536, CERTIFICATE_HEAD = 128 };

void mgc_raft_opts_init(mgc_raft_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &defaults, sizeof defaults);
}

static mgc_status in_range(mgc_ctx *ctx, const char *name, uint64_t value, uint64_t least, uint64_t most)
{
    if (value >= least && value <= most) return MGC_OK;
    return mgc__fail(ctx, MGC_E_RANGE, "consensus: option %s is out of range; found %llu; allowed %llu..%llu", name,
                     (unsigned long long)value, (unsigned long long)least, (unsigned long long)most);
}

static mgc_status check_times(mgc_ctx *ctx, mgc_raft_opts *o)
{
    mgc_status status = in_range(ctx, "election_ticks", o->election_ticks, 2, 100000);

    if (status == MGC_OK) status = in_range(ctx, "heartbeat_ticks", o->heartbeat_ticks, 1, o->election_ticks - 1);
    if (o->credit_window_ticks == 0) o->credit_window_ticks = 2 * o->election_ticks;
    if (status == MGC_OK)
        status = in_range(ctx, "credit_window_ticks", o->credit_window_ticks, 1, 8 * (uint64_t)o->election_ticks);
    if (status == MGC_OK) status = in_range(ctx, "rank_ticks", o->rank_ticks, 0, o->election_ticks);
    if (status == MGC_OK) status = in_range(ctx, "lease_ticks", o->lease_ticks, 0, (o->election_ticks - 1) / 2);
    return status;
}

static mgc_status read_opts(mgc_ctx *ctx, const mgc_raft_opts *opts, mgc_raft_opts *o)
{
    mgc_status status;

    *o = defaults;
    status = mgc__opts_read(o, sizeof *o, MGC__FIRST_SIZE(mgc_raft_opts, reserved0), opts);
    if (status != MGC_OK) return mgc__fail(ctx, status, "consensus: option struct of another size");
    status = in_range(ctx, "id", o->id, 1, UINT32_MAX);
    if (status == MGC_OK) status = check_times(ctx, o);
    if (status == MGC_OK) status = in_range(ctx, "members_max", o->members_max, 1, MGC_RAFT_MEMBERS_MAX);
    if (status == MGC_OK) status = in_range(ctx, "log_max", o->log_max, LOG_MAX_LEAST, LOG_MAX_MOST);
    if (status == MGC_OK && (o->log_max & (o->log_max - 1)) != 0)
        status = mgc__fail(ctx, MGC_E_RANGE, "consensus: option log_max is no power of two; found %u", o->log_max);
    if (o->propose_max == 0) o->propose_max = o->log_max - o->log_max / 8;
    if (status == MGC_OK) status = in_range(ctx, "propose_max", o->propose_max, 1, o->log_max - o->log_max / 8);
    if (status == MGC_OK) status = in_range(ctx, "batch_entries", o->batch_entries, 1, 4096);
    if (status == MGC_OK) status = in_range(ctx, "inflight_max", o->inflight_max, 1, 256);
    if (status == MGC_OK) status = in_range(ctx, "reads_max", o->reads_max, 1, READS_MOST);
    if (status == MGC_OK) status = in_range(ctx, "sign", o->sign, 0, 1);
    if (status == MGC_OK) status = in_range(ctx, "reserved0", o->reserved0, 0, 0);
    return status;
}

/* --- memory: one block, cut in pieces --- */

typedef struct layout {
    size_t ring, peers, inflight, reads, reads_out, msgs, certificate, total;
    uint32_t n_msgs, n_reads_out;
} layout;

static size_t take(size_t *at, size_t n, size_t size)
{
    size_t begin = *at;

    *at = begin + (n * size + 63) / 64 * 64;
    return begin;
}

static layout lay_out(const mgc_raft_opts *o)
{
    layout l = {0};
    size_t at = 0;

    take(&at, 1, sizeof(mgc_raft));
    l.n_msgs = o->members_max * MGC__SENDS_PER_PEER + 8;
    l.n_reads_out = 2 * o->reads_max + 2;
    l.ring = take(&at, o->log_max, sizeof(mgc__slot));
    l.peers = take(&at, o->members_max, sizeof(mgc__peer));
    l.inflight = take(&at, (size_t)o->members_max * o->inflight_max, sizeof(uint64_t));
    l.reads = take(&at, o->reads_max, sizeof(mgc__pending_read));
    l.reads_out = take(&at, l.n_reads_out, sizeof(mgc_raft_read));
    l.msgs = take(&at, l.n_msgs, sizeof(mgc_raft_msg));
    l.certificate = take(&at, CERTIFICATE_HEAD + (size_t)o->members_max * (4 + 64), 1);
    l.total = at;
    return l;
}

mgc_status mgc_raft_size(mgc_ctx *ctx, const mgc_raft_opts *opts, size_t *size)
{
    mgc_raft_opts o;
    mgc_status status;

    if (size == NULL) return MGC_E_INVALID_ARG;
    *size = 0;
    status = read_opts(ctx, opts, &o);
    if (status == MGC_OK) *size = lay_out(&o).total;
    return status;
}

static mgc_raft *place(void *memory, const mgc_raft_opts *o)
{
    layout l = lay_out(o);
    mgc_raft *r = memory;
    uint8_t *bytes = memory;

    memset(memory, 0, l.total);
    r->opts = *o;
    r->ring = (mgc__slot *)(void *)(bytes + l.ring);
    r->peers = (mgc__peer *)(void *)(bytes + l.peers);
    r->reads = (mgc__pending_read *)(void *)(bytes + l.reads);
    r->reads_out = (mgc_raft_read *)(void *)(bytes + l.reads_out);
    r->msgs = (mgc_raft_msg *)(void *)(bytes + l.msgs);
    r->msgs_cap = l.n_msgs;
    r->certificate = bytes + l.certificate;
    for (uint32_t i = 0; i < o->members_max; i++)
        r->peers[i].inflight = (uint64_t *)(void *)(bytes + l.inflight) + (size_t)i * o->inflight_max;
    return r;
}

/* --- start --- */

static mgc_status corrupt(mgc_ctx *ctx, const char *what, uint64_t index)
{
    return mgc__fail(ctx, MGC_E_CORRUPT, "consensus: what the disk held does not fit: %s; at index %llu", what,
                     (unsigned long long)index);
}

static mgc_status load_entry(mgc_raft *r, const mgc_raft_entry *e)
{
    mgc_raft_config c;

    if (e->index != r->last + 1) return corrupt(r->ctx, "an entry does not follow the one before", e->index);
    if (e->term < mgc__log_term(r, r->last)) return corrupt(r->ctx, "terms fall", e->index);
    r->last++;
    *mgc__log_slot(r, r->last) =
        (mgc__slot){.index = e->index, .term = e->term, .handle = e->handle, .len = e->len, .type = e->type};
    memcpy(mgc__log_slot(r, r->last)->hash, e->hash, 32);
    if (e->type != MGC_RAFT_CONFIG) return MGC_OK;
    if (!mgc__config_decode(e->bytes, e->len, &c)) return corrupt(r->ctx, "a configuration that is none", e->index);
    c.index = e->index;
    if (r->n_configs == MGC__CONFIGS_MAX) { /* all but the last one were committed when the next was proposed */
        r->n_configs--;
        memmove(r->configs, r->configs + 1, r->n_configs * sizeof c);
    }
    if (c.n_members > r->opts.members_max)
        return mgc__fail(r->ctx, MGC_E_LIMIT, "consensus: configuration of %u members; allowed %u", c.n_members,
                         r->opts.members_max);
    r->configs[r->n_configs++] = c;
    return MGC_OK;
}

static mgc_status load_log(mgc_raft *r, const mgc_raft_boot *boot)
{
    if (boot->n_entries > r->opts.log_max)
        return mgc__fail(r->ctx, MGC_E_LIMIT, "consensus: more entries than log_max; found %zu; allowed %u",
                         boot->n_entries, r->opts.log_max);
    if (boot->base.config.n_members == 0 || boot->base.config.n_members > r->opts.members_max)
        return mgc__fail(r->ctx, MGC_E_LIMIT, "consensus: configuration of %u members; allowed 1..%u",
                         boot->base.config.n_members, r->opts.members_max);
    r->snap = boot->base;
    r->configs[r->n_configs++] = boot->base.config;
    r->base = r->last = boot->base.index;
    r->base_term = boot->base.term;
    memcpy(r->base_hash, boot->base.hash, 32);
    for (size_t i = 0; i < boot->n_entries; i++) {
        mgc_status status = load_entry(r, &boot->entries[i]);

        if (status != MGC_OK) return status;
    }
    r->stored = r->last;
    return MGC_OK;
}

static void load_state(mgc_raft *r, const mgc_raft_boot *boot)
{
    uint64_t commit = boot->hard.commit > boot->applied ? boot->hard.commit : boot->applied;

    r->term = boot->hard.term;
    r->vote = boot->hard.vote;
    r->term_leader = boot->hard.leader;
    if (mgc__log_term(r, r->last) > r->term) { /* the log knows a later term than the record: no vote is known in it */
        r->term = mgc__log_term(r, r->last);
        r->vote = r->term_leader = 0;
    }
    r->incarnation = boot->hard.incarnation != 0 ? boot->hard.incarnation : r->opts.incarnation;
    r->amnesia = boot->amnesia != 0;
    r->commit = commit > r->last ? r->last : commit;
    if (r->commit < r->base) r->commit = r->base;
    r->applied = r->apply_sent = boot->applied > r->base ? boot->applied : r->base;
    r->config_noted = r->configs[0].index;
    r->role = MGC_RAFT_FOLLOWER;
    if (boot->fault_first != 0 && boot->fault_first > r->base && boot->fault_first <= r->last) {
        r->fault_first = boot->fault_first;
        r->fault_last = boot->fault_last < r->last ? boot->fault_last : r->last;
        if (r->fault_last < r->fault_first) r->fault_last = r->fault_first;
    }
}

mgc_status mgc_raft_init(mgc_ctx *ctx, const mgc_raft_opts *opts, const mgc_raft_boot *boot, void *memory, size_t size,
                         mgc_raft **out)
{
    mgc_raft_opts o;
    mgc_raft *r;
    mgc_status status;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (boot == NULL || memory == NULL || (boot->n_entries > 0 && boot->entries == NULL))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "consensus: boot, memory or entries are NULL");
    status = read_opts(ctx, opts, &o);
    if (status != MGC_OK) return status;
    if (size < lay_out(&o).total || (uintptr_t)memory % sizeof(uint64_t) != 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "consensus: memory of %zu bytes; needed %zu, aligned to 8", size,
                         lay_out(&o).total);
    r = place(memory, &o);
    r->ctx = ctx;
    mgc__rng_seed(&r->rng, o.seed ^ (uint64_t)o.id * 0x9e3779b97f4a7c15u);
    status = load_log(r, boot);
    if (status != MGC_OK) return status;
    if (boot->applied > r->last) return corrupt(ctx, "the state machine is ahead of the log", boot->applied);
    load_state(r, boot);
    mgc__config_activate(r);
    if (o.lease_ticks > 0) r->quiet_ticks = o.election_ticks; /* a leader may count on what we said before the crash */
    r->deadline = mgc__credit_deadline(r);
    *out = r;
    return MGC_OK;
}

mgc_status mgc_raft_genesis(mgc_ctx *ctx, const mgc_raft_member *members, size_t n, mgc_raft_snap_meta *base)
{
    static const uint8_t nothing[32];
    uint8_t bytes[MGC_RAFT_CONFIG_BYTES_MAX], root[32];
    mgc_raft_change change[MGC_RAFT_MEMBERS_MAX];
    const mgc_raft_config empty = {.index = 1};
    const char *why;

    if (base == NULL || members == NULL || n == 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "consensus: a first configuration needs members");
    if (n > MGC_RAFT_MEMBERS_MAX)
        return mgc__fail(ctx, MGC_E_LIMIT, "consensus: %zu members; allowed %u", n, (unsigned)MGC_RAFT_MEMBERS_MAX);
    memset(base, 0, sizeof *base);
    for (size_t i = 0; i < n; i++) {
        bool voter = members[i].roles == MGC_RAFT_VOTER, twice = false;

        for (size_t j = 0; j < i; j++) twice |= members[j].id == members[i].id;
        if (members[i].id == 0 || twice || (!voter && members[i].roles != MGC_RAFT_LEARNER))
            return mgc__fail(ctx, MGC_E_INVALID_ARG,
                             "consensus: member %zu: id %u twice or zero, or neither voter nor learner", i, members[i].id);
        change[i] = (mgc_raft_change){.op = voter ? MGC_RAFT_ADD_VOTER : MGC_RAFT_ADD_LEARNER, .id = members[i].id,
                                      .incarnation = members[i].incarnation};
    }
    /* All at once: nothing was decided before, so no majorities have to meet. */
    why = mgc__config_first(&empty, change, n, &base->config);
    if (why != NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "consensus: first configuration: %s", why);
    base->index = base->term = 1;
    base->config.index = 1;
    mgc_status status = mgc_raft_payload_root(bytes, mgc__config_encode(&base->config, bytes), root);

    mgc__entry_hash(nothing, 1, 1, MGC_RAFT_CONFIG, root, base->hash);
    return status;
}

/* --- looking --- */

mgc_status mgc_raft_get_info(const mgc_raft *r, mgc_raft_info *info)
{
    mgc_raft_info i;

    if (r == NULL || info == NULL) return MGC_E_INVALID_ARG;
    i = (mgc_raft_info){.struct_size = sizeof i, .term = r->term, .commit = r->commit, .applied = r->applied,
                        .stored = r->stored, .first = r->base + 1, .last = r->last,
                        .last_term = mgc__log_term(r, r->last), .config_index = r->configs[r->n_configs - 1].index,
                        .role = r->role, .vote = r->vote, .leader = r->leader, .id = r->opts.id,
                        .recovering = mgc__recovering(r), .may_vote = mgc__may_vote(r),
                        .ticks_since_leader = r->since_leader,
                        .joint = mgc__config_joint(&r->configs[r->n_configs - 1])};
    return mgc__info_write(info, &i, sizeof i, MGC__FIRST_SIZE(mgc_raft_info, joint));
}

mgc_status mgc_raft_entry_get(const mgc_raft *r, uint64_t index, mgc_raft_entry *entry)
{
    const mgc__slot *s;

    if (r == NULL || entry == NULL) return MGC_E_INVALID_ARG;
    memset(entry, 0, sizeof *entry);
    if (index <= r->base || index > r->last)
        return mgc__fail(r->ctx, MGC_E_NOT_FOUND, "consensus: no entry %llu; there are %llu..%llu",
                         (unsigned long long)index, (unsigned long long)r->base + 1, (unsigned long long)r->last);
    s = mgc__log_slot(r, index);
    *entry = (mgc_raft_entry){.index = index, .term = s->term, .handle = s->handle, .len = s->len, .type = s->type};
    memcpy(entry->hash, s->hash, 32);
    if (s->type == MGC_RAFT_NOOP && index == r->certificate_index) entry->bytes = r->certificate;
    if (s->type == MGC_RAFT_CONFIG && index == r->config_bytes_index) entry->bytes = r->config_bytes;
    return MGC_OK;
}

mgc_status mgc_raft_snap_meta_at(const mgc_raft *r, uint64_t index, mgc_raft_snap_meta *meta)
{
    const mgc_raft_config *c;

    if (r == NULL || meta == NULL) return MGC_E_INVALID_ARG;
    memset(meta, 0, sizeof *meta);
    c = mgc__config_at(r, index);
    if (index < r->base || index > r->applied || c == NULL)
        return mgc__fail(r->ctx, MGC_E_NOT_FOUND, "consensus: no snapshot can be named at %llu; allowed %llu..%llu",
                         (unsigned long long)index, (unsigned long long)r->base, (unsigned long long)r->applied);
    meta->index = index;
    meta->term = mgc__log_term(r, index);
    memcpy(meta->hash, mgc__log_hash(r, index), 32);
    meta->config = *c;
    return MGC_OK;
}

const mgc_raft_config *mgc_raft_config_now(const mgc_raft *r)
{
    return r == NULL ? NULL : &r->configs[r->n_configs - 1];
}
