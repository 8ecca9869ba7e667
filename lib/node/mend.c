/* SPDX-License-Identifier: Apache-2.0 */
/* A member whose ledger is damaged asks the others for what is lost, before it takes part again.
 *
 *   1. Start finds damage.  What follows from the rest of the store is mended at once; for a block that does not, the node starts
 *      without its ledger and asks one member after the other.
 *   2. The answer is a proof of a stored block, in pieces; the ledger checks every byte of it and puts it in place.
 *   3. Once nothing is damaged the start goes on as any other.
 *
 * What can go wrong
 *   the one who is asked is away, lies, or lacks it     the next one is asked
 *   nobody has it            it is asked for as long as the node is stepped; what is missing stands in the error text
 *   power is lost            the next start goes on where this one was */
#include "crypto/crypto.h"
#include "node/cluster.h"

enum {
    PIECE_BYTES = 1 << 20,
    PROOF_BYTES_MAX = 1 << 26, /* of a stored block */
    ANSWER_HEAD = 1 + 32 + 8 + 4 + 4,
    SEAL_HEAD = 1 + 4 + 4,
    SEAL_TAIL = 64
};

struct mgc__mending {
    mgc_damage wanted;
    uint8_t signs_for[32];   /* chain id in the signatures of messages: sign.c */
    uint32_t asked;          /* number of the one who is asked, among members, then learners */
    uint32_t mended;
    uint64_t ask_at;         /* ms; 0: at the next step */
    bool heard;              /* since it was asked last */
    mgc__buf proof;          /* of which so much is here */
};

void mgc__mend_end(mgc_node *node)
{
    if (node->mending == NULL) return;
    mgc__buf_free(&node->mending->proof);
    mgc__free(node->ctx, node->mending);
    node->mending = NULL;
}

mgc_status mgc__mend_state(const mgc_node *node)
{
    const mgc_damage *d = &node->mending->wanted;

    return mgc__fail(node->ctx, MGC_E_STATE,
                     "node: %s is damaged at byte %" PRIu64 "; block %" PRIu64 " is asked of the other members, and the node takes part again once "
                     "it is put back",
                     d->file, d->offset, d->height);
}

/* --- asking --------------------------------------------------------------------------------------- */

static uint32_t peer(const mgc_node *node, uint32_t number)
{
    return number < node->n_members ? node->members[number].id : node->learners[number - node->n_members].id;
}

static void next_peer(mgc_node *node)
{
    struct mgc__mending *m = node->mending;
    uint32_t n = (uint32_t)(node->n_members + node->n_learners);

    m->proof.len = 0;
    m->asked = (m->asked + 1) % n;
    if (peer(node, m->asked) == node->opts.id) m->asked = (m->asked + 1) % n;
}

/* As cluster.c seals: there is no cluster yet. */
static mgc_status seal(const mgc_node *node, uint32_t to, const mgc__buf *bytes, mgc__buf *sealed)
{
    uint8_t kind = ENVELOPE_SIGNED, signature[SEAL_TAIL];
    mgc_status st;

    mgc__buf_put(sealed, &kind, 1);
    cluster_put32(sealed, node->opts.id);
    cluster_put32(sealed, to);
    mgc__buf_put(sealed, bytes->bytes, bytes->len);
    if (sealed->status != MGC_OK) return sealed->status;
    st = mgc__sign_tagged(node->ctx, node->opts.key, "mgchain/envelope/1", node->mending->signs_for, 0, sealed->bytes, sealed->len, signature);
    mgc__buf_put(sealed, signature, sizeof signature);
    return st == MGC_OK ? sealed->status : st;
}

/* For the next piece.  A message that cannot be built or sent is a message lost. */
static void ask(mgc_node *node)
{
    struct mgc__mending *m = node->mending;
    uint32_t to = peer(node, m->asked);
    uint8_t kind = ENVELOPE_LOST;
    mgc__buf bytes, sealed;

    mgc__buf_init(&bytes, node->ctx, 256);
    mgc__buf_init(&sealed, node->ctx, 512);
    mgc__buf_put(&bytes, &kind, 1);
    mgc__buf_put(&bytes, m->wanted.chain_id, 32);
    cluster_put64(&bytes, m->wanted.height);
    cluster_put32(&bytes, (uint32_t)m->proof.len);
    if (node->opts.sign_messages != 0 && seal(node, to, &bytes, &sealed) != MGC_OK) sealed.len = 0;
    if (node->opts.sign_messages == 0 && bytes.status == MGC_OK)
        (void)node->transport.send(node->transport_user, to, bytes.bytes, bytes.len);
    else if (sealed.len > 0) (void)node->transport.send(node->transport_user, to, sealed.bytes, sealed.len);
    mgc__buf_free(&bytes);
    mgc__buf_free(&sealed);
}

mgc_status mgc__mend_step(mgc_node *node, uint64_t now_ms, uint64_t *wake_ms)
{
    struct mgc__mending *m = node->mending;
    uint64_t interval = (uint64_t)CLUSTER_AGAIN_TICKS * node->opts.tick_ms;

    if (now_ms >= m->ask_at || m->ask_at > now_ms + interval) { /* due, or a clock set back */
        if (m->ask_at != 0 && !m->heard) next_peer(node);
        m->heard = false;
        m->ask_at = now_ms + interval;
        ask(node);
    }
    if (wake_ms != NULL) *wake_ms = m->ask_at;
    return MGC_OK;
}

/* --- answering ------------------------------------------------------------------------------------ */

/* What this member lacks, or finds damaged here, too, somebody else may have. */
void mgc__mend_answer(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len)
{
    cluster_reader r = {.at = bytes, .end = bytes + len};
    const uint8_t *id = cluster_get(&r, 32);
    uint64_t height = cluster_uint(&r, 8), offset = cluster_uint(&r, 4);
    mgc_chain_info info = {.struct_size = sizeof info};
    uint8_t kind = ENVELOPE_FOUND, *proof = NULL;
    mgc_chain *chain = NULL;
    size_t total = 0, piece;
    mgc_status st = MGC_E_NOT_FOUND;

    if (r.bad || r.at != r.end || height == 0) {
        c->dropped++;
        return;
    }
    for (uint32_t i = 0; i < c->node->n_chains && chain == NULL; i++)
        if (mgc_chain_get_info(c->node->chains[i], &info) == MGC_OK && memcmp(info.chain_id, id, 32) == 0) chain = c->node->chains[i];
    if (chain != NULL) st = mgc_chain_prove_stored(chain, height, NULL, 0, &total);
    if (st == MGC_E_TOO_LARGE && offset < total) {
        proof = mgc__alloc(c->node->ctx, total, 1);
        if (proof != NULL) st = mgc_chain_prove_stored(chain, height, proof, total, &total);
    }
    if (st == MGC_OK && offset < total) {
        piece = total - (size_t)offset < PIECE_BYTES ? total - (size_t)offset : PIECE_BYTES;
        c->wire.len = 0;
        mgc__buf_put(&c->wire, &kind, 1);
        mgc__buf_put(&c->wire, id, 32);
        cluster_put64(&c->wire, height);
        cluster_put32(&c->wire, (uint32_t)total);
        cluster_put32(&c->wire, (uint32_t)offset);
        mgc__buf_put(&c->wire, proof + offset, piece);
        mgc__cluster_send(c, from, &c->wire);
    }
    mgc__free(c->node->ctx, proof);
}

/* --- putting back ---------------------------------------------------------------------------------- */

static mgc_ledger_opts ledger_opts(const mgc_node *node)
{
    mgc_ledger_opts opts;

    mgc__node_ledger_opts(node, &opts);
    return opts;
}

/* What was given, or nothing, and see what is missing then; *whole: nothing. */
static mgc_status put_back(mgc_node *node, bool *whole)
{
    struct mgc__mending *m = node->mending;
    mgc_ledger_opts opts = ledger_opts(node);
    mgc_status st;

    m->wanted = (mgc_damage){.struct_size = sizeof m->wanted};
    st = mgc_ledger_mend(node->ctx, &opts, m->proof.len > 0 ? m->proof.bytes : NULL, m->proof.len, &m->wanted);
    m->mended += m->wanted.n_mended;
    m->proof.len = 0;
    *whole = st == MGC_OK && m->wanted.kind == MGC_DAMAGE_NONE;
    return st;
}

/* The genesis stands before the damage. */
static mgc_status find_chain_id(mgc_node *node)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_ledger_opts opts = ledger_opts(node);
    mgc_ledger *ledger = NULL;
    mgc_chain *chain;
    mgc_status st;

    opts.read_only = 2;
    st = mgc_ledger_open(node->ctx, &opts, &ledger);
    if (st == MGC_OK) st = mgc_ledger_chain(ledger, node->chain_name[0] != '\0' ? node->chain_name : mgc__home_name(mgc__home_of(MGC_CONTRACT_CREDIT)), &chain);
    if (st == MGC_OK) st = mgc_chain_get_info(chain, &info);
    memcpy(node->mending->signs_for, info.chain_id, 32);
    mgc_ledger_close(ledger);
    return st;
}

mgc_status mgc__mend_begin(mgc_node *node, bool *whole)
{
    struct mgc__mending *m = mgc__alloc(node->ctx, 1, sizeof *m);
    mgc_status st;

    *whole = false;
    if (m == NULL) return mgc__no_memory(node->ctx, "node: a damaged ledger");
    node->mending = m;
    mgc__buf_init(&m->proof, node->ctx, PROOF_BYTES_MAX);
    st = put_back(node, whole);
    if (st == MGC_OK && !*whole && node->transport.send == NULL)
        st = mgc__fail(node->ctx, MGC_E_CORRUPT, "node: %s is damaged at byte %" PRIu64 ", and there is no transport to ask the others by", m->wanted.file,
                       m->wanted.offset);
    if (st == MGC_OK && !*whole) st = find_chain_id(node);
    node->mended += m->mended;
    if (st != MGC_OK || *whole) mgc__mend_end(node);
    else if (peer(node, 0) == node->opts.id) next_peer(node);
    return st;
}

/* The message as it was before it was sealed.  Who signed it is not asked: what is in it proves itself. */
static void unseal(const mgc_node *node, const uint8_t **bytes, size_t *len)
{
    if (node->opts.sign_messages == 0) return;
    if (*len < SEAL_HEAD + SEAL_TAIL || (*bytes)[0] != ENVELOPE_SIGNED) *len = 0;
    if (*len == 0) return;
    *bytes += SEAL_HEAD;
    *len -= SEAL_HEAD + SEAL_TAIL;
}

mgc_status mgc__mend_receive(mgc_node *node, uint32_t from, const uint8_t *bytes, size_t len, bool *whole)
{
    struct mgc__mending *m = node->mending;
    cluster_reader r;
    const uint8_t *id, *piece;
    uint64_t height, total, offset;
    mgc_status st;

    *whole = false;
    if (bytes == NULL || len > MGC_MESSAGE_BYTES_MAX) return MGC_OK;
    unseal(node, &bytes, &len);
    if (len <= ANSWER_HEAD || bytes[0] != ENVELOPE_FOUND || from != peer(node, m->asked)) return MGC_OK;
    r = (cluster_reader){.at = bytes + 1, .end = bytes + len};
    id = cluster_get(&r, 32);
    height = cluster_uint(&r, 8);
    total = cluster_uint(&r, 4);
    offset = cluster_uint(&r, 4);
    len = (size_t)(r.end - r.at);
    piece = cluster_get(&r, len);
    if (r.bad || height != m->wanted.height || memcmp(id, m->wanted.chain_id, 32) != 0 || offset != m->proof.len ||
        total > PROOF_BYTES_MAX || offset >= total || len != (total - offset < PIECE_BYTES ? total - offset : PIECE_BYTES))
        return MGC_OK; /* whole pieces only: whoever gives a byte at a time would never come to an end */
    m->heard = true;
    mgc__buf_put(&m->proof, piece, len);
    if (m->proof.status != MGC_OK) return mgc__no_memory(node->ctx, "node: a block of another member");
    if (m->proof.len < total) {
        ask(node);
        return MGC_OK;
    }
    m->mended = 0;
    st = put_back(node, whole);
    node->mended += m->mended;
    if (mgc__is_fatal(st) || (st != MGC_OK && m->wanted.kind != MGC_DAMAGE_WANTS)) return st;
    if (*whole) mgc__log(node->ctx, MGC_LOG_WARN, "node: the ledger is whole again; put in order: %" PRIu64, node->mended);
    if (m->mended == 0) next_peer(node); /* a lie, or not of use */
    if (!*whole) ask(node);
    return MGC_OK;
}
