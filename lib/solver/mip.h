/* SPDX-License-Identifier: Apache-2.0 */
/* Branch and bound: what its parts share.  Method and sources: doc/math/mixed-integer.md. */
#ifndef SOLVER_MIP_H
#define SOLVER_MIP_H

#include <math.h>

#include "solver/solve.h"

/* How far an integer column may be from an integer and count as one, in decisions that are checked afterwards. */
#define MIP_INTEGRAL 1e-6
/* Continuous bounds that cross by less, relative to 1 + size, count as equal. */
#define MIP_CROSSED 1e-6

/* The program as branch and bound works on it: a copy whose integer bounds and rows become tighter. */
typedef struct mgc__mip {
    mgc__solve *s;
    mgc_ctx *ctx;
    uint32_t n, m, n_int;
    uint32_t *ints;              /* n_int; the integer columns */
    const uint8_t *integer;      /* n */
    const double *c;             /* n */
    const mgc__csc *q;           /* or NULL */
    mgc__csc a;                  /* m x n by columns */
    uint32_t *row_start, *row_col; /* the same by rows */
    double *row_val;
    double *row_lower, *row_upper;
    double *lower, *upper;       /* n; as the relaxation gets them: integer ones tightened */
    double *box_lower, *box_upper; /* n; what propagation knows: every feasible point obeys */
    double node_tolerance;       /* of the relaxations */
    bool whole_objective;        /* only whole values of the objective occur */

    /* incumbent */
    bool has_incumbent;
    double incumbent;            /* without the constant */
    double *best;                /* n */

    /* what the root relaxation left, for fixing by reduced costs whenever the incumbent improves */
    double root_bound, *root_z, *root_x; /* n_int each */
    double *root_at;             /* 2 n_int; bounds of either value of each binary, as in a relaxation */
    double excluded; /* no point that reduced costs took out of boxes is better than this */

    uint64_t *tried;             /* hashes of assignments that were solved for */
    size_t n_tried, tried_cap;
    struct mgc__schedules *schedules; /* NULL: none known */
    mgc__ipm_anchor *anchor; /* the root's iterates: other relaxations start there */
    struct mgc__mip_worker **workers; /* opts.threads of them, made when first needed */
    uint32_t n_workers;

    uint64_t work, work_heard; /* entries that loops looked at: in all, and when the limit was last looked at */
    uint32_t stop;             /* LIMIT or CANCELLED once one of them struck, else NONE: it stays */
} mgc__mip;

/* --- mip_setup.c: limits --------------------------------------------------------------------- */

/* Whether the time is over or the solve cancelled, asked now. */
bool mgc__mip_over(mgc__mip *mip);
/* Count what a loop did, in entries of the matrix, and ask now and then.  Loops end early where it is true: what they
 * have found by then must hold.  Without a limit that strikes it changes nothing. */
bool mgc__mip_works(mgc__mip *mip, uint64_t entries);

/* --- mip_domain.c: bounds and what follows from them ----------------------------------------- */

struct mgc__change {
    uint32_t column;
    double lower, upper; /* before */
};

/* A row's smallest and largest value within the domain: finite terms summed, infinite ones counted. */
struct mgc__range {
    double low, high;
    double error; /* rounding that sums and changes may have left in either */
    double reach; /* a row with so much room on a side implies nothing there */
    uint32_t low_infinite, high_infinite;
};

/* Bounds of all columns, changed by propagation, with what is needed to take changes back. */
typedef struct mgc__domain {
    mgc__mip *mip;
    double *lower, *upper;     /* n */
    struct mgc__range *range;  /* m; what the rows' values can be, kept up to date by every change */
    uint32_t *queue;           /* m; rows that wait, a ring */
    uint8_t *queued;           /* m */
    size_t head, waiting;
    struct mgc__change *trail; /* changes since the last reset */
    size_t n_trail, trail_cap;
    bool no_memory;
} mgc__domain;

mgc_status mgc__domain_init(mgc__domain *d, mgc__mip *mip);
void mgc__domain_free(mgc__domain *d);
/* The program's box, nothing to take back. */
void mgc__domain_reset(mgc__domain *d);
/* Tighten one bound; false where it crosses the other (the domain is then useless but for undo). */
bool mgc__domain_set(mgc__domain *d, uint32_t column, double lower, double upper);
/* What follows from the changes since the last call, or from all rows.  false: no point is left.  Where a limit strikes
 * not all that follows is found. */
bool mgc__domain_propagate(mgc__domain *d);
bool mgc__domain_propagate_all(mgc__domain *d);
/* Back to when the trail had that length. */
void mgc__domain_undo(mgc__domain *d, size_t mark);
/* Smallest and largest value of a row within the domain; infinite where it has none. */
void mgc__domain_activity(const mgc__domain *d, uint32_t row, double *low, double *high);

/* --- mip_setup.c: the working copy ----------------------------------------------------------- */

mgc_status mgc__mip_setup(mgc__mip *mip, mgc__solve *s);
void mgc__mip_free(mgc__mip *mip);
/* Other rows in place of all, which are copied; relaxations made before know nothing of them. */
mgc_status mgc__mip_set_rows(mgc__mip *mip, uint32_t m, const uint32_t *start, const uint32_t *col, const double *val,
                             const double *lower, const double *upper);
/* Where the bounds of continuous column j have met at an end of its range, that end: its value is known there exactly. */
bool mgc__mip_met(const mgc__mip *mip, uint32_t j, double lower, double upper, double *value);
/* Make the program tighter by trying each binary both ways; *infeasible where that proves it. */
mgc_status mgc__mip_probe(mgc__mip *mip, mgc__domain *d, bool *infeasible);

/* --- mip_relax.c: relaxations, many at a time ------------------------------------------------ */

/* One relaxation to solve, with its answer. */
typedef struct mgc__relaxation {
    double *lower, *upper; /* n; domain to solve over */
    double cutoff;         /* nothing above this is of interest */
    bool decide;           /* stop where it is clear that the bound will stay below the cutoff */
    double tolerance;      /* 0: that of nodes */
    /* answer */
    uint32_t outcome;      /* OPTIMAL, INFEASIBLE (proven), LIMIT (cutoff or a limit), UNBOUNDED, NUMERICAL */
    uint32_t iterations;
    double bound;          /* proven; INFINITY where infeasible */
    double dual_bound;     /* the part of bound that goes with z */
    double objective;      /* of x, where it satisfies the rows to the tolerance; else INFINITY */
    bool has_point;
    double *x;             /* n */
    double *z;             /* n; reduced costs that go with dual_bound */
    double *at;            /* 2 n_int; proven bound if an integer is 0, if it is 1; -INFINITY: not known */
    double *weight;        /* n_int; what a unit of each integer moves in the Lagrangian, by cost and multipliers */
    mgc_status status;
} mgc__relaxation;

mgc_status mgc__relaxation_init(const mgc__mip *mip, mgc__relaxation *r);
void mgc__relaxation_free(const mgc__mip *mip, mgc__relaxation *r);
/* Solve n of them on the threads of the options.  The answers do not depend on how many. */
mgc_status mgc__mip_relax(mgc__mip *mip, mgc__relaxation *r, size_t n);
/* Whether the last one was factorised as an arrow of alike scenarios.  Cuts differ from one to the next and would make
 * them unlike: they then cost more in each iteration than they save in nodes (see the document). */
bool mgc__mip_has_scenarios(const mgc__mip *mip);
/* Let later relaxations start from what the last one left, the only one so far. */
mgc_status mgc__mip_drop_anchor(mgc__mip *mip);
void mgc__mip_workers_free(mgc__mip *mip);

/* Objective below which a point is worth having: the incumbent less what the gap allows. */
double mgc__mip_cutoff(const mgc__mip *mip);

/* Row multipliers of the last relaxation, the only one so far: m, borrowed until the next. */
const double *mgc__mip_multipliers(const mgc__mip *mip);

/* --- mip_follow.c: continuous columns that follow integers ------------------------------------- */

typedef struct mgc__tie mgc__tie;

/* Columns with rows that tie them to integers alone. */
typedef struct mgc__followers {
    uint32_t n;
    uint32_t *column, *start; /* n, n + 1: their ties */
    mgc__tie *tie;
    uint32_t *integer, entries; /* of all ties: their integers, and what of each */
    double *value;
    double *net;              /* n; what a unit costs, the other rows counted at their multipliers */
} mgc__followers;

/* For the rows that mip has now; they hold when it gets others.  Half-built on failure. */
mgc_status mgc__followers_init(mgc__followers *f, const mgc__mip *mip);
void mgc__followers_free(mgc_ctx *ctx, mgc__followers *f);
/* y: m multipliers of a relaxation with the rows of mgc__followers_init(), or NULL: costs alone count. */
void mgc__followers_weigh(mgc__followers *f, const mgc__mip *mip, const double *y);
/* The row of the e-th entry of the lists of ties. */
uint32_t mgc__followers_row(const mgc__followers *f, uint32_t e);
/* What the followers cost at least where integers are as in x (n; the other columns are not looked at). */
double mgc__followers_cost(const mgc__followers *f, const mgc__mip *mip, const double *x);

/* --- mip_schedule.c, mip_price.c: assignments that rows among integers allow, as paths -------------- */

typedef struct mgc__schedules mgc__schedules;

/* For the rows that mip has now.  *out may be half-built on failure: destroy it. */
mgc_status mgc__schedules_create(mgc__mip *mip, mgc__schedules **out);
void mgc__schedules_destroy(mgc__schedules *s);
/* Numbers of work space that pricing needs. */
size_t mgc__schedules_room(const mgc__schedules *s);
/* From multipliers y, reduced costs z and the bound that they prove over the box of qp: the bound that holds for all
 * of its integer points, no lower but for rounding; INFINITY: there is none.  at: as in a relaxation. */
double mgc__schedules_price(const mgc__schedules *s, const mgc__qp *qp, const double *y, const double *z,
                            double bound, double *work, double *at);

/* --- mip_cuts.c: cuts --------------------------------------------------------------------------- */

/* Called after each relaxation, with its answer; it may tighten the box of integers.  *stop: no more rounds. */
typedef mgc_status mgc__after_round(void *user, const mgc__relaxation *r, bool *stop);

/* Add rows that every integer point of the box satisfies and the relaxation does not.  r: the relaxation as it is, solved;
 * work space then.  *added: mip has other rows than before. */
mgc_status mgc__mip_cut(mgc__mip *mip, mgc__relaxation *r, mgc__after_round *after, void *user, bool *added);

/* --- mip_reduce.c: what fixed columns leave ----------------------------------------------------- */

/* Take the domain for the program's box, and take out of the rows what it decides: columns that are fixed, rows of one column,
 * which become bounds, and rows that nothing in the box violates.  Columns keep their numbers. */
mgc_status mgc__mip_reduce(mgc__mip *mip, const mgc__domain *d);

/* --- mip_heuristic.c: incumbents ------------------------------------------------------------- */

/* Work space of the heuristics. */
typedef struct mgc__heuristic {
    mgc__mip *mip;
    mgc__domain *d;
    mgc__relaxation *r;
    size_t n_r;
    uint32_t *order;    /* n_int */
    double *key;        /* n_int */
    double *wish;       /* n_int */
    double *activity;   /* m */
} mgc__heuristic;

mgc_status mgc__heuristic_init(mgc__heuristic *h, mgc__mip *mip, mgc__domain *d);
void mgc__heuristic_free(mgc__heuristic *h);
/* Round x (length n_int) at several thresholds and solve for the rest.  first: also the start given by the caller. */
mgc_status mgc__heuristic_round(mgc__heuristic *h, const double *x, unsigned thresholds);
/* hint, length n_int: each integer of x (length n) as a share of how much less its rows are hurt by rounding up than
 * by rounding down; where neither hurts, x itself.  To be rounded in its place: an interior solution leaves a column
 * that costs nothing in the middle of what its rows allow. */
void mgc__heuristic_hint(mgc__heuristic *h, const double *x, double *hint);
/* Solve for the point whose integers are nearest to wish (length n_int; not finite: no wish). */
mgc_status mgc__heuristic_near(mgc__heuristic *h, const double *wish);
/* Change one integer at a time, the rest follows by propagation; at most `limit` relaxations. */
mgc_status mgc__heuristic_flips(mgc__heuristic *h, size_t limit);

#endif
