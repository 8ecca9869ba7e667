/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the interior-point core.  Symbols as in doc/math/solver.md.
 *
 * Columns and rows are treated alike as N = n + m components: component j < n is x_j, component n + i is row i of Ax.
 * Each may have a lower bound lo with slack vl > 0 and multiplier zl > 0, and an upper bound up with vu, zu:
 *
 *     w - vl = lo,  w + vu = up,  vl zl = vu zu = mu.
 *
 * An absent bound has the mask hl (hu) = 0, v = 1 and z = 0, so that loops need no branch. */
#ifndef SOLVER_IPM_PRIVATE_H
#define SOLVER_IPM_PRIVATE_H

#include "solver/ipm.h"

#include <math.h>

enum { KIND_FREE = 0, KIND_BOUNDED = 1, KIND_FIXED = 2 }; /* FIXED: lo = up, a fixed column or an equality row */

/* What a run of the loop minimises: the program's objective, nothing, or the squared violation of the rows. */
enum { KRYLOV = 12 };    /* most steps of the Krylov method (ipm_refine.c) */
enum { SNAPSHOTS = 12 }; /* decades of mu that a warm start may choose from */
enum ipm_mode { AS_GIVEN, NO_OBJECTIVE, ELASTIC };

/* Vectors of N entries, all in one block. */
#define IPM_VECTORS(X)                                                                                            \
    X(w) X(lo) X(up) X(hl) X(hu) X(vl) X(vu) X(zl) X(zu) X(rl) X(ru) X(cl) X(cu)                                    \
    X(dw) X(dzl) X(dzu) X(theta) X(rhs) X(sol) X(work) X(save)                                   \
    X(y)  /* [0, n) nothing, [n, N) row multipliers */                                                             \
    X(dy) /* the same for their step */                                                                            \
    X(il) X(iu)       /* 1 / vl, 1 / vu; 0 where the bound is absent */                                            \
    X(lever)          /* what g weighs in the right-hand side: 1 for columns, 1 / Theta for inequalities, else 0 */  \
    X(omega)          /* weight of the component's barrier */                                                      \
    X(bl) X(bu)       /* the same where the bound exists, else 0 */                                                \
    X(moves) X(equal) X(column) /* masks: column that is not fixed; equality row; column */                        \
    X(open_l) X(open_u) /* masks: column that lacks a bound on that side */                                        \
    X(far_l) X(far_u) /* of original units: 1 / (1 + |bound|) where it exists, else 0 */                           \
    X(unit)           /* of original units: a reduced cost; 0 for rows */                                          \
    X(odw) X(odzl) X(odzu) X(ody) X(ocl) X(ocu) /* the direction that a corrector started from */  \
    X(rd) /* [0, n) dual residual -(c + Qx - A'y - z), [n, N) residual b - Ax of equality rows */                   \
    X(d)  /* [0, n) c + Qx - A'y */                                                                                \
    X(qx) /* [0, n) Qx */                                                                                          \
    X(c)  /* [0, n) scaled cost */                                                                                 \
    X(ruiz)  /* D, E of the matrices alone; powers of two */                                                       \
    X(scale) /* D, E of this solve: x = D x', row' = E row */                                                     \
    X(best_w) X(best_y)

typedef struct measure {
    double primal, dual, gap;      /* relative, of the original data */
    double primal_objective, bound; /* original units */
    double mu, merit;
} measure;

/* What measure and its loop hand over. */
typedef struct mgc__ipm_sums {
    double cx, xqx, box, plain, rows, yy;       /* added up */
    double unexcused, strict, primal, gradient; /* the largest counts */
} mgc__ipm_sums;

/* A run of components in whole lanes, for one thread at a time.  What loops add up they add up here; the parts, which are the
 * same for any number of threads, are put together in their order. */
enum { PARTS_MOST = 16, PART_LEAST = 1024 }; /* components of a part: some microseconds of work */
enum { WEIGHTS = 3 }; /* a corrector counts k / WEIGHTS, k = 0..WEIGHTS */
typedef struct mgc__ipm_part {
    size_t begin, end;
    double products, misfit, step_primal, step_dual, along[3];
    double reach_primal[WEIGHTS], reach_dual[WEIGHTS]; /* 1 / step with weight k / WEIGHTS, 0 < k < WEIGHTS */
    mgc__ipm_sums sums;
} mgc__ipm_part;
typedef void (*mgc__ipm_body)(mgc__ipm *ipm, mgc__ipm_part *part);

/* A direction beside the present one (ipm->dw and so on), which it changes places with. */
typedef struct mgc__ipm_direction_set {
    double *dw, *dzl, *dzu, *dy, *cl, *cu;
} mgc__ipm_direction_set;

/* ipm_loops.c */
typedef struct mgc__ipm_loops {
    mgc__ipm_body theta, predictor, corrector, centrality, expand, reach, blend, advance, residuals, measure, misfit;
} mgc__ipm_loops;

const mgc__ipm_loops *mgc__ipm_best_loops(void);

struct mgc__ipm {
    mgc_ctx *ctx;
    const mgc__ipm_loops *loops;
    mgc__qp qp; /* the caller's, during a solve */
    uint32_t n, m, count; /* count = n + m */
    bool analysed, has_q, q_diagonal, unit_diagonal;
    bool convex;            /* Q as it was loaded last is known to be */
    bool steady;            /* nothing but K's diagonal has changed since the last factorisation, which went to its end */
    bool wary;              /* multipliers grew wild: regularised as programs without scenarios, for the rest of the solve */
    bool loaded;            /* bounds and matrices are those of bounds_kept and the present scale */
    bool bounds_stand;      /* the last load found them so */
    size_t padded;          /* count in whole lanes: every vector has room for so many */
    uint32_t parts;
    mgc__ipm_part part[PARTS_MOST];
    mgc__pool *pool;        /* of the present solve; NULL: the caller's thread alone */
    double target, ahead[2]; /* of the right-hand side that a loop makes: mu aimed at; primal and dual step, as in advance */
    double weight_primal, weight_dual; /* of the direction at hand against the other one, in blend */
    mgc__csc a, q;          /* scaled; patterns are the analysis' own */
    mgc__csc at;            /* A by rows */
    uint32_t *a_of_at;
    double *a_raw, *q_raw;  /* the values that a and q were scaled from */
    double largest_entry;   /* of a_raw, below 0: not known */
    double cost_scale, cost_norm; /* kappa, 1 + largest |cost| (original) */
    mgc__csc k;             /* KKT matrix, upper triangle, order N */
    uint32_t *k_of_a, *k_of_q, *k_diagonal;
    double *q_diagonal_value;
    mgc__ldl *ldl;
    double shift, shift_next, shift_least; /* regularisation: present, wanted, least that the factor bears */
    double *krylov, *weight, *refine_work, *regular; /* (KRYLOV + 2) N, then N each */
    bool regular_least;     /* `regular` holds the least */
    enum ipm_mode mode;
    double elastic;         /* ELASTIC: weight of e'e / 2, after scaling; else 0 */
    uint8_t *kind, *marked; /* marked: columns, scratch of ipm_certificate.c */
    double *block;
    mgc__ipm_direction_set other;
#define IPM_MEMBER(name) double *name;
    IPM_VECTORS(IPM_MEMBER)
#undef IPM_MEMBER
    uint32_t complementarities; /* number of finite bounds with slacks */
    double barrier;         /* their weights, summed */
    double gap_weight;      /* of the gap in an iterate's merit: 1, more where it must be smaller than residuals */
    double mu, step_primal, step_dual;
    double start_size;      /* how far inside a cold start begins: 1, more where that came to nothing */
    double mu_least;        /* targets stay above: what the tolerance asks for, with room */
    double along[3];        /* v'dz, z'dv, dv'dz of the direction */
    measure now, best;
    double primal_before;   /* now.primal of the iterate before */
    double kept_merit;      /* of the point in result, NAN: none yet */
    double *snapshots, snapshot_mu[SNAPSHOTS]; /* mu 0: none (ipm_warm.c) */
    uint32_t slot;          /* that is written */
    bool warm;              /* the present run began from a snapshot */
    uint32_t spent;         /* iterations of a warm run that was given up */
    struct mgc__ipm_follow *follow; /* from the first warm solve on (ipm_follow.c) */
    double bound;           /* best proven so far */
    uint32_t iteration;
    mgc__ipm_result result;
    double *x_out, *y_out, *z_out, *ray_out, *ray_kept;
    double *bounds_kept;    /* 2 N, the caller's: lower, row_lower, upper, row_upper */
};

static inline double largest_of(const double *x, size_t n)
{
    double most = 0.0;

    for (size_t i = 0; i < n; i++) most = fabs(x[i]) > most ? fabs(x[i]) : most;
    return most;
}

/* ipm_setup.c: patterns, work space, bounds. */
mgc_status mgc__ipm_prepare(mgc__ipm *ipm, const mgc__qp *qp, bool warm);
void mgc__ipm_load(mgc__ipm *ipm, enum ipm_mode mode, bool keep_scale);
void mgc__ipm_load_units(mgc__ipm *ipm);
void mgc__ipm_release(mgc__ipm *ipm);

/* ipm_scale.c */
void mgc__ipm_equilibrate(mgc__ipm *ipm, bool keep);
void mgc__ipm_scale_cost(mgc__ipm *ipm, bool keep);
void mgc__ipm_rescale(mgc__ipm *ipm, double v, double z);

/* ipm_kkt.c */
mgc_status mgc__ipm_kkt_analyse(mgc__ipm *ipm);
void mgc__ipm_kkt_load(mgc__ipm *ipm);
void mgc__ipm_kkt_begin(mgc__ipm *ipm); /* the same values serve again */
mgc_status mgc__ipm_kkt_factorise(mgc__ipm *ipm); /* and the right-hand side of the predictor */
mgc_status mgc__ipm_kkt_factorise_unit(mgc__ipm *ipm);
double mgc__ipm_kkt_solve(mgc__ipm *ipm);
/* What the steps just chosen say of the regularisation. */
void mgc__ipm_kkt_heed_steps(mgc__ipm *ipm);
bool mgc__ipm_kkt_doubts_direction(mgc__ipm *ipm); /* true: the next factor is regularised more; compute it again */
mgc_status mgc__ipm_check_convex(mgc__ipm *ipm);

/* ipm_refine.c */
double mgc__ipm_refine(mgc__ipm *ipm, double target, bool *sound, bool *hard);

/* ipm_start.c */
mgc_status mgc__ipm_start_cold(mgc__ipm *ipm);

/* ipm_warm.c */
size_t mgc__ipm_snapshot_size(size_t count);
void mgc__ipm_forget(mgc__ipm *ipm);
void mgc__ipm_snapshot(mgc__ipm *ipm);
/* A snapshot may start a solve where the residuals that the new data leave in it, in units of complementarity, are at
 * most this many times its mu.  Measured on new linear terms of planning programs: 1 to 10 serve alike, 0.1 and 100 double
 * the iterations. */
#define IPM_RESIDUAL_PER_MU 3.0
bool mgc__ipm_start_warm(mgc__ipm *ipm, double per_mu, bool absorbed);

/* ipm_follow.c */
mgc_status mgc__ipm_follow_create(mgc__ipm *ipm); /* where there is none yet */
void mgc__ipm_follow_destroy(mgc__ipm *ipm);
/* The present program's solution from what the last solve left; true: the vectors and `now` are those of one to the
 * tolerance.  Loads the program where it tries. */
bool mgc__ipm_follow_solution(mgc__ipm *ipm, const mgc__ipm_opts *opts);
/* Does the interior answer at hand differ so little from the last one that its active set is worth knowing? */
bool mgc__ipm_follow_is_near(mgc__ipm *ipm);
void mgc__ipm_follow_adopt(mgc__ipm *ipm); /* begin there the next time */
void mgc__ipm_follow_forget(mgc__ipm *ipm);
void mgc__ipm_follow_values_changed(mgc__ipm *ipm);

/* ipm_anchor.c */
bool mgc__ipm_start_anchored(mgc__ipm *ipm, const mgc__ipm_anchor *anchor);

/* ipm_step.c */
void mgc__ipm_over(mgc__ipm *ipm, mgc__ipm_body body); /* every part once */
/* Columns, or rows, of a part, as a run of components. */
static inline void part_columns(const mgc__ipm *ipm, const mgc__ipm_part *part, uint32_t *begin, uint32_t *end)
{
    *begin = (uint32_t)(part->begin < ipm->n ? part->begin : ipm->n);
    *end = (uint32_t)(part->end < ipm->n ? part->end : ipm->n);
}
static inline void part_rows(const mgc__ipm *ipm, const mgc__ipm_part *part, uint32_t *begin, uint32_t *end)
{
    *begin = (uint32_t)(part->begin > ipm->n ? part->begin : ipm->n);
    *end = (uint32_t)(part->end < ipm->count ? part->end : ipm->count);
}
void mgc__ipm_residuals(mgc__ipm *ipm, measure *out); /* out: NULL, or what the iterate is worth */
mgc_status mgc__ipm_direction(mgc__ipm *ipm);
void mgc__ipm_advance(mgc__ipm *ipm);

/* ipm_certificate.c: does the present iterate, or its step, prove infeasibility?  Fills ray (original units). */
bool mgc__ipm_proves_infeasible(mgc__ipm *ipm, const double *y);
bool mgc__ipm_proves_unbounded(mgc__ipm *ipm, const double *x);
bool mgc__ipm_feasible(const mgc__ipm *ipm);

#endif
