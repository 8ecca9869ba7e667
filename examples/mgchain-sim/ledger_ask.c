/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-sim ledger query, export and proof: what a ledger answers to a member, all of it as tables, and evidence that
 * holds without the ledger. */
#include "ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- opening ---------------------------------------------------------------------------------------- */

static mgc_status start(reader *r, const char *chain, uint32_t read_only)
{
    mgc_node_opts opts;

    mgc_node_opts_init(&opts, sizeof opts);
    opts.chain = chain;
    opts.read_only = read_only;
    mgc_status st = mgc_node_create(r->s->ctx, &opts, &r->node);
    if (st == MGC_OK) st = mgc_node_set_storage(r->node, &r->storage, r->storage_user);
    if (st == MGC_OK) st = mgc_node_start(r->node);
    if (st != MGC_OK) {
        mgc_node_destroy(r->node);
        r->node = NULL;
    }
    return st;
}

int ledger_failed(sim *s, mgc_status st, const char *folder)
{
    if (st == MGC_E_NOT_FOUND)
        fprintf(stderr, "mgchain-sim: %s: there is no ledger here (%s)\n", folder, mgc_ctx_error(s->ctx));
    else failed(s, st, folder);
    return st == MGC_E_NO_MEMORY ? EXIT_INTERNAL : st == MGC_E_IO || st == MGC_E_NOT_FOUND ? EXIT_IO : EXIT_VERIFY;
}

int reader_open(reader *r, sim *s, const char *folder)
{
    *r = (reader){.s = s};
    mgc_status st = mgc_storage_files(s->ctx, folder, 0, &r->storage, &r->storage_user);
    if (st != MGC_OK) {
        failed(s, st, folder);
        return EXIT_IO;
    }
    if (!ledger_is_here(s, &r->storage, r->storage_user, folder)) return reader_close(r, EXIT_IO);
    for (uint32_t read_only = 1; read_only <= 2; read_only++) { /* whole; else as far as it is whole */
        st = start(r, NULL, read_only);
        if (st == MGC_E_NOT_FOUND) st = start(r, "main", read_only); /* a market on one chain */
        if (st != MGC_E_CORRUPT) break;
        if (read_only == 1) failed(s, st, folder);
        r->damaged = true;
    }
    if (st == MGC_OK && r->damaged) fputs("mgchain-sim: what is told stood before the damage\n", stderr);
    if (st == MGC_OK) return EXIT_DONE;
    int code = ledger_failed(s, st, folder);
    reader_close(r, code);
    return code;
}

int reader_close(reader *r, int code)
{
    mgc_node_destroy(r->node);
    mgc_storage_files_destroy(r->storage_user);
    return code == EXIT_DONE && r->damaged ? EXIT_VERIFY : code;
}

/* Who asks: --as by number or name; nobody: the public. */
static int caller_of(reader *r, uint32_t *caller)
{
    mgc_rows *rows = NULL;
    const mgc_row *row;
    char *end;

    *caller = 0;
    if (r->s->as == NULL) return EXIT_DONE;
    unsigned long number = strtoul(r->s->as, &end, 10);
    if (mgc_node_query(r->node, 0, "members", NULL, &rows) != MGC_OK) return failed(r->s, MGC_E_INTERNAL, "members");
    while (*caller == 0 && mgc_rows_next(rows, &row) == MGC_ROW)
        if (*end == '\0' ? mgc_row_int(row, "id") == (int64_t)number : strcmp(mgc_row_text(row, "name"), r->s->as) == 0)
            *caller = (uint32_t)mgc_row_int(row, "id");
    mgc_rows_destroy(rows);
    if (*caller != 0) return EXIT_DONE;
    fprintf(stderr, "mgchain-sim: --as %s: no member of this number or name; see: mgchain-sim ledger query DIR members\n", r->s->as);
    return EXIT_USAGE;
}

/* --- tables ------------------------------------------------------------------------------------------ */

/* A cell of CSV: quoted where it must be (RFC 4180). */
static void put_csv(FILE *to, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text != '\0'; text++) {
        if (*text == '"') fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

static void print_csv(FILE *to, mgc_rows *rows)
{
    const mgc_row *row;

    for (uint32_t c = 0; mgc_rows_column(rows, c) != NULL; c++) fprintf(to, "%s%s", c > 0 ? "," : "", mgc_rows_column(rows, c));
    fputc('\n', to);
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        for (uint32_t c = 0; mgc_rows_column(rows, c) != NULL; c++) {
            if (c > 0) fputc(',', to);
            put_csv(to, mgc_row_text(row, mgc_rows_column(rows, c)));
        }
        fputc('\n', to);
    }
}

static mgc_status print_json(sim *s, const char *what, mgc_rows *rows)
{
    mgc_json *json = NULL;
    const mgc_row *row;
    const char *text;
    size_t len;

    mgc_status st = mgc_json_create(s->ctx, &json);
    if (st != MGC_OK) return st;
    mgc_json_object(json, NULL);
    mgc_json_string(json, "format", "mgchain-answer-1");
    mgc_json_string(json, "query", what);
    mgc_json_array(json, "rows");
    while (mgc_rows_next(rows, &row) == MGC_ROW) {
        mgc_json_object(json, NULL);
        for (uint32_t c = 0; mgc_rows_column(rows, c) != NULL; c++)
            mgc_json_string(json, mgc_rows_column(rows, c), mgc_row_text(row, mgc_rows_column(rows, c)));
        mgc_json_end(json);
    }
    mgc_json_end(json);
    mgc_json_string(json, "cursor", mgc_rows_cursor(rows));
    mgc_json_end(json);
    st = mgc_json_text(json, &text, &len);
    if (st == MGC_OK) printf("%s\n", text);
    mgc_json_destroy(json);
    return st;
}

/* What can be asked, as an error tells it. */
static const char *const tables_of[] = {"blocks", "transactions", "events", "contracts", "accounts", "parameters", "members", "microgrids",
                                        "links", "meters", "commitments", "nominations", "trades", "payments", "schedule", "terms",
                                        "flows", "readings", "settlement", "tariffs", "totals", "auctions", "bids", "certificates",
                                        "surrendered", "acts", "rules", "frozen", "audits", "credit", "validators", "epochs", "reads",
                                        /* of one account, of one record: not exported */
                                        "transfers", "history"};
enum { TABLES_OF = sizeof tables_of / sizeof tables_of[0], TABLES_WHOLE = TABLES_OF - 2 };

static int refused(sim *s, mgc_status st, const char *what)
{
    failed(s, st, what);
    if (st != MGC_E_NOT_FOUND) return st == MGC_E_INVALID_ARG || st == MGC_E_RANGE || st == MGC_E_CURSOR ? EXIT_USAGE : exit_of_status(st);
    const char *nearest = mgc_word_nearest(what, tables_of, TABLES_OF);
    if (nearest != NULL) {
        fprintf(stderr, "mgchain-sim: did you mean '%s'?\n", nearest);
        return EXIT_USAGE;
    }
    fputs("mgchain-sim: there are:", stderr);
    for (size_t i = 0; i < TABLES_OF; i++) fprintf(stderr, "%s%s", i % 12 == 0 ? "\n  " : " ", tables_of[i]);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

/* The words KEY=VALUE from the given one on, and --limit and --cursor, as one question. */
static bool question_of(const sim *s, size_t from, char *text, size_t size)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = from; i < s->n_words && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s", len > 0 ? "&" : "", s->words[i]);
    if (s->limit > 0 && len < size) len += (size_t)snprintf(text + len, size - len, "%slimit=%llu", len > 0 ? "&" : "", (unsigned long long)s->limit);
    if (s->cursor != NULL && len < size) len += (size_t)snprintf(text + len, size - len, "%scursor=%s", len > 0 ? "&" : "", s->cursor);
    return len < size;
}

int ledger_query(sim *s)
{
    char question[2048];
    reader r;
    mgc_rows *rows = NULL;
    uint32_t caller;

    if (s->n_words < 3) {
        fputs("mgchain-sim: ask for something: ledger query DIR WHAT [KEY=VALUE ...]; WHAT is one of\n ", stderr);
        for (size_t i = 0; i < TABLES_OF; i++) fprintf(stderr, " %s", tables_of[i]);
        fputs("\nas seen by --as MEMBER, by number or name; without it by the public.  Conditions and columns: mgchain/node.h\n", stderr);
        return EXIT_USAGE;
    }
    if (!question_of(s, 3, question, sizeof question)) {
        fputs("mgchain-sim: the question is too long\n", stderr);
        return EXIT_USAGE;
    }
    int code = reader_open(&r, s, s->words[1]);
    if (code != EXIT_DONE) return code;
    code = caller_of(&r, &caller);
    if (code == EXIT_DONE) {
        mgc_status st = mgc_node_query(r.node, caller, s->words[2], question, &rows);
        if (st == MGC_OK && s->json) st = print_json(s, s->words[2], rows);
        else if (st == MGC_OK) print_csv(stdout, rows);
        fflush(stdout); /* what is said about the rows comes after them, wherever both go */
        if (st != MGC_OK) code = refused(s, st, s->words[2]);
        else if (mgc_rows_count(rows) == 0 && caller == 0)
            fputs("no rows that the public may see; --as MEMBER asks as a member, by number or name: mgchain-sim ledger query DIR members\n", stderr);
        else if (mgc_rows_count(rows) == 0) /* withheld or not there: that is one answer */
            fputs("no rows\n", stderr);
        else if (!s->json && mgc_rows_cursor(rows)[0] != '\0') fprintf(stderr, "there is more: --cursor %s\n", mgc_rows_cursor(rows));
    }
    mgc_rows_destroy(rows);
    return reader_close(&r, code);
}

/* --- export ------------------------------------------------------------------------------------------ */

static int export_table(reader *r, uint32_t caller, const char *what)
{
    char path[1200];
    mgc_rows *rows = NULL;

    mgc_status st = mgc_node_query(r->node, caller, what, NULL, &rows);
    if (st != MGC_OK) return refused(r->s, st, what);
    snprintf(path, sizeof path, "%s/%s.csv", r->s->out, what);
    FILE *to = fopen(path, "wb");
    if (to != NULL) print_csv(to, rows);
    bool bad = to == NULL || ferror(to) != 0;
    if (to != NULL && fclose(to) != 0) bad = true;
    if (bad) fprintf(stderr, "mgchain-sim: %s: the file could not be written\n", path);
    else printf("%s  %zu rows\n", path, mgc_rows_count(rows));
    mgc_rows_destroy(rows);
    return bad ? EXIT_IO : EXIT_DONE;
}

int ledger_export(sim *s)
{
    reader r;
    uint32_t caller;

    int code = reader_open(&r, s, s->words[1]);
    if (code != EXIT_DONE) return code;
    code = caller_of(&r, &caller);
    if (code == EXIT_DONE && make_folder(s->out) != 0) {
        fprintf(stderr, "mgchain-sim: %s: %s\n", s->out, strerror(errno));
        code = EXIT_IO;
    }
    for (size_t i = 0; i < TABLES_WHOLE && code == EXIT_DONE; i++) code = export_table(&r, caller, tables_of[i]);
    return reader_close(&r, code);
}

/* --- proofs ------------------------------------------------------------------------------------------ */

enum { PROOF_MAX = (1 << 24) + (1 << 20) };

static bool from_hex(const char *text, uint8_t *bytes, size_t len)
{
    if (strlen(text) != 2 * len) return false;
    for (size_t i = 0; i < len; i++) {
        unsigned value;
        if (strspn(text + 2 * i, "0123456789abcdef") < 2 || sscanf(text + 2 * i, "%2x", &value) != 1) return false;
        bytes[i] = (uint8_t)value;
    }
    return true;
}

/* Value of KEY=VALUE among the words; NULL: it is not there. */
static const char *word_of(const sim *s, const char *key)
{
    for (size_t i = 3; i < s->n_words; i++)
        if (strncmp(s->words[i], key, strlen(key)) == 0 && s->words[i][strlen(key)] == '=') return s->words[i] + strlen(key) + 1;
    return NULL;
}

static mgc_chain *chain_named(reader *r, const char *name)
{
    for (uint32_t contract = MGC_CONTRACT_INFORMATION; contract <= MGC_CONTRACT_SCHEDULING; contract++) {
        mgc_chain_info info = {.struct_size = sizeof info};
        mgc_chain *chain = mgc_node_chain(r->node, contract);
        if (mgc_chain_get_info(chain, &info) == MGC_OK && strcmp(info.name, name) == 0) return chain;
    }
    return NULL;
}

static int proof_usage(void)
{
    fputs("mgchain-sim: what is to be proved:\n"
          "  ledger proof DIR transaction tx_id=ID           a transaction stands in a final block\n"
          "  ledger proof DIR receipt tx_id=ID               and what came of it\n"
          "  ledger proof DIR block chain=NAME height=N      a block is final\n"
          "  ledger proof DIR account id=ID                  an account at the last day's close\n"
          "--out FILE keeps the proof; mgchain-sim ledger verify FILE --chain CHAIN_ID checks it anywhere\n", stderr);
    return EXIT_USAGE;
}

/* The first of the words that cannot be what it is for, with its cure; nothing where all are good. */
static void tell_bad_word(reader *r)
{
    const char *id = word_of(r->s, "tx_id"), *name = word_of(r->s, "chain"), *account = word_of(r->s, "id");
    uint8_t bytes[32];

    if (id != NULL && !from_hex(id, bytes, 32))
        fprintf(stderr, "mgchain-sim: tx_id=%s: a transaction's id has 64 hexadecimal digits; find it by: ledger query DIR transactions\n", id);
    else if (account != NULL && !from_hex(account, bytes, 16))
        fprintf(stderr, "mgchain-sim: id=%s: an account's id has 32 hexadecimal digits; find it by: ledger query DIR accounts --as MEMBER\n", account);
    else if (name != NULL && chain_named(r, name) == NULL)
        fprintf(stderr, "mgchain-sim: chain=%s: there is no such chain; see: ledger query DIR blocks\n", name);
}

/* Make the proof that the words ask for; *chain: the one that it is about. */
static mgc_status make_proof(reader *r, uint8_t *bytes, size_t *len, mgc_chain **chain, bool *asked)
{
    const char *what = r->s->words[2], *id = word_of(r->s, "tx_id"), *name = word_of(r->s, "chain"), *height = word_of(r->s, "height"),
               *account = word_of(r->s, "id");
    uint8_t key[32];
    uint64_t at;
    uint32_t index;

    *asked = true;
    if ((strcmp(what, "transaction") == 0 || strcmp(what, "receipt") == 0) && id != NULL && from_hex(id, key, 32)) {
        for (uint32_t contract = MGC_CONTRACT_INFORMATION; contract <= MGC_CONTRACT_SCHEDULING; contract++) {
            *chain = mgc_node_chain(r->node, contract);
            if (mgc_chain_find_tx(*chain, key, &at, &index) != MGC_OK) continue;
            return what[0] == 't' ? mgc_chain_prove_transaction(*chain, at, index, bytes, PROOF_MAX, len)
                                  : mgc_chain_prove_receipt(*chain, at, index, bytes, PROOF_MAX, len);
        }
        return MGC_E_NOT_FOUND;
    }
    if (strcmp(what, "block") == 0 && name != NULL && height != NULL && (*chain = chain_named(r, name)) != NULL)
        return mgc_chain_prove_head(*chain, strtoull(height, NULL, 10), bytes, PROOF_MAX, len);
    if (strcmp(what, "account") == 0 && account != NULL && from_hex(account, key, 16)) {
        *chain = mgc_node_chain(r->node, MGC_CONTRACT_TRADING);
        return mgc_chain_prove_account(*chain, key, bytes, PROOF_MAX, len);
    }
    *asked = false;
    return MGC_E_INVALID_ARG;
}

static void print_hex(FILE *to, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) fprintf(to, "%02x", bytes[i]);
}

/* Any kind of proof.  The verifier names the kind that it is not. */
static mgc_status verify_any(mgc_verifier *v, const uint8_t *proof, size_t len, mgc_verified *what)
{
    mgc_status (*const calls[])(mgc_verifier *, const uint8_t *, size_t, mgc_verified *) = {
        mgc_verify_transaction, mgc_verify_receipt, mgc_verify_record, mgc_verify_absence, mgc_verify_follow, mgc_verify_ancestor,
        mgc_verify_equivocation};
    mgc_status st = MGC_E_BAD_PROOF;

    for (size_t i = 0; i < sizeof calls / sizeof calls[0] && st == MGC_E_BAD_PROOF; i++) {
        *what = (mgc_verified){.struct_size = sizeof *what};
        st = calls[i](v, proof, len, what);
    }
    return st;
}

/* What was proved, beside that it was: the transaction and what came of it, an account's balances, a key that nothing has. */
static void tell_item(mgc_verifier *v, const uint8_t *proof, size_t len, const mgc_verified *what)
{
    mgc_verified_account a = {.struct_size = sizeof a};
    mgc_tx_info tx = {.struct_size = sizeof tx};

    if (what->kind == MGC_PROOF_TRANSACTION && mgc_tx_decode(what->item, what->item_len, &tx) == MGC_OK) {
        fputs("transaction ", stdout);
        print_hex(stdout, what->item_hash, 32);
        printf(": %.*s of contract %u, nonce %llu of sender ", (int)tx.method_len, tx.method, tx.contract, (unsigned long long)tx.nonce);
        print_hex(stdout, tx.sender, 32);
        putchar('\n');
    } else if (what->kind == MGC_PROOF_RECEIPT) {
        fputs("transaction ", stdout);
        print_hex(stdout, what->item_hash, 32);
        printf(": %s%s\n", what->receipt_status == MGC_OK ? "done" : "refused with ",
               what->receipt_status == MGC_OK ? "" : mgc_status_name(what->receipt_status));
    } else if (what->kind == MGC_PROOF_RECORD && mgc_verify_account(v, proof, len, &a) == MGC_OK) {
        fputs("account ", stdout);
        print_hex(stdout, a.id, MGC_ID_BYTES);
        printf(" of unit %u: credits %llu, debits %llu; pending credits %llu, debits %llu\n", a.unit, (unsigned long long)a.credits_posted,
               (unsigned long long)a.debits_posted, (unsigned long long)a.credits_pending, (unsigned long long)a.debits_pending);
    } else if (what->kind == MGC_PROOF_ABSENCE) {
        fputs("there was no record ", stdout);
        print_hex(stdout, what->key, what->key_len);
        fputs(" at that day's close\n", stdout);
    }
}

static int tell_verdict(sim *s, const uint8_t chain_id[32], const uint8_t *proof, size_t len)
{
    static const char *const kinds[] = {"nothing", "transaction", "receipt", "ancestor", "consistency", "record", "absence", "head", "block",
                                        "equivocation"};
    mgc_verifier v;
    mgc_verified what;

    mgc_status st = mgc_verifier_init(&v, sizeof v, chain_id);
    if (st == MGC_OK) st = verify_any(&v, proof, len, &what);
    if (s->json) {
        printf("{\"ok\": %s, \"status\": \"%s\"", st == MGC_OK ? "true" : "false", mgc_status_name(st));
        if (st == MGC_OK) printf(", \"kind\": \"%s\", \"height\": %llu, \"time_ms\": %llu, \"votes\": %u, \"bytes\": %zu", kinds[what.kind < 10 ? what.kind : 0],
                                 (unsigned long long)what.height, (unsigned long long)what.time_ms, what.n_votes, len);
        printf(", \"chain_id\": \"");
        print_hex(stdout, chain_id, 32);
        printf("\"}\n");
    } else if (st == MGC_OK) {
        printf("sound: %s, block %llu of chain ", kinds[what.kind < 10 ? what.kind : 0], (unsigned long long)what.height);
        print_hex(stdout, chain_id, 32);
        printf(", %u signature%s, %zu bytes\n", what.n_votes, what.n_votes == 1 ? "" : "s", len);
        tell_item(&v, proof, len, &what);
    }
    if (st == MGC_OK) return EXIT_DONE;
    fprintf(stderr, "mgchain-sim: the proof does not hold: %s (%s)\n", mgc_status_text(st), mgc_status_name(st));
    return EXIT_VERIFY;
}

int ledger_proof(sim *s)
{
    mgc_chain_info info = {.struct_size = sizeof info};
    mgc_chain *chain = NULL;
    reader r;
    bool asked;
    size_t len = 0;

    if (s->n_words < 3) return proof_usage();
    int code = reader_open(&r, s, s->words[1]);
    if (code != EXIT_DONE) return code;
    uint8_t *bytes = malloc(PROOF_MAX);
    mgc_status st = bytes == NULL ? MGC_E_NO_MEMORY : make_proof(&r, bytes, &len, &chain, &asked);
    if (st == MGC_OK) st = mgc_chain_get_info(chain, &info);
    if (st == MGC_OK && s->out_given) st = mgc_file_write(s->ctx, s->out, (const char *)bytes, len);
    if (st == MGC_OK) code = tell_verdict(s, info.chain_id, bytes, len);
    else if (bytes != NULL && !asked) {
        tell_bad_word(&r);
        code = proof_usage();
    }
    else code = st == MGC_E_NOT_FOUND ? (failed(s, st, s->words[2]), EXIT_USAGE) : failed(s, st, s->words[2]);
    free(bytes);
    return reader_close(&r, code);
}

int ledger_verify_proof(sim *s)
{
    uint8_t chain_id[32];
    size_t len;

    if (s->chain == NULL || !from_hex(s->chain, chain_id, 32)) {
        fputs("mgchain-sim: a proof is checked against a chain that you trust: --chain and its id, 64 hexadecimal digits; "
              "a run's results.json has it under ledger.chains\n", stderr);
        return EXIT_USAGE;
    }
    char *bytes = read_file(s, s->words[1], &len);
    if (bytes == NULL) return EXIT_IO;
    int code = tell_verdict(s, chain_id, (const uint8_t *)bytes, len);
    free(bytes);
    return code;
}
