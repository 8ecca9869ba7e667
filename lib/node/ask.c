/* SPDX-License-Identifier: Apache-2.0 */
/* Queries: blocks and transactions from the chain, the rest from the contracts. */
#include "node/node.h"

static mgc_status put_text(mgc_rows *rows, const char *text)
{
    return mgc_rows_put_text(rows, text, strlen(text));
}

/* --- blocks --------------------------------------------------------------------------------------- */

static mgc_status count_refused(const mgc_block *block, const mgc_block_info *info, int64_t *refused)
{
    *refused = 0;
    for (uint32_t i = 0; i < info->n_txs; i++) {
        mgc_receipt_info receipt = {.struct_size = sizeof receipt};
        mgc_status st = mgc_block_get_receipt(block, i, &receipt);

        if (st != MGC_OK) return st;
        if (receipt.status != MGC_OK) (*refused)++;
    }
    return MGC_OK;
}

static mgc_status put_block(mgc_rows *rows, const char *chain, const mgc_block *block)
{
    mgc_block_info info = {.struct_size = sizeof info};
    const uint8_t *bytes;
    size_t len = 0;
    int64_t refused = 0;
    mgc_status st = mgc_block_get_info(block, &info);

    if (st == MGC_OK) st = count_refused(block, &info, &refused);
    if (st == MGC_OK) st = mgc_block_get_bytes(block, &bytes, &len);
    if (st == MGC_OK) st = put_text(rows, chain);
    if (st == MGC_OK)
        st = mgc__rows_put_ints(rows, (int64_t[]){(int64_t)info.height, (int64_t)info.time_ms, info.n_txs, refused},
                                4);
    if (st == MGC_OK) st = mgc_rows_put_hex(rows, info.hash, 32);
    if (st == MGC_OK) st = mgc_rows_put_hex(rows, info.previous, 32);
    return st != MGC_OK ? st : mgc__rows_put_ints(rows, (int64_t[]){info.proposer, info.n_votes, (int64_t)len}, 3);
}

/* --- transactions ------------------------------------------------------------------------------------ */

static mgc_status put_transaction(mgc_node *node, const char *chain, mgc_rows *rows, const mgc_block *block,
                                  uint64_t height, uint32_t index)
{
    mgc_tx_info tx = {.struct_size = sizeof tx};
    mgc_receipt_info receipt = {.struct_size = sizeof receipt};
    const uint8_t *bytes;
    size_t len = 0;
    mgc_status st = mgc_block_get_tx(block, index, &bytes, &len, &tx);

    if (st == MGC_OK) st = mgc_block_get_receipt(block, index, &receipt);
    if (st == MGC_OK) st = put_text(rows, chain);
    if (st == MGC_OK) st = mgc__rows_put_ints(rows, (int64_t[]){(int64_t)height, index}, 2);
    if (st == MGC_OK) st = mgc_rows_put_hex(rows, tx.tx_id, 32);
    if (st == MGC_OK) st = put_text(rows, mgc__contracts_name(node->contracts, tx.contract));
    if (st == MGC_OK) st = mgc_rows_put_text(rows, tx.method, tx.method_len);
    if (st == MGC_OK) st = mgc_rows_put_hex(rows, tx.sender, 32);
    if (st == MGC_OK) st = put_text(rows, mgc_status_name(receipt.status));
    if (st == MGC_OK) st = mgc_rows_put_text(rows, receipt.rule, receipt.rule_len);
    return st != MGC_OK ? st : mgc__rows_put_ints(rows, (int64_t[]){(int64_t)receipt.cost, (int64_t)len}, 2);
}

static mgc_status put_transactions(mgc_node *node, const char *chain, mgc_rows *rows, const mgc_block *block)
{
    mgc_block_info info = {.struct_size = sizeof info};
    mgc_status st = mgc_block_get_info(block, &info);

    for (uint32_t i = 0; i < info.n_txs && st == MGC_OK; i++)
        st = put_transaction(node, chain, rows, block, info.height, i);
    return st;
}

/* --- both, over a range of heights ------------------------------------------------------------------------ */

static mgc_status over_blocks(mgc_node *node, uint32_t at, const mgc_query *query, bool blocks, mgc_rows *rows)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    uint64_t from = 1, to = UINT64_MAX;
    char name[MGC_CHAIN_NAME_MAX + 1];
    mgc_status st = mgc_chain_get_info(node->chains[at], &info);

    if (st == MGC_OK && mgc_query_text(query, "chain", name, sizeof name) && strcmp(name, info.name) != 0)
        return MGC_OK;
    if (mgc_query_uint(query, "height", &from)) to = from;
    (void)mgc_query_uint(query, "from", &from);
    (void)mgc_query_uint(query, "to", &to);
    if (to > info.height) to = info.height;
    for (uint64_t height = from == 0 ? 1 : from; height <= to && st == MGC_OK; height++) {
        mgc_block *block;

        st = mgc_chain_read_block(node->chains[at], height, &block);
        if (st == MGC_OK) st = blocks ? put_block(rows, info.name, block) : put_transactions(node, info.name, rows, block);
        mgc_block_destroy(block);
    }
    return st;
}

static mgc_status over_chains(mgc_node *node, const mgc_query *query, bool blocks, const char *columns, mgc_rows *rows)
{
    mgc_status st = mgc__query_keys(node->ctx, query, "chain|height|from|to");

    if (st == MGC_OK) st = mgc_rows_begin(rows, columns);
    for (uint32_t i = 0; i < node->n_chains && st == MGC_OK; i++) st = over_blocks(node, i, query, blocks, rows);
    return st;
}

static mgc_status ask(mgc_node *node, const mgc_query *query, mgc_rows *rows)
{
    mgc_chain *homes[HOMES];

    if (strcmp(query->what, "blocks") == 0)
        return over_chains(node, query, true,
                           "chain height time_ms transactions refused hash previous proposer votes bytes", rows);
    if (strcmp(query->what, "transactions") == 0)
        return over_chains(node, query, false,
                           "chain height index tx_id contract method sender status rule cost bytes", rows);
    for (uint32_t i = 0; i < HOMES; i++) homes[i] = node->chains[node->n_chains == 1 ? 0 : i];
    return mgc__contracts_query(node->contracts, homes, query->caller, query->what, query->arguments, rows);
}

mgc_status mgc_node_query(mgc_node *node, uint32_t caller, const char *what, const char *arguments, mgc_rows **out)
{
    mgc_query query = {
        .struct_size = sizeof query, .what = what, .arguments = arguments == NULL ? "" : arguments, .caller = caller};
    mgc_rows *rows;
    mgc_status st;

    if (out != NULL) *out = NULL;
    st = mgc__node_started(node, false);
    if (st != MGC_OK) return st;
    if (what == NULL || out == NULL) return mgc__fail(node->ctx, MGC_E_INVALID_ARG, "node: what or out is NULL");
    st = mgc__rows_create(node->ctx, &rows);
    if (st == MGC_OK) st = ask(node, &query, rows);
    if (st != MGC_OK) {
        mgc_rows_destroy(rows);
        return st;
    }
    *out = rows;
    return MGC_OK;
}
