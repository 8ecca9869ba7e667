/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim stochastic: two-stage programs in SMPS form, with ambiguous probabilities. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static mgc_status read_three(sim *s, mgc_twostage **out)
{
    char *text[3] = {NULL, NULL, NULL};
    size_t len[3];
    mgc_status st = MGC_OK;

    *out = NULL;
    for (size_t i = 0; i < 3 && st == MGC_OK; i++)
        if ((text[i] = read_file(s, s->words[i], &len[i])) == NULL) st = MGC_E_IO;
    if (st == MGC_OK) {
        st = mgc_twostage_read_smps(s->ctx, text[0], len[0], s->words[0], text[1], len[1], s->words[1], text[2], len[2], s->words[2], out);
        if (st != MGC_OK) failed(s, st, "stochastic");
    }
    for (size_t i = 0; i < 3; i++) free(text[i]);
    return st;
}

static int32_t show(void *user, uint32_t iteration, double upper, double lower)
{
    char below[32], above[32], text[96];

    snprintf(below, sizeof below, "%s", isfinite(lower) ? fixed(lower, 4) : "-");
    snprintf(above, sizeof above, "%s", isfinite(upper) ? fixed(upper, 4) : "-");
    snprintf(text, sizeof text, "%u  from %s to %s", iteration, below, above);
    phase_step(user, -1, text);
    return MGC_CB_DONE;
}

static bool read_method(const char *word, uint32_t *method)
{
    static const char *const words[] = {"auto", "direct", "ccg"}; /* in the order of MGC_METHOD_... */

    for (uint32_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(word, words[i]) == 0) {
            *method = i;
            return true;
        }
    fprintf(stderr, "mgchain-sim: --method is \"%s\"; must be auto, direct or ccg\n", word);
    return false;
}

static mgc_status print_json(sim *s, const mgc_twostage *ts, const mgc_twostage_info *info)
{
    mgc_json *json = NULL;
    uint32_t n = mgc_twostage_scenarios(ts);
    double *p = calloc(n, sizeof *p);
    const char *text;
    size_t len;

    mgc_status st = p != NULL ? mgc_json_create(s->ctx, &json) : MGC_E_NO_MEMORY;
    if (st == MGC_OK) {
        mgc_json_object(json, NULL);
        mgc_json_string(json, "status", mgc_outcome_name(info->outcome));
        mgc_json_number(json, "objective", info->objective);
        mgc_json_number(json, "lower_bound", info->bound);
        mgc_json_number(json, "bound", info->bound);
        mgc_json_number(json, "first_stage_cost", info->first_stage_cost);
        mgc_json_integer(json, "rounds", info->iterations);
        mgc_json_integer(json, "iterations", info->inner_iterations);
        mgc_json_number(json, "seconds", info->seconds);
        mgc_json_number(json, "primal_residual", info->primal_residual);
        mgc_json_integer(json, "scenarios", n);
        if (mgc_twostage_get_probability(ts, p, n) == MGC_OK) mgc_json_numbers(json, "worst_case_probability", p, n);
        mgc_json_end(json);
        st = mgc_json_text(json, &text, &len);
    }
    if (st == MGC_OK && fwrite(text, 1, len, stdout) != len) st = MGC_E_IO;
    mgc_json_destroy(json);
    free(p);
    return st;
}

static mgc_status set_ambiguity(const sim *s, mgc_twostage *ts)
{
    mgc_status st = MGC_OK;

    if (s->norm1 >= 0) st = mgc_twostage_set_norm1(ts, s->norm1);
    if (st == MGC_OK && s->norm_inf >= 0) st = mgc_twostage_set_norm_inf(ts, s->norm_inf);
    if (st == MGC_OK && s->wasserstein >= 0) st = mgc_twostage_set_wasserstein(ts, s->wasserstein);
    if (st == MGC_OK && s->kl >= 0) st = mgc_twostage_set_kl(ts, s->kl);
    if (st == MGC_OK && s->chi2 >= 0) st = mgc_twostage_set_chi2(ts, s->chi2);
    if (st == MGC_OK && s->cvar >= 0) st = mgc_twostage_set_cvar(ts, s->cvar);
    return st == MGC_OK && s->worst_case ? mgc_twostage_set_worst_case(ts, 1) : st;
}

int cmd_stochastic(sim *s)
{
    mgc_twostage *ts;
    mgc_twostage_opts opts;
    mgc_twostage_info info = {.struct_size = sizeof info};

    mgc_twostage_opts_init(&opts, sizeof opts);
    if (!read_method(s->method, &opts.method)) return EXIT_USAGE;
    mgc_status st = read_three(s, &ts);
    if (st != MGC_OK) return st == MGC_E_IO ? EXIT_IO : EXIT_INPUT;
    opts.relax = s->relax;
    opts.threads = s->threads;
    opts.time_limit_s = s->time_limit_s;
    opts.gap = s->gap;
    opts.progress = show;
    opts.user = s;
    st = set_ambiguity(s, ts);
    phase_begin(s, "solve");
    if (st == MGC_OK) st = mgc_twostage_solve(ts, &opts, &info);
    phase_end(s);
    if (st == MGC_OK && s->json) st = print_json(s, ts, &info);
    else if (st == MGC_OK)
        printf("%s: %s, proven lower bound %s, %u scenarios\n", mgc_outcome_name(info.outcome), fixed(info.objective, 6), fixed(info.bound, 6),
               mgc_twostage_scenarios(ts));
    mgc_twostage_destroy(ts);
    return st == MGC_OK ? exit_of_outcome(s, info.outcome) : failed(s, st, "stochastic");
}
