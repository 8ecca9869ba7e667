/* SPDX-License-Identifier: Apache-2.0 */
/* Private face of the budget family: the program, its polytope, the search for the worst case. */
#ifndef ROBUST_BUDGET_H
#define ROBUST_BUDGET_H

#include "base/base.h"
#include "mgchain/robust.h"

enum {
    BUDGET_PARAMETERS_MAX = 256, /* hours of a few days, or plants: more has no exact search */
    BUDGET_VERTICES_MAX = 4096   /* adjacency is tested among triples of corners */
};

typedef struct mgc__budget_column {
    double cost, lower, upper;
    uint32_t stage, integer;
    uint32_t local; /* among the columns of its stage */
    char *name;
} mgc__budget_column;

typedef struct mgc__budget_row {
    double lower, upper;
    size_t start;
    uint32_t n, stage;
    uint32_t local; /* among the rows of its stage */
    char *name;
} mgc__budget_row;

typedef struct mgc__budget_shift {
    uint32_t row, parameter;
    double value;
} mgc__budget_shift;

typedef struct mgc__budget_limit {
    double lower, upper;
    size_t start;
    uint32_t n;
} mgc__budget_limit;

/* All corners of the set of parameters. */
typedef struct mgc__corners {
    double *z; /* n x parameters */
    uint32_t n;
    bool all;  /* false: there are more than the limit, none is kept */
} mgc__corners;

struct mgc_budget {
    mgc_ctx *ctx;
    uint32_t parameters;
    double *z_lower, *z_upper;

    mgc__budget_column *columns;
    mgc__budget_row *rows;
    uint32_t n, m, n_second, m_second; /* columns, rows; those of the recourse */
    size_t cap_n, cap_m;
    uint32_t *entry_column;
    double *entry_value;
    size_t n_entries, cap_entry_column, cap_entry_value;

    mgc__budget_shift *shifts; /* by row, then parameter; no zeros */
    size_t n_shifts, cap_shifts;
    mgc__budget_limit *limits;
    size_t n_limits, cap_limits;
    uint32_t *limit_parameter;
    double *limit_value;
    size_t n_limit_entries, cap_limit_parameter, cap_limit_value;

    mgc_budget_info info;
    double *x, *z;       /* results: columns, parameters */
    uint32_t result_n;   /* columns for which x was made */
    bool has_x;
    char explanation[1024];
};

/* What a search for the worst case uses and finds. */
typedef struct mgc__search {
    mgc_budget *budget;
    const mgc_budget_opts *opts;
    uint64_t begun_ms;
    mgc__corners corners;
    double *multiplier_lower, *multiplier_upper; /* recourse rows: derived bounds for those that move; NULL: corners are used */
    bool plain;              /* without costs: is there a point at all? */
    const double *x;         /* columns */
    /* found */
    double *z;               /* parameters: the worst case; at the beginning some z of the set */
    double *y;               /* recourse columns of it */
    double cost, upper;      /* its recourse cost, a proven upper bound of all; +INFINITY: no recourse; -INFINITY: unbounded */
    uint32_t outcome;        /* OPTIMAL; LIMIT, CANCELLED, NUMERICAL: upper holds, there may be worse */
    uint64_t solves;
} mgc__search;

/* budget_corners.c */
mgc_status mgc__budget_corners(const mgc_budget *b, uint32_t limit, mgc__corners *out);
/* The set as rows and columns of a program, columns first; scale: their costs, or NULL. */
mgc_status mgc__budget_add_set(const mgc_budget *b, const double *cost, const double *lower, const double *upper,
                               mgc_program *lp, uint32_t *first);

/* budget_recourse.c */
/* Programs that share a context with the caller, or with a worker. */
mgc_status mgc__recourse_build(const mgc_budget *b, mgc_ctx *ctx, bool plain, mgc_program **out);
mgc_status mgc__recourse_set(const mgc_budget *b, const double *x, const double *z, mgc_program *program);
/* lower or upper bound of recourse row i for first stage x, and its move for z. */
double mgc__recourse_first(const mgc_budget *b, uint32_t row, const double *x);
double mgc__recourse_shift(const mgc_budget *b, uint32_t row, const double *z);
/* Say which rows the ray of an infeasible recourse, or which columns that of an unbounded one, names. */
void mgc__budget_blame(mgc_budget *b, const mgc_program *recourse, uint32_t outcome, const double *z);
bool mgc__search_opts(const mgc__search *s, mgc_program_opts *o);
/* Optimal, or so near to it that the gap of the search does not suffer. */
bool mgc__search_usable(const mgc__search *s, const mgc_program_info *pi);

/* budget_worst.c, budget_branch.c */
mgc_status mgc__search_begin(mgc__search *s);
void mgc__search_free(mgc__search *s);
mgc_status mgc__search_worst(mgc__search *s);
mgc_status mgc__search_bounds(mgc__search *s);
mgc_status mgc__search_branch(mgc__search *s);
/* One recourse problem on the caller's thread: s->cost, s->y; pi as the program left it, multipliers of the recourse rows. */
mgc_status mgc__search_at(mgc__search *s, mgc_program *recourse, const double *z, double *y, double *multiplier, double *cost);
/* The dual of the recourse: columns for the rows' multipliers and the bounds'; maximised, that is minimised with its sign
 * turned.  plus[i], minus[i]: column of recourse row i's multiplier and of its negative part; UINT32_MAX: none. */
mgc_status mgc__dual_build(const mgc_budget *b, const double *x, bool plain, uint32_t *plus, uint32_t *minus, mgc_program *lp);

#endif
