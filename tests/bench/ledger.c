/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of the ledger, one line of JSON each, beside those of the machine in the same run:
 *
 *   ledger verify N           signatures verified one after the other by libcrypto alone
 *   ledger sync FOLDER N      4 KiB appended and synced
 *   ledger signed N THREADS   signed transactions, one transfer each, into stored blocks of 512
 *   ledger transfers N        transfers without signatures, in blocks of 8192
 *   ledger grow FOLDER N      N transactions of one transfer: store, reopen, query, prove, open from a snapshot, verify
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ledger/chain.h"
#include "mgchain/verify.h"

enum { ACCOUNTS = 1000, BLOCK = 512, TRANSFERS = 8192, DAY_MS = 86400000 };

static mgc_ctx *ctx;
static mgc_key *member, *alice;
static uint8_t chain_id[32];

static void must(mgc_status status, const char *what)
{
    if (status == MGC_OK) return;
    fprintf(stderr, "ledger: %s: %s: %s\n", what, mgc_status_name(status), mgc_ctx_error(ctx));
    exit(1);
}

/* --- time ---------------------------------------------------------------------------------------- */

struct watch {
    double wall, cpu;
};

static struct watch now(void)
{
    struct timespec t;
    struct rusage r;

    clock_gettime(CLOCK_MONOTONIC, &t);
    getrusage(RUSAGE_SELF, &r);
    return (struct watch){(double)t.tv_sec + 1e-9 * (double)t.tv_nsec,
                          (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + 1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec)};
}

static struct watch since(struct watch from)
{
    struct watch to = now();
    return (struct watch){to.wall - from.wall, to.cpu - from.cpu};
}

static void tell(const char *what, uint64_t n, struct watch took, const char *more)
{
    printf("{\"what\": \"%s\", \"n\": %llu, \"wall_s\": %.4f, \"cpu_s\": %.4f, \"per_wall_s\": %.0f, \"per_cpu_s\": %.0f%s}\n", what,
           (unsigned long long)n, took.wall, took.cpu, (double)n / took.wall, (double)n / took.cpu, more);
    fflush(stdout);
}

/* --- a disk in memory ---------------------------------------------------------------------------- */

static struct {
    char name[MGC_STORAGE_NAME_MAX + 1];
    uint8_t *bytes;
    size_t size, cap;
} files[4096];
static size_t n_files;

static size_t file_of(const char *name)
{
    size_t i = n_files;

    while (i > 0 && strcmp(files[i - 1].name, name) != 0) i--;
    return i > 0 ? i - 1 : SIZE_MAX;
}

static int32_t ram_list(void *user, mgc_storage_visit visit, void *visit_user)
{
    int32_t answer = MGC_CB_DONE;

    (void)user;
    for (size_t i = 0; i < n_files && answer == MGC_CB_DONE; i++) answer = visit(visit_user, files[i].name, files[i].size);
    return answer;
}

static int32_t ram_read(void *user, const char *name, uint64_t offset, uint8_t *bytes, size_t len)
{
    size_t i = file_of(name);

    (void)user;
    if (i == SIZE_MAX || offset + len > files[i].size) return MGC_E_IO;
    if (len > 0) memcpy(bytes, files[i].bytes + offset, len);
    return MGC_CB_DONE;
}

static int32_t ram_append(void *user, const char *name, const uint8_t *bytes, size_t len)
{
    size_t i = file_of(name);

    (void)user;
    if (i == SIZE_MAX) {
        i = n_files++;
        snprintf(files[i].name, sizeof files[i].name, "%s", name);
    }
    if (files[i].size + len > files[i].cap) {
        /* touched beforehand: a page's first use is the system's cost, not the ledger's */
        files[i].cap = files[i].cap == 0 ? (size_t)1 << 26 : 2 * (files[i].size + len);
        files[i].bytes = realloc(files[i].bytes, files[i].cap);
        memset(files[i].bytes + files[i].size, 0, files[i].cap - files[i].size);
    }
    memcpy(files[i].bytes + files[i].size, bytes, len);
    files[i].size += len;
    return MGC_CB_DONE;
}

static int32_t ram_name(void *user, const char *name)
{
    (void)user;
    (void)name;
    return MGC_CB_DONE;
}

static int32_t ram_truncate(void *user, const char *name, uint64_t size)
{
    size_t i = file_of(name);

    (void)user;
    if (i != SIZE_MAX) files[i].size = (size_t)size;
    return MGC_CB_DONE;
}

static int32_t ram_rename(void *user, const char *from, const char *to)
{
    size_t i = file_of(from), old = file_of(to);

    (void)user;
    if (i == SIZE_MAX) return MGC_E_IO;
    if (old != SIZE_MAX) files[old].name[0] = '\0';
    snprintf(files[i].name, sizeof files[i].name, "%s", to);
    return MGC_CB_DONE;
}

static int32_t ram_sync_names(void *user)
{
    (void)user;
    return MGC_CB_DONE;
}

static const mgc_storage_ops ram = {.struct_size = sizeof ram, .version = 1, .list = ram_list, .read = ram_read,
                                    .append = ram_append, .sync = ram_name, .truncate = ram_truncate, .rename = ram_rename,
                                    .remove = ram_name, .sync_names = ram_sync_names};

/* --- a chain of transfers ------------------------------------------------------------------------ */

static void id_of(uint8_t id[16], uint64_t number)
{
    memset(id, 0, 16);
    mgc__put_be64(id + 8, number);
}

static mgc_status transfer(mgc__exec *x, uint64_t number)
{
    mgc_transfer_info t = {.unit = 1, .code = 1, .amount = 1 + number % 1000};

    id_of(t.id, (uint64_t)1 << 40 | number);
    id_of(t.debit_account, 1 + number * 7919 % ACCOUNTS);
    id_of(t.credit_account, 1 + (number * 7919 + 1 + number % (ACCOUNTS - 1)) % ACCOUNTS);
    return mgc__transfer_create(x, &t);
}

static mgc_status execute(void *user, mgc__exec *x, const mgc__tx *tx)
{
    mgc_account_info a = {.unit = 1, .code = 1};
    mgc_status status = MGC_OK;

    (void)user;
    if (tx->arguments_len == 8) return transfer(x, mgc__get_be64(tx->arguments));
    for (uint64_t i = 1; i <= ACCOUNTS && status == MGC_OK; i++) {
        id_of(a.id, i);
        status = mgc__account_create(x, &a, NULL);
    }
    return status;
}

static const mgc__executor code = {.execute = execute};

static mgc_ledger *open_ledger(const mgc_storage_ops *ops, void *user, mgc_chain **chain)
{
    mgc_member m = {.id = 1};
    mgc_genesis g = {.struct_size = sizeof g, .name = "bench", .time_ms = 1, .members = &m, .n_members = 1, .quorum = 1};
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_ledger_opts opts;
    mgc_ledger *ledger;

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = ops;
    opts.storage_user = user;
    must(mgc_ledger_open(ctx, &opts, &ledger), "opening");
    must(mgc_key_public(member, m.public_key), "a key");
    if (mgc_ledger_chain(ledger, "bench", chain) != MGC_OK) must(mgc_ledger_add_chain(ledger, &g, chain), "a chain");
    mgc__chain_set_executor(*chain, &code);
    must(mgc_chain_get_info(*chain, &info), "a chain");
    memcpy(chain_id, info.chain_id, 32);
    return ledger;
}

static size_t make_tx(uint64_t nonce, const uint8_t *arguments, size_t len, uint64_t until, uint8_t bytes[512])
{
    uint8_t body_bytes[256], sender[32];
    mgc_tx_body body = {.struct_size = sizeof body, .chain_id = chain_id, .sender = sender, .contract = 5, .method = "move",
                        .arguments = arguments, .arguments_len = len, .nonce = nonce, .valid_until = until};
    mgc_tx_signature s;
    size_t body_len, tx_len;

    must(mgc_key_public(alice, sender), "a key");
    must(mgc_tx_encode_body(&body, body_bytes, sizeof body_bytes, &body_len), "a body");
    must(mgc_tx_sign(body_bytes, body_len, alice, MGC_ROLE_USER, &s), "signing");
    must(mgc_tx_assemble(body_bytes, body_len, &s, 1, bytes, 512, &tx_len), "assembling");
    return tx_len;
}

static void found(mgc_chain *chain)
{
    uint8_t bytes[512];

    must(mgc_chain_begin(chain, 2), "a block");
    must(mgc_chain_add(chain, bytes, make_tx(1, NULL, 0, 10, bytes), NULL), "accounts");
    must(mgc_chain_commit(chain, member), "a block");
}

/* --- what is measured ---------------------------------------------------------------------------- */

static void verify_alone(uint64_t n)
{
    uint8_t message[200] = {1}, signature[64], public_key[32];
    struct watch start;

    must(mgc_key_public(alice, public_key), "a key");
    must(mgc_key_sign(alice, message, sizeof message, signature), "signing");
    start = now();
    for (uint64_t i = 0; i < n; i++) must(mgc_signature_verify(public_key, message, sizeof message, signature, 64), "verifying");
    tell("verify", n, since(start), "");
}

static void sync_alone(const char *folder, uint64_t n)
{
    static const uint8_t block[4096];
    char path[512];
    struct watch start;
    int fd;

    snprintf(path, sizeof path, "%s/sync-probe", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    start = now();
    for (uint64_t i = 0; i < n; i++)
        if (write(fd, block, sizeof block) != sizeof block || fdatasync(fd) != 0) exit(1);
    tell("append 4 KiB and fdatasync", n, since(start), "");
    close(fd);
    unlink(path);
}

static void signed_txs(uint64_t n, uint32_t threads)
{
    uint8_t(*txs)[512] = malloc(n * sizeof *txs);
    size_t *lens = malloc(n * sizeof *lens);
    const uint8_t **list = malloc(n * sizeof *list);
    mgc_chain *chain;
    mgc_ledger *ledger = open_ledger(&ram, NULL, &chain);
    struct watch start;
    char more[40];

    found(chain);
    for (uint64_t i = 0; i < n; i++) {
        uint8_t number[8];
        mgc__put_be64(number, i);
        lens[i] = make_tx(i + 2, number, sizeof number, 9000, txs[i]);
        list[i] = txs[i];
    }
    start = now();
    for (uint64_t i = 0; i < n; i += BLOCK) {
        size_t many = n - i < BLOCK ? (size_t)(n - i) : BLOCK;
        must(mgc_chain_begin(chain, chain->time_ms + 1), "a block");
        if (threads > 1) must(mgc_chain_verify_txs(chain, list + i, lens + i, many, threads, NULL), "verifying");
        for (size_t k = 0; k < many; k++) must(mgc_chain_add(chain, txs[i + k], lens[i + k], NULL), "a transaction");
        must(mgc_chain_commit(chain, member), "a block");
    }
    snprintf(more, sizeof more, ", \"threads\": %u", threads);
    tell("signed transactions", n, since(start), more);
    mgc_ledger_close(ledger);
    free(txs);
    free(lens);
    free(list);
}

static void transfers(uint64_t n)
{
    mgc_chain *chain;
    mgc_ledger *ledger = open_ledger(&ram, NULL, &chain);
    struct watch start, execution = {0, 0};

    found(chain);
    start = now();
    for (uint64_t i = 0; i < n; i += TRANSFERS) {
        struct watch part;
        must(mgc_chain_begin(chain, chain->time_ms + 1), "a block");
        part = now();
        for (uint64_t k = i; k < n && k < i + TRANSFERS; k++) must(transfer(&chain->exec, k), "a transfer");
        part = since(part);
        execution.wall += part.wall;
        execution.cpu += part.cpu;
        must(mgc_chain_commit(chain, member), "a block");
    }
    tell("transfers, blocks stored too", n, since(start), "");
    tell("transfers in the state machine", n, execution, "");
    mgc_ledger_close(ledger);
}

static long peak_kb(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return r.ru_maxrss;
}

static void finish_block(mgc_chain *chain)
{
    mgc_vote vote = {.member = 1};

    must(mgc_chain_seal(chain, 1), "a block");
    must(mgc_chain_vote(chain, chain->height, member, vote.signature), "a vote");
    must(mgc_chain_certify(chain, chain->height, &vote, 1), "a certificate");
}

/* The last full block's first transaction, proved once and verified again and again by who has seen nothing before. */
static void proofs(mgc_chain *chain)
{
    static uint8_t proof[1 << 16];
    mgc_verifier verifier;
    size_t len;

    must(mgc_chain_prove_transaction(chain, chain->height - 1, 0, proof, sizeof proof, &len), "a proof");
    struct watch start = now();
    for (uint32_t i = 0; i < 1000; i++) {
        must(mgc_verifier_init(&verifier, sizeof verifier, chain_id), "a verifier");
        must(mgc_verify_transaction(&verifier, proof, len, NULL), "verifying a proof");
    }
    tell("proofs verified, one vote each", 1000, since(start), "");
}

static void grow(const char *folder, uint64_t n)
{
    mgc_storage_ops ops;
    mgc_ledger *ledger;
    mgc_chain *chain;
    mgc_ledger_info info = {.struct_size = sizeof info};
    mgc_ledger_opts opts;
    struct watch start;
    uint8_t bytes[512], number[8], id[16];
    char more[120];
    void *user;

    must(mgc_storage_files(ctx, folder, 1, &ops, &user), "a folder");
    ledger = open_ledger(&ops, user, &chain);
    found(chain);
    for (uint64_t i = 0; i < n; i += BLOCK) {
        must(mgc_chain_begin(chain, chain->time_ms + 1), "a block");
        for (uint64_t k = i; k < n && k < i + BLOCK; k++) {
            mgc__tx tx;
            size_t len;
            mgc__put_be64(number, k);
            len = make_tx(k + 2, number, sizeof number, 9000, bytes);
            must(mgc__tx_decode(ctx, bytes, len, &tx), "a transaction");
            must(mgc__exec_add(chain, &tx, NULL), "a transaction"); /* without verifying what was just signed */
        }
        finish_block(chain);
    }
    must(mgc_chain_begin(chain, chain->time_ms / DAY_MS * DAY_MS + DAY_MS), "a block"); /* the day is closed: snapshots can be made */
    finish_block(chain);
    must(mgc_ledger_sync(ledger), "a sync");
    must(mgc_ledger_get_info(ledger, &info), "the ledger");
    mgc_ledger_close(ledger);

    start = now();
    ledger = open_ledger(&ops, user, &chain);
    snprintf(more, sizeof more, ", \"bytes\": %llu, \"peak_kb\": %ld", (unsigned long long)info.bytes, peak_kb());
    tell("open and replay", n, since(start), more);

    start = now();
    for (uint64_t i = 0; i < 100000; i++) {
        mgc_transfer_info t = {.struct_size = sizeof t};
        id_of(id, (uint64_t)1 << 40 | i * 7919 % n);
        must(mgc_chain_get_transfer(chain, id, &t), "a transfer");
    }
    tell("queries of a transfer", 100000, since(start), "");
    proofs(chain);
    must(mgc_ledger_snapshot(ledger), "a snapshot");
    mgc_ledger_close(ledger);
    start = now();
    ledger = open_ledger(&ops, user, &chain);
    tell("open from the snapshot", n, since(start), "");
    mgc_ledger_close(ledger);

    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &ops;
    opts.storage_user = user;
    start = now();
    must(mgc_ledger_verify(ctx, &opts, NULL), "verifying");
    tell("verify from end to end", n, since(start), "");
    mgc_storage_files_destroy(user);
}

int main(int argc, char **argv)
{
    static const uint8_t one[32] = {1}, two[32] = {2};
    const char *what = argc > 2 ? argv[1] : "";

    if (mgc_ctx_create(NULL, &ctx) != MGC_OK) return 1;
    must(mgc_key_from_seed(ctx, one, &member), "a key");
    must(mgc_key_from_seed(ctx, two, &alice), "a key");
    if (strcmp(what, "verify") == 0) verify_alone(strtoull(argv[2], NULL, 10));
    else if (strcmp(what, "sync") == 0 && argc > 3) sync_alone(argv[2], strtoull(argv[3], NULL, 10));
    else if (strcmp(what, "signed") == 0 && argc > 3) signed_txs(strtoull(argv[2], NULL, 10), (uint32_t)atoi(argv[3]));
    else if (strcmp(what, "transfers") == 0) transfers(strtoull(argv[2], NULL, 10));
    else if (strcmp(what, "grow") == 0 && argc > 3) grow(argv[2], strtoull(argv[3], NULL, 10));
    else return 2;
    return 0;
}
