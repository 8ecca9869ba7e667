/* SPDX-License-Identifier: Apache-2.0 */
/* The other end of the local socket, or of a member's address for clients. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "node.h"

/* A configuration names the socket; anything else is one. */
static bool socket_of(const char *path, char out[PATH_BYTES])
{
    size_t n = strlen(path);
    mgc_ctx *ctx = NULL;
    static config c;
    bool ok = true;

    if (n < 5 || strcmp(path + n - 5, ".yaml") != 0) return snprintf(out, PATH_BYTES, "%s", path) < PATH_BYTES;
    if (mgc_ctx_create(NULL, &ctx) != MGC_OK || !config_load(ctx, path, &c)) ok = false;
    else memcpy(out, c.client, PATH_BYTES);
    mgc_ctx_destroy(ctx);
    return ok;
}

static bool dial(caller *c, const char *address)
{
    struct sockaddr_storage to;
    socklen_t len;
    char error[TCP_ERROR_MAX];

    if (!tcp_look_up(address, false, &to, &len, error)) {
        fprintf(stderr, "mgchain-node: %s\n", error);
        return false;
    }
    c->fd = socket(to.ss_family, SOCK_STREAM, 0);
    if (c->fd >= 0 && connect(c->fd, (struct sockaddr *)&to, len) == 0) return true;
    fprintf(stderr, "mgchain-node: no member answers at %s: %s\n", address, strerror(errno));
    caller_close(c);
    return false;
}

bool caller_open(caller *c, const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char name[PATH_BYTES];

    *c = (caller){.fd = -1};
    if (strchr(path, '/') == NULL && strrchr(path, ':') != NULL && access(path, F_OK) != 0) return dial(c, path);
    if (!socket_of(path, name)) return false;
    if (strlen(name) < sizeof at.sun_path) {
        memcpy(at.sun_path, name, strlen(name) + 1);
        c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (c->fd >= 0 && connect(c->fd, (struct sockaddr *)&at, sizeof at) == 0) return true;
    }
    fprintf(stderr, "mgchain-node: no member answers at %s: %s\n", name, strerror(errno));
    caller_close(c);
    return false;
}

void caller_close(caller *c)
{
    if (c->fd >= 0) (void)close(c->fd);
    free(c->in);
    *c = (caller){.fd = -1};
}

static bool send_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

bool caller_ask(caller *c, const char *request, char **reply)
{
    char *end = NULL;

    c->in_len = 0;
    *reply = NULL;
    bool ok = send_all(c->fd, request, strlen(request)) && send_all(c->fd, "\n", 1);
    while (ok && end == NULL) {
        ssize_t n;
        if (c->in_cap - c->in_len < 65536) {
            char *larger = realloc(c->in, c->in_cap * 2 + 131072);
            if (larger == NULL) return false;
            c->in = larger;
            c->in_cap = c->in_cap * 2 + 131072;
        }
        n = read(c->fd, c->in + c->in_len, c->in_cap - c->in_len - 1);
        if (n < 0 && errno == EINTR) continue;
        ok = n > 0;
        if (ok) end = memchr(c->in + c->in_len, '\n', (size_t)n);
        if (ok) c->in_len += (size_t)n;
    }
    if (end == NULL) {
        fputs("mgchain-node: the member went away before it answered\n", stderr);
        return false;
    }
    *end = '\0';
    *reply = c->in;
    return true;
}

static int ask_and_print(const char *where, const char *request)
{
    caller c;
    char *reply, error[512];
    int code = EXIT_PEER;

    if (!caller_open(&c, where)) return EXIT_PEER;
    if (caller_ask(&c, request, &reply)) {
        puts(reply);
        code = strncmp(reply, "{\"error\"", 8) == 0 && line_get(reply, "error", error, sizeof error) ? EXIT_INPUT : EXIT_DONE;
    }
    caller_close(&c);
    return code;
}

static void print_field(const char *reply, const char *key)
{
    char pattern[40];
    const char *at;

    snprintf(pattern, sizeof pattern, "\"%s\":", key);
    at = strstr(reply, pattern);
    if (at == NULL) return;
    at += strlen(pattern);
    at += *at == '"';
    printf("%-20s %.*s\n", key, (int)strcspn(at, ",\"}"), at);
}

int cmd_status(int argc, char **argv)
{
    static const char *const keys[] = {"id", "role", "leader", "term", "standing", "voters", "learners", "height", "final_height", "blocks", "transactions", "waiting", "mended", "version"};
    bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
    caller c;
    char *reply;

    if (argc < 1 || (argc > 1 && !json)) {
        fputs("usage: mgchain-node status CONFIG|SOCKET [--json]\n", stderr);
        return EXIT_USAGE;
    }
    if (json) return ask_and_print(argv[0], "{\"do\":\"status\"}");
    if (!caller_open(&c, argv[0])) return EXIT_PEER;
    bool ok = caller_ask(&c, "{\"do\":\"status\"}", &reply);
    for (size_t i = 0; ok && i < sizeof keys / sizeof keys[0]; i++) print_field(reply, keys[i]);
    for (const char *s = ok ? strstr(reply, "\"peers\":[") : NULL; s != NULL && (s = strchr(s, '{')) != NULL; s++)
        printf("%-20s %.*s\n", "peer", (int)strcspn(s, "}") + 1, s);
    caller_close(&c);
    return ok ? EXIT_DONE : EXIT_PEER;
}

int cmd_members(int argc, char **argv)
{
    if (argc == 1) return ask_and_print(argv[0], "{\"do\":\"members\"}");
    fputs("usage: mgchain-node members CONFIG|SOCKET\n", stderr);
    return EXIT_USAGE;
}

/* Approve, at this member, that another one joins or leaves; its key is that of the configuration's peers. */
int cmd_change(int argc, char **argv, bool joins)
{
    static config c;
    const peer_config *peer = NULL;
    const char *to = joins ? "voter" : "removed";
    mgc_ctx *ctx = NULL;
    char request[300], hex[65];
    uint8_t none[32] = {0};
    bool ok = argc == 2 || (joins && argc == 3 && strcmp(argv[2], "--learner") == 0);

    if (!ok) {
        fprintf(stderr, "usage: mgchain-node %s\n", joins ? "join CONFIG ID [--learner]" : "leave CONFIG ID");
        return EXIT_USAGE;
    }
    if (argc == 3) to = "learner";
    ok = mgc_ctx_create(NULL, &ctx) == MGC_OK && config_load(ctx, argv[0], &c);
    mgc_ctx_destroy(ctx);
    if (!ok) return EXIT_INPUT;
    uint32_t id = (uint32_t)strtoul(argv[1], NULL, 10);
    for (size_t i = 0; i < c.n_peers; i++)
        if (c.peers[i].id == id) peer = &c.peers[i];
    if (peer == NULL && joins) {
        fprintf(stderr, "mgchain-node: %s names no peer %s; add it there with address and public_key, and send SIGHUP\n", argv[0], argv[1]);
        return EXIT_INPUT;
    }
    const mgc_member *founder = config_founder(&c, id);
    to_hex(peer != NULL ? peer->public_key : founder != NULL ? founder->public_key : none, 32, hex);
    snprintf(request, sizeof request, "{\"do\":\"change\",\"to\":\"%s\",\"id\":%u,\"public_key\":\"%s\"}", to, (unsigned)id, hex);
    return ask_and_print(c.client, request);
}

int cmd_query(int argc, char **argv)
{
    line request = {.text = NULL};
    const char *as = "0";
    int code;

    if (argc == 5 && strcmp(argv[3], "--as") == 0 && strspn(argv[4], "0123456789") == strlen(argv[4])) as = argv[4];
    else if (argc != 2 && argc != 3) {
        fputs("usage: mgchain-node query CONFIG|SOCKET|HOST:PORT WHAT [ARGUMENTS [--as MEMBER]]\n", stderr);
        return EXIT_USAGE;
    }
    line_add(&request, "{\"do\":\"query\",\"what\":");
    line_quoted(&request, argv[1]);
    line_add(&request, ",\"arguments\":");
    line_quoted(&request, argc > 2 ? argv[2] : "");
    line_add(&request, ",\"caller\":%s}", as);
    code = request.failed ? EXIT_INTERNAL : ask_and_print(argv[0], request.text);
    free(request.text);
    return code;
}

/* reply: borrowed from the caller, whose next answer takes its place. */
static int told_and_proved(caller *c, const char *contract, const char *reply, const char *trust, const char *proof)
{
    char *told = malloc(strlen(reply) + 1);
    int code;

    if (told == NULL) return EXIT_INTERNAL;
    memcpy(told, reply, strlen(reply) + 1);
    code = receipt_fetch(c, contract, told, trust, proof);
    free(told);
    return code;
}

int cmd_submit(int argc, char **argv)
{
    line request = {.text = NULL};
    const char *where = argv[0], *trust = NULL, *proof = NULL;
    char *reply, state[16] = "", *tx = NULL;
    caller c;
    int code = EXIT_INPUT;

    for (; argc > 2 && strncmp(argv[1], "--", 2) == 0; argc -= 2, argv += 2) {
        if (strcmp(argv[1], "--trust") == 0) trust = argv[2];
        else if (strcmp(argv[1], "--proof") == 0) proof = argv[2];
        else break;
    }
    if (argc < 3 || strncmp(argv[1], "--", 2) == 0 || (proof != NULL && trust == NULL)) {
        fputs("usage: mgchain-node submit CONFIG|SOCKET|HOST:PORT [--trust CHAINID [--proof FILE]] CONTRACT METHOD [FIELD=VALUE ...] KEYFILE:ROLE ...\n"
              "  CONTRACT a number or information, trading, scheduling, settlement, supervision, credit\n"
              "  VALUE    a number, a text, #hexadecimal bytes; rows as 1,2,3;4,5,6\n"
              "  CHAINID  what is trusted: the receipt is asked for with its proof, which is checked, and kept in FILE\n"
              "  KEYFILE  PEM, its pass phrase beside it as .pass or in MGCHAIN_PASSPHRASE; ROLE a number or its name\n", stderr);
        return EXIT_USAGE;
    }
    if (!caller_open(&c, where)) return EXIT_PEER;
    tx = sign_words(&c, argc - 1, argv + 1);
    if (tx != NULL) {
        line_add(&request, "{\"do\":\"submit\",\"tx\":\"%s\"}", tx);
        code = EXIT_PEER;
        if (!request.failed && caller_ask(&c, request.text, &reply)) {
            puts(reply);
            code = line_get(reply, "state", state, sizeof state) && strcmp(state, "committed") == 0 ? EXIT_DONE : EXIT_INPUT;
            if (trust != NULL) code = told_and_proved(&c, argv[1], reply, trust, proof);
        }
    }
    free(request.text);
    free(tx);
    caller_close(&c);
    return code;
}
