/* SPDX-License-Identifier: Apache-2.0 */
#include "member_market.h"

#include <inttypes.h>
#include <time.h>

uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

mgc_key *key_of(mgc_ctx *ctx, uint8_t who)
{
    const uint8_t seed[32] = {who};
    mgc_key *key;

    TRY(mgc_key_from_seed(ctx, seed, &key));
    return key;
}

/* Founded by its administrator and by one who signs blocks. */
uint64_t market_found(mgc_ctx *ctx, mgc_node *node, const mgc_key *validator)
{
    static uint8_t body[MGC_TX_BYTES_MAX], tx[MGC_TX_BYTES_MAX];
    const char *const fields[] = {"slot_ms", "gate_ms", "gate_slots", "window_ms", "collateral_bp", "pending_blocks", "first_slot"};
    const int64_t values[] = {3600000, 3600000, 1, 3600000, 5000, 1000, (int64_t)(now_ms() / 3600000) + 2};
    mgc_key *administrator = key_of(ctx, 99);
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_tx_body b = {.struct_size = sizeof b, .contract = MGC_CONTRACT_INFORMATION, .method = "found", .nonce = 1, .valid_until = 1000};
    mgc_tx_signature signatures[2];
    uint8_t public_key[32];
    uint64_t ticket;
    mgc_args *args;
    size_t len;

    TRY(mgc_key_public(administrator, public_key));
    TRY(mgc_args_create(ctx, b.contract, b.method, &args));
    TRY(mgc_args_set_text(args, "name", "example"));
    TRY(mgc_args_set_text(args, "currency", "EUR"));
    TRY(mgc_args_set_bytes(args, "administrator", public_key, 32));
    for (int i = 0; i < 7; i++) TRY(mgc_args_set_int(args, fields[i], values[i]));
    TRY(mgc_args_encode(args, &b.arguments, &b.arguments_len));
    TRY(mgc_chain_get_info(mgc_node_chain(node, b.contract), &chain));
    b.chain_id = chain.chain_id;
    b.sender = public_key;
    TRY(mgc_tx_encode_body(&b, body, sizeof body, &len));
    TRY(mgc_tx_sign(body, len, administrator, MGC_ROLE_ADMINISTRATOR, &signatures[0]));
    TRY(mgc_tx_sign(body, len, validator, MGC_ROLE_VALIDATOR, &signatures[1]));
    TRY(mgc_tx_assemble(body, len, signatures, 2, tx, sizeof tx, &len));
    TRY(mgc_node_submit(node, tx, len, &ticket));
    mgc_args_destroy(args);
    mgc_key_destroy(administrator);
    return ticket;
}

int market_is_founded(mgc_node *node)
{
    mgc_rows *rows;
    const mgc_row *row;
    mgc_node_info info = {.struct_size = sizeof info};

    TRY(mgc_node_query(node, 0, "parameters", NULL, &rows));
    int there = mgc_rows_next(rows, &row) == MGC_ROW;
    if (there) printf("market \"%s\"", mgc_row_text(row, "name"));
    mgc_rows_destroy(rows);
    TRY(mgc_node_get_info(node, &info));
    if (there) printf(", block %" PRIu64 " of which %" PRIu64 " is final, led by %u\n", info.height, info.final_height, info.leader);
    return there && info.final_height == info.height;
}
