/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim doctor: what is installed and what works, each tried for real. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "sim.h"

/* max x + 2y, x + y <= 4, y <= 3 -> 7, by the solver with its linear algebra. */
static mgc_status try_solver(sim *s)
{
    mgc_program *program = NULL;
    mgc_program_info info = {.struct_size = sizeof info};
    static const uint32_t columns[] = {0, 1};
    static const double values[] = {1, 1};

    mgc_status st = mgc_program_create(s->ctx, &program);
    if (st == MGC_OK) st = mgc_program_add_column(program, -1, 0, INFINITY, NULL);
    if (st == MGC_OK) st = mgc_program_add_column(program, -2, 0, 3, NULL);
    if (st == MGC_OK) st = mgc_program_add_row(program, -INFINITY, 4, columns, values, 2, NULL);
    if (st == MGC_OK) st = mgc_program_solve(program, NULL, &info);
    if (st == MGC_OK && (info.outcome != MGC_OUTCOME_OPTIMAL || fabs(info.objective + 7) > 1e-6)) st = MGC_E_NUMERIC;
    mgc_program_destroy(program);
    return st;
}

/* The first test vector of RFC 8032, section 7.1. */
static mgc_status try_signatures(sim *s)
{
    static const uint8_t seed[32] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
                                     0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
    static const uint8_t public_start[4] = {0xd7, 0x5a, 0x98, 0x01};
    mgc_key *key = NULL;
    uint8_t public_key[32];

    mgc_status st = mgc_key_from_seed(s->ctx, seed, &key);
    if (st == MGC_OK) st = mgc_key_public(key, public_key);
    if (st == MGC_OK && memcmp(public_key, public_start, sizeof public_start) != 0) st = MGC_E_CRYPTO;
    mgc_key_destroy(key);
    return st;
}

static mgc_status try_builtin(sim *s)
{
    mgc_case *kase = NULL;
    mgc_status st = mgc_case_builtin(s->ctx, NULL, &kase);

    mgc_case_destroy(kase);
    return st;
}

static mgc_status try_folder(sim *s)
{
    static const char name[] = "mgchain-doctor.tmp";
    mgc_status st = mgc_file_write(s->ctx, name, "works\n", 6);

    unlink(name);
    return st;
}

static bool on_path(const char *program)
{
    const char *path = getenv("PATH");
    char file[512];

    while (path != NULL && *path != '\0') {
        size_t length = strcspn(path, ":");
        snprintf(file, sizeof file, "%.*s/%s", (int)(length < 400 ? length : 0), path, program);
        if (access(file, X_OK) == 0) return true;
        path += length + (path[length] == ':');
    }
    return false;
}

int cmd_doctor(sim *s)
{
    const struct {
        const char *name, *cure;
        mgc_status (*try)(sim *s);
    } checks[] = {
        {"solver (CHOLMOD, LAPACKE)", "apt install libsuitesparse-dev liblapacke-dev, then build again", try_solver},
        {"signatures (libcrypto)", "apt install libssl-dev, then build again", try_signatures},
        {"built-in case", "build again from a clean clone", try_builtin},
        {"this folder can be written", "choose another with --out", try_folder},
    };
    static const char *const helpers[][2] = {{"cbc", "coinor-cbc"}, {"clp", "coinor-clp"}, {"glpsol", "glpk-utils"}};
    int code = EXIT_DONE;

    printf("mgchain-sim %s, %ld cores\n", mgc_version_string(), sysconf(_SC_NPROCESSORS_ONLN));
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        mgc_status st = checks[i].try(s);
        printf("%-30s %s\n", checks[i].name, st == MGC_OK ? "works" : mgc_status_text(st));
        if (st == MGC_OK) continue;
        printf("%-30s -> %s\n", "", checks[i].cure);
        code = EXIT_INTERNAL;
    }
    for (size_t i = 0; i < sizeof helpers / sizeof helpers[0]; i++)
        printf("%-30s %s\n", helpers[i][0], on_path(helpers[i][0]) ? "found (optional: to solve exported programs elsewhere)" : "not found (optional)");
    return code;
}
