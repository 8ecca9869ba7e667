/* SPDX-License-Identifier: Apache-2.0 */
/* (P9) Columns with one entry.
 *
 * Row i: row_lower <= a x_j + s <= row_upper, s the sum over its other columns.  Three cases (Andersen and Andersen
 * 1995: free column singletons and their implied form; Gondzio 1997):
 *
 * row tight   an equation, or a row on whose one side every optimum lies because x_j could pass on for ever else:
 *             l_j = -inf with c_j > 0, or u_j = inf with c_j < 0; the side is the lower one where c_j/a > 0
 * c_j = 0     nothing is to be saved
 * else        x_j stays
 *
 * With x_j = (side - s)/a the costs of the others become c_k - c_j a_ik/a.  Where the row keeps x_j within its bounds
 * whatever the others do, row and column go.  Else the column goes and its bounds move the sides:
 *             row_lower - max a x_j <= s <= row_upper - min a x_j.
 * On the way back y_i = y'_i + c_j/a and z_j = -a y'_i, with y'_i = 0 for a row that went; x_j is what its row
 * needs. */
#include "solver/presolve_private.h"

struct single {
    uint32_t row, column;
    double a;
    double low, high;   /* sides of the row, equal where it is tight */
    double rest_low, rest_high; /* least and largest sum over the other columns */
};

/* Least and largest sum of row i without column j; false where a is too small beside the others. */
static bool look_at_rest(const mgc__presolve *ps, struct single *s)
{
    double largest = 0.0;

    s->rest_low = s->rest_high = 0.0;
    for (uint32_t k = ps->rows.start[s->row]; k < ps->rows.start[s->row] + ps->rows.count[s->row]; k++) {
        uint32_t c = ps->rows.index[k];
        double v = ps->rows.value[k];
        if (c == s->column) continue;
        largest = fmax(largest, fabs(v));
        s->rest_low += v * (v > 0.0 ? ps->lower[c] : ps->upper[c]);
        s->rest_high += v * (v > 0.0 ? ps->upper[c] : ps->lower[c]);
    }
    return fabs(s->a) >= PRESOLVE_PIVOT * largest;
}

/* The row is tight: at which side? false: not known to be.  Sets `ray` where the side is missing. */
static bool tight_side(const mgc__presolve *ps, struct single *s, bool *ray)
{
    double c = ps->c[s->column];
    bool endless = c > 0.0 ? ps->lower[s->column] == -INFINITY : c < 0.0 && ps->upper[s->column] == INFINITY;

    *ray = false;
    if (s->low == s->high) return true;
    if (!endless) return false;
    double side = c / s->a > 0.0 ? s->low : s->high;
    *ray = !isfinite(side);
    s->low = s->high = side;
    return true;
}

/* The row alone keeps x_j within its bounds. */
static bool implied_free(const mgc__presolve *ps, const struct single *s)
{
    double one = (s->low - s->rest_high) / s->a, two = (s->high - s->rest_low) / s->a;
    double lower = ps->lower[s->column], upper = ps->upper[s->column];
    double least = s->a > 0.0 ? one : two, most = s->a > 0.0 ? two : one;

    return (lower == -INFINITY || least >= lower - PRESOLVE_EQUAL * presolve_scale(lower, 0.0)) &&
           (upper == INFINITY || most <= upper + PRESOLVE_EQUAL * presolve_scale(upper, 0.0));
}

static void move_cost(mgc__presolve *ps, const struct single *s)
{
    double price = ps->c[s->column] / s->a;

    if (price == 0.0) return;
    for (uint32_t k = ps->rows.start[s->row]; k < ps->rows.start[s->row] + ps->rows.count[s->row]; k++) {
        uint32_t c = ps->rows.index[k];
        if (c == s->column) continue;
        ps->c[c] -= price * ps->rows.value[k];
        mgc__presolve_touch_column(ps, c);
    }
    ps->offset += price * s->low; /* low == high where there is a price */
}

static void record_single(mgc__presolve *ps, const struct single *s)
{
    struct record *r = mgc__presolve_record(ps, UNDO_COLUMN_SINGLETON);

    r->row = s->row;
    r->column = s->column;
    r->a = s->a;
    r->cost = ps->c[s->column];
    r->lower = ps->lower[s->column];
    r->upper = ps->upper[s->column];
    r->row_lower = s->low;
    r->row_upper = s->high;
    mgc__presolve_save_row(ps, r, s->row, s->column);
}

/* The bounds of x_j move the sides of its row. */
static void widen_row(mgc__presolve *ps, const struct single *s)
{
    double one = s->a * ps->lower[s->column], two = s->a * ps->upper[s->column];

    ps->row_lower[s->row] = s->low - fmax(one, two);
    ps->row_upper[s->row] = s->high - fmin(one, two);
    ps->row_size[s->row] = fmax(ps->row_size[s->row], presolve_scale(one, two));
}

void mgc__presolve_column_singleton(mgc__presolve *ps, uint32_t j)
{
    uint32_t i = ps->cols.index[ps->cols.start[j]];
    double a = ps->cols.value[ps->cols.start[j]];
    struct single s = {.row = i, .column = j, .a = a, .low = ps->row_lower[i], .high = ps->row_upper[i]};
    bool ray;

    mgc__presolve_tidy_row(ps, i);
    if (presolve_is_integer(ps, j) || !look_at_rest(ps, &s)) return;
    if (!tight_side(ps, &s, &ray) && ps->c[j] != 0.0) return;
    if (ray) {
        mgc__presolve_unbounded(ps, j, ps->c[j] > 0.0 ? -1.0 : 1.0, UINT32_MAX, 0);
        return;
    }
    bool free_column = implied_free(ps, &s);
    uint32_t kind = free_column ? PRESOLVE_FREE_COLUMN : PRESOLVE_SLACK_COLUMN;
    if (!presolve_uses(ps, kind)) return;
    record_single(ps, &s);
    move_cost(ps, &s);
    if (free_column) mgc__presolve_remove_row(ps, i);
    else widen_row(ps, &s);
    mgc__presolve_remove_column(ps, j);
    ps->info.count[kind]++;
}

void mgc__presolve_undo_column_singleton(const mgc__presolve *ps, const struct record *r, const struct answer *w)
{
    if (w->x != NULL) {
        double lower = presolve_side(r->lower, w->ray), upper = presolve_side(r->upper, w->ray);
        double rest = presolve_dot(ps, r, w->x, w->ray);
        double one = (presolve_side(r->row_lower, w->ray) - rest) / r->a;
        double two = (presolve_side(r->row_upper, w->ray) - rest) / r->a;
        double x = presolve_clip(0.0, lower, upper);
        x = presolve_clip(x, r->a > 0.0 ? one : two, r->a > 0.0 ? two : one);
        w->x[r->column] = presolve_clip(x, lower, upper);
    }
    if (w->y == NULL) return;
    double y = w->y[r->row]; /* 0 for a row that went */
    w->y[r->row] = y + (w->ray ? 0.0 : r->cost / r->a);
    w->z[r->column] = -r->a * y;
}
