/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of leaders, kept durably beside the log (consensus/witness.c says what for): in a file of this member's own, two
 * halves written in turn.
 *
 *   half   "MGK1", length of the body (4), generation (8), CRC-32C of the body and these sixteen bytes (4)
 *   body   floor: term (8), index (8); cuts (4), each term (8), index (8); certificates (4), each used (1), length (2), bytes
 *
 * What can go wrong
 *   a crash while a half is written       the other one is whole; what was to be added comes again, or was not acted upon yet
 *   a certificate of a configuration that is not known here     it is not kept: what it would be the answer to gets no vote
 *   both halves rot                       as if nothing had been kept: only votes that were given before lose their answer */
#include "node/kept.h"

#include "ledger/signers.h"

static const char file_name[] = "kept-leaders.mgl";

enum { HALF_BYTES = 192 << 10, HALF_HEAD = 20, ROUND_WITH_CERTIFICATE = 3 };
_Static_assert(HALF_HEAD + 24 + MGC__CUTS_MAX * 16 + MGC__LED_MAX * (3 + MGC__CERT_BYTES_MAX) <= HALF_BYTES, "everything fits a half");

/* --- the file ------------------------------------------------------------------------------------ */

static uint32_t sum(const uint8_t *head, const uint8_t *body, size_t len)
{
    return mgc__crc32c(mgc__crc32c(0, body, len), head, HALF_HEAD - 4);
}

static void put_body(const struct kept *k, mgc__buf *b)
{
    cluster_put64(b, k->witness.floor.term);
    cluster_put64(b, k->witness.floor.index);
    cluster_put32(b, k->witness.n_cuts);
    for (uint32_t i = 0; i < k->witness.n_cuts; i++) {
        cluster_put64(b, k->witness.cuts[i].term);
        cluster_put64(b, k->witness.cuts[i].index);
    }
    cluster_put32(b, k->witness.n_led);
    for (uint32_t i = 0; i < k->witness.n_led; i++) {
        uint8_t head[3] = {(uint8_t)k->witness.led[i].used, (uint8_t)k->lens[i], (uint8_t)(k->lens[i] >> 8)};

        mgc__buf_put(b, head, sizeof head);
        mgc__buf_put(b, k->certs[i], k->lens[i]);
    }
}

static mgc_status store(mgc__cluster *c)
{
    const mgc_storage_ops *ops = &c->node->storage;
    void *user = c->node->storage_user;
    struct kept *k = c->kept;
    uint8_t head[HALF_HEAD] = "MGK1";
    bool fresh = k->generation == 0;
    uint64_t generation = k->generation + 1, at = generation % 2 * HALF_BYTES;
    mgc_status st = MGC_OK;

    k->file.len = 0;
    mgc__buf_put(&k->file, head, sizeof head);
    put_body(k, &k->file);
    if (k->file.status != MGC_OK) return mgc__no_memory(c->node->ctx, "node: certificates of leaders");
    for (uint32_t i = 0; i < 4; i++) k->file.bytes[4 + i] = (uint8_t)((k->file.len - HALF_HEAD) >> 8 * i);
    for (uint32_t i = 0; i < 8; i++) k->file.bytes[8 + i] = (uint8_t)(generation >> 8 * i);
    uint32_t crc = sum(k->file.bytes, k->file.bytes + HALF_HEAD, k->file.len - HALF_HEAD);
    for (uint32_t i = 0; i < 4; i++) k->file.bytes[16 + i] = (uint8_t)(crc >> 8 * i);
    if (fresh) st = mgc__verdict(ops->reserve(user, file_name, 2 * (uint64_t)HALF_BYTES));
    if (st == MGC_OK) st = mgc__verdict(ops->write(user, file_name, at, k->file.bytes, k->file.len));
    if (st == MGC_OK) st = mgc__verdict(ops->sync(user, file_name));
    if (st == MGC_OK && fresh) st = mgc__verdict(ops->sync_names(user));
    if (st != MGC_OK) return mgc__fail(c->node->ctx, st, "node: certificates of leaders cannot be stored");
    k->generation = generation;
    return MGC_OK;
}

/* true: it was not there before. */
static bool take_led(struct kept *k, const uint8_t *bytes, size_t len, uint32_t used)
{
    mgc__cert cert;
    uint32_t at;
    bool fresh;

    if (len > MGC__CERT_BYTES_MAX || mgc__cert_decode(bytes, len, &cert) != MGC_OK) return false;
    at = mgc__witness_led(&k->witness, cert.term, cert.candidate, cert.log_term, cert.index, &fresh);
    if (!fresh) return false;
    k->witness.led[at].used = used;
    memcpy(k->certs[at], bytes, len);
    k->lens[at] = (uint32_t)len;
    return true;
}

static void take_body(struct kept *k, cluster_reader *r)
{
    uint32_t n;

    k->witness = (mgc__witness){.n_led = 0};
    k->witness.floor.term = cluster_uint(r, 8);
    k->witness.floor.index = cluster_uint(r, 8);
    n = (uint32_t)cluster_uint(r, 4);
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        uint64_t term = cluster_uint(r, 8);
        mgc__witness_cut(&k->witness, term, cluster_uint(r, 8));
    }
    n = (uint32_t)cluster_uint(r, 4);
    for (uint32_t i = 0; i < n && !r->bad; i++) {
        uint32_t used = (uint32_t)cluster_uint(r, 1);
        size_t len = (size_t)cluster_uint(r, 2);
        const uint8_t *bytes = cluster_get(r, len);
        if (!r->bad) (void)take_led(k, bytes, len, used);
    }
}

static int32_t seen(void *user, const char *name, uint64_t size)
{
    if (strcmp(name, file_name) == 0) *(uint64_t *)user = size;
    return MGC_CB_DONE;
}

/* The newer of the halves that are whole. */
static mgc_status load(mgc__cluster *c, uint8_t *bytes)
{
    struct kept *k = c->kept;
    uint64_t size = 0;
    mgc_status st = mgc__verdict(c->node->storage.list(c->node->storage_user, seen, &size));

    for (uint64_t half = 0; half < 2 && st == MGC_OK && size >= 2 * (uint64_t)HALF_BYTES; half++) {
        cluster_reader r = {.at = bytes, .end = bytes + HALF_BYTES};
        uint64_t generation;
        size_t len;

        st = mgc__verdict(c->node->storage.read(c->node->storage_user, file_name, half * HALF_BYTES, bytes, HALF_BYTES));
        if (st != MGC_OK) break;
        if (memcmp(cluster_get(&r, 4), "MGK1", 4) != 0) continue;
        len = (size_t)cluster_uint(&r, 4);
        generation = cluster_uint(&r, 8);
        if (len > HALF_BYTES - HALF_HEAD || generation <= k->generation || (uint32_t)cluster_uint(&r, 4) != sum(bytes, bytes + HALF_HEAD, len))
            continue;
        r.end = bytes + HALF_HEAD + len;
        take_body(k, &r);
        k->generation = generation;
    }
    return st;
}

mgc_status mgc__kept_open(mgc__cluster *c)
{
    uint8_t *bytes = mgc__alloc(c->node->ctx, HALF_BYTES, 1);
    mgc_status st = MGC_OK;

    c->kept = mgc__alloc(c->node->ctx, 1, sizeof *c->kept);
    if (c->kept == NULL || bytes == NULL) st = mgc__no_memory(c->node->ctx, "node: certificates of leaders");
    if (c->kept != NULL) mgc__buf_init(&c->kept->file, c->node->ctx, HALF_BYTES);
    if (st == MGC_OK) st = load(c, bytes);
    mgc__free(c->node->ctx, bytes);
    return st;
}

void mgc__kept_close(mgc__cluster *c)
{
    if (c->kept == NULL) return;
    mgc__buf_free(&c->kept->file);
    mgc__free(c->node->ctx, c->kept);
    c->kept = NULL;
}

/* --- which configurations there were --------------------------------------------------------------------------- */

void mgc__kept_config(mgc__cluster *c, const mgc_raft_config *config)
{
    struct kept *k = c->kept;

    if (k->n_configs > 0 && k->configs[k->n_configs - 1].index >= config->index) return;
    if (k->n_configs == KEPT_CONFIGS) memmove(k->configs, k->configs + 1, --k->n_configs * sizeof *k->configs);
    k->configs[k->n_configs++] = *config;
}

static bool signed_by(const mgc__cert *cert, uint32_t id)
{
    for (uint32_t i = 0; i < cert->n; i++)
        if (cert->ids[i] == id) return true;
    return false;
}

/* Half of the votes of either half, as the contract wants it of an answer. */
static bool half_of(const mgc_raft_config *config, const mgc__cert *cert)
{
    uint32_t voters[2] = {0}, held[2] = {0};

    for (uint32_t i = 0; i < config->n_members; i++)
        for (uint32_t half = 0; half < 2; half++) {
            if ((config->members[i].roles & (half == 0 ? MGC_RAFT_VOTER : MGC_RAFT_VOTER_OLD)) == 0) continue;
            voters[half]++;
            held[half] += signed_by(cert, config->members[i].id);
        }
    return 2 * held[0] > voters[0] || 2 * held[1] > voters[1];
}

/* Does a header of the chain name it, so that the contract takes it? */
static bool is_said(const mgc__cluster *c, const mgc_raft_config *config)
{
    const mgc_chain *chain = c->node->chains[mgc__node_home(c->node, MGC_CONTRACT_CREDIT)];
    const mgc__signers *s;
    uint8_t hash[32];

    if (config->index == 1) return true;
    if (mgc__order_hash(config, hash) != MGC_OK) return false;
    for (size_t i = 1; (s = mgc__chain_configuration(chain, i)) != NULL; i++)
        if (memcmp(s->reason, hash, 32) == 0) return true;
    return false;
}

/* One of which its signers are a majority, best the one that it names; NULL: none that is known, or that the chain names. */
const mgc_raft_config *mgc__kept_majority(const mgc__cluster *c, const mgc__cert *cert, bool said)
{
    const mgc_raft_config *found = NULL;

    for (uint32_t i = c->kept->n_configs; i-- > 0;) {
        const mgc_raft_config *config = &c->kept->configs[i];

        if ((found != NULL && config->index != cert->cfg) || !half_of(config, cert) || (said && !is_said(c, config))) continue;
        found = config;
    }
    if (found == NULL && !said && c->raft != NULL && half_of(mgc_raft_config_now(c->raft), cert)) found = mgc_raft_config_now(c->raft);
    return found;
}

/* --- leaders ---------------------------------------------------------------------------------------------------- */

static const uint8_t *key_of(void *user, uint32_t id)
{
    const known_member *m = mgc__known(user, id);

    return m == NULL ? NULL : m->public_key;
}

mgc_status mgc__kept_trust(mgc__cluster *c, mgc_chain_info *info, mgc__trust *trust)
{
    *info = (mgc_chain_info){.struct_size = sizeof *info};
    *trust = (mgc__trust){.ctx = c->node->ctx, .chain_id = info->chain_id, .key_of = key_of, .user = c};
    return mgc_chain_get_info(mgc_node_chain(c->node, MGC_CONTRACT_CREDIT), info);
}

static mgc_status check_votes(mgc__cluster *c, const mgc__cert *cert)
{
    mgc_chain_info info;
    mgc__trust trust;
    mgc_raft_msg m = {.kind = MGC_RAFT_VOTE_RESP, .to = cert->candidate, .cfg = cert->cfg, .term = cert->term, .index = cert->index,
                      .log_term = cert->log_term};
    mgc_status st = mgc__kept_trust(c, &info, &trust);

    memcpy(m.hash, cert->hash, 32);
    for (uint32_t i = 0; i < cert->n && st == MGC_OK; i++) {
        m.from = cert->ids[i];
        memcpy(m.signature, cert->signatures[i], 64);
        st = mgc__msg_verify(&trust, &m);
    }
    return st;
}

mgc_status mgc__kept_leader(mgc__cluster *c, const uint8_t *bytes, size_t len)
{
    mgc__cert cert;
    mgc_status st;

    if (len > MGC__CERT_BYTES_MAX || mgc__cert_decode(bytes, len, &cert) != MGC_OK || cert.kind != MGC__CERT_LEADER ||
        mgc__witness_knows(&c->kept->witness, cert.term, cert.candidate))
        return MGC_OK;
    st = mgc__kept_majority(c, &cert, false) == NULL ? MGC_E_BAD_PROOF : check_votes(c, &cert);
    if (st != MGC_OK) {
        c->dropped += !mgc__is_fatal(st);
        return mgc__is_fatal(st) ? st : MGC_OK;
    }
    return take_led(c->kept, bytes, len, 0) ? store(c) : MGC_OK;
}

mgc_status mgc__kept_entry(mgc__cluster *c, uint32_t type, const uint8_t *body, size_t len)
{
    cluster_reader r = {.at = body, .end = body + len};
    const uint8_t *bytes, *entry;
    size_t n;

    if (type == MGC_RAFT_NOOP) return len == 0 ? MGC_OK : mgc__kept_leader(c, body, len);
    if (type != MGC_RAFT_DATA || cluster_uint(&r, 4) != ROUND_WITH_CERTIFICATE) return MGC_OK;
    (void)cluster_get(&r, 8 + 4 + 4);
    n = (size_t)cluster_uint(&r, 4);
    if (r.bad || n == 0) return MGC_OK;
    bytes = cluster_get(&r, n);
    entry = cluster_get(&r, KEPT_ENTRY);
    return r.bad ? MGC_OK : mgc__lost_quorum(c, bytes, n, entry);
}

void mgc__kept_put(mgc__cluster *c, uint64_t term, mgc__buf *b)
{
    const mgc__witness *w = &c->kept->witness;
    uint64_t below = UINT64_MAX;
    size_t n_at = b->len;
    uint8_t n = 0;

    mgc__buf_put(b, &n, 1);
    while (n < KEPT_TOLD) {
        uint32_t best = w->n_led;
        uint8_t head[2];

        for (uint32_t i = 0; i < w->n_led; i++)
            if (w->led[i].term <= term && w->led[i].term < below && (best == w->n_led || w->led[i].term > w->led[best].term)) best = i;
        if (best == w->n_led) break;
        below = w->led[best].term;
        head[0] = (uint8_t)c->kept->lens[best];
        head[1] = (uint8_t)(c->kept->lens[best] >> 8);
        mgc__buf_put(b, head, sizeof head);
        mgc__buf_put(b, c->kept->certs[best], c->kept->lens[best]);
        n++;
    }
    if (b->status == MGC_OK) b->bytes[n_at] = n;
}

mgc_status mgc__kept_get(mgc__cluster *c, cluster_reader *r)
{
    uint32_t n = (uint32_t)cluster_uint(r, 1);
    mgc_status st = n > KEPT_TOLD ? MGC_E_MESSAGE : MGC_OK;

    for (uint32_t i = 0; i < n && st == MGC_OK; i++) {
        size_t len = (size_t)cluster_uint(r, 2);
        const uint8_t *bytes = cluster_get(r, len);

        st = r->bad ? MGC_E_MESSAGE : mgc__kept_leader(c, bytes, len);
    }
    return st;
}

/* --- what was cut, and votes ------------------------------------------------------------------------------------ */

static mgc_status cut(mgc__cluster *c, uint64_t from, uint64_t newer_term, uint64_t newer_index)
{
    mgc__raftlog_info info;
    bool any = false;

    mgc__raftlog_get_info(c->log, &info);
    for (uint64_t i = from > info.first ? from : info.first; i <= info.last; i++) {
        const mgc__raftlog_meta *meta = mgc__raftlog_meta_of(c->log, i);

        if (meta == NULL || meta->term < newer_term || (meta->term == newer_term && i <= newer_index)) continue;
        mgc__witness_cut(&c->kept->witness, meta->term, i);
        any = true;
    }
    return any ? store(c) : MGC_OK;
}

mgc_status mgc__kept_cut(mgc__cluster *c, uint64_t from)
{
    return cut(c, from, 0, 0);
}

mgc_status mgc__kept_cut_newer(mgc__cluster *c, uint64_t term, uint64_t index)
{
    return cut(c, 0, term, index);
}

void mgc__kept_forget(mgc__cluster *c, uint64_t base_term)
{
    mgc__witness_forget(&c->kept->witness, base_term);
}

mgc_status mgc__kept_may_vote(mgc__cluster *c, const mgc_raft_msg *m, bool *may)
{
    bool leans;

    *may = mgc__witness_may_vote(&c->kept->witness, m->term, m->log_term, m->index, &leans);
    c->unanswered += !*may;
    return leans ? store(c) : MGC_OK;
}
