/* SPDX-License-Identifier: Apache-2.0 */
/* Presolve: a program with fewer rows and columns, and the way back.  Method, equations and sources:
 * doc/math/solver.md, section 10.
 *
 *     mgc__presolve *ps;
 *     st = mgc__presolve_run(ctx, &qp, NULL, &ps);
 *     switch (mgc__presolve_outcome(ps)) {
 *     case MGC_OUTCOME_NONE: solve *mgc__presolve_qp(ps); mgc__presolve_restore(ps, &found, &found); break;
 *     default: mgc__presolve_ray(ps) proves INFEASIBLE, or is a direction of endless fall (UNBOUNDED) }
 *
 * Branch and bound: give `integer`.  Then only reductions are made that keep an optimum of the mixed-integer program:
 * bounds of integer columns are rounded, integer columns are neither solved for nor joined, no column is fixed
 * because others dominate it.  Work on *mgc__presolve_qp() with mgc__presolve_integer(); each incumbent x of it goes back
 * through mgc__presolve_restore() with y = NULL; its objective gains mgc__presolve_offset().  INFEASIBLE may then
 * rest on rounding, and its ray prove nothing: let the judge look at it. */
#ifndef SOLVER_PRESOLVE_H
#define SOLVER_PRESOLVE_H

#include "solver/ipm.h"

typedef struct mgc__presolve mgc__presolve;

/* Kinds of reduction, for counting and for leaving out. */
enum {
    PRESOLVE_EMPTY_ROW,
    PRESOLVE_SINGLETON_ROW,
    PRESOLVE_REDUNDANT_ROW,
    PRESOLVE_REDUNDANT_SIDE,
    PRESOLVE_FORCING_ROW,
    PRESOLVE_PARALLEL_ROW,
    PRESOLVE_FIXED_COLUMN,
    PRESOLVE_EMPTY_COLUMN,
    PRESOLVE_UNSTOPPED_COLUMN, /* no row stops it on its way down the objective: dual fixing */
    PRESOLVE_DOMINATED_COLUMN,
    PRESOLVE_SLACK_COLUMN,     /* singleton column whose bounds become its row's */
    PRESOLVE_FREE_COLUMN,      /* singleton column that its row keeps within its bounds: both go */
    PRESOLVE_DOUBLETON_ROW,    /* a x + b y = r: x goes */
    PRESOLVE_PARALLEL_COLUMN,
    PRESOLVE_KINDS
};
const char *mgc__presolve_kind_name(uint32_t kind);

typedef struct mgc__presolve_opts {
    const uint8_t *integer; /* length n, or NULL: no column is */
    uint32_t without;       /* bits 1 << kind: kinds that are left out */
    double worth;           /* rows and columns that must go, as a part of all, for the reduced program to be made;
                             * else mgc__presolve_qp() gives the program as it was.  Programs that do not repeat
                             * themselves need less (presolve_private.h, WORTH_FOR_EACH) */
} mgc__presolve_opts;

typedef struct mgc__presolve_info {
    uint32_t count[PRESOLVE_KINDS];
    uint32_t rows_removed, columns_removed, rounds;
    uint64_t nonzeros_removed;
    double alike; /* columns for each pattern of column, about the number of equal blocks; 0 where nobody asked */
} mgc__presolve_info;

/* Reduce qp, which is borrowed until mgc__presolve_destroy().  opts: NULL for a continuous program, everything, no
 * matter what it is worth.  *out is NULL on failure.  MGC_OK, MGC_E_NO_MEMORY. */
mgc_status mgc__presolve_run(mgc_ctx *ctx, const mgc__qp *qp, const mgc__presolve_opts *opts, mgc__presolve **out);
void mgc__presolve_destroy(mgc__presolve *ps);

/* MGC_OUTCOME_NONE: solve what is left.  INFEASIBLE, UNBOUNDED (if a feasible point exists): see the ray. */
uint32_t mgc__presolve_outcome(const mgc__presolve *ps);
/* INFEASIBLE: length m of the original program; UNBOUNDED: n; else NULL.  To be judged on the original program. */
const double *mgc__presolve_ray(const mgc__presolve *ps);
/* What is left; the original where that is not worth another program.  Lives as long as ps. */
const mgc__qp *mgc__presolve_qp(const mgc__presolve *ps);
/* original objective = objective of what is left + offset */
double mgc__presolve_offset(const mgc__presolve *ps);
/* false: mgc__presolve_qp() is the original program, and nothing has to be restored. */
bool mgc__presolve_changed(const mgc__presolve *ps);
/* Integrality of the columns that are left; NULL where none was given. */
const uint8_t *mgc__presolve_integer(const mgc__presolve *ps);
/* The original columns and rows that are left, ascending: what column k of mgc__presolve_qp() was.  NULL where
 * nothing changed. */
const uint32_t *mgc__presolve_columns(const mgc__presolve *ps);
const uint32_t *mgc__presolve_rows(const mgc__presolve *ps);
void mgc__presolve_read_info(const mgc__presolve *ps, mgc__presolve_info *info);

/* From an answer of mgc__presolve_qp() to one of the original program: x, y and z, or ray, whichever are there.  The
 * arrays of `restored` (which may be the same struct) are borrowed until the next call; objective and bound gain the
 * offset.  No allocation. */
void mgc__presolve_restore(mgc__presolve *ps, const mgc__ipm_result *reduced, mgc__ipm_result *restored);

#endif
