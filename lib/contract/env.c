/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a running contract: all that it can see and do, counted. */
#include <stdio.h>

#include "contract/contract.h"

enum { CALL_COST = 64 }; /* [bytes] what a call costs beside what it carries */

mgc_status mgc__env_keep(mgc_env *env, mgc_status status)
{
    if (env->broken == MGC_OK && status != MGC_OK && (mgc__is_fatal(status) || status == MGC_E_CONTRACT))
        env->broken = status;
    return status;
}

mgc_status mgc__env_meter(mgc_env *env, size_t bytes)
{
    if (env->broken != MGC_OK) return env->broken;
    env->calls++;
    env->bytes += (uint64_t)bytes + CALL_COST;
    if (env->exec == NULL || env->at_gate) return MGC_OK; /* a query is bounded by its rows, and concerns nobody else */
    if (env->calls > MGC_CALLS_MAX || env->bytes > MGC_CALL_BYTES_MAX) {
        (void)mgc_env_refuse(env, MGC_E_CONTRACT, "contract %" PRIu32 " used more than %d calls or %d bytes",
                             env->contract, MGC_CALLS_MAX, MGC_CALL_BYTES_MAX);
        return mgc__env_keep(env, MGC_E_CONTRACT);
    }
    return MGC_OK;
}

bool mgc__env_half_spent(const mgc_env *env)
{
    return env->calls > MGC_CALLS_MAX / 2 || env->bytes > MGC_CALL_BYTES_MAX / 2;
}

const uint8_t *mgc_env_chain_id(const mgc_env *env)
{
    return env->homes.chain_id;
}

uint64_t mgc_env_height(const mgc_env *env)
{
    return env->height;
}

uint64_t mgc_env_time_ms(const mgc_env *env)
{
    return env->time_ms;
}

int32_t mgc_env_signed(const mgc_env *env, uint32_t member, uint32_t role)
{
    for (uint32_t i = 0; i < env->n_signers; i++)
        if (member != 0 && env->signers[i].member == member && env->signers[i].role == role) return 1;
    return 0;
}

uint32_t mgc__env_signed_as(const mgc_env *env, uint32_t role)
{
    for (uint32_t i = 0; i < env->n_signers; i++)
        if (env->signers[i].member != 0 && env->signers[i].role == role) return env->signers[i].member;
    return 0;
}

const mgc_member *mgc__env_validator(const mgc_env *env, const uint8_t *key)
{
    uint32_t n = 0;
    const mgc_member *members = env->exec == NULL ? NULL : mgc__chain_members(mgc__exec_chain(env->exec), &n);

    for (uint32_t i = 0; i < n; i++)
        if (memcmp(members[i].public_key, key, 32) == 0) return &members[i];
    return NULL;
}

mgc_status mgc_env_signer(const mgc_env *env, uint32_t index, uint32_t *member, uint32_t *role)
{
    if (env == NULL || index >= env->n_signers) return MGC_E_NOT_FOUND;
    if (member != NULL) *member = env->signers[index].member;
    if (role != NULL) *role = env->signers[index].role;
    return MGC_OK;
}

mgc_status mgc_env_refuse(mgc_env *env, mgc_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)mgc__vformat(env->rule, sizeof env->rule, format, args);
    va_end(args);
    return status;
}

/* --- records -------------------------------------------------------------------------------------- */

mgc_status mgc__env_peek(mgc_env *env, uint32_t contract, const uint8_t *key, size_t key_len, const uint8_t **value,
                         size_t *value_len)
{
    const mgc__state *state = mgc__state_of(&env->homes, contract);
    mgc_status st;

    assert(env->functional || contract == env->contract);
    *value = NULL;
    *value_len = 0;
    st = mgc__env_meter(env, key_len);
    if (st != MGC_OK) return st;
    if (state == NULL) return MGC_E_NOT_FOUND;
    st = mgc__record_get(state, contract, key, key_len, value, value_len);
    if (st != MGC_OK) return mgc__env_keep(env, st);
    return mgc__env_meter(env, *value_len);
}

mgc_status mgc_env_get(mgc_env *env, const uint8_t *key, size_t key_len, const uint8_t **value, size_t *value_len)
{
    return mgc__env_peek(env, env->contract, key, key_len, value, value_len);
}

mgc_status mgc__env_writable(mgc_env *env, size_t key_len, size_t value_len)
{
    if (env->exec == NULL) return mgc_env_refuse(env, MGC_E_STATE, "a query changes nothing");
    if (key_len == 0 || key_len > MGC_RECORD_KEY_MAX || value_len > MGC_RECORD_VALUE_MAX) {
        (void)mgc_env_refuse(env, MGC_E_CONTRACT,
                             "a record's key has %zu bytes and its value %zu; allowed 1..%d and %d", key_len,
                             value_len, MGC_RECORD_KEY_MAX, MGC_RECORD_VALUE_MAX);
        return mgc__env_keep(env, MGC_E_CONTRACT);
    }
    return mgc__env_meter(env, key_len + value_len);
}

mgc_status mgc_env_put(mgc_env *env, const uint8_t *key, size_t key_len, const uint8_t *value, size_t value_len)
{
    mgc_status st = mgc__env_writable(env, key_len, value_len);

    if (st != MGC_OK) return st;
    return mgc__env_keep(env, mgc__record_put(env->exec, env->contract, key, key_len, value, value_len));
}

mgc_status mgc_env_remove(mgc_env *env, const uint8_t *key, size_t key_len)
{
    mgc_status st = mgc__env_writable(env, key_len, 0);

    if (st != MGC_OK) return st;
    return mgc__env_keep(env, mgc__record_remove(env->exec, env->contract, key, key_len));
}

mgc_status mgc_env_next(mgc_env *env, const uint8_t *prefix, size_t prefix_len, const uint8_t *after,
                        size_t after_len, const uint8_t **key, size_t *key_len, const uint8_t **value,
                        size_t *value_len)
{
    mgc__record_cursor cursor;
    mgc_status st = mgc__env_meter(env, prefix_len + after_len);

    if (st != MGC_OK) return st;
    if (prefix_len == 0) prefix = (const uint8_t *)"";
    if (prefix_len > MGC_RECORD_KEY_MAX || after_len > MGC_RECORD_KEY_MAX)
        return mgc_env_refuse(env, MGC_E_CONTRACT, "a key is over %d bytes", MGC_RECORD_KEY_MAX);
    if (after_len > 0 && (after_len < prefix_len || memcmp(after, prefix, prefix_len) != 0))
        return mgc_env_refuse(env, MGC_E_CONTRACT, "after does not begin with the prefix");
    if (after_len > 0)
        mgc__record_after(&cursor, env->contract, prefix, prefix_len, after, after_len);
    else
        mgc__record_first(&cursor, env->contract, prefix, prefix_len);
    if (!mgc__record_next(env->state, &cursor)) return MGC_E_NOT_FOUND;
    if (key != NULL) *key = cursor.key;
    if (key_len != NULL) *key_len = cursor.key_len;
    if (value != NULL) *value = cursor.value;
    if (value_len != NULL) *value_len = cursor.value_len;
    return mgc__env_meter(env, cursor.key_len + cursor.value_len);
}

/* --- accounts and transfers ------------------------------------------------------------------------ */

bool mgc__env_owns(const mgc_env *env, const uint8_t id[16])
{
    return mgc__key_read(id, 0, 4) == env->contract;
}

mgc_status mgc_env_open_account(mgc_env *env, const mgc_account_info *account)
{
    mgc_status st = mgc__env_writable(env, 16, sizeof *account);

    if (st != MGC_OK) return st;
    if (!env->functional && !mgc__env_owns(env, account->id))
        return mgc_env_refuse(env, MGC_E_FORBIDDEN, "an account of contract %" PRIu32 " must begin with its number",
                              env->contract);
    st = mgc__account_create(env->exec, account, NULL);
    return mgc__env_keep(env, st);
}

mgc_status mgc_env_account(mgc_env *env, const uint8_t *id, mgc_account_info *account)
{
    mgc_status st = mgc__env_meter(env, sizeof *account);

    if (st != MGC_OK) return st;
    account->struct_size = sizeof *account;
    return mgc__env_keep(env, mgc__account_get(env->state, id, account));
}

mgc_status mgc__env_may_debit(mgc_env *env, const uint8_t id[16])
{
    mgc_account_info account = {.struct_size = sizeof account};
    const mgc__state *information = mgc__state_of(&env->homes, MGC_CONTRACT_INFORMATION);
    mgc__key key;
    const uint8_t *bytes;
    size_t len;
    mgc__rec grid;
    mgc_status st;

    if (env->functional || mgc__env_owns(env, id)) return MGC_OK;
    st = mgc__env_keep(env, mgc__account_get(env->state, id, &account));
    if (st != MGC_OK)
        return mgc_env_refuse(env, mgc__is_fatal(st) ? st : MGC_E_ACCOUNT, "the debited account does not exist");
    if (mgc__key_read(id, 0, 4) != MGC_CONTRACT_INFORMATION || account.code != MGC_ACCOUNT_MONEY)
        return mgc_env_refuse(env, MGC_E_FORBIDDEN, "contract %" PRIu32 " may not debit an account of another",
                              env->contract);
    key = mgc__key_u32(mgc__key_of('G'), account.user_data_32);
    st = information == NULL ? MGC_E_NOT_FOUND
                             : mgc__env_keep(env, mgc__record_get(information, MGC_CONTRACT_INFORMATION, key.bytes,
                                                                  key.len, &bytes, &len));
    if (st == MGC_OK && mgc__rec_decode(bytes, len, &grid) == MGC_OK &&
        mgc_env_signed(env, (uint32_t)grid.v[GRID_MANAGER], MGC_ROLE_MANAGER))
        return MGC_OK;
    if (mgc__is_fatal(st)) return st;
    return mgc_env_refuse(env, MGC_E_FORBIDDEN, "the manager of microgrid %" PRIu32 " did not sign",
                          account.user_data_32);
}

mgc_status mgc_env_transfer(mgc_env *env, const mgc_transfer_info *transfer)
{
    mgc_status st = mgc__env_writable(env, 16, sizeof *transfer);

    if (st != MGC_OK) return st;
    if (!mgc__env_owns(env, transfer->id))
        return mgc_env_refuse(env, MGC_E_FORBIDDEN, "a transfer of contract %" PRIu32 " must begin with its number",
                              env->contract);
    if ((transfer->flags & (MGC_TRANSFER_POST | MGC_TRANSFER_VOID)) != 0) {
        if (!env->functional && !mgc__env_owns(env, transfer->pending_id))
            return mgc_env_refuse(env, MGC_E_FORBIDDEN, "the pending transfer belongs to another contract");
    } else {
        st = mgc__env_may_debit(env, transfer->debit_account);
        if (st != MGC_OK) return st;
    }
    st = mgc__transfer_create(env->exec, transfer);
    if (st != MGC_OK && !mgc__is_fatal(st)) (void)mgc_env_refuse(env, st, "%s", mgc__exec_rule(env->exec));
    return mgc__env_keep(env, st);
}

mgc_status mgc_env_emit(mgc_env *env, const char *name, const uint8_t *payload, size_t len)
{
    mgc_status st = mgc__env_writable(env, 1, len);

    if (st != MGC_OK) return st;
    if (name == NULL || name[0] == '\0' || strlen(name) > MGC_EVENT_NAME_MAX)
        return mgc_env_refuse(env, MGC_E_CONTRACT, "an event's name has 1..%d bytes", MGC_EVENT_NAME_MAX);
    return mgc__env_keep(env, mgc__exec_emit(env->exec, env->contract, name, payload, len));
}
