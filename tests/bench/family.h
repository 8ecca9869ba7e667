/* SPDX-License-Identifier: Apache-2.0 */
/* One microgrid's day as a two-stage program over scenarios, at any number of periods and scenarios: what the solver is
 * measured on.  Demand, sun, wind and prices are the series that the library carries; the plant is a campus with
 * combined heat and power (commitment, minimum up and down times, start-up cost, ramps), boiler, heat pump, battery,
 * heat tank, shiftable demand, a carbon ladder, day-ahead and real-time trade, an electricity and a heat link to two
 * neighbours.  It is built by the room dispatch: the same columns and rows that a host or an agent of an alliance gets.
 *
 * 24 periods are hours, 96 are quarters of an hour, others divide the day alike.  The probabilities are nominal, so that
 * the program is the extensive form.  One seed, one program: no clock, no global state. */
#ifndef BENCH_FAMILY_H
#define BENCH_FAMILY_H

#include "dispatch/site.h"

/* One quantity agreed with a neighbour: x = sum of sign * column; linear term and penalty lie on x. */
typedef struct family_door {
    uint32_t column[2];
    uint32_t n_columns; /* 2: net flow ahead - back of a link without loss; 1: one direction */
    double own_cost[2]; /* of the columns, before any term [currency/kW] */
    double worth;       /* what the neighbour pays for the first kW [currency/kW] */
    double capacity_kw;
    double z, lambda;   /* the neighbour's copy and the multiplier */
} family_door;

typedef struct family {
    mgc_ctx *ctx;
    uint32_t periods, scenarios;
    double hours;
    mgc_program *program;
    family_door *door;
    size_t n_doors;
    double penalty; /* [currency/kW^2] */
} family;

/* Build a member.  seed: which days and which noise.  On failure everything is taken back. */
mgc_status family_create(mgc_ctx *ctx, uint32_t periods, uint32_t scenarios, uint64_t seed, family *out);
void family_destroy(family *f);

/* The alternating direction method of multipliers between the microgrid and two neighbours with a falling marginal
 * worth, in the form of Boyd et al. 2011, section 7.1: begin lays the penalty into the program's quadratic and the first
 * linear terms into its cost; step takes the program's solution x, lets the neighbours answer, moves the multipliers and
 * sets the next linear terms.  *change, if not NULL: largest |x - z|. */
mgc_status family_admm_begin(family *f);
mgc_status family_admm_step(family *f, const double *x, double *change);

#endif
