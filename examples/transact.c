/* SPDX-License-Identifier: Apache-2.0 */
#include "transact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 4096, COLUMNS_MAX = 16 };

mgc_status toy_key(mgc_ctx *ctx, uint32_t number, mgc_key **key)
{
    uint8_t seed[32] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};

    return mgc_key_from_seed(ctx, seed, key);
}

mgc_status public_words(const mgc_key *key, char text[65])
{
    uint8_t bytes[32];

    TRY(mgc_key_public(key, bytes));
    for (size_t i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return MGC_OK;
}

mgc_status transact_bytes(mgc_node *node, uint32_t contract, const char *method, const uint8_t *arguments, size_t len,
                          const signer *signers, size_t n, uint64_t *ticket)
{
    uint8_t body[MGC_TX_BYTES_MAX], bytes[MGC_TX_BYTES_MAX], sender[32];
    mgc_tx_signature signature[MGC_TX_SIGNATURES_MAX];
    mgc_chain_info chain = {.struct_size = sizeof chain};
    size_t body_len, bytes_len;
    uint64_t nonce;

    if (n == 0 || n > MGC_TX_SIGNATURES_MAX) return MGC_E_INVALID_ARG;
    TRY(mgc_chain_get_info(mgc_node_chain(node, contract), &chain));
    TRY(mgc_key_public(signers[0].key, sender));
    TRY(mgc_node_next_nonce(node, sender, contract, &nonce)); /* what waits in the pool is counted already */
    /* forgotten in a drawer, it dies */
    mgc_tx_body tx = {.struct_size = sizeof tx,
                      .chain_id = chain.chain_id,
                      .sender = sender,
                      .contract = contract,
                      .method = method,
                      .arguments = arguments,
                      .arguments_len = len,
                      .nonce = nonce,
                      .valid_until = chain.height + MGC_TX_WINDOW_MAX / 2};
    TRY(mgc_tx_encode_body(&tx, body, sizeof body, &body_len));
    /* Elsewhere each signer does this at his own place, and only bodies and signatures travel. */
    for (size_t i = 0; i < n; i++) TRY(mgc_tx_sign(body, body_len, signers[i].key, signers[i].role, &signature[i]));
    TRY(mgc_tx_assemble(body, body_len, signature, n, bytes, sizeof bytes, &bytes_len));
    return mgc_node_submit(node, bytes, bytes_len, ticket);
}

static mgc_status set_rows(mgc_args *args, const char *field, const char *text)
{
    while (*text != '\0') {
        int64_t values[COLUMNS_MAX];
        size_t n = 0;
        for (char *end; n < COLUMNS_MAX; text = end + 1) {
            values[n++] = strtoll(text, &end, 10);
            if (*end == ',') continue;
            text = *end == ';' ? end + 1 : end;
            break;
        }
        TRY(mgc_args_add_row(args, field, values, n));
        if (*text != '\0' && strchr("-0123456789", *text) == NULL) return MGC_E_SYNTAX;
    }
    return MGC_OK;
}

static mgc_status set_hex(mgc_args *args, const char *field, const char *text)
{
    uint8_t bytes[WORD_MAX / 2];
    size_t len = strlen(text) / 2;

    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1) return MGC_E_SYNTAX;
        bytes[i] = (uint8_t)byte;
    }
    return mgc_args_set_bytes(args, field, bytes, len);
}

/* One word "field=value"; what kind of value a field takes is asked of the library, whose table is the contract's
 * own. */
static mgc_status set_word(mgc_args *args, uint32_t contract, const char *method, const char *field,
                           const char *value)
{
    mgc_field_info info = {.struct_size = sizeof info};

    for (uint32_t i = 0; mgc_field_describe(contract, method, i, &info) == MGC_OK; i++) {
        if (strcmp(info.name, field) != 0) continue;
        if (info.kind == MGC_FIELD_TEXT) return mgc_args_set_text(args, field, value);
        if (info.kind == MGC_FIELD_BYTES) return set_hex(args, field, value);
        if (info.kind == MGC_FIELD_ROWS) return set_rows(args, field, value);
        return mgc_args_set_int(args, field, strtoll(value, NULL, 10));
    }
    return mgc_args_set_int(args, field, 0); /* no such field: the library's refusal names the nearest one */
}

mgc_status transact(mgc_ctx *ctx, mgc_node *node, uint32_t contract, const char *method, const char *words,
                    const signer *signers, size_t n, uint64_t *ticket)
{
    char copy[WORD_MAX], *rest = NULL;
    const uint8_t *bytes;
    mgc_args *args = NULL;
    size_t len;

    if (strlen(words) >= sizeof copy) return MGC_E_TOO_LARGE;
    strcpy(copy, words);
    mgc_status st = mgc_args_create(ctx, contract, method, &args);
    for (char *word = strtok_r(copy, " ", &rest); st == MGC_OK && word != NULL; word = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(word, '=');
        if (value != NULL) *value++ = '\0';
        st = value == NULL ? MGC_E_SYNTAX : set_word(args, contract, method, word, value);
    }
    if (st == MGC_OK) st = mgc_args_encode(args, &bytes, &len); /* borrowed from args */
    if (st == MGC_OK) st = transact_bytes(node, contract, method, bytes, len, signers, n, ticket);
    mgc_args_destroy(args);
    return st;
}
