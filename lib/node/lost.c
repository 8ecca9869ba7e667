/* SPDX-License-Identifier: Apache-2.0 */
/* Final entries that a later leader lacks (E4): found, accused and answered.
 *
 *   1. The leader gathers the acknowledgements of each round that it orders; the next round carries them, once they are a majority.
 *      So all members have the certificate of every round but the last, and the leader that one, too.
 *   2. Every member keeps the last of each term, and the certificates of leaders (kept.c).
 *   3. Where a later leader's log lacked such an entry, and somebody signed both, the member opens a case with the credit contract.
 *   4. Where a case is open and a member knows an earlier leader that lacked the entry, it shows that one.
 *   5. The contract convicts who is accused still when the epoch after the next is applied.
 *
 * What can go wrong
 *   several find the same                          the contract has the case already
 *   no header names the configuration yet          tried again; a round is due for that alone
 *   the leader went with the last certificate      it says so when it is heard again; after a restart it does not know either */
#include "contract/credit.h"

#include "node/kept.h"

uint32_t mgc__config_encode(const mgc_raft_config *c, uint8_t *bytes); /* of consensus/raft.h */

enum { CASES = 16 };

/* --- gathering --------------------------------------------------------------------------------------------------- */

/* As leader: an entry was proposed. */
void mgc__lost_begin(mgc__cluster *c, uint64_t index, const uint8_t root[32])
{
    gathering *g = &c->kept->now;
    mgc_raft_entry e, before = {0};
    const mgc__raftlog_meta *meta;
    uint64_t term;

    g->begun = g->own = g->enough = false;
    if (mgc_raft_entry_get(c->raft, index, &e) != MGC_OK) return;
    g->config = *mgc_raft_config_now(c->raft);
    if (g->config.index > index) return;
    meta = mgc__raftlog_meta_of(c->log, index - 1);
    if (meta != NULL && meta->has_hash) memcpy(before.hash, meta->hash, 32);
    else mgc__raftlog_base(c->log, &term, before.hash);
    memcpy(g->entry, before.hash, 32);
    g->entry[32] = (uint8_t)e.type;
    memcpy(g->entry + 33, root, 32);
    mgc__collect_begin(&g->of, &g->config, e.term, index, e.term, e.hash);
    g->begun = true;
}

static mgc_status add_own(mgc__cluster *c, gathering *g)
{
    const mgc__cert *cert = &g->of.cert;
    mgc_raft_msg m = {.kind = MGC_RAFT_APPEND_RESP, .from = c->node->opts.id, .to = c->node->opts.id, .cfg = cert->cfg,
                      .term = cert->term, .index = cert->index, .log_term = cert->log_term};
    mgc_raft_info info = {.struct_size = sizeof info};
    mgc_status st = mgc_raft_get_info(c->raft, &info);

    if (st != MGC_OK || info.stored < cert->index || info.term != cert->term) return st;
    memcpy(m.hash, cert->hash, 32);
    st = mgc__msg_sign(c, &m);
    if (st == MGC_OK) g->enough = mgc__collect(&g->of, &m);
    g->own = st == MGC_OK;
    return st;
}

/* A follower's, whose signature is good. */
mgc_status mgc__lost_acknowledged(mgc__cluster *c, const mgc_raft_msg *m)
{
    gathering *g = &c->kept->now;
    uint8_t bytes[MGC__CERT_BYTES_MAX];
    uint32_t before = g->of.cert.n;
    mgc_status st = MGC_OK;

    if (!g->begun || g->enough || c->role != MGC_RAFT_LEADER) return MGC_OK;
    g->enough = mgc__collect(&g->of, m);
    if (!g->enough && !g->own && g->of.cert.n > before) st = add_own(c, g);
    if (st != MGC_OK || !g->enough) return st;
    return mgc__lost_quorum(c, bytes, mgc__cert_encode(&g->of.cert, bytes), g->entry);
}

void mgc__lost_put(mgc__cluster *c, mgc__buf *b)
{
    const gathering *g = &c->kept->now;
    uint8_t bytes[MGC__CERT_BYTES_MAX];
    size_t len = g->enough ? mgc__cert_encode(&g->of.cert, bytes) : 0;

    cluster_put32(b, (uint32_t)len);
    if (len == 0) return;
    mgc__buf_put(b, bytes, len);
    mgc__buf_put(b, g->entry, KEPT_ENTRY);
}

void mgc__lost_skip(cluster_reader *r)
{
    size_t len = (size_t)cluster_uint(r, 4);

    if (len > MGC__CERT_BYTES_MAX) r->bad = true;
    else if (len > 0) (void)cluster_get(r, len + KEPT_ENTRY);
}

/* --- keeping ------------------------------------------------------------------------------------------------------ */

/* That of its term, or the place of the oldest. */
static kept_quorum *place_of(struct kept *k, uint64_t term)
{
    kept_quorum *oldest = &k->quorums[0];

    for (uint32_t i = 0; i < k->n_quorums; i++) {
        if (k->quorums[i].term == term) return &k->quorums[i];
        if (k->quorums[i].term < oldest->term) oldest = &k->quorums[i];
    }
    if (k->n_quorums < KEPT_QUORUMS) oldest = &k->quorums[k->n_quorums++];
    return oldest;
}

static const mgc_raft_config *config_of(const mgc__cluster *c, uint64_t index)
{
    for (uint32_t i = c->kept->n_configs; i-- > 0;)
        if (c->kept->configs[i].index == index) return &c->kept->configs[i];
    return NULL;
}

/* Kept where it is later than what is known of its term, and good. */
mgc_status mgc__lost_quorum(mgc__cluster *c, const uint8_t *bytes, size_t len, const uint8_t entry[KEPT_ENTRY])
{
    const mgc_raft_config *config;
    mgc_chain_info info;
    mgc__trust trust;
    kept_quorum *q;
    mgc__cert cert;
    mgc_status st;

    if (len > MGC__CERT_BYTES_MAX || mgc__cert_decode(bytes, len, &cert) != MGC_OK || cert.kind != MGC__CERT_QUORUM) return MGC_OK;
    for (uint32_t i = 0; i < c->kept->n_quorums; i++)
        if (c->kept->quorums[i].term == cert.term && c->kept->quorums[i].index >= cert.index) return MGC_OK;
    config = config_of(c, cert.cfg);
    if (config == NULL) return MGC_OK;
    st = mgc__kept_trust(c, &info, &trust);
    if (st == MGC_OK) st = mgc__cert_verify(&trust, &cert, config);
    if (st != MGC_OK) {
        c->dropped += !mgc__is_fatal(st);
        return mgc__is_fatal(st) ? st : MGC_OK;
    }
    q = place_of(c->kept, cert.term);
    *q = (kept_quorum){.term = cert.term, .index = cert.index, .len = (uint32_t)len};
    memcpy(q->bytes, bytes, len);
    memcpy(q->entry, entry, KEPT_ENTRY);
    return MGC_OK;
}

/* --- accusing and answering ------------------------------------------------------------------------------------------ */

static mgc_status set_config(mgc_args *args, const char *name, const mgc_raft_config *config)
{
    uint8_t bytes[8 + MGC_RAFT_CONFIG_BYTES_MAX];
    uint32_t len;

    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(config->index >> 8 * i);
    len = mgc__config_encode(config, bytes + 8);
    return mgc_args_set_bytes(args, name, bytes, 8 + len);
}

static bool in_both(const mgc__cert *a, const mgc__cert *b)
{
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++)
            if (a->ids[i] == b->ids[k]) return true;
    return false;
}

static mgc_status submit(mgc__cluster *c, const char *method, mgc_args *args, mgc_status st)
{
    if (st == MGC_OK) st = mgc__submit_own(c->node, MGC_CONTRACT_CREDIT, method, args);
    mgc_args_destroy(args);
    c->evidence += st == MGC_OK;
    return st;
}

/* *done: a transaction is under way. */
static mgc_status accuse(mgc__cluster *c, const kept_quorum *q, bool *done)
{
    const mgc__led *l = mgc__witness_earliest(&c->kept->witness, q->term, q->index, UINT64_MAX);
    const mgc__state *state = mgc__chain_state(mgc_node_chain(c->node, MGC_CONTRACT_CREDIT));
    const mgc_raft_config *block_config, *leader_config;
    mgc__cert block, leader;
    uint8_t acknowledgement[56];
    mgc_args *args = NULL;
    size_t at;
    mgc_status st;

    if (l == NULL) return MGC_OK;
    at = (size_t)(l - c->kept->witness.led);
    if (mgc__cert_decode(q->bytes, q->len, &block) != MGC_OK || mgc__cert_decode(c->kept->certs[at], c->kept->lens[at], &leader) != MGC_OK ||
        !in_both(&block, &leader))
        return MGC_OK;
    memcpy(acknowledgement, q->bytes + 8, 24);
    memcpy(acknowledgement + 24, q->bytes + 40, 32);
    block_config = config_of(c, block.cfg);
    leader_config = mgc__kept_majority(c, &leader, true);
    if (block_config == NULL || leader_config == NULL || leader_config->index != leader.cfg ||
        mgc__credit_case_known(state, acknowledgement, sizeof acknowledgement))
        return MGC_OK;
    *done = true;
    st = mgc_args_create(c->node->ctx, MGC_CONTRACT_CREDIT, "lost", &args);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "entry_certificate", q->bytes, q->len);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "entry", q->entry, KEPT_ENTRY);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "leader_certificate", c->kept->certs[at], c->kept->lens[at]);
    if (st == MGC_OK) st = set_config(args, "entry_configuration", block_config);
    if (st == MGC_OK) st = set_config(args, "leader_configuration", leader_config);
    return submit(c, "lost", args, st);
}

static mgc_status answer(mgc__cluster *c, const mgc__credit_case *open, bool *done)
{
    const mgc__led *l = mgc__witness_earliest(&c->kept->witness, open->term, open->index, open->leader_term);
    const mgc_raft_config *config;
    mgc__cert leader;
    mgc_args *args = NULL;
    size_t at;
    mgc_status st;

    if (l == NULL) return MGC_OK;
    at = (size_t)(l - c->kept->witness.led);
    if (mgc__cert_decode(c->kept->certs[at], c->kept->lens[at], &leader) != MGC_OK) return MGC_OK;
    config = mgc__kept_majority(c, &leader, true);
    if (config == NULL) return MGC_OK;
    *done = true;
    st = mgc_args_create(c->node->ctx, MGC_CONTRACT_CREDIT, "followed", &args);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "case", open->hash, 32);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "leader_certificate", c->kept->certs[at], c->kept->lens[at]);
    if (st == MGC_OK) st = set_config(args, "configuration", config);
    return submit(c, "followed", args, st);
}

/* One transaction at a time. */
mgc_status mgc__lost_tick(mgc__cluster *c)
{
    const ticket *before = mgc__node_ticket(c->node, c->own_ticket);
    mgc__credit_case cases[CASES];
    bool done = false;
    size_t n;
    mgc_status st = MGC_OK;

    if (c->ticks_since_ask != 0 || c->node->opts.credit == 0 || !mgc__signs_blocks(c->node, c->node->opts.id)) return MGC_OK;
    if (before != NULL && before->state == MGC_TICKET_OPEN && before->height == 0) return MGC_OK;
    n = mgc__credit_open_cases(mgc__chain_state(mgc_node_chain(c->node, MGC_CONTRACT_CREDIT)), cases, CASES);
    for (size_t i = 0; i < n && st == MGC_OK && !done; i++) st = answer(c, &cases[i], &done);
    for (uint32_t i = 0; i < c->kept->n_quorums && st == MGC_OK && !done; i++) st = accuse(c, &c->kept->quorums[i], &done);
    return st;
}
