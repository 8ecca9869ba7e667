/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/tx.h"

#include "codec/cbor.h"
#include "crypto/crypto.h"

static const char tx_tag[] = "mgchain/tx/1";

enum { TX_VERSION = 1 };

static void put_body(mgc__cbor_writer *w, const mgc_tx_body *b)
{
    mgc__cbor_put_map(w, 8);
    mgc__cbor_put_uint_at(w, 1, TX_VERSION);
    mgc__cbor_put_bytes_at(w, 2, b->chain_id, 32);
    mgc__cbor_put_bytes_at(w, 3, b->sender, MGC_PUBLIC_KEY_BYTES);
    mgc__cbor_put_uint_at(w, 4, b->contract);
    mgc__cbor_put_text_at(w, 5, b->method, strlen(b->method));
    mgc__cbor_put_bytes_at(w, 6, b->arguments, b->arguments_len);
    mgc__cbor_put_uint_at(w, 7, b->nonce);
    mgc__cbor_put_uint_at(w, 8, b->valid_until);
}

mgc_status mgc_tx_encode_body(const mgc_tx_body *body, uint8_t *bytes, size_t cap, size_t *len)
{
    mgc_tx_body b = {0};
    mgc__cbor_writer w;
    mgc_status status;
    size_t method_len;

    if (body == NULL || bytes == NULL || len == NULL) return MGC_E_INVALID_ARG;
    *len = 0;
    b.struct_size = sizeof b;
    status = mgc__opts_read(&b, sizeof b, MGC__FIRST_SIZE(mgc_tx_body, valid_until), body);
    if (status != MGC_OK) return status;
    if (b.chain_id == NULL || b.sender == NULL || b.method == NULL || (b.arguments == NULL && b.arguments_len > 0) ||
        b.reserved0 != 0 || b.nonce == 0)
        return MGC_E_INVALID_ARG;
    method_len = strlen(b.method);
    if (method_len == 0 || method_len > MGC_METHOD_MAX || !mgc__utf8_valid((const uint8_t *)b.method, method_len))
        return MGC_E_INVALID_ARG;
    mgc__cbor_to_fixed(&w, bytes, cap < MGC_TX_BYTES_MAX ? cap : MGC_TX_BYTES_MAX);
    put_body(&w, &b);
    if (w.status == MGC_OK) *len = w.len;
    return w.status;
}

/* --- reading ------------------------------------------------------------------------------------- */

static void get_version(mgc__cbor_reader *r, uint64_t known)
{
    uint64_t version = mgc__cbor_get_uint(r, UINT64_MAX);

    if (r->status == MGC_OK && version > known)
        mgc__cbor_refuse(r, MGC_E_VERSION, "a version newer than this library's");
    if (r->status == MGC_OK && version < 1) mgc__cbor_refuse(r, MGC_E_SCHEMA, "a version that never was");
}

static mgc_status read_body(mgc_ctx *ctx, const uint8_t *body, size_t len, mgc__tx *tx)
{
    mgc__cbor_reader r;

    mgc__cbor_read(&r, body, len);
    mgc__cbor_get_map(&r, 8);
    mgc__cbor_get_key(&r, 1);
    get_version(&r, TX_VERSION);
    mgc__cbor_get_key(&r, 2);
    tx->chain_id = mgc__cbor_get_fixed(&r, 32);
    mgc__cbor_get_key(&r, 3);
    tx->sender = mgc__cbor_get_fixed(&r, MGC_PUBLIC_KEY_BYTES);
    mgc__cbor_get_key(&r, 4);
    tx->contract = (uint32_t)mgc__cbor_get_uint(&r, UINT32_MAX);
    mgc__cbor_get_key(&r, 5);
    tx->method = mgc__cbor_get_text(&r, &tx->method_len, MGC_METHOD_MAX);
    mgc__cbor_get_key(&r, 6);
    tx->arguments = mgc__cbor_get_bytes(&r, &tx->arguments_len, MGC_TX_BYTES_MAX);
    mgc__cbor_get_key(&r, 7);
    tx->nonce = mgc__cbor_get_uint(&r, UINT64_MAX);
    mgc__cbor_get_key(&r, 8);
    tx->valid_until = mgc__cbor_get_uint(&r, UINT64_MAX);
    mgc__cbor_finish(&r);
    if (r.status == MGC_OK && tx->method_len == 0) mgc__cbor_refuse(&r, MGC_E_SCHEMA, "a method without a name");
    if (r.status == MGC_OK && tx->nonce == 0) mgc__cbor_refuse(&r, MGC_E_SCHEMA, "nonces begin at 1");
    tx->body = body;
    tx->body_len = len;
    return mgc__cbor_fail(ctx, &r, "a transaction's body");
}

static void read_signers(mgc__cbor_reader *r, mgc__tx *tx)
{
    tx->n_signatures = (uint32_t)mgc__cbor_get_array(r, MGC_TX_SIGNATURES_MAX);
    for (uint32_t i = 0; i < tx->n_signatures && r->status == MGC_OK; i++) {
        struct mgc__tx_signer *signer = &tx->signers[i];
        mgc__cbor_get_array_of(r, 3);
        signer->public_key = mgc__cbor_get_fixed(r, MGC_PUBLIC_KEY_BYTES);
        signer->role = (uint32_t)mgc__cbor_get_uint(r, UINT8_MAX);
        signer->signature = mgc__cbor_get_fixed(r, MGC_SIGNATURE_BYTES);
        if (r->status == MGC_OK && i > 0 &&
            memcmp(tx->signers[i - 1].public_key, signer->public_key, MGC_PUBLIC_KEY_BYTES) >= 0)
            mgc__cbor_refuse(r, MGC_E_NONCANONICAL, "signers are not in strictly ascending order of their keys");
    }
}

mgc_status mgc__tx_decode(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc__tx *tx)
{
    const uint8_t *body;
    mgc__cbor_reader r;
    mgc_status status;
    size_t body_len;

    *tx = (mgc__tx){.bytes = bytes, .len = len};
    if (len > MGC_TX_BYTES_MAX)
        return ctx == NULL ? MGC_E_TOO_LARGE
                           : mgc__fail(ctx, MGC_E_TOO_LARGE, "ledger: a transaction of %zu bytes; at most %d", len,
                                       MGC_TX_BYTES_MAX);
    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, 2);
    mgc__cbor_get_key(&r, 1);
    body = mgc__cbor_get_bytes(&r, &body_len, MGC_TX_BYTES_MAX);
    mgc__cbor_get_key(&r, 2);
    read_signers(&r, tx);
    mgc__cbor_finish(&r);
    status = mgc__cbor_fail(ctx, &r, "a transaction");
    if (status == MGC_OK) status = read_body(ctx, body, body_len, tx);
    if (status == MGC_OK) mgc__hash_tagged(tx_tag, body, body_len, tx->id);
    return status;
}

mgc_status mgc__tx_verify(mgc_ctx *ctx, const mgc__tx *tx)
{
    bool sender_signed = false;

    for (uint32_t i = 0; i < tx->n_signatures; i++) {
        const struct mgc__tx_signer *s = &tx->signers[i];
        mgc_status status = mgc__verify_tagged(ctx, s->public_key, tx_tag, tx->chain_id, s->role, tx->body,
                                               tx->body_len, s->signature);
        if (status != MGC_OK)
            return mgc__fail(ctx, status, "ledger: signature %u of %u of a transaction: %s", i + 1, tx->n_signatures,
                             mgc_status_text(status));
        if (memcmp(s->public_key, tx->sender, MGC_PUBLIC_KEY_BYTES) == 0) sender_signed = true;
    }
    if (!sender_signed)
        return mgc__fail(ctx, MGC_E_MISSING_SIGNER, "ledger: a transaction that its sender has not signed");
    return MGC_OK;
}

mgc_status mgc__tx_verify_in(uint8_t *scratch, const mgc__tx *tx)
{
    bool sender_signed = false;

    for (uint32_t i = 0; i < tx->n_signatures; i++) {
        const struct mgc__tx_signer *s = &tx->signers[i];
        mgc_status status = mgc__verify_tagged_in(scratch, s->public_key, tx_tag, tx->chain_id, s->role, tx->body,
                                                  tx->body_len, s->signature);
        if (status != MGC_OK) return status;
        if (memcmp(s->public_key, tx->sender, MGC_PUBLIC_KEY_BYTES) == 0) sender_signed = true;
    }
    return sender_signed ? MGC_OK : MGC_E_MISSING_SIGNER;
}

bool mgc__tx_method_is(const mgc__tx *tx, const char *method)
{
    return strlen(method) == tx->method_len && memcmp(method, tx->method, tx->method_len) == 0;
}

/* --- signing and putting together ---------------------------------------------------------------- */

mgc_status mgc_tx_sign(const uint8_t *body, size_t body_len, const mgc_key *key, uint32_t role,
                       mgc_tx_signature *signature)
{
    mgc_tx_signature s = {0};
    mgc_status status;
    mgc__tx tx = {0};

    if (body == NULL || key == NULL || signature == NULL || role > UINT8_MAX) return MGC_E_INVALID_ARG;
    status = read_body(NULL, body, body_len, &tx);
    if (status != MGC_OK) return status;
    status = mgc__sign_tagged(mgc__key_ctx(key), key, tx_tag, tx.chain_id, role, body, body_len, s.signature);
    if (status != MGC_OK) return status;
    memcpy(s.public_key, mgc__key_public(key), MGC_PUBLIC_KEY_BYTES);
    s.role = role;
    *signature = s;
    return MGC_OK;
}

/* Indices of the signatures in the order of their keys. */
static mgc_status order(const mgc_tx_signature *signatures, size_t n, size_t place[MGC_TX_SIGNATURES_MAX])
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0; at--) {
            int c = memcmp(signatures[place[at - 1]].public_key, signatures[i].public_key, MGC_PUBLIC_KEY_BYTES);
            if (c == 0) return MGC_E_NONCANONICAL;
            if (c < 0) break;
            place[at] = place[at - 1];
        }
        place[at] = i;
    }
    return MGC_OK;
}

mgc_status mgc_tx_assemble(const uint8_t *body, size_t body_len, const mgc_tx_signature *signatures,
                           size_t n_signatures, uint8_t *bytes, size_t cap, size_t *len)
{
    size_t place[MGC_TX_SIGNATURES_MAX];
    mgc__cbor_writer w;
    mgc_status status;

    if (body == NULL || signatures == NULL || bytes == NULL || len == NULL || n_signatures == 0 ||
        n_signatures > MGC_TX_SIGNATURES_MAX)
        return MGC_E_INVALID_ARG;
    *len = 0;
    status = order(signatures, n_signatures, place);
    if (status != MGC_OK) return status;
    mgc__cbor_to_fixed(&w, bytes, cap < MGC_TX_BYTES_MAX ? cap : MGC_TX_BYTES_MAX);
    mgc__cbor_put_map(&w, 2);
    mgc__cbor_put_bytes_at(&w, 1, body, body_len);
    mgc__cbor_put_uint(&w, 2);
    mgc__cbor_put_array(&w, n_signatures);
    for (size_t i = 0; i < n_signatures; i++) {
        const mgc_tx_signature *s = &signatures[place[i]];
        if (s->role > UINT8_MAX || s->reserved0 != 0) return MGC_E_INVALID_ARG;
        mgc__cbor_put_array(&w, 3);
        mgc__cbor_put_bytes(&w, s->public_key, MGC_PUBLIC_KEY_BYTES);
        mgc__cbor_put_uint(&w, s->role);
        mgc__cbor_put_bytes(&w, s->signature, MGC_SIGNATURE_BYTES);
    }
    if (w.status == MGC_OK) *len = w.len;
    return w.status;
}

/* --- taken apart for the host -------------------------------------------------------------------- */

mgc_status mgc__tx_info(const mgc__tx *tx, mgc_tx_info *info)
{
    mgc_tx_info full = {.struct_size = sizeof full,
                        .chain_id = tx->chain_id,
                        .sender = tx->sender,
                        .contract = tx->contract,
                        .n_signatures = tx->n_signatures,
                        .method = tx->method,
                        .method_len = tx->method_len,
                        .arguments = tx->arguments,
                        .arguments_len = tx->arguments_len,
                        .nonce = tx->nonce,
                        .valid_until = tx->valid_until,
                        .body = tx->body,
                        .body_len = tx->body_len};

    memcpy(full.tx_id, tx->id, sizeof full.tx_id);
    return mgc__info_write(info, &full, sizeof full, MGC__FIRST_SIZE(mgc_tx_info, body_len));
}

mgc_status mgc_tx_decode(const uint8_t *bytes, size_t len, mgc_tx_info *info)
{
    mgc_status status;
    mgc__tx tx;

    if ((bytes == NULL && len > 0) || info == NULL) return MGC_E_INVALID_ARG;
    status = mgc__tx_decode(NULL, bytes, len, &tx);
    return status != MGC_OK ? status : mgc__tx_info(&tx, info);
}

mgc_status mgc_tx_decode_signature(const uint8_t *bytes, size_t len, uint32_t index, mgc_tx_signature *signature)
{
    mgc_status status;
    mgc__tx tx;

    if ((bytes == NULL && len > 0) || signature == NULL) return MGC_E_INVALID_ARG;
    status = mgc__tx_decode(NULL, bytes, len, &tx);
    if (status != MGC_OK) return status;
    if (index >= tx.n_signatures) return MGC_E_NOT_FOUND;
    *signature = (mgc_tx_signature){.role = tx.signers[index].role};
    memcpy(signature->public_key, tx.signers[index].public_key, MGC_PUBLIC_KEY_BYTES);
    memcpy(signature->signature, tx.signers[index].signature, MGC_SIGNATURE_BYTES);
    return MGC_OK;
}
