/* SPDX-License-Identifier: Apache-2.0 */
/* A contract of one's own, beside the built-in ones: planned outages, of which no two may fall into the same slot
 * (the grid of the alliance survives one at a time).  Every member executes the same code over the same records, so
 * that nobody has to be trusted with the calendar.
 *
 *   cc own_contract.c transact.c $(pkg-config --cflags --libs mgchain) -o own_contract && ./own_contract FOLDER */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "transact.h"

enum { OUTAGES = MGC_CONTRACT_HOST, VALIDATOR = 0, ADMINISTRATOR = 1, ADA = 2, BEN = 3, KEYS, SLOT_BYTES = 8 };

/* --- the contract ------------------------------------------------------------------------------ */

/* announce(slot): refused where somebody else has it.  The argument and the record's key are the slot, 8 bytes
 * big-endian; the value is the member.  What it has done is undone where it refuses, and the sentence stands in the
 * receipt. */
static int32_t execute(void *user, mgc_env *env, const mgc_call *call)
{
    const uint8_t *holder;
    uint32_t member, role;
    size_t len;

    (void)user;
    if (call->method_len != 8 || memcmp(call->method, "announce", 8) != 0)
        return mgc_env_refuse(env, MGC_E_NOT_FOUND, "there is only announce");
    if (call->arguments_len != SLOT_BYTES) return mgc_env_refuse(env, MGC_E_SCHEMA, "a slot has 8 bytes");
    /* enrolled, not revoked, holds the role: checked before we are called */
    TRY(mgc_env_signer(env, 0, &member, &role));
    if (role != MGC_ROLE_MANAGER) return mgc_env_refuse(env, MGC_E_FORBIDDEN, "managers announce outages");
    mgc_status st = mgc_env_get(env, call->arguments, SLOT_BYTES, &holder, &len);
    if (st == MGC_OK)
        return mgc_env_refuse(env, MGC_E_EXISTS, "member %u has an outage in this slot", (unsigned)holder[0]);
    if (st != MGC_E_NOT_FOUND) return st;
    TRY(mgc_env_put(env, call->arguments, SLOT_BYTES, &(uint8_t){(uint8_t)member}, 1));
    TRY(mgc_env_emit(env, "outage", call->arguments, SLOT_BYTES));
    return MGC_CB_DONE;
}

static int32_t query(void *user, mgc_env *env, const mgc_query *q, mgc_rows *rows)
{
    uint8_t after[SLOT_BYTES];
    const uint8_t *key, *value;
    size_t key_len, value_len, after_len = 0;

    (void)user;
    if (strcmp(q->what, "outages") != 0) return MGC_E_NOT_FOUND; /* not ours: the node asks on */
    TRY(mgc_rows_begin(rows, "slot member"));
    while (mgc_env_next(env, NULL, 0, after, after_len, &key, &key_len, &value, &value_len) == MGC_OK) {
        TRY(mgc_rows_put_int(rows, key[SLOT_BYTES - 1]));
        TRY(mgc_rows_put_int(rows, value[0]));
        memcpy(after, key, after_len = SLOT_BYTES);
    }
    return MGC_CB_DONE;
}

static mgc_contract contract_of_outages(void)
{
    mgc_contract c = {.struct_size = sizeof c,
                      .version = 1,
                      .id = OUTAGES,
                      .code_version = 1,
                      .name = "outages",
                      .execute = execute,
                      .query = query};

    /* in earnest: the hash of the reviewed code, the same at all members */
    memset(c.code_hash, 0x42, sizeof c.code_hash);
    return c;
}

/* --- an alliance that uses it ------------------------------------------------------------------- */

struct world {
    mgc_ctx *ctx;
    mgc_node *node;
    mgc_key *key[KEYS];
    uint64_t now_ms;
};

/* Let a block be built of what was handed in, and say what became of it. */
static mgc_status report(struct world *w, const char *what, uint64_t ticket)
{
    mgc_ticket_info info = {.struct_size = sizeof info};

    /* a host's loop calls mgc_node_step() instead, when time has come */
    TRY(mgc_node_flush(w->node, w->now_ms += 1000));
    TRY(mgc_ticket_state(w->node, ticket, &info));
    printf("%s: %s%s%s\n", what, mgc_status_name(info.status), info.rule[0] != '\0' ? ": " : "", info.rule);
    return MGC_OK;
}

static mgc_status enrol(struct world *w, const char *method, const char *words, size_t signers)
{
    signer by[2] = {{w->key[ADMINISTRATOR], MGC_ROLE_ADMINISTRATOR}, {w->key[VALIDATOR], MGC_ROLE_VALIDATOR}};
    uint64_t ticket;

    TRY(transact(w->ctx, w->node, MGC_CONTRACT_INFORMATION, method, words, by, signers, &ticket));
    return report(w, method, ticket);
}

/* The alliance, two members, and the contract, which works from the block after next on. */
static mgc_status found(struct world *w, const mgc_contract *contract)
{
    char words[400], hex[65];
    mgc_node_info info = {.struct_size = sizeof info};

    TRY(public_words(w->key[ADMINISTRATOR], hex));
    snprintf(words, sizeof words,
             "name=valley currency=EUR slot_ms=3600000 gate_ms=3600000 gate_slots=24 window_ms=3600000 "
             "collateral_bp=1000 pending_blocks=1000 first_slot=0 administrator=%s",
             hex);
    TRY(enrol(w, "found", words, 2));
    for (uint32_t member = ADA; member <= BEN; member++) {
        TRY(public_words(w->key[member], hex));
        snprintf(words, sizeof words, "id=%u organisation=1 name=m%u roles=%u key=%s from_height=0", (unsigned)member,
                 (unsigned)member, 1u << MGC_ROLE_MANAGER, hex);
        TRY(enrol(w, "member", words, 1));
    }
    TRY(mgc_node_get_info(w->node, &info));
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", contract->code_hash[i]);
    snprintf(words, sizeof words, "id=%d version=1 code_hash=%s activation_height=%u name=outages", OUTAGES, hex,
             (unsigned)info.height + 2);
    return enrol(w, "deploy", words, 1);
}

static mgc_status announce(struct world *w, uint32_t member, uint8_t slot)
{
    uint64_t ticket;

    TRY(transact_bytes(w->node, OUTAGES, "announce", (uint8_t[SLOT_BYTES]){[SLOT_BYTES - 1] = slot}, SLOT_BYTES,
                       &(signer){w->key[member], MGC_ROLE_MANAGER}, 1, &ticket));
    return report(w, member == ADA ? "ada announces" : "ben announces", ticket);
}

static mgc_status use(struct world *w)
{
    mgc_rows *rows;
    const mgc_row *row;

    TRY(announce(w, ADA, 7));
    TRY(announce(w, BEN, 7)); /* refused: one at a time */
    TRY(announce(w, BEN, 8));
    TRY(mgc_node_query(w->node, 0, "outages", NULL, &rows));
    while (mgc_rows_next(rows, &row) == MGC_ROW)
        printf("slot %s: member %s\n", mgc_row_text(row, "slot"), mgc_row_text(row, "member"));
    mgc_rows_destroy(rows);
    return MGC_OK;
}

int main(int argc, char **argv)
{
    struct world w = {.now_ms = 1718000000000};
    mgc_contract contract = contract_of_outages();
    mgc_storage_ops ops;
    mgc_node_opts opts;
    void *store = NULL;

    mgc_status st = mgc_ctx_create(NULL, &w.ctx);
    for (uint32_t i = 0; st == MGC_OK && i < KEYS; i++) st = toy_key(w.ctx, i, &w.key[i]);
    if (st == MGC_OK) st = mgc_storage_files(w.ctx, argc > 1 ? argv[1] : "ledger", 1, &ops, &store);
    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.key = w.key[VALIDATOR];
    opts.genesis_time_ms = w.now_ms;
    if (st == MGC_OK) st = mgc_node_create(w.ctx, &opts, &w.node);
    if (st == MGC_OK) st = mgc_node_set_storage(w.node, &ops, store);
    if (st == MGC_OK) st = mgc_node_add_contract(w.node, &contract, NULL); /* copied; before start */
    if (st == MGC_OK) st = mgc_node_start(w.node);
    if (st == MGC_OK) st = found(&w, &contract);
    if (st == MGC_OK) st = use(&w);
    if (st != MGC_OK) fprintf(stderr, "%s: %s\n", mgc_status_name(st), w.ctx != NULL ? mgc_ctx_error(w.ctx) : "");
    mgc_node_destroy(w.node); /* before the store that it writes to */
    mgc_storage_files_destroy(store);
    for (uint32_t i = 0; i < KEYS; i++) mgc_key_destroy(w.key[i]);
    mgc_ctx_destroy(w.ctx);
    return st == MGC_OK ? 0 : 1;
}
