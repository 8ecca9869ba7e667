/* SPDX-License-Identifier: Apache-2.0 */
/* Writing MPS, free or fixed.  What mps_read.c reads back from free MPS is the same program: bounds of integer columns are
 * always written, free rows are G rows with right-hand side -1e30, numbers have as many digits as they need.  The fixed
 * format has 8 bytes for a name and 12 for a number: longer names are replaced, longer numbers rounded. */
#include <math.h>
#include <stdio.h>

#include "solver/names.h"
#include "solver/program_impl.h"

enum { PIECE = 4096 }; /* bytes handed over at a time */

enum { FIXED_NAME = 8, FIXED_NUMBER = 12, FIXED_INDEX_MAX = 9999999 /* C9999999 fills the field */ };

struct writer {
    const mgc_program *p;
    mgc_write_fn write;
    void *user;
    bool fixed;
    uint64_t rounded; /* numbers that lost digits */
    char piece[PIECE];
    size_t n;
    mgc_status status; /* the first failure */
    mgc__names names;
    char *objective, **row, **column;
};

/* --- text out -------------------------------------------------------------------------------- */

static void flush(struct writer *w)
{
    if (w->status == MGC_OK && w->n > 0) w->status = mgc__verdict(w->write(w->user, w->piece, w->n));
    w->n = 0;
}

static void put(struct writer *w, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        size_t part = len < PIECE - w->n ? len : PIECE - w->n;
        memcpy(w->piece + w->n, text, part);
        w->n += part;
        text += part;
        len -= part;
        if (w->n == PIECE) flush(w);
    }
}

static void put_padded(struct writer *w, const char *text, size_t width)
{
    put(w, text);
    for (size_t n = strlen(text); n < width; n++) put(w, " ");
}

/* x rounded to as many digits as leave a text of at most FIXED_NUMBER bytes. */
static void format_short(double x, char text[MGC__DOUBLE_TEXT])
{
    mgc__format_double(x, text);
    for (int digits = FIXED_NUMBER - 1; digits > 0 && strlen(text) > FIXED_NUMBER; digits--) {
        char wide[48];
        const char *end;
        snprintf(wide, sizeof wide, "%.*e", digits - 1, x);
        char *point = wide + (x < 0) + 1; /* the locale's decimal mark, of any length */
        size_t mark = digits > 1 ? strcspn(point, "0123456789") : 0;
        if (mark > 0) {
            *point = '.';
            memmove(point + 1, point + mark, strlen(point + mark) + 1);
        }
        mgc__format_double(mgc__parse_double(wide, &end), text);
    }
}

static void put_number(struct writer *w, double x)
{
    char text[MGC__DOUBLE_TEXT];
    const char *end;

    if (!w->fixed) {
        mgc__format_double(x, text);
    } else {
        format_short(x, text);
        w->rounded += mgc__parse_double(text, &end) != x;
    }
    put(w, text);
}

/* One line of data: code (type of a row or bound), first name, second name, number.  What is NULL is left out. */
static void put_line(struct writer *w, const char *code, const char *first, const char *second, const double *number)
{
    if (w->fixed) {
        put(w, " ");
        put_padded(w, code != NULL ? code : "", 3);
        put_padded(w, first, second != NULL ? FIXED_NAME + 2 : 0);
        if (second != NULL) put_padded(w, second, number != NULL ? FIXED_NAME + 2 : 0);
    } else {
        const char *part[3] = {code, first, second};
        for (size_t i = 0; i < MGC__COUNT(part); i++)
            if (part[i] != NULL) {
                put(w, " ");
                put(w, part[i]);
            }
        if (number != NULL) put(w, " ");
    }
    if (number != NULL) put_number(w, *number);
    put(w, "\n");
}

/* --- names: unique, without blanks ---------------------------------------------------------------------------------
 */

static const char *given_name(const struct writer *w, char letter, uint32_t index)
{
    return letter == 'C' ? mgc_program_column_name(w->p, index) : mgc_program_row_name(w->p, index);
}

/* A name fit for the file: the given one with blanks replaced, else letter and number; where that is taken, the number and
 * perhaps a further one follow.  The number makes it unlikely to be taken again, so that many equal names cost no more. */
static char *fit_name(struct writer *w, const char *given, char letter, uint32_t index, const mgc__names *taken)
{
    char text[PROGRAM_NAME_MAX + 40];
    int len;

    if (given[0] != '\0' && given[0] != '\'' && given[0] != '$') len = snprintf(text, sizeof text, "%s", given);
    else len = snprintf(text, sizeof text, "%c%u", letter, index + 1);
    for (char *s = text; *s != '\0'; s++)
        if (*s == ' ') *s = '_';
    if (len > PROGRAM_NAME_MAX - 24) len = PROGRAM_NAME_MAX - 24;
    for (uint32_t k = 0; mgc__names_find(taken, text) != UINT32_MAX; k++) {
        if (k == 0) snprintf(text + len, 24, "_%u", index + 1);
        else snprintf(text + len, 24, "_%u_%u", index + 1, k);
    }
    return mgc__strdup(w->p->ctx, text);
}

/* Whether all names fit the fixed format as they are; else all are replaced, so that none can be mistaken for another. */
static bool names_fit(const struct writer *w, uint32_t n, char letter)
{
    for (uint32_t i = 0; i < n; i++)
        if (strlen(given_name(w, letter, i)) > FIXED_NAME) return false;
    return true;
}

static bool name_all_as(struct writer *w, char **names, uint32_t n, char letter, bool given)
{
    for (uint32_t i = 0; i < n; i++) {
        names[i] = fit_name(w, given ? given_name(w, letter, i) : "", letter, i, &w->names);
        if (names[i] == NULL || !mgc__names_add(&w->names, names[i], i)) return false;
    }
    return true;
}

static bool name_all(struct writer *w, char **names, uint32_t n, char letter)
{
    bool given = !w->fixed || names_fit(w, n, letter);

    if (!name_all_as(w, names, n, letter, given)) return false;
    for (uint32_t i = 0; w->fixed && i < n; i++)
        if (strlen(names[i]) > FIXED_NAME) { /* equal ones had to be told apart */
            for (uint32_t k = 0; k < n; k++) mgc__free(w->p->ctx, names[k]);
            memset(names, 0, n * sizeof *names);
            mgc__names_free(&w->names);
            return name_all_as(w, names, n, letter, false);
        }
    return true;
}

static mgc_status make_names(struct writer *w)
{
    mgc_ctx *ctx = w->p->ctx;

    w->row = mgc__alloc(ctx, w->p->m, sizeof *w->row);
    w->column = mgc__alloc(ctx, w->p->n, sizeof *w->column);
    bool ok = w->row != NULL && w->column != NULL && name_all(w, w->row, w->p->m, 'R');
    if (ok) w->objective = fit_name(w, "OBJ", 'R', w->p->m, &w->names);
    mgc__names_free(&w->names);
    ok = ok && w->objective != NULL && name_all(w, w->column, w->p->n, 'C');
    mgc__names_free(&w->names);
    return ok ? MGC_OK : mgc__no_memory(ctx, "names for a file");
}

static void writer_free(struct writer *w)
{
    mgc_ctx *ctx = w->p->ctx;

    for (uint32_t i = 0; w->row != NULL && i < w->p->m; i++) mgc__free(ctx, w->row[i]);
    for (uint32_t j = 0; w->column != NULL && j < w->p->n; j++) mgc__free(ctx, w->column[j]);
    mgc__free(ctx, w->row);
    mgc__free(ctx, w->column);
    mgc__free(ctx, w->objective);
    mgc__names_free(&w->names);
}

/* --- rows ------------------------------------------------------------------------------------ */

/* How one row is written. */
struct side {
    char type[2];
    double rhs, range;
    bool ranged;
};

/* R with base + sign * R == target, if one of the numbers next to the difference gives it. */
static bool exact_range(double base, double target, double sign, double *range)
{
    double r = fabs(target - base), try[3] = {r, nextafter(r, 0.0), nextafter(r, INFINITY)};

    for (size_t i = 0; i < MGC__COUNT(try); i++)
        if (base + sign * try[i] == target) {
            *range = try[i];
            return true;
        }
    *range = r;
    return false;
}

static struct side side_of(double lower, double upper)
{
    struct side s = {.type = "G", .rhs = lower};

    if (lower == upper) {
        s.type[0] = 'E';
    } else if (isinf(lower) && isinf(upper)) {
        s.rhs = -1e30;
    } else if (isinf(lower)) {
        s.type[0] = 'L';
        s.rhs = upper;
    } else if (!isinf(upper)) {
        s.ranged = true;
        if (!exact_range(lower, upper, 1.0, &s.range) && exact_range(upper, lower, -1.0, &s.range)) {
            s.type[0] = 'L';
            s.rhs = upper;
        }
    }
    return s;
}

static void write_rows(struct writer *w)
{
    put(w, "ROWS\n");
    put_line(w, "N", w->objective, NULL, NULL);
    for (uint32_t i = 0; i < w->p->m; i++)
        put_line(w, side_of(w->p->row_lower[i], w->p->row_upper[i]).type, w->row[i], NULL, NULL);
}

static void write_sides(struct writer *w)
{
    double constant = -w->p->offset;

    put(w, "RHS\n");
    if (w->p->offset != 0.0) put_line(w, NULL, "RHS", w->objective, &constant);
    for (uint32_t i = 0; i < w->p->m; i++) {
        struct side s = side_of(w->p->row_lower[i], w->p->row_upper[i]);
        if (s.rhs != 0.0) put_line(w, NULL, "RHS", w->row[i], &s.rhs);
    }
    put(w, "RANGES\n");
    for (uint32_t i = 0; i < w->p->m; i++) {
        struct side s = side_of(w->p->row_lower[i], w->p->row_upper[i]);
        if (s.ranged) put_line(w, NULL, "RNG", w->row[i], &s.range);
    }
}

/* --- columns --------------------------------------------------------------------------------- */

static void write_marker(struct writer *w, bool begins)
{
    put(w, w->fixed ? "    MARKER    'MARKER'                 " : " MARKER 'MARKER' ");
    put(w, begins ? "'INTORG'\n" : "'INTEND'\n");
}

static void write_columns(struct writer *w)
{
    const mgc_program *p = w->p;
    const mgc__csc *a = &p->a.csc;
    bool integer = false;

    put(w, "COLUMNS\n");
    for (uint32_t j = 0; j < p->n; j++) {
        if (integer != (p->integer[j] != 0)) {
            integer = !integer;
            write_marker(w, integer);
        }
        if (p->cost[j] != 0.0 || a->start[j] == a->start[j + 1])
            put_line(w, NULL, w->column[j], w->objective, &p->cost[j]);
        for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++)
            put_line(w, NULL, w->column[j], w->row[a->row[k]], &a->value[k]);
    }
    if (integer) write_marker(w, false);
}

static void write_bound(struct writer *w, uint32_t j)
{
    double lower = w->p->lower[j], upper = w->p->upper[j];
    bool integer = w->p->integer[j] != 0;

    if (lower == upper) {
        put_line(w, "FX", "BND", w->column[j], &lower);
    } else if (isinf(lower) && isinf(upper)) {
        put_line(w, "FR", "BND", w->column[j], NULL);
    } else {
        if (isinf(lower)) put_line(w, "MI", "BND", w->column[j], NULL);
        else if (lower != 0.0) put_line(w, "LO", "BND", w->column[j], &lower);
        if (!isinf(upper)) put_line(w, "UP", "BND", w->column[j], &upper);
        else if (integer && lower == 0.0) put_line(w, "PL", "BND", w->column[j], NULL);
    }
}

static void write_quadratic(struct writer *w)
{
    const mgc__csc *q = &w->p->q.csc;

    if (q->start[w->p->n] == 0) return;
    put(w, "QUADOBJ\n");
    for (uint32_t j = 0; j < w->p->n; j++)
        for (uint32_t k = q->start[j]; k < q->start[j + 1]; k++)
            put_line(w, NULL, w->column[j], w->column[q->row[k]], &q->value[k]);
}

/* Magnitudes that the format reads as "none" cannot be written. */
static mgc_status check_magnitudes(const mgc_program *p)
{
    for (uint32_t j = 0; j < p->n; j++)
        if ((isfinite(p->lower[j]) && fabs(p->lower[j]) >= 1e30) ||
            (isfinite(p->upper[j]) && fabs(p->upper[j]) >= 1e30))
            return mgc__fail(p->ctx, MGC_E_RANGE,
                             "solver: a bound of column %u is %g or %g; MPS holds magnitudes below 1e30", j,
                             p->lower[j], p->upper[j]);
    for (uint32_t i = 0; i < p->m; i++)
        if ((isfinite(p->row_lower[i]) && fabs(p->row_lower[i]) >= 1e30) ||
            (isfinite(p->row_upper[i]) && fabs(p->row_upper[i]) >= 1e30))
            return mgc__fail(p->ctx, MGC_E_RANGE,
                             "solver: a bound of row %u is %g or %g; MPS holds magnitudes below 1e30", i,
                             p->row_lower[i], p->row_upper[i]);
    return MGC_OK;
}

static void write_all(struct writer *w)
{
    const char *name = w->p->name != NULL && w->p->name[0] != '\0' ? w->p->name : "BLANK";

    put(w, w->fixed ? "NAME          " : "NAME ");
    put(w, name);
    put(w, w->fixed ? "\n" : " FREE\n");
    write_rows(w);
    write_columns(w);
    write_sides(w);
    put(w, "BOUNDS\n");
    for (uint32_t j = 0; j < w->p->n; j++) write_bound(w, j);
    write_quadratic(w);
    put(w, "ENDATA\n");
    flush(w);
    if (w->rounded > 0)
        mgc__log(w->p->ctx, MGC_LOG_WARN, "solver: %llu numbers were rounded to the %d bytes that fixed MPS has; free MPS keeps "
                 "them", (unsigned long long)w->rounded, FIXED_NUMBER);
}

static mgc_status check_request(const mgc_program *p, uint32_t format, mgc_write_fn write)
{
    if (write == NULL)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: write is NULL; a function that takes the text is needed");
    if (format > MGC_MPS_FIXED)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: format is %u; MGC_MPS_FREE or MGC_MPS_FIXED is needed", format);
    if (format == MGC_MPS_FIXED && (p->n > FIXED_INDEX_MAX || p->m > FIXED_INDEX_MAX))
        return mgc__fail(p->ctx, MGC_E_LIMIT, "solver: %u columns and %u rows; fixed MPS has names for %d", p->n, p->m,
                         FIXED_INDEX_MAX);
    return check_magnitudes(p);
}

mgc_status mgc_program_write_mps_as(const mgc_program *p, uint32_t format, mgc_write_fn write, void *user)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = check_request(p, format, write);
    /* Compiling changes how the entries are kept, not what they are. */
    if (st == MGC_OK) st = mgc__program_compile((mgc_program *)(uintptr_t)p);
    if (st != MGC_OK) return st;
    struct writer *w = mgc__alloc(p->ctx, 1, sizeof *w);
    if (w == NULL) return mgc__no_memory(p->ctx, "a writer");
    w->p = p;
    w->write = write;
    w->user = user;
    w->fixed = format == MGC_MPS_FIXED;
    mgc__names_init(&w->names, p->ctx);
    st = make_names(w);
    if (st == MGC_OK) {
        write_all(w);
        st = w->status;
        if (st == MGC_E_CALLBACK)
            st = mgc__fail(p->ctx, st, "solver: the write function answered with no word that it may use");
    }
    writer_free(w);
    mgc__free(p->ctx, w);
    return st;
}

mgc_status mgc_program_write_mps(const mgc_program *p, mgc_write_fn write, void *user)
{
    return mgc_program_write_mps_as(p, MGC_MPS_FREE, write, user);
}
