/* SPDX-License-Identifier: Apache-2.0 */
/* Who votes by credit, and which configurations a member takes: the rules of consensus/policy.c, fed by the ledger.
 *
 *   1. From what it executed each voter makes a table of standings; mgc_raft_policy_decide() says what follows from it.
 *   2. The voter approves of that change, epoch and hash of the table included, as operators do (members.c).
 *   3. A majority's approvals bring change and table into the order: whoever executes them has the table from then on, also
 *      after a restart, for it is among the deeds that the roster follows from.
 *   4. The leader carries the change out by a configuration that names epoch and hash; mgc_raft_policy_vouch() at each
 *      follower finds it following from the table, or the append stops before it.
 *   5. Configurations without a reason are steps towards the roster, or the append stops before them, too.
 *
 * The time of a round is the leader's clock, for good: gates close by it, and no later round may have an earlier one.  A leader
 * whose clock is more than a day ahead of a member's is not listened to by it; where a majority does not, they elect another.  A
 * member whose clock is behind the chain's by as much has no say in that: it is its own that is wrong.
 *
 * What can go wrong
 *   voters stand at different entries   their tables have different hashes: no majority, until they stand alike
 *   a leader invents a configuration    nobody takes it, nor what is behind it
 *   a follower has not executed yet     it refuses now and takes it when sent again: what justifies it lies before it, and
 *                                       the leader has made durable that this is committed */
#include "node/cluster.h"

/* Of consensus/raft.h, whose other names meet those of contract.h. */
const mgc_raft_config *mgc__config_at(const mgc_raft *r, uint64_t index);
const mgc_raft_member *mgc__config_member(const mgc_raft_config *c, uint32_t id);
bool mgc__config_joint(const mgc_raft_config *c);
const char *mgc__config_leave(const mgc_raft_config *from, mgc_raft_config *to);
bool mgc__config_same_members(const mgc_raft_config *a, const mgc_raft_config *b);
bool mgc__config_decode(const uint8_t *bytes, size_t len, mgc_raft_config *c);

static mgc_raft_policy policy_of_nodes(void)
{
    mgc_raft_policy policy;

    mgc_raft_policy_init(&policy, sizeof policy);
    policy.voters_max = CLUSTER_MEMBERS_MAX;
    return policy;
}

/* --- tables ------------------------------------------------------------------------------------- */

mgc_status mgc__table_hash(const credit_table *t, uint8_t hash[32])
{
    static const char tag[] = "mgchain/table/1";
    uint8_t bytes[sizeof tag + 8 + 4 + CLUSTER_KNOWN_MAX * 16];
    size_t n = sizeof tag;

    memcpy(bytes, tag, sizeof tag);
    for (int i = 0; i < 8; i++) bytes[n++] = (uint8_t)(t->epoch >> 8 * i);
    for (int i = 0; i < 4; i++) bytes[n++] = (uint8_t)(t->n >> 8 * i);
    for (uint32_t k = 0; k < t->n; k++) {
        const mgc_raft_standing *s = &t->list[k];
        const uint32_t words[4] = {s->id, s->node_credit, s->trade_credit, s->flags};

        for (int i = 0; i < 16; i++) bytes[n++] = (uint8_t)(words[i / 4] >> 8 * (i % 4));
    }
    return mgc_sha256(bytes, n, hash);
}

/* What the ledger says now of those whose part is credit's to decide: whom operators made a learner stays one. */
mgc_status mgc__table_now(const mgc__cluster *c, credit_table *t)
{
    *t = (credit_table){.epoch = c->credit_epoch};
    for (uint32_t i = 0; i < c->n_credit; i++) {
        const known_member *m = mgc__known(c, c->credit[i].id);

        if (m == NULL || (m->aim != MGC_STANDING_VOTER && m->by_credit == 0)) continue;
        t->list[t->n++] = (mgc_raft_standing){.id = m->id, .node_credit = c->node_credit[i], .trade_credit = c->trade_credit[i],
                                              .flags = ((c->convicted >> i & 1) != 0 ? MGC_RAFT_CONVICTED : 0u) |
                                                       ((c->demote >> i & 1) != 0 ? MGC_RAFT_ABSENT : 0u)};
    }
    return mgc__table_hash(t, t->hash);
}

static mgc_raft_table view_of(const credit_table *t)
{
    return (mgc_raft_table){.epoch = t->epoch, .hash = t->hash, .members = t->list, .n_members = t->n};
}

mgc_status mgc__table_decide(const mgc__cluster *c, const credit_table *t, mgc_raft_change *change)
{
    mgc_raft_policy policy = policy_of_nodes();
    mgc_raft_table table = view_of(t);

    *change = (mgc_raft_change){.op = 0};
    if (t->epoch == 0) return MGC_OK; /* the market is not founded */
    return mgc_raft_policy_decide(c->node->ctx, &policy, mgc_raft_config_now(c->raft), &table, change);
}

/* --- vouching ----------------------------------------------------------------------------------- */

/* Is what a member becomes what the roster says of it? */
static bool towards(const mgc__cluster *c, const mgc_raft_member *before, const mgc_raft_member *after)
{
    const known_member *m = mgc__known(c, after != NULL ? after->id : before->id);
    bool voted = before != NULL && (before->roles & MGC_RAFT_VOTER) != 0, votes = after != NULL && (after->roles & MGC_RAFT_VOTER) != 0;
    bool other_disk = before != NULL && after != NULL && after->incarnation > before->incarnation;

    if (m == NULL) return false;
    if (before == NULL) return !votes && m->aim != MGC_STANDING_REMOVED;
    if (after == NULL || (voted && !votes && (after->roles & MGC_RAFT_LEARNER_NEXT) == 0)) return m->aim == MGC_STANDING_REMOVED;
    if (votes && !voted) return m->aim == MGC_STANDING_VOTER;
    return !voted || votes || m->aim == MGC_STANDING_LEARNER || other_disk;
}

static bool follows_roster(const mgc__cluster *c, const mgc_raft_config *now, const mgc_raft_config *next)
{
    mgc_raft_config want;

    if (mgc__config_joint(now)) return mgc__config_leave(now, &want) == NULL && mgc__config_same_members(&want, next);
    if (!mgc__config_joint(next)) return false;
    for (uint32_t i = 0; i < next->n_members; i++)
        if (!towards(c, mgc__config_member(now, next->members[i].id), &next->members[i])) return false;
    for (uint32_t i = 0; i < now->n_members; i++)
        if (mgc__config_member(next, now->members[i].id) == NULL && !towards(c, &now->members[i], NULL)) return false;
    return true;
}

/* The first configuration in an append that is no step towards the roster; 0: none. */
static uint64_t first_astray(const mgc__cluster *c, const mgc_raft_msg *msg, uint64_t commit)
{
    const mgc_raft_config *before = mgc__config_at(c->raft, msg->index);
    mgc_raft_config now, next;

    if (before == NULL) return 0; /* compacted, hence decided */
    now = *before;
    for (uint32_t i = 0; i < msg->n_entries; i++) {
        const mgc_raft_entry *e = &msg->entries[i];
        uint64_t index = msg->index + 1 + i;

        if (e->type != MGC_RAFT_CONFIG || !mgc__config_decode(e->bytes, e->len, &next)) continue;
        if (index > commit && !follows_roster(c, &now, &next)) return index;
        now = next;
    }
    return 0;
}

mgc_status mgc__config_vouch(mgc__cluster *c, const mgc_raft_msg *msg, uint64_t *refuse_from)
{
    mgc_raft_policy policy = policy_of_nodes();
    mgc_raft_table table = view_of(&c->roster.table);
    mgc_raft_info info = {.struct_size = sizeof info};
    uint64_t astray;
    mgc_status st;

    *refuse_from = 0;
    if (msg->kind != MGC_RAFT_APPEND_REQ || mgc__joining(c)) return MGC_OK;
    st = mgc_raft_get_info(c->raft, &info);
    if (st == MGC_OK)
        st = mgc_raft_policy_vouch(c->node->ctx, c->raft, &policy, msg, &table, table.epoch != 0 ? 1 : 0, refuse_from);
    if (st != MGC_OK) return st;
    astray = first_astray(c, msg, info.commit);
    if (astray != 0 && (*refuse_from == 0 || astray < *refuse_from)) *refuse_from = astray;
    c->refused_configs += *refuse_from != 0;
    return MGC_OK;
}

/* --- the time ----------------------------------------------------------------------------------- */

static bool comes_too_early(const mgc__cluster *c, const mgc_raft_entry *e)
{
    cluster_reader r = {.at = e->bytes, .end = e->bytes + e->len};
    uint32_t version;
    uint64_t time_ms;

    if (e->type != MGC_RAFT_DATA || e->bytes == NULL) return false;
    version = (uint32_t)cluster_uint(&r, 4);
    time_ms = cluster_uint(&r, 8);
    return !r.bad && version != CHANGE_VERSION && time_ms > c->now_ms && time_ms - c->now_ms > CLUSTER_AHEAD_MS;
}

/* What is committed is taken, whatever its time; that what it orders itself is committed a leader must not be believed. */
bool mgc__time_astray(mgc__cluster *c, const mgc_raft_msg *msg)
{
    bool leads = msg->kind == MGC_RAFT_APPEND_REQ || msg->kind == MGC_RAFT_HEARTBEAT_REQ || msg->kind == MGC_RAFT_SNAPSHOT_REQ;
    mgc_raft_info info = {.struct_size = sizeof info};

    if (!leads || (c->now_ms < c->last_time && c->last_time - c->now_ms > CLUSTER_AHEAD_MS)) return false;
    if (c->astray_term != 0 && msg->term == c->astray_term) return true;
    if (msg->kind != MGC_RAFT_APPEND_REQ || !c->ticking || mgc_raft_get_info(c->raft, &info) != MGC_OK || msg->term < info.term) return false;
    for (uint32_t i = 0; i < msg->n_entries; i++) {
        uint64_t index = msg->index + 1 + i;

        if (index <= info.commit || (index <= msg->commit && msg->entries[i].term < msg->term) || !comes_too_early(c, &msg->entries[i])) continue;
        c->astray_term = msg->term;
        return true;
    }
    return false;
}
