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

/* Who signed may see what came of it; and those who see all. */
static bool may_see(mgc_node *node, const mgc_query *query, const mgc_block *block, uint32_t index)
{
    mgc_tx_info tx = {.struct_size = sizeof tx};
    mgc_tx_signature signature;
    const uint8_t *bytes;
    size_t len;

    if (query->sees_all) return true;
    if (mgc_block_get_tx(block, index, &bytes, &len, &tx) != MGC_OK) return false; /* the block's own: gates */
    for (uint32_t i = 0; query->caller != 0 && mgc_tx_decode_signature(bytes, len, i, &signature) == MGC_OK; i++)
        if (mgc__contracts_member(node->chains[0], signature.public_key) == query->caller) return true;
    return false;
}

/* That it stands and whether it was done is everybody's; the rule's sentence names amounts and limits of who signed. */
static mgc_status put_transaction(const mgc_query *query, mgc_node *node, const char *chain, mgc_rows *rows, const mgc_block *block,
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
    if (st == MGC_OK) st = mgc_rows_put_text(rows, receipt.rule, may_see(node, query, block, index) ? receipt.rule_len : 0);
    return st != MGC_OK ? st : mgc__rows_put_ints(rows, (int64_t[]){(int64_t)receipt.cost, (int64_t)len}, 2);
}

/* --- events -------------------------------------------------------------------------------------------- */

/* Reasons are words; ids and amounts are not. */
static bool is_text(const mgc_event_info *event)
{
    for (size_t i = 0; i < event->payload_len; i++)
        if (event->payload[i] < ' ' || event->payload[i] == 0x7f) return false;
    return event->payload_len > 0 && mgc__utf8_valid(event->payload, event->payload_len);
}

static mgc_status put_event(mgc_node *node, const char *chain, mgc_rows *rows, const mgc_block *block, uint32_t receipt,
                            uint32_t index)
{
    mgc_block_info info = {.struct_size = sizeof info};
    mgc_event_info event = {.struct_size = sizeof event};
    mgc_status st = mgc_block_get_info(block, &info);

    if (st == MGC_OK) st = mgc_block_get_event(block, receipt, index, &event);
    if (st == MGC_OK) st = put_text(rows, chain);
    if (st == MGC_OK) st = mgc__rows_put_ints(rows, (int64_t[]){(int64_t)info.height, receipt, index}, 3);
    if (st == MGC_OK) st = put_text(rows, event.contract == 0 ? "ledger" : mgc__contracts_name(node->contracts, event.contract));
    if (st == MGC_OK) st = mgc_rows_put_text(rows, event.name, event.name_len);
    if (st == MGC_OK) st = mgc_rows_put_hex(rows, event.payload, event.payload_len);
    if (st != MGC_OK) return st;
    return mgc_rows_put_text(rows, (const char *)event.payload, is_text(&event) ? event.payload_len : 0);
}

/* --- over the blocks of all chains ------------------------------------------------------------------------ */

enum { OF_BLOCKS, OF_TRANSACTIONS, OF_EVENTS };

static const struct {
    const char *what, *keys, *columns;
} scans[] = {
    {"blocks", "chain|height|from|to", "chain height time_ms transactions refused hash previous proposer votes bytes"},
    {"transactions", "chain|height|from|to|tx_id|contract|member|status",
     "chain height index tx_id contract method sender status rule cost bytes"},
    {"events", "chain|height|from|to|contract|name", "chain height index event contract name payload text"},
};

/* A question about blocks, and where it stands: chain, height, item in the block. */
typedef struct scan {
    mgc_node *node;
    const mgc_query *query;
    mgc_rows *rows;
    mgc__page page;
    uint32_t of;
    uint8_t place[16]; /* after which the next page would begin */
    uint32_t chain;
    uint64_t from, to, item, skip; /* skip: items of the first block that were told on earlier pages */
    bool full;
} scan;

static bool text_is(const mgc_query *query, const char *key, const char *text, size_t len)
{
    char wanted[MGC_NAME_MAX + 1];

    if (!mgc__query_has(query, key)) return true;
    return mgc_query_text(query, key, wanted, sizeof wanted) && strlen(wanted) == len && memcmp(wanted, text, len) == 0;
}

static bool sent_by(const scan *s, const uint8_t *sender)
{
    uint64_t member;

    if (!mgc__query_has(s->query, "member")) return true;
    return mgc_query_uint(s->query, "member", &member) && member != 0 && mgc__contracts_member(s->node->chains[0], sender) == member;
}

/* Would the item make a row?  item: of a transaction its index; of an event its receipt << 32 | index. */
static mgc_status passes(const scan *s, const mgc_block *block, uint64_t item, bool *pass)
{
    mgc_receipt_info receipt = {.struct_size = sizeof receipt};
    mgc_event_info event = {.struct_size = sizeof event};
    mgc_tx_info tx = {.struct_size = sizeof tx};
    const char *text;
    const uint8_t *bytes;
    size_t len;
    mgc_status st;

    *pass = true;
    if (s->of == OF_BLOCKS) return MGC_OK;
    if (s->of == OF_EVENTS) {
        st = mgc_block_get_event(block, (uint32_t)(item >> 32), (uint32_t)item, &event);
        if (st != MGC_OK) return st;
        text = event.contract == 0 ? "ledger" : mgc__contracts_name(s->node->contracts, event.contract);
        *pass = text_is(s->query, "contract", text, strlen(text)) && text_is(s->query, "name", event.name, event.name_len) &&
                may_see(s->node, s->query, block, (uint32_t)(item >> 32));
        return MGC_OK;
    }
    st = mgc_block_get_tx(block, (uint32_t)item, &bytes, &len, &tx);
    if (st == MGC_OK) st = mgc_block_get_receipt(block, (uint32_t)item, &receipt);
    if (st != MGC_OK) return st;
    text = mgc__contracts_name(s->node->contracts, tx.contract);
    *pass = text_is(s->query, "contract", text, strlen(text)) && sent_by(s, tx.sender) &&
            text_is(s->query, "status", mgc_status_name(receipt.status), strlen(mgc_status_name(receipt.status)));
    return MGC_OK;
}

/* Tell one item, unless it stood on an earlier page, does not pass, or the page is full. */
static mgc_status tell(scan *s, const char *chain, const mgc_block *block, uint64_t height, uint64_t item)
{
    uint64_t where[2] = {(uint64_t)s->chain << 48 | height, s->item + 1}; /* items told of the block */
    bool pass;
    mgc_status st;

    if (s->item++ < s->skip) return MGC_OK;
    st = passes(s, block, item, &pass);
    if (st != MGC_OK || !pass) return st;
    if (mgc__page_full(&s->page)) {
        s->full = true;
        mgc__page_end(&s->page, s->place, sizeof s->place);
        return MGC_OK;
    }
    for (size_t i = 0; i < 16; i++) s->place[i] = (uint8_t)(where[i / 8] >> (8 * (7 - i % 8)));
    if (s->of == OF_BLOCKS) return put_block(s->rows, chain, block);
    if (s->of == OF_TRANSACTIONS) return put_transaction(s->query, s->node, chain, s->rows, block, height, (uint32_t)item);
    return put_event(s->node, chain, s->rows, block, (uint32_t)(item >> 32), (uint32_t)item);
}

static mgc_status over_block(scan *s, const char *chain, const mgc_block *block)
{
    mgc_block_info info = {.struct_size = sizeof info};
    mgc_receipt_info receipt = {.struct_size = sizeof receipt};
    mgc_status st = mgc_block_get_info(block, &info);

    s->item = 0;
    if (st != MGC_OK || s->of == OF_BLOCKS) return st != MGC_OK ? st : tell(s, chain, block, info.height, 0);
    for (uint32_t i = 0; s->of == OF_TRANSACTIONS && i < info.n_txs && !s->full && st == MGC_OK; i++)
        st = tell(s, chain, block, info.height, i);
    for (uint32_t i = 0; s->of == OF_EVENTS && st == MGC_OK && mgc_block_get_receipt(block, i, &receipt) == MGC_OK; i++)
        for (uint32_t e = 0; e < receipt.n_events && !s->full && st == MGC_OK; e++)
            st = tell(s, chain, block, info.height, (uint64_t)i << 32 | e);
    return st;
}

static mgc_status over_heights(scan *s, const mgc_chain_info *info, uint64_t from)
{
    mgc_chain *chain = s->node->chains[s->chain];
    uint64_t to = s->to < info->height ? s->to : info->height;
    mgc_status st = MGC_OK;

    for (uint64_t height = from; height <= to && !s->full && st == MGC_OK; height++) {
        mgc_block *block;

        st = mgc_chain_read_block(chain, height, &block);
        if (st == MGC_OK) st = over_block(s, info->name, block);
        mgc_block_destroy(block);
        s->skip = 0;
    }
    return st;
}

/* One transaction by its id: no block but its own is read. */
static mgc_status one_transaction(scan *s, const char *hex)
{
    uint8_t id[32];

    if (!mgc__from_hex(hex, id, sizeof id))
        return mgc__fail(s->node->ctx, MGC_E_INVALID_ARG, "node: tx_id has 64 hexadecimal digits");
    for (s->chain = 0; s->chain < s->node->n_chains; s->chain++) {
        mgc_chain *chain = s->node->chains[s->chain];
        mgc_chain_info info = {.struct_size = sizeof info};
        mgc_block *block = NULL;
        uint64_t height;
        uint32_t index;
        mgc_status st;

        if (mgc_chain_find_tx(chain, id, &height, &index) != MGC_OK) continue;
        st = mgc_chain_get_info(chain, &info);
        if (st == MGC_OK) st = mgc_chain_read_block(chain, height, &block);
        if (st == MGC_OK) st = put_transaction(s->query, s->node, info.name, s->rows, block, height, index);
        mgc_block_destroy(block);
        return st;
    }
    return MGC_OK;
}

/* Where the page begins: the first chain and height, and how many items of that block were told. */
static void begin_after(scan *s, uint32_t *chain, uint64_t *height)
{
    const uint8_t *at = s->page.after;

    *chain = 0;
    *height = s->from;
    if (s->page.after_len != sizeof s->place) return;
    *chain = at[1]; /* 16 bits of the first number */
    *height = mgc__key_read(at, 2, 6);
    s->skip = mgc__key_read(at, 8, 8);
    memcpy(s->place, at, sizeof s->place);
}

static mgc_status over_chains(scan *s)
{
    uint64_t height;
    uint32_t first;
    char hex[65];
    mgc_status st = MGC_OK;

    if (mgc__query_has(s->query, "tx_id"))
        return one_transaction(s, mgc_query_text(s->query, "tx_id", hex, sizeof hex) ? hex : "");
    s->from = 1;
    s->to = UINT64_MAX;
    if (mgc_query_uint(s->query, "height", &s->from)) s->to = s->from;
    (void)mgc_query_uint(s->query, "from", &s->from);
    (void)mgc_query_uint(s->query, "to", &s->to);
    if (s->from == 0) s->from = 1;
    begin_after(s, &first, &height);
    for (s->chain = first; s->chain < s->node->n_chains && !s->full && st == MGC_OK; s->chain++) {
        mgc_chain_info info = {.struct_size = sizeof info};

        st = mgc_chain_get_info(s->node->chains[s->chain], &info);
        if (st == MGC_OK && text_is(s->query, "chain", info.name, strlen(info.name)))
            st = over_heights(s, &info, s->chain == first ? height : s->from);
        s->skip = 0;
    }
    return st;
}

static mgc_status ask(mgc_node *node, const mgc_query *query, mgc_rows *rows)
{
    mgc_chain *homes[HOMES];

    for (uint32_t i = 0; i < MGC__COUNT(scans); i++) {
        scan s = {.node = node, .query = query, .rows = rows, .of = i};
        mgc_chain_info info = {.struct_size = sizeof info};
        mgc_query full = *query;
        mgc_status st;

        if (strcmp(query->what, scans[i].what) != 0) continue;
        full.sees_all = mgc__contracts_sees_all(node->chains[0], query->caller, query->what);
        s.query = &full;
        st = mgc__query_keys(node->ctx, query, scans[i].keys);
        if (st == MGC_OK) st = mgc_rows_begin(rows, scans[i].columns);
        if (st == MGC_OK) st = mgc_chain_get_info(node->chains[0], &info);
        if (st == MGC_OK) st = mgc__page_begin(node->ctx, query, info.chain_id, rows, &s.page);
        return st != MGC_OK ? st : over_chains(&s);
    }
    if (strcmp(query->what, "reads") == 0) {
        mgc_chain_info info = {.struct_size = sizeof info};
        mgc__page page;
        mgc_status st = mgc__query_keys(node->ctx, query, "member");

        if (st == MGC_OK) st = mgc_chain_get_info(node->chains[0], &info);
        if (st == MGC_OK) st = mgc__page_begin(node->ctx, query, info.chain_id, rows, &page);
        return st != MGC_OK ? st : mgc__node_reads(node, query, &page, rows);
    }
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
    st = mgc__node_audit(node, caller, what, query.arguments);
    if (st == MGC_OK) st = mgc__rows_create(node->ctx, &rows);
    if (st != MGC_OK) return st;
    st = ask(node, &query, rows);
    if (st != MGC_OK) {
        mgc_rows_destroy(rows);
        return st;
    }
    *out = rows;
    return MGC_OK;
}
