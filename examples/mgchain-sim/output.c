/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "caution.h"
#include "figures.h"

enum { PATH_BYTES = 1200, FILES_MAX = 300, NAME_BYTES = 96 };

typedef struct files {
    sim *s;
    const char *folder;
    char name[FILES_MAX][NAME_BYTES];
    size_t n;
} files;

static mgc_status write_file(files *f, const char *name, const char *text, size_t len)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    mgc_status st = mgc_file_write(f->s->ctx, path, text, len);
    if (st == MGC_OK && f->n < FILES_MAX) snprintf(f->name[f->n++], NAME_BYTES, "%s", name);
    return st;
}

/* --- results.json ------------------------------------------------------------------------------------- */

static void hex(const uint8_t bytes[32], char text[65])
{
    for (size_t i = 0; i < 32; i++) snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static void write_chain(mgc_json *json, const mgc_chain *chain)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    char text[65];

    if (mgc_chain_get_info(chain, &info) != MGC_OK) return;
    mgc_json_object(json, NULL);
    mgc_json_string(json, "name", info.name);
    hex(info.chain_id, text);
    mgc_json_string(json, "chain_id", text);
    mgc_json_integer(json, "height", info.height);
    hex(info.block_hash, text);
    mgc_json_string(json, "block_hash", text);
    hex(info.state_digest, text);
    mgc_json_string(json, "state_digest", text);
    mgc_json_integer(json, "transactions", info.n_transactions);
    mgc_json_end(json);
}

static void write_ledger_part(mgc_json *json, const book *b)
{
    static const uint32_t contracts[3] = {MGC_CONTRACT_INFORMATION, MGC_CONTRACT_TRADING, MGC_CONTRACT_SCHEDULING};
    mgc_node_info node = {.struct_size = sizeof node};

    if (mgc_node_get_info(b->node, &node) != MGC_OK) return;
    mgc_json_object(json, "ledger");
    mgc_json_integer(json, "blocks", node.blocks);
    mgc_json_integer(json, "transactions", node.transactions);
    mgc_json_array(json, "chains");
    for (int i = 0; i < 3; i++) write_chain(json, mgc_node_chain(b->node, contracts[i]));
    mgc_json_end(json);
    history_write(json, b);
    mgc_json_end(json);
    if (b->incident.n == 0) return;
    mgc_json_array(json, "incidents");
    for (size_t i = 0; i < b->incident.n; i++) {
        const incident_line *line = &b->incident.line[i];
        mgc_json_object(json, NULL);
        mgc_json_integer(json, "time_ms", line->time_ms);
        mgc_json_string(json, "incident", line->incident);
        mgc_json_string(json, "who", line->who);
        mgc_json_string(json, "what", line->what);
        mgc_json_string(json, "answer", line->answer);
        mgc_json_end(json);
    }
    mgc_json_end(json);
}

static void write_caution(mgc_json *json, const caution *fear)
{
    mgc_json_array(json, "caution");
    for (size_t i = 0; i < fear->n; i++) {
        mgc_json_object(json, NULL);
        mgc_json_string(json, "plan", fear->plan[i].name);
        mgc_json_number(json, "nominal", fear->plan[i].nominal);
        mgc_json_number(json, "promised", fear->plan[i].promised);
        mgc_json_number(json, "worst_scenario", fear->plan[i].worst_scenario);
        mgc_json_end(json);
    }
    mgc_json_end(json);
}

static void write_both(mgc_json *json, const char *key, const double value[2])
{
    mgc_json_object(json, key);
    mgc_json_number(json, "samples", value[0]);
    mgc_json_number(json, "scenarios", value[1]);
    mgc_json_end(json);
}

/* What the scenarios keep of the days that they stand for. */
static mgc_status write_reduction(mgc_json *json, const mgc_case *kase)
{
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_status st = mgc_case_get_info(kase, &info);

    if (st != MGC_OK || info.history_series == 0) return st;
    mgc_json_object(json, "reduction");
    mgc_json_string(json, "method", info.method);
    mgc_json_integer(json, "samples", info.history_days);
    mgc_json_integer(json, "scenarios", info.scenarios);
    mgc_json_number(json, "distance", info.reduction_distance);
    mgc_json_array(json, "series");
    for (uint32_t i = 0; st == MGC_OK && i < info.history_series; i++) {
        mgc_case_moments m = {.struct_size = sizeof m};
        if ((st = mgc_case_series_moments(kase, i, &m)) != MGC_OK) break;
        mgc_json_object(json, NULL);
        mgc_json_string(json, "name", m.name);
        write_both(json, "mean", m.mean);
        write_both(json, "deviation", m.deviation);
        write_both(json, "autocorrelation", m.autocorrelation);
        mgc_json_number(json, "correlation_change", m.correlation_change);
        mgc_json_end(json);
    }
    mgc_json_end(json);
    mgc_json_end(json);
    return st;
}

static mgc_status write_results(files *f, const mgc_case *kase, const mgc_alliance *alliance, const book *b, const checks *c,
                                const caution *fear)
{
    mgc_json *json = NULL;
    result r = {0};
    const char *text;
    size_t len;

    mgc_status st = result_from_alliance(kase, alliance, false, &r);
    if (st == MGC_OK) st = mgc_json_create(f->s->ctx, &json);
    if (st == MGC_OK) {
        mgc_json_object(json, NULL);
        st = mgc_result_write(json, &r.file);
        write_gap_asked(f->s, json);
        mgc_json_integer(json, "seed", f->s->seed);
        if (st == MGC_OK) st = write_reduction(json, kase);
        write_caution(json, fear);
        write_ledger_part(json, b);
        mgc_json_array(json, "checks");
        for (size_t i = 0; i < c->n; i++) {
            mgc_json_object(json, NULL);
            mgc_json_string(json, "name", c->list[i].name);
            mgc_json_flag(json, "ok", (int32_t)c->list[i].ok);
            mgc_json_string(json, "found", c->list[i].found);
            mgc_json_end(json);
        }
        mgc_json_end(json);
        mgc_json_end(json);
    }
    if (st == MGC_OK) st = mgc_json_text(json, &text, &len);
    if (st == MGC_OK) st = write_file(f, "results.json", text, len);
    if (st == MGC_OK && f->s->json && fwrite(text, 1, len, stdout) != len) st = MGC_E_IO;
    mgc_json_destroy(json);
    result_free(&r);
    return st;
}

/* --- CSV ------------------------------------------------------------------------------------------------ */

static mgc_status finish_table(files *f, mgc_table *table, const char *name)
{
    const char *text;
    size_t len;

    mgc_status st = mgc_table_text(table, &text, &len);
    return st == MGC_OK ? write_file(f, name, text, len) : st;
}

/* Expected value of a quantity under the worst-case probabilities, as a column "device.quantity". */
static mgc_status add_quantity(mgc_table *table, const mgc_plan *plan, const char *id, const char *device, const char *quantity,
                               uint32_t scenarios, uint32_t n)
{
    double *sum = calloc(2 * (size_t)n, sizeof *sum), *one = sum != NULL ? sum + n : NULL, *p = calloc(scenarios, sizeof *p);
    char name[160];
    mgc_status st = sum == NULL || p == NULL ? MGC_E_NO_MEMORY : mgc_plan_get_probability(plan, id, p, scenarios);

    for (uint32_t k = 0; st == MGC_OK && k < scenarios; k++) {
        st = mgc_plan_get_series(plan, id, device, quantity, k, one, n);
        for (uint32_t t = 0; st == MGC_OK && t < n; t++) sum[t] += p[k] * one[t];
    }
    snprintf(name, sizeof name, "%s%s%s", device, device[0] != '\0' ? "." : "", quantity);
    if (st == MGC_OK) st = mgc_table_numbers(table, name, sum);
    free(sum);
    free(p);
    return st == MGC_E_UNKNOWN_KEY ? MGC_OK : st;
}

static const char *const *quantities_of(const char *type)
{
    static const char *const grid[] = {"buy_kw", "sell_kw", "realtime_buy_kw", "realtime_sell_kw", "heat_buy_kw", "price_per_kwh", "heat_price_per_kwh", NULL};
    static const char *const load[] = {"demand_kw", "shift_in_kw", "shift_out_kw", "curtailed_kw", "unserved_kw", "served_kw", NULL};
    static const char *const renewable[] = {"available_kw", "power_kw", NULL};
    static const char *const chp[] = {"on", "power_kw", "heat_kw", "gas_kw", NULL};
    static const char *const boiler[] = {"heat_kw", "gas_kw", NULL};
    static const char *const electric[] = {"power_kw", "heat_kw", NULL};
    static const char *const storage[] = {"charge_kw", "discharge_kw", "energy_kwh", NULL};
    static const char *const none[] = {NULL};
    static const struct { const char *type; const char *const *list; } table[] = {
        {"", grid}, {"load", load}, {"pv", renewable}, {"wind", renewable}, {"renewable", renewable}, {"chp", chp},
        {"gas_boiler", boiler}, {"electric_boiler", electric}, {"heat_pump", electric}, {"storage", storage}};

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].type, type) == 0) return table[i].list;
    return none;
}

static mgc_status write_dispatch(files *f, const mgc_case *kase, const mgc_plan *plan, const char *id, const mgc_case_info *info)
{
    mgc_table *table = NULL;
    const mgc_microgrid *site = mgc_model_microgrid(mgc_case_model(kase), id);
    char name[NAME_BYTES];

    mgc_status st = mgc_table_create(f->s->ctx, info->periods, &table);
    if (st == MGC_OK) st = mgc_table_times(table, info->start_ms, info->period_minutes);
    for (uint32_t d = 0; st == MGC_OK && d <= mgc_microgrid_devices(site); d++) {
        const char *device = d == 0 ? "" : mgc_microgrid_device_id(site, d - 1);
        const char *const *quantity = quantities_of(d == 0 ? "" : mgc_microgrid_device_type(site, d - 1));
        for (; st == MGC_OK && *quantity != NULL; quantity++)
            st = add_quantity(table, plan, id, device, *quantity, mgc_microgrid_scenarios(site), info->periods);
    }
    snprintf(name, sizeof name, "dispatch-%s.csv", id);
    if (st == MGC_OK) st = finish_table(f, table, name);
    mgc_table_destroy(table);
    return st;
}

static mgc_status write_trades(files *f, const mgc_alliance *alliance, const mgc_case_info *info, uint32_t trades)
{
    mgc_table *table = NULL;
    char name[200];

    mgc_status st = mgc_table_create(f->s->ctx, info->periods, &table);
    if (st == MGC_OK) st = mgc_table_times(table, info->start_ms, info->period_minutes);
    for (uint32_t i = 0; st == MGC_OK && i < trades; i++) {
        mgc_trade trade = {.struct_size = sizeof trade};
        st = mgc_alliance_get_trade(alliance, i, &trade);
        if (st != MGC_OK) break;
        const char *carrier = trade.carrier == MGC_CARRIER_HEAT ? "heat" : "electricity";
        snprintf(name, sizeof name, "%s>%s.%s.sent_kw", trade.from, trade.to, carrier);
        st = mgc_table_numbers(table, name, trade.sent_kw);
        snprintf(name, sizeof name, "%s>%s.%s.price_per_kwh", trade.from, trade.to, carrier);
        if (st == MGC_OK) st = mgc_table_numbers(table, name, trade.price_per_kwh);
    }
    if (st == MGC_OK) st = finish_table(f, table, "trades.csv");
    mgc_table_destroy(table);
    return st;
}

static mgc_status write_tables(files *f, const mgc_case *kase, const mgc_alliance *alliance)
{
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_alliance_info found = {.struct_size = sizeof found};
    const mgc_plan *plan;

    mgc_status st = mgc_case_get_info(kase, &info);
    if (st == MGC_OK) st = mgc_alliance_get_info(alliance, &found);
    if (st == MGC_OK) st = mgc_alliance_get_plan(alliance, MGC_DISPATCH_ALLIANCE, &plan);
    for (uint32_t i = 0; st == MGC_OK && i < info.microgrids; i++)
        st = write_dispatch(f, kase, plan, mgc_model_microgrid_id(mgc_case_model(kase), i), &info);
    return st == MGC_OK ? write_trades(f, alliance, &info, found.trades) : st;
}

/* --- report and manifest ------------------------------------------------------------------------------------ */

static mgc_status write_report(files *f, const mgc_case *kase, const mgc_alliance *alliance, const mgc_plan *realised, book *b, const checks *c,
                               const caution *fear)
{
    tables t;
    figures drawn;
    char path[PATH_BYTES], made_by[96];

    mgc_status st = book_tables(b, kase, &t);
    figures_begin(&drawn);
    if (st == MGC_OK) st = book_figures(b, kase, &drawn);
    if (st == MGC_OK) {
        snprintf(path, sizeof path, "%s/report.html", f->folder);
        snprintf(made_by, sizeof made_by, "mgchain-sim %s, seed %llu", mgc_version_string(), (unsigned long long)f->s->seed);
        const mgc_report report = {.struct_size = sizeof report, .kase = kase, .alliance = alliance, .realised = realised, .check = c->list,
                                   .checks = c->n, .table = t.list, .tables = t.n, .made_by = made_by, .figure = drawn.list, .figures = drawn.n,
                                   .caution = fear->plan, .cautions = fear->n, .upper = fear->upper, .lower = fear->lower, .bounds = fear->bounds};
        st = mgc_report_write(f->s->ctx, path, &report);
        if (st == MGC_OK && f->n < FILES_MAX) snprintf(f->name[f->n++], NAME_BYTES, "report.html");
    }
    figures_end(&drawn);
    free_tables(&t);
    return st;
}

static mgc_status write_manifest(files *f)
{
    const char *names[FILES_MAX], *about[2 * (1 + PHASES_MAX)];
    char seconds[PHASES_MAX][24], keys[PHASES_MAX][48];
    size_t pairs = 0;

    for (size_t i = 0; i < f->n; i++) names[i] = f->name[i];
    about[2 * pairs] = "made_by";
    about[2 * pairs++ + 1] = "mgchain-sim";
    for (size_t i = 0; i < f->s->n_phases; i++) {
        snprintf(keys[i], sizeof keys[i], "seconds_%s", f->s->phases[i].name);
        snprintf(seconds[i], sizeof seconds[i], "%s", fixed(f->s->phases[i].seconds, 3));
        about[2 * pairs] = keys[i];
        about[2 * pairs++ + 1] = seconds[i];
    }
    return mgc_manifest_write(f->s->ctx, f->folder, names, f->n, about, pairs);
}

/* The signed agreement as bytes: mgc_record_read() and mgc_record_verify() take them. */
static mgc_status write_record(files *f, const mgc_case *kase, const mgc_alliance *alliance, book *b)
{
    mgc_record *record = NULL;
    const uint8_t *bytes;
    size_t len;

    mgc_status st = book_record(b, kase, alliance, &record);
    if (st == MGC_OK) st = mgc_record_bytes(record, &bytes, &len);
    if (st == MGC_OK) st = write_file(f, "agreement.record", (const char *)bytes, len);
    mgc_record_destroy(record);
    return st;
}

mgc_status write_day(sim *s, const char *folder, const mgc_case *kase, const mgc_alliance *alliance, const mgc_plan *realised, book *b,
                     const checks *c)
{
    files *f = calloc(1, sizeof *f);
    caution fear;

    if (f == NULL) return MGC_E_NO_MEMORY;
    f->s = s;
    f->folder = folder;
    mgc_status st = caution_measure(s, kase, &fear);
    phase_begin(s, "write");
    if (st == MGC_OK) st = write_results(f, kase, alliance, b, c, &fear);
    if (st == MGC_OK) st = write_tables(f, kase, alliance);
    if (st == MGC_OK) st = write_record(f, kase, alliance, b);
    if (st == MGC_OK) st = write_report(f, kase, alliance, realised, b, c, &fear);
    phase_end(s);
    if (st == MGC_OK) st = write_manifest(f);
    free(f);
    return st;
}
