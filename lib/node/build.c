/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: when one is due, what goes into it, what becomes of its transactions.
 *
 * A block takes the pool in order of arrival.  A transaction whose nonce comes too early is tried again after the
 * others and stays when the missing one is not there; one that cannot stand in a block is refused; one that its
 * contract refuses stands in the block with its reason.  Nothing is told to a ticket before the block is
 * acknowledged.
 *
 * What can go wrong: memory or storage fails -> the block is dropped as if it had never been, the pool is as before,
 * the call says so; after a storage failure the ledger is closed for good and the node must be started again. */
#include "node/node.h"

static mgc_status chain_info(const mgc_node *node, mgc_chain_info *info)
{
    memset(info, 0, sizeof *info);
    info->struct_size = sizeof *info;
    return mgc_chain_get_info(node->chain, info);
}

static uint64_t add_ms(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* --- filling --------------------------------------------------------------------------------------- */

typedef struct fill {
    uint64_t height;
    uint32_t n;
    bool full;
} fill;

/* MGC_OK also where the transaction is refused or has to wait. */
static mgc_status add_one(mgc_node *node, fill *f, waiting *w)
{
    mgc_tx_info tx = {.struct_size = sizeof tx};
    mgc_status st = mgc_chain_add(node->chain, w->bytes, w->len, &w->result);

    w->held = false;
    if (st == MGC_OK) {
        w->added = true;
        w->index = f->n++;
        f->full = f->n >= node->opts.block_txs_max;
        return MGC_OK;
    }
    if (mgc__is_fatal(st)) return st;
    if (st == MGC_E_TOO_LARGE && f->n > 0) {
        f->full = true;
        return MGC_OK;
    }
    if (st == MGC_E_NONCE_GAP && mgc_tx_decode(w->bytes, w->len, &tx) == MGC_OK && tx.valid_until > f->height) {
        w->held = true;
        return MGC_OK;
    }
    mgc__node_ticket_refuse(node, w->ticket, st == MGC_E_NONCE_GAP ? MGC_E_EXPIRED : st,
                            st == MGC_E_NONCE_GAP ? "the nonce before its own never came" : mgc_ctx_error(node->ctx));
    mgc__free(node->ctx, w->bytes);
    w->bytes = NULL;
    return MGC_OK;
}

/* Passes over the pool until one brings nothing new: each closes at least one nonce's gap. */
static mgc_status fill_block(mgc_node *node, fill *f)
{
    uint32_t before;
    bool first = true;

    do {
        before = f->n;
        for (size_t i = 0; i < node->pool_n && !f->full; i++) {
            waiting *w = &node->pool[i];
            mgc_status st;

            if (w->bytes == NULL || w->added || (!first && !w->held)) continue;
            st = add_one(node, f, w);
            if (st != MGC_OK) return st;
        }
        first = false;
    } while (f->n > before && !f->full);
    return MGC_OK;
}

/* --- one block ------------------------------------------------------------------------------------------ */

static void tell_tickets(mgc_node *node, uint64_t height)
{
    for (size_t i = 0; i < node->pool_n; i++) {
        waiting *w = &node->pool[i];
        ticket *t;

        if (w->bytes == NULL || !w->added) continue;
        t = mgc__node_ticket(node, w->ticket);
        if (t != NULL) {
            t->state = w->result == MGC_OK ? MGC_TICKET_COMMITTED : MGC_TICKET_REFUSED;
            t->status = w->result;
            t->height = height;
            t->index = w->index;
        }
        mgc__free(node->ctx, w->bytes);
        w->bytes = NULL;
    }
}

static void forget_additions(mgc_node *node)
{
    for (size_t i = 0; i < node->pool_n; i++) node->pool[i].added = false;
}

/* @param even_empty build it also where nothing goes into it */
static mgc_status build(mgc_node *node, uint64_t time_ms, bool even_empty)
{
    mgc_chain_info info;
    fill f = {0};
    mgc_status st = chain_info(node, &info);

    if (st == MGC_OK) st = mgc__contracts_ready(node->contracts, node->chain, info.height + 1);
    if (st == MGC_OK) st = mgc_chain_begin(node->chain, time_ms);
    if (st != MGC_OK) return st;
    f.height = info.height + 1;
    st = fill_block(node, &f);
    if (st != MGC_OK || (f.n == 0 && !even_empty)) {
        mgc_chain_abort(node->chain);
        forget_additions(node);
        mgc__node_pool_compact(node);
        return st;
    }
    st = mgc_chain_commit(node->chain, node->opts.key);
    if (st == MGC_OK) tell_tickets(node, f.height);
    forget_additions(node);
    mgc__node_pool_compact(node);
    return st;
}

/* --- when ------------------------------------------------------------------------------------------------- */

/* How many wait for nothing but a block, and since when the first of them. */
static size_t ready_to_go(const mgc_node *node, uint64_t *since_ms)
{
    size_t n = 0;

    *since_ms = UINT64_MAX;
    for (size_t i = 0; i < node->pool_n; i++) {
        if (node->pool[i].held) continue;
        n++;
        if (node->pool[i].since_ms < *since_ms) *since_ms = node->pool[i].since_ms;
    }
    return n;
}

static void note_arrivals(mgc_node *node, uint64_t now_ms)
{
    for (size_t i = 0; i < node->pool_n; i++)
        if (node->pool[i].since_ms == UINT64_MAX) node->pool[i].since_ms = now_ms;
}

static bool empty_due(const mgc_node *node, const mgc_chain_info *info, uint64_t now_ms)
{
    return node->opts.empty_interval_ms != 0 && now_ms >= add_ms(info->time_ms, node->opts.empty_interval_ms);
}

static uint64_t next_wake(const mgc_node *node, const mgc_chain_info *info)
{
    uint64_t since, wake = UINT64_MAX;

    if (ready_to_go(node, &since) > 0) wake = add_ms(since, node->opts.block_interval_ms);
    if (node->opts.empty_interval_ms != 0 && add_ms(info->time_ms, node->opts.empty_interval_ms) < wake)
        wake = add_ms(info->time_ms, node->opts.empty_interval_ms);
    return wake <= info->time_ms ? info->time_ms + 1 : wake;
}

mgc_status mgc_node_step(mgc_node *node, uint64_t now_ms, uint64_t *wake_ms)
{
    mgc_chain_info info;
    uint64_t since;
    mgc_status st = mgc__node_started(node, true);

    if (wake_ms != NULL) *wake_ms = UINT64_MAX;
    if (st == MGC_OK) st = chain_info(node, &info);
    if (st != MGC_OK) return st;
    note_arrivals(node, now_ms);
    if (now_ms > info.time_ms) {
        size_t n = ready_to_go(node, &since);
        bool due = n >= node->opts.block_txs_max || (n > 0 && now_ms >= add_ms(since, node->opts.block_interval_ms));

        if (due || empty_due(node, &info, now_ms)) st = build(node, now_ms, empty_due(node, &info, now_ms));
        if (st == MGC_OK) st = chain_info(node, &info);
    }
    if (st == MGC_OK && wake_ms != NULL) *wake_ms = next_wake(node, &info);
    return st;
}

mgc_status mgc_node_flush(mgc_node *node, uint64_t now_ms)
{
    mgc_chain_info info;
    uint64_t since;
    mgc_status st = mgc__node_started(node, true);

    while (st == MGC_OK && ready_to_go(node, &since) > 0) {
        size_t before = node->pool_n;

        note_arrivals(node, now_ms);
        st = chain_info(node, &info);
        if (st == MGC_OK) st = build(node, now_ms > info.time_ms ? now_ms : info.time_ms + 1, false);
        assert(st != MGC_OK || node->pool_n < before || ready_to_go(node, &since) == 0);
        (void)before;
    }
    return st;
}
