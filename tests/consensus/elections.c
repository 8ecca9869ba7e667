/* SPDX-License-Identifier: Apache-2.0 */
#include "elections.h"

#include <stdio.h>

enum { FLIGHTS_MAX = 512, MEMORY = 1 << 16 };

typedef struct flight {
    mgc_raft_msg msg;
    uint32_t at;
} flight;

typedef struct world {
    election *e;
    mgc__rng rng;
    uint32_t now;
    mgc_raft *raft[ELECTION_NODES + 1];
    flight flights[FLIGHTS_MAX];
    uint32_t n_flights;
    uint32_t leader_of[64]; /* by term */
} world;

static _Alignas(64) uint8_t memory[ELECTION_NODES + 1][MEMORY];

static void step(world *w, uint32_t id, const mgc_raft_event *event);

/* Disks are quick here: what is to be written is durable at once. */
static void carry_out(world *w, uint32_t id, const mgc_raft_output *out)
{
    mgc_raft_msg own[4];
    uint32_t n_own = 0;
    mgc_raft_event hard = {.kind = MGC_RAFT_HARD_STORED, .token = out->hard.token};
    mgc_raft_event stored = {.kind = MGC_RAFT_STORED, .token = out->append.token, .term = out->append.term,
                             .upto = out->append.last};

    for (size_t i = 0; i < out->n_msgs; i++) {
        const mgc_raft_msg *m = &out->msgs[i];

        if (m->to == id && n_own < 4) own[n_own++] = *m;
        if (m->to == id || m->to == w->e->n || w->n_flights == FLIGHTS_MAX) continue;
        if (m->kind == MGC_RAFT_APPEND_REQ) continue; /* the phase ends with the leader */
        w->flights[w->n_flights++] = (flight){*m, w->now + 1 + (uint32_t)mgc__rng_below(&w->rng, 2)};
    }
    if (hard.token != 0) step(w, id, &hard);
    if (stored.token != 0) step(w, id, &stored);
    for (uint32_t i = 0; i < n_own; i++) {
        mgc_raft_event event = {.kind = MGC_RAFT_RECV, .msg = &own[i]};

        step(w, id, &event);
    }
}

static void step(world *w, uint32_t id, const mgc_raft_event *event)
{
    mgc_raft_output out;
    const mgc_raft *r = w->raft[id];

    if (mgc_raft_step(w->raft[id], event, &out) != MGC_OK) abort();
    carry_out(w, id, &out);
    if (r->term > w->e->term) w->e->term = r->term;
    if (r->role != MGC_RAFT_LEADER) return;
    if (w->leader_of[r->term % 64] != 0 && w->leader_of[r->term % 64] != id) w->e->two_leaders = 1;
    w->leader_of[r->term % 64] = id;
    if (w->e->leader == 0) {
        w->e->leader = id;
        w->e->ticks = w->now;
    }
}

/* A member that has just heard the leader. */
static void begin_member(world *w, uint32_t id)
{
    const election *e = w->e;
    mgc_raft_opts opts;
    mgc_raft_boot boot = {.hard = {.term = 1, .incarnation = 1}};
    mgc_raft_member members[ELECTION_NODES];
    mgc_raft_entry entries[8] = {{0}};
    mgc_raft_credit view[ELECTION_NODES];
    mgc_raft_event credit = {.kind = MGC_RAFT_APPLIED, .credit = view, .n_credit = e->n};
    mgc_raft_msg hb = {.kind = MGC_RAFT_HEARTBEAT_REQ, .from = e->n, .to = id, .term = 1, .incarnation = 1, .commit = 1};
    mgc_raft_event heard = {.kind = MGC_RAFT_RECV, .msg = &hb};

    for (uint32_t i = 0; i < e->n; i++) {
        members[i] = (mgc_raft_member){.id = i + 1, .roles = MGC_RAFT_VOTER, .incarnation = 1};
        view[i] = (mgc_raft_credit){.id = i + 1, .rank = e->rank[i + 1], .may_campaign_early = e->early[i + 1]};
    }
    mgc_raft_opts_init(&opts, sizeof opts);
    opts.id = id;
    opts.election_ticks = ELECTION_ET;
    opts.heartbeat_ticks = 2;
    opts.log_max = 16;
    opts.reads_max = opts.inflight_max = 1;
    opts.seed = e->seed;
    if (mgc_raft_genesis(NULL, members, e->n, &boot.base) != MGC_OK) abort();
    for (uint32_t i = 0; i < e->log[id]; i++) entries[i] = (mgc_raft_entry){.index = 2 + i, .term = 1, .type = MGC_RAFT_DATA};
    boot.entries = entries;
    boot.n_entries = e->log[id];
    if (mgc_raft_init(NULL, &opts, &boot, memory[id], MEMORY, &w->raft[id]) != MGC_OK) abort();
    if (e->credit) step(w, id, &credit);
    step(w, id, &heard);
    w->n_flights = 0;
}

static void deliver_due(world *w)
{
    for (uint32_t i = 0; i < w->n_flights;) {
        mgc_raft_msg m = w->flights[i].msg;
        mgc_raft_event event = {.kind = MGC_RAFT_RECV, .msg = &m};

        if (w->flights[i].at > w->now) {
            i++;
            continue;
        }
        w->flights[i] = w->flights[--w->n_flights];
        step(w, m.to, &event);
    }
}

void run_election(election *e)
{
    static world w;
    const mgc_raft_event tick = {.kind = MGC_RAFT_TICK};

    memset(&w, 0, sizeof w);
    w.e = e;
    e->leader = e->ticks = e->two_leaders = 0;
    e->term = 1;
    mgc__rng_seed(&w.rng, e->seed);
    for (uint32_t id = 1; id < e->n; id++) begin_member(&w, id);
    for (w.now = 1; w.now <= ELECTION_LIMIT && e->leader == 0; w.now++) {
        deliver_due(&w);
        for (uint32_t id = 1; id < e->n && e->leader == 0; id++)
            for (uint32_t k = 0; k < (e->speed[id] == 0 ? 1 : e->speed[id]); k++) step(&w, id, &tick);
    }
}
