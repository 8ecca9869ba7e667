/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim ledger: verify every byte, hash, signature, state and balance here; the other words in ledger_ask.c. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger.h"

static int32_t visit_journal(void *user, const char *name, uint64_t size)
{
    (void)size;
    if (strncmp(name, "journal-", 8) == 0) *(bool *)user = true;
    return MGC_CB_DONE;
}

static bool holds_ledger(const mgc_storage_ops *storage, void *user)
{
    bool found = false;

    return storage->list(user, visit_journal, &found) == MGC_CB_DONE && found;
}

bool ledger_is_here(sim *s, const mgc_storage_ops *storage, void *user, const char *folder)
{
    mgc_storage_ops inner;
    void *inner_user = NULL;
    char path[4096];
    bool below = false;

    if (holds_ledger(storage, user)) return true;
    if (snprintf(path, sizeof path, "%s/ledger", folder) < (int)sizeof path &&
        mgc_storage_files(s->ctx, path, 0, &inner, &inner_user) == MGC_OK)
        below = holds_ledger(&inner, inner_user);
    mgc_storage_files_destroy(inner_user);
    fprintf(stderr, "mgchain-sim: %s: there is no ledger here; ", folder);
    if (below) fprintf(stderr, "there is one in %s\n", path);
    else fputs("a run writes one into its folder: mgchain-sim run --out OUT, then OUT/ledger\n", stderr);
    return false;
}

static int verify(sim *s)
{
    mgc_storage_ops storage;
    void *user = NULL;
    mgc_ledger_opts opts;
    mgc_verify_info info = {.struct_size = sizeof info};
    mgc_status st;

    if (s->chain != NULL && access(s->words[1], F_OK) != 0) { /* evidence is a file */
        fprintf(stderr, "mgchain-sim: %s: there is no such file\n", s->words[1]);
        return EXIT_IO;
    }
    st = mgc_storage_files(s->ctx, s->words[1], 0, &storage, &user);
    if (st != MGC_OK) {
        failed(s, st, s->words[1]);
        return EXIT_IO;
    }
    if (!s->json && !ledger_is_here(s, &storage, user, s->words[1])) {
        mgc_storage_files_destroy(user);
        return EXIT_IO;
    }
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &storage;
    opts.storage_user = user;
    opts.read_only = 1;
    st = mgc_contract_verify(s->ctx, &opts, NULL, NULL, 0, &info);
    if (st == MGC_OK) st = mgc_node_verify_audits(s->ctx, &storage, user, NULL);
    mgc_storage_files_destroy(user);
    if (s->json)
        printf("{\"ok\": %s, \"status\": \"%s\", \"files\": %u, \"bytes\": %llu, \"blocks\": %llu, \"transactions\": %llu, \"signatures\": %llu, "
               "\"torn_bytes\": %llu}\n", st == MGC_OK ? "true" : "false", mgc_status_name(st), info.n_files, (unsigned long long)info.bytes,
               (unsigned long long)info.blocks, (unsigned long long)info.transactions, (unsigned long long)info.signatures,
               (unsigned long long)info.torn_bytes);
    if (st != MGC_OK) return ledger_failed(s, st, s->words[1]);
    if (s->json) return EXIT_DONE;
    printf("%s: sound\n%llu blocks, %llu transactions, %llu signatures, all executed again; %llu bytes in %u files\n", s->words[1],
           (unsigned long long)info.blocks, (unsigned long long)info.transactions, (unsigned long long)info.signatures,
           (unsigned long long)info.bytes, info.n_files);
    if (info.torn_bytes > 0)
        printf("%llu bytes at the end were cut short by a crash; they were never acknowledged and go when the ledger is opened\n",
               (unsigned long long)info.torn_bytes);
    return EXIT_DONE;
}

static bool is_file(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

int cmd_ledger(sim *s)
{
    static const char *const words[] = {"verify", "mend", "query", "export", "proof"};
    const char *word = s->words[0];

    if (strcmp(word, "verify") == 0) return is_file(s->words[1]) ? ledger_verify_proof(s) : verify(s);
    if (strcmp(word, "mend") == 0) return ledger_mend(s);
    if (strcmp(word, "query") == 0) return ledger_query(s);
    if (strcmp(word, "export") == 0) return ledger_export(s);
    if (strcmp(word, "proof") == 0) return ledger_proof(s);
    const char *nearest = mgc_word_nearest(word, words, sizeof words / sizeof words[0]);
    fprintf(stderr, "mgchain-sim: unknown: ledger %s; ledger knows verify, mend, query, export and proof", word);
    if (nearest != NULL) fprintf(stderr, "; did you mean '%s'?", nearest);
    fputc('\n', stderr);
    return EXIT_USAGE;
}
