/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the explanation share: a group of sites, limits that may be the cause, programs in which one gives
 * way.  explain.c asks, explain_give.c answers, explain_text.c says it. */
#ifndef DISPATCH_EXPLAIN_H
#define DISPATCH_EXPLAIN_H

#include "dispatch/plan.h"

/* Kinds of limits that may give way. */
typedef enum cause {
    GIVE_BUY, GIVE_SELL, GIVE_DISTRICT, GIVE_VENTING, GIVE_LINK, GIVE_SERVICE, GIVE_MAX, GIVE_MIN, GIVE_RAMP, GIVE_CHARGE,
    GIVE_DISCHARGE, GIVE_CAPACITY, GIVE_FINAL, GIVE_LOWER, GIVE_UPPER, GIVE_CONSTRAINT
} cause;

/* One limit: of a site (index), of a device, of a part of it (variable, constraint; a link where device is absent). */
typedef struct suspect {
    cause cause;
    size_t site, device, part;
    double amount;  /* the least that cures; INFINITY: does not */
    double *profile; /* by period; the caller's */
} suspect;

/* A group of sites that stand or fall together. */
typedef struct group {
    mgc_plan *plan;
    mgc__site **sites;
    size_t *place; /* index of each in the plan */
    size_t n;
    mgc__alliance alliance; /* its program with all costs 0 */
    bool relax;             /* integrality is not needed to see the cause */
    bool fixed;             /* the first stage stands */
    uint32_t periods;
} group;

/* A clone of the group's program in which something gives way. */
typedef struct probe {
    mgc_program *program;
    uint32_t largest, by_period; /* columns: max delta_t; the first of delta_t */
    mgc_status status;
} probe;

/* Column and row of a site's program in the group's. */
uint32_t mgc__group_column(const group *g, size_t site, uint32_t column);
uint32_t mgc__group_row(const group *g, size_t site, uint32_t row);

/* A clone of the group's program as it is; what fails is kept in p->status, and so by all that follow. */
void mgc__probe_open(const group *g, probe *p);
mgc_status mgc__probe_solve(const group *g, probe *p, mgc_program_info *info);

/* The least by which the suspect must give way, with its profile over the periods; INFINITY where that does not cure. */
mgc_status mgc__suspect_question(const group *g, suspect *x);

/* A rule (may it be vented, may demand be unserved) rather than an amount: named when no amount helps. */
bool mgc__is_policy(cause what);
/* "17:00-19:00 (periods 17-18)": where the profile is above the threshold; clock times count from the start of the horizon. */
void mgc__put_periods(mgc__buf *text, const group *g, const double *profile, double threshold);
/* "raise buy_limit_kw of hospital by 120 kW in 17:00-19:00 (periods 17-18)" */
void mgc__put_cure(mgc__buf *text, const group *g, const suspect *x);

#endif
