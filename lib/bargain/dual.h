/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the search for a better lower bound, and for a better plan on the way: shared by dual*.c. */
#ifndef BARGAIN_DUAL_H
#define BARGAIN_DUAL_H

#include "bargain/alliance.h"

enum { MGC__DUAL_NODES_MAX = 63, MGC__DUAL_KNOWN_MAX = 6, MGC__DUAL_TRIED_MAX = 12 };

typedef struct mgc__cut {
    size_t member;
    double cost;
    double *x;
    int8_t *decision;
} mgc__cut;

/* A case: some decisions fixed. */
typedef struct mgc__case {
    double bound, step_scale;
    double *lambda; /* [coordinates] */
    double *value;  /* [n] members' parts of bound */
    int8_t *fixed;  /* [integers of all] -1: free */
    bool done;
} mgc__case;

typedef struct mgc__dual {
    mgc__run *run;
    mgc_ctx *ctx;
    mgc_agent **agent;
    size_t n, coordinates, integers;
    size_t **place;      /* [n][end] first coordinate of the link */
    double *weight;      /* [coordinates] 1/step of prices: t */
    size_t *first_integer;
    double **linear;     /* [n][own coordinates] */
    mgc__answer *answer; /* [n] */
    mgc__answer *recalled; /* [n * KNOWN_MAX] with decisions that are known */
    size_t *n_recalled;  /* [n] */
    int8_t **known;      /* [n] decisions that a member has answered, one list after the other */
    size_t *n_known, *cap_known; /* [n] lists; [n] numbers allocated */
    mgc_status *status;
    double *lambda;      /* asked next */
    const mgc__case *at;      /* the case that is asked about */
    size_t only;              /* this member alone; n: all */
    mgc__cut *cuts;
    size_t n_cuts, cap_cuts;
    mgc__case node[MGC__DUAL_NODES_MAX];
    size_t nodes, asks, recalls;
    double *share;       /* [shares] of the last master: cuts added since have none */
    size_t shares, share_cap;
    double predicted;    /* what the last master promises */
    double cost;         /* of the best plan known of */
    double target, margin; /* margin: cost less target */
    int8_t *tried[MGC__DUAL_TRIED_MAX]; /* [n_tried][integers] decisions of all members that were looked at as a plan */
    size_t n_tried;
    bool replanned;      /* the agents have taken one */
    mgc__replan replan;
    void *user;          /* first argument of replan */
} mgc__dual;


/* dual.c */
size_t mgc__dual_integers(const mgc__dual *d, size_t i);
void *mgc__dual_take(mgc__dual *d, size_t n, size_t size, bool *good);
bool mgc__dual_fits(const mgc__dual *d, const mgc__case *k, size_t i, const int8_t *decision);

/* dual_master.c: shares of the answers, and the next prices; *solved: they were found. */
mgc_status mgc__dual_master(mgc__dual *d, const mgc__case *k, const double *centre, bool *solved);

/* dual_plan.c: do the mixture of the last master, or the last answers, make a better plan? */
mgc_status mgc__dual_hint(mgc__dual *d);

#endif
