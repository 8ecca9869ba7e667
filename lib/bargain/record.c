/* SPDX-License-Identifier: Apache-2.0 */
/* The agreement as a record that anyone can check without private data.
 *
 *   record     = [body as bytes, [[member, signature 64], ...] ascending]
 *   body       = {1: version, 2: run, 3: periods, 4: seconds of a period, 5: members, 6: links, 7: pairs}
 *   member     = [id, payment, gap or null]                    ascending by id; micro-currency
 *   link       = [first, second, carrier, ordinal, loss in 1e-9, capacity, sent, sent back, price, price back]
 *                numbers of members; lists over periods: mW, mW, mW, nano-currency per kWh sent
 *   pair       = [first, second, payment]                      first pays second; first < second
 *   With a pool (version 2): a link (pair) of a member with itself is its connection with the pool (what it pays the pool).
 *   signed     = "mgchain-acceptance-1", SHA-256 of the body, the member's id
 *
 * gap: what the member would gain if it traded freely at the final prices, C(x) + lambda'x - min (C + lambda'x), from its own proven
 * bound.  Prices cancel over the two ends of a link, so the sum over members is cost - Lagrangian bound of the whole alliance,
 * and nobody has shown a cost (doc/math/bargain.md, section 7). */
#include <math.h>
#include <stdio.h>

#include "bargain/alliance.h"
#include "codec/cbor.h"
#include "mgchain/crypto.h"

enum { VERSION = 1, VERSION_POOL = 2, RECORD_MEMBERS_MAX = 8192, RECORD_LINKS_MAX = 1000000, PERIODS_MAX = 8784, HASH = 32, SIGNATURE = 64 };
static const char tag[] = "mgchain-acceptance-1";
enum { SIGNED_MAX = sizeof tag - 1 + HASH + MGC__ID_MAX };

typedef struct signer {
    char *id;
    int64_t payment, gap; /* gap -1: not said */
    bool has_signed;
    uint8_t signature[SIGNATURE];
} signer;

enum { LIST_CAPACITY, LIST_SENT, LIST_BACK, LIST_PRICE, LIST_PRICE_BACK, LISTS };

typedef struct joint {
    uint32_t first, second, carrier, ordinal;
    uint64_t loss;
    int64_t *list; /* [LISTS][periods] */
} joint;

typedef struct payer {
    uint32_t first, second;
    int64_t payment;
} payer;

struct mgc_record {
    mgc_ctx *ctx;
    uint64_t run;
    uint32_t version, periods, seconds;
    signer *member;
    joint *link;
    payer *pair;
    size_t members, links, pairs;
    mgc__buf body, bytes;
    uint8_t hash[HASH];
};

void mgc_record_destroy(mgc_record *record)
{
    if (record == NULL) return;
    for (size_t i = 0; record->member != NULL && i < record->members; i++) mgc__free(record->ctx, record->member[i].id);
    for (size_t i = 0; record->link != NULL && i < record->links; i++) mgc__free(record->ctx, record->link[i].list);
    mgc__free(record->ctx, record->member);
    mgc__free(record->ctx, record->link);
    mgc__free(record->ctx, record->pair);
    mgc__buf_free(&record->body);
    mgc__buf_free(&record->bytes);
    mgc__free(record->ctx, record);
}

static mgc_record *new_record(mgc_ctx *ctx)
{
    mgc_record *r = mgc__alloc(ctx, 1, sizeof *r);

    if (r == NULL) return NULL;
    r->ctx = ctx;
    mgc__buf_init(&r->body, ctx, SIZE_MAX);
    mgc__buf_init(&r->bytes, ctx, SIZE_MAX);
    return r;
}

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

static void put_list(mgc__cbor_writer *w, const int64_t *list, size_t n)
{
    mgc__cbor_put_array(w, n);
    for (size_t i = 0; i < n; i++) mgc__cbor_put_int(w, list[i]);
}

static void put_member(mgc__cbor_writer *w, const signer *m)
{
    mgc__cbor_put_array(w, 3);
    mgc__cbor_put_text(w, m->id, strlen(m->id));
    mgc__cbor_put_int(w, m->payment);
    if (m->gap < 0) mgc__cbor_put_null(w);
    else mgc__cbor_put_int(w, m->gap);
}

static void put_link(mgc__cbor_writer *w, const joint *j, uint32_t periods)
{
    mgc__cbor_put_array(w, 5 + LISTS);
    mgc__cbor_put_uint(w, j->first);
    mgc__cbor_put_uint(w, j->second);
    mgc__cbor_put_uint(w, j->carrier);
    mgc__cbor_put_uint(w, j->ordinal);
    mgc__cbor_put_uint(w, j->loss);
    for (size_t l = 0; l < LISTS; l++) put_list(w, j->list + l * periods, periods);
}

static mgc_status write_body(mgc_record *r)
{
    mgc__cbor_writer w;

    mgc__cbor_to_buf(&w, &r->body);
    mgc__cbor_put_map(&w, 7);
    mgc__cbor_put_uint_at(&w, 1, r->version);
    mgc__cbor_put_uint_at(&w, 2, r->run);
    mgc__cbor_put_uint_at(&w, 3, r->periods);
    mgc__cbor_put_uint_at(&w, 4, r->seconds);
    mgc__cbor_put_uint(&w, 5);
    mgc__cbor_put_array(&w, r->members);
    for (size_t i = 0; i < r->members; i++) put_member(&w, &r->member[i]);
    mgc__cbor_put_uint(&w, 6);
    mgc__cbor_put_array(&w, r->links);
    for (size_t i = 0; i < r->links; i++) put_link(&w, &r->link[i], r->periods);
    mgc__cbor_put_uint(&w, 7);
    mgc__cbor_put_array(&w, r->pairs);
    for (size_t i = 0; i < r->pairs; i++) {
        mgc__cbor_put_array(&w, 3);
        mgc__cbor_put_uint(&w, r->pair[i].first);
        mgc__cbor_put_uint(&w, r->pair[i].second);
        mgc__cbor_put_int(&w, r->pair[i].payment);
    }
    if (r->body.status != MGC_OK || w.status != MGC_OK) return mgc__no_memory(r->ctx, "bargain: a record");
    return mgc_sha256(r->body.bytes, r->body.len, r->hash);
}

mgc_status mgc_record_bytes(mgc_record *r, const uint8_t **bytes, size_t *len)
{
    mgc__cbor_writer w;
    size_t n = 0;

    if (r == NULL || bytes == NULL || len == NULL) return MGC_E_INVALID_ARG;
    *bytes = NULL;
    *len = 0;
    mgc__buf_free(&r->bytes);
    mgc__buf_init(&r->bytes, r->ctx, SIZE_MAX);
    for (size_t i = 0; i < r->members; i++) n += r->member[i].has_signed;
    mgc__cbor_to_buf(&w, &r->bytes);
    mgc__cbor_put_array(&w, 2);
    mgc__cbor_put_bytes(&w, r->body.bytes, r->body.len);
    mgc__cbor_put_array(&w, n);
    for (size_t i = 0; i < r->members; i++) {
        if (!r->member[i].has_signed) continue;
        mgc__cbor_put_array(&w, 2);
        mgc__cbor_put_uint(&w, i);
        mgc__cbor_put_bytes(&w, r->member[i].signature, SIGNATURE);
    }
    if (r->bytes.status != MGC_OK || w.status != MGC_OK) return mgc__no_memory(r->ctx, "bargain: a record");
    *bytes = r->bytes.bytes;
    *len = r->bytes.len;
    return MGC_OK;
}

mgc_status mgc_record_hash(const mgc_record *record, uint8_t *hash)
{
    if (record == NULL || hash == NULL) return MGC_E_INVALID_ARG;
    memcpy(hash, record->hash, HASH);
    return MGC_OK;
}

/* --- from a result ------------------------------------------------------------------------------------------------------------ */

static mgc_status whole(mgc_ctx *ctx, double x, const char *what, int64_t *out)
{
    if (!(fabs(x) < (double)MGC__VALUE_MAX))
        return mgc__fail(ctx, MGC_E_RANGE, "bargain: %s is %g in a record's unit; must be below 2^62", what, x);
    *out = (int64_t)llround(x);
    return MGC_OK;
}

typedef struct name {
    const char *id;
    uint32_t index;
} name;

static int by_id(const void *a, const void *b)
{
    return strcmp(((const name *)a)->id, ((const name *)b)->id);
}

static mgc_status take_member(mgc_record *r, const mgc__member *from, signer *to)
{
    mgc_status st = whole(r->ctx, from->payment * MGC__MICRO, "a payment", &to->payment);

    to->gap = -1;
    if (st == MGC_OK && isfinite(from->own_gap)) st = whole(r->ctx, ceil(fmax(0, from->own_gap) * MGC__MICRO), "a gap", &to->gap);
    to->id = mgc__strdup(r->ctx, from->id);
    return st == MGC_OK && to->id == NULL ? mgc__no_memory(r->ctx, "bargain: a record") : st;
}

static mgc_status take_link(mgc_record *r, const mgc__joint *from, const uint32_t *place, uint32_t ordinal, joint *to)
{
    uint32_t n = r->periods;
    mgc_status st = MGC_OK;

    *to = (joint){.first = place[from->first], .second = place[from->second == MGC__POOL_MEMBER ? from->first : from->second], .carrier = from->carrier, .ordinal = ordinal,
                  .loss = (uint64_t)llround(from->loss * 1e9)};
    to->list = mgc__alloc(r->ctx, (size_t)LISTS * n, sizeof *to->list);
    if (to->list == NULL) return mgc__no_memory(r->ctx, "bargain: a record");
    for (uint32_t t = 0; st == MGC_OK && t < n; t++) {
        st = whole(r->ctx, ceil(fmin(from->capacity_kw[t], 1e9) * MGC__KW), "a capacity", &to->list[LIST_CAPACITY * n + t]);
        for (uint32_t d = 0; st == MGC_OK && d < 2; d++) {
            st = whole(r->ctx, from->sent_kw[d * n + t] * MGC__KW, "a trade", &to->list[(LIST_SENT + d) * n + t]);
            if (st == MGC_OK) st = whole(r->ctx, from->price[d * n + t] * MGC__NANO, "a price", &to->list[(LIST_PRICE + d) * n + t]);
        }
    }
    return st;
}

static uint32_t ordinal_of(const mgc_alliance *a, size_t k)
{
    uint32_t ordinal = 0;

    for (size_t i = 0; i < k; i++) {
        const mgc__joint *x = &a->joint[i], *y = &a->joint[k];
        ordinal += x->carrier == y->carrier && ((x->first == y->first && x->second == y->second) || (x->first == y->second && x->second == y->first));
    }
    return ordinal;
}

static mgc_status take_pair(mgc_record *r, const mgc__money *from, const uint32_t *place, payer *to)
{
    uint32_t a = place[from->first], b = place[from->second == MGC__POOL_MEMBER ? from->first : from->second];
    int64_t payment = 0;
    mgc_status st = whole(r->ctx, from->payment * MGC__MICRO, "a payment", &payment);

    *to = a <= b ? (payer){a, b, payment} : (payer){b, a, -payment};
    return st;
}

static mgc_status take_all(mgc_record *r, const mgc_alliance *a, name *names, uint32_t *place)
{
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < a->n; i++) names[i] = (name){a->member[i].id, i};
    qsort(names, a->n, sizeof *names, by_id);
    for (uint32_t i = 0; i < a->n; i++) place[names[i].index] = i;
    r->member = mgc__alloc(r->ctx, a->n, sizeof *r->member);
    r->link = mgc__alloc(r->ctx, a->joints, sizeof *r->link);
    r->pair = mgc__alloc(r->ctx, a->pairs, sizeof *r->pair);
    if (r->member == NULL || r->link == NULL || r->pair == NULL) return mgc__no_memory(r->ctx, "bargain: a record");
    r->members = a->n;
    r->links = a->joints;
    r->pairs = a->pairs;
    r->version = VERSION;
    for (size_t k = 0; k < a->joints; k++)
        if (a->joint[k].second == MGC__POOL_MEMBER) r->version = VERSION_POOL;
    for (size_t i = 0; st == MGC_OK && i < a->n; i++) st = take_member(r, &a->member[i], &r->member[place[i]]);
    for (size_t k = 0; st == MGC_OK && k < a->joints; k++) st = take_link(r, &a->joint[k], place, ordinal_of(a, k), &r->link[k]);
    for (size_t p = 0; st == MGC_OK && p < a->pairs; p++) st = take_pair(r, &a->pair[p], place, &r->pair[p]);
    return st;
}

mgc_status mgc_record_from_alliance(const mgc_alliance *a, uint64_t run, mgc_record **out)
{
    mgc_record *r;
    name *names;
    uint32_t *place;
    mgc_status st;

    if (a == NULL || out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (a->together == NULL && !a->info.no_trade)
        return mgc__fail(a->ctx, MGC_E_STATE, "bargain: there is no agreement to record: %s", a->reason);
    r = new_record(a->ctx);
    names = mgc__alloc(a->ctx, a->n, sizeof *names);
    place = mgc__alloc(a->ctx, a->n, sizeof *place);
    if (r == NULL || names == NULL || place == NULL) {
        st = mgc__no_memory(a->ctx, "bargain: a record");
    } else {
        r->run = run;
        r->periods = a->periods;
        r->seconds = (uint32_t)llround(a->hours * 3600);
        st = take_all(r, a, names, place);
    }
    if (st == MGC_OK) st = write_body(r);
    mgc__free(a->ctx, names);
    mgc__free(a->ctx, place);
    if (st == MGC_OK) *out = r;
    else mgc_record_destroy(r);
    return st;
}

/* --- reading ------------------------------------------------------------------------------------------------------------------ */

static int64_t get_whole(mgc__cbor_reader *c)
{
    int64_t x = mgc__cbor_get_int(c);

    if (x > MGC__VALUE_MAX || x < -MGC__VALUE_MAX) mgc__cbor_refuse(c, MGC_E_RANGE, "a number beyond 2^62");
    return x;
}

/* Room for n items, which cannot be more than the bytes that are left. */
static void *room(mgc_record *r, mgc__cbor_reader *c, uint64_t n, size_t size)
{
    void *block;

    if (c->status != MGC_OK) return NULL;
    if (n > (uint64_t)(c->end - c->at)) {
        mgc__cbor_refuse(c, MGC_E_TRUNCATED, "more items than bytes");
        return NULL;
    }
    block = mgc__alloc(r->ctx, (size_t)n, size);
    if (block == NULL) mgc__cbor_refuse(c, MGC_E_NO_MEMORY, "no memory for a record");
    return block;
}

static void get_members(mgc_record *r, mgc__cbor_reader *c)
{
    uint64_t n = mgc__cbor_get_array(c, RECORD_MEMBERS_MAX);

    r->member = room(r, c, n, sizeof *r->member);
    for (uint64_t i = 0; r->member != NULL && i < n && c->status == MGC_OK; i++) {
        signer *m = &r->member[i];
        char id[MGC__ID_MAX + 1] = "";
        const char *text;
        size_t len;

        mgc__cbor_get_array_of(c, 3);
        text = mgc__cbor_get_text(c, &len, MGC__ID_MAX);
        m->payment = get_whole(c);
        m->gap = mgc__cbor_get_null(c) ? -1 : get_whole(c);
        if (c->status != MGC_OK) return;
        memcpy(id, text, len);
        if (strlen(id) != len || len == 0) mgc__cbor_refuse(c, MGC_E_SCHEMA, "an id that is empty or holds a zero");
        if (m->gap < -1) mgc__cbor_refuse(c, MGC_E_RANGE, "a negative gap");
        m->id = mgc__strdup(r->ctx, id);
        r->members++;
        if (m->id == NULL) mgc__cbor_refuse(c, MGC_E_NO_MEMORY, "no memory for a record");
        else if (i > 0 && strcmp(r->member[i - 1].id, m->id) >= 0) mgc__cbor_refuse(c, MGC_E_NONCANONICAL, "members out of order");
    }
}

static uint32_t get_place(const mgc_record *r, mgc__cbor_reader *c)
{
    return (uint32_t)mgc__cbor_get_uint(c, r->members > 0 ? r->members - 1 : 0);
}

static void get_links(mgc_record *r, mgc__cbor_reader *c)
{
    uint64_t n = mgc__cbor_get_array(c, RECORD_LINKS_MAX);

    r->link = room(r, c, n, sizeof *r->link);
    for (uint64_t i = 0; r->link != NULL && i < n && c->status == MGC_OK; i++) {
        joint *j = &r->link[i];

        mgc__cbor_get_array_of(c, 5 + LISTS);
        j->first = get_place(r, c);
        j->second = get_place(r, c);
        j->carrier = (uint32_t)mgc__cbor_get_uint(c, 1);
        j->ordinal = (uint32_t)mgc__cbor_get_uint(c, MGC__ORDINAL_MAX);
        j->loss = mgc__cbor_get_uint(c, 1000000000);
        j->list = room(r, c, (uint64_t)LISTS * r->periods, sizeof *j->list);
        r->links++;
        for (size_t l = 0; j->list != NULL && l < LISTS; l++) {
            mgc__cbor_get_array_of(c, r->periods);
            for (uint32_t t = 0; t < r->periods && c->status == MGC_OK; t++) j->list[l * r->periods + t] = get_whole(c);
        }
        if (c->status == MGC_OK && ((j->first == j->second) != (r->version == VERSION_POOL) || r->members == 0))
            mgc__cbor_refuse(c, MGC_E_SCHEMA, "a link of a member with itself, or with another where there is a pool");
    }
}

static void get_pairs(mgc_record *r, mgc__cbor_reader *c)
{
    uint64_t n = mgc__cbor_get_array(c, RECORD_LINKS_MAX);

    r->pair = room(r, c, n, sizeof *r->pair);
    for (uint64_t i = 0; r->pair != NULL && i < n && c->status == MGC_OK; i++) {
        payer *p = &r->pair[i];

        mgc__cbor_get_array_of(c, 3);
        p->first = get_place(r, c);
        p->second = get_place(r, c);
        p->payment = get_whole(c);
        r->pairs++;
        if (c->status == MGC_OK && (r->members == 0 || (r->version == VERSION_POOL ? p->first != p->second : p->first >= p->second))) mgc__cbor_refuse(c, MGC_E_SCHEMA, "a pair out of order");
    }
}

static mgc_status read_body(mgc_record *r)
{
    mgc__cbor_reader c;

    mgc__cbor_read(&c, r->body.bytes, r->body.len);
    mgc__cbor_get_map(&c, 7);
    mgc__cbor_get_key(&c, 1);
    r->version = (uint32_t)mgc__cbor_get_uint(&c, UINT32_MAX);
    if (r->version != VERSION && r->version != VERSION_POOL) mgc__cbor_refuse(&c, MGC_E_VERSION, "another version");
    mgc__cbor_get_key(&c, 2);
    r->run = mgc__cbor_get_uint(&c, UINT64_MAX);
    mgc__cbor_get_key(&c, 3);
    r->periods = (uint32_t)mgc__cbor_get_uint(&c, PERIODS_MAX);
    mgc__cbor_get_key(&c, 4);
    r->seconds = (uint32_t)mgc__cbor_get_uint(&c, UINT32_MAX);
    mgc__cbor_get_key(&c, 5);
    get_members(r, &c);
    mgc__cbor_get_key(&c, 6);
    get_links(r, &c);
    mgc__cbor_get_key(&c, 7);
    get_pairs(r, &c);
    if (mgc__cbor_finish(&c) != MGC_OK) return mgc__cbor_fail(r->ctx, &c, "body of a record");
    return mgc_sha256(r->body.bytes, r->body.len, r->hash);
}

static mgc_status read_whole(mgc_record *r, const uint8_t *bytes, size_t len)
{
    mgc__cbor_reader c;
    const uint8_t *body;
    size_t body_len = 0, last = 0;
    uint64_t n;
    mgc_status st;

    mgc__cbor_read(&c, bytes, len);
    mgc__cbor_get_array_of(&c, 2);
    body = mgc__cbor_get_bytes(&c, &body_len, len);
    if (c.status != MGC_OK) return mgc__cbor_fail(r->ctx, &c, "record");
    mgc__buf_put(&r->body, body, body_len);
    if (r->body.status != MGC_OK) return mgc__no_memory(r->ctx, "bargain: a record");
    if ((st = read_body(r)) != MGC_OK) return st;
    n = mgc__cbor_get_array(&c, r->members);
    for (uint64_t i = 0; i < n && c.status == MGC_OK; i++) {
        const uint8_t *signature;
        size_t who;

        mgc__cbor_get_array_of(&c, 2);
        who = get_place(r, &c);
        signature = mgc__cbor_get_fixed(&c, SIGNATURE);
        if (c.status == MGC_OK && i > 0 && who <= last) mgc__cbor_refuse(&c, MGC_E_NONCANONICAL, "signatures out of order");
        if (c.status != MGC_OK) break;
        last = who;
        r->member[who].has_signed = true;
        memcpy(r->member[who].signature, signature, SIGNATURE);
    }
    if (mgc__cbor_finish(&c) != MGC_OK) return mgc__cbor_fail(r->ctx, &c, "record");
    return MGC_OK;
}

mgc_status mgc_record_read(mgc_ctx *ctx, const uint8_t *bytes, size_t len, mgc_record **out)
{
    mgc_record *r;
    mgc_status st;

    if (ctx == NULL || out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (bytes == NULL && len > 0) return MGC_E_INVALID_ARG;
    r = new_record(ctx);
    if (r == NULL) return mgc__no_memory(ctx, "bargain: a record");
    st = read_whole(r, bytes, len);
    if (st == MGC_OK) *out = r;
    else mgc_record_destroy(r);
    return st;
}

/* --- signing ------------------------------------------------------------------------------------------------------------------ */

static size_t find_member(const mgc_record *r, const char *id)
{
    size_t low = 0, high = r->members;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(r->member[middle].id, id) < 0) low = middle + 1;
        else high = middle;
    }
    return low < r->members && strcmp(r->member[low].id, id) == 0 ? low : SIZE_MAX;
}

static size_t signed_text(const mgc_record *r, size_t member, uint8_t text[SIGNED_MAX])
{
    size_t len = strlen(r->member[member].id);

    memcpy(text, tag, sizeof tag - 1);
    memcpy(text + sizeof tag - 1, r->hash, HASH);
    memcpy(text + sizeof tag - 1 + HASH, r->member[member].id, len);
    return sizeof tag - 1 + HASH + len;
}

mgc_status mgc_record_sign(mgc_record *r, const char *id, const mgc_key *key)
{
    uint8_t text[SIGNED_MAX];
    size_t who;
    mgc_status st;

    if (r == NULL || id == NULL || key == NULL) return MGC_E_INVALID_ARG;
    who = find_member(r, id);
    if (who == SIZE_MAX) return mgc__fail(r->ctx, MGC_E_NOT_FOUND, "bargain: the record has no member %s", id);
    if (r->member[who].has_signed) return mgc__fail(r->ctx, MGC_E_EXISTS, "bargain: %s has signed the record", id);
    st = mgc_key_sign(key, text, signed_text(r, who, text), r->member[who].signature);
    r->member[who].has_signed = st == MGC_OK;
    return st;
}

/* Does the record hold the trades of this link end, the other way round where it names the members the other way? */
static bool same_trades(const mgc_record *r, const mgc_agent *agent, const mgc__end *end)
{
    const mgc__terms *t = &end->terms;
    size_t me = find_member(r, agent->id), other = t->pool ? me : find_member(r, t->neighbour), first = t->first ? me : other, second = t->first ? other : me;

    for (size_t k = 0; k < r->links; k++) {
        const joint *j = &r->link[k];
        if (j->first != first || j->second != second || j->carrier != t->carrier || j->ordinal != t->ordinal) continue;
        for (uint32_t p = 0; p < r->periods; p++) {
            int64_t ahead = end->agreed[p] > 0 ? end->agreed[p] : 0;
            int64_t back = t->dims == 2 ? end->agreed[t->periods + p] : end->agreed[p] < 0 ? -end->agreed[p] : 0;
            if (j->list[LIST_SENT * r->periods + p] != ahead || j->list[LIST_BACK * r->periods + p] != back) return false;
        }
        return true;
    }
    return false;
}

static bool same_payment(const mgc_record *r, const mgc_agent *agent, const mgc__peer *peer)
{
    size_t me = find_member(r, agent->id), other = agent->pool != NULL ? me : find_member(r, peer->id);
    int64_t want = peer->first ? peer->micro : -peer->micro, found = 0; /* the agent pays */

    for (size_t p = 0; p < r->pairs; p++) {
        if (r->pair[p].first == me && r->pair[p].second == other) found += r->pair[p].payment;
        if (other != me && r->pair[p].first == other && r->pair[p].second == me) found -= r->pair[p].payment;
    }
    return found == want;
}

mgc_status mgc_agent_sign_record(const mgc_agent *agent, mgc_record *r, const mgc_key *key)
{
    mgc_agreement deal = {.struct_size = sizeof deal};
    size_t me, links = 0;
    mgc_status st;

    if (agent == NULL || r == NULL || key == NULL) return MGC_E_INVALID_ARG;
    if ((st = mgc_agent_agreement(agent, &deal)) != MGC_OK) return st;
    me = find_member(r, agent->id);
    if (me == SIZE_MAX) return mgc__fail(agent->ctx, MGC_E_NOT_FOUND, "bargain: the record has no member %s", agent->id);
    if (r->run != agent->opts.run || (agent->n_ends > 0 && r->periods != agent->periods))
        return mgc__fail(agent->ctx, MGC_E_MESSAGE, "bargain: the record is of another run or day");
    for (size_t k = 0; k < r->links; k++) links += r->link[k].first == me || r->link[k].second == me;
    if (links != agent->n_ends)
        return mgc__fail(agent->ctx, MGC_E_MESSAGE, "bargain: the record has %zu links of %s, which has %zu", links, agent->id, agent->n_ends);
    for (size_t e = 0; e < agent->n_ends; e++)
        if (!same_trades(r, agent, &agent->ends[e]))
            return mgc__fail(agent->ctx, MGC_E_MESSAGE, "bargain: the record has other trades with %s over link %u than were agreed",
                             agent->ends[e].terms.neighbour, agent->ends[e].terms.link);
    for (size_t p = 0; p < agent->n_peers; p++)
        if (!same_payment(r, agent, &agent->peers[p]))
            return mgc__fail(agent->ctx, MGC_E_MESSAGE, "bargain: the record has another payment with %s than was agreed", agent->peers[p].id);
    if (r->member[me].payment != (int64_t)llround(deal.payment * MGC__MICRO) ||
        deal.final_cost > deal.standalone_cost + (1 + (double)agent->n_peers) / MGC__MICRO)
        return mgc__fail(agent->ctx, MGC_E_MESSAGE, "bargain: the record would leave %s worse off", agent->id);
    return mgc_record_sign(r, agent->id, key);
}

/* --- verifying ---------------------------------------------------------------------------------------------------------------- */

static int64_t magnitude(int64_t x)
{
    return x < 0 ? -x : x;
}

/* Sums of up to 8192 numbers below 2^62 could overflow: then the record is not sound anyhow. */
static bool add(int64_t *sum, int64_t x)
{
    if ((x > 0 && *sum > INT64_MAX - x) || (x < 0 && *sum < INT64_MIN + 1 - x)) return false;
    *sum += x;
    return true;
}

static mgc_status check_money(const mgc_record *r, mgc_record_report *report, bool *sound)
{
    int64_t *rest = mgc__alloc(r->ctx, r->members, sizeof *rest); /* payment less what the pairs say */

    *sound = true;
    if (rest == NULL) return mgc__no_memory(r->ctx, "bargain: a record");
    for (size_t p = 0; p < r->pairs; p++) {
        *sound &= add(&rest[r->pair[p].first], -r->pair[p].payment);
        if (r->version != VERSION_POOL) *sound &= add(&rest[r->pair[p].second], r->pair[p].payment);
    }
    for (size_t i = 0; i < r->members; i++) {
        const signer *m = &r->member[i];
        *sound &= add(&rest[i], m->payment);
        if (magnitude(rest[i]) > report->pair_mismatch) report->pair_mismatch = magnitude(rest[i]);
        *sound &= add(&report->payment_sum, m->payment);
        if (m->gap < 0) report->gap = -1;
        if (report->gap >= 0) *sound &= add(&report->gap, m->gap);
    }
    mgc__free(r->ctx, rest);
    return MGC_OK;
}

static void check_trades(const mgc_record *r, mgc_record_report *report)
{
    report->over_capacity = -MGC__VALUE_MAX;
    for (size_t k = 0; k < r->links; k++)
        for (uint32_t t = 0; t < r->periods; t++) {
            const joint *j = &r->link[k];
            int64_t cap = j->list[t], ahead = j->list[LIST_SENT * r->periods + t], back = j->list[LIST_BACK * r->periods + t];
            int64_t most = ahead > back ? ahead : back, least = ahead > back ? back : ahead;

            if (most - cap > report->over_capacity) report->over_capacity = most - cap;
            if (least < 0 && -least > report->over_capacity) report->over_capacity = -least; /* a negative flow is no flow */
            if (j->loss == 0 && least > report->both_ways) report->both_ways = least;
        }
    if (report->over_capacity == -MGC__VALUE_MAX) report->over_capacity = 0;
}

/* What is sent to a pool is what is taken out of it, in every period. */
static void check_pool(const mgc_record *r, mgc_record_report *report, bool *sound)
{
    for (uint32_t carrier = 0; r->version == VERSION_POOL && carrier < 2; carrier++)
        for (uint32_t t = 0; t < r->periods; t++) {
            int64_t sum = 0;
            for (size_t k = 0; k < r->links; k++) {
                const joint *j = &r->link[k];
                if (j->carrier != carrier) continue;
                *sound &= add(&sum, j->list[LIST_SENT * r->periods + t]);
                *sound &= add(&sum, -j->list[LIST_BACK * r->periods + t]);
            }
            if (magnitude(sum) > report->pool_imbalance) report->pool_imbalance = magnitude(sum);
        }
}

static mgc_status check_signatures(const mgc_record *r, const char *const *ids, const uint8_t *const *keys, size_t n,
                                   mgc_record_report *report)
{
    uint8_t text[SIGNED_MAX];

    report->missing = (uint32_t)r->members;
    for (size_t i = 0; i < n; i++) {
        size_t who;
        mgc_status st;

        if (ids[i] == NULL || keys[i] == NULL) return MGC_E_INVALID_ARG;
        who = find_member(r, ids[i]);
        if (who == SIZE_MAX || !r->member[who].has_signed) continue;
        st = mgc_signature_verify(keys[i], text, signed_text(r, who, text), r->member[who].signature, SIGNATURE);
        if (st == MGC_E_CRYPTO) return st;
        if (st != MGC_OK) continue;
        report->signatures++;
        report->missing -= report->missing > 0;
    }
    return MGC_OK;
}

static bool distinct(const char *const *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (ids[i] != NULL && ids[j] != NULL && strcmp(ids[i], ids[j]) == 0) return false;
    return true;
}

static const char *fault_of(const mgc_record_report *p, bool sound, size_t wanted, int64_t gap_limit)
{
    if (!sound) return "sums overflow";
    if (p->payment_sum != 0) return "payments do not sum to zero";
    if (p->pair_mismatch != 0) return "a member's payment is not the sum over its pairs";
    if (p->over_capacity > 0) return "a trade is negative or beyond its link's capacity";
    if (p->both_ways > 0) return "a link without loss carries energy both ways at once";
    if (p->pool_imbalance != 0) return "what is sent to the pool is not what is taken out of it";
    if (wanted != p->members) return "the members are not those expected";
    if (p->missing > 0) return "a member's signature is missing or does not verify";
    if (gap_limit >= 0 && p->gap < 0) return "a member does not say what is still to be gained";
    if (gap_limit >= 0 && p->gap > gap_limit) return "more is still to be gained than allowed";
    return "";
}

mgc_status mgc_record_verify(const mgc_record *r, const char *const *ids, const uint8_t *const *keys, size_t n, int64_t gap_limit,
                             mgc_record_report *report)
{
    mgc_record_report p = {.struct_size = sizeof p};
    const char *fault;
    bool sound;
    mgc_status st;

    if (r == NULL || report == NULL || (n > 0 && (ids == NULL || keys == NULL))) return MGC_E_INVALID_ARG;
    if (!distinct(ids, n)) return mgc__fail(r->ctx, MGC_E_INVALID_ARG, "bargain: an id is given twice");
    p.members = (uint32_t)r->members;
    p.links = (uint32_t)r->links;
    p.pairs = (uint32_t)r->pairs;
    if ((st = check_money(r, &p, &sound)) != MGC_OK) return st;
    check_trades(r, &p);
    check_pool(r, &p, &sound);
    if ((st = check_signatures(r, ids, keys, n, &p)) != MGC_OK) return st;
    fault = fault_of(&p, sound, n, gap_limit);
    snprintf(p.reason, sizeof p.reason, "%s", fault);
    p.ok = fault[0] == '\0';
    return mgc__info_write(report, &p, sizeof p, MGC__FIRST_SIZE(mgc_record_report, pool_imbalance));
}
