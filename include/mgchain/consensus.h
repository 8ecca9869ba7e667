/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file consensus.h
 * Raft as one pure function: an event in, effects out.
 *
 * mgc_raft orders opaque entries among members.  It reads no clock, opens no socket or file, starts no thread, calls
 * nothing back and allocates nothing: its memory is one block that the host gives at mgc_raft_init().  The host hands
 * in events (time has passed, a message came, bytes are durable) and carries out what comes out, in this order:
 *
 *  1. output.hard      make term and vote durable, then answer with HARD_STORED
 *  2. output.append    write these entries, then answer with STORED
 *  3. output.msgs      send; one with `after` not 0 only once that token is reported durable
 *  4. output.apply     hand these entries to the state machine, then answer with APPLIED
 *  5. output.reads     reads that may be answered now, or must be refused
 *  6. output.snaps     snapshot work
 *  7. output.notes     what changed: leader, role, configuration, faults
 *
 * Tokens rise by one and must be reported in their order; a failed write is never reported, the member stops instead.
 * An entry's payload stays with the host under a 64-bit handle; the core keeps index, term, type and chain hash.
 *
 * Threads: one at a time for each mgc_raft.  The protocol as built, and what is promised: doc/consensus.md.
 */
#ifndef MGCHAIN_CONSENSUS_H
#define MGCHAIN_CONSENSUS_H

#include "mgchain/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mgc_raft mgc_raft; /* within the memory that the host gives */

/* --- members -------------------------------------------------------------------------------------------------------- */

enum {
    MGC_RAFT_MEMBERS_MAX = 32, /**< voters and learners, old and new, of one configuration: a bitmap of 32 bits */
    MGC_RAFT_CHANGES_MAX = 32  /**< changes in one proposal */
};

/** What a member is in a configuration; flags. */
enum {
    MGC_RAFT_VOTER = 1,       /**< counts in the majority of the configuration (of the new half, while joint) */
    MGC_RAFT_VOTER_OLD = 2,   /**< counts in the majority of the old half; only while joint */
    MGC_RAFT_LEARNER = 4,     /**< receives the log, counts nowhere */
    MGC_RAFT_LEARNER_NEXT = 8 /**< becomes a learner when the joint configuration is left; still VOTER_OLD */
};

/** One member of a configuration. */
typedef struct mgc_raft_member {
    uint32_t id;          /**< not 0 */
    uint32_t roles;       /**< MGC_RAFT_VOTER ... */
    uint32_t incarnation; /**< of its disk; messages of another one are not counted */
    uint32_t reserved0;   /**< 0 */
} mgc_raft_member;

/** A configuration.  Majorities are counted from it and from nothing else. */
typedef struct mgc_raft_config {
    uint64_t index;             /**< of its entry in the log */
    uint64_t epoch;             /**< credit epoch of the last change that credit made; 0: none yet */
    uint8_t justification[32];  /**< hash of the credit table that this change follows from; zeros: an operator's */
    uint32_t auto_leave;        /**< 1: the leader leaves the joint configuration by itself */
    uint32_t n_members;         /**< in members */
    mgc_raft_member members[MGC_RAFT_MEMBERS_MAX]; /**< ascending ids */
} mgc_raft_config;

/** What a proposal may do to one member. */
enum {
    MGC_RAFT_ADD_VOTER = 1,   /**< also: promote a learner */
    MGC_RAFT_ADD_LEARNER = 2, /**< also: demote a voter */
    MGC_RAFT_REMOVE = 3,      /**< of an unknown id: no effect */
    MGC_RAFT_UPDATE = 4       /**< new incarnation of a known id, else no effect */
};

/** A change of one member's part. */
typedef struct mgc_raft_change {
    uint32_t op;          /**< MGC_RAFT_ADD_VOTER ... */
    uint32_t id;          /**< 0: no effect */
    uint32_t incarnation; /**< kept unless the op adds or updates */
    uint32_t reserved0;   /**< 0 */
} mgc_raft_change;

/* --- entries and messages ------------------------------------------------------------------------------------------- */

/** Type of an entry. */
enum {
    MGC_RAFT_NOOP = 1,  /**< first entry of a term; payload: the leader certificate, or empty when unsigned */
    MGC_RAFT_DATA = 2,  /**< the host's */
    MGC_RAFT_CONFIG = 3 /**< a configuration, encoded by the core */
};

/** One entry.  Its hash is SHA-256 of "mgchain/entry/1", previous hash, term, index, type and root. */
typedef struct mgc_raft_entry {
    uint64_t index, term; /**< where it stands in the log, and of which term */
    uint64_t handle;      /**< the host's name for the payload */
    const uint8_t *bytes; /**< payload; borrowed for the call; needed for CONFIG, may be NULL otherwise */
    uint32_t len;         /**< bytes of payload */
    uint32_t type;        /**< MGC_RAFT_NOOP ... */
    uint8_t root[32];     /**< hash that stands for the payload (see mgc_raft_payload_root()); an input only */
    uint8_t hash[32];     /**< chain hash; filled by the core */
} mgc_raft_entry;

/** Kind of a message.  Numbers are what stands on the wire. */
enum {
    MGC_RAFT_VOTE_REQ = 1,      /**< index, log_term, hash: the candidate's last entry */
    MGC_RAFT_VOTE_RESP = 2,     /**< granted unless REJECT; index, log_term, hash as asked: what is signed */
    MGC_RAFT_PREVOTE_REQ = 3,   /**< term: the one it would campaign in */
    MGC_RAFT_PREVOTE_RESP = 4,  /**< context: term asked for; term: the same if granted, else the refuser's own */
    MGC_RAFT_APPEND_REQ = 5,    /**< index, log_term, hash: entry before the first; commit; head: hash after the last */
    MGC_RAFT_APPEND_RESP = 6,   /**< index, hash: durable through; REJECT: index refused,
                                     hint and log_term where to try */
    MGC_RAFT_HEARTBEAT_REQ = 7, /**< commit; context: round of reads */
    MGC_RAFT_HEARTBEAT_RESP = 8,
    MGC_RAFT_SNAPSHOT_REQ = 9,   /**< index, log_term, hash, config: of the snapshot; context: config.index;
                                      hint: offset */
    MGC_RAFT_SNAPSHOT_RESP = 10, /**< index: of the snapshot; hint: next offset wanted */
    MGC_RAFT_READ_REQ = 11,      /**< context: tag of a read, sent on to the leader */
    MGC_RAFT_READ_RESP = 12,     /**< context: tag; index: to be applied first; REJECT: ask again */
    MGC_RAFT_TIMEOUT_NOW = 13,   /**< leadership is handed over: campaign at once */
    MGC_RAFT_FETCH_REQ = 14,     /**< index, log_term, hash: a damaged entry, wanted exactly so */
    MGC_RAFT_FETCH_RESP = 15,    /**< the one entry, behind index - 1 */
    MGC_RAFT_KIND_END = 16
};

/** Flags of a message. */
enum {
    MGC_RAFT_REJECT = 1, /**< refused */
    MGC_RAFT_FORCE = 2,  /**< a campaign that the leader asked for: its lease does not stand against it */
    MGC_RAFT_LAST = 4,   /**< last chunk of a snapshot */
    MGC_RAFT_SIGNED = 8  /**< signature is present, and on receipt verified by the host */
};

/** A message.  In an output: header only; entries are index + 1 ... index + n_entries, got by mgc_raft_entry_get(). */
typedef struct mgc_raft_msg {
    uint32_t kind, from, to, flags; /**< MGC_RAFT_VOTE_REQ ...; sender; receiver; MGC_RAFT_REJECT ... */
    uint32_t incarnation; /**< the sender's */
    uint32_t n_entries; /**< length of entries */
    uint64_t term; /**< the sender's, or as its kind says */
    uint64_t cfg;      /**< index of the sender's configuration */
    uint64_t index;    /**< see the kinds */
    uint64_t log_term; /**< term of the entry at index */
    uint64_t commit; /**< the sender's commit index */
    uint64_t hint; /**< see the kinds */
    uint64_t context; /**< see the kinds */
    uint64_t after; /**< outputs: leave only once this token is durable; 0: at once */
    uint8_t hash[32]; /**< chain hash; see the kinds */
    uint8_t head[32]; /**< chain hash after the last entry */
    uint8_t signature[64]; /**< of flags MGC_RAFT_SIGNED; else zero */
    const mgc_raft_entry *entries; /**< received: n_entries, borrowed for the call; outputs: NULL */
    const uint8_t *bytes;          /**< received snapshot chunk, borrowed for the call */
    size_t len;                    /**< bytes in it */
    const mgc_raft_config *config; /**< of a snapshot; borrowed until the next step */
} mgc_raft_msg;

/* --- events --------------------------------------------------------------------------------------------------------- */

/** Kind of an event. */
enum {
    MGC_RAFT_TICK = 1,          /**< one tick of time has passed */
    MGC_RAFT_RECV = 2,          /**< msg came; signatures and payload roots were checked by the host */
    MGC_RAFT_PROPOSE = 3,       /**< entries: handle, len, root (bytes optional); type DATA */
    MGC_RAFT_CONF = 4,          /**< changes, or none: leave a joint configuration; epoch and justification */
    MGC_RAFT_READ = 5,          /**< tag */
    MGC_RAFT_TRANSFER = 6,      /**< member: hand leadership to it */
    MGC_RAFT_STORED = 7,        /**< token, term, upto: that append is durable; upto: its last index, term:
                                     that entry's */
    MGC_RAFT_HARD_STORED = 8,   /**< token */
    MGC_RAFT_SNAP_SAVED = 9,    /**< snap: a snapshot of ours, or the one received, is durable */
    MGC_RAFT_SNAP_SENT = 10,    /**< member, upto: it took a snapshot by another way, through upto; upto 0: it failed */
    MGC_RAFT_SNAP_CHUNK = 11,   /**< member (from), upto: index of the snapshot, offset: a chunk is kept up to here; 0
                                 *   where it was to be put in force: it cannot be, let it be sent anew */
    MGC_RAFT_APPLIED = 12,      /**< upto; credit, n_credit: the credit view after it, or NULL: as before */
    MGC_RAFT_STORAGE_FAULT = 13, /**< first ... upto were found damaged: payload lost, header intact */
    MGC_RAFT_PEER_UNREACHABLE = 14, /**< member: the last message to it was certainly lost */
    MGC_RAFT_COMPACT = 15       /**< upto: entries up to here are covered by a durable snapshot and may go */
};

/** Credit of one member as consensus may see it: who fires first, and who waits in the window. */
typedef struct mgc_raft_credit {
    uint32_t id; /**< member */
    uint32_t rank;               /**< 0: fires first */
    uint32_t may_campaign_early; /**< 0: waits until the window is over */
    uint32_t reserved0;          /**< 0 */
} mgc_raft_credit;

/** What a snapshot stands for. */
typedef struct mgc_raft_snap_meta {
    uint64_t index, term; /**< of the last entry that it stands for */
    uint8_t hash[32]; /**< chain hash of the entry at index */
    mgc_raft_config config; /**< in force at index */
} mgc_raft_snap_meta;

/** One event.  Zero what is not named by its kind. */
typedef struct mgc_raft_event {
    uint32_t kind;     /**< MGC_RAFT_TICK ... */
    uint32_t member;   /**< TRANSFER, SNAP_SENT, SNAP_CHUNK, PEER_UNREACHABLE */
    uint64_t now;      /**< the host's own count of ticks, monotone; 0: not told, no read is answered by lease */
    uint64_t token;    /**< STORED, HARD_STORED */
    uint64_t term;     /**< STORED */
    uint64_t first;    /**< STORAGE_FAULT */
    uint64_t upto;     /**< STORED, SNAP_SENT, SNAP_CHUNK, APPLIED, STORAGE_FAULT, COMPACT */
    uint64_t offset;   /**< SNAP_CHUNK */
    uint64_t tag;      /**< READ */
    uint64_t epoch;    /**< CONF */
    uint64_t refuse_from; /**< RECV: the host vouches only for entries before this index; 0: for all */
    const uint8_t *justification;   /**< CONF: 32 bytes or NULL */
    const mgc_raft_msg *msg;        /**< RECV; borrowed for the call */
    const mgc_raft_entry *entries;  /**< PROPOSE; borrowed for the call */
    const mgc_raft_change *changes; /**< CONF; borrowed for the call */
    const mgc_raft_credit *credit;  /**< APPLIED; copied */
    const mgc_raft_snap_meta *snap; /**< SNAP_SAVED; copied */
    uint32_t n_entries, n_changes, n_credit; /**< lengths of entries, changes, credit */
    uint32_t reserved0; /**< 0 */
} mgc_raft_event;

/* --- outputs -------------------------------------------------------------------------------------------------------- */

/** How an event was answered.  Anything but ACCEPTED means that nothing was begun. */
enum {
    MGC_RAFT_ACCEPTED = 0,
    MGC_RAFT_NOT_LEADER = 1,      /**< see output.leader */
    MGC_RAFT_LOG_FULL = 2,        /**< log_max entries wait for compaction, or too many are not committed */
    MGC_RAFT_TRANSFERRING = 3,    /**< leadership is being handed over */
    MGC_RAFT_CONFIG_PENDING = 4,  /**< one change at a time */
    MGC_RAFT_TERM_BARRIER = 5,    /**< no entry of the leader's own term is committed yet */
    MGC_RAFT_BAD_CHANGE = 6,      /**< it would leave no voter, or too many members, or fits not the joint state */
    MGC_RAFT_READS_FULL = 7,
    MGC_RAFT_IGNORED = 8,         /**< message or completion of another time; nothing changed */
    MGC_RAFT_RECOVERING = 9,      /**< entries are damaged and not yet fetched back */
    MGC_RAFT_NOT_MEMBER = 10      /**< no such voter */
};

/** Make durable as one atomic record; every field together. */
typedef struct mgc_raft_hard {
    uint64_t token; /**< 0: nothing to do */
    uint64_t term; /**< current term */
    uint64_t commit;      /**< a hint: may be written late or not at all */
    uint32_t vote;        /**< 0: none */
    uint32_t incarnation; /**< of this disk */
    uint32_t leader;      /**< of this term, once it was followed: there is never another one; 0: none yet */
    uint32_t reserved0;   /**< 0 */
} mgc_raft_hard;

/** Write entries first..last, having cut away everything from truncate_from on (0: nothing to cut). */
typedef struct mgc_raft_append {
    uint64_t token; /**< 0: nothing to do */
    uint64_t first, last; /**< entries to write */
    uint64_t truncate_from; /**< equal to first, or 0 */
    uint64_t term;          /**< of the entry at last: to be given back in STORED */
    uint32_t repair;        /**< 1: entry first is written again in its old place, nothing behind it is touched */
    uint32_t reserved0;     /**< 0 */
} mgc_raft_append;

/** Answer of a read. */
typedef struct mgc_raft_read {
    uint64_t tag; /**< as asked */
    uint64_t index;  /**< the state at this index or later answers it */
    uint32_t served; /**< 0: refused; leadership was lost or the leader could not be asked: ask again */
    uint32_t reserved0;
} mgc_raft_read;

/** Snapshot work. */
enum {
    MGC_RAFT_SNAP_WRITE = 1,  /**< keep this chunk at offset (0: begin anew), then SNAP_CHUNK */
    MGC_RAFT_SNAP_INSTALL = 2 /**< with this chunk it is whole: check, put in force, then SNAP_SAVED;
                                   or SNAP_CHUNK, offset 0 */
};

/** A piece of snapshot work. */
typedef struct mgc_raft_snap {
    uint32_t op;   /**< MGC_RAFT_SNAP_WRITE, MGC_RAFT_SNAP_INSTALL */
    uint32_t from; /**< who sends it */
    uint64_t offset; /**< where the chunk stands */
    const uint8_t *bytes; /**< borrowed from the event */
    size_t len; /**< bytes in the chunk */
    mgc_raft_snap_meta meta; /**< of the snapshot */
} mgc_raft_snap;

/** What changed. */
enum {
    MGC_RAFT_NOTE_ROLE = 1,          /**< a: role now; term */
    MGC_RAFT_NOTE_LEADER = 2,        /**< a: the leader now, 0: none known; term */
    MGC_RAFT_NOTE_CONFIG = 3,        /**< index: a configuration came into force (on append) */
    MGC_RAFT_NOTE_CONFIG_COMMIT = 4, /**< index: it is committed */
    MGC_RAFT_NOTE_CONFIG_BACK = 5,   /**< index: of the configuration that is in force again after a truncation */
    MGC_RAFT_NOTE_DIVERGED = 6,      /**< a: who sent it; index: same index and term, other hash:
                                          someone signed two truths */
    MGC_RAFT_NOTE_REFUSED = 7,       /**< a: who sent it; index: the host did not vouch for this entry */
    MGC_RAFT_NOTE_FAULTY = 8,        /**< index: damaged here; being fetched */
    MGC_RAFT_NOTE_REPAIRED = 9,      /**< index: fetched back and durable */
    MGC_RAFT_NOTE_WIPED = 10,        /**< a: a member whose disk is not the enrolled one */
    MGC_RAFT_NOTE_TRANSFER = 11,     /**< a: to whom leadership is handed; 0: given up */
    MGC_RAFT_NOTE_WINDOW_HELD = 12,  /**< own campaign was put off: the window is open */
    MGC_RAFT_NOTE_WINDOW_REFUSED = 13, /**< a: whose pre-vote was refused in the window */
    MGC_RAFT_NOTE_REMOVED = 14,      /**< this member is no longer in the configuration, and that is committed */
    MGC_RAFT_NOTE_SNAPSHOT_WANTED = 15 /**< a: a peer needs what was compacted and there is no snapshot to send */
};

/** One thing that changed. */
typedef struct mgc_raft_note {
    uint32_t what; /**< MGC_RAFT_NOTE_ROLE ... */
    uint32_t a; /**< see the notes */
    uint64_t index, term; /**< see the notes */
} mgc_raft_note;

/** Roles. */
enum { MGC_RAFT_FOLLOWER = 1, MGC_RAFT_PRE_CANDIDATE = 2, MGC_RAFT_CANDIDATE = 3, MGC_RAFT_LEADER = 4 };

/** State before and after, for checking a run against the specification. */
typedef struct mgc_raft_trace {
    uint64_t term, commit, last, stored, applied; /**< last applied index */
    uint32_t event, role, vote, leader; /**< MGC_RAFT_TICK ... */
} mgc_raft_trace;

/** Effects of one step.  Everything is borrowed until the next step. */
typedef struct mgc_raft_output {
    uint32_t answer; /**< MGC_RAFT_ACCEPTED ... */
    uint32_t leader; /**< known leader, 0: none */
    uint64_t index;  /**< PROPOSE, CONF: index of the first entry accepted */
    mgc_raft_hard hard; /**< term and vote to make durable */
    mgc_raft_append append; /**< entries to write */
    mgc_raft_append repair; /**< a fetched entry to write in its place */
    const mgc_raft_msg *msgs; /**< to be sent; borrowed until the next step, as all arrays here */
    size_t n_msgs; /**< length of msgs */
    uint64_t apply_first, apply_last; /**< apply_first > apply_last: nothing */
    const mgc_raft_read *reads; /**< answered or refused */
    size_t n_reads; /**< length of reads */
    const mgc_raft_snap *snaps; /**< snapshot work */
    size_t n_snaps; /**< length of snaps */
    const mgc_raft_note *notes; /**< what changed */
    size_t n_notes; /**< length of notes */
    mgc_raft_trace before, after; /**< the step: state before and after it */
} mgc_raft_output;

/* --- life ----------------------------------------------------------------------------------------------------------- */

/** Options; times in ticks. */
typedef struct mgc_raft_opts {
    size_t struct_size;
    uint32_t id;                /**< own; not 0 */
    uint32_t incarnation;       /**< of the disk; 1 */
    uint64_t seed;              /**< of the random part of election timeouts; mixed with id */
    uint32_t election_ticks;    /**< ET; 10; 2..100000 */
    uint32_t heartbeat_ticks;   /**< 1; below election_ticks */
    uint32_t credit_window_ticks; /**< G: how long credit may hold a campaign back; 0: 2 * ET; at most 8 * ET */
    uint32_t rank_ticks;        /**< delta between ranks; 0: half an ET divided by n - 1, rounded up */
    uint32_t members_max;       /**< room for peers; 7; 1..MGC_RAFT_MEMBERS_MAX */
    uint32_t log_max;           /**< entries between snapshot and end; 512; a power of two, 16..2^24 */
    uint32_t batch_entries;     /**< in one message; 64; 1..4096 */
    uint32_t batch_bytes;       /**< payload in one message, at least one entry; 1 MiB */
    uint32_t inflight_max;      /**< messages under way to one peer; 16; 1..256 */
    uint32_t reads_max;         /**< reads that wait; 64 */
    uint64_t uncommitted_bytes; /**< payload proposed and not committed, above it LOG_FULL; 64 MiB */
    uint32_t lease_ticks;       /**< reads by lease this long after a majority answered; 0: never; below ET / 2 */
    uint32_t sign;              /**< 1: votes and acknowledgements carry signatures, no-ops the leader certificate */
    uint32_t propose_max;       /**< entries above the base from which on proposals are answered LOG_FULL; 0, and at most:
                                     seven eighths of log_max.  The same on all members, also where log_max had to be
                                     larger to load what the disk held: else a leader gets ahead of what others can
                                     take, and nothing can be committed to make room */
    uint32_t reserved0;         /**< 0 */
} mgc_raft_opts;

/** Fill with defaults.  size: sizeof(mgc_raft_opts).  Since 0.1 */
MGC_API void mgc_raft_opts_init(mgc_raft_opts *opts, size_t size);

/** What the disk held. */
typedef struct mgc_raft_boot {
    mgc_raft_hard hard;            /**< token ignored; all zeros on a new disk */
    mgc_raft_snap_meta base;       /**< of the snapshot, or mgc_raft_genesis() */
    const mgc_raft_entry *entries; /**< base.index + 1 ...; index, term, type, len, handle, hash; bytes for CONFIG */
    size_t n_entries;              /**< at most log_max */
    uint64_t applied;              /**< the state machine stands here, 0: at the snapshot; at most the last entry */
    uint64_t fault_first, fault_last; /**< damaged entries to fetch back; 0, 0: none */
    uint32_t amnesia;              /**< 1: this disk may have lost an acknowledged entry or a vote: neither votes nor
                                        campaigns until a committed configuration names this incarnation */
    uint32_t reserved0;            /**< 0 */
} mgc_raft_boot;

/** The base of a new alliance: entry 1 of term 1 is its first configuration, committed everywhere.
 *  @param members voters and learners; roles VOTER or LEARNER; copied and sorted
 *  @return MGC_OK, MGC_E_INVALID_ARG (none, a repeated or zero id, no voter), MGC_E_LIMIT
 *  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_genesis(mgc_ctx *ctx, const mgc_raft_member *members, size_t n,
                                                  mgc_raft_snap_meta *base);

/** Bytes of memory that such a member needs.
 *  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_RANGE (an option), MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE
 *  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_size(mgc_ctx *ctx, const mgc_raft_opts *opts, size_t *size);

/** Lay a member into memory, as a follower of what the disk held.
 *  @param ctx    for error texts; may be NULL; borrowed for the life of the member
 *  @param opts   copied
 *  @param boot   copied, its entries too
 *  @param memory size bytes, aligned for uint64_t; borrowed for the life of the member, which ends when the host
 *                takes the memory back
 *  @param out    NULL on failure
 *  @return MGC_OK; MGC_E_INVALID_ARG, MGC_E_RANGE, MGC_E_LIMIT (more entries than log_max, more members than
 *          members_max), MGC_E_CORRUPT (entries that do not follow each other), MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE
 *  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_init(mgc_ctx *ctx, const mgc_raft_opts *opts, const mgc_raft_boot *boot,
                                               void *memory, size_t size, mgc_raft **out);

/** One event.
 *  @param event borrowed for the call
 *  @param out   filled; what it points to is borrowed until the next step
 *  @return MGC_OK (read out->answer); MGC_E_INVALID_ARG (the event breaks the rules of its kind: misuse by the host);
 *          MGC_E_LIMIT (more entries than fit a message).  What came from a peer never fails the call.
 *  Cost   no allocation; O(members + entries of the event).  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_step(mgc_raft *raft, const mgc_raft_event *event, mgc_raft_output *out);

/* --- looking -------------------------------------------------------------------------------------------------------- */

/** State of a member. */
typedef struct mgc_raft_info {
    size_t struct_size;
    uint64_t term, commit, applied, stored, first, last, last_term; /**< last applied index */
    uint64_t config_index; /**< of the configuration in force */
    uint32_t role, vote, leader, id; /**< own */
    uint32_t recovering;  /**< 1: damaged entries wait to be fetched */
    uint32_t may_vote;    /**< 0: amnesia or recovering */
    uint32_t ticks_since_leader; /**< g, saturating */
    uint32_t joint;       /**< 1: the configuration in force is joint */
} mgc_raft_info;

/** @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_get_info(const mgc_raft *raft, mgc_raft_info *info);

/** The entry at index as the core knows it.  bytes is set only for payloads that the core made (CONFIG, and a no-op's
 *  certificate until the next step); root is zeros.
 *  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_NOT_FOUND.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_entry_get(const mgc_raft *raft, uint64_t index, mgc_raft_entry *entry);

/** What a snapshot of the state at index would stand for; index from the last compaction to what was applied.
 *  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_NOT_FOUND.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_snap_meta_at(const mgc_raft *raft, uint64_t index, mgc_raft_snap_meta *meta);

/** The configuration in force; borrowed until the next step.  Since 0.1 */
MGC_API const mgc_raft_config *mgc_raft_config_now(const mgc_raft *raft);

/** The voter to whom a leader of low credit should hand over: the best-ranked one whose log matches and who answered
 *  lately; 0: none, or this member is no leader, or it need not.  The host decides and sends TRANSFER.  Since 0.1 */
MGC_API uint32_t mgc_raft_caretaker_target(const mgc_raft *raft);

/* --- who votes, by credit --------------------------------------------------------------------------------------------
 *
 * A rule instead of an operator: at the end of a credit epoch the leader asks mgc_raft_policy_decide() and proposes what
 * it says (CONF with epoch and the hash of the credit table); every follower asks mgc_raft_policy_vouch() before it takes
 * such an entry, and refuses one that it cannot recompute.  Both see the committed configuration and the credit table
 * and nothing else, so that all members say the same. */

/** Flags of a standing. */
enum {
    MGC_RAFT_CONVICTED = 1, /**< signed two truths */
    MGC_RAFT_ABSENT = 2     /**< took part in too little for K_d epochs in a row, under two different leaders at least */
};

/** One member in a credit table.  A member without one (a regulator) is never made a voter nor demoted. */
typedef struct mgc_raft_standing {
    uint32_t id; /**< member */
    uint32_t node_credit;  /**< N, 0..10000 */
    uint32_t trade_credit; /**< T, 0..10000 */
    uint32_t flags;        /**< MGC_RAFT_CONVICTED ... */
} mgc_raft_standing;

/** The credit table of one epoch. */
typedef struct mgc_raft_table {
    uint64_t epoch;                   /**< from 1 */
    const uint8_t *hash;              /**< 32 bytes: what the blocks' headers say of it; borrowed for the call */
    const mgc_raft_standing *members; /**< borrowed for the call */
    size_t n_members; /**< length of members */
} mgc_raft_table;

/** How credit becomes consequences. */
typedef struct mgc_raft_policy {
    size_t struct_size;
    uint32_t enter;        /**< a learner from this N on may become a voter; 5000; above leave, up to 10000 */
    uint32_t leave;        /**< an absent voter below this N is made a learner; 2000 */
    uint32_t voters_min;   /**< fewer are never left; 3; 1..MGC_RAFT_MEMBERS_MAX */
    uint32_t voters_max;   /**< more are never made; 0: no limit but MGC_RAFT_MEMBERS_MAX */
    uint32_t dwell_epochs; /**< between two changes by credit; 4; removing who is convicted waits for one */
    uint32_t reserved0;    /**< 0 */
} mgc_raft_policy;

/** Fill with defaults.  size: sizeof(mgc_raft_policy).  Since 0.1 */
MGC_API void mgc_raft_policy_init(mgc_raft_policy *policy, size_t size);

/** What the policy makes of a table: who is convicted is removed; a voter that is absent and below `leave` becomes a
 *  learner; a learner from `enter` on becomes a voter; the worst of the first two kinds first, the best of the third.
 *  One at a time, none while a change is under way, within the dwell, or below voters_min.
 *  @param policy NULL: defaults
 *  @param now    configuration in force, committed; of a joint one nothing follows
 *  @param change filled; op 0: nothing is to be done.  A leader that finds its own id here hands over first (TRANSFER);
 *                the next one proposes
 *  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_RANGE (an option, or a credit above 10000), MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE
 *  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_policy_decide(mgc_ctx *ctx, const mgc_raft_policy *policy,
                                                        const mgc_raft_config *now, const mgc_raft_table *table,
                                                        mgc_raft_change *change);

/** Which entries of an append can be vouched for?  A configuration with a justification must be what
 *  mgc_raft_policy_decide() says of that epoch's table and the configuration before it, and may not dismiss the leader
 *  who proposes it.  One that the leader says is committed, of an epoch older than all tables, is taken; one of an epoch
 *  that has not been reached here must wait.  Operators' configurations are not looked at.
 *  @param tables those of the epochs that lie between the log's base and what is applied here, any order: a proposal
 *                that nobody can recompute any more would stay in the log, and hold up all behind it
 *  @param refuse_from filled: for the event's field of that name; 0: all may be taken.  A host that takes such an
 *                entry must know again, after a crash, how far its state stood: make that durable (hard.commit, or
 *                the state itself, told by boot.applied) no later than the entry
 *  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_RANGE, MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_policy_vouch(mgc_ctx *ctx, const mgc_raft *raft,
                                                       const mgc_raft_policy *policy, const mgc_raft_msg *msg,
                                                       const mgc_raft_table *tables, size_t n_tables,
                                                       uint64_t *refuse_from);

/* --- bytes ---------------------------------------------------------------------------------------------------------- */

enum {
    MGC_RAFT_MSG_BYTES = 224,      /**< header of every message on the wire */
    MGC_RAFT_BODY_MAX = 1 << 26,   /**< bytes behind it: far above a batch, far below what would hurt */
    MGC_RAFT_BATCH_MAX = 4096,     /**< entries in one message */
    MGC_RAFT_ENTRY_BYTES = 16,     /**< header of an entry in a message */
    MGC_RAFT_CONFIG_BYTES_MAX = 464, /**< payload of a CONFIG entry */
    MGC_RAFT_SIGNED_BYTES_MAX = 128  /**< what is signed, without tag and chain id */
};

/** SHA-256 of "mgchain/payload/1" and the payload: the root that stands for it in the chain.  Since 0.1
 *  @return MGC_OK, MGC_E_INVALID_ARG */
MGC_API MGC_NODISCARD mgc_status mgc_raft_payload_root(const uint8_t *bytes, size_t len, uint8_t *root);

/** Write a message that goes out.
 *  @param msg   as it came out of a step
 *  @param entries its msg->n_entries entries with bytes and len; NULL where there are none
 *  @param bytes filled with at most cap bytes; NULL with cap 0 asks for the length
 *  @param len   filled with the length
 *  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_TOO_LARGE (cap is too small).  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_encode(const mgc_raft_msg *msg, const mgc_raft_entry *entries,
                                                 uint8_t *bytes, size_t cap, size_t *len);

/** Read a message that came.  Roots are computed from the payloads; signatures are the host's to check, against
 *  mgc_raft_signed_body(), before the message goes into a step.
 *  @param bytes   borrowed for as long as msg and entries are used
 *  @param msg     filled
 *  @param entries cap of them, filled; msg->entries points to them
 *  @param config  filled for a snapshot; msg->config points to it
 *  @return MGC_OK, MGC_E_INVALID_ARG; MGC_E_TRUNCATED, MGC_E_NONCANONICAL, MGC_E_TOO_LARGE, MGC_E_VERSION,
 *          MGC_E_CORRUPT: not a message.
 *  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_decode(const uint8_t *bytes, size_t len, mgc_raft_msg *msg,
                                                 mgc_raft_entry *entries, size_t cap, mgc_raft_config *config);

/** What a member signs in a message: votes (a granted VOTE_RESP), acknowledgements (an APPEND_RESP without REJECT)
 *  and heads (an APPEND_REQ with entries).  *len is 0 where nothing is to be signed.  The host signs
 *  tag NUL chain id, then these bytes; tag filled with its static text.
 *  @param body MGC_RAFT_SIGNED_BYTES_MAX bytes, filled
 *  @return MGC_OK, MGC_E_INVALID_ARG.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_raft_signed_body(const mgc_raft_msg *msg, uint8_t *body, size_t *len,
                                                      const char **tag);

#ifdef __cplusplus
}
#endif
#endif
