/* SPDX-License-Identifier: Apache-2.0 */
/* mgchain-node: a member of an alliance as a process.  What its files share.
 *
 *   main.c     words of the command line
 *   config.c   the configuration file and the genesis that it names
 *   pki.c      keys and certificates for trying out; init.c: a whole network in one line
 *   run.c      the process: node, transport, clients in one loop
 *   client.c   the local socket; answer.c: what it is asked
 *   line.c     JSON lines
 *   call.c     the other end of that socket: status, query, submit; sign.c: transactions from words; receipt.c: their proofs
 *   bank.c     a contract of this host's own, to try transfers with */
#ifndef MGCHAIN_NODE_EXAMPLE_H
#define MGCHAIN_NODE_EXAMPLE_H

#include <mgchain/io.h>
#include <mgchain/node.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tcp.h"

enum { EXIT_DONE, EXIT_INTERNAL, EXIT_USAGE, EXIT_INPUT, EXIT_IO = 6, EXIT_VERIFY, EXIT_PEER };
enum { MEMBERS_MAX = 16, PEERS_MAX = 32, PATH_BYTES = 1024, LINE_MAX_BYTES = 256 << 10 };

/* --- common.c --------------------------------------------------------------------------------------- */

void say(say_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
extern say_level say_up_to;
int failed(mgc_ctx *ctx, mgc_status status, const char *what); /* says it; the exit code */
uint64_t utc_ms(void);
uint64_t steady_ms(void);
void to_hex(const uint8_t *bytes, size_t n, char *text); /* 2 n + 1 characters */
bool from_hex(const char *text, uint8_t *bytes, size_t n); /* exactly n bytes */
char *read_text(const char *path, size_t max, size_t *len); /* terminated, free() it; NULL: errno */
bool write_private(const char *path, const char *text, bool secret); /* said where it failed; secret: for the owner only */

/* --- config.c --------------------------------------------------------------------------------------- */

typedef struct peer_config {
    uint32_t id;
    char address[128];
    uint8_t public_key[32];
} peer_config;

typedef struct config {
    uint32_t id;
    char folder[PATH_BYTES]; /* of the file; what it names is relative to it */
    char listen[128], client[PATH_BYTES], client_address[128], data[PATH_BYTES]; /* client_address: "": none */
    char key[PATH_BYTES], passphrase[PATH_BYTES]; /* passphrase: its file; "": the environment's MGCHAIN_PASSPHRASE */
    char ca[PATH_BYTES], certificate[PATH_BYTES], tls_key[PATH_BYTES], revoked[PATH_BYTES];
    peer_config peers[PEERS_MAX];
    size_t n_peers;
    uint32_t tick_ms, election_ticks, block_ms, block_txs, queue_mib;
    say_level log;
    bool bank;
    uint32_t lost_store;
    /* genesis */
    char chain[64]; /* "market": the three */
    uint64_t genesis_ms;
    uint8_t nonce[32], network[32];
    mgc_member members[MEMBERS_MAX], learners[MEMBERS_MAX];
    size_t n_members, n_learners;
} config;

/* Faults are told on stderr, all of them; false then. */
bool config_load(mgc_ctx *ctx, const char *path, config *c);
/* Whom the genesis names by that id; NULL: nobody. */
const mgc_member *config_founder(const config *c, uint32_t id);
bool config_key(mgc_ctx *ctx, const char *key, const char *passphrase_file, mgc_key **out);
/* The alliance's name on the wire: a hash of its genesis. */
void config_network(config *c);

/* --- pki.c, init.c ---------------------------------------------------------------------------------- */

bool pki_ca(const char *folder);                         /* ca.pem, ca-key.pem */
/* tls.pem, tls-key.pem in folder, signed by the CA in ca_folder. */
bool pki_member(const char *folder, const char *ca_folder, uint32_t id, const uint8_t *public_key);
int cmd_init(int argc, char **argv);
int cmd_keys(int argc, char **argv);
int cmd_genesis(int argc, char **argv);

/* --- the process ------------------------------------------------------------------------------------ */

typedef struct clients clients;

typedef struct process {
    mgc_ctx *ctx;
    config *c;
    const char *path; /* of the configuration */
    mgc_node *node;
    mgc_key *key;
    mgc_storage_ops storage;
    void *storage_user;
    tcp *tcp;
    clients *clients;
    uint64_t started_ms;
    mgc_status status; /* of the node: not MGC_OK ends the process */
} process;

int cmd_run(const char *path);
int cmd_check(const char *path);

/* At the local socket, and at an address unless it is "": there whoever comes may ask what anybody may know.  NULL: said. */
clients *clients_open(process *p, const char *path, const char *address);
void clients_close(clients *c);
size_t clients_polls(clients *c, struct pollfd *fds, size_t cap);
void clients_ready(clients *c, const struct pollfd *fds, size_t n);
void clients_tell(clients *c); /* those who wait for a transaction */
enum { CLIENTS_MAX = 64, CLIENTS_PUBLIC_MAX = 48, CLIENT_POLLS_MAX = CLIENTS_MAX + 2 };

/* --- line.c ----------------------------------------------------------------------------------------- */

/* A growing line of JSON. */
typedef struct line {
    char *text;
    size_t len, cap;
    bool failed;
} line;

void line_add(line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
void line_quoted(line *l, const char *text); /* with quotes and escapes */
/* Value of a key of an object without objects or arrays inside; strings unescaped.  false: not there, too long, or the
 * text is no such object. */
bool line_get(const char *object, const char *key, char *value, size_t cap);
bool line_uint(const char *object, const char *key, uint64_t *value);

/* --- answer.c --------------------------------------------------------------------------------------- */

/* What a request is answered; *ticket > 0: later, when that transaction is done.  is_public: the asker is nobody in particular. */
void answer(process *p, const char *request, bool is_public, line *reply, uint64_t *ticket);
void answer_ticket(process *p, uint64_t ticket, const char *tag, line *reply); /* nothing: not done yet */

/* --- the other end ---------------------------------------------------------------------------------- */

typedef struct caller {
    int fd;
    char *in;
    size_t in_len, in_cap;
} caller;

bool caller_open(caller *c, const char *where); /* a socket, a configuration that names one, or HOST:PORT; said where it fails */
bool caller_ask(caller *c, const char *request, char **reply); /* one line each; *reply borrowed until the next */
void caller_close(caller *c);
int cmd_status(int argc, char **argv);
int cmd_query(int argc, char **argv);
int cmd_members(int argc, char **argv);
int cmd_change(int argc, char **argv, bool joins);
int cmd_submit(int argc, char **argv);
/* A signed transaction from words, as hexadecimal digits; NULL: said.  free() it. */
char *sign_words(caller *c, int argc, char **argv);
uint32_t contract_of(const char *word); /* UINT32_MAX: no such */
/* The receipt of the transaction of which the member told that, checked against the chain id, 64 digits; the proof into a file
 * unless NULL.  The exit code. */
int receipt_fetch(caller *c, const char *contract, const char *told, const char *trust, const char *file);

/* --- bank.c ----------------------------------------------------------------------------------------- */

enum { BANK_CONTRACT = MGC_CONTRACT_HOST, BANK_ARGUMENTS = 16 };
extern const mgc_contract bank_contract;

#endif
