/* SPDX-License-Identifier: Apache-2.0 */
/* Bargaining with a pool: every member trades with all the others together, and what travels is sums (doc/math/bargain.md,
 * section 9).
 *
 *   pool.c        the tree over which sums go up and totals come down; masks; what to do about silence
 *   pool_stage.c  what is summed in each stage, and what is learnt from the total
 *   pool_start.c  what one day's run leaves for the next
 *   pool_model.c  a model whose links are members' connections to the pool
 *
 * One step of a run is one sum over all members:
 *
 *   up     child -> parent: own numbers plus those of the children, masked
 *   down   parent -> child: the total, the same for all
 *
 * The members are the nodes of a heap over the roster in ascending order of ids: every member knows the whole tree without a word.
 * There is no coordinator: the member at the root learns the total as everyone does.  Sums of integers do not depend on the
 * shape of the tree, so neither does a result.
 *
 * Masks: member k sends its successor in the roster (a ring) a seed, once.  Both derive the same numbers from it; k adds them,
 * the successor takes them away, modulo 2^62.  In the total all cancel; in any partial sum at least two seeds do not, unless it
 * lacks but one member.  Whoever forwards an offer learns nothing of it but by joining with both its ring neighbours
 * (Bonawitz et al. 2017, with a ring for the graph of masks and no drop-outs: a silent member ends the run). */
#ifndef BARGAIN_POOL_H
#define BARGAIN_POOL_H

#include "bargain/agent.h"

enum {
    MGC__POOL_SEED = 32,
    MGC__POOL_MEMBERS_MAX = 8192,
    MGC__POOL_CHILDREN = 8,       /* of a node of the tree, unless the host wants another number */
    MGC__POOL_PERIODS_MAX = 4096, /* three sums of two carriers must fit into a message */
    MGC__POOL_LINK = 2,           /* in a message's key 7: neither carrier */
    MGC__POOL_SHRINK_LEVELS = 6
};

/* Of a message between members of a pool; the third number of its key 7.  Numbers are never reused. */
enum {
    MGC__POOL_UP = 0,    /* values: the sum so far, masked */
    MGC__POOL_DOWN = 1,  /* values: the total */
    MGC__POOL_SEED_WORD = 2, /* values: 8 numbers of 32 bits */
    MGC__POOL_ASK = 3,   /* the sender still waits for the receiver's word of this step; step 0: its seed */
    MGC__POOL_ALIVE = 4, /* the sender waits for others itself */
    MGC__POOL_END = 5,   /* values: state, then the id to blame, 7 bytes a number; the run is over */
    MGC__POOL_WORDS = 6
};

/* Numbers of one step, summed so far. */
typedef struct mgc__pool_sum {
    uint64_t step;
    uint32_t stage, round;
    size_t n;
    int64_t *values;
    int64_t flood[MGC__FLOODS]; /* not masked: the largest, or what all must hold alike (stage HELLO) */
} mgc__pool_sum;

typedef struct mgc__pool_peer {
    char *id;
    bool parent, child, successor, predecessor;
    bool full;          /* its word of this step is here */
    uint64_t heard_ms;  /* when it last said anything */
    mgc__pool_sum word;
    uint64_t hash;      /* of it */
    bool due[MGC__POOL_WORDS];
    mgc__buf out[MGC__POOL_WORDS];
} mgc__pool_peer;

/* One carrier's market: the same numbers at all members. */
typedef struct mgc__market {
    size_t end;       /* own connection; SIZE_MAX: none */
    uint64_t members; /* connected; a market needs two */
    double rho;
    double *y;        /* [periods] multiplier of sum x = 0: minus the price of what is sent */
    double capacity;  /* [kW] root of the sum of squares over members and periods */
    double primal, dual, at_stake;
} mgc__market;

typedef struct mgc__pool {
    size_t n, me;     /* members; own place in the roster */
    uint64_t roster;  /* hash of it */
    size_t n_peers, parent; /* parent: SIZE_MAX at the root */
    mgc__pool_peer *peer;   /* ascending by id */

    uint8_t seed_out[MGC__POOL_SEED], seed_in[MGC__POOL_SEED];
    bool has_secret, seeded, masks_in;
    bool gathered;    /* children's words are in `up` */
    mgc__pool_sum up, total, last;
    size_t width;     /* room in each sum */
    char culprit[MGC__ID_MAX + 1]; /* who ended the run */
    bool told;        /* END is on its way */

    mgc__market market[2];
    uint64_t start_hash;  /* of prices kept from an earlier run; 0: none */
    double size;      /* [currency] sum of |stand-alone cost| */
    bool hurry;       /* somebody wants an end */
    uint32_t calm;    /* rounds of agreement */
    double surplus;
    int64_t micro;    /* own payment */
} mgc__pool;

/* pool.c */
/* The members of the run, own one among them; texts are copied.  secret: 32 bytes or NULL: no masks of one's own.
 * children 0: MGC__POOL_CHILDREN. */
mgc_status mgc__pool_attach(mgc_agent *agent, const char *const *roster, size_t n, const uint8_t *secret, uint32_t children);
void mgc__pool_free(mgc_agent *agent);
mgc_status mgc__pool_poll(mgc_agent *agent, uint64_t now_ms, mgc_agent_output *out);
mgc_status mgc__pool_receive(mgc_agent *agent, uint64_t now_ms, const char *from, const uint8_t *bytes, size_t len);
mgc_status mgc__pool_advance(mgc_agent *agent, uint64_t now_ms);
uint64_t mgc__pool_said(const mgc_agent *agent);
/* One message of a checkpoint's log, as if it had arrived. */
mgc_status mgc__pool_replay(mgc_agent *agent, const uint8_t **at, size_t *left);

/* pool_stage.c */
bool mgc__pool_talks(uint32_t stage);
size_t mgc__pool_values(const mgc_agent *agent); /* of the present stage */
/* Work of the present stage and round; own numbers into sum where it talks. */
mgc_status mgc__pool_prepare(mgc_agent *agent, mgc__pool_sum *sum);
/* A child's words into the sum; false: it holds other terms. */
bool mgc__pool_merge(const mgc_agent *agent, mgc__pool_sum *sum, const mgc__pool_sum *from);
mgc_status mgc__pool_listen(mgc_agent *agent, const mgc__pool_sum *total);
int64_t mgc__pool_wrap(uint64_t x); /* modulo 2^62, nearest to 0 */

/* pool_start.c */
mgc_status mgc__pool_start_read(mgc_agent *agent, const uint8_t *bytes, size_t len);
/* Of these agents of one pool. */
void mgc__pool_start_write(mgc_agent *const *agent, size_t n, mgc__buf *buf);

/* pool_model.c */
bool mgc__is_pool(const mgc_model *model, const char *id); /* the pool, not a member of that name */
bool mgc__model_has_pool(const mgc_model *model);
/* Every member's links of a carrier become one connection: capacities add up, loss and fee must be the same on all links. */
mgc_status mgc__pool_model(const mgc_model *model, mgc_model **out);

#endif
