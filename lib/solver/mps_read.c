/* SPDX-License-Identifier: Apache-2.0 */
/* Reading MPS and QPS text, fixed and free format.
 *
 * The format has no standard.  Where readers differ, what is done here:
 *   - the first N row is the objective; further N rows constrain nothing and are left out with their entries;
 *   - an entry of RHS on the objective is minus its constant;
 *   - a column between INTORG and INTEND without any bound is binary (as CPLEX, HiGHS, CBC and GLPK have it);
 *   - a negative UP bound where no lower bound was given removes the lower bound 0;
 *   - RANGES R on an E row with right-hand side b: [b, b + R] for R > 0, [b + R, b] for R < 0;
 *   - magnitudes of 1e30 and beyond, and the word inf, are no bound;
 *   - of several RHS, RANGES or BOUNDS sets the first counts, with a warning to the log;
 *   - QUADOBJ, and QSECTION of the objective, hold one triangle of Q with the diagonal, QMATRIX both; the objective has
 *     1/2 x'Qx;
 *   - OBJSENSE MAX (in its line or in the next; MAXIMIZE, MAXIMISE; section OBJMAX) negates costs, constant and Q, since
 *     programs are minimised; the program remembers it;
 *   - OBJNAME names the N row that is the objective, where the first one is not;
 *   - `$` at the beginning of field 3 or 5 begins a comment, unless a row or column has that name;
 *   - on fixed cards, a blank name of a column or a set is that of the card before;
 *   - D is an exponent's letter too, as Fortran writes it.
 * Sources: IBM's MPSX description as kept by the MPS page of lp_solve; Maros and Meszaros (1999) for QPS. */
#include <math.h>
#include <stdio.h>

#include "solver/names.h"
#include "solver/program_impl.h"

#define INFINITE_FROM 1e30 /* the usual word of MPS files for "none" */

enum { FIELDS_MAX = 6, LINE_MAX_BYTES = 1 << 16 /* a line is six names at most; longer is not MPS */ };

enum section {
    NONE, NAME, ROWS, COLUMNS, RHS, RANGES, BOUNDS, QUADOBJ, QMATRIX, QSECTION, OBJSENSE, OBJMAX, OBJMIN, OBJNAME,
    ENDATA, REFUSED
};

static const struct { const char *word; enum section section;
} SECTIONS[] = {
    {"NAME", NAME},          {"ROWS", ROWS},        {"COLUMNS", COLUMNS},  {"RHS", RHS},
    {"RANGES", RANGES},      {"BOUNDS", BOUNDS},    {"QUADOBJ", QUADOBJ},  {"QMATRIX", QMATRIX},
    {"OBJSENSE", OBJSENSE},  {"ENDATA", ENDATA},    {"SOS", REFUSED},      {"SOS1", REFUSED},
    {"SOS2", REFUSED},       {"QCMATRIX", REFUSED}, {"QSECTION", QSECTION}, {"CSECTION", REFUSED},
    {"INDICATORS", REFUSED}, {"GENCONS", REFUSED},  {"LAZYCONS", REFUSED}, {"USERCUTS", REFUSED},
    {"OBJMAX", OBJMAX},      {"OBJMIN", OBJMIN},    {"OBJNAME", OBJNAME},  {"OBJECTIVE", OBJNAME},
    {"SETS", REFUSED},
};

/* Values in the table of row names that are no row of the program. */
#define ROW_OBJECTIVE (UINT32_MAX - 1)
#define ROW_IGNORED (UINT32_MAX - 2)

/* One entry of QUADOBJ or QMATRIX, kept until all are known: i <= j, `below` where it was written the other way. */
struct quadratic {
    uint32_t i, j;
    bool below;
    double value;
    uint64_t line;
};

struct reader {
    mgc_ctx *ctx;
    const char *text, *file;
    size_t len, pos, begin;
    uint64_t line;
    bool fixed;
    char *buffer; /* the present line, cut into fields */
    char *field[FIELDS_MAX];
    unsigned fields;
    bool loose;  /* cut at blanks */
    bool header; /* begins in the first column */
    enum section section;
    uint32_t seen; /* sections, a bit each */
    mgc_program *p;
    mgc__names rows, columns; /* names are borrowed from the program, or from `extra` */
    char **extra;             /* names of N rows */
    size_t n_extra, extra_cap;
    char *objective;          /* the name that OBJNAME gave, or NULL */
    bool has_objective, maximise;
    char *type;               /* of each row: L, G or E */
    uint64_t *row_mark;       /* of each row: 1 + the column that last had an entry in it */
    size_t type_cap, mark_cap;
    uint64_t objective_mark;
    double *rhs;              /* of each row */
    uint8_t *bounded;         /* of each column: 1 lower, 2 upper, 4 any */
    size_t rhs_cap, bounded_cap;
    char *set[3];             /* the chosen RHS, RANGES, BOUNDS set */
    bool have_set[3], warned[3], left_out[3]; /* left_out: what the last entry belonged to */
    uint32_t column;          /* being read; UINT32_MAX before the first */
    bool integer;             /* between markers */
    struct quadratic *q;
    size_t n_q, q_cap;
};

/* --- failing with file and line -------------------------------------------------------------- */

static mgc_status bad(struct reader *r, mgc_status status, const char *format, ...) MGC_PRINTF(3, 4);

static mgc_status bad(struct reader *r, mgc_status status, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    mgc__vformat(text, sizeof text, format, args);
    va_end(args);
    return mgc__fail(r->ctx, status, "%s:%llu: %s", r->file, (unsigned long long)r->line, text);
}

/* What the program's own checks said, with the place in front. */
static mgc_status placed(struct reader *r, mgc_status st)
{
    char text[400];

    if (st == MGC_OK || st == MGC_E_NO_MEMORY) return st;
    snprintf(text, sizeof text, "%s", mgc_ctx_error(r->ctx));
    return bad(r, st == MGC_E_INVALID_ARG ? MGC_E_SYNTAX : st, "%s", text);
}

/* --- lines and fields ------------------------------------------------------------------------ */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* The next line that holds something; false at the end of the text.  A line too long is cut at LINE_MAX_BYTES + 1. */
static bool next_line(struct reader *r, const char **line, size_t *len)
{
    while (r->pos < r->len) {
        const char *start = r->text + r->pos;
        const char *end = memchr(start, '\n', r->len - r->pos);
        size_t n = end != NULL ? (size_t)(end - start) : r->len - r->pos;

        r->pos += n + (end != NULL);
        r->line++;
        while (n > 0 && is_blank(start[n - 1])) n--;
        if (n == 0 || start[0] == '*') continue;
        *line = start;
        *len = n;
        return true;
    }
    return false;
}

static unsigned split_free(char *s, char *field[FIELDS_MAX])
{
    unsigned n = 0;

    for (;;) {
        while (is_blank(*s)) s++;
        if (*s == '\0') return n;
        if (n == FIELDS_MAX) return FIELDS_MAX + 1;
        field[n++] = s;
        while (*s != '\0' && !is_blank(*s)) s++;
        if (*s != '\0') *s++ = '\0';
    }
}

/* Fields 1 to 6 of the punched card: columns 2-3, 5-12, 15-22, 25-36, 40-47, 50-61.  Trailing blanks go; empty
 * fields at the end are not counted.  The card must be writable up to 62 bytes, blank-filled. */
static unsigned split_fixed(char *s, char *field[FIELDS_MAX])
{
    static const struct {
        unsigned char at, len;
    } place[FIELDS_MAX] = {{1, 2}, {4, 8}, {14, 8}, {24, 12}, {39, 8}, {49, 12}};
    unsigned n = 0;

    for (unsigned f = 0; f < FIELDS_MAX; f++) {
        char *start = s + place[f].at, *end = start + place[f].len;
        while (end > start && is_blank(end[-1])) end--;
        if (f == 0 || f == 3 || f == 5) while (start < end && is_blank(*start)) start++;
        *end = '\0';
        field[f] = start;
        if (end > start) n = f + 1;
    }
    return n;
}

enum { CARD = 80 };

/* Longer numbers have no exponent of Fortran's. */
enum { FORTRAN_MAX = 40 };

static bool parse_number(const char *text, double *value)
{
    char copy[FORTRAN_MAX];
    const char *end;

    *value = mgc__parse_double(text, &end);
    if ((*end == 'D' || *end == 'd') && strlen(text) < sizeof copy) {
        memcpy(copy, text, strlen(text) + 1);
        copy[end - text] = 'e';
        text = copy;
        *value = mgc__parse_double(text, &end);
    }
    return end != text && *end == '\0' && isfinite(*value);
}

/* --- which format -------------------------------------------------------------------------------------------------
 */

static enum section find_section(const char *word)
{
    for (size_t i = 0; i < MGC__COUNT(SECTIONS); i++)
        if (strcmp(SECTIONS[i].word, word) == 0) return SECTIONS[i].section;
    return NONE;
}

static bool free_fits(enum section section, char *const f[], unsigned n)
{
    double v;

    switch (section) {
    case ROWS: return n == 2;
    case COLUMNS: return (n == 3 && (strcmp(f[1], "'MARKER'") == 0 || parse_number(f[2], &v))) ||
                         (n == 5 && parse_number(f[2], &v) && parse_number(f[4], &v));
    case RHS:
    case RANGES: return n >= 2 && n <= 5 && parse_number(f[n - 1], &v) && (n < 4 || parse_number(f[n - 3], &v));
    case BOUNDS: return n >= 2 && n <= 4;
    case QUADOBJ:
    case QMATRIX: return n == 3;
    default: return true;
    }
}

static bool fixed_fits(enum section section, const char *card, char *const f[], unsigned n)
{
    static const unsigned char gaps[] = {0, 3, 12, 13, 22, 23, 36, 37, 38, 47, 48};
    double v;

    for (size_t i = 0; i < MGC__COUNT(gaps); i++)
        if (card[gaps[i]] != ' ') return false;
    if (section == ROWS) return n >= 2;
    return n < 4 || (f[3][0] == '\'' || parse_number(f[3], &v));
}

/* Whether `word` is a name that has been read, so that no comment begins with it. */
static bool is_name(const struct reader *r, const char *word)
{
    return mgc__names_find(&r->rows, word) != UINT32_MAX || mgc__names_find(&r->columns, word) != UINT32_MAX;
}

/* End the line where a comment begins: at the third word or later.  r: whose names are no comments; NULL: none is. */
static void cut_comment(const struct reader *r, char *line)
{
    unsigned word = 0;

    for (char *s = line; *s != '\0'; word++) {
        while (is_blank(*s)) s++;
        char *start = s;
        while (*s != '\0' && !is_blank(*s)) s++;
        if (*start != '$' || word < 2) continue;
        char after = *s;
        *s = '\0';
        bool name = r != NULL && is_name(r, start);
        *s = after;
        if (name) continue;
        *start = '\0';
        return;
    }
}

/* The same of a card in place: columns 15 and 40 are where fields 3 and 5 begin. */
static void cut_card(char *card)
{
    if (card[14] == '$') memset(card + 14, ' ', CARD - 14);
    else if (card[39] == '$') memset(card + 39, ' ', CARD - 39);
}

/* A line of the text as a card: blank-filled, NUL at its end. */
static void make_card(char card[CARD + 1], const char *line, size_t len)
{
    memset(card, ' ', CARD);
    memcpy(card, line, len < CARD ? len : CARD);
    card[CARD] = '\0';
}

/* Free format is read where it explains at least as many lines as the fixed one: only names with blanks in them
 * make the difference. */
static bool looks_fixed(struct reader *r)
{
    uint64_t misfit_free = 0, misfit_fixed = 0;
    enum section section = NONE;
    const char *line;
    size_t len;

    while (next_line(r, &line, &len)) {
        char card[CARD + 1], copy[CARD + 1], *f[FIELDS_MAX] = {0};
        bool comment = len > CARD && (line[14] == '$' || line[39] == '$');
        if (len > CARD && !comment) {
            misfit_fixed++;
            continue;
        }
        if (comment) len = CARD;
        memcpy(copy, line, len);
        copy[len] = '\0';
        cut_comment(NULL, copy);
        unsigned n = split_free(copy, f);
        if (!is_blank(line[0])) {
            section = n > 0 ? find_section(f[0]) : NONE; /* a byte 0 in front */
            continue;
        }
        misfit_free += n > FIELDS_MAX || !free_fits(section, f, n);
        make_card(card, line, len);
        cut_card(card);
        char cut[CARD + 1];
        memcpy(cut, card, sizeof cut);
        n = split_fixed(cut, f);
        misfit_fixed += !fixed_fits(section, card, f, n);
    }
    r->pos = r->begin;
    r->line = 0;
    return misfit_fixed < misfit_free;
}

static bool has_marker(const char *line, size_t len)
{
    static const char word[] = "'MARKER'";

    for (size_t i = 0; i + sizeof word - 1 <= len; i++)
        if (memcmp(line + i, word, sizeof word - 1) == 0) return true;
    return false;
}

/* Cut the line into r->field. */
static mgc_status take_line(struct reader *r, const char *line, size_t len)
{
    if (len > LINE_MAX_BYTES) return bad(r, MGC_E_LIMIT, "the line is longer than %d bytes", LINE_MAX_BYTES);
    if (memchr(line, '\0', len) != NULL)
        return bad(r, MGC_E_SYNTAX, "the line holds a byte 0; this is not an MPS text");
    r->header = !is_blank(line[0]);
    /* Files differ in where markers stand; they hold no names with blanks. */
    bool marker = r->section == COLUMNS && len > 8 && has_marker(line, len);
    r->loose = !r->fixed || r->header || marker || r->section == OBJSENSE || r->section == OBJNAME;
    if (!r->loose) {
        make_card(r->buffer, line, len);
        r->fields = split_fixed(r->buffer, r->field);
        for (unsigned f = 2; f < r->fields && f <= 4; f += 2)
            if (r->field[f][0] == '$' && !is_name(r, r->field[f])) r->fields = f;
        while (r->fields > 0 && r->field[r->fields - 1][0] == '\0') r->fields--;
    } else {
        memcpy(r->buffer, line, len);
        r->buffer[len] = '\0';
        if (!r->header) cut_comment(r, r->buffer);
        r->fields = split_free(r->buffer, r->field);
    }
    if (r->header && r->fields > FIELDS_MAX) r->fields = FIELDS_MAX; /* the name may have any number of words */
    if (r->fields > FIELDS_MAX) return bad(r, MGC_E_SYNTAX, "more than %d fields", FIELDS_MAX);
    for (unsigned f = 0; f < r->fields; f++)
        if (strlen(r->field[f]) > PROGRAM_NAME_MAX)
            return bad(r, MGC_E_LIMIT, "\"%.20s...\" is longer than %d bytes", r->field[f], PROGRAM_NAME_MAX);
    return MGC_OK;
}

static mgc_status take_number(struct reader *r, const char *text, double *value)
{
    if (parse_number(text, value)) return MGC_OK;
    return bad(r, MGC_E_SYNTAX, "\"%s\" is not a finite number", text);
}

/* --- ROWS ------------------------------------------------------------------------------------ */

static mgc_status reserve_row(struct reader *r)
{
    size_t need = (size_t)r->p->m + 1;
    void *type = r->type, *mark = r->row_mark, *rhs = r->rhs;
    bool ok = mgc__grow(r->ctx, &type, &r->type_cap, need, sizeof *r->type) &&
              mgc__grow(r->ctx, &mark, &r->mark_cap, need, sizeof *r->row_mark) &&
              mgc__grow(r->ctx, &rhs, &r->rhs_cap, need, sizeof *r->rhs);

    r->type = type;
    r->row_mark = mark;
    r->rhs = rhs;
    return ok ? MGC_OK : mgc__no_memory(r->ctx, "rows of an MPS text");
}

/* N rows are not rows of the program; their names are kept here. */
static mgc_status add_n_row(struct reader *r, const char *name)
{
    void *extra = r->extra;
    bool ok = mgc__grow(r->ctx, &extra, &r->extra_cap, r->n_extra + 1, sizeof *r->extra);

    r->extra = extra;
    char *copy = ok ? mgc__strdup(r->ctx, name) : NULL;
    if (copy == NULL) return mgc__no_memory(r->ctx, "a row's name");
    r->extra[r->n_extra++] = copy;
    bool objective = r->objective != NULL ? strcmp(r->objective, name) == 0 : r->n_extra == 1;
    r->has_objective |= objective;
    return mgc__names_add(&r->rows, copy, objective ? ROW_OBJECTIVE : ROW_IGNORED)
               ? MGC_OK : mgc__no_memory(r->ctx, "a row's name");
}

static mgc_status read_row(struct reader *r)
{
    uint32_t row;

    if (r->fields != 2)
        return bad(r, MGC_E_SYNTAX, "a line of ROWS has %u fields; type and name are needed", r->fields);
    const char *type = r->field[0], *name = r->field[1];
    if (type[0] == '\0' || type[1] != '\0' || strchr("NLGE", type[0]) == NULL)
        return bad(r, MGC_E_SYNTAX, "row type \"%s\"; N, L, G or E is needed", type);
    if (mgc__names_find(&r->rows, name) != UINT32_MAX) return bad(r, MGC_E_SYNTAX, "row %s is named twice", name);
    if (type[0] == 'N') return add_n_row(r, name);
    mgc_status st = reserve_row(r);
    if (st == MGC_OK)
        st = placed(r, mgc_program_add_row(r->p, type[0] == 'L' ? -INFINITY : 0.0, type[0] == 'G' ? INFINITY : 0.0,
                                           NULL, NULL, 0, &row));
    if (st == MGC_OK) st = placed(r, mgc_program_set_row_name(r->p, row, name));
    if (st != MGC_OK) return st;
    r->type[row] = type[0];
    r->row_mark[row] = 0;
    r->rhs[row] = 0.0;
    return mgc__names_add(&r->rows, mgc_program_row_name(r->p, row), row) ? MGC_OK
                                                                          : mgc__no_memory(r->ctx, "a row's name");
}

/* --- COLUMNS --------------------------------------------------------------------------------- */

static mgc_status find_row(struct reader *r, const char *name, uint32_t *row)
{
    *row = mgc__names_find(&r->rows, name);
    return *row != UINT32_MAX ? MGC_OK : bad(r, MGC_E_SYNTAX, "row %s is not in ROWS", name);
}

static mgc_status find_column(struct reader *r, const char *name, uint32_t *column)
{
    *column = mgc__names_find(&r->columns, name);
    return *column != UINT32_MAX ? MGC_OK : bad(r, MGC_E_SYNTAX, "column %s is not in COLUMNS", name);
}

static mgc_status begin_column(struct reader *r, const char *name)
{
    uint32_t column;

    if (r->column != UINT32_MAX && strcmp(mgc_program_column_name(r->p, r->column), name) == 0) return MGC_OK;
    if (!r->loose && name[0] == '\0')
        return r->column != UINT32_MAX ? MGC_OK : bad(r, MGC_E_SYNTAX, "the first card of COLUMNS names no column");
    if (mgc__names_find(&r->columns, name) != UINT32_MAX)
        return bad(r, MGC_E_SYNTAX, "column %s appears again; all its entries must stand together", name);
    mgc_status st = placed(r, mgc_program_add_column(r->p, 0.0, 0.0, INFINITY, &column));
    if (st == MGC_OK) st = placed(r, mgc_program_set_column_name(r->p, column, name));
    if (st == MGC_OK && r->integer) st = mgc_program_set_integer(r->p, column, 1);
    if (st != MGC_OK) return st;
    void *bounded = r->bounded;
    bool ok = mgc__grow(r->ctx, &bounded, &r->bounded_cap, (size_t)column + 1, 1);
    r->bounded = bounded;
    if (!ok || !mgc__names_add(&r->columns, mgc_program_column_name(r->p, column), column))
        return mgc__no_memory(r->ctx, "a column of an MPS text");
    r->bounded[column] = 0;
    r->column = column;
    return MGC_OK;
}

static mgc_status add_entry(struct reader *r, const char *row_name, const char *number)
{
    uint64_t mark = (uint64_t)r->column + 1;
    uint32_t row;
    double value;
    mgc_status st = find_row(r, row_name, &row);

    if (st == MGC_OK) st = take_number(r, number, &value);
    if (st != MGC_OK || row == ROW_IGNORED) return st;
    uint64_t *seen = row == ROW_OBJECTIVE ? &r->objective_mark : &r->row_mark[row];
    if (*seen == mark)
        return bad(r, MGC_E_SYNTAX, "column %s has two entries in row %s", mgc_program_column_name(r->p, r->column),
                   row_name);
    *seen = mark;
    if (row == ROW_OBJECTIVE) return placed(r, mgc_program_set_cost(r->p, r->column, value));
    return placed(r, mgc_program_set_coefficient(r->p, row, r->column, value));
}

static mgc_status read_marker(struct reader *r, const char *word)
{
    if (strcmp(word, "'INTORG'") == 0) r->integer = true;
    else if (strcmp(word, "'INTEND'") == 0) r->integer = false;
    else if (strcmp(word, "'SOSORG'") == 0 || strcmp(word, "'SOSEND'") == 0)
        return bad(r, MGC_E_UNSUPPORTED, "special ordered sets (%s) are not supported", word);
    else return bad(r, MGC_E_SYNTAX, "marker %s; 'INTORG' or 'INTEND' is needed", word);
    return MGC_OK;
}

/* Name, row, number[, row, number], in r->field from index `first` on. */
static mgc_status read_column(struct reader *r)
{
    unsigned first = r->loose ? 0 : 1, n = r->fields - (r->fields < first ? r->fields : first);
    char **f = r->field + first;

    if (n == 3 && strcmp(f[1], "'MARKER'") == 0) return read_marker(r, f[2]);
    if (n != 3 && n != 5)
        return bad(r, MGC_E_SYNTAX,
                   "a line of COLUMNS has %u fields; name, row, number and perhaps row, number are needed", n);
    mgc_status st = begin_column(r, f[0]);
    if (st == MGC_OK) st = add_entry(r, f[1], f[2]);
    if (st == MGC_OK && n == 5) st = add_entry(r, f[3], f[4]);
    return st;
}

/* --- RHS, RANGES ----------------------------------------------------------------------------- */

/* Whether an entry of the set of that name counts: the first set does, and an entry without set. */
static mgc_status choose_set(struct reader *r, unsigned which, const char *name, bool *counts)
{
    *counts = !r->left_out[which];
    if (name != NULL && name[0] == '\0') return MGC_OK; /* a card's blank: the set of the card before */
    *counts = true;
    if (name == NULL) return MGC_OK;
    if (!r->have_set[which]) {
        r->set[which] = mgc__strdup(r->ctx, name);
        if (r->set[which] == NULL) return mgc__no_memory(r->ctx, "a name");
        r->have_set[which] = true;
    }
    *counts = strcmp(r->set[which], name) == 0;
    r->left_out[which] = !*counts;
    if (!*counts && !r->warned[which]) {
        r->warned[which] = true;
        mgc__log(r->ctx, MGC_LOG_WARN, "%s:%llu: set \"%s\" is left out; the first one, \"%s\", counts", r->file,
                 (unsigned long long)r->line, name, r->set[which]);
    }
    return MGC_OK;
}

static mgc_status set_rhs(struct reader *r, uint32_t row, double value)
{
    if (row == ROW_OBJECTIVE) return mgc_program_set_offset(r->p, -value);
    double lower = r->type[row] == 'L' ? -INFINITY : value, upper = r->type[row] == 'G' ? INFINITY : value;
    if (r->type[row] == 'G' && value <= -INFINITE_FROM) lower = -INFINITY;
    if (r->type[row] == 'L' && value >= INFINITE_FROM) upper = INFINITY;
    r->rhs[row] = value;
    return placed(r, mgc_program_set_row_bounds(r->p, row, lower, upper));
}

static mgc_status set_range(struct reader *r, uint32_t row, double range)
{
    if (row == ROW_OBJECTIVE) return bad(r, MGC_E_SYNTAX, "RANGES on the objective row");
    double b = r->rhs[row], size = fabs(range);
    switch (r->type[row]) {
    case 'L': return placed(r, mgc_program_set_row_bounds(r->p, row, b - size, b));
    case 'G': return placed(r, mgc_program_set_row_bounds(r->p, row, b, b + size));
    default:
        return placed(r, mgc_program_set_row_bounds(r->p, row, range < 0 ? b + range : b, range < 0 ? b : b + range));
    }
}

static mgc_status read_side(struct reader *r, const char *row_name, const char *number)
{
    uint32_t row;
    double value;
    mgc_status st = find_row(r, row_name, &row);

    if (st == MGC_OK) st = take_number(r, number, &value);
    if (st != MGC_OK || row == ROW_IGNORED) return st;
    return r->section == RHS ? set_rhs(r, row, value) : set_range(r, row, value);
}

/* [set,] row, number[, row, number] */
static mgc_status read_sides(struct reader *r)
{
    unsigned n = r->fields;
    char **f = r->field;
    const char *set = NULL;
    bool counts;

    if (r->fixed && n > 0) n--, f++; /* field 1 is empty */
    bool named = n == 3 || n == 5;
    if (named) set = f[0], f++, n--;
    if ((n != 2 && n != 4) || (r->fixed && !named))
        return bad(r, MGC_E_SYNTAX, "a line of %s has %u fields; set, row, number and perhaps row, number are needed",
                   r->section == RHS ? "RHS" : "RANGES", r->fields);
    mgc_status st = choose_set(r, r->section == RHS ? 0 : 1, set, &counts);
    if (st != MGC_OK || !counts) return st;
    st = read_side(r, f[0], f[1]);
    if (st == MGC_OK && n == 4) st = read_side(r, f[2], f[3]);
    return st;
}

/* --- BOUNDS ---------------------------------------------------------------------------------- */

enum { HAS_LOWER = 1, HAS_UPPER = 2, HAS_ANY = 4 };

/* A bound's number, where "inf" and 1e30 mean none. */
static mgc_status take_bound(struct reader *r, const char *text, double *value)
{
    static const char *const words[] = {"inf", "+inf", "Inf", "+Inf", "INF", "infinity", "Infinity", "1e+30", "1e30"};
    bool minus = text[0] == '-';

    for (size_t i = 0; i < MGC__COUNT(words); i++)
        if (strcmp(text + minus, words[i]) == 0) {
            *value = minus ? -INFINITY : INFINITY;
            return MGC_OK;
        }
    mgc_status st = take_number(r, text, value);
    if (st == MGC_OK && fabs(*value) >= INFINITE_FROM) *value = *value < 0 ? -INFINITY : INFINITY;
    return st;
}

static mgc_status set_bound(struct reader *r, const char *type, uint32_t j, double v)
{
    double lower = r->p->lower[j], upper = r->p->upper[j];
    uint8_t *b = &r->bounded[j];

    if (strcmp(type, "LO") == 0 || strcmp(type, "LI") == 0) lower = v, *b |= HAS_LOWER;
    else if (strcmp(type, "UP") == 0 || strcmp(type, "UI") == 0) {
        if (v < 0 && !(*b & HAS_LOWER)) lower = -INFINITY;
        upper = v, *b |= HAS_UPPER;
    } else if (strcmp(type, "FX") == 0) lower = upper = v, *b |= HAS_LOWER | HAS_UPPER;
    else if (strcmp(type, "FR") == 0) lower = -INFINITY, upper = INFINITY, *b |= HAS_LOWER | HAS_UPPER;
    else if (strcmp(type, "MI") == 0) lower = -INFINITY, *b |= HAS_LOWER;
    else if (strcmp(type, "PL") == 0) upper = INFINITY, *b |= HAS_UPPER;
    else lower = 0, upper = 1, *b |= HAS_LOWER | HAS_UPPER; /* BV */
    *b |= HAS_ANY;
    if ((strcmp(type, "LI") == 0 || strcmp(type, "UI") == 0 || strcmp(type, "BV") == 0) && !r->p->integer[j]) {
        mgc_status st = mgc_program_set_integer(r->p, j, 1);
        if (st != MGC_OK) return st;
    }
    return placed(r, mgc_program_set_bounds(r->p, j, lower, upper));
}

/* Where set, column and value stand in a line of BOUNDS; without a set where there are too few fields for one. */
static mgc_status bound_fields(struct reader *r, bool needs_value, const char **set, const char **column,
                               const char **value)
{
    unsigned n = r->fields;
    char **f = r->field;

    *set = NULL;
    *value = NULL;
    if (r->fixed) {
        if (n < (needs_value ? 4u : 3u))
            return bad(r, MGC_E_SYNTAX, "a bound of type %s lacks %s", f[0],
                       needs_value && n == 3 ? "its value" : "its column");
        *set = f[1], *column = f[2], *value = needs_value ? f[3] : NULL;
        return MGC_OK;
    }
    if (needs_value) {
        if (n != 3 && n != 4)
            return bad(r, MGC_E_SYNTAX, "a bound of type %s has %u fields; set, column and value are needed", f[0],
                       n);
        if (n == 4) *set = f[1];
        *column = f[n - 2], *value = f[n - 1];
        return MGC_OK;
    }
    if (n < 2 || n > 4)
        return bad(r, MGC_E_SYNTAX, "a bound of type %s has %u fields; set and column are needed", f[0], n);
    bool plain = n == 2 || (n == 3 && mgc__names_find(&r->columns, f[2]) == UINT32_MAX);
    if (!plain) *set = f[1];
    *column = f[plain ? 1 : 2];
    return MGC_OK;
}

static mgc_status read_bound(struct reader *r)
{
    static const char *const known[] = {"LO", "UP", "FX", "FR", "MI", "PL", "BV", "LI", "UI"};
    static const char valued[] = "LO UP FX LI UI";
    const char *type = r->fields > 0 ? r->field[0] : "", *set = NULL, *column_name = NULL, *text = NULL;
    bool is_known = false, counts;
    uint32_t column;
    double value = 0;

    for (size_t i = 0; i < MGC__COUNT(known); i++) is_known |= strcmp(type, known[i]) == 0;
    if (strcmp(type, "SC") == 0 || strcmp(type, "SI") == 0 || strcmp(type, "SN") == 0)
        return bad(r, MGC_E_UNSUPPORTED, "bound type %s: semi-continuous columns are not supported", type);
    if (!is_known)
        return bad(r, MGC_E_SYNTAX, "bound type \"%s\"; LO, UP, FX, FR, MI, PL, BV, LI or UI is needed", type);
    bool needs_value = strstr(valued, type) != NULL;
    mgc_status st = bound_fields(r, needs_value, &set, &column_name, &text);
    if (st == MGC_OK) st = choose_set(r, 2, set, &counts);
    if (st != MGC_OK || !counts) return st;
    st = find_column(r, column_name, &column);
    if (st == MGC_OK && needs_value) st = take_bound(r, text, &value);
    return st == MGC_OK ? set_bound(r, type, column, value) : st;
}

/* --- QUADOBJ, QMATRIX ------------------------------------------------------------------------ */

static mgc_status read_quadratic(struct reader *r)
{
    unsigned first = r->fixed ? 1 : 0;
    char **f = r->field + first;
    uint32_t i, j;
    double value;

    if (r->fields != first + 3)
        return bad(r, MGC_E_SYNTAX, "a quadratic entry has %u fields; column, column, number are needed",
                   r->fields - first);
    mgc_status st = find_column(r, f[0], &i);
    if (st == MGC_OK) st = find_column(r, f[1], &j);
    if (st == MGC_OK) st = take_number(r, f[2], &value);
    if (st != MGC_OK) return st;
    void *q = r->q;
    bool ok = mgc__grow(r->ctx, &q, &r->q_cap, r->n_q + 1, sizeof *r->q);
    r->q = q;
    if (!ok) return mgc__no_memory(r->ctx, "quadratic entries");
    r->q[r->n_q++] =
        (struct quadratic){.i = i < j ? i : j, .j = i < j ? j : i, .below = i > j, .value = value, .line = r->line};
    return MGC_OK;
}

static int by_place(const void *a, const void *b)
{
    const struct quadratic *s = a, *t = b;

    if (s->j != t->j) return s->j < t->j ? -1 : 1;
    if (s->i != t->i) return s->i < t->i ? -1 : 1;
    return s->line < t->line ? -1 : s->line > t->line;
}

/* QUADOBJ names each entry once, from either triangle; QMATRIX names both triangles, and they agree. */
static mgc_status take_quadratic(struct reader *r)
{
    bool both = (r->seen & (1u << QMATRIX)) != 0;

    if (r->n_q > 0) qsort(r->q, r->n_q, sizeof *r->q, by_place);
    for (size_t k = 0; k < r->n_q;) {
        const struct quadratic *e = &r->q[k];
        size_t same = 1, want = both && e->i != e->j ? 2 : 1;
        while (k + same < r->n_q && r->q[k + same].i == e->i && r->q[k + same].j == e->j) same++;
        r->line = e[same - 1].line;
        const char *a = mgc_program_column_name(r->p, e->i), *b = mgc_program_column_name(r->p, e->j);
        if (same > want) return bad(r, MGC_E_SYNTAX, "the quadratic entry of %s and %s is given twice", a, b);
        if (same < want || (want == 2 && (e[0].value != e[1].value || e[0].below == e[1].below)))
            return bad(r, MGC_E_SYNTAX, "QMATRIX is not symmetric in %s and %s; both entries must be there and equal",
                       a, b);
        mgc_status st = placed(r, mgc_program_set_quadratic(r->p, e->i, e->j, r->maximise ? -e->value : e->value));
        if (st != MGC_OK) return st;
        k += same;
    }
    return MGC_OK;
}

/* --- sections -------------------------------------------------------------------------------- */

/* NAME name [FREE]; writers that mark free format so write BLANK for no name. */
static mgc_status read_name(struct reader *r, const char *line, size_t len)
{
    static const char mark[] = "FREE";
    size_t at = 4, mark_len = sizeof mark - 1;
    char name[PROGRAM_NAME_MAX + 1];

    while (at < len && is_blank(line[at])) at++;
    if (len - at >= mark_len && len > mark_len && memcmp(line + len - mark_len, mark, mark_len) == 0 &&
        is_blank(line[len - mark_len - 1])) {
        len -= mark_len;
        while (len > at && is_blank(line[len - 1])) len--;
        if (len < at || (len - at == 5 && memcmp(line + at, "BLANK", 5) == 0)) len = at;
    }
    if (len - at > PROGRAM_NAME_MAX) return bad(r, MGC_E_LIMIT, "the name is longer than %d bytes", PROGRAM_NAME_MAX);
    memcpy(name, line + at, len - at);
    name[len - at] = '\0';
    for (char *s = name; *s != '\0'; s++)
        if (*s == '\t') *s = ' ';
    return placed(r, mgc_program_set_name(r->p, name));
}

static mgc_status unknown_section(struct reader *r, const char *word)
{
    const char *words[MGC__COUNT(SECTIONS)];

    for (size_t i = 0; i < MGC__COUNT(SECTIONS); i++) words[i] = SECTIONS[i].word;
    const char *near = mgc__nearest(word, words, MGC__COUNT(words));
    return bad(r, MGC_E_SYNTAX, "there is no section \"%.40s\"%s%s%s", word, near != NULL ? "; did you mean " : "",
               near != NULL ? near : "", near != NULL ? "?" : "");
}

/* Whether word is one of n, in either case. */
static bool is_one_of(const char *word, const char *const words[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (word[k] != '\0' && (word[k] == words[i][k] || word[k] - ('a' - 'A') == words[i][k])) k++;
        if (word[k] == '\0' && words[i][k] == '\0') return true;
    }
    return false;
}

static mgc_status read_sense(struct reader *r, const char *word)
{
    static const char *const least[] = {"MIN", "MINIMIZE", "MINIMISE"};
    static const char *const most[] = {"MAX", "MAXIMIZE", "MAXIMISE"};

    r->maximise = is_one_of(word, most, MGC__COUNT(most));
    if (r->maximise || is_one_of(word, least, MGC__COUNT(least))) return MGC_OK;
    return bad(r, MGC_E_SYNTAX, "OBJSENSE \"%.40s\"; MIN or MAX is needed", word);
}

static mgc_status read_objective_name(struct reader *r, const char *name)
{
    if (r->objective != NULL) return bad(r, MGC_E_SYNTAX, "OBJNAME gives a second name, %.40s", name);
    r->objective = mgc__strdup(r->ctx, name);
    return r->objective != NULL ? MGC_OK : mgc__no_memory(r->ctx, "the objective's name");
}

/* QSECTION [row]: one triangle of the objective's Q; rows have none here. */
static mgc_status check_quadratic_row(struct reader *r)
{
    uint32_t row;

    if (r->fields < 2) return MGC_OK;
    mgc_status st = find_row(r, r->field[1], &row);
    if (st != MGC_OK || row == ROW_OBJECTIVE) return st;
    return bad(r, MGC_E_UNSUPPORTED, "QSECTION of row %s: quadratic rows are not supported", r->field[1]);
}

/* What stands in the line of a section's name beside it. */
static mgc_status take_header(struct reader *r, const char *line, size_t len)
{
    switch (r->section) {
    case NAME: return read_name(r, line, len);
    case OBJSENSE: return r->fields > 1 ? read_sense(r, r->field[1]) : MGC_OK;
    case OBJMAX: r->maximise = true; return MGC_OK;
    case OBJMIN: r->maximise = false; return MGC_OK;
    case OBJNAME: return r->fields > 1 ? read_objective_name(r, r->field[1]) : MGC_OK;
    default: return MGC_OK;
    }
}

static mgc_status check_order(struct reader *r, enum section section, const char *word)
{
    static const struct { enum section section; uint32_t needs; const char *what; } order[] = {
        {COLUMNS, 1u << ROWS, "ROWS"}, {RHS, 1u << COLUMNS, "COLUMNS"}, {RANGES, 1u << COLUMNS, "COLUMNS"},
        {BOUNDS, 1u << COLUMNS, "COLUMNS"}, {QUADOBJ, 1u << COLUMNS, "COLUMNS"}, {QMATRIX, 1u << COLUMNS, "COLUMNS"},
    };

    if (section == QMATRIX && (r->seen & (1u << QUADOBJ)))
        return bad(r, MGC_E_SYNTAX, "QMATRIX after QUADOBJ; one of them is needed");
    if (section == QUADOBJ && (r->seen & (1u << QMATRIX)))
        return bad(r, MGC_E_SYNTAX, "%s after QMATRIX; one of them is needed", word);
    if (r->seen & (1u << section)) return bad(r, MGC_E_SYNTAX, "section %s appears twice", word);
    for (size_t i = 0; i < MGC__COUNT(order); i++)
        if (order[i].section == section && !(r->seen & order[i].needs))
            return bad(r, MGC_E_SYNTAX, "section %s stands before %s", word, order[i].what);
    if (section == RHS && (r->seen & (1u << RANGES))) return bad(r, MGC_E_SYNTAX, "section RHS stands after RANGES");
    if (section == OBJNAME && (r->seen & (1u << ROWS)))
        return bad(r, MGC_E_SYNTAX, "section %s stands after ROWS", word);
    return MGC_OK;
}

static mgc_status begin_section(struct reader *r, const char *line, size_t len)
{
    const char *word = r->field[0];
    enum section found = find_section(word), section = found == QSECTION ? QUADOBJ : found;

    if (section == NONE) return unknown_section(r, word);
    if (section == REFUSED) return bad(r, MGC_E_UNSUPPORTED, "section %s is not supported", word);
    mgc_status st = check_order(r, section, word);
    if (st == MGC_OK && found == QSECTION) st = check_quadratic_row(r);
    if (st != MGC_OK) return st;
    r->seen |= 1u << section;
    r->section = section;
    return take_header(r, line, len);
}

static mgc_status read_data(struct reader *r)
{
    switch (r->section) {
    case ROWS: return read_row(r);
    case COLUMNS: return read_column(r);
    case RHS:
    case RANGES: return read_sides(r);
    case BOUNDS: return read_bound(r);
    case QUADOBJ:
    case QMATRIX: return read_quadratic(r);
    case OBJSENSE: return read_sense(r, r->field[0]);
    case OBJNAME: return read_objective_name(r, r->field[0]);
    case NAME: return bad(r, MGC_E_SYNTAX, "data in section NAME, which has none");
    case OBJMAX:
    case OBJMIN: return bad(r, MGC_E_SYNTAX, "data in a section that has none; OBJSENSE takes MIN or MAX");
    default: return bad(r, MGC_E_SYNTAX, "data before any section");
    }
}

/* A column between markers without any bound is binary. */
static mgc_status bound_integers(struct reader *r)
{
    for (uint32_t j = 0; j < r->p->n; j++)
        if (r->p->integer[j] && !(r->bounded[j] & HAS_ANY)) {
            mgc_status st = mgc_program_set_bounds(r->p, j, 0.0, 1.0);
            if (st != MGC_OK) return st;
        }
    return MGC_OK;
}

/* max f is -min -f. */
static mgc_status turn_objective(struct reader *r)
{
    mgc_status st = MGC_OK;

    if (!r->maximise) return MGC_OK;
    for (uint32_t j = 0; j < r->p->n && st == MGC_OK; j++)
        if (r->p->cost[j] != 0.0) st = mgc_program_set_cost(r->p, j, -r->p->cost[j]);
    if (st == MGC_OK && r->p->offset != 0.0) st = mgc_program_set_offset(r->p, -r->p->offset);
    r->p->maximises = true;
    return st;
}

static mgc_status read_all(struct reader *r)
{
    const char *line;
    size_t len;

    r->fixed = looks_fixed(r);
    while (r->section != ENDATA && next_line(r, &line, &len)) {
        mgc_status st = take_line(r, line, len);
        if (st == MGC_OK) st = r->header ? begin_section(r, line, len) : read_data(r);
        if (st != MGC_OK) return st;
    }
    if (r->section != ENDATA) return bad(r, MGC_E_SYNTAX, "the text ends before ENDATA");
    if (!r->has_objective && r->objective != NULL)
        return bad(r, MGC_E_SYNTAX, "there is no objective: OBJNAME %.40s is no row of type N", r->objective);
    if (!r->has_objective) return bad(r, MGC_E_SYNTAX, "there is no objective: no row of type N");
    mgc_status st = take_quadratic(r);
    if (st == MGC_OK) st = turn_objective(r);
    return st == MGC_OK ? bound_integers(r) : st;
}

static void reader_free(struct reader *r)
{
    mgc__names_free(&r->rows);
    mgc__names_free(&r->columns);
    for (size_t i = 0; i < r->n_extra; i++) mgc__free(r->ctx, r->extra[i]);
    for (size_t i = 0; i < MGC__COUNT(r->set); i++) mgc__free(r->ctx, r->set[i]);
    mgc__free(r->ctx, r->extra);
    mgc__free(r->ctx, r->objective);
    mgc__free(r->ctx, r->type);
    mgc__free(r->ctx, r->row_mark);
    mgc__free(r->ctx, r->rhs);
    mgc__free(r->ctx, r->bounded);
    mgc__free(r->ctx, r->q);
    mgc__free(r->ctx, r->buffer);
}

mgc_status mgc_program_read_mps(mgc_ctx *ctx, const char *text, size_t len, const char *file, mgc_program **out)
{
    static const char mark[] = "\xef\xbb\xbf"; /* the byte order mark that some editors write */
    struct reader r = {
        .ctx = ctx, .text = text, .len = len, .file = file != NULL ? file : "(text)", .column = UINT32_MAX};

    if (out == NULL || ctx == NULL) return MGC_E_INVALID_ARG;
    *out = NULL;
    if (text == NULL && len > 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "solver: text is NULL; %zu bytes were announced", len);
    if (len >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0) r.pos = sizeof mark - 1;
    r.begin = r.pos;
    mgc_status st = mgc_program_create(ctx, &r.p);
    if (st != MGC_OK) return st;
    mgc__names_init(&r.rows, ctx);
    mgc__names_init(&r.columns, ctx);
    r.buffer = mgc__alloc(ctx, LINE_MAX_BYTES + 2, 1);
    st = r.buffer != NULL ? read_all(&r) : mgc__no_memory(ctx, "a line");
    if (st == MGC_OK) st = mgc__program_compile(r.p);
    reader_free(&r);
    if (st != MGC_OK) {
        mgc_program_destroy(r.p);
        return st;
    }
    *out = r.p;
    return MGC_OK;
}
