/* SPDX-License-Identifier: Apache-2.0 */
/* What a contract may do between chains: lock on its own, credit what was locked on another.
 *
 * The ledger keeps the promise (ledger/cross.c): an amount is credited once or returned, whatever the contracts do.  Here
 * stands only whose it is: a lock bears the number of the contract that makes and ends it and takes what that contract may
 * debit; a host's contract credits its own accounts or the money of a microgrid, so that none can take another's lock
 * from under it. */
#include "contract/contract.h"

/* [bytes] what verifying a proof counts for: as many signatures as a chain has members, at 64 KiB each. */
#define PROOF_COST ((size_t)MGC_MEMBERS_MAX << 16)

/* The ledger's answer, with its sentence where it refused. */
static mgc_status answered(mgc_env *env, mgc_status st)
{
    if (st != MGC_OK && !mgc__is_fatal(st)) (void)mgc_env_refuse(env, st, "%s", mgc__exec_rule(env->exec));
    return mgc__env_keep(env, st);
}

static mgc_status owned(mgc_env *env, const uint8_t id[16])
{
    if (mgc__env_owns(env, id)) return MGC_OK;
    return mgc_env_refuse(env, MGC_E_FORBIDDEN, "a lock of contract %" PRIu32 " must begin with its number", env->contract);
}

mgc_status mgc_env_other_chain(mgc_env *env, const char *name, uint8_t *chain_id)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    const mgc__state *state;
    mgc_chain *other;
    mgc_status st = mgc__env_meter(env, 32);

    memset(chain_id, 0, 32);
    if (st != MGC_OK) return st;
    st = mgc__chain_other(env->chain, name, &state, NULL, NULL);
    if (st != MGC_OK) return st;
    st = mgc_ledger_chain(mgc__chain_ledger(env->chain), name, &other);
    if (st == MGC_OK) st = mgc_chain_get_info(other, &info);
    if (st == MGC_OK) memcpy(chain_id, info.chain_id, 32);
    return mgc__env_keep(env, st);
}

mgc_status mgc_env_lock(mgc_env *env, const mgc_lock_info *lock)
{
    mgc_lock_info l = {.struct_size = sizeof l};
    mgc__lock terms = {0};
    mgc_status st = mgc__env_writable(env, 16, sizeof l);

    if (st != MGC_OK) return st;
    st = mgc__opts_read(&l, sizeof l, MGC__FIRST_SIZE(mgc_lock_info, height), lock);
    if (st != MGC_OK) return mgc_env_refuse(env, st, "a lock's struct_size is not one this library knows");
    if (l.reserved0 != 0) return mgc_env_refuse(env, MGC_E_INVALID_ARG, "a lock's reserved0 is not 0");
    st = owned(env, l.id);
    if (st == MGC_OK) st = mgc__env_may_debit(env, l.debit_account);
    if (st != MGC_OK) return st;
    memcpy(terms.id, l.id, 16);
    memcpy(terms.debit_account, l.debit_account, 16);
    memcpy(terms.target_chain, l.target_chain, 32);
    memcpy(terms.target_account, l.target_account, 16);
    terms.amount = l.amount;
    terms.expires_ms = l.expires_ms;
    terms.unit = l.unit;
    terms.code = l.code;
    return answered(env, mgc__lock_create(env->exec, &terms));
}

mgc_status mgc_env_lock_get(mgc_env *env, const char *chain, const uint8_t *id, mgc_lock_info *lock)
{
    mgc_transfer_info transfer = {.struct_size = sizeof transfer};
    mgc_lock_info filled = {.struct_size = sizeof filled};
    const mgc__state *state = env->state;
    mgc__lock l;
    mgc_status st = mgc__env_meter(env, sizeof filled);

    if (st == MGC_OK && chain != NULL) st = mgc__chain_other(env->chain, chain, &state, NULL, NULL);
    if (st == MGC_OK) st = mgc__env_keep(env, mgc__lock_get(state, id, &l));
    if (st == MGC_OK) st = mgc__env_keep(env, mgc__transfer_get(state, id, &transfer));
    if (st != MGC_OK) return st;
    memcpy(filled.id, l.id, 16);
    memcpy(filled.debit_account, transfer.debit_account, 16);
    memcpy(filled.target_chain, l.target_chain, 32);
    memcpy(filled.target_account, l.target_account, 16);
    filled.amount = l.amount;
    filled.expires_ms = l.expires_ms;
    filled.unit = l.unit;
    filled.code = l.code;
    filled.state = l.state;
    filled.height = l.height;
    return mgc__info_write(lock, &filled, sizeof filled, MGC__FIRST_SIZE(mgc_lock_info, height));
}

/* May a contract give to this account what comes from another chain? */
static mgc_status may_credit(mgc_env *env, const uint8_t source_chain[32], const uint8_t id[16])
{
    mgc_transfer_info t = {.struct_size = sizeof t};
    mgc_account_info account = {.struct_size = sizeof account};
    uint8_t credited[16];
    mgc_status st;

    if (env->functional) return MGC_OK;
    mgc__id_derive(credited, "lock-credit", source_chain, 32, id, 16);
    st = mgc__transfer_get(env->state, credited, &t);
    if (st == MGC_OK && mgc__env_owns(env, t.credit_account)) return MGC_OK;
    if (st == MGC_OK) st = mgc__account_get(env->state, t.credit_account, &account);
    if (st != MGC_OK) return mgc__env_keep(env, MGC_E_INTERNAL); /* it was made just now */
    if (mgc__key_read(t.credit_account, 0, 4) == MGC_CONTRACT_INFORMATION && account.code == MGC_ACCOUNT_MONEY) return MGC_OK;
    return mgc_env_refuse(env, MGC_E_FORBIDDEN, "contract %" PRIu32 " credits its own accounts or a microgrid's money",
                          env->contract);
}

/* It was credited: keep it or undo it. */
static mgc_status credited(mgc_env *env, const uint8_t source_chain[32], const uint8_t id[16], mgc__mark mark, mgc_status st)
{
    if (st != MGC_OK) return answered(env, st);
    st = may_credit(env, source_chain, id);
    if (st != MGC_OK) mgc__exec_undo(env->exec, mark);
    return st;
}

mgc_status mgc_env_credit(mgc_env *env, const char *source_chain, const uint8_t *id)
{
    uint8_t source[32];
    mgc__mark mark;
    mgc_status st = mgc__env_writable(env, 16, sizeof(mgc_transfer_info));

    if (st != MGC_OK) return st;
    st = mgc_env_other_chain(env, source_chain, source);
    if (st == MGC_E_NOT_FOUND) return mgc_env_refuse(env, st, "there is no such other chain");
    if (st != MGC_OK) return st;
    mark = mgc__exec_mark(env->exec);
    return credited(env, source, id, mark, mgc__lock_credit(env->exec, source_chain, id));
}

mgc_status mgc_env_credit_proof(mgc_env *env, const uint8_t *source_chain, const uint8_t *id, const uint8_t *proof, size_t len)
{
    mgc__mark mark;
    mgc_status st = mgc__env_writable(env, 16, sizeof(mgc_transfer_info));

    if (st == MGC_OK) st = mgc__env_meter(env, PROOF_COST);
    if (st != MGC_OK) return st;
    mark = mgc__exec_mark(env->exec);
    return credited(env, source_chain, id, mark, mgc__lock_credit_proof(env->exec, source_chain, id, proof, len));
}

mgc_status mgc_env_settle_lock(mgc_env *env, const uint8_t *id)
{
    mgc_status st = mgc__env_writable(env, 16, sizeof(mgc_transfer_info));

    if (st == MGC_OK) st = owned(env, id);
    return st != MGC_OK ? st : answered(env, mgc__lock_settle(env->exec, id));
}

mgc_status mgc_env_settle_lock_proof(mgc_env *env, const uint8_t *id, const uint8_t *proof, size_t len)
{
    mgc_status st = mgc__env_writable(env, 16, sizeof(mgc_transfer_info));

    if (st == MGC_OK) st = mgc__env_meter(env, PROOF_COST);
    if (st == MGC_OK) st = owned(env, id);
    return st != MGC_OK ? st : answered(env, mgc__lock_settle_proof(env->exec, id, proof, len));
}
