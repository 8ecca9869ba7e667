/* SPDX-License-Identifier: Apache-2.0 */
/* What a host may ask of chains and blocks. */
#include <inttypes.h>

#include "ledger/chain.h"

struct mgc_block {
    mgc_ctx *ctx;
    mgc__buf record, certificate_bytes;
    mgc__stored_block stored;
    mgc__certificate certificate;
    size_t *places; /* where each transaction, then each receipt begins in its list: in a long block nobody counts to it */
};

/* --- blocks -------------------------------------------------------------------------------------- */

static mgc_status read_certificate(mgc_chain *chain, uint64_t height, mgc_block *b)
{
    mgc_status status;

    if (height > chain->final_height) return MGC_OK;
    status = mgc__journal_read(chain->ledger->journal, &chain->blocks[height - 1].certificate,
                               MGC__RECORD_CERTIFICATE, &b->certificate_bytes);
    return status != MGC_OK ? status
                            : mgc__certificate_read(chain->ledger->ctx, b->certificate_bytes.bytes,
                                                    b->certificate_bytes.len, &b->certificate);
}

static mgc_status keep_places(mgc_block *b)
{
    const mgc__list *lists[2] = {&b->stored.txs, &b->stored.receipts};
    const uint8_t *bytes;
    size_t n = 0, at, len;

    b->places = mgc__alloc(b->ctx, (size_t)b->stored.txs.n + b->stored.receipts.n, sizeof *b->places);
    if (b->places == NULL) return mgc__no_memory(b->ctx, "ledger: a block");
    for (int i = 0; i < 2; i++) {
        at = 0;
        for (uint32_t k = 0; k < lists[i]->n; k++) {
            b->places[n++] = at;
            (void)mgc__list_next(lists[i], &at, &bytes, &len); /* the list's form was checked */
        }
    }
    return MGC_OK;
}

mgc_status mgc_chain_read_block(mgc_chain *chain, uint64_t height, mgc_block **out)
{
    mgc_status status;
    mgc_block *b;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (chain == NULL) return MGC_E_INVALID_ARG;
    b = mgc__alloc(chain->ledger->ctx, 1, sizeof *b);
    if (b == NULL) return mgc__no_memory(chain->ledger->ctx, "ledger: a block");
    b->ctx = chain->ledger->ctx;
    mgc__buf_init(&b->record, b->ctx, MGC__RECORD_MAX);
    mgc__buf_init(&b->certificate_bytes, b->ctx, MGC__RECORD_MAX);
    status = mgc__read_block_record(chain, height, &b->record, &b->stored);
    if (status == MGC_OK) status = keep_places(b);
    if (status == MGC_OK) status = read_certificate(chain, height, b);
    if (status != MGC_OK) {
        mgc_block_destroy(b);
        return status;
    }
    *out = b;
    return MGC_OK;
}

void mgc_block_destroy(mgc_block *block)
{
    if (block == NULL) return;
    mgc__buf_free(&block->record);
    mgc__buf_free(&block->certificate_bytes);
    mgc__free(block->ctx, block->places);
    mgc__free(block->ctx, block);
}

mgc_status mgc_block_get_info(const mgc_block *block, mgc_block_info *info)
{
    mgc_block_info full = {.struct_size = sizeof full};
    const mgc__header *h;

    if (block == NULL || info == NULL) return MGC_E_INVALID_ARG;
    h = &block->stored.header;
    full.height = h->height;
    full.time_ms = h->time_ms;
    full.config_height = h->config_height;
    full.n_txs = block->stored.txs.n;
    full.n_receipts = block->stored.receipts.n;
    full.proposer = h->proposer;
    full.n_votes = block->certificate.n;
    memcpy(full.hash, block->stored.hash, 32);
    memcpy(full.previous, h->previous, 32);
    memcpy(full.tx_root, h->tx_root, 32);
    memcpy(full.receipt_root, h->receipt_root, 32);
    memcpy(full.state_digest, h->state_digest, 32);
    memcpy(full.log_root, h->log_root, 32);
    return mgc__info_write(info, &full, sizeof full, MGC__FIRST_SIZE(mgc_block_info, log_root));
}

mgc_status mgc_block_get_bytes(const mgc_block *block, const uint8_t **bytes, size_t *len)
{
    if (block == NULL || bytes == NULL || len == NULL) return MGC_E_INVALID_ARG;
    *bytes = block->stored.block;
    *len = block->stored.block_len;
    return MGC_OK;
}

mgc_status mgc_block_get_vote(const mgc_block *block, uint32_t index, mgc_vote *vote)
{
    if (block == NULL || vote == NULL) return MGC_E_INVALID_ARG;
    if (index >= block->certificate.n) return MGC_E_NOT_FOUND;
    *vote = (mgc_vote){.member = block->certificate.votes[index].member};
    memcpy(vote->signature, block->certificate.votes[index].signature, MGC_SIGNATURE_BYTES);
    return MGC_OK;
}

mgc_status mgc_block_get_tx(const mgc_block *block, uint32_t index, const uint8_t **bytes, size_t *len,
                            mgc_tx_info *info)
{
    const uint8_t *found = NULL;
    size_t found_len = 0, at;

    if (block == NULL) return MGC_E_INVALID_ARG;
    if (index >= block->stored.txs.n) return MGC_E_NOT_FOUND;
    at = block->places[index];
    (void)mgc__list_next(&block->stored.txs, &at, &found, &found_len);
    if (bytes != NULL) *bytes = found;
    if (len != NULL) *len = found_len;
    return info == NULL ? MGC_OK : mgc_tx_decode(found, found_len, info);
}

static mgc_status find_receipt(const mgc_block *block, uint32_t index, mgc__receipt *r)
{
    const uint8_t *bytes = NULL;
    size_t len = 0, at;

    if (index >= block->stored.receipts.n) return MGC_E_NOT_FOUND;
    at = block->places[block->stored.txs.n + index];
    (void)mgc__list_next(&block->stored.receipts, &at, &bytes, &len);
    return mgc__receipt_read(block->ctx, bytes, len, r);
}

mgc_status mgc_block_get_receipt(const mgc_block *block, uint32_t index, mgc_receipt_info *info)
{
    mgc_receipt_info full = {.struct_size = sizeof full};
    mgc__receipt r;
    mgc_status status;

    if (block == NULL || info == NULL) return MGC_E_INVALID_ARG;
    status = find_receipt(block, index, &r);
    if (status != MGC_OK) return status;
    if (r.tx_id != NULL) memcpy(full.tx_id, r.tx_id, 32);
    full.status = r.status;
    full.n_events = r.n_events;
    full.cost = r.cost;
    full.rule = r.rule;
    full.rule_len = r.rule_len;
    full.output = r.output;
    full.output_len = r.output_len;
    return mgc__info_write(info, &full, sizeof full, MGC__FIRST_SIZE(mgc_receipt_info, output_len));
}

mgc_status mgc_block_get_event(const mgc_block *block, uint32_t receipt, uint32_t event, mgc_event_info *info)
{
    mgc_event_info full;
    mgc__receipt r;
    mgc_status status;

    if (block == NULL || info == NULL) return MGC_E_INVALID_ARG;
    status = find_receipt(block, receipt, &r);
    if (status == MGC_OK) status = mgc__event_get(&r, event, &full);
    return status != MGC_OK ? status : mgc__info_write(info, &full,
                                                       sizeof full, MGC__FIRST_SIZE(mgc_event_info, payload_len));
}

mgc_status mgc_block_get_change(const mgc_block *block, uint32_t contract, const uint8_t *key, size_t key_len,
                                mgc_record_info *info)
{
    mgc_record_info full = {.struct_size = sizeof full};
    mgc_status status;

    if (block == NULL || key == NULL || key_len == 0 || key_len > MGC_RECORD_KEY_MAX || info == NULL)
        return MGC_E_INVALID_ARG;
    status = mgc__writes_find(&block->stored, contract, key, key_len, &full);
    full.struct_size = sizeof full;
    return status != MGC_OK ? status : mgc__info_write(info, &full,
                                                       sizeof full, MGC__FIRST_SIZE(mgc_record_info, value_len));
}

mgc_status mgc_chain_find_tx(const mgc_chain *chain, const uint8_t *tx_id, uint64_t *height, uint32_t *index)
{
    const mgc__item *item;

    if (chain == NULL || tx_id == NULL || height == NULL || index == NULL) return MGC_E_INVALID_ARG;
    item = mgc__tree_get(&chain->txs, tx_id, 32);
    if (item == NULL || mgc__get_be64(mgc__item_value(item)) > chain->height) return MGC_E_NOT_FOUND; /* or in the open block */
    *height = mgc__get_be64(mgc__item_value(item));
    *index = mgc__get_be32(mgc__item_value(item) + 8);
    return MGC_OK;
}

/* --- state --------------------------------------------------------------------------------------- */

mgc_status mgc_chain_get_account(const mgc_chain *chain, const uint8_t *id, mgc_account_info *info)
{
    mgc_account_info full;
    mgc_status status;

    if (chain == NULL || id == NULL || info == NULL) return MGC_E_INVALID_ARG;
    status = mgc__account_get(&chain->state, id, &full);
    return status != MGC_OK ? status : mgc__info_write(info, &full,
                                                       sizeof full, MGC__FIRST_SIZE(mgc_account_info, height));
}

mgc_status mgc_chain_get_transfer(const mgc_chain *chain, const uint8_t *id, mgc_transfer_info *info)
{
    mgc_transfer_info full;
    mgc_status status;

    if (chain == NULL || id == NULL || info == NULL) return MGC_E_INVALID_ARG;
    status = mgc__transfer_get(&chain->state, id, &full);
    return status != MGC_OK ? status : mgc__info_write(info, &full,
                                                       sizeof full, MGC__FIRST_SIZE(mgc_transfer_info, ended_by));
}

/* The first record of an area whose id is greater. */
static const mgc__item *next_id(const mgc_chain *chain, uint8_t area, const uint8_t *after)
{
    const mgc__item *item;
    uint8_t key[17];

    key[0] = area;
    if (after != NULL) memcpy(key + 1, after, 16);
    item = mgc__state_after(&chain->state, key, after == NULL ? 1 : 17, after == NULL);
    return item != NULL && item->bytes[0] == area ? item : NULL;
}

mgc_status mgc_chain_next_account(const mgc_chain *chain, const uint8_t *after, mgc_account_info *info)
{
    const mgc__item *item;

    if (chain == NULL || info == NULL) return MGC_E_INVALID_ARG;
    item = next_id(chain, MGC__AREA_ACCOUNT, after);
    return item == NULL ? MGC_E_NOT_FOUND : mgc_chain_get_account(chain, item->bytes + 1, info);
}

mgc_status mgc_chain_next_transfer(const mgc_chain *chain, const uint8_t *after, mgc_transfer_info *info)
{
    const mgc__item *item;

    if (chain == NULL || info == NULL) return MGC_E_INVALID_ARG;
    item = next_id(chain, MGC__AREA_TRANSFER, after);
    return item == NULL ? MGC_E_NOT_FOUND : mgc_chain_get_transfer(chain, item->bytes + 1, info);
}

/* account 16, height 8, index 4: the key of a place in an account's history */
static void place_key(uint8_t *key, const uint8_t *account, uint64_t height, uint32_t index)
{
    memcpy(key, account, 16);
    mgc__put_be64(key + 16, height);
    mgc__put_be32(key + 24, index);
}

mgc_status mgc_chain_next_transfer_of(const mgc_chain *chain, const uint8_t *account, uint64_t after_height,
                                      uint32_t after_index, mgc_transfer_info *info)
{
    const mgc__item *item;
    mgc_status status;
    uint8_t key[44];

    if (chain == NULL || account == NULL || info == NULL) return MGC_E_INVALID_ARG;
    status = mgc__index_accounts((mgc_chain *)chain); /* what it answers does not change by it */
    if (status != MGC_OK) return status;
    place_key(key, account, after_height, after_index);
    memset(key + 28, 0xff, 16); /* past every transfer at that place; blocks begin at height 1 */
    item = mgc__tree_after(&chain->transfers, key, sizeof key, false);
    if (item == NULL || memcmp(item->bytes, account, 16) != 0) return MGC_E_NOT_FOUND;
    return mgc_chain_get_transfer(chain, item->bytes + 28, info);
}

mgc_status mgc_chain_next_balance(const mgc_chain *chain, const uint8_t *account, uint64_t after_height,
                                  uint32_t after_index, mgc_balance_info *info)
{
    mgc_balance_info full = {.struct_size = sizeof full};
    const mgc__item *item;
    mgc__cbor_reader r;
    uint8_t key[29];

    if (chain == NULL || account == NULL || info == NULL) return MGC_E_INVALID_ARG;
    key[0] = MGC__AREA_HISTORY;
    place_key(key + 1, account, after_height, after_index);
    item = mgc__state_after(&chain->state, key, sizeof key, false);
    if (item == NULL || item->key_len != sizeof key || memcmp(item->bytes, key, 17) != 0) return MGC_E_NOT_FOUND;
    full.height = mgc__get_be64(item->bytes + 17);
    full.index = mgc__get_be32(item->bytes + 25);
    mgc__cbor_read(&r, mgc__item_value(item), item->value_len);
    mgc__cbor_get_array_of(&r, 4);
    full.debits_pending = mgc__cbor_get_uint(&r, MGC_AMOUNT_MAX);
    full.debits_posted = mgc__cbor_get_uint(&r, MGC_AMOUNT_MAX);
    full.credits_pending = mgc__cbor_get_uint(&r, MGC_AMOUNT_MAX);
    full.credits_posted = mgc__cbor_get_uint(&r, MGC_AMOUNT_MAX);
    if (mgc__cbor_finish(&r) != MGC_OK) return r.status;
    return mgc__info_write(info, &full, sizeof full, MGC__FIRST_SIZE(mgc_balance_info, credits_posted));
}

mgc_status mgc_chain_next_record(const mgc_chain *chain, uint32_t contract, const uint8_t *after, size_t after_len,
                                 mgc_record_info *info)
{
    mgc_record_info full = {.struct_size = sizeof full};
    mgc__record_cursor c;

    if (chain == NULL || info == NULL || (after == NULL && after_len > 0) || after_len > MGC_RECORD_KEY_MAX)
        return MGC_E_INVALID_ARG;
    if (after_len == 0) mgc__record_first(&c, contract, NULL, 0);
    else mgc__record_after(&c, contract, NULL, 0, after, after_len);
    if (!mgc__record_next(&chain->state, &c)) return MGC_E_NOT_FOUND;
    full.key = c.key;
    full.key_len = c.key_len;
    full.value = c.value;
    full.value_len = c.value_len;
    return mgc__info_write(info, &full, sizeof full, MGC__FIRST_SIZE(mgc_record_info, value_len));
}

mgc_status mgc_chain_state_root(const mgc_chain *chain, uint8_t *root)
{
    if (chain == NULL || root == NULL) return MGC_E_INVALID_ARG;
    return mgc__state_root(&chain->state, root);
}
