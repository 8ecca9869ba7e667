/* SPDX-License-Identifier: Apache-2.0 */
/* The shrinking copy of a program that the reductions work on. */
#include "solver/presolve_private.h"

/* --- memory ---------------------------------------------------------------------------------- */

static void *take(mgc__presolve *ps, size_t n, size_t size)
{
    void *block = ps->status == MGC_OK ? mgc__alloc(ps->ctx, n, size) : NULL;

    if (block == NULL && ps->status == MGC_OK) ps->status = mgc__no_memory(ps->ctx, "presolve");
    return block;
}

static bool more(mgc__presolve *ps, void **block, size_t *cap, size_t need, size_t size)
{
    if (ps->status == MGC_OK && !mgc__grow(ps->ctx, block, cap, need, size))
        ps->status = mgc__no_memory(ps->ctx, "presolve");
    return ps->status == MGC_OK;
}

static double *copy_of(mgc__presolve *ps, const double *from, size_t n)
{
    double *to = take(ps, n, sizeof *to);

    if (to != NULL && n > 0) memcpy(to, from, n * sizeof *to);
    return to;
}

/* --- set-up ---------------------------------------------------------------------------------- */

static void take_lines(mgc__presolve *ps, struct lines *l, uint32_t n, size_t nnz)
{
    l->start = take(ps, n, sizeof *l->start);
    l->len = take(ps, n, sizeof *l->len);
    l->count = take(ps, n, sizeof *l->count);
    l->index = take(ps, nnz, sizeof *l->index);
    l->value = take(ps, nnz, sizeof *l->value);
    l->used = l->cap_index = l->cap_value = nnz;
}

/* Entries that are 0 are left out: nobody divides by them. */
static void load_columns(mgc__presolve *ps, const mgc__csc *a)
{
    uint32_t at = 0;

    for (uint32_t j = 0; j < a->cols; j++) {
        ps->cols.start[j] = at;
        for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) {
            if (a->value[k] == 0.0) continue;
            ps->cols.index[at] = a->row[k];
            ps->cols.value[at++] = a->value[k];
        }
        ps->cols.len[j] = ps->cols.count[j] = at - ps->cols.start[j];
    }
}

static void load_rows(mgc__presolve *ps, const mgc__csc *a)
{
    struct lines *rows = &ps->rows;
    uint32_t at = 0;

    for (uint32_t k = 0; k < a->start[a->cols]; k++) rows->count[a->row[k]] += a->value[k] != 0.0;
    for (uint32_t i = 0; i < a->rows; i++) {
        rows->start[i] = at;
        at += rows->count[i];
    }
    for (uint32_t j = 0; j < a->cols; j++)
        for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) {
            if (a->value[k] == 0.0) continue;
            uint32_t i = a->row[k], place = rows->start[i] + rows->len[i]++;
            rows->index[place] = j;
            rows->value[place] = a->value[k];
        }
}

/* Q in full, without zeros, so that neighbours are found from both sides. */
static void load_quadratic(mgc__presolve *ps, const mgc__csc *u)
{
    uint32_t n = ps->original.n;

    ps->q_count = take(ps, n, sizeof *ps->q_count);
    ps->q_diagonal = take(ps, n, sizeof *ps->q_diagonal);
    if (ps->status == MGC_OK) ps->status = mgc__csc_alloc(ps->ctx, n, n, 2 * (size_t)u->start[n], &ps->q);
    if (ps->status != MGC_OK) return;
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t k = u->start[j]; k < u->start[j + 1]; k++) {
            if (u->value[k] == 0.0) continue;
            ps->q_count[j]++;
            if (u->row[k] == j) ps->q_diagonal[j] = u->value[k];
            else ps->q_count[u->row[k]]++;
        }
    for (uint32_t j = 0; j < n; j++) ps->q.start[j + 1] = ps->q.start[j] + ps->q_count[j];
    memset(ps->q_count, 0, n * sizeof *ps->q_count);
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t k = u->start[j]; k < u->start[j + 1]; k++) {
            uint32_t i = u->row[k];
            if (u->value[k] == 0.0) continue;
            uint32_t place = ps->q.start[j] + ps->q_count[j]++;
            ps->q.row[place] = i;
            ps->q.value[place] = u->value[k];
            if (i == j) continue;
            place = ps->q.start[i] + ps->q_count[i]++;
            ps->q.row[place] = j;
            ps->q.value[place] = u->value[k];
        }
}

static void take_marks(mgc__presolve *ps, uint32_t n, uint32_t m)
{
    size_t longest = n > m ? n : m;

    ps->row_dead = take(ps, m, sizeof *ps->row_dead);
    ps->col_dead = take(ps, n, sizeof *ps->col_dead);
    ps->row_queue = take(ps, m, sizeof *ps->row_queue);
    ps->col_queue = take(ps, n, sizeof *ps->col_queue);
    ps->row_waits = take(ps, m, sizeof *ps->row_waits);
    ps->col_waits = take(ps, n, sizeof *ps->col_waits);
    ps->removed_at = take(ps, n, sizeof *ps->removed_at);
    ps->row_work = take(ps, m, sizeof *ps->row_work);
    ps->row_work2 = take(ps, m, sizeof *ps->row_work2);
    ps->row_source = take(ps, m, sizeof *ps->row_source);
    ps->row_source2 = take(ps, m, sizeof *ps->row_source2);
    ps->x = take(ps, n, sizeof *ps->x);
    ps->y = take(ps, m, sizeof *ps->y);
    ps->z = take(ps, n, sizeof *ps->z);
    ps->ray = take(ps, longest, sizeof *ps->ray);
}

mgc_status mgc__presolve_start(mgc__presolve *ps)
{
    const mgc__qp *qp = &ps->original;
    uint32_t n = qp->n, m = qp->m;

    take_lines(ps, &ps->rows, m, qp->a->start[n]);
    take_lines(ps, &ps->cols, n, qp->a->start[n]);
    take_marks(ps, n, m);
    ps->c = copy_of(ps, qp->c, n);
    ps->lower = copy_of(ps, qp->lower, n);
    ps->upper = copy_of(ps, qp->upper, n);
    ps->row_lower = copy_of(ps, qp->row_lower, m);
    ps->row_upper = copy_of(ps, qp->row_upper, m);
    ps->row_size = take(ps, m, sizeof *ps->row_size);
    if (ps->opts.integer != NULL) ps->integer = take(ps, n, sizeof *ps->integer);
    if (ps->status != MGC_OK) return ps->status;
    if (ps->integer != NULL) memcpy(ps->integer, ps->opts.integer, n);
    for (uint32_t j = 0; j < n; j++) {
        if (!presolve_is_integer(ps, j)) continue;
        ps->lower[j] = ceil(ps->lower[j] - 1e-6);
        ps->upper[j] = floor(ps->upper[j] + 1e-6);
    }
    load_columns(ps, qp->a);
    load_rows(ps, qp->a);
    if (qp->q != NULL && qp->q->start[n] > 0) load_quadratic(ps, qp->q);
    if (ps->status != MGC_OK) return ps->status;
    for (uint32_t j = n; j-- > 0;) { /* the last one first: queues are emptied from their end */
        ps->removed_at[j] = UINT32_MAX;
        mgc__presolve_touch_column(ps, j);
    }
    for (uint32_t i = m; i-- > 0;) {
        ps->row_size[i] = presolve_scale(ps->row_lower[i], ps->row_upper[i]);
        mgc__presolve_touch_row(ps, i);
    }
    return MGC_OK;
}

/* --- what waits ------------------------------------------------------------------------------ */

void mgc__presolve_touch_row(mgc__presolve *ps, uint32_t i)
{
    if (ps->row_waits[i] || ps->row_dead[i]) return;
    ps->row_waits[i] = 1;
    ps->row_queue[ps->row_waiting++] = i;
}

void mgc__presolve_touch_column(mgc__presolve *ps, uint32_t j)
{
    if (ps->col_waits[j] || ps->col_dead[j]) return;
    ps->col_waits[j] = 1;
    ps->col_queue[ps->col_waiting++] = j;
}

/* --- the matrix ------------------------------------------------------------------------------ */

static void tidy(struct lines *l, uint32_t k, const uint8_t *dead)
{
    uint32_t at = l->start[k], end = at + l->len[k];

    if (l->len[k] == l->count[k]) return;
    for (uint32_t e = at; e < end; e++) {
        if (dead[l->index[e]]) continue;
        l->index[at] = l->index[e];
        l->value[at++] = l->value[e];
    }
    l->len[k] = at - l->start[k];
    assert(l->len[k] == l->count[k]);
}

void mgc__presolve_tidy_row(mgc__presolve *ps, uint32_t i)
{
    tidy(&ps->rows, i, ps->col_dead);
}

void mgc__presolve_tidy_column(mgc__presolve *ps, uint32_t j)
{
    tidy(&ps->cols, j, ps->row_dead);
}

void mgc__presolve_remove_row(mgc__presolve *ps, uint32_t i)
{
    mgc__presolve_tidy_row(ps, i);
    ps->row_dead[i] = 1;
    ps->info.rows_removed++;
    ps->info.nonzeros_removed += ps->rows.count[i];
    for (uint32_t k = ps->rows.start[i]; k < ps->rows.start[i] + ps->rows.count[i]; k++) {
        ps->cols.count[ps->rows.index[k]]--;
        mgc__presolve_touch_column(ps, ps->rows.index[k]);
    }
}

static void forget_neighbours(mgc__presolve *ps, uint32_t j)
{
    if (ps->q_count == NULL) return;
    for (uint32_t k = ps->q.start[j]; k < ps->q.start[j + 1]; k++) {
        uint32_t i = ps->q.row[k];
        if (i == j || ps->col_dead[i]) continue;
        ps->q_count[i]--;
        mgc__presolve_touch_column(ps, i);
    }
}

void mgc__presolve_remove_column(mgc__presolve *ps, uint32_t j)
{
    mgc__presolve_tidy_column(ps, j);
    ps->col_dead[j] = 1;
    ps->removed_at[j] = (uint32_t)ps->n_records - 1; /* its record is the last */
    ps->info.columns_removed++;
    ps->info.nonzeros_removed += ps->cols.count[j];
    for (uint32_t k = ps->cols.start[j]; k < ps->cols.start[j] + ps->cols.count[j]; k++) {
        ps->rows.count[ps->cols.index[k]]--;
        mgc__presolve_touch_row(ps, ps->cols.index[k]);
    }
    forget_neighbours(ps, j);
}

/* --- records --------------------------------------------------------------------------------- */

struct record *mgc__presolve_record(mgc__presolve *ps, enum undo_kind kind)
{
    void *block = ps->records;

    if (ps->status == MGC_OK && ps->n_records >= UINT32_MAX - 1) {
        ps->status = mgc__fail(ps->ctx, MGC_E_LIMIT, "solver: presolve made 2^32 reductions; no more are counted");
        return &ps->spare;
    }
    if (!more(ps, &block, &ps->record_cap, ps->n_records + 1, sizeof *ps->records)) return &ps->spare;
    ps->records = block;
    struct record *r = &ps->records[ps->n_records++];
    *r = (struct record){.kind = (uint8_t)kind, .first = ps->n_saved};
    return r;
}

static void save(mgc__presolve *ps, struct record *r, uint32_t index, double value)
{
    void *i = ps->saved_index, *v = ps->saved_value;
    bool ok = more(ps, &i, &ps->saved_index_cap, ps->n_saved + 1, sizeof *ps->saved_index) &&
              more(ps, &v, &ps->saved_value_cap, ps->n_saved + 1, sizeof *ps->saved_value);

    ps->saved_index = i;
    ps->saved_value = v;
    if (!ok) return;
    if (ps->budget > 0) ps->budget--;
    ps->saved_index[ps->n_saved] = index;
    ps->saved_value[ps->n_saved++] = value;
    r->entries++;
}

void mgc__presolve_save_row(mgc__presolve *ps, struct record *r, uint32_t i, uint32_t except)
{
    mgc__presolve_tidy_row(ps, i);
    for (uint32_t k = ps->rows.start[i]; k < ps->rows.start[i] + ps->rows.count[i]; k++)
        if (ps->rows.index[k] != except) save(ps, r, ps->rows.index[k], ps->rows.value[k]);
}

void mgc__presolve_save_column(mgc__presolve *ps, struct record *r, uint32_t j, uint32_t except)
{
    mgc__presolve_tidy_column(ps, j);
    for (uint32_t k = ps->cols.start[j]; k < ps->cols.start[j] + ps->cols.count[j]; k++)
        if (ps->cols.index[k] != except) save(ps, r, ps->cols.index[k], ps->cols.value[k]);
}

/* --- decided --------------------------------------------------------------------------------- */

static void lay_row(mgc__presolve *ps, uint32_t i, double y)
{
    mgc__presolve_tidy_row(ps, i);
    ps->y[i] = y;
    for (uint32_t k = ps->rows.start[i]; k < ps->rows.start[i] + ps->rows.count[i]; k++)
        ps->z[ps->rows.index[k]] -= ps->rows.value[k] * y;
}

void mgc__presolve_infeasible(mgc__presolve *ps, uint32_t row, double y, uint32_t row2, double y2)
{
    ps->outcome = MGC_OUTCOME_INFEASIBLE;
    lay_row(ps, row, y);
    if (row2 != UINT32_MAX) lay_row(ps, row2, y2);
}

void mgc__presolve_unbounded(mgc__presolve *ps, uint32_t column, double x, uint32_t column2, double x2)
{
    ps->outcome = MGC_OUTCOME_UNBOUNDED;
    ps->x[column] = x;
    if (column2 != UINT32_MAX) ps->x[column2] = x2;
}
