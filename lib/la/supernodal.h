/* SPDX-License-Identifier: Apache-2.0 */
/* The supernodal engine's data; supernodes.c finds them, supernodal.c computes with them. */
#ifndef LA_SUPERNODAL_H
#define LA_SUPERNODAL_H

#include "la/ldl_private.h"

enum { SUPERNODAL_WIDTH = 4 }; /* columns of a product */

/* Dense products.  Matrices by columns, lda (ldc) apart. */
typedef struct kernels {
    /* C (rows x 4) = A (rows x depth) W, W depth x 4 by rows */
    void (*multiply)(uint32_t rows, uint32_t depth, const double *a, size_t lda, const double *w, double *c, size_t ldc);
    void (*subtract)(uint32_t rows, const double *c, double *y); /* y -= c */
    /* One column of a block below its pivot: y -= sum_k l_k w_k over the `depth` columns before it, then times scale. */
    void (*eliminate)(uint32_t rows, uint32_t depth, const double *l, size_t lda, const double *w, double scale,
                      double *y);
    /* y -= A x */
    void (*subtract_product)(uint32_t rows, uint32_t cols, const double *a, size_t lda, const double *x, double *y);
    /* x -= A'y */
    void (*subtract_transposed)(uint32_t rows, uint32_t cols, const double *a, size_t lda, const double *y, double *x);
} kernels;

/* For the registers of this machine. */
const kernels *mgc__supernodal_kernels(void);

/* Rows [at, end) of descendant `from` are columns of the supernode that is updated; relative: where its rows from
 * `at` on lie in that supernode's panel. */
typedef struct supernode_update {
    uint32_t from, at, end;
    size_t relative;
} supernode_update;

typedef struct supernodal {
    uint32_t count;
    uint32_t *first;     /* count + 1: supernode j is columns first[j] .. first[j + 1] - 1 */
    uint32_t *of;        /* n: supernode of a column */
    uint32_t *row_start; /* count + 1 */
    uint32_t *row;       /* rows below the diagonal block of each supernode, ascending */
    size_t *value_start; /* count + 1 */
    double *value;       /* panels by columns, diagonal block on top; above the diagonal: nothing of meaning */
    uint32_t *update_start; /* count + 1 */
    supernode_update *update;
    uint32_t *relative;
    size_t *entry;       /* place in value of each entry of k */
    double *d, *d_inverse, *size;
    double *panel_work, *w; /* WIDTH columns of the tallest panel; WIDTH rows for the widest one */
    size_t ldc;
    const kernels *kernel;
} supernodal;

mgc_status mgc__supernodal_analyse(mgc__ldl *ldl, supernodal *s);

#endif
