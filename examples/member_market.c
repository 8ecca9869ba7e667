/* SPDX-License-Identifier: Apache-2.0 */
#include "member_market.h"

#include <inttypes.h>
#include <time.h>

enum { ADMINISTRATOR = 99 };

mgc_key *key_of(mgc_ctx *ctx, uint32_t who)
{
    const uint8_t seed[32] = {(uint8_t)who};
    mgc_key *key;

    TRY(mgc_key_from_seed(ctx, seed, &key));
    return key;
}

mgc_member member_of(mgc_ctx *ctx, uint32_t who)
{
    mgc_key *key = key_of(ctx, who);
    mgc_member member = {.id = who};

    TRY(mgc_key_public(key, member.public_key));
    mgc_key_destroy(key);
    return member;
}

void approve(mgc_ctx *ctx, mgc_node *node, uint32_t newcomer)
{
    const mgc_member member = member_of(ctx, newcomer);

    TRY(mgc_node_change_member(node, MGC_CHANGE_VOTER, &member));
}

/* Founded by its administrator and by one who signs blocks. */
static void found(mgc_ctx *ctx, mgc_node *node, const mgc_key *validator)
{
    mgc_key *administrator = key_of(ctx, ADMINISTRATOR);
    const mgc_member public = member_of(ctx, ADMINISTRATOR);
    const mgc_signer signers[2] = {{.key = administrator, .role = MGC_ROLE_ADMINISTRATOR},
                                   {.key = validator, .role = MGC_ROLE_VALIDATOR}};
    mgc_node_call_opts call;
    char words[400], digits[65];

    for (int i = 0; i < 32; i++) snprintf(digits + 2 * i, 3, "%02x", public.public_key[i]);
    snprintf(words, sizeof words,
             "name=example&currency=EUR&slot_ms=3600000&gate_ms=3600000&gate_slots=1&window_ms=3600000&"
             "collateral_bp=5000&pending_blocks=1000&first_slot=%" PRIu64 "&administrator=%s",
             (uint64_t)time(NULL) / 3600 + 2, digits);
    mgc_node_call_opts_init(&call, sizeof call);
    call.contract = MGC_CONTRACT_INFORMATION;
    call.method = "found";
    call.words = words;
    call.signers = signers;
    call.n_signers = 2;
    TRY(mgc_node_call(node, &call, NULL, NULL));
    mgc_key_destroy(administrator);
}

static int is_founded(mgc_node *node)
{
    mgc_rows *rows;
    const mgc_row *row;

    TRY(mgc_node_query(node, 0, "parameters", NULL, &rows));
    int there = mgc_rows_next(rows, &row) == MGC_ROW;
    mgc_rows_destroy(rows);
    return there;
}

void market_go_on(mgc_ctx *ctx, mgc_node *node, const mgc_node_opts *opts)
{
    static const char *const standings[] = {"", "a stranger", "a learner", "a voter", "removed"};
    static uint32_t handed_in, told; /* told: as what */
    mgc_node_info info = {.struct_size = sizeof info};

    TRY(mgc_node_get_info(node, &info));
    if (told == info.standing || info.final_height < info.height) return;
    if (is_founded(node)) {
        printf("the market is founded; member %u is %s; block %" PRIu64 ", led by %u\n", opts->id,
               standings[info.standing], info.height, info.leader);
        fflush(stdout);
        told = info.standing;
    } else if (opts->id == 1 && !handed_in) {
        found(ctx, node, opts->key);
        handed_in = 1;
    }
}
