/* SPDX-License-Identifier: Apache-2.0 */
/* All corners of the set of parameters, by the double description method (Motzkin, Raiffa, Thompson and Thrall 1953): a
 * simplex around the box is cut by one half-space after the other; a cut keeps the corners on its side and puts a new one
 * on each edge that it crosses.  Two corners have an edge where no third one lies on all the half-spaces that both touch
 * (Fukuda and Prodon 1996, proposition 7).  The limits cut first, so that a small budget never sees the box's 2^n corners. */
#include <math.h>

#include "robust/budget.h"

/* Coordinates are scaled to 0..1; a corner this near to a half-space's plane lies on it. */
static const double touching = 1e-9;

typedef struct hull {
    mgc_ctx *ctx;
    uint32_t n, words;   /* free parameters; words of a bit set */
    uint32_t *free_of;   /* n: their numbers */
    uint32_t limit;
    double *at, *next;   /* corners x n */
    uint64_t *on, *on_next; /* corners x words: half-spaces that the corner touches */
    double *slack;
    uint32_t count, planes;
    bool full;           /* more than the limit */
} hull;

static void free_hull(hull *h)
{
    mgc__free(h->ctx, h->free_of);
    mgc__free(h->ctx, h->at);
    mgc__free(h->ctx, h->next);
    mgc__free(h->ctx, h->on);
    mgc__free(h->ctx, h->on_next);
    mgc__free(h->ctx, h->slack);
}

static void mark(uint64_t *on, uint32_t plane)
{
    on[plane / 64] |= (uint64_t)1 << (plane % 64);
}

/* The simplex t >= 0, sum t <= n around the unit box. */
static mgc_status begin_hull(const mgc_budget *b, uint32_t limit, hull *h)
{
    size_t room = limit;

    *h = (hull){.ctx = b->ctx, .limit = limit};
    h->free_of = mgc__alloc(b->ctx, b->parameters, sizeof *h->free_of);
    if (h->free_of == NULL) return mgc__no_memory(b->ctx, "the corners of a set");
    for (uint32_t i = 0; i < b->parameters; i++)
        if (b->z_lower[i] < b->z_upper[i]) h->free_of[h->n++] = i;
    if (h->n + 1 > limit) {
        h->full = true;
        return MGC_OK;
    }
    h->words = (uint32_t)((2 * (size_t)h->n + 1 + 2 * b->n_limits + 63) / 64);
    h->at = mgc__alloc(b->ctx, room * h->n, sizeof *h->at);
    h->next = mgc__alloc(b->ctx, room * h->n, sizeof *h->next);
    h->on = mgc__alloc(b->ctx, room * h->words, sizeof *h->on);
    h->on_next = mgc__alloc(b->ctx, room * h->words, sizeof *h->on_next);
    h->slack = mgc__alloc(b->ctx, room, sizeof *h->slack);
    if (h->at == NULL || h->next == NULL || h->on == NULL || h->on_next == NULL || h->slack == NULL)
        return mgc__no_memory(b->ctx, "the corners of a set");
    h->count = h->n + 1;
    h->planes = h->n + 1;
    for (uint32_t c = 0; c < h->count; c++) { /* corner 0 is the origin, corner c has t_(c-1) = n */
        if (c > 0) h->at[c * (size_t)h->n + c - 1] = h->n;
        for (uint32_t i = 0; i < h->n; i++)
            if (i + 1 != c) mark(h->on + c * (size_t)h->words, i);
        if (c > 0) mark(h->on + c * (size_t)h->words, h->n);
    }
    return MGC_OK;
}

static bool have_edge(const hull *h, uint32_t a, uint32_t b)
{
    const uint64_t *x = h->on + a * (size_t)h->words, *y = h->on + b * (size_t)h->words;
    uint32_t common = 0;

    for (uint32_t w = 0; w < h->words; w++) common += (uint32_t)__builtin_popcountll(x[w] & y[w]);
    if (common + 1 < h->n) return false;
    for (uint32_t c = 0; c < h->count; c++) {
        const uint64_t *z = h->on + c * (size_t)h->words;
        bool all = c != a && c != b;
        for (uint32_t w = 0; w < h->words && all; w++) all = (x[w] & y[w] & ~z[w]) == 0;
        if (all) return false;
    }
    return true;
}

static bool put(hull *h, uint32_t *count, const double *at, const uint64_t *on, bool touches)
{
    if (*count >= h->limit) {
        h->full = true;
        return false;
    }
    memcpy(h->next + *count * (size_t)h->n, at, h->n * sizeof *at);
    memcpy(h->on_next + *count * (size_t)h->words, on, h->words * sizeof *on);
    if (touches) mark(h->on_next + *count * (size_t)h->words, h->planes);
    ++*count;
    return true;
}

/* The new corner on the edge from a, inside, to b, outside. */
static bool put_between(hull *h, uint32_t *count, uint32_t a, uint32_t b)
{
    double share = h->slack[a] / (h->slack[a] - h->slack[b]);
    double *to = h->next + *count * (size_t)h->n;
    uint64_t *on = h->on_next + *count * (size_t)h->words;

    if (*count >= h->limit) {
        h->full = true;
        return false;
    }
    for (uint32_t i = 0; i < h->n; i++)
        to[i] = h->at[a * (size_t)h->n + i] + share * (h->at[b * (size_t)h->n + i] - h->at[a * (size_t)h->n + i]);
    for (uint32_t w = 0; w < h->words; w++) on[w] = h->on[a * (size_t)h->words + w] & h->on[b * (size_t)h->words + w];
    mark(on, h->planes);
    ++*count;
    return true;
}

/* Keep what satisfies row't <= side. */
static void cut(hull *h, const double *row, double side)
{
    double scale = fabs(side);
    uint32_t count = 0;

    for (uint32_t i = 0; i < h->n; i++) scale = fmax(scale, fabs(row[i]));
    for (uint32_t c = 0; c < h->count; c++) {
        h->slack[c] = side;
        for (uint32_t i = 0; i < h->n; i++) h->slack[c] -= row[i] * h->at[c * (size_t)h->n + i];
        if (fabs(h->slack[c]) <= touching * scale) h->slack[c] = 0;
    }
    for (uint32_t c = 0; c < h->count && !h->full; c++)
        if (h->slack[c] >= 0)
            put(h, &count, h->at + c * (size_t)h->n, h->on + c * (size_t)h->words, h->slack[c] == 0);
    for (uint32_t a = 0; a < h->count && !h->full; a++)
        for (uint32_t b = 0; b < h->count && h->slack[a] > 0 && !h->full; b++)
            if (h->slack[b] < 0 && have_edge(h, a, b)) put_between(h, &count, a, b);
    double *at = h->at;
    uint64_t *on = h->on;
    h->at = h->next;
    h->on = h->on_next;
    h->next = at;
    h->on_next = on;
    h->count = count;
    h->planes++;
}

/* lower <= sum values z <= upper, in scaled coordinates. */
static void cut_limit(const mgc_budget *b, const mgc__budget_limit *l, hull *h, double *row, double *whole)
{
    double fixed = 0;

    for (uint32_t i = 0; i < b->parameters; i++) whole[i] = 0;
    for (size_t e = l->start; e < l->start + l->n; e++) whole[b->limit_parameter[e]] += b->limit_value[e];
    for (uint32_t i = 0; i < b->parameters; i++) fixed += whole[i] * b->z_lower[i];
    for (uint32_t i = 0; i < h->n; i++)
        row[i] = whole[h->free_of[i]] * (b->z_upper[h->free_of[i]] - b->z_lower[h->free_of[i]]);
    if (isfinite(l->upper) && !h->full) cut(h, row, l->upper - fixed);
    for (uint32_t i = 0; i < h->n; i++) row[i] = -row[i];
    if (isfinite(l->lower) && !h->full) cut(h, row, fixed - l->lower);
}

static mgc_status cut_all(const mgc_budget *b, hull *h)
{
    double *row = mgc__alloc(b->ctx, (size_t)b->parameters * 2, sizeof *row);

    if (row == NULL) return mgc__no_memory(b->ctx, "the corners of a set");
    for (size_t l = 0; l < b->n_limits && !h->full; l++) cut_limit(b, &b->limits[l], h, row, row + b->parameters);
    for (uint32_t i = 0; i < h->n && !h->full; i++) {
        for (uint32_t k = 0; k < h->n; k++) row[k] = k == i;
        cut(h, row, 1);
    }
    mgc__free(b->ctx, row);
    return MGC_OK;
}

static mgc_status write_corners(const mgc_budget *b, const hull *h, mgc__corners *out)
{
    out->z = mgc__alloc(b->ctx, (size_t)h->count * b->parameters, sizeof *out->z);
    if (out->z == NULL) return mgc__no_memory(b->ctx, "the corners of a set");
    out->n = h->count;
    out->all = true;
    for (uint32_t c = 0; c < h->count; c++) {
        double *z = out->z + c * (size_t)b->parameters;
        for (uint32_t i = 0; i < b->parameters; i++) z[i] = b->z_lower[i];
        for (uint32_t i = 0; i < h->n; i++) {
            double t = h->at[c * (size_t)h->n + i];
            uint32_t p = h->free_of[i];
            z[p] = t >= 1 ? b->z_upper[p] : t <= 0 ? b->z_lower[p] : b->z_lower[p] + t * (b->z_upper[p] - b->z_lower[p]);
        }
    }
    return MGC_OK;
}

mgc_status mgc__budget_corners(const mgc_budget *b, uint32_t limit, mgc__corners *out)
{
    hull h;

    *out = (mgc__corners){.z = NULL};
    mgc_status st = begin_hull(b, limit, &h);
    if (st == MGC_OK) st = cut_all(b, &h);
    if (st == MGC_OK && !h.full) st = write_corners(b, &h, out);
    free_hull(&h);
    return st;
}
