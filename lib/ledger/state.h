/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a chain: keyed records in key order, with everything since the last block undoable.
 *
 * A key's first byte says what it is; doc/formats.md has the rest. */
#ifndef LEDGER_STATE_H
#define LEDGER_STATE_H

#include "base/base.h"
#include "codec/cbor.h"
#include "ledger/exec.h"
#include "ledger/forest.h"
#include "ledger/tree.h"

enum {
    MGC__AREA_ACCOUNT = 1,  /* id 16 */
    MGC__AREA_TRANSFER = 2, /* id 16 */
    MGC__AREA_NONCE = 3,    /* sender 32, contract 4 */
    MGC__AREA_RECORD = 4,   /* contract 4, key */
    MGC__AREA_EXPIRY = 5,   /* height 8, transfer id 16 */
    MGC__AREA_HISTORY = 6,  /* account id 16, height 8, index 4 */
    MGC__AREA_PENDING = 7,  /* transfer id 16 */
    MGC__AREA_LOCK = 8,     /* lock id 16 */
    MGC__AREA_LOCK_EXPIRY = 9, /* target chain 32, time 8, lock id 16 */
    MGC__AREA_CREDIT = 10,  /* source chain 32, lock id 16 */
    MGC__KEY_MAX = 5 + MGC_RECORD_KEY_MAX,
    MGC__VALUE_MAX = MGC_RECORD_VALUE_MAX,
    MGC__BLOCK_WRITES_MAX = 1 << 25 /* bytes of keys and values that one block may write: bounds a stored block */
};

struct mgc__state {
    mgc_ctx *ctx;
    mgc__tree tree;
    uint64_t n_records; /* without the absent ones */
    struct mgc__undo {
        mgc__item *old; /* owned; NULL: the key was not in the tree */
        mgc__item *now; /* what took its place; in the tree, or the old of a later entry */
    } *undo;
    size_t n_undo, cap_undo;
    uint64_t written; /* bytes of keys and values since the last block */

    /* The state as it stood at the last day's close: the tree's items of an earlier epoch, and these, which were
     * replaced or removed since. */
    uint32_t epoch; /* of what is written now; > 0 */
    mgc__item *closed;
    uint64_t n_closed;
    struct mgc__view {
        bool built;
        const mgc__item **items; /* in key order */
        uint64_t n;
        mgc__forest forest;
    } view; /* built when a proof is first asked for */
};

void mgc__state_init(mgc__state *s, mgc_ctx *ctx);
void mgc__state_free(mgc__state *s);

/* NULL where there is none. */
const mgc__item *mgc__state_get(const mgc__state *s, const uint8_t *key, size_t key_len);
const mgc__item *mgc__state_after(const mgc__state *s, const uint8_t *key, size_t key_len, bool inclusive);
/* MGC_OK, MGC_E_NO_MEMORY, MGC_E_TOO_LARGE (the block's writes).  On failure nothing changed. */
mgc_status mgc__state_put(mgc__state *s, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len);
mgc_status mgc__state_remove(mgc__state *s, const uint8_t *key, size_t key_len); /* also MGC_E_NOT_FOUND */

/* Back to what it was when n_undo was this. */
void mgc__state_undo(mgc__state *s, size_t mark);

/* What changed since the last block, as bytes: [[key, value or null], ...] in key order, only real changes. */
mgc_status mgc__state_changes(mgc__state *s, mgc__buf *bytes);
/* Make such bytes so; on failure some may be done: undo. */
mgc_status mgc__state_apply(mgc__state *s, const uint8_t *bytes, size_t len);
/* The block stands: nothing before can be undone any more.  Never fails. */
void mgc__state_settle(mgc__state *s);

/* --- the day's close --- */

/* What stands before the changes that are not settled yet is the day's close; the one before is forgotten. */
void mgc__state_close_day(mgc__state *s);
/* Proofs about the last close; the first one builds the view, linear in the state, the others are logarithmic.  No block
 * may be open. */
mgc_status mgc__state_view(mgc__state *s);
/* Index of the first item of the view whose key is not less; *found where it is equal. */
uint64_t mgc__view_find(const struct mgc__view *view, const uint8_t *key, size_t key_len, bool *found);
/* The bytes of a leaf of the state's tree: [key, value]. */
void mgc__leaf_write(mgc__cbor_writer *w, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len);
void mgc__leaf_hash(const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len, uint8_t hash[32]);

/* Read a record of a snapshot: keys ascend; it stood at the day's close.  MGC_OK, MGC_E_NO_MEMORY, MGC_E_NONCANONICAL. */
mgc_status mgc__state_load(mgc__state *s, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len);

/* RFC 6962 root over [key, value] of every record. */
mgc_status mgc__state_root(const mgc__state *s, uint8_t root[32]);

void mgc__put_be32(uint8_t *at, uint32_t value);
void mgc__put_be64(uint8_t *at, uint64_t value);
uint32_t mgc__get_be32(const uint8_t *at);
uint64_t mgc__get_be64(const uint8_t *at);

#endif
