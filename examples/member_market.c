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
    mgc_key *administrator = key_of(ctx, 99);
    const mgc_signer signers[2] = {{.key = administrator, .role = MGC_ROLE_ADMINISTRATOR},
                                   {.key = validator, .role = MGC_ROLE_VALIDATOR}};
    mgc_node_call_opts call;
    uint8_t public_key[32];
    char words[400], digits[65];
    uint64_t ticket;

    TRY(mgc_key_public(administrator, public_key));
    for (int i = 0; i < 32; i++) snprintf(digits + 2 * i, 3, "%02x", public_key[i]);
    snprintf(words, sizeof words,
             "name=example&currency=EUR&slot_ms=3600000&gate_ms=3600000&gate_slots=1&window_ms=3600000&"
             "collateral_bp=5000&pending_blocks=1000&first_slot=%" PRIu64 "&administrator=%s",
             now_ms() / 3600000 + 2, digits);
    mgc_node_call_opts_init(&call, sizeof call);
    call.contract = MGC_CONTRACT_INFORMATION;
    call.method = "found";
    call.words = words;
    call.signers = signers;
    call.n_signers = 2;
    TRY(mgc_node_call(node, &call, &ticket, NULL));
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
    if (there)
        printf(", block %" PRIu64 " of which %" PRIu64 " is final, led by %u\n", info.height, info.final_height,
               info.leader);
    return there && info.final_height == info.height;
}
