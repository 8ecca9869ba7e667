/* SPDX-License-Identifier: Apache-2.0 */
/* Headers, blocks, receipts, certificates and geneses as bytes.  doc/formats.md has the maps' keys. */
#ifndef LEDGER_BLOCK_H
#define LEDGER_BLOCK_H

#include "base/base.h"
#include "codec/cbor.h"
#include "mgchain/ledger.h"

/* The head of another chain of the store when this block was built: what its code could read. */
typedef struct mgc__pin {
    uint8_t chain_id[32];
    uint64_t height;
    uint8_t hash[32];
} mgc__pin;

enum {
    MGC__HEADER_BYTES_MAX = 4096,
    MGC__CHANGE_MAX = 32 /* members and others that a header can bring: it stays below MGC__HEADER_BYTES_MAX */
};

/* Who signs the blocks after this one: signers.c. */
typedef struct mgc__change {
    bool joint; /* those before sign, too */
    uint32_t quorum, n; /* n 0: no change */
    uint8_t reason[32]; /* what brought it, by the host's own hash */
    uint32_t n_others;
    mgc_member list[MGC__CHANGE_MAX], others[MGC__CHANGE_MAX]; /* others: sign, and count for no quorum */
} mgc__change;

typedef struct mgc__header {
    uint8_t chain_id[32];
    uint64_t height;
    uint8_t previous[32];
    uint64_t time_ms;
    uint32_t n_txs;
    uint8_t tx_root[32], receipt_root[32], state_digest[32], log_root[32];
    uint64_t config_height;
    uint32_t proposer;
    uint32_t n_pins;
    mgc__pin pins[MGC_CHAINS_MAX - 1]; /* strictly ascending by chain id */
    bool day_closed;                   /* the first block of a UTC day: of the state before it, */
    uint64_t n_records;
    uint8_t state_root[32];
    mgc__change change;
} mgc__header;

void mgc__header_write(mgc__cbor_writer *w, const mgc__header *h);
mgc_status mgc__header_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__header *h);
void mgc__header_hash(const uint8_t *bytes, size_t len, uint8_t hash[32]);

/* A block as stored, taken apart; borrowed from the bytes that it was read from.  Lists are walked with
 * mgc__list_next(), their form was checked. */
typedef struct mgc__list {
    const uint8_t *items; /* byte strings one after the other */
    size_t len;
    uint32_t n;
} mgc__list;

typedef struct mgc__stored_block {
    const uint8_t *block; /* what members send each other: header and transactions */
    size_t block_len;
    const uint8_t *header_bytes;
    size_t header_len;
    mgc__header header;
    uint8_t hash[32];
    mgc__list txs, receipts;
    const uint8_t *writes;
    size_t writes_len;
} mgc__stored_block;

mgc_status mgc__block_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__stored_block *b); /* the inner one */
mgc_status mgc__stored_block_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__stored_block *b);
/* txs and receipts: byte strings already encoded one after the other */
void mgc__block_write(mgc__cbor_writer *w, const uint8_t *header, size_t header_len, const mgc__list *txs);
void mgc__stored_block_write(mgc__cbor_writer *w, const uint8_t *block, size_t block_len, const mgc__list *receipts,
                             const uint8_t *writes, size_t writes_len);

/* The next byte string; *at begins at 0.  false at the end. */
bool mgc__list_next(const mgc__list *list, size_t *at, const uint8_t **bytes, size_t *len);
void mgc__list_root(const mgc__list *list, uint8_t root[32]);

typedef struct mgc__receipt {
    const uint8_t *tx_id; /* NULL: the block's own */
    int32_t status;
    uint64_t cost;
    const char *rule;
    size_t rule_len;
    const uint8_t *output;
    size_t output_len;
    uint32_t n_events;
    const uint8_t *events; /* encoded one after the other */
    size_t events_len;
} mgc__receipt;

void mgc__receipt_write(mgc__cbor_writer *w, const mgc__receipt *r);
mgc_status mgc__receipt_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__receipt *r);
void mgc__event_write(mgc__cbor_writer *w, uint32_t contract, const char *name, size_t name_len,
                      const uint8_t *payload, size_t len);
mgc_status mgc__event_get(const mgc__receipt *r, uint32_t index, mgc_event_info *event);

typedef struct mgc__certificate {
    const uint8_t *block_hash;
    uint32_t n;
    struct {
        uint32_t member;
        const uint8_t *signature;
    } votes[MGC_MEMBERS_MAX]; /* members strictly ascending */
} mgc__certificate;

void mgc__certificate_write(mgc__cbor_writer *w, const mgc__certificate *c);
mgc_status mgc__certificate_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__certificate *c);

typedef struct mgc__genesis {
    const char *name;
    size_t name_len;
    uint64_t time_ms;
    uint32_t n_members, quorum;
    const uint8_t *nonce;
} mgc__genesis;

void mgc__genesis_write(mgc__cbor_writer *w, const mgc_genesis *g);
/* members: filled, at most MGC_MEMBERS_MAX.  Every rule of mgc_ledger_add_chain() is checked, but the keys'
 * strength. */
mgc_status mgc__genesis_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__genesis *g, mgc_member *members);
void mgc__chain_id(const uint8_t *genesis, size_t len, uint8_t id[32]);

#endif
