/* SPDX-License-Identifier: Apache-2.0 */
/* The market that fuzz_chain acts on, at four times of its day; and what an act is. */
#ifndef TESTS_FUZZ_CHAIN_WORLD_H
#define TESTS_FUZZ_CHAIN_WORLD_H

#include "fuzz.h"

#include "../node/market.h"

/* An input: which world (% WORLDS), then acts of so many bytes, each followed by its arguments. */
enum {
    ACT_CONTRACT, /* 1 + % 7: the built-in ones, and one that nobody has */
    ACT_METHOD,   /* % its methods */
    ACT_SIGNER,   /* % people */
    ACT_ROLE,
    ACT_SECOND, /* second signer; 0: none */
    ACT_SECOND_ROLE,
    ACT_WAIT,  /* 0: the next act goes into the same block; else a block is built after chain_wait() */
    ACT_TWIST, /* % TWISTS: what is wrong with the transaction */
    ACT_LEN,   /* of the arguments: two bytes, the lower first */
    ACT_HEAD = ACT_LEN + 2
};
enum { TWIST_NONE, TWIST_GAP, TWIST_USED, TWIST_CHAIN, TWIST_EXPIRED, TWIST_LONG, TWIST_BYTE, TWIST_TWICE, TWISTS };
enum { WORLDS = 4, ACTS_MAX = 16, CONTRACTS = 7 };

extern const uint32_t chain_people[];
extern const uint32_t chain_n_people;

/* [ms] A step of CHAIN_STEPS, wait % CHAIN_STEPS; one of at most an hour wait / CHAIN_STEPS times and once more. */
enum { CHAIN_STEPS = 7, CHAIN_STEP_SECOND = 1, CHAIN_STEP_HOUR = 4 };
uint64_t chain_wait(uint8_t wait);

/* The market as it was after agreeing was due, after the first reading, before settling, before finalising; the same object
 * each time. */
struct market *chain_world(uint32_t which);
/* Is everything that the disk held in that world still as it was? */
bool chain_world_kept(uint32_t which);

#endif
