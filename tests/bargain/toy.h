/* SPDX-License-Identifier: Apache-2.0 */
/* Stand-in members with a closed form, and a bus that delays, repeats, reorders and loses by a seed.
 *
 * A toy member has in every period the cost a/2 net^2 + b net of net = demand + what it sends - what it receives; trade is
 * without limit and, but where a world has fees, free, so at the optimum of a connected alliance a net + b is one price for all. */
#ifndef TESTS_BARGAIN_TOY_H
#define TESTS_BARGAIN_TOY_H

#include <check.h>
#include <math.h>
#include <stdio.h>

#include "bargain/agent.h"

enum { TOY_PERIODS = 3, TOY_MEMBERS = 8, TOY_LINKS = 16 };

typedef struct toy {
    size_t ends;
    double sign[TOY_LINKS]; /* +1: the member is first, so x is what it sends */
    double a[TOY_PERIODS], b[TOY_PERIODS], demand[TOY_PERIODS];
    double half_fee[TOY_LINKS]; /* of each end */
    bool impossible;        /* no plan at all */
    double narrow;          /* > 0: no plan with a net beyond it */
    unsigned solves;
} toy;

static double toy_cost(const toy *m, const double *x)
{
    double cost = 0;

    for (size_t t = 0; t < TOY_PERIODS; t++) {
        double net = m->demand[t];
        for (size_t e = 0; x != NULL && e < m->ends; e++) {
            net += m->sign[e] * x[e * TOY_PERIODS + t];
            cost += m->half_fee[e] * fabs(x[e * TOY_PERIODS + t]);
        }
        if (m->narrow > 0 && fabs(net) > m->narrow) return INFINITY;
        cost += 0.5 * m->a[t] * net * net + m->b[t] * net;
    }
    return cost;
}

/* Least cost of all together, by hand: in each period one price with  a net + b = price,  and the nets sum to the demands. */
static inline double toy_least_cost(const toy *member, size_t n)
{
    double cost = 0;

    for (size_t t = 0; t < TOY_PERIODS; t++) {
        double need = 0, soft = 0, shift = 0, price;
        for (size_t i = 0; i < n; i++) {
            need += member[i].demand[t];
            soft += 1 / member[i].a[t];
            shift += member[i].b[t] / member[i].a[t];
        }
        price = (need + shift) / soft;
        for (size_t i = 0; i < n; i++) {
            double net = (price - member[i].b[t]) / member[i].a[t];
            cost += 0.5 * member[i].a[t] * net * net + member[i].b[t] * net;
        }
    }
    return cost;
}

static mgc_status toy_alone(void *self, double *cost, double *bound, uint32_t *outcome)
{
    toy *m = self;

    *cost = *bound = toy_cost(m, NULL);
    *outcome = m->impossible ? MGC_OUTCOME_INFEASIBLE : MGC_OUTCOME_OPTIMAL;
    return MGC_OK;
}

/* Least point of half_fee |x| + pull x + quad/2 x^2. */
static double toy_best(double half_fee, double pull, double quad)
{
    return fabs(pull) <= half_fee ? 0 : -(pull - copysign(half_fee, pull)) / quad;
}

/* Where there are fees: the price g = a net + b by bisection. */
static void toy_propose_with_fees(const toy *m, size_t t, const double *linear, const double *quad, double *x)
{
    double low = -100, high = 100;

    while (high - low > 1e-14) {
        double g = 0.5 * (low + high), net = m->demand[t];
        if (g <= low || g >= high) break;
        for (size_t e = 0; e < m->ends; e++) {
            size_t i = e * TOY_PERIODS + t;
            x[i] = toy_best(m->half_fee[e], linear[i] + m->sign[e] * g, quad[i]);
            net += m->sign[e] * x[i];
        }
        if (m->a[t] * net + m->b[t] > g) low = g;
        else high = g;
    }
}

static bool toy_has_fees(const toy *m)
{
    for (size_t e = 0; e < m->ends; e++)
        if (m->half_fee[e] > 0) return true;
    return false;
}

static mgc_status toy_propose(void *self, const double *linear, const double *quad, double tolerance, double *x, uint32_t *outcome)
{
    toy *m = self;

    (void)tolerance;
    for (size_t t = 0; t < TOY_PERIODS; t++) {
        double pull = 0, soft = 0, g;
        if (toy_has_fees(m)) {
            toy_propose_with_fees(m, t, linear, quad, x);
            continue;
        }
        for (size_t e = 0; e < m->ends; e++) {
            size_t i = e * TOY_PERIODS + t;
            pull += m->sign[e] * linear[i] / quad[i];
            soft += 1 / quad[i];
        }
        g = (m->a[t] * (m->demand[t] - pull) + m->b[t]) / (1 + m->a[t] * soft);
        for (size_t e = 0; e < m->ends; e++) {
            size_t i = e * TOY_PERIODS + t;
            x[i] = -(linear[i] + m->sign[e] * g) / quad[i];
        }
    }
    m->solves++;
    *outcome = MGC_OUTCOME_OPTIMAL;
    return MGC_OK;
}

static mgc_status toy_commit(void *self, const double *linear, const double *quad, uint32_t *outcome)
{
    (void)self, (void)linear, (void)quad;
    *outcome = MGC_OUTCOME_OPTIMAL;
    return MGC_OK;
}

static mgc_status toy_settle(void *self, const double *x, double *cost, uint32_t *outcome)
{
    double c = toy_cost(self, x);

    *outcome = isfinite(c) ? MGC_OUTCOME_OPTIMAL : MGC_OUTCOME_INFEASIBLE;
    if (isfinite(c)) *cost = c;
    return MGC_OK;
}

static mgc_status toy_bound(void *self, const double *linear, double *bound)
{
    (void)self, (void)linear;
    *bound = -INFINITY; /* trade is without limit: nothing to say */
    return MGC_OK;
}

static bool toy_has_integers(void *self)
{
    (void)self;
    return false;
}

static void toy_destroy(void *self)
{
    (void)self;
}

static const mgc__local_ops toy_ops = {toy_alone, toy_propose, toy_commit, toy_settle, toy_bound, toy_bound, toy_has_integers, toy_destroy};

/* Trades and payments, as bytes. */
static inline uint64_t toy_hash_deal(uint64_t h, mgc_agreement a)
{
    return mgc__hash_double(mgc__hash_bytes(h, a.bytes, a.len), a.final_cost);
}

/* --- a world of toys ---------------------------------------------------------------------------------------------------------- */

typedef struct world {
    mgc_ctx *ctx;
    size_t n, links;
    uint32_t first[TOY_LINKS], second[TOY_LINKS];
    toy member[TOY_MEMBERS];
    char id[TOY_MEMBERS][24];
    mgc_agent *agent[TOY_MEMBERS];
    mgc_agent_output last[TOY_MEMBERS];
    mgc_agent_opts opts;
    double weight[TOY_MEMBERS], fee[TOY_LINKS], capacity[TOY_LINKS]; /* of links; capacity 0: 5000 */
    const uint8_t *start[TOY_MEMBERS]; /* state of an earlier run */
    size_t start_len[TOY_MEMBERS];
} world;

static inline void world_init(world *w, size_t n, size_t links, const uint32_t *first, const uint32_t *second, uint64_t seed)
{
    mgc__rng rng;

    memset(w, 0, sizeof *w);
    ck_assert_int_eq(mgc_ctx_create(NULL, &w->ctx), MGC_OK);
    w->n = n;
    w->links = links;
    mgc__rng_seed(&rng, seed);
    for (size_t i = 0; i < n; i++) {
        snprintf(w->id[i], sizeof w->id[i], "m%zu", i);
        w->weight[i] = 1;
        for (size_t t = 0; t < TOY_PERIODS; t++) {
            w->member[i].a[t] = 2e-4 * (0.5 + mgc__rng_unit(&rng));
            w->member[i].b[t] = 0.2 * mgc__rng_unit(&rng);
            w->member[i].demand[t] = 500 * mgc__rng_unit(&rng) - 100;
        }
    }
    for (size_t l = 0; l < links; l++) {
        w->first[l] = first[l];
        w->second[l] = second[l];
        w->member[first[l]].sign[w->member[first[l]].ends++] = 1;
        w->member[second[l]].sign[w->member[second[l]].ends++] = -1;
    }
    mgc_agent_opts_init(&w->opts, sizeof w->opts);
    w->opts.members = (uint32_t)n;
    w->opts.tolerance = 1e-7;
    w->opts.round_limit = 2000;
    w->opts.run = 190716;
}

static void world_terms(const world *w, size_t l, uint32_t end, double *capacity, double *fee, mgc__terms *t)
{
    uint32_t ordinal = 0;

    for (size_t k = 0; k < l; k++)
        ordinal += (w->first[k] == w->first[l] && w->second[k] == w->second[l]) ||
                   (w->first[k] == w->second[l] && w->second[k] == w->first[l]);
    for (size_t i = 0; i < TOY_PERIODS; i++) {
        capacity[i] = w->capacity[l] > 0 ? w->capacity[l] : 5000;
        fee[i] = w->fee[l];
    }
    *t = (mgc__terms){.neighbour = (char *)w->id[end == 0 ? w->second[l] : w->first[l]], .link = (uint32_t)l, .ordinal = ordinal,
                      .first = end == 0, .dims = 1, .periods = TOY_PERIODS, .hours = 1, .capacity_kw = capacity, .fee = fee,
                      .price_scale = 0.1, .digest = 77 + l};
}

static inline void world_agents(world *w)
{
    for (uint32_t i = 0; i < w->n; i++) {
        mgc__terms terms[TOY_LINKS];
        double capacity[TOY_LINKS][TOY_PERIODS], fee[TOY_LINKS][TOY_PERIODS];
        mgc_agent_opts opts = w->opts;
        size_t n = 0;

        for (size_t l = 0; l < w->links; l++)
            if (w->first[l] == i || w->second[l] == i) {
                world_terms(w, l, w->first[l] != i, capacity[l], fee[l], &terms[n]);
                w->member[i].half_fee[n++] = 0.5 * w->fee[l];
            }
        opts.weight = w->weight[i];
        opts.start = w->start[i];
        opts.start_len = w->start_len[i];
        ck_assert_int_eq(mgc__agent_make(w->ctx, w->id[i], terms, n, &toy_ops, &w->member[i], &opts, &w->agent[i]), MGC_OK);
    }
}

static inline void world_free(world *w)
{
    for (size_t i = 0; i < w->n; i++) mgc_agent_destroy(w->agent[i]);
    mgc_ctx_destroy(w->ctx);
}

static size_t world_index(const world *w, const char *id)
{
    size_t i = 0;

    while (i < w->n && strcmp(w->id[i], id) != 0) i++;
    ck_assert_msg(i < w->n, "a message to %s", id);
    return i;
}

/* --- the bus -------------------------------------------------------------------------------------------------------------------- */

typedef struct letter {
    uint64_t at;
    size_t from, to, len;
    uint8_t *bytes;
} letter;

typedef struct bus {
    mgc__rng rng;
    uint32_t delay_ms;          /* each message takes 0..delay_ms: they overtake each other */
    uint32_t repeat, lose, spoil, lie; /* per cent of the messages */
    size_t liar;                /* this member says what serves it, in way liar_way; SIZE_MAX: none */
    uint32_t liar_way;
    size_t silent;              /* this member's messages never arrive; SIZE_MAX: none */
    uint64_t silent_from_ms;
    letter *letters;
    size_t n, cap;
    uint64_t now;
    uint64_t said, letters_said; /* hash and number of everything ever sent, in order */
    void (*inspect)(const uint8_t *bytes, size_t len);
} bus;

/* The sender's own word, well formed, but not what the method says. */
static void bus_lie(bus *b, letter *l)
{
    int64_t values[100];
    mgc__note note;
    mgc__buf buf;
    mgc_ctx *ctx;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    ck_assert_int_eq(mgc__note_read(l->bytes, l->len, &note, values, 100), MGC_OK);
    switch (mgc__rng_below(&b->rng, 7)) {
    case 0: note.calm = mgc__rng_below(&b->rng, 20); break;
    case 1: note.last = mgc__rng_below(&b->rng, 20); break;
    case 2: note.flood[mgc__rng_below(&b->rng, MGC__FLOODS)] = (int64_t)mgc__rng_below(&b->rng, UINT64_C(1) << 62) - (INT64_C(1) << 61); break;
    case 3: note.stage = (uint32_t)mgc__rng_below(&b->rng, 13); break;
    case 4: note.round = (uint32_t)mgc__rng_below(&b->rng, 40); break;
    default:
        for (size_t i = 0; i < note.n; i++)
            values[i] = (int64_t)mgc__rng_below(&b->rng, UINT64_C(1) << (1 + mgc__rng_below(&b->rng, 61))) - INT64_C(1000000);
    }
    mgc__buf_init(&buf, ctx, 100000);
    mgc__note_write(&note, &buf);
    ck_assert_int_eq(buf.status, MGC_OK);
    free(l->bytes);
    l->bytes = malloc(buf.len);
    l->len = buf.len;
    memcpy(l->bytes, buf.bytes, buf.len);
    mgc__buf_free(&buf);
    mgc_ctx_destroy(ctx);
}

/* What a member says who wants more than its share. */
static void bus_cheat(bus *b, mgc__note *note, int64_t *values)
{
    bool trades = note->stage == MGC__STAGE_RELAXED || note->stage == MGC__STAGE_FIXED, pays = note->stage == MGC__STAGE_PAY;

    for (size_t i = 0; i < note->n; i++) switch (b->liar_way) {
        case 0: if (pays) values[i] = INT64_C(1000000000000); break;                    /* give me a thousand */
        case 1: if (pays) values[i] = -INT64_C(1000000000000); break;
        case 2: if (trades) values[i] = values[i] * 2 < INT64_C(5000000000) ? values[i] * 2 : values[i]; break; /* I trade twice as much */
        case 3: if (note->stage == MGC__STAGE_SETTLE) values[i] ^= 1; break;            /* that is not what we agreed */
        case 4: if (pays && note->last != 0 && note->round + 1 >= note->last) values[i] += INT64_C(50000000000); break; /* a last word */
        case 5: if (trades && note->last != 0 && note->round + 1 >= note->last) values[i] = -values[i]; break;
        case 6: if (pays) values[i] += INT64_C(7000000000); break;                      /* always seven more, */
        default: if (pays) values[i] += INT64_C(1000000000) * note->round;              /* always more */
        }
    if (b->liar_way == 0 || b->liar_way == 6) note->calm = note->round;                  /* and all is well */
}

/* The sender's word, said anew. */
static void bus_rewrite(bus *b, letter *l)
{
    int64_t values[100];
    mgc__note note;
    mgc__buf buf;
    mgc_ctx *ctx;

    ck_assert_int_eq(mgc_ctx_create(NULL, &ctx), MGC_OK);
    ck_assert_int_eq(mgc__note_read(l->bytes, l->len, &note, values, 100), MGC_OK);
    bus_cheat(b, &note, values);
    mgc__buf_init(&buf, ctx, 100000);
    mgc__note_write(&note, &buf);
    ck_assert_int_eq(buf.status, MGC_OK);
    free(l->bytes);
    l->bytes = malloc(buf.len);
    l->len = buf.len;
    memcpy(l->bytes, buf.bytes, buf.len);
    mgc__buf_free(&buf);
    mgc_ctx_destroy(ctx);
}

static void bus_send(bus *b, size_t from, size_t to, const uint8_t *bytes, size_t len)
{
    b->said = mgc__hash_bytes(mgc__hash_uint(mgc__hash_uint(b->said, from), to), bytes, len);
    b->letters_said++;
    if (b->inspect != NULL) b->inspect(bytes, len);
    uint32_t copies = 1 + (mgc__rng_below(&b->rng, 100) < b->repeat);

    if (from == b->silent && b->now >= b->silent_from_ms) return;
    for (uint32_t k = 0; k < copies; k++) {
        if (mgc__rng_below(&b->rng, 100) < b->lose) continue;
        if (b->n == b->cap) {
            b->cap = 2 * b->cap + 64;
            b->letters = realloc(b->letters, b->cap * sizeof *b->letters);
        }
        letter *l = &b->letters[b->n++];
        *l = (letter){b->now + mgc__rng_below(&b->rng, b->delay_ms + 1), from, to, len, malloc(len)};
        memcpy(l->bytes, bytes, len);
        if (mgc__rng_below(&b->rng, 100) < b->spoil) l->bytes[mgc__rng_below(&b->rng, len)] ^= (uint8_t)(1 + mgc__rng_below(&b->rng, 255));
        if (mgc__rng_below(&b->rng, 100) < b->lie) bus_lie(b, l);
        if (from == b->liar) bus_rewrite(b, l);
    }
}

static void bus_deliver(bus *b, world *w)
{
    for (size_t i = 0; i < b->n;) {
        letter l = b->letters[i];
        if (l.at > b->now) {
            i++;
            continue;
        }
        ck_assert_int_eq(mgc_agent_receive(w->agent[l.to], b->now, w->id[l.from], l.bytes, l.len), MGC_OK);
        free(l.bytes);
        b->letters[i] = b->letters[--b->n];
    }
}

/* Until nobody runs any more or the time is over; true: all have ended. */
static inline bool bus_run(bus *b, world *w, uint64_t until_ms)
{
    for (; b->now < until_ms; b->now++) {
        bool running = false;
        for (size_t i = 0; i < w->n; i++) {
            mgc_agent_output *out = &w->last[i];
            ck_assert_int_eq(mgc_agent_poll(w->agent[i], b->now, out), MGC_OK);
            for (size_t k = 0; k < out->n_messages; k++)
                bus_send(b, i, world_index(w, out->messages[k].to), out->messages[k].bytes, out->messages[k].len);
            running |= out->state == MGC_AGENT_RUNNING;
        }
        if (!running) return true;
        bus_deliver(b, w);
    }
    return false;
}

static void bus_init(bus *b, uint64_t seed)
{
    memset(b, 0, sizeof *b);
    b->silent = b->liar = SIZE_MAX;
    mgc__rng_seed(&b->rng, seed);
}

static void bus_free(bus *b)
{
    for (size_t i = 0; i < b->n; i++) free(b->letters[i].bytes);
    free(b->letters);
}

#endif
