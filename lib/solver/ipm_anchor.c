/* SPDX-License-Identifier: Apache-2.0 */
/* An anchor: the iterates of one solve, kept apart, that any number of later solves of programs with the same matrix may
 * start from, on any core and any thread.  Branch and bound starts its nodes from the root's: what a node's answer is then
 * depends on the root and on its own bounds, not on what was solved before. */
#include "solver/ipm_private.h"

/* Branch and bound on planning programs: 0.3 and 3 take a tenth more iterations than 1. */
#define ANCHOR_PER_MU 1.0

struct mgc__ipm_anchor {
    mgc_ctx *ctx;
    uint32_t n, m;
    double cost_scale, mu[SNAPSHOTS];
    double *scale;    /* n + m */
    double *iterates; /* as mgc__ipm.snapshots */
};

void mgc__ipm_anchor_destroy(mgc__ipm_anchor *anchor)
{
    if (!anchor) return;
    mgc__free(anchor->ctx, anchor->scale);
    mgc__free(anchor->ctx, anchor->iterates);
    mgc__free(anchor->ctx, anchor);
}

/* What the last solve left.  It began cold: snapshots and scale belong together. */
mgc_status mgc__ipm_anchor_create(mgc_ctx *ctx, const mgc__ipm *ipm, mgc__ipm_anchor **out)
{
    size_t size = SNAPSHOTS * mgc__ipm_snapshot_size(ipm->count);
    mgc__ipm_anchor *anchor = mgc__alloc(ctx, 1, sizeof *anchor);

    *out = anchor;
    if (!anchor) return mgc__no_memory(ctx, "an anchor");
    *anchor = (mgc__ipm_anchor){.ctx = ctx, .n = ipm->n, .m = ipm->m, .cost_scale = ipm->cost_scale};
    anchor->scale = mgc__alloc(ctx, ipm->count, sizeof *anchor->scale);
    anchor->iterates = mgc__alloc(ctx, size, sizeof *anchor->iterates);
    if (!anchor->scale || !anchor->iterates) return mgc__no_memory(ctx, "an anchor");
    memcpy(anchor->mu, ipm->snapshot_mu, sizeof anchor->mu);
    memcpy(anchor->scale, ipm->scale, ipm->count * sizeof *anchor->scale);
    memcpy(anchor->iterates, ipm->snapshots, size * sizeof *anchor->iterates);
    return MGC_OK;
}

/* Load the program in the anchor's scale and stand on the iterate that the change allows; false: none does. */
bool mgc__ipm_start_anchored(mgc__ipm *ipm, const mgc__ipm_anchor *anchor)
{
    if (!anchor || anchor->n != ipm->n || anchor->m != ipm->m) return false;
    memcpy(ipm->scale, anchor->scale, ipm->count * sizeof *ipm->scale);
    ipm->cost_scale = anchor->cost_scale;
    mgc__ipm_load(ipm, AS_GIVEN, true);
    double *own = ipm->snapshots;
    ipm->snapshots = anchor->iterates; /* read only */
    memcpy(ipm->snapshot_mu, anchor->mu, sizeof ipm->snapshot_mu);
    bool started = mgc__ipm_start_warm(ipm, ANCHOR_PER_MU, true);
    ipm->snapshots = own;
    mgc__ipm_forget(ipm); /* its own are of another scale */
    return started;
}
