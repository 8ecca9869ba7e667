/* SPDX-License-Identifier: Apache-2.0 */
/* A contract of the host's own: a bank whose accounts may not go below zero, to try transfers with and to watch that
 * their total never changes (the "bank" workload of Jepsen).
 *
 * Arguments are 16 bytes, big-endian: first 4, second 4, amount 8.
 *   open      first: account, amount: what it begins with, out of the bank's account 0; administrator
 *   transfer  first to second
 * A transfer's id is the nonce of a counter, so that every one stands in the books by its own. */
#include "node.h"

static uint64_t number(const uint8_t *at, size_t n)
{
    uint64_t x = 0;

    for (size_t i = 0; i < n; i++) x = x << 8 | at[i];
    return x;
}

/* Ids of a contract's accounts and transfers begin with its number. */
static void own_id(uint64_t x, uint8_t id[16])
{
    memset(id, 0, 16);
    id[3] = BANK_CONTRACT;
    for (int i = 0; i < 8; i++) id[15 - i] = (uint8_t)(x >> 8 * i);
}

static mgc_status move(mgc_env *env, uint64_t from, uint64_t to, uint64_t amount)
{
    mgc_transfer_info t = {.struct_size = sizeof t, .unit = MGC_UNIT_HOST, .code = 1, .amount = amount};
    uint8_t counter[8] = {0};
    const uint8_t *kept;
    size_t len;
    mgc_status st = mgc_env_get(env, (const uint8_t *)"n", 1, &kept, &len);

    if (st == MGC_OK) memcpy(counter, kept, sizeof counter);
    else if (st != MGC_E_NOT_FOUND) return st;
    uint64_t n = number(counter, 8) + 1;
    for (int i = 0; i < 8; i++) counter[7 - i] = (uint8_t)(n >> 8 * i);
    st = mgc_env_put(env, (const uint8_t *)"n", 1, counter, sizeof counter);
    own_id(n, t.id);
    own_id(from, t.debit_account);
    own_id(to, t.credit_account);
    return st == MGC_OK ? mgc_env_transfer(env, &t) : st;
}

static mgc_status open_account(mgc_env *env, uint64_t account, uint64_t amount)
{
    mgc_account_info a = {.struct_size = sizeof a, .unit = MGC_UNIT_HOST, .code = 1};
    mgc_status st;

    own_id(0, a.id);
    st = mgc_env_open_account(env, &a);
    own_id(account, a.id);
    a.flags = MGC_ACCOUNT_DEBITS_BOUNDED;
    if (st == MGC_OK && mgc_env_account(env, a.id, &(mgc_account_info){.struct_size = sizeof a}) == MGC_OK)
        return mgc_env_refuse(env, MGC_E_EXISTS, "the account is open already");
    if (st == MGC_OK) st = mgc_env_open_account(env, &a);
    return st == MGC_OK && amount > 0 ? move(env, 0, account, amount) : st;
}

static bool by_administrator(mgc_env *env)
{
    uint32_t member, role;

    for (uint32_t i = 0; mgc_env_signer(env, i, &member, &role) == MGC_OK; i++)
        if (role == MGC_ROLE_ADMINISTRATOR) return true;
    return false;
}

static int32_t execute(void *user, mgc_env *env, const mgc_call *call)
{
    bool open = call->method_len == 4 && memcmp(call->method, "open", 4) == 0;
    bool transfer = call->method_len == 8 && memcmp(call->method, "transfer", 8) == 0;
    uint64_t first, second, amount;
    mgc_status st;

    (void)user;
    if ((!open && !transfer) || call->arguments_len != BANK_ARGUMENTS)
        return mgc_env_refuse(env, MGC_E_SCHEMA, "open and transfer, with 16 bytes of arguments");
    first = number(call->arguments, 4);
    second = number(call->arguments + 4, 4);
    amount = number(call->arguments + 8, 8);
    if (first == 0 || (transfer && (second == 0 || second == first)))
        return mgc_env_refuse(env, MGC_E_RANGE, "accounts have numbers from 1, and the two of a transfer differ");
    if (open && !by_administrator(env)) return mgc_env_refuse(env, MGC_E_MISSING_SIGNER, "an administrator opens accounts");
    st = open ? open_account(env, first, amount) : move(env, first, second, amount);
    return st == MGC_OK ? MGC_CB_DONE : st;
}

/* "bank": every account with its balance, from one state. */
static int32_t query(void *user, mgc_env *env, const mgc_query *q, mgc_rows *rows)
{
    mgc_status st;

    (void)user;
    if (strcmp(q->what, "bank") != 0) return MGC_E_NOT_FOUND;
    st = mgc_rows_begin(rows, "account balance");
    for (uint32_t account = 1; st == MGC_OK && account < 10000; account++) {
        mgc_account_info a = {.struct_size = sizeof a};
        uint8_t id[16];
        own_id(account, id);
        if (mgc_env_account(env, id, &a) != MGC_OK) break;
        st = mgc_rows_put_int(rows, account);
        if (st == MGC_OK) st = mgc_rows_put_int(rows, (int64_t)a.credits_posted - (int64_t)a.debits_posted);
    }
    return st == MGC_OK ? MGC_CB_DONE : st;
}

const mgc_contract bank_contract = {.struct_size = sizeof(mgc_contract), .version = 1, .id = BANK_CONTRACT, .code_version = 1,
                                    .name = "bank", .code_hash = {0xba}, .execute = execute, .query = query};
