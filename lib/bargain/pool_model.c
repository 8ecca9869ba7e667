/* SPDX-License-Identifier: Apache-2.0 */
/* From links between members to connections with the pool.  Where every two members are joined by links of one loss and fee
 * that never bind, both have the same optimum: any surplus and need of a period can be sent directly. */
#include <math.h>

#include "bargain/pool.h"
#include "dispatch/model.h"

static const char *const carriers[] = {"electricity", "heat"};

bool mgc__is_pool(const mgc_model *model, const char *id)
{
    return strcmp(id, MGC__POOL_ID) == 0 && mgc_model_microgrid(model, id) == NULL;
}

bool mgc__model_has_pool(const mgc_model *model)
{
    const char *first, *second, *carrier;

    for (uint32_t i = 0; i < mgc_model_links(model); i++)
        if (mgc_model_link(model, i, &first, &second, &carrier) == MGC_OK && (mgc__is_pool(model, first) || mgc__is_pool(model, second)))
            return true;
    return false;
}

/* What all links of a carrier have alike, and one member's share of their capacity. */
typedef struct lane {
    uint32_t links, like; /* of the carrier; the first of them */
    double loss, *fee, *capacity;
} lane;

static mgc_status same_number(mgc_ctx *ctx, const lane *l, uint32_t link, const char *key, uint32_t t, double have, double want)
{
    if (have == want) return MGC_OK;
    return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: %s of link %u is %g in period %u, of link %u %g; a pool has one for all members",
                     key, link, have, t, l->like, want);
}

static mgc_status not_agreed(mgc_ctx *ctx, const mgc_link *link, uint32_t index, uint32_t t)
{
    static const char *const keys[] = {"agreed_kw", "agreed_back_kw"};

    for (int i = 0; i < 2; i++) {
        double value;
        mgc_status st = mgc_link_get(link, keys[i], t, &value);
        if (st != MGC_OK) return st;
        if (!isinf(value))
            return mgc__fail(ctx, MGC_E_UNSUPPORTED, "bargain: %s of link %u is %g kW in period %u; a contract of two members is none with "
                             "the pool: bargain over links, or leave it out", keys[i], index, value, t);
    }
    return MGC_OK;
}

/* Capacity NULL: only compare with the first link of the carrier. */
static mgc_status read_link(const mgc_model *model, uint32_t index, lane *l, double *capacity)
{
    const mgc_link *link = mgc_model_link_at(model, index);
    double loss, value;
    mgc_status st = mgc_link_get(link, "loss", 0, &loss);

    if (st == MGC_OK && l->links++ == 0) {
        l->loss = loss;
        l->like = index;
        for (uint32_t t = 0; st == MGC_OK && t < model->periods; t++) st = mgc_link_get(link, "fee_per_kwh", t, &l->fee[t]);
    }
    if (st == MGC_OK) st = same_number(model->ctx, l, index, "loss", 0, loss, l->loss);
    for (uint32_t t = 0; st == MGC_OK && t < model->periods; t++) {
        st = mgc_link_get(link, "fee_per_kwh", t, &value);
        if (st == MGC_OK) st = same_number(model->ctx, l, index, "fee_per_kwh", t, value, l->fee[t]);
        if (st == MGC_OK) st = not_agreed(model->ctx, link, index, t);
        if (st == MGC_OK) st = mgc_link_get(link, "capacity_kw", t, &value);
        if (st == MGC_OK && capacity != NULL) capacity[t] += value;
    }
    return st;
}

static mgc_status connect(mgc_model *out, const char *id, const char *carrier, const lane *l, const double *capacity)
{
    mgc_link *link;
    mgc_status st = mgc_model_add_link(out, id, MGC__POOL_ID, carrier, &link);

    if (st == MGC_OK) st = mgc_link_set_series(link, "capacity_kw", capacity, out->periods);
    if (st == MGC_OK) st = mgc_link_set_series(link, "fee_per_kwh", l->fee, out->periods);
    if (st == MGC_OK) st = mgc_link_set_number(link, "loss", l->loss);
    return st;
}

/* In one walk over the links: capacities of all members, [member][period]. */
static mgc_status add_carrier(const mgc_model *model, mgc_model *out, uint32_t carrier, lane *l)
{
    double *capacity = mgc__alloc(model->ctx, model->n_sites * (size_t)model->periods, sizeof *capacity);
    bool *linked = mgc__alloc(model->ctx, model->n_sites, sizeof *linked);
    mgc_status st = capacity == NULL || linked == NULL ? mgc__no_memory(model->ctx, "bargain: a pool") : MGC_OK;

    l->links = 0;
    for (uint32_t i = 0; st == MGC_OK && i < model->n_links; i++) {
        const mgc_link *link = model->links[i];
        bool read = false;
        if (link->carrier != carrier) continue;
        for (size_t k = 0; st == MGC_OK && k < model->n_sites; k++) {
            const char *id = model->sites[k]->id;
            if (strcmp(link->first, id) != 0 && strcmp(link->second, id) != 0) continue;
            st = read_link(model, i, l, capacity + k * model->periods);
            linked[k] = read = true;
        }
        if (st == MGC_OK && !read) st = read_link(model, i, l, NULL);
    }
    for (size_t k = 0; st == MGC_OK && k < model->n_sites; k++)
        if (linked[k]) st = connect(out, model->sites[k]->id, carriers[carrier], l, capacity + k * model->periods);
    mgc__free(model->ctx, capacity);
    mgc__free(model->ctx, linked);
    return st;
}

/* Connections of all carriers into `out`, which has no links. */
static mgc_status add_connections(const mgc_model *model, mgc_model *out)
{
    lane l = {.fee = mgc__alloc(model->ctx, model->periods, sizeof *l.fee)};
    mgc_status st = l.fee == NULL ? mgc__no_memory(model->ctx, "bargain: a pool") : MGC_OK;

    for (uint32_t c = 0; st == MGC_OK && c < MGC__COUNT(carriers); c++) st = add_carrier(model, out, c, &l);
    mgc__free(model->ctx, l.fee);
    return st;
}

mgc_status mgc__pool_model(const mgc_model *model, mgc_model **out)
{
    mgc_status st;

    *out = NULL;
    if (mgc_model_microgrid(model, MGC__POOL_ID) != NULL)
        return mgc__fail(model->ctx, MGC_E_INVALID_ARG, "bargain: a member is called %s, which is the name of the pool", MGC__POOL_ID);
    if ((st = mgc__model_copy(model->ctx, model, NULL, out)) != MGC_OK) return st;
    if (mgc__model_has_pool(model)) return MGC_OK;
    mgc__model_drop_links(*out);
    if ((st = add_connections(model, *out)) == MGC_OK) return MGC_OK;
    mgc_model_destroy(*out);
    *out = NULL;
    return st;
}

mgc_status mgc_pool_links(mgc_model *model)
{
    mgc_model *pool;
    mgc_status st;

    if (model == NULL) return MGC_E_INVALID_ARG;
    if (mgc__model_has_pool(model)) return MGC_OK;
    if ((st = mgc__pool_model(model, &pool)) != MGC_OK) return st;
    mgc__model_swap_links(model, pool);
    mgc_model_destroy(pool);
    return MGC_OK;
}
