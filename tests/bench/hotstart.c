/* SPDX-License-Identifier: Apache-2.0 */
/* The simplex method hot started, as a yardstick for the re-solves: Clp's own C interface, the linear part only.
 *
 *     hotstart LP.mps TERMS.qps     both from `member`, TERMS with --admm
 *
 * One line of JSON: processor seconds of the first solve and the mean of the others, each from the last basis. */
#include <coin/Clp_C_Interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    char line[256];
    unsigned step, column, at = 0, steps = 0;
    double value, first, mean = 0;

    if (argc != 3) return 2;
    Clp_Simplex *model = Clp_newModel();
    Clp_setLogLevel(model, 0);
    if (Clp_readMps(model, argv[1], 1, 0) != 0) return 1;
    FILE *terms = fopen(argv[2], "r");
    if (terms == NULL) return 1;
    double begin = cpu();
    Clp_initialSolve(model);
    first = cpu() - begin;
    while (fgets(line, sizeof line, terms) != NULL) {
        if (sscanf(line, "* COST %u %u %lf", &step, &column, &value) != 3) continue;
        if (step != at && at != 0) {
            begin = cpu();
            Clp_primal(model, 0);
            mean += cpu() - begin;
            steps++;
        }
        at = step;
        if (column < 1 || column > (unsigned)Clp_numberColumns(model)) return 1;
        Clp_objective(model)[column - 1] = value;
    }
    if (at != 0) {
        begin = cpu();
        Clp_primal(model, 0);
        mean += cpu() - begin;
        steps++;
    }
    fclose(terms);
    printf("{\"first\": %.9g, \"mean\": %.9g, \"steps\": %u, \"status\": %d}\n", first, steps > 0 ? mean / steps : 0.0, steps,
           Clp_status(model));
    Clp_deleteModel(model);
    return 0;
}
