/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_BANK_CLIENT_H
#define TESTS_BANK_CLIENT_H

#include <pthread.h>

#include "node.h"

enum { ACCOUNTS = 10, BEGIN = 1000, CLIENTS_LIMIT = 64 };

typedef struct user {
    uint32_t number; /* member of the market: number + 1 */
    mgc_ctx *ctx;
    mgc_key *key;
    int fd; /* -1: not connected */
    char *in;
    size_t in_len, in_cap;
    uint64_t random;
    pthread_t thread;
} user;

typedef struct deed {
    uint32_t contract;
    const char *method;
    const uint8_t *arguments;
    size_t len;
    mgc_key *signers[2]; /* the first sends */
    uint32_t roles[2], n;
} deed;

extern const char *network;
extern uint32_t n_members, n_users;
extern uint64_t end_ms; /* two minutes after it, who waits gives up */

void fail(const char *what, const char *more);
void need(mgc_status st, const char *what);
uint32_t pick(user *u, uint32_t n);
void hang_up(user *u);
void connect_somewhere(user *u);
char *ask(user *u, const char *request);
char *sign(user *u, const deed *d, uint64_t *nonce); /* free() it; *nonce 0: the next one, filled */
bool carry_out(user *u, const deed *d, bool tell);
void bank_arguments(uint8_t to[BANK_ARGUMENTS], uint32_t first, uint32_t second, uint64_t amount);
void prepare(user *users);
void print_total(const user *u, long total);
/* Clients with their keys, a market with them in it, a bank with accounts. */
void begin_users(user *users, const char *folder, uint32_t members, uint32_t n);
void end_users(user *users);

#endif
