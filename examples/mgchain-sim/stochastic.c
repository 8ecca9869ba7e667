/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim stochastic: two-stage programs in SMPS form, with ambiguous probabilities. */
#include <math.h>
#include <stdlib.h>

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
    char text[64];

    (void)upper;
    snprintf(text, sizeof text, "%u  bound %s", iteration, isfinite(lower) ? fixed(lower, 4) : "-");
    phase_step(user, -1, text);
    return MGC_CB_DONE;
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

int cmd_stochastic(sim *s)
{
    mgc_twostage *ts;
    mgc_twostage_opts opts;
    mgc_twostage_info info = {.struct_size = sizeof info};

    mgc_status st = read_three(s, &ts);
    if (st != MGC_OK) return st == MGC_E_IO ? EXIT_IO : EXIT_INPUT;
    mgc_twostage_opts_init(&opts, sizeof opts);
    opts.relax = s->relax;
    opts.threads = s->threads;
    opts.time_limit_s = s->time_limit_s;
    opts.gap = s->gap;
    opts.progress = show;
    opts.user = s;
    if (s->norm1 >= 0) st = mgc_twostage_set_norm1(ts, s->norm1);
    if (st == MGC_OK && s->norm_inf >= 0) st = mgc_twostage_set_norm_inf(ts, s->norm_inf);
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
