/* SPDX-License-Identifier: Apache-2.0 */
/* Three members of an alliance in three processes keep one ledger, over a transport of their own: MQTT.
 *
 *   mosquitto -p 1884 &
 *   cc mqtt_members.c mqtt_transport.c ../toy_key.c -I.. $(pkg-config --cflags --libs mgchain libmosquitto) \
 *      -o mqtt_members
 *   ./mqtt_members 127.0.0.1 1884 FOLDER
 *
 * The first member founds the alliance; each prints the block in which it has it, which two of three have signed. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mqtt_transport.h"
#include "toy_key.h"

enum { MEMBERS = 3, ADMINISTRATOR = 100, LINGER_MS = 2000, PATIENCE_MS = 60000, POLL_MS = 10 };

static uint64_t utc_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Handed in; that it stands in a block is seen when it is final. */
static mgc_status found(mgc_ctx *ctx, mgc_node *node, const mgc_key *own)
{
    char words[400], digits[65] = "";
    mgc_key *administrator = NULL;
    mgc_node_call_opts call;

    mgc_status st = toy_key(ctx, ADMINISTRATOR, &administrator);
    if (st == MGC_OK) st = public_digits(administrator, digits);
    snprintf(words, sizeof words,
             "name=valley&currency=EUR&slot_ms=3600000&gate_ms=3600000&gate_slots=24&window_ms=3600000&"
             "collateral_bp=1000&pending_blocks=1000&first_slot=0&administrator=%s",
             digits);
    mgc_node_call_opts_init(&call, sizeof call);
    call.contract = MGC_CONTRACT_INFORMATION;
    call.method = "found";
    call.words = words;
    call.signers = (mgc_signer[]){{.key = administrator, .role = MGC_ROLE_ADMINISTRATOR},
                                  {.key = own, .role = MGC_ROLE_VALIDATOR}};
    call.n_signers = 2;
    if (st == MGC_OK) st = mgc_node_call(node, &call, NULL, NULL);
    mgc_key_destroy(administrator);
    return st;
}

/* Step, send and receive until the first block is final, and a little longer, so that the others hear of it too. */
static mgc_status live(mgc_ctx *ctx, mgc_node *node, const mgc_key *own, uint32_t id, void *bus)
{
    mgc_node_info info = {.struct_size = sizeof info};
    uint64_t begin = utc_ms(), done = 0;
    int founded = 0;

    while (done == 0 || utc_ms() < done + LINGER_MS) {
        TRY(mgc_node_step(node, utc_ms(), NULL));
        mgc_status st = mqtt_transport_poll(bus, node, POLL_MS);
        if (st != MGC_OK && st != MGC_E_IO) return st; /* a broker that is away comes back */
        TRY(mgc_node_get_info(node, &info));
        if (id == 1 && !founded && info.leader != 0) {
            TRY(found(ctx, node, own));
            founded = 1;
        }
        if (done == 0 && info.final_height >= 1) done = utc_ms();
        if (utc_ms() > begin + PATIENCE_MS) return MGC_E_EXPIRED;
    }
    printf("member %u: height %llu, final %llu, block ", (unsigned)id, (unsigned long long)info.height,
           (unsigned long long)info.final_height);
    for (int i = 0; i < 32; i++) printf("%02x", info.block_hash[i]);
    printf("\n");
    return MGC_OK;
}

static int member(uint32_t id, const char *host, int port, const char *folder, uint64_t genesis_ms)
{
    mgc_ctx *ctx = NULL;
    mgc_key *key[MEMBERS] = {NULL};
    mgc_member roster[MEMBERS];
    mgc_node *node = NULL;
    mgc_storage_ops storage;
    mgc_transport_ops transport;
    mgc_node_opts opts;
    char own[256];
    void *store = NULL, *bus = mqtt_transport_open(id, host, port, &transport);

    mgc_status st = bus == NULL ? MGC_E_IO : mgc_ctx_create(NULL, &ctx);
    for (uint32_t i = 0; st == MGC_OK && i < MEMBERS; i++) { /* in earnest one knows the others' public keys alone */
        roster[i] = (mgc_member){.id = i + 1};
        st = toy_key(ctx, i + 1, &key[i]);
        if (st == MGC_OK) st = mgc_key_public(key[i], roster[i].public_key);
    }
    snprintf(own, sizeof own, "%s/member-%u", folder, (unsigned)id);
    if (st == MGC_OK) st = mgc_storage_files(ctx, own, 1, &storage, &store);
    mgc_node_opts_init(&opts, sizeof opts);
    opts.id = id;
    opts.key = key[id - 1];
    opts.members = roster;
    opts.n_members = MEMBERS;
    opts.genesis_time_ms = genesis_ms; /* the same at all: the chain's id hangs on it */
    opts.block_interval_ms = 100;
    opts.seed = id;
    if (st == MGC_OK) st = mgc_node_create(ctx, &opts, &node);
    if (st == MGC_OK) st = mgc_node_set_storage(node, &storage, store);
    if (st == MGC_OK) st = mgc_node_set_transport(node, &transport, bus);
    if (st == MGC_OK) st = mgc_node_start(node);
    if (st == MGC_OK) st = live(ctx, node, key[id - 1], id, bus);
    if (st != MGC_OK)
        fprintf(stderr, "member %u: %s: %s\n", (unsigned)id, mgc_status_name(st),
                ctx != NULL ? mgc_ctx_error(ctx) : "");
    mgc_node_destroy(node);
    mgc_storage_files_destroy(store);
    mqtt_transport_close(bus);
    for (uint32_t i = 0; i < MEMBERS; i++) mgc_key_destroy(key[i]);
    mgc_ctx_destroy(ctx);
    return st == MGC_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    uint64_t genesis_ms = utc_ms();
    int failed = 0, status;

    if (argc != 4) return fprintf(stderr, "usage: mqtt_members HOST PORT FOLDER\n"), 2;
    for (uint32_t id = 1; id <= MEMBERS; id++) {
        pid_t child = fork();
        if (child < 0) return perror("fork"), 1;
        if (child == 0) return member(id, argv[1], atoi(argv[2]), argv[3], genesis_ms);
    }
    while (wait(&status) > 0) failed |= status;
    return failed != 0;
}
