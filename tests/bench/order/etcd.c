/* SPDX-License-Identifier: Apache-2.0 */
/* order_etcd PORT SECONDS CLIENTS: the same load on an etcd that listens there: puts of 256 bytes over its HTTP gateway, one
 * kept-alive connection a client, all in one thread of this process.  The gateway costs etcd some of its time. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

enum { BODY_MAX = 600 };

static load clients;
static int fds[LOAD_CLIENTS_MAX];
static char in[LOAD_CLIENTS_MAX][4096];
static size_t in_len[LOAD_CLIENTS_MAX];

static int dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) {
        perror("order_etcd: connecting");
        exit(1);
    }
    return fd;
}

/* A key of its own for each client; the value is the command in base64, as the gateway wants it. */
static void put(uint32_t client, const uint8_t command[COMMAND_BYTES])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char value[COMMAND_BYTES / 3 * 4 + 8], body[BODY_MAX], request[BODY_MAX + 200];
    size_t n = 0;
    int len, all;

    for (int i = 0; i + 2 < COMMAND_BYTES; i += 3) {
        uint32_t x = (uint32_t)command[i] << 16 | (uint32_t)command[i + 1] << 8 | command[i + 2];
        for (int k = 18; k >= 0; k -= 6) value[n++] = digits[x >> k & 63];
    }
    value[n++] = digits[command[COMMAND_BYTES - 1] >> 2];
    value[n++] = digits[(command[COMMAND_BYTES - 1] & 3) << 4];
    memcpy(value + n, "==", 3);
    len = snprintf(body, sizeof body, "{\"key\":\"AAAA%04uAAAA\",\"value\":\"%s\"}", client, value);
    all = snprintf(request, sizeof request, "POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len, body);
    if (write(fds[client], request, (size_t)all) != all) {
        perror("order_etcd: sending");
        exit(1);
    }
}

/* A whole answer: its head names the length of its body. */
static bool answered(uint32_t client)
{
    char *text = in[client], *end, *length;

    ssize_t n = read(fds[client], text + in_len[client], sizeof in[0] - 1 - in_len[client]);
    if (n <= 0) {
        fprintf(stderr, "order_etcd: the connection ended: %s\n", strerror(errno));
        exit(1);
    }
    in_len[client] += (size_t)n;
    text[in_len[client]] = '\0';
    end = strstr(text, "\r\n\r\n");
    length = strstr(text, "Content-Length: ");
    if (end == NULL || length == NULL || in_len[client] < (size_t)(end + 4 - text) + strtoul(length + 16, NULL, 10)) return false;
    if (strncmp(text, "HTTP/1.1 200", 12) != 0) {
        fprintf(stderr, "order_etcd: %s\n", text);
        exit(1);
    }
    in_len[client] = 0;
    return true;
}

int main(int argc, char **argv)
{
    static struct pollfd polls[LOAD_CLIENTS_MAX];
    uint8_t command[COMMAND_BYTES];
    uint32_t client, n;

    if (argc != 4 || (n = (uint32_t)atoi(argv[3])) < 1 || n > LOAD_CLIENTS_MAX) {
        fputs("usage: order_etcd PORT SECONDS CLIENTS\n", stderr);
        return 2;
    }
    for (uint32_t i = 0; i < n; i++) polls[i] = (struct pollfd){.fd = fds[i] = dial(atoi(argv[1])), .events = POLLIN};
    load_begin(&clients, n, (uint32_t)atoi(argv[2]));
    while (!load_over(&clients)) {
        while (load_issue(&clients, &client, command)) put(client, command);
        if (poll(polls, n, 1000) < 0) return 1;
        for (uint32_t i = 0; i < n; i++)
            if (polls[i].revents != 0 && answered(i)) load_done(&clients, i);
    }
    load_print(&clients, "etcd");
    return 0;
}
