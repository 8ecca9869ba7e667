/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that are multiples of one another, and columns (Tomlin and Welch 1986; Andersen and Andersen 1995).
 *
 * Lines of one pattern are found by a hash of it that does not depend on the order of the entries; whether they are
 * parallel is then compared entry by entry. */
#include "solver/presolve_private.h"

enum { PROBES_MAX = 16 }; /* lines of one pattern that one line is compared with: dense programs have many */
#define PARALLEL_EQUAL 1e-12 /* relative: coefficients that count as equal */

struct line {
    uint64_t hash;
    double ratio; /* sum of weighted entries over the leading one: parallel lines agree */
};

static uint64_t mix(uint64_t x) /* splitmix64, Steele, Lea and Flood 2014 */
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static struct line hash_line(const struct lines *l, uint32_t k)
{
    struct line h = {0};
    uint32_t leading = UINT32_MAX;
    double lead = 1.0, sum = 0.0;

    for (uint32_t e = l->start[k]; e < l->start[k] + l->count[k]; e++) {
        uint64_t m = mix(l->index[e]);
        h.hash += m;
        sum += l->value[e] * (1.0 + (double)(m >> 40) * 0x1p-24);
        if (l->index[e] < leading) {
            leading = l->index[e];
            lead = l->value[e];
        }
    }
    h.ratio = sum / lead;
    return h;
}

/* s with line i = s * line k; 0: not parallel.  Both have one pattern, but hashes may lie: that is checked too.
 * dense: zeroed work space, left zeroed. */
static double parallel(const struct lines *l, uint32_t i, uint32_t k, double *dense)
{
    double s = 0.0;

    if (l->count[i] != l->count[k]) return 0.0;
    for (uint32_t e = l->start[k]; e < l->start[k] + l->count[k]; e++) dense[l->index[e]] = l->value[e];
    for (uint32_t e = l->start[i]; e < l->start[i] + l->count[i]; e++) {
        double other = dense[l->index[e]];
        if (e == l->start[i]) s = other != 0.0 ? l->value[e] / other : 0.0;
        if (s == 0.0 || fabs(l->value[e] - s * other) > PARALLEL_EQUAL * fabs(l->value[e])) {
            s = 0.0;
            break;
        }
    }
    for (uint32_t e = l->start[k]; e < l->start[k] + l->count[k]; e++) dense[l->index[e]] = 0.0;
    return s;
}

/* Open addressing: slots hold lines; power of two above twice their number. */
struct table {
    uint32_t *slot; /* line + 1, or 0 */
    struct line *line;
    size_t mask;
};

static bool table_make(mgc__presolve *ps, struct table *t, uint32_t n)
{
    size_t size = 16;

    while (size < 2 * (size_t)n) size *= 2;
    t->mask = size - 1;
    t->slot = mgc__alloc(ps->ctx, size, sizeof *t->slot);
    t->line = mgc__alloc(ps->ctx, n, sizeof *t->line);
    if (t->slot == NULL || t->line == NULL) ps->status = mgc__no_memory(ps->ctx, "presolve");
    return ps->status == MGC_OK;
}

static void table_free(mgc__presolve *ps, struct table *t)
{
    mgc__free(ps->ctx, t->slot);
    mgc__free(ps->ctx, t->line);
}

/* Columns for each that differs by how many entries its rows have, on the program as it was: about the number of
 * scenarios or periods in a program that repeats itself. */
double mgc__presolve_alike(mgc__presolve *ps)
{
    const mgc__csc *a = ps->original.a;
    struct table t = {0};
    uint32_t *count = ps->row_source;
    size_t distinct = 0;

    if (!table_make(ps, &t, a->cols)) {
        table_free(ps, &t);
        return 0.0;
    }
    memset(count, 0, a->rows * sizeof *count);
    for (uint32_t k = 0; k < a->start[a->cols]; k++) count[a->row[k]]++;
    for (uint32_t j = 0; j < a->cols; j++) {
        uint64_t hash = a->start[j + 1] - a->start[j];
        for (uint32_t k = a->start[j]; k < a->start[j + 1]; k++) hash += mix(count[a->row[k]]);
        size_t at = mix(hash) & t.mask;
        while (t.slot[at] != 0 && t.line[t.slot[at] - 1].hash != hash) at = (at + 1) & t.mask;
        t.line[j].hash = hash;
        if (t.slot[at] != 0) continue;
        t.slot[at] = j + 1;
        distinct++;
    }
    table_free(ps, &t);
    return distinct > 0 ? (double)a->cols / (double)distinct : 0.0;
}

typedef void (*merge_fn)(mgc__presolve *ps, uint32_t i, uint32_t k, double s);

/* Compare line i with those before it; merge where one is parallel; keep it in the table where it lives on. */
static void look_up(mgc__presolve *ps, struct table *t, const struct lines *l, uint32_t i, const uint8_t *dead,
                    double *dense, merge_fn merge)
{
    size_t at;
    int probes = 0;

    t->line[i] = hash_line(l, i);
    for (at = t->line[i].hash & t->mask; t->slot[at] != 0; at = (at + 1) & t->mask) {
        uint32_t k = t->slot[at] - 1;
        double difference = fabs(t->line[k].ratio - t->line[i].ratio);
        if (dead[k] || t->line[k].hash != t->line[i].hash || probes++ > PROBES_MAX) continue;
        if (difference > 1e-9 * fabs(t->line[i].ratio) + 1e-9) continue;
        double s = parallel(l, i, k, dense);
        if (s == 0.0) continue;
        merge(ps, i, k, s);
        if (presolve_over(ps) || dead[i]) return;
    }
    t->slot[at] = i + 1;
}

/* --- (P10) parallel rows -----------------------------------------------------------------------
 *
 * a_i = s a_k: row i says  row_lower_i/s <= a_k'x <= row_upper_i/s  (mirrored for s < 0); row k takes the tighter
 * ones. On the way back a multiplier that leans on a side which came from i is that of i: y_i = y_k/s. */

static void merge_rows(mgc__presolve *ps, uint32_t i, uint32_t k, double s)
{
    double lower = (s > 0.0 ? ps->row_lower[i] : ps->row_upper[i]) / s;
    double upper = (s > 0.0 ? ps->row_upper[i] : ps->row_lower[i]) / s;
    double new_lower = fmax(lower, ps->row_lower[k]), new_upper = fmin(upper, ps->row_upper[k]);
    double gap = new_lower - new_upper, scale = fmax(ps->row_size[k], ps->row_size[i] / fabs(s));
    uint8_t flags =
        (uint8_t)((lower > ps->row_lower[k] ? LOWER_MOVED : 0) | (upper < ps->row_upper[k] ? UPPER_MOVED : 0));

    if (gap > PRESOLVE_CLEAR * scale) {
        bool lower_of_i = lower > ps->row_upper[k];
        mgc__presolve_infeasible(ps, i, (lower_of_i ? 1.0 : -1.0) / s, k, lower_of_i ? -1.0 : 1.0);
    }
    if (gap > PRESOLVE_EQUAL * presolve_scale(new_lower, new_upper)) return;
    if (gap > 0.0) { /* by a rounding error */
        if ((flags & LOWER_MOVED) != 0) new_lower = new_upper;
        else new_upper = new_lower;
    }
    struct record *r = mgc__presolve_record(ps, UNDO_PARALLEL_ROW);
    r->row = i;
    r->other_row = k;
    r->a = s;
    r->flags = flags;
    mgc__presolve_remove_row(ps, i);
    ps->row_lower[k] = new_lower;
    ps->row_upper[k] = new_upper;
    ps->row_size[k] = scale;
    mgc__presolve_touch_row(ps, k);
    ps->info.count[PRESOLVE_PARALLEL_ROW]++;
}

void mgc__presolve_undo_parallel_row(const mgc__presolve *ps, const struct record *r, const struct answer *w)
{
    (void)ps;
    if (w->y == NULL) return;
    double y = w->y[r->other_row];
    bool moved = (y > 0.0 && (r->flags & LOWER_MOVED) != 0) || (y < 0.0 && (r->flags & UPPER_MOVED) != 0);
    w->y[r->row] = moved ? y / r->a : 0.0;
    if (moved) w->y[r->other_row] = 0.0;
}

void mgc__presolve_parallel_rows(mgc__presolve *ps)
{
    struct table t = {0};

    if (!presolve_uses(ps, PRESOLVE_PARALLEL_ROW)) return;
    if (table_make(ps, &t, ps->original.m))
        for (uint32_t i = 0; i < ps->original.m && !presolve_over(ps); i++) {
            if (ps->row_dead[i] || ps->rows.count[i] < 2) continue;
            mgc__presolve_tidy_row(ps, i);
            look_up(ps, &t, &ps->rows, i, ps->row_dead, ps->z, merge_rows);
        }
    table_free(ps, &t);
}

/* --- (P11) parallel columns ---------------------------------------------------------------------
 *
 * a_j = s a_k, so z_j = s z_k + c_j - s c_k.
 *   c_j = s c_k   x_k + s x_j takes the place of both; on the way back z_j = s z_k and any split within the bounds
 *                 keeps z_k (x_k - l_k) + z_j (x_j - l_j) what it was
 *   c_j > s c_k   and s z_k >= 0 because x_k lacks the bound that it would need: x_j goes to its lower bound;
 *                 c_j < s c_k and s z_k <= 0: to its upper one.  Without that bound (-1, s) or (1, -s) is a ray. */

/* Fix j where k is cheaper, or find the ray; false where nothing follows. */
static bool cheaper(mgc__presolve *ps, uint32_t j, uint32_t k, double s, double difference)
{
    bool up_open = ps->upper[k] == INFINITY, down_open = ps->lower[k] == -INFINITY;
    bool down = difference > 0.0 && (s > 0.0 ? up_open : down_open);
    bool up = difference < 0.0 && (s > 0.0 ? down_open : up_open);

    if (!down && !up) return false;
    double bound = down ? ps->lower[j] : ps->upper[j];
    if (!isfinite(bound)) {
        mgc__presolve_unbounded(ps, j, down ? -1.0 : 1.0, k, down ? s : -s);
        return true;
    }
    mgc__presolve_fix(ps, j, bound);
    ps->info.count[PRESOLVE_PARALLEL_COLUMN]++;
    return true;
}

static void join(mgc__presolve *ps, uint32_t j, uint32_t k, double s)
{
    struct record *r = mgc__presolve_record(ps, UNDO_PARALLEL_COLUMN);

    r->column = j;
    r->other_column = k;
    r->a = s;
    r->lower = ps->lower[j];
    r->upper = ps->upper[j];
    r->row_lower = ps->lower[k];
    r->row_upper = ps->upper[k];
    ps->lower[k] += s * (s > 0.0 ? r->lower : r->upper);
    ps->upper[k] += s * (s > 0.0 ? r->upper : r->lower);
    mgc__presolve_remove_column(ps, j);
    mgc__presolve_touch_column(ps, k);
    ps->info.count[PRESOLVE_PARALLEL_COLUMN]++;
}

static void merge_columns(mgc__presolve *ps, uint32_t j, uint32_t k, double s)
{
    double difference = ps->c[j] - s * ps->c[k];

    if (fabs(difference) <= PRESOLVE_DUST * (fabs(ps->c[j]) + fabs(s * ps->c[k]))) {
        join(ps, j, k, s);
    } else if (!cheaper(ps, j, k, s, difference)) {
        (void)cheaper(ps, k, j, 1.0 / s, -difference / s);
    }
}

void mgc__presolve_undo_parallel_column(const mgc__presolve *ps, const struct record *r, const struct answer *w)
{
    uint32_t j = r->column, k = r->other_column;

    (void)ps;
    if (w->x != NULL) {
        double lower_j = presolve_side(r->lower, w->ray), upper_j = presolve_side(r->upper, w->ray);
        double lower_k = presolve_side(r->row_lower, w->ray), upper_k = presolve_side(r->row_upper, w->ray);
        double sum = w->x[k], near = presolve_clip(0.0, lower_j, upper_j);
        double x_k = presolve_clip(sum - r->a * near, lower_k, upper_k);
        w->x[j] = presolve_clip((sum - x_k) / r->a, lower_j, upper_j);
        w->x[k] = presolve_clip(sum - r->a * w->x[j], lower_k, upper_k);
    }
    if (w->y != NULL) w->z[j] = r->a * w->z[k];
}

void mgc__presolve_parallel_columns(mgc__presolve *ps)
{
    struct table t = {0};

    if (!presolve_uses(ps, PRESOLVE_PARALLEL_COLUMN)) return;
    if (table_make(ps, &t, ps->original.n))
        for (uint32_t j = 0; j < ps->original.n && !presolve_over(ps); j++) {
            if (ps->col_dead[j] || ps->cols.count[j] == 0) continue;
            if (!presolve_is_linear(ps, j) || presolve_is_integer(ps, j)) continue;
            mgc__presolve_tidy_column(ps, j);
            look_up(ps, &t, &ps->cols, j, ps->col_dead, ps->y, merge_columns);
        }
    table_free(ps, &t);
}
