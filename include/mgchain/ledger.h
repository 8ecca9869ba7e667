/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ledger.h
 * The ledger: chains of blocks over one store, transactions, double-entry accounts, records.
 *
 * A store holds one or more chains.  Each chain has its own id, members, state and blocks; all share one journal,
 * whose order is the common order.  A block is executed, stored, read back, checked and only then signed;
 * it is final with the signatures of a quorum of the chain's members, and acknowledged once synced.
 *
 * Amounts are whole numbers of one unit, at most MGC_AMOUNT_MAX.  Every stored byte: doc/formats.md.
 *
 * Threads: one at a time per ledger, with all of its chains and blocks.
 */
#ifndef MGCHAIN_LEDGER_H
#define MGCHAIN_LEDGER_H

#include "mgchain/base.h"
#include "mgchain/crypto.h"
#include "mgchain/storage.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Limits, each with its reason. */
enum {
    MGC_ID_BYTES = 16,             /**< accounts and transfers: room for random or derived ids without a registry */
    MGC_CHAINS_MAX = 16,           /**< chains of a store: every open walks them all */
    MGC_CHAIN_NAME_MAX = 31,       /**< characters of a chain's name, [a-z0-9-] */
    MGC_MEMBERS_MAX = 64,          /**< members of a chain: a certificate stays a few kilobytes */
    MGC_TX_BYTES_MAX = 65536,      /**< a transaction with its signatures: one network message */
    MGC_TX_SIGNATURES_MAX = 16,    /**< of one transaction: each costs a verification before any fee is taken */
    MGC_TX_WINDOW_MAX = 10000,     /**< valid_until - height: an order forgotten in a drawer does not live for ever */
    MGC_METHOD_MAX = 32,           /**< bytes of a method's name */
    MGC_BLOCK_TXS_MAX = 16384,     /**< transactions of a block: bounds the time to check one */
    MGC_BLOCK_BYTES_MAX = 1 << 24, /**< bytes of a block's transactions: bounds the memory to check one */
    MGC_RECORD_KEY_MAX = 192,      /**< bytes of a contract's record key */
    MGC_RECORD_VALUE_MAX = 65536,  /**< bytes of a contract's record */
    MGC_EVENT_NAME_MAX = 32,       /**< bytes of an event's name */
    MGC_FOUND_MAX = 1000,          /**< places of a page: bounds the time of one question */
    MGC_RULE_MAX = 200             /**< bytes of the sentence that says which rule refused */
};

/** Largest amount, and largest sum of an account: 2^62.  Four of them add up without overflow in 64 bits. */
#define MGC_AMOUNT_MAX ((uint64_t)1 << 62)
/** As the amount of a post: all that is pending.  Nowhere else. */
#define MGC_AMOUNT_ALL UINT64_MAX

/** Units of accounts.  A host may add its own from MGC_UNIT_HOST on. */
enum {
    MGC_UNIT_MICRO_CURRENCY = 1, /**< millionths of the currency */
    MGC_UNIT_WH_ELECTRICITY = 2, /**< watt hours */
    MGC_UNIT_WH_HEAT = 3,        /**< watt hours */
    MGC_UNIT_G_CO2E = 4,         /**< grams of carbon dioxide equivalent */
    MGC_UNIT_HOST = 256
};

/** Flags of accounts. */
enum {
    MGC_ACCOUNT_DEBITS_BOUNDED = 1,  /**< debits, pending ones too, may not exceed posted credits: a purse */
    MGC_ACCOUNT_CREDITS_BOUNDED = 2, /**< credits, pending ones too, may not exceed posted debits */
    MGC_ACCOUNT_HISTORY = 4,         /**< every change of its balances is kept as a record */
    MGC_ACCOUNT_CLOSED = 8           /**< takes no more transfers, except to end a pending one */
};

/** Flags of transfers. */
enum {
    MGC_TRANSFER_LINKED = 1,  /**< succeeds or fails with the next one */
    MGC_TRANSFER_PENDING = 2, /**< first phase: reserves the amount */
    MGC_TRANSFER_POST = 4,    /**< second phase: posts up to the pending amount, the rest is released */
    MGC_TRANSFER_VOID = 8     /**< second phase: releases the pending amount */
};

/** Roles in which a key signs.  A contract says which it asks for. */
enum {
    MGC_ROLE_NONE = 0,
    MGC_ROLE_USER = 1,
    MGC_ROLE_MANAGER = 2,
    MGC_ROLE_METER = 3,
    MGC_ROLE_DISPATCHER = 4,
    MGC_ROLE_MARKET_OPERATOR = 5,
    MGC_ROLE_REGULATOR = 6,
    MGC_ROLE_AUDITOR = 7,
    MGC_ROLE_VALIDATOR = 8,
    MGC_ROLE_ADMINISTRATOR = 9 /**< of an organisation */
};

/** Code of the accounts that stand for another chain, one a unit: the ledger opens them. */
#define MGC_CODE_BRIDGE UINT32_MAX

typedef struct mgc_ledger mgc_ledger; /* owned by the caller */
typedef struct mgc_chain mgc_chain;   /* owned by its ledger */
typedef struct mgc_block mgc_block; /* owned by the caller */

/* --- the store ----------------------------------------------------------------------------------- */

/** Options of mgc_ledger_open(). */
typedef struct mgc_ledger_opts {
    size_t struct_size;
    const mgc_storage_ops *storage; /**< copied; must be given */
    void *storage_user;             /**< borrowed until mgc_ledger_close() */
    uint64_t segment_bytes;         /**< a new journal file is begun beyond this; 64 MiB */
    /** Mixed into the checksums of the journal's files, so that nobody who only sends transactions can forge a stored
     *  record inside one.  Random; 0 in simulations that must repeat. */
    uint64_t salt;
    /** 1: nothing is locked, repaired or written; 2: likewise, and where the journal is damaged, what stands before the
     *  damage is read instead of refusing all (mgc_ledger_info.damaged tells); 0 */
    uint32_t read_only;
    uint32_t threads;   /**< that verify the signatures of a block from elsewhere; 0: the caller's alone */
    /** 1: read the journal from its first block on, though there are snapshots; 0: from the last snapshot on.  Where
     *  the journal is pruned, from the snapshots in both cases. */
    uint32_t full;
    uint32_t reserved0; /**< 0 */
} mgc_ledger_opts;

/** Fill with the defaults.  size: sizeof(mgc_ledger_opts).  Since 0.1 */
MGC_API void mgc_ledger_opts_init(mgc_ledger_opts *opts, size_t size);

/**
 * Open a store, or begin an empty one, and replay it: every checksum, hash link, transaction and receipt
 * root and state digest is checked, and the last certificate of each chain.  Where there are snapshots, from the last
 * ones on (see opts.full); their state must have the root that the next block's header says.
 *
 * What a crash may leave is repaired: a torn tail that was never acknowledged is cut off.  What a crash cannot
 * leave is refused: damage before a valid record or at an acknowledged height, a missing or swapped file,
 * a wrong hash behind a right checksum.
 *
 * @param out NULL on failure; close with mgc_ledger_close()
 * @return MGC_OK
 *         MGC_E_CORRUPT        the text names chain, height, file and offset; also read-only, but see opts.read_only
 *         MGC_E_BAD_PARENT, MGC_E_BAD_TX_ROOT, MGC_E_STATE_MISMATCH, MGC_E_BAD_CERT, MGC_E_HEIGHT, MGC_E_TIME
 *         tampering
 *         MGC_E_LOCKED         another process holds the store
 *         MGC_E_VERSION        written by a newer library
 *         MGC_E_INVALID_ARG, MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE, MGC_E_NO_MEMORY, a storage call's own status
 * Cost  reads all; linear.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_ledger_open(mgc_ctx *ctx, const mgc_ledger_opts *opts, mgc_ledger **out);

/** Close: what was not acknowledged may be lost.  NULL is fine.  Since 0.1 */
MGC_API void mgc_ledger_close(mgc_ledger *ledger);

/** Where a ledger stands. */
typedef struct mgc_ledger_info {
    size_t struct_size;
    uint32_t n_chains; /**< chains in the store */
    uint32_t n_files;         /**< journal files */
    uint64_t bytes;           /**< in them */
    uint64_t records;         /**< in them */
    uint64_t truncated_bytes; /**< cut off as a torn tail when opened; read-only: found and ignored */
    uint32_t failed;          /**< 1: a storage failure was final; close, reopen */
    uint32_t damaged; /**< 1: there was more, behind damage; only where read_only was 2.  After opening the context's
                       *   text says where */
} mgc_ledger_info;

/** @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_ledger_get_info(const mgc_ledger *ledger, mgc_ledger_info *info);

/** Make everything that was stored survive loss of power; then it is acknowledged.  mgc_chain_commit() does it
 *  itself.  @return MGC_OK; MGC_E_FAILED from now on if the storage failed.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_ledger_sync(mgc_ledger *ledger);

/**
 * Write a snapshot of each chain whose last closed day has none yet: its state at that day's close, whose root stands in
 * the header of the day's first block.  The same bytes on every member.  The last two of a chain are kept.
 *
 * Written aside, synced, renamed, and the names synced: a crash leaves the old ones or the new one.  Nothing is written
 * where the first block of the day is not acknowledged yet.
 * @return MGC_OK; MGC_E_STATE (a block is open, read-only), MGC_E_UNSUPPORTED (the storage cannot rename),
 *         MGC_E_NO_MEMORY; a storage call's own status: the ledger goes on without it, the next call tries again
 * Cost  linear in the state.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_ledger_snapshot(mgc_ledger *ledger);

/**
 * Remove the journal files that the older of each chain's two snapshots makes dispensable.  Blocks in them can no longer
 * be read (MGC_E_NOT_FOUND); that they were committed is still proved (mgc_chain_prove_ancestor()), for their hashes
 * stay.
 * @param n_files filled: how many were removed; may be NULL
 * @return MGC_OK; MGC_E_STATE (a chain has less than two snapshots, read-only), MGC_E_FAILED, storage.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_ledger_prune(mgc_ledger *ledger, uint32_t *n_files);

/* --- damage -------------------------------------------------------------------------------------- */

/** What a damaged store lacks. */
enum {
    MGC_DAMAGE_NONE = 0,  /**< nothing: every byte is what was written */
    MGC_DAMAGE_WANTS = 1, /**< a block that another member has: mgc_damage.chain_id and height */
    MGC_DAMAGE_OWN = 2,   /**< what follows from the rest of the store; told only where opts.read_only is not 0 */
    MGC_DAMAGE_LOST = 3   /**< it cannot be mended */
};

/** What mgc_ledger_mend() found and did. */
typedef struct mgc_damage {
    size_t struct_size;
    uint32_t kind;        /**< MGC_DAMAGE_..., of the first damage that is left */
    uint32_t n_mended;    /**< pieces of the store that were put in order by this call */
    uint8_t chain_id[32]; /**< of the block that is wanted */
    uint64_t height;      /**< of the block that is wanted */
    uint64_t offset;      /**< where the damage is, in the file */
    char file[MGC_STORAGE_NAME_MAX + 1]; /**< name of the file; "" where nothing is damaged */
} mgc_damage;

/**
 * Read every byte of a store that is not open, and mend what is damaged or cannot be read.
 *
 * What a crash cannot leave, bytes that changed on the disk, is put back record by record.  What follows from the rest
 * of the store needs nobody.  A block or certificate comes from any other member as a proof, of which every byte is
 * checked against a quorum's signatures and this chain's own hashes: whoever gives it need not be trusted.  Call with
 * no proof; as long as damage->kind is MGC_DAMAGE_WANTS, fetch that one and call again.
 *
 * A file is written anew beside the old one and then takes its name, so that a crash leaves it as it was or mended.  With
 * opts.read_only nothing is written, and the first damage is told.
 *
 * @param opts   as for mgc_ledger_open(); all of the journal is read, whatever opts.full says
 * @param proof  of mgc_chain_prove_stored(), by a member whose store is whole; NULL where len is 0
 * @param damage filled, also on failure; may be NULL
 * @return MGC_OK            look at damage->kind; a proof of another block than the one wanted is not used
 *         MGC_E_CORRUPT     it cannot be mended; the text says file, offset and why.  Begin anew from an empty store
 *                           (doc/node.md)
 *         as mgc_verify_receipt(), MGC_E_BAD_TX_ROOT, MGC_E_STATE_MISMATCH, MGC_E_BAD_PARENT   the proof is not true; the
 *                           store is as before
 *         MGC_E_UNSUPPORTED the storage cannot rename
 *         MGC_E_BAD_PARENT, MGC_E_BAD_CERT and the like of mgc_ledger_open(): not damage, but tampering
 *         MGC_E_LOCKED, MGC_E_VERSION, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE, MGC_E_NO_MEMORY, storage
 * Cost  reads all once, and once more for each piece that is mended, of which the file is written.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_ledger_mend(mgc_ctx *ctx, const mgc_ledger_opts *opts, const uint8_t *proof, size_t len,
                                                 mgc_damage *damage);

/* --- chains -------------------------------------------------------------------------------------- */

/** One member of a chain: who may sign its blocks. */
typedef struct mgc_member {
    uint32_t id; /**< of the alliance's members, > 0 */
    uint32_t reserved0;
    uint8_t public_key[32]; /**< Ed25519 */
} mgc_member;

/** What a chain begins with. */
typedef struct mgc_genesis {
    size_t struct_size;
    const char *name;          /**< [a-z0-9-], unique in the store */
    uint64_t time_ms;          /**< UTC; the first block is later */
    const mgc_member *members; /**< length n_members, copied; ids strictly ascending */
    size_t n_members;          /**< 1..MGC_MEMBERS_MAX */
    uint32_t quorum;           /**< signatures that make a block final; more than half of the members */
    uint32_t reserved0;
    uint8_t nonce[32]; /**< two alliances of the same name have different chains through it */
} mgc_genesis;

/** Begin a chain.  Its id is the hash of its genesis.  Stored, not synced.
 *  @return MGC_OK; MGC_E_EXISTS, MGC_E_LIMIT, MGC_E_INVALID_ARG, MGC_E_BAD_KEY, MGC_E_NO_MEMORY, MGC_E_STATE
 *  (read-only), storage.  *out is borrowed until mgc_ledger_close().  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_ledger_add_chain(mgc_ledger *ledger, const mgc_genesis *genesis,
                                                      mgc_chain **out);

/** Find a chain by name.  @return MGC_OK, MGC_E_NOT_FOUND.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_ledger_chain(mgc_ledger *ledger, const char *name, mgc_chain **out);
/** The i-th chain, in the order of creation.  @return MGC_OK, MGC_E_NOT_FOUND.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_ledger_chain_at(mgc_ledger *ledger, uint32_t index, mgc_chain **out);

/** Where a chain stands. */
typedef struct mgc_chain_info {
    size_t struct_size;
    const char *name;      /**< borrowed until mgc_ledger_close() */
    uint8_t chain_id[32]; /**< hash of its genesis */
    uint64_t height;       /**< of the last stored block; 0: none yet */
    uint64_t final_height; /**< of the last block with a certificate */
    uint64_t acked_height; /**< of the last block that is final and synced */
    uint64_t time_ms;      /**< of the last stored block, or of the genesis */
    uint8_t block_hash[32];   /**< of the last stored block; of height 0: the chain id */
    uint8_t state_digest[32]; /**< of the state after the last block */
    uint64_t n_records;    /**< keyed records in the state, accounts and transfers among them */
    uint64_t n_transactions; /**< in all its blocks */
    uint32_t n_members, quorum; /**< in force after the last block; while members change, of those who come */
    uint64_t config_height; /**< of the block that brought them; 0: the genesis */
    uint32_t changing;      /**< 1: those before must sign, too: mgc_chain_set_signers() */
    uint32_t reserved0;
} mgc_chain_info;

/** @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_get_info(const mgc_chain *chain, mgc_chain_info *info);

/* --- transactions -------------------------------------------------------------------------------- */

/** What a transaction asks for.  Everything in it is signed. */
typedef struct mgc_tx_body {
    size_t struct_size;
    const uint8_t *chain_id;   /**< 32 bytes */
    const uint8_t *sender;     /**< public key, 32 bytes; one of the signers; the nonce is counted for it */
    uint32_t contract; /**< MGC_CONTRACT_... or a host's own */
    uint32_t reserved0;
    const char *method;        /**< UTF-8, 1..MGC_METHOD_MAX bytes */
    const uint8_t *arguments;  /**< the contract's own bytes */
    size_t arguments_len; /**< bytes in arguments */
    uint64_t nonce;            /**< 1, 2, 3 ... for each sender and contract */
    uint64_t valid_until;      /**< last height at which it may stand in a block */
} mgc_tx_body;

/** A signature under a transaction. */
typedef struct mgc_tx_signature {
    uint8_t public_key[32]; /**< the signer's */
    uint8_t signature[64]; /**< Ed25519, of the body */
    uint32_t role; /**< MGC_ROLE_..., 0..255 */
    uint32_t reserved0;
} mgc_tx_signature;

/** Encode a body.  @param bytes filled, at most cap; @param len filled with the length
 *  @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_TOO_LARGE (cap of MGC_TX_BYTES_MAX is always enough).  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_tx_encode_body(const mgc_tx_body *body, uint8_t *bytes, size_t cap, size_t *len);

/** Sign an encoded body in a role.  Each signer may do so at its own place.
 *  @return MGC_OK, MGC_E_INVALID_ARG, the body's decoding errors, mgc_key_sign()'s.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_tx_sign(const uint8_t *body, size_t body_len, const mgc_key *key, uint32_t role,
                                             mgc_tx_signature *signature);

/** Put a body and its signatures, in any order, together.  @return as mgc_tx_encode_body(); MGC_E_NONCANONICAL where
 *  a key signed twice.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_tx_assemble(const uint8_t *body, size_t body_len,
                                                 const mgc_tx_signature *signatures, size_t n_signatures,
                                                 uint8_t *bytes, size_t cap, size_t *len);

/** A transaction taken apart; pointers are borrowed from the bytes that it was read from. */
typedef struct mgc_tx_info {
    size_t struct_size;
    uint8_t tx_id[32]; /**< hash that names it */
    const uint8_t *chain_id;  /**< 32 bytes */
    const uint8_t *sender;    /**< 32 bytes */
    uint32_t contract; /**< which is called */
    uint32_t n_signatures; /**< under it */
    const char *method;       /**< not NUL-terminated */
    size_t method_len; /**< bytes in method */
    const uint8_t *arguments; /**< canonical map */
    size_t arguments_len; /**< bytes in arguments */
    uint64_t nonce; /**< the sender's count at this contract */
    uint64_t valid_until; /**< last height at which it may stand */
    const uint8_t *body; /**< what is signed */
    size_t body_len; /**< bytes in body */
} mgc_tx_info;

/** Take a transaction apart; nothing is verified but its form.
 *  @return MGC_OK, MGC_E_TRUNCATED, MGC_E_NONCANONICAL, MGC_E_SCHEMA, MGC_E_DEPTH, MGC_E_UTF8, MGC_E_TOO_LARGE,
 *          MGC_E_VERSION, MGC_E_INVALID_ARG.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_tx_decode(const uint8_t *bytes, size_t len, mgc_tx_info *info);
/** The i-th signature of a transaction.  @return as mgc_tx_decode(), MGC_E_NOT_FOUND.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_tx_decode_signature(const uint8_t *bytes, size_t len, uint32_t index,
                                                         mgc_tx_signature *signature);

/**
 * Would a transaction be taken into the next block?  Its form, signatures, chain, nonce and height are checked; what
 * its contract says is known only when it is executed.  A transaction found good is remembered and its signatures
 * are not verified again.
 * @return MGC_OK; as mgc_tx_decode(); MGC_E_WRONG_CHAIN, MGC_E_BAD_SIGNATURE, MGC_E_BAD_KEY, MGC_E_MISSING_SIGNER
 *         (the sender's), MGC_E_DUPLICATE_TXID, MGC_E_NONCE_USED, MGC_E_NONCE_GAP, MGC_E_EXPIRED, MGC_E_LIMIT (valid
 *         too long).  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_check_tx(mgc_chain *chain, const uint8_t *bytes, size_t len);

/** The next nonce of a sender with a contract, what the open block holds included.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_next_nonce(mgc_chain *chain, const uint8_t *sender, uint32_t contract,
                                                      uint64_t *nonce);

/**
 * Verify the signatures of many transactions on several threads.  Those found good are remembered, so that
 * mgc_chain_check_tx(), mgc_chain_add() and mgc_chain_apply() do not verify them again; what else they must meet is not
 * looked at.  Some thousands are remembered: hand in what goes into the next block.
 *
 * @param txs, lens length n, borrowed until return
 * @param threads   0, 1: the caller's alone; at most 256
 * @param results   length n, filled with MGC_OK, as mgc_tx_decode(), MGC_E_BAD_SIGNATURE, MGC_E_BAD_KEY,
 *                  MGC_E_MISSING_SIGNER; may be NULL
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_NO_MEMORY.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_verify_txs(mgc_chain *chain, const uint8_t *const *txs, const size_t *lens,
                                                      size_t n, uint32_t threads, int32_t *results);

/* --- blocks -------------------------------------------------------------------------------------- */

/** Open the next block.  Pending transfers that end at its height are released first.
 *  @param time_ms UTC, later than the last block's
 *  One block is open at a time, over all chains of the store: its header pins the heads of the other chains, whose
 *  states its contracts may read.
 *  @return MGC_OK; MGC_E_TIME; MGC_E_STATE (one is open, read-only, no contracts attached), MGC_E_FAILED,
 *  MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_begin(mgc_chain *chain, uint64_t time_ms);

/**
 * Execute a transaction in the open block.
 *
 * @param result its receipt's status, filled: MGC_OK, or why its contract refused it; then its effects are undone,
 *               its nonce is spent and it stands in the block all the same.  May be NULL
 * @return MGC_OK        it is in the block; read *result
 *         as mgc_chain_check_tx(): it is not in the block, which is unchanged
 *         MGC_E_TOO_LARGE  the block is full; unchanged
 *         MGC_E_NO_MEMORY and the like: the block is aborted
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_add(mgc_chain *chain, const uint8_t *bytes, size_t len, int32_t *result);

/** Drop the open block; as if it had never been opened.  Since 0.1 */
MGC_API void mgc_chain_abort(mgc_chain *chain);

/** Who signs the blocks of a chain. */
typedef struct mgc_chain_signers {
    size_t struct_size;
    const mgc_member *members; /**< length n_members, copied; ids strictly ascending, keys distinct */
    size_t n_members;          /**< 1..32, with the others */
    const mgc_member *others;  /**< length n_others, copied, none of members: they may sign, and count for no quorum */
    size_t n_others;           /**< 0 where others is NULL */
    uint32_t quorum;           /**< more than half of the members */
    uint32_t reserved0;        /**< 0 */
    uint8_t reason[32];        /**< what brought them: a hash of the host's choosing */
} mgc_chain_signers;

/**
 * In the open block: change who signs blocks.  The change takes two blocks:
 *
 *   1. with other members than those in force: from this block on a quorum of those before *and* one of those who
 *      come sign
 *   2. once more, in a later block, with the same members: the blocks after it need those who came alone
 *
 * Both stand in the headers, with the members, so that a light client can follow (verify.h).  With the members in
 * force and no change under way it brings them anew, with another reason or other others.  Fixed when the block is
 * sealed.
 *
 * @return MGC_OK; MGC_E_STATE (no open block; a change is under way and these are others); MGC_E_INVALID_ARG;
 *         MGC_E_BAD_KEY; MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE
 *         Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_set_signers(mgc_chain *chain, const mgc_chain_signers *signers);

/**
 * Close the open block: store it, read it back, and recompute every root from what was read.
 * @param proposer member id that goes into the header
 * @return MGC_OK; the block is the chain's last, not yet final.  On failure it is dropped, the store as before, or
 *         the ledger is MGC_E_FAILED.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_seal(mgc_chain *chain, uint32_t proposer);

/** A member's signature on the block at a height, which is read back first.  signature: 64 bytes, filled.  Sync
 *  before it is sent: a block without a certificate is forgotten when the ledger is opened again.
 *  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_BAD_KEY (not the key of a member), as opening.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_vote(mgc_chain *chain, uint64_t height, const mgc_key *key,
                                                uint8_t *signature);

/** One member's vote for a block. */
typedef struct mgc_vote {
    uint32_t member;       /**< id */
    uint32_t reserved0;    /**< 0 */
    uint8_t signature[64]; /**< as mgc_chain_vote() fills it */
} mgc_vote;
/** Make the first block without a certificate final.  votes in any order, each member once.
 *  @return MGC_OK; MGC_E_BAD_CERT (unknown member, twice, too few, wrong); MGC_E_HEIGHT; MGC_E_NOT_FINAL (a block of
 *          another chain that its header pins is not final yet), storage.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_certify(mgc_chain *chain, uint64_t height, const mgc_vote *votes,
                                                   size_t n_votes);

/** Seal, vote, certify and sync in one step, for a chain whose quorum is one.  All or nothing, but for the sync.
 *  @return as those; MGC_OK: the block is acknowledged and will not be lost.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_commit(mgc_chain *chain, const mgc_key *key);

/**
 * Take a block from another member: check it, execute it, compare every root, store it.
 *
 * @param bytes  as mgc_block_get_bytes() gives them: header and transactions
 * @param now_ms the host's clock: a block later than now_ms + drift_ms is refused
 * @return MGC_OK; it is the chain's last block, not yet final
 *         MGC_E_WRONG_CHAIN, MGC_E_HEIGHT (also where another block of the store is next in the common order),
 *         MGC_E_BAD_PARENT, MGC_E_TIME, MGC_E_BAD_TX_ROOT, MGC_E_STATE_MISMATCH,
 *         MGC_E_DUPLICATE_TXID and every other reason for which a transaction may not stand in a block; the chain is
 *         unchanged
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_apply(mgc_chain *chain, const uint8_t *bytes, size_t len, uint64_t now_ms,
                                                 uint64_t drift_ms);

/** Read the block at a height.  @param out NULL on failure; destroy with mgc_block_destroy()
 *  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_CORRUPT, MGC_E_NO_MEMORY, storage.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_read_block(mgc_chain *chain, uint64_t height, mgc_block **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_block_destroy(mgc_block *block);

/** A block's header. */
typedef struct mgc_block_info {
    size_t struct_size;
    uint64_t height; /**< from 1 */
    uint64_t time_ms; /**< UTC */
    uint64_t config_height; /**< of the block that brought the members in force */
    uint32_t n_txs; /**< transactions */
    uint32_t n_receipts; /**< n_txs + 1: the last one is the block's own (expired transfers, contracts' own time) */
    uint32_t proposer;   /**< member id */
    uint32_t n_votes;    /**< in its certificate; 0: not final yet */
    uint8_t hash[32]; /**< of the header */
    uint8_t previous[32]; /**< hash of the block before; zero in the first */
    uint8_t tx_root[32]; /**< of the transactions */
    uint8_t receipt_root[32]; /**< of the receipts */
    uint8_t state_digest[32]; /**< of the state after it */
    uint8_t log_root[32]; /**< of the blocks before it */
} mgc_block_info;

/** @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_block_get_info(const mgc_block *block, mgc_block_info *info);
/** Header and transactions, as another member takes them.  Borrowed until mgc_block_destroy().  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_block_get_bytes(const mgc_block *block, const uint8_t **bytes, size_t *len);
/** The i-th vote of the certificate.  @return MGC_OK, MGC_E_NOT_FOUND.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_block_get_vote(const mgc_block *block, uint32_t index, mgc_vote *vote);
/** The i-th transaction: its bytes, and taken apart where info is not NULL.  Borrowed until mgc_block_destroy().
 *  @return MGC_OK, MGC_E_NOT_FOUND.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_block_get_tx(const mgc_block *block, uint32_t index, const uint8_t **bytes,
                                                  size_t *len, mgc_tx_info *info);

/** What came of a transaction, or of a block itself. */
typedef struct mgc_receipt_info {
    size_t struct_size;
    uint8_t tx_id[32];     /**< zero in the block's own receipt */
    int32_t status;        /**< MGC_OK or why it was refused */
    uint32_t n_events;     /**< 0 where it was refused */
    uint64_t cost;         /**< what the contract metered */
    const char *rule;      /**< why it was refused, not NUL-terminated; borrowed until mgc_block_destroy() */
    size_t rule_len; /**< bytes in rule */
    const uint8_t *output; /**< the contract's answer; borrowed until mgc_block_destroy() */
    size_t output_len; /**< bytes in output */
} mgc_receipt_info;

/** The i-th receipt; of n_receipts.  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_block_get_receipt(const mgc_block *block, uint32_t index,
                                                       mgc_receipt_info *info);

/** An event that a transaction or a block brought forth. */
typedef struct mgc_event_info {
    size_t struct_size;
    uint32_t contract;      /**< that said it; 0: the ledger itself */
    uint32_t reserved0;
    const char *name;       /**< not NUL-terminated; borrowed until mgc_block_destroy() */
    size_t name_len; /**< bytes in name */
    const uint8_t *payload; /**< the contract's own bytes; likewise */
    size_t payload_len; /**< bytes in payload */
} mgc_event_info;

/** An event of a receipt.  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_block_get_event(const mgc_block *block, uint32_t receipt, uint32_t event,
                                                     mgc_event_info *info);

/** Where a transaction stands.  @param tx_id 32 bytes
 *  @return MGC_OK, MGC_E_NOT_FOUND.  Cost logarithmic.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_find_tx(const mgc_chain *chain, const uint8_t *tx_id, uint64_t *height,
                                                   uint32_t *index);

/* --- finding, page by page ----------------------------------------------------------------------- */

/** Where to go on; all zeros: from the beginning.  The library's own bytes: kept and sent by the host, never made. */
typedef struct mgc_cursor {
    uint8_t bytes[64]; /**< opaque; the caller's memory */
} mgc_cursor;

/** A place in the chain. */
typedef struct mgc_found {
    uint64_t height; /**< of its block */
    uint32_t index; /**< of the transaction or receipt in its block; 0 for a record's change */
    uint32_t event; /**< of the event in its receipt; else 0 */
} mgc_found;

/**
 * A page of places in the order of the chain, after the cursor, which is moved on; read them with mgc_chain_read_block().
 * What is pruned is not found.
 *
 * @param cursor in/out; zeros at first
 * @param found  length cap, filled with *n of them; *n below cap: there are no more
 * @param cap    1..MGC_FOUND_MAX
 * @return MGC_OK; MGC_E_RANGE (cap); MGC_E_CURSOR (forged, or of another question, chain or store), MGC_E_INVALID_ARG,
 *         MGC_E_NO_MEMORY, as mgc_chain_read_block()
 * Cost  logarithmic, and the page; the blocks since the last question are read first, at the first one all
 * Since 0.1
 * @{
 */
/** Transactions of a sender, 32 bytes. */
MGC_API MGC_NODISCARD mgc_status mgc_chain_find_transactions(mgc_chain *chain, const uint8_t *sender,
                                                             mgc_cursor *cursor, mgc_found *found, size_t cap,
                                                             size_t *n);
/** Blocks that changed a contract's record: its history.  What each wrote: mgc_block_get_change(). */
MGC_API MGC_NODISCARD mgc_status mgc_chain_find_changes(mgc_chain *chain, uint32_t contract, const uint8_t *key,
                                                        size_t key_len, mgc_cursor *cursor, mgc_found *found,
                                                        size_t cap, size_t *n);
/** Events of a contract, 0: the ledger itself, by name. */
MGC_API MGC_NODISCARD mgc_status mgc_chain_find_events(mgc_chain *chain, uint32_t contract, const char *name,
                                                       mgc_cursor *cursor, mgc_found *found, size_t cap, size_t *n);
/** @} */

/* --- state --------------------------------------------------------------------------------------- */

/** An account. */
typedef struct mgc_account_info {
    size_t struct_size;
    uint8_t id[16]; /**< chosen by who opens it */
    uint32_t unit; /**< what it counts */
    uint32_t code;  /**< the host's kind of account, > 0 */
    uint32_t flags; /**< MGC_ACCOUNT_... */
    uint32_t user_data_32; /**< the opener's own */
    uint64_t user_data_64; /**< likewise */
    uint8_t user_data_128[16]; /**< likewise */
    uint64_t debits_pending, debits_posted, credits_pending, credits_posted; /**< [unit] */
    uint64_t height; /**< at which it was opened */
} mgc_account_info;

/** A movement of an amount between two accounts. */
typedef struct mgc_transfer_info {
    size_t struct_size;
    uint8_t id[16]; /**< chosen by who makes it */
    uint8_t debit_account[16]; /**< gives */
    uint8_t credit_account[16]; /**< takes */
    uint8_t pending_id[16]; /**< of a post or void; else zero */
    uint64_t amount;        /**< [unit] */
    uint32_t unit; /**< that of both accounts */
    uint32_t code;  /**< the host's kind of transfer, > 0 */
    uint32_t flags; /**< MGC_TRANSFER_... */
    uint32_t user_data_32; /**< the maker's own */
    uint64_t user_data_64; /**< likewise */
    uint8_t user_data_128[16]; /**< likewise */
    uint64_t timeout; /**< [blocks] of a pending one; 0: it does not expire */
    uint64_t height;  /**< of the block that holds it */
    uint32_t index;   /**< among the transfers of that block */
    uint32_t state;   /**< of a pending one: MGC_PENDING_...; else 0 */
    uint8_t ended_by[16]; /**< the transfer that posted or voided it; else zero */
} mgc_transfer_info;

enum { MGC_PENDING_OPEN = 1, MGC_PENDING_POSTED = 2, MGC_PENDING_VOIDED = 3, MGC_PENDING_EXPIRED = 4 };

/** @param id 16 bytes.  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_ABI_SIZE.  Cost logarithmic.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_chain_get_account(const mgc_chain *chain, const uint8_t *id,
                                                       mgc_account_info *info);
MGC_API MGC_NODISCARD mgc_status mgc_chain_get_transfer(const mgc_chain *chain, const uint8_t *id,
                                                        mgc_transfer_info *info);
/** @} */

/** The first account or transfer whose id is greater than after's 16 bytes; NULL: the first of all.
 *  @return MGC_OK, MGC_E_NOT_FOUND (there is none), MGC_E_ABI_SIZE.  Cost logarithmic.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_chain_next_account(const mgc_chain *chain, const uint8_t *after,
                                                        mgc_account_info *info);
MGC_API MGC_NODISCARD mgc_status mgc_chain_next_transfer(const mgc_chain *chain, const uint8_t *after,
                                                         mgc_transfer_info *info);
/** @} */

/** The first transfer that touches an account, in the order of the chain, after (height, index); 0, 0: the first of
 * all.
 *  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_NO_MEMORY.  Cost logarithmic; the first call builds the index.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_next_transfer_of(const mgc_chain *chain, const uint8_t *account,
                                                            uint64_t after_height, uint32_t after_index,
                                                            mgc_transfer_info *info);

/** An account's balances after a block. */
typedef struct mgc_balance_info {
    size_t struct_size;
    uint64_t height; /**< of the change */
    uint32_t index;  /**< of the transfer in its block */
    uint32_t reserved0;
    uint64_t debits_pending, debits_posted, credits_pending, credits_posted; /**< [unit] after it */
} mgc_balance_info;

/** The first balance of an account with MGC_ACCOUNT_HISTORY after (height, index).
 *  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_ABI_SIZE.  Cost logarithmic.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_next_balance(const mgc_chain *chain, const uint8_t *account,
                                                        uint64_t after_height, uint32_t after_index,
                                                        mgc_balance_info *info);

/** A contract's record. */
typedef struct mgc_record_info {
    size_t struct_size;
    const uint8_t *key; /**< borrowed, like value, until the chain next changes */
    size_t key_len; /**< bytes in key */
    const uint8_t *value; /**< its bytes */
    size_t value_len; /**< bytes in value */
} mgc_record_info;

/** What a block wrote to a record: its last value in the block, or value NULL where it was removed.  Borrowed until
 *  mgc_block_destroy().  @return MGC_OK, MGC_E_NOT_FOUND (the block did not change it), MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_block_get_change(const mgc_block *block, uint32_t contract, const uint8_t *key,
                                                      size_t key_len, mgc_record_info *info);

/** The first record of a contract whose key is greater than after; after_len 0: the first of all.
 *  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_ABI_SIZE.  Cost logarithmic.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_next_record(const mgc_chain *chain, uint32_t contract,
                                                       const uint8_t *after, size_t after_len, mgc_record_info *info);

/** RFC 6962 root over every keyed record of the state, in key order; 32 bytes, filled.  The bytes of a leaf:
 *  doc/formats.md.  Cost linear.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_state_root(const mgc_chain *chain, uint8_t *root);

/* --- proofs -------------------------------------------------------------------------------------- */

/**
 * Prove that something stands in a final block, or in the state at the last day's close: bytes that
 * mgc_verify_*() of verify.h checks without this ledger.
 *
 * @param bytes filled, at most cap; may be NULL where cap is 0
 * @param len   filled with the proof's length, also with MGC_E_TOO_LARGE
 * @return MGC_OK
 *         MGC_E_NOT_FOUND  no such block, no such thing in it, no day closed yet, or pruned
 *         MGC_E_NOT_FINAL  the block has no certificate yet
 *         MGC_E_RANGE      heights that are not in order
 *         MGC_E_STATE      a block of the chain is open (proofs about the day's close)
 *         MGC_E_TOO_LARGE  cap is too small; nothing is written
 *         MGC_E_INVALID_ARG, MGC_E_NO_MEMORY, MGC_E_CORRUPT, storage
 * Since 0.1
 * @{
 */
/** The index-th transaction, or receipt (of n_receipts), of a block.  Cost linear in the block. */
MGC_API MGC_NODISCARD mgc_status mgc_chain_prove_transaction(mgc_chain *chain, uint64_t height, uint32_t index,
                                                             uint8_t *bytes, size_t cap, size_t *len);
MGC_API MGC_NODISCARD mgc_status mgc_chain_prove_receipt(mgc_chain *chain, uint64_t height, uint32_t index,
                                                         uint8_t *bytes, size_t cap, size_t *len);
/** That a block is final; with its transactions. */
MGC_API MGC_NODISCARD mgc_status mgc_chain_prove_head(mgc_chain *chain, uint64_t height, uint8_t *bytes, size_t cap,
                                                      size_t *len);
MGC_API MGC_NODISCARD mgc_status mgc_chain_prove_block(mgc_chain *chain, uint64_t height, uint8_t *bytes, size_t cap,
                                                       size_t *len);
/** A final block with all that a member keeps of it: for another member's mgc_ledger_mend(). */
MGC_API MGC_NODISCARD mgc_status mgc_chain_prove_stored(mgc_chain *chain, uint64_t height, uint8_t *bytes, size_t cap,
                                                        size_t *len);
/** That the block at `ancestor` is one of those before `height`; with its header unless that is pruned.  Cost
 *  logarithmic. */
MGC_API MGC_NODISCARD mgc_status mgc_chain_prove_ancestor(mgc_chain *chain, uint64_t ancestor, uint64_t height,
                                                          uint8_t *bytes, size_t cap, size_t *len);
/** That the chain up to `height` goes on from the head at old_height.  Cost logarithmic. */
MGC_API MGC_NODISCARD mgc_status mgc_chain_prove_consistency(mgc_chain *chain, uint64_t old_height, uint64_t height,
                                                             uint8_t *bytes, size_t cap, size_t *len);
/** An account, a contract's record or any key of the state (doc/formats.md) at the last day's close: MGC_PROOF_RECORD
 *  where it stood there, MGC_PROOF_ABSENCE where it did not.  Cost logarithmic; the first
 *  one after a day's close linear. */
MGC_API MGC_NODISCARD mgc_status mgc_chain_prove_account(mgc_chain *chain, const uint8_t *id, uint8_t *bytes,
                                                         size_t cap, size_t *len);
MGC_API MGC_NODISCARD mgc_status mgc_chain_prove_record(mgc_chain *chain, uint32_t contract, const uint8_t *key,
                                                        size_t key_len, uint8_t *bytes, size_t cap, size_t *len);
MGC_API MGC_NODISCARD mgc_status mgc_chain_prove_key(mgc_chain *chain, const uint8_t *key, size_t key_len,
                                                     uint8_t *bytes, size_t cap, size_t *len);
/** @} */

/* --- what others have seen ----------------------------------------------------------------------- */

/**
 * Compare with a head that another member or a witness has seen: after opening, before taking part.
 *
 * A store that was rolled back (an old backup, a stale image) verifies; only others know that it was longer.
 *
 * @param proof of MGC_PROOF_HEAD, from mgc_chain_prove_head() of the other
 * @return MGC_OK               the chain has that block
 *         MGC_E_ROLLBACK       the chain ends before it: nothing is begun or voted for until mgc_chain_apply() has
 *                              caught up with it
 *         MGC_E_EQUIVOCATION   another block of that height is final here: members signed both.  The evidence is
 *                              stored and synced; nothing is begun, applied, voted for or certified any more, also
 *                              after opening again, until mgc_chain_resume()
 *         MGC_E_NOT_FINAL      another block stands here at that height, without a certificate: open again, take that one
 *         as mgc_verify_follow(): the proof is not believed
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_witness(mgc_chain *chain, const uint8_t *proof, size_t len);

/** The latest evidence of two final blocks of one height: a proof for mgc_verify_equivocation().
 *  @param bytes filled, at most cap  @param len filled, also with MGC_E_TOO_LARGE
 *  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_TOO_LARGE, storage.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_evidence(mgc_chain *chain, uint8_t *bytes, size_t cap, size_t *len);

/** An operator has decided that this chain is the one that goes on.  Stored and synced; the evidence stays.
 *  @return MGC_OK, MGC_E_STATE (not halted, read-only), storage.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_chain_resume(mgc_chain *chain);

/* --- verifying ----------------------------------------------------------------------------------- */

/** What a verification went through. */
typedef struct mgc_verify_info {
    size_t struct_size;
    uint32_t n_chains; /**< chains */
    uint32_t n_files; /**< files */
    uint64_t bytes; /**< in them */
    uint64_t records; /**< in the journal */
    uint64_t blocks; /**< of all chains */
    uint64_t transactions; /**< in them */
    uint64_t signatures;  /**< verified: transactions' and certificates' */
    uint64_t uncertified; /**< blocks at the end without a certificate: never acknowledged, forgotten when opened */
    uint64_t torn_bytes;  /**< an append cut short at the very end, as a killed process leaves it */
    uint32_t executed;    /**< 1: every transaction was executed again */
    uint32_t reserved0;
} mgc_verify_info;

/**
 * Verify a store from end to end without trusting any of it: every checksum, every byte's place, every hash link and
 * root, every certificate and every transaction's signatures, the state digest of every block, and that per unit
 * debits equal credits.  Nothing is written.
 *
 * Whoever can rewrite the files and holds the members' keys can write another ledger that verifies; whoever can cut
 * them off at a block's end leaves a shorter one that verifies.  Against both compare chain_id and block_hash with
 * a copy that someone else keeps.
 *
 * @param opts read_only is taken as 1
 * @param info filled, also on failure as far as it went; may be NULL
 * @return MGC_OK; MGC_E_CORRUPT and the other findings of mgc_ledger_open(), the text naming chain, height, file and
 *         offset; MGC_E_BAD_SIGNATURE, MGC_E_BAD_KEY; MGC_E_NOT_FOUND (no journal there)
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_ledger_verify(mgc_ctx *ctx, const mgc_ledger_opts *opts, mgc_verify_info *info);

#ifdef __cplusplus
}
#endif
#endif
