/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim ledger mend: put damaged records back, out of another member's copy. */
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

/* Another member's copy, to read only. */
typedef struct donor {
    mgc_storage_ops storage;
    void *user;
    mgc_ledger *ledger; /* NULL: none is given */
    uint8_t *proof;
    size_t len;
} donor;

static mgc_status donor_open(sim *s, donor *from)
{
    mgc_ledger_opts opts;
    mgc_status st = mgc_storage_files(s->ctx, s->from, 0, &from->storage, &from->user);

    if (st != MGC_OK) return st;
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &from->storage;
    opts.storage_user = from->user;
    opts.read_only = 2; /* what it has damaged itself it does not give */
    return mgc_ledger_open(s->ctx, &opts, &from->ledger);
}

static void donor_close(donor *from)
{
    mgc_ledger_close(from->ledger);
    mgc_storage_files_destroy(from->user);
    free(from->proof);
}

/* The block that is wanted, into from->proof; MGC_E_NOT_FOUND where it is not there. */
static mgc_status fetch(donor *from, const mgc_damage *wanted)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_chain *chain = NULL;
    mgc_status st = MGC_E_NOT_FOUND;

    from->len = 0;
    for (uint32_t i = 0; from->ledger != NULL && mgc_ledger_chain_at(from->ledger, i, &chain) == MGC_OK; i++)
        if (mgc_chain_get_info(chain, &info) == MGC_OK && memcmp(info.chain_id, wanted->chain_id, 32) == 0) break;
    if (chain != NULL) st = mgc_chain_prove_stored(chain, wanted->height, NULL, 0, &from->len);
    if (st != MGC_E_TOO_LARGE) return st;
    free(from->proof);
    from->proof = malloc(from->len);
    if (from->proof == NULL) return MGC_E_NO_MEMORY;
    return mgc_chain_prove_stored(chain, wanted->height, from->proof, from->len, &from->len);
}

static int tell(sim *s, const mgc_damage *left, uint32_t mended)
{
    const char *folder = s->words[1];

    if (s->json)
        printf("{\"ok\": %s, \"mended\": %u, \"file\": \"%s\", \"offset\": %llu, \"height\": %llu}\n", left->kind == MGC_DAMAGE_NONE ? "true" : "false",
               mended, left->file, (unsigned long long)left->offset, (unsigned long long)left->height);
    else if (left->kind == MGC_DAMAGE_NONE && mended == 0) printf("%s: nothing is damaged\n", folder);
    else if (left->kind == MGC_DAMAGE_NONE) printf("%s: whole again; put in order: %u\n", folder, mended);
    if (left->kind != MGC_DAMAGE_WANTS) return left->kind == MGC_DAMAGE_NONE ? EXIT_DONE : EXIT_VERIFY;
    fprintf(stderr, "mgchain-sim: %s/%s: damaged at byte %llu, where block %llu of a chain belongs; %s\n", folder, left->file,
            (unsigned long long)left->offset, (unsigned long long)left->height,
            s->from == NULL ? "give --from, the ledger of another member" : "it is not in the ledger that --from names either");
    return EXIT_VERIFY;
}

int ledger_mend(sim *s)
{
    mgc_storage_ops storage;
    void *user = NULL;
    mgc_ledger_opts opts;
    mgc_damage left = {.struct_size = sizeof left};
    donor from = {.ledger = NULL};
    uint32_t mended = 0, idle = 0; /* idle: calls in vain, one after the other */
    mgc_status st = mgc_storage_files(s->ctx, s->words[1], 0, &storage, &user);

    if (st != MGC_OK) {
        failed(s, st, s->words[1]);
        return EXIT_IO;
    }
    if (!ledger_is_here(s, &storage, user, s->words[1])) {
        mgc_storage_files_destroy(user);
        return EXIT_IO;
    }
    if (s->from != NULL) st = donor_open(s, &from);
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &storage;
    opts.storage_user = user;
    int code = st == MGC_OK ? EXIT_DONE : ledger_failed(s, st, s->from);
    while (st == MGC_OK) {
        st = mgc_ledger_mend(s->ctx, &opts, from.proof, from.len, &left);
        mended += left.n_mended;
        idle = left.n_mended > 0 ? 0 : idle + 1;
        if (st != MGC_OK) code = ledger_failed(s, st, s->words[1]);
        if (st != MGC_OK || left.kind != MGC_DAMAGE_WANTS || idle > MGC_CHAINS_MAX + 1 || fetch(&from, &left) != MGC_OK) break;
    }
    donor_close(&from);
    mgc_storage_files_destroy(user);
    return st == MGC_OK ? tell(s, &left, mended) : code;
}
