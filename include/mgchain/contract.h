/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file contract.h
 * Contracts: rules that every member executes alike.  The functional ones (information, trading, scheduling,
 * settlement, supervision, credit) are built in; a host registers its own through the same table of calls.
 *
 * A contract is told a transaction or the closing of a slot's gate.  It sees its own records, accounts and transfers,
 * the block's height and time, and who signed in which verified role.  It has no clock, no randomness, no input or
 * output.  All is counted and bounded; what it did is undone when it refuses.
 *
 * Everything is a whole number: micro-currency, Wh, g CO2e; prices in micro-currency per kWh, emission factors in
 * mg CO2e per kWh.  Transactions, records, states and codes of the built-in contracts: doc/contracts.md.
 *
 * Threads: one at a time per object.
 */
#ifndef MGCHAIN_CONTRACT_H
#define MGCHAIN_CONTRACT_H

#include "mgchain/base.h"
#include "mgchain/crypto.h"
#include "mgchain/ledger.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Contracts by number, which alone says on which of a market's three chains one runs.  A host's own: from
 *  MGC_CONTRACT_HOST on with trading, where the money is; from MGC_CONTRACT_HOST_INFORMATION and
 *  MGC_CONTRACT_HOST_SCHEDULING on with those.  On a market of one chain all run there. */
enum {
    MGC_CONTRACT_INFORMATION = 1, /**< who and what: organisations, members, microgrids, links, meters, commitments */
    MGC_CONTRACT_TRADING = 2,     /**< money in and out, nominations to the grid, agreements, payments of a bargain */
    MGC_CONTRACT_SCHEDULING = 3,  /**< what was agreed becomes each microgrid's schedule when a slot's gate closes */
    MGC_CONTRACT_SETTLEMENT = 4,  /**< tariffs, deviations, final amounts, carbon */
    MGC_CONTRACT_SUPERVISION = 5, /**< regulator's and managers' acts by quorum */
    MGC_CONTRACT_CREDIT = 6,      /**< trading and consensus credit */
    MGC_CONTRACT_HOST = 100,
    MGC_CONTRACT_HOST_INFORMATION = 1 << 24,
    MGC_CONTRACT_HOST_SCHEDULING = 2 << 24,
    MGC_CONTRACT_HOST_END = 3 << 24
};

/** Kinds of accounts (their `code`).  The first five belong to a microgrid, the others to the market (microgrid
 *  0). */
enum {
    MGC_ACCOUNT_MONEY = 1,       /**< may not go below zero, what is reserved included */
    MGC_ACCOUNT_DUE = 2,         /**< charges that the money account could not cover; a debt */
    MGC_ACCOUNT_ELECTRICITY = 3, /**< credits: taken from outside; debits: given */
    MGC_ACCOUNT_HEAT = 4,
    MGC_ACCOUNT_CARBON = 5,
    MGC_ACCOUNT_BANK = 16,             /**< where deposits come from and withdrawals go */
    MGC_ACCOUNT_UTILITY = 17,          /**< sells and buys at the grid connection, prices deviations */
    MGC_ACCOUNT_NETWORK = 18,          /**< receives the links' fees */
    MGC_ACCOUNT_CLEARING = 19,         /**< collateral is reserved in its favour */
    MGC_ACCOUNT_GRID_ELECTRICITY = 20, /**< the other side of every kWh at a grid connection */
    MGC_ACCOUNT_GRID_HEAT = 21,
    MGC_ACCOUNT_LOSS_ELECTRICITY = 22, /**< what links lose */
    MGC_ACCOUNT_LOSS_HEAT = 23,
    MGC_ACCOUNT_CARBON_SOURCE = 24
};

/** The id of an account: 16 bytes, filled.  @param microgrid 0 for the market's own.  Since 0.1 */
MGC_API void mgc_account_id(uint32_t kind, uint32_t microgrid, uint8_t *id);

/** Limits, each with its reason. */
enum {
    MGC_PARTY_MAX = 1 << 20,       /**< organisations, members, microgrids, meters, links: ids 1..; fits a transfer's
                                  *   id */
    MGC_NAME_MAX = 63,             /**< bytes of a name: as in case files */
    MGC_ROWS_MAX = 2048,           /**< rows of a transaction: three weeks of quarter hours */
    MGC_CALLS_MAX = 200000,        /**< calls into the environment by one execution: a block stays below a second or
                                  *   so */
    MGC_CALL_BYTES_MAX = 1 << 25,  /**< bytes of records read and written by one execution, likewise */
    MGC_CONTRACTS_MAX = 32,        /**< contracts of a chain: every gate closing visits all */
    MGC_PAGE_MAX = 10000,          /**< rows of a page of an answer */
    MGC_CURSOR_MAX = 400,          /**< bytes of a cursor: a record's key and a hash, as hexadecimal digits */
    MGC_SLOTS_PER_BLOCK_MAX = 4096, /**< gates closed by one block after a pause; the rest follow in the next */
    MGC_SLOT_TRADES_MAX = 8192,    /**< agreements of a slot: one transaction pays them out */
    MGC_SLOT_PAYMENTS_MAX = 4096   /**< payments of bargains that wait for one slot, likewise */
};

/** Watt hours that a microgrid may sell, buy or nominate in a slot and carrier: 2^41, at the highest price no amount yet. */
#define MGC_SLOT_WH_MAX ((uint64_t)1 << 41)

/* --- arguments of transactions -------------------------------------------------------------------------------- */

/** What a field of a method takes. */
enum {
    MGC_FIELD_UINT = 1,  /**< 0..upper */
    MGC_FIELD_INT = 2,   /**< lower..upper */
    MGC_FIELD_TEXT = 3,  /**< 0..upper bytes of UTF-8 */
    MGC_FIELD_BYTES = 4, /**< lower..upper bytes */
    MGC_FIELD_ROWS = 5   /**< 1..MGC_ROWS_MAX rows of integers, one for each column */
};

/** A field of a method. */
typedef struct mgc_field_info {
    size_t struct_size;
    uint32_t key;        /**< its number in the encoded map */
    uint32_t kind;       /**< MGC_FIELD_... */
    const char *name;    /**< "amount_micro" */
    const char *columns; /**< ROWS: names of the columns with one space between; else "" */
    int64_t lower, upper; /**< allowed range, ends included; see MGC_FIELD_... */
} mgc_field_info;

/** Name of the index-th method of a built-in contract, NULL past the last one.  Static text.  Since 0.1 */
MGC_API const char *mgc_method_name(uint32_t contract, uint32_t index);
/** The index-th field of a method.  Texts are static.  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_ABI_SIZE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_field_describe(uint32_t contract, const char *method, uint32_t index,
                                                    mgc_field_info *info);

typedef struct mgc_args mgc_args; /* owned by the caller */

/** Begin the arguments of a method of a built-in contract.  @param out NULL on failure; destroy with
 *  mgc_args_destroy()
 *  @return MGC_OK, MGC_E_NOT_FOUND (no such method), MGC_E_INVALID_ARG, MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_args_create(mgc_ctx *ctx, uint32_t contract, const char *method, mgc_args **out);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_args_destroy(mgc_args *args);

/** Set a field by its name; values are copied.  Rows are appended, one call a row, n values each.
 *  @return MGC_OK, MGC_E_UNKNOWN_KEY (the nearest is named), MGC_E_RANGE, MGC_E_INVALID_ARG (another kind of field),
 *          MGC_E_NO_MEMORY.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_args_set_int(mgc_args *args, const char *field, int64_t value);
MGC_API MGC_NODISCARD mgc_status mgc_args_set_text(mgc_args *args, const char *field, const char *text);
MGC_API MGC_NODISCARD mgc_status mgc_args_set_bytes(mgc_args *args, const char *field, const uint8_t *bytes,
                                                    size_t len);
MGC_API MGC_NODISCARD mgc_status mgc_args_add_row(mgc_args *args, const char *field, const int64_t *values, size_t n);
/** @} */

/**
 * Set fields out of a text: "id=5&name=ada&key=8f3a..&rows=1,2,3;4,5,6".
 *
 * @param words  "field=value", with & between; numbers in decimal, texts as they are (without &, which only
 *               mgc_args_set_text() can set), bytes as pairs of hexadecimal digits, rows with ; between and , in them.
 *               "": nothing is set
 * @return MGC_OK; MGC_E_SYNTAX (what is not of that form is told, and what must stand there; a field that stands twice);
 *         otherwise as mgc_args_set_int() and its sisters.  After a failure some of the fields may be set
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_args_parse(mgc_args *args, const char *words);

/** Encode.  bytes: borrowed until the arguments change.  @return MGC_OK, MGC_E_SCHEMA (a field is missing; it is
 *  named), MGC_E_TOO_LARGE, MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_args_encode(mgc_args *args, const uint8_t **bytes, size_t *len);

/* --- rows: answers to queries ----------------------------------------------------------------------------------- */

typedef struct mgc_rows mgc_rows; /* owned by whoever asked; destroy with mgc_rows_destroy() */
typedef struct mgc_row mgc_row;   /* borrowed until the rows are destroyed or asked for the next one */

enum { MGC_ROW = 1, MGC_ROWS_END = 2 };

/** Move to the next row.  @return MGC_ROW and *row, or MGC_ROWS_END and NULL.  Since 0.1 */
MGC_API int32_t mgc_rows_next(mgc_rows *rows, const mgc_row **row);
/** Number of rows; names of columns, NULL past the last one.  Since 0.1 @{ */
MGC_API size_t mgc_rows_count(const mgc_rows *rows);
MGC_API const char *mgc_rows_column(const mgc_rows *rows, uint32_t index);
/** @} */
/** Where the next page begins: hand it in as "cursor=..." with the same question; "" where this was the last page
 *  (after a full one an empty one may follow).
 *  Borrowed until the rows are destroyed.  Since 0.1 */
MGC_API const char *mgc_rows_cursor(const mgc_rows *rows);
/** A cell as text: numbers in decimal, bytes in lower-case hexadecimal; NULL: no such column.  Since 0.1 */
MGC_API const char *mgc_row_text(const mgc_row *row, const char *column);
/** A cell as a number; 0 where it is none.  Since 0.1 */
MGC_API int64_t mgc_row_int(const mgc_row *row, const char *column);
/** NULL is fine.  Since 0.1 */
MGC_API void mgc_rows_destroy(mgc_rows *rows);

/** For contracts that answer: the columns once, names with one space between, then cell by cell, row by row.
 *  @return MGC_OK, MGC_E_STATE (columns twice), MGC_E_LIMIT (over 1000000 cells), MGC_E_NO_MEMORY.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_rows_begin(mgc_rows *rows, const char *columns);
MGC_API MGC_NODISCARD mgc_status mgc_rows_put_int(mgc_rows *rows, int64_t value);
MGC_API MGC_NODISCARD mgc_status mgc_rows_put_text(mgc_rows *rows, const char *text, size_t len);
MGC_API MGC_NODISCARD mgc_status mgc_rows_put_hex(mgc_rows *rows, const uint8_t *bytes, size_t len);
/** @} */

/* --- the environment of a running contract ---------------------------------------------------------------------- */

typedef struct mgc_env mgc_env; /* the library's, for the length of a call */

/** What a transaction asks of a contract.  All borrowed until the call returns. */
typedef struct mgc_call {
    size_t struct_size;
    const char *method; /**< not NUL-terminated */
    size_t method_len; /**< bytes in method */
    const uint8_t *arguments; /**< canonical map */
    size_t arguments_len; /**< bytes in arguments */
    const uint8_t *sender; /**< public key, 32 bytes */
} mgc_call;

MGC_API const uint8_t *mgc_env_chain_id(const mgc_env *env); /**< 32 bytes.  Since 0.1 */
MGC_API uint64_t mgc_env_height(const mgc_env *env);         /**< of the block being built; in a query: of the last.
                                                              *    Since 0.1 */
MGC_API uint64_t mgc_env_time_ms(const mgc_env *env);        /**< its time, UTC.  Since 0.1 */

/** 1 where the member signed in a role that it holds, with a key that is valid at this height.  Since 0.1 */
MGC_API int32_t mgc_env_signed(const mgc_env *env, uint32_t member, uint32_t role);
/** The index-th signer.  @return MGC_OK, MGC_E_NOT_FOUND.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_env_signer(const mgc_env *env, uint32_t index, uint32_t *member, uint32_t *role);

/** Refuse: the sentence stands in the receipt, the answer is the status: `return mgc_env_refuse(env, MGC_E_RANGE,
 *  "...")`. It must be the same on every member.  Since 0.1 */
MGC_API mgc_status mgc_env_refuse(mgc_env *env, mgc_status status, const char *format, ...) MGC_PRINTF(3, 4);

/** The contract's own records, ordered by key as byte strings; key 1..MGC_RECORD_KEY_MAX bytes, value up to
 *  MGC_RECORD_VALUE_MAX.  value and key are borrowed until a record is put or removed.  next: the first record whose
 *  key begins with the prefix and is greater than after (after_len 0: the first).
 *  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_CONTRACT (metering limit, or a length), MGC_E_STATE (put or remove in a
 *          query), MGC_E_NO_MEMORY.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_env_get(mgc_env *env, const uint8_t *key, size_t key_len, const uint8_t **value,
                                             size_t *value_len);
MGC_API MGC_NODISCARD mgc_status mgc_env_put(mgc_env *env, const uint8_t *key, size_t key_len, const uint8_t *value,
                                             size_t value_len);
MGC_API MGC_NODISCARD mgc_status mgc_env_remove(mgc_env *env, const uint8_t *key, size_t key_len);
MGC_API MGC_NODISCARD mgc_status mgc_env_next(mgc_env *env, const uint8_t *prefix, size_t prefix_len,
                                              const uint8_t *after, size_t after_len, const uint8_t **key,
                                              size_t *key_len, const uint8_t **value, size_t *value_len);
/** @} */

/** Open an account of the contract's own.  account->id must begin with the contract's number, 4 bytes big-endian.
 *  @return MGC_OK, also where the very same exists; MGC_E_EXISTS_DIFFERENT; MGC_E_FORBIDDEN (another prefix),
 *          MGC_E_CONTRACT, MGC_E_STATE.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_env_open_account(mgc_env *env, const mgc_account_info *account);
/** Any account's balances.  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_CONTRACT.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_env_account(mgc_env *env, const uint8_t *id, mgc_account_info *account);
/**
 * Move an amount.  transfer->id must begin with the contract's number, 4 bytes big-endian.  The debited account must
 * be the contract's own, or the money account of a microgrid whose manager signed this transaction; a pending
 * transfer that is posted or voided must be the contract's own.
 * @return MGC_OK, also where the very same exists; MGC_E_FORBIDDEN; the ledger's refusals (MGC_E_ACCOUNT,
 *         MGC_E_EXCEEDS_CREDIT, MGC_E_PENDING_POSTED ...); MGC_E_CONTRACT, MGC_E_STATE.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_env_transfer(mgc_env *env, const mgc_transfer_info *transfer);
/** An event in the receipt.  @return MGC_OK, MGC_E_CONTRACT, MGC_E_STATE, MGC_E_NO_MEMORY.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_env_emit(mgc_env *env, const char *name, const uint8_t *payload, size_t len);

/* --- between chains ---------------------------------------------------------------------------
 *
 * An amount goes from one chain to another in two transactions, one on each, and perhaps a third:
 *
 *   source                                    target
 *   1. mgc_env_lock(): the amount is pending
 *                                             2. mgc_env_credit(), in a block before expires_ms: once, by the lock's id
 *   3. posted or returned: by itself once the target has passed expires_ms, or at once by mgc_env_settle_lock()
 *
 * The target chain decides: its blocks' times only grow, so what was not credited before expires_ms never is, and what is
 * returned was not.  Each side's contract keeps no record of it and needs no clock. */

/** States of a lock. */
enum {
    MGC_LOCK_OPEN = 1,     /**< pending on its chain; perhaps credited on the other */
    MGC_LOCK_CREDITED = 2, /**< credited there, posted here */
    MGC_LOCK_RETURNED = 3  /**< never credited; the amount is free again */
};

/** An amount on its way to another chain. */
typedef struct mgc_lock_info {
    size_t struct_size;
    uint8_t id[16];             /**< begins with the contract's number, 4 bytes big-endian;
                                     also of the pending transfer */
    uint8_t debit_account[16];  /**< as for mgc_env_transfer() */
    uint8_t target_chain[32];   /**< id of the other chain, of this store or of any other */
    uint8_t target_account[16]; /**< on it: the crediting contract's own, or a microgrid's money */
    uint64_t amount;            /**< > 0 */
    uint64_t expires_ms;        /**< the target credits it in a block before that time, UTC; at most 366 days ahead */
    uint32_t unit;              /**< MGC_UNIT_... */
    uint32_t code;              /**< of the transfers on both chains */
    uint32_t state;             /**< filled: MGC_LOCK_... */
    uint32_t reserved0;         /**< 0 */
    uint64_t height;            /**< filled: of the block that locked it */
} mgc_lock_info;

/** Id of another chain of the same store, by name.  @param chain_id 32 bytes, filled
 *  @return MGC_OK; MGC_E_NOT_FOUND: there is none, or it has no block yet; MGC_E_CONTRACT.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_env_other_chain(mgc_env *env, const char *name, uint8_t *chain_id);

/**
 * Lock an amount on this chain for another one.
 * @return MGC_OK, also where the very same lock exists; MGC_E_FORBIDDEN (another contract's id or account),
 *         MGC_E_INVALID_ARG (for its own chain; reserved0), MGC_E_ABI_SIZE, MGC_E_ABI_FUTURE, MGC_E_EXPIRED,
 *         MGC_E_RANGE (amount, expires_ms), MGC_E_EXISTS_DIFFERENT, as mgc_env_transfer() for a pending one;
 *         MGC_E_CONTRACT, MGC_E_STATE.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_env_lock(mgc_env *env, const mgc_lock_info *lock);

/** A lock of this chain (chain NULL), or of another one of the store as this block sees it.  @param id 16 bytes
 *  @param lock filled up to lock->struct_size
 *  @return MGC_OK, MGC_E_NOT_FOUND, MGC_E_ABI_SIZE, MGC_E_CONTRACT.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_env_lock_get(mgc_env *env, const char *chain, const uint8_t *id,
                                                  mgc_lock_info *lock);

/**
 * Credit here what was locked on another chain of the same store, as this block sees it.
 * @param source_chain its name  @param id 16 bytes, the lock's
 * @return MGC_OK; MGC_E_ALREADY_CREDITED, MGC_E_EXPIRED, MGC_E_WRONG_CHAIN (it is for another one), MGC_E_NOT_FOUND
 *         (no such chain or lock), MGC_E_FORBIDDEN (the account is neither the contract's own nor a microgrid's money),
 *         MGC_E_ACCOUNT, MGC_E_ACCOUNT_CLOSED, MGC_E_CONTRACT, MGC_E_STATE.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_env_credit(mgc_env *env, const char *source_chain, const uint8_t *id);

/**
 * Credit here what was locked on a chain of another store, by the proof of the receipt that tells of the lock
 * (mgc_chain_prove_receipt()).  Whom to believe is the contract's to say: whoever signs the blocks of source_chain
 * can lock what nobody has.
 * @param source_chain id, 32 bytes, of a chain that the contract trusts
 * @return as mgc_env_credit(); MGC_E_NOT_FINAL, MGC_E_BAD_PROOF, MGC_E_BAD_CERT and the other findings of verify.h.
 *         Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_env_credit_proof(mgc_env *env, const uint8_t *source_chain, const uint8_t *id,
                                                      const uint8_t *proof, size_t len);

/** End a lock of this chain now rather than when the target has passed its expiry: posted where it was credited, returned
 *  where it can be no more.  The first for a target in the same store; the second by a proof of the target's state at
 *  a day's close (mgc_chain_prove_key() of the record of the credit, or of its absence; doc/formats.md 5).
 *  @return MGC_OK; MGC_E_EARLY (it may still be credited), MGC_E_STATE (it has ended; the target is elsewhere; a query),
 *          MGC_E_NOT_FOUND, MGC_E_FORBIDDEN (another contract's), MGC_E_BAD_PROOF and the other findings of verify.h,
 *          MGC_E_CONTRACT.  Since 0.1 @{ */
MGC_API MGC_NODISCARD mgc_status mgc_env_settle_lock(mgc_env *env, const uint8_t *id);
MGC_API MGC_NODISCARD mgc_status mgc_env_settle_lock_proof(mgc_env *env, const uint8_t *id, const uint8_t *proof,
                                                           size_t len);
/** @} */

/* --- a contract ------------------------------------------------------------------------------- */

/** What a query asks.  Borrowed until the call returns. */
typedef struct mgc_query {
    size_t struct_size;
    const char *what;      /**< "trades" */
    const char *arguments; /**< "microgrid=hospital&slot=1234" */
    uint32_t caller;       /**< member; 0: the public */
    uint32_t sees_all;     /**< 1: market operator, dispatcher, regulator or auditor; of a built-in contract's
                                questions: those
                            *   of them who may see what belongs to others */
} mgc_query;

/** Value of a key of the arguments, copied with NUL; 0: it is not there or longer than cap allows, else 1.  Since
 *  0.1 */
MGC_API int32_t mgc_query_text(const mgc_query *query, const char *key, char *text, size_t cap);
/** The same as a number.  Since 0.1 */
MGC_API int32_t mgc_query_uint(const mgc_query *query, const char *key, uint64_t *value);

/**
 * A contract.  Calls are made on the thread that steps the node; each answers MGC_CB_DONE or a refusal (a negative
 * status, best through mgc_env_refuse()).  Any other answer is MGC_E_CONTRACT.  MGC_E_NO_MEMORY stops the node
 * instead: it would not happen on another member.
 */
typedef struct mgc_contract {
    size_t struct_size;
    uint32_t version;      /**< meaning of the calls; 1 is current */
    uint32_t id;           /**< MGC_CONTRACT_HOST .. MGC_CONTRACT_HOST_END - 1 */
    uint32_t code_version; /**< > 0; an upgrade counts up */
    uint32_t reserved0;    /**< 0 */
    const char *name;      /**< copied; 1..MGC_NAME_MAX bytes */
    uint8_t code_hash[32]; /**< of its code, as the host vouches for it; a "deploy" transaction must name the same */

    /** May this ever be accepted?  No records: only what the call itself says.  Optional. */
    int32_t (*check)(void *user, mgc_env *env, const mgc_call *call);
    /** Do it, or refuse; a refusal undoes everything. */
    int32_t (*execute)(void *user, mgc_env *env, const mgc_call *call);
    /** A slot's gate has closed; told once a slot, in order, before the transactions of the block.  A refusal undoes
     *  what it did for this slot.  Optional. */
    int32_t (*on_slot)(void *user, mgc_env *env, uint64_t slot);
    /** Answer a query, or MGC_E_NOT_FOUND where `what` is not its business.  Optional. */
    int32_t (*query)(void *user, mgc_env *env, const mgc_query *query, mgc_rows *rows);
} mgc_contract;

/** Slots are whole lengths since 1970-01-01T00:00Z: slot n begins at n * slot_ms.  There are no others: a local day
 *  may have 23 or 25 hours of them.  Since 0.1 @{ */
MGC_API uint64_t mgc_slot_at(uint64_t time_ms, uint64_t slot_ms);
MGC_API uint64_t mgc_slot_begin_ms(uint64_t slot, uint64_t slot_ms);
/** @} */

/**
 * Worth of an amount of energy: wh * price / 1000, to the nearest micro-currency, halves away from zero.  The one
 * rounding rule of prices; both sides of a trade book the same number, so nothing is lost by it.
 * @param price [micro-currency/kWh]  @param worth filled
 * @return MGC_OK, MGC_E_OVERFLOW (beyond MGC_AMOUNT_MAX).  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_worth(uint64_t wh, int64_t price, int64_t *worth);
/** Emission of an amount of energy: wh * factor / 1000000 [g], to the nearest.  @param factor [mg CO2e/kWh]
 *  @return MGC_OK, MGC_E_OVERFLOW.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_emission(uint64_t wh, uint64_t factor, uint64_t *grams);
/** What arrives of what was sent over a link: sent * (1000000 - loss_ppm) / 1000000, rounded down.  Since 0.1 */
MGC_API uint64_t mgc_link_delivered(uint64_t sent_wh, uint32_t loss_ppm);

/**
 * Verify a store from end to end and execute every transaction again with the built-in contracts and the host's own.
 *
 * @param contracts   copied; length n_contracts, may be NULL with 0
 * @param users       first arguments of each contract's calls; NULL: all NULL
 * @return as mgc_ledger_verify(); MGC_E_UNSUPPORTED where a block uses a contract that is not given here.  Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_contract_verify(mgc_ctx *ctx, const mgc_ledger_opts *opts,
                                                     const mgc_contract *contracts, void *const *users,
                                                     size_t n_contracts, mgc_verify_info *info);

#ifdef __cplusplus
}
#endif
#endif
