/* SPDX-License-Identifier: Apache-2.0 */
/* Stand-in members of a pool, each with one connection (toy.h). */
#ifndef TESTS_BARGAIN_CROWD_H
#define TESTS_BARGAIN_CROWD_H

#include "bargain/pool.h"
#include "toy.h"

enum { POOL_MOST = 40 };

/* Members of a pool: each has one connection. */
typedef struct crowd {
    mgc_ctx *ctx;
    size_t n;
    toy member[POOL_MOST];
    char id[POOL_MOST][16];
    mgc_agent *agent[POOL_MOST];
    mgc_agent_output last[POOL_MOST];
    mgc_agent_opts opts;
    double weight[POOL_MOST], capacity, fee[POOL_MOST];
    uint8_t secret[POOL_MOST][MGC__POOL_SEED];
    bool masks;
    uint32_t children;
    const uint8_t *start;
    size_t start_len;
} crowd;

static void crowd_init(crowd *c, size_t n, uint64_t seed)
{
    mgc__rng rng;

    memset(c, 0, sizeof *c);
    ck_assert_int_eq(mgc_ctx_create(NULL, &c->ctx), MGC_OK);
    c->n = n;
    c->capacity = 5000;
    c->children = 2;
    c->masks = true;
    mgc__rng_seed(&rng, seed);
    for (size_t i = 0; i < n; i++) {
        snprintf(c->id[i], sizeof c->id[i], "m%02zu", (i * 7 + 3) % 100);
        c->weight[i] = 1;
        c->member[i].sign[0] = 1;
        c->member[i].ends = 1;
        for (size_t k = 0; k < MGC__POOL_SEED; k++) c->secret[i][k] = (uint8_t)mgc__rng_below(&rng, 256);
        for (size_t t = 0; t < TOY_PERIODS; t++) {
            c->member[i].a[t] = 2e-4 * (0.5 + mgc__rng_unit(&rng));
            c->member[i].b[t] = 0.2 * mgc__rng_unit(&rng);
            c->member[i].demand[t] = 500 * mgc__rng_unit(&rng) - 100;
        }
    }
    mgc_agent_opts_init(&c->opts, sizeof c->opts);
    c->opts.members = 1;
    c->opts.tolerance = 1e-8;
    c->opts.round_limit = 2000;
    c->opts.run = 190716;
    c->opts.deadline_ms = 400;
    c->opts.resend_ms = 20;
    c->opts.keep_log = 1;
}

static void crowd_agent(crowd *c, size_t i)
{
    const char *roster[POOL_MOST];
    double capacity[TOY_PERIODS], fee[TOY_PERIODS];
    mgc__terms terms = {.neighbour = (char *)MGC__POOL_ID, .first = true, .pool = true, .dims = 1, .periods = TOY_PERIODS, .hours = 1,
                        .capacity_kw = capacity, .fee = fee, .price_scale = 0.1};
    mgc_agent_opts o = c->opts;

    for (size_t t = 0; t < TOY_PERIODS; t++) {
        capacity[t] = c->capacity;
        fee[t] = c->fee[i];
    }
    terms.digest = 5 + (uint64_t)(1000 * c->fee[i]);
    for (size_t k = 0; k < c->n; k++) roster[k] = c->id[(k + i) % c->n]; /* any order will do */
    o.weight = c->weight[i];
    ck_assert_int_eq(mgc__agent_make(c->ctx, c->id[i], &terms, 1, &toy_ops, &c->member[i], &o, &c->agent[i]), MGC_OK);
    ck_assert_int_eq(mgc__pool_attach(c->agent[i], roster, c->n, c->masks ? c->secret[i] : NULL, c->children), MGC_OK);
    if (c->start != NULL) ck_assert_int_eq(mgc__pool_start_read(c->agent[i], c->start, c->start_len), MGC_OK);
}

static void crowd_agents(crowd *c)
{
    for (size_t i = 0; i < c->n; i++) crowd_agent(c, i);
}

static void crowd_free(crowd *c)
{
    for (size_t i = 0; i < c->n; i++) mgc_agent_destroy(c->agent[i]);
    mgc_ctx_destroy(c->ctx);
}

static size_t crowd_index(const crowd *c, const char *id)
{
    size_t i = 0;

    while (i < c->n && strcmp(c->id[i], id) != 0) i++;
    ck_assert_msg(i < c->n, "a message to %s", id);
    return i;
}

#endif
