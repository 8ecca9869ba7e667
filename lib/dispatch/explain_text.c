/* SPDX-License-Identifier: Apache-2.0 */
/* How the causes of an infeasible plan are said. */
#include <stdio.h>

#include "dispatch/explain.h"

enum { RUNS_MAX = 4 }; /* spans of periods named */

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

bool mgc__is_policy(cause what)
{
    return words[what].policy;
}

static void put_clock(mgc__buf *text, double hours)
{
    uint64_t minutes = (uint64_t)llround(60 * hours);
    mgc__buf_printf(text, "%02u:%02u", (unsigned)(minutes / 60), (unsigned)(minutes % 60));
}

void mgc__put_periods(mgc__buf *text, const group *g, const double *profile, double threshold)
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

void mgc__put_cure(mgc__buf *text, const group *g, const suspect *x)
{
    char room[96];
    const char *key = key_of(g, x, room, sizeof room), *site = g->sites[x->site]->shape->site->id;
    const mgc_link *link = x->cause == GIVE_LINK ? g->plan->model->links[x->part] : NULL;

    mgc__buf_printf(text, "%s %s of ", words[x->cause].verb, key);
    if (x->cause == GIVE_LINK)
        mgc__buf_printf(text, "the %s link %s-%s", link->carrier == CARRIER_HEAT ? "heat" : "electricity", link->first, link->second);
    else if (x->cause < GIVE_SERVICE) mgc__buf_printf(text, "%s", site);
    else mgc__buf_printf(text, "%s/%s", site, g->sites[x->site]->shape->site->devices[x->device]->id);
    mgc__buf_printf(text, words[x->cause].policy ? " (%.10g %s)" : " by %.10g %s", rounded_up(x->amount), words[x->cause].unit);
    if (!words[x->cause].series) return;
    mgc__buf_printf(text, " in ");
    mgc__put_periods(text, g, x->profile, 1e-3 * x->amount);
}
