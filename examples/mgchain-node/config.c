/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a member and the genesis that it names.  Every fault is told with file, line, key and cure. */
#include <inttypes.h>

#include "node.h"

static void copy_text(mgc_settings *s, const char *path, const char *otherwise, char *to, size_t cap)
{
    const char *text = mgc_settings_text(s, path, otherwise);

    to[0] = '\0';
    if (text == NULL) return;
    if (strlen(text) >= cap) mgc_settings_fault(s, path, "is too long", NULL);
    else memcpy(to, text, strlen(text) + 1);
}

/* Relative to the folder of the file that names it. */
static void copy_path(mgc_settings *s, const char *folder, const char *path, const char *otherwise, char to[PATH_BYTES])
{
    char text[PATH_BYTES];

    copy_text(s, path, otherwise, text, sizeof text);
    if (text[0] == '\0' || text[0] == '/') memcpy(to, text, sizeof text);
    else if (snprintf(to, PATH_BYTES, "%s/%s", folder, text) >= PATH_BYTES) mgc_settings_fault(s, path, "is too long a path", NULL);
}

static void copy_bytes(mgc_settings *s, const char *path, uint8_t *to)
{
    const char *text = mgc_settings_text(s, path, NULL);

    if (text != NULL && !from_hex(text, to, 32))
        mgc_settings_fault(s, path, "is not 32 bytes", "64 hexadecimal digits in lower case, as `mgchain-node keys` prints them");
}

static void folder_of(const char *path, char folder[PATH_BYTES])
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL) memcpy(folder, ".", 2);
    else snprintf(folder, PATH_BYTES, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static bool tell(mgc_ctx *ctx, mgc_settings *s, mgc_status st)
{
    uint32_t n = mgc_settings_faults(s);

    for (uint32_t i = 0; i < n; i++) fprintf(stderr, "%s\n", mgc_settings_fault_text(s, i));
    if (n == 0 && st != MGC_OK) fprintf(stderr, "mgchain-node: %s\n", mgc_ctx_error(ctx));
    return n == 0 && st == MGC_OK;
}

/* --- genesis ---------------------------------------------------------------------------------------- */

static size_t read_members(mgc_settings *s, const char *key, mgc_member *list, bool needed)
{
    uint32_t n = mgc_settings_count(s, key);
    char path[40];

    if (n > MEMBERS_MAX || (needed && n == 0)) {
        mgc_settings_fault(s, key, needed ? "must be a list of 1 to 16 members" : "are more than 16", NULL);
        return 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s[%" PRIu32 "]", key, i);
        mgc_settings_keys(s, path, "id public_key");
        snprintf(path, sizeof path, "%s[%" PRIu32 "].id", key, i);
        list[i].id = (uint32_t)mgc_settings_whole(s, path, 1, 1 << 20, MGC_SETTINGS_NEEDED);
        if (i > 0 && list[i].id <= list[i - 1].id)
            mgc_settings_fault(s, path, "does not come after the id before it", "ids stand in ascending order, each once");
        snprintf(path, sizeof path, "%s[%" PRIu32 "].public_key", key, i);
        copy_bytes(s, path, list[i].public_key);
    }
    return n;
}

static void read_genesis(mgc_settings *s, config *c)
{
    mgc_settings_keys(s, "", "format chain time_ms nonce members learners");
    copy_text(s, "chain", "market", c->chain, sizeof c->chain);
    c->genesis_ms = mgc_settings_whole(s, "time_ms", 1, UINT64_C(1) << 52, MGC_SETTINGS_NEEDED);
    copy_bytes(s, "nonce", c->nonce);
    c->n_members = read_members(s, "members", c->members, true);
    c->n_learners = read_members(s, "learners", c->learners, false);
}

static size_t put_members(uint8_t *bytes, const mgc_member *list, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        for (int k = 0; k < 4; k++) bytes[n++] = (uint8_t)(list[i].id >> 8 * k);
        memcpy(bytes + n, list[i].public_key, 32);
        n += 32;
    }
    return n;
}

void config_network(config *c)
{
    uint8_t bytes[64 + 1 + 8 + 32 + 1 + 2 * MEMBERS_MAX * 36] = {0};
    size_t n = strlen(c->chain) + 1;
    mgc_status st;

    memcpy(bytes, c->chain, n);
    for (int i = 0; i < 8; i++) bytes[n++] = (uint8_t)(c->genesis_ms >> 8 * i);
    memcpy(bytes + n, c->nonce, 32);
    n += 32;
    bytes[n++] = (uint8_t)c->n_members;
    n += put_members(bytes + n, c->members, c->n_members);
    n += put_members(bytes + n, c->learners, c->n_learners);
    st = mgc_sha256(bytes, n, c->network);
    if (st != MGC_OK) memset(c->network, 0, sizeof c->network);
}

static bool load_genesis(mgc_ctx *ctx, const char *path, config *c)
{
    mgc_settings *s = NULL;
    mgc_status st = mgc_settings_load_file(ctx, path, "mgchain-genesis-1", &s);
    bool ok;

    if (s != NULL) read_genesis(s, c);
    config_network(c);
    ok = tell(ctx, s, st);
    mgc_settings_destroy(s);
    return ok;
}

/* --- the member's own ------------------------------------------------------------------------------- */

static void read_peer(mgc_settings *s, config *c, uint32_t i)
{
    peer_config *p = &c->peers[i];
    char path[40];

    snprintf(path, sizeof path, "peers[%" PRIu32 "]", i);
    mgc_settings_keys(s, path, "id address public_key");
    snprintf(path, sizeof path, "peers[%" PRIu32 "].id", i);
    p->id = (uint32_t)mgc_settings_whole(s, path, 1, 1 << 20, MGC_SETTINGS_NEEDED);
    if (p->id == c->id) mgc_settings_fault(s, path, "is this member itself", "peers are the others");
    for (uint32_t k = 0; k < i; k++)
        if (c->peers[k].id == p->id) mgc_settings_fault(s, path, "is there twice", "keep one of the two");
    snprintf(path, sizeof path, "peers[%" PRIu32 "].address", i);
    copy_text(s, path, NULL, p->address, sizeof p->address);
    if (p->address[0] != '\0' && strrchr(p->address, ':') == NULL)
        mgc_settings_fault(s, path, "has no port", "192.0.2.1:7101, [2001:db8::1]:7101 or name:7101");
    snprintf(path, sizeof path, "peers[%" PRIu32 "].public_key", i);
    if (mgc_settings_has(s, path)) copy_bytes(s, path, p->public_key);
}

static void read_timing(mgc_settings *s, config *c)
{
    mgc_settings_keys(s, "timing", "tick_ms election_ticks block_ms");
    c->tick_ms = (uint32_t)mgc_settings_whole(s, "timing.tick_ms", 1, 60000, 50);
    c->election_ticks = (uint32_t)mgc_settings_whole(s, "timing.election_ticks", 4, 1000, 20);
    c->block_ms = (uint32_t)mgc_settings_whole(s, "timing.block_ms", 0, 3600000, 20);
    c->block_txs = (uint32_t)mgc_settings_whole(s, "block_transactions", 1, 65536, 1024);
    c->queue_mib = (uint32_t)mgc_settings_whole(s, "queue_mib", 17, 4096, 32);
    c->lost_store = (uint32_t)mgc_settings_whole(s, "lost_store", 0, 1000000, 0);
}

static void read_files(mgc_settings *s, config *c)
{
    mgc_settings_keys(s, "key", "file passphrase_file");
    copy_path(s, c->folder, "key.file", NULL, c->key);
    copy_path(s, c->folder, "key.passphrase_file", "", c->passphrase);
    mgc_settings_keys(s, "tls", "ca certificate key revoked");
    copy_path(s, c->folder, "tls.ca", NULL, c->ca);
    copy_path(s, c->folder, "tls.certificate", NULL, c->certificate);
    copy_path(s, c->folder, "tls.key", NULL, c->tls_key);
    copy_path(s, c->folder, "tls.revoked", "", c->revoked);
    copy_path(s, c->folder, "data", "data", c->data);
    copy_path(s, c->folder, "client", "client.sock", c->client);
    if (strlen(c->client) > 100)
        mgc_settings_fault(s, "client", "with its folder is longer than the name of a socket may be (100)", "name one under /run");
}

static void read_log(mgc_settings *s, config *c)
{
    static const char *const words[] = {"error", "warning", "info", "debug"};
    const char *word = mgc_settings_text(s, "log", "info");

    c->log = SAY_INFO;
    for (int i = 0; i < 4; i++)
        if (strcmp(word, words[i]) == 0) {
            c->log = (say_level)i;
            return;
        }
    mgc_settings_fault(s, "log", "is none of the levels", "error, warning, info or debug");
}

static void read_contracts(mgc_settings *s, config *c)
{
    char path[40];

    for (uint32_t i = 0; i < mgc_settings_count(s, "contracts"); i++) {
        snprintf(path, sizeof path, "contracts[%" PRIu32 "]", i);
        if (strcmp(mgc_settings_text(s, path, ""), "bank") == 0) c->bank = true;
        else mgc_settings_fault(s, path, "is no contract of this host", "bank");
    }
}

const mgc_member *config_founder(const config *c, uint32_t id)
{
    for (size_t k = 0; k < c->n_members; k++)
        if (c->members[k].id == id) return &c->members[k];
    for (size_t k = 0; k < c->n_learners; k++)
        if (c->learners[k].id == id) return &c->learners[k];
    return NULL;
}

/* Peers that the genesis knows need no key here. */
static void find_keys(mgc_settings *s, config *c)
{
    static const uint8_t none[32];
    char path[40];

    for (size_t i = 0; i < c->n_peers; i++) {
        const mgc_member *m = config_founder(c, c->peers[i].id);
        snprintf(path, sizeof path, "peers[%zu].public_key", i);
        if (m == NULL && memcmp(c->peers[i].public_key, none, 32) == 0)
            mgc_settings_fault(s, path, "is missing", "a member who is not in the genesis needs its public key here");
        if (m != NULL && memcmp(c->peers[i].public_key, none, 32) == 0) memcpy(c->peers[i].public_key, m->public_key, 32);
    }
}

static void read_config(mgc_settings *s, config *c)
{
    mgc_settings_keys(s, "", "format id genesis listen client client_address data key tls peers timing block_transactions queue_mib lost_store contracts log");
    c->id = (uint32_t)mgc_settings_whole(s, "id", 1, 1 << 20, MGC_SETTINGS_NEEDED);
    copy_text(s, "listen", NULL, c->listen, sizeof c->listen);
    copy_text(s, "client_address", "", c->client_address, sizeof c->client_address);
    if (c->client_address[0] != '\0' && strrchr(c->client_address, ':') == NULL)
        mgc_settings_fault(s, "client_address", "has no port", "127.0.0.1:7201, or [::1]:7201");
    read_files(s, c);
    read_timing(s, c);
    read_log(s, c);
    read_contracts(s, c);
    c->n_peers = mgc_settings_count(s, "peers");
    if (c->n_peers > PEERS_MAX) {
        mgc_settings_fault(s, "peers", "are more than 32", NULL);
        c->n_peers = 0;
    }
    for (uint32_t i = 0; i < c->n_peers; i++) read_peer(s, c, i);
}

bool config_load(mgc_ctx *ctx, const char *path, config *c)
{
    mgc_settings *s = NULL;
    mgc_status st = mgc_settings_load_file(ctx, path, "mgchain-node-1", &s);
    char genesis[PATH_BYTES] = "";
    bool ok = true;

    *c = (config){.log = SAY_INFO};
    folder_of(path, c->folder);
    if (s != NULL) {
        read_config(s, c);
        copy_path(s, c->folder, "genesis", NULL, genesis);
        if (genesis[0] != '\0') ok = load_genesis(ctx, genesis, c);
        if (ok) find_keys(s, c);
    }
    ok = tell(ctx, s, st) && ok;
    mgc_settings_destroy(s);
    return ok;
}

bool config_key(mgc_ctx *ctx, const char *key, const char *passphrase_file, mgc_key **out)
{
    size_t len = 0, pass_len = 0;
    char *pem = read_text(key, MGC_PEM_BYTES_MAX, &len), *pass = NULL;
    const char *given = getenv("MGCHAIN_PASSPHRASE");
    mgc_status st;

    *out = NULL;
    if (pem == NULL) {
        say(SAY_ERROR, "the key %s cannot be read", key);
        return false;
    }
    if (passphrase_file[0] != '\0') {
        pass = read_text(passphrase_file, 1024, &pass_len);
        if (pass == NULL) say(SAY_ERROR, "the pass phrase %s cannot be read", passphrase_file);
        else pass[strcspn(pass, "\r\n")] = '\0';
        given = pass;
    }
    st = mgc_key_from_pem(ctx, pem, len, given, out);
    if (st != MGC_OK) say(SAY_ERROR, "the key %s: %s; is the pass phrase right (%s)?", key, mgc_ctx_error(ctx),
                          passphrase_file[0] != '\0' ? passphrase_file : "MGCHAIN_PASSPHRASE");
    if (pass != NULL) memset(pass, 0, pass_len);
    free(pass);
    memset(pem, 0, len);
    free(pem);
    return st == MGC_OK;
}
