/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster in one thread for tests: members with a model of their disks, channels that move nothing by themselves, and
 * the invariants that must hold after every act. */
#ifndef TEST_CLUSTER_H
#define TEST_CLUSTER_H

#include "consensus/raft.h"
#include "crypto/crypto.h"

enum { NODES_MAX = 9, DISK_MAX = 4096, TEXT_MAX = 256 };

typedef struct blob {
    uint8_t *bytes;
    uint32_t len;
} blob;

/* A message under way: header and entries copied, payloads by handle.  Or a client's command that a host passes on. */
typedef struct letter {
    struct letter *next;
    uint64_t command;
    bool is_command;
    mgc_raft_msg msg;
    mgc_raft_entry *entries;
    mgc_raft_config config;
} letter;

typedef struct channel {
    letter *first, **last, *stash;
    mgc_raft_msg last_of[MGC_RAFT_KIND_END]; /* last one ever sent of each kind */
    bool cut;
} channel;

typedef struct record {
    uint64_t index, term, handle;
    uint32_t len, type;
    uint8_t hash[32];
    bool bad; /* payload lost, header intact */
} record;

/* A write that is not durable yet. */
typedef struct op {
    struct op *next;
    mgc_raft_hard hard;
    mgc_raft_append append;
    record *records;
} op;

typedef struct disk {
    mgc_raft_hard hard;
    mgc_raft_snap_meta base;
    record log[DISK_MAX];
    uint64_t last;
    bool slow, broken, amnesia;
    op *first, **end;
} disk;

typedef struct seen_read {
    uint64_t tag, index;
    uint32_t served;
} seen_read;

typedef struct node {
    uint32_t id;
    bool up;
    void *memory;
    mgc_raft *raft;
    disk disk;
    letter *waiting, **waiting_end; /* for a token */
    letter *own, **own_end;         /* to itself */
    uint64_t done;
    uint64_t commit_seen, checked;
    seen_read reads[256];
    uint32_t n_reads, answer;
    uint32_t notes[32];
    const mgc_raft_credit *credit;
    uint32_t n_credit;
} node;

typedef struct committed {
    uint64_t term, in_term;
    uint8_t hash[32];
    bool known;
} committed;

typedef struct cluster {
    uint32_t n, test_flags;
    bool lease_is_silent; /* a pre-vote refused for a leader that is heard: the answer is not carried */
    mgc_raft_opts opts;
    mgc_raft_snap_meta genesis;
    node nodes[NODES_MAX + 1]; /* by id */
    channel channels[NODES_MAX + 1][NODES_MAX + 1];
    committed log[DISK_MAX];
    struct { uint64_t term; uint32_t id; } leaders[DISK_MAX];
    uint32_t n_leaders;
    uint64_t delivered;
    char fault[TEXT_MAX]; /* first broken rule; "" none */
} cluster;

uint64_t blob_of(const void *bytes, size_t len); /* handle; equal bytes have equal handles */
const blob *blob_at(uint64_t handle);

cluster *cluster_new(uint32_t n, uint32_t voters, uint32_t learners); /* bit i: id i; 0: all vote */
void cluster_free(cluster *c);
void cluster_fault(cluster *c, const char *format, ...) MGC_PRINTF(2, 3);

void disk_append(cluster *c, uint32_t id, uint64_t term, const char *data); /* before the start */
void node_start(cluster *c, uint32_t id);
void node_crash(cluster *c, uint32_t id);
void node_wipe(cluster *c, uint32_t id);
void node_event(cluster *c, uint32_t id, const mgc_raft_event *event);
void node_fire(cluster *c, uint32_t id, uint32_t what);
void node_propose(cluster *c, uint32_t id, const char *data);
void host_propose(cluster *c, uint32_t id, const char *data); /* passed on to the leader that is known, as hosts do */
void node_persisted(cluster *c, uint32_t id, uint64_t upto); /* complete writes up to that index; 0: one, ~0: all */
mgc_raft_info node_info(const cluster *c, uint32_t id);

/* Deliver one letter now, whatever the channel says; it is freed. */
void deliver(cluster *c, letter *l);
letter *take_letter(channel *ch, uint32_t kind); /* first of that kind, 0: of any */
letter *copy_letter(const letter *l);
void free_letter(letter *l);
void flow(cluster *c, uint32_t from, uint32_t to, uint32_t kind);
bool settle(cluster *c, uint32_t set); /* bit i: id i; false where it does not get quiet */

/* Hash of entry (index, term) as any member has it, its own first; zeros where none has. */
void known_hash(const cluster *c, uint32_t first_look, uint64_t index, uint64_t term, uint8_t hash[32]);

void check_invariants(cluster *c);

/* scenario.c: run a file; 0 or 1 with the fault printed as file:line: text. */
int run_scenario(const char *path, char *fault, size_t cap);

#endif
