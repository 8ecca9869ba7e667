/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cbor.h"

enum {
    MAJOR_UINT = 0,
    MAJOR_NINT = 1,
    MAJOR_BYTES = 2,
    MAJOR_TEXT = 3,
    MAJOR_ARRAY = 4,
    MAJOR_MAP = 5,
    MAJOR_SIMPLE = 7
};

void mgc__cbor_to_buf(mgc__cbor_writer *w, mgc__buf *buf)
{
    *w = (mgc__cbor_writer){.buf = buf};
}

void mgc__cbor_to_fixed(mgc__cbor_writer *w, uint8_t *bytes, size_t cap)
{
    assert(bytes != NULL);
    *w = (mgc__cbor_writer){.fixed = bytes, .cap = cap};
}

void mgc__cbor_to_count(mgc__cbor_writer *w)
{
    *w = (mgc__cbor_writer){0};
}

static void put(mgc__cbor_writer *w, const void *bytes, size_t len)
{
    if (w->status != MGC_OK) return;
    if (w->buf != NULL) {
        mgc__buf_put(w->buf, bytes, len);
        w->status = w->buf->status;
    } else if (w->fixed != NULL) {
        if (len > w->cap - w->len) {
            w->status = MGC_E_TOO_LARGE;
            return;
        }
        if (len > 0) memcpy(w->fixed + w->len, bytes, len);
    }
    w->len += len;
}

/* RFC 8949, section 4.2.1: the argument takes the fewest bytes that hold it. */
static void put_head(mgc__cbor_writer *w, uint8_t major, uint64_t argument)
{
    uint8_t head[9];
    size_t extra = argument < 24            ? 0
                   : argument <= UINT8_MAX  ? 1
                   : argument <= UINT16_MAX ? 2
                   : argument <= UINT32_MAX ? 4
                                            : 8;
    uint8_t info = extra == 0 ? (uint8_t)argument : extra == 1 ? 24 : extra == 2 ? 25 : extra == 4 ? 26 : 27;

    head[0] = (uint8_t)(major << 5 | info);
    for (size_t i = 0; i < extra; i++) head[1 + i] = (uint8_t)(argument >> (8 * (extra - 1 - i)));
    put(w, head, 1 + extra);
}

void mgc__cbor_put_uint(mgc__cbor_writer *w, uint64_t value)
{
    put_head(w, MAJOR_UINT, value);
}

void mgc__cbor_put_nint(mgc__cbor_writer *w, uint64_t n)
{
    put_head(w, MAJOR_NINT, n);
}

void mgc__cbor_put_int(mgc__cbor_writer *w, int64_t value)
{
    if (value >= 0) put_head(w, MAJOR_UINT, (uint64_t)value);
    else put_head(w, MAJOR_NINT, (uint64_t)(-1 - value));
}

void mgc__cbor_put_bytes(mgc__cbor_writer *w, const void *bytes, size_t len)
{
    put_head(w, MAJOR_BYTES, len);
    put(w, bytes, len);
}

void mgc__cbor_put_bytes_head(mgc__cbor_writer *w, size_t len)
{
    put_head(w, MAJOR_BYTES, len);
}

void mgc__cbor_put_text(mgc__cbor_writer *w, const char *text, size_t len)
{
    assert(mgc__utf8_valid((const uint8_t *)text, len));
    put_head(w, MAJOR_TEXT, len);
    put(w, text, len);
}

void mgc__cbor_put_array(mgc__cbor_writer *w, uint64_t n)
{
    put_head(w, MAJOR_ARRAY, n);
}

void mgc__cbor_put_map(mgc__cbor_writer *w, uint64_t n)
{
    put_head(w, MAJOR_MAP, n);
}

void mgc__cbor_put_bool(mgc__cbor_writer *w, bool value)
{
    put_head(w, MAJOR_SIMPLE, value ? MGC__CBOR_TRUE : MGC__CBOR_FALSE);
}

void mgc__cbor_put_null(mgc__cbor_writer *w)
{
    put_head(w, MAJOR_SIMPLE, MGC__CBOR_NULL);
}

void mgc__cbor_put_raw(mgc__cbor_writer *w, const void *items, size_t len)
{
    put(w, items, len);
}

void mgc__cbor_put_uint_at(mgc__cbor_writer *w, uint64_t key, uint64_t value)
{
    mgc__cbor_put_uint(w, key);
    mgc__cbor_put_uint(w, value);
}

void mgc__cbor_put_bytes_at(mgc__cbor_writer *w, uint64_t key, const void *bytes, size_t len)
{
    mgc__cbor_put_uint(w, key);
    mgc__cbor_put_bytes(w, bytes, len);
}

void mgc__cbor_put_text_at(mgc__cbor_writer *w, uint64_t key, const char *text, size_t len)
{
    mgc__cbor_put_uint(w, key);
    mgc__cbor_put_text(w, text, len);
}
