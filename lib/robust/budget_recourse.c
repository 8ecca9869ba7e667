/* SPDX-License-Identifier: Apache-2.0 */
/* The recourse of a first stage and one z:  min b'y over the rows of the second stage; its dual; who is to blame where it has
 * no point or no end. */
#include <math.h>
#include <stdio.h>

#include "robust/budget.h"

double mgc__recourse_first(const mgc_budget *b, uint32_t row, const double *x)
{
    const mgc__budget_row *r = &b->rows[row];
    double sum = 0;

    for (size_t e = r->start; e < r->start + r->n; e++)
        if (b->columns[b->entry_column[e]].stage == MGC_FIRST_STAGE) sum += b->entry_value[e] * x[b->entry_column[e]];
    return sum;
}

/* Shifts are sorted by row: the first of this one. */
static size_t first_shift(const mgc_budget *b, uint32_t row)
{
    size_t low = 0, high = b->n_shifts;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (b->shifts[mid].row < row)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

double mgc__recourse_shift(const mgc_budget *b, uint32_t row, const double *z)
{
    double sum = 0;

    for (size_t s = first_shift(b, row); s < b->n_shifts && b->shifts[s].row == row; s++)
        sum += b->shifts[s].value * z[b->shifts[s].parameter];
    return sum;
}

static mgc_status add_recourse_row(const mgc_budget *b, uint32_t i, uint32_t *columns, double *values, mgc_program *program)
{
    const mgc__budget_row *r = &b->rows[i];
    size_t n = 0;

    for (size_t e = r->start; e < r->start + r->n; e++) {
        const mgc__budget_column *c = &b->columns[b->entry_column[e]];
        if (c->stage == MGC_FIRST_STAGE) continue;
        columns[n] = c->local;
        values[n++] = b->entry_value[e];
    }
    return mgc_program_add_row(program, r->lower, r->upper, columns, values, n, NULL);
}

mgc_status mgc__recourse_build(const mgc_budget *b, mgc_ctx *ctx, bool plain, mgc_program **out)
{
    uint32_t *columns = mgc__alloc(ctx, b->n_entries, sizeof *columns);
    double *values = mgc__alloc(ctx, b->n_entries, sizeof *values);

    *out = NULL;
    mgc_status st = columns == NULL || values == NULL ? mgc__no_memory(ctx, "a recourse problem") : mgc_program_create(ctx, out);
    for (uint32_t j = 0; j < b->n && st == MGC_OK; j++) {
        const mgc__budget_column *c = &b->columns[j];
        if (c->stage == MGC_RECOURSE) st = mgc_program_add_column(*out, plain ? 0 : c->cost, c->lower, c->upper, NULL);
    }
    for (uint32_t i = 0; i < b->m && st == MGC_OK; i++)
        if (b->rows[i].stage == MGC_RECOURSE) st = add_recourse_row(b, i, columns, values, *out);
    mgc__free(ctx, columns);
    mgc__free(ctx, values);
    if (st != MGC_OK) {
        mgc_program_destroy(*out);
        *out = NULL;
    }
    return st;
}

mgc_status mgc__recourse_set(const mgc_budget *b, const double *x, const double *z, mgc_program *program)
{
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < b->m && st == MGC_OK; i++) {
        const mgc__budget_row *r = &b->rows[i];
        if (r->stage == MGC_FIRST_STAGE) continue;
        double move = mgc__recourse_shift(b, i, z) - mgc__recourse_first(b, i, x);
        st = mgc_program_set_row_bounds(program, r->local, r->lower + move, r->upper + move);
    }
    return st;
}

/* --- the dual ---------------------------------------------------------------------------------------------------- */

/* maximise  sum_i (lower_i - E_i x) plus_i - (upper_i - E_i x) minus_i + sum_j l_j over_j - u_j under_j
 * s.t.      sum_i g_ij (plus_i - minus_i) + over_j - under_j = b_j for each y_j, all >= 0;  an equality's plus_i is free. */
static mgc_status add_dual_columns(const mgc_budget *b, const double *x, uint32_t *plus, uint32_t *minus, mgc_program *lp)
{
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < b->m && st == MGC_OK; i++) {
        const mgc__budget_row *r = &b->rows[i];
        if (r->stage == MGC_FIRST_STAGE) continue;
        double first = x != NULL ? mgc__recourse_first(b, i, x) : 0;
        bool equal = r->lower == r->upper;
        plus[r->local] = minus[r->local] = UINT32_MAX;
        if (isfinite(r->lower))
            st = mgc_program_add_column(lp, first - r->lower, equal ? -INFINITY : 0, INFINITY, &plus[r->local]);
        if (isfinite(r->upper) && !equal && st == MGC_OK)
            st = mgc_program_add_column(lp, r->upper - first, 0, INFINITY, &minus[r->local]);
    }
    return st;
}

/* Entries of the recourse by column: start, then (row, value). */
typedef struct by_column {
    size_t *start;
    uint32_t *row;
    double *value;
} by_column;

static mgc_status turn(const mgc_budget *b, by_column *t)
{
    t->start = mgc__alloc(b->ctx, (size_t)b->n_second + 2, sizeof *t->start);
    t->row = mgc__alloc(b->ctx, b->n_entries, sizeof *t->row);
    t->value = mgc__alloc(b->ctx, b->n_entries, sizeof *t->value);
    if (t->start == NULL || t->row == NULL || t->value == NULL) return mgc__no_memory(b->ctx, "the recourse by columns");
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < b->m; i++)
            for (size_t e = b->rows[i].start; e < b->rows[i].start + b->rows[i].n; e++) {
                const mgc__budget_column *c = &b->columns[b->entry_column[e]];
                if (c->stage == MGC_FIRST_STAGE) continue;
                if (pass == 0) {
                    t->start[c->local + 2]++;
                } else {
                    t->row[t->start[c->local + 1]] = b->rows[i].local;
                    t->value[t->start[c->local + 1]++] = b->entry_value[e];
                }
            }
        for (uint32_t j = 0; j < b->n_second && pass == 0; j++) t->start[j + 2] += t->start[j + 1];
    }
    return MGC_OK;
}

static mgc_status add_dual_row(const mgc_budget *b, uint32_t j, bool plain, const by_column *t, const uint32_t *plus,
                               const uint32_t *minus, uint32_t *columns, double *values, mgc_program *lp)
{
    const mgc__budget_column *c = &b->columns[j];
    double cost = plain ? 0 : c->cost;
    mgc_status st = MGC_OK;
    size_t n = 0;

    for (size_t e = t->start[c->local]; e < t->start[c->local + 1]; e++) {
        if (plus[t->row[e]] != UINT32_MAX) {
            columns[n] = plus[t->row[e]];
            values[n++] = t->value[e];
        }
        if (minus[t->row[e]] != UINT32_MAX) {
            columns[n] = minus[t->row[e]];
            values[n++] = -t->value[e];
        }
    }
    if (isfinite(c->lower)) {
        st = mgc_program_add_column(lp, -c->lower, 0, INFINITY, &columns[n]);
        values[n++] = 1;
    }
    if (isfinite(c->upper) && st == MGC_OK) {
        st = mgc_program_add_column(lp, c->upper, 0, INFINITY, &columns[n]);
        values[n++] = -1;
    }
    return st == MGC_OK ? mgc_program_add_row(lp, cost, cost, columns, values, n, NULL) : st;
}

mgc_status mgc__dual_build(const mgc_budget *b, const double *x, bool plain, uint32_t *plus, uint32_t *minus, mgc_program *lp)
{
    size_t room = 2 * (size_t)b->m_second + 2;
    uint32_t *columns = mgc__alloc(b->ctx, room + b->n_entries * 2, sizeof *columns);
    double *values = mgc__alloc(b->ctx, room + b->n_entries * 2, sizeof *values);
    by_column t = {.start = NULL};
    mgc_status st = columns == NULL || values == NULL ? mgc__no_memory(b->ctx, "the dual of the recourse") : turn(b, &t);

    if (st == MGC_OK) st = add_dual_columns(b, x, plus, minus, lp);
    for (uint32_t j = 0; j < b->n && st == MGC_OK; j++)
        if (b->columns[j].stage == MGC_RECOURSE) st = add_dual_row(b, j, plain, &t, plus, minus, columns, values, lp);
    mgc__free(b->ctx, columns);
    mgc__free(b->ctx, values);
    mgc__free(b->ctx, t.start);
    mgc__free(b->ctx, t.row);
    mgc__free(b->ctx, t.value);
    return st;
}

/* --- who is to blame --------------------------------------------------------------------------------------------- */

/* A share of the largest entry below which a row or column has no part in the story, and how many are named. */
static const double worth_naming = 1e-6;
enum { NAMED_MAX = 6 };

static size_t say(mgc_budget *b, size_t at, const char *format, ...) MGC_PRINTF(3, 4);
static size_t say(mgc_budget *b, size_t at, const char *format, ...)
{
    va_list args;

    if (at >= sizeof b->explanation) return at;
    va_start(args, format);
    int n = mgc__vformat(b->explanation + at, sizeof b->explanation - at, format, args);
    va_end(args);
    return n > 0 ? at + (size_t)n : at;
}

static size_t say_z(mgc_budget *b, size_t at, const double *z)
{
    uint32_t named = 0;

    for (uint32_t i = 0; i < b->parameters && named < 2 * NAMED_MAX; i++) {
        if (z[i] == 0) continue;
        at = say(b, at, "%sz%u = %.6g", named == 0 ? "" : ", ", i, z[i]);
        named++;
    }
    return named == 0 ? say(b, at, "z = 0") : at;
}

static size_t say_name(mgc_budget *b, size_t at, uint32_t named, const char *what, uint32_t index, const char *name)
{
    at = say(b, at, "%s%s %u", named == 0 ? "" : ", ", what, index);
    return name != NULL ? say(b, at, " (%.60s)", name) : at;
}

void mgc__budget_blame(mgc_budget *b, const mgc_program *recourse, uint32_t outcome, const double *z)
{
    bool rows = outcome == MGC_OUTCOME_INFEASIBLE;
    uint32_t n = rows ? b->m_second : b->n_second, named = 0;
    double *ray = mgc__alloc(b->ctx, n, sizeof *ray), most = 0;
    size_t at = rows ? say(b, 0, "recourse has no point where ") : say(b, 0, "recourse cost falls without end");

    if (rows) at = say_z(b, at, z);
    bool told = ray != NULL && mgc_program_get_ray(recourse, ray, n) == MGC_OK;
    for (uint32_t i = 0; i < n && told; i++) most = fmax(most, fabs(ray[i]));
    if (told) at = say(b, at, rows ? "; not to be met together: " : ", along ");
    for (uint32_t i = 0; i < (rows ? b->m : b->n) && told && named < NAMED_MAX; i++) {
        uint32_t stage = rows ? b->rows[i].stage : b->columns[i].stage;
        uint32_t local = rows ? b->rows[i].local : b->columns[i].local;
        if (stage == MGC_FIRST_STAGE || fabs(ray[local]) <= worth_naming * most) continue;
        at = say_name(b, at, named++, rows ? "row" : "column", i, rows ? b->rows[i].name : b->columns[i].name);
    }
    mgc__free(b->ctx, ray);
}
