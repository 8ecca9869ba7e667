/* SPDX-License-Identifier: Apache-2.0 */
#include "bargain/message.h"
#include "codec/cbor.h"

enum {
    VERSION = 1,
    KEY_VERSION = 1,
    KEY_RUN,
    KEY_STEP,
    KEY_STAGE,
    KEY_ROUND,
    KEY_FROM,
    KEY_LINK,
    KEY_AGAIN,
    KEY_CONTROL,
    KEY_VALUES,
    KEY_CHECK,
    KEYS = 11
};

static uint64_t check_of(const uint8_t *bytes, size_t len)
{
    return (uint64_t)mgc__hash_value(mgc__hash_bytes(MGC__HASH_START, bytes, len));
}

static void put_ints(mgc__cbor_writer *w, const int64_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++) mgc__cbor_put_int(w, values[i]);
}

void mgc__note_write(const mgc__note *note, mgc__buf *buf)
{
    size_t start = buf->len;
    mgc__cbor_writer w;

    mgc__cbor_to_buf(&w, buf);
    mgc__cbor_put_map(&w, KEYS);
    mgc__cbor_put_uint_at(&w, KEY_VERSION, VERSION);
    mgc__cbor_put_uint_at(&w, KEY_RUN, note->run);
    mgc__cbor_put_uint_at(&w, KEY_STEP, note->step);
    mgc__cbor_put_uint_at(&w, KEY_STAGE, note->stage);
    mgc__cbor_put_uint_at(&w, KEY_ROUND, note->round);
    mgc__cbor_put_text_at(&w, KEY_FROM, note->from, note->from_len);
    mgc__cbor_put_uint(&w, KEY_LINK);
    mgc__cbor_put_array(&w, 3);
    mgc__cbor_put_text(&w, note->to, note->to_len);
    mgc__cbor_put_uint(&w, note->carrier);
    mgc__cbor_put_uint(&w, note->ordinal);
    mgc__cbor_put_uint(&w, KEY_AGAIN);
    mgc__cbor_put_bool(&w, note->again);
    mgc__cbor_put_uint(&w, KEY_CONTROL);
    mgc__cbor_put_array(&w, 2 + MGC__FLOODS);
    mgc__cbor_put_uint(&w, note->calm);
    mgc__cbor_put_uint(&w, note->last);
    put_ints(&w, note->flood, MGC__FLOODS);
    mgc__cbor_put_uint(&w, KEY_VALUES);
    mgc__cbor_put_array(&w, note->n);
    put_ints(&w, note->values, note->n);
    if (buf->status == MGC_OK) mgc__cbor_put_uint_at(&w, KEY_CHECK, check_of(buf->bytes + start, buf->len - start));
    if (buf->status == MGC_OK) buf->status = w.status;
}

static int64_t get_value(mgc__cbor_reader *r)
{
    int64_t value = mgc__cbor_get_int(r);

    if (value > MGC__VALUE_MAX || value < -MGC__VALUE_MAX) mgc__cbor_refuse(r, MGC_E_RANGE, "a value beyond 2^62");
    return value;
}

static void read_version(mgc__cbor_reader *r)
{
    mgc__cbor_get_key(r, KEY_VERSION);
    if (mgc__cbor_get_uint(r, UINT32_MAX) != VERSION) mgc__cbor_refuse(r, MGC_E_VERSION, "another version");
}

static void read_head(mgc__cbor_reader *r, mgc__note *note)
{
    mgc__cbor_get_key(r, KEY_RUN);
    note->run = mgc__cbor_get_uint(r, UINT64_MAX);
    mgc__cbor_get_key(r, KEY_STEP);
    note->step = mgc__cbor_get_uint(r, UINT32_MAX);
    mgc__cbor_get_key(r, KEY_STAGE);
    note->stage = (uint32_t)mgc__cbor_get_uint(r, MGC__STAGE_LAST);
    mgc__cbor_get_key(r, KEY_ROUND);
    note->round = (uint32_t)mgc__cbor_get_uint(r, MGC__ROUND_MAX);
    mgc__cbor_get_key(r, KEY_FROM);
    note->from = mgc__cbor_get_text(r, &note->from_len, MGC__ID_MAX);
    mgc__cbor_get_key(r, KEY_LINK);
    mgc__cbor_get_array_of(r, 3);
    note->to = mgc__cbor_get_text(r, &note->to_len, MGC__ID_MAX);
    note->carrier = (uint32_t)mgc__cbor_get_uint(r, 2); /* 2: none, a pool */
    note->ordinal = (uint32_t)mgc__cbor_get_uint(r, MGC__ORDINAL_MAX);
}

static void read_body(mgc__cbor_reader *r, mgc__note *note, int64_t *values, size_t cap)
{
    mgc__cbor_get_key(r, KEY_AGAIN);
    note->again = mgc__cbor_get_bool(r);
    mgc__cbor_get_key(r, KEY_CONTROL);
    mgc__cbor_get_array_of(r, 2 + MGC__FLOODS);
    note->calm = mgc__cbor_get_uint(r, MGC__ROUND_MAX);
    note->last = mgc__cbor_get_uint(r, MGC__ROUND_MAX);
    for (size_t i = 0; i < MGC__FLOODS; i++) note->flood[i] = get_value(r);
    mgc__cbor_get_key(r, KEY_VALUES);
    note->n = (size_t)mgc__cbor_get_array(r, cap);
    for (size_t i = 0; i < note->n && r->status == MGC_OK; i++) values[i] = get_value(r);
    note->values = values;
}

static void read_check(mgc__cbor_reader *r)
{
    uint64_t want = check_of(r->begin, (size_t)(r->at - r->begin));

    mgc__cbor_get_key(r, KEY_CHECK);
    if (mgc__cbor_get_uint(r, (uint64_t)MGC__VALUE_MAX) != want) mgc__cbor_refuse(r, MGC_E_MESSAGE, "a wrong check sum");
}

mgc_status mgc__note_read(const uint8_t *bytes, size_t len, mgc__note *note, int64_t *values, size_t cap)
{
    mgc__cbor_reader r;

    memset(note, 0, sizeof *note);
    if (len > MGC_AGENT_MESSAGE_MAX) return MGC_E_TOO_LARGE;
    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_map(&r, KEYS);
    read_version(&r);
    read_head(&r, note);
    read_body(&r, note, values, cap);
    read_check(&r);
    return mgc__cbor_finish(&r);
}

uint64_t mgc__hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < len; i++) hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}

uint64_t mgc__hash_uint(uint64_t hash, uint64_t x)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < 8; i++) bytes[i] = (uint8_t)(x >> (8 * i));
    return mgc__hash_bytes(hash, bytes, 8);
}

uint64_t mgc__hash_double(uint64_t hash, double x)
{
    uint64_t bits;

    if (x == 0) x = 0; /* -0 and 0 are the same terms */
    memcpy(&bits, &x, sizeof bits);
    return mgc__hash_uint(hash, bits);
}

int64_t mgc__hash_value(uint64_t hash)
{
    return (int64_t)((hash ^ hash >> 62) & (UINT64_C(0x3fffffffffffffff)));
}
