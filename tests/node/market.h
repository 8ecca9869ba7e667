/* SPDX-License-Identifier: Apache-2.0 */
/* A small invented alliance on one node: three microgrids, two links, four slots of an hour; transactions in one line
 * each. */
#ifndef TESTS_NODE_MARKET_H
#define TESTS_NODE_MARKET_H

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../ledger/world.h"
#include "contract/contract.h"
#include "mgchain/node.h"

enum { HOUR = 3600000, FIRST_SLOT = 434000, SLOTS = 4, GRIDS = 3 };
#define START ((uint64_t)FIRST_SLOT * HOUR) /* begin of the first slot */
#define MORNING (START - 86400000)          /* when the market is founded */
#define GATE (START - HOUR)
#define DAY_END (START + SLOTS * (uint64_t)HOUR)

/* Members. */
enum {
    ADMIN = 1,
    OPERATOR = 2,
    DISPATCHER = 3,
    REGULATOR = 4,
    VALIDATOR = 5, /* the node's own key, which the genesis names */
    MANAGER = 10,
    /* + microgrid */ METER = 100 /* + meter */,
    STRANGER = 900
};
/* Microgrids A, B, C = 1, 2, 3.  Link 1: A - B electricity; link 2: B - C heat, 3 % loss. */
/* Meters: 1..3 electricity at the connection, 4, 5 the ends of link 1, 6, 7 those of link 2, 8 heat connection of B,
 * 9 gas of C. */
enum { METERS = 9 };

enum { MARKET_BYTES = 3500 }; /* of one argument */

/* Head and state of the information, trading and scheduling chain; thrice the same where there is one. */
enum { MARKET_DIGEST = 3 * 64 };

extern bool market_three_chains; /* set before market_open(); false */

struct market {
    mgc_ctx *ctx;
    struct disk disk;
    mgc_node *node;
    mgc_key *key; /* the node's */
    struct {
        uint32_t member;
        mgc_key *key;
    } keys[64];
    size_t n_keys;
    struct {
        uint32_t member, contract;
        uint64_t next;
    } nonces[128];
    size_t n_nonces;
    uint64_t now;
    uint64_t valid_until;           /* 0: far enough */
    long nonce_shift;               /* added to the next nonce, once */
    uint8_t last[MGC_TX_BYTES_MAX]; /* the last transaction */
    size_t last_len;
    mgc_ticket_info info; /* of the last one that was expected */
    char rule[MGC_RULE_MAX + 1];
    mgc_contract hosts[3]; /* the host's own; set before market_open(), as are all to pending_blocks */
    void *host_users[3];
    size_t n_hosts;
    const mgc_allocator *allocator; /* of the context; NULL: malloc */
    uint8_t nonce;      /* of the genesis */
    uint32_t read_only; /* of the next start */
    int pending_blocks; /* 0: 100000 */
    mgc__rng rng;
    uint64_t registers[METERS + 1][2];
};

void market_open(struct market *m);  /* create the disk and start */
void market_start(struct market *m); /* start a node on the disk as it is */
mgc_status market_node(struct market *m); /* the same where it may fail: m->node is NULL then */
void market_stop(struct market *m);
void market_close(struct market *m);
/* What was not synced is lost or torn; the node starts again. */
void market_power_cut(struct market *m);

const mgc_key *market_key(struct market *m, uint32_t member);

/* Build a transaction into m->last.  arguments: "id=5 name=abc key=@7 hash=#9 rows=1,2,3;4,5,6": @ public key of a
 * member, # 32 bytes of that value, ! a commitment to such bytes, $ bytes in hexadecimal (market_hex).  signers:
 * "10:2 11:2", member:role; the first sends. */
void market_make(struct market *m, uint32_t contract, const char *method, const char *arguments, const char *signers);
/* Make, hand in, no block. */
uint64_t market_send(struct market *m, uint32_t contract, const char *method, const char *arguments,
                     const char *signers);
/* Make, hand in, build a block at m->now, and require that status. */
void market_expect(struct market *m, mgc_status status, uint32_t contract, const char *method, const char *arguments,
                   const char *signers);
/* The same for bytes as they are. */
void market_expect_bytes(struct market *m, mgc_status status, const uint8_t *bytes, size_t len);
void market_expectf(struct market *m, mgc_status status, uint32_t contract, const char *method, const char *signers,
                    const char *format, ...) MGC_PRINTF(6, 7);
/* To a contract without a table of methods: arguments as they are. */
uint64_t market_send_raw(struct market *m, uint32_t contract, const char *method, const void *arguments, size_t len,
                         const char *signers);
void market_call(struct market *m, mgc_status status, uint32_t contract, const char *method, const void *arguments,
                 size_t len, const char *signers);
const char *market_hex(const void *bytes, size_t len); /* good for four calls */
void market_sync_nonce(struct market *m, uint32_t member, uint32_t contract); /* from the node */
void market_flush(struct market *m);
void market_at(struct market *m, uint64_t now);

/* Of the answer to a question: a cell of its first row, -1 where there is none; how many rows. */
int64_t market_cell(struct market *m, uint32_t caller, const char *what, const char *arguments, const char *column);
size_t market_count(struct market *m, uint32_t caller, const char *what, const char *arguments);
uint64_t market_height(struct market *m, uint32_t contract); /* of the contract's chain */
/* By the published rule; the salt is 32 bytes of the microgrid's number. */
void market_bid_hash(uint32_t microgrid, uint64_t slot, uint8_t carrier, int sells, uint64_t wh, int64_t price,
                     uint8_t hash[32]);
/* The header of a block of the contract's chain, as it is or some ms later; a validator's signature on it. */
size_t market_header(struct market *m, uint32_t contract, uint64_t height, uint64_t later, uint8_t *bytes, size_t cap);
void market_vote(struct market *m, uint32_t contract, const uint8_t *header, size_t len, const mgc_key *key,
                 uint8_t signature[64]);
mgc_status market_verify(struct market *m); /* the store from its first block on, every transaction executed again */

/* A case of tests on a market of one chain or of three; run all of a suite. */
TCase *market_case(Suite *s, const char *name, uint32_t chains);
int market_run(Suite *s);

/* Per unit, debits = credits, posted and pending; amounts move nowhere else. */
void market_check_sums(struct market *m);
int64_t market_balance(struct market *m, uint32_t kind, uint32_t microgrid); /* credits less debits, posted */
uint64_t market_pending(struct market *m);                                   /* debits pending over all accounts */
void market_digest(struct market *m, uint8_t digest[MARKET_DIGEST]);                    /* state root, last block's hash */

/* The whole day in steps, so that a test can stop between any two. */
enum {
    STEP_FOUND,
    STEP_TARIFF,
    STEP_DEPOSIT,
    STEP_NOMINATE,
    STEP_AGREE,
    STEP_ACKNOWLEDGE,
    STEP_READ_0,
    STEP_READ_1,
    STEP_READ_2,
    STEP_READ_3,
    STEP_SETTLE,
    STEP_FINALISE,
    STEPS
};
void market_step(struct market *m, int step);
void market_until(struct market *m, int step); /* all steps before it */

/* What the day is made of, for the independent computation. */
struct market_trade {
    uint32_t link, seller, buyer, carrier;
    int64_t wh, price;
};
extern const struct market_trade market_trades[SLOTS][3];
extern const int64_t market_nominations[GRIDS + 1][2][SLOTS][2]; /* microgrid, carrier - 1, slot: buy, sell */
extern const int64_t market_net[METERS + 1][SLOTS];              /* what a meter moves: in (> 0) or out */
/* carrier - 1, slot: buy, sell, short, long, mg per kWh */
extern const int64_t market_prices[2][SLOTS][5];
extern const int64_t market_gas_factor;

/* Transactions with the times of their blocks, to be done again. */
struct market_day {
    struct {
        uint8_t *bytes;
        size_t len;
        uint64_t time_ms;
    } txs[1024];
    size_t n;
};
void market_record(struct market *m, uint64_t height, struct market_day *day); /* append the only one of a block */
void market_forget(struct market_day *day);

#endif
