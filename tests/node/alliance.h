/* SPDX-License-Identifier: Apache-2.0 */
/* An alliance of a few whole members in one thread: links that delay, disks that lose what was not synced, and members that
 * lie.  One world for each test: open_all() .. close_all(). */
#ifndef TESTS_NODE_ALLIANCE_H
#define TESTS_NODE_ALLIANCE_H

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../consensus/sim/sim_disk.h"
#include "crypto/crypto.h"
#include "mgchain/consensus.h"
#include "mgchain/node.h"
#include "mgchain/verify.h"
#include "node/cluster.h"

enum { NODES = 6, TICK = 20, INFO = MGC_CONTRACT_INFORMATION };

struct message {
    uint64_t at;
    uint32_t from, to;
    uint8_t *bytes;
    size_t len;
};

struct member {
    uint32_t id, lost_store;
    uint64_t starts;
    struct sim_disk disk;
    mgc_node *node; /* NULL: down */
    mgc_key *key;
    bool lies, flips, forges; /* acknowledges twice; breaks a bit of every message; breaks every signature */
    bool two_heads;           /* says of a batch, to half of the others, that it ends in another hash */
    bool other_config;        /* sends snapshots with another configuration than the order's */
    bool apart;               /* neither sends nor hears */
    bool grants;              /* votes for whoever asks, whatever its log */
    bool (*instead)(uint32_t from, uint32_t to, const uint8_t *bytes, size_t len); /* true: it is not sent */
    uint64_t ahead;           /* its clock, of the others', in ms */
    bool may_fail;            /* a call that fails takes it down, as its host would */
    mgc_ctx *own_ctx;         /* NULL: that of all */
    uint32_t snapshots;
};

extern mgc_ctx *ctx;
extern mgc__rng rng;
extern struct member members[NODES + 1];
extern mgc_member people[NODES];
extern uint32_t n_voters, n_learners, n_nodes;
extern uint32_t sign_all, misconfigured;
extern struct message net[8192];
extern size_t n_net;
extern uint64_t now, nonce;
extern uint64_t world_seed; /* 0: 5; for the next open_all() */
extern uint32_t loss;       /* of messages, per thousand */
extern mgc_key *user;
extern uint32_t n_down; /* of those who may fail */
extern void (*before_steps)(void); /* every 4 ms, after what arrived; NULL */

#define OK(call)                                                                                  \
    do {                                                                                          \
        mgc_status status_ = (call);                                                              \
        ck_assert_msg(status_ == MGC_OK, "%s: %s", mgc_status_name(status_), mgc_ctx_error(ctx)); \
    } while (0)

/* A node on the member's disk as it is. */
void start(uint32_t id);
/* Its power is cut: what was not synced is lost or torn. */
void stop(uint32_t id);
/* A message as if one had sent it. */
void say(uint32_t from, uint32_t to, const uint8_t *bytes, size_t len);
/* So many milliseconds pass. */
void run(uint64_t ms);
/* The first are voters, then learners, then those who are to join; two seconds pass. */
void open_all(uint32_t voters, uint32_t learners, uint32_t newcomers);
void close_all(void);
mgc_node_info info_of(uint32_t id);
/* 0: none */
uint32_t leader(void);
/* What one says of another; all 0 where it knows nothing. */
mgc_node_member_info member_of(uint32_t asked, uint32_t id);
/* A transaction of a stranger, which stands in a block as refused; the ticket. */
uint64_t submit(uint32_t to, uint64_t at_nonce);
/* It stands in a final block: refused there, for nobody knows the sender. */
bool goes_through(uint32_t at, uint64_t ms);
/* All who learn or vote have the same final block. */
void check_alike(void);
/* By so many voters. */
void approve(uint32_t change, uint32_t whom, uint32_t how_many);
void found_market(void);
/* An epoch with some blocks on the trading chain, so that there are certificates to count. */
void epoch_passes(void);
/* The cases of a suite. */
int alliance_run(const char *name, void (*cases)(TCase *tc));

#endif
