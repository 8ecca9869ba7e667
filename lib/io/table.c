/* SPDX-License-Identifier: Apache-2.0 */
/* Tables as CSV: RFC 4180, but lines end in LF and numbers are the shortest that read back the same. */
#include <math.h>

#include "io/calendar.h"
#include "io/memory.h"

enum column_kind { COLUMN_TIMES, COLUMN_NUMBERS, COLUMN_STRINGS };

struct column {
    enum column_kind kind;
    char *name;
    double *numbers;
    char **strings;
    int64_t start, step; /* seconds */
};

struct mgc_table {
    mgc_ctx *ctx;
    mgc__arena arena;
    size_t rows;
    struct column *columns;
    size_t n, cap;
    mgc__text text;
};

mgc_status mgc_table_create(mgc_ctx *ctx, size_t rows, mgc_table **out)
{
    if (out == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (ctx == NULL) return MGC_E_INVALID_ARG;
    mgc_table *table = mgc__io_alloc(ctx, 1, sizeof *table);
    if (table == NULL) return mgc__io_no_memory(ctx, "a table");
    table->ctx = ctx;
    table->arena.ctx = ctx;
    table->text.ctx = ctx;
    table->rows = rows;
    *out = table;
    return MGC_OK;
}

void mgc_table_destroy(mgc_table *table)
{
    if (table == NULL) return;
    mgc__arena_free(&table->arena);
    mgc__text_free(&table->text);
    mgc_ctx_release(table->ctx, table->columns);
    mgc_ctx_release(table->ctx, table);
}

static mgc_status add_column(mgc_table *table, struct column column, const char *name)
{
    if (!mgc__io_grow(table->ctx, (void **)&table->columns, &table->cap, table->n + 1, sizeof *table->columns))
        return mgc__io_no_memory(table->ctx, "a column");
    column.name = mgc__arena_copy(&table->arena, name, strlen(name));
    if (column.name == NULL) return mgc__io_no_memory(table->ctx, "a column");
    table->columns[table->n++] = column;
    return MGC_OK;
}

mgc_status mgc_table_times(mgc_table *table, uint64_t start_ms, uint32_t period_minutes)
{
    if (table == NULL) return MGC_E_INVALID_ARG;
    return add_column(table,
                      (struct column){.kind = COLUMN_TIMES,
                                      .start = (int64_t)(start_ms / 1000),
                                      .step = (int64_t)period_minutes * 60},
                      "time_utc");
}

mgc_status mgc_table_numbers(mgc_table *table, const char *name, const double *values)
{
    if (table == NULL || name == NULL || (values == NULL && table->rows > 0)) return MGC_E_INVALID_ARG;
    double *copy = mgc__arena_alloc(&table->arena, table->rows, sizeof *copy);
    if (copy == NULL) return mgc__io_no_memory(table->ctx, "a column");
    if (table->rows > 0) memcpy(copy, values, table->rows * sizeof *copy);
    return add_column(table, (struct column){.kind = COLUMN_NUMBERS, .numbers = copy}, name);
}

mgc_status mgc_table_strings(mgc_table *table, const char *name, const char *const *values)
{
    if (table == NULL || name == NULL || (values == NULL && table->rows > 0)) return MGC_E_INVALID_ARG;
    char **copy = mgc__arena_alloc(&table->arena, table->rows, sizeof *copy);
    for (size_t i = 0; i < table->rows && copy != NULL; i++) {
        const char *value = values[i] != NULL ? values[i] : "";
        copy[i] = mgc__arena_copy(&table->arena, value, strlen(value));
        if (copy[i] == NULL) copy = NULL;
    }
    if (copy == NULL) return mgc__io_no_memory(table->ctx, "a column");
    return add_column(table, (struct column){.kind = COLUMN_STRINGS, .strings = copy}, name);
}

/* Quoted where the grammar needs it, and where a spreadsheet would take the text for
 * a formula it gets an apostrophe. */
static void put_field(mgc__text *text, const char *s)
{
    bool formula = *s == '=' || *s == '+' || *s == '-' || *s == '@';

    if (!formula && strpbrk(s, ",;\"\r\n\t") == NULL) {
        mgc__text_add(text, s);
        return;
    }
    mgc__text_add(text, formula ? "\"'" : "\"");
    for (; *s != '\0'; s++) {
        if (*s == '"') mgc__text_put(text, "\"", 1);
        mgc__text_put(text, s, 1);
    }
    mgc__text_put(text, "\"", 1);
}

static void put_cell(mgc__text *text, const struct column *column, size_t row)
{
    char time[MGC__TIME_TEXT];

    if (column->kind == COLUMN_TIMES) {
        mgc__time_format(column->start + (int64_t)row * column->step, time);
        mgc__text_add(text, time);
    } else if (column->kind == COLUMN_STRINGS) {
        put_field(text, column->strings[row]);
    } else if (isfinite(column->numbers[row])) {
        mgc__text_number(text, column->numbers[row] == 0 ? 0.0 : column->numbers[row]);
    }
}

mgc_status mgc_table_text(mgc_table *table, const char **text, size_t *len)
{
    if (text != NULL) *text = NULL;
    if (len != NULL) *len = 0;
    if (table == NULL || text == NULL || len == NULL) return MGC_E_INVALID_ARG;
    table->text.len = 0;
    mgc__text_put(&table->text, "", 0);
    for (size_t j = 0; j < table->n; j++) {
        if (j > 0) mgc__text_put(&table->text, ",", 1);
        put_field(&table->text, table->columns[j].name);
    }
    mgc__text_put(&table->text, "\n", 1);
    for (size_t i = 0; i < table->rows; i++) {
        for (size_t j = 0; j < table->n; j++) {
            if (j > 0) mgc__text_put(&table->text, ",", 1);
            put_cell(&table->text, &table->columns[j], i);
        }
        mgc__text_put(&table->text, "\n", 1);
    }
    if (table->text.failed) return mgc__io_no_memory(table->ctx, "a table's text");
    *text = table->text.bytes;
    *len = table->text.len;
    return MGC_OK;
}
