/* SPDX-License-Identifier: Apache-2.0 */
/* What a member does with its node, apart from hosting it: found a market, say that it is there, approve a newcomer. */
#ifndef MEMBER_MARKET_H
#define MEMBER_MARKET_H

#include <mgchain/mgchain.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                                                \
    do {                                                                         \
        mgc_status try_status = (call);                                          \
        if (try_status == MGC_OK) break;                                         \
        fprintf(stderr, "member: %s: %s\n", #call, mgc_status_name(try_status)); \
        exit(1);                                                                 \
    } while (0)

/* The keys of an example: never do so with real ones. */
mgc_key *key_of(mgc_ctx *ctx, uint32_t who);
mgc_member member_of(mgc_ctx *ctx, uint32_t who);
void approve(mgc_ctx *ctx, mgc_node *node, uint32_t newcomer);
/* The first member founds the market once; each says when it is on its ledger in a final block, and what it is itself. */
void market_go_on(mgc_ctx *ctx, mgc_node *node, const mgc_node_opts *opts);

#endif
