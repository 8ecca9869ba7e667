/* SPDX-License-Identifier: Apache-2.0 */
/* A better lower bound, where the members' on/off decisions leave a gap that better prices or a few cases close
 * (doc/math/bargain.md, section 2, "Lower bound").
 *
 *     theta(lambda) = sum_n min { C_n(x) + s lambda'x : x within capacity, decisions of n }   <=  optimum          (weak duality)
 *
 *   prices  theta is concave, and every answer of a member (what it would trade, at what cost) bounds it from above: the
 *           proximal bundle method (Kiwiel 1990; one bundle for each member) raises it.  Its master problem in the dual form is
 *           the cheapest mixture of answers, with t/2 |mismatch of the two ends|^2: convexity comes by mixing.
 *   cases   what the best prices leave is the price of not being convex.  Then one decision of one member is split into "off" and
 *           "on": min of both bounds holds (Caroe and Schultz 1999, dual decomposition).  Each case goes on with the answers
 *           of all cases before that fit it.
 *
 * Who runs this must see all members' answers, and learns trades at prices and their cost, no more: mgc_alliance_solve(), not agents
 * over a transport. */
#include <math.h>

#include "bargain/dual.h"

/* Where the gap cannot be closed the effort must end all the same: measured, 230 rounds of known decisions close what can be
 * closed on the reference cases, at a tenth of a second each. */
enum { INNER_STEPS = 30, ASKS_PER_NODE = 8, ASKS_MAX = 30, RECALLS_MAX = 300, COORDINATES_MAX = 20000, MEMBERS_MAX = 200 };
static const double stalled = 0.03; /* of what is missing: less is not worth asking for at these prices; split */

size_t mgc__dual_integers(const mgc__dual *d, size_t i)
{
    return mgc__local_site_integers(d->agent[i]->local);
}

/* --- making -------------------------------------------------------------------------------------------------------------- */

void *mgc__dual_take(mgc__dual *d, size_t n, size_t size, bool *good)
{
    void *p = mgc__alloc(d->ctx, n > 0 ? n : 1, size);

    *good &= p != NULL;
    return p;
}

static void free_case(mgc__dual *d, mgc__case *k)
{
    mgc__free(d->ctx, k->lambda);
    mgc__free(d->ctx, k->value);
    mgc__free(d->ctx, k->fixed);
}

static void free_answer(mgc__dual *d, mgc__answer *a)
{
    mgc__free(d->ctx, a->x);
    mgc__free(d->ctx, a->decision);
}

static bool make_answer(mgc__dual *d, size_t i, mgc__answer *a)
{
    bool good = true;

    a->x = mgc__dual_take(d, d->agent[i]->coordinates, sizeof *a->x, &good);
    a->decision = mgc__dual_take(d, mgc__dual_integers(d, i), sizeof *a->decision, &good);
    return good;
}

static void free_dual(mgc__dual *d)
{
    for (size_t i = 0; i < d->n; i++) {
        if (d->place != NULL) mgc__free(d->ctx, d->place[i]);
        if (d->linear != NULL) mgc__free(d->ctx, d->linear[i]);
        if (d->known != NULL) mgc__free(d->ctx, d->known[i]);
        if (d->answer != NULL) free_answer(d, &d->answer[i]);
        for (size_t j = 0; d->recalled != NULL && j < MGC__DUAL_KNOWN_MAX; j++) free_answer(d, &d->recalled[i * MGC__DUAL_KNOWN_MAX + j]);
    }
    for (size_t c = 0; c < d->n_cuts; c++) {
        mgc__free(d->ctx, d->cuts[c].x);
        mgc__free(d->ctx, d->cuts[c].decision);
    }
    for (size_t k = 0; k < d->nodes; k++) free_case(d, &d->node[k]);
    for (size_t k = 0; k < d->n_tried; k++) mgc__free(d->ctx, d->tried[k]);
    mgc__free(d->ctx, d->place);
    mgc__free(d->ctx, d->linear);
    mgc__free(d->ctx, d->answer);
    mgc__free(d->ctx, d->recalled);
    mgc__free(d->ctx, d->n_recalled);
    mgc__free(d->ctx, d->known);
    mgc__free(d->ctx, d->n_known);
    mgc__free(d->ctx, d->cap_known);
    mgc__free(d->ctx, d->status);
    mgc__free(d->ctx, d->weight);
    mgc__free(d->ctx, d->first_integer);
    mgc__free(d->ctx, d->lambda);
    mgc__free(d->ctx, d->cuts);
    mgc__free(d->ctx, d->share);
    mgc__free(d->ctx, d);
}

/* Coordinates of the coupled links, in the order in which members meet them. */
static void place_links(mgc__dual *d)
{
    for (size_t i = 0; i < d->n; i++)
        for (size_t e = 0; e < d->agent[i]->n_ends; e++) {
            const mgc__end *end = &d->agent[i]->ends[e];
            d->place[i][e] = SIZE_MAX;
            for (size_t j = 0; j < i && d->place[i][e] == SIZE_MAX; j++)
                for (size_t f = 0; f < d->agent[j]->n_ends; f++)
                    if (d->agent[j]->ends[f].terms.link == end->terms.link) d->place[i][e] = d->place[j][f];
            if (d->place[i][e] != SIZE_MAX) continue;
            d->place[i][e] = d->coordinates;
            d->coordinates += end->count;
        }
}

static mgc_status make_dual(mgc__run *run, mgc_agent **agent, size_t n, mgc__dual **out)
{
    mgc__dual *d = mgc__alloc(run->ctx, 1, sizeof *d);
    bool good = true;

    *out = d;
    if (d == NULL) return mgc__no_memory(run->ctx, "bargain: a lower bound");
    d->run = run;
    d->ctx = run->ctx;
    d->agent = agent;
    d->n = n;
    d->place = mgc__dual_take(d, n, sizeof *d->place, &good);
    d->linear = mgc__dual_take(d, n, sizeof *d->linear, &good);
    d->answer = mgc__dual_take(d, n, sizeof *d->answer, &good);
    d->recalled = mgc__dual_take(d, n * MGC__DUAL_KNOWN_MAX, sizeof *d->recalled, &good);
    d->n_recalled = mgc__dual_take(d, n, sizeof *d->n_recalled, &good);
    d->known = mgc__dual_take(d, n, sizeof *d->known, &good);
    d->n_known = mgc__dual_take(d, n, sizeof *d->n_known, &good);
    d->cap_known = mgc__dual_take(d, n, sizeof *d->cap_known, &good);
    d->status = mgc__dual_take(d, n, sizeof *d->status, &good);
    d->first_integer = mgc__dual_take(d, n, sizeof *d->first_integer, &good);
    for (size_t i = 0; good && i < n; i++) {
        d->first_integer[i] = d->integers;
        d->integers += mgc__dual_integers(d, i);
        d->place[i] = mgc__dual_take(d, agent[i]->n_ends, sizeof **d->place, &good);
        d->linear[i] = mgc__dual_take(d, agent[i]->coordinates, sizeof **d->linear, &good);
        good &= make_answer(d, i, &d->answer[i]);
        for (size_t j = 0; j < MGC__DUAL_KNOWN_MAX; j++) good &= make_answer(d, i, &d->recalled[i * MGC__DUAL_KNOWN_MAX + j]);
    }
    if (good) place_links(d);
    d->weight = mgc__dual_take(d, d->coordinates, sizeof *d->weight, &good);
    d->lambda = mgc__dual_take(d, d->coordinates, sizeof *d->lambda, &good);
    return good ? MGC_OK : mgc__no_memory(run->ctx, "bargain: a lower bound");
}

/* --- asking -------------------------------------------------------------------------------------------------------------- */

static void price_member(mgc__dual *d, size_t i)
{
    const mgc_agent *a = d->agent[i];

    for (size_t e = 0; e < a->n_ends; e++)
        for (size_t c = 0; c < a->ends[e].count; c++)
            d->linear[i][a->ends[e].offset + c] = (a->ends[e].terms.first ? 1 : -1) * d->lambda[d->place[i][e] + c];
}

static void ask_one(void *user, size_t i)
{
    mgc__dual *d = user;

    if (d->only < d->n && i != d->only) return;
    price_member(d, i);
    d->status[i] = mgc__local_site_ask(d->agent[i]->local, d->linear[i], d->at->fixed + d->first_integer[i], false, &d->answer[i]);
}

bool mgc__dual_fits(const mgc__dual *d, const mgc__case *k, size_t i, const int8_t *decision)
{
    const int8_t *fixed = k->fixed + d->first_integer[i];

    for (size_t j = 0; j < mgc__dual_integers(d, i); j++)
        if (fixed[j] >= 0 && fixed[j] != decision[j]) return false;
    return true;
}

/* The decisions that the member has answered before and that fit the case, the latest first: a program each, no branching. */
static void recall_one(void *user, size_t i)
{
    mgc__dual *d = user;
    size_t integers = mgc__dual_integers(d, i);

    price_member(d, i);
    d->status[i] = MGC_OK;
    d->n_recalled[i] = 0;
    for (size_t j = d->n_known[i]; d->status[i] == MGC_OK && j-- > 0 && d->n_recalled[i] < MGC__DUAL_KNOWN_MAX;) {
        const int8_t *decision = d->known[i] + j * integers;
        if (!mgc__dual_fits(d, d->at, i, decision)) continue;
        d->status[i] = mgc__local_site_ask(d->agent[i]->local, d->linear[i], decision, true, &d->recalled[i * MGC__DUAL_KNOWN_MAX + d->n_recalled[i]]);
        d->n_recalled[i]++;
    }
}

static mgc_status add_cut(mgc__dual *d, size_t i, const mgc__answer *answer)
{
    bool good = mgc__grow(d->ctx, (void **)&d->cuts, &d->cap_cuts, d->n_cuts + 1, sizeof *d->cuts);
    mgc__cut c = {.member = i, .cost = answer->cost};

    if (good) {
        c.x = mgc__dual_take(d, d->agent[i]->coordinates, sizeof *c.x, &good);
        c.decision = mgc__dual_take(d, mgc__dual_integers(d, i), sizeof *c.decision, &good);
        d->cuts[d->n_cuts++] = c;
    }
    if (!good) return mgc__no_memory(d->ctx, "bargain: a lower bound");
    memcpy(c.x, answer->x, d->agent[i]->coordinates * sizeof *c.x);
    if (mgc__dual_integers(d, i) > 0) memcpy(c.decision, answer->decision, mgc__dual_integers(d, i) * sizeof *c.decision);
    return MGC_OK;
}

/* Moves known decisions to the end of the list, so that the latest are recalled first. */
static mgc_status learn(mgc__dual *d, size_t i, const int8_t *decision, bool *news)
{
    size_t integers = mgc__dual_integers(d, i), found = 0, size = integers > 0 ? integers : 1;

    while (found < d->n_known[i] && memcmp(d->known[i] + found * integers, decision, integers) != 0) found++;
    *news |= found == d->n_known[i];
    if (found < d->n_known[i]) {
        memmove(d->known[i] + found * integers, d->known[i] + (found + 1) * integers, (d->n_known[i] - found - 1) * integers);
        d->n_known[i]--;
    }
    if (!mgc__grow(d->ctx, (void **)&d->known[i], &d->cap_known[i], (d->n_known[i] + 1) * size, sizeof(int8_t)))
        return mgc__no_memory(d->ctx, "bargain: a lower bound");
    memcpy(d->known[i] + d->n_known[i]++ * integers, decision, integers);
    return MGC_OK;
}

static mgc_status check(mgc__dual *d, size_t i)
{
    if (d->status[i] == MGC_OK) return MGC_OK;
    return mgc__fail(d->ctx, d->status[i], "%s (member %s)", mgc_ctx_error(d->agent[i]->ctx), d->agent[i]->id);
}

/* All members (only < n: that one) at d->lambda in the case k, their decisions free; value[i] filled, INFINITY where the case
 * has no plan.  *news: somebody decided as never before. */
static mgc_status ask(mgc__dual *d, const mgc__case *k, size_t only, double *value, bool *news)
{
    mgc_status st = MGC_OK;

    d->at = k;
    d->asks++;
    *news = false;
    d->only = only;
    st = mgc__run_everyone(d->run, d->n, ask_one, d);
    for (size_t i = 0; st == MGC_OK && i < d->n; i++) {
        const mgc__answer *a = &d->answer[i];
        if (only < d->n && i != only) continue;
        if ((st = check(d, i)) != MGC_OK) break;
        value[i] = a->outcome == MGC_OUTCOME_INFEASIBLE ? INFINITY : a->bound;
        if (!isfinite(a->bound)) continue;
        st = add_cut(d, i, a);
        if (st == MGC_OK) st = learn(d, i, a->decision, news);
    }
    return st;
}

/* The same among the decisions that are known: *sum is above what ask() would find. */
static mgc_status recall(mgc__dual *d, const mgc__case *k, double *sum)
{
    mgc_status st = MGC_OK;

    d->at = k;
    d->recalls++;
    *sum = 0;
    st = mgc__run_everyone(d->run, d->n, recall_one, d);
    for (size_t i = 0; st == MGC_OK && i < d->n; i++) {
        double least = INFINITY;
        if ((st = check(d, i)) != MGC_OK) break;
        for (size_t j = 0; st == MGC_OK && j < d->n_recalled[i]; j++) {
            const mgc__answer *a = &d->recalled[i * MGC__DUAL_KNOWN_MAX + j];
            if (!isfinite(a->bound)) continue;
            least = fmin(least, a->bound);
            st = add_cut(d, i, a);
        }
        *sum += least;
    }
    return st;
}

static double total(const double *value, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) sum += value[i];
    return sum;
}

/* --- one case -------------------------------------------------------------------------------------------------------------- */

static bool over(mgc__dual *d)
{
    mgc__run *run = d->run;

    return d->asks >= ASKS_MAX || d->recalls >= RECALLS_MAX || mgc__run_late(run) || run->stopped;
}

/* Kiwiel's rule in short: longer steps after three that served in a row, shorter ones after three that did not. */
static void adapt(mgc__case *k, bool serious, int *streak)
{
    *streak = serious ? (*streak > 0 ? *streak + 1 : 1) : (*streak < 0 ? *streak - 1 : -1);
    if (*streak != 3 && *streak != -5) return;
    k->step_scale = *streak > 0 ? fmin(4, 2 * k->step_scale) : fmax(0.25, 0.5 * k->step_scale);
    *streak = 0;
}

/* From the case's prices to the best ones as far as known decisions tell; d->lambda: those.  *sum: what they promise; *arrived:
 * no more can be gained. */
static mgc_status climb(mgc__dual *d, mgc__case *k, double *centre, double *sum, bool *arrived)
{
    mgc_status st;
    int streak = 0;
    double best;

    *arrived = false;
    memcpy(centre, k->lambda, d->coordinates * sizeof *centre);
    memcpy(d->lambda, centre, d->coordinates * sizeof *centre);
    st = recall(d, k, &best);
    for (uint32_t step = 0; st == MGC_OK && step < INNER_STEPS && !over(d); step++) {
        bool solved;
        if ((st = mgc__dual_master(d, k, centre, &solved)) != MGC_OK || !solved) break;
        *arrived = d->predicted - best < stalled * fmax(d->target - best, 0.1 * d->margin);
        if (*arrived) break;
        if ((st = recall(d, k, sum)) != MGC_OK) break;
        if (*sum > best) memcpy(centre, d->lambda, d->coordinates * sizeof *centre);
        adapt(k, *sum > best, &streak);
        best = fmax(best, *sum);
    }
    memcpy(d->lambda, centre, d->coordinates * sizeof *centre);
    *sum = best;
    return st;
}

/* Raise the case's bound to the target, or as far as prices bring it. */
static mgc_status raise(mgc__dual *d, mgc__case *k)
{
    double *value = mgc__alloc(d->ctx, d->n + d->coordinates, sizeof *value), promised;
    mgc_status st = value == NULL ? mgc__no_memory(d->ctx, "bargain: a lower bound") : MGC_OK;
    bool news = true, arrived = false;

    for (uint32_t i = 0; st == MGC_OK && (news || !arrived) && i < ASKS_PER_NODE && k->bound < d->target && !over(d); i++) {
        if ((st = climb(d, k, value + d->n, &promised, &arrived)) != MGC_OK) break;
        if ((st = ask(d, k, d->n, value, &news)) != MGC_OK) break;
        double sum = total(value, d->n);
        if (sum > k->bound) {
            k->bound = sum;
            memcpy(k->value, value, d->n * sizeof *value);
            memcpy(k->lambda, d->lambda, d->coordinates * sizeof *k->lambda);
        }
        st = mgc__run_tell(d->run, MGC_PHASE_BOUND, (uint32_t)d->asks, 0, 0);
        if (st == MGC_OK && k->bound < d->target) st = mgc__dual_hint(d);
    }
    mgc__free(d->ctx, value);
    return st;
}

/* --- splitting ------------------------------------------------------------------------------------------------------------- */

/* The decision that the mixture leaves most open; of a run of equally open ones the middle.  SIZE_MAX: none. */
static size_t most_open(const mgc__dual *d, const mgc__case *k, double *mean)
{
    double most = 0.02;
    size_t at = SIZE_MAX, run = 0;

    for (size_t j = 0; j < d->integers; j++) mean[j] = 0;
    for (size_t c = 0; c < d->shares; c++)
        for (size_t j = 0; j < mgc__dual_integers(d, d->cuts[c].member); j++)
            mean[d->first_integer[d->cuts[c].member] + j] += d->share[c] * d->cuts[c].decision[j];
    for (size_t j = 0; j < d->integers; j++) {
        double open = k->fixed[j] >= 0 ? 0 : fmin(mean[j], 1 - mean[j]);
        if (open > 1.001 * most) {
            most = open;
            at = j;
            run = 1;
        } else if (at != SIZE_MAX && j == at + run && open > 0.999 * most) {
            run++;
        }
    }
    return at == SIZE_MAX ? at : at + run / 2;
}

static mgc_status make_case(mgc__dual *d, mgc__case *k, const mgc__case *parent)
{
    bool good = true;

    *k = (mgc__case){.bound = parent != NULL ? parent->bound : -INFINITY, .step_scale = parent != NULL ? parent->step_scale : 1};
    k->lambda = mgc__dual_take(d, d->coordinates, sizeof *k->lambda, &good);
    k->value = mgc__dual_take(d, d->n, sizeof *k->value, &good);
    k->fixed = mgc__dual_take(d, d->integers, sizeof *k->fixed, &good);
    if (!good) return mgc__no_memory(d->ctx, "bargain: a lower bound");
    if (parent != NULL) {
        memcpy(k->lambda, parent->lambda, d->coordinates * sizeof *k->lambda);
        memcpy(k->value, parent->value, d->n * sizeof *k->value);
        memcpy(k->fixed, parent->fixed, d->integers * sizeof *k->fixed);
    } else if (d->integers > 0) {
        memset(k->fixed, -1, d->integers * sizeof *k->fixed);
    }
    return MGC_OK;
}

/* The two cases of one decision.  At the parent's prices only its member's answer can differ. */
static mgc_status split(mgc__dual *d, size_t parent, size_t integer)
{
    size_t member = d->n - 1;
    mgc_status st = MGC_OK;
    bool news;

    while (d->first_integer[member] > integer) member--;
    while (mgc__dual_integers(d, member) == 0) member--;
    d->node[parent].done = true;
    for (int8_t side = 0; st == MGC_OK && side < 2; side++) {
        mgc__case *k = &d->node[d->nodes++];
        if ((st = make_case(d, k, &d->node[parent])) != MGC_OK) break;
        k->fixed[integer] = side;
        memcpy(d->lambda, k->lambda, d->coordinates * sizeof *k->lambda);
        st = ask(d, k, member, k->value, &news);
        if (st == MGC_OK) k->bound = fmax(total(k->value, d->n), k->bound);
    }
    if (st == MGC_OK) d->node[parent].bound = INFINITY; /* its cases stand for it */
    return st;
}

static size_t worst_open(const mgc__dual *d)
{
    size_t at = SIZE_MAX;

    for (size_t k = 0; k < d->nodes; k++)
        if (!d->node[k].done && d->node[k].bound < d->target && (at == SIZE_MAX || d->node[k].bound < d->node[at].bound)) at = k;
    return at;
}

static mgc_status search(mgc__dual *d)
{
    double *mean = mgc__alloc(d->ctx, d->integers + 1, sizeof *mean);
    mgc_status st = mean == NULL ? mgc__no_memory(d->ctx, "bargain: a lower bound") : MGC_OK;

    for (size_t at; st == MGC_OK && (at = worst_open(d)) != SIZE_MAX && !over(d);) {
        if ((st = raise(d, &d->node[at])) != MGC_OK) break;
        if (d->node[at].bound >= d->target) continue;
        size_t integer = most_open(d, &d->node[at], mean);
        if (integer == SIZE_MAX || d->nodes + 2 > MGC__DUAL_NODES_MAX) {
            d->node[at].done = true; /* nothing raises this one any more */
            continue;
        }
        st = split(d, at, integer);
    }
    mgc__free(d->ctx, mean);
    return st;
}

/* --- from and to the agents -------------------------------------------------------------------------------------------------- */

static mgc_status add_agreed(mgc__dual *d, size_t i)
{
    const mgc_agent *a = d->agent[i];
    mgc__answer *answer = &d->answer[i];
    mgc_status st;
    bool news = false;

    for (size_t e = 0; e < a->n_ends; e++)
        for (size_t c = 0; c < a->ends[e].count; c++)
            answer->x[a->ends[e].offset + c] = (double)a->ends[e].agreed[c] / MGC__KW;
    answer->cost = a->cost;
    mgc__local_site_committed(a->local, answer->decision);
    st = add_cut(d, i, answer);
    return st == MGC_OK ? learn(d, i, answer->decision, &news) : st;
}

/* The agreed plan is an answer too, and the only one whose ends agree: with it the master has a solution without mismatch.
 * Steps of prices are of the size that the link calls for; the penalty that the rounds ended with may be far from it. */
static mgc_status begin(mgc__dual *d)
{
    mgc__case *root = &d->node[d->nodes++];
    bool news;
    mgc_status st = make_case(d, root, NULL);

    if (st != MGC_OK) return st;
    for (size_t i = 0; i < d->n; i++) {
        const mgc_agent *a = d->agent[i];
        for (size_t e = 0; e < a->n_ends; e++)
            for (size_t c = 0; a->ends[e].terms.first && c < a->ends[e].count; c++) {
                d->lambda[d->place[i][e] + c] = a->price_bound[a->ends[e].offset + c];
                d->weight[d->place[i][e] + c] = ldexp(0.5, (int)mgc__admm_first_penalty(&a->ends[e].terms));
            }
    }
    memcpy(root->lambda, d->lambda, d->coordinates * sizeof *d->lambda);
    for (size_t i = 0; st == MGC_OK && i < d->n; i++) st = add_agreed(d, i);
    if (st != MGC_OK) return st;
    st = ask(d, root, d->n, root->value, &news);
    root->bound = total(root->value, d->n);
    return st;
}

static double total_bound(mgc_agent *const *agent, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) sum += agent[i]->bound;
    return sum;
}

/* The record asks what each member still sees to be gained at one set of prices: the first case's. */
static void tell_members(const mgc__dual *d, const double *lambda, const double *value)
{
    for (size_t i = 0; i < d->n; i++) {
        mgc_agent *a = d->agent[i];
        double valued = a->cost;
        for (size_t e = 0; e < a->n_ends; e++)
            for (size_t c = 0; c < a->ends[e].count; c++)
                valued += (a->ends[e].terms.first ? 1 : -1) * lambda[d->place[i][e] + c] * (double)a->ends[e].agreed[c] / MGC__KW;
        a->bound = value[i];
        a->own_gap = valued - value[i];
    }
}

static bool too_large(mgc_agent *const *agent, size_t n)
{
    size_t integers = 0, coordinates = 0;

    for (size_t i = 0; i < n; i++) {
        integers += mgc__local_site_integers(agent[i]->local);
        coordinates += agent[i]->coordinates;
    }
    return integers == 0 || coordinates > COORDINATES_MAX || n > MEMBERS_MAX;
}

mgc_status mgc__run_dual(mgc__run *run, mgc_agent **agent, size_t n, double cost, double gap, mgc__replan replan, void *user, double *bound)
{
    mgc__dual *d = NULL;
    mgc_status st;

    *bound = -INFINITY;
    if (too_large(agent, n)) return MGC_OK;
    st = make_dual(run, agent, n, &d);
    if (d == NULL) return st;
    d->replan = replan;
    d->user = user;
    d->cost = cost;
    d->margin = gap;
    d->target = cost - gap;
    if (st == MGC_OK) st = begin(d);
    if (st == MGC_OK && isfinite(d->node[0].bound)) {
        st = search(d);
        if (st == MGC_OK && (d->replanned || total(d->node[0].value, n) > total_bound(agent, n)))
            tell_members(d, d->node[0].lambda, d->node[0].value);
        *bound = INFINITY;
        for (size_t k = 0; k < d->nodes; k++) *bound = fmin(*bound, d->node[k].bound);
    }
    free_dual(d);
    return st;
}
