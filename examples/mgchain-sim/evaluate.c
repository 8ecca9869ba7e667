/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim evaluate: walk forward over the history; plan each day by several kinds of caution, and live through it. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <mgchain/report.h>

#include "run.h"

enum { KINDS = 4, DAY_BYTES = 16, RULES = 6, BOOTSTRAPS = 4 /* from here on */, DRAWS = 10000, DAYS_MAX = 3660 };
enum { BOOTSTRAP_DRAWS = 500, BOOTSTRAP_RESAMPLES = 499 }; /* a radius of its own for each draw: a standard error of 0.01 */
#define CONFIDENCE 0.95

static const char *const kind_names[KINDS] = {"deterministic", "stochastic", "distributionally robust", "robust"};
enum { DETERMINISTIC, STOCHASTIC, AMBIGUOUS, ROBUST };

typedef struct walk {
    sim *s;
    mgc_evaluation e;
    char (*day)[DAY_BYTES];
    const char **day_text;
    double *number; /* 4 x KINDS x days, then days */
    double *cost, *promise, *unserved, *emission, *hindsight;
    double radius[RULES], covered[RULES], nominal[RULES];
    char name[96], currency[8];
    uint32_t scenarios, samples;
    bool assumed_set; /* the case names no ambiguity set */
} walk;

static mgc_status allocate(walk *w, uint32_t days)
{
    size_t n = (size_t)KINDS * days;

    w->number = calloc(4 * n + days, sizeof *w->number);
    w->day = calloc(days, sizeof *w->day);
    w->day_text = calloc(days, sizeof *w->day_text);
    if (w->number == NULL || w->day == NULL || w->day_text == NULL) return MGC_E_NO_MEMORY;
    w->cost = w->number;
    w->promise = w->cost + n;
    w->unserved = w->promise + n;
    w->emission = w->unserved + n;
    w->hindsight = w->emission + n;
    for (uint32_t d = 0; d < days; d++) w->day_text[d] = w->day[d];
    return MGC_OK;
}

static void free_walk(walk *w)
{
    free(w->number);
    free(w->day);
    free(w->day_text);
}

/* --- one day ----------------------------------------------------------------------------------------------------- */

static mgc_status solve(walk *w, const mgc_model *model, mgc_plan **plan)
{
    mgc_plan_info info = {.struct_size = sizeof info};
    mgc_dispatch_opts opts;

    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.threads = w->s->threads;
    opts.relax = w->s->relax;
    if (w->s->gap > 0) opts.gap = w->s->gap;
    mgc_status st = mgc_dispatch_solve(model, &opts, plan);
    if (st == MGC_OK) st = mgc_plan_get_info(*plan, &info);
    if (st == MGC_OK && info.outcome == MGC_OUTCOME_INFEASIBLE) {
        fprintf(stderr, "mgchain-sim: %s\n", mgc_plan_explain(*plan));
        return MGC_E_STATE;
    }
    return st == MGC_OK && mgc_ctx_cancelled(w->s->ctx) ? MGC_E_STOPPED : st;
}

/* The case's own sets; a case without one is given the norm-1 ball of its samples. */
static mgc_status be_ambiguous(walk *w, mgc_model *model)
{
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; st == MGC_OK && w->assumed_set && i < mgc_model_microgrids(model); i++)
        st = mgc_microgrid_set_ambiguity(mgc_model_microgrid(model, mgc_model_microgrid_id(model, i)), "norm1", "confidence", CONFIDENCE,
                                         w->samples, NULL);
    return st;
}

/* Nominal probabilities, or the whole simplex: a norm-1 ball of radius 2 holds every distribution. */
static mgc_status be_certain_or_not(mgc_model *model, bool worst)
{
    mgc_status st = MGC_OK;

    for (uint32_t i = 0; st == MGC_OK && i < mgc_model_microgrids(model); i++) {
        mgc_microgrid *site = mgc_model_microgrid(model, mgc_model_microgrid_id(model, i));
        st = mgc_microgrid_clear_ambiguity(site);
        if (st == MGC_OK && worst) st = mgc_microgrid_set_ambiguity(site, "norm1", "radius", 2, 0, NULL);
    }
    return st;
}

static mgc_status model_of(walk *w, const mgc_model *model, int kind, mgc_model **out)
{
    if (kind == DETERMINISTIC) return mgc_model_expected(model, out);
    mgc_status st = mgc_model_window(model, 0, mgc_model_periods(model), out);
    if (st != MGC_OK) return st;
    return kind == AMBIGUOUS ? be_ambiguous(w, *out) : be_certain_or_not(*out, kind == ROBUST);
}

static mgc_status add_up(const mgc_plan *plan, const mgc_model *model, const char *what, double *sum)
{
    mgc_status st = MGC_OK;
    double x = 0;

    *sum = 0;
    for (uint32_t i = 0; st == MGC_OK && i < mgc_model_microgrids(model); i++) {
        st = mgc_plan_get_number(plan, mgc_model_microgrid_id(model, i), what, &x);
        *sum += x;
    }
    return st;
}

static mgc_status live_through(walk *w, const mgc_case *kase, int kind, uint32_t day)
{
    mgc_model *model = NULL, *realised = mgc_case_realised(kase);
    mgc_plan *plan = NULL, *lived = NULL;
    mgc_dispatch_opts opts;
    size_t at = (size_t)kind * w->s->days + day;

    mgc_dispatch_opts_init(&opts, sizeof opts);
    opts.threads = w->s->threads;
    mgc_status st = model_of(w, mgc_case_model(kase), kind, &model);
    if (st == MGC_OK) st = solve(w, model, &plan);
    if (st == MGC_OK) st = mgc_plan_realise(plan, realised, &opts, &lived);
    if (st == MGC_OK) st = add_up(plan, model, "cost", &w->promise[at]);
    if (st == MGC_OK) st = add_up(lived, realised, "cost", &w->cost[at]);
    if (st == MGC_OK) st = add_up(lived, realised, "unserved_kwh", &w->unserved[at]);
    if (st == MGC_OK) st = add_up(lived, realised, "emission_kg", &w->emission[at]);
    mgc_plan_destroy(lived);
    mgc_plan_destroy(plan);
    mgc_model_destroy(model);
    return st;
}

static mgc_status know_in_advance(walk *w, const mgc_case *kase, uint32_t day)
{
    mgc_plan *plan = NULL;
    mgc_status st = solve(w, mgc_case_realised(kase), &plan);

    if (st == MGC_OK) st = add_up(plan, mgc_case_realised(kase), "cost", &w->hindsight[day]);
    mgc_plan_destroy(plan);
    return st;
}

/* --- the radius rules -------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *rule;
    uint32_t norm;
} rules[RULES] = {{"norm1 weissman", "weissman", 1}, {"norm1 zhao_guan", "zhao_guan", 1}, {"norm_inf hoeffding", "hoeffding", 0},
                  {"norm_inf zhao_guan", "zhao_guan", 0}, {"norm1 bootstrap", "norm1", 1}, {"norm_inf bootstrap", "norm_inf", 0}};
static const char *const rule_names[RULES] = {"norm1 weissman", "norm1 zhao_guan", "norm_inf hoeffding", "norm_inf zhao_guan",
                                              "norm1 bootstrap", "norm_inf bootstrap"};

static bool is_bootstrap(int rule)
{
    return rule >= BOOTSTRAPS;
}

/* Steele, Lea and Flood 2014: uniform in [0, 1). */
static double uniform(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

/* Frequencies of as many samples as there were. */
static void draw_frequencies(const walk *w, const double *p, uint64_t *state, double *frequency)
{
    for (uint32_t k = 0; k < w->scenarios; k++) frequency[k] = 0;
    for (uint32_t m = 0; m < w->samples; m++) {
        double u = uniform(state);
        uint32_t k = 0;
        while (k + 1 < w->scenarios && u >= p[k]) u -= p[k++];
        frequency[k] += 1.0 / w->samples;
    }
}

/* The bootstrap knows frequencies, not the probabilities behind them, so each draw has a radius of its own: how often does it
 * reach the probabilities? */
static mgc_status cover_by_bootstrap(walk *w, int rule, const double *p)
{
    double *frequency = calloc(w->scenarios, sizeof *frequency);
    uint64_t state = w->s->seed;
    uint32_t within = 0;
    mgc_status st = frequency == NULL ? MGC_E_NO_MEMORY : MGC_OK;

    for (uint32_t i = 0; st == MGC_OK && i < BOOTSTRAP_DRAWS; i++) {
        double sum = 0, most = 0, radius = 0;
        draw_frequencies(w, p, &state, frequency);
        if (mgc_ctx_cancelled(w->s->ctx)) st = MGC_E_STOPPED;
        else st = mgc_radius_bootstrap(w->s->ctx, rules[rule].rule, frequency, w->scenarios, NULL, w->samples, CONFIDENCE, BOOTSTRAP_RESAMPLES,
                                  w->s->seed + i, &radius);
        for (uint32_t k = 0; k < w->scenarios; k++) {
            sum += fabs(frequency[k] - p[k]);
            most = fmax(most, fabs(frequency[k] - p[k]));
        }
        within += (rules[rule].norm == 1 ? sum : most) <= radius * (1 + 1e-12);
    }
    w->covered[rule] = within / (double)BOOTSTRAP_DRAWS;
    free(frequency);
    return st;
}

static mgc_status measure_rule(walk *w, int rule, const double *p)
{
    mgc_ctx *ctx = w->s->ctx;
    mgc_status st;

    w->nominal[rule] = CONFIDENCE;
    if (is_bootstrap(rule)) {
        st = mgc_radius_bootstrap(ctx, rules[rule].rule, p, w->scenarios, NULL, w->samples, CONFIDENCE, 0, w->s->seed, &w->radius[rule]);
        return st == MGC_OK ? cover_by_bootstrap(w, rule, p) : st;
    }
    st = (rules[rule].norm == 1 ? mgc_radius_norm1 : mgc_radius_norm_inf)(ctx, rules[rule].rule, w->scenarios, w->samples, CONFIDENCE,
                                                                          &w->radius[rule]);
    if (st != MGC_OK) return st;
    return mgc_radius_coverage(ctx, rules[rule].norm, w->radius[rule], p, w->scenarios, w->samples, DRAWS, w->s->seed, &w->covered[rule]);
}

static mgc_status measure_rules(walk *w, const mgc_model *model)
{
    mgc_microgrid *site = mgc_model_microgrid(model, mgc_model_microgrid_id(model, 0));
    double *p = calloc(w->scenarios, sizeof *p);
    mgc_status st = p == NULL ? MGC_E_NO_MEMORY : mgc_microgrid_get_probability(site, p, w->scenarios);

    for (int i = 0; st == MGC_OK && i < RULES; i++) st = measure_rule(w, i, p);
    free(p);
    return st;
}

/* --- the walk ---------------------------------------------------------------------------------------------------- */

static bool has_set(const mgc_model *model)
{
    for (uint32_t i = 0; i < mgc_model_microgrids(model); i++)
        if (mgc_microgrid_is_ambiguous(mgc_model_microgrid(model, mgc_model_microgrid_id(model, i)))) return true;
    return false;
}

static int begin(walk *w, const mgc_case *kase)
{
    mgc_case_info info = {.struct_size = sizeof info};
    mgc_status st = mgc_case_get_info(kase, &info);

    if (st != MGC_OK) return failed(w->s, st, "evaluate");
    if (mgc_case_realised(kase) == NULL || info.scenarios == 0) {
        fputs("mgchain-sim: evaluate walks over a history; the case has no `uncertainty` block\n", stderr);
        return EXIT_INPUT;
    }
    snprintf(w->name, sizeof w->name, "%s: what caution is worth", info.name);
    snprintf(w->currency, sizeof w->currency, "%s", info.currency);
    w->scenarios = info.scenarios;
    w->samples = info.history_days;
    w->assumed_set = !has_set(mgc_case_model(kase));
    st = measure_rules(w, mgc_case_model(kase));
    return st == MGC_OK ? EXIT_DONE : failed(w->s, st, "evaluate");
}

static int one_day(walk *w, uint32_t day)
{
    mgc_case_info info = {.struct_size = sizeof info};
    int code = EXIT_DONE;
    char text[64];

    w->s->day_shift = (int32_t)day;
    mgc_case *kase = load_case(w->s, true, &code);
    if (kase == NULL) return code;
    if (day == 0) code = begin(w, kase);
    mgc_status st = mgc_case_get_info(kase, &info);
    if (st == MGC_OK && code == EXIT_DONE) {
        snprintf(w->day[day], DAY_BYTES, "%.10s", info.history_day);
        snprintf(text, sizeof text, "%s, day %u of %u", w->day[day], day + 1, w->s->days);
        phase_step(w->s, day / (double)w->s->days, text);
        st = know_in_advance(w, kase, day);
        for (int kind = 0; st == MGC_OK && kind < KINDS; kind++) st = live_through(w, kase, kind, day);
    }
    mgc_case_destroy(kase);
    return st == MGC_OK ? code : failed(w->s, st, w->day[day]);
}

static double mean(const double *x, uint32_t n)
{
    double sum = 0;

    for (uint32_t i = 0; i < n; i++) sum += x[i];
    return sum / n;
}

/* Standard error of the mean difference to the deterministic plan, day by day: the days' own ups and downs cancel. */
static double paired_error(const double *a, const double *b, uint32_t n)
{
    double apart = mean(a, n) - mean(b, n), sum = 0;

    for (uint32_t i = 0; i < n; i++) sum += (a[i] - b[i] - apart) * (a[i] - b[i] - apart);
    return n > 1 ? sqrt(sum / (n - 1) / n) : 0;
}

static void print_walk(const walk *w, uint32_t days)
{
    size_t stride = w->s->days;

    printf("%u day%s from %s, costs a day in %s; with hindsight %s\n\n", days, days == 1 ? "" : "s", w->day[0], w->currency,
           fixed(mean(w->hindsight, days), 2));
    printf("%-24s %12s %14s %10s %12s %12s %12s\n", "plan", "mean cost", "less determ.", "± s.e.", "promise", "unserved kWh", "kg CO2");
    for (int k = 0; k < KINDS; k++) {
        const double *cost = w->cost + (size_t)k * stride;
        printf("%-24s %12s %14s %10s %12s %12s %12s\n", kind_names[k], fixed(mean(cost, days), 2),
               fixed(mean(cost, days) - mean(w->cost, days), 2), fixed(paired_error(cost, w->cost, days), 2),
               fixed(mean(w->promise + (size_t)k * stride, days), 2), fixed(mean(w->unserved + (size_t)k * stride, days), 3),
               fixed(mean(w->emission + (size_t)k * stride, days), 1));
    }
    printf("\nradius rules, %u scenarios, %u samples, promised coverage %s\n", w->scenarios, w->samples, fixed(CONFIDENCE, 2));
    for (int i = 0; i < RULES; i++) printf("%-24s radius %8s   measured %s\n", rules[i].name, fixed(w->radius[i], 4), fixed(w->covered[i], 3));
    if (w->assumed_set) printf("\nThe case names no ambiguity set: the distributionally robust plan uses norm1 at confidence 0.95.\n");
}

static void write_kind(mgc_json *json, const walk *w, int k)
{
    size_t stride = w->s->days, at = (size_t)k * stride;

    mgc_json_object(json, kind_names[k]);
    mgc_json_numbers(json, "cost", w->cost + at, stride);
    mgc_json_numbers(json, "promise", w->promise + at, stride);
    mgc_json_numbers(json, "unserved_kwh", w->unserved + at, stride);
    mgc_json_numbers(json, "emission_kg", w->emission + at, stride);
    mgc_json_end(json);
}

static mgc_status write_json(const walk *w, mgc_json *json)
{
    mgc_json_object(json, NULL);
    mgc_json_string(json, "format", "mgchain-evaluation-1");
    mgc_json_string(json, "currency", w->currency);
    mgc_json_array(json, "days");
    for (uint32_t d = 0; d < w->s->days; d++) mgc_json_string(json, NULL, w->day[d]);
    mgc_json_end(json);
    mgc_json_numbers(json, "hindsight", w->hindsight, w->s->days);
    mgc_json_object(json, "plans");
    for (int k = 0; k < KINDS; k++) write_kind(json, w, k);
    mgc_json_end(json);
    mgc_json_array(json, "rules");
    for (int i = 0; i < RULES; i++) {
        mgc_json_object(json, NULL);
        mgc_json_string(json, "rule", rules[i].name);
        mgc_json_number(json, "radius", w->radius[i]);
        mgc_json_number(json, "promised", w->nominal[i]);
        mgc_json_number(json, "measured", w->covered[i]);
        mgc_json_end(json);
    }
    mgc_json_end(json);
    mgc_json_end(json);
    return MGC_OK;
}

/* evaluation.html and evaluation.json in the folder; with --json the latter on stdout too. */
static mgc_status write_files(walk *w)
{
    char path[4096];
    mgc_json *json = NULL;
    const char *text = NULL;
    size_t len = 0;

    w->e = (mgc_evaluation){.struct_size = sizeof w->e, .name = w->name, .currency = w->currency, .kinds = KINDS, .days = w->s->days,
                            .rules = RULES, .kind = kind_names, .day = w->day_text, .cost = w->cost, .promise = w->promise,
                            .unserved_kwh = w->unserved, .emission_kg = w->emission, .hindsight = w->hindsight, .rule = rule_names,
                            .radius = w->radius, .nominal = w->nominal, .covered = w->covered, .made_by = "mgchain-sim evaluate"};
    snprintf(path, sizeof path, "%s/evaluation.html", w->s->out);
    mgc_status st = mgc_evaluation_write(w->s->ctx, path, &w->e);
    if (st == MGC_OK) st = mgc_json_create(w->s->ctx, &json);
    if (st == MGC_OK) st = write_json(w, json);
    if (st == MGC_OK) st = mgc_json_text(json, &text, &len);
    snprintf(path, sizeof path, "%s/evaluation.json", w->s->out);
    if (st == MGC_OK) st = mgc_file_write(w->s->ctx, path, text, len);
    if (st == MGC_OK && w->s->json && fwrite(text, 1, len, stdout) != len) st = MGC_E_IO;
    mgc_json_destroy(json);
    return st;
}

/* The first `days` of the days asked for, as if no more had been. */
static void cut_short(walk *w, uint32_t days)
{
    double *const rows[] = {w->cost, w->promise, w->unserved, w->emission};

    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
        for (size_t k = 1; k < KINDS; k++) memmove(rows[r] + k * days, rows[r] + k * w->s->days, days * sizeof(double));
    w->s->days = days;
}

/* Interrupted, or out of time: the days that were walked are an evaluation of their own. */
static bool ends_early(const walk *w, int code, uint32_t walked)
{
    bool late = code == EXIT_LIMIT, interrupted = code == EXIT_INTERRUPTED;

    if (!late && !interrupted) return false;
    fprintf(stderr, "mgchain-sim: %s after %u of %u days; %s\n", late ? "the time limit was reached" : "interrupted", walked, w->s->days,
            walked > 0 ? "these are told" : "nothing was written");
    return walked > 0;
}

static bool out_of_time(const sim *s, uint64_t begun_ms)
{
    return s->time_limit_s > 0 && (double)(now_ms(NULL) - begun_ms) >= 1e3 * s->time_limit_s;
}

/* Returns how many days were walked. */
static uint32_t walk_days(walk *w, int *code)
{
    uint64_t begun_ms = now_ms(NULL);
    uint32_t day = 0;

    phase_begin(w->s, "evaluate");
    while (day < w->s->days && *code == EXIT_DONE) {
        *code = out_of_time(w->s, begun_ms) ? EXIT_LIMIT : one_day(w, day);
        day += *code == EXIT_DONE;
    }
    if (*code == EXIT_DONE) phase_end(w->s);
    else phase_drop(w->s);
    return day;
}

int cmd_evaluate(sim *s)
{
    walk w = {.s = s};
    int code = EXIT_DONE;
    bool tells = false;

    if (s->days > DAYS_MAX) {
        fprintf(stderr, "mgchain-sim: --days is %u; at most %d\n", s->days, DAYS_MAX);
        return EXIT_USAGE;
    }
    mgc_status st = allocate(&w, s->days);
    if (st == MGC_OK && make_folder(s->out) != 0) {
        fprintf(stderr, "mgchain-sim: %s: %s\n", s->out, strerror(errno));
        code = EXIT_IO;
    }
    if (st == MGC_OK && code == EXIT_DONE) {
        uint32_t walked = walk_days(&w, &code);
        tells = code == EXIT_DONE || ends_early(&w, code, walked);
        if (tells && walked < s->days) cut_short(&w, walked);
    }
    if (st == MGC_OK && tells) {
        st = write_files(&w);
        if (st == MGC_OK && !s->json) print_walk(&w, s->days);
        if (st == MGC_OK && !s->json) printf("\n%s/evaluation.html\n", s->out);
    }
    free_walk(&w);
    return st == MGC_OK ? code : failed(s, st, "evaluate");
}
