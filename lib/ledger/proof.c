/* SPDX-License-Identifier: Apache-2.0 */
/* Making proofs: one string of bytes each, that verify.c checks without us.  doc/formats.md, section 7. */
#include "ledger/proof.h"

#include <inttypes.h>

#include "ledger/chain.h"
#include "mgchain/verify.h"

enum { PROOF_VERSION = 1, PROOF_VERSION_CHANGED = 2 /* members changed since the genesis */, PROOF_BYTES_MAX = 1 << 26 };

/* --- the envelope -------------------------------------------------------------------------------- */

/* A proof under way: the block that it rests upon, and the bytes. */
struct making {
    mgc_chain *chain;
    mgc__buf record, certificate, bytes;
    mgc__stored_block block;
    mgc__cbor_writer w;
};

static void making_free(struct making *m)
{
    mgc__buf_free(&m->record);
    mgc__buf_free(&m->certificate);
    mgc__buf_free(&m->bytes);
}

static mgc_status not_final(const mgc_chain *chain, uint64_t height)
{
    return mgc__fail(chain->ledger->ctx, MGC_E_NOT_FINAL,
                     "ledger: block %" PRIu64 " of chain %s is not final; blocks up to %" PRIu64 " are", height,
                     chain->name, chain->final_height);
}

/* The genesis; where members changed before the block, each block that did so, with its certificate. */
mgc_status mgc__proof_trust(mgc_chain *chain, const mgc__header *h, mgc__cbor_writer *w)
{
    mgc_status status = MGC_OK;
    mgc__buf certificate;
    size_t n = 0;

    while (n + 1 < chain->n_configurations && chain->configurations[n + 1]->signers.height <= h->config_height) n++;
    if (n == 0) {
        mgc__cbor_put_bytes_at(w, 3, chain->genesis_bytes, chain->genesis_len);
        return MGC_OK;
    }
    mgc__buf_init(&certificate, chain->ledger->ctx, MGC__RECORD_MAX);
    mgc__cbor_put_uint(w, 3);
    mgc__cbor_put_array(w, 1 + 2 * n);
    mgc__cbor_put_bytes(w, chain->genesis_bytes, chain->genesis_len);
    for (size_t i = 1; i <= n && status == MGC_OK; i++) {
        const mgc__configuration *c = chain->configurations[i];

        status = mgc__configuration_certificate(chain, c, &certificate);
        mgc__cbor_put_bytes(w, c->header, c->header_len);
        if (status == MGC_OK) mgc__cbor_put_bytes(w, certificate.bytes, certificate.len);
    }
    mgc__buf_free(&certificate);
    return status;
}

uint32_t mgc__proof_version(const mgc__header *h)
{
    return h->config_height == 0 ? PROOF_VERSION : PROOF_VERSION_CHANGED;
}

/* Read the block at a height and write everything before the body. */
static mgc_status making_begin(struct making *m, mgc_chain *chain, uint32_t kind, uint64_t height)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc_status status;

    *m = (struct making){.chain = chain};
    mgc__buf_init(&m->record, ctx, MGC__RECORD_MAX);
    mgc__buf_init(&m->certificate, ctx, MGC__RECORD_MAX);
    mgc__buf_init(&m->bytes, ctx, PROOF_BYTES_MAX);
    if (height > chain->final_height && height <= chain->height) return not_final(chain, height);
    status = mgc__read_block_record(chain, height, &m->record, &m->block);
    if (status == MGC_OK)
        status = mgc__journal_read(chain->ledger->journal, &chain->blocks[height - 1].certificate,
                                   MGC__RECORD_CERTIFICATE, &m->certificate);
    if (status != MGC_OK) return status;
    mgc__cbor_to_buf(&m->w, &m->bytes);
    mgc__cbor_put_map(&m->w, 6);
    mgc__cbor_put_uint_at(&m->w, 1, mgc__proof_version(&m->block.header));
    mgc__cbor_put_uint_at(&m->w, 2, kind);
    status = mgc__proof_trust(chain, &m->block.header, &m->w);
    if (status != MGC_OK) return status;
    mgc__cbor_put_bytes_at(&m->w, 4, m->block.header_bytes, m->block.header_len);
    mgc__cbor_put_bytes_at(&m->w, 5, m->certificate.bytes, m->certificate.len);
    mgc__cbor_put_uint(&m->w, 6);
    return MGC_OK;
}

/* Hand the bytes over, or say why not. */
static mgc_status making_end(struct making *m, mgc_status status, uint8_t *bytes, size_t cap, size_t *len)
{
    mgc_ctx *ctx = m->chain->ledger->ctx;

    if (status == MGC_OK) status = m->w.status;
    if (status == MGC_E_NO_MEMORY) status = mgc__no_memory(ctx, "ledger: a proof");
    if (status == MGC_OK) {
        *len = m->bytes.len;
        if (cap < m->bytes.len)
            status = mgc__fail(ctx, MGC_E_TOO_LARGE, "ledger: a proof of %zu bytes into %zu", m->bytes.len, cap);
        else
            memcpy(bytes, m->bytes.bytes, m->bytes.len);
    }
    making_free(m);
    return status;
}

static bool good_arguments(const mgc_chain *chain, const uint8_t *bytes, size_t cap, size_t *len)
{
    if (len == NULL) return false;
    *len = 0;
    return chain != NULL && (bytes != NULL || cap == 0);
}

static void put_path(mgc__cbor_writer *w, const mgc__proof *proof)
{
    mgc__cbor_put_bytes(w, proof->path, 32 * (size_t)proof->n);
}

/* --- what stands in a block ---------------------------------------------------------------------- */

struct leaves {
    uint8_t (*hashes)[32];
};

static void list_leaf(void *user, uint64_t i, uint8_t hash[32])
{
    memcpy(hash, ((const struct leaves *)user)->hashes[i], 32);
}

static mgc_status put_list_item(struct making *m, const mgc__list *list, uint32_t index)
{
    mgc_ctx *ctx = m->chain->ledger->ctx;
    struct leaves leaves = {.hashes = mgc__alloc(ctx, list->n, 32)};
    const uint8_t *bytes, *item = NULL;
    size_t at = 0, len, item_len = 0;
    mgc__proof proof;
    mgc_status status;

    if (leaves.hashes == NULL) return MGC_E_NO_MEMORY;
    for (uint32_t i = 0; mgc__list_next(list, &at, &bytes, &len); i++) {
        mgc__merkle_leaf(bytes, len, leaves.hashes[i]);
        if (i != index) continue;
        item = bytes;
        item_len = len;
    }
    status = item == NULL ? mgc__fail(ctx, MGC_E_NOT_FOUND, "ledger: number %" PRIu32 " of %" PRIu32 " in the block",
                                      index, list->n)
                          : mgc__merkle_inclusion(list_leaf, &leaves, list->n, index, &proof);
    mgc__free(ctx, leaves.hashes);
    if (status != MGC_OK) return status;
    mgc__cbor_put_array(&m->w, 3);
    mgc__cbor_put_uint(&m->w, index);
    mgc__cbor_put_bytes(&m->w, item, item_len);
    put_path(&m->w, &proof);
    return MGC_OK;
}

mgc_status mgc_chain_prove_transaction(mgc_chain *chain, uint64_t height, uint32_t index, uint8_t *bytes, size_t cap,
                                       size_t *len)
{
    struct making m;
    mgc_status status;

    if (!good_arguments(chain, bytes, cap, len)) return MGC_E_INVALID_ARG;
    status = making_begin(&m, chain, MGC_PROOF_TRANSACTION, height);
    if (status == MGC_OK) status = put_list_item(&m, &m.block.txs, index);
    return making_end(&m, status, bytes, cap, len);
}

mgc_status mgc_chain_prove_receipt(mgc_chain *chain, uint64_t height, uint32_t index, uint8_t *bytes, size_t cap,
                                   size_t *len)
{
    struct making m;
    mgc_status status;

    if (!good_arguments(chain, bytes, cap, len)) return MGC_E_INVALID_ARG;
    status = making_begin(&m, chain, MGC_PROOF_RECEIPT, height);
    if (status == MGC_OK) status = put_list_item(&m, &m.block.receipts, index);
    return making_end(&m, status, bytes, cap, len);
}

mgc_status mgc_chain_prove_head(mgc_chain *chain, uint64_t height, uint8_t *bytes, size_t cap, size_t *len)
{
    struct making m;
    mgc_status status;

    if (!good_arguments(chain, bytes, cap, len)) return MGC_E_INVALID_ARG;
    status = making_begin(&m, chain, MGC_PROOF_HEAD, height);
    if (status == MGC_OK) mgc__cbor_put_null(&m.w);
    return making_end(&m, status, bytes, cap, len);
}

mgc_status mgc_chain_prove_block(mgc_chain *chain, uint64_t height, uint8_t *bytes, size_t cap, size_t *len)
{
    struct making m;
    mgc_status status;

    if (!good_arguments(chain, bytes, cap, len)) return MGC_E_INVALID_ARG;
    status = making_begin(&m, chain, MGC_PROOF_BLOCK, height);
    if (status == MGC_OK) {
        mgc__cbor_put_array(&m.w, m.block.txs.n);
        if (m.block.txs.len > 0) mgc__cbor_put_raw(&m.w, m.block.txs.items, m.block.txs.len);
    }
    return making_end(&m, status, bytes, cap, len);
}

/* All that a member keeps of a block, with the header before it, whose state its writes change. */
mgc_status mgc_chain_prove_stored(mgc_chain *chain, uint64_t height, uint8_t *bytes, size_t cap, size_t *len)
{
    mgc__stored_block before;
    struct making m;
    mgc__buf record;
    mgc_status status;

    if (!good_arguments(chain, bytes, cap, len)) return MGC_E_INVALID_ARG;
    mgc__buf_init(&record, chain->ledger->ctx, MGC__RECORD_MAX);
    status = making_begin(&m, chain, MGC_PROOF_STORED, height);
    if (status == MGC_OK && height > 1) status = mgc__read_block_record(chain, height - 1, &record, &before);
    if (status == MGC_OK) {
        mgc__cbor_put_array(&m.w, 2);
        if (height > 1) mgc__cbor_put_bytes(&m.w, before.header_bytes, before.header_len);
        else mgc__cbor_put_null(&m.w);
        mgc__cbor_put_bytes(&m.w, m.record.bytes, m.record.len);
    }
    mgc__buf_free(&record);
    return making_end(&m, status, bytes, cap, len);
}

/* --- the log ------------------------------------------------------------------------------------- */

mgc_status mgc_chain_prove_ancestor(mgc_chain *chain, uint64_t ancestor, uint64_t height, uint8_t *bytes, size_t cap,
                                    size_t *len)
{
    mgc__proof proof;
    mgc__stored_block b;
    struct making m;
    mgc__buf record;
    mgc_status status;
    bool pruned;

    if (!good_arguments(chain, bytes, cap, len)) return MGC_E_INVALID_ARG;
    mgc__buf_init(&record, chain->ledger->ctx, MGC__RECORD_MAX);
    status = making_begin(&m, chain, MGC_PROOF_ANCESTOR, height);
    if (status == MGC_OK && (ancestor == 0 || ancestor >= height))
        status = mgc__fail(chain->ledger->ctx, MGC_E_RANGE, "ledger: block %" PRIu64 " is no ancestor of %" PRIu64,
                           ancestor, height);
    pruned = status == MGC_OK && chain->blocks[ancestor - 1].block.length == 0;
    if (status == MGC_OK && !pruned) status = mgc__read_block_record(chain, ancestor, &record, &b);
    if (status == MGC_OK) status = mgc__forest_inclusion(&chain->log, height - 1, ancestor - 1, &proof);
    if (status == MGC_OK) {
        mgc__cbor_put_array(&m.w, 4);
        mgc__cbor_put_uint(&m.w, ancestor);
        mgc__cbor_put_bytes(&m.w, chain->blocks[ancestor - 1].hash, 32);
        if (pruned) mgc__cbor_put_null(&m.w);
        else mgc__cbor_put_bytes(&m.w, b.header_bytes, b.header_len);
        put_path(&m.w, &proof);
    }
    mgc__buf_free(&record);
    return making_end(&m, status, bytes, cap, len);
}

mgc_status mgc_chain_prove_consistency(mgc_chain *chain, uint64_t old_height, uint64_t height, uint8_t *bytes,
                                       size_t cap, size_t *len)
{
    mgc__proof log = {0}, head;
    struct making m;
    mgc_status status;

    if (!good_arguments(chain, bytes, cap, len)) return MGC_E_INVALID_ARG;
    status = making_begin(&m, chain, MGC_PROOF_CONSISTENCY, height);
    if (status == MGC_OK && (old_height == 0 || old_height >= height))
        status = mgc__fail(chain->ledger->ctx, MGC_E_RANGE, "ledger: block %" PRIu64 " does not come before %" PRIu64,
                           old_height, height);
    if (status == MGC_OK && old_height > 1)
        status = mgc__forest_consistency(&chain->log, old_height - 1, height - 1, &log);
    if (status == MGC_OK) status = mgc__forest_inclusion(&chain->log, height - 1, old_height - 1, &head);
    if (status == MGC_OK) {
        mgc__cbor_put_array(&m.w, 3);
        mgc__cbor_put_uint(&m.w, old_height - 1);
        put_path(&m.w, &log);
        put_path(&m.w, &head);
    }
    return making_end(&m, status, bytes, cap, len);
}

/* --- the state at the day's close ---------------------------------------------------------------- */

static mgc_status state_begin(struct making *m, mgc_chain *chain, uint32_t kind)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc_status status;

    *m = (struct making){.chain = chain};
    if (chain->day_block == 0)
        return mgc__fail(ctx, MGC_E_NOT_FOUND, "ledger: no day of chain %s is closed yet", chain->name);
    if (chain->open)
        return mgc__fail(ctx, MGC_E_STATE, "ledger: chain %s has an open block; prove after it", chain->name);
    status = making_begin(m, chain, kind, chain->day_block);
    return status == MGC_OK ? mgc__state_view(&chain->state) : status;
}

static mgc_status put_record(struct making *m, uint64_t index)
{
    const struct mgc__view *view = &m->chain->state.view;
    const mgc__item *item = view->items[index];
    mgc__proof proof;
    mgc_status status = mgc__forest_inclusion(&view->forest, view->n, index, &proof);

    if (status != MGC_OK) return status;
    mgc__cbor_put_array(&m->w, 4);
    mgc__cbor_put_uint(&m->w, index);
    mgc__cbor_put_bytes(&m->w, item->bytes, item->key_len);
    mgc__cbor_put_bytes(&m->w, mgc__item_value(item), item->value_len);
    put_path(&m->w, &proof);
    return MGC_OK;
}

static mgc_status put_absence(struct making *m, uint64_t index, const uint8_t *key, size_t key_len)
{
    const struct mgc__view *view = &m->chain->state.view;
    mgc_status status = MGC_OK;

    mgc__cbor_put_array(&m->w, 3);
    mgc__cbor_put_bytes(&m->w, key, key_len);
    if (index == 0) mgc__cbor_put_null(&m->w);
    else status = put_record(m, index - 1);
    if (status != MGC_OK) return status;
    if (index == view->n) mgc__cbor_put_null(&m->w);
    else status = put_record(m, index);
    return status;
}

/* Present or absent: which of the two is found first, then proved. */
static mgc_status prove_key(mgc_chain *chain, const uint8_t *key, size_t key_len, uint8_t *bytes, size_t cap,
                            size_t *len)
{
    bool found = false;
    uint64_t index = 0;
    struct making m;
    mgc_status status = state_begin(&m, chain, MGC_PROOF_RECORD);

    if (status == MGC_OK) index = mgc__view_find(&chain->state.view, key, key_len, &found);
    if (status == MGC_OK && !found) {
        making_free(&m);
        status = state_begin(&m, chain, MGC_PROOF_ABSENCE);
    }
    if (status == MGC_OK) status = found ? put_record(&m, index) : put_absence(&m, index, key, key_len);
    return making_end(&m, status, bytes, cap, len);
}

mgc_status mgc_chain_prove_key(mgc_chain *chain, const uint8_t *key, size_t key_len, uint8_t *bytes, size_t cap,
                               size_t *len)
{
    if (!good_arguments(chain, bytes, cap, len) || key == NULL || key_len == 0 || key_len > MGC__KEY_MAX)
        return MGC_E_INVALID_ARG;
    return prove_key(chain, key, key_len, bytes, cap, len);
}

mgc_status mgc_chain_prove_account(mgc_chain *chain, const uint8_t *id, uint8_t *bytes, size_t cap, size_t *len)
{
    uint8_t key[17] = {MGC__AREA_ACCOUNT};

    if (!good_arguments(chain, bytes, cap, len) || id == NULL) return MGC_E_INVALID_ARG;
    memcpy(key + 1, id, 16);
    return prove_key(chain, key, sizeof key, bytes, cap, len);
}

mgc_status mgc_chain_prove_record(mgc_chain *chain, uint32_t contract, const uint8_t *key, size_t key_len,
                                  uint8_t *bytes, size_t cap, size_t *len)
{
    uint8_t full[MGC__KEY_MAX] = {MGC__AREA_RECORD};

    if (!good_arguments(chain, bytes, cap, len) || key == NULL || key_len == 0 || key_len > MGC_RECORD_KEY_MAX)
        return MGC_E_INVALID_ARG;
    mgc__put_be32(full + 1, contract);
    memcpy(full + 5, key, key_len);
    return prove_key(chain, full, 5 + key_len, bytes, cap, len);
}
