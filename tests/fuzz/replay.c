/* SPDX-License-Identifier: Apache-2.0 */
/* Every file of a folder through a fuzz target, and every beginning of it (not with --whole): what was once found stays
 * found, without libFuzzer. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES_MAX = 4096, BYTES_MAX = 1 << 20, PREFIXES_MAX = 600 };

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list(const char *folder, char **names)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    size_t n = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL && n < FILES_MAX)
        if (entry->d_name[0] != '.') names[n++] = strdup(entry->d_name);
    if (dir != NULL) closedir(dir);
    qsort(names, n, sizeof *names, by_name);
    return n;
}

static int run(const char *folder, const char *name, uint8_t *bytes, bool whole)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL) return 0;
    size_t n = fread(bytes, 1, BYTES_MAX, f);
    fclose(f);
    for (size_t k = 0; !whole && k <= n && n <= PREFIXES_MAX; k++) {
        uint8_t *part = malloc(k > 0 ? k : 1); /* of its very size: a byte read behind it is seen */
        if (part == NULL) return 0;
        memcpy(part, bytes, k);
        LLVMFuzzerTestOneInput(part, k);
        free(part);
    }
    LLVMFuzzerTestOneInput(bytes, n);
    return 1;
}

int main(int argc, char **argv)
{
    static char *names[FILES_MAX];
    uint8_t *bytes = malloc(BYTES_MAX);
    bool whole = argc == 3 && strcmp(argv[2], "--whole") == 0;
    size_t n = argc == 2 || whole ? list(argv[1], names) : 0;
    int failed = n == 0 || bytes == NULL;

    printf("1..%zu\n", n > 0 ? n : 1);
    if (n == 0) printf("not ok 1 - no corpus\n");
    for (size_t i = 0; i < n && bytes != NULL; i++) {
        int good = run(argv[1], names[i], bytes, whole);
        printf("%sok %zu - %s\n", good ? "" : "not ", i + 1, names[i]);
        failed |= !good;
        free(names[i]);
    }
    free(bytes);
    return failed;
}
