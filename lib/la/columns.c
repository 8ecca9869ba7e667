/* SPDX-License-Identifier: Apache-2.0 */
/* L D L' by single columns, left-looking (George and Liu 1981): for factors that are too sparse for panels.
 *
 * What earlier columns subtract from one is planned at analysis: columns of the same pattern from there on are applied together,
 * up to four, so that each row is loaded and stored once for all of them.  In solves, columns that follow one another with as
 * many entries are a run, whose loops are of constant length where entries are few. */
#include "la/lanes.h"
#include "la/ldl_private.h"

#include <math.h>

enum { TOGETHER_MOST = 4 };            /* columns that are applied at once */
enum { COLUMNS_BETWEEN_LOOKS = 1024 }; /* at the cancel flag */

typedef struct columns {
    uint32_t *start, *row;         /* L by columns */
    uint32_t *place;               /* of each entry of ldl->k off its diagonal, in `value` */
    uint32_t *line, *group;        /* row j of L: groups from line[j] to below line[j + 1]; each entries from group[g] to below group[g + 1] */
    uint32_t *from, *at;           /* of each of these its column, and its place in `row` */
    uint32_t runs, *run;           /* columns of as many entries that follow one another: runs + 1, the last n */
    double *value, *d, *d_inverse; /* d: pivots */
    double *w;                     /* a dense column */
} columns;

static void destroy(mgc__ldl *ldl)
{
    columns *c = ldl->state;

    if (!c) return;
    mgc__free(ldl->ctx, c->start);
    mgc__free(ldl->ctx, c->row);
    mgc__free(ldl->ctx, c->value);
    mgc__free(ldl->ctx, c->d);
    mgc__free(ldl->ctx, c);
    ldl->state = NULL;
}

/* --- analysis -------------------------------------------------------------------------------------------------- */

static mgc_status count_entries(mgc__ldl *ldl, columns *c, const uint32_t *count)
{
    size_t n = ldl->n;
    uint64_t total = 0;

    ldl->info.operations = 0.0;
    for (uint32_t j = 0; j < n; j++) {
        total += count[j];
        ldl->info.operations += 0.5 * (double)count[j] * ((double)count[j] + 3.0);
        if (total > MGC__CSC_MAX)
            return mgc__fail(ldl->ctx, MGC_E_LIMIT, "la: the factor would have more than 2^31 - 1 entries");
        c->start[j + 1] = (uint32_t)total;
        if (j == 0 || count[j] != count[j - 1]) c->run[c->runs++] = j;
    }
    c->run[c->runs] = ldl->n;
    ldl->info.factor_nonzeros = total;
    c->row = mgc__alloc(ldl->ctx, 4 * (size_t)total + 1 + ldl->k.start[n], sizeof *c->row);
    c->value = mgc__alloc(ldl->ctx, total, sizeof *c->value);
    if (!c->row || !c->value) return mgc__no_memory(ldl->ctx, "a factorisation");
    c->from = c->row + total;
    c->at = c->from + total;
    c->group = c->at + total;
    c->place = c->group + total + 1;
    return MGC_OK;
}

/* Rows of L, each the paths from the entries of a column of K up the tree (Davis 2006, 4.1): the columns of a path lie side by side
 * in it, for it is among them that tails are the same.  work: 3 n, the first n the tree. */
static void list_rows(const mgc__ldl *ldl, columns *c, uint32_t *work)
{
    const mgc__csc *k = &ldl->k;
    uint32_t n = ldl->n, entry = 0, *parent = work, *mark = parent + n, *next = mark + n;

    for (uint32_t j = 0; j < n; j++) mark[j] = n;
    memcpy(next, c->start, n * sizeof *next);
    for (uint32_t j = 0; j < n; j++) {
        mark[j] = j;
        c->line[j] = entry;
        for (uint32_t e = k->start[j]; e < k->start[j + 1] - 1; e++) {
            for (uint32_t i = k->row[e]; mark[i] != j; i = parent[i]) {
                mark[i] = j;
                c->from[entry] = i;
                c->at[entry++] = next[i];
                c->row[next[i]++] = j;
            }
            c->place[e] = next[k->row[e]] - 1;
        }
    }
    c->line[n] = entry;
}

/* Have the columns of two entries of a row the same rows from there on? */
static bool same_tail(const columns *c, uint32_t a, uint32_t b)
{
    uint32_t length = c->start[c->from[a] + 1] - c->at[a];

    return c->start[c->from[b] + 1] - c->at[b] == length &&
           memcmp(c->row + c->at[a], c->row + c->at[b], length * sizeof *c->row) == 0;
}

static void group_rows(const mgc__ldl *ldl, columns *c)
{
    uint32_t groups = 0;

    for (uint32_t j = 0; j < ldl->n; j++) {
        uint32_t entry = c->line[j], end = c->line[j + 1];

        c->line[j] = groups;
        while (entry < end) {
            uint32_t first = entry;

            c->group[groups++] = first;
            while (++entry < end && entry - first < TOGETHER_MOST && same_tail(c, first, entry)) continue;
        }
    }
    c->group[groups] = c->line[ldl->n];
    c->line[ldl->n] = groups;
}

static mgc_status analyse(mgc__ldl *ldl)
{
    size_t n = ldl->n;
    columns *c = ldl->state = mgc__alloc(ldl->ctx, 1, sizeof *c);
    uint32_t *work = mgc__alloc(ldl->ctx, 3 * n, sizeof *work);
    mgc_status st = c && work ? MGC_OK : mgc__no_memory(ldl->ctx, "a factorisation");

    if (st == MGC_OK) {
        c->start = mgc__alloc(ldl->ctx, 3 * n + 3, sizeof *c->start);
        c->d = mgc__alloc(ldl->ctx, 3 * n, sizeof *c->d);
        if (!c->start || !c->d) st = mgc__no_memory(ldl->ctx, "a factorisation");
    }
    if (st == MGC_OK) {
        c->line = c->start + n + 1;
        c->run = c->line + n + 1;
        c->d_inverse = c->d + n;
        c->w = c->d_inverse + n;
        mgc__etree(&ldl->k, work, work + n);
        mgc__column_counts(&ldl->k, work, work + n, work + 2 * n);
        st = count_entries(ldl, c, work + n);
    }
    if (st == MGC_OK) {
        list_rows(ldl, c, work);
        group_rows(ldl, c);
    }
    mgc__free(ldl->ctx, work);
    return st;
}

/* --- factorisation --------------------------------------------------------------------------------------------- */

/* A pivot, and the magnitudes of what it was summed from. */
typedef struct pivot {
    double d, size;
} pivot;

/* What a group of `width` columns, a constant, subtracts from column j: from its pivot, and from the dense column below. */
ALWAYS_INLINE void subtract_group(const columns *c, uint32_t first, uint32_t width, pivot *p, double *w)
{
    const uint32_t *from = c->from + first, *at = c->at + first, *row = c->row + at[0];
    uint32_t length = c->start[from[0] + 1] - at[0];
    const double *l[TOGETHER_MOST];
    double t[TOGETHER_MOST];

    UNROLLED
    for (uint32_t k = 0; k < width; k++) {
        double term;

        l[k] = c->value + at[k];
        t[k] = l[k][0] * c->d[from[k]];
        term = l[k][0] * t[k];
        p->d -= term;
        p->size += fabs(term);
    }
    for (uint32_t q = 1; q < length; q++) {
        double s = w[row[q]];

        UNROLLED
        for (uint32_t k = 0; k < width; k++) s -= l[k][q] * t[k];
        w[row[q]] = s;
    }
}

static mgc_status factorise(mgc__ldl *ldl)
{
    columns *c = ldl->state;
    const mgc__csc *k = &ldl->k;
    const uint32_t *row = c->row;
    double *value = c->value, *w = c->w;

    memset(value, 0, c->start[ldl->n] * sizeof *value);
    for (uint32_t j = 0; j < ldl->n; j++)
        for (uint32_t e = k->start[j]; e < k->start[j + 1] - 1; e++) value[c->place[e]] = k->value[e];
    for (uint32_t j = 0; j < ldl->n; j++) {
        uint32_t begin = c->start[j], end = c->start[j + 1];
        double diagonal = k->value[k->start[j + 1] - 1], inverse;
        pivot p = {diagonal + ldl->shift[j], fabs(diagonal)};

        if (j % COLUMNS_BETWEEN_LOOKS == 0 && mgc_ctx_cancelled(ldl->ctx)) return MGC_E_STOPPED;
        for (uint32_t e = begin; e < end; e++) w[row[e]] = value[e];
        for (uint32_t g = c->line[j]; g < c->line[j + 1]; g++) {
            uint32_t first = c->group[g];

            switch (c->group[g + 1] - first) {
            case 1: subtract_group(c, first, 1, &p, w); break;
            case 2: subtract_group(c, first, 2, &p, w); break;
            case 3: subtract_group(c, first, 3, &p, w); break;
            default: subtract_group(c, first, TOGETHER_MOST, &p, w);
            }
        }
        c->d[j] = ldl_pivot(ldl, p.d, p.size, ldl->sign[j]);
        c->d_inverse[j] = inverse = 1.0 / c->d[j];
        if (!isfinite(p.d)) return mgc__fail(ldl->ctx, MGC_E_NUMERIC, "la: pivot %u of %u is not a finite number", j, ldl->n);
        for (uint32_t e = begin; e < end; e++) value[e] = w[row[e]] * inverse;
    }
    return MGC_OK;
}

/* --- solving --------------------------------------------------------------------------------------------------- */

/* L^-1 x of the columns of a run. */
ALWAYS_INLINE void forward_run(const uint32_t *row, const double *value, uint32_t run, uint32_t count, const double *t, double *x)
{
    for (uint32_t j = 0; j < run; j++, row += count, value += count) {
        double s = t[j];

        for (uint32_t p = 0; p < count; p++) x[row[p]] -= value[p] * s;
    }
}

/* L'^-1 D^-1 x; row, value, inverse and t point behind the last of the run. */
ALWAYS_INLINE void backward_run(const uint32_t *row, const double *value, uint32_t run, uint32_t count, const double *inverse,
                                double *t, const double *x)
{
    while (run-- > 0) {
        double even = *--t * *--inverse, odd = 0.0;

        row -= count;
        value -= count;
        for (uint32_t p = 0; p + 1 < count; p += 2) {
            even -= value[p] * x[row[p]];
            odd -= value[p + 1] * x[row[p + 1]];
        }
        if (count % 2 == 1) even -= value[count - 1] * x[row[count - 1]];
        *t = even + odd;
    }
}

/* task(count), count being a constant where entries are few. */
#define BY_COUNT(task, count) \
    switch (count) {          \
    case 0: task(0); break;   \
    case 1: task(1); break;   \
    case 2: task(2); break;   \
    case 3: task(3); break;   \
    case 4: task(4); break;   \
    case 5: task(5); break;   \
    default: task(count);     \
    }

static void solve(mgc__ldl *ldl, double *x)
{
    const columns *c = ldl->state;

    for (uint32_t r = 0; r < c->runs; r++) {
        uint32_t j = c->run[r], run = c->run[r + 1] - j, at = c->start[j], count = c->start[j + 1] - at;

#define FORWARD(n) forward_run(c->row + at, c->value + at, run, n, x + j, x)
        BY_COUNT(FORWARD, count)
    }
    for (uint32_t r = c->runs; r-- > 0;) {
        uint32_t j = c->run[r + 1], run = j - c->run[r], at = c->start[j], count = at - c->start[j - 1];

#define BACKWARD(n) backward_run(c->row + at, c->value + at, run, n, c->d_inverse + j, x + j, x)
        BY_COUNT(BACKWARD, count)
    }
}

const ldl_engine mgc__ldl_columns = {.analyse = analyse, .factorise = factorise, .solve = solve, .destroy = destroy};
