/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster.h"

#include <stdio.h>

/* --- payloads: one table for the process, never emptied --- */

static blob *blobs;
static size_t n_blobs, cap_blobs;

static void *must(void *block)
{
    if (block == NULL) {
        fputs("no memory for the test\n", stderr);
        exit(2);
    }
    return block;
}

uint64_t blob_of(const void *bytes, size_t len)
{
    for (size_t i = 0; i < n_blobs; i++)
        if (blobs[i].len == len && (len == 0 || memcmp(blobs[i].bytes, bytes, len) == 0)) return i;
    if (n_blobs == cap_blobs) blobs = must(realloc(blobs, (cap_blobs = 2 * cap_blobs + 64) * sizeof *blobs));
    blobs[n_blobs] = (blob){must(malloc(len + 1)), (uint32_t)len};
    if (len > 0) memcpy(blobs[n_blobs].bytes, bytes, len);
    blobs[n_blobs].bytes[len] = 0;
    return n_blobs++;
}

const blob *blob_at(uint64_t handle)
{
    return &blobs[handle];
}

static void root_of(uint64_t handle, uint8_t root[32])
{
    mgc_status status = mgc_raft_payload_root(blobs[handle].bytes, blobs[handle].len, root);

    assert(status == MGC_OK);
    (void)status;
}

/* --- letters --- */

void free_letter(letter *l)
{
    if (l != NULL) free(l->entries);
    free(l);
}

static void free_letters(letter *l)
{
    while (l != NULL) {
        letter *next = l->next;

        free_letter(l);
        l = next;
    }
}

letter *copy_letter(const letter *l)
{
    letter *copy = must(malloc(sizeof *copy));
    size_t size = l->msg.n_entries * sizeof *l->entries;

    *copy = *l;
    copy->next = NULL;
    copy->entries = must(malloc(size + 1));
    if (size > 0) memcpy(copy->entries, l->entries, size);
    return copy;
}

letter *take_letter(channel *ch, uint32_t kind)
{
    for (letter **at = &ch->first; *at != NULL; at = &(*at)->next) {
        letter *l = *at;

        if (kind != 0 && l->msg.kind != kind) continue;
        *at = l->next;
        if (ch->last == &l->next) ch->last = at;
        l->next = NULL;
        return l;
    }
    return NULL;
}

static void push_letter(letter **first, letter ***last, letter *l)
{
    if (*first == NULL) *last = first;
    l->next = NULL;
    **last = l;
    *last = &l->next;
}

static bool refused_for_leader(const cluster *c, const mgc_raft_msg *m)
{
    const mgc_raft *r = c->nodes[m->from].raft;

    return m->kind == MGC_RAFT_PREVOTE_RESP && m->flags & MGC_RAFT_REJECT && m->context > r->term && mgc__in_lease(r);
}

/* The message leaves the member. */
static void post(cluster *c, letter *l)
{
    uint32_t from = l->msg.from, to = l->msg.to;
    channel *ch;

    if (to == from) {
        push_letter(&c->nodes[from].own, &c->nodes[from].own_end, l);
        return;
    }
    if (to > c->n) {
        free_letter(l);
        return;
    }
    ch = &c->channels[from][to];
    ch->last_of[l->msg.kind] = l->msg;
    if (ch->cut || (c->lease_is_silent && refused_for_leader(c, &l->msg)))
        free_letter(l);
    else
        push_letter(&ch->first, &ch->last, l);
}

/* --- life --- */

cluster *cluster_new(uint32_t n, uint32_t voters, uint32_t learners)
{
    cluster *c = must(calloc(1, sizeof *c));
    mgc_raft_member members[NODES_MAX] = {{0}};
    uint32_t n_members = 0;
    mgc_status status;

    c->n = n;
    if (voters == 0) voters = (1u << (n + 1)) - 2;
    for (uint32_t id = 1; id <= n; id++)
        if ((voters | learners) >> id & 1)
            members[n_members++] = (mgc_raft_member){
                .id = id, .roles = voters >> id & 1 ? MGC_RAFT_VOTER : MGC_RAFT_LEARNER, .incarnation = 1};
    status = mgc_raft_genesis(NULL, members, n_members, &c->genesis);
    assert(status == MGC_OK);
    (void)status;
    mgc_raft_opts_init(&c->opts, sizeof c->opts);
    c->opts.members_max = NODES_MAX;
    c->opts.log_max = 4096;
    c->opts.seed = 1;
    for (uint32_t id = 1; id <= n; id++) {
        node *x = &c->nodes[id];

        x->id = id;
        x->disk.base = c->genesis;
        x->disk.last = c->genesis.index;
        x->disk.hard.term = c->genesis.term;
        x->disk.hard.incarnation = 1;
    }
    (void)blob_of("", 0);
    return c;
}

static void drop_ops(node *x)
{
    while (x->disk.first != NULL) {
        op *next = x->disk.first->next;

        free(x->disk.first->records);
        free(x->disk.first);
        x->disk.first = next;
    }
}

void cluster_free(cluster *c)
{
    for (uint32_t i = 1; i <= c->n; i++) {
        node_crash(c, i);
        for (uint32_t j = 1; j <= c->n; j++) {
            free_letters(c->channels[i][j].first);
            free_letters(c->channels[i][j].stash);
        }
    }
    free(c);
}

void cluster_fault(cluster *c, const char *format, ...)
{
    va_list args;

    if (c->fault[0] != '\0') return;
    va_start(args, format);
    vsnprintf(c->fault, sizeof c->fault, format, args);
    va_end(args);
}

void disk_append(cluster *c, uint32_t id, uint64_t term, const char *data)
{
    disk *d = &c->nodes[id].disk;
    const uint8_t *previous = d->last == d->base.index ? d->base.hash : d->log[d->last].hash;
    record *r = &d->log[d->last + 1];
    uint8_t root[32];

    *r = (record){.index = d->last + 1, .term = term, .handle = blob_of(data, strlen(data)), .type = MGC_RAFT_DATA};
    r->len = blobs[r->handle].len;
    root_of(r->handle, root);
    mgc__entry_hash(previous, r->index, term, r->type, root, r->hash);
    d->last++;
}

static void fill_entry(const record *r, mgc_raft_entry *e)
{
    *e = (mgc_raft_entry){.index = r->index, .term = r->term, .handle = r->handle, .len = r->len, .type = r->type,
                          .bytes = blobs[r->handle].bytes};
    memcpy(e->hash, r->hash, 32);
}

void node_start(cluster *c, uint32_t id)
{
    node *x = &c->nodes[id];
    disk *d = &x->disk;
    const mgc_raft_event nothing = {.kind = MGC_RAFT_APPLIED};
    mgc_raft_opts opts = c->opts;
    mgc_raft_boot boot = {.hard = d->hard, .base = d->base, .amnesia = d->amnesia};
    mgc_raft_entry *entries = must(calloc(DISK_MAX, sizeof *entries));
    size_t size;
    mgc_status status;

    for (uint64_t i = d->base.index + 1; i <= d->last; i++) {
        fill_entry(&d->log[i], &entries[boot.n_entries++]);
        if (!d->log[i].bad) continue;
        if (boot.fault_first == 0) boot.fault_first = i;
        boot.fault_last = i;
    }
    boot.entries = entries;
    opts.id = id;
    opts.incarnation = d->hard.incarnation;
    status = mgc_raft_size(NULL, &opts, &size);
    x->memory = must(malloc(size + 1));
    if (status == MGC_OK) status = mgc_raft_init(NULL, &opts, &boot, x->memory, size, &x->raft);
    if (status != MGC_OK) cluster_fault(c, "member %u does not start: %s", id, mgc_status_name(status));
    free(entries);
    if (status != MGC_OK) return;
    mgc__raft_test_mode(x->raft, c->test_flags);
    x->up = true;
    x->done = 0;
    x->checked = d->base.index;
    x->waiting_end = &x->waiting;
    x->own_end = &x->own;
    d->end = &d->first;
    d->broken = false;
    node_event(c, id, &nothing); /* what is known to be committed is applied again */
}

void node_crash(cluster *c, uint32_t id)
{
    node *x = &c->nodes[id];

    free_letters(x->waiting);
    free_letters(x->own);
    x->waiting = x->own = NULL;
    drop_ops(x);
    free(x->memory);
    x->memory = NULL;
    x->raft = NULL;
    x->up = false;
    x->commit_seen = 0;
    x->n_reads = 0;
    x->n_credit = 0;
}

void node_wipe(cluster *c, uint32_t id)
{
    disk *d = &c->nodes[id].disk;
    uint32_t incarnation = d->hard.incarnation + 1;

    memset(d->log, 0, sizeof d->log);
    d->base = c->genesis;
    d->last = c->genesis.index;
    d->hard = (mgc_raft_hard){.term = c->genesis.term, .incarnation = incarnation};
    d->amnesia = true;
}

mgc_raft_info node_info(const cluster *c, uint32_t id)
{
    mgc_raft_info info = {.struct_size = sizeof info};
    mgc_status status = mgc_raft_get_info(c->nodes[id].raft, &info);

    assert(status == MGC_OK);
    (void)status;
    return info;
}

/* --- effects --- */

static letter *letter_from(cluster *c, node *x, const mgc_raft_msg *m)
{
    letter l = {.msg = *m}, *out;
    mgc_raft_entry *entries = must(calloc(m->n_entries + 1u, sizeof *entries));

    if (m->config != NULL) l.config = *m->config;
    if (m->kind == MGC_RAFT_SNAPSHOT_REQ) l.msg.flags |= MGC_RAFT_LAST;
    for (uint32_t i = 0; i < m->n_entries; i++) {
        uint64_t index = m->index + 1 + i;
        mgc_status status = mgc_raft_entry_get(x->raft, index, &entries[i]);

        if (status != MGC_OK) cluster_fault(c, "member %u sends entry %llu that it has not", x->id, (unsigned long long)index);
        if (entries[i].bytes != NULL) entries[i].handle = blob_of(entries[i].bytes, entries[i].len);
        if (entries[i].type == MGC_RAFT_NOOP && entries[i].len == 0) entries[i].handle = blob_of("", 0);
        if (entries[i].type == MGC_RAFT_CONFIG && entries[i].bytes == NULL) {
            for (op *o = x->disk.first; o != NULL; o = o->next)
                for (uint64_t k = o->append.first; o->append.token != 0 && k <= o->append.last; k++)
                    if (k == index) entries[i].handle = o->records[k - o->append.first].handle;
            if (entries[i].handle == 0 && index <= x->disk.last) entries[i].handle = x->disk.log[index].handle;
        }
    }
    l.entries = entries;
    out = copy_letter(&l);
    free(entries);
    return out;
}

/* Does the message carry a payload that this disk has lost? */
static uint64_t damaged(const node *x, const mgc_raft_msg *m)
{
    for (uint32_t i = 0; i < m->n_entries; i++)
        if (m->index + 1 + i <= x->disk.last && x->disk.log[m->index + 1 + i].bad) return m->index + 1 + i;
    return 0;
}

static void take_hard(node *x, const mgc_raft_output *out)
{
    op *o;

    if (out->hard.token == 0) return;
    o = must(calloc(1, sizeof *o));
    o->hard = out->hard;
    if (x->disk.first == NULL) x->disk.end = &x->disk.first;
    *x->disk.end = o;
    x->disk.end = &o->next;
}

static void take_append(node *x, const mgc_raft_append *a)
{
    op *o;

    if (a->token == 0) return;
    o = must(calloc(1, sizeof *o));
    o->append = *a;
    o->records = must(calloc(a->last - a->first + 1, sizeof *o->records));
    for (uint64_t i = a->first; i <= a->last; i++) {
        mgc_raft_entry e;
        record *r = &o->records[i - a->first];
        mgc_status status = mgc_raft_entry_get(x->raft, i, &e);

        assert(status == MGC_OK);
        (void)status;
        if (e.bytes != NULL) e.handle = blob_of(e.bytes, e.len);
        *r = (record){.index = i, .term = e.term, .handle = e.handle, .len = e.len, .type = e.type};
        memcpy(r->hash, e.hash, 32);
    }
    if (x->disk.first == NULL) x->disk.end = &x->disk.first;
    *x->disk.end = o;
    x->disk.end = &o->next;
}

static void take_messages(cluster *c, node *x, const mgc_raft_output *out)
{
    for (size_t i = 0; i < out->n_msgs; i++) {
        letter *l = letter_from(c, x, &out->msgs[i]);
        uint64_t bad = damaged(x, &l->msg);

        if (bad != 0) { /* the host reads it and finds the checksum wrong */
            mgc_raft_event fault = {.kind = MGC_RAFT_STORAGE_FAULT, .first = bad, .upto = bad};

            free_letter(l);
            node_event(c, x->id, &fault);
            return;
        }
        if (l->msg.after > x->done)
            push_letter(&x->waiting, &x->waiting_end, l);
        else
            post(c, l);
    }
}

static void take_reads(node *x, const mgc_raft_output *out)
{
    for (size_t i = 0; i < out->n_reads && x->n_reads < MGC__COUNT(x->reads); i++)
        x->reads[x->n_reads++] =
            (seen_read){.tag = out->reads[i].tag, .index = out->reads[i].index, .served = out->reads[i].served};
}

/* Term and vote that are being written stay so; entries that the snapshot replaces are not written any more. */
static void install(node *x, const mgc_raft_snap_meta *meta)
{
    disk *d = &x->disk;
    bool keep = meta->index <= d->last && meta->index > d->base.index && d->log[meta->index].term == meta->term;
    op **at = &d->first;

    d->base = *meta;
    if (keep) return;
    d->last = meta->index;
    while (*at != NULL) {
        op *o = *at;

        if (o->append.token == 0) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        free(o->records);
        free(o);
    }
    d->end = at;
}

static void take_snaps(cluster *c, node *x, const mgc_raft_output *out)
{
    for (size_t i = 0; i < out->n_snaps; i++) {
        mgc_raft_snap s = out->snaps[i];
        mgc_raft_event event = {.kind = MGC_RAFT_SNAP_CHUNK, .member = s.from, .upto = s.meta.index,
                                .offset = s.offset + s.len};

        if (s.op == MGC_RAFT_SNAP_INSTALL) {
            install(x, &s.meta);
            event = (mgc_raft_event){.kind = MGC_RAFT_SNAP_SAVED, .snap = &s.meta};
        }
        node_event(c, x->id, &event);
    }
}

static void release_waiting(cluster *c, node *x)
{
    letter **at = &x->waiting;

    while (*at != NULL) {
        letter *l = *at;

        if (l->msg.after > x->done) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        post(c, l);
    }
    x->waiting_end = at;
}

/* The oldest write becomes durable. */
static void complete_one(cluster *c, node *x)
{
    op *o = x->disk.first;
    disk *d = &x->disk;
    mgc_raft_event event = {.kind = MGC_RAFT_HARD_STORED, .token = o->hard.token};

    d->first = o->next;
    if (d->first == NULL) d->end = &d->first;
    if (o->hard.token != 0) d->hard = o->hard;
    if (o->append.token != 0) {
        event = (mgc_raft_event){.kind = MGC_RAFT_STORED, .token = o->append.token, .term = o->append.term,
                                 .upto = o->append.last};
        for (uint64_t i = o->append.first; i <= o->append.last; i++)
            if (i < DISK_MAX) d->log[i] = o->records[i - o->append.first];
        if (o->append.last >= DISK_MAX) cluster_fault(c, "the test's disk is too small");
        if (o->append.repair == 0) d->last = o->append.last;
    }
    x->done = event.token;
    free(o->records);
    free(o);
    release_waiting(c, x);
    node_event(c, x->id, &event);
}

static void take_output(cluster *c, node *x, const mgc_raft_output *out)
{
    uint64_t apply = out->apply_first <= out->apply_last ? out->apply_last : 0;

    x->answer = out->answer;
    for (size_t i = 0; i < out->n_notes; i++) x->notes[out->notes[i].what % 32]++;
    take_hard(x, out);
    take_append(x, &out->append);
    take_append(x, &out->repair);
    take_reads(x, out);
    take_messages(c, x, out);
    if (apply != 0) {
        mgc_raft_event applied = {.kind = MGC_RAFT_APPLIED, .upto = apply, .credit = x->credit, .n_credit = x->n_credit};

        node_event(c, x->id, &applied);
    }
    if (out->n_snaps > 0) {
        mgc_raft_output copy = *out;
        mgc_raft_snap snap = out->snaps[0];

        copy.snaps = &snap;
        take_snaps(c, x, &copy);
    }
}

/* Outputs point into the member; what nests below must not find them changed. */
static void after_step(cluster *c, node *x, const mgc_raft_output *out)
{
    mgc_raft_output copy = *out;
    mgc_raft_msg *msgs = must(malloc((out->n_msgs + 1) * sizeof *msgs));
    mgc_raft_snap snap = {0};
    uint32_t answer = out->answer;

    if (out->n_msgs > 0) memcpy(msgs, out->msgs, out->n_msgs * sizeof *msgs);
    if (out->n_snaps > 0) snap = out->snaps[0];
    copy.msgs = msgs;
    copy.snaps = &snap;
    take_output(c, x, &copy);
    free(msgs);
    while (x->up && x->disk.first != NULL && !x->disk.slow && !x->disk.broken) complete_one(c, x);
    while (x->up && x->own != NULL) {
        letter *l = x->own;

        x->own = l->next;
        if (x->own == NULL) x->own_end = &x->own;
        deliver(c, l);
    }
    if (x->up && !x->disk.slow && !x->disk.broken) {
        mgc_raft_info info = node_info(c, x->id);

        x->disk.hard.commit = info.commit < x->disk.last ? info.commit : x->disk.last;
    }
    x->answer = answer;
}

void node_event(cluster *c, uint32_t id, const mgc_raft_event *event)
{
    node *x = &c->nodes[id];
    mgc_raft_output out;
    mgc_status status;

    if (!x->up) return;
    status = mgc_raft_step(x->raft, event, &out);
    if (status != MGC_OK) {
        cluster_fault(c, "member %u refuses an event of kind %u: %s", id, event->kind, mgc_status_name(status));
        return;
    }
    after_step(c, x, &out);
}

void node_fire(cluster *c, uint32_t id, uint32_t what)
{
    mgc_raft_output out;

    if (!c->nodes[id].up) return;
    memset(&out, 0, sizeof out);
    mgc__raft_fire(c->nodes[id].raft, what, &out);
    after_step(c, &c->nodes[id], &out);
}

void node_propose(cluster *c, uint32_t id, const char *data)
{
    mgc_raft_entry entry = {.handle = blob_of(data, strlen(data)), .len = (uint32_t)strlen(data)};
    mgc_raft_event event = {.kind = MGC_RAFT_PROPOSE, .entries = &entry, .n_entries = 1};

    root_of(entry.handle, entry.root);
    node_event(c, id, &event);
}

void host_propose(cluster *c, uint32_t id, const char *data)
{
    uint32_t leader;
    channel *ch;
    letter l = {.msg = {.from = id}, .is_command = true};

    if (!c->nodes[id].up) return;
    node_propose(c, id, data);
    leader = node_info(c, id).leader;
    if (c->nodes[id].answer != MGC_RAFT_NOT_LEADER || leader == 0 || leader > c->n) return;
    ch = &c->channels[id][leader];
    l.msg.to = leader;
    l.command = blob_of(data, strlen(data));
    if (!ch->cut) push_letter(&ch->first, &ch->last, copy_letter(&l));
}

void node_persisted(cluster *c, uint32_t id, uint64_t upto)
{
    node *x = &c->nodes[id];

    if (x->disk.first != NULL && upto == 0) complete_one(c, x);
    while (upto != 0 && x->up && x->disk.first != NULL &&
           (x->disk.first->append.token == 0 || x->disk.first->append.last <= upto))
        complete_one(c, x);
    while (x->up && x->own != NULL) {
        letter *l = x->own;

        x->own = l->next;
        if (x->own == NULL) x->own_end = &x->own;
        deliver(c, l);
    }
}

/* --- moving messages --- */

void deliver(cluster *c, letter *l)
{
    mgc_raft_event event = {.kind = MGC_RAFT_RECV, .msg = &l->msg};

    c->delivered++;
    if (l->is_command) {
        host_propose(c, l->msg.to, (const char *)blobs[l->command].bytes);
        free_letter(l);
        return;
    }
    for (uint32_t i = 0; i < l->msg.n_entries; i++) {
        l->entries[i].bytes = blobs[l->entries[i].handle].bytes;
        root_of(l->entries[i].handle, l->entries[i].root);
    }
    l->msg.entries = l->entries;
    if (l->msg.config != NULL) l->msg.config = &l->config;
    if (l->msg.to <= c->n) node_event(c, l->msg.to, &event);
    free_letter(l);
}

static void deliver_unless_cut(cluster *c, letter *l)
{
    if (c->channels[l->msg.from][l->msg.to].cut)
        free_letter(l);
    else
        deliver(c, l);
}

void flow(cluster *c, uint32_t from, uint32_t to, uint32_t kind)
{
    channel *ch = &c->channels[from][to];
    letter *now = NULL, **end = &now, *l;

    while ((l = take_letter(ch, kind)) != NULL) {
        *end = l;
        end = &l->next;
    }
    while (now != NULL) {
        l = now;
        now = l->next;
        l->next = NULL;
        deliver_unless_cut(c, l);
    }
}

bool settle(cluster *c, uint32_t set)
{
    bool moved = true;
    uint64_t limit = c->delivered + 200000;

    while (moved && c->delivered < limit) {
        moved = false;
        for (uint32_t i = 1; i <= c->n; i++)
            for (uint32_t j = 1; j <= c->n; j++) {
                letter *l = (set >> i & set >> j & 1) ? take_letter(&c->channels[i][j], 0) : NULL;

                if (l == NULL) continue;
                moved = true;
                deliver_unless_cut(c, l);
            }
    }
    return !moved;
}

/* --- looking --- */

static bool entry_of(const node *x, uint64_t index, uint64_t *term, uint8_t hash[32])
{
    if (x->up) {
        if (!mgc__log_known(x->raft, index)) return false;
        *term = mgc__log_term(x->raft, index);
        memcpy(hash, mgc__log_hash(x->raft, index), 32);
        return true;
    }
    if (index < x->disk.base.index || index > x->disk.last) return false;
    *term = index == x->disk.base.index ? x->disk.base.term : x->disk.log[index].term;
    memcpy(hash, index == x->disk.base.index ? x->disk.base.hash : x->disk.log[index].hash, 32);
    return true;
}

void known_hash(const cluster *c, uint32_t first_look, uint64_t index, uint64_t term, uint8_t hash[32])
{
    uint64_t found = 0;

    if (first_look != 0 && entry_of(&c->nodes[first_look], index, &found, hash) && found == term) return;
    for (uint32_t i = 1; i <= c->n; i++)
        if (entry_of(&c->nodes[i], index, &found, hash) && found == term) return;
    if (index < DISK_MAX && c->log[index].known && c->log[index].term == term) {
        memcpy(hash, c->log[index].hash, 32);
        return;
    }
    memset(hash, 0, 32);
}

/* --- what must hold --- */

static void check_leader(cluster *c, uint32_t id, const mgc_raft_info *info)
{
    if (info->role != MGC_RAFT_LEADER) return;
    for (uint32_t i = 0; i < c->n_leaders; i++)
        if (c->leaders[i].term == info->term) {
            if (c->leaders[i].id != id)
                cluster_fault(c, "election safety: %u and %u both lead term %llu", c->leaders[i].id, id,
                              (unsigned long long)info->term);
            return;
        }
    if (c->n_leaders == DISK_MAX) return;
    c->leaders[c->n_leaders].term = info->term;
    c->leaders[c->n_leaders++].id = id;
}

static void check_completeness(cluster *c, uint32_t id, const mgc_raft_info *info)
{
    if (info->role != MGC_RAFT_LEADER) return;
    for (uint64_t i = info->first; i < DISK_MAX; i++) {
        uint64_t term = 0;
        uint8_t hash[32];

        if (!c->log[i].known || c->log[i].in_term >= info->term) continue;
        if (!entry_of(&c->nodes[id], i, &term, hash) || term != c->log[i].term)
            cluster_fault(c, "leader completeness: leader %u of term %llu lacks committed entry %llu", id,
                          (unsigned long long)info->term, (unsigned long long)i);
    }
}

static void check_commit(cluster *c, uint32_t id, const mgc_raft_info *info)
{
    node *x = &c->nodes[id];

    if (info->commit < x->commit_seen)
        cluster_fault(c, "commit index of %u fell from %llu to %llu", id, (unsigned long long)x->commit_seen,
                      (unsigned long long)info->commit);
    x->commit_seen = info->commit;
    for (uint64_t i = x->checked + 1; i <= info->commit && i < DISK_MAX; i++) {
        uint64_t term = 0;
        uint8_t hash[32];

        x->checked = i;
        if (!entry_of(x, i, &term, hash)) continue;
        if (!c->log[i].known) {
            c->log[i] = (committed){.term = term, .in_term = info->term, .known = true};
            memcpy(c->log[i].hash, hash, 32);
        } else if (c->log[i].term != term || memcmp(c->log[i].hash, hash, 32) != 0) {
            cluster_fault(c, "state-machine safety: entry %llu is committed with two values, the second by %u",
                          (unsigned long long)i, id);
        }
        if (info->term < c->log[i].in_term) c->log[i].in_term = info->term;
    }
}

static void check_matching(cluster *c, uint32_t a, uint32_t b)
{
    const node *x = &c->nodes[a], *y = &c->nodes[b];
    uint64_t last = mgc__log_known(x->raft, y->raft->last) ? y->raft->last : x->raft->last;

    for (uint64_t i = last; i > 0 && mgc__log_known(x->raft, i) && mgc__log_known(y->raft, i); i--) {
        if (mgc__log_term(x->raft, i) != mgc__log_term(y->raft, i)) continue;
        /* The chain of hashes stands for everything before. */
        if (memcmp(mgc__log_hash(x->raft, i), mgc__log_hash(y->raft, i), 32) != 0)
            cluster_fault(c, "log matching: %u and %u differ at or before entry %llu of one term", a, b,
                          (unsigned long long)i);
        return;
    }
}

void check_invariants(cluster *c)
{
    for (uint32_t i = 1; i <= c->n; i++) {
        mgc_raft_info info;

        if (!c->nodes[i].up) continue;
        info = node_info(c, i);
        check_leader(c, i, &info);
        check_commit(c, i, &info);
    }
    for (uint32_t i = 1; i <= c->n; i++) {
        mgc_raft_info info;

        if (!c->nodes[i].up) continue;
        info = node_info(c, i);
        check_completeness(c, i, &info);
        for (uint32_t j = i + 1; j <= c->n; j++)
            if (c->nodes[j].up) check_matching(c, i, j);
    }
}
