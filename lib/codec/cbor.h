/* SPDX-License-Identifier: Apache-2.0 */
/* The one way that stored and sent bytes look: a deterministic subset of CBOR (RFC 8949, section 4.2.1).
 *
 * In it: unsigned and negative integers, byte strings, text, arrays, maps, true, false, null.  Every item has one
 * encoding: the shortest head; map keys are unsigned integers in strictly ascending order.  Refused: floats, tags,
 * other simple values, indefinite lengths, longer heads than needed, other or unsorted or repeated keys, nesting over
 * 8, lengths beyond what is left, text that is not UTF-8, bytes after the item.
 *
 * Law: what the reader accepts, the writer writes back to the same bytes. */
#ifndef CODEC_CBOR_H
#define CODEC_CBOR_H

#include "base/base.h"

enum { MGC__CBOR_DEPTH_MAX = 8 }; /* arrays and maps inside each other; our deepest format has 5 */

/* --- writing ------------------------------------------------------------------------------------- */

/* Into a growing buffer or into a fixed one.  Once it failed it stays failed: write, then look at status. */
typedef struct mgc__cbor_writer {
    mgc__buf *buf;  /* or NULL: */
    uint8_t *fixed; /* cap bytes; NULL with cap 0 counts only, and status stays MGC_OK */
    size_t cap, len;
    mgc_status status;
} mgc__cbor_writer;

void mgc__cbor_to_buf(mgc__cbor_writer *w, mgc__buf *buf);
void mgc__cbor_to_fixed(mgc__cbor_writer *w, uint8_t *bytes, size_t cap); /* MGC_E_TOO_LARGE beyond */
void mgc__cbor_to_count(mgc__cbor_writer *w);                            /* only w->len */

void mgc__cbor_put_uint(mgc__cbor_writer *w, uint64_t value);
void mgc__cbor_put_int(mgc__cbor_writer *w, int64_t value);
void mgc__cbor_put_nint(mgc__cbor_writer *w, uint64_t n); /* the integer -1 - n */
void mgc__cbor_put_bytes(mgc__cbor_writer *w, const void *bytes, size_t len);
void mgc__cbor_put_bytes_head(mgc__cbor_writer *w, size_t len); /* the caller sees to the len bytes that follow */
void mgc__cbor_put_text(mgc__cbor_writer *w, const char *text, size_t len); /* must be UTF-8 */
void mgc__cbor_put_array(mgc__cbor_writer *w, uint64_t n);                  /* n items follow */
void mgc__cbor_put_map(mgc__cbor_writer *w, uint64_t n);                    /* n times key, value; keys ascending */
void mgc__cbor_put_bool(mgc__cbor_writer *w, bool value);
void mgc__cbor_put_null(mgc__cbor_writer *w);
/* Items that were encoded before, as they are; the caller vouches for their number. */
void mgc__cbor_put_raw(mgc__cbor_writer *w, const void *items, size_t len);
/* A key and its value in one line: put_map(w, 2); put_uint_at(w, 1, version); put_bytes_at(w, 2, hash, 32); */
void mgc__cbor_put_uint_at(mgc__cbor_writer *w, uint64_t key, uint64_t value);
void mgc__cbor_put_bytes_at(mgc__cbor_writer *w, uint64_t key, const void *bytes, size_t len);
void mgc__cbor_put_text_at(mgc__cbor_writer *w, uint64_t key, const char *text, size_t len);

/* --- reading ------------------------------------------------------------------------------------- */

enum {
    MGC__CBOR_UINT = 0,
    MGC__CBOR_NINT = 1,
    MGC__CBOR_BYTES = 2,
    MGC__CBOR_TEXT = 3,
    MGC__CBOR_ARRAY = 4,
    MGC__CBOR_MAP = 5,
    MGC__CBOR_FALSE = 20,
    MGC__CBOR_TRUE = 21,
    MGC__CBOR_NULL = 22
};

typedef struct mgc__cbor_item {
    uint32_t type;
    uint64_t value;       /* UINT: itself; NINT: n of -1 - n; ARRAY, MAP: number of items or pairs */
    const uint8_t *bytes; /* BYTES, TEXT: borrowed from the input */
    size_t len;
} mgc__cbor_item;

/* One pass, no allocation, no recursion.  A failure is kept: the first status and the byte where it was found stay,
 * later reads answer nothing, so a decoder reads straight down and looks once at the end. */
typedef struct mgc__cbor_reader {
    const uint8_t *begin, *at, *end;
    mgc_status status;
    const char *what; /* says what is wrong, for the message */
    size_t where;     /* offset of the item at fault */
    uint32_t depth;
    struct mgc__cbor_level {
        uint64_t left; /* items still to come; of a map: keys and values */
        uint64_t key;  /* last one read */
        bool is_map, has_key;
    } levels[MGC__CBOR_DEPTH_MAX + 1];
} mgc__cbor_reader;

void mgc__cbor_read(mgc__cbor_reader *r, const void *bytes, size_t len);

/* The next item, map keys included.  false at the end or after a failure. */
bool mgc__cbor_next(mgc__cbor_reader *r, mgc__cbor_item *item);
/* MGC_OK when exactly one whole item was read and nothing is left. */
mgc_status mgc__cbor_finish(mgc__cbor_reader *r);
/* The whole of it in one call: are these bytes one canonical item? */
mgc_status mgc__cbor_check(const void *bytes, size_t len);

/* Reading by schema.  A wrong type is MGC_E_SCHEMA; on failure the answer is 0, NULL or false. */
uint64_t mgc__cbor_get_uint(mgc__cbor_reader *r, uint64_t max); /* beyond max: MGC_E_RANGE */
int64_t mgc__cbor_get_int(mgc__cbor_reader *r);
bool mgc__cbor_get_bool(mgc__cbor_reader *r);
const uint8_t *mgc__cbor_get_bytes(mgc__cbor_reader *r, size_t *len, size_t max);  /* beyond max: MGC_E_TOO_LARGE */
const uint8_t *mgc__cbor_get_fixed(mgc__cbor_reader *r, size_t len);               /* exactly len bytes */
const char *mgc__cbor_get_text(mgc__cbor_reader *r, size_t *len, size_t max);
uint64_t mgc__cbor_get_array(mgc__cbor_reader *r, uint64_t max);                   /* number of items */
void mgc__cbor_get_array_of(mgc__cbor_reader *r, uint64_t n);                      /* exactly n */
/* true and consumed where the next item is null; else false and nothing consumed */
bool mgc__cbor_get_null(mgc__cbor_reader *r);

/* A map whose keys are known: get_map(r, 3); get_key(r, 1); ...; get_key(r, 2); ...; get_key(r, 5); ...
 * An unknown, missing or surplus key is MGC_E_SCHEMA. */
void mgc__cbor_get_map(mgc__cbor_reader *r, uint64_t n);
void mgc__cbor_get_key(mgc__cbor_reader *r, uint64_t key);

/* A failure of the caller's own rules, kept like the reader's. */
void mgc__cbor_refuse(mgc__cbor_reader *r, mgc_status status, const char *what);

/* "codec: what at byte 12 of the <thing>" into the context, which may be NULL; answers the reader's status. */
mgc_status mgc__cbor_fail(mgc_ctx *ctx, const mgc__cbor_reader *r, const char *thing);

bool mgc__utf8_valid(const uint8_t *bytes, size_t len);

#endif
