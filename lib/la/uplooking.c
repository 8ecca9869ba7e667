/* SPDX-License-Identifier: Apache-2.0 */
/* Row-by-row L D L' (Davis 2005, algorithm 849): row j of L solves L(0..j-1, 0..j-1) D l = K(0..j-1, j). */
#include "la/ldl_private.h"

#include <math.h>

typedef struct uplooking {
    uint32_t *start, *row;         /* L by columns */
    uint32_t *line_start;          /* rows of L: n + 1 */
    uint32_t *from, *at;           /* of each entry of a row, in topological order: its column and its place in `row` */
    double *value, *d, *d_inverse; /* d: pivots */
    double *y;                     /* dense row, zero between rows */
} uplooking;

enum { ROWS_BETWEEN_LOOKS = 1024 }; /* at the cancel flag */

static void destroy(mgc__ldl *ldl)
{
    uplooking *u = ldl->state;

    if (!u) return;
    mgc__free(ldl->ctx, u->start);
    mgc__free(ldl->ctx, u->row);
    mgc__free(ldl->ctx, u->value);
    mgc__free(ldl->ctx, u->d);
    mgc__free(ldl->ctx, u);
    ldl->state = NULL;
}

static mgc_status count_entries(mgc__ldl *ldl, uplooking *u, const uint32_t *count)
{
    uint64_t total = 0;

    ldl->info.operations = 0.0;
    for (uint32_t j = 0; j < ldl->n; j++) {
        total += count[j];
        ldl->info.operations += 0.5 * (double)count[j] * ((double)count[j] + 3.0);
        if (total > MGC__CSC_MAX)
            return mgc__fail(ldl->ctx, MGC_E_LIMIT, "la: the factor would have more than 2^31 - 1 entries");
        u->start[j + 1] = (uint32_t)total;
    }
    ldl->info.factor_nonzeros = total;
    u->row = mgc__alloc(ldl->ctx, 3 * (size_t)total, sizeof *u->row);
    u->value = mgc__alloc(ldl->ctx, total, sizeof *u->value);
    if (!u->row || !u->value) return mgc__no_memory(ldl->ctx, "a factorisation");
    u->from = u->row + total;
    u->at = u->from + total;
    return MGC_OK;
}

/* Row j of L: the paths from the entries of column j of K up the tree, each after those that it depends on.  work: 4 n, the
 * first n the tree. */
static void list_rows(const mgc__ldl *ldl, uplooking *u, uint32_t *work)
{
    const mgc__csc *k = &ldl->k;
    uint32_t n = ldl->n, line = 0, *parent = work, *pattern = parent + n, *path = pattern + n, *mark = path + n;

    for (uint32_t j = 0; j < n; j++) mark[j] = n;
    for (uint32_t j = 0; j < n; j++) {
        uint32_t top = n;

        mark[j] = j;
        for (uint32_t e = k->start[j]; e < k->start[j + 1]; e++) {
            uint32_t length = 0;

            for (uint32_t i = k->row[e]; mark[i] != j; i = parent[i]) {
                path[length++] = i;
                mark[i] = j;
            }
            while (length > 0) pattern[--top] = path[--length];
        }
        u->line_start[j] = line;
        for (; top < n; top++) u->from[line++] = pattern[top];
    }
    u->line_start[n] = line;
    memcpy(pattern, u->start, n * sizeof *pattern); /* where each column goes on */
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t t = u->line_start[j]; t < u->line_start[j + 1]; t++) {
            u->at[t] = pattern[u->from[t]]++;
            u->row[u->at[t]] = j;
        }
}

static mgc_status analyse(mgc__ldl *ldl)
{
    size_t n = ldl->n;
    uplooking *u = ldl->state = mgc__alloc(ldl->ctx, 1, sizeof *u);
    uint32_t *work = mgc__alloc(ldl->ctx, 4 * n, sizeof *work);
    mgc_status st = u && work ? MGC_OK : mgc__no_memory(ldl->ctx, "a factorisation");

    if (st == MGC_OK) {
        u->start = mgc__alloc(ldl->ctx, 2 * n + 2, sizeof *u->start);
        u->d = mgc__alloc(ldl->ctx, 3 * n, sizeof *u->d);
        if (!u->start || !u->d) st = mgc__no_memory(ldl->ctx, "a factorisation");
    }
    if (st == MGC_OK) {
        u->line_start = u->start + n + 1;
        u->d_inverse = u->d + n;
        u->y = u->d_inverse + n;
        mgc__etree(&ldl->k, work, work + n);
        mgc__column_counts(&ldl->k, work, work + n, work + 2 * n);
        st = count_entries(ldl, u, work + n);
    }
    if (st == MGC_OK) list_rows(ldl, u, work);
    mgc__free(ldl->ctx, work);
    return st;
}

static mgc_status factorise(mgc__ldl *ldl)
{
    uplooking *u = ldl->state;
    const mgc__csc *k = &ldl->k;
    double *y = u->y;

    for (uint32_t j = 0; j < ldl->n; j++) {
        uint32_t diagonal = k->start[j + 1] - 1;
        double d = k->value[diagonal], size = fabs(d);

        if (j % ROWS_BETWEEN_LOOKS == 0 && mgc_ctx_cancelled(ldl->ctx)) return MGC_E_STOPPED;
        d += ldl->shift[j];
        for (uint32_t e = k->start[j]; e < diagonal; e++) y[k->row[e]] = k->value[e];
        for (uint32_t t = u->line_start[j]; t < u->line_start[j + 1]; t++) {
            uint32_t i = u->from[t], end = u->at[t];
            double yi = y[i], lji = yi * u->d_inverse[i], term = lji * yi;

            y[i] = 0.0;
            for (uint32_t p = u->start[i]; p < end; p++) y[u->row[p]] -= u->value[p] * yi;
            d -= term;
            size += fabs(term);
            u->value[end] = lji;
        }
        u->d[j] = ldl_pivot(ldl, d, size, ldl->sign[j]);
        u->d_inverse[j] = 1.0 / u->d[j];
        if (!isfinite(d)) return mgc__fail(ldl->ctx, MGC_E_NUMERIC, "la: pivot %u of %u is not a finite number", j, ldl->n);
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
