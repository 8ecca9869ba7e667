/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions as bytes.  doc/formats.md has the maps' keys. */
#ifndef LEDGER_TX_H
#define LEDGER_TX_H

#include "base/base.h"
#include "mgchain/ledger.h"

/* A transaction taken apart.  Pointers are borrowed from the bytes that it was read from. */
typedef struct mgc__tx {
    const uint8_t *bytes;
    size_t len;
    const uint8_t *body;
    size_t body_len;
    uint8_t id[32];
    uint8_t leaf[32]; /* in the tree of its block; where has_leaf */
    bool has_leaf;
    const uint8_t *chain_id; /* 32 */
    const uint8_t *sender;   /* 32 */
    uint32_t contract;
    const char *method; /* method_len bytes */
    size_t method_len;
    const uint8_t *arguments;
    size_t arguments_len;
    uint64_t nonce, valid_until;
    uint32_t n_signatures;
    struct mgc__tx_signer {
        const uint8_t *public_key; /* 32; strictly ascending */
        const uint8_t *signature;  /* 64 */
        uint32_t role;
    } signers[MGC_TX_SIGNATURES_MAX];
} mgc__tx;

/* Form only: canonical bytes, known keys, lengths.  The error text goes to ctx, which may be NULL. */
mgc_status mgc__tx_decode(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__tx *tx);

/* Verify every signature; the sender must be among the signers. */
mgc_status mgc__tx_verify(mgc_ctx *ctx, const mgc__tx *tx);

/* The same without a context, for threads.  scratch: MGC__TAGGED_EXTRA bytes more than the transaction. */
mgc_status mgc__tx_verify_in(uint8_t *scratch, const mgc__tx *tx);

/* Into the caller's struct, no further than it reaches. */
mgc_status mgc__tx_info(const mgc__tx *tx, mgc_tx_info *info);

bool mgc__tx_method_is(const mgc__tx *tx, const char *method);

#endif
