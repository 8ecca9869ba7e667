/* SPDX-License-Identifier: Apache-2.0 */
/* The direct reformulation, doc/math/robust.md (6): the dual of the worst case over transfers,
 *
 *     max { p'Q : p in (T) }  =  min  sum_k low_k Q_k + (sum_k down_k) alpha + sum_k down_k excess_k
 *                                     + budget beta + sum_k up_k over_k
 *                                s.t. excess_k >= Q_k - alpha, over_k >= excess_k - beta, excess, over, beta >= 0
 *
 * in which Q_k may stand as d_k'y_k, because every term rises with it.  Each scenario keeps a block of its own, with
 * its y_k, excess_k and over_k; only alpha and beta join the first stage as links.  What a set lacks is left out:
 *   no budget    beta and over go; excess costs down_k + up_k
 *   no cap       over goes; excess_k <= beta
 *   neither      beta, over and excess go; d_k'y_k <= alpha (the whole simplex)
 * and (7), the dual of the Wasserstein ball alone or intersected with transfers:
 *
 *     max = min  radius lambda + sum_k p0_k source_k + (the above for Q_k - share_k; alone: Q_k <= share_k)
 *           s.t. share_l - lambda distance_kl - source_k <= 0, lambda >= 0 */
#include <math.h>
#include <stdio.h>

#include "robust/robust.h"
#include "solver/program_impl.h"

void mgc__direct_drop(mgc_twostage *ts)
{
    mgc_program_destroy(ts->direct.program);
    ts->direct = (mgc__direct){.program = NULL};
}

/* --- what both ways share ---------------------------------------------------------------------------------------- */

static mgc_status copy_column(const mgc_twostage *ts, uint32_t j, const double *weight, mgc_program *program)
{
    const mgc__ts_column *c = &ts->columns[j];
    double w = c->stage == MGC_FIRST_STAGE ? 1 : weight[c->stage - 1];
    mgc_status st = mgc_program_add_column(program, w * c->cost, c->lower, c->upper, NULL);

    if (st == MGC_OK && c->integer) st = mgc_program_set_integer(program, j, 1);
    if (st == MGC_OK && c->name != NULL) st = mgc_program_set_column_name(program, j, c->name);
    return st;
}

static mgc_status copy_row(const mgc_twostage *ts, uint32_t i, mgc_program *program)
{
    const mgc__ts_row *r = &ts->rows[i];
    mgc_status st = mgc_program_add_row(program, r->lower, r->upper, ts->entry_column + r->start,
                                        ts->entry_value + r->start, r->n, NULL);

    if (st == MGC_OK && r->name != NULL) st = mgc_program_set_row_name(program, i, r->name);
    return st;
}

mgc_status mgc__ts_copy(const mgc_twostage *ts, const double *weight, mgc_program *program)
{
    mgc_status st = mgc_program_set_offset(program, ts->offset);

    for (uint32_t j = 0; j < ts->n && st == MGC_OK; j++) st = copy_column(ts, j, weight, program);
    for (uint32_t i = 0; i < ts->m && st == MGC_OK; i++) st = copy_row(ts, i, program);
    for (size_t q = 0; q < ts->n_quads && st == MGC_OK; q++)
        st = mgc_program_set_quadratic(program, ts->quads[q].i, ts->quads[q].j, ts->quads[q].value);
    return st;
}

mgc_status mgc__ts_tell_blocks(const mgc_twostage *ts, const uint32_t *run, size_t runs, mgc_program *program)
{
    uint32_t n = mgc_program_columns(program), *block = mgc__alloc(ts->ctx, n, sizeof *block);
    mgc_status st;

    if (block == NULL) return mgc__no_memory(ts->ctx, "the blocks of the scenarios");
    for (uint32_t j = 0; j < ts->n; j++) block[j] = ts->columns[j].stage; /* 0: the first stage joins them */
    for (size_t r = 0; r < runs; r++)
        for (uint32_t k = 0; run[r] != UINT32_MAX && k < ts->scenarios; k++) block[run[r] + k] = k + 1;
    st = mgc__program_set_blocks(program, block, n);
    mgc__free(ts->ctx, block);
    return st;
}

mgc_status mgc__ts_costed(const mgc_twostage *ts, size_t **start, uint32_t **list)
{
    *start = mgc__alloc(ts->ctx, (size_t)ts->scenarios + 2, sizeof **start);
    *list = mgc__alloc(ts->ctx, ts->n, sizeof **list);
    if (*start == NULL || *list == NULL) {
        mgc__free(ts->ctx, *start);
        mgc__free(ts->ctx, *list);
        *start = NULL;
        *list = NULL;
        return mgc__no_memory(ts->ctx, "the costs of the scenarios");
    }
    /* Counting sort by scenario; start is shifted by one while it is filled. */
    for (uint32_t j = 0; j < ts->n; j++)
        if (ts->columns[j].stage != MGC_FIRST_STAGE && ts->columns[j].cost != 0) (*start)[ts->columns[j].stage + 1]++;
    for (uint32_t k = 0; k <= ts->scenarios; k++) (*start)[k + 1] += (*start)[k];
    for (uint32_t j = 0; j < ts->n; j++)
        if (ts->columns[j].stage != MGC_FIRST_STAGE && ts->columns[j].cost != 0)
            (*list)[(*start)[ts->columns[j].stage]++] = j;
    return MGC_OK;
}

/* --- the reformulation ------------------------------------------------------------------------------------------- */

typedef struct dual_columns {
    uint32_t alpha, beta;   /* beta UINT32_MAX where there is no budget */
    uint32_t excess, over;  /* + k; UINT32_MAX where there is none */
    uint32_t share, source, lambda; /* Wasserstein: + k, + k, one; UINT32_MAX where there is none */
} dual_columns;

/* k UINT32_MAX: the column is no scenario's */
static mgc_status add_named(mgc_program *program, double cost, double lower, const char *what, uint32_t k,
                            uint32_t *column)
{
    char name[48];
    uint32_t at = 0;
    mgc_status st = mgc_program_add_column(program, cost, lower, INFINITY, &at);

    if (k == UINT32_MAX)
        snprintf(name, sizeof name, "worst.%s", what);
    else
        snprintf(name, sizeof name, "worst.%s.%u", what, k);
    if (st == MGC_OK) st = mgc_program_set_column_name(program, at, name);
    if (st == MGC_OK && column != NULL) *column = at;
    return st;
}

static mgc_status add_dual_columns(const mgc_twostage *ts, const mgc__transfer *t, mgc_program *program,
                                   dual_columns *c)
{
    bool budget = t->budget < INFINITY;
    double movable = 0;
    mgc_status st;

    for (uint32_t k = 0; k < ts->scenarios; k++) movable += t->down[k];
    st = add_named(program, movable, -INFINITY, "alpha", UINT32_MAX, &c->alpha);
    if (st == MGC_OK && budget) st = add_named(program, t->budget, 0, "beta", UINT32_MAX, &c->beta);
    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK && (budget || t->capped); k++)
        st = add_named(program, t->down[k] + (budget ? 0 : t->up[k]), 0, "excess", k, k == 0 ? &c->excess : NULL);
    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK && budget && t->capped; k++)
        st = add_named(program, t->up[k], 0, "over", k, k == 0 ? &c->over : NULL);
    return st;
}

/* The shares first: their costs are what (6) holds of -share_k. */
static mgc_status add_plan_columns(const mgc_twostage *ts, const mgc__transfer *t, bool alone, mgc_program *program,
                                   dual_columns *c)
{
    mgc_status st = MGC_OK;

    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK; k++)
        st = add_named(program, alone ? 0 : -t->low[k], -INFINITY, "share", k, k == 0 ? &c->share : NULL);
    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK; k++) {
        st = add_named(program, ts->p0[k], -INFINITY, "source", k, k == 0 ? &c->source : NULL);
        if (st == MGC_OK && !(ts->p0[k] > 0)) st = mgc_program_set_bounds(program, c->source + k, 0, 0);
    }
    return st == MGC_OK ? add_named(program, ts->wasserstein, 0, "lambda", UINT32_MAX, &c->lambda) : st;
}

/* share_l - lambda distance_kl - source_k <= 0 for every k that has mass */
static mgc_status add_plan_rows(const mgc_twostage *ts, const dual_columns *c, mgc_program *program)
{
    mgc_status st = MGC_OK;
    char name[48];

    for (uint32_t k = 0; k < ts->scenarios; k++)
        for (uint32_t l = 0; l < ts->scenarios && ts->p0[k] > 0 && st == MGC_OK; l++) {
            double distance = ts->distance[k * (size_t)ts->scenarios + l];
            uint32_t row = 0;
            st = mgc_program_add_row(program, -INFINITY, 0, (uint32_t[]){c->share + l, c->source + k, c->lambda},
                                     (double[]){1, -1, -distance}, distance > 0 ? 3 : 2, &row);
            snprintf(name, sizeof name, "worst.plan.%u.%u", k, l);
            if (st == MGC_OK) st = mgc_program_set_row_name(program, row, name);
        }
    return st;
}

/* d_k'y_k - alpha - excess_k - share_k <= 0, as far as there are such */
static mgc_status add_cost_row(const mgc_twostage *ts, uint32_t k, const uint32_t *list, size_t n,
                               const dual_columns *c, uint32_t *columns, double *values, mgc_program *program)
{
    char name[48];
    uint32_t row = 0;

    for (size_t e = 0; e < n; e++) {
        columns[e] = list[e];
        values[e] = ts->columns[list[e]].cost;
    }
    if (c->alpha != UINT32_MAX) {
        columns[n] = c->alpha;
        values[n++] = -1;
    }
    if (c->share != UINT32_MAX) {
        columns[n] = c->share + k;
        values[n++] = -1;
    }
    if (c->excess != UINT32_MAX) {
        columns[n] = c->excess + k;
        values[n++] = -1;
    }
    mgc_status st = mgc_program_add_row(program, -INFINITY, 0, columns, values, n, &row);
    snprintf(name, sizeof name, "worst.cost.%u", k);
    return st == MGC_OK ? mgc_program_set_row_name(program, row, name) : st;
}

/* excess_k - beta - over_k <= 0 */
static mgc_status add_over_row(uint32_t k, const dual_columns *c, mgc_program *program)
{
    uint32_t columns[3] = {c->excess + k, c->beta, c->over + k};
    double values[3] = {1, -1, -1};
    char name[48];
    uint32_t row = 0;
    mgc_status st = mgc_program_add_row(program, -INFINITY, 0, columns, values, c->over != UINT32_MAX ? 3 : 2, &row);

    snprintf(name, sizeof name, "worst.over.%u", k);
    return st == MGC_OK ? mgc_program_set_row_name(program, row, name) : st;
}

static mgc_status add_dual(const mgc_twostage *ts, const mgc__transfer *t, uint32_t family, mgc_program *program)
{
    size_t *start = NULL;
    uint32_t *list = NULL, *columns = NULL;
    double *values = NULL;
    dual_columns c = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    mgc_status st = mgc__ts_costed(ts, &start, &list);

    if (st == MGC_OK) {
        columns = mgc__alloc(ts->ctx, (size_t)ts->n + 3, sizeof *columns);
        values = mgc__alloc(ts->ctx, (size_t)ts->n + 3, sizeof *values);
        if (columns == NULL || values == NULL) st = mgc__no_memory(ts->ctx, "the cost rows of the scenarios");
    }
    if (st == MGC_OK && family != MGC__SET_TRANSFER)
        st = add_plan_columns(ts, t, family == MGC__SET_WASSERSTEIN, program, &c);
    if (st == MGC_OK && family != MGC__SET_WASSERSTEIN) st = add_dual_columns(ts, t, program, &c);
    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK; k++)
        st = add_cost_row(ts, k, list + start[k], start[k + 1] - start[k], &c, columns, values, program);
    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK && c.beta != UINT32_MAX; k++)
        st = add_over_row(k, &c, program);
    if (st == MGC_OK && c.share != UINT32_MAX) st = add_plan_rows(ts, &c, program);
    mgc__free(ts->ctx, start);
    mgc__free(ts->ctx, list);
    mgc__free(ts->ctx, columns);
    mgc__free(ts->ctx, values);
    /* Shares and sources of a Wasserstein ball know each other in pairs: they join the scenarios. */
    return st == MGC_OK ? mgc__ts_tell_blocks(ts, (uint32_t[]){c.excess, c.over}, 2, program) : st;
}

static mgc_status no_direct_form(const mgc_twostage *ts, uint32_t family)
{
    if (family == MGC__SET_HOST)
        return mgc__fail(ts->ctx, MGC_E_UNSUPPORTED, "robust: a host's oracle has no reformulation as one program; "
                                                     "use column-and-constraint generation");
    return mgc__fail(ts->ctx, MGC_E_UNSUPPORTED,
                     "robust: the %s ball is not polyhedral, so that it has no reformulation as a linear program; use "
                     "column-and-constraint generation", ts->kl >= 0 ? "Kullback-Leibler" : "chi-square");
}

/* What stands in the costs of each scenario's columns: p0 where P is {p0}, low where mass moves, nothing where it may
 * all be carried away. */
static const double *direct_weight(const mgc_twostage *ts, const mgc__transfer *t, uint32_t family, double *nothing)
{
    bool nominal = family != MGC__SET_WASSERSTEIN && t->nominal;

    if (nominal) return ts->p0;
    if (family != MGC__SET_WASSERSTEIN) return t->low;
    for (uint32_t k = 0; k < ts->scenarios; k++) nothing[k] = 0;
    return nothing;
}

mgc_status mgc__direct_build(const mgc_twostage *ts, mgc__direct *direct)
{
    mgc__transfer t;
    mgc_program *program = NULL;
    uint32_t family;

    *direct = (mgc__direct){.program = NULL};
    mgc_status st = mgc__ts_family(ts, &family);
    if (st != MGC_OK) return st;
    if (family == MGC__SET_HOST || family == MGC__SET_DIVERGENCE) return no_direct_form(ts, family);
    mgc__ts_transfer(ts, &t);
    const double *weight = direct_weight(ts, &t, family, ts->work);
    st = mgc_program_create(ts->ctx, &program);
    if (st == MGC_OK) st = mgc__ts_copy(ts, weight, program);
    if (st == MGC_OK) st = weight != ts->p0 ? add_dual(ts, &t, family, program) : mgc__ts_tell_blocks(ts, NULL, 0, program);
    if (st != MGC_OK) {
        mgc_program_destroy(program);
        return st;
    }
    *direct = (mgc__direct){.program = program, .robust = weight != ts->p0, .cost_row = ts->m};
    direct->transported = direct->robust && family != MGC__SET_TRANSFER;
    uint64_t sources = 0;
    for (uint32_t k = 0; k < ts->scenarios; k++) sources += ts->p0[k] > 0;
    if (direct->transported) direct->plan_row = mgc_program_rows(program) - (uint32_t)(sources * ts->scenarios);
    return MGC_OK;
}

void mgc__direct_push_cost(mgc_twostage *ts, uint32_t column)
{
    const mgc__ts_column *c = &ts->columns[column];
    mgc__direct *d = &ts->direct;
    mgc__transfer t;

    if (d->program == NULL) return;
    mgc__ts_transfer(ts, &t);
    bool alone = d->transported && !mgc__ts_has_transfer(ts);
    double weight = !d->robust ? ts->p0[c->stage - 1] : alone ? 0 : t.low[c->stage - 1];
    mgc_status st = mgc_program_set_cost(d->program, column, weight * c->cost);
    if (st == MGC_OK && d->robust)
        st = mgc_program_set_coefficient(d->program, d->cost_row + c->stage - 1, column, c->cost);
    if (st != MGC_OK) mgc__direct_drop(ts);
}

mgc_status mgc_twostage_extensive(const mgc_twostage *ts, mgc_program **out)
{
    mgc__direct direct;

    if (ts == NULL || out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    mgc_status st = mgc__direct_build(ts, &direct);
    *out = direct.program;
    return st;
}
