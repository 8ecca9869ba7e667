/* SPDX-License-Identifier: Apache-2.0 */
/* Where things stand, page by page: transactions of a sender, changes of a record, events.
 *
 * One ordered index for all three, made from the blocks themselves when it is first asked for and brought up to the head
 * whenever it is asked again.  It is never stored, so it cannot be stale; a question costs a logarithm and its page.
 *
 *   s sender 32                     height 8 index 4 0
 *   r contract 4 key                height 8 0 0            length of the key (2) before the key
 *   e contract 4 name               height 8 receipt 4 event 4     likewise
 *
 * A cursor holds the last place, a hash of the question, and a hash over both with the store's salt: one of another
 * question, chain or store is refused. */
#include <inttypes.h>

#include "ledger/chain.h"

enum { PLACE = 16, QUESTION_MAX = 1 + 4 + 2 + MGC_RECORD_KEY_MAX, CURSOR_VERSION = 1 };

struct question {
    uint8_t bytes[QUESTION_MAX + PLACE];
    size_t len;
};

static void question_named(struct question *q, uint8_t kind, uint32_t contract, const void *name, size_t len)
{
    assert(len <= MGC_RECORD_KEY_MAX);
    q->bytes[0] = kind;
    mgc__put_be32(q->bytes + 1, contract);
    q->bytes[5] = (uint8_t)(len >> 8);
    q->bytes[6] = (uint8_t)len;
    if (len > 0) memcpy(q->bytes + 7, name, len);
    q->len = 7 + len;
}

static void question_sender(struct question *q, const uint8_t sender[32])
{
    q->bytes[0] = 's';
    memcpy(q->bytes + 1, sender, 32);
    q->len = 33;
}

static void put_place(uint8_t *at, uint64_t height, uint32_t index, uint32_t event)
{
    mgc__put_be64(at, height);
    mgc__put_be32(at + 8, index);
    mgc__put_be32(at + 12, event);
}

/* --- the index ----------------------------------------------------------------------------------- */

static mgc_status remember(mgc_chain *chain, struct question *q, uint64_t height, uint32_t index, uint32_t event)
{
    mgc__item *item, *old;

    put_place(q->bytes + q->len, height, index, event);
    item = mgc__item_create(chain->ledger->ctx, q->bytes, q->len + PLACE, NULL, 0);
    if (item == NULL || !mgc__tree_put(&chain->places, item, &old)) {
        mgc__free(chain->ledger->ctx, item);
        return MGC_E_NO_MEMORY;
    }
    mgc__free(chain->ledger->ctx, old); /* a block that was begun before memory ran out */
    return MGC_OK;
}

static mgc_status index_senders(mgc_chain *chain, const mgc__stored_block *b)
{
    const uint8_t *bytes;
    size_t at = 0, len;
    mgc_status status = MGC_OK;

    for (uint32_t i = 0; status == MGC_OK && mgc__list_next(&b->txs, &at, &bytes, &len); i++) {
        struct question q;
        mgc__tx tx;
        status = mgc__tx_decode(chain->ledger->ctx, bytes, len, &tx);
        if (status != MGC_OK) break;
        question_sender(&q, tx.sender);
        status = remember(chain, &q, b->header.height, i, 0);
    }
    return status;
}

static mgc_status index_events(mgc_chain *chain, const mgc__stored_block *b)
{
    const uint8_t *bytes;
    size_t at = 0, len;
    mgc_status status = MGC_OK;

    for (uint32_t i = 0; status == MGC_OK && mgc__list_next(&b->receipts, &at, &bytes, &len); i++) {
        mgc_event_info event;
        mgc__receipt receipt;
        status = mgc__receipt_read(chain->ledger->ctx, bytes, len, &receipt);
        for (uint32_t k = 0; status == MGC_OK && mgc__event_get(&receipt, k, &event) == MGC_OK; k++) {
            struct question q;
            question_named(&q, 'e', event.contract, event.name, event.name_len);
            status = remember(chain, &q, b->header.height, i, k);
        }
    }
    return status;
}

/* The next [key, value or null] of a write set whose form was checked. */
static bool next_write(mgc__cbor_reader *r, uint64_t *left, mgc_record_info *record)
{
    if (*left == 0) return false;
    (*left)--;
    mgc__cbor_get_array_of(r, 2);
    record->key = mgc__cbor_get_bytes(r, &record->key_len, MGC__KEY_MAX);
    record->value = NULL;
    record->value_len = 0;
    if (!mgc__cbor_get_null(r)) record->value = mgc__cbor_get_bytes(r, &record->value_len, MGC__VALUE_MAX);
    return r->status == MGC_OK;
}

static mgc_status index_changes(mgc_chain *chain, const mgc__stored_block *b)
{
    mgc_record_info record;
    mgc__cbor_reader r;
    mgc_status status = MGC_OK;
    uint64_t left;

    mgc__cbor_read(&r, b->writes, b->writes_len);
    left = mgc__cbor_get_array(&r, b->writes_len);
    while (status == MGC_OK && next_write(&r, &left, &record)) {
        struct question q;
        if (record.key_len < 5 || record.key[0] != MGC__AREA_RECORD) continue;
        question_named(&q, 'r', mgc__get_be32(record.key + 1), record.key + 5, record.key_len - 5);
        status = remember(chain, &q, b->header.height, 0, 0);
    }
    return status;
}

/* Blocks that are pruned are not in it: their contents are gone. */
static mgc_status catch_up(mgc_chain *chain)
{
    mgc__stored_block b;
    mgc__buf record;
    mgc_status status = MGC_OK;

    mgc__buf_init(&record, chain->ledger->ctx, MGC__RECORD_MAX);
    while (status == MGC_OK && chain->places_upto < chain->height) {
        if (chain->blocks[chain->places_upto].block.length != 0) {
            status = mgc__read_block_record(chain, chain->places_upto + 1, &record, &b);
            if (status == MGC_OK) status = index_senders(chain, &b);
            if (status == MGC_OK) status = index_events(chain, &b);
            if (status == MGC_OK) status = index_changes(chain, &b);
        }
        if (status == MGC_OK) chain->places_upto++;
    }
    mgc__buf_free(&record);
    return status == MGC_E_NO_MEMORY ? mgc__no_memory(chain->ledger->ctx, "ledger: an index") : status;
}

/* --- cursors ------------------------------------------------------------------------------------- */

/* 0 version, 1 place 16, 17 question 16, 33 seal 16, zeros */
static void seal_cursor(const mgc_chain *chain, const struct question *q, const uint8_t place[PLACE], mgc_cursor *out)
{
    uint8_t hash[32], secret[8];
    mgc__sha256 s;

    memset(out->bytes, 0, sizeof out->bytes);
    out->bytes[0] = CURSOR_VERSION;
    memcpy(out->bytes + 1, place, PLACE);
    mgc__hash_tagged2("mgchain/question/1", chain->id, 32, q->bytes, q->len, hash);
    memcpy(out->bytes + 17, hash, 16);
    mgc__put_be64(secret, mgc__journal_salt(chain->ledger->journal));
    mgc__sha256_init(&s);
    mgc__sha256_put(&s, "mgchain/cursor/1", sizeof "mgchain/cursor/1");
    mgc__sha256_put(&s, secret, sizeof secret);
    mgc__sha256_put(&s, out->bytes, 33);
    mgc__sha256_end(&s, hash);
    memcpy(out->bytes + 33, hash, 16);
}

static mgc_status read_cursor(const mgc_chain *chain, const struct question *q, const mgc_cursor *cursor,
                              uint8_t place[PLACE])
{
    static const mgc_cursor none = {{0}};
    mgc_cursor want;

    memset(place, 0, PLACE); /* heights begin at 1 */
    if (memcmp(cursor, &none, sizeof none) == 0) return MGC_OK;
    memcpy(place, cursor->bytes + 1, PLACE);
    seal_cursor(chain, q, place, &want);
    if (memcmp(&want, cursor, sizeof want) == 0) return MGC_OK;
    return mgc__fail(chain->ledger->ctx, MGC_E_CURSOR, "ledger: a cursor of another question, chain or store");
}

/* --- pages --------------------------------------------------------------------------------------- */

static mgc_status find(mgc_chain *chain, struct question *q, mgc_cursor *cursor, mgc_found *found, size_t cap, size_t *n)
{
    uint8_t place[PLACE];
    mgc_status status;

    if (cap == 0 || cap > MGC_FOUND_MAX)
        return mgc__fail(chain->ledger->ctx, MGC_E_RANGE, "ledger: a page of %zu; 1..%d are allowed", cap, MGC_FOUND_MAX);
    status = read_cursor(chain, q, cursor, place);
    if (status == MGC_OK) status = catch_up(chain);
    if (status != MGC_OK) return status;
    while (*n < cap) {
        const mgc__item *item;

        memcpy(q->bytes + q->len, place, PLACE);
        item = mgc__tree_after(&chain->places, q->bytes, q->len + PLACE, false);
        if (item == NULL || item->key_len != q->len + PLACE || memcmp(item->bytes, q->bytes, q->len) != 0) break;
        memcpy(place, item->bytes + q->len, PLACE);
        found[(*n)++] = (mgc_found){
            .height = mgc__get_be64(place), .index = mgc__get_be32(place + 8), .event = mgc__get_be32(place + 12)};
    }
    if (*n > 0) seal_cursor(chain, q, place, cursor);
    return MGC_OK;
}

static bool good_arguments(const mgc_chain *chain, const mgc_cursor *cursor, const mgc_found *found, size_t *n)
{
    if (n == NULL) return false;
    *n = 0;
    return chain != NULL && cursor != NULL && found != NULL;
}

mgc_status mgc_chain_find_transactions(mgc_chain *chain, const uint8_t *sender, mgc_cursor *cursor, mgc_found *found,
                                       size_t cap, size_t *n)
{
    struct question q;

    if (!good_arguments(chain, cursor, found, n) || sender == NULL) return MGC_E_INVALID_ARG;
    question_sender(&q, sender);
    return find(chain, &q, cursor, found, cap, n);
}

mgc_status mgc_chain_find_changes(mgc_chain *chain, uint32_t contract, const uint8_t *key, size_t key_len,
                                  mgc_cursor *cursor, mgc_found *found, size_t cap, size_t *n)
{
    struct question q;

    if (!good_arguments(chain, cursor, found, n) || key == NULL || key_len == 0 || key_len > MGC_RECORD_KEY_MAX)
        return MGC_E_INVALID_ARG;
    question_named(&q, 'r', contract, key, key_len);
    return find(chain, &q, cursor, found, cap, n);
}

mgc_status mgc_chain_find_events(mgc_chain *chain, uint32_t contract, const char *name, mgc_cursor *cursor,
                                 mgc_found *found, size_t cap, size_t *n)
{
    struct question q;

    if (!good_arguments(chain, cursor, found, n) || name == NULL || strlen(name) > MGC_EVENT_NAME_MAX)
        return MGC_E_INVALID_ARG;
    question_named(&q, 'e', contract, name, strlen(name));
    return find(chain, &q, cursor, found, cap, n);
}

mgc_status mgc__writes_find(const mgc__stored_block *b, uint32_t contract, const uint8_t *key, size_t key_len,
                            mgc_record_info *record)
{
    mgc__cbor_reader r;
    uint64_t left;

    mgc__cbor_read(&r, b->writes, b->writes_len);
    left = mgc__cbor_get_array(&r, b->writes_len);
    while (next_write(&r, &left, record)) {
        if (record->key_len != 5 + key_len || record->key[0] != MGC__AREA_RECORD ||
            mgc__get_be32(record->key + 1) != contract || memcmp(record->key + 5, key, key_len) != 0)
            continue;
        record->key += 5;
        record->key_len -= 5;
        return MGC_OK;
    }
    return r.status == MGC_OK ? MGC_E_NOT_FOUND : r.status;
}
