/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts at the root of branch and bound. */
#ifndef SOLVER_MIP_CUTS_H
#define SOLVER_MIP_CUTS_H

#include "solver/mip.h"

/* A row value'x <= upper that every integer point of the program satisfies. */
typedef struct mgc__cut {
    uint32_t n, base;   /* entries; the row that its sum began with, beside which it will stand */
    uint32_t *column;
    double *value, upper;
    double efficacy;    /* distance by which it cut off its point */
    uint32_t idle;      /* relaxations in a row that it did not bind */
} mgc__cut;

typedef struct mgc__cuts {
    mgc__cut *cut;
    size_t n, cap;
} mgc__cuts;

void mgc__cuts_free(mgc_ctx *ctx, mgc__cuts *cuts);

/* --- mip_separate.c: inequalities that cut off a point ---------------------------------------- */

typedef struct mgc__separator mgc__separator;

/* For the rows and the box that mip has now.  *out may be half-built on failure: destroy it. */
mgc_status mgc__separator_create(mgc__mip *mip, mgc__separator **out);
void mgc__separator_destroy(mgc__separator *sep);
/* x: length n, borrowed. */
void mgc__separator_set_point(mgc__separator *sep, const double *x);
/* Append what cuts the point off.  MGC_OK, MGC_E_NO_MEMORY. */
mgc_status mgc__separate(mgc__separator *sep, mgc__cuts *into);

#endif
