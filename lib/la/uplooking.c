/* SPDX-License-Identifier: Apache-2.0 */
/* Row-by-row L D L' (Davis 2005, algorithm 849): row j of L solves L(0..j-1, 0..j-1) D l = K(0..j-1, j). */
#include "la/ldl_private.h"

#include <math.h>

typedef struct uplooking {
    uint32_t *parent, *count;      /* elimination tree; entries in each column of L so far */
    uint32_t *start, *row;         /* L by columns */
    double *value, *d, *d_inverse; /* d: pivots */
    double *y;                     /* dense row, zero between rows */
    uint32_t *pattern, *path, *mark;
} uplooking;

static void destroy(mgc__ldl *ldl)
{
    uplooking *u = ldl->state;

    if (!u) return;
    mgc__free(ldl->ctx, u->parent);
    mgc__free(ldl->ctx, u->start);
    mgc__free(ldl->ctx, u->row);
    mgc__free(ldl->ctx, u->value);
    mgc__free(ldl->ctx, u->d);
    mgc__free(ldl->ctx, u);
    ldl->state = NULL;
}

static mgc_status analyse(mgc__ldl *ldl)
{
    size_t n = ldl->n;
    uint64_t total = 0;
    uplooking *u = ldl->state = mgc__alloc(ldl->ctx, 1, sizeof *u);

    if (!u) return mgc__no_memory(ldl->ctx, "a factorisation");
    u->parent = mgc__alloc(ldl->ctx, 5 * n, sizeof *u->parent);
    u->start = mgc__alloc(ldl->ctx, n + 1, sizeof *u->start);
    u->d = mgc__alloc(ldl->ctx, 3 * n, sizeof *u->d);
    if (!u->parent || !u->start || !u->d) return mgc__no_memory(ldl->ctx, "a factorisation");
    u->count = u->parent + n;
    u->pattern = u->count + n;
    u->path = u->pattern + n;
    u->mark = u->path + n;
    u->d_inverse = u->d + n;
    u->y = u->d_inverse + n;
    mgc__etree(&ldl->k, u->parent, u->mark);
    mgc__column_counts(&ldl->k, u->parent, u->count, u->mark);
    ldl->info.operations = 0.0;
    for (size_t j = 0; j < n; j++) {
        total += u->count[j];
        ldl->info.operations += 0.5 * (double)u->count[j] * ((double)u->count[j] + 3.0);
        if (total > MGC__CSC_MAX)
            return mgc__fail(ldl->ctx, MGC_E_LIMIT, "la: the factor would have more than 2^31 - 1 entries");
        u->start[j + 1] = (uint32_t)total;
    }
    ldl->info.factor_nonzeros = total;
    u->row = mgc__alloc(ldl->ctx, total, sizeof *u->row);
    u->value = mgc__alloc(ldl->ctx, total, sizeof *u->value);
    return u->row && u->value ? MGC_OK : mgc__no_memory(ldl->ctx, "a factorisation");
}

/* Scatter column j of K into y and list the pattern of row j of L in topological order, from pattern[returned]. */
static uint32_t reach(mgc__ldl *ldl, uplooking *u, uint32_t j, double *diagonal)
{
    const mgc__csc *k = &ldl->k;
    uint32_t top = ldl->n;

    u->mark[j] = j;
    for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++) {
        uint32_t i = k->row[e], length = 0;

        if (i == j) {
            *diagonal = k->value[e];
            continue;
        }
        u->y[i] = k->value[e];
        for (; u->mark[i] != j; i = u->parent[i]) {
            u->path[length++] = i;
            u->mark[i] = j;
        }
        while (length > 0) u->pattern[--top] = u->path[--length];
    }
    return top;
}

static mgc_status factorise(mgc__ldl *ldl)
{
    uplooking *u = ldl->state;
    uint32_t n = ldl->n;

    for (uint32_t j = 0; j < n; j++) {
        u->mark[j] = n;
        u->count[j] = 0;
    }
    for (uint32_t j = 0; j < n; j++) {
        double d = 0.0, size;
        uint32_t top = reach(ldl, u, j, &d);

        size = fabs(d);
        d += ldl->shift[j];
        for (; top < n; top++) {
            uint32_t i = u->pattern[top], end = u->start[i] + u->count[i];
            double yi = u->y[i], lji = yi * u->d_inverse[i], term = lji * yi;

            u->y[i] = 0.0;
            for (uint32_t p = u->start[i]; p < end; p++) u->y[u->row[p]] -= u->value[p] * yi;
            d -= term;
            size += fabs(term);
            u->row[end] = j;
            u->value[end] = lji;
            u->count[i]++;
        }
        u->d[j] = ldl_pivot(ldl, d, size, ldl->sign[j]);
        u->d_inverse[j] = 1.0 / u->d[j];
        if (!isfinite(d)) {
            memset(u->y, 0, n * sizeof *u->y);
            return mgc__fail(ldl->ctx, MGC_E_NUMERIC, "la: pivot %u of %u is not a finite number", j, n);
        }
    }
    return MGC_OK;
}

static void solve(mgc__ldl *ldl, double *x)
{
    const uplooking *u = ldl->state;

    for (uint32_t j = 0; j < ldl->n; j++) {
        double t = x[j];

        for (uint32_t p = u->start[j]; p < u->start[j + 1]; p++) x[u->row[p]] -= u->value[p] * t;
    }
    for (uint32_t j = ldl->n; j-- > 0;) {
        double t = x[j] * u->d_inverse[j];

        for (uint32_t p = u->start[j]; p < u->start[j + 1]; p++) t -= u->value[p] * x[u->row[p]];
        x[j] = t;
    }
}

const ldl_engine mgc__ldl_uplooking = {.analyse = analyse, .factorise = factorise, .solve = solve,
                                       .destroy = destroy};
