/* SPDX-License-Identifier: Apache-2.0 */
/* The door: doubles become whole numbers, and every total is conserved.
 *
 * One rule: take the floor of every share, then give the units that are left to the largest remainders, ties to the
 * lower index.  What floating-point error there is moves a unit between neighbours; it never makes or loses one. */
#include <math.h>

#include "settle/settle.h"

bool mgc__whole(double x, int64_t *whole)
{
    if (!(fabs(x) <= WH_MAX)) return false;
    *whole = (int64_t)llround(x);
    return true;
}

/* Sum with Neumaier's correction: the error does not grow with n. */
static double careful_sum(const double *x, size_t n)
{
    double sum = 0, correction = 0;

    for (size_t i = 0; i < n; i++) {
        double next = sum + x[i];
        correction += fabs(sum) >= fabs(x[i]) ? (sum - next) + x[i] : (x[i] - next) + sum;
        sum = next;
    }
    return sum + correction;
}

/* Round exact[i] down or up so that the sum is total.  exact is overwritten with the remainders. */
static void largest_remainders(int64_t total, double *exact, size_t n, int64_t *share)
{
    int64_t left = total;

    for (size_t i = 0; i < n; i++) {
        double down = floor(exact[i]);
        share[i] = (int64_t)down;
        exact[i] -= down;
        left -= share[i];
    }
    for (; left > 0; left--) { /* at most n rounds, but for floating-point error */
        size_t best = 0;
        for (size_t i = 1; i < n; i++)
            if (exact[i] > exact[best]) best = i;
        share[best]++;
        exact[best] -= 1;
    }
    for (; left < 0; left++) { /* only floating-point error brings us here */
        size_t least = 0;
        for (size_t i = 1; i < n; i++)
            if (exact[i] < exact[least]) least = i;
        share[least]--;
        exact[least] += 1;
    }
}

mgc_status mgc_split(mgc_ctx *ctx, uint64_t total, const double *values, size_t n, uint64_t *shares)
{
    double sum, *exact;

    if (ctx == NULL) return MGC_E_INVALID_ARG;
    if (n == 0 || values == NULL || shares == NULL)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: nothing to split among");
    if ((double)total > WH_MAX) return mgc__fail(ctx, MGC_E_RANGE, "settle: total %" PRIu64 " is over 2^53", total);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]) || values[i] < 0)
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: value %zu is %g; must be finite and not negative", i,
                             values[i]);
    sum = careful_sum(values, n);
    if (!isfinite(sum) || (sum <= 0 && total > 0))
        return mgc__fail(ctx, MGC_E_INVALID_ARG,
                         "settle: the values sum to %g; there is nothing to split %" PRIu64 " by", sum, total);
    exact = mgc__alloc(ctx, n, sizeof *exact);
    if (exact == NULL) return mgc__no_memory(ctx, "settle: shares");
    for (size_t i = 0; i < n; i++) exact[i] = total == 0 ? 0 : (double)total * (values[i] / sum);
    largest_remainders((int64_t)total, exact, n, (int64_t *)shares);
    mgc__free(ctx, exact);
    return MGC_OK;
}

/* The common body: exact values, already scaled, whose sum to the nearest is the total. */
mgc_status mgc__round_all(mgc_ctx *ctx, double *exact, size_t n, const char *what, int64_t *whole)
{
    int64_t total;

    for (size_t i = 0; i < n; i++)
        if (!(fabs(exact[i]) <= WH_MAX))
            return mgc__fail(ctx, MGC_E_RANGE, "settle: %s %zu is %g; must be at most 2^53", what, i, exact[i]);
    if (!mgc__whole(careful_sum(exact, n), &total))
        return mgc__fail(ctx, MGC_E_RANGE, "settle: the sum of %s is over 2^53", what);
    largest_remainders(total, exact, n, whole);
    return MGC_OK;
}

mgc_status mgc_energy_wh(mgc_ctx *ctx, const double *kw, double hours, size_t n, uint64_t *wh)
{
    double *exact;
    mgc_status st;

    if (ctx == NULL) return MGC_E_INVALID_ARG;
    if (n == 0 || kw == NULL || wh == NULL || !(hours > 0) || !isfinite(hours))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: a series of powers needs values and hours > 0");
    for (size_t i = 0; i < n; i++)
        if (!isfinite(kw[i]) || kw[i] < -1e-6)
            return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: power %zu is %g kW; must be finite and not negative", i,
                             kw[i]);
    exact = mgc__alloc(ctx, n, sizeof *exact);
    if (exact == NULL) return mgc__no_memory(ctx, "settle: energies");
    for (size_t i = 0; i < n; i++) exact[i] = kw[i] > 0 ? kw[i] * hours * 1000 : 0;
    st = mgc__round_all(ctx, exact, n, "energy", (int64_t *)wh);
    mgc__free(ctx, exact);
    return st;
}

mgc_status mgc_money_micro(mgc_ctx *ctx, const double *amount, size_t n, int64_t *micro)
{
    double *exact;
    mgc_status st;

    if (ctx == NULL) return MGC_E_INVALID_ARG;
    if (n == 0 || amount == NULL || micro == NULL) return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: no amounts");
    for (size_t i = 0; i < n; i++)
        if (!isfinite(amount[i])) return mgc__fail(ctx, MGC_E_INVALID_ARG, "settle: amount %zu is not finite", i);
    exact = mgc__alloc(ctx, n, sizeof *exact);
    if (exact == NULL) return mgc__no_memory(ctx, "settle: amounts");
    for (size_t i = 0; i < n; i++) exact[i] = amount[i] * 1e6;
    st = mgc__round_all(ctx, exact, n, "amount", micro);
    mgc__free(ctx, exact);
    return st;
}
