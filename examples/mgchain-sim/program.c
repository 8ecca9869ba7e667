/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim program: solve any MPS or QPS file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static int32_t show(void *user, uint32_t iteration, double primal, double bound)
{
    sim *s = user;
    char text[96];

    snprintf(text, sizeof text, "%u  %s  bound %s", iteration, isfinite(primal) ? fixed(primal, 4) : "-", isfinite(bound) ? fixed(bound, 4) : "-");
    phase_step(s, -1, text);
    return MGC_CB_DONE;
}

static const char *number(double x)
{
    static char texts[4][MGC_NUMBER_TEXT];
    static unsigned turn;
    char *text = texts[turn++ % 4];

    if (!isfinite(x)) return "null";
    mgc_number_format(x, text);
    return text;
}

static void print_json(const mgc_program_info *info)
{
    printf("{\"status\": \"%s\", \"objective\": %s, \"bound\": %s, \"iterations\": %u, \"nodes\": %u, \"seconds\": %s, ",
           mgc_outcome_name(info->outcome), number(info->objective), number(info->bound), info->iterations, info->nodes,
           fixed(info->seconds, 3));
    printf("\"primal_residual\": %s, \"dual_residual\": %s}\n", number(info->primal_residual), number(info->dual_residual));
}

static void print_text(const mgc_program *program, const mgc_program_info *info)
{
    printf("%u columns (%u integer), %u rows, %llu nonzeros\n", mgc_program_columns(program), mgc_program_integers(program),
           mgc_program_rows(program), (unsigned long long)mgc_program_nonzeros(program));
    printf("status      %s\nobjective   %s\nbound       %s\n", mgc_outcome_name(info->outcome), number(info->objective), number(info->bound));
    printf("residuals   %s primal, %s dual (relative)\n", number(info->primal_residual), number(info->dual_residual));
    printf("work        %u iterations, %u nodes, %s s\n", info->iterations, info->nodes, fixed(info->seconds, 3));
}

int cmd_program(sim *s)
{
    mgc_program *program = NULL;
    mgc_program_opts opts;
    mgc_program_info info = {.struct_size = sizeof info};
    size_t len;
    int code;

    char *text = read_file(s, s->words[0], &len);
    if (text == NULL) return EXIT_IO;
    mgc_status st = mgc_program_read_mps(s->ctx, text, len, s->words[0], &program);
    free(text);
    if (st != MGC_OK) {
        code = failed(s, st, "program");
        return code == EXIT_INTERNAL && st != MGC_E_NO_MEMORY ? EXIT_INPUT : code;
    }
    mgc_program_opts_init(&opts, sizeof opts);
    opts.relax = s->relax;
    opts.threads = s->threads;
    opts.time_limit_s = s->time_limit_s;
    if (s->gap > 0) opts.gap = s->gap;
    opts.progress = show;
    opts.user = s;
    phase_begin(s, "solve");
    st = mgc_program_solve(program, &opts, &info);
    phase_end(s);
    if (st != MGC_OK) {
        code = failed(s, st, "program");
    } else {
        if (s->json) print_json(&info);
        else print_text(program, &info);
        code = exit_of_outcome(s, info.outcome);
    }
    mgc_program_destroy(program);
    return code;
}
