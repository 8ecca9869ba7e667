/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations as values: how changes make a new one (thesis chapter 4), and their bytes.
 *
 * Joint: places with VOTER are the new half, with VOTER_OLD the old one; a decision needs a majority of each.  A voter
 * that is to be a learner stays in the old half as LEARNER_NEXT until the joint configuration is left, so that no one
 * is voter and learner at once. */
#include "consensus/raft.h"

enum { COUNTED = MGC_RAFT_VOTER | MGC_RAFT_VOTER_OLD };
enum { CONFIG_VERSION = 1, HEAD_BYTES = 1 + 1 + 2 + 8 + 32, MEMBER_BYTES = 4 + 4 + 4 };
_Static_assert(HEAD_BYTES + MGC_RAFT_MEMBERS_MAX * MEMBER_BYTES <= MGC_RAFT_CONFIG_BYTES_MAX, "a configuration fits");

mgc_raft_member *mgc__config_find(mgc_raft_config *c, uint32_t id)
{
    for (uint32_t i = 0; i < c->n_members; i++)
        if (c->members[i].id == id) return &c->members[i];
    return NULL;
}

const mgc_raft_member *mgc__config_member(const mgc_raft_config *c, uint32_t id)
{
    for (uint32_t i = 0; i < c->n_members; i++)
        if (c->members[i].id == id) return &c->members[i];
    return NULL;
}

bool mgc__config_joint(const mgc_raft_config *c)
{
    for (uint32_t i = 0; i < c->n_members; i++)
        if (c->members[i].roles & MGC_RAFT_VOTER_OLD) return true;
    return false;
}

bool mgc__config_voter(const mgc_raft_config *c, uint32_t id)
{
    const mgc_raft_member *m = mgc__config_member(c, id);

    return m != NULL && (m->roles & COUNTED) != 0;
}

uint32_t mgc__config_count(const mgc_raft_config *c, uint32_t half)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->n_members; i++) n += (c->members[i].roles & half) != 0;
    return n;
}

mgc__electorate mgc__config_electorate(const mgc_raft_config *c)
{
    mgc__electorate who = {0, 0};

    for (uint32_t i = 0; i < c->n_members; i++) {
        if (c->members[i].roles & MGC_RAFT_VOTER) who.now |= 1u << i;
        if (c->members[i].roles & MGC_RAFT_VOTER_OLD) who.old |= 1u << i;
    }
    return who;
}

bool mgc__config_same_members(const mgc_raft_config *a, const mgc_raft_config *b)
{
    if (a->n_members != b->n_members) return false;
    for (uint32_t i = 0; i < a->n_members; i++)
        if (a->members[i].id != b->members[i].id || a->members[i].roles != b->members[i].roles ||
            a->members[i].incarnation != b->members[i].incarnation)
            return false;
    return true;
}

/* The member of that id, made in its place by order where it is new; NULL where there is no room. */
static mgc_raft_member *member_at(mgc_raft_config *c, uint32_t id)
{
    mgc_raft_member *m = mgc__config_find(c, id);
    uint32_t at = c->n_members;

    if (m != NULL) return m;
    if (c->n_members == MGC_RAFT_MEMBERS_MAX) return NULL;
    for (; at > 0 && c->members[at - 1].id > id; at--) c->members[at] = c->members[at - 1];
    c->n_members++;
    c->members[at] = (mgc_raft_member){.id = id, .incarnation = 1};
    return &c->members[at];
}

static void remove_unused(mgc_raft_config *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->n_members; i++)
        if (c->members[i].roles != 0) c->members[n++] = c->members[i];
    memset(c->members + n, 0, (c->n_members - n) * sizeof c->members[0]);
    c->n_members = n;
}

static void change_roles(mgc_raft_member *m, uint32_t op)
{
    uint32_t old = m->roles & MGC_RAFT_VOTER_OLD;

    if (op == MGC_RAFT_ADD_VOTER) m->roles = old | MGC_RAFT_VOTER;
    if (op == MGC_RAFT_ADD_LEARNER) m->roles = old != 0 ? old | MGC_RAFT_LEARNER_NEXT : MGC_RAFT_LEARNER;
    if (op == MGC_RAFT_REMOVE) m->roles = old;
}

static const char *apply_changes(mgc_raft_config *c, const mgc_raft_change *changes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const mgc_raft_change *change = &changes[i];
        bool adds = change->op == MGC_RAFT_ADD_VOTER || change->op == MGC_RAFT_ADD_LEARNER;
        mgc_raft_member *m;

        if (change->op < MGC_RAFT_ADD_VOTER || change->op > MGC_RAFT_UPDATE) return "unknown kind of change";
        if (change->id == 0) continue;
        m = adds ? member_at(c, change->id) : mgc__config_find(c, change->id);
        if (adds && m == NULL) return "too many members";
        if (m == NULL) continue;
        if (change->op != MGC_RAFT_UPDATE) change_roles(m, change->op);
        if (change->op != MGC_RAFT_REMOVE && change->incarnation != 0) m->incarnation = change->incarnation;
    }
    remove_unused(c);
    return mgc__config_count(c, MGC_RAFT_VOTER) == 0 ? "removed all voters" : NULL;
}

/* Members that count in one of the two and not in the other. */
static uint32_t voters_changed(const mgc_raft_config *a, const mgc_raft_config *b)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < a->n_members; i++)
        n += (a->members[i].roles & MGC_RAFT_VOTER) != 0 && !mgc__config_voter(b, a->members[i].id);
    for (uint32_t i = 0; i < b->n_members; i++)
        n += (b->members[i].roles & MGC_RAFT_VOTER) != 0 && !mgc__config_voter(a, b->members[i].id);
    return n;
}

/* Without a joint step: at most one voter may change, since then any two majorities still meet.  The product always
 * goes through a joint configuration; this is here to agree with published vectors, and for learners. */
const char *mgc__config_simple(const mgc_raft_config *from, const mgc_raft_change *changes, size_t n, mgc_raft_config *to)
{
    const char *why;

    if (mgc__config_joint(from)) return "can't apply simple config change in joint config";
    *to = *from;
    why = apply_changes(to, changes, n);
    if (why != NULL) return why;
    return voters_changed(from, to) > 1 ? "more than one voter changed without entering joint config" : NULL;
}

/* The first one, from nothing: no majority of before has to meet it. */
const char *mgc__config_first(const mgc_raft_config *empty, const mgc_raft_change *changes, size_t n, mgc_raft_config *to)
{
    *to = *empty;
    return apply_changes(to, changes, n);
}

const char *mgc__config_enter(const mgc_raft_config *from, const mgc_raft_change *changes, size_t n, bool auto_leave,
                              mgc_raft_config *to)
{
    if (mgc__config_joint(from)) return "config is already joint";
    if (mgc__config_count(from, MGC_RAFT_VOTER) == 0) return "can't make a zero-voter config joint";
    *to = *from;
    to->auto_leave = auto_leave;
    for (uint32_t i = 0; i < to->n_members; i++)
        if (to->members[i].roles & MGC_RAFT_VOTER) to->members[i].roles |= MGC_RAFT_VOTER_OLD;
    return apply_changes(to, changes, n);
}

const char *mgc__config_leave(const mgc_raft_config *from, mgc_raft_config *to)
{
    if (!mgc__config_joint(from)) return "can't leave a non-joint config";
    *to = *from;
    to->auto_leave = 0;
    for (uint32_t i = 0; i < to->n_members; i++) {
        uint32_t *roles = &to->members[i].roles;

        if (*roles & MGC_RAFT_LEARNER_NEXT) *roles = MGC_RAFT_LEARNER;
        *roles &= ~(uint32_t)MGC_RAFT_VOTER_OLD;
    }
    remove_unused(to);
    return NULL;
}

/* --- bytes: version, auto_leave, n (2), epoch (8), justification (32), then id, roles, incarnation (4 each) --- */

uint32_t mgc__config_encode(const mgc_raft_config *c, uint8_t *bytes)
{
    uint8_t *at = bytes;

    *at++ = CONFIG_VERSION;
    *at++ = (uint8_t)c->auto_leave;
    at = mgc__put_le(at, c->n_members, 2);
    at = mgc__put_le(at, c->epoch, 8);
    memcpy(at, c->justification, 32);
    at += 32;
    for (uint32_t i = 0; i < c->n_members; i++) {
        at = mgc__put_le(at, c->members[i].id, 4);
        at = mgc__put_le(at, c->members[i].roles, 4);
        at = mgc__put_le(at, c->members[i].incarnation, 4);
    }
    return (uint32_t)(at - bytes);
}

/* Which combinations of roles a configuration may hold. */
static bool roles_allowed(uint32_t roles)
{
    switch (roles) {
    case MGC_RAFT_VOTER:
    case MGC_RAFT_VOTER_OLD:
    case MGC_RAFT_VOTER | MGC_RAFT_VOTER_OLD:
    case MGC_RAFT_LEARNER:
    case MGC_RAFT_VOTER_OLD | MGC_RAFT_LEARNER_NEXT:
        return true;
    default:
        return false;
    }
}

bool mgc__config_decode(const uint8_t *bytes, size_t len, mgc_raft_config *c)
{
    memset(c, 0, sizeof *c);
    if (bytes == NULL || len < HEAD_BYTES || bytes[0] != CONFIG_VERSION || bytes[1] > 1) return false;
    c->auto_leave = bytes[1];
    c->n_members = (uint32_t)mgc__get_le(bytes + 2, 2);
    if (c->n_members == 0 || c->n_members > MGC_RAFT_MEMBERS_MAX) return false;
    if (len != HEAD_BYTES + (size_t)c->n_members * MEMBER_BYTES) return false;
    c->epoch = mgc__get_le(bytes + 4, 8);
    memcpy(c->justification, bytes + 12, 32);
    for (uint32_t i = 0; i < c->n_members; i++) {
        const uint8_t *at = bytes + HEAD_BYTES + (size_t)i * MEMBER_BYTES;
        mgc_raft_member *m = &c->members[i];

        m->id = (uint32_t)mgc__get_le(at, 4);
        m->roles = (uint32_t)mgc__get_le(at + 4, 4);
        m->incarnation = (uint32_t)mgc__get_le(at + 8, 4);
        if (m->id == 0 || (i > 0 && m->id <= c->members[i - 1].id) || !roles_allowed(m->roles)) return false;
    }
    return mgc__config_count(c, MGC_RAFT_VOTER) > 0;
}
