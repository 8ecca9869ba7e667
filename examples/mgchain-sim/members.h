/* SPDX-License-Identifier: Apache-2.0 */
/* Several members in this process: each a node with its own store; messages go over a queue. */
#ifndef SIM_MEMBERS_H
#define SIM_MEMBERS_H

#include <mgchain/mgchain.h>
#include <stdbool.h>

typedef struct book book;

enum { NODES_MAX = 16, QUEUE_MAX = 65536 };

typedef struct peer {
    book *b;
    uint32_t id;
    mgc_key *key;
    mgc_storage_ops storage;
    void *storage_user;
    mgc_node *node;
} peer;

/* Members from 1 on; the first one's node is the book's. */
typedef struct peers {
    peer list[NODES_MAX];
    mgc_member roster[NODES_MAX];
    uint32_t n;
    struct { uint32_t from, to; uint8_t *bytes; size_t len; } queue[QUEUE_MAX];
    size_t head, tail; /* both only grow; modulo QUEUE_MAX */
    uint64_t genesis_ms, messages, lost;
} peers;

mgc_status peers_open(book *b, uint32_t n, uint64_t genesis_ms);
void peers_close(book *b);
/* Let time come to b->now_ms, and on until nothing waits and all members stand alike: what was handed in is in blocks that a quorum
 * has signed.  MGC_E_STATE where that does not happen within a simulated minute. */
mgc_status peers_settle(book *b);
uint32_t peers_leader(book *b); /* whom the book's node follows; 0: nobody now */
/* A member's node goes without a farewell; the book asks another one meanwhile. */
void peers_stop(book *b, uint32_t id);
/* Until another member than the old one leads. */
mgc_status peers_new_leader(book *b, uint32_t old);
/* The stopped member starts from its store.  behind: blocks that it lacks. */
mgc_status peers_restart(book *b, uint32_t id, uint64_t *behind);
/* Heads of all chains at all members; the members that differ from the first one. */
uint32_t peers_that_differ(book *b);

#endif
