/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of many transactions on several threads, ahead of their execution.
 *
 * Executing must go one by one; verifying, which costs ten times as much, need not.  A worker touches its own items and its
 * own piece of one buffer, and neither the context nor the chain; what was found good is remembered afterwards, in the
 * order of the list, so the outcome does not depend on the number of threads. */
#include "ledger/chain.h"

enum { BATCH = 1024 };

struct batch {
    const uint8_t *const *txs;
    const size_t *lens;
    uint8_t *scratch;
    struct batch_item {
        size_t at; /* in the scratch */
        mgc_status status;
        uint8_t hash[32];
    } items[BATCH];
};

static void verify_one(void *user, size_t i)
{
    struct batch *b = user;
    struct batch_item *item = &b->items[i];
    mgc__tx tx;

    item->status = mgc__tx_decode(NULL, b->txs[i], b->lens[i], &tx);
    if (item->status == MGC_OK) item->status = mgc__tx_verify_in(b->scratch + item->at, &tx);
    if (item->status == MGC_OK) mgc__seen_hash(&tx, item->hash);
}

/* Up to BATCH of them. */
static mgc_status verify_some(mgc_ledger *ledger, struct batch *b, size_t n, uint32_t threads, int32_t *results)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        size_t len = b->lens[i] < MGC_TX_BYTES_MAX ? b->lens[i] : MGC_TX_BYTES_MAX; /* longer ones are not come to */
        b->items[i] = (struct batch_item){.at = bytes};
        bytes += len + MGC__TAGGED_EXTRA;
    }
    b->scratch = mgc__alloc(ledger->ctx, bytes, 1);
    if (b->scratch == NULL) return mgc__no_memory(ledger->ctx, "ledger: verifying transactions");
    mgc__parallel(threads, n, verify_one, b);
    mgc__free(ledger->ctx, b->scratch);
    for (size_t i = 0; i < n; i++) {
        if (b->items[i].status == MGC_OK) memcpy(mgc__seen_slot(ledger, b->items[i].hash), b->items[i].hash, 32);
        if (results != NULL) results[i] = b->items[i].status;
    }
    return MGC_OK;
}

mgc_status mgc_chain_verify_txs(mgc_chain *chain, const uint8_t *const *txs, const size_t *lens, size_t n,
                                uint32_t threads, int32_t *results)
{
    mgc_status status = MGC_OK;
    struct batch *b;

    if (chain == NULL || (n > 0 && (txs == NULL || lens == NULL)) || threads > MGC__THREADS_MAX) return MGC_E_INVALID_ARG;
    for (size_t i = 0; i < n; i++)
        if (txs[i] == NULL && lens[i] > 0) return MGC_E_INVALID_ARG;
    b = mgc__alloc(chain->ledger->ctx, 1, sizeof *b);
    if (b == NULL) return mgc__no_memory(chain->ledger->ctx, "ledger: verifying transactions");
    for (size_t at = 0; at < n && status == MGC_OK; at += BATCH) {
        b->txs = txs + at;
        b->lens = lens + at;
        status = verify_some(chain->ledger, b, n - at < BATCH ? n - at : BATCH, threads < 1 ? 1 : threads,
                             results == NULL ? NULL : results + at);
    }
    mgc__free(chain->ledger->ctx, b);
    return status;
}

/* The transactions of a block from elsewhere, where the ledger was given threads.  What fails here fails again, with its
 * text, when it is admitted. */
mgc_status mgc__verify_block_txs(mgc_chain *chain, const mgc__stored_block *b)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    const uint8_t **txs;
    mgc_status status;
    size_t *lens, at = 0;
    uint32_t n = 0;

    if (chain->ledger->threads < 2 || b->txs.n < 2) return MGC_OK;
    txs = mgc__alloc(ctx, b->txs.n, sizeof *txs);
    lens = mgc__alloc(ctx, b->txs.n, sizeof *lens);
    if (txs != NULL && lens != NULL)
        while (n < b->txs.n && mgc__list_next(&b->txs, &at, &txs[n], &lens[n])) n++;
    status = txs != NULL && lens != NULL
                 ? mgc_chain_verify_txs(chain, txs, lens, n, chain->ledger->threads, NULL)
                 : mgc__no_memory(ctx, "ledger: verifying a block");
    mgc__free(ctx, txs);
    mgc__free(ctx, lens);
    return status;
}
