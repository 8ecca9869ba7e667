/* SPDX-License-Identifier: Apache-2.0 */
/* What clients of the bank share: asking members, making transactions, founding the market. */
#include <inttypes.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bank_client.h"

enum { DEPLOY_AFTER = 3 };

const char *network;
uint32_t n_members, n_users;
uint64_t end_ms;
static pthread_mutex_t printing = PTHREAD_MUTEX_INITIALIZER;

void fail(const char *what, const char *more)
{
    fprintf(stderr, "bank_load: %s: %s\n", what, more);
    exit(1);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

uint32_t pick(user *u, uint32_t n)
{
    u->random = u->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(u->random >> 33) % n;
}

/* --- asking ------------------------------------------------------------------------------------------- */

void hang_up(user *u)
{
    if (u->fd >= 0) (void)close(u->fd);
    u->fd = -1;
    u->in_len = 0;
}

/* A member that is up, at random. */
void connect_somewhere(user *u)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 10};

    while (u->fd < 0) {
        snprintf(at.sun_path, sizeof at.sun_path, "%s/member-%" PRIu32 "/client.sock", network, 1 + pick(u, n_members));
        u->fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (u->fd < 0) fail("socket", "none left");
        if (connect(u->fd, (struct sockaddr *)&at, sizeof at) == 0) break;
        hang_up(u);
        pause_ms(50);
        if (steady_ms() > end_ms + 120000) fail(at.sun_path, "no member came back within two minutes");
    }
    (void)setsockopt(u->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

/* NULL: the member went away, or was silent for ten seconds. */
char *ask(user *u, const char *request)
{
    char *end;

    connect_somewhere(u);
    if (send(u->fd, request, strlen(request), MSG_NOSIGNAL) != (ssize_t)strlen(request) || send(u->fd, "\n", 1, MSG_NOSIGNAL) != 1) {
        hang_up(u);
        return NULL;
    }
    for (u->in_len = 0;;) {
        ssize_t n;
        if (u->in_cap - u->in_len < 4096) {
            u->in_cap = u->in_cap * 2 + 65536;
            u->in = realloc(u->in, u->in_cap);
            if (u->in == NULL) fail("memory", "none left");
        }
        n = read(u->fd, u->in + u->in_len, u->in_cap - u->in_len - 1);
        if (n <= 0) break;
        u->in_len += (size_t)n;
        end = memchr(u->in, '\n', u->in_len);
        if (end == NULL) continue;
        *end = '\0';
        return u->in;
    }
    hang_up(u);
    return NULL;
}

/* --- transactions --------------------------------------------------------------------------------------- */

void need(mgc_status st, const char *what)
{
    if (st != MGC_OK) fail(what, mgc_status_name(st));
}

/* The request that submits it; height, and nonce if none is given, as a member tells. */
char *sign(user *u, const deed *d, uint64_t *nonce)
{
    uint8_t encoded[8192], bytes[8192], sender[32], chain_id[32];
    mgc_tx_signature s[2];
    mgc_tx_body body = {.struct_size = sizeof body, .chain_id = chain_id, .sender = sender, .contract = d->contract, .method = d->method,
                        .arguments = d->arguments, .arguments_len = d->len};
    char request[200], hex[65], *reply = NULL, *submit;
    uint64_t height = 0;
    size_t len;

    need(mgc_key_public(d->signers[0], sender), "key");
    to_hex(sender, 32, hex);
    snprintf(request, sizeof request, "{\"do\":\"chain\",\"contract\":%" PRIu32 ",\"sender\":\"%s\"}", d->contract, hex);
    while (reply == NULL) reply = ask(u, request);
    if (!line_get(reply, "chain_id", hex, sizeof hex) || !from_hex(hex, chain_id, 32) || !line_uint(reply, "height", &height) ||
        !line_uint(reply, "nonce", &body.nonce))
        fail("chain", reply);
    if (*nonce != 0) body.nonce = *nonce;
    *nonce = body.nonce;
    body.valid_until = height + 900;
    need(mgc_tx_encode_body(&body, encoded, sizeof encoded, &len), "body");
    for (uint32_t i = 0; i < d->n; i++) need(mgc_tx_sign(encoded, len, d->signers[i], d->roles[i], &s[i]), "signature");
    need(mgc_tx_assemble(encoded, len, s, d->n, bytes, sizeof bytes, &len), "transaction");
    submit = malloc(2 * len + 64);
    if (submit == NULL) fail("memory", "none left");
    memcpy(submit, "{\"do\":\"submit\",\"tx\":\"", 21);
    to_hex(bytes, len, submit + 21);
    strcat(submit, "\"}");
    return submit;
}

/* Until it is known what became of it.  A member may have been behind when it told the nonce: then another transaction is
 * made.  true: it is committed. */
bool carry_out(user *u, const deed *d, bool tell)
{
    char state[16], id[65], rule[200], status[64];
    uint64_t nonce = 0;
    char *request = sign(u, d, &nonce), *reply;
    uint64_t begun = steady_ms();

    for (;;) {
        reply = ask(u, request);
        if (reply == NULL || !line_get(reply, "state", state, sizeof state)) {
            pause_ms(20); /* gone, or its pool is full */
            if (steady_ms() > end_ms + 120000) fail("no answer within two minutes", request);
            continue;
        }
        rule[0] = status[0] = '\0';
        (void)line_get(reply, "tx_id", id, sizeof id);
        (void)line_get(reply, "status", status, sizeof status);
        (void)line_get(reply, "rule", rule, sizeof rule);
        bool known = strcmp(status, "MGC_E_DUPLICATE_TXID") == 0, done = known || strcmp(state, "committed") == 0;
        bool in_block = strstr(reply, "\"height\":0,") == NULL;
        if (!done && !in_block) { /* stale nonce or height: make it anew; what was refused can never be in a block */
            free(request);
            nonce = 0;
            request = sign(u, d, &nonce);
            continue;
        }
        pthread_mutex_lock(&printing);
        if (tell && done) printf("%s %s %" PRIu64 "\n", known ? "known" : "committed", id, steady_ms() - begun);
        else if (tell) printf("refused %s %s %s\n", id, status, rule);
        fflush(stdout);
        pthread_mutex_unlock(&printing);
        if (!tell && !done) fprintf(stderr, "bank_load: %s\n", reply);
        free(request);
        return done;
    }
}

/* --- beginning ------------------------------------------------------------------------------------------ */

static mgc_key *read_key(mgc_ctx *ctx, const char *name)
{
    char file[PATH_BYTES], pass[PATH_BYTES];
    mgc_key *key;

    snprintf(file, sizeof file, "%s/%s.pem", network, name);
    snprintf(pass, sizeof pass, "%s/%s.pass", network, name);
    if (!config_key(ctx, file, pass, &key)) fail(file, "cannot be read");
    return key;
}

typedef struct field {
    const char *name, *text;
    const uint8_t *bytes; /* 32 */
    int64_t number;
} field;

static void with_args(user *u, deed d, const field *fields, size_t n)
{
    mgc_args *args;

    need(mgc_args_create(u->ctx, d.contract, d.method, &args), d.method);
    for (size_t i = 0; i < n; i++) {
        const field *f = &fields[i];
        if (f->text != NULL) need(mgc_args_set_text(args, f->name, f->text), f->name);
        else if (f->bytes != NULL) need(mgc_args_set_bytes(args, f->name, f->bytes, 32), f->name);
        else need(mgc_args_set_int(args, f->name, f->number), f->name);
    }
    need(mgc_args_encode(args, &d.arguments, &d.len), d.method);
    if (!carry_out(u, &d, false)) fail(d.method, "was refused");
    mgc_args_destroy(args);
}

static void found(user *u, mgc_key *admin)
{
    mgc_key *validator = read_key(u->ctx, "member-1/key");
    uint8_t key[32];

    need(mgc_key_public(admin, key), "admin");
    const field fields[] = {{.name = "name", .text = "bank"}, {.name = "currency", .text = "EUR"}, {.name = "slot_ms", .number = 900000},
                            {.name = "gate_ms", .number = 1000}, {.name = "gate_slots", .number = 4}, {.name = "window_ms", .number = 1000},
                            {.name = "collateral_bp", .number = 100}, {.name = "pending_blocks", .number = 100},
                            {.name = "first_slot", .number = 4000000}, {.name = "administrator", .bytes = key}};
    with_args(u, (deed){.contract = MGC_CONTRACT_INFORMATION, .method = "found", .signers = {admin, validator},
                        .roles = {MGC_ROLE_ADMINISTRATOR, MGC_ROLE_VALIDATOR}, .n = 2}, fields, sizeof fields / sizeof fields[0]);
    mgc_key_destroy(validator);
}

static void deploy(user *u, mgc_key *admin)
{
    const field fields[] = {{.name = "id", .number = BANK_CONTRACT}, {.name = "version", .number = 1}, {.name = "name", .text = "bank"},
                            {.name = "code_hash", .bytes = bank_contract.code_hash}, {.name = "activation_height", .number = DEPLOY_AFTER + 2}};

    with_args(u, (deed){.contract = MGC_CONTRACT_INFORMATION, .method = "deploy", .signers = {admin}, .roles = {MGC_ROLE_ADMINISTRATOR}, .n = 1},
              fields, sizeof fields / sizeof fields[0]);
}

static void enrol(user *u, mgc_key *admin, user *who)
{
    char name[32];
    uint8_t key[32];

    snprintf(name, sizeof name, "client %" PRIu32, who->number);
    need(mgc_key_public(who->key, key), "client");
    const field fields[] = {{.name = "id", .number = who->number + 1}, {.name = "organisation", .number = 1}, {.name = "name", .text = name},
                            {.name = "roles", .number = 1 << MGC_ROLE_USER}, {.name = "key", .bytes = key}, {.name = "from_height", .number = 0}};
    with_args(u, (deed){.contract = MGC_CONTRACT_INFORMATION, .method = "member", .signers = {admin}, .roles = {MGC_ROLE_ADMINISTRATOR}, .n = 1},
              fields, sizeof fields / sizeof fields[0]);
}

void bank_arguments(uint8_t to[BANK_ARGUMENTS], uint32_t first, uint32_t second, uint64_t amount)
{
    for (int i = 0; i < 4; i++) to[3 - i] = (uint8_t)(first >> 8 * i);
    for (int i = 0; i < 4; i++) to[7 - i] = (uint8_t)(second >> 8 * i);
    for (int i = 0; i < 8; i++) to[15 - i] = (uint8_t)(amount >> 8 * i);
}

void prepare(user *users)
{
    user *u = &users[0];
    mgc_key *admin = read_key(u->ctx, "admin");
    uint8_t arguments[BANK_ARGUMENTS];

    found(u, admin);
    deploy(u, admin);
    for (uint32_t i = 0; i < n_users; i++) enrol(u, admin, &users[i]);
    for (uint32_t i = 1; i <= ACCOUNTS; i++) {
        deed d = {.contract = BANK_CONTRACT, .method = "open", .arguments = arguments, .len = sizeof arguments, .signers = {admin},
                  .roles = {MGC_ROLE_ADMINISTRATOR}, .n = 1};
        bank_arguments(arguments, i, 0, BEGIN);
        if (!carry_out(u, &d, false)) fail("open", "was refused");
    }
    mgc_key_destroy(admin);
}

void begin_users(user *users, const char *folder, uint32_t members, uint32_t n)
{
    if (n < 3 || n > CLIENTS_LIMIT || members == 0) fail("usage", "3 to 64 clients of one member or more");
    network = folder;
    n_members = members;
    n_users = n;
    end_ms = steady_ms() + 120000;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t seed[32] = {77, (uint8_t)i};
        users[i] = (user){.number = i + 1, .fd = -1, .random = 1000 + i};
        if (mgc_ctx_create(NULL, &users[i].ctx) != MGC_OK) fail("context", "no memory");
        need(mgc_key_from_seed(users[i].ctx, seed, &users[i].key), "key");
    }
    prepare(users);
}

void end_users(user *users)
{
    for (uint32_t i = 0; i < n_users; i++) {
        hang_up(&users[i]);
        free(users[i].in);
        mgc_key_destroy(users[i].key);
        mgc_ctx_destroy(users[i].ctx);
    }
}

void print_total(const user *u, long total)
{
    (void)u;
    pthread_mutex_lock(&printing);
    printf("total %ld\n", total);
    pthread_mutex_unlock(&printing);
}
