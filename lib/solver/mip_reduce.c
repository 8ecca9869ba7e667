/* SPDX-License-Identifier: Apache-2.0 */
/* The program that is left where columns are fixed: doc/math/mixed-integer.md, section "Restarts". */
#include "solver/mip.h"

/* Relative to a row's terms, or a column's range: a row that is missed by less counts as met. */
#define MET 1e-9
enum { PASSES = 4 }; /* a row that becomes a bound may decide others */

/* A row within the bounds of the relaxation. */
struct part {
    double fixed;       /* sum of the columns that are */
    double low, high;   /* of the others; infinite where they are */
    double size;        /* of all terms, the fixed and those of finite bounds */
    uint32_t open, one; /* how many are not fixed; the last of them, as an entry */
};

static struct part look_at(const mgc__mip *mip, uint32_t row)
{
    struct part p = {.fixed = 0.0};

    for (uint32_t k = mip->row_start[row]; k < mip->row_start[row + 1]; k++) {
        double v = mip->row_val[k];
        uint32_t j = mip->row_col[k];
        double at_lower = v * mip->lower[j], at_upper = v * mip->upper[j];
        if (isfinite(at_lower)) p.size += fabs(at_lower);
        if (isfinite(at_upper)) p.size += fabs(at_upper);
        if (mip->lower[j] == mip->upper[j]) {
            p.fixed += at_lower;
            continue;
        }
        p.low += v > 0 ? at_lower : at_upper;
        p.high += v > 0 ? at_upper : at_lower;
        p.open++;
        p.one = k;
    }
    return p;
}

/* Whether no point within the bounds violates the row. */
static bool is_met(const mgc__mip *mip, uint32_t row, const struct part *p)
{
    double room = MET * (p->open > 0 ? p->size : 1.0 + p->size); /* tiny units are units, as long as something can move */

    return p->fixed + p->low >= mip->row_lower[row] - room && p->fixed + p->high <= mip->row_upper[row] + room;
}

/* A row of one continuous column as bounds of it.  false: they would leave no room, and the row stays. */
static bool make_bound(mgc__mip *mip, uint32_t row, const struct part *p)
{
    double v = mip->row_val[p->one], low = (mip->row_lower[row] - p->fixed) / v, high = (mip->row_upper[row] - p->fixed) / v;
    uint32_t j = mip->row_col[p->one];

    if (mip->integer[j]) return false; /* propagation has rounded it already */
    double lower = fmax(mip->lower[j], fmin(low, high)), upper = fmin(mip->upper[j], fmax(low, high));
    if (lower > upper) {
        if (lower - upper > MET * fmin(mip->upper[j] - mip->lower[j], 1.0 + fabs(lower))) return false;
        lower = upper = upper == mip->upper[j] ? upper : lower; /* the column's own bound is exact */
    }
    mip->lower[j] = lower;
    mip->upper[j] = upper;
    return true;
}

/* Which rows are left: gone[i] is set for the others. */
static void take_out(mgc__mip *mip, uint8_t *gone)
{
    bool changed = true;

    for (int pass = 0; pass < PASSES && changed; pass++) {
        changed = false;
        for (uint32_t i = 0; i < mip->m; i++) {
            if (gone[i]) continue;
            struct part p = look_at(mip, i);
            if (is_met(mip, i, &p)) gone[i] = 1;
            else if (p.open == 1 && make_bound(mip, i, &p)) gone[i] = changed = true;
        }
    }
}

/* Open columns alone, fixed ones on the other side. */
static mgc_status set_rows(mgc__mip *mip, const uint8_t *gone)
{
    mgc_ctx *ctx = mip->ctx;
    size_t nnz = mip->row_start[mip->m];
    uint32_t *start = mgc__alloc(ctx, (size_t)mip->m + 1, sizeof *start), *col = mgc__alloc(ctx, nnz, sizeof *col), m = 0, at = 0;
    double *val = mgc__alloc(ctx, nnz, sizeof *val), *side = mgc__alloc(ctx, 2 * (size_t)mip->m, sizeof *side);
    bool ok = start != NULL && col != NULL && val != NULL && side != NULL;

    for (uint32_t i = 0; ok && i < mip->m; i++) {
        if (gone[i]) continue;
        double fixed = look_at(mip, i).fixed;
        for (uint32_t k = mip->row_start[i]; k < mip->row_start[i + 1]; k++) {
            uint32_t j = mip->row_col[k];
            if (mip->lower[j] == mip->upper[j]) continue;
            col[at] = j;
            val[at++] = mip->row_val[k];
        }
        side[m] = mip->row_lower[i] - fixed;
        side[mip->m + m] = mip->row_upper[i] - fixed;
        start[++m] = at;
    }
    mgc_status st = ok ? mgc__mip_set_rows(mip, m, start, col, val, side, side + mip->m) : mgc__no_memory(ctx, "fewer rows");
    mgc__free(ctx, start);
    mgc__free(ctx, col);
    mgc__free(ctx, val);
    mgc__free(ctx, side);
    return st;
}

mgc_status mgc__mip_reduce(mgc__mip *mip, const mgc__domain *d)
{
    uint8_t *gone = mgc__alloc(mip->ctx, mip->m, sizeof *gone);
    double value;

    if (gone == NULL) return mgc__no_memory(mip->ctx, "fewer rows");
    for (uint32_t j = 0; j < mip->n; j++) {
        if (mip->integer[j]) {
            mip->lower[j] = d->lower[j];
            mip->upper[j] = d->upper[j];
        } else if (mgc__mip_met(mip, j, d->lower[j], d->upper[j], &value)) {
            mip->lower[j] = mip->upper[j] = value;
        }
    }
    take_out(mip, gone);
    for (uint32_t j = 0; j < mip->n; j++) {
        mip->box_lower[j] = fmin(fmax(d->lower[j], mip->lower[j]), mip->upper[j]);
        mip->box_upper[j] = fmax(fmin(d->upper[j], mip->upper[j]), mip->lower[j]);
    }
    mgc_status st = set_rows(mip, gone);
    mgc__free(mip->ctx, gone);
    return st;
}
