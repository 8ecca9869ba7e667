/* SPDX-License-Identifier: Apache-2.0 */
/* Why a plan is infeasible: who, when, how much is short, and the smallest single change that cures it.
 *
 *  1. Elastic program: every balance may be short or in surplus, and only that is minimised (Brown and Graves 1975;
 *     Chinneck 2008, section 6.1.4).  What is left in its optimum is the shortage.
 *  2. For each limit that could be the cause, one program in which that limit alone gives way by delta_t, and the largest
 *     delta_t is minimised.  A limit whose program is feasible cures the day by that much; the smallest is named.
 *  3. Where not even elastic balances help, a device contradicts itself: each is tried alone. */
#include <stdio.h>

#include "dispatch/plan.h"
#include "solver/program_impl.h"

enum {
    TEXT_MAX_BYTES = 4000, /* of an explanation: a screenful */
    PROBES_MAX = 300,      /* limits tried; each is one program */
    RUNS_MAX = 4,          /* spans of periods named */
    NODES_MAX = 2000       /* of a probe that needs its integers */
};

/* Kinds of limits that may give way. */
typedef enum cause {
    GIVE_BUY, GIVE_SELL, GIVE_DISTRICT, GIVE_VENTING, GIVE_LINK, GIVE_SERVICE, GIVE_MAX, GIVE_MIN, GIVE_RAMP, GIVE_CHARGE,
    GIVE_DISCHARGE, GIVE_CAPACITY, GIVE_FINAL, GIVE_LOWER, GIVE_UPPER, GIVE_CONSTRAINT
} cause;

/* How each is said. */
static const struct {
    const char *verb, *key, *unit;
    bool series; /* may differ by period: the periods are named */
    bool policy; /* a rule rather than an amount: named when no amount helps */
} words[] = {
    [GIVE_BUY] = {"raise", "buy_limit_kw", "kW", true, false},
    [GIVE_SELL] = {"raise", "sell_limit_kw", "kW", true, false},
    [GIVE_DISTRICT] = {"raise", "heat_buy_limit_kw", "kW", true, false},
    [GIVE_VENTING] = {"allow", "heat_venting", "kW", true, true},
    [GIVE_LINK] = {"raise", "capacity_kw", "kW", true, false},
    [GIVE_SERVICE] = {"put a price on unserved demand:", "unserved_price_per_kwh", "kW", true, true},
    [GIVE_MAX] = {"raise", "", "kW", false, false},
    [GIVE_MIN] = {"lower", "min_power_kw", "kW", false, false},
    [GIVE_RAMP] = {"raise", "ramp_kw_per_period", "kW", false, false},
    [GIVE_CHARGE] = {"raise", "max_charge_kw", "kW", false, false},
    [GIVE_DISCHARGE] = {"raise", "max_discharge_kw", "kW", false, false},
    [GIVE_CAPACITY] = {"raise", "energy_capacity_kwh", "kWh", false, false},
    [GIVE_FINAL] = {"lower", "final_energy_kwh", "kWh", false, false},
    [GIVE_LOWER] = {"reduce", "lower", "kW", true, false},
    [GIVE_UPPER] = {"raise", "upper", "kW", true, false},
    [GIVE_CONSTRAINT] = {"widen", "", "", true, false},
};

/* One limit: of a site (index), of a device, of a part of it (variable, constraint; a link where device is absent). */
typedef struct suspect {
    cause cause;
    size_t site, device, part;
    double amount;  /* the least that cures; INFINITY: does not */
    double *profile; /* by period; the caller's */
} suspect;

/* A group of sites that stand or fall together. */
typedef struct group {
    mgc_plan *plan;
    mgc__site **sites;
    size_t *place; /* index of each in the plan */
    size_t n;
    mgc__alliance alliance; /* its program with all costs 0 */
    bool relax;             /* integrality is not needed to see the cause */
    bool fixed;             /* the first stage stands */
    uint32_t periods;
} group;

/* --- elastic programs -------------------------------------------------------------------------------------------- */

/* A clone of the group's program in which something gives way. */
typedef struct probe {
    mgc_program *program;
    uint32_t largest, by_period; /* columns: max delta_t; the first of delta_t */
    mgc_status status;
} probe;

/* Column and row of a site's program in the group's. */
static uint32_t column_of(const group *g, size_t site, uint32_t column)
{
    return g->alliance.column[site][column];
}

static uint32_t row_of(const group *g, size_t site, uint32_t row)
{
    return g->alliance.row[site] + row;
}

static void open_probe(const group *g, probe *p)
{
    *p = (probe){.program = NULL};
    p->status = mgc_program_clone(g->alliance.program, &p->program);
}

/* delta_t <= largest.  The largest is what is minimised; the sum breaks ties, so that only the periods that need it move. */
static void begin_probe(const group *g, probe *p)
{
    uint32_t column = 0;

    open_probe(g, p);
    if (p->status == MGC_OK) p->status = mgc_program_add_column(p->program, 1, 0, (double)INFINITY, &p->largest);
    for (uint32_t t = 0; p->status == MGC_OK && t < g->periods; t++) {
        p->status = mgc_program_add_column(p->program, 1e-3 / g->periods, 0, (double)INFINITY, &column);
        if (t == 0) p->by_period = column;
        if (p->status == MGC_OK)
            p->status = mgc_program_add_row(p->program, -(double)INFINITY, 0, (uint32_t[]){column, p->largest},
                                            (double[]){1, -1}, 2, NULL);
    }
}

/* A new column that may move a row by at most delta_t. */
static void give_row(probe *p, uint32_t row, double sign, uint32_t t)
{
    uint32_t column = 0;

    if (p->status == MGC_OK) p->status = mgc_program_add_column(p->program, 0, 0, (double)INFINITY, &column);
    if (p->status == MGC_OK) p->status = mgc_program_set_coefficient(p->program, row, column, sign);
    if (p->status == MGC_OK)
        p->status = mgc_program_add_row(p->program, -(double)INFINITY, 0, (uint32_t[]){column, p->by_period + t},
                                        (double[]){1, -1}, 2, NULL);
}

/* Move one bound of a column into a row, where delta_t widens it; `rest` bounds the column from then on. */
static void give_bound(probe *p, uint32_t column, bool upper, double rest, uint32_t t)
{
    if (p->status != MGC_OK) return;
    double low = p->program->lower[column], high = p->program->upper[column];
    if (isinf(upper ? high : low)) return;
    p->status = mgc_program_set_bounds(p->program, column, upper ? low : rest, upper ? rest : high);
    if (p->status == MGC_OK)
        p->status = mgc_program_add_row(p->program, upper ? -(double)INFINITY : low, upper ? high : (double)INFINITY,
                                        (uint32_t[]){column, p->by_period + t}, (double[]){1, upper ? -1 : 1}, 2, NULL);
}

static mgc_status solve_probe(const group *g, probe *p, mgc_program_info *info)
{
    mgc_program_opts o;

    mgc_program_opts_init(&o, sizeof o);
    o.relax = g->relax;
    o.gap = 1e-3;
    o.node_limit = NODES_MAX;
    *info = (mgc_program_info){.struct_size = sizeof *info};
    if (p->status == MGC_OK) p->status = mgc_program_solve(p->program, &o, info);
    return p->status;
}

/* --- what may give way ------------------------------------------------------------------------------------------- */

/* A family of a site's scenario columns or rows. */
static void give_columns(const group *g, probe *p, size_t site, uint32_t family, bool upper)
{
    const mgc__shape *s = g->sites[site]->shape;

    for (uint32_t k = 0; k < s->scenarios; k++)
        for (uint32_t t = 0; family != PLACE_NONE && t < s->periods; t++)
            give_bound(p, column_of(g, site, mgc__column(s, k, family, t)), upper, upper ? (double)INFINITY : -(double)INFINITY, t);
}

static void give_rows(const group *g, probe *p, size_t site, uint32_t family, double sign)
{
    const mgc__shape *s = g->sites[site]->shape;

    for (uint32_t k = 0; k < s->scenarios; k++)
        for (uint32_t t = 0; family != PLACE_NONE && t < s->periods; t++)
            give_row(p, row_of(g, site, mgc__row(s, k, family, t)), sign, t);
}

static void give_first(const group *g, probe *p, size_t site, uint32_t family)
{
    for (uint32_t t = 0; family != PLACE_NONE && !g->fixed && t < g->periods; t++)
        give_bound(p, column_of(g, site, family + t), true, (double)INFINITY, t);
}

static void give_grid(const group *g, probe *p, const suspect *x)
{
    const mgc__shape *s = g->sites[x->site]->shape;

    if (x->cause == GIVE_DISTRICT) {
        give_first(g, p, x->site, s->district);
    } else if (x->cause == GIVE_VENTING) {
        give_rows(g, p, x->site, s->row_heat, -1);
    } else {
        give_first(g, p, x->site, x->cause == GIVE_BUY ? s->buy : s->sell);
        give_rows(g, p, x->site, s->row_grid, x->cause == GIVE_BUY ? -1 : 1);
    }
}

/* Both directions of a link; its columns are the program's first. */
static void give_link(const group *g, probe *p, const suspect *x)
{
    for (uint32_t i = 0; i < 2 * g->periods; i++)
        give_bound(p, (uint32_t)x->part * 2 * g->periods + i, true, (double)INFINITY, i % g->periods);
}

static void give_service(const group *g, probe *p, const suspect *x)
{
    const mgc__shape *s = g->sites[x->site]->shape;
    bool heat = s->site->devices[x->device]->bag.slot[LOAD_CARRIER].number == CARRIER_HEAT;

    give_rows(g, p, x->site, heat ? s->row_heat : s->row_electricity, 1);
}

static void give_chp_max(const group *g, probe *p, const suspect *x)
{
    const mgc__shape *s = g->sites[x->site]->shape;
    const mgc__device_shape *d = &s->device[x->device];

    give_columns(g, p, x->site, d->scenario[POWER], true);
    give_rows(g, p, x->site, d->rows[ROW_MAX], -1);
    for (uint32_t k = 0; d->scenario[HEAT] != PLACE_NONE && k < s->scenarios; k++)
        for (uint32_t t = 0; p->status == MGC_OK && t < s->periods; t++) /* bounded by the power that gives it */
            p->status = mgc_program_set_bounds(p->program, column_of(g, x->site, mgc__column(s, k, d->scenario[HEAT], t)), 0,
                                               (double)INFINITY);
}

static void give_storage(const group *g, probe *p, const suspect *x)
{
    const mgc__shape *s = g->sites[x->site]->shape;
    const mgc__device_shape *d = &s->device[x->device];

    switch (x->cause) {
    case GIVE_CHARGE:
        give_columns(g, p, x->site, d->scenario[CHARGE], true);
        give_rows(g, p, x->site, d->rows[ROW_CHARGE], -1);
        break;
    case GIVE_DISCHARGE:
        give_columns(g, p, x->site, d->scenario[DISCHARGE], true);
        give_rows(g, p, x->site, d->rows[ROW_DISCHARGE], -1);
        break;
    case GIVE_CAPACITY: give_columns(g, p, x->site, d->scenario[ENERGY], true); break;
    default:
        for (uint32_t k = 0; k < s->scenarios; k++)
            give_bound(p, column_of(g, x->site, mgc__column(s, k, d->scenario[ENERGY], s->periods - 1)), false,
                       mgc__device_number(s->site->devices[x->device], STO_MIN), s->periods - 1);
    }
}

static void give_linear(const group *g, probe *p, const suspect *x)
{
    const mgc__shape *s = g->sites[x->site]->shape;
    const mgc_device *d = s->site->devices[x->device];
    uint32_t row = s->device[x->device].rows[ROW_CONSTRAINTS];

    if (x->cause != GIVE_CONSTRAINT) {
        give_columns(g, p, x->site, s->device[x->device].scenario[VARIABLES] + (uint32_t)x->part * s->periods,
                     x->cause == GIVE_UPPER);
        return;
    }
    for (size_t i = 0; i < x->part; i++) row += s->periods - (mgc__constraint_looks_back(d, i) ? 1 : 0);
    for (uint32_t k = 0; k < s->scenarios; k++)
        for (uint32_t t = mgc__constraint_looks_back(d, x->part) ? 1 : 0, i = 0; t < s->periods; t++, i++) {
            give_row(p, row_of(g, x->site, mgc__row(s, k, row, i)), 1, t);
            give_row(p, row_of(g, x->site, mgc__row(s, k, row, i)), -1, t);
        }
}

static void give(const group *g, probe *p, const suspect *x)
{
    const mgc__device_shape *d = &g->sites[x->site]->shape->device[x->device];

    switch (x->cause) {
    case GIVE_BUY:
    case GIVE_SELL:
    case GIVE_DISTRICT:
    case GIVE_VENTING: give_grid(g, p, x); break;
    case GIVE_LINK: give_link(g, p, x); break;
    case GIVE_SERVICE: give_service(g, p, x); break;
    case GIVE_MAX:
        if (g->sites[x->site]->shape->site->devices[x->device]->type == TYPE_CHP) give_chp_max(g, p, x);
        else give_columns(g, p, x->site, d->scenario[0], true);
        break;
    case GIVE_MIN: give_rows(g, p, x->site, d->rows[ROW_MIN], 1); break;
    case GIVE_RAMP:
        give_rows(g, p, x->site, d->rows[ROW_UP], -1);
        give_rows(g, p, x->site, d->rows[ROW_DOWN], -1);
        break;
    case GIVE_CHARGE:
    case GIVE_DISCHARGE:
    case GIVE_CAPACITY:
    case GIVE_FINAL: give_storage(g, p, x); break;
    case GIVE_LOWER:
    case GIVE_UPPER:
    case GIVE_CONSTRAINT: give_linear(g, p, x); break;
    }
}

/* The least by which the suspect must give way, with its profile over the periods. */
static mgc_status question(const group *g, suspect *x)
{
    probe p;
    mgc_program_info info;
    double *point = NULL;

    x->amount = (double)INFINITY;
    begin_probe(g, &p);
    if (p.status == MGC_OK) give(g, &p, x);
    mgc_status st = solve_probe(g, &p, &info);
    uint32_t n = st == MGC_OK ? mgc_program_columns(p.program) : 0;
    if (st == MGC_OK && (info.outcome == MGC_OUTCOME_OPTIMAL || info.outcome == MGC_OUTCOME_LIMIT)) {
        point = mgc__alloc(g->plan->ctx, n, sizeof *point);
        if (point == NULL) st = mgc__no_memory(g->plan->ctx, "dispatch: an explanation");
        else if (info.primal_residual < 1e-5 && mgc_program_get_x(p.program, point, n) == MGC_OK) {
            x->amount = point[p.largest];
            memcpy(x->profile, point + p.by_period, g->periods * sizeof *point);
        }
        mgc__free(g->plan->ctx, point);
    }
    mgc_program_destroy(p.program);
    return st;
}

/* --- text -------------------------------------------------------------------------------------------------------- */

static void put_clock(mgc__buf *text, double hours)
{
    uint64_t minutes = (uint64_t)llround(60 * hours);
    mgc__buf_printf(text, "%02u:%02u", (unsigned)(minutes / 60), (unsigned)(minutes % 60));
}

/* "17:00-19:00 (periods 17-18)"; clock times count from the start of the horizon. */
static void put_periods(mgc__buf *text, const group *g, const double *profile, double threshold)
{
    uint32_t runs = 0, more = 0;

    for (uint32_t t = 0; t < g->periods; t++) {
        uint32_t end = t;
        if (profile[t] <= threshold) continue;
        while (end + 1 < g->periods && profile[end + 1] > threshold) end++;
        if (runs++ < RUNS_MAX) {
            mgc__buf_printf(text, runs > 1 ? ", " : "");
            put_clock(text, t * g->plan->model->hours);
            mgc__buf_printf(text, "-");
            put_clock(text, (end + 1) * g->plan->model->hours);
            mgc__buf_printf(text, t == end ? " (period %u)" : " (periods %u-%u)", t, end);
        } else more++;
        t = end;
    }
    if (more > 0) mgc__buf_printf(text, " and %u later spans", more);
}

/* Rounded up, so that what is said does cure. */
static double rounded_up(double x)
{
    double step = pow(10, floor(log10(fmax(x, 1e-3))) - 3);
    return ceil(x / step - 2e-5) * step; /* less a solver's dust */
}

static const char *key_of(const group *g, const suspect *x, char *room, size_t size)
{
    const mgc_device *d = NULL;

    if (x->cause >= GIVE_SERVICE) d = g->sites[x->site]->shape->site->devices[x->device];
    if (x->cause == GIVE_MAX) return d->type == TYPE_GAS_BOILER ? "max_heat_kw" : "max_power_kw";
    if (x->cause == GIVE_LOWER || x->cause == GIVE_UPPER) {
        snprintf(room, size, "%s of variable %s", words[x->cause].key, d->variables[x->part].name);
        return room;
    }
    if (x->cause == GIVE_CONSTRAINT) {
        snprintf(room, size, "constraint %zu", x->part);
        return room;
    }
    return words[x->cause].key;
}

/* "raise buy_limit_kw of hospital by 120 kW in 17:00-19:00 (periods 17-18)" */
static void put_cure(mgc__buf *text, const group *g, const suspect *x)
{
    char room[96];
    const char *key = key_of(g, x, room, sizeof room), *site = g->sites[x->site]->shape->site->id;

    mgc__buf_printf(text, "%s %s of ", words[x->cause].verb, key);
    if (x->cause == GIVE_LINK) mgc__buf_printf(text, "link %zu", x->part);
    else if (x->cause < GIVE_SERVICE) mgc__buf_printf(text, "%s", site);
    else mgc__buf_printf(text, "%s/%s", site, g->sites[x->site]->shape->site->devices[x->device]->id);
    mgc__buf_printf(text, words[x->cause].policy ? " (%.10g %s)" : " by %.10g %s", rounded_up(x->amount), words[x->cause].unit);
    if (!words[x->cause].series) return;
    mgc__buf_printf(text, " in ");
    put_periods(text, g, x->profile, 1e-3 * x->amount);
}

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
                p->status = mgc_program_set_coefficient(p->program, row_of(g, site, mgc__row(s, k, family, t)), column,
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
    put_periods(text, g, profile, fmax(1e-4, 1e-3 * largest));
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
    open_probe(g, &p);
    if (list == NULL && p.status == MGC_OK) p.status = mgc__no_memory(ctx, "dispatch: an explanation");
    for (size_t i = 0; p.status == MGC_OK && i < g->n; i++) {
        free_balance(g, &p, list, &n, i, CARRIER_ELECTRICITY, false);
        free_balance(g, &p, list, &n, i, CARRIER_ELECTRICITY, true);
        free_balance(g, &p, list, &n, i, CARRIER_HEAT, false);
        if (mgc__grid_at(g->sites[i]->shape->site, GRID_VENTING, 0) == 0) free_balance(g, &p, list, &n, i, CARRIER_HEAT, true);
    }
    mgc_status st = solve_probe(g, &p, &info);
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
    s->status = question(s->g, &x);
    if (s->status != MGC_OK || isinf(x.amount) || x.amount < 1e-7) return;
    suspect *kept = words[what].policy ? &s->policy : &s->best;
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
    if (shape->heat && finite_somewhere(s->g, site, GRID_HEAT_LIMIT)) suspect_one(s, GIVE_DISTRICT, i, 0, 0);
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
        put_cure(text, g, &s.best);
        mgc__buf_printf(text, ". ");
    }
    if (s.status == MGC_OK && !isinf(s.policy.amount)) {
        mgc__buf_printf(text, isinf(s.best.amount) ? "It would be cured thus: " : "Or: ");
        put_cure(text, g, &s.policy);
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
                    st = mgc_program_set_bounds(g->alliance.program, column_of(g, i, mgc__column(s, k, families[f], t)), 0, reach);
        if (st == MGC_OK && !g->fixed && isinf(mgc__grid_at(s->site, GRID_BUY_LIMIT, t)))
            st = mgc_program_set_bounds(g->alliance.program, column_of(g, i, s->buy + t), 0, reach);
        if (st == MGC_OK && !g->fixed && isinf(mgc__grid_at(s->site, GRID_SELL_LIMIT, t)))
            st = mgc_program_set_bounds(g->alliance.program, column_of(g, i, s->sell + t), 0, reach);
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
            st = mgc_program_set_row_bounds(g->alliance.program, row_of(g, i, mgc__row(s, k, s->row_carbon, 0)),
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
