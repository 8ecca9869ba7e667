/* SPDX-License-Identifier: Apache-2.0 */
/* Every scenario of a folder given as argument, and of MGC_TEST_PUBLISHED/scenarios, one test each; and that the executor
 * is strict.  Prints TAP. */
#include <dirent.h>
#include <stdio.h>

#include "cluster.h"

static uint32_t n_tests, n_failed;

static void report(const char *name, const char *fault)
{
    bool good = fault[0] == '\0';

    printf("%s %u - %s\n", good ? "ok" : "not ok", ++n_tests, name);
    if (!good) printf("# %s\n", fault);
    n_failed += !good;
}

static int is_scenario(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 4 && strcmp(entry->d_name + n - 4, ".scn") == 0;
}

static void run_folder(const char *folder)
{
    struct dirent **names = NULL;
    int n = scandir(folder, &names, is_scenario, alphasort);

    if (n <= 0) printf("# no scenarios in %s\n", folder);
    for (int i = 0; i < n; i++) {
        char path[1024], fault[2048];

        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        (void)run_scenario(path, fault, sizeof fault);
        report(names[i]->d_name, fault);
        free(names[i]);
    }
    free(names);
}

/* Each must be refused, in the line named. */
static const struct { const char *text; int line; } bad[] = {
    {"cluster 3\nstart\nfly 1\n", 3},
    {"cluster 3\nstart\nexpect 1 colour=red\n", 3},
    {"cluster 3\nstart\nexpect 1 role=L\n", 3},
    {"cluster 3\nstart\nexpect 4 role=F\n", 3},
    {"cluster 3\nstart\ntimeout 1\nsettle\nexpect 1 role=!L\n", 5},
    {"cluster 3\nstart\nrepeat 2\ntimeout 1\n", 3},
    {"cluster 3\nstart\nend\n", 3},
    {"cluster 3\nstart\ninject pigeon from=1 to=2 term=2\n", 3},
    {"cluster 3\nstart\ninject vote from=1 to=2 term=2 wings=2\n", 3},
    {"cluster 3\nstart\nflow 1 2 pigeon\n", 3},
    {"cluster 3\nstart\ntimeout one\n", 3},
    {"cluster 3\ntimeout 1\n", 2},
    {"start\n", 1},
    {"cluster 3\nstart\nexpectread 1 r served=1\n", 3},
    {"cluster 3\nstart\nexpectmsg 1 2 vote\n", 3},
    /* the invariants are looked at: a leader made out of forged votes in a term that has one */
    {"cluster 3\nstart\ntimeout 1\ntimeout 2\ninject voteresp from=3 to=1 term=2\ninject voteresp from=3 to=2 term=2\n", 6},
};

static void run_bad(void)
{
    for (size_t i = 0; i < MGC__COUNT(bad); i++) {
        char path[] = "bad_scenario_XXXXXX", fault[2048], expected[64], name[96];
        int fd = mkstemp(path);
        FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

        if (f == NULL) continue;
        fputs(bad[i].text, f);
        fclose(f);
        (void)run_scenario(path, fault, sizeof fault);
        remove(path);
        snprintf(expected, sizeof expected, "%s:%d:", path, bad[i].line);
        snprintf(name, sizeof name, "refuses a bad file, in line %d (%zu)", bad[i].line, i);
        report(name, strncmp(fault, expected, strlen(expected)) == 0 ? "" : fault[0] != '\0' ? fault : "it passes");
    }
}

int main(int argc, char **argv)
{
    const char *published = getenv("MGC_TEST_PUBLISHED");

    run_bad();
    for (int i = 1; i < argc; i++) run_folder(argv[i]);
    if (published != NULL) {
        char folder[1024];

        snprintf(folder, sizeof folder, "%s/scenarios", published);
        run_folder(folder);
    } else {
        printf("ok %u - published scenarios # SKIP MGC_TEST_PUBLISHED is not set\n", ++n_tests);
    }
    printf("1..%u\n", n_tests);
    return n_failed > 0;
}
