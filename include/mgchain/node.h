/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file node.h
 * A member of an alliance as a ready-made loop: it takes transactions, builds blocks, executes contracts, keeps the
 * ledger and answers queries, over the host's storage and transport.
 *
 * Order of calls: create, set_storage, set_transport, add_contract, start, then step, receive, submit and query in
 * any order, destroy.  The node reads no clock: time comes with every step.  Same transactions in the same order at
 * the same times give the same bytes.
 *
 * With opts.members several members agree by consensus (consensus.h) on rounds of transactions; each executes them, and a
 * block is acknowledged when a quorum has signed what it computed.  The host carries messages (set_transport,
 * mgc_node_receive) and calls step at least every tick_ms.  A whole host in less than a hundred lines of code: examples/member.c.
 *
 * Who takes part may change while the alliance works (mgc_node_change_member()): a newcomer is a learner until it has
 * everything, then a voter; a member whose store was lost comes back the same way.
 *
 * Threads: one at a time per node.
 */
#ifndef MGCHAIN_NODE_H
#define MGCHAIN_NODE_H

#include "mgchain/contract.h"
#include "mgchain/storage.h"
#include "mgchain/transport.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mgc_node mgc_node; /* owned by the caller */

enum {
    MGC_POOL_MAX = 65536,     /**< transactions that wait for a block: submit answers MGC_E_RATE beyond */
    MGC_TICKETS_MAX = 1 << 17 /**< tickets remembered; the oldest is forgotten first */
};

/** Options of mgc_node_create(). */
typedef struct mgc_node_opts {
    size_t struct_size;
    uint32_t id;                /**< member of the chain, > 0 */
    uint32_t block_txs_max;     /**< a block is built as soon as so many wait; 1024 */
    const mgc_key *key;         /**< borrowed until destroy; signs blocks; must be given */
    const char *chain;          /**< copied; one chain of this name, home to all contracts; "main".  NULL: the market's
                                 *   three, "information", "trading" and "scheduling" (doc/contracts.md) */
    uint64_t genesis_time_ms;   /**< of a chain that is begun now; UTC; 0: 1 ms */
    uint8_t genesis_nonce[32];  /**< of a chain that is begun now; zero in simulations that must repeat */
    uint64_t block_interval_ms; /**< a block is built when a transaction has waited so long; 1000 */
    uint64_t empty_interval_ms; /**< a block without transactions is built after so long, so that gates close in quiet
                                *   times; 0: never */
    uint64_t segment_bytes;     /**< as in mgc_ledger_opts; 0: its default */
    uint64_t salt;              /**< as in mgc_ledger_opts */
    uint32_t read_only;         /**< 1: nothing is written: query only; key may be NULL; 2: as of mgc_ledger_opts */
    uint32_t tick_ms;           /**< several members: length of a tick of the consensus; 50 */
    /** Several members: who they are, the own one among them, ids ascending; copied at create.  The chains begin with
     *  them and a quorum of more than half; all members must be given the same.  NULL: one member orders alone. */
    const mgc_member *members;
    size_t n_members;        /**< 0 where members is NULL; at most 16 */
    uint32_t election_ticks; /**< several members: a leader that is not heard for so long is replaced; 10 */
    uint32_t lost_store;     /**< several members: how often this member's store was lost; an empty store is then not
                              *   taken for that of a beginning: it comes back as a learner, and votes again once it
                              *   has everything; 0 */
    uint64_t seed;           /**< several members: of the random part of election timeouts; mixed with id */
    /** Several members: who receives and verifies everything from the beginning on and never votes, as a regulator; ids
     *  ascending, none of them among members; copied at create; the same at all. */
    const mgc_member *learners;
    size_t n_learners;       /**< 0 where learners is NULL; at most 16 */
    uint32_t join;           /**< several members: 1: this member is in neither list; it waits to be added; 0 */
    uint32_t sign_messages;  /**< several members: 1: every message is signed, for a transport that does not
                              *   authenticate; the same at all; 0: only what decides is, votes, acknowledgements and
                              *   what a leader sends */
    uint32_t credit;         /**< several members: 1: credit moves elections, and a leader puts certificates and
                              *   epochs into its blocks once the market is founded; 1 */
    uint32_t snapshots;      /**< 1: at each day's close a snapshot of the state, from which a start goes on; 2: and
                              *   journal files that the older of two snapshots makes dispensable are removed: such a
                              *   node cannot bring up a newcomer; 0: none; 0 */
} mgc_node_opts;

/** Fill with the defaults.  size: sizeof(mgc_node_opts).  Since 0.1 */
MGC_API void mgc_node_opts_init(mgc_node_opts *opts, size_t size);

/** @param out NULL on failure; destroy with mgc_node_destroy().
 *  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE, MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_node_create(mgc_ctx *ctx, const mgc_node_opts *opts, mgc_node **out);

/** Close the ledger and free.  Transactions that wait are dropped: they were never acknowledged.  NULL is fine.
 *   Since 0.1 */
MGC_API void mgc_node_destroy(mgc_node *node);

/** Before start.  ops copied, user borrowed until destroy.  @return MGC_OK, MGC_E_STATE, MGC_E_ABI_SIZE,
 *  MGC_E_INVALID_ARG.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_node_set_storage(mgc_node *node, const mgc_storage_ops *ops, void *user);
MGC_API MGC_NODISCARD mgc_status mgc_node_set_transport(mgc_node *node, const mgc_transport_ops *ops, void *user);
/** @} */

/** Before start: register a contract of the host.  It runs once a "deploy" transaction has made it active.
 *  contract copied, user borrowed until destroy.
 *  @return MGC_OK, MGC_E_STATE, MGC_E_EXISTS, MGC_E_RANGE (id), MGC_E_LIMIT, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE,
 *          MGC_E_ABI_FUTURE, MGC_E_VERSION.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_node_add_contract(mgc_node *node, const mgc_contract *contract, void *user);

/** Open the store, replay it, and begin the chain where there is none.
 *
 *  Where several members order and this one's ledger is damaged, what is lost is put back (mgc_ledger_mend()).  If blocks
 *  of the others are needed for that, the node starts without its ledger: step and receive fetch them, everything else
 *  answers MGC_E_STATE and says so, and once nothing is damaged the node takes part as after any start; what that may
 *  answer, step and receive answer then.
 *
 *  @return MGC_OK, MGC_E_STATE, as mgc_ledger_open() and mgc_ledger_add_chain(); MGC_E_CORRUPT: damaged, and alone, reading
 *  only, or not to be mended; MGC_E_BAD_KEY where the others know this member by another key;
 *  MGC_E_UNSUPPORTED where the chain needs a contract that was not added.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_node_start(mgc_node *node);

/**
 * Let time pass: build the blocks that are due.
 *
 * After any answer but MGC_OK the node is to be destroyed and started again; so it is with mgc_node_receive().
 * MGC_OK says that what was acknowledged is durable, and that every call on the storage went well.  MGC_E_FAILED may
 * also say that only the journal's note that a sync has ended could not be written: nothing depends on it, and what
 * was acknowledged is durable.
 *
 * @param now_ms  UTC; a step back in time builds nothing
 * @param wake_ms filled with the time at which the next step is due; UINT64_MAX: not before the next submit; may be
 * NULL
 * @return MGC_OK; MGC_E_STATE (not started, read-only); MGC_E_FAILED and a storage call's own status: the storage
 *         failed, destroy and start again; MGC_E_UNSUPPORTED: the next block needs a contract's code that this node
 *         lacks; MGC_E_NO_MEMORY
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_node_step(mgc_node *node, uint64_t now_ms, uint64_t *wake_ms);

/** Build a block now out of all that waits, without waiting for the interval; as many blocks as it takes, each one ms
 *  after the other.
 *  @return as mgc_node_step().  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_node_flush(mgc_node *node, uint64_t now_ms);

/** Hand in a message of another member, of whom the host knows that it is he (or opts.sign_messages says so).  What is
 *  malformed, forged or untrue in it is dropped and counted.
 *  @return MGC_OK; MGC_E_UNSUPPORTED: a chain of one member has no peers; as mgc_node_step().  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_node_receive(mgc_node *node, uint32_t from, const uint8_t *bytes, size_t len);

/**
 * Hand in a transaction.  Its form and signatures are checked now; it is executed when its block is built.
 *
 * @param bytes  copied
 * @param ticket filled; ask mgc_ticket_state(); may be NULL.  A transaction that waits already answers the same
 * ticket
 * @return MGC_OK (look at the ticket: it may be refused already); MGC_E_RATE (the pool is full), MGC_E_STATE,
 * MGC_E_NO_MEMORY Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_node_submit(mgc_node *node, const uint8_t *bytes, size_t len, uint64_t *ticket);

enum {
    MGC_TICKET_OPEN = 1,      /**< waits for its block, or for a nonce before its own */
    MGC_TICKET_COMMITTED = 2, /**< in an acknowledged block and done */
    MGC_TICKET_REFUSED = 3    /**< status and rule say why; height > 0: it stands in a block and its nonce is spent */
};

/** Where a submitted transaction stands. */
typedef struct mgc_ticket_info {
    size_t struct_size;
    uint32_t state;  /**< MGC_TICKET_... */
    int32_t status;  /**< MGC_OK or why it was refused */
    uint64_t height; /**< of its block; 0: in none */
    uint32_t index;  /**< in its block */
    uint32_t chain;  /**< of its block, in the order of mgc_node_opts.chain */
    uint8_t tx_id[32]; /**< zero where the bytes are no transaction */
    const char *rule;  /**< the rule that refused it, "" otherwise; borrowed until the next call on the node */
} mgc_ticket_info;

/** Where a submitted transaction stands.  @return MGC_OK, MGC_E_NOT_FOUND (unknown or forgotten), MGC_E_ABI_SIZE.
 *   Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_ticket_state(const mgc_node *node, uint64_t ticket, mgc_ticket_info *info);

/** Who signs a call, in which role.  Of fixed size: it stands in arrays. */
typedef struct mgc_signer {
    const mgc_key *key; /**< borrowed for the call */
    uint32_t role;      /**< MGC_ROLE_..., 0..255 */
    uint32_t reserved0; /**< 0 */
} mgc_signer;

/** What mgc_node_call() is to do. */
typedef struct mgc_node_call_opts {
    size_t struct_size;
    uint32_t contract;        /**< MGC_CONTRACT_... or a host's own; must be given */
    uint32_t window;          /**< blocks after which it dies, if no block has taken it; 1..MGC_TX_WINDOW_MAX; 1000 */
    const char *method;       /**< must be given */
    const char *words;        /**< arguments of a built-in contract as mgc_args_parse() takes them; or NULL and: */
    const uint8_t *arguments; /**< a contract's own bytes, as of mgc_args_encode(); NULL where arguments_len is 0 */
    size_t arguments_len;     /**< bytes in arguments */
    const mgc_signer *signers; /**< the first one sends: his nonce is counted; must be given */
    size_t n_signers;         /**< 1..MGC_TX_SIGNATURES_MAX */
    uint64_t now_ms;          /**< UTC; time passes after it was handed in, as said there; 0: none does; 0 */
} mgc_node_call_opts;

/** Fill with the defaults.  size: sizeof(mgc_node_call_opts).  Since 0.1 */
MGC_API void mgc_node_call_opts_init(mgc_node_call_opts *opts, size_t size);

/**
 * Call a contract in one go: arguments out of words, chain and nonce of this node, signatures, submit, a block, what
 * became of it.  For a host that has all the keys; where signers are apart, bodies and signatures travel
 * (mgc_tx_encode_body(), mgc_tx_sign(), mgc_tx_assemble()) and mgc_node_submit() takes what comes of them.
 *
 * With call->now_ms blocks are built at that time out of all that waits, as by mgc_node_flush(), where one member
 * orders alone: the call ends with its ticket told.  Where several members order, it is one mgc_node_step(), and the
 * ticket is open until they have agreed: let time pass and ask mgc_ticket_state().
 *
 * @param call   borrowed for the call, with all that it points at
 * @param ticket filled, 0 on failure before it was handed in; may be NULL
 * @param info   filled as by mgc_ticket_state(); may be NULL.  That the contract refused is in it, not in the answer
 * @return MGC_OK (look at info); MGC_E_INVALID_ARG, MGC_E_RANGE (role, window, signers), MGC_E_ABI_SIZE,
 *         MGC_E_ABI_FUTURE; of the words as mgc_args_create(), mgc_args_parse() and mgc_args_encode(); as
 *         mgc_key_sign(); MGC_E_NONCANONICAL (a key signs twice); as mgc_node_submit(); with now_ms as
 *         mgc_node_step(), which then is said there
 * Cost  two allocations of MGC_TX_BYTES_MAX beside those of submit
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_node_call(mgc_node *node, const mgc_node_call_opts *call, uint64_t *ticket,
                                               mgc_ticket_info *info);

/**
 * Ask.  The caller's identity is the host's word: it has authenticated whom it serves.
 *
 * what            arguments, optional     columns
 * "blocks"        chain, from, to, height chain height time_ms transactions refused hash previous proposer votes bytes
 * "transactions"  the same, tx_id, contract, member, status
 *                                         chain height index tx_id contract method sender status rule cost bytes
 *                                         (rule: for who signed)
 * "events"        chain, from, to, height, contract, name
 *                                         chain height index event contract name payload text (index: of the receipt,
 *                                         the block's own last; text: the payload where it is words; who signed
 *                                         sees them)
 * "transfers"     account (must be given) height index id debit credit amount unit code flags state
 * "history"       contract, key (hexadecimal; both must be given)
 *                                         height time_ms removed value: every change of a record (regulators, auditors)
 * "reads"         member                  number time_ms height member roles what arguments: what regulators and auditors
 *                                         asked of this node (auditors; each of them what it asked itself)
 * "contracts"                             id name version code_hash activation_height
 * "accounts"  microgrid  id kind microgrid unit debits_pending debits_posted credits_pending credits_posted
 *                                         balance name (money, due, ...: of the market's accounts)
 * "parameters"  name currency slot_ms gate_ms gate_slots window_ms collateral_bp pending_blocks first_slot
 * "members"                               id organisation name roles public_key from_height revoked_height role_names
 *                                         (the last: those of the bits of roles)
 * "microgrids"                            id name organisation manager
 * "links"                                 id first second carrier capacity_wh loss_ppm fee
 * "meters"        microgrid, carrier      id microgrid carrier link member from_slot
 * "commitments"   member                  member number kind slot hash height opened
 * "nominations"   microgrid, slot, carrier
 *                                         slot microgrid carrier buy_wh sell_wh
 * "totals"        slot, carrier           slot carrier wh mean_price: agreed by at least three organisations
 * "trades"  id, microgrid, slot, carrier  id slot seller buyer link carrier wh delivered_wh price worth_micro state
 *                                         height
 * "payments"      microgrid               id payer payee amount_micro first_slot last_slot state run_hash height
 * "schedule"      microgrid, slot, carrier
 *                                         slot microgrid carrier buy_wh sell_wh received_wh sent_wh position_wh
 *                                         acknowledged_height take_less_wh give_less_wh
 * "terms"         slot                    slot link capacity_wh fee (where they differ from the link's)
 * "flows"         slot, carrier           slot link forward_wh backward_wh capacity_wh
 * "readings"      meter, microgrid, slot, carrier
 *                                         slot meter microgrid in_wh out_wh quality height
 * "settlement"    microgrid, slot, carrier
 *                                         slot microgrid carrier state metered_wh position_wh deviation_wh grid_micro
 *                                         imbalance_micro fee_micro carbon_g curtailed_micro
 * "tariffs"       slot, carrier           slot microgrid carrier buy_price sell_price short_price long_price
 *                                         emission_mg_per_kwh
 * "auctions"      slot, carrier           slot carrier bids reveal_ms ended_height price volume_wh (volume_wh: "" where
 *                                         less than three organisations met)
 * "bids"          microgrid, slot, carrier
 *                                         id slot carrier microgrid state sells wh price filled_wh deposit_micro
 *                                         height index
 * "certificates"  microgrid               device slot wh owner issued_height cancelled_height
 * "surrendered"   microgrid               microgrid first_slot last_slot carbon_g height
 * "acts"                                  number kind subject value approvals regulators proposed_height done_height
 *                                         reason
 * "rules"                                 number name value
 * "frozen"                                kind number act height
 * "audits"                                number member role height read
 * "credit"        member                  member trade suspended limit_bp name
 * "validators"                            validator node convicted bonus low_epochs demote signed led
 * "epochs"                                epoch last_slot height certificates root
 * "lost"                                  case state epoch height term entry leader_term accused
 *
 * and what the host's contracts answer.  Amounts of settlement: what the microgrid pays; negative: it receives.
 * Every question takes "limit=N", 1..MGC_PAGE_MAX, and "cursor=..." as mgc_rows_cursor() of the page before gave it.
 * Blocks that are pruned are not among the answers; one that is asked for by its height or transaction is said to be.
 * With a limit a page may have fewer rows and a cursor all the same: it ends, too, where much was looked at in vain.
 * What a regulator or an auditor asks of a node that writes is put on record first, in a file of its own
 * (doc/formats.md); where that fails, it is not answered.
 *
 * microgrid: its name or number; in answers microgrids are named.  carrier: 1 to 3, or electricity, heat, gas.
 *
 * Who sees what belongs to a microgrid: its manager and the users of its organisation; regulators and auditors; the
 * market operator, but for "credit", "events", "history" and the rules of "transactions"; the dispatcher "schedule",
 * "flows" and "meters".  Rows that the caller may not see are left out, as if they did not exist, and a full page has
 * a cursor for him whether or not there is more.
 *
 * @param caller    member; 0: the public
 * @param arguments "k=v&k=v"; NULL or "": none.  An unknown key is refused
 * @param out       NULL on failure; destroy with mgc_rows_destroy()
 * @return MGC_OK, MGC_E_NOT_FOUND (no such thing to ask for), MGC_E_INVALID_ARG, MGC_E_RANGE (limit), MGC_E_CURSOR
 *         (of another question, caller or chain, or forged), MGC_E_LIMIT, MGC_E_STATE, MGC_E_FAILED (a read could not
 *         be put on record before), MGC_E_NO_MEMORY, storage
 * Cost  with a limit: a logarithm of the ledger and the page.  The first question with a condition makes its index, in
 *       time and memory linear in what it is about
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_node_query(mgc_node *node, uint32_t caller, const char *what,
                                                const char *arguments, mgc_rows **out);

/**
 * Check the record of what regulators and auditors asked, which a node keeps beside its chains (row 75 of
 * doc/faults.md); no node need be open.
 *
 * @param storage      of the node's store; borrowed for the call
 * @param storage_user its first argument
 * @param count        filled with how many questions are on record; may be NULL
 * @return MGC_OK, also where nothing was ever asked or the last append was cut short; MGC_E_CORRUPT: a byte is not
 *         what was written; MGC_E_INVALID_ARG; a storage call's own status
 * Cost  linear in the record
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_node_verify_audits(mgc_ctx *ctx, const mgc_storage_ops *storage, void *storage_user,
                                                        uint64_t *count);

/** Where a node stands. */
typedef struct mgc_node_info {
    size_t struct_size;
    uint8_t chain_id[32]; /**< of the first chain, as are height, hash and digest */
    uint64_t height;      /**< of its last acknowledged block */
    uint64_t time_ms;     /**< of the last acknowledged block of all chains */
    uint8_t block_hash[32]; /**< of its last acknowledged block */
    uint8_t state_digest[32]; /**< after it */
    uint64_t transactions; /**< in all chains */
    uint32_t waiting;      /**< in the pool */
    uint32_t n_chains;     /**< 1 or 3 */
    uint64_t refused;      /**< since start, never in a block */
    uint64_t blocks;       /**< in all chains */
    uint64_t final_height; /**< of the first chain: the last block with a certificate */
    uint64_t term;         /**< of the consensus; 0: one member orders alone */
    uint32_t leader;       /**< whom this member follows; 0: nobody now */
    uint32_t role;         /**< MGC_RAFT_FOLLOWER ...; 0: one member orders alone */
    uint64_t ordered;      /**< entries of the common order that were executed here */
    uint32_t standing;     /**< MGC_STANDING_... of this member in the configuration that it has;
                                0: one member orders alone */
    uint32_t n_voters, n_learners; /**< in that configuration */
    uint32_t changing;     /**< 1: the configuration is on its way to another */
    uint64_t config_index; /**< of its entry in the common order */
    uint64_t dropped;      /**< messages that were malformed or untrue, since start */
    uint64_t forged;       /**< messages without the signature that they need, since start */
    uint64_t evidence;     /**< contradictions of members found here and handed in, since start */
    uint64_t mended;       /**< pieces of a damaged ledger that were put in order, since create */
} mgc_node_info;

/** @return MGC_OK, MGC_E_STATE, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_node_get_info(const mgc_node *node, mgc_node_info *info);

/* --- who takes part --------------------------------------------------------------------------- */

/** What a member is in the configuration of the common order. */
enum {
    MGC_STANDING_STRANGER = 1, /**< not in it yet */
    MGC_STANDING_LEARNER = 2,  /**< receives and verifies everything, counts nowhere */
    MGC_STANDING_VOTER = 3,
    MGC_STANDING_REMOVED = 4 /**< was in it: its node orders nothing any more and may be destroyed */
};

/** A member as a node sees it. */
typedef struct mgc_node_member_info {
    size_t struct_size;
    uint32_t id; /**< of the member */
    uint32_t standing;    /**< MGC_STANDING_... */
    uint32_t aim;         /**< what was decided that it be, or is on its way to */
    uint32_t incarnation; /**< of its store, as the others know it */
    uint32_t rank;        /**< by credit, from 0; UINT32_MAX: none is kept of it */
    uint32_t early;       /**< 1: may campaign before the window of credit is over */
    uint32_t node_credit, trade_credit; /**< 0..10000; of those who sign blocks, or did */
    uint32_t convicted;   /**< 1: it was shown to have signed two truths */
    uint32_t reserved0;
    uint64_t acknowledged; /**< last entry that it told the leader to have; known to the leader alone */
    uint8_t public_key[32]; /**< Ed25519 */
} mgc_node_member_info;

/** The index-th known member, in the order of ids.  @return MGC_OK; MGC_E_NOT_FOUND (there are no more, or one member
 *  orders alone), MGC_E_STATE, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_node_get_member(const mgc_node *node, uint32_t index, mgc_node_member_info *info);

/** What may be decided of a member. */
enum {
    MGC_CHANGE_LEARNER = 1, /**< becomes a learner, or ceases to vote */
    MGC_CHANGE_VOTER = 2,   /**< becomes a learner, and a voter as soon as it has everything */
    MGC_CHANGE_REMOVE = 3
};

/**
 * Approve of a change of who takes part, for this member.
 *
 * The approval is signed and sent to all; it stands until the change was decided or this member approves another one.
 * Once more than half of the voters approve the same, the change is an entry of the common order, checked by each who
 * executes it, and the leader carries it out step by step; a next leader goes on with it.  Who votes signs blocks:
 * the change stands in the chains' headers, signed by those before it and by those who come (mgc_chain_set_signers()).
 *
 * @param change MGC_CHANGE_...
 * @param member id and public key, which is fixed by the first change of an id; copied
 * @return MGC_OK (approved; look at mgc_node_get_member()); MGC_E_INVALID_ARG, MGC_E_BAD_KEY, MGC_E_EXISTS_DIFFERENT
 *         (the id has another key), MGC_E_NOT_FOUND (to remove a stranger), MGC_E_LIMIT (16 voters, or 32 members in
 *         all), MGC_E_STATE (not a voter itself), MGC_E_UNSUPPORTED (one member orders alone).  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_node_change_member(mgc_node *node, uint32_t change, const mgc_member *member);

/** As leader: hand over to a voter.  @return MGC_OK (begun); MGC_E_STATE (not the leader, or handing over already),
 *  MGC_E_NOT_FOUND (no such voter), MGC_E_UNSUPPORTED.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_node_hand_over(mgc_node *node, uint32_t to);

/** The next nonce of a sender with a contract, what waits in the pool included.  @param sender 32 bytes.  Since
 *  0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_node_next_nonce(mgc_node *node, const uint8_t *sender, uint32_t contract,
                                                     uint64_t *nonce);

/** The chain on which a contract runs (MGC_CONTRACT_...; 0: the first): whose id its transactions name, and to read
 *  blocks, accounts (MGC_CONTRACT_TRADING) and proofs from.  Borrowed until destroy; NULL before start.  Since 0.1 */
MGC_API mgc_chain *mgc_node_chain(mgc_node *node, uint32_t contract);

#ifdef __cplusplus
}
#endif
#endif
