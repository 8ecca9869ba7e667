/* SPDX-License-Identifier: Apache-2.0 */
/* Who is to vote, by credit: a rule that every member computes for itself.  It only proposes changes of membership, which
 * then take the way of all of them (membership.c); who is counted in a decision never depends on credit but through a
 * committed configuration.
 *
 *   1. Nothing while a change is under way, or in the epoch of the last one.
 *   2. A convicted member is removed.
 *   3. Four epochs after the last change: an absent voter of little credit becomes a learner, ...
 *   4. ... or else a learner of much credit a voter.
 *
 * What can go wrong, and what is done:
 *   all have little credit                  never fewer than voters_min
 *   credit that swings around a bound       two bounds (enter, leave), and four epochs between changes
 *   a leader that leaves out signatures     absence counts only under two different leaders; who reckons it sees to that
 *   a leader that invents a reason          the others compute another change, and do not take the entry */
#include "consensus/raft.h"

enum { CREDIT_MOST = 10000, EPOCHS_MOST = 1000 };

static const mgc_raft_policy defaults = {
    .struct_size = sizeof(mgc_raft_policy),
    .enter = 5000,
    .leave = 2000,
    .voters_min = 3,
    .dwell_epochs = 4,
};

void mgc_raft_policy_init(mgc_raft_policy *policy, size_t size)
{
    mgc__opts_init(policy, size, &defaults, sizeof defaults);
}

static mgc_status bad(mgc_ctx *ctx, const char *name, uint32_t found, uint32_t least, uint32_t most)
{
    return mgc__fail(ctx, MGC_E_RANGE, "consensus: policy option %s is out of range; found %u; allowed %u..%u", name,
                     found, least, most);
}

static mgc_status read_policy(mgc_ctx *ctx, const mgc_raft_policy *given, mgc_raft_policy *p)
{
    mgc_status status = MGC_OK;

    *p = defaults;
    if (given != NULL) status = mgc__opts_read(p, sizeof *p, MGC__FIRST_SIZE(mgc_raft_policy, reserved0), given);
    if (status != MGC_OK) return mgc__fail(ctx, status, "consensus: policy struct of another size");
    if (p->voters_max == 0) p->voters_max = MGC_RAFT_MEMBERS_MAX;
    if (p->enter > CREDIT_MOST) return bad(ctx, "enter", p->enter, 1, CREDIT_MOST);
    if (p->leave >= p->enter) return bad(ctx, "leave", p->leave, 0, p->enter - 1);
    if (p->voters_min < 1 || p->voters_min > MGC_RAFT_MEMBERS_MAX)
        return bad(ctx, "voters_min", p->voters_min, 1, MGC_RAFT_MEMBERS_MAX);
    if (p->voters_max < p->voters_min || p->voters_max > MGC_RAFT_MEMBERS_MAX)
        return bad(ctx, "voters_max", p->voters_max, p->voters_min, MGC_RAFT_MEMBERS_MAX);
    if (p->dwell_epochs < 1 || p->dwell_epochs > EPOCHS_MOST) return bad(ctx, "dwell_epochs", p->dwell_epochs, 1, EPOCHS_MOST);
    return p->reserved0 == 0 ? MGC_OK : bad(ctx, "reserved0", p->reserved0, 0, 0);
}

static mgc_status check_table(mgc_ctx *ctx, const mgc_raft_table *table)
{
    if (table == NULL || table->hash == NULL || table->epoch == 0 || (table->members == NULL && table->n_members > 0))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "consensus: a credit table without epoch, hash or members");
    for (size_t i = 0; i < table->n_members; i++) {
        const mgc_raft_standing *m = &table->members[i];

        if (m->node_credit > CREDIT_MOST || m->trade_credit > CREDIT_MOST)
            return mgc__fail(ctx, MGC_E_RANGE, "consensus: credit of member %u; found %u and %u; allowed 0..%u", m->id,
                             m->node_credit, m->trade_credit, (unsigned)CREDIT_MOST);
    }
    return MGC_OK;
}

/* --- the rule --- */

/* Does a stand before b?  R = (convicted, -(3 N + T), id): a total order. */
static bool before(const mgc_raft_standing *a, const mgc_raft_standing *b)
{
    uint32_t of_a = 3 * a->node_credit + a->trade_credit, of_b = 3 * b->node_credit + b->trade_credit;

    if ((a->flags ^ b->flags) & MGC_RAFT_CONVICTED) return (b->flags & MGC_RAFT_CONVICTED) != 0;
    return of_a != of_b ? of_a > of_b : a->id < b->id;
}

/* Which change would this member's standing call for, if it were its turn? */
static uint32_t called_for(const mgc_raft_policy *p, const mgc_raft_config *now, const mgc_raft_standing *s)
{
    const mgc_raft_member *m = mgc__config_member(now, s->id);
    bool votes = m != NULL && (m->roles & MGC_RAFT_VOTER) != 0;
    bool absent = (s->flags & MGC_RAFT_ABSENT) != 0;
    uint32_t voters = mgc__config_count(now, MGC_RAFT_VOTER);

    if (m == NULL || (votes && voters <= p->voters_min && (s->flags & MGC_RAFT_CONVICTED))) return 0;
    if (s->flags & MGC_RAFT_CONVICTED) return MGC_RAFT_REMOVE;
    if (votes) return absent && s->node_credit < p->leave && voters > p->voters_min ? MGC_RAFT_ADD_LEARNER : 0;
    return !absent && s->node_credit >= p->enter && voters < p->voters_max ? MGC_RAFT_ADD_VOTER : 0;
}

static const mgc_raft_standing *first_of(const mgc_raft_policy *p, const mgc_raft_config *now,
                                         const mgc_raft_table *table, uint32_t op)
{
    const mgc_raft_standing *chosen = NULL;

    for (size_t i = 0; i < table->n_members; i++) {
        const mgc_raft_standing *s = &table->members[i];

        if (called_for(p, now, s) != op) continue;
        if (chosen == NULL || before(s, chosen) == (op == MGC_RAFT_ADD_VOTER)) chosen = s;
    }
    return chosen;
}

static void decide(const mgc_raft_policy *p, const mgc_raft_config *now, const mgc_raft_table *table,
                   mgc_raft_change *change)
{
    static const uint32_t order[3] = {MGC_RAFT_REMOVE, MGC_RAFT_ADD_LEARNER, MGC_RAFT_ADD_VOTER};

    memset(change, 0, sizeof *change);
    if (mgc__config_joint(now) || table->epoch <= now->epoch) return;
    for (uint32_t i = 0; i < 3; i++) {
        const mgc_raft_standing *s = first_of(p, now, table, order[i]);

        if (s == NULL) continue;
        if (order[i] != MGC_RAFT_REMOVE && now->epoch != 0 && table->epoch - now->epoch < p->dwell_epochs) return;
        *change = (mgc_raft_change){.op = order[i], .id = s->id};
        change->incarnation = mgc__config_member(now, s->id)->incarnation;
        return;
    }
}

mgc_status mgc_raft_policy_decide(mgc_ctx *ctx, const mgc_raft_policy *policy, const mgc_raft_config *now,
                                  const mgc_raft_table *table, mgc_raft_change *change)
{
    mgc_raft_policy p;
    mgc_status status;

    if (change == NULL) return MGC_E_INVALID_ARG;
    memset(change, 0, sizeof *change);
    if (now == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "consensus: a policy without a configuration");
    status = read_policy(ctx, policy, &p);
    if (status == MGC_OK) status = check_table(ctx, table);
    if (status == MGC_OK) decide(&p, now, table, change);
    return status;
}

/* --- what others propose --- */

static bool justified(const mgc_raft_config *c)
{
    static const uint8_t none[32];

    return memcmp(c->justification, none, 32) != 0;
}

/* Is `next` what follows from `now` by the rule? */
static bool follows(const mgc_raft_policy *p, const mgc_raft_config *now, const mgc_raft_config *next,
                    const mgc_raft_table *table, uint32_t proposer)
{
    mgc_raft_change change;
    mgc_raft_config want;

    if (memcmp(next->justification, table->hash, 32) != 0) return false;
    decide(p, now, table, &change);
    if (change.op == 0 || (change.id == proposer && change.op != MGC_RAFT_ADD_VOTER)) return false;
    return mgc__config_enter(now, &change, 1, true, &want) == NULL && next->auto_leave != 0 &&
           mgc__config_same_members(&want, next);
}

static bool leaves(const mgc_raft_config *joint, const mgc_raft_config *next)
{
    mgc_raft_config want;

    return mgc__config_leave(joint, &want) == NULL && mgc__config_same_members(&want, next) &&
           want.epoch == next->epoch && memcmp(want.justification, next->justification, 32) == 0;
}

static bool may_be_taken(const mgc_raft_policy *p, const mgc_raft_config *now, const mgc_raft_config *next,
                         const mgc_raft_msg *msg, uint64_t term, const mgc_raft_table *tables, size_t n_tables)
{
    uint32_t proposer = term == msg->term ? msg->from : 0; /* of an earlier term: whoever led that, and it stands */
    uint64_t oldest = UINT64_MAX;

    if (!justified(next)) return true;
    if (mgc__config_joint(now)) return leaves(now, next);
    for (size_t i = 0; i < n_tables; i++) {
        if (tables[i].epoch == next->epoch) return follows(p, now, next, &tables[i], proposer);
        if (tables[i].epoch < oldest) oldest = tables[i].epoch;
    }
    return next->epoch < oldest && next->index <= msg->commit; /* long ago, and decided */
}

mgc_status mgc_raft_policy_vouch(mgc_ctx *ctx, const mgc_raft *raft, const mgc_raft_policy *policy,
                                 const mgc_raft_msg *msg, const mgc_raft_table *tables, size_t n_tables,
                                 uint64_t *refuse_from)
{
    mgc_raft_policy p;
    mgc_raft_config now, next;
    mgc_status status;

    if (raft == NULL || msg == NULL || refuse_from == NULL || (tables == NULL && n_tables > 0)) return MGC_E_INVALID_ARG;
    *refuse_from = 0;
    status = read_policy(ctx, policy, &p);
    for (size_t i = 0; i < n_tables && status == MGC_OK; i++) status = check_table(ctx, &tables[i]);
    if (status != MGC_OK || msg->kind != MGC_RAFT_APPEND_REQ || msg->entries == NULL) return status;
    if (mgc__config_at(raft, msg->index) == NULL) return MGC_OK; /* below what is remembered: compacted, hence decided */
    now = *mgc__config_at(raft, msg->index);
    for (uint32_t i = 0; i < msg->n_entries; i++) {
        const mgc_raft_entry *e = &msg->entries[i];

        if (e->type != MGC_RAFT_CONFIG || !mgc__config_decode(e->bytes, e->len, &next)) continue;
        next.index = msg->index + 1 + i;
        if (next.index > raft->commit && !may_be_taken(&p, &now, &next, msg, e->term, tables, n_tables)) {
            *refuse_from = next.index;
            return MGC_OK;
        }
        now = next;
    }
    return MGC_OK;
}
