/* SPDX-License-Identifier: Apache-2.0 */
/* The master problem of dual.c, in the dual form of Kiwiel (1990): the cheapest mixture of answers, with t/2 |mismatch|^2. */
#include <math.h>

#include "bargain/dual.h"

/* Cost of an answer at the case's prices. */
static double priced(const mgc__dual *d, const double *lambda, const mgc__cut *c)
{
    const mgc_agent *a = d->agent[c->member];
    double cost = c->cost;

    for (size_t e = 0; e < a->n_ends; e++)
        for (size_t j = 0; j < a->ends[e].count; j++)
            cost += (a->ends[e].terms.first ? 1 : -1) * lambda[d->place[c->member][e] + j] * c->x[a->ends[e].offset + j];
    return cost;
}

typedef struct master {
    mgc_program *program;
    uint32_t *column;    /* [cuts] UINT32_MAX: does not fit the case */
    uint32_t *index;     /* work: the columns of one row */
    double *value;
    uint32_t mismatch;   /* first column of it */
} master;

static mgc_status add_shares(mgc__dual *d, const mgc__case *k, const double *centre, master *m)
{
    mgc_status st = MGC_OK;
    uint32_t row;

    for (size_t i = 0; st == MGC_OK && i < d->n; i++) {
        size_t terms = 0;
        for (size_t c = 0; st == MGC_OK && c < d->n_cuts; c++) {
            if (d->cuts[c].member != i) continue;
            m->column[c] = UINT32_MAX;
            if (!mgc__dual_fits(d, k, i, d->cuts[c].decision)) continue;
            st = mgc_program_add_column(m->program, priced(d, centre, &d->cuts[c]), 0, INFINITY, &m->column[c]);
            m->index[terms] = m->column[c];
            m->value[terms++] = 1;
        }
        if (st == MGC_OK) st = mgc_program_add_row(m->program, 1, 1, m->index, m->value, terms, &row);
    }
    return st;
}

/* One row: what the two ends would send, in the mixture, differs by the mismatch. */
static mgc_status add_mismatch(mgc__dual *d, const mgc__case *k, master *m, size_t coordinate)
{
    uint32_t column = UINT32_MAX, row;
    size_t terms = 1;
    mgc_status st = mgc_program_add_column(m->program, 0, -INFINITY, INFINITY, &column);

    if (coordinate == 0) m->mismatch = column;
    if (st == MGC_OK) st = mgc_program_set_quadratic(m->program, column, column, d->weight[coordinate] * k->step_scale);
    m->index[0] = column;
    m->value[0] = -1;
    for (size_t c = 0; c < d->n_cuts; c++) {
        const mgc_agent *a = d->agent[d->cuts[c].member];
        for (size_t e = 0; m->column[c] != UINT32_MAX && e < a->n_ends; e++) {
            size_t begin = d->place[d->cuts[c].member][e];
            if (coordinate < begin || coordinate >= begin + a->ends[e].count) continue;
            double x = d->cuts[c].x[a->ends[e].offset + coordinate - begin];
            if (x == 0) continue;
            m->index[terms] = m->column[c];
            m->value[terms++] = a->ends[e].terms.first ? x : -x;
        }
    }
    return st == MGC_OK ? mgc_program_add_row(m->program, 0, 0, m->index, m->value, terms, &row) : st;
}

/* Shares of the answers, and the next prices. */
static mgc_status read_master(mgc__dual *d, const mgc__case *k, const double *centre, master *m, const mgc_program_info *info, bool *solved)
{
    size_t n = mgc_program_columns(m->program);
    double *x = mgc__alloc(d->ctx, n, sizeof *x);
    mgc_status st;

    *solved = info->outcome == MGC_OUTCOME_OPTIMAL;
    if (x == NULL) return mgc__no_memory(d->ctx, "bargain: a lower bound");
    st = *solved ? mgc_program_get_x(m->program, x, n) : MGC_OK;
    for (size_t c = 0; st == MGC_OK && *solved && c < d->n_cuts; c++) d->share[c] = m->column[c] != UINT32_MAX ? x[m->column[c]] : 0;
    for (size_t j = 0; st == MGC_OK && *solved && j < d->coordinates; j++)
        d->lambda[j] = centre[j] + d->weight[j] * k->step_scale * x[m->mismatch + j];
    if (st == MGC_OK && *solved) d->shares = d->n_cuts;
    d->predicted = info->objective;
    mgc__free(d->ctx, x);
    return st;
}

mgc_status mgc__dual_master(mgc__dual *d, const mgc__case *k, const double *centre, bool *solved)
{
    mgc_program_opts o;
    mgc_program_info info = {.struct_size = sizeof info};
    master m = {.program = NULL};
    bool good = mgc__grow(d->ctx, (void **)&d->share, &d->share_cap, d->n_cuts, sizeof *d->share);
    mgc_status st = MGC_E_NO_MEMORY;

    *solved = false;
    mgc_program_opts_init(&o, sizeof o);
    m.column = mgc__dual_take(d, d->n_cuts + 1, sizeof *m.column, &good);
    m.index = mgc__dual_take(d, d->n_cuts + 1, sizeof *m.index, &good);
    m.value = mgc__dual_take(d, d->n_cuts + 1, sizeof *m.value, &good);
    if (good) st = mgc_program_create(d->ctx, &m.program);
    if (st == MGC_OK) st = add_shares(d, k, centre, &m);
    for (size_t j = 0; st == MGC_OK && j < d->coordinates; j++) st = add_mismatch(d, k, &m, j);
    if (st == MGC_OK) st = mgc_program_solve(m.program, &o, &info);
    if (st == MGC_OK) st = read_master(d, k, centre, &m, &info, solved);
    mgc__free(d->ctx, m.column);
    mgc__free(d->ctx, m.index);
    mgc__free(d->ctx, m.value);
    mgc_program_destroy(m.program);
    return good ? st : mgc__no_memory(d->ctx, "bargain: a lower bound");
}

