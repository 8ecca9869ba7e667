/* SPDX-License-Identifier: Apache-2.0 */
/* Contract 1, information: who takes part in which role with which key, what is connected to what, and commitments.
 *
 * Records (doc/contracts.md):
 *   P                   the market's parameters; data: administrator's key; name: "name\ncurrency"
 *   O organisation      M member    K public key    G microgrid    g microgrid carrier: limits
 *   D device            L link      T meter         H microgrid meter: which meters are whose
 *   C member number     a commitment                c member: how many
 *   X contract          a host's contract that was deployed
 *   Z                   the next slot whose gate closes */
#include "contract/contract.h"

enum { DEVICE_MICROGRID, DEVICE_CAPACITY, DEVICE_INTS };
enum { COMMIT_KIND, COMMIT_SLOT, COMMIT_HEIGHT, COMMIT_OPENED, COMMIT_INTS };

static mgc_status by_administrator(mgc_env *env)
{
    return mgc__role_signed(env, MGC_ROLE_ADMINISTRATOR, "administrator");
}

/* Nothing of that kind has the number yet. */
static mgc_status is_free(mgc_env *env, const mgc__key *key, const char *what, int64_t id)
{
    mgc__rec rec;
    mgc_status st = mgc__rec_get(env, env->contract, key, &rec);

    if (st == MGC_E_NOT_FOUND) return MGC_OK;
    return st != MGC_OK ? st : mgc_env_refuse(env, MGC_E_EXISTS, "%s %" PRId64 " exists already", what, id);
}

static mgc_status put_named(mgc_env *env, const mgc__key *key, const int64_t *v, uint32_t n,
                            const struct mgc__value *data, const struct mgc__value *name)
{
    mgc__rec rec = {.n = n};

    if (n > 0) memcpy(rec.v, v, n * sizeof *v);
    if (data != NULL) {
        rec.data = data->bytes;
        rec.data_len = data->len;
    }
    if (name != NULL) {
        rec.name = (const char *)name->bytes;
        rec.name_len = name->len;
    }
    return mgc__rec_put(env, key, &rec);
}

/* --- keys and members -------------------------------------------------------------------------------- */

/* Enrol a key: a sound point that nobody ever had before. */
static mgc_status enrol_key(mgc_env *env, const struct mgc__value *public_key, int64_t member, int64_t from)
{
    mgc__key key = mgc__key_bytes(mgc__key_of('K'), public_key->bytes, 32);
    mgc_status st = mgc_public_key_check(public_key->bytes, public_key->len);

    if (st == MGC_E_BAD_KEY)
        return mgc_env_refuse(env, st, "the public key of member %" PRId64 " is a weak or impossible point", member);
    if (st != MGC_OK) return mgc__env_keep(env, st);
    st = is_free(env, &key, "this public key, of member", member);
    return st != MGC_OK ? st : mgc__rec_put_ints(env, &key, (int64_t[]){member, from, 0}, PUBKEY_INTS);
}

static mgc_status put_member(mgc_env *env, int64_t id, int64_t organisation, int64_t roles,
                             const struct mgc__value *public_key, const struct mgc__value *name, int64_t from)
{
    mgc__key key = mgc__key_u32(mgc__key_of('M'), (uint32_t)id);
    mgc_status st = is_free(env, &key, "member", id);

    if (st == MGC_OK) st = enrol_key(env, public_key, id, from);
    if (st == MGC_OK) st = put_named(env, &key, (int64_t[]){organisation, roles}, MEMBER_INTS, public_key, name);
    return st;
}

/* One of those who sign the chain's blocks stands behind it. */
static bool validator_signed(const mgc_env *env)
{
    uint32_t n;
    const mgc_member *members = mgc__chain_members(mgc__exec_chain(env->exec), &n);

    for (uint32_t i = 0; i < env->n_signers; i++)
        for (uint32_t k = 0; k < n; k++)
            if (env->signers[i].role == MGC_ROLE_VALIDATOR &&
                memcmp(env->signers[i].key, members[k].public_key, MGC_PUBLIC_KEY_BYTES) == 0)
                return true;
    return false;
}

/* The key signed in that role. */
static bool key_signed(const mgc_env *env, const uint8_t public_key[32], uint32_t role)
{
    for (uint32_t i = 0; i < env->n_signers; i++)
        if (env->signers[i].role == role && memcmp(env->signers[i].key, public_key, 32) == 0) return true;
    return false;
}

/* The first transaction of a market: signed by the key that it names as administrator's, and by a validator of the
 * chain's genesis, so that nobody founds the market by merely coming first. */
static mgc_status found(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    static const char admin[] = "administrator";
    struct mgc__value name = {.bytes = (const uint8_t *)admin, .len = sizeof admin - 1};
    mgc__key key = mgc__key_of('P');
    mgc__rec rec = {.n = MARKET_INTS, .data = a[9].bytes, .data_len = a[9].len};
    char names[2 * MGC_NAME_MAX + 1];
    mgc_status st;

    (void)method;
    st = is_free(env, &key, "market", 1);
    if (st != MGC_OK) return st;
    if (env->n_signers != 2 || !key_signed(env, a[9].bytes, MGC_ROLE_ADMINISTRATOR) || !validator_signed(env))
        return mgc_env_refuse(env, MGC_E_MISSING_SIGNER,
                              "a market is founded by its administrator's key and a validator of the genesis, alone");
    if (86400000 % a[2].number != 0)
        return mgc_env_refuse(env, MGC_E_RANGE, "a day is not a whole number of slots of %" PRId64 " ms",
                              a[2].number);
    for (uint32_t i = 0; i < MARKET_INTS; i++) rec.v[i] = a[2 + i].number;
    memcpy(names, a[0].bytes, a[0].len);
    names[a[0].len] = '\n';
    memcpy(names + a[0].len + 1, a[1].bytes, a[1].len);
    rec.name = names;
    rec.name_len = a[0].len + 1 + a[1].len;
    st = mgc__rec_put(env, &key, &rec);
    key = mgc__key_of('Z');
    if (st == MGC_OK) st = mgc__rec_put_ints(env, &key, (int64_t[]){a[8].number}, 1);
    key = mgc__key_u32(mgc__key_of('O'), 1);
    if (st == MGC_OK) st = put_named(env, &key, NULL, 0, NULL, &a[0]);
    if (st == MGC_OK) st = put_member(env, 1, 1, INT64_C(1) << MGC_ROLE_ADMINISTRATOR, &a[9], &name, 0);
    return st != MGC_OK || !mgc__at_home(&env->homes, MGC_CONTRACT_TRADING) ? st : mgc__open_accounts(env, 0);
}

static mgc_status organisation(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    mgc__key key = mgc__key_u32(mgc__key_of('O'), (uint32_t)values->at[0].number);
    mgc_status st = by_administrator(env);

    (void)method;
    if (st == MGC_OK) st = is_free(env, &key, "organisation", values->at[0].number);
    return st != MGC_OK ? st : put_named(env, &key, NULL, 0, NULL, &values->at[1]);
}

static mgc_status member(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__rec rec;
    mgc_status st = by_administrator(env);

    (void)method;
    if (st == MGC_OK) st = mgc__party(env, 'O', "organisation", a[1].number, &rec);
    return st != MGC_OK ? st : put_member(env, a[0].number, a[1].number, a[3].number, &a[4], &a[2], a[5].number);
}

/* How many administrators, of the market's or of the member's own organisation, signed for another's lost key. */
static mgc_status administrators_for(mgc_env *env, int64_t id, int64_t organisation, uint32_t *n)
{
    mgc_status st = MGC_OK;
    mgc__rec rec;

    *n = 0;
    for (uint32_t i = 0; i < env->n_signers && st == MGC_OK; i++) {
        const mgc__signer *s = &env->signers[i];
        if (s->member == 0 || s->member == id || s->role != MGC_ROLE_ADMINISTRATOR) continue;
        st = mgc__party(env, 'M', "member", s->member, &rec);
        if (st == MGC_OK && (rec.v[MEMBER_ORGANISATION] == 1 || rec.v[MEMBER_ORGANISATION] == organisation)) (*n)++;
    }
    return st;
}

/* Signed by the old key and the new one, so that nobody takes over a key that he does not hold; or, where the old one is lost or
 * was revoked, by two administrators, each with a key of its own. */
static mgc_status may_rotate(mgc_env *env, int64_t id, const mgc__rec *rec, const uint8_t *new_key)
{
    bool old_signed = false, new_signed = false;
    uint32_t administrators;
    mgc_status st = administrators_for(env, id, rec->v[MEMBER_ORGANISATION], &administrators);

    if (st != MGC_OK || administrators >= 2) return st;
    for (uint32_t i = 0; i < env->n_signers; i++) {
        if (memcmp(env->signers[i].key, rec->data, 32) == 0) old_signed = true;
        if (memcmp(env->signers[i].key, new_key, 32) == 0) new_signed = true;
    }
    if (old_signed && new_signed) return MGC_OK;
    return mgc_env_refuse(env, MGC_E_MISSING_SIGNER,
                          "the %s key of member %" PRId64 " did not sign, nor two administrators of its organisation or the market's",
                          old_signed ? "new" : "old", id);
}

static mgc_status rotate(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    int64_t id = values->at[0].number;
    const struct mgc__value *public_key = &values->at[1];
    mgc__key key, old_key;
    mgc__rec rec, old;
    uint8_t name[MGC_NAME_MAX];
    mgc_status st = mgc__party(env, 'M', "member", id, &rec);

    (void)method;
    if (st == MGC_OK) st = may_rotate(env, id, &rec, public_key->bytes);
    if (st != MGC_OK) return st;
    old_key = mgc__key_bytes(mgc__key_of('K'), rec.data, 32);
    st = mgc__rec_get(env, env->contract, &old_key, &old);
    if (st == MGC_OK) st = enrol_key(env, public_key, id, (int64_t)env->height);
    if (st != MGC_OK) return st;
    if (old.v[PUBKEY_REVOKED] == 0) old.v[PUBKEY_REVOKED] = (int64_t)env->height;
    st = mgc__rec_put_ints(env, &old_key, old.v, PUBKEY_INTS);
    if (st != MGC_OK) return st;
    memcpy(name, rec.name, rec.name_len); /* borrowed from the record that is put next */
    key = mgc__key_u32(mgc__key_of('M'), (uint32_t)id);
    return put_named(env, &key, rec.v, MEMBER_INTS, public_key,
                     &(struct mgc__value){.bytes = name, .len = rec.name_len});
}

static mgc_status revoke(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    mgc__key key;
    mgc__rec rec, held;
    mgc_status st = by_administrator(env);

    (void)method;
    if (st == MGC_OK) st = mgc__party(env, 'M', "member", values->at[0].number, &rec);
    if (st != MGC_OK) return st;
    key = mgc__key_bytes(mgc__key_of('K'), rec.data, 32);
    st = mgc__rec_get(env, env->contract, &key, &held);
    if (st != MGC_OK) return st;
    if (held.v[PUBKEY_REVOKED] != 0)
        return mgc_env_refuse(env, MGC_E_KEY_REVOKED,
                              "the key of member %" PRId64 " is revoked since height %" PRId64, values->at[0].number,
                              held.v[PUBKEY_REVOKED]);
    held.v[PUBKEY_REVOKED] = (int64_t)env->height;
    return mgc__rec_put_ints(env, &key, held.v, PUBKEY_INTS);
}

/* --- what is connected -------------------------------------------------------------------------------- */

static mgc_status put_limits(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    mgc__row_reader rows;
    int64_t row[COLUMNS_MAX];

    mgc__row_begin(&rows, method, values, 4);
    while (mgc__row_next(&rows, row)) {
        mgc__key key = mgc__key_u8(mgc__key_u32(mgc__key_of('g'), (uint32_t)values->at[0].number), (uint32_t)row[0]);
        mgc_status st;

        if (row[0] < 1 || row[0] > 2)
            return mgc_env_refuse(env, MGC_E_RANGE, "carrier %" PRId64 " has no limits; 1 or 2 have", row[0]);
        for (uint32_t i = 1; i <= LIMIT_INTS; i++)
            if (row[i] < 0 || row[i] > (int64_t)MGC_AMOUNT_MAX)
                return mgc_env_refuse(env, MGC_E_RANGE, "limit %" PRId64 " Wh is not in 0..2^62", row[i]);
        st = is_free(env, &key, "a limit for carrier", row[0]);
        if (st == MGC_OK) st = mgc__rec_put_ints(env, &key, row + 1, LIMIT_INTS);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

static mgc_status microgrid(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = mgc__key_u32(mgc__key_of('G'), (uint32_t)a[0].number);
    mgc__rec manager;
    mgc_status st = by_administrator(env);

    if (st == MGC_OK) st = is_free(env, &key, "microgrid", a[0].number);
    if (st == MGC_OK) st = mgc__party(env, 'M', "member", a[2].number, &manager);
    if (st != MGC_OK) return st;
    if (manager.v[MEMBER_ORGANISATION] != a[1].number || (manager.v[MEMBER_ROLES] >> MGC_ROLE_MANAGER & 1) == 0)
        return mgc_env_refuse(env, MGC_E_FORBIDDEN, "member %" PRId64 " is no manager of organisation %" PRId64,
                              a[2].number, a[1].number);
    st = put_named(env, &key, (int64_t[]){a[1].number, a[2].number}, GRID_INTS, NULL, &a[3]);
    if (st == MGC_OK) st = put_limits(env, method, values);
    if (st != MGC_OK || !mgc__at_home(&env->homes, MGC_CONTRACT_TRADING)) return st;
    return mgc__open_accounts(env, (uint32_t)a[0].number);
}

static mgc_status device(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = mgc__key_u32(mgc__key_of('D'), (uint32_t)a[0].number);
    mgc__rec grid;
    mgc_status st = is_free(env, &key, "device", a[0].number);

    (void)method;
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", a[1].number, &grid);
    if (st == MGC_OK) st = mgc__manager_signed(env, a[1].number, &grid);
    return st != MGC_OK ? st : put_named(env, &key, (int64_t[]){a[1].number, a[4].number}, DEVICE_INTS, &a[2], &a[3]);
}

static mgc_status link_(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = mgc__key_u32(mgc__key_of('L'), (uint32_t)a[0].number);
    mgc__rec grid;
    mgc_status st = by_administrator(env);

    (void)method;
    if (st == MGC_OK) st = is_free(env, &key, "link", a[0].number);
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", a[1].number, &grid);
    if (st == MGC_OK) st = mgc__party(env, 'G', "microgrid", a[2].number, &grid);
    if (st != MGC_OK) return st;
    if (a[1].number == a[2].number)
        return mgc_env_refuse(env, MGC_E_RANGE, "both ends of link %" PRId64 " are microgrid %" PRId64, a[0].number,
                              a[1].number);
    return mgc__rec_put_ints(
        env, &key, (int64_t[]){a[1].number, a[2].number, a[3].number, a[4].number, a[5].number, a[6].number},
        LINK_INTS);
}

static int64_t power_of_ten(int64_t n)
{
    int64_t power = 1;

    while (n-- > 0) power *= 10;
    return power;
}

/* A meter stands at a microgrid's connection to the grid (link 0) or at its end of a link. */
static mgc_status meter_place(mgc_env *env, const struct mgc__value *a)
{
    mgc__rec rec;
    mgc_status st = mgc__party(env, 'G', "microgrid", a[1].number, &rec);

    if (st != MGC_OK || a[3].number == 0) return st;
    st = mgc__party(env, 'L', "link", a[3].number, &rec);
    if (st != MGC_OK) return st;
    if ((rec.v[LINK_FIRST] != a[1].number && rec.v[LINK_SECOND] != a[1].number) || rec.v[LINK_CARRIER] != a[2].number)
        return mgc_env_refuse(env, MGC_E_RANGE, "link %" PRId64 " is not one of microgrid %" PRId64 " for %s",
                              a[3].number, a[1].number, mgc__carrier_name(a[2].number));
    return MGC_OK;
}

/* Another device at the same place: what it replaces keeps its slots, under the first slot that is no longer its own.  It is
 * declared before that slot ends, so that nothing was read in it yet. */
static mgc_status exchange(mgc_env *env, const struct mgc__value *a, const mgc__rec *old)
{
    mgc__key key = mgc__key_u64(mgc__key_u32(mgc__key_of('U'), (uint32_t)a[0].number), (uint64_t)a[5].number);
    mgc__key reading = mgc__key_u64(mgc__key_u32(mgc__key_of('R'), (uint32_t)a[0].number), (uint64_t)a[5].number);
    mgc__market market;
    mgc__rec rec;
    mgc_status st = mgc__market_get(env, &market);

    if (st == MGC_OK) st = mgc__slot_known(env, &market, a[5].number);
    if (st != MGC_OK) return st;
    if (old->v[METER_MICROGRID] != a[1].number || old->v[METER_CARRIER] != a[2].number || old->v[METER_LINK] != a[3].number)
        return mgc_env_refuse(env, MGC_E_EXISTS, "meter %" PRId64 " stands elsewhere; it can be exchanged, not moved", a[0].number);
    if (mgc_slot_begin_ms((uint64_t)a[5].number + 1, market.slot_ms) <= env->time_ms)
        return mgc_env_refuse(env, MGC_E_SLOT, "meter %" PRId64 " cannot be exchanged from slot %" PRId64 " on: it has ended",
                              a[0].number, a[5].number);
    st = mgc__rec_get(env, MGC_CONTRACT_SCHEDULING, &reading, &rec);
    if (st == MGC_OK)
        return mgc_env_refuse(env, MGC_E_EXISTS, "meter %" PRId64 " was read in slot %" PRId64, a[0].number, a[5].number);
    return st != MGC_E_NOT_FOUND ? st : mgc__rec_put_ints(env, &key, old->v, METER_INTS);
}

static mgc_status meter(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = mgc__key_u32(mgc__key_of('T'), (uint32_t)a[0].number);
    int64_t v[METER_INTS] = {a[1].number, a[2].number, a[3].number, a[4].number, a[5].number,
                             a[6].number, a[7].number, a[8].number, a[9].number};
    mgc__rec signer, old;
    mgc_status st = by_administrator(env);

    (void)method;
    if (st == MGC_OK) st = mgc__rec_get(env, env->contract, &key, &old);
    if (st == MGC_OK && a[5].number <= old.v[METER_FROM]) st = is_free(env, &key, "meter", a[0].number);
    else if (st == MGC_OK) st = exchange(env, a, &old);
    else if (st == MGC_E_NOT_FOUND) st = MGC_OK;
    if (st == MGC_OK) st = meter_place(env, a);
    if (st == MGC_OK) st = mgc__party(env, 'M', "member", a[4].number, &signer);
    if (st != MGC_OK) return st;
    if ((signer.v[MEMBER_ROLES] >> MGC_ROLE_METER & 1) == 0)
        return mgc_env_refuse(env, MGC_E_FORBIDDEN, "member %" PRId64 " has not the role of a meter", a[4].number);
    if (a[8].number >= power_of_ten(a[6].number) || a[9].number >= power_of_ten(a[6].number))
        return mgc_env_refuse(env, MGC_E_RANGE, "a register does not fit %" PRId64 " digits", a[6].number);
    if (a[7].number > power_of_ten(a[6].number) / 2) /* or a register that runs backwards would pass for one that wrapped */
        return mgc_env_refuse(env, MGC_E_RANGE, "%" PRId64 " Wh in a slot are over half of what %" PRId64 " digits hold",
                              a[7].number, a[6].number);
    st = mgc__rec_put_ints(env, &key, v, METER_INTS);
    key = mgc__key_u32(mgc__key_u32(mgc__key_of('H'), (uint32_t)a[1].number), (uint32_t)a[0].number);
    return st != MGC_OK ? st : mgc__rec_put_ints(env, &key, &a[2].number, 1);
}

/* --- commitments --------------------------------------------------------------------------------------- */

static mgc_status sender(mgc_env *env, uint32_t *id)
{
    if (env->n_signers != 1 || env->signers[0].member == 0)
        return mgc_env_refuse(env, MGC_E_MISSING_SIGNER, "exactly one member signs a commitment");
    *id = env->signers[0].member;
    return MGC_OK;
}

static mgc_status commit(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    uint32_t id = 0;
    mgc__key key, count_key;
    mgc__rec count;
    mgc_status st = sender(env, &id);

    (void)method;
    if (st != MGC_OK) return st;
    count_key = mgc__key_u32(mgc__key_of('c'), id);
    st = mgc__rec_get(env, env->contract, &count_key, &count);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    key = mgc__key_u64(mgc__key_u32(mgc__key_of('C'), id), (uint64_t)count.v[0]);
    st = put_named(env, &key, (int64_t[]){a[0].number, a[1].number, (int64_t)env->height, 0}, COMMIT_INTS, &a[2],
                   NULL);
    count.v[0]++;
    return st != MGC_OK ? st : mgc__rec_put_ints(env, &count_key, count.v, 1);
}

static mgc_status open_(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    uint32_t id = 0;
    uint8_t hash[32], kept[32];
    mgc__key key;
    mgc__rec rec;
    mgc_status st = sender(env, &id);

    (void)method;
    if (st != MGC_OK) return st;
    key = mgc__key_u64(mgc__key_u32(mgc__key_of('C'), id), (uint64_t)a[0].number);
    st = mgc__rec_get(env, env->contract, &key, &rec);
    if (st == MGC_E_NOT_FOUND)
        return mgc_env_refuse(env, st, "member %" PRIu32 " has no commitment %" PRId64, id, a[0].number);
    if (st != MGC_OK) return st;
    mgc__hash_tagged2("mgchain/commitment/1", a[1].bytes, a[1].len, a[2].bytes, a[2].len, hash);
    if (rec.data_len != 32 || memcmp(hash, rec.data, 32) != 0)
        return mgc_env_refuse(env, MGC_E_COMMITMENT,
                              "salt and value do not hash to commitment %" PRId64 " of member %" PRIu32, a[0].number,
                              id);
    memcpy(kept, rec.data, 32);
    rec.data = kept;
    rec.v[COMMIT_OPENED] = (int64_t)env->height;
    return mgc__rec_put(env, &key, &rec);
}

/* --- contracts of hosts ----------------------------------------------------------------------------------- */

static mgc_status deploy(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = mgc__key_u32(mgc__key_of('X'), (uint32_t)a[0].number);
    int64_t v[DEPLOY_INTS] = {a[1].number, a[3].number};
    uint8_t hashes[64];
    struct mgc__value both = {.bytes = hashes, .len = 32};
    mgc__rec rec;
    mgc_status st = by_administrator(env);

    (void)method;
    if (st != MGC_OK) return st;
    if ((uint64_t)a[3].number <= env->height)
        return mgc_env_refuse(env, MGC_E_HEIGHT,
                              "a contract becomes active after height %" PRIu64 ", not at %" PRId64, env->height,
                              a[3].number);
    st = mgc__rec_get(env, env->contract, &key, &rec);
    if (st == MGC_OK && a[1].number <= rec.v[DEPLOY_VERSION])
        return mgc_env_refuse(env, MGC_E_EXISTS, "contract %" PRId64 " has version %" PRId64 " already", a[0].number,
                              rec.v[DEPLOY_VERSION]);
    if (st == MGC_OK && rec.v[DEPLOY_FROM] > (int64_t)env->height)
        return mgc_env_refuse(env, MGC_E_STATE, "contract %" PRId64 " has an upgrade that is not active yet",
                              a[0].number);
    if (st == MGC_OK && rec.v[DEPLOY_UNTIL] > (int64_t)env->height)
        return mgc_env_refuse(env, MGC_E_STATE, "contract %" PRId64 " retires at height %" PRId64, a[0].number,
                              rec.v[DEPLOY_UNTIL]);
    if (st != MGC_OK && st != MGC_E_NOT_FOUND) return st;
    memcpy(hashes, a[2].bytes, 32);
    if (st == MGC_OK && rec.v[DEPLOY_UNTIL] == 0) { /* an upgrade: the version at hand works until it is active */
        v[DEPLOY_OLD_VERSION] = rec.v[DEPLOY_VERSION];
        v[DEPLOY_OLD_FROM] = rec.v[DEPLOY_FROM];
        memcpy(hashes + 32, rec.data, 32);
        both.len = 64;
    }
    return put_named(env, &key, v, DEPLOY_INTS, &both, &a[4]);
}

static mgc_status retire(mgc_env *env, const mgc__method *method, const mgc__values *values)
{
    const struct mgc__value *a = values->at;
    mgc__key key = mgc__key_u32(mgc__key_of('X'), (uint32_t)a[0].number);
    uint8_t hashes[64], name[MGC_NAME_MAX];
    mgc__rec rec;
    mgc_status st = by_administrator(env);

    (void)method;
    if (st == MGC_OK) st = mgc__party(env, 'X', "contract", a[0].number, &rec);
    if (st != MGC_OK) return st;
    if ((uint64_t)a[1].number <= env->height)
        return mgc_env_refuse(env, MGC_E_HEIGHT, "a contract is retired after height %" PRIu64 ", not at %" PRId64,
                              env->height, a[1].number);
    if (rec.v[DEPLOY_UNTIL] != 0)
        return mgc_env_refuse(env, MGC_E_EXISTS, "contract %" PRId64 " retires at height %" PRId64 " already",
                              a[0].number, rec.v[DEPLOY_UNTIL]);
    memcpy(hashes, rec.data, rec.data_len);
    memcpy(name, rec.name, rec.name_len);
    rec.v[DEPLOY_UNTIL] = a[1].number;
    return put_named(env, &key, rec.v, DEPLOY_INTS, &(struct mgc__value){.bytes = hashes, .len = rec.data_len},
                     &(struct mgc__value){.bytes = name, .len = rec.name_len});
}

static const mgc__rule rules[] = {
    {"found", found},   {"organisation", organisation},
    {"member", member}, {"microgrid", microgrid},
    {"device", device}, {"link", link_},
    {"meter", meter},   {"rotate", rotate},
    {"revoke", revoke}, {"commit", commit},
    {"open", open_},    {"deploy", deploy},
    {"retire", retire},
};

/* --- queries ---------------------------------------------------------------------------------------------- */

static mgc_status put_name(mgc_rows *rows, const mgc__rec *rec)
{
    return mgc_rows_put_text(rows, rec->name, rec->name_len);
}

static mgc_status query_parameters(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key key = mgc__key_of('P');
    mgc__rec rec;
    const char *newline;
    size_t len;
    mgc_status st = mgc_rows_begin(
        rows, "name currency slot_ms gate_ms gate_slots window_ms collateral_bp pending_blocks first_slot");

    (void)filter;
    if (st != MGC_OK) return st;
    st = mgc__rec_get(env, env->contract, &key, &rec);
    if (st != MGC_OK) return st == MGC_E_NOT_FOUND ? MGC_OK : st;
    newline = memchr(rec.name, '\n', rec.name_len);
    len = newline == NULL ? rec.name_len : (size_t)(newline - rec.name);
    st = mgc_rows_put_text(rows, rec.name, len);
    if (st == MGC_OK)
        st = newline == NULL ? mgc_rows_put_text(rows, "", 0)
                             : mgc_rows_put_text(rows, newline + 1, rec.name_len - len - 1);
    return st != MGC_OK ? st : mgc__rows_put_ints(rows, rec.v, MARKET_INTS);
}

/* The names of a member's roles, with a space between. */
static mgc_status put_roles(mgc_rows *rows, int64_t roles)
{
    static const char *const names[] = {"none",           "user",      "manager", "meter",     "dispatcher",
                                        "market-operator", "regulator", "auditor", "validator", "administrator"};
    char text[128] = "";
    size_t len = 0;

    for (size_t r = 0; r < MGC__COUNT(names); r++) {
        size_t n = strlen(names[r]);

        if ((roles >> r & 1) == 0) continue;
        if (len > 0) text[len++] = ' ';
        memcpy(text + len, names[r], n);
        len += n;
    }
    return mgc_rows_put_text(rows, text, len);
}

static mgc_status query_members(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('M');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "id organisation name roles public_key from_height revoked_height role_names");

    (void)filter;
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        mgc__key key = mgc__key_bytes(mgc__key_of('K'), w.rec.data, 32);
        mgc__rec held;

        st = mgc__rec_get(env, env->contract, &key, &held);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 4));
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.rec.v[MEMBER_ORGANISATION]);
        if (st == MGC_OK) st = put_name(rows, &w.rec);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, w.rec.v[MEMBER_ROLES]);
        if (st == MGC_OK) st = mgc_rows_put_hex(rows, w.rec.data, w.rec.data_len);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, held.v + PUBKEY_FROM, 2);
        if (st == MGC_OK) st = put_roles(rows, w.rec.v[MEMBER_ROLES]);
    }
    return st;
}

static mgc_status query_microgrids(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('G');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "id name organisation manager");

    (void)filter;
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 4));
        if (st == MGC_OK) st = put_name(rows, &w.rec);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, GRID_INTS);
    }
    return st;
}

static mgc_status query_links(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('L');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "id first second carrier capacity_wh loss_ppm fee");

    (void)filter;
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 4));
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, w.rec.v[LINK_FIRST]);
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, w.rec.v[LINK_SECOND]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v + LINK_CARRIER, LINK_INTS - LINK_CARRIER);
    }
    return st;
}

static mgc_status query_meters(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('T');
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "id microgrid carrier link member from_slot");

    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        if (!mgc__filter_passes(env, filter, w.rec.v[METER_MICROGRID], 0, w.rec.v[METER_CARRIER])) continue;
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 4));
        if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, w.rec.v[METER_MICROGRID]);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v + METER_CARRIER, METER_FROM - METER_CARRIER + 1);
    }
    return st;
}

/* Public: a commitment tells nothing before it is opened. */
static mgc_status query_commitments(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc__key prefix = mgc__key_of('C');
    uint64_t id = UINT64_MAX;
    mgc__walk w;
    mgc_status st = mgc_rows_begin(rows, "member number kind slot hash height opened");

    if (st == MGC_OK) st = mgc__query_number(env, filter->query, "member", &id);
    if (id != UINT64_MAX) prefix = mgc__key_u32(prefix, id > UINT32_MAX ? 0 : (uint32_t)id);
    mgc__walk_begin(&w, env->contract, &prefix);
    while (st == MGC_OK && mgc__walk_next(env, &w)) {
        st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 1, 4));
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)mgc__key_read(w.key, 5, 8));
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v, 2);
        if (st == MGC_OK) st = mgc_rows_put_hex(rows, w.rec.data, w.rec.data_len);
        if (st == MGC_OK) st = mgc__rows_put_ints(rows, w.rec.v + COMMIT_HEIGHT, 2);
    }
    return st;
}

static const mgc__answer answers[] = {
    {"accounts", "microgrid", mgc__query_accounts},
    {"transfers", "account", mgc__query_transfers},
    {"history", "contract|key", mgc__query_history},
    {"parameters", "", query_parameters},
    {"members", "", query_members},
    {"microgrids", "", query_microgrids},
    {"links", "", query_links},
    {"meters", "microgrid|carrier", query_meters},
    {"commitments", "member", query_commitments},
};

const mgc__built_in mgc__information = {
    .id = MGC_CONTRACT_INFORMATION,
    .code_version = 1,
    .name = "information",
    .rules = rules,
    .n_rules = MGC__COUNT(rules),
    .answers = answers,
    .n_answers = MGC__COUNT(answers),
};
