/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim ledger verify DIR: every byte, hash, signature, state and balance. */
#include <string.h>

#include "sim.h"

int cmd_ledger(sim *s)
{
    mgc_storage_ops storage;
    void *user = NULL;
    mgc_ledger_opts opts;
    mgc_verify_info info = {.struct_size = sizeof info};
    mgc_status st;

    if (strcmp(s->words[0], "verify") != 0) {
        fprintf(stderr, "mgchain-sim: unknown: ledger %s; this version knows: ledger verify DIR\n", s->words[0]);
        return EXIT_USAGE;
    }
    st = mgc_storage_files(s->ctx, s->words[1], 0, &storage, &user);
    if (st != MGC_OK) {
        failed(s, st, s->words[1]);
        return EXIT_IO;
    }
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &storage;
    opts.storage_user = user;
    opts.read_only = 1;
    st = mgc_contract_verify(s->ctx, &opts, NULL, NULL, 0, &info);
    mgc_storage_files_destroy(user);
    if (s->json)
        printf("{\"ok\": %s, \"status\": \"%s\", \"files\": %u, \"bytes\": %llu, \"blocks\": %llu, \"transactions\": %llu, \"signatures\": %llu, "
               "\"torn_bytes\": %llu}\n", st == MGC_OK ? "true" : "false", mgc_status_name(st), info.n_files, (unsigned long long)info.bytes,
               (unsigned long long)info.blocks, (unsigned long long)info.transactions, (unsigned long long)info.signatures,
               (unsigned long long)info.torn_bytes);
    if (st != MGC_OK) {
        failed(s, st, s->words[1]);
        return st == MGC_E_NO_MEMORY ? EXIT_INTERNAL : st == MGC_E_IO || st == MGC_E_NOT_FOUND ? EXIT_IO : EXIT_VERIFY;
    }
    if (s->json) return EXIT_DONE;
    printf("%s: sound\n%llu blocks, %llu transactions, %llu signatures, all executed again; %llu bytes in %u files\n", s->words[1],
           (unsigned long long)info.blocks, (unsigned long long)info.transactions, (unsigned long long)info.signatures,
           (unsigned long long)info.bytes, info.n_files);
    if (info.torn_bytes > 0)
        printf("%llu bytes at the end were cut short by a crash; they were never acknowledged and go when the ledger is opened\n",
               (unsigned long long)info.torn_bytes);
    return EXIT_DONE;
}
