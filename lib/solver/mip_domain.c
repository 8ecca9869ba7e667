/* SPDX-License-Identifier: Apache-2.0 */
/* Bound propagation over rows (Savelsbergh 1994, section 1; Achterberg 2007, section 7.1). */
#include "solver/mip.h"

/* A continuous bound moves only where it gains this part of the present range: cycles of rows would converge for
 * ever (Achterberg 2007, section 7.1.1 asks for the same). */
#define WORTH 0.05
/* Rows visited in one propagation, per row of the program. Chosen; chains of 96 periods need 3. */
enum { VISITS = 20 };

mgc_status mgc__domain_init(mgc__domain *d, const mgc__mip *mip)
{
    *d = (mgc__domain){.mip = mip};
    d->lower = mgc__alloc(mip->ctx, mip->n, sizeof *d->lower);
    d->upper = mgc__alloc(mip->ctx, mip->n, sizeof *d->upper);
    d->queue = mgc__alloc(mip->ctx, mip->m, sizeof *d->queue);
    d->queued = mgc__alloc(mip->ctx, mip->m, sizeof *d->queued);
    bool ok = d->lower != NULL && d->upper != NULL && d->queue != NULL && d->queued != NULL;
    return ok ? MGC_OK : mgc__no_memory(mip->ctx, "bounds of branch and bound");
}

void mgc__domain_free(mgc__domain *d)
{
    if (d->mip == NULL) return;
    mgc__free(d->mip->ctx, d->lower);
    mgc__free(d->mip->ctx, d->upper);
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

void mgc__domain_reset(mgc__domain *d)
{
    memcpy(d->lower, d->mip->box_lower, d->mip->n * sizeof *d->lower);
    memcpy(d->upper, d->mip->box_upper, d->mip->n * sizeof *d->upper);
    d->n_trail = 0;
    drop_queue(d);
}

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
    d->lower[j] = lower;
    d->upper[j] = upper;
    for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) enqueue(d, a->row[k]);
    return true;
}

void mgc__domain_undo(mgc__domain *d, size_t mark)
{
    drop_queue(d);
    while (d->n_trail > mark) {
        const struct mgc__change *c = &d->trail[--d->n_trail];
        d->lower[c->column] = c->lower;
        d->upper[c->column] = c->upper;
    }
}

/* A row's smallest (or, with the bounds swapped, largest) value: finite terms summed, infinite ones counted. */
struct activity {
    double low, high;
    uint32_t low_infinite, high_infinite;
};

static struct activity activity_of(const mgc__domain *d, uint32_t row)
{
    const mgc__mip *mip = d->mip;
    struct activity s = {0};

    for (uint32_t k = mip->row_start[row]; k < mip->row_start[row + 1]; k++) {
        double v = mip->row_val[k];
        uint32_t j = mip->row_col[k];
        double small = v * (v > 0 ? d->lower[j] : d->upper[j]), large = v * (v > 0 ? d->upper[j] : d->lower[j]);
        if (isfinite(small)) s.low += small;
        else s.low_infinite++;
        if (isfinite(large)) s.high += large;
        else s.high_infinite++;
    }
    return s;
}

void mgc__domain_activity(const mgc__domain *d, uint32_t row, double *low, double *high)
{
    struct activity s = activity_of(d, row);

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

static bool propagate_row(mgc__domain *d, uint32_t row)
{
    const mgc__mip *mip = d->mip;
    double lower = mip->row_lower[row], upper = mip->row_upper[row];
    struct activity s = activity_of(d, row);
    double slack = MIP_CROSSED * (1.0 + fmax(isfinite(lower) ? fabs(lower) : 0.0, isfinite(upper) ? fabs(upper) : 0.0));

    slack += 1e-9 * (fabs(s.low) + fabs(s.high));
    if (s.low_infinite == 0 && s.low > upper + slack) return false;
    if (s.high_infinite == 0 && s.high < lower - slack) return false;
    if (isfinite(upper) && s.low_infinite <= 1 && (s.high_infinite > 0 || s.high > upper) &&
        !imply_side(d, row, s.low, s.low_infinite, upper, 1.0))
        return false;
    if (!isfinite(lower)) return true;
    s = activity_of(d, row);
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
