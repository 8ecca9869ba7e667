/* SPDX-License-Identifier: Apache-2.0 */
/* Questions about the books: accounts and the transfers that touch one. */
#include "contract/contract.h"

/* What an account of the market is for; those of hosts' contracts have codes of their own. */
static const char *name_of(const mgc_account_info *a)
{
    static const char *const own[] = {"money", "due", "electricity", "heat", "carbon"};
    static const char *const market[] = {"bank",      "utility",          "network",   "clearing",    "grid-electricity",
                                         "grid-heat", "loss-electricity", "loss-heat", "carbon-source"};
    uint8_t id[MGC_ID_BYTES];

    mgc_account_id(a->code, a->user_data_32, id);
    if (memcmp(id, a->id, sizeof id) != 0) return "";
    if (a->code >= MGC_ACCOUNT_MONEY && a->code <= MGC_ACCOUNT_CARBON) return own[a->code - MGC_ACCOUNT_MONEY];
    return a->code >= MGC_ACCOUNT_BANK && a->code <= MGC_ACCOUNT_CARBON_SOURCE ? market[a->code - MGC_ACCOUNT_BANK] : "";
}

static mgc_status put_account(mgc_env *env, mgc_rows *rows, const mgc_account_info *a)
{
    mgc_status st = mgc_rows_put_hex(rows, a->id, sizeof a->id);

    if (st == MGC_OK) st = mgc_rows_put_int(rows, a->code);
    if (st == MGC_OK) st = mgc__rows_put_microgrid(env, rows, a->user_data_32);
    if (st == MGC_OK) st = mgc_rows_put_int(rows, a->unit);
    if (st == MGC_OK)
        st = mgc__rows_put_ints(rows,
                                (int64_t[]){(int64_t)a->debits_pending, (int64_t)a->debits_posted,
                                            (int64_t)a->credits_pending, (int64_t)a->credits_posted,
                                            (int64_t)a->credits_posted - (int64_t)a->debits_posted},
                                5);
    return st != MGC_OK ? st : mgc_rows_put_text(rows, name_of(a), strlen(name_of(a)));
}

/* The account after one, of all or of the walk's microgrids.  One that a dropped block had opened is passed over. */
static mgc_status next_account(mgc_env *env, const mgc__walk *w, const uint8_t *after, mgc_account_info *account)
{
    size_t len = after == NULL ? 0 : MGC_ID_BYTES;

    if (w->index == NULL) return mgc_chain_next_account(env->accounts, after, account);
    for (;;) {
        const mgc__item *item = mgc__index_next(w->index, w->values, w->n_values, after, len);
        mgc_status st = item == NULL ? MGC_E_NOT_FOUND : mgc_chain_get_account(env->accounts, item->bytes + 8, account);

        if (item == NULL || st != MGC_E_NOT_FOUND) return st;
        after = item->bytes + 8;
        len = MGC_ID_BYTES;
    }
}

mgc_status mgc__query_accounts(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    mgc_account_info account = {.struct_size = sizeof account};
    const mgc__page *page = env->page;
    mgc__walk w = {.index = NULL};
    uint8_t after[MGC_ID_BYTES];
    bool begun = page->after_len == sizeof after;
    mgc_status st = mgc_rows_begin(
        rows, "id kind microgrid unit debits_pending debits_posted credits_pending credits_posted balance name");

    if (begun) memcpy(after, page->after, sizeof after);
    if (st == MGC_OK && mgc__whose(env, filter, &w)) st = mgc__index_get(env, 0, 'a', MGC__BY_MICROGRID, &w.index);
    while (st == MGC_OK) {
        bool full = mgc__page_full(page);

        st = next_account(env, &w, begun ? after : NULL, &account);
        if (full && (st == MGC_OK || page->query->sees_all == 0)) { /* as in record.c: it tells nobody of others' accounts */
            mgc__page_end(page, after, sizeof after);
            return MGC_OK;
        }
        if (st != MGC_OK) return st == MGC_E_NOT_FOUND ? MGC_OK : st;
        begun = true;
        memcpy(after, account.id, sizeof after);
        if (mgc__filter_passes(env, filter, account.user_data_32, 0, 0)) st = put_account(env, rows, &account);
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
        !mgc__filter_passes(env, filter, account.user_data_32, 0, 0))
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

/* One block's change of a record: its value then, or that it went. */
static mgc_status put_change(mgc_rows *rows, mgc_chain *chain, uint64_t height, uint32_t contract, const uint8_t *key, size_t key_len)
{
    mgc_record_info record = {.struct_size = sizeof record};
    mgc_block_info info = {.struct_size = sizeof info};
    mgc_block *block = NULL;
    mgc_status st = mgc_chain_read_block(chain, height, &block);

    if (st == MGC_OK) st = mgc_block_get_info(block, &info);
    if (st == MGC_OK) st = mgc_block_get_change(block, contract, key, key_len, &record);
    if (st == MGC_OK)
        st = mgc__rows_put_ints(rows, (int64_t[]){(int64_t)height, (int64_t)info.time_ms, record.value == NULL}, 3);
    if (st == MGC_OK) st = mgc_rows_put_hex(rows, record.value, record.value == NULL ? 0 : record.value_len);
    mgc_block_destroy(block);
    return st;
}

/* Every change of a record that is not pruned, oldest first.  A record's bytes tell of all who have a part in it, so they
 * are for those who see everything. */
mgc_status mgc__query_history(mgc_env *env, const mgc__filter *filter, mgc_rows *rows)
{
    enum { AT_ONCE = 64 };
    const mgc__page *page = env->page;
    char hex[2 * MGC_RECORD_KEY_MAX + 1];
    uint8_t key[MGC_RECORD_KEY_MAX];
    uint64_t contract = 0;
    mgc_cursor cursor = {{0}};
    mgc_found found[AT_ONCE];
    size_t key_len, n = 0, cap = 0;
    mgc_status st = mgc_rows_begin(rows, "height time_ms removed value");

    if (st != MGC_OK) return st;
    if (!mgc_query_uint(filter->query, "contract", &contract) || contract == 0 || contract > UINT32_MAX ||
        !mgc_query_text(filter->query, "key", hex, sizeof hex) || (key_len = strlen(hex) / 2) == 0 ||
        !mgc__from_hex(hex, key, key_len))
        return mgc_env_refuse(env, MGC_E_INVALID_ARG,
                              "contract=<number> and key=<hexadecimal digits> must be given; doc/contracts.md 6 has the keys");
    if (filter->query->sees_all == 0) return MGC_OK;
    if (page->after_len == sizeof cursor.bytes) memcpy(cursor.bytes, page->after, sizeof cursor.bytes);
    do {
        uint64_t left = page->limit - mgc_rows_count(rows);
        mgc_chain *chain = env->chains[mgc__home_of((uint32_t)contract)];

        cap = left < AT_ONCE ? (size_t)left : AT_ONCE;
        st = mgc_chain_find_changes(chain, (uint32_t)contract, key, key_len, &cursor, found, cap, &n);
        for (size_t i = 0; i < n && st == MGC_OK; i++)
            st = put_change(rows, chain, found[i].height, (uint32_t)contract, key, key_len);
    } while (st == MGC_OK && n == cap && !mgc__page_full(page));
    if (st == MGC_OK && n == cap) mgc__page_end(page, cursor.bytes, sizeof cursor.bytes);
    return st;
}
