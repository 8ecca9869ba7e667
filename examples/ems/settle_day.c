/* SPDX-License-Identifier: Apache-2.0 */
#include "settle_day.h"

#include <stdio.h>

#include "../toy_key.h"

enum { KEYS_MAX = 32 };
#define DAY_MS UINT64_C(86400000)

struct keys {
    mgc_ctx *ctx;
    struct {
        uint32_t member;
        mgc_key *key;
    } of[KEYS_MAX];
    size_t n;
};

/* Whoever signs: manager, meters, market operator ...  Here one program has all keys; in an alliance each asks its
 * owner. */
static const mgc_key *key_of(void *user, uint32_t member)
{
    struct keys *keys = user;

    for (size_t i = 0; i < keys->n; i++)
        if (keys->of[i].member == member) return keys->of[i].key;
    if (keys->n == KEYS_MAX || toy_key(keys->ctx, member, &keys->of[keys->n].key) != MGC_OK) return NULL;
    keys->of[keys->n].member = member;
    return keys->of[keys->n++].key;
}

/* The day hands out its transactions signed and in order, each with the time at which it is due; a plant waits for
 * that time, here it passes at once.  A refusal is an answer that must be looked at. */
static mgc_status hand_in(mgc_node *node, mgc_day *day)
{
    mgc_day_tx tx = {.struct_size = sizeof tx};
    mgc_ticket_info info = {.struct_size = sizeof info};
    uint64_t ticket;
    mgc_status st;

    while ((st = mgc_day_next(day, MGC_DAY_END, &tx)) == MGC_OK) {
        TRY(mgc_node_submit(node, tx.bytes, tx.len, &ticket));
        TRY(mgc_node_flush(node, tx.due_ms));
        TRY(mgc_ticket_state(node, ticket, &info));
        if (info.state == MGC_TICKET_COMMITTED) continue;
        fprintf(stderr, "%s: %s (%s)\n", tx.method, info.rule, mgc_status_name(info.status));
        return info.status;
    }
    return st == MGC_E_NOT_FOUND ? MGC_OK : st; /* none is left */
}

/* What the ledger says, slot by slot: grid_micro for what was bought, imbalance_micro for what deviated from it. */
static mgc_status ask(mgc_node *node, double *cost)
{
    mgc_rows *rows;
    const mgc_row *row;
    int64_t micro = 0;

    TRY(mgc_node_query(node, MGC_DAY_REGULATOR, "settlement", NULL, &rows));
    while (mgc_rows_next(rows, &row) == MGC_ROW)
        micro += mgc_row_int(row, "grid_micro") + mgc_row_int(row, "imbalance_micro");
    mgc_rows_destroy(rows);
    *cost = (double)micro / 1e6;
    return MGC_OK;
}

static mgc_status book(struct keys *keys, mgc_node *node, const mgc_model *model, uint64_t start_ms,
                       const double *bought_kw, const double *sold_kw, const double *metered_kw, double *cost)
{
    mgc_chain_info chain = {.struct_size = sizeof chain};
    mgc_day_opts opts;
    mgc_day *day = NULL;

    TRY(mgc_chain_get_info(mgc_node_chain(node, MGC_CONTRACT_INFORMATION), &chain));
    mgc_day_opts_init(&opts, sizeof opts);
    opts.information = (mgc_day_chain){chain.chain_id, chain.height};
    opts.start_ms = start_ms;
    opts.key = key_of;
    opts.user = keys;
    mgc_status st = mgc_day_create(keys->ctx, model, &opts, &day);
    /* Powers become whole Wh here, with the day's total kept: the one door from measured numbers to booked ones. */
    if (st == MGC_OK) st = mgc_day_set_grid(day, 0, MGC_CARRIER_ELECTRICITY, bought_kw, sold_kw);
    if (st == MGC_OK) st = mgc_day_set_metered(day, 0, MGC_CARRIER_ELECTRICITY, metered_kw);
    if (st == MGC_OK) st = hand_in(node, day);
    if (st == MGC_OK) st = ask(node, cost);
    mgc_day_destroy(day);
    return st;
}

mgc_status settle_day(mgc_ctx *ctx, const char *folder, const mgc_model *model, uint64_t start_ms,
                      const double *bought_kw, const double *sold_kw, const double *metered_kw, double *cost)
{
    struct keys keys = {.ctx = ctx};
    mgc_storage_ops ops;
    mgc_node_opts opts;
    mgc_node *node = NULL;
    void *store = NULL;

    mgc_status st = mgc_storage_files(ctx, folder, 1, &ops, &store);
    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.key = key_of(&keys, MGC_DAY_VALIDATOR);
    opts.genesis_time_ms = start_ms - 2 * DAY_MS;
    if (st == MGC_OK) st = mgc_node_create(ctx, &opts, &node);
    if (st == MGC_OK) st = mgc_node_set_storage(node, &ops, store);
    if (st == MGC_OK) st = mgc_node_start(node);
    if (st == MGC_OK) st = book(&keys, node, model, start_ms, bought_kw, sold_kw, metered_kw, cost);
    mgc_node_destroy(node);
    mgc_storage_files_destroy(store);
    for (size_t i = 0; i < keys.n; i++) mgc_key_destroy(keys.of[i].key);
    return st;
}
