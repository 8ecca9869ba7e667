/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t load_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void load_begin(load *l, uint32_t clients, uint32_t seconds)
{
    memset(l, 0, sizeof *l);
    l->n = l->n_idle = clients;
    for (uint32_t i = 0; i < clients; i++) l->idle[i] = i;
    l->begin_ns = load_now_ns();
    l->warm_ns = l->begin_ns + 1000000000u;
    l->end_ns = l->warm_ns + seconds * UINT64_C(1000000000);
}

bool load_over(const load *l)
{
    return load_now_ns() >= l->end_ns;
}

bool load_issue(load *l, uint32_t *client, uint8_t command[COMMAND_BYTES])
{
    if (l->n_idle == 0) return false;
    *client = l->idle[--l->n_idle];
    l->issued_ns[*client] = load_now_ns();
    memset(command, (int)(*client * 7 + 1), COMMAND_BYTES);
    memcpy(command, client, sizeof *client);
    return true;
}

void load_done(load *l, uint32_t client)
{
    uint64_t now = load_now_ns(), ns = now - l->issued_ns[client];
    int exponent = 63 - __builtin_clzll(ns | 1);
    uint64_t mantissa = exponent > 6 ? ns >> (exponent - 6) & 63 : 0;

    l->idle[l->n_idle++] = client;
    if (l->issued_ns[client] < l->warm_ns || now > l->end_ns) return;
    l->done++;
    l->histogram[exponent][mantissa]++;
}

static double quantile_ms(const load *l, double q)
{
    uint64_t want = (uint64_t)(q * (double)l->done), seen = 0;

    for (int e = 0; e < 64; e++)
        for (int m = 0; m < 64; m++) {
            seen += l->histogram[e][m];
            if (l->histogram[e][m] > 0 && seen > want) return (1.0 + (m + 0.5) / 64) * (double)(UINT64_C(1) << e) / 1e6;
        }
    return 0;
}

void load_print(const load *l, const char *what)
{
    double seconds = (double)(l->end_ns - l->warm_ns) / 1e9;

    printf("{\"what\":\"%s\",\"clients\":%u,\"ops_per_second\":%.0f,\"p05_ms\":%.3f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n", what, l->n,
           (double)l->done / seconds, quantile_ms(l, 0.05), quantile_ms(l, 0.5), quantile_ms(l, 0.99), quantile_ms(l, 0.9999999));
    fflush(stdout);
}

bool load_tcp_pair(int fds[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    bool ok;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ok = listener >= 0 && bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 1) == 0 &&
         getsockname(listener, (struct sockaddr *)&at, &len) == 0;
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    ok = ok && fds[0] >= 0 && connect(fds[0], (struct sockaddr *)&at, sizeof at) == 0;
    fds[1] = ok ? accept(listener, NULL, NULL) : -1;
    for (int i = 0; i < 2 && ok; i++)
        ok = fds[i] >= 0 && setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0 && fcntl(fds[i], F_SETFL, O_NONBLOCK) == 0;
    if (listener >= 0) (void)close(listener);
    return ok;
}
