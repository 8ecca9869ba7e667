/* SPDX-License-Identifier: Apache-2.0 */
/* Several members in this process: each a node with its own store; messages go over a queue. */
#ifndef SIM_MEMBERS_H
#define SIM_MEMBERS_H

#include <mgchain/io.h>
#include <mgchain/mgchain.h>
#include <stdbool.h>

typedef struct book book;

enum { NODES_MAX = 16, QUEUE_MAX = 65536, TERMS_MAX = 64, FAILOVERS_MAX = 16, SAMPLES_MAX = 1024, PEER_TICK_MS = 50, PEER_ELECTION_TICKS = 10 };

typedef struct peer {
    book *b;
    uint32_t id;
    mgc_key *key;
    mgc_storage_ops storage;
    void *storage_user;
    mgc_node *node;
    bool mute;        /* it signs no blocks: its signatures do not leave */
    bool lies;        /* it acknowledges everything twice, with two hashes */
    uint32_t side;    /* of a partition: messages pass between equal sides only */
} peer;

/* Who led, and since when. */
typedef struct term_line {
    uint64_t term, from_ms;
    uint32_t leader;
} term_line;

/* From the moment that a leader was gone to the next one's first word. */
typedef struct failover {
    uint64_t lost_ms, found_ms, term;
    uint32_t old, now;
    const char *why; /* static */
} failover;

/* Credit of all members, whenever it changed: by their place in the roster. */
typedef struct credit_sample {
    uint64_t time_ms;
    uint32_t node[NODES_MAX], trade[NODES_MAX], rank[NODES_MAX], convicted[NODES_MAX], standing[NODES_MAX];
} credit_sample;

/* Members from 1 on; the first one's node is the book's. */
typedef struct peers {
    peer list[NODES_MAX];
    mgc_member roster[NODES_MAX];
    uint32_t n;
    struct { uint32_t from, to; uint8_t *bytes; size_t len; } queue[QUEUE_MAX];
    size_t head, tail; /* both only grow; modulo QUEUE_MAX */
    uint64_t genesis_ms, messages, lost;
    term_line term[TERMS_MAX]; /* the last ones */
    failover over[FAILOVERS_MAX];
    credit_sample *sample; /* length SAMPLES_MAX, from peers_open() on */
    size_t n_terms, n_over, n_samples;
    uint64_t lost_ms; /* when the leader was seen last; 0: one leads */
    const char *why;
} peers;

mgc_status peers_open(book *b, uint32_t n, uint64_t genesis_ms);
void peers_close(book *b);
/* Let time come to b->now_ms, and on until nothing waits and all members stand alike: what was handed in is in blocks that a quorum
 * has signed.  MGC_E_STATE where that does not happen within a simulated minute. */
mgc_status peers_settle(book *b);
mgc_status peers_step(book *b); /* every member once, at b->now_ms, with the messages that come of it */
uint32_t peers_leader(book *b); /* whom the book's node follows; 0: nobody now */
/* A member's node goes without a farewell; the book asks another one meanwhile. */
void peers_stop(book *b, uint32_t id);
/* The first n members, among them the leader, are cut off from the others; the book asks one of those. */
void peers_cut(book *b, uint32_t n, uint32_t leader);
void peers_heal(book *b);
/* Until another member than the old one leads. */
mgc_status peers_new_leader(book *b, uint32_t old);
/* The stopped member starts from its store.  behind: blocks that it lacks. */
mgc_status peers_restart(book *b, uint32_t id, uint64_t *behind);
/* What a member's node has, as the other members' differ: those that are away or removed do not count. */
uint32_t peers_that_differ(book *b);
/* Blocks that a member has, all chains together. */
uint64_t peers_blocks(const peer *m);
/* A validator as the book's node knows it; false: unknown. */
bool peers_member(book *b, uint32_t id, mgc_node_member_info *info);

/* history.c: what came to pass, as object "consensus". */
void history_watch(book *b);
void history_write(mgc_json *json, const book *b);

#endif
