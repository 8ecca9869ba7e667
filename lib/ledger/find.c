/* SPDX-License-Identifier: Apache-2.0 */
/* Where things stand, page by page: transactions of a sender, changes of a record, events.
 *
 * An ordered index for each kind of question, made from the blocks themselves when it is first asked for and brought up
 * to the head whenever it is asked again.  It is never stored, so it cannot be stale; a question costs a logarithm and
 * its page.
 *
 *   s sender 32                     height 8 index 4 0
 *   g signer 32                     likewise: senders and who signed with them
 *   c contract 4, t status 4        likewise, with an empty name: length (2) 0
 *   r contract 4 key                height 8 0 0            length of the key (2) before the key
 *   e contract 4 name               height 8 receipt 4 event 4     likewise
 *   n 0 name, v contract 4          likewise: by name alone, by contract alone
 *
 * A cursor holds the last place, a hash of the question, and a hash over both with the store's salt: one of another
 * question, chain or store is refused. */
#include <inttypes.h>

#include "ledger/chain.h"

enum { PLACE = 16, QUESTION_MAX = 1 + 4 + 2 + MGC_RECORD_KEY_MAX, CURSOR_VERSION = 1 };

static const uint8_t letters[MGC__FIND_KINDS] = {
    [MGC__FIND_SENDER] = 's', [MGC__FIND_SIGNER] = 'g', [MGC__FIND_CONTRACT] = 'c',   [MGC__FIND_STATUS] = 't',
    [MGC__FIND_CHANGE] = 'r', [MGC__FIND_EVENT] = 'e',  [MGC__FIND_EVENT_NAME] = 'n', [MGC__FIND_EVENT_CONTRACT] = 'v'};

struct question {
    uint32_t kind;
    uint8_t bytes[QUESTION_MAX + PLACE];
    size_t len;
};

static void question_named(struct question *q, uint32_t kind, uint32_t contract, const void *name, size_t len)
{
    assert(len <= MGC_RECORD_KEY_MAX);
    q->kind = kind;
    q->bytes[0] = letters[kind];
    mgc__put_be32(q->bytes + 1, contract);
    q->bytes[5] = (uint8_t)(len >> 8);
    q->bytes[6] = (uint8_t)len;
    if (len > 0) memcpy(q->bytes + 7, name, len);
    q->len = 7 + len;
}

static void question_of_key(struct question *q, uint32_t kind, const uint8_t public_key[32])
{
    q->kind = kind;
    q->bytes[0] = letters[kind];
    memcpy(q->bytes + 1, public_key, 32);
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
    if (item == NULL || !mgc__tree_put(&chain->places[q->kind].tree, item, &old)) {
        mgc__free(chain->ledger->ctx, item);
        return MGC_E_NO_MEMORY;
    }
    mgc__free(chain->ledger->ctx, old); /* a block that was begun before memory ran out */
    return MGC_OK;
}

static mgc_status index_transaction(mgc_chain *chain, uint32_t kind, const mgc__tx *tx, uint64_t height, uint32_t index)
{
    struct question q;
    mgc_status status = MGC_OK;

    if (kind == MGC__FIND_SENDER) question_of_key(&q, kind, tx->sender);
    if (kind == MGC__FIND_CONTRACT) question_named(&q, kind, tx->contract, NULL, 0);
    if (kind != MGC__FIND_SIGNER) return remember(chain, &q, height, index, 0);
    for (uint32_t i = 0; i < tx->n_signatures && status == MGC_OK; i++) {
        question_of_key(&q, kind, tx->signers[i].public_key);
        status = remember(chain, &q, height, index, 0);
    }
    return status;
}

static mgc_status index_transactions(mgc_chain *chain, uint32_t kind, const mgc__stored_block *b)
{
    const uint8_t *bytes;
    size_t at = 0, len;
    mgc_status status = MGC_OK;

    for (uint32_t i = 0; status == MGC_OK && mgc__list_next(&b->txs, &at, &bytes, &len); i++) {
        mgc__tx tx;
        status = mgc__tx_decode(chain->ledger->ctx, bytes, len, &tx);
        if (status == MGC_OK) status = index_transaction(chain, kind, &tx, b->header.height, i);
    }
    return status;
}

static void question_of_event(struct question *q, uint32_t kind, const mgc_event_info *event)
{
    if (kind == MGC__FIND_EVENT_NAME) question_named(q, kind, 0, event->name, event->name_len);
    else if (kind == MGC__FIND_EVENT_CONTRACT) question_named(q, kind, event->contract, NULL, 0);
    else question_named(q, kind, event->contract, event->name, event->name_len);
}

/* Of what became of transactions, and of their events. */
static mgc_status index_receipts(mgc_chain *chain, uint32_t kind, const mgc__stored_block *b)
{
    const uint8_t *bytes;
    size_t at = 0, len;
    mgc_status status = MGC_OK;

    for (uint32_t i = 0; status == MGC_OK && mgc__list_next(&b->receipts, &at, &bytes, &len); i++) {
        mgc_event_info event;
        mgc__receipt receipt;
        struct question q;

        status = mgc__receipt_read(chain->ledger->ctx, bytes, len, &receipt);
        if (status == MGC_OK && kind == MGC__FIND_STATUS && i < b->txs.n) {
            question_named(&q, kind, (uint32_t)receipt.status, NULL, 0);
            status = remember(chain, &q, b->header.height, i, 0);
        }
        for (uint32_t k = 0; kind != MGC__FIND_STATUS && status == MGC_OK && mgc__event_get(&receipt, k, &event) == MGC_OK; k++) {
            question_of_event(&q, kind, &event);
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
        question_named(&q, MGC__FIND_CHANGE, mgc__get_be32(record.key + 1), record.key + 5, record.key_len - 5);
        status = remember(chain, &q, b->header.height, 0, 0);
    }
    return status;
}

static mgc_status index_block(mgc_chain *chain, uint32_t kind, const mgc__stored_block *b)
{
    switch (kind) {
    case MGC__FIND_SENDER:
    case MGC__FIND_SIGNER:
    case MGC__FIND_CONTRACT: return index_transactions(chain, kind, b);
    case MGC__FIND_CHANGE: return index_changes(chain, b);
    default: return index_receipts(chain, kind, b);
    }
}

/* Blocks that are pruned are not in it: their contents are gone. */
static mgc_status catch_up(mgc_chain *chain, uint32_t kind)
{
    struct mgc__places *places = &chain->places[kind];
    mgc__stored_block b;
    mgc__buf record;
    mgc_status status = MGC_OK;

    if (places->tree.ctx == NULL) mgc__tree_init(&places->tree, chain->ledger->ctx);
    mgc__buf_init(&record, chain->ledger->ctx, MGC__RECORD_MAX);
    while (status == MGC_OK && places->upto < chain->height) {
        if (chain->blocks[places->upto].block.length != 0) {
            status = mgc__read_block_record(chain, places->upto + 1, &record, &b);
            if (status == MGC_OK) status = index_block(chain, kind, &b);
        }
        if (status == MGC_OK) places->upto++;
    }
    mgc__buf_free(&record);
    return status == MGC_E_NO_MEMORY ? mgc__no_memory(chain->ledger->ctx, "ledger: an index") : status;
}

void mgc__places_free(mgc_chain *chain)
{
    for (uint32_t i = 0; i < MGC__FIND_KINDS; i++)
        if (chain->places[i].tree.ctx != NULL) mgc__tree_free(&chain->places[i].tree);
}

/* What is pruned are blocks from the first on. */
uint64_t mgc__chain_first_block(const mgc_chain *chain)
{
    uint64_t low = 0, high = chain->height;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (chain->blocks[middle].block.length == 0) low = middle + 1;
        else high = middle;
    }
    return low + 1;
}

/* The first place after one; false: there is none.  An index may still hold places of blocks that were pruned since. */
static bool next_place(const mgc_chain *chain, struct question *q, uint8_t place[PLACE])
{
    uint64_t first = mgc__chain_first_block(chain);
    const mgc__item *item;

    if (mgc__get_be64(place) < first) put_place(place, first - 1, UINT32_MAX, UINT32_MAX);
    memcpy(q->bytes + q->len, place, PLACE);
    item = mgc__tree_after(&chain->places[q->kind].tree, q->bytes, q->len + PLACE, false);
    if (item == NULL || item->key_len != q->len + PLACE || memcmp(item->bytes, q->bytes, q->len) != 0) return false;
    memcpy(place, item->bytes + q->len, PLACE);
    return true;
}

static mgc_found found_at(const uint8_t place[PLACE])
{
    return (mgc_found){
        .height = mgc__get_be64(place), .index = mgc__get_be32(place + 8), .event = mgc__get_be32(place + 12)};
}

mgc_status mgc__chain_find(mgc_chain *chain, const mgc__sought *what, const mgc_found *after, mgc_found *found)
{
    uint8_t place[PLACE];
    struct question q;
    mgc_status status = catch_up(chain, what->kind);

    if (status != MGC_OK) return status;
    if (what->kind == MGC__FIND_SENDER || what->kind == MGC__FIND_SIGNER) question_of_key(&q, what->kind, what->name);
    else question_named(&q, what->kind, what->number, what->name, what->len);
    put_place(place, after->height, after->index, after->event);
    if (!next_place(chain, &q, place)) return MGC_E_NOT_FOUND;
    *found = found_at(place);
    return MGC_OK;
}

mgc_status mgc__chain_writes(mgc_chain *chain, uint64_t height, mgc__write_visit visit, void *user)
{
    mgc_record_info record;
    mgc__stored_block b;
    mgc__cbor_reader r;
    mgc_status status;
    mgc__buf bytes;
    uint64_t left;

    mgc__buf_init(&bytes, chain->ledger->ctx, MGC__RECORD_MAX);
    status = height > 0 && height <= chain->height && chain->blocks[height - 1].block.length == 0
                 ? MGC_E_NOT_FOUND
                 : mgc__read_block_record(chain, height, &bytes, &b);
    if (status == MGC_OK) {
        mgc__cbor_read(&r, b.writes, b.writes_len);
        left = mgc__cbor_get_array(&r, b.writes_len);
        while (status == MGC_OK && next_write(&r, &left, &record))
            status = visit(user, record.key, record.key_len, record.value, record.value_len);
    }
    mgc__buf_free(&bytes);
    return status;
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
    if (status == MGC_OK) status = catch_up(chain, q->kind);
    if (status != MGC_OK) return status;
    while (*n < cap && next_place(chain, q, place)) found[(*n)++] = found_at(place);
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
    question_of_key(&q, MGC__FIND_SENDER, sender);
    return find(chain, &q, cursor, found, cap, n);
}

mgc_status mgc_chain_find_changes(mgc_chain *chain, uint32_t contract, const uint8_t *key, size_t key_len,
                                  mgc_cursor *cursor, mgc_found *found, size_t cap, size_t *n)
{
    struct question q;

    if (!good_arguments(chain, cursor, found, n) || key == NULL || key_len == 0 || key_len > MGC_RECORD_KEY_MAX)
        return MGC_E_INVALID_ARG;
    question_named(&q, MGC__FIND_CHANGE, contract, key, key_len);
    return find(chain, &q, cursor, found, cap, n);
}

mgc_status mgc_chain_find_events(mgc_chain *chain, uint32_t contract, const char *name, mgc_cursor *cursor,
                                 mgc_found *found, size_t cap, size_t *n)
{
    struct question q;

    if (!good_arguments(chain, cursor, found, n) || name == NULL || strlen(name) > MGC_EVENT_NAME_MAX)
        return MGC_E_INVALID_ARG;
    question_named(&q, MGC__FIND_EVENT, contract, name, strlen(name));
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
