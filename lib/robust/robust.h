/* SPDX-License-Identifier: Apache-2.0 */
/* Private face of robust: the two-stage program, its ambiguity set and the two ways to solve it. */
#ifndef ROBUST_ROBUST_H
#define ROBUST_ROBUST_H

#include "base/base.h"
#include "mgchain/robust.h"

/* More scenarios than any reduction leaves; keeps K^2 and 2 K + 2 far from 32 bits. */
#define MGC__SCENARIOS_MAX 100000u
/* A distance matrix of 2048 scenarios takes 32 MiB; the oracle of a Wasserstein ball sorts as many pairs. */
#define MGC__WASSERSTEIN_MAX 2048u

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

/* Sorts of ambiguity sets, by what their oracles, reformulations and cuts are. */
enum {
    MGC__SET_TRANSFER,    /* norms, conditional value at risk, worst case and their intersections; none: {p0} */
    MGC__SET_WASSERSTEIN,
    MGC__SET_MIXED,       /* the Wasserstein ball intersected with transfers */
    MGC__SET_DIVERGENCE,  /* Kullback-Leibler or chi-square */
    MGC__SET_HOST
};

/* The ambiguity set as transfers of mass, doc/math/robust.md (2):
 *   p = p0 + u - w,  0 <= u <= up,  0 <= w <= down,  sum u = sum w <= budget;  low = p0 - down. */
typedef struct mgc__transfer {
    double *low, *down, *up; /* K; up INFINITY where nothing but sum p = 1 caps it; borrowed from the two-stage program */
    double budget;           /* INFINITY where it cannot bind */
    bool capped;             /* up is finite */
    bool nominal;            /* the set is {p0} */
} mgc__transfer;

/* The direct reformulation, kept between solves; doc/math/robust.md (6), (7). */
typedef struct mgc__direct {
    mgc_program *program;
    bool robust;          /* false: p0_k d_k stands in the costs and there is nothing below */
    uint32_t cost_row;    /* + k: d_k'y_k - alpha - excess_k <= 0; its multiplier is -(p_k - low_k); with a Wasserstein
                             ball d_k'y_k - share_k <= 0, multiplier -p_k */
    uint32_t plan_row;    /* Wasserstein: + k K + l: share_l - lambda distance_kl - source_k <= 0; multiplier -plan_kl */
    bool transported;     /* there are such rows */
} mgc__direct;

/* The master of column-and-constraint generation, kept between solves; doc/math/robust.md (8), (9). */
typedef struct mgc__master {
    mgc_program *program;
    uint32_t share;     /* + k: column q_k */
    uint32_t eta;       /* column; of a divergence alpha, and eta + 1 is lambda */
    uint32_t excess;    /* of a divergence + k: column v_k */
    uint32_t cost_row;  /* + k: d_k'y_k - q_k <= 0, free until a cut gives scenario k weight */
    uint32_t cut_row;   /* + c: eta - sum_k p_ck q_k >= 0; of a divergence (9) */
    bool separable;     /* cuts are those of a divergence */
    double *cuts;       /* n_cuts x K; of a divergence n_cuts: the ratio r of each */
    uint32_t *cut_of;   /* of a divergence n_cuts: the scenario of each; borrowed room: cap_cut_of */
    size_t n_cuts, cap_cuts, cap_cut_of;
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

    double norm1, norm_inf, wasserstein, kl, chi2; /* radius; negative: not set */
    double cvar;                                   /* level; negative: not set */
    uint32_t worst_case;                           /* 0, 1 */
    double *vectors, *vector_weight;               /* K x dimension, dimension; NULL: none */
    size_t dimension;
    double *distance;                              /* K x K; NULL: none yet */
    mgc_oracle_fn oracle;
    void *oracle_user;

    double *work;     /* low, down, up of mgc__transfer: 3 K */
    mgc__rank *rank;  /* K, for sorting by cost */

    mgc__direct direct;
    mgc__master master;
    mgc__ts_result result;
};

/* sets.c */
/* Which sort of set this is; MGC_E_UNSUPPORTED with a reason for intersections that have no exact oracle. */
mgc_status mgc__ts_family(const mgc_twostage *ts, uint32_t *family);
/* Some radius, level or flag of a transfer set is given. */
bool mgc__ts_has_transfer(const mgc_twostage *ts);
void mgc__ts_free_sets(mgc_twostage *ts);
/* The kept programs cannot serve any more: shape or set has changed. */
void mgc__ts_reshape(mgc_twostage *ts);

/* ambiguity.c */
void mgc__ts_transfer(const mgc_twostage *ts, mgc__transfer *t);
/* Move p to a near point of the set given by transfers: exact up to rounding.  p length K, finite. */
void mgc__ts_clean(const mgc_twostage *ts, double *p);
/* Dearest first, equal costs by number: into ts->rank. */
void mgc__ts_sort(const mgc_twostage *ts, const double *cost);
/* The largest step t <= 1 with p0 + t (p - p0) in the set of transfers. */
double mgc__ts_transfer_step(const mgc_twostage *ts, const double *p);

/* wasserstein.c */
mgc_status mgc__wasserstein_worst(const mgc_twostage *ts, const double *cost, double *worst);
mgc_status mgc__mixed_worst(const mgc_twostage *ts, const double *cost, double *worst);
/* The plan K x K, nearly one: its rows are made to sum to p0, its cost to be within the radius; p: its column sums. */
void mgc__wasserstein_take_plan(const mgc_twostage *ts, double *plan, double *p);
/* Least cost of moving the distribution p to q over K points; the distance matrix K x K, >= 0.  work: K (K + 6). */
double mgc__transport(uint32_t n, const double *distance, const double *p, const double *q, double *work,
                      uint32_t *index_work);
enum { MGC__TRANSPORT_WORK = 6, MGC__TRANSPORT_INDEX = 3 }; /* beside n^2, n times so much */

/* divergence.c */
mgc_status mgc__divergence_worst(const mgc_twostage *ts, const double *cost, double *worst);
/* phi(r) of the ball's divergence sum_k p0_k phi(p_k / p0_k), and its value for p. */
double mgc__divergence_phi(const mgc_twostage *ts, double ratio);
double mgc__divergence_of(const mgc_twostage *ts, const double *p);
/* The largest p_k / p0_k in the ball. */
double mgc__divergence_reach(const mgc_twostage *ts, uint32_t k);
/* Towards p0 until p is in the ball. */
void mgc__divergence_clean(const mgc_twostage *ts, double *p);

/* extensive.c */
mgc_status mgc__direct_build(const mgc_twostage *ts, mgc__direct *direct);
/* Push one changed datum into a kept program; nothing where none is kept.  On failure the kept program is given up. */
void mgc__direct_push_cost(mgc_twostage *ts, uint32_t column);
void mgc__direct_drop(mgc_twostage *ts);
/* The columns and rows of ts, with the costs of stage k's columns times weight[k]; used by both ways. */
mgc_status mgc__ts_copy(const mgc_twostage *ts, const double *weight, mgc_program *program);
/* Tell the solver which columns are whose scenario's: those of ts, and K columns from each run[r] on, one for each scenario
 * (UINT32_MAX: no such run); all others join them. */
mgc_status mgc__ts_tell_blocks(const mgc_twostage *ts, const uint32_t *run, size_t runs, mgc_program *program);
/* Columns of each scenario with a cost: list[start[k]..start[k+1]).  The caller frees both. */
mgc_status mgc__ts_costed(const mgc_twostage *ts, size_t **start, uint32_t **list);

/* master.c */
mgc_status mgc__master_build(mgc_twostage *ts);
/* p is in the set; >= 0, summing to 1.  After a failure the master is unusable: drop it. */
mgc_status mgc__master_add_cut(mgc_twostage *ts, const double *p);
bool mgc__master_has_cut(const mgc_twostage *ts, const double *p);
/* The worst probabilities that the multipliers y of the master's rows tell; false: no multipliers worth the name. */
bool mgc__master_tell(const mgc_twostage *ts, const double *y, double *p);
void mgc__master_push_cost(mgc_twostage *ts, uint32_t column);
void mgc__master_drop(mgc_twostage *ts);

/* ccg.c */
mgc_status mgc__ccg_solve(mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms);

/* solve.c, judge.c, complete.c */
/* Room for an answer that was found elsewhere, with this info; the caller fills result.x and result.y and says what is there. */
mgc_status mgc__ts_answer(mgc_twostage *ts, const mgc_twostage_info *info);
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
