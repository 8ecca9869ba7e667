/* SPDX-License-Identifier: Apache-2.0 */
/* A transport for mgc_node over TCP with mutual TLS 1.3, on one thread: the host polls, this file's calls never wait.
 *
 * Each member dials every other one and sends on the connection that it dialled; what it receives comes on those that
 * were dialled by others.  So there is never a question which of two connections is the right one.
 *
 *   who is it     a certificate of the alliance's CA with the name "mgchain:member:ID:PUBLICKEY", which must be the id and
 *                 the signing key of a peer in the list; both sides show theirs
 *   best effort   a message to a peer that is not connected, or whose queue is full, is dropped and counted: the consensus
 *                 sends again what matters.  Messages of one connection keep their order; across a reconnect any may be lost
 *   silence       a ping each second, answered by a pong; a peer unheard for SILENCE_MS is dialled anew
 *   rubbish       a frame that is too long, of an unknown kind or out of turn ends the connection, never the process
 *
 * Limits: 64 peers; 32 connections that have not yet shown who they are; MGC_MESSAGE_BYTES_MAX a message; queue_bytes a peer. */
#ifndef TRANSPORT_TCP_H
#define TRANSPORT_TCP_H

#include <mgchain/transport.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { TCP_PEERS_MAX = 64, TCP_NEWCOMERS_MAX = 32, TCP_POLLS_MAX = 1 + 2 * TCP_PEERS_MAX + TCP_NEWCOMERS_MAX, TCP_ERROR_MAX = 512 };

typedef enum say_level { SAY_ERROR, SAY_WARNING, SAY_INFO, SAY_DEBUG } say_level;

typedef struct tcp tcp;

typedef struct tcp_opts {
    uint32_t id;
    const char *listen;      /* "127.0.0.1:7101", "[::1]:7101"; port 0: any free one, see tcp_port() */
    const char *ca;          /* PEM files: who may speak at all; the own certificate and its key */
    const char *certificate, *key;
    const char *revoked;     /* PEM file of certificates that the CA took back; NULL: none */
    const uint8_t *network;  /* 32 bytes that tell this alliance from another one; copied */
    size_t queue_bytes;      /* of what waits for one peer; 0: 32 MiB */
    /* A message came, from a member whose certificate was checked.  May call tcp_send(), not what adds or removes peers. */
    void (*received)(void *user, uint32_t from, const uint8_t *bytes, size_t len);
    void (*say)(void *user, say_level level, const char *text);
    void *user;
} tcp_opts;

/* NULL and a sentence at error (TCP_ERROR_MAX bytes) where it cannot be opened.  Threads: one at a time.  The process
 * must ignore SIGPIPE. */
tcp *tcp_open(const tcp_opts *opts, uint64_t now_ms, char *error);
void tcp_close(tcp *t); /* NULL is fine */
uint16_t tcp_port(const tcp *t);
/* Would others let this one in, as that member: does its certificate name it with that key, is it in force and of the CA?  false
 * and a sentence where not. */
bool tcp_certificate_fits(const tcp *t, uint32_t id, const uint8_t *public_key, char *error);

/* Add a peer or change one; a name in the address is looked up now.  false and a sentence where that cannot be. */
bool tcp_set_peer(tcp *t, uint32_t id, const char *address, const uint8_t *public_key, uint64_t now_ms, char *error);
void tcp_remove_peer(tcp *t, uint32_t id);

/* Fill what to poll for; *wake_ms is lowered to when tcp_ready() wants to be called at the latest.  Returns how many. */
size_t tcp_polls(tcp *t, struct pollfd *fds, uint64_t now_ms, uint64_t *wake_ms);
/* After poll(), with the same array. */
void tcp_ready(tcp *t, const struct pollfd *fds, size_t n, uint64_t now_ms);

/* As mgc_transport_ops.send; user is the tcp. */
int32_t tcp_send(void *user, uint32_t to, const uint8_t *bytes, size_t len);

typedef struct tcp_peer_info {
    uint32_t id;
    bool sends, receives; /* connected now, and answering */
    uint64_t sent, received, dropped, dials; /* messages, messages, messages, attempts */
    size_t queued;                           /* bytes */
} tcp_peer_info;

/* false past the last one. */
bool tcp_peer(const tcp *t, size_t index, tcp_peer_info *info);
/* Connections refused or ended because of what they sent or who they were. */
uint64_t tcp_refused(const tcp *t);

/* "host:port" or "[v6]:port" as an address; false: error says why, at most TCP_ERROR_MAX. */
bool tcp_look_up(const char *address, bool passive, struct sockaddr_storage *to, socklen_t *len, char *error);

#endif
