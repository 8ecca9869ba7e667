/* SPDX-License-Identifier: Apache-2.0 */
/* Credit and the consensus: what the one tells the other.
 *
 *   to the core     after what was executed: who stands in which rank, and who waits in the window (U2 to U5)
 *   by the leader   who signed which block, and that an epoch has ended: transactions of its own to the credit contract
 *   by the leader   below the threshold, or convicted, it hands over to the best-ranked voter that has everything (U6)
 *
 * The view is a function of the executed order, so it is the same at all members at the same entry. */
#include "contract/credit.h"

#include "ledger/signers.h"
#include "node/cluster.h"

enum {
    CANDIDATE_MIN = 3000, /* of consensus credit: below it a member does not campaign early */
    SIGNATURES_LATE = 3   /* blocks back for which signatures that came since are told, well within what the contract takes */
};

static const mgc__state *state_of(const mgc__cluster *c, uint32_t contract)
{
    return mgc__chain_state(c->node->chains[mgc__node_home(c->node, contract)]);
}

static uint64_t epoch_of(const mgc__cluster *c)
{
    int64_t number = 0, last_slot;

    (void)mgc__credit_epoch_due(state_of(c, MGC_CONTRACT_CREDIT), state_of(c, MGC_CONTRACT_INFORMATION), c->last_time, &number, &last_slot);
    return number > 0 ? (uint64_t)number : 0;
}

mgc_status mgc__credit_look(mgc__cluster *c, bool *changed)
{
    mgc__credit_entry entries[MGC_MEMBERS_MAX];
    mgc_raft_credit view[CLUSTER_KNOWN_MAX] = {{0}};
    uint8_t root[32];
    size_t n = 0;
    mgc_status st;

    *changed = false;
    if (c->node->opts.credit == 0) return MGC_OK;
    st = mgc__credit_table(state_of(c, MGC_CONTRACT_CREDIT), state_of(c, MGC_CONTRACT_INFORMATION),
                           mgc_node_chain(c->node, MGC_CONTRACT_CREDIT), entries, MGC__COUNT(entries), &n, root);
    if (st != MGC_OK || n > CLUSTER_KNOWN_MAX) return st;
    c->convicted = c->demote = 0;
    c->credit_epoch = epoch_of(c);
    for (uint32_t i = 0; i < n; i++) {
        bool early = !entries[i].convicted && entries[i].node >= CANDIDATE_MIN;

        view[i] = (mgc_raft_credit){.id = entries[i].validator, .rank = i, .may_campaign_early = early};
        c->convicted |= (uint32_t)entries[i].convicted << i;
        c->demote |= (uint32_t)entries[i].demote << i;
        c->node_credit[i] = entries[i].node;
        c->trade_credit[i] = entries[i].trade;
    }
    *changed = n != c->n_credit || memcmp(view, c->credit, n * sizeof *view) != 0;
    memcpy(c->credit, view, sizeof view);
    c->n_credit = (uint32_t)n;
    return MGC_OK;
}

void mgc__credit_past(const mgc__cluster *c, mgc_node_member_info *m)
{
    const mgc_chain *chain = c->node->chains[mgc__node_home(c->node, MGC_CONTRACT_CREDIT)];
    mgc__credit_entry e;

    if (c->n_credit == 0 || !mgc__credit_validator(state_of(c, MGC_CONTRACT_CREDIT), state_of(c, MGC_CONTRACT_INFORMATION), chain, m->id, &e))
        return;
    m->convicted = e.convicted;
    m->early = !e.convicted && e.node >= CANDIDATE_MIN;
    m->node_credit = e.node;
    m->trade_credit = e.trade;
}

/* --- handing over ------------------------------------------------------------------------------- */

mgc_status mgc__credit_hand_over(mgc__cluster *c)
{
    mgc_raft_event event = {.kind = MGC_RAFT_TRANSFER};

    if (c->role != MGC_RAFT_LEADER || c->ticks_since_hand_over < c->node->opts.election_ticks) return MGC_OK;
    event.member = mgc_raft_caretaker_target(c->raft);
    if (event.member == 0) return MGC_OK;
    c->ticks_since_hand_over = 0;
    return mgc__cluster_event(c, &event);
}

/* --- what the leader tells ---------------------------------------------------------------------- */

static mgc_status tell_epoch(mgc__cluster *c)
{
    int64_t number, last_slot;
    mgc_args *args = NULL;
    mgc_status st;

    if (!mgc__credit_epoch_due(state_of(c, MGC_CONTRACT_CREDIT), state_of(c, MGC_CONTRACT_INFORMATION), c->now_ms, &number, &last_slot))
        return MGC_OK;
    st = mgc_args_create(c->node->ctx, MGC_CONTRACT_CREDIT, "epoch", &args);
    if (st == MGC_OK) st = mgc_args_set_int(args, "number", number);
    if (st == MGC_OK) st = mgc_args_set_int(args, "last_slot", last_slot);
    if (st == MGC_OK) st = mgc__submit_own(c->node, MGC_CONTRACT_CREDIT, "epoch", args);
    mgc_args_destroy(args);
    return st;
}

/* The votes on a block that are here and good, ascending by member; bits by place among those who sign it. */
static uint32_t good_votes(mgc__cluster *c, uint32_t chain, uint64_t height, mgc_vote *votes, uint64_t *members)
{
    const pending_votes *p = &c->votes[chain][height % CLUSTER_PENDING];
    mgc__signers signers;
    mgc__half all = {0};
    uint32_t n = 0;

    *members = 0;
    if (mgc__chain_signers_at(c->node->chains[chain], height, &signers) == MGC_OK) mgc__signers_all(&signers, &all);
    for (uint32_t i = 0; i < all.n && p->height == height; i++)
        for (uint32_t k = 0; k < p->n; k++)
            if (p->votes[k].member == all.list[i].id && mgc__chain_check_vote(c->node->chains[chain], height, &p->votes[k]) == MGC_OK) {
                *members |= UINT64_C(1) << i;
                votes[n++] = p->votes[k];
            }
    return n;
}

static mgc_status submit_certificate(mgc__cluster *c, const mgc__stored_block *b, const mgc_vote *votes, uint32_t n)
{
    uint8_t bytes[64 + CLUSTER_KNOWN_MAX * 80];
    mgc__certificate certificate = {.block_hash = b->hash, .n = n};
    mgc__cbor_writer w;
    mgc_args *args = NULL;
    mgc_status st = mgc_args_create(c->node->ctx, MGC_CONTRACT_CREDIT, "certify", &args);

    for (uint32_t i = 0; i < n; i++) {
        certificate.votes[i].member = votes[i].member;
        certificate.votes[i].signature = votes[i].signature;
    }
    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__certificate_write(&w, &certificate);
    assert(w.status == MGC_OK);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "header", b->header_bytes, b->header_len);
    if (st == MGC_OK) st = mgc_args_set_bytes(args, "certificate", bytes, w.len);
    if (st == MGC_OK) st = mgc__submit_own(c->node, MGC_CONTRACT_CREDIT, "certify", args);
    mgc_args_destroy(args);
    return st;
}

/* A block's certificate, where it has signatures that are not counted yet. */
static mgc_status tell_certificate(mgc__cluster *c, uint32_t chain, uint64_t height)
{
    mgc_vote votes[CLUSTER_KNOWN_MAX];
    uint64_t here, counted;
    uint32_t n;
    const uint8_t *bytes;
    size_t len;
    mgc_block *block = NULL;
    mgc__stored_block b;
    mgc_status st;

    if (!mgc__credit_counted(state_of(c, MGC_CONTRACT_CREDIT), state_of(c, MGC_CONTRACT_INFORMATION), height, &counted)) return MGC_OK;
    n = good_votes(c, chain, height, votes, &here);
    if (!mgc__final_enough(c, chain, height, votes, n) || (here & ~counted) == 0) return MGC_OK;
    st = mgc_chain_read_block(c->node->chains[chain], height, &block);
    if (st == MGC_OK) st = mgc_block_get_bytes(block, &bytes, &len);
    if (st == MGC_OK) st = mgc__block_read(c->node->ctx, bytes, len, &b);
    if (st == MGC_OK) st = submit_certificate(c, &b, votes, n);
    mgc_block_destroy(block);
    return st;
}

mgc_status mgc__credit_tell(mgc__cluster *c)
{
    uint32_t home = mgc__node_home(c->node, MGC_CONTRACT_CREDIT);
    mgc_chain_info info = {.struct_size = sizeof info};
    const ticket *before = mgc__node_ticket(c->node, c->own_ticket);
    bool work = false;
    mgc_status st;

    if (before != NULL && before->state == MGC_TICKET_OPEN && before->height == 0) return MGC_OK; /* what was told waits still */
    if (c->node->opts.credit == 0 || !mgc__signs_blocks(c->node, c->node->opts.id)) return MGC_OK;
    st = tell_epoch(c);
    for (size_t i = 0; i < c->node->pool_n && !work; i++) work = c->node->pool[i].chain == home && !c->node->pool[i].held;
    if (st != MGC_OK || !work) return st; /* a block for certificates alone would need one itself */
    st = mgc_chain_get_info(c->node->chains[home], &info);
    for (uint32_t back = 0; back < SIGNATURES_LATE && back < info.final_height && st == MGC_OK; back++)
        if (back == 0 || back + 1 == SIGNATURES_LATE) st = tell_certificate(c, home, info.final_height - back);
    return st;
}
