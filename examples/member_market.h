/* SPDX-License-Identifier: Apache-2.0 */
/* What a member does with its node, apart from hosting it: found a market, and ask whether it is there. */
#ifndef MEMBER_MARKET_H
#define MEMBER_MARKET_H

#include <mgchain/mgchain.h>
#include <stdio.h>
#include <stdlib.h>

#define TRY(call)                                                                                     \
    do {                                                                                              \
        mgc_status try_status = (call);                                                               \
        if (try_status != MGC_OK) {                                                                   \
            fprintf(stderr, "member: %s: %s\n", #call, mgc_status_name(try_status));      \
            exit(1);                                                                                  \
        }                                                                                             \
    } while (0)

uint64_t now_ms(void);
/* The keys of an example: never do so with real ones. */
mgc_key *key_of(mgc_ctx *ctx, uint8_t who);
/* Hand in the market's first transaction; its ticket. */
uint64_t market_found(mgc_ctx *ctx, mgc_node *node, const mgc_key *validator);
/* Is it on this member's ledger, in a final block?  Then it is said. */
int market_is_founded(mgc_node *node);

#endif
