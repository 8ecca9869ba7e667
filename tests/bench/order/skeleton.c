/* SPDX-License-Identifier: Apache-2.0 */
/* order_skeleton FOLDER SECONDS CLIENTS: how fast replication could be here if nothing else were done: a leader that is never
 * elected sends blocks to two followers while it writes them itself; each writes into a preallocated file and syncs; done when
 * two of three have it.  No terms, no hashes, no recovery: a bound, not a protocol. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

enum { BLOCK_MAX = 1024, FILE_BYTES = 1 << 26, SECTOR = 512, WINDOW = 64 };

static off_t at;

static int open_log(const char *folder, int id)
{
    static uint8_t zeros[1 << 20];
    char path[1024];
    int fd;

    snprintf(path, sizeof path, "%s/skeleton-%d", folder, id);
    fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    for (int i = 0; i < FILE_BYTES >> 20 && fd >= 0; i++)
        if (write(fd, zeros, sizeof zeros) != (ssize_t)sizeof zeros) return -1;
    return fd < 0 || fsync(fd) != 0 ? -1 : fd;
}

static void store(int fd, const uint8_t *bytes, size_t len)
{
    size_t whole = (len + SECTOR - 1) / SECTOR * SECTOR;

    if (at + (off_t)whole > FILE_BYTES) at = 0; /* round and round: no segment is ever made under load */
    if (pwrite(fd, bytes, len, at) != (ssize_t)len || fdatasync(fd) != 0) exit(1);
    at += (off_t)whole;
}

static void read_all(int fd, void *to, size_t len)
{
    for (uint8_t *p = to; len > 0;) {
        ssize_t n = read(fd, p, len);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            struct pollfd wait_for = {.fd = fd, .events = POLLIN};
            (void)poll(&wait_for, 1, -1);
            continue;
        }
        if (n <= 0) _exit(0);
        p += n;
        len -= (size_t)n;
    }
}

static void write_all(int fd, const void *from, size_t len)
{
    for (const uint8_t *p = from; len > 0;) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            struct pollfd wait_for = {.fd = fd, .events = POLLOUT};
            (void)poll(&wait_for, 1, -1);
            continue;
        }
        if (n <= 0) exit(1);
        p += n;
        len -= (size_t)n;
    }
}

static void follow(int fd, int log)
{
    static uint8_t block[16 + BLOCK_MAX * COMMAND_BYTES];

    for (;;) {
        uint64_t head[2]; /* number, bytes */
        read_all(fd, head, sizeof head);
        memcpy(block, head, sizeof head);
        read_all(fd, block + 16, head[1]);
        store(log, block, 16 + head[1]);
        write_all(fd, head, 8);
    }
}

static void lead(const int fds[2], int log, uint32_t clients, uint32_t seconds)
{
    static uint8_t block[16 + BLOCK_MAX * COMMAND_BYTES];
    static uint32_t in_block[WINDOW][BLOCK_MAX], n_in[WINDOW];
    static load l;
    uint64_t sent = 0, acked[2] = {0, 0}, own = 0, done = 0;

    load_begin(&l, clients, seconds);
    while (!load_over(&l)) {
        struct pollfd polls[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};
        uint32_t n = 0, *list = in_block[(sent + 1) % WINDOW];
        while (sent - done < WINDOW - 1 && n < BLOCK_MAX && load_issue(&l, &list[n], block + 16 + n * COMMAND_BYTES)) n++;
        if (n > 0) {
            uint64_t head[2] = {++sent, n * COMMAND_BYTES};
            n_in[sent % WINDOW] = n;
            memcpy(block, head, sizeof head);
            for (int i = 0; i < 2; i++) write_all(fds[i], block, 16 + head[1]);
            store(log, block, 16 + head[1]);
            own = sent;
        }
        if (poll(polls, 2, n > 0 ? 0 : 100) < 0) exit(1);
        for (int i = 0; i < 2; i++)
            if (polls[i].revents != 0) read_all(fds[i], &acked[i], 8);
        uint64_t most = acked[0] > acked[1] ? acked[0] : acked[1], least = acked[0] < acked[1] ? acked[0] : acked[1];
        uint64_t commit = most < own ? most : least > own ? least : own;
        while (done < commit) {
            done++;
            for (uint32_t i = 0; i < n_in[done % WINDOW]; i++) load_done(&l, in_block[done % WINDOW][i]);
        }
    }
    load_print(&l, "skeleton");
}

int main(int argc, char **argv)
{
    int mine[2];
    pid_t pids[2];

    if (argc != 4 || atoi(argv[3]) < 1 || atoi(argv[3]) > BLOCK_MAX) {
        fputs("usage: order_skeleton FOLDER SECONDS CLIENTS\n", stderr);
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        int pair[2];
        if (!load_tcp_pair(pair)) return 1;
        pids[i] = fork();
        if (pids[i] == 0) {
            (void)close(pair[0]);
            follow(pair[1], open_log(argv[1], i + 2));
        }
        (void)close(pair[1]);
        mine[i] = pair[0];
    }
    lead(mine, open_log(argv[1], 1), (uint32_t)atoi(argv[3]), (uint32_t)atoi(argv[2]));
    for (int i = 0; i < 2; i++) {
        kill(pids[i], SIGKILL);
        (void)waitpid(pids[i], NULL, 0);
    }
    return 0;
}
