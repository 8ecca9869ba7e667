/* SPDX-License-Identifier: Apache-2.0 */
/* A network to try out, in one line: CA, keys, certificates, genesis and a configuration for each member; and the keys of
 * one more member. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include "node.h"

typedef struct plan {
    const char *folder, *chain, *bank;
    uint32_t members, port;
    uint64_t time_ms;
    uint8_t nonce[32], keys[MEMBERS_MAX][32];
} plan;

static bool make_folder(const char *path)
{
    if (mkdir(path, 0700) == 0) return true;
    fprintf(stderr, "mgchain-node: %s: %s\n", path, strerror(errno));
    return false;
}

/* key.pem and key.pass in the folder. */
static bool new_signing_key(const char *folder, const char *name, uint8_t public_key[32])
{
    uint8_t seed[32], pass[16];
    char path[PATH_BYTES + 40], phrase[34], pem[MGC_PEM_BYTES_MAX];
    mgc_ctx *ctx = NULL;
    mgc_key *key = NULL;
    size_t len;
    bool ok = RAND_bytes(seed, sizeof seed) == 1 && RAND_bytes(pass, sizeof pass) == 1 && mgc_ctx_create(NULL, &ctx) == MGC_OK;

    to_hex(pass, sizeof pass, phrase);
    ok = ok && mgc_key_from_seed(ctx, seed, &key) == MGC_OK && mgc_key_public(key, public_key) == MGC_OK &&
         mgc_key_to_pem(key, phrase, pem, sizeof pem, &len) == MGC_OK;
    if (!ok) fprintf(stderr, "mgchain-node: a key cannot be made: %s\n", ctx == NULL ? "no memory" : mgc_ctx_error(ctx));
    snprintf(path, sizeof path, "%s/%s.pem", folder, name);
    ok = ok && write_private(path, pem, true);
    snprintf(path, sizeof path, "%s/%s.pass", folder, name);
    memcpy(phrase + 32, "\n", 2);
    ok = ok && write_private(path, phrase, true);
    memset(seed, 0, sizeof seed);
    memset(pem, 0, sizeof pem);
    memset(phrase, 0, sizeof phrase);
    mgc_key_destroy(key);
    mgc_ctx_destroy(ctx);
    return ok;
}

static bool write_genesis(const plan *p)
{
    char path[PATH_BYTES + 32], hex[65];
    line l = {.text = NULL};
    bool ok;

    to_hex(p->nonce, 32, hex);
    line_add(&l, "format: mgchain-genesis-1\nchain: %s            # market: the three chains of a market\ntime_ms: %" PRIu64 "\nnonce: \"%s\"\nmembers:\n",
             p->chain, p->time_ms, hex);
    for (uint32_t i = 0; i < p->members; i++) {
        to_hex(p->keys[i], 32, hex);
        line_add(&l, "  - {id: %" PRIu32 ", public_key: \"%s\"}\n", i + 1, hex);
    }
    snprintf(path, sizeof path, "%s/genesis.yaml", p->folder);
    ok = !l.failed && write_private(path, l.text, false);
    free(l.text);
    return ok;
}

static bool write_config(const plan *p, uint32_t id)
{
    char path[PATH_BYTES + 64];
    line l = {.text = NULL};
    bool ok;

    line_add(&l, "format: mgchain-node-1\nid: %" PRIu32 "\ngenesis: ../genesis.yaml\nlisten: 127.0.0.1:%" PRIu32 "\n", id, p->port + id - 1);
    line_add(&l, "client: client.sock          # for status, submit and query on this machine\ndata: data\n"
                 "key: {file: key.pem, passphrase_file: key.pass}\n"
                 "tls: {ca: ../ca.pem, certificate: tls.pem, key: tls-key.pem}\npeers:\n");
    for (uint32_t i = 1; i <= p->members; i++)
        if (i != id) line_add(&l, "  - {id: %" PRIu32 ", address: \"127.0.0.1:%" PRIu32 "\"}\n", i, p->port + i - 1);
    line_add(&l, "timing: {tick_ms: 50, election_ticks: 20, block_ms: 20}\nlog: info\n%s", p->bank);
    snprintf(path, sizeof path, "%s/member-%" PRIu32 "/node.yaml", p->folder, id);
    ok = !l.failed && write_private(path, l.text, false);
    free(l.text);
    return ok;
}

static bool make_member(plan *p, uint32_t id)
{
    char folder[PATH_BYTES];

    snprintf(folder, sizeof folder, "%s/member-%" PRIu32, p->folder, id);
    return make_folder(folder) && new_signing_key(folder, "key", p->keys[id - 1]) &&
           pki_member(folder, p->folder, id, p->keys[id - 1]) && write_config(p, id);
}

static bool read_uint(const char *text, uint32_t upper, uint32_t *value)
{
    char *end;
    unsigned long x = strtoul(text, &end, 10);

    *value = (uint32_t)x;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && x >= 1 && x <= upper;
}

static bool read_plan(int argc, char **argv, plan *p)
{
    bool ok = true;

    *p = (plan){.chain = "market", .members = 3, .port = 7101, .bank = ""};
    for (int i = 0; i < argc && ok; i++) {
        if (strcmp(argv[i], "--members") == 0 && i + 1 < argc) ok = read_uint(argv[++i], MEMBERS_MAX, &p->members);
        else if (strcmp(argv[i], "--port") == 0 && i + 1 < argc) ok = read_uint(argv[++i], 65000, &p->port);
        else if (strcmp(argv[i], "--chain") == 0 && i + 1 < argc) p->chain = argv[++i];
        else if (strcmp(argv[i], "--bank") == 0) p->bank = "contracts: [bank]\n";
        else if (argv[i][0] != '-' && p->folder == NULL) p->folder = argv[i];
        else ok = false;
    }
    ok = ok && p->folder != NULL && strlen(p->folder) < 800 && p->chain[0] != '\0' && strlen(p->chain) < 60 &&
         strspn(p->chain, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(p->chain);
    if (!ok) fputs("usage: mgchain-node init FOLDER [--members 3] [--port 7101] [--chain market] [--bank]\n", stderr);
    return ok;
}

int cmd_init(int argc, char **argv)
{
    uint8_t admin[32];
    char hex[65];
    plan p;
    bool ok;

    if (!read_plan(argc, argv, &p)) return EXIT_USAGE;
    p.time_ms = utc_ms();
    ok = make_folder(p.folder) && RAND_bytes(p.nonce, sizeof p.nonce) == 1 && pki_ca(p.folder);
    for (uint32_t id = 1; id <= p.members && ok; id++) ok = make_member(&p, id);
    ok = ok && new_signing_key(p.folder, "admin", admin) && write_genesis(&p);
    if (!ok) return EXIT_IO;
    to_hex(admin, 32, hex);
    printf("%s: %" PRIu32 " members at 127.0.0.1:%" PRIu32 " and on, a CA, and the key of an administrator, %s.\nStart each, in a terminal of its own:\n",
           p.folder, p.members, p.port, hex);
    for (uint32_t id = 1; id <= p.members; id++) printf("  mgchain-node run %s/member-%" PRIu32 "/node.yaml\n", p.folder, id);
    printf("and look:\n  mgchain-node status %s/member-1/node.yaml\n", p.folder);
    return EXIT_DONE;
}

int cmd_keys(int argc, char **argv)
{
    const char *folder = NULL, *ca = NULL;
    uint8_t public_key[32];
    char hex[65];
    uint32_t id = 0;
    bool ok = true;

    for (int i = 0; i < argc && ok; i++) {
        if (strcmp(argv[i], "--ca") == 0 && i + 1 < argc) ca = argv[++i];
        else if (strcmp(argv[i], "--id") == 0 && i + 1 < argc) ok = read_uint(argv[++i], 1 << 20, &id);
        else if (argv[i][0] != '-' && folder == NULL) folder = argv[i];
        else ok = false;
    }
    if (!ok || folder == NULL || strlen(folder) > 800 || (ca != NULL) != (id != 0)) {
        fputs("usage: mgchain-node keys FOLDER [--id ID --ca FOLDER]\n"
              "  a signing key; with --id and --ca a TLS key and certificate of member ID as well\n", stderr);
        return EXIT_USAGE;
    }
    if (!make_folder(folder) || !new_signing_key(folder, "key", public_key)) return EXIT_IO;
    if (ca != NULL && !pki_member(folder, ca, id, public_key)) return EXIT_IO;
    to_hex(public_key, 32, hex);
    printf("%s\n", hex);
    return EXIT_DONE;
}

/* --- genesis ---------------------------------------------------------------------------------------- */

/* "ID=PUBLICKEY" into a list in ascending order. */
static bool add_member(mgc_member *list, size_t *n, const char *word)
{
    const char *equals = strchr(word, '=');
    char id[12] = "";
    mgc_member m = {.id = 0};
    size_t at = *n;

    if (equals == NULL || (size_t)(equals - word) >= sizeof id || *n == MEMBERS_MAX) return false;
    memcpy(id, word, (size_t)(equals - word));
    if (!read_uint(id, 1 << 20, &m.id) || !from_hex(equals + 1, m.public_key, 32) || mgc_public_key_check(m.public_key, 32) != MGC_OK) return false;
    for (; at > 0 && list[at - 1].id > m.id; at--) list[at] = list[at - 1];
    list[at] = m;
    ++*n;
    return at == 0 || list[at - 1].id != m.id;
}

static void put_list(line *l, const char *name, const mgc_member *list, size_t n)
{
    char hex[65];

    line_add(l, "%s:%s\n", name, n == 0 ? " []" : "");
    for (size_t i = 0; i < n; i++) {
        to_hex(list[i].public_key, 32, hex);
        line_add(l, "  - {id: %" PRIu32 ", public_key: \"%s\"}\n", list[i].id, hex);
    }
}

/* Of members who each made their own key: nobody's secret leaves its machine. */
int cmd_genesis(int argc, char **argv)
{
    mgc_member members[MEMBERS_MAX], learners[MEMBERS_MAX];
    size_t n_members = 0, n_learners = 0;
    const char *file = NULL, *chain = "market";
    uint8_t nonce[32];
    char hex[65];
    line l = {.text = NULL};
    bool ok = true;

    for (int i = 0; i < argc && ok; i++) {
        if (strcmp(argv[i], "--chain") == 0 && i + 1 < argc) chain = argv[++i];
        else if (strcmp(argv[i], "--learner") == 0 && i + 1 < argc) ok = add_member(learners, &n_learners, argv[++i]);
        else if (argv[i][0] != '-' && strchr(argv[i], '=') != NULL) ok = add_member(members, &n_members, argv[i]);
        else if (argv[i][0] != '-' && file == NULL) file = argv[i];
        else ok = false;
    }
    for (size_t i = 0; i < n_members; i++)
        for (size_t k = 0; k < n_learners; k++) ok = ok && members[i].id != learners[k].id;
    if (!ok || file == NULL || n_members == 0 || chain[0] == '\0' || strlen(chain) >= 60 ||
        strspn(chain, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(chain)) {
        fputs("usage: mgchain-node genesis FILE [--chain market] ID=PUBLICKEY ... [--learner ID=PUBLICKEY] ...\n"
              "  1 to 16 members and at most 16 learners, each id once; PUBLICKEY as `mgchain-node keys` prints it\n", stderr);
        return EXIT_USAGE;
    }
    if (RAND_bytes(nonce, sizeof nonce) != 1) return EXIT_INTERNAL;
    to_hex(nonce, 32, hex);
    line_add(&l, "format: mgchain-genesis-1\nchain: %s\ntime_ms: %" PRIu64 "\nnonce: \"%s\"\n", chain, utc_ms(), hex);
    put_list(&l, "members", members, n_members);
    put_list(&l, "learners", learners, n_learners);
    ok = !l.failed && write_private(file, l.text, false);
    free(l.text);
    return ok ? EXIT_DONE : EXIT_IO;
}
