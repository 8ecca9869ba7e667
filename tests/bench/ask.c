/* SPDX-License-Identifier: Apache-2.0 */
/* What a question costs by the age of the ledger, one line of JSON each:
 *
 *   ask FOLDER N      N transactions, each of which makes one agreement and one event, then asked of a node
 *
 * The records are written as the trading contract writes them; agreements are not executed, so that a million are made in
 * a minute.  Every question asks for a page of ten; the first of its kind, which makes the index, is told apart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "contract/contract.h"
#include "ledger/chain.h"
#include "mgchain/node.h"

enum { BLOCK = 512, GRIDS = 100, RARE = 500, LIMIT = 10, TIMES = 300, ROLES = 1 << MGC_ROLE_MANAGER, SEES = 1 << MGC_ROLE_REGULATOR };

static mgc_ctx *ctx;
static mgc_key *validator, *sender[2]; /* the second one seldom sends */
static uint8_t chain_id[32];

static void must(mgc_status status, const char *what)
{
    if (status == MGC_OK) return;
    fprintf(stderr, "ask: %s: %s: %s\n", what, mgc_status_name(status), mgc_ctx_error(ctx));
    exit(1);
}

static double cpu_s(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + 1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

/* --- the store ----------------------------------------------------------------------------------- */

static mgc_status put(mgc__exec *x, uint32_t contract, mgc__key key, const int64_t *v, uint32_t n, const uint8_t *data, const char *name)
{
    uint8_t bytes[256];
    mgc__cbor_writer w;

    mgc__cbor_to_fixed(&w, bytes, sizeof bytes);
    mgc__cbor_put_array(&w, n + 2);
    for (uint32_t i = 0; i < n; i++) mgc__cbor_put_int(&w, v[i]);
    mgc__cbor_put_bytes(&w, data, data == NULL ? 0 : 32);
    mgc__cbor_put_text(&w, name, strlen(name));
    return mgc__record_put(x, contract, key.bytes, key.len, bytes, w.len);
}

/* Members 1, 2: managers of the microgrids; 3: a regulator. */
static mgc_status enrol(mgc__exec *x)
{
    mgc_status st = MGC_OK;
    uint8_t key[32];

    for (uint32_t m = 1; m <= 3 && st == MGC_OK; m++) {
        must(mgc_key_public(m == 3 ? validator : sender[m - 1], key), "a key");
        st = put(x, MGC_CONTRACT_INFORMATION, mgc__key_u32(mgc__key_of('M'), m), (int64_t[]){m, m == 3 ? SEES : ROLES}, 2, key, "member");
        if (st == MGC_OK)
            st = put(x, MGC_CONTRACT_INFORMATION, mgc__key_bytes(mgc__key_of('K'), key, 32), (int64_t[]){m, 0, 0}, 3, NULL, "");
    }
    for (uint32_t g = 1; g <= GRIDS && st == MGC_OK; g++) {
        char name[20];

        (void)snprintf(name, sizeof name, "grid-%u", g);
        st = put(x, MGC_CONTRACT_INFORMATION, mgc__key_u32(mgc__key_of('G'), g), (int64_t[]){1, g == GRIDS ? 2 : 1}, 2, NULL, name);
    }
    return st;
}

/* Ten agreements a slot among the microgrids but the last, which seldom trades. */
static mgc_status agree(mgc__exec *x, uint64_t n)
{
    bool rare = n % RARE == RARE / 2;
    int64_t seller = rare ? GRIDS : 1 + (int64_t)(n % (GRIDS - 1)), buyer = 1 + (int64_t)((n * 7 + 1) % (GRIDS - 1));
    int64_t v[TRADE_INTS] = {seller, buyer, 1, rare ? 2 : 1, 1000, 1000, 90000, 90000, 9000, (int64_t)n, 9000};
    mgc_status st = put(x, MGC_CONTRACT_TRADING, mgc__key_u64(mgc__key_u64(mgc__key_of('A'), 1000 + n / 10), n), v, TRADE_INTS, NULL, "");

    if (st == MGC_OK) st = put(x, MGC_CONTRACT_TRADING, mgc__key_of('Q'), (int64_t[]){(int64_t)n, 0, 0, 0}, 4, NULL, "");
    return st != MGC_OK ? st : mgc__exec_emit(x, MGC_CONTRACT_TRADING, rare ? "seldom" : "agreed", (const uint8_t *)"x", 1);
}

static mgc_status execute(void *user, mgc__exec *x, const mgc__tx *tx)
{
    (void)user;
    return tx->arguments_len == 8 ? agree(x, mgc__get_be64(tx->arguments)) : enrol(x);
}

static size_t make_tx(const mgc_key *key, uint64_t nonce, const uint8_t *arguments, size_t len, uint64_t until, uint8_t bytes[512])
{
    uint8_t body_bytes[256], public_key[32];
    mgc_tx_body body = {.struct_size = sizeof body, .chain_id = chain_id, .sender = public_key, .contract = len == 0 ? 1 : 2,
                        .method = "agree", .arguments = arguments, .arguments_len = len, .nonce = nonce, .valid_until = until};
    mgc_tx_signature s;
    size_t body_len, tx_len;

    must(mgc_key_public(key, public_key), "a key");
    must(mgc_tx_encode_body(&body, body_bytes, sizeof body_bytes, &body_len), "a body");
    must(mgc_tx_sign(body_bytes, body_len, key, MGC_ROLE_MANAGER, &s), "signing");
    must(mgc_tx_assemble(body_bytes, body_len, &s, 1, bytes, 512, &tx_len), "assembling");
    return tx_len;
}

static void add(mgc_chain *chain, const mgc_key *key, uint64_t nonce, const uint8_t *arguments, size_t len)
{
    uint8_t bytes[512];
    mgc__tx tx;

    must(mgc__tx_decode(ctx, bytes, make_tx(key, nonce, arguments, len, chain->height + 1000, bytes), &tx), "a transaction");
    must(mgc__exec_add(chain, &tx, NULL), "a transaction"); /* without verifying what was just signed */
}

static void end_block(mgc_chain *chain)
{
    mgc_vote vote = {.member = 1};

    must(mgc_chain_seal(chain, 1), "a block");
    must(mgc_chain_vote(chain, chain->height, validator, vote.signature), "a vote");
    must(mgc_chain_certify(chain, chain->height, &vote, 1), "a certificate");
}

static void make_store(const char *folder, uint64_t n)
{
    static const mgc__executor code = {.execute = execute};
    mgc_member m = {.id = 1};
    mgc_genesis g = {.struct_size = sizeof g, .name = "main", .time_ms = 1, .members = &m, .n_members = 1, .quorum = 1};
    mgc_chain_info info = {.struct_size = sizeof info};
    uint64_t nonces[2] = {0, 0};
    mgc_storage_ops ops;
    mgc_ledger_opts opts;
    mgc_ledger *ledger;
    mgc_chain *chain;
    uint8_t number[8];
    void *user;

    must(mgc_storage_files(ctx, folder, 1, &ops, &user), "a folder");
    mgc_ledger_opts_init(&opts, sizeof opts);
    opts.storage = &ops;
    opts.storage_user = user;
    must(mgc_ledger_open(ctx, &opts, &ledger), "opening");
    must(mgc_key_public(validator, m.public_key), "a key");
    must(mgc_ledger_add_chain(ledger, &g, &chain), "a chain");
    mgc__chain_set_executor(chain, &code);
    must(mgc_chain_get_info(chain, &info), "a chain");
    memcpy(chain_id, info.chain_id, 32);
    must(mgc_chain_begin(chain, 2), "a block");
    add(chain, sender[0], 1, NULL, 0);
    end_block(chain);
    for (uint64_t i = 0; i < n; i += BLOCK) {
        must(mgc_chain_begin(chain, chain->time_ms + 1), "a block");
        for (uint64_t k = i; k < n && k < i + BLOCK; k++) {
            size_t who = k % RARE == RARE / 2;

            mgc__put_be64(number, k);
            add(chain, sender[who], ++nonces[who], number, sizeof number);
        }
        end_block(chain);
    }
    must(mgc_ledger_sync(ledger), "a sync");
    mgc_ledger_close(ledger);
    mgc_storage_files_destroy(user);
}

/* --- questions ------------------------------------------------------------------------------------ */

static const struct {
    const char *what, *arguments; /* %llu: some number below N */
    uint32_t caller;
} questions[] = {
    {"blocks", "height=%llu", 3}, {"transactions", "member=2", 3}, {"transactions", "contract=information", 3},
    {"transactions", "contract=trading&status=MGC_E_EXISTS", 3}, {"events", "name=seldom", 3}, {"events", "contract=information", 3},
    {"events", "name=seldom", 2}, {"trades", "id=%llu", 3}, {"trades", "id=%llu", 2}, {"trades", "microgrid=grid-100", 3},
    {"trades", "", 2}, {"trades", "carrier=heat", 3}, {"trades", "slot=%llu", 3}, {"trades", "microgrid=grid-100&carrier=electricity", 3},
    {"history", "contract=2&key=51", 3}, {"accounts", "microgrid=grid-7", 3},
};

static void ask(mgc_node *node, size_t i, uint64_t number, char cursor[MGC_CURSOR_MAX + 1])
{
    char words[MGC_CURSOR_MAX + 100], arguments[MGC_CURSOR_MAX + 200];
    mgc_rows *rows;

    if (strchr(questions[i].arguments, '%') != NULL) {
        (void)snprintf(words, sizeof words, "%.*s%llu", (int)(strchr(questions[i].arguments, '%') - questions[i].arguments),
                       questions[i].arguments, (unsigned long long)(number + (strstr(questions[i].arguments, "slot=") != NULL ? 1000 : 0)));
    } else {
        (void)snprintf(words, sizeof words, "%s", questions[i].arguments);
    }
    (void)snprintf(arguments, sizeof arguments, "%s%slimit=%d%s%s", words, words[0] == '\0' ? "" : "&", LIMIT,
                   cursor[0] == '\0' ? "" : "&cursor=", cursor);
    must(mgc_node_query(node, questions[i].caller, questions[i].what, arguments, &rows), questions[i].what);
    (void)snprintf(cursor, MGC_CURSOR_MAX + 1, "%s", strchr(questions[i].arguments, '%') != NULL ? "" : mgc_rows_cursor(rows));
    mgc_rows_destroy(rows);
}

static void questions_of(const char *folder, uint64_t n)
{
    mgc_storage_ops ops;
    mgc_node_opts opts;
    mgc_node *node;
    void *user;

    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = 1;
    opts.read_only = 1;
    opts.chain = "main";
    must(mgc_node_create(ctx, &opts, &node), "a node");
    must(mgc_storage_files(ctx, folder, 0, &ops, &user), "a folder");
    must(mgc_node_set_storage(node, &ops, user), "a folder");
    must(mgc_node_start(node), "starting");
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        char cursor[MGC_CURSOR_MAX + 1] = "";
        double start = cpu_s(), first;

        ask(node, i, 1, cursor);
        first = cpu_s() - start;
        start = cpu_s();
        for (uint64_t k = 0; k < TIMES; k++) ask(node, i, 1 + k * 7919 % (n / BLOCK + 1), cursor);
        printf("{\"what\": \"%s?%s of %u\", \"first_ms\": %.3f, \"each_us\": %.2f}\n", questions[i].what, questions[i].arguments,
               questions[i].caller, 1e3 * first, 1e6 * (cpu_s() - start) / TIMES);
    }
    mgc_node_destroy(node);
    mgc_storage_files_destroy(user);
}

int main(int argc, char **argv)
{
    static const uint8_t seeds[3][32] = {{1}, {2}, {3}};

    if (argc != 3 || mgc_ctx_create(NULL, &ctx) != MGC_OK) return 2;
    must(mgc_key_from_seed(ctx, seeds[0], &validator), "a key");
    for (int i = 0; i < 2; i++) must(mgc_key_from_seed(ctx, seeds[1 + i], &sender[i]), "a key");
    make_store(argv[1], strtoull(argv[2], NULL, 10));
    questions_of(argv[1], strtoull(argv[2], NULL, 10));
    for (int i = 0; i < 2; i++) mgc_key_destroy(sender[i]);
    mgc_key_destroy(validator);
    mgc_ctx_destroy(ctx);
    return 0;
}
