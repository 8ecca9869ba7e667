/* SPDX-License-Identifier: Apache-2.0 */
/* The Newton system in quasi-definite form (Vanderbei 1995, eq. (5)), doc/math/solver.md (8):
 *
 *     [ Q + Theta_x + R_x    A'               ] [  dx ]   [ r_x ]
 *     [ A                   -Theta_r^-1 - R_r ] [ -dy ] = [ r_r ]
 *
 * R_x, R_r > 0 exist in the factor only; refinement solves the system without them (Friedlander and Orban 2012).
 * Fixed columns and free rows stay in the pattern as rows of the identity, so that one analysis serves every node of
 * a branch and bound. */
#include "solver/ipm_private.h"

/* Where the regularisation begins and between what it may move. */
#define SHIFT_FIRST 1e-8
/* The same for programs over scenarios: as many iterations and a tenth less time, for refinement is seldom needed.  Published
 * programs, many of them of deficient rank, need a sixth more iterations from here. */
#define SHIFT_SCENARIOS 1e-13
/* Both steps below this say that the shift is too small for the system. */
#define STEP_STUCK 0.05
/* A direction along which the largest multiplier grows so many times over says the same: of multipliers that may be anything,
 * next to no regularisation chooses any. */
#define GROWTH_WILD 1e6
#define SHIFT_MOST 1e-6
#define SHIFT_LEAST 1e-13
#define LEAST_REGULAR 1e-14
/* Growth across a pivot counts up to this: from 1e2 to 1e6 the same programs are solved. */
#define GROWN_MOST 1e4
/* Refinement stops at this relative residual: published programs take the same iterations from 1e-12 to 1e-6. */
#define SOLVE_TARGET 1e-4
/* Above this a direction is not worth taking if a better factor is to be had. */
#define SOLVE_BAD 1e-2

/* Rows belong to the block of their columns, or to none where they know several. */
static mgc_status spread_blocks(const mgc__ipm *ipm, uint32_t **out)
{
    const uint32_t *column = ipm->qp.block;
    uint32_t *block = NULL;

    *out = NULL;
    if (!column) return MGC_OK;
    block = mgc__alloc(ipm->ctx, ipm->count, sizeof *block);
    if (!block) return mgc__no_memory(ipm->ctx, "the Newton system");
    memcpy(block, column, ipm->n * sizeof *block);
    for (uint32_t j = 0; j < ipm->n; j++)
        for (uint32_t e = ipm->a.start[j]; column[j] != 0 && e < ipm->a.start[j + 1]; e++) {
            uint32_t *row = &block[ipm->n + ipm->a.row[e]];

            *row = *row == 0 || *row == column[j] ? column[j] : UINT32_MAX;
        }
    for (uint32_t i = ipm->n; i < ipm->count; i++)
        if (block[i] == UINT32_MAX) block[i] = 0;
    *out = block;
    return MGC_OK;
}

/* Columns 0..n-1 of K, which hold Q. */
static void fill_columns(mgc__ipm *ipm)
{
    uint32_t at = 0;

    for (uint32_t j = 0; j < ipm->n; j++) {
        for (uint32_t e = ipm->has_q ? ipm->q.start[j] : 0; ipm->has_q && e < ipm->q.start[j + 1]; e++) {
            ipm->k_of_q[e] = at;
            if (ipm->q.row[e] != j) ipm->k.row[at++] = ipm->q.row[e];
        }
        ipm->k_diagonal[j] = at;
        ipm->k.row[at++] = j;
        ipm->k.start[j + 1] = at;
    }
}

enum { SHARES = 16 };

/* Columns n..N-1 hold the rows of A. */
static void fill_rows(void *user, size_t share)
{
    mgc__ipm *ipm = user;
    uint64_t m = ipm->m;
    uint32_t begin = (uint32_t)(m * share / SHARES), end = (uint32_t)(m * (share + 1) / SHARES);

    for (uint32_t i = begin; i < end; i++) {
        uint32_t at = ipm->k.start[ipm->n] + ipm->at.start[i] + i;

        for (uint32_t e = ipm->at.start[i]; e < ipm->at.start[i + 1]; e++) {
            ipm->k_of_a[ipm->a_of_at[e]] = at;
            ipm->k.value[at] = ipm->qp.a->value[ipm->a_of_at[e]]; /* shows analysis which columns are in proportion */
            ipm->k.row[at++] = ipm->at.row[e];
        }
        ipm->k_diagonal[ipm->n + i] = at;
        ipm->k.row[at++] = ipm->n + i;
        ipm->k.start[ipm->n + i + 1] = at;
    }
}

/* The upper triangle. */
mgc_status mgc__ipm_kkt_analyse(mgc__ipm *ipm)
{
    uint32_t n = ipm->n, nnz = ipm->a.start[n], q_nnz = ipm->has_q ? ipm->q.start[n] : 0, *block = NULL;
    int8_t *sign = mgc__alloc(ipm->ctx, ipm->count, sizeof *sign);
    mgc_status st = mgc__csc_alloc(ipm->ctx, ipm->count, ipm->count, (size_t)nnz + q_nnz + ipm->count, &ipm->k);

    ipm->k_of_a = mgc__alloc(ipm->ctx, nnz, sizeof *ipm->k_of_a);
    ipm->k_of_q = mgc__alloc(ipm->ctx, q_nnz, sizeof *ipm->k_of_q);
    ipm->k_diagonal = mgc__alloc(ipm->ctx, ipm->count, sizeof *ipm->k_diagonal);
    ipm->q_diagonal_value = mgc__alloc(ipm->ctx, n, sizeof *ipm->q_diagonal_value);
    if (st == MGC_OK && (!sign || !ipm->k_of_a || !ipm->k_of_q || !ipm->k_diagonal || !ipm->q_diagonal_value))
        st = mgc__no_memory(ipm->ctx, "the Newton system");
    if (st == MGC_OK) {
        for (uint32_t j = 0; j < ipm->count; j++) sign[j] = j < n ? 1 : -1;
        fill_columns(ipm);
        mgc__pool_run(ipm->pool, SHARES, fill_rows, ipm);
        st = spread_blocks(ipm, &block);
    }
    if (st == MGC_OK) st = mgc__ldl_create_blocks(ipm->ctx, &ipm->k, sign, MGC__LDL_AUTO, block, ipm->pool, &ipm->ldl);
    mgc__free(ipm->ctx, block);
    mgc__free(ipm->ctx, sign);
    return st;
}

/* Programs over scenarios need next to no regularisation (doc/math/solver.md (8a)); one whose multipliers grow wild goes on
 * as any other program, one that came to nothing is begun again so. */
static bool trusts_scenarios(const mgc__ipm *ipm)
{
    return ipm->start_size <= 1.0 && !ipm->wary && mgc__ipm_has_scenarios(ipm);
}

static void load_entries(mgc__ipm *ipm, mgc__ipm_part *part)
{
    uint32_t begin, end;

    part_columns(ipm, part, &begin, &end);
    for (uint32_t j = begin; j < end; j++) {
        bool fixed = ipm->kind[j] == KIND_FIXED;

        for (uint32_t e = ipm->a.start[j]; e < ipm->a.start[j + 1]; e++)
            ipm->k.value[ipm->k_of_a[e]] = fixed || ipm->kind[ipm->n + ipm->a.row[e]] == KIND_FREE ? 0.0 : ipm->a.value[e];
    }
}

void mgc__ipm_kkt_begin(mgc__ipm *ipm)
{
    ipm->wary = false;
    ipm->shift = ipm->shift_next = trusts_scenarios(ipm) ? SHIFT_SCENARIOS : SHIFT_FIRST;
    ipm->shift_least = SHIFT_LEAST;
}

/* Values that stay during one solve. */
void mgc__ipm_kkt_load(mgc__ipm *ipm)
{
    uint32_t n = ipm->n;

    memset(ipm->q_diagonal_value, 0, n * sizeof *ipm->q_diagonal_value);
    ipm->q_diagonal = true;
    ipm->steady = false;
    mgc__ipm_over(ipm, load_entries);
    for (uint32_t j = 0; ipm->has_q && j < n; j++) {
        bool fixed = ipm->kind[j] == KIND_FIXED;

        for (uint32_t e = ipm->q.start[j]; e < ipm->q.start[j + 1]; e++) {
            uint32_t i = ipm->q.row[e];

            if (i == j) {
                ipm->q_diagonal_value[j] = ipm->q.value[e];
            } else {
                ipm->k.value[ipm->k_of_q[e]] = fixed || ipm->kind[i] == KIND_FIXED ? 0.0 : ipm->q.value[e];
                ipm->q_diagonal = false;
            }
        }
    }
    mgc__ipm_kkt_begin(ipm);
}

/* The diagonal of K, and the inverse of its magnitude (with the shift); 0 where K has a row of the identity. */
static void set_diagonal(mgc__ipm *ipm, const mgc__ipm_part *part, bool unit)
{
    double *k = ipm->k.value, *inverse = ipm->work;
    uint32_t begin, end;

    part_columns(ipm, part, &begin, &end);
    for (uint32_t j = begin; j < end; j++) {
        double d = ipm->q_diagonal_value[j] + (unit ? 1.0 : ipm->theta[j]);
        bool fixed = ipm->kind[j] == KIND_FIXED;

        k[ipm->k_diagonal[j]] = fixed ? 1.0 : d;
        inverse[j] = fixed ? 0.0 : 1.0 / (d + ipm->shift);
    }
    part_rows(ipm, part, &begin, &end);
    for (uint32_t i = begin; i < end; i++) {
        double d = ipm->kind[i] == KIND_FREE ? 1.0 : ipm->kind[i] == KIND_FIXED ? 0.0 : unit ? 1.0 : 1.0 / ipm->theta[i];

        k[ipm->k_diagonal[i]] = -d - ipm->elastic;
        inverse[i] = ipm->kind[i] == KIND_FREE ? 0.0 : 1.0 / (d + ipm->elastic + ipm->shift);
        if (!unit) ipm->lever[i] = ipm->kind[i] == KIND_BOUNDED ? d : 0.0;
    }
}

static void set_unit_diagonal(mgc__ipm *ipm, mgc__ipm_part *part)
{
    set_diagonal(ipm, part, true);
}

static void set_present_diagonal(mgc__ipm *ipm, mgc__ipm_part *part)
{
    ipm->loops->theta(ipm, part);
    set_diagonal(ipm, part, false);
}

/* And the predictor's right-hand side, while the part is in the cache. */
static void set_diagonal_and_predict(mgc__ipm *ipm, mgc__ipm_part *part)
{
    set_present_diagonal(ipm, part);
    ipm->loops->predictor(ipm, part);
}

/* What regularises the pivot of one column or row, of which `line` lists the entries: doc/math/solver.md (8a), (8b).
 * `shift` of the diagonal that elimination of all else alone would leave there, and at most `shift`: a row whose columns
 * all stand at their bounds has next to nothing on its diagonal, and a fixed shift would freeze its multiplier.  Then
 * less where the pivot's own quantity has grown, and more where those across its entries have.  No less than
 * LEAST_REGULAR: multipliers of dependent rows would drift away on rounding errors. */
static inline double regular(double shift, const mgc__csc *a, uint32_t line, double diagonal, const double *weight, double own,
                             const double *across, bool grown)
{
    double sum = fabs(diagonal), largest = 1.0, r;

    for (uint32_t e = a->start[line]; e < a->start[line + 1]; e++) {
        double v = a->value[e], t = fabs(v * across[a->row[e]]);

        sum += v * v * weight[a->row[e]];
        largest = t > largest ? t : largest; /* fmax() would be a call for each entry */
    }
    own = fabs(own);
    r = shift * (sum > 0.0 && sum < 1.0 ? sum : 1.0);
    if (grown) r *= (largest < GROWN_MOST ? largest : GROWN_MOST) / (own > 1.0 ? own : 1.0);
    return r > LEAST_REGULAR ? r : LEAST_REGULAR;
}

static void set_regularisation(mgc__ipm *ipm, mgc__ipm_part *part)
{
    const mgc__csc a = ipm->a, at = ipm->at;
    const double *k = ipm->k.value, *inverse = ipm->work;
    uint32_t n = ipm->n, begin, end;
    bool grown = !ipm->unit_diagonal && !trusts_scenarios(ipm);

    part_columns(ipm, part, &begin, &end);
    for (uint32_t j = begin; j < end; j++)
        ipm->regular[j] = regular(ipm->shift, &a, j, k[ipm->k_diagonal[j]], inverse + n, ipm->w[j], ipm->y + n, grown);
    part_rows(ipm, part, &begin, &end);
    for (uint32_t i = begin; i < end; i++)
        ipm->regular[i] = -regular(ipm->shift, &at, i - n, k[ipm->k_diagonal[i]], inverse, ipm->y[i], ipm->w, grown);
}

/* Where `shift` is within ten times of the least, as with scenarios, the least does: next to nothing is gained by the sums. */
static void set_least_regularisation(mgc__ipm *ipm, mgc__ipm_part *part)
{
    uint32_t begin, end;

    part_columns(ipm, part, &begin, &end);
    for (uint32_t j = begin; j < end; j++) ipm->regular[j] = LEAST_REGULAR;
    part_rows(ipm, part, &begin, &end);
    for (uint32_t i = begin; i < end; i++) ipm->regular[i] = -LEAST_REGULAR;
}

/* With the diagonal that `diagonal` sets.  R that is the least throughout is written once. */
static mgc_status factorise(mgc__ipm *ipm, mgc__ipm_body diagonal)
{
    mgc_status st;

    ipm->unit_diagonal = diagonal == set_unit_diagonal;
    mgc__ipm_over(ipm, diagonal);
    bool least = ipm->shift <= SHIFT_SCENARIOS && trusts_scenarios(ipm);
    if (!least || !ipm->regular_least) mgc__ipm_over(ipm, least ? set_least_regularisation : set_regularisation);
    ipm->regular_least = least;
    st = mgc__ldl_factorise_shifted(ipm->ldl, ipm->k.value, ipm->steady ? ipm->k_diagonal : NULL, ipm->regular);
    ipm->steady = st == MGC_OK; /* else not all values need have come to where they are factorised */
    return st;
}

mgc_status mgc__ipm_kkt_factorise_unit(mgc__ipm *ipm)
{
    return factorise(ipm, set_unit_diagonal);
}

mgc_status mgc__ipm_kkt_factorise(mgc__ipm *ipm)
{
    mgc_status st;

    if (ipm->shift_next < ipm->shift) ipm->shift = ipm->shift_next;
    while ((st = factorise(ipm, set_diagonal_and_predict)) == MGC_E_NUMERIC && ipm->shift < SHIFT_MOST)
        ipm->shift = fmin(SHIFT_MOST, 100.0 * ipm->shift);
    return st;
}

/* The shift follows what the solve meets: a factor that does not answer its own system needs more, at once; a system
 * that refinement cannot reach through a sound one wants less, from the next factorisation on. */
double mgc__ipm_kkt_solve(mgc__ipm *ipm)
{
    double target = fmin(SOLVE_TARGET, fmax(1e-12, 1e-3 * ipm->now.merit)), error;
    bool sound, hard;

    for (;;) {
        error = mgc__ipm_refine(ipm, target, &sound, &hard);
        if (error <= SOLVE_BAD || sound || ipm->shift >= SHIFT_MOST) break;
        ipm->shift = ipm->shift_next = fmin(SHIFT_MOST, 100.0 * ipm->shift);
        ipm->shift_least = 0.1 * ipm->shift;
        if (factorise(ipm, ipm->unit_diagonal ? set_unit_diagonal : set_present_diagonal) != MGC_OK) break;
    }
    if (sound && hard) ipm->shift_next = fmax(ipm->shift_least, 0.1 * ipm->shift);
    return error;
}

bool mgc__ipm_kkt_doubts_direction(mgc__ipm *ipm)
{
    if (!trusts_scenarios(ipm)) return false;
    double most = fmax(1.0, largest_of(ipm->y + ipm->n, ipm->m));
    if (largest_of(ipm->dy + ipm->n, ipm->m) <= GROWTH_WILD * most) return false;
    ipm->wary = true;
    ipm->shift = ipm->shift_next = fmax(SHIFT_FIRST, ipm->shift);
    return true;
}

/* Over scenarios, regularised by next to nothing, a direction that the boundary stops at once is one that hardly any
 * equation holds back: multipliers that may be anything, as the price of what a pool trades within itself. */
void mgc__ipm_kkt_heed_steps(mgc__ipm *ipm)
{
    if (fmax(ipm->step_primal, ipm->step_dual) >= STEP_STUCK || !trusts_scenarios(ipm)) return;
    ipm->shift = ipm->shift_next = fmin(SHIFT_MOST, 100.0 * ipm->shift);
    ipm->shift_least = 0.1 * ipm->shift;
}

/* Q is positive semidefinite if and only if every pivot of Q + eps I is positive, after scaling it to a unit diagonal. */
static mgc_status factorise_q(mgc__ipm *ipm, const double *root)
{
    mgc_ctx *ctx = ipm->ctx;
    uint32_t n = ipm->n, at = 0;
    mgc__csc k;
    mgc__ldl *ldl = NULL;
    mgc__ldl_info info;
    int8_t *sign = mgc__alloc(ctx, n, sizeof *sign);
    mgc_status st = mgc__csc_alloc(ctx, n, n, (size_t)ipm->q.start[n] + n, &k);

    if (st == MGC_OK && !sign) st = mgc__no_memory(ctx, "the check for convexity");
    for (uint32_t j = 0; st == MGC_OK && j < n; j++) {
        sign[j] = 1;
        for (uint32_t e = ipm->q.start[j]; e < ipm->q.start[j + 1]; e++) {
            uint32_t i = ipm->q.row[e];

            if (i == j || ipm->q_raw[e] == 0.0) continue;
            k.row[at] = i;
            k.value[at++] = ipm->q_raw[e] / root[i] / root[j];
        }
        k.row[at] = j;
        k.value[at++] = 1.0;
        k.start[j + 1] = at;
    }
    if (st == MGC_OK) st = mgc__ldl_create(ctx, &k, sign, MGC__LDL_COLUMNS, &ldl);
    if (st == MGC_OK) st = mgc__ldl_factorise(ldl, k.value, 1e-9, 0.0);
    if (st == MGC_OK) {
        mgc__ldl_read_info(ldl, &info);
        if (info.corrected > 0)
            st = mgc__fail(ctx, MGC_E_NOT_CONVEX,
                           "solver: the quadratic objective is not convex; %u pivots of its matrix are negative", info.corrected);
    }
    mgc__ldl_destroy(ldl);
    mgc__csc_free(ctx, &k);
    mgc__free(ctx, sign);
    return st;
}

/* The diagonal alone decides where Q is diagonal; an entry beside a zero on the diagonal is never convex. */
mgc_status mgc__ipm_check_convex(mgc__ipm *ipm)
{
    uint32_t n = ipm->n;
    double *root = ipm->work;
    bool diagonal = true;

    if (!ipm->has_q) return MGC_OK;
    memset(root, 0, n * sizeof *root);
    for (uint32_t j = 0; j < n; j++) {
        for (uint32_t e = ipm->q.start[j]; e < ipm->q.start[j + 1]; e++) {
            if (ipm->q.row[e] != j) continue;
            if (ipm->q_raw[e] < 0.0)
                return mgc__fail(ipm->ctx, MGC_E_NOT_CONVEX,
                                 "solver: the quadratic objective is not convex; entry (%u, %u) is %g; allowed are values >= 0",
                                 j, j, ipm->q_raw[e]);
            root[j] = sqrt(ipm->q_raw[e]);
        }
    }
    for (uint32_t j = 0; j < n; j++) {
        for (uint32_t e = ipm->q.start[j]; e < ipm->q.start[j + 1]; e++) {
            uint32_t i = ipm->q.row[e];

            if (i == j || ipm->q_raw[e] == 0.0) continue;
            diagonal = false;
            if (root[i] == 0.0 || root[j] == 0.0)
                return mgc__fail(ipm->ctx, MGC_E_NOT_CONVEX,
                                 "solver: the quadratic objective is not convex; entry (%u, %u) is %g beside a zero diagonal",
                                 i, j, ipm->q_raw[e]);
        }
    }
    for (uint32_t j = 0; j < n; j++) root[j] = root[j] == 0.0 ? 1.0 : root[j];
    return diagonal ? MGC_OK : factorise_q(ipm, root);
}
