/* SPDX-License-Identifier: Apache-2.0 */
/* Of the trades that cost the same, those of least sum of squares, for the alliance as one program: what ties.c lets the agents
 * find, as one quadratic program over all links of a group.  What members take is read from the plan, and the plan told the ways. */
#include <math.h>
#include <stdio.h>

#include "bargain/alliance.h"
#include "dispatch/site.h"
#include "mgchain/program.h"

typedef struct web {
    mgc__run *run;
    uint32_t group;
    size_t flows;      /* numbers of a link: two directions of all periods */
    mgc_program *program;
    size_t *place;     /* [joints] first column; SIZE_MAX: of another group */
    double *flow;      /* [columns] as planned, then as found */
    double *fee;       /* [columns] of a kW in the period */
    uint32_t *column;  /* [2 joints] one row's */
    double *value;
    size_t columns;
} web;

static mgc_status read_joint(web *w, size_t k)
{
    const mgc__joint *j = &w->run->a->joint[k];
    const mgc_link *link = mgc_model_link_at(w->run->model, j->link);
    size_t at = w->place[k], periods = w->flows / 2;
    char name[32];
    mgc_status st;

    snprintf(name, sizeof name, "LINK:%u", j->link);
    st = mgc_plan_get_series(w->run->a->together, w->run->a->member[j->first].id, name, "sent_kw", 0, w->flow + at, periods);
    if (st == MGC_OK)
        st = mgc_plan_get_series(w->run->a->together, w->run->a->member[j->first].id, name, "sent_back_kw", 0, w->flow + at + periods, periods);
    for (size_t i = 0; st == MGC_OK && i < w->flows; i++) {
        uint32_t t = (uint32_t)(i % periods);
        st = mgc_link_get(link, "fee_per_kwh", t, &w->fee[at + i]);
        w->fee[at + i] *= w->run->a->hours;
        w->flow[at + i] = fmin(fmax(w->flow[at + i], 0), j->capacity_kw[t]);
    }
    return st;
}

/* Both exponents, as in ties.c. */
static void exponents(const web *w, int *fee, int *flow)
{
    double least = INFINITY, most = 0;

    for (size_t j = 0; j < w->columns; j++) {
        if (w->fee[j] > 0) least = fmin(least, w->fee[j]);
        most = fmax(most, w->flow[j]);
    }
    *fee = *flow = MGC__TIES_NONE;
    if (isfinite(least)) frexp(least, fee);
    if (most > MGC__RUBBLE_KW) frexp(most, flow);
}

/* The objective in parts of eps times the largest flow. */
static mgc_status add_columns(web *w, int fee, int flow)
{
    const mgc_alliance *a = w->run->a;
    double unit = ldexp(1, flow), eps = mgc__ties_weight(fee, flow);
    mgc_status st = MGC_OK;

    for (size_t k = 0; k < a->joints; k++)
        for (size_t i = 0; w->place[k] != SIZE_MAX && st == MGC_OK && i < w->flows; i++) {
            const mgc_link *link = mgc_model_link_at(w->run->model, a->joint[k].link);
            size_t at = w->place[k] + i;
            uint32_t t = (uint32_t)(i % a->periods), column;
            double agreed;
            st = mgc_link_get(link, i < a->periods ? "agreed_kw" : "agreed_back_kw", t, &agreed);
            if (st == MGC_OK)
                st = mgc_program_add_column(w->program, w->fee[at] / (eps * unit), isinf(agreed) ? 0 : w->flow[at],
                                            isinf(agreed) ? fmax(w->flow[at], a->joint[k].capacity_kw[t]) : w->flow[at], &column);
            if (st == MGC_OK) st = mgc_program_set_quadratic(w->program, column, column, 1 / unit);
        }
    return st;
}

/* What a member takes of a carrier in a period stays. */
static mgc_status add_row(web *w, uint32_t member, uint32_t carrier, uint32_t t)
{
    const mgc_alliance *a = w->run->a;
    size_t n = 0;
    double net = 0;

    for (size_t k = 0; k < a->joints; k++) {
        const mgc__joint *j = &a->joint[k];
        if (w->place[k] == SIZE_MAX || j->carrier != carrier || (j->first != member && j->second != member)) continue;
        for (size_t d = 0; d < 2; d++) {
            w->column[n] = (uint32_t)(w->place[k] + d * a->periods + t);
            w->value[n] = (j->first == member) == (d == 0) ? -1 : 1 - j->loss;
            net += w->value[n] * w->flow[w->column[n]];
            n++;
        }
    }
    return n == 0 ? MGC_OK : mgc_program_add_row(w->program, net, net, w->column, w->value, n, NULL);
}

static mgc_status take(web *w)
{
    mgc_alliance *a = w->run->a;
    mgc_status st = mgc_program_get_x(w->program, w->flow, w->columns);

    for (size_t k = 0; st == MGC_OK && k < a->joints; k++) {
        mgc__joint *j = &a->joint[k];
        if (w->place[k] == SIZE_MAX) continue;
        for (size_t i = 0; i < w->flows; i++) {
            double *kw = &w->flow[w->place[k] + i];
            *kw = *kw < 1e-6 ? 0 : fmin(*kw, j->capacity_kw[i % a->periods]);
            j->sent_kw[i] = *kw < MGC__RUBBLE_KW ? 0 : *kw;
        }
        mgc__plan_reroute(a->together, j->link, w->flow + w->place[k]);
    }
    for (size_t i = 0; st == MGC_OK && i < a->n; i++)
        if (a->member[i].group == w->group) st = mgc_plan_get_number(a->together, a->member[i].id, "cost", &a->member[i].cost);
    return st;
}

static mgc_status solve(web *w)
{
    const mgc_alliance *a = w->run->a;
    mgc_program_info info = {.struct_size = sizeof info};
    mgc_program_opts o;
    int fee, flow;
    mgc_status st;

    exponents(w, &fee, &flow);
    if (flow == MGC__TIES_NONE) return MGC_OK;
    st = add_columns(w, fee, flow);
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t c = 0; a->member[i].group == w->group && c < 2; c++)
            for (uint32_t t = 0; st == MGC_OK && t < a->periods; t++) st = add_row(w, i, c, t);
    mgc_program_opts_init(&o, sizeof o);
    o.tolerance = 1e-9;
    if (st == MGC_OK) st = mgc_program_solve(w->program, &o, &info);
    return st == MGC_OK && info.outcome == MGC_OUTCOME_OPTIMAL ? take(w) : st; /* else the ways stay as planned */
}

static mgc_status one_group(mgc__run *run, uint32_t group)
{
    mgc_alliance *a = run->a;
    web w = {.run = run, .group = group, .flows = 2 * (size_t)a->periods};
    mgc_status st = MGC_OK;

    w.place = mgc__alloc(run->ctx, a->joints, sizeof *w.place);
    w.flow = mgc__alloc(run->ctx, w.flows * a->joints, sizeof *w.flow);
    w.fee = mgc__alloc(run->ctx, w.flows * a->joints, sizeof *w.fee);
    w.column = mgc__alloc(run->ctx, 2 * a->joints, sizeof *w.column);
    w.value = mgc__alloc(run->ctx, 2 * a->joints, sizeof *w.value);
    if (w.place == NULL || w.flow == NULL || w.fee == NULL || w.column == NULL || w.value == NULL)
        st = mgc__no_memory(run->ctx, "bargain: ways of trades");
    if (st == MGC_OK) st = mgc_program_create(run->ctx, &w.program);
    for (size_t k = 0; st == MGC_OK && k < a->joints; k++) {
        w.place[k] = SIZE_MAX;
        if (a->member[a->joint[k].first].group != group) continue;
        w.place[k] = w.columns;
        w.columns += w.flows;
        st = read_joint(&w, k);
    }
    if (st == MGC_OK && w.columns > 0) st = solve(&w);
    mgc_program_destroy(w.program);
    mgc__free(run->ctx, w.place);
    mgc__free(run->ctx, w.flow);
    mgc__free(run->ctx, w.fee);
    mgc__free(run->ctx, w.column);
    mgc__free(run->ctx, w.value);
    return st;
}

mgc_status mgc__alliance_ties(mgc__run *run)
{
    mgc_alliance *a = run->a;
    mgc_status st = MGC_OK;

    if (run->opts.weights != MGC_WEIGHTS_CONTRIBUTION || (a->joints > 0 && a->joint[0].second == MGC__POOL_MEMBER)) return MGC_OK;
    for (uint32_t g = 0; st == MGC_OK && g < a->n; g++)
        if (a->member[g].group == g && mgc__group_trades(a, g)) st = one_group(run, g);
    return st;
}
