/* SPDX-License-Identifier: Apache-2.0 */
/* check_storage files|sqlite: run the checks of storage_check.h in a folder of their own. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage_check.h"
#ifdef WITH_SQLITE
#include "sqlite_storage.h"
#endif

static char folder[] = "/tmp/mgc-storage-XXXXXX";

static mgc_ctx *ctx;

static mgc_status open_files(void *user, mgc_storage_ops *ops, void **store)
{
    (void)user;
    return mgc_storage_files(ctx, folder, 1, ops, store);
}

static void close_files(void *user, void *store)
{
    (void)user;
    mgc_storage_files_destroy(store);
}

#ifdef WITH_SQLITE
static mgc_status open_sqlite(void *user, mgc_storage_ops *ops, void **store)
{
    char path[128];

    (void)user;
    snprintf(path, sizeof path, "%s/ledger.db", folder);
    return sqlite_storage(path, ops, store);
}

static void close_sqlite(void *user, void *store)
{
    (void)user;
    sqlite_storage_destroy(store);
}
#endif

static void clean(void)
{
    struct dirent *entry;
    DIR *dir = opendir(folder);

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.') unlink(path);
    }
    if (dir != NULL) closedir(dir);
    rmdir(folder);
}

int main(int argc, char **argv)
{
    const char *which = argc > 1 ? argv[1] : "files";
    storage_maker maker = {.open = open_files, .close = close_files};
    int failed;

#ifdef WITH_SQLITE
    if (strcmp(which, "sqlite") == 0) maker = (storage_maker){.open = open_sqlite, .close = close_sqlite};
#endif
    if (mkdtemp(folder) == NULL || mgc_ctx_create(NULL, &ctx) != MGC_OK) return 2;
    failed = storage_check(which, &maker);
    mgc_ctx_destroy(ctx);
    clean();
    return failed > 0;
}
