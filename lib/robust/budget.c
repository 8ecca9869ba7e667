/* SPDX-License-Identifier: Apache-2.0 */
/* Building a two-stage robust program with budget uncertainty. */
#include <math.h>

#include "robust/budget.h"

enum { NAME_MAX_BYTES = 255 };

mgc_status mgc_budget_create(mgc_ctx *ctx, uint32_t parameters, mgc_budget **out)
{
    if (ctx == NULL || out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (parameters == 0 || parameters > BUDGET_PARAMETERS_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: number of uncertain parameters is %u; must be 1..%d", parameters,
                         BUDGET_PARAMETERS_MAX);
    mgc_budget *b = mgc__alloc(ctx, 1, sizeof *b);
    if (b == NULL) return mgc__no_memory(ctx, "a robust program");
    b->ctx = ctx;
    b->parameters = parameters;
    b->z_lower = mgc__alloc(ctx, parameters, sizeof *b->z_lower);
    b->z_upper = mgc__alloc(ctx, parameters, sizeof *b->z_upper);
    b->z = mgc__alloc(ctx, parameters, sizeof *b->z);
    if (b->z_lower == NULL || b->z_upper == NULL || b->z == NULL) {
        mgc_budget_destroy(b);
        return mgc__no_memory(ctx, "a robust program");
    }
    for (uint32_t i = 0; i < parameters; i++) b->z_upper[i] = 1;
    *out = b;
    return MGC_OK;
}

void mgc_budget_destroy(mgc_budget *b)
{
    if (b == NULL) return;
    for (uint32_t j = 0; j < b->n; j++) mgc__free(b->ctx, b->columns[j].name);
    for (uint32_t i = 0; i < b->m; i++) mgc__free(b->ctx, b->rows[i].name);
    mgc__free(b->ctx, b->columns);
    mgc__free(b->ctx, b->rows);
    mgc__free(b->ctx, b->entry_column);
    mgc__free(b->ctx, b->entry_value);
    mgc__free(b->ctx, b->shifts);
    mgc__free(b->ctx, b->limits);
    mgc__free(b->ctx, b->limit_parameter);
    mgc__free(b->ctx, b->limit_value);
    mgc__free(b->ctx, b->z_lower);
    mgc__free(b->ctx, b->z_upper);
    mgc__free(b->ctx, b->x);
    mgc__free(b->ctx, b->z);
    mgc__free(b->ctx, b);
}

/* --- checks at the door ------------------------------------------------------------------------------------------ */

static mgc_status check_bounds(mgc_ctx *ctx, const char *what, size_t index, double lower, double upper)
{
    if (isnan(lower) || isnan(upper) || lower == INFINITY || upper == -INFINITY || lower > upper)
        return mgc__fail(ctx, MGC_E_INVALID_ARG,
                         "robust: bounds of %s %zu are %.17g and %.17g; must be numbers in order, -inf or +inf outwards",
                         what, index, lower, upper);
    return MGC_OK;
}

static mgc_status check_finite(mgc_ctx *ctx, const char *what, size_t index, double value)
{
    if (isfinite(value)) return MGC_OK;
    return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: %s %zu is %g; must be finite", what, index, value);
}

static mgc_status check_index(mgc_ctx *ctx, const char *what, uint32_t index, uint32_t n)
{
    if (index < n) return MGC_OK;
    return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: %s %u does not exist; there are %u", what, index, n);
}

static mgc_status check_stage(mgc_ctx *ctx, const char *what, uint32_t stage, const char *name)
{
    if (stage > MGC_RECOURSE)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: stage of %s is %u; must be MGC_FIRST_STAGE or MGC_RECOURSE", what,
                         stage);
    if (name != NULL && strlen(name) > NAME_MAX_BYTES)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: name of %s is too long; at most %d bytes", what, NAME_MAX_BYTES);
    return MGC_OK;
}

static mgc_status copy_name(mgc_ctx *ctx, const char *name, char **copy)
{
    *copy = name != NULL ? mgc__strdup(ctx, name) : NULL;
    return name != NULL && *copy == NULL ? mgc__no_memory(ctx, "a name") : MGC_OK;
}

/* --- columns and rows -------------------------------------------------------------------------------------------- */

mgc_status mgc_budget_add_column(mgc_budget *b, uint32_t stage, double cost, double lower, double upper, const char *name,
                                 uint32_t *column)
{
    char *copy = NULL;

    if (b == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_stage(b->ctx, "a column", stage, name);
    if (st == MGC_OK) st = check_finite(b->ctx, "cost of column", b->n, cost);
    if (st == MGC_OK) st = check_bounds(b->ctx, "column", b->n, lower, upper);
    if (st == MGC_OK && b->n == UINT32_MAX / 2) st = mgc__fail(b->ctx, MGC_E_LIMIT, "robust: more than %u columns", b->n);
    if (st == MGC_OK && !mgc__grow(b->ctx, (void **)&b->columns, &b->cap_n, (size_t)b->n + 1, sizeof *b->columns))
        st = mgc__no_memory(b->ctx, "a column of a robust program");
    if (st == MGC_OK) st = copy_name(b->ctx, name, &copy);
    if (st != MGC_OK) return st;
    uint32_t local = stage == MGC_RECOURSE ? b->n_second++ : b->n - b->n_second;
    b->columns[b->n] = (mgc__budget_column){
        .cost = cost, .lower = lower, .upper = upper, .stage = stage, .local = local, .name = copy};
    if (column != NULL) *column = b->n;
    b->n++;
    b->has_x = false;
    return MGC_OK;
}

static mgc_status check_entries(const mgc_budget *b, uint32_t stage, const uint32_t *columns, const double *values, size_t n)
{
    for (size_t e = 0; e < n; e++) {
        mgc_status st = check_index(b->ctx, "column", columns[e], b->n);
        if (st == MGC_OK) st = check_finite(b->ctx, "coefficient of column", columns[e], values[e]);
        if (st != MGC_OK) return st;
        if (stage == MGC_FIRST_STAGE && b->columns[columns[e]].stage != MGC_FIRST_STAGE)
            return mgc__fail(b->ctx, MGC_E_INVALID_ARG, "robust: row %u of the first stage holds recourse column %u", b->m,
                             columns[e]);
    }
    return MGC_OK;
}

mgc_status mgc_budget_add_row(mgc_budget *b, uint32_t stage, double lower, double upper, const uint32_t *columns,
                              const double *values, size_t n, const char *name, uint32_t *row)
{
    char *copy = NULL;

    if (b == NULL || (n > 0 && (columns == NULL || values == NULL))) return MGC_E_INVALID_ARG;
    mgc_status st = check_stage(b->ctx, "a row", stage, name);
    if (st == MGC_OK) st = check_bounds(b->ctx, "row", b->m, lower, upper);
    if (st == MGC_OK) st = check_entries(b, stage, columns, values, n);
    if (st == MGC_OK && (b->m == UINT32_MAX / 2 || n > UINT32_MAX / 2))
        st = mgc__fail(b->ctx, MGC_E_LIMIT, "robust: more than %u rows", UINT32_MAX / 2);
    if (st == MGC_OK && (!mgc__grow(b->ctx, (void **)&b->rows, &b->cap_m, (size_t)b->m + 1, sizeof *b->rows) ||
                         !mgc__grow(b->ctx, (void **)&b->entry_column, &b->cap_entry_column, b->n_entries + n,
                                    sizeof *b->entry_column) ||
                         !mgc__grow(b->ctx, (void **)&b->entry_value, &b->cap_entry_value, b->n_entries + n,
                                    sizeof *b->entry_value)))
        st = mgc__no_memory(b->ctx, "a row of a robust program");
    if (st == MGC_OK) st = copy_name(b->ctx, name, &copy);
    if (st != MGC_OK) return st;
    uint32_t local = stage == MGC_RECOURSE ? b->m_second++ : b->m - b->m_second;
    b->rows[b->m] = (mgc__budget_row){.lower = lower, .upper = upper, .start = b->n_entries, .n = (uint32_t)n,
                                      .stage = stage, .local = local, .name = copy};
    for (size_t e = 0; e < n; e++) {
        b->entry_column[b->n_entries] = columns[e];
        b->entry_value[b->n_entries++] = values[e];
    }
    if (row != NULL) *row = b->m;
    b->m++;
    b->has_x = false;
    return MGC_OK;
}

mgc_status mgc_budget_set_integer(mgc_budget *b, uint32_t column, int32_t integer)
{
    if (b == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_index(b->ctx, "column", column, b->n);
    if (st != MGC_OK) return st;
    if (integer != 0 && integer != 1)
        return mgc__fail(b->ctx, MGC_E_INVALID_ARG, "robust: integer flag of column %u is %d; must be 0 or 1", column,
                         (int)integer);
    if (b->columns[column].stage != MGC_FIRST_STAGE)
        return mgc__fail(b->ctx, MGC_E_INVALID_ARG, "robust: column %u is recourse, which is continuous", column);
    b->columns[column].integer = (uint32_t)integer;
    b->has_x = false;
    return MGC_OK;
}

/* --- what is uncertain ------------------------------------------------------------------------------------------- */

mgc_status mgc_budget_set_shift(mgc_budget *b, uint32_t row, uint32_t parameter, double value)
{
    size_t at = 0;

    if (b == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_index(b->ctx, "row", row, b->m);
    if (st == MGC_OK) st = check_index(b->ctx, "parameter", parameter, b->parameters);
    if (st == MGC_OK) st = check_finite(b->ctx, "shift of row", row, value);
    if (st != MGC_OK) return st;
    if (b->rows[row].stage != MGC_RECOURSE)
        return mgc__fail(b->ctx, MGC_E_INVALID_ARG, "robust: row %u is of the first stage, which is certain", row);
    while (at < b->n_shifts && (b->shifts[at].row < row || (b->shifts[at].row == row && b->shifts[at].parameter < parameter)))
        at++;
    bool there = at < b->n_shifts && b->shifts[at].row == row && b->shifts[at].parameter == parameter;
    b->has_x = false;
    if (there && value != 0) {
        b->shifts[at].value = value;
    } else if (there) {
        b->n_shifts--;
        memmove(b->shifts + at, b->shifts + at + 1, (b->n_shifts - at) * sizeof *b->shifts);
    } else if (value != 0) {
        if (!mgc__grow(b->ctx, (void **)&b->shifts, &b->cap_shifts, b->n_shifts + 1, sizeof *b->shifts))
            return mgc__no_memory(b->ctx, "a shift");
        memmove(b->shifts + at + 1, b->shifts + at, (b->n_shifts - at) * sizeof *b->shifts);
        b->shifts[at] = (mgc__budget_shift){.row = row, .parameter = parameter, .value = value};
        b->n_shifts++;
    }
    return MGC_OK;
}

mgc_status mgc_budget_set_range(mgc_budget *b, uint32_t parameter, double lower, double upper)
{
    if (b == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_index(b->ctx, "parameter", parameter, b->parameters);
    if (st != MGC_OK) return st;
    if (!isfinite(lower) || !isfinite(upper) || lower > upper)
        return mgc__fail(b->ctx, MGC_E_INVALID_ARG, "robust: range of parameter %u is %g..%g; must be finite and in order",
                         parameter, lower, upper);
    b->z_lower[parameter] = lower;
    b->z_upper[parameter] = upper;
    b->has_x = false;
    return MGC_OK;
}

mgc_status mgc_budget_add_limit(mgc_budget *b, double lower, double upper, const uint32_t *parameters, const double *values,
                                size_t n)
{
    if (b == NULL || (n > 0 && (parameters == NULL || values == NULL))) return MGC_E_INVALID_ARG;
    mgc_status st = check_bounds(b->ctx, "limit", b->n_limits, lower, upper);
    for (size_t e = 0; e < n && st == MGC_OK; e++) {
        st = check_index(b->ctx, "parameter", parameters[e], b->parameters);
        if (st == MGC_OK) st = check_finite(b->ctx, "coefficient of parameter", parameters[e], values[e]);
    }
    if (st != MGC_OK) return st;
    size_t need = b->n_limit_entries + n;
    if (n > UINT32_MAX / 2 || b->n_limits >= UINT32_MAX / 2)
        return mgc__fail(b->ctx, MGC_E_LIMIT, "robust: more than %u limits", UINT32_MAX / 2);
    if (!mgc__grow(b->ctx, (void **)&b->limits, &b->cap_limits, b->n_limits + 1, sizeof *b->limits) ||
        !mgc__grow(b->ctx, (void **)&b->limit_parameter, &b->cap_limit_parameter, need, sizeof *b->limit_parameter) ||
        !mgc__grow(b->ctx, (void **)&b->limit_value, &b->cap_limit_value, need, sizeof *b->limit_value))
        return mgc__no_memory(b->ctx, "a limit");
    b->limits[b->n_limits++] =
        (mgc__budget_limit){.lower = lower, .upper = upper, .start = b->n_limit_entries, .n = (uint32_t)n};
    for (size_t e = 0; e < n; e++) {
        b->limit_parameter[b->n_limit_entries] = parameters[e];
        b->limit_value[b->n_limit_entries++] = values[e];
    }
    b->has_x = false;
    return MGC_OK;
}

/* --- results ----------------------------------------------------------------------------------------------------- */

static mgc_status get(const mgc_budget *b, const char *what, const double *from, size_t length, double *to, size_t n)
{
    if (!b->has_x) return mgc__fail(b->ctx, MGC_E_STATE, "robust: the last solve left no %s", what);
    if (n != length)
        return mgc__fail(b->ctx, MGC_E_INVALID_ARG, "robust: length of %s is given as %zu; it is %zu", what, n, length);
    memcpy(to, from, n * sizeof *to);
    return MGC_OK;
}

mgc_status mgc_budget_get_x(const mgc_budget *b, double *x, size_t n)
{
    return b == NULL || x == NULL ? MGC_E_INVALID_ARG : get(b, "point", b->x, b->result_n, x, n);
}

mgc_status mgc_budget_get_worst(const mgc_budget *b, double *z, size_t n)
{
    return b == NULL || z == NULL ? MGC_E_INVALID_ARG : get(b, "worst case", b->z, b->parameters, z, n);
}

const char *mgc_budget_explain(const mgc_budget *b)
{
    return b != NULL ? b->explanation : "";
}
