/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions that look at one row: empty, singleton, redundant, forcing, a x + b y = r. */
#include "solver/presolve_private.h"

/* --- (P2) singleton rows ----------------------------------------------------------------------
 *
 * row_lower <= a x_j <= row_upper  are bounds of x_j: the row goes, the tighter bounds stay (Andersen and Andersen
 * 1995).  On the way back a reduced cost that leans on a bound which the row gave is the row's: y = z/a. */

/* What a bound that column j gets may be: integers are rounded inwards. */
static double rounded(const mgc__presolve *ps, uint32_t j, double bound, bool is_upper)
{
    if (!presolve_is_integer(ps, j) || !isfinite(bound)) return bound;
    return is_upper ? floor(bound + 1e-6) : ceil(bound - 1e-6);
}

/* Move the bounds of column j to [lower, upper] where that is tighter; the flags say which moved.  Bounds that cross
 * by a rounding error become equal.  false where they cross clearly, or by what is neither: *gap says how much. */
static bool tighten(mgc__presolve *ps, uint32_t j, double lower, double upper, uint8_t *flags, double *gap)
{
    double new_lower = fmax(ps->lower[j], rounded(ps, j, lower, false));
    double new_upper = fmin(ps->upper[j], rounded(ps, j, upper, true));

    *flags = (uint8_t)((new_lower > ps->lower[j] ? LOWER_MOVED : 0) | (new_upper < ps->upper[j] ? UPPER_MOVED : 0));
    *gap = (new_lower - new_upper) / presolve_scale(new_lower, new_upper);
    if (*gap > PRESOLVE_EQUAL) return false;
    if (new_lower > new_upper) { /* the bound that was there before stays exact */
        if ((*flags & LOWER_MOVED) != 0) new_lower = new_upper;
        else new_upper = new_lower;
    }
    ps->lower[j] = new_lower;
    ps->upper[j] = new_upper;
    if (*flags != 0) mgc__presolve_touch_column(ps, j);
    return true;
}

/* Rows of a column whose bounds moved have new activities. */
static void touch_rows_of(mgc__presolve *ps, uint32_t j)
{
    mgc__presolve_tidy_column(ps, j);
    for (uint32_t k = ps->cols.start[j]; k < ps->cols.start[j] + ps->cols.count[j]; k++)
        mgc__presolve_touch_row(ps, ps->cols.index[k]);
}

static void singleton_row(mgc__presolve *ps, uint32_t i)
{
    mgc__presolve_tidy_row(ps, i);
    uint32_t j = ps->rows.index[ps->rows.start[i]];
    double a = ps->rows.value[ps->rows.start[i]], gap;
    double lower = (a > 0.0 ? ps->row_lower[i] : ps->row_upper[i]) / a;
    double upper = (a > 0.0 ? ps->row_upper[i] : ps->row_lower[i]) / a;
    uint8_t flags;

    if (!presolve_uses(ps, PRESOLVE_SINGLETON_ROW)) return;
    if (!tighten(ps, j, lower, upper, &flags, &gap)) {
        /* One of the two sides is the row's: its lower one where that is above the column's upper bound. */
        double side = lower > ps->upper[j] ? 1.0 : -1.0;
        if (gap > PRESOLVE_CLEAR) mgc__presolve_infeasible(ps, i, side / a, UINT32_MAX, 0);
        return;
    }
    struct record *r = mgc__presolve_record(ps, UNDO_SINGLETON_ROW);
    r->row = i;
    r->column = j;
    r->a = a;
    r->flags = flags;
    mgc__presolve_remove_row(ps, i);
    if (flags != 0) touch_rows_of(ps, j);
    ps->info.count[PRESOLVE_SINGLETON_ROW]++;
}

static bool leans_on_moved(double z, uint8_t flags)
{
    return (z > 0.0 && (flags & LOWER_MOVED) != 0) || (z < 0.0 && (flags & UPPER_MOVED) != 0);
}

void mgc__presolve_undo_singleton_row(const mgc__presolve *ps, const struct record *r, const struct answer *w)
{
    (void)ps;
    if (w->y == NULL) return;
    w->y[r->row] = 0.0;
    if (!leans_on_moved(w->z[r->column], r->flags)) return;
    w->y[r->row] = w->z[r->column] / r->a;
    w->z[r->column] = 0.0;
}

/* --- (P3) activity bounds ---------------------------------------------------------------------- */

struct activity {
    double low, high, size; /* sums of finite terms; largest of them */
    uint32_t low_infinite, high_infinite;
};

static struct activity activity_of(const mgc__presolve *ps, uint32_t i)
{
    struct activity s = {0};

    for (uint32_t k = ps->rows.start[i]; k < ps->rows.start[i] + ps->rows.count[i]; k++) {
        uint32_t j = ps->rows.index[k];
        double v = ps->rows.value[k];
        double small = v * (v > 0.0 ? ps->lower[j] : ps->upper[j]);
        double large = v * (v > 0.0 ? ps->upper[j] : ps->lower[j]);
        if (isfinite(small)) s.low += small;
        else s.low_infinite++;
        if (isfinite(large)) s.high += large;
        else s.high_infinite++;
        s.size = fmax(s.size, fmax(isfinite(small) ? fabs(small) : 0.0, isfinite(large) ? fabs(large) : 0.0));
    }
    return s;
}

/* The largest (smallest) activity is the row's lower (upper) side: every column is at the bound that gives it
 * (Andersen and Andersen 1995).  On the way back y becomes just large enough for all reduced costs to
 * lean on those bounds:  y = max { 0, z_j/a_j }  for the lower side, min for the upper one. */
static void forcing_row(mgc__presolve *ps, uint32_t i, bool at_lower)
{
    struct record *r = mgc__presolve_record(ps, UNDO_FORCING_ROW);
    size_t at = ps->n_records - 1;

    r->row = i;
    r->flags = at_lower ? LOWER_MOVED : UPPER_MOVED;
    mgc__presolve_save_row(ps, r, i, UINT32_MAX);
    mgc__presolve_remove_row(ps, i);
    ps->info.count[PRESOLVE_FORCING_ROW]++;
    if (ps->status != MGC_OK) return;
    size_t first = r->first;
    uint32_t entries = ps->records[at].entries;
    for (uint32_t k = 0; k < entries && ps->status == MGC_OK; k++) {
        uint32_t j = ps->saved_index[first + k];
        bool up = (ps->saved_value[first + k] > 0.0) == at_lower;
        mgc__presolve_fix(ps, j, up ? ps->upper[j] : ps->lower[j]);
    }
}

void mgc__presolve_undo_forcing_row(const mgc__presolve *ps, const struct record *r, const struct answer *w)
{
    double y = 0.0;

    if (w->y == NULL) return;
    for (uint32_t k = 0; k < r->entries; k++) {
        double ratio = w->z[ps->saved_index[r->first + k]] / ps->saved_value[r->first + k];
        y = r->flags == LOWER_MOVED ? fmax(y, ratio) : fmin(y, ratio);
    }
    w->y[r->row] = y;
    for (uint32_t k = 0; k < r->entries && y != 0.0; k++) {
        double *z = &w->z[ps->saved_index[r->first + k]], term = ps->saved_value[r->first + k] * y;
        *z = presolve_clean(*z - term, fabs(term), w->ray);
    }
}

static void redundant_row(mgc__presolve *ps, uint32_t i, uint32_t kind)
{
    mgc__presolve_remove_row(ps, i); /* y = 0: nothing to undo */
    ps->info.count[kind]++;
}

/* A side that no point within the bounds of the columns misses is none: the row's multiplier cannot lean on it. */
static void drop_sides(mgc__presolve *ps, uint32_t i, const struct activity *s)
{
    double lower = ps->row_lower[i], upper = ps->row_upper[i];
    bool no_lower = s->low_infinite == 0 && s->low >= lower - PRESOLVE_EQUAL * presolve_scale(lower, 0.0);
    bool no_upper = s->high_infinite == 0 && s->high <= upper + PRESOLVE_EQUAL * presolve_scale(upper, 0.0);
    bool free_row = (no_lower || lower == -INFINITY) && (no_upper || upper == INFINITY);

    if (free_row && presolve_uses(ps, PRESOLVE_REDUNDANT_ROW)) {
        redundant_row(ps, i, PRESOLVE_REDUNDANT_ROW);
        return;
    }
    if (free_row || lower == upper || !presolve_uses(ps, PRESOLVE_REDUNDANT_SIDE)) return;
    if (!(no_lower && isfinite(lower)) && !(no_upper && isfinite(upper))) return;
    if (no_lower) ps->row_lower[i] = -INFINITY;
    if (no_upper) ps->row_upper[i] = INFINITY;
    ps->info.count[PRESOLVE_REDUNDANT_SIDE]++;
    for (uint32_t k = ps->rows.start[i]; k < ps->rows.start[i] + ps->rows.count[i]; k++)
        mgc__presolve_touch_column(ps, ps->rows.index[k]); /* fewer rows stop them */
}

static void activity_row(mgc__presolve *ps, uint32_t i)
{
    struct activity s = activity_of(ps, i);
    double lower = ps->row_lower[i], upper = ps->row_upper[i];
    double scale = fmax(presolve_scale(lower, upper), s.size);

    if (s.high_infinite == 0 && s.high < lower - PRESOLVE_CLEAR * scale) {
        mgc__presolve_infeasible(ps, i, 1.0, UINT32_MAX, 0);
    } else if (s.low_infinite == 0 && s.low > upper + PRESOLVE_CLEAR * scale) {
        mgc__presolve_infeasible(ps, i, -1.0, UINT32_MAX, 0);
    } else if (s.high_infinite == 0 && fabs(s.high - lower) <= PRESOLVE_EQUAL * presolve_scale(lower, 0.0)) {
        if (presolve_uses(ps, PRESOLVE_FORCING_ROW)) forcing_row(ps, i, true);
    } else if (s.low_infinite == 0 && fabs(s.low - upper) <= PRESOLVE_EQUAL * presolve_scale(upper, 0.0)) {
        if (presolve_uses(ps, PRESOLVE_FORCING_ROW)) forcing_row(ps, i, false);
    } else {
        drop_sides(ps, i, &s);
    }
}

/* --- (P1) empty rows ------------------------------------------------------------------------- */

static void empty_row(mgc__presolve *ps, uint32_t i)
{
    double lower = ps->row_lower[i], upper = ps->row_upper[i];

    if (!presolve_uses(ps, PRESOLVE_EMPTY_ROW)) return;
    if (lower > PRESOLVE_CLEAR * ps->row_size[i]) {
        mgc__presolve_infeasible(ps, i, 1.0, UINT32_MAX, 0);
    } else if (upper < -PRESOLVE_CLEAR * ps->row_size[i]) {
        mgc__presolve_infeasible(ps, i, -1.0, UINT32_MAX, 0);
    } else if (lower <= PRESOLVE_EQUAL * ps->row_size[i] && upper >= -PRESOLVE_EQUAL * ps->row_size[i]) {
        redundant_row(ps, i, PRESOLVE_EMPTY_ROW);
    }
}

/* --- (P8) doubleton equations ------------------------------------------------------------------
 *
 * a x_j + b x_k = r gives x_j = (r - b x_k)/a.  Column k takes a_.j t with t = -b/a, the rows a_.j r/a, the bounds of
 * x_j become bounds of x_k (Andersen and Andersen 1995; Brearley, Mitra and Williams 1975).  Of the
 * entries at least two go.  On the way back, with z0_j the reduced cost of j without the row:
 *     z_k leans on a bound that came from j:  y = (z_k + b/a z0_j)/b,  z_j = -(a/b) z_k,  z_k = 0
 *     else                                    y = z0_j/a,              z_j = 0 */

struct pair {
    uint32_t row, j, k;
    double a, b, r, t;
};

static double *entry_in_row(mgc__presolve *ps, uint32_t i, uint32_t column)
{
    mgc__presolve_tidy_row(ps, i);
    for (uint32_t e = ps->rows.start[i]; e < ps->rows.start[i] + ps->rows.count[i]; e++)
        if (ps->rows.index[e] == column) return &ps->rows.value[e];
    return NULL;
}

/* The bounds of x_j as bounds of x_k; false where they cross, which the row's activity has shown already if
 * clearly. */
static bool pass_bounds(mgc__presolve *ps, const struct pair *p, uint8_t *flags)
{
    double one = (ps->lower[p->j] - p->r / p->a) / p->t, two = (ps->upper[p->j] - p->r / p->a) / p->t, gap;
    double lower = p->t > 0.0 ? one : two, upper = p->t > 0.0 ? two : one;

    return tighten(ps, p->k, lower, upper, flags, &gap);
}

/* Room for the merged column at the end of the pool. */
static bool move_column(mgc__presolve *ps, uint32_t k, uint32_t need)
{
    struct lines *c = &ps->cols;
    void *index = c->index, *value = c->value;

    if (c->used + need >= UINT32_MAX) return false;
    bool ok = mgc__grow(ps->ctx, &index, &c->cap_index, c->used + need, sizeof *c->index) &&
              mgc__grow(ps->ctx, &value, &c->cap_value, c->used + need, sizeof *c->value);
    c->index = index;
    c->value = value;
    if (!ok) {
        ps->status = mgc__no_memory(ps->ctx, "presolve");
        return false;
    }
    uint32_t from = c->start[k], to = (uint32_t)c->used;
    if (c->count[k] > 0) {
        memcpy(&c->index[to], &c->index[from], c->count[k] * sizeof *c->index);
        memcpy(&c->value[to], &c->value[from], c->count[k] * sizeof *c->value);
    }
    c->start[k] = to;
    c->used += need;
    return true;
}

static void set_in_column(mgc__presolve *ps, uint32_t i, uint32_t k, double v)
{
    for (uint32_t e = ps->cols.start[k]; e < ps->cols.start[k] + ps->cols.count[k]; e++)
        if (ps->cols.index[e] == i) ps->cols.value[e] = v;
}

/* Take column k, whose entry in row i became dust, out of that row. */
static void drop_entry(mgc__presolve *ps, uint32_t i, uint32_t k)
{
    struct lines *l = &ps->rows;

    for (int side = 0; side < 2; side++, l = &ps->cols) {
        uint32_t line = side == 0 ? i : k, other = side == 0 ? k : i, end = l->start[line] + l->count[line];
        uint32_t e = l->start[line];
        while (e < end && l->index[e] != other) e++;
        assert(e < end);
        for (; e + 1 < end; e++) {
            l->index[e] = l->index[e + 1];
            l->value[e] = l->value[e + 1];
        }
        l->len[line] = --l->count[line];
    }
    ps->info.nonzeros_removed++;
}

/* Row i: x_j out, t a_ij x_k in.  The item of j becomes that of k, so that rows never grow. */
static void merge_into_row(mgc__presolve *ps, const struct pair *p, uint32_t i, double a)
{
    double *there = entry_in_row(ps, i, p->k), add = p->t * a, shift = a * p->r / p->a;
    struct lines *c = &ps->cols;

    ps->row_lower[i] -= shift;
    ps->row_upper[i] -= shift;
    ps->row_size[i] = fmax(ps->row_size[i], fabs(shift));
    if (there != NULL) {
        double sum = *there + add;
        bool dust = fabs(sum) <= PRESOLVE_DUST * fmax(fabs(*there), fabs(add));
        *there = sum;
        set_in_column(ps, i, p->k, sum);
        if (dust) drop_entry(ps, i, p->k);
        return;
    }
    for (uint32_t e = ps->rows.start[i]; e < ps->rows.start[i] + ps->rows.count[i]; e++)
        if (ps->rows.index[e] == p->j) {
            ps->rows.index[e] = p->k;
            ps->rows.value[e] = add;
        }
    uint32_t place = c->start[p->k] + c->count[p->k]++;
    c->len[p->k] = c->count[p->k];
    c->index[place] = i;
    c->value[place] = add;
    ps->rows.count[i]++; /* remove_column() takes j off again */
    ps->info.nonzeros_removed--;
}

/* The one to eliminate: linear, continuous, few entries; its coefficient not much smaller than the other. */
static bool choose_pair(mgc__presolve *ps, uint32_t i, struct pair *p)
{
    uint32_t at = ps->rows.start[i];

    for (uint32_t s = 0; s < 2; s++) {
        uint32_t j = ps->rows.index[at + s], k = ps->rows.index[at + 1 - s];
        if (!presolve_is_linear(ps, j) || presolve_is_integer(ps, j) || presolve_is_integer(ps, k)) continue;
        if (ps->cols.count[j] > DOUBLETON_ENTRIES) continue;
        if (p->row != UINT32_MAX && ps->cols.count[p->j] <= ps->cols.count[j]) continue;
        double a = ps->rows.value[at + s], b = ps->rows.value[at + 1 - s];
        if (fabs(a) < PRESOLVE_PIVOT * fabs(b) || fabs(b) < PRESOLVE_PIVOT * fabs(a)) continue;
        *p = (struct pair){.row = i, .j = j, .k = k, .a = a, .b = b, .r = ps->row_lower[i], .t = -b / a};
    }
    return p->row != UINT32_MAX;
}

static void record_pair(mgc__presolve *ps, const struct pair *p, uint8_t flags)
{
    struct record *r = mgc__presolve_record(ps, UNDO_DOUBLETON);

    r->row = p->row;
    r->column = p->j;
    r->other_column = p->k;
    r->a = p->a;
    r->b = p->b;
    r->row_lower = p->r;
    r->cost = ps->c[p->j];
    r->lower = ps->lower[p->j];
    r->upper = ps->upper[p->j];
    r->flags = flags;
    mgc__presolve_save_column(ps, r, p->j, p->row);
}

void mgc__presolve_doubleton(mgc__presolve *ps, uint32_t i)
{
    struct pair p = {.row = UINT32_MAX};
    uint8_t flags;

    mgc__presolve_tidy_row(ps, i);
    if (!presolve_uses(ps, PRESOLVE_DOUBLETON_ROW) || !choose_pair(ps, i, &p)) return;
    mgc__presolve_tidy_column(ps, p.j);
    mgc__presolve_tidy_column(ps, p.k);
    if (!move_column(ps, p.k, ps->cols.count[p.k] + ps->cols.count[p.j])) return;
    if (!pass_bounds(ps, &p, &flags)) return;
    record_pair(ps, &p, flags);
    mgc__presolve_remove_row(ps, i);
    mgc__presolve_tidy_column(ps, p.j);
    mgc__presolve_tidy_column(ps, p.k);
    for (uint32_t e = 0; e < ps->cols.count[p.j]; e++)
        merge_into_row(ps, &p, ps->cols.index[ps->cols.start[p.j] + e], ps->cols.value[ps->cols.start[p.j] + e]);
    ps->c[p.k] += p.t * ps->c[p.j];
    ps->offset += ps->c[p.j] * p.r / p.a;
    mgc__presolve_remove_column(ps, p.j);
    mgc__presolve_touch_column(ps, p.k);
    touch_rows_of(ps, p.k);
    ps->info.count[PRESOLVE_DOUBLETON_ROW]++;
}

void mgc__presolve_undo_doubleton(const mgc__presolve *ps, const struct record *r, const struct answer *w)
{
    uint32_t j = r->column, k = r->other_column;

    if (w->x != NULL) {
        w->x[j] = ((w->ray ? 0.0 : r->row_lower) - r->b * w->x[k]) / r->a;
        if (!w->ray) w->x[j] = presolve_clip(w->x[j], r->lower, r->upper);
    }
    if (w->y == NULL) return;
    double z0 = (w->ray ? 0.0 : r->cost) - presolve_dot(ps, r, w->y, w->ray), z = w->z[k];
    bool leans = leans_on_moved(z, r->flags);
    double other = r->b / r->a * z0, z0_k = presolve_clean(z + other, fmax(fabs(z), fabs(other)), w->ray);
    w->y[r->row] = leans ? z0_k / r->b : z0 / r->a;
    w->z[j] = leans ? -(r->a / r->b) * z : 0.0;
    if (leans) w->z[k] = 0.0;
}

/* --- one row --------------------------------------------------------------------------------- */

void mgc__presolve_row(mgc__presolve *ps, uint32_t i)
{
    if (ps->rows.count[i] == 0) {
        empty_row(ps, i);
        return;
    }
    if (ps->rows.count[i] == 1 && presolve_uses(ps, PRESOLVE_SINGLETON_ROW)) {
        singleton_row(ps, i);
        return;
    }
    mgc__presolve_tidy_row(ps, i);
    activity_row(ps, i);
    if (presolve_over(ps) || ps->row_dead[i]) return;
    if (ps->rows.count[i] == 2 && ps->row_lower[i] == ps->row_upper[i]) mgc__presolve_doubleton(ps, i);
}
