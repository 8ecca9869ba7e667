/* SPDX-License-Identifier: Apache-2.0 */
/* Reading two-stage stochastic programs in SMPS form: a core program in MPS, a time file that cuts it in two, and a stoch
 * file that says what is random.  Source: Birge, Dempster, Gassmann, Gunn, King and Wallace (1987), "A standard input
 * format for multiperiod stochastic linear programs"; Gassmann and Schweitzer (2001).  Where readers differ, what is done
 * here:
 *   - every random thing (an entry of INDEP, a block of BLOCKS, the tree of SCENARIOS) is independent of the others; the
 *     scenarios are all combinations, the last random thing of the file varying fastest;
 *   - a realisation of a block that leaves an element out has the value of the block's first realisation, and where that
 *     has none, the core's; a scenario that leaves one out has its parent's;
 *   - a random right-hand side of a ranged L or G row moves the whole range;
 *   - the names of RHS sets and periods are not compared, as published files spell them differently. */
#include <math.h>
#include <stdio.h>

#include "robust/smps_private.h"

/* --- lines ------------------------------------------------------------------------------------------------------- */

mgc_status mgc__smps_bad(const mgc__smps_lines *l, mgc_status status, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    mgc__vformat(text, sizeof text, format, args);
    va_end(args);
    return mgc__fail(l->ctx, status, "%s:%u: %s", l->file, l->number, text);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\0';
}

static void cut(mgc__smps_lines *l, size_t length)
{
    l->header = !blank(l->line[0]);
    l->n = 0;
    for (size_t at = 0; at < length;) {
        while (at < length && blank(l->line[at])) l->line[at++] = '\0';
        if (at >= length) break;
        if (l->n < SMPS_FIELDS_MAX) l->field[l->n] = l->line + at;
        l->n++;
        while (at < length && !blank(l->line[at])) at++;
    }
    l->line[length] = '\0';
}

mgc_status mgc__smps_next(mgc__smps_lines *l, bool *there)
{
    for (*there = false; l->at < l->len && !*there;) {
        size_t length = 0;
        while (l->at + length < l->len && l->text[l->at + length] != '\n') length++;
        l->number++;
        if (length >= SMPS_LINE_MAX)
            return mgc__smps_bad(l, MGC_E_LIMIT, "line of %zu bytes; at most %d", length, SMPS_LINE_MAX - 1);
        memcpy(l->line, l->text + l->at, length);
        l->at += length + (l->at + length < l->len);
        if (length > 0 && l->line[0] == '*') continue;
        cut(l, length);
        if (l->n > SMPS_FIELDS_MAX && !l->header)
            return mgc__smps_bad(l, MGC_E_SYNTAX, "%u fields; at most %d", l->n, SMPS_FIELDS_MAX);
        *there = l->n > 0;
    }
    return MGC_OK;
}

mgc_status mgc__smps_number(const mgc__smps_lines *l, const char *text, double *value)
{
    const char *end;

    *value = mgc__parse_double(text, &end);
    if (end == text || *end != '\0' || !isfinite(*value))
        return mgc__smps_bad(l, MGC_E_SYNTAX, "\"%.40s\" is not a finite number", text);
    return MGC_OK;
}

static mgc_status begin_lines(mgc_ctx *ctx, const char *text, size_t len, const char *file, const char *otherwise,
                              mgc__smps_lines *l)
{
    *l = (mgc__smps_lines){.ctx = ctx, .text = text, .len = len, .file = file != NULL ? file : otherwise};
    l->line = mgc__alloc(ctx, SMPS_LINE_MAX, 1);
    return l->line != NULL ? MGC_OK : mgc__no_memory(ctx, "a line");
}

static bool is_header(const mgc__smps_lines *l, const char *word)
{
    return l->header && strcmp(l->field[0], word) == 0;
}

/* --- the core ---------------------------------------------------------------------------------------------------- */

/* What the program does not remember of its file: the sort of each row, the objective's name. */
static mgc_status scan_row(mgc__smps *s, const mgc__smps_lines *l)
{
    if (l->n < 2) return MGC_OK;
    uint32_t row = mgc__names_find(&s->rows, l->field[1]);
    if (row != UINT32_MAX)
        s->sort[row] = l->field[0][0];
    else if (l->field[0][0] == 'N' && s->objective[0] == '\0' && strlen(l->field[1]) < sizeof s->objective)
        memcpy(s->objective, l->field[1], strlen(l->field[1]) + 1);
    return MGC_OK;
}

static mgc_status scan_core(mgc__smps *s, const char *text, size_t len, const char *file)
{
    mgc__smps_lines l;
    bool there = true, rows = false, sense = false;
    mgc_status st = begin_lines(s->ctx, text, len, file, "core", &l);

    while (st == MGC_OK) {
        st = mgc__smps_next(&l, &there);
        if (st != MGC_OK || !there || is_header(&l, "COLUMNS")) break;
        if (l.header) {
            rows = strcmp(l.field[0], "ROWS") == 0;
            sense = strcmp(l.field[0], "OBJSENSE") == 0;
        }
        if (sense && strncmp(l.field[l.n < 2 ? 0 : 1], "MAX", 3) == 0)
            st = mgc__smps_bad(&l, MGC_E_UNSUPPORTED, "a core that is maximised; turn the signs of its costs");
        else if (rows && !l.header)
            st = scan_row(s, &l);
    }
    mgc__free(s->ctx, l.line);
    return st;
}

static mgc_status index_names(mgc__smps *s)
{
    for (uint32_t j = 0; j < s->core->n; j++)
        if (!mgc__names_add(&s->columns, mgc_program_column_name(s->core, j), j))
            return mgc__no_memory(s->ctx, "column names");
    for (uint32_t i = 0; i < s->core->m; i++)
        if (!mgc__names_add(&s->rows, mgc_program_row_name(s->core, i), i))
            return mgc__no_memory(s->ctx, "row names");
    s->sort = mgc__alloc(s->ctx, s->core->m, 1);
    return s->sort != NULL ? MGC_OK : mgc__no_memory(s->ctx, "the core's rows");
}

static mgc_status read_core(mgc__smps *s, const char *text, size_t len, const char *file)
{
    mgc_status st = mgc_program_read_mps(s->ctx, text, len, file != NULL ? file : "core", &s->core);

    if (st == MGC_OK && mgc_program_maximises(s->core) != 0) /* the stoch file speaks of costs as they were */
        return mgc__fail(s->ctx, MGC_E_UNSUPPORTED, "%s: OBJSENSE MAX; a stochastic program is minimised",
                         file != NULL ? file : "core");
    if (st == MGC_OK) st = mgc__program_compile(s->core);
    if (st == MGC_OK) st = index_names(s);
    return st == MGC_OK ? scan_core(s, text, len, file) : st;
}

/* --- the cut in time --------------------------------------------------------------------------------------------- */

/* "column row period": where the period begins. */
static mgc_status read_period(mgc__smps *s, const mgc__smps_lines *l, uint32_t period)
{
    if (l->n != 3) return mgc__smps_bad(l, MGC_E_SYNTAX, "%u fields; a period is \"column row name\"", l->n);
    if (period > 1)
        return mgc__smps_bad(l, MGC_E_UNSUPPORTED, "a third period, %.60s; only two stages are read", l->field[2]);
    uint32_t column = mgc__names_find(&s->columns, l->field[0]), row = mgc__names_find(&s->rows, l->field[1]);
    if (row == UINT32_MAX && strcmp(l->field[1], s->objective) == 0) row = 0;
    if (column == UINT32_MAX) return mgc__smps_bad(l, MGC_E_NOT_FOUND, "the core has no column %.60s", l->field[0]);
    if (row == UINT32_MAX) return mgc__smps_bad(l, MGC_E_NOT_FOUND, "the core has no row %.60s", l->field[1]);
    if (period == 0 && (column != 0 || row != 0))
        return mgc__smps_bad(l, MGC_E_SYNTAX, "the first period begins at %.60s, %.60s; it must begin with the core",
                             l->field[0], l->field[1]);
    s->cut_column = column;
    s->cut_row = row;
    return MGC_OK;
}

static mgc_status read_time(mgc__smps *s, const char *text, size_t len, const char *file)
{
    mgc__smps_lines l;
    uint32_t periods = 0;
    bool there = true, inside = false;
    mgc_status st = begin_lines(s->ctx, text, len, file, "time", &l);

    while (st == MGC_OK) {
        st = mgc__smps_next(&l, &there);
        if (st != MGC_OK || !there || is_header(&l, "ENDATA")) break;
        if (l.header) {
            inside = strcmp(l.field[0], "PERIODS") == 0;
            if (!inside && strcmp(l.field[0], "TIME") != 0 && strcmp(l.field[0], "NAME") != 0) /* some write it so */
                st = mgc__smps_bad(&l, MGC_E_UNSUPPORTED, "section %.60s; read are TIME and PERIODS", l.field[0]);
            if (inside && l.n > 1 && strcmp(l.field[1], "EXPLICIT") == 0)
                st = mgc__smps_bad(&l, MGC_E_UNSUPPORTED,
                                   "explicit periods; only periods given by their first column and row are read");
        } else {
            st = inside ? read_period(s, &l, periods++) : mgc__smps_bad(&l, MGC_E_SYNTAX, "data before PERIODS");
        }
    }
    if (st == MGC_OK && periods != 2) st = mgc__smps_bad(&l, MGC_E_SYNTAX, "%u periods; two are needed", periods);
    mgc__free(s->ctx, l.line);
    return st;
}

/* --- the whole --------------------------------------------------------------------------------------------------- */

static void free_smps(mgc__smps *s)
{
    for (uint32_t e = 0; e < s->n_elements; e++) mgc__free(s->ctx, s->elements[e].key);
    for (uint32_t u = 0; u < s->n_things; u++) mgc__free(s->ctx, s->things[u].name);
    for (uint32_t r = 0; r < s->n_realisations; r++) mgc__free(s->ctx, s->realisations[r].name);
    mgc__free(s->ctx, s->elements);
    mgc__free(s->ctx, s->things);
    mgc__free(s->ctx, s->realisations);
    mgc__free(s->ctx, s->changes);
    mgc__free(s->ctx, s->sort);
    mgc__names_free(&s->columns);
    mgc__names_free(&s->rows);
    mgc__names_free(&s->element_names);
    mgc__names_free(&s->thing_names);
    mgc_program_destroy(s->core);
}

mgc_status mgc_twostage_read_smps(mgc_ctx *ctx, const char *core, size_t core_len, const char *core_file,
                                  const char *time, size_t time_len, const char *time_file, const char *stoch,
                                  size_t stoch_len, const char *stoch_file, mgc_twostage **out)
{
    mgc__smps s = {.ctx = ctx};
    mgc__smps_lines l = {.ctx = ctx};

    if (ctx == NULL || out == NULL || core == NULL || time == NULL || stoch == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    mgc__names_init(&s.columns, ctx);
    mgc__names_init(&s.rows, ctx);
    mgc__names_init(&s.element_names, ctx);
    mgc__names_init(&s.thing_names, ctx);
    mgc_status st = read_core(&s, core, core_len, core_file);
    if (st == MGC_OK) st = read_time(&s, time, time_len, time_file);
    if (st == MGC_OK) st = begin_lines(ctx, stoch, stoch_len, stoch_file, "stoch", &l);
    if (st == MGC_OK) st = mgc__smps_read_stoch(&s, &l);
    if (st == MGC_OK) st = mgc__smps_build(&s, out);
    mgc__free(ctx, l.line);
    free_smps(&s);
    return st;
}
