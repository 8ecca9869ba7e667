/* SPDX-License-Identifier: Apache-2.0 */
/* Proofs made by a ledger and checked by the light verifier alone. */
#include "ledger/forest.h"
#include "mgchain/verify.h"
#include "world.h"

static mgc_ctx *ctx;
static struct disk disk;
static struct world w;

enum { DAY = 86400000, PROOF_MAX = 1 << 17 };

static void setup(void)
{
    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    disk_init(&disk);
    ck_assert_int_eq(world_open(&w, ctx, &disk, 1 << 20), MGC_OK);
}

static void teardown(void)
{
    world_close(&w);
    disk_free(&disk);
    mgc_ctx_destroy(ctx);
}

/* --- the forest ---------------------------------------------------------------------------------- */

static void numbered_leaf(void *user, uint64_t i, uint8_t hash[32])
{
    uint8_t bytes[8];
    (void)user;
    mgc__put_be64(bytes, i);
    mgc__merkle_leaf(bytes, 8, hash);
}

START_TEST(the_forest_gives_the_proofs_of_the_plain_tree) /* every size to 80, every index, every earlier size */
{
    mgc__forest f;
    mgc__proof want, got;
    uint8_t hash[32], root[32];

    mgc__forest_init(&f, ctx, numbered_leaf, NULL);
    for (uint64_t n = 1; n <= 80; n++) {
        mgc__merkle m;
        numbered_leaf(NULL, n - 1, hash);
        ck_assert(mgc__forest_reserve(&f));
        mgc__forest_push(&f, hash);
        mgc__merkle_init(&m);
        for (uint64_t i = 0; i < n; i++) {
            numbered_leaf(NULL, i, hash);
            mgc__merkle_push(&m, hash);
        }
        mgc__merkle_root(&m, root);
        mgc__forest_root(&f, n, hash);
        ck_assert_mem_eq(root, hash, 32);
    }
    for (uint64_t n = 1; n <= 80; n++)
        for (uint64_t i = 0; i < n; i++) {
            ck_assert_int_eq(mgc__merkle_inclusion(numbered_leaf, NULL, n, i, &want), MGC_OK);
            ck_assert_int_eq(mgc__forest_inclusion(&f, n, i, &got), MGC_OK);
            ck_assert_uint_eq(want.n, got.n);
            ck_assert_mem_eq(want.path, got.path, 32 * (size_t)want.n);
            ck_assert_int_eq(mgc__merkle_consistency(numbered_leaf, NULL, i + 1, n, &want), MGC_OK);
            ck_assert_int_eq(mgc__forest_consistency(&f, i + 1, n, &got), MGC_OK);
            ck_assert_uint_eq(want.n, got.n);
            ck_assert_mem_eq(want.path, got.path, 32 * (size_t)want.n);
        }
    ck_assert_int_eq(mgc__forest_inclusion(&f, 81, 0, &got), MGC_E_RANGE);
    ck_assert_int_eq(mgc__forest_inclusion(&f, 80, 80, &got), MGC_E_RANGE);
    ck_assert_int_eq(mgc__forest_consistency(&f, 0, 80, &got), MGC_E_RANGE);
    mgc__forest_free(&f);
}
END_TEST

/* --- proofs in parts ----------------------------------------------------------------------------- */

static uint8_t proof[PROOF_MAX];
static size_t proof_len;

struct parts {
    uint64_t kind;
    const uint8_t *genesis, *header, *certificate, *body; /* body: encoded; certificate NULL: none */
    size_t genesis_len, header_len, certificate_len, body_len;
};

static struct parts take_apart(const uint8_t *bytes, size_t len)
{
    struct parts p = {0};
    mgc__cbor_reader r;

    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, 6);
    mgc__cbor_get_key(&r, 1);
    (void)mgc__cbor_get_uint(&r, 1);
    mgc__cbor_get_key(&r, 2);
    p.kind = mgc__cbor_get_uint(&r, 99);
    mgc__cbor_get_key(&r, 3);
    p.genesis = mgc__cbor_get_bytes(&r, &p.genesis_len, len);
    mgc__cbor_get_key(&r, 4);
    p.header = mgc__cbor_get_bytes(&r, &p.header_len, len);
    mgc__cbor_get_key(&r, 5);
    p.certificate = mgc__cbor_get_bytes(&r, &p.certificate_len, len);
    mgc__cbor_get_key(&r, 6);
    ck_assert_int_eq(r.status, MGC_OK);
    p.body = r.at;
    p.body_len = (size_t)(r.end - r.at);
    return p;
}

static size_t put_together(const struct parts *p, uint8_t *bytes)
{
    mgc__cbor_writer out;

    mgc__cbor_to_fixed(&out, bytes, PROOF_MAX);
    mgc__cbor_put_map(&out, 6);
    mgc__cbor_put_uint_at(&out, 1, 1);
    mgc__cbor_put_uint_at(&out, 2, p->kind);
    mgc__cbor_put_bytes_at(&out, 3, p->genesis, p->genesis_len);
    mgc__cbor_put_bytes_at(&out, 4, p->header, p->header_len);
    mgc__cbor_put_uint(&out, 5);
    if (p->certificate == NULL) mgc__cbor_put_null(&out);
    else mgc__cbor_put_bytes(&out, p->certificate, p->certificate_len);
    mgc__cbor_put_uint(&out, 6);
    mgc__cbor_put_raw(&out, p->body, p->body_len);
    ck_assert_int_eq(out.status, MGC_OK);
    return out.len;
}

static mgc_verifier fresh(void)
{
    mgc_verifier v;

    ck_assert_int_eq(mgc_verifier_init(&v, sizeof v, w.chain_id), MGC_OK);
    return v;
}

static mgc_status check_any(mgc_verifier *v, const uint8_t *bytes, size_t len)
{
    switch (take_apart(proof, proof_len).kind) {
    case MGC_PROOF_TRANSACTION: return mgc_verify_transaction(v, bytes, len, NULL);
    case MGC_PROOF_RECEIPT: return mgc_verify_receipt(v, bytes, len, NULL);
    case MGC_PROOF_ANCESTOR: return mgc_verify_ancestor(v, bytes, len, NULL);
    case MGC_PROOF_RECORD: return mgc_verify_record(v, bytes, len, NULL);
    case MGC_PROOF_ABSENCE: return mgc_verify_absence(v, bytes, len, NULL);
    case MGC_PROOF_EQUIVOCATION: return mgc_verify_equivocation(v, bytes, len, NULL);
    default: return mgc_verify_follow(v, bytes, len, NULL);
    }
}

/* A proof that one key is absent proves it of every key in the gap: only the key's own bytes may change. */
static bool another_key_of_the_gap(const mgc_verifier *start, const uint8_t *changed)
{
    mgc_verified a = {.struct_size = sizeof a}, b = {.struct_size = sizeof b};
    mgc_verifier v = *start;

    return take_apart(proof, proof_len).kind == MGC_PROOF_ABSENCE &&
           mgc_verify_absence(&v, proof, proof_len, &a) == MGC_OK &&
           mgc_verify_absence(&v, changed, proof_len, &b) == MGC_OK && a.key_len == b.key_len &&
           memcmp(a.key, b.key, a.key_len) != 0;
}

/* Every byte changed, cut at every byte, and a byte more: none is believed.  After this the proof is as before. */
static void flip_every_byte(const mgc_verifier *start)
{
    mgc_verifier v = *start;

    ck_assert_int_eq(check_any(&v, proof, proof_len), MGC_OK);
    for (size_t i = 0; i < proof_len; i++) {
        static uint8_t changed[PROOF_MAX];
        memcpy(changed, proof, proof_len);
        changed[i] ^= (uint8_t)(1 << i % 8);
        v = *start;
        ck_assert_msg(check_any(&v, changed, proof_len) != MGC_OK || another_key_of_the_gap(start, changed), "byte %zu of %zu", i, proof_len);
        v = *start;
        ck_assert_msg(check_any(&v, proof, i) != MGC_OK, "cut at %zu", i);
    }
    proof[proof_len] = 0;
    v = *start;
    ck_assert_int_ne(check_any(&v, proof, proof_len + 1), MGC_OK);
}

#define PROVE(call, ...)                                                                                             \
    ck_assert_msg(mgc_chain_prove_##call(w.chain, __VA_ARGS__, proof, sizeof proof, &proof_len) == MGC_OK, "%s",      \
                  mgc_ctx_error(ctx))

static void some_blocks(uint64_t n, uint64_t step_ms)
{
    for (uint64_t i = 0; i < n; i++) {
        int32_t result;
        ck_assert_int_eq(mgc_chain_begin(w.chain, w.chain->time_ms + step_ms), MGC_OK);
        for (uint8_t k = 0; k < 3 + i % 4; k++) ck_assert_int_eq(add_put(&w, (uint8_t)(k + i), "value", &result), MGC_OK);
        ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    }
}

/* --- what stands in a block ---------------------------------------------------------------------- */

START_TEST(what_stands_in_a_block_is_proved_offline)
{
    mgc_verifier v = fresh();
    mgc_verified what = {.struct_size = sizeof what};
    mgc_block *block;
    mgc_block_info info = {.struct_size = sizeof info};
    size_t needed;

    some_blocks(5, 10);
    for (uint64_t h = 1; h <= 5; h++) {
        ck_assert_int_eq(mgc_chain_read_block(w.chain, h, &block), MGC_OK);
        ck_assert_int_eq(mgc_block_get_info(block, &info), MGC_OK);
        for (uint32_t i = 0; i < info.n_txs; i++) {
            mgc_tx_info tx = {.struct_size = sizeof tx};
            const uint8_t *bytes;
            size_t len;
            ck_assert_int_eq(mgc_block_get_tx(block, i, &bytes, &len, &tx), MGC_OK);
            PROVE(transaction, h, i);
            ck_assert_int_eq(mgc_verify_transaction(&v, proof, proof_len, &what), MGC_OK);
            ck_assert_uint_eq(what.height, h);
            ck_assert_uint_eq(what.index, i);
            ck_assert_uint_eq(what.item_len, len);
            ck_assert_mem_eq(what.item, bytes, len);
            ck_assert_mem_eq(what.item_hash, tx.tx_id, 32);
            ck_assert_mem_eq(what.block_hash, info.hash, 32);
            ck_assert_uint_eq(what.n_votes, 1);
        }
        for (uint32_t i = 0; i < info.n_receipts; i++) {
            mgc_receipt_info receipt = {.struct_size = sizeof receipt};
            ck_assert_int_eq(mgc_block_get_receipt(block, i, &receipt), MGC_OK);
            PROVE(receipt, h, i);
            ck_assert_int_eq(mgc_verify_receipt(&v, proof, proof_len, &what), MGC_OK);
            ck_assert_mem_eq(what.item_hash, receipt.tx_id, 32);
            ck_assert_int_eq(what.receipt_status, receipt.status);
        }
        ck_assert_int_eq(mgc_chain_prove_transaction(w.chain, h, info.n_txs, proof, sizeof proof, &proof_len),
                         MGC_E_NOT_FOUND);
        mgc_block_destroy(block);
    }
    ck_assert_int_eq(mgc_chain_prove_head(w.chain, 6, proof, sizeof proof, &proof_len), MGC_E_NOT_FOUND);
    ck_assert_int_eq(mgc_chain_prove_head(w.chain, 5, NULL, 0, &needed), MGC_E_TOO_LARGE);
    PROVE(head, 5);
    ck_assert_uint_eq(needed, proof_len);
    ck_assert_int_eq(mgc_verify_transaction(&v, proof, proof_len, &what), MGC_E_BAD_PROOF); /* of another kind */
    PROVE(transaction, 3, 2);
    v = fresh();
    flip_every_byte(&v);
    PROVE(receipt, 3, 0);
    v = fresh();
    flip_every_byte(&v);
}
END_TEST

/* Change the path of a transaction's proof: its hashes from `from` on, n of them. */
static size_t with_path(const struct parts *p, uint64_t index, size_t n, uint8_t *bytes)
{
    static uint8_t body[PROOF_MAX], long_path[32 * 80];
    const uint8_t *tx, *path;
    size_t tx_len, path_len;
    struct parts q = *p;
    mgc__cbor_reader r;
    mgc__cbor_writer out;

    mgc__cbor_read(&r, p->body, p->body_len);
    mgc__cbor_get_array_of(&r, 3);
    (void)mgc__cbor_get_uint(&r, 99);
    tx = mgc__cbor_get_bytes(&r, &tx_len, PROOF_MAX);
    path = mgc__cbor_get_bytes(&r, &path_len, PROOF_MAX);
    memset(long_path, 7, sizeof long_path);
    memcpy(long_path, path, path_len);
    mgc__cbor_to_fixed(&out, body, sizeof body);
    mgc__cbor_put_array(&out, 3);
    mgc__cbor_put_uint(&out, index);
    mgc__cbor_put_bytes(&out, tx, tx_len);
    mgc__cbor_put_bytes(&out, long_path, n);
    q.body = body;
    q.body_len = out.len;
    return put_together(&q, bytes);
}

START_TEST(a_forged_short_or_long_path_is_refused) /* faults 70 */
{
    static uint8_t changed[PROOF_MAX];
    mgc_verifier v = fresh();
    mgc_verifier other = v;
    struct parts p;
    size_t len;

    some_blocks(4, 10);
    PROVE(transaction, 4, 1); /* 6 transactions: a path of 3 */
    p = take_apart(proof, proof_len);
    len = with_path(&p, 1, 96, changed);
    ck_assert_int_eq(mgc_verify_transaction(&v, changed, len, NULL), MGC_OK);
    for (size_t n = 0; n <= 32 * 64; n += n < 128 ? 1 : 32) {
        len = with_path(&p, 1, n, changed);
        if (n != 96) ck_assert_int_eq(mgc_verify_transaction(&v, changed, len, NULL), MGC_E_BAD_PROOF);
    }
    len = with_path(&p, 1, 32 * 70, changed); /* longer than any */
    ck_assert_int_eq(mgc_verify_transaction(&v, changed, len, NULL), MGC_E_TOO_LARGE);
    for (uint64_t i = 0; i < 10; i++) {
        len = with_path(&p, i, 96, changed);
        if (i != 1) ck_assert_int_eq(mgc_verify_transaction(&v, changed, len, NULL), MGC_E_BAD_PROOF);
    }
    p.certificate = NULL; /* a block that is not final */
    len = put_together(&p, changed);
    ck_assert_int_eq(mgc_verify_transaction(&v, changed, len, NULL), MGC_E_NOT_FINAL);
    other.chain_id[0] ^= 1;
    ck_assert_int_eq(mgc_verify_transaction(&other, proof, proof_len, NULL), MGC_E_WRONG_CHAIN);
    v.struct_size--;
    ck_assert_int_eq(mgc_verify_transaction(&v, proof, proof_len, NULL), MGC_E_ABI_SIZE);
}
END_TEST

/* --- certificates -------------------------------------------------------------------------------- */

static mgc_key *signers[4];

/* A chain of three members with a quorum of two, in its own store; the world's chain is put aside. */
static mgc_chain *three(uint64_t blocks)
{
    mgc_member members[3] = {{.id = 4}, {.id = 5}, {.id = 9}};
    mgc_genesis g = {
        .struct_size = sizeof g, .name = "three", .time_ms = 1, .members = members, .n_members = 3, .quorum = 2};
    mgc_chain *chain;

    for (uint8_t i = 0; i < 4; i++) {
        uint8_t seed[32] = {(uint8_t)(90 + i)};
        ck_assert_int_eq(mgc_key_from_seed(ctx, seed, &signers[i]), MGC_OK);
        if (i < 3) memcpy(members[i].public_key, mgc__key_public(signers[i]), 32);
    }
    ck_assert_int_eq(mgc_ledger_add_chain(w.ledger, &g, &chain), MGC_OK);
    mgc__chain_set_executor(chain, &toy);
    w.chain = chain;
    memcpy(w.chain_id, chain->id, 32);
    for (uint64_t h = 1; h <= blocks; h++) {
        mgc_vote votes[2] = {{.member = 9}, {.member = 4}};
        ck_assert_int_eq(mgc_chain_begin(chain, 10 * h), MGC_OK);
        ck_assert_int_eq(add_put(&w, (uint8_t)h, "a", NULL), MGC_OK);
        ck_assert_int_eq(add_put(&w, (uint8_t)h, "b", NULL), MGC_OK);
        ck_assert_int_eq(mgc_chain_seal(chain, 4), MGC_OK);
        ck_assert_int_eq(mgc_chain_prove_head(chain, h, proof, sizeof proof, &proof_len), MGC_E_NOT_FINAL);
        ck_assert_int_eq(mgc_chain_vote(chain, h, signers[2], votes[0].signature), MGC_OK);
        ck_assert_int_eq(mgc_chain_vote(chain, h, signers[0], votes[1].signature), MGC_OK);
        ck_assert_int_eq(mgc_chain_certify(chain, h, votes, 2), MGC_OK);
    }
    return chain;
}

static void three_end(void)
{
    for (int i = 0; i < 4; i++) mgc_key_destroy(signers[i]);
}

/* A certificate by these keys under these member numbers on a header. */
static size_t sign(const uint8_t *header, size_t len, uint32_t n, const uint32_t *ids, mgc_key *const *by,
                   uint8_t *bytes)
{
    uint8_t hash[32], signatures[4][64];
    mgc__certificate c = {.block_hash = hash, .n = n};
    mgc__cbor_writer out;

    mgc__header_hash(header, len, hash);
    for (uint32_t i = 0; i < n; i++) {
        ck_assert_int_eq(mgc__sign_tagged(ctx, by[i], "mgchain/vote/1", w.chain_id, MGC_ROLE_VALIDATOR, header, len,
                                          signatures[i]),
                         MGC_OK);
        c.votes[i].member = ids[i];
        c.votes[i].signature = signatures[i];
    }
    mgc__cbor_to_fixed(&out, bytes, 1024);
    mgc__certificate_write(&out, &c);
    return out.len;
}

START_TEST(a_certificate_is_a_quorum_of_the_members) /* faults 68 */
{
    static uint8_t changed[PROOF_MAX];
    uint8_t certificate[1024], header[4096];
    struct parts p;
    mgc__header h;
    mgc__cbor_writer out;
    mgc_verifier v;

    three(2);
    PROVE(transaction, 2, 0);
    v = fresh();
    flip_every_byte(&v);
    p = take_apart(proof, proof_len);

    struct {
        uint32_t n, ids[3];
        mgc_key *by[3];
        mgc_status want;
    } cases[] = {
        {2, {4, 5}, {signers[0], signers[1]}, MGC_OK},
        {3, {4, 5, 9}, {signers[0], signers[1], signers[2]}, MGC_OK},
        {1, {4}, {signers[0]}, MGC_E_BAD_CERT},                                         /* too few */
        {0, {0}, {NULL}, MGC_E_BAD_CERT},                                               /* none */
        {2, {4, 4}, {signers[0], signers[0]}, MGC_E_BAD_CERT},                          /* twice */
        {2, {5, 4}, {signers[1], signers[0]}, MGC_E_BAD_CERT},                          /* out of order */
        {2, {4, 7}, {signers[0], signers[3]}, MGC_E_BAD_CERT},                          /* unknown */
        {2, {4, 5}, {signers[0], signers[3]}, MGC_E_BAD_CERT},                          /* with another's key */
        {3, {4, 5, 9}, {signers[0], signers[1], signers[3]}, MGC_E_BAD_CERT},           /* one bad among enough */
    };
    for (size_t i = 0; i < MGC__COUNT(cases); i++) {
        p.certificate_len = sign(p.header, p.header_len, cases[i].n, cases[i].ids, cases[i].by, certificate);
        p.certificate = certificate;
        v = fresh();
        ck_assert_msg(mgc_verify_transaction(&v, changed, put_together(&p, changed), NULL) == cases[i].want, "%zu", i);
    }
    /* the header changed, the certificate the old one: faults 61, second half */
    p = take_apart(proof, proof_len);
    ck_assert_int_eq(mgc__header_read(ctx, p.header, p.header_len, &h), MGC_OK);
    h.tx_root[0] ^= 1;
    mgc__cbor_to_fixed(&out, header, sizeof header);
    mgc__header_write(&out, &h);
    p.header = header;
    p.header_len = out.len;
    v = fresh();
    ck_assert_int_eq(mgc_verify_transaction(&v, changed, put_together(&p, changed), NULL), MGC_E_BAD_CERT);
    three_end();
}
END_TEST

/* --- following ----------------------------------------------------------------------------------- */

/* The proof's header with one thing changed, signed by a quorum as only liars would. */
static size_t resigned(void (*change)(mgc__header *h), uint8_t *changed)
{
    static uint8_t header[4096], certificate[1024];
    const uint32_t ids[2] = {4, 5};
    struct parts p = take_apart(proof, proof_len);
    mgc__cbor_writer out;
    mgc__header h;

    ck_assert_int_eq(mgc__header_read(ctx, p.header, p.header_len, &h), MGC_OK);
    change(&h);
    mgc__cbor_to_fixed(&out, header, sizeof header);
    mgc__header_write(&out, &h);
    p.header = header;
    p.header_len = out.len;
    p.certificate_len = sign(header, p.header_len, 2, ids, signers, certificate);
    p.certificate = certificate;
    return put_together(&p, changed);
}

static void change_previous(mgc__header *h)
{
    h->previous[5] ^= 1;
}

static void change_height(mgc__header *h)
{
    h->height++;
}

static void change_time(mgc__header *h)
{
    h->time_ms = 10;
}

static void change_log(mgc__header *h)
{
    h->log_root[0] ^= 1;
}

START_TEST(a_chain_is_followed_block_by_block) /* faults 61, 62, 63, 64 */
{
    static uint8_t changed[PROOF_MAX], body[PROOF_MAX];
    const uint8_t *tx[2];
    size_t len[2];
    mgc__cbor_reader r;
    mgc__cbor_writer out;
    struct parts p;
    mgc_verifier v, at2;
    mgc_verified what = {.struct_size = sizeof what};

    three(9);
    v = fresh();
    PROVE(consistency, 1, 5);
    ck_assert_int_eq(mgc_verify_follow(&v, proof, proof_len, NULL), MGC_E_STATE);
    for (uint64_t h = 1; h <= 3; h++) {
        PROVE(block, h);
        ck_assert_int_eq(mgc_verify_follow(&v, proof, proof_len, &what), MGC_OK);
        ck_assert_uint_eq(v.height, h);
        if (h == 2) at2 = v;
    }
    PROVE(block, 2);
    ck_assert_int_eq(mgc_verify_follow(&v, proof, proof_len, NULL), MGC_E_HEIGHT);
    PROVE(block, 5);
    ck_assert_int_eq(mgc_verify_follow(&v, proof, proof_len, NULL), MGC_E_HEIGHT);
    PROVE(block, 3);
    v = at2;
    ck_assert_int_eq(mgc_verify_follow(&v, changed, resigned(change_previous, changed), NULL), MGC_E_BAD_PARENT);
    v = at2;
    ck_assert_int_eq(mgc_verify_follow(&v, changed, resigned(change_height, changed), NULL), MGC_E_HEIGHT);
    v = at2;
    ck_assert_int_eq(mgc_verify_follow(&v, changed, resigned(change_time, changed), NULL), MGC_E_TIME);
    v = at2;
    flip_every_byte(&v);

    p = take_apart(proof, proof_len); /* the two transactions the other way round */
    mgc__cbor_read(&r, p.body, p.body_len);
    mgc__cbor_get_array_of(&r, 2);
    for (int i = 0; i < 2; i++) tx[i] = mgc__cbor_get_bytes(&r, &len[i], PROOF_MAX);
    mgc__cbor_to_fixed(&out, body, sizeof body);
    mgc__cbor_put_array(&out, 2);
    mgc__cbor_put_bytes(&out, tx[1], len[1]);
    mgc__cbor_put_bytes(&out, tx[0], len[0]);
    p.body = body;
    p.body_len = out.len;
    v = at2;
    ck_assert_int_eq(mgc_verify_follow(&v, changed, put_together(&p, changed), NULL), MGC_E_BAD_TX_ROOT);
    ck_assert_uint_eq(v.height, 2); /* nothing was learnt */

    for (uint64_t old = 1; old < 9; old++) /* leaps */
        for (uint64_t h = old + 1; h <= 9; h++) {
            v = fresh();
            PROVE(head, old);
            ck_assert_int_eq(mgc_verify_follow(&v, proof, proof_len, NULL), MGC_OK);
            PROVE(consistency, old, h);
            if (old == 3 && h == 8) flip_every_byte(&v);
            ck_assert_int_eq(mgc_verify_follow(&v, changed, resigned(change_log, changed), NULL), MGC_E_BAD_PROOF);
            ck_assert_int_eq(mgc_verify_follow(&v, proof, proof_len, NULL), MGC_OK);
            ck_assert_uint_eq(v.height, h);
            PROVE(head, old);
            ck_assert_int_eq(mgc_verify_follow(&v, proof, proof_len, NULL), MGC_E_HEIGHT);
        }
    v = fresh();
    for (uint64_t h = 2; h <= 9; h++)
        for (uint64_t a = 1; a < h; a++) {
            PROVE(ancestor, a, h);
            if (a == 3 && h == 9) {
                mgc_verifier none = fresh();
                flip_every_byte(&none);
            }
            ck_assert_int_eq(mgc_verify_ancestor(&v, proof, proof_len, &what), MGC_OK);
            ck_assert_uint_eq(what.index, a);
            ck_assert_mem_eq(what.item_hash, w.chain->blocks[a - 1].hash, 32);
        }
    ck_assert_int_eq(mgc_chain_prove_ancestor(w.chain, 9, 9, proof, sizeof proof, &proof_len), MGC_E_RANGE);
    three_end();
}
END_TEST

START_TEST(two_final_blocks_of_one_height_convict) /* faults 63 */
{
    static uint8_t changed[PROOF_MAX], body[8192];
    struct parts p, q;
    mgc__cbor_writer out;
    mgc_verifier v;
    mgc_verified what = {.struct_size = sizeof what};

    three(2);
    v = fresh();
    PROVE(head, 2);
    ck_assert_int_eq(mgc_verify_follow(&v, proof, proof_len, NULL), MGC_OK);
    size_t other_len = resigned(change_log, changed);
    ck_assert_int_eq(mgc_verify_follow(&v, changed, other_len, NULL), MGC_E_EQUIVOCATION);
    p = take_apart(proof, proof_len);
    q = take_apart(changed, other_len);
    mgc__cbor_to_fixed(&out, body, sizeof body);
    mgc__cbor_put_array(&out, 2);
    mgc__cbor_put_bytes(&out, q.header, q.header_len);
    mgc__cbor_put_bytes(&out, q.certificate, q.certificate_len);
    p.kind = MGC_PROOF_EQUIVOCATION;
    p.body = body;
    p.body_len = out.len;
    static uint8_t evidence[PROOF_MAX];
    size_t evidence_len = put_together(&p, evidence);
    ck_assert_int_eq(mgc_verify_equivocation(&v, evidence, evidence_len, &what), MGC_OK);
    ck_assert_uint_eq(what.index, 2);
    ck_assert_uint_eq(v.height, 2);
    memcpy(proof, evidence, evidence_len);
    proof_len = evidence_len;
    v = fresh();
    flip_every_byte(&v);
    mgc__cbor_to_fixed(&out, body, sizeof body); /* the same block twice is none */
    mgc__cbor_put_array(&out, 2);
    mgc__cbor_put_bytes(&out, p.header, p.header_len);
    mgc__cbor_put_bytes(&out, p.certificate, p.certificate_len);
    p.body_len = out.len;
    evidence_len = put_together(&p, evidence);
    ck_assert_int_eq(mgc_verify_equivocation(&v, evidence, evidence_len, NULL), MGC_E_BAD_PROOF);
    three_end();
}
END_TEST

/* --- the day's close ----------------------------------------------------------------------------- */

enum { KEYS = 12 };

/* What each key of the small world held at the close of the day: an independent account of it. */
struct closed {
    bool there[KEYS];
    char value[KEYS][8];
};

static void put_random(mgc__rng *rng, struct closed *now)
{
    size_t k = (size_t)mgc__rng_below(rng, KEYS);
    uint8_t key = (uint8_t)(2 * k + 1);
    int32_t result;

    if (now->there[k] && mgc__rng_below(rng, 3) == 0) {
        static uint8_t bytes[MGC_TX_BYTES_MAX];
        size_t len = make_tx(&w, "remove", &key, 1, bytes);
        ck_assert_int_eq(mgc_chain_add(w.chain, bytes, len, &result), MGC_OK);
        now->there[k] = false;
    } else {
        snprintf(now->value[k], sizeof now->value[k], "%" PRIu64, mgc__rng_below(rng, 50));
        ck_assert_int_eq(add_put(&w, key, now->value[k], &result), MGC_OK);
        now->there[k] = true;
    }
    ck_assert_int_eq(result, MGC_OK);
}

static void check_close(const struct closed *close)
{
    mgc_verifier v = fresh();

    for (size_t k = 0; k < 2 * KEYS + 2; k++) { /* and the keys between them, which never were */
        uint8_t key = (uint8_t)k;
        bool there = k % 2 == 1 && k / 2 < KEYS && close->there[k / 2];
        mgc_verified what = {.struct_size = sizeof what};
        PROVE(record, 5, &key, 1);
        if (!there) {
            ck_assert_int_eq(mgc_verify_record(&v, proof, proof_len, &what), MGC_E_BAD_PROOF);
            ck_assert_int_eq(mgc_verify_absence(&v, proof, proof_len, &what), MGC_OK);
        } else {
            ck_assert_int_eq(mgc_verify_absence(&v, proof, proof_len, &what), MGC_E_BAD_PROOF);
            ck_assert_int_eq(mgc_verify_record(&v, proof, proof_len, &what), MGC_OK);
            ck_assert_uint_eq(what.item_len, strlen(close->value[k / 2]));
            ck_assert_mem_eq(what.item, close->value[k / 2], what.item_len);
        }
        ck_assert_uint_eq(what.key_len, 6);
        ck_assert_uint_eq(what.key[5], k);
        ck_assert_uint_eq(what.height, w.chain->day_block);
    }
}

START_TEST(the_days_close_is_proved_whatever_came_after)
{
    struct closed now = {0}, close = {0};
    mgc_verify_info info = {.struct_size = sizeof info};
    mgc_ledger_opts opts;
    mgc__rng rng;
    uint8_t key = 1;
    uint64_t day = 0;

    mgc__rng_seed(&rng, 5);
    ck_assert_int_eq(mgc_chain_prove_record(w.chain, 5, &key, 1, proof, sizeof proof, &proof_len), MGC_E_NOT_FOUND);
    for (int b = 0; b < 60; b++) {
        uint64_t time_ms = w.chain->time_ms + 1 + mgc__rng_below(&rng, DAY / 3);
        if (time_ms / DAY != day) close = now;
        day = time_ms / DAY;
        ck_assert_int_eq(mgc_chain_begin(w.chain, time_ms), MGC_OK);
        for (uint64_t n = mgc__rng_below(&rng, 6); n > 0; n--) put_random(&rng, &now);
        if (b == 30)
            ck_assert_int_eq(mgc_chain_prove_record(w.chain, 5, &key, 1, proof, sizeof proof, &proof_len),
                             MGC_E_STATE);
        ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
        if (w.chain->day_block != 0) check_close(&close);
        if (b % 20 == 19) { /* the same after a restart */
            world_close(&w);
            ck_assert_int_eq(world_open(&w, ctx, &disk, 1 << 20), MGC_OK);
            check_close(&close);
        }
    }
    ck_assert_uint_gt(day, 5);
    PROVE(record, 5, (const uint8_t *)"\x64", 1);
    mgc_verifier v = fresh();
    flip_every_byte(&v);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &disk_ops;
    opts.storage_user = &disk;
    ck_assert_int_eq(mgc_ledger_verify(ctx, &opts, &info), MGC_OK);
}
END_TEST

/* The two sides of an absence, as bytes. */
static void sides(const struct parts *p, const uint8_t *at[3])
{
    mgc__cbor_reader r;
    size_t len;

    mgc__cbor_read(&r, p->body, p->body_len);
    mgc__cbor_get_array_of(&r, 3);
    (void)mgc__cbor_get_bytes(&r, &len, PROOF_MAX);
    for (int side = 0; side < 2; side++) {
        at[side] = r.at;
        if (mgc__cbor_get_null(&r)) continue;
        mgc__cbor_get_array_of(&r, 4);
        (void)mgc__cbor_get_uint(&r, UINT64_MAX);
        for (int i = 0; i < 3; i++) (void)mgc__cbor_get_bytes(&r, &len, PROOF_MAX);
    }
    at[2] = r.at;
    ck_assert_int_eq(r.status, MGC_OK);
}

START_TEST(neighbours_that_are_none_prove_no_absence)
{
    static uint8_t one[PROOF_MAX], body[PROOF_MAX], changed[PROOF_MAX];
    const uint8_t keys[3] = {2, 3, 4}, *first[3], *second[3];
    mgc__cbor_writer out;
    struct parts p, q;
    mgc_verifier v = fresh();
    int32_t result;

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    for (uint8_t k = 1; k <= 5; k += 2) ck_assert_int_eq(add_put(&w, k, "x", &result), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    some_blocks(1, DAY);
    PROVE(record, 5, &keys[0], 1); /* between 1 and 3 */
    memcpy(one, proof, proof_len);
    p = take_apart(one, proof_len);
    sides(&p, first);
    PROVE(record, 5, &keys[2], 1); /* between 3 and 5 */
    q = take_apart(proof, proof_len);
    sides(&q, second);
    mgc__cbor_to_fixed(&out, body, sizeof body); /* so 3 is absent, between 1 and 5? */
    mgc__cbor_put_array(&out, 3);
    mgc__cbor_put_bytes(&out, "\x04\0\0\0\x05\x03", 6);
    mgc__cbor_put_raw(&out, first[0], (size_t)(first[1] - first[0]));
    mgc__cbor_put_raw(&out, second[1], (size_t)(second[2] - second[1]));
    p.body = body;
    p.body_len = out.len;
    ck_assert_int_eq(mgc_verify_absence(&v, changed, put_together(&p, changed), NULL), MGC_E_BAD_PROOF);
    mgc__cbor_to_fixed(&out, body, sizeof body); /* or at the end? */
    mgc__cbor_put_array(&out, 3);
    mgc__cbor_put_bytes(&out, "\x04\0\0\0\x05\x03", 6);
    mgc__cbor_put_raw(&out, first[0], (size_t)(first[1] - first[0]));
    mgc__cbor_put_null(&out);
    p.body_len = out.len;
    ck_assert_int_eq(mgc_verify_absence(&v, changed, put_together(&p, changed), NULL), MGC_E_BAD_PROOF);
    PROVE(record, 5, &keys[1], 1);
    ck_assert_int_eq(mgc_verify_record(&v, proof, proof_len, NULL), MGC_OK);
}
END_TEST

START_TEST(an_account_is_proved_as_it_stood)
{
    mgc_verified_account account = {.struct_size = sizeof account};
    mgc_verifier v = fresh();
    uint8_t id[16], root[32];
    int32_t result;

    ck_assert_int_eq(mgc_chain_begin(w.chain, 2000), MGC_OK);
    ck_assert_int_eq(add_account(&w, 1, 1, 0, &result), MGC_OK);
    ck_assert_int_eq(add_account(&w, 2, 1, MGC_ACCOUNT_HISTORY, &result), MGC_OK);
    ck_assert_int_eq(add_move(&w, 7, 1, 2, 41, 0, 0, 0, &result), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    ck_assert_int_eq(mgc_chain_state_root(w.chain, root), MGC_OK);
    ck_assert_int_eq(mgc_chain_begin(w.chain, DAY), MGC_OK);
    ck_assert_int_eq(add_move(&w, 8, 1, 2, 1, 0, 0, 0, &result), MGC_OK);
    ck_assert_int_eq(add_account(&w, 3, 1, 0, &result), MGC_OK);
    ck_assert_int_eq(mgc_chain_commit(w.chain, w.member), MGC_OK);
    id_of(id, 2);
    PROVE(account, id);
    ck_assert_int_eq(mgc_verify_account(&v, proof, proof_len, &account), MGC_OK);
    ck_assert_uint_eq(account.height, 2);
    ck_assert_uint_eq(account.credits_posted, 41);
    ck_assert_uint_eq(account.unit, 1);
    ck_assert_uint_eq(account.flags, MGC_ACCOUNT_HISTORY);
    ck_assert_mem_eq(account.id, id, 16);
    struct parts p = take_apart(proof, proof_len);
    mgc__header h;
    ck_assert_int_eq(mgc__header_read(ctx, p.header, p.header_len, &h), MGC_OK);
    ck_assert_mem_eq(h.state_root, root, 32); /* the state before the block */
    id_of(id, 3);
    PROVE(account, id);
    ck_assert_int_eq(mgc_verify_absence(&v, proof, proof_len, NULL), MGC_OK); /* opened after the close */
    v = fresh();
    flip_every_byte(&v);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("proofs");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_forest_gives_the_proofs_of_the_plain_tree);
    tcase_add_test(tcase, what_stands_in_a_block_is_proved_offline);
    tcase_add_test(tcase, a_forged_short_or_long_path_is_refused);
    tcase_add_test(tcase, a_certificate_is_a_quorum_of_the_members);
    tcase_add_test(tcase, a_chain_is_followed_block_by_block);
    tcase_add_test(tcase, two_final_blocks_of_one_height_convict);
    tcase_add_test(tcase, the_days_close_is_proved_whatever_came_after);
    tcase_add_test(tcase, neighbours_that_are_none_prove_no_absence);
    tcase_add_test(tcase, an_account_is_proved_as_it_stood);
    return run_suite("ledger-proofs", tcase);
}
