/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a journal back into chains.
 *
 * A block counts once its certificate is read; until then it waits.  One that still waits at the end was acknowledged
 * to nobody and is forgotten: whoever can write files but has no member's key cannot have anything executed, or
 * signed later, by putting blocks there.  A block of the same height may then follow in its place.
 *
 * Stored blocks carry their write set, so replaying needs no contract code: the write set is applied, and its digest
 * chains to the header that the members signed.  Verifying with code executes every block again and compares. */
#include <inttypes.h>

#include "ledger/chain.h"

enum { WAITING_MAX = 1024 /* blocks without a certificate that are held in memory while reading */ };

/* --- from snapshots on --------------------------------------------------------------------------- */

static int32_t visit_first(void *user, const char *name, uint64_t size)
{
    char first[MGC_STORAGE_NAME_MAX + 1];

    (void)size;
    mgc__journal_file_name(0, first);
    if (strcmp(name, first) == 0) *(bool *)user = true;
    return MGC_CB_DONE;
}

mgc_status mgc__replay_prepare(void *replay, bool *pruned)
{
    mgc__replay *p = replay;
    bool whole = false;
    mgc_status status = mgc__verdict(p->ledger->ops.list(p->ledger->ops_user, visit_first, &whole));

    *pruned = false;
    if (status != MGC_OK) return mgc__fail(p->ledger->ctx, status, "ledger: the store's files could not be listed");
    if (whole && p->full) return MGC_OK;
    status = mgc__snapshots_load(p->ledger, pruned);
    p->ledger->resuming = *pruned;
    p->info.n_chains = p->ledger->n_chains;
    return status;
}

static bool covered(const mgc__replay *p, const mgc__record *record)
{
    return (record->type == MGC__RECORD_BLOCK || record->type == MGC__RECORD_CERTIFICATE) &&
           record->chain < p->ledger->n_chains && record->height > 0 &&
           record->height <= p->ledger->chains[record->chain]->resume_height;
}

bool mgc__replay_wants(void *replay, const mgc__record *record)
{
    return !covered(replay, record);
}

/* Where it lies, so that the block can still be read. */
static mgc_status note_place(mgc_chain *chain, const mgc__record *record)
{
    mgc__block_place *slot = &chain->blocks[record->height - 1];

    if (record->type == MGC__RECORD_BLOCK) slot->block = record->place;
    else slot->certificate = record->place;
    return MGC_OK;
}

static mgc_status check_genesis(const mgc__replay *p, const mgc__record *record)
{
    const mgc_chain *chain = p->ledger->chains[record->chain];

    if (chain->resume_height > 0 && record->place.length == chain->genesis_len &&
        memcmp(record->body, chain->genesis_bytes, chain->genesis_len) == 0)
        return MGC_OK;
    return mgc__fail(p->ledger->ctx, MGC_E_CORRUPT, "ledger: the snapshot and the journal of chain number %" PRIu32
                     " begin with another genesis", record->chain);
}

mgc_status mgc__check_resumed(const mgc_ledger *ledger)
{
    for (uint32_t i = 0; i < ledger->n_chains; i++) {
        const mgc_chain *chain = ledger->chains[i];
        if (chain->resume_height == 0 || chain->final_height > chain->resume_height) continue;
        return mgc__fail(ledger->ctx, MGC_E_CORRUPT,
                         "ledger: the journal has no block %" PRIu64 " of chain %s, which was acknowledged when the "
                         "snapshot before it was written",
                         chain->resume_height + 1, chain->name);
    }
    return MGC_OK;
}

/* --- records ------------------------------------------------------------------------------------- */

static mgc_status replay_genesis(mgc__replay *p, const mgc__record *record)
{
    mgc_chain *chain;
    mgc_status status;

    if (record->chain < p->ledger->n_chains && p->ledger->resuming) return check_genesis(p, record);
    if (record->chain != p->ledger->n_chains || record->height != 0)
        return mgc__fail(p->ledger->ctx, MGC_E_CORRUPT,
                         "ledger: the genesis of chain number %" PRIu32 " where number %" PRIu32 " is due",
                         record->chain, p->ledger->n_chains);
    status = mgc__chain_create(p->ledger, record->body, record->place.length, &chain);
    if (status == MGC_OK && p->attach != NULL) p->attach(p->attach_user, chain);
    p->info.n_chains = p->ledger->n_chains;
    return status;
}

static mgc_status verify_txs(mgc__replay *p, mgc_chain *chain, const mgc__stored_block *b)
{
    mgc_status status = MGC_OK;
    const uint8_t *bytes;
    size_t at = 0, len;

    while (status == MGC_OK && mgc__list_next(&b->txs, &at, &bytes, &len)) {
        mgc__tx tx;
        status = mgc__tx_decode(p->ledger->ctx, bytes, len, &tx);
        if (status == MGC_OK && memcmp(tx.chain_id, chain->id, 32) != 0)
            status = mgc__fail(p->ledger->ctx, MGC_E_WRONG_CHAIN,
                               "ledger: block %" PRIu64 " of chain %s holds a transaction for another chain",
                               b->header.height, chain->name);
        if (status == MGC_OK) status = mgc__tx_verify(p->ledger->ctx, &tx);
        if (status == MGC_OK) p->info.signatures += tx.n_signatures;
        p->info.transactions++;
    }
    return status;
}

static mgc_status differs(const mgc_chain *chain, const mgc__stored_block *b, const char *what)
{
    return mgc__fail(chain->ledger->ctx, MGC_E_STATE_MISMATCH,
                     "ledger: executing block %" PRIu64 " of chain %s again gives another %s", b->header.height,
                     chain->name, what);
}

/* Execute the block as a member would and compare every byte. */
static mgc_status execute_again(mgc_chain *chain, const mgc__stored_block *b)
{
    mgc__buf header, writes;
    const uint8_t *bytes;
    size_t at = 0, len;
    mgc_status status = mgc__exec_begin(chain, b->header.time_ms);

    if (status != MGC_OK) return status;
    chain->change = b->header.change;
    mgc__buf_init(&header, chain->ledger->ctx, MGC__HEADER_BYTES_MAX);
    mgc__buf_init(&writes, chain->ledger->ctx, 2 * (size_t)MGC__BLOCK_WRITES_MAX);
    while (status == MGC_OK && mgc__list_next(&b->txs, &at, &bytes, &len)) {
        mgc__tx tx;
        status = mgc__admit(chain, bytes, len, &tx);
        if (status == MGC_OK) status = mgc__exec_add(chain, &tx, NULL);
    }
    if (status == MGC_OK) status = mgc__exec_finish(chain, b->header.proposer, &header, &writes);
    if (status == MGC_OK && (chain->receipt_bytes.len != b->receipts.len ||
                             memcmp(chain->receipt_bytes.bytes, b->receipts.items, b->receipts.len) != 0))
        status = differs(chain, b, "receipt");
    if (status == MGC_OK && (writes.len != b->writes_len || memcmp(writes.bytes, b->writes, writes.len) != 0))
        status = differs(chain, b, "state");
    if (status == MGC_OK && (header.len != b->header_len || memcmp(header.bytes, b->header_bytes, header.len) != 0))
        status = differs(chain, b, "header");
    mgc__buf_free(&header);
    mgc__buf_free(&writes);
    return status;
}

/* Executing a block again takes the root of the closed day by itself; verifying without code does it here. */
static mgc_status check_closed_day(mgc_chain *chain, const mgc__header *h)
{
    mgc_status status;

    if (!h->day_closed) return MGC_OK;
    status = mgc__close_day(chain, h->time_ms);
    if (status != MGC_OK || memcmp(chain->closing.root, h->state_root, 32) == 0) return status;
    return mgc__fail(chain->ledger->ctx, MGC_E_STATE_MISMATCH,
                     "ledger: block %" PRIu64 " of chain %s has another root of the state before it", h->height,
                     chain->name);
}

/* Apply a certified block: links, roots, signatures, effects. */
static mgc_status replay_block(mgc__replay *p, mgc_chain *chain, const struct mgc__waiting *w, mgc__stored_block *read)
{
    mgc__stored_block b;
    mgc_status status = mgc__stored_block_read(p->ledger->ctx, w->bytes, w->place.length, &b);

    if (status == MGC_OK) status = mgc__check_links(chain, &b);
    if (status == MGC_OK) status = mgc__check_order(chain, &b.header);
    if (status == MGC_OK) status = mgc__check_roots(chain, &b);
    if (status == MGC_OK && (p->verify || (chain->closing.known && chain->closing.height == chain->height)))
        status = check_closed_day(chain, &b.header);
    if (status == MGC_OK && p->verify) status = verify_txs(p, chain, &b);
    if (status != MGC_OK) return status;
    if (p->attach != NULL && chain->has_executor && !p->ledger->resuming) {
        status = execute_again(chain, &b);
    } else {
        status = mgc__state_apply(&chain->state, b.writes, b.writes_len);
        if (status != MGC_OK)
            status = mgc__fail(p->ledger->ctx, status, "ledger: what block %" PRIu64 " of chain %s writes: %s",
                               b.header.height, chain->name, mgc_status_text(status));
    }
    if (status == MGC_OK) status = mgc__advance(chain, &b, &w->place);
    if (status != MGC_OK) mgc__state_undo(&chain->state, 0);
    mgc__exec_drop(chain); /* frees what executing needed; effects that stand are settled */
    *read = b;
    if (status == MGC_OK) p->info.blocks++;
    return status;
}

static void forget_waiting(mgc__replay *p, uint32_t chain, size_t keep)
{
    struct mgc__queue *q = &p->queues[chain];

    while (q->n > keep) mgc__free(p->ledger->ctx, q->blocks[--q->n].bytes);
}

static mgc_status enqueue_block(mgc__replay *p, mgc_chain *chain, const mgc__record *record)
{
    struct mgc__queue *q = &p->queues[chain->index];
    uint64_t first = chain->final_height + 1;
    struct mgc__waiting w = {.place = record->place};

    if (record->height < first || record->height > first + q->n)
        return mgc__fail(p->ledger->ctx, MGC_E_HEIGHT,
                         "ledger: a block of height %" PRIu64 " in chain %s; %" PRIu64 "..%" PRIu64 " may follow",
                         record->height, chain->name, first, first + q->n);
    forget_waiting(p, chain->index, (size_t)(record->height - first));
    if (q->n == WAITING_MAX)
        return mgc__fail(p->ledger->ctx, MGC_E_LIMIT, "ledger: %d blocks of chain %s wait for their certificates",
                         WAITING_MAX, chain->name);
    w.bytes = mgc__alloc(p->ledger->ctx, record->place.length, 1);
    if (w.bytes == NULL || !mgc__grow(p->ledger->ctx, (void **)&q->blocks, &q->cap, q->n + 1, sizeof w)) {
        mgc__free(p->ledger->ctx, w.bytes);
        return mgc__no_memory(p->ledger->ctx, "ledger: a stored block");
    }
    memcpy(w.bytes, record->body, record->place.length);
    q->blocks[q->n++] = w;
    return MGC_OK;
}

static mgc_status replay_certificate(mgc__replay *p, mgc_chain *chain, const mgc__record *record)
{
    struct mgc__queue *q = &p->queues[chain->index];
    mgc__stored_block b;
    mgc__certificate c;
    mgc_status status;

    if (record->height != chain->final_height + 1 || q->n == 0)
        return mgc__fail(p->ledger->ctx, MGC_E_HEIGHT,
                         "ledger: a certificate for height %" PRIu64
                         " of chain %s, which has %zu blocks waiting after %" PRIu64,
                         record->height, chain->name, q->n, chain->final_height);
    status = mgc__certificate_read(p->ledger->ctx, record->body, record->place.length, &c);
    if (status == MGC_OK) status = replay_block(p, chain, &q->blocks[0], &b);
    if (status == MGC_OK) status = mgc__check_votes(chain, &b, &c);
    if (status != MGC_OK) return status;
    mgc__free(p->ledger->ctx, q->blocks[0].bytes);
    memmove(q->blocks, q->blocks + 1, --q->n * sizeof q->blocks[0]);
    chain->blocks[record->height - 1].certificate = record->place;
    chain->final_height = record->height;
    return MGC_OK;
}

static void hash_waiting(const struct mgc__waiting *w, uint8_t hash[32])
{
    mgc__stored_block b;

    if (mgc__stored_block_read(NULL, w->bytes, w->place.length, &b) == MGC_OK) memcpy(hash, b.hash, 32);
}

/* For mending, which begins where reading ended. */
static void note_waiting(mgc__replay *p, uint32_t chain)
{
    const struct mgc__queue *q = &p->queues[chain];

    p->passed[chain].waits = q->n > 0;
    if (q->n == 0) return;
    hash_waiting(&q->blocks[0], p->passed[chain].first);
    hash_waiting(&q->blocks[q->n - 1], p->passed[chain].last);
}

void mgc__replay_end(mgc__replay *p)
{
    if (p->ledger == NULL) return;
    for (uint32_t i = 0; i < MGC_CHAINS_MAX; i++) {
        if (p->mending) note_waiting(p, i);
        p->info.uncertified += p->queues[i].n;
        forget_waiting(p, i, 0);
        mgc__free(p->ledger->ctx, p->queues[i].blocks);
        p->queues[i] = (struct mgc__queue){0};
    }
}

static mgc_status replay_one(mgc__replay *p, const mgc__record *record)
{
    mgc_chain *chain;

    if (record->type == MGC__RECORD_GENESIS) return replay_genesis(p, record);
    if (record->chain >= p->ledger->n_chains)
        return mgc__fail(p->ledger->ctx, MGC_E_CORRUPT,
                         "ledger: a record of chain number %" PRIu32 "; there are %" PRIu32, record->chain,
                         p->ledger->n_chains);
    chain = p->ledger->chains[record->chain];
    if (record->body == NULL || covered(p, record)) return note_place(chain, record);
    if (record->type == MGC__RECORD_BLOCK) return enqueue_block(p, chain, record);
    if (record->type == MGC__RECORD_CERTIFICATE) return replay_certificate(p, chain, record);
    if (record->type == MGC__RECORD_MEMBERS) return mgc__replay_members(chain, record);
    if (record->type == MGC__RECORD_EVIDENCE) return mgc__replay_evidence(chain, record);
    if (record->type == MGC__RECORD_RESUME) {
        chain->halted = false;
        return MGC_OK;
    }
    return mgc__fail(p->ledger->ctx, MGC_E_VERSION,
                     "ledger: a record of type %" PRIu32 ", which this library does not know", record->type);
}

mgc_status mgc__replay_record(void *replay, const mgc__record *record)
{
    mgc__replay *p = replay;
    mgc_status status = replay_one(p, record);

    if (status != MGC_OK || record->chain >= MGC_CHAINS_MAX) return status;
    if (record->type == MGC__RECORD_BLOCK) p->passed[record->chain].block = record->height;
    if (record->type == MGC__RECORD_CERTIFICATE) p->passed[record->chain].certificate = record->height;
    return MGC_OK;
}

/* --- certificates -------------------------------------------------------------------------------- */

static mgc_status check_certificate_at(mgc_chain *chain, uint64_t height, uint64_t *signatures)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc__buf record, certificate;
    mgc__stored_block b;
    mgc__certificate c;
    mgc_status status;

    mgc__buf_init(&record, ctx, MGC__RECORD_MAX);
    mgc__buf_init(&certificate, ctx, MGC__RECORD_MAX);
    status = mgc__read_block_record(chain, height, &record, &b);
    if (status == MGC_OK)
        status = mgc__journal_read(chain->ledger->journal, &chain->blocks[height - 1].certificate,
                                   MGC__RECORD_CERTIFICATE, &certificate);
    if (status == MGC_OK) status = mgc__certificate_read(ctx, certificate.bytes, certificate.len, &c);
    if (status == MGC_OK) status = mgc__check_certificate(chain, &b, &c);
    if (status == MGC_OK && signatures != NULL) *signatures += c.n;
    mgc__buf_free(&record);
    mgc__buf_free(&certificate);
    return status;
}

/* Every header names its parent's hash, so the last certificate vouches for all blocks before it; that those who signed it may,
 * the certificates of all changes of members do. */
mgc_status mgc__check_last_certificates(mgc_ledger *ledger)
{
    mgc_status status = MGC_OK;

    for (uint32_t i = 0; i < ledger->n_chains && status == MGC_OK; i++) {
        status = mgc__configurations_check(ledger->chains[i]);
        if (status == MGC_OK && ledger->chains[i]->final_height > 0)
            status = check_certificate_at(ledger->chains[i], ledger->chains[i]->final_height, NULL);
    }
    return status;
}

/* --- verifying ----------------------------------------------------------------------------------- */

struct sums {
    uint32_t unit, reserved;
    uint64_t pending_debits, posted_debits; /* differences debits - credits, modulo 2^64: 0 where they are equal */
};

/* Per unit, posted debits = posted credits and pending debits = pending credits.  Units are few; a list will do, and
 * where they are not, the check is slow but right. */
static mgc_status check_double_entry(mgc_chain *chain)
{
    static const uint8_t first[1] = {MGC__AREA_ACCOUNT};
    mgc_ctx *ctx = chain->ledger->ctx;
    struct sums *sums = NULL;
    size_t n = 0, cap = 0;
    mgc_status status = MGC_OK;

    for (const mgc__item *item = mgc__state_after(&chain->state, first, 1, true);
         item != NULL && item->bytes[0] == MGC__AREA_ACCOUNT && status == MGC_OK;
         item = mgc__state_after(&chain->state, item->bytes, item->key_len, false)) {
        mgc_account_info a;
        size_t k = 0;

        status = item->key_len == 17 ? mgc__account_read(item, &a) : MGC_E_STATE_MISMATCH;
        if (status != MGC_OK) break;
        while (k < n && sums[k].unit != a.unit) k++;
        if (k == n) {
            if (!mgc__grow(ctx, (void **)&sums, &cap, n + 1, sizeof *sums)) {
                status = mgc__no_memory(ctx, "ledger: sums by unit");
                break;
            }
            sums[n++] = (struct sums){.unit = a.unit};
        }
        sums[k].pending_debits += a.debits_pending - a.credits_pending;
        sums[k].posted_debits += a.debits_posted - a.credits_posted;
    }
    for (size_t k = 0; k < n && status == MGC_OK; k++)
        if (sums[k].pending_debits != 0 || sums[k].posted_debits != 0)
            status = mgc__fail(ctx, MGC_E_STATE_MISMATCH,
                               "ledger: debits and credits of unit %" PRIu32 " of chain %s differ", sums[k].unit,
                               chain->name);
    mgc__free(ctx, sums);
    return status;
}

static mgc_status verify_chains(mgc__replay *p)
{
    mgc_status status = MGC_OK;

    p->info.executed = p->ledger->n_chains > 0;
    for (uint32_t i = 0; i < p->ledger->n_chains && status == MGC_OK; i++) {
        mgc_chain *chain = p->ledger->chains[i];
        for (uint64_t h = chain->resume_height + 1; h <= chain->final_height && status == MGC_OK; h++)
            status = check_certificate_at(chain, h, &p->info.signatures);
        if (status == MGC_OK) status = check_double_entry(chain);
        if (!chain->has_executor || chain->resume_height > 0) p->info.executed = 0;
    }
    return status;
}

static void count_files(mgc__replay *p)
{
    mgc__journal_info j;

    if (p->ledger->journal == NULL) return;
    mgc__journal_get_info(p->ledger->journal, &j);
    p->info.n_files = j.n_segments;
    p->info.bytes = j.bytes;
    p->info.records = j.records;
    p->info.torn_bytes = j.torn_bytes;
}

mgc_status mgc__ledger_verify(mgc_ctx *ctx, const mgc_ledger_opts *opts, void (*attach)(void *user, mgc_chain *chain),
                              void *user, mgc_verify_info *info)
{
    mgc__replay p = {.verify = true, .attach = attach, .attach_user = user, .info = {.struct_size = sizeof p.info}};
    mgc_status status, written = MGC_OK;

    if (ctx == NULL) return MGC_E_INVALID_ARG;
    status = mgc__ledger_load(ctx, opts, true, &p);
    if (status == MGC_OK) {
        count_files(&p);
        status =
            p.info.n_files == 0 ? mgc__fail(ctx, MGC_E_NOT_FOUND, "ledger: there is no journal") : verify_chains(&p);
    }
    mgc_ledger_close(p.ledger);
    if (info != NULL) written = mgc__info_write(info, &p.info,
                                                sizeof p.info, MGC__FIRST_SIZE(mgc_verify_info, reserved0));
    return status != MGC_OK ? status : written;
}

mgc_status mgc_ledger_verify(mgc_ctx *ctx, const mgc_ledger_opts *opts, mgc_verify_info *info)
{
    return mgc__ledger_verify(ctx, opts, NULL, NULL, info);
}
