/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim check and export, and the loading of cases for every command. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static void print_issues(const mgc_case *kase)
{
    const char *text;

    for (uint32_t i = 0; (text = mgc_case_issue_text(kase, i)) != NULL; i++) fprintf(stderr, "%s\n", text);
}

mgc_case *load_case(sim *s, bool builtin_allowed, int *code)
{
    mgc_case *kase = NULL;
    mgc_case_opts opts;
    mgc_status st;

    mgc_case_opts_init(&opts, sizeof opts);
    opts.day_shift = s->day_shift;
    if (s->n_words == 0 && builtin_allowed) st = mgc_case_builtin(s->ctx, &opts, &kase);
    else st = mgc_case_load_file(s->ctx, s->words[0], &opts, &kase);
    if (kase != NULL) print_issues(kase);
    if (st == MGC_OK && s->pool) {
        st = mgc_pool_links(mgc_case_model(kase));
        if (st == MGC_OK && mgc_case_realised(kase) != NULL) st = mgc_pool_links(mgc_case_realised(kase));
    }
    if (st == MGC_OK) return kase;
    if (st == MGC_E_CASE) {
        uint32_t n = mgc_case_issues(kase);
        fprintf(stderr, "mgchain-sim: %s has %u error%s; nothing was written\n", s->words[0], n, n == 1 ? "" : "s");
        *code = EXIT_INPUT;
    } else {
        *code = failed(s, st, s->n_words > 0 ? s->words[0] : "the built-in case");
        if (st == MGC_E_NOT_FOUND) *code = EXIT_IO;
        if (s->pool && kase != NULL) *code = EXIT_INPUT; /* of the case's members or links a pool cannot be made */
    }
    mgc_case_destroy(kase);
    return NULL;
}

static const char *plural(uint32_t n)
{
    return n == 1 ? "" : "s";
}

static void print_site(const mgc_model *model, const char *id)
{
    const mgc_microgrid *site = mgc_model_microgrid(model, id);

    uint32_t scenarios = mgc_microgrid_scenarios(site);
    printf("  %-16s %2u scenario%s:%s", id, scenarios, plural(scenarios), mgc_microgrid_devices(site) == 0 ? " no devices" : "");
    for (uint32_t d = 0; d < mgc_microgrid_devices(site); d++)
        printf("%s %s (%s)", d > 0 ? "," : "", mgc_microgrid_device_id(site, d), mgc_microgrid_device_type(site, d));
    putchar('\n');
}

/* What the scenarios keep of the days that they stand for, series by series. */
static void print_reduction(const mgc_case *kase, const mgc_case_info *info)
{
    mgc_case_moments m = {.struct_size = sizeof m};

    printf("  %u scenarios from %u days before %s (%s); a value lies %s of its series' mean from its scenario's\n", info->scenarios,
           info->history_days, info->history_day, info->method, fixed(info->reduction_distance, 3));
    printf("    %-52s %20s %20s %14s %12s\n", "days -> scenarios", "mean", "deviation", "lag 1", "correlation");
    for (uint32_t i = 0; mgc_case_series_moments(kase, i, &m) == MGC_OK; i++)
        printf("    %-52s %8s -> %8s %8s -> %8s %5s -> %5s   up to %s\n", m.name, fixed(m.mean[0], 2), fixed(m.mean[1], 2),
               fixed(m.deviation[0], 2), fixed(m.deviation[1], 2), fixed(m.autocorrelation[0], 2), fixed(m.autocorrelation[1], 2),
               fixed(m.correlation_change, 2));
}

int cmd_check(sim *s)
{
    int code = EXIT_DONE;
    mgc_case *kase = load_case(s, false, &code);
    mgc_case_info info = {.struct_size = sizeof info};

    if (kase == NULL) return code;
    mgc_status st = mgc_case_get_info(kase, &info);
    if (st != MGC_OK) {
        code = failed(s, st, "check");
    } else {
        const mgc_model *model = mgc_case_model(kase);
        printf("%s: %u period%s of %u minutes from %s, %u microgrid%s, %u link%s, money in %s\n", info.name, info.periods,
               plural(info.periods), info.period_minutes, info.start, info.microgrids, plural(info.microgrids), info.links,
               plural(info.links), info.currency);
        for (uint32_t i = 0; i < info.microgrids; i++) print_site(model, mgc_model_microgrid_id(model, i));
        for (uint32_t i = 0; i < info.links; i++) {
            const char *first, *second, *carrier;
            if (mgc_model_link(model, i, &first, &second, &carrier) == MGC_OK) printf("  %s – %s: %s\n", first, second, carrier);
        }
        if (info.history_days > 0)
            print_reduction(kase, &info);
    }
    mgc_case_destroy(kase);
    return code;
}

int cmd_export(sim *s)
{
    int code = EXIT_DONE;
    mgc_program *program = NULL;
    bool made = false;

    if (s->mps == NULL) {
        fputs("mgchain-sim: export needs --mps FILE\n", stderr);
        return EXIT_USAGE;
    }
    mgc_case *kase = load_case(s, false, &code);
    if (kase == NULL) return code;
    mgc_status st = mgc_model_program(mgc_case_model(kase), s->microgrid, &program);
    if (st == MGC_OK) st = write_program(s, program, &made);
    if (st != MGC_OK) code = failed(s, st, "export");
    if (made && st == MGC_E_NOT_FOUND) code = EXIT_IO; /* no such folder, as against no such microgrid */
    mgc_program_destroy(program);
    mgc_case_destroy(kase);
    return code;
}
