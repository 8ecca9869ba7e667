/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts and transfers: double entry, two phases, linked groups.
 *
 * Every transfer debits one account and credits another of the same unit; nothing stored is ever edited but the
 * balances of accounts and the end of a pending transfer.
 *
 *   create      pending    post a of p          void, expire
 *   posted += a pending += p  pending -= p, posted += a  pending -= p
 *
 * on the debit side of one account and the credit side of the other alike, so per unit, posted debits always equal
 * posted credits and pending debits pending credits. */
#include <inttypes.h>

#include "ledger/chain.h"
#include "ledger/proof.h"

enum { ACCOUNT_FLAGS = 15, TRANSFER_FLAGS = 15, TIMEOUT_MAX = INT32_MAX, EXPIRED_PER_BLOCK = 1024 };

static const uint8_t zero_id[16] = {0};
static const uint8_t ones_id[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static bool same_id(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, 16) == 0;
}

static bool bad_id(const uint8_t *id)
{
    return same_id(id, zero_id) || same_id(id, ones_id);
}

static void id_key(uint8_t key[17], uint8_t area, const uint8_t id[16])
{
    key[0] = area;
    memcpy(key + 1, id, 16);
}

/* --- accounts as bytes --------------------------------------------------------------------------- */

static mgc_status put_account(mgc__exec *x, const mgc_account_info *a)
{
    uint8_t key[17], bytes[128];
    mgc__cbor_writer w;

    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__cbor_put_array(&w, 11);
    mgc__cbor_put_uint(&w, a->unit);
    mgc__cbor_put_uint(&w, a->code);
    mgc__cbor_put_uint(&w, a->flags);
    mgc__cbor_put_bytes(&w, a->user_data_128, 16);
    mgc__cbor_put_uint(&w, a->user_data_64);
    mgc__cbor_put_uint(&w, a->user_data_32);
    mgc__cbor_put_uint(&w, a->debits_pending);
    mgc__cbor_put_uint(&w, a->debits_posted);
    mgc__cbor_put_uint(&w, a->credits_pending);
    mgc__cbor_put_uint(&w, a->credits_posted);
    mgc__cbor_put_uint(&w, a->height);
    assert(w.status == MGC_OK);
    id_key(key, MGC__AREA_ACCOUNT, a->id);
    return mgc__exec_fatal(x, mgc__state_put(&x->chain->state, key, sizeof key, bytes, w.len));
}

mgc_status mgc__account_decode(const uint8_t id[16], const uint8_t *value, size_t len, mgc_account_info *a)
{
    mgc__cbor_reader r;
    const uint8_t *data;

    *a = (mgc_account_info){.struct_size = sizeof *a};
    memcpy(a->id, id, 16);
    mgc__cbor_read(&r, value, len);
    mgc__cbor_get_array_of(&r, 11);
    a->unit = (uint32_t)mgc__cbor_get_uint(&r, UINT32_MAX);
    a->code = (uint32_t)mgc__cbor_get_uint(&r, UINT32_MAX);
    a->flags = (uint32_t)mgc__cbor_get_uint(&r, ACCOUNT_FLAGS);
    data = mgc__cbor_get_fixed(&r, 16);
    if (data != NULL) memcpy(a->user_data_128, data, 16);
    a->user_data_64 = mgc__cbor_get_uint(&r, UINT64_MAX);
    a->user_data_32 = (uint32_t)mgc__cbor_get_uint(&r, UINT32_MAX);
    a->debits_pending = mgc__cbor_get_uint(&r, MGC_AMOUNT_MAX);
    a->debits_posted = mgc__cbor_get_uint(&r, MGC_AMOUNT_MAX);
    a->credits_pending = mgc__cbor_get_uint(&r, MGC_AMOUNT_MAX);
    a->credits_posted = mgc__cbor_get_uint(&r, MGC_AMOUNT_MAX);
    a->height = mgc__cbor_get_uint(&r, UINT64_MAX);
    return mgc__cbor_finish(&r);
}

mgc_status mgc__account_read(const mgc__item *item, mgc_account_info *a)
{
    return mgc__account_decode(item->bytes + 1, mgc__item_value(item), item->value_len, a);
}

mgc_status mgc__account_get(const mgc__state *s, const uint8_t id[16], mgc_account_info *account)
{
    const mgc__item *item;
    uint8_t key[17];

    id_key(key, MGC__AREA_ACCOUNT, id);
    item = mgc__state_get(s, key, sizeof key);
    if (item == NULL) return MGC_E_NOT_FOUND;
    return mgc__account_read(item, account);
}

/* --- opening and closing ------------------------------------------------------------------------- */

static mgc_status same_account(mgc__exec *x, const mgc_account_info *a, const mgc_account_info *b)
{
    const char *field = (a->flags & ~(uint32_t)MGC_ACCOUNT_CLOSED) != (b->flags & ~(uint32_t)MGC_ACCOUNT_CLOSED)
                            ? "flags"
                        : memcmp(a->user_data_128, b->user_data_128, 16) != 0 ? "user_data_128"
                        : a->user_data_64 != b->user_data_64                  ? "user_data_64"
                        : a->user_data_32 != b->user_data_32                  ? "user_data_32"
                        : a->unit != b->unit                                  ? "unit"
                        : a->code != b->code                                  ? "code"
                                                                              : NULL;

    if (field == NULL) return MGC_OK;
    return mgc__exec_refuse(x, MGC_E_EXISTS_DIFFERENT, "the account exists with another %s", field);
}

mgc_status mgc__account_create(mgc__exec *x, const mgc_account_info *account, bool *existed)
{
    const uint32_t both = MGC_ACCOUNT_DEBITS_BOUNDED | MGC_ACCOUNT_CREDITS_BOUNDED;
    mgc_account_info a = *account, old;
    mgc_status status;

    if (existed != NULL) *existed = false;
    if ((a.flags & ~(uint32_t)ACCOUNT_FLAGS) != 0)
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "account flags %u", a.flags);
    if (bad_id(a.id)) return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "an account id is all zeros or all ones");
    status = mgc__account_get(&x->chain->state, a.id, &old);
    if (status == MGC_OK) {
        if (existed != NULL) *existed = true;
        return same_account(x, &a, &old);
    }
    if (status != MGC_E_NOT_FOUND) return mgc__exec_fatal(x, MGC_E_INTERNAL);
    if ((a.flags & both) == both)
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "an account is bounded on one side only");
    if (a.unit == 0) return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "an account needs a unit");
    if (a.code == 0) return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "an account needs a code");
    if (a.code == MGC_CODE_BRIDGE && !x->bridging)
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "the code of accounts that stand for other chains");
    a.debits_pending = a.debits_posted = a.credits_pending = a.credits_posted = 0;
    a.height = x->height;
    return put_account(x, &a);
}

mgc_status mgc__account_close(mgc__exec *x, const uint8_t id[16])
{
    mgc_account_info a;
    mgc_status status = mgc__account_get(&x->chain->state, id, &a);

    if (status == MGC_E_NOT_FOUND) return mgc__exec_refuse(x, MGC_E_ACCOUNT, "no such account");
    if (status != MGC_OK) return mgc__exec_fatal(x, MGC_E_INTERNAL);
    if (a.flags & MGC_ACCOUNT_CLOSED)
        return mgc__exec_refuse(x, MGC_E_ACCOUNT_CLOSED, "the account is closed already");
    if (a.debits_pending != 0 || a.credits_pending != 0)
        return mgc__exec_refuse(x, MGC_E_STATE, "the account has pending debits %" PRIu64 " and credits %" PRIu64,
                                a.debits_pending, a.credits_pending);
    a.flags |= MGC_ACCOUNT_CLOSED;
    return put_account(x, &a);
}

/* --- transfers as bytes -------------------------------------------------------------------------- */

static mgc_status put_transfer(mgc__exec *x, const mgc_transfer_info *t)
{
    uint8_t key[17], bytes[256];
    mgc__cbor_writer w;

    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__cbor_put_array(&w, 13);
    mgc__cbor_put_bytes(&w, t->debit_account, 16);
    mgc__cbor_put_bytes(&w, t->credit_account, 16);
    mgc__cbor_put_uint(&w, t->amount);
    if (same_id(t->pending_id, zero_id)) mgc__cbor_put_null(&w);
    else mgc__cbor_put_bytes(&w, t->pending_id, 16);
    mgc__cbor_put_uint(&w, t->unit);
    mgc__cbor_put_uint(&w, t->code);
    mgc__cbor_put_uint(&w, t->flags);
    mgc__cbor_put_bytes(&w, t->user_data_128, 16);
    mgc__cbor_put_uint(&w, t->user_data_64);
    mgc__cbor_put_uint(&w, t->user_data_32);
    mgc__cbor_put_uint(&w, t->timeout);
    mgc__cbor_put_uint(&w, t->height);
    mgc__cbor_put_uint(&w, t->index);
    assert(w.status == MGC_OK);
    id_key(key, MGC__AREA_TRANSFER, t->id);
    return mgc__exec_fatal(x, mgc__state_put(&x->chain->state, key, sizeof key, bytes, w.len));
}

static void get_id(mgc__cbor_reader *r, uint8_t id[16])
{
    const uint8_t *bytes = mgc__cbor_get_fixed(r, 16);

    if (bytes != NULL) memcpy(id, bytes, 16);
}

mgc_status mgc__transfer_read(const mgc__item *item, mgc_transfer_info *t)
{
    mgc__cbor_reader r;

    *t = (mgc_transfer_info){.struct_size = sizeof *t};
    memcpy(t->id, item->bytes + 1, 16);
    mgc__cbor_read(&r, mgc__item_value(item), item->value_len);
    mgc__cbor_get_array_of(&r, 13);
    get_id(&r, t->debit_account);
    get_id(&r, t->credit_account);
    t->amount = mgc__cbor_get_uint(&r, MGC_AMOUNT_MAX);
    if (!mgc__cbor_get_null(&r)) get_id(&r, t->pending_id);
    t->unit = (uint32_t)mgc__cbor_get_uint(&r, UINT32_MAX);
    t->code = (uint32_t)mgc__cbor_get_uint(&r, UINT32_MAX);
    t->flags = (uint32_t)mgc__cbor_get_uint(&r, TRANSFER_FLAGS);
    get_id(&r, t->user_data_128);
    t->user_data_64 = mgc__cbor_get_uint(&r, UINT64_MAX);
    t->user_data_32 = (uint32_t)mgc__cbor_get_uint(&r, UINT32_MAX);
    t->timeout = mgc__cbor_get_uint(&r, TIMEOUT_MAX);
    t->height = mgc__cbor_get_uint(&r, UINT64_MAX);
    t->index = (uint32_t)mgc__cbor_get_uint(&r, UINT32_MAX);
    return mgc__cbor_finish(&r);
}

/* How a pending transfer ended: [state, the transfer that ended it or null]. */
static mgc_status put_pending(mgc__exec *x, const uint8_t id[16], uint32_t state, const uint8_t *ended_by)
{
    uint8_t key[17], bytes[32];
    mgc__cbor_writer w;

    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__cbor_put_array(&w, 2);
    mgc__cbor_put_uint(&w, state);
    if (ended_by == NULL) mgc__cbor_put_null(&w);
    else mgc__cbor_put_bytes(&w, ended_by, 16);
    id_key(key, MGC__AREA_PENDING, id);
    return mgc__exec_fatal(x, mgc__state_put(&x->chain->state, key, sizeof key, bytes, w.len));
}

static mgc_status get_pending(const mgc__state *s, mgc_transfer_info *t)
{
    const mgc__item *item;
    mgc__cbor_reader r;
    uint8_t key[17];

    id_key(key, MGC__AREA_PENDING, t->id);
    item = mgc__state_get(s, key, sizeof key);
    if (item == NULL) return MGC_E_INTERNAL;
    mgc__cbor_read(&r, mgc__item_value(item), item->value_len);
    mgc__cbor_get_array_of(&r, 2);
    t->state = (uint32_t)mgc__cbor_get_uint(&r, MGC_PENDING_EXPIRED);
    if (!mgc__cbor_get_null(&r)) get_id(&r, t->ended_by);
    return mgc__cbor_finish(&r);
}

mgc_status mgc__transfer_get(const mgc__state *s, const uint8_t id[16], mgc_transfer_info *transfer)
{
    const mgc__item *item;
    uint8_t key[17];
    mgc_status status;

    id_key(key, MGC__AREA_TRANSFER, id);
    item = mgc__state_get(s, key, sizeof key);
    if (item == NULL) return MGC_E_NOT_FOUND;
    status = mgc__transfer_read(item, transfer);
    if (status == MGC_OK && (transfer->flags & MGC_TRANSFER_PENDING)) status = get_pending(s, transfer);
    return status;
}

/* --- expiry -------------------------------------------------------------------------------------- */

static uint64_t expiry_of(const mgc_transfer_info *t)
{
    return t->height + t->timeout;
}

static void expiry_key(uint8_t key[25], const mgc_transfer_info *t)
{
    key[0] = MGC__AREA_EXPIRY;
    mgc__put_be64(key + 1, expiry_of(t));
    memcpy(key + 9, t->id, 16);
}

/* --- balances ------------------------------------------------------------------------------------ */

static mgc_status put_history(mgc__exec *x, const mgc_account_info *a, uint32_t index)
{
    uint8_t key[29], bytes[48];
    mgc__cbor_writer w;

    if (!(a->flags & MGC_ACCOUNT_HISTORY)) return MGC_OK;
    key[0] = MGC__AREA_HISTORY;
    memcpy(key + 1, a->id, 16);
    mgc__put_be64(key + 17, x->height);
    mgc__put_be32(key + 25, index);
    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__cbor_put_array(&w, 4);
    mgc__cbor_put_uint(&w, a->debits_pending);
    mgc__cbor_put_uint(&w, a->debits_posted);
    mgc__cbor_put_uint(&w, a->credits_pending);
    mgc__cbor_put_uint(&w, a->credits_posted);
    assert(w.status == MGC_OK);
    return mgc__exec_fatal(x, mgc__state_put(&x->chain->state, key, sizeof key, bytes, w.len));
}

static mgc_status put_both(mgc__exec *x, const mgc_account_info *debit, const mgc_account_info *credit,
                           uint32_t index)
{
    mgc_status status = put_account(x, debit);

    if (status == MGC_OK) status = put_account(x, credit);
    if (status == MGC_OK) status = put_history(x, debit, index);
    if (status == MGC_OK) status = put_history(x, credit, index);
    return status;
}

/* Sums are at most 2^62 each, amounts too: nothing below can wrap in 64 bits. */
static bool too_much(uint64_t pending, uint64_t posted, uint64_t amount)
{
    assert(pending <= MGC_AMOUNT_MAX && posted <= MGC_AMOUNT_MAX && amount <= MGC_AMOUNT_MAX);
    return pending + posted + amount > MGC_AMOUNT_MAX;
}

static mgc_status check_bounds(mgc__exec *x, const mgc_account_info *debit, const mgc_account_info *credit,
                               uint64_t amount)
{
    if (too_much(debit->debits_pending, debit->debits_posted, amount))
        return mgc__exec_refuse(x, MGC_E_OVERFLOW, "the debits of the account would pass 2^62");
    if (too_much(credit->credits_pending, credit->credits_posted, amount))
        return mgc__exec_refuse(x, MGC_E_OVERFLOW, "the credits of the account would pass 2^62");
    if ((debit->flags & MGC_ACCOUNT_DEBITS_BOUNDED) &&
        debit->debits_pending + debit->debits_posted + amount > debit->credits_posted)
        return mgc__exec_refuse(x, MGC_E_EXCEEDS_CREDIT, "%" PRIu64 " are asked of an account that has %" PRIu64,
                                amount, debit->credits_posted - debit->debits_pending - debit->debits_posted);
    if ((credit->flags & MGC_ACCOUNT_CREDITS_BOUNDED) &&
        credit->credits_pending + credit->credits_posted + amount > credit->debits_posted)
        return mgc__exec_refuse(x, MGC_E_EXCEEDS_CREDIT, "%" PRIu64 " are given to an account that takes %" PRIu64,
                                amount, credit->debits_posted - credit->credits_pending - credit->credits_posted);
    return MGC_OK;
}

static mgc_status load_accounts(mgc__exec *x, const mgc_transfer_info *t, mgc_account_info *debit,
                                mgc_account_info *credit)
{
    mgc_status status = mgc__account_get(&x->chain->state, t->debit_account, debit);

    if (status == MGC_E_NOT_FOUND) return mgc__exec_refuse(x, MGC_E_ACCOUNT, "no such debit account");
    if (status != MGC_OK) return mgc__exec_fatal(x, MGC_E_INTERNAL);
    status = mgc__account_get(&x->chain->state, t->credit_account, credit);
    if (status == MGC_E_NOT_FOUND) return mgc__exec_refuse(x, MGC_E_ACCOUNT, "no such credit account");
    if (status != MGC_OK) return mgc__exec_fatal(x, MGC_E_INTERNAL);
    return MGC_OK;
}

/* What stands for another chain is moved by locks and credits alone: else what was locked could be had twice. */
static mgc_status check_bridge(mgc__exec *x, const mgc_account_info *debit, const mgc_account_info *credit)
{
    if (x->bridging || (debit->code != MGC_CODE_BRIDGE && credit->code != MGC_CODE_BRIDGE)) return MGC_OK;
    return mgc__exec_refuse(x, MGC_E_FORBIDDEN, "an account that stands for another chain is moved by locks alone");
}

/* --- one transfer -------------------------------------------------------------------------------- */

static mgc_status check_single(mgc__exec *x, const mgc_transfer_info *t)
{
    if (bad_id(t->debit_account) || bad_id(t->credit_account))
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "an account id is all zeros or all ones");
    if (same_id(t->debit_account, t->credit_account))
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "debit and credit account are the same");
    if (!same_id(t->pending_id, zero_id))
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "only a post or void names a pending transfer");
    if (!(t->flags & MGC_TRANSFER_PENDING) && t->timeout != 0)
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "only a pending transfer has a timeout");
    if (t->timeout > TIMEOUT_MAX)
        return mgc__exec_refuse(x, MGC_E_RANGE, "a timeout of %" PRIu64 " blocks", t->timeout);
    if (t->unit == 0) return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "a transfer needs a unit");
    if (t->code == 0) return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "a transfer needs a code");
    return MGC_OK;
}

static mgc_status store_transfer(mgc__exec *x, mgc_transfer_info *t, const mgc_account_info *debit,
                                 const mgc_account_info *credit)
{
    mgc_status status;
    uint8_t key[25];

    t->height = x->height;
    t->index = x->n_transfers++;
    status = put_both(x, debit, credit, t->index);
    if (status == MGC_OK) status = put_transfer(x, t);
    if (status != MGC_OK || !(t->flags & MGC_TRANSFER_PENDING)) return status;
    status = put_pending(x, t->id, MGC_PENDING_OPEN, NULL);
    if (status != MGC_OK || t->timeout == 0) return status;
    expiry_key(key, t);
    return mgc__exec_fatal(x, mgc__state_put(&x->chain->state, key, sizeof key, NULL, 0));
}

static mgc_status create_single(mgc__exec *x, mgc_transfer_info *t)
{
    mgc_account_info debit, credit;
    mgc_status status = check_single(x, t);

    if (status == MGC_OK) status = load_accounts(x, t, &debit, &credit);
    if (status == MGC_OK) status = check_bridge(x, &debit, &credit);
    if (status != MGC_OK) return status;
    if (debit.unit != credit.unit)
        return mgc__exec_refuse(x, MGC_E_LEDGER_MISMATCH, "the accounts' units are %u and %u", debit.unit,
                                credit.unit);
    if (t->unit != debit.unit)
        return mgc__exec_refuse(x, MGC_E_LEDGER_MISMATCH, "the transfer's unit is %u, the accounts' %u", t->unit,
                                debit.unit);
    if (debit.flags & MGC_ACCOUNT_CLOSED)
        return mgc__exec_refuse(x, MGC_E_ACCOUNT_CLOSED, "the debit account is closed");
    if (credit.flags & MGC_ACCOUNT_CLOSED)
        return mgc__exec_refuse(x, MGC_E_ACCOUNT_CLOSED, "the credit account is closed");
    if (t->amount > MGC_AMOUNT_MAX) return mgc__exec_refuse(x, MGC_E_RANGE, "an amount over 2^62");
    status = check_bounds(x, &debit, &credit, t->amount);
    if (status != MGC_OK) return status;
    if (t->flags & MGC_TRANSFER_PENDING) {
        debit.debits_pending += t->amount;
        credit.credits_pending += t->amount;
    } else {
        debit.debits_posted += t->amount;
        credit.credits_posted += t->amount;
    }
    return store_transfer(x, t, &debit, &credit);
}

/* --- the second phase ---------------------------------------------------------------------------- */

static mgc_status check_second(mgc__exec *x, const mgc_transfer_info *t)
{
    const uint32_t both = MGC_TRANSFER_POST | MGC_TRANSFER_VOID;

    if ((t->flags & both) == both || (t->flags & MGC_TRANSFER_PENDING))
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "a transfer is pending, or posts, or voids: one of them");
    if (bad_id(t->pending_id))
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "a post or void names a pending transfer");
    if (same_id(t->pending_id, t->id)) return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "a transfer cannot end itself");
    if (t->timeout != 0) return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "only a pending transfer has a timeout");
    return MGC_OK;
}

/* What a second phase leaves open it takes from the pending transfer; what it says must agree. */
static mgc_status inherit(mgc__exec *x, const mgc_transfer_info *p, mgc_transfer_info *t)
{
    const char *field = NULL;
    bool all = t->amount == MGC_AMOUNT_ALL || ((t->flags & MGC_TRANSFER_VOID) && t->amount == 0);

    if (same_id(t->debit_account, zero_id)) memcpy(t->debit_account, p->debit_account, 16);
    if (same_id(t->credit_account, zero_id)) memcpy(t->credit_account, p->credit_account, 16);
    if (t->unit == 0) t->unit = p->unit;
    if (t->code == 0) t->code = p->code;
    if (all) t->amount = p->amount;
    if (same_id(t->user_data_128, zero_id)) memcpy(t->user_data_128, p->user_data_128, 16);
    if (t->user_data_64 == 0) t->user_data_64 = p->user_data_64;
    if (t->user_data_32 == 0) t->user_data_32 = p->user_data_32;

    if (!same_id(t->debit_account, p->debit_account)) field = "debit account";
    else if (!same_id(t->credit_account, p->credit_account)) field = "credit account";
    else if (t->unit != p->unit) field = "unit";
    else if (t->code != p->code) field = "code";
    if (field != NULL) return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "the pending transfer has another %s", field);
    if (t->amount > p->amount)
        return mgc__exec_refuse(x, MGC_E_EXCEEDS_PENDING, "%" PRIu64 " of a pending %" PRIu64, t->amount, p->amount);
    if ((t->flags & MGC_TRANSFER_VOID) && t->amount < p->amount)
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "a void releases all: the pending transfer has another amount");
    return MGC_OK;
}

static mgc_status check_still_open(mgc__exec *x, const mgc_transfer_info *p)
{
    bool late = p->timeout != 0 && x->height >= expiry_of(p); /* though its release may wait its turn */

    if (p->state == MGC_PENDING_POSTED)
        return mgc__exec_refuse(x, MGC_E_PENDING_POSTED, "the pending transfer is posted already");
    if (p->state == MGC_PENDING_VOIDED)
        return mgc__exec_refuse(x, MGC_E_PENDING_VOIDED, "the pending transfer is voided already");
    if (p->state == MGC_PENDING_EXPIRED || late)
        return mgc__exec_refuse(x, MGC_E_PENDING_EXPIRED, "the pending transfer expired at height %" PRIu64,
                                expiry_of(p));
    return MGC_OK;
}

/* Take the pending amount back on both sides and forget its expiry. */
static mgc_status release(mgc__exec *x, const mgc_transfer_info *p, mgc_account_info *debit, mgc_account_info *credit)
{
    uint8_t key[25];

    if (debit->debits_pending < p->amount || credit->credits_pending < p->amount)
        return mgc__exec_fatal(x, MGC_E_INTERNAL);
    debit->debits_pending -= p->amount;
    credit->credits_pending -= p->amount;
    if (p->timeout == 0) return MGC_OK;
    expiry_key(key, p);
    return mgc__exec_fatal(x, mgc__state_remove(&x->chain->state, key, sizeof key));
}

static mgc_status create_second(mgc__exec *x, mgc_transfer_info *t)
{
    bool post = (t->flags & MGC_TRANSFER_POST) != 0;
    mgc_account_info debit, credit;
    mgc_transfer_info p;
    mgc_status status = check_second(x, t);

    if (status != MGC_OK) return status;
    status = mgc__transfer_get(&x->chain->state, t->pending_id, &p);
    if (status == MGC_E_NOT_FOUND) return mgc__exec_refuse(x, MGC_E_PENDING_NOT_FOUND, "no such pending transfer");
    if (status != MGC_OK) return mgc__exec_fatal(x, MGC_E_INTERNAL);
    if (!(p.flags & MGC_TRANSFER_PENDING))
        return mgc__exec_refuse(x, MGC_E_PENDING_NOT_FOUND, "that transfer is not a pending one");
    status = inherit(x, &p, t);
    if (status == MGC_OK) status = check_still_open(x, &p);
    if (status == MGC_OK) status = load_accounts(x, t, &debit, &credit);
    if (status == MGC_OK) status = check_bridge(x, &debit, &credit);
    if (status == MGC_OK) status = release(x, &p, &debit, &credit);
    if (status != MGC_OK) return status;
    if (post) {
        /* cannot pass 2^62: the pending amount was counted when it was reserved */
        debit.debits_posted += t->amount;
        credit.credits_posted += t->amount;
    }
    status = put_pending(x, p.id, post ? MGC_PENDING_POSTED : MGC_PENDING_VOIDED, t->id);
    return status != MGC_OK ? status : store_transfer(x, t, &debit, &credit);
}

/* --- retries ------------------------------------------------------------------------------------- */

static bool is_second(const mgc_transfer_info *t)
{
    return (t->flags & (MGC_TRANSFER_POST | MGC_TRANSFER_VOID)) != 0;
}

/* Compare as it would have been stored: a second phase inherits before it is compared. */
static mgc_status same_transfer(mgc__exec *x, mgc_transfer_info t, const mgc_transfer_info *old)
{
    const char *field;

    if (is_second(&t) && t.flags == old->flags && same_id(t.pending_id, old->pending_id)) {
        mgc_transfer_info p;
        if (mgc__transfer_get(&x->chain->state, t.pending_id, &p) != MGC_OK)
            return mgc__exec_fatal(x, MGC_E_INTERNAL);
        (void)inherit(x, &p, &t);
        x->rule[0] = '\0';
    }
    field = t.flags != old->flags                                  ? "flags"
            : !same_id(t.pending_id, old->pending_id)              ? "pending_id"
            : t.timeout != old->timeout                            ? "timeout"
            : !same_id(t.debit_account, old->debit_account)        ? "debit_account"
            : !same_id(t.credit_account, old->credit_account)      ? "credit_account"
            : t.amount != old->amount                              ? "amount"
            : memcmp(t.user_data_128, old->user_data_128, 16) != 0 ? "user_data_128"
            : t.user_data_64 != old->user_data_64                  ? "user_data_64"
            : t.user_data_32 != old->user_data_32                  ? "user_data_32"
            : t.unit != old->unit                                  ? "unit"
            : t.code != old->code                                  ? "code"
                                                                   : NULL;
    if (field == NULL) return MGC_OK;
    return mgc__exec_refuse(x, MGC_E_EXISTS_DIFFERENT, "the transfer exists with another %s", field);
}

static mgc__transfer_result create_one(mgc__exec *x, const mgc_transfer_info *transfer)
{
    mgc_transfer_info t = *transfer, old;
    mgc__transfer_result result = {.status = MGC_OK};
    mgc_status found;

    if ((t.flags & ~(uint32_t)TRANSFER_FLAGS) != 0) {
        result.status = mgc__exec_refuse(x, MGC_E_INVALID_ARG, "transfer flags %u", t.flags);
        return result;
    }
    if (bad_id(t.id)) {
        result.status = mgc__exec_refuse(x, MGC_E_INVALID_ARG, "a transfer id is all zeros or all ones");
        return result;
    }
    found = mgc__transfer_get(&x->chain->state, t.id, &old);
    if (found == MGC_OK) {
        result.status = same_transfer(x, t, &old);
        result.existed = result.status == MGC_OK;
    } else if (found != MGC_E_NOT_FOUND) {
        result.status = mgc__exec_fatal(x, MGC_E_INTERNAL);
    } else {
        mgc__mark mark = mgc__exec_mark(x);
        result.status = is_second(&t) ? create_second(x, &t) : create_single(x, &t);
        if (result.status != MGC_OK) mgc__exec_undo(x, mark);
    }
    return result;
}

/* --- groups -------------------------------------------------------------------------------------- */

/* Length of the linked group that begins at i; *open where it has no end. */
static size_t group_at(const mgc_transfer_info *transfers, size_t n, size_t i, bool *open)
{
    size_t len = 1;

    while (i + len <= n && (transfers[i + len - 1].flags & MGC_TRANSFER_LINKED)) len++;
    *open = i + len > n;
    return *open ? n - i : len;
}

static mgc_status create_group(mgc__exec *x, const mgc_transfer_info *transfers, size_t n, bool open,
                               mgc__transfer_result *results)
{
    mgc__mark mark = mgc__exec_mark(x);
    mgc__transfer_result bad = {.status = MGC_OK};
    size_t at = 0;

    for (; at < n && bad.status == MGC_OK; at++) {
        mgc__transfer_result one;
        if (open && at + 1 == n) {
            one = (mgc__transfer_result){.status =
                                             mgc__exec_refuse(x, MGC_E_LINKED_OPEN, "the linked group has no end")};
        } else {
            one = create_one(x, &transfers[at]);
        }
        if (results != NULL) results[at] = one;
        if (one.status != MGC_OK) bad = one;
    }
    if (bad.status == MGC_OK) return MGC_OK;
    mgc__exec_undo(x, mark);
    for (size_t i = 0; results != NULL && i < n; i++)
        if (i + 1 != at) results[i] = (mgc__transfer_result){.status = MGC_E_LINKED_FAILED};
    if (results != NULL && open) results[n - 1].status = MGC_E_LINKED_OPEN;
    return bad.status;
}

mgc_status mgc__transfers_create(mgc__exec *x, const mgc_transfer_info *transfers, size_t n,
                                 mgc__transfer_result *results)
{
    mgc_status first_bad = MGC_OK;

    for (size_t i = 0; i < n && x->fatal == MGC_OK;) {
        bool open;
        size_t len = group_at(transfers, n, i, &open);
        mgc_status status = create_group(x, transfers + i, len, open, results == NULL ? NULL : results + i);
        if (first_bad == MGC_OK) first_bad = status;
        i += len;
    }
    return x->fatal != MGC_OK ? x->fatal : first_bad;
}

mgc_status mgc__transfer_create(mgc__exec *x, const mgc_transfer_info *transfer)
{
    return mgc__transfers_create(x, transfer, 1, NULL);
}

/* --- at the beginning of a block ----------------------------------------------------------------- */

static mgc_status expire_one(mgc__exec *x, const uint8_t id[16])
{
    mgc_account_info debit, credit;
    mgc_transfer_info p;
    mgc_status status = mgc__transfer_get(&x->chain->state, id, &p);

    if (status != MGC_OK || p.state != MGC_PENDING_OPEN) return mgc__exec_fatal(x, MGC_E_INTERNAL);
    status = load_accounts(x, &p, &debit, &credit);
    if (status == MGC_OK) status = release(x, &p, &debit, &credit);
    if (status == MGC_OK) status = put_both(x, &debit, &credit, x->n_transfers++);
    if (status == MGC_OK) status = put_pending(x, id, MGC_PENDING_EXPIRED, NULL);
    return status != MGC_OK ? status : mgc__exec_emit(x, 0, "transfer-expired", id, 16);
}

mgc_status mgc__expire(mgc__exec *x)
{
    static const uint8_t first[1] = {MGC__AREA_EXPIRY};
    mgc_status status = MGC_OK;

    /* A block releases so many and leaves the rest to the next: nobody can make one that is too large by letting all
     * end at once. */
    for (uint32_t n = 0; n < EXPIRED_PER_BLOCK && status == MGC_OK; n++) {
        const mgc__item *item = mgc__state_after(&x->chain->state, first, 1, true);
        uint8_t id[16];

        if (item == NULL || item->bytes[0] != MGC__AREA_EXPIRY || mgc__get_be64(item->bytes + 1) > x->height) break;
        memcpy(id, item->bytes + 9, 16);
        status = expire_one(x, id);
    }
    return status;
}

void mgc__id_derive(uint8_t id[16], const char *kind, const void *a, size_t a_len, const void *b, size_t b_len)
{
    uint8_t hash[32], length[8];
    mgc__sha256 s;

    mgc__sha256_init(&s);
    mgc__sha256_put(&s, "mgchain/id/1", sizeof "mgchain/id/1");
    mgc__sha256_put(&s, kind, strlen(kind) + 1);
    mgc__put_be64(length, a_len);
    mgc__sha256_put(&s, length, sizeof length);
    mgc__sha256_put(&s, a, a_len);
    mgc__sha256_put(&s, b, b_len);
    mgc__sha256_end(&s, hash);
    memcpy(id, hash, 16);
}
