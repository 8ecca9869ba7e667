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
    {"cluster 3\nhard 1 term=99999999999999999999\n", 2},
    {"cluster 3\nhard 1 vote=4\n", 2},
    {"cluster 3\nlog 1 3:a 2:b\n", 2},
    {"cluster 3\nstart\ninject app from=1 to=2 term=18446744073709551615 prev=1.1 entries=-\n", 3},
    {"cluster 3 window=0\n", 1},
    {"cluster 3\r\nstart\r\n\r\n# line ends of another system\r\n\ttimeout 1 \t\r\nexpect 1 role=L", 6},
    /* bounded: loops count, also empty ones */
    {"cluster 3\nstart\nrepeat 10000\nrepeat 10000\nrepeat 10000\nend\nend\nend\n", 5},
    /* the invariants are looked at: a leader made out of forged votes in a term that has one */
    {"cluster 3\nstart\ntimeout 1\ntimeout 2\ninject voteresp from=3 to=1 term=2\ninject voteresp from=3 to=2 term=2\n", 6},
};

/* However it is written down: marks, tabs, comments, line ends of either kind, no end of the last line. */
static const char *const good[] = {
    "cluster 3\nstart\ntimeout 1\nsettle\nexpect 1 role=L",
    "\xef\xbb\xbf# a mark first\r\n\r\n\tcluster  3\tprevote  # and more\r\nstart\t\r\ntimeout 1\r\n  settle\r\nexpect 1\trole=L term=2 # good\r\n#",
    "cluster 3\nstart\nrepeat 0\nexpect 1 role=L\nend\nrepeat 2\nrepeat 2\ntimeout 1\nend\nend\nexpect 1 term=5\n",
    "cluster 3\nhard 1 term=4000000000000000000\nstart\ntimeout 1\nsettle\nexpect 1 term=4000000000000000001\n",
};

static void run_text(const char *text, char *path, char *fault, size_t cap)
{
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    snprintf(fault, cap, "no file could be made");
    if (f == NULL) return;
    fputs(text, f);
    fclose(f);
    (void)run_scenario(path, fault, cap);
    remove(path);
}

static void run_good(void)
{
    for (size_t i = 0; i < MGC__COUNT(good); i++) {
        char path[] = "good_scenario_XXXXXX", fault[2048], name[96];

        run_text(good[i], path, fault, sizeof fault);
        snprintf(name, sizeof name, "takes a file as it is written (%zu)", i);
        report(name, fault);
    }
}

static void run_bad(void)
{
    for (size_t i = 0; i < MGC__COUNT(bad); i++) {
        char path[] = "bad_scenario_XXXXXX", fault[2048], expected[64], name[96];

        run_text(bad[i].text, path, fault, sizeof fault);
        snprintf(expected, sizeof expected, "%s:%d:", path, bad[i].line);
        snprintf(name, sizeof name, "refuses a bad file, in line %d (%zu)", bad[i].line, i);
        report(name, strncmp(fault, expected, strlen(expected)) == 0 ? "" : fault[0] != '\0' ? fault : "it passes");
    }
}

int main(int argc, char **argv)
{
    const char *published = getenv("MGC_TEST_PUBLISHED");

    run_good();
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
