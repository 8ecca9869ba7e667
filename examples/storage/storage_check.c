/* SPDX-License-Identifier: Apache-2.0 */
#include "storage_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL_MAX = 1 << 21 };

struct check {
    const char *name;
    const storage_maker *maker;
    mgc_storage_ops ops;
    void *store;
    int n, failed;
    uint64_t seed;
    uint8_t *model, *got;
    size_t size;
};

static void told(struct check *c, int good, const char *what)
{
    printf("%sok %d - %s: %s\n", good ? "" : "not ", ++c->n, c->name, what);
    c->failed += good ? 0 : 1;
}

static uint64_t below(struct check *c, uint64_t n)
{
    c->seed = c->seed * 6364136223846793005u + 1442695040888963407u; /* Knuth, MMIX */
    return (c->seed >> 33) % n;
}

static int done(int32_t answer)
{
    return answer == MGC_CB_DONE;
}

static int open_store(struct check *c)
{
    return c->maker->open(c->maker->user, &c->ops, &c->store) == MGC_OK;
}

static void close_store(struct check *c)
{
    c->maker->close(c->maker->user, c->store);
    c->store = NULL;
}

/* --- looking ------------------------------------------------------------------------------------- */

struct look {
    const char *name;
    uint64_t size;
    int seen, all, stop_after;
};

static int32_t visit(void *user, const char *name, uint64_t size)
{
    struct look *l = user;

    l->all++;
    if (strcmp(l->name, name) == 0) {
        l->seen++;
        l->size = size;
    }
    return l->stop_after > 0 && l->all >= l->stop_after ? MGC_E_STOPPED : MGC_CB_DONE;
}

/* Is the file listed once, with this size?  size UINT64_MAX: is it absent? */
static int listed(struct check *c, const char *name, uint64_t size)
{
    struct look l = {.name = name};

    if (!done(c->ops.list(c->store, visit, &l))) return 0;
    return size == UINT64_MAX ? l.seen == 0 : l.seen == 1 && l.size == size;
}

static int same_as_model(struct check *c, const char *name)
{
    return listed(c, name, c->size) && (c->size == 0 || (done(c->ops.read(c->store, name, 0, c->got, c->size)) &&
                                                         memcmp(c->got, c->model, c->size) == 0));
}

/* --- the checks ---------------------------------------------------------------------------------- */

static void appending(struct check *c)
{
    uint8_t byte = 7;
    int good = 1;

    told(c, listed(c, "a", UINT64_MAX), "a store begins empty");
    told(c, c->ops.read(c->store, "a", 0, &byte, 1) < 0, "a file that is not there cannot be read");
    told(c, done(c->ops.append(c->store, "a", (const uint8_t *)"hello", 5)) && listed(c, "a", 5), "appending creates a file");
    told(c, done(c->ops.append(c->store, "a", NULL, 0)) && listed(c, "a", 5), "appending nothing changes nothing");
    told(c, c->ops.read(c->store, "a", 1, c->got, 5) < 0 && c->ops.read(c->store, "a", 6, c->got, 1) < 0, "beyond the end is an error");
    told(c, done(c->ops.read(c->store, "a", 1, c->got, 3)) && memcmp(c->got, "ell", 3) == 0, "a part can be read");
    memcpy(c->model, "hello", 5);
    c->size = 5;
    for (int i = 0; i < 300 && good; i++) {
        size_t len = (size_t)below(c, i % 50 == 0 ? 200000 : 900);
        if (c->size + len > MODEL_MAX) break;
        for (size_t k = 0; k < len; k++) c->model[c->size + k] = (uint8_t)below(c, 256);
        good = done(c->ops.append(c->store, "a", c->model + c->size, len));
        c->size += len;
    }
    told(c, good && same_as_model(c, "a"), "many appends of many sizes");
    for (int i = 0; i < 300 && good; i++) {
        size_t from = (size_t)below(c, c->size), len = (size_t)below(c, c->size - from + 1) % 5000;
        good = done(c->ops.read(c->store, "a", from, c->got, len)) && memcmp(c->got, c->model + from, len) == 0;
    }
    told(c, good, "reads of any part");
}

static void cutting(struct check *c)
{
    int good = 1;

    for (int i = 0; i < 40 && good; i++) {
        c->size = c->size > 3000 ? c->size - (size_t)below(c, c->size / 20) : c->size;
        good = done(c->ops.truncate(c->store, "a", c->size)) && listed(c, "a", c->size);
        for (size_t k = 0; k < 100; k++) c->model[c->size + k] = (uint8_t)(i + (int)k);
        good = good && done(c->ops.append(c->store, "a", c->model + c->size, 100));
        c->size += 100;
    }
    told(c, good && same_as_model(c, "a"), "cutting and appending in turns");
    told(c, done(c->ops.truncate(c->store, "absent", 0)) && listed(c, "absent", UINT64_MAX), "an absent file is empty already");
    told(c, done(c->ops.append(c->store, "b", (const uint8_t *)"xyz", 3)) && done(c->ops.truncate(c->store, "b", 0)) &&
                listed(c, "b", 0), "cutting to nothing leaves the name");
}

static void naming(struct check *c)
{
    char longest[MGC_STORAGE_NAME_MAX + 1];
    struct look l = {.name = "", .stop_after = 1};

    for (size_t i = 0; i < MGC_STORAGE_NAME_MAX; i++) longest[i] = "abcxyz019.-"[i % 11];
    longest[MGC_STORAGE_NAME_MAX] = '\0';
    told(c, done(c->ops.append(c->store, longest, (const uint8_t *)"1", 1)) && listed(c, longest, 1), "the longest name");
    told(c, done(c->ops.rename(c->store, longest, "c")) && listed(c, longest, UINT64_MAX) && listed(c, "c", 1), "renaming");
    told(c, done(c->ops.append(c->store, "d", (const uint8_t *)"old", 3)) && done(c->ops.rename(c->store, "c", "d")) &&
                listed(c, "c", UINT64_MAX) && listed(c, "d", 1), "renaming replaces");
    told(c, c->ops.rename(c->store, "absent", "e") < 0, "what is not there cannot be renamed");
    told(c, done(c->ops.append(c->store, "d", (const uint8_t *)"2", 1)) && done(c->ops.read(c->store, "d", 0, c->got, 2)) &&
                memcmp(c->got, "12", 2) == 0, "a renamed file grows under its new name");
    told(c, done(c->ops.remove(c->store, "d")) && listed(c, "d", UINT64_MAX) && c->ops.read(c->store, "d", 0, c->got, 1) < 0,
         "removing");
    told(c, c->ops.list(c->store, visit, &l) == MGC_E_STOPPED && l.all == 1, "a visit's answer ends the list and is its own");
}

static void overwriting(struct check *c)
{
    const size_t size = 150000;
    int good;

    if (c->ops.reserve == NULL || c->ops.write == NULL) {
        told(c, 1, "reserving and overwriting # SKIP it has neither: a ledger needs them not, the consensus log does");
        return;
    }
    good = done(c->ops.append(c->store, "w", (const uint8_t *)"before", 6)) && done(c->ops.reserve(c->store, "w", size)) &&
           listed(c, "w", size) && done(c->ops.read(c->store, "w", 0, c->got, size));
    for (size_t i = 0; i < size && good; i++) good = c->got[i] == 0;
    told(c, good, "a reserved file is zeros, and replaces");
    memset(c->model, 0, size);
    c->size = size;
    for (int i = 0; i < 60 && good; i++) {
        size_t from = (size_t)below(c, size), len = (size_t)below(c, i % 8 == 0 ? size : 700);
        if (len > size - from) len = size - from;
        for (size_t k = 0; k < len; k++) c->model[from + k] = (uint8_t)below(c, 256);
        good = done(c->ops.write(c->store, "w", from, c->model + from, len));
    }
    told(c, good && same_as_model(c, "w"), "overwriting any part");
    if (c->ops.begin_write == NULL) return;
    good = good && done(c->ops.append(c->store, "v", (const uint8_t *)"other", 5)) && done(c->ops.sync(c->store, "w"));
    for (int i = 0; i < 60 && good; i++) {
        size_t from = (size_t)below(c, size / 512) * 512, len = (size_t)below(c, 20) * 512;
        if (i % 4 == 0) len = (size_t)below(c, 700);
        if (len > size - from) len = size - from;
        for (size_t k = 0; k < len; k++) c->model[from + k] = (uint8_t)below(c, 256);
        good = done(c->ops.begin_write(c->store, "w", from, c->model + from, len));
        if (i % 3 == 0) good = good && done(c->ops.append(c->store, "v", (const uint8_t *)"more", 4)) && done(c->ops.sync(c->store, "v"));
        good = good && done(c->ops.sync(c->store, "w"));
    }
    told(c, good && same_as_model(c, "w"), "writes that are begun, and awaited by a sync");
}

static void staying(struct check *c)
{
    mgc_storage_ops other;
    void *second;
    int good;

    c->size = 1000;
    memset(c->model, 0x5a, c->size);
    good = done(c->ops.append(c->store, "s", c->model, c->size)) && done(c->ops.sync(c->store, "s")) &&
           done(c->ops.sync_names(c->store));
    close_store(c);
    told(c, good && open_store(c) && same_as_model(c, "s"), "what was synced is there after closing and opening");
    told(c, c->ops.sync(c->store, "absent") < 0, "what is not there cannot be synced");
    if (c->ops.lock == NULL) return;
    good = c->maker->open(c->maker->user, &other, &second) == MGC_OK;
    told(c, good && done(c->ops.lock(c->store)) && other.lock(second) == MGC_E_LOCKED, "a lock holds against a second handle");
    told(c, good && done(c->ops.unlock(c->store)) && done(other.lock(second)), "and not after it was given back");
    if (good) c->maker->close(c->maker->user, second);
    told(c, done(c->ops.lock(c->store)) && done(c->ops.unlock(c->store)), "closing gives it back too");
    (void)c->ops.remove(c->store, "s");
    (void)c->ops.sync_names(c->store);
}

/* Chains in several files, written by one ledger and read by the next. */
static void living(struct check *c)
{
    static const uint8_t seed[32] = {5};
    char name[] = "chain-a";
    mgc_member member = {.id = 1};
    mgc_genesis g = {.struct_size = sizeof g, .name = name, .time_ms = 1, .members = &member, .n_members = 1, .quorum = 1};
    mgc_ledger_info info = {.struct_size = sizeof info};
    mgc_ledger *ledger = NULL;
    mgc_ledger_opts opts;
    mgc_chain *chain;
    mgc_key *key = NULL;
    mgc_ctx *ctx;
    int good = mgc_ctx_create(NULL, &ctx) == MGC_OK && mgc_key_from_seed(ctx, seed, &key) == MGC_OK &&
               mgc_key_public(key, member.public_key) == MGC_OK;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &c->ops;
    opts.storage_user = c->store;
    opts.segment_bytes = 4096;
    for (int round = 0; round < 4 && good; round++) {
        good = mgc_ledger_open(ctx, &opts, &ledger) == MGC_OK;
        for (int i = 0; i < 4 && good; i++, name[6]++)
            good = mgc_ledger_add_chain(ledger, &g, &chain) == MGC_OK && mgc_ledger_sync(ledger) == MGC_OK;
        good = good && mgc_ledger_get_info(ledger, &info) == MGC_OK && (int)info.n_chains == 4 * (round + 1);
        mgc_ledger_close(ledger);
        close_store(c);
        good = good && open_store(c);
        opts.storage_user = c->store;
    }
    if (!good) printf("# %s\n", mgc_ctx_error(ctx));
    told(c, good, "a ledger lives on it");
    told(c, good && mgc_ledger_verify(ctx, &opts, NULL) == MGC_OK, "and verifies");
    mgc_key_destroy(key);
    mgc_ctx_destroy(ctx);
}

int storage_check(const char *name, const storage_maker *maker)
{
    struct check c = {.name = name, .maker = maker, .seed = 1, .model = malloc(MODEL_MAX + 4096), .got = malloc(MODEL_MAX + 4096)};

    if (c.model != NULL && c.got != NULL && open_store(&c)) {
        appending(&c);
        cutting(&c);
        naming(&c);
        overwriting(&c);
        staying(&c);
        living(&c);
        close_store(&c);
    } else {
        told(&c, 0, "opening");
    }
    free(c.model);
    free(c.got);
    printf("1..%d\n", c.n);
    return c.failed;
}
