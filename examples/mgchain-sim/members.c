/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster of a simulated day: members that order rounds by consensus, in one thread, without loss or delay. */
#include "members.h"

#include <stdlib.h>
#include <string.h>

#include "day.h"

enum { STEP_MS = 5, SETTLE_MS = 60000 };
enum { ENVELOPE_CONSENSUS = 1, ENVELOPE_SIGNATURE = 3 }; /* first byte of a message: doc/consensus.md */

static void put(peers *p, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len);

    if (copy == NULL || p->tail - p->head == QUEUE_MAX) {
        free(copy);
        p->lost++; /* as a network does; it is sent again */
        return;
    }
    memcpy(copy, bytes, len);
    p->queue[p->tail % QUEUE_MAX].from = from;
    p->queue[p->tail % QUEUE_MAX].to = to;
    p->queue[p->tail % QUEUE_MAX].bytes = copy;
    p->queue[p->tail++ % QUEUE_MAX].len = len;
    p->messages++;
}

/* A signature as members make them: text of its kind, NUL, chain, role 0, what is signed. */
static mgc_status sign_statement(const peer *m, mgc_raft_msg *msg)
{
    uint8_t text[32 + 1 + 32 + 1 + MGC_RAFT_SIGNED_BYTES_MAX], body[MGC_RAFT_SIGNED_BYTES_MAX];
    mgc_chain_info chain = {.struct_size = sizeof chain};
    const char *tag;
    size_t len, at;

    mgc_status st = mgc_raft_signed_body(msg, body, &len, &tag);
    if (st == MGC_OK) st = mgc_chain_get_info(mgc_node_chain(m->node, MGC_CONTRACT_CREDIT), &chain);
    if (st != MGC_OK) return st;
    at = strlen(tag) + 1;
    memcpy(text, tag, at);
    memcpy(text + at, chain.chain_id, 32);
    text[at + 32] = 0;
    memcpy(text + at + 33, body, len);
    return mgc_key_sign(m->key, text, at + 33 + len, msg->signature);
}

/* An acknowledgement once more, of another truth. */
static void lie(peer *m, uint32_t to, const uint8_t *bytes, size_t len)
{
    mgc_raft_config config;
    mgc_raft_msg msg;
    uint8_t second[1 + MGC_RAFT_MSG_BYTES];
    size_t second_len = 0;

    if (bytes[0] != ENVELOPE_CONSENSUS || mgc_raft_decode(bytes + 1, len - 1, &msg, NULL, 0, &config) != MGC_OK ||
        msg.kind != MGC_RAFT_APPEND_RESP || (msg.flags & MGC_RAFT_REJECT) != 0)
        return;
    msg.hash[0] ^= 1;
    second[0] = ENVELOPE_CONSENSUS;
    if (sign_statement(m, &msg) != MGC_OK || mgc_raft_encode(&msg, NULL, second + 1, sizeof second - 1, &second_len) != MGC_OK) return;
    put(&m->b->peers, m->id, to, second, 1 + second_len);
}

static int32_t send(void *user, uint32_t to, const uint8_t *bytes, size_t len)
{
    peer *from = user;
    peers *p = &from->b->peers;

    if (to == 0 || to > p->n || p->list[to - 1].side != from->side || (from->mute && bytes[0] == ENVELOPE_SIGNATURE)) return MGC_CB_DONE;
    put(p, from->id, to, bytes, len);
    if (from->lies) lie(from, to, bytes, len);
    return MGC_CB_DONE;
}

static mgc_status deliver(book *b)
{
    peers *p = &b->peers;
    mgc_status st = MGC_OK;

    while (p->head < p->tail) {
        size_t at = p->head++ % QUEUE_MAX;
        uint32_t to = p->queue[at].to;
        if (st == MGC_OK && p->list[to - 1].node != NULL && p->list[to - 1].side == p->list[p->queue[at].from - 1].side) st = mgc_node_receive(p->list[to - 1].node, p->queue[at].from, p->queue[at].bytes, p->queue[at].len);
        free(p->queue[at].bytes);
    }
    return st;
}

static mgc_status start(book *b, peer *m)
{
    const mgc_transport_ops transport = {.struct_size = sizeof transport, .version = 1, .send = send};
    mgc_node_opts opts;

    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = m->id;
    opts.key = m->key;
    opts.chain = NULL;
    opts.genesis_time_ms = b->peers.genesis_ms;
    opts.members = b->peers.roster;
    opts.n_members = b->peers.n;
    opts.tick_ms = PEER_TICK_MS;
    opts.block_interval_ms = STEP_MS;
    opts.seed = b->s->seed;
    mgc_status st = mgc_node_create(b->s->ctx, &opts, &m->node);
    if (st == MGC_OK) st = mgc_node_set_storage(m->node, &m->storage, m->storage_user);
    if (st == MGC_OK) st = mgc_node_set_transport(m->node, &transport, m);
    return st == MGC_OK ? mgc_node_start(m->node) : st;
}

mgc_status peers_open(book *b, uint32_t n, uint64_t genesis_ms)
{
    char folder[1100];
    peers *p = &b->peers;
    mgc_status st = MGC_OK;

    p->sample = calloc(SAMPLES_MAX, sizeof *p->sample);
    if (p->sample == NULL) return MGC_E_NO_MEMORY;
    p->n = n;
    p->genesis_ms = genesis_ms;
    for (uint32_t i = 0; i < n && st == MGC_OK; i++) {
        peer *m = &p->list[i];
        *m = (peer){.b = b, .id = i + 1};
        if (i == 0) snprintf(folder, sizeof folder, "%s", b->folder);
        else snprintf(folder, sizeof folder, "%s.member-%u", b->folder, i + 1);
        st = mgc_storage_files(b->s->ctx, folder, 1, &m->storage, &m->storage_user);
        if (st == MGC_OK) st = book_node_key(b, i + 1, &m->key);
        if (st == MGC_OK) st = mgc_key_public(m->key, p->roster[i].public_key);
        p->roster[i].id = i + 1;
    }
    for (uint32_t i = 0; i < n && st == MGC_OK; i++) /* each waits for the disk */
        st = mgc_ctx_cancelled(b->s->ctx) ? MGC_E_STOPPED : start(b, &p->list[i]);
    return st;
}

void peers_close(book *b)
{
    peers *p = &b->peers;

    while (p->head < p->tail) free(p->queue[p->head++ % QUEUE_MAX].bytes);
    for (uint32_t i = 0; i < p->n; i++) {
        mgc_node_destroy(p->list[i].node);
        mgc_storage_files_destroy(p->list[i].storage_user);
        mgc_key_destroy(p->list[i].key);
    }
    free(p->sample);
    p->sample = NULL;
    p->n = 0;
}

static const uint32_t contracts[3] = {MGC_CONTRACT_INFORMATION, MGC_CONTRACT_TRADING, MGC_CONTRACT_SCHEDULING};

/* Does a member have the blocks of the book's node, all of them acknowledged? */
static bool stands_alike(book *b, const peer *m)
{
    for (int k = 0; k < 3; k++) {
        mgc_chain_info first = {.struct_size = sizeof first}, own = {.struct_size = sizeof own};

        if (mgc_chain_get_info(mgc_node_chain(b->node, contracts[k]), &first) != MGC_OK ||
            mgc_chain_get_info(mgc_node_chain(m->node, contracts[k]), &own) != MGC_OK || own.acked_height != first.acked_height ||
            own.height != own.acked_height || first.height != first.acked_height || memcmp(own.block_hash, first.block_hash, 32) != 0)
            return false;
    }
    return true;
}

/* Gone, cut off from the book's side, or removed. */
static bool away(book *b, const peer *m)
{
    mgc_node_info info = {.struct_size = sizeof info};

    for (uint32_t i = 0; i < b->peers.n; i++)
        if (b->peers.list[i].node == b->node && m->side != b->peers.list[i].side) return true;
    return m->node == NULL || mgc_node_get_info(m->node, &info) != MGC_OK || info.standing == MGC_STANDING_REMOVED;
}

uint32_t peers_that_differ(book *b)
{
    uint32_t differ = 0;

    for (uint32_t i = 0; i < b->peers.n; i++)
        if (!away(b, &b->peers.list[i]) && !stands_alike(b, &b->peers.list[i])) differ++;
    return differ;
}

static bool at_rest(book *b)
{
    for (uint32_t i = 0; i < b->peers.n; i++) {
        mgc_node_info info = {.struct_size = sizeof info};
        if (away(b, &b->peers.list[i])) continue;
        if (mgc_node_get_info(b->peers.list[i].node, &info) != MGC_OK || info.waiting > 0) return false;
    }
    return peers_that_differ(b) == 0;
}

mgc_status peers_step(book *b)
{
    mgc_status st = deliver(b);

    for (uint32_t i = 0; i < b->peers.n && st == MGC_OK; i++) {
        if (b->peers.list[i].node == NULL) continue;
        st = mgc_node_step(b->peers.list[i].node, b->now_ms, NULL);
        if (st == MGC_OK) st = deliver(b);
    }
    history_watch(b);
    return st;
}

mgc_status peers_settle(book *b)
{
    mgc_status st = MGC_OK;

    for (uint64_t end = b->now_ms + SETTLE_MS; st == MGC_OK && b->now_ms < end; b->now_ms += STEP_MS) {
        st = peers_step(b);
        if (st == MGC_OK && at_rest(b)) return incident_settled(b);
    }
    if (st == MGC_OK) fputs("mgchain-sim: the members did not agree within a simulated minute\n", stderr);
    return st != MGC_OK ? st : MGC_E_STATE;
}

/* --- one of them goes and comes back ------------------------------------------------------------------ */

uint32_t peers_leader(book *b)
{
    mgc_node_info info = {.struct_size = sizeof info};

    return mgc_node_get_info(b->node, &info) == MGC_OK ? info.leader : 0;
}

static void ask_another(book *b)
{
    for (uint32_t i = b->peers.n; i-- > 0;)
        if (b->peers.list[i].node != NULL && b->peers.list[i].side == 0) b->node = b->peers.list[i].node;
}

void peers_stop(book *b, uint32_t id)
{
    mgc_node_destroy(b->peers.list[id - 1].node);
    b->peers.list[id - 1].node = NULL;
    b->peers.lost_ms = b->now_ms;
    b->peers.why = "crash";
    ask_another(b);
}

void peers_cut(book *b, uint32_t n, uint32_t leader)
{
    b->peers.list[leader - 1].side = 1;
    for (uint32_t i = b->peers.n, cut = 1; i-- > 0 && cut < n;) {
        if (b->peers.list[i].side != 0 || b->peers.list[i].node == NULL) continue;
        b->peers.list[i].side = 1;
        cut++;
    }
    b->peers.lost_ms = b->now_ms;
    b->peers.why = "partition";
    ask_another(b);
}

void peers_heal(book *b)
{
    for (uint32_t i = 0; i < b->peers.n; i++) b->peers.list[i].side = 0;
}

uint64_t peers_blocks(const peer *m)
{
    mgc_node_info info = {.struct_size = sizeof info};

    return m->node != NULL && mgc_node_get_info(m->node, &info) == MGC_OK ? info.blocks : 0;
}

bool peers_member(book *b, uint32_t id, mgc_node_member_info *info)
{
    for (uint32_t i = 0;; i++) {
        *info = (mgc_node_member_info){.struct_size = sizeof *info};
        if (mgc_node_get_member(b->node, i, info) != MGC_OK) return false;
        if (info->id == id) return true;
    }
}

mgc_status peers_new_leader(book *b, uint32_t old)
{
    static const uint64_t enough_ms = 10000; /* twenty election timeouts */
    uint64_t end = b->now_ms + enough_ms;
    mgc_status st = MGC_OK;

    while (st == MGC_OK && b->now_ms < end && (peers_leader(b) == 0 || peers_leader(b) == old)) {
        st = peers_step(b);
        b->now_ms += STEP_MS;
    }
    return st;
}

mgc_status peers_restart(book *b, uint32_t id, uint64_t *behind)
{
    mgc_node_info here = {.struct_size = sizeof here}, there = {.struct_size = sizeof there};
    peer *m = &b->peers.list[id - 1];

    mgc_status st = start(b, m);
    if (st == MGC_OK) st = mgc_node_get_info(b->node, &here);
    if (st == MGC_OK) st = mgc_node_get_info(m->node, &there);
    *behind = here.blocks - there.blocks;
    return st;
}
