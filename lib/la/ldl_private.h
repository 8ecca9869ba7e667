/* SPDX-License-Identifier: Apache-2.0 */
/* What lies behind the seam of la.h: one permuted matrix, one table of operations. */
#ifndef LA_LDL_PRIVATE_H
#define LA_LDL_PRIVATE_H

#include "la/la.h"

/* A pivot below this part of the sum of magnitudes that made it is rounding error alone: replaced. */
#define LDL_PIVOT_TINY 1e-15

/* Vectors are the engine's own, of ldl->length >= n entries: entries that no row of K goes to are nought on entry and exit. */
typedef struct ldl_engine {
    /* Analyse ldl->k, which is permuted already; may permute no further. */
    mgc_status (*analyse)(mgc__ldl *ldl);
    mgc_status (*factorise)(mgc__ldl *ldl);
    void (*solve)(mgc__ldl *ldl, double *x);                          /* in place */
    void (*residual)(mgc__ldl *ldl, const double *x, double *r);      /* r -= K x; NULL: by ldl->k */
    void (*destroy)(mgc__ldl *ldl);
} ldl_engine;

struct mgc__ldl {
    mgc_ctx *ctx;
    const ldl_engine *engine;
    void *state;        /* the engine's */
    uint32_t n, entries, length, threads;
    mgc__csc k;         /* P K P', upper triangle, the diagonal last in each column; empty with MGC__LDL_ARROW */
    double *value;      /* of K as the engine wants them: k.value, or its own */
    uint32_t *where;    /* row i of the caller's K is entry where[i] of vectors */
    uint32_t *place;    /* caller's entry e is value[place[e]] */
    uint32_t *diagonal; /* length: its place in value */
    int8_t *sign;       /* permuted, with ldl->k */
    double plus, minus; /* the static shift of the last factorisation */
    double *b, *x, *r, *best;
    double *weight;     /* 1 / sqrt(max(1, |k_jj|)): makes residuals of unlike rows comparable */
    mgc__ldl_info info;
};

extern const ldl_engine mgc__ldl_uplooking, mgc__ldl_supernodal, mgc__ldl_cholmod, mgc__ldl_arrow;

/* Dense L D L' of a (n x n by columns, lower triangle) in place; size: magnitudes of what the diagonal was summed from. */
#define MGC__DENSE_WORK(n) (8 * (size_t)(n) + 8)
mgc_status mgc__dense_ldl(mgc__ldl *ldl, uint32_t n, double *a, const int8_t *sign, double *size, double *d,
                          double *d_inverse, double *work);
void mgc__dense_ldl_solve(uint32_t n, const double *l, const double *d_inverse, double *x);

/* order[k] = k-th node of a postorder of the forest, parent n: a root. */
mgc_status mgc__postorder(mgc_ctx *ctx, uint32_t n, const uint32_t *parent, uint32_t *order);

/* The cheapest order that order.c finds; the others are what it chooses from. */
mgc_status mgc__order_best(mgc_ctx *ctx, const mgc__csc *k, uint32_t *perm);
mgc_status mgc__permute_upper(mgc_ctx *ctx, const mgc__csc *k, const uint32_t *inverse, mgc__csc *out, uint32_t *place);
/* A fill-reducing order of the symmetric pattern k (upper triangle), by CHOLMOD's AMD. */
mgc_status mgc__order_amd(mgc_ctx *ctx, const mgc__csc *k, uint32_t *perm);

/* The same with groups: all of group 0 before all of group 1, and so on.  group is borrowed. */
mgc_status mgc__order_constrained(mgc_ctx *ctx, const mgc__csc *k, uint32_t *group, uint32_t *perm);
/* Nested dissection; vertices from `free` on, and those whose degree exceeds `dense` times the mean, come last. */
mgc_status mgc__order_dissect(mgc_ctx *ctx, const mgc__csc *k, double dense, uint32_t free, uint32_t *perm);

/* Elimination tree of an upper triangle (Liu 1990, section 4): parent[j] > j, or n for a root.  work: n. */
void mgc__etree(const mgc__csc *k, uint32_t *parent, uint32_t *work);
/* Entries of each column of L, diagonal not counted (row subtrees, Davis 2006, section 4.1).  work: n. */
void mgc__column_counts(const mgc__csc *k, const uint32_t *parent, uint32_t *count, uint32_t *work);

/* The pivot to use instead of d, which summed up from terms of total magnitude `size`. */
static inline double ldl_pivot(mgc__ldl *ldl, double d, double size, double sign)
{
    double floor = LDL_PIVOT_TINY * size;

    if (sign * d > floor && sign * d > 0.0) return d;
    ldl->info.corrected++;
    return sign * (size > 1.0 ? size : 1.0) * 1e-13;
}

#endif
