/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file verify.h
 * The light verifier: checks, offline and without a ledger, what a ledger proves.
 *
 * A proof is one self-contained string of bytes made by mgc_chain_prove_*(): the chain's genesis, a block's header, its
 * finality certificate, and what shows that a thing stands in that block.  All that the verifier must know beforehand
 * is the chain id, 32 bytes, which is the hash of the genesis.  Where members changed since, the proof brings every block
 * that did so with its certificate, each signed by a quorum of those before it; while members change also by one of
 * those who come.  None may be missing.
 *
 * Who left may keep its key: a quorum of former members can sign another past.  A verifier that is kept knows the last
 * change that it has seen, and takes no later block that does not rest upon it.
 *
 *   mgc_verifier v;
 *   mgc_verified what;
 *   status = mgc_verifier_init(&v, sizeof v, chain_id);
 *   status = mgc_verify_transaction(&v, proof, len, &what);      what.item, what.height, what.time_ms ...
 *
 * Nothing is allocated, read or written besides the arguments; this header needs base.h alone.  A block whose certificate
 * was verified just before is not verified again, so many proofs from one block cost one certificate.
 * Every byte of a proof: doc/formats.md.
 *
 * Threads: one at a time per verifier; verifiers are independent.
 */
#ifndef MGCHAIN_VERIFY_H
#define MGCHAIN_VERIFY_H

#include "mgchain/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a proof shows. */
enum {
    MGC_PROOF_TRANSACTION = 1, /**< a transaction stands in a final block */
    MGC_PROOF_RECEIPT = 2,     /**< so does a receipt: what came of a transaction, or of the block itself */
    MGC_PROOF_ANCESTOR = 3,    /**< a block, though it be pruned, is an earlier one of the chain that a final block
                                    ends */
    MGC_PROOF_CONSISTENCY = 4, /**< the log of an earlier head is the beginning of a final block's */
    MGC_PROOF_RECORD = 5,      /**< a record stood in the state at a day's close */
    MGC_PROOF_ABSENCE = 6,     /**< a record did not stand in the state at a day's close */
    MGC_PROOF_HEAD = 7,        /**< a block is final */
    MGC_PROOF_BLOCK = 8,       /**< so are its transactions, which are all there */
    MGC_PROOF_EQUIVOCATION = 9, /**< two final blocks of one height: members signed both */
    MGC_PROOF_STORED = 10      /**< a final block with all that a member keeps of it, for a member whose own copy is damaged:
                                    mgc_ledger_mend() */
};

/** A verifier: the caller's own memory, plain bytes that may be kept and copied.
 *  The fields from height on are what was learnt of the chain; only this header's calls change them. */
typedef struct mgc_verifier {
    size_t struct_size;
    uint8_t chain_id[32]; /**< what is trusted */
    uint64_t height; /**< of the head followed so far; 0: none */
    uint64_t time_ms; /**< of the head */
    uint8_t block_hash[32]; /**< of the head */
    uint8_t log_root[32];  /**< over the blocks before the head */
    uint8_t seen_hash[32]; /**< of the last block whose certificate was verified; zero: none */
    uint64_t members_height;  /**< of the last block verified that changed who signs; 0: none */
    uint8_t members_hash[32]; /**< of that block */
} mgc_verifier;

/** What was proved; pointers are borrowed from the proof. */
typedef struct mgc_verified {
    size_t struct_size;
    uint32_t kind;           /**< MGC_PROOF_... */
    uint32_t n_votes;        /**< in the certificate */
    uint64_t height;         /**< of the final block that it rests upon */
    uint64_t time_ms;        /**< its time */
    uint8_t block_hash[32];  /**< its hash */
    uint64_t index;          /**< of the transaction, receipt or record; the ancestor's height; the old log's length */
    const uint8_t *item;     /**< transaction, receipt, the ancestor's header unless pruned, the record's value;
                                  else NULL */
    size_t item_len; /**< bytes in item */
    const uint8_t *key;      /**< of the record, present or absent; else NULL */
    size_t key_len; /**< bytes in key */
    uint8_t item_hash[32];   /**< transaction: its id; receipt: that of its transaction; ancestor: its block hash */
    int32_t receipt_status;  /**< of a receipt: MGC_OK or why it was refused */
    uint32_t reserved0;
} mgc_verified;

/** An account as it stood at a day's close. */
typedef struct mgc_verified_account {
    size_t struct_size;
    uint64_t height;  /**< of the block that says so; the account stood so after the block before it */
    uint64_t time_ms; /**< of that block */
    uint8_t id[16]; /**< of the account */
    uint32_t unit, code, flags; /**< as it was opened */
    uint32_t reserved0;
    uint64_t debits_pending, debits_posted, credits_pending, credits_posted; /**< [unit] */
} mgc_verified_account;

/**
 * Begin to trust a chain.
 *
 * @param size     sizeof(mgc_verifier)
 * @param chain_id 32 bytes, copied; from a place that is trusted
 * @return MGC_OK, MGC_E_INVALID_ARG, MGC_E_ABI_SIZE
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_verifier_init(mgc_verifier *verifier, size_t size, const uint8_t *chain_id);

/**
 * Verify a proof of the kind that the call names.
 *
 * @param proof borrowed; what points into it
 * @param what  filled on MGC_OK; may be NULL
 * @return MGC_OK
 *         MGC_E_WRONG_CHAIN    of another chain, or with another genesis
 *         MGC_E_BAD_CERT       a certificate: a member unknown or twice, too few votes, a signature that does not fit; a
 *                              change of members that is left out, or is none
 *         MGC_E_NOT_FINAL      there is no certificate in it
 *         MGC_E_BAD_PROOF      a path forged, too long or too short, or a proof of another kind
 *         MGC_E_EQUIVOCATION   another block of the followed head's height is final too, or of the last change's
 *         MGC_E_TRUNCATED, MGC_E_NONCANONICAL, MGC_E_SCHEMA, MGC_E_VERSION, MGC_E_TOO_LARGE, MGC_E_RANGE
 *         MGC_E_INVALID_ARG, MGC_E_ABI_SIZE, MGC_E_CRYPTO
 * Cost  a signature for each vote unless the block is the last one that was verified, and a logarithm of hashes
 * Since 0.1
 * @{
 */
MGC_API MGC_NODISCARD mgc_status mgc_verify_transaction(mgc_verifier *verifier, const uint8_t *proof, size_t len,
                                                        mgc_verified *what);
MGC_API MGC_NODISCARD mgc_status mgc_verify_receipt(mgc_verifier *verifier, const uint8_t *proof, size_t len,
                                                    mgc_verified *what);
MGC_API MGC_NODISCARD mgc_status mgc_verify_ancestor(mgc_verifier *verifier, const uint8_t *proof, size_t len,
                                                     mgc_verified *what);
MGC_API MGC_NODISCARD mgc_status mgc_verify_record(mgc_verifier *verifier, const uint8_t *proof, size_t len,
                                                   mgc_verified *what);
MGC_API MGC_NODISCARD mgc_status mgc_verify_absence(mgc_verifier *verifier, const uint8_t *proof, size_t len,
                                                    mgc_verified *what);
/** @} */

/** A record that is an account, taken apart.  @return as above; MGC_E_BAD_PROOF where the record is none.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_verify_account(mgc_verifier *verifier, const uint8_t *proof, size_t len,
                                                    mgc_verified_account *account);

/**
 * Begin to follow a chain, or go on: a head, a whole block, or a later head whose log begins with the one that is known.
 *
 * MGC_PROOF_HEAD         any head where none is followed yet; else the very same one
 * MGC_PROOF_BLOCK        the next block: its transactions are hashed too.  The first one followed may be any
 * MGC_PROOF_CONSISTENCY  any later head
 *
 * @return MGC_OK: that block is the head now; as above
 *         MGC_E_HEIGHT       not the next block, or earlier than the one that is known
 *         MGC_E_BAD_PARENT   it does not name the known head as its parent, or another log than the known one
 *         MGC_E_TIME         not later than its parent
 *         MGC_E_BAD_TX_ROOT  its transactions, or their order, are not those of its header
 *         MGC_E_STATE        a consistency proof where no head is known
 * Since 0.1
 */
MGC_API MGC_NODISCARD mgc_status mgc_verify_follow(mgc_verifier *verifier, const uint8_t *proof, size_t len,
                                                   mgc_verified *what);

/** Did members make two blocks of one height final, after the same changes of members?  @return MGC_OK: they did; both
 *  certificates are good.  Else as above.  Since 0.1 */
MGC_API MGC_NODISCARD mgc_status mgc_verify_equivocation(mgc_verifier *verifier, const uint8_t *proof, size_t len,
                                                         mgc_verified *what);

#ifdef __cplusplus
}
#endif
#endif
