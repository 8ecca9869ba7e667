/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cbor.h"

void mgc__cbor_read(mgc__cbor_reader *r, const void *bytes, size_t len)
{
    static const uint8_t nothing[1] = {0};

    *r = (mgc__cbor_reader){.begin = len > 0 ? bytes : nothing};
    r->at = r->begin;
    r->end = r->begin + len;
    r->levels[0].left = 1;
}

static bool refuse_at(mgc__cbor_reader *r, const uint8_t *at, mgc_status status, const char *what)
{
    if (r->status == MGC_OK) {
        r->status = status;
        r->what = what;
        r->where = (size_t)(at - r->begin);
    }
    return false;
}

void mgc__cbor_refuse(mgc__cbor_reader *r, mgc_status status, const char *what)
{
    refuse_at(r, r->at, status, what);
}

/* Major type and argument of the item at r->at; its head must be the shortest one. */
static bool read_head(mgc__cbor_reader *r, uint32_t *major, uint64_t *argument)
{
    static const uint64_t least[] = {24, (uint64_t)UINT8_MAX + 1, (uint64_t)UINT16_MAX + 1, (uint64_t)UINT32_MAX + 1};
    const uint8_t *start = r->at;
    uint32_t info;
    size_t extra;

    if (r->at == r->end) return refuse_at(r, start, MGC_E_TRUNCATED, "an item is missing");
    *major = *r->at >> 5;
    info = *r->at & 31u;
    if (*major == 6) return refuse_at(r, start, MGC_E_NONCANONICAL, "a tag is not allowed");
    if (*major == 7 && (info < MGC__CBOR_FALSE || info > MGC__CBOR_NULL))
        return refuse_at(r, start, MGC_E_NONCANONICAL,
                         "only integers, bytes, text, arrays, maps, true, false and null are allowed");
    if (info > 27) return refuse_at(r, start, MGC_E_NONCANONICAL, "an indefinite or reserved length is not allowed");
    r->at++;
    *argument = info;
    if (info < 24) return true;

    extra = (size_t)1 << (info - 24);
    if ((size_t)(r->end - r->at) < extra)
        return refuse_at(r, start, MGC_E_TRUNCATED, "the head of an item is cut short");
    *argument = 0;
    for (size_t i = 0; i < extra; i++) *argument = *argument << 8 | *r->at++;
    if (*argument < least[info - 24])
        return refuse_at(r, start, MGC_E_NONCANONICAL, "a number or length is not in its shortest form");
    return true;
}

/* Map keys: unsigned and ascending, which also keeps them unique. */
static bool check_key(mgc__cbor_reader *r, struct mgc__cbor_level *level, const mgc__cbor_item *item,
                      const uint8_t *start)
{
    if (item->type != MGC__CBOR_UINT)
        return refuse_at(r, start, MGC_E_NONCANONICAL, "a map key is not an unsigned integer");
    if (level->has_key && item->value <= level->key)
        return refuse_at(r, start, MGC_E_NONCANONICAL, "map keys are not in strictly ascending order");
    level->key = item->value;
    level->has_key = true;
    return true;
}

static bool open_container(mgc__cbor_reader *r, const mgc__cbor_item *item, const uint8_t *start)
{
    bool is_map = item->type == MGC__CBOR_MAP;
    uint64_t room = (uint64_t)(r->end - r->at);

    if (r->depth == MGC__CBOR_DEPTH_MAX) return refuse_at(r, start, MGC_E_DEPTH, "the nesting is deeper than 8");
    /* Every item takes a byte at least, so a count beyond what is left can only be a lie. */
    if (item->value > (is_map ? room / 2 : room))
        return refuse_at(r, start, MGC_E_TRUNCATED, "more items are declared than bytes are left");
    r->levels[++r->depth] =
        (struct mgc__cbor_level){.left = is_map ? 2 * item->value : item->value, .is_map = is_map};
    return true;
}

static bool read_string(mgc__cbor_reader *r, mgc__cbor_item *item, const uint8_t *start)
{
    if (item->value > (uint64_t)(r->end - r->at))
        return refuse_at(r, start, MGC_E_TRUNCATED, "a string is declared longer than what is left");
    item->bytes = r->at;
    item->len = (size_t)item->value;
    r->at += item->len;
    if (item->type == MGC__CBOR_TEXT && !mgc__utf8_valid(item->bytes, item->len))
        return refuse_at(r, start, MGC_E_UTF8, "a text is not valid UTF-8");
    return true;
}

static void close_finished(mgc__cbor_reader *r)
{
    while (r->depth > 0 && r->levels[r->depth].left == 0) r->depth--;
}

bool mgc__cbor_next(mgc__cbor_reader *r, mgc__cbor_item *item)
{
    struct mgc__cbor_level *level;
    const uint8_t *start = r->at;
    uint32_t major;
    bool is_key;

    *item = (mgc__cbor_item){0};
    if (r->status != MGC_OK) return false;
    close_finished(r);
    level = &r->levels[r->depth];
    if (level->left == 0) return false;
    is_key = level->is_map && level->left % 2 == 0;

    if (!read_head(r, &major, &item->value)) return false;
    item->type = major == 7 ? (uint32_t)item->value : major;
    if (is_key && !check_key(r, level, item, start)) return false;
    level->left--;
    if (major == MGC__CBOR_BYTES || major == MGC__CBOR_TEXT) return read_string(r, item, start);
    if (major == MGC__CBOR_ARRAY || major == MGC__CBOR_MAP) return open_container(r, item, start);
    return true;
}

mgc_status mgc__cbor_finish(mgc__cbor_reader *r)
{
    if (r->status != MGC_OK) return r->status;
    close_finished(r);
    if (r->levels[r->depth].left > 0) refuse_at(r, r->at, MGC_E_TRUNCATED, "an item is missing");
    else if (r->at != r->end) refuse_at(r, r->at, MGC_E_NONCANONICAL, "bytes follow after the end");
    return r->status;
}

mgc_status mgc__cbor_check(const void *bytes, size_t len)
{
    mgc__cbor_reader r;
    mgc__cbor_item item;

    mgc__cbor_read(&r, bytes, len);
    while (mgc__cbor_next(&r, &item)) {}
    return mgc__cbor_finish(&r);
}

/* --- by schema ----------------------------------------------------------------------------------- */

/* The next item, which must be of one type; on failure the item is empty. */
static bool expect(mgc__cbor_reader *r, uint32_t type, mgc__cbor_item *item, const char *what)
{
    const uint8_t *start = r->at;

    if (!mgc__cbor_next(r, item)) {
        refuse_at(r, start, MGC_E_SCHEMA, what);
    } else if (item->type != type) {
        refuse_at(r, start, MGC_E_SCHEMA, what);
    } else {
        return true;
    }
    *item = (mgc__cbor_item){0};
    return false;
}

uint64_t mgc__cbor_get_uint(mgc__cbor_reader *r, uint64_t max)
{
    const uint8_t *start = r->at;
    mgc__cbor_item item;

    if (!expect(r, MGC__CBOR_UINT, &item, "an unsigned integer is expected")) return 0;
    if (item.value > max) {
        refuse_at(r, start, MGC_E_RANGE, "a number is larger than allowed");
        return 0;
    }
    return item.value;
}

int64_t mgc__cbor_get_int(mgc__cbor_reader *r)
{
    const uint8_t *start = r->at;
    mgc__cbor_item item;

    if (!mgc__cbor_next(r, &item) || (item.type != MGC__CBOR_UINT && item.type != MGC__CBOR_NINT)) {
        refuse_at(r, start, MGC_E_SCHEMA, "an integer is expected");
        return 0;
    }
    if (item.value > INT64_MAX) {
        refuse_at(r, start, MGC_E_RANGE, "an integer does not fit in 64 bits");
        return 0;
    }
    return item.type == MGC__CBOR_UINT ? (int64_t)item.value : -1 - (int64_t)item.value;
}

bool mgc__cbor_get_bool(mgc__cbor_reader *r)
{
    const uint8_t *start = r->at;
    mgc__cbor_item item;

    if (mgc__cbor_next(r, &item) && (item.type == MGC__CBOR_TRUE || item.type == MGC__CBOR_FALSE))
        return item.type == MGC__CBOR_TRUE;
    return refuse_at(r, start, MGC_E_SCHEMA, "true or false is expected");
}

const uint8_t *mgc__cbor_get_bytes(mgc__cbor_reader *r, size_t *len, size_t max)
{
    const uint8_t *start = r->at;
    mgc__cbor_item item;

    *len = 0;
    if (!expect(r, MGC__CBOR_BYTES, &item, "a byte string is expected")) return NULL;
    if (item.len > max) {
        refuse_at(r, start, MGC_E_TOO_LARGE, "a byte string is longer than allowed");
        return NULL;
    }
    *len = item.len;
    return item.bytes;
}

const uint8_t *mgc__cbor_get_fixed(mgc__cbor_reader *r, size_t len)
{
    const uint8_t *start = r->at;
    mgc__cbor_item item;

    if (!expect(r, MGC__CBOR_BYTES, &item, "a byte string is expected")) return NULL;
    if (item.len != len) {
        refuse_at(r, start, MGC_E_SCHEMA, "a byte string has the wrong length");
        return NULL;
    }
    return item.bytes;
}

const char *mgc__cbor_get_text(mgc__cbor_reader *r, size_t *len, size_t max)
{
    const uint8_t *start = r->at;
    mgc__cbor_item item;

    *len = 0;
    if (!expect(r, MGC__CBOR_TEXT, &item, "a text is expected")) return NULL;
    if (item.len > max) {
        refuse_at(r, start, MGC_E_TOO_LARGE, "a text is longer than allowed");
        return NULL;
    }
    *len = item.len;
    return (const char *)item.bytes;
}

uint64_t mgc__cbor_get_array(mgc__cbor_reader *r, uint64_t max)
{
    const uint8_t *start = r->at;
    mgc__cbor_item item;

    if (!expect(r, MGC__CBOR_ARRAY, &item, "an array is expected")) return 0;
    if (item.value > max) {
        refuse_at(r, start, MGC_E_TOO_LARGE, "an array has more items than allowed");
        return 0;
    }
    return item.value;
}

void mgc__cbor_get_array_of(mgc__cbor_reader *r, uint64_t n)
{
    const uint8_t *start = r->at;
    mgc__cbor_item item;

    if (expect(r, MGC__CBOR_ARRAY, &item, "an array is expected") && item.value != n)
        refuse_at(r, start, MGC_E_SCHEMA, "an array has the wrong number of items");
}

bool mgc__cbor_get_null(mgc__cbor_reader *r)
{
    mgc__cbor_item item;

    if (r->status != MGC_OK || r->at == r->end || *r->at != (7 << 5 | MGC__CBOR_NULL)) return false;
    return mgc__cbor_next(r, &item);
}

void mgc__cbor_get_map(mgc__cbor_reader *r, uint64_t n)
{
    const uint8_t *start = r->at;
    mgc__cbor_item item;

    if (expect(r, MGC__CBOR_MAP, &item, "a map is expected") && item.value != n)
        refuse_at(r, start, MGC_E_SCHEMA, "a map has unknown or missing keys");
}

void mgc__cbor_get_key(mgc__cbor_reader *r, uint64_t key)
{
    const uint8_t *start = r->at;
    mgc__cbor_item item;

    if (expect(r, MGC__CBOR_UINT, &item, "a map key is expected") && item.value != key)
        refuse_at(r, start, MGC_E_SCHEMA, item.value < key ? "a map has an unknown key" : "a map lacks a key");
}

mgc_status mgc__cbor_fail(mgc_ctx *ctx, const mgc__cbor_reader *r, const char *thing)
{
    if (ctx == NULL || r->status == MGC_OK) return r->status;
    return mgc__fail(ctx, r->status, "codec: %s at byte %zu of %s of %zu bytes", r->what, r->where, thing,
                     (size_t)(r->end - r->begin));
}
