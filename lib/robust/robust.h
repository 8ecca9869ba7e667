/* SPDX-License-Identifier: Apache-2.0 */
/* Private face of robust: the two-stage program, its ambiguity set and the two ways to solve it. */
#ifndef ROBUST_ROBUST_H
#define ROBUST_ROBUST_H

#include "base/base.h"
#include "mgchain/robust.h"

/* More scenarios than any reduction leaves; keeps K^2 and 2 K + 2 far from 32 bits. */
#define MGC__SCENARIOS_MAX 100000u

typedef struct mgc__ts_column {
    double cost, lower, upper;
    uint32_t stage;
    uint32_t integer; /* 0, 1 */
    char *name;       /* NULL: unnamed */
} mgc__ts_column;

typedef struct mgc__ts_row {
    double lower, upper;
    size_t start; /* of its entries in columns[], values[] */
    uint32_t n;
    uint32_t stage;
    char *name;
} mgc__ts_row;

typedef struct mgc__ts_quad {
    uint32_t i, j; /* i <= j */
    double value;
} mgc__ts_quad;

typedef struct mgc__rank {
    double cost;
    uint32_t scenario;
} mgc__rank;

/* The ambiguity set as transfers of mass, doc/math/robust.md (2):
 *   p = p0 + u - w,  0 <= u <= up,  0 <= w <= down,  sum u = sum w <= budget;  low = p0 - down. */
typedef struct mgc__transfer {
    double *low, *down, *up; /* K; up INFINITY where nothing but sum p = 1 caps it; borrowed from the two-stage program */
    double budget;           /* INFINITY where it cannot bind */
    bool capped;             /* up is finite */
    bool nominal;            /* the set is {p0} */
} mgc__transfer;

/* The direct reformulation, kept between solves; doc/math/robust.md (4). */
typedef struct mgc__direct {
    mgc_program *program;
    bool robust;          /* false: p0_k d_k stands in the costs and there is nothing below */
    uint32_t cost_row;    /* + k: d_k'y_k - alpha - excess_k <= 0; its multiplier is -(p_k - low_k) */
} mgc__direct;

/* The master of column-and-constraint generation, kept between solves; doc/math/robust.md (5). */
typedef struct mgc__master {
    mgc_program *program;
    uint32_t share;     /* + k: column q_k */
    uint32_t eta;       /* column */
    uint32_t cost_row;  /* + k: d_k'y_k - q_k <= 0, free until a cut gives scenario k weight */
    uint32_t cut_row;   /* + c: eta - sum_k p_ck q_k >= 0 */
    double *cuts;       /* n_cuts x K */
    size_t n_cuts, cap_cuts;
    uint8_t *weighed;   /* K: some cut gives scenario k weight */
    uint32_t *columns;  /* room for one row */
    double *values;
} mgc__master;

/* What the last solve left. */
typedef struct mgc__ts_result {
    mgc_twostage_info info;
    double *x, *y, *ray; /* columns, rows, rows */
    double *cost, *p;    /* K */
    uint32_t n, m;       /* sizes for which x, y, ray were made */
    bool has_x, has_y, has_p, has_ray;
} mgc__ts_result;

struct mgc_twostage {
    mgc_ctx *ctx;
    uint32_t scenarios;
    double *p0; /* normalised */

    mgc__ts_column *columns;
    mgc__ts_row *rows;
    uint32_t n, m;
    size_t cap_n, cap_m;
    uint32_t *entry_column;
    double *entry_value;
    size_t n_entries, cap_entry_column, cap_entry_value;
    mgc__ts_quad *quads; /* sorted by (i, j); no zeros */
    size_t n_quads, cap_quads;
    double offset;

    double norm1, norm_inf; /* radius; negative: not set */
    mgc_oracle_fn oracle;
    void *oracle_user;

    double *work;     /* low, down, up of mgc__transfer: 3 K */
    mgc__rank *rank;  /* K, for sorting by cost */

    mgc__direct direct;
    mgc__master master;
    mgc__ts_result result;
};

/* ambiguity.c */
void mgc__ts_transfer(const mgc_twostage *ts, mgc__transfer *t);
/* Move p to a near point of the set given by transfers: exact up to rounding.  p length K, finite. */
void mgc__ts_clean(const mgc_twostage *ts, double *p);

/* extensive.c */
mgc_status mgc__direct_build(const mgc_twostage *ts, mgc__direct *direct);
/* Push one changed datum into a kept program; nothing where none is kept.  On failure the kept program is given up. */
void mgc__direct_push_cost(mgc_twostage *ts, uint32_t column);
void mgc__direct_drop(mgc_twostage *ts);
/* The columns and rows of ts, with the costs of stage k's columns times weight[k]; used by both ways. */
mgc_status mgc__ts_copy(const mgc_twostage *ts, const double *weight, mgc_program *program);
/* Columns of each scenario with a cost: list[start[k]..start[k+1]).  The caller frees both. */
mgc_status mgc__ts_costed(const mgc_twostage *ts, size_t **start, uint32_t **list);

/* master.c */
mgc_status mgc__master_build(mgc_twostage *ts);
/* p is in the set; >= 0, summing to 1.  After a failure the master is unusable: drop it. */
mgc_status mgc__master_add_cut(mgc_twostage *ts, const double *p);
bool mgc__master_has_cut(const mgc_twostage *ts, const double *p);
void mgc__master_push_cost(mgc_twostage *ts, uint32_t column);
void mgc__master_drop(mgc_twostage *ts);

/* ccg.c */
mgc_status mgc__ccg_solve(mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms);

/* solve.c, judge.c, complete.c */
/* The gap up to which a result is called optimal. */
double mgc__ts_gap(const mgc_twostage *ts, const mgc_twostage_opts *o);
/* Some first-stage column is integer. */
bool mgc__ts_integers(const mgc_twostage *ts);
/* After numerical difficulties: where no point exists, outcome INFEASIBLE with its ray. */
mgc_status mgc__ts_ask_feasible(mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms);
/* Options of an inner program; false: the time is over. */
bool mgc__ts_program_opts(const mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms, mgc_program_opts *p);
/* Scenario costs of the point x; returns the cost of its first stage with quadratic terms and offset. */
double mgc__ts_costs(const mgc_twostage *ts, const double *x, double *cost);
/* p'cost */
double mgc__ts_expected(const mgc_twostage *ts, const double *p, const double *cost);
/* Scenarios of next to no weight in p get their own optimal recourse for the first stage in x; written into x. */
mgc_status mgc__ts_complete(mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms, const double *p,
                            double *x);
/* Costs, objective, worst probabilities, gap and residual of the point in result.x, from the caller's data; takes OPTIMAL
 * back where they do not bear it out.  told: probabilities that the multipliers tell, in the set; NULL: none. */
mgc_status mgc__ts_judge(mgc_twostage *ts, const mgc_twostage_opts *o, const double *told);
/* Keep the certificate of a program whose first rows are those of ts, if it proves on the data of ts. */
mgc_status mgc__ts_take_ray(mgc_twostage *ts, const mgc_program *program);

#endif
