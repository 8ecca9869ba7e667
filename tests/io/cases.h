/* SPDX-License-Identifier: Apache-2.0 */
/* What the io tests share: files in memory, and loading with them. */
#ifndef TESTS_IO_CASES_H
#define TESTS_IO_CASES_H

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mgchain/io.h"

struct file {
    const char *name;
    const void *bytes;
    size_t len; /* 0: a text */
};

struct disk {
    struct file file[4];
    int opened, closed;
};

static inline int32_t disk_open(void *user, const char *name, const uint8_t **bytes, size_t *len)
{
    struct disk *disk = user;

    for (size_t i = 0; i < 4 && disk->file[i].name != NULL; i++) {
        if (strcmp(disk->file[i].name, name) != 0) continue;
        *bytes = disk->file[i].bytes;
        *len = disk->file[i].len > 0 ? disk->file[i].len : strlen(disk->file[i].bytes);
        disk->opened++;
        return MGC_CB_DONE;
    }
    return MGC_E_NOT_FOUND;
}

static inline void disk_close(void *user, const uint8_t *bytes, size_t len)
{
    struct disk *disk = user;

    (void)bytes;
    (void)len;
    disk->closed++;
}

static inline mgc_status load_with(mgc_ctx *ctx, const char *text, struct disk *disk, mgc_case **kase)
{
    mgc_case_opts opts;

    mgc_case_opts_init(&opts, sizeof opts);
    opts.filename = "case.yaml";
    opts.open = disk_open;
    opts.close = disk_close;
    opts.user = disk;
    return mgc_case_load_text(ctx, text, strlen(text), &opts, kase);
}

static inline void print_issues(const mgc_case *kase)
{
    for (uint32_t i = 0; i < mgc_case_issues(kase); i++) printf("# %s\n", mgc_case_issue_text(kase, i));
}

/* "format" to "market", five lines; prices of line 5. */
#define HEAD                                                                                                         \
    "format: mgchain-case-1\nstart: 2019-07-16T00:00:00Z\nperiod_minutes: 60\nperiods: 3\n"                          \
    "market: {buy_price_per_kwh: 0.2, sell_price_per_kwh: 0.05, gas_price_per_kwh: 0.04}\n"
/* Lines 6 and 7: one microgrid "a"; its devices begin in line 8. */
#define SITE "microgrids:\n  - {id: a, devices: [\n"
#define LOAD "{type: load, id: l, demand_kw: 10}"
#define END "]}\n"

#endif
