/* SPDX-License-Identifier: Apache-2.0 */
/* The light verifier: bytes in, a verdict out; no ledger, no store, no allocation.
 *
 *   1. the proof's form; its genesis hashes to the chain id that is trusted
 *   2. the blocks that changed who signs since, in their order: each names the one before it, each is signed by those in force
 *      (signers.c); up to the last one that is known already only hashes are compared
 *   3. the header names that chain and the last of those; its certificate is a quorum of those who sign then
 *   4. the body: a path from the thing to one of the header's roots
 *
 * Nothing of a proof is believed before it was hashed or its signature was verified. */
#include "mgchain/verify.h"

#include "crypto/crypto.h"
#include "ledger/block.h"
#include "ledger/chain.h"
#include "ledger/proof.h"
#include "ledger/state.h"

enum {
    HEADER_MAX = MGC__HEADER_BYTES_MAX,
    CERTIFICATE_MAX = 16384,
    CHANGES_MAX = 1 << 16 /* far more than an alliance will see: bounds what a proof can make us do */
};

/* A proof taken apart up to its body. */
struct opened {
    mgc__cbor_reader reader; /* before the body */
    mgc__cbor_reader changes; /* before the first pair of header and certificate */
    uint32_t n_changes;
    const uint8_t *genesis_bytes, *header_bytes, *certificate_bytes;
    size_t genesis_len, header_len, certificate_len;
    mgc__signers signers; /* in force before the block */
    mgc__header header;
    uint8_t hash[32];
    mgc__certificate certificate;
};

/* --- certificates -------------------------------------------------------------------------------- */

static mgc_status check_certificate(const struct opened *o, const mgc__header *h, const uint8_t *header, size_t len,
                                    const uint8_t hash[32], const mgc__certificate *c)
{
    mgc__signers next;
    uint32_t wrong;

    if (h->config_height != o->signers.height || h->height <= h->config_height) return MGC_E_BAD_CERT;
    if (h->change.n > 0 && mgc__signers_next(&o->signers, h, &next) != NULL) return MGC_E_BAD_CERT;
    return mgc__signers_check(NULL, mgc__signers_of(&o->signers, h, &next), h->chain_id, header, len, hash, c, &wrong);
}

/* --- opening a proof ----------------------------------------------------------------------------- */

static mgc_status check_genesis(const mgc_verifier *v, struct opened *o)
{
    mgc_member members[MGC_MEMBERS_MAX];
    mgc__genesis genesis;
    mgc_status status;
    uint8_t id[32];

    mgc__chain_id(o->genesis_bytes, o->genesis_len, id);
    if (memcmp(id, v->chain_id, 32) != 0) return MGC_E_WRONG_CHAIN;
    status = mgc__genesis_read(NULL, o->genesis_bytes, o->genesis_len, &genesis, members);
    if (status == MGC_OK) mgc__signers_begin(&o->signers, &genesis, members);
    return status;
}

/* The next pair: header, its hash, certificate. */
struct pair {
    const uint8_t *header, *certificate;
    size_t header_len, certificate_len;
    mgc__header h;
    uint8_t hash[32];
};

static mgc_status next_pair(mgc__cbor_reader *r, struct pair *p)
{
    p->header = mgc__cbor_get_bytes(r, &p->header_len, HEADER_MAX);
    p->certificate = mgc__cbor_get_bytes(r, &p->certificate_len, CERTIFICATE_MAX);
    if (r->status != MGC_OK) return r->status;
    mgc__header_hash(p->header, p->header_len, p->hash);
    return mgc__header_read(NULL, p->header, p->header_len, &p->h);
}

/* Is the last change that is known among them?  *known: how many come up to it; 0: they are of before it. */
static mgc_status find_known(const mgc_verifier *v, const struct opened *o, uint32_t *known)
{
    mgc__cbor_reader r = o->changes;
    mgc_status status = MGC_OK;
    struct pair p;

    *known = 0;
    if (v->members_height == 0) return MGC_OK;
    for (uint32_t i = 0; i < o->n_changes && *known == 0 && status == MGC_OK; i++) {
        status = next_pair(&r, &p);
        if (status != MGC_OK || p.h.height != v->members_height) continue;
        if (memcmp(p.hash, v->members_hash, 32) != 0) return MGC_E_EQUIVOCATION;
        *known = i + 1;
    }
    if (status == MGC_OK && *known == 0 && o->header.height > v->members_height) return MGC_E_BAD_CERT;
    return status;
}

/* From the genesis' members to those in force. */
static mgc_status follow_members(mgc_verifier *v, struct opened *o)
{
    mgc__cbor_reader r = o->changes;
    mgc__certificate certificate;
    mgc__signers next;
    struct pair p;
    uint32_t known;
    mgc_status status = find_known(v, o, &known);

    for (uint32_t i = 0; i < o->n_changes && status == MGC_OK; i++) {
        status = next_pair(&r, &p);
        if (status == MGC_OK && memcmp(p.h.chain_id, v->chain_id, 32) != 0) status = MGC_E_WRONG_CHAIN;
        if (status == MGC_OK && i >= known) {
            status = mgc__certificate_read(NULL, p.certificate, p.certificate_len, &certificate);
            if (status == MGC_OK) status = check_certificate(o, &p.h, p.header, p.header_len, p.hash, &certificate);
        }
        if (status == MGC_OK && mgc__signers_next(&o->signers, &p.h, &next) != NULL) status = MGC_E_BAD_CERT;
        if (status != MGC_OK) return status;
        o->signers = next;
        if (i < known) continue;
        if (p.h.height <= v->members_height) continue; /* of before what is known */
        v->members_height = p.h.height;
        memcpy(v->members_hash, p.hash, 32);
    }
    return status;
}

/* The genesis, in version 2 with the changes of members. */
static void read_trust(struct opened *o, mgc__cbor_reader *r, bool changed, size_t len)
{
    uint64_t n = changed ? mgc__cbor_get_array(r, 1 + 2 * (uint64_t)CHANGES_MAX) : 1;
    size_t unused;

    if (r->status == MGC_OK && (n % 2 == 0 || (changed && n == 1)))
        mgc__cbor_refuse(r, MGC_E_NONCANONICAL, "a genesis, then pairs of header and certificate");
    o->genesis_bytes = mgc__cbor_get_bytes(r, &o->genesis_len, len);
    o->changes = *r;
    o->n_changes = (uint32_t)(n / 2);
    for (uint64_t i = 1; i < n && r->status == MGC_OK; i++)
        (void)mgc__cbor_get_bytes(r, &unused, i % 2 == 1 ? HEADER_MAX : CERTIFICATE_MAX);
}

static mgc_status read_envelope(struct opened *o, const uint8_t *proof, size_t len, uint32_t kind)
{
    mgc__cbor_reader *r = &o->reader;
    uint64_t version, found;

    mgc__cbor_read(r, proof, len);
    mgc__cbor_get_map(r, 6);
    mgc__cbor_get_key(r, 1);
    version = mgc__cbor_get_uint(r, UINT64_MAX);
    if (r->status == MGC_OK && version != 1 && version != 2)
        mgc__cbor_refuse(r, version > 2 ? MGC_E_VERSION : MGC_E_SCHEMA, "a version that is not known");
    mgc__cbor_get_key(r, 2);
    found = mgc__cbor_get_uint(r, UINT64_MAX);
    if (r->status == MGC_OK && found != kind) mgc__cbor_refuse(r, MGC_E_BAD_PROOF, "a proof of another kind");
    mgc__cbor_get_key(r, 3);
    read_trust(o, r, version == 2, len);
    mgc__cbor_get_key(r, 4);
    o->header_bytes = mgc__cbor_get_bytes(r, &o->header_len, HEADER_MAX);
    mgc__cbor_get_key(r, 5);
    o->certificate_bytes = NULL;
    o->certificate_len = 0;
    if (!mgc__cbor_get_null(r)) o->certificate_bytes = mgc__cbor_get_bytes(r, &o->certificate_len, len);
    mgc__cbor_get_key(r, 6);
    return r->status;
}

static bool is_zero(const uint8_t hash[32])
{
    static const uint8_t zero[32] = {0};

    return memcmp(hash, zero, 32) == 0;
}

static mgc_status open_proof(mgc_verifier *v, const uint8_t *proof, size_t len, uint32_t kind, struct opened *o)
{
    mgc_status status;

    if (v == NULL || proof == NULL) return MGC_E_INVALID_ARG;
    if (v->struct_size != sizeof *v) return MGC_E_ABI_SIZE;
    status = read_envelope(o, proof, len, kind);
    if (status == MGC_OK) status = check_genesis(v, o);
    if (status == MGC_OK) status = mgc__header_read(NULL, o->header_bytes, o->header_len, &o->header);
    if (status != MGC_OK) return status;
    if (memcmp(o->header.chain_id, v->chain_id, 32) != 0) return MGC_E_WRONG_CHAIN;
    status = follow_members(v, o);
    if (status != MGC_OK) return status;
    if (o->certificate_bytes == NULL) return MGC_E_NOT_FINAL;
    status = mgc__certificate_read(NULL, o->certificate_bytes, o->certificate_len, &o->certificate);
    if (status != MGC_OK) return status;
    mgc__header_hash(o->header_bytes, o->header_len, o->hash);
    if (memcmp(o->hash, v->seen_hash, 32) != 0 || is_zero(v->seen_hash)) {
        status = check_certificate(o, &o->header, o->header_bytes, o->header_len, o->hash, &o->certificate);
        if (status != MGC_OK) return status;
        memcpy(v->seen_hash, o->hash, 32);
    } else {
        o->certificate.n = o->signers.now.quorum; /* this one was not looked at */
    }
    if (v->height == o->header.height && memcmp(v->block_hash, o->hash, 32) != 0) return MGC_E_EQUIVOCATION;
    return MGC_OK;
}

static mgc_status tell(const struct opened *o, uint32_t kind, const mgc_verified *found, mgc_verified *what)
{
    mgc_verified full = *found;

    if (what == NULL) return MGC_OK;
    full.struct_size = sizeof full;
    full.kind = kind;
    full.n_votes = o->certificate.n;
    full.height = o->header.height;
    full.time_ms = o->header.time_ms;
    memcpy(full.block_hash, o->hash, 32);
    return mgc__info_write(what, &full, sizeof full, MGC__FIRST_SIZE(mgc_verified, reserved0));
}

/* --- paths --------------------------------------------------------------------------------------- */

static const uint8_t *get_path(mgc__cbor_reader *r, size_t *n)
{
    size_t len;
    const uint8_t *path = mgc__cbor_get_bytes(r, &len, 32 * (MGC__PROOF_MAX + 1));

    if (r->status == MGC_OK && len % 32 != 0) mgc__cbor_refuse(r, MGC_E_BAD_PROOF, "a path that is not of hashes");
    *n = len / 32;
    return path;
}

/* Body [index, thing, path]: the thing is the index-th leaf of a root over n. */
static mgc_status check_leaf(struct opened *o, uint64_t n, const uint8_t root[32], mgc_verified *found)
{
    mgc__cbor_reader *r = &o->reader;
    const uint8_t *path;
    uint8_t hash[32];
    size_t path_len;

    mgc__cbor_get_array_of(r, 3);
    found->index = mgc__cbor_get_uint(r, UINT64_MAX);
    found->item = mgc__cbor_get_bytes(r, &found->item_len, SIZE_MAX);
    path = get_path(r, &path_len);
    if (mgc__cbor_finish(r) != MGC_OK) return r->status;
    mgc__merkle_leaf(found->item, found->item_len, hash);
    return mgc__merkle_verify_inclusion(found->index, n, hash, path, path_len, root);
}

/* --- what stands in a block ---------------------------------------------------------------------- */

mgc_status mgc_verifier_init(mgc_verifier *verifier, size_t size, const uint8_t *chain_id)
{
    if (verifier == NULL || chain_id == NULL) return MGC_E_INVALID_ARG;
    if (size != sizeof *verifier) return MGC_E_ABI_SIZE;
    *verifier = (mgc_verifier){.struct_size = sizeof *verifier};
    memcpy(verifier->chain_id, chain_id, 32);
    return MGC_OK;
}

mgc_status mgc_verify_transaction(mgc_verifier *verifier, const uint8_t *proof, size_t len, mgc_verified *what)
{
    mgc_verified found = {0};
    struct opened o;
    mgc__tx tx;
    mgc_status status = open_proof(verifier, proof, len, MGC_PROOF_TRANSACTION, &o);

    if (status == MGC_OK) status = check_leaf(&o, o.header.n_txs, o.header.tx_root, &found);
    if (status == MGC_OK) status = mgc__tx_decode(NULL, found.item, found.item_len, &tx);
    if (status != MGC_OK) return status;
    memcpy(found.item_hash, tx.id, 32);
    return tell(&o, MGC_PROOF_TRANSACTION, &found, what);
}

mgc_status mgc_verify_receipt(mgc_verifier *verifier, const uint8_t *proof, size_t len, mgc_verified *what)
{
    mgc_verified found = {0};
    struct opened o;
    mgc__receipt receipt;
    mgc_status status = open_proof(verifier, proof, len, MGC_PROOF_RECEIPT, &o);

    if (status == MGC_OK) status = check_leaf(&o, (uint64_t)o.header.n_txs + 1, o.header.receipt_root, &found);
    if (status == MGC_OK) status = mgc__receipt_read(NULL, found.item, found.item_len, &receipt);
    if (status != MGC_OK) return status;
    if (receipt.tx_id != NULL) memcpy(found.item_hash, receipt.tx_id, 32);
    found.receipt_status = receipt.status;
    return tell(&o, MGC_PROOF_RECEIPT, &found, what);
}

/* Body [height, block hash, header or null where it is pruned, path]: the hash is leaf height - 1 of the log. */
mgc_status mgc_verify_ancestor(mgc_verifier *verifier, const uint8_t *proof, size_t len, mgc_verified *what)
{
    mgc_verified found = {0};
    mgc__header ancestor;
    struct opened o;
    const uint8_t *path = NULL, *hash;
    size_t path_len = 0;
    uint8_t leaf[32];
    mgc_status status = open_proof(verifier, proof, len, MGC_PROOF_ANCESTOR, &o);

    if (status != MGC_OK) return status;
    mgc__cbor_get_array_of(&o.reader, 4);
    found.index = mgc__cbor_get_uint(&o.reader, UINT64_MAX);
    hash = mgc__cbor_get_fixed(&o.reader, 32);
    if (!mgc__cbor_get_null(&o.reader)) found.item = mgc__cbor_get_bytes(&o.reader, &found.item_len, HEADER_MAX);
    path = get_path(&o.reader, &path_len);
    status = mgc__cbor_finish(&o.reader);
    if (status != MGC_OK) return status;
    if (found.index == 0 || o.header.height == 0) return MGC_E_BAD_PROOF;
    memcpy(found.item_hash, hash, 32);
    if (found.item != NULL) {
        mgc__header_hash(found.item, found.item_len, found.item_hash);
        status = mgc__header_read(NULL, found.item, found.item_len, &ancestor);
        if (status != MGC_OK) return status;
        if (ancestor.height != found.index || memcmp(found.item_hash, hash, 32) != 0) return MGC_E_BAD_PROOF;
    }
    mgc__merkle_leaf(found.item_hash, 32, leaf);
    status = mgc__merkle_verify_inclusion(found.index - 1, o.header.height - 1, leaf, path, path_len,
                                          o.header.log_root);
    return status == MGC_OK ? tell(&o, MGC_PROOF_ANCESTOR, &found, what) : status;
}

/* Body [header of the block before, or null at height 1; the block as it is stored].  Its writes lead from that block's state
 * digest to this one's. */
static mgc_status check_stored(const struct opened *o, mgc__cbor_reader *r, mgc__stored *found)
{
    const uint8_t *before = NULL;
    uint8_t digest[32], hash[32];
    size_t before_len = 0;
    mgc__header parent;
    mgc__stored_block b;
    mgc_status status;

    mgc__cbor_get_array_of(r, 2);
    if (!mgc__cbor_get_null(r)) before = mgc__cbor_get_bytes(r, &before_len, HEADER_MAX);
    found->bytes = mgc__cbor_get_bytes(r, &found->len, SIZE_MAX);
    if (mgc__cbor_finish(r) != MGC_OK) return r->status;
    if ((before == NULL) != (o->header.height == 1)) return MGC_E_BAD_PROOF;
    status = mgc__stored_block_read(NULL, found->bytes, found->len, &b);
    if (status == MGC_OK && before != NULL) status = mgc__header_read(NULL, before, before_len, &parent);
    if (status != MGC_OK) return status;
    if (memcmp(b.hash, o->hash, 32) != 0) return MGC_E_BAD_PROOF;
    mgc__list_root(&b.txs, hash);
    if (b.txs.n != o->header.n_txs || memcmp(hash, o->header.tx_root, 32) != 0) return MGC_E_BAD_TX_ROOT;
    mgc__list_root(&b.receipts, hash);
    if (b.receipts.n != o->header.n_txs + 1 || memcmp(hash, o->header.receipt_root, 32) != 0) return MGC_E_STATE_MISMATCH;
    if (before == NULL) {
        mgc__hash_tagged("mgchain/state/1", o->header.chain_id, 32, digest);
    } else {
        mgc__header_hash(before, before_len, hash);
        if (memcmp(hash, o->header.previous, 32) != 0) return MGC_E_BAD_PARENT;
        memcpy(digest, parent.state_digest, 32);
    }
    mgc__hash_tagged2("mgchain/state/1", digest, 32, b.writes, b.writes_len, hash);
    return memcmp(hash, o->header.state_digest, 32) == 0 ? MGC_OK : MGC_E_STATE_MISMATCH;
}

mgc_status mgc__verify_stored(mgc_verifier *v, const uint8_t *proof, size_t len, mgc__stored *found)
{
    struct opened o;
    mgc_status status = open_proof(v, proof, len, MGC_PROOF_STORED, &o);

    if (status == MGC_OK) status = check_stored(&o, &o.reader, found);
    if (status != MGC_OK) return status;
    found->header = o.header;
    found->certificate = o.certificate_bytes;
    found->certificate_len = o.certificate_len;
    memcpy(found->hash, o.hash, 32);
    return MGC_OK;
}

/* --- what stood at the day's close --------------------------------------------------------------- */

/* [index, key, value, path], proved against the header's state root. */
static mgc_status check_record(struct opened *o, mgc_verified *found)
{
    mgc__cbor_reader *r = &o->reader;
    const uint8_t *path;
    uint8_t leaf[32];
    size_t path_len;

    mgc__cbor_get_array_of(r, 4);
    found->index = mgc__cbor_get_uint(r, UINT64_MAX);
    found->key = mgc__cbor_get_bytes(r, &found->key_len, MGC__KEY_MAX);
    found->item = mgc__cbor_get_bytes(r, &found->item_len, MGC__VALUE_MAX);
    path = get_path(r, &path_len);
    if (r->status != MGC_OK) return r->status;
    mgc__leaf_hash(found->key, found->key_len, found->item, found->item_len, leaf);
    return mgc__merkle_verify_inclusion(found->index, o->header.n_records, leaf, path, path_len,
                                        o->header.state_root);
}

static mgc_status open_state_proof(mgc_verifier *v, const uint8_t *proof, size_t len, uint32_t kind, struct opened *o)
{
    mgc_status status = open_proof(v, proof, len, kind, o);

    return status == MGC_OK && !o->header.day_closed ? MGC_E_BAD_PROOF : status;
}

mgc_status mgc_verify_record(mgc_verifier *verifier, const uint8_t *proof, size_t len, mgc_verified *what)
{
    mgc_verified found = {0};
    struct opened o;
    mgc_status status = open_state_proof(verifier, proof, len, MGC_PROOF_RECORD, &o);

    if (status == MGC_OK) status = check_record(&o, &found);
    if (status == MGC_OK) status = mgc__cbor_finish(&o.reader);
    return status == MGC_OK ? tell(&o, MGC_PROOF_RECORD, &found, what) : status;
}

/* One side of a gap; *there false: null, the gap reaches to the end of the keys. */
static mgc_status check_side(struct opened *o, mgc_verified *side, bool *there)
{
    *there = !mgc__cbor_get_null(&o->reader);
    if (!*there) return o->reader.status;
    return check_record(o, side);
}

/* Body [key, left, right]: two records next to each other, the key between them. */
mgc_status mgc_verify_absence(mgc_verifier *verifier, const uint8_t *proof, size_t len, mgc_verified *what)
{
    mgc_verified found = {0}, left = {0}, right = {0};
    bool has_left = false, has_right = false;
    struct opened o;
    uint8_t empty[32];
    mgc_status status = open_state_proof(verifier, proof, len, MGC_PROOF_ABSENCE, &o);

    if (status != MGC_OK) return status;
    mgc__cbor_get_array_of(&o.reader, 3);
    found.key = mgc__cbor_get_bytes(&o.reader, &found.key_len, MGC__KEY_MAX);
    status = check_side(&o, &left, &has_left);
    if (status == MGC_OK) status = check_side(&o, &right, &has_right);
    if (status == MGC_OK) status = mgc__cbor_finish(&o.reader);
    if (status != MGC_OK) return status;
    if (has_left && mgc__key_compare(left.key, left.key_len, found.key, found.key_len) >= 0) return MGC_E_BAD_PROOF;
    if (has_right && mgc__key_compare(found.key, found.key_len, right.key, right.key_len) >= 0)
        return MGC_E_BAD_PROOF;
    if ((has_left ? left.index + 1 : 0) != (has_right ? right.index : o.header.n_records)) return MGC_E_BAD_PROOF;
    if (!has_left && !has_right) { /* the state was empty */
        status = mgc_sha256(NULL, 0, empty);
        if (status != MGC_OK || memcmp(empty, o.header.state_root, 32) != 0) return MGC_E_BAD_PROOF;
    }
    found.index = has_right ? right.index : o.header.n_records;
    return tell(&o, MGC_PROOF_ABSENCE, &found, what);
}

mgc_status mgc_verify_account(mgc_verifier *verifier, const uint8_t *proof, size_t len, mgc_verified_account *account)
{
    mgc_verified_account full = {.struct_size = sizeof full};
    mgc_verified found = {.struct_size = sizeof found};
    mgc_account_info a;
    mgc_status status = mgc_verify_record(verifier, proof, len, &found);

    if (status != MGC_OK) return status;
    if (account == NULL) return MGC_E_INVALID_ARG;
    if (found.key_len != 17 || found.key[0] != MGC__AREA_ACCOUNT ||
        mgc__account_decode(found.key + 1, found.item, found.item_len, &a) != MGC_OK)
        return MGC_E_BAD_PROOF;
    full.height = found.height;
    full.time_ms = found.time_ms;
    memcpy(full.id, a.id, 16);
    full.unit = a.unit;
    full.code = a.code;
    full.flags = a.flags;
    full.debits_pending = a.debits_pending;
    full.debits_posted = a.debits_posted;
    full.credits_pending = a.credits_pending;
    full.credits_posted = a.credits_posted;
    return mgc__info_write(account, &full, sizeof full, MGC__FIRST_SIZE(mgc_verified_account, credits_posted));
}

/* --- following a chain --------------------------------------------------------------------------- */

static void move_head(mgc_verifier *v, const struct opened *o)
{
    v->height = o->header.height;
    v->time_ms = o->header.time_ms;
    memcpy(v->block_hash, o->hash, 32);
    memcpy(v->log_root, o->header.log_root, 32);
}

static mgc_status follow_head(mgc_verifier *v, struct opened *o)
{
    bool empty = mgc__cbor_get_null(&o->reader);

    if (!empty) mgc__cbor_refuse(&o->reader, MGC_E_SCHEMA, "a head has no body");
    if (mgc__cbor_finish(&o->reader) != MGC_OK) return o->reader.status;
    return v->height == 0 || v->height == o->header.height ? MGC_OK : MGC_E_HEIGHT;
}

mgc_status mgc__verify_head(mgc_verifier *v, const uint8_t *proof, size_t len, mgc_verified *head,
                            mgc__witnessed *parts)
{
    const mgc_verified found = {0};
    struct opened o;
    mgc_status status = open_proof(v, proof, len, MGC_PROOF_HEAD, &o);

    if (status == MGC_OK) status = follow_head(v, &o);
    if (status != MGC_OK) return status;
    *parts = (mgc__witnessed){.header = o.header_bytes,
                              .certificate = o.certificate_bytes,
                              .header_len = o.header_len,
                              .certificate_len = o.certificate_len};
    return o.header.height == 0 ? MGC_E_BAD_PROOF : tell(&o, MGC_PROOF_HEAD, &found, head);
}

/* Body [transaction, ...]. */
static mgc_status follow_block(mgc_verifier *v, struct opened *o)
{
    mgc__cbor_reader *r = &o->reader;
    uint64_t n = mgc__cbor_get_array(r, MGC_BLOCK_TXS_MAX);
    mgc__merkle tree;
    uint8_t root[32];

    mgc__merkle_init(&tree);
    for (uint64_t i = 0; i < n && r->status == MGC_OK; i++) {
        size_t len;
        const uint8_t *tx = mgc__cbor_get_bytes(r, &len, MGC_TX_BYTES_MAX);
        if (tx == NULL) break;
        mgc__merkle_leaf(tx, len, root);
        mgc__merkle_push(&tree, root);
    }
    if (mgc__cbor_finish(r) != MGC_OK) return r->status;
    mgc__merkle_root(&tree, root);
    if (n != o->header.n_txs || memcmp(root, o->header.tx_root, 32) != 0) return MGC_E_BAD_TX_ROOT;
    if (v->height == 0) return MGC_OK;
    if (o->header.height != v->height + 1) return MGC_E_HEIGHT;
    if (memcmp(o->header.previous, v->block_hash, 32) != 0) return MGC_E_BAD_PARENT;
    return o->header.time_ms > v->time_ms ? MGC_OK : MGC_E_TIME;
}

/* Body [length of the old log, path, path]: the known head's log is the beginning of this one's, and what comes next in it, the
 * known head itself, is the next leaf. */
static mgc_status follow_consistency(mgc_verifier *v, struct opened *o, mgc_verified *found)
{
    mgc__cbor_reader *r = &o->reader;
    const uint8_t *log_path, *head_path;
    size_t log_len, head_len;
    uint8_t leaf[32];
    mgc_status status;

    mgc__cbor_get_array_of(r, 3);
    found->index = mgc__cbor_get_uint(r, UINT64_MAX);
    log_path = get_path(r, &log_len);
    head_path = get_path(r, &head_len);
    if (mgc__cbor_finish(r) != MGC_OK) return r->status;
    if (v->height == 0) return MGC_E_STATE;
    if (found->index != v->height - 1 || o->header.height <= v->height) return MGC_E_HEIGHT;
    mgc__merkle_leaf(v->block_hash, 32, leaf);
    status = mgc__merkle_verify_inclusion(v->height - 1, o->header.height - 1, leaf, head_path, head_len,
                                          o->header.log_root);
    if (status == MGC_OK && found->index > 0)
        status = mgc__merkle_verify_consistency(found->index, o->header.height - 1, log_path, log_len, v->log_root,
                                                o->header.log_root);
    else if (status == MGC_OK && log_len != 0)
        status = MGC_E_BAD_PROOF;
    return status;
}

/* The kind of a proof decides what is asked of it: it is read before anything else. */
static uint32_t kind_of(const uint8_t *proof, size_t len)
{
    mgc__cbor_reader r;

    mgc__cbor_read(&r, proof, len);
    mgc__cbor_get_map(&r, 6);
    mgc__cbor_get_key(&r, 1);
    (void)mgc__cbor_get_uint(&r, UINT64_MAX);
    mgc__cbor_get_key(&r, 2);
    return (uint32_t)mgc__cbor_get_uint(&r, UINT32_MAX);
}

mgc_status mgc_verify_follow(mgc_verifier *verifier, const uint8_t *proof, size_t len, mgc_verified *what)
{
    mgc_verified found = {0};
    struct opened o;
    mgc_status status;
    uint32_t kind;

    if (verifier == NULL || proof == NULL) return MGC_E_INVALID_ARG;
    kind = kind_of(proof, len);
    if (kind != MGC_PROOF_BLOCK && kind != MGC_PROOF_CONSISTENCY) kind = MGC_PROOF_HEAD;
    status = open_proof(verifier, proof, len, kind, &o);
    if (status != MGC_OK) return status;
    status = kind == MGC_PROOF_HEAD    ? follow_head(verifier, &o)
             : kind == MGC_PROOF_BLOCK ? follow_block(verifier, &o)
                                       : follow_consistency(verifier, &o, &found);
    if (status != MGC_OK) return status;
    move_head(verifier, &o);
    return tell(&o, kind, &found, what);
}

/* Body [header, certificate] of the other block. */
mgc_status mgc_verify_equivocation(mgc_verifier *verifier, const uint8_t *proof, size_t len, mgc_verified *what)
{
    mgc_verified found = {0};
    mgc__certificate other_certificate;
    const uint8_t *certificate;
    mgc_verifier fresh;
    mgc__header other;
    size_t certificate_len;
    struct opened o;
    mgc_status status;

    if (verifier == NULL) return MGC_E_INVALID_ARG;
    fresh = *verifier;
    fresh.height = 0; /* one of the two contradicts the head that is followed: that is the point */
    status = open_proof(&fresh, proof, len, MGC_PROOF_EQUIVOCATION, &o);
    if (status != MGC_OK) return status;
    mgc__cbor_get_array_of(&o.reader, 2);
    found.item = mgc__cbor_get_bytes(&o.reader, &found.item_len, HEADER_MAX);
    certificate = mgc__cbor_get_bytes(&o.reader, &certificate_len, len);
    status = mgc__cbor_finish(&o.reader);
    if (status == MGC_OK) status = mgc__header_read(NULL, found.item, found.item_len, &other);
    if (status == MGC_OK) status = mgc__certificate_read(NULL, certificate, certificate_len, &other_certificate);
    if (status != MGC_OK) return status;
    if (memcmp(other.chain_id, verifier->chain_id, 32) != 0) return MGC_E_WRONG_CHAIN;
    mgc__header_hash(found.item, found.item_len, found.item_hash);
    if (other.height != o.header.height || memcmp(found.item_hash, o.hash, 32) == 0) return MGC_E_BAD_PROOF;
    found.index = other.height;
    status = check_certificate(&o, &other, found.item, found.item_len, found.item_hash, &other_certificate);
    return status == MGC_OK ? tell(&o, MGC_PROOF_EQUIVOCATION, &found, what) : status;
}
