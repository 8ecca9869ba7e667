/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots: a chain's state at a day's close, so that opening need not read what came before, and pruning what they make
 * dispensable.
 *
 * A snapshot is the view that the day's root is of; the root stands in the header of the day's first block, which members
 * signed.  So the same bytes are written by every member, and whoever reads one compares it with a signed root.
 *
 * Writing
 *   1. into a file of another name, so many bytes at a time; sync
 *   2. rename; sync the names
 *   3. only then remove the snapshots before the last two
 * Reading
 *   1. the latest first; the checksum, the links to the journal, the log's root, the state's root
 *   2. a bad one is passed over for the one before it; journal files that both make dispensable are pruned, no others
 *   3. the journal from the day's first block on, whose header must have the roots that were found
 *
 * What can go wrong
 *   the disk is full, a crash while writing     the other name is removed at the next try; the old snapshots stand
 *   a crash between rename and sync of names    the old or the new name is there
 *   a forged snapshot, one of another height    its roots are not those of the header that follows: refused
 *   both snapshots are bad                      all is read from the journal; refused where that is pruned */
#include <inttypes.h>
#include <stdio.h>

#include "ledger/chain.h"

enum { FORMAT_VERSION = 1, BURST = 1 << 20, HEAD_MAX = 1 << 16, PLACE_BYTES = 12 };

static const uint8_t magic[8] = {'M', 'G', 'S', '1', 0, 0, 0, FORMAT_VERSION};
static const char aside[] = "snapshot.new";

static void file_name(char name[MGC_STORAGE_NAME_MAX + 1], uint32_t chain, uint64_t height)
{
    snprintf(name, MGC_STORAGE_NAME_MAX + 1, "snapshot-%02" PRIx32 "-%016" PRIx64 ".mgs", chain, height);
}

static bool parse_name(const char *name, uint32_t *chain, uint64_t *height)
{
    char again[MGC_STORAGE_NAME_MAX + 1];

    if (sscanf(name, "snapshot-%2" SCNx32 "-%16" SCNx64 ".mgs", chain, height) != 2) return false;
    file_name(again, *chain, *height);
    return strcmp(name, again) == 0;
}

/* --- writing ------------------------------------------------------------------------------------- */

struct writing {
    mgc_ledger *ledger;
    uint32_t sum;
    mgc__buf burst;
    mgc__cbor_writer w;
    mgc_status status;
};

static void flush(struct writing *s)
{
    if (s->status == MGC_OK && s->w.status != MGC_OK) s->status = mgc__no_memory(s->ledger->ctx, "ledger: a snapshot");
    if (s->status != MGC_OK || s->burst.len == 0) return;
    s->sum = mgc__crc32c(s->sum, s->burst.bytes, s->burst.len);
    s->status = mgc__verdict(s->ledger->ops.append(s->ledger->ops_user, aside, s->burst.bytes, s->burst.len));
    s->burst.len = 0;
}

static void flush_if_full(struct writing *s)
{
    if (s->burst.len >= BURST) flush(s);
}

/* Headers of blocks that changed who signs, up to the height. */
static size_t count_changes(const mgc_chain *chain, uint64_t height)
{
    size_t n = 0;

    while (n + 1 < chain->n_configurations && chain->configurations[n + 1]->signers.height <= height) n++;
    return n;
}

static void put_changes(struct writing *s, const mgc_chain *chain, size_t n)
{
    mgc__cbor_put_uint(&s->w, 4);
    mgc__cbor_put_array(&s->w, n);
    for (size_t i = 1; i <= n; i++) {
        mgc__cbor_put_bytes(&s->w, chain->configurations[i]->header, chain->configurations[i]->header_len);
        flush_if_full(s);
    }
}

/* 1 genesis, 2 the header of the block after which the state stood, 3 transactions so far, 4 where members changed: how */
static mgc_status put_head(struct writing *s, mgc_chain *chain, uint64_t height)
{
    size_t changes = count_changes(chain, height);
    mgc__stored_block b;
    mgc__buf record;
    mgc_status status;

    mgc__buf_init(&record, s->ledger->ctx, MGC__RECORD_MAX);
    status = mgc__read_block_record(chain, height, &record, &b);
    if (status == MGC_OK) {
        mgc__cbor_put_raw(&s->w, magic, sizeof magic);
        mgc__cbor_put_map(&s->w, changes > 0 ? 4 : 3);
        mgc__cbor_put_bytes_at(&s->w, 1, chain->genesis_bytes, chain->genesis_len);
        mgc__cbor_put_bytes_at(&s->w, 2, b.header_bytes, b.header_len);
        mgc__cbor_put_uint_at(&s->w, 3, chain->day_txs);
        if (changes > 0) put_changes(s, chain, changes);
    }
    mgc__buf_free(&record);
    return status;
}

static void put_log(struct writing *s, const mgc_chain *chain, uint64_t height)
{
    mgc__cbor_put_array(&s->w, height);
    for (uint64_t h = 0; h < height; h++) {
        mgc__cbor_put_bytes(&s->w, chain->blocks[h].hash, 32);
        flush_if_full(s);
    }
}

/* Ids of transactions up to the height, ascending, each with its place. */
static void put_txs(struct writing *s, const mgc_chain *chain, uint64_t height)
{
    uint64_t n = 0;

    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) mgc__cbor_put_array(&s->w, 2 * n);
        for (const mgc__item *item = mgc__tree_after(&chain->txs, NULL, 0, true); item != NULL;
             item = mgc__tree_after(&chain->txs, item->bytes, item->key_len, false)) {
            if (mgc__get_be64(mgc__item_value(item)) > height) continue;
            if (pass == 0) {
                n++;
                continue;
            }
            mgc__cbor_put_bytes(&s->w, item->bytes, 32);
            mgc__cbor_put_bytes(&s->w, mgc__item_value(item), PLACE_BYTES);
            flush_if_full(s);
        }
    }
}

static void put_records(struct writing *s, const mgc_chain *chain)
{
    const struct mgc__view *view = &chain->state.view;

    mgc__cbor_put_array(&s->w, view->n);
    for (uint64_t i = 0; i < view->n; i++) {
        const mgc__item *item = view->items[i];
        mgc__leaf_write(&s->w, item->bytes, item->key_len, mgc__item_value(item), item->value_len);
        flush_if_full(s);
    }
}

static mgc_status put_all(struct writing *s, mgc_chain *chain, uint64_t height)
{
    uint8_t sum[4];
    mgc_status status = put_head(s, chain, height);

    if (status != MGC_OK) return status;
    put_log(s, chain, height);
    put_txs(s, chain, height);
    put_records(s, chain);
    flush(s);
    mgc__put_be32(sum, s->sum);
    mgc__cbor_put_raw(&s->w, sum, sizeof sum);
    flush(s);
    return s->status;
}

/* Aside, synced, renamed, the name synced. */
static mgc_status write_file(mgc_chain *chain, uint64_t day)
{
    mgc_ledger *ledger = chain->ledger;
    struct writing s = {.ledger = ledger};
    char name[MGC_STORAGE_NAME_MAX + 1];
    mgc_status status = mgc__verdict(ledger->ops.truncate(ledger->ops_user, aside, 0));

    file_name(name, chain->index, day);
    mgc__buf_init(&s.burst, ledger->ctx, 4 * BURST);
    mgc__cbor_to_buf(&s.w, &s.burst);
    if (status == MGC_OK) status = put_all(&s, chain, day - 1);
    if (status == MGC_OK) status = mgc__verdict(ledger->ops.sync(ledger->ops_user, aside));
    if (status == MGC_OK) status = mgc__verdict(ledger->ops.rename(ledger->ops_user, aside, name));
    if (status == MGC_OK) status = mgc__verdict(ledger->ops.sync_names(ledger->ops_user));
    mgc__buf_free(&s.burst);
    if (status == MGC_OK) return MGC_OK;
    (void)ledger->ops.truncate(ledger->ops_user, aside, 0); /* the room is given back; if not now, at the next try */
    return mgc__fail(ledger->ctx, status, "ledger: the snapshot %s could not be written: %s", name,
                     mgc_status_text(status));
}

static mgc_status snapshot_chain(mgc_chain *chain)
{
    mgc_ledger *ledger = chain->ledger;
    uint64_t day = chain->day_block, gone = chain->snapshots[1];
    char name[MGC_STORAGE_NAME_MAX + 1];
    mgc_status status;

    /* The first block of a chain closes the empty state: nothing to keep. */
    if (day <= 1 || day > chain->acked_height || chain->snapshots[0] == day) return MGC_OK;
    status = mgc__state_view(&chain->state);
    if (status != MGC_OK) return mgc__no_memory(ledger->ctx, "ledger: a snapshot");
    status = write_file(chain, day);
    if (status != MGC_OK) return status;
    chain->snapshots[1] = chain->snapshots[0];
    chain->snapshots[0] = day;
    if (gone == 0) return MGC_OK;
    file_name(name, chain->index, gone);
    status = mgc__verdict(ledger->ops.remove(ledger->ops_user, name));
    return status == MGC_OK ? MGC_OK : mgc__fail(ledger->ctx, status, "ledger: %s could not be removed", name);
}

mgc_status mgc_ledger_snapshot(mgc_ledger *ledger)
{
    mgc_status status = MGC_OK;

    if (ledger == NULL) return MGC_E_INVALID_ARG;
    if (ledger->read_only) return mgc__fail(ledger->ctx, MGC_E_STATE, "ledger: it is open for reading only");
    if (ledger->ops.rename == NULL)
        return mgc__fail(ledger->ctx, MGC_E_UNSUPPORTED, "ledger: the storage cannot rename, so there are no snapshots");
    for (uint32_t i = 0; i < ledger->n_chains; i++)
        if (ledger->chains[i]->open)
            return mgc__fail(ledger->ctx, MGC_E_STATE, "ledger: chain %s has an open block", ledger->chains[i]->name);
    for (uint32_t i = 0; i < ledger->n_chains && status == MGC_OK; i++) status = snapshot_chain(ledger->chains[i]);
    return status;
}

mgc_status mgc_ledger_prune(mgc_ledger *ledger, uint32_t *n_files)
{
    uint32_t before = UINT32_MAX, removed;
    mgc_status status = MGC_OK;

    if (n_files != NULL) *n_files = 0;
    if (ledger == NULL) return MGC_E_INVALID_ARG;
    if (ledger->read_only) return mgc__fail(ledger->ctx, MGC_E_STATE, "ledger: it is open for reading only");
    for (uint32_t i = 0; i < ledger->n_chains; i++) {
        const mgc_chain *chain = ledger->chains[i];
        uint64_t day = chain->snapshots[1]; /* what the older one needs stays: the later may turn out bad */
        if (day == 0)
            return mgc__fail(ledger->ctx, MGC_E_STATE,
                             "ledger: chain %s has not two snapshots yet; nothing is pruned before", chain->name);
        if (chain->blocks[day - 1].block.segment < before) before = chain->blocks[day - 1].block.segment;
        if (chain->evidence.length > 0 && chain->evidence.segment < before) before = chain->evidence.segment;
    }
    if (ledger->n_chains == 0) return MGC_OK;
    for (uint32_t i = 0; i < ledger->n_chains && status == MGC_OK; i++) status = mgc__configurations_keep(ledger->chains[i], before);
    if (status == MGC_OK) status = mgc_ledger_sync(ledger);
    if (status != MGC_OK) return status;
    status = mgc__journal_prune(ledger->journal, before, &removed);
    if (n_files != NULL) *n_files = removed;
    for (uint32_t i = 0; i < ledger->n_chains; i++) {
        mgc_chain *chain = ledger->chains[i];
        for (uint64_t h = 0; h < chain->height && chain->blocks[h].block.segment < before && status == MGC_OK; h++)
            chain->blocks[h].block = chain->blocks[h].certificate = (mgc__place){0};
    }
    return status;
}

/* --- reading ------------------------------------------------------------------------------------- */

struct found {
    mgc_ctx *ctx;
    struct {
        uint64_t days[2], sizes[2]; /* the later first */
    } chains[MGC_CHAINS_MAX];
};

static int32_t visit_file(void *user, const char *name, uint64_t size)
{
    struct found *f = user;
    uint64_t height;
    uint32_t chain;

    if (!parse_name(name, &chain, &height) || chain >= MGC_CHAINS_MAX || height < 2) return MGC_CB_DONE;
    for (int i = 0; i < 2; i++) {
        uint64_t old_day = f->chains[chain].days[i], old_size = f->chains[chain].sizes[i];
        if (height <= old_day) continue;
        f->chains[chain].days[i] = height;
        f->chains[chain].sizes[i] = size;
        height = old_day;
        size = old_size;
    }
    return MGC_CB_DONE;
}

static mgc_status load_log(mgc_chain *chain, mgc__cbor_reader *r, uint64_t height)
{
    uint64_t n = mgc__cbor_get_array(r, height);

    if (r->status != MGC_OK || n != height) return MGC_E_CORRUPT;
    if (!mgc__grow(chain->ledger->ctx, (void **)&chain->blocks, &chain->cap_blocks, (size_t)n + 1,
                   sizeof *chain->blocks))
        return MGC_E_NO_MEMORY;
    memset(chain->blocks, 0, (size_t)n * sizeof *chain->blocks);
    for (uint64_t h = 0; h < n; h++) {
        const uint8_t *hash = mgc__cbor_get_fixed(r, 32);
        uint8_t leaf[32];
        if (hash == NULL) return MGC_E_CORRUPT;
        memcpy(chain->blocks[h].hash, hash, 32);
        if (!mgc__forest_reserve(&chain->log)) return MGC_E_NO_MEMORY;
        mgc__merkle_leaf(hash, 32, leaf);
        mgc__forest_push(&chain->log, leaf);
    }
    return MGC_OK;
}

static mgc_status load_txs(mgc_chain *chain, mgc__cbor_reader *r)
{
    uint64_t n = mgc__cbor_get_array(r, UINT64_MAX) / 2;

    if (n != chain->n_txs) return MGC_E_CORRUPT;
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *id = mgc__cbor_get_fixed(r, 32), *place = mgc__cbor_get_fixed(r, PLACE_BYTES);
        mgc__item *item;
        if (id == NULL || place == NULL) return MGC_E_CORRUPT;
        item = mgc__item_create(chain->ledger->ctx, id, 32, place, PLACE_BYTES);
        if (item == NULL) return MGC_E_NO_MEMORY;
        if (!mgc__tree_append(&chain->txs, item)) {
            mgc__free(chain->ledger->ctx, item);
            return MGC_E_CORRUPT;
        }
    }
    return r->status == MGC_OK ? MGC_OK : MGC_E_CORRUPT;
}

static mgc_status load_records(mgc_chain *chain, mgc__cbor_reader *r)
{
    uint64_t n = mgc__cbor_get_array(r, UINT64_MAX);
    mgc_status status = MGC_OK;
    mgc__merkle tree;

    mgc__merkle_init(&tree);
    for (uint64_t i = 0; i < n && status == MGC_OK; i++) {
        const uint8_t *key, *value;
        size_t key_len, value_len;
        uint8_t leaf[32];

        mgc__cbor_get_array_of(r, 2);
        key = mgc__cbor_get_bytes(r, &key_len, MGC__KEY_MAX);
        value = mgc__cbor_get_bytes(r, &value_len, MGC__VALUE_MAX);
        if (r->status != MGC_OK) return MGC_E_CORRUPT;
        mgc__leaf_hash(key, key_len, value, value_len, leaf);
        mgc__merkle_push(&tree, leaf);
        status = mgc__state_load(&chain->state, key, key_len, value, value_len);
    }
    if (status != MGC_OK) return status == MGC_E_NO_MEMORY ? status : MGC_E_CORRUPT;
    mgc__merkle_root(&tree, chain->closing.root);
    return r->status == MGC_OK ? MGC_OK : MGC_E_CORRUPT;
}

/* The parts one after the other, each its own item, each reader beginning where the last one stopped. */
static mgc_status load_parts(mgc_chain *chain, mgc__cbor_reader *r, const mgc__header *h)
{
    const uint8_t *end = r->end;
    mgc_status status = load_log(chain, r, h->height);

    if (status == MGC_OK) {
        mgc__cbor_read(r, r->at, (size_t)(end - r->at));
        status = load_txs(chain, r);
    }
    if (status == MGC_OK) {
        mgc__cbor_read(r, r->at, (size_t)(end - r->at));
        status = load_records(chain, r);
    }
    return status == MGC_OK && r->at != end ? MGC_E_CORRUPT : status;
}

static void stand_after(mgc_chain *chain, const mgc__header *h, const uint8_t hash[32])
{
    chain->height = chain->final_height = chain->acked_height = chain->resume_height = h->height;
    chain->time_ms = h->time_ms;
    chain->n_records_settled = chain->state.n_records;
    memcpy(chain->hash, hash, 32);
    memcpy(chain->state_digest, h->state_digest, 32);
    chain->closing.known = true;
    chain->closing.height = h->height;
    chain->closing.n_records = chain->state.n_records;
}

/* The changes' headers, in a reader of their own; that they are the blocks' the log of hashes says. */
static mgc_status load_changes(mgc_chain *chain, mgc__cbor_reader *r, uint64_t n, const mgc__header *last)
{
    mgc_status status = MGC_OK;

    for (uint64_t i = 0; i < n && status == MGC_OK; i++) {
        size_t len;
        const uint8_t *bytes = mgc__cbor_get_bytes(r, &len, MGC__HEADER_BYTES_MAX);
        mgc__header h;
        uint8_t hash[32];

        if (bytes == NULL || mgc__header_read(NULL, bytes, len, &h) != MGC_OK || h.height == 0 || h.height > last->height ||
            h.change.n == 0 || h.config_height != mgc__chain_signers(chain)->height || h.config_height >= h.height)
            return MGC_E_CORRUPT;
        mgc__header_hash(bytes, len, hash);
        if (memcmp(hash, chain->blocks[h.height - 1].hash, 32) != 0) return MGC_E_CORRUPT;
        status = mgc__configurations_push(chain, &h, bytes, len);
        if (status == MGC_E_BAD_CERT) status = MGC_E_CORRUPT;
    }
    if (status != MGC_OK) return status;
    return last->config_height == mgc__chain_signers(chain)->height || last->height == mgc__chain_signers(chain)->height ? MGC_OK
                                                                                                              : MGC_E_CORRUPT;
}

static mgc_status load_bytes(mgc_ledger *ledger, const uint8_t *bytes, size_t len, uint64_t day)
{
    const uint8_t *genesis, *header;
    size_t genesis_len, header_len;
    mgc_chain *chain = NULL;
    mgc__cbor_reader r, changes;
    bool with_changes;
    uint8_t hash[32];
    uint64_t n_txs, n_changes = 0;
    size_t header_len_of;
    mgc__header h;
    mgc_status status;

    if (len < sizeof magic + 4 || memcmp(bytes, magic, 7) != 0) return MGC_E_CORRUPT;
    if (bytes[7] > FORMAT_VERSION) return MGC_E_VERSION;
    with_changes = bytes[sizeof magic] == 0xa4; /* a map of 4 */
    mgc__cbor_read(&r, bytes + sizeof magic, len - sizeof magic - 4);
    mgc__cbor_get_map(&r, with_changes ? 4 : 3);
    mgc__cbor_get_key(&r, 1);
    genesis = mgc__cbor_get_bytes(&r, &genesis_len, HEAD_MAX);
    mgc__cbor_get_key(&r, 2);
    header = mgc__cbor_get_bytes(&r, &header_len, HEAD_MAX);
    mgc__cbor_get_key(&r, 3);
    n_txs = mgc__cbor_get_uint(&r, UINT64_MAX);
    if (with_changes) {
        mgc__cbor_get_key(&r, 4);
        n_changes = mgc__cbor_get_array(&r, UINT32_MAX);
    }
    changes = r;
    for (uint64_t i = 0; i < n_changes && r.status == MGC_OK; i++) (void)mgc__cbor_get_bytes(&r, &header_len_of, MGC__HEADER_BYTES_MAX);
    if (r.status != MGC_OK || mgc__header_read(NULL, header, header_len, &h) != MGC_OK || h.height != day - 1)
        return MGC_E_CORRUPT;
    status = mgc__chain_create(ledger, genesis, genesis_len, &chain);
    if (status != MGC_OK) return status == MGC_E_NO_MEMORY ? status : MGC_E_CORRUPT;
    chain->n_txs = n_txs;
    mgc__header_hash(header, header_len, hash);
    mgc__cbor_read(&r, r.at, (size_t)(r.end - r.at));
    status = load_parts(chain, &r, &h);
    if (status == MGC_OK) status = load_changes(chain, &changes, n_changes, &h);
    if (status == MGC_OK && (memcmp(h.chain_id, chain->id, 32) != 0 ||
                             memcmp(hash, chain->blocks[h.height - 1].hash, 32) != 0))
        status = MGC_E_CORRUPT;
    if (status == MGC_OK) {
        stand_after(chain, &h, hash);
        return MGC_OK;
    }
    ledger->n_chains--;
    mgc__chain_destroy(chain);
    return status;
}

static mgc_status load_file(mgc_ledger *ledger, uint32_t index, uint64_t day, uint64_t size)
{
    char name[MGC_STORAGE_NAME_MAX + 1];
    uint8_t *bytes;
    mgc_status status;

    assert(ledger->n_chains == index); /* the chain that is made gets the next number */
    if (size < 4 || size > SIZE_MAX) return MGC_E_CORRUPT;
    file_name(name, index, day);
    bytes = mgc__resize(ledger->ctx, NULL, (size_t)size, 1);
    if (bytes == NULL) return MGC_E_NO_MEMORY;
    status = mgc__verdict(ledger->ops.read(ledger->ops_user, name, 0, bytes, (size_t)size));
    if (status == MGC_OK && mgc__crc32c(0, bytes, (size_t)size - 4) != mgc__get_be32(bytes + size - 4))
        status = MGC_E_CORRUPT;
    if (status == MGC_OK) status = load_bytes(ledger, bytes, (size_t)size, day);
    mgc__free(ledger->ctx, bytes);
    return status;
}

mgc_status mgc__snapshots_load(mgc_ledger *ledger, bool *found)
{
    struct found f = {.ctx = ledger->ctx};
    mgc_status status = mgc__verdict(ledger->ops.list(ledger->ops_user, visit_file, &f));

    *found = false;
    for (uint32_t i = 0; i < MGC_CHAINS_MAX && status == MGC_OK && ledger->n_chains == i; i++) {
        for (int k = 0; k < 2 && ledger->n_chains == i && f.chains[i].days[k] != 0; k++) {
            status = load_file(ledger, i, f.chains[i].days[k], f.chains[i].sizes[k]);
            if (status == MGC_OK)
                for (int kept = k; kept < 2; kept++) ledger->chains[i]->snapshots[kept - k] = f.chains[i].days[kept];
            if (status != MGC_E_CORRUPT) break;
            mgc__log(ledger->ctx, MGC_LOG_WARN, "ledger: snapshot %" PRIu64 " of chain number %" PRIu32 " is damaged",
                     f.chains[i].days[k], i);
            status = MGC_OK;
        }
    }
    *found = ledger->n_chains > 0;
    return status == MGC_OK ? MGC_OK : mgc__fail(ledger->ctx, status, "ledger: a snapshot could not be read: %s",
                                                 mgc_status_text(status));
}
