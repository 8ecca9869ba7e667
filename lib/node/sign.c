/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures on messages of the consensus, and members who sign two truths.
 *
 *   1. Votes, acknowledgements and heads (what a leader says its batch is) leave signed and are dropped unsigned.
 *   2. Each is compared with what the same member signed before: votes of one term, acknowledgements and heads of one index.
 *   3. Two that contradict each other are evidence, whoever sees them first: they go to the credit contract as a transaction,
 *      which every member checks when it is executed.
 *   4. A leader's certificate is in its first entry: there a candidate that lost finds votes that it was given, too.
 *
 * What can go wrong
 *   a contradiction is seen long after its other half   only the last statements are kept: it is not found
 *   the leader leaves the evidence out                  it waits in the pool, and goes to the next leader
 *   several find the same                               the contract knows it already; conviction counts once */
#include "node/cluster.h"

#include "crypto/crypto.h"
#include "ledger/block.h"

static const uint8_t *own_chain_id(mgc__cluster *c, mgc_chain_info *info)
{
    *info = (mgc_chain_info){.struct_size = sizeof *info};
    return mgc_chain_get_info(mgc_node_chain(c->node, MGC_CONTRACT_CREDIT), info) == MGC_OK ? info->chain_id : NULL;
}

/* --- signing ------------------------------------------------------------------------------------ */

mgc_status mgc__sign_bytes(mgc__cluster *c, const char *tag, const void *bytes, size_t len, uint8_t signature[64])
{
    mgc_chain_info info;
    const uint8_t *id = own_chain_id(c, &info);

    if (id == NULL) return MGC_E_STATE;
    return mgc__sign_tagged(c->node->ctx, c->node->opts.key, tag, id, 0, bytes, len, signature);
}

mgc_status mgc__verify_bytes(mgc__cluster *c, const char *tag, uint32_t from, const void *bytes, size_t len,
                             const uint8_t signature[64])
{
    const known_member *m = mgc__known(c, from);

    return m == NULL ? MGC_E_BAD_SIGNATURE : mgc__verify_by_key(c, tag, m->public_key, bytes, len, signature);
}

mgc_status mgc__verify_by_key(mgc__cluster *c, const char *tag, const uint8_t public_key[32], const void *bytes, size_t len,
                              const uint8_t signature[64])
{
    mgc_chain_info info;
    const uint8_t *id = own_chain_id(c, &info);

    return id == NULL ? MGC_E_BAD_SIGNATURE : mgc__verify_tagged(c->node->ctx, public_key, tag, id, 0, bytes, len, signature);
}

static uint8_t kind_of(const mgc_raft_msg *msg)
{
    return msg->kind == MGC_RAFT_VOTE_RESP ? STATEMENT_VOTE : msg->kind == MGC_RAFT_APPEND_RESP ? STATEMENT_ACK : STATEMENT_HEAD;
}

static mgc_status statement_of(const mgc_raft_msg *msg, statement *s, const char **tag)
{
    uint8_t body[MGC_RAFT_SIGNED_BYTES_MAX];
    size_t len = 0;
    mgc_status st = mgc_raft_signed_body(msg, body, &len, tag);

    *s = (statement){.kind = kind_of(msg), .len = (uint8_t)len};
    assert(len <= STATEMENT_BYTES);
    memcpy(s->body, body, len);
    return st;
}

mgc_status mgc__msg_sign(mgc__cluster *c, mgc_raft_msg *msg)
{
    statement s;
    const char *tag;
    mgc_status st = statement_of(msg, &s, &tag);

    if (st != MGC_OK || s.len == 0) return st;
    if (s.kind != c->signed_last.kind || s.len != c->signed_last.len || memcmp(s.body, c->signed_last.body, s.len) != 0) {
        st = mgc__sign_bytes(c, tag, s.body, s.len, s.signature);
        if (st != MGC_OK) return st;
        c->signed_last = s;
    }
    memcpy(msg->signature, c->signed_last.signature, 64);
    msg->flags |= MGC_RAFT_SIGNED;
    return MGC_OK;
}

/* --- contradictions ----------------------------------------------------------------------------- */

/* What two statements of one kind have in common where no honest member makes both, and where they then differ. */
static bool contradict(const statement *a, const statement *b)
{
    size_t from = a->kind == STATEMENT_HEAD ? 8 : 0, same = a->kind == STATEMENT_VOTE ? 16 : 24,
           end = a->kind == STATEMENT_VOTE ? 20 : 56;

    return a->kind == b->kind && a->len == b->len && a->len >= end && memcmp(a->body + from, b->body + from, same - from) == 0 &&
           memcmp(a->body + same, b->body + same, end - same) != 0;
}

mgc_status mgc__submit_own(mgc_node *node, uint32_t contract, const char *method, mgc_args *args)
{
    static const uint64_t valid_for = 1000; /* blocks */
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_tx_body body = {.struct_size = sizeof body, .contract = contract, .method = method};
    mgc_tx_signature signature;
    uint8_t sender[32], *bytes = mgc__alloc(node->ctx, 2, MGC_TX_BYTES_MAX), *whole = bytes == NULL ? NULL : bytes + MGC_TX_BYTES_MAX;
    size_t len = 0;
    mgc_status st = bytes == NULL ? mgc__no_memory(node->ctx, "node: a transaction of its own")
                                  : mgc_chain_get_info(mgc_node_chain(node, contract), &chain);

    if (st == MGC_OK) st = mgc_key_public(node->opts.key, sender);
    if (st == MGC_OK) st = mgc_node_next_nonce(node, sender, contract, &body.nonce);
    if (st == MGC_OK) st = mgc_args_encode(args, &body.arguments, &body.arguments_len);
    body.chain_id = chain.chain_id;
    body.sender = sender;
    body.valid_until = chain.height + valid_for;
    if (st == MGC_OK) st = mgc_tx_encode_body(&body, bytes, MGC_TX_BYTES_MAX, &len);
    if (st == MGC_OK) st = mgc_tx_sign(bytes, len, node->opts.key, MGC_ROLE_NONE, &signature);
    if (st == MGC_OK) st = mgc_tx_assemble(bytes, len, &signature, 1, whole, MGC_TX_BYTES_MAX, &len);
    if (st == MGC_OK) st = mgc_node_submit(node, whole, len, &node->cluster->own_ticket);
    mgc__free(node->ctx, bytes);
    return st == MGC_E_RATE ? MGC_OK : st; /* the pool is full: another time */
}

static mgc_status accuse(mgc__cluster *c, heard *h, const statement *a, const statement *b)
{
    mgc_args *args = NULL;
    mgc_status st;

    if (h->accused || mgc__chain_member_ever(c->node->chains[mgc__node_home(c->node, MGC_CONTRACT_CREDIT)], h->id) == NULL) return MGC_OK;
    st = mgc_args_create(c->node->ctx, MGC_CONTRACT_CREDIT, "evidence", &args);
    if (st == MGC_OK) st = mgc_args_set_int(args, "kind", a->kind);
    if (st == MGC_OK) st = mgc_args_set_int(args, "validator", h->id);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "first", a->body, a->len);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "first_signature", a->signature, 64);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "second", b->body, b->len);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "second_signature", b->signature, 64);
    if (st == MGC_OK) st = mgc__submit_own(c->node, MGC_CONTRACT_CREDIT, "evidence", args);
    mgc_args_destroy(args);
    if (st != MGC_OK) return st;
    h->accused = true;
    c->evidence++;
    return MGC_OK;
}

/* Two blocks of one height, both signed by that member. */
mgc_status mgc__accuse_blocks(mgc__cluster *c, uint32_t id, const mgc__stored_block *a, const uint8_t *signature_a, const mgc__stored_block *b,
                              const uint8_t *signature_b)
{
    heard *h = mgc__heard(c, id);
    mgc_args *args = NULL;
    mgc_status st;

    if (h == NULL || h->accused || id == c->node->opts.id) return MGC_OK;
    st = mgc_args_create(c->node->ctx, MGC_CONTRACT_CREDIT, "evidence", &args);
    if (st == MGC_OK) st = mgc_args_set_int(args, "kind", 1);
    if (st == MGC_OK) st = mgc_args_set_int(args, "validator", id);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "first", a->header_bytes, a->header_len);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "first_signature", signature_a, 64);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "second", b->header_bytes, b->header_len);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "second_signature", signature_b, 64);
    if (st == MGC_OK) st = mgc__submit_own(c->node, MGC_CONTRACT_CREDIT, "evidence", args);
    mgc_args_destroy(args);
    if (st != MGC_OK) return st;
    h->accused = true;
    c->evidence++;
    return MGC_OK;
}

/* A statement whose signature is good. */
static mgc_status remember(mgc__cluster *c, heard *h, const statement *s)
{
    bool vote = s->kind == STATEMENT_VOTE;
    statement *ring = vote ? h->votes : h->others;
    uint32_t cap = vote ? (uint32_t)MGC__COUNT(h->votes) : STATEMENTS_MAX, *n = vote ? &h->n_votes : &h->n_others;

    for (uint32_t i = 0; i < cap && i < *n; i++) {
        if (contradict(&ring[i], s)) return accuse(c, h, &ring[i], s);
        if (ring[i].kind == s->kind && ring[i].len == s->len && memcmp(ring[i].body, s->body, s->len) == 0) return MGC_OK;
    }
    ring[(*n)++ % cap] = *s;
    return MGC_OK;
}

mgc_status mgc__msg_check(mgc__cluster *c, mgc_raft_msg *msg, bool *good)
{
    heard *h = mgc__heard(c, msg->from);
    statement s;
    const char *tag;
    mgc_status st = statement_of(msg, &s, &tag);

    *good = st == MGC_OK && (s.len == 0 || (mgc__known(c, msg->from) == NULL && mgc__joining(c)));
    if (st != MGC_OK || *good) return st;
    memcpy(s.signature, msg->signature, 64);
    st = (msg->flags & MGC_RAFT_SIGNED) == 0 ? MGC_E_BAD_SIGNATURE : mgc__verify_bytes(c, tag, msg->from, s.body, s.len, s.signature);
    *good = st == MGC_OK;
    if (st == MGC_OK) return h == NULL ? MGC_OK : remember(c, h, &s);
    if (mgc__is_fatal(st)) return st;
    c->forged++;
    return MGC_OK;
}

/* Version, kind 1, how many (2), candidate (4), configuration, term, last index and its term (8 each), its hash (32), then
 * member (4) and signature (64): consensus/cert.h. */
mgc_status mgc__leader_check(mgc__cluster *c, const uint8_t *bytes, size_t len)
{
    cluster_reader r = {.at = bytes, .end = bytes + len};
    mgc_raft_msg vote = {.kind = MGC_RAFT_VOTE_RESP, .flags = MGC_RAFT_SIGNED};
    const uint8_t *hash;
    uint32_t n;
    mgc_status st = MGC_OK;

    if (cluster_uint(&r, 1) != 1 || cluster_uint(&r, 1) != 1) return MGC_OK; /* without signatures */
    n = (uint32_t)cluster_uint(&r, 2);
    if (n > MGC_RAFT_MEMBERS_MAX) return MGC_OK; /* a liar's: each is a signature to check */
    vote.to = (uint32_t)cluster_uint(&r, 4);
    vote.cfg = cluster_uint(&r, 8);
    vote.term = cluster_uint(&r, 8);
    vote.index = cluster_uint(&r, 8);
    vote.log_term = cluster_uint(&r, 8);
    hash = cluster_get(&r, 32);
    if (r.bad) return MGC_OK;
    memcpy(vote.hash, hash, 32);
    for (uint32_t i = 0; i < n && st == MGC_OK; i++) {
        const uint8_t *signature;
        bool good;

        vote.from = (uint32_t)cluster_uint(&r, 4);
        signature = cluster_get(&r, 64);
        if (r.bad) break;
        memcpy(vote.signature, signature, 64);
        if (vote.from != c->node->opts.id) st = mgc__msg_check(c, &vote, &good);
    }
    return st;
}
