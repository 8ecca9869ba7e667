/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a store, its chains, and the life of a block: open, add, seal, vote, certify, sync. */
#include <inttypes.h>

#include "ledger/chain.h"

enum { SEGMENT_BYTES = 64 << 20, SEGMENT_BYTES_MIN = 4096 };

static const mgc_ledger_opts ledger_defaults = {.struct_size = sizeof(mgc_ledger_opts),
                                                .segment_bytes = SEGMENT_BYTES};

void mgc_ledger_opts_init(mgc_ledger_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &ledger_defaults, sizeof ledger_defaults);
}

/* --- opening ------------------------------------------------------------------------------------- */

mgc_status mgc__ledger_read_opts(mgc_ctx *ctx, const mgc_ledger_opts *opts, mgc_ledger_opts *o, mgc_storage_ops *ops)
{
    mgc_status status;

    *o = ledger_defaults;
    status = mgc__opts_read(o, sizeof *o, MGC__FIRST_SIZE(mgc_ledger_opts, reserved0), opts);
    if (status != MGC_OK)
        return mgc__fail(ctx, status, "ledger: opts.struct_size is not one that this library knows");
    if (o->storage == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "ledger: no storage is given");
    if (o->read_only > 2 || o->full > 1 || o->reserved0 != 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "ledger: read_only is %" PRIu32 "; 0..2 are allowed; full is %" PRIu32 "; 0 or 1",
                         o->read_only, o->full);
    if (o->threads > MGC__THREADS_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "ledger: threads is %" PRIu32 "; at most %d", o->threads,
                         MGC__THREADS_MAX);
    if (o->segment_bytes < SEGMENT_BYTES_MIN)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "ledger: segment_bytes is %" PRIu64 "; at least %d",
                         o->segment_bytes, SEGMENT_BYTES_MIN);
    *ops = (mgc_storage_ops){.struct_size = sizeof *ops};
    status = mgc__opts_read(ops, sizeof *ops, MGC__FIRST_SIZE(mgc_storage_ops, begin_write), o->storage);
    if (status != MGC_OK)
        return mgc__fail(ctx, status, "ledger: storage.struct_size is not one that this library knows");
    if (ops->reserved0 != 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "ledger: storage.reserved0 is %" PRIu32 "; it must be 0", ops->reserved0);
    if (ops->version != 1)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "ledger: storage.version is %" PRIu32 "; 1 is allowed",
                         ops->version);
    if (ops->list == NULL || ops->read == NULL ||
        (o->read_only == 0 && (ops->append == NULL || ops->sync == NULL || ops->truncate == NULL ||
                               ops->remove == NULL || ops->sync_names == NULL)))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "ledger: the storage lacks a call that is not optional");
    return MGC_OK;
}

/* Nothing but damage is no ledger. */
static mgc_status check_salvaged(const mgc_ledger *ledger)
{
    mgc__journal_info j;

    mgc__journal_get_info(ledger->journal, &j);
    return j.damaged && ledger->n_chains == 0 ? MGC_E_CORRUPT : MGC_OK;
}

mgc_status mgc__ledger_load(mgc_ctx *ctx, const mgc_ledger_opts *opts, bool strict, mgc__replay *p)
{
    mgc__journal_opts journal = {0};
    mgc_ledger_opts o;
    mgc_ledger *ledger;
    mgc_status status = mgc__ledger_read_opts(ctx, opts, &o, &journal.ops);

    if (status != MGC_OK) return status;
    ledger = mgc__alloc(ctx, 1, sizeof *ledger);
    if (ledger == NULL) return mgc__no_memory(ctx, "ledger: a ledger");
    p->ledger = ledger;
    ledger->ctx = ctx;
    ledger->read_only = strict || p->mending || o.read_only != 0;
    ledger->threads = o.threads;
    ledger->seen = mgc__alloc(ctx, MGC__SEEN, sizeof *ledger->seen);
    if (ledger->seen == NULL) return mgc__no_memory(ctx, "ledger: a ledger");
    journal.user = o.storage_user;
    journal.segment_bytes = o.segment_bytes;
    journal.salt = o.salt;
    journal.read_only = ledger->read_only;
    journal.strict = strict;
    journal.salvage = p->mending || (!strict && o.read_only == 2);
    journal.prepare = mgc__replay_prepare;
    journal.wanted = p->mending ? NULL : mgc__replay_wants;
    ledger->ops = journal.ops;
    ledger->ops_user = o.storage_user;
    p->full = strict || p->mending || o.full == 1;
    status = mgc__journal_open(ctx, &journal, mgc__replay_record, p, &ledger->journal);
    mgc__replay_end(p);
    ledger->resuming = false;
    if (p->mending && (status != MGC_OK || mgc__journal_is_damaged(ledger->journal))) return status; /* it is not to be used */
    if (status == MGC_OK) status = check_salvaged(ledger);
    for (uint32_t i = 0; i < ledger->n_chains && status == MGC_OK; i++) status = mgc__index_read(ledger->chains[i]);
    if (status == MGC_OK) status = mgc__check_resumed(ledger);
    if (status == MGC_OK) status = mgc__check_last_certificates(ledger);
    for (uint32_t i = 0; i < ledger->n_chains; i++) ledger->chains[i]->acked_height = ledger->chains[i]->final_height;
    return status;
}

mgc_status mgc_ledger_open(mgc_ctx *ctx, const mgc_ledger_opts *opts, mgc_ledger **out)
{
    mgc__replay p = {0};
    mgc_status status;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ctx == NULL) return MGC_E_INVALID_ARG;
    status = mgc__ledger_load(ctx, opts, false, &p);
    if (status != MGC_OK) {
        mgc_ledger_close(p.ledger);
        return status;
    }
    *out = p.ledger;
    return MGC_OK;
}

void mgc_ledger_close(mgc_ledger *ledger)
{
    if (ledger == NULL) return;
    for (uint32_t i = 0; i < ledger->n_chains; i++) mgc__chain_destroy(ledger->chains[i]);
    mgc__journal_close(ledger->journal);
    mgc__free(ledger->ctx, ledger->seen);
    mgc__free(ledger->ctx, ledger);
}

mgc_status mgc_ledger_get_info(const mgc_ledger *ledger, mgc_ledger_info *info)
{
    mgc_ledger_info full = {.struct_size = sizeof full};
    mgc__journal_info j;

    if (ledger == NULL || info == NULL) return MGC_E_INVALID_ARG;
    mgc__journal_get_info(ledger->journal, &j);
    full.n_chains = ledger->n_chains;
    full.n_files = j.n_segments;
    full.bytes = j.bytes;
    full.records = j.records;
    full.truncated_bytes = j.torn_bytes;
    full.failed = j.failed;
    full.damaged = j.damaged;
    return mgc__info_write(info, &full, sizeof full, MGC__FIRST_SIZE(mgc_ledger_info, damaged));
}

mgc_status mgc_ledger_sync(mgc_ledger *ledger)
{
    mgc_status status;

    if (ledger == NULL) return MGC_E_INVALID_ARG;
    if (ledger->read_only) return mgc__fail(ledger->ctx, MGC_E_STATE, "ledger: it is open for reading only");
    status = mgc__journal_sync(ledger->journal);
    if (status != MGC_OK) return status;
    for (uint32_t i = 0; i < ledger->n_chains; i++) ledger->chains[i]->acked_height = ledger->chains[i]->final_height;
    return MGC_OK;
}

/* --- chains -------------------------------------------------------------------------------------- */

void mgc__chain_set_executor(mgc_chain *chain, const mgc__executor *executor)
{
    chain->executor = *executor;
    chain->has_executor = executor->execute != NULL;
}

mgc_ledger *mgc__chain_ledger(const mgc_chain *chain)
{
    return chain->ledger;
}

mgc_ctx *mgc__chain_ctx(const mgc_chain *chain)
{
    return chain->ledger->ctx;
}

const mgc__state *mgc__chain_state(const mgc_chain *chain)
{
    return &chain->state;
}

static mgc_status store_genesis(mgc_ledger *ledger, const mgc__buf *bytes, mgc_chain **out)
{
    mgc__place place;
    mgc_chain *chain;
    mgc_status status = mgc__chain_create(ledger, bytes->bytes, bytes->len, &chain);

    if (status != MGC_OK) return status;
    status =
        mgc__journal_append(ledger->journal, MGC__RECORD_GENESIS, chain->index, 0, bytes->bytes, bytes->len, &place);
    if (status != MGC_OK) {
        ledger->n_chains--;
        mgc__chain_destroy(chain);
        return status;
    }
    *out = chain;
    return MGC_OK;
}

mgc_status mgc_ledger_add_chain(mgc_ledger *ledger, const mgc_genesis *genesis, mgc_chain **out)
{
    mgc_genesis g = {.struct_size = sizeof g};
    mgc__cbor_writer w;
    mgc__buf bytes;
    mgc_status status;

    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ledger == NULL || genesis == NULL) return MGC_E_INVALID_ARG;
    if (ledger->read_only) return mgc__fail(ledger->ctx, MGC_E_STATE, "ledger: it is open for reading only");
    status = mgc__opts_read(&g, sizeof g, MGC__FIRST_SIZE(mgc_genesis, nonce), genesis);
    if (status != MGC_OK)
        return mgc__fail(ledger->ctx, status, "ledger: genesis.struct_size is not one that this library knows");
    if (g.name == NULL || g.members == NULL || g.n_members == 0 || g.n_members > MGC_MEMBERS_MAX ||
        g.reserved0 != 0 || strlen(g.name) > MGC_CHAIN_NAME_MAX ||
        !mgc__utf8_valid((const uint8_t *)g.name, strlen(g.name)))
        return mgc__fail(ledger->ctx, MGC_E_INVALID_ARG,
                         "ledger: a genesis needs a name of at most %d characters and 1..%d members",
                         MGC_CHAIN_NAME_MAX, MGC_MEMBERS_MAX);
    mgc__buf_init(&bytes, ledger->ctx, 1 << 16);
    mgc__cbor_to_buf(&w, &bytes);
    mgc__genesis_write(&w, &g);
    status =
        w.status == MGC_OK ? store_genesis(ledger, &bytes, out) : mgc__no_memory(ledger->ctx, "ledger: a genesis");
    if (status == MGC_E_RANGE || status == MGC_E_NONCANONICAL || status == MGC_E_SCHEMA) status = MGC_E_INVALID_ARG;
    mgc__buf_free(&bytes);
    return status;
}

mgc_status mgc_ledger_chain(mgc_ledger *ledger, const char *name, mgc_chain **out)
{
    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ledger == NULL || name == NULL) return MGC_E_INVALID_ARG;
    for (uint32_t i = 0; i < ledger->n_chains; i++)
        if (strcmp(ledger->chains[i]->name, name) == 0) *out = ledger->chains[i];
    return *out != NULL
               ? MGC_OK
               : mgc__fail(ledger->ctx, MGC_E_NOT_FOUND, "ledger: there is no chain %.*s", MGC_CHAIN_NAME_MAX, name);
}

mgc_status mgc_ledger_chain_at(mgc_ledger *ledger, uint32_t index, mgc_chain **out)
{
    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ledger == NULL) return MGC_E_INVALID_ARG;
    if (index >= ledger->n_chains)
        return mgc__fail(ledger->ctx, MGC_E_NOT_FOUND, "ledger: chain number %" PRIu32 " of %" PRIu32, index,
                         ledger->n_chains);
    *out = ledger->chains[index];
    return MGC_OK;
}

mgc_status mgc_chain_get_info(const mgc_chain *chain, mgc_chain_info *info)
{
    mgc_chain_info full = {.struct_size = sizeof full};

    if (chain == NULL || info == NULL) return MGC_E_INVALID_ARG;
    full.name = chain->name;
    full.height = chain->height;
    full.final_height = chain->final_height;
    full.acked_height = chain->acked_height;
    full.time_ms = chain->time_ms;
    full.n_records = chain->state.n_records;
    full.n_transactions = chain->n_txs;
    full.n_members = mgc__chain_signers(chain)->now.n;
    full.quorum = mgc__chain_signers(chain)->now.quorum;
    full.config_height = mgc__chain_signers(chain)->height;
    full.changing = mgc__chain_signers(chain)->joint;
    memcpy(full.chain_id, chain->id, 32);
    memcpy(full.block_hash, chain->hash, 32);
    memcpy(full.state_digest, chain->state_digest, 32);
    return mgc__info_write(info, &full, sizeof full, MGC__FIRST_SIZE(mgc_chain_info, reserved0));
}

/* --- building a block ---------------------------------------------------------------------------- */

/* Also for a block of another member: that is how a chain that fell behind catches up. */
static mgc_status begin(mgc_chain *chain, uint64_t time_ms)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc_status status = mgc__check_not_halted(chain);

    if (status != MGC_OK) return status;
    if (chain->ledger->read_only) return mgc__fail(ctx, MGC_E_STATE, "ledger: it is open for reading only");
    for (uint32_t i = 0; i < chain->ledger->n_chains; i++)
        if (chain->ledger->chains[i]->open)
            return mgc__fail(ctx, MGC_E_STATE,
                             "ledger: chain %s has an open block; the chains of a store build one at a time",
                             chain->ledger->chains[i]->name);
    if (!chain->has_executor)
        return mgc__fail(ctx, MGC_E_STATE, "ledger: no contracts are attached to chain %s", chain->name);
    if (time_ms <= chain->time_ms)
        return mgc__fail(ctx, MGC_E_TIME,
                         "ledger: a block of chain %s at %" PRIu64 " ms; the last one is at %" PRIu64, chain->name,
                         time_ms, chain->time_ms);
    return mgc__exec_begin(chain, time_ms);
}

mgc_status mgc_chain_begin(mgc_chain *chain, uint64_t time_ms)
{
    mgc_status status;

    if (chain == NULL) return MGC_E_INVALID_ARG;
    status = mgc__check_caught_up(chain);
    return status == MGC_OK ? begin(chain, time_ms) : status;
}

mgc_status mgc_chain_add(mgc_chain *chain, const uint8_t *bytes, size_t len, int32_t *result)
{
    mgc_status status;
    mgc__tx tx;

    if (result != NULL) *result = MGC_OK;
    if (chain == NULL || (bytes == NULL && len > 0)) return MGC_E_INVALID_ARG;
    if (!chain->open)
        return mgc__fail(chain->ledger->ctx, MGC_E_STATE, "ledger: chain %s has no open block", chain->name);
    status = mgc__exec_room(chain, len);
    if (status == MGC_OK) status = mgc__admit(chain, bytes, len, &tx);
    if (status != MGC_OK) return status;
    status = mgc__exec_add(chain, &tx, result);
    if (status != MGC_OK) mgc__exec_drop(chain);
    return status;
}

void mgc_chain_abort(mgc_chain *chain)
{
    if (chain != NULL) mgc__exec_drop(chain);
}

/* --- storing it ---------------------------------------------------------------------------------- */

/* Header, transactions, receipts and write set as one record. */
static mgc_status encode_record(mgc_chain *chain, const mgc__buf *header, const mgc__buf *writes, mgc__buf *record)
{
    mgc__list txs = {.items = chain->tx_bytes.bytes, .len = chain->tx_bytes.len, .n = chain->n_open_txs};
    mgc__list receipts = {
        .items = chain->receipt_bytes.bytes, .len = chain->receipt_bytes.len, .n = chain->n_open_txs + 1};
    mgc__cbor_writer w;
    mgc__buf block;
    mgc_status status;

    mgc__buf_init(&block, chain->ledger->ctx, MGC__RECORD_MAX);
    mgc__cbor_to_buf(&w, &block);
    mgc__block_write(&w, header->bytes, header->len, &txs);
    status = w.status;
    if (status == MGC_OK) {
        mgc__cbor_to_buf(&w, record);
        mgc__stored_block_write(&w, block.bytes, block.len, &receipts, writes->bytes, writes->len);
        status = w.status;
    }
    mgc__buf_free(&block);
    return status == MGC_E_NO_MEMORY ? mgc__no_memory(chain->ledger->ctx, "ledger: a block") : status;
}

static mgc_status append_certificate(mgc_chain *chain, uint64_t height, const mgc__certificate *c, mgc__place *place)
{
    mgc__cbor_writer w;
    mgc__buf bytes;
    mgc_status status;

    mgc__buf_init(&bytes, chain->ledger->ctx, 1 << 16);
    mgc__cbor_to_buf(&w, &bytes);
    mgc__certificate_write(&w, c);
    status = w.status == MGC_OK ? MGC_OK : mgc__no_memory(chain->ledger->ctx, "ledger: a certificate");
    if (status == MGC_OK)
        status = mgc__journal_append(chain->ledger->journal, MGC__RECORD_CERTIFICATE, chain->index, height,
                                     bytes.bytes, bytes.len, place);
    mgc__buf_free(&bytes);
    return status;
}

/* The only member's vote on a block that was just read back and checked. */
static mgc_status certify_alone(mgc_chain *chain, uint32_t member, const mgc_key *key, const mgc__stored_block *b,
                                mgc__place *place)
{
    uint8_t signature[MGC_SIGNATURE_BYTES];
    mgc__certificate c = {.block_hash = b->hash, .n = 1, .votes = {{.member = member, .signature = signature}}};
    mgc_status status = mgc__check_pins_final(chain, &b->header);

    if (status == MGC_OK) status = mgc__sign_vote(chain, key, b, signature);
    return status == MGC_OK ? append_certificate(chain, b->header.height, &c, place) : status;
}

/* Append, read back, and recompute every root from what was read: only then is it signed (where there is a key) and
 * stands. */
static mgc_status store_block(mgc_chain *chain, mgc__buf *record, uint32_t member, const mgc_key *key)
{
    mgc__journal *journal = chain->ledger->journal;
    mgc__journal_point before = mgc__journal_here(journal);
    mgc__place place, certificate = {0};
    mgc__stored_block b;
    mgc_status status = mgc__journal_append(journal, MGC__RECORD_BLOCK, chain->index, chain->height + 1,
                                            record->bytes, record->len, &place);

    if (status != MGC_OK) return status;
    status = mgc__journal_read(journal, &place, MGC__RECORD_BLOCK, record);
    if (status == MGC_OK) status = mgc__stored_block_read(chain->ledger->ctx, record->bytes, record->len, &b);
    if (status == MGC_OK) status = mgc__check_links(chain, &b);
    if (status == MGC_OK) status = mgc__check_order(chain, &b.header);
    if (status == MGC_OK) status = mgc__check_roots(chain, &b);
    if (status == MGC_OK && key != NULL) status = certify_alone(chain, member, key, &b, &certificate);
    if (status == MGC_OK) status = mgc__advance(chain, &b, &place);
    if (status != MGC_OK) return mgc__journal_go_back(journal, &before) == MGC_E_FAILED ? MGC_E_FAILED : status;
    if (key != NULL) {
        chain->blocks[chain->height - 1].certificate = certificate;
        chain->final_height = chain->height;
    }
    return MGC_OK;
}

static mgc_status seal(mgc_chain *chain, uint32_t proposer, const mgc__stored_block *expected, const mgc_key *key)
{
    mgc__buf header, writes, record;
    mgc_status status;

    mgc__buf_init(&header, chain->ledger->ctx, MGC__HEADER_BYTES_MAX);
    mgc__buf_init(&writes, chain->ledger->ctx, 2 * (size_t)MGC__BLOCK_WRITES_MAX);
    mgc__buf_init(&record, chain->ledger->ctx, MGC__RECORD_MAX);
    status = mgc__exec_finish(chain, proposer, &header, &writes);
    if (status == MGC_OK && expected != NULL &&
        (header.len != expected->header_len || memcmp(header.bytes, expected->header_bytes, header.len) != 0))
        status = mgc__fail(chain->ledger->ctx, MGC_E_STATE_MISMATCH,
                           "ledger: executing block %" PRIu64 " of chain %s gives other receipts or another state",
                           chain->height + 1, chain->name);
    if (status == MGC_OK) status = encode_record(chain, &header, &writes, &record);
    if (status == MGC_OK) status = store_block(chain, &record, proposer, key);
    mgc__exec_drop(chain); /* undoes everything unless the block stands */
    mgc__buf_free(&header);
    mgc__buf_free(&writes);
    mgc__buf_free(&record);
    return status;
}

mgc_status mgc_chain_seal(mgc_chain *chain, uint32_t proposer)
{
    if (chain == NULL) return MGC_E_INVALID_ARG;
    if (!chain->open)
        return mgc__fail(chain->ledger->ctx, MGC_E_STATE, "ledger: chain %s has no open block", chain->name);
    return seal(chain, proposer, NULL, NULL);
}

/* --- a block of another member ------------------------------------------------------------------- */

static mgc_status add_all(mgc_chain *chain, const mgc__stored_block *b)
{
    mgc_status status = MGC_OK;
    const uint8_t *bytes;
    size_t at = 0, len;

    while (status == MGC_OK && mgc__list_next(&b->txs, &at, &bytes, &len)) {
        mgc__tx tx;
        status = mgc__exec_room(chain, len);
        if (status == MGC_OK) status = mgc__admit(chain, bytes, len, &tx);
        if (status == MGC_OK) status = mgc__exec_add(chain, &tx, NULL);
    }
    return status;
}

static mgc_status check_foreign(mgc_chain *chain, const mgc__stored_block *b, uint64_t now_ms, uint64_t drift_ms)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc_status status = mgc__check_links(chain, b);
    uint8_t root[32];

    if (status != MGC_OK) return status;
    if (b->header.time_ms > now_ms && b->header.time_ms - now_ms > drift_ms)
        return mgc__fail(ctx, MGC_E_TIME,
                         "ledger: block %" PRIu64 " of chain %s is %" PRIu64 " ms ahead; at most %" PRIu64,
                         b->header.height, chain->name, b->header.time_ms - now_ms, drift_ms);
    status = mgc__check_order(chain, &b->header);
    if (status != MGC_OK) return status;
    mgc__list_root(&b->txs, root);
    if (b->txs.n != b->header.n_txs || memcmp(root, b->header.tx_root, 32) != 0)
        return mgc__fail(ctx, MGC_E_BAD_TX_ROOT,
                         "ledger: the transactions of block %" PRIu64 " of chain %s are not those of its header",
                         b->header.height, chain->name);
    return MGC_OK;
}

mgc_status mgc_chain_apply(mgc_chain *chain, const uint8_t *bytes, size_t len, uint64_t now_ms, uint64_t drift_ms)
{
    mgc__stored_block b;
    mgc_status status;

    if (chain == NULL || bytes == NULL) return MGC_E_INVALID_ARG;
    status = mgc__block_read(chain->ledger->ctx, bytes, len, &b);
    if (status == MGC_OK) status = check_foreign(chain, &b, now_ms, drift_ms);
    if (status == MGC_OK) status = begin(chain, b.header.time_ms);
    if (status != MGC_OK) return status;
    chain->change = b.header.change;
    status = mgc__verify_block_txs(chain, &b);
    if (status == MGC_OK) status = add_all(chain, &b);
    if (status != MGC_OK) {
        mgc__exec_drop(chain);
        return status;
    }
    return seal(chain, b.header.proposer, &b, NULL);
}

/* --- making it final ----------------------------------------------------------------------------- */

static mgc_status sorted_votes(mgc_chain *chain, const mgc_vote *votes, size_t n, mgc__certificate *c)
{
    if (n > MGC_MEMBERS_MAX)
        return mgc__fail(chain->ledger->ctx, MGC_E_BAD_CERT, "ledger: %zu votes for %d members at most", n,
                         MGC_MEMBERS_MAX);
    c->n = (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && c->votes[at - 1].member >= votes[i].member; at--) {
            if (c->votes[at - 1].member == votes[i].member)
                return mgc__fail(chain->ledger->ctx, MGC_E_BAD_CERT, "ledger: member %" PRIu32 " votes twice",
                                 votes[i].member);
            c->votes[at] = c->votes[at - 1];
        }
        c->votes[at].member = votes[i].member;
        c->votes[at].signature = votes[i].signature;
    }
    return MGC_OK;
}

mgc_status mgc_chain_certify(mgc_chain *chain, uint64_t height, const mgc_vote *votes, size_t n_votes)
{
    mgc__certificate c = {0};
    mgc__stored_block b;
    mgc__buf record;
    mgc_status status;

    if (chain == NULL || (votes == NULL && n_votes > 0)) return MGC_E_INVALID_ARG;
    if (chain->ledger->read_only)
        return mgc__fail(chain->ledger->ctx, MGC_E_STATE, "ledger: it is open for reading only");
    if (height != chain->final_height + 1 || height > chain->height)
        return mgc__fail(chain->ledger->ctx, MGC_E_HEIGHT,
                         "ledger: a certificate for height %" PRIu64 " of chain %s; final is %" PRIu64 " of %" PRIu64,
                         height, chain->name, chain->final_height, chain->height);
    status = mgc__check_not_halted(chain);
    if (status == MGC_OK) status = sorted_votes(chain, votes, n_votes, &c);
    if (status != MGC_OK) return status;
    mgc__buf_init(&record, chain->ledger->ctx, MGC__RECORD_MAX);
    status = mgc__read_block_record(chain, height, &record, &b);
    if (status == MGC_OK) {
        c.block_hash = b.hash;
        status = mgc__check_certificate(chain, &b, &c);
    }
    if (status == MGC_OK) status = mgc__check_pins_final(chain, &b.header);
    if (status == MGC_OK) status = append_certificate(chain, height, &c, &chain->blocks[height - 1].certificate);
    if (status == MGC_OK) chain->final_height = height;
    mgc__buf_free(&record);
    return status;
}

mgc_status mgc_chain_commit(mgc_chain *chain, const mgc_key *key)
{
    const mgc__signers *now;
    mgc_status status;
    uint32_t member = 0;

    if (chain == NULL || key == NULL) return MGC_E_INVALID_ARG;
    if (!chain->open)
        return mgc__fail(chain->ledger->ctx, MGC_E_STATE, "ledger: chain %s has no open block", chain->name);
    now = mgc__chain_signers(chain);
    for (uint32_t i = 0; i < now->now.n; i++)
        if (memcmp(now->now.list[i].public_key, mgc__key_public(key), MGC_PUBLIC_KEY_BYTES) == 0) member = now->now.list[i].id;
    if (member == 0)
        return mgc__fail(chain->ledger->ctx, MGC_E_BAD_KEY, "ledger: the key is not of a member of chain %s",
                         chain->name);
    if (now->now.quorum != 1 || now->joint || chain->change.n > 0 || chain->final_height != chain->height)
        return mgc__fail(chain->ledger->ctx, MGC_E_STATE,
                         "ledger: the blocks of chain %s need %" PRIu32
                         " votes, or some wait for theirs; seal, vote and certify them",
                         chain->name, now->now.quorum);
    status = seal(chain, member, NULL, key);
    if (status == MGC_OK) status = mgc_ledger_sync(chain->ledger);
    return status;
}
