/* SPDX-License-Identifier: Apache-2.0 */
/* An agreement taken up again: rounds with other on/off decisions, or back to what had been agreed.  For a driver that holds all
 * agents of a group between two polls (by_agents.c); what they say to each other is what they always say. */
#include <math.h>

#include "bargain/reopen.h"

void mgc__held_free(mgc_ctx *ctx, mgc__held *held)
{
    mgc__free(ctx, held->decision);
    mgc__free(ctx, held->point);
    mgc__free(ctx, held->proposals);
    memset(held, 0, sizeof *held);
}

mgc_status mgc__agent_hold(const mgc_agent *agent, mgc__held *held)
{
    size_t n = agent->coordinates;

    held->decision = mgc__alloc(agent->ctx, mgc__local_site_integers(agent->local) + 1, sizeof *held->decision);
    held->point = mgc__alloc(agent->ctx, 3 * n + agent->n_ends + 1, sizeof *held->point);
    held->proposals = mgc__alloc(agent->ctx, 2 * n + 1, sizeof *held->proposals);
    if (held->decision == NULL || held->point == NULL || held->proposals == NULL) {
        mgc__held_free(agent->ctx, held);
        return mgc__no_memory(agent->ctx, "bargain: an agreement to come back to");
    }
    mgc__local_site_committed(agent->local, held->decision);
    for (size_t e = 0; e < agent->n_ends; e++) {
        const mgc__end *end = &agent->ends[e];
        memcpy(held->point + end->offset, end->z, end->count * sizeof *end->z);
        memcpy(held->point + n + end->offset, end->mu, end->count * sizeof *end->mu);
        memcpy(held->point + 2 * n + end->offset, end->middle, end->count * sizeof *end->middle);
        held->point[3 * n + e] = end->rho;
        memcpy(held->proposals + end->offset, end->mine, end->count * sizeof *end->mine);
        memcpy(held->proposals + n + end->offset, end->theirs, end->count * sizeof *end->theirs);
    }
    return MGC_OK;
}

/* As if the rounds had just led to this stage; nothing that came later is remembered. */
static void go_back(mgc_agent *agent, uint32_t stage, uint64_t step)
{
    agent->state = MGC_AGENT_RUNNING;
    agent->step = step;
    agent->spoken = false;
    agent->reason[0] = '\0';
    agent->no_trade = agent->split = agent->at_limit = false;
    agent->shrink = 0;
    agent->prove = (mgc__prove){.stake_limit = INFINITY};
    agent->label = mgc__hash_value(mgc__hash_bytes(MGC__HASH_START, agent->id, strlen(agent->id)));
    for (size_t e = 0; e < agent->n_ends; e++)
        for (size_t i = 0; i < 2; i++) agent->ends[e].inbox[i].full = false;
    for (size_t p = 0; p < agent->n_peers; p++) {
        mgc__peer *peer = &agent->peers[p];
        peer->z = peer->mu = 0;
        peer->mine = peer->theirs = peer->micro = 0;
        peer->trades = peer->pays = false;
    }
    mgc__stage_enter(agent, stage);
}

void mgc__agent_reopen(mgc_agent *agent, const mgc__held *held, const int8_t *decision, uint64_t step)
{
    size_t n = agent->coordinates;

    mgc__local_site_decide(agent->local, decision != NULL ? decision : held->decision);
    for (size_t e = 0; e < agent->n_ends; e++) {
        mgc__end *end = &agent->ends[e];
        memcpy(end->z, held->point + end->offset, end->count * sizeof *end->z);
        memcpy(end->mu, held->point + n + end->offset, end->count * sizeof *end->mu);
        memcpy(end->middle, held->point + 2 * n + end->offset, end->count * sizeof *end->middle);
        end->exchanged = false;
        end->rho = held->point[3 * n + e];
        memcpy(end->mine, held->proposals + end->offset, end->count * sizeof *end->mine);
        memcpy(end->theirs, held->proposals + n + end->offset, end->count * sizeof *end->theirs);
        for (size_t i = 0; i < end->count; i++) agent->price_bound[end->offset + i] = end->terms.first ? end->mu[i] : -end->mu[i];
    }
    go_back(agent, decision != NULL ? MGC__STAGE_FIXED : MGC__STAGE_SETTLE, step);
}
