/* SPDX-License-Identifier: Apache-2.0 */
/* A whole member of an alliance: storage in a folder, datagrams between processes of one machine as transport, and a
 * clock.  What it does with its node is in member_market.c.  Start one process for each member; Ctrl-C ends it:
 *
 *   cc member.c member_market.c $(pkg-config --cflags --libs mgchain) -o member
 *   ./member FOLDER ID MEMBERS            e.g. ./member /tmp/alliance 2 3; the same again: it goes on where it was
 *   ./member FOLDER ID MEMBERS NEWCOMER   the same, and this member approves that NEWCOMER joins
 *
 * Who has an ID above MEMBERS joins, once more than half of the voters have approved: ./member /tmp/alliance 4 3.
 * Datagrams of the others are not authenticated by the system, so every message is signed (opts.sign_messages).  A real
 * host takes keys from files (mgc_key_from_pem). */
#include "member_market.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char *folder;
static volatile sig_atomic_t stopped;

static void stop(int number)
{
    stopped = number;
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static struct sockaddr_un address(uint32_t id)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(a.sun_path, sizeof a.sun_path, "%.90s/%u", folder, id);
    return a;
}

/* Best effort: what does not fit or find anybody is lost, and the node sends it again. */
static int32_t send_to(void *user, uint32_t to, const uint8_t *message, size_t len)
{
    struct sockaddr_un a = address(to);

    (void)sendto(*(int *)user, message, len, MSG_DONTWAIT, (struct sockaddr *)&a, sizeof a);
    return MGC_CB_DONE;
}

/* The next message, if one comes meanwhile; a signal ends the wait. */
static void receive(mgc_node *node, int fd, int wait_ms)
{
    static uint8_t bytes[1 << 18];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct sockaddr_un a;
    socklen_t a_len = sizeof a;

    if (poll(&p, 1, wait_ms) <= 0) return;
    ssize_t len = recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&a, &a_len);
    const char *name = len < 0 ? NULL : strrchr(a.sun_path, '/');
    if (name != NULL) TRY(mgc_node_receive(node, (uint32_t)strtoul(name + 1, NULL, 10), bytes, (size_t)len));
}

int main(int argc, char **argv)
{
    mgc_member founders[16];
    mgc_node_opts opts;
    mgc_storage_ops storage;
    mgc_ctx *ctx;
    mgc_node *node;
    void *files;
    uint64_t now, wake;
    char path[120];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    const mgc_transport_ops transport = {.struct_size = sizeof transport, .version = 1, .send = send_to};

    if (argc < 4) return 2;
    signal(SIGINT, stop);
    signal(SIGTERM, stop);
    folder = argv[1];
    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = (uint32_t)strtoul(argv[2], NULL, 10);
    opts.n_members = strtoul(argv[3], NULL, 10) % 17;
    struct sockaddr_un own = address(opts.id);
    unlink(own.sun_path);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) != 0) return 2;
    TRY(mgc_ctx_create(NULL, &ctx));
    mgc_key *key = key_of(ctx, opts.id);
    for (uint32_t i = 0; i < opts.n_members; i++) founders[i] = member_of(ctx, i + 1);
    opts.key = key;
    opts.members = founders;
    opts.join = opts.id > opts.n_members;
    opts.chain = NULL;
    opts.sign_messages = 1;
    snprintf(path, sizeof path, "%.90s/store-%u", folder, opts.id);
    TRY(mgc_storage_files(ctx, path, 1, &storage, &files));
    TRY(mgc_node_create(ctx, &opts, &node));
    TRY(mgc_node_set_storage(node, &storage, files));
    TRY(mgc_node_set_transport(node, &transport, &fd));
    TRY(mgc_node_start(node));
    if (argc > 4) approve(ctx, node, (uint32_t)strtoul(argv[4], NULL, 10));
    while (stopped == 0) {
        now = now_ms();
        TRY(mgc_node_step(node, now, &wake));
        receive(node, fd, wake > now ? (int)(wake - now) : 0);
        market_go_on(ctx, node, &opts);
    }
    mgc_node_destroy(node);
    mgc_storage_files_destroy(files);
    mgc_key_destroy(key);
    mgc_ctx_destroy(ctx);
    return 0;
}
