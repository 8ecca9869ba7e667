/* SPDX-License-Identifier: Apache-2.0 */
/* Building a two-stage program and changing its data. */
#include <math.h>

#include "robust/robust.h"

enum { NAME_MAX_BYTES = 255 }; /* as program.h */
/* Columns and rows that the reformulations may add: 2 K + 2 each. */
#define SIZE_MAX_32 (UINT32_MAX - 4u * MGC__SCENARIOS_MAX)

/* --- create and destroy ------------------------------------------------------------------------------------------ */

static mgc_status read_probability(mgc_ctx *ctx, uint32_t scenarios, const double *given, double *p0)
{
    double sum = 0;

    for (uint32_t k = 0; k < scenarios; k++) {
        p0[k] = given != NULL ? given[k] : 1.0 / (double)scenarios;
        if (!isfinite(p0[k]) || p0[k] < 0)
            return mgc__fail(ctx, MGC_E_PROBABILITY, "robust: probability of scenario %u is %g; must be >= 0", k,
                             p0[k]);
        sum += p0[k];
    }
    if (!(fabs(sum - 1) <= 1e-6))
        return mgc__fail(ctx, MGC_E_PROBABILITY,
                         "robust: probabilities of %u scenarios sum to %.9g; must be 1 within 1e-6", scenarios, sum);
    for (uint32_t k = 0; k < scenarios; k++) p0[k] /= sum;
    return MGC_OK;
}

mgc_status mgc_twostage_create(mgc_ctx *ctx, uint32_t scenarios, const double *probability, mgc_twostage **out)
{
    mgc_status st;

    if (ctx == NULL || out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (scenarios == 0 || scenarios > MGC__SCENARIOS_MAX)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: number of scenarios is %u; must be 1..%u", scenarios,
                         MGC__SCENARIOS_MAX);

    mgc_twostage *ts = mgc__alloc(ctx, 1, sizeof *ts);
    if (ts == NULL) return mgc__no_memory(ctx, "a two-stage program");
    ts->ctx = ctx;
    ts->scenarios = scenarios;
    ts->norm1 = ts->norm_inf = ts->wasserstein = ts->kl = ts->chi2 = ts->cvar = -1;
    ts->p0 = mgc__alloc(ctx, scenarios, sizeof *ts->p0);
    ts->work = mgc__alloc(ctx, scenarios, 3 * sizeof *ts->work);
    ts->rank = mgc__alloc(ctx, scenarios, sizeof *ts->rank);
    ts->result.cost = mgc__alloc(ctx, scenarios, sizeof(double));
    ts->result.p = mgc__alloc(ctx, scenarios, sizeof(double));
    if (ts->p0 == NULL || ts->work == NULL || ts->rank == NULL || ts->result.cost == NULL || ts->result.p == NULL)
        st = mgc__no_memory(ctx, "the scenarios of a two-stage program");
    else
        st = read_probability(ctx, scenarios, probability, ts->p0);
    if (st != MGC_OK) {
        mgc_twostage_destroy(ts);
        return st;
    }
    *out = ts;
    return MGC_OK;
}

void mgc_twostage_destroy(mgc_twostage *ts)
{
    if (ts == NULL) return;
    mgc__direct_drop(ts);
    mgc__master_drop(ts);
    for (uint32_t j = 0; j < ts->n; j++) mgc__free(ts->ctx, ts->columns[j].name);
    for (uint32_t i = 0; i < ts->m; i++) mgc__free(ts->ctx, ts->rows[i].name);
    mgc__free(ts->ctx, ts->columns);
    mgc__free(ts->ctx, ts->rows);
    mgc__free(ts->ctx, ts->entry_column);
    mgc__free(ts->ctx, ts->entry_value);
    mgc__free(ts->ctx, ts->quads);
    mgc__free(ts->ctx, ts->p0);
    mgc__free(ts->ctx, ts->work);
    mgc__free(ts->ctx, ts->rank);
    mgc__ts_free_sets(ts);
    mgc__free(ts->ctx, ts->result.x);
    mgc__free(ts->ctx, ts->result.y);
    mgc__free(ts->ctx, ts->result.ray);
    mgc__free(ts->ctx, ts->result.cost);
    mgc__free(ts->ctx, ts->result.p);
    mgc__free(ts->ctx, ts);
}

/* --- checks at the door ------------------------------------------------------------------------------------------ */

static mgc_status check_bounds(mgc_ctx *ctx, const char *what, uint32_t index, double lower, double upper)
{
    if (isnan(lower) || isnan(upper) || lower == INFINITY || upper == -INFINITY)
        return mgc__fail(ctx, MGC_E_INVALID_ARG,
                         "robust: bounds of %s %u are %g and %g; must be numbers, -inf or +inf outwards", what, index,
                         lower, upper);
    if (lower > upper)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: lower bound %.17g of %s %u is above its upper bound %.17g",
                         lower, what, index, upper);
    return MGC_OK;
}

static mgc_status check_finite(mgc_ctx *ctx, const char *what, uint32_t index, double value)
{
    if (isfinite(value)) return MGC_OK;
    return mgc__fail(ctx, MGC_E_INVALID_ARG, "robust: %s %u is %g; must be finite", what, index, value);
}

static mgc_status check_stage(const mgc_twostage *ts, const char *what, uint32_t stage)
{
    if (stage <= ts->scenarios) return MGC_OK;
    return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: stage of %s is that of scenario %u; scenarios are 0..%u",
                     what, stage - 1, ts->scenarios - 1);
}

static mgc_status check_column(const mgc_twostage *ts, uint32_t column)
{
    if (column < ts->n) return MGC_OK;
    return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: column %u does not exist; there are %u", column, ts->n);
}

static mgc_status check_row(const mgc_twostage *ts, uint32_t row)
{
    if (row < ts->m) return MGC_OK;
    return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: row %u does not exist; there are %u", row, ts->m);
}

static mgc_status check_entries(const mgc_twostage *ts, uint32_t stage, const uint32_t *columns, const double *values,
                                size_t n)
{
    for (size_t e = 0; e < n; e++) {
        mgc_status st = check_column(ts, columns[e]);
        if (st != MGC_OK) return st;
        st = check_finite(ts->ctx, "coefficient of column", columns[e], values[e]);
        if (st != MGC_OK) return st;
        uint32_t other = ts->columns[columns[e]].stage;
        if (other != MGC_FIRST_STAGE && other != stage)
            return mgc__fail(
                ts->ctx, MGC_E_INVALID_ARG,
                "robust: row %u of stage %u holds column %u of stage %u; allowed are the first stage (0) and its own",
                ts->m, stage, columns[e], other);
    }
    return MGC_OK;
}

/* --- building ---------------------------------------------------------------------------------------------------- */

void mgc__ts_reshape(mgc_twostage *ts)
{
    mgc__direct_drop(ts);
    mgc__master_drop(ts);
}

mgc_status mgc_twostage_add_column(mgc_twostage *ts, uint32_t stage, double cost, double lower, double upper,
                                   uint32_t *column)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_stage(ts, "a column", stage);
    if (st == MGC_OK) st = check_finite(ts->ctx, "cost of column", ts->n, cost);
    if (st == MGC_OK) st = check_bounds(ts->ctx, "column", ts->n, lower, upper);
    if (st != MGC_OK) return st;
    if (ts->n >= SIZE_MAX_32) return mgc__fail(ts->ctx, MGC_E_LIMIT, "robust: more than %u columns", SIZE_MAX_32);
    if (!mgc__grow(ts->ctx, (void **)&ts->columns, &ts->cap_n, (size_t)ts->n + 1, sizeof *ts->columns))
        return mgc__no_memory(ts->ctx, "a column of a two-stage program");

    ts->columns[ts->n] = (mgc__ts_column){.cost = cost, .lower = lower, .upper = upper, .stage = stage};
    if (column != NULL) *column = ts->n;
    ts->n++;
    mgc__ts_reshape(ts);
    return MGC_OK;
}

mgc_status mgc_twostage_add_row(mgc_twostage *ts, uint32_t stage, double lower, double upper, const uint32_t *columns,
                                const double *values, size_t n, uint32_t *row)
{
    if (ts == NULL || (n > 0 && (columns == NULL || values == NULL))) return MGC_E_INVALID_ARG;
    mgc_status st = check_stage(ts, "a row", stage);
    if (st == MGC_OK) st = check_bounds(ts->ctx, "row", ts->m, lower, upper);
    if (st == MGC_OK) st = check_entries(ts, stage, columns, values, n);
    if (st != MGC_OK) return st;
    if (ts->m >= SIZE_MAX_32 || n > SIZE_MAX_32)
        return mgc__fail(ts->ctx, MGC_E_LIMIT, "robust: more than %u rows", SIZE_MAX_32);
    size_t need = ts->n_entries + n;
    if (!mgc__grow(ts->ctx, (void **)&ts->rows, &ts->cap_m, (size_t)ts->m + 1, sizeof *ts->rows) ||
        !mgc__grow(ts->ctx, (void **)&ts->entry_column, &ts->cap_entry_column, need, sizeof *ts->entry_column) ||
        !mgc__grow(ts->ctx, (void **)&ts->entry_value, &ts->cap_entry_value, need, sizeof *ts->entry_value))
        return mgc__no_memory(ts->ctx, "a row of a two-stage program");

    ts->rows[ts->m] =
        (mgc__ts_row){.lower = lower, .upper = upper, .start = ts->n_entries, .n = (uint32_t)n, .stage = stage};
    if (n > 0) {
        memcpy(ts->entry_column + ts->n_entries, columns, n * sizeof *columns);
        memcpy(ts->entry_value + ts->n_entries, values, n * sizeof *values);
    }
    ts->n_entries = need;
    if (row != NULL) *row = ts->m;
    ts->m++;
    mgc__ts_reshape(ts);
    return MGC_OK;
}

/* --- changing ---------------------------------------------------------------------------------------------------- */

/* Both kept programs number the columns and rows of ts alike, so that what is no cost of a scenario is pushed alike.
 * A push that fails gives the kept program up: the next solve builds it anew and reports what is wrong. */
#define PUSH(ts, function, ...)                                                                                      \
    do {                                                                                                             \
        if ((ts)->direct.program != NULL && function((ts)->direct.program, __VA_ARGS__) != MGC_OK)                   \
            mgc__direct_drop(ts);                                                                                    \
        if ((ts)->master.program != NULL && function((ts)->master.program, __VA_ARGS__) != MGC_OK)                   \
            mgc__master_drop(ts);                                                                                    \
    } while (0)

mgc_status mgc_twostage_set_cost(mgc_twostage *ts, uint32_t column, double cost)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_column(ts, column);
    if (st == MGC_OK) st = check_finite(ts->ctx, "cost of column", column, cost);
    if (st != MGC_OK) return st;
    if (ts->columns[column].cost == cost) return MGC_OK;
    ts->columns[column].cost = cost;
    if (ts->columns[column].stage == MGC_FIRST_STAGE) {
        PUSH(ts, mgc_program_set_cost, column, cost);
    } else {
        mgc__direct_push_cost(ts, column);
        mgc__master_push_cost(ts, column);
    }
    return MGC_OK;
}

mgc_status mgc_twostage_set_bounds(mgc_twostage *ts, uint32_t column, double lower, double upper)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_column(ts, column);
    if (st == MGC_OK) st = check_bounds(ts->ctx, "column", column, lower, upper);
    if (st != MGC_OK) return st;
    ts->columns[column].lower = lower;
    ts->columns[column].upper = upper;
    PUSH(ts, mgc_program_set_bounds, column, lower, upper);
    return MGC_OK;
}

mgc_status mgc_twostage_set_row_bounds(mgc_twostage *ts, uint32_t row, double lower, double upper)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_row(ts, row);
    if (st == MGC_OK) st = check_bounds(ts->ctx, "row", row, lower, upper);
    if (st != MGC_OK) return st;
    ts->rows[row].lower = lower;
    ts->rows[row].upper = upper;
    PUSH(ts, mgc_program_set_row_bounds, row, lower, upper);
    return MGC_OK;
}

static mgc_status check_first_stage(const mgc_twostage *ts, const char *what, uint32_t column)
{
    mgc_status st = check_column(ts, column);
    if (st != MGC_OK || ts->columns[column].stage == MGC_FIRST_STAGE) return st;
    return mgc__fail(ts->ctx, MGC_E_INVALID_ARG,
                     "robust: %s column %u is of scenario %u; only the first stage may be", what, column,
                     ts->columns[column].stage - 1);
}

mgc_status mgc_twostage_set_integer(mgc_twostage *ts, uint32_t column, int32_t integer)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_first_stage(ts, "integer", column);
    if (st != MGC_OK) return st;
    if (integer != 0 && integer != 1)
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: integer flag of column %u is %d; must be 0 or 1",
                         column, (int)integer);
    ts->columns[column].integer = (uint32_t)integer;
    PUSH(ts, mgc_program_set_integer, column, integer);
    return MGC_OK;
}

/* Place of (i, j) in the sorted list, or of its successor. */
static size_t quad_place(const mgc_twostage *ts, uint32_t i, uint32_t j)
{
    size_t low = 0, high = ts->n_quads;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const mgc__ts_quad *q = &ts->quads[mid];
        if (q->i < i || (q->i == i && q->j < j))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static mgc_status quad_store(mgc_twostage *ts, uint32_t i, uint32_t j, double value)
{
    size_t at = quad_place(ts, i, j);
    bool there = at < ts->n_quads && ts->quads[at].i == i && ts->quads[at].j == j;

    if (there && value != 0) {
        ts->quads[at].value = value;
    } else if (there) {
        ts->n_quads--;
        memmove(ts->quads + at, ts->quads + at + 1, (ts->n_quads - at) * sizeof *ts->quads);
    } else if (value != 0) {
        if (!mgc__grow(ts->ctx, (void **)&ts->quads, &ts->cap_quads, ts->n_quads + 1, sizeof *ts->quads))
            return mgc__no_memory(ts->ctx, "a quadratic entry of a two-stage program");
        memmove(ts->quads + at + 1, ts->quads + at, (ts->n_quads - at) * sizeof *ts->quads);
        ts->quads[at] = (mgc__ts_quad){.i = i, .j = j, .value = value};
        ts->n_quads++;
    }
    return MGC_OK;
}

mgc_status mgc_twostage_set_quadratic(mgc_twostage *ts, uint32_t i, uint32_t j, double value)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_first_stage(ts, "quadratic", i);
    if (st == MGC_OK) st = check_first_stage(ts, "quadratic", j);
    if (st == MGC_OK) st = check_finite(ts->ctx, "quadratic coefficient of column", i, value);
    if (st != MGC_OK) return st;
    if (i == j && value < 0)
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: quadratic coefficient of column %u is %g; must be >= 0",
                         i, value);
    st = quad_store(ts, i < j ? i : j, i < j ? j : i, value);
    if (st == MGC_OK) PUSH(ts, mgc_program_set_quadratic, i, j, value);
    return st;
}

mgc_status mgc_twostage_set_offset(mgc_twostage *ts, double offset)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    if (!isfinite(offset))
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: offset is %g; must be finite", offset);
    ts->offset = offset;
    PUSH(ts, mgc_program_set_offset, offset);
    return MGC_OK;
}

static mgc_status set_name(const mgc_twostage *ts, char **slot, const char *what, uint32_t index, const char *name)
{
    if (name == NULL || strlen(name) > NAME_MAX_BYTES)
        return mgc__fail(ts->ctx, MGC_E_INVALID_ARG, "robust: name of %s %u is %s; at most %d bytes", what, index,
                         name == NULL ? "missing" : "too long", NAME_MAX_BYTES);
    char *copy = mgc__strdup(ts->ctx, name);
    if (copy == NULL) return mgc__no_memory(ts->ctx, "a name");
    mgc__free(ts->ctx, *slot);
    *slot = copy;
    return MGC_OK;
}

mgc_status mgc_twostage_set_column_name(mgc_twostage *ts, uint32_t column, const char *name)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_column(ts, column);
    if (st == MGC_OK) st = set_name(ts, &ts->columns[column].name, "column", column, name);
    if (st == MGC_OK) PUSH(ts, mgc_program_set_column_name, column, name);
    return st;
}

mgc_status mgc_twostage_set_row_name(mgc_twostage *ts, uint32_t row, const char *name)
{
    if (ts == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_row(ts, row);
    if (st == MGC_OK) st = set_name(ts, &ts->rows[row].name, "row", row, name);
    if (st == MGC_OK) PUSH(ts, mgc_program_set_row_name, row, name);
    return st;
}

uint32_t mgc_twostage_scenarios(const mgc_twostage *ts)
{
    return ts != NULL ? ts->scenarios : 0;
}

uint32_t mgc_twostage_columns(const mgc_twostage *ts)
{
    return ts != NULL ? ts->n : 0;
}

uint32_t mgc_twostage_rows(const mgc_twostage *ts)
{
    return ts != NULL ? ts->m : 0;
}
