/* SPDX-License-Identifier: Apache-2.0 */
/* Answers to queries: columns by name, rows of cells, each a number or a text. */
#include <stdio.h>

#include "contract/contract.h"

enum { CELLS_MAX = 1000000, COLUMNS_TEXT_MAX = 400, ROW_COLUMNS_MAX = 24, NUMBER_TEXT = 24 };

struct cell {
    int64_t number;
    size_t text; /* offset in texts; 0: a number */
};

struct mgc_row {
    const mgc_rows *rows;
    size_t index;
};

struct mgc_rows {
    mgc_ctx *ctx;
    char names[COLUMNS_TEXT_MAX];
    const char *columns[ROW_COLUMNS_MAX];
    uint32_t n_columns;
    struct cell *cells;
    size_t n_cells, cap;
    char *texts; /* NUL-terminated, one after the other; the first byte is never used */
    size_t texts_len, texts_cap;
    char cursor[MGC_CURSOR_MAX + 1];
    mgc_row row;
    size_t next;
    char shown[ROW_COLUMNS_MAX][NUMBER_TEXT]; /* numbers of the row at hand as text */
};

mgc_status mgc__rows_create(mgc_ctx *ctx, mgc_rows **out)
{
    mgc_rows *rows = mgc__alloc(ctx, 1, sizeof *rows);

    *out = rows;
    if (rows == NULL) return mgc__no_memory(ctx, "contract: rows");
    rows->ctx = ctx;
    rows->texts_len = 1;
    return MGC_OK;
}

void mgc_rows_destroy(mgc_rows *rows)
{
    if (rows == NULL) return;
    mgc__free(rows->ctx, rows->cells);
    mgc__free(rows->ctx, rows->texts);
    mgc__free(rows->ctx, rows);
}

mgc_status mgc_rows_begin(mgc_rows *rows, const char *columns)
{
    if (rows == NULL || columns == NULL) return MGC_E_INVALID_ARG;
    if (rows->n_columns != 0)
        return mgc__fail(rows->ctx, MGC_E_STATE, "contract: the columns of an answer are set already");
    if (strlen(columns) >= sizeof rows->names)
        return mgc__fail(rows->ctx, MGC_E_LIMIT, "contract: names of columns are over %d bytes",
                         COLUMNS_TEXT_MAX - 1);
    memcpy(rows->names, columns, strlen(columns) + 1);
    for (char *at = rows->names; at != NULL && rows->n_columns < ROW_COLUMNS_MAX;) {
        char *space = strchr(at, ' ');
        rows->columns[rows->n_columns++] = at;
        if (space != NULL) *space++ = '\0';
        at = space;
    }
    return MGC_OK;
}

static struct cell *new_cell(mgc_rows *rows)
{
    void *block = rows->cells;

    if (rows->n_cells >= CELLS_MAX) {
        (void)mgc__fail(rows->ctx, MGC_E_LIMIT, "contract: an answer is over %d cells; ask for less", CELLS_MAX);
        return NULL;
    }
    if (!mgc__grow(rows->ctx, &block, &rows->cap, rows->n_cells + 1, sizeof *rows->cells)) {
        (void)mgc__no_memory(rows->ctx, "contract: cells of an answer");
        return NULL;
    }
    rows->cells = block;
    rows->cells[rows->n_cells] = (struct cell){0, 0};
    return &rows->cells[rows->n_cells];
}

static mgc_status no_cell(const mgc_rows *rows)
{
    return rows->n_cells >= CELLS_MAX ? MGC_E_LIMIT : MGC_E_NO_MEMORY;
}

mgc_status mgc_rows_put_int(mgc_rows *rows, int64_t value)
{
    struct cell *cell;

    if (rows == NULL || rows->n_columns == 0) return MGC_E_INVALID_ARG;
    cell = new_cell(rows);
    if (cell == NULL) return no_cell(rows);
    cell->number = value;
    rows->n_cells++;
    return MGC_OK;
}

/* Room for len bytes and a NUL; NULL: no memory. */
static char *new_text(mgc_rows *rows, struct cell *cell, size_t len)
{
    void *block = rows->texts;

    if (!mgc__grow(rows->ctx, &block, &rows->texts_cap, rows->texts_len + len + 1, 1)) {
        (void)mgc__no_memory(rows->ctx, "contract: texts of an answer");
        return NULL;
    }
    rows->texts = block;
    cell->text = rows->texts_len;
    rows->texts_len += len + 1;
    rows->n_cells++;
    rows->texts[cell->text + len] = '\0';
    return rows->texts + cell->text;
}

mgc_status mgc_rows_put_text(mgc_rows *rows, const char *text, size_t len)
{
    struct cell *cell;
    char *to;

    if (rows == NULL || rows->n_columns == 0 || (text == NULL && len > 0)) return MGC_E_INVALID_ARG;
    cell = new_cell(rows);
    if (cell == NULL) return no_cell(rows);
    to = new_text(rows, cell, len);
    if (to == NULL) return MGC_E_NO_MEMORY;
    if (len > 0) memcpy(to, text, len);
    return MGC_OK;
}

mgc_status mgc_rows_put_hex(mgc_rows *rows, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    struct cell *cell;
    char *to;

    if (rows == NULL || rows->n_columns == 0 || (bytes == NULL && len > 0)) return MGC_E_INVALID_ARG;
    cell = new_cell(rows);
    if (cell == NULL) return no_cell(rows);
    to = new_text(rows, cell, 2 * len);
    if (to == NULL) return MGC_E_NO_MEMORY;
    for (size_t i = 0; i < len; i++) {
        to[2 * i] = digits[bytes[i] >> 4];
        to[2 * i + 1] = digits[bytes[i] & 15];
    }
    return MGC_OK;
}

mgc_status mgc__rows_put_ints(mgc_rows *rows, const int64_t *values, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        mgc_status st = mgc_rows_put_int(rows, values[i]);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

size_t mgc_rows_count(const mgc_rows *rows)
{
    return rows == NULL || rows->n_columns == 0 ? 0 : rows->n_cells / rows->n_columns;
}

const char *mgc_rows_column(const mgc_rows *rows, uint32_t index)
{
    return rows == NULL || index >= rows->n_columns ? NULL : rows->columns[index];
}

const char *mgc_rows_cursor(const mgc_rows *rows)
{
    return rows == NULL ? "" : rows->cursor;
}

void mgc__rows_set_cursor(mgc_rows *rows, const char *cursor)
{
    assert(strlen(cursor) <= MGC_CURSOR_MAX);
    memcpy(rows->cursor, cursor, strlen(cursor) + 1);
}

void mgc__rows_rewind(mgc_rows *rows)
{
    rows->next = 0;
}

int32_t mgc_rows_next(mgc_rows *rows, const mgc_row **row)
{
    if (row != NULL) *row = NULL;
    if (rows == NULL || row == NULL || rows->next >= mgc_rows_count(rows)) return MGC_ROWS_END;
    rows->row.rows = rows;
    rows->row.index = rows->next++;
    for (uint32_t c = 0; c < rows->n_columns; c++)
        (void)snprintf(rows->shown[c], NUMBER_TEXT, "%" PRId64,
                       rows->cells[rows->row.index * rows->n_columns + c].number);
    *row = &rows->row;
    return MGC_ROW;
}

static const struct cell *cell_of(const mgc_row *row, const char *column, uint32_t *index)
{
    if (row == NULL || column == NULL) return NULL;
    for (uint32_t c = 0; c < row->rows->n_columns; c++)
        if (strcmp(row->rows->columns[c], column) == 0) {
            *index = c;
            return &row->rows->cells[row->index * row->rows->n_columns + c];
        }
    return NULL;
}

const char *mgc_row_text(const mgc_row *row, const char *column)
{
    uint32_t c = 0;
    const struct cell *cell = cell_of(row, column, &c);

    if (cell == NULL) return NULL;
    return cell->text != 0 ? row->rows->texts + cell->text : row->rows->shown[c];
}

int64_t mgc_row_int(const mgc_row *row, const char *column)
{
    uint32_t c = 0;
    const struct cell *cell = cell_of(row, column, &c);

    return cell == NULL || cell->text != 0 ? 0 : cell->number;
}
