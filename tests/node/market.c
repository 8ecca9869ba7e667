/* SPDX-License-Identifier: Apache-2.0 */
#include "market.h"

#include "ledger/block.h"

const struct market_trade market_trades[SLOTS][3] = {
    {{1, 1, 2, MGC_CARRIER_ELECTRICITY, 300000, 90123}, {2, 2, 3, MGC_CARRIER_HEAT, 50000, 70001}, {0}},
    {{1, 2, 1, MGC_CARRIER_ELECTRICITY, 123457, 101499}, {2, 3, 2, MGC_CARRIER_HEAT, 1, 70001}, {0}},
    {{1, 1, 2, MGC_CARRIER_ELECTRICITY, 500000, -3001}, {1, 2, 1, MGC_CARRIER_ELECTRICITY, 77, 1}, {0}},
    {{2, 2, 3, MGC_CARRIER_HEAT, 99999, 65432}, {1, 1, 2, MGC_CARRIER_ELECTRICITY, 1, 499}, {0}},
};

const int64_t market_nominations[GRIDS + 1][2][SLOTS][2] = {
    [1] = {{{700000, 0}, {650001, 0}, {0, 120000}, {10, 0}}, {{0, 0}, {0, 0}, {0, 0}, {0, 0}}},
    [2] = {{{0, 50000}, {200000, 0}, {0, 0}, {400000, 0}}, {{60000, 0}, {0, 0}, {5, 0}, {111111, 0}}},
    [3] = {{{333333, 0}, {333333, 0}, {333334, 0}, {0, 1}}, {{0, 0}, {0, 0}, {0, 0}, {0, 0}}},
};

/* Meters 1..3 deviate from the nominations; link 1's delivery in slot 3 fails by 100000 Wh, which the grid makes
 * good. */
const int64_t market_net[METERS + 1][SLOTS] = {
    [1] = {710000, 650001, -220000, 0}, [2] = {-50000, 180000, 100000, 400001},
    [3] = {333333, 300000, 333334, -1}, [4] = {-300000, 123457, -399923, -1}, /* A's end of link 1 */
    [5] = {300000, -123457, 399923, 1},                                       /* B's end */
    [6] = {-50000, 0, 0, -99999}, /* B's end of link 2: what C sends loses its only Wh */
    [7] = {48500, -1, 0, 96999},  /* C's end */
    [8] = {60000, 0, 5, 111111},  /* heat bought by B */
    [9] = {123456, 7, 0, 999999}, /* gas of C */
};

const int64_t market_prices[2][SLOTS][5] = {
    {{126000, 29000, 158000, 20000, 400000},
     {127500, 30000, 159000, 21000, 400123},
     {126001, 30500, 158001, -500, 399999},
     {131000, 33000, 164000, 23000, 0}},
    {{90000, 0, 90000, 0, 0}, {90000, 0, 90000, 0, 0}, {90001, 0, 95000, 0, 1}, {90000, 0, 90000, 0, 0}},
};
const int64_t market_gas_factor = 202000;

bool market_three_chains;

/* --- life ---------------------------------------------------------------------------------------- */

mgc_status market_node(struct market *m)
{
    mgc_node_opts opts;
    mgc_status st;

    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.key = m->key;
    opts.genesis_time_ms = MORNING - 1000;
    opts.block_interval_ms = 0;
    opts.segment_bytes = 65536;
    opts.genesis_nonce[0] = m->nonce;
    opts.read_only = m->read_only;
    if (market_three_chains) opts.chain = NULL;
    st = mgc_node_create(m->ctx, &opts, &m->node);
    if (st == MGC_OK) st = mgc_node_set_storage(m->node, &disk_ops, &m->disk);
    for (size_t i = 0; i < m->n_hosts && st == MGC_OK; i++) st = mgc_node_add_contract(m->node, &m->hosts[i], m->host_users[i]);
    if (st == MGC_OK) st = mgc_node_start(m->node);
    if (st == MGC_OK) return st;
    mgc_node_destroy(m->node);
    m->node = NULL;
    return st;
}

void market_start(struct market *m)
{
    mgc_status st = market_node(m);

    ck_assert_msg(st == MGC_OK, "%s: %s", mgc_status_name(st), mgc_ctx_error(m->ctx));
}

void market_open(struct market *m)
{
    static const uint8_t seed[32] = {200};
    struct market before = *m;
    mgc_ctx_opts opts;

    memset(m, 0, sizeof *m);
    memcpy(m->hosts, before.hosts, sizeof m->hosts);
    memcpy(m->host_users, before.host_users, sizeof m->host_users);
    m->n_hosts = before.n_hosts;
    m->pending_blocks = before.pending_blocks;
    m->nonce = before.nonce;
    mgc_ctx_opts_init(&opts, sizeof opts);
    opts.allocator = m->allocator = before.allocator;
    ck_assert_int_eq(mgc_ctx_create(&opts, &m->ctx), MGC_OK);
    disk_init(&m->disk);
    ck_assert_int_eq(mgc_key_from_seed(m->ctx, seed, &m->key), MGC_OK);
    m->now = MORNING;
    market_start(m);
}

void market_stop(struct market *m)
{
    mgc_node_destroy(m->node);
    m->node = NULL;
}

void market_power_cut(struct market *m)
{
    market_stop(m);
    disk_crash(&m->disk, &m->rng);
    m->disk.fault_at = -1;
    m->disk.dead = m->disk.die = false;
    market_start(m);
}

void market_close(struct market *m)
{
    market_stop(m);
    for (size_t i = 0; i < m->n_keys; i++) mgc_key_destroy(m->keys[i].key);
    mgc_key_destroy(m->key);
    disk_free(&m->disk);
    mgc_ctx_destroy(m->ctx);
}

const mgc_key *market_key(struct market *m, uint32_t member)
{
    uint8_t seed[32] = {0};

    if (member == VALIDATOR) return m->key;
    for (size_t i = 0; i < m->n_keys; i++)
        if (m->keys[i].member == member) return m->keys[i].key;
    ck_assert_uint_lt(m->n_keys, 64);
    seed[0] = (uint8_t)member;
    seed[1] = (uint8_t)(member >> 8);
    seed[2] = 7;
    m->keys[m->n_keys].member = member;
    ck_assert_int_eq(mgc_key_from_seed(m->ctx, seed, &m->keys[m->n_keys].key), MGC_OK);
    return m->keys[m->n_keys++].key;
}

/* --- transactions ---------------------------------------------------------------------------------- */

static void set_rows(mgc_args *args, const char *field, char *text)
{
    for (char *row = text; row != NULL;) {
        char *next = strchr(row, ';');
        int64_t values[6];
        size_t n = 0;

        if (next != NULL) *next++ = '\0';
        for (char *at = row; at != NULL && n < 6; n++) {
            char *comma = strchr(at, ',');
            values[n] = strtoll(at, NULL, 10);
            at = comma == NULL ? NULL : comma + 1;
        }
        ck_assert_int_eq(mgc_args_add_row(args, field, values, n), MGC_OK);
        row = next;
    }
}

static uint32_t kind_of(uint32_t contract, const char *method, const char *field)
{
    mgc_field_info info = {.struct_size = sizeof info};

    for (uint32_t i = 0; mgc_field_describe(contract, method, i, &info) == MGC_OK; i++)
        if (strcmp(info.name, field) == 0) return info.kind;
    ck_abort_msg("method %s has no field %s", method, field);
    return 0;
}

/* Of 32 bytes n as salt and 32 bytes n + 1 as value, by the published rule. */
static void commitment(uint8_t hash[32], int n)
{
    static const char tag[] = "mgchain/commitment/1";
    uint8_t bytes[sizeof tag + 64];

    memcpy(bytes, tag, sizeof tag);
    memset(bytes + sizeof tag, n, 32);
    memset(bytes + sizeof tag + 32, n + 1, 32);
    ck_assert_int_eq(mgc_sha256(bytes, sizeof bytes, hash), MGC_OK);
}

static size_t from_hex(const char *text, uint8_t *bytes)
{
    size_t len = strlen(text) / 2;

    ck_assert_uint_le(len, MARKET_BYTES);
    for (size_t i = 0; i < len; i++) ck_assert_int_eq(sscanf(text + 2 * i, "%2hhx", &bytes[i]), 1);
    return len;
}

const char *market_hex(const void *bytes, size_t len)
{
    static char text[4][2 * MARKET_BYTES + 2];
    static unsigned turn;
    char *to = text[turn++ % 4];

    ck_assert_uint_le(len, MARKET_BYTES);
    to[0] = '$';
    to[1] = '\0';
    for (size_t i = 0; i < len; i++) snprintf(to + 1 + 2 * i, 3, "%02x", ((const uint8_t *)bytes)[i]);
    return to;
}

static void set_field(struct market *m, mgc_args *args, uint32_t contract, const char *method, char *item)
{
    char *value = strchr(item, '=');
    uint8_t bytes[MARKET_BYTES];
    size_t len = 32;

    ck_assert_ptr_nonnull(value);
    *value++ = '\0';
    switch (kind_of(contract, method, item)) {
    case MGC_FIELD_TEXT: ck_assert_int_eq(mgc_args_set_text(args, item, value), MGC_OK); break;
    case MGC_FIELD_ROWS: set_rows(args, item, value); break;
    case MGC_FIELD_BYTES:
        memset(bytes, atoi(value + 1), 32);
        if (*value == '$') len = from_hex(value + 1, bytes);
        if (*value == '@') ck_assert_int_eq(mgc_key_public(market_key(m, (uint32_t)atoi(value + 1)), bytes), MGC_OK);
        if (*value == '!') commitment(bytes, atoi(value + 1));
        ck_assert_int_eq(mgc_args_set_bytes(args, item, bytes, len), MGC_OK);
        break;
    default: ck_assert_int_eq(mgc_args_set_int(args, item, strtoll(value, NULL, 10)), MGC_OK);
    }
}

static uint64_t *nonce_of(struct market *m, uint32_t member, uint32_t contract)
{
    for (size_t i = 0; i < m->n_nonces; i++)
        if (m->nonces[i].member == member && m->nonces[i].contract == contract) return &m->nonces[i].next;
    ck_assert_uint_lt(m->n_nonces, 128);
    m->nonces[m->n_nonces].member = member;
    m->nonces[m->n_nonces].contract = contract;
    m->nonces[m->n_nonces].next = 1;
    return &m->nonces[m->n_nonces++].next;
}

static void sign_all(struct market *m, const uint8_t *body, size_t body_len, const char *signers)
{
    mgc_tx_signature signatures[4];
    size_t n = 0;
    char text[100], *rest;

    snprintf(text, sizeof text, "%s", signers);
    for (char *at = strtok_r(text, " ", &rest); at != NULL; at = strtok_r(NULL, " ", &rest), n++) {
        uint32_t member = (uint32_t)atoi(at), role = (uint32_t)atoi(strchr(at, ':') + 1);
        ck_assert_int_eq(mgc_tx_sign(body, body_len, market_key(m, member), role, &signatures[n]), MGC_OK);
    }
    ck_assert_int_eq(mgc_tx_assemble(body, body_len, signatures, n, m->last, sizeof m->last, &m->last_len), MGC_OK);
}

/* Arguments as they are, signed, into m->last. */
static void make(struct market *m, uint32_t contract, const char *method, const uint8_t *arguments, size_t len,
                 const char *signers)
{
    static uint8_t body[MGC_TX_BYTES_MAX];
    mgc_chain_info chain = {.struct_size = sizeof chain};
    uint8_t sender[32];
    size_t body_len;

    ck_assert_int_eq(mgc_chain_get_info(mgc_node_chain(m->node, contract), &chain), MGC_OK);
    ck_assert_int_eq(mgc_key_public(market_key(m, (uint32_t)atoi(signers)), sender), MGC_OK);
    mgc_tx_body tx = {.struct_size = sizeof tx,
                      .chain_id = chain.chain_id,
                      .sender = sender,
                      .contract = contract,
                      .method = method,
                      .arguments = arguments,
                      .arguments_len = len};
    tx.nonce = *nonce_of(m, (uint32_t)atoi(signers), contract) + (uint64_t)m->nonce_shift;
    m->nonce_shift = 0;
    tx.valid_until = m->valid_until != 0 ? m->valid_until : chain.height + 1000;
    ck_assert_int_eq(mgc_tx_encode_body(&tx, body, sizeof body, &body_len), MGC_OK);
    sign_all(m, body, body_len, signers);
}

void market_make(struct market *m, uint32_t contract, const char *method, const char *arguments, const char *signers)
{
    char text[8000], *rest;
    const uint8_t *bytes;
    size_t len;
    mgc_args *args;

    ck_assert_int_eq(mgc_args_create(m->ctx, contract, method, &args), MGC_OK);
    ck_assert_uint_lt(strlen(arguments), sizeof text);
    snprintf(text, sizeof text, "%s", arguments);
    for (char *item = strtok_r(text, " ", &rest); item != NULL; item = strtok_r(NULL, " ", &rest))
        set_field(m, args, contract, method, item);
    mgc_status st = mgc_args_encode(args, &bytes, &len);
    ck_assert_msg(st == MGC_OK, "%s", mgc_ctx_error(m->ctx));
    make(m, contract, method, bytes, len, signers);
    mgc_args_destroy(args);
}

static void count_nonce(struct market *m, const uint8_t *bytes, size_t len)
{
    mgc_tx_info tx = {.struct_size = sizeof tx};
    uint8_t public_key[32];

    if (mgc_tx_decode(bytes, len, &tx) != MGC_OK) return;
    for (size_t i = 0; i < m->n_keys; i++)
        if (mgc_key_public(m->keys[i].key, public_key) == MGC_OK && memcmp(public_key, tx.sender, 32) == 0) {
            uint64_t *next = nonce_of(m, m->keys[i].member, tx.contract);
            if (tx.nonce == *next) ++*next;
        }
}

uint64_t market_send(struct market *m, uint32_t contract, const char *method, const char *arguments,
                     const char *signers)
{
    uint64_t ticket;

    market_make(m, contract, method, arguments, signers);
    mgc_status st = mgc_node_submit(m->node, m->last, m->last_len, &ticket);
    ck_assert_msg(st == MGC_OK, "%s: %s", mgc_status_name(st), mgc_ctx_error(m->ctx));
    count_nonce(m, m->last, m->last_len);
    return ticket;
}

void market_flush(struct market *m)
{
    mgc_status st = mgc_node_flush(m->node, m->now);

    ck_assert_msg(st == MGC_OK, "%s: %s", mgc_status_name(st), mgc_ctx_error(m->ctx));
    market_check_sums(m);
}

static void expect_ticket(struct market *m, uint64_t ticket, mgc_status status, const char *what)
{
    m->info.struct_size = sizeof m->info;
    ck_assert_int_eq(mgc_ticket_state(m->node, ticket, &m->info), MGC_OK);
    snprintf(m->rule, sizeof m->rule, "%s", m->info.rule);
    ck_assert_msg(m->info.status == status && (status != MGC_OK || m->info.state == MGC_TICKET_COMMITTED),
                  "%s: %s (%s), state %" PRIu32 "; expected %s", what, mgc_status_name(m->info.status), m->rule,
                  m->info.state, mgc_status_name(status));
    if (status != MGC_OK) ck_assert_msg(m->rule[0] != '\0', "%s: %s without a rule", what, mgc_status_name(status));
}

void market_expect(struct market *m, mgc_status status, uint32_t contract, const char *method, const char *arguments,
                   const char *signers)
{
    uint64_t ticket = market_send(m, contract, method, arguments, signers);

    market_flush(m);
    expect_ticket(m, ticket, status, method);
    if (status != MGC_OK && m->info.height == 0) { /* it is in no block: its nonce is not spent */
        market_sync_nonce(m, (uint32_t)atoi(signers), contract);
    }
}

uint64_t market_send_raw(struct market *m, uint32_t contract, const char *method, const void *arguments, size_t len,
                         const char *signers)
{
    uint64_t ticket;

    make(m, contract, method, arguments, len, signers);
    ck_assert_int_eq(mgc_node_submit(m->node, m->last, m->last_len, &ticket), MGC_OK);
    count_nonce(m, m->last, m->last_len);
    return ticket;
}

void market_call(struct market *m, mgc_status status, uint32_t contract, const char *method, const void *arguments,
                 size_t len, const char *signers)
{
    uint64_t ticket = market_send_raw(m, contract, method, arguments, len, signers);

    market_flush(m);
    expect_ticket(m, ticket, status, method);
    if (status != MGC_OK && m->info.height == 0) market_sync_nonce(m, (uint32_t)atoi(signers), contract);
}

void market_sync_nonce(struct market *m, uint32_t member, uint32_t contract)
{
    uint8_t sender[32];

    ck_assert_int_eq(mgc_key_public(market_key(m, member), sender), MGC_OK);
    ck_assert_int_eq(mgc_node_next_nonce(m->node, sender, contract, nonce_of(m, member, contract)), MGC_OK);
}

void market_expectf(struct market *m, mgc_status status, uint32_t contract, const char *method, const char *signers,
                    const char *format, ...)
{
    char text[8000];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    ck_assert(len < (int)sizeof text);
    market_expect(m, status, contract, method, text, signers);
}

int64_t market_cell(struct market *m, uint32_t caller, const char *what, const char *arguments, const char *column)
{
    mgc_rows *rows;
    const mgc_row *row;
    int64_t value = -1;
    mgc_status st = mgc_node_query(m->node, caller, what, arguments, &rows);

    ck_assert_msg(st == MGC_OK, "%s: %s", what, mgc_ctx_error(m->ctx));
    if (mgc_rows_next(rows, &row) == MGC_ROW) value = mgc_row_int(row, column);
    mgc_rows_destroy(rows);
    return value;
}

size_t market_count(struct market *m, uint32_t caller, const char *what, const char *arguments)
{
    mgc_rows *rows;
    mgc_status st = mgc_node_query(m->node, caller, what, arguments, &rows);

    ck_assert_msg(st == MGC_OK, "%s: %s", what, mgc_ctx_error(m->ctx));
    size_t n = mgc_rows_count(rows);
    mgc_rows_destroy(rows);
    return n;
}

uint64_t market_height(struct market *m, uint32_t contract)
{
    mgc_chain_info chain = {.struct_size = sizeof chain};

    ck_assert_int_eq(mgc_chain_get_info(mgc_node_chain(m->node, contract), &chain), MGC_OK);
    return chain.height;
}

static void put_be(uint8_t *to, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++) to[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

void market_bid_hash(uint32_t microgrid, uint64_t slot, uint8_t carrier, int sells, uint64_t wh, int64_t price,
                     uint8_t hash[32])
{
    static const char tag[] = "mgchain/bid/1";
    uint8_t bytes[sizeof tag + 32 + 30];

    memcpy(bytes, tag, sizeof tag);
    memset(bytes + sizeof tag, (int)microgrid, 32);
    put_be(bytes + sizeof tag + 32, microgrid, 4);
    put_be(bytes + sizeof tag + 36, slot, 8);
    bytes[sizeof tag + 44] = carrier;
    bytes[sizeof tag + 45] = (uint8_t)sells;
    put_be(bytes + sizeof tag + 46, wh, 8);
    put_be(bytes + sizeof tag + 54, (uint64_t)price, 8);
    ck_assert_int_eq(mgc_sha256(bytes, sizeof bytes, hash), MGC_OK);
}

size_t market_header(struct market *m, uint32_t contract, uint64_t height, uint64_t later, uint8_t *bytes, size_t cap)
{
    mgc_block *block;
    mgc__stored_block b;
    const uint8_t *whole;
    mgc__header h;
    mgc__cbor_writer w;
    size_t len;

    ck_assert_int_eq(mgc_chain_read_block(mgc_node_chain(m->node, contract), height, &block), MGC_OK);
    ck_assert_int_eq(mgc_block_get_bytes(block, &whole, &len), MGC_OK);
    ck_assert_int_eq(mgc__block_read(m->ctx, whole, len, &b), MGC_OK);
    h = b.header;
    h.time_ms += later;
    mgc__cbor_to_fixed(&w, bytes, cap);
    mgc__header_write(&w, &h);
    ck_assert_int_eq(w.status, MGC_OK);
    mgc_block_destroy(block);
    return w.len;
}

void market_vote(struct market *m, uint32_t contract, const uint8_t *header, size_t len, const mgc_key *key,
                 uint8_t signature[64])
{
    mgc_chain_info chain = {.struct_size = sizeof chain};

    ck_assert_int_eq(mgc_chain_get_info(mgc_node_chain(m->node, contract), &chain), MGC_OK);
    ck_assert_int_eq(mgc__sign_tagged(m->ctx, key, "mgchain/vote/1", chain.chain_id, MGC_ROLE_VALIDATOR, header, len,
                                      signature),
                     MGC_OK);
}

mgc_status market_verify(struct market *m)
{
    mgc_verify_info info = {.struct_size = sizeof info};
    mgc_ledger_opts opts;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &m->disk;
    return mgc_contract_verify(m->ctx, &opts, m->hosts, m->host_users, m->n_hosts, &info);
}

void market_expect_bytes(struct market *m, mgc_status status, const uint8_t *bytes, size_t len)
{
    uint64_t ticket;

    ck_assert_int_eq(mgc_node_submit(m->node, bytes, len, &ticket), MGC_OK);
    market_flush(m);
    expect_ticket(m, ticket, status, "bytes");
}

void market_at(struct market *m, uint64_t now)
{
    m->now = now;
}

/* --- the books ---------------------------------------------------------------------------------------- */

void market_check_sums(struct market *m)
{
    mgc_account_info a = {.struct_size = sizeof a};
    int64_t posted[5] = {0}, pending[5] = {0};
    uint8_t after[16];
    mgc_chain *chain = mgc_node_chain(m->node, MGC_CONTRACT_TRADING);

    for (mgc_status st = mgc_chain_next_account(chain, NULL, &a); st == MGC_OK;
         st = mgc_chain_next_account(chain, after, &a)) {
        ck_assert_uint_le(a.unit, 4);
        posted[a.unit] += (int64_t)a.credits_posted - (int64_t)a.debits_posted;
        pending[a.unit] += (int64_t)a.credits_pending - (int64_t)a.debits_pending;
        if (a.code == MGC_ACCOUNT_MONEY) ck_assert_uint_ge(a.credits_posted, a.debits_posted + a.debits_pending);
        memcpy(after, a.id, 16);
    }
    for (int unit = 1; unit <= 4; unit++) {
        ck_assert_int_eq(posted[unit], 0);
        ck_assert_int_eq(pending[unit], 0);
    }
}

int64_t market_balance(struct market *m, uint32_t kind, uint32_t microgrid)
{
    mgc_account_info a = {.struct_size = sizeof a};
    uint8_t id[16];

    mgc_account_id(kind, microgrid, id);
    ck_assert_int_eq(mgc_chain_get_account(mgc_node_chain(m->node, MGC_CONTRACT_TRADING), id, &a), MGC_OK);
    return (int64_t)a.credits_posted - (int64_t)a.debits_posted;
}

uint64_t market_pending(struct market *m)
{
    mgc_account_info a = {.struct_size = sizeof a};
    uint8_t after[16];
    uint64_t sum = 0;
    mgc_chain *chain = mgc_node_chain(m->node, MGC_CONTRACT_TRADING);

    for (mgc_status st = mgc_chain_next_account(chain, NULL, &a); st == MGC_OK;
         st = mgc_chain_next_account(chain, after, &a)) {
        sum += a.debits_pending;
        memcpy(after, a.id, 16);
    }
    return sum;
}

void market_digest(struct market *m, uint8_t digest[MARKET_DIGEST])
{
    for (uint32_t contract = MGC_CONTRACT_INFORMATION; contract <= MGC_CONTRACT_SCHEDULING; contract++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        mgc_chain *chain = mgc_node_chain(m->node, contract);
        uint8_t *to = digest + (contract - 1) * 64;

        ck_assert_int_eq(mgc_chain_get_info(chain, &info), MGC_OK);
        memcpy(to, info.block_hash, 32);
        ck_assert_int_eq(mgc_chain_state_root(chain, to + 32), MGC_OK);
    }
}

/* --- the day --------------------------------------------------------------------------------------------- */

enum {
    INFO = MGC_CONTRACT_INFORMATION,
    TRADE = MGC_CONTRACT_TRADING,
    PLAN = MGC_CONTRACT_SCHEDULING,
    SETTLE = MGC_CONTRACT_SETTLEMENT
};

static void send(struct market *m, uint32_t contract, const char *method, const char *signers, const char *format,
                 ...) MGC_PRINTF(5, 6);
static void send(struct market *m, uint32_t contract, const char *method, const char *signers, const char *format,
                 ...)
{
    char text[4000];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    uint64_t ticket = market_send(m, contract, method, text, signers);
    if (mgc_node_flush(m->node, m->now) != MGC_OK) { /* the power went; hand it in again */
        ck_assert_msg(m->disk.dead, "%s", mgc_ctx_error(m->ctx));
        market_power_cut(m);
        ck_assert_int_eq(mgc_node_submit(m->node, m->last, m->last_len, &ticket), MGC_OK);
        market_flush(m);
        m->info.struct_size = sizeof m->info;
        ck_assert_int_eq(mgc_ticket_state(m->node, ticket, &m->info), MGC_OK);
        if (m->info.status == MGC_E_DUPLICATE_TXID) return; /* it had been committed after all */
    }
    market_check_sums(m);
    expect_ticket(m, ticket, MGC_OK, text);
}

static void found(struct market *m)
{
    static const struct {
        int member, org, roles;
    } people[] = {{OPERATOR, 1, 1 << 5}, {DISPATCHER, 1, 1 << 4}, {REGULATOR, 1, 3 << 6}};
    static const struct {
        int carrier, link, grid;
    } meters[METERS + 1] = {{0},       {1, 0, 1}, {1, 0, 2}, {1, 0, 3}, {1, 1, 1},
                            {1, 1, 2}, {2, 2, 2}, {2, 2, 3}, {2, 0, 2}, {3, 0, 3}};

    send(m, INFO, "found", "1:9 5:8",
         "name=three currency=EUR slot_ms=3600000 gate_ms=3600000 gate_slots=4 window_ms=3600000 collateral_bp=1000 "
         "pending_blocks=%d first_slot=%d administrator=@1",
         m->pending_blocks == 0 ? 100000 : m->pending_blocks, FIRST_SLOT);
    for (size_t i = 0; i < 3; i++)
        send(m, INFO, "member", "1:9", "id=%d organisation=%d name=p%zu roles=%d key=@%d from_height=0",
             people[i].member, people[i].org, i, people[i].roles, people[i].member);
    for (int g = 1; g <= GRIDS; g++) {
        send(m, INFO, "organisation", "1:9", "id=%d name=%c", g + 1, '@' + g);
        send(m, INFO, "member", "1:9", "id=%d organisation=%d name=m%d roles=%d key=@%d from_height=0", MANAGER + g,
             g + 1, g, 1 << 2, MANAGER + g);
        send(m, INFO, "microgrid", "1:9",
             "id=%d organisation=%d manager=%d name=%c limits=1,1000000,500000,600000;2,200000,0,150000", g, g + 1,
             MANAGER + g, '@' + g);
    }
    send(m, INFO, "link", "1:9",
         "id=1 first=1 second=2 carrier=1 capacity_wh=500000 loss_ppm=0 fee_micro_per_kwh=6001");
    send(m, INFO, "link", "1:9",
         "id=2 first=2 second=3 carrier=2 capacity_wh=100000 loss_ppm=30000 fee_micro_per_kwh=4000");
    for (int i = 1; i <= METERS; i++) {
        send(m, INFO, "member", "1:9", "id=%d organisation=%d name=meter%d roles=%d key=@%d from_height=0", METER + i,
             meters[i].grid + 1, i, 1 << 3, METER + i);
        send(m, INFO, "meter", "1:9",
             "id=%d microgrid=%d carrier=%d link=%d member=%d from_slot=%d digits=7 max_wh=2000000 in_wh=%d out_wh=0",
             i,
             /* meter 1 rolls over */
             meters[i].grid, meters[i].carrier, meters[i].link, METER + i, FIRST_SLOT, i == 1 ? 9500000 : 0);
        m->registers[i][0] = i == 1 ? 9500000 : 0;
        m->registers[i][1] = 0;
    }
}

static void tariff(struct market *m)
{
    char rows[500];

    for (int c = 1; c <= 2; c++) {
        size_t at = 0;
        for (int t = 0; t < SLOTS; t++) {
            const int64_t *p = market_prices[c - 1][t];
            at += (size_t)snprintf(rows + at, sizeof rows - at,
                                   "%s%d,%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64, t > 0 ? ";" : "",
                                   FIRST_SLOT + t, p[0], p[1], p[2], p[3], p[4]);
        }
        send(m, SETTLE, "tariff", "2:5", "microgrid=0 carrier=%d rows=%s", c, rows);
    }
    for (int t = 0; t < SLOTS; t++)
        send(m, SETTLE, "tariff", "2:5", "microgrid=3 carrier=3 rows=%d,45000,0,45000,0,%" PRId64, FIRST_SLOT + t,
             market_gas_factor);
}

static void nominate(struct market *m)
{
    for (int g = 1; g <= GRIDS; g++)
        for (int c = 1; c <= 2; c++)
            for (int t = 0; t < SLOTS; t++) {
                const int64_t *n = market_nominations[g][c - 1][t];
                char signer[16];

                if (n[0] == 0 && n[1] == 0) continue;
                snprintf(signer, sizeof signer, "%d:2", MANAGER + g);
                send(m, TRADE, "nominate", signer, "microgrid=%d carrier=%d rows=%d,%" PRId64 ",%" PRId64, g, c,
                     FIRST_SLOT + t, n[0], n[1]);
            }
}

static void agree(struct market *m)
{
    for (int t = 0; t < SLOTS; t++)
        for (int i = 0; i < 3 && market_trades[t][i].link != 0; i++) {
            const struct market_trade *x = &market_trades[t][i];
            char signers[24];

            snprintf(signers, sizeof signers, "%u:2 %u:2", MANAGER + x->seller, MANAGER + x->buyer);
            send(m, TRADE, "agree", signers, "seller=%u buyer=%u link=%u rows=%d,%" PRId64 ",%" PRId64, x->seller,
                 x->buyer, x->link, FIRST_SLOT + t, x->wh, x->price);
        }
    send(m, TRADE, "pay", "11:2 12:2", "payer=1 payee=2 amount_micro=1234567 first_slot=%d last_slot=%d run_hash=#7",
         FIRST_SLOT, FIRST_SLOT + 3);
    send(m, TRADE, "pay", "13:2 12:2", "payer=3 payee=2 amount_micro=1 first_slot=%d last_slot=%d run_hash=#7",
         FIRST_SLOT, FIRST_SLOT + 3);
}

static void read_slot(struct market *m, int t)
{
    market_at(m, START + (uint64_t)(t + 1) * HOUR);
    for (int i = 1; i <= METERS; i++) {
        char signer[16];
        int64_t net = market_net[i][t];

        m->registers[i][0] = (m->registers[i][0] + (uint64_t)(net > 0 ? net : 0)) % 10000000;
        m->registers[i][1] = (m->registers[i][1] + (uint64_t)(net < 0 ? -net : 0)) % 10000000;
        snprintf(signer, sizeof signer, "%d:3", METER + i);
        send(m, PLAN, "read", signer, "meter=%d rows=%d,%" PRIu64 ",%" PRIu64 ",0", i, FIRST_SLOT + t,
             m->registers[i][0], m->registers[i][1]);
    }
}

void market_step(struct market *m, int step)
{
    switch (step) {
    case STEP_FOUND: found(m); break;
    case STEP_TARIFF: tariff(m); break;
    case STEP_DEPOSIT:
        for (int g = 1; g <= GRIDS; g++)
            send(m, TRADE, "deposit", "2:5", "microgrid=%d amount_micro=%d reference=bank-%d", g, 300000000, g);
        break;
    case STEP_NOMINATE: nominate(m); break;
    case STEP_AGREE: agree(m); break;
    case STEP_ACKNOWLEDGE:
        market_at(m, GATE);
        for (int g = 1; g <= GRIDS; g++) {
            char signer[16];
            snprintf(signer, sizeof signer, "%d:2", MANAGER + g);
            send(m, PLAN, "acknowledge", signer, "microgrid=%d first_slot=%d last_slot=%d", g, FIRST_SLOT,
                 FIRST_SLOT + SLOTS - 1);
        }
        break;
    case STEP_SETTLE:
        for (int t = 0; t < SLOTS; t++) send(m, SETTLE, "settle", "2:5", "slot=%d", FIRST_SLOT + t);
        break;
    case STEP_FINALISE:
        market_at(m, DAY_END + 2 * (uint64_t)HOUR);
        for (int t = 0; t < SLOTS; t++) send(m, SETTLE, "finalise", "2:5", "slot=%d", FIRST_SLOT + t);
        break;
    default: read_slot(m, step - STEP_READ_0);
    }
}

void market_until(struct market *m, int step)
{
    for (int i = 0; i < step; i++) market_step(m, i);
}

/* --- recorded ------------------------------------------------------------------------------------- */

void market_record(struct market *m, uint64_t height, struct market_day *day)
{
    mgc_block_info info = {.struct_size = sizeof info};
    mgc_block *block;
    const uint8_t *bytes;
    size_t len;

    ck_assert_int_eq(mgc_chain_read_block(mgc_node_chain(m->node, 0), height, &block), MGC_OK);
    ck_assert_int_eq(mgc_block_get_info(block, &info), MGC_OK);
    ck_assert_uint_eq(info.n_txs, 1);
    ck_assert_int_eq(mgc_block_get_tx(block, 0, &bytes, &len, NULL), MGC_OK);
    ck_assert_uint_lt(day->n, MGC__COUNT(day->txs));
    day->txs[day->n].bytes = malloc(len);
    memcpy(day->txs[day->n].bytes, bytes, len);
    day->txs[day->n].len = len;
    day->txs[day->n++].time_ms = info.time_ms;
    mgc_block_destroy(block);
}

void market_forget(struct market_day *day)
{
    while (day->n > 0) free(day->txs[--day->n].bytes);
}
