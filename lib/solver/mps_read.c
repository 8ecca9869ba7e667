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
#include "solver/mps_read.h"

/* --- sections -------------------------------------------------------------------------------- */

/* NAME name [FREE]; writers that mark free format so write BLANK for no name. */
static mgc_status read_name(mgc__mps *r, const char *line, size_t len)
{
    static const char mark[] = "FREE";
    size_t at = 4, mark_len = sizeof mark - 1;
    char name[PROGRAM_NAME_MAX + 1];

    while (at < len && mgc__mps_blank(line[at])) at++;
    if (len - at >= mark_len && len > mark_len && memcmp(line + len - mark_len, mark, mark_len) == 0 &&
        mgc__mps_blank(line[len - mark_len - 1])) {
        len -= mark_len;
        while (len > at && mgc__mps_blank(line[len - 1])) len--;
        if (len < at || (len - at == 5 && memcmp(line + at, "BLANK", 5) == 0)) len = at;
    }
    if (len - at > PROGRAM_NAME_MAX)
        return mgc__mps_bad(r, MGC_E_LIMIT, "the name is longer than %d bytes", PROGRAM_NAME_MAX);
    memcpy(name, line + at, len - at);
    name[len - at] = '\0';
    for (char *s = name; *s != '\0'; s++)
        if (*s == '\t') *s = ' ';
    return mgc__mps_placed(r, mgc_program_set_name(r->p, name));
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

static mgc_status read_sense(mgc__mps *r, const char *word)
{
    static const char *const least[] = {"MIN", "MINIMIZE", "MINIMISE"};
    static const char *const most[] = {"MAX", "MAXIMIZE", "MAXIMISE"};

    r->maximise = is_one_of(word, most, MGC__COUNT(most));
    if (r->maximise || is_one_of(word, least, MGC__COUNT(least))) return MGC_OK;
    return mgc__mps_bad(r, MGC_E_SYNTAX, "OBJSENSE \"%.40s\"; MIN or MAX is needed", word);
}

static mgc_status read_objective_name(mgc__mps *r, const char *name)
{
    if (r->objective != NULL) return mgc__mps_bad(r, MGC_E_SYNTAX, "OBJNAME gives a second name, %.40s", name);
    r->objective = mgc__strdup(r->ctx, name);
    return r->objective != NULL ? MGC_OK : mgc__no_memory(r->ctx, "the objective's name");
}

/* What stands in the line of a section's name beside it. */
static mgc_status take_header(mgc__mps *r, const char *line, size_t len)
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

static mgc_status check_order(mgc__mps *r, mgc__mps_section section, const char *word)
{
    static const struct { mgc__mps_section section; uint32_t needs; const char *what; } order[] = {
        {COLUMNS, 1u << ROWS, "ROWS"}, {RHS, 1u << COLUMNS, "COLUMNS"}, {RANGES, 1u << COLUMNS, "COLUMNS"},
        {BOUNDS, 1u << COLUMNS, "COLUMNS"}, {QUADOBJ, 1u << COLUMNS, "COLUMNS"}, {QMATRIX, 1u << COLUMNS, "COLUMNS"},
    };

    if (section == QMATRIX && (r->seen & (1u << QUADOBJ)))
        return mgc__mps_bad(r, MGC_E_SYNTAX, "QMATRIX after QUADOBJ; one of them is needed");
    if (section == QUADOBJ && (r->seen & (1u << QMATRIX)))
        return mgc__mps_bad(r, MGC_E_SYNTAX, "%s after QMATRIX; one of them is needed", word);
    if (r->seen & (1u << section)) return mgc__mps_bad(r, MGC_E_SYNTAX, "section %s appears twice", word);
    for (size_t i = 0; i < MGC__COUNT(order); i++)
        if (order[i].section == section && !(r->seen & order[i].needs))
            return mgc__mps_bad(r, MGC_E_SYNTAX, "section %s stands before %s", word, order[i].what);
    if (section == RHS && (r->seen & (1u << RANGES)))
        return mgc__mps_bad(r, MGC_E_SYNTAX, "section RHS stands after RANGES");
    if (section == OBJNAME && (r->seen & (1u << ROWS)))
        return mgc__mps_bad(r, MGC_E_SYNTAX, "section %s stands after ROWS", word);
    return MGC_OK;
}

static mgc_status begin_section(mgc__mps *r, const char *line, size_t len)
{
    const char *word = r->field[0];
    mgc__mps_section found = mgc__mps_find_section(word), section = found == QSECTION ? QUADOBJ : found;

    if (section == NONE) return mgc__mps_unknown_section(r, word);
    if (section == REFUSED) return mgc__mps_bad(r, MGC_E_UNSUPPORTED, "section %s is not supported", word);
    mgc_status st = check_order(r, section, word);
    if (st == MGC_OK && found == QSECTION) st = mgc__mps_quadratic_row(r);
    if (st != MGC_OK) return st;
    r->seen |= 1u << section;
    r->section = section;
    return take_header(r, line, len);
}

static mgc_status read_data(mgc__mps *r)
{
    switch (r->section) {
    case ROWS: return mgc__mps_row(r);
    case COLUMNS: return mgc__mps_column(r);
    case RHS:
    case RANGES: return mgc__mps_sides(r);
    case BOUNDS: return mgc__mps_bound(r);
    case QUADOBJ:
    case QMATRIX: return mgc__mps_quadratic(r);
    case OBJSENSE: return read_sense(r, r->field[0]);
    case OBJNAME: return read_objective_name(r, r->field[0]);
    case NAME: return mgc__mps_bad(r, MGC_E_SYNTAX, "data in section NAME, which has none");
    case OBJMAX:
    case OBJMIN: return mgc__mps_bad(r, MGC_E_SYNTAX, "data in a section that has none; OBJSENSE takes MIN or MAX");
    default: return mgc__mps_bad(r, MGC_E_SYNTAX, "data before any section");
    }
}

/* max f is -min -f. */
static mgc_status turn_objective(mgc__mps *r)
{
    mgc_status st = MGC_OK;

    if (!r->maximise) return MGC_OK;
    for (uint32_t j = 0; j < r->p->n && st == MGC_OK; j++)
        if (r->p->cost[j] != 0.0) st = mgc_program_set_cost(r->p, j, -r->p->cost[j]);
    if (st == MGC_OK && r->p->offset != 0.0) st = mgc_program_set_offset(r->p, -r->p->offset);
    r->p->maximises = true;
    return st;
}

static mgc_status read_all(mgc__mps *r)
{
    const char *line;
    size_t len;

    r->fixed = mgc__mps_looks_fixed(r);
    while (r->section != ENDATA && mgc__mps_next_line(r, &line, &len)) {
        mgc_status st = mgc__mps_take_line(r, line, len);
        if (st == MGC_OK) st = r->header ? begin_section(r, line, len) : read_data(r);
        if (st != MGC_OK) return st;
    }
    if (r->section != ENDATA) return mgc__mps_bad(r, MGC_E_SYNTAX, "the text ends before ENDATA");
    if (!r->has_objective && r->objective != NULL)
        return mgc__mps_bad(r, MGC_E_SYNTAX, "there is no objective: OBJNAME %.40s is no row of type N", r->objective);
    if (!r->has_objective) return mgc__mps_bad(r, MGC_E_SYNTAX, "there is no objective: no row of type N");
    mgc_status st = mgc__mps_take_quadratic(r);
    if (st == MGC_OK) st = turn_objective(r);
    return st == MGC_OK ? mgc__mps_bound_integers(r) : st;
}

static void reader_free(mgc__mps *r)
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
    mgc__mps r = {
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
