/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers between chains: locked on one, credited once on the other, or returned after expiry.
 *
 *   source                                         target
 *   1. lock: the amount is pending from the payer
 *      to the bridge account of the target
 *                                                  2. credit, in a block before expires_ms: from the bridge account of
 *                                                     the source to the payee; the lock's id is remembered for ever
 *   3. settled: posted
 *   or, once the target's time has passed expires_ms without a credit:
 *   3. returned: the pending amount is released
 *
 * The source decides by the target's state, not by its own clock: by the state that its block pins where the target is
 * a chain of the same store, by a proof about the target's day's close where it is not.  Block times only grow, so a target that
 * has passed expires_ms can never credit any more: 2 and the return exclude each other.
 *
 * What can go wrong
 *   a lock is credited twice             the target has its id: MGC_E_ALREADY_CREDITED
 *   a lock is credited late              MGC_E_EXPIRED
 *   the source's block is not final      same store: this block is not made final before that one; else MGC_E_NOT_FINAL
 *   the payee's account is closed        the credit is refused, the lock returns
 *   the target stands still              the lock stays open until it moves on: nothing is paid twice */
#include <inttypes.h>

#include "ledger/chain.h"
#include "ledger/proof.h"
#include "mgchain/verify.h"

enum { LOCKS_PER_BLOCK = 1024, LOCK_BYTES_MAX = 256 };

/* --- records ------------------------------------------------------------------------------------- */

static void lock_key(uint8_t key[17], const uint8_t id[16])
{
    key[0] = MGC__AREA_LOCK;
    memcpy(key + 1, id, 16);
}

static void expiry_key(uint8_t key[57], const mgc__lock *lock)
{
    key[0] = MGC__AREA_LOCK_EXPIRY;
    memcpy(key + 1, lock->target_chain, 32);
    mgc__put_be64(key + 33, lock->expires_ms);
    memcpy(key + 41, lock->id, 16);
}

static void credit_key(uint8_t key[49], const uint8_t source_chain[32], const uint8_t id[16])
{
    key[0] = MGC__AREA_CREDIT;
    memcpy(key + 1, source_chain, 32);
    memcpy(key + 33, id, 16);
}

/* What both the record and the event say of a lock. */
static void write_terms(mgc__cbor_writer *w, const mgc__lock *lock)
{
    mgc__cbor_put_bytes(w, lock->target_chain, 32);
    mgc__cbor_put_bytes(w, lock->target_account, 16);
    mgc__cbor_put_uint(w, lock->amount);
    mgc__cbor_put_uint(w, lock->unit);
    mgc__cbor_put_uint(w, lock->code);
    mgc__cbor_put_uint(w, lock->expires_ms);
}

static void read_terms(mgc__cbor_reader *r, mgc__lock *lock)
{
    const uint8_t *chain = mgc__cbor_get_fixed(r, 32), *account = mgc__cbor_get_fixed(r, 16);

    if (chain != NULL) memcpy(lock->target_chain, chain, 32);
    if (account != NULL) memcpy(lock->target_account, account, 16);
    lock->amount = mgc__cbor_get_uint(r, MGC_AMOUNT_MAX);
    lock->unit = (uint32_t)mgc__cbor_get_uint(r, UINT32_MAX);
    lock->code = (uint32_t)mgc__cbor_get_uint(r, UINT32_MAX);
    lock->expires_ms = mgc__cbor_get_uint(r, UINT64_MAX);
}

static mgc_status put_lock(mgc__exec *x, const mgc__lock *lock)
{
    uint8_t key[17], bytes[LOCK_BYTES_MAX];
    mgc__cbor_writer w;

    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__cbor_put_array(&w, 9);
    write_terms(&w, lock);
    mgc__cbor_put_uint(&w, lock->state);
    mgc__cbor_put_uint(&w, lock->height);
    mgc__cbor_put_bool(&w, lock->same_store);
    assert(w.status == MGC_OK);
    lock_key(key, lock->id);
    return mgc__exec_fatal(x, mgc__state_put(&x->chain->state, key, sizeof key, bytes, w.len));
}

mgc_status mgc__lock_get(const mgc__state *s, const uint8_t id[16], mgc__lock *lock)
{
    const mgc__item *item;
    mgc__cbor_reader r;
    uint8_t key[17];

    *lock = (mgc__lock){0};
    lock_key(key, id);
    item = mgc__state_get(s, key, sizeof key);
    if (item == NULL) return MGC_E_NOT_FOUND;
    memcpy(lock->id, id, 16);
    mgc__cbor_read(&r, mgc__item_value(item), item->value_len);
    mgc__cbor_get_array_of(&r, 9);
    read_terms(&r, lock);
    lock->state = (uint32_t)mgc__cbor_get_uint(&r, MGC__LOCK_RETURNED);
    lock->height = mgc__cbor_get_uint(&r, UINT64_MAX);
    lock->same_store = mgc__cbor_get_bool(&r);
    return mgc__cbor_finish(&r) == MGC_OK ? MGC_OK : MGC_E_INTERNAL;
}

/* --- bridges ------------------------------------------------------------------------------------- */

void mgc__bridge_id(uint8_t id[16], const uint8_t other_chain[32], uint32_t unit)
{
    uint8_t bytes[4];

    mgc__put_be32(bytes, unit);
    mgc__id_derive(id, "bridge", other_chain, 32, bytes, sizeof bytes);
}

/* The bridge account of another chain, opened when it is first used. */
static mgc_status open_bridge(mgc__exec *x, const uint8_t other_chain[32], uint32_t unit, uint8_t id[16])
{
    mgc_account_info account = {.unit = unit, .code = MGC_CODE_BRIDGE};
    mgc_status status;

    mgc__bridge_id(id, other_chain, unit);
    memcpy(account.id, id, 16);
    memcpy(account.user_data_128, other_chain, 16);
    x->bridging = true;
    status = mgc__account_create(x, &account, NULL);
    x->bridging = false;
    return status;
}

/* The only transfers that touch a bridge account. */
static mgc_status bridge_transfer(mgc__exec *x, const mgc_transfer_info *t)
{
    mgc_status status;

    x->bridging = true;
    status = mgc__transfer_create(x, t);
    x->bridging = false;
    return status;
}

/* --- the source ---------------------------------------------------------------------------------- */

/* A chain of this store with a block: its state is pinned and can be read. */
static const mgc_chain *in_store(const mgc_chain *chain, const uint8_t id[32])
{
    const mgc_ledger *ledger = chain->ledger;

    for (uint32_t i = 0; i < ledger->n_chains; i++)
        if (memcmp(ledger->chains[i]->id, id, 32) == 0 && ledger->chains[i]->height > 0) return ledger->chains[i];
    return NULL;
}

static mgc_status emit_lock(mgc__exec *x, const mgc__lock *lock)
{
    uint8_t bytes[LOCK_BYTES_MAX];
    mgc__cbor_writer w;

    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__cbor_put_array(&w, 7);
    mgc__cbor_put_bytes(&w, lock->id, 16);
    write_terms(&w, lock);
    assert(w.status == MGC_OK);
    return mgc__exec_emit(x, 0, MGC__EVENT_LOCK, bytes, w.len);
}

static mgc_status check_new_lock(mgc__exec *x, const mgc__lock *lock)
{
    if (memcmp(lock->target_chain, x->chain->id, 32) == 0)
        return mgc__exec_refuse(x, MGC_E_INVALID_ARG, "a lock for its own chain");
    if (lock->amount == 0 || lock->amount > MGC_AMOUNT_MAX)
        return mgc__exec_refuse(x, MGC_E_RANGE, "a lock of %" PRIu64, lock->amount);
    if (lock->expires_ms <= x->time_ms)
        return mgc__exec_refuse(x, MGC_E_EXPIRED, "a lock until %" PRIu64 " ms; it is %" PRIu64, lock->expires_ms,
                                x->time_ms);
    if (lock->expires_ms - x->time_ms > MGC__LOCK_MS_MAX)
        return mgc__exec_refuse(x, MGC_E_RANGE, "a lock until %" PRIu64 " ms; at most %" PRIu64, lock->expires_ms,
                                x->time_ms + MGC__LOCK_MS_MAX);
    return MGC_OK;
}

mgc_status mgc__lock_create(mgc__exec *x, const mgc__lock *terms)
{
    mgc__lock lock = *terms, old;
    mgc_transfer_info t = {
        .amount = lock.amount, .unit = lock.unit, .code = lock.code, .flags = MGC_TRANSFER_PENDING};
    mgc__mark mark = mgc__exec_mark(x);
    uint8_t key[57];
    mgc_status status = mgc__lock_get(&x->chain->state, lock.id, &old);
    bool existed = status == MGC_OK;

    if (status != MGC_OK && status != MGC_E_NOT_FOUND) return mgc__exec_fatal(x, status);
    if (!existed) {
        status = check_new_lock(x, &lock);
        if (status != MGC_OK) return status;
    } else if (memcmp(old.target_chain, lock.target_chain, 32) != 0) {
        return mgc__exec_refuse(x, MGC_E_EXISTS_DIFFERENT, "the lock exists with another target");
    }
    status = open_bridge(x, lock.target_chain, lock.unit, t.credit_account);
    memcpy(t.id, lock.id, 16);
    memcpy(t.debit_account, lock.debit_account, 16);
    memcpy(t.user_data_128, lock.target_account, 16);
    t.user_data_64 = lock.expires_ms;
    /* a retry is compared by its transfer: same id, same accounts, amount, payee and expiry */
    if (status == MGC_OK) status = bridge_transfer(x, &t);
    if (status == MGC_OK && !existed) {
        lock.state = MGC__LOCK_OPEN;
        lock.height = x->height;
        lock.same_store = in_store(x->chain, lock.target_chain) != NULL;
        expiry_key(key, &lock);
        status = put_lock(x, &lock);
        if (status == MGC_OK && lock.same_store)
            status = mgc__exec_fatal(x, mgc__state_put(&x->chain->state, key, sizeof key, NULL, 0));
        if (status == MGC_OK) status = emit_lock(x, &lock);
    }
    if (status != MGC_OK) mgc__exec_undo(x, mark);
    return status;
}

/* Post or release what is pending, and say so. */
static mgc_status end_lock(mgc__exec *x, mgc__lock *lock, bool credited)
{
    mgc_transfer_info t = {.flags = credited ? MGC_TRANSFER_POST : MGC_TRANSFER_VOID, .amount = MGC_AMOUNT_ALL};
    uint8_t key[57];
    mgc_status status;

    mgc__id_derive(t.id, "lock-end", x->chain->id, 32, lock->id, 16);
    memcpy(t.pending_id, lock->id, 16);
    expiry_key(key, lock);
    lock->state = credited ? MGC__LOCK_CREDITED : MGC__LOCK_RETURNED;
    status = bridge_transfer(x, &t);
    if (status == MGC_OK) status = put_lock(x, lock);
    if (status == MGC_OK && lock->same_store)
        status = mgc__exec_fatal(x, mgc__state_remove(&x->chain->state, key, sizeof key));
    if (status == MGC_OK) status = mgc__exec_emit(x, 0, credited ? "lock-posted" : "lock-returned", lock->id, 16);
    return status;
}

static mgc_status open_lock(mgc__exec *x, const uint8_t id[16], mgc__lock *lock)
{
    mgc_status status = mgc__lock_get(&x->chain->state, id, lock);

    if (status == MGC_E_NOT_FOUND) return mgc__exec_refuse(x, status, "there is no such lock");
    if (status != MGC_OK) return mgc__exec_fatal(x, status);
    if (lock->state == MGC__LOCK_OPEN) return MGC_OK;
    return mgc__exec_refuse(x, MGC_E_STATE, "the lock is %s already",
                            lock->state == MGC__LOCK_CREDITED ? "posted" : "returned");
}

mgc_status mgc__lock_settle(mgc__exec *x, const uint8_t id[16])
{
    const mgc_chain *target;
    uint8_t key[49];
    mgc__lock lock;
    mgc_status status = open_lock(x, id, &lock);

    if (status != MGC_OK) return status;
    target = lock.same_store ? in_store(x->chain, lock.target_chain) : NULL;
    if (target == NULL) return mgc__exec_refuse(x, MGC_E_STATE, "the lock's target is settled by a proof");
    credit_key(key, x->chain->id, id);
    if (mgc__state_get(&target->state, key, sizeof key) != NULL) return end_lock(x, &lock, true);
    if (target->time_ms >= lock.expires_ms) return end_lock(x, &lock, false);
    return mgc__exec_refuse(x, MGC_E_EARLY, "the lock may still be credited: its target is at %" PRIu64 " ms of %" PRIu64,
                            target->time_ms, lock.expires_ms);
}

/* The proof is about the target's state before a block: whatever is credited later stands in a block at least as late. */
mgc_status mgc__lock_settle_proof(mgc__exec *x, const uint8_t id[16], const uint8_t *proof, size_t len)
{
    mgc_verified found = {.struct_size = sizeof found};
    mgc_verifier v;
    uint8_t key[49];
    mgc__lock lock;
    bool credited = true;
    mgc_status status = open_lock(x, id, &lock);

    if (status != MGC_OK) return status;
    status = mgc_verifier_init(&v, sizeof v, lock.target_chain);
    if (status == MGC_OK) status = mgc_verify_record(&v, proof, len, &found);
    if (status == MGC_E_BAD_PROOF) {
        credited = false;
        status = mgc_verify_absence(&v, proof, len, &found);
    }
    if (mgc__is_fatal(status)) return mgc__exec_fatal(x, status);
    if (status != MGC_OK) return mgc__exec_refuse(x, status, "the proof of the target: %s", mgc_status_text(status));
    credit_key(key, x->chain->id, id);
    if (found.key_len != sizeof key || memcmp(found.key, key, sizeof key) != 0)
        return mgc__exec_refuse(x, MGC_E_BAD_PROOF, "the proof is about another lock");
    if (!credited && found.time_ms < lock.expires_ms)
        return mgc__exec_refuse(x, MGC_E_EARLY, "the proof is of %" PRIu64 " ms; the lock may be credited until %" PRIu64,
                                found.time_ms, lock.expires_ms);
    return end_lock(x, &lock, credited);
}

/* --- at the beginning of a block ----------------------------------------------------------------- */

static mgc_status settle_target(mgc__exec *x, const mgc_chain *target, uint32_t *left)
{
    mgc_status status = MGC_OK;
    uint8_t from[33];

    from[0] = MGC__AREA_LOCK_EXPIRY;
    memcpy(from + 1, target->id, 32);
    while (*left > 0 && status == MGC_OK) {
        const mgc__item *item = mgc__state_after(&x->chain->state, from, sizeof from, true);
        uint8_t id[16];

        if (item == NULL || item->key_len != 57 || memcmp(item->bytes, from, sizeof from) != 0) break;
        if (mgc__get_be64(item->bytes + 33) > target->time_ms) break;
        memcpy(id, item->bytes + 41, 16);
        status = mgc__lock_settle(x, id);
        (*left)--;
    }
    return status;
}

/* Locks whose target has passed their expiry end by themselves; so many a block, the rest in the next ones. */
mgc_status mgc__settle_locks(mgc__exec *x)
{
    const mgc_ledger *ledger = x->chain->ledger;
    uint32_t left = LOCKS_PER_BLOCK;
    mgc_status status = MGC_OK;

    for (uint32_t i = 0; i < ledger->n_chains && status == MGC_OK; i++)
        if (ledger->chains[i] != x->chain && ledger->chains[i]->height > 0)
            status = settle_target(x, ledger->chains[i], &left);
    return status;
}

/* --- the target ---------------------------------------------------------------------------------- */

static mgc_status credit(mgc__exec *x, const uint8_t source_chain[32], const mgc__lock *lock)
{
    mgc_transfer_info t = {.amount = lock->amount, .unit = lock->unit, .code = lock->code};
    mgc__mark mark = mgc__exec_mark(x);
    uint8_t key[49], bytes[16];
    mgc__cbor_writer w;
    mgc_status status;

    credit_key(key, source_chain, lock->id);
    if (memcmp(lock->target_chain, x->chain->id, 32) != 0)
        return mgc__exec_refuse(x, MGC_E_WRONG_CHAIN, "the lock is for another chain");
    if (mgc__state_get(&x->chain->state, key, sizeof key) != NULL)
        return mgc__exec_refuse(x, MGC_E_ALREADY_CREDITED, "the lock was credited already");
    if (x->time_ms >= lock->expires_ms)
        return mgc__exec_refuse(x, MGC_E_EXPIRED, "the lock expired at %" PRIu64 " ms; it is %" PRIu64, lock->expires_ms,
                                x->time_ms);
    mgc__id_derive(t.id, "lock-credit", source_chain, 32, lock->id, 16);
    memcpy(t.credit_account, lock->target_account, 16);
    status = open_bridge(x, source_chain, lock->unit, t.debit_account);
    if (status == MGC_OK) status = bridge_transfer(x, &t);
    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__cbor_put_uint(&w, x->height);
    if (status == MGC_OK)
        status = mgc__exec_fatal(x, mgc__state_put(&x->chain->state, key, sizeof key, bytes, w.len));
    if (status == MGC_OK) status = mgc__exec_emit(x, 0, "lock-credited", key + 1, 48);
    if (status != MGC_OK) mgc__exec_undo(x, mark);
    return status;
}

mgc_status mgc__lock_credit(mgc__exec *x, const char *source_chain, const uint8_t id[16])
{
    const mgc__state *state;
    const mgc_chain *source = NULL;
    mgc__lock lock;
    mgc_status status = mgc__exec_other(x, source_chain, &state, NULL, NULL);

    for (uint32_t i = 0; i < x->chain->ledger->n_chains; i++)
        if (&x->chain->ledger->chains[i]->state == state) source = x->chain->ledger->chains[i];
    if (status != MGC_OK || source == x->chain)
        return mgc__exec_refuse(x, MGC_E_NOT_FOUND, "there is no such other chain");
    status = mgc__lock_get(state, id, &lock);
    if (status == MGC_E_NOT_FOUND) return mgc__exec_refuse(x, status, "there is no such lock");
    if (status != MGC_OK) return mgc__exec_fatal(x, status);
    if (lock.state == MGC__LOCK_RETURNED) /* its time is over, on this chain too */
        return mgc__exec_refuse(x, MGC_E_EXPIRED, "the lock was returned");
    return credit(x, source->id, &lock);
}

/* The lock's event in a proved receipt. */
static mgc_status find_lock_event(const mgc_verified *found, const uint8_t id[16], mgc__lock *lock)
{
    mgc__receipt receipt;
    mgc_event_info event;
    mgc_status status = mgc__receipt_read(NULL, found->item, found->item_len, &receipt);

    for (uint32_t i = 0; status == MGC_OK && mgc__event_get(&receipt, i, &event) == MGC_OK; i++) {
        const uint8_t *event_id;
        mgc__cbor_reader r;

        if (event.contract != 0 || event.name_len != strlen(MGC__EVENT_LOCK) ||
            memcmp(event.name, MGC__EVENT_LOCK, event.name_len) != 0)
            continue;
        mgc__cbor_read(&r, event.payload, event.payload_len);
        mgc__cbor_get_array_of(&r, 7);
        event_id = mgc__cbor_get_fixed(&r, 16);
        *lock = (mgc__lock){0};
        read_terms(&r, lock);
        if (mgc__cbor_finish(&r) != MGC_OK || memcmp(event_id, id, 16) != 0) continue;
        memcpy(lock->id, id, 16);
        return MGC_OK;
    }
    return MGC_E_BAD_PROOF;
}

mgc_status mgc__lock_credit_proof(mgc__exec *x, const uint8_t source_chain[32], const uint8_t id[16],
                                  const uint8_t *proof, size_t len)
{
    mgc_verified found = {.struct_size = sizeof found};
    mgc_verifier v;
    mgc__lock lock;
    mgc_status status = mgc_verifier_init(&v, sizeof v, source_chain);

    if (status == MGC_OK) status = mgc_verify_receipt(&v, proof, len, &found);
    if (status == MGC_OK) status = find_lock_event(&found, id, &lock);
    if (mgc__is_fatal(status)) return mgc__exec_fatal(x, status);
    if (status != MGC_OK) return mgc__exec_refuse(x, status, "the proof of the lock: %s", mgc_status_text(status));
    return credit(x, source_chain, &lock);
}
