/* SPDX-License-Identifier: Apache-2.0 */
/* The search of branch and bound: what its parts share. */
#ifndef SOLVER_MIP_SEARCH_H
#define SOLVER_MIP_SEARCH_H

#include "solver/mip.h"

enum { CANDIDATES_MAX = 2 }; /* columns whose both children are solved before one is chosen */

/* An open subproblem: its relaxation is solved, its children's are not. */
struct mgc__node {
    double bound;
    uint64_t order;             /* of creation, for ties */
    uint32_t depth;
    double *lower, *upper, *x;  /* n_int each; one block with hint */
    double *hint;               /* n_int; x as rows would have it rounded */
    double *weight;             /* n_int; of the relaxation, at least a small part of the largest */
    double *at;                 /* 2 n_int; of the relaxation: bounds of either value of each binary */
};

/* What branching on a column was seen to bring, per unit of distance, downwards and upwards. */
struct mgc__gain {
    double sum[2];
    uint32_t count[2];
};

struct mgc__candidate {
    uint32_t k;          /* index into ints */
    double distance[2];  /* how far the solution must move in either child, over all integers */
    double score;
    double cost[2];      /* of what follows the integers there, beyond what it costs in the node */
    bool possible[2];
    uint64_t print[2];   /* of the integers' bounds in either child */
};

typedef struct mgc__search {
    mgc__mip *mip;
    mgc__solve *s;
    mgc__domain d;
    mgc__heuristic h;
    mgc__relaxation r[2 * CANDIDATES_MAX];
    struct mgc__node **heap;
    size_t open, heap_cap;
    uint64_t created;
    struct mgc__gain *gain;      /* n_int */
    double all_gain;        /* of all columns, for those not tried yet */
    uint32_t all_count;
    double closed_bound;    /* smallest bound of what was closed by its bound, and of leaves */
    uint32_t stop;          /* outcome that ends the search, or NONE */
    mgc__followers followers;
    double *moved;          /* n; the node's integers, as far as a child lets them stay */
    uint32_t rounded_at;
    uint32_t flips_wait, flips_rest; /* better incumbents to let pass before the next flips: in all, by now */
    uint64_t newest;        /* nodes from this order on are children of the last one */
    uint32_t plunged;       /* steps of the present plunge */
    double proven;          /* bound of the root, the best so far */
    double restart_seen;    /* incumbent for which a restart was last thought of */
} mgc__search;

/* --- mip_open.c: open nodes -------------------------------------------------------------------- */

/* A proven bound of a subproblem, sharper where only whole values occur. */
double mgc__search_sharpen(const mgc__mip *mip, double bound);
/* What is proven of the whole program by now. */
double mgc__search_bound(const mgc__search *q);
/* Whether the subproblem of a relaxation is done with. */
bool mgc__search_closed(const mgc__mip *mip, const mgc__relaxation *r);
void mgc__node_free(mgc_ctx *ctx, struct mgc__node *node);
/* Taken out: the caller's.  There must be one. */
struct mgc__node *mgc__node_next(mgc__search *q);
/* All are closed. */
void mgc__nodes_drop(mgc__search *q);
/* A bound that holds for all of them. */
void mgc__nodes_lift(mgc__search *q, double bound);
/* Open what a relaxation leaves to do, or close it. */
mgc_status mgc__node_open(mgc__search *q, const mgc__relaxation *r, uint32_t depth, double parent_bound);
void mgc__node_weights(const mgc__mip *mip, const mgc__relaxation *r, double *weight);
/* Tighten bounds of integers (n_int) that could not pay for leaving the end that z (n_int) leans on. */
void mgc__fix_by_cost(mgc__mip *mip, double bound, const double *z, double *lower, double *upper);
/* The same for binaries of which a value is too dear: at, 2 n_int, as in a relaxation. */
void mgc__fix_by_paths(mgc__mip *mip, const double *at, double *lower, double *upper);

/* --- mip_branch.c: where to branch ------------------------------------------------------------- */

/* The `most` best columns to branch on.  *tightened: propagation alone excluded a side of some column, which is now
 * part of the domain; *dead: of both. */
size_t mgc__choose(mgc__search *q, const struct mgc__node *node, size_t most,
                   struct mgc__candidate best[CANDIDATES_MAX], bool *tightened, bool *dead);
void mgc__learn(mgc__search *q, const struct mgc__candidate *c, const mgc__relaxation pair[2], double bound);
/* Of several candidates whose children are solved, 2 each, in q->r. */
size_t mgc__pick(const mgc__search *q, size_t n, double bound);

/* --- mip_root.c: before the first branching ------------------------------------------------------ */

/* q->stop: no search is needed. */
mgc_status mgc__search_root(mgc__search *q);
/* Where the incumbent excludes so much everywhere that a smaller program is left: begin again with that, as long as the root is
 * all there is, else go on with it. */
mgc_status mgc__search_restart(mgc__search *q);

/* --- mip.c ------------------------------------------------------------------------------------- */

/* A relaxation whose solution is integral, or nearly, is a point to keep: solve with the integers fixed there. */
mgc_status mgc__search_try_point(mgc__search *q, const mgc__relaxation *r);
/* A limit of time, a cancel request: the relaxations are not what they should be. */
bool mgc__search_interrupted(mgc__search *q);
/* The domain: the program's box, what the root excludes given the present incumbent, and what follows.  false: no point. */
bool mgc__search_enter(mgc__search *q);
/* Tell the caller, who may stop the search. */
mgc_status mgc__search_report(mgc__search *q, double bound);

/* --- mip_answer.c ------------------------------------------------------------------------------ */

mgc_status mgc__search_finish(mgc__search *q);
/* No point is asked for any more: the verdict, with the certificate of the relaxation where it has the same verdict. */
mgc_status mgc__answer_by_relaxation(mgc__solve *s, uint32_t verdict);

#endif
