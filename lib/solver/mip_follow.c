/* SPDX-License-Identifier: Apache-2.0 */
/* Continuous columns that follow integers: v_t >= u_t - u_{t-1} has nothing but integers beside v_t, so what a starting
 * unit costs is known as soon as the integers are.  Branching asks what a child costs there.
 * Method: doc/math/mixed-integer.md, section "Where to branch". */
#include "solver/mip.h"

enum { TIE_ENTRIES = 64 }; /* rows with more entries are no ties: to look at them would cost more than it tells */

/* A row that ties a follower: own * v + (integers) is within the row's sides.  Copied, for it holds when the program's rows
 * have become others. */
struct mgc__tie {
    uint32_t row, begin, end; /* its integers among those of all ties */
    double own, lower, upper;
};

void mgc__followers_free(mgc_ctx *ctx, mgc__followers *f)
{
    mgc__free(ctx, f->column);
    mgc__free(ctx, f->start);
    mgc__free(ctx, f->tie);
    mgc__free(ctx, f->net);
    mgc__free(ctx, f->integer);
    mgc__free(ctx, f->value);
    *f = (mgc__followers){0};
}

/* The only continuous column of a row with integers; UINT32_MAX: there is none, or there are several. */
static uint32_t tied_by(const mgc__mip *mip, uint32_t row, double *own)
{
    uint32_t found = UINT32_MAX, integers = 0;

    if (mip->row_start[row + 1] - mip->row_start[row] > TIE_ENTRIES) return UINT32_MAX;
    for (uint32_t k = mip->row_start[row]; k < mip->row_start[row + 1]; k++) {
        uint32_t j = mip->row_col[k];
        if (mip->row_val[k] == 0.0) continue;
        if (mip->integer[j]) {
            integers++;
            continue;
        }
        if (found != UINT32_MAX) return UINT32_MAX;
        found = j;
        *own = mip->row_val[k];
    }
    return integers > 0 ? found : UINT32_MAX;
}

/* Count the ties of each column into count (n), and of all together; *entries: of their rows. */
static size_t count_ties(const mgc__mip *mip, uint32_t *count, size_t *entries)
{
    size_t total = 0;
    double own;

    *entries = 0;
    for (uint32_t i = 0; i < mip->m; i++) {
        uint32_t j = tied_by(mip, i, &own);
        if (j == UINT32_MAX) continue;
        count[j]++;
        total++;
        *entries += mip->row_start[i + 1] - mip->row_start[i];
    }
    return total;
}

static mgc__tie make_tie(mgc__followers *f, const mgc__mip *mip, uint32_t row, uint32_t column, double own)
{
    mgc__tie tie = {.row = row, .begin = f->entries, .own = own, .lower = mip->row_lower[row], .upper = mip->row_upper[row]};

    for (uint32_t e = mip->row_start[row]; e < mip->row_start[row + 1]; e++) {
        if (mip->row_col[e] == column) continue;
        f->integer[f->entries] = mip->row_col[e];
        f->value[f->entries++] = mip->row_val[e];
    }
    tie.end = f->entries;
    return tie;
}

/* Lists from counts; place (n): where the next tie of a column goes. */
static void list_ties(mgc__followers *f, const mgc__mip *mip, uint32_t *place)
{
    uint32_t at = 0;
    double own;

    for (uint32_t j = 0; j < mip->n; j++) {
        uint32_t ties = place[j];
        place[j] = at;
        if (ties == 0) continue;
        f->column[f->n] = j;
        f->start[f->n++] = at;
        at += ties;
    }
    f->start[f->n] = at;
    for (uint32_t i = 0; i < mip->m; i++) {
        uint32_t j = tied_by(mip, i, &own);
        if (j != UINT32_MAX) f->tie[place[j]++] = make_tie(f, mip, i, j, own);
    }
}

mgc_status mgc__followers_init(mgc__followers *f, const mgc__mip *mip)
{
    *f = (mgc__followers){0};
    uint32_t *count = mgc__alloc(mip->ctx, mip->n, sizeof *count);
    if (count == NULL) return mgc__no_memory(mip->ctx, "columns that follow integers");
    size_t entries, ties = count_ties(mip, count, &entries), n = 0;
    for (uint32_t j = 0; j < mip->n; j++) n += count[j] > 0;
    f->column = mgc__alloc(mip->ctx, n, sizeof *f->column);
    f->start = mgc__alloc(mip->ctx, n + 1, sizeof *f->start);
    f->tie = mgc__alloc(mip->ctx, ties, sizeof *f->tie);
    f->net = mgc__alloc(mip->ctx, n, sizeof *f->net);
    f->integer = mgc__alloc(mip->ctx, entries, sizeof *f->integer);
    f->value = mgc__alloc(mip->ctx, entries, sizeof *f->value);
    bool ok = f->column != NULL && f->start != NULL && f->tie != NULL && f->net != NULL && f->integer != NULL &&
              f->value != NULL;
    if (ok) list_ties(f, mip, count);
    mgc__free(mip->ctx, count);
    return ok ? MGC_OK : mgc__no_memory(mip->ctx, "columns that follow integers");
}

uint32_t mgc__followers_row(const mgc__followers *f, uint32_t e)
{
    return f->tie[e].row;
}

void mgc__followers_weigh(mgc__followers *f, const mgc__mip *mip, const double *y)
{
    for (uint32_t k = 0; k < f->n; k++) {
        uint32_t j = f->column[k];
        double net = mip->c[j];
        for (uint32_t e = mip->a.start[j]; y != NULL && e < mip->a.start[j + 1]; e++)
            net -= mip->a.value[e] * y[mip->a.row[e]];
        for (uint32_t t = f->start[k]; y != NULL && t < f->start[k + 1]; t++) net += f->tie[t].own * y[f->tie[t].row];
        f->net[k] = net;
    }
}

/* Where follower k stands with the integers at x: as low as its ties let it where it costs, else as high. */
static double place_of(const mgc__followers *f, const mgc__mip *mip, uint32_t k, const double *x)
{
    uint32_t j = f->column[k];
    bool costs = f->net[k] > 0.0;
    double place = costs ? mip->box_lower[j] : mip->box_upper[j];

    for (uint32_t t = f->start[k]; t < f->start[k + 1]; t++) {
        const mgc__tie *tie = &f->tie[t];
        double side = (tie->own > 0.0) == costs ? tie->lower : tie->upper;
        if (!isfinite(side)) continue;
        for (uint32_t e = tie->begin; e < tie->end; e++) side -= f->value[e] * x[f->integer[e]];
        place = costs ? fmax(place, side / tie->own) : fmin(place, side / tie->own);
    }
    return isfinite(place) ? place : 0.0;
}

double mgc__followers_cost(const mgc__followers *f, const mgc__mip *mip, const double *x)
{
    double sum = 0.0;

    for (uint32_t k = 0; k < f->n; k++)
        if (f->net[k] != 0.0) sum += f->net[k] * place_of(f, mip, k, x);
    return sum;
}
