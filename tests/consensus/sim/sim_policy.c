/* SPDX-License-Identifier: Apache-2.0 */
/* Membership by credit: each member reckons the credit table of every epoch from what it applied, the leader proposes what
 * follows from it, the others recompute that before they take it.  Tables are as unsteady as can be. */
#include "sim.h"

void policy_set_up(struct sim *s)
{
    mgc_raft_policy_init(&s->policy, sizeof s->policy);
    s->policy.dwell_epochs = 1 + (uint32_t)sim_below(s, 4);
    s->committed = s->genesis.config;
}

struct reckoned {
    mgc_raft_standing members[SIM_NODES];
    uint8_t hash[32];
};

static mgc_raft_table reckon(const struct sim *s, uint64_t epoch, struct reckoned *r)
{
    mgc__rng rng;

    mgc__rng_seed(&rng, s->opts.seed ^ epoch * UINT64_C(0xd6e8feb86659fd93));
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t flags = mgc__rng_below(&rng, 3) == 0 ? MGC_RAFT_ABSENT : 0;
        if (mgc__rng_below(&rng, 40) == 0) flags |= MGC_RAFT_CONVICTED;
        r->members[i] = (mgc_raft_standing){.id = i + 1, .node_credit = (uint32_t)mgc__rng_below(&rng, 10001),
                                            .trade_credit = (uint32_t)mgc__rng_below(&rng, 10001), .flags = flags};
    }
    for (int i = 0; i < 32; i++) r->hash[i] = (uint8_t)(1 + mgc__rng_below(&rng, 255));
    return (mgc_raft_table){.epoch = epoch, .hash = r->hash, .members = r->members, .n_members = s->n};
}

static void hand_over(struct sim *s, struct node *n)
{
    mgc_raft_event e = {.kind = MGC_RAFT_TRANSFER, .member = mgc_raft_caretaker_target(n->raft)};

    if (e.member == 0) e.member = 1 + (uint32_t)sim_below(s, s->n);
    node_step(s, n, &e);
}

bool policy_propose(struct sim *s, struct node *n)
{
    struct reckoned r;
    mgc_raft_change change;
    mgc_raft_table table = reckon(s, n->state.meta.index / SIM_EPOCH, &r);
    mgc_raft_event e = {.kind = MGC_RAFT_CONF, .changes = &change, .n_changes = 1, .epoch = table.epoch, .justification = r.hash};

    if (table.epoch == 0 || n->raft->role != MGC_RAFT_LEADER) return false;
    if (mgc_raft_policy_decide(s->ctx, &s->policy, mgc_raft_config_now(n->raft), &table, &change) != MGC_OK) abort();
    if (change.op == 0) return false;
    if (change.id == n->id && change.op != MGC_RAFT_ADD_VOTER) {
        hand_over(s, n);
        return true;
    }
    s->marks[MARK_POLICY]++;
    node_step(s, n, &e);
    return true;
}

/* Another change than follows from the table, or one that follows from a table of its own making. */
bool policy_invent(struct sim *s, struct node *n)
{
    struct reckoned r;
    mgc_raft_table table = reckon(s, n->state.meta.index / SIM_EPOCH + sim_below(s, 3), &r);
    uint32_t id = 1 + (uint32_t)sim_below(s, s->n);
    mgc_raft_change change = {.id = id, .op = MGC_RAFT_ADD_VOTER + (uint32_t)sim_below(s, 3), .incarnation = s->nodes[id].incarnation};
    mgc_raft_event e = {.kind = MGC_RAFT_CONF, .changes = &change, .n_changes = 1, .epoch = table.epoch, .justification = r.hash};

    if (n->raft->role != MGC_RAFT_LEADER || table.epoch == 0) return false;
    if (sim_chance(s, 300)) r.hash[0] ^= 1;
    s->marks[MARK_INVENTED]++;
    node_step(s, n, &e);
    return true;
}

uint64_t policy_vouch(struct sim *s, const struct node *n, const mgc_raft_msg *m)
{
    enum { REMEMBERED = 64 }; /* a proposal may lie as many epochs back as there are in a log that is never compacted soon */
    struct reckoned r[REMEMBERED];
    mgc_raft_table tables[REMEMBERED];
    uint64_t now = n->state.meta.index / SIM_EPOCH, refuse_from = 0;
    size_t k = 0;
    bool any = false;

    for (uint32_t i = 0; m->kind == MGC_RAFT_APPEND_REQ && i < m->n_entries; i++) any = any || m->entries[i].type == MGC_RAFT_CONFIG;
    if (!any) return 0;
    for (; k < REMEMBERED && now > k; k++) tables[k] = reckon(s, now - k, &r[k]);
    if (mgc_raft_policy_vouch(s->ctx, n->raft, &s->policy, m, tables, k, &refuse_from) != MGC_OK) abort();
    if (refuse_from != 0) s->marks[MARK_POLICY_WAIT]++;
    return refuse_from;
}

static uint32_t voters_of(const mgc_raft_config *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->n_members; i++) n += (c->members[i].roles & MGC_RAFT_VOTER) != 0;
    return n;
}

/* What was committed with a reason must follow from it, and leave enough who vote. */
void policy_committed(struct sim *s, const struct node *n, uint64_t index, const struct blob *b)
{
    static const uint8_t none[32];
    struct reckoned r;
    mgc_raft_table table;
    mgc_raft_change change;
    mgc_raft_config next, want;

    if (!mgc__config_decode(b->bytes, b->len, &next)) return;
    next.index = index;
    if (memcmp(next.justification, none, 32) != 0 && !mgc__config_joint(&s->committed)) {
        s->marks[MARK_POLICY_COMMIT]++;
        if (voters_of(&next) < voters_of(&s->committed) && voters_of(&next) < s->policy.voters_min)
            sim_fail(s, "configuration %" PRIu64 " leaves %" PRIu32 " voters", index, voters_of(&next));
        table = reckon(s, next.epoch, &r);
        if (next.epoch == 0 || memcmp(next.justification, r.hash, 32) != 0 ||
            mgc_raft_policy_decide(s->ctx, &s->policy, &s->committed, &table, &change) != MGC_OK || change.op == 0 ||
            mgc__config_enter(&s->committed, &change, 1, true, &want) != NULL || !mgc__config_same_members(&want, &next))
            sim_fail(s, "member %" PRIu32 ": configuration %" PRIu64 " is committed and does not follow from epoch %" PRIu64, n->id, index,
                     next.epoch);
    }
    s->committed = next;
}
