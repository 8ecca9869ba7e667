/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's formats; the first byte says which.  What is accepted is written back to the very same bytes, and what
 * was taken apart can be walked. */
#include "fuzz.h"

#include "crypto/crypto.h"
#include "ledger/block.h"
#include "ledger/state.h"
#include "ledger/tx.h"

enum { TX, HEADER, BLOCK, STORED, RECEIPT, CERTIFICATE, GENESIS, WRITES, KINDS };

static mgc_ctx *ctx;
static uint8_t *back; /* as long as the input */
static mgc__cbor_writer w;

static void same(const uint8_t *bytes, size_t len)
{
    must(w.status == MGC_OK && w.len == len && memcmp(back, bytes, len) == 0, "accepted, and written differently");
}

static void tx(const uint8_t *bytes, size_t len)
{
    mgc_tx_info info = {.struct_size = sizeof info};
    mgc_tx_signature s;
    mgc__tx t;

    must(mgc__tx_decode(ctx, bytes, len, &t) == mgc_tx_decode(bytes, len, &info), "private and public reader disagree");
    if (mgc__tx_decode(ctx, bytes, len, &t) != MGC_OK) return;
    mgc__cbor_put_map(&w, 2);
    mgc__cbor_put_bytes_at(&w, 1, t.body, t.body_len);
    mgc__cbor_put_uint(&w, 2);
    mgc__cbor_put_array(&w, t.n_signatures);
    for (uint32_t i = 0; i < t.n_signatures; i++) {
        must(mgc_tx_decode_signature(bytes, len, i, &s) == MGC_OK && s.role == t.signers[i].role, "a signature is lost");
        mgc__cbor_put_array(&w, 3);
        mgc__cbor_put_bytes(&w, t.signers[i].public_key, 32);
        mgc__cbor_put_uint(&w, t.signers[i].role);
        mgc__cbor_put_bytes(&w, t.signers[i].signature, 64);
    }
    same(bytes, len);
    (void)!mgc__tx_verify(ctx, &t);
}

static void walk(const mgc__list *list)
{
    const uint8_t *item;
    size_t at = 0, len;
    uint8_t root[32];
    uint32_t n = 0;

    while (mgc__list_next(list, &at, &item, &len)) n++;
    must(n == list->n && at == list->len, "a list's length");
    mgc__list_root(list, root);
}

static void block(const uint8_t *bytes, size_t len, bool stored)
{
    mgc__stored_block b;

    if ((stored ? mgc__stored_block_read(ctx, bytes, len, &b) : mgc__block_read(ctx, bytes, len, &b)) != MGC_OK) return;
    walk(&b.txs);
    if (stored) walk(&b.receipts);
    if (stored) mgc__stored_block_write(&w, b.block, b.block_len, &b.receipts, b.writes, b.writes_len);
    else mgc__block_write(&w, b.header_bytes, b.header_len, &b.txs);
    same(bytes, len);
}

static void receipt(const uint8_t *bytes, size_t len)
{
    mgc_event_info event;
    mgc__receipt r;

    if (mgc__receipt_read(ctx, bytes, len, &r) != MGC_OK) return;
    for (uint32_t i = 0; i < r.n_events && i < 50; i++) must(mgc__event_get(&r, i, &event) == MGC_OK, "an event is lost");
    must(mgc__event_get(&r, r.n_events, &event) == MGC_E_NOT_FOUND, "an event too many");
    mgc__receipt_write(&w, &r);
    same(bytes, len);
}

static void genesis(const uint8_t *bytes, size_t len)
{
    static mgc_member members[MGC_MEMBERS_MAX];
    char name[MGC_CHAIN_NAME_MAX + 1] = "";
    mgc_genesis again = {.members = members, .name = name};
    mgc__genesis g;

    if (mgc__genesis_read(ctx, bytes, len, &g, members) != MGC_OK) return;
    memcpy(name, g.name, g.name_len);
    again.time_ms = g.time_ms;
    again.n_members = g.n_members;
    again.quorum = g.quorum;
    memcpy(again.nonce, g.nonce, 32);
    mgc__genesis_write(&w, &again);
    same(bytes, len);
}

static void writes(const uint8_t *bytes, size_t len)
{
    uint8_t before[32], after[32];
    mgc__state s;
    mgc__buf out;

    mgc__state_init(&s, ctx);
    must(mgc__state_root(&s, before) == MGC_OK, "a root");
    mgc__buf_init(&out, ctx, (size_t)1 << 26);
    if (mgc__state_apply(&s, bytes, len) == MGC_OK) {
        must(mgc__state_changes(&s, &out) == MGC_OK && out.len == len && memcmp(out.bytes, bytes, len) == 0,
             "a write set that is not what it does");
    }
    mgc__state_undo(&s, 0);
    must(mgc__state_root(&s, after) == MGC_OK && memcmp(before, after, 32) == 0 && s.n_records == 0, "not undone");
    mgc__buf_free(&out);
    mgc__state_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mgc__certificate c;
    mgc__header h;

    if (size == 0 || mgc_ctx_create(NULL, &ctx) != MGC_OK) return 0;
    back = malloc(size);
    if (back == NULL) return 0;
    mgc__cbor_to_fixed(&w, back, size);
    switch (*data++ % KINDS) {
    case TX: tx(data, size - 1); break;
    case HEADER:
        if (mgc__header_read(ctx, data, size - 1, &h) != MGC_OK) break;
        mgc__header_write(&w, &h);
        same(data, size - 1);
        break;
    case BLOCK: block(data, size - 1, false); break;
    case STORED: block(data, size - 1, true); break;
    case RECEIPT: receipt(data, size - 1); break;
    case CERTIFICATE:
        if (mgc__certificate_read(ctx, data, size - 1, &c) != MGC_OK) break;
        mgc__certificate_write(&w, &c);
        same(data, size - 1);
        break;
    case GENESIS: genesis(data, size - 1); break;
    default: writes(data, size - 1);
    }
    free(back);
    mgc_ctx_destroy(ctx);
    return 0;
}
