/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the functional contracts: one letter and big-endian numbers as key; integers, bytes and a name as
 * value. */
#include "contract/contract.h"

enum { REC_BYTES_MAX = 512 }; /* 12 integers of 9 bytes, 256 bytes of data, a name */

mgc__key mgc__key_of(char kind)
{
    mgc__key key = {.len = 1};

    key.bytes[0] = (uint8_t)kind;
    return key;
}

static mgc__key key_number(mgc__key key, uint64_t value, size_t width)
{
    assert(key.len + width <= KEY_BYTES);
    for (size_t i = 0; i < width; i++) key.bytes[key.len + i] = (uint8_t)(value >> (8 * (width - 1 - i)));
    key.len += width;
    return key;
}

mgc__key mgc__key_u8(mgc__key key, uint32_t value)
{
    return key_number(key, value, 1);
}

mgc__key mgc__key_u32(mgc__key key, uint32_t value)
{
    return key_number(key, value, 4);
}

mgc__key mgc__key_u64(mgc__key key, uint64_t value)
{
    return key_number(key, value, 8);
}

mgc__key mgc__key_bytes(mgc__key key, const uint8_t *bytes, size_t len)
{
    assert(key.len + len <= KEY_BYTES);
    memcpy(key.bytes + key.len, bytes, len);
    key.len += len;
    return key;
}

uint64_t mgc__key_read(const uint8_t *key, size_t at, size_t width)
{
    uint64_t value = 0;

    for (size_t i = 0; i < width; i++) value = value << 8 | key[at + i];
    return value;
}

mgc_status mgc__rec_decode(const uint8_t *bytes, size_t len, mgc__rec *rec)
{
    mgc__cbor_reader r;
    uint64_t n;

    memset(rec, 0, sizeof *rec);
    mgc__cbor_read(&r, bytes, len);
    n = mgc__cbor_get_array(&r, RECORD_INTS + 2);
    if (r.status == MGC_OK && n < 2) mgc__cbor_refuse(&r, MGC_E_SCHEMA, "a record is too short");
    for (uint64_t i = 0; i + 2 < n && r.status == MGC_OK; i++) rec->v[i] = mgc__cbor_get_int(&r);
    rec->data = mgc__cbor_get_bytes(&r, &rec->data_len, REC_BYTES_MAX);
    rec->name = mgc__cbor_get_text(&r, &rec->name_len, REC_BYTES_MAX);
    rec->n = n < 2 ? 0 : (uint32_t)(n - 2);
    return mgc__cbor_finish(&r);
}

mgc_status mgc__rec_get(mgc_env *env, uint32_t contract, const mgc__key *key, mgc__rec *rec)
{
    const uint8_t *bytes;
    size_t len;
    mgc_status st = mgc__env_peek(env, contract, key->bytes, key->len, &bytes, &len);

    memset(rec, 0, sizeof *rec);
    if (st != MGC_OK) return st;
    st = mgc__rec_decode(bytes, len, rec);
    return st == MGC_OK ? MGC_OK : mgc__env_keep(env, MGC_E_INTERNAL); /* we wrote it ourselves */
}

mgc_status mgc__rec_put(mgc_env *env, const mgc__key *key, const mgc__rec *rec)
{
    uint8_t bytes[REC_BYTES_MAX];
    mgc__cbor_writer w;

    assert(rec->n <= RECORD_INTS);
    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__cbor_put_array(&w, rec->n + 2);
    for (uint32_t i = 0; i < rec->n; i++) mgc__cbor_put_int(&w, rec->v[i]);
    mgc__cbor_put_bytes(&w, rec->data, rec->data_len);
    mgc__cbor_put_text(&w, rec->name, rec->name_len);
    if (w.status != MGC_OK) return mgc__env_keep(env, MGC_E_INTERNAL); /* every field has its limit at the door */
    return mgc_env_put(env, key->bytes, key->len, bytes, w.len);
}

mgc_status mgc__rec_put_ints(mgc_env *env, const mgc__key *key, const int64_t *v, uint32_t n)
{
    mgc__rec rec = {.n = n};

    assert(n <= RECORD_INTS);
    memcpy(rec.v, v, n * sizeof *v);
    return mgc__rec_put(env, key, &rec);
}

void mgc__walk_begin(mgc__walk *w, uint32_t contract, const mgc__key *prefix)
{
    memset(&w->rec, 0, sizeof w->rec);
    w->contract = contract;
    w->prefix = *prefix;
    w->key = NULL;
    w->key_len = 0;
    w->index = NULL;
    w->n_values = 0;
    mgc__record_first(&w->cursor, contract, prefix->bytes, prefix->len);
}

/* As mgc__record_next(), over an index: entries whose record is gone are passed over. */
static bool next_indexed(mgc__walk *w, const mgc__state *state)
{
    mgc__record_cursor *c = &w->cursor;
    const mgc__item *item;

    for (;;) {
        item = mgc__index_next(w->index, w->values, w->n_values, c->last + 5, c->last_len - 5);
        if (item == NULL) return false;
        c->key = item->bytes + 8;
        c->key_len = item->key_len - 8;
        memcpy(c->last + 5, c->key, c->key_len);
        c->last_len = 5 + c->key_len;
        if (mgc__record_get(state, w->contract, c->key, c->key_len, &c->value, &c->value_len) == MGC_OK) return true;
    }
}

static bool next_record(mgc__walk *w, const mgc__state *state)
{
    return w->index != NULL ? next_indexed(w, state) : mgc__record_next(state, &w->cursor);
}

/* The first walk of a query is the one that its pages cut: it begins after the cursor, and ends with a full page where
 * there is a record more. */
static bool cut_here(mgc_env *env, mgc__walk *w, const mgc__state *state)
{
    mgc__page *page = env->page;
    uint8_t last[MGC_RECORD_KEY_MAX];

    if (page == NULL || (page->walk != NULL && page->walk != w)) return false;
    if (page->walk == NULL) {
        page->walk = w;
        if (page->after_len == 0) return false;
        if (page->after_len < w->prefix.len || memcmp(page->after, w->prefix.bytes, w->prefix.len) != 0) return true;
        mgc__record_after(&w->cursor, w->contract, w->prefix.bytes, w->prefix.len, page->after, page->after_len);
        return false;
    }
    if (w->key == NULL || !mgc__page_full(page)) return false;
    memcpy(last, w->key, w->key_len);
    /* Whether there is a record more is the business of those who see all: for others a full page always goes on. */
    if (page->query->sees_all == 0 || next_record(w, state)) mgc__page_end(page, last, w->key_len);
    return true;
}

bool mgc__walk_next(mgc_env *env, mgc__walk *w)
{
    const mgc__state *state = mgc__state_of(&env->homes, w->contract);

    if (state != NULL && cut_here(env, w, state)) return false;
    if (env->broken != MGC_OK || state == NULL || !next_record(w, state)) return false;
    if (mgc__env_meter(env, w->cursor.key_len + w->cursor.value_len) != MGC_OK) return false;
    if (mgc__rec_decode(w->cursor.value, w->cursor.value_len, &w->rec) != MGC_OK) {
        (void)mgc__env_keep(env, MGC_E_INTERNAL);
        return false;
    }
    w->key = w->cursor.key;
    w->key_len = w->cursor.key_len;
    return true;
}
