/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse and dense linear algebra behind one seam: the only room that sees CHOLMOD and LAPACKE. */
#ifndef LA_LA_H
#define LA_LA_H

#include "base/base.h"

/* Compressed sparse columns; row indices ascend within a column. */
typedef struct mgc__csc {
    uint32_t rows, cols;
    uint32_t *start; /* cols + 1 */
    uint32_t *row;   /* start[cols] */
    double *value;   /* start[cols] */
} mgc__csc;

#endif
