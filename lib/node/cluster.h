/* SPDX-License-Identifier: Apache-2.0 */
/* Several members: the consensus orders rounds of transactions, each member executes them, and a block is final when a
 * quorum has signed its header.
 *
 *   cluster.c   the host of the core: time, storage, messages
 *   round.c     what an entry of the common order is, and what becomes of it
 *   final.c     votes on blocks, certificates, blocks for members that were away
 *
 * A transaction's way
 *   1. It waits at the member that got it, which sends it to the leader.
 *   2. The leader gathers what waits into a round and proposes it.
 *   3. Once the order is committed, every member executes the round: a block on each chain that has work.
 *   4. Each member stores its blocks, syncs, and sends its signatures on their headers.
 *   5. With a quorum's signatures a block is final; after the next sync it is acknowledged.
 *
 * What can go wrong
 *   a member computes another block    its signature fits no one's header; without a quorum on one header the chain stops
 *                                      there instead of splitting
 *   crash before the certificate       the ledger forgets the block; the round is still in the consensus log and is
 *                                      executed again
 *   crash between log and ledger       a round's time is later than that of every round before: what the ledger has is
 *                                      not executed twice
 *   votes or certificates lost         asked for again, of any member
 *   the log was compacted              blocks with their certificates are fetched from a member and checked one by one */
#ifndef NODE_CLUSTER_H
#define NODE_CLUSTER_H

#include "consensus/store.h"
#include "mgchain/consensus.h"
#include "node/node.h"

enum {
    CLUSTER_MEMBERS_MAX = 16,   /* of a market; its certificates stay small */
    CLUSTER_PENDING = 64,       /* blocks of a chain that wait for votes */
    CLUSTER_ROUND_BYTES = 4 << 20, /* of a proposal: it goes to every member as one entry */
    CLUSTER_LOG_MAX = 1024,
    CLUSTER_COMPACT = 256,      /* entries after which a snapshot is due */
    CLUSTER_AGAIN_TICKS = 10    /* what is missing is asked for so often */
};

/* Kinds of envelopes between nodes; the first byte of a message. */
enum { ENVELOPE_RAFT = 1, ENVELOPE_TX = 2, ENVELOPE_VOTE = 3, ENVELOPE_WANT = 4, ENVELOPE_BLOCK = 5 };

typedef struct pending_votes { /* of one block */
    uint64_t height;
    uint32_t n;
    mgc_vote votes[CLUSTER_MEMBERS_MAX];
} pending_votes;

/* Where the chains stood after an entry of the order. */
typedef struct standing {
    mgc_raft_snap_meta meta;
    uint32_t n;
    uint64_t heights[HOMES];
    uint8_t hashes[HOMES][32];
    bool set;
} standing;

typedef struct mgc__cluster mgc__cluster;
struct mgc__cluster {
    mgc_node *node;
    mgc_member members[CLUSTER_MEMBERS_MAX];
    uint32_t n_members;
    mgc__raftlog *log;
    mgc_raft *raft;
    void *memory;
    uint64_t now_ms, tick_at; /* time of the last step; when the next tick is due */
    bool ticking;
    uint64_t ordered;   /* last entry executed */
    uint64_t apply_next, apply_end; /* committed and to be executed: from next on, up to before end */
    uint32_t depth;     /* of events within events */
    uint64_t proposed;  /* round under way, as leader; 0: none */
    uint64_t last_time; /* of the last round executed or proposed */
    uint32_t leader, role, ticks_since_ask;
    uint64_t dropped;   /* messages that were malformed or untrue */
    const mgc_raft_event *event; /* being handled: where payloads of new entries come from */
    const uint8_t *payload;      /* of a proposal */
    size_t payload_len;
    mgc__buf wire, body, round;
    pending_votes votes[HOMES][CLUSTER_PENDING];
    standing coming;    /* a snapshot will be taken there, once all is final */
    standing target;    /* a snapshot from the leader: blocks are being fetched up to it */
    uint32_t target_from;
};

/* --- cluster.c ---------------------------------------------------------------------------------- */

mgc_status mgc__cluster_start(mgc_node *node);
void mgc__cluster_stop(mgc_node *node);
mgc_status mgc__cluster_step(mgc_node *node, uint64_t now_ms, uint64_t *wake_ms);
mgc_status mgc__cluster_receive(mgc_node *node, uint32_t from, const uint8_t *bytes, size_t len);
/* A transaction that waits here: tell the leader. */
void mgc__cluster_forward(mgc_node *node, const uint8_t *bytes, size_t len);
mgc_status mgc__cluster_event(mgc__cluster *c, const mgc_raft_event *event);
void mgc__cluster_send(mgc__cluster *c, uint32_t to, const mgc__buf *bytes); /* to 0: all others */
mgc_status mgc__cluster_publish(mgc__cluster *c, const standing *s);

/* --- round.c ------------------------------------------------------------------------------------ */

mgc_status mgc__round_propose(mgc__cluster *c);
mgc_status mgc__round_execute(mgc__cluster *c, const uint8_t *bytes, size_t len);
mgc_status mgc__round_standing(mgc__cluster *c, standing *s); /* but for the meta */

/* --- final.c ------------------------------------------------------------------------------------ */

mgc_status mgc__final_sign(mgc__cluster *c, uint32_t chain, uint64_t height); /* after a sync */
mgc_status mgc__final_vote(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len);
mgc_status mgc__final_want(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len);
mgc_status mgc__final_block(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len);
mgc_status mgc__final_tick(mgc__cluster *c);

static inline void cluster_put32(mgc__buf *b, uint32_t x)
{
    uint8_t bytes[4] = {(uint8_t)x, (uint8_t)(x >> 8), (uint8_t)(x >> 16), (uint8_t)(x >> 24)};

    mgc__buf_put(b, bytes, 4);
}

static inline void cluster_put64(mgc__buf *b, uint64_t x)
{
    cluster_put32(b, (uint32_t)x);
    cluster_put32(b, (uint32_t)(x >> 32));
}

/* Reading straight down; once it failed it stays failed. */
typedef struct cluster_reader {
    const uint8_t *at, *end;
    bool bad;
} cluster_reader;

static inline const uint8_t *cluster_get(cluster_reader *r, size_t len)
{
    const uint8_t *at = r->at;

    if (r->bad || (size_t)(r->end - r->at) < len) {
        r->bad = true;
        return NULL;
    }
    r->at += len;
    return at;
}

static inline uint64_t cluster_uint(cluster_reader *r, int bytes)
{
    const uint8_t *at = cluster_get(r, (size_t)bytes);
    uint64_t x = 0;

    for (int i = 0; at != NULL && i < bytes; i++) x |= (uint64_t)at[i] << 8 * i;
    return x;
}

#endif
