/* SPDX-License-Identifier: Apache-2.0 */
/* order_libraft FOLDER PORT SECONDS CLIENTS: the same load on Debian's libraft (C-Raft) with its own libuv storage and
 * transport: three members as processes on loopback, defaults but for the snapshot, which is put off, as in ours. */
#include <raft.h>
#include <raft/uv.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

enum { N = 3 };

static struct raft raft;
static struct raft_apply requests[LOAD_CLIENTS_MAX];
static load clients;
static bool loading;
static uint32_t seconds, n_clients;

static void need(int status, const char *what)
{
    if (status == 0) return;
    fprintf(stderr, "order_libraft: %s: %s %s\n", what, raft_strerror(status), raft_errmsg(&raft));
    exit(1);
}

static int apply(struct raft_fsm *fsm, const struct raft_buffer *buf, void **result)
{
    (void)fsm;
    (void)buf;
    *result = NULL;
    return 0;
}

static int snapshot(struct raft_fsm *fsm, struct raft_buffer *bufs[], unsigned *n_bufs)
{
    (void)fsm;
    *n_bufs = 1;
    *bufs = raft_malloc(sizeof **bufs);
    (*bufs)[0].len = 8;
    (*bufs)[0].base = raft_malloc(8);
    return 0;
}

static int restore(struct raft_fsm *fsm, struct raft_buffer *buf)
{
    (void)fsm;
    raft_free(buf->base);
    return 0;
}

static void issue_all(void);

static void done(struct raft_apply *request, int status, void *result)
{
    (void)result;
    need(status, "apply");
    load_done(&clients, (uint32_t)(request - requests));
    if (load_over(&clients)) {
        load_print(&clients, "libraft");
        exit(0);
    }
    issue_all();
}

static void issue_all(void)
{
    uint8_t command[COMMAND_BYTES];
    uint32_t client;

    while (load_issue(&clients, &client, command)) {
        struct raft_buffer buf = {.base = raft_malloc(COMMAND_BYTES), .len = COMMAND_BYTES};
        memcpy(buf.base, command, COMMAND_BYTES);
        need(raft_apply(&raft, &requests[client], &buf, 1, done), "apply");
    }
}

/* The leader begins once the others answer. */
static void look(uv_timer_t *timer)
{
    (void)timer;
    if (loading || raft_state(&raft) != RAFT_LEADER) return;
    loading = true;
    load_begin(&clients, n_clients, seconds);
    issue_all();
}

static void member(const char *folder, unsigned id, int port)
{
    static struct uv_loop_s loop;
    static struct raft_uv_transport transport;
    static struct raft_io io;
    static struct raft_fsm fsm = {.version = 1, .apply = apply, .snapshot = snapshot, .restore = restore};
    static uv_timer_t timer;
    struct raft_configuration configuration;
    char own[1024], address[64];

    snprintf(own, sizeof own, "%s/libraft-%u", folder, id);
    (void)mkdir(own, 0700);
    need(uv_loop_init(&loop), "loop");
    need(raft_uv_tcp_init(&transport, &loop), "tcp");
    need(raft_uv_init(&io, &loop, own, &transport), "io");
    raft_uv_set_connect_retry_delay(&io, 50);
    snprintf(address, sizeof address, "127.0.0.1:%d", port + (int)id);
    need(raft_init(&raft, &io, &fsm, id, address), "init");
    raft_configuration_init(&configuration);
    for (unsigned i = 1; i <= N; i++) {
        snprintf(address, sizeof address, "127.0.0.1:%d", port + (int)i);
        need(raft_configuration_add(&configuration, i, address, RAFT_VOTER), "configuration");
    }
    need(raft_bootstrap(&raft, &configuration), "bootstrap");
    raft_set_snapshot_threshold(&raft, 1u << 30);
    raft_set_pre_vote(&raft, true);
    need(raft_start(&raft), "start");
    need(uv_timer_init(&loop, &timer), "timer");
    need(uv_timer_start(&timer, look, 1500, 100), "timer");
    uv_run(&loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv)
{
    pid_t pids[N + 1], first;
    int status = 1;

    if (argc != 5 || atoi(argv[4]) < 1 || atoi(argv[4]) > LOAD_CLIENTS_MAX) {
        fputs("usage: order_libraft FOLDER PORT SECONDS CLIENTS\n", stderr);
        return 2;
    }
    seconds = (uint32_t)atoi(argv[3]);
    n_clients = (uint32_t)atoi(argv[4]);
    for (unsigned i = 1; i <= N; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            member(argv[1], i, atoi(argv[2]));
            _exit(0);
        }
    }
    first = wait(&status);
    for (unsigned i = 1; i <= N; i++)
        if (pids[i] != first) {
            kill(pids[i], SIGKILL);
            (void)waitpid(pids[i], NULL, 0);
        }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
