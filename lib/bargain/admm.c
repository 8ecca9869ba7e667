/* SPDX-License-Identifier: Apache-2.0 */
/* P1 on one link: consensus ADMM between its two ends (Boyd et al. 2011, sections 3.4 and 7; doc/math/bargain.md, section 2).
 *
 *     minimise  C_a(x_a) + C_b(x_b)   subject to  x_a = x_b            a: the link's first member, b: its second
 *
 *     each end:  x = argmin C(x) + s mu'x + 1/2 (x - z)'R(x - z)        s = +1 at a, -1 at b
 *     both:      z  <- alpha (x_a + x_b)/2 + (1 - alpha) z              over-relaxed average
 *                mu <- mu + R alpha (x_a - x_b)/2                       R: diagonal, rho times powers of two
 *
 * Both ends compute z, mu and rho from the same two proposals (integers in mW), with operations that IEEE 754 rounds exactly,
 * so they hold the same numbers without a word about them and without a coordinator. */
#include <math.h>
#include <stdlib.h>

#include "bargain/agent.h"

/* Chosen after Boyd et al. section 3.4.3, confirmed on the reference cases; anything from 1.5 to 1.8 behaves alike. */
static const double over_relaxation = 1.6;
enum { LOOK_EVERY = 2 };    /* rounds between two looks at the costs' curvature: measured, 3 and 4 are slower */
enum { BALANCE_EVERY = 10 };/* rounds between balanced residuals, for the multipliers to follow */
enum { ADAPT_LIMIT = 200 }; /* later changes could only keep the method from converging (Boyd et al. section 3.4.1) */
enum { STRIDE = 2 };        /* powers of two that the penalty moves at once */
enum { REACH = 10 };        /* powers of two from where the stage began: beyond, a member's program is hard to solve and nothing is gained */
enum { APART = 3 };         /* powers of two that a coordinate's penalty may differ from its link's */
#define CORRELATED 0.4      /* least cosine of movement and change of slope that is taken for curvature */

/* Slope over capacity: the quadratic term then weighs about as much as the price does.  A power of two, so that both ends can
 * name it as an integer and multiply by it exactly. */
double mgc__admm_first_penalty(const mgc__terms *terms)
{
    double capacity = 0;
    int exponent;

    for (uint32_t t = 0; t < terms->periods; t++) capacity = fmax(capacity, terms->capacity_kw[t]);
    if (!(capacity > 1e-3)) capacity = 1e-3;
    if (capacity > 1e5) capacity = 1e5; /* "no limit" is not a size */
    frexp(terms->hours * terms->price_scale / capacity, &exponent);
    return exponent;
}

/* Of one coordinate. */
static double penalty(const mgc__end *end, size_t i)
{
    return end->rho * end->scale[i];
}

static void objective(const mgc__end *end, size_t i, double rho, double *linear, double *quad)
{
    linear[i] = (end->terms.first ? end->mu[i] : -end->mu[i]) - rho * end->z[i];
    quad[i] = rho;
}

void mgc__admm_objective(const mgc__end *end, double *linear, double *quad)
{
    for (size_t i = 0; i < end->count; i++) objective(end, i, penalty(end, i), linear, quad);
}

void mgc__admm_objective_near(const mgc__end *end, double *linear, double *quad)
{
    double rho = ldexp(1, (int)mgc__admm_first_penalty(&end->terms));

    for (size_t i = 0; i < end->count; i++) objective(end, i, rho, linear, quad);
}

/* Ratio of the two residuals decides: proposals apart in relation to their size, against movement in relation to prices
 * (Wohlberg 2017: relative balancing does not depend on units). */
static void balance_penalty(mgc__end *end)
{
    double ratio, factor;
    int exponent;

    if (!(end->primal > 0) || !(end->dual > 0)) return;
    ratio = sqrt(end->primal / end->dual);
    if (ratio > 0.5 && ratio < 2) return; /* hysteresis: near balance any change only disturbs */
    frexp(ratio, &exponent);
    factor = ldexp(1, exponent < -3 ? -3 : exponent > 3 ? 3 : ratio > 1 ? exponent - 1 : exponent);
    end->rho *= factor;
}

/* Where an end's proposals went since the last look, and how the slope of its cost changed on the way. */
typedef struct way {
    double xx, xg, gg;
} way;

static void go(way *w, double *past_x, double *past_g, double x, double g)
{
    double dx = x - *past_x, dg = g - *past_g;

    w->xx += dx * dx;
    w->xg += dx * dg;
    w->gg += dg * dg;
    *past_x = x;
    *past_g = g;
}

/* More than the last digits of proposals. */
static bool moved(const way *w, double capacity)
{
    return w->xx >= 1e-12 * capacity;
}

/* Curvature along the way: between the two steps of Barzilai and Borwein (1988), mixed as Xu, Figueiredo and Goldstein (2017),
 * eq. 26, do.  0: movement and slope hardly belong together, as where a cost is piecewise linear and stayed on one piece; or
 * nothing moved. */
static double curvature(const way *w, double capacity)
{
    if (!(w->xg > 0) || !moved(w, capacity) || w->xg * w->xg < CORRELATED * CORRELATED * w->xx * w->gg) return 0;
    double steepest = w->gg / w->xg, least = w->xg / w->xx;
    return 2 * least > steepest ? least : steepest - 0.5 * least;
}

/* Curvature of both ends' costs, from what both ends know: x is the least point of (3), so -(s mu + R (x - z)) is a slope of
 * C at x.  With mu, z and R as they were when x was proposed.  0: not known. */
static double look_at_costs(mgc__end *end, const int64_t *first, const int64_t *second)
{
    double *xa = end->past, *ga = xa + end->count, *xb = ga + end->count, *gb = xb + end->count, ca, cb, capacity = 0;
    way a = {0, 0, 0}, b = {0, 0, 0};

    for (size_t i = 0; i < end->count; i++) {
        double x = (double)first[i] / MGC__KW, y = (double)second[i] / MGC__KW;
        double cap = end->terms.capacity_kw[i % end->terms.periods];
        capacity += cap * cap;
        go(&a, &xa[i], &ga[i], x, -end->mu[i] - penalty(end, i) * (x - end->z[i]));
        go(&b, &xb[i], &gb[i], y, end->mu[i] - penalty(end, i) * (y - end->z[i]));
    }
    ca = curvature(&a, capacity);
    cb = curvature(&b, capacity);
    end->looks += moved(&a, capacity) || moved(&b, capacity);
    end->clear += ca > 0 && cb > 0;
    return ca > 0 && cb > 0 ? sqrt(ca * cb) : fmax(ca, cb);
}

/* Measured after 13 to 75 looks: half of them or more where costs are smooth, one in 14 or fewer where they are piecewise linear. */
bool mgc__admm_smooth(const mgc__end *end)
{
    return end->looks >= 4 && 4 * end->clear >= end->looks;
}

/* Of the power of two next to it. */
static int exponent_of(double x)
{
    int exponent;

    return frexp(x, &exponent) > 0.70710678118654752 ? exponent : exponent - 1;
}

static int within(int x, int middle, int reach)
{
    return x > middle + reach ? middle + reach : x < middle - reach ? middle - reach : x;
}

/* The power of two next to it, but not more than a few at once, and not out of sight of the first one. */
static void approach_penalty(mgc__end *end, double wanted)
{
    int target = within(exponent_of(wanted), exponent_of(end->rho), STRIDE);

    end->rho = ldexp(1, within(target, exponent_of(end->first_rho), REACH));
}

/* Costs that show their curvature say which penalty serves; where neither does, the residuals are brought into balance. */
static void adapt_penalty(mgc__end *end, double curved, uint32_t round)
{
    if (round % LOOK_EVERY != 0 || round < 2 * LOOK_EVERY || round > ADAPT_LIMIT) return; /* a first look has nothing to compare */
    if (curved > 0) approach_penalty(end, curved);
    else if (round % BALANCE_EVERY == 0) balance_penalty(end);
}

/* In the last rounds (stiffer >= 0) trades are to settle: no penalty falls, and where a cost shows no curvature it rises. */
static void next_penalty(mgc__end *end, double curved, uint32_t round, int stiffer)
{
    double rho = end->rho;

    if (round % LOOK_EVERY == 0) end->curved = curved > 0;
    if (stiffer < 0 || end->curved) adapt_penalty(end, curved, round);
    else end->rho = ldexp(rho, stiffer);
    if (stiffer >= 0 && end->rho < rho) end->rho = rho;
}

/* Each coordinate by itself: see mgc__admm_agree().  Half of what is remembered is three rounds old: the costs' pieces change. */
static void watch_costs(mgc__end *end, const int64_t *first, const int64_t *second, bool begin)
{
    static const double memory = 0.6;

    for (size_t i = 0; i < 2 * end->count; i++) {
        size_t at = i % end->count;
        bool of_first = i < end->count;
        mgc__shown *s = &end->shown[i];
        double x = (double)(of_first ? first : second)[at] / MGC__KW;
        double slope = (of_first ? -end->mu[at] : end->mu[at]) - penalty(end, at) * (x - end->z[at]);

        s->moved = begin ? 0 : memory * s->moved + (x - s->x) * (x - s->x);
        s->turned = begin ? 0 : memory * s->turned + (slope - s->slope) * (slope - s->slope);
        s->x = x;
        s->slope = slope;
    }
}

/* Change of slope for movement; the floors are far below what is traded and paid. */
static double stiffness(const mgc__shown *s)
{
    return sqrt((s->turned + 1e-18) / (s->moved + 1e-9));
}

/* Where both costs together are least: who stayed where prices moved stands at a corner of its cost, who moved where prices stayed
 * does not mind, and goes where the other is. */
static double meet(const mgc__end *end, size_t i)
{
    const int64_t *first = end->terms.first ? end->mine : end->theirs, *second = end->terms.first ? end->theirs : end->mine;
    double a = stiffness(&end->shown[i]), b = stiffness(&end->shown[end->count + i]);

    return (a * (double)first[i] + b * (double)second[i]) / (a + b);
}

/* Hours of a link are as unlike as its ends: a battery moves freely at noon and not at all where it is full.  So a coordinate's penalty is
 * halfway, on the scale of logarithms, from the link's to what both ends have shown of it (the mean of both, on the same scale), by a
 * factor of two at a look. */
static void part_penalties(mgc__end *end, uint32_t round)
{
    if (round % LOOK_EVERY != 0 || round < 2 * LOOK_EVERY || round > ADAPT_LIMIT) return;
    for (size_t i = 0; i < end->count; i++) {
        double shown = sqrt(stiffness(&end->shown[i]) * stiffness(&end->shown[end->count + i]));
        int target = within(exponent_of(sqrt(shown / end->rho)), 0, APART);
        end->scale[i] = ldexp(1, within(target, exponent_of(end->scale[i]), 1));
    }
}

/* A round of the mean of the rounds so far.  The older, the less it counts (Shamir and Zhang 2013, polynomial decay): the mean is of about
 * the last eighth of them, whatever their number. */
static void into_mean(double *mean, double x, uint32_t round)
{
    enum { DECAY = 7 };

    *mean += (DECAY + 1) * (x - *mean) / (round + DECAY);
}

void mgc__admm_exchange_prices(mgc__end *end)
{
    double *mu = end->mu;

    end->mu = end->mean_mu;
    end->mean_mu = mu;
    end->exchanged = !end->exchanged;
}

void mgc__admm_exchange_means(mgc__end *end)
{
    double *middle = end->middle;

    end->middle = end->mean;
    end->mean = middle;
    mgc__admm_exchange_prices(end);
}

/* Rounds that swing about the optimum leave much at stake, but swings cancel in the means: of mismatch and movement, too. */
static double stake_of_means(mgc__end *end, uint32_t round)
{
    double stake = 0;

    for (size_t i = 0; i < end->count; i++) {
        into_mean(&end->mean[i], end->middle[i], round);
        into_mean(&end->mean_mu[i], end->mu[i], round);
        stake += fabs(end->mean_mu[i]) * fabs(end->mean_left[i]) + fabs(end->mean_left[end->count + i]) * fabs(end->mean[i]) / MGC__KW;
    }
    return stake;
}

/* at_stake: the link's part of Boyd et al.'s bound of what is still to be gained, -y'r + s'(x - x*), with every sign against us
 * and the trade itself for the distance from the optimum. */
void mgc__admm_update(mgc__end *end, uint32_t round, int stiffer)
{
    const int64_t *first = end->terms.first ? end->mine : end->theirs, *second = end->terms.first ? end->theirs : end->mine;
    double apart = 0, pulled = 0, stake = 0, size_a = 0, size_b = 0, prices = 0, capacity = 0, largest = 0;
    double curved;

    if (round == 1) {
        end->first_rho = end->rho;
        end->looks = end->clear = 0;
    }
    watch_costs(end, first, second, round == 1);
    curved = round % LOOK_EVERY == 0 ? look_at_costs(end, first, second) : 0;

    for (size_t i = 0; i < end->count; i++) {
        double a = (double)first[i] / MGC__KW, b = (double)second[i] / MGC__KW;
        double z = over_relaxation * 0.5 * (a + b) + (1 - over_relaxation) * end->z[i], step = z - end->z[i];
        double cap = end->terms.capacity_kw[i % end->terms.periods];

        apart += (a - b) * (a - b);
        largest = fmax(largest, fabs(a - b));
        size_a += a * a;
        size_b += b * b;
        pulled += penalty(end, i) * step * penalty(end, i) * step;
        end->mu[i] += penalty(end, i) * over_relaxation * 0.5 * (a - b);
        stake += fabs(end->mu[i]) * fabs(a - b) + penalty(end, i) * fabs(step) * fabs(z);
        into_mean(&end->mean_left[i], a - b, round);
        into_mean(&end->mean_left[end->count + i], penalty(end, i) * step, round);
        end->z[i] = z;
        prices += end->mu[i] * end->mu[i];
        capacity += cap * cap;
    }
    /* The floors keep a link without trade from dividing by nothing: 1e-3 of capacity, and the price that goes with it. */
    end->primal = sqrt(apart) / fmax(sqrt(fmax(size_a, size_b)), 1e-3 * sqrt(capacity));
    end->dual = sqrt(pulled) / fmax(sqrt(prices), 1e-3 * end->rho * sqrt(capacity));
    end->at_stake = stake;
    end->apart_kw = largest;
    for (size_t i = 0; i < end->count; i++) end->middle[i] = meet(end, i);
    end->mean_at_stake = stake_of_means(end, round);
    next_penalty(end, curved, round, stiffer);
    if (stiffer < 0) part_penalties(end, round);
}

static int64_t smaller(int64_t a, int64_t b)
{
    if ((a < 0) != (b < 0)) return 0;
    return llabs(a) < llabs(b) ? a : b;
}

/* Trades are agreed in whole mW: where the two ends met (choose.c: in the last rounds), rounded towards zero, within capacity.  Less than a watt is rubble of the method, not trade.  What contracts in force ask for stands, whatever is
 * added to it shrinks.
 *
 * What lies between may be more than a member can take that neither vents nor leaves a demand unserved.  What it has offered itself is a
 * plan of its own, and less of it mostly too: so the smaller of both offers is tried before all trades shrink by the same share. */
void mgc__admm_agree(mgc__end *end, uint32_t shrink)
{
    static const int64_t per_mille[MGC__SHRINK_LEVELS] = {1000, 1000, 999, 990, 900, 500, 0};
    static const int64_t rubble = (int64_t)(MGC__RUBBLE_KW * MGC__KW);

    assert(shrink < MGC__SHRINK_LEVELS);
    end->moved = false;
    for (size_t i = 0; i < end->count; i++) {
        mgc__span span = mgc__terms_span(&end->terms, i);
        int64_t most = (int64_t)fmin(floor(span.high * MGC__KW), 1e15), least = (int64_t)fmax(ceil(span.low * MGC__KW), -1e15);
        int64_t base = (int64_t)llround(span.base * MGC__KW), z = (int64_t)trunc(end->middle[i]);

        if (shrink > 0) z = base + smaller(end->mine[i] - base, end->theirs[i] - base);
        z = (z > most ? most : z < least ? least : z) - base;
        z = z / 1000 * per_mille[shrink] + z % 1000 * per_mille[shrink] / 1000;
        end->agreed[i] = base + (z > -rubble && z < rubble ? 0 : z);
        end->moved |= end->agreed[i] != 0;
    }
}
