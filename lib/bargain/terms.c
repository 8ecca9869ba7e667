/* SPDX-License-Identifier: Apache-2.0 */
/* What both ends of a link know of it, read from a model. */
#include <math.h>

#include "bargain/pool.h"

void mgc__terms_free(mgc_ctx *ctx, mgc__terms *terms, size_t n)
{
    if (terms == NULL) return;
    for (size_t i = 0; i < n; i++) {
        mgc__free(ctx, terms[i].neighbour);
        mgc__free(ctx, terms[i].capacity_kw);
        mgc__free(ctx, terms[i].fee);
        mgc__free(ctx, terms[i].agreed_kw);
    }
    mgc__free(ctx, terms);
}

static double *copy_series(mgc_ctx *ctx, const double *from, size_t n)
{
    double *to = mgc__alloc(ctx, n, sizeof *to);

    if (to != NULL) memcpy(to, from, n * sizeof *to);
    return to;
}

mgc_status mgc__terms_copy(mgc_ctx *ctx, const mgc__terms *from, size_t n, mgc__terms **terms)
{
    mgc__terms *to = mgc__alloc(ctx, n, sizeof *to);

    *terms = NULL;
    if (to == NULL) return mgc__no_memory(ctx, "bargain: terms of links");
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
        to[i].neighbour = mgc__strdup(ctx, from[i].neighbour);
        to[i].capacity_kw = copy_series(ctx, from[i].capacity_kw, from[i].periods);
        to[i].fee = copy_series(ctx, from[i].fee, from[i].periods);
        to[i].agreed_kw = from[i].agreed_kw == NULL ? NULL : copy_series(ctx, from[i].agreed_kw, 2 * (size_t)from[i].periods);
        if (to[i].neighbour == NULL || to[i].capacity_kw == NULL || to[i].fee == NULL || (from[i].agreed_kw != NULL && to[i].agreed_kw == NULL)) {
            mgc__terms_free(ctx, to, i + 1);
            return mgc__no_memory(ctx, "bargain: terms of links");
        }
    }
    *terms = to;
    return MGC_OK;
}

/* What the two ends must agree on before they trade. */
static uint64_t digest(const mgc__terms *t, const char *first, const char *second)
{
    uint64_t h = MGC__HASH_START;

    if (!t->pool) { /* in a pool everyone's own connection is its own affair: capacity too */
        h = mgc__hash_bytes(h, first, strlen(first) + 1);
        h = mgc__hash_bytes(h, second, strlen(second) + 1);
    }
    h = mgc__hash_uint(h, t->carrier);
    h = mgc__hash_uint(h, t->ordinal);
    h = mgc__hash_uint(h, t->periods);
    h = mgc__hash_double(h, t->hours);
    h = mgc__hash_double(h, t->loss);
    for (uint32_t i = 0; i < t->periods; i++) {
        if (!t->pool) h = mgc__hash_double(h, t->capacity_kw[i]);
        h = mgc__hash_double(h, t->fee[i]);
    }
    for (size_t i = 0; t->agreed_kw != NULL && !t->pool && i < 2 * (size_t)t->periods; i++) h = mgc__hash_double(h, t->agreed_kw[i]);
    return h;
}

/* How many earlier links join the same two members with the same carrier: only own links can. */
static uint32_t find_ordinal(const mgc__terms *t, const mgc__terms *earlier, size_t n)
{
    uint32_t ordinal = 0;

    for (size_t i = 0; i < n; i++) ordinal += earlier[i].carrier == t->carrier && strcmp(earlier[i].neighbour, t->neighbour) == 0;
    return ordinal;
}

/* Mean of the day's prices: only the order of magnitude of the first penalty hangs on it. */
static mgc_status mean_price(const mgc_model *model, const char *id, uint32_t carrier, double *mean)
{
    const mgc_microgrid *site = mgc_model_microgrid(model, id);
    uint32_t periods = mgc_model_periods(model);
    double total = 0, value;

    for (uint32_t t = 0; t < periods; t++) {
        mgc_status st = mgc_microgrid_get(site, carrier == 0 ? "buy_price_per_kwh" : "gas_price_per_kwh", 0, t, &value);
        if (st != MGC_OK) return st;
        total += fabs(value);
    }
    *mean = total > 0 ? total / periods : 0.1;
    return MGC_OK;
}

static mgc_status read_series(mgc_ctx *ctx, const mgc_link *link, const char *key, uint32_t periods, double **series)
{
    *series = mgc__alloc(ctx, periods, sizeof **series);
    if (*series == NULL) return mgc__no_memory(ctx, "bargain: terms of a link");
    for (uint32_t t = 0; t < periods; t++) {
        mgc_status st = mgc_link_get(link, key, t, &(*series)[t]);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

/* --- contracts in force ------------------------------------------------------------------------------------------------------- */

static bool is_open(const mgc__terms *t, uint32_t direction, uint32_t period)
{
    return t->agreed_kw == NULL || isinf(t->agreed_kw[direction * t->periods + period]);
}

static mgc__span flow_span(const mgc__terms *t, uint32_t direction, uint32_t period)
{
    double agreed = is_open(t, direction, period) ? 0 : t->agreed_kw[direction * t->periods + period];

    return is_open(t, direction, period) ? (mgc__span){0, 0, t->capacity_kw[period]} : (mgc__span){agreed, agreed, agreed};
}

void mgc__terms_both(const mgc__terms *t, uint32_t period, mgc__span *ahead, mgc__span *back)
{
    *ahead = flow_span(t, 0, period);
    *back = flow_span(t, 1, period);
}

mgc__span mgc__terms_span(const mgc__terms *t, size_t i)
{
    uint32_t period = (uint32_t)(i % t->periods);
    mgc__span ahead = flow_span(t, 0, period), back = flow_span(t, 1, period);

    if (t->dims == 2) return i < t->periods ? ahead : back;
    return (mgc__span){ahead.base - back.base, ahead.low - back.high, ahead.high - back.low};
}

void mgc__terms_flows(const mgc__terms *t, uint32_t period, double x, double *ahead, double *back)
{
    bool open_ahead = is_open(t, 0, period), open_back = is_open(t, 1, period);

    *ahead = open_ahead ? fmax(x, 0) : t->agreed_kw[period];
    *back = open_back ? fmax(-x, 0) : t->agreed_kw[t->periods + period];
    if (open_ahead && !open_back) *ahead = fmax(x + *back, 0);
    if (!open_ahead && open_back) *back = fmax(*ahead - x, 0);
}

/* What both ends have agreed before: they bargain for the rest. */
static mgc_status read_agreed(mgc_ctx *ctx, const mgc_link *link, mgc__terms *t, const char *id)
{
    static const char *const keys[] = {"agreed_kw", "agreed_back_kw"};
    bool any = false;

    t->agreed_kw = mgc__alloc(ctx, 2 * (size_t)t->periods, sizeof *t->agreed_kw);
    if (t->agreed_kw == NULL) return mgc__no_memory(ctx, "bargain: terms of a link");
    for (uint32_t i = 0; i < 2 * t->periods; i++) {
        double *value = &t->agreed_kw[i], most = t->capacity_kw[i % t->periods];
        mgc_status st = mgc_link_get(link, keys[i / t->periods], i % t->periods, value);
        if (st != MGC_OK) return st;
        if (isinf(*value)) continue;
        any = true;
        if (*value < 0 || *value > most)
            return mgc__fail(ctx, MGC_E_RANGE, "bargain: %s of the link %s-%s is %g kW in period %u; must be 0..%g, its capacity",
                             keys[i / t->periods], id, t->neighbour, *value, i % t->periods, most);
        *value = (double)llround(*value * MGC__KW) / MGC__KW; /* whole mW, as trades are */
    }
    if (any) return MGC_OK;
    mgc__free(ctx, t->agreed_kw);
    t->agreed_kw = NULL;
    return MGC_OK;
}

/* t follows the terms of n earlier links. */
static mgc_status read_one(mgc_ctx *ctx, const mgc_model *model, const char *id, uint32_t index, mgc__terms *t, size_t n)
{
    const mgc_link *link = mgc_model_link_at(model, index);
    const char *first, *second, *carrier;
    mgc_status st = mgc_model_link(model, index, &first, &second, &carrier);

    if (st != MGC_OK) return st;
    t->link = index;
    t->carrier = strcmp(carrier, "heat") == 0;
    t->first = strcmp(first, id) == 0;
    t->periods = mgc_model_periods(model);
    t->hours = mgc_model_hours(model);
    t->neighbour = mgc__strdup(ctx, t->first ? second : first);
    if (t->neighbour == NULL) return mgc__no_memory(ctx, "bargain: terms of a link");
    t->ordinal = find_ordinal(t, t - n, n);
    if (t->ordinal > MGC__ORDINAL_MAX)
        return mgc__fail(ctx, MGC_E_LIMIT, "bargain: more than %d links of one carrier between %s and %s", MGC__ORDINAL_MAX + 1, first,
                         second);
    if ((st = mgc_link_get(link, "loss", 0, &t->loss)) != MGC_OK) return st;
    t->pool = mgc__is_pool(model, t->neighbour);
    t->dims = t->loss > 0 && !t->pool ? 2 : 1;
    if ((st = read_series(ctx, link, "capacity_kw", t->periods, &t->capacity_kw)) != MGC_OK) return st;
    if ((st = read_agreed(ctx, link, t, id)) != MGC_OK) return st;
    if ((st = read_series(ctx, link, "fee_per_kwh", t->periods, &t->fee)) != MGC_OK) return st;
    if ((st = mean_price(model, id, t->carrier, &t->price_scale)) != MGC_OK) return st;
    t->digest = digest(t, first, second);
    return MGC_OK;
}

mgc_status mgc__terms_read(mgc_ctx *ctx, const mgc_model *model, const char *id, mgc__terms **terms, size_t *n)
{
    uint32_t links = mgc_model_links(model);
    mgc__terms *all = mgc__alloc(ctx, links, sizeof *all);
    const char *first, *second, *carrier;
    mgc_status st = MGC_OK;
    size_t count = 0;

    *terms = NULL;
    *n = 0;
    if (all == NULL) return mgc__no_memory(ctx, "bargain: terms of links");
    for (uint32_t i = 0; st == MGC_OK && i < links; i++) {
        st = mgc_model_link(model, i, &first, &second, &carrier);
        if (st != MGC_OK || (strcmp(first, id) != 0 && strcmp(second, id) != 0)) continue;
        st = read_one(ctx, model, id, i, &all[count], count);
        count++;
    }
    if (st != MGC_OK) {
        mgc__terms_free(ctx, all, count);
        return st;
    }
    *terms = all;
    *n = count;
    return MGC_OK;
}
