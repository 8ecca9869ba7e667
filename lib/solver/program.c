/* SPDX-License-Identifier: Apache-2.0 */
/* Building and changing a program: every number is checked here, once, so that nothing behind has to. */
#include "solver/program_impl.h"

#include <math.h>
#include <stdio.h>

/* --- arrays that grow ------------------------------------------------------------------------ */

static bool grow_double(mgc_ctx *ctx, double **array, size_t *cap, size_t need)
{
    void *block = *array;
    bool ok = mgc__grow(ctx, &block, cap, need, sizeof **array);

    *array = block;
    return ok;
}

static bool grow_u32(mgc_ctx *ctx, uint32_t **array, size_t *cap, size_t need)
{
    void *block = *array;
    bool ok = mgc__grow(ctx, &block, cap, need, sizeof **array);

    *array = block;
    return ok;
}

static bool grow_column_arrays(mgc_program *p, size_t need)
{
    void *integer = p->integer, *slot = p->slot;
    bool ok = grow_double(p->ctx, &p->cost, &p->cost_cap, need) &&
              grow_double(p->ctx, &p->lower, &p->lower_cap, need) &&
              grow_double(p->ctx, &p->upper, &p->upper_cap, need) &&
              mgc__grow(p->ctx, &integer, &p->integer_cap, need, sizeof *p->integer) &&
              mgc__grow(p->ctx, &slot, &p->slot_cap, need, sizeof *p->slot);

    p->integer = integer;
    p->slot = slot;
    return ok;
}

static bool grow_row_arrays(mgc_program *p, size_t need)
{
    return grow_double(p->ctx, &p->row_lower, &p->row_lower_cap, need) &&
           grow_double(p->ctx, &p->row_upper, &p->row_upper_cap, need);
}

/* --- sparse entries -------------------------------------------------------------------------- */

static void entries_free(mgc_ctx *ctx, mgc__entries *e)
{
    mgc__free(ctx, e->csc.start);
    mgc__free(ctx, e->csc.row);
    mgc__free(ctx, e->csc.value);
    mgc__free(ctx, e->row);
    mgc__free(ctx, e->col);
    mgc__free(ctx, e->value);
    memset(e, 0, sizeof *e);
}

static size_t entries_compiled(const mgc__entries *e)
{
    return e->csc.start != NULL ? e->csc.start[e->csc.cols] : 0;
}

static bool entries_reserve(mgc_ctx *ctx, mgc__entries *e, size_t need)
{
    return grow_u32(ctx, &e->row, &e->row_cap, need) && grow_u32(ctx, &e->col, &e->col_cap, need) &&
           grow_double(ctx, &e->value, &e->value_cap, need);
}

/* Room for one more was reserved. */
static void entries_push(mgc__entries *e, uint32_t row, uint32_t col, double value)
{
    e->row[e->pending] = row;
    e->col[e->pending] = col;
    e->value[e->pending++] = value;
}

/* The compiled value at (row, col), or NULL. */
static double *entries_find(const mgc__entries *e, uint32_t row, uint32_t col)
{
    const mgc__csc *m = &e->csc;
    size_t low, high;

    if (m->start == NULL || col >= m->cols) return NULL;
    low = m->start[col];
    high = m->start[col + 1];
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (m->row[mid] < row) low = mid + 1;
        else high = mid;
    }
    return low < m->start[col + 1] && m->row[low] == row ? &m->value[low] : NULL;
}

static mgc_status entries_set(mgc_ctx *ctx, mgc__entries *e, uint32_t row, uint32_t col, double value)
{
    double *there = entries_find(e, row, col);

    if (there != NULL) {
        e->dirty |= value == 0.0;
        *there = value;
        return MGC_OK;
    }
    if (e->pending + entries_compiled(e) >= PROGRAM_NONZEROS_MAX)
        return mgc__fail(ctx, MGC_E_LIMIT, "solver: too many coefficients; at most %zu", PROGRAM_NONZEROS_MAX);
    if (!entries_reserve(ctx, e, e->pending + 1)) return mgc__no_memory(ctx, "a coefficient");
    entries_push(e, row, col, value);
    return MGC_OK;
}

struct triplets {
    uint32_t *row, *col;
    double *value;
    size_t n;
};

static bool triplets_alloc(mgc_ctx *ctx, struct triplets *t, size_t n)
{
    t->n = n;
    t->row = mgc__alloc(ctx, n, sizeof *t->row);
    t->col = mgc__alloc(ctx, n, sizeof *t->col);
    t->value = mgc__alloc(ctx, n, sizeof *t->value);
    return t->row != NULL && t->col != NULL && t->value != NULL;
}

static void triplets_free(mgc_ctx *ctx, struct triplets *t)
{
    mgc__free(ctx, t->row);
    mgc__free(ctx, t->col);
    mgc__free(ctx, t->value);
}

/* One pass of a radix sort: stable by key[], keys below n_keys; count has n_keys + 1 entries. */
static void sort_pass(const struct triplets *from, struct triplets *to, const uint32_t *key, uint32_t n_keys,
                      size_t *count)
{
    memset(count, 0, ((size_t)n_keys + 1) * sizeof *count);
    for (size_t k = 0; k < from->n; k++) count[key[k] + 1]++;
    for (uint32_t i = 0; i < n_keys; i++) count[i + 1] += count[i];
    for (size_t k = 0; k < from->n; k++) {
        size_t at = count[key[k]]++;
        to->row[at] = from->row[k];
        to->col[at] = from->col[k];
        to->value[at] = from->value[k];
    }
}

static void entries_gather(const mgc__entries *e, struct triplets *t)
{
    size_t at = 0;

    for (uint32_t j = 0; j < e->csc.cols; j++)
        for (uint32_t k = e->csc.start[j]; k < e->csc.start[j + 1]; k++, at++) {
            t->row[at] = e->csc.row[k];
            t->col[at] = j;
            t->value[at] = e->csc.value[k];
        }
    for (size_t k = 0; k < e->pending; k++, at++) {
        t->row[at] = e->row[k];
        t->col[at] = e->col[k];
        t->value[at] = e->value[k];
    }
}

/* From triplets sorted by (column, row), of equal ones the last, without zeros. */
static void csc_fill(mgc__csc *out, const struct triplets *t)
{
    uint32_t at = 0;
    size_t k = 0;

    for (uint32_t j = 0; j < out->cols; j++) {
        out->start[j] = at;
        for (; k < t->n && t->col[k] == j; k++) {
            bool last = k + 1 == t->n || t->col[k + 1] != j || t->row[k + 1] != t->row[k];
            if (!last || t->value[k] == 0.0) continue;
            out->row[at] = t->row[k];
            out->value[at++] = t->value[k];
        }
    }
    out->start[out->cols] = at;
}

static mgc_status entries_compile(mgc_ctx *ctx, mgc__entries *e, uint32_t rows, uint32_t cols)
{
    size_t total = entries_compiled(e) + e->pending;
    struct triplets one = {0}, two = {0};
    size_t *count = NULL;
    mgc__csc out = {.rows = rows, .cols = cols};

    if (e->csc.start != NULL && !e->dirty && e->pending == 0 && e->csc.rows == rows && e->csc.cols == cols)
        return MGC_OK;
    bool ok = triplets_alloc(ctx, &one, total) && triplets_alloc(ctx, &two, total);
    count = ok ? mgc__alloc(ctx, (size_t)(rows > cols ? rows : cols) + 1, sizeof *count) : NULL;
    out.start = mgc__alloc(ctx, (size_t)cols + 1, sizeof *out.start);
    out.row = mgc__alloc(ctx, total, sizeof *out.row);
    out.value = mgc__alloc(ctx, total, sizeof *out.value);
    ok = ok && count != NULL && out.start != NULL && out.row != NULL && out.value != NULL;
    if (ok) {
        entries_gather(e, &one);
        sort_pass(&one, &two, one.row, rows, count);
        sort_pass(&two, &one, two.col, cols, count);
        csc_fill(&out, &one);
        entries_free(ctx, e);
        e->csc = out;
    } else {
        mgc__free(ctx, out.start);
        mgc__free(ctx, out.row);
        mgc__free(ctx, out.value);
    }
    mgc__free(ctx, count);
    triplets_free(ctx, &one);
    triplets_free(ctx, &two);
    return ok ? MGC_OK : mgc__no_memory(ctx, "the matrix of a program");
}

/* n items of `size` bytes copied; NULL on lack of memory. */
static void *copy_of(mgc_ctx *ctx, const void *from, size_t n, size_t size)
{
    void *to = mgc__alloc(ctx, n, size);

    if (to != NULL && n > 0) memcpy(to, from, n * size);
    return to;
}

static bool csc_copy(mgc_ctx *ctx, const mgc__csc *from, mgc__csc *to)
{
    size_t n = from->start[from->cols];

    to->rows = from->rows;
    to->cols = from->cols;
    to->start = copy_of(ctx, from->start, (size_t)from->cols + 1, sizeof *to->start);
    to->row = copy_of(ctx, from->row, n, sizeof *to->row);
    to->value = copy_of(ctx, from->value, n, sizeof *to->value);
    return to->start != NULL && to->row != NULL && to->value != NULL;
}

mgc_status mgc__program_compile(mgc_program *p)
{
    mgc_status st = entries_compile(p->ctx, &p->a, p->m, p->n);

    if (st != MGC_OK) return st;
    return entries_compile(p->ctx, &p->q, p->n, p->n);
}

void mgc__program_qp(const mgc_program *p, mgc__qp *qp)
{
    *qp = (mgc__qp){.n = p->n,
                    .m = p->m,
                    .q = p->q.csc.start[p->n] > 0 ? &p->q.csc : NULL,
                    .a = &p->a.csc,
                    .c = p->cost,
                    .lower = p->lower,
                    .upper = p->upper,
                    .row_lower = p->row_lower,
                    .row_upper = p->row_upper,
                    .block = p->block_n == p->n ? p->block : NULL};
}

mgc_status mgc__program_set_blocks(mgc_program *p, const uint32_t *block, size_t n)
{
    uint32_t *copy = mgc__alloc(p->ctx, n, sizeof *copy);

    if (copy == NULL) return mgc__no_memory(p->ctx, "the blocks of a program");
    memcpy(copy, block, n * sizeof *copy);
    mgc__free(p->ctx, p->block);
    p->block = copy;
    p->block_n = (uint32_t)n;
    return MGC_OK;
}

void mgc__program_keep_inside(mgc_program *p)
{
    p->inside = true;
}

/* --- life ------------------------------------------------------------------------------------ */

mgc_status mgc_program_create(mgc_ctx *ctx, mgc_program **out)
{
    if (out == NULL)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "solver: out is NULL; a place for the program is needed");
    *out = NULL;
    if (ctx == NULL) return MGC_E_INVALID_ARG;
    mgc_program *p = mgc__alloc(ctx, 1, sizeof *p);
    if (p == NULL) return mgc__no_memory(ctx, "a program");
    p->ctx = ctx;
    *out = p;
    return MGC_OK;
}

void mgc__result_free(mgc_ctx *ctx, mgc__result *result)
{
    mgc__free(ctx, result->x);
    mgc__free(ctx, result->y);
    mgc__free(ctx, result->z);
    mgc__free(ctx, result->ray);
    memset(result, 0, sizeof *result);
}

static void names_free(mgc_ctx *ctx, char **names, uint32_t n)
{
    if (names == NULL) return;
    for (uint32_t i = 0; i < n; i++) mgc__free(ctx, names[i]);
    mgc__free(ctx, names);
}

void mgc_program_destroy(mgc_program *p)
{
    if (p == NULL) return;
    mgc_ctx *ctx = p->ctx;

    names_free(ctx, p->column_name, p->n);
    names_free(ctx, p->row_name, p->m);
    mgc__free(ctx, p->name);
    entries_free(ctx, &p->a);
    entries_free(ctx, &p->q);
    mgc__free(ctx, p->cost);
    mgc__free(ctx, p->lower);
    mgc__free(ctx, p->upper);
    mgc__free(ctx, p->integer);
    mgc__free(ctx, p->slot);
    mgc__free(ctx, p->row_lower);
    mgc__free(ctx, p->row_upper);
    mgc__free(ctx, p->start);
    mgc__free(ctx, p->block);
    mgc__result_free(ctx, &p->result);
    mgc__ipm_destroy(p->ipm);
    mgc__ipm_anchor_destroy(p->handed);
    mgc__free(ctx, p);
}

static bool names_copy(mgc_ctx *ctx, char **from, uint32_t n, char ***to, size_t *cap)
{
    if (from == NULL) return true;
    char **names = mgc__alloc(ctx, n, sizeof *names);
    if (names == NULL) return false;
    *to = names;
    *cap = n > 0 ? n : 1;
    for (uint32_t i = 0; i < n; i++)
        if (from[i] != NULL && (names[i] = mgc__strdup(ctx, from[i])) == NULL) return false;
    return true;
}

static bool clone_columns(const mgc_program *from, mgc_program *to)
{
    to->n = from->n;
    if (!grow_column_arrays(to, (size_t)from->n + 1)) return false;
    to->integers = from->integers;
    memcpy(to->integer, from->integer, from->n);
    for (uint32_t j = 0; j < from->n; j++) {
        to->cost[j] = from->cost[j];
        to->lower[j] = from->lower[j];
        to->upper[j] = from->upper[j];
        to->slot[j] = SIZE_MAX;
    }
    return names_copy(from->ctx, from->column_name, from->n, &to->column_name, &to->column_name_cap);
}

static bool clone_rows(const mgc_program *from, mgc_program *to)
{
    to->m = from->m;
    if (!grow_row_arrays(to, (size_t)from->m + 1)) return false;
    for (uint32_t i = 0; i < from->m; i++) {
        to->row_lower[i] = from->row_lower[i];
        to->row_upper[i] = from->row_upper[i];
    }
    return names_copy(from->ctx, from->row_name, from->m, &to->row_name, &to->row_name_cap);
}

mgc_status mgc_program_clone(const mgc_program *from, mgc_program **out)
{
    mgc_program *to;

    if (from == NULL || out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    /* Compiling changes how the entries are kept, not what they are. */
    mgc_status st = mgc__program_compile((mgc_program *)(uintptr_t)from);
    if (st != MGC_OK) return st;
    st = mgc_program_create(from->ctx, &to);
    if (st != MGC_OK) return st;
    to->offset = from->offset;
    to->maximises = from->maximises;
    bool ok = from->n == 0 || clone_columns(from, to);
    ok = ok && (from->m == 0 || clone_rows(from, to));
    ok = ok && csc_copy(from->ctx, &from->a.csc, &to->a.csc) && csc_copy(from->ctx, &from->q.csc, &to->q.csc);
    ok = ok && (from->block == NULL || from->block_n != from->n || mgc__program_set_blocks(to, from->block, from->n) == MGC_OK);
    ok = ok && (from->name == NULL || (to->name = mgc__strdup(from->ctx, from->name)) != NULL);
    if (!ok) {
        mgc_program_destroy(to);
        return mgc__no_memory(from->ctx, "a copy of a program");
    }
    *out = to;
    return MGC_OK;
}

/* --- checks ---------------------------------------------------------------------------------- */

enum thing { COLUMN, ROW };

/* "column 7 (chp_on)" for messages. */
struct where {
    char text[PROGRAM_NAME_MAX + 32];
};

static struct where place(const mgc_program *p, enum thing thing, uint32_t index)
{
    struct where w;
    const char *name = thing == COLUMN ? mgc_program_column_name(p, index) : mgc_program_row_name(p, index);
    const char *kind = thing == COLUMN ? "column" : "row";

    if (name[0] != '\0') snprintf(w.text, sizeof w.text, "%s %u (%s)", kind, index, name);
    else snprintf(w.text, sizeof w.text, "%s %u", kind, index);
    return w;
}

static mgc_status check_bounds(const mgc_program *p, enum thing thing, uint32_t index, double lower, double upper)
{
    if (isnan(lower) || lower == INFINITY)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: lower bound of %s is %g; must be a number or -infinity",
                         place(p, thing, index).text, lower);
    if (isnan(upper) || upper == -INFINITY)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: upper bound of %s is %g; must be a number or infinity",
                         place(p, thing, index).text, upper);
    if (lower > upper)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG,
                         "solver: bounds of %s cross: lower %.17g, upper %.17g; lower <= upper is needed",
                         place(p, thing, index).text, lower, upper);
    return MGC_OK;
}

static mgc_status check_finite(const mgc_program *p, const char *what, uint32_t column, double value)
{
    if (isfinite(value)) return MGC_OK;
    return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: %s of %s is %g; must be finite", what,
                     place(p, COLUMN, column).text, value);
}

static mgc_status check_column(const mgc_program *p, uint32_t column)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    if (column < p->n) return MGC_OK;
    return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: there is no column %u; the program has %u", column, p->n);
}

static mgc_status check_row(const mgc_program *p, uint32_t row)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    if (row < p->m) return MGC_OK;
    return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: there is no row %u; the program has %u", row, p->m);
}

/* --- columns and rows ------------------------------------------------------------------------ */

mgc_status mgc_program_add_column(mgc_program *p, double cost, double lower, double upper, uint32_t *column)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_finite(p, "cost", p->n, cost);
    if (st == MGC_OK) st = check_bounds(p, COLUMN, p->n, lower, upper);
    if (st != MGC_OK) return st;
    if (p->n >= PROGRAM_SIZE_MAX)
        return mgc__fail(p->ctx, MGC_E_LIMIT, "solver: too many columns; at most %d", PROGRAM_SIZE_MAX);
    if (!grow_column_arrays(p, (size_t)p->n + 1)) return mgc__no_memory(p->ctx, "a column");
    if (p->column_name != NULL) {
        void *names = p->column_name;
        bool ok = mgc__grow(p->ctx, &names, &p->column_name_cap, (size_t)p->n + 1, sizeof *p->column_name);
        p->column_name = names;
        if (!ok) return mgc__no_memory(p->ctx, "a column's name");
        p->column_name[p->n] = NULL;
    }
    p->cost[p->n] = cost;
    p->lower[p->n] = lower;
    p->upper[p->n] = upper;
    p->integer[p->n] = 0;
    p->slot[p->n] = SIZE_MAX;
    if (column != NULL) *column = p->n;
    p->n++;
    return MGC_OK;
}

static mgc_status check_new_row(mgc_program *p, double lower, double upper, const uint32_t *columns,
                                const double *values, size_t n)
{
    mgc_status st = check_bounds(p, ROW, p->m, lower, upper);

    if (st != MGC_OK) return st;
    if (n > 0 && (columns == NULL || values == NULL))
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG,
                         "solver: columns or values of row %u are NULL; %zu entries were announced", p->m, n);
    for (size_t k = 0; k < n; k++) {
        if (columns[k] >= p->n)
            return mgc__fail(p->ctx, MGC_E_INVALID_ARG,
                             "solver: entry %zu of row %u names column %u; the program has %u", k, p->m, columns[k],
                             p->n);
        if (!isfinite(values[k]))
            return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: entry %zu of row %u, in %s, is %g; must be finite",
                             k, p->m, place(p, COLUMN, columns[k]).text, values[k]);
    }
    if (p->m >= PROGRAM_SIZE_MAX)
        return mgc__fail(p->ctx, MGC_E_LIMIT, "solver: too many rows; at most %d", PROGRAM_SIZE_MAX);
    if (n > PROGRAM_NONZEROS_MAX - entries_compiled(&p->a) - p->a.pending)
        return mgc__fail(p->ctx, MGC_E_LIMIT, "solver: too many coefficients; at most %zu", PROGRAM_NONZEROS_MAX);
    return MGC_OK;
}

/* A column named twice is summed: slot[] tells where it went, if that place is in this row. */
static void push_row(mgc_program *p, const uint32_t *columns, const double *values, size_t n)
{
    mgc__entries *a = &p->a;
    size_t first = a->pending;

    for (size_t k = 0; k < n; k++) {
        uint32_t j = columns[k];
        size_t at = p->slot[j];
        if (at >= first && at < a->pending && a->col[at] == j) {
            a->value[at] += values[k];
        } else {
            p->slot[j] = a->pending;
            entries_push(a, p->m, j, values[k]);
        }
    }
}

mgc_status mgc_program_add_row(mgc_program *p, double lower, double upper, const uint32_t *columns,
                               const double *values, size_t n, uint32_t *row)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_new_row(p, lower, upper, columns, values, n);
    if (st != MGC_OK) return st;
    if (!grow_row_arrays(p, (size_t)p->m + 1) || !entries_reserve(p->ctx, &p->a, p->a.pending + n))
        return mgc__no_memory(p->ctx, "a row");
    if (p->row_name != NULL) {
        void *names = p->row_name;
        bool ok = mgc__grow(p->ctx, &names, &p->row_name_cap, (size_t)p->m + 1, sizeof *p->row_name);
        p->row_name = names;
        if (!ok) return mgc__no_memory(p->ctx, "a row's name");
        p->row_name[p->m] = NULL;
    }
    push_row(p, columns, values, n);
    p->row_lower[p->m] = lower;
    p->row_upper[p->m] = upper;
    if (row != NULL) *row = p->m;
    p->m++;
    return MGC_OK;
}

/* --- changes --------------------------------------------------------------------------------- */

mgc_status mgc_program_set_cost(mgc_program *p, uint32_t column, double cost)
{
    mgc_status st = check_column(p, column);

    if (st == MGC_OK) st = check_finite(p, "cost", column, cost);
    if (st == MGC_OK) p->cost[column] = cost;
    return st;
}

mgc_status mgc_program_set_bounds(mgc_program *p, uint32_t column, double lower, double upper)
{
    mgc_status st = check_column(p, column);

    if (st == MGC_OK) st = check_bounds(p, COLUMN, column, lower, upper);
    if (st != MGC_OK) return st;
    p->lower[column] = lower;
    p->upper[column] = upper;
    return MGC_OK;
}

mgc_status mgc_program_set_row_bounds(mgc_program *p, uint32_t row, double lower, double upper)
{
    mgc_status st = check_row(p, row);

    if (st == MGC_OK) st = check_bounds(p, ROW, row, lower, upper);
    if (st != MGC_OK) return st;
    p->row_lower[row] = lower;
    p->row_upper[row] = upper;
    return MGC_OK;
}

mgc_status mgc_program_set_integer(mgc_program *p, uint32_t column, int32_t integer)
{
    mgc_status st = check_column(p, column);

    if (st != MGC_OK) return st;
    if (integer != 0 && integer != 1)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: integer of %s is %d; must be 0 or 1",
                         place(p, COLUMN, column).text, integer);
    p->integers = p->integers - p->integer[column] + (uint32_t)integer;
    p->integer[column] = (uint8_t)integer;
    return MGC_OK;
}

mgc_status mgc_program_set_offset(mgc_program *p, double offset)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    if (!isfinite(offset))
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: objective offset is %g; must be finite", offset);
    p->offset = offset;
    return MGC_OK;
}

mgc_status mgc_program_set_quadratic(mgc_program *p, uint32_t i, uint32_t j, double value)
{
    mgc_status st = check_column(p, i);

    if (st == MGC_OK) st = check_column(p, j);
    if (st == MGC_OK) st = check_finite(p, "quadratic coefficient", i, value);
    return st == MGC_OK ? entries_set(p->ctx, &p->q, i < j ? i : j, i < j ? j : i, value) : st;
}

mgc_status mgc_program_set_coefficient(mgc_program *p, uint32_t row, uint32_t column, double value)
{
    mgc_status st = check_row(p, row);

    if (st == MGC_OK) st = check_column(p, column);
    if (st == MGC_OK && !isfinite(value))
        st = mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: coefficient of %s in %s is %g; must be finite",
                       place(p, COLUMN, column).text, place(p, ROW, row).text, value);
    return st == MGC_OK ? entries_set(p->ctx, &p->a, row, column, value) : st;
}

/* --- names ----------------------------------------------------------------------------------- */

static mgc_status check_name(const mgc_program *p, const char *name)
{
    size_t len = 0;

    if (name == NULL) return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: a name is NULL; give \"\" for none");
    while (len <= PROGRAM_NAME_MAX && name[len] != '\0') {
        if ((unsigned char)name[len] < ' ' || name[len] == 127)
            return mgc__fail(p->ctx, MGC_E_INVALID_ARG,
                             "solver: byte %zu of a name is the control character %d; must be printable", len,
                             name[len]);
        len++;
    }
    if (len <= PROGRAM_NAME_MAX) return MGC_OK;
    return mgc__fail(p->ctx, MGC_E_LIMIT, "solver: a name begins \"%.20s\" and is longer than %d bytes", name,
                     PROGRAM_NAME_MAX);
}

static mgc_status set_name(const mgc_program *p, char ***names, size_t *cap, uint32_t n, uint32_t index,
                           const char *name)
{
    mgc_status st = check_name(p, name);
    char *copy = NULL;

    if (st != MGC_OK) return st;
    if (*names == NULL) {
        *names = mgc__alloc(p->ctx, n, sizeof **names);
        if (*names == NULL) return mgc__no_memory(p->ctx, "names");
        *cap = n;
    }
    if (name[0] != '\0' && (copy = mgc__strdup(p->ctx, name)) == NULL) return mgc__no_memory(p->ctx, "a name");
    mgc__free(p->ctx, (*names)[index]);
    (*names)[index] = copy;
    return MGC_OK;
}

mgc_status mgc_program_set_column_name(mgc_program *p, uint32_t column, const char *name)
{
    mgc_status st = check_column(p, column);

    return st == MGC_OK ? set_name(p, &p->column_name, &p->column_name_cap, p->n, column, name) : st;
}

mgc_status mgc_program_set_row_name(mgc_program *p, uint32_t row, const char *name)
{
    mgc_status st = check_row(p, row);

    return st == MGC_OK ? set_name(p, &p->row_name, &p->row_name_cap, p->m, row, name) : st;
}

mgc_status mgc_program_set_name(mgc_program *p, const char *name)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_name(p, name);
    if (st != MGC_OK) return st;
    char *copy = mgc__strdup(p->ctx, name);
    if (copy == NULL) return mgc__no_memory(p->ctx, "a name");
    mgc__free(p->ctx, p->name);
    p->name = copy;
    return MGC_OK;
}

/* --- looking --------------------------------------------------------------------------------- */

uint32_t mgc_program_columns(const mgc_program *p)
{
    return p != NULL ? p->n : 0;
}

uint32_t mgc_program_rows(const mgc_program *p)
{
    return p != NULL ? p->m : 0;
}

uint64_t mgc_program_nonzeros(const mgc_program *p)
{
    if (p == NULL) return 0;
    /* Without memory to compile, the count before duplicates and zeros are removed. */
    if (mgc__program_compile((mgc_program *)(uintptr_t)p) != MGC_OK) return entries_compiled(&p->a) + p->a.pending;
    return entries_compiled(&p->a);
}

uint32_t mgc_program_integers(const mgc_program *p)
{
    return p != NULL ? p->integers : 0;
}

const char *mgc_program_column_name(const mgc_program *p, uint32_t column)
{
    if (p == NULL || column >= p->n || p->column_name == NULL || p->column_name[column] == NULL) return "";
    return p->column_name[column];
}

const char *mgc_program_row_name(const mgc_program *p, uint32_t row)
{
    if (p == NULL || row >= p->m || p->row_name == NULL || p->row_name[row] == NULL) return "";
    return p->row_name[row];
}

mgc_status mgc_program_get_column(const mgc_program *p, uint32_t column, double *cost, double *lower, double *upper,
                                  int32_t *integer)
{
    mgc_status st = check_column(p, column);

    if (st != MGC_OK) return st;
    if (cost != NULL) *cost = p->cost[column];
    if (lower != NULL) *lower = p->lower[column];
    if (upper != NULL) *upper = p->upper[column];
    if (integer != NULL) *integer = p->integer[column];
    return MGC_OK;
}

mgc_status mgc_program_get_row(const mgc_program *p, uint32_t row, double *lower, double *upper)
{
    mgc_status st = check_row(p, row);

    if (st != MGC_OK) return st;
    if (lower != NULL) *lower = p->row_lower[row];
    if (upper != NULL) *upper = p->row_upper[row];
    return MGC_OK;
}

static mgc_status get_entry(const mgc_program *p, const mgc__entries *e, uint32_t row, uint32_t col, double *value)
{
    if (value == NULL)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: value is NULL; a place for the coefficient is needed");
    mgc_status st = mgc__program_compile((mgc_program *)(uintptr_t)p);
    if (st != MGC_OK) return st;
    const double *there = entries_find(e, row, col);
    *value = there != NULL ? *there : 0.0;
    return MGC_OK;
}

mgc_status mgc_program_get_coefficient(const mgc_program *p, uint32_t row, uint32_t column, double *value)
{
    mgc_status st = check_row(p, row);

    if (st == MGC_OK) st = check_column(p, column);
    return st == MGC_OK ? get_entry(p, &p->a, row, column, value) : st;
}

mgc_status mgc_program_get_quadratic(const mgc_program *p, uint32_t i, uint32_t j, double *value)
{
    mgc_status st = check_column(p, i);

    if (st == MGC_OK) st = check_column(p, j);
    return st == MGC_OK ? get_entry(p, &p->q, i < j ? i : j, i < j ? j : i, value) : st;
}

mgc_status mgc_program_get_offset(const mgc_program *p, double *offset)
{
    if (p == NULL || offset == NULL) return MGC_E_INVALID_ARG;
    *offset = p->offset;
    return MGC_OK;
}

int32_t mgc_program_maximises(const mgc_program *p)
{
    return p != NULL && p->maximises;
}

/* --- a start for branch and bound ---------------------------------------------------------------------------------
 */

mgc_status mgc__program_set_start(mgc_program *p, const double *x, size_t n)
{
    if (x == NULL) {
        mgc__free(p->ctx, p->start);
        p->start = NULL;
        p->start_n = 0;
        return MGC_OK;
    }
    if (n != p->n)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: a start has %zu entries; the program has %u columns", n,
                         p->n);
    double *copy = copy_of(p->ctx, x, n, sizeof *copy);
    if (copy == NULL) return mgc__no_memory(p->ctx, "a start");
    mgc__free(p->ctx, p->start);
    p->start = copy;
    p->start_n = p->n;
    return MGC_OK;
}
