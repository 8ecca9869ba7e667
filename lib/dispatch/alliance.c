/* SPDX-License-Identifier: Apache-2.0 */
/* The alliance as one program: the members' extensive forms side by side, each with its own ambiguity set, and the
 * columns q of every link shared by its two ends, or by a member and the pool, where what all send is what all take out
 * (doc/math/dispatch.md, "Costs"). */
#include <stdio.h>

#include "dispatch/plan.h"
#include "solver/program_impl.h"

static mgc_status name_column(mgc_program *program, uint32_t column, const char *site, const char *name)
{
    char full[256];

    if (name[0] == '\0') return MGC_OK;
    /* names that the reformulation gives are the same for every member */
    if (strncmp(name, "worst.", 6) != 0) return mgc_program_set_column_name(program, column, name);
    snprintf(full, sizeof full, "%s.%s", site, name);
    return mgc_program_set_column_name(program, column, full);
}

static mgc_status name_row(mgc_program *program, uint32_t row, const char *site, const char *name)
{
    char full[256];

    if (name[0] == '\0') return MGC_OK;
    if (strncmp(name, "worst.", 6) != 0) return mgc_program_set_row_name(program, row, name);
    snprintf(full, sizeof full, "%s.%s", site, name);
    return mgc_program_set_row_name(program, row, full);
}

bool mgc__link_is_pool(const mgc_model *model, const mgc_link *link)
{
    return strcmp(link->second, MGC__POOL_ID) == 0 && mgc_model_microgrid(model, MGC__POOL_ID) == NULL;
}

/* q of every link and direction: 2 * periods columns a link, direction 0 first.  A column's cost is the fee of the ends that
 * the model holds, each half of it. */
static mgc_status add_links(mgc_program *program, const mgc_model *model, bool named)
{
    char name[256];
    mgc_status st = MGC_OK;

    for (size_t l = 0; l < model->n_links; l++) {
        const mgc_link *link = model->links[l];
        double share = model->hours * (mgc__link_is_pool(model, link) ? 0.5 : 1);
        for (uint32_t i = 0; st == MGC_OK && i < 2 * model->periods; i++) {
            uint32_t t = i % model->periods, column = 0;
            double agreed = mgc__bag_at(&link->bag, i < model->periods ? LINK_AGREED : LINK_AGREED_BACK, 0, t);
            st = mgc_program_add_column(program, share * mgc__bag_at(&link->bag, LINK_FEE, 0, t), isinf(agreed) ? 0 : agreed,
                                        isinf(agreed) ? mgc__bag_at(&link->bag, LINK_CAPACITY, 0, t) : agreed, &column);
            if (st != MGC_OK || !named) continue;
            snprintf(name, sizeof name, "link-%zu.%s-to-%s.%s[%u]", l, i < model->periods ? link->first : link->second,
                     i < model->periods ? link->second : link->first, link->carrier == CARRIER_HEAT ? "heat" : "electricity", t);
            st = mgc_program_set_column_name(program, column, name);
        }
    }
    return st;
}

/* What all send to the pool in a period is what all take out. */
static mgc_status add_balance(mgc__alliance *a, const mgc_model *model, uint32_t carrier, bool named, uint32_t *column, double *value)
{
    char name[64];
    mgc_status st = MGC_OK;

    for (uint32_t t = 0; st == MGC_OK && t < model->periods; t++) {
        uint32_t row = 0;
        size_t n = 0;
        for (size_t l = 0; l < model->n_links; l++) {
            uint32_t ahead = (uint32_t)l * 2 * model->periods + t;
            if (model->links[l]->carrier != carrier || !mgc__link_is_pool(model, model->links[l])) continue;
            column[n] = ahead;
            value[n++] = 1;
            column[n] = ahead + model->periods;
            value[n++] = -1;
        }
        if (n == 0) return MGC_OK;
        st = mgc_program_add_row(a->program, 0, 0, column, value, n, &row);
        if (t == 0) a->pool_row[carrier] = row;
        if (st != MGC_OK || !named) continue;
        snprintf(name, sizeof name, "pool.%s[%u]", carrier == CARRIER_HEAT ? "heat" : "electricity", t);
        st = mgc_program_set_row_name(a->program, row, name);
    }
    return st;
}

static mgc_status add_pool(mgc__alliance *a, const mgc_model *model, bool named)
{
    uint32_t *column = mgc__alloc(a->ctx, 2 * model->n_links, sizeof *column);
    double *value = mgc__alloc(a->ctx, 2 * model->n_links, sizeof *value);
    mgc_status st = column == NULL || value == NULL ? mgc__no_memory(a->ctx, "dispatch: a pool") : MGC_OK;

    for (uint32_t c = 0; st == MGC_OK && c < MGC__COUNT(a->pool_row); c++) st = add_balance(a, model, c, named, column, value);
    mgc__free(a->ctx, column);
    mgc__free(a->ctx, value);
    return st;
}

/* Trade columns of a site lead to its links' columns; every other column becomes a new one. */
static mgc_status map_columns(mgc__alliance *a, const mgc__site *site, const mgc_program *part, uint32_t *map)
{
    const mgc__shape *s = site->shape;
    mgc_status st = MGC_OK;

    memset(map, 0xff, part->n * sizeof *map); /* PLACE_NONE */
    for (size_t i = 0; i < s->n_trades; i++) {
        const mgc__trade *trade = &s->trades[i];
        uint32_t ahead = trade->link * 2 * s->periods, back = ahead + s->periods;
        for (uint32_t t = 0; t < s->periods; t++) {
            map[trade->out[t]] = (trade->first != 0 ? ahead : back) + t;
            map[trade->in[t]] = (trade->first != 0 ? back : ahead) + t;
        }
    }
    for (uint32_t j = 0; st == MGC_OK && j < part->n; j++) {
        if (map[j] != PLACE_NONE) continue;
        st = mgc_program_add_column(a->program, part->cost[j], part->lower[j], part->upper[j], &map[j]);
        if (st == MGC_OK && part->integer[j]) st = mgc_program_set_integer(a->program, map[j], 1);
        if (st == MGC_OK) st = name_column(a->program, map[j], s->site->id, mgc_program_column_name(part, j));
    }
    return st;
}

static mgc_status add_part(mgc__alliance *a, size_t index, const mgc__site *site, mgc_program *part)
{
    mgc__csc rows = {.start = NULL}; /* the matrix by rows, its columns led through the map */
    mgc__qp qp;
    mgc_status st = mgc__program_compile(part);

    a->row[index] = a->program->m;
    a->column[index] = mgc__alloc(a->ctx, part->n, sizeof **a->column);
    if (st == MGC_OK && a->column[index] == NULL) st = mgc__no_memory(a->ctx, "dispatch: the alliance");
    if (st == MGC_OK) st = map_columns(a, site, part, a->column[index]);
    if (st == MGC_OK) {
        mgc__program_qp(part, &qp);
        st = mgc__csc_transpose(a->ctx, qp.a, &rows, NULL);
    }
    for (size_t e = 0; st == MGC_OK && e < rows.start[part->m]; e++) rows.row[e] = a->column[index][rows.row[e]];
    for (uint32_t i = 0; st == MGC_OK && i < part->m; i++) {
        uint32_t row = 0;
        st = mgc_program_add_row(a->program, part->row_lower[i], part->row_upper[i], rows.row + rows.start[i],
                                 rows.value + rows.start[i], rows.start[i + 1] - rows.start[i], &row);
        if (st == MGC_OK) st = name_row(a->program, row, site->shape->site->id, mgc_program_row_name(part, i));
    }
    mgc__csc_free(a->ctx, &rows);
    return st;
}

mgc_status mgc__alliance_create(mgc_ctx *ctx, const mgc_model *model, mgc__site *const sites[], size_t n, bool named,
                                mgc__alliance *out)
{
    *out = (mgc__alliance){.ctx = ctx, .n = n, .pool_row = {PLACE_NONE, PLACE_NONE}};
    out->column = mgc__alloc(ctx, n, sizeof *out->column);
    out->row = mgc__alloc(ctx, n, sizeof *out->row);
    mgc_status st = out->column == NULL || out->row == NULL ? mgc__no_memory(ctx, "dispatch: the alliance")
                                                            : mgc_program_create(ctx, &out->program);
    if (st == MGC_OK) st = add_links(out->program, model, named);
    for (size_t i = 0; st == MGC_OK && i < n; i++) {
        mgc_program *part = NULL;
        st = mgc_twostage_extensive(sites[i]->ts, &part);
        if (st == MGC_OK) st = add_part(out, i, sites[i], part);
        mgc_program_destroy(part);
    }
    if (st == MGC_OK) st = add_pool(out, model, named);
    if (st != MGC_OK) mgc__alliance_free(out);
    return st;
}

void mgc__alliance_free(mgc__alliance *a)
{
    for (size_t i = 0; a->column != NULL && i < a->n; i++) mgc__free(a->ctx, a->column[i]);
    mgc__free(a->ctx, a->column);
    mgc__free(a->ctx, a->row);
    mgc_program_destroy(a->program);
    *a = (mgc__alliance){.ctx = NULL};
}

/* A link must have both its ends here, or one of them be the pool, where all are planned together. */
static mgc_status no_strangers(mgc_ctx *ctx, const mgc_model *model)
{
    for (size_t l = 0; l < model->n_links; l++) {
        const mgc_link *link = model->links[l];
        const char *away = mgc_model_microgrid(model, link->first) == NULL    ? link->first
                           : mgc_model_microgrid(model, link->second) == NULL ? link->second
                                                                              : NULL;
        if (away == link->second && mgc__link_is_pool(model, link)) continue;
        if (away != NULL)
            return mgc__fail(ctx, MGC_E_NOT_FOUND, "dispatch: link %zu joins %s and %s; an alliance is planned whole, and the "
                             "model does not hold %s", l, link->first, link->second, away);
    }
    return MGC_OK;
}

mgc_status mgc__alliance_sites(mgc_ctx *ctx, const mgc_model *model, bool named, bool ambiguity, mgc__site **sites)
{
    mgc_status st = no_strangers(ctx, model);

    for (size_t i = 0; st == MGC_OK && i < model->n_sites; i++)
        st = mgc__site_build(ctx, model, model->sites[i]->id, true, named, ambiguity, &sites[i]);
    return st;
}

mgc_status mgc_model_program(const mgc_model *model, const char *microgrid, mgc_program **out)
{
    mgc__alliance alliance;
    mgc__site *site = NULL, **sites;

    if (out != NULL) *out = NULL;
    if (model == NULL || out == NULL) return MGC_E_INVALID_ARG;
    mgc_ctx *ctx = model->ctx;
    mgc_status st = mgc_model_check(model, NULL, NULL);
    if (st != MGC_OK) return st;
    if (microgrid != NULL) {
        st = mgc__site_build(ctx, model, microgrid, false, true, true, &site);
        if (st == MGC_OK) st = mgc_twostage_extensive(site->ts, out);
        mgc__site_destroy(site);
        if (st == MGC_OK) st = mgc_program_set_name(*out, microgrid);
        return st;
    }
    sites = mgc__alloc(ctx, model->n_sites, sizeof *sites);
    if (sites == NULL) return mgc__no_memory(ctx, "dispatch: the alliance");
    st = mgc__alliance_sites(ctx, model, true, true, sites);
    if (st == MGC_OK) st = mgc__alliance_create(ctx, model, sites, model->n_sites, true, &alliance);
    for (size_t i = 0; i < model->n_sites; i++) mgc__site_destroy(sites[i]);
    mgc__free(ctx, sites);
    if (st != MGC_OK) return st;
    st = mgc_program_set_name(alliance.program, "alliance");
    if (st == MGC_OK) {
        *out = alliance.program;
        alliance.program = NULL;
    }
    mgc__alliance_free(&alliance);
    return st;
}
