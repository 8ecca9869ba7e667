/* SPDX-License-Identifier: Apache-2.0 */
/* A contract of one's own, beside the built-in ones: planned outages, of which no two may fall into the same slot
 * (the grid of the alliance survives one at a time).  Every member executes the same code over the same records, so
 * that nobody has to be trusted with the calendar.
 *
 *   cc own_contract.c trial.c toy_key.c $(pkg-config --cflags --libs mgchain) -o own_contract && ./own_contract FOLDER */
#include <stdio.h>
#include <string.h>

#include "trial.h"

enum { OUTAGES = MGC_CONTRACT_HOST, SLOT_BYTES = 8 };

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

/* --- in use ------------------------------------------------------------------------------------ */

static mgc_status announce(trial *t, uint32_t member, uint8_t slot)
{
    const uint8_t arguments[SLOT_BYTES] = {[SLOT_BYTES - 1] = slot};
    mgc_node_call_opts call;

    mgc_node_call_opts_init(&call, sizeof call);
    call.contract = OUTAGES;
    call.method = "announce";
    call.arguments = arguments;
    call.arguments_len = SLOT_BYTES;
    return trial_call(t, member == ADA ? "ada announces" : "ben announces", member, &call);
}

static mgc_status use(trial *t)
{
    mgc_rows *rows;
    const mgc_row *row;

    TRY(announce(t, ADA, 7));
    TRY(announce(t, BEN, 7)); /* refused: one at a time */
    TRY(announce(t, BEN, 8));
    TRY(mgc_node_query(t->node, 0, "outages", NULL, &rows));
    while (mgc_rows_next(rows, &row) == MGC_ROW)
        printf("slot %s: member %s\n", mgc_row_text(row, "slot"), mgc_row_text(row, "member"));
    mgc_rows_destroy(rows);
    return MGC_OK;
}

int main(int argc, char **argv)
{
    mgc_contract contract = contract_of_outages();
    trial t;

    mgc_status st = trial_begin(&t, argc > 1 ? argv[1] : "ledger", &contract);
    if (st == MGC_OK) st = use(&t);
    if (st != MGC_OK) fprintf(stderr, "%s: %s\n", mgc_status_name(st), t.ctx != NULL ? mgc_ctx_error(t.ctx) : "");
    trial_end(&t);
    return st == MGC_OK ? 0 : 1;
}
