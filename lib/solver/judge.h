/* SPDX-License-Identifier: Apache-2.0 */
/* The judge: what a point, multipliers or a ray are worth, from the original data alone.  Nothing here knows how they
 * were found. */
#ifndef SOLVER_JUDGE_H
#define SOLVER_JUDGE_H

#include "solver/ipm.h"

/* Primal side of a point. */
typedef struct mgc__point_report {
    double objective; /* without the constant */
    double residual;  /* largest violation of a row or bound, relative to 1 + its size; a row's size is the largest of
                       * its finite bounds' and its terms' magnitudes */
} mgc__point_report;

/* work: length 2 m. */
void mgc__judge_point(const mgc__qp *qp, const double *x, double *work, mgc__point_report *report);

/* Dual side of multipliers y for a convex program, linearised at x. */
typedef struct mgc__dual_report {
    double objective; /* dual objective where violations of stationarity are left out; they are in residual */
    double bound;     /* lower bound of the optimum, proven by these y whatever x is; -INFINITY where a reduced
                       * cost of the wrong sign meets a missing bound */
    double residual;  /* largest reduced cost of the wrong sign, relative to 1 + largest entry of c and Qx */
} mgc__dual_report;

/* y is cleaned in place: a multiplier that leans on a missing bound becomes 0.  z, length n, is filled with
 * c + Qx - A'y.  qp->lower and qp->upper may be tighter than the program's own, if every optimum obeys them. */
void mgc__judge_dual(const mgc__qp *qp, const double *x, double *y, double *z, mgc__dual_report *report);

/* How clearly a ray proves the outcome INFEASIBLE (y, length m) or UNBOUNDED (x, length n): > 0 proves.  work:
 * length 2 (n + m).  See program.h. */
double mgc__judge_infeasible(const mgc__qp *qp, const double *y, double *work);
double mgc__judge_unbounded(const mgc__qp *qp, const double *x, double *work);

#endif
