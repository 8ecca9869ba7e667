/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/block.h"

#include "crypto/crypto.h"

enum { FORMAT_VERSION = 1 };

static void get_version(mgc__cbor_reader *r)
{
    uint64_t version = mgc__cbor_get_uint(r, UINT64_MAX);

    if (r->status == MGC_OK && version > FORMAT_VERSION)
        mgc__cbor_refuse(r, MGC_E_VERSION, "a version newer than this library's");
    if (r->status == MGC_OK && version < 1) mgc__cbor_refuse(r, MGC_E_SCHEMA, "a version that never was");
}

static void get_hash(mgc__cbor_reader *r, uint64_t key, uint8_t hash[32])
{
    const uint8_t *bytes;

    mgc__cbor_get_key(r, key);
    bytes = mgc__cbor_get_fixed(r, 32);
    if (bytes != NULL) memcpy(hash, bytes, 32);
}

static uint64_t get_uint_at(mgc__cbor_reader *r, uint64_t key, uint64_t max)
{
    mgc__cbor_get_key(r, key);
    return mgc__cbor_get_uint(r, max);
}

/* --- header -------------------------------------------------------------------------------------- */

static void put_members(mgc__cbor_writer *w, const mgc_member *members, size_t n)
{
    mgc__cbor_put_array(w, n);
    for (size_t i = 0; i < n; i++) {
        mgc__cbor_put_array(w, 2);
        mgc__cbor_put_uint(w, members[i].id);
        mgc__cbor_put_bytes(w, members[i].public_key, MGC_PUBLIC_KEY_BYTES);
    }
}

static void put_change(mgc__cbor_writer *w, const mgc__change *change)
{
    mgc__cbor_put_uint(w, 15);
    mgc__cbor_put_array(w, 5);
    mgc__cbor_put_bool(w, change->joint);
    mgc__cbor_put_uint(w, change->quorum);
    mgc__cbor_put_bytes(w, change->reason, 32);
    put_members(w, change->list, change->n);
    put_members(w, change->others, change->n_others);
}

void mgc__header_write(mgc__cbor_writer *w, const mgc__header *h)
{
    mgc__cbor_put_map(w, h->change.n > 0 ? 15 : 14);
    mgc__cbor_put_uint_at(w, 1, FORMAT_VERSION);
    mgc__cbor_put_bytes_at(w, 2, h->chain_id, 32);
    mgc__cbor_put_uint_at(w, 3, h->height);
    mgc__cbor_put_bytes_at(w, 4, h->previous, 32);
    mgc__cbor_put_uint_at(w, 5, h->time_ms);
    mgc__cbor_put_uint_at(w, 6, h->n_txs);
    mgc__cbor_put_bytes_at(w, 7, h->tx_root, 32);
    mgc__cbor_put_bytes_at(w, 8, h->receipt_root, 32);
    mgc__cbor_put_bytes_at(w, 9, h->state_digest, 32);
    mgc__cbor_put_bytes_at(w, 10, h->log_root, 32);
    mgc__cbor_put_uint_at(w, 11, h->config_height);
    mgc__cbor_put_uint_at(w, 12, h->proposer);
    mgc__cbor_put_uint(w, 13);
    mgc__cbor_put_array(w, h->n_pins);
    for (uint32_t i = 0; i < h->n_pins; i++) {
        mgc__cbor_put_array(w, 3);
        mgc__cbor_put_bytes(w, h->pins[i].chain_id, 32);
        mgc__cbor_put_uint(w, h->pins[i].height);
        mgc__cbor_put_bytes(w, h->pins[i].hash, 32);
    }
    mgc__cbor_put_uint(w, 14);
    if (h->day_closed) {
        mgc__cbor_put_array(w, 2);
        mgc__cbor_put_uint(w, h->n_records);
        mgc__cbor_put_bytes(w, h->state_root, 32);
    } else {
        mgc__cbor_put_null(w);
    }
    if (h->change.n > 0) put_change(w, &h->change);
}

static void get_hash_item(mgc__cbor_reader *r, uint8_t hash[32])
{
    const uint8_t *bytes = mgc__cbor_get_fixed(r, 32);

    if (bytes != NULL) memcpy(hash, bytes, 32);
}

static void get_pins(mgc__cbor_reader *r, mgc__header *h)
{
    h->n_pins = (uint32_t)mgc__cbor_get_array(r, MGC_CHAINS_MAX - 1);
    for (uint32_t i = 0; i < h->n_pins && r->status == MGC_OK; i++) {
        mgc__pin *pin = &h->pins[i];

        mgc__cbor_get_array_of(r, 3);
        get_hash_item(r, pin->chain_id);
        pin->height = mgc__cbor_get_uint(r, UINT64_MAX);
        get_hash_item(r, pin->hash);
        if (r->status == MGC_OK && i > 0 && memcmp(h->pins[i - 1].chain_id, pin->chain_id, 32) >= 0)
            mgc__cbor_refuse(r, MGC_E_NONCANONICAL, "pinned chains are not in strictly ascending order");
        if (r->status == MGC_OK && pin->height == 0)
            mgc__cbor_refuse(r, MGC_E_NONCANONICAL, "a chain without blocks is not pinned");
    }
}

static void get_day(mgc__cbor_reader *r, mgc__header *h)
{
    h->day_closed = !mgc__cbor_get_null(r);
    if (!h->day_closed) return;
    mgc__cbor_get_array_of(r, 2);
    h->n_records = mgc__cbor_get_uint(r, UINT64_MAX);
    get_hash_item(r, h->state_root);
}

static uint32_t get_members(mgc__cbor_reader *r, mgc_member *members, uint32_t max)
{
    uint32_t n = (uint32_t)mgc__cbor_get_array(r, max);

    for (uint32_t i = 0; i < n && r->status == MGC_OK; i++) {
        const uint8_t *key;
        mgc__cbor_get_array_of(r, 2);
        members[i] = (mgc_member){.id = (uint32_t)mgc__cbor_get_uint(r, UINT32_MAX)};
        key = mgc__cbor_get_fixed(r, MGC_PUBLIC_KEY_BYTES);
        if (key != NULL) memcpy(members[i].public_key, key, MGC_PUBLIC_KEY_BYTES);
        if (members[i].id == 0 || (i > 0 && members[i].id <= members[i - 1].id))
            mgc__cbor_refuse(r, MGC_E_NONCANONICAL, "member ids are not positive and strictly ascending");
    }
    return n;
}

/* Two quorums share a member: else two different blocks could both be final. */
static void check_quorum(mgc__cbor_reader *r, uint32_t quorum, uint32_t n)
{
    if (r->status == MGC_OK && n == 0) mgc__cbor_refuse(r, MGC_E_RANGE, "a chain needs a member");
    if (r->status == MGC_OK && (quorum > n || 2 * quorum <= n))
        mgc__cbor_refuse(r, MGC_E_RANGE, "the quorum is not more than half of the members and at most all");
}

static void get_change(mgc__cbor_reader *r, mgc__change *change)
{
    mgc__cbor_get_array_of(r, 5);
    change->joint = mgc__cbor_get_bool(r);
    change->quorum = (uint32_t)mgc__cbor_get_uint(r, MGC__CHANGE_MAX);
    get_hash_item(r, change->reason);
    change->n = get_members(r, change->list, MGC__CHANGE_MAX);
    check_quorum(r, change->quorum, change->n);
    change->n_others = get_members(r, change->others, MGC__CHANGE_MAX);
    if (r->status == MGC_OK && change->n + change->n_others > MGC__CHANGE_MAX)
        mgc__cbor_refuse(r, MGC_E_RANGE, "more members than a header can bring");
}

mgc_status mgc__header_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__header *h)
{
    bool changes = len > 0 && bytes[0] == 0xaf; /* a map of 15 */
    mgc__cbor_reader r;

    *h = (mgc__header){0};
    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, changes ? 15 : 14);
    mgc__cbor_get_key(&r, 1);
    get_version(&r);
    get_hash(&r, 2, h->chain_id);
    h->height = get_uint_at(&r, 3, UINT64_MAX);
    get_hash(&r, 4, h->previous);
    h->time_ms = get_uint_at(&r, 5, UINT64_MAX);
    h->n_txs = (uint32_t)get_uint_at(&r, 6, MGC_BLOCK_TXS_MAX);
    get_hash(&r, 7, h->tx_root);
    get_hash(&r, 8, h->receipt_root);
    get_hash(&r, 9, h->state_digest);
    get_hash(&r, 10, h->log_root);
    h->config_height = get_uint_at(&r, 11, UINT64_MAX);
    h->proposer = (uint32_t)get_uint_at(&r, 12, UINT32_MAX);
    mgc__cbor_get_key(&r, 13);
    get_pins(&r, h);
    mgc__cbor_get_key(&r, 14);
    get_day(&r, h);
    if (changes) {
        mgc__cbor_get_key(&r, 15);
        get_change(&r, &h->change);
    }
    mgc__cbor_finish(&r);
    return mgc__cbor_fail(ctx, &r, "a block's header");
}

void mgc__header_hash(const uint8_t *bytes, size_t len, uint8_t hash[32])
{
    mgc__hash_tagged("mgchain/block/1", bytes, len, hash);
}

/* --- lists of byte strings ----------------------------------------------------------------------- */

static void put_list(mgc__cbor_writer *w, const mgc__list *list)
{
    mgc__cbor_put_array(w, list->n);
    if (list->len == 0) return;
    mgc__cbor_put_raw(w, list->items, list->len);
}

static void get_list(mgc__cbor_reader *r, mgc__list *list, uint64_t n_max, size_t item_max)
{
    uint64_t n = mgc__cbor_get_array(r, n_max);
    const uint8_t *start = r->at;
    size_t len;

    for (uint64_t i = 0; i < n && r->status == MGC_OK; i++) mgc__cbor_get_bytes(r, &len, item_max);
    if (r->status == MGC_OK) *list = (mgc__list){.items = start, .len = (size_t)(r->at - start), .n = (uint32_t)n};
}

bool mgc__list_next(const mgc__list *list, size_t *at, const uint8_t **bytes, size_t *len)
{
    mgc__cbor_reader r;

    *bytes = NULL;
    *len = 0;
    if (*at >= list->len) return false;
    mgc__cbor_read(&r, list->items + *at, list->len - *at);
    *bytes = mgc__cbor_get_bytes(&r, len, list->len);
    assert(*bytes != NULL); /* its form was checked when it was read */
    *at += (size_t)(r.at - r.begin);
    return true;
}

void mgc__list_root(const mgc__list *list, uint8_t root[32])
{
    const uint8_t *bytes;
    size_t at = 0, len;
    mgc__merkle m;

    mgc__merkle_init(&m);
    while (mgc__list_next(list, &at, &bytes, &len)) {
        uint8_t hash[32];
        mgc__merkle_leaf(bytes, len, hash);
        mgc__merkle_push(&m, hash);
    }
    mgc__merkle_root(&m, root);
}

/* --- block --------------------------------------------------------------------------------------- */

void mgc__block_write(mgc__cbor_writer *w, const uint8_t *header, size_t header_len, const mgc__list *txs)
{
    mgc__cbor_put_map(w, 2);
    mgc__cbor_put_bytes_at(w, 1, header, header_len);
    mgc__cbor_put_uint(w, 2);
    put_list(w, txs);
}

void mgc__stored_block_write(mgc__cbor_writer *w, const uint8_t *block, size_t block_len, const mgc__list *receipts,
                             const uint8_t *writes, size_t writes_len)
{
    mgc__cbor_put_map(w, 3);
    mgc__cbor_put_bytes_at(w, 1, block, block_len);
    mgc__cbor_put_uint(w, 2);
    put_list(w, receipts);
    mgc__cbor_put_bytes_at(w, 3, writes, writes_len);
}

mgc_status mgc__block_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__stored_block *b)
{
    mgc__cbor_reader r;
    mgc_status status;

    *b = (mgc__stored_block){.block = bytes, .block_len = len};
    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, 2);
    mgc__cbor_get_key(&r, 1);
    b->header_bytes = mgc__cbor_get_bytes(&r, &b->header_len, MGC__HEADER_BYTES_MAX);
    mgc__cbor_get_key(&r, 2);
    get_list(&r, &b->txs, MGC_BLOCK_TXS_MAX, MGC_TX_BYTES_MAX);
    mgc__cbor_finish(&r);
    status = mgc__cbor_fail(ctx, &r, "a block");
    if (status != MGC_OK) return status;
    if (b->txs.len > MGC_BLOCK_BYTES_MAX)
        return mgc__fail(ctx, MGC_E_TOO_LARGE, "ledger: a block of %zu bytes", b->txs.len);
    mgc__header_hash(b->header_bytes, b->header_len, b->hash);
    return mgc__header_read(ctx, b->header_bytes, b->header_len, &b->header);
}

mgc_status mgc__stored_block_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__stored_block *b)
{
    const uint8_t *block, *writes;
    size_t block_len, writes_len;
    mgc__list receipts = {0};
    mgc__cbor_reader r;
    mgc_status status;

    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, 3);
    mgc__cbor_get_key(&r, 1);
    block = mgc__cbor_get_bytes(&r, &block_len, len);
    mgc__cbor_get_key(&r, 2);
    get_list(&r, &receipts, MGC_BLOCK_TXS_MAX + 1, len);
    mgc__cbor_get_key(&r, 3);
    writes = mgc__cbor_get_bytes(&r, &writes_len, len);
    mgc__cbor_finish(&r);
    status = mgc__cbor_fail(ctx, &r, "a stored block");
    if (status == MGC_OK) status = mgc__block_read(ctx, block, block_len, b);
    if (status != MGC_OK) return status;
    b->receipts = receipts;
    b->writes = writes;
    b->writes_len = writes_len;
    return MGC_OK;
}

/* --- receipts ------------------------------------------------------------------------------------ */

void mgc__event_write(mgc__cbor_writer *w, uint32_t contract, const char *name, size_t name_len,
                      const uint8_t *payload, size_t len)
{
    mgc__cbor_put_array(w, 3);
    mgc__cbor_put_uint(w, contract);
    mgc__cbor_put_text(w, name, name_len);
    mgc__cbor_put_bytes(w, payload, len);
}

void mgc__receipt_write(mgc__cbor_writer *w, const mgc__receipt *r)
{
    mgc__cbor_put_map(w, 6);
    mgc__cbor_put_uint(w, 1);
    if (r->tx_id == NULL) mgc__cbor_put_null(w);
    else mgc__cbor_put_bytes(w, r->tx_id, 32);
    mgc__cbor_put_uint(w, 2);
    mgc__cbor_put_int(w, r->status);
    mgc__cbor_put_uint_at(w, 3, r->cost);
    mgc__cbor_put_text_at(w, 4, r->rule, r->rule_len);
    mgc__cbor_put_bytes_at(w, 5, r->output, r->output_len);
    mgc__cbor_put_uint(w, 6);
    mgc__cbor_put_array(w, r->n_events);
    mgc__cbor_put_raw(w, r->events, r->events_len);
}

static void get_event(mgc__cbor_reader *r, mgc_event_info *event)
{
    mgc__cbor_get_array_of(r, 3);
    event->contract = (uint32_t)mgc__cbor_get_uint(r, UINT32_MAX);
    event->name = mgc__cbor_get_text(r, &event->name_len, MGC_EVENT_NAME_MAX);
    event->payload = mgc__cbor_get_bytes(r, &event->payload_len, SIZE_MAX);
}

mgc_status mgc__receipt_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__receipt *receipt)
{
    mgc_event_info event;
    mgc__cbor_reader r;
    int64_t status;

    *receipt = (mgc__receipt){0};
    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, 6);
    mgc__cbor_get_key(&r, 1);
    if (!mgc__cbor_get_null(&r)) receipt->tx_id = mgc__cbor_get_fixed(&r, 32);
    mgc__cbor_get_key(&r, 2);
    status = mgc__cbor_get_int(&r);
    if (status > 0 || status < INT32_MIN) mgc__cbor_refuse(&r, MGC_E_RANGE, "a status is 0 or negative");
    receipt->status = (int32_t)status;
    receipt->cost = get_uint_at(&r, 3, UINT64_MAX);
    mgc__cbor_get_key(&r, 4);
    receipt->rule = mgc__cbor_get_text(&r, &receipt->rule_len, MGC_RULE_MAX);
    mgc__cbor_get_key(&r, 5);
    receipt->output = mgc__cbor_get_bytes(&r, &receipt->output_len, MGC_RECORD_VALUE_MAX);
    mgc__cbor_get_key(&r, 6);
    receipt->n_events = (uint32_t)mgc__cbor_get_array(&r, UINT32_MAX);
    receipt->events = r.at;
    for (uint32_t i = 0; i < receipt->n_events && r.status == MGC_OK; i++) get_event(&r, &event);
    receipt->events_len = (size_t)(r.at - receipt->events);
    mgc__cbor_finish(&r);
    return mgc__cbor_fail(ctx, &r, "a receipt");
}

mgc_status mgc__event_get(const mgc__receipt *receipt, uint32_t index, mgc_event_info *event)
{
    const uint8_t *at = receipt->events;
    size_t left = receipt->events_len;

    if (index >= receipt->n_events) return MGC_E_NOT_FOUND;
    for (uint32_t i = 0; i <= index; i++) {
        mgc__cbor_reader r;
        *event = (mgc_event_info){.struct_size = sizeof *event};
        mgc__cbor_read(&r, at, left);
        get_event(&r, event);
        if (r.status != MGC_OK) return r.status;
        left -= (size_t)(r.at - at);
        at = r.at;
    }
    return MGC_OK;
}

/* --- certificate --------------------------------------------------------------------------------- */

void mgc__certificate_write(mgc__cbor_writer *w, const mgc__certificate *c)
{
    mgc__cbor_put_map(w, 3);
    mgc__cbor_put_uint_at(w, 1, FORMAT_VERSION);
    mgc__cbor_put_bytes_at(w, 2, c->block_hash, 32);
    mgc__cbor_put_uint(w, 3);
    mgc__cbor_put_array(w, c->n);
    for (uint32_t i = 0; i < c->n; i++) {
        mgc__cbor_put_array(w, 2);
        mgc__cbor_put_uint(w, c->votes[i].member);
        mgc__cbor_put_bytes(w, c->votes[i].signature, MGC_SIGNATURE_BYTES);
    }
}

mgc_status mgc__certificate_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__certificate *c)
{
    mgc__cbor_reader r;

    *c = (mgc__certificate){0};
    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, 3);
    mgc__cbor_get_key(&r, 1);
    get_version(&r);
    mgc__cbor_get_key(&r, 2);
    c->block_hash = mgc__cbor_get_fixed(&r, 32);
    mgc__cbor_get_key(&r, 3);
    c->n = (uint32_t)mgc__cbor_get_array(&r, MGC_MEMBERS_MAX);
    for (uint32_t i = 0; i < c->n && r.status == MGC_OK; i++) {
        mgc__cbor_get_array_of(&r, 2);
        c->votes[i].member = (uint32_t)mgc__cbor_get_uint(&r, UINT32_MAX);
        c->votes[i].signature = mgc__cbor_get_fixed(&r, MGC_SIGNATURE_BYTES);
        if (i > 0 && c->votes[i].member <= c->votes[i - 1].member)
            mgc__cbor_refuse(&r, MGC_E_BAD_CERT, "voters are not in strictly ascending order");
    }
    mgc__cbor_finish(&r);
    return mgc__cbor_fail(ctx, &r, "a certificate");
}

/* --- genesis ------------------------------------------------------------------------------------- */

void mgc__genesis_write(mgc__cbor_writer *w, const mgc_genesis *g)
{
    mgc__cbor_put_map(w, 6);
    mgc__cbor_put_uint_at(w, 1, FORMAT_VERSION);
    mgc__cbor_put_text_at(w, 2, g->name, strlen(g->name));
    mgc__cbor_put_uint_at(w, 3, g->time_ms);
    mgc__cbor_put_uint(w, 4);
    put_members(w, g->members, g->n_members);
    mgc__cbor_put_uint_at(w, 5, g->quorum);
    mgc__cbor_put_bytes_at(w, 6, g->nonce, 32);
}

static bool good_name(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') || name[i] == '-'))
            return false;
    return len > 0;
}

mgc_status mgc__genesis_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__genesis *g, mgc_member *members)
{
    mgc__cbor_reader r;

    *g = (mgc__genesis){0};
    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, 6);
    mgc__cbor_get_key(&r, 1);
    get_version(&r);
    mgc__cbor_get_key(&r, 2);
    g->name = mgc__cbor_get_text(&r, &g->name_len, MGC_CHAIN_NAME_MAX);
    if (r.status == MGC_OK && !good_name(g->name, g->name_len))
        mgc__cbor_refuse(&r, MGC_E_SCHEMA, "a chain's name has other characters than a-z, 0-9 and -");
    g->time_ms = get_uint_at(&r, 3, UINT64_MAX);
    mgc__cbor_get_key(&r, 4);
    g->n_members = get_members(&r, members, MGC_MEMBERS_MAX);
    g->quorum = (uint32_t)get_uint_at(&r, 5, MGC_MEMBERS_MAX);
    check_quorum(&r, g->quorum, g->n_members);
    mgc__cbor_get_key(&r, 6);
    g->nonce = mgc__cbor_get_fixed(&r, 32);
    mgc__cbor_finish(&r);
    return mgc__cbor_fail(ctx, &r, "a chain's genesis");
}

void mgc__chain_id(const uint8_t *genesis, size_t len, uint8_t id[32])
{
    mgc__hash_tagged("mgchain/chain/1", genesis, len, id);
}
