/* SPDX-License-Identifier: Apache-2.0 */
/* What a search found, in the terms of the caller. */
#include "solver/mip_search.h"

/* The incumbent with its integers fixed, solved to the caller's tolerance and judged against the caller's data. */
static mgc_status finish_incumbent(mgc__search *q, double bound)
{
    mgc__mip *mip = q->mip;
    mgc__solve *s = q->s;
    mgc__qp qp;
    double *lower = q->r[0].lower, *upper = q->r[0].upper;

    mgc__program_qp(s->p, &qp);
    memcpy(lower, qp.lower, mip->n * sizeof(double));
    memcpy(upper, qp.upper, mip->n * sizeof(double));
    for (uint32_t k = 0; k < mip->n_int; k++) lower[mip->ints[k]] = upper[mip->ints[k]] = mip->best[mip->ints[k]];
    qp.lower = lower;
    qp.upper = upper;
    uint64_t deadline = s->deadline_ms;
    int32_t (*progress)(void *, uint32_t, double, double) = s->opts.progress;
    s->deadline_ms = 0; /* one relaxation more, so that what is returned was judged */
    s->opts.progress = NULL;
    mgc_status st = mgc__solve_continuous(s, &qp, &s->p->result);
    s->deadline_ms = deadline;
    s->opts.progress = progress;
    if (st != MGC_OK) return st;
    if (!s->p->result.has_point ||
        s->info.outcome != MGC_OUTCOME_OPTIMAL) { /* the search's own point, judged as it is */
        mgc__point_report point;
        if (!s->p->result.has_point || s->info.primal_residual > s->opts.tolerance) {
            double *room = mgc__alloc(mip->ctx, 2 * (size_t)mip->m, sizeof *room);
            if (room == NULL) return mgc__no_memory(mip->ctx, "work space");
            memcpy(s->p->result.x, mip->best, mip->n * sizeof(double));
            s->p->result.has_point = true;
            s->p->result.has_multipliers = false;
            mgc__judge_point(&qp, mip->best, room, &point);
            mgc__free(mip->ctx, room);
            s->info.objective = point.objective + s->p->offset;
            s->info.primal_residual = point.residual;
        }
    }
    s->info.bound = fmin(bound + s->p->offset, s->info.objective);
    s->info.gap = (s->info.objective - s->info.bound) / fmax(1.0, fabs(s->info.objective));
    return MGC_OK;
}

mgc_status mgc__search_finish(mgc__search *q)
{
    mgc__mip *mip = q->mip;
    mgc__solve *s = q->s;
    double bound = mgc__search_bound(q);
    mgc_status st = MGC_OK;

    if (mip->has_incumbent) {
        st = finish_incumbent(q, bound);
        if (st != MGC_OK) return st;
        /* leaves are relaxations: no gap is known better than they are solved */
        bool close = s->info.gap <= s->opts.gap + fmax(1e-9, s->opts.tolerance) &&
                     s->info.primal_residual <= s->opts.tolerance;
        if (close) s->info.outcome = MGC_OUTCOME_OPTIMAL;
        else s->info.outcome = q->stop != MGC_OUTCOME_NONE ? q->stop : MGC_OUTCOME_NUMERICAL;
    } else {
        /* Everything closed without a point: by proofs, or because relaxations failed (then their bound is finite).
         */
        bool proven = q->stop == MGC_OUTCOME_NONE && q->closed_bound == INFINITY;
        s->info.outcome = q->stop != MGC_OUTCOME_NONE ? q->stop
                          : proven                    ? MGC_OUTCOME_INFEASIBLE
                                                      : MGC_OUTCOME_NUMERICAL;
        s->info.objective = INFINITY;
        s->info.bound = proven ? INFINITY : bound + s->p->offset;
        s->info.gap = INFINITY;
    }
    s->p->result.outcome = s->info.outcome;
    return MGC_OK;
}

/* No point is asked for any more: the verdict, with the certificate of the relaxation where it has the same
 * verdict. */
mgc_status mgc__answer_by_relaxation(mgc__solve *s, uint32_t verdict)
{
    mgc__qp qp;
    uint32_t nodes = s->info.nodes;

    mgc__program_qp(s->p, &qp);
    mgc_status st = mgc__solve_continuous(s, &qp, &s->p->result);
    if (st != MGC_OK) return st;
    s->info.nodes = nodes;
    if (s->info.outcome != verdict) {
        s->p->result.has_point = s->p->result.has_multipliers = false;
        s->info.outcome = verdict == MGC_OUTCOME_UNBOUNDED ? MGC_OUTCOME_NUMERICAL : verdict;
        mgc__free(s->p->ctx, s->p->result.ray);
        s->p->result.ray = NULL;
        s->info.objective = s->info.gap = s->info.primal_residual = s->info.dual_residual = INFINITY;
        s->info.bound = verdict == MGC_OUTCOME_INFEASIBLE ? INFINITY : -INFINITY;
    }
    s->p->result.outcome = s->info.outcome;
    return MGC_OK;
}
