/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a store: opening either refuses it, or repairs it so that it opens again with the same chains and goes on.
 *
 * Input: flags, then up to three files, each a length of two bytes and so many bytes.  Flag 1: give every record the
 * checksums that fit it, so that what lies behind them is reached. */
#include "fuzz.h"

#include "../ledger/world.h"

static uint32_t le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void put_le32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (8 * i));
}

static void fix(struct disk_file *f, const uint8_t salt[8])
{
    static const uint8_t zero[8];

    for (size_t at = 0; f->size - at >= MGC__RECORD_HEADER;) {
        uint8_t *h = f->bytes + at;
        uint32_t len = le32(h + 4);
        if (len > f->size - at - MGC__RECORD_HEADER) break;
        put_le32(h + 40, mgc__crc32c(0, h + MGC__RECORD_HEADER, len));
        put_le32(h + 44, mgc__crc32c(mgc__crc32c(0, h[32] == MGC__RECORD_SEGMENT ? zero : salt, 8), h, 44));
        at += MGC__RECORD_HEADER + len;
    }
}

static void fill(struct disk *d, const uint8_t *data, size_t size)
{
    uint8_t flags = *data++;
    uint8_t salt[8] = {0};

    size--;
    for (uint32_t i = 0; i < 3 && size >= 2; i++) {
        size_t len = (size_t)data[0] | (size_t)data[1] << 8;
        struct disk_file *f = &d->files[d->n++];
        data += 2;
        size -= 2;
        if (len > size) len = size;
        mgc__journal_file_name(i, f->name);
        f->bytes = malloc(len + 1);
        must(f->bytes != NULL, "no memory");
        memcpy(f->bytes, data, len);
        f->size = f->synced = f->cap = len;
        f->name_synced = true;
        if (i == 0 && len >= MGC__RECORD_HEADER + 16) memcpy(salt, f->bytes + MGC__RECORD_HEADER + 8, 8);
        if (flags & 1) fix(f, salt);
        data += len;
        size -= len;
    }
}

static void go_on(mgc_ctx *ctx, mgc_ledger *ledger)
{
    uint8_t seed[32] = {1};
    mgc_chain *chain;
    mgc_key *key;

    if (mgc_ledger_chain(ledger, "trading", &chain) != MGC_OK || chain->time_ms > UINT64_MAX / 2) return;
    must(mgc_key_from_seed(ctx, seed, &key) == MGC_OK, "a key");
    mgc__chain_set_executor(chain, &toy);
    must(mgc_chain_begin(chain, chain->time_ms + 1) == MGC_OK, "a block cannot be begun");
    mgc_status st = mgc_chain_commit(chain, key);
    must(st == MGC_OK || st == MGC_E_BAD_KEY || st == MGC_E_STATE || st == MGC_E_NOT_FINAL, "a block cannot be committed");
    mgc_key_destroy(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mgc_ledger_opts opts;
    mgc_ledger *ledger, *again;
    mgc_ledger_info info = {.struct_size = sizeof info};
    static struct disk d;
    mgc_ctx *ctx;

    if (size < 3 || mgc_ctx_create(NULL, &ctx) != MGC_OK) return 0;
    disk_init(&d);
    fill(&d, data, size);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &d;
    (void)!mgc_ledger_verify(ctx, &opts, NULL);
    if (mgc_ledger_open(ctx, &opts, &ledger) == MGC_OK) {
        uint32_t n = ledger->n_chains;
        uint64_t heights[MGC_CHAINS_MAX];

        for (uint32_t i = 0; i < n; i++) heights[i] = ledger->chains[i]->height;
        mgc_ledger_close(ledger);
        must(mgc_ledger_open(ctx, &opts, &again) == MGC_OK, "a repaired store does not open");
        must(again->n_chains == n, "a chain is lost by opening again");
        for (uint32_t i = 0; i < n; i++) must(again->chains[i]->height == heights[i], "another height after opening again");
        must(mgc_ledger_get_info(again, &info) == MGC_OK && info.truncated_bytes == 0, "torn after a repair");
        go_on(ctx, again);
        mgc_ledger_close(again);
        must(mgc_ledger_open(ctx, &opts, &again) == MGC_OK, "a store that went on does not open");
        mgc_ledger_close(again);
    } else {
        must(ledger == NULL && mgc_ctx_error(ctx)[0] != '\0', "a refusal says nothing");
    }
    disk_free(&d);
    mgc_ctx_destroy(ctx);
    return 0;
}
