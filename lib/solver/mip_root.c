/* SPDX-License-Identifier: Apache-2.0 */
/* The root: relaxation, first incumbents, cuts, the first open node. */
#include "solver/mip_search.h"

/* Share of the integers still open that an incumbent must fix for a restart, and how many at least. */
#define RESTART_SHARE 0.2
enum { RESTART_LEAST = 8 };

/* What follows the integers, weighed by the relaxation that was solved last.  A restart keeps it: by multipliers of the smaller
 * program, whose fixed columns ask nothing of them, branching took six tenths more nodes. */
static mgc_status weigh_followers(mgc__search *q)
{
    mgc__mip *mip = q->mip;

    mgc__followers_free(mip->ctx, &q->followers);
    mgc_status st = mgc__followers_init(&q->followers, mip);
    if (st == MGC_OK) mgc__followers_weigh(&q->followers, mip, q->r[0].has_point ? mgc__mip_multipliers(mip) : NULL);
    return st;
}

/* Solve the root's relaxation and keep what the search asks of it.  again: after a restart.  q->stop: no search is
 * needed. */
static mgc_status solve_root(mgc__search *q, bool again)
{
    mgc__mip *mip = q->mip;
    mgc__relaxation *r = &q->r[0];

    mgc__ipm_anchor_destroy(mip->anchor);
    mip->anchor = NULL;
    memcpy(r->lower, mip->box_lower, mip->n * sizeof(double));
    memcpy(r->upper, mip->box_upper, mip->n * sizeof(double));
    r->cutoff = INFINITY;
    r->decide = false;
    mgc_status st = mip->schedules == NULL ? mgc__schedules_create(mip, &mip->schedules) : MGC_OK;
    if (st == MGC_OK) st = mgc__mip_relax(mip, r, 1);
    if (st != MGC_OK) return st;
    if (q->s->info.nodes == 0) q->s->info.nodes = 1;
    q->proven = fmax(q->proven, r->bound);
    if (r->outcome == MGC_OUTCOME_INFEASIBLE || r->outcome == MGC_OUTCOME_UNBOUNDED) {
        q->stop = mip->has_incumbent ? MGC_OUTCOME_NONE : r->outcome;
        return MGC_OK;
    }
    if (!r->has_point && mgc__search_interrupted(q)) return MGC_OK;
    for (uint32_t k = 0; k < mip->n_int; k++) {
        mip->root_x[k] = r->has_point ? r->x[mip->ints[k]] : mip->lower[mip->ints[k]];
        mip->root_z[k] = r->has_point ? r->z[mip->ints[k]] : 0.0;
    }
    mip->root_bound = r->has_point ? r->dual_bound : -INFINITY;
    memcpy(mip->root_at, r->at, 2 * (size_t)mip->n_int * sizeof *r->at);
    if (!again) st = weigh_followers(q);
    return st == MGC_OK ? mgc__mip_drop_anchor(mip) : st;
}

/* A point near the caller's start, if there is one; then the relaxation's, rounded. */
static mgc_status first_incumbents(mgc__search *q)
{
    mgc__mip *mip = q->mip;
    mgc_status st = MGC_OK;

    if (q->s->p->start != NULL && q->s->p->start_n == mip->n) {
        double *wish = mgc__alloc(mip->ctx, mip->n_int, sizeof *wish);
        if (wish == NULL) return mgc__no_memory(mip->ctx, "a start");
        for (uint32_t k = 0; k < mip->n_int; k++) wish[k] = q->s->p->start[mip->ints[k]];
        st = mgc__heuristic_near(&q->h, wish);
        mgc__free(mip->ctx, wish);
    }
    if (st == MGC_OK) st = mgc__search_try_point(q, &q->r[0]);
    if (st == MGC_OK) st = mgc__heuristic_round(&q->h, mip->root_x, 1);
    return st;
}

/* What comes after each round of cuts: integers that cannot pay for leaving their bounds are fixed, the caller is
 * told.  *stop: rounds are over. */
static mgc_status after_round(void *user, const mgc__relaxation *r, bool *stop)
{
    mgc__search *q = user;
    mgc__mip *mip = q->mip;
    double *lower = q->h.key, *upper = q->h.wish; /* work space */

    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        lower[k] = mip->lower[j];
        upper[k] = mip->upper[j];
        mip->root_z[k] = r->z[j];
    }
    mgc__fix_by_cost(mip, r->dual_bound, mip->root_z, lower, upper);
    q->proven = fmax(q->proven, r->bound);
    *stop = r->bound > mgc__mip_cutoff(mip);
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        if (lower[k] > upper[k]) {
            *stop = true;
            continue;
        }
        mip->lower[j] = mip->box_lower[j] = lower[k];
        mip->upper[j] = mip->box_upper[j] = upper[k];
    }
    mgc_status st = mgc__search_report(q, q->proven);
    *stop = *stop || mgc__search_interrupted(q);
    return st;
}

/* What depends on the rows, made anew: they are others. */
static mgc_status renew(mgc__search *q, bool again)
{
    mgc__mip *mip = q->mip;

    mgc__heuristic_free(&q->h);
    mgc__domain_free(&q->d);
    q->h = (mgc__heuristic){0};
    q->d = (mgc__domain){0};
    mgc_status st = mgc__domain_init(&q->d, mip);
    if (st == MGC_OK) st = mgc__heuristic_init(&q->h, mip, &q->d);
    return st == MGC_OK && q->stop == MGC_OUTCOME_NONE && !mgc__search_interrupted(q) ? solve_root(q, again) : st;
}

/* Rounds of cuts. */
static mgc_status add_cuts(mgc__search *q)
{
    bool added;
    mgc_status st = mgc__mip_cut(q->mip, &q->r[0], after_round, q, &added);

    return st == MGC_OK && added ? renew(q, false) : st;
}

static mgc_status open_root(mgc__search *q)
{
    mgc__mip *mip = q->mip;
    mgc__relaxation *r = &q->r[0];
    bool has_point = r->has_point;
    mgc_status st = MGC_OK;

    if (has_point) st = mgc__search_try_point(q, r);
    if (st == MGC_OK) st = mgc__heuristic_round(&q->h, mip->root_x, 1);
    if (st == MGC_OK && has_point) {
        mgc__heuristic_hint(&q->h, r->x, r->z); /* z is kept in root_z */
        st = mgc__heuristic_round(&q->h, r->z, 1);
    }
    r->has_point = false; /* z is gone: what it said is in root_z, and enter() applies it */
    if (st == MGC_OK) st = mgc__node_open(q, r, 0, q->proven);
    if (st == MGC_OK && q->open > 0) {
        memcpy(q->heap[0]->x, mip->root_x, mip->n_int * sizeof(double));
        r->has_point = has_point;
        mgc__node_weights(mip, r, q->heap[0]->weight);
    }
    return st;
}

/* Nothing more is asked: what the root proved is the bound. */
static bool root_is_done(mgc__search *q)
{
    const mgc__relaxation *r = &q->r[0];

    if (q->stop == MGC_OUTCOME_NONE && !(r->outcome == MGC_OUTCOME_INFEASIBLE)) return false;
    q->closed_bound = fmin(q->closed_bound, q->proven);
    return true;
}

mgc_status mgc__search_root(mgc__search *q)
{
    mgc_status st = solve_root(q, false);

    if (st != MGC_OK || root_is_done(q)) return st;
    st = first_incumbents(q);
    if (st == MGC_OK) st = mgc__search_report(q, q->proven);
    if (st != MGC_OK) return st;
    if (q->stop == MGC_OUTCOME_NONE && mgc__mip_over(q->mip)) q->stop = q->mip->stop;
    if (root_is_done(q)) return st;
    if (q->r[0].outcome == MGC_OUTCOME_OPTIMAL && !mgc__search_closed(q->mip, &q->r[0])) st = add_cuts(q);
    if (st != MGC_OK || root_is_done(q)) return st;
    return open_root(q);
}

/* --- restarts ---------------------------------------------------------------------------------- */

/* Whether enough is fixed everywhere, by the incumbent and what follows, that the program without it pays for a root of its own.
 * *dead: no point is left at all. */
static bool worth_restart(mgc__search *q, bool *dead)
{
    const mgc__mip *mip = q->mip;
    uint32_t open = 0, fixed = 0;

    *dead = false;
    if (!(mip->incumbent < q->restart_seen) || mgc__mip_has_scenarios(mip)) return false;
    q->restart_seen = mip->incumbent;
    *dead = !mgc__search_enter(q) || !mgc__domain_propagate(&q->d);
    if (*dead) return true;
    for (uint32_t k = 0; k < mip->n_int; k++) {
        uint32_t j = mip->ints[k];
        if (mip->lower[j] == mip->upper[j]) continue;
        open++;
        fixed += q->d.lower[j] == q->d.upper[j];
    }
    return fixed >= RESTART_LEAST && fixed >= RESTART_SHARE * open;
}

mgc_status mgc__search_restart(mgc__search *q)
{
    bool dead, at_root = q->open == 1 && q->heap[0]->depth == 0;

    if (!worth_restart(q, &dead)) return MGC_OK;
    if (dead) {
        mgc__nodes_drop(q);
        return MGC_OK;
    }
    mgc_status st = mgc__mip_reduce(q->mip, &q->d);
    if (st == MGC_OK) st = renew(q, true);
    if (st != MGC_OK || q->stop != MGC_OUTCOME_NONE) return st;
    const mgc__relaxation *r = &q->r[0];
    if (mgc__search_closed(q->mip, r)) {
        q->closed_bound = fmin(q->closed_bound, r->bound);
        mgc__nodes_drop(q);
    } else if (at_root) {
        mgc__nodes_drop(q);
        st = open_root(q);
    } else {
        mgc__nodes_lift(q, r->bound);
    }
    return st;
}
