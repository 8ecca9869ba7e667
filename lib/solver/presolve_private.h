/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of presolve share.  Numbers in brackets: doc/math/solver.md, section 10. */
#ifndef SOLVER_PRESOLVE_PRIVATE_H
#define SOLVER_PRESOLVE_PRIVATE_H

#include <math.h>

#include "mgchain/program.h"
#include "solver/presolve.h"

/* Relative to 1 + the size of what is compared.  A row or bound that is missed by less than PRESOLVE_EQUAL counts as
 * met (the judge allows 1e-8); one that is missed by more than PRESOLVE_CLEAR proves; in between nothing is done. */
#define PRESOLVE_EQUAL 1e-9
#define PRESOLVE_CLEAR 1e-6
/* A column is solved for only by a coefficient that is not smaller than this part of its row's largest. */
#define PRESOLVE_PIVOT 1e-3
/* A sum below this part of its terms is rounding error. */
#define PRESOLVE_DUST 1e-13
#define PRESOLVE_RAY_DUST 1e-9 /* as the judge's */

/* Part of the rows and columns that must go, times how often the program repeats itself.  Of 46 published programs
 * one that gains much is below (standmps).  A day's dispatch, with and without scenarios (0.06 to 0.1, 16 to 1000 times
 * alike), is below too: it loses more by unlike blocks than it gains by fewer rows. */
#define WORTH_FOR_EACH 0.02
/* What the passes over all may make of what single rows and columns came to.  Of the published programs that repeat
 * themselves none that came to less than half of what is asked for got there; those that gain most double it, from 0.24. */
#define PASSES_BRING 2.0
/* Rows and columns that a round must take out, as a part of all, for another to be worth its hashing. */
#define WORTH_A_ROUND 0.02

enum {
    ROUNDS_MAX = 20,        /* chosen; published programs settle in 1 to 4 */
    SAMPLE = 8,             /* of a program with as many told blocks one part of so many is looked at first */
    DOUBLETON_ENTRIES = 32, /* a column with more is not substituted: its rows are searched one by one */
    BUDGET = 60,            /* looks at each entry; chosen, not critical: published programs need 5 to 25 */
    FALL_ROWS_MAX = 32      /* rows that one unstopped column without a bound may take with it */
};

/* Rows or columns of a matrix that shrinks: items of line k are at [start, start + len), dead ones among them while
 * len > count. */
struct lines {
    uint32_t *start, *len, *count; /* per line; count: live items */
    uint32_t *index;
    double *value;
    size_t used, cap_index, cap_value;
};

/* How one reduction is undone: presolve_undo.c has a function for each, beside the file that has the reduction. */
enum undo_kind {
    UNDO_FIXED,
    UNDO_SINGLETON_ROW,
    UNDO_FORCING_ROW,
    UNDO_FALL,
    UNDO_LOOSE_ROW,
    UNDO_COLUMN_SINGLETON,
    UNDO_DOUBLETON,
    UNDO_PARALLEL_ROW,
    UNDO_PARALLEL_COLUMN
};

enum { LOWER_MOVED = 1, UPPER_MOVED = 2 };

struct record {
    uint8_t kind, flags;
    uint32_t row, other_row, column, other_column;
    double a, b;         /* coefficients */
    double cost;
    double lower, upper; /* of the column */
    double row_lower, row_upper;
    size_t first;        /* saved entries */
    uint32_t entries;
};

struct mgc__presolve {
    mgc_ctx *ctx;
    mgc_status status; /* sticky: lack of memory */
    mgc__presolve_opts opts;
    mgc__qp original, reduced;
    mgc__presolve_info info;
    uint32_t outcome;
    double offset;
    bool changed; /* reduced is not the original */

    struct lines rows, cols;
    double *c, *lower, *upper, *row_lower, *row_upper;
    double *row_size; /* m; 1 + the largest number that went into its sides */
    uint8_t *integer; /* n, or NULL */
    uint8_t *row_dead, *col_dead;
    uint32_t *row_queue, *col_queue; /* each at most once */
    uint8_t *row_waits, *col_waits;
    size_t row_waiting, col_waiting;

    mgc__csc q;            /* full symmetric Q, or start == NULL */
    uint32_t *q_count;     /* n; live neighbours in Q, itself among them */
    double *q_diagonal;    /* n */
    uint32_t *removed_at;  /* n; number of the record that removed it, UINT32_MAX while it lives */

    struct record *records;
    size_t n_records, record_cap;
    struct record spare; /* where records go for which there was no memory */
    uint32_t *saved_index;
    double *saved_value;
    size_t n_saved, saved_index_cap, saved_value_cap;

    /* work space */
    double *row_work, *row_work2; /* m */
    uint32_t *row_source, *row_source2; /* m */
    size_t budget;         /* entries that may still be looked at */

    /* the way back */
    uint32_t *live_rows, *live_cols; /* original indices */
    uint32_t *block_out;             /* of the columns that are left; NULL: none was told */
    mgc__csc a_out, q_out;
    double *c_out, *lower_out, *upper_out, *row_lower_out, *row_upper_out;
    uint8_t *integer_out;
    double *x, *y, *z; /* n, m, n */
    double *ray;       /* max(n, m) */
};

/* An answer on its way back. */
struct answer {
    double *x, *y, *z; /* of the original sizes; x or y and z may be NULL */
    bool ray;          /* homogeneous: right-hand sides, bounds and costs count as 0 */
};

/* --- presolve_work.c ------------------------------------------------------------------------- */

mgc_status mgc__presolve_start(mgc__presolve *ps);
void mgc__presolve_touch_row(mgc__presolve *ps, uint32_t i);
void mgc__presolve_touch_column(mgc__presolve *ps, uint32_t j);
/* Drop dead items of a row or column; its items are then [start, start + count). */
void mgc__presolve_tidy_row(mgc__presolve *ps, uint32_t i);
void mgc__presolve_tidy_column(mgc__presolve *ps, uint32_t j);
void mgc__presolve_remove_row(mgc__presolve *ps, uint32_t i);
void mgc__presolve_remove_column(mgc__presolve *ps, uint32_t j);
struct record *mgc__presolve_record(mgc__presolve *ps, enum undo_kind kind);
/* Save the live items of a row (or column) but the one at `except`. */
void mgc__presolve_save_row(mgc__presolve *ps, struct record *r, uint32_t i, uint32_t except);
void mgc__presolve_save_column(mgc__presolve *ps, struct record *r, uint32_t j, uint32_t except);
/* The program is decided: the ray is laid over live rows (columns) as one or two entries. */
void mgc__presolve_infeasible(mgc__presolve *ps, uint32_t row, double y, uint32_t row2, double y2);
void mgc__presolve_unbounded(mgc__presolve *ps, uint32_t column, double x, uint32_t column2, double x2);

static inline bool presolve_over(const mgc__presolve *ps)
{
    return ps->status != MGC_OK || ps->outcome != MGC_OUTCOME_NONE;
}

static inline bool presolve_uses(const mgc__presolve *ps, uint32_t kind)
{
    return (ps->opts.without >> kind & 1u) == 0;
}

static inline bool presolve_is_linear(const mgc__presolve *ps, uint32_t j)
{
    return ps->q_count == NULL || ps->q_count[j] == 0;
}

static inline bool presolve_is_integer(const mgc__presolve *ps, uint32_t j)
{
    return ps->integer != NULL && ps->integer[j] != 0;
}

static inline double presolve_scale(double a, double b)
{
    return 1.0 + fmax(isfinite(a) ? fabs(a) : 0.0, isfinite(b) ? fabs(b) : 0.0);
}

/* --- reductions: each looks at one row or column, or passes over all -------------------------- */

/* presolve_rows.c */
void mgc__presolve_row(mgc__presolve *ps, uint32_t i);
void mgc__presolve_doubleton(mgc__presolve *ps, uint32_t i);
/* presolve_columns.c */
void mgc__presolve_fix(mgc__presolve *ps, uint32_t j, double value);
void mgc__presolve_column(mgc__presolve *ps, uint32_t j);
void mgc__presolve_dominated(mgc__presolve *ps);
/* presolve_substitute.c */
void mgc__presolve_column_singleton(mgc__presolve *ps, uint32_t j);
/* presolve_parallel.c */
void mgc__presolve_parallel_rows(mgc__presolve *ps);
void mgc__presolve_parallel_columns(mgc__presolve *ps);
double mgc__presolve_alike(mgc__presolve *ps);

/* --- how each is undone ---------------------------------------------------------------------- */

void mgc__presolve_undo_fixed(const mgc__presolve *ps, const struct record *r, const struct answer *w);
void mgc__presolve_undo_fall(const mgc__presolve *ps, const struct record *r, const struct answer *w);
void mgc__presolve_undo_loose_row(const mgc__presolve *ps, const struct record *r, const struct answer *w);
void mgc__presolve_undo_singleton_row(const mgc__presolve *ps, const struct record *r, const struct answer *w);
void mgc__presolve_undo_forcing_row(const mgc__presolve *ps, const struct record *r, const struct answer *w);
void mgc__presolve_undo_column_singleton(const mgc__presolve *ps, const struct record *r, const struct answer *w);
void mgc__presolve_undo_doubleton(const mgc__presolve *ps, const struct record *r, const struct answer *w);
void mgc__presolve_undo_parallel_row(const mgc__presolve *ps, const struct record *r, const struct answer *w);
void mgc__presolve_undo_parallel_column(const mgc__presolve *ps, const struct record *r, const struct answer *w);

/* A sum that rounding left of terms which cancel.  Rays are exact up to PRESOLVE_RAY_DUST: what is smaller is
 * nothing, and must stay nothing when it meets a column that has no larger term. */
static inline double presolve_clean(double sum, double largest, bool ray)
{
    return fabs(sum) <= (ray ? PRESOLVE_RAY_DUST : 0.0) * largest ? 0.0 : sum;
}

/* Sum of the saved entries times v. */
static inline double presolve_dot(const mgc__presolve *ps, const struct record *r, const double *v, bool ray)
{
    double sum = 0.0, largest = 0.0;

    for (uint32_t k = 0; k < r->entries; k++) {
        double term = ps->saved_value[r->first + k] * v[ps->saved_index[r->first + k]];
        sum += term;
        largest = fmax(largest, fabs(term));
    }
    return presolve_clean(sum, largest, ray);
}

/* v, or nothing where a ray needs the homogeneous program. */
static inline double presolve_side(double v, bool ray)
{
    return ray && isfinite(v) ? 0.0 : v;
}

static inline double presolve_clip(double v, double lower, double upper)
{
    return fmin(fmax(v, lower), upper);
}

#endif
