/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the credit contract, as its other files share them; doc/contracts.md 6.
 *
 *   M member       trading credit, suspended, credit when the epoch began
 *   N validator    consensus credit, convicted, bonus, low epochs; counted in the epoch: certificates, blocks led
 *   K              next epoch, first slot not wholly judged, certificates of the epoch; hash of the table */
#include "contract/credit.h"

mgc__key mgc__credit_member_key(int64_t member)
{
    return mgc__key_u32(mgc__key_of('M'), (uint32_t)member);
}

mgc__key mgc__credit_node_key(int64_t validator)
{
    return mgc__key_u32(mgc__key_of('N'), (uint32_t)validator);
}

mgc_status mgc__credit_of(mgc_env *env, int64_t member, mgc__rec *rec)
{
    mgc__key key = mgc__credit_member_key(member);
    mgc_status st = mgc__rec_get(env, MGC_CONTRACT_CREDIT, &key, rec);

    if (st != MGC_E_NOT_FOUND) return st;
    rec->v[CREDIT_TRADE] = rec->v[CREDIT_BEGAN] = CREDIT_START;
    return MGC_OK;
}

mgc_status mgc__credit_node(mgc_env *env, int64_t validator, mgc__rec *rec)
{
    mgc__key key = mgc__credit_node_key(validator);
    mgc_status st = mgc__rec_get(env, env->contract, &key, rec);

    if (st != MGC_E_NOT_FOUND) return st;
    rec->v[NODE_CREDIT] = CREDIT_START;
    return MGC_OK;
}

mgc_status mgc__credit_put_node(mgc_env *env, int64_t validator, const mgc__rec *rec)
{
    mgc__key key = mgc__credit_node_key(validator);

    assert(rec->v[NODE_CREDIT] >= 0 && rec->v[NODE_CREDIT] <= CREDIT_MAX); /* I8 */
    return mgc__rec_put_ints(env, &key, rec->v, NODE_INTS);
}

mgc_status mgc__credit_put_member(mgc_env *env, int64_t member, const mgc__rec *rec)
{
    mgc__key key = mgc__credit_member_key(member);

    assert(rec->v[CREDIT_TRADE] >= 0 && rec->v[CREDIT_TRADE] <= CREDIT_MAX); /* I8 */
    return mgc__rec_put_ints(env, &key, rec->v, CREDIT_INTS);
}

mgc_status mgc__credit_next(mgc_env *env, const mgc__market *market, mgc__rec *next)
{
    mgc__key key = mgc__key_of('K');
    mgc_status st = mgc__rec_get(env, env->contract, &key, next);

    if (st == MGC_E_NOT_FOUND) {
        next->v[NEXT_EPOCH] = 1;
        next->v[NEXT_SLOT] = (int64_t)market->first_slot;
        st = MGC_OK;
    }
    return st;
}

mgc_status mgc__credit_alert(mgc_env *env, const char *what, int64_t number)
{
    mgc__key key = mgc__key_u32(mgc__key_of('a'), (uint32_t)number);

    return mgc_env_emit(env, what, key.bytes + 1, key.len - 1);
}
