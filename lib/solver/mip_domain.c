/* SPDX-License-Identifier: Apache-2.0 */
/* Bound propagation over rows (Savelsbergh 1994, section 1; Achterberg 2007, section 7.1). */
#include <float.h>

#include "solver/mip.h"

/* A continuous bound moves only where it gains this part of the present range: cycles of rows would converge for
 * ever (Achterberg 2007, section 7.1.1 asks for the same). */
#define WORTH 0.05
/* Rows visited in one propagation, per row of the program. Chosen; chains of 96 periods need 3. */
enum { VISITS = 20 };

mgc_status mgc__domain_init(mgc__domain *d, mgc__mip *mip)
{
    *d = (mgc__domain){.mip = mip};
    d->lower = mgc__alloc(mip->ctx, mip->n, sizeof *d->lower);
    d->upper = mgc__alloc(mip->ctx, mip->n, sizeof *d->upper);
    d->queue = mgc__alloc(mip->ctx, mip->m, sizeof *d->queue);
    d->queued = mgc__alloc(mip->ctx, mip->m, sizeof *d->queued);
    d->range = mgc__alloc(mip->ctx, mip->m, sizeof *d->range);
    bool ok = d->lower != NULL && d->upper != NULL && d->range != NULL && d->queue != NULL && d->queued != NULL;
    return ok ? MGC_OK : mgc__no_memory(mip->ctx, "bounds of branch and bound");
}

void mgc__domain_free(mgc__domain *d)
{
    if (d->mip == NULL) return;
    mgc__free(d->mip->ctx, d->lower);
    mgc__free(d->mip->ctx, d->upper);
    mgc__free(d->mip->ctx, d->range);
    mgc__free(d->mip->ctx, d->queue);
    mgc__free(d->mip->ctx, d->queued);
    mgc__free(d->mip->ctx, d->trail);
}

static void drop_queue(mgc__domain *d)
{
    while (d->waiting > 0) {
        d->queued[d->queue[d->head]] = 0;
        d->head = d->head + 1 == d->mip->m ? 0 : d->head + 1;
        d->waiting--;
    }
}

/* --- what rows can be ------------------------------------------------------------------------ */

/* What a column needs of its row's room so that its bounds stay as they are: v times its range, less a part of what
 * imply() allows (MIP_INTEGRAL and 1e-7, in units of the column). */
static double reach_of(double v, double lower, double upper)
{
    double room = upper - lower - 0.5e-7;

    return lower < upper ? fabs(v) * (room > 0.0 ? room : 0.0) : -INFINITY;
}

static struct mgc__range range_of(const mgc__domain *d, uint32_t row)
{
    const mgc__mip *mip = d->mip;
    struct mgc__range s = {.reach = -0.5 * MIP_CROSSED}; /* the sides themselves may be missed by MIP_CROSSED */
    double size = 0.0;

    for (uint32_t k = mip->row_start[row]; k < mip->row_start[row + 1]; k++) {
        double v = mip->row_val[k];
        uint32_t j = mip->row_col[k];
        double small = v * (v > 0 ? d->lower[j] : d->upper[j]), large = v * (v > 0 ? d->upper[j] : d->lower[j]);
        if (isfinite(small)) s.low += small, size += fabs(small);
        else s.low_infinite++;
        if (isfinite(large)) s.high += large, size += fabs(large);
        else s.high_infinite++;
        double needs = reach_of(v, d->lower[j], d->upper[j]);
        s.reach = needs > s.reach ? needs : s.reach;
    }
    s.error = 2.0 * DBL_EPSILON * (mip->row_start[row + 1] - mip->row_start[row]) * size;
    return s;
}

/* Each addition errs by half a unit in the last place of what it gives; the other half is for the reader of the row. */
static void move_term(double *sum, uint32_t *infinite, double *error, double before, double now)
{
    if (isfinite(before)) *sum -= before;
    else --*infinite;
    *error += DBL_EPSILON * fabs(*sum);
    if (isfinite(now)) *sum += now;
    else ++*infinite;
    *error += DBL_EPSILON * fabs(*sum);
}

/* New bounds of column j, and what they mean to the ranges of its rows. */
static void move_bounds(mgc__domain *d, uint32_t j, double lower, double upper)
{
    const mgc__csc *a = &d->mip->a;
    double old_lower = d->lower[j], old_upper = d->upper[j];

    for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) {
        struct mgc__range *r = &d->range[a->row[k]];
        double v = a->value[k], before_low = v * (v > 0 ? old_lower : old_upper);
        double before_high = v * (v > 0 ? old_upper : old_lower);
        move_term(&r->low, &r->low_infinite, &r->error, before_low, v * (v > 0 ? lower : upper));
        move_term(&r->high, &r->high_infinite, &r->error, before_high, v * (v > 0 ? upper : lower));
        if (lower < old_lower || upper > old_upper) r->reach = fmax(r->reach, reach_of(v, lower, upper));
    }
    d->lower[j] = lower;
    d->upper[j] = upper;
}

void mgc__domain_reset(mgc__domain *d)
{
    memcpy(d->lower, d->mip->box_lower, d->mip->n * sizeof *d->lower);
    memcpy(d->upper, d->mip->box_upper, d->mip->n * sizeof *d->upper);
    for (uint32_t i = 0; i < d->mip->m; i++) d->range[i] = range_of(d, i);
    d->n_trail = 0;
    drop_queue(d);
}

/* --- changes --------------------------------------------------------------------------------- */

static void enqueue(mgc__domain *d, uint32_t row)
{
    if (d->queued[row]) return;
    size_t at = d->head + d->waiting;
    d->queue[at >= d->mip->m ? at - d->mip->m : at] = row;
    d->queued[row] = 1;
    d->waiting++;
}

static void remember(mgc__domain *d, uint32_t j)
{
    void *trail = d->trail;

    if (!mgc__grow(d->mip->ctx, &trail, &d->trail_cap, d->n_trail + 1, sizeof *d->trail)) d->no_memory = true;
    else
        ((struct mgc__change *)trail)[d->n_trail++] =
            (struct mgc__change){.column = j, .lower = d->lower[j], .upper = d->upper[j]};
    d->trail = trail;
}

bool mgc__domain_set(mgc__domain *d, uint32_t j, double lower, double upper)
{
    const mgc__csc *a = &d->mip->a;

    lower = fmax(lower, d->lower[j]);
    upper = fmin(upper, d->upper[j]);
    if (lower == d->lower[j] && upper == d->upper[j]) return true;
    if (lower > upper) {
        if (lower > upper + MIP_CROSSED * (1.0 + fabs(lower)) || d->mip->integer[j]) return false;
        lower = upper = fmin(fmax(0.5 * (lower + upper), d->lower[j]), d->upper[j]);
    }
    remember(d, j);
    move_bounds(d, j, lower, upper);
    for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) enqueue(d, a->row[k]);
    return true;
}

void mgc__domain_undo(mgc__domain *d, size_t mark)
{
    drop_queue(d);
    while (d->n_trail > mark) {
        const struct mgc__change *c = &d->trail[--d->n_trail];
        move_bounds(d, c->column, c->lower, c->upper);
    }
}

void mgc__domain_activity(const mgc__domain *d, uint32_t row, double *low, double *high)
{
    struct mgc__range s = range_of(d, row);

    *low = s.low_infinite > 0 ? -INFINITY : s.low;
    *high = s.high_infinite > 0 ? INFINITY : s.high;
}

/* A bound that a row implies for column j.  Rounded inwards for integers, with a margin outwards else. */
static bool imply(mgc__domain *d, uint32_t j, double bound, bool is_upper)
{
    double lower = d->lower[j], upper = d->upper[j], old = is_upper ? upper : lower;

    if (d->mip->integer[j]) {
        bound = is_upper ? floor(bound + MIP_INTEGRAL) : ceil(bound - MIP_INTEGRAL);
        if (is_upper ? bound >= upper : bound <= lower) return true;
    } else {
        bound += (is_upper ? 1e-9 : -1e-9) * (1.0 + fabs(bound));
        double gain = is_upper ? upper - bound : bound - lower;
        if (!(gain > 0.0)) return true;
        bool crosses = is_upper ? bound < lower : bound > upper;
        if (!crosses && isfinite(old) && gain < WORTH * (isfinite(upper - lower) ? upper - lower : fabs(old)) + 1e-7)
            return true;
        if (fabs(bound) > 1e9) return true; /* as good as none */
    }
    return is_upper ? mgc__domain_set(d, j, -INFINITY, bound) : mgc__domain_set(d, j, bound, INFINITY);
}

/* What one side of a row implies: sum <= side (or >= with sign -1, everything mirrored). */
static bool imply_side(mgc__domain *d, uint32_t row, double sum, uint32_t infinite, double side, double sign)
{
    const mgc__mip *mip = d->mip;

    for (uint32_t k = mip->row_start[row]; k < mip->row_start[row + 1]; k++) {
        double v = sign * mip->row_val[k];
        uint32_t j = mip->row_col[k];
        if (d->lower[j] == d->upper[j]) continue;
        double own = v * (v > 0 ? d->lower[j] : d->upper[j]);
        bool is_infinite = !isfinite(own);
        if (infinite > (is_infinite ? 1u : 0u)) continue;
        if (infinite == 0 && reach_of(v, d->lower[j], d->upper[j]) <= side - sum) continue; /* it has the room it needs */
        double rest = is_infinite ? sum : sum - own;
        double bound = (side - rest) / v;
        if (!isfinite(bound)) continue;
        if (!imply(d, j, bound, v > 0)) return false;
        if (!is_infinite) { /* a bound of the other side may have moved the own term by equality */
            double now = v * (v > 0 ? d->lower[j] : d->upper[j]);
            sum += now - own;
        }
    }
    return true;
}

/* Whether one side of a row says nothing: the sum stays below it anyway, or leaves every column the room it has.
 * least, most: the row's range, mirrored for the lower side. */
static bool is_idle(double least, uint32_t least_infinite, double most, uint32_t most_infinite, double side,
                    double reach, double error)
{
    if (side == INFINITY || least_infinite > 1 || (most_infinite == 0 && most + error <= side)) return true;
    return least_infinite == 0 && side - least - error >= reach;
}

/* Most visits find nothing, and rows of many columns are visited by each of them: what is known of the range decides
 * that without a look at the row. */
static bool says_nothing(const mgc__domain *d, uint32_t row)
{
    const struct mgc__range *r = &d->range[row];
    double lower = d->mip->row_lower[row], upper = d->mip->row_upper[row];

    return is_idle(r->low, r->low_infinite, r->high, r->high_infinite, upper, r->reach, r->error) &&
           is_idle(-r->high, r->high_infinite, -r->low, r->low_infinite, -lower, r->reach, r->error);
}

static bool propagate_row(mgc__domain *d, uint32_t row)
{
    mgc__mip *mip = d->mip;
    double lower = mip->row_lower[row], upper = mip->row_upper[row];

    if (says_nothing(d, row)) return true;
    mip->work += mip->row_start[row + 1] - mip->row_start[row];
    struct mgc__range s = d->range[row] = range_of(d, row);
    double slack = MIP_CROSSED * (1.0 + fmax(isfinite(lower) ? fabs(lower) : 0.0, isfinite(upper) ? fabs(upper) : 0.0));

    slack += 1e-9 * (fabs(s.low) + fabs(s.high));
    if (s.low_infinite == 0 && s.low > upper + slack) return false;
    if (s.high_infinite == 0 && s.high < lower - slack) return false;
    if (isfinite(upper) && s.low_infinite <= 1 && (s.high_infinite > 0 || s.high > upper) &&
        !imply_side(d, row, s.low, s.low_infinite, upper, 1.0))
        return false;
    if (!isfinite(lower)) return true;
    s = d->range[row]; /* with what the other side moved */
    if (s.high_infinite > 1 || (s.low_infinite == 0 && s.low >= lower)) return true;
    return imply_side(d, row, -s.high, s.high_infinite, -lower, -1.0);
}

bool mgc__domain_propagate(mgc__domain *d)
{
    size_t visits = (size_t)VISITS * d->mip->m + 1000;

    while (d->waiting > 0 && visits-- > 0) {
        uint32_t row = d->queue[d->head];
        d->head = d->head + 1 == d->mip->m ? 0 : d->head + 1;
        d->waiting--;
        d->queued[row] = 0;
        if (mgc__mip_works(d->mip, 1)) break; /* what was found holds */
        if (!propagate_row(d, row)) {
            drop_queue(d);
            return false;
        }
    }
    drop_queue(d);
    return true;
}

bool mgc__domain_propagate_all(mgc__domain *d)
{
    for (uint32_t i = 0; i < d->mip->m; i++) enqueue(d, i);
    return mgc__domain_propagate(d);
}
