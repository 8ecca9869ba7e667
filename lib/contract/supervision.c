/* SPDX-License-Identifier: Apache-2.0 */
/* Contract 5, supervision: acts by quorum of regulators and managers, and the records of what they read.
 *
 * Records (doc/contracts.md):
 *   P parameter        its value, the act that set it
 *   F kind number      frozen: 1 a microgrid, 2 a member
 *   K public key       revoked by an act
 *   S slot microgrid   to be settled without its meters
 *   A act              what, by whom approved, when done
 *   U audit            a read under audit
 *   Q                  the next numbers of acts and audits
 *
 * An act:  1. propose: kind, subject, value, reason; every signer in a role that the act's mandate names approves it.
 *          2. approve, by others, until it is done or ACT_BLOCKS have passed.
 *          3. The approval that makes the quorum does it.
 *   or     act: all signatures at once, done or refused.
 *
 * Supervision changes its own records only; the other contracts look there. */
#include "contract/supervision.h"

enum {
    ACT_PARAMETER = 1,
    ACT_FREEZE_MICROGRID,
    ACT_UNFREEZE_MICROGRID,
    ACT_FREEZE_MEMBER,
    ACT_UNFREEZE_MEMBER,
    ACT_REVOKE,
    ACT_FORCE_SETTLE,
    ACTS
};
enum { ACT_KIND, ACT_SUBJECT, ACT_VALUE, ACT_APPROVALS, ACT_REGULATORS, ACT_PROPOSED, ACT_DONE, ACT_INTS };
enum { AUDIT_MEMBER, AUDIT_ROLE, AUDIT_HEIGHT, AUDIT_INTS };
enum { NEXT_ACT, NEXT_AUDIT, NEXT_INTS };
enum { FROZEN_MICROGRID = 1, FROZEN_MEMBER = 2 };
enum {
    ACT_BLOCKS = 10000, /* an act that nobody cares for in so long is forgotten: a week of a block a minute */
    QUORUM_MAX = 16,    /* signatures of a transaction; more members would not make it surer */
    APPROVAL_KEY = 8,   /* bytes of the key that signed: it stands as long as the member has that key */
    APPROVAL_BYTES = 4 + APPROVAL_KEY
};

/* --- mandates --------------------------------------------------------------------------------------- */

#define REGULATORS (1u << MGC_ROLE_REGULATOR)
#define MANAGERS (1u << MGC_ROLE_MANAGER)
#define OPERATORS (1u << MGC_ROLE_MARKET_OPERATOR)

/* Whose approvals count.  Whatever the quorum, one of them is a regulator's. */
static const struct {
    const char *name;
    uint32_t roles;
} mandates[ACTS] = {
    [ACT_PARAMETER] = {"parameter", REGULATORS | MANAGERS},
    [ACT_FREEZE_MICROGRID] = {"freeze-microgrid", REGULATORS},
    [ACT_UNFREEZE_MICROGRID] = {"unfreeze-microgrid", REGULATORS},
    [ACT_FREEZE_MEMBER] = {"freeze-member", REGULATORS},
    [ACT_UNFREEZE_MEMBER] = {"unfreeze-member", REGULATORS},
    [ACT_REVOKE] = {"revoke", REGULATORS},
    [ACT_FORCE_SETTLE] = {"force-settle", REGULATORS | OPERATORS},
};

static const struct {
    const char *name;
    int64_t value, lower, upper;
} parameters[PARAMETERS] = {
    [PARAMETER_QUORUM] = {"quorum", 2, 2, QUORUM_MAX},
    [PARAMETER_CREDIT_THRESHOLD] = {"credit_threshold", 3000, 0, 9500},
    [PARAMETER_CREDIT_BASE] = {"credit_base_micro", 0, 0, (int64_t)(MGC_AMOUNT_MAX / 4)}, /* times a tier of 4 */
    [PARAMETER_TOLERANCE] = {"delivery_tolerance_bp", 500, 0, 10000},
    [PARAMETER_VOLUME_CAP] = {"volume_cap_wh", 10000000, 1, INT64_C(1) << 32},
    [PARAMETER_GRACE] = {"payment_grace_ms", 86400000, 0, INT64_C(366) * 86400000},
    [PARAMETER_ORDERS] = {"orders_per_slot", 1000, 1, 100000},
    [PARAMETER_BIDS] = {"bids_per_slot", 16, 1, 256},
    [PARAMETER_DEPOSIT] = {"bid_deposit_micro", 100000, 0, (int64_t)MGC_AMOUNT_MAX},
    [PARAMETER_REVEAL] = {"reveal_ms", 600000, 1000, 86400000},
    [PARAMETER_CALL_FEE] = {"call_fee_micro", 0, 0, INT64_C(1) << 32},
};

/* --- what others ask ---------------------------------------------------------------------------------- */

mgc_status mgc__parameter(mgc_env *env, uint32_t parameter, int64_t *value)
{
    mgc__key key = mgc__key_u8(mgc__key_of('P'), parameter);
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_SUPERVISION, &key, &rec);

    assert(parameter >= 1 && parameter < PARAMETERS);
    *value = st == MGC_OK ? rec.v[0] : parameters[parameter].value;
    return st == MGC_E_NOT_FOUND ? MGC_OK : st;
}

static mgc__key frozen_key(uint32_t kind, int64_t number)
{
    return mgc__key_u32(mgc__key_u8(mgc__key_of('F'), kind), (uint32_t)number);
}

mgc_status mgc__not_frozen(mgc_env *env, int64_t microgrid, const mgc__rec *grid)
{
    mgc__key key = frozen_key(FROZEN_MICROGRID, microgrid);
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_SUPERVISION, &key, &rec);

    if (st == MGC_OK)
        return mgc_env_refuse(env, MGC_E_FORBIDDEN, "microgrid %" PRId64 " is frozen by act %" PRId64, microgrid,
                              rec.v[0]);
    if (st != MGC_E_NOT_FOUND) return st;
    key = frozen_key(FROZEN_MEMBER, grid->v[GRID_MANAGER]);
    st = mgc__rec_get(env, MGC_CONTRACT_SUPERVISION, &key, &rec);
    if (st == MGC_OK)
        return mgc_env_refuse(env, MGC_E_FORBIDDEN, "member %" PRId64 " is frozen by act %" PRId64,
                              grid->v[GRID_MANAGER], rec.v[0]);
    return st == MGC_E_NOT_FOUND ? MGC_OK : st;
}

bool mgc__key_barred(const mgc__state *state, const uint8_t public_key[32])
{
    mgc__key key = mgc__key_bytes(mgc__key_of('K'), public_key, 32);
    const uint8_t *value;
    size_t len;

    return state != NULL && mgc__record_get(state, MGC_CONTRACT_SUPERVISION, key.bytes, key.len, &value,
                                            &len) == MGC_OK;
}

static mgc__key forced_key(int64_t slot, int64_t microgrid)
{
    return mgc__key_u32(mgc__key_u64(mgc__key_of('S'), (uint64_t)slot), (uint32_t)microgrid);
}

mgc_status mgc__settle_forced(mgc_env *env, int64_t slot, int64_t microgrid, bool *forced)
{
    mgc__key key = forced_key(slot, microgrid);
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_SUPERVISION, &key, &rec);

    *forced = st == MGC_OK;
    return st == MGC_E_NOT_FOUND ? MGC_OK : st;
}

/* --- doing ---------------------------------------------------------------------------------------------- */

static mgc_status do_freeze(mgc_env *env, uint32_t kind, int64_t subject, int64_t act, bool freeze)
{
    mgc__key key = frozen_key(kind, subject);
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &rec);

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    if (freeze && st == MGC_OK)
        return mgc_env_refuse(env, MGC_E_EXISTS, "number %" PRId64 " is frozen already, by act %" PRId64, subject,
                              rec.v[0]);
    if (!freeze && st == MGC_E_NOT_FOUND)
        return mgc_env_refuse(env, MGC_E_STATE, "number %" PRId64 " is not frozen", subject);
    if (!freeze) return mgc_env_remove(env, key.bytes, key.len);
    return mgc__rec_put_ints(env, &key, (int64_t[]){act, (int64_t)env->height}, 2);
}

static mgc_status do_revoke(mgc_env *env, int64_t member, int64_t act)
{
    mgc__rec rec;
    mgc__key key;
    mgc_status st = mgc__party(env, 'M', "member", member, &rec);

    if (st != MGC_OK) return st;
    key = mgc__key_bytes(mgc__key_of('K'), rec.data, 32);
    if (mgc__key_barred(env->state, rec.data))
        return mgc_env_refuse(env, MGC_E_KEY_REVOKED, "the key of member %" PRId64 " is revoked already", member);
    return mgc__rec_put_ints(env, &key, (int64_t[]){act, (int64_t)env->height}, 2);
}

static mgc_status do_act(mgc_env *env, const mgc__rec *rec, int64_t act)
{
    int64_t subject = rec->v[ACT_SUBJECT], value = rec->v[ACT_VALUE];
    mgc__key key;

    switch (rec->v[ACT_KIND]) {
    case ACT_PARAMETER:
        key = mgc__key_u8(mgc__key_of('P'), (uint32_t)subject);
        return mgc__rec_put_ints(env, &key, (int64_t[]){value, act, (int64_t)env->height}, 3);
    case ACT_FREEZE_MICROGRID: return do_freeze(env, FROZEN_MICROGRID, subject, act, true);
    case ACT_UNFREEZE_MICROGRID: return do_freeze(env, FROZEN_MICROGRID, subject, act, false);
    case ACT_FREEZE_MEMBER: return do_freeze(env, FROZEN_MEMBER, subject, act, true);
    case ACT_UNFREEZE_MEMBER: return do_freeze(env, FROZEN_MEMBER, subject, act, false);
    case ACT_REVOKE: return do_revoke(env, subject, act);
    default:
        assert(rec->v[ACT_KIND] == ACT_FORCE_SETTLE);
        key = forced_key(value, subject);
        return mgc__rec_put_ints(env, &key, (int64_t[]){act, (int64_t)env->height}, 2);
    }
}

/* --- acts ------------------------------------------------------------------------------------------------- */

/* Could it ever be done?  Said before anybody is asked to approve it. */
static mgc_status sound(mgc_env *env, int64_t kind, int64_t subject, int64_t value)
{
    mgc__market market;
    mgc__rec rec;
    mgc_status st;

    switch (kind) {
    case ACT_PARAMETER:
        if (subject < 1 || subject >= PARAMETERS)
            return mgc_env_refuse(env, MGC_E_FORBIDDEN,
                                  "parameter %" PRId64 " is outside the mandate; 1..%d are in it",
                                  subject, PARAMETERS - 1);
        if (value < parameters[subject].lower || value > parameters[subject].upper)
            return mgc_env_refuse(env, MGC_E_RANGE, "%s is %" PRId64 "; must be %" PRId64 "..%" PRId64,
                                  parameters[subject].name, value, parameters[subject].lower,
                                  parameters[subject].upper);
        return MGC_OK;
    case ACT_FREEZE_MICROGRID:
    case ACT_UNFREEZE_MICROGRID: return mgc__party(env, 'G', "microgrid", subject, &rec);
    case ACT_FORCE_SETTLE:
        st = mgc__party(env, 'G', "microgrid", subject, &rec);
        if (st == MGC_OK) st = mgc__market_get(env, &market);
        return st != MGC_OK ? st : mgc__slot_known(env, &market, value);
    default:
        st = mgc__party(env, 'M', "member", subject, &rec);
        if (st == MGC_OK && kind != ACT_UNFREEZE_MEMBER && (rec.v[MEMBER_ROLES] >> MGC_ROLE_ADMINISTRATOR & 1) != 0)
            return mgc_env_refuse(env, MGC_E_FORBIDDEN,
                                  "the mandate does not reach the administrator, who alone enrols keys");
        return st;
    }
}

/* The member's approval among n, or the place behind them. */
static int64_t approval_of(const uint8_t *members, int64_t n, uint32_t member)
{
    int64_t i = 0;

    while (i < n && mgc__key_read(members + APPROVAL_BYTES * i, 0, 4) != member) i++;
    return i;
}

/* Count every signer whose role the mandate names and who has not approved before by this key; *fresh says how many. */
static void count_signers(const mgc_env *env, mgc__rec *rec, uint8_t members[APPROVAL_BYTES * QUORUM_MAX], uint32_t *fresh)
{
    *fresh = 0;
    for (uint32_t i = 0; i < env->n_signers; i++) {
        const mgc__signer *s = &env->signers[i];
        int64_t at = approval_of(members, rec->v[ACT_APPROVALS], s->member);
        uint8_t *to = members + APPROVAL_BYTES * at;

        if (s->member == 0 || s->role > MGC_ROLE_ADMINISTRATOR || (mandates[rec->v[ACT_KIND]].roles >> s->role & 1) == 0 ||
            at == QUORUM_MAX || (at < rec->v[ACT_APPROVALS] && memcmp(to + 4, s->key, APPROVAL_KEY) == 0))
            continue;
        for (uint32_t k = 0; k < 4; k++) to[k] = (uint8_t)(s->member >> (8 * (3 - k)));
        memcpy(to + 4, s->key, APPROVAL_KEY);
        rec->v[ACT_APPROVALS] += at == rec->v[ACT_APPROVALS];
        if (s->role == MGC_ROLE_REGULATOR) rec->v[ACT_REGULATORS]++; /* at most as many as are regulators: standing() */
        ++*fresh;
    }
    rec->data = members;
    rec->data_len = (size_t)(APPROVAL_BYTES * rec->v[ACT_APPROVALS]);
}

static bool carried(const mgc__rec *rec, int64_t quorum)
{
    return rec->v[ACT_APPROVALS] >= quorum && rec->v[ACT_REGULATORS] >= 1;
}

/* Is the key that approved revoked, or not the member's any more?  Then what it approved may have been another's word. */
static mgc_status is_revoked(mgc_env *env, const uint8_t approval[APPROVAL_BYTES], bool *revoked, bool *regulator)
{
    int64_t member = (int64_t)mgc__key_read(approval, 0, 4);
    mgc__rec rec, held;
    mgc__key key;
    mgc_status st = mgc__party(env, 'M', "member", member, &rec);

    if (st != MGC_OK) return st;
    *regulator = (rec.v[MEMBER_ROLES] >> MGC_ROLE_REGULATOR & 1) != 0;
    key = mgc__key_bytes(mgc__key_of('K'), rec.data, 32);
    *revoked = memcmp(approval + 4, rec.data, APPROVAL_KEY) != 0 || mgc__key_barred(env->state, rec.data);
    st = mgc__rec_get(env, MGC_CONTRACT_INFORMATION, &key, &held);
    *revoked = *revoked || held.v[PUBKEY_REVOKED] != 0;
    return st;
}

/* An act as it counts: without the approvals of those whose keys were revoked since. */
static mgc_status standing(mgc_env *env, const mgc__rec *rec, mgc__rec *counted)
{
    int64_t regulators = 0;
    mgc_status st = MGC_OK;

    *counted = *rec;
    for (int64_t i = 0; i < rec->v[ACT_APPROVALS] && st == MGC_OK; i++) {
        bool revoked, regulator;

        st = is_revoked(env, rec->data + APPROVAL_BYTES * i, &revoked, &regulator);
        if (st != MGC_OK) return st;
        if (revoked) counted->v[ACT_APPROVALS]--;
        else regulators += regulator;
    }
    if (counted->v[ACT_REGULATORS] > regulators) counted->v[ACT_REGULATORS] = regulators;
    return st;
}

/* Keep the act; do it where the quorum is there. */
static mgc_status keep(mgc_env *env, int64_t number, mgc__rec *rec)
{
    mgc__key key = mgc__key_u64(mgc__key_of('A'), (uint64_t)number);
    const char *name = mandates[rec->v[ACT_KIND]].name;
    int64_t quorum;
    mgc__rec counted;
    mgc_status st = mgc__parameter(env, PARAMETER_QUORUM, &quorum);

    if (st == MGC_OK) st = standing(env, rec, &counted);
    if (st != MGC_OK) return st;
    if (carried(&counted, quorum)) {
        st = do_act(env, rec, number);
        rec->v[ACT_DONE] = (int64_t)env->height;
        if (st == MGC_OK) st = mgc_env_emit(env, name, key.bytes + 1, key.len - 1);
    }
    rec->n = ACT_INTS;
    return st != MGC_OK ? st : mgc__rec_put(env, &key, rec);
}

static mgc_status take_number(mgc_env *env, uint32_t which, int64_t *number)
{
    mgc__key key = mgc__key_of('Q');
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &rec);

    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    *number = ++rec.v[which]; /* from 1 */
    return mgc__rec_put_ints(env, &key, rec.v, NEXT_INTS);
}

static mgc_status begin_act(mgc_env *env, const mgc__values *values, bool at_once)
{
    const struct mgc__value *a = values->at;
    mgc__rec rec = {.n = ACT_INTS, .name = (const char *)a[3].bytes, .name_len = a[3].len};
    uint8_t members[APPROVAL_BYTES * QUORUM_MAX];
    uint32_t fresh;
    int64_t number, quorum;
    mgc_status st = sound(env, a[0].number, a[1].number, a[2].number);

    if (st != MGC_OK) return st;
    for (uint32_t i = 0; i < 3; i++) rec.v[i] = a[i].number;
    rec.v[ACT_PROPOSED] = (int64_t)env->height;
    count_signers(env, &rec, members, &fresh);
    if (fresh == 0)
        return mgc_env_refuse(env, MGC_E_FORBIDDEN, "nobody signed whose mandate \"%s\" is",
                              mandates[a[0].number].name);
    st = mgc__parameter(env, PARAMETER_QUORUM, &quorum);
    if (st != MGC_OK) return st;
    if (at_once && !carried(&rec, quorum))
        return mgc_env_refuse(env, MGC_E_MISSING_SIGNER,
                              "\"%s\" needs %" PRId64 " signatures, one of them a regulator's; %" PRId64 " are there",
                              mandates[a[0].number].name, quorum, rec.v[ACT_APPROVALS]);
    st = take_number(env, NEXT_ACT, &number);
    return st != MGC_OK ? st : keep(env, number, &rec);
}

static mgc_status propose(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    (void)method;
    return begin_act(env, values, false);
}

static mgc_status act(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    (void)method;
    return begin_act(env, values, true);
}

static mgc_status approve(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    int64_t number = values->at[0].number;
    mgc__key key = mgc__key_u64(mgc__key_of('A'), (uint64_t)number);
    uint8_t members[APPROVAL_BYTES * QUORUM_MAX] = {0};
    char reason[MGC_NAME_MAX];
    uint32_t fresh;
    int64_t before;
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, env->contract, &key, &rec);

    (void)method;
    if (st == MGC_E_NOT_FOUND) return mgc_env_refuse(env, st, "there is no act %" PRId64, number);
    if (st != MGC_OK) return st;
    if (rec.v[ACT_DONE] != 0)
        return mgc_env_refuse(env, MGC_E_STATE, "act %" PRId64 " was done at height %" PRId64, number,
                              rec.v[ACT_DONE]);
    if (env->height - (uint64_t)rec.v[ACT_PROPOSED] > ACT_BLOCKS)
        return mgc_env_refuse(env, MGC_E_EXPIRED, "act %" PRId64 " was proposed over %d blocks ago", number,
                              ACT_BLOCKS);
    memcpy(members, rec.data, rec.data_len); /* borrowed from the record that is put next */
    memcpy(reason, rec.name, rec.name_len);
    rec.name = reason;
    before = rec.v[ACT_APPROVALS];
    count_signers(env, &rec, members, &fresh);
    if (fresh == 0) {
        for (uint32_t i = 0; i < env->n_signers; i++)
            if (approval_of(members, before, env->signers[i].member) < before)
                return mgc_env_refuse(env, MGC_E_EXISTS, "member %" PRIu32 " approved act %" PRId64 " already",
                                      env->signers[i].member, number);
        return mgc_env_refuse(env, MGC_E_FORBIDDEN, "nobody signed whose mandate \"%s\" is",
                              mandates[rec.v[ACT_KIND]].name);
    }
    st = sound(env, rec.v[ACT_KIND], rec.v[ACT_SUBJECT], rec.v[ACT_VALUE]);
    return st != MGC_OK ? st : keep(env, number, &rec);
}

/* --- reads under audit ---------------------------------------------------------------------------------------- */

/* Said before it is read: what, and why.  Whoever reads without it reads behind the audit's back. */
static mgc_status read_(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__rec rec = {.n = AUDIT_INTS};
    char line[2 * MGC_NAME_MAX + 2 + 2 * MGC_NAME_MAX];
    int64_t number;
    mgc__key key;
    size_t len = 0;
    mgc_status st;

    (void)method;
    for (uint32_t i = 0; i < env->n_signers && rec.v[AUDIT_MEMBER] == 0; i++)
        if (env->signers[i].role == MGC_ROLE_REGULATOR || env->signers[i].role == MGC_ROLE_AUDITOR) {
            rec.v[AUDIT_MEMBER] = env->signers[i].member;
            rec.v[AUDIT_ROLE] = env->signers[i].role;
        }
    if (rec.v[AUDIT_MEMBER] == 0)
        return mgc_env_refuse(env, MGC_E_FORBIDDEN, "no regulator and no auditor signed");
    rec.v[AUDIT_HEIGHT] = (int64_t)env->height;
    for (uint32_t i = 0; i < 3; i++) { /* what, arguments, reason: a line each */
        memcpy(line + len, a[i].bytes, a[i].len);
        len += a[i].len;
        if (i < 2) line[len++] = '\n';
    }
    rec.name = line;
    rec.name_len = len;
    st = take_number(env, NEXT_AUDIT, &number);
    key = mgc__key_u64(mgc__key_of('U'), (uint64_t)number);
    return st != MGC_OK ? st : mgc__rec_put(env, &key, &rec);
}

static const mgc__rule rules[] = {{"propose", propose}, {"approve", approve}, {"act", act}, {"read", read_}};

/* --- queries ---------------------------------------------------------------------------------------------------- */

/* Public: what is done in everybody's name. */
static mgc_status query_acts(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('A');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(
        rows, "number kind subject value approvals regulators proposed_height done_height reason");

    (void)filter;
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        const char *name = mandates[w.rec.v[ACT_KIND]].name;

        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 8));
        if (st == MGC_OK) st = mgc_rows_put_text(rows, name, strlen(name));
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v + ACT_SUBJECT, ACT_INTS - ACT_SUBJECT);
        if (st == MGC_OK) st = mgc_rows_put_text(rows, w.rec.name, w.rec.name_len);
    }
    return st;
}

static mgc_status query_rules(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc_status st = mgc_rows_begin(rows, "number name value");

    (void)filter;
    for (uint32_t i = 1; i < PARAMETERS && st == MGC_OK; i++) {
        int64_t value;

        st = mgc__parameter(env, i, &value);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, i);
        if (st == MGC_OK) st = mgc_rows_put_text(rows, parameters[i].name, strlen(parameters[i].name));
        if (st == MGC_OK) st = mgc_rows_put_int(rows, value);
    }
    return st;
}

static mgc_status query_frozen(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('F');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "kind number act height");

    (void)filter;
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        const char *kind = w.key[1] == FROZEN_MICROGRID ? "microgrid" : "member";

        st = mgc_rows_put_text(rows, kind, strlen(kind));
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 2, 4));
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, 2);
    }
    return st;
}

/* For those who are watched over as for those who watch. */
static mgc_status query_audits(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('U');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "number member role height read");

    (void)filter;
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 8));
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, AUDIT_INTS);
        if (st == MGC_OK) st = mgc_rows_put_text(rows, w.rec.name, w.rec.name_len);
    }
    return st;
}

static const mgc__answer answers[] = {
    {"acts", "", query_acts}, {"rules", "", query_rules}, {"frozen", "", query_frozen}, {"audits", "", query_audits}};

const mgc__built_in mgc__supervision = {
    .id = MGC_CONTRACT_SUPERVISION,
    .code_version = 1,
    .name = "supervision",
    .rules = rules,
    .n_rules = MGC__COUNT(rules),
    .answers = answers,
    .n_answers = MGC__COUNT(answers),
};
