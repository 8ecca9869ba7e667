/* SPDX-License-Identifier: Apache-2.0 */
/* Coalitions of members as a cooperative game: what each is worth, Shapley value, core (doc/math/bargain.md, section 6).
 *
 *   v(S) = sum of stand-alone costs of S - cost of S as one program
 *   Shapley 1953:   phi_i = sum over S without i of  |S|! (n - |S| - 1)! / n!  (v(S + i) - v(S))
 *   core (Gillies): y with sum y = v(N) and, for every S, sum over S of y >= v(S); least core: the y of least largest excess */
#include <math.h>

#include "base/base.h"
#include "dispatch/model.h"
#include "mgchain/bargain.h"
#include "mgchain/program.h"

static const mgc_coalition_opts coalition_defaults = {.struct_size = sizeof(mgc_coalition_opts), .threads = 1, .gap = 1e-4};

void mgc_coalition_opts_init(mgc_coalition_opts *opts, size_t size)
{
    mgc__opts_init(opts, size, &coalition_defaults, sizeof coalition_defaults);
}

/* --- the values ------------------------------------------------------------------------------------------------------------- */

enum { BATCH = 64 }; /* coalitions between two words to the host */

typedef struct game {
    mgc_ctx *ctx;
    const mgc_model *model;
    mgc_coalition_opts opts;
    size_t n;
    uint32_t near[MGC_COALITION_MEMBERS_MAX]; /* members that a link joins with each */
    double *cost;                             /* [2^n] */
    uint32_t *todo;                           /* coalitions that links connect, ascending */
    size_t todo_n, from;
    mgc_ctx *child[BATCH];
    mgc_status status[BATCH];
} game;

static size_t place_of(const game *g, const char *id)
{
    size_t i = 0;

    while (i < g->n && strcmp(mgc_model_microgrid_id(g->model, (uint32_t)i), id) != 0) i++;
    return i;
}

static mgc_status read_links(game *g)
{
    const char *first, *second, *carrier;

    for (uint32_t l = 0; l < mgc_model_links(g->model); l++) {
        mgc_status st = mgc_model_link(g->model, l, &first, &second, &carrier);
        size_t a, b;
        if (st != MGC_OK) return st;
        a = place_of(g, first);
        b = place_of(g, second);
        if (a >= g->n || b >= g->n)
            return mgc__fail(g->ctx, MGC_E_INVALID_ARG, "bargain: link %u joins %s and %s; both must be in the model", l, first, second);
        g->near[a] |= UINT32_C(1) << b;
        g->near[b] |= UINT32_C(1) << a;
    }
    return MGC_OK;
}

/* Those of the coalition that links among its members connect with its first one. */
static uint32_t first_part(const game *g, uint32_t coalition)
{
    uint32_t part = coalition & (~coalition + 1), grown = 0;

    while (part != grown) {
        grown = part;
        for (size_t i = 0; i < g->n; i++)
            if (part >> i & 1) part |= g->near[i] & coalition;
    }
    return part;
}

static void solve_one(void *user, size_t k)
{
    game *g = user;
    uint32_t coalition = g->todo[g->from + k];
    bool keep[MGC_COALITION_MEMBERS_MAX];
    mgc_model *model = NULL;
    mgc_plan *plan = NULL;
    mgc_plan_info info = {.struct_size = sizeof info};
    mgc_dispatch_opts o;
    mgc_status st;

    for (size_t i = 0; i < g->n; i++) keep[i] = coalition >> i & 1;
    mgc_dispatch_opts_init(&o, sizeof o);
    o.together = MGC_DISPATCH_ALLIANCE;
    o.relax = g->opts.relax;
    o.gap = g->opts.gap;
    st = mgc__model_copy_some(g->child[k], g->model, keep, &model);
    if (st == MGC_OK) st = mgc_dispatch_solve(model, &o, &plan);
    if (st == MGC_OK) st = mgc_plan_get_info(plan, &info);
    if (st == MGC_OK && info.outcome == MGC_OUTCOME_CANCELLED) st = MGC_E_STOPPED;
    if (st == MGC_OK && !isfinite(info.cost))
        st = mgc__fail(g->child[k], MGC_E_NUMERIC, "bargain: coalition %u has no plan: %s", coalition, mgc_outcome_name(info.outcome));
    if (st == MGC_OK) g->cost[coalition] = info.cost;
    g->status[k] = st;
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
}

static mgc_status solve_batch(game *g, size_t n)
{
    mgc_status st = MGC_OK;

    for (size_t k = 0; k < n; k++) g->child[k] = NULL;
    for (size_t k = 0; st == MGC_OK && k < n; k++) st = mgc__ctx_child(g->ctx, &g->child[k]);
    if (st == MGC_OK) mgc__parallel(g->opts.threads, n, solve_one, g);
    for (size_t k = 0; st == MGC_OK && k < n; k++)
        if (g->status[k] != MGC_OK) st = mgc__fail(g->ctx, g->status[k], "%s", mgc_ctx_error(g->child[k]));
    for (size_t k = 0; k < n; k++) mgc_ctx_destroy(g->child[k]);
    return st;
}

static mgc_status solve_connected(game *g)
{
    mgc_status st = MGC_OK;

    for (uint32_t s = 1; s < UINT32_C(1) << g->n; s++)
        if (first_part(g, s) == s) g->todo[g->todo_n++] = s;
    while (st == MGC_OK && g->from < g->todo_n) {
        size_t n = g->todo_n - g->from < BATCH ? g->todo_n - g->from : BATCH;
        st = solve_batch(g, n);
        g->from += n;
        if (st == MGC_OK && g->opts.progress != NULL)
            st = mgc__verdict(g->opts.progress(g->opts.user, (uint32_t)g->from, (uint32_t)g->todo_n));
    }
    return st;
}

static void fill_values(const game *g, double *value)
{
    for (uint32_t s = 0; s < UINT32_C(1) << g->n; s++) {
        uint32_t part = s == 0 ? 0 : first_part(g, s);
        value[s] = 0;
        if (part != s) {
            value[s] = value[part] + value[s & ~part];
            continue;
        }
        for (size_t i = 0; i < g->n; i++)
            if (s >> i & 1) value[s] += g->cost[UINT32_C(1) << i];
        value[s] = s & (s - 1) ? value[s] - g->cost[s] : 0;
        for (uint32_t t = (s - 1) & s; t > 0; t = (t - 1) & s) value[s] = fmax(value[s], value[t] + value[s & ~t]);
    }
}

static mgc_status check_size(mgc_ctx *ctx, size_t n)
{
    if (n == 0) return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: no members");
    if (n > MGC_COALITION_MEMBERS_MAX)
        return mgc__fail(ctx, MGC_E_LIMIT, "bargain: coalitions of %zu members; at most %u", n, MGC_COALITION_MEMBERS_MAX);
    return MGC_OK;
}

mgc_status mgc_coalition_values(const mgc_model *model, const mgc_coalition_opts *opts, double *standalone, double *value, size_t n)
{
    game g = {.model = model, .opts = coalition_defaults, .n = n};
    mgc_status st;

    if (model == NULL || value == NULL) return MGC_E_INVALID_ARG;
    g.ctx = model->ctx;
    st = mgc__opts_read(&g.opts, sizeof g.opts, MGC__FIRST_SIZE(mgc_coalition_opts, user), opts);
    if (st != MGC_OK) return mgc__fail(g.ctx, st, "bargain: opts.struct_size is not one this library knows");
    if (!(g.opts.gap >= 0 && g.opts.gap < 1)) return mgc__fail(g.ctx, MGC_E_INVALID_ARG, "bargain: gap is %g; must be in [0, 1)", g.opts.gap);
    if ((st = check_size(g.ctx, n)) != MGC_OK) return st;
    if (n != mgc_model_microgrids(model))
        return mgc__fail(g.ctx, MGC_E_INVALID_ARG, "bargain: n is %zu; the model has %u members", n, mgc_model_microgrids(model));
    if ((st = mgc_model_check(model, NULL, NULL)) != MGC_OK) return st;
    if ((st = read_links(&g)) != MGC_OK) return st;
    g.cost = mgc__alloc(g.ctx, (size_t)1 << n, sizeof *g.cost);
    g.todo = mgc__alloc(g.ctx, (size_t)1 << n, sizeof *g.todo);
    st = g.cost == NULL || g.todo == NULL ? mgc__no_memory(g.ctx, "bargain: coalitions") : solve_connected(&g);
    if (st == MGC_OK) fill_values(&g, value);
    for (size_t i = 0; st == MGC_OK && standalone != NULL && i < n; i++) standalone[i] = g.cost[(size_t)1 << i];
    mgc__free(g.ctx, g.cost);
    mgc__free(g.ctx, g.todo);
    return st;
}

/* --- sharing them ------------------------------------------------------------------------------------------------------------- */

static mgc_status check_values(mgc_ctx *ctx, const double *value, size_t n)
{
    mgc_status st = check_size(ctx, n);

    for (size_t s = 0; st == MGC_OK && s < (size_t)1 << n; s++)
        if (!isfinite(value[s]) || fabs(value[s]) > 1e15 || (s == 0 && value[s] != 0))
            st = mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: value of coalition %zu is %g; must be finite, that of none 0", s, value[s]);
    return st;
}

mgc_status mgc_shapley(mgc_ctx *ctx, const double *value, size_t n, double *share)
{
    double weight[MGC_COALITION_MEMBERS_MAX];
    mgc_status st;

    if (ctx == NULL || value == NULL || share == NULL) return MGC_E_INVALID_ARG;
    if ((st = check_values(ctx, value, n)) != MGC_OK) return st;
    weight[0] = 1 / (double)n; /* |S|! (n - 1 - |S|)! / n!, by what it is for one less in S */
    for (size_t k = 1; k < n; k++) weight[k] = weight[k - 1] * (double)k / (double)(n - k);
    for (size_t i = 0; i < n; i++) {
        share[i] = 0;
        for (size_t s = 0; s < (size_t)1 << n; s++) {
            size_t members = 0;
            if (s >> i & 1) continue;
            for (size_t j = 0; j < n; j++) members += s >> j & 1;
            share[i] += weight[members] * (value[s | (size_t)1 << i] - value[s]);
        }
    }
    return MGC_OK;
}

static double sum_over(const double *share, size_t n, size_t coalition)
{
    double total = 0;

    for (size_t i = 0; i < n; i++)
        if (coalition >> i & 1) total += share[i];
    return total;
}

mgc_status mgc_core_excess(mgc_ctx *ctx, const double *value, const double *share, size_t n, double *excess, uint32_t *coalition)
{
    mgc_status st;

    if (ctx == NULL || value == NULL || share == NULL || excess == NULL) return MGC_E_INVALID_ARG;
    if ((st = check_values(ctx, value, n)) != MGC_OK) return st;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(share[i])) return mgc__fail(ctx, MGC_E_INVALID_ARG, "bargain: share of member %zu is %g; must be finite", i, share[i]);
    *excess = -INFINITY;
    if (coalition != NULL) *coalition = 0;
    for (size_t s = 1; s + 1 < (size_t)1 << n; s++) {
        double e = value[s] - sum_over(share, n, s);
        if (!(e > *excess)) continue;
        *excess = e;
        if (coalition != NULL) *coalition = (uint32_t)s;
    }
    return MGC_OK;
}

/* min e  subject to  sum over S of y + e >= v(S) for every S but none and all,  sum of y = v(N) */
static mgc_status make_least_core(const double *value, size_t n, mgc_program *p)
{
    uint32_t columns[MGC_COALITION_MEMBERS_MAX + 1];
    double ones[MGC_COALITION_MEMBERS_MAX + 1];
    size_t all = ((size_t)1 << n) - 1;
    mgc_status st = MGC_OK;

    for (size_t i = 0; i <= n; i++) ones[i] = 1;
    for (size_t i = 0; st == MGC_OK && i <= n; i++) st = mgc_program_add_column(p, i == n, -INFINITY, INFINITY, NULL);
    for (size_t s = 1; st == MGC_OK && s <= all; s++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < n; i++)
            if (s >> i & 1) columns[count++] = i;
        if (s < all) columns[count++] = (uint32_t)n;
        st = mgc_program_add_row(p, value[s], s == all ? value[s] : INFINITY, columns, ones, count, NULL);
    }
    return st;
}

mgc_status mgc_least_core(mgc_ctx *ctx, const double *value, size_t n, double *share, double *excess)
{
    double x[MGC_COALITION_MEMBERS_MAX + 1], rest;
    mgc_program *p = NULL;
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_status st;

    if (ctx == NULL || value == NULL || share == NULL || excess == NULL) return MGC_E_INVALID_ARG;
    if ((st = check_values(ctx, value, n)) != MGC_OK) return st;
    if (n == 1) {
        share[0] = value[1];
        *excess = -INFINITY;
        return MGC_OK;
    }
    st = mgc_program_create(ctx, &p);
    if (st == MGC_OK) st = make_least_core(value, n, p);
    if (st == MGC_OK) st = mgc_program_solve(p, NULL, &info);
    if (st == MGC_OK && info.outcome != MGC_OUTCOME_OPTIMAL)
        st = mgc__fail(ctx, MGC_E_NUMERIC, "bargain: the least core was not found: %s", mgc_outcome_name(info.outcome));
    if (st == MGC_OK) st = mgc_program_get_x(p, x, n + 1);
    mgc_program_destroy(p);
    if (st != MGC_OK) return st;
    rest = (value[((size_t)1 << n) - 1] - sum_over(x, n, ((size_t)1 << n) - 1)) / (double)n; /* the solver's tolerance, shared out */
    for (size_t i = 0; i < n; i++) share[i] = x[i] + rest;
    return mgc_core_excess(ctx, value, share, n, excess, NULL);
}
