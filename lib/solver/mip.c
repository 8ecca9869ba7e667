/* SPDX-License-Identifier: Apache-2.0 */
/* Branch and bound over interior-point relaxations (Land and Doig 1960): best bound first, incumbents by rounding
 * with propagation before and during the search.  Method and sources: doc/math/mixed-integer.md. */
#include "solver/mip_search.h"

enum {
    ROUND_FIRST = 5,      /* thresholds while there is no incumbent */
    FLIPS = 4,            /* relaxations of the local search after each better incumbent, at most */
    ROUND_EVERY = 8       /* nodes between two roundings, after the first few */
};
#define NEARLY_INTEGRAL 0.1 /* a point that is worth rounding at once */

/* A limit of time, a cancel request: the relaxations are not what they should be. */
bool mgc__search_interrupted(mgc__search *q)
{
    mgc__solve *s = q->s;

    if (mgc__mip_over(q->mip)) q->stop = q->mip->stop;
    else if (s->opts.node_limit > 0 && s->info.nodes >= s->opts.node_limit) q->stop = MGC_OUTCOME_LIMIT;
    return q->stop != MGC_OUTCOME_NONE;
}

mgc_status mgc__search_report(mgc__search *q, double bound)
{
    mgc__solve *s = q->s;

    if (s->opts.progress == NULL) return MGC_OK;
    double incumbent = q->mip->has_incumbent ? q->mip->incumbent + s->p->offset : INFINITY;
    mgc_status st =
        mgc__verdict(s->opts.progress(s->opts.user, s->info.nodes, incumbent, fmin(bound + s->p->offset, incumbent)));
    if (st != MGC_E_STOPPED)
        return st == MGC_OK
                   ? st
                   : mgc__fail(s->p->ctx, st, "solver: the progress callback failed; %s", mgc_status_text(st));
    q->stop = MGC_OUTCOME_CANCELLED;
    return MGC_OK;
}

/* A relaxation whose solution is integral, or nearly, is a point to keep: solve with the integers fixed there. */
mgc_status mgc__search_try_point(mgc__search *q, const mgc__relaxation *r)
{
    mgc__mip *mip = q->mip;

    if (!r->has_point || !(r->bound < mgc__mip_cutoff(mip))) return MGC_OK;
    for (uint32_t k = 0; k < mip->n_int; k++)
        if (fabs(r->x[mip->ints[k]] - nearbyint(r->x[mip->ints[k]])) > NEARLY_INTEGRAL) return MGC_OK;
    double *copy = mgc__alloc(mip->ctx, mip->n_int, sizeof *copy);
    if (copy == NULL) return mgc__no_memory(mip->ctx, "a point");
    for (uint32_t k = 0; k < mip->n_int; k++) copy[k] = r->x[mip->ints[k]];
    mgc_status st = mgc__heuristic_near(&q->h, copy);
    mgc__free(mip->ctx, copy);
    return st;
}

/* --- expanding a node ------------------------------------------------------------------------ */

/* What the root's reduced costs and paths say by now. */
bool mgc__search_enter(mgc__search *q)
{
    mgc__mip *mip = q->mip;
    bool ok = true;

    mgc__domain_reset(&q->d);
    if (mip->root_bound > -INFINITY) {
        double *lower = q->h.key, *upper = q->h.wish; /* work space */
        for (uint32_t k = 0; k < mip->n_int; k++) {
            lower[k] = mip->lower[mip->ints[k]];
            upper[k] = mip->upper[mip->ints[k]];
        }
        mgc__fix_by_cost(mip, mip->root_bound, mip->root_z, lower, upper);
        mgc__fix_by_paths(mip, mip->root_at, lower, upper);
        for (uint32_t k = 0; ok && k < mip->n_int; k++) ok = mgc__domain_set(&q->d, mip->ints[k], lower[k], upper[k]);
    }
    return ok;
}

/* The domain of a node: its integer bounds, what the root says, and what follows. */
static bool enter(mgc__search *q, struct mgc__node *node)
{
    mgc__mip *mip = q->mip;
    bool ok = mgc__search_enter(q);

    mgc__fix_by_paths(mip, node->at, node->lower, node->upper);
    for (uint32_t k = 0; ok && k < mip->n_int; k++)
        ok = mgc__domain_set(&q->d, mip->ints[k], node->lower[k], node->upper[k]);
    return ok && mgc__domain_propagate(&q->d);
}

/* The two children's domains of each candidate. */
static void make_children(mgc__search *q, const struct mgc__node *node, const struct mgc__candidate *c, size_t n)
{
    mgc__domain *d = &q->d;

    for (size_t i = 0; i < 2 * n; i++) {
        const struct mgc__candidate *one = &c[i / 2];
        uint32_t j = q->mip->ints[one->k];
        size_t mark = d->n_trail;
        double cut = floor(fmin(fmax(node->x[one->k], d->lower[j]), d->upper[j] - 1e-9));
        bool ok = i % 2 == 0 ? mgc__domain_set(d, j, -INFINITY, cut) : mgc__domain_set(d, j, cut + 1.0, INFINITY);
        ok = ok && mgc__domain_propagate(d);
        assert(ok); /* mgc__choose() tried it */
        (void)ok;
        memcpy(q->r[i].lower, d->lower, d->mip->n * sizeof(double));
        memcpy(q->r[i].upper, d->upper, d->mip->n * sizeof(double));
        q->r[i].cutoff = mgc__mip_cutoff(q->mip);
        q->r[i].decide = true;
        mgc__domain_undo(d, mark);
    }
}

/* A node whose integers are all fixed: what its relaxation found is all there is. */
static mgc_status settle_leaf(mgc__search *q, const struct mgc__node *node)
{
    mgc__mip *mip = q->mip;

    memcpy(q->r[0].lower, q->d.lower, mip->n * sizeof(double));
    memcpy(q->r[0].upper, q->d.upper, mip->n * sizeof(double));
    q->r[0].cutoff = mgc__mip_cutoff(mip);
    q->r[0].decide = false;
    mgc_status st = mgc__mip_relax(mip, q->r, 1);
    if (st != MGC_OK) return st;
    q->s->info.nodes++;
    double objective = q->r[0].objective;
    if (q->r[0].has_point && objective < mip->incumbent) {
        mip->has_incumbent = true;
        mip->incumbent = objective;
        memcpy(mip->best, q->r[0].x, mip->n * sizeof(double));
        for (uint32_t k = 0; k < mip->n_int; k++) mip->best[mip->ints[k]] = q->d.lower[mip->ints[k]];
    }
    q->closed_bound = fmin(q->closed_bound, fmax(node->bound, q->r[0].bound));
    return MGC_OK;
}

/* Measured on day-ahead programs: the distance of mgc__choose() is so good a guide that solving both children of a
 * second candidate pays at the root only. */
static size_t candidates_at(uint32_t depth)
{
    return depth == 0 ? CANDIDATES_MAX : 1;
}

static mgc_status expand(mgc__search *q, struct mgc__node *node)
{
    struct mgc__candidate c[CANDIDATES_MAX];
    bool tightened, dead;
    mgc_status st;

    if (!enter(q, node)) return MGC_OK; /* no point below the cutoff is left in it */
    size_t n;
    do n = mgc__choose(q, node, candidates_at(node->depth), c, &tightened, &dead);
    while (tightened && !dead); /* what one column taught may exclude a side of another */
    if (dead) return MGC_OK;
    if (n == 0) return settle_leaf(q, node);
    make_children(q, node, c, n);
    st = mgc__mip_relax(q->mip, q->r, 2 * n);
    if (st != MGC_OK) return st;
    q->s->info.nodes += (uint32_t)(2 * n);
    for (size_t i = 0; i < n; i++) mgc__learn(q, &c[i], &q->r[2 * i], node->bound);
    for (size_t i = 0; st == MGC_OK && i < 2 * n; i++) st = mgc__search_try_point(q, &q->r[i]);
    size_t chosen = mgc__pick(q, n, node->bound);
    for (int side = 0; st == MGC_OK && side < 2; side++)
        st = mgc__node_open(q, &q->r[2 * chosen + (size_t)side], node->depth + 1, node->bound);
    return st;
}

/* --- the search ------------------------------------------------------------------------------ */

/* Round a node's solution now and then; after a better incumbent, look around it, and less and less often where that
 * comes to nothing. */
static mgc_status improve(mgc__search *q, const struct mgc__node *node)
{
    double before_it = q->mip->incumbent;
    mgc_status st = MGC_OK;

    if (q->s->info.nodes > 6 && q->mip->has_incumbent && q->s->info.nodes < q->rounded_at + ROUND_EVERY)
        return MGC_OK;
    q->rounded_at = q->s->info.nodes;
    st = mgc__heuristic_round(&q->h, node->x, q->mip->has_incumbent ? 1 : ROUND_FIRST);
    if (st == MGC_OK) st = mgc__heuristic_round(&q->h, node->hint, 1);
    if (st != MGC_OK || !(q->mip->incumbent < before_it)) return st;
    if (q->flips_rest > 0) {
        q->flips_rest--;
        return MGC_OK;
    }
    before_it = q->mip->incumbent;
    st = mgc__heuristic_flips(&q->h, FLIPS);
    q->flips_wait = q->mip->incumbent < before_it ? 0 : 2 * q->flips_wait + 1;
    q->flips_rest = q->flips_wait;
    return st;
}

static mgc_status run(mgc__search *q)
{
    mgc_status st = MGC_OK;

    while (st == MGC_OK && q->open > 0 && !mgc__search_interrupted(q)) {
        if (q->heap[0]->bound > mgc__mip_cutoff(q->mip)) { /* then all of them are */
            q->closed_bound = fmin(q->closed_bound, q->heap[0]->bound);
            mgc__nodes_drop(q);
            break;
        }
        st = mgc__search_report(q, mgc__search_bound(q));
        if (st == MGC_OK && q->stop == MGC_OUTCOME_NONE) st = mgc__search_restart(q);
        if (st != MGC_OK || q->stop != MGC_OUTCOME_NONE || q->open == 0) continue;
        struct mgc__node *node = mgc__node_next(q);
        st = improve(q, node);
        if (st == MGC_OK && mgc__search_sharpen(q->mip, node->bound) <= mgc__mip_cutoff(q->mip)) st = expand(q, node);
        else q->closed_bound = fmin(q->closed_bound, node->bound);
        if (mgc__mip_over(q->mip))
            q->closed_bound = fmin(q->closed_bound, node->bound); /* its children may not be what they should */
        mgc__node_free(q->mip->ctx, node);
    }
    return st;
}

/* --- all of it -------------------------------------------------------------------------------- */

static mgc_status search_init(mgc__search *q, mgc__mip *mip, mgc__solve *s)
{
    *q = (mgc__search){.mip = mip, .s = s, .closed_bound = INFINITY, .proven = -INFINITY, .restart_seen = INFINITY};
    mgc_status st = mgc__domain_init(&q->d, mip);
    for (size_t i = 0; st == MGC_OK && i < MGC__COUNT(q->r); i++) st = mgc__relaxation_init(mip, &q->r[i]);
    if (st == MGC_OK) st = mgc__heuristic_init(&q->h, mip, &q->d);
    q->gain = mgc__alloc(mip->ctx, mip->n_int, sizeof *q->gain);
    q->moved = mgc__alloc(mip->ctx, mip->n, sizeof *q->moved);
    return st == MGC_OK && (q->gain == NULL || q->moved == NULL) ? mgc__no_memory(mip->ctx, "branch and bound") : st;
}

static void search_free(mgc__search *q)
{
    mgc_ctx *ctx = q->mip->ctx;

    mgc__nodes_drop(q);
    mgc__free(ctx, q->heap);
    mgc__free(ctx, q->gain);
    mgc__free(ctx, q->moved);
    mgc__followers_free(ctx, &q->followers);
    for (size_t i = 0; i < MGC__COUNT(q->r); i++) mgc__relaxation_free(q->mip, &q->r[i]);
    mgc__heuristic_free(&q->h);
    mgc__domain_free(&q->d);
}

/* Objective out, so that any point with whole integers ends the search. */
static mgc_status drop_objective(mgc__mip *mip, double **zero)
{
    *zero = mgc__alloc(mip->ctx, mip->n, sizeof **zero);
    if (*zero == NULL) return mgc__no_memory(mip->ctx, "a cost vector");
    mip->c = *zero;
    mip->q = NULL;
    mip->whole_objective = true;
    return MGC_OK;
}

/* *verdict: NONE, and the answer is in place; or what is known of a program that is left without one: INFEASIBLE,
 * or UNBOUNDED for its relaxation.  feasibility: is there any point?  Then OPTIMAL (yes), INFEASIBLE, or why that
 * stays open. */
static mgc_status branch_and_bound(mgc__solve *s, bool feasibility, uint32_t *verdict)
{
    mgc__mip mip;
    mgc__search q = {.mip = &mip};
    bool infeasible = false;
    double *zero = NULL;

    *verdict = MGC_OUTCOME_NONE;
    mgc_status st = mgc__mip_setup(&mip, s);
    if (st == MGC_OK && feasibility) st = drop_objective(&mip, &zero);
    if (st == MGC_OK) st = search_init(&q, &mip, s);
    if (st == MGC_OK) st = mgc__mip_probe(&mip, &q.d, &infeasible);
    if (st == MGC_OK && !infeasible) st = mgc__search_root(&q);
    if (st == MGC_OK && (infeasible || q.stop == MGC_OUTCOME_INFEASIBLE || q.stop == MGC_OUTCOME_UNBOUNDED)) {
        *verdict = infeasible ? MGC_OUTCOME_INFEASIBLE : q.stop;
    } else if (st == MGC_OK) {
        st = run(&q);
        if (st == MGC_OK && !feasibility) st = mgc__search_finish(&q);
        if (feasibility)
            *verdict = mip.has_incumbent                ? MGC_OUTCOME_OPTIMAL
                       : q.stop != MGC_OUTCOME_NONE     ? q.stop
                       : q.closed_bound == INFINITY     ? MGC_OUTCOME_INFEASIBLE
                                                        : MGC_OUTCOME_NUMERICAL;
    }
    search_free(&q);
    mgc__free(mip.ctx, zero);
    mgc__mip_free(&mip);
    return st;
}

/* The objective falls for ever along a direction of the relaxation.  With rational data it does so over the
 * integers too, if there is one point of them (Meyer 1974); without any the program is infeasible. */
mgc_status mgc__solve_integer(mgc__solve *s)
{
    uint32_t verdict, any;
    mgc_status st = branch_and_bound(s, false, &verdict);

    if (st != MGC_OK || verdict == MGC_OUTCOME_NONE) return st;
    if (verdict == MGC_OUTCOME_UNBOUNDED) {
        st = branch_and_bound(s, true, &any);
        if (st != MGC_OK) return st;
        if (any != MGC_OUTCOME_OPTIMAL) verdict = any;
    }
    return mgc__answer_by_relaxation(s, verdict);
}
