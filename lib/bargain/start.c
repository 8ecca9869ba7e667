/* SPDX-License-Identifier: Apache-2.0 */
/* What is worth keeping from one day's bargaining for the next: of every link the trades agreed, their prices and, where both ends'
 * costs are smooth, the penalty.  Both ends held the same numbers, so both keep the same bytes; HELLO compares their hash, and a link whose ends
 * kept different numbers (or whose one end lost them) starts cold, at both.
 *
 *   [entry, ...]   entry = [first id, second id, carrier, ordinal, penalty exponent, [trade in mW, ...], [price, ...]]
 *
 * price: multiplier in nano-currency per kW.  Integers, for the same reason as in messages. */
#include <math.h>

#include "bargain/agent.h"
#include "codec/cbor.h"

enum { ENTRIES_MAX = 1000000, EXPONENT_MAX = 200, ANEW = EXPONENT_MAX }; /* ANEW: no penalty is worth keeping */
#define PRICE_MAX INT64_C(1000000000000000000) /* nano-currency per kW: a milliard of currency per kW */

/* --- writing ---------------------------------------------------------------------------------------------------------------- */

static int64_t clamp_round(double x, double most)
{
    return (int64_t)llround(fmax(fmin(x, most), -most));
}

static void put_end(const mgc_agent *agent, const mgc__end *end, mgc__cbor_writer *w)
{
    const mgc__terms *t = &end->terms;
    const char *first = t->first ? agent->id : t->neighbour, *second = t->first ? t->neighbour : agent->id;
    const double *mu = end->exchanged ? end->mean_mu : end->mu; /* the last ones, which go with z */
    int exponent;

    frexp(end->rho, &exponent);
    mgc__cbor_put_array(w, 7);
    mgc__cbor_put_text(w, first, strlen(first));
    mgc__cbor_put_text(w, second, strlen(second));
    mgc__cbor_put_uint(w, t->carrier);
    mgc__cbor_put_uint(w, t->ordinal);
    mgc__cbor_put_int(w, mgc__admm_smooth(end) && exponent <= EXPONENT_MAX ? exponent - 1 : ANEW);
    mgc__cbor_put_array(w, end->count);
    for (size_t i = 0; i < end->count; i++) mgc__cbor_put_int(w, clamp_round(end->z[i] * MGC__KW, 1e17));
    mgc__cbor_put_array(w, end->count);
    for (size_t i = 0; i < end->count; i++) mgc__cbor_put_int(w, clamp_round(mu[i] * MGC__NANO, (double)PRICE_MAX));
}

/* Of its own links: all, or (owned) those whose first member it is, so that an alliance writes each link once. */
void mgc__start_write(const mgc_agent *agent, bool owned, mgc__buf *buf)
{
    mgc__cbor_writer w;

    mgc__cbor_to_buf(&w, buf);
    for (size_t e = 0; e < agent->n_ends; e++)
        if (!owned || agent->ends[e].terms.first) put_end(agent, &agent->ends[e], &w);
    if (buf->status == MGC_OK) buf->status = w.status;
}

size_t mgc__start_count(const mgc_agent *agent, bool owned)
{
    size_t n = 0;

    for (size_t e = 0; e < agent->n_ends; e++) n += !owned || agent->ends[e].terms.first;
    return n;
}

void mgc__start_head(size_t entries, mgc__buf *buf)
{
    mgc__cbor_writer w;

    mgc__cbor_to_buf(&w, buf);
    mgc__cbor_put_array(&w, entries);
    if (buf->status == MGC_OK) buf->status = w.status;
}

/* --- reading ---------------------------------------------------------------------------------------------------------------- */

typedef struct entry {
    const char *first, *second;
    size_t first_len, second_len;
    uint32_t carrier, ordinal;
} entry;

static bool same_text(const char *text, size_t len, const char *other)
{
    return text != NULL && strlen(other) == len && memcmp(text, other, len) == 0;
}

static mgc__end *find_end(mgc_agent *agent, const entry *e)
{
    bool first = same_text(e->first, e->first_len, agent->id), second = same_text(e->second, e->second_len, agent->id);

    for (size_t i = 0; (first || second) && i < agent->n_ends; i++) {
        const mgc__terms *t = &agent->ends[i].terms;
        if (t->carrier == e->carrier && t->ordinal == e->ordinal && t->first == first &&
            same_text(first ? e->second : e->first, first ? e->second_len : e->first_len, t->neighbour))
            return &agent->ends[i];
    }
    return NULL;
}

/* One list of numbers; kept where there is an end with as many, its trades within capacity. */
static size_t read_numbers(mgc__cbor_reader *r, mgc__end *end, double *into, double unit, int64_t most)
{
    size_t n = (size_t)mgc__cbor_get_array(r, MGC__VALUES_MAX);

    for (size_t i = 0; i < n && r->status == MGC_OK; i++) {
        int64_t value = mgc__cbor_get_int(r);
        if (value > most || value < -most) mgc__cbor_refuse(r, MGC_E_RANGE, "a number beyond its limit");
        if (end == NULL || n != end->count || r->status != MGC_OK) continue;
        into[i] = (double)value / unit;
        end->start_hash = mgc__hash_uint(end->start_hash, (uint64_t)value);
    }
    return n;
}

static void forget(mgc__end *end)
{
    memset(end->z, 0, end->count * sizeof *end->z);
    memset(end->mu, 0, end->count * sizeof *end->mu);
    end->start_hash = 0;
}

static void read_entry(mgc_agent *agent, mgc__cbor_reader *r)
{
    entry e = {.first = NULL};
    mgc__end *end;
    int64_t exponent;
    size_t trades, prices;

    mgc__cbor_get_array_of(r, 7);
    e.first = mgc__cbor_get_text(r, &e.first_len, MGC__ID_MAX);
    e.second = mgc__cbor_get_text(r, &e.second_len, MGC__ID_MAX);
    e.carrier = (uint32_t)mgc__cbor_get_uint(r, 1);
    e.ordinal = (uint32_t)mgc__cbor_get_uint(r, MGC__ORDINAL_MAX);
    exponent = mgc__cbor_get_int(r);
    if (exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX) mgc__cbor_refuse(r, MGC_E_RANGE, "a penalty exponent beyond 200");
    end = r->status == MGC_OK ? find_end(agent, &e) : NULL;
    if (end != NULL) end->start_hash = mgc__hash_uint(MGC__HASH_START, (uint64_t)exponent);
    trades = read_numbers(r, end, end != NULL ? end->z : NULL, MGC__KW, INT64_C(100000000000000000));
    prices = read_numbers(r, end, end != NULL ? end->mu : NULL, MGC__NANO, PRICE_MAX);
    if (end == NULL) return;
    if (r->status != MGC_OK || trades != end->count || prices != end->count) { /* another number of periods: not yesterday's like */
        forget(end);
        return;
    }
    end->softer = exponent == ANEW;
    end->rho = ldexp(1, (int)exponent);
    end->start_hash = (uint64_t)mgc__hash_value(end->start_hash) | 1; /* 0 says "cold" */
}

mgc_status mgc__start_read(mgc_agent *agent, const uint8_t *bytes, size_t len)
{
    mgc__cbor_reader r;
    size_t n;

    mgc__cbor_read(&r, bytes, len);
    n = (size_t)mgc__cbor_get_array(&r, ENTRIES_MAX);
    for (size_t i = 0; i < n && r.status == MGC_OK; i++) read_entry(agent, &r);
    if (mgc__cbor_finish(&r) == MGC_OK) return MGC_OK;
    return mgc__cbor_fail(agent->ctx, &r, "start that a bargaining run left");
}

/* The neighbour kept other numbers: as if there were none. */
void mgc__start_forget(mgc__end *end)
{
    forget(end);
}
