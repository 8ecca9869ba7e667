/* SPDX-License-Identifier: Apache-2.0 */
/* raft_scenario FILE.scn...: 0 when every file passes; else the first line that fails is named, and 1. */
#include <stdio.h>

#include "cluster.h"

int main(int argc, char **argv)
{
    char fault[2048];

    if (argc < 2) {
        fputs("usage: raft_scenario FILE.scn...\n", stderr);
        return 2;
    }
    for (int i = 1; i < argc; i++)
        if (run_scenario(argv[i], fault, sizeof fault) != 0) {
            fprintf(stderr, "%s\n", fault);
            return 1;
        }
    return 0;
}
