/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim: what its commands share. */
#ifndef SIM_H
#define SIM_H

#include <mgchain/mgchain.h>
#include <mgchain/io.h>
#include <stdbool.h>
#include <stdio.h>

/* Exit codes, as in the manual. */
enum {
    EXIT_DONE = 0, EXIT_INTERNAL = 1, EXIT_USAGE = 2, EXIT_INPUT = 3, EXIT_INFEASIBLE = 4, EXIT_LIMIT = 5,
    EXIT_IO = 6, EXIT_VERIFY = 7, EXIT_PEER = 8, EXIT_INTERRUPTED = 130
};

enum { PHASES_MAX = 48 };

typedef struct sim {
    mgc_ctx *ctx;
    /* options; a command reads those of its own table */
    const char *words[16]; /* what is not an option: CASE, FILE, DIR ... */
    size_t n_words;
    const char *out, *mps, *microgrid, *progress, *method, *as, *cursor, *chain, *from, *incident; /* from as on: NULL where not given */
    uint64_t seed, limit; /* limit 0: none given */
    double time_limit_s, gap, tolerance, norm1, norm_inf, wasserstein, kl, chi2, cvar; /* from norm1 on: negative where not given */
    uint32_t days, threads, members;
    uint32_t json, relax, alone, central, admm, pool, help, fixed, worst_case;
    bool out_given;
    uint32_t incidents; /* of --incident */
    int32_t day_shift; /* of a rolling run */
    void *team; /* of MPI ranks (by_mpi.c); NULL: one process */
    /* progress */
    struct { const char *name; double seconds; } phases[PHASES_MAX];
    size_t n_phases;
    struct { bool bar, json, none, color; const char *phase, *full, *empty; uint64_t begun_ms, drawn_ms; } show; /* color: of stdout */
} sim;

/* Commands: each returns an exit code. */
int cmd_run(sim *s);
int cmd_solve(sim *s);
int cmd_evaluate(sim *s);
int cmd_check(sim *s);
int cmd_export(sim *s);
int cmd_program(sim *s);
int cmd_stochastic(sim *s);
int cmd_ledger(sim *s);
int cmd_doctor(sim *s);
int cmd_keys(sim *s);
int cmd_new(sim *s);

extern const char new_case[]; /* new-case.yaml */

/* Say what failed on stderr and choose the exit code that belongs to the status. */
int failed(sim *s, mgc_status status, const char *what);
int exit_of_status(mgc_status status);
int exit_of_outcome(sim *s, uint32_t outcome);

uint64_t now_ms(void *user);

/* Progress on stderr: a bar on a terminal, a line a phase elsewhere, JSON lines on request. */
void progress_setup(sim *s);
void phase_begin(sim *s, const char *name);
void phase_step(sim *s, double fraction, const char *text); /* fraction of the phase that is done; < 0: unknown */
/* How far an iteration is that goes from 1 down to a target by about the same factor each time; negative: cannot be told. */
double fraction_to(double value, double target);
double phase_end(sim *s); /* seconds */
void phase_drop(sim *s);  /* it failed: nothing to tell of its time */
void print_phases(const sim *s); /* on stdout: seconds of each phase and in all */

/* The case named by the first word, or the embedded one; its errors are printed.  NULL: *code says why. */
mgc_case *load_case(sim *s, bool builtin_allowed, int *code);

/* A folder and those above it, as far as they are missing.  0, or -1 with errno. */
int make_folder(const char *path);

/* A whole file in memory, gunzipped if it is gzip; free() it.  NULL: said on stderr. */
char *read_file(sim *s, const char *path, size_t *len);

/* Write a program to s->mps, in fixed format on request, packed where the name ends in .gz, and say so.  *made: the text was
 * made, and only the file may have failed. */
mgc_status write_program(sim *s, const mgc_program *program, bool *made);

/* A word for a check's outcome, in colour where stdout is a terminal and NO_COLOR is not set. */
const char *mark_of(const sim *s, bool ok);

/* Print a number with so many decimals and a point, in every locale. */
const char *fixed(double x, int decimals); /* one of eight rotating buffers */

#endif
