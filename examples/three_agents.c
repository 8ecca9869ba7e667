/* SPDX-License-Identifier: Apache-2.0 */
/* Three members bargain in three processes that share nothing but sockets.  Each process knows its own site alone;
 * what crosses the sockets are proposals of trades and payments, with round numbers.
 *
 *   cc three_agents.c $(pkg-config --cflags --libs mgchain) -o three_agents && ./three_agents
 *
 * The agent is a pure state machine: bytes that arrived go in, bytes to send come out, with the time at which it
 * wants to be asked again.  Any transport will do; messages may be lost, repeated and late (the agent repeats what is
 * not answered). */
#define _POSIX_C_SOURCE 200809L
#include <mgchain/mgchain.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MEMBERS = 3, PERIODS = 4 };

#define TRY(call)                                                                                                    \
    do {                                                                                                             \
        mgc_status try_status = (call);                                                                              \
        if (try_status != MGC_OK) return try_status;                                                                 \
    } while (0)

static const char *const id[MEMBERS] = {"farm", "dairy", "mill"};
static const double price[PERIODS] = {0.20, 0.20, 0.35, 0.35};
static const double demand[MEMBERS][PERIODS] = {{30, 30, 40, 40}, {80, 100, 100, 80}, {60, 60, 90, 120}};
static const double sun[MEMBERS][PERIODS] = {{40, 180, 120, 0}, {0}, {10, 30, 20, 0}};

/* A member's own site and the links that end there.  The neighbours' sites are not in it: nobody hands them over. */
static mgc_status build(mgc_ctx *ctx, int own, mgc_model **model)
{
    mgc_microgrid *site;
    mgc_device *device;
    mgc_link *link;

    TRY(mgc_model_create(ctx, PERIODS, 1.0, model));
    TRY(mgc_model_set_series(*model, "buy_price_per_kwh", price, PERIODS));
    TRY(mgc_model_set_number(*model, "sell_price_per_kwh", 0.05));
    TRY(mgc_model_set_number(*model, "realtime_buy_price_per_kwh", 0.50));
    TRY(mgc_model_add_microgrid(*model, id[own], 1, &site));
    TRY(mgc_microgrid_add_device(site, "load", "demand", &device));
    TRY(mgc_device_set_text(device, "carrier", "electricity"));
    TRY(mgc_device_set_series(device, "demand_kw", demand[own], PERIODS));
    TRY(mgc_microgrid_add_device(site, "pv", "roof", &device));
    TRY(mgc_device_set_series(device, "available_kw", sun[own], PERIODS));
    for (int i = 0; i < MEMBERS; i++)
        for (int j = i + 1; j < MEMBERS; j++) {
            if (i != own && j != own) continue;
            TRY(mgc_model_add_link(*model, id[i], id[j], "electricity", &link));
            TRY(mgc_link_set_number(link, "capacity_kw", 60));
            TRY(mgc_link_set_number(link, "fee_per_kwh", 0.01));
        }
    return MGC_OK;
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The host's loop: ask, send what comes out, wait for what comes in, hand it in.  peer[j]: the socket to member j. */
static mgc_status bargain(mgc_agent *agent, const int peer[MEMBERS])
{
    static uint8_t bytes[MGC_AGENT_MESSAGE_MAX];

    for (;;) {
        struct pollfd wait[MEMBERS];
        mgc_agent_output out;
        /* here it solves; everything in out is borrowed until the next call */
        TRY(mgc_agent_poll(agent, now_ms(), &out));
        for (size_t i = 0; i < out.n_messages; i++)
            for (int j = 0; j < MEMBERS; j++)
                if (peer[j] >= 0 && strcmp(out.messages[i].to, id[j]) == 0)
                    /* lost? it will be repeated */
                    (void)send(peer[j], out.messages[i].bytes, out.messages[i].len, MSG_NOSIGNAL);
        if (out.state != MGC_AGENT_RUNNING) { /* said only once its last messages are out */
            if (out.state != MGC_AGENT_AGREED) fprintf(stderr, "%s\n", out.reason);
            return out.state == MGC_AGENT_AGREED ? MGC_OK : MGC_E_STATE;
        }
        for (int j = 0; j < MEMBERS; j++)
            wait[j] = (struct pollfd){.fd = peer[j], .events = POLLIN}; /* fd -1: passed over */
        uint64_t now = now_ms();
        (void)poll(wait, MEMBERS, out.wake_ms > now ? (int)(out.wake_ms - now) : 0);
        for (int j = 0; j < MEMBERS; j++) {
            ssize_t len = wait[j].revents & POLLIN ? recv(peer[j], bytes, sizeof bytes, 0) : 0;
            /* Who sent it is the transport's word: here the socket, elsewhere a certificate.  Nonsense is refused,
             * counted, and never fatal. */
            if (len > 0) TRY(mgc_agent_receive(agent, now_ms(), id[j], bytes, (size_t)len));
        }
    }
}

/* One member's process. */
static int member(int own, const int peer[MEMBERS])
{
    mgc_ctx *ctx = NULL;
    mgc_model *model = NULL;
    mgc_agent *agent = NULL;
    mgc_agreement a = {.struct_size = sizeof a};

    mgc_status st = mgc_ctx_create(NULL, &ctx);
    if (st == MGC_OK) st = build(ctx, own, &model);
    if (st == MGC_OK) st = mgc_agent_create(ctx, model, id[own], NULL, &agent);
    if (st == MGC_OK) st = bargain(agent, peer);
    if (st == MGC_OK) st = mgc_agent_agreement(agent, &a);
    if (st == MGC_OK)
        printf("%-5s alone %.6f, together %.6f, pays %.6f, in all %.6f\n", id[own], a.standalone_cost, a.cost,
               a.payment, a.final_cost);
    else fprintf(stderr, "%s: %s: %s\n", id[own], mgc_status_name(st), ctx != NULL ? mgc_ctx_error(ctx) : "");
    mgc_agent_destroy(agent);
    mgc_model_destroy(model);
    mgc_ctx_destroy(ctx);
    return st == MGC_OK ? 0 : 1;
}

int main(void)
{
    int peer[MEMBERS][MEMBERS] = {{-1, -1, -1}, {-1, -1, -1}, {-1, -1, -1}}, failed = 0, status;

    for (int i = 0; i < MEMBERS; i++)
        for (int j = i + 1; j < MEMBERS; j++) {
            int pair[2]; /* SEQPACKET keeps messages apart; over TCP a host frames them itself */
            if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0) return perror("socketpair"), 1;
            peer[i][j] = pair[0], peer[j][i] = pair[1];
        }
    for (int i = 0; i < MEMBERS; i++) {
        pid_t child = fork();
        if (child < 0) return perror("fork"), 1;
        if (child == 0) return member(i, peer[i]);
    }
    while (wait(&status) > 0) failed |= status;
    return failed != 0;
}
