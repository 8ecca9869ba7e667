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

enum { LOOKED_MAX = 100000 }; /* items looked at for a page: where few pass, it ends with less than it may have */

/* A question about blocks, and where it stands. */
typedef struct scan {
    mgc_node *node;
    const mgc_query *query;
    mgc_rows *rows;
    mgc__page page;
    uint32_t of, chain;
    uint64_t from, to, looked;
    mgc_found at; /* told, or passed over, up to here */
    mgc_block *block; /* the one read last, owned */
    uint64_t block_height;
    bool indexed; /* the places are those of the streams, or all */
    mgc__sought streams[MGC_CONTRACTS_MAX]; /* of one kind, or: */
    size_t n_streams;
    uint8_t (*keys)[32]; /* owned: one stream each */
    size_t n_keys;
    char name[MGC_NAME_MAX + 1];
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

/* --- from place to place --- */

static mgc_status read_block(scan *s, uint64_t height)
{
    if (s->block != NULL && s->block_height == height) return MGC_OK;
    mgc_block_destroy(s->block);
    s->block_height = height;
    return mgc_chain_read_block(s->node->chains[s->chain], height, &s->block);
}

/* The next item of the block at hand: behind `at`, or where `first` its first.  false: no more. */
static bool next_in_block(const scan *s, bool first, mgc_found *at)
{
    mgc_receipt_info receipt = {.struct_size = sizeof receipt};
    uint32_t index = first ? 0 : at->index, event = first ? 0 : at->event + 1;
    mgc_block_info info = {.struct_size = sizeof info};

    if (s->of == OF_BLOCKS) return first;
    if (mgc_block_get_info(s->block, &info) != MGC_OK) return false;
    if (s->of == OF_TRANSACTIONS) {
        at->index = first ? 0 : at->index + 1;
        return at->index < info.n_txs;
    }
    for (; mgc_block_get_receipt(s->block, index, &receipt) == MGC_OK; index++, event = 0)
        if (event < receipt.n_events) {
            at->index = index;
            at->event = event;
            return true;
        }
    return false;
}

/* Each of these finds the place behind `at`, which it moves; *more false: there is none. */

static mgc_status next_of_streams(scan *s, mgc_found *at, bool *more)
{
    size_t n = s->n_keys > 0 ? s->n_keys : s->n_streams;
    mgc_found least = *at;

    *more = false;
    for (size_t i = 0; i < n; i++) {
        mgc__sought what = s->n_keys > 0 ? s->streams[0] : s->streams[i];
        mgc_found found;
        mgc_status st;

        if (s->n_keys > 0) what.name = s->keys[i];
        st = mgc__chain_find(s->node->chains[s->chain], &what, at, &found);
        if (st == MGC_E_NOT_FOUND) continue;
        if (st != MGC_OK) return st;
        if (!*more || found.height < least.height ||
            (found.height == least.height &&
             (found.index < least.index || (found.index == least.index && found.event < least.event))))
            least = found;
        *more = true;
    }
    *at = least;
    return MGC_OK;
}

/* Events of transactions that somebody signed: the streams lead to transactions. */
static mgc_status next_signed_event(scan *s, mgc_found *at, bool *more)
{
    mgc_receipt_info receipt = {.struct_size = sizeof receipt};
    mgc_found tx = {.height = at->height, .index = at->index};
    mgc_status st;

    *more = true;
    if (s->block != NULL && s->block_height == at->height &&
        mgc_block_get_receipt(s->block, at->index, &receipt) == MGC_OK && at->event + 1 < receipt.n_events) {
        at->event++;
        return MGC_OK;
    }
    do {
        receipt.n_events = 1;
        st = next_of_streams(s, &tx, more);
        if (st == MGC_OK && *more && tx.height <= s->to) st = read_block(s, tx.height);
        if (st == MGC_OK && *more && tx.height <= s->to) st = mgc_block_get_receipt(s->block, tx.index, &receipt);
    } while (st == MGC_OK && *more && receipt.n_events == 0);
    *at = tx;
    return st;
}

static mgc_status next_of_all(scan *s, uint64_t last, mgc_found *at, bool *more)
{
    bool first = false;
    mgc_status st = MGC_OK;

    *more = false;
    if (at->index == UINT32_MAX) { /* the block before the first */
        first = true;
        at->height++;
    }
    while (st == MGC_OK && !*more && at->height <= last) {
        st = read_block(s, at->height);
        if (st == MGC_OK) *more = next_in_block(s, first, at);
        if (!*more) at->height++;
        first = true;
    }
    return st;
}

/* The next page goes on behind the last place. */
static mgc_status end_page(scan *s)
{
    uint8_t place[16];
    uint64_t numbers[2] = {(uint64_t)s->chain << 48 | s->at.height, (uint64_t)s->at.index << 32 | s->at.event};

    for (size_t i = 0; i < 16; i++) place[i] = (uint8_t)(numbers[i / 8] >> (8 * (7 - i % 8)));
    mgc__page_end(&s->page, place, sizeof place);
    s->full = true;
    return MGC_OK;
}

static mgc_status tell(scan *s, const char *chain, const mgc_found *at)
{
    if (s->of == OF_BLOCKS) return put_block(s->rows, chain, s->block);
    if (s->of == OF_TRANSACTIONS)
        return put_transaction(s->query, s->node, chain, s->rows, s->block, at->height, at->index);
    return put_event(s->node, chain, s->rows, s->block, at->index, at->event);
}

static mgc_status over_places(scan *s, const mgc_chain_info *info)
{
    uint64_t last = s->to < info->height ? s->to : info->height;

    for (;;) {
        mgc_found at = s->at;
        bool pass, more;
        mgc_status st = !s->indexed                                      ? next_of_all(s, last, &at, &more)
                        : s->of == OF_EVENTS && s->query->sees_all == 0 ? next_signed_event(s, &at, &more)
                                                                         : next_of_streams(s, &at, &more);

        if (st == MGC_OK && (!more || at.height > last)) return MGC_OK;
        if (st == MGC_OK && s->page.limit != UINT64_MAX && s->looked++ == LOOKED_MAX) return end_page(s);
        if (st == MGC_OK) st = read_block(s, at.height);
        if (st == MGC_OK) st = passes(s, s->block, s->of == OF_EVENTS ? (uint64_t)at.index << 32 | at.event : at.index, &pass);
        if (st == MGC_OK && pass && mgc__page_full(&s->page)) return end_page(s);
        if (st == MGC_OK && pass) st = tell(s, info->name, &at);
        if (st != MGC_OK) return st;
        s->at = at;
    }
}

/* --- which index leads to the answer --- */

/* Streams of one kind for contracts of that name. */
static void by_contract(scan *s, uint32_t kind, const char *contract)
{
    uint32_t numbers[MGC_CONTRACTS_MAX];
    size_t n = mgc__contracts_numbers(s->node->contracts, contract, numbers);

    if (s->of == OF_EVENTS && strcmp(contract, "ledger") == 0) numbers[0] = 0, n = 1;
    for (size_t i = 0; i < n; i++)
        s->streams[s->n_streams++] = (mgc__sought){.kind = kind, .number = numbers[i], .name = s->name, .len = strlen(s->name)};
    s->indexed = n > 0; /* "?": of contracts that this node does not have */
}

static bool status_of(const char *name, uint32_t *status)
{
#define NUMBER_OF(code, value, text) {#code, (uint32_t)(value)},
    static const struct {
        const char *name;
        uint32_t number;
    } all[] = {MGC_STATUS_LIST(NUMBER_OF)};
#undef NUMBER_OF

    for (size_t i = 0; i < MGC__COUNT(all); i++)
        if (strcmp(all[i].name, name) == 0) {
            *status = all[i].number;
            return true;
        }
    return false;
}

static mgc_status by_member(scan *s, uint32_t kind, uint64_t member)
{
    mgc_chain *homes[HOMES];

    for (uint32_t i = 0; i < HOMES; i++) homes[i] = s->node->chains[s->node->n_chains == 1 ? 0 : i];
    s->streams[0] = (mgc__sought){.kind = kind, .len = 32};
    s->indexed = true;
    if (member == 0 || member > UINT32_MAX) return MGC_OK;
    return mgc__contracts_keys(s->node->contracts, homes, (uint32_t)member, &s->keys, &s->n_keys);
}

static mgc_status choose_index(scan *s)
{
    char contract[MGC_NAME_MAX + 1] = "", status[MGC_NAME_MAX + 1] = "";
    uint64_t member = 0;
    uint32_t number;

    (void)mgc_query_text(s->query, "contract", contract, sizeof contract);
    if (s->of == OF_EVENTS && s->query->sees_all == 0) return by_member(s, MGC__FIND_SIGNER, s->query->caller);
    if (s->of == OF_TRANSACTIONS && mgc__query_has(s->query, "member")) {
        (void)mgc_query_uint(s->query, "member", &member);
        return by_member(s, MGC__FIND_SENDER, member);
    }
    if (s->of == OF_TRANSACTIONS && mgc_query_text(s->query, "status", status, sizeof status) && status_of(status, &number) &&
        (number != 0 || contract[0] == '\0')) {
        s->streams[s->n_streams++] = (mgc__sought){.kind = MGC__FIND_STATUS, .number = number};
        s->indexed = true;
        return MGC_OK;
    }
    if (s->of == OF_EVENTS && mgc_query_text(s->query, "name", s->name, sizeof s->name) && contract[0] == '\0') {
        s->streams[s->n_streams++] = (mgc__sought){.kind = MGC__FIND_EVENT_NAME, .name = s->name, .len = strlen(s->name)};
        s->indexed = true;
        return MGC_OK;
    }
    if (contract[0] != '\0')
        by_contract(s, s->of == OF_TRANSACTIONS ? MGC__FIND_CONTRACT : s->name[0] != '\0' ? MGC__FIND_EVENT : MGC__FIND_EVENT_CONTRACT,
                    contract);
    return MGC_OK;
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

/* Where the page begins: the chain, and the place there. */
static uint32_t begin_after(scan *s)
{
    const uint8_t *at = s->page.after;

    s->at = (mgc_found){.height = s->from - 1, .index = UINT32_MAX, .event = UINT32_MAX};
    if (s->page.after_len != 16) return 0;
    s->at = (mgc_found){.height = mgc__key_read(at, 2, 6),
                        .index = (uint32_t)mgc__key_read(at, 8, 4),
                        .event = (uint32_t)mgc__key_read(at, 12, 4)};
    return at[1]; /* of 16 bits */
}

static mgc_status over_chains(scan *s)
{
    mgc_status st = choose_index(s);

    for (s->chain = begin_after(s); s->chain < s->node->n_chains && !s->full && st == MGC_OK; s->chain++) {
        mgc_chain_info info = {.struct_size = sizeof info};

        st = mgc_chain_get_info(s->node->chains[s->chain], &info);
        if (!mgc__query_has(s->query, "height") && s->at.height + 1 < mgc__chain_first_block(s->node->chains[s->chain]))
            s->at = (mgc_found){mgc__chain_first_block(s->node->chains[s->chain]) - 1, UINT32_MAX, UINT32_MAX}; /* pruned */
        if (st == MGC_OK && s->of == OF_EVENTS && s->query->sees_all == 0 && s->at.index != UINT32_MAX && s->at.height <= info.height)
            st = read_block(s, s->at.height); /* the rest of a transaction's events */
        if (st == MGC_OK && text_is(s->query, "chain", info.name, strlen(info.name))) st = over_places(s, &info);
        mgc_block_destroy(s->block);
        s->block = NULL;
        s->at = (mgc_found){.height = s->from - 1, .index = UINT32_MAX, .event = UINT32_MAX};
    }
    mgc__free(s->node->ctx, s->keys);
    return st;
}

static mgc_status over_blocks(scan *s)
{
    char hex[65];

    if (mgc__query_has(s->query, "tx_id"))
        return one_transaction(s, mgc_query_text(s->query, "tx_id", hex, sizeof hex) ? hex : "");
    s->from = 1;
    s->to = UINT64_MAX;
    if (mgc_query_uint(s->query, "height", &s->from)) s->to = s->from;
    (void)mgc_query_uint(s->query, "from", &s->from);
    (void)mgc_query_uint(s->query, "to", &s->to);
    if (s->from == 0) s->from = 1;
    return over_chains(s);
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
        return st != MGC_OK ? st : over_blocks(&s);
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
