/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds of cuts at the root: solve, separate, add the best, drop what does not bind; the bound only rises.
 * Method: doc/math/mixed-integer.md, section "Cuts". */
#include "solver/mip_cuts.h"

enum {
    ROUNDS_MAX = 20,
    IDLE_MAX = 2,       /* a cut that did not bind in so many relaxations in a row is dropped */
    CUTS_LEAST = 50     /* a round may add so many, and a share of the rows */
};
#define CUTS_SHARE 0.25 /* of the rows, added in a round at most */
#define PARALLEL 0.7    /* cosine of the angle between cuts of a round, at most */
/* Of what all rounds have gained: less ends them.  Rows that a late round brings weigh on every node: 30 days of 24 to 96
 * periods and one scenario take 9 % more time with 0.02, half of them 4, 2 and 31 % more with 0.1, 0.5 and 1. */
#define PROGRESS 0.3
#define BINDING 1e-3    /* slack of a cut that binds, in units of its largest coefficient */
/* Of the relaxations between rounds: an interior point is cut off as well as an optimum. */
#define ROUND_TOLERANCE 1e-4

/* The program without cuts, by rows, and the cuts that stand among them. */
struct rounds {
    mgc__mip *mip;
    uint32_t m;
    uint32_t *start, *col; /* rows without cuts */
    double *val, *lower, *upper;
    mgc__cuts kept, fresh;
    uint32_t *origin;      /* of each row of mip: index among the rows without cuts */
    double *dense;         /* n; zeros between uses */
    double first, last;    /* bounds before any round, and after the last one */
    bool changed;
};

/* --- set-up ---------------------------------------------------------------------------------- */

static void cut_free(mgc_ctx *ctx, mgc__cut *cut)
{
    mgc__free(ctx, cut->column);
    mgc__free(ctx, cut->value);
    *cut = (mgc__cut){0};
}

void mgc__cuts_free(mgc_ctx *ctx, mgc__cuts *cuts)
{
    for (size_t i = 0; i < cuts->n; i++) cut_free(ctx, &cuts->cut[i]);
    mgc__free(ctx, cuts->cut);
    *cuts = (mgc__cuts){0};
}

static void *copy_of(mgc_ctx *ctx, const void *from, size_t n, size_t size)
{
    void *to = mgc__alloc(ctx, n, size);

    if (to != NULL && n > 0) memcpy(to, from, n * size);
    return to;
}

static mgc_status rounds_init(struct rounds *q, mgc__mip *mip)
{
    mgc_ctx *ctx = mip->ctx;
    size_t nnz = mip->row_start[mip->m];

    *q = (struct rounds){.mip = mip, .m = mip->m};
    q->start = copy_of(ctx, mip->row_start, (size_t)mip->m + 1, sizeof *q->start);
    q->col = copy_of(ctx, mip->row_col, nnz, sizeof *q->col);
    q->val = copy_of(ctx, mip->row_val, nnz, sizeof *q->val);
    q->lower = copy_of(ctx, mip->row_lower, mip->m, sizeof *q->lower);
    q->upper = copy_of(ctx, mip->row_upper, mip->m, sizeof *q->upper);
    q->origin = mgc__alloc(ctx, mip->m, sizeof *q->origin);
    q->dense = mgc__alloc(ctx, mip->n, sizeof *q->dense);
    bool ok = q->start != NULL && q->col != NULL && q->val != NULL && q->lower != NULL && q->upper != NULL &&
              q->origin != NULL && q->dense != NULL;
    for (uint32_t i = 0; ok && i < mip->m; i++) q->origin[i] = i;
    return ok ? MGC_OK : mgc__no_memory(ctx, "rounds of cuts");
}

static void rounds_free(struct rounds *q)
{
    mgc_ctx *ctx = q->mip->ctx;

    mgc__cuts_free(ctx, &q->kept);
    mgc__cuts_free(ctx, &q->fresh);
    mgc__free(ctx, q->start);
    mgc__free(ctx, q->col);
    mgc__free(ctx, q->val);
    mgc__free(ctx, q->lower);
    mgc__free(ctx, q->upper);
    mgc__free(ctx, q->origin);
    mgc__free(ctx, q->dense);
}

/* --- rows with and without cuts --------------------------------------------------------------- */

/* Cuts in the order of the rows beside which they stand; the order among equals stays. */
static void sort_by_base(mgc__cuts *cuts)
{
    for (size_t i = 1; i < cuts->n; i++) {
        mgc__cut one = cuts->cut[i];
        size_t at = i;
        for (; at > 0 && one.base < cuts->cut[at - 1].base; at--) cuts->cut[at] = cuts->cut[at - 1];
        cuts->cut[at] = one;
    }
}

/* A program's rows, as they are put together. */
struct table {
    uint32_t *start, *col, *origin;
    double *val, *lower, *upper;
    uint32_t rows;
};

static bool table_alloc(mgc_ctx *ctx, struct table *t, size_t rows, size_t entries)
{
    t->start = mgc__alloc(ctx, rows + 1, sizeof *t->start);
    t->col = mgc__alloc(ctx, entries, sizeof *t->col);
    t->origin = mgc__alloc(ctx, rows, sizeof *t->origin);
    t->val = mgc__alloc(ctx, entries, sizeof *t->val);
    t->lower = mgc__alloc(ctx, rows, sizeof *t->lower);
    t->upper = mgc__alloc(ctx, rows, sizeof *t->upper);
    return t->start != NULL && t->col != NULL && t->origin != NULL && t->val != NULL && t->lower != NULL &&
           t->upper != NULL;
}

static void put_row(struct table *t, uint32_t origin, uint32_t n, const uint32_t *col, const double *val,
                    double lower, double upper)
{
    uint32_t at = t->start[t->rows];

    if (n > 0) memcpy(t->col + at, col, n * sizeof *col);
    if (n > 0) memcpy(t->val + at, val, n * sizeof *val);
    t->lower[t->rows] = lower;
    t->upper[t->rows] = upper;
    t->origin[t->rows] = origin;
    t->start[++t->rows] = at + n;
}

/* The program's rows with the cuts that are kept, each next to the row it began with: what belongs together stays
 * together in the order of elimination. */
static mgc_status rebuild(struct rounds *q)
{
    mgc_ctx *ctx = q->mip->ctx;
    struct table t = {0};
    size_t entries = q->start[q->m], c = 0;
    mgc_status st = MGC_OK;

    sort_by_base(&q->kept);
    for (size_t i = 0; i < q->kept.n; i++) entries += q->kept.cut[i].n;
    if (entries > MGC__CSC_MAX || !table_alloc(ctx, &t, q->m + q->kept.n, entries))
        st = mgc__no_memory(ctx, "rows of cuts");
    for (uint32_t i = 0; st == MGC_OK && i < q->m; i++) {
        uint32_t at = q->start[i];
        put_row(&t, i, q->start[i + 1] - at, q->col + at, q->val + at, q->lower[i], q->upper[i]);
        for (; c < q->kept.n && q->kept.cut[c].base == i; c++) {
            const mgc__cut *cut = &q->kept.cut[c];
            put_row(&t, i, cut->n, cut->column, cut->value, -INFINITY, cut->upper);
        }
    }
    if (st == MGC_OK) st = mgc__mip_set_rows(q->mip, t.rows, t.start, t.col, t.val, t.lower, t.upper);
    mgc__free(ctx, t.start);
    mgc__free(ctx, t.col);
    mgc__free(ctx, t.val);
    mgc__free(ctx, t.lower);
    mgc__free(ctx, t.upper);
    mgc__free(ctx, q->origin);
    q->origin = t.origin;
    return st;
}

/* --- choosing --------------------------------------------------------------------------------- */

/* Columns count by the range that they move in: kW beside on and off. */
static double reach_of(const mgc__mip *mip, uint32_t j)
{
    double range = mip->box_upper[j] - mip->box_lower[j];

    return isfinite(range) ? fmin(range, 1e6) : 1e3;
}

static double cosine(struct rounds *q, const mgc__cut *a, const mgc__cut *b)
{
    double product = 0.0, aa = 0.0, bb = 0.0;

    for (uint32_t e = 0; e < a->n; e++) {
        double v = a->value[e] * reach_of(q->mip, a->column[e]);
        q->dense[a->column[e]] = v;
        aa += v * v;
    }
    for (uint32_t e = 0; e < b->n; e++) {
        double v = b->value[e] * reach_of(q->mip, b->column[e]);
        product += q->dense[b->column[e]] * v;
        bb += v * v;
    }
    for (uint32_t e = 0; e < a->n; e++) q->dense[a->column[e]] = 0.0;
    return aa * bb > 0.0 ? product / sqrt(aa * bb) : 1.0;
}

/* Fresh cuts by efficacy, best first; the order among equals stays. */
static void sort_by_efficacy(mgc__cuts *cuts)
{
    for (size_t i = 1; i < cuts->n; i++) {
        mgc__cut one = cuts->cut[i];
        size_t at = i;
        for (; at > 0 && one.efficacy > cuts->cut[at - 1].efficacy; at--) cuts->cut[at] = cuts->cut[at - 1];
        cuts->cut[at] = one;
    }
}

/* Move the best of the fresh cuts to those that are kept: greedy, none nearly parallel to a better one. */
static mgc_status choose(struct rounds *q, size_t *chosen)
{
    mgc_ctx *ctx = q->mip->ctx;
    size_t most = (size_t)(CUTS_SHARE * q->m) + CUTS_LEAST, first = q->kept.n;
    void *list = q->kept.cut;

    sort_by_efficacy(&q->fresh);
    *chosen = 0;
    bool ok = mgc__grow(ctx, &list, &q->kept.cap, q->kept.n + q->fresh.n, sizeof *q->kept.cut);
    q->kept.cut = list;
    if (!ok) return mgc__no_memory(ctx, "cuts");
    for (size_t i = 0; i < q->fresh.n && *chosen < most; i++) {
        bool near = false;
        for (size_t k = first; k < q->kept.n && !near; k++)
            if (mgc__mip_works(q->mip, q->fresh.cut[i].n + q->kept.cut[k].n)) near = true; /* none of the rest joins */
            else near = cosine(q, &q->fresh.cut[i], &q->kept.cut[k]) > PARALLEL;
        if (near) continue;
        q->kept.cut[q->kept.n++] = q->fresh.cut[i];
        q->fresh.cut[i] = (mgc__cut){0};
        ++*chosen;
    }
    mgc__cuts_free(ctx, &q->fresh);
    return MGC_OK;
}

/* Forget cuts that have not bound for `patience` relaxations. */
static void drop_idle(struct rounds *q, const double *x, uint32_t patience)
{
    size_t left = 0;

    for (size_t i = 0; i < q->kept.n; i++) {
        mgc__cut *cut = &q->kept.cut[i];
        double slack = cut->upper;
        for (uint32_t e = 0; e < cut->n; e++) slack -= cut->value[e] * x[cut->column[e]];
        cut->idle = slack > BINDING ? cut->idle + 1 : 0;
        if (cut->idle >= patience) cut_free(q->mip->ctx, cut);
        else q->kept.cut[left++] = *cut;
    }
    q->kept.n = left;
}

/* --- rounds ----------------------------------------------------------------------------------- */

/* Rows of fresh cuts are said in terms of the program without cuts. */
static mgc_status separate(struct rounds *q, const double *x)
{
    mgc__separator *sep;
    mgc_status st = mgc__separator_create(q->mip, &sep);

    if (st == MGC_OK) {
        mgc__separator_set_point(sep, x);
        st = mgc__separate(sep, &q->fresh);
    }
    mgc__separator_destroy(sep);
    for (size_t i = 0; i < q->fresh.n; i++) q->fresh.cut[i].base = q->origin[q->fresh.cut[i].base];
    return st;
}

/* Separate the point of the last relaxation and solve again. */
static mgc_status one_round(struct rounds *q, mgc__relaxation *r, bool *more)
{
    size_t chosen;
    mgc_status st = separate(q, r->x);

    *more = false;
    if (st != MGC_OK || mgc__mip_over(q->mip)) return st;
    drop_idle(q, r->x, IDLE_MAX);
    st = choose(q, &chosen);
    if (st != MGC_OK || chosen == 0) return st;
    q->changed = true;
    st = rebuild(q);
    memcpy(r->lower, q->mip->box_lower, q->mip->n * sizeof(double));
    memcpy(r->upper, q->mip->box_upper, q->mip->n * sizeof(double));
    if (st == MGC_OK) st = mgc__mip_relax(q->mip, r, 1);
    *more = r->outcome == MGC_OUTCOME_OPTIMAL && isfinite(r->bound) &&
            r->bound - q->last > PROGRESS * (r->bound - q->first);
    q->last = r->bound;
    return st;
}

/* A relaxation that was stopped tells nothing of which cuts bind: they all stay. */
static mgc_status finish(struct rounds *q, const mgc__relaxation *r)
{
    size_t before = q->kept.n;

    if (before == 0 || r->outcome != MGC_OUTCOME_OPTIMAL) return MGC_OK;
    drop_idle(q, r->x, 1);
    return q->kept.n < before ? rebuild(q) : MGC_OK;
}

mgc_status mgc__mip_cut(mgc__mip *mip, mgc__relaxation *r, mgc__after_round *after, void *user, bool *added)
{
    struct rounds q;
    bool more = true, stop = false;

    *added = false;
    if (mgc__mip_has_scenarios(mip)) return MGC_OK;
    mgc_status st = rounds_init(&q, mip);
    q.first = q.last = r->bound;
    r->cutoff = INFINITY;
    r->decide = false;
    r->tolerance = ROUND_TOLERANCE;
    for (int round = 0; st == MGC_OK && more && !stop && round < ROUNDS_MAX; round++) {
        st = one_round(&q, r, &more);
        if (st == MGC_OK && more) st = after(user, r, &stop);
    }
    if (st == MGC_OK) st = finish(&q, r);
    r->tolerance = 0.0;
    *added = q.changed;
    rounds_free(&q);
    return st;
}
