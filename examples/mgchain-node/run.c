/* SPDX-License-Identifier: Apache-2.0 */
/* The process: one thread, one loop.
 *
 *   1. The node steps: time passes, blocks that are due are proposed.
 *   2. Clients who wait are told what was acknowledged.
 *   3. Wait for the network, for clients, or until something is due.
 *   4. Messages and requests go into the node.
 *
 * What can go wrong: the node's storage fails: the process ends (exit 6); started again it reads what was durable and goes on.
 * A message or request that is none never ends the process. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>

#include "node.h"

static volatile sig_atomic_t asked_to_stop, asked_to_read;

static void on_signal(int number)
{
    if (number == SIGHUP) asked_to_read = 1;
    else asked_to_stop = 1;
}

/* Signals are let in while poll() waits, and only there. */
static void catch_signals(sigset_t *while_waiting)
{
    struct sigaction act = {.sa_handler = on_signal};
    sigset_t block;

    sigemptyset(&act.sa_mask);
    sigemptyset(&block);
    for (int i = 0; i < 3; i++) {
        int number = (const int[]){SIGTERM, SIGINT, SIGHUP}[i];
        sigaction(number, &act, NULL);
        sigaddset(&block, number);
    }
    sigprocmask(SIG_BLOCK, &block, while_waiting);
    act.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &act, NULL);
    sigaction(SIGXFSZ, &act, NULL); /* a write that is too long fails, and the node says so */
}

/* --- opening ---------------------------------------------------------------------------------------- */

static mgc_status start_node(process *p)
{
    const mgc_transport_ops transport = {.struct_size = sizeof transport, .version = 1, .send = tcp_send};
    const config *c = p->c;
    mgc_node_opts o;
    mgc_status st;

    mgc_node_opts_init(&o, sizeof o);
    o.id = c->id;
    o.key = p->key;
    o.chain = strcmp(c->chain, "market") == 0 ? NULL : c->chain;
    o.genesis_time_ms = c->genesis_ms;
    memcpy(o.genesis_nonce, c->nonce, 32);
    o.block_interval_ms = c->block_ms;
    o.block_txs_max = c->block_txs;
    o.tick_ms = c->tick_ms;
    o.election_ticks = c->election_ticks;
    o.lost_store = c->lost_store;
    o.seed = steady_ms();
    o.salt = steady_ms() ^ (uint64_t)c->id << 48;
    o.members = c->members;
    o.n_members = c->n_members;
    o.learners = c->n_learners > 0 ? c->learners : NULL;
    o.n_learners = c->n_learners;
    o.join = config_founder(c, c->id) == NULL;
    st = mgc_node_create(p->ctx, &o, &p->node);
    if (st == MGC_OK) st = mgc_node_set_storage(p->node, &p->storage, p->storage_user);
    if (st == MGC_OK) st = mgc_node_set_transport(p->node, &transport, p->tcp);
    if (st == MGC_OK && c->bank) st = mgc_node_add_contract(p->node, &bank_contract, NULL);
    return st == MGC_OK ? mgc_node_start(p->node) : st;
}

static void say_of_transport(void *user, say_level level, const char *text)
{
    (void)user;
    say(level, "%s", text);
}

static void received(void *user, uint32_t from, const uint8_t *bytes, size_t len)
{
    process *p = user;

    if (p->status == MGC_OK && p->node != NULL) p->status = mgc_node_receive(p->node, from, bytes, len);
}

static bool open_transport(process *p)
{
    const config *c = p->c;
    const tcp_opts o = {.id = c->id, .listen = c->listen, .ca = c->ca, .certificate = c->certificate, .key = c->tls_key,
                        .revoked = c->revoked[0] != '\0' ? c->revoked : NULL, .network = c->network,
                        .queue_bytes = (size_t)c->queue_mib << 20, .received = received, .say = say_of_transport, .user = p};
    char error[TCP_ERROR_MAX];

    p->tcp = tcp_open(&o, steady_ms(), error);
    if (p->tcp == NULL) {
        say(SAY_ERROR, "%s", error);
        return false;
    }
    for (size_t i = 0; i < c->n_peers; i++)
        if (!tcp_set_peer(p->tcp, c->peers[i].id, c->peers[i].address, c->peers[i].public_key, steady_ms(), error)) {
            say(SAY_ERROR, "member %" PRIu32 ": %s", c->peers[i].id, error);
            return false;
        }
    return true;
}

/* Where the genesis names this member, it must be by the key that it holds; otherwise it waits to be added. */
static bool knows_itself(const process *p)
{
    const mgc_member *m = config_founder(p->c, p->c->id);
    uint8_t own[32];

    if (mgc_key_public(p->key, own) != MGC_OK) return false;
    if (m == NULL || memcmp(m->public_key, own, 32) == 0) return true;
    say(SAY_ERROR, "the genesis has another public key for member %" PRIu32 " than that of %s", p->c->id, p->c->key);
    return false;
}

/* Others refuse a member whose certificate is not its own. */
static bool is_let_in(const process *p, say_level level)
{
    char error[TCP_ERROR_MAX];
    uint8_t own[32];

    if (mgc_key_public(p->key, own) != MGC_OK) return false;
    if (tcp_certificate_fits(p->tcp, p->c->id, own, error)) return true;
    say(level, "%s", error);
    return false;
}

/* SIGHUP: the list of peers and the log level are read again.  Faults are told, and then all stays as it is. */
static void read_again(process *p)
{
    static config fresh;
    char error[TCP_ERROR_MAX];

    asked_to_read = 0;
    if (!config_load(p->ctx, p->path, &fresh)) {
        say(SAY_WARNING, "%s has faults: nothing is changed", p->path);
        return;
    }
    for (size_t i = 0; i < p->c->n_peers; i++) {
        bool stays = false;
        for (size_t k = 0; k < fresh.n_peers; k++) stays = stays || fresh.peers[k].id == p->c->peers[i].id;
        if (!stays) tcp_remove_peer(p->tcp, p->c->peers[i].id);
    }
    for (size_t k = 0; k < fresh.n_peers; k++) {
        bool known = false;
        for (size_t i = 0; i < p->c->n_peers; i++) known = known || memcmp(&fresh.peers[k], &p->c->peers[i], sizeof fresh.peers[k]) == 0;
        if (!known && !tcp_set_peer(p->tcp, fresh.peers[k].id, fresh.peers[k].address, fresh.peers[k].public_key, steady_ms(), error))
            say(SAY_WARNING, "member %" PRIu32 ": %s", fresh.peers[k].id, error);
    }
    memcpy(p->c->peers, fresh.peers, sizeof fresh.peers);
    p->c->n_peers = fresh.n_peers;
    say_up_to = fresh.log;
    say(SAY_INFO, "%s was read again: %zu peers", p->path, fresh.n_peers);
}

static int open_all(process *p)
{
    mgc_status st;

    if (!config_key(p->ctx, p->c->key, p->c->passphrase, &p->key) || !knows_itself(p) || !open_transport(p)) return EXIT_INPUT;
    (void)is_let_in(p, SAY_WARNING); /* theirs is the word on it */
    st = mgc_storage_files(p->ctx, p->c->data, 1, &p->storage, &p->storage_user);
    if (st == MGC_OK) st = start_node(p);
    if (st != MGC_OK) return failed(p->ctx, st, p->c->data);
    p->clients = clients_open(p, p->c->client, p->c->client_address);
    return p->clients == NULL ? EXIT_IO : EXIT_DONE;
}

static void close_all(process *p)
{
    clients_close(p->clients);
    mgc_node_destroy(p->node);
    tcp_close(p->tcp);
    mgc_storage_files_destroy(p->storage_user);
    mgc_key_destroy(p->key);
}

/* --- the loop --------------------------------------------------------------------------------------- */

static void tell_changes(const process *p, uint32_t *leader, uint32_t *role)
{
    static const char *const roles[] = {"alone", "follower", "candidate", "candidate", "leader", "learner"};
    mgc_node_info info = {.struct_size = sizeof info};

    if (mgc_node_get_info(p->node, &info) != MGC_OK || (info.leader == *leader && info.role == *role)) return;
    *leader = info.leader;
    *role = info.role;
    say(SAY_INFO, "term %" PRIu64 ": %s, leader %" PRIu32 ", height %" PRIu64, info.term, info.role < 6 ? roles[info.role] : "?",
        info.leader, info.height);
}

/* How long poll() may wait: until the next tick, a block that is due, or what the transport wants. */
static struct timespec wait_for(const process *p, uint64_t node_wake_utc, uint64_t tcp_wake)
{
    uint64_t utc = utc_ms(), steady = steady_ms(), wait = node_wake_utc > utc ? node_wake_utc - utc : 0;
    mgc_node_info info = {.struct_size = sizeof info};

    if (tcp_wake < steady + wait) wait = tcp_wake > steady ? tcp_wake - steady : 0;
    if (wait > p->c->tick_ms) wait = p->c->tick_ms;
    if (wait > p->c->block_ms && mgc_node_get_info(p->node, &info) == MGC_OK && info.waiting > 0) wait = p->c->block_ms > 0 ? p->c->block_ms : 1;
    return (struct timespec){.tv_sec = (time_t)(wait / 1000), .tv_nsec = (long)(wait % 1000) * 1000000};
}

static int wait_poll(struct pollfd *fds, size_t n, const struct timespec *timeout, const sigset_t *signals)
{
    /* ppoll() is POSIX only since 2024.  A signal between the two calls is noticed after the wait: a tick at most. */
    sigset_t old;
    int ready;

    sigprocmask(SIG_SETMASK, signals, &old);
    ready = asked_to_stop || asked_to_read ? -1 : poll(fds, (nfds_t)n, (int)(timeout->tv_sec * 1000 + (timeout->tv_nsec + 999999) / 1000000));
    sigprocmask(SIG_SETMASK, &old, NULL);
    return ready;
}

static mgc_status turn(process *p, const sigset_t *signals)
{
    struct pollfd fds[TCP_POLLS_MAX + CLIENT_POLLS_MAX];
    uint64_t wake_utc = UINT64_MAX, wake = UINT64_MAX;
    size_t n_tcp, n;

    p->status = mgc_node_step(p->node, utc_ms(), &wake_utc);
    if (p->status != MGC_OK) return p->status;
    clients_tell(p->clients);
    n_tcp = tcp_polls(p->tcp, fds, steady_ms(), &wake);
    n = n_tcp + clients_polls(p->clients, fds + n_tcp, CLIENT_POLLS_MAX);
    struct timespec timeout = wait_for(p, wake_utc, wake);
    if (wait_poll(fds, n, &timeout, signals) < 0) return MGC_OK; /* a signal */
    tcp_ready(p->tcp, fds, n_tcp, steady_ms());
    if (p->status == MGC_OK) clients_ready(p->clients, fds + n_tcp, n - n_tcp);
    return p->status;
}

static int serve(process *p, const sigset_t *signals)
{
    uint32_t leader = UINT32_MAX, role = UINT32_MAX;

    p->started_ms = steady_ms();
    say(SAY_INFO, "member %" PRIu32 " of %zu, chain %s, at %s, data in %s", p->c->id, p->c->n_members, p->c->chain, p->c->listen, p->c->data);
    while (!asked_to_stop) {
        mgc_status st = turn(p, signals);
        if (st != MGC_OK) return failed(p->ctx, st, "the node stopped");
        tell_changes(p, &leader, &role);
        if (asked_to_read) read_again(p);
    }
    say(SAY_INFO, "asked to stop: done");
    return EXIT_DONE;
}

static int begin(const char *path, config *c, process *p)
{
    if (mgc_ctx_create(NULL, &p->ctx) != MGC_OK) return EXIT_INTERNAL;
    p->c = c;
    p->path = path;
    if (!config_load(p->ctx, path, c)) return EXIT_INPUT;
    say_up_to = c->log;
    return EXIT_DONE;
}

int cmd_run(const char *path)
{
    static config c;
    process p = {.status = MGC_OK};
    sigset_t signals;
    int code = begin(path, &c, &p);

    if (code == EXIT_DONE) {
        catch_signals(&signals);
        code = open_all(&p);
        if (code == EXIT_DONE) code = serve(&p, &signals);
        close_all(&p);
    }
    mgc_ctx_destroy(p.ctx);
    return code;
}

/* Everything that can be known without the others, and without touching the data. */
int cmd_check(const char *path)
{
    static config c;
    process p = {.status = MGC_OK};
    int code = begin(path, &c, &p);

    if (code == EXIT_DONE && (!config_key(p.ctx, c.key, c.passphrase, &p.key) || !knows_itself(&p) || !open_transport(&p) ||
                              !is_let_in(&p, SAY_ERROR)))
        code = EXIT_INPUT;
    if (code == EXIT_DONE) {
        char hex[65];
        to_hex(c.network, 32, hex);
        printf("%s: member %" PRIu32 " of %zu, chain %s, %zu peers, alliance %.16s: fine\n", path, c.id, c.n_members, c.chain, c.n_peers, hex);
    }
    tcp_close(p.tcp);
    mgc_key_destroy(p.key);
    mgc_ctx_destroy(p.ctx);
    return code;
}
