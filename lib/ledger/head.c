/* SPDX-License-Identifier: Apache-2.0 */
/* A chain's head: which block may come next, and what moves when it stands. */
#include <inttypes.h>

#include "ledger/chain.h"

static const char vote_tag[] = "mgchain/vote/1";

/* --- making a chain ------------------------------------------------------------------------------ */

static void forget_loose(mgc_chain *chain, size_t keep)
{
    while (chain->n_loose > keep) mgc__free(chain->ledger->ctx, chain->loose[--chain->n_loose].item);
}

void mgc__chain_destroy(mgc_chain *chain)
{
    if (chain == NULL) return;
    mgc__exec_drop(chain);
    mgc__state_free(&chain->state);
    mgc__tree_free(&chain->txs);
    mgc__tree_free(&chain->transfers);
    mgc__places_free(chain);
    mgc__forest_free(&chain->log);
    mgc__configurations_free(chain);
    mgc__free(chain->ledger->ctx, chain->genesis_bytes);
    mgc__free(chain->ledger->ctx, chain->blocks);
    mgc__free(chain->ledger->ctx, chain->open_items);
    forget_loose(chain, 0);
    mgc__free(chain->ledger->ctx, chain->loose);
    mgc__free(chain->ledger->ctx, chain);
}

static mgc_status check_new(mgc_ledger *ledger, const mgc_chain *chain, const mgc_member *members)
{
    for (uint32_t i = 0; i < ledger->n_chains; i++)
        if (strcmp(ledger->chains[i]->name, chain->name) == 0)
            return mgc__fail(ledger->ctx, MGC_E_EXISTS, "ledger: a chain %s exists already", chain->name);
    for (uint32_t i = 0; i < chain->genesis.n_members; i++) {
        mgc_status status = mgc_public_key_check(members[i].public_key, MGC_PUBLIC_KEY_BYTES);
        if (status != MGC_OK)
            return mgc__fail(ledger->ctx, status, "ledger: the key of member %" PRIu32 " of chain %s may not be used",
                             members[i].id, chain->name);
        for (uint32_t k = 0; k < i; k++)
            if (memcmp(members[i].public_key, members[k].public_key, MGC_PUBLIC_KEY_BYTES) == 0)
                return mgc__fail(ledger->ctx, MGC_E_BAD_KEY,
                                 "ledger: members %" PRIu32 " and %" PRIu32 " of chain %s have one key",
                                 members[k].id, members[i].id, chain->name);
    }
    return MGC_OK;
}

static void log_leaf(void *user, uint64_t i, uint8_t hash[32])
{
    mgc__merkle_leaf(((const mgc_chain *)user)->blocks[i].hash, 32, hash);
}

static mgc_status keep_genesis(mgc_chain *chain, const uint8_t *genesis, size_t len)
{
    chain->genesis_bytes = mgc__alloc(chain->ledger->ctx, len, 1);
    if (chain->genesis_bytes == NULL) return mgc__no_memory(chain->ledger->ctx, "ledger: a chain");
    memcpy(chain->genesis_bytes, genesis, len);
    chain->genesis_len = len;
    return MGC_OK;
}

mgc_status mgc__chain_create(mgc_ledger *ledger, const uint8_t *genesis, size_t len, mgc_chain **out)
{
    mgc_member members[MGC_MEMBERS_MAX];
    mgc_ctx *ctx = ledger->ctx;
    mgc_status status;
    mgc_chain *chain;

    *out = NULL;
    if (ledger->n_chains == MGC_CHAINS_MAX)
        return mgc__fail(ctx, MGC_E_LIMIT, "ledger: a store has %d chains at most", MGC_CHAINS_MAX);
    chain = mgc__alloc(ctx, 1, sizeof *chain);
    if (chain == NULL) return mgc__no_memory(ctx, "ledger: a chain");
    chain->ledger = ledger;
    mgc__state_init(&chain->state, ctx);
    mgc__tree_init(&chain->txs, ctx);
    mgc__tree_init(&chain->transfers, ctx);
    mgc__forest_init(&chain->log, ctx, log_leaf, chain);
    status = mgc__genesis_read(ctx, genesis, len, &chain->genesis, members);
    if (status == MGC_OK) {
        memcpy(chain->name, chain->genesis.name, chain->genesis.name_len);
        status = check_new(ledger, chain, members);
    }
    if (status == MGC_OK) status = keep_genesis(chain, genesis, len);
    if (status == MGC_OK) status = mgc__configurations_begin(chain, members);
    if (status != MGC_OK) {
        mgc__chain_destroy(chain);
        return status;
    }
    mgc__chain_id(genesis, len, chain->id);
    memcpy(chain->hash, chain->id, 32);
    mgc__hash_tagged("mgchain/state/1", chain->id, 32, chain->state_digest);
    chain->time_ms = chain->genesis.time_ms;
    chain->genesis.name = chain->name;
    chain->genesis.nonce = NULL; /* it was borrowed */
    chain->index = ledger->n_chains;
    ledger->chains[ledger->n_chains++] = chain;
    *out = chain;
    return MGC_OK;
}

/* --- the common order ---------------------------------------------------------------------------- */

void mgc__pin_heads(const mgc_chain *chain, mgc__header *h)
{
    const mgc_ledger *ledger = chain->ledger;

    h->n_pins = 0;
    for (uint32_t i = 0; i < ledger->n_chains; i++) {
        const mgc_chain *other = ledger->chains[i];
        uint32_t at = h->n_pins;

        if (other == chain || other->height == 0) continue;
        for (; at > 0 && memcmp(h->pins[at - 1].chain_id, other->id, 32) > 0; at--) h->pins[at] = h->pins[at - 1];
        h->pins[at].height = other->height;
        memcpy(h->pins[at].chain_id, other->id, 32);
        memcpy(h->pins[at].hash, other->hash, 32);
        h->n_pins++;
    }
}

static const mgc__pin *find_pin(const mgc__header *h, const uint8_t chain_id[32])
{
    for (uint32_t i = 0; i < h->n_pins; i++)
        if (memcmp(h->pins[i].chain_id, chain_id, 32) == 0) return &h->pins[i];
    return NULL;
}

/* Reading from snapshots on: a chain whose own blocks begin later is ahead of what this block saw of it. */
static mgc_status check_pins_resuming(const mgc_chain *chain, const mgc__header *h)
{
    const mgc_ledger *ledger = chain->ledger;
    uint32_t fit = 0;

    for (uint32_t i = 0; i < ledger->n_chains; i++) {
        const mgc_chain *other = ledger->chains[i];
        const mgc__pin *pin = find_pin(h, other->id);
        bool ahead = other->resume_height > 0 && other->height == other->resume_height;

        if (other == chain || (pin == NULL && (other->height == 0 || ahead))) continue;
        if (pin == NULL || pin->height > other->height || (pin->height < other->height && !ahead)) break;
        if (memcmp(pin->hash, other->blocks[pin->height - 1].hash, 32) != 0) break;
        fit++;
    }
    if (fit == h->n_pins) return MGC_OK;
    return mgc__fail(ledger->ctx, MGC_E_HEIGHT,
                     "ledger: block %" PRIu64 " of chain %s rests upon heads of other chains that this store has not",
                     h->height, chain->name);
}

static mgc_status check_pins(const mgc_chain *chain, const mgc__header *h)
{
    mgc__header now;

    mgc__pin_heads(chain, &now);
    if (chain->ledger->resuming) return check_pins_resuming(chain, h);
    for (uint32_t i = 0; i < now.n_pins && i < h->n_pins; i++)
        if (memcmp(now.pins[i].chain_id, h->pins[i].chain_id, 32) == 0 && now.pins[i].height == h->pins[i].height &&
            memcmp(now.pins[i].hash, h->pins[i].hash, 32) != 0)
            return mgc__fail(chain->ledger->ctx, MGC_E_BAD_PARENT,
                             "ledger: block %" PRIu64 " of chain %s rests upon another block %" PRIu64
                             " of another chain than this store has",
                             h->height, chain->name, h->pins[i].height);
    if (now.n_pins == h->n_pins && memcmp(now.pins, h->pins, h->n_pins * sizeof h->pins[0]) == 0) return MGC_OK;
    return mgc__fail(chain->ledger->ctx, MGC_E_HEIGHT,
                     "ledger: block %" PRIu64 " of chain %s is not next in the common order: it rests upon other heads "
                     "of the store's other chains",
                     h->height, chain->name);
}

mgc_status mgc__check_pins_final(const mgc_chain *chain, const mgc__header *h)
{
    const mgc_ledger *ledger = chain->ledger;

    for (uint32_t i = 0; i < h->n_pins; i++)
        for (uint32_t k = 0; k < ledger->n_chains; k++)
            if (memcmp(ledger->chains[k]->id, h->pins[i].chain_id, 32) == 0 &&
                ledger->chains[k]->final_height < h->pins[i].height)
                return mgc__fail(ledger->ctx, MGC_E_NOT_FINAL,
                                 "ledger: block %" PRIu64 " of chain %s rests upon block %" PRIu64
                                 " of chain %s, which is not final",
                                 h->height, chain->name, h->pins[i].height, ledger->chains[k]->name);
    return MGC_OK;
}

/* --- days ---------------------------------------------------------------------------------------- */

bool mgc__first_of_day(const mgc_chain *chain, uint64_t time_ms)
{
    return time_ms / MGC__DAY_MS != chain->time_ms / MGC__DAY_MS;
}

mgc_status mgc__close_day(mgc_chain *chain, uint64_t time_ms)
{
    mgc_status status;

    assert(chain->state.n_undo == 0);
    if (!mgc__first_of_day(chain, time_ms) || (chain->closing.known && chain->closing.height == chain->height))
        return MGC_OK;
    status = mgc__state_root(&chain->state, chain->closing.root);
    if (status != MGC_OK) return mgc__no_memory(chain->ledger->ctx, "ledger: the state's root");
    chain->closing.height = chain->height;
    chain->closing.n_records = chain->state.n_records;
    chain->closing.known = true;
    return MGC_OK;
}

/* That the root is that of the state is checked where the block is executed; here only that it is there when due. */
static mgc_status check_day(const mgc_chain *chain, const mgc__header *h)
{
    if (h->day_closed == mgc__first_of_day(chain, h->time_ms) &&
        (!h->day_closed || h->n_records == chain->n_records_settled))
        return MGC_OK;
    return mgc__fail(chain->ledger->ctx, MGC_E_STATE_MISMATCH, "ledger: block %" PRIu64 " of chain %s %s", h->height,
                     chain->name,
                     h->day_closed ? "closes a day that is not over, or with another number of records"
                                   : "is the first of its day and lacks the state's root at the close of the last");
}

/* --- the next block ------------------------------------------------------------------------------ */

/* It names who signs, and may say who does after it. */
static mgc_status check_change(const mgc_chain *chain, const mgc__header *h)
{
    const mgc__signers *now = mgc__chain_signers(chain);
    mgc__signers next;
    const char *why = NULL;

    if (h->config_height != now->height)
        return mgc__fail(chain->ledger->ctx, MGC_E_HEIGHT,
                         "ledger: block %" PRIu64 " of chain %s names the configuration of height %" PRIu64 "; that of %" PRIu64
                         " is in force",
                         h->height, chain->name, h->config_height, now->height);
    if (h->change.n > 0) why = mgc__signers_next(now, h, &next);
    if (why == NULL && h->change.n > 0) {
        mgc_status status = mgc__members_check(chain, h->change.list, h->change.n, h->change.quorum);

        if (status != MGC_OK || h->change.n_others == 0) return status;
        return mgc__members_check(chain, h->change.others, h->change.n_others, h->change.n_others);
    }
    if (why == NULL) return MGC_OK;
    return mgc__fail(chain->ledger->ctx, MGC_E_BAD_CERT, "ledger: who signs after block %" PRIu64 " of chain %s: %s", h->height,
                     chain->name, why);
}

mgc_status mgc__check_links(const mgc_chain *chain, const mgc__stored_block *b)
{
    const mgc__header *h = &b->header;
    mgc_ctx *ctx = chain->ledger->ctx;
    uint8_t log_root[32];

    if (memcmp(h->chain_id, chain->id, 32) != 0)
        return mgc__fail(ctx, MGC_E_WRONG_CHAIN, "ledger: a block of another chain than %s", chain->name);
    if (h->height != chain->height + 1)
        return mgc__fail(ctx, MGC_E_HEIGHT, "ledger: a block of height %" PRIu64 " in chain %s; the next is %" PRIu64,
                         h->height, chain->name, chain->height + 1);
    if (memcmp(h->previous, chain->hash, 32) != 0)
        return mgc__fail(ctx, MGC_E_BAD_PARENT,
                         "ledger: block %" PRIu64 " of chain %s does not name its predecessor's hash", h->height,
                         chain->name);
    if (h->time_ms <= chain->time_ms)
        return mgc__fail(ctx, MGC_E_TIME,
                         "ledger: block %" PRIu64 " of chain %s has time %" PRIu64 " ms; its parent has %" PRIu64,
                         h->height, chain->name, h->time_ms, chain->time_ms);
    mgc__merkle_root(&chain->log.edge, log_root);
    if (memcmp(h->log_root, log_root, 32) != 0)
        return mgc__fail(ctx, MGC_E_BAD_PARENT,
                         "ledger: block %" PRIu64 " of chain %s has another root of the blocks before it", h->height,
                         chain->name);
    return check_change(chain, h);
}

mgc_status mgc__check_order(const mgc_chain *chain, const mgc__header *h)
{
    mgc_status status = check_pins(chain, h);

    return status == MGC_OK ? check_day(chain, h) : status;
}

static mgc_status check_tx_root(const mgc_chain *chain, const mgc__stored_block *b)
{
    uint8_t root[32];

    mgc__list_root(&b->txs, root);
    if (b->txs.n == b->header.n_txs && memcmp(root, b->header.tx_root, 32) == 0) return MGC_OK;
    return mgc__fail(chain->ledger->ctx, MGC_E_BAD_TX_ROOT,
                     "ledger: the %" PRIu32 " transactions of block %" PRIu64
                     " of chain %s are not those of its header",
                     b->txs.n, b->header.height, chain->name);
}

mgc_status mgc__check_roots(const mgc_chain *chain, const mgc__stored_block *b)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc_status status = check_tx_root(chain, b);
    uint8_t root[32];

    if (status != MGC_OK) return status;
    mgc__list_root(&b->receipts, root);
    if (b->receipts.n != b->header.n_txs + 1 || memcmp(root, b->header.receipt_root, 32) != 0)
        return mgc__fail(ctx, MGC_E_STATE_MISMATCH,
                         "ledger: the receipts of block %" PRIu64 " of chain %s are not those of its header",
                         b->header.height, chain->name);
    mgc__hash_tagged2("mgchain/state/1", chain->state_digest, 32, b->writes, b->writes_len, root);
    if (memcmp(root, b->header.state_digest, 32) != 0)
        return mgc__fail(ctx, MGC_E_STATE_MISMATCH,
                         "ledger: what block %" PRIu64 " of chain %s writes is not what its header says",
                         b->header.height, chain->name);
    return MGC_OK;
}

/* --- the indexes --------------------------------------------------------------------------------- */

static mgc_status index_put(mgc__tree *tree, const uint8_t *key, size_t key_len)
{
    mgc__item *item = mgc__item_create(tree->ctx, key, key_len, NULL, 0), *old;

    if (item == NULL || !mgc__tree_put(tree, item, &old)) {
        mgc__free(tree->ctx, item);
        return MGC_E_NO_MEMORY;
    }
    mgc__free(tree->ctx, old);
    return MGC_OK;
}

static void index_remove(mgc__tree *tree, const uint8_t *key, size_t key_len)
{
    mgc__free(tree->ctx, mgc__tree_remove(tree, key, key_len));
}

/* Transactions of a block that was read back.  Their ids are hashes, so that each would fall into another corner of the
 * index, which for a million of them is a cold one.  They are kept until all are there, and sorted then. */
static mgc_status keep_txs(mgc_chain *chain, const mgc__stored_block *b)
{
    mgc_status status = MGC_OK;
    const uint8_t *bytes;
    size_t at = 0, len;

    for (uint32_t i = 0; status == MGC_OK && mgc__list_next(&b->txs, &at, &bytes, &len); i++) {
        uint8_t place[12];
        mgc__item *item;
        mgc__tx tx;

        status = mgc__tx_decode(chain->ledger->ctx, bytes, len, &tx);
        if (status != MGC_OK) return status;
        mgc__put_be64(place, b->header.height);
        mgc__put_be32(place + 8, i);
        if (!mgc__grow(chain->ledger->ctx, (void **)&chain->loose, &chain->cap_loose, chain->n_loose + 1,
                       sizeof *chain->loose))
            return mgc__no_memory(chain->ledger->ctx, "ledger: the index of transactions");
        item = mgc__item_create(chain->ledger->ctx, tx.id, 32, place, sizeof place);
        if (item == NULL) return mgc__no_memory(chain->ledger->ctx, "ledger: the index of transactions");
        chain->loose[chain->n_loose++] = (struct mgc__loose){.head = mgc__get_be64(tx.id), .item = item};
    }
    return status;
}

static int by_id(const void *a, const void *b)
{
    const struct mgc__loose *x = a, *y = b;

    if (x->head != y->head) return x->head < y->head ? -1 : 1;
    return memcmp(x->item->bytes, y->item->bytes, 32 + 12); /* the same id: by its place */
}

/* Into an empty index one after the other; else each where it belongs.  *existed: the id was there before. */
static mgc_status place_tx(mgc_chain *chain, mgc__item *item, bool append, bool *existed)
{
    mgc__item *old = NULL;

    *existed = false;
    if (append ? !mgc__tree_append(&chain->txs, item) : !mgc__tree_put(&chain->txs, item, &old))
        return mgc__no_memory(chain->ledger->ctx, "ledger: the index of transactions");
    if (old == NULL) return MGC_OK;
    *existed = true;
    (void)mgc__tree_put(&chain->txs, old, &item); /* replacing cannot fail */
    return MGC_E_DUPLICATE_TXID;
}

mgc_status mgc__index_read(mgc_chain *chain)
{
    bool append = chain->txs.n == 0, twice = false;
    mgc_status status = MGC_OK;
    size_t done = 0;

    if (chain->n_loose > 0) qsort(chain->loose, chain->n_loose, sizeof *chain->loose, by_id);
    for (; done < chain->n_loose && status == MGC_OK && !twice; done++) {
        const mgc__item *item = chain->loose[done].item;

        twice = done > 0 && memcmp(chain->loose[done - 1].item->bytes, item->bytes, 32) == 0;
        if (!twice) status = place_tx(chain, chain->loose[done].item, append, &twice);
        if (twice)
            status = mgc__fail(chain->ledger->ctx, MGC_E_DUPLICATE_TXID,
                               "ledger: transaction %" PRIu32 " of block %" PRIu64
                               " of chain %s stands in it twice or in an earlier one",
                               mgc__get_be32(mgc__item_value(item) + 8), mgc__get_be64(mgc__item_value(item)), chain->name);
    }
    if (status != MGC_OK) done--; /* that one was not taken */
    for (size_t i = done; i < chain->n_loose; i++) mgc__free(chain->ledger->ctx, chain->loose[i].item);
    mgc__free(chain->ledger->ctx, chain->loose);
    chain->loose = NULL;
    chain->n_loose = chain->cap_loose = 0;
    return status;
}

static void transfer_key(uint8_t key[44], const uint8_t account[16], const mgc_transfer_info *t)
{
    memcpy(key, account, 16);
    mgc__put_be64(key + 16, t->height);
    mgc__put_be32(key + 24, t->index);
    memcpy(key + 28, t->id, 16);
}

static bool is_transfer(const mgc__item *item)
{
    return item != NULL && !item->absent && item->key_len == 17 && item->bytes[0] == MGC__AREA_TRANSFER;
}

static mgc_status index_transfer(mgc_chain *chain, const mgc__item *item)
{
    mgc_transfer_info t;
    uint8_t key[44];
    mgc_status status = mgc__transfer_read(item, &t);

    if (status != MGC_OK) return status;
    transfer_key(key, t.debit_account, &t);
    status = index_put(&chain->transfers, key, sizeof key);
    if (status != MGC_OK) return status;
    transfer_key(key, t.credit_account, &t);
    return index_put(&chain->transfers, key, sizeof key);
}

/* From the state, whose transfers are never changed: so the index can be lost and is the same again.  Most ledgers are never asked
 * for it. */
mgc_status mgc__index_accounts(mgc_chain *chain)
{
    static const uint8_t first[1] = {MGC__AREA_TRANSFER};
    mgc_status status = MGC_OK;

    if (chain->transfers_built) return MGC_OK;
    for (const mgc__item *item = mgc__state_after(&chain->state, first, 1, true);
         item != NULL && item->bytes[0] == MGC__AREA_TRANSFER && status == MGC_OK;
         item = mgc__state_after(&chain->state, item->bytes, item->key_len, false)) {
        mgc_transfer_info t;
        status = mgc__transfer_read(item, &t);
        if (status == MGC_OK && t.height <= chain->height) status = index_transfer(chain, item); /* not the open block's */
    }
    if (status != MGC_OK) {
        mgc__tree_free(&chain->transfers);
        return mgc__fail(chain->ledger->ctx, status, "ledger: the index of chain %s's transfers: %s", chain->name,
                         mgc_status_text(status));
    }
    chain->transfers_built = true;
    return MGC_OK;
}

/* New transfers go under both of their accounts. */
static mgc_status index_transfers(mgc_chain *chain)
{
    if (!chain->transfers_built) return MGC_OK;
    for (size_t i = 0; i < chain->state.n_undo; i++) {
        const struct mgc__undo *u = &chain->state.undo[i];
        mgc_status status;

        if (!is_transfer(u->now) || (u->old != NULL && !u->old->absent)) continue;
        status = index_transfer(chain, u->now);
        if (status != MGC_OK) return status;
    }
    return MGC_OK;
}

/* Take back what a block put into the indexes before it failed.  Needs no memory: it walks the log of changes. */
static void unindex_block(mgc_chain *chain, const mgc__stored_block *b)
{
    size_t keep = chain->n_loose;

    while (keep > 0 && mgc__get_be64(mgc__item_value(chain->loose[keep - 1].item)) == b->header.height) keep--;
    forget_loose(chain, keep);
    for (size_t i = 0; i < chain->state.n_undo; i++) {
        mgc_transfer_info t;
        uint8_t key[44];
        if (!is_transfer(chain->state.undo[i].now) || mgc__transfer_read(chain->state.undo[i].now, &t) != MGC_OK)
            continue;
        if (t.height != b->header.height) continue;
        transfer_key(key, t.debit_account, &t);
        index_remove(&chain->transfers, key, sizeof key);
        transfer_key(key, t.credit_account, &t);
        index_remove(&chain->transfers, key, sizeof key);
    }
}

static mgc_status index_block(mgc_chain *chain, const mgc__stored_block *b)
{
    mgc_status status = index_transfers(chain);

    if (status == MGC_OK) return chain->open ? MGC_OK : keep_txs(chain, b); /* what is executed here is known already */
    return mgc__fail(chain->ledger->ctx, status, "ledger: the transfers of block %" PRIu64 " of chain %s: %s",
                     b->header.height, chain->name, mgc_status_text(status));
}

mgc_status mgc__advance(mgc_chain *chain, const mgc__stored_block *b, const mgc__place *place)
{
    mgc__block_place *slot;
    mgc_status status;
    uint8_t leaf[32];

    if (!mgc__grow(chain->ledger->ctx, (void **)&chain->blocks, &chain->cap_blocks, (size_t)b->header.height,
                   sizeof *chain->blocks) ||
        !mgc__forest_reserve(&chain->log))
        return mgc__no_memory(chain->ledger->ctx, "ledger: the index of blocks");
    status = index_block(chain, b);
    if (status == MGC_OK) status = mgc__configurations_push(chain, &b->header, b->header_bytes, b->header_len);
    if (status != MGC_OK) {
        unindex_block(chain, b);
        return status;
    }
    /* Nothing can fail from here on. */
    if (b->header.day_closed) {
        mgc__state_close_day(&chain->state);
        chain->day_block = b->header.height;
        chain->day_txs = chain->n_txs;
    }
    mgc__state_settle(&chain->state);
    chain->n_records_settled = chain->state.n_records;
    slot = &chain->blocks[b->header.height - 1];
    *slot = (mgc__block_place){.block = *place};
    memcpy(slot->hash, b->hash, 32);
    mgc__merkle_leaf(b->hash, 32, leaf);
    mgc__forest_push(&chain->log, leaf);
    memcpy(chain->hash, b->hash, 32);
    memcpy(chain->state_digest, b->header.state_digest, 32);
    chain->height = b->header.height;
    chain->time_ms = b->header.time_ms;
    chain->n_txs += b->header.n_txs;
    chain->n_open_txs = 0; /* they stay where they are */
    return MGC_OK;
}

/* --- certificates -------------------------------------------------------------------------------- */

static mgc_status unknown_configuration(const mgc_chain *chain, const mgc__header *h)
{
    return mgc__fail(chain->ledger->ctx, MGC_E_BAD_CERT,
                     "ledger: block %" PRIu64 " of chain %s names the configuration of height %" PRIu64 ", which there is not",
                     h->height, chain->name, h->config_height);
}

static mgc_status too_few(const mgc_chain *chain, const mgc__signers *s, const mgc__certificate *c)
{
    return mgc__fail(chain->ledger->ctx, MGC_E_BAD_CERT,
                     "ledger: a certificate of chain %s with %" PRIu32 " votes; %" PRIu32 " are needed%s", chain->name, c->n,
                     s->now.quorum, s->joint ? ", and a quorum of those before, since members change" : "");
}

mgc_status mgc__check_votes(const mgc_chain *chain, const mgc__stored_block *b, const mgc__certificate *c)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc__signers next;
    const mgc__signers *s = mgc__chain_signers_of(chain, &b->header, &next);

    if (s == NULL) return unknown_configuration(chain, &b->header);
    if (memcmp(c->block_hash, b->hash, 32) != 0)
        return mgc__fail(ctx, MGC_E_BAD_CERT, "ledger: a certificate of chain %s for another block", chain->name);
    for (uint32_t i = 0; i < c->n; i++)
        if (!mgc__signers_have(s, c->votes[i].member))
            return mgc__fail(ctx, MGC_E_BAD_CERT,
                             "ledger: a certificate of chain %s with a vote of %" PRIu32 ", who is no member",
                             chain->name, c->votes[i].member);
    return mgc__signers_enough(s, c) ? MGC_OK : too_few(chain, s, c);
}

mgc_status mgc__check_certificate(const mgc_chain *chain, const mgc__stored_block *b, const mgc__certificate *c)
{
    mgc__signers next;
    const mgc__signers *s = mgc__chain_signers_of(chain, &b->header, &next);
    uint32_t wrong = 0;
    mgc_status status = mgc__check_votes(chain, b, c);

    if (status == MGC_OK) status = mgc__signers_check(chain->ledger->ctx, s, chain->id, b->header_bytes, b->header_len, b->hash, c, &wrong);
    else return status;
    if (status == MGC_E_BAD_CERT && wrong == 0) return too_few(chain, s, c);
    if (status == MGC_E_BAD_CERT)
        return mgc__fail(chain->ledger->ctx, MGC_E_BAD_CERT,
                         "ledger: the vote of member %" PRIu32 " on block %" PRIu64 " of chain %s does not verify", wrong,
                         b->header.height, chain->name);
    return status;
}

/* --- reading back -------------------------------------------------------------------------------- */

mgc_status mgc__read_block_record(mgc_chain *chain, uint64_t height, mgc__buf *record, mgc__stored_block *b)
{
    mgc_ledger *ledger = chain->ledger;
    mgc_status status;

    if (height == 0 || height > chain->height)
        return mgc__fail(ledger->ctx, MGC_E_NOT_FOUND,
                         "ledger: chain %s has no block %" PRIu64 "; the last is %" PRIu64, chain->name, height,
                         chain->height);
    if (chain->blocks[height - 1].block.length == 0)
        return mgc__fail(ledger->ctx, MGC_E_NOT_FOUND, "ledger: block %" PRIu64 " of chain %s is pruned", height,
                         chain->name);
    status = mgc__journal_read(ledger->journal, &chain->blocks[height - 1].block, MGC__RECORD_BLOCK, record);
    if (status == MGC_OK) status = mgc__stored_block_read(ledger->ctx, record->bytes, record->len, b);
    if (status == MGC_OK && memcmp(b->hash, chain->blocks[height - 1].hash, 32) != 0)
        status = mgc__fail(ledger->ctx, MGC_E_CORRUPT,
                           "ledger: block %" PRIu64 " of chain %s changed since it was written", height, chain->name);
    return status;
}

mgc_status mgc__sign_vote(mgc_chain *chain, const mgc_key *key, const mgc__stored_block *b, uint8_t *signature)
{
    return mgc__sign_tagged(chain->ledger->ctx, key, vote_tag, chain->id, MGC_ROLE_VALIDATOR, b->header_bytes,
                            b->header_len, signature);
}

mgc_status mgc_chain_vote(mgc_chain *chain, uint64_t height, const mgc_key *key, uint8_t *signature)
{
    mgc__signers signers;
    mgc__stored_block b;
    mgc_status status;
    mgc__buf record;

    if (chain == NULL || key == NULL || signature == NULL) return MGC_E_INVALID_ARG;
    status = mgc__chain_signers_at(chain, height == 0 ? 1 : height, &signers);
    if (status == MGC_OK && !mgc__signers_have_key(&signers, mgc__key_public(key)))
        return mgc__fail(chain->ledger->ctx, MGC_E_BAD_KEY, "ledger: the key is not of a member of chain %s",
                         chain->name);
    if (status == MGC_OK) status = mgc__check_caught_up(chain);
    if (status != MGC_OK) return status;
    mgc__buf_init(&record, chain->ledger->ctx, MGC__RECORD_MAX);
    status = mgc__read_block_record(chain, height, &record, &b);
    if (status == MGC_OK) status = mgc__sign_vote(chain, key, &b, signature);
    mgc__buf_free(&record);
    return status;
}

mgc_status mgc__chain_check_vote(mgc_chain *chain, uint64_t height, const mgc_vote *vote)
{
    mgc__signers next;
    mgc__tally tally = {.ctx = chain->ledger->ctx};
    const mgc__signers *s;
    mgc__stored_block b;
    mgc_status status;
    mgc__buf record;

    mgc__buf_init(&record, chain->ledger->ctx, MGC__RECORD_MAX);
    status = mgc__read_block_record(chain, height, &record, &b);
    if (status == MGC_OK) {
        s = mgc__chain_signers_of(chain, &b.header, &next);
        status = s == NULL ? unknown_configuration(chain, &b.header)
                           : mgc__tally_vote(&tally, s, chain->id, b.header_bytes, b.header_len, vote->member, vote->signature);
    }
    if (status == MGC_E_BAD_CERT)
        status = mgc__fail(chain->ledger->ctx, MGC_E_BAD_CERT,
                           "ledger: the vote of member %" PRIu32 " does not fit block %" PRIu64 " of chain %s",
                           vote->member, height, chain->name);
    mgc__buf_free(&record);
    return status;
}
