/* SPDX-License-Identifier: Apache-2.0 */
#include "checks.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

enum { PERIODS_MAX = 8784 };
static const double balance_tolerance_kw = 1e-3; /* a watt: far below what a meter of a connection shows */

void check_add(checks *c, const char *name, bool ok, const char *format, ...)
{
    va_list args;

    if (c->n == CHECKS_MAX) return;
    va_start(args, format);
    vsnprintf(c->text[c->n], CHECK_TEXT, format, args);
    va_end(args);
    c->list[c->n] = (mgc_report_check){name, c->text[c->n], ok, 0};
    c->n++;
    c->broken += !ok;
}

/* Where one microgrid and scenario is being added up. */
typedef struct sheet {
    const mgc_model *model;
    const mgc_plan *plan;
    const char *site;
    uint32_t scenario, n;
    double *electricity, *heat; /* [kW] supply less use: must be 0, or >= 0 for heat that may be vented */
    double *one;
    double worst_storage;
    bool open_devices; /* linear devices are not recomputed */
} sheet;

/* sum += sign * quantity; what the plan does not have is zero. */
static void book(sheet *s, double *sum, double sign, const char *device, const char *quantity)
{
    if (mgc_plan_get_series(s->plan, s->site, device, quantity, s->scenario, s->one, s->n) != MGC_OK) return;
    for (uint32_t t = 0; t < s->n; t++) sum[t] += sign * s->one[t];
}

static void book_grid(sheet *s)
{
    book(s, s->electricity, 1, "", "buy_kw");
    book(s, s->electricity, -1, "", "sell_kw");
    book(s, s->electricity, 1, "", "realtime_buy_kw");
    book(s, s->electricity, -1, "", "realtime_sell_kw");
    book(s, s->heat, 1, "", "heat_buy_kw");
}

static void book_links(sheet *s)
{
    for (uint32_t i = 0; i < mgc_model_links(s->model); i++) {
        const char *first, *second, *carrier;
        char name[24];
        double loss = 0;
        if (mgc_model_link(s->model, i, &first, &second, &carrier) != MGC_OK) continue;
        if (strcmp(first, s->site) != 0 && strcmp(second, s->site) != 0) continue;
        if (mgc_link_get(mgc_model_link_at(s->model, i), "loss", 0, &loss) != MGC_OK) continue;
        double *sum = strcmp(carrier, "heat") == 0 ? s->heat : s->electricity;
        bool is_first = strcmp(first, s->site) == 0;
        snprintf(name, sizeof name, "LINK:%u", i);
        book(s, sum, is_first ? -1 : 1 - loss, name, "sent_kw");
        book(s, sum, is_first ? 1 - loss : -1, name, "sent_back_kw");
    }
}

static double setting(const mgc_device *device, const char *key, double otherwise)
{
    double value;
    return mgc_device_get(device, key, 0, 0, &value) == MGC_OK && isfinite(value) ? value : otherwise;
}

/* (4): e_t = (1 - self-discharge) e_{t-1} + hours (eta_c c - d / eta_d), within its bounds. */
static void check_storage(sheet *s, const mgc_device *device, const char *name)
{
    double hours = mgc_model_hours(s->model), keep = 1 - setting(device, "self_discharge_per_period", 0);
    double in = setting(device, "charge_efficiency", 1), out = setting(device, "discharge_efficiency", 1);
    double low = setting(device, "min_energy_kwh", 0), high = setting(device, "energy_capacity_kwh", INFINITY);
    double before = setting(device, "initial_energy_kwh", 0);
    double *charge = calloc(3 * (size_t)s->n, sizeof *charge);
    double *discharge = charge != NULL ? charge + s->n : NULL, *energy = charge != NULL ? discharge + s->n : NULL;

    if (charge != NULL && mgc_plan_get_series(s->plan, s->site, name, "charge_kw", s->scenario, charge, s->n) == MGC_OK &&
        mgc_plan_get_series(s->plan, s->site, name, "discharge_kw", s->scenario, discharge, s->n) == MGC_OK &&
        mgc_plan_get_series(s->plan, s->site, name, "energy_kwh", s->scenario, energy, s->n) == MGC_OK)
        for (uint32_t t = 0; t < s->n; t++) {
            double want = keep * before + hours * (in * charge[t] - discharge[t] / out);
            double off = fmax(fabs(want - energy[t]), fmax(low - energy[t], energy[t] - high));
            s->worst_storage = fmax(s->worst_storage, off);
            before = energy[t];
        }
    free(charge);
}

static void book_devices(sheet *s)
{
    const mgc_microgrid *site = mgc_model_microgrid(s->model, s->site);

    for (uint32_t d = 0; d < mgc_microgrid_devices(site); d++) {
        const char *name = mgc_microgrid_device_id(site, d), *type = mgc_microgrid_device_type(site, d);
        const mgc_device *device = mgc_microgrid_device((mgc_microgrid *)(uintptr_t)site, name);
        const char *carrier = mgc_device_get_text(device, "carrier");
        double *sum = carrier != NULL && strcmp(carrier, "heat") == 0 ? s->heat : s->electricity;
        if (strcmp(type, "load") == 0) {
            book(s, sum, -1, name, "demand_kw");
            book(s, sum, -1, name, "shift_in_kw");
            book(s, sum, 1, name, "shift_out_kw");
            book(s, sum, 1, name, "curtailed_kw");
            book(s, sum, 1, name, "unserved_kw");
        } else if (strcmp(type, "storage") == 0) {
            book(s, sum, 1, name, "discharge_kw");
            book(s, sum, -1, name, "charge_kw");
            check_storage(s, device, name);
        } else if (strcmp(type, "linear") == 0) {
            s->open_devices = true;
        } else {
            bool uses = strcmp(type, "heat_pump") == 0 || strcmp(type, "electric_boiler") == 0;
            book(s, s->electricity, uses ? -1 : 1, name, "power_kw");
            book(s, s->heat, 1, name, "heat_kw");
        }
    }
}

void check_plan(checks *c, const mgc_model *model, const mgc_plan *plan, const char *which)
{
    double worst_power = 0, worst_heat = 0, worst_storage = 0;
    uint32_t n = mgc_model_periods(model), scenarios = 0;
    double *room = calloc(3 * (size_t)n, sizeof *room);
    bool open_devices = false;

    for (uint32_t i = 0; room != NULL && i < mgc_model_microgrids(model); i++) {
        const char *id = mgc_model_microgrid_id(model, i);
        const mgc_microgrid *site = mgc_model_microgrid(model, id);
        double vents = 1;
        if (mgc_microgrid_get(site, "heat_venting", 0, 0, &vents) != MGC_OK) vents = 1;
        for (uint32_t k = 0; k < mgc_microgrid_scenarios(site); k++, scenarios++) {
            sheet s = {model, plan, id, k, n, room, room + n, room + 2 * (size_t)n, 0, false};
            memset(room, 0, 3 * (size_t)n * sizeof *room);
            book_grid(&s);
            book_links(&s);
            book_devices(&s);
            worst_storage = fmax(worst_storage, s.worst_storage);
            open_devices |= s.open_devices;
            for (uint32_t t = 0; t < n && !s.open_devices; t++) {
                worst_power = fmax(worst_power, fabs(s.electricity[t]));
                worst_heat = fmax(worst_heat, vents > 0 ? -s.heat[t] : fabs(s.heat[t]));
            }
        }
    }
    free(room);
    const char *but = open_devices ? ", sites with linear devices left out" : "";
    check_add(c, "power balance", worst_power <= balance_tolerance_kw, "%s: largest error %s W over %u plans of a scenario%s", which,
              fixed(1000 * worst_power, 4), scenarios, but);
    check_add(c, "heat balance", worst_heat <= balance_tolerance_kw, "%s: largest shortage %s W%s", which, fixed(1000 * worst_heat, 4), but);
    check_add(c, "storage", worst_storage <= balance_tolerance_kw, "%s: bounds and energy recurrence within %s Wh", which, fixed(1000 * worst_storage, 4));
}

void check_bargain(checks *c, const mgc_alliance *alliance)
{
    mgc_certificate cert = {.struct_size = sizeof cert};
    mgc_alliance_info info = {.struct_size = sizeof info};

    if (mgc_alliance_certificate(alliance, &cert) != MGC_OK || mgc_alliance_get_info(alliance, &info) != MGC_OK) {
        check_add(c, "certificate", false, "could not be computed");
        return;
    }
    check_add(c, "payments sum to zero", cert.payment_sum <= 1e-6, "%s", fixed(cert.payment_sum, 6));
    check_add(c, "nobody is worse off", cert.worst_loss <= 1e-6, "largest loss of a member %s", fixed(fmax(cert.worst_loss, 0), 6));
    check_add(c, "gain shared as bargained", cert.nash <= 1e-5 * info.members + 1e-9, "largest distance from the Nash share %s", fixed(cert.nash, 6));
    check_add(c, "both ends agree on every trade", cert.imbalance_kw <= 1e-3, "largest difference %s W", fixed(1000 * cert.imbalance_kw, 4));
    check_add(c, "links within capacity", cert.capacity_kw <= 1e-6, "largest excess %s W", fixed(1000 * fmax(cert.capacity_kw, 0), 4));
    check_add(c, "cost not below its proven bound", info.cost >= info.lower_bound - 1e-6 * fabs(info.cost) - 1e-6,
              isfinite(info.gap) ? "%s against %s; gap %s %% of the cost alone" : "%s; no bound is proven", fixed(info.cost, 4),
              fixed(info.lower_bound, 4), fixed(100 * info.gap, 4));
}

/* Fix a day-ahead decision of one device in the joint program to what the plan has. */
static mgc_status fix_series(const mgc_plan *plan, mgc_program *program, const char *site, const char *device, const char *quantity, double *values,
                             uint32_t n)
{
    char prefix[160];

    if (mgc_plan_get_series(plan, site, device, quantity, 0, values, n) != MGC_OK) return MGC_OK; /* it has no such decision */
    int length = snprintf(prefix, sizeof prefix, "%s.%s.%s[", site, device, quantity);
    for (uint32_t j = 0; j < mgc_program_columns(program); j++) {
        const char *name = mgc_program_column_name(program, j), *end;
        if (strncmp(name, prefix, (size_t)length) != 0) continue;
        double period = mgc_number_parse(name + length, &end);
        if (*end != ']' || period < 0 || period >= n) continue;
        double fixed_at = round(values[(uint32_t)period]);
        mgc_status st = mgc_program_set_bounds(program, j, fixed_at, fixed_at);
        if (st != MGC_OK) return st;
    }
    return MGC_OK;
}

static mgc_status fix_decisions(const mgc_model *model, const mgc_plan *plan, mgc_program *program)
{
    uint32_t n = mgc_model_periods(model);
    double *values = calloc(n, sizeof *values);
    mgc_status st = values != NULL ? MGC_OK : MGC_E_NO_MEMORY;

    for (uint32_t i = 0; i < mgc_model_microgrids(model); i++) {
        const char *id = mgc_model_microgrid_id(model, i);
        const mgc_microgrid *site = mgc_model_microgrid(model, id);
        for (uint32_t d = 0; st == MGC_OK && d < mgc_microgrid_devices(site); d++) {
            const char *type = mgc_microgrid_device_type(site, d), *name = mgc_microgrid_device_id(site, d);
            if (strcmp(type, "chp") == 0) st = fix_series(plan, program, id, name, "on", values, n);
            if (strcmp(type, "storage") == 0) st = fix_series(plan, program, id, name, "mode", values, n);
        }
    }
    free(values);
    return st;
}

static int32_t show(void *user, uint32_t iteration, double primal, double bound)
{
    char text[48];

    (void)primal;
    (void)bound;
    snprintf(text, sizeof text, "%u iterations", iteration);
    phase_step(user, -1, text);
    return MGC_CB_DONE;
}

mgc_status check_yardstick(checks *c, sim *s, const mgc_case *kase, const mgc_alliance *alliance)
{
    const mgc_model *model = mgc_case_model(kase);
    mgc_alliance_info agents = {.struct_size = sizeof agents};
    mgc_program_info one = {.struct_size = sizeof one};
    mgc_program *program = NULL;
    mgc_program_opts opts;
    const mgc_plan *plan;

    phase_begin(s, "yardstick");
    mgc_status st = mgc_alliance_get_info(alliance, &agents);
    if (st == MGC_OK) st = mgc_alliance_get_plan(alliance, MGC_DISPATCH_ALLIANCE, &plan);
    if (st == MGC_OK) st = mgc_model_program(model, NULL, &program);
    bool none = st == MGC_E_UNSUPPORTED; /* of an ambiguity set that is not polyhedral there is no one program */
    if (none) st = MGC_OK;
    if (st == MGC_OK && !none) st = fix_decisions(model, plan, program);
    if (st == MGC_OK && !none) {
        mgc_program_opts_init(&opts, sizeof opts);
        opts.progress = show;
        opts.user = s;
        st = mgc_program_solve(program, &opts, &one);
    }
    mgc_program_destroy(program);
    phase_end(s);
    if (st != MGC_OK || none || mgc_ctx_cancelled(s->ctx)) return st;
    double size = fmax(1, fabs(agents.standalone_total)), distance = (agents.cost - one.objective) / size;
    /* Agents whom a limit stopped are as far off as they are; what they have may be dearer, never cheaper. */
    bool stopped = agents.outcome == MGC_OUTCOME_LIMIT;
    check_add(c, "one program over all members agrees",
              one.outcome == MGC_OUTCOME_OPTIMAL && distance >= -s->tolerance && (stopped || distance <= s->tolerance),
              "with the same on/off decisions: agents%s %s, one program %s, difference %s %% of the cost alone",
              stopped ? ", stopped by a limit," : "", fixed(agents.cost, 4), fixed(one.objective, 4), fixed(100 * distance, 5));
    return MGC_OK;
}
