/* SPDX-License-Identifier: Apache-2.0 */
/* Column-and-constraint generation (Zeng and Zhao 2013) for a finite support, doc/math/robust.md (8):
 *
 *     start with one p of the set
 *     repeat  solve the master: a point, lower bound
 *             costs of the point's scenarios; oracle: worst p, upper bound
 *             stop where upper - lower is small enough
 *             add the cut of the worst p
 *
 * Every cut holds for the whole set, so the master's bound is proven at any time.  Of a polyhedral set the oracle answers
 * vertices, of which there are finitely many, so that it ends; of a divergence it ends within the gap, for the distance of
 * phi from its chords falls with the square of what is between the ratios. */
#include <math.h>

#include "robust/robust.h"

/* Rounds that add cuts.  Chosen: programs of the tests and of the reference cases need fewer than forty. */
enum { ROUNDS_MAX = 2000 };
/* The oracle repeats itself: the gap left is the master's inaccuracy.  Tolerances are tightened down to this. */
static const double tightest = 1e-11;

typedef struct ccg {
    mgc_twostage *ts;
    const mgc_twostage_opts *o;
    uint64_t begun_ms;
    double tolerance;       /* of the master; tightened where the oracle repeats itself */
    bool warm, convex;
    bool has_told;          /* told belongs to the last point */
    uint32_t rounds;        /* that added cuts */
    bool relaxing;          /* integers are dropped while cuts are gathered */
    double upper, lower;
    double *point, *y;      /* of the master: columns, rows; room grows with the cuts */
    size_t cap_point, cap_y;
    double *cost, *p, *told; /* K: of the last point; oracle's; the multipliers' */
} ccg;

static void free_ccg(ccg *s)
{
    mgc_ctx *ctx = s->ts->ctx;

    mgc__free(ctx, s->point);
    mgc__free(ctx, s->y);
    mgc__free(ctx, s->cost);
    mgc__free(ctx, s->p);
    mgc__free(ctx, s->told);
}

/* The first cut: what the oracle says when all scenarios cost alike; for the norms that is p0. */
static mgc_status first_cut(ccg *s)
{
    mgc_twostage *ts = s->ts;

    for (uint32_t k = 0; k < ts->scenarios; k++) s->cost[k] = 0;
    mgc_status st = mgc_twostage_worst(ts, s->cost, s->p);
    if (st == MGC_OK) st = mgc__master_build(ts);
    return st == MGC_OK ? mgc__master_add_cut(ts, s->p) : st;
}

static mgc_status begin(ccg *s)
{
    mgc_ctx *ctx = s->ts->ctx;
    uint32_t n = s->ts->scenarios;

    s->cost = mgc__alloc(ctx, n, sizeof *s->cost);
    s->p = mgc__alloc(ctx, n, sizeof *s->p);
    s->told = mgc__alloc(ctx, n, sizeof *s->told);
    if (s->cost == NULL || s->p == NULL || s->told == NULL)
        return mgc__no_memory(ctx, "column-and-constraint generation");
    /* Cuts of earlier solves hold still, but only who asked for a warm start gets a path that depends on the past. */
    if (s->ts->master.program != NULL && s->ts->master.n_cuts > 0 && s->o->warm_start) return MGC_OK;
    return first_cut(s);
}

/* Of a divergence also the ratios that the multipliers tell: the chord that the master sits on is thickest there. */
static mgc_status add_cut(ccg *s)
{
    s->rounds++;
    mgc_status st = mgc__master_add_cut(s->ts, s->p);
    return st == MGC_OK && s->ts->master.separable && s->has_told ? mgc__master_add_cut(s->ts, s->told) : st;
}

/* The master is unbounded along a ray as far as its cuts know.  If the worst p along the ray makes it rise, its cut
 * refutes; else the two-stage program is unbounded too. */
static mgc_status refute_ray(ccg *s, bool *refuted)
{
    mgc_twostage *ts = s->ts;
    uint32_t n = mgc_program_columns(ts->master.program);

    *refuted = false;
    if (!mgc__grow(ts->ctx, (void **)&s->point, &s->cap_point, n, sizeof *s->point))
        return mgc__no_memory(ts->ctx, "a ray");
    if (mgc_program_get_ray(ts->master.program, s->point, n) != MGC_OK) return MGC_OK;
    mgc__ts_costs(ts, s->point, s->cost);
    mgc_status st = mgc_twostage_worst(ts, s->cost, s->p);
    if (st != MGC_OK || mgc__master_has_cut(ts, s->p)) return st;
    *refuted = true;
    return add_cut(s);
}

/* Multipliers and probabilities are the last master's, whose bound is the best.  With integers they belong to the
 * integers that were fixed, so they go with the point. */
static void keep_multipliers(ccg *s, bool told)
{
    mgc__ts_result *r = &s->ts->result;

    r->has_y = r->has_p = told;
    if (!told) return;
    memcpy(r->y, s->y, s->ts->m * sizeof *s->y);
    memcpy(r->p, s->told, s->ts->scenarios * sizeof *s->told);
}

/* The master's point, its scenario costs, the oracle's p for them, and its objective. */
static mgc_status look_at_point(ccg *s, const mgc_program_info *pi, bool *there, bool *told, double *objective)
{
    mgc_twostage *ts = s->ts;
    mgc_program *program = ts->master.program;
    uint32_t n = mgc_program_columns(program), m = mgc_program_rows(program);

    if (!mgc__grow(ts->ctx, (void **)&s->point, &s->cap_point, n, sizeof *s->point) ||
        !mgc__grow(ts->ctx, (void **)&s->y, &s->cap_y, m, sizeof *s->y))
        return mgc__no_memory(ts->ctx, "the master's point");
    *there = mgc_program_get_x(program, s->point, n) == MGC_OK;
    if (!*there) return MGC_OK;
    *told = s->has_told = mgc_program_get_y(program, s->y, m) == MGC_OK && mgc__master_tell(ts, s->y, s->told);
    mgc_status st = MGC_OK;
    if (*told && pi->outcome == MGC_OUTCOME_OPTIMAL) st = mgc__ts_complete(ts, s->o, s->begun_ms, s->told, s->point);
    double first = mgc__ts_costs(ts, s->point, s->cost);
    if (st == MGC_OK) st = mgc_twostage_worst(ts, s->cost, s->p);
    *objective = first + mgc__ts_expected(ts, s->p, s->cost);
    return st;
}

/* The point is kept as the result where it is the best so far. */
static mgc_status take_point(ccg *s, const mgc_program_info *pi)
{
    mgc__ts_result *r = &s->ts->result;
    bool there = false, told = false;
    double upper = INFINITY;
    mgc_status st = look_at_point(s, pi, &there, &told, &upper);

    if (st != MGC_OK || !there) return st;
    bool better = !r->has_x || upper < s->upper;
    if (better || (s->convex && pi->outcome == MGC_OUTCOME_OPTIMAL)) keep_multipliers(s, told);
    if (!better) return MGC_OK;
    s->upper = upper;
    memcpy(r->x, s->point, s->ts->n * sizeof *s->point);
    r->has_x = true;
    return MGC_OK;
}

/* Cuts hold for every x, whole or not, and a relaxed point is no result: those of the relaxation,
 * nearly all that are needed, are gathered first, so that branch and bound runs once or twice instead of once a cut. */
static mgc_status gather(ccg *s, const mgc_program_info *pi)
{
    bool there = false, told = false;
    double objective = INFINITY;
    mgc_status st = look_at_point(s, pi, &there, &told, &objective);

    if (st != MGC_OK) return st;
    bool closed = pi->outcome != MGC_OUTCOME_OPTIMAL ||
                  objective - pi->bound <= mgc__ts_gap(s->ts, s->o) / 10 * fmax(1, fabs(objective));
    s->relaxing = there && !closed && !mgc__master_has_cut(s->ts, s->p) && s->rounds < ROUNDS_MAX;
    return s->relaxing ? add_cut(s) : MGC_OK;
}

static mgc_status solve_master(ccg *s, mgc_program_info *pi)
{
    mgc__ts_result *r = &s->ts->result;
    mgc_program_opts po;

    *pi = (mgc_program_info){.struct_size = sizeof *pi, .outcome = MGC_OUTCOME_LIMIT, .bound = -INFINITY};
    if (!mgc__ts_program_opts(s->ts, s->o, s->begun_ms, &po)) return MGC_OK;
    po.tolerance = s->tolerance;
    po.gap /= 2; /* the other half is left to the cuts */
    po.warm_start = s->warm;
    if (s->relaxing) po.relax = 1;
    s->warm = true;
    mgc_status st = mgc_program_solve(s->ts->master.program, &po, pi);
    if (st != MGC_OK) return st;
    r->info.iterations++;
    r->info.inner_iterations += pi->iterations;
    r->info.nodes += pi->nodes;
    s->lower = fmax(s->lower, pi->bound);
    return MGC_OK;
}

static mgc_status tell(ccg *s, uint32_t *outcome)
{
    if (s->o->progress == NULL) return MGC_OK;
    mgc_status st = mgc__verdict(s->o->progress(s->o->user, s->ts->result.info.iterations, s->upper, s->lower));
    if (st == MGC_OK) return MGC_OK;
    if (st != MGC_E_STOPPED)
        return mgc__fail(s->ts->ctx, st, "robust: the progress callback answered %s", mgc_status_name(st));
    *outcome = MGC_OUTCOME_CANCELLED;
    return MGC_OK;
}

/* What an iteration leaves to do: another one, or the word it ends with. */
static mgc_status next_step(ccg *s, uint32_t *outcome)
{
    mgc_twostage *ts = s->ts;
    double scale = fmax(1, fabs(s->upper));

    if (s->upper - s->lower <= mgc__ts_gap(ts, s->o) * scale) {
        *outcome = MGC_OUTCOME_OPTIMAL;
    } else if (!mgc__master_has_cut(ts, s->p)) {
        if (s->rounds < ROUNDS_MAX) return add_cut(s);
        *outcome = MGC_OUTCOME_LIMIT;
    } else if (s->tolerance > tightest) {
        s->tolerance = fmax(s->tolerance / 10, tightest);
    } else {
        *outcome = MGC_OUTCOME_NUMERICAL;
    }
    return MGC_OK;
}

/* One iteration; *outcome stays NONE while there is more to do. */
static mgc_status iterate(ccg *s, uint32_t *outcome)
{
    mgc_program_info pi;
    bool refuted = false;
    mgc_status st = solve_master(s, &pi);

    *outcome = pi.outcome;
    if (st != MGC_OK) return st;
    if (pi.outcome == MGC_OUTCOME_INFEASIBLE) return mgc__ts_take_ray(s->ts, s->ts->master.program);
    if (pi.outcome == MGC_OUTCOME_UNBOUNDED) {
        st = refute_ray(s, &refuted);
        if (refuted) *outcome = MGC_OUTCOME_NONE;
        return st;
    }
    if (s->relaxing) {
        if (pi.outcome != MGC_OUTCOME_OPTIMAL && pi.outcome != MGC_OUTCOME_NUMERICAL) return MGC_OK; /* time over, cancelled */
        *outcome = MGC_OUTCOME_NONE;
        st = gather(s, &pi);
        return st == MGC_OK ? tell(s, outcome) : st;
    }
    st = take_point(s, &pi);
    if (st != MGC_OK || pi.outcome != MGC_OUTCOME_OPTIMAL) return st;
    *outcome = MGC_OUTCOME_NONE;
    st = tell(s, outcome);
    return st == MGC_OK && *outcome == MGC_OUTCOME_NONE ? next_step(s, outcome) : st;
}

mgc_status mgc__ccg_solve(mgc_twostage *ts, const mgc_twostage_opts *o, uint64_t begun_ms)
{
    ccg s = {.ts = ts, .o = o, .begun_ms = begun_ms, .tolerance = o->tolerance, .warm = o->warm_start != 0,
             .convex = o->relax || !mgc__ts_integers(ts), .upper = INFINITY, .lower = -INFINITY};
    uint32_t outcome = MGC_OUTCOME_NONE;
    s.relaxing = !s.convex;
    mgc_status st = begin(&s);

    while (st == MGC_OK && outcome == MGC_OUTCOME_NONE) {
        if (mgc_ctx_cancelled(ts->ctx))
            outcome = MGC_OUTCOME_CANCELLED;
        else
            st = iterate(&s, &outcome);
    }
    ts->result.info.outcome = outcome;
    ts->result.info.bound = s.lower;
    if (st == MGC_OK && outcome == MGC_OUTCOME_NUMERICAL) st = mgc__ts_ask_feasible(ts, o, begun_ms);
    if (st == MGC_OK && ts->result.has_x) {
        memcpy(s.told, ts->result.p, ts->scenarios * sizeof *s.told);
        st = mgc__ts_judge(ts, o, ts->result.has_p ? s.told : NULL);
    }
    if (st != MGC_OK) mgc__master_drop(ts);
    free_ccg(&s);
    return st;
}
