/* SPDX-License-Identifier: Apache-2.0 */
/* What the ways to solve a program share. */
#ifndef SOLVER_SOLVE_H
#define SOLVER_SOLVE_H

#include "solver/judge.h"
#include "solver/program_impl.h"

/* One call of mgc_program_solve(). */
typedef struct mgc__solve {
    mgc_program *p;
    mgc_program_opts opts; /* read and checked */
    uint64_t started_ms, deadline_ms; /* 0: none */
    mgc_program_info info; /* seconds is filled at the end */
} mgc__solve;

/* Solve qp, a program of the sizes of s->p (its data perhaps changed), judge what comes back against qp itself and
 * keep it in result, whose arrays are made here.  Fills s->info but for nodes and seconds; knows no integrality. */
mgc_status mgc__solve_continuous(mgc__solve *s, const mgc__qp *qp, mgc__result *result);

/* Replace the OPTIMAL answer in result, which s->info describes, by the point and the multipliers that its active set
 * determines; *better tells whether they were clearly better and none of the measures became worse, else result is what
 * it was, bit by bit.  MGC_OK, MGC_E_NO_MEMORY. */
mgc_status mgc__polish(mgc__solve *s, const mgc__qp *qp, mgc__result *result, bool *better);

/* A direction of endless fall that mgc__judge_unbounded() takes for a proof, into direction (length n); *found: there
 * is one.  work: length 2 (n + m).  opts: limits; the tolerance is its own. */
mgc_status mgc__find_direction(mgc_ctx *ctx, const mgc__qp *qp, const mgc__ipm_opts *opts, double *work,
                               double *direction, bool *found);

/* Branch and bound: leaves the incumbent, with multipliers of the program whose integers are fixed, in p->result. */
mgc_status mgc__solve_integer(mgc__solve *s);

#endif
