/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about the books: accounts and the transfers that touch one. */
#include "contract/contract.h"

static mgc_status put_account(mgc_env *env, mgc_rows *rows, const mgc_account_info *a)
{
    mgc_status st = mgc_rows_put_hex(rows, a->id, sizeof a->id);

    if (st == MGC_OK) st = mgc_rows_put_int(rows, a->code);
    if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, a->user_data_32);
    if (st == MGC_OK) st = mgc_rows_put_int(rows, a->unit);
    return st != MGC_OK ? st
                        : mgc__rows_put_ints(rows,
                                             (int64_t[]){(int64_t)a->debits_pending, (int64_t)a->debits_posted,
                                                         (int64_t)a->credits_pending, (int64_t)a->credits_posted,
                                                         (int64_t)a->credits_posted - (int64_t)a->debits_posted},
                                             5);
}

mgc_status mgc__query_accounts(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc_account_info account = {.struct_size = sizeof account};
    const mgc__page *page = env->page;
    uint8_t after[MGC_ID_BYTES];
    bool begun = page->after_len == sizeof after;
    mgc_status st = mgc_rows_begin(
        rows, "id kind microgrid unit debits_pending debits_posted credits_pending credits_posted balance");

    if (begun) memcpy(after, page->after, sizeof after);
    while (st == MGC_OK) {
        st = mgc_chain_next_account(env->accounts, begun ? after : NULL, &account);
        if (st != MGC_OK) return st == MGC_E_NOT_FOUND ? MGC_OK : st;
        if (mgc__page_full(page)) {
            mgc__page_end(page, after, sizeof after);
            return MGC_OK;
        }
        begun = true;
        memcpy(after, account.id, sizeof after);
        if (mgc__filter_passes(env, filter, account.user_data_32, 0)) st = put_account(env, rows, &account);
    }
    return st;
}

static mgc_status put_transfer(mgc_rows *rows, const mgc_transfer_info *t)
{
    static const char *const states[] = {"posted", "open", "posted", "voided", "expired"};
    const char *state = states[t->state <= MGC_PENDING_EXPIRED ? t->state : 0];
    mgc_status st = mgc__rows_put_ints(rows, (int64_t[]){(int64_t)t->height, t->index}, 2);

    if (st == MGC_OK) st = mgc_rows_put_hex(rows, t->id, sizeof t->id);
    if (st == MGC_OK) st = mgc_rows_put_hex(rows, t->debit_account, sizeof t->debit_account);
    if (st == MGC_OK) st = mgc_rows_put_hex(rows, t->credit_account, sizeof t->credit_account);
    if (st == MGC_OK) st = mgc__rows_put_ints(rows, (int64_t[]){(int64_t)t->amount, t->unit, t->code, t->flags}, 4);
    return st != MGC_OK ? st : mgc_rows_put_text(rows, state, strlen(state));
}

/* Of an account that is not the caller's, and of one that does not exist: no rows. */
mgc_status mgc__query_transfers(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc_transfer_info t = {.struct_size = sizeof t};
    mgc_account_info account = {.struct_size = sizeof account};
    const mgc__page *page = env->page;
    uint8_t id[MGC_ID_BYTES], place[12] = {0};
    char hex[2 * MGC_ID_BYTES + 1];
    mgc_status st = mgc_rows_begin(rows, "height index id debit credit amount unit code flags state");

    if (st != MGC_OK) return st;
    if (!mgc_query_text(filter->query, "account", hex, sizeof hex) || !mgc__from_hex(hex, id, sizeof id))
        return mgc_env_refuse(env, MGC_E_INVALID_ARG, "account=<id>, 32 hexadecimal digits, must be given");
    if (mgc_chain_get_account(env->accounts, id, &account) != MGC_OK ||
        !mgc__filter_passes(env, filter, account.user_data_32, 0))
        return MGC_OK;
    if (page->after_len == sizeof place) memcpy(place, page->after, sizeof place);
    for (;;) {
        uint64_t height = mgc__key_read(place, 0, 8), index = mgc__key_read(place, 8, 4);

        st = mgc_chain_next_transfer_of(env->accounts, id, height, (uint32_t)index, &t);
        if (st != MGC_OK) return st == MGC_E_NOT_FOUND ? MGC_OK : st;
        if (mgc__page_full(page)) {
            mgc__page_end(page, place, sizeof place);
            return MGC_OK;
        }
        st = put_transfer(rows, &t);
        if (st != MGC_OK) return st;
        for (size_t i = 0; i < 8; i++) place[i] = (uint8_t)(t.height >> (8 * (7 - i)));
        for (size_t i = 0; i < 4; i++) place[8 + i] = (uint8_t)(t.index >> (8 * (3 - i)));
    }
}
