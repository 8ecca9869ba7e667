/* SPDX-License-Identifier: Apache-2.0 */
/* Write a member of the family as MPS, or the linear terms that an alliance makes of it.
 *
 *     member PERIODS SCENARIOS [--seed N] [--relax] [--admm STEPS] > FILE
 *
 * --relax  integrality left out
 * --admm   quadratic terms and the first linear terms in the file (QPS); the linear terms of the STEPS further solves
 *          follow as lines "* COST step column value" after ENDATA, where programs stop reading; only columns that a
 *          step changes, numbered from 1 as their names are (C17) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "family.h"

static int32_t print(void *user, const char *text, size_t len)
{
    return fwrite(text, 1, len, user) == len ? MGC_CB_DONE : MGC_E_IO;
}

static mgc_status relax(mgc_program *p)
{
    mgc_status st = MGC_OK;

    for (uint32_t j = 0; j < mgc_program_columns(p) && st == MGC_OK; j++) st = mgc_program_set_integer(p, j, 0);
    return st;
}

static void print_costs(const family *f, uint32_t step)
{
    double cost;

    for (size_t i = 0; i < f->n_doors; i++)
        for (uint32_t k = 0; k < f->door[i].n_columns; k++)
            if (mgc_program_get_column(f->program, f->door[i].column[k], &cost, NULL, NULL, NULL) == MGC_OK)
                printf("* COST %u %u %.17g\n", step, f->door[i].column[k] + 1, cost);
}

static mgc_status print_admm(family *f, uint32_t steps)
{
    mgc_program_opts o;
    size_t n = mgc_program_columns(f->program);
    double *x = mgc_ctx_resize(f->ctx, NULL, n * sizeof *x);
    mgc_status st = x == NULL ? MGC_E_NO_MEMORY : MGC_OK;

    mgc_program_opts_init(&o, sizeof o);
    o.relax = 1;
    for (uint32_t i = 1; i <= steps && st == MGC_OK; i++) {
        st = mgc_program_solve(f->program, &o, NULL);
        if (st == MGC_OK) st = mgc_program_get_x(f->program, x, n);
        if (st == MGC_OK) st = family_admm_step(f, x, NULL);
        if (st == MGC_OK) print_costs(f, i);
    }
    mgc_ctx_release(f->ctx, x);
    return st;
}

int main(int argc, char **argv)
{
    uint32_t size[2] = {0, 0}, n = 0, steps = 0;
    uint64_t seed = 1;
    bool relaxed = false;
    mgc_ctx *ctx;
    family f = {.program = NULL};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--relax") == 0) relaxed = true;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--admm") == 0 && i + 1 < argc) steps = (uint32_t)atoi(argv[++i]);
        else if (n < 2) size[n++] = (uint32_t)atoi(argv[i]);
    }
    if (n != 2 || size[0] == 0 || size[1] == 0) {
        fprintf(stderr, "usage: member PERIODS SCENARIOS [--seed N] [--relax] [--admm STEPS]\n");
        return 2;
    }
    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 1;
    mgc_status st = family_create(ctx, size[0], size[1], seed, &f);
    if (st == MGC_OK && (relaxed || steps > 0)) st = relax(f.program);
    if (st == MGC_OK && steps > 0) st = family_admm_begin(&f);
    if (st == MGC_OK) st = mgc_program_write_mps(f.program, print, stdout);
    if (st == MGC_OK && steps > 0) st = print_admm(&f, steps);
    if (st != MGC_OK) fprintf(stderr, "member: %s: %s\n", mgc_status_name(st), mgc_ctx_error(ctx));
    if (st == MGC_OK) family_destroy(&f);
    mgc_ctx_destroy(ctx);
    return st == MGC_OK && fflush(stdout) == 0 ? 0 : 1;
}
