/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim solve: the optimisation of a case, without ledger and report. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef MGC_SIM_MPI
#include "by_mpi.h"
#endif
#include "result.h"
#include "run.h"

static int print_json(sim *s, const result *r)
{
    mgc_json *json = NULL;
    const char *text;
    size_t len;

    mgc_status st = result_json(s, r, &json, &text, &len);
    if (st == MGC_OK && fwrite(text, 1, len, stdout) != len) st = MGC_E_IO;
    mgc_json_destroy(json);
    return st == MGC_OK ? EXIT_DONE : failed(s, st, "solve");
}

static int32_t show_plan(void *user, uint32_t iteration, double upper, double lower)
{
    sim *s = user;
    char text[80];

    (void)upper;
    snprintf(text, sizeof text, "%u steps, bound %s", iteration, fixed(lower, 2));
    phase_step(s, -1, text);
    return MGC_CB_DONE;
}

static const char *said_of_bound(const char *name, double bound)
{
    static char text[80];

    if (!isfinite(bound)) return "no lower bound is proven";
    snprintf(text, sizeof text, "%s%s", name, fixed(bound, 2));
    return text;
}

static int solve_alone(sim *s, const mgc_case *kase)
{
    mgc_dispatch_opts opts;
    mgc_plan *plan = NULL;
    mgc_plan_info info = {.struct_size = sizeof info};
    result r = {0};

    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.relax = s->relax;
    opts.threads = s->threads;
    opts.time_limit_s = s->time_limit_s;
    if (s->gap > 0) opts.gap = s->gap;
    opts.progress = show_plan;
    opts.user = s;
    phase_begin(s, "alone");
    mgc_status st = mgc_dispatch_solve(mgc_case_model(kase), &opts, &plan);
    phase_end(s);
    if (st == MGC_OK) st = mgc_plan_get_info(plan, &info);
    if (st == MGC_OK) st = result_from_alone(kase, plan, &r);
    int code = st == MGC_OK ? exit_of_outcome(s, info.outcome) : failed(s, st, "solve");
    if (st == MGC_OK && s->json) {
        int written = print_json(s, &r);
        if (written != EXIT_DONE) code = written;
    } else if (st == MGC_OK) {
        for (uint32_t i = 0; r.file.standalone_cost != NULL && i < r.file.members; i++)
            printf("%-16s %14s\n", r.file.id[i], fixed(r.file.standalone_cost[i], 2));
        if (has_plan(info.outcome, info.cost))
            printf("%-16s %14s   %s, %s\n", "all", fixed(info.cost, 2), mgc_outcome_name(info.outcome), said_of_bound("bound ", info.bound));
        else printf("%s\n", mgc_outcome_name(info.outcome));
    }
    if (st == MGC_OK && info.outcome == MGC_OUTCOME_INFEASIBLE) fprintf(stderr, "mgchain-sim: %s\n", mgc_plan_explain(plan));
    else if (st == MGC_OK && has_plan(info.outcome, info.cost)) say_gap_missed(s, info.gap);
    else if (st == MGC_OK && info.outcome == MGC_OUTCOME_LIMIT)
        fputs("mgchain-sim: no plan of every member was found within the time limit\n", stderr);
    result_free(&r);
    mgc_plan_destroy(plan);
    return code;
}

static int solve_together(sim *s, const mgc_case *kase)
{
    mgc_alliance *alliance = NULL;
    mgc_alliance_info info = {.struct_size = sizeof info};
    result r = {0};

    mgc_status st = cooperate(s, kase, s->central ? MGC_ALLIANCE_CENTRAL : MGC_ALLIANCE_ADMM, NULL, &alliance);
    if (st == MGC_OK) st = mgc_alliance_get_info(alliance, &info);
    if (st == MGC_OK) st = result_from_alliance(kase, alliance, true, &r);
    int code = st == MGC_OK ? exit_of_outcome(s, info.outcome) : failed(s, st, "solve");
    if (st == MGC_OK && s->json) {
        int written = print_json(s, &r);
        if (written != EXIT_DONE) code = written;
    } else if (st == MGC_OK) {
        print_members(kase, alliance);
        if (has_plan(info.outcome, info.cost))
            printf("\n%s: cost %s, %s, %u rounds\n", mgc_outcome_name(info.outcome), fixed(info.cost, 2),
                   said_of_bound("proven lower bound ", info.lower_bound), info.rounds);
    }
    if (st == MGC_OK && info.outcome != MGC_OUTCOME_OPTIMAL) fprintf(stderr, "mgchain-sim: %s\n", mgc_alliance_reason(alliance));
    if (st == MGC_OK && has_plan(info.outcome, info.cost)) say_gap_missed(s, info.gap);
    explain_if_infeasible(alliance, info.outcome);
    result_free(&r);
    mgc_alliance_destroy(alliance);
    return code;
}

int cmd_solve(sim *s)
{
    int code = EXIT_DONE;
    mgc_case *kase = load_case(s, true, &code);

    if (kase == NULL) return code;
#ifdef MGC_SIM_MPI
    if (!s->alone && !s->central && mpi_launched()) {
        code = solve_by_mpi(s, kase, solve_together);
        mgc_case_destroy(kase);
        return code;
    }
#endif
    code = s->alone ? solve_alone(s, kase) : solve_together(s, kase);
    mgc_case_destroy(kase);
    return code;
}
