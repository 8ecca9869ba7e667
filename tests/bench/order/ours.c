/* SPDX-License-Identifier: Apache-2.0 */
/* order_ours FOLDER SECONDS CLIENTS [signed]     three members as processes over TCP on loopback, each with its own log on
 *                                                disk, synced before anything is acknowledged
 * order_ours FOLDER restart ENTRIES              how long a member takes to open a log of so many entries of 256 bytes
 *
 * A turn of a member's loop: take what came, propose what clients want as one block, let the disk begin with it and send what may
 * leave at once, sync once for all of it, then report and send the rest.  News of a commit alone waits for the end of the turn: the append of the next
 * block says it as well.  Every entry is in the hash chain; with "signed" the leader signs the head
 * of each block, followers their acknowledgements, and a block counts as done when its quorum certificate is whole. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "consensus/cert.h"
#include "consensus/store.h"
#include "crypto/crypto.h"
#include "load.h"
#include "mgchain/consensus.h"

/* Of consensus/raft.h. */
void mgc__entry_hash(const uint8_t previous[32], uint64_t index, uint64_t term, uint32_t type, const uint8_t root[32], uint8_t hash[32]);

enum { N = 3, TICK_NS = 20000000, ELECTION_TICKS = 50, RING = 512, HELD_MAX = 4096, PENDING_MAX = 4096, BLOCK_MAX = 1024,
       ENTRIES_MAX = 64, LOG_MAX = 1 << 18, FRAME_MAX = 1 << 24 };

typedef struct link {
    int fd;
    uint8_t *in, *out;
    size_t in_len, in_cap, out_at, out_len, out_cap;
} link_;

typedef struct held { /* a message that waits for a token */
    uint64_t token;
    uint32_t to;
    uint8_t *bytes;
    size_t len;
} held;

typedef struct pending { /* written, to be synced, then reported */
    uint64_t token, term, upto;
    bool hard;
} pending;

typedef struct block { /* a payload that may have to be sent; the clients whose commands are in it */
    uint64_t index;
    uint8_t *bytes;
    size_t len, cap;
    uint32_t clients[BLOCK_MAX], n_clients;
    mgc__collector certificate;
    bool collecting, committed, certified;
} block;

static struct {
    uint32_t id;
    mgc_ctx *ctx;
    mgc_storage_ops ops;
    void *ops_user;
    mgc__raftlog *log;
    mgc_raft *raft;
    link_ links[N + 1];
    held held[HELD_MAX];
    size_t n_held;
    mgc_raft_msg news[N + 1]; /* of a commit, to be told at the end of the turn; kind 0: none */
    pending pending[PENDING_MAX];
    size_t n_pending;
    block ring[RING];
    uint64_t applied_noted;
    bool is_signed, leads, loading, own_vote_waits;
    mgc_raft_msg own_vote;
    mgc_key *key;
    mgc__trust trust;
    uint8_t public_keys[N + 1][32], chain_id[32];
    mgc_raft_msg last_signed; /* an equal head to the other follower is not signed twice */
    load load;
    uint64_t blocks, certificates;
    const mgc_raft_event *event;
    const uint8_t *payload;
    size_t payload_len;
} me;

static void need(mgc_status st, const char *what)
{
    if (st == MGC_OK) return;
    fprintf(stderr, "order_ours: member %u: %s: %s %s\n", me.id, what, mgc_status_name(st), me.ctx != NULL ? mgc_ctx_error(me.ctx) : "");
    exit(1);
}

static void step(const mgc_raft_event *event);

/* --- bytes -------------------------------------------------------------------------------------------- */

static void grow(uint8_t **bytes, size_t *cap, size_t need_bytes)
{
    if (need_bytes <= *cap) return;
    *cap = need_bytes * 2;
    *bytes = realloc(*bytes, *cap);
    if (*bytes == NULL) exit(1);
}

static void flush(link_ *l)
{
    while (l->out_at < l->out_len) {
        ssize_t n = write(l->fd, l->out + l->out_at, l->out_len - l->out_at);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) _exit(0); /* the others are done */
        l->out_at += (size_t)n;
    }
    l->out_at = l->out_len = 0;
}

static void put_frame(uint32_t to, const uint8_t *bytes, size_t len)
{
    link_ *l = &me.links[to];
    uint32_t n = (uint32_t)len;

    grow(&l->out, &l->out_cap, l->out_len + len + 4);
    memcpy(l->out + l->out_len, &n, 4);
    memcpy(l->out + l->out_len + 4, bytes, len);
    l->out_len += len + 4;
    flush(l);
}

/* --- signatures --------------------------------------------------------------------------------------- */

static const uint8_t *key_of(void *user, uint32_t id)
{
    (void)user;
    return id >= 1 && id <= N ? me.public_keys[id] : NULL;
}

static void sign(mgc_raft_msg *m)
{
    uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX], before[MGC_RAFT_SIGNED_BYTES_MAX];
    size_t len, before_len = 0;
    const char *tag, *tag_before;

    need(mgc_raft_signed_body(m, body, &len, &tag), "body");
    if (len == 0) return;
    if (me.last_signed.kind == m->kind) need(mgc_raft_signed_body(&me.last_signed, before, &before_len, &tag_before), "body");
    if (before_len == len && memcmp(body, before, len) == 0) memcpy(m->signature, me.last_signed.signature, 64);
    else need(mgc__sign_tagged(me.ctx, me.key, tag, me.chain_id, 0, body, len, m->signature), "signing");
    m->flags |= MGC_RAFT_SIGNED;
    me.last_signed = *m;
    me.last_signed.entries = NULL;
}

/* What a peer said before, word for word, is not verified again: it answers each message, also those with nothing new. */
static bool verified(mgc_raft_msg *m)
{
    static struct {
        uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX], signature[64];
        size_t len;
    } last[N + 1];
    uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX];
    size_t len = 0;
    const char *tag;

    if (!me.is_signed || mgc_raft_signed_body(m, body, &len, &tag) != MGC_OK || len == 0) return true;
    if ((m->flags & MGC_RAFT_SIGNED) == 0 || m->from < 1 || m->from > N) return false;
    if (last[m->from].len == len && memcmp(last[m->from].body, body, len) == 0 && memcmp(last[m->from].signature, m->signature, 64) == 0) return true;
    if (mgc__msg_verify(&me.trust, m) != MGC_OK) return false;
    memcpy(last[m->from].body, body, len);
    memcpy(last[m->from].signature, m->signature, 64);
    last[m->from].len = len;
    return true;
}

/* --- blocks ------------------------------------------------------------------------------------------- */

static block *keep_block(uint64_t index, const uint8_t *bytes, size_t len)
{
    block *b = &me.ring[index % RING];

    grow(&b->bytes, &b->cap, len + 1);
    if (len > 0) memcpy(b->bytes, bytes, len);
    b->index = index;
    b->len = len;
    b->n_clients = 0;
    b->collecting = b->committed = b->certified = false;
    return b;
}

static void finish(block *b)
{
    if (!b->committed || (me.is_signed && !b->certified)) return;
    for (uint32_t i = 0; i < b->n_clients; i++) load_done(&me.load, b->clients[i]);
    b->n_clients = 0;
}

/* The leader's own signature is one of the certificate's, made when its copy is durable. */
static void collect(const mgc_raft_msg *ack)
{
    block *b = &me.ring[ack->index % RING];
    mgc_raft_entry e;

    if (b->index != ack->index || b->certified || mgc_raft_entry_get(me.raft, ack->index, &e) != MGC_OK) return;
    if (!b->collecting) {
        mgc__collect_begin(&b->certificate, mgc_raft_config_now(me.raft), ack->term, ack->index, e.term, e.hash);
        b->collecting = true;
    }
    if (!mgc__collect(&b->certificate, ack)) return;
    b->certified = true;
    me.certificates++;
    finish(b);
}

static void own_ack(uint64_t index, uint64_t term)
{
    mgc_raft_msg ack = {.kind = MGC_RAFT_APPEND_RESP, .from = me.id, .to = me.id, .term = term, .index = index};
    mgc_raft_entry e;

    if (!me.is_signed || !me.leads || mgc_raft_entry_get(me.raft, index, &e) != MGC_OK) return;
    ack.cfg = mgc_raft_config_now(me.raft)->index;
    memcpy(ack.hash, e.hash, 32);
    sign(&ack);
    collect(&ack);
}

/* --- carrying out --------------------------------------------------------------------------------------- */

static void send_msg(const mgc_raft_msg *msg)
{
    static uint8_t *bytes;
    static size_t cap;
    static mgc_raft_entry entries[ENTRIES_MAX];
    mgc__raftlog_entry stored;
    mgc__buf bodies[ENTRIES_MAX];
    mgc_raft_msg m = *msg;
    uint32_t n_bodies = 0;
    size_t len = 0;

    for (uint32_t i = 0; i < m.n_entries; i++) {
        const block *b = &me.ring[(m.index + 1 + i) % RING];
        need(mgc_raft_entry_get(me.raft, m.index + 1 + i, &entries[i]), "entry");
        if (b->index == m.index + 1 + i) {
            entries[i].bytes = b->bytes;
            entries[i].len = (uint32_t)b->len;
            continue;
        }
        mgc__buf_init(&bodies[n_bodies], me.ctx, MGC__RAFTLOG_BODY_MAX);
        need(mgc__raftlog_read(me.log, m.index + 1 + i, &bodies[n_bodies], &stored), "reading");
        entries[i].bytes = stored.body;
        entries[i].len = stored.len;
        n_bodies++;
    }
    if (me.is_signed) sign(&m);
    if (mgc_raft_encode(&m, entries, NULL, 0, &len) != MGC_OK && len == 0) need(MGC_E_INTERNAL, "encoding");
    grow(&bytes, &cap, len);
    need(mgc_raft_encode(&m, entries, bytes, len, &len), "encoding");
    while (n_bodies > 0) mgc__buf_free(&bodies[--n_bodies]);
    if (m.kind == MGC_RAFT_APPEND_REQ) me.news[m.to].kind = 0;
    if (m.after == 0) put_frame(m.to, bytes, len);
    else {
        held *h = &me.held[me.n_held++];
        if (me.n_held == HELD_MAX) need(MGC_E_LIMIT, "held messages");
        *h = (held){.token = m.after, .to = m.to, .bytes = malloc(len), .len = len};
        memcpy(h->bytes, bytes, len);
    }
}

static void gather_entry(uint64_t index)
{
    const mgc_raft_msg *m = me.event->kind == MGC_RAFT_RECV ? me.event->msg : NULL;
    const mgc__raftlog_meta *before = mgc__raftlog_meta_of(me.log, index - 1);
    mgc__raftlog_entry stored = {.index = index};
    mgc_raft_entry e;
    uint64_t term;
    const block *b;

    need(mgc_raft_entry_get(me.raft, index, &e), "entry");
    if (me.event->kind == MGC_RAFT_PROPOSE) b = keep_block(index, me.payload, me.payload_len);
    else if (m != NULL && e.bytes == NULL && index > m->index && index <= m->index + m->n_entries)
        b = keep_block(index, m->entries[index - m->index - 1].bytes, m->entries[index - m->index - 1].len);
    else b = keep_block(index, e.bytes, e.bytes == NULL ? 0 : e.len);
    stored.term = e.term;
    stored.type = e.type;
    stored.body = b->bytes;
    stored.len = (uint32_t)b->len;
    if (before != NULL) memcpy(stored.prev, before->hash, 32);
    else mgc__raftlog_base(me.log, &term, stored.prev);
    memcpy(stored.hash, e.hash, 32);
    need(mgc__raftlog_append(me.log, &stored), "append");
}

static void gather(const mgc_raft_output *out)
{
    mgc__raftlog_info info;

    mgc__raftlog_get_info(me.log, &info);
    if (out->hard.token != 0) {
        mgc__raftlog_hard hard = {.term = out->hard.term, .vote = out->hard.vote, .incarnation = out->hard.incarnation,
                                  .leader = out->hard.leader};
        need(mgc__raftlog_set_hard(me.log, &hard), "term and vote");
        me.pending[me.n_pending++] = (pending){.token = out->hard.token, .hard = true};
    }
    if (out->append.token == 0) return;
    if (out->append.truncate_from != 0 && out->append.truncate_from <= info.last)
        need(mgc__raftlog_truncate(me.log, out->append.truncate_from, out->append.term), "truncate");
    for (uint64_t i = out->append.first; i <= out->append.last; i++) gather_entry(i);
    me.pending[me.n_pending++] = (pending){.token = out->append.token, .term = out->append.term, .upto = out->append.last};
    if (me.n_pending > PENDING_MAX - 2) need(MGC_E_LIMIT, "tokens");
}

static void step(const mgc_raft_event *event)
{
    mgc_raft_output out;

    need(mgc_raft_step(me.raft, event, &out), "step");
    me.event = event;
    me.leads = out.after.role == MGC_RAFT_LEADER;
    gather(&out);
    if (me.leads) need(mgc__raftlog_begin_sync(me.log), "disk");
    for (size_t i = 0; i < out.n_msgs; i++) {
        const mgc_raft_msg *m = &out.msgs[i];
        if (m->kind == MGC_RAFT_APPEND_REQ && m->n_entries == 0 && m->hint == 1) me.news[m->to] = *m;
        else if (m->to != me.id) send_msg(m);
        else me.own_vote = out.msgs[i], me.own_vote_waits = true;
    }
    if (out.apply_first <= out.apply_last) me.applied_noted = out.apply_last;
}

/* What no append took along.  Who has stepped down since has nothing to tell. */
static void tell_news(void)
{
    for (uint32_t i = 1; i <= N; i++) {
        if (me.news[i].kind != 0 && me.leads) send_msg(&me.news[i]);
        me.news[i].kind = 0;
    }
}

/* One sync for all that was gathered, then its tokens in order; these may gather more. */
static void settle(void)
{
    while (me.n_pending > 0) {
        size_t n = me.n_pending;
        pending list[PENDING_MAX];

        need(mgc__raftlog_sync(me.log), "sync");
        memcpy(list, me.pending, n * sizeof *list);
        me.n_pending = 0;
        for (size_t i = 0, h = 0; i < n; i++) {
            mgc_raft_event event = {.kind = list[i].hard ? MGC_RAFT_HARD_STORED : MGC_RAFT_STORED, .token = list[i].token,
                                    .term = list[i].term, .upto = list[i].upto};
            for (; h < me.n_held && me.held[h].token <= list[i].token; h++) {
                put_frame(me.held[h].to, me.held[h].bytes, me.held[h].len);
                free(me.held[h].bytes);
            }
            memmove(me.held, me.held + h, (me.n_held - h) * sizeof *me.held);
            me.n_held -= h;
            h = 0;
            if (!list[i].hard) own_ack(list[i].upto, list[i].term);
            step(&event);
        }
        if (me.own_vote_waits) {
            mgc_raft_event self = {.kind = MGC_RAFT_RECV, .msg = &me.own_vote};
            me.own_vote_waits = false;
            if (me.is_signed) sign(&me.own_vote);
            step(&self);
        }
    }
}

static void apply(void)
{
    mgc_raft_info info = {.struct_size = sizeof info};
    mgc_raft_event applied = {.kind = MGC_RAFT_APPLIED, .upto = me.applied_noted};

    if (me.applied_noted == 0 || mgc_raft_get_info(me.raft, &info) != MGC_OK || info.applied >= me.applied_noted) return;
    for (uint64_t i = info.applied + 1; i <= me.applied_noted; i++) {
        block *b = &me.ring[i % RING];
        if (b->index != i) continue;
        b->committed = true;
        me.blocks += b->n_clients > 0;
        finish(b);
    }
    step(&applied);
}

/* --- the loop --------------------------------------------------------------------------------------------- */

static void received(uint32_t from, const uint8_t *bytes, size_t len)
{
    static mgc_raft_entry entries[MGC_RAFT_BATCH_MAX];
    mgc_raft_config config;
    mgc_raft_msg m;
    mgc_raft_event event = {.kind = MGC_RAFT_RECV, .msg = &m};

    if (mgc_raft_decode(bytes, len, &m, entries, MGC_RAFT_BATCH_MAX, &config) != MGC_OK || m.from != from || !verified(&m)) return;
    step(&event);
    if (me.is_signed && me.leads && m.kind == MGC_RAFT_APPEND_RESP && (m.flags & MGC_RAFT_REJECT) == 0) collect(&m);
}

static void read_link(uint32_t from)
{
    link_ *l = &me.links[from];
    size_t at = 0;
    uint32_t len;
    ssize_t n;

    grow(&l->in, &l->in_cap, l->in_len + (1 << 18));
    n = read(l->fd, l->in + l->in_len, l->in_cap - l->in_len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) _exit(0);
    l->in_len += (size_t)n;
    while (l->in_len - at >= 4) {
        memcpy(&len, l->in + at, 4);
        if (len > FRAME_MAX || l->in_len - at - 4 < len) break;
        received(from, l->in + at + 4, len);
        at += 4 + len;
    }
    memmove(l->in, l->in + at, l->in_len - at);
    l->in_len -= at;
}

static void propose(void)
{
    static uint8_t bytes[BLOCK_MAX * COMMAND_BYTES];
    uint32_t clients[BLOCK_MAX], n = 0;
    mgc_raft_entry entry = {.type = MGC_RAFT_DATA};
    mgc_raft_event event = {.kind = MGC_RAFT_PROPOSE, .entries = &entry, .n_entries = 1};
    mgc_raft_info info = {.struct_size = sizeof info};

    while (n < BLOCK_MAX && load_issue(&me.load, &clients[n], bytes + n * COMMAND_BYTES)) n++;
    if (n == 0) return;
    entry.len = n * COMMAND_BYTES;
    need(mgc_raft_payload_root(bytes, entry.len, entry.root), "root");
    me.payload = bytes;
    me.payload_len = entry.len;
    step(&event);
    need(mgc_raft_get_info(me.raft, &info), "info");
    block *b = &me.ring[info.last % RING];
    if (b->index != info.last) need(MGC_E_STATE, "proposal refused");
    memcpy(b->clients, clients, n * sizeof *clients);
    b->n_clients = n;
}

/* The leader of an own committed entry begins the load; after it the whole cluster ends. */
static void work(uint32_t seconds, uint32_t clients)
{
    mgc_raft_info info = {.struct_size = sizeof info};

    need(mgc_raft_get_info(me.raft, &info), "info");
    if (!me.loading && me.leads && info.applied > 0 && info.commit == info.last && info.last_term == info.term) {
        me.loading = true;
        load_begin(&me.load, clients, seconds);
    }
    if (me.loading && !me.leads) need(MGC_E_STATE, "leadership was lost");
    if (me.loading && load_over(&me.load)) {
        load_print(&me.load, me.is_signed ? "ours, signed" : "ours");
        if (me.is_signed) fprintf(stderr, "# %llu blocks, %llu certificates\n", (unsigned long long)me.blocks, (unsigned long long)me.certificates);
        exit(0);
    }
    if (me.loading) propose();
}

static void run(uint32_t seconds, uint32_t clients)
{
    const mgc_raft_event tick = {.kind = MGC_RAFT_TICK};
    uint64_t tick_at = load_now_ns() + TICK_NS;

    for (;;) {
        struct pollfd fds[N + 1];
        uint64_t now = load_now_ns();
        int n = 0, wait = now >= tick_at ? 0 : (int)((tick_at - now) / 1000000 + 1);
        uint32_t who[N + 1];

        for (uint32_t i = 1; i <= N; i++)
            if (i != me.id) {
                who[n] = i;
                fds[n++] = (struct pollfd){.fd = me.links[i].fd, .events = (short)(POLLIN | (me.links[i].out_at < me.links[i].out_len ? POLLOUT : 0))};
            }
        if (poll(fds, (nfds_t)n, me.loading && me.load.n_idle > 0 ? 0 : wait) < 0 && errno != EINTR) exit(1);
        for (int i = 0; i < n; i++) {
            if ((fds[i].revents & POLLOUT) != 0) flush(&me.links[who[i]]);
            if ((fds[i].revents & ~POLLOUT) != 0) read_link(who[i]);
        }
        for (now = load_now_ns(); now >= tick_at; tick_at += TICK_NS) step(&tick);
        apply();
        work(seconds, clients);
        tell_news();
        settle();
        apply();
        if (me.load.n_idle == 0) tell_news();
    }
}

/* --- start -------------------------------------------------------------------------------------------- */

static void hash_entry(const uint8_t prev[32], uint64_t index, uint64_t term, uint32_t type, const uint8_t *body, size_t len, uint8_t hash[32])
{
    uint8_t root[32] = {0};

    need(mgc_raft_payload_root(body, len, root), "root");
    mgc__entry_hash(prev, index, term, type, root, hash);
}

static void open_log(const char *folder, const mgc_raft_snap_meta *genesis)
{
    mgc__raftlog_opts o = {.prefix = "order-", .segment_bytes = 1 << 26, .salt = 7, .member = me.id, .lock = true, .bootstrap = true,
                           .genesis_index = genesis->index, .genesis_term = genesis->term, .hash = hash_entry};

    need(mgc_storage_files(me.ctx, folder, 1, &me.ops, &me.ops_user), "storage");
    o.ops = me.ops;
    o.user = me.ops_user;
    memcpy(o.genesis_hash, genesis->hash, 32);
    need(mgc__raftlog_open(me.ctx, &o, &me.log), "log");
}

static void genesis_of(mgc_raft_snap_meta *genesis)
{
    const mgc_raft_member who[N] = {{1, MGC_RAFT_VOTER, 1, 0}, {2, MGC_RAFT_VOTER, 1, 0}, {3, MGC_RAFT_VOTER, 1, 0}};

    need(mgc_raft_genesis(me.ctx, who, N, genesis), "genesis");
}

static void start_core(mgc_raft_boot *boot, uint32_t log_max)
{
    mgc_raft_opts o;
    size_t size;

    mgc_raft_opts_init(&o, sizeof o);
    o.id = me.id;
    o.seed = load_now_ns();
    o.election_ticks = ELECTION_TICKS;
    o.log_max = log_max;
    o.sign = me.is_signed;
    need(mgc_raft_size(me.ctx, &o, &size), "size");
    need(mgc_raft_init(me.ctx, &o, boot, malloc(size), size, &me.raft), "core");
}

static void member(const char *folder, uint32_t seconds, uint32_t clients)
{
    mgc_raft_boot boot = {.hard = {.term = 1, .incarnation = 1}};
    char own[1024];

    need(mgc_ctx_create(NULL, &me.ctx), "context");
    for (uint32_t i = 1; i <= N; i++) {
        uint8_t seed[32] = {9, (uint8_t)i};
        mgc_key *key;
        need(mgc_key_from_seed(me.ctx, seed, &key), "key");
        need(mgc_key_public(key, me.public_keys[i]), "key");
        if (i == me.id) me.key = key;
        else mgc_key_destroy(key);
    }
    me.trust = (mgc__trust){.ctx = me.ctx, .chain_id = me.chain_id, .key_of = key_of};
    snprintf(own, sizeof own, "%s/ours-%u", folder, me.id);
    genesis_of(&boot.base);
    open_log(own, &boot.base);
    need(mgc__raftlog_prepare(me.log), "segment");
    start_core(&boot, LOG_MAX);
    run(seconds, clients);
}

static int cluster(const char *folder, uint32_t seconds, uint32_t clients)
{
    int fds[N + 1][N + 1], status = 1;
    pid_t pids[N + 1], first;

    for (int i = 1; i <= N; i++)
        for (int k = i + 1; k <= N; k++) {
            int pair[2];
            if (!load_tcp_pair(pair)) return 1;
            fds[i][k] = pair[0];
            fds[k][i] = pair[1];
        }
    for (int i = 1; i <= N; i++) {
        pids[i] = fork();
        if (pids[i] != 0) continue;
        me.id = (uint32_t)i;
        for (int a = 1; a <= N; a++)
            for (int b = 1; b <= N; b++) {
                if (a == i && a != b) me.links[b].fd = fds[a][b];
                else if (a != b) (void)close(fds[a][b]);
            }
        member(folder, seconds, clients);
        _exit(0);
    }
    first = wait(&status);
    for (int i = 1; i <= N; i++)
        if (pids[i] != first) {
            kill(pids[i], SIGKILL);
            (void)waitpid(pids[i], NULL, 0);
        }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* --- restart -------------------------------------------------------------------------------------------- */

static void fill(const mgc_raft_snap_meta *genesis, uint64_t entries)
{
    uint8_t body[COMMAND_BYTES], prev[32];
    mgc__raftlog_hard hard = {.term = 1, .vote = 1, .incarnation = 1};

    memcpy(prev, genesis->hash, 32);
    need(mgc__raftlog_set_hard(me.log, &hard), "term");
    for (uint64_t i = genesis->index + 1; i <= genesis->index + entries; i++) {
        mgc__raftlog_entry e = {.index = i, .term = 1, .type = MGC_RAFT_DATA, .len = sizeof body, .body = body};
        memset(body, (int)(i & 255), sizeof body);
        memcpy(e.prev, prev, 32);
        hash_entry(prev, i, 1, MGC_RAFT_DATA, body, sizeof body, e.hash);
        memcpy(prev, e.hash, 32);
        need(mgc__raftlog_append(me.log, &e), "append");
        if (i % 1000 == 0) need(mgc__raftlog_sync(me.log), "sync");
    }
    need(mgc__raftlog_sync(me.log), "sync");
}

/* What a member does at its start: open the log, check every record, give its entries to the core. */
static int restart(const char *folder, uint64_t entries)
{
    mgc_raft_boot boot = {.hard = {.term = 1, .vote = 1, .incarnation = 1}};
    mgc__raftlog_info info;
    uint64_t began, opened;
    uint32_t log_max = 16;
    mgc_raft_entry *list = calloc(entries, sizeof *list);

    me.id = 1;
    need(mgc_ctx_create(NULL, &me.ctx), "context");
    genesis_of(&boot.base);
    open_log(folder, &boot.base);
    fill(&boot.base, entries);
    mgc__raftlog_close(me.log);
    mgc_storage_files_destroy(me.ops_user);
    began = load_now_ns();
    open_log(folder, &boot.base);
    opened = load_now_ns();
    mgc__raftlog_get_info(me.log, &info);
    for (uint64_t i = info.first; i <= info.last && list != NULL; i++) {
        const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(me.log, i);
        mgc_raft_entry *e = &list[i - info.first];
        *e = (mgc_raft_entry){.index = i, .term = meta->term, .len = meta->len, .type = meta->type};
        memcpy(e->hash, meta->hash, 32);
    }
    boot.entries = list;
    boot.n_entries = (size_t)(info.last + 1 - info.first);
    while (log_max < entries + 64) log_max *= 2;
    start_core(&boot, log_max);
    printf("{\"what\":\"ours, restart\",\"entries\":%llu,\"seconds\":%.3f,\"log_seconds\":%.3f}\n", (unsigned long long)boot.n_entries,
           (double)(load_now_ns() - began) / 1e9, (double)(opened - began) / 1e9);
    free(list);
    return boot.n_entries == entries ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[2], "restart") == 0) return restart(argv[1], strtoull(argv[3], NULL, 10));
    if (argc < 4 || atoi(argv[2]) < 1 || atoi(argv[3]) < 1 || atoi(argv[3]) > BLOCK_MAX) {
        fputs("usage: order_ours FOLDER SECONDS CLIENTS(1..1024) [signed]\n       order_ours FOLDER restart ENTRIES\n", stderr);
        return 2;
    }
    me.is_signed = argc > 4 && strcmp(argv[4], "signed") == 0;
    return cluster(argv[1], (uint32_t)atoi(argv[2]), (uint32_t)atoi(argv[3]));
}
