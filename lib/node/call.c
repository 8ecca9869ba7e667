/* SPDX-License-Identifier: Apache-2.0 */
/* A call of a contract from words to its ticket: what a host that has the keys would have to write for itself. */
#include "node/node.h"

static const mgc_node_call_opts call_defaults = {.struct_size = sizeof(mgc_node_call_opts), .window = 1000};

void mgc_node_call_opts_init(mgc_node_call_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &call_defaults, sizeof call_defaults);
}

static mgc_status check_signers(mgc_ctx *ctx, const mgc_node_call_opts *call)
{
    if (call->signers == NULL || call->n_signers == 0 || call->n_signers > MGC_TX_SIGNATURES_MAX)
        return mgc__fail(ctx, MGC_E_RANGE, "node: %zu signers of %s; must be 1..%d", call->signers == NULL ? 0 : call->n_signers,
                         call->method, MGC_TX_SIGNATURES_MAX);
    for (size_t i = 0; i < call->n_signers; i++) {
        const mgc_signer *s = &call->signers[i];

        if (s->key == NULL || s->reserved0 != 0)
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: signer %zu of %s has no key, or reserved0 is not 0", i,
                             call->method);
        if (s->role > UINT8_MAX)
            return mgc__fail(ctx, MGC_E_RANGE, "node: role %" PRIu32 " of signer %zu of %s; at most %d", s->role, i,
                             call->method, UINT8_MAX);
    }
    return MGC_OK;
}

static mgc_status read_call(mgc_ctx *ctx, const mgc_node_call_opts *given, mgc_node_call_opts *call)
{
    *call = call_defaults;
    if (given == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: call is NULL");
    mgc_status st = mgc__opts_read(call, sizeof *call, MGC__FIRST_SIZE(mgc_node_call_opts, now_ms), given);
    if (st != MGC_OK) return mgc__fail(ctx, st, "node: call.struct_size is not one that this library knows");
    if (call->method == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: the method's name is NULL");
    if (call->arguments_len > 0 && (call->arguments == NULL || call->words != NULL))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "node: %zu bytes of arguments of %s %s", call->arguments_len, call->method,
                         call->words != NULL ? "beside words; one of the two is to be given" : "at NULL");
    if (call->window == 0 || call->window > MGC_TX_WINDOW_MAX)
        return mgc__fail(ctx, MGC_E_RANGE, "node: window of %s is %" PRIu32 " blocks; must be 1..%d", call->method,
                         call->window, MGC_TX_WINDOW_MAX);
    return check_signers(ctx, call);
}

/* Words become bytes, which args owns. */
static mgc_status encode_words(mgc_ctx *ctx, mgc_node_call_opts *call, mgc_args **args)
{
    mgc_status st = mgc_args_create(ctx, call->contract, call->method, args);

    if (st == MGC_OK) st = mgc_args_parse(*args, call->words);
    if (st == MGC_OK) st = mgc_args_encode(*args, &call->arguments, &call->arguments_len);
    return st;
}

/* tx: room for MGC_TX_BYTES_MAX. */
static mgc_status sign(mgc_node *node, const mgc_node_call_opts *call, uint8_t *body, uint8_t *tx, size_t *tx_len)
{
    mgc_tx_signature signatures[MGC_TX_SIGNATURES_MAX];
    mgc_chain_info chain = {.struct_size = sizeof chain};
    uint8_t sender[32];
    mgc_tx_body b = {.struct_size = sizeof b,
                     .chain_id = chain.chain_id,
                     .sender = sender,
                     .contract = call->contract,
                     .method = call->method,
                     .arguments = call->arguments,
                     .arguments_len = call->arguments_len};
    size_t len;
    mgc_status st = mgc_chain_get_info(mgc_node_chain(node, call->contract), &chain);

    if (st == MGC_OK) st = mgc_key_public(call->signers[0].key, sender);
    if (st == MGC_OK) st = mgc_node_next_nonce(node, sender, call->contract, &b.nonce);
    b.valid_until = chain.height + call->window;
    if (st == MGC_OK) st = mgc_tx_encode_body(&b, body, MGC_TX_BYTES_MAX, &len);
    if (st == MGC_E_INVALID_ARG || st == MGC_E_TOO_LARGE)
        return mgc__fail(node->ctx, st, "node: method \"%.40s\" with %zu bytes of arguments is no transaction: 1..%d bytes of name, "
                         "%d in all", call->method, call->arguments_len, MGC_METHOD_MAX, MGC_TX_BYTES_MAX);
    for (size_t i = 0; i < call->n_signers && st == MGC_OK; i++)
        st = mgc_tx_sign(body, len, call->signers[i].key, call->signers[i].role, &signatures[i]);
    if (st != MGC_OK) return st;
    st = mgc_tx_assemble(body, len, signatures, call->n_signers, tx, MGC_TX_BYTES_MAX, tx_len);
    if (st == MGC_OK) return MGC_OK;
    return mgc__fail(node->ctx, st, "node: the %zu signatures of %s: %s", call->n_signers, call->method, mgc_status_text(st));
}

static mgc_status hand_in(mgc_node *node, mgc_node_call_opts *call, uint64_t *number)
{
    uint8_t *body = mgc__alloc(node->ctx, MGC_TX_BYTES_MAX, 1), *tx = mgc__alloc(node->ctx, MGC_TX_BYTES_MAX, 1);
    mgc_args *args = NULL;
    size_t len;
    mgc_status st = body == NULL || tx == NULL ? mgc__no_memory(node->ctx, "node: a transaction") : MGC_OK;

    if (st == MGC_OK && call->words != NULL) st = encode_words(node->ctx, call, &args);
    if (st == MGC_OK) st = sign(node, call, body, tx, &len);
    if (st == MGC_OK) st = mgc_node_submit(node, tx, len, number);
    mgc_args_destroy(args);
    mgc__free(node->ctx, tx);
    mgc__free(node->ctx, body);
    return st;
}

mgc_status mgc_node_call(mgc_node *node, const mgc_node_call_opts *call, uint64_t *number, mgc_ticket_info *info)
{
    mgc_node_call_opts c;
    uint64_t own = 0;
    mgc_status st;

    if (number != NULL) *number = 0;
    if (node == NULL) return MGC_E_INVALID_ARG;
    st = read_call(node->ctx, call, &c);
    if (st == MGC_OK) st = mgc__node_started(node, true);
    if (st == MGC_OK) st = hand_in(node, &c, &own);
    if (st != MGC_OK) return st;
    if (number != NULL) *number = own;
    if (c.now_ms != 0) st = node->cluster == NULL ? mgc_node_flush(node, c.now_ms) : mgc_node_step(node, c.now_ms, NULL);
    return st != MGC_OK || info == NULL ? st : mgc_ticket_state(node, own, info);
}
