/* SPDX-License-Identifier: Apache-2.0 */
/* Sparse and dense linear algebra behind one seam: the only room that sees CHOLMOD and LAPACKE. */
#ifndef LA_LA_H
#define LA_LA_H

#include "base/base.h"

/* --- sparse matrices ------------------------------------------------------------------------ */

/* Compressed sparse columns; row indices ascend within a column. */
typedef struct mgc__csc {
    uint32_t rows, cols;
    uint32_t *start; /* cols + 1 */
    uint32_t *row;   /* start[cols] */
    double *value;   /* start[cols] */
} mgc__csc;

/* Indices are kept in 31 bits, as CHOLMOD's int interface wants them. */
enum { MGC__CSC_MAX = INT32_MAX };

/* Room for nnz entries; start, row and value zeroed.  Freed by mgc__csc_free(), which accepts a zeroed one. */
mgc_status mgc__csc_alloc(mgc_ctx *ctx, uint32_t rows, uint32_t cols, size_t nnz, mgc__csc *out);
void mgc__csc_free(mgc_ctx *ctx, mgc__csc *a);

/* From n triplets in any order; those of one place are summed in the order given. */
mgc_status mgc__csc_from_triplets(mgc_ctx *ctx, uint32_t rows, uint32_t cols, size_t n, const uint32_t *i,
                                  const uint32_t *j, const double *v, mgc__csc *out);

/* out = A'.  map, length nnz or NULL: entry k of out is entry map[k] of A. */
mgc_status mgc__csc_transpose(mgc_ctx *ctx, const mgc__csc *a, mgc__csc *out, uint32_t *map);

void mgc__csc_mul(const mgc__csc *a, double alpha, const double *x, double *y);    /* y += alpha A x */
void mgc__csc_tmul(const mgc__csc *a, double alpha, const double *x, double *y);   /* y += alpha A'x */
void mgc__csc_symmul(const mgc__csc *u, double alpha, const double *x, double *y); /* y += alpha S x, u: upper triangle of S, rows ascending */

/* --- factorisation of quasi-definite matrices ------------------------------------------------ */

/* P K P' = L D L' of a symmetric K whose pivots have known signs in every order: quasi-definite, Vanderbei 1995.
 * Analysed once; then any number of factorisations and solves without allocation. */
typedef struct mgc__ldl mgc__ldl;

enum {
    MGC__LDL_AUTO = 0,   /* the fastest */
    MGC__LDL_COLUMNS,    /* own, column by column */
    MGC__LDL_SUPERNODAL, /* own, dense panels */
    MGC__LDL_CHOLMOD,    /* CHOLMOD's simplicial module */
    MGC__LDL_ARROW       /* own, alike components side by side; SUPERNODAL where the pattern is no arrow */
};

typedef struct mgc__ldl_info {
    uint64_t factor_nonzeros; /* of L, diagonal not counted */
    double operations;        /* multiply-adds of one factorisation */
    uint32_t method;          /* what AUTO chose */
    uint32_t corrected;       /* pivots of the last factorisation that had to be replaced */
} mgc__ldl_info;

/* Analyse the pattern of k.
 *
 * k      n x n, upper triangle with every diagonal entry; pattern copied, values ignored
 * sign   +1 or -1 for each pivot, copied
 *
 * MGC_OK; MGC_E_NO_MEMORY; MGC_E_LIMIT where the factor has over 2^31 entries */
mgc_status mgc__ldl_create(mgc_ctx *ctx, const mgc__csc *k, const int8_t *sign, uint32_t method, mgc__ldl **out);
/* The same where the caller knows which rows belong together: block (length n, copied; NULL: unknown) is the number of a
 * row's block from 1, or 0 for rows that join blocks.  Only a hint: what it leads to is checked against the pattern.  pool: as of
 * mgc__ldl_set_pool(), already for the analysis. */
mgc_status mgc__ldl_create_blocks(mgc_ctx *ctx, const mgc__csc *k, const int8_t *sign, uint32_t method, const uint32_t *block,
                                  mgc__pool *pool, mgc__ldl **out);
void mgc__ldl_destroy(mgc__ldl *ldl);

/* Who factorises and solves from now on, where the work is worth sharing: borrowed until another is set; NULL, as at first:
 * the caller's thread alone.  No bit depends on it. */
void mgc__ldl_set_pool(mgc__ldl *ldl, mgc__pool *pool);

/* Factorise K + diag(sign_j * shift_j), shift_j = plus where sign_j > 0, else minus.
 *
 * value  in the order of the analysed pattern; kept (copied) for refinement, without the shift
 *
 * A pivot with sign_j d_j below 1e-13 of what was summed for it is replaced (Altman and Gondzio 1999, section 3).
 * MGC_OK; MGC_E_NUMERIC where a pivot is not finite; MGC_E_STOPPED where the context was cancelled meanwhile, which the
 * engines look for once in some hundred thousand multiply-adds: there is no factor then */
mgc_status mgc__ldl_factorise(mgc__ldl *ldl, const double *value, double plus, double minus);

/* The same for K + diag(shift), each of its pivot's sign: refinement again solves K itself.
 *
 * diagonal  entry of each row's diagonal, where nothing else of `value` has changed since the last factorisation, of any
 *           kind; NULL: anything may have */
mgc_status mgc__ldl_factorise_shifted(mgc__ldl *ldl, const double *value, const uint32_t *diagonal, const double *shift);

/* Solve K x = b, b and x may be the same: with the shifted factor, then at most `steps` steps of refinement on K
 * itself while they help.  Returns |b - Kx| / |b|, in the largest absolute entry, each divided by the root of its
 * diagonal where that exceeds one, rows of each sign by themselves (b as at least a thousandth of the other part); 0
 * for b = 0. Where the shift explains the residual, it is not computed: K is looked at once a factorisation. */
double mgc__ldl_solve(mgc__ldl *ldl, const double *b, double *x, uint32_t steps, double target);
/* x = the shifted factor's solution for b, without refinement; b and x may be the same. */
void mgc__ldl_apply(mgc__ldl *ldl, const double *b, double *x);
/* What residuals are multiplied by, row for row, in mgc__ldl_solve() until the next factorisation, all rows then
 * together. Costs a look at K in each solve. */
void mgc__ldl_weigh(mgc__ldl *ldl, const double *weight);
/* Which rows of K lie in one of the many alike components of an arrow, and how many those are; NULL where K is none.
 * */
const uint8_t *mgc__ldl_scenarios(const mgc__ldl *ldl, uint32_t *count);
void mgc__ldl_read_info(const mgc__ldl *ldl, mgc__ldl_info *info);

/* --- dense ---------------------------------------------------------------------------------- */

/* Cholesky of a symmetric positive definite n x n matrix, column-major, lower triangle; in place by LAPACK.
 * MGC_E_NUMERIC where it is not positive definite. */
mgc_status mgc__dense_cholesky(mgc_ctx *ctx, size_t n, double *a, size_t lda);
void mgc__dense_cholesky_solve(size_t n, const double *l, size_t lda, double *b);

#endif
