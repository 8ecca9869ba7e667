/* SPDX-License-Identifier: Apache-2.0 */
#include "caution.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_MAX = 12, SCENARIOS_MAX = 64 }; /* beyond, these plans would take longer than the day's own */

enum { TRUSTS, AS_GIVEN, FEARS };

typedef struct attitude {
    const char *name;
    int kind;
} attitude;

static mgc_status set_attitude(mgc_model *model, int kind)
{
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; st == MGC_OK && kind != AS_GIVEN && i < mgc_model_microgrids(model); i++) {
        mgc_microgrid *site = mgc_model_microgrid(model, mgc_model_microgrid_id(model, i));
        st = mgc_microgrid_clear_ambiguity(site);
        if (st == MGC_OK && kind == FEARS) st = mgc_microgrid_set_ambiguity(site, "worst_case", "radius", 0, 0, NULL);
    }
    return st;
}

/* The model in which scenario k is certain. */
static mgc_status certain(const mgc_model *model, uint32_t k, mgc_model **out)
{
    double p[SCENARIOS_MAX] = {0};
    mgc_model *copy = NULL;
    mgc_status st = mgc_model_window(model, 0, mgc_model_periods(model), &copy);

    *out = NULL;
    for (uint32_t i = 0; st == MGC_OK && i < mgc_model_microgrids(copy); i++) {
        mgc_microgrid *site = mgc_model_microgrid(copy, mgc_model_microgrid_id(copy, i));
        uint32_t n = mgc_microgrid_scenarios(site);
        memset(p, 0, sizeof p);
        p[k < n ? k : 0] = 1;
        st = mgc_microgrid_set_probability(site, p, n);
    }
    if (st == MGC_OK) st = mgc_model_expected(copy, out);
    mgc_model_destroy(copy);
    return st;
}

/* Costs of a plan scenario by scenario, the recourse at its best in each: what the plan's own program leaves open where the worst
 * case gives a scenario no weight. */
static mgc_status live_through(const mgc_plan *plan, const mgc_model *model, const mgc_dispatch_opts *opts, mgc_report_caution *c)
{
    double worst[MEMBERS_MAX], p[SCENARIOS_MAX], cost;
    uint32_t members = mgc_model_microgrids(model), scenarios = 1;
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; i < members; i++) {
        uint32_t n = mgc_microgrid_scenarios(mgc_model_microgrid(model, mgc_model_microgrid_id(model, i)));
        scenarios = n > scenarios ? n : scenarios;
        worst[i] = -INFINITY;
    }
    for (uint32_t k = 0; st == MGC_OK && k < scenarios; k++) {
        mgc_model *day = NULL;
        mgc_plan *came = NULL;
        st = certain(model, k, &day);
        if (st == MGC_OK) st = mgc_plan_realise(plan, day, opts, &came);
        for (uint32_t i = 0; st == MGC_OK && i < members; i++) {
            const char *id = mgc_model_microgrid_id(model, i);
            uint32_t n = mgc_microgrid_scenarios(mgc_model_microgrid(model, id));
            if (k >= n) continue;
            st = mgc_microgrid_get_probability(mgc_model_microgrid(model, id), p, n);
            if (st == MGC_OK) st = mgc_plan_get_number(came, id, "cost", &cost);
            if (st != MGC_OK) break;
            c->nominal += p[k] * cost;
            worst[i] = fmax(worst[i], cost);
        }
        mgc_plan_destroy(came);
        mgc_model_destroy(day);
    }
    for (uint32_t i = 0; i < members; i++) c->worst_scenario += worst[i];
    return st;
}

static mgc_status measure(const mgc_model *model, const attitude *a, const mgc_dispatch_opts *opts, caution *out)
{
    mgc_plan_info info = {.struct_size = sizeof info};
    mgc_report_caution c = {.name = a->name};
    mgc_model *copy = NULL;
    mgc_plan *plan = NULL;

    mgc_status st = mgc_model_window(model, 0, mgc_model_periods(model), &copy);
    if (st == MGC_OK) st = set_attitude(copy, a->kind);
    if (st == MGC_OK) st = mgc_dispatch_solve(copy, opts, &plan);
    if (st == MGC_OK) st = mgc_plan_get_info(plan, &info);
    if (st == MGC_OK && info.outcome == MGC_OUTCOME_OPTIMAL) {
        c.promised = info.cost;
        st = live_through(plan, model, opts, &c);
        if (st == MGC_OK) out->plan[out->n++] = c;
    }
    mgc_plan_destroy(plan);
    mgc_model_destroy(copy);
    return st;
}

/* Bounds of member after member.  A member's bounds close in on each other; where they do not, the next one's begin. */
typedef struct followed {
    double upper[MEMBERS_MAX][BOUNDS_MAX], lower[MEMBERS_MAX][BOUNDS_MAX];
    size_t n[MEMBERS_MAX], members;
    double last_upper, last_lower;
} followed;

static int32_t note_bounds(void *user, uint32_t iteration, double upper, double lower)
{
    followed *f = user;
    double slack = 1e-6 * (1 + fabs(lower));

    (void)iteration; /* counts on over all members */
    if ((f->members == 0 || upper > f->last_upper + slack || lower < f->last_lower - slack) && f->members < MEMBERS_MAX) f->members++;
    f->last_upper = upper;
    f->last_lower = lower;
    size_t m = f->members - 1;
    if (f->n[m] == BOUNDS_MAX || !isfinite(lower)) return MGC_CB_DONE;
    f->upper[m][f->n[m]] = upper;
    f->lower[m][f->n[m]++] = lower;
    return MGC_CB_DONE;
}

/* All members' bounds together after so many iterations; who is done stays where it ended. */
static void add_bounds(const followed *f, caution *out)
{
    for (size_t m = 0; m < f->members; m++) out->bounds = f->n[m] > out->bounds ? f->n[m] : out->bounds;
    for (size_t k = 0; k < out->bounds; k++)
        for (size_t m = 0; m < f->members; m++) {
            if (f->n[m] == 0) continue;
            size_t at = k < f->n[m] ? k : f->n[m] - 1;
            out->upper[k] += f->upper[m][at];
            out->lower[k] += f->lower[m][at];
        }
    for (size_t k = 0; k < out->bounds; k++)
        if (!isfinite(out->upper[k])) out->upper[k] = NAN;
}

/* The day once more by column-and-constraint generation, to show how its bounds meet. */
static mgc_status follow_bounds(const mgc_model *model, const mgc_dispatch_opts *relaxed, caution *out)
{
    mgc_dispatch_opts opts = *relaxed;
    mgc_plan *plan = NULL;
    followed *f = calloc(1, sizeof *f);

    if (f == NULL) return MGC_E_NO_MEMORY;
    opts.method = MGC_METHOD_CCG;
    opts.threads = 1; /* member after member */
    opts.progress = note_bounds;
    opts.user = f;
    mgc_status st = mgc_dispatch_solve(model, &opts, &plan);
    if (st == MGC_OK) add_bounds(f, out);
    mgc_plan_destroy(plan);
    free(f);
    return st;
}

mgc_status caution_measure(sim *s, const mgc_case *kase, caution *out)
{
    static const attitude attitudes[CAUTIONS] = {{"trusts the past", TRUSTS}, {"as planned", AS_GIVEN}, {"fears the worst", FEARS}};
    const mgc_model *model = mgc_case_model(kase);
    mgc_dispatch_opts opts;
    uint32_t scenarios = 0;
    mgc_status st = MGC_OK;

    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < mgc_model_microgrids(model); i++) {
        uint32_t n = mgc_microgrid_scenarios(mgc_model_microgrid(model, mgc_model_microgrid_id(model, i)));
        scenarios = n > scenarios ? n : scenarios;
    }
    if (mgc_model_microgrids(model) > MEMBERS_MAX || scenarios < 2 || scenarios > SCENARIOS_MAX) return MGC_OK;
    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.relax = 1;
    opts.threads = s->threads;
    phase_begin(s, "caution");
    for (size_t k = 0; st == MGC_OK && k < CAUTIONS; k++) st = measure(model, &attitudes[k], &opts, out);
    if (st == MGC_OK) st = follow_bounds(model, &opts, out);
    phase_end(s);
    return st;
}
