/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions that look at one column: fixed, empty, unstopped, dominated. */
#include "solver/presolve_private.h"

/* --- (P4) fixed columns ------------------------------------------------------------------------
 *
 * x_j = v: its column and its rows of Q move to the right-hand sides and the costs.  On the way back
 * z_j = c_j + (Qx)_j - a_j'y, whatever its sign. */

static void move_quadratic(mgc__presolve *ps, uint32_t j, double v)
{
    if (ps->q_count == NULL) return;
    ps->offset += 0.5 * ps->q_diagonal[j] * v * v;
    for (uint32_t k = ps->q.start[j]; k < ps->q.start[j + 1]; k++) {
        uint32_t i = ps->q.row[k];
        if (i != j && !ps->col_dead[i]) ps->c[i] += ps->q.value[k] * v;
    }
}

void mgc__presolve_fix(mgc__presolve *ps, uint32_t j, double v)
{
    struct record *r = mgc__presolve_record(ps, UNDO_FIXED);

    r->column = j;
    r->a = v;
    r->cost = ps->c[j];
    mgc__presolve_save_column(ps, r, j, UINT32_MAX);
    ps->offset += ps->c[j] * v;
    move_quadratic(ps, j, v);
    for (uint32_t k = ps->cols.start[j]; k < ps->cols.start[j] + ps->cols.count[j]; k++) {
        uint32_t i = ps->cols.index[k];
        double shift = ps->cols.value[k] * v;
        ps->row_lower[i] -= shift;
        ps->row_upper[i] -= shift;
        ps->row_size[i] = fmax(ps->row_size[i], 1.0 + fabs(shift));
    }
    mgc__presolve_remove_column(ps, j);
}

/* What the neighbours in Q that still lived then add to the cost of column j. */
static double curvature(const mgc__presolve *ps, const struct record *r, const double *x)
{
    double sum = 0.0;
    uint32_t j = r->column, then = ps->removed_at[j];

    if (ps->q_count == NULL) return 0.0;
    for (uint32_t k = ps->q.start[j]; k < ps->q.start[j + 1]; k++)
        if (ps->removed_at[ps->q.row[k]] >= then) sum += ps->q.value[k] * x[ps->q.row[k]];
    return sum;
}

void mgc__presolve_undo_fixed(const mgc__presolve *ps, const struct record *r, const struct answer *w)
{
    uint32_t j = r->column;

    if (w->x != NULL) w->x[j] = w->ray ? 0.0 : r->a;
    if (w->y == NULL) return;
    w->z[j] = -presolve_dot(ps, r, w->y, w->ray);
    if (!w->ray) w->z[j] += r->cost + curvature(ps, r, w->x);
}

/* --- (P5) empty columns ------------------------------------------------------------------------ */

/* The least of c x + q/2 x^2 between the bounds; the value nearest to 0 where there is a choice. */
static void empty_column(mgc__presolve *ps, uint32_t j)
{
    double q = ps->q_count != NULL ? ps->q_diagonal[j] : 0.0, c = ps->c[j];
    bool alone = presolve_is_linear(ps, j) || (ps->q_count[j] == 1 && q > 0.0);
    double at = 0.0;

    if (!alone || !presolve_uses(ps, PRESOLVE_EMPTY_COLUMN)) return;
    if (presolve_is_integer(ps, j) && q > 0.0) return; /* the least need not be an integer */
    if (q > 0.0) at = -c / q;
    else if (c != 0.0) at = c > 0.0 ? -INFINITY : INFINITY;
    at = presolve_clip(at, ps->lower[j], ps->upper[j]);
    if (!isfinite(at)) {
        mgc__presolve_unbounded(ps, j, c > 0.0 ? -1.0 : 1.0, UINT32_MAX, 0);
        return;
    }
    mgc__presolve_fix(ps, j, at);
    ps->info.count[PRESOLVE_EMPTY_COLUMN]++;
}

/* --- (P6) columns that no row stops ------------------------------------------------------------
 *
 * Where the cost does not rise on the way down and no row has a side against it, every column value may as well be at
 * its lower bound: for all multipliers of the rows' signs z_j >= 0 (dual fixing; Andersen and Andersen 1995;
 * Achterberg et al. 2020).  Without that bound a column with cost is a ray, and one without takes the rows along:
 * it goes as far down as they ask. */

struct stops {
    bool down, up;
};

static struct stops stops_of(const mgc__presolve *ps, uint32_t j)
{
    struct stops s = {false, false};

    for (uint32_t k = ps->cols.start[j]; k < ps->cols.start[j] + ps->cols.count[j] && !(s.down && s.up); k++) {
        uint32_t i = ps->cols.index[k];
        bool falls = ps->cols.value[k] > 0.0; /* the row, when x_j goes down */
        if (isfinite(falls ? ps->row_lower[i] : ps->row_upper[i])) s.down = true;
        if (isfinite(falls ? ps->row_upper[i] : ps->row_lower[i])) s.up = true;
    }
    return s;
}

/* Every row of column j is met by moving it far enough: they go, and x_j does what they need, afterwards. */
static void fall(mgc__presolve *ps, uint32_t j, bool down)
{
    if (ps->cols.count[j] > FALL_ROWS_MAX || presolve_is_integer(ps, j)) return;
    for (uint32_t k = 0; k < ps->cols.count[j]; k++) {
        uint32_t i = ps->cols.index[ps->cols.start[j] + k];
        struct record *r = mgc__presolve_record(ps, UNDO_LOOSE_ROW);
        r->row = i;
        r->column = j;
        r->a = ps->cols.value[ps->cols.start[j] + k];
        r->flags = down ? LOWER_MOVED : UPPER_MOVED;
        r->row_lower = ps->row_lower[i];
        r->row_upper = ps->row_upper[i];
        mgc__presolve_save_row(ps, r, i, j);
    }
    struct record *r = mgc__presolve_record(ps, UNDO_FALL);
    r->column = j;
    r->lower = ps->lower[j];
    r->upper = ps->upper[j];
    while (ps->cols.count[j] > 0 && ps->status == MGC_OK) {
        mgc__presolve_remove_row(ps, ps->cols.index[ps->cols.start[j]]);
        mgc__presolve_tidy_column(ps, j);
    }
    mgc__presolve_remove_column(ps, j);
}

void mgc__presolve_undo_fall(const mgc__presolve *ps, const struct record *r, const struct answer *w)
{
    (void)ps;
    if (w->x == NULL) return;
    w->x[r->column] = presolve_clip(0.0, presolve_side(r->lower, w->ray), presolve_side(r->upper, w->ray));
}

void mgc__presolve_undo_loose_row(const mgc__presolve *ps, const struct record *r, const struct answer *w)
{
    if (w->y != NULL) w->y[r->row] = 0.0;
    if (w->x == NULL) return;
    bool down = r->flags == LOWER_MOVED, to_upper = (r->a > 0.0) == down;
    double side = presolve_side(to_upper ? r->row_upper : r->row_lower, w->ray);
    double needed = (side - presolve_dot(ps, r, w->x, w->ray)) / r->a;
    if (!isfinite(needed)) return;
    w->x[r->column] = down ? fmin(w->x[r->column], needed) : fmax(w->x[r->column], needed);
}

/* Move column j to the end that nothing stops it from reaching. */
static void settle(mgc__presolve *ps, uint32_t j, bool down)
{
    double bound = down ? ps->lower[j] : ps->upper[j];

    if (isfinite(bound)) {
        mgc__presolve_fix(ps, j, bound);
    } else if (ps->c[j] != 0.0) {
        mgc__presolve_unbounded(ps, j, down ? -1.0 : 1.0, UINT32_MAX, 0);
        return;
    } else {
        fall(ps, j, down);
        if (!ps->col_dead[j]) return;
    }
    ps->info.count[PRESOLVE_UNSTOPPED_COLUMN]++;
}

static void unstopped_column(mgc__presolve *ps, uint32_t j)
{
    struct stops s = stops_of(ps, j);
    double c = ps->c[j];

    if (!presolve_uses(ps, PRESOLVE_UNSTOPPED_COLUMN)) return;
    bool down = !s.down && c >= 0.0, up = !s.up && c <= 0.0;
    if (down && up) down = isfinite(ps->lower[j]); /* a bound before infinity */
    if (down || up) settle(ps, j, down);
}

/* --- one column ------------------------------------------------------------------------------ */

void mgc__presolve_column(mgc__presolve *ps, uint32_t j)
{
    if (ps->lower[j] == ps->upper[j]) {
        if (!presolve_uses(ps, PRESOLVE_FIXED_COLUMN)) return;
        mgc__presolve_fix(ps, j, ps->lower[j]);
        ps->info.count[PRESOLVE_FIXED_COLUMN]++;
        return;
    }
    mgc__presolve_tidy_column(ps, j);
    if (ps->cols.count[j] == 0) {
        empty_column(ps, j);
        return;
    }
    if (!presolve_is_linear(ps, j)) return;
    unstopped_column(ps, j);
    if (presolve_over(ps) || ps->col_dead[j]) return;
    if (ps->cols.count[j] == 1) mgc__presolve_column_singleton(ps, j);
}

/* --- (P7) dominated columns --------------------------------------------------------------------
 *
 * Signs of the rows' multipliers come from their sides; more bounds come from columns without one of their bounds:
 * u_k = inf asks a_k'y <= c_k.  Where all y within those bounds give z_j = c_j - a_j'y >= 0, x_j goes to its lower
 * bound (Andersen and Andersen 1995).  A bound that came from column k is not used for k itself, nor once
 * k is gone: so every optimal y of the reduced program still obeys, and weak domination needs no other rule. */

struct dual {
    double *low, *high; /* m; best bounds of y */
    uint32_t *low_from, *high_from; /* column, or UINT32_MAX: from the row's own sides */
};

static double sign_low(const mgc__presolve *ps, uint32_t i)
{
    return isfinite(ps->row_upper[i]) ? -INFINITY : 0.0;
}

static double sign_high(const mgc__presolve *ps, uint32_t i)
{
    return isfinite(ps->row_lower[i]) ? INFINITY : 0.0;
}

static void improve(struct dual *d, uint32_t i, double bound, bool is_low, uint32_t from)
{
    if (is_low && bound > d->low[i]) {
        d->low[i] = bound;
        d->low_from[i] = from;
    } else if (!is_low && bound < d->high[i]) {
        d->high[i] = bound;
        d->high_from[i] = from;
    }
}

/* sign a_k'y <= sign c_k bounds each y whose fellows have least values. */
static void bounds_from_column(const mgc__presolve *ps, struct dual *d, uint32_t k, double sign)
{
    double least = 0.0;
    uint32_t infinite = 0, begin = ps->cols.start[k], end = begin + ps->cols.count[k];

    for (uint32_t e = begin; e < end && infinite < 2; e++) {
        uint32_t i = ps->cols.index[e];
        double a = sign * ps->cols.value[e], own = a > 0.0 ? sign_low(ps, i) : sign_high(ps, i);
        if (isfinite(own)) least += a * own;
        else infinite++;
    }
    if (infinite > 1) return;
    for (uint32_t e = begin; e < end; e++) {
        uint32_t i = ps->cols.index[e];
        double a = sign * ps->cols.value[e], own = a > 0.0 ? sign_low(ps, i) : sign_high(ps, i);
        if (infinite == 1 && isfinite(own)) continue;
        double rest = infinite == 1 ? least : least - a * own;
        improve(d, i, (sign * ps->c[k] - rest) / a, a < 0.0, k);
    }
}

static void dual_bounds(mgc__presolve *ps, struct dual *d)
{
    for (uint32_t i = 0; i < ps->original.m; i++) {
        d->low[i] = sign_low(ps, i);
        d->high[i] = sign_high(ps, i);
        d->low_from[i] = d->high_from[i] = UINT32_MAX;
    }
    for (uint32_t k = 0; k < ps->original.n; k++) {
        if (ps->col_dead[k] || !presolve_is_linear(ps, k)) continue;
        if (isfinite(ps->lower[k]) && isfinite(ps->upper[k])) continue;
        mgc__presolve_tidy_column(ps, k);
        if (ps->upper[k] == INFINITY) bounds_from_column(ps, d, k, 1.0);
        if (ps->lower[k] == -INFINITY) bounds_from_column(ps, d, k, -1.0);
    }
}

static bool usable(const mgc__presolve *ps, uint32_t from, uint32_t j)
{
    return from == UINT32_MAX || (from != j && !ps->col_dead[from]);
}

/* The least z_j over all y within their bounds, and the largest. */
static void range_of_z(const mgc__presolve *ps, const struct dual *d, uint32_t j, double *least, double *most)
{
    *least = *most = ps->c[j];
    for (uint32_t e = ps->cols.start[j]; e < ps->cols.start[j] + ps->cols.count[j]; e++) {
        uint32_t i = ps->cols.index[e];
        double a = ps->cols.value[e];
        double low = usable(ps, d->low_from[i], j) ? d->low[i] : sign_low(ps, i);
        double high = usable(ps, d->high_from[i], j) ? d->high[i] : sign_high(ps, i);
        *least -= a > 0.0 ? a * high : a * low;
        *most -= a > 0.0 ? a * low : a * high;
    }
}

void mgc__presolve_dominated(mgc__presolve *ps)
{
    struct dual d = {ps->row_work, ps->row_work2, ps->row_source, ps->row_source2};
    double least, most;

    if (!presolve_uses(ps, PRESOLVE_DOMINATED_COLUMN) || ps->integer != NULL) return;
    dual_bounds(ps, &d);
    for (uint32_t j = 0; j < ps->original.n && ps->status == MGC_OK; j++) {
        if (ps->col_dead[j] || !presolve_is_linear(ps, j)) continue;
        mgc__presolve_tidy_column(ps, j);
        range_of_z(ps, &d, j, &least, &most);
        if (least >= 0.0 && isfinite(ps->lower[j])) mgc__presolve_fix(ps, j, ps->lower[j]);
        else if (most <= 0.0 && isfinite(ps->upper[j])) mgc__presolve_fix(ps, j, ps->upper[j]);
        else continue;
        ps->info.count[PRESOLVE_DOMINATED_COLUMN]++;
    }
}
