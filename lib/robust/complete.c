/* SPDX-License-Identifier: Apache-2.0 */
/* Recourse that the objective leaves open.  Where the worst case gives a scenario next to no weight, any recourse of it
 * is as good for the objective; who looks at that scenario's plan wants the best one all the same. */
#include "robust/robust.h"

/* Below this weight a scenario's cost is no better known than gap / weight: completed.  Chosen; not critical. */
static const double weight_floor = 1e-3;

typedef struct block {
    uint32_t *local;          /* n: number of a column in its block */
    size_t *column_start, *row_start; /* K + 2 */
    uint32_t *column, *row;   /* by stage */
    uint32_t *columns;        /* entries of one row */
    double *values, *y;
} block;

static void free_block(mgc_ctx *ctx, block *b)
{
    mgc__free(ctx, b->local);
    mgc__free(ctx, b->column_start);
    mgc__free(ctx, b->row_start);
    mgc__free(ctx, b->column);
    mgc__free(ctx, b->row);
    mgc__free(ctx, b->columns);
    mgc__free(ctx, b->values);
    mgc__free(ctx, b->y);
}

/* Columns and rows in order of their stage, by counting: block k is [start[k + 1], start[k + 2]). */
static mgc_status make_block(const mgc_twostage *ts, block *b)
{
    mgc_ctx *ctx = ts->ctx;
    size_t stages = (size_t)ts->scenarios + 3;

    b->local = mgc__alloc(ctx, ts->n, sizeof *b->local);
    b->column_start = mgc__alloc(ctx, stages, sizeof *b->column_start);
    b->row_start = mgc__alloc(ctx, stages, sizeof *b->row_start);
    b->column = mgc__alloc(ctx, ts->n, sizeof *b->column);
    b->row = mgc__alloc(ctx, ts->m, sizeof *b->row);
    b->columns = mgc__alloc(ctx, ts->n_entries, sizeof *b->columns);
    b->values = mgc__alloc(ctx, ts->n_entries, sizeof *b->values);
    b->y = mgc__alloc(ctx, ts->n, sizeof *b->y);
    if (b->local == NULL || b->column_start == NULL || b->row_start == NULL || b->column == NULL || b->row == NULL ||
        b->columns == NULL || b->values == NULL || b->y == NULL)
        return mgc__no_memory(ctx, "the recourse of single scenarios");
    for (uint32_t j = 0; j < ts->n; j++) b->column_start[ts->columns[j].stage + 2]++;
    for (uint32_t i = 0; i < ts->m; i++) b->row_start[ts->rows[i].stage + 2]++;
    for (size_t s = 1; s < stages; s++) {
        b->column_start[s] += b->column_start[s - 1];
        b->row_start[s] += b->row_start[s - 1];
    }
    for (uint32_t j = 0; j < ts->n; j++) b->column[b->column_start[ts->columns[j].stage + 1]++] = j;
    for (uint32_t i = 0; i < ts->m; i++) b->row[b->row_start[ts->rows[i].stage + 1]++] = i;
    return MGC_OK;
}

static mgc_status add_block_row(const mgc_twostage *ts, const block *b, uint32_t row, const double *x,
                                mgc_program *program)
{
    const mgc__ts_row *r = &ts->rows[row];
    double first = 0;
    size_t n = 0;

    for (size_t e = r->start; e < r->start + r->n; e++) {
        uint32_t j = ts->entry_column[e];
        if (ts->columns[j].stage == MGC_FIRST_STAGE) {
            first += ts->entry_value[e] * x[j];
        } else {
            b->columns[n] = b->local[j];
            b->values[n++] = ts->entry_value[e];
        }
    }
    return mgc_program_add_row(program, r->lower - first, r->upper - first, b->columns, b->values, n, NULL);
}

static mgc_status build_block(const mgc_twostage *ts, block *b, uint32_t k, const double *x, mgc_program *program)
{
    mgc_status st = MGC_OK;

    for (size_t c = b->column_start[k + 1]; c < b->column_start[k + 2] && st == MGC_OK; c++) {
        const mgc__ts_column *column = &ts->columns[b->column[c]];
        st = mgc_program_add_column(program, column->cost, column->lower, column->upper, &b->local[b->column[c]]);
    }
    for (size_t r = b->row_start[k + 1]; r < b->row_start[k + 2] && st == MGC_OK; r++)
        st = add_block_row(ts, b, b->row[r], x, program);
    return st;
}

/* Best recourse of scenario k for the first stage in x; written into x where it is cheaper than what stands there. */
static mgc_status complete_one(mgc_twostage *ts, block *b, uint32_t k, const mgc_program_opts *po, double *x)
{
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program *program = NULL;
    const uint32_t *mine = b->column + b->column_start[k + 1];
    size_t n = b->column_start[k + 2] - b->column_start[k + 1];
    double before = 0;

    mgc_status st = mgc_program_create(ts->ctx, &program);
    if (st == MGC_OK) st = build_block(ts, b, k, x, program);
    if (st == MGC_OK) st = mgc_program_solve(program, po, &info);
    ts->result.info.inner_iterations += info.iterations;
    for (size_t c = 0; c < n; c++) before += ts->columns[mine[c]].cost * x[mine[c]];
    if (st == MGC_OK && info.outcome == MGC_OUTCOME_OPTIMAL && info.objective < before) {
        st = mgc_program_get_x(program, b->y, n);
        for (size_t c = 0; c < n && st == MGC_OK; c++) x[mine[c]] = b->y[c];
    }
    mgc_program_destroy(program);
    return st;
}

mgc_status mgc__ts_complete(mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms, const double *p,
                            double *x)
{
    mgc_program_opts po;
    block b = {.local = NULL};
    uint32_t open = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++) open += p[k] < weight_floor;
    if (!o->complete || open == 0) return MGC_OK;
    mgc_status st = make_block(ts, &b);
    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK; k++) {
        if (p[k] >= weight_floor) continue;
        if (!mgc__ts_program_opts(ts, o, begun_ms, &po) || mgc_ctx_cancelled(ts->ctx)) break;
        po.warm_start = 0;
        st = complete_one(ts, &b, k, &po, x);
    }
    free_block(ts->ctx, &b);
    return st;
}
