/* SPDX-License-Identifier: Apache-2.0 */
/* Presolve from outside: rounds of reductions, the reduced program, the way back. */
#include "solver/presolve_private.h"

const char *mgc__presolve_kind_name(uint32_t kind)
{
    static const char *const NAMES[PRESOLVE_KINDS] = {
        [PRESOLVE_EMPTY_ROW] = "empty row",
        [PRESOLVE_SINGLETON_ROW] = "singleton row",
        [PRESOLVE_REDUNDANT_ROW] = "redundant row",
        [PRESOLVE_REDUNDANT_SIDE] = "redundant side",
        [PRESOLVE_FORCING_ROW] = "forcing row",
        [PRESOLVE_PARALLEL_ROW] = "parallel row",
        [PRESOLVE_FIXED_COLUMN] = "fixed column",
        [PRESOLVE_EMPTY_COLUMN] = "empty column",
        [PRESOLVE_UNSTOPPED_COLUMN] = "unstopped column",
        [PRESOLVE_DOMINATED_COLUMN] = "dominated column",
        [PRESOLVE_SLACK_COLUMN] = "slack column",
        [PRESOLVE_FREE_COLUMN] = "free column singleton",
        [PRESOLVE_DOUBLETON_ROW] = "doubleton equation",
        [PRESOLVE_PARALLEL_COLUMN] = "parallel column",
    };

    return kind < PRESOLVE_KINDS ? NAMES[kind] : "unknown";
}

/* --- rounds ---------------------------------------------------------------------------------- */

/* What one visit costs.  Dense rows with many singleton columns would otherwise be gone over without end. */
static bool affordable(mgc__presolve *ps, size_t cost)
{
    if (ps->budget < cost + 1) {
        ps->budget = 0;
        return false;
    }
    ps->budget -= cost + 1;
    return !presolve_over(ps);
}

/* Until no more than so many of each wait. */
static void visit_waiting(mgc__presolve *ps, size_t rows, size_t columns)
{
    while (ps->row_waiting > rows || ps->col_waiting > columns) {
        while (ps->row_waiting > rows) {
            uint32_t i = ps->row_queue[--ps->row_waiting];
            ps->row_waits[i] = 0;
            if (ps->row_dead[i]) continue;
            if (!affordable(ps, ps->rows.count[i])) return;
            mgc__presolve_row(ps, i);
        }
        while (ps->col_waiting > columns) {
            uint32_t j = ps->col_queue[--ps->col_waiting];
            ps->col_waits[j] = 0;
            if (ps->col_dead[j]) continue;
            if (!affordable(ps, ps->cols.count[j])) return;
            mgc__presolve_column(ps, j);
        }
    }
}

static size_t removed(const mgc__presolve *ps)
{
    return (size_t)ps->info.rows_removed + ps->info.columns_removed;
}

static double part_removed(const mgc__presolve *ps)
{
    return (double)removed(ps) / fmax(1.0, (double)ps->original.n + ps->original.m);
}

/* What is asked of a program that repeats itself so often. */
static double worth_alike(mgc__presolve *ps)
{
    if (ps->info.alike == 0.0) ps->info.alike = mgc__presolve_alike(ps);
    return fmin(ps->opts.worth, WORTH_FOR_EACH * ps->info.alike);
}

/* Single rows and columns came to few in this part of all. */
static bool came_to_few(const mgc__presolve *ps, double seen)
{
    return PASSES_BRING * part_removed(ps) < seen * ps->opts.worth;
}

static bool has_blocks(const mgc__presolve *ps, uint32_t least)
{
    const uint32_t *block = ps->original.block;

    for (uint32_t j = 0; block != NULL && j < ps->original.n; j++)
        if (block[j] >= least) return true;
    return false;
}

/* Single rows and columns until none waits; of many told blocks the first eighth tells what the others hold.  Is that too
 * little?  Blocks as alike as that lose by few reductions. */
static bool begins_hopeless(mgc__presolve *ps)
{
    if (has_blocks(ps, SAMPLE)) {
        visit_waiting(ps, ps->row_waiting - ps->row_waiting / SAMPLE, ps->col_waiting - ps->col_waiting / SAMPLE);
        if (!presolve_over(ps) && came_to_few(ps, 1.0 / SAMPLE)) return true;
    }
    visit_waiting(ps, 0, 0);
    return came_to_few(ps, 1.0) && worth_alike(ps) >= ps->opts.worth;
}

/* Single rows and columns until none waits, then the passes over all; again where that was worth it. */
static void reduce(mgc__presolve *ps)
{
    size_t all = (size_t)ps->original.n + ps->original.m, before;

    do {
        before = removed(ps);
        ps->info.rounds++;
        if (ps->info.rounds == 1 && begins_hopeless(ps)) return;
        visit_waiting(ps, 0, 0);
        if (!presolve_over(ps)) mgc__presolve_dominated(ps);
        if (!presolve_over(ps)) mgc__presolve_parallel_rows(ps);
        if (!presolve_over(ps)) mgc__presolve_parallel_columns(ps);
        if (!presolve_over(ps)) visit_waiting(ps, 0, 0);
    } while (!presolve_over(ps) && ps->budget > 0 && ps->info.rounds < ROUNDS_MAX &&
             (double)(removed(ps) - before) > WORTH_A_ROUND * (double)all);
}

/* --- the reduced program --------------------------------------------------------------------- */

static void *take(mgc__presolve *ps, size_t n, size_t size)
{
    void *block = ps->status == MGC_OK ? mgc__alloc(ps->ctx, n, size) : NULL;

    if (block == NULL && ps->status == MGC_OK) ps->status = mgc__no_memory(ps->ctx, "a reduced program");
    return block;
}

static void number_live(mgc__presolve *ps, uint32_t n, uint32_t m, uint32_t *place)
{
    for (uint32_t j = 0, at = 0; j < ps->original.n; j++)
        if (!ps->col_dead[j]) {
            place[j] = at;
            ps->live_cols[at++] = j;
        }
    for (uint32_t i = 0, at = 0; i < ps->original.m; i++)
        if (!ps->row_dead[i]) ps->live_rows[at++] = i;
    (void)n;
    (void)m;
}

/* By rows, so that row indices ascend within a column. */
static void fill_matrix(mgc__presolve *ps, uint32_t n, uint32_t m, const uint32_t *place)
{
    mgc__csc *a = &ps->a_out;

    for (uint32_t j = 0; j < n; j++) a->start[j + 1] = a->start[j] + ps->cols.count[ps->live_cols[j]];
    for (uint32_t j = n; j > 0; j--) a->start[j] = a->start[j - 1]; /* start[j + 1]: where column j is filled next */
    if (n > 0) a->start[0] = 0;
    for (uint32_t i = 0; i < m; i++) {
        uint32_t from = ps->live_rows[i];
        mgc__presolve_tidy_row(ps, from);
        for (uint32_t e = ps->rows.start[from]; e < ps->rows.start[from] + ps->rows.count[from]; e++) {
            uint32_t at = a->start[place[ps->rows.index[e]] + 1]++;
            a->row[at] = i;
            a->value[at] = ps->rows.value[e];
        }
    }
}

static void fill_quadratic(mgc__presolve *ps, const uint32_t *place)
{
    const mgc__csc *u = ps->original.q;
    uint32_t at = 0, column = 0;

    for (uint32_t j = 0; j < u->cols; j++) {
        if (ps->col_dead[j]) continue;
        for (uint32_t k = u->start[j]; k < u->start[j + 1]; k++) {
            if (ps->col_dead[u->row[k]]) continue;
            ps->q_out.row[at] = place[u->row[k]];
            ps->q_out.value[at++] = u->value[k];
        }
        ps->q_out.start[++column] = at;
    }
}

static void fill_vectors(mgc__presolve *ps, uint32_t n, uint32_t m)
{
    for (uint32_t k = 0; k < n; k++) {
        uint32_t j = ps->live_cols[k];
        ps->c_out[k] = ps->c[j];
        ps->lower_out[k] = ps->lower[j];
        ps->upper_out[k] = ps->upper[j];
        if (ps->integer != NULL) ps->integer_out[k] = ps->integer[j];
        if (ps->original.block != NULL) ps->block_out[k] = ps->original.block[j];
    }
    for (uint32_t k = 0; k < m; k++) {
        uint32_t i = ps->live_rows[k];
        ps->row_lower_out[k] = ps->row_lower[i];
        ps->row_upper_out[k] = ps->row_upper[i];
    }
}

static void take_reduced(mgc__presolve *ps, uint32_t n, uint32_t m)
{
    size_t nnz = 0;

    for (uint32_t j = 0; j < ps->original.n; j++)
        if (!ps->col_dead[j]) nnz += ps->cols.count[j];
    ps->live_cols = take(ps, n, sizeof *ps->live_cols);
    ps->live_rows = take(ps, m, sizeof *ps->live_rows);
    ps->c_out = take(ps, n, sizeof *ps->c_out);
    ps->lower_out = take(ps, n, sizeof *ps->lower_out);
    ps->upper_out = take(ps, n, sizeof *ps->upper_out);
    ps->row_lower_out = take(ps, m, sizeof *ps->row_lower_out);
    ps->row_upper_out = take(ps, m, sizeof *ps->row_upper_out);
    if (ps->integer != NULL) ps->integer_out = take(ps, n, sizeof *ps->integer_out);
    if (ps->original.block != NULL) ps->block_out = take(ps, n, sizeof *ps->block_out);
    if (ps->status == MGC_OK) ps->status = mgc__csc_alloc(ps->ctx, m, n, nnz, &ps->a_out);
    if (ps->status == MGC_OK && ps->q_count != NULL)
        ps->status = mgc__csc_alloc(ps->ctx, n, n, ps->original.q->start[ps->original.n], &ps->q_out);
}

static void build(mgc__presolve *ps)
{
    uint32_t n = ps->original.n - ps->info.columns_removed, m = ps->original.m - ps->info.rows_removed;
    uint32_t *place = take(ps, ps->original.n, sizeof *place);

    take_reduced(ps, n, m);
    if (ps->status == MGC_OK) {
        number_live(ps, n, m, place);
        fill_matrix(ps, n, m, place);
        if (ps->q_count != NULL) fill_quadratic(ps, place);
        fill_vectors(ps, n, m);
        ps->reduced = (mgc__qp){.n = n,
                                .m = m,
                                .q = ps->q_count != NULL && ps->q_out.start[n] > 0 ? &ps->q_out : NULL,
                                .a = &ps->a_out,
                                .c = ps->c_out,
                                .lower = ps->lower_out,
                                .upper = ps->upper_out,
                                .row_lower = ps->row_lower_out,
                                .row_upper = ps->row_upper_out,
                                .block = ps->block_out};
        ps->changed = true;
    }
    mgc__free(ps->ctx, place);
}

/* --- the way back ---------------------------------------------------------------------------- */

static void undo(const mgc__presolve *ps, const struct record *r, const struct answer *w)
{
    switch ((enum undo_kind)r->kind) {
    case UNDO_FIXED: mgc__presolve_undo_fixed(ps, r, w); break;
    case UNDO_SINGLETON_ROW: mgc__presolve_undo_singleton_row(ps, r, w); break;
    case UNDO_FORCING_ROW: mgc__presolve_undo_forcing_row(ps, r, w); break;
    case UNDO_FALL: mgc__presolve_undo_fall(ps, r, w); break;
    case UNDO_LOOSE_ROW: mgc__presolve_undo_loose_row(ps, r, w); break;
    case UNDO_COLUMN_SINGLETON: mgc__presolve_undo_column_singleton(ps, r, w); break;
    case UNDO_DOUBLETON: mgc__presolve_undo_doubleton(ps, r, w); break;
    case UNDO_PARALLEL_ROW: mgc__presolve_undo_parallel_row(ps, r, w); break;
    case UNDO_PARALLEL_COLUMN: mgc__presolve_undo_parallel_column(ps, r, w); break;
    }
}

static void walk_back(const mgc__presolve *ps, const struct answer *w)
{
    for (size_t k = ps->n_records; k-- > 0;) undo(ps, &ps->records[k], w);
}

static void clear(double *v, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) v[k] = 0.0;
}

static void lay_x(mgc__presolve *ps, const double *x, bool ray)
{
    const mgc__qp *r = &ps->reduced;

    clear(ps->x, ps->original.n);
    for (uint32_t k = 0; k < r->n; k++)
        ps->x[ps->live_cols[k]] = ray ? x[k] : presolve_clip(x[k], r->lower[k], r->upper[k]);
}

/* y without what leans on a missing side, and the reduced costs that follow. */
static void lay_y(mgc__presolve *ps, const double *y, bool ray)
{
    const mgc__qp *r = &ps->reduced;

    clear(ps->y, ps->original.m);
    clear(ps->z, ps->original.n);
    for (uint32_t k = 0; k < r->m; k++) {
        bool leans = y[k] > 0.0 ? isfinite(r->row_lower[k]) : isfinite(r->row_upper[k]);
        ps->y[ps->live_rows[k]] = leans ? y[k] : 0.0;
    }
    for (uint32_t j = 0; j < r->n; j++) {
        double z = ray ? 0.0 : r->c[j], largest = 0.0;
        for (uint32_t e = r->a->start[j]; e < r->a->start[j + 1]; e++) {
            double term = r->a->value[e] * ps->y[ps->live_rows[r->a->row[e]]];
            z -= term;
            largest = fmax(largest, fabs(term));
        }
        ps->z[ps->live_cols[j]] += presolve_clean(z, largest, ray);
        if (ray || r->q == NULL) continue;
        for (uint32_t e = r->q->start[j]; e < r->q->start[j + 1]; e++) {
            uint32_t here = ps->live_cols[j], there = ps->live_cols[r->q->row[e]];
            ps->z[there] += r->q->value[e] * ps->x[here];
            if (here != there) ps->z[here] += r->q->value[e] * ps->x[there];
        }
    }
}

/* The ray in x (unbounded) or y (infeasible) goes back through all records. */
static void restore_ray(mgc__presolve *ps, bool infeasible)
{
    struct answer w = {.ray = true};

    if (infeasible) {
        w.y = ps->y;
        w.z = ps->z;
    } else {
        w.x = ps->x;
    }
    walk_back(ps, &w);
    uint32_t length = infeasible ? ps->original.m : ps->original.n;
    if (length > 0) memcpy(ps->ray, infeasible ? ps->y : ps->x, length * sizeof *ps->ray);
}

static void restore_point(mgc__presolve *ps, const mgc__ipm_result *reduced)
{
    struct answer w = {.x = ps->x};

    lay_x(ps, reduced->x, false);
    if (reduced->y != NULL) {
        lay_y(ps, reduced->y, false);
        w.y = ps->y;
        w.z = ps->z;
    }
    walk_back(ps, &w);
}

void mgc__presolve_restore(mgc__presolve *ps, const mgc__ipm_result *reduced, mgc__ipm_result *restored)
{
    mgc__ipm_result in = *reduced;
    bool infeasible = in.outcome == MGC_OUTCOME_INFEASIBLE;

    *restored = in;
    if (!ps->changed) return;
    restored->x = restored->y = restored->z = restored->ray = NULL;
    restored->objective += ps->offset;
    restored->bound += ps->offset;
    if (in.ray != NULL) {
        if (infeasible) lay_y(ps, in.ray, true);
        else lay_x(ps, in.ray, true);
        restore_ray(ps, infeasible);
        restored->ray = ps->ray;
    } else if (in.x != NULL) {
        restore_point(ps, &in);
        restored->x = ps->x;
        if (in.y != NULL) {
            restored->y = ps->y;
            restored->z = ps->z;
        }
    }
}

/* --- the calls ------------------------------------------------------------------------------- */

/* Equal blocks (scenarios) are factored side by side while they stay equal, and few reductions are the same in
 * all. */
static bool worth_it(mgc__presolve *ps)
{
    double part = part_removed(ps);

    return part >= ps->opts.worth || (part >= WORTH_FOR_EACH && part >= worth_alike(ps));
}

static void finish(mgc__presolve *ps)
{

    ps->reduced = ps->original;
    if (ps->status != MGC_OK) return;
    if (ps->outcome != MGC_OUTCOME_NONE) {
        restore_ray(ps, ps->outcome == MGC_OUTCOME_INFEASIBLE);
        return;
    }
    if (removed(ps) == 0 && ps->info.count[PRESOLVE_REDUNDANT_SIDE] == 0) return;
    if (worth_it(ps)) build(ps);
    else ps->offset = 0.0;
}

mgc_status mgc__presolve_run(mgc_ctx *ctx, const mgc__qp *qp, const mgc__presolve_opts *opts, mgc__presolve **out)
{
    mgc__presolve *ps = mgc__alloc(ctx, 1, sizeof *ps);

    *out = NULL;
    if (ps == NULL) return mgc__no_memory(ctx, "presolve");
    ps->ctx = ctx;
    ps->original = *qp;
    ps->outcome = MGC_OUTCOME_NONE;
    if (opts != NULL) ps->opts = *opts;
    ps->budget = BUDGET * ((size_t)qp->a->start[qp->n] + qp->n + qp->m) + 1000;
    mgc_status st = mgc__presolve_start(ps);
    if (st == MGC_OK) reduce(ps);
    if (st == MGC_OK) finish(ps);
    st = ps->status;
    if (st != MGC_OK) {
        mgc__presolve_destroy(ps);
        return st;
    }
    *out = ps;
    return MGC_OK;
}

static void free_lines(mgc__presolve *ps, struct lines *l)
{
    mgc__free(ps->ctx, l->start);
    mgc__free(ps->ctx, l->len);
    mgc__free(ps->ctx, l->count);
    mgc__free(ps->ctx, l->index);
    mgc__free(ps->ctx, l->value);
}

void mgc__presolve_destroy(mgc__presolve *ps)
{
    if (ps == NULL) return;
    void *const blocks[] = {ps->c,           ps->lower,      ps->upper,       ps->row_lower,     ps->row_upper,
                            ps->row_size,    ps->integer,    ps->row_dead,    ps->col_dead,      ps->row_queue,
                            ps->col_queue,   ps->row_waits,  ps->col_waits,   ps->q_count,       ps->q_diagonal,
                            ps->removed_at,  ps->records,    ps->saved_index, ps->saved_value,   ps->row_work,
                            ps->row_work2,   ps->row_source, ps->row_source2, ps->live_rows,     ps->live_cols,
                            ps->c_out,       ps->lower_out,  ps->upper_out,   ps->row_lower_out, ps->row_upper_out,
                            ps->integer_out, ps->block_out,  ps->x,           ps->y,             ps->z,
                            ps->ray};

    for (size_t k = 0; k < MGC__COUNT(blocks); k++) mgc__free(ps->ctx, blocks[k]);
    free_lines(ps, &ps->rows);
    free_lines(ps, &ps->cols);
    mgc__csc_free(ps->ctx, &ps->q);
    mgc__csc_free(ps->ctx, &ps->a_out);
    mgc__csc_free(ps->ctx, &ps->q_out);
    mgc__free(ps->ctx, ps);
}

uint32_t mgc__presolve_outcome(const mgc__presolve *ps)
{
    return ps->outcome;
}

const double *mgc__presolve_ray(const mgc__presolve *ps)
{
    return ps->outcome != MGC_OUTCOME_NONE ? ps->ray : NULL;
}

const mgc__qp *mgc__presolve_qp(const mgc__presolve *ps)
{
    return &ps->reduced;
}

double mgc__presolve_offset(const mgc__presolve *ps)
{
    return ps->offset;
}

const uint8_t *mgc__presolve_integer(const mgc__presolve *ps)
{
    return ps->changed ? ps->integer_out : ps->opts.integer;
}

const uint32_t *mgc__presolve_columns(const mgc__presolve *ps)
{
    return ps->live_cols;
}

const uint32_t *mgc__presolve_rows(const mgc__presolve *ps)
{
    return ps->live_rows;
}

bool mgc__presolve_changed(const mgc__presolve *ps)
{
    return ps->changed;
}

void mgc__presolve_read_info(const mgc__presolve *ps, mgc__presolve_info *info)
{
    *info = ps->info;
}
