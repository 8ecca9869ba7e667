/* SPDX-License-Identifier: Apache-2.0 */
/* A whole member of an alliance: storage in a folder, datagrams between processes of one machine as transport, a clock, a
 * transaction to submit and a question to ask (member_market.c).  Start one process for each member:
 *
 *   cc member.c member_market.c $(pkg-config --cflags --libs mgchain) -o member
 *   ./member FOLDER ID MEMBERS        e.g. ./member /tmp/alliance 2 3
 *
 * It ends with 0 once the market is on this member's ledger, in a block that a quorum has signed.  Datagrams of the
 * others are not authenticated by the system, so every message is signed (opts.sign_messages).  A real host takes keys
 * from files (mgc_key_from_pem) and goes on for ever. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "member_market.h"

static struct host {
    const char *folder;
    int socket;
    uint32_t id;
} host;
static uint8_t bytes[1 << 18];

static struct sockaddr_un address(uint32_t id)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    snprintf(a.sun_path, sizeof a.sun_path, "%.90s/%u", host.folder, id);
    return a;
}

/* Best effort: what does not fit or find anybody is lost, and the node sends it again. */
static int32_t send_to(void *user, uint32_t to, const uint8_t *message, size_t len)
{
    struct sockaddr_un a = address(to);

    (void)user;
    (void)sendto(host.socket, message, len, MSG_DONTWAIT, (struct sockaddr *)&a, sizeof a);
    return MGC_CB_DONE;
}

static void receive_all(mgc_node *node, int wait_ms)
{
    struct pollfd p = {.fd = host.socket, .events = POLLIN};
    struct sockaddr_un a;
    socklen_t a_len = sizeof a;
    ssize_t len;

    if (poll(&p, 1, wait_ms) <= 0) return;
    while ((len = recvfrom(host.socket, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&a, &a_len)) >= 0) {
        const char *name = strrchr(a.sun_path, '/');
        TRY(mgc_node_receive(node, name == NULL ? 0 : (uint32_t)strtoul(name + 1, NULL, 10), bytes, (size_t)len));
        a_len = sizeof a;
    }
}

int main(int argc, char **argv)
{
    const mgc_transport_ops transport = {.struct_size = sizeof transport, .version = 1, .send = send_to};
    mgc_member members[16] = {{0}};
    mgc_storage_ops storage;
    void *storage_user;
    mgc_node_opts opts;
    mgc_ctx *ctx;
    mgc_node *node;
    uint64_t wake, end = now_ms() + 30000, stay = 0, ticket = 0;
    char path[120];

    if (argc != 4) return 2;
    host = (struct host){argv[1], socket(AF_UNIX, SOCK_DGRAM, 0), (uint32_t)strtoul(argv[2], NULL, 10)};
    struct sockaddr_un own = address(host.id);
    unlink(own.sun_path);
    if (bind(host.socket, (struct sockaddr *)&own, sizeof own) != 0) return 2;
    TRY(mgc_ctx_create(NULL, &ctx));
    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = host.id;
    opts.n_members = strtoul(argv[3], NULL, 10) % 17;
    opts.members = members;
    opts.chain = NULL;
    opts.sign_messages = 1;
    opts.block_interval_ms = 20;
    mgc_key *key = key_of(ctx, (uint8_t)host.id);
    opts.key = key;
    for (uint32_t i = 0; i < opts.n_members; i++) {
        mgc_key *other = key_of(ctx, (uint8_t)(i + 1));
        members[i].id = i + 1;
        TRY(mgc_key_public(other, members[i].public_key));
        mgc_key_destroy(other);
    }
    snprintf(path, sizeof path, "%.90s/store-%u", host.folder, host.id);
    TRY(mgc_storage_files(ctx, path, 1, &storage, &storage_user));
    TRY(mgc_node_create(ctx, &opts, &node));
    TRY(mgc_node_set_storage(node, &storage, storage_user));
    TRY(mgc_node_set_transport(node, &transport, NULL));
    TRY(mgc_node_start(node));
    if (host.id == 1) ticket = market_found(ctx, node, key);
    while (now_ms() < end && (stay == 0 || now_ms() < stay)) {
        TRY(mgc_node_step(node, now_ms(), &wake));
        receive_all(node, wake > now_ms() ? (int)(wake - now_ms()) : 0);
        if (stay == 0 && market_is_founded(node)) stay = now_ms() + 2000; /* others may need what this one has */
    }
    mgc_ticket_info info = {.struct_size = sizeof info};
    if (ticket != 0) TRY(mgc_ticket_state(node, ticket, &info));
    mgc_node_destroy(node);
    mgc_storage_files_destroy(storage_user);
    mgc_key_destroy(key);
    mgc_ctx_destroy(ctx);
    unlink(own.sun_path);
    return stay != 0 && (ticket == 0 || info.state == MGC_TICKET_COMMITTED) ? 0 : 1;
}
