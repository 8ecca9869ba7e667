/* SPDX-License-Identifier: Apache-2.0 */
/* Clp as a yardstick for relaxations, through its own C interface: a millisecond is more than a process' start varies by.
 *
 *     clplp dual|presolve|barrier LP.mps CAP LEAST
 *
 * dual: the dual simplex method as it is; presolve: the same after Clp's presolve; barrier: without crossover.  The program is
 * read anew, which is not timed, and solved until LEAST seconds of processor time have gone; a solve ends at CAP seconds.
 * One line of JSON: the median, the objective (null where the last solve was not optimal), how many solves. */
#include <coin/Clp_C_Interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPEATS_MOST = 1000 };

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void solve(Clp_Simplex *model, const char *method)
{
    if (strcmp(method, "dual") == 0) Clp_dual(model, 0);
    else if (strcmp(method, "presolve") == 0) Clp_initialDualSolve(model);
    else Clp_initialBarrierNoCrossSolve(model);
}

int main(int argc, char **argv)
{
    static double took[REPEATS_MOST];
    double spent = 0.0, objective = 0.0;
    int n = 0, status = -1;

    if (argc != 5) return 2;
    do {
        Clp_Simplex *model = Clp_newModel();

        Clp_setLogLevel(model, 0);
        if (Clp_readMps(model, argv[2], 1, 0) != 0) return 1;
        Clp_setMaximumSeconds(model, atof(argv[3]));
        double begin = cpu();
        solve(model, argv[1]);
        took[n] = cpu() - begin;
        spent += took[n++];
        status = Clp_status(model);
        objective = Clp_objectiveValue(model);
        Clp_deleteModel(model);
    } while (status == 0 && spent < atof(argv[4]) && n < REPEATS_MOST);
    qsort(took, (size_t)n, sizeof *took, ascending);
    printf("{\"seconds\": %.9g, \"objective\": ", took[n / 2]);
    if (status == 0) printf("%.17g", objective);
    else printf("null");
    printf(", \"solves\": %d}\n", n);
    return 0;
}
