/* SPDX-License-Identifier: Apache-2.0 */
/* What others have seen, against what this store holds.
 *
 *   a later head than ours     this store was rolled back, or has not caught up: nothing is built or signed until it has
 *   another final block at a height of ours     members signed both: the evidence is kept in the journal and the chain
 *                              halts, also after opening again, until an operator has decided
 *
 * A rolled-back store that nobody else has seen more of cannot be told from one that is whole: hence the witness. */
#include <inttypes.h>

#include "ledger/chain.h"
#include "mgchain/verify.h"

enum { EVIDENCE_MAX = 1 << 22 /* with every change of members */ };

/* --- may this chain go on? ----------------------------------------------------------------------- */

mgc_status mgc__check_not_halted(const mgc_chain *chain)
{
    if (!chain->halted) return MGC_OK;
    return mgc__fail(chain->ledger->ctx, MGC_E_EQUIVOCATION,
                     "ledger: chain %s is halted: two blocks of one height are final; mgc_chain_evidence() has them",
                     chain->name);
}

mgc_status mgc__check_caught_up(const mgc_chain *chain)
{
    mgc_status status = mgc__check_not_halted(chain);
    uint64_t seen = chain->witness_height;

    if (status != MGC_OK) return status;
    if (seen == 0 || (chain->height >= seen && memcmp(chain->blocks[seen - 1].hash, chain->witness_hash, 32) == 0))
        return MGC_OK;
    return mgc__fail(chain->ledger->ctx, MGC_E_ROLLBACK,
                     "ledger: chain %s ends at block %" PRIu64 " but others have seen block %" PRIu64
                     "; it must catch up before it builds or signs",
                     chain->name, chain->height, seen);
}

/* --- evidence ------------------------------------------------------------------------------------ */

/* Ours as the proof's own block, theirs as its body. */
static mgc_status write_evidence(mgc_chain *chain, uint64_t height, const mgc__witnessed *theirs, mgc__buf *bytes)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc__buf record, certificate;
    mgc__stored_block b;
    mgc__cbor_writer w;
    mgc_status status;

    mgc__buf_init(&record, ctx, MGC__RECORD_MAX);
    mgc__buf_init(&certificate, ctx, MGC__RECORD_MAX);
    status = mgc__read_block_record(chain, height, &record, &b);
    if (status == MGC_OK)
        status = mgc__journal_read(chain->ledger->journal, &chain->blocks[height - 1].certificate,
                                   MGC__RECORD_CERTIFICATE, &certificate);
    if (status == MGC_OK) {
        mgc__cbor_to_buf(&w, bytes);
        mgc__cbor_put_map(&w, 6);
        mgc__cbor_put_uint_at(&w, 1, mgc__proof_version(&b.header));
        mgc__cbor_put_uint_at(&w, 2, MGC_PROOF_EQUIVOCATION);
        status = mgc__proof_trust(chain, &b.header, &w);
        mgc__cbor_put_bytes_at(&w, 4, b.header_bytes, b.header_len);
        mgc__cbor_put_bytes_at(&w, 5, certificate.bytes, certificate.len);
        mgc__cbor_put_uint(&w, 6);
        mgc__cbor_put_array(&w, 2);
        mgc__cbor_put_bytes(&w, theirs->header, theirs->header_len);
        mgc__cbor_put_bytes(&w, theirs->certificate, theirs->certificate_len);
        if (status == MGC_OK && w.status != MGC_OK) status = mgc__no_memory(ctx, "ledger: evidence");
    }
    mgc__buf_free(&record);
    mgc__buf_free(&certificate);
    return status;
}

static mgc_status check_evidence(const mgc_chain *chain, const uint8_t *bytes, size_t len)
{
    mgc_verifier v;
    mgc_status status = mgc_verifier_init(&v, sizeof v, chain->id);

    return status == MGC_OK ? mgc_verify_equivocation(&v, bytes, len, NULL) : status;
}

static mgc_status convict(mgc_chain *chain, uint64_t height, const mgc__witnessed *theirs)
{
    mgc_ctx *ctx = chain->ledger->ctx;
    mgc__place place;
    mgc__buf bytes;
    mgc_status status;

    mgc__buf_init(&bytes, ctx, EVIDENCE_MAX);
    status = write_evidence(chain, height, theirs, &bytes);
    if (status == MGC_OK) status = check_evidence(chain, bytes.bytes, bytes.len);
    if (status == MGC_OK && !chain->ledger->read_only)
        status = mgc__journal_append(chain->ledger->journal, MGC__RECORD_EVIDENCE, chain->index, height, bytes.bytes,
                                     bytes.len, &place);
    if (status == MGC_OK && !chain->ledger->read_only) {
        chain->evidence = place;
        status = mgc_ledger_sync(chain->ledger);
    }
    mgc__buf_free(&bytes);
    if (status != MGC_OK) return status;
    mgc__exec_drop(chain);
    chain->halted = true;
    return mgc__fail(ctx, MGC_E_EQUIVOCATION,
                     "ledger: two blocks %" PRIu64 " of chain %s are final; the evidence is kept, the chain halts",
                     height, chain->name);
}

/* From the journal: what was found before. */
mgc_status mgc__replay_evidence(mgc_chain *chain, const mgc__record *record)
{
    mgc_status status = check_evidence(chain, record->body, record->place.length);

    if (status != MGC_OK)
        return mgc__fail(chain->ledger->ctx, status, "ledger: what is kept as evidence in chain %s proves nothing",
                         chain->name);
    chain->evidence = record->place;
    chain->halted = true;
    return MGC_OK;
}

mgc_status mgc_chain_evidence(mgc_chain *chain, uint8_t *bytes, size_t cap, size_t *len)
{
    mgc__buf body;
    mgc_status status;

    if (len == NULL) return MGC_E_INVALID_ARG;
    *len = 0;
    if (chain == NULL || (bytes == NULL && cap > 0)) return MGC_E_INVALID_ARG;
    if (chain->evidence.length == 0) return MGC_E_NOT_FOUND;
    mgc__buf_init(&body, chain->ledger->ctx, MGC__RECORD_MAX);
    status = mgc__journal_read(chain->ledger->journal, &chain->evidence, MGC__RECORD_EVIDENCE, &body);
    if (status == MGC_OK) {
        *len = body.len;
        if (cap >= body.len) memcpy(bytes, body.bytes, body.len);
        else status = mgc__fail(chain->ledger->ctx, MGC_E_TOO_LARGE, "ledger: evidence of %zu bytes into %zu", body.len, cap);
    }
    mgc__buf_free(&body);
    return status;
}

mgc_status mgc_chain_resume(mgc_chain *chain)
{
    mgc__place place;
    mgc_status status;

    if (chain == NULL) return MGC_E_INVALID_ARG;
    if (chain->ledger->read_only || !chain->halted)
        return mgc__fail(chain->ledger->ctx, MGC_E_STATE, "ledger: chain %s is not halted, or read-only", chain->name);
    status = mgc__journal_append(chain->ledger->journal, MGC__RECORD_RESUME, chain->index, chain->height,
                                 (const uint8_t *)"", 0, &place);
    if (status == MGC_OK) status = mgc_ledger_sync(chain->ledger);
    if (status == MGC_OK) chain->halted = false;
    return status;
}

/* --- the witness --------------------------------------------------------------------------------- */

static mgc_status later_than_ours(mgc_chain *chain, uint64_t height, const uint8_t hash[32])
{
    if (height > chain->witness_height) {
        chain->witness_height = height;
        memcpy(chain->witness_hash, hash, 32);
    }
    return mgc__check_caught_up(chain);
}

void mgc__trust_own_members(const mgc_chain *chain, mgc_verifier *v)
{
    for (size_t i = chain->n_configurations; i-- > 1;) {
        const mgc__configuration *c = chain->configurations[i];

        if (c->signers.height > chain->final_height) continue;
        v->members_height = c->signers.height;
        memcpy(v->members_hash, chain->blocks[c->signers.height - 1].hash, 32);
        return;
    }
}

mgc_status mgc_chain_witness(mgc_chain *chain, const uint8_t *proof, size_t len)
{
    mgc_verified head = {.struct_size = sizeof head};
    mgc__witnessed theirs;
    mgc_verifier v;
    mgc_status status;

    if (chain == NULL || proof == NULL) return MGC_E_INVALID_ARG;
    status = mgc_verifier_init(&v, sizeof v, chain->id);
    mgc__trust_own_members(chain, &v);
    if (status == MGC_OK) status = mgc__verify_head(&v, proof, len, &head, &theirs);
    if (status != MGC_OK)
        return mgc__fail(chain->ledger->ctx, status, "ledger: what is to be witnessed of chain %s: %s", chain->name,
                         mgc_status_text(status));
    if (head.height > chain->height) return later_than_ours(chain, head.height, head.block_hash);
    if (memcmp(chain->blocks[head.height - 1].hash, head.block_hash, 32) == 0) return MGC_OK;
    if (head.height <= chain->final_height) return convict(chain, head.height, &theirs);
    /* Ours has no certificate and never will: opening again forgets it. */
    chain->witness_height = head.height;
    memcpy(chain->witness_hash, head.block_hash, 32);
    return mgc__fail(chain->ledger->ctx, MGC_E_NOT_FINAL,
                     "ledger: another block %" PRIu64 " of chain %s is final than the one here, which is not; open the "
                     "ledger again and take that one",
                     head.height, chain->name);
}
