/* SPDX-License-Identifier: Apache-2.0 */
/* What the rooms above (contract, node) may do with the ledger: attach code to a chain, and from inside that
 * code read and write records, accounts and transfers of the block under execution.
 *
 * The life of a block:
 *
 *   mgc_chain_begin    expired pending transfers are released; executor->begin_block
 *   mgc_chain_add      the transaction is admitted (form, signatures, chain, nonce, height); its nonce is
 *                      spent; executor->execute; a refusal undoes everything since, but for the nonce
 *   mgc_chain_seal     executor->end_block; the write set is digested, roots are taken, the block is stored
 *
 * What execute() answers: MGC_OK keeps the effects.  An environment failure (mgc__is_fatal) aborts the whole block,
 * for it would not happen on another member.  Every other status is a refusal: effects and events are undone and
 * the receipt carries the status and the rule given to mgc__exec_refuse().
 *
 * The common order.  A ledger builds one block at a time, over all of its chains, and every header pins the heads of
 * the other chains as they were: blocks of all chains stand in one order, the journal's.  Code on one chain reads the
 * others' states as of their last block in that order (mgc__exec_other).
 *
 * Everything here must be a function of the chain's state, the block's height and time and the transaction: it is
 * executed again by other members and by whoever verifies.  A context's error text, pointers and host callbacks that
 * read a clock have no place in it. */
#ifndef LEDGER_EXEC_H
#define LEDGER_EXEC_H

#include "base/base.h"
#include "ledger/tx.h"
#include "mgchain/ledger.h"

typedef struct mgc__state mgc__state; /* keyed records of one chain, in key order */
typedef struct mgc__exec mgc__exec;   /* the transaction, or the block's own step, under execution */

typedef struct mgc__executor {
    void *user;
    mgc_status (*begin_block)(void *user, mgc__exec *x); /* may be NULL; a refusal is a bug: MGC_E_INTERNAL */
    mgc_status (*execute)(void *user, mgc__exec *x, const mgc__tx *tx); /* tx: every signature verified */
    mgc_status (*end_block)(void *user, mgc__exec *x);                 /* may be NULL; likewise */
    /* May be NULL.  After execute(), where that refused after its effects are undone: what this does stays.  Anything
     * but MGC_OK aborts the block. */
    mgc_status (*charge)(void *user, mgc__exec *x, const mgc__tx *tx);
} mgc__executor;

/* Attach the code of a chain; copied.  A chain without one can be read and replayed, not extended: stored blocks
 * are replayed by their write sets. */
void mgc__chain_set_executor(mgc_chain *chain, const mgc__executor *executor);

/* mgc_ledger_verify() that also executes every transaction again.  attach() is called for each chain when its genesis
 * is read and sets its executor; NULL: no execution. */
mgc_status mgc__ledger_verify(mgc_ctx *ctx, const mgc_ledger_opts *opts, void (*attach)(void *user, mgc_chain *chain),
                              void *user, mgc_verify_info *info);

mgc_ledger *mgc__chain_ledger(const mgc_chain *chain);
mgc_ctx *mgc__chain_ctx(const mgc_chain *chain);
/* Who signs after the last block, during a change the old ones, too; ids ascending, length *n; borrowed until the next block. */
const mgc_member *mgc__chain_members(const mgc_chain *chain, uint32_t *n);
/* Who signs or signed, under that number, by its last key; NULL: nobody did. */
const mgc_member *mgc__chain_member_ever(const mgc_chain *chain, uint32_t id);
struct mgc__signers; /* ledger/signers.h */
/* Each that was ever in force, in their order, from the genesis' on; NULL: no more. */
const struct mgc__signers *mgc__chain_configuration(const mgc_chain *chain, size_t number);
struct mgc__header;
/* Who must sign the block of a header that this chain has, or had; NULL: none such.  next: room. */
const struct mgc__signers *mgc__chain_signers_of(const mgc_chain *chain, const struct mgc__header *h, struct mgc__signers *next);
/* The same of the block at a height; at the one after the last, unless that one begins a change. */
mgc_status mgc__chain_signers_at(mgc_chain *chain, uint64_t height, struct mgc__signers *signers);
const struct mgc__signers *mgc__chain_signers(const mgc_chain *chain); /* in force after the last block */
/* The committed state, or, while a block is open, that state with the block's effects so far. */
const mgc__state *mgc__chain_state(const mgc_chain *chain);

/* --- where things stand (find.c) ------------------------------------------------------------------ */

enum {
    MGC__FIND_SENDER,   /* transactions by the sender's key, */
    MGC__FIND_SIGNER,   /* by the key of anybody who signed, */
    MGC__FIND_CONTRACT, /* by number, */
    MGC__FIND_STATUS,   /* by what came of them, as two's complement */
    MGC__FIND_CHANGE,   /* changes of a record: number the contract's, name the key */
    MGC__FIND_EVENT,    /* by contract and name; */
    MGC__FIND_EVENT_NAME, /* by name, number 0; */
    MGC__FIND_EVENT_CONTRACT, /* by number */
    MGC__FIND_KINDS
};

typedef struct mgc__sought {
    uint32_t kind, number;
    const void *name; /* a key's 32 bytes, or len bytes, at most MGC_RECORD_KEY_MAX */
    size_t len;
} mgc__sought;

/* The first place after one ({0}: the first of all) in an index that is built when first asked for: a logarithm of the
 * ledger.  MGC_E_NOT_FOUND, without a text: no more. */
mgc_status mgc__chain_find(mgc_chain *chain, const mgc__sought *what, const mgc_found *after, mgc_found *found);

/* The height of the first block that is not pruned; behind the last where there is none. */
uint64_t mgc__chain_first_block(const mgc_chain *chain);

/* All that a block wrote to the state, in the order of keys, with their areas (state.h); value NULL: removed.  Ends with
 * the first answer that is not MGC_OK.  MGC_E_NOT_FOUND: the block is pruned. */
typedef mgc_status (*mgc__write_visit)(void *user, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len);
mgc_status mgc__chain_writes(mgc_chain *chain, uint64_t height, mgc__write_visit visit, void *user);

/* --- the block and transaction at hand ----------------------------------------------------------- */

mgc_chain *mgc__exec_chain(const mgc__exec *x);
const mgc__state *mgc__exec_state(const mgc__exec *x);
mgc_ctx *mgc__exec_ctx(const mgc__exec *x);
uint64_t mgc__exec_height(const mgc__exec *x);   /* of the block being built */
uint64_t mgc__exec_time_ms(const mgc__exec *x);  /* its time, UTC */
uint64_t mgc__exec_parent_time_ms(const mgc__exec *x);
uint32_t mgc__exec_tx_index(const mgc__exec *x); /* in its block; UINT32_MAX in begin_block and end_block */

/* The committed state of another chain of the store: as of its last block before this one in the common order, which
 * this block's header pins, so that whoever executes it again reads the same.  The own chain's name gives its own
 * state.  height, time_ms: of that block; either may be NULL.
 *
 * MGC_OK; MGC_E_NOT_FOUND: there is no such chain, or it has no block yet.  *state is borrowed until the block ends. */
mgc_status mgc__exec_other(const mgc__exec *x, const char *chain_name, const mgc__state **state, uint64_t *height,
                           uint64_t *time_ms);
/* The same outside a block, for queries: the committed state of a chain of the same store, or the own one's with an
 * open block's effects. */
mgc_status mgc__chain_other(const mgc_chain *chain, const char *chain_name, const mgc__state **state,
                            uint64_t *height, uint64_t *time_ms);

/* Statuses that stop the node rather than refuse a transaction: no memory, storage, callbacks, bugs. */
bool mgc__is_fatal(mgc_status status);

/* Refuse: the sentence goes into the receipt, so it holds only what every member computes alike.
 * `return mgc__exec_refuse(x, MGC_E_GATE_CLOSED, "slot %" PRIu64 " closed at height ...", slot);` */
mgc_status mgc__exec_refuse(mgc__exec *x, mgc_status status, const char *format, ...) MGC_PRINTF(3, 4);
const char *mgc__exec_rule(const mgc__exec *x); /* the last sentence, "" if none */

/* The contract's answer to its caller, copied into the receipt; at most MGC_RECORD_VALUE_MAX bytes. */
mgc_status mgc__exec_output(mgc__exec *x, const uint8_t *bytes, size_t len);
/* What metering counted so far, for the receipt. */
void mgc__exec_set_cost(mgc__exec *x, uint64_t cost);
uint64_t mgc__exec_cost(const mgc__exec *x);

/* An event, copied into the receipt.  name: 1..MGC_EVENT_NAME_MAX bytes of UTF-8. */
mgc_status mgc__exec_emit(mgc__exec *x, uint32_t contract, const char *name, const uint8_t *payload, size_t len);

/* A point to return to: records, accounts, transfers and events since mark are undone.  Nests; never fails. */
typedef struct mgc__mark {
    size_t undo, events;
    uint32_t n_events;
} mgc__mark;
mgc__mark mgc__exec_mark(const mgc__exec *x);
void mgc__exec_undo(mgc__exec *x, mgc__mark mark);

/* --- records --------------------------------------------------------------------------------
 *
 * A contract's record is (contract, key) -> value, key 1..MGC_RECORD_KEY_MAX bytes, value 0..MGC_RECORD_VALUE_MAX.
 * Keys are ordered as byte strings, so numbers in them are written big-endian. */

/* value is borrowed until that record next changes.  MGC_E_NOT_FOUND leaves *value NULL. */
mgc_status mgc__record_get(const mgc__state *s, uint32_t contract, const uint8_t *key, size_t key_len,
                           const uint8_t **value, size_t *value_len);
mgc_status mgc__record_put(mgc__exec *x, uint32_t contract, const uint8_t *key, size_t key_len, const uint8_t *value,
                           size_t value_len);
/* MGC_E_NOT_FOUND where there is none. */
mgc_status mgc__record_remove(mgc__exec *x, uint32_t contract, const uint8_t *key, size_t key_len);

/* Walk the records of a contract whose key begins with prefix, in key order:
 *
 *   mgc__record_cursor c;
 *   mgc__record_first(&c, contract, prefix, prefix_len);      or mgc__record_after(..., key, key_len)
 *   while (mgc__record_next(state, &c)) use(c.key, c.key_len, c.value, c.value_len);
 *
 * The cursor remembers the last key, not a place in the tree: records may be changed, added and removed while it
 * walks.  key and value are borrowed until the record changes. */
typedef struct mgc__record_cursor {
    const uint8_t *key, *value;
    size_t key_len, value_len;
    size_t prefix_len, last_len; /* private from here on */
    bool begun;
    uint8_t last[5 + MGC_RECORD_KEY_MAX];
} mgc__record_cursor;
void mgc__record_first(mgc__record_cursor *c, uint32_t contract, const uint8_t *prefix, size_t prefix_len);
/* The same, but only records whose key is greater than `after`, which begins with the prefix. */
void mgc__record_after(mgc__record_cursor *c, uint32_t contract, const uint8_t *prefix, size_t prefix_len,
                       const uint8_t *after, size_t after_len);
bool mgc__record_next(const mgc__state *s, mgc__record_cursor *c);

/* --- accounts and transfers ------------------------------------------------------------------
 *
 * The same structures as the public ones.  When creating, struct_size, balances, height, index, state and ended_by
 * are ignored and need not be set. */

/* MGC_OK, also where the very same account exists (*existed is then true; may be NULL).  MGC_E_EXISTS_DIFFERENT names
 * the field.  MGC_E_INVALID_ARG, MGC_E_RANGE: the rule says what. */
mgc_status mgc__account_create(mgc__exec *x, const mgc_account_info *account, bool *existed);
/* MGC_OK, MGC_E_NOT_FOUND. */
mgc_status mgc__account_get(const mgc__state *s, const uint8_t id[16], mgc_account_info *account);
/* Close an account.  MGC_E_STATE while it has anything pending. */
mgc_status mgc__account_close(mgc__exec *x, const uint8_t id[16]);

typedef struct mgc__transfer_result {
    mgc_status status;
    bool existed; /* the very same transfer was there before: nothing moved, and that is success */
} mgc__transfer_result;

/* Create n transfers in order.  Those joined by MGC_TRANSFER_LINKED succeed or fail together; the others each for
 * itself.  results (length n, may be NULL) says how each went; the answer is that of the first that failed, else
 * MGC_OK, so that a contract that wants all or nothing returns it. */
mgc_status mgc__transfers_create(mgc__exec *x, const mgc_transfer_info *transfers, size_t n,
                                 mgc__transfer_result *results);
mgc_status mgc__transfer_create(mgc__exec *x, const mgc_transfer_info *transfer);
/* MGC_OK, MGC_E_NOT_FOUND. */
mgc_status mgc__transfer_get(const mgc__state *s, const uint8_t id[16], mgc_transfer_info *transfer);

/* --- locks and credits between chains ----------------------------------------------------------
 *
 * A lock makes an amount pending on the source chain; the target chain credits it once, by the lock's id, in a block
 * before expires_ms; else it returns when the target's time has passed that.  cross.c has the whole story. */

enum { MGC__LOCK_OPEN = 1, MGC__LOCK_CREDITED = 2, MGC__LOCK_RETURNED = 3 };
#define MGC__LOCK_MS_MAX (UINT64_C(366) * 86400000) /* a lock forgotten in a drawer does not live for ever */
#define MGC__EVENT_LOCK "lock"                      /* of contract 0; its receipt is what another store asks for */

typedef struct mgc__lock {
    uint8_t id[16]; /* also of the pending transfer */
    uint8_t debit_account[16]; /* when creating; not told when reading: see the transfer */
    uint8_t target_chain[32], target_account[16];
    uint64_t amount, expires_ms;
    uint32_t unit, code; /* code: of the transfers on both sides */
    uint32_t state;      /* filled from here on: MGC__LOCK_... */
    uint64_t height;     /* of the block that locked it */
    bool same_store;     /* the target is a chain of this store: it ends by itself */
} mgc__lock;

/* MGC_OK, also where the very same lock exists; MGC_E_EXPIRED, MGC_E_RANGE, MGC_E_INVALID_ARG (for its own chain),
 * MGC_E_EXISTS_DIFFERENT, those of a pending transfer. */
mgc_status mgc__lock_create(mgc__exec *x, const mgc__lock *lock);
/* MGC_OK, MGC_E_NOT_FOUND. */
mgc_status mgc__lock_get(const mgc__state *s, const uint8_t id[16], mgc__lock *lock);
/* On the target: a lock of another chain of this store, or of any chain by the proof of the receipt that has its event.  Which
 * other chains are trusted is the contract's to say.  MGC_E_ALREADY_CREDITED, MGC_E_EXPIRED, MGC_E_WRONG_CHAIN,
 * MGC_E_NOT_FOUND; MGC_E_NOT_FINAL, MGC_E_BAD_PROOF, MGC_E_BAD_CERT and the other findings of verify.h; those of a
 * transfer. */
mgc_status mgc__lock_credit(mgc__exec *x, const char *source_chain, const uint8_t id[16]);
mgc_status mgc__lock_credit_proof(mgc__exec *x, const uint8_t source_chain[32], const uint8_t id[16],
                                  const uint8_t *proof, size_t len);
/* On the source: end a lock now rather than at its expiry; by the target's pinned state, or by a proof of the target's
 * state at a day's close (key 0a, source chain, lock id).  MGC_E_EARLY: it may still be credited; MGC_E_STATE: ended. */
mgc_status mgc__lock_settle(mgc__exec *x, const uint8_t id[16]);
mgc_status mgc__lock_settle_proof(mgc__exec *x, const uint8_t id[16], const uint8_t *proof, size_t len);
/* The account on this chain that stands for another chain: opened when first used, with code MGC_CODE_BRIDGE.  Its
 * posted and pending credits are what went there, its debits what came from there. */
void mgc__bridge_id(uint8_t id[16], const uint8_t other_chain[32], uint32_t unit);

/* 16 bytes that name a thing: the head of a tagged hash of the parts, each with its length. */
void mgc__id_derive(uint8_t id[16], const char *kind, const void *a, size_t a_len, const void *b, size_t b_len);

/* Is this vote a member's signature on the block at a height?  MGC_OK; MGC_E_BAD_CERT: it is not; as reading. */
mgc_status mgc__chain_check_vote(mgc_chain *chain, uint64_t height, const mgc_vote *vote);

#endif
