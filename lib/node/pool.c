/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions that wait for a block, in order of arrival, and the tickets that say what became of them. */
#include "node/cluster.h"

/* --- tickets ---------------------------------------------------------------------------------------- */

mgc_status mgc__node_ticket_new(mgc_node *node, const uint8_t tx_id[32], uint64_t *number)
{
    size_t at = (size_t)((node->next_ticket - 1) % MGC_TICKETS_MAX);
    void *block = node->tickets;
    ticket *t;

    if (at >= node->tickets_cap) {
        size_t before = node->tickets_cap;
        if (!mgc__grow(node->ctx, &block, &node->tickets_cap, at + 1, sizeof *node->tickets))
            return mgc__no_memory(node->ctx, "node: tickets");
        node->tickets = block;
        memset(node->tickets + before, 0, (node->tickets_cap - before) * sizeof *node->tickets);
    }
    t = &node->tickets[at];
    mgc__free(node->ctx, t->rule);
    *t = (ticket){.state = MGC_TICKET_OPEN};
    memcpy(t->tx_id, tx_id, 32);
    *number = node->next_ticket++;
    return MGC_OK;
}

ticket *mgc__node_ticket(const mgc_node *node, uint64_t number)
{
    if (number == 0 || number >= node->next_ticket || node->next_ticket - number > MGC_TICKETS_MAX) return NULL;
    return &node->tickets[(number - 1) % MGC_TICKETS_MAX];
}

/* No memory for the rule's text leaves the status, which says enough. */
void mgc__node_ticket_refuse(mgc_node *node, uint64_t number, mgc_status status, const char *rule)
{
    ticket *t = mgc__node_ticket(node, number);

    node->refused++;
    if (t == NULL) return;
    t->state = MGC_TICKET_REFUSED;
    t->status = status;
    mgc__free(node->ctx, t->rule);
    t->rule = mgc__strdup(node->ctx, rule);
}

/* The receipt in the block keeps the rule of what was refused there. */
static const char *rule_of(const mgc_node *node, ticket *t)
{
    mgc_receipt_info receipt = {.struct_size = sizeof receipt};
    mgc_block *block = NULL;

    if (t->rule != NULL || t->state != MGC_TICKET_REFUSED || t->height == 0) return t->rule != NULL ? t->rule : "";
    if (mgc_chain_read_block(node->chains[t->chain], t->height, &block) == MGC_OK &&
        mgc_block_get_receipt(block, t->index, &receipt) == MGC_OK) {
        t->rule = mgc__alloc(node->ctx, receipt.rule_len + 1, 1);
        if (t->rule != NULL && receipt.rule_len > 0) memcpy(t->rule, receipt.rule, receipt.rule_len);
    }
    mgc_block_destroy(block);
    return t->rule != NULL ? t->rule : "";
}

mgc_status mgc_ticket_state(const mgc_node *node, uint64_t number, mgc_ticket_info *info)
{
    mgc_ticket_info filled = {.struct_size = sizeof filled};
    ticket *t;

    if (node == NULL) return MGC_E_INVALID_ARG;
    if (info == NULL) return mgc__fail(node->ctx, MGC_E_INVALID_ARG, "node: info is NULL");
    t = mgc__node_ticket(node, number);
    if (t == NULL)
        return mgc__fail(node->ctx, MGC_E_NOT_FOUND, "node: ticket %" PRIu64 " is unknown or forgotten", number);
    filled.state = t->state;
    filled.status = t->status;
    filled.height = t->height;
    filled.index = t->index;
    filled.chain = t->chain;
    memcpy(filled.tx_id, t->tx_id, 32);
    filled.rule = rule_of(node, t);
    return mgc__info_write(info, &filled, sizeof filled, MGC__FIRST_SIZE(mgc_ticket_info, rule));
}

/* --- the pool ------------------------------------------------------------------------------------------ */

/* Where the id stands, or should, in by_id. */
static size_t place_of(const mgc_node *node, const uint8_t tx_id[32], size_t n, bool *found)
{
    size_t low = 0, high = n;

    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(node->pool[node->by_id[middle]].tx_id, tx_id, 32);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void put_by_id(mgc_node *node, size_t index, size_t n)
{
    bool found;
    size_t at = place_of(node, node->pool[index].tx_id, n, &found);

    assert(!found);
    memmove(node->by_id + at + 1, node->by_id + at, (n - at) * sizeof *node->by_id);
    node->by_id[at] = index;
}

static mgc_status pool_add(mgc_node *node, const uint8_t *bytes, size_t len, const uint8_t tx_id[32], uint32_t chain,
                           uint64_t number)
{
    void *pool = node->pool, *by_id = node->by_id;
    waiting *w;

    if (!mgc__grow(node->ctx, &pool, &node->pool_cap, node->pool_n + 1, sizeof *node->pool)) return MGC_E_NO_MEMORY;
    node->pool = pool;
    if (!mgc__grow(node->ctx, &by_id, &node->by_id_cap, node->pool_n + 1, sizeof *node->by_id))
        return MGC_E_NO_MEMORY;
    node->by_id = by_id;
    w = &node->pool[node->pool_n];
    *w = (waiting){.len = len, .chain = chain, .ticket = number, .since_ms = UINT64_MAX};
    w->bytes = mgc__alloc(node->ctx, len, 1);
    if (w->bytes == NULL) return MGC_E_NO_MEMORY;
    memcpy(w->bytes, bytes, len);
    memcpy(w->tx_id, tx_id, 32);
    put_by_id(node, node->pool_n, node->pool_n);
    node->pool_n++;
    return MGC_OK;
}

void mgc__node_pool_compact(mgc_node *node)
{
    size_t kept = 0;

    for (size_t i = 0; i < node->pool_n; i++)
        if (node->pool[i].bytes != NULL) node->pool[kept++] = node->pool[i];
    node->pool_n = kept;
    for (size_t i = 0; i < kept; i++) put_by_id(node, i, i);
}

void mgc__node_pool_free(mgc_node *node)
{
    for (size_t i = 0; i < node->pool_n; i++) mgc__free(node->ctx, node->pool[i].bytes);
    mgc__free(node->ctx, node->pool);
    mgc__free(node->ctx, node->by_id);
    for (size_t i = 0; i < node->tickets_cap; i++) mgc__free(node->ctx, node->tickets[i].rule);
    mgc__free(node->ctx, node->tickets);
}

/* A refusal is the ticket's news; only what the host must act upon is the call's. */
static mgc_status refuse_now(mgc_node *node, const uint8_t tx_id[32], mgc_status status, uint64_t *number)
{
    char rule[MGC_RULE_MAX + 1];
    size_t len = strlen(mgc_ctx_error(node->ctx));
    uint64_t own = 0;
    mgc_status st;

    if (len > MGC_RULE_MAX) len = MGC_RULE_MAX;
    memcpy(rule, mgc_ctx_error(node->ctx), len);
    rule[len] = '\0';
    st = mgc__node_ticket_new(node, tx_id, &own);
    if (st != MGC_OK) return st;
    mgc__node_ticket_refuse(node, own, status, rule);
    if (number != NULL) *number = own;
    return MGC_OK;
}

/* A full pool keeps nobody out for what waits for a nonce that may never come: that goes, all of it at once. */
static bool make_room(mgc_node *node)
{
    if (node->pool_n < MGC_POOL_MAX) return true;
    for (size_t i = 0; i < node->pool_n; i++) {
        waiting *w = &node->pool[i];

        if (!w->held || w->bytes == NULL) continue;
        mgc__node_ticket_refuse(node, w->ticket, MGC_E_RATE, "the nonce before its own did not come, and others need its place");
        mgc__free(node->ctx, w->bytes);
        w->bytes = NULL;
    }
    mgc__node_pool_compact(node);
    return node->pool_n < MGC_POOL_MAX;
}

static mgc_status wait_for_block(mgc_node *node, const uint8_t *bytes, size_t len, const uint8_t tx_id[32],
                                 uint32_t chain, uint64_t *number)
{
    uint64_t own = 0;
    mgc_status st;

    if (!make_room(node))
        return mgc__fail(node->ctx, MGC_E_RATE, "node: %d transactions wait already; hand it in again later",
                         MGC_POOL_MAX);
    st = mgc__node_ticket_new(node, tx_id, &own);
    if (st != MGC_OK) return st;
    if (pool_add(node, bytes, len, tx_id, chain, own) != MGC_OK) {
        mgc__node_ticket_refuse(node, own, MGC_E_NO_MEMORY, "no memory");
        return mgc__no_memory(node->ctx, "node: a waiting transaction");
    }
    if (number != NULL) *number = own;
    return MGC_OK;
}

/* The chain that a transaction names; the first where it names none of ours, which then refuses it. */
static uint32_t chain_named(const mgc_node *node, const uint8_t chain_id[32])
{
    for (uint32_t i = 0; i < node->n_chains; i++) {
        mgc_chain_info info = {.struct_size = sizeof info};

        if (mgc_chain_get_info(node->chains[i], &info) == MGC_OK && memcmp(info.chain_id, chain_id, 32) == 0) return i;
    }
    return 0;
}

mgc_status mgc_node_submit(mgc_node *node, const uint8_t *bytes, size_t len, uint64_t *number)
{
    mgc_tx_info tx = {.struct_size = sizeof tx};
    static const uint8_t nothing[32];
    bool found;
    size_t at;
    uint32_t chain;
    mgc_status st = mgc__node_started(node, true);

    if (number != NULL) *number = 0;
    if (st != MGC_OK) return st;
    if (bytes == NULL && len > 0) return mgc__fail(node->ctx, MGC_E_INVALID_ARG, "node: bytes is NULL");
    st = mgc_tx_decode(bytes, len, &tx);
    if (st != MGC_OK) return refuse_now(node, nothing, st, number);
    at = place_of(node, tx.tx_id, node->pool_n, &found);
    if (found) {
        if (number != NULL) *number = node->pool[node->by_id[at]].ticket;
        return MGC_OK;
    }
    chain = chain_named(node, tx.chain_id);
    st = mgc_chain_check_tx(node->chains[chain], bytes, len);
    if (mgc__is_fatal(st)) return st;
    if (st != MGC_OK && st != MGC_E_NONCE_GAP) return refuse_now(node, tx.tx_id, st, number);
    st = wait_for_block(node, bytes, len, tx.tx_id, chain, number);
    if (st == MGC_OK && node->cluster != NULL) mgc__cluster_forward(node, bytes, len);
    return st;
}

waiting *mgc__node_pool_find(mgc_node *node, const uint8_t tx_id[32])
{
    bool found;
    size_t at = place_of(node, tx_id, node->pool_n, &found);

    return found ? &node->pool[node->by_id[at]] : NULL;
}

mgc_status mgc__node_pool_check(mgc_node *node)
{
    enum { AT_ONCE = 64 }; /* a full pool is through in a minute, and no tick is held up */
    size_t n = node->pool_n < AT_ONCE ? node->pool_n : AT_ONCE;
    bool some = false;

    for (size_t i = 0; i < n; i++) {
        waiting *w = &node->pool[node->checked++ % node->pool_n];
        mgc_status st = w->bytes == NULL ? MGC_OK : mgc_chain_check_tx(node->chains[w->chain], w->bytes, w->len);

        if (st == MGC_OK || st == MGC_E_NONCE_GAP) continue;
        if (mgc__is_fatal(st)) return st;
        mgc__node_ticket_refuse(node, w->ticket, st, mgc_ctx_error(node->ctx));
        mgc__free(node->ctx, w->bytes);
        w->bytes = NULL;
        some = true;
    }
    if (some) mgc__node_pool_compact(node);
    return MGC_OK;
}

mgc_status mgc__node_take(mgc_node *node, const uint8_t *bytes, size_t len)
{
    mgc_tx_info tx = {.struct_size = sizeof tx};
    uint32_t chain;
    mgc_status st = mgc_tx_decode(bytes, len, &tx);

    if (st != MGC_OK) return mgc__is_fatal(st) ? st : MGC_OK;
    if (mgc__node_pool_find(node, tx.tx_id) != NULL) return MGC_OK;
    chain = chain_named(node, tx.chain_id);
    st = mgc_chain_check_tx(node->chains[chain], bytes, len);
    if (st != MGC_OK && st != MGC_E_NONCE_GAP) return mgc__is_fatal(st) ? st : MGC_OK; /* its own member tells why */
    st = wait_for_block(node, bytes, len, tx.tx_id, chain, NULL);
    return st == MGC_E_RATE ? MGC_OK : st; /* it is told again */
}

mgc_status mgc_node_next_nonce(mgc_node *node, const uint8_t *sender, uint32_t contract, uint64_t *nonce)
{
    mgc_status st = mgc__node_started(node, false);

    if (st != MGC_OK) return st;
    if (sender == NULL || nonce == NULL)
        return mgc__fail(node->ctx, MGC_E_INVALID_ARG, "node: sender or nonce is NULL");
    st = mgc_chain_next_nonce(node->chains[mgc__node_home(node, contract)], sender, contract, nonce);
    for (size_t i = 0; i < node->pool_n && st == MGC_OK; i++) {
        mgc_tx_info tx = {.struct_size = sizeof tx};

        st = mgc_tx_decode(node->pool[i].bytes, node->pool[i].len, &tx);
        if (st == MGC_OK && tx.contract == contract && memcmp(tx.sender, sender, 32) == 0 && tx.nonce == *nonce)
            (*nonce)++;
    }
    return st;
}
