/* SPDX-License-Identifier: Apache-2.0 */
/* bank_flood NETWORK CLIENTS EACH [WINDOW]: how many transactions signed by their clients a second three members acknowledge.
 * Each client signs EACH transfers beforehand; then all are handed to member 1, WINDOW (200) of each client under way, and the
 * time until the last answer is taken.  With a window of 1 one transaction at a time is under way, of whichever client, and it is
 * told how long each waited until its block was final.  On stdout one JSON object. */
#include <inttypes.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bank_client.h"

static uint32_t each, window = 200;
static uint64_t *waited_us[CLIENTS_LIMIT];
static char **requests[CLIENTS_LIMIT];
static pthread_barrier_t all_ready;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void sign_all(user *u)
{
    uint8_t arguments[BANK_ARGUMENTS];
    uint64_t nonce = 0;
    deed d = {.contract = BANK_CONTRACT, .method = "transfer", .arguments = arguments, .len = sizeof arguments, .signers = {u->key},
              .roles = {MGC_ROLE_USER}, .n = 1};

    requests[u->number - 1] = calloc(each, sizeof **requests);
    waited_us[u->number - 1] = calloc(each, sizeof **waited_us);
    if (requests[u->number - 1] == NULL || waited_us[u->number - 1] == NULL) fail("memory", "none left");
    for (uint32_t i = 0; i < each; i++) {
        bank_arguments(arguments, 1 + u->number % ACCOUNTS, 1 + (u->number + 1) % ACCOUNTS, 1 + i % 2);
        requests[u->number - 1][i] = sign(u, &d, &nonce);
        nonce++;
    }
}

static void send_one(user *u, const char *request)
{
    size_t len = strlen(request), done = 0;

    while (done < len + 1) {
        ssize_t n = done < len ? send(u->fd, request + done, len - done, MSG_NOSIGNAL) : send(u->fd, "\n", 1, MSG_NOSIGNAL);
        if (n <= 0) fail("sending", "the member went away");
        done += (size_t)n;
    }
}

static uint64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void *flood(void *arg)
{
    user *u = arg;
    uint32_t sent = 0, answered = 0;
    uint64_t began;
    static _Thread_local char bytes[1 << 16];

    (void)pthread_barrier_wait(&all_ready);
    while (answered < each) {
        if (window == 1) (void)pthread_mutex_lock(&turn);
        began = now_us();
        while (sent < each && sent - answered < window) send_one(u, requests[u->number - 1][sent++]);
        ssize_t n = read(u->fd, bytes, sizeof bytes);
        if (n <= 0) fail("reading", "the member went away or was silent for ten seconds");
        for (ssize_t i = 0; i < n; i++)
            if (bytes[i] == '\n') waited_us[u->number - 1][answered++] = now_us() - began;
        if (window == 1) (void)pthread_mutex_unlock(&turn);
    }
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static double waited_ms(uint32_t per_cent)
{
    uint64_t *all = calloc((size_t)n_users * each, sizeof *all), us;

    if (all == NULL) fail("memory", "none left");
    for (uint32_t i = 0; i < n_users; i++) memcpy(all + (size_t)i * each, waited_us[i], each * sizeof *all);
    qsort(all, (size_t)n_users * each, sizeof *all, by_time);
    us = all[((uint64_t)n_users * each - 1) * per_cent / 100];
    free(all);
    return (double)us / 1000;
}

int main(int argc, char **argv)
{
    static user users[CLIENTS_LIMIT];
    uint64_t began;

    if (argc > 4) window = (uint32_t)atoi(argv[4]);
    if (argc < 4 || argc > 5 || (each = (uint32_t)atoi(argv[3])) == 0 || window == 0) fail("usage", "bank_flood NETWORK CLIENTS EACH [WINDOW]");
    begin_users(users, argv[1], 1, (uint32_t)atoi(argv[2]));
    for (uint32_t i = 0; i < n_users; i++) sign_all(&users[i]);
    if (pthread_barrier_init(&all_ready, NULL, n_users + 1) != 0) return 1;
    for (uint32_t i = 0; i < n_users; i++)
        if (pthread_create(&users[i].thread, NULL, flood, &users[i]) != 0) fail("thread", "none left");
    (void)pthread_barrier_wait(&all_ready);
    began = steady_ms();
    for (uint32_t i = 0; i < n_users; i++) (void)pthread_join(users[i].thread, NULL);
    printf("{\"what\":\"signed transactions\",\"transactions\":%" PRIu32 ",\"seconds\":%.3f,\"per_second\":%.0f", n_users * each,
           (double)(steady_ms() - began) / 1000, (double)n_users * each * 1000 / (double)(steady_ms() - began + 1));
    if (window == 1) printf(",\"p05_ms\":%.3f,\"p50_ms\":%.3f,\"p99_ms\":%.3f", waited_ms(5), waited_ms(50), waited_ms(99));
    puts("}");
    return fflush(stdout) == 0 ? 0 : 1;
}
