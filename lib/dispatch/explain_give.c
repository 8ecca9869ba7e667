/* SPDX-License-Identifier: Apache-2.0 */
/* Programs in which one limit of a group gives way by delta_t, and the largest delta_t is minimised: a limit whose program
 * is feasible cures the day by that much (step 2 of explain.c). */
#include "dispatch/explain.h"
#include "solver/program_impl.h"

enum { NODES_MAX = 2000 }; /* of a probe that needs its integers */

/* Column and row of a site's program in the group's. */
uint32_t mgc__group_column(const group *g, size_t site, uint32_t column)
{
    return g->alliance.column[site][column];
}

uint32_t mgc__group_row(const group *g, size_t site, uint32_t row)
{
    return g->alliance.row[site] + row;
}

void mgc__probe_open(const group *g, probe *p)
{
    *p = (probe){.program = NULL};
    p->status = mgc_program_clone(g->alliance.program, &p->program);
}

/* delta_t <= largest.  The largest is what is minimised; the sum breaks ties, so that only the periods that need it move. */
static void begin_probe(const group *g, probe *p)
{
    uint32_t column = 0;

    mgc__probe_open(g, p);
    if (p->status == MGC_OK) p->status = mgc_program_add_column(p->program, 1, 0, (double)INFINITY, &p->largest);
    for (uint32_t t = 0; p->status == MGC_OK && t < g->periods; t++) {
        p->status = mgc_program_add_column(p->program, 1e-3 / g->periods, 0, (double)INFINITY, &column);
        if (t == 0) p->by_period = column;
        if (p->status == MGC_OK)
            p->status = mgc_program_add_row(p->program, -(double)INFINITY, 0, (uint32_t[]){column, p->largest},
                                            (double[]){1, -1}, 2, NULL);
    }
}

/* A new column that may move a row by at most delta_t. */
static void give_row(probe *p, uint32_t row, double sign, uint32_t t)
{
    uint32_t column = 0;

    if (p->status == MGC_OK) p->status = mgc_program_add_column(p->program, 0, 0, (double)INFINITY, &column);
    if (p->status == MGC_OK) p->status = mgc_program_set_coefficient(p->program, row, column, sign);
    if (p->status == MGC_OK)
        p->status = mgc_program_add_row(p->program, -(double)INFINITY, 0, (uint32_t[]){column, p->by_period + t},
                                        (double[]){1, -1}, 2, NULL);
}

/* Move one bound of a column into a row, where delta_t widens it; `rest` bounds the column from then on. */
static void give_bound(probe *p, uint32_t column, bool upper, double rest, uint32_t t)
{
    if (p->status != MGC_OK) return;
    double low = p->program->lower[column], high = p->program->upper[column];
    if (isinf(upper ? high : low)) return;
    p->status = mgc_program_set_bounds(p->program, column, upper ? low : rest, upper ? rest : high);
    if (p->status == MGC_OK)
        p->status = mgc_program_add_row(p->program, upper ? -(double)INFINITY : low, upper ? high : (double)INFINITY,
                                        (uint32_t[]){column, p->by_period + t}, (double[]){1, upper ? -1 : 1}, 2, NULL);
}

mgc_status mgc__probe_solve(const group *g, probe *p, mgc_program_info *info)
{
    mgc_program_opts o;

    mgc_program_opts_init(&o, sizeof o);
    o.relax = g->relax;
    o.gap = 1e-3;
    o.node_limit = NODES_MAX;
    *info = (mgc_program_info){.struct_size = sizeof *info};
    if (p->status == MGC_OK) p->status = mgc_program_solve(p->program, &o, info);
    return p->status;
}

/* --- what may give way ------------------------------------------------------------------------------------------- */

/* A family of a site's scenario columns or rows. */
static void give_columns(const group *g, probe *p, size_t site, uint32_t family, bool upper)
{
    const mgc__shape *s = g->sites[site]->shape;

    for (uint32_t k = 0; k < s->scenarios; k++)
        for (uint32_t t = 0; family != PLACE_NONE && t < s->periods; t++)
            give_bound(p, mgc__group_column(g, site, mgc__column(s, k, family, t)), upper, upper ? (double)INFINITY : -(double)INFINITY, t);
}

static void give_rows(const group *g, probe *p, size_t site, uint32_t family, double sign)
{
    const mgc__shape *s = g->sites[site]->shape;

    for (uint32_t k = 0; k < s->scenarios; k++)
        for (uint32_t t = 0; family != PLACE_NONE && t < s->periods; t++)
            give_row(p, mgc__group_row(g, site, mgc__row(s, k, family, t)), sign, t);
}

static void give_first(const group *g, probe *p, size_t site, uint32_t family)
{
    for (uint32_t t = 0; family != PLACE_NONE && !g->fixed && t < g->periods; t++)
        give_bound(p, mgc__group_column(g, site, family + t), true, (double)INFINITY, t);
}

static void give_grid(const group *g, probe *p, const suspect *x)
{
    const mgc__shape *s = g->sites[x->site]->shape;

    if (x->cause == GIVE_DISTRICT) {
        give_first(g, p, x->site, s->district);
    } else if (x->cause == GIVE_VENTING) {
        give_rows(g, p, x->site, s->row_heat, -1);
    } else {
        give_first(g, p, x->site, x->cause == GIVE_BUY ? s->buy : s->sell);
        give_rows(g, p, x->site, s->row_grid, x->cause == GIVE_BUY ? -1 : 1);
    }
}

/* Both directions of a link; its columns are the program's first. */
static void give_link(const group *g, probe *p, const suspect *x)
{
    for (uint32_t i = 0; i < 2 * g->periods; i++)
        give_bound(p, (uint32_t)x->part * 2 * g->periods + i, true, (double)INFINITY, i % g->periods);
}

static void give_service(const group *g, probe *p, const suspect *x)
{
    const mgc__shape *s = g->sites[x->site]->shape;
    bool heat = s->site->devices[x->device]->bag.slot[LOAD_CARRIER].number == CARRIER_HEAT;

    give_rows(g, p, x->site, heat ? s->row_heat : s->row_electricity, 1);
}

static void give_chp_max(const group *g, probe *p, const suspect *x)
{
    const mgc__shape *s = g->sites[x->site]->shape;
    const mgc__device_shape *d = &s->device[x->device];

    give_columns(g, p, x->site, d->scenario[POWER], true);
    give_rows(g, p, x->site, d->rows[ROW_MAX], -1);
    for (uint32_t k = 0; d->scenario[HEAT] != PLACE_NONE && k < s->scenarios; k++)
        for (uint32_t t = 0; p->status == MGC_OK && t < s->periods; t++) /* bounded by the power that gives it */
            p->status = mgc_program_set_bounds(p->program, mgc__group_column(g, x->site, mgc__column(s, k, d->scenario[HEAT], t)), 0,
                                               (double)INFINITY);
}

static void give_storage(const group *g, probe *p, const suspect *x)
{
    const mgc__shape *s = g->sites[x->site]->shape;
    const mgc__device_shape *d = &s->device[x->device];

    switch (x->cause) {
    case GIVE_CHARGE:
        give_columns(g, p, x->site, d->scenario[CHARGE], true);
        give_rows(g, p, x->site, d->rows[ROW_CHARGE], -1);
        break;
    case GIVE_DISCHARGE:
        give_columns(g, p, x->site, d->scenario[DISCHARGE], true);
        give_rows(g, p, x->site, d->rows[ROW_DISCHARGE], -1);
        break;
    case GIVE_CAPACITY: give_columns(g, p, x->site, d->scenario[ENERGY], true); break;
    default:
        for (uint32_t k = 0; k < s->scenarios; k++)
            give_bound(p, mgc__group_column(g, x->site, mgc__column(s, k, d->scenario[ENERGY], s->periods - 1)), false,
                       mgc__device_number(s->site->devices[x->device], STO_MIN), s->periods - 1);
    }
}

static void give_linear(const group *g, probe *p, const suspect *x)
{
    const mgc__shape *s = g->sites[x->site]->shape;
    const mgc_device *d = s->site->devices[x->device];
    uint32_t row = s->device[x->device].rows[ROW_CONSTRAINTS];

    if (x->cause != GIVE_CONSTRAINT) {
        give_columns(g, p, x->site, s->device[x->device].scenario[VARIABLES] + (uint32_t)x->part * s->periods,
                     x->cause == GIVE_UPPER);
        return;
    }
    for (size_t i = 0; i < x->part; i++) row += s->periods - (mgc__constraint_looks_back(d, i) ? 1 : 0);
    for (uint32_t k = 0; k < s->scenarios; k++)
        for (uint32_t t = mgc__constraint_looks_back(d, x->part) ? 1 : 0, i = 0; t < s->periods; t++, i++) {
            give_row(p, mgc__group_row(g, x->site, mgc__row(s, k, row, i)), 1, t);
            give_row(p, mgc__group_row(g, x->site, mgc__row(s, k, row, i)), -1, t);
        }
}

static void give(const group *g, probe *p, const suspect *x)
{
    const mgc__device_shape *d = &g->sites[x->site]->shape->device[x->device];

    switch (x->cause) {
    case GIVE_BUY:
    case GIVE_SELL:
    case GIVE_DISTRICT:
    case GIVE_VENTING: give_grid(g, p, x); break;
    case GIVE_LINK: give_link(g, p, x); break;
    case GIVE_SERVICE: give_service(g, p, x); break;
    case GIVE_MAX:
        if (g->sites[x->site]->shape->site->devices[x->device]->type == TYPE_CHP) give_chp_max(g, p, x);
        else give_columns(g, p, x->site, d->scenario[0], true);
        break;
    case GIVE_MIN: give_rows(g, p, x->site, d->rows[ROW_MIN], 1); break;
    case GIVE_RAMP:
        give_rows(g, p, x->site, d->rows[ROW_UP], -1);
        give_rows(g, p, x->site, d->rows[ROW_DOWN], -1);
        break;
    case GIVE_CHARGE:
    case GIVE_DISCHARGE:
    case GIVE_CAPACITY:
    case GIVE_FINAL: give_storage(g, p, x); break;
    case GIVE_LOWER:
    case GIVE_UPPER:
    case GIVE_CONSTRAINT: give_linear(g, p, x); break;
    }
}

mgc_status mgc__suspect_question(const group *g, suspect *x)
{
    probe p;
    mgc_program_info info;
    double *point = NULL;

    x->amount = (double)INFINITY;
    begin_probe(g, &p);
    if (p.status == MGC_OK) give(g, &p, x);
    mgc_status st = mgc__probe_solve(g, &p, &info);
    uint32_t n = st == MGC_OK ? mgc_program_columns(p.program) : 0;
    if (st == MGC_OK && (info.outcome == MGC_OUTCOME_OPTIMAL || info.outcome == MGC_OUTCOME_LIMIT)) {
        point = mgc__alloc(g->plan->ctx, n, sizeof *point);
        if (point == NULL) st = mgc__no_memory(g->plan->ctx, "dispatch: an explanation");
        else if (info.primal_residual < 1e-5 && mgc_program_get_x(p.program, point, n) == MGC_OK) {
            x->amount = point[p.largest];
            memcpy(x->profile, point + p.by_period, g->periods * sizeof *point);
        }
        mgc__free(g->plan->ctx, point);
    }
    mgc_program_destroy(p.program);
    return st;
}
