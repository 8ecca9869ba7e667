/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes part, and how that changes.
 *
 *   1. Operators of more than half of the voters approve of a change at their own members, each with its signature.
 *   2. The leader puts the change with the approvals into the order; every member that executes it checks them and writes into
 *      its roster what that member is to be.
 *   3. The leader compares the roster with the configuration in force and takes one step towards it at a time, each a joint
 *      change of consensus: a newcomer becomes a learner; a learner that has everything a voter; who is to go is removed.
 *   4. A member whose store is not the one that the others know (it was lost) is taken as a learner with its new store, and
 *      step 3 makes it a voter again.
 *
 * Nobody has to ask for what follows from credit (U7, U8; policy.c): each voter approves of it by itself, and the table that it
 * follows from goes into the order with the change.
 *
 * What can go wrong
 *   approvals are lost            each is told again until the change was decided
 *   an approval is used twice     it names how many changes were decided before it
 *   the leader dies in between    the next one finds the same roster and goes on
 *   the leader is to go itself    it hands over first, and is removed by the next one
 *   a newcomer is told lies       the roster is what follows from the genesis and the approvals of each change, the deeds, which
 *                                 are in every snapshot */
#include "node/cluster.h"

static const char approval_tag[] = "mgchain/member/1";

enum {
    NEAR_ENTRIES = 16,  /* a learner that lags no further becomes a voter: less than a batch */
    APPROVAL_BODY = 4 + 4 + 8 + 32 + 8 + 32
};

/* --- looking ------------------------------------------------------------------------------------ */

bool mgc__signs_blocks(const mgc_node *node, uint32_t id)
{
    uint32_t n;
    const mgc_member *list = mgc__chain_members(node->chains[mgc__node_home(node, MGC_CONTRACT_CREDIT)], &n);

    for (uint32_t i = 0; i < n; i++)
        if (list[i].id == id) return true;
    return false;
}

static known_member *find(roster *r, uint32_t id)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (r->list[i].id == id) return &r->list[i];
    return NULL;
}

const known_member *mgc__known(const mgc__cluster *c, uint32_t id)
{
    for (uint32_t i = 0; i < c->roster.n; i++)
        if (c->roster.list[i].id == id) return &c->roster.list[i];
    return NULL;
}

bool mgc__joining(const mgc__cluster *c)
{
    return c->node->opts.join != 0 && mgc__known(c, c->node->opts.id) == NULL;
}

/* Strangers count for nothing, but a newcomer does not know yet who joined before it. */
heard *mgc__heard(mgc__cluster *c, uint32_t id)
{
    for (uint32_t i = 0; i < c->n_heard; i++)
        if (c->heard[i].id == id) return &c->heard[i];
    if (c->n_heard == CLUSTER_KNOWN_MAX || (mgc__known(c, id) == NULL && !mgc__joining(c))) return NULL;
    c->heard[c->n_heard] = (heard){.id = id};
    return &c->heard[c->n_heard++];
}

uint32_t mgc__standing_of(const mgc__cluster *c, uint32_t id)
{
    const mgc_raft_config *config = mgc_raft_config_now(c->raft);
    const known_member *known = mgc__known(c, id);

    for (uint32_t i = 0; i < config->n_members; i++)
        if (config->members[i].id == id)
            return (config->members[i].roles & (MGC_RAFT_VOTER | MGC_RAFT_VOTER_OLD)) != 0 ? MGC_STANDING_VOTER : MGC_STANDING_LEARNER;
    if (id == c->node->opts.id && c->removed) return MGC_STANDING_REMOVED;
    return known != NULL && known->aim == MGC_STANDING_REMOVED ? MGC_STANDING_REMOVED : MGC_STANDING_STRANGER;
}

static known_member *insert(roster *r, uint32_t id, const uint8_t public_key[32])
{
    uint32_t at = r->n;

    if (r->n == CLUSTER_KNOWN_MAX) return NULL;
    for (; at > 0 && r->list[at - 1].id > id; at--) r->list[at] = r->list[at - 1];
    r->n++;
    r->list[at] = (known_member){.id = id};
    memcpy(r->list[at].public_key, public_key, 32);
    return &r->list[at];
}

void mgc__roster_begin(const mgc__cluster *c, roster *r)
{
    const mgc_node *node = c->node;

    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < node->n_members; i++)
        insert(r, node->members[i].id, node->members[i].public_key)->aim = MGC_STANDING_VOTER;
    for (size_t i = 0; i < node->n_learners; i++)
        insert(r, node->learners[i].id, node->learners[i].public_key)->aim = MGC_STANDING_LEARNER;
}

static uint32_t count_aim(const roster *r, uint32_t aim)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->n; i++) n += r->list[i].aim == aim;
    return n;
}

static mgc_status clustered(const mgc_node *node, bool writing)
{
    mgc_status st = mgc__node_started(node, writing);

    if (st == MGC_OK && node->cluster == NULL)
        return mgc__fail(node->ctx, MGC_E_UNSUPPORTED, "node: one member orders alone; there is nobody to add or remove");
    return st;
}

static void fill_credit(const mgc__cluster *c, mgc_node_member_info *m)
{
    m->rank = UINT32_MAX;
    m->early = 1;
    for (uint32_t i = 0; i < c->n_credit; i++) {
        if (c->credit[i].id != m->id) continue;
        m->rank = c->credit[i].rank;
        m->early = c->credit[i].may_campaign_early;
        m->convicted = c->convicted >> i & 1;
        m->node_credit = c->node_credit[i];
        m->trade_credit = c->trade_credit[i];
        return;
    }
    mgc__credit_past(c, m);
}

mgc_status mgc_node_get_member(const mgc_node *node, uint32_t index, mgc_node_member_info *info)
{
    mgc_node_member_info filled = {.struct_size = sizeof filled};
    const mgc_raft_config *config;
    const known_member *m;
    mgc_status st = mgc__node_started(node, false);

    if (st != MGC_OK) return st;
    if (info == NULL) return mgc__fail(node->ctx, MGC_E_INVALID_ARG, "node: info is NULL");
    if (node->cluster == NULL || index >= node->cluster->roster.n)
        return mgc__fail(node->ctx, MGC_E_NOT_FOUND, "node: there is no member %" PRIu32, index);
    m = &node->cluster->roster.list[index];
    filled.id = m->id;
    filled.aim = m->aim;
    memcpy(filled.public_key, m->public_key, 32);
    filled.standing = mgc__standing_of(node->cluster, m->id);
    config = mgc_raft_config_now(node->cluster->raft);
    for (uint32_t i = 0; i < config->n_members; i++)
        if (config->members[i].id == m->id) filled.incarnation = config->members[i].incarnation;
    for (uint32_t i = 0; i < node->cluster->n_heard && node->cluster->role == MGC_RAFT_LEADER; i++)
        if (node->cluster->heard[i].id == m->id) filled.acknowledged = node->cluster->heard[i].acknowledged;
    fill_credit(node->cluster, &filled);
    return mgc__info_write(info, &filled, sizeof filled, MGC__FIRST_SIZE(mgc_node_member_info, public_key));
}

/* --- approving ---------------------------------------------------------------------------------- */

static void approval_body(const approval *a, uint8_t body[APPROVAL_BODY])
{
    for (uint32_t i = 0; i < 4; i++) {
        body[i] = (uint8_t)(a->change >> 8 * i);
        body[4 + i] = (uint8_t)(a->member >> 8 * i);
    }
    for (uint32_t i = 0; i < 8; i++) body[8 + i] = (uint8_t)(a->serial >> 8 * i);
    memcpy(body + 16, a->public_key, 32);
    for (uint32_t i = 0; i < 8; i++) body[48 + i] = (uint8_t)(a->epoch >> 8 * i);
    memcpy(body + 56, a->table, 32);
}

static uint32_t aim_of(uint32_t change)
{
    return change == MGC_CHANGE_LEARNER ? MGC_STANDING_LEARNER : change == MGC_CHANGE_VOTER ? MGC_STANDING_VOTER : MGC_STANDING_REMOVED;
}

/* Could it be carried out?  NULL, or why not; *st with it. */
static const char *possible(roster *r, const approval *a, mgc_status *st)
{
    const known_member *m = find(r, a->member);
    uint32_t voters = count_aim(r, MGC_STANDING_VOTER);
    bool votes = m != NULL && m->aim == MGC_STANDING_VOTER;

    *st = MGC_E_INVALID_ARG;
    if (a->member == 0 || a->change < MGC_CHANGE_LEARNER || a->change > MGC_CHANGE_REMOVE) return "there is no such change";
    *st = MGC_E_NOT_FOUND;
    if (m == NULL && a->change == MGC_CHANGE_REMOVE) return "who is to be removed is unknown";
    *st = MGC_E_EXISTS_DIFFERENT;
    if (m != NULL && memcmp(m->public_key, a->public_key, 32) != 0) return "that member has another key";
    *st = MGC_E_LIMIT;
    if (m == NULL && r->n == CLUSTER_KNOWN_MAX) return "32 members are known already";
    if (a->change == MGC_CHANGE_VOTER && !votes && voters == CLUSTER_MEMBERS_MAX) return "16 members vote already";
    *st = MGC_E_INVALID_ARG;
    if (a->change != MGC_CHANGE_VOTER && votes && voters == 1) return "nobody would be left to vote";
    *st = MGC_OK;
    return NULL;
}

static mgc_status tell_own(mgc__cluster *c)
{
    uint8_t body[APPROVAL_BODY], kind = ENVELOPE_CHANGE;
    approval *a = &c->own;
    mgc_status st;

    if (a->serial != c->roster.changes || a->voter == 0) {
        a->serial = c->roster.changes;
        a->voter = c->node->opts.id;
        approval_body(a, body);
        st = mgc__sign_bytes(c, approval_tag, body, sizeof body, a->signature);
        if (st != MGC_OK) return st;
    }
    approval_body(a, body);
    c->wire.len = 0;
    mgc__buf_put(&c->wire, &kind, 1);
    mgc__buf_put(&c->wire, body, sizeof body);
    mgc__buf_put(&c->wire, a->signature, 64);
    mgc__cluster_send(c, 0, &c->wire);
    return MGC_OK;
}

/* One approval a voter: its last one. */
static void keep(mgc__cluster *c, const approval *a)
{
    uint32_t at = 0;

    while (at < CLUSTER_MEMBERS_MAX && c->approvals[at].change != 0 && c->approvals[at].voter != a->voter) at++;
    if (at < CLUSTER_MEMBERS_MAX) c->approvals[at] = *a;
}

mgc_status mgc_node_change_member(mgc_node *node, uint32_t change, const mgc_member *member)
{
    approval a = {.change = change};
    mgc_status st = clustered(node, true), why;
    const char *text;

    if (st != MGC_OK) return st;
    if (member == NULL) return mgc__fail(node->ctx, MGC_E_INVALID_ARG, "node: member is NULL");
    if (mgc__standing_of(node->cluster, node->opts.id) != MGC_STANDING_VOTER)
        return mgc__fail(node->ctx, MGC_E_STATE, "node: member %" PRIu32 " is no voter; only voters approve", node->opts.id);
    a.member = member->id;
    memcpy(a.public_key, member->public_key, 32);
    text = possible(&node->cluster->roster, &a, &why);
    if (text != NULL)
        return mgc__fail(node->ctx, why, "node: change %" PRIu32 " of member %" PRIu32 ": %s", change, member->id, text);
    st = mgc_public_key_check(a.public_key, 32);
    if (st != MGC_OK) return mgc__fail(node->ctx, st, "node: the public key of member %" PRIu32 " may not be enrolled", member->id);
    node->cluster->own = a;
    st = tell_own(node->cluster);
    if (st == MGC_OK) keep(node->cluster, &node->cluster->own);
    return st;
}

static bool same_change(const approval *a, const approval *b)
{
    return a->change == b->change && a->member == b->member && a->serial == b->serial && a->epoch == b->epoch &&
           memcmp(a->public_key, b->public_key, 32) == 0 && memcmp(a->table, b->table, 32) == 0;
}

/* What follows from credit this member approves by itself, as long as it approves of nothing else. */
static mgc_status approve_by_credit(mgc__cluster *c)
{
    static const uint32_t change_of[] = {[MGC_RAFT_ADD_VOTER] = MGC_CHANGE_VOTER, [MGC_RAFT_ADD_LEARNER] = MGC_CHANGE_LEARNER,
                                         [MGC_RAFT_REMOVE] = MGC_CHANGE_REMOVE};
    const known_member *m;
    mgc_raft_change change;
    credit_table t;
    approval a = {0};
    mgc_status st;

    if ((c->own.change != 0 && c->own.epoch == 0) || c->node->opts.credit == 0 || mgc__standing_of(c, c->node->opts.id) != MGC_STANDING_VOTER) return MGC_OK;
    st = mgc__table_now(c, &t);
    if (st == MGC_OK) st = mgc__table_decide(c, &t, &change);
    if (st != MGC_OK) return st;
    m = change.op == 0 ? NULL : mgc__known(c, change.id);
    if (m == NULL || t.epoch <= c->roster.table.epoch || m->aim == aim_of(change_of[change.op]) || m->id == c->node->opts.id) {
        c->own = (approval){0}; /* decided, or not so any more */
        return MGC_OK;
    }
    a = (approval){.change = change_of[change.op], .member = m->id, .epoch = t.epoch};
    memcpy(a.public_key, m->public_key, 32);
    memcpy(a.table, t.hash, 32);
    a.serial = c->own.serial;
    if (c->own.change != 0 && same_change(&a, &c->own)) return MGC_OK;
    c->own = a;
    c->own_table = t;
    st = tell_own(c);
    if (st == MGC_OK) keep(c, &c->own);
    return st;
}

static mgc_status check_approval(mgc__cluster *c, const known_member *voter, const approval *a)
{
    uint8_t body[APPROVAL_BODY];

    approval_body(a, body);
    return mgc__verify_by_key(c, approval_tag, voter->public_key, body, sizeof body, a->signature);
}

static void read_approval(cluster_reader *r, approval *a)
{
    const uint8_t *key;

    a->change = (uint32_t)cluster_uint(r, 4);
    a->member = (uint32_t)cluster_uint(r, 4);
    a->serial = cluster_uint(r, 8);
    key = cluster_get(r, 32);
    if (key != NULL) memcpy(a->public_key, key, 32);
    a->epoch = cluster_uint(r, 8);
    key = cluster_get(r, 32);
    if (key != NULL) memcpy(a->table, key, 32);
}

mgc_status mgc__change_receive(mgc__cluster *c, uint32_t from, const uint8_t *bytes, size_t len)
{
    cluster_reader r = {.at = bytes, .end = bytes + len};
    approval a = {.voter = from};
    const known_member *voter = mgc__known(c, from);
    const uint8_t *signature;
    mgc_status st, why;

    read_approval(&r, &a);
    signature = cluster_get(&r, 64);
    if (r.bad || r.at != r.end || voter == NULL || voter->aim != MGC_STANDING_VOTER) {
        c->dropped++;
        return MGC_OK;
    }
    if (a.serial != c->roster.changes || possible(&c->roster, &a, &why) != NULL) return MGC_OK; /* late, or not yet */
    memcpy(a.signature, signature, 64);
    st = check_approval(c, voter, &a);
    if (st == MGC_OK) keep(c, &a);
    else if (mgc__is_fatal(st)) return st;
    else c->forged++;
    return MGC_OK;
}

/* --- deciding ----------------------------------------------------------------------------------- */

static void put_table(mgc__buf *b, const credit_table *t)
{
    cluster_put32(b, t->n);
    for (uint32_t i = 0; i < t->n; i++) {
        cluster_put32(b, t->list[i].id);
        cluster_put32(b, t->list[i].node_credit);
        cluster_put32(b, t->list[i].trade_credit);
        cluster_put32(b, t->list[i].flags);
    }
}

/* The table behind a change by credit; false: it is not the one that was approved. */
static bool read_table(cluster_reader *r, const approval *a, credit_table *t)
{
    uint8_t hash[32];

    *t = (credit_table){.epoch = a->epoch, .n = (uint32_t)cluster_uint(r, 4)};
    if (r->bad || t->n > CLUSTER_KNOWN_MAX) return false;
    for (uint32_t i = 0; i < t->n; i++) {
        t->list[i].id = (uint32_t)cluster_uint(r, 4);
        t->list[i].node_credit = (uint32_t)cluster_uint(r, 4);
        t->list[i].trade_credit = (uint32_t)cluster_uint(r, 4);
        t->list[i].flags = (uint32_t)cluster_uint(r, 4);
        if (t->list[i].node_credit > 10000 || t->list[i].trade_credit > 10000) return false;
    }
    memcpy(t->hash, a->table, 32);
    return !r->bad && mgc__table_hash(t, hash) == MGC_OK && memcmp(hash, a->table, 32) == 0;
}

/* As leader: the change that more than half of the voters approve of; all approvals of it into the order. */
static mgc_status propose_change(mgc__cluster *c)
{
    const approval *chosen = NULL;
    uint8_t body[APPROVAL_BODY];
    uint64_t index;
    uint32_t n = 0;

    for (uint32_t i = 0; i < CLUSTER_MEMBERS_MAX && chosen == NULL; i++) {
        const approval *a = &c->approvals[i];

        n = 0;
        if (a->change == 0 || a->serial != c->roster.changes) continue;
        for (uint32_t k = 0; k < CLUSTER_MEMBERS_MAX; k++) n += same_change(a, &c->approvals[k]);
        if (2 * n > count_aim(&c->roster, MGC_STANDING_VOTER)) chosen = a;
    }
    if (chosen == NULL || (chosen->epoch != 0 && memcmp(chosen->table, c->own_table.hash, 32) != 0)) return MGC_OK;
    c->round.len = 0;
    cluster_put32(&c->round, CHANGE_VERSION);
    approval_body(chosen, body);
    mgc__buf_put(&c->round, body, sizeof body);
    if (chosen->epoch != 0) put_table(&c->round, &c->own_table);
    cluster_put32(&c->round, n);
    for (uint32_t k = 0; k < CLUSTER_MEMBERS_MAX; k++) {
        if (!same_change(chosen, &c->approvals[k])) continue;
        cluster_put32(&c->round, c->approvals[k].voter);
        mgc__buf_put(&c->round, c->approvals[k].signature, 64);
    }
    if (c->round.status != MGC_OK) return mgc__no_memory(c->node->ctx, "node: a change of members");
    return mgc__cluster_propose(c, c->round.bytes, c->round.len, &index);
}

/* Bits of voters by their place in the roster, so that each counts once. */
static mgc_status count_approvals(mgc__cluster *c, roster *on, cluster_reader *r, approval *a, uint32_t *n)
{
    uint32_t listed = (uint32_t)cluster_uint(r, 4), seen = 0;
    mgc_status st = MGC_OK;

    *n = 0;
    for (uint32_t i = 0; i < listed && !r->bad && !mgc__is_fatal(st); i++) {
        const known_member *voter;
        const uint8_t *signature;
        uint32_t bit;

        a->voter = (uint32_t)cluster_uint(r, 4);
        signature = cluster_get(r, 64);
        voter = find(on, a->voter);
        if (r->bad || voter == NULL || voter->aim != MGC_STANDING_VOTER) continue;
        bit = UINT32_C(1) << (voter - on->list);
        memcpy(a->signature, signature, 64);
        if ((seen & bit) != 0) continue;
        st = check_approval(c, voter, a);
        if (st != MGC_OK) continue;
        seen |= bit;
        ++*n;
    }
    return mgc__is_fatal(st) ? st : MGC_OK;
}

/* What is not approved by a majority, or comes twice, changes nothing: at every member alike.  A change by credit brings the table
 * that it follows from, of a later epoch than the one before. */
static mgc_status carry_out(mgc__cluster *c, roster *on, const uint8_t *bytes, size_t len, approval *a)
{
    cluster_reader r = {.at = bytes, .end = bytes + len};
    credit_table table;
    known_member *m;
    uint32_t n = 0;
    mgc_status st, why;

    if (cluster_uint(&r, 4) != CHANGE_VERSION) return MGC_OK;
    read_approval(&r, a);
    if (r.bad || a->serial != on->changes || possible(on, a, &why) != NULL || on->deeds + 4 + len > CLUSTER_DEEDS_MAX) return MGC_OK;
    if (a->epoch != 0 && (a->epoch <= on->table.epoch || !read_table(&r, a, &table))) return MGC_OK;
    st = count_approvals(c, on, &r, a, &n);
    if (st != MGC_OK || r.bad || r.at != r.end || 2 * n <= count_aim(on, MGC_STANDING_VOTER)) return st;
    m = find(on, a->member);
    if (m == NULL) m = insert(on, a->member, a->public_key);
    if (m == NULL) return MGC_OK;
    m->aim = aim_of(a->change);
    m->by_credit = a->epoch != 0;
    if (a->epoch != 0) on->table = table;
    on->changes++;
    on->deeds += 4 + len;
    return MGC_OK;
}

mgc_status mgc__change_execute(mgc__cluster *c, const uint8_t *bytes, size_t len)
{
    uint64_t before = c->roster.changes;
    approval a = {0};
    mgc_status st = carry_out(c, &c->roster, bytes, len, &a);

    if (st != MGC_OK || c->roster.changes == before) return st;
    cluster_put32(&c->deeds, (uint32_t)len);
    mgc__buf_put(&c->deeds, bytes, len);
    if (c->deeds.status != MGC_OK) return mgc__no_memory(c->node->ctx, "node: changes of members");
    memset(c->approvals, 0, sizeof c->approvals);
    if (c->own.change == a.change && c->own.member == a.member) c->own = (approval){0};
    return MGC_OK;
}

mgc_status mgc__roster_replay(mgc__cluster *c, const uint8_t *deeds, size_t len, roster *on, bool *good)
{
    cluster_reader r = {.at = deeds, .end = deeds + len};
    mgc_status st = MGC_OK;

    mgc__roster_begin(c, on);
    *good = true;
    while (st == MGC_OK && *good && r.at != r.end) {
        size_t n = (size_t)cluster_uint(&r, 4);
        const uint8_t *entry = cluster_get(&r, n);
        uint64_t before = on->changes;
        approval a = {0};

        if (!r.bad) st = carry_out(c, on, entry, n, &a);
        *good = !r.bad && on->changes == before + 1;
    }
    return st;
}

/* --- carrying out ------------------------------------------------------------------------------- */

/* Where it is credit that wants it, with its reason: others find it following from the same table. */
static mgc_status change_config(mgc__cluster *c, uint32_t op, uint32_t id, uint32_t incarnation)
{
    mgc_raft_change change = {.op = op, .id = id, .incarnation = incarnation}, by_credit = {0};
    mgc_raft_event event = {.kind = MGC_RAFT_CONF, .changes = &change, .n_changes = 1};
    const known_member *m = mgc__known(c, id);
    mgc_status st = m != NULL && m->by_credit != 0 && incarnation == 0 ? mgc__table_decide(c, &c->roster.table, &by_credit) : MGC_OK;

    if (st == MGC_OK && by_credit.op == op && by_credit.id == id) {
        event.changes = &by_credit;
        event.epoch = c->roster.table.epoch;
        event.justification = c->roster.table.hash;
    }
    return st == MGC_OK ? mgc__cluster_event(c, &event) : st;
}

/* The voter that has most of the log, other than this one; 0: none. */
static uint32_t best_successor(const mgc__cluster *c)
{
    const heard *best = NULL;

    for (uint32_t i = 0; i < c->n_heard; i++) {
        const heard *h = &c->heard[i];

        if (h->id == c->node->opts.id || mgc__standing_of(c, h->id) != MGC_STANDING_VOTER ||
            mgc__known(c, h->id)->aim != MGC_STANDING_VOTER)
            continue;
        if (best == NULL || h->acknowledged > best->acknowledged) best = h;
    }
    return best == NULL ? 0 : best->id;
}

static mgc_status leave_first(mgc__cluster *c)
{
    mgc_raft_event event = {.kind = MGC_RAFT_TRANSFER, .member = best_successor(c)};

    if (event.member == 0 || c->ticks_since_hand_over < c->node->opts.election_ticks) return MGC_OK;
    c->ticks_since_hand_over = 0;
    return mgc__cluster_event(c, &event);
}

/* The next step of one member; *done: one was begun. */
static mgc_status step_towards(mgc__cluster *c, const known_member *m, uint64_t last, bool *done)
{
    const mgc_raft_config *config = mgc_raft_config_now(c->raft);
    uint32_t now = mgc__standing_of(c, m->id), enrolled = 0;
    const heard *h = mgc__heard(c, m->id);

    for (uint32_t i = 0; i < config->n_members; i++)
        if (config->members[i].id == m->id) enrolled = config->members[i].incarnation;
    *done = m->aim != MGC_STANDING_REMOVED || now == MGC_STANDING_LEARNER || now == MGC_STANDING_VOTER;
    if (!*done) return MGC_OK;
    if (m->aim == MGC_STANDING_REMOVED)
        return m->id == c->node->opts.id && best_successor(c) != 0 ? leave_first(c) : change_config(c, MGC_RAFT_REMOVE, m->id, 0);
    if (now != MGC_STANDING_VOTER && now != MGC_STANDING_LEARNER)
        return change_config(c, MGC_RAFT_ADD_LEARNER, m->id, h != NULL && h->incarnation > 1 ? h->incarnation : 1);
    if (h != NULL && h->incarnation > enrolled) return change_config(c, MGC_RAFT_ADD_LEARNER, m->id, h->incarnation);
    if (m->aim == MGC_STANDING_LEARNER && now == MGC_STANDING_VOTER) {
        if (m->id == c->node->opts.id) return leave_first(c);
        return change_config(c, MGC_RAFT_ADD_LEARNER, m->id, 0);
    }
    if (m->aim == MGC_STANDING_VOTER && now == MGC_STANDING_LEARNER && h != NULL && h->incarnation == enrolled &&
        h->acknowledged + NEAR_ENTRIES >= last)
        return change_config(c, MGC_RAFT_ADD_VOTER, m->id, 0);
    *done = false;
    return MGC_OK;
}

mgc_status mgc__members_tick(mgc__cluster *c)
{
    mgc_raft_info info = {.struct_size = sizeof info};
    bool done = false;
    mgc_status st = mgc_raft_get_info(c->raft, &info);

    if (c->ticks_since_hand_over < UINT32_MAX) c->ticks_since_hand_over++;
    if (st == MGC_OK && c->own.change != 0 && c->ticks_since_ask == 0) {
        st = tell_own(c);
        if (st == MGC_OK) keep(c, &c->own);
    }
    if (st == MGC_OK && c->ticks_since_ask == 0) st = approve_by_credit(c);
    if (st != MGC_OK || c->role != MGC_RAFT_LEADER || c->proposed != 0) return st;
    if (info.joint != 0 || info.config_index > info.commit) return MGC_OK;
    st = propose_change(c);
    for (uint32_t i = 0; i < c->roster.n && st == MGC_OK && !done && c->role == MGC_RAFT_LEADER; i++)
        st = step_towards(c, &c->roster.list[i], info.last, &done);
    return st;
}

mgc_status mgc_node_hand_over(mgc_node *node, uint32_t to)
{
    mgc_raft_event event = {.kind = MGC_RAFT_TRANSFER, .member = to};
    mgc_status st = clustered(node, true);

    if (st != MGC_OK) return st;
    if (node->cluster->role != MGC_RAFT_LEADER)
        return mgc__fail(node->ctx, MGC_E_STATE, "node: member %" PRIu32 " does not lead", node->opts.id);
    if (to == node->opts.id || mgc__standing_of(node->cluster, to) != MGC_STANDING_VOTER)
        return mgc__fail(node->ctx, MGC_E_NOT_FOUND, "node: member %" PRIu32 " is no other voter", to);
    node->cluster->ticks_since_hand_over = 0;
    return mgc__cluster_event(node->cluster, &event);
}
