/* SPDX-License-Identifier: Apache-2.0 */
/* Link compression: links that all components know through one common combination become one link. */
#ifndef LA_COMPRESS_H
#define LA_COMPRESS_H

#include "la/arrow.h"

/* A set of k columns of K whose entries in the components are ratio_j times one and the same column b:
 *
 *     sum_j ratio_j b x_j = b z,   z = sum_j ratio_j x_j.
 *
 * One member, rep, gives way to z: x = M (z, x_j for j != rep), and K' = M'K M is K but for the rows of the set, in
 * which z alone knows the components.  A congruence: quasi-definite stays quasi-definite.  rep is the member with
 * the least diagonal per ratio^2, so that nothing cancels.  Entry 0 of the set holds z; x_0 then takes the place of
 * x_rep. */
typedef struct compress_set {
    uint32_t k, rows, outside; /* members; entries of b; rows beside the components that know a member */
    uint32_t *member;          /* k: vertices */
    uint32_t *entry;           /* k * rows: of the caller's K */
    uint32_t *inner;           /* k * k: entries of K among members; UINT32_MAX: none */
    uint32_t *outer;           /* outside * k */
    size_t special;            /* where K's entries of the set (k * k, then outside * k) begin in `value` */
    uint32_t rep;
    double *ratio;             /* k; of the last factorisation */
} compress_set;

typedef struct compression {
    uint32_t sets, entries;    /* entries: of the caller's K */
    compress_set *set;
    mgc__csc k;                /* pattern of K' */
    uint32_t *from;            /* entries of K': their place in `value` */
    double *value;             /* the caller's values, then the sets' own */
    size_t length;
    uint32_t *indices;
    double *ratios;
} compression;

/* k: with values that show the ratios.  *out stays NULL where there is nothing to gain. */
mgc_status mgc__compress_create(mgc_ctx *ctx, const mgc__csc *k, const arrow_graph *g, const arrow_parts *parts,
                                const int8_t *sign, compression **out);
void mgc__compress_destroy(mgc_ctx *ctx, compression *c);

/* c->value begins with the caller's values: add the sets' own.  false: the ratios are no longer what the sets are made of. */
bool mgc__compress_load(compression *c);
/* The same after a change of nothing but diagonals. */
void mgc__compress_load_diagonal(compression *c);
/* On vectors by the caller's rows, in place: b' = M'b, and x = M x'. */
void mgc__compress_right(const compression *c, double *b);
void mgc__compress_left(const compression *c, double *x);

#endif
