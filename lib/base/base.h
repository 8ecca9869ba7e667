/* SPDX-License-Identifier: Apache-2.0 */
/* Private face of base: what every room of the library may use. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mgchain/base.h"

/* --- options ------------------------------------------------------------------------------- */

enum { OPTS_SIZE_MAX = 4096 }; /* a larger struct_size is garbage, not a future */

/* Size of a public struct in its first release, told by the last field that it had then.  Written out at each use, never
 * sizeof: that grows with the struct and would turn away every older caller.  tests/abi holds it to the record. */
#define MGC__FIRST_SIZE(type, last)                                                                               \
    ((offsetof(type, last) + sizeof(((type *)0)->last) + _Alignof(type) - 1) / _Alignof(type) * _Alignof(type))

/* Lay the caller's options over our defaults.
 *
 * dst       our full-size struct, already holding the defaults
 * v1_size   size of the struct in its first release
 * src       the caller's struct, or NULL for "all defaults"; its first member is a size_t with
 *           the size the caller was compiled with
 *
 * A shorter caller keeps our defaults in the fields it has never heard of; a longer one is
 * welcome as long as it left those extra bytes zero. */
mgc_status mgc__opts_read(void *dst, size_t dst_size, size_t v1_size, const void *src);

/* Write defaults into the caller's struct of `size` bytes, no further than it reaches. */
void mgc__opts_init(void *caller, size_t size, const void *defaults, size_t defaults_size);

/* Fill the caller's info struct, no further than its struct_size, which is kept. */
mgc_status mgc__info_write(void *caller, const void *info, size_t info_size, size_t v1_size);

/* --- failing ------------------------------------------------------------------------------- */

/* Format the error text of the context and return status: `return mgc__fail(ctx, st, "...")`. */
mgc_status mgc__fail(mgc_ctx *ctx, mgc_status status, const char *format, ...) MGC_PRINTF(3, 4);
mgc_status mgc__no_memory(mgc_ctx *ctx, const char *what);
void mgc__log(mgc_ctx *ctx, uint32_t level, const char *format, ...) MGC_PRINTF(3, 4);

/* The text is empty until the next failure: what a callback then says of its own is told from what is older. */
void mgc__error_forget(mgc_ctx *ctx);

/* Every callback's answer passes through here, so none can be misread:
 * DONE -> MGC_OK, STOP -> MGC_E_STOPPED, negative -> itself, anything else -> MGC_E_CALLBACK. */
mgc_status mgc__verdict(int32_t answer);

/* A context for a worker thread or an inner task: own error text, same allocator, log, clock and
 * cancel flag as its parent, which must outlive it.  Freed by mgc_ctx_destroy(). */
mgc_status mgc__ctx_child(mgc_ctx *parent, mgc_ctx **out);

/* Milliseconds from the host's clock; 0 where there is none. */
uint64_t mgc__now_ms(const mgc_ctx *ctx);
bool mgc__has_clock(const mgc_ctx *ctx);

/* --- memory -------------------------------------------------------------------------------- */

/* n * size zeroed bytes, or NULL.  n or size 0 gives one byte, so that NULL always means failure. */
void *mgc__alloc(mgc_ctx *ctx, size_t n, size_t size);
/* Contents kept up to the smaller size; new bytes are not zeroed.  On NULL the old block stands. */
void *mgc__resize(mgc_ctx *ctx, void *block, size_t n, size_t size);
void mgc__free(mgc_ctx *ctx, void *block); /* NULL is fine */
/* What the crypto room keeps with a context (verified.c); zeroed at first. */
enum { MGC__CTX_MEMORY = 1 << 15 };
uint8_t *mgc__ctx_memory(mgc_ctx *ctx);
char *mgc__strdup(mgc_ctx *ctx, const char *text);

/* Grow *block so that it holds at least `need` items of `size` bytes; *cap is doubled.
 * false on lack of memory, block and cap unchanged. */
bool mgc__grow(mgc_ctx *ctx, void **block, size_t *cap, size_t need, size_t size);

/* Bytes with a limit, for building messages and texts.  Once it failed it stays failed. */
typedef struct mgc__buf {
    mgc_ctx *ctx;
    uint8_t *bytes;
    size_t len, cap, max;
    mgc_status status;
} mgc__buf;

void mgc__buf_init(mgc__buf *buf, mgc_ctx *ctx, size_t max);
void mgc__buf_free(mgc__buf *buf);
void mgc__buf_put(mgc__buf *buf, const void *bytes, size_t len);
void mgc__buf_printf(mgc__buf *buf, const char *format, ...) MGC_PRINTF(2, 3);

/* --- numbers and text, the same in every locale -------------------------------------------- */

#ifndef MGC_INTEGERS_ONLY /* rooms that never see a float are compiled with it defined */
/* Parse a decimal number that begins at text; correctly rounded.  *end is set past it, or to text
 * where there is none.  "inf" and "nan" are not numbers. */
double mgc__parse_double(const char *text, const char **end);

enum { MGC__DOUBLE_TEXT = 32 };
/* Shortest decimal text that reads back as the same double; returns its length. */
size_t mgc__format_double(double x, char text[MGC__DOUBLE_TEXT]);
#endif

/* vsnprintf and snprintf as in the "C" locale, whatever the host's is: for texts with numbers in them. */
int mgc__vformat(char *text, size_t room, const char *format, va_list args);
int mgc__format(char *text, size_t room, const char *format, ...) MGC_PRINTF(3, 4);

/* Of n words, the one closest to `word` by edit distance (transposition counts one) if it is close
 * enough to be a likely slip, else NULL. */
const char *mgc__nearest(const char *word, const char *const words[], size_t n);

/* --- random numbers ------------------------------------------------------------------------- */

/* xoshiro256** 1.0 (Blackman and Vigna 2018), seeded by splitmix64. */
typedef struct mgc__rng {
    uint64_t s[4];
} mgc__rng;

void mgc__rng_seed(mgc__rng *rng, uint64_t seed);
uint64_t mgc__rng_next(mgc__rng *rng);
uint64_t mgc__rng_below(mgc__rng *rng, uint64_t n); /* uniform in 0..n-1, n > 0, without bias */
#ifndef MGC_INTEGERS_ONLY
double mgc__rng_unit(mgc__rng *rng); /* uniform in [0, 1) */
#endif

/* --- checksums ------------------------------------------------------------------------------ */

/* CRC-32C (Castagnoli), by the processor's own instruction where it has one.  crc: 0 to begin, or of what came before. */
uint32_t mgc__crc32c(uint32_t crc, const void *bytes, size_t len);
uint32_t mgc__crc32c_by_tables(uint32_t crc, const uint8_t *bytes, size_t len);

/* --- threads -------------------------------------------------------------------------------- */

/* Call task(user, i) once for each i in 0..n-1 on up to `threads` threads, the caller's among them,
 * and wait.  Items are handed out in order of i; results must not depend on which thread ran them. */
void mgc__parallel(uint32_t threads, size_t n, void (*task)(void *user, size_t i), void *user);

/* The same with threads that are kept from call to call, for items of microseconds: a call takes about one where the
 * threads are awake.  One caller at a time; tasks make no calls of their own. */
typedef struct mgc__pool mgc__pool;

/* *out = NULL, which is a pool of the caller alone, for less than two threads. */
mgc_status mgc__pool_create(mgc_ctx *ctx, uint32_t threads, mgc__pool **out);
void mgc__pool_destroy(mgc__pool *pool); /* joins the threads */
void mgc__pool_run(mgc__pool *pool, size_t n, void (*task)(void *user, size_t i), void *user); /* n <= 65535 */

#define MGC__COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
