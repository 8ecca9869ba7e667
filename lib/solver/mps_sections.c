/* SPDX-License-Identifier: Apache-2.0 */
/* What the lines of each section of an MPS text say of the program.  The rules: mps_read.c */
#include <math.h>

#include "solver/mps_read.h"

#define INFINITE_FROM 1e30 /* the usual word of MPS files for "none" */

/* --- ROWS ------------------------------------------------------------------------------------ */

static mgc_status reserve_row(mgc__mps *r)
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
static mgc_status add_n_row(mgc__mps *r, const char *name)
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

mgc_status mgc__mps_row(mgc__mps *r)
{
    uint32_t row;

    if (r->fields != 2)
        return mgc__mps_bad(r, MGC_E_SYNTAX, "a line of ROWS has %u fields; type and name are needed", r->fields);
    const char *type = r->field[0], *name = r->field[1];
    if (type[0] == '\0' || type[1] != '\0' || strchr("NLGE", type[0]) == NULL)
        return mgc__mps_bad(r, MGC_E_SYNTAX, "row type \"%s\"; N, L, G or E is needed", type);
    if (mgc__names_find(&r->rows, name) != UINT32_MAX)
        return mgc__mps_bad(r, MGC_E_SYNTAX, "row %s is named twice", name);
    if (type[0] == 'N') return add_n_row(r, name);
    mgc_status st = reserve_row(r);
    if (st == MGC_OK)
        st = mgc__mps_placed(r, mgc_program_add_row(r->p, type[0] == 'L' ? -INFINITY : 0.0,
                                                    type[0] == 'G' ? INFINITY : 0.0,
                                           NULL, NULL, 0, &row));
    if (st == MGC_OK) st = mgc__mps_placed(r, mgc_program_set_row_name(r->p, row, name));
    if (st != MGC_OK) return st;
    r->type[row] = type[0];
    r->row_mark[row] = 0;
    r->rhs[row] = 0.0;
    return mgc__names_add(&r->rows, mgc_program_row_name(r->p, row), row) ? MGC_OK
                                                                          : mgc__no_memory(r->ctx, "a row's name");
}

/* --- COLUMNS --------------------------------------------------------------------------------- */

static mgc_status find_row(mgc__mps *r, const char *name, uint32_t *row)
{
    *row = mgc__names_find(&r->rows, name);
    return *row != UINT32_MAX ? MGC_OK : mgc__mps_bad(r, MGC_E_SYNTAX, "row %s is not in ROWS", name);
}

static mgc_status find_column(mgc__mps *r, const char *name, uint32_t *column)
{
    *column = mgc__names_find(&r->columns, name);
    return *column != UINT32_MAX ? MGC_OK : mgc__mps_bad(r, MGC_E_SYNTAX, "column %s is not in COLUMNS", name);
}

static mgc_status begin_column(mgc__mps *r, const char *name)
{
    uint32_t column;

    if (r->column != UINT32_MAX && strcmp(mgc_program_column_name(r->p, r->column), name) == 0) return MGC_OK;
    if (!r->loose && name[0] == '\0')
        return r->column != UINT32_MAX ? MGC_OK : mgc__mps_bad(r, MGC_E_SYNTAX,
                                                               "the first card of COLUMNS names no column");
    if (mgc__names_find(&r->columns, name) != UINT32_MAX)
        return mgc__mps_bad(r, MGC_E_SYNTAX, "column %s appears again; all its entries must stand together", name);
    mgc_status st = mgc__mps_placed(r, mgc_program_add_column(r->p, 0.0, 0.0, INFINITY, &column));
    if (st == MGC_OK) st = mgc__mps_placed(r, mgc_program_set_column_name(r->p, column, name));
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

static mgc_status add_entry(mgc__mps *r, const char *row_name, const char *number)
{
    uint64_t mark = (uint64_t)r->column + 1;
    uint32_t row;
    double value;
    mgc_status st = find_row(r, row_name, &row);

    if (st == MGC_OK) st = mgc__mps_number(r, number, &value);
    if (st != MGC_OK || row == ROW_IGNORED) return st;
    uint64_t *seen = row == ROW_OBJECTIVE ? &r->objective_mark : &r->row_mark[row];
    if (*seen == mark)
        return mgc__mps_bad(r, MGC_E_SYNTAX, "column %s has two entries in row %s", mgc_program_column_name(r->p,
                                                                                                            r->column),
                   row_name);
    *seen = mark;
    if (row == ROW_OBJECTIVE) return mgc__mps_placed(r, mgc_program_set_cost(r->p, r->column, value));
    return mgc__mps_placed(r, mgc_program_set_coefficient(r->p, row, r->column, value));
}

static mgc_status read_marker(mgc__mps *r, const char *word)
{
    if (strcmp(word, "'INTORG'") == 0) r->integer = true;
    else if (strcmp(word, "'INTEND'") == 0) r->integer = false;
    else if (strcmp(word, "'SOSORG'") == 0 || strcmp(word, "'SOSEND'") == 0)
        return mgc__mps_bad(r, MGC_E_UNSUPPORTED, "special ordered sets (%s) are not supported", word);
    else return mgc__mps_bad(r, MGC_E_SYNTAX, "marker %s; 'INTORG' or 'INTEND' is needed", word);
    return MGC_OK;
}

/* Name, row, number[, row, number], in r->field from index `first` on. */
mgc_status mgc__mps_column(mgc__mps *r)
{
    unsigned first = r->loose ? 0 : 1, n = r->fields - (r->fields < first ? r->fields : first);
    char **f = r->field + first;

    if (n == 3 && strcmp(f[1], "'MARKER'") == 0) return read_marker(r, f[2]);
    if (n != 3 && n != 5)
        return mgc__mps_bad(r, MGC_E_SYNTAX,
                   "a line of COLUMNS has %u fields; name, row, number and perhaps row, number are needed", n);
    mgc_status st = begin_column(r, f[0]);
    if (st == MGC_OK) st = add_entry(r, f[1], f[2]);
    if (st == MGC_OK && n == 5) st = add_entry(r, f[3], f[4]);
    return st;
}

/* --- RHS, RANGES ----------------------------------------------------------------------------- */

/* Whether an entry of the set of that name counts: the first set does, and an entry without set. */
static mgc_status choose_set(mgc__mps *r, unsigned which, const char *name, bool *counts)
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

static mgc_status set_rhs(mgc__mps *r, uint32_t row, double value)
{
    if (row == ROW_OBJECTIVE) return mgc_program_set_offset(r->p, -value);
    double lower = r->type[row] == 'L' ? -INFINITY : value, upper = r->type[row] == 'G' ? INFINITY : value;
    if (r->type[row] == 'G' && value <= -INFINITE_FROM) lower = -INFINITY;
    if (r->type[row] == 'L' && value >= INFINITE_FROM) upper = INFINITY;
    r->rhs[row] = value;
    return mgc__mps_placed(r, mgc_program_set_row_bounds(r->p, row, lower, upper));
}

static mgc_status set_range(mgc__mps *r, uint32_t row, double range)
{
    if (row == ROW_OBJECTIVE) return mgc__mps_bad(r, MGC_E_SYNTAX, "RANGES on the objective row");
    double b = r->rhs[row], size = fabs(range);
    switch (r->type[row]) {
    case 'L': return mgc__mps_placed(r, mgc_program_set_row_bounds(r->p, row, b - size, b));
    case 'G': return mgc__mps_placed(r, mgc_program_set_row_bounds(r->p, row, b, b + size));
    default:
        return mgc__mps_placed(r, mgc_program_set_row_bounds(r->p, row, range < 0 ? b + range : b,
                                                             range < 0 ? b : b + range));
    }
}

static mgc_status read_side(mgc__mps *r, const char *row_name, const char *number)
{
    uint32_t row;
    double value;
    mgc_status st = find_row(r, row_name, &row);

    if (st == MGC_OK) st = mgc__mps_number(r, number, &value);
    if (st != MGC_OK || row == ROW_IGNORED) return st;
    return r->section == RHS ? set_rhs(r, row, value) : set_range(r, row, value);
}

/* [set,] row, number[, row, number] */
mgc_status mgc__mps_sides(mgc__mps *r)
{
    unsigned n = r->fields;
    char **f = r->field;
    const char *set = NULL;
    bool counts;

    if (r->fixed && n > 0) n--, f++; /* field 1 is empty */
    bool named = n == 3 || n == 5;
    if (named) set = f[0], f++, n--;
    if ((n != 2 && n != 4) || (r->fixed && !named))
        return mgc__mps_bad(r, MGC_E_SYNTAX,
                            "a line of %s has %u fields; set, row, number and perhaps row, number are needed",
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
static mgc_status take_bound(mgc__mps *r, const char *text, double *value)
{
    static const char *const words[] = {"inf", "+inf", "Inf", "+Inf", "INF", "infinity", "Infinity", "1e+30", "1e30"};
    bool minus = text[0] == '-';

    for (size_t i = 0; i < MGC__COUNT(words); i++)
        if (strcmp(text + minus, words[i]) == 0) {
            *value = minus ? -INFINITY : INFINITY;
            return MGC_OK;
        }
    mgc_status st = mgc__mps_number(r, text, value);
    if (st == MGC_OK && fabs(*value) >= INFINITE_FROM) *value = *value < 0 ? -INFINITY : INFINITY;
    return st;
}

static mgc_status set_bound(mgc__mps *r, const char *type, uint32_t j, double v)
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
    return mgc__mps_placed(r, mgc_program_set_bounds(r->p, j, lower, upper));
}

/* Where set, column and value stand in a line of BOUNDS; without a set where there are too few fields for one. */
static mgc_status bound_fields(mgc__mps *r, bool needs_value, const char **set, const char **column,
                               const char **value)
{
    unsigned n = r->fields;
    char **f = r->field;

    *set = NULL;
    *value = NULL;
    if (r->fixed) {
        if (n < (needs_value ? 4u : 3u))
            return mgc__mps_bad(r, MGC_E_SYNTAX, "a bound of type %s lacks %s", f[0],
                       needs_value && n == 3 ? "its value" : "its column");
        *set = f[1], *column = f[2], *value = needs_value ? f[3] : NULL;
        return MGC_OK;
    }
    if (needs_value) {
        if (n != 3 && n != 4)
            return mgc__mps_bad(r, MGC_E_SYNTAX, "a bound of type %s has %u fields; set, column and value are needed",
                                f[0],
                       n);
        if (n == 4) *set = f[1];
        *column = f[n - 2], *value = f[n - 1];
        return MGC_OK;
    }
    if (n < 2 || n > 4)
        return mgc__mps_bad(r, MGC_E_SYNTAX, "a bound of type %s has %u fields; set and column are needed", f[0], n);
    bool plain = n == 2 || (n == 3 && mgc__names_find(&r->columns, f[2]) == UINT32_MAX);
    if (!plain) *set = f[1];
    *column = f[plain ? 1 : 2];
    return MGC_OK;
}

mgc_status mgc__mps_bound(mgc__mps *r)
{
    static const char *const known[] = {"LO", "UP", "FX", "FR", "MI", "PL", "BV", "LI", "UI"};
    static const char valued[] = "LO UP FX LI UI";
    const char *type = r->fields > 0 ? r->field[0] : "", *set = NULL, *column_name = NULL, *text = NULL;
    bool is_known = false, counts;
    uint32_t column;
    double value = 0;

    for (size_t i = 0; i < MGC__COUNT(known); i++) is_known |= strcmp(type, known[i]) == 0;
    if (strcmp(type, "SC") == 0 || strcmp(type, "SI") == 0 || strcmp(type, "SN") == 0)
        return mgc__mps_bad(r, MGC_E_UNSUPPORTED, "bound type %s: semi-continuous columns are not supported", type);
    if (!is_known)
        return mgc__mps_bad(r, MGC_E_SYNTAX, "bound type \"%s\"; LO, UP, FX, FR, MI, PL, BV, LI or UI is needed", type);
    bool needs_value = strstr(valued, type) != NULL;
    mgc_status st = bound_fields(r, needs_value, &set, &column_name, &text);
    if (st == MGC_OK) st = choose_set(r, 2, set, &counts);
    if (st != MGC_OK || !counts) return st;
    st = find_column(r, column_name, &column);
    if (st == MGC_OK && needs_value) st = take_bound(r, text, &value);
    return st == MGC_OK ? set_bound(r, type, column, value) : st;
}

/* --- QUADOBJ, QMATRIX ------------------------------------------------------------------------ */

mgc_status mgc__mps_quadratic(mgc__mps *r)
{
    unsigned first = r->fixed ? 1 : 0;
    char **f = r->field + first;
    uint32_t i, j;
    double value;

    if (r->fields != first + 3)
        return mgc__mps_bad(r, MGC_E_SYNTAX, "a quadratic entry has %u fields; column, column, number are needed",
                   r->fields - first);
    mgc_status st = find_column(r, f[0], &i);
    if (st == MGC_OK) st = find_column(r, f[1], &j);
    if (st == MGC_OK) st = mgc__mps_number(r, f[2], &value);
    if (st != MGC_OK) return st;
    void *q = r->q;
    bool ok = mgc__grow(r->ctx, &q, &r->q_cap, r->n_q + 1, sizeof *r->q);
    r->q = q;
    if (!ok) return mgc__no_memory(r->ctx, "quadratic entries");
    r->q[r->n_q++] =
        (mgc__mps_entry){.i = i < j ? i : j, .j = i < j ? j : i, .below = i > j, .value = value, .line = r->line};
    return MGC_OK;
}

static int by_place(const void *a, const void *b)
{
    const mgc__mps_entry *s = a, *t = b;

    if (s->j != t->j) return s->j < t->j ? -1 : 1;
    if (s->i != t->i) return s->i < t->i ? -1 : 1;
    return s->line < t->line ? -1 : s->line > t->line;
}

/* QUADOBJ names each entry once, from either triangle; QMATRIX names both triangles, and they agree. */
mgc_status mgc__mps_take_quadratic(mgc__mps *r)
{
    bool both = (r->seen & (1u << QMATRIX)) != 0;

    if (r->n_q > 0) qsort(r->q, r->n_q, sizeof *r->q, by_place);
    for (size_t k = 0; k < r->n_q;) {
        const mgc__mps_entry *e = &r->q[k];
        size_t same = 1, want = both && e->i != e->j ? 2 : 1;
        while (k + same < r->n_q && r->q[k + same].i == e->i && r->q[k + same].j == e->j) same++;
        r->line = e[same - 1].line;
        const char *a = mgc_program_column_name(r->p, e->i), *b = mgc_program_column_name(r->p, e->j);
        if (same > want) return mgc__mps_bad(r, MGC_E_SYNTAX, "the quadratic entry of %s and %s is given twice", a, b);
        if (same < want || (want == 2 && (e[0].value != e[1].value || e[0].below == e[1].below)))
            return mgc__mps_bad(r, MGC_E_SYNTAX,
                                "QMATRIX is not symmetric in %s and %s; both entries must be there and equal",
                       a, b);
        mgc_status st = mgc__mps_placed(r, mgc_program_set_quadratic(r->p, e->i, e->j,
                                                                     r->maximise ? -e->value : e->value));
        if (st != MGC_OK) return st;
        k += same;
    }
    return MGC_OK;
}

/* QSECTION [row]: one triangle of the objective's Q; rows have none here. */
mgc_status mgc__mps_quadratic_row(mgc__mps *r)
{
    uint32_t row;

    if (r->fields < 2) return MGC_OK;
    mgc_status st = find_row(r, r->field[1], &row);
    if (st != MGC_OK || row == ROW_OBJECTIVE) return st;
    return mgc__mps_bad(r, MGC_E_UNSUPPORTED, "QSECTION of row %s: quadratic rows are not supported", r->field[1]);
}

/* A column between markers without any bound is binary. */
mgc_status mgc__mps_bound_integers(mgc__mps *r)
{
    for (uint32_t j = 0; j < r->p->n; j++)
        if (r->p->integer[j] && !(r->bounded[j] & HAS_ANY)) {
            mgc_status st = mgc_program_set_bounds(r->p, j, 0.0, 1.0);
            if (st != MGC_OK) return st;
        }
    return MGC_OK;
}
