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
} block;

/* One scenario's recourse: what a worker needs and leaves. */
typedef struct task {
    mgc_ctx *ctx;             /* of its own, for texts; the memory is the caller's */
    uint32_t scenario, iterations;
    uint32_t *columns;        /* entries of one row */
    double *values, *y;
    mgc_status status;
    bool better;              /* y is cheaper than what stands in x */
} task;

typedef struct completion {
    const mgc_twostage *ts;
    const mgc_program_opts *opts;
    const block *block;
    const double *x;
    task *tasks;
} completion;

static void free_block(mgc_ctx *ctx, block *b)
{
    mgc__free(ctx, b->local);
    mgc__free(ctx, b->column_start);
    mgc__free(ctx, b->row_start);
    mgc__free(ctx, b->column);
    mgc__free(ctx, b->row);
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
    if (b->local == NULL || b->column_start == NULL || b->row_start == NULL || b->column == NULL || b->row == NULL)
        return mgc__no_memory(ctx, "the recourse of single scenarios");
    for (uint32_t j = 0; j < ts->n; j++) b->column_start[ts->columns[j].stage + 2]++;
    for (uint32_t i = 0; i < ts->m; i++) b->row_start[ts->rows[i].stage + 2]++;
    for (size_t s = 1; s < stages; s++) {
        b->column_start[s] += b->column_start[s - 1];
        b->row_start[s] += b->row_start[s - 1];
    }
    for (uint32_t j = 0; j < ts->n; j++) b->column[b->column_start[ts->columns[j].stage + 1]++] = j;
    for (uint32_t i = 0; i < ts->m; i++) b->row[b->row_start[ts->rows[i].stage + 1]++] = i;
    for (uint32_t i = 0; i < ts->n; i++)
        b->local[b->column[i]] = (uint32_t)(i - b->column_start[ts->columns[b->column[i]].stage]);
    return MGC_OK;
}

static mgc_status add_block_row(const completion *c, task *t, uint32_t row, mgc_program *program)
{
    const mgc_twostage *ts = c->ts;
    const mgc__ts_row *r = &ts->rows[row];
    double first = 0;
    size_t n = 0;

    for (size_t e = r->start; e < r->start + r->n; e++) {
        uint32_t j = ts->entry_column[e];
        if (ts->columns[j].stage == MGC_FIRST_STAGE) {
            first += ts->entry_value[e] * c->x[j];
        } else {
            t->columns[n] = c->block->local[j];
            t->values[n++] = ts->entry_value[e];
        }
    }
    return mgc_program_add_row(program, r->lower - first, r->upper - first, t->columns, t->values, n, NULL);
}

static mgc_status build_block(const completion *c, task *t, mgc_program *program)
{
    const block *b = c->block;
    uint32_t k = t->scenario;
    mgc_status st = MGC_OK;

    for (size_t i = b->column_start[k + 1]; i < b->column_start[k + 2] && st == MGC_OK; i++) {
        const mgc__ts_column *column = &c->ts->columns[b->column[i]];
        st = mgc_program_add_column(program, column->cost, column->lower, column->upper, NULL);
    }
    for (size_t r = b->row_start[k + 1]; r < b->row_start[k + 2] && st == MGC_OK; r++)
        st = add_block_row(c, t, b->row[r], program);
    return st;
}

/* Best recourse of one scenario for the first stage in x; workers share nothing that they write. */
static void complete_one(void *user, size_t i)
{
    const completion *c = user;
    task *t = &c->tasks[i];
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program *program = NULL;
    const uint32_t *mine = c->block->column + c->block->column_start[t->scenario + 1];
    size_t n = c->block->column_start[t->scenario + 2] - c->block->column_start[t->scenario + 1];
    double before = 0;

    mgc_status st = mgc_program_create(t->ctx, &program);
    if (st == MGC_OK) st = build_block(c, t, program);
    if (st == MGC_OK) st = mgc_program_solve(program, c->opts, &info);
    t->iterations = info.iterations;
    for (size_t e = 0; e < n; e++) before += c->ts->columns[mine[e]].cost * c->x[mine[e]];
    t->better = st == MGC_OK && info.outcome == MGC_OUTCOME_OPTIMAL && info.objective < before;
    if (t->better) st = mgc_program_get_x(program, t->y, n);
    mgc_program_destroy(program);
    t->status = st;
}

/* Room for the largest row and block of any scenario, one for each task. */
static mgc_status make_tasks(const mgc_twostage *ts, const block *b, const double *p, uint32_t open, task *tasks)
{
    size_t entries = 0, at = 0;
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < ts->m; i++) entries = entries > ts->rows[i].n ? entries : ts->rows[i].n;
    for (uint32_t k = 0; k < ts->scenarios && st == MGC_OK; k++) {
        if (p[k] >= weight_floor) continue;
        task *t = &tasks[at++];
        t->scenario = k;
        t->columns = mgc__alloc(ts->ctx, entries, sizeof *t->columns);
        t->values = mgc__alloc(ts->ctx, entries, sizeof *t->values);
        t->y = mgc__alloc(ts->ctx, b->column_start[k + 2] - b->column_start[k + 1], sizeof *t->y);
        st = t->columns == NULL || t->values == NULL || t->y == NULL ? mgc__no_memory(ts->ctx, "the recourse of single scenarios")
                                                                     : mgc__ctx_child(ts->ctx, &t->ctx);
    }
    return st != MGC_OK || at == open ? st : MGC_E_INTERNAL;
}

/* In the order of scenarios, whoever finished first. */
static mgc_status take_tasks(mgc_twostage *ts, const block *b, const task *tasks, uint32_t open, double *x)
{
    for (uint32_t i = 0; i < open; i++) {
        const task *t = &tasks[i];
        const uint32_t *mine = b->column + b->column_start[t->scenario + 1];
        if (t->status != MGC_OK) return mgc__fail(ts->ctx, t->status, "%s", mgc_ctx_error(t->ctx));
        ts->result.info.inner_iterations += t->iterations;
        for (size_t c = b->column_start[t->scenario + 1]; t->better && c < b->column_start[t->scenario + 2]; c++)
            x[mine[c - b->column_start[t->scenario + 1]]] = t->y[c - b->column_start[t->scenario + 1]];
    }
    return MGC_OK;
}

mgc_status mgc__ts_complete(mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms, const double *p,
                            double *x)
{
    mgc_program_opts po;
    block b = {.local = NULL};
    uint32_t open = 0;

    for (uint32_t k = 0; k < ts->scenarios; k++) open += p[k] < weight_floor;
    if (!o->complete || open == 0) return MGC_OK;
    if (!mgc__ts_program_opts(ts, o, begun_ms, &po) || mgc_ctx_cancelled(ts->ctx)) return MGC_OK;
    po.warm_start = 0;
    po.threads = 1;
    task *tasks = mgc__alloc(ts->ctx, open, sizeof *tasks);
    mgc_status st = tasks == NULL ? mgc__no_memory(ts->ctx, "the recourse of single scenarios") : make_block(ts, &b);
    if (st == MGC_OK) st = make_tasks(ts, &b, p, open, tasks);
    completion c = {.ts = ts, .opts = &po, .block = &b, .x = x, .tasks = tasks};
    if (st == MGC_OK) mgc__parallel(o->threads, open, complete_one, &c);
    if (st == MGC_OK) st = take_tasks(ts, &b, tasks, open, x);
    for (uint32_t i = 0; tasks != NULL && i < open; i++) {
        mgc__free(ts->ctx, tasks[i].columns);
        mgc__free(ts->ctx, tasks[i].values);
        mgc__free(ts->ctx, tasks[i].y);
        mgc_ctx_destroy(tasks[i].ctx);
    }
    mgc__free(ts->ctx, tasks);
    free_block(ts->ctx, &b);
    return st;
}
