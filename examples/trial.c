/* SPDX-License-Identifier: Apache-2.0 */
#include "trial.h"

#include <stdio.h>

/* Let a block be built of what was handed in, and say what became of it. */
static mgc_status report(trial *t, const char *what, uint64_t ticket)
{
    mgc_ticket_info info = {.struct_size = sizeof info};

    /* a host's loop calls mgc_node_step() instead, when time has come */
    TRY(mgc_node_flush(t->node, t->now_ms += 1000));
    TRY(mgc_ticket_state(t->node, ticket, &info));
    printf("%s: %s%s%s\n", what, mgc_status_name(info.status), info.rule[0] != '\0' ? ": " : "", info.rule);
    return MGC_OK;
}

static mgc_status enrol(trial *t, const char *method, const char *words, size_t signers)
{
    signer by[2] = {{t->key[ADMINISTRATOR], MGC_ROLE_ADMINISTRATOR}, {t->key[VALIDATOR], MGC_ROLE_VALIDATOR}};
    uint64_t ticket;

    TRY(transact(t->ctx, t->node, MGC_CONTRACT_INFORMATION, method, words, by, signers, &ticket));
    return report(t, method, ticket);
}

/* The alliance, two members, and the contract, which works from the block after next on. */
static mgc_status found(trial *t, const mgc_contract *contract)
{
    char words[400], hex[65];
    mgc_node_info info = {.struct_size = sizeof info};

    TRY(public_words(t->key[ADMINISTRATOR], hex));
    snprintf(words, sizeof words,
             "name=valley currency=EUR slot_ms=3600000 gate_ms=3600000 gate_slots=24 window_ms=3600000 "
             "collateral_bp=1000 pending_blocks=1000 first_slot=0 administrator=%s",
             hex);
    TRY(enrol(t, "found", words, 2));
    for (uint32_t member = ADA; member <= BEN; member++) {
        TRY(public_words(t->key[member], hex));
        snprintf(words, sizeof words, "id=%u organisation=1 name=m%u roles=%u key=%s from_height=0", (unsigned)member,
                 (unsigned)member, 1u << MGC_ROLE_MANAGER, hex);
        TRY(enrol(t, "member", words, 1));
    }
    TRY(mgc_node_get_info(t->node, &info));
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", contract->code_hash[i]);
    snprintf(words, sizeof words, "id=%u version=1 code_hash=%s activation_height=%u name=%s",
             (unsigned)contract->id, hex, (unsigned)info.height + 2, contract->name);
    return enrol(t, "deploy", words, 1);
}

mgc_status trial_call(trial *t, const char *what, uint32_t member, uint32_t contract, const char *method,
                      const uint8_t *arguments, size_t len)
{
    uint64_t ticket;

    TRY(transact_bytes(t->node, contract, method, arguments, len, &(signer){t->key[member], MGC_ROLE_MANAGER}, 1,
                       &ticket));
    return report(t, what, ticket);
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
