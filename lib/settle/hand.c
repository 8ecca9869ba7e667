/* SPDX-License-Identifier: Apache-2.0 */
/* Drafts signed and handed out in order, those of the day before when they are due. */
#include "settle/settle.h"

/* --- nonces ---------------------------------------------------------------------------------------- */

/* The place of a sender's next nonce with a contract; NULL: no memory. */
static struct nonce *nonce_of(mgc_day *day, uint32_t member, uint32_t contract)
{
    nonces *numbers = day->numbers;
    void *block = numbers->list;

    for (size_t i = 0; i < numbers->n; i++)
        if (numbers->list[i].member == member && numbers->list[i].contract == contract) return &numbers->list[i];
    if (!mgc__grow(day->ctx, &block, &numbers->cap, numbers->n + 1, sizeof *numbers->list)) return NULL;
    numbers->list = block;
    numbers->list[numbers->n] = (struct nonce){.member = member, .contract = contract, .next = 1};
    return &numbers->list[numbers->n++];
}

/* --- signing ------------------------------------------------------------------------------------------ */

static mgc_status key_of(const mgc_day *day, uint32_t member, const mgc_key **key, uint8_t public_key[32])
{
    *key = day->opts.key(day->opts.user, member);
    if (*key == NULL)
        return mgc__fail(day->ctx, MGC_E_MISSING_SIGNER, "settle: the host gave no key for member %" PRIu32, member);
    return mgc_key_public(*key, public_key);
}

static mgc_status encode_body(mgc_day *day, const draft *d, uint64_t nonce, size_t *len)
{
    uint32_t home = mgc__home_of(d->contract);
    mgc_tx_body body = {.struct_size = sizeof body,
                        .chain_id = day->chains[home].id,
                        .contract = d->contract,
                        .method = d->method,
                        .nonce = nonce,
                        .valid_until = day->chains[home].height + MGC_TX_WINDOW_MAX / 2};
    uint8_t sender[32];
    const mgc_key *key;
    mgc_status st = key_of(day, d->signers[0].member, &key, sender);

    body.sender = sender;
    if (st == MGC_OK) st = mgc_args_encode(d->args, &body.arguments, &body.arguments_len);
    return st != MGC_OK ? st : mgc_tx_encode_body(&body, day->body, MGC_TX_BYTES_MAX, len);
}

static mgc_status sign(mgc_day *day, const draft *d, size_t *len)
{
    struct nonce *nonce = nonce_of(day, d->signers[0].member, d->contract);
    mgc_tx_signature signatures[2];
    size_t body_len = 0;
    mgc_status st;

    if (nonce == NULL) return mgc__no_memory(day->ctx, "settle: nonces");
    st = encode_body(day, d, nonce->next, &body_len);
    for (uint32_t i = 0; i < d->n_signers && st == MGC_OK; i++) {
        const mgc_key *key;
        uint8_t public_key[32];

        st = key_of(day, d->signers[i].member, &key, public_key);
        if (st == MGC_OK) st = mgc_tx_sign(day->body, body_len, key, d->signers[i].role, &signatures[i]);
    }
    if (st == MGC_OK)
        st = mgc_tx_assemble(day->body, body_len, signatures, d->n_signers, day->tx, MGC_TX_BYTES_MAX, len);
    if (st == MGC_OK) nonce->next++;
    return st;
}

/* --- order ----------------------------------------------------------------------------------------------- */

/* The next draft of this day alone, up to a phase; MGC_E_NOT_FOUND: none. */
static mgc_status peek(mgc_day *day, uint32_t until, const draft **next)
{
    while (day->next_draft == day->n_drafts) {
        uint32_t phase = day->phase + 1;
        mgc_status st;

        if (day->phase == MGC_DAY_END || phase > until) return MGC_E_NOT_FOUND;
        st = mgc__day_draft(day, phase);
        if (st != MGC_OK) return st;
        day->phase = phase;
    }
    *next = &day->drafts[day->next_draft];
    return MGC_OK;
}

/* A phase that was drafted earlier than it is asked for now. */
static bool beyond(const mgc_day *day, uint32_t until)
{
    return day->next_draft < day->n_drafts && day->phase > until;
}

static mgc_status hand_out(mgc_day *day, mgc_day *owner, const draft *d, mgc_day_tx *tx)
{
    mgc_day_tx filled = {
        .struct_size = sizeof filled, .phase = d->phase, .contract = d->contract, .method = d->method};
    mgc_status st;

    for (uint32_t i = 0; i < HOMES; i++) owner->chains[i].height = day->chains[i].height;
    st = sign(owner, d, &filled.len);
    if (st != MGC_OK) return st;
    if (d->due_ms > day->due_ms) day->due_ms = d->due_ms;
    filled.due_ms = owner->due_ms = day->due_ms;
    filled.bytes = owner->tx;
    owner->next_draft++;
    return mgc__info_write(tx, &filled, sizeof filled, MGC__FIRST_SIZE(mgc_day_tx, len));
}

/* The next draft of a day and of those before it: whichever is due first, the earlier day's where both are.  A day
 * that has nothing left is let go. */
static mgc_status choose(mgc_day *day, uint32_t until, mgc_day **owner, const draft **next)
{
    const draft *own = NULL, *before = NULL;
    mgc_day *before_owner = NULL;
    mgc_status own_st = beyond(day, until) ? MGC_E_NOT_FOUND : peek(day, until, &own), before_st = MGC_E_NOT_FOUND;

    if (own_st != MGC_OK && own_st != MGC_E_NOT_FOUND) return own_st;
    if (day->previous != NULL) before_st = choose(day->previous, MGC_DAY_END, &before_owner, &before);
    if (before_st != MGC_OK && before_st != MGC_E_NOT_FOUND) return before_st;
    if (before_st == MGC_E_NOT_FOUND) {
        mgc_day_destroy(day->previous);
        day->previous = NULL;
    }
    if (before_st == MGC_OK && (own_st == MGC_OK ? before->due_ms <= own->due_ms : until == MGC_DAY_END)) {
        *owner = before_owner;
        *next = before;
        return MGC_OK;
    }
    *owner = day;
    *next = own;
    return own_st;
}

mgc_status mgc_day_next(mgc_day *day, uint32_t until, mgc_day_tx *tx)
{
    mgc_day_tx end = {.struct_size = sizeof end};
    const draft *next;
    mgc_day *owner;
    mgc_status st;

    if (day == NULL) return MGC_E_INVALID_ARG;
    if (tx == NULL || until < MGC_DAY_FOUND || until > MGC_DAY_END)
        return mgc__fail(day->ctx, MGC_E_INVALID_ARG, "settle: tx is NULL or the phase is %" PRIu32 "; must be 1..%d",
                         until, MGC_DAY_END);
    st = choose(day, until, &owner, &next);
    if (st == MGC_OK) return hand_out(day, owner, next, tx);
    if (st != MGC_E_NOT_FOUND) return st;
    end.phase = day->phase;
    end.due_ms = day->due_ms;
    st = mgc__info_write(tx, &end, sizeof end, MGC__FIRST_SIZE(mgc_day_tx, len));
    return st != MGC_OK ? st
                        : mgc__fail(day->ctx, MGC_E_NOT_FOUND, "settle: nothing is left up to phase %" PRIu32, until);
}
