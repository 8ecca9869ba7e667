/* SPDX-License-Identifier: Apache-2.0 */
/* Whole clusters in one thread from one seed.
 *
 * The very core and the very log storage that ship run on simulated disks, links and clocks; a heap of events in virtual
 * time is all that moves.  One generator, seeded once, decides everything, so that a seed is a complete bug report.
 *
 *   sim.c        events, links, faults, clients
 *   sim_node.c   a member: its core, its log, what it owes the disk
 *   sim_check.c  what must hold after each event
 *   sim_policy.c membership by credit
 *   sim_shadow.c what credit never does
 *   sim_witness.c  what members keep so that they can answer
 *   sim_audit.c  who is to blame, where somebody lies
 *   sim_main.c   seeds, shrinking, figures */
#ifndef TESTS_CONSENSUS_SIM_H
#define TESTS_CONSENSUS_SIM_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "consensus/raft.h"
#include "consensus/store.h"
#include "consensus/witness.h"
#include "mgchain/consensus.h"
#include "sim_disk.h"

enum {
    SIM_OWN = 1024,     /* payloads that the core made, remembered by index */
    SIM_NODES = 9,      /* up to 7 in the alliance, two that may join */
    SIM_BATCH = 8,      /* entries in a message, at most */
    SIM_TICK = 1000,    /* units of time in a tick */
    SIM_CHUNK = 200,    /* bytes in a piece of a snapshot */
    SIM_TEXT = 300,
    SIM_EPOCH = 16, /* entries in a credit epoch */
    SIM_CONFIGS = 256, SIM_ELECTED = 512 /* that the auditor remembers */
};

/* Classes of faults; a failing seed is tried again without each of them. */
enum {
    FAULT_LOSS = 1,
    FAULT_DUP = 2,
    FAULT_REORDER = 4,
    FAULT_CUT = 8,
    FAULT_CRASH = 16,
    FAULT_TORN = 32,    /* a crash in the middle of writing; without it unsynced bytes vanish whole */
    FAULT_ROT = 64,     /* sectors of one member's disk rot */
    FAULT_MISDIRECT = 128,
    FAULT_SYNC = 256,   /* a sync fails */
    FAULT_SLOW = 512,
    FAULT_CLOCK = 1024, /* rates differ, clocks and processes stop */
    FAULT_CONF = 2048,
    FAULT_CREDIT = 4096, /* hostile credit; without it, no credit view at all */
    FAULT_WIPE = 8192,
    FAULT_TRANSFER = 16384,
    FAULT_COMPACT = 32768,
    FAULT_LIE = 65536,  /* one member votes and signs twice; only evidence is judged then */
    FAULT_ALL = 2 * FAULT_LIE - 1
};
enum { FAULT_CLASSES = 17 };
extern const char *const sim_fault_names[FAULT_CLASSES];

enum { SIM_SAFETY = 0, SIM_LIVENESS = 1 };

/* Rare branches, counted; notes of the core are counted as they are. */
enum {
    MARK_LEADER, MARK_COMMIT, MARK_ACKED, MARK_READ_SERVED, MARK_READ_REFUSED, MARK_CRASH, MARK_CRASH_WRITING,
    MARK_TORN, MARK_FAULTY, MARK_REPAIRED_HEADER, MARK_READMIT, MARK_AMNESIA_OVER, MARK_TRUNCATED, MARK_SNAPSHOT,
    MARK_INSTALLED, MARK_SYNC_FAILED, MARK_CONF, MARK_TRANSFER, MARK_WIPE, MARK_LIE, MARK_CONVICTED, MARK_LIVE, MARK_NOT_LIVE,
    MARK_LOG_FULL, MARK_RECOVERED, MARK_CONVICTED_E4, MARK_JUDGED, MARK_EXONERATED, MARK_NO_VOTE, MARK_CLEARED,
    MARK_POLICY, MARK_POLICY_COMMIT, MARK_POLICY_WAIT, MARK_INVENTED, MARK_CARETAKER, MARK_SHADOWED, MARK_SHADOW_FIRED, MARK_BEGUN,
    MARK_CRASH_BEGUN,
    MARK_NOTES, /* and on: one for each kind of note */
    MARK_N = MARK_NOTES + 16
};
extern const char *const sim_mark_names[MARK_N];

struct sim_opts {
    uint64_t seed, events;
    uint32_t mode, faults;
    bool credit; /* false: no credit view is ever given */
    bool begin;  /* leaders let the disk begin before they send */
    bool shadow; /* next to each member a plain one, which must be able to do the same: sim_shadow.c */
    bool trace;
};

struct sim_result {
    bool failed;
    char what[SIM_TEXT];
    uint64_t events, commits;
    uint64_t history[2]; /* of what was committed: number, hash */
};

/* A payload; its number is the handle. */
struct blob {
    uint32_t len;
    uint8_t *bytes;
    uint8_t root[32];
    uint64_t command; /* 0: none of a client */
};

struct net {
    mgc_raft_msg m;
    mgc_raft_entry e[SIM_BATCH];
    mgc_raft_config config;
    uint8_t chunk[SIM_CHUNK];
    struct net *next; /* free list, or waiting at its sender */
};

/* What is owed to the disk. */
struct debt_entry {
    uint64_t index, term, handle;
    uint32_t type;
    uint8_t prev[32], hash[32];
};
enum { DEBT_HARD = 1, DEBT_APPEND = 2, DEBT_REPAIR = 3 };
struct debt {
    uint32_t kind;
    uint64_t token, term, upto, truncate_from;
    mgc_raft_hard hard;
    size_t first, n; /* among the node's debt entries */
};

/* State of the state machine, and what a snapshot holds. */
struct machine {
    mgc_raft_snap_meta meta;
    uint64_t digest, commands;
};

struct node {
    uint32_t id, incarnation;
    bool up, born, fresh; /* fresh: has never had a disk */
    uint32_t generation;  /* of its process: events of an older one are void */
    uint64_t paused_until, clock_until; /* process stopped; clock stopped */
    uint64_t tick_length, disk_delay;
    void *memory, *shadow_memory;
    mgc_raft *raft, *shadow;
    struct sim_disk disk;
    mgc__raftlog *log;
    struct debt *debts;
    size_t n_debts, cap_debts, n_begun; /* n_begun: the first so many of them are on their way to the disk */
    struct debt_entry *debt_entries;
    size_t n_debt_entries, cap_debt_entries;
    bool disk_busy;
    struct net *waiting, **waiting_end;
    struct machine state, durable_state; /* as applied; as in the newest snapshot */
    struct machine incoming;
    uint64_t incoming_len;
    uint64_t term_seen, commit_seen;
    mgc__witness witness; /* durable at once */
    bool amnesia, forgot; /* as its core sees it; forgot: its new number is not yet known to the alliance */
    uint32_t leader_seen;
    struct own {
        uint64_t index, term, blob;
    } own[SIM_OWN];
};

struct event {
    uint64_t at, order;
    uint32_t kind, node, generation;
    struct net *msg;
};

struct table { /* open addressing: key -> 8 bytes of a value */
    uint64_t (*slots)[2];
    size_t n, cap;
};

struct sim {
    struct sim_opts opts;
    struct sim_result *result;
    uint64_t *marks;
    mgc__rng rng;
    mgc_ctx *ctx;
    uint64_t now, order, until;
    struct event *heap;
    size_t n_heap, cap_heap;
    struct net *free_nets;
    struct node nodes[SIM_NODES + 1]; /* by id */
    uint32_t n, n_start, victim, liar;
    mgc_raft_snap_meta genesis;
    mgc_raft_opts raft_opts;
    size_t memory_size;
    uint64_t election; /* ET in units of time */

    uint32_t loss, dup, jitter; /* per thousand; units */
    uint64_t latency[SIM_NODES + 1][SIM_NODES + 1];
    bool cut[SIM_NODES + 1][SIM_NODES + 1];
    bool calm; /* healing: no more faults */

    struct blob *blobs;
    size_t n_blobs, cap_blobs;
    uint64_t next_command;
    struct proposal {
        uint64_t index, handle, node;
    } proposals[64];
    size_t n_proposals;
    uint32_t answer;       /* of the last proposal, change or read */
    uint64_t answer_index;
    uint64_t acked; /* highest index told to a client */
    struct reading {
        uint64_t tag, at_least;
    } readings[64];
    size_t n_readings;
    uint64_t next_tag;

    /* what is true, once committed */
    struct truth {
        uint64_t term, term_committed, digest;
        uint8_t hash[32];
    } *truth;
    size_t n_truth, cap_truth; /* truth[i] is of index i + 1 */
    struct table leaders, entries, votes, acks, heads;
    struct said { /* a vote or an acknowledgement, as signed */
        uint32_t kind, from, to;
        uint64_t cfg, term, index, log_term;
        uint8_t hash[32];
    } *said;
    size_t n_said, cap_said;
    mgc_raft_config configs[SIM_CONFIGS];
    size_t n_configs;
    struct elected {
        struct said vote;
        uint32_t ids;
        const mgc_raft_config *config;
    } elected[SIM_ELECTED];
    size_t n_elected;
    struct won { /* who was elected, and where its log ended then: what a certificate says */
        uint64_t term, log_term, index;
        uint32_t id;
    } won[SIM_ELECTED];
    size_t n_won;
    uint32_t judged;
    mgc_raft_config committed; /* the last configuration that anybody applied */
    mgc_raft_policy policy;
    bool wiped_once, convicted;
    uint64_t unsafe; /* lie mode: a rule was broken, somebody must be convicted */
    uint64_t first_after_calm;
};

/* sim.c */
void sim_run(const struct sim_opts *opts, uint64_t *marks, struct sim_result *result);
void sim_fail(struct sim *s, const char *format, ...) MGC_PRINTF(2, 3);
uint64_t sim_below(struct sim *s, uint64_t n);
bool sim_chance(struct sim *s, uint32_t per_thousand);
void sim_schedule(struct sim *s, uint64_t at, uint32_t kind, struct node *node, struct net *msg);
struct net *sim_new_net(struct sim *s);
void sim_free_net(struct sim *s, struct net *net);
void sim_send(struct sim *s, struct net *net); /* takes it */
uint64_t sim_blob(struct sim *s, const uint8_t *bytes, uint32_t len, uint64_t command);
enum { EV_TICK = 1, EV_DELIVER, EV_DISK, EV_CLIENT, EV_FAULT, EV_RESTART };

/* sim_node.c */
void node_start(struct sim *s, struct node *n);
void node_step(struct sim *s, struct node *n, const mgc_raft_event *event);
void node_disk(struct sim *s, struct node *n, bool report);
void node_crash(struct sim *s, struct node *n, bool media);
void node_snapshot(struct sim *s, struct node *n);
void node_free(struct sim *s, struct node *n);

/* sim_policy.c: membership by credit */
void policy_set_up(struct sim *s);
bool policy_propose(struct sim *s, struct node *n); /* false: there is nothing to propose */
bool policy_invent(struct sim *s, struct node *n);  /* a lying leader's own reasons */
uint64_t policy_vouch(struct sim *s, const struct node *n, const mgc_raft_msg *m);
void policy_committed(struct sim *s, const struct node *n, uint64_t index, const struct blob *b);

/* sim_shadow.c */
void shadow_start(struct sim *s, struct node *n, const mgc_raft_opts *opts, const mgc_raft_boot *boot);
void shadow_step(struct sim *s, struct node *n, const mgc_raft_event *event, const mgc_raft_output *out);

/* sim_witness.c */
void witness_elected(struct sim *s, struct node *n);
bool witness_message(struct sim *s, struct node *n, const mgc_raft_msg *m);
bool witness_signs(const struct sim *s, const struct node *n, const mgc_raft_msg *m);
void witness_cut(struct node *n, uint64_t from);
bool witness_clears(const struct node *n, const struct said *block, uint64_t term);

/* sim_check.c */
void check_step(struct sim *s, struct node *n, const mgc_raft_output *out);
void check_append(struct sim *s, const mgc_raft_entry *e);
void check_applied(struct sim *s, struct node *n, uint64_t index, const mgc_raft_entry *e);
void check_message(struct sim *s, const struct node *n, const struct net *net);
void check_read(struct sim *s, const mgc_raft_read *read);
void check_free(struct sim *s);

/* sim_audit.c: only where somebody lies */
void audit_hear(struct sim *s, const mgc_raft_msg *m);
void audit_configs(struct sim *s, const mgc_raft *r);
void audit(struct sim *s);

#endif
