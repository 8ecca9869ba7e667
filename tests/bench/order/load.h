/* SPDX-License-Identifier: Apache-2.0 */
/* The load of the comparison: clients that each have one command of 256 bytes under way, in the leader's process; the time
 * from issuing one to knowing that it is committed.  Warm-up is left out. */
#ifndef BENCH_ORDER_LOAD_H
#define BENCH_ORDER_LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { COMMAND_BYTES = 256, LOAD_CLIENTS_MAX = 4096 };

typedef struct load {
    uint32_t n, idle[LOAD_CLIENTS_MAX], n_idle;
    uint64_t issued_ns[LOAD_CLIENTS_MAX];
    uint64_t begin_ns, warm_ns, end_ns, done, sum_certified;
    uint32_t histogram[64][64]; /* of nanoseconds: exponent, six bits of mantissa */
} load;

uint64_t load_now_ns(void);
void load_begin(load *l, uint32_t clients, uint32_t seconds); /* one second of warm-up before */
bool load_over(const load *l);
/* The next idle client, with its command; false: all wait. */
bool load_issue(load *l, uint32_t *client, uint8_t command[COMMAND_BYTES]);
void load_done(load *l, uint32_t client);
/* One JSON object on stdout: ops_per_second, p50_ms, p99_ms, max_ms. */
void load_print(const load *l, const char *what);
/* A connected pair of TCP sockets on loopback, non-blocking, without delay. */
bool load_tcp_pair(int fds[2]);

#endif
