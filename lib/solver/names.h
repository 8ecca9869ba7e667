/* SPDX-License-Identifier: Apache-2.0 */
/* From names to numbers, for reading and writing files. */
#ifndef SOLVER_NAMES_H
#define SOLVER_NAMES_H

#include "base/base.h"

/* Open addressing with linear probing, at most half full.  Names are borrowed from whoever calls. */
typedef struct mgc__names {
    mgc_ctx *ctx;
    const char **name; /* capacity; NULL where free */
    uint32_t *value;
    size_t capacity, n; /* capacity: a power of two */
    uint64_t turn;      /* which of the hash functions */
} mgc__names;

void mgc__names_init(mgc__names *names, mgc_ctx *ctx);
void mgc__names_free(mgc__names *names);
/* The value of name; UINT32_MAX where it is not known. */
uint32_t mgc__names_find(const mgc__names *names, const char *name);
/* Add a name that is not there yet; false on lack of memory. */
bool mgc__names_add(mgc__names *names, const char *name, uint32_t value);

#endif
