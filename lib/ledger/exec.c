/* SPDX-License-Identifier: Apache-2.0 */
/* Admitting and executing transactions in an open block. */
#include <inttypes.h>
#include <stdio.h>

#include "ledger/chain.h"

bool mgc__is_fatal(mgc_status status)
{
    switch (status) {
    case MGC_E_NO_MEMORY:
    case MGC_E_ABI_SIZE:
    case MGC_E_ABI_FUTURE:
    case MGC_E_CALLBACK:
    case MGC_E_STOPPED:
    case MGC_E_IO:
    case MGC_E_INTERNAL:
    case MGC_E_CRYPTO:
    case MGC_E_CORRUPT:
    case MGC_E_FAILED:
    case MGC_E_LOCKED: return true;
    default: return status > 0; /* not a status at all */
    }
}

/* --- what code above sees ------------------------------------------------------------------------ */

mgc_chain *mgc__exec_chain(const mgc__exec *x)
{
    return x->chain;
}

const mgc__state *mgc__exec_state(const mgc__exec *x)
{
    return &x->chain->state;
}

mgc_ctx *mgc__exec_ctx(const mgc__exec *x)
{
    return x->chain->ledger->ctx;
}

uint64_t mgc__exec_height(const mgc__exec *x)
{
    return x->height;
}

uint64_t mgc__exec_time_ms(const mgc__exec *x)
{
    return x->time_ms;
}

uint64_t mgc__exec_parent_time_ms(const mgc__exec *x)
{
    return x->parent_time_ms;
}

uint32_t mgc__exec_tx_index(const mgc__exec *x)
{
    return x->tx_index;
}

mgc_status mgc__chain_other(const mgc_chain *chain, const char *chain_name, const mgc__state **state,
                            uint64_t *height, uint64_t *time_ms)
{
    const mgc_ledger *ledger = chain->ledger;
    const mgc_chain *other = NULL;

    *state = NULL;
    for (uint32_t i = 0; i < ledger->n_chains; i++)
        if (strcmp(ledger->chains[i]->name, chain_name) == 0) other = ledger->chains[i];
    /* A chain without blocks is not pinned: whether its genesis came before this block nobody could check later. */
    if (other == NULL || (other != chain && other->height == 0)) return MGC_E_NOT_FOUND;
    assert(other == chain || !other->open); /* one open block a ledger */
    *state = &other->state;
    if (height != NULL) *height = other->height;
    if (time_ms != NULL) *time_ms = other->time_ms;
    return MGC_OK;
}

mgc_status mgc__exec_other(const mgc__exec *x, const char *chain_name, const mgc__state **state, uint64_t *height,
                           uint64_t *time_ms)
{
    assert(x->chain->open);
    return mgc__chain_other(x->chain, chain_name, state, height, time_ms);
}

/* A failure of the environment is remembered, so that code above cannot turn it into a refusal. */
mgc_status mgc__exec_fatal(mgc__exec *x, mgc_status status)
{
    if (mgc__is_fatal(status) && x->fatal == MGC_OK) x->fatal = status;
    if (status == MGC_E_TOO_LARGE)
        return mgc__exec_refuse(x, status, "the block's limit of written bytes is reached");
    return status;
}

mgc_status mgc__exec_refuse(mgc__exec *x, mgc_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    mgc__vformat(x->rule, sizeof x->rule, format, args);
    va_end(args);
    /* A sentence cut in the middle of a letter, or made of a caller's bytes, would not be text. */
    if (!mgc__utf8_valid((const uint8_t *)x->rule, strlen(x->rule)))
        for (char *c = x->rule; *c != '\0'; c++)
            if ((unsigned char)*c >= 0x80) *c = '?';
    return status;
}

const char *mgc__exec_rule(const mgc__exec *x)
{
    return x->rule;
}

mgc_status mgc__exec_output(mgc__exec *x, const uint8_t *bytes, size_t len)
{
    if (len > MGC_RECORD_VALUE_MAX)
        return mgc__exec_refuse(x, MGC_E_LIMIT, "an answer of %zu bytes; at most %d", len, MGC_RECORD_VALUE_MAX);
    x->output.len = 0;
    mgc__buf_put(&x->output, bytes, len);
    return mgc__exec_fatal(x, x->output.status);
}

void mgc__exec_set_cost(mgc__exec *x, uint64_t cost)
{
    x->cost = cost;
}

uint64_t mgc__exec_cost(const mgc__exec *x)
{
    return x->cost;
}

mgc_status mgc__exec_emit(mgc__exec *x, uint32_t contract, const char *name, const uint8_t *payload, size_t len)
{
    size_t name_len = strlen(name);
    mgc__cbor_writer w;

    if (name_len == 0 || name_len > MGC_EVENT_NAME_MAX || !mgc__utf8_valid((const uint8_t *)name, name_len))
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "an event's name of %zu bytes", name_len);
    if (x->n_events == MGC__EVENTS_MAX || len > MGC__EVENT_BYTES_MAX || x->events.len > MGC__EVENT_BYTES_MAX - len)
        return mgc__exec_refuse(x, MGC_E_LIMIT, "too many events");
    mgc__cbor_to_buf(&w, &x->events);
    mgc__event_write(&w, contract, name, name_len, payload, len);
    if (w.status != MGC_OK) return mgc__exec_fatal(x, MGC_E_NO_MEMORY);
    x->n_events++;
    return MGC_OK;
}

mgc__mark mgc__exec_mark(const mgc__exec *x)
{
    return (mgc__mark){.undo = x->chain->state.n_undo, .events = x->events.len, .n_events = x->n_events};
}

void mgc__exec_undo(mgc__exec *x, mgc__mark mark)
{
    mgc__state_undo(&x->chain->state, mark.undo);
    x->events.len = mark.events;
    x->n_events = mark.n_events;
}

/* --- records ------------------------------------------------------------------------------------- */

static size_t record_key(uint8_t out[MGC__KEY_MAX], uint32_t contract, const uint8_t *key, size_t key_len)
{
    out[0] = MGC__AREA_RECORD;
    mgc__put_be32(out + 1, contract);
    if (key_len > 0) memcpy(out + 5, key, key_len);
    return 5 + key_len;
}

mgc_status mgc__record_get(const mgc__state *s, uint32_t contract, const uint8_t *key, size_t key_len,
                           const uint8_t **value, size_t *value_len)
{
    uint8_t full[MGC__KEY_MAX];
    const mgc__item *item;

    *value = NULL;
    *value_len = 0;
    if (key_len > MGC_RECORD_KEY_MAX) return MGC_E_NOT_FOUND;
    item = mgc__state_get(s, full, record_key(full, contract, key, key_len));
    if (item == NULL) return MGC_E_NOT_FOUND;
    *value = mgc__item_value(item);
    *value_len = item->value_len;
    return MGC_OK;
}

mgc_status mgc__record_put(mgc__exec *x, uint32_t contract, const uint8_t *key, size_t key_len, const uint8_t *value,
                           size_t value_len)
{
    uint8_t full[MGC__KEY_MAX];

    if (key_len == 0 || key_len > MGC_RECORD_KEY_MAX)
        return mgc__exec_refuse(x, MGC_E_LIMIT, "a record's key of %zu bytes; 1..%d are allowed", key_len,
                                MGC_RECORD_KEY_MAX);
    if (value_len > MGC_RECORD_VALUE_MAX)
        return mgc__exec_refuse(x, MGC_E_LIMIT, "a record of %zu bytes; at most %d", value_len, MGC_RECORD_VALUE_MAX);
    return mgc__exec_fatal(
        x, mgc__state_put(&x->chain->state, full, record_key(full, contract, key, key_len), value, value_len));
}

mgc_status mgc__record_remove(mgc__exec *x, uint32_t contract, const uint8_t *key, size_t key_len)
{
    uint8_t full[MGC__KEY_MAX];

    if (key_len > MGC_RECORD_KEY_MAX) return MGC_E_NOT_FOUND;
    return mgc__exec_fatal(x, mgc__state_remove(&x->chain->state, full, record_key(full, contract, key, key_len)));
}

void mgc__record_first(mgc__record_cursor *c, uint32_t contract, const uint8_t *prefix, size_t prefix_len)
{
    assert(prefix_len <= MGC_RECORD_KEY_MAX);
    *c = (mgc__record_cursor){0};
    c->prefix_len = c->last_len = record_key(c->last, contract, prefix, prefix_len);
}

void mgc__record_after(mgc__record_cursor *c, uint32_t contract, const uint8_t *prefix, size_t prefix_len,
                       const uint8_t *after, size_t after_len)
{
    assert(after_len <= MGC_RECORD_KEY_MAX && after_len >= prefix_len);
    mgc__record_first(c, contract, prefix, prefix_len);
    c->last_len = record_key(c->last, contract, after, after_len);
    c->begun = true;
}

bool mgc__record_next(const mgc__state *s, mgc__record_cursor *c)
{
    const mgc__item *item = mgc__state_after(s, c->last, c->last_len, !c->begun);

    c->key = c->value = NULL;
    c->key_len = c->value_len = 0;
    /* last begins with the prefix, and so do all keys between it and the first that does not */
    if (item == NULL || item->key_len < c->prefix_len || memcmp(item->bytes, c->last, c->prefix_len) != 0)
        return false;
    c->begun = true;
    c->last_len = item->key_len;
    memcpy(c->last, item->bytes, item->key_len);
    c->key = item->bytes + 5;
    c->key_len = item->key_len - 5;
    c->value = mgc__item_value(item);
    c->value_len = item->value_len;
    return true;
}

/* --- admission ----------------------------------------------------------------------------------- */

void mgc__nonce_key(uint8_t key[37], const uint8_t sender[32], uint32_t contract)
{
    key[0] = MGC__AREA_NONCE;
    memcpy(key + 1, sender, 32);
    mgc__put_be32(key + 33, contract);
}

static uint64_t last_nonce(const mgc__state *s, const uint8_t sender[32], uint32_t contract)
{
    const mgc__item *item;
    mgc__cbor_reader r;
    uint8_t key[37];

    mgc__nonce_key(key, sender, contract);
    item = mgc__state_get(s, key, sizeof key);
    if (item == NULL) return 0;
    mgc__cbor_read(&r, mgc__item_value(item), item->value_len);
    return mgc__cbor_get_uint(&r, UINT64_MAX);
}

mgc_status mgc_chain_next_nonce(mgc_chain *chain, const uint8_t *sender, uint32_t contract, uint64_t *nonce)
{
    if (chain == NULL || sender == NULL || nonce == NULL) return MGC_E_INVALID_ARG;
    *nonce = last_nonce(&chain->state, sender, contract) + 1;
    return MGC_OK;
}

void mgc__seen_hash(const mgc__tx *tx, uint8_t hash[32])
{
    mgc__merkle_leaf(tx->bytes, tx->len, hash);
}

uint8_t *mgc__seen_slot(mgc_ledger *ledger, const uint8_t hash[32])
{
    return ledger->seen[mgc__get_be32(hash) % MGC__SEEN];
}

static mgc_status verify_once(mgc_ledger *ledger, mgc__tx *tx)
{
    mgc_status status;
    uint8_t *slot;

    mgc__seen_hash(tx, tx->leaf);
    tx->has_leaf = true;
    slot = mgc__seen_slot(ledger, tx->leaf);
    if (memcmp(slot, tx->leaf, 32) == 0) return MGC_OK;
    status = mgc__tx_verify(ledger->ctx, tx);
    if (status == MGC_OK) memcpy(slot, tx->leaf, 32);
    return status;
}

static mgc_status check_nonce(mgc_chain *chain, const mgc__tx *tx)
{
    uint64_t last = last_nonce(&chain->state, tx->sender, tx->contract);
    mgc_ctx *ctx = chain->ledger->ctx;

    if (mgc__tree_get(&chain->txs, tx->id, 32) != NULL)
        return mgc__fail(ctx, MGC_E_DUPLICATE_TXID, "ledger: the transaction stands in chain %s already",
                         chain->name);
    if (tx->nonce <= last)
        return mgc__fail(ctx, MGC_E_NONCE_USED,
                         "ledger: nonce %" PRIu64 " of its sender is used; the next is %" PRIu64, tx->nonce,
                         last + 1);
    if (tx->nonce != last + 1)
        return mgc__fail(ctx, MGC_E_NONCE_GAP, "ledger: nonce %" PRIu64 " of its sender; the next is %" PRIu64,
                         tx->nonce, last + 1);
    return MGC_OK;
}

/* Cheap checks first; signatures last, for they cost most. */
mgc_status mgc__admit(mgc_chain *chain, const uint8_t *bytes, size_t len, mgc__tx *tx)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    uint64_t height = chain->height + 1;
    mgc_status status = mgc__tx_decode(ctx, bytes, len, tx);

    if (status != MGC_OK) return status;
    if (memcmp(tx->chain_id, chain->id, 32) != 0)
        return mgc__fail(ctx, MGC_E_WRONG_CHAIN, "ledger: a transaction for another chain than %s", chain->name);
    if (tx->valid_until < height)
        return mgc__fail(ctx, MGC_E_EXPIRED,
                         "ledger: a transaction valid until height %" PRIu64 "; the next is %" PRIu64,
                         tx->valid_until, height);
    if (tx->valid_until - height > MGC_TX_WINDOW_MAX)
        return mgc__fail(ctx, MGC_E_LIMIT, "ledger: a transaction valid until height %" PRIu64 "; at most %" PRIu64,
                         tx->valid_until, height + MGC_TX_WINDOW_MAX);
    status = check_nonce(chain, tx);
    return status != MGC_OK ? status : verify_once(chain->ledger, tx);
}

mgc_status mgc_chain_check_tx(mgc_chain *chain, const uint8_t *bytes, size_t len)
{
    mgc__tx tx;

    if (chain == NULL || (bytes == NULL && len > 0)) return MGC_E_INVALID_ARG;
    return mgc__admit(chain, bytes, len, &tx);
}

/* --- the open block ------------------------------------------------------------------------------ */

static void reset_exec(mgc__exec *x, uint32_t tx_index)
{
    x->tx_index = tx_index;
    x->events.len = 0;
    x->n_events = 0;
    x->output.len = 0;
    x->cost = 0;
    x->rule[0] = '\0';
    x->fatal = MGC_OK;
}

void mgc__exec_drop(mgc_chain *chain)
{
    if (!chain->open) return;
    mgc__state_undo(&chain->state, 0);
    mgc__buf_free(&chain->exec.events);
    mgc__buf_free(&chain->own_events);
    mgc__buf_free(&chain->exec.output);
    mgc__buf_free(&chain->tx_bytes);
    mgc__buf_free(&chain->receipt_bytes);
    while (chain->n_open_txs > 0) {
        mgc__item *item = chain->open_items[--chain->n_open_txs];
        mgc__free(chain->ledger->ctx, mgc__tree_remove(&chain->txs, item->bytes, item->key_len));
    }
    chain->open = false;
}

/* The step of the block itself, before or after its transactions. */
static mgc_status run_step(mgc_chain *chain, mgc_status (*step)(void *user, mgc__exec *x))
{
    mgc__exec *x = &chain->exec;
    mgc_status status = step == NULL ? MGC_OK : step(chain->executor.user, x);

    if (x->fatal != MGC_OK) status = x->fatal;
    if (status != MGC_OK && !mgc__is_fatal(status))
        return mgc__fail(chain->ledger->ctx, MGC_E_INTERNAL,
                         "ledger: the contracts of chain %s refused the block's own step at height %" PRIu64
                         ": %s (%s)",
                         chain->name, x->height, mgc_status_name(status), x->rule);
    return status;
}

mgc_status mgc__exec_begin(mgc_chain *chain, uint64_t time_ms)
{
    mgc__exec *x = &chain->exec;
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc_status status;

    assert(!chain->open && chain->state.n_undo == 0);
    status = mgc__close_day(chain, time_ms);
    if (status != MGC_OK) return status;
    *x = (mgc__exec){
        .chain = chain, .height = chain->height + 1, .time_ms = time_ms, .parent_time_ms = chain->time_ms};
    mgc__buf_init(&x->events, ctx, 2 * MGC__EVENT_BYTES_MAX);
    mgc__buf_init(&x->output, ctx, MGC_RECORD_VALUE_MAX);
    mgc__buf_init(&chain->tx_bytes, ctx, MGC_BLOCK_BYTES_MAX);
    mgc__buf_init(&chain->receipt_bytes, ctx, 2 * MGC__BLOCK_RECEIPTS_MAX);
    mgc__buf_init(&chain->own_events, ctx, 0);
    mgc__merkle_init(&chain->tx_tree);
    mgc__merkle_init(&chain->receipt_tree);
    chain->n_open_txs = 0;
    chain->change.n = 0;
    chain->open = true;
    reset_exec(x, UINT32_MAX);
    status = mgc__expire(x);
    if (status == MGC_OK) status = mgc__settle_locks(x);
    if (status == MGC_OK) status = run_step(chain, chain->executor.begin_block);
    if (status != MGC_OK) {
        mgc__exec_drop(chain);
        return status;
    }
    /* What the block itself said is kept for its own receipt, which comes last. */
    chain->own_events = x->events;
    chain->n_own_events = x->n_events;
    mgc__buf_init(&x->events, ctx, 2 * MGC__EVENT_BYTES_MAX);
    return MGC_OK;
}

/* Append a byte string to a list of them and its hash to the tree; leaf: that hash, NULL where it is to be taken. */
static mgc_status push_bytes(mgc__buf *list, mgc__merkle *tree, const uint8_t *bytes, size_t len, const uint8_t *leaf)
{
    mgc__cbor_writer w;
    uint8_t hash[32];

    mgc__cbor_to_buf(&w, list);
    mgc__cbor_put_bytes(&w, bytes, len);
    if (w.status != MGC_OK) return w.status;
    if (leaf == NULL) mgc__merkle_leaf(bytes, len, hash);
    mgc__merkle_push(tree, leaf != NULL ? leaf : hash);
    return MGC_OK;
}

static mgc_status push_receipt(mgc_chain *chain, const uint8_t *tx_id, mgc_status result)
{
    mgc__exec *x = &chain->exec;
    bool good = result == MGC_OK;
    mgc__receipt r = {.tx_id = tx_id,
                      .status = result,
                      .cost = x->cost,
                      .rule = x->rule,
                      .rule_len = good ? 0 : strlen(x->rule),
                      .output = x->output.bytes,
                      .output_len = good ? x->output.len : 0,
                      .n_events = good ? x->n_events : 0,
                      .events = x->events.bytes,
                      .events_len = good ? x->events.len : 0};
    mgc__cbor_writer w;
    mgc__buf bytes;
    mgc_status status;

    mgc__buf_init(&bytes, chain->ledger->ctx, 4 * MGC__EVENT_BYTES_MAX);
    mgc__cbor_to_buf(&w, &bytes);
    mgc__receipt_write(&w, &r);
    status = w.status;
    if (status == MGC_OK) status = push_bytes(&chain->receipt_bytes, &chain->receipt_tree, bytes.bytes, bytes.len, NULL);
    mgc__buf_free(&bytes);
    return status;
}

static mgc_status spend_nonce(mgc_chain *chain, const mgc__tx *tx)
{
    uint8_t key[37], value[9];
    mgc__cbor_writer w;

    mgc__nonce_key(key, tx->sender, tx->contract);
    mgc__cbor_to_fixed(&w, value, sizeof value);
    mgc__cbor_put_uint(&w, tx->nonce);
    return mgc__state_put(&chain->state, key, sizeof key, value, w.len);
}

/* Its place, once the block stands; until then it can be taken out again without memory. */
static mgc_status remember_tx(mgc_chain *chain, const uint8_t id[32])
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc__item *item, *old;
    uint8_t place[12];

    mgc__put_be64(place, chain->exec.height);
    mgc__put_be32(place + 8, chain->n_open_txs);
    if (!mgc__grow(ctx, (void **)&chain->open_items, &chain->cap_open_items, (size_t)chain->n_open_txs + 1, sizeof item))
        return MGC_E_NO_MEMORY;
    item = mgc__item_create(ctx, id, 32, place, sizeof place);
    if (item == NULL || !mgc__tree_put(&chain->txs, item, &old)) {
        mgc__free(ctx, item);
        return MGC_E_NO_MEMORY;
    }
    assert(old == NULL);
    chain->open_items[chain->n_open_txs++] = item;
    return MGC_OK;
}

/* Room for one more, whatever it does, so that nothing has to be taken back because the block is full. */
mgc_status mgc__exec_room(const mgc_chain *chain, size_t len)
{
    bool room = chain->n_open_txs < MGC_BLOCK_TXS_MAX && chain->tx_bytes.len + len + 16 <= MGC_BLOCK_BYTES_MAX &&
                chain->receipt_bytes.len <= MGC__BLOCK_RECEIPTS_MAX &&
                chain->state.written <= MGC__BLOCK_WRITES_MAX / 2;

    if (room) return MGC_OK;
    return mgc__fail(chain->ledger->ctx, MGC_E_TOO_LARGE,
                     "ledger: block %" PRIu64 " of chain %s is full with %" PRIu32 " transactions", chain->height + 1,
                     chain->name, chain->n_open_txs);
}

/* The sentence of a refusal stays that of the transaction. */
static mgc_status charge(mgc_chain *chain, const mgc__tx *tx)
{
    mgc__exec *x = &chain->exec;
    char rule[sizeof x->rule];
    mgc_status status;

    if (chain->executor.charge == NULL) return MGC_OK;
    memcpy(rule, x->rule, sizeof rule);
    status = chain->executor.charge(chain->executor.user, x, tx);
    memcpy(x->rule, rule, sizeof rule);
    return x->fatal != MGC_OK ? x->fatal : status;
}

mgc_status mgc__exec_add(mgc_chain *chain, const mgc__tx *tx, int32_t *result)
{
    mgc__exec *x = &chain->exec;
    mgc_status status, answer;
    mgc__mark mark;

    reset_exec(x, chain->n_open_txs);
    status = spend_nonce(chain, tx);
    if (status != MGC_OK) return status;
    mark = mgc__exec_mark(x);
    answer = chain->executor.execute(chain->executor.user, x, tx);
    if (x->fatal != MGC_OK) return x->fatal;
    if (mgc__is_fatal(answer)) return answer;
    if (answer != MGC_OK) mgc__exec_undo(x, mark);
    status = charge(chain, tx);
    if (status != MGC_OK) return status;
    status = push_bytes(&chain->tx_bytes, &chain->tx_tree, tx->bytes, tx->len, tx->has_leaf ? tx->leaf : NULL);
    if (status == MGC_OK) status = push_receipt(chain, tx->id, answer);
    if (status == MGC_OK) status = remember_tx(chain, tx->id);
    if (result != NULL) *result = answer;
    return status;
}

mgc_status mgc__exec_finish(mgc_chain *chain, uint32_t proposer, mgc__buf *header, mgc__buf *writes)
{
    mgc__exec *x = &chain->exec;
    mgc__header h = {.height = x->height, .time_ms = x->time_ms, .n_txs = chain->n_open_txs, .proposer = proposer};
    mgc__cbor_writer w;
    mgc_status status;

    reset_exec(x, UINT32_MAX);
    mgc__buf_free(&x->events);
    x->events = chain->own_events;
    x->n_events = chain->n_own_events;
    mgc__buf_init(&chain->own_events, chain->ledger->ctx, 0);
    status = run_step(chain, chain->executor.end_block);
    if (status == MGC_OK) status = push_receipt(chain, NULL, MGC_OK);
    if (status == MGC_OK) status = mgc__state_changes(&chain->state, writes);
    if (status != MGC_OK) return status;
    memcpy(h.chain_id, chain->id, 32);
    memcpy(h.previous, chain->hash, 32);
    h.config_height = mgc__chain_signers(chain)->height;
    h.change = chain->change;
    mgc__pin_heads(chain, &h);
    h.day_closed = mgc__first_of_day(chain, x->time_ms);
    if (h.day_closed) {
        assert(chain->closing.height == chain->height);
        h.n_records = chain->closing.n_records;
        memcpy(h.state_root, chain->closing.root, 32);
    }
    mgc__merkle_root(&chain->tx_tree, h.tx_root);
    mgc__merkle_root(&chain->receipt_tree, h.receipt_root);
    mgc__hash_tagged2("mgchain/state/1", chain->state_digest, 32, writes->bytes, writes->len, h.state_digest);
    mgc__merkle_root(&chain->log.edge, h.log_root);
    mgc__cbor_to_buf(&w, header);
    mgc__header_write(&w, &h);
    return w.status;
}
