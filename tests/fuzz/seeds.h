/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_SEEDS_H
#define TESTS_FUZZ_SEEDS_H

#include <stddef.h>

extern const char *folder;
/* Write an input of a target; prefix: a byte before it, < 0: none. */
void put(const char *target, const char *name, int prefix, const void *bytes, size_t len);
void agent_seeds(void);
void pool_seeds(void);
void proof_seeds(void);
void raft_seeds(void);

#endif
