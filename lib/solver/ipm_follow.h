/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the parametric active-set method: ipm_follow.c walks the line, ipm_border.c solves the systems of its sets. */
#ifndef SOLVER_IPM_FOLLOW_H
#define SOLVER_IPM_FOLLOW_H

#include "la/lanes.h"
#include "solver/ipm_private.h"

enum { BORDER = 16 }; /* components that may have changed before the system is factorised anew */

/* Where a component stands: loose between its bounds, held at one, or without a choice: equality rows and fixed columns
 * are held, free rows take no part.  UNCLEAR: an interior answer does not tell. */
enum { LOOSE, AT_LOWER, AT_UPPER, HELD, ABSENT, UNCLEAR };

/* What the last solve left to begin from. */
enum { LEFT_NOTHING, LEFT_INNER, LEFT_POINT };

struct mgc__ipm_follow {
    uint32_t left;
    uint32_t exchanges;       /* of the present solve */
    uint32_t pause, patience; /* answers to go before one is made sharp again; how many after the next failure */
    bool factored;            /* the core's factor is that of `base` */
    uint8_t *state, *base;    /* N each: present set, and the factor's */
    uint8_t *kind;            /* N: ipm->kind then */
    uint8_t *seen;            /* N: states of the last answer, as far as they were clear */
    size_t stride;            /* from one vector to the next: N in whole lanes, with noughts behind */
    double *block;
    /* `value` is what may run out: of a loose column x_j, of a held one z_j, of a held row y_i, of a loose one (Ax)_i;
     * low and high are its limits, rate what becomes of it along the line */
    double *value, *low, *high, *rate;
    double *drift;            /* costs over columns, sides over rows: the program's less the point's */
    double *stands, *stood;   /* 1: in the system of the present set, of the factor's; else 0 */
    double *rhs, *plain, *step;
    double *answer;           /* BORDER of them: what the factor answers to the column that each border adds */
    double proximal;          /* of columns */
    uint32_t member[BORDER], count;
    double corner[BORDER * BORDER], weight[BORDER];
};

typedef struct mgc__ipm_follow follow;

/* Columns that are loose and rows that are held stand in the Newton system of a set. */
static inline bool stands_in(const mgc__ipm *ipm, uint32_t i, uint8_t state)
{
    return i < ipm->n ? state == LOOSE : state != LOOSE && state != ABSENT;
}

/* The present set's system from now on; forgets the border.  MGC_OK, MGC_E_NUMERIC, MGC_E_STOPPED, MGC_E_NO_MEMORY. */
mgc_status mgc__border_factorise(mgc__ipm *ipm);
/* Component i, whose state has changed already, leaves the system or joins it.  The border has room. */
void mgc__border_change(mgc__ipm *ipm, uint32_t i);
/* Of the system with the right-hand side -drift over columns and drift over rows: what the factor answers, once for each
 * drift and factor, and from that the present set's answer step = (dx, -dy).  false: singular. */
void mgc__border_begin(mgc__ipm *ipm);
bool mgc__border_solve(mgc__ipm *ipm);

#endif
