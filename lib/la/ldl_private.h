/* SPDX-License-Identifier: Apache-2.0 */
/* What lies behind the seam of la.h: one permuted matrix, one table of operations. */
#ifndef LA_LDL_PRIVATE_H
#define LA_LDL_PRIVATE_H

#include "la/la.h"

#include <math.h>

/* A pivot below this part of the sum of magnitudes that made it is rounding error alone: replaced. */
#define LDL_PIVOT_TINY 1e-15

/* Of rows with positive and with negative pivots: columns and rows of a program. */
typedef struct ldl_pair {
    double plus, minus;
} ldl_pair;

/* Squares of largest entries, weighted: of b, and of shift x, which is the residual that exact arithmetic leaves in
 * x. */
typedef struct ldl_sizes {
    ldl_pair b, shifted;
} ldl_sizes;

/* The larger of each; a NaN stays. */
static inline double ldl_larger_of(double a, double b)
{
    return b <= a || isnan(a) ? a : b;
}
static inline ldl_pair ldl_larger(ldl_pair a, ldl_pair b)
{
    return (ldl_pair){ldl_larger_of(a.plus, b.plus), ldl_larger_of(a.minus, b.minus)};
}

/* Vectors are the engine's own, of ldl->length >= n entries: entries that no row of K goes to are nought on entry
 * and exit. What stands as NULL is done in ldl.c for an engine that works on ldl->k. */
typedef struct ldl_engine {
    /* Analyse ldl->k, which is permuted already; may permute no further. */
    mgc_status (*analyse)(mgc__ldl *ldl);
    /* The caller's values to ldl->value, ldl->given_shift to ldl->shift, and ldl->weight; diagonal: the only values that
     * changed, or NULL.  false: they need another analysis. */
    bool (*load)(mgc__ldl *ldl, const double *value, const uint32_t *diagonal);
    mgc_status (*factorise)(mgc__ldl *ldl);
    void (*solve)(mgc__ldl *ldl, double *x); /* in place */
    /* The caller's b to ldl->b, or wherever residual finds it; its solution to ldl->x and the caller's x. */
    ldl_sizes (*first)(mgc__ldl *ldl, const double *b, double *x);
    void (*finish)(mgc__ldl *ldl, double *x); /* what ldl->x is to the caller, whose rows are in place already */
    void (*residual)(mgc__ldl *ldl, const double *x, double *r); /* r = b - K x; NULL: ldl->b holds b */
    void (*destroy)(mgc__ldl *ldl);
} ldl_engine;

/* Sharing work takes a microsecond or two; so many multiply-adds take ten. */
#define WORTH_SHARING 3e4

struct mgc__ldl {
    mgc_ctx *ctx;
    const ldl_engine *engine;
    void *state;        /* the engine's */
    uint32_t n, entries, length;
    mgc__pool *pool;             /* borrowed */
    double worth_sharing;        /* multiply-adds below which the caller works alone */
    mgc__csc k;         /* P K P', upper triangle, the diagonal last in each column; empty with MGC__LDL_ARROW */
    double *value;      /* of K as the engine wants them: k.value, or its own */
    uint32_t *where;    /* row i of the caller's K is entry where[i] of vectors */
    uint32_t *place;    /* caller's entry e is value[place[e]] */
    uint8_t *scenario;  /* n: rows that lie in one of the alike components; NULL where there are none */
    uint32_t scenarios;
    uint32_t *block;    /* n: the caller's hint, by its rows, where told */
    bool told;
    bool inner;         /* part of another factorisation: ordered once, in little time */
    double *lost;       /* n: magnitudes that the diagonal of K was summed from; borrowed, NULL: K is as it is */
    int8_t *sign;       /* length; 0: an entry that no row goes to */
    double *b, *x, *r, *best;
    double *side;       /* sign as a number */
    double *weight;     /* side / max(1, |k_jj|): squares of residuals of unlike rows become comparable */
    const double *given_shift; /* the caller's, by its rows, while it factorises; NULL: ldl->shift is there already */
    double *shift;      /* what the factor has on its diagonal beside K's, each of its pivot's sign */
    mgc__csc pattern;   /* the caller's K, kept where values may call for another analysis; else empty */
    bool judged;        /* `rounding` is known for the present factor */
    ldl_pair rounding;  /* what of a residual the shift does not explain, relative to b */
    bool weighed;       /* the weights are the caller's */
    bool loaded;        /* ldl->value holds the values of the last factorisation */
    mgc__ldl_info info;
};

extern const ldl_engine mgc__ldl_columns, mgc__ldl_supernodal, mgc__ldl_cholmod, mgc__ldl_arrow;

/* Dense L D L' of a (n x n by columns, lower triangle) in place; size: magnitudes of what the diagonal was summed
 * from. */
enum { MGC__DENSE_BLOCK = 64 };
#define MGC__DENSE_WORK(n) (MGC__DENSE_BLOCK * ((size_t)(n) + MGC__DENSE_BLOCK))
mgc_status mgc__dense_ldl(mgc__ldl *ldl, uint32_t n, double *a, const int8_t *sign, const double *shift, double *size,
                          double *d, double *d_inverse, double *work);
void mgc__dense_ldl_solve(uint32_t n, const double *a, const double *d_inverse, double *x); /* by what that left in a */

/* Elementwise, in one order whatever the registers.  A NaN anywhere comes out as one.  Weights bear their row's
 * sign. */
typedef struct ldl_loops {
    ldl_pair (*largest)(size_t n, const double *x, const double *weight);                          /* x_i^2 |weight_i| */
    ldl_pair (*largest_product)(size_t n, const double *x, const double *s, const double *weight); /* (s_i x_i)^2 |weight_i| */
    void (*weigh)(size_t n, const double *diagonal, const double *side, double *weight);
} ldl_loops;
const ldl_loops *mgc__ldl_loops(void);

/* By the supernodal engine and minimum degree, for an engine that fills in value, shift and lost by itself. */
mgc_status mgc__ldl_create_inner(mgc_ctx *ctx, const mgc__csc *k, const int8_t *sign, mgc__ldl **out);

/* order[k] = k-th node of a postorder of the forest, parent n: a root. */
mgc_status mgc__postorder(mgc_ctx *ctx, uint32_t n, const uint32_t *parent, uint32_t *order);

/* The cheapest order that order.c finds, its elimination tree and column counts; the others are what it chooses from.
 * thorough: false: minimum degree it is, in little time. */
mgc_status mgc__order_best(mgc_ctx *ctx, const mgc__csc *k, bool thorough, uint32_t *perm, uint32_t *parent, uint32_t *count);
mgc_status mgc__permute_upper(mgc_ctx *ctx, const mgc__csc *k, const uint32_t *inverse, mgc__csc *out,
                              uint32_t *place);
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
