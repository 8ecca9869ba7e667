/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef MGC_SIM_MPI
#include "by_mpi.h"
#endif
#include "run.h"

static int32_t show(void *user, const mgc_alliance_progress *progress)
{
    sim *s = user;
    char text[96];

    if (progress->phase == MGC_PHASE_DONE) return MGC_CB_DONE;
    if (s->show.phase == NULL || strcmp(s->show.phase, mgc_phase_name(progress->phase)) != 0) {
        if (s->show.phase != NULL) phase_end(s);
        phase_begin(s, mgc_phase_name(progress->phase));
    }
    if (progress->round > 0)
        snprintf(text, sizeof text, "round %u, disagreement %s %%", progress->round, fixed(100 * progress->primal, 4));
    else
        text[0] = '\0';
    phase_step(s, progress->round > 0 ? fraction_to(progress->primal, s->tolerance > 0 ? s->tolerance : 1e-4) : -1, text);
    return MGC_CB_DONE;
}

mgc_status cooperate(sim *s, const mgc_case *kase, uint32_t method, const mgc_alliance *yesterday, mgc_alliance **out)
{
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_alliance_opts opts;
    double *weight;

    *out = NULL;
    mgc_status st = mgc_case_get_info(kase, &info);
    if (st != MGC_OK) return st;
    weight = calloc(info.microgrids, sizeof *weight);
    if (weight == NULL) return MGC_E_NO_MEMORY;
    mgc_alliance_opts_init(&opts, sizeof opts);
    opts.method = method;
    opts.relax = s->relax;
    opts.threads = s->threads;
    opts.time_limit_s = s->time_limit_s;
    if (s->gap > 0) opts.gap = s->gap;
    opts.weights = info.weights;
    opts.weight = weight;
    opts.weights_n = info.microgrids;
    if (s->tolerance > 0) opts.tolerance = s->tolerance;
    opts.progress = show;
    opts.user = s;
#ifdef MGC_SIM_MPI
    mpi_share(s, &opts);
#endif
    st = mgc_case_weights(kase, weight, info.microgrids);
    if (st == MGC_OK && yesterday != NULL && mgc_alliance_get_state(yesterday, &opts.start, &opts.start_len) != MGC_OK)
        opts.start_len = 0; /* nobody traded */
    s->show.phase = NULL;
    if (st == MGC_OK) st = mgc_alliance_solve(mgc_case_model(kase), &opts, out);
    if (s->show.phase != NULL) phase_end(s);
    free(weight);
    return st;
}

bool has_plan(uint32_t outcome, double cost)
{
    return outcome != MGC_OUTCOME_INFEASIBLE && outcome != MGC_OUTCOME_UNBOUNDED && isfinite(cost);
}

void explain_if_infeasible(const mgc_alliance *alliance, uint32_t outcome)
{
    const mgc_plan *alone;

    if (outcome != MGC_OUTCOME_INFEASIBLE) return;
    if (mgc_alliance_get_plan(alliance, MGC_DISPATCH_ALONE, &alone) == MGC_OK && mgc_plan_explain(alone)[0] != '\0')
        fprintf(stderr, "mgchain-sim: %s\n", mgc_plan_explain(alone));
}
