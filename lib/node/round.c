/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds: what the members agree on, and what each makes of it.
 *
 * A round is a time, its proposer, the certificate of the round before it (lost.c), and for each chain the transactions in the order in which they are to be tried and
 * whether an empty block is due.  Which of them stand in the block follows from the chain's state alone, so all members
 * build the same block; how a nonce that comes too early is tried again is part of that rule. */
#include "node/kept.h"

enum { ROUND_VERSION = 3, ROUND_BARE = 1, TRIES_MAX = 16 /* passes over a round for nonces out of order */ };

/* --- proposing ---------------------------------------------------------------------------------- */

static void put_chain(mgc__cluster *c, uint32_t chain, bool even_empty, uint32_t *budget)
{
    mgc_node *node = c->node;
    size_t n_at = c->round.len + 1;
    uint32_t n = 0;
    uint8_t empty = even_empty;

    mgc__buf_put(&c->round, &empty, 1);
    cluster_put32(&c->round, 0);
    for (uint32_t held = 0; held < 2; held++) /* what waits for a nonce takes only places that are left, and not the other chains' */
        for (size_t i = 0; i < node->pool_n && n < node->opts.block_txs_max; i++) {
            const waiting *w = &node->pool[i];
            if (w->chain != chain || w->bytes == NULL || w->held != (held == 1) || w->len + 4 + held * (CLUSTER_ROUND_BYTES / 2) > *budget) continue;
            cluster_put32(&c->round, (uint32_t)w->len);
            mgc__buf_put(&c->round, w->bytes, w->len);
            *budget -= (uint32_t)w->len + 4;
            n++;
        }
    if (c->round.status == MGC_OK)
        for (int k = 0; k < 4; k++) c->round.bytes[n_at + (size_t)k] = (uint8_t)(n >> 8 * k);
}

/* Blocks are not executed further ahead than votes for them are kept. */
static bool waits_for_votes(mgc__cluster *c)
{
    for (uint32_t i = 0; i < c->node->n_chains; i++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        if (mgc_chain_get_info(c->node->chains[i], &info) != MGC_OK || info.height - info.final_height >= CLUSTER_PENDING / 2) return true;
    }
    return false;
}

/* As leader, when a round is due and none is under way. */
mgc_status mgc__round_propose(mgc__cluster *c)
{
    uint64_t time_ms = c->now_ms > c->last_time ? c->now_ms : c->last_time + 1;
    uint32_t budget = CLUSTER_ROUND_BYTES, empty;
    mgc_status st;

    if (c->proposed != 0 || waits_for_votes(c)) return MGC_OK;
    if (!mgc__node_round_due(c->node, c->now_ms) && mgc__order_said(c, &c->config)) return MGC_OK;
    st = mgc__credit_tell(c);
    if (st != MGC_OK) return st;
    empty = mgc__node_empty_due(c->node, time_ms);
    c->round.len = 0;
    cluster_put32(&c->round, ROUND_VERSION);
    cluster_put64(&c->round, time_ms);
    cluster_put32(&c->round, c->node->opts.id);
    cluster_put32(&c->round, c->node->n_chains);
    mgc__lost_put(c, &c->round);
    for (uint32_t i = 0; i < c->node->n_chains; i++) put_chain(c, i, (empty >> i & 1) != 0, &budget);
    if (c->round.status != MGC_OK) return mgc__no_memory(c->node->ctx, "node: a round");
    return mgc__cluster_propose(c, c->round.bytes, c->round.len, &c->proposed);
}

/* --- executing ---------------------------------------------------------------------------------- */

struct tx {
    const uint8_t *bytes;
    size_t len;
    int32_t result;
    uint32_t index; /* in the block */
    uint8_t fate;   /* TX_... */
};
enum { TX_WAITS, TX_IN, TX_OUT };

struct block_work {
    uint32_t chain, n_txs, n_in;
    uint64_t time_ms, height;
    uint32_t proposer;
    bool even_empty, full;
    struct tx *txs;
};

static mgc_status try_tx(mgc__cluster *c, struct block_work *w, struct tx *tx)
{
    mgc_status st = mgc_chain_add(c->node->chains[w->chain], tx->bytes, tx->len, &tx->result);

    if (st == MGC_OK) {
        tx->fate = TX_IN;
        tx->index = w->n_in++;
        return MGC_OK;
    }
    if (mgc__is_fatal(st)) return st;
    if (st == MGC_E_TOO_LARGE && w->n_in > 0) {
        w->full = true;
        return MGC_OK;
    }
    tx->result = st;
    if (st != MGC_E_NONCE_GAP) tx->fate = TX_OUT;
    return MGC_OK;
}

static mgc_status fill(mgc__cluster *c, struct block_work *w)
{
    mgc_status st = MGC_OK;
    bool more = true;

    for (int pass = 0; pass < TRIES_MAX && more && st == MGC_OK; pass++) {
        uint32_t before = w->n_in;
        for (uint32_t i = 0; i < w->n_txs && !w->full && st == MGC_OK; i++)
            if (w->txs[i].fate == TX_WAITS) st = try_tx(c, w, &w->txs[i]);
        more = w->n_in > before && !w->full;
    }
    return st;
}

/* What came of this member's own pool; tickets are told when the block is final (final.c).  What waits for a nonce before its
 * own makes no round due: the one that brings that nonce takes it along. */
static void settle_pool(mgc__cluster *c, const struct block_work *w)
{
    mgc_node *node = c->node;

    for (uint32_t i = 0; i < w->n_txs; i++) {
        mgc_tx_info info = {.struct_size = sizeof info};
        waiting *mine;
        ticket *t;

        if (mgc_tx_decode(w->txs[i].bytes, w->txs[i].len, &info) != MGC_OK) continue;
        mine = mgc__node_pool_find(node, info.tx_id);
        if (mine == NULL || mine->bytes == NULL) continue;
        if (w->txs[i].fate == TX_WAITS) {
            mine->held = w->txs[i].result == MGC_E_NONCE_GAP;
            continue;
        }
        t = mgc__node_ticket(node, mine->ticket);
        if (w->txs[i].fate == TX_OUT) mgc__node_ticket_refuse(node, mine->ticket, w->txs[i].result, "");
        else if (t != NULL) {
            t->status = w->txs[i].result;
            t->height = w->height;
            t->chain = w->chain;
            t->index = w->txs[i].index;
        }
        mgc__free(node->ctx, mine->bytes);
        mine->bytes = NULL;
    }
    mgc__node_pool_compact(node);
}

static mgc_status build(mgc__cluster *c, struct block_work *w)
{
    mgc_chain *chain = c->node->chains[w->chain];
    mgc_chain_info info = {.struct_size = sizeof info};
    bool changes = false; /* who signs */
    mgc_status st = mgc_chain_get_info(chain, &info);

    if (st == MGC_OK && info.time_ms >= w->time_ms) return MGC_OK; /* the ledger has it: executed before a restart */
    if (st == MGC_OK) st = mgc__contracts_ready(c->node->contracts, chain);
    if (st == MGC_OK) st = mgc_chain_begin(chain, w->time_ms);
    if (st != MGC_OK) return st;
    w->height = info.height + 1;
    st = mgc__order_announce(c, chain, &changes);
    if (st == MGC_OK) st = fill(c, w);
    if (st != MGC_OK || (w->n_in == 0 && !w->even_empty && !changes)) mgc_chain_abort(chain);
    else st = mgc_chain_seal(chain, w->proposer);
    if (st == MGC_OK) settle_pool(c, w);
    return st;
}

static mgc_status read_txs(mgc__cluster *c, cluster_reader *r, struct block_work *w)
{
    w->even_empty = cluster_uint(r, 1) != 0;
    w->n_txs = (uint32_t)cluster_uint(r, 4);
    if (r->bad || w->n_txs > MGC_BLOCK_TXS_MAX || w->n_txs > (size_t)(r->end - r->at) / 4) return MGC_E_MESSAGE;
    w->txs = mgc__alloc(c->node->ctx, w->n_txs, sizeof *w->txs);
    if (w->txs == NULL) return mgc__no_memory(c->node->ctx, "node: a round");
    for (uint32_t i = 0; i < w->n_txs; i++) {
        w->txs[i].len = (size_t)cluster_uint(r, 4);
        w->txs[i].bytes = cluster_get(r, w->txs[i].len);
    }
    return r->bad ? MGC_E_MESSAGE : MGC_OK;
}

/* The latest time of any chain's last block, and how many chains, in their order, have passed it. */
static mgc_status latest(mgc__cluster *c, uint64_t *time_ms, uint32_t *after)
{
    mgc_status st = MGC_OK;

    *time_ms = 0;
    *after = 0;
    for (uint32_t i = 0; i < c->node->n_chains && st == MGC_OK; i++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        st = mgc_chain_get_info(c->node->chains[i], &info);
        if (info.height == 0 || info.time_ms < *time_ms) continue;
        *time_ms = info.time_ms;
        *after = i + 1;
    }
    return st;
}

/* A block needs no sync of its own before its signature leaves.  Synced or not, without a certificate it is forgotten by a restart and
 * comes anew, the same, out of the log, which held the round durably before it was executed, and is not compacted before the block is
 * final and synced.  One sync, of block and certificate, comes before anybody is told. */
static mgc_status sign_new(mgc__cluster *c, const uint64_t before[HOMES])
{
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < c->node->n_chains && st == MGC_OK; i++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        st = mgc_chain_get_info(c->node->chains[i], &info);
        for (uint64_t h = before[i] + 1; h <= info.height && st == MGC_OK; h++) st = mgc__final_sign(c, i, h);
    }
    return st == MGC_OK ? mgc__final_acknowledge(c) : st;
}

/* Malformed rounds are no reason to stop: every member sees the same bytes and does nothing. */
mgc_status mgc__round_execute(mgc__cluster *c, const uint8_t *bytes, size_t len)
{
    cluster_reader r = {.at = bytes, .end = bytes + len};
    struct block_work w = {0};
    uint64_t before[HOMES] = {0}, done_ms;
    uint32_t version = (uint32_t)cluster_uint(&r, 4), n_chains, skip;
    mgc_status st = latest(c, &done_ms, &skip);

    w.time_ms = cluster_uint(&r, 8);
    w.proposer = (uint32_t)cluster_uint(&r, 4);
    n_chains = (uint32_t)cluster_uint(&r, 4);
    if (version == ROUND_VERSION) mgc__lost_skip(&r);
    if (st != MGC_OK || r.bad || (version != ROUND_VERSION && version != ROUND_BARE) || n_chains != c->node->n_chains) return st;
    if (w.time_ms > c->last_time) c->last_time = w.time_ms;
    if (w.time_ms < done_ms) return MGC_OK; /* executed before a restart, whole */
    for (uint32_t i = 0; i < n_chains && st == MGC_OK; i++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        st = mgc_chain_get_info(c->node->chains[i], &info);
        before[i] = info.height;
        w.chain = i;
        w.n_in = 0;
        w.full = false;
        if (st == MGC_OK) st = read_txs(c, &r, &w);
        if (st == MGC_OK && (w.time_ms > done_ms || i >= skip)) st = build(c, &w);
        mgc__free(c->node->ctx, w.txs);
        w.txs = NULL;
        if (st == MGC_E_MESSAGE) return sign_new(c, before);
    }
    return st == MGC_OK ? sign_new(c, before) : st;
}

mgc_status mgc__round_standing(mgc__cluster *c, standing *s)
{
    mgc_status st = MGC_OK;

    s->n = c->node->n_chains;
    for (uint32_t i = 0; i < s->n && st == MGC_OK; i++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        st = mgc_chain_get_info(c->node->chains[i], &info);
        s->heights[i] = info.height;
        memcpy(s->hashes[i], info.block_hash, 32);
    }
    return st;
}
