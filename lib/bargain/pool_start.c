/* SPDX-License-Identifier: Apache-2.0 */
/* What a run with a pool leaves for the next: prices and penalties, which all members hold alike, and each member's own share,
 * which is nobody else's.  HELLO compares a hash of the first; where one member kept others or none, all start cold, for shares
 * that do not sum to zero are no start.
 *
 *   [1, hash of the roster, market, market, [[id, carrier, [share in mW, ...]], ...]]
 *   market   [penalty exponent, [multiplier in nano-currency per kW, ...]], the list empty where there is none */
#include <math.h>

#include "bargain/pool.h"
#include "codec/cbor.h"

enum { VERSION = 1, SHARES_MAX = 20000, EXPONENT_MAX = 200 };
#define PRICE_MAX INT64_C(1000000000000000000)
#define SHARE_MAX INT64_C(200000000000000)

static int64_t clamp_round(double x, double most)
{
    return (int64_t)llround(fmax(fmin(x, most), -most));
}

static void put_market(const mgc__market *m, size_t periods, mgc__cbor_writer *w)
{
    int exponent = 1;

    if (m->members > 0) frexp(m->rho, &exponent);
    mgc__cbor_put_array(w, 2);
    mgc__cbor_put_int(w, exponent - 1);
    mgc__cbor_put_array(w, m->members > 0 ? periods : 0);
    for (size_t t = 0; m->members > 0 && t < periods; t++) mgc__cbor_put_int(w, clamp_round(m->y[t] * MGC__NANO, (double)PRICE_MAX));
}

void mgc__pool_start_write(mgc_agent *const *agent, size_t n, mgc__buf *buf)
{
    mgc__cbor_writer w;
    size_t shares = 0;

    for (size_t i = 0; i < n; i++) shares += agent[i]->n_ends;
    mgc__cbor_to_buf(&w, buf);
    mgc__cbor_put_array(&w, 5);
    mgc__cbor_put_uint(&w, VERSION);
    mgc__cbor_put_uint(&w, (uint64_t)mgc__hash_value(agent[0]->pool->roster));
    for (size_t c = 0; c < 2; c++) put_market(&agent[0]->pool->market[c], agent[0]->periods, &w);
    mgc__cbor_put_array(&w, shares);
    for (size_t i = 0; i < n; i++)
        for (size_t e = 0; e < agent[i]->n_ends; e++) {
            const mgc__end *end = &agent[i]->ends[e];
            mgc__cbor_put_array(&w, 3);
            mgc__cbor_put_text(&w, agent[i]->id, strlen(agent[i]->id));
            mgc__cbor_put_uint(&w, end->terms.carrier);
            mgc__cbor_put_array(&w, end->count);
            for (size_t t = 0; t < end->count; t++) mgc__cbor_put_int(&w, clamp_round(end->z[t] * MGC__KW, (double)SHARE_MAX));
        }
    if (buf->status == MGC_OK) buf->status = w.status;
}

/* Into place where it has `periods` numbers. */
static size_t read_list(mgc__cbor_reader *r, double *into, size_t periods, double unit, int64_t most, uint64_t *hash)
{
    size_t n = (size_t)mgc__cbor_get_array(r, MGC__VALUES_MAX);

    for (size_t i = 0; i < n && r->status == MGC_OK; i++) {
        int64_t value = mgc__cbor_get_int(r);
        if (value > most || value < -most) mgc__cbor_refuse(r, MGC_E_RANGE, "a number beyond its limit");
        if (hash != NULL) *hash = mgc__hash_uint(*hash, (uint64_t)value);
        if (into != NULL && n == periods && r->status == MGC_OK) into[i] = (double)value / unit;
    }
    return n;
}

static bool read_market(mgc__cbor_reader *r, mgc__market *m, size_t periods, uint64_t *hash)
{
    int64_t exponent;
    size_t n;

    mgc__cbor_get_array_of(r, 2);
    exponent = mgc__cbor_get_int(r);
    if (exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX) mgc__cbor_refuse(r, MGC_E_RANGE, "a penalty exponent beyond 200");
    if (r->status != MGC_OK) return false;
    *hash = mgc__hash_uint(*hash, (uint64_t)exponent);
    m->rho = ldexp(1, (int)exponent);
    n = read_list(r, m->y, periods, MGC__NANO, PRICE_MAX, hash);
    return n == 0 || n == periods;
}

static size_t read_shares(mgc_agent *agent, mgc__cbor_reader *r)
{
    size_t n = (size_t)mgc__cbor_get_array(r, SHARES_MAX), own = 0;

    for (size_t i = 0; i < n && r->status == MGC_OK; i++) {
        const char *id;
        size_t len, end;
        bool mine;
        mgc__cbor_get_array_of(r, 3);
        id = mgc__cbor_get_text(r, &len, MGC__ID_MAX);
        end = agent->pool->market[mgc__cbor_get_uint(r, 1) & 1].end;
        mine = r->status == MGC_OK && end != SIZE_MAX && len == strlen(agent->id) && memcmp(id, agent->id, len) == 0;
        own += read_list(r, mine ? agent->ends[end].z : NULL, agent->periods, MGC__KW, SHARE_MAX, NULL) == agent->periods && mine;
    }
    return own;
}

mgc_status mgc__pool_start_read(mgc_agent *agent, const uint8_t *bytes, size_t len)
{
    mgc__pool *pool = agent->pool;
    uint64_t hash = mgc__hash_uint(MGC__HASH_START, pool->roster);
    mgc__cbor_reader r;
    bool fits;

    mgc__cbor_read(&r, bytes, len);
    mgc__cbor_get_array_of(&r, 5);
    if (mgc__cbor_get_uint(&r, UINT32_MAX) != VERSION) mgc__cbor_refuse(&r, MGC_E_VERSION, "another version");
    fits = mgc__cbor_get_uint(&r, (uint64_t)MGC__VALUE_MAX) == (uint64_t)mgc__hash_value(pool->roster); /* other members: other prices */
    for (size_t c = 0; c < 2; c++) fits &= read_market(&r, &pool->market[c], agent->periods, &hash);
    fits &= read_shares(agent, &r) == agent->n_ends;
    if (mgc__cbor_finish(&r) != MGC_OK) return mgc__cbor_fail(agent->ctx, &r, "start that a run with a pool left");
    pool->start_hash = fits ? (uint64_t)mgc__hash_value(hash) | 1 : 0;
    return MGC_OK;
}
