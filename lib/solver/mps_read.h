/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the MPS reader share: mps_read.c drives, mps_lines.c cuts lines into fields, mps_sections.c fills the
 * program.  Not for others. */
#ifndef SOLVER_MPS_READ_H
#define SOLVER_MPS_READ_H

#include "solver/names.h"
#include "solver/program_impl.h"

enum { FIELDS_MAX = 6, LINE_MAX_BYTES = 1 << 16 /* a line is six names at most; longer is not MPS */ };

typedef enum mgc__mps_section {
    NONE, NAME, ROWS, COLUMNS, RHS, RANGES, BOUNDS, QUADOBJ, QMATRIX, QSECTION, OBJSENSE, OBJMAX, OBJMIN, OBJNAME,
    ENDATA, REFUSED
} mgc__mps_section;

/* Values in the table of row names that are no row of the program. */
#define ROW_OBJECTIVE (UINT32_MAX - 1)
#define ROW_IGNORED (UINT32_MAX - 2)

/* One entry of QUADOBJ or QMATRIX, kept until all are known: i <= j, `below` where it was written the other way. */
typedef struct mgc__mps_entry {
    uint32_t i, j;
    bool below;
    double value;
    uint64_t line;
} mgc__mps_entry;

typedef struct mgc__mps {
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
    mgc__mps_section section;
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
    mgc__mps_entry *q;
    size_t n_q, q_cap;
} mgc__mps;

/* --- mps_lines.c */

static inline bool mgc__mps_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* Fails with file and line in front. */
mgc_status mgc__mps_bad(mgc__mps *r, mgc_status status, const char *format, ...) MGC_PRINTF(3, 4);
/* What the program's own checks said, with the place in front. */
mgc_status mgc__mps_placed(mgc__mps *r, mgc_status st);
/* The next line that holds something; false at the end of the text.  A line too long is cut at LINE_MAX_BYTES + 1. */
bool mgc__mps_next_line(mgc__mps *r, const char **line, size_t *len);
/* Cut the line into r->field. */
mgc_status mgc__mps_take_line(mgc__mps *r, const char *line, size_t len);
mgc_status mgc__mps_number(mgc__mps *r, const char *text, double *value);
mgc__mps_section mgc__mps_find_section(const char *word); /* NONE: there is none of that name */
mgc_status mgc__mps_unknown_section(mgc__mps *r, const char *word);
/* Looks at the whole text, and goes back to its beginning. */
bool mgc__mps_looks_fixed(mgc__mps *r);

/* --- mps_sections.c: the fields of one line of a section */

mgc_status mgc__mps_row(mgc__mps *r);
mgc_status mgc__mps_column(mgc__mps *r);
mgc_status mgc__mps_sides(mgc__mps *r); /* RHS, RANGES */
mgc_status mgc__mps_bound(mgc__mps *r);
mgc_status mgc__mps_quadratic(mgc__mps *r);
mgc_status mgc__mps_quadratic_row(mgc__mps *r); /* the row that QSECTION names */
/* At the end of the text: */
mgc_status mgc__mps_take_quadratic(mgc__mps *r);
mgc_status mgc__mps_bound_integers(mgc__mps *r);

#endif
