/* SPDX-License-Identifier: Apache-2.0 */
/* Result of mgc_alliance_solve(), as the files of this room share it. */
#ifndef BARGAIN_ALLIANCE_H
#define BARGAIN_ALLIANCE_H

#include "bargain/agent.h"

typedef struct mgc__member {
    char *id;
    double standalone, standalone_bound, cost, bound;
    double weight, supplied_kwh, received_kwh;
    double payment, own_gap; /* own_gap: NaN where unknown */
    uint32_t group; /* smallest member that links connect it with */
} mgc__member;

#define MGC__POOL_MEMBER UINT32_MAX

typedef struct mgc__joint {  /* a link between two members of the model, or of one with the pool */
    uint32_t link, first, second, carrier; /* second MGC__POOL_MEMBER: the pool */
    double loss, *capacity_kw; /* [periods] */
    double *sent_kw, *price;   /* [2 * periods] by direction */
} mgc__joint;

typedef struct mgc__money {  /* a pair that pays */
    uint32_t first, second; /* second MGC__POOL_MEMBER: the pool */
    double payment;
} mgc__money;

struct mgc_alliance {
    mgc_ctx *ctx;
    uint32_t periods;
    double hours;
    mgc_alliance_info info;
    char reason[256];
    mgc__member *member;
    size_t n;
    mgc__joint *joint;
    size_t joints;
    mgc__money *pair;
    size_t pairs;
    mgc_round *round;
    size_t rounds, rounds_cap;
    mgc_plan *alone, *together;
    mgc__buf state; /* for the next run's start */
};

/* One call of mgc_alliance_solve(). */
typedef struct mgc__run {
    mgc_ctx *ctx;
    const mgc_model *model;
    mgc_alliance_opts opts;
    mgc_alliance *a;
    mgc_model *pool;                /* made of the model's links; NULL: bargain over the links themselves */
    uint64_t start_ms, deadline_ms; /* 0: no deadline */
    bool stopped, late;             /* by the callback; by the time limit */
    /* several processes (share.c) */
    bool wants_stop, sees_late;     /* not yet told to the others */
    mgc__tape *tape;                /* [tapes] one a member */
    size_t tapes;
    mgc__buf told;
} mgc__run;

/* MGC_OK also where the callback wants to stop: run->stopped. */
mgc_status mgc__run_tell(mgc__run *run, uint32_t phase, uint32_t round, double primal, double dual);
double mgc__run_seconds(const mgc__run *run);
void mgc__run_reason(mgc__run *run, const char *format, ...) MGC_PRINTF(2, 3);

/* share.c: task(user, i) for every member, side by side; with several processes each for its own, then for the others as they were
 * told.  MGC_OK says nothing of what the tasks found. */
mgc_status mgc__run_everyone(mgc__run *run, size_t n, void (*task)(void *user, size_t i), void *user);
bool mgc__run_shared(const mgc__run *run);
bool mgc__run_owns(const mgc__run *run, size_t member);
mgc_status mgc__run_make_tapes(mgc__run *run, size_t n);
void mgc__run_free_tapes(mgc__run *run);
/* The time limit is over: at all processes alike. */
bool mgc__run_late(mgc__run *run);

mgc_status mgc__run_agents(mgc__run *run);  /* by_agents.c */
mgc_status mgc__run_central(mgc__run *run); /* by_program.c */

/* Let the agents try these on/off decisions: of member i from decision + first[i] on.  Kept if all together then cost less than
 * *cost, which becomes what they cost. */
typedef mgc_status (*mgc__replan)(void *user, const int8_t *decision, const size_t *first, double *cost);
/* dual.c: raise the members' bounds by better prices and by cases, until what is proven is within `gap` [currency] of the cost.
 * Decisions that may make a better plan are handed to replan.  The agents' bound and own_gap
 * become those at the best prices, *bound is what all cases together prove. */
mgc_status mgc__run_dual(mgc__run *run, mgc_agent **agent, size_t n, double cost, double gap, mgc__replan replan, void *user, double *bound);

/* ties_program.c: where powers count what is traded, the trades of least sum of squares among those that cost the same. */
mgc_status mgc__alliance_ties(mgc__run *run);
bool mgc__group_trades(const mgc_alliance *a, uint32_t group);

/* From members' costs and trades: energies, weights, payments, totals. */
mgc_status mgc__alliance_pay(mgc__run *run);
void mgc__alliance_energies(mgc_alliance *a);
void mgc__alliance_totals(mgc_alliance *a);
/* No trade: everyone as alone. */
void mgc__alliance_apart(mgc_alliance *a);
const char *mgc__alliance_id(const mgc_alliance *a, uint32_t member);
bool mgc__joint_trades(const mgc_alliance *a, const mgc__joint *joint, uint32_t direction);

#endif
