/* SPDX-License-Identifier: Apache-2.0 */
#include "sim.h"

#include <stdarg.h>

enum { HEALED_DISK = 200 }; /* longest wait for a disk after healing */

const char *const sim_fault_names[FAULT_CLASSES] = {"loss", "dup", "reorder", "cut", "crash", "torn", "rot", "misdirect", "sync",
                                                    "slow", "clock", "conf", "credit", "wipe", "transfer", "compact", "lie"};
const char *const sim_mark_names[MARK_N] = {
    "leader", "commit", "acked", "read served", "read refused", "crash", "crash while writing", "torn tail", "faulty entry",
    "header repaired", "readmitted", "amnesia over", "truncated", "snapshot", "snapshot installed", "sync failed",
    "change proposed", "transfer", "wiped", "lie", "liar convicted", "live after healing", "liveness not asked", "log full",
    "recovered", "liar convicted by E4", "judged by certificates", "exonerated", "vote without an answer", "cleared by what it kept",
    "policy: proposed", "policy: committed", "policy: not vouched for", "policy: invented", "caretaker hands over", "plain steps alike",
    "plain timers fired", "disk begun", "crash with disk begun", "?", "note role", "note leader", "note config", "note config commit", "note config back", "note diverged",
    "note refused", "note faulty", "note repaired", "note wiped", "note transfer", "note window held", "note window refused",
    "note removed", "note snapshot wanted"};

void sim_fail(struct sim *s, const char *format, ...)
{
    va_list args;

    if (s->result->failed) return;
    s->result->failed = true;
    va_start(args, format);
    vsnprintf(s->result->what, sizeof s->result->what, format, args);
    va_end(args);
}

uint64_t sim_below(struct sim *s, uint64_t n)
{
    /* Multiplication instead of division: the bias of 2^-32 does not matter here. */
    return n >> 32 != 0 ? mgc__rng_below(&s->rng, n) : (mgc__rng_next(&s->rng) >> 32) * n >> 32;
}

bool sim_chance(struct sim *s, uint32_t per_thousand)
{
    return per_thousand > 0 && sim_below(s, 1000) < per_thousand;
}

static bool faulty(const struct sim *s, uint32_t fault)
{
    return (s->opts.faults & fault) != 0 && !s->calm;
}

/* --- the heap ----------------------------------------------------------------------------------- */

static bool before(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void sim_schedule(struct sim *s, uint64_t at, uint32_t kind, struct node *node, struct net *msg)
{
    struct event e = {.at = at, .order = s->order++, .kind = kind, .node = node == NULL ? 0 : node->id,
                      .generation = node == NULL ? 0 : node->generation, .msg = msg};
    size_t i;

    if (s->n_heap == s->cap_heap) {
        s->cap_heap = s->cap_heap == 0 ? 1024 : 2 * s->cap_heap;
        s->heap = realloc(s->heap, s->cap_heap * sizeof *s->heap);
        if (s->heap == NULL) abort();
    }
    for (i = s->n_heap++; i > 0 && before(&e, &s->heap[(i - 1) / 4]); i = (i - 1) / 4) s->heap[i] = s->heap[(i - 1) / 4];
    s->heap[i] = e;
}

static struct event pop(struct sim *s)
{
    struct event top = s->heap[0], last = s->heap[--s->n_heap];
    size_t i = 0;

    for (;;) {
        size_t first = 4 * i + 1, best = first;
        if (first >= s->n_heap) break;
        for (size_t k = first + 1; k < first + 4 && k < s->n_heap; k++)
            if (before(&s->heap[k], &s->heap[best])) best = k;
        if (!before(&s->heap[best], &last)) break;
        s->heap[i] = s->heap[best];
        i = best;
    }
    s->heap[i] = last;
    return top;
}

/* --- messages ----------------------------------------------------------------------------------- */

struct net *sim_new_net(struct sim *s)
{
    struct net *net = s->free_nets;

    if (net == NULL) {
        net = malloc(sizeof *net);
        if (net == NULL) abort();
    } else s->free_nets = net->next;
    return net;
}

void sim_free_net(struct sim *s, struct net *net)
{
    net->next = s->free_nets;
    s->free_nets = net;
}

static void copy_net(struct net *to, const struct net *from)
{
    to->m = from->m;
    memcpy(to->e, from->e, from->m.n_entries * sizeof *to->e);
    if (from->m.config != NULL) to->config = from->config;
    if (from->m.len > 0) memcpy(to->chunk, from->chunk, from->m.len);
}

static void post(struct sim *s, struct net *net)
{
    uint64_t delay = s->latency[net->m.from][net->m.to];

    if (faulty(s, FAULT_REORDER)) delay += sim_below(s, s->jitter);
    if (faulty(s, FAULT_REORDER) && sim_chance(s, 3)) delay += sim_below(s, 4 * s->election); /* a straggler */
    sim_schedule(s, s->now + (net->m.from == net->m.to ? 1 : delay), EV_DELIVER, &s->nodes[net->m.to], net);
}

void sim_send(struct sim *s, struct net *net)
{
    uint32_t from = net->m.from, to = net->m.to;
    struct net *again;

    if (to == 0 || to > s->n || s->cut[from][to] || (from != to && faulty(s, FAULT_LOSS) && sim_chance(s, s->loss))) {
        sim_free_net(s, net);
        return;
    }
    if (from != to && faulty(s, FAULT_DUP) && sim_chance(s, s->dup)) {
        again = sim_new_net(s);
        copy_net(again, net);
        post(s, again);
    }
    post(s, net);
}

uint64_t sim_blob(struct sim *s, const uint8_t *bytes, uint32_t len, uint64_t command)
{
    struct blob *b;

    if (s->n_blobs == s->cap_blobs) {
        s->cap_blobs = s->cap_blobs == 0 ? 256 : 2 * s->cap_blobs;
        s->blobs = realloc(s->blobs, s->cap_blobs * sizeof *s->blobs);
        if (s->blobs == NULL) abort();
        if (s->n_blobs == 0) s->blobs[s->n_blobs++] = (struct blob){0}; /* 0 is no handle */
    }
    b = &s->blobs[s->n_blobs];
    *b = (struct blob){.len = len, .command = command, .bytes = malloc(len + 1)};
    if (b->bytes == NULL) abort();
    if (len > 0) memcpy(b->bytes, bytes, len);
    if (command != 0) memcpy(b->bytes, &s->n_blobs, 8); /* a payload knows its handle, so that it can come back */
    if (mgc_raft_payload_root(b->bytes, len, b->root) != MGC_OK) abort();
    return s->n_blobs++;
}

static void deliver(struct sim *s, struct node *n, struct net *net)
{
    mgc_raft_event e = {.kind = MGC_RAFT_RECV, .msg = &net->m};
    bool gone = s->calm && s->cut[net->m.from][net->m.to]; /* who stays away brings no longer log to anybody, either */

    net->m.after = 0;
    net->m.entries = net->m.n_entries > 0 ? net->e : NULL;
    net->m.config = net->m.config != NULL ? &net->config : NULL;
    net->m.bytes = net->m.len > 0 ? net->chunk : NULL;
    if (n->up) e.refuse_from = policy_vouch(s, n, &net->m);
    if (s->opts.trace)
        fprintf(stderr, "%10" PRIu64 " %" PRIu32 " > %" PRIu32 " kind %" PRIu32 " term %" PRIu64 " index %" PRIu64 " n %" PRIu32 " flags %" PRIu32
                "\n", s->now, net->m.from, net->m.to, net->m.kind, net->m.term, net->m.index, net->m.n_entries, net->m.flags);
    if (n->up && !gone && witness_message(s, n, &net->m)) node_step(s, n, &e);
    sim_free_net(s, net);
}

/* --- clients ------------------------------------------------------------------------------------ */

/* Whom a client believes to be the leader: most often he is right. */
static struct node *believed(struct sim *s)
{
    struct node *best = NULL;

    for (uint32_t i = 1; i <= s->n; i++) {
        struct node *n = &s->nodes[i];
        if (n->up && n->raft->role == MGC_RAFT_LEADER && (best == NULL || n->raft->term > best->raft->term)) best = n;
    }
    if (best == NULL || sim_chance(s, 100)) best = &s->nodes[1 + sim_below(s, s->n)];
    return best->up && s->now >= best->paused_until ? best : NULL;
}

static void propose(struct sim *s, struct node *n)
{
    mgc_raft_entry entries[3];
    mgc_raft_event e = {.kind = MGC_RAFT_PROPOSE, .entries = entries};
    uint8_t bytes[400];
    uint64_t first;

    e.n_entries = 1 + (uint32_t)sim_below(s, 3);
    for (uint32_t i = 0; i < e.n_entries; i++) {
        uint32_t len = sim_chance(s, 100) ? 16 + (uint32_t)sim_below(s, 384) : 16;
        uint64_t command = ++s->next_command, handle;
        memset(bytes, (int)command, len);
        handle = sim_blob(s, bytes, len, command);
        entries[i] = (mgc_raft_entry){.handle = handle, .len = len, .type = MGC_RAFT_DATA};
        memcpy(entries[i].root, s->blobs[handle].root, 32);
    }
    s->answer = 99;
    node_step(s, n, &e);
    if (s->answer == MGC_RAFT_LOG_FULL) s->marks[MARK_LOG_FULL]++;
    if (s->answer != MGC_RAFT_ACCEPTED) return;
    first = s->answer_index;
    for (uint32_t i = 0; i < e.n_entries; i++) {
        if (s->n_proposals == 64) memmove(s->proposals, s->proposals + 1, --s->n_proposals * sizeof *s->proposals);
        s->proposals[s->n_proposals++] =
            (struct proposal){.index = first + i, .handle = entries[i].handle, .node = n->id};
    }
}

static void ask(struct sim *s, struct node *n)
{
    mgc_raft_event e = {.kind = MGC_RAFT_READ, .tag = ++s->next_tag};

    if (s->n_readings == 64) return;
    s->readings[s->n_readings++] = (struct reading){.tag = e.tag, .at_least = s->acked};
    s->answer = 99;
    node_step(s, n, &e);
    if (s->answer == MGC_RAFT_ACCEPTED || s->result->failed) return;
    for (size_t i = 0; i < s->n_readings; i++)
        if (s->readings[i].tag == e.tag) s->readings[i] = s->readings[--s->n_readings];
}

static uint32_t voters_of(const mgc_raft_config *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->n_members; i++) n += (c->members[i].roles & MGC_RAFT_VOTER) != 0;
    return n;
}

/* The operator tells the alliance of a disk that came back empty. */
static bool readmit(struct sim *s, struct node *leader, mgc_raft_event *e, mgc_raft_change *change)
{
    for (uint32_t i = 1; i <= s->n; i++) {
        struct node *n = &s->nodes[i];
        const mgc_raft_member *m = mgc__config_member(mgc_raft_config_now(leader->raft), i);
        if (!n->up || !n->forgot || m == NULL || m->incarnation == n->incarnation) continue;
        *change = (mgc_raft_change){.op = MGC_RAFT_UPDATE, .id = i, .incarnation = n->incarnation};
        e->n_changes = 1;
        return true;
    }
    return false;
}

static void change_members(struct sim *s, struct node *n)
{
    mgc_raft_change changes[2];
    mgc_raft_event e = {.kind = MGC_RAFT_CONF, .changes = changes};
    uint32_t voters = voters_of(mgc_raft_config_now(n->raft));

    if (n->raft->role != MGC_RAFT_LEADER) return;
    if (!readmit(s, n, &e, &changes[0])) {
        if (!faulty(s, FAULT_CONF)) return;
        if (n->id == s->liar && sim_chance(s, 300) && policy_invent(s, n)) return;
        if (s->opts.credit && faulty(s, FAULT_CREDIT) && sim_chance(s, 600) && policy_propose(s, n)) return;
        e.n_changes = 1 + (uint32_t)sim_below(s, 2);
        for (uint32_t i = 0; i < e.n_changes; i++) {
            uint32_t id = 1 + (uint32_t)sim_below(s, s->n), what = (uint32_t)sim_below(s, 4);
            if (i == 1 && id == changes[0].id) e.n_changes = 1;
            changes[i] = (mgc_raft_change){.id = id, .incarnation = s->nodes[id].incarnation,
                                           .op = what < 2 || voters <= 3 + i ? MGC_RAFT_ADD_VOTER
                                                 : what == 2           ? MGC_RAFT_ADD_LEARNER
                                                                       : MGC_RAFT_REMOVE};
            if (changes[i].op != MGC_RAFT_ADD_VOTER) voters--;
        }
    }
    s->marks[MARK_CONF]++;
    node_step(s, n, &e);
}

static void client(struct sim *s)
{
    struct node *n = believed(s);

    sim_schedule(s, s->now + 1 + sim_below(s, s->election / 4), EV_CLIENT, NULL, NULL);
    if (n == NULL) return;
    switch (sim_below(s, 10)) {
    case 0:
    case 1: ask(s, n); break;
    case 2: change_members(s, n); break;
    case 3:
        if ((s->opts.faults & FAULT_COMPACT) != 0 && n->up) node_snapshot(s, &s->nodes[1 + sim_below(s, s->n)]);
        break;
    default: propose(s, n); break;
    }
}

/* --- faults ------------------------------------------------------------------------------------- */

static void cut_links(struct sim *s)
{
    uint32_t side = (uint32_t)sim_below(s, UINT64_C(1) << s->n), way = (uint32_t)sim_below(s, 4);

    for (uint32_t a = 1; a <= s->n; a++)
        for (uint32_t b = 1; b <= s->n; b++) {
            bool across = ((side >> (a - 1)) & 1) != ((side >> (b - 1)) & 1);
            s->cut[a][b] = way == 0 ? false : way == 1 ? across : way == 2 ? across && ((side >> (a - 1)) & 1)
                                                                          : a != b && sim_chance(s, 200);
        }
}

/* Media faults strike one member, the victim, so that no entry loses more copies than a minority holds. */
static void rot(struct sim *s)
{
    struct node *n = &s->nodes[s->victim];
    struct sim_file *f;

    if (n->disk.n == 0) return;
    f = &n->disk.files[sim_below(s, n->disk.n)];
    if (f->name[0] == '\0' || f->size == 0) return;
    if (sim_chance(s, 500)) sim_disk_rot(&n->disk, f, (size_t)sim_below(s, f->size));
    else sim_disk_flip(f, (size_t)sim_below(s, f->size));
    if (n->up) node_crash(s, n, faulty(s, FAULT_TORN)); /* seen at the next start */
}

static void wipe(struct sim *s)
{
    struct node *n = &s->nodes[s->victim];

    if (!n->up) return;
    s->marks[MARK_WIPE]++;
    s->wiped_once = true;
    node_crash(s, n, false);
    sim_disk_wipe(&n->disk);
    n->witness = (mgc__witness){0};
}

static void clocks(struct sim *s, struct node *n)
{
    switch (sim_below(s, 3)) {
    case 0: n->tick_length = SIM_TICK * 9 / 10 + sim_below(s, SIM_TICK / 5); break;
    case 1: n->clock_until = s->now + sim_below(s, 3 * s->election); break;
    default: n->paused_until = s->now + sim_below(s, 3 * s->election); break;
    }
}

static void say(struct sim *s, struct node *liar, const struct node *to, bool pre)
{
    struct net *net = sim_new_net(s);
    const mgc_raft *r = to->raft;

    memset(&net->m, 0, sizeof net->m);
    net->m.kind = pre ? MGC_RAFT_PREVOTE_RESP : MGC_RAFT_VOTE_RESP;
    net->m.from = liar->id;
    net->m.to = to->id;
    net->m.term = pre ? r->term + 1 : r->term;
    net->m.context = pre ? r->term + 1 : 0;
    net->m.incarnation = liar->incarnation;
    net->m.cfg = mgc_raft_config_now(r)->index;
    net->m.index = r->last;
    net->m.log_term = mgc__log_term(r, r->last);
    memcpy(net->m.hash, mgc__log_hash(r, r->last), 32);
    s->marks[MARK_LIE]++;
    check_message(s, liar, net);
    sim_send(s, net);
}

/* The liar's vote for everyone who asks, a second one or not; at times also for an older log than its own, which only
 * certificates convict. */
static void lie(struct sim *s)
{
    struct node *liar = &s->nodes[s->liar];

    for (uint32_t i = 1; i <= s->n && liar->up; i++) {
        struct node *n = &s->nodes[i];
        const mgc_raft *r = n->raft;

        if (!n->up || i == s->liar || liar->raft->term > r->term) continue;
        if (r->role == MGC_RAFT_PRE_CANDIDATE && sim_chance(s, 500)) say(s, liar, n, true);
        if (r->role == MGC_RAFT_CANDIDATE &&
            (mgc__log_up_to_date(liar->raft, mgc__log_term(r, r->last), r->last) || sim_chance(s, 500)))
            say(s, liar, n, false);
    }
}

static void transfer(struct sim *s)
{
    mgc_raft_event e = {.kind = MGC_RAFT_TRANSFER, .member = 1 + (uint32_t)sim_below(s, s->n)};
    struct node *n = believed(s);

    if (n == NULL) return;
    s->marks[MARK_TRANSFER]++;
    node_step(s, n, &e);
}

static void strike(struct sim *s)
{
    struct node *n = &s->nodes[1 + sim_below(s, s->n)];

    sim_schedule(s, s->now + 1 + sim_below(s, s->election), EV_FAULT, NULL, NULL);
    if (faulty(s, FAULT_LIE)) lie(s);
    switch (sim_below(s, 12)) {
    case 0:
    case 1: if (faulty(s, FAULT_CUT)) cut_links(s); break;
    case 2: if (faulty(s, FAULT_CUT)) memset(s->cut, 0, sizeof s->cut); break;
    case 3: if (faulty(s, FAULT_CRASH) && n->up) node_crash(s, n, faulty(s, FAULT_TORN)); break;
    case 4: if (faulty(s, FAULT_CRASH) && n->up) { /* between durable and told */
            node_disk(s, n, false);
            if (n->up) node_crash(s, n, false);
        }
        break;
    case 5: if (faulty(s, FAULT_ROT) && sim_chance(s, 300)) rot(s); break;
    case 6: if (faulty(s, FAULT_MISDIRECT) && s->victim == n->id) n->disk.misdirect = true; break;
    case 7: if (faulty(s, FAULT_SYNC) && sim_chance(s, 200)) n->disk.fail_sync = true; break;
    case 8: if (faulty(s, FAULT_SLOW)) n->disk_delay = sim_chance(s, 500) ? 300 : sim_below(s, 3 * s->election) + 1; break;
    case 9: if (faulty(s, FAULT_CLOCK)) clocks(s, n); break;
    case 10: if (faulty(s, FAULT_TRANSFER)) transfer(s); break;
    default: if (faulty(s, FAULT_WIPE) && sim_chance(s, 60)) wipe(s); break;
    }
}

/* --- the run ------------------------------------------------------------------------------------ */

/* A leader of low credit hands over, at times. */
static void caretaker(struct sim *s, struct node *n)
{
    mgc_raft_event e = {.kind = MGC_RAFT_TRANSFER, .member = mgc_raft_caretaker_target(n->raft)};

    if (e.member == 0 || n->raft->transfer_to != 0 || !sim_chance(s, 30)) return;
    s->marks[MARK_CARETAKER]++;
    node_step(s, n, &e);
}

static void tick(struct sim *s, struct node *n)
{
    mgc_raft_event e = {.kind = MGC_RAFT_TICK};

    sim_schedule(s, s->now + n->tick_length, EV_TICK, n, NULL);
    if (s->now >= n->clock_until) node_step(s, n, &e);
    if (n->up) caretaker(s, n);
    if (n->up && (s->opts.faults & FAULT_COMPACT) && n->raft->last - n->raft->base > n->raft->opts.log_max / 2) node_snapshot(s, n);
}

static void handle(struct sim *s, const struct event *e)
{
    struct node *n = &s->nodes[e->node];

    if (e->node != 0 && s->now < n->paused_until && e->kind != EV_RESTART) { /* the process stands still */
        if (e->kind == EV_DELIVER || e->generation == n->generation) sim_schedule(s, n->paused_until + 1, e->kind, n, e->msg);
        return;
    }
    switch (e->kind) {
    case EV_TICK: if (n->up && e->generation == n->generation) tick(s, n); break;
    case EV_DELIVER: deliver(s, n, e->msg); break;
    case EV_DISK: if (n->up && e->generation == n->generation) node_disk(s, n, true); break;
    case EV_CLIENT: client(s); break;
    case EV_FAULT: strike(s); break;
    case EV_RESTART: if (!n->up && e->generation == n->generation) node_start(s, n); break;
    default: break;
    }
}

static void set_up(struct sim *s)
{
    mgc_raft_member members[SIM_NODES];
    mgc_raft_opts rest;

    s->n_start = 3 + (uint32_t)sim_below(s, 5);
    if (sim_chance(s, 500)) s->n_start = 3;
    s->n = s->n_start + ((s->opts.faults & FAULT_CONF) ? 2 : 0);
    for (uint32_t i = 0; i < s->n_start; i++)
        members[i] = (mgc_raft_member){.id = i + 1, .roles = MGC_RAFT_VOTER, .incarnation = 1};
    if (mgc_raft_genesis(s->ctx, members, s->n_start, &s->genesis) != MGC_OK) abort();
    policy_set_up(s);
    s->truth = calloc(256, sizeof *s->truth);
    if (s->truth == NULL) abort();
    s->cap_truth = 256;
    s->n_truth = 1;
    s->truth[0].term = s->truth[0].term_committed = 1;
    memcpy(s->truth[0].hash, s->genesis.hash, 32);
    mgc_raft_opts_init(&s->raft_opts, sizeof s->raft_opts);
    s->raft_opts.id = 1;
    s->raft_opts.election_ticks = 6 + (uint32_t)sim_below(s, 10);
    s->raft_opts.heartbeat_ticks = 1 + (uint32_t)sim_below(s, 2);
    s->raft_opts.members_max = SIM_NODES;
    s->raft_opts.log_max = !(s->opts.faults & FAULT_COMPACT) ? 4096 : sim_chance(s, 200) ? 128 : sim_chance(s, 60) ? 64 : 512;
    s->raft_opts.batch_entries = 1 + (uint32_t)sim_below(s, SIM_BATCH);
    s->raft_opts.inflight_max = 1 + (uint32_t)sim_below(s, 8);
    rest = s->raft_opts;
    rest.log_max = 4096; /* see boot_core() */
    if (mgc_raft_size(s->ctx, &rest, &s->memory_size) != MGC_OK) abort();
    s->election = (uint64_t)s->raft_opts.election_ticks * SIM_TICK;
    s->loss = sim_chance(s, 500) ? (uint32_t)sim_below(s, 200) : 10;
    s->dup = (uint32_t)sim_below(s, 60);
    s->jitter = 1 + (uint32_t)sim_below(s, s->election / 4);
    s->victim = 1 + (uint32_t)sim_below(s, s->n);
    s->liar = s->opts.faults & FAULT_LIE ? 1 + (uint32_t)sim_below(s, s->n_start) : 0;
    for (uint32_t a = 1; a <= s->n; a++)
        for (uint32_t b = 1; b <= s->n; b++) s->latency[a][b] = 20 + sim_below(s, 600);
}

static void start_all(struct sim *s)
{
    for (uint32_t i = 1; i <= s->n && !s->result->failed; i++) {
        struct node *n = &s->nodes[i];
        n->id = i;
        n->incarnation = 1;
        n->fresh = true;
        n->waiting_end = &n->waiting;
        n->disk_delay = 1 + sim_below(s, 400);
        n->tick_length = SIM_TICK;
        if (s->opts.faults & FAULT_CLOCK) n->tick_length = SIM_TICK * 9 / 10 + sim_below(s, SIM_TICK / 5);
        sim_disk_init(&n->disk, &s->rng);
        node_start(s, n);
    }
    sim_schedule(s, 1, EV_CLIENT, NULL, NULL);
    sim_schedule(s, 2, EV_FAULT, NULL, NULL);
}

/* Can this half of a configuration elect, with these members up?  candidate: and would its log be good enough; or NULL. */
static bool half_stands(struct sim *s, const mgc_raft_config *c, uint32_t role, const bool *alive, const mgc_raft *candidate)
{
    uint32_t voters = 0, fit = 0;

    for (uint32_t i = 0; i < c->n_members; i++) {
        const mgc_raft_member *m = &c->members[i];
        if ((m->roles & role) == 0) continue;
        voters++;
        if (candidate != NULL &&
            !mgc__log_up_to_date(s->nodes[m->id].raft, mgc__log_term(candidate, candidate->last), candidate->last))
            continue;
        fit += alive[m->id] && !s->nodes[m->id].forgot && !s->nodes[m->id].amnesia && s->nodes[m->id].incarnation == m->incarnation &&
               !mgc__recovering(s->nodes[m->id].raft);
    }
    return voters == 0 || 2 * fit > voters;
}

/* While a change of members is under way and not all have heard of it, a majority in every configuration is not
 * enough: the longest log may be a learner's that is a voter elsewhere.  Somebody must be able to win by its own. */
static bool somebody_electable(struct sim *s, const bool *alive)
{
    for (uint32_t i = 1; i <= s->n; i++) {
        const mgc_raft *r = s->nodes[i].raft;
        const mgc_raft_config *c = mgc_raft_config_now(r);
        if (alive[i] && mgc__may_vote(r) && mgc__config_voter(c, i) && half_stands(s, c, MGC_RAFT_VOTER, alive, r) &&
            half_stands(s, c, MGC_RAFT_VOTER_OLD, alive, r))
            return true;
    }
    return false;
}

static bool stands(struct sim *s, const bool *alive)
{
    bool one = true;

    for (uint32_t i = 1; i <= s->n; i++) {
        const mgc_raft_config *c = mgc_raft_config_now(s->nodes[i].raft);
        if (!half_stands(s, c, MGC_RAFT_VOTER, alive, NULL) || !half_stands(s, c, MGC_RAFT_VOTER_OLD, alive, NULL)) return false;
        if (alive[i]) one = one && c->index == mgc_raft_config_now(s->nodes[1].raft)->index;
    }
    if (somebody_electable(s, alive)) return true;
    if (one && alive[1]) sim_fail(s, "all hold one configuration, a majority of it stands, and no one can be elected");
    return false;
}

/* What a healed cluster has to carry before anything new can be committed: all that some member has and another has not,
 * in messages of batch_entries, one after the other.  With small batches and much to carry that alone takes longer
 * than electing; it is not what the bound is about. */
static uint64_t time_to_catch_up(const struct sim *s, const bool *alive)
{
    uint64_t low = UINT64_MAX, high = 0, way = 0, batch = s->raft_opts.batch_entries;

    for (uint32_t a = 1; a <= s->n; a++) {
        const mgc_raft *r = s->nodes[a].raft;

        if (!alive[a]) continue;
        if (r->last > high) high = r->last;
        if (r->commit < low) low = r->commit;
        for (uint32_t b = 1; b <= s->n; b++)
            if (alive[b] && s->latency[a][b] > way) way = s->latency[a][b];
    }
    return low >= high ? 0 : ((high - low) / batch + 1) * (2 * way + HEALED_DISK + 2);
}

/* Everything heals, but for a minority that stays away for good; then something must commit within 20 ET and the time to
 * carry what is missing. */
static bool heal(struct sim *s, uint64_t *deadline)
{
    bool alive[SIM_NODES + 1];

    s->calm = true;
    memset(s->cut, 0, sizeof s->cut);
    for (uint32_t i = 1; i <= s->n && !s->result->failed; i++) {
        struct node *n = &s->nodes[i];
        n->paused_until = n->clock_until = 0;
        n->disk_delay = HEALED_DISK;
        n->tick_length = SIM_TICK;
        n->disk.fail_sync = n->disk.misdirect = false;
        alive[i] = true;
        while (!n->up && !s->result->failed) node_start(s, n);
    }
    if (s->result->failed) return false;
    for (uint32_t i = 1; i <= s->n; i++) {
        uint32_t id = 1 + (uint32_t)sim_below(s, s->n);
        alive[id] = false;
        if (!stands(s, alive)) alive[id] = true;
    }
    if (!stands(s, alive)) {
        s->marks[MARK_NOT_LIVE]++;
        return false;
    }
    for (uint32_t a = 1; a <= s->n; a++)
        for (uint32_t b = 1; b <= s->n; b++) s->cut[a][b] = !alive[a] || !alive[b];
    s->first_after_calm = s->n_truth;
    *deadline = s->now + 20 * s->election + time_to_catch_up(s, alive);
    return true;
}

static void loop(struct sim *s, uint64_t events, uint64_t deadline)
{
    while (s->n_heap > 0 && !s->result->failed && s->result->events < events) {
        struct event e = pop(s);
        if (deadline != 0 && e.at > deadline) return;
        s->now = e.at;
        s->result->events++;
        handle(s, &e);
        if (deadline != 0 && s->n_truth > s->first_after_calm) return;
    }
}

/* For whoever reads a trace. */
static void print_members(const struct sim *s)
{
    for (uint32_t i = 1; i <= s->n; i++) {
        const struct node *n = &s->nodes[i];
        const mgc_raft_config *c;
        if (!n->up) continue;
        c = mgc_raft_config_now(n->raft);
        fprintf(stderr, "member %" PRIu32 " role %" PRIu32 " term %" PRIu64 " log %" PRIu64 "..%" PRIu64 " (term %" PRIu64 ") stored %" PRIu64
                " commit %" PRIu64 " amnesia %d forgot %d faulty %" PRIu64 " snapshot %d configuration %" PRIu64 ":",
                i, n->raft->role, n->raft->term, n->raft->base, n->raft->last, mgc__log_term(n->raft, n->raft->last), n->raft->stored,
                n->raft->commit, n->raft->amnesia, n->forgot, n->raft->fault_first, n->raft->in.whole, c->index);
        for (uint32_t k = 0; k < c->n_members; k++) fprintf(stderr, " %" PRIu32 "/%" PRIu32, c->members[k].id, c->members[k].roles);
        fprintf(stderr, "%s\n", s->cut[i][1] && s->cut[i][2] && s->cut[i][3] ? " away" : "");
    }
}

static void conclude(struct sim *s)
{
    uint64_t deadline = 0;

    if (s->opts.mode == SIM_LIVENESS && !s->result->failed && s->liar == 0 && heal(s, &deadline)) {
        loop(s, UINT64_MAX, deadline);
        if (!s->result->failed && s->n_truth <= s->first_after_calm)
            sim_fail(s, "nothing committed within 20 election timeouts after healing");
        else s->marks[MARK_LIVE]++;
    }
    if (s->opts.trace) print_members(s);
    if (s->liar != 0) audit(s);
    if (s->unsafe > 0 && !s->convicted && !s->result->failed)
        sim_fail(s, "%" PRIu64 " rules were broken by member %" PRIu32 " and nobody is convicted", s->unsafe, s->liar);
    s->result->history[0] = s->n_truth;
    memcpy(&s->result->history[1], s->truth[s->n_truth - 1].hash, 8);
}

static void tear_down(struct sim *s)
{
    for (uint32_t i = 1; i <= s->n; i++) node_free(s, &s->nodes[i]);
    for (size_t i = 0; i < s->n_heap; i++) free(s->heap[i].msg);
    while (s->free_nets != NULL) {
        struct net *next = s->free_nets->next;
        free(s->free_nets);
        s->free_nets = next;
    }
    for (size_t i = 1; i < s->n_blobs; i++) free(s->blobs[i].bytes);
    free(s->blobs);
    free(s->heap);
    check_free(s);
    mgc_ctx_destroy(s->ctx);
}

void sim_run(const struct sim_opts *opts, uint64_t *marks, struct sim_result *result)
{
    struct sim *s = calloc(1, sizeof *s);

    if (s == NULL) abort();
    memset(result, 0, sizeof *result);
    s->opts = *opts;
    s->result = result;
    s->marks = marks;
    mgc__rng_seed(&s->rng, opts->seed);
    if (mgc_ctx_create(NULL, &s->ctx) != MGC_OK) abort();
    set_up(s);
    start_all(s);
    loop(s, opts->events, 0);
    conclude(s);
    tear_down(s);
    free(s);
}
