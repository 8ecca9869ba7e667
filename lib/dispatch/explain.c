/* SPDX-License-Identifier: Apache-2.0 */
/* Why a plan is infeasible: who, when, how much is short, and the smallest single change that cures it.
 *
 *  1. Elastic program: every balance may be short or in surplus, and only that is minimised (Brown and Graves 1975;
 *     Chinneck 2008, section 6.1.4).  What is left in its optimum is the shortage.
 *  2. For each limit that could be the cause, one program in which that limit alone gives way by delta_t, and the largest
 *     delta_t is minimised.  A limit whose program is feasible cures the day by that much; the smallest is named.
 *  3. Where not even elastic balances help, a device contradicts itself: each is tried alone. */
#include "dispatch/explain.h"

enum {
    TEXT_MAX_BYTES = 4000, /* of an explanation: a screenful */
    PROBES_MAX = 300       /* limits tried; each is one program */
};

/* --- 1. the shortage --------------------------------------------------------------------------------------------- */

/* Slack columns of one balance: per scenario and period, in order. */
typedef struct slack {
    size_t site;
    uint32_t carrier;
    bool surplus;
    uint32_t first; /* column */
} slack;

static void free_balance(const group *g, probe *p, slack *list, size_t *n, size_t site, uint32_t carrier, bool surplus)
{
    const mgc__shape *s = g->sites[site]->shape;
    uint32_t family = carrier == CARRIER_HEAT ? s->row_heat : s->row_electricity, column = 0;

    if (family == PLACE_NONE) return;
    list[*n] = (slack){site, carrier, surplus, mgc_program_columns(p->program)};
    for (uint32_t k = 0; k < s->scenarios; k++)
        for (uint32_t t = 0; p->status == MGC_OK && t < s->periods; t++) {
            p->status = mgc_program_add_column(p->program, s->hours, 0, (double)INFINITY, &column);
            if (p->status == MGC_OK)
                p->status = mgc_program_set_coefficient(p->program, mgc__group_row(g, site, mgc__row(s, k, family, t)), column,
                                                        surplus ? -1 : 1);
        }
    (*n)++;
}

static void put_slack(mgc__buf *text, const group *g, const slack *x, const double *point, double *profile)
{
    const mgc__shape *s = g->sites[x->site]->shape;
    double largest = 0, energy = 0, worst = 0;
    uint32_t worst_k = 0;

    memset(profile, 0, g->periods * sizeof *profile);
    for (uint32_t k = 0; k < s->scenarios; k++) {
        energy = 0;
        for (uint32_t t = 0; t < s->periods; t++) {
            double kw = point[x->first + k * s->periods + t];
            energy += s->hours * kw;
            profile[t] = fmax(profile[t], kw);
            largest = fmax(largest, kw);
        }
        if (energy > worst) {
            worst = energy;
            worst_k = k;
        }
    }
    if (largest < 1e-4) return;
    mgc__buf_printf(text, "%s: %s is %s by up to %.4g kW in ", s->site->id, x->carrier == CARRIER_HEAT ? "heat" : "electricity",
                    x->surplus ? "in surplus" : "short", largest);
    mgc__put_periods(text, g, profile, fmax(1e-4, 1e-3 * largest));
    if (s->scenarios > 1) mgc__buf_printf(text, "; %.4g kWh in scenario %u, the worst of %u", worst, worst_k, s->scenarios);
    else mgc__buf_printf(text, "; %.4g kWh", worst);
    mgc__buf_printf(text, ". ");
}

/* Say what is short.  *found: balances that give way make the group feasible; *size: by how much in all [kWh]. */
static mgc_status tell_shortage(const group *g, mgc__buf *text, double *profile, bool *found, double *size)
{
    probe p;
    mgc_program_info info;
    mgc_ctx *ctx = g->plan->ctx;
    slack *list = mgc__alloc(ctx, 4 * g->n, sizeof *list);
    double *point = NULL;
    size_t n = 0;

    *found = false;
    mgc__probe_open(g, &p);
    if (list == NULL && p.status == MGC_OK) p.status = mgc__no_memory(ctx, "dispatch: an explanation");
    for (size_t i = 0; p.status == MGC_OK && i < g->n; i++) {
        free_balance(g, &p, list, &n, i, CARRIER_ELECTRICITY, false);
        free_balance(g, &p, list, &n, i, CARRIER_ELECTRICITY, true);
        free_balance(g, &p, list, &n, i, CARRIER_HEAT, false);
        if (mgc__grid_at(g->sites[i]->shape->site, GRID_VENTING, 0) == 0) free_balance(g, &p, list, &n, i, CARRIER_HEAT, true);
    }
    mgc_status st = mgc__probe_solve(g, &p, &info);
    if (st == MGC_OK && (info.outcome == MGC_OUTCOME_OPTIMAL || info.outcome == MGC_OUTCOME_LIMIT)) {
        uint32_t columns = mgc_program_columns(p.program);
        point = mgc__alloc(ctx, columns, sizeof *point);
        if (point == NULL) st = mgc__no_memory(ctx, "dispatch: an explanation");
        else if (mgc_program_get_x(p.program, point, columns) == MGC_OK) {
            *found = true;
            *size = info.objective;
            for (size_t i = 0; i < n; i++) put_slack(text, g, &list[i], point, profile);
        }
    }
    mgc__free(ctx, point);
    mgc__free(ctx, list);
    mgc_program_destroy(p.program);
    return st;
}

/* --- 2. the cure ------------------------------------------------------------------------------------------------- */

typedef struct search {
    group *g;
    double *profile, *best_profile, *policy_profile;
    suspect best, policy;
    uint32_t probes;
    mgc_status status;
} search;

/* Amounts of energy are compared as the power that gives them in one period. */
static double weight(const search *s, const suspect *x)
{
    return x->amount / (x->cause == GIVE_CAPACITY || x->cause == GIVE_FINAL ? s->g->plan->model->hours : 1);
}

static void suspect_one(search *s, cause what, size_t site, size_t device, size_t part)
{
    suspect x = {.cause = what, .site = site, .device = device, .part = part, .profile = s->profile};

    if (s->status != MGC_OK || s->probes++ >= PROBES_MAX) return;
    s->status = mgc__suspect_question(s->g, &x);
    if (s->status != MGC_OK || isinf(x.amount) || x.amount < 1e-7) return;
    suspect *kept = mgc__is_policy(what) ? &s->policy : &s->best;
    if (!isinf(kept->amount) && weight(s, &x) >= weight(s, kept) * (1 - 1e-6)) return;
    double *own = kept->profile;
    *kept = x;
    kept->profile = own;
    memcpy(own, s->profile, s->g->periods * sizeof *own);
}

static bool finite_somewhere(const group *g, const mgc_microgrid *site, uint32_t param)
{
    for (uint32_t t = 0; t < g->periods; t++)
        if (isfinite(mgc__grid_at(site, param, t))) return true;
    return false;
}

/* A site without a district network (limit 0) is not told to buy more from it. */
static bool has_district(const group *g, const mgc_microgrid *site)
{
    for (uint32_t t = 0; t < g->periods; t++)
        if (mgc__grid_at(site, GRID_HEAT_LIMIT, t) > 0) return true;
    return false;
}

static void suspect_linear(search *s, size_t site, size_t device, const mgc_device *d)
{
    for (size_t v = 0; v < d->n_variables; v++) {
        suspect_one(s, GIVE_UPPER, site, device, v);
        suspect_one(s, GIVE_LOWER, site, device, v);
    }
    for (size_t c = 0; c < d->n_constraints; c++) suspect_one(s, GIVE_CONSTRAINT, site, device, c);
}

static void suspect_device(search *s, size_t site, size_t device, const mgc_device *d)
{
    const mgc__device_shape *shape = &s->g->sites[site]->shape->device[device];

    switch (d->type) {
    case TYPE_LOAD:
        if (shape->scenario[UNSERVED] == PLACE_NONE) suspect_one(s, GIVE_SERVICE, site, device, 0);
        break;
    case TYPE_CHP:
        suspect_one(s, GIVE_MAX, site, device, 0);
        if (shape->rows[ROW_MIN] != PLACE_NONE) suspect_one(s, GIVE_MIN, site, device, 0);
        if (shape->rows[ROW_UP] != PLACE_NONE) suspect_one(s, GIVE_RAMP, site, device, 0);
        break;
    case TYPE_GAS_BOILER:
    case TYPE_ELECTRIC_BOILER:
    case TYPE_HEAT_PUMP: suspect_one(s, GIVE_MAX, site, device, 0); break;
    case TYPE_STORAGE:
        suspect_one(s, GIVE_CHARGE, site, device, 0);
        suspect_one(s, GIVE_DISCHARGE, site, device, 0);
        suspect_one(s, GIVE_CAPACITY, site, device, 0);
        suspect_one(s, GIVE_FINAL, site, device, 0);
        break;
    case TYPE_LINEAR: suspect_linear(s, site, device, d); break;
    default: break;
    }
}

static void suspect_site(search *s, size_t i)
{
    const mgc__shape *shape = s->g->sites[i]->shape;
    const mgc_microgrid *site = shape->site;

    if (finite_somewhere(s->g, site, GRID_BUY_LIMIT)) suspect_one(s, GIVE_BUY, i, 0, 0);
    if (finite_somewhere(s->g, site, GRID_SELL_LIMIT)) suspect_one(s, GIVE_SELL, i, 0, 0);
    if (shape->heat && has_district(s->g, site) && finite_somewhere(s->g, site, GRID_HEAT_LIMIT))
        suspect_one(s, GIVE_DISTRICT, i, 0, 0);
    if (shape->heat && mgc__grid_at(site, GRID_VENTING, 0) == 0) suspect_one(s, GIVE_VENTING, i, 0, 0);
    for (size_t d = 0; d < site->n_devices; d++) suspect_device(s, i, d, site->devices[d]);
}

static mgc_status tell_cure(group *g, mgc__buf *text)
{
    mgc_ctx *ctx = g->plan->ctx;
    double *room = mgc__alloc(ctx, 3 * (size_t)g->periods, sizeof *room);
    search s = {.g = g, .profile = room, .status = MGC_OK};

    if (room == NULL) return mgc__no_memory(ctx, "dispatch: an explanation");
    s.best = (suspect){.amount = (double)INFINITY, .profile = room + g->periods};
    s.policy = (suspect){.amount = (double)INFINITY, .profile = room + 2 * (size_t)g->periods};
    for (size_t i = 0; i < g->n; i++) suspect_site(&s, i);
    for (size_t l = 0; g->n > 1 && l < g->plan->model->n_links; l++) suspect_one(&s, GIVE_LINK, 0, 0, l);
    if (s.status == MGC_OK && !isinf(s.best.amount)) {
        mgc__buf_printf(text, "Smallest single change that cures it: ");
        mgc__put_cure(text, g, &s.best);
        mgc__buf_printf(text, ". ");
    }
    if (s.status == MGC_OK && !isinf(s.policy.amount)) {
        mgc__buf_printf(text, isinf(s.best.amount) ? "It would be cured thus: " : "Or: ");
        mgc__put_cure(text, g, &s.policy);
        mgc__buf_printf(text, ". ");
    }
    if (s.status == MGC_OK && isinf(s.best.amount) && isinf(s.policy.amount))
        mgc__buf_printf(text, "No single limit cures it. ");
    mgc__free(ctx, room);
    return s.status;
}

/* --- groups ------------------------------------------------------------------------------------------------------ */

static void close_group(group *g)
{
    for (size_t i = 0; g->sites != NULL && i < g->n; i++) mgc__site_destroy(g->sites[i]);
    mgc__free(g->plan->ctx, g->sites);
    mgc__free(g->plan->ctx, g->place);
    if (g->alliance.ctx != NULL) mgc__alliance_free(&g->alliance);
}

/* Bounds that only follow from limits and devices that may give way: widened far beyond what any cure needs. */
static mgc_status widen_exchange(group *g, size_t i)
{
    enum { FAR = 100 };
    const mgc__shape *s = g->sites[i]->shape;
    uint32_t families[] = {s->realtime_buy, s->realtime_sell, s->import};
    mgc_status st = MGC_OK;

    for (uint32_t t = 0; t < s->periods; t++) {
        double reach = FAR * (1 + s->import_max[t] + s->export_max[t]);
        for (uint32_t k = 0; k < s->scenarios; k++)
            for (size_t f = 0; st == MGC_OK && f < MGC__COUNT(families); f++)
                if (families[f] != PLACE_NONE)
                    st = mgc_program_set_bounds(g->alliance.program, mgc__group_column(g, i, mgc__column(s, k, families[f], t)), 0, reach);
        if (st == MGC_OK && !g->fixed && isinf(mgc__grid_at(s->site, GRID_BUY_LIMIT, t)))
            st = mgc_program_set_bounds(g->alliance.program, mgc__group_column(g, i, s->buy + t), 0, reach);
        if (st == MGC_OK && !g->fixed && isinf(mgc__grid_at(s->site, GRID_SELL_LIMIT, t)))
            st = mgc_program_set_bounds(g->alliance.program, mgc__group_column(g, i, s->sell + t), 0, reach);
    }
    return st;
}

/* Sites with their programs side by side and nothing to pay for.  model: the plan's, or one made for a single device. */
static mgc_status open_group(group *g, mgc_plan *plan, const mgc_model *model, const size_t *place, size_t n, const mgc_plan *fixed)
{
    mgc_ctx *ctx = plan->ctx;
    mgc_status st = MGC_OK;

    *g = (group){.plan = plan, .n = n, .relax = true, .fixed = fixed != NULL, .periods = plan->model->periods};
    g->sites = mgc__alloc(ctx, n, sizeof *g->sites);
    g->place = mgc__alloc(ctx, n, sizeof *g->place);
    if (g->sites == NULL || g->place == NULL) st = mgc__no_memory(ctx, "dispatch: an explanation");
    for (size_t i = 0; st == MGC_OK && i < n; i++) {
        g->place[i] = place[i];
        st = mgc__site_build(ctx, model, plan->model->sites[place[i]]->id, plan->together, false, false, &g->sites[i]);
        if (st == MGC_OK && fixed != NULL) st = mgc__fix_first_stage(g->sites[i], &fixed->site[place[i]]);
    }
    if (st == MGC_OK) st = mgc__alliance_create(ctx, plan->model, g->sites, n, false, &g->alliance);
    uint32_t columns = st == MGC_OK ? mgc_program_columns(g->alliance.program) : 0;
    for (uint32_t j = 0; st == MGC_OK && j < columns; j++) st = mgc_program_set_cost(g->alliance.program, j, 0);
    for (size_t i = 0; i < n; i++) { /* carbon costs and forbids nothing; its bounds follow from limits that may give way */
        const mgc__shape *s = st == MGC_OK ? g->sites[i]->shape : NULL;
        if (st == MGC_OK) st = widen_exchange(g, i);
        for (uint32_t k = 0; st == MGC_OK && s->carbon && k < s->scenarios; k++)
            st = mgc_program_set_row_bounds(g->alliance.program, mgc__group_row(g, i, mgc__row(s, k, s->row_carbon, 0)),
                                            -(double)INFINITY, (double)INFINITY);
    }
    return st;
}

/* --- 3. devices that contradict themselves ----------------------------------------------------------------------- */

/* *itself: true where the device alone, with free balances, has no feasible day. */
static mgc_status contradicts_itself(mgc_plan *plan, size_t place, size_t device, double *profile, bool *itself)
{
    mgc_model *model = NULL;
    mgc__buf silent;
    group g = {.plan = plan};
    bool found = false;
    double size = 0;
    mgc_status st = mgc__model_copy(plan->ctx, plan->model, NULL, &model);

    *itself = false;
    if (st != MGC_OK) return st;
    mgc__model_keep_device(model->sites[place], device);
    mgc__buf_init(&silent, plan->ctx, TEXT_MAX_BYTES);
    st = open_group(&g, plan, model, &place, 1, NULL);
    if (st == MGC_OK) st = tell_shortage(&g, &silent, profile, &found, &size);
    if (st == MGC_OK) *itself = !found;
    close_group(&g);
    mgc__buf_free(&silent);
    mgc_model_destroy(model);
    return st;
}

static mgc_status tell_contradictions(const group *g, mgc__buf *text, double *profile)
{
    mgc_status st = MGC_OK;

    for (size_t i = 0; st == MGC_OK && !g->plan->together && !g->fixed && i < g->n; i++) {
        const mgc_microgrid *site = g->sites[i]->shape->site;
        for (size_t d = 0; st == MGC_OK && d < site->n_devices; d++) {
            bool itself = false;
            st = contradicts_itself(g->plan, g->place[i], d, profile, &itself);
            if (itself)
                mgc__buf_printf(text, "%s/%s cannot keep its own limits, whatever the balances. ", site->id, site->devices[d]->id);
        }
    }
    return st;
}

/* --- the explanation --------------------------------------------------------------------------------------------- */

static mgc_status explain_group(mgc_plan *plan, const size_t *place, size_t n, bool relax, const mgc_plan *fixed, mgc__buf *text)
{
    group g;
    bool found = false;
    double size = 0, *profile = mgc__alloc(plan->ctx, plan->model->periods, sizeof *profile);
    mgc_status st = profile == NULL ? mgc__no_memory(plan->ctx, "dispatch: an explanation") : MGC_OK;

    g = (group){.plan = plan};
    if (st == MGC_OK) st = open_group(&g, plan, plan->model, place, n, fixed);
    if (st == MGC_OK) st = tell_shortage(&g, text, profile, &found, &size);
    if (st == MGC_OK && found && size < 1e-4 && !relax) { /* only on/off decisions make it impossible */
        g.relax = false;
        st = tell_shortage(&g, text, profile, &found, &size);
    }
    if (st == MGC_OK && !found) {
        mgc__buf_printf(text, "%s: limits contradict each other whatever is bought or left unserved. ", n == 1
                        ? plan->model->sites[place[0]]->id : "alliance");
        st = tell_contradictions(&g, text, profile);
    }
    if (st == MGC_OK) st = tell_cure(&g, text);
    close_group(&g);
    mgc__free(plan->ctx, profile);
    return st;
}

mgc_status mgc__explain(mgc_plan *plan, bool relax, const mgc_plan *fixed)
{
    mgc__buf text;
    mgc_status st = MGC_OK;
    size_t *place = mgc__alloc(plan->ctx, plan->n, sizeof *place);

    if (place == NULL) return mgc__no_memory(plan->ctx, "dispatch: an explanation");
    mgc__buf_init(&text, plan->ctx, TEXT_MAX_BYTES);
    for (size_t i = 0; i < plan->n; i++) place[i] = i;
    if (plan->together && fixed == NULL) st = explain_group(plan, place, plan->n, relax, NULL, &text);
    else
        for (size_t i = 0; st == MGC_OK && i < plan->n; i++)
            if (plan->site[i].outcome == MGC_OUTCOME_INFEASIBLE) st = explain_group(plan, place + i, 1, relax, fixed, &text);
    while (text.len > 0 && text.bytes[text.len - 1] == ' ') text.len--;
    if (st == MGC_OK && text.status == MGC_E_NO_MEMORY) st = text.status; /* a text cut short at its limit is still one */
    if (st == MGC_OK) {
        plan->why = mgc__alloc(plan->ctx, text.len + 1, 1);
        if (plan->why == NULL) st = mgc__no_memory(plan->ctx, "dispatch: an explanation");
        else if (text.len > 0) memcpy(plan->why, text.bytes, text.len);
    }
    mgc__buf_free(&text);
    mgc__free(plan->ctx, place);
    return st;
}
