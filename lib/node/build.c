/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: when one is due, what goes into it, what becomes of its transactions.
 *
 * A round builds one block on each chain that has work, in the order of the chains; all of a round have one time.  A
 * block takes the pool in order of arrival.  A transaction whose nonce comes too early is tried again after the
 * others and stays when the missing one is not there; one that cannot stand in a block is refused; one that its
 * contract refuses stands in the block with its reason.  Nothing is told to a ticket before the block is
 * acknowledged.
 *
 * What can go wrong: memory or storage fails -> the block is dropped as if it had never been, the pool is as before,
 * the call says so; after a storage failure the ledger is closed for good and the node must be started again. */
#include "node/cluster.h"

static mgc_status chain_info(const mgc_node *node, uint32_t chain, mgc_chain_info *info)
{
    memset(info, 0, sizeof *info);
    info->struct_size = sizeof *info;
    return mgc_chain_get_info(node->chains[chain], info);
}

/* Time of the last block of any chain. */
static mgc_status last_time(const mgc_node *node, uint64_t *time_ms)
{
    mgc_status st = MGC_OK;

    *time_ms = 0;
    for (uint32_t i = 0; i < node->n_chains && st == MGC_OK; i++) {
        mgc_chain_info info;

        st = chain_info(node, i, &info);
        if (info.time_ms > *time_ms) *time_ms = info.time_ms;
    }
    return st;
}

static uint64_t add_ms(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* --- filling --------------------------------------------------------------------------------------- */

typedef struct fill {
    uint64_t height;
    uint32_t chain, n;
    bool full;
} fill;

/* MGC_OK also where the transaction is refused or has to wait. */
static mgc_status add_one(mgc_node *node, fill *f, waiting *w)
{
    mgc_tx_info tx = {.struct_size = sizeof tx};
    mgc_status st = mgc_chain_add(node->chains[w->chain], w->bytes, w->len, &w->result);

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

            if (w->bytes == NULL || w->chain != f->chain || w->added || (!first && !w->held)) continue;
            st = add_one(node, f, w);
            if (st != MGC_OK) return st;
        }
        first = false;
    } while (f->n > before && !f->full);
    return MGC_OK;
}

/* --- one block ------------------------------------------------------------------------------------------ */

static void tell_tickets(mgc_node *node, const fill *f)
{
    for (size_t i = 0; i < node->pool_n; i++) {
        waiting *w = &node->pool[i];
        ticket *t;

        if (w->bytes == NULL || !w->added) continue;
        t = mgc__node_ticket(node, w->ticket);
        if (t != NULL) {
            t->state = w->result == MGC_OK ? MGC_TICKET_COMMITTED : MGC_TICKET_REFUSED;
            t->status = w->result;
            t->height = f->height;
            t->chain = f->chain;
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
static mgc_status build(mgc_node *node, uint32_t at, uint64_t time_ms, bool even_empty)
{
    mgc_chain *chain = node->chains[at];
    mgc_chain_info info;
    fill f = {.chain = at};
    mgc_status st = chain_info(node, at, &info);

    if (st == MGC_OK) st = mgc__contracts_ready(node->contracts, chain);
    if (st == MGC_OK) st = mgc_chain_begin(chain, time_ms);
    if (st != MGC_OK) return st;
    f.height = info.height + 1;
    st = fill_block(node, &f);
    if (st != MGC_OK || (f.n == 0 && !even_empty)) {
        mgc_chain_abort(chain);
        forget_additions(node);
        mgc__node_pool_compact(node);
        return st;
    }
    st = mgc_chain_commit(chain, node->opts.key);
    if (st == MGC_OK) tell_tickets(node, &f);
    forget_additions(node);
    mgc__node_pool_compact(node);
    return st;
}

/* --- when ------------------------------------------------------------------------------------------------- */

/* How many wait for nothing but a block of a chain (UINT32_MAX: of any), and since when the first of them. */
static size_t ready_to_go(const mgc_node *node, uint32_t chain, uint64_t *since_ms)
{
    size_t n = 0;

    *since_ms = UINT64_MAX;
    for (size_t i = 0; i < node->pool_n; i++) {
        const waiting *w = &node->pool[i];

        if (w->held || (chain != UINT32_MAX && w->chain != chain)) continue;
        n++;
        if (w->since_ms < *since_ms) *since_ms = w->since_ms;
    }
    return n;
}

static void note_arrivals(mgc_node *node, uint64_t now_ms)
{
    for (size_t i = 0; i < node->pool_n; i++)
        if (node->pool[i].since_ms == UINT64_MAX) node->pool[i].since_ms = now_ms;
}

static bool empty_due(const mgc_node *node, uint32_t chain, uint64_t now_ms)
{
    mgc_chain_info info;

    return node->opts.empty_interval_ms != 0 && chain_info(node, chain, &info) == MGC_OK &&
           now_ms >= add_ms(info.time_ms, node->opts.empty_interval_ms);
}

/* A schedule is made of what trading closed before it, so a round closes the gates that are due on both chains. */
static bool gate_due(const mgc_node *node, uint32_t chain, uint64_t now_ms)
{
    uint64_t gate;

    return node->n_chains > 1 && chain != HOME_INFORMATION &&
           mgc__contracts_next_gate(node->chains[chain], &gate) && gate <= now_ms;
}

static mgc_status build_round(mgc_node *node, uint64_t time_ms)
{
    uint64_t since;
    bool work = ready_to_go(node, UINT32_MAX, &since) > 0;
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < node->n_chains && st == MGC_OK; i++) {
        bool even_empty = empty_due(node, i, time_ms) || (work && gate_due(node, i, time_ms));

        if (even_empty || ready_to_go(node, i, &since) > 0) st = build(node, i, time_ms, even_empty);
    }
    return st;
}

/* Does any chain have reason for a block? */
static bool round_due(const mgc_node *node, uint64_t now_ms)
{
    uint64_t since;

    for (uint32_t i = 0; i < node->n_chains; i++) {
        size_t n = ready_to_go(node, i, &since);

        if (n >= node->opts.block_txs_max || (n > 0 && now_ms >= add_ms(since, node->opts.block_interval_ms)) ||
            empty_due(node, i, now_ms))
            return true;
    }
    return false;
}

bool mgc__node_round_due(mgc_node *node, uint64_t now_ms)
{
    note_arrivals(node, now_ms);
    return round_due(node, now_ms);
}

uint32_t mgc__node_empty_due(const mgc_node *node, uint64_t time_ms)
{
    uint64_t since;
    bool work = ready_to_go(node, UINT32_MAX, &since) > 0;
    uint32_t bits = 0;

    for (uint32_t i = 0; i < node->n_chains; i++)
        if (empty_due(node, i, time_ms) || (work && gate_due(node, i, time_ms))) bits |= UINT32_C(1) << i;
    return bits;
}

uint64_t mgc__node_next_round(const mgc_node *node)
{
    uint64_t since, wake = UINT64_MAX;

    if (ready_to_go(node, UINT32_MAX, &since) > 0) wake = add_ms(since, node->opts.block_interval_ms);
    for (uint32_t i = 0; i < node->n_chains && node->opts.empty_interval_ms != 0; i++) {
        mgc_chain_info info;

        if (chain_info(node, i, &info) == MGC_OK && add_ms(info.time_ms, node->opts.empty_interval_ms) < wake)
            wake = add_ms(info.time_ms, node->opts.empty_interval_ms);
    }
    return wake;
}

/* A call on the store may have failed and nothing depended on it yet (the note that a sync ended): nothing can be written any more,
 * and the host is told now, not at the next call. */
mgc_status mgc__node_store_failed(const mgc_node *node, mgc_status st)
{
    mgc_ledger_info info = {.struct_size = sizeof info};

    if (st != MGC_OK || mgc_ledger_get_info(node->ledger, &info) != MGC_OK || info.failed == 0) return st;
    return mgc__fail(node->ctx, MGC_E_FAILED, "node: a call on the store failed; what was acknowledged is durable; start the node again");
}

static mgc_status step_alone(mgc_node *node, uint64_t now_ms, uint64_t *wake_ms)
{
    uint64_t last;
    mgc_status st = last_time(node, &last);

    if (st != MGC_OK) return st;
    note_arrivals(node, now_ms);
    if (now_ms > last && round_due(node, now_ms)) {
        st = build_round(node, now_ms);
        if (st == MGC_OK) st = last_time(node, &last);
    }
    if (st != MGC_OK || wake_ms == NULL) return st;
    *wake_ms = mgc__node_next_round(node);
    if (*wake_ms <= last) *wake_ms = last + 1;
    return MGC_OK;
}

mgc_status mgc_node_step(mgc_node *node, uint64_t now_ms, uint64_t *wake_ms)
{
    mgc_status st;

    if (node != NULL && node->mending != NULL) return mgc__mend_step(node, now_ms, wake_ms);
    st = mgc__node_started(node, true);
    if (wake_ms != NULL) *wake_ms = UINT64_MAX;
    if (st == MGC_OK) st = node->cluster != NULL ? mgc__cluster_step(node, now_ms, wake_ms) : step_alone(node, now_ms, wake_ms);
    if (st == MGC_OK) st = mgc__node_day_close(node);
    return mgc__node_store_failed(node, st);
}

mgc_status mgc_node_flush(mgc_node *node, uint64_t now_ms)
{
    uint64_t since, last;
    mgc_status st = mgc__node_started(node, true);

    if (st == MGC_OK && node->cluster != NULL)
        return mgc__fail(node->ctx, MGC_E_UNSUPPORTED, "node: several members order together; step until the tickets are told");
    while (st == MGC_OK && ready_to_go(node, UINT32_MAX, &since) > 0) {
        size_t before = node->pool_n;

        note_arrivals(node, now_ms);
        st = last_time(node, &last);
        if (st == MGC_OK) st = build_round(node, now_ms > last ? now_ms : last + 1);
        assert(st != MGC_OK || node->pool_n < before || ready_to_go(node, UINT32_MAX, &since) == 0);
        (void)before;
    }
    return mgc__node_store_failed(node, st);
}
