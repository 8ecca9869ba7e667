/* SPDX-License-Identifier: Apache-2.0 */
/* A better plan from the search for a bound.  The mixture that the master problem finds weighs the decisions that members answered
 * at prices: where one carries most of a member's weight, it is a likely part of the best plan (the primal side of Caroe and
 * Schultz 1999); and so are the answers at the best prices themselves.  The agents try them: rounds from where they stand, with
 * the decisions given, and what comes out is kept only if it costs less. */
#include <math.h>

#include "bargain/dual.h"

/* Of member i: the decisions of most weight in the mixture. */
static const int8_t *likeliest(const mgc__dual *d, size_t i)
{
    size_t size = mgc__dual_integers(d, i);
    const int8_t *best = NULL;
    double most = 0;

    for (size_t c = 0; c < d->shares; c++) {
        double weight = 0;
        if (d->cuts[c].member != i || !(d->share[c] > 0)) continue;
        for (size_t b = 0; b < d->shares; b++)
            if (d->cuts[b].member == i && memcmp(d->cuts[b].decision, d->cuts[c].decision, size) == 0) weight += d->share[b];
        if (weight <= 1.000001 * most) continue;
        most = weight;
        best = d->cuts[c].decision;
    }
    return best;
}

/* Not tried before. */
static bool is_new(const mgc__dual *d, const int8_t *all)
{
    for (size_t k = 0; k < d->n_tried; k++)
        if (memcmp(d->tried[k], all, d->integers) == 0) return false;
    return true;
}

/* `all` is taken. */
static mgc_status try(mgc__dual *d, int8_t *all)
{
    double before = d->cost;
    mgc_status st;

    if (d->n_tried == MGC__DUAL_TRIED_MAX || !is_new(d, all)) {
        mgc__free(d->ctx, all);
        return MGC_OK;
    }
    d->tried[d->n_tried++] = all;
    st = d->replan(d->user, all, d->first_integer, &d->cost);
    d->replanned |= d->cost < before;
    d->target = d->cost - d->margin;
    return st;
}

/* answers: those of the last asking, else what the mixture likes best. */
static mgc_status try_hint(mgc__dual *d, bool answers)
{
    bool good = true, whole = true;
    int8_t *all = mgc__dual_take(d, d->integers, sizeof *all, &good);

    if (!good) return mgc__no_memory(d->ctx, "bargain: a lower bound");
    for (size_t i = 0; i < d->n; i++) {
        const int8_t *own = answers ? d->answer[i].decision : likeliest(d, i);
        whole &= own != NULL && isfinite(d->answer[i].bound);
        if (whole && mgc__dual_integers(d, i) > 0) memcpy(all + d->first_integer[i], own, mgc__dual_integers(d, i));
    }
    if (whole) return try(d, all);
    mgc__free(d->ctx, all);
    return MGC_OK;
}

mgc_status mgc__dual_hint(mgc__dual *d)
{
    mgc_status st = try_hint(d, false);

    return st == MGC_OK ? try_hint(d, true) : st;
}
