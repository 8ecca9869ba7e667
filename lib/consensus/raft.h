/* SPDX-License-Identifier: Apache-2.0 */
/* Inside consensus.  One mgc_raft is one block of memory:
 *
 *   struct mgc_raft | ring of entry slots | peers | in-flight rings | reads | messages out
 *
 * Indices: base <= applied <= commit, stored <= last.  commit may be ahead of stored (a leader commits through its
 * followers while its own disk is slow); apply never is. */
#ifndef CONSENSUS_RAFT_H
#define CONSENSUS_RAFT_H

#include "base/base.h"
#include "consensus/quorum.h"
#include "mgchain/consensus.h"

enum {
    MGC__CONFIGS_MAX = 8,  /* configurations remembered: base, what follows it, and the one not yet committed */
    MGC__NOTES_MAX = 64,   /* in one step; more are dropped, state can always be asked for */
    MGC__SENDS_PER_PEER = 6, /* messages to one peer in one step; the rest goes with the next event */
    MGC__BURST_MAX = 4,    /* of them, batches of entries */
    MGC__BURST_AT_ONCE = 64, /* in the scenario language */
    MGC__TICKS_MAX = 1 << 30
};

/* Metadata of one entry; the ring holds base + 1 .. last. */
typedef struct mgc__slot {
    uint64_t index, term, handle;
    uint32_t len, type;
    uint8_t hash[32];
} mgc__slot;
_Static_assert(sizeof(mgc__slot) == 64, "one cache line an entry");

/* How the leader sends to a peer (thesis 10.2.1): one message at a time until it is known where the logs meet, then a
 * window of them, or a snapshot. */
enum { MGC__PROBE = 0, MGC__REPLICATE = 1, MGC__SNAPSHOT = 2 };

typedef struct mgc__peer {
    uint32_t id, incarnation, state;
    bool paused;    /* probe: one is under way */
    bool active;    /* answered since the last check of the quorum */
    bool wiped;     /* its disk is not the enrolled one: replicated to, not counted */
    bool snap_sent; /* a chunk is under way since the last heartbeat */
    uint64_t match, next;
    uint64_t round;       /* highest round of reads answered */
    uint64_t snap_offset; /* of the snapshot it is sent */
    uint64_t commit_sent; /* highest commit index told in an append */
    uint64_t *inflight;   /* last index of each append under way, ring */
    uint32_t in_head, in_n;
    uint8_t signature[64]; /* of its vote in this term */
} mgc__peer;

typedef struct mgc__pending_read {
    uint64_t tag, index, round; /* index 0: waits for the term barrier */
    uint32_t from;              /* 0: the host; else the follower that asked */
    uint32_t reserved0;
} mgc__pending_read;

/* A snapshot on its way in. */
typedef struct mgc__incoming {
    mgc_raft_snap_meta meta;
    uint64_t term, offset;
    uint32_t from;
    bool active, pending, whole;
} mgc__incoming;

/* Switches for the scenario language only; the product has none of them set.  AT_ONCE: what the product tells with an
 * answer that is owed, or asks in the next round, goes out by itself: the steps of the paper, each with its message. */
enum { MGC__NO_PREVOTE = 1, MGC__NO_CHECK_QUORUM = 2, MGC__AT_ONCE = 4 };

struct mgc_raft {
    mgc_ctx *ctx;
    mgc_raft_opts opts;
    uint32_t test_flags;
    mgc__rng rng;

    /* hard state */
    uint64_t term;
    uint32_t vote, incarnation;
    bool amnesia;

    uint32_t role, leader;
    uint32_t term_leader; /* of this term, once it was heard; durable with the vote: there is never another one; 0 */
    uint64_t term_start; /* leader: index of its no-op */

    /* log */
    mgc__slot *ring;
    uint64_t base, base_term;
    uint8_t base_hash[32];
    uint64_t last, stored, commit, applied, apply_sent;
    uint64_t uncommitted_bytes; /* leader: payload above commit */
    uint64_t fault_first, fault_last;
    uint32_t fetch_ticks, fetch_peer;

    /* configurations, ascending index; the last one is in force */
    mgc_raft_config configs[MGC__CONFIGS_MAX];
    uint32_t n_configs;
    mgc__electorate who;
    uint32_t self; /* own place among peers; n_peers where this member is in no configuration */
    mgc__peer *peers; /* in the order of the configuration's members */
    uint32_t n_peers;
    uint8_t votes[MGC_RAFT_MEMBERS_MAX];
    uint64_t config_noted; /* index of the last one told to be committed */

    /* time, in ticks */
    uint32_t election_ticks, deadline; /* since the last reset; when to campaign */
    uint32_t since_leader;             /* g: never reset by votes or terms */
    uint32_t heartbeat_ticks, check_ticks, transfer_ticks;
    uint32_t quiet_ticks; /* after a start, with reads by lease: no vote */

    /* storage */
    uint64_t next_token, done_token, hard_token, append_token, cut_token, repair_token;

    /* reads */
    mgc__pending_read *reads;
    uint32_t n_reads, read_ticks;
    uint64_t round;            /* last one sent */
    uint64_t round_now, lease_from; /* by the host's count */
    bool lease_off;            /* leadership was offered away in this term */
    uint64_t now;

    uint32_t transfer_to;
    bool forced; /* this campaign was asked for by the leader */

    /* snapshots */
    mgc_raft_snap_meta snap, snap_out; /* newest durable one; the one being sent */
    mgc__incoming in;

    /* credit view: read by credit.c alone */
    mgc_raft_credit credit[MGC_RAFT_MEMBERS_MAX];
    uint32_t n_credit;

    /* payloads that the core makes */
    uint64_t certificate_index;
    uint32_t certificate_len;
    uint8_t *certificate;
    uint64_t config_bytes_index;
    uint8_t config_bytes[MGC_RAFT_CONFIG_BYTES_MAX];

    /* outputs of the step that runs */
    mgc_raft_output *out;
    mgc_raft_msg *msgs;
    uint32_t msgs_cap;
    mgc_raft_read *reads_out;
    mgc_raft_snap snaps[1];
    mgc_raft_note notes[MGC__NOTES_MAX];
};

/* --- numbers of n bytes, little-endian ---------------------------------------------------------------------------- */

/* Returns what is behind it. */
static inline uint8_t *mgc__put_le(uint8_t *at, uint64_t x, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) *at++ = (uint8_t)(x >> 8 * i);
    return at;
}

static inline uint64_t mgc__get_le(const uint8_t *at, uint32_t n)
{
    uint64_t x = 0;

    while (n-- > 0) x = x << 8 | at[n];
    return x;
}

/* --- log.c ------------------------------------------------------------------------------------------------------ */

mgc__slot *mgc__log_slot(const mgc_raft *r, uint64_t index); /* base < index <= last */
bool mgc__log_known(const mgc_raft *r, uint64_t index);      /* base <= index <= last: term and hash can be told */
uint64_t mgc__log_term(const mgc_raft *r, uint64_t index);   /* 0 where it is not known */
const uint8_t *mgc__log_hash(const mgc_raft *r, uint64_t index);
uint64_t mgc__log_space(const mgc_raft *r);
/* Append one entry behind the last; the caller made sure of space.  Gives out its hash. */
void mgc__log_push(mgc_raft *r, const mgc_raft_entry *entry);
void mgc__log_truncate(mgc_raft *r, uint64_t from);
/* Note in the output that entries from first to the last are to be written. */
void mgc__log_write(mgc_raft *r, uint64_t first);
void mgc__log_compact(mgc_raft *r, uint64_t upto);
void mgc__log_reset(mgc_raft *r, const mgc_raft_snap_meta *meta);
bool mgc__log_up_to_date(const mgc_raft *r, uint64_t term, uint64_t index); /* a candidate's last entry, paper 5.4.1 */
void mgc__log_commit_to(mgc_raft *r, uint64_t index);
/* Durable token that must have been reported before this index may be acknowledged; 0: now. */
uint64_t mgc__log_after(const mgc_raft *r, uint64_t index);
uint64_t mgc__hard_after(const mgc_raft *r);
void mgc__entry_hash(const uint8_t previous[32], uint64_t index, uint64_t term, uint32_t type, const uint8_t root[32],
                     uint8_t hash[32]);

/* --- config.c --------------------------------------------------------------------------------------------------- */

mgc_raft_member *mgc__config_find(mgc_raft_config *c, uint32_t id);
const mgc_raft_member *mgc__config_member(const mgc_raft_config *c, uint32_t id);
bool mgc__config_joint(const mgc_raft_config *c);
bool mgc__config_voter(const mgc_raft_config *c, uint32_t id); /* in either half */
uint32_t mgc__config_count(const mgc_raft_config *c, uint32_t half); /* MGC_RAFT_VOTER or MGC_RAFT_VOTER_OLD */
mgc__electorate mgc__config_electorate(const mgc_raft_config *c); /* places in the order of its members */
/* NULL, or why the change is not allowed (static text).  to may not be from. */
const char *mgc__config_simple(const mgc_raft_config *from, const mgc_raft_change *changes, size_t n, mgc_raft_config *to);
const char *mgc__config_enter(const mgc_raft_config *from, const mgc_raft_change *changes, size_t n, bool auto_leave,
                              mgc_raft_config *to);
const char *mgc__config_first(const mgc_raft_config *empty, const mgc_raft_change *changes, size_t n, mgc_raft_config *to);
const char *mgc__config_leave(const mgc_raft_config *from, mgc_raft_config *to);
bool mgc__config_same_members(const mgc_raft_config *a, const mgc_raft_config *b);
uint32_t mgc__config_encode(const mgc_raft_config *c, uint8_t *bytes); /* MGC_RAFT_CONFIG_BYTES_MAX is enough */
bool mgc__config_decode(const uint8_t *bytes, size_t len, mgc_raft_config *c);

/* --- membership.c ----------------------------------------------------------------------------------------------- */

mgc_raft_config *mgc__config_now(mgc_raft *r);
const mgc_raft_config *mgc__config_at(const mgc_raft *r, uint64_t index);
/* Bring a configuration into force: peers follow it, progress of those that stay is kept. */
bool mgc__config_push(mgc_raft *r, const mgc_raft_config *c);
void mgc__config_activate(mgc_raft *r);
void mgc__config_drop_from(mgc_raft *r, uint64_t index);
uint32_t mgc__propose_config(mgc_raft *r, const mgc_raft_event *event); /* the answer */
void mgc__config_committed(mgc_raft *r);
void mgc__config_go_on(mgc_raft *r); /* the leader, after its commit index moved */

/* --- peers.c: progress of each peer ----------------------------------------------------------------------------- */

mgc__peer *mgc__peer_find(mgc_raft *r, uint32_t id);
bool mgc__peer_is_self(const mgc_raft *r, const mgc__peer *p);
void mgc__peer_reset(mgc_raft *r, mgc__peer *p, uint64_t next);
bool mgc__peer_window_open(const mgc_raft *r, const mgc__peer *p);
void mgc__peer_sent(mgc_raft *r, mgc__peer *p, uint64_t last);
void mgc__peer_acked(mgc_raft *r, mgc__peer *p, uint64_t index);
void mgc__peer_to(mgc__peer *p, uint32_t state);

/* --- output.c --------------------------------------------------------------------------------------------------- */

mgc_raft_msg *mgc__send(mgc_raft *r, uint32_t to, uint32_t kind); /* filled with what every message has */
void mgc__note(mgc_raft *r, uint32_t what, uint32_t a, uint64_t index);
void mgc__hard_changed(mgc_raft *r); /* term or vote changed: to be made durable as one record */

/* --- election.c ------------------------------------------------------------------------------------------------- */

void mgc__become_follower(mgc_raft *r, uint64_t term, uint32_t leader);
void mgc__become_leader(mgc_raft *r);
void mgc__election_timeout(mgc_raft *r);
void mgc__campaign(mgc_raft *r, bool pre, bool forced);
bool mgc__may_vote(const mgc_raft *r);
bool mgc__may_campaign(const mgc_raft *r);
bool mgc__in_lease(const mgc_raft *r);
void mgc__check_quorum(mgc_raft *r);
void mgc__reset_election(mgc_raft *r);
void mgc__heard_leader(mgc_raft *r);
void mgc__recv_vote_req(mgc_raft *r, const mgc_raft_msg *m);
void mgc__recv_vote_resp(mgc_raft *r, const mgc_raft_msg *m);
void mgc__recv_prevote_req(mgc_raft *r, const mgc_raft_msg *m);
void mgc__recv_prevote_resp(mgc_raft *r, const mgc_raft_msg *m);
void mgc__recv_timeout_now(mgc_raft *r, const mgc_raft_msg *m);
uint32_t mgc__transfer(mgc_raft *r, uint32_t to);
void mgc__transfer_go_on(mgc_raft *r, mgc__peer *p);

/* --- replicate.c: the leader's side ----------------------------------------------------------------------------- */

uint32_t mgc__propose(mgc_raft *r, const mgc_raft_event *event);
void mgc__broadcast(mgc_raft *r);
void mgc__send_append(mgc_raft *r, mgc__peer *p, bool even_empty);
void mgc__broadcast_heartbeat(mgc_raft *r);
void mgc__maybe_commit(mgc_raft *r);
void mgc__recv_append_resp(mgc_raft *r, const mgc_raft_msg *m);
void mgc__recv_heartbeat_resp(mgc_raft *r, const mgc_raft_msg *m);
void mgc__peer_unreachable(mgc_raft *r, uint32_t id);
void mgc__stored(mgc_raft *r, const mgc_raft_event *event);

/* --- follow.c: the follower's side ------------------------------------------------------------------------------ */

bool mgc__follow_leader(mgc_raft *r, const mgc_raft_msg *m);
void mgc__recv_append(mgc_raft *r, const mgc_raft_msg *m, uint64_t refuse_from);
void mgc__recv_heartbeat(mgc_raft *r, const mgc_raft_msg *m);
void mgc__ack(mgc_raft *r, uint32_t to, uint64_t index);

/* --- read.c ----------------------------------------------------------------------------------------------------- */

uint32_t mgc__read_ask(mgc_raft *r, uint64_t tag, uint32_t from);
void mgc__read_tick(mgc_raft *r);
void mgc__read_round_answered(mgc_raft *r);
void mgc__read_barrier_passed(mgc_raft *r);
void mgc__read_fail_all(mgc_raft *r);
void mgc__recv_read_req(mgc_raft *r, const mgc_raft_msg *m);
void mgc__recv_read_resp(mgc_raft *r, const mgc_raft_msg *m);

/* --- snapshot.c ------------------------------------------------------------------------------------------------- */

void mgc__send_snapshot(mgc_raft *r, mgc__peer *p);
void mgc__recv_snapshot(mgc_raft *r, const mgc_raft_msg *m);
void mgc__recv_snapshot_resp(mgc_raft *r, const mgc_raft_msg *m);
void mgc__snap_saved(mgc_raft *r, const mgc_raft_snap_meta *meta);
void mgc__snap_chunk(mgc_raft *r, const mgc_raft_event *event);
void mgc__snap_sent(mgc_raft *r, uint32_t id, uint64_t upto);

/* --- recover.c: damaged entries are fetched back, exactly ------------------------------------------------------- */

bool mgc__recovering(const mgc_raft *r);
void mgc__fault(mgc_raft *r, uint64_t first, uint64_t last);
void mgc__fault_tick(mgc_raft *r);
void mgc__fault_repaired(mgc_raft *r, uint64_t index);
void mgc__fault_repaired_upto(mgc_raft *r, uint64_t index);
void mgc__recv_fetch_req(mgc_raft *r, const mgc_raft_msg *m);
void mgc__recv_fetch_resp(mgc_raft *r, const mgc_raft_msg *m);

/* --- credit.c: the only file that reads the credit view --------------------------------------------------------- */

void mgc__credit_view(mgc_raft *r, const mgc_raft_credit *credit, uint32_t n);
uint32_t mgc__credit_deadline(mgc_raft *r);                            /* when to campaign */
bool mgc__credit_holds_back(const mgc_raft *r);                        /* own campaign, in the window */
bool mgc__credit_refuses_prevote(const mgc_raft *r, uint32_t candidate); /* another's, in the window */

/* --- certificate of a leader ------------------------------------------------------------------------------------ */

void mgc__certificate_build(mgc_raft *r);

/* --- tick.c: also what the scenario language pulls by hand ------------------------------------------------------ */

void mgc__tick(mgc_raft *r);
enum { MGC__FIRE_ELECTION = 1, MGC__FIRE_HEARTBEAT = 2, MGC__FIRE_CHECK_QUORUM = 3, MGC__FIRE_ELAPSE = 4 };
/* Test only: let one timer fire now, as a step of its own. */
void mgc__raft_fire(mgc_raft *r, uint32_t what, mgc_raft_output *out);
void mgc__raft_test_mode(mgc_raft *r, uint32_t flags);
/* Always on after each step: what must hold of a member by itself. */
void mgc__check_invariants(const mgc_raft *r);
void mgc__begin(mgc_raft *r, uint32_t event, mgc_raft_output *out);
void mgc__finish(mgc_raft *r);

#endif
