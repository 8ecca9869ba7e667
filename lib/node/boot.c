/* SPDX-License-Identifier: Apache-2.0 */
/* Start from storage, and snapshots of the order.
 *
 *   1. The log on disk says which entries are there, which are damaged, and whether this store may have forgotten something.
 *   2. The last snapshot says where chains and roster stood; without one, the options do.
 *   3. The core is laid out with both; entries committed since are executed again.
 *
 * What can go wrong
 *   an empty store of a member that voted before, both slots of term and vote bad, a log shorter than what it proves:
 *   the member comes back with a new incarnation, without a vote, until the others have committed that they know of it */
#include "node/kept.h"

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
    mgc_raft_member members[CLUSTER_KNOWN_MAX];

    for (uint32_t i = 0; i < c->roster.n; i++)
        members[i] = (mgc_raft_member){.id = c->roster.list[i].id, .incarnation = 1,
                                       .roles = c->roster.list[i].aim == MGC_STANDING_VOTER ? MGC_RAFT_VOTER : MGC_RAFT_LEARNER};
    return mgc_raft_genesis(c->node->ctx, members, c->roster.n, genesis);
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

enum { STANDING_VERSION = 3 };

static void put_standing(mgc__buf *b, const standing *s, const mgc__buf *deeds)
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
    assert(s->roster.deeds <= deeds->len);
    cluster_put32(b, (uint32_t)s->roster.deeds);
    mgc__buf_put(b, deeds->bytes, s->roster.deeds);
}

/* Everybody in the configuration is one whom the roster knows. */
static bool config_known(const standing *s)
{
    for (uint32_t i = 0; i < s->meta.config.n_members; i++) {
        uint32_t k = 0;
        while (k < s->roster.n && s->roster.list[k].id != s->meta.config.members[i].id) k++;
        if (k == s->roster.n) return false;
    }
    return true;
}

/* What a standing says of the chains is checked with the blocks' certificates, as these are fetched. */
static bool read_chains(cluster_reader *r, standing *s)
{
    const uint8_t *hash, *config;
    uint32_t config_len;
    uint64_t config_index;

    memset(s, 0, sizeof *s);
    if (cluster_uint(r, 4) != STANDING_VERSION) return false;
    s->meta.index = cluster_uint(r, 8);
    s->meta.term = cluster_uint(r, 8);
    hash = cluster_get(r, 32);
    config_index = cluster_uint(r, 8);
    config_len = (uint32_t)cluster_uint(r, 4);
    config = cluster_get(r, config_len);
    s->n = (uint32_t)cluster_uint(r, 4);
    if (r->bad || s->n > HOMES || !mgc__config_decode(config, config_len, &s->meta.config)) return false;
    memcpy(s->meta.hash, hash, 32);
    s->meta.config.index = config_index;
    for (uint32_t i = 0; i < s->n; i++) {
        s->heights[i] = cluster_uint(r, 8);
        hash = cluster_get(r, 32);
        if (hash != NULL) memcpy(s->hashes[i], hash, 32);
    }
    return !r->bad;
}

/* A leader may say what it likes of who takes part: it is believed what majorities signed, from the genesis on. */
mgc_status mgc__standing_read(mgc__cluster *c, const uint8_t *bytes, size_t len, standing *s, mgc__buf *deeds, bool *good)
{
    cluster_reader r = {.at = bytes, .end = bytes + len};
    const uint8_t *list;
    uint32_t n;
    mgc_status st = MGC_OK;

    *good = false;
    deeds->len = 0;
    if (!read_chains(&r, s)) return MGC_OK;
    n = (uint32_t)cluster_uint(&r, 4);
    list = cluster_get(&r, n);
    if (r.bad || r.at != r.end || n > CLUSTER_DEEDS_MAX) return MGC_OK;
    st = mgc__roster_replay(c, list, n, &s->roster, good);
    mgc__buf_put(deeds, list, n);
    if (st == MGC_OK && deeds->status != MGC_OK) st = mgc__no_memory(c->node->ctx, "node: changes of members");
    *good = *good && config_known(s);
    s->set = st == MGC_OK && *good;
    return st;
}


mgc_status mgc__cluster_publish(mgc__cluster *c, const standing *s, const mgc__buf *deeds)
{
    mgc_status st;

    c->wire.len = 0;
    put_standing(&c->wire, s, deeds);
    if (c->wire.status != MGC_OK) return mgc__no_memory(c->node->ctx, "node: a snapshot");
    st = mgc__raftlog_snap_begin(c->log, s->meta.index, s->meta.term, s->meta.hash);
    if (st == MGC_OK) st = mgc__raftlog_snap_write(c->log, 0, c->wire.bytes, c->wire.len);
    return st == MGC_OK ? mgc__raftlog_snap_publish(c->log) : st;
}

/* Once every block up to a noted standing is acknowledged, the entries before it are not needed any more. */
mgc_status mgc__standing_take(mgc__cluster *c)
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
    c->unsaid = !c->coming.said;
    st = mgc__cluster_publish(c, &c->coming, &c->deeds);
    mgc__kept_forget(c, c->coming.meta.term);
    if (st == MGC_OK) st = mgc__cluster_event(c, &saved);
    if (st == MGC_OK) st = mgc__cluster_event(c, &compact);
    return st == MGC_OK ? mgc__raftlog_compact(c->log, c->coming.meta.index) : st;
}

mgc_status mgc__standing_note(mgc__cluster *c)
{
    mgc_raft_info info = {.struct_size = sizeof info};
    bool full, said;

    if (c->coming.set || mgc_raft_get_info(c->raft, &info) != MGC_OK || c->ordered < info.first) return MGC_OK;
    /* Once the ring is nearly full whatever was executed goes, however little: others may need this member to take entries. */
    full = info.last + 1 >= info.first + CLUSTER_LOG_MAX - CLUSTER_LOG_MAX / 8;
    if (!full && c->ordered + 1 < info.first + CLUSTER_COMPACT && !c->unsaid) return MGC_OK;
    said = mgc__order_said(c, &c->config);
    if (!said && !full) return MGC_OK;
    c->coming.said = said;
    if (mgc_raft_snap_meta_at(c->raft, c->ordered, &c->coming.meta) != MGC_OK) return MGC_OK;
    c->coming.set = true;
    c->coming.roster = c->roster;
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
    bool good = false;
    mgc_status st;

    if (info->snapshot.index == 0 || info->snapshot.size > STANDING_MAX) return MGC_OK;
    c->body.len = 0;
    if (!mgc__grow(c->node->ctx, (void **)&c->body.bytes, &c->body.cap, (size_t)info->snapshot.size, 1))
        return mgc__no_memory(c->node->ctx, "node: a snapshot");
    st = mgc__raftlog_snap_read(c->log, 0, c->body.bytes, (size_t)info->snapshot.size);
    if (st != MGC_OK) return st;
    st = mgc__standing_read(c, c->body.bytes, (size_t)info->snapshot.size, &s, &c->deeds, &good);
    if (st != MGC_OK) return st;
    if (!good)
        return mgc__fail(c->node->ctx, MGC_E_CORRUPT, "node: the snapshot of the order at %" PRIu64 " is not one", info->snapshot.index);
    boot->base = s.meta;
    c->roster = s.roster;
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
    opts.members_max = CLUSTER_KNOWN_MAX;
    opts.sign = 1;
    opts.log_max = CLUSTER_LOG_MAX;
    opts.propose_max = CLUSTER_LOG_MAX - CLUSTER_LOG_MAX / 8; /* the same everywhere, however much this member's disk held */
    while (opts.log_max < n + 64) opts.log_max *= 2;
    opts.batch_bytes = CLUSTER_ROUND_BYTES;
    st = mgc_raft_size(c->node->ctx, &opts, &size);
    if (st != MGC_OK) return st;
    c->memory = mgc__alloc(c->node->ctx, size, 1);
    if (c->memory == NULL) return mgc__no_memory(c->node->ctx, "node: the consensus");
    return mgc_raft_init(c->node->ctx, &opts, boot, c->memory, size, &c->raft);
}

/* Which incarnation the others know of this member, by the newest configuration that is here. */
static uint32_t known_incarnation(mgc__cluster *c, const mgc_raft_boot *boot, const struct boot_entries *b)
{
    mgc_raft_config config = boot->base.config;
    uint32_t found = 0;

    for (size_t i = 0; i <= b->n; i++) {
        if (i > 0 && (b->entries[i - 1].type != MGC_RAFT_CONFIG ||
                      !mgc__config_decode(b->entries[i - 1].bytes, b->entries[i - 1].len, &config)))
            continue;
        for (uint32_t k = 0; k < config.n_members; k++)
            if (config.members[k].id == c->node->opts.id) found = config.members[k].incarnation;
    }
    return found;
}

/* A store that may have forgotten what it promised is another one from now on.  It is made durable before anything is said. */
static mgc_status begin_incarnation(mgc__cluster *c, mgc_raft_boot *boot, const struct boot_entries *b)
{
    mgc__raftlog_hard hard = {.term = boot->hard.term, .vote = boot->hard.vote, .incarnation = boot->hard.incarnation,
                              .leader = boot->hard.leader};
    uint32_t known = known_incarnation(c, boot, b);

    if (boot->amnesia == 0) return MGC_OK;
    if (hard.incarnation < known) hard.incarnation = known;
    if (hard.incarnation < c->node->opts.lost_store) hard.incarnation = c->node->opts.lost_store;
    hard.incarnation++;
    boot->hard.incarnation = hard.incarnation;
    return mgc__raftlog_set_hard(c->log, &hard);
}

static mgc_status start_order(mgc__cluster *c)
{
    struct boot_entries b = {0};
    mgc__raftlog_info info;
    mgc_raft_boot boot = {0};
    mgc_status st = genesis_of(c, &boot.base);

    if (st == MGC_OK) st = mgc__order_hash(&boot.base.config, c->genesis_config);
    if (st == MGC_OK) st = mgc__kept_open(c);
    if (st == MGC_OK) mgc__kept_config(c, &boot.base.config);
    if (st == MGC_OK) st = open_log(c, &boot.base);
    if (st != MGC_OK) return st;
    mgc__raftlog_get_info(c->log, &info);
    boot.hard = (mgc_raft_hard){.term = info.hard.term, .vote = info.hard.vote, .incarnation = info.hard.incarnation,
                                .leader = info.hard.leader, .commit = info.hard.commit};
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
    if (st == MGC_OK) st = begin_incarnation(c, &boot, &b);
    if (st == MGC_OK) st = start_core(c, &boot, b.n);
    free_boot(c, &b);
    c->config = boot.base.config;
    if (st == MGC_OK) mgc__kept_config(c, &c->config);
    c->ordered = boot.base.index;
    return st;
}

/* Whom the others know by another key would sign what they drop, and what it says unsigned would still be heard in that name. */
static mgc_status check_own_key(const mgc__cluster *c)
{
    const known_member *m = mgc__known(c, c->node->opts.id);
    uint8_t key[32];

    if (m == NULL || c->node->opts.key == NULL) return MGC_OK; /* a newcomer; one that only reads */
    if (mgc_key_public(c->node->opts.key, key) == MGC_OK && memcmp(key, m->public_key, 32) == 0) return MGC_OK;
    return mgc__fail(c->node->ctx, MGC_E_BAD_KEY, "node: the alliance knows member %" PRIu32 " by another key than this node's", m->id);
}

mgc_status mgc__cluster_start(mgc_node *node)
{
    mgc__cluster *c = mgc__alloc(node->ctx, 1, sizeof *c);
    mgc_status st;

    if (c == NULL) return mgc__no_memory(node->ctx, "node: the consensus");
    node->cluster = c;
    c->node = node;
    mgc__roster_begin(c, &c->roster);
    mgc__buf_init(&c->deeds, node->ctx, 2 * (size_t)CLUSTER_DEEDS_MAX);
    mgc__buf_init(&c->target_deeds, node->ctx, 2 * (size_t)CLUSTER_DEEDS_MAX);
    mgc__buf_init(&c->wire, node->ctx, MGC_MESSAGE_BYTES_MAX);
    mgc__buf_init(&c->sealed, node->ctx, MGC_MESSAGE_BYTES_MAX);
    mgc__buf_init(&c->body, node->ctx, 2 * (size_t)MGC__RAFTLOG_BODY_MAX);
    mgc__buf_init(&c->round, node->ctx, 2 * (size_t)CLUSTER_ROUND_BYTES);
    st = start_order(c);
    if (st == MGC_OK) st = check_own_key(c);
    if (st != MGC_OK) mgc__cluster_stop(node);
    return st;
}

void mgc__cluster_stop(mgc_node *node)
{
    mgc__cluster *c = node->cluster;

    if (c == NULL) return;
    if (c->log != NULL) (void)mgc__raftlog_finish(c->log); /* the next start does without it, too */
    mgc__raftlog_close(c->log);
    mgc__free(node->ctx, c->memory);
    mgc__kept_close(c);
    mgc__buf_free(&c->wire);
    mgc__buf_free(&c->sealed);
    mgc__buf_free(&c->body);
    mgc__buf_free(&c->round);
    mgc__buf_free(&c->deeds);
    mgc__buf_free(&c->target_deeds);
    mgc__free(node->ctx, c);
    node->cluster = NULL;
}
