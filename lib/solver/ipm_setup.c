/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns are analysed once; values, costs and bounds are loaded for each solve. */
#include "la/lanes.h"
#include "solver/ipm_private.h"

enum { PAGE = 4096 / sizeof(double) };
/* A column of a scenario whose rows all have more than this many times the entries of a mean row is a sum over time; up
 * to what such a column weighs more.  Dispatch programs: 3 serves as well, 12 takes a twentieth more iterations. */
#define REACH_PLAIN 6.0
#define REACH_MOST 100.0

void mgc__ipm_release(mgc__ipm *ipm)
{
    mgc__csc_free(ipm->ctx, &ipm->a);
    mgc__csc_free(ipm->ctx, &ipm->q);
    mgc__csc_free(ipm->ctx, &ipm->k);
    mgc__csc_free(ipm->ctx, &ipm->at);
    mgc__free(ipm->ctx, ipm->a_of_at);
    mgc__free(ipm->ctx, ipm->a_raw);
    mgc__free(ipm->ctx, ipm->q_raw);
    mgc__free(ipm->ctx, ipm->k_of_a);
    mgc__free(ipm->ctx, ipm->k_of_q);
    mgc__free(ipm->ctx, ipm->k_diagonal);
    mgc__free(ipm->ctx, ipm->q_diagonal_value);
    mgc__free(ipm->ctx, ipm->kind);
    mgc__free(ipm->ctx, ipm->block);
    mgc__free(ipm->ctx, ipm->snapshots);
    mgc__free(ipm->ctx, ipm->krylov);
    mgc__free(ipm->ctx, ipm->x_out);
    mgc__ldl_destroy(ipm->ldl);
    mgc__ipm_follow_destroy(ipm);
    *ipm = (mgc__ipm){.ctx = ipm->ctx, .pool = ipm->pool};
}

static bool same_pattern(const mgc__csc *mine, const mgc__csc *theirs)
{
    return mine->rows == theirs->rows && mine->cols == theirs->cols &&
           memcmp(mine->start, theirs->start, ((size_t)mine->cols + 1) * sizeof *mine->start) == 0 &&
           memcmp(mine->row, theirs->row, mine->start[mine->cols] * sizeof *mine->row) == 0;
}

static bool fits(const mgc__ipm *ipm, const mgc__qp *qp)
{
    bool q_used = qp->q && qp->q->start[qp->n] > 0;

    return ipm->analysed && ipm->n == qp->n && ipm->m == qp->m && ipm->has_q == q_used && same_pattern(&ipm->a, qp->a) &&
           (!q_used || same_pattern(&ipm->q, qp->q));
}

static mgc_status copy_pattern(mgc_ctx *ctx, const mgc__csc *from, mgc__csc *to, double **raw)
{
    size_t nnz = from->start[from->cols];
    mgc_status st = mgc__csc_alloc(ctx, from->rows, from->cols, nnz, to);

    if (st != MGC_OK) return st;
    memcpy(to->start, from->start, ((size_t)from->cols + 1) * sizeof *to->start);
    memcpy(to->row, from->row, nnz * sizeof *to->row);
    *raw = mgc__alloc(ctx, nnz, sizeof **raw);
    return *raw ? MGC_OK : mgc__no_memory(ctx, "a copy of a matrix");
}

/* Memory fresh from the kernel is cleared where it is first touched: by all threads, vector by vector. */
static void touch_vector(void *user, size_t i)
{
    mgc__ipm *ipm = user;

    for (size_t at = 0; at < ipm->padded; at += PAGE) ipm->block[i * ipm->padded + at] = 0.0;
}

/* Parts in whole lanes: of the columns and of the rows in turn, as many of each.  Scenarios follow one another in both, so a
 * thread that takes neighbouring parts has the rows of its columns, and what the arrow's batches of the same scenarios read and
 * write: lines do not travel from one core's cache to the other's. */
static void cut_parts(mgc__ipm *ipm)
{
    size_t groups = ipm->padded / LANES, parts = ipm->padded / PART_LEAST, columns = (ipm->n + LANES - 1) / LANES, pairs;

    parts = parts < 1 ? 1 : parts > PARTS_MOST ? PARTS_MOST : parts;
    pairs = parts / 2;
    ipm->parts = (uint32_t)(pairs == 0 ? 1 : 2 * pairs);
    ipm->part[0] = (mgc__ipm_part){.end = ipm->padded};
    for (size_t k = 0; k < pairs; k++) {
        ipm->part[2 * k].begin = columns * k / pairs * LANES;
        ipm->part[2 * k].end = columns * (k + 1) / pairs * LANES;
        ipm->part[2 * k + 1].begin = (columns + (groups - columns) * k / pairs) * LANES;
        ipm->part[2 * k + 1].end = (columns + (groups - columns) * (k + 1) / pairs) * LANES;
    }
}

static mgc_status allocate_vectors(mgc__ipm *ipm)
{
    size_t n = ipm->n, m = ipm->m, count = n + m, at = 0, stride, skew;

#define IPM_COUNT(name) at++;
    IPM_VECTORS(IPM_COUNT)
#undef IPM_COUNT
    ipm->padded = (count + LANES - 1) / LANES * LANES;
    cut_parts(ipm);
    /* A line of cache more where vectors would begin a multiple of a page apart, for they are walked side by side. */
    stride = ipm->padded + (ipm->padded % PAGE == 0 ? LANES : 0);
    ipm->block = mgc__alloc(ipm->ctx, at * stride + LANES, sizeof *ipm->block);
    ipm->kind = mgc__alloc(ipm->ctx, count + n, sizeof *ipm->kind);
    ipm->x_out = mgc__alloc(ipm->ctx, 2 * n + m + 4 * count, sizeof *ipm->x_out);
    /* Not cleared: most of it is never touched, and clearing it would take a fifth of a cold solve. */
    ipm->snapshots = mgc__resize(ipm->ctx, NULL, SNAPSHOTS * mgc__ipm_snapshot_size(count), sizeof *ipm->snapshots);
    ipm->krylov = mgc__resize(ipm->ctx, NULL, (KRYLOV + 5) * count, sizeof *ipm->krylov);
    if (!ipm->block || !ipm->kind || !ipm->x_out || !ipm->snapshots || !ipm->krylov)
        return mgc__no_memory(ipm->ctx, "the work space of a solve");
    mgc__pool_run(ipm->pool, at, touch_vector, ipm);
    skew = (LANES - (uintptr_t)ipm->block / sizeof(double) % LANES) % LANES; /* to the beginning of a line */
    at = 0;
#define IPM_PLACE(name) ipm->name = ipm->block + skew + stride * at++;
    IPM_VECTORS(IPM_PLACE)
#undef IPM_PLACE
    ipm->weight = ipm->krylov + (KRYLOV + 2) * count;
    ipm->refine_work = ipm->weight + count;
    ipm->regular = ipm->refine_work + count;
    ipm->other = (mgc__ipm_direction_set){ipm->odw, ipm->odzl, ipm->odzu, ipm->ody, ipm->ocl, ipm->ocu};
    for (size_t i = count; i < ipm->padded; i++) ipm->vl[i] = ipm->vu[i] = 1.0;
    ipm->marked = ipm->kind + count;
    ipm->z_out = ipm->x_out + n;
    ipm->y_out = ipm->z_out + n;
    ipm->ray_out = ipm->y_out + m;
    ipm->ray_kept = ipm->ray_out + count;
    ipm->bounds_kept = ipm->ray_kept + count;
    return MGC_OK;
}

/* The rows of A: products with A then gather, as those with A' do by columns. */
static mgc_status transpose(mgc__ipm *ipm)
{
    ipm->a_of_at = mgc__alloc(ipm->ctx, ipm->a.start[ipm->n], sizeof *ipm->a_of_at);
    if (!ipm->a_of_at) return mgc__no_memory(ipm->ctx, "the rows of a program");
    return mgc__csc_transpose(ipm->ctx, &ipm->a, &ipm->at, ipm->a_of_at);
}

/* Columns that column j moves with, at least: the entries of the shortest of its rows, rows of its own left out. */
static uint32_t reach_of(const mgc__ipm *ipm, uint32_t j)
{
    uint32_t least = UINT32_MAX;

    for (uint32_t e = ipm->a.start[j]; e < ipm->a.start[j + 1]; e++) {
        uint32_t i = ipm->a.row[e], entries = ipm->at.start[i + 1] - ipm->at.start[i];

        if (entries > 1 && entries < least) least = entries;
    }
    return least == UINT32_MAX ? 1 : least;
}

/* What one scenario of many decides weighs the root of its share, its sums over time more: doc/math/solver.md, (4a). */
static void weigh(mgc__ipm *ipm)
{
    uint32_t scenarios = 0;
    const uint8_t *inside = mgc__ldl_scenarios(ipm->ldl, &scenarios);
    double share = scenarios > 1 ? 1.0 / sqrt((double)scenarios) : 1.0;
    double plain = REACH_PLAIN * ipm->a.start[ipm->n] / fmax(1.0, ipm->m);

    for (uint32_t i = 0; i < ipm->count; i++) {
        ipm->omega[i] = inside && inside[i] ? share : 1.0;
        if (inside && inside[i] && i < ipm->n) ipm->omega[i] *= fmin(fmax(1.0, reach_of(ipm, i) / plain), REACH_MOST);
    }
}

static mgc_status analyse(mgc__ipm *ipm, const mgc__qp *qp)
{
    mgc_status st;

    mgc__ipm_release(ipm);
    if ((uint64_t)qp->n + qp->m >= MGC__CSC_MAX)
        return mgc__fail(ipm->ctx, MGC_E_LIMIT, "solver: too large; found %u columns and %u rows; their sum must be below 2^31",
                         qp->n, qp->m);
    ipm->qp = *qp;
    ipm->n = qp->n;
    ipm->m = qp->m;
    ipm->count = qp->n + qp->m;
    ipm->has_q = qp->q && qp->q->start[qp->n] > 0;
    st = copy_pattern(ipm->ctx, qp->a, &ipm->a, &ipm->a_raw);
    if (st == MGC_OK && ipm->has_q) st = copy_pattern(ipm->ctx, qp->q, &ipm->q, &ipm->q_raw);
    if (st == MGC_OK) st = transpose(ipm);
    if (st == MGC_OK) st = mgc__ipm_kkt_analyse(ipm);
    if (st == MGC_OK) st = allocate_vectors(ipm); /* where the analysis had its scratch: memory that was never touched costs time */
    if (st == MGC_OK) weigh(ipm);
    ipm->loops = mgc__ipm_best_loops();
    ipm->analysed = st == MGC_OK;
    return st;
}

/* A row or column with bounds this close has no interior that doubles could show: it is fixed at their middle. */
static bool practically_fixed(double lo, double up)
{
    return up - lo <= 1e-12 * fmax(1.0, fmax(fabs(lo), fabs(up)));
}

/* Scaled bounds, masks and kinds of component i; `factor` is 1/D or E. */
static void load_bounds(mgc__ipm *ipm, uint32_t i, double lo, double up, double factor)
{
    bool lower = isfinite(lo), upper = isfinite(up);

    ipm->kind[i] = !lower && !upper ? KIND_FREE : lower && upper && practically_fixed(lo, up) ? KIND_FIXED : KIND_BOUNDED;
    if (ipm->kind[i] == KIND_FIXED) lo = up = lo == up ? lo : 0.5 * (lo + up);
    ipm->lo[i] = lower ? lo * factor : 0.0;
    ipm->up[i] = upper ? up * factor : 0.0;
    ipm->hl[i] = lower && ipm->kind[i] == KIND_BOUNDED ? 1.0 : 0.0;
    ipm->hu[i] = upper && ipm->kind[i] == KIND_BOUNDED ? 1.0 : 0.0;
    ipm->bl[i] = ipm->hl[i] * ipm->omega[i];
    ipm->bu[i] = ipm->hu[i] * ipm->omega[i];
    ipm->column[i] = i < ipm->n ? 1.0 : 0.0;
    if (i < ipm->n) ipm->lever[i] = 1.0;
    ipm->moves[i] = i < ipm->n && ipm->kind[i] != KIND_FIXED ? 1.0 : 0.0;
    ipm->equal[i] = i >= ipm->n && ipm->kind[i] == KIND_FIXED ? 1.0 : 0.0;
    ipm->open_l[i] = ipm->moves[i] > 0.0 && ipm->hl[i] == 0.0 ? 1.0 : 0.0;
    ipm->open_u[i] = ipm->moves[i] > 0.0 && ipm->hu[i] == 0.0 ? 1.0 : 0.0;
}

static void load_bounds_of_part(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const mgc__qp *qp = &ipm->qp;
    uint32_t begin, end;

    part_columns(ipm, part, &begin, &end);
    for (uint32_t j = begin; j < end; j++) load_bounds(ipm, j, qp->lower[j], qp->upper[j], 1.0 / ipm->scale[j]);
    part_rows(ipm, part, &begin, &end);
    for (uint32_t i = begin; i < end; i++)
        load_bounds(ipm, i, qp->row_lower[i - ipm->n], qp->row_upper[i - ipm->n], ipm->scale[i]);
}

static void load_units_of_part(mgc__ipm *ipm, mgc__ipm_part *part)
{
    size_t end = part->end < ipm->count ? part->end : ipm->count;

    for (size_t i = part->begin; i < end; i++) {
        double unscale = i < ipm->n ? ipm->scale[i] : 1.0 / ipm->scale[i];
        bool lower = ipm->kind[i] == KIND_FIXED || ipm->hl[i] > 0.0, upper = ipm->kind[i] == KIND_FIXED || ipm->hu[i] > 0.0;

        ipm->far_l[i] = lower ? unscale / (1.0 + unscale * fabs(ipm->lo[i])) : 0.0;
        ipm->far_u[i] = upper ? unscale / (1.0 + unscale * fabs(ipm->up[i])) : 0.0;
        ipm->unit[i] = i < ipm->n ? 1.0 / (ipm->scale[i] * ipm->cost_scale) : 0.0;
    }
}

/* How residuals count in the original units; called again whenever the scaling has changed. */
void mgc__ipm_load_units(mgc__ipm *ipm)
{
    mgc__ipm_over(ipm, load_units_of_part);
}

/* Are the caller's bounds those that were kept?  keep: they are from now on. */
static bool bounds_are_kept(mgc__ipm *ipm, bool keep)
{
    const mgc__qp *qp = &ipm->qp;
    const double *from[] = {qp->lower, qp->row_lower, qp->upper, qp->row_upper};
    double *to = ipm->bounds_kept;
    bool same = true;

    for (size_t k = 0; k < MGC__COUNT(from); k++) {
        size_t bytes = (k % 2 == 0 ? qp->n : qp->m) * sizeof *to;

        if (keep && bytes > 0) memcpy(to, from[k], bytes);
        else same = same && (bytes == 0 || memcmp(to, from[k], bytes) == 0);
        to += k % 2 == 0 ? qp->n : qp->m;
    }
    return same;
}

/* Costs and bounds in their first scaling, which a cold start changes, or in the last solve's: then what has not changed since
 * stands, for an answer that is followed takes no longer than to load all. */
void mgc__ipm_load(mgc__ipm *ipm, enum ipm_mode mode, bool keep_scale)
{
    uint32_t n = ipm->n;

    ipm->bounds_stand = ipm->loaded && mode == AS_GIVEN && keep_scale && bounds_are_kept(ipm, false);
    mgc__ipm_scale_cost(ipm, keep_scale);
    ipm->mode = mode;
    ipm->elastic = mode == ELASTIC ? 1.0 : 0.0;
    if (mode != AS_GIVEN) {
        memset(ipm->c, 0, n * sizeof *ipm->c);
        if (ipm->has_q) memset(ipm->q.value, 0, ipm->q.start[n] * sizeof *ipm->q.value);
    }
    if (ipm->bounds_stand) {
        mgc__ipm_kkt_begin(ipm);
        return;
    }
    ipm->loaded = mode == AS_GIVEN;
    bounds_are_kept(ipm, true);
    mgc__ipm_over(ipm, load_bounds_of_part);
    ipm->complementarities = 0;
    ipm->barrier = 0.0;
    for (uint32_t i = 0; i < ipm->count; i++) {
        ipm->complementarities += (uint32_t)(ipm->hl[i] + ipm->hu[i]);
        ipm->barrier += ipm->bl[i] + ipm->bu[i];
    }
    mgc__ipm_kkt_load(ipm);
    mgc__ipm_load_units(ipm);
}

bool mgc__ipm_has_scenarios(const mgc__ipm *ipm)
{
    uint32_t count;

    return ipm->ldl != NULL && mgc__ldl_scenarios(ipm->ldl, &count) != NULL;
}

/* warm: the last solve's iterates may be used again, if their scaling fits. */
mgc_status mgc__ipm_prepare(mgc__ipm *ipm, const mgc__qp *qp, bool warm)
{
    uint32_t n = qp->n;
    bool known = fits(ipm, qp), scaled;
    size_t a_size = qp->a->start[n] * sizeof(double), q_size = 0;

    if (!known) {
        mgc_status st = analyse(ipm, qp);

        if (st != MGC_OK) return st;
    }
    ipm->qp = *qp;
    if (ipm->has_q) q_size = qp->q->start[n] * sizeof(double);
    scaled = known && ipm->convex && memcmp(ipm->a_raw, qp->a->value, a_size) == 0 &&
             (q_size == 0 || memcmp(ipm->q_raw, qp->q->value, q_size) == 0);
    if (scaled) return MGC_OK;
    ipm->loaded = false;
    mgc__ipm_follow_values_changed(ipm);
    memcpy(ipm->a_raw, qp->a->value, a_size);
    ipm->largest_entry = -1.0;
    if (q_size > 0) memcpy(ipm->q_raw, qp->q->value, q_size);
    mgc__ipm_equilibrate(ipm, known && warm);
    ipm->convex = false;
    mgc_status st = mgc__ipm_check_convex(ipm);
    ipm->convex = st == MGC_OK;
    return st == MGC_E_STOPPED ? MGC_OK : st; /* cancelled: the solve ends before it matters, and the next one asks again */
}
