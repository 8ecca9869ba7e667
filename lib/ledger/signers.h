/* SPDX-License-Identifier: Apache-2.0 */
/* Who signs blocks, and how that changes: the genesis, then the headers of the blocks that say otherwise.  signers.c */
#ifndef LEDGER_SIGNERS_H
#define LEDGER_SIGNERS_H

#include "ledger/block.h"
#include "ledger/journal.h"

typedef struct mgc__half {
    uint32_t n, quorum;
    mgc_member list[MGC_MEMBERS_MAX]; /* ids strictly ascending */
} mgc__half;

/* In force after the block of that height: a quorum of now; where joint, one of old, too. */
typedef struct mgc__signers {
    uint64_t height; /* 0: the genesis */
    bool joint;
    uint8_t reason[32];
    mgc__half now, old;
    mgc__half others; /* sign, so that it is seen that they are there, and count for no quorum */
} mgc__signers;

/* One that is in force, or was. */
typedef struct mgc__configuration {
    mgc__signers signers;
    uint8_t *header; /* owned: of the block that brought it, which may be pruned; NULL: the genesis */
    size_t header_len;
    mgc__place kept; /* of its certificate, where the block is pruned */
    mgc__half all;   /* all who sign under it; of one in both halves with two keys the new one */
} mgc__configuration;

void mgc__signers_begin(mgc__signers *s, const mgc__genesis *genesis, const mgc_member *members);
/* What is in force after a block whose header changes it; NULL, or why it cannot. */
const char *mgc__signers_next(const mgc__signers *s, const mgc__header *h, mgc__signers *next);
/* Who must sign a block: who is in force before it; and where it begins a change, those who come, too.  next: room for that. */
const mgc__signers *mgc__signers_of(const mgc__signers *before, const mgc__header *h, mgc__signers *next);
/* Who counts; NULL: no such; old: in the old half. */
const mgc_member *mgc__signers_find(const mgc__signers *s, uint32_t id, bool old);
const mgc_member *mgc__signers_any(const mgc__signers *s, uint32_t id); /* with those who do not count; the new key first */
bool mgc__signers_have(const mgc__signers *s, uint32_t id);
bool mgc__signers_have_key(const mgc__signers *s, const uint8_t key[32]);
void mgc__signers_all(const mgc__signers *s, mgc__half *all);

/* Good votes, counted one after the other.  ctx: what it knows to be good is not verified again; NULL: all is. */
typedef struct mgc__tally {
    mgc_ctx *ctx;
    uint32_t now, old;
} mgc__tally;
/* Does the signature on a header fit a key of that member?  Then it counts.  MGC_OK, MGC_E_BAD_CERT, MGC_E_CRYPTO. */
mgc_status mgc__tally_vote(mgc__tally *t, const mgc__signers *s, const uint8_t chain_id[32], const uint8_t *header, size_t len,
                           uint32_t member, const uint8_t *signature);
/* All of them, and enough.  *wrong: whose vote is not, where one is not; 0: they are too few, or of another block. */
mgc_status mgc__signers_check(mgc_ctx *ctx, const mgc__signers *s, const uint8_t chain_id[32], const uint8_t *header, size_t len,
                              const uint8_t hash[32], const mgc__certificate *c, uint32_t *wrong);
bool mgc__tally_reached(const mgc__tally *t, const mgc__signers *s);
/* Would these be enough, if their signatures are good?  Each id once. */
bool mgc__signers_enough(const mgc__signers *s, const mgc__certificate *c);

#endif
