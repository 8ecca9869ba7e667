/* SPDX-License-Identifier: Apache-2.0 */
/* Memory and text of the io library, all of it from the context's allocator. */
#ifndef IO_MEMORY_H
#define IO_MEMORY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "mgchain/io.h"

#define MGC__IO_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Size of a public struct in its first release, told by the last field that it had then; tests/abi holds it to the record. */
#define MGC__FIRST_SIZE(type, last)                                                                               \
    ((offsetof(type, last) + sizeof(((type *)0)->last) + _Alignof(type) - 1) / _Alignof(type) * _Alignof(type))

/* n * size zeroed bytes, or NULL; n or size 0 gives one byte. */
void *mgc__io_alloc(mgc_ctx *ctx, size_t n, size_t size);
/* Grow *block to hold `need` items of `size` bytes; *cap is doubled.  false: no memory, nothing changed. */
bool mgc__io_grow(mgc_ctx *ctx, void **block, size_t *cap, size_t need, size_t size);
mgc_status mgc__io_no_memory(mgc_ctx *ctx, const char *what);
/* Set the context's error text and return status. */
mgc_status mgc__io_fail(mgc_ctx *ctx, mgc_status status, const char *format, ...) MGC_PRINTF(3, 4);

/* Many small things with one lifetime: taken piece by piece, released all at once. */
typedef struct mgc__arena {
    mgc_ctx *ctx;
    struct mgc__arena_block *last;
    size_t used, size; /* of the last block */
} mgc__arena;

void *mgc__arena_alloc(mgc__arena *arena, size_t n, size_t size); /* zeroed; NULL: no memory */
char *mgc__arena_copy(mgc__arena *arena, const char *text, size_t len); /* terminated; NULL: no memory */
void mgc__arena_free(mgc__arena *arena);

/* A growing text, terminated once anything was put.  Once it failed it stays failed. */
typedef struct mgc__text {
    mgc_ctx *ctx;
    char *bytes;
    size_t len, cap;
    bool failed;
} mgc__text;

void mgc__text_put(mgc__text *text, const char *bytes, size_t len);
void mgc__text_add(mgc__text *text, const char *bytes); /* terminated */
void mgc__text_number(mgc__text *text, double x);       /* shortest decimal, the same in every locale */
/* Only %s, %u, %zu, %d, %c and the like: floating-point conversions obey the locale. */
void mgc__text_printf(mgc__text *text, const char *format, ...) MGC_PRINTF(2, 3);
void mgc__text_vprintf(mgc__text *text, const char *format, va_list args);
void mgc__text_free(mgc__text *text);

#endif
