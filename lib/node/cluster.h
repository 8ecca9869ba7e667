/* SPDX-License-Identifier: Apache-2.0 */
/* Several members: the consensus orders rounds of transactions, each member executes them, and a block is final when a
 * quorum has signed its header.
 *
 *   boot.c      start from storage; snapshots of the order
 *   cluster.c   the host of the core: time, storage, messages
 *   round.c     what an entry of the common order is, and what becomes of it
 *   final.c     votes on blocks, certificates, blocks for members that were away
 *   members.c   who takes part, and how that changes
 *   order.c     who signs blocks: the order's configurations in the chains' headers
 *   policy.c    what of that follows from credit; which configurations are taken
 *   sign.c      signatures on messages; who signs two truths
 *   kept.c      certificates of leaders, kept; votes that they answer for
 *   lost.c      final entries that a later leader lacks
 *   mend.c      blocks that a member's disk lost
 *   credit.c    what credit says to the consensus, and what the leader tells credit
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
    CLUSTER_MEMBERS_MAX = 16,   /* voters of a market; its certificates stay small */
    CLUSTER_KNOWN_MAX = MGC_RAFT_MEMBERS_MAX, /* with learners, and those that were removed */
    CLUSTER_PENDING = 64,       /* blocks of a chain that wait for votes */
    CLUSTER_LATE = 8,           /* blocks back for which votes are still kept */
    CLUSTER_ROUND_BYTES = 4 << 20, /* of a proposal: it goes to every member as one entry */
    CLUSTER_LOG_MAX = 1024,
    CLUSTER_COMPACT = 256,      /* entries after which a snapshot is due */
    CLUSTER_AGAIN_TICKS = 10,   /* what is missing is asked for so often */
    CLUSTER_ASKS_MAX = 30,      /* so often in vain: who brought a snapshot is gone, and not only slow */
    CLUSTER_AHEAD_MS = 86400000, /* a leader's clock may be ahead of this member's by so much: a day, wrong zones included */
    CLUSTER_DEEDS_MAX = 1 << 20 /* bytes of all changes of who takes part: several hundred; they are in each snapshot */
};

/* Kinds of envelopes between nodes; the first byte of a message. */
enum {
    ENVELOPE_RAFT = 1,
    ENVELOPE_TX = 2,
    ENVELOPE_VOTE = 3,
    ENVELOPE_WANT = 4,
    ENVELOPE_BLOCK = 5,
    ENVELOPE_CHANGE = 6,  /* a voter's approval of a change of who takes part */
    ENVELOPE_SIGNED = 7,  /* one of the others, signed as a whole */
    ENVELOPE_LED = 8,     /* certificates of leaders, then what kind 1 has */
    ENVELOPE_LOST = 9,    /* by a member whose ledger is damaged: which stored block it needs */
    ENVELOPE_FOUND = 10   /* a piece of it, with its proof */
};

typedef struct pending_votes { /* of one block */
    uint64_t height;
    uint32_t n;
    mgc_vote votes[CLUSTER_KNOWN_MAX];
} pending_votes;

/* Whom the common order knows, and what was decided that he be: MGC_STANDING_... */
typedef struct known_member {
    uint32_t id, aim;
    uint32_t by_credit; /* 1: aim is what credit made of it, not operators */
    uint8_t public_key[32];
} known_member;

/* A credit table that a majority of voters approved of: what it says follows from it (consensus.h) by the same rule everywhere. */
typedef struct credit_table {
    uint64_t epoch; /* 0: none */
    uint32_t n;
    uint8_t hash[32]; /* of the rest */
    mgc_raft_standing list[CLUSTER_KNOWN_MAX];
} credit_table;

/* All that members must agree on besides the chains: a function of the executed order alone, namely of its changes. */
typedef struct roster {
    uint64_t changes; /* carried out so far */
    size_t deeds;     /* bytes of their entries, each with its length before it */
    credit_table table; /* of the last change by credit */
    uint32_t n;
    known_member list[CLUSTER_KNOWN_MAX]; /* ascending ids */
} roster;

/* Where the chains and the roster stood after an entry of the order. */
typedef struct standing {
    mgc_raft_snap_meta meta;
    uint32_t n;
    uint64_t heights[HOMES];
    uint8_t hashes[HOMES][32];
    roster roster;
    bool set;
    bool said; /* the chains say what the configuration is: others can verify it */
} standing;

/* A change that a voter approves of. */
typedef struct approval {
    uint32_t change, member, voter; /* MGC_CHANGE_...; whose; who approves; change 0: none */
    uint64_t serial;                /* roster.changes when it was made */
    uint64_t epoch;                 /* of the credit table that it follows from; 0: it is an operator's */
    uint8_t public_key[32], table[32], signature[64]; /* table: its hash */
} approval;

/* A statement that a member signed: what is compared with the next one of its kind.  The kinds are those of the evidence
 * that two of them make. */
enum { STATEMENT_VOTE = 2, STATEMENT_ACK = 3, STATEMENT_HEAD = 4, STATEMENT_BYTES = 68, STATEMENTS_MAX = 24 };
typedef struct statement {
    uint8_t kind, len;
    uint8_t body[STATEMENT_BYTES], signature[64];
} statement;

/* What this member heard of another since start: nothing that members must agree on. */
typedef struct heard {
    uint32_t id, incarnation; /* of its store, by its last message */
    uint64_t acknowledged;    /* to this leader */
    uint64_t led_term;        /* in which it answered this leader: it has its certificate */
    uint32_t n_votes, n_others;
    statement votes[4], others[STATEMENTS_MAX]; /* rings */
    bool accused;             /* evidence was handed in */
} heard;

typedef struct mgc__cluster mgc__cluster;
struct mgc__cluster {
    mgc_node *node;
    roster roster;
    mgc_raft_config config; /* of the order, as executed */
    uint8_t genesis_config[32]; /* hash of the first one */
    bool unsaid; /* the last snapshot is one that others refuse */
    heard heard[CLUSTER_KNOWN_MAX];
    uint32_t n_heard;
    approval own, approvals[CLUSTER_MEMBERS_MAX]; /* own: to be told again until it is decided */
    credit_table own_table; /* that own follows from */
    mgc__buf deeds, target_deeds; /* what the roster follows from, and that of the target */
    mgc__raftlog *log;
    mgc_raft *raft;
    void *memory;
    uint64_t now_ms, tick_at; /* time of the last step; when the next tick is due */
    bool ticking, removed;    /* removed: and that is committed */
    uint64_t ordered;   /* last entry executed */
    uint64_t apply_next, apply_end; /* committed and to be executed: from next on, up to before end */
    uint32_t depth;     /* of events within events */
    uint64_t proposed;  /* round under way, as leader; 0: none */
    uint64_t last_time; /* of the last round executed or proposed */
    uint32_t leader, role, ticks_since_ask, ticks_since_hand_over;
    uint64_t dropped;   /* messages that were malformed or untrue */
    uint64_t unanswered; /* votes that were not given, for lack of a certificate to answer with */
    uint64_t forged;    /* without the signature that they need */
    uint64_t astray_term; /* whose leader's clock is not to be followed; 0: none */
    uint64_t refused_configs; /* appends that stop before a configuration without a reason */
    uint64_t evidence;  /* contradictions handed in */
    uint64_t own_ticket; /* of the last transaction of its own; 0: none */
    const mgc_raft_event *event; /* being handled: where payloads of new entries come from */
    const uint8_t *payload;      /* of a proposal */
    size_t payload_len;
    mgc__buf wire, body, round, sealed;
    pending_votes votes[HOMES][CLUSTER_PENDING];
    standing coming;    /* a snapshot will be taken there, once all is final */
    standing target;    /* a snapshot from the leader: blocks are being fetched up to it */
    uint32_t target_from;
    uint64_t target_got; /* blocks that were final when it was asked for more last */
    uint32_t target_waits; /* so often in vain */
    mgc_raft_credit credit[CLUSTER_KNOWN_MAX]; /* by rank, as the core was told */
    uint32_t n_credit, convicted, demote; /* convicted, demote: bits by rank */
    uint64_t credit_epoch; /* whose table it is; 0: the market is not founded */
    uint32_t node_credit[CLUSTER_KNOWN_MAX], trade_credit[CLUSTER_KNOWN_MAX]; /* by rank */
    struct kept *kept;     /* kept.h */
    statement signed_last; /* of this member: the same head goes to every peer */
};

/* --- boot.c ------------------------------------------------------------------------------------- */

enum { STANDING_MAX = MGC_RAFT_CONFIG_BYTES_MAX + 512 + CLUSTER_DEEDS_MAX };

mgc_status mgc__cluster_start(mgc_node *node);
void mgc__cluster_stop(mgc_node *node);
/* *good: whole, and every change of who takes part was approved by a majority of those who took part then; deeds: filled. */
mgc_status mgc__standing_read(mgc__cluster *c, const uint8_t *bytes, size_t len, standing *s, mgc__buf *deeds, bool *good);
mgc_status mgc__cluster_publish(mgc__cluster *c, const standing *s, const mgc__buf *deeds);
/* A snapshot is due after so many entries: note where the chains stand; take it once that is acknowledged. */
mgc_status mgc__standing_note(mgc__cluster *c);
mgc_status mgc__standing_take(mgc__cluster *c);

/* --- cluster.c ---------------------------------------------------------------------------------- */

mgc_status mgc__cluster_step(mgc_node *node, uint64_t now_ms, uint64_t *wake_ms);
mgc_status mgc__cluster_receive(mgc_node *node, uint32_t from, const uint8_t *bytes, size_t len);
/* A transaction that waits here: tell the leader. */
void mgc__cluster_forward(mgc_node *node, const uint8_t *bytes, size_t len);
mgc_status mgc__cluster_event(mgc__cluster *c, const mgc_raft_event *event);
void mgc__cluster_send(mgc__cluster *c, uint32_t to, const mgc__buf *bytes); /* to 0: all others */
/* As leader: an entry of the common order; *index 0: it was not taken now.  bytes: until it returns. */
mgc_status mgc__cluster_propose(mgc__cluster *c, const uint8_t *bytes, size_t len, uint64_t *index);

/* --- round.c ------------------------------------------------------------------------------------ */

mgc_status mgc__round_propose(mgc__cluster *c);
mgc_status mgc__round_execute(mgc__cluster *c, const uint8_t *bytes, size_t len);
mgc_status mgc__round_standing(mgc__cluster *c, standing *s); /* but for the meta */

/* --- members.c ---------------------------------------------------------------------------------- */

enum { CHANGE_VERSION = 2 }; /* first number of an entry; a round's is 1 */

void mgc__roster_begin(const mgc__cluster *c, roster *r); /* as the options name it */
/* As the options and then those entries have it; *good: each was a change. */
mgc_status mgc__roster_replay(mgc__cluster *c, const uint8_t *deeds, size_t len, roster *r, bool *good);
const known_member *mgc__known(const mgc__cluster *c, uint32_t id); /* NULL: a stranger */
heard *mgc__heard(mgc__cluster *c, uint32_t id); /* NULL: too many strangers */
bool mgc__joining(const mgc__cluster *c); /* a newcomer that nobody has added yet */
uint32_t mgc__standing_of(const mgc__cluster *c, uint32_t id); /* in the configuration in force here */
bool mgc__signs_blocks(const mgc_node *node, uint32_t id); /* of the chain that credit is on, now */
mgc_status mgc__change_receive(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len);
mgc_status mgc__change_execute(mgc__cluster *c, const uint8_t *bytes, size_t len);
mgc_status mgc__members_tick(mgc__cluster *c);

/* --- order.c ------------------------------------------------------------------------------------ */

mgc_status mgc__order_hash(const mgc_raft_config *config, uint8_t hash[32]);
mgc_status mgc__order_configure(mgc__cluster *c, const mgc__raftlog_entry *e); /* is executed */
bool mgc__order_said(const mgc__cluster *c, const mgc_raft_config *config);    /* by all chains, that it is in force */
/* In an open block: what it must say so that the chain gets there; *changes: something. */
mgc_status mgc__order_announce(mgc__cluster *c, mgc_chain *chain, bool *changes);

/* --- policy.c ----------------------------------------------------------------------------------- */

mgc_status mgc__table_hash(const credit_table *t, uint8_t hash[32]);
mgc_status mgc__table_now(const mgc__cluster *c, credit_table *t);
mgc_status mgc__table_decide(const mgc__cluster *c, const credit_table *t, mgc_raft_change *change);
/* For an append: the first entry that is a configuration which does not follow from roster and table; 0: all may be taken. */
mgc_status mgc__config_vouch(mgc__cluster *c, const mgc_raft_msg *msg, uint64_t *refuse_from);
/* Does it order a round in a time that has not come?  Then its leader is not listened to any more in that term. */
bool mgc__time_astray(mgc__cluster *c, const mgc_raft_msg *msg);

/* --- sign.c ------------------------------------------------------------------------------------- */

/* Sign what a message has to sign; MGC_OK where it has nothing. */
mgc_status mgc__msg_sign(mgc__cluster *c, mgc_raft_msg *msg);
/* *good: all that it must have signed is; a contradiction to what was heard before is handed in. */
mgc_status mgc__msg_check(mgc__cluster *c, mgc_raft_msg *msg, bool *good);
struct mgc__stored_block; /* ledger/block.h */
mgc_status mgc__accuse_blocks(mgc__cluster *c, uint32_t id, const struct mgc__stored_block *a, const uint8_t *signature_a,
                              const struct mgc__stored_block *b, const uint8_t *signature_b);
/* The certificate of a leader, payload of a no-op: its votes are statements, too. */
mgc_status mgc__leader_check(mgc__cluster *c, const uint8_t *bytes, size_t len);
mgc_status mgc__sign_bytes(mgc__cluster *c, const char *tag, const void *bytes, size_t len, uint8_t signature[64]);
/* MGC_E_BAD_SIGNATURE also for a stranger. */
mgc_status mgc__verify_bytes(mgc__cluster *c, const char *tag, uint32_t from, const void *bytes, size_t len,
                             const uint8_t signature[64]);
mgc_status mgc__verify_by_key(mgc__cluster *c, const char *tag, const uint8_t public_key[32], const void *bytes, size_t len,
                              const uint8_t signature[64]);
/* Hand in a transaction of this member's own, through its pool. */
mgc_status mgc__submit_own(mgc_node *node, uint32_t contract, const char *method, mgc_args *args);

/* --- credit.c ----------------------------------------------------------------------------------- */

/* What the applied state says of credit, for the core; *changed: other than it was told. */
mgc_status mgc__credit_look(mgc__cluster *c, bool *changed);
void mgc__credit_past(const mgc__cluster *c, mgc_node_member_info *m); /* of one who signed once and does not any more */
mgc_status mgc__credit_hand_over(mgc__cluster *c);
/* As leader, before a round with work on the trading chain: certificates and epochs that are due go into the pool. */
mgc_status mgc__credit_tell(mgc__cluster *c);

/* --- final.c ------------------------------------------------------------------------------------ */

mgc_status mgc__final_sign(mgc__cluster *c, uint32_t chain, uint64_t height);
mgc_status mgc__final_acknowledge(mgc__cluster *c); /* certify what can be, sync, tell */
mgc_status mgc__final_vote(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len);
mgc_status mgc__final_want(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len);
mgc_status mgc__final_block(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len);
mgc_status mgc__final_tick(mgc__cluster *c);
/* A snapshot is not what it should be: the core forgets it, so that another one may come. */
mgc_status mgc__snapshot_refused(mgc__cluster *c, uint32_t from, uint64_t index);
/* Are these a quorum for that block, if their signatures are good? */
bool mgc__final_enough(const mgc__cluster *c, uint32_t chain, uint64_t height, const mgc_vote *votes, uint32_t n);

/* --- mend.c ------------------------------------------------------------------------------------- */

/* The ledger is damaged.  *whole: it was mended by what is here; if not, and no failure, node->mending is set. */
mgc_status mgc__mend_begin(mgc_node *node, bool *whole);
mgc_status mgc__mend_step(mgc_node *node, uint64_t now_ms, uint64_t *wake_ms);
mgc_status mgc__mend_receive(mgc_node *node, uint32_t from, const uint8_t *bytes, size_t len, bool *whole);
mgc_status mgc__mend_state(const mgc_node *node); /* MGC_E_STATE, with what is missing as the text */
void mgc__mend_end(mgc_node *node);
void mgc__mend_answer(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len); /* to who needs a block */

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
