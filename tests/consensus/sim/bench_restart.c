/* SPDX-License-Identifier: Apache-2.0 */
/* How long a restart takes: 10^6 entries of 256 bytes in the embedded files, opened again.  Prints JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "consensus/store.h"
#include "crypto/crypto.h"

static void entry_hash(const uint8_t prev[32], uint64_t index, uint64_t term, uint32_t type, const uint8_t *body, size_t len,
                       uint8_t hash[32])
{
    (void)index, (void)term, (void)type;
    mgc__hash_tagged2("bench", prev, 32, body, len, hash);
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static mgc_status fill(mgc__raftlog *log, uint64_t n)
{
    mgc__raftlog_hard hard = {.term = 1, .vote = 1, .incarnation = 1};
    mgc__raftlog_entry e = {.term = 1, .type = 2, .len = 256};
    uint8_t body[256];
    mgc_status st = mgc__raftlog_set_hard(log, &hard);

    e.body = body;
    for (uint64_t i = 1; i <= n && st == MGC_OK; i++) {
        for (size_t k = 0; k < sizeof body; k++) body[k] = (uint8_t)(i >> k % 8 ^ k);
        e.index = i;
        entry_hash(e.prev, i, 1, 2, body, sizeof body, e.hash);
        st = mgc__raftlog_append(log, &e);
        memcpy(e.prev, e.hash, 32);
        if (st == MGC_OK && i % 1000 == 0) st = mgc__raftlog_sync(log);
    }
    return st == MGC_OK ? mgc__raftlog_sync(log) : st;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/mgc-restart-XXXXXX", command[64];
    mgc__raftlog_opts opts = {.prefix = "", .segment_bytes = 1 << 26, .salt = 1, .member = 1, .lock = true, .bootstrap = true,
                              .hash = entry_hash};
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    mgc__raftlog *log = NULL;
    mgc__raftlog_info info = {0};
    mgc_ctx *ctx;
    double wall, cpu;
    mgc_status st;

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK || mkdtemp(folder) == NULL) return 1;
    st = mgc_storage_files(ctx, folder, 1, &opts.ops, &opts.user);
    if (st == MGC_OK) st = mgc__raftlog_open(ctx, &opts, &log);
    if (st == MGC_OK) st = fill(log, n);
    mgc__raftlog_close(log);
    wall = seconds(CLOCK_MONOTONIC);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (st == MGC_OK) st = mgc__raftlog_open(ctx, &opts, &log);
    if (st == MGC_OK) {
        mgc__raftlog_get_info(log, &info);
        printf("{\"entries\": %" PRIu64 ", \"wall_s\": %.3f, \"cpu_s\": %.3f, \"segments\": %" PRIu32 "}\n", info.last,
               seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, info.n_segments);
        mgc__raftlog_close(log);
    } else fprintf(stderr, "%s: %s\n", mgc_status_name(st), mgc_ctx_error(ctx));
    mgc_storage_files_destroy(opts.user);
    mgc_ctx_destroy(ctx);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return st != MGC_OK || info.last != n || system(command) != 0;
}
