/* SPDX-License-Identifier: Apache-2.0 */
/* A program's data as the files of this room share it. */
#ifndef SOLVER_PROGRAM_IMPL_H
#define SOLVER_PROGRAM_IMPL_H

#include "mgchain/program.h"
#include "solver/ipm.h"

/* Limits on what comes from outside. */
enum {
    PROGRAM_SIZE_MAX = 100000000, /* columns, rows: their bookkeeping alone would take 10 GB; keeps indices below 2^31 */
    PROGRAM_NAME_MAX = 255        /* bytes of a name: as long as any MPS reader takes */
};
#define PROGRAM_NONZEROS_MAX ((size_t)2000000000) /* start[] of mgc__csc is 32 bits wide */

/* A sparse matrix that is appended to and changed: a compiled part by columns, and entries that wait for the
 * next compilation.  An entry is in one of them at most once, or several times in `pending`, where the last wins. */
typedef struct mgc__entries {
    mgc__csc csc;
    uint32_t *row, *col; /* pending */
    double *value;
    size_t pending, row_cap, col_cap, value_cap;
    bool dirty; /* a compiled value became 0 */
} mgc__entries;

/* What the last solve left. */
typedef struct mgc__result {
    uint32_t n, m;       /* sizes of the program then */
    uint32_t outcome;
    bool has_point, has_multipliers;
    double *x, *y, *z;   /* n, m, n */
    double *ray;         /* INFEASIBLE: m, UNBOUNDED: n; else NULL */
    size_t ray_length;
} mgc__result;

struct mgc_program {
    mgc_ctx *ctx;
    uint32_t n, m, integers;
    double offset;
    bool maximises; /* read from a text that does: cost, Q and offset stand negated */
    double *cost, *lower, *upper;      /* n */
    uint8_t *integer;                  /* n */
    size_t *slot;                      /* n; where add_row() last put this column */
    double *row_lower, *row_upper;     /* m */
    char **column_name, **row_name;    /* n, m entries, NULL where unnamed; arrays NULL while nothing is named */
    size_t cost_cap, lower_cap, upper_cap, integer_cap, slot_cap, row_lower_cap, row_upper_cap;
    size_t column_name_cap, row_name_cap;
    char *name;
    mgc__entries a, q; /* q: upper triangle */
    mgc__result result;
    mgc__ipm *ipm;
    mgc__ipm_anchor *handed; /* what mgc_program_set_start() read, until a warm solve has used it */
    bool inside;       /* mgc__program_keep_inside() */
    double *start;     /* starting point for branch and bound, or NULL; length start_n */
    uint32_t start_n;
    uint32_t *block;   /* block_n: what mgc__program_set_blocks() was told, or NULL */
    uint32_t block_n;
};

/* Bring A and Q into compiled form. */
mgc_status mgc__program_compile(mgc_program *program);

/* The program for the interior-point core; the pointers are borrowed until the program changes.  Compiled before. */
void mgc__program_qp(const mgc_program *program, mgc__qp *qp);

/* Which columns belong together (a scenario's), numbered from 1; 0: those that join such blocks.  A hint that speeds the
 * factorisation up; forgotten when columns are added.  block: length n, copied. */
mgc_status mgc__program_set_blocks(mgc_program *program, const uint32_t *block, size_t n);

/* Warm starts of this program stay with interior iterates and follow no active set: for whoever stops at rough
 * agreement, where answers in the middle of what is equally good serve better than corners do. */
void mgc__program_keep_inside(mgc_program *program);

void mgc__result_free(mgc_ctx *ctx, mgc__result *result);

/* Hand in a point near which branch and bound looks for its first incumbent: the integer columns are rounded and
 * fixed, the others solved for.  x: length n, copied; NULL forgets it.  Entries that are not finite are unknown:
 * such a column is left to the solver.  Kept until replaced. */
mgc_status mgc__program_set_start(mgc_program *program, const double *x, size_t n);

#endif
