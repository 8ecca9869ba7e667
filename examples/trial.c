/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include <stdio.h>

/* Let it be signed, handed in and executed in a block, and say what became of it. */
static mgc_status report(trial *t, const char *what, mgc_node_call_opts *call)
{
    mgc_ticket_info info = {.struct_size = sizeof info};

    call->now_ms = t->now_ms += 1000;
    TRY(mgc_node_call(t->node, call, NULL, &info));
    printf("%s: %s%s%s\n", what, mgc_status_name(info.status), info.rule[0] != '\0' ? ": " : "", info.rule);
    return MGC_OK;
}

static mgc_status enrol(trial *t, const char *method, const char *words, size_t signers)
{
    const mgc_signer by[2] = {{.key = t->key[ADMINISTRATOR], .role = MGC_ROLE_ADMINISTRATOR},
                              {.key = t->key[VALIDATOR], .role = MGC_ROLE_VALIDATOR}};
    mgc_node_call_opts call;

    mgc_node_call_opts_init(&call, sizeof call);
    call.contract = MGC_CONTRACT_INFORMATION;
    call.method = method;
    call.words = words;
    call.signers = by;
    call.n_signers = signers;
    return report(t, method, &call);
}

/* The alliance, two members, and the contract, which works from the block after next on. */
static mgc_status found(trial *t, const mgc_contract *contract)
{
    char words[400], digits[65];
    mgc_node_info info = {.struct_size = sizeof info};

    TRY(public_digits(t->key[ADMINISTRATOR], digits));
    snprintf(words, sizeof words,
             "name=valley&currency=EUR&slot_ms=3600000&gate_ms=3600000&gate_slots=24&window_ms=3600000&"
             "collateral_bp=1000&pending_blocks=1000&first_slot=0&administrator=%s",
             digits);
    TRY(enrol(t, "found", words, 2));
    for (uint32_t member = ADA; member <= BEN; member++) {
        TRY(public_digits(t->key[member], digits));
        snprintf(words, sizeof words, "id=%u&organisation=1&name=m%u&roles=%u&key=%s&from_height=0", (unsigned)member,
                 (unsigned)member, 1u << MGC_ROLE_MANAGER, digits);
        TRY(enrol(t, "member", words, 1));
    }
    TRY(mgc_node_get_info(t->node, &info));
    for (int i = 0; i < 32; i++) snprintf(digits + 2 * i, 3, "%02x", contract->code_hash[i]);
    snprintf(words, sizeof words, "id=%u&version=1&code_hash=%s&activation_height=%u&name=%s",
             (unsigned)contract->id, digits, (unsigned)info.height + 2, contract->name);
    return enrol(t, "deploy", words, 1);
}

mgc_status trial_call(trial *t, const char *what, uint32_t member, mgc_node_call_opts *call)
{
    call->signers = &(mgc_signer){.key = t->key[member], .role = MGC_ROLE_MANAGER};
    call->n_signers = 1;
    return report(t, what, call);
}

mgc_status trial_begin(trial *t, const char *folder, const mgc_contract *contract)
{
    mgc_storage_ops ops;
    mgc_node_opts opts;

    *t = (trial){.now_ms = 1718000000000};
    TRY(mgc_ctx_create(NULL, &t->ctx));
    for (uint32_t i = 0; i < KEYS; i++) TRY(toy_key(t->ctx, i, &t->key[i]));
    TRY(mgc_storage_files(t->ctx, folder, 1, &ops, &t->store));
    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.key = t->key[VALIDATOR];
    opts.genesis_time_ms = t->now_ms;
    TRY(mgc_node_create(t->ctx, &opts, &t->node));
    TRY(mgc_node_set_storage(t->node, &ops, t->store));
    TRY(mgc_node_add_contract(t->node, contract, NULL)); /* copied; before start */
    TRY(mgc_node_start(t->node));
    return found(t, contract);
}

void trial_end(trial *t)
{
    mgc_node_destroy(t->node); /* before the store that it writes to */
    mgc_storage_files_destroy(t->store);
    for (uint32_t i = 0; i < KEYS; i++) mgc_key_destroy(t->key[i]);
    mgc_ctx_destroy(t->ctx);
}
