/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction from words of the command line, signed by keys of this machine. */
#include <inttypes.h>

#include "node.h"

enum { SIGNERS_MAX = 8, VALID_BLOCKS = 500 };

typedef struct signer {
    mgc_key *key;
    uint32_t role;
} signer;

typedef struct making {
    mgc_ctx *ctx;
    uint32_t contract;
    const char *method;
    mgc_args *args;
    const uint8_t *arguments;
    size_t arguments_len;
    uint8_t raw[BANK_ARGUMENTS];
    signer signers[SIGNERS_MAX];
    size_t n_signers;
} making;

static uint32_t word_or_number(const char *word, const char *const *words, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(word, words[i]) == 0) return i;
    return word[0] != '\0' && strspn(word, "0123456789") == strlen(word) && strlen(word) < 9 ? (uint32_t)atoi(word) : UINT32_MAX;
}

uint32_t contract_of(const char *word)
{
    static const char *const words[] = {"", "information", "trading", "scheduling", "settlement", "supervision", "credit"};

    return strcmp(word, "bank") == 0 ? BANK_CONTRACT : word_or_number(word, words, sizeof words / sizeof words[0]);
}

static uint32_t role_of(const char *word)
{
    static const char *const words[] = {"none", "user", "manager", "meter", "dispatcher", "operator", "regulator", "auditor", "validator", "administrator"};

    return word_or_number(word, words, sizeof words / sizeof words[0]);
}

static bool add_signer(making *m, const char *word)
{
    const char *colon = strrchr(word, ':');
    char file[PATH_BYTES], pass[PATH_BYTES];
    signer *s = &m->signers[m->n_signers];
    size_t n = (size_t)(colon - word);
    FILE *beside;

    if (m->n_signers == SIGNERS_MAX || n + 6 >= sizeof file) return false;
    snprintf(file, sizeof file, "%.*s", (int)n, word);
    snprintf(pass, sizeof pass, "%.*s.pass", (int)(n > 4 && strcmp(file + n - 4, ".pem") == 0 ? n - 4 : n), word);
    beside = fopen(pass, "r");
    if (beside == NULL) pass[0] = '\0';
    else fclose(beside);
    s->role = role_of(colon + 1);
    if (s->role > 255) {
        fprintf(stderr, "mgchain-node: \"%s\" is no role\n", colon + 1);
        return false;
    }
    if (!config_key(m->ctx, file, pass, &s->key)) return false;
    m->n_signers++;
    return true;
}

static mgc_status set_rows(making *m, const char *field, const char *text)
{
    mgc_status st = MGC_OK;

    while (*text != '\0' && st == MGC_OK) {
        int64_t row[32];
        size_t n = 0;
        while (n < 32) {
            char *end;
            row[n++] = strtoll(text, &end, 10);
            text = end;
            if (*text != ',') break;
            text++;
        }
        st = mgc_args_add_row(m->args, field, row, n);
        if (*text == ';') text++;
        else if (*text != '\0') return MGC_E_INVALID_ARG;
    }
    return st;
}

static mgc_status set_field(making *m, const char *field, const char *value)
{
    mgc_field_info info = {.struct_size = sizeof info};
    uint8_t bytes[1024];
    size_t n = strlen(value);
    char *end;

    for (uint32_t i = 0; mgc_field_describe(m->contract, m->method, i, &info) == MGC_OK; i++)
        if (strcmp(info.name, field) == 0) break;
    if (strcmp(info.name == NULL ? "" : info.name, field) != 0) return mgc_args_set_int(m->args, field, 0); /* says what it may be */
    if (info.kind == MGC_FIELD_TEXT) return mgc_args_set_text(m->args, field, value);
    if (info.kind == MGC_FIELD_ROWS) return set_rows(m, field, value);
    if (info.kind == MGC_FIELD_BYTES)
        return value[0] == '#' && n % 2 == 1 && n / 2 <= sizeof bytes && from_hex(value + 1, bytes, n / 2)
                   ? mgc_args_set_bytes(m->args, field, bytes, n / 2) : MGC_E_INVALID_ARG;
    int64_t x = strtoll(value, &end, 10);
    return n == 0 || *end != '\0' ? MGC_E_INVALID_ARG : mgc_args_set_int(m->args, field, x);
}

/* The bank's 16 bytes: first=, second=, amount=. */
static bool set_bank(making *m, const char *field, const char *value)
{
    uint64_t x = strtoull(value, NULL, 10);
    size_t at = strcmp(field, "first") == 0 ? 0 : strcmp(field, "second") == 0 ? 4 : 8, n = at == 8 ? 8 : 4;

    for (size_t i = 0; i < n; i++) m->raw[at + n - 1 - i] = (uint8_t)(x >> 8 * i);
    if (at != 8 || strcmp(field, "amount") == 0) return true;
    fprintf(stderr, "mgchain-node: the bank has no field \"%s\"; it has first, second and amount\n", field);
    return false;
}

static bool read_word(making *m, char *word)
{
    char *equals = strchr(word, '=');
    mgc_status st = MGC_OK;

    if (equals == NULL && strchr(word, ':') != NULL) return add_signer(m, word);
    if (equals == NULL) {
        fprintf(stderr, "mgchain-node: \"%s\" is neither FIELD=VALUE nor KEYFILE:ROLE\n", word);
        return false;
    }
    *equals = '\0';
    if (m->contract == BANK_CONTRACT) return set_bank(m, word, equals + 1);
    st = set_field(m, word, equals + 1);
    if (st != MGC_OK) fprintf(stderr, "mgchain-node: %s: %s (%s)\n", word, mgc_ctx_error(m->ctx)[0] != '\0' ? mgc_ctx_error(m->ctx) : "not a value of its kind",
                              mgc_status_name(st));
    return st == MGC_OK;
}

static bool read_words(making *m, int argc, char **argv)
{
    m->contract = contract_of(argv[0]);
    m->method = argv[1];
    if (m->contract == UINT32_MAX || (m->contract < MGC_CONTRACT_HOST && mgc_args_create(m->ctx, m->contract, m->method, &m->args) != MGC_OK)) {
        fprintf(stderr, "mgchain-node: no method %s of contract %s\n", argv[1], argv[0]);
        return false;
    }
    for (int i = 2; i < argc; i++)
        if (!read_word(m, argv[i])) return false;
    m->arguments = m->raw;
    m->arguments_len = BANK_ARGUMENTS;
    if (m->args != NULL && mgc_args_encode(m->args, &m->arguments, &m->arguments_len) != MGC_OK) {
        fprintf(stderr, "mgchain-node: %s\n", mgc_ctx_error(m->ctx));
        return false;
    }
    if (m->n_signers == 0) fputs("mgchain-node: nobody signs; add KEYFILE:ROLE\n", stderr);
    return m->n_signers > 0;
}

static bool ask_chain(caller *c, making *m, uint8_t sender[32], uint8_t chain_id[32], mgc_tx_body *body)
{
    char request[200], hex[65], *reply;
    uint64_t height;

    if (mgc_key_public(m->signers[0].key, sender) != MGC_OK) return false;
    to_hex(sender, 32, hex);
    snprintf(request, sizeof request, "{\"do\":\"chain\",\"contract\":%" PRIu32 ",\"sender\":\"%s\"}", m->contract, hex);
    if (!caller_ask(c, request, &reply) || !line_get(reply, "chain_id", hex, sizeof hex) || !from_hex(hex, chain_id, 32) ||
        !line_uint(reply, "height", &height) || !line_uint(reply, "nonce", &body->nonce))
        return false;
    body->valid_until = height + VALID_BLOCKS;
    return true;
}

static char *assemble(making *m, const mgc_tx_body *body)
{
    static uint8_t encoded[MGC_TX_BYTES_MAX], bytes[MGC_TX_BYTES_MAX];
    mgc_tx_signature signatures[SIGNERS_MAX];
    size_t len, tx_len = 0;
    mgc_status st = mgc_tx_encode_body(body, encoded, sizeof encoded, &len);
    char *hex;

    for (size_t i = 0; i < m->n_signers && st == MGC_OK; i++)
        st = mgc_tx_sign(encoded, len, m->signers[i].key, m->signers[i].role, &signatures[i]);
    if (st == MGC_OK) st = mgc_tx_assemble(encoded, len, signatures, m->n_signers, bytes, sizeof bytes, &tx_len);
    hex = st == MGC_OK ? malloc(2 * tx_len + 1) : NULL;
    if (hex == NULL) fprintf(stderr, "mgchain-node: the transaction cannot be made: %s\n", mgc_status_name(st));
    else to_hex(bytes, tx_len, hex);
    return hex;
}

char *sign_words(caller *c, int argc, char **argv)
{
    making m = {.ctx = NULL};
    uint8_t sender[32], chain_id[32];
    char *hex = NULL;

    if (mgc_ctx_create(NULL, &m.ctx) != MGC_OK) return NULL;
    if (read_words(&m, argc, argv)) {
        mgc_tx_body body = {.struct_size = sizeof body, .chain_id = chain_id, .sender = sender, .contract = m.contract, .method = m.method,
                            .arguments = m.arguments, .arguments_len = m.arguments_len};
        if (ask_chain(c, &m, sender, chain_id, &body)) hex = assemble(&m, &body);
    }
    for (size_t i = 0; i < m.n_signers; i++) mgc_key_destroy(m.signers[i].key);
    mgc_args_destroy(m.args);
    mgc_ctx_destroy(m.ctx);
    return hex;
}
