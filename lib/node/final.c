/* SPDX-License-Identifier: Apache-2.0 */
/* Finality: signatures of members on the headers that they computed, gathered into certificates, in the order of sealing;
 * and blocks for a member that was away longer than the consensus log reaches. */
#include "ledger/signers.h"

#include "node/kept.h"

static mgc_status info_of(mgc__cluster *c, uint32_t chain, mgc_chain_info *info)
{
    *info = (mgc_chain_info){.struct_size = sizeof *info};
    return mgc_chain_get_info(c->node->chains[chain], info);
}

/* --- tickets ------------------------------------------------------------------------------------ */

/* A block is acknowledged: those who wait for it are told. */
static void tell_tickets(mgc__cluster *c, uint32_t chain, uint64_t height)
{
    mgc_node *node = c->node;
    uint64_t first = node->next_ticket > MGC_TICKETS_MAX ? node->next_ticket - MGC_TICKETS_MAX : 1;

    for (uint64_t number = node->next_ticket; number-- > first;) {
        ticket *t = mgc__node_ticket(node, number);
        if (t == NULL || t->state != MGC_TICKET_OPEN || t->height != height || t->chain != chain) continue;
        t->state = t->status == MGC_OK ? MGC_TICKET_COMMITTED : MGC_TICKET_REFUSED;
    }
}

/* --- votes -------------------------------------------------------------------------------------- */

static pending_votes *votes_of(mgc__cluster *c, uint32_t chain, uint64_t height)
{
    pending_votes *p = &c->votes[chain][height % CLUSTER_PENDING];

    if (p->height != height) *p = (pending_votes){.height = height};
    return p;
}

static void keep_vote(mgc__cluster *c, uint32_t chain, uint64_t height, const mgc_vote *vote)
{
    pending_votes *p = votes_of(c, chain, height);

    for (uint32_t i = 0; i < p->n; i++)
        if (p->votes[i].member == vote->member) {
            p->votes[i] = *vote;
            return;
        }
    if (p->n < CLUSTER_KNOWN_MAX) p->votes[p->n++] = *vote;
}

/* Of a block that is here its signers are known; of one to come, whoever the order knows may be one. */
static bool may_sign(mgc__cluster *c, uint32_t chain, uint64_t height, uint32_t id)
{
    mgc_chain_info info;
    mgc__signers s;

    if (info_of(c, chain, &info) == MGC_OK && height > info.height) return mgc__known(c, id) != NULL || mgc__joining(c);
    return mgc__chain_signers_at(c->node->chains[chain], height, &s) == MGC_OK && mgc__signers_have(&s, id);
}

/* Are they a quorum, if their signatures are good; during a change of members one of each half? */
bool mgc__final_enough(const mgc__cluster *c, uint32_t chain, uint64_t height, const mgc_vote *votes, uint32_t n)
{
    mgc__certificate certificate = {.n = n};
    mgc__signers s;

    for (uint32_t i = 0; i < n; i++) certificate.votes[i].member = votes[i].member;
    return mgc__chain_signers_at(c->node->chains[chain], height, &s) == MGC_OK && mgc__signers_enough(&s, &certificate);
}

/* Must this member sign that block? */
static bool signs(const mgc__cluster *c, uint32_t chain, uint64_t height)
{
    uint8_t key[32];
    mgc__signers s;

    return mgc_key_public(c->node->opts.key, key) == MGC_OK &&
           mgc__chain_signers_at(c->node->chains[chain], height, &s) == MGC_OK && mgc__signers_have_key(&s, key);
}

/* Drop those that do not fit the block that stands here. */
static mgc_status sift(mgc__cluster *c, uint32_t chain, pending_votes *p)
{
    uint32_t kept = 0;
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < p->n && st == MGC_OK; i++) {
        st = mgc__chain_check_vote(c->node->chains[chain], p->height, &p->votes[i]);
        if (st == MGC_OK) p->votes[kept++] = p->votes[i];
        else if (st == MGC_E_BAD_CERT) {
            c->dropped++;
            st = MGC_OK;
        }
    }
    p->n = kept;
    return st;
}

/* Certify what can be, in the order of sealing: a block waits for those that its header pins. */
static mgc_status advance(mgc__cluster *c)
{
    bool some = true;
    mgc_status st = MGC_OK;

    while (some && st == MGC_OK) {
        some = false;
        for (uint32_t i = 0; i < c->node->n_chains && st == MGC_OK; i++) {
            mgc_chain_info info;
            pending_votes *p;
            st = info_of(c, i, &info);
            p = &c->votes[i][(info.final_height + 1) % CLUSTER_PENDING];
            if (st != MGC_OK || info.final_height == info.height || p->height != info.final_height + 1 ||
                !mgc__final_enough(c, i, p->height, p->votes, p->n))
                continue;
            st = sift(c, i, p);
            if (st != MGC_OK || !mgc__final_enough(c, i, p->height, p->votes, p->n)) continue;
            st = mgc_chain_certify(c->node->chains[i], p->height, p->votes, p->n);
            if (st == MGC_OK) some = true;
            if (st == MGC_E_NOT_FINAL) st = MGC_OK;
        }
    }
    return st;
}

mgc_status mgc__final_acknowledge(mgc__cluster *c)
{
    uint64_t before[HOMES];
    bool any = false;
    mgc_status st = MGC_OK;
    mgc_chain_info info;

    for (uint32_t i = 0; i < c->node->n_chains && st == MGC_OK; i++) {
        st = info_of(c, i, &info);
        before[i] = info.final_height;
    }
    if (st == MGC_OK) st = advance(c);
    for (uint32_t i = 0; i < c->node->n_chains && st == MGC_OK; i++) {
        st = info_of(c, i, &info);
        any = any || info.final_height > before[i];
    }
    if (st == MGC_OK && any) st = mgc_ledger_sync(c->node->ledger);
    for (uint32_t i = 0; i < c->node->n_chains && st == MGC_OK && any; i++) {
        st = info_of(c, i, &info);
        for (uint64_t h = before[i] + 1; h <= info.final_height; h++) tell_tickets(c, i, h);
    }
    return st;
}

static void send_vote(mgc__cluster *c, uint32_t to, uint32_t chain, uint64_t height, const uint8_t signature[64])
{
    uint8_t kind = ENVELOPE_VOTE;

    c->wire.len = 0;
    mgc__buf_put(&c->wire, &kind, 1);
    cluster_put32(&c->wire, chain);
    cluster_put64(&c->wire, height);
    mgc__buf_put(&c->wire, signature, 64);
    mgc__cluster_send(c, to, &c->wire);
}

mgc_status mgc__final_sign(mgc__cluster *c, uint32_t chain, uint64_t height)
{
    mgc_vote vote = {.member = c->node->opts.id};
    mgc_status st;

    if (!signs(c, chain, height)) return MGC_OK;
    st = mgc_chain_vote(c->node->chains[chain], height, c->node->opts.key, vote.signature);
    if (st != MGC_OK) return st;
    keep_vote(c, chain, height, &vote);
    send_vote(c, 0, chain, height, vote.signature);
    return MGC_OK;
}

mgc_status mgc__final_vote(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len)
{
    cluster_reader r = {.at = bytes, .end = bytes + len};
    mgc_vote vote = {.member = from};
    uint32_t chain = (uint32_t)cluster_uint(&r, 4);
    uint64_t height = cluster_uint(&r, 8);
    const uint8_t *signature = cluster_get(&r, 64);
    mgc_chain_info info;
    mgc_status st;

    if (r.bad || r.at != r.end || chain >= c->node->n_chains || !may_sign(c, chain, height, from)) {
        c->dropped++;
        return MGC_OK;
    }
    st = info_of(c, chain, &info);
    if (st != MGC_OK || height > info.final_height + CLUSTER_PENDING - CLUSTER_LATE || height + CLUSTER_LATE <= info.final_height) return st;
    memcpy(vote.signature, signature, 64);
    if (height > info.final_height || c->votes[chain][height % CLUSTER_PENDING].height == height) keep_vote(c, chain, height, &vote);
    return height > info.final_height ? mgc__final_acknowledge(c) : MGC_OK; /* late ones count for credit */
}

/* --- what is missing ------------------------------------------------------------------------------ */

static void ask_for(mgc__cluster *c, uint32_t to, uint32_t chain, uint64_t height, uint8_t with_block)
{
    uint8_t kind = ENVELOPE_WANT;

    c->wire.len = 0;
    mgc__buf_put(&c->wire, &kind, 1);
    cluster_put32(&c->wire, chain);
    cluster_put64(&c->wire, height);
    mgc__buf_put(&c->wire, &with_block, 1);
    mgc__cluster_send(c, to, &c->wire);
}

static mgc_status send_block(mgc__cluster *c, uint32_t to, uint32_t chain, uint64_t height, bool with_block)
{
    mgc_block_info info = {.struct_size = sizeof info};
    const uint8_t *bytes = NULL;
    mgc_block *block = NULL;
    size_t len = 0;
    uint8_t kind = ENVELOPE_BLOCK;
    mgc_vote vote;
    mgc_status st = mgc_chain_read_block(c->node->chains[chain], height, &block);

    if (st == MGC_OK) st = mgc_block_get_info(block, &info);
    if (st == MGC_OK && with_block) st = mgc_block_get_bytes(block, &bytes, &len);
    c->wire.len = 0;
    mgc__buf_put(&c->wire, &kind, 1);
    cluster_put32(&c->wire, chain);
    cluster_put64(&c->wire, height);
    cluster_put32(&c->wire, info.n_votes);
    for (uint32_t i = 0; i < info.n_votes && st == MGC_OK; i++) {
        st = mgc_block_get_vote(block, i, &vote);
        cluster_put32(&c->wire, vote.member);
        mgc__buf_put(&c->wire, vote.signature, 64);
    }
    cluster_put32(&c->wire, (uint32_t)len);
    if (len > 0) mgc__buf_put(&c->wire, bytes, len);
    if (st == MGC_OK) mgc__cluster_send(c, to, &c->wire);
    mgc_block_destroy(block);
    return st;
}

mgc_status mgc__final_want(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len)
{
    cluster_reader r = {.at = bytes, .end = bytes + len};
    uint32_t chain = (uint32_t)cluster_uint(&r, 4);
    uint64_t height = cluster_uint(&r, 8);
    bool with_block = cluster_uint(&r, 1) != 0;
    mgc_chain_info info;
    mgc_vote vote = {0};
    mgc_status st;

    if (r.bad || r.at != r.end || chain >= c->node->n_chains || height == 0) {
        c->dropped++;
        return MGC_OK;
    }
    st = info_of(c, chain, &info);
    if (st != MGC_OK || height > info.height) return st;
    if (height <= info.final_height) {
        st = send_block(c, from, chain, height, with_block);
        return st == MGC_E_CORRUPT ? MGC_OK : st; /* an old one that rotted here: another member is asked next */
    }
    if (!signs(c, chain, height)) return MGC_OK;
    st = mgc_chain_vote(c->node->chains[chain], height, c->node->opts.key, vote.signature);
    if (st == MGC_OK) send_vote(c, from, chain, height, vote.signature);
    return st;
}

/* What another says that a member signed replaces nothing that this member said itself. */
static void add_vote(mgc__cluster *c, uint32_t chain, uint64_t height, const mgc_vote *vote)
{
    const pending_votes *p = votes_of(c, chain, height);

    for (uint32_t i = 0; i < p->n; i++)
        if (p->votes[i].member == vote->member) return;
    keep_vote(c, chain, height, vote);
}

static mgc_status take_votes(mgc__cluster *c, cluster_reader *r, uint32_t chain, uint64_t height)
{
    uint32_t n = (uint32_t)cluster_uint(r, 4);

    if (n > CLUSTER_KNOWN_MAX) return MGC_E_MESSAGE;
    for (uint32_t i = 0; i < n; i++) {
        mgc_vote vote = {.member = (uint32_t)cluster_uint(r, 4)};
        const uint8_t *signature = cluster_get(r, 64);
        if (r->bad || !may_sign(c, chain, height, vote.member)) return MGC_E_MESSAGE;
        memcpy(vote.signature, signature, 64);
        add_vote(c, chain, height, &vote);
    }
    return MGC_OK;
}

/* Would those in the message be enough, if they fitted the block that stands here? */
static bool whole_certificate(const mgc__cluster *c, cluster_reader r, uint32_t chain, uint64_t height)
{
    mgc_vote votes[CLUSTER_KNOWN_MAX];
    uint32_t n = (uint32_t)cluster_uint(&r, 4);

    for (uint32_t i = 0; i < n && n <= CLUSTER_KNOWN_MAX; i++) {
        votes[i].member = (uint32_t)cluster_uint(&r, 4);
        (void)cluster_get(&r, 64);
    }
    return !r.bad && n <= CLUSTER_KNOWN_MAX && mgc__final_enough(c, chain, height, votes, n);
}

/* --- two blocks of one height ------------------------------------------------------------------------ */

static mgc_status compare_votes(mgc__cluster *c, uint32_t chain, const mgc__stored_block *ours, const mgc__stored_block *theirs,
                                cluster_reader *r)
{
    const pending_votes *p = votes_of(c, chain, ours->header.height);
    uint32_t n = (uint32_t)cluster_uint(r, 4);
    mgc__signers signers;
    mgc_status st = mgc__chain_signers_at(c->node->chains[chain], ours->header.height, &signers);

    for (uint32_t i = 0; i < n && st == MGC_OK; i++) {
        uint32_t member = (uint32_t)cluster_uint(r, 4);
        const uint8_t *signature = cluster_get(r, 64);
        mgc__tally tally = {.ctx = c->node->ctx};

        if (r->bad) return MGC_OK;
        for (uint32_t k = 0; k < p->n && st == MGC_OK; k++)
            if (p->votes[k].member == member && mgc__chain_check_vote(c->node->chains[chain], p->height, &p->votes[k]) == MGC_OK &&
                mgc__tally_vote(&tally, &signers, theirs->header.chain_id, theirs->header_bytes, theirs->header_len, member, signature) == MGC_OK)
                st = mgc__accuse_blocks(c, member, ours, p->votes[k].signature, theirs, signature);
    }
    return st;
}

/* Another block came whole for a height at which one stands here: who signed both is handed in. */
static mgc_status two_blocks(mgc__cluster *c, uint32_t chain, uint64_t height, const uint8_t *bytes, size_t len, cluster_reader *votes)
{
    mgc__stored_block ours, theirs;
    mgc_block *block = NULL;
    const uint8_t *own;
    size_t own_len;
    mgc_status st;

    if (mgc__block_read(NULL, bytes, len, &theirs) != MGC_OK || theirs.header.height != height) {
        c->dropped++;
        return MGC_OK;
    }
    st = mgc_chain_read_block(c->node->chains[chain], height, &block);
    if (st == MGC_OK) st = mgc_block_get_bytes(block, &own, &own_len);
    if (st == MGC_OK) st = mgc__block_read(c->node->ctx, own, own_len, &ours);
    if (st == MGC_OK && memcmp(ours.hash, theirs.hash, 32) != 0 && memcmp(ours.header.chain_id, theirs.header.chain_id, 32) == 0)
        st = compare_votes(c, chain, &ours, &theirs, votes);
    mgc_block_destroy(block);
    return st;
}

/* Over the votes, which are looked at once the block is here. */
static void skip_votes(cluster_reader *r)
{
    uint32_t n = (uint32_t)cluster_uint(r, 4);

    if (n > CLUSTER_KNOWN_MAX) r->bad = true;
    else (void)cluster_get(r, n * (size_t)68);
}

/* The configuration that the leader says is in force is the one that the blocks say, which quorums signed. */
static bool target_is_proved(mgc__cluster *c)
{
    roster own = c->roster;
    bool said;

    c->roster = c->target.roster; /* whose keys they are */
    said = mgc__order_said(c, &c->target.meta.config);
    c->roster = own;
    return said;
}

/* Blocks are fetched up to a snapshot's standing; where all chains are there, it is in force. */
static mgc_status fetch_more(mgc__cluster *c)
{
    mgc_raft_event saved = {.kind = MGC_RAFT_SNAP_SAVED, .snap = &c->target.meta};
    bool whole = true;
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < c->target.n && st == MGC_OK; i++) {
        mgc_chain_info info;
        st = info_of(c, i, &info);
        if (st != MGC_OK || info.final_height >= c->target.heights[i]) continue;
        whole = false;
        ask_for(c, c->target_from, i, info.final_height + 1, info.height == info.final_height);
    }
    if (st != MGC_OK || !whole) return st;
    if (!target_is_proved(c)) return mgc__snapshot_refused(c, c->target_from, c->target.meta.index);
    st = mgc__kept_cut_newer(c, c->target.meta.term, c->target.meta.index);
    if (st == MGC_OK) st = mgc__cluster_publish(c, &c->target, &c->target_deeds);
    mgc__kept_config(c, &c->target.meta.config);
    mgc__kept_forget(c, c->target.meta.term);
    c->target.set = false;
    c->ordered = c->target.meta.index;
    c->roster = c->target.roster;
    c->config = c->target.meta.config;
    c->deeds.len = 0;
    mgc__buf_put(&c->deeds, c->target_deeds.bytes, c->target_deeds.len);
    if (st == MGC_OK && c->deeds.status != MGC_OK) st = mgc__no_memory(c->node->ctx, "node: changes of members");
    return st == MGC_OK ? mgc__cluster_event(c, &saved) : st;
}

/* Who brought the snapshot may be gone, or have lied of its heights.  Then it is dropped, with nothing lost: whoever leads now
 * brings another one, and until then this member would acknowledge nothing, though it may be needed for a majority. */
static mgc_status fetch_again(mgc__cluster *c)
{
    uint64_t got = 0;

    for (uint32_t i = 0; i < c->target.n; i++) {
        mgc_chain_info info;
        mgc_status st = info_of(c, i, &info);
        if (st != MGC_OK) return st;
        got += info.final_height;
    }
    c->target_waits = got > c->target_got ? 0 : c->target_waits + 1;
    c->target_got = got;
    return c->target_waits > CLUSTER_ASKS_MAX ? mgc__snapshot_refused(c, c->target_from, c->target.meta.index) : fetch_more(c);
}

mgc_status mgc__final_block(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len)
{
    cluster_reader r = {.at = bytes, .end = bytes + len}, votes, told;
    uint32_t chain = (uint32_t)cluster_uint(&r, 4), block_len;
    uint64_t height = cluster_uint(&r, 8);
    const uint8_t *block;
    mgc_chain_info info;
    mgc_status st;

    if (r.bad || chain >= c->node->n_chains) {
        c->dropped++;
        return MGC_OK;
    }
    st = info_of(c, chain, &info);
    if (st != MGC_OK || height != info.final_height + 1) return st;
    votes = r;
    skip_votes(&r);
    block_len = (uint32_t)cluster_uint(&r, 4);
    block = cluster_get(&r, block_len);
    if (r.bad) return MGC_OK;
    if (block_len > 0 && info.height < height && c->target.set) {
        st = mgc_chain_apply(c->node->chains[chain], block, block_len, UINT64_MAX, 0);
        if (mgc__is_fatal(st)) return st;
        if (st != MGC_OK) { /* not next in the common order yet, or not true */
            c->dropped += st != MGC_E_HEIGHT;
            return MGC_OK;
        }
    }
    if (block_len > 0 && info.height >= height) {
        cluster_reader again = votes;
        st = two_blocks(c, chain, height, block, block_len, &again);
        if (st != MGC_OK) return st;
    }
    told = votes;
    if (take_votes(c, &votes, chain, height) != MGC_OK) {
        c->dropped++;
        return MGC_OK;
    }
    st = mgc__final_acknowledge(c);
    if (st == MGC_OK) st = info_of(c, chain, &info);
    if (st == MGC_OK && block_len == 0 && info.final_height < height && info.height >= height && whole_certificate(c, told, chain, height))
        ask_for(c, from, chain, height, 1); /* it is final there, and fits nothing here: let us see that block */
    if (st != MGC_OK || c->target.set) return st == MGC_OK ? fetch_more(c) : st;
    st = info_of(c, chain, &info);
    if (st == MGC_OK && info.final_height >= height && info.final_height < info.height)
        ask_for(c, from, chain, info.final_height + 1, 0); /* the next one; where this one did not help, the next tick asks */
    return st;
}

mgc_status mgc__final_tick(mgc__cluster *c)
{
    mgc_status st = MGC_OK;

    if (++c->ticks_since_ask < CLUSTER_AGAIN_TICKS) return MGC_OK;
    c->ticks_since_ask = 0;
    if (c->target.set) return fetch_again(c);
    for (uint32_t i = 0; i < c->node->n_chains && st == MGC_OK; i++) {
        mgc_chain_info info;
        st = info_of(c, i, &info);
        if (st == MGC_OK && info.final_height < info.height) ask_for(c, 0, i, info.final_height + 1, 0);
    }
    return st;
}
