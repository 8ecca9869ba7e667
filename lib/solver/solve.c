/* SPDX-License-Identifier: Apache-2.0 */
/* The public solve: options in, a method chosen, its answer judged, results out. */
#include "solver/presolve.h"
#include "solver/solve.h"

#include <math.h>

/* --- options --------------------------------------------------------------------------------- */

static const mgc_program_opts DEFAULTS = {
    .struct_size = sizeof(mgc_program_opts), .tolerance = 1e-8, .gap = 1e-4, .iteration_limit = 200, .threads = 1};

/* Rows and columns that presolve must take out, as a part of all, for the program without them to be solved instead:
 * the batched factorisation of equal blocks and the analysis kept for the next solve are worth more than a few. */
#define PRESOLVE_WORTH 0.15

/* So many iterations come to an end with nearly every program that has one. */
enum { WANDERING = 100 };
enum { THREADS_LIMIT = 256 };

void mgc_program_opts_init(mgc_program_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &DEFAULTS, sizeof DEFAULTS);
}

static mgc_status check_opts(mgc_ctx *ctx, const mgc_program_opts *o)
{
    /* 1e-13 is the rounding of a sum of a thousand terms: nothing below it can be asked for. */
    if (!(o->tolerance >= 1e-13 && o->tolerance <= 0.1))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "solver: tolerance is %g; allowed are 1e-13 to 0.1", o->tolerance);
    if (!(o->gap >= 0.0) || !isfinite(o->gap))
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "solver: gap is %g; must be finite and not negative", o->gap);
    if (!(o->time_limit_s >= 0.0) || o->time_limit_s > 1e9)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "solver: time_limit_s is %g; allowed are 0 (none) to 1e9",
                         o->time_limit_s);
    if (o->time_limit_s > 0.0 && !mgc__has_clock(ctx))
        return mgc__fail(ctx, MGC_E_INVALID_ARG,
                         "solver: time_limit_s is %g but the context has no clock; give now_ms to mgc_ctx_create()",
                         o->time_limit_s);
    if (o->reserved0 != 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "solver: reserved0 is %u; it must be 0", o->reserved0);
    if (o->iteration_limit == 0)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "solver: iteration_limit is 0; at least 1 is needed");
    if (o->relax > 1 || o->warm_start > 1)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "solver: relax is %u, warm_start %u; allowed are 0 and 1", o->relax,
                         o->warm_start);
    if (o->presolve > 2)
        return mgc__fail(ctx, MGC_E_INVALID_ARG,
                         "solver: presolve is %u; allowed are 0 (where it pays), 1 (never) and 2 (always)",
                         o->presolve);
    if (o->polish > 1)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "solver: polish is %u; allowed are 0 (off) and 1 (on)", o->polish);
    if (o->threads == 0 || o->threads > THREADS_LIMIT)
        return mgc__fail(ctx, MGC_E_INVALID_ARG, "solver: threads is %u; allowed are 1 to %d", o->threads,
                         THREADS_LIMIT);
    return MGC_OK;
}

static mgc_status begin(mgc__solve *s, mgc_program *p, const mgc_program_opts *opts)
{
    *s = (mgc__solve){.p = p, .opts = DEFAULTS};
    mgc_status st = mgc__opts_read(&s->opts, sizeof s->opts, MGC__FIRST_SIZE(mgc_program_opts, polish), opts);
    if (st != MGC_OK)
        return mgc__fail(p->ctx, st, "solver: struct_size of mgc_program_opts is not one that this library knows");
    st = check_opts(p->ctx, &s->opts);
    if (st != MGC_OK) return st;
    s->started_ms = mgc__now_ms(p->ctx);
    /* + 1: a limit below a millisecond is a limit too. */
    if (s->opts.time_limit_s > 0.0) s->deadline_ms = s->started_ms + (uint64_t)(s->opts.time_limit_s * 1e3) + 1;
    s->info = (mgc_program_info){.objective = INFINITY,
                                 .bound = -INFINITY,
                                 .primal_residual = INFINITY,
                                 .dual_residual = INFINITY,
                                 .gap = INFINITY};
    return mgc__program_compile(p);
}

/* --- a program without integers -------------------------------------------------------------- */

static mgc_status result_reserve(mgc_ctx *ctx, mgc__result *r, const mgc__qp *qp)
{
    mgc__result_free(ctx, r);
    r->n = qp->n;
    r->m = qp->m;
    r->x = mgc__alloc(ctx, qp->n, sizeof *r->x);
    r->y = mgc__alloc(ctx, qp->m, sizeof *r->y);
    r->z = mgc__alloc(ctx, qp->n, sizeof *r->z);
    return r->x != NULL && r->y != NULL && r->z != NULL ? MGC_OK : mgc__no_memory(ctx, "a result");
}

/* Points of an interior-point method may leave their bounds by a rounding error. */
static void take_point(const mgc__qp *qp, const mgc__ipm_result *found, mgc__result *r)
{
    r->has_point = found->x != NULL;
    r->has_multipliers = r->has_point && found->y != NULL;
    for (uint32_t j = 0; r->has_point && j < qp->n; j++)
        r->x[j] = fmin(fmax(found->x[j], qp->lower[j]), qp->upper[j]);
    for (uint32_t i = 0; r->has_multipliers && i < qp->m; i++) r->y[i] = found->y[i];
}

/* Judge the point; true where it deserves OPTIMAL. */
static bool judge(mgc__solve *s, const mgc__qp *qp, mgc__result *r, double *work)
{
    mgc__point_report point;
    mgc__dual_report dual;
    mgc_program_info *info = &s->info;

    info->objective = INFINITY;
    info->bound = -INFINITY;
    info->primal_residual = info->dual_residual = info->gap = INFINITY;
    if (!r->has_point) return false;
    mgc__judge_point(qp, r->x, work, &point);
    info->objective = point.objective + s->p->offset;
    info->primal_residual = point.residual;
    if (!r->has_multipliers) return false;
    mgc__judge_dual(qp, r->x, r->y, r->z, &dual);
    info->dual_residual = dual.residual;
    info->bound = dual.bound + s->p->offset;
    info->gap = fabs(point.objective - dual.objective) / fmax(1.0, fabs(info->objective));
    double tolerance = s->opts.tolerance;
    if (!(point.residual <= tolerance && dual.residual <= tolerance && info->gap <= tolerance)) return false;
    /* The dual objective is the bound up to the tolerances, which hold. */
    if (info->bound == -INFINITY) info->bound = fmin(dual.objective + s->p->offset, info->objective);
    return true;
}

/* Keep a ray that proves the outcome; false where it does not. */
static bool take_ray(mgc_ctx *ctx, const mgc__qp *qp, uint32_t outcome, const double *ray, mgc__result *r,
                     double *work, mgc_status *st)
{
    bool infeasible = outcome == MGC_OUTCOME_INFEASIBLE;
    uint32_t length = infeasible ? qp->m : qp->n;

    *st = MGC_OK;
    if (ray == NULL) return false;
    double margin = infeasible ? mgc__judge_infeasible(qp, ray, work) : mgc__judge_unbounded(qp, ray, work);
    if (!(margin > 0.0)) return false;
    r->ray = mgc__alloc(ctx, length, sizeof *r->ray);
    if (r->ray == NULL) {
        *st = mgc__no_memory(ctx, "a ray");
        return false;
    }
    memcpy(r->ray, ray, length * sizeof *ray);
    r->ray_length = length;
    r->has_point = r->has_multipliers = false;
    return true;
}

/* What is asked of the core: residuals, and a gap where that must be smaller. */
typedef struct aim {
    double tolerance, gap;
} aim;

static mgc__ipm_opts core_opts(const mgc__solve *s, aim wanted, bool warm)
{
    return (mgc__ipm_opts){.tolerance = wanted.tolerance,
                           .gap = wanted.gap,
                           .cutoff = INFINITY,
                           .iteration_limit = s->opts.iteration_limit,
                           .warm = warm,
                           .threads = s->opts.threads,
                           .deadline_ms = s->deadline_ms,
                           .progress = s->opts.progress,
                           .user = s->opts.user};
}

static mgc_status core(mgc__solve *s, const mgc__qp *qp, aim wanted, bool warm, mgc__ipm_result *found)
{
    mgc_program *p = s->p;
    mgc__ipm_opts o = core_opts(s, wanted, warm);

    if (p->ipm == NULL) {
        mgc_status st = mgc__ipm_create(p->ctx, &p->ipm);
        if (st != MGC_OK) return st;
    }
    if (warm && qp->n == p->n && qp->m == p->m) o.anchor = p->handed;
    /* what the judge sends back is for the interior point */
    bool sent_back = wanted.tolerance != s->opts.tolerance || wanted.gap != s->opts.tolerance;
    bool continuous = p->integers == 0 || s->opts.relax != 0;
    o.series = s->opts.warm_start != 0 && !p->inside && !sent_back && continuous;
    mgc_status st = mgc__ipm_solve(p->ipm, qp, &o, found);
    if (o.anchor != NULL) { /* from now on there is something of one's own */
        mgc__ipm_anchor_destroy(p->handed);
        p->handed = NULL;
    }
    if (st == MGC_OK) s->info.iterations += found->iterations;
    return st;
}

/* A point of qp that the judge takes for feasible: outcome UNBOUNDED then.  plain: qp without its objective. */
static mgc_status find_feasible(mgc__solve *s, const mgc__qp *qp, const mgc__qp *plain, mgc__result *r, double *work,
                                mgc__ipm_result *found, uint32_t *outcome)
{
    mgc__point_report point;
    aim wanted = {s->opts.tolerance, s->opts.tolerance};

    for (int attempt = 0; attempt < 3; attempt++, wanted.tolerance *= 0.03) {
        mgc_status st = core(s, plain, wanted, false, found);
        if (st != MGC_OK || found->x == NULL || found->outcome != MGC_OUTCOME_OPTIMAL) return st;
        take_point(plain, found, r);
        r->has_multipliers = false;
        mgc__judge_point(qp, r->x, work, &point);
        s->info.objective = point.objective + s->p->offset;
        s->info.primal_residual = point.residual;
        if (point.residual <= s->opts.tolerance) {
            *outcome = MGC_OUTCOME_UNBOUNDED;
            break;
        }
    }
    return MGC_OK;
}

/* A ray proves that the objective falls for ever only where a feasible point exists: look for one. */
static mgc_status check_feasible(mgc__solve *s, const mgc__qp *qp, mgc__result *r, double *work, uint32_t *outcome)
{
    mgc__qp plain = *qp;
    mgc__ipm_result found;
    double *ray = r->ray;
    mgc_status st;

    double *zero = mgc__alloc(s->p->ctx, qp->n, sizeof *zero);
    if (zero == NULL) return mgc__no_memory(s->p->ctx, "a cost vector");
    plain.q = NULL;
    plain.c = zero;
    *outcome = MGC_OUTCOME_NUMERICAL;
    st = find_feasible(s, qp, &plain, r, work, &found, outcome);
    if (st == MGC_OK && found.outcome == MGC_OUTCOME_INFEASIBLE) {
        r->ray = NULL;
        if (take_ray(s->p->ctx, qp, found.outcome, found.ray, r, work, &st)) *outcome = MGC_OUTCOME_INFEASIBLE;
        if (r->ray != NULL) mgc__free(s->p->ctx, ray);
        else r->ray = ray;
    } else if (st == MGC_OK && (found.outcome == MGC_OUTCOME_LIMIT || found.outcome == MGC_OUTCOME_CANCELLED)) {
        *outcome = found.outcome;
    }
    mgc__free(s->p->ctx, zero);
    return st;
}

/* The core could not say, or not prove: does the objective fall for ever?  outcome stays NUMERICAL where that is not
 * shown. */
static mgc_status seek_unbounded(mgc__solve *s, const mgc__qp *qp, mgc__result *r, double *work, uint32_t *outcome)
{
    mgc_ctx *ctx = s->p->ctx;
    mgc__ipm_opts o = core_opts(s, (aim){s->opts.tolerance, s->opts.tolerance}, false);
    double *direction = mgc__alloc(ctx, qp->n, sizeof *direction);
    bool found = false, kept = false;

    *outcome = MGC_OUTCOME_NUMERICAL;
    if (direction == NULL) return mgc__no_memory(ctx, "a direction");
    mgc_status st = mgc__find_direction(ctx, qp, &o, work, direction, &found);
    if (st == MGC_OK && found) kept = take_ray(ctx, qp, MGC_OUTCOME_UNBOUNDED, direction, r, work, &st);
    if (st == MGC_OK && kept) st = check_feasible(s, qp, r, work, outcome);
    mgc__free(ctx, direction);
    return st;
}

/* Keep the ray of an infeasible or unbounded program and check it; outcome NUMERICAL where it does not prove. */
static mgc_status settle_ray(mgc__solve *s, const mgc__qp *qp, mgc__ipm_result *found, mgc__result *r, double *work,
                             uint32_t *outcome)
{
    mgc_status st;

    if (take_ray(s->p->ctx, qp, *outcome, found->ray, r, work, &st))
        return *outcome == MGC_OUTCOME_UNBOUNDED ? check_feasible(s, qp, r, work, outcome) : MGC_OK;
    if (st == MGC_OK && *outcome == MGC_OUTCOME_UNBOUNDED) return seek_unbounded(s, qp, r, work, outcome);
    *outcome = MGC_OUTCOME_NUMERICAL;
    return st;
}

/* Reduce the program where the options want that; *out stays NULL else. */
static mgc_status reduce(mgc__solve *s, const mgc__qp *qp, mgc__presolve **out)
{
    mgc__presolve_opts o = {.worth = s->opts.presolve == 2 ? 0.0 : PRESOLVE_WORTH};

    *out = NULL;
    /* A warm start lives from rows and columns that stay: costs alone may decide what a reduction takes out. */
    if (s->opts.presolve == 1 || (s->opts.presolve == 0 && s->opts.warm_start != 0)) return MGC_OK;
    mgc_status st = mgc__presolve_run(s->p->ctx, qp, &o, out);
    if (st == MGC_OK && *out != NULL && !mgc__presolve_changed(*out) && mgc__presolve_outcome(*out) == MGC_OUTCOME_NONE) {
        mgc__presolve_destroy(*out); /* its memory serves the solve */
        *out = NULL;
    }
    return st;
}

/* An answer for qp: of presolve itself, or of the core for what presolve left (NULL: everything). */
static mgc_status answer(mgc__solve *s, const mgc__qp *qp, mgc__presolve *presolve, aim wanted, bool warm,
                         mgc__ipm_result *found)
{
    if (presolve == NULL) return core(s, qp, wanted, warm, found);
    if (mgc__presolve_outcome(presolve) != MGC_OUTCOME_NONE) {
        *found = (mgc__ipm_result){.outcome = mgc__presolve_outcome(presolve), .ray = mgc__presolve_ray(presolve)};
        return MGC_OK;
    }
    mgc_status st = core(s, mgc__presolve_qp(presolve), wanted, warm, found);
    if (st == MGC_OK) mgc__presolve_restore(presolve, found, found);
    return st;
}

/* More than the judge was not content with.  An offset that cancels most of the objective makes the gap that is asked for far
 * smaller than the core, which knows no offset, thinks; residuals that hold already need not follow it, which may be below
 * their rounding. */
static void sharpen(const mgc__solve *s, aim *wanted)
{
    double tolerance = s->opts.tolerance, gap = s->info.gap;

    if (!(fmax(s->info.primal_residual, s->info.dual_residual) <= tolerance)) wanted->tolerance *= 0.03;
    wanted->gap *= gap > tolerance && isfinite(gap) ? fmin(0.03, fmax(0.1 * tolerance / gap, 1e-6)) : 0.03;
}

/* Where the judge is not content with what the core calls optimal, the core is asked for more, twice. */
static mgc_status solve_judged(mgc__solve *s, const mgc__qp *qp, mgc__presolve *presolve, mgc__result *r,
                               double *work, uint32_t *outcome)
{
    aim wanted = {s->opts.tolerance, s->opts.tolerance};
    mgc__ipm_result found;

    for (int attempt = 0; attempt < 3; attempt++) {
        mgc_status st = answer(s, qp, presolve, wanted, attempt > 0 || s->opts.warm_start != 0, &found);
        if (st != MGC_OK) return st;
        *outcome = found.outcome;
        if (*outcome == MGC_OUTCOME_INFEASIBLE || *outcome == MGC_OUTCOME_UNBOUNDED)
            return settle_ray(s, qp, &found, r, work, outcome);
        take_point(qp, &found, r);
        bool good = judge(s, qp, r, work);
        if (good) *outcome = MGC_OUTCOME_OPTIMAL;
        else if (*outcome == MGC_OUTCOME_OPTIMAL) *outcome = MGC_OUTCOME_NUMERICAL;
        if (good || found.outcome != MGC_OUTCOME_OPTIMAL) break;
        sharpen(s, &wanted);
    }
    return MGC_OK;
}

/* Where no answer was found: perhaps because the objective falls for ever.  The outcome stays where that is not shown. */
static mgc_status look_for_direction(mgc__solve *s, const mgc__qp *qp, mgc__result *r, double *work, uint32_t *outcome)
{
    bool in_time = s->deadline_ms == 0 || mgc__now_ms(s->p->ctx) < s->deadline_ms;
    bool wandered = *outcome == MGC_OUTCOME_LIMIT && in_time && s->opts.iteration_limit >= WANDERING;
    uint32_t was = *outcome;

    if (was != MGC_OUTCOME_NUMERICAL && !wandered) return MGC_OK;
    mgc_status st = seek_unbounded(s, qp, r, work, outcome);
    if (*outcome == MGC_OUTCOME_NUMERICAL) *outcome = was;
    return st;
}

/* Warm starts are for speed, and nodes of branch and bound for their bound: neither is polished. */
static mgc_status polish(mgc__solve *s, const mgc__qp *qp, mgc__result *r, double *work)
{
    bool better = false, node = s->p->integers > 0 && s->opts.relax == 0;
    bool in_time = s->deadline_ms == 0 || mgc__now_ms(s->p->ctx) < s->deadline_ms;

    if (s->opts.polish == 0 || s->opts.warm_start != 0 || node || !in_time) return MGC_OK;
    mgc_status st = mgc__polish(s, qp, r, &better);
    if (st == MGC_OK && better) judge(s, qp, r, work);
    return st;
}

mgc_status mgc__solve_continuous(mgc__solve *s, const mgc__qp *qp, mgc__result *r)
{
    mgc_ctx *ctx = s->p->ctx;
    mgc__presolve *presolve = NULL;
    mgc_status st = result_reserve(ctx, r, qp);
    double *work = mgc__alloc(ctx, 2 * ((size_t)qp->n + qp->m), sizeof *work);
    uint32_t outcome = MGC_OUTCOME_NUMERICAL;

    if (st == MGC_OK && work == NULL) st = mgc__no_memory(ctx, "work space");
    if (st == MGC_OK) st = reduce(s, qp, &presolve);
    if (st == MGC_OK) st = solve_judged(s, qp, presolve, r, work, &outcome);
    /* What was lost on the way back, or by solving for a column with a small coefficient, is not lost without. */
    bool reduced = presolve != NULL && (mgc__presolve_changed(presolve) || mgc__presolve_outcome(presolve) != 0);
    if (st == MGC_OK && reduced && outcome == MGC_OUTCOME_NUMERICAL)
        st = solve_judged(s, qp, NULL, r, work, &outcome);
    if (st == MGC_OK && r->ray == NULL) st = look_for_direction(s, qp, r, work, &outcome);
    if (st == MGC_OK && outcome == MGC_OUTCOME_OPTIMAL) st = polish(s, qp, r, work);
    mgc__presolve_destroy(presolve);
    mgc__free(ctx, work);
    if (st != MGC_OK) return st;
    s->info.outcome = r->outcome = outcome;
    return MGC_OK;
}

/* --- the public calls ------------------------------------------------------------------------ */

mgc_status mgc_program_solve(mgc_program *p, const mgc_program_opts *opts, mgc_program_info *info)
{
    mgc__solve s;
    mgc__qp qp;

    if (p == NULL) return MGC_E_INVALID_ARG;
    mgc_status st = begin(&s, p, opts);
    if (st != MGC_OK) return st;
    mgc__result_free(p->ctx, &p->result);
    if (p->integers > 0 && s.opts.relax == 0) {
        st = mgc__solve_integer(&s);
    } else {
        mgc__program_qp(p, &qp);
        st = mgc__solve_continuous(&s, &qp, &p->result);
    }
    if (st != MGC_OK) {
        mgc__result_free(p->ctx, &p->result);
        return st;
    }
    s.info.seconds = 1e-3 * (double)(mgc__now_ms(p->ctx) - s.started_ms);
    st = mgc__info_write(info, &s.info, sizeof s.info, MGC__FIRST_SIZE(mgc_program_info, seconds));
    return st == MGC_OK
               ? st
               : mgc__fail(p->ctx, st, "solver: struct_size of mgc_program_info is not one that this library knows");
}

static mgc_status copy_out(const mgc_program *p, const char *what, const double *from, size_t have, double *to,
                           size_t n)
{
    if (from == NULL) return mgc__fail(p->ctx, MGC_E_STATE, "solver: the last solve left no %s", what);
    if (to == NULL || n != have)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: place for %zu numbers of %s; %zu are there",
                         to == NULL ? 0 : n, what, have);
    memcpy(to, from, n * sizeof *to);
    return MGC_OK;
}

mgc_status mgc_program_get_x(const mgc_program *p, double *x, size_t n)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    return copy_out(p, "point", p->result.has_point ? p->result.x : NULL, p->result.n, x, n);
}

mgc_status mgc_program_get_y(const mgc_program *p, double *y, size_t n)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    return copy_out(p, "row multipliers", p->result.has_multipliers ? p->result.y : NULL, p->result.m, y, n);
}

mgc_status mgc_program_get_z(const mgc_program *p, double *z, size_t n)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    return copy_out(p, "reduced costs", p->result.has_multipliers ? p->result.z : NULL, p->result.n, z, n);
}

mgc_status mgc_program_get_ray(const mgc_program *p, double *ray, size_t n)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    return copy_out(p, "ray", p->result.ray, p->result.ray_length, ray, n);
}

/* --- starts that travel ---------------------------------------------------------------------- */

mgc_status mgc_program_get_start(const mgc_program *p, uint8_t *bytes, size_t room, size_t *size)
{
    if (p == NULL) return MGC_E_INVALID_ARG;
    if (size == NULL) return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: size is NULL; a place for it is needed");
    *size = p->ipm != NULL && mgc__ipm_start_fits(p->ipm, p->n, p->m) ? mgc__ipm_start_size(p->ipm) : 0;
    if (*size == 0)
        return mgc__fail(p->ctx, MGC_E_STATE, "solver: the last solve left nothing to start from, or left it of a program that "
                                              "presolve had reduced; solve with presolve 1");
    if (bytes == NULL) return MGC_OK;
    if (room < *size)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: place for %zu bytes of a start; it has %zu", room, *size);
    mgc__ipm_start_write(p->ipm, bytes);
    return MGC_OK;
}

mgc_status mgc_program_set_start(mgc_program *p, const uint8_t *bytes, size_t size)
{
    mgc__ipm_anchor *anchor = NULL;

    if (p == NULL) return MGC_E_INVALID_ARG;
    if (bytes == NULL) return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: the bytes of a start are NULL");
    mgc_status st = mgc__ipm_anchor_read(p->ctx, p->n, p->m, bytes, size, &anchor);
    if (st != MGC_OK) {
        mgc__ipm_anchor_destroy(anchor);
        return st;
    }
    mgc__ipm_anchor_destroy(p->handed);
    p->handed = anchor;
    return MGC_OK;
}

/* --- the judge for everyone ------------------------------------------------------------------ */

/* Work space and compiled data for a check; work: 2 (n + m) numbers, freed by the caller. */
static mgc_status begin_check(const mgc_program *p, mgc__qp *qp, double **work)
{
    /* Compiling changes how the entries are kept, not what they are. */
    mgc_status st = mgc__program_compile((mgc_program *)(uintptr_t)p);

    if (st != MGC_OK) return st;
    mgc__program_qp(p, qp);
    *work = mgc__alloc(p->ctx, 2 * ((size_t)p->n + p->m), sizeof **work);
    return *work != NULL ? MGC_OK : mgc__no_memory(p->ctx, "work space");
}

static double integrality(const mgc_program *p, const double *x)
{
    double worst = 0.0;

    for (uint32_t j = 0; j < p->n; j++)
        if (p->integer[j]) worst = fmax(worst, fabs(x[j] - nearbyint(x[j])));
    return worst;
}

mgc_status mgc_program_check_x(const mgc_program *p, const double *x, size_t n, double *objective,
                               double *primal_residual)
{
    mgc__point_report report;
    mgc__qp qp;
    double *work;

    if (p == NULL) return MGC_E_INVALID_ARG;
    if (x == NULL || n != p->n)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: a point of %zu numbers; the program has %u columns",
                         x == NULL ? 0 : n, p->n);
    mgc_status st = begin_check(p, &qp, &work);
    if (st != MGC_OK) return st;
    mgc__judge_point(&qp, x, work, &report);
    mgc__free(p->ctx, work);
    if (objective != NULL) *objective = report.objective + p->offset;
    if (primal_residual != NULL) *primal_residual = fmax(report.residual, integrality(p, x));
    return MGC_OK;
}

mgc_status mgc_program_check_ray(const mgc_program *p, uint32_t outcome, const double *ray, size_t n, double *margin)
{
    mgc__qp qp;
    double *work;

    if (p == NULL || margin == NULL) return MGC_E_INVALID_ARG;
    *margin = -INFINITY;
    bool infeasible = outcome == MGC_OUTCOME_INFEASIBLE;
    if (!infeasible && outcome != MGC_OUTCOME_UNBOUNDED)
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG,
                         "solver: outcome %u has no ray; allowed are INFEASIBLE and UNBOUNDED", outcome);
    if (ray == NULL || n != (infeasible ? p->m : p->n))
        return mgc__fail(p->ctx, MGC_E_INVALID_ARG, "solver: a ray of %zu numbers; %u are needed",
                         ray == NULL ? 0 : n, infeasible ? p->m : p->n);
    mgc_status st = begin_check(p, &qp, &work);
    if (st != MGC_OK) return st;
    *margin = infeasible ? mgc__judge_infeasible(&qp, ray, work) : mgc__judge_unbounded(&qp, ray, work);
    mgc__free(p->ctx, work);
    return MGC_OK;
}
