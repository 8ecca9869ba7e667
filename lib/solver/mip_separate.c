/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts by complemented mixed-integer rounding of sums of rows (Marchand and Wolsey 2001).
 * Method, equations and what is special here: doc/math/mixed-integer.md, section "Cuts". */
#include "solver/mip_cuts.h"

enum {
    ROWS_SUMMED = 12,    /* rows of one sum at most (Marchand and Wolsey 2001, section 5.1: MAXAGGR) */
    ROW_ENTRIES = 64,    /* rows with more entries couple everything: never part of a sum */
    SUM_ENTRIES = 400,   /* a sum that grows beyond it is given up */
    SLACKS_MAX = 128,    /* slack columns of a sum */
    DIVISORS_MAX = 12,   /* delta of equation (3) that are tried, before halving */
    CUT_ENTRIES = 200    /* cuts with more entries cost more than they bring */
};
#define INSIDE 1e-3      /* distance from an integer, or from a bound relative to its range, that counts */
#define FRACTION_MIN 0.02 /* f0 in (3) nearer to an integer makes numerically poor cuts */
#define TIGHT 1e-3       /* rows with more slack, relative to their terms, do not start or join a sum */
#define EFFICACY_MIN 1e-3 /* distance that a cut moves the point, at least */
#define DYNAMISM 1e6     /* largest ratio of a cut's coefficients */
#define DUST 1e-9        /* coefficients below this part of the largest are rounding */

/* A row as an equation: a'x + side * slack = b, slack >= 0. */
struct equation {
    double b, side, slack; /* side 0: no slack; slack: at the present point */
};

struct term { /* slack of a row in a sum */
    uint32_t row;
    double coefficient;
};

/* sum of coefficient * x + sum of coefficient * slack = b */
struct sum {
    double *value;    /* n; zero but for the columns listed */
    uint32_t *column; /* SUM_ENTRIES */
    uint8_t *listed;  /* n */
    uint32_t n, n_slacks;
    struct term slack[SLACKS_MAX];
    double b;
    bool overflow;
};

/* One integer column in (3): coefficient * t, t = x - lower, or upper - x where complemented; 0 <= t <= range. */
struct unit {
    uint32_t column;
    double coefficient, t, range;
    bool complemented;
};

struct mgc__separator {
    mgc__mip *mip;
    const double *x;          /* n; the point to cut off */
    double *activity;         /* m */
    uint32_t *vb_start, *vb_row; /* for each continuous column: rows that bound it by integers alone */
    struct sum total, work, cut; /* rows added up; the same with bounds put in; the cut in terms of x */
    struct unit *unit;        /* SUM_ENTRIES */
    uint32_t n_units;
    double s;                 /* continuous part of (3) at the point */
    double s_square;          /* sum of its squared coefficients */
};

/* --- set-up ---------------------------------------------------------------------------------- */

static bool sum_init(mgc_ctx *ctx, struct sum *s, uint32_t n)
{
    s->value = mgc__alloc(ctx, n, sizeof *s->value);
    s->column = mgc__alloc(ctx, SUM_ENTRIES, sizeof *s->column);
    s->listed = mgc__alloc(ctx, n, 1);
    return s->value != NULL && s->column != NULL && s->listed != NULL;
}

static void sum_free(mgc_ctx *ctx, struct sum *s)
{
    mgc__free(ctx, s->value);
    mgc__free(ctx, s->column);
    mgc__free(ctx, s->listed);
}

/* The only continuous column of a row whose others are integer; UINT32_MAX: there is none, or it has two sides at
 * once or none. */
static uint32_t bounded_by_integers(const mgc__mip *mip, uint32_t row)
{
    uint32_t found = UINT32_MAX, entries = mip->row_start[row + 1] - mip->row_start[row];

    if (entries < 2 || entries > ROW_ENTRIES || isfinite(mip->row_lower[row]) == isfinite(mip->row_upper[row]))
        return UINT32_MAX;
    for (uint32_t k = mip->row_start[row]; k < mip->row_start[row + 1]; k++) {
        if (mip->integer[mip->row_col[k]] || mip->row_val[k] == 0.0) continue;
        if (found != UINT32_MAX) return UINT32_MAX;
        found = mip->row_col[k];
    }
    return found;
}

/* Variable bounds by column: two passes, count and fill. */
static bool list_variable_bounds(mgc__separator *sep)
{
    const mgc__mip *mip = sep->mip;
    uint32_t total = 0;

    for (uint32_t i = 0; i < mip->m; i++) {
        uint32_t j = bounded_by_integers(mip, i);
        if (j == UINT32_MAX) continue;
        sep->vb_start[j + 1]++;
        total++;
    }
    sep->vb_row = mgc__alloc(mip->ctx, total, sizeof *sep->vb_row);
    uint32_t *at = mgc__alloc(mip->ctx, mip->n, sizeof *at);
    bool ok = sep->vb_row != NULL && at != NULL;
    for (uint32_t j = 0; j < mip->n; j++) sep->vb_start[j + 1] += sep->vb_start[j];
    if (ok) memcpy(at, sep->vb_start, mip->n * sizeof *at);
    for (uint32_t i = 0; ok && i < mip->m; i++) {
        uint32_t j = bounded_by_integers(mip, i);
        if (j != UINT32_MAX) sep->vb_row[at[j]++] = i;
    }
    mgc__free(mip->ctx, at);
    return ok;
}

void mgc__separator_destroy(mgc__separator *sep)
{
    if (sep == NULL) return;
    mgc_ctx *ctx = sep->mip->ctx;
    sum_free(ctx, &sep->total);
    sum_free(ctx, &sep->work);
    sum_free(ctx, &sep->cut);
    mgc__free(ctx, sep->activity);
    mgc__free(ctx, sep->vb_start);
    mgc__free(ctx, sep->vb_row);
    mgc__free(ctx, sep->unit);
    mgc__free(ctx, sep);
}

mgc_status mgc__separator_create(mgc__mip *mip, mgc__separator **out)
{
    mgc__separator *sep = mgc__alloc(mip->ctx, 1, sizeof *sep);

    *out = sep;
    if (sep == NULL) return mgc__no_memory(mip->ctx, "cuts");
    sep->mip = mip;
    sep->activity = mgc__alloc(mip->ctx, mip->m, sizeof *sep->activity);
    sep->vb_start = mgc__alloc(mip->ctx, (size_t)mip->n + 1, sizeof *sep->vb_start);
    sep->unit = mgc__alloc(mip->ctx, SUM_ENTRIES, sizeof *sep->unit);
    bool ok = sum_init(mip->ctx, &sep->total, mip->n) && sum_init(mip->ctx, &sep->work, mip->n) &&
              sum_init(mip->ctx, &sep->cut, mip->n) && sep->activity != NULL && sep->vb_start != NULL &&
              sep->unit != NULL && list_variable_bounds(sep);
    return ok ? MGC_OK : mgc__no_memory(mip->ctx, "cuts");
}

void mgc__separator_set_point(mgc__separator *sep, const double *x)
{
    sep->x = x;
    memset(sep->activity, 0, sep->mip->m * sizeof *sep->activity);
    mgc__csc_mul(&sep->mip->a, 1.0, x, sep->activity);
}

/* --- sums of rows ---------------------------------------------------------------------------- */

static void sum_clear(struct sum *s)
{
    for (uint32_t k = 0; k < s->n; k++) {
        s->value[s->column[k]] = 0.0;
        s->listed[s->column[k]] = 0;
    }
    s->n = s->n_slacks = 0;
    s->b = 0.0;
    s->overflow = false;
}

static void sum_add(struct sum *s, uint32_t j, double value)
{
    if (!s->listed[j]) {
        if (s->n == SUM_ENTRIES) {
            s->overflow = true;
            return;
        }
        s->listed[j] = 1;
        s->column[s->n++] = j;
    }
    s->value[j] += value;
}

static void sum_add_slack(struct sum *s, uint32_t row, double coefficient)
{
    if (s->n_slacks == SLACKS_MAX) s->overflow = true;
    else s->slack[s->n_slacks++] = (struct term){.row = row, .coefficient = coefficient};
}

/* The side of a row that the point is nearer to. */
static struct equation equation_of(const mgc__separator *sep, uint32_t row)
{
    double lower = sep->mip->row_lower[row], upper = sep->mip->row_upper[row], now = sep->activity[row];

    if (lower == upper) return (struct equation){.b = upper};
    bool at_upper = isfinite(upper) && (!isfinite(lower) || upper - now <= now - lower);
    return at_upper ? (struct equation){.b = upper, .side = 1.0, .slack = fmax(upper - now, 0.0)}
                    : (struct equation){.b = lower, .side = -1.0, .slack = fmax(now - lower, 0.0)};
}

static void sum_add_row(const mgc__separator *sep, struct sum *s, uint32_t row, double weight)
{
    const mgc__mip *mip = sep->mip;
    struct equation e = equation_of(sep, row);

    for (uint32_t k = mip->row_start[row]; k < mip->row_start[row + 1]; k++)
        if (mip->row_val[k] != 0.0) sum_add(s, mip->row_col[k], weight * mip->row_val[k]);
    if (e.side != 0.0) sum_add_slack(s, row, weight * e.side);
    s->b += weight * e.b;
}

static bool may_join(const mgc__separator *sep, uint32_t row)
{
    const mgc__mip *mip = sep->mip;
    uint32_t entries = mip->row_start[row + 1] - mip->row_start[row];

    if (entries == 0 || entries > ROW_ENTRIES) return false;
    if (!isfinite(mip->row_lower[row]) && !isfinite(mip->row_upper[row])) return false;
    struct equation e = equation_of(sep, row);
    double size = fabs(e.b);
    for (uint32_t k = mip->row_start[row]; k < mip->row_start[row + 1]; k++)
        size = fmax(size, fabs(mip->row_val[k] * sep->x[mip->row_col[k]]));
    return e.slack <= TIGHT * fmax(size, 1e-6);
}

/* --- bounds of a continuous column ----------------------------------------------------------- */

/* Which bound of j is nearest to the point: a row with integers alone beside it (equal distances: that one, for it
 * brings the integers in), its lower or its upper bound. */
struct nearest {
    uint32_t row;      /* or UINT32_MAX */
    bool upper;
    double distance;   /* INFINITY: there is no bound */
};

static struct nearest nearest_bound(const mgc__separator *sep, uint32_t j)
{
    const mgc__mip *mip = sep->mip;
    double low = sep->x[j] - mip->box_lower[j], high = mip->box_upper[j] - sep->x[j];
    struct nearest best = {.row = UINT32_MAX, .upper = high < low, .distance = fmax(fmin(low, high), 0.0)};

    for (uint32_t v = sep->vb_start[j]; v < sep->vb_start[j + 1]; v++) {
        uint32_t row = sep->vb_row[v];
        double own = 0.0;
        for (uint32_t k = mip->row_start[row]; k < mip->row_start[row + 1]; k++)
            if (mip->row_col[k] == j) own = mip->row_val[k];
        if (own == 0.0) continue;
        double distance = equation_of(sep, row).slack / fabs(own);
        double range = isfinite(low + high) ? low + high : 1.0 + fabs(sep->x[j]);
        if (distance <= best.distance + 1e-4 * range && (best.row == UINT32_MAX || distance < best.distance))
            best = (struct nearest){.row = row, .distance = distance};
    }
    return best;
}

/* Copy the sum, times sign, with variable bounds put in.  What is left of continuous columns is nonnegative (the
 * distance from a bound); where its coefficient is positive it may be left out of an inequality <= b. */
static bool substitute(mgc__separator *sep, double sign)
{
    const mgc__mip *mip = sep->mip;
    const struct sum *from = &sep->total;
    struct sum *to = &sep->work;

    sum_clear(to);
    to->b = sign * from->b;
    for (uint32_t k = 0; k < from->n; k++) sum_add(to, from->column[k], sign * from->value[from->column[k]]);
    for (uint32_t k = 0; k < from->n_slacks; k++)
        sum_add_slack(to, from->slack[k].row, sign * from->slack[k].coefficient);
    for (uint32_t k = 0; k < from->n && !to->overflow; k++) {
        uint32_t j = from->column[k];
        if (mip->integer[j] || to->value[j] == 0.0) continue;
        struct nearest near = nearest_bound(sep, j);
        if (near.row == UINT32_MAX) continue;
        double own = 0.0;
        for (uint32_t e = mip->row_start[near.row]; e < mip->row_start[near.row + 1]; e++)
            if (mip->row_col[e] == j) own = mip->row_val[e];
        sum_add_row(sep, to, near.row, -to->value[j] / own);
        to->value[j] = 0.0;
    }
    return !to->overflow;
}

/* The mixed knapsack set of (3): units, right-hand side in work.b, s.  false: a coefficient has nothing to lean on.
 */
static bool collect(mgc__separator *sep)
{
    const mgc__mip *mip = sep->mip;
    struct sum *w = &sep->work;
    double largest = 0.0;

    sep->n_units = 0;
    sep->s = sep->s_square = 0.0;
    for (uint32_t k = 0; k < w->n; k++) largest = fmax(largest, fabs(w->value[w->column[k]]));
    for (uint32_t k = 0; k < w->n; k++) {
        uint32_t j = w->column[k];
        double v = w->value[j], lower = mip->box_lower[j], upper = mip->box_upper[j];
        if (fabs(v) <= DUST * largest) {
            w->value[j] = 0.0;
            if (v == 0.0) continue;
            double least = v * (v > 0.0 ? lower : upper);
            if (!isfinite(least)) return false;
            w->b -= least;
            continue;
        }
        bool at_upper = upper - sep->x[j] < sep->x[j] - lower;
        if (!isfinite(at_upper ? upper : lower)) return false;
        w->b -= v * (at_upper ? upper : lower);
        double t = fmax(at_upper ? upper - sep->x[j] : sep->x[j] - lower, 0.0), coefficient = at_upper ? -v : v;
        if (!mip->integer[j]) {
            if (coefficient < 0.0) sep->s -= coefficient * t, sep->s_square += v * v;
            continue;
        }
        if (lower == upper) continue;
        sep->unit[sep->n_units++] = (struct unit){
            .column = j, .coefficient = coefficient, .t = t, .range = upper - lower, .complemented = at_upper};
    }
    for (uint32_t k = 0; k < w->n_slacks; k++) {
        double c = w->slack[k].coefficient;
        if (c < 0.0) sep->s -= c * equation_of(sep, w->slack[k].row).slack, sep->s_square += c * c;
    }
    return sep->n_units > 0;
}

/* --- rounding -------------------------------------------------------------------------------- */

static double rounded(double a, double f0)
{
    double whole = floor(a), f = a - whole;

    return whole + fmax(f - f0, 0.0) / (1.0 - f0);
}

/* How far the point is from the inequality (3) for this divisor, in units of its coefficients; <= 0: not cut off. */
static double efficacy_of(const mgc__separator *sep, double divisor)
{
    double beta = sep->work.b / divisor, f0 = beta - floor(beta);

    if (!(f0 >= FRACTION_MIN && f0 <= 1.0 - FRACTION_MIN) || fabs(beta) > 1e6) return 0.0;
    double k = 1.0 / (divisor * (1.0 - f0)), value = -floor(beta) - k * sep->s, square = k * k * sep->s_square;
    for (uint32_t u = 0; u < sep->n_units; u++) {
        double g = rounded(sep->unit[u].coefficient / divisor, f0);
        value += g * sep->unit[u].t;
        square += g * g;
    }
    return value / sqrt(fmax(square, 1e-20));
}

static void complement(mgc__separator *sep, struct unit *u)
{
    sep->work.b -= u->coefficient * u->range;
    u->coefficient = -u->coefficient;
    u->t = u->range - u->t;
    u->complemented = !u->complemented;
}

static bool is_inside(const struct unit *u)
{
    return u->t > INSIDE && u->t < u->range - INSIDE;
}

/* Divisors: the coefficients of units strictly inside, then halves of the best (Marchand and Wolsey 2001, section
 * 4.2). */
static double best_divisor(const mgc__separator *sep, double *efficacy)
{
    double tried[DIVISORS_MAX], best = 0.0;
    uint32_t n = 0;

    *efficacy = 0.0;
    for (uint32_t u = 0; u < sep->n_units && n < DIVISORS_MAX; u++) {
        double d = fabs(sep->unit[u].coefficient);
        bool known = !is_inside(&sep->unit[u]);
        for (uint32_t i = 0; i < n && !known; i++) known = fabs(tried[i] - d) <= 1e-6 * d;
        if (known) continue;
        tried[n++] = d;
        double e = efficacy_of(sep, d);
        if (e > *efficacy) *efficacy = e, best = d;
    }
    double first = best;
    for (double part = 2.0; first > 0.0 && part <= 8.0; part *= 2.0) {
        double e = efficacy_of(sep, first / part);
        if (e > *efficacy) *efficacy = e, best = first / part;
    }
    return best;
}

/* Complement further units where that helps, those nearest to the middle of their range first come, first served. */
static double improve_by_complements(mgc__separator *sep, double divisor, double efficacy)
{
    for (uint32_t u = 0; u < sep->n_units; u++) {
        if (!is_inside(&sep->unit[u]) || !isfinite(sep->unit[u].range)) continue;
        complement(sep, &sep->unit[u]);
        double e = efficacy_of(sep, divisor);
        if (e > efficacy) efficacy = e;
        else complement(sep, &sep->unit[u]);
    }
    return efficacy;
}

/* Distance y from a bound, coefficient * y, written in terms of x. */
static void expand_distance(struct sum *cut, uint32_t j, double coefficient, bool from_upper, double bound)
{
    sum_add(cut, j, from_upper ? -coefficient : coefficient);
    cut->b += (from_upper ? -coefficient : coefficient) * bound;
}

/* Inequality (3) in terms of x, into sep->cut. */
static bool expand(mgc__separator *sep, double divisor)
{
    const mgc__mip *mip = sep->mip;
    struct sum *cut = &sep->cut, *w = &sep->work;
    double beta = w->b / divisor, f0 = beta - floor(beta), k = 1.0 / (divisor * (1.0 - f0));

    sum_clear(cut);
    cut->b = floor(beta);
    for (uint32_t u = 0; u < sep->n_units; u++) {
        const struct unit *one = &sep->unit[u];
        expand_distance(cut, one->column, rounded(one->coefficient / divisor, f0), one->complemented,
                        one->complemented ? mip->box_upper[one->column] : mip->box_lower[one->column]);
    }
    for (uint32_t e = 0; e < w->n; e++) {
        uint32_t j = w->column[e];
        if (mip->integer[j] || w->value[j] == 0.0) continue;
        bool at_upper = mip->box_upper[j] - sep->x[j] < sep->x[j] - mip->box_lower[j];
        double coefficient = at_upper ? -w->value[j] : w->value[j];
        if (coefficient < 0.0)
            expand_distance(cut, j, k * coefficient, at_upper, at_upper ? mip->box_upper[j] : mip->box_lower[j]);
    }
    for (uint32_t e = 0; e < w->n_slacks; e++) {
        uint32_t row = w->slack[e].row;
        if (w->slack[e].coefficient >= 0.0) continue;
        struct equation q = equation_of(sep, row);
        double c = -k * w->slack[e].coefficient * q.side; /* slack = side (b - a'x) */
        for (uint32_t i = mip->row_start[row]; i < mip->row_start[row + 1]; i++)
            sum_add(cut, mip->row_col[i], c * mip->row_val[i]);
        cut->b += c * q.b;
    }
    return !cut->overflow;
}

/* Tiny coefficients out, in the direction that keeps the cut valid; false: not fit to be a row. */
static bool tidy(mgc__separator *sep, double *efficacy)
{
    const mgc__mip *mip = sep->mip;
    struct sum *cut = &sep->cut;
    double largest = 0.0, least = INFINITY, value = 0.0, square = 0.0, size = fabs(cut->b);
    uint32_t entries = 0;

    for (uint32_t e = 0; e < cut->n; e++) largest = fmax(largest, fabs(cut->value[cut->column[e]]));
    for (uint32_t e = 0; e < cut->n; e++) {
        uint32_t j = cut->column[e];
        double v = cut->value[j];
        if (fabs(v) <= 1e-7 * largest) {
            double at = v == 0.0 ? 0.0 : v * (v > 0.0 ? mip->box_lower[j] : mip->box_upper[j]);
            if (!isfinite(at)) return false;
            cut->b -= at;
            cut->value[j] = 0.0;
            continue;
        }
        entries++;
        least = fmin(least, fabs(v));
        value += v * sep->x[j];
        square += v * v;
        size += fabs(v * sep->x[j]);
    }
    if (entries == 0 || entries > CUT_ENTRIES || largest > DYNAMISM * least || !isfinite(cut->b)) return false;
    cut->b += 1e-11 * size; /* rounding of what was summed must not cut off a point */
    *efficacy = (value - cut->b) / sqrt(square);
    return *efficacy > EFFICACY_MIN;
}

static mgc_status keep(mgc__separator *sep, mgc__cuts *into, uint32_t base, double efficacy)
{
    mgc_ctx *ctx = sep->mip->ctx;
    const struct sum *from = &sep->cut;
    void *list = into->cut;
    bool ok = mgc__grow(ctx, &list, &into->cap, into->n + 1, sizeof *into->cut);

    into->cut = list;
    if (!ok) return mgc__no_memory(ctx, "cuts");
    mgc__cut cut = {.upper = from->b, .efficacy = efficacy, .base = base};
    cut.column = mgc__alloc(ctx, from->n, sizeof *cut.column);
    cut.value = mgc__alloc(ctx, from->n, sizeof *cut.value);
    if (cut.column == NULL || cut.value == NULL) {
        mgc__free(ctx, cut.column);
        mgc__free(ctx, cut.value);
        return mgc__no_memory(ctx, "a cut");
    }
    double largest = 0.0;
    for (uint32_t e = 0; e < from->n; e++) largest = fmax(largest, fabs(from->value[from->column[e]]));
    double scale = exp2(-round(log2(largest))); /* exact */
    cut.upper *= scale;
    for (uint32_t e = 0; e < from->n; e++) {
        if (from->value[from->column[e]] == 0.0) continue;
        cut.column[cut.n] = from->column[e];
        cut.value[cut.n++] = scale * from->value[from->column[e]];
    }
    into->cut[into->n++] = cut;
    return MGC_OK;
}

/* The best inequality (3) of the sum times sign; *found: it cuts the point off and was kept. */
static mgc_status round_sum(mgc__separator *sep, double sign, uint32_t base, mgc__cuts *into, bool *found)
{
    double efficacy;

    if (!substitute(sep, sign) || !collect(sep)) return MGC_OK;
    double divisor = best_divisor(sep, &efficacy);
    if (!(divisor > 0.0)) return MGC_OK;
    improve_by_complements(sep, divisor, efficacy);
    if (!expand(sep, divisor) || !tidy(sep, &efficacy)) return MGC_OK;
    *found = true;
    return keep(sep, into, base, efficacy);
}

/* --- paths of rows --------------------------------------------------------------------------- */

/* The row that joins next, and the column that it takes out: continuous, far from its bounds, in few rows with few
 * entries.  Storage states so lead from period to period. */
static bool next_row(const mgc__separator *sep, const uint32_t *used, uint32_t n_used, uint32_t *row, double *weight)
{
    const mgc__mip *mip = sep->mip;
    const struct sum *s = &sep->total;
    double best = 0.0;

    for (uint32_t k = 0; k < s->n; k++) {
        uint32_t j = s->column[k];
        double v = s->value[j];
        if (mip->integer[j] || fabs(v) < 1e-6) continue;
        double range = mip->box_upper[j] - mip->box_lower[j], distance = nearest_bound(sep, j).distance;
        if (isfinite(range) ? distance < INSIDE * range : distance < INSIDE * (1.0 + fabs(sep->x[j]))) continue;
        if (mgc__mip_works(sep->mip, mip->a.start[j + 1] - mip->a.start[j])) break;
        for (uint32_t e = mip->a.start[j]; e < mip->a.start[j + 1]; e++) {
            uint32_t i = mip->a.row[e];
            bool known = mip->a.value[e] == 0.0 || !may_join(sep, i);
            for (uint32_t u = 0; u < n_used && !known; u++) known = used[u] == i;
            if (known) continue;
            double score = fmin(fabs(v) * distance, 1e9) / (mip->row_start[i + 1] - mip->row_start[i]);
            if (score <= best) continue;
            best = score;
            *row = i;
            *weight = -v / mip->a.value[e];
        }
    }
    return best > 0.0 && fabs(*weight) < 1e4 && fabs(*weight) > 1e-4;
}

mgc_status mgc__separate(mgc__separator *sep, mgc__cuts *into)
{
    const mgc__mip *mip = sep->mip;
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < mip->m && st == MGC_OK; i++) {
        uint32_t used[ROWS_SUMMED], n = 0, row = i;
        double weight = 1.0;
        bool found = false;
        if (mgc__mip_works(sep->mip, mip->row_start[i + 1] - mip->row_start[i])) break; /* the cuts so far hold */
        if (!may_join(sep, i)) continue;
        sum_clear(&sep->total);
        do {
            sum_add_row(sep, &sep->total, row, weight);
            used[n++] = row;
            sep->mip->work += (uint64_t)DIVISORS_MAX * sep->total.n; /* rounding looks at the sum so often */
            if (sep->total.overflow) break;
            st = round_sum(sep, 1.0, i, into, &found);
            if (st == MGC_OK) st = round_sum(sep, -1.0, i, into, &found);
        } while (st == MGC_OK && !found && n < ROWS_SUMMED && next_row(sep, used, n, &row, &weight));
    }
    return st;
}
