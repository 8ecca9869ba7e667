/* SPDX-License-Identifier: Apache-2.0 */
/* The working copy of a program, and how it becomes tighter before the search. */
#include "solver/mip.h"

/* Relaxations need not be solved more exactly than the gap asks; a tenth of it is lost at most. */
#define GAP_PART 0.1
#define NODE_TOLERANCE_MIN 1e-9
#define NODE_TOLERANCE_MAX 1e-5

enum {
    LIFT_ROW_MAX = 64,   /* rows with more entries are left alone: lifting would fill them */
    LIFT_PER_ROW = 3,    /* entries that lifting may add to a row */
    PROBE_MAX = 5000     /* binaries that are tried; later ones are left alone */
};
#define TINY_ROW 1e-3 /* largest coefficient of a row below which it is scaled */
#define LIFT_MIN 1e-3 /* smallest gain, relative to the largest coefficient of the row */

/* --- limits ---------------------------------------------------------------------------------- */

/* Entries between two looks at the clock: some milliseconds of work, beside which a look costs nothing. */
#define ENTRIES_HEARD (UINT64_C(1) << 20)

bool mgc__mip_over(mgc__mip *mip)
{
    const mgc__solve *s = mip->s;

    mip->work_heard = mip->work;
    if (mip->stop != MGC_OUTCOME_NONE) return true;
    if (mgc_ctx_cancelled(mip->ctx)) mip->stop = MGC_OUTCOME_CANCELLED;
    else if (s->deadline_ms > 0 && mgc__now_ms(mip->ctx) >= s->deadline_ms) mip->stop = MGC_OUTCOME_LIMIT;
    return mip->stop != MGC_OUTCOME_NONE;
}

bool mgc__mip_works(mgc__mip *mip, uint64_t entries)
{
    mip->work += entries;
    return mip->stop != MGC_OUTCOME_NONE || (mip->work - mip->work_heard >= ENTRIES_HEARD && mgc__mip_over(mip));
}

/* --- copy ------------------------------------------------------------------------------------ */

static void *copy_of(mgc_ctx *ctx, const void *from, size_t n, size_t size)
{
    void *to = mgc__alloc(ctx, n, size);

    if (to != NULL && n > 0) memcpy(to, from, n * size);
    return to;
}

static void free_rows(mgc__mip *mip)
{
    mgc__free(mip->ctx, mip->row_start);
    mgc__free(mip->ctx, mip->row_col);
    mgc__free(mip->ctx, mip->row_val);
    mip->row_start = mip->row_col = NULL;
    mip->row_val = NULL;
}

/* Rows from columns. */
static mgc_status make_rows(mgc__mip *mip)
{
    mgc__csc t;
    mgc_status st = mgc__csc_transpose(mip->ctx, &mip->a, &t, NULL);

    if (st != MGC_OK) return st;
    free_rows(mip);
    mip->row_start = t.start;
    mip->row_col = t.row;
    mip->row_val = t.value;
    return MGC_OK;
}

static mgc_status copy_matrix(mgc__mip *mip, const mgc__csc *a)
{
    size_t nnz = a->start[a->cols];
    mgc_status st = mgc__csc_alloc(mip->ctx, a->rows, a->cols, nnz, &mip->a);

    if (st != MGC_OK) return st;
    memcpy(mip->a.start, a->start, ((size_t)a->cols + 1) * sizeof *a->start);
    if (nnz > 0) memcpy(mip->a.row, a->row, nnz * sizeof *a->row);
    if (nnz > 0) memcpy(mip->a.value, a->value, nnz * sizeof *a->value);
    return MGC_OK;
}

static bool copy_bounds(mgc__mip *mip, const mgc__qp *qp)
{
    mip->row_lower = copy_of(mip->ctx, qp->row_lower, qp->m, sizeof(double));
    mip->row_upper = copy_of(mip->ctx, qp->row_upper, qp->m, sizeof(double));
    mip->lower = copy_of(mip->ctx, qp->lower, qp->n, sizeof(double));
    mip->upper = copy_of(mip->ctx, qp->upper, qp->n, sizeof(double));
    mip->box_lower = mgc__alloc(mip->ctx, qp->n, sizeof(double));
    mip->box_upper = mgc__alloc(mip->ctx, qp->n, sizeof(double));
    mip->best = mgc__alloc(mip->ctx, qp->n, sizeof(double));
    return mip->row_lower != NULL && mip->row_upper != NULL && mip->lower != NULL && mip->upper != NULL &&
           mip->box_lower != NULL && mip->box_upper != NULL && mip->best != NULL;
}

static bool list_integers(mgc__mip *mip)
{
    mip->ints = mgc__alloc(mip->ctx, mip->n_int, sizeof *mip->ints);
    mip->root_z = mgc__alloc(mip->ctx, mip->n_int, sizeof *mip->root_z);
    mip->root_x = mgc__alloc(mip->ctx, mip->n_int, sizeof *mip->root_x);
    mip->root_at = mgc__alloc(mip->ctx, 2 * (size_t)mip->n_int, sizeof *mip->root_at);
    if (mip->root_at == NULL || mip->ints == NULL || mip->root_z == NULL || mip->root_x == NULL) return false;
    for (uint32_t j = 0, k = 0; j < mip->n; j++) {
        if (!mip->integer[j]) continue;
        mip->ints[k++] = j;
        mip->lower[j] = ceil(mip->lower[j] - MIP_INTEGRAL);
        mip->upper[j] = floor(mip->upper[j] + MIP_INTEGRAL);
    }
    return true;
}

/* Rows of tiny coefficients would be met by any integers, to the absolute tolerances of what is to come: they are
 * brought to size.  Powers of two round nothing.  Large ones stay: the caller's residuals count. */
static void enlarge_tiny_rows(mgc__mip *mip, double *largest)
{
    for (uint32_t e = 0; e < mip->a.start[mip->n]; e++)
        largest[mip->a.row[e]] = fmax(largest[mip->a.row[e]], fabs(mip->a.value[e]));
    for (uint32_t i = 0; i < mip->m; i++) {
        bool tiny = largest[i] > 0.0 && largest[i] < TINY_ROW;
        double factor = tiny ? exp2(-floor(log2(largest[i]))) : 1.0;
        largest[i] = isfinite(factor) ? factor : 1.0;
        mip->row_lower[i] *= largest[i];
        mip->row_upper[i] *= largest[i];
    }
    for (uint32_t e = 0; e < mip->a.start[mip->n]; e++) mip->a.value[e] *= largest[mip->a.row[e]];
}

/* Only whole values occur where every column with a cost is integer and has a whole one. */
static bool whole_objective(const mgc__mip *mip)
{
    if (mip->q != NULL) return false;
    for (uint32_t j = 0; j < mip->n; j++)
        if (mip->c[j] != 0.0 && (!mip->integer[j] || mip->c[j] != nearbyint(mip->c[j]) || fabs(mip->c[j]) > 1e9))
            return false;
    return true;
}

mgc_status mgc__mip_setup(mgc__mip *mip, mgc__solve *s)
{
    mgc__qp qp;

    mgc__program_qp(s->p, &qp);
    *mip = (mgc__mip){.s = s,
                      .ctx = s->p->ctx,
                      .n = qp.n,
                      .m = qp.m,
                      .n_int = s->p->integers,
                      .integer = s->p->integer,
                      .c = qp.c,
                      .q = qp.q,
                      .root_bound = -INFINITY,
                      .excluded = INFINITY,
                      .incumbent = INFINITY};
    mip->node_tolerance = fmin(fmax(GAP_PART * s->opts.gap, NODE_TOLERANCE_MIN), NODE_TOLERANCE_MAX);
    mip->node_tolerance = fmax(mip->node_tolerance, fmin(s->opts.tolerance, NODE_TOLERANCE_MAX));
    mgc_status st = copy_matrix(mip, qp.a);
    if (st != MGC_OK) return st;
    if (!copy_bounds(mip, &qp) || !list_integers(mip)) return mgc__no_memory(mip->ctx, "a copy of the program");
    double *work = mgc__alloc(mip->ctx, mip->m, sizeof *work);
    if (work == NULL) return mgc__no_memory(mip->ctx, "a copy of the program");
    enlarge_tiny_rows(mip, work);
    mgc__free(mip->ctx, work);
    st = make_rows(mip);
    if (st != MGC_OK) return st;
    mip->whole_objective = whole_objective(mip);
    memcpy(mip->box_lower, mip->lower, mip->n * sizeof(double));
    memcpy(mip->box_upper, mip->upper, mip->n * sizeof(double));
    return MGC_OK;
}

static double *copy_numbers(mgc_ctx *ctx, const double *from, size_t n)
{
    return copy_of(ctx, from, n, sizeof *from);
}

mgc_status mgc__mip_set_rows(mgc__mip *mip, uint32_t m, const uint32_t *start, const uint32_t *col, const double *val,
                             const double *lower, const double *upper)
{
    mgc_ctx *ctx = mip->ctx;
    mgc__csc rows = {.rows = mip->n, .cols = m}, a;
    double *low = copy_numbers(ctx, lower, m), *high = copy_numbers(ctx, upper, m);

    mgc_status st = low != NULL && high != NULL ? MGC_OK : mgc__no_memory(ctx, "rows");
    if (st == MGC_OK) st = mgc__csc_alloc(ctx, mip->n, m, start[m], &rows);
    if (st == MGC_OK) {
        memcpy(rows.start, start, ((size_t)m + 1) * sizeof *start);
        if (start[m] > 0) memcpy(rows.row, col, start[m] * sizeof *col);
        if (start[m] > 0) memcpy(rows.value, val, start[m] * sizeof *val);
        st = mgc__csc_transpose(ctx, &rows, &a, NULL);
        mgc__csc_free(ctx, &rows);
    }
    if (st != MGC_OK) {
        mgc__free(ctx, low);
        mgc__free(ctx, high);
        return st;
    }
    mgc__mip_workers_free(mip); /* theirs are of the old rows, and so is the anchor */
    mgc__ipm_anchor_destroy(mip->anchor);
    mip->anchor = NULL;
    mgc__schedules_destroy(mip->schedules);
    mip->schedules = NULL;
    mgc__csc_free(ctx, &mip->a);
    mgc__free(ctx, mip->row_lower);
    mgc__free(ctx, mip->row_upper);
    mip->a = a;
    mip->m = m;
    mip->row_lower = low;
    mip->row_upper = high;
    return make_rows(mip);
}

void mgc__mip_free(mgc__mip *mip)
{
    mgc__mip_workers_free(mip);
    mgc__ipm_anchor_destroy(mip->anchor);
    mgc__csc_free(mip->ctx, &mip->a);
    free_rows(mip);
    mgc__free(mip->ctx, mip->ints);
    mgc__free(mip->ctx, mip->row_lower);
    mgc__free(mip->ctx, mip->row_upper);
    mgc__free(mip->ctx, mip->lower);
    mgc__free(mip->ctx, mip->upper);
    mgc__free(mip->ctx, mip->box_lower);
    mgc__free(mip->ctx, mip->box_upper);
    mgc__free(mip->ctx, mip->best);
    mgc__free(mip->ctx, mip->root_z);
    mgc__free(mip->ctx, mip->root_x);
    mgc__free(mip->ctx, mip->root_at);
    mgc__schedules_destroy(mip->schedules);
    mgc__free(mip->ctx, mip->tried);
}

/* --- probing and lifting --------------------------------------------------------------------- */

/* Entries that lifting adds, until the matrix is built anew. */
struct lift {
    uint32_t *row, *col;
    double *value;
    size_t n, row_cap, col_cap, value_cap;
    uint8_t *count;    /* m; lifts of each row */
    uint32_t *seen;    /* m; stamp of the last look */
    uint32_t stamp;
    double *shift;     /* m; what the finite side of each row is reduced by, once the entries are in */
    double *root_high; /* m; largest value of each row within the box: rows that cannot bind are left alone */
};

static bool lift_push(mgc_ctx *ctx, struct lift *l, uint32_t row, uint32_t col, double value)
{
    void *r = l->row, *c = l->col, *v = l->value;
    bool ok = mgc__grow(ctx, &r, &l->row_cap, l->n + 1, sizeof *l->row) &&
              mgc__grow(ctx, &c, &l->col_cap, l->n + 1, sizeof *l->col) &&
              mgc__grow(ctx, &v, &l->value_cap, l->n + 1, sizeof *l->value);

    l->row = r;
    l->col = c;
    l->value = v;
    if (!ok) return false;
    l->row[l->n] = row;
    l->col[l->n] = col;
    l->value[l->n++] = value;
    return true;
}

/* With column j at `value` the row a'x <= b never exceeds `high` < b.  So
 *     value 1:  a'x + (b - high) x_j <= b,     value 0:  a'x - (b - high) x_j <= high
 * hold too and cut off more of the relaxation (Savelsbergh 1994, section 3.2: coefficients improved by probing).
 * Rows a'x >= b are read as -a'x <= -b; rows with two sides are left alone. */
static bool lift_row(mgc__mip *mip, const mgc__domain *d, struct lift *l, uint32_t row, uint32_t j, double value)
{
    double lower = mip->row_lower[row], upper = mip->row_upper[row], low, high, largest = 0.0;
    bool mirrored = !isfinite(upper);

    if (l->count[row] >= LIFT_PER_ROW || isfinite(lower) == isfinite(upper) ||
        mip->row_start[row + 1] - mip->row_start[row] > LIFT_ROW_MAX)
        return true;
    double side = mirrored ? -lower : upper;
    if (!(l->root_high[row] > side)) return true;
    mgc__domain_activity(d, row, &low, &high);
    double top = mirrored ? -low : high;
    for (uint32_t k = mip->row_start[row]; k < mip->row_start[row + 1]; k++) {
        if (mip->row_col[k] == j) return true; /* its own coefficient is the modeller's */
        largest = fmax(largest, fabs(mip->row_val[k]));
    }
    double gain = side - top;
    if (!isfinite(gain) || gain < LIFT_MIN * largest || gain > 10.0 * largest) return true;
    gain *= 1.0 - 1e-9; /* rounding must not cut off a point */
    double coefficient = value > 0.5 ? gain : -gain;
    if (!lift_push(mip->ctx, l, row, j, mirrored ? -coefficient : coefficient)) return false;
    l->count[row] = LIFT_PER_ROW; /* once per pass: activities above do not know the new entry */
    if (value < 0.5) l->shift[row] = gain;
    return true;
}

/* Rows of every column that the trial moved. */
static bool lift_from_trial(mgc__mip *mip, const mgc__domain *d, struct lift *l, size_t mark, uint32_t j,
                            double value)
{
    l->stamp++;
    for (size_t t = mark; t < d->n_trail; t++) {
        uint32_t c = d->trail[t].column;
        for (uint32_t k = mip->a.start[c]; k < mip->a.start[c + 1]; k++) {
            uint32_t row = mip->a.row[k];
            if (l->seen[row] == l->stamp) continue;
            l->seen[row] = l->stamp;
            if (mgc__mip_works(mip, mip->row_start[row + 1] - mip->row_start[row])) return true;
            if (!lift_row(mip, d, l, row, j, value)) return false;
        }
    }
    return true;
}

/* Try j at both values.  One that is impossible fixes j at the other. */
static bool probe_column(mgc__mip *mip, mgc__domain *d, struct lift *l, uint32_t j, bool *infeasible)
{
    for (int value = 1; value >= 0 && d->lower[j] != d->upper[j]; value--) {
        size_t mark = d->n_trail;
        bool possible = mgc__domain_set(d, j, value, value) && mgc__domain_propagate(d);
        bool ok = !possible || lift_from_trial(mip, d, l, mark, j, value);
        mgc__domain_undo(d, mark);
        if (!ok) return false;
        if (!possible && !(mgc__domain_set(d, j, 1 - value, 1 - value) && mgc__domain_propagate(d))) {
            *infeasible = true;
            return true;
        }
    }
    return true;
}

/* The matrix with the new entries. */
static mgc_status rebuild(mgc__mip *mip, const struct lift *l)
{
    size_t nnz = mip->a.start[mip->n], total = nnz + l->n;
    uint32_t *row = mgc__alloc(mip->ctx, total, sizeof *row), *col = mgc__alloc(mip->ctx, total, sizeof *col);
    double *value = mgc__alloc(mip->ctx, total, sizeof *value);
    mgc_status st =
        row != NULL && col != NULL && value != NULL ? MGC_OK : mgc__no_memory(mip->ctx, "a tighter matrix");
    mgc__csc a = {0};

    for (uint32_t j = 0; st == MGC_OK && j < mip->n; j++)
        for (uint32_t k = mip->a.start[j]; k < mip->a.start[j + 1]; k++) {
            row[k] = mip->a.row[k];
            col[k] = j;
            value[k] = mip->a.value[k];
        }
    for (size_t k = 0; st == MGC_OK && k < l->n; k++) {
        row[nnz + k] = l->row[k];
        col[nnz + k] = l->col[k];
        value[nnz + k] = l->value[k];
    }
    if (st == MGC_OK) st = mgc__csc_from_triplets(mip->ctx, mip->m, mip->n, total, row, col, value, &a);
    mgc__free(mip->ctx, row);
    mgc__free(mip->ctx, col);
    mgc__free(mip->ctx, value);
    if (st != MGC_OK) return st;
    mgc__csc_free(mip->ctx, &mip->a);
    mip->a = a;
    for (uint32_t i = 0; i < mip->m; i++) {
        if (isfinite(mip->row_upper[i])) mip->row_upper[i] -= l->shift[i];
        else mip->row_lower[i] += l->shift[i];
    }
    return make_rows(mip);
}

/* The box as propagation knows it now; integer bounds go to the relaxation too. */
static void adopt_box(mgc__mip *mip, const mgc__domain *d)
{
    memcpy(mip->box_lower, d->lower, mip->n * sizeof(double));
    memcpy(mip->box_upper, d->upper, mip->n * sizeof(double));
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        mip->lower[j] = d->lower[j];
        mip->upper[j] = d->upper[j];
    }
}

/* What was found until the time is over, or the solve cancelled, holds: each column is tried by itself. */
static bool probe_all(mgc__mip *mip, mgc__domain *d, struct lift *l, bool *infeasible)
{
    uint32_t tried = 0;

    for (uint32_t i = 0; i < mip->m; i++) {
        double low, high;
        mgc__domain_activity(d, i, &low, &high);
        l->root_high[i] = isfinite(mip->row_upper[i]) ? high : -low;
    }
    for (uint32_t k = 0; k < mip->n_int && tried < PROBE_MAX && !*infeasible; k++) {
        uint32_t j = mip->ints[k];
        if (d->lower[j] != 0.0 || d->upper[j] != 1.0) continue;
        tried++;
        if (mgc__mip_over(mip)) break;
        if (!probe_column(mip, d, l, j, infeasible)) return false;
    }
    return !d->no_memory;
}

/* An empty row that misses 0 clearly: propagation would let it pass. */
static bool empty_row_contradicts(const mgc__mip *mip)
{
    for (uint32_t i = 0; i < mip->m; i++) {
        double miss = fmax(mip->row_lower[i], -mip->row_upper[i]);
        if (mip->row_start[i] == mip->row_start[i + 1] && miss > MGC__EMPTY_ROW_MET * (1.0 + miss)) return true;
    }
    return false;
}

mgc_status mgc__mip_probe(mgc__mip *mip, mgc__domain *d, bool *infeasible)
{
    struct lift l = {0};

    mgc__domain_reset(d);
    *infeasible = empty_row_contradicts(mip) || !mgc__domain_propagate_all(d);
    if (*infeasible) return MGC_OK;
    l.count = mgc__alloc(mip->ctx, mip->m, sizeof *l.count);
    l.seen = mgc__alloc(mip->ctx, mip->m, sizeof *l.seen);
    l.root_high = mgc__alloc(mip->ctx, mip->m, sizeof *l.root_high);
    l.shift = mgc__alloc(mip->ctx, mip->m, sizeof *l.shift);
    bool ok = l.shift != NULL && l.count != NULL && l.seen != NULL && l.root_high != NULL &&
              probe_all(mip, d, &l, infeasible);
    mgc_status st = ok ? MGC_OK : mgc__no_memory(mip->ctx, "probing");
    if (ok) adopt_box(mip, d);
    if (ok && !*infeasible && l.n > 0) st = rebuild(mip, &l);
    mgc__free(mip->ctx, l.row);
    mgc__free(mip->ctx, l.col);
    mgc__free(mip->ctx, l.value);
    mgc__free(mip->ctx, l.count);
    mgc__free(mip->ctx, l.seen);
    mgc__free(mip->ctx, l.root_high);
    mgc__free(mip->ctx, l.shift);
    if (st == MGC_OK) mgc__domain_reset(d); /* its rows may be others now */
    return st;
}
