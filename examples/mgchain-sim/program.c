/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim program: solve any MPS or QPS file, or write it again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "sim.h"

static int32_t show(void *user, uint32_t iteration, double primal, double bound)
{
    sim *s = user;
    char text[96];

    snprintf(text, sizeof text, "%u  %s  bound %s", iteration, isfinite(primal) ? fixed(primal, 4) : "-", isfinite(bound) ? fixed(bound, 4) : "-");
    phase_step(s, -1, text);
    return MGC_CB_DONE;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

typedef struct text {
    char *bytes;
    size_t len, cap;
} text;

static int32_t append(void *user, const char *piece, size_t len)
{
    text *t = user;

    if (t->len + len > t->cap) {
        size_t cap = 2 * (t->len + len);
        char *grown = realloc(t->bytes, cap);
        if (grown == NULL) return MGC_E_NO_MEMORY;
        t->bytes = grown;
        t->cap = cap;
    }
    memcpy(t->bytes + t->len, piece, len);
    t->len += len;
    return MGC_CB_DONE;
}

/* The text as one gzip member without name or time: the same program gives the same bytes. */
static mgc_status pack(text *t)
{
    z_stream z = {.next_in = (Bytef *)t->bytes, .avail_in = (uInt)t->len};

    if (t->len > UINT32_MAX / 2) return MGC_E_TOO_LARGE;
    if (deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) return MGC_E_NO_MEMORY;
    text packed = {.cap = deflateBound(&z, t->len) + 64};
    packed.bytes = malloc(packed.cap);
    z.next_out = (Bytef *)packed.bytes;
    z.avail_out = (uInt)packed.cap;
    int result = packed.bytes != NULL ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
    packed.len = z.total_out;
    deflateEnd(&z);
    if (result != Z_STREAM_END) {
        free(packed.bytes);
        return MGC_E_NO_MEMORY;
    }
    free(t->bytes);
    *t = packed;
    return MGC_OK;
}

static bool ends_with(const char *word, const char *end)
{
    size_t n = strlen(word), k = strlen(end);

    return n >= k && strcmp(word + n - k, end) == 0;
}

mgc_status write_program(sim *s, const mgc_program *program, bool *made)
{
    text t = {.bytes = NULL};
    mgc_status st = mgc_program_write_mps_as(program, s->fixed ? MGC_MPS_FIXED : MGC_MPS_FREE, append, &t);

    if (st == MGC_OK && ends_with(s->mps, ".gz")) st = pack(&t);
    *made = st == MGC_OK;
    if (*made) st = mgc_file_write(s->ctx, s->mps, t.bytes, t.len);
    free(t.bytes);
    if (st == MGC_OK)
        printf("%s: %u columns (%u integer), %u rows, %llu nonzeros%s\n", s->mps, mgc_program_columns(program),
               mgc_program_integers(program), mgc_program_rows(program), (unsigned long long)mgc_program_nonzeros(program),
               mgc_program_maximises(program) ? "; objective negated, since the text maximises" : "");
    return st;
}

/* --- solving ------------------------------------------------------------------------------------------------------ */

static const char *number(double x)
{
    static char texts[4][MGC_NUMBER_TEXT];
    static unsigned turn;
    char *out = texts[turn++ % 4];

    if (!isfinite(x)) return "null";
    mgc_number_format(x, out);
    return out;
}

static const char *shown(double x)
{
    return isfinite(x) ? number(x) : "none";
}

/* The best that was found; of a program that is infeasible or unbounded there is none, whatever the last point is worth. */
static double objective(const mgc_program_info *info)
{
    return info->outcome == MGC_OUTCOME_INFEASIBLE || info->outcome == MGC_OUTCOME_UNBOUNDED ? NAN : info->objective;
}

/* In the sense of the file: a text that maximises is solved negated. */
static double in_its_sense(const mgc_program *program, double x)
{
    return mgc_program_maximises(program) ? 0.0 - x : x;
}

static void print_json(const mgc_program *program, const mgc_program_info *info)
{
    printf("{\"status\": \"%s\", \"sense\": \"%s\", \"objective\": %s, \"bound\": %s, ", mgc_outcome_name(info->outcome),
           mgc_program_maximises(program) ? "max" : "min", number(in_its_sense(program, objective(info))),
           number(in_its_sense(program, info->bound)));
    printf("\"iterations\": %u, \"nodes\": %u, \"seconds\": %s, \"primal_residual\": %s, \"dual_residual\": %s}\n", info->iterations,
           info->nodes, fixed(info->seconds, 3), number(info->primal_residual), number(info->dual_residual));
}

static void print_text(const mgc_program *program, const mgc_program_info *info)
{
    printf("%u columns (%u integer), %u rows, %llu nonzeros%s\n", mgc_program_columns(program), mgc_program_integers(program),
           mgc_program_rows(program), (unsigned long long)mgc_program_nonzeros(program),
           mgc_program_maximises(program) ? ", maximised" : "");
    printf("status      %s\nobjective   %s\nbound       %s\n", mgc_outcome_name(info->outcome),
           shown(in_its_sense(program, objective(info))), shown(in_its_sense(program, info->bound)));
    printf("residuals   %s primal, %s dual (relative)\n", shown(info->primal_residual), shown(info->dual_residual));
    printf("work        %u iterations, %u nodes, %s s\n", info->iterations, info->nodes, fixed(info->seconds, 3));
}

static int write_again(sim *s, const mgc_program *program)
{
    bool made;
    mgc_status st = write_program(s, program, &made);

    if (st == MGC_OK) return EXIT_DONE;
    int code = failed(s, st, "program");
    return made && st == MGC_E_NOT_FOUND ? EXIT_IO : code;
}

static int solve(sim *s, mgc_program *program)
{
    mgc_program_opts opts;
    mgc_program_info info = {.struct_size = sizeof info};

    mgc_program_opts_init(&opts, sizeof opts);
    opts.relax = s->relax;
    opts.threads = s->threads;
    opts.time_limit_s = s->time_limit_s;
    if (s->gap > 0) opts.gap = s->gap;
    if (s->tolerance > 0) opts.tolerance = s->tolerance;
    opts.progress = show;
    opts.user = s;
    phase_begin(s, "solve");
    mgc_status st = mgc_program_solve(program, &opts, &info);
    phase_end(s);
    if (st != MGC_OK) {
        int code = failed(s, st, "program");
        return st == MGC_E_INVALID_ARG ? EXIT_USAGE : code; /* an option out of its range */
    }
    if (s->json) print_json(program, &info);
    else print_text(program, &info);
    return exit_of_outcome(s, info.outcome);
}

int cmd_program(sim *s)
{
    mgc_program *program = NULL;
    size_t len;

    char *bytes = read_file(s, s->words[0], &len);
    if (bytes == NULL) return EXIT_IO;
    mgc_status st = mgc_program_read_mps(s->ctx, bytes, len, s->words[0], &program);
    free(bytes);
    if (st != MGC_OK) {
        int code = failed(s, st, "program");
        return code == EXIT_INTERNAL && st != MGC_E_NO_MEMORY ? EXIT_INPUT : code;
    }
    int code = s->mps != NULL ? write_again(s, program) : solve(s, program);
    mgc_program_destroy(program);
    return code;
}
