/* SPDX-License-Identifier: Apache-2.0 */
/* What the built-in contracts do alike: a call finds its rule, a query its answer, in the tables of its contract. */
#include "contract/contract.h"

/* The form of the arguments; what they mean is the rule's business. */
static int32_t check(void *user, mgc_env *env, const mgc_call *call)
{
    const mgc__method *method = mgc__method_find(env->contract, call->method, call->method_len);
    mgc__values values;
    mgc_status st;

    (void)user;
    if (method == NULL)
        return mgc_env_refuse(env, MGC_E_SCHEMA, "contract %" PRIu32 " has no method \"%.*s\"", env->contract,
                              (int)call->method_len, call->method);
    st = mgc__values_decode(method, call->arguments, call->arguments_len, &values);
    if (st == MGC_OK) return MGC_CB_DONE;
    return mgc_env_refuse(env, st, "arguments of %s, byte %zu: %s", method->name, values.where,
                          values.what == NULL ? "malformed" : values.what);
}

static int32_t execute(void *user, mgc_env *env, const mgc_call *call)
{
    const mgc__built_in *contract = user;
    const mgc__method *method = mgc__method_find(env->contract, call->method, call->method_len);
    mgc__values values;
    mgc_status st;

    assert(method != NULL); /* check() saw to it */
    st = mgc__values_decode(method, call->arguments, call->arguments_len, &values);
    assert(st == MGC_OK);
    for (size_t i = 0; i < contract->n_rules && st == MGC_OK; i++)
        if (strcmp(contract->rules[i].method, method->name) == 0) {
            st = contract->rules[i].handle(env, method, &values);
            return st == MGC_OK ? MGC_CB_DONE : st;
        }
    return mgc_env_refuse(env, MGC_E_INTERNAL, "method %s has no rule", method->name);
}

static int32_t query(void *user, mgc_env *env, const mgc_query *q, mgc_rows *rows)
{
    const mgc__built_in *contract = user;

    for (size_t i = 0; i < contract->n_answers; i++) {
        const mgc__answer *answer = &contract->answers[i];
        mgc__filter filter;
        mgc__page page;
        mgc_status st;

        if (strcmp(answer->what, q->what) != 0) continue;
        st = mgc__query_keys(env->ctx, q, answer->keys);
        if (st == MGC_OK) st = mgc__filter_read(env, q, &filter);
        if (st == MGC_OK) st = mgc__page_begin(env->ctx, q, env->homes.chain_id, rows, &page);
        env->page = &page;
        if (st == MGC_OK) st = answer->put(env, &filter, rows);
        env->page = NULL;
        if (st == MGC_OK) st = env->broken;
        return st == MGC_OK ? MGC_CB_DONE : st;
    }
    return MGC_E_NOT_FOUND;
}

mgc_contract mgc__built_in_contract(const mgc__built_in *built_in)
{
    mgc_contract contract = {.struct_size = sizeof contract,
                             .version = 1,
                             .id = built_in->id,
                             .code_version = built_in->code_version,
                             .name = built_in->name,
                             .check = check,
                             .execute = execute,
                             .on_slot = built_in->on_slot,
                             .query = query};

    mgc__code_hash(built_in->id, built_in->code_version, built_in->name, contract.code_hash);
    return contract;
}
